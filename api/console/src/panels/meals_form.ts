// An order put in by hand: a click on the home, then when, from which kitchen, how many.
import { h } from "../dom";
import { addDays, dayOf, moment, timeOf } from "../format";
import type { Context, Place } from "../panel";
import { explain, Once, type Collection, type Order } from "./common";

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;

interface Kitchen {
  id: string;
  name: string;
  lon: number;
  lat: number;
}

export class OrderForm {
  readonly element: HTMLElement;
  private readonly ctx: Context;
  private readonly done: (o: Order) => void;
  private readonly form: HTMLElement;
  private kitchens: Kitchen[] | undefined;
  private sending = false;

  constructor(ctx: Context, done: (o: Order) => void) {
    this.ctx = ctx;
    this.done = done;
    this.form = h("div", { hidden: true });
    this.element = h(
      "div", { class: "me-new" },
      h("button", { type: "button", class: "me-main", "data-do": "new-order", "data-may": "dispatcher", onclick: () => void this.ask() }, ctx.t("me.new")),
      this.form,
    );
    this.form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        this.close();
        event.stopPropagation();
      }
    });
  }

  private close(): void {
    this.form.hidden = true;
    this.form.replaceChildren();
    this.element.querySelector<HTMLElement>("button")?.focus();
  }

  private async kitchensRead(): Promise<Kitchen[]> {
    const page = await this.ctx.api.get<Collection<{ name?: string }>>("/collections/facilities/items?kind=kitchen&limit=1000");
    return page.features.flatMap((f) => {
      const at = f.geometry?.type === "Point" ? f.geometry.coordinates : undefined;
      return at ? [{ id: f.id, name: f.properties.name ?? f.id, lon: at[0] ?? 0, lat: at[1] ?? 0 }] : [];
    });
  }

  private async ask(): Promise<void> {
    const { ctx } = this;
    const place = await ctx.map.pick(ctx.t("me.new_pick"));
    if (place) await this.begin(place);
  }

  async begin(place: Place): Promise<void> {
    const { ctx } = this;
    try {
      this.kitchens ??= await this.kitchensRead();
    } catch (error) {
      ctx.say(explain(error, ctx.t), "bad");
      return;
    }
    if (this.kitchens.length === 0) {
      this.kitchens = undefined;
      ctx.say(ctx.t("me.no_kitchen"), "bad");
      return;
    }
    this.show(place, this.kitchens);
  }

  // The closest kitchen first, and the next three quarters of an hour that can be met.
  private show(place: Place, kitchens: Kitchen[]): void {
    const { ctx } = this;
    const near = (k: Kitchen): number =>
      Math.hypot((k.lon - place.lon) * Math.cos((place.lat * Math.PI) / 180), k.lat - place.lat);
    const sorted = [...kitchens].sort((a, b) => near(a) - near(b));
    const begin = Math.ceil((ctx.clock.now() + 45 * MINUTE_MS) / (5 * MINUTE_MS)) * 5 * MINUTE_MS;
    const kitchen = h("select", { id: "me-kitchen" }, ...sorted.map((k) => h("option", { value: k.id }, k.name)));
    const meals = h("input", { id: "me-meals", type: "number", min: 1, max: 50, value: "1", required: true });
    const from = h("input", { id: "me-from", type: "time", value: timeOf(begin), required: true });
    const to = h("input", { id: "me-to", type: "time", value: timeOf(begin + 45 * MINUTE_MS), required: true });
    const diets = h("input", { id: "me-diets", type: "text", autocomplete: "off" });
    const handover = h("select", { id: "me-handover" },
      ...(["door", "van"] as const).map((where) => h("option", { value: where }, ctx.t(`me.handover.${where}`))));
    const wrong = h("p", { class: "me-wrong", role: "alert" });
    const once = new Once();
    const field = (id: string, text: string, input: HTMLElement): HTMLElement => h("label", { for: id }, text, input);
    const form = h(
      "form",
      { class: "me-form", onsubmit: (event: Event) => {
        event.preventDefault();
        const body = this.body(place, { kitchen, meals, from, to, diets, handover });
        if (body === undefined) wrong.textContent = ctx.t("me.window_wrong");
        else void this.send(body, wrong, once);
      } },
      h("p", {}, ctx.t("me.new_home", { place: place.household ?? `${place.lon.toFixed(5)}, ${place.lat.toFixed(5)}` })),
      field("me-kitchen", ctx.t("me.kitchen"), kitchen),
      field("me-meals", ctx.t("me.meals"), meals),
      field("me-from", ctx.t("me.from"), from),
      field("me-to", ctx.t("me.to"), to),
      field("me-handover", ctx.t("me.handover"), handover),
      field("me-diets", ctx.t("me.diets"), diets),
      wrong,
      h("div", { class: "me-buttons" },
        h("button", { type: "submit", class: "me-main", "data-do": "submit-order" }, ctx.t("me.submit")),
        h("button", { type: "button", onclick: () => this.close() }, ctx.t("common.cancel"))),
    );
    this.form.replaceChildren(form);
    this.form.hidden = false;
    form.querySelector<HTMLElement>("[type=submit]")?.focus();
  }

  // undefined: the window ends before it begins. One that ends past midnight is of the next day.
  private body(place: Place, of: {
    kitchen: HTMLSelectElement; meals: HTMLInputElement; from: HTMLInputElement; to: HTMLInputElement; diets: HTMLInputElement;
    handover: HTMLSelectElement;
  }): Record<string, unknown> | undefined {
    const now = this.ctx.clock.now();
    let day = dayOf(now);
    if (moment(day, of.from.value) < now - (DAY_MINUTES / 2) * MINUTE_MS) day = addDays(day, 1);
    const from = moment(day, of.from.value);
    let to = moment(day, of.to.value);
    const next = moment(addDays(day, 1), of.to.value);
    if (to <= from && next - from <= 6 * 60 * MINUTE_MS) to = next;
    if (!(to > from)) return undefined;
    const diets = of.diets.value.split(/[,，、;；]/).map((text) => text.trim()).filter((text) => text !== "");
    return {
      ...(place.household === undefined ? { lon: place.lon, lat: place.lat } : { household: place.household }),
      kitchen: of.kitchen.value,
      load: Number(of.meals.value),
      handover: of.handover.value,
      due: [new Date(from).toISOString(), new Date(to).toISOString()],
      ...(diets.length === 0 ? {} : { diets }),
    };
  }

  private async send(body: Record<string, unknown>, wrong: HTMLElement, once: Once): Promise<void> {
    const { ctx } = this;
    if (this.sending) return; // a double click orders once
    this.sending = true;
    try {
      const o = await ctx.api.post<Order>("/v1/orders", body, once.headers(body));
      this.close();
      ctx.say(ctx.t("me.ordered"), "good");
      this.done(o);
    } catch (error) {
      once.failed(error);
      wrong.textContent = explain(error, ctx.t);
    } finally {
      this.sending = false;
    }
  }
}
