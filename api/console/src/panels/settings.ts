// Settings: the office's tables, each as a form that is checked by the server, with who changed what of it when. Two who
// change the same at once are told of each other: nothing is overwritten unseen.
import "./common_words";
import "./settings_words";
import { fill, h } from "../dom";
import { dayTime } from "../format";
import { addPanel, Problem, type Context } from "../panel";
import { explain, ms } from "./common";
import { applied, changes, documentForm, JsonWrong, jsonField, pointerText, valueText, type Change, type Field, type Json } from "./settings_form";

const TABLES = ["incidents", "calendar", "meals", "planner", "visits", "regimes", "speeds", "live", "devices", "webhooks", "retention"];
const FORCED = ["incidents", "calendar"]; // regimes may lie over these
const LOOK_MS = 15_000;
const HISTORY_SHOWN = 20;
const CHANGES_SHOWN = 12;

type Table = { [key: string]: Json };

interface Row {
  at: string;
  actor: string;
  body: { version?: number; changed?: { pointer: string; before?: Json; after?: Json }[]; more?: number };
}

interface Page {
  ctx: Context;
  host: HTMLElement;
  name: string; // "": the list of tables
  base: Table; // as it was read
  etag: string;
  draft: Table | undefined; // what the form starts from where that is not `base`
  field: Field | undefined;
  json: boolean;
  history: HTMLElement;
  told: HTMLElement;
  over: HTMLElement;
  asked: number;
  ends: (() => void)[];
}

let page: Page | undefined;

const pathOf = (name: string): string => `/v1/settings/${name}`;

// ---- the list ----

function listDraw(): void {
  if (!page) return;
  const { ctx } = page;
  fill(page.host, h("h2", { tabindex: "-1" }, ctx.t("st.title_long")), h("ul", { class: "st-list" }, TABLES.map((name) => h("li", {},
    h("button", { type: "button", "data-table": name, onclick: () => void tableOpen(name) },
      h("b", {}, ctx.t(`st.t.${name}`)), h("span", {}, ctx.t(`st.w.${name}`)))))));
}

function wrongDraw(error: unknown): void {
  if (!page) return;
  const { ctx, name } = page;
  const denied = error instanceof Problem && error.status === 403;
  fill(page.host, h("div", { class: "st-fault", role: "alert" }, h("p", {}, denied ? ctx.t("st.denied") : explain(error, ctx.t)),
    h("div", { class: "st-buttons" },
      !denied && h("button", { type: "button", onclick: () => void tableOpen(name) }, ctx.t("common.retry")),
      h("button", { type: "button", onclick: listOpen }, ctx.t("st.back")))));
}

function listOpen(): void {
  if (!page) return;
  const before = page.name;
  page.name = "";
  page.asked++;
  page.ctx.link("setting");
  listDraw();
  page.host.querySelector<HTMLElement>(`[data-table="${before}"]`)?.focus();
}

// ---- history ----

function changeDraw(pointer: string, before: Json | undefined, after: Json | undefined): HTMLElement {
  const { ctx } = page!;
  const known = before !== undefined || after !== undefined;
  return h("li", {}, pointerText(pointer, ctx), known ? ": " : "", known && h("span", { class: "st-was" }, valueText(before, ctx)), known && " → ",
    known && h("b", {}, valueText(after, ctx)));
}

async function historyRead(): Promise<Row[]> {
  if (!page || page.name === "") return [];
  const { ctx, name } = page;
  const answer = await ctx.api.get<{ history: Row[] }>(`${pathOf(name)}/history`);
  return answer.history.reverse();
}

function rowDraw(row: Row): HTMLElement {
  const { ctx } = page!;
  const changed = row.body.changed;
  const more = Math.max(0, (changed?.length ?? 0) - CHANGES_SHOWN) + (row.body.more ?? 0);
  return h("li", { class: "st-change", "data-version": row.body.version },
    h("p", {}, h("b", {}, row.actor === "local" ? ctx.t("st.local") : row.actor), " · ", dayTime(ms(row.at))),
    changed === undefined ? h("p", { class: "st-small" }, ctx.t("st.unknown_change")) : changed.length === 0
      ? h("p", { class: "st-small" }, ctx.t("st.no_change"))
      : h("ul", {}, changed.slice(0, CHANGES_SHOWN).map(({ pointer, before, after }) => changeDraw(pointer, before, after))),
    more > 0 && h("p", { class: "st-small" }, ctx.t("st.more", { n: more })));
}

async function historyDraw(): Promise<void> {
  if (!page) return;
  const { ctx, history, name } = page;
  const rows = await historyRead().catch(() => undefined);
  if (!page || page.name !== name) return;
  fill(history, h("h3", {}, ctx.t("st.history")), rows === undefined || rows.length === 0
    ? h("p", { class: "st-small" }, ctx.t(rows === undefined ? "st.history_fault" : "st.history_none"))
    : h("ul", { class: "st-changes" }, rows.slice(0, HISTORY_SHOWN).map(rowDraw)));
}

// ---- one table ----

async function overDraw(): Promise<void> {
  if (!page || !FORCED.includes(page.name)) return;
  const { ctx, name, base, over } = page;
  const force = await ctx.api.get<Table>(`${pathOf(name)}?in_force=1`).catch(() => base);
  if (!page || page.name !== name) return;
  const laid = changes(base, force);
  fill(over, laid.length > 0 && h("div", { class: "st-over" }, h("p", {}, ctx.t("st.in_force")),
    h("ul", {}, laid.slice(0, CHANGES_SHOWN).map(({ path, before, after }) => changeDraw(`/${path.join("/")}`, before, after)))));
}

async function tableOpen(name: string): Promise<void> {
  if (!page) return;
  const asked = ++page.asked;
  page.name = name;
  page.draft = undefined;
  page.json = false;
  page.ctx.link(`setting/${name}`);
  fill(page.host, h("p", { class: "st-small" }, page.ctx.t("common.loading")));
  try {
    const { value, etag } = await page.ctx.api.tagged<Table>(pathOf(name));
    if (asked !== page?.asked) return;
    page.base = value;
    page.etag = etag;
    tableDraw();
    page.host.querySelector<HTMLElement>("h2")?.focus();
  } catch (error) {
    if (asked === page?.asked) wrongDraw(error);
  }
}

// What the form says now; what is wrong with it is thrown.
function mine(): Table {
  return page!.field!.read() as Table;
}

function tableDraw(): void {
  if (!page) return;
  const { ctx, name } = page;
  const value = page.draft ?? page.base;
  const title = ctx.t(`st.t.${name}`);
  page.field = page.json ? jsonField(value, title, ctx, 22) : documentForm(name, value, ctx);
  const form = h("form", { class: "st-form", "data-form": "setting", novalidate: true, onsubmit: (event: Event) => {
    event.preventDefault();
    void save();
  } },
  page.field.element, page.told,
  h("div", { class: "st-buttons st-save" },
    h("button", { type: "submit", class: "main", "data-do": "save" }, ctx.t("st.save")),
    h("button", { type: "button", "data-do": "undo", onclick: () => void tableOpen(name) }, ctx.t("st.undo")),
    name !== "regimes" && h("button", { type: "button", "data-do": "json", "aria-pressed": String(page.json), onclick: () => flip() },
      ctx.t(page.json ? "st.as_form" : "st.as_json"))));
  fill(page.told);
  fill(page.host,
    h("div", { class: "st-buttons" }, h("button", { type: "button", "data-do": "tables", onclick: listOpen }, `‹ ${ctx.t("st.back")}`)),
    h("h2", { tabindex: "-1" }, title), h("p", { class: "st-small" }, ctx.t(`st.w.${name}`)), page.over, form, page.history);
  fill(page.over);
  fill(page.history);
  void overDraw();
  void historyDraw();
}

// Between form and JSON, with what was typed.
function flip(): void {
  if (!page) return;
  try {
    page.draft = mine();
  } catch (error) {
    tell(error);
    return;
  }
  page.json = !page.json;
  tableDraw();
  page.host.querySelector<HTMLElement>("[data-do=json]")?.focus();
}

function tell(error: unknown): void {
  if (!page) return;
  const { ctx, told } = page;
  const text = error instanceof JsonWrong ? error.message : error instanceof Problem && error.status === 403 ? ctx.t("st.admins") : explain(error, ctx.t);
  for (const inline of page.host.querySelectorAll(".st-field > .bad")) fill(inline); // once is enough
  fill(told, h("p", { class: "bad", role: "alert" }, text));
  told.scrollIntoView({ block: "nearest" });
}

async function save(): Promise<void> {
  if (!page) return;
  const { ctx, name, base, etag } = page;
  let value: Table;
  try {
    value = mine();
  } catch (error) {
    tell(error);
    return;
  }
  const own = changes(base, value);
  if (own.length === 0) {
    fill(page.told, h("p", { class: "st-small", role: "status" }, ctx.t("st.nothing_changed")));
    return;
  }
  try {
    await ctx.api.put<Table>(pathOf(name), value, { "If-Match": etag });
    ctx.say(ctx.t("st.saved", { name: ctx.t(`st.t.${name}`), n: own.length }), "good");
    if (page?.name === name) await tableOpen(name);
  } catch (error) {
    if (error instanceof Problem && error.status === 412) await conflict(own).catch(tell);
    else tell(error);
  }
}

// Somebody was faster: what they changed is shown, and that nothing of it is lost either way.
async function conflict(own: Change[]): Promise<void> {
  if (!page) return;
  const { ctx, name, base } = page;
  const since = Number(page.etag.replace(/\D/g, ""));
  const { value, etag } = await ctx.api.tagged<Table>(pathOf(name));
  const rows = (await historyRead().catch(() => [])).filter((row) => (row.body.version ?? 0) > since);
  if (!page || page.name !== name) return;
  const theirs = changes(base, value);
  const same = own.filter(({ path }) => theirs.some((one) => one.path.join("/") === path.join("/")));
  const who = [...new Set(rows.map(({ actor }) => (actor === "local" ? ctx.t("st.local") : actor)))].join(", ");
  const latest = rows[0];
  fill(page.told, h("div", { class: "st-conflict", role: "alert", "data-conflict": name },
    h("p", {}, h("b", {}, latest === undefined ? ctx.t("st.conflict_somebody") : ctx.t("st.conflict", { who, at: dayTime(ms(latest.at)) }))),
    h("p", {}, ctx.t("st.conflict_theirs")),
    h("ul", {}, theirs.slice(0, CHANGES_SHOWN).map(({ path, before, after }) => changeDraw(`/${path.join("/")}`, before, after))),
    same.length > 0 && h("p", { class: "bad" }, ctx.t("st.conflict_same", { what: same.map(({ path }) => pointerText(`/${path.join("/")}`, ctx)).join("; ") })),
    h("div", { class: "st-buttons" },
      h("button", { type: "button", class: "main", "data-do": "mine", onclick: () => take(value, etag, own) }, ctx.t("st.conflict_mine")),
      h("button", { type: "button", "data-do": "theirs", onclick: () => void tableOpen(name) }, ctx.t("st.conflict_take")))));
  page.told.scrollIntoView({ block: "nearest" });
  page.told.querySelector<HTMLElement>("button")?.focus();
}

// Their table, with what was changed here on top: looked at once more before it is saved.
function take(value: Table, etag: string, own: Change[]): void {
  if (!page) return;
  page.base = value;
  page.etag = etag;
  page.draft = applied(value, own);
  tableDraw();
  fill(page.told, h("p", { role: "status" }, page.ctx.t("st.merged")));
  page.host.querySelector<HTMLElement>("[data-do=save]")?.focus();
}

// A table that nobody types in follows what others do; else that is said before the work is done twice.
async function look(): Promise<void> {
  if (!page || page.name === "" || !page.field) return;
  const { ctx, name, etag } = page;
  const now = await ctx.api.tagged<Table>(pathOf(name)).catch(() => undefined);
  if (!now || !page || page.name !== name || page.etag !== etag || now.etag === etag) return;
  let own: Change[] | undefined;
  try {
    own = changes(page.base, mine());
  } catch {
    own = undefined;
  }
  if (own?.length === 0 && !page.host.contains(document.activeElement)) await tableOpen(name);
  else if (!page.told.querySelector("[data-conflict]")) fill(page.told, h("p", { class: "bad", role: "status" }, ctx.t("st.changed_meanwhile")));
}

addPanel({
  id: "setting",
  title: "st.title",
  order: 6,
  mount(host, ctx) {
    page = {
      ctx, host: h("div", { class: "st" }), name: "", base: {}, etag: "", draft: undefined, field: undefined, json: false,
      history: h("section", { class: "st-history" }), told: h("div", { class: "st-told" }), over: h("div", {}), asked: 0, ends: [],
    };
    host.replaceChildren(page.host);
    page.ends.push(ctx.clock.every(LOOK_MS, () => void look()), ctx.stream.onGap(() => void look()));
    listDraw();
  },
  unmount() {
    for (const end of page?.ends ?? []) end();
    page = undefined;
  },
  open(part) {
    if (TABLES.includes(part)) void tableOpen(part);
  },
});
