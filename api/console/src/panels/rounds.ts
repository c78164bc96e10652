// Rounds: the week of all inspectors as a board, one inspector's day on the map, what is overdue, and the plans.
import "./common_words";
import "./rounds_words";
import { fill, h } from "../dom";
import { addDays, dayOf, dayText, daysBetween, mondayOf, moment } from "../format";
import { addPanel, type Context } from "../panel";
import { clockText, explain, gathered, ms, roving } from "./common";
import { Day } from "./rounds_day";
import { Notices } from "./rounds_notices";
import { Plans } from "./rounds_plan";
import { Registry, SIGNS, toneColor, toneOf, visitDay, visitsBetween, type Tone, type Visit } from "./visits";

const CELL_SHOWN = 4;
const OTHERS_MS = 3000; // what others do is gathered: each reading by a dispatcher leaves an audit row
const WORST: Tone[] = ["bad", "late", "warn", "calm", "good"];
type View = "week" | "day" | "notices" | "plan";

interface Page {
  ctx: Context;
  root: HTMLElement;
  registry: Registry;
  view: View;
  monday: string;
  inspector: string;
  date: string;
  picked: string; // on a phone: the day of the board that is shown
  filter: string;
  visits: Visit[]; // of the week
  loaded: boolean;
  day: Day;
  notices: Notices;
  plans: Plans;
  head: HTMLElement;
  host: HTMLElement;
  board: HTMLElement;
  boardSum: HTMLElement;
  fault: HTMLElement;
  asked: number;
  drawn: string;
  points: string; // of the week, as they were given to the map
  ends: (() => void)[];
  soon: { (): void; cancel(): void };
  soonTown: { (): void; cancel(): void };
}

let page: Page | undefined;

// ---- reading ----

async function attempt(work: () => Promise<void>): Promise<void> {
  const mine = page;
  try {
    await work();
    if (mine === page && page) page.fault.hidden = true;
  } catch (error) {
    if (!page || mine !== page) return;
    fill(page.fault, h("p", {}, explain(error, page.ctx.t)),
      h("button", { type: "button", onclick: () => void readAll() }, page.ctx.t("common.retry")));
    page.fault.hidden = false;
    draw(); // what is being read no more does not say so
  }
}

async function weekRead(): Promise<void> {
  if (!page) return;
  const { ctx, monday } = page;
  const asked = ++page.asked;
  const visits = await visitsBetween(ctx.api, moment(monday), moment(addDays(monday, 7)));
  if (!page || asked !== page.asked || page.monday !== monday) return;
  page.visits = visits;
  page.loaded = true;
  draw();
}

function readAll(): Promise<void> {
  return attempt(async () => {
    if (!page) return;
    await page.registry.read();
    await Promise.all([weekRead(), page?.notices.read(), page?.plans.read()]);
    draw();
  });
}

// ---- the board ----

function daysShown(): string[] {
  if (!page) return [];
  const { monday } = page;
  const busy = new Set(page.visits.map(visitDay));
  return [0, 1, 2, 3, 4, 5, 6].map((n) => addDays(monday, n)).filter((date, n) => n < 5 || busy.has(date));
}

function matches(id: string, visits: Visit[]): boolean {
  const low = page?.filter.trim().toLowerCase() ?? "";
  if (low === "" || !page) return true;
  const texts = [id, page.registry.inspectorName(id), ...visits.flatMap(({ site }) => [site, page!.registry.siteName(site)])];
  return texts.some((text) => text.toLowerCase().includes(low));
}

function cellDraw(inspector: string, date: string, visits: Visit[]): HTMLElement {
  const { ctx, registry } = page!;
  const now = ctx.clock.now();
  const attrs = { "data-day": date, class: date === page!.picked ? "is-picked" : undefined };
  if (visits.length === 0) return h("td", attrs);
  const done = visits.filter((visit) => !["late", "calm"].includes(toneOf(visit, now))).length;
  const late = visits.filter((visit) => toneOf(visit, now) === "late").length;
  const label = ctx.t(late > 0 ? "rd.cell_late" : "rd.cell", { name: registry.inspectorName(inspector), day: dayText(date), n: visits.length, done, late });
  return h("td", attrs, h("button", {
    type: "button", class: "rd-cell", "data-focus": `cell-${inspector}-${date}`, "data-inspector": inspector,
    onclick: () => dayOpen(inspector, date),
  },
  h("span", { class: "spoken" }, label),
  visits.slice(0, CELL_SHOWN).map((visit) => {
    const tone = toneOf(visit, now);
    return h("span", { class: `rd-slot is-${tone}` }, h("i", {}, SIGNS[tone]), h("span", { class: "rd-time" }, clockText(visit.start)), " ",
      h("span", { class: "rd-where" }, registry.siteName(visit.site)));
  }),
  visits.length > CELL_SHOWN && h("span", { class: "rd-small" }, ctx.t("rd.more_n", { n: visits.length - CELL_SHOWN }))));
}

function boardDraw(): void {
  if (!page) return;
  const { ctx, registry, visits } = page;
  const days = daysShown();
  const today = dayOf(ctx.clock.now());
  if (!days.includes(page.picked)) page.picked = days.includes(today) ? today : days[0]!;
  const by = new Map<string, Visit[]>();
  for (const visit of visits)
    for (const who of [visit.inspector ?? "", visit.second].filter((id): id is string => id !== undefined)) by.set(who, [...(by.get(who) ?? []), visit]);
  const rows = [...by].filter(([id, own]) => matches(id, own)).sort(([a], [b]) => a.localeCompare(b));
  const now = ctx.clock.now();
  const count = (tones: Tone[]): number => visits.filter((visit) => tones.includes(toneOf(visit, now))).length;
  const late = count(["late"]);
  fill(page.boardSum, page.loaded && h("b", {}, ctx.t("rd.week_sum", { n: visits.length, done: count(["good", "warn", "bad"]), people: by.size })),
    late > 0 && h("b", { class: "bad" }, ` · ${ctx.t("rd.week_late", { n: late })}`));
  const fault = !page.fault.hidden;
  const key = JSON.stringify([visits, days, page.picked, today, page.filter, late, registry.sites.size, page.loaded, fault]);
  if (key === page.drawn) return;
  page.drawn = key;
  const focused = page.board.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["focus"] : undefined;
  if (visits.length === 0) {
    fill(page.board, (page.loaded || !fault) && h("p", { class: "rd-calm" }, ctx.t(page.loaded ? "rd.week_none" : "common.loading")));
    return;
  }
  const dayVisits = (date: string): number => visits.filter((visit) => visitDay(visit) === date).length;
  fill(page.board,
    h("div", { class: "rd-days", role: "group", "aria-label": ctx.t("rd.days") }, days.map((date) => h("button", {
      type: "button", "aria-pressed": String(date === page!.picked), "data-focus": `day-${date}`, onclick: () => {
        page!.picked = date;
        boardDraw();
      },
    }, dayText(date, { weekday: "short" }), h("small", {}, dayVisits(date))))),
    h("table", { class: "rd-board" },
      h("caption", { class: "spoken" }, ctx.t("rd.board")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, ctx.t("rd.inspector")), days.map((date) =>
        h("th", { scope: "col", "data-day": date, class: [date === today ? "is-today" : "", date === page!.picked ? "is-picked" : ""].join(" ") },
          dayText(date), h("small", {}, ctx.t("rd.visits_n", { n: dayVisits(date) })))))),
      h("tbody", {}, rows.map(([id, own]) => h("tr", {},
        h("th", { scope: "row" }, registry.inspectorName(id === "" ? undefined : id), registry.inspectorName(id) !== id && h("small", {}, id)),
        days.map((date) => cellDraw(id, date, own.filter((visit) => visitDay(visit) === date))))))),
    rows.length === 0 && h("p", { class: "rd-calm" }, ctx.t("rd.filter_none")));
  if (focused) page.board.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

// All sites of the week, each as its worst visit stands.
function sitesDraw(): void {
  if (!page) return;
  const { ctx, registry, visits } = page;
  const now = ctx.clock.now();
  const worst = new Map<string, Tone>();
  for (const visit of visits) {
    const tone = toneOf(visit, now);
    const before = worst.get(visit.site);
    if (before === undefined || WORST.indexOf(tone) < WORST.indexOf(before)) worst.set(visit.site, tone);
  }
  const points: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [...worst].flatMap(([id, tone]): GeoJSON.Feature[] => {
    const site = registry.sites.get(id);
    return site?.lon === undefined || site.lat === undefined ? [] : [{ type: "Feature",
      geometry: { type: "Point", coordinates: [site.lon, site.lat] }, properties: { color: toneColor(tone), radius: 7 } }];
  }) };
  const text = JSON.stringify(points);
  if (text !== page.points) ctx.map.setGeoJson("round-sites", points);
  page.points = text;
}

// ---- the views ----

function visitsOf(inspector: string, date: string): Visit[] {
  return (page?.visits ?? []).filter((visit) => (visit.inspector === inspector || visit.second === inspector) && visitDay(visit) === date);
}

function weekGo(monday: string): void {
  if (!page) return;
  if (monday !== page.monday) {
    page.monday = monday;
    page.visits = [];
    page.loaded = false;
    void attempt(weekRead);
  }
  show("week");
}

function dayOpen(inspector: string, date: string): void {
  if (!page) return;
  page.inspector = inspector;
  page.date = date;
  page.picked = date;
  const monday = mondayOf(date);
  if (monday !== page.monday) {
    page.monday = monday;
    page.visits = [];
    page.loaded = false;
    void attempt(weekRead);
  }
  show("day");
  page.host.querySelector<HTMLElement>("[data-focus=day-title]")?.focus();
}

// To the next day on which the inspector has visits, else to the next day.
function dayStep(inspector: string, date: string, days: number): void {
  const ahead = [1, 2, 3, 4, 5, 6].map((n) => addDays(date, n * days)).find((next) => visitsOf(inspector, next).length > 0);
  dayOpen(inspector, ahead ?? addDays(date, days));
}

function linkOf(): string {
  if (!page) return "";
  if (page.view === "day") return `round/day/${encodeURIComponent(page.inspector)}/${page.date}`;
  return page.view === "week" ? `round/week/${page.monday}` : `round/${page.view}`;
}

function show(view: View): void {
  if (!page) return;
  const { ctx } = page;
  if (page.view === "day" && view !== "day") page.day.clear();
  page.points = ""; // a day draws its own
  page.view = view;
  ctx.wide(view === "week");
  ctx.link(linkOf());
  page.root.dataset["view"] = view;
  fill(page.host, view === "week" ? [weekHead(), page.boardSum, page.board] : view === "day" ? page.day.element : view === "notices" ? page.notices.element : page.plans.element);
  draw();
}

function weekHead(): HTMLElement {
  const { ctx, monday } = page!;
  const here = mondayOf(dayOf(ctx.clock.now()));
  const short = { month: "short", day: "numeric" } as const;
  const filter = h("input", { type: "search", value: page!.filter, placeholder: ctx.t("rd.filter"), "aria-label": ctx.t("rd.filter"), oninput: () => {
    page!.filter = filter.value;
    boardDraw();
  } });
  const step = (days: number, key: string, sign: string): HTMLElement =>
    h("button", { type: "button", "aria-label": ctx.t(key), "data-do": key.replace("rd.", ""), onclick: () => {
      weekGo(addDays(page!.monday, days));
      page!.host.querySelector<HTMLElement>(`[data-do="${key.replace("rd.", "")}"]`)?.focus();
    } }, sign);
  return h("div", { class: "rd-week-head" },
    step(-7, "rd.week_before", "‹"),
    h("h2", { "aria-live": "polite" }, `${dayText(monday, short)} – ${dayText(addDays(monday, 6), short)}`),
    step(7, "rd.week_after", "›"),
    here !== monday && h("button", { type: "button", "data-do": "week_this", onclick: () => weekGo(here) }, ctx.t("rd.week_this")),
    filter);
}

function headDraw(): void {
  if (!page) return;
  const { ctx, notices } = page;
  const overdue = notices.overdue;
  const oldest = overdue[0];
  const days = oldest ? daysBetween(dayOf(ms(oldest.due)), dayOf(ctx.clock.now())) : 0;
  const views: [View, string][] = [["week", ctx.t("rd.week")],
    ["notices", overdue.length === 0 ? ctx.t("rd.notices") : ctx.t("rd.notices_n", { n: overdue.length })], ["plan", ctx.t("rd.rounds")]];
  const current = page.view === "day" ? "week" : page.view;
  const key = JSON.stringify([views, current, oldest?.due, dayOf(ctx.clock.now())]);
  if (page.head.dataset["drawn"] === key) return;
  page.head.dataset["drawn"] = key;
  const focused = page.head.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["view"] : undefined;
  fill(page.head,
    h("div", { class: "rd-views", role: "group", "aria-label": ctx.t("rd.title") }, views.map(([view, text]) => h("button", {
      type: "button", "data-view": view, "aria-pressed": String(view === current), class: view === "notices" && overdue.length > 0 ? "is-bad" : undefined,
      onclick: () => show(view),
    }, text))),
    oldest !== undefined && current === "week" && h("p", { class: "bad" }, ctx.t(days > 0 ? "rd.overdue_sum" : "rd.overdue_sum_today", { n: overdue.length, days, site: page.registry.siteName(oldest.site) })));
  if (focused) page.head.querySelector<HTMLElement>(`[data-view="${focused}"]`)?.focus();
}

function draw(): void {
  if (!page) return;
  headDraw();
  if (page.view === "week") {
    boardDraw();
    sitesDraw();
  } else if (page.view === "day" && page.loaded) {
    page.day.show(page.inspector, page.date, visitsOf(page.inspector, page.date));
  } else if (page.view === "notices") {
    page.notices.draw();
  }
}

function build(host: HTMLElement, ctx: Context): Page {
  const registry = new Registry(ctx);
  const visitsRead = (): void => void attempt(async () => {
    await Promise.all([weekRead(), page?.notices.read()]);
    draw();
  });
  const changed = visitsRead;
  const made: Page = {
    ctx, registry, root: h("div", { class: "rd" }), view: "week", monday: mondayOf(dayOf(ctx.clock.now())), inspector: "", date: "", picked: "", filter: "",
    visits: [], loaded: false,
    day: new Day(ctx, registry, dayStep, () => {
      const { inspector, date } = page!;
      show("week");
      page!.board.querySelector<HTMLElement>(`[data-focus="cell-${CSS.escape(inspector)}-${date}"]`)?.focus();
    }, changed, (id) => {
      show("notices");
      void attempt(async () => {
        await page?.notices.read();
        page?.notices.show(id);
      });
    }),
    notices: new Notices(ctx, registry, changed),
    plans: new Plans(ctx, registry, changed, weekGo),
    head: h("div", { class: "rd-head" }), host: h("div", { class: "rd-host" }), board: h("div", { class: "rd-board-host", tabindex: "0", role: "region" }),
    boardSum: h("p", { class: "rd-sum", role: "status" }), fault: h("div", { class: "rd-fault", role: "alert", hidden: true }),
    asked: 0, drawn: "", points: "", ends: [],
    soon: gathered(OTHERS_MS, visitsRead),
    soonTown: gathered(1500, () => void readAll()),
  };
  roving(made.board, ".rd-cell");
  made.board.setAttribute("aria-label", ctx.t("rd.board"));
  made.root.append(made.head, made.fault, made.host);
  host.replaceChildren(made.root);
  return made;
}

addPanel({
  id: "round",
  title: "rd.title",
  order: 5,
  mount(host, ctx) {
    page = build(host, ctx);
    page.ends.push(
      ctx.stream.on(["visit.*", "rectification.*", "round.*"], () => page?.soon()),
      ctx.stream.on(["item.*", "items.*"], (event) => {
        if (/^(factories|facilities|units)/.test(event.subject)) page?.soonTown();
      }),
      ctx.stream.onGap(() => void readAll()),
      ctx.stream.onState((state) => {
        if (state === "live" && page && !page.fault.hidden) void readAll(); // what failed meanwhile
      }),
      ctx.clock.every(5000, draw),
    );
    ctx.wide(true);
    page.root.dataset["view"] = "week";
    fill(page.host, weekHead(), page.boardSum, page.board);
    draw();
    void readAll();
  },
  unmount() {
    if (!page) return;
    page.soon.cancel();
    page.soonTown.cancel();
    page.day.clear();
    for (const end of page.ends) end();
    page = undefined;
  },
  open(part) {
    if (!page || part === "") return;
    const [view, first, second] = part.split("/");
    const date = /^\d{4}-\d\d-\d\d$/;
    if (view === "day" && first && date.test(second ?? "")) dayOpen(first, second!);
    else if (view === "week" && date.test(first ?? "")) weekGo(mondayOf(first!));
    else if (view === "notices") {
      show("notices");
      if (first) page.notices.show(first);
    } else if (view === "plan") show("plan");
  },
});
