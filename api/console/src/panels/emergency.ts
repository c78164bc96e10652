// Emergency: what is open, worst first, each with its clock, its next step as one button, and on the map who is coming.
import "./common_words";
import "./emergency_words";
import { h, list } from "../dom";
import { dayOf, dayTime } from "../format";
import { addPanel, type Context, type Place } from "../panel";
import { blocked, mute, muted, onAlarm, onSound, startAlarms } from "./alarm_sound";
import { clockText, explain, homePart, ms, newHome, onceKey, roving, span, type Incident, type IncidentKind } from "./common";
import { Card, nextStep, type Act } from "./emergency_card";
import { Scene, Tools } from "./emergency_map";
import { gravity, Incidents, isOpen, worstFirst } from "./incidents";

const KINDS: IncidentKind[] = ["sos", "heart", "fall", "gas", "water", "door", "request", "other"];

interface Page {
  ctx: Context;
  incidents: Incidents;
  scene: Scene;
  tools: Tools;
  card: Card | undefined; // of the one that is open
  alarms: HTMLElement;
  requests: HTMLElement;
  sum: HTMLElement;
  spoken: HTMLElement;
  asking: HTMLElement;
  fault: HTMLElement;
  sound: HTMLButtonElement;
  soundHint: HTMLElement;
  wanted: string | undefined; // a link's, not read yet
  ends: (() => void)[];
}

let page: Page | undefined;

// ---- rows ----

function placeOf(i: Incident, ctx: Context): string {
  return i.household ?? (i.lon === undefined ? ctx.t("em.place_withheld") : `${i.lon.toFixed(4)}, ${i.lat?.toFixed(4)}`);
}

// What stands big on a row: what is left of the promise, or since when somebody is there. The class gives the colour, the
// words say the same.
function clockOf(i: Incident, ctx: Context): { text: string; kind: string } {
  const now = ctx.clock.now();
  if (i.kind === "request" && i.step_by !== undefined) {
    const left = ms(i.step_by) - now;
    return { text: ctx.t(left >= 0 ? "em.left" : "em.over", { span: span(left) }), kind: left < 0 ? "bad" : "calm" };
  }
  if (!isOpen(i)) {
    const at = ms(i.closed_at);
    if (!Number.isFinite(at)) return { text: "", kind: "calm" };
    return { text: ctx.t("em.ended", { time: dayOf(at) === dayOf(now) ? clockText(i.closed_at) : dayTime(at) }), kind: "calm" };
  }
  if (i.arrived_at !== undefined) {
    return { text: ctx.t("em.there", { span: span(now - ms(i.arrived_at)) }), kind: "good" };
  }
  const left = ms(i.deadline) - now;
  if (!Number.isFinite(left)) return { text: "", kind: "calm" };
  if (left < 0) return { text: ctx.t("em.over", { span: span(left) }), kind: "bad" };
  const kind = gravity(i, now) === 0 ? "warn" : "calm";
  return { text: ctx.t("em.left", { span: span(left) }), kind };
}

function comingText(i: Incident, ctx: Context): string {
  const first = i.assigned[0];
  if (first === undefined) return i.state === "queued" ? ctx.t("em.nobody") : "";
  if (i.arrived_at !== undefined) return ctx.t("em.eta_there", { unit: first.unit });
  const left = ms(i.live_eta ?? first.eta) - ctx.clock.now();
  return ctx.t(left >= 0 ? "em.eta" : "em.eta_over", { unit: first.unit, span: span(left) });
}

function tick(): void {
  if (!page) return;
  for (const element of document.querySelectorAll<HTMLElement>(".em [data-incident][data-what]")) {
    const i = page.incidents.all.get(element.dataset["incident"] ?? "");
    if (!i) continue;
    if (element.dataset["what"] === "coming") {
      element.textContent = comingText(i, page.ctx);
    } else if (element.dataset["what"] === "clock") {
      const { text, kind } = clockOf(i, page.ctx);
      element.textContent = text;
      element.className = `em-clock is-${kind}`;
    }
  }
  page.card?.tick();
  sumDraw();
}

function sumDraw(): void {
  if (!page) return;
  const now = page.ctx.clock.now();
  const waiting = [...page.incidents.all.values()].filter((i) => i.kind !== "request" && gravity(i, now) < 2);
  const late = waiting.filter((i) => gravity(i, now) === 0).length;
  const calm = page.incidents.loaded ? page.ctx.t("em.sum_calm") : ""; // that nobody waits is said by who knows
  const text = waiting.length === 0 ? calm : page.ctx.t("em.sum", { open: waiting.length, late });
  if (page.sum.textContent !== text) page.sum.textContent = text; // said again only when it is another
  page.sum.classList.toggle("is-bad", late > 0);
}

// What is wrong with the time: it may pass, or it has.
function lateText(i: Incident, ctx: Context): string | undefined {
  if (i.arrived_at !== undefined) return i.within_promise ? undefined : ctx.t("em.late");
  return i.at_risk && isOpen(i) && ctx.clock.now() < ms(i.deadline) ? ctx.t("em.at_risk") : undefined; // then its clock says it
}

function rowDraw(i: Incident, ctx: Context): HTMLElement {
  const open = page?.card?.id === i.id;
  const clock = clockOf(i, ctx);
  const step = nextStep(i);
  const late = lateText(i, ctx);
  const row = h(
    "button",
    {
      class: "em-row", type: "button", "aria-expanded": open ? "true" : "false", "data-focus": `row-${i.id}`,
      onclick: () => select(open ? undefined : i.id),
    },
    h("span", { class: "em-kind" }, ctx.t(`em.kind.${i.kind}`), h("small", {}, ctx.t("em.severity", { n: i.severity }))),
    h("span", { class: `em-clock is-${clock.kind}`, "data-incident": i.id, "data-what": "clock" }, clock.text),
    h(
      "span", { class: "em-where" }, placeOf(i, ctx), " · ", clockText(i.opened_at ?? i.received_at),
      (i.alarms ?? 1) > 1 && h("b", {}, " · ", ctx.t("em.folded", { n: i.alarms ?? 1 })),
    ),
    h(
      "span", { class: "em-state" }, ctx.t(`em.state.${i.state}`),
      late !== undefined && [" · ", h("b", { class: "em-risk" }, late)],
    ),
    h("span", { class: "em-coming", "data-incident": i.id, "data-what": "coming" }, comingText(i, ctx)),
  );
  return h(
    "li", { class: `em-item is-g${gravity(i, ctx.clock.now())}${open ? " is-open" : ""}` },
    row,
    step && h(
      "button",
      { class: `em-next${step.name === "send" ? " is-bad" : ""}`, type: "button", "data-focus": `next-${i.id}`,
        "data-step": step.name, "data-may": "dispatcher", onclick: () => (step.name === "send" ? send(i.id) : void act(i, step)) },
      ctx.t(`em.do.${step.name}`),
    ),
    open && page?.card?.element,
  );
}

function draw(): void {
  if (!page) return;
  const { ctx, incidents } = page;
  const now = ctx.clock.now();
  const focused = document.activeElement as HTMLElement | null;
  const rows = worstFirst(incidents.all.values(), now);
  if (page.card && !incidents.all.has(page.card.id)) select(undefined);
  page.card?.update(incidents.all.get(page.card.id));
  // A row is drawn anew when what is written on it changed, not when an answer tells more of it: a press on a button that
  // goes away before it is let go is no click. The clocks tick by themselves.
  const version = (i: Incident): string => JSON.stringify([
    i.state, i.kind, i.severity, i.household, i.at_risk, i.within_promise, i.alarms, i.confirmed, i.assigned.map((s) => [s.unit, s.state]),
    page?.card?.id === i.id, gravity(i, now), lateText(i, ctx),
  ]);
  const fillWith = (host: HTMLElement, some: Incident[]): void =>
    list(host, some, (i) => i.id, (i) => rowDraw(i, ctx), version);
  const alarms = rows.filter((i) => i.kind !== "request");
  const requests = rows.filter((i) => i.kind === "request");
  fillWith(page.alarms, alarms);
  fillWith(page.requests, requests);
  page.alarms.nextElementSibling?.toggleAttribute("hidden", !incidents.loaded || alarms.length > 0);
  page.requests.nextElementSibling?.toggleAttribute("hidden", !incidents.loaded || requests.length > 0);
  if (incidents.whole) page.fault.hidden = true;
  page.scene.draw(rows, page.card?.id);
  tick();
  refocus(focused);
}

// A row that moves up or opens takes its elements out and in again, which a browser answers by dropping the focus.
function refocus(before: HTMLElement | null): void {
  if (!before || before === document.body || document.activeElement !== document.body) return;
  const key = before.dataset["focus"];
  const same = key === undefined ? null : document.querySelector<HTMLElement>(`[data-focus="${CSS.escape(key)}"]`);
  (before.isConnected ? before : same)?.focus({ preventScroll: true });
}

// ---- what is clicked ----

function select(id: string | undefined): void {
  if (!page || page.card?.id === id) return;
  const before = page.card?.id;
  const { ctx, incidents } = page;
  const i = id === undefined ? undefined : incidents.all.get(id);
  page.card = i && new Card(i, ctx, (act_) => act(i, act_), () => select(undefined));
  if (before !== undefined && before !== id) incidents.letGo(); // a link's, that is over
  ctx.link(i ? `incident/${i.id}` : "");
  if (i && i.lon !== undefined && i.lat !== undefined) ctx.map.flyTo(i.lon, i.lat, 15);
  draw();
}

// Whom a link or the map names stands in sight, however many are worse.
function reveal(id: string): void {
  select(id);
  document.querySelector(`[data-focus="${CSS.escape(`row-${id}`)}"]`)?.closest("li")?.scrollIntoView({ block: "nearest" });
}

function send(id: string): void {
  select(id);
  page?.card?.choose();
}

// One click, one step. What the server refuses (somebody else was faster) is said, and the row shows what is true.
async function act(row: Incident, step: Act): Promise<void> {
  if (!page) return;
  const { ctx, incidents } = page;
  const path = `/v1/incidents/${encodeURIComponent(row.id)}/events`;
  try {
    let i: Incident | undefined;
    for (const body of step.bodies) i = await ctx.api.post<Incident>(path, body, { "Idempotency-Key": onceKey() });
    if (i) {
      incidents.put(i);
      ctx.say(ctx.t("em.done", { kind: ctx.t(`em.kind.${i.kind}`), state: ctx.t(`em.state.${i.state}`) }), "good");
    }
  } catch (error) {
    ctx.say(explain(error, ctx.t), "bad");
    await incidents.read(row.id).catch(() => undefined);
  }
}

// ---- a new alarm by phone: the place, then what happened ----

async function pick(): Promise<void> {
  const place = await page?.ctx.map.pick(page.ctx.t("em.new_pick"));
  if (place) ask(place);
}

function ask(place: Place): void {
  if (!page) return;
  const { ctx, asking } = page;
  const close = (): void => {
    asking.replaceChildren();
    asking.hidden = true;
  };
  const name = place.household ?? `${place.lon.toFixed(5)}, ${place.lat.toFixed(5)}`;
  const buttons = KINDS.map((kind) => {
    const key = onceKey(); // pressed again, it is the same alarm: the first may have got through
    return h("button", { type: "button", class: "em-what", "data-kind": kind, onclick: async () => {
      for (const button of buttons) button.disabled = true;
      if (await raise(place, kind, key)) close();
      else for (const button of buttons) button.disabled = false;
    } }, ctx.t(`em.kind.${kind}`));
  });
  asking.replaceChildren(
    h("p", { id: "em-asking" }, ctx.t("em.new_kind")),
    h("p", { class: "em-small" }, ctx.t("em.new_at", { place: name })),
    h("div", { class: "em-whats", role: "group", "aria-labelledby": "em-asking" }, ...buttons),
    h("button", { type: "button", class: "em-plain", onclick: close }, ctx.t("common.cancel")),
  );
  asking.hidden = false;
  buttons[0]?.focus();
}

// Whether it was taken; where not, the question stays, to be answered again.
async function raise(place: Place, kind: string, key: string): Promise<boolean> {
  if (!page) return false;
  const { ctx, incidents } = page;
  const where = place.household === undefined ? { lon: place.lon, lat: place.lat } : { household: place.household };
  try {
    const i = await ctx.api.post<Incident>("/v1/incidents", { ...where, kind }, { "Idempotency-Key": key });
    incidents.put(i);
    const first = i.assigned[0];
    if (first) {
      const minutes = Math.max(1, Math.round((ms(first.eta) - ctx.clock.now()) / 60000));
      ctx.say(ctx.t("em.new_done", { unit: first.unit, minutes }), "good");
    } else if (i.state === "queued") {
      ctx.say(ctx.t("em.new_queued"), "bad");
    }
    reveal(i.id);
    return true;
  } catch (error) {
    ctx.say(explain(error, ctx.t), "bad");
    return false;
  }
}

// ---- the page ----

function spokenText(alarm: { kind: string; household?: string }, ctx: Context): string {
  return ctx.t("em.alarm_spoken", { kind: ctx.t(`em.kind.${alarm.kind}`), place: alarm.household ?? ctx.t("em.new_place") });
}

function soundDraw(): void {
  if (!page) return;
  page.sound.textContent = page.ctx.t(muted() ? "em.sound_off" : "em.sound_on");
  page.sound.setAttribute("aria-pressed", muted() ? "false" : "true");
  page.soundHint.hidden = muted() || !blocked();
}

function build(host: HTMLElement, ctx: Context): Page {
  const alarms = h("ul", { class: "em-list", "aria-labelledby": "em-alarms" });
  const requests = h("ul", { class: "em-list", "aria-labelledby": "em-requests" });
  const sum = h("p", { class: "em-sum", role: "status" });
  const spoken = h("p", { class: "em-spoken", "aria-live": "assertive" });
  const asking = h("div", { class: "em-asking", hidden: true });
  const fault = h("div", { class: "em-fault", role: "alert", hidden: true });
  const sound = h("button", { type: "button", class: "em-plain", "data-do": "sound", onclick: () => mute(!muted()) });
  const soundHint = h("p", { class: "em-small", hidden: true }, ctx.t("em.sound_blocked"));
  const tools = new Tools(ctx);
  const root = h(
    "div", { class: "em" },
    h(
      "div", { class: "em-head" },
      h("button", { type: "button", class: "em-new", "data-do": "new-alarm", "data-may": "dispatcher", onclick: () => void pick() }, ctx.t("em.new")),
      sound,
    ),
    soundHint, sum, spoken, asking, fault,
    h("h3", { id: "em-alarms" }, ctx.t("em.alarms")), alarms, h("p", { class: "em-small" }, ctx.t("em.none")),
    h("h3", { id: "em-requests" }, ctx.t("em.requests")), requests, h("p", { class: "em-small" }, ctx.t("em.none_requests")),
    h("h3", {}, ctx.t("em.tools")), tools.element,
  );
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const id = page?.card?.id;
    if (!asking.hidden) {
      asking.hidden = true;
      root.querySelector<HTMLElement>(".em-new")?.focus();
    } else if (id !== undefined) {
      select(undefined);
      root.querySelector<HTMLElement>(`[data-focus="${CSS.escape(`row-${id}`)}"]`)?.focus();
    }
  });
  roving(alarms, ".em-row");
  roving(requests, ".em-row");
  host.replaceChildren(root);
  const incidents = new Incidents(ctx, () => {
    draw();
    wantedOpen();
  }, (error) => {
    fault.replaceChildren(
      h("p", {}, explain(error, ctx.t)),
      h("button", { type: "button", onclick: () => void incidents.load() }, ctx.t("common.retry")),
    );
    fault.hidden = false;
  });
  return { ctx, incidents, scene: new Scene(ctx), tools, card: undefined, alarms, requests, sum, spoken, asking, fault,
    sound, soundHint, wanted: undefined, ends: [] };
}

function wantedOpen(): void {
  const id = page?.wanted;
  if (!page || id === undefined) return;
  page.wanted = undefined;
  if (page.incidents.all.has(id)) {
    reveal(id);
    return;
  }
  page.incidents.named(id).then(() => reveal(id), (error: unknown) => page?.ctx.say(explain(error, page.ctx.t), "bad"));
}

addPanel({
  id: "incident",
  title: "em.title",
  order: 1,
  begin(ctx) {
    startAlarms(ctx);
    onAlarm((alarm) => {
      if (!page) ctx.say(spokenText(alarm, ctx), "bad"); // whoever has another panel open sees it, too
    });
  },
  offers(what) {
    return what.kind === "household" ? [{ text: "em.offer", part: `incident/${homePart(what)}`, may: "dispatcher" }] : [];
  },
  mount(host, ctx) {
    page = build(host, ctx);
    page.ends.push(
      ctx.clock.every(1000, tick),
      onSound(soundDraw),
      ctx.map.onMark("incidents", reveal),
      onAlarm((alarm) => {
        if (page) page.spoken.textContent = spokenText(alarm, ctx);
      }),
    );
    soundDraw();
    draw();
  },
  unmount() {
    if (!page) return;
    page.incidents.stop();
    page.scene.clear();
    page.tools.stop();
    for (const end of page.ends) end();
    page = undefined;
  },
  open(part) {
    if (!page || part === "") return;
    const home = newHome(part);
    if (home) {
      ask(home);
      return;
    }
    page.wanted = part;
    if (page.incidents.loaded) wantedOpen();
  },
});
