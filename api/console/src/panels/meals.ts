// Meals: orders by state with the late ones on top, the vans with their next stops, an order put in by a click on a home,
// and what each re-plan changed.
import "./common_words";
import "./meals_words";
import { h, list } from "../dom";
import { addPanel, type Context } from "../panel";
import { clockText, explain, gathered, homePart, ms, newHome, onceKey, roving, span, type Order, type OrderState } from "./common";
import { OrderForm } from "./meals_form";
import { Vans } from "./meals_vans";
import { lateFirst, lateness, orderOpen, Orders, stopsBefore, stranded, type Change, type Replan } from "./orders";

type Filter = "open" | OrderState;
const FILTERS: Filter[] = ["open", "received", "planned", "loaded", "enroute", "failed", "delivered"];
const ROWS = 60;

interface Page {
  ctx: Context;
  orders: Orders;
  vans: Vans;
  form: OrderForm;
  filter: Filter;
  rows: number; // shown at most
  chosen: string | undefined;
  wanted: string | undefined;
  awaited: Set<string>; // ordered here, not planned yet
  sum: HTMLElement;
  chips: HTMLElement;
  host: HTMLElement;
  empty: HTMLElement;
  more: HTMLButtonElement;
  changes: HTMLElement;
  unchanged: HTMLElement;
  fault: HTMLElement;
  soon: { (): void; cancel(): void };
  ends: (() => void)[];
}

let page: Page | undefined;

export function homeOf(o: { household?: string | undefined; order?: string; id?: string }): string {
  return o.household ?? o.order ?? o.id ?? "";
}

// ---- orders ----

function lateText(o: Order, ctx: Context): string {
  const now = ctx.clock.now();
  const late = lateness(o, now);
  if (late === 0) return "";
  const over = now - ms(o.due?.[1]);
  if (over > 0) return ctx.t("me.late", { span: span(over) });
  return ctx.t("me.will_be_late", { minutes: Math.max(1, Math.round(late / 60000)) });
}

function etaText(o: Order, ctx: Context): string {
  if (o.state === "delivered" && o.closed_at !== undefined) return ctx.t("me.brought", { time: clockText(o.closed_at) });
  if (o.eta === undefined || !orderOpen(o)) return "";
  if (o.eta_low === undefined || o.eta_high === undefined) return ctx.t("me.eta_bare", { eta: clockText(o.eta) });
  return ctx.t("me.eta", { eta: clockText(o.eta), low: clockText(o.eta_low), high: clockText(o.eta_high) });
}

function whyText(o: Order, ctx: Context): string {
  if (stranded(o)) return ctx.t(`me.why.${o.unplanned}`);
  return o.state === "failed" && o.reason !== undefined ? ctx.t(`me.reason.${o.reason}`) : "";
}

function orderDraw(o: Order, before: number | undefined, ctx: Context): HTMLElement {
  const open = page?.chosen === o.id;
  const late = lateText(o, ctx);
  const bad = late !== "" || stranded(o) || o.state === "failed";
  return h(
    "li", { class: `me-item${bad ? " is-bad" : ""}${open ? " is-open" : ""}`, "data-order": o.id },
    h(
      "button",
      { type: "button", class: "me-row", "aria-expanded": open ? "true" : "false", "data-focus": `order-${o.id}`,
        onclick: () => choose(open ? undefined : o.id) },
      h("b", {}, homeOf(o)),
      h("span", { class: "me-state" }, ctx.t(`me.state.${o.state}`), whyText(o, ctx) && ` · ${whyText(o, ctx)}`),
      h("span", { class: "me-due" }, o.due && ctx.t("me.due", { from: clockText(o.due[0]), to: clockText(o.due[1]) })),
      h("span", { class: "me-late", "data-late": o.id }, late),
      h("span", { class: "me-eta" }, etaText(o, ctx)),
      h("span", { class: "me-on" }, o.unit && before !== undefined && (before === 0 ? ctx.t("me.on_next", { unit: o.unit }) : ctx.t("me.on", { unit: o.unit, n: before }))),
    ),
    open && h(
      "div", { class: "me-card" },
      o.token !== undefined && h("a", { href: `/t/${o.token}`, target: "_blank", rel: "noreferrer" }, ctx.t("me.track")),
      orderOpen(o) && h("button", { type: "button", "data-do": "cancel-order", "data-may": "dispatcher", onclick: () => void step(o, "cancel") }, ctx.t("me.cancel")),
      o.state === "failed" && h("button", { type: "button", "data-may": "dispatcher", onclick: () => void step(o, "reopen") }, ctx.t("me.retry")),
      o.lon !== undefined && o.lat !== undefined && h(
        "button", { type: "button", onclick: () => ctx.map.flyTo(o.lon ?? 0, o.lat ?? 0, 16) }, ctx.t("common.onmap"),
      ),
    ),
  );
}

function shown(filter: Filter, o: Order): boolean {
  return filter === "open" ? orderOpen(o) : o.state === filter;
}

function chipsDraw(ctx: Context, all: Order[], filter: Filter): void {
  if (!page) return;
  const known = page.orders.loaded;
  const name = (f: Filter): string => ctx.t(f === "open" ? "me.filter.open" : `me.state.${f}`);
  list(
    page.chips, FILTERS.map((f) => ({ f, n: known ? String(all.filter((o) => shown(f, o)).length) : "", on: f === filter })), (row) => row.f,
    ({ f, n, on }) => h(
      "button",
      { type: "button", "aria-pressed": String(on), "data-filter": f, "data-focus": `filter-${f}`, onclick: () => {
        if (!page) return;
        page.filter = f;
        page.rows = ROWS;
        draw();
      } },
      `${name(f)} ${n}`.trim(),
    ),
  );
}

function draw(): void {
  if (!page) return;
  const { ctx, orders, filter } = page;
  const now = ctx.clock.now();
  const all = [...orders.all.values()];
  const rows = lateFirst(all.filter((o) => shown(filter, o)), now);
  const lost = all.filter(stranded).length;
  const late = all.filter((o) => lateness(o, now) > 0 && !stranded(o)).length;
  const known = orders.loaded; // that there is none is said by who knows
  const text = known ? ctx.t("me.sum", { open: all.filter(orderOpen).length, late, lost }) : "";
  if (page.sum.textContent !== text) page.sum.textContent = text;
  page.sum.classList.toggle("is-bad", late + lost > 0);
  chipsDraw(ctx, all, filter);
  const chosen = page.chosen;
  const before = stopsBefore(all);
  // The chosen one is seen, however many are due before it.
  const shownRows = rows.slice(0, page.rows);
  const far = rows.slice(page.rows).find((o) => o.id === chosen);
  if (far) shownRows.unshift(far);
  list(
    page.host, shownRows, (o) => o.id, (o) => orderDraw(o, before.get(o.id), ctx),
    (o) => JSON.stringify([
      o.state, whyText(o, ctx), o.due, etaText(o, ctx), o.unit, o.token, o.lon, chosen === o.id, before.get(o.id), lateness(o, now) > 0,
    ]),
  );
  page.empty.hidden = !known || rows.length > 0;
  page.more.hidden = rows.length <= page.rows;
  page.more.textContent = ctx.t("common.more", { n: Math.min(ROWS, rows.length - page.rows) });
  changesDraw(ctx, orders.replans);
  page.vans.draw(all, known);
  if (orders.whole) page.fault.hidden = true;
  newsTell();
}

function tick(): void {
  if (!page) return;
  for (const element of page.host.querySelectorAll<HTMLElement>("[data-late]")) {
    const o = page.orders.all.get(element.dataset["late"] ?? "");
    const text = o ? lateText(o, page.ctx) : "";
    if (element.textContent !== text) element.textContent = text;
  }
}

function choose(id: string | undefined): void {
  if (!page) return;
  page.chosen = id;
  page.ctx.link(id === undefined ? "" : `order/${id}`);
  const o = id === undefined ? undefined : page.orders.all.get(id);
  // Events bring no place and no token: these are read when somebody looks.
  if (o && (o.lon === undefined || o.token === undefined)) {
    page.orders.read(o.id).catch((error: unknown) => page?.ctx.say(explain(error, page.ctx.t), "bad"));
  }
  draw();
}

async function step(o: Order, event: string): Promise<void> {
  if (!page) return;
  const { ctx, orders } = page;
  try {
    const path = `/v1/orders/${encodeURIComponent(o.id)}/events`;
    const next = await ctx.api.post<Order>(path, { event }, { "Idempotency-Key": onceKey() });
    orders.put({ ...o, ...next });
    ctx.say(`${homeOf(next)}: ${ctx.t(`me.state.${next.state}`)}`, "good");
  } catch (error) {
    ctx.say(explain(error, ctx.t), "bad");
    await orders.read(o.id).catch(() => undefined);
  }
}

// ---- an order that was put in here: when it stands in a plan, or can't ----

function newsTell(): void {
  if (!page) return;
  const { ctx, orders, awaited } = page;
  for (const id of [...awaited]) {
    const o = orders.all.get(id);
    if (!o) continue;
    if (o.unit !== undefined) {
      awaited.delete(id);
      ctx.say(ctx.t("me.ordered_planned", { home: homeOf(o), unit: o.unit, eta: clockText(o.eta) }), "good");
    } else if (stranded(o)) {
      awaited.delete(id);
      ctx.say(ctx.t("me.ordered_lost", { home: homeOf(o), reason: ctx.t(`me.why.${o.unplanned}`) }), "bad");
    }
  }
}

function ordered(o: Order): void {
  if (!page) return;
  page.awaited.add(o.id);
  page.filter = "open";
  page.chosen = o.id;
  page.ctx.link(`order/${o.id}`);
  page.orders.put(o);
  page.host.querySelector<HTMLElement>(`[data-focus="${CSS.escape(`order-${o.id}`)}"]`)?.focus();
}

// ---- what a re-plan changed ----

function shiftText(shift: number, ctx: Context): string {
  const n = Math.round(Math.abs(shift) / 60000);
  if (n === 0) return ctx.t("me.same");
  return ctx.t(shift > 0 ? "me.later" : "me.earlier", { n });
}

function changeText(c: Change, ctx: Context): string {
  return ctx.t(`me.line.${c.what}`, {
    home: c.household ?? c.order, from: c.from ?? "", to: c.to ?? "", shift: shiftText(c.shift, ctx),
    reason: ctx.t(`me.why.${c.reason ?? "none"}`),
  });
}

function replanDraw(plan: Replan, ctx: Context): HTMLElement {
  const parts = (["moved", "time", "lost", "new"] as const)
    .map((what) => ({ what, n: plan.changes.filter((c) => c.what === what).length }))
    .filter(({ n }) => n > 0)
    .map(({ what, n }) => ctx.t(`me.change.${what}`, { n }));
  return h(
    "details", { class: "me-change" },
    h("summary", {}, ctx.t("me.change.head", { at: clockText(plan.at, true), parts: parts.join(ctx.t("common.comma")) })),
    h("ul", {}, ...plan.changes.slice(0, 200).map((c) => h("li", { class: `is-${c.what}` }, changeText(c, ctx)))),
  );
}

function changesDraw(ctx: Context, replans: Replan[]): void {
  if (!page) return;
  list(page.changes, replans.filter((plan) => plan.changes.length > 0), (plan) => plan.id, (plan) => replanDraw(plan, ctx));
  page.unchanged.hidden = replans.length > 0;
}

// ---- the page ----

function build(host: HTMLElement, ctx: Context): Page {
  const rows = h("ul", { class: "me-list", "aria-labelledby": "me-orders" });
  const soon = gathered(150, draw);
  const fault = h("div", { class: "me-fault", role: "alert", hidden: true });
  const orders = new Orders(ctx, soon, (error) => {
    fault.replaceChildren(
      h("p", {}, explain(error, ctx.t)),
      h("button", { type: "button", onclick: () => void orders.load() }, ctx.t("common.retry")),
    );
    fault.hidden = false;
  });
  const vans = new Vans(ctx);
  const form = new OrderForm(ctx, ordered);
  const made: Page = {
    ctx, orders, vans, form, filter: "open", rows: ROWS, chosen: undefined, wanted: undefined, awaited: new Set(),
    sum: h("p", { class: "me-sum", role: "status" }),
    chips: h("div", { class: "me-chips", role: "group", "aria-label": ctx.t("me.orders") }),
    host: rows,
    empty: h("p", { class: "me-small", hidden: true }, ctx.t("me.no_orders")),
    more: h("button", { type: "button", hidden: true, onclick: () => {
      made.rows += ROWS;
      draw();
    } }),
    changes: h("div", { class: "me-changes" }),
    unchanged: h("p", { class: "me-small" }, ctx.t("me.no_changes")),
    fault, soon, ends: [],
  };
  roving(rows, ".me-row");
  host.replaceChildren(h(
    "div", { class: "me" },
    form.element, made.sum, fault,
    h("h3", { id: "me-orders" }, ctx.t("me.orders")), made.chips, rows, made.empty, made.more,
    h("h3", {}, ctx.t("me.changes")), made.changes, made.unchanged,
    h("h3", { id: "me-vans" }, ctx.t("me.vans")), vans.element,
  ));
  host.firstElementChild?.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key === "Escape" && made.chosen !== undefined) {
      const id = made.chosen;
      choose(undefined);
      rows.querySelector<HTMLElement>(`[data-focus="${CSS.escape(`order-${id}`)}"]`)?.focus();
    }
  });
  return made;
}

addPanel({
  id: "order",
  title: "me.title",
  order: 2,
  offers(what) {
    if (what.kind === "household") return [{ text: "me.offer", part: `order/${homePart(what)}`, may: "dispatcher" }];
    return what.unit === "van" ? [{ text: "me.offer_stops", part: `order/van/${encodeURIComponent(what.id)}` }] : [];
  },
  mount(host, ctx) {
    page = build(host, ctx);
    page.ends.push(ctx.clock.every(1000, tick), ctx.clock.every(15_000, page.soon));
    draw();
  },
  unmount() {
    if (!page) return;
    page.soon.cancel();
    page.orders.stop();
    page.vans.stop();
    for (const end of page.ends) end();
    page = undefined;
  },
  open(part) {
    if (!page || part === "") return;
    const { ctx, orders } = page;
    const named = (): void => {
      const o = orders.all.get(part);
      if (page && o && !shown(page.filter, o)) page.filter = FILTERS.includes(o.state) ? o.state : "open"; // a link to one that is over
      choose(part);
    };
    const home = newHome(part);
    if (home) void page.form.begin(home);
    else if (part.startsWith("van/")) page.vans.choose(part.slice("van/".length));
    else if (orders.all.has(part)) named();
    else orders.read(part).then(named, (error: unknown) => ctx.say(explain(error, ctx.t), "bad"));
  },
});
