// The list of what is open, to be printed for the day the server is down: incidents, orders, overdue notices, units. An id
// is no use then, so it says where: addresses, names and phones for those who may see them. They are read home by home, so
// that the audit knows whose were printed.
import { fill, h, type Child } from "./dom";
import { explain } from "./fault";
import { clockTime, dayTime, wholeDay } from "./format";
import { t } from "./i18n";
import type { Town } from "./map/town_map";
import type { Api, Clock } from "./panel";

const PAGE = 1000;
const MOST = 5000; // of one list
const LANES = 6;
type Row = Record<string, any>;

export interface Printing {
  api: Api;
  map: Town;
  clock: Clock;
  officer: boolean; // may see what is personal
}
type Columns = [string, (row: Row) => Child][];

function table(columns: Columns, rows: Row[]): HTMLElement {
  if (rows.length === 0) return h("p", null, t("print.none"));
  return h("table", null,
    h("thead", null, h("tr", null, columns.map(([key]) => h("th", { scope: "col" }, t(key))), h("th", { scope: "col" }, t("print.c.done")))),
    h("tbody", null, rows.map((row) => h("tr", null, columns.map(([, cell]) => h("td", null, cell(row))), h("td", { class: "tick" })))));
}

const time = (value: unknown): string => (value ? clockTime(Date.parse(String(value))) : "");

// The word for a code that the API gives; the code itself where the page has none.
function word(prefix: string, code: unknown): string {
  const said = t(`${prefix}.${code}`);
  return said === `${prefix}.${code}` ? String(code ?? "") : said;
}

async function part(title: string, read: () => Promise<Child[]>): Promise<HTMLElement> {
  const inner = await read().catch((error: unknown) => [h("p", null, t("print.failed", { why: explain(error) }))]);
  return h("section", null, h("h2", null, t(title)), inner);
}

// All of a list that the API gives by pages; whether there is still more.
async function listRead(api: Api, path: string, member: string): Promise<{ rows: Row[]; more: boolean }> {
  const rows: Row[] = [];
  for (let before = ""; ; ) {
    const answer = await api.get<Row>(`${path}&limit=${PAGE}${before && `&before=${encodeURIComponent(before)}`}`);
    rows.push(...((answer[member] ?? []) as Row[]));
    before = (answer["before"] as string | undefined) ?? "";
    if (before === "" || rows.length >= MOST) return { rows, more: before !== "" };
  }
}

// ---- homes ----

type Homes = Map<string, Row>;

async function homesRead({ api, officer }: Printing, rows: Row[]): Promise<Homes> {
  const homes: Homes = new Map();
  if (!officer) return homes; // who may not see them is not asked to read them one by one
  const ids = [...new Set(rows.map((row) => row["household"] as string | undefined))];
  const lane = async (): Promise<void> => {
    while (ids.length > 0) {
      const id = ids.pop();
      if (id === undefined) continue;
      const item = await api.get<Row>(`/collections/households/items/${encodeURIComponent(id)}`).catch(() => undefined);
      if (item?.["properties"]) homes.set(id, item["properties"]);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return homes;
}

function where(row: Row, homes: Homes): Child {
  const id = row["household"] as string | undefined;
  const place = row["lon"] === undefined ? "" : `${Number(row["lon"]).toFixed(5)}, ${Number(row["lat"]).toFixed(5)}`;
  if (id === undefined) return place;
  const home = homes.get(id);
  if (!home?.["address"]) return [id, place !== "" && h("small", null, place)];
  return [String(home["address"]), h("small", null, [home["name"], home["phone"], id].filter(Boolean).join(" · "))];
}

// ---- the lists ----

const dueOf = (row: Row): number => Date.parse(String(row["deadline"] ?? row["due"]?.[1] ?? "")) || 0;

// A list whose rows are of homes, the most urgent first.
async function homely(printing: Printing, path: string, member: string, columns: (homes: Homes) => Columns): Promise<Child[]> {
  const { rows, more } = await listRead(printing.api, path, member);
  const homes = await homesRead(printing, rows);
  rows.sort((a, b) => dueOf(a) - dueOf(b));
  return [table(columns(homes), rows), more && h("p", null, t("print.more", { n: rows.length }))];
}

const incidentColumns = (homes: Homes): Columns => [
  ["print.c.due", (row) => time(row["deadline"])],
  ["print.c.kind", (row) => [word("em.kind", row["kind"]), h("small", null, t("em.severity", { n: row["severity"] }))]],
  ["print.c.where", (row) => where(row, homes)],
  ["print.c.who", (row) => (row["assigned"] ?? []).map((seat: Row) => seat["unit"]).join(", ")],
  ["print.c.state", (row) => word("em.state", row["state"])],
  ["print.c.id", (row) => row["id"]],
];

const orderColumns = (homes: Homes): Columns => [
  ["print.c.due", (row) => (row["due"] ?? []).map(time).join("–")],
  ["print.c.where", (row) => where(row, homes)],
  ["print.c.meals", (row) => (Array.isArray(row["load"]) ? row["load"][0] : row["load"])],
  ["print.c.kitchen", (row) => row["kitchen"]],
  ["print.c.who", (row) => row["unit"]],
  ["print.c.state", (row) => word("me.state", row["state"])],
];

const noticeColumns = (names: Map<string, string>): Columns => [
  ["print.c.due", (row) => dayTime(Date.parse(String(row["due"])))],
  ["print.c.where", (row) => [names.get(row["site"]) ?? row["site"], h("small", null, row["site"])]],
  ["print.c.text", (row) => row["text"]],
  ["print.c.id", (row) => row["id"]],
];

async function notices(api: Api): Promise<Child[]> {
  const { rows, more } = await listRead(api, "/v1/rectifications?overdue=true", "rectifications");
  const names = new Map<string, string>();
  for (const collection of rows.length > 0 ? ["factories", "facilities"] : []) {
    const found = await api.get<GeoJSON.FeatureCollection>(`/collections/${collection}/items?limit=10000`);
    for (const { id, properties } of found.features) names.set(String(id), properties?.["name"] ?? String(id));
  }
  return [table(noticeColumns(names), rows), more && h("p", null, t("print.more", { n: rows.length }))];
}

function units(map: Town): Child[] {
  const place = (row: Row): string => (row["lon"] === undefined ? "" : `${Number(row["lon"]).toFixed(5)}, ${Number(row["lat"]).toFixed(5)}`);
  return [table([
    ["print.c.who", (row) => [row["name"] ?? row["unit"], h("small", null, row["unit"])]],
    ["print.c.kind", (row) => t(`unit.${row["kind"]}`)],
    ["print.c.state", (row) => t(`status.${row["status"]}`)],
    ["print.c.seen", place],
  ], map.units.all().filter((unit) => unit.status !== "off"))];
}

export async function printOpen(printing: Printing): Promise<void> {
  const { api, map, clock } = printing;
  const sheet = document.getElementById("print") ?? document.body.appendChild(h("div", { id: "print" }));
  const open = "received,queued,assigned,acknowledged,enroute,onscene";
  const parts = await Promise.all([
    part("print.incidents", () => homely(printing, `/v1/incidents?state=${open}`, "incidents", incidentColumns)),
    part("print.orders", () => homely(printing, "/v1/orders?state=received,planned,loaded,enroute", "orders", orderColumns)),
    part("print.notices", () => notices(api)),
    part("print.units", async () => units(map)),
  ]);
  const now = clock.now();
  fill(sheet, h("h1", null, t("print.title")), h("p", null, t("print.made", { time: `${wholeDay(now)} ${clockTime(now)}` })), parts);
  window.print();
}
