// Zones and regimes: an area is drawn, what it touches is seen, then it is confirmed; a regime likewise. One click takes
// either back.
import "./common_words";
import "./emergency_words";
import "./zones_words";
import { h, list } from "../dom";
import { dayOf, dayTime } from "../format";
import { addPanel, Problem, type Context } from "../panel";
import { clockText, explain, gathered, ms, Once, onceKey, type Collection } from "./common";
import { Drawing } from "./drawing";
import { circle } from "./geometry";
import { touchedBy, touchedByAll, type Touched } from "./touch";
import { touchDraw, touchShow, type ZoneKind } from "./zones_touch";

const HOUR_MS = 3_600_000;
const KINDS: ZoneKind[] = ["closed", "controlled", "watched"];
const GRAVEST: ZoneKind[] = [...KINDS, "fence"];
const HOURS = [1, 4, 24];
const AFTER_MS = 30_000; // so long what plans change is told after a zone came into force

interface ZoneProperties {
  name?: string;
  kind?: ZoneKind;
  from?: string | null;
  until?: string | null;
}
type Zone = Collection<ZoneProperties>["features"][number];

interface Regime {
  name: string;
  on: boolean;
  since?: string;
  by?: string;
  zones: number;
  cells: number;
  units: number;
  settings: string[];
}

interface Draft {
  area: GeoJSON.Polygon;
  kind: ZoneKind;
  name: string;
  hours: number | undefined; // undefined: until it is lifted
  touched: Touched | undefined;
  // Pressed again after a lost answer, it is the same zone until the same moment: the first may have got through.
  id: string;
  once: Once;
  pressed: number | undefined;
}

interface Page {
  ctx: Context;
  drawing: Drawing;
  draft: HTMLElement; // the form of what was drawn
  after: HTMLElement;
  zoneHost: HTMLElement;
  regimeHost: HTMLElement;
  regimeAsk: HTMLElement;
  back: HTMLElement;
  noZones: HTMLElement;
  noRegimes: HTMLElement;
  fault: HTMLElement;
  zones: Zone[];
  regimes: Regime[];
  known: boolean; // both were read once
  bound: Set<string>; // zones that a regime names: these follow it
  forced: Set<string>; // those of them whose regime is on
  asked: number; // of the question what is touched
  ends: (() => void)[];
  soon: { (): void; cancel(): void };
  wanted: string | undefined;
}

let page: Page | undefined;

// ---- reading ----

async function read(): Promise<void> {
  if (!page) return;
  const { ctx } = page;
  try {
    const [zones, regimes] = await Promise.all([
      ctx.api.get<Collection<ZoneProperties>>("/collections/zones/items?limit=10000"),
      ctx.api.get<{ regimes: Regime[]; bound: string[]; in_force: { zones: string[] } }>("/v1/regimes"),
    ]);
    if (!page) return;
    page.known = true;
    page.zones = zones.features;
    page.regimes = regimes.regimes;
    page.bound = new Set(regimes.bound);
    page.forced = new Set(regimes.in_force.zones);
    page.fault.hidden = true;
    draw();
  } catch (error) {
    if (!page) return;
    page.fault.replaceChildren(
      h("p", {}, explain(error, ctx.t)),
      h("button", { type: "button", onclick: () => void read() }, ctx.t("common.retry")),
    );
    page.fault.hidden = false;
  }
}

async function setRead(ctx: Context, name: string): Promise<string[]> {
  const answer = await ctx.api.get<{ set?: { zones?: string[] } }>(`/v1/regimes/${encodeURIComponent(name)}`);
  return answer.set?.zones ?? [];
}

// ---- zones ----

type State = "on" | "over" | "later" | "bound" | "waits";

function stateOf(zone: Zone, now: number): State {
  const { from, until } = zone.properties;
  if (until && ms(until) <= now) return "over";
  if (from && ms(from) > now) return "later";
  if (!page?.bound.has(zone.id)) return "on";
  return page.forced.has(zone.id) ? "bound" : "waits";
}

function stateText(zone: Zone, ctx: Context): string {
  const state = stateOf(zone, ctx.clock.now());
  if (state === "over") return ctx.t("zo.over");
  if (state === "later") return ctx.t("zo.later", { from: momentText(zone.properties.from, ctx) });
  if (state === "waits") return ctx.t("zo.waits");
  const holds = ctx.t(state === "bound" ? "zo.by_regime" : "zo.on");
  const { until } = zone.properties;
  return until ? `${holds} · ${ctx.t("zo.until_at", { at: momentText(until, ctx) })}` : holds;
}

// With its day, where that is not today.
function momentText(text: string | null | undefined, ctx: Context): string {
  const at = ms(text ?? undefined);
  return Number.isFinite(at) && dayOf(at) !== dayOf(ctx.clock.now()) ? dayTime(at) : clockText(at);
}

function nameOf(zone: Zone): string {
  return zone.properties.name ?? zone.id;
}

// A regime's zones are not touched here: the regime is what is taken back.
function zoneDraw(zone: Zone, ctx: Context): HTMLElement {
  const kind = zone.properties.kind ?? "watched";
  const state = stateOf(zone, ctx.clock.now());
  const ours = !page?.bound.has(zone.id) && kind !== "fence";
  const calm = state === "over" || state === "waits";
  return h(
    "li", { class: `zo-item is-${calm ? "over" : kind}`, "data-zone": zone.id },
    h(
      "button",
      { type: "button", class: "zo-row", "data-focus": `zone-${zone.id}`, onclick: () => {
        if (zone.geometry) ctx.map.fit(zone.geometry);
        ctx.link(`zone/${zone.id}`);
      } },
      h("b", {}, nameOf(zone)), h("span", { class: "zo-kind" }, ctx.t(`zo.kind.${kind}`)),
      h("span", { class: "zo-small" }, stateText(zone, ctx)),
    ),
    ours && h(
      "div", { class: "zo-buttons", "data-may": "dispatcher" },
      (state === "on" || state === "later") && h(
        "button",
        { type: "button", class: kind === "watched" ? "" : "zo-main", "data-do": "lift", "data-focus": `lift-${zone.id}`, onclick: () => void lift(zone) },
        ctx.t("zo.lift"),
      ),
      state === "over" && h("button", { type: "button", "data-do": "again", onclick: () => void again(zone) }, ctx.t("zo.again")),
      state === "over" && h("button", { type: "button", "data-do": "delete", onclick: () => void erase(zone) }, ctx.t("zo.delete")),
    ),
  );
}

async function command(work: (ctx: Context) => Promise<string>): Promise<boolean> {
  if (!page) return false;
  const { ctx } = page;
  try {
    const text = await work(ctx);
    ctx.say(text, "good");
    await read();
    return true;
  } catch (error) {
    ctx.say(explain(error, ctx.t), "bad");
    return false;
  }
}

function zonePath(zone: Zone): string {
  return `/collections/zones/items/${encodeURIComponent(zone.id)}`;
}

// Its end is now: the area stays known and can be put in force again.
async function lift(zone: Zone): Promise<void> {
  await command(async (ctx) => {
    await ctx.api.patch(zonePath(zone), { properties: { until: new Date(ctx.clock.now()).toISOString() } });
    return ctx.t("zo.lifted", { name: nameOf(zone) });
  });
}

// Seen before it is confirmed, as at first.
async function again(zone: Zone): Promise<void> {
  const area = zone.geometry;
  if (area?.type !== "Polygon") return;
  await ask({ ...draftOf(area), kind: zone.properties.kind ?? "closed", name: nameOf(zone) }, zone);
}

async function erase(zone: Zone): Promise<void> {
  await command(async (ctx) => {
    await ctx.api.del(zonePath(zone));
    return `${ctx.t("zo.delete")}: ${nameOf(zone)}`;
  });
}

// ---- a new one ----

function draftOf(area: GeoJSON.Polygon): Draft {
  return {
    area, kind: "closed", name: "", hours: undefined, touched: undefined,
    id: `zone-${onceKey().slice(0, 10)}`, once: new Once(), pressed: undefined,
  };
}

async function begin(): Promise<void> {
  if (!page) return;
  const area = await page.drawing.draw();
  if (area) await ask(draftOf(area));
}

async function beginCircle(radius: number): Promise<void> {
  if (!page) return;
  const { ctx } = page;
  const at = await ctx.map.pick(ctx.t("zo.circle_pick"));
  if (!at || !(radius > 0)) return;
  await ask(draftOf(circle([at.lon, at.lat], radius)));
}

function close(): void {
  if (!page) return;
  page.asked++;
  page.draft.hidden = true;
  page.draft.replaceChildren();
  page.ctx.map.remove("zone-touched");
}

// The form, with what it touches; `of` is a zone that was there and is put in force again.
async function ask(draft: Draft, of?: Zone): Promise<void> {
  if (!page) return;
  const { ctx } = page;
  const asked = ++page.asked;
  const touch = h("div", { class: "zo-touch", role: "status" }, h("p", {}, ctx.t("zo.looking")));
  const confirm = h(
    "button",
    { type: "button", class: "zo-main is-bad", "data-do": "confirm-zone", disabled: true, onclick: () => void put(draft, confirm, of) },
    ctx.t("zo.confirm"),
  );
  const show = (): void => {
    touchShow([draft], draft.touched, ctx);
    if (draft.touched) touch.replaceChildren(...touchDraw(draft.touched, draft.kind, ctx));
  };
  page.draft.replaceChildren(
    kindField(draft, ctx, show),
    h("h4", {}, ctx.t("zo.touch")),
    touch, // above what the buttons may cover
    nameField(draft, ctx),
    untilField(draft, ctx),
    h("div", { class: "zo-buttons" }, confirm, h("button", { type: "button", onclick: close }, ctx.t("common.cancel"))),
  );
  page.draft.hidden = false;
  page.draft.querySelector<HTMLElement>("input:checked")?.focus();
  show();
  try {
    draft.touched = await touchedBy(ctx, draft.area);
    if (asked !== page?.asked) return;
    show();
    confirm.disabled = false;
  } catch (error) {
    if (asked !== page?.asked) return;
    touch.replaceChildren(
      h("p", { class: "zo-wrong" }, explain(error, ctx.t)),
      h("button", { type: "button", onclick: () => void ask(draft, of) }, ctx.t("common.retry")),
    );
  }
}

function kindField(draft: Draft, ctx: Context, show: () => void): HTMLElement {
  return h(
    "fieldset", {}, h("legend", {}, ctx.t("zo.kind")),
    ...KINDS.map((kind) => h(
      "label", { class: `zo-choice is-${kind}` },
      h("input", { type: "radio", name: "zo-kind", value: kind, checked: draft.kind === kind, onchange: () => {
        draft.kind = kind;
        show();
      } }),
      h("b", {}, ctx.t(`zo.kind.${kind}`)), h("span", { class: "zo-small" }, ctx.t(`zo.what.${kind}`)),
    )),
  );
}

function nameField(draft: Draft, ctx: Context): HTMLElement {
  return h(
    "label", {}, ctx.t("zo.name"),
    h("input", { type: "text", value: draft.name, maxlength: 80, autocomplete: "off",
      placeholder: ctx.t("zo.name_default", { kind: ctx.t(`zo.kind.${draft.kind}`) }),
      oninput: (event: Event) => {
        draft.name = (event.target as HTMLInputElement).value.trim();
      } }),
  );
}

function untilField(draft: Draft, ctx: Context): HTMLElement {
  return h(
    "label", {}, ctx.t("zo.until"),
    h(
      "select", { onchange: (event: Event) => {
        const value = (event.target as HTMLSelectElement).value;
        draft.hours = value === "" ? undefined : Number(value);
      } },
      h("option", { value: "" }, ctx.t("zo.until.open")),
      ...HOURS.map((n) => h("option", { value: String(n) }, ctx.t("zo.until.hours", { n }))),
    ),
  );
}

async function put(draft: Draft, confirm: HTMLButtonElement, of?: Zone): Promise<void> {
  if (!page) return;
  confirm.disabled = true;
  const name = draft.name || page.ctx.t("zo.name_default", { kind: page.ctx.t(`zo.kind.${draft.kind}`) });
  const stopFollowing = followAfter(draft.touched?.unitOf ?? new Map());
  const done = await command(async (ctx) => {
    const from = of ? ctx.clock.now() : (draft.pressed ??= ctx.clock.now());
    const until = draft.hours === undefined ? null : new Date(from + draft.hours * HOUR_MS).toISOString();
    if (of) await ctx.api.patch(zonePath(of), { properties: { name, kind: draft.kind, until } });
    else await putNew(ctx, draft, { name, kind: draft.kind, ...(until === null ? {} : { until }) });
    return ctx.t("zo.done", { name });
  });
  if (done) close();
  else {
    stopFollowing();
    confirm.disabled = false;
  }
}

// By its id, so that a form that was corrected after a lost answer corrects the zone that may be there, too.
async function putNew(ctx: Context, draft: Draft, properties: ZoneProperties): Promise<void> {
  const path = `/collections/zones/items/${draft.id}`;
  const feature = { type: "Feature", id: draft.id, geometry: draft.area, properties };
  try {
    await ctx.api.put(path, feature, { "Content-Type": "application/geo+json", ...draft.once.headers(feature) });
  } catch (error) {
    draft.once.failed(error);
    if (error instanceof Problem && error.status !== 0) draft.pressed = undefined;
    throw error;
  }
}

// What plans change from now on, for a while: the answer to "and then?". Returns what ends it.
function followAfter(unitOf: Map<string, string>): () => void {
  if (!page) return () => undefined;
  const { ctx, after } = page;
  const counts = { moved: new Set<string>(), time: new Set<string>(), lost: new Set<string>() };
  after.textContent = "";
  const end = ctx.stream.on(["order.planned", "order.unplanned"], ({ kind, data }) => {
    if (kind === "order.unplanned") counts.lost.add(data.order);
    else if (unitOf.has(data.order) && unitOf.get(data.order) !== data.unit) counts.moved.add(data.order);
    else counts.time.add(data.order);
    after.textContent = ctx.t("zo.after", { moved: counts.moved.size, time: counts.time.size, lost: counts.lost.size });
  });
  const timer = setTimeout(end, AFTER_MS);
  const stop = (): void => {
    clearTimeout(timer);
    end();
  };
  page.ends.push(stop);
  return stop;
}

// ---- regimes ----

function regimeDraw(r: Regime, ctx: Context): HTMLElement {
  const parts = [ctx.t("zo.regime_size", { zones: r.zones, cells: r.cells, units: r.units })];
  if (r.settings.length > 0) parts.push(ctx.t("zo.regime_settings", { names: r.settings.map((s) => ctx.t(`zo.setting.${s}`)).join(", ") }));
  if (r.on && r.since) {
    const at = momentText(r.since, ctx);
    parts.push(r.by === undefined ? ctx.t("zo.regime_from", { at }) : ctx.t("zo.regime_since", { at, by: r.by === "local" ? ctx.t("st.local") : r.by }));
  }
  return h(
    "li", { class: `zo-item is-${r.on ? "closed" : "over"}`, "data-regime": r.name },
    h("div", { class: "zo-row" },
      h("b", {}, r.name), h("span", { class: "zo-kind" }, ctx.t(r.on ? "zo.on" : "zo.off")),
      h("span", { class: "zo-small" }, parts.join(" · "))),
    h(
      "div", { class: "zo-buttons", "data-may": "admin" },
      h(
        "button",
        { type: "button", class: r.on ? "zo-main" : "", "data-do": r.on ? "regime-off" : "regime-on",
          "data-focus": `regime-${r.name}`, "aria-pressed": String(r.on),
          onclick: () => void (r.on ? turn(r.name, false) : askRegime(r)) },
        ctx.t(r.on ? "zo.turn_off" : "zo.turn_on"),
      ),
    ),
  );
}

async function turn(name: string, on: boolean, why = ""): Promise<boolean> {
  return command(async (ctx) => {
    const body = why === "" ? { on } : { on, why };
    await ctx.api.post(`/v1/regimes/${encodeURIComponent(name)}`, body, { "Idempotency-Key": onceKey() });
    return ctx.t(on ? "zo.turned_on" : "zo.turned_off", { name });
  });
}

async function allBack(): Promise<void> {
  if (!page) return;
  const { ctx } = page;
  let good = true;
  for (const r of page.regimes.filter((one) => one.on)) good = (await turn(r.name, false)) && good;
  if (good) ctx.say(ctx.t("zo.all_back_done"), "good");
}

async function askRegime(r: Regime): Promise<void> {
  if (!page) return;
  const { ctx, regimeAsk } = page;
  const asked = ++page.asked;
  const shut = (): void => {
    if (page) page.asked++;
    regimeAsk.hidden = true;
    regimeAsk.replaceChildren();
    ctx.map.remove("zone-touched");
  };
  let touched: Touched | undefined;
  const touch = h("div", { class: "zo-touch", role: "status" }, h("p", {}, ctx.t("zo.looking")));
  const why = h("input", { type: "text", maxlength: 64, autocomplete: "off", pattern: "[A-Za-z0-9._:\\-]*" });
  const wrong = h("p", { class: "zo-wrong", role: "alert" });
  const confirm = h("button", { type: "button", class: "zo-main is-bad", "data-do": "confirm-regime", onclick: () => {
    if (!why.checkValidity()) {
      wrong.textContent = ctx.t("zo.why_wrong");
      why.focus();
      return;
    }
    followAfter(touched?.unitOf ?? new Map());
    void turn(r.name, true, why.value).then((done) => done && shut());
  } }, ctx.t("zo.confirm"));
  regimeAsk.replaceChildren(
    h("h4", {}, ctx.t("zo.regime_ask", { name: r.name })), touch, h("label", {}, ctx.t("zo.why"), why), wrong,
    h("div", { class: "zo-buttons" }, confirm, h("button", { type: "button", onclick: shut }, ctx.t("common.cancel"))),
  );
  regimeAsk.hidden = false;
  confirm.focus();
  try {
    const ids = new Set(await setRead(ctx, r.name));
    const zones = page.zones.filter((zone) => ids.has(zone.id) && zone.geometry?.type === "Polygon");
    const areas = zones.map((zone) => ({ area: zone.geometry as GeoJSON.Polygon, kind: zone.properties.kind ?? "watched" }));
    touchShow(areas, undefined, ctx);
    touched = await touchedByAll(ctx, areas.map(({ area }) => area));
    if (asked !== page?.asked) return;
    const hardest = KINDS.find((kind) => areas.some((one) => one.kind === kind)) ?? "watched";
    touchShow(areas, touched, ctx);
    touch.replaceChildren(...touchDraw(touched, hardest, ctx));
  } catch (error) {
    if (asked === page?.asked) touch.replaceChildren(h("p", { class: "zo-wrong" }, explain(error, ctx.t)));
  }
}

// ---- the page ----

function draw(): void {
  if (!page) return;
  const { ctx, zones, regimes } = page;
  const order: State[] = ["on", "bound", "later", "waits", "over"];
  const now = ctx.clock.now();
  const sorted = [...zones].sort(
    (a, b) =>
      order.indexOf(stateOf(a, now)) - order.indexOf(stateOf(b, now)) ||
      GRAVEST.indexOf(a.properties.kind ?? "fence") - GRAVEST.indexOf(b.properties.kind ?? "fence") ||
      nameOf(a).localeCompare(nameOf(b)),
  );
  list(page.zoneHost, sorted, (zone) => zone.id, (zone) => zoneDraw(zone, ctx), (zone) =>
    JSON.stringify([zone.properties, stateOf(zone, now)]));
  list(page.regimeHost, regimes, (r) => r.name, (r) => regimeDraw(r, ctx));
  page.noZones.hidden = !page.known || zones.length > 0;
  page.noRegimes.hidden = !page.known || regimes.length > 0;
  page.back.hidden = regimes.filter((r) => r.on).length < 2;
  const zone = zones.find((one) => one.id === page?.wanted);
  if (zone?.geometry) {
    page.wanted = undefined;
    ctx.map.fit(zone.geometry);
  }
}

function build(host: HTMLElement, ctx: Context): Page {
  const drawing = new Drawing(ctx);
  const radius = h("input", { type: "number", min: 20, max: 20000, step: 10, value: "300", "aria-label": ctx.t("zo.radius") });
  const made: Page = {
    ctx, drawing,
    draft: h("div", { class: "zo-draft", hidden: true }),
    after: h("p", { class: "zo-small", role: "status" }),
    zoneHost: h("ul", { class: "zo-list", "aria-labelledby": "zo-zones" }),
    regimeHost: h("ul", { class: "zo-list", "aria-labelledby": "zo-regimes" }),
    regimeAsk: h("div", { class: "zo-draft", hidden: true }),
    back: h("button", { type: "button", class: "zo-main", "data-may": "admin", hidden: true, onclick: () => void allBack() }, ctx.t("zo.all_back")),
    noZones: h("p", { class: "zo-small", hidden: true }, ctx.t("zo.no_zones")),
    noRegimes: h("p", { class: "zo-small", hidden: true }, ctx.t("zo.no_regimes"), h("span", { "data-may": "admin" }, ctx.t("zo.no_regimes_how"))),
    fault: h("div", { class: "zo-fault", role: "alert", hidden: true }),
    zones: [], regimes: [], known: false, bound: new Set(), forced: new Set(), asked: 0, ends: [], soon: gathered(300, () => void read()), wanted: undefined,
  };
  const root = h(
    "div", { class: "zo" },
    h("div", { class: "zo-buttons", "data-may": "dispatcher" },
      h("button", { type: "button", class: "zo-main", "data-do": "draw-zone", onclick: () => void begin() }, ctx.t("zo.draw"))),
    h("div", { class: "zo-buttons zo-circle", "data-may": "dispatcher" },
      h("button", { type: "button", "data-do": "circle-zone", onclick: () => void beginCircle(Number(radius.value)) }, ctx.t("zo.circle")),
      h("label", {}, ctx.t("zo.radius"), radius)),
    drawing.element, made.draft, made.after, made.fault,
    h("h3", { id: "zo-regimes" }, ctx.t("zo.regimes")), made.back, made.regimeAsk, made.regimeHost, made.noRegimes,
    h("h3", { id: "zo-zones" }, ctx.t("zo.zones")), made.zoneHost, made.noZones,
  );
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !made.draft.hidden) {
      close();
      root.querySelector<HTMLElement>("[data-do=draw-zone]")?.focus();
    }
  });
  host.replaceChildren(root);
  return made;
}

addPanel({
  id: "zone",
  title: "zo.title",
  order: 4,
  mount(host, ctx) {
    page = build(host, ctx);
    page.ends.push(
      ctx.stream.on(["zone.*", "regime.*", "setting.*", "item.*", "items.*"], (event) => {
        const others = (event.kind.startsWith("item") && !event.subject.startsWith("zones")) ||
          (event.kind.startsWith("setting") && event.subject !== "settings/regimes");
        if (!others) page?.soon();
      }),
      ctx.stream.onGap(() => void read()),
      ctx.stream.onState((state) => {
        if (state === "live" && page && !page.fault.hidden) void read(); // what failed meanwhile
      }),
      ctx.clock.every(5000, draw),
    );
    ctx.map.show("zones", true);
    void read();
  },
  unmount() {
    if (!page) return;
    page.soon.cancel();
    page.drawing.end(undefined);
    page.ctx.map.remove("zone-touched");
    for (const end of page.ends) end();
    page = undefined;
  },
  open(part) {
    if (!page || part === "") return;
    page.wanted = part;
    draw();
  },
});
