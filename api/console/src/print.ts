// The list of what is open, to be printed for the day the server is down: incidents, orders, overdue notices, units.
import { fill, h, type Child } from "./dom";
import { explain } from "./fault";
import { clockTime, dayTime } from "./format";
import { t } from "./i18n";
import type { Town } from "./map/town_map";
import type { Api, Clock } from "./panel";

const MOST = 400;
type Row = Record<string, any>;

function table(columns: [string, (row: Row) => Child][], rows: Row[]): HTMLElement {
  if (rows.length === 0) return h("p", null, t("print.none"));
  return h("table", null,
    h("thead", null, h("tr", null, columns.map(([key]) => h("th", { scope: "col" }, t(key))), h("th", { scope: "col" }, t("print.c.done")))),
    h("tbody", null, rows.map((row) => h("tr", null, columns.map(([, cell]) => h("td", null, cell(row))), h("td", { class: "tick" })))));
}

const where = (row: Row): string => row["household"] ?? (row["lon"] === undefined ? "" : `${row["lon"]}, ${row["lat"]}`);
const time = (value: unknown): string => (value ? clockTime(Date.parse(String(value))) : "");

async function part(title: string, read: () => Promise<[Row[], number]>, columns: [string, (row: Row) => Child][]): Promise<HTMLElement> {
  try {
    const [rows, more] = await read();
    return h("section", null, h("h2", null, t(title)), table(columns, rows), more > 0 && h("p", null, t("print.more", { n: more })));
  } catch (error) {
    return h("section", null, h("h2", null, t(title)), h("p", null, t("print.failed", { why: explain(error) })));
  }
}

// All rows of a list that the API gives by pages; what is beyond MOST is counted, where the API says how many there are.
function reader(api: Api, path: string, member: string): () => Promise<[Row[], number]> {
  return async () => {
    const answer = await api.get<Row>(`${path}${path.includes("?") ? "&" : "?"}limit=${MOST}`);
    const rows = (answer[member] ?? []) as Row[];
    return [rows, Math.max(0, Number(answer["numberMatched"] ?? rows.length) - rows.length)];
  };
}

export async function printOpen(api: Api, map: Town, clock: Clock): Promise<void> {
  const sheet = document.getElementById("print") ?? document.body.appendChild(h("div", { id: "print" }));
  const units = map.units.all().filter((unit) => unit.status !== "off");
  const parts = await Promise.all([
    part("print.incidents", reader(api, "/v1/incidents?state=received,queued,assigned,acknowledged,enroute,onscene", "incidents"), [
      ["print.c.id", (row) => row["id"]],
      ["print.c.kind", (row) => row["kind"]],
      ["print.c.state", (row) => row["state"]],
      ["print.c.where", where],
      ["print.c.who", (row) => (row["assigned"] ?? []).map((seat: Row) => seat["unit"]).join(", ")],
      ["print.c.due", (row) => time(row["deadline"])],
    ]),
    part("print.orders", reader(api, "/v1/orders?state=received,planned,loaded,enroute", "orders"), [
      ["print.c.id", (row) => row["id"]],
      ["print.c.state", (row) => row["state"]],
      ["print.c.where", where],
      ["print.c.who", (row) => row["unit"] ?? ""],
      ["print.c.due", (row) => (row["due"] ?? []).map(time).join("–")],
    ]),
    part("print.notices", reader(api, "/v1/rectifications?overdue=true", "rectifications"), [
      ["print.c.id", (row) => row["id"]],
      ["print.c.where", (row) => row["site"]],
      ["print.c.text", (row) => row["text"] ?? ""],
      ["print.c.due", (row) => row["due"]],
    ]),
    part("print.units", async () => [units.slice(0, MOST), Math.max(0, units.length - MOST)], [
      ["print.c.who", (row) => row["name"] ?? row["unit"]],
      ["print.c.kind", (row) => t(`unit.${row["kind"]}`)],
      ["print.c.state", (row) => t(`status.${row["status"]}`)],
    ]),
  ]);
  fill(sheet, h("h1", null, t("print.title")), h("p", null, t("print.made", { time: dayTime(clock.now()) })), parts);
  window.print();
}
