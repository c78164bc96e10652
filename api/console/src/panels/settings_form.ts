// A form for a document of the office, made of the document itself: numbers, switches, lists, tables within tables. What a
// form would only hide (lists of lists, regimes) is edited as JSON, which is checked as it is typed.
import { h, type Child } from "../dom";
import type { Context } from "../panel";

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const CHOICES: Record<string, string[]> = { choice: ["closest", "coverage"], "welfare/kind": ["door", "other"] };
const ASIDE = new Set(["kinds", "kitchens"]); // their members are folded away, each under its name
const DAYS = new Set(["holidays", "school_holidays", "workdays"]);

export interface Field {
  element: HTMLElement;
  read(): Json; // throws Error with what is wrong
}

// ---- JSON as text ----

export class JsonWrong extends Error {}

export function parseJson(text: string, ctx: Context): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const said = error instanceof Error ? error.message : "";
    const at = /position (\d+)/.exec(said);
    const line = at ? text.slice(0, Number(at[1])).split("\n").length : /line (\d+)/.exec(said)?.[1];
    throw new JsonWrong(line === undefined ? ctx.t("st.json_wrong") : ctx.t("st.json_wrong_line", { line }));
  }
}

export function jsonField(value: Json, name: string, ctx: Context, rows = 6): Field {
  const wrong = h("p", { class: "bad", role: "alert" });
  const text = h("textarea", { class: "st-json", rows, spellcheck: "false", "aria-label": name, value: JSON.stringify(value, null, 2) });
  text.value = JSON.stringify(value, null, 2);
  const read = (): Json => parseJson(text.value, ctx);
  text.addEventListener("input", () => {
    try {
      read();
      wrong.textContent = "";
    } catch (error) {
      wrong.textContent = (error as Error).message;
    }
  });
  return { element: h("div", { class: "st-field" }, text, wrong), read };
}

// ---- words ----

export function labelOf(key: string, ctx: Context): string {
  const name = `st.f.${key}`;
  const said = ctx.t(name);
  return said === name ? key : said;
}

// "/kinds/sos/promise_s" as people say it.
export function pointerText(pointer: string, ctx: Context): string {
  return pointer.split("/").slice(1).map((part) => labelOf(part.replace(/~1/g, "/").replace(/~0/g, "~"), ctx)).join(" › ");
}

function unitOf(key: string, ctx: Context): string {
  const unit = /_(s|h|days|m|mps|percent)$/.exec(key)?.[1];
  return unit === undefined ? "" : ctx.t(`st.u.${unit}`);
}

// 600 s is ten minutes: said beside, for whoever does not reckon.
function hintOf(key: string, value: number, ctx: Context): string {
  if (!key.endsWith("_s") || value < 120) return "";
  if (value >= 172_800) return ctx.t("st.days", { n: Math.round(value / 8640) / 10 });
  if (value >= 7200) return ctx.t("st.hours", { n: Math.round(value / 360) / 10 });
  return ctx.t("st.minutes", { n: Math.round(value / 6) / 10 });
}

// ---- days: one a line, "2026-10-01", "2026-10-01..2026-10-07", "2026-10-11 = We" ----

function dayLine(day: Json): string {
  if (typeof day === "string") return day;
  const { from, to, date, as } = day as Record<string, string>;
  return from === undefined ? `${date} = ${as ?? "Mo"}` : `${from}..${to}`;
}

function daysRead(text: string, work: boolean, ctx: Context): Json[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "").map((line): Json => {
    const found = /^(\d{4}-\d\d-\d\d)(?:\s*(?:\.\.|–|~|至)\s*(\d{4}-\d\d-\d\d)|\s*=\s*(Mo|Tu|We|Th|Fr|Sa|Su))?$/.exec(line);
    if (!found || (work ? found[2] : found[3]) !== undefined) throw new JsonWrong(ctx.t("st.day_wrong", { line }));
    if (found[2]) return { from: found[1]!, to: found[2] };
    return found[3] ? { date: found[1]!, as: found[3] } : found[1]!;
  });
}

// ---- fields ----

function labelled(text: string, control: HTMLElement, ...more: Child[]): HTMLElement {
  return h("label", { class: "st-field" }, h("span", {}, text), control, ...more);
}

function numberField(key: string, value: number, name: string, ctx: Context): Field {
  const hint = h("small", { "aria-live": "off" }, hintOf(key, value, ctx));
  const input = h("input", { type: "number", step: "any", value: String(value), oninput: () => {
    hint.textContent = hintOf(key, Number(input.value), ctx);
  } });
  const unit = unitOf(key, ctx);
  return {
    element: labelled(unit ? `${name} (${unit})` : name, input, hint),
    read: () => {
      if (input.value.trim() === "" || !Number.isFinite(Number(input.value))) throw new JsonWrong(ctx.t("st.number_wrong", { name }));
      return Number(input.value);
    },
  };
}

function listField(key: string, value: Json[], name: string, ctx: Context, textual: boolean): Field {
  const input = h("input", { type: "text", value: value.join(", "), autocomplete: "off" });
  const four = !textual && value.length === 4;
  return {
    element: labelled(`${name}${unitOf(key, ctx) ? ` (${unitOf(key, ctx)})` : ""}`, input, h("small", {}, ctx.t(four ? "st.list_four" : "st.list"))),
    read: () => input.value.split(/[,，、]/).map((part) => part.trim()).filter((part) => part !== "").map((part) => {
      if (textual) return part;
      if (!Number.isFinite(Number(part))) throw new JsonWrong(ctx.t("st.number_wrong", { name }));
      return Number(part);
    }),
  };
}

function daysField(key: string, value: Json[], name: string, ctx: Context): Field {
  const text = h("textarea", { rows: Math.min(8, Math.max(2, value.length + 1)), spellcheck: "false", "data-days": key });
  text.value = value.map(dayLine).join("\n");
  return {
    element: labelled(name, text, h("small", {}, ctx.t(key === "workdays" ? "st.workdays_how" : "st.days_how"))),
    read: () => daysRead(text.value, key === "workdays", ctx),
  };
}

function objectField(value: { [key: string]: Json }, path: string, ctx: Context): Field {
  const fields = Object.entries(value).map(([key, inner]): [string, Field] => [key, fieldOf(key, inner, path === "" ? key : `${path}/${key}`, ctx)]);
  return {
    element: h("div", { class: "st-fields" }, fields.map(([, field]) => field.element)),
    read: () => Object.fromEntries(fields.map(([key, field]) => [key, field.read()])),
  };
}

function foldedField(value: { [key: string]: Json }, key: string, path: string, ctx: Context): Field {
  const fields = Object.entries(value).map(([name, inner]): [string, Field] => [name, fieldOf(name, inner, `${path}/${name}`, ctx)]);
  return {
    element: h("div", { class: "st-group" }, h("h4", {}, labelOf(key, ctx)), fields.length === 0 && h("p", { class: "st-small" }, ctx.t("st.empty")),
      fields.map(([, field]) => field.element)),
    read: () => Object.fromEntries(fields.map(([name, field]) => [name, field.read()])),
  };
}

function booleanField(value: boolean, name: string): Field {
  const input = h("input", { type: "checkbox", checked: value });
  return { element: h("label", { class: "st-check" }, input, h("span", {}, name)), read: () => input.checked };
}

function choiceField(value: string, name: string, choices: string[], ctx: Context): Field {
  const all = choices.includes(value) ? choices : [value, ...choices];
  const select = h("select", {}, all.map((one) => h("option", { value: one, selected: one === value }, labelOf(one, ctx))));
  return { element: labelled(name, select), read: () => select.value };
}

function textField(value: string | null, name: string, ctx: Context): Field {
  const input = h("input", { type: "text", value: value ?? "", autocomplete: "off" });
  return { element: labelled(name, input, value === null && h("small", {}, ctx.t("st.null"))), read: () => (input.value.trim() === "" ? null : input.value.trim()) };
}

export function fieldOf(key: string, value: Json, path: string, ctx: Context): Field {
  const name = labelOf(key, ctx);
  if (typeof value === "boolean") return booleanField(value, name);
  if (typeof value === "number") return numberField(key, value, name, ctx);
  const choices = CHOICES[path];
  if (typeof value === "string" && choices) return choiceField(value, name, choices, ctx);
  if (typeof value === "string" || value === null) return textField(value, name, ctx);
  if (Array.isArray(value)) {
    if (DAYS.has(key)) return daysField(key, value, name, ctx);
    if (value.every((one) => typeof one === "number") && value.length > 0) return listField(key, value, name, ctx, false);
    if (value.every((one) => typeof one === "string") && key !== "out_of_order") return listField(key, value, name, ctx, true);
  } else if (ASIDE.has(key)) {
    return foldedField(value, key, path, ctx);
  } else {
    const inner = objectField(value, path, ctx);
    const empty = Object.keys(value).length === 0;
    if (!empty) return { element: h("details", { class: "st-group", "data-path": path }, h("summary", {}, name), inner.element), read: inner.read };
  }
  const field = jsonField(value, name, ctx, Array.isArray(value) && value.length > 0 ? 6 : 2);
  return { element: h("details", { class: "st-group" }, h("summary", {}, name, " ", h("small", {}, "JSON")), field.element), read: field.read };
}

export function documentForm(name: string, value: { [key: string]: Json }, ctx: Context): Field {
  return name === "regimes" ? jsonField(value, ctx.t(`st.t.${name}`), ctx, 18) : objectField(value, "", ctx);
}

// ---- what is another ----

export interface Change {
  path: string[];
  before: Json | undefined;
  after: Json | undefined;
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } => typeof value === "object" && value !== null && !Array.isArray(value);

export function changes(before: Json | undefined, after: Json | undefined, path: string[] = []): Change[] {
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => changes(before[key], after[key], [...path, key]));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

// `value` with the changes made in it, too.
export function applied(value: { [key: string]: Json }, all: Change[]): { [key: string]: Json } {
  const copy = structuredClone(value);
  for (const { path, after } of all) {
    let at: { [key: string]: Json } = copy;
    for (const part of path.slice(0, -1)) {
      if (!isObject(at[part])) at[part] = {};
      at = at[part] as { [key: string]: Json };
    }
    const last = path[path.length - 1];
    if (last === undefined) continue;
    if (after === undefined) delete at[last];
    else at[last] = after;
  }
  return copy;
}

export function valueText(value: Json | undefined, ctx: Context): string {
  if (value === undefined) return "–";
  if (typeof value === "boolean") return ctx.t(value ? "st.on" : "st.off");
  if (value === null || JSON.stringify(value) === "[]") return ctx.t("st.nothing");
  if (Array.isArray(value)) return value.map((one) => (isObject(one) ? dayLine(one) : valueText(one, ctx))).join(", ");
  return isObject(value) ? JSON.stringify(value) : String(value);
}
