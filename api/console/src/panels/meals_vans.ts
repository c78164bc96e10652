// The vans: what each brings next and when, and of the chosen one all stops ahead and the way, on the map too.
import { h, list } from "../dom";
import type { Context } from "../panel";
import { clockText, explain, gathered, roving, theme, type Collection, type Order, type Plan, type Stop, type UnitProperties } from "./common";
import { lateness, orderOpen } from "./orders";

const PLAN_AGAIN_MS = 5000;

interface Row {
  id: string;
  name: string;
  state: string; // the key of its word
  next: string; // where
  eta: string;
  left: number;
  late: number;
  open: boolean;
  known: boolean;
}

// A van with meals on board is not idle, whatever the registry says of it.
function stateOf(status: string, orders: Order[]): string {
  const on = ["enroute", "loaded"].find((state) => orders.some((o) => o.state === state));
  return on === undefined || status === "off" ? `me.status.${status}` : `me.state.${on}`;
}

export class Vans {
  readonly element: HTMLElement;
  private readonly ctx: Context;
  private readonly host: HTMLElement;
  private readonly note: HTMLElement;
  private readonly card: HTMLElement;
  private readonly ends: (() => void)[];
  private readonly soon: { (): void; cancel(): void };
  private readonly again: { (): void; cancel(): void };
  private vans: Collection<UnitProperties>["features"] = [];
  private orders: Order[] = [];
  private known = false;
  private chosen: string | undefined;
  private asked = 0;
  private drawn = "[]";
  private fresh = false; // chosen, and not brought into view yet on the map
  private unseen = false; // nor on the list
  private stopped = false;

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.host = h("ul", { class: "me-list", "aria-labelledby": "me-vans" });
    this.note = h("p", { class: "me-small", hidden: true }, ctx.t("me.no_vans"));
    this.card = h("div", { class: "me-plan", "aria-live": "off" });
    this.element = h("div", { class: "me-vans" }, this.host, this.note);
    this.soon = gathered(800, () => void this.planRead());
    this.again = gathered(500, () => void this.read());
    roving(this.host, ".me-row");
    this.ends = [
      ctx.clock.every(PLAN_AGAIN_MS, () => void this.planRead()),
      ctx.stream.onState((state) => {
        if (state === "live" && !this.note.hidden) void this.read(); // what failed meanwhile
      }),
      ctx.stream.on(["order.*", "stop.*"], (event) => {
        const unit: unknown = event.data.unit;
        if (this.chosen !== undefined && (unit === undefined || unit === this.chosen)) this.soon();
      }),
      ctx.stream.on(["item.*", "items.*", "regime.*"], (event) => {
        if (event.subject.startsWith("units") || event.kind.startsWith("regime")) this.again();
      }),
    ];
    void this.read();
  }

  stop(): void {
    this.stopped = true;
    this.soon.cancel();
    this.again.cancel();
    for (const end of this.ends) end();
    this.mapDraw([]);
  }

  // `known`: whether these are all of them; else nothing is said of a van that has none.
  draw(orders: Order[], known: boolean): void {
    this.orders = orders.filter(orderOpen);
    this.known = known;
    this.listDraw();
  }

  choose(id: string | undefined): void {
    this.chosen = id;
    this.card.replaceChildren();
    this.ctx.link(id === undefined ? "" : `order/van/${id}`);
    if (id === undefined) this.mapDraw([]);
    else void this.planRead();
    this.fresh = true;
    this.unseen = id !== undefined;
    this.listDraw();
  }

  private async read(): Promise<void> {
    try {
      const page = await this.ctx.api.get<Collection<UnitProperties>>("/collections/units/items?kind=van&limit=1000");
      if (this.stopped) return;
      this.vans = page.features;
      this.note.hidden = this.vans.length > 0;
      this.note.textContent = this.ctx.t("me.no_vans");
      this.listDraw();
    } catch (error) {
      this.note.hidden = false;
      this.note.textContent = explain(error, this.ctx.t);
    }
  }

  // ---- the list ----

  private rows(): Row[] {
    const now = this.ctx.clock.now();
    const of = new Map<string, Order[]>();
    for (const o of this.orders) {
      if (o.unit === undefined) continue;
      const some = of.get(o.unit);
      if (some) some.push(o);
      else of.set(o.unit, [o]);
    }
    return this.vans
      .map((van) => {
        const some = (of.get(van.id) ?? []).sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
        const first = some[0];
        return {
          id: van.id, name: van.properties.name ?? van.id, state: stateOf(van.properties.status ?? "off", some),
          next: first ? (first.household ?? first.id) : "", eta: clockText(first?.eta),
          left: new Set(some.map((o) => o.sequence)).size, late: some.filter((o) => lateness(o, now) > 0).length,
          open: this.chosen === van.id, known: this.known,
        };
      })
      .sort((a, b) => b.late - a.late || Number(b.left > 0) - Number(a.left > 0) || a.id.localeCompare(b.id));
  }

  private listDraw(): void {
    const { ctx } = this;
    list(this.host, this.rows(), (row) => row.id, (row) => h(
      "li", { class: `me-item${row.late > 0 ? " is-bad" : ""}`, "data-van": row.id },
      h(
        "button",
        { type: "button", class: "me-row", "aria-expanded": String(row.open), "data-focus": `van-${row.id}`,
          onclick: () => this.choose(row.open ? undefined : row.id) },
        h("b", {}, row.name === row.id ? row.id : `${row.name} · ${row.id}`),
        h("span", { class: "me-state" }, ctx.t(row.state)),
        h("span", { class: "me-eta" }, row.left === 0 ? row.known && ctx.t("me.idle") : ctx.t("me.next", { place: row.next, eta: row.eta })),
        h("span", { class: "me-on" }, row.left > 0 && ctx.t("me.left", { n: row.left })),
        row.late > 0 && h("span", { class: "me-late" }, ctx.t("me.van_late", { n: row.late })),
      ),
      row.open && this.card,
    ));
    this.reveal();
  }

  // The list stands below the orders, which come a little later than a link.
  private reveal(): void {
    const row = this.host.querySelector<HTMLElement>("[aria-expanded=true]");
    if (!this.unseen || !row || this.orders.length === 0 || this.card.childElementCount === 0) return;
    this.unseen = false;
    row.scrollIntoView({ block: "start" });
  }

  // ---- the chosen one ----

  private async planRead(): Promise<void> {
    const asked = ++this.asked;
    const id = this.chosen;
    if (id === undefined || this.stopped) return;
    try {
      const plan = await this.ctx.api.get<Plan>(`/v1/units/${encodeURIComponent(id)}/plan`);
      if (asked !== this.asked || this.stopped) return;
      this.planDraw(plan);
      this.reveal();
      this.mapDraw(plan.stops);
      const places = plan.stops.map((stop): GeoJSON.Position => [stop.lon, stop.lat]);
      if (this.fresh && places.length > 0) this.ctx.map.fit({ type: "MultiPoint", coordinates: places });
      this.fresh = false;
    } catch (error) {
      if (asked === this.asked) this.card.replaceChildren(h("p", { role: "alert" }, explain(error, this.ctx.t)));
    }
  }

  private stopDraw(stop: Stop): HTMLElement {
    const { ctx } = this;
    const place = stop.kind === "load" ? ctx.t("me.load", { kitchen: stop.kitchen ?? "" }) : (stop.household ?? stop.order ?? "");
    const band = stop.eta_low && stop.eta_high ? ` (${clockText(stop.eta_low)}–${clockText(stop.eta_high)})` : "";
    return h(
      "li", { class: stop.here ? "is-here" : stop.skipped ? "is-skipped" : "", "data-stop": stop.order ?? stop.kitchen },
      h("b", {}, clockText(stop.eta ?? stop.arrival)), h("small", {}, band), " ", place,
      stop.here && ` · ${ctx.t("me.here")}`, stop.skipped && ` · ${ctx.t("me.skipped")}`,
    );
  }

  private planDraw(plan: Plan): void {
    const { ctx } = this;
    const parts: HTMLElement[] = [];
    if (plan.off_route) parts.push(h("p", { class: "me-wrong" }, ctx.t("me.off_route")));
    if (plan.planned === false && plan.why) parts.push(h("p", { class: "me-small" }, ctx.t("me.plan_why", { why: plan.why })));
    if (plan.stops.length === 0) parts.push(h("p", { class: "me-small" }, ctx.t("me.plan_none")));
    else parts.push(h("p", { class: "me-small" }, ctx.t("me.stops")), h("ol", { class: "me-stops" }, ...plan.stops.map((s) => this.stopDraw(s))));
    this.card.replaceChildren(...parts);
  }

  // Given to the map only where something changed: each time costs it a whole picture.
  private mapDraw(stops: Stop[]): void {
    const { map } = this.ctx;
    const drawn = JSON.stringify(stops.map((s) => [s.lon, s.lat, s.kind, clockText(s.eta ?? s.arrival), s.way?.distance_m]));
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    if (stops.length === 0) {
      map.drawLine("van-way", undefined);
      map.remove("van-stops");
      return;
    }
    const lines = stops.flatMap((stop) => (stop.way?.geometry ? [stop.way.geometry.coordinates] : []));
    map.drawLine("van-way", lines.length === 0 ? undefined : { type: "MultiLineString", coordinates: lines }, {
      color: theme("--accent"), width: 4,
    });
    map.setGeoJson("van-stops", {
      type: "FeatureCollection",
      features: stops.map((stop, n) => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [stop.lon, stop.lat] },
        properties: {
          color: stop.kind === "load" ? theme("--warn") : theme("--accent"), radius: n === 0 ? 9 : 6,
          label: `${n + 1} · ${clockText(stop.eta ?? stop.arrival)}`,
        },
      })),
    });
  }
}
