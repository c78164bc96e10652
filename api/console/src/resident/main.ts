// The page of one order, for the one who gets it: what, when, where, in words and figures that can be read across a room.
// It knows nothing but what GET /t/{token} says, asks no account and keeps nothing.
import "./words";
import { h } from "../dom";
import { clockTime, setZone } from "../format";
import { language, onLanguage, setLanguage, t } from "../i18n";
import { bearer, VanMap } from "./van_map";

const AGAIN_MS = 5000;
const STEPS = ["received", "planned", "loaded", "enroute", "delivered"] as const;
type State = (typeof STEPS)[number] | "failed" | "cancelled";

interface Track {
  state: State;
  handover?: "van"; // else it is brought to the door
  stops_before?: number;
  eta?: string;
  eta_low?: string;
  eta_high?: string;
  position?: { lon: number; lat: number };
}

interface Seen {
  track: Track | undefined; // the last one that came
  gone: boolean;
  lost: boolean;
  at: number; // when it came
}

const seen: Seen = { track: undefined, gone: false, lost: false, at: 0 };
let ahead = 0; // of the server's clock to this one's: a simulated town has its own
const host = document.getElementById("app") as HTMLElement;
const said = h("div", { class: "re-said", "aria-live": "polite" });
const van = new VanMap(host.dataset["maplibre"], host.dataset["maplibreCss"]);

// ---- what is said ----

function time(text: string | undefined): string {
  return text === undefined ? "" : clockTime(Date.parse(text));
}

function waitText(track: Track): string {
  if (track.eta === undefined) return "";
  const minutes = Math.round((Date.parse(track.eta) - (Date.now() + ahead)) / 60_000);
  if (minutes > 180) return "";
  return minutes <= 1 ? t("re.now") : t("re.minutes", { n: minutes });
}

function open(track: Track): boolean {
  return ["received", "planned", "loaded", "enroute"].includes(track.state);
}

function whenDraw(track: Track): HTMLElement | false {
  if (!open(track) || track.eta === undefined) return false;
  return h(
    "div", { class: "re-when" },
    h("p", { class: "re-small" }, t("re.when")),
    h("p", { class: "re-time" }, time(track.eta)),
    track.eta_low !== undefined && track.eta_high !== undefined && time(track.eta_low) !== time(track.eta_high) && h(
      "p", { class: "re-between" }, t("re.between", { low: time(track.eta_low), high: time(track.eta_high) }),
    ),
    h("p", { class: "re-wait" }, waitText(track)),
  );
}

function beforeDraw(track: Track): HTMLElement | false {
  const n = track.stops_before;
  if (!open(track) || n === undefined || !["loaded", "enroute"].includes(track.state)) return false;
  return h("p", { class: "re-before", "data-before": n }, n === 0 ? t("re.next") : t("re.before", { n }));
}

function stepsDraw(track: Track): HTMLElement | false {
  const at = STEPS.indexOf(track.state as (typeof STEPS)[number]);
  if (at < 0) return false;
  return h(
    "ol", { class: "re-steps", "aria-label": t("re.steps") },
    ...STEPS.map((step, n) => h(
      "li", { class: n < at ? "is-done" : n === at ? "is-now" : "", "aria-current": n === at ? "step" : null }, t(`re.step.${step}`),
    )),
  );
}

// Who comes to the van is not to wait for a knock.
function moreKey({ state, handover }: Track): string {
  return handover === "van" && (state === "planned" || state === "enroute") ? `re.van.${state}` : `re.more.${state}`;
}

function trackDraw(track: Track): HTMLElement {
  return h(
    "div", { class: `re-track is-${track.state}`, "data-state": track.state },
    h("h1", {}, t(`re.state.${track.state}`)),
    whenDraw(track),
    beforeDraw(track),
    h("p", { class: "re-more" }, t(moreKey(track))),
    stepsDraw(track),
  );
}

let drawn = "";

// Drawn anew only where something changed, so that a reader is not read the same again.
function draw(): void {
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  document.title = t("re.title");
  const { track, gone, lost } = seen;
  const key = JSON.stringify([track, gone, lost, language(), track && waitText(track)]);
  if (key === drawn) return;
  drawn = key;
  const lostText = track ? t("re.lost", { at: clockTime(seen.at) }) : t("re.lost_first");
  said.replaceChildren(
    ...(lost ? [h("p", { class: "re-lost", role: "alert" }, lostText)] : []),
    gone
      ? h("div", { class: "re-track", "data-state": "gone" }, h("h1", {}, t("re.gone")), h("p", { class: "re-more" }, t("re.gone_more")))
      : track ? trackDraw(track) : h("p", { class: "re-more" }, lost ? "" : t("re.loading")),
  );
  button.textContent = t("re.language");
  void van.show(!gone && track && open(track) ? track.position : undefined);
}

// ---- asking ----

async function ask(): Promise<void> {
  const reply = await fetch(location.pathname, { headers: { Accept: "application/json" }, cache: "no-store" });
  if (reply.status === 404) {
    seen.gone = true;
    return;
  }
  if (!reply.ok) throw new Error(String(reply.status));
  seen.track = (await reply.json()) as Track;
  seen.gone = false;
  seen.at = Date.now() + ahead;
}

// A town on a virtual clock says so; where that can't be read, its clock is this one's.
async function clockRead(): Promise<void> {
  const reply = await fetch("/v1/clock", { headers: bearer() }).catch(() => undefined);
  if (!reply?.ok) return;
  const clock = (await reply.json()) as { now: string; zone?: string };
  if (clock.zone) setZone(clock.zone);
  ahead = Date.parse(clock.now) - Date.now();
}

async function run(): Promise<void> {
  await clockRead();
  for (;;) {
    try {
      await ask();
      seen.lost = false;
    } catch {
      seen.lost = true;
    }
    draw();
    if (seen.gone) return; // a link that ended stays so
    if (Math.abs(ahead) > 5000) await clockRead();
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

const button = h("button", { type: "button", class: "re-language", onclick: () => setLanguage(language() === "zh" ? "en" : "zh") });
host.replaceChildren(h("header", {}, button), said, van.element);
onLanguage(() => {
  van.words();
  draw();
});
draw();
void run();
