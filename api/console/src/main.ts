// The page: the map beside (on a phone: above) a panel, a bar with the clock, the search and the state of the connection.
import "./words";
import "./panels/index";
import { Account } from "./account";
import { makeApi, problemFrom, takeToken } from "./api";
import { Card } from "./card";
import { makeClock } from "./clock";
import { fill, h } from "./dom";
import { explain } from "./fault";
import { clockSeconds, onZone, shortDay, wholeDay } from "./format";
import { language, missing, onLanguage, setLanguage, t } from "./i18n";
import { Layers } from "./layers";
import { Town } from "./map/town_map";
import { panels, type Context, type Panel } from "./panel";
import { printOpen } from "./print";
import { refusalText } from "./refusal";
import { Search, type Found } from "./search";
import { signIn } from "./sign_in";
import { openStream } from "./stream";
import { onTheme, setTheme, theme } from "./theme";

takeToken();

const TOAST_MS = 6000;
const TOASTS_MOST = 4;
// Once for all who wait for the same answer: another one may be another role.
let asked: Promise<void> | undefined;
function signing(): Promise<void> {
  const asking = signIn();
  if (asking !== asked) void asking.then(() => account.read());
  asked = asking;
  return asking;
}
const api = makeApi(signing);
const stream = openStream(signing);
const account = new Account(api);
const clock = makeClock(api);

const toasts = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
const hour = h("span");
const date = h("span", { class: "clock-day" });
const face = h("time", { class: "clock", role: "timer", "aria-live": "off" }, hour, date);
const state = h("span", { class: "state", role: "status" });
const banner = h("div", { class: "banner", role: "alert", hidden: true });
const tabs = h("nav", { class: "tabs" });
const host = h("div", { class: "panel", id: "panel", tabindex: "-1" });
const handle = h("button", { type: "button", class: "handle", "aria-controls": "panel" });
const side = h("aside", { class: "side" }, handle, tabs, host);
const tools = h("div", { class: "tools" });

function say(text: string, kind: "good" | "bad" = "good"): void {
  const toast = h("p", { class: `toast is-${kind}` }, text);
  while (toasts.childElementCount >= TOASTS_MOST) toasts.firstElementChild?.remove(); // a storm of them hides the map
  toasts.append(toast);
  setTimeout(() => toast.remove(), kind === "bad" ? 2 * TOAST_MS : TOAST_MS);
}

let linked = "";
function link(part: string): void {
  linked = part;
  const hash = part === "" ? "" : `#${part}`;
  if (location.hash !== hash) history.replaceState(null, "", location.pathname + location.search + hash);
}

const map = new Town(api, stream, clock);
const wide = (on: boolean): void => {
  if (side.classList.contains("is-wide") === on) return;
  side.classList.toggle("is-wide", on);
  layers.element.hidden = map.ml === undefined;
  map.ml?.resize(); // at once: what is fitted next goes by the new size
};
const context: Context = { api, stream, map, clock, t, link, say, wide };
const card = new Card(api, stream, map, clock, link, say, (part) => follow(part, false));
const layers = new Layers(map);
const search = new Search(api, map, (found) => openFound(found));

// ---- panels ----

let open: Panel | undefined;

function mount(panel: Panel | undefined): void {
  open?.unmount();
  wide(false);
  fill(host);
  open = panel;
  if (panel) panel.mount(host, context);
  else fill(host, h("p", null, t("nothing.panels")));
  drawTabs();
}

function sheet(up: boolean): void {
  side.classList.toggle("is-up", up);
  handle.setAttribute("aria-expanded", String(up));
  handle.setAttribute("aria-label", t(up ? "app.less" : "app.more"));
}

function drawTabs(): void {
  tabs.setAttribute("aria-label", t("app.panels"));
  fill(tabs, panels().map((panel) => h("button", {
    type: "button", class: "tab", "data-panel": panel.id, "aria-current": panel === open ? "page" : undefined,
    onclick: () => {
      if (panel !== open) {
        link("");
        mount(panel);
      }
      sheet(true);
    },
  }, t(panel.title))));
  tabs.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

// Opens what a link names: a panel's own, or the card of a thing on the map.
function follow(part: string, fly: boolean): void {
  const [first, ...rest] = part.split("/");
  const panel = panels().find((one) => one.id === first);
  if (panel) {
    if (panel !== open) mount(panel);
    panel.open?.(rest.map(decodeURIComponent).join("/"));
    sheet(true);
  } else if (first === "place") {
    const [lon, lat] = rest.join("/").split(",").map(Number);
    if (Number.isFinite(lon) && Number.isFinite(lat)) placeShow(lon!, lat!);
  } else {
    void card.open(part, fly);
  }
}

// A street that was found: its place is marked, and has a link like all else.
function placeShow(lon: number, lat: number): void {
  card.close();
  link(`place/${lon.toFixed(5)},${lat.toFixed(5)}`);
  map.setGeoJson("chosen", { type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties: { radius: 9, opacity: 0.25 } });
  map.flyTo(lon, lat, 16);
}

function openFound(found: Found): void {
  if (found.kind === "units") card.unit(found.id, true);
  else if (found.kind === "streets") {
    if (found.lon !== undefined && found.lat !== undefined) placeShow(found.lon, found.lat);
  } else void card.item(found.kind, found.id, true);
}

// ---- the bar ----

function drawTools(): void {
  const night = theme() === "dark";
  fill(tools,
    h("button", { type: "button", class: "quiet", "data-tool": "print",
      onclick: () => void printOpen({ api, map, clock, officer: account.officer }).catch((error) => say(explain(error), "bad")) }, t("app.print")),
    h("button", { type: "button", class: "quiet", "data-tool": "theme", "aria-pressed": String(night),
      onclick: () => setTheme(night ? "light" : "dark") }, t(night ? "app.day" : "app.night")),
    h("button", { type: "button", class: "quiet", "data-tool": "language", lang: language() === "zh" ? "en" : "zh",
      "aria-label": t("app.language.label"), onclick: () => setLanguage(language() === "zh" ? "en" : "zh") },
    t("app.language")),
    account.element);
}

function words(): void {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  document.title = t("app.title");
  drawTools();
  account.words();
  clockDraw();
  search.words();
  layers.words();
  card.words();
  stateDraw();
  sheet(side.classList.contains("is-up"));
}

// A drill's clock may be of another day: the date stands beside the time.
function clockDraw(): void {
  const now = clock.now();
  const text = clockSeconds(now);
  if (hour.textContent !== text) hour.textContent = text;
  const today = shortDay(now);
  if (date.textContent !== today) {
    date.textContent = today;
    face.title = wholeDay(now);
  }
}

let live = false;
let everLive = false;
let heardAt = 0;

function stateDraw(): void {
  const now = live ? "live" : everLive ? "lost" : "first"; // who has not signed in yet has lost nothing
  state.className = `state is-${now}`;
  state.textContent = t(`state.${now}`);
  banner.hidden = live || !everLive;
  if (!banner.hidden) banner.textContent = t("state.lost.long", { time: clockSeconds(heardAt) });
}

// ---- begin ----

fill(document.getElementById("app")!,
  h("a", { class: "skip", href: "#panel", onclick: (event: Event) => {
    event.preventDefault();
    host.focus();
  } }, t("app.skip")),
  h("header", { class: "bar" }, h("h1", { class: "brand" }, "候涛", h("span", null, "Houtao")), face, state, search.element, tools),
  banner,
  h("main", { class: "body" }, side, h("div", { class: "stage" }, map.element, layers.element, card.element, toasts)));

layers.element.hidden = map.ml === undefined;
map.ml?.resize(); // it was made before it had a place

handle.addEventListener("click", () => sheet(!side.classList.contains("is-up")));
clock.every(250, clockDraw);
stream.onState((next) => {
  if (next === "lost" && live) heardAt = clock.now();
  if (next === "live" && everLive && !live) say(t("state.back"), "good");
  live = next === "live";
  everLive ||= live;
  stateDraw();
});
stream.on(["*"], (event) => {
  if (event.id !== "") clock.seen(event.at);
});
stream.onGap(() => say(t("state.gap")));
map.onUnit((id) => card.unit(id));
map.onHousehold((id) => void card.item("households", id));
map.onFeature((feature) => card.feature(feature));
map.onEmpty(() => card.close());
onTheme(() => {
  drawTools();
  layers.words();
});

// The panel that is open, drawn anew where it stood.
function again(): void {
  const part = linked;
  words();
  mount(open);
  if (part !== "" && panels().some((panel) => panel.id === part.split("/")[0])) follow(part, false);
}

onLanguage(again);
onZone(again);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) card.close();
});
window.addEventListener("hashchange", () => {
  takeToken();
  const part = location.hash.slice(1);
  if (part !== linked) follow(part, true);
});

// For whoever looks at the page from the browser's own console, and for its tests.
const refusal = (status: number, body: unknown): string => refusalText(problemFrom(status, body));
Object.assign(window, { houtao: { api, stream, map, clock, t, missing, refusal } });

words();
const first = location.hash.slice(1);
const named = panels().find((panel) => panel.id === first.split("/")[0]);
drawTabs();
// What a panel shows first goes by the server's clock and zone.
void Promise.all([clock.ready, account.read()]).then(() => {
  for (const panel of panels()) panel.begin?.(context);
  mount(named ?? panels()[0]);
  return Promise.all([map.open(first !== "", account.officer), map.ready]);
}).then(() => {
  layers.words();
  if (first !== "") {
    linked = first;
    follow(first, true);
  }
  document.body.dataset["ready"] = "true";
});
