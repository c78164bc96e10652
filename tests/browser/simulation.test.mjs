// The page beside a day that goes on: `houtao simulate` drives the town, thirty times as fast as life, while somebody works
// at the desk. An alarm is raised through the API, the simulator's responder drives there, a click ends it; a meal is
// ordered by a click on a home, and a van of the simulator's brings it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { after, test } from "node:test";
import { call, mapIdle, open, serve, shot, until, WAIT_MS } from "./browser.mjs";
import { at, household, onMap } from "./day.mjs";

const SPEED = 30;
const town = await serve(["--clock", `${at("10:40")},${SPEED}`]);
const simulator = spawn(process.env.HOUTAO, ["simulate", "--url", town.address, "--step", "5", "--rate", "0.3", "--alarms", "400",
  "--seed", "11", "--quiet"], { stdio: ["ignore", "pipe", "inherit"] });
let table = "";
simulator.stdout.on("data", (chunk) => { table += chunk; });
const ended = new Promise((resolve) => simulator.on("exit", (code, signal) => resolve(code ?? signal)));
after(() => simulator.kill("SIGKILL"));

const incident = (id) => call(town, "GET", `/v1/incidents/${id}`);
const order = (id) => call(town, "GET", `/v1/orders/${id}`);
const placeOf = (page, unit) => page.evaluate((id) => window.houtao.map.units.placeOf(id), unit);

/** Waits for `done`, and for that no longer than 10 s without a change in what `look` sees. */
async function comesTo(look, done, what) {
  let seen = "";
  for (let since = Date.now(); ;) {
    const now = await look();
    if (done(now)) return now;
    const text = JSON.stringify(now);
    if (text !== seen) since = Date.now();
    seen = text;
    assert.ok(Date.now() - since < WAIT_MS, `nothing moves towards ${what}: ${text}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test("an alarm raised through the API: a responder drives there by himself, a click ends it", async () => {
  const page = await open(town, { path: "/#incident" });
  await until(() => page.evaluate(() => window.houtao.map.units.all().some(({ kind, stale }) => kind === "responder" && !stale)),
    "responders who report");
  const { id } = await call(town, "POST", "/v1/incidents", { kind: "fall", severity: 4, household: "h00100" });
  const row = `.em-item:has([data-focus="row-${id}"])`;
  await page.waitForSelector(row);
  await page.click(`${row} .em-row`);
  const sent = await until(async () => (await incident(id)).assigned[0]?.unit, "somebody to be sent");
  await page.waitForSelector(`${row} .em-coming >> text=${sent}`);
  const places = new Set();
  const there = await comesTo(async () => {
    const now = await incident(id);
    const unit = now.assigned[0]?.unit;
    const place = unit && (await placeOf(page, unit));
    if (place) places.add(place.map((n) => n.toFixed(5)).join());
    return { state: now.state, unit, place };
  }, ({ state }) => state === "onscene", "somebody on scene");
  assert.ok(places.size > 5, `${there.unit} was seen on the page at ${places.size} places on the way`);
  await page.waitForSelector(`${row} [data-step="resolve"]`);
  await shot(page, "simulation-alarm");
  await page.click(`${row} [data-step="resolve"]`);
  await page.waitForSelector(row, { state: "detached" });
  const done = await incident(id);
  assert.ok(["resolved", "evaluated"].includes(done.state), done.state);
  const { history } = await call(town, "GET", `/v1/incidents/${id}/history`);
  const kinds = history.map(({ event }) => event);
  for (const kind of ["acknowledged", "enroute", "arrived", "resolved"]) assert.ok(kinds.includes(kind), `${kind}: ${kinds.join(" ")}`);
  await page.context().close();
});

// Orders, and follows the meal to its end; its state then.
async function orderByClick(page) {
  const home = await household(town, "h07084");
  const point = await onMap(page, home.lon, home.lat);
  const before = new Set((await call(town, "GET", "/v1/orders?limit=1000")).orders.map(({ id }) => id));
  await page.click('[data-do="new-order"]');
  await page.mouse.click(point.x, point.y);
  await page.waitForSelector(".me-form");
  const now = Date.parse((await call(town, "GET", "/v1/clock")).now);
  const clock = (minutes) => new Date(now + (minutes + 8 * 60) * 60_000).toISOString().slice(11, 16);
  await page.fill("#me-meals", "2");
  await page.fill("#me-from", clock(15));
  await page.fill("#me-to", clock(60));
  const answer = page.waitForResponse((reply) => reply.url().endsWith("/v1/orders") && reply.request().method() === "POST");
  await page.click('[data-do="submit-order"]');
  const made = await (await answer).json();
  assert.ok(made.id && !before.has(made.id), JSON.stringify(made));
  await page.waitForSelector(`[data-order="${made.id}"].is-open`);
  const planned = await until(async () => {
    const o = await order(made.id);
    return o.unit && o;
  }, "a van for it");
  await page.waitForSelector(`[data-order="${made.id}"] .me-on >> text=${planned.unit}`);
  const resident = await open(town, { path: `/t/${made.token}`, ready: null, width: 390, height: 844 });
  await resident.waitForSelector("h1");
  const states = new Set();
  await comesTo(async () => {
    const o = await order(made.id);
    states.add(o.state);
    // A driver who waits at his kitchen stands; the town's clock goes on up to the window.
    const waits = ["planned", "received"].includes(o.state) ? (await call(town, "GET", "/v1/clock")).now : undefined;
    return { state: o.state, eta: o.eta, place: o.unit && (await placeOf(page, o.unit)), waits };
  }, ({ state }) => ["delivered", "failed", "cancelled"].includes(state), "the door");
  assert.ok(states.has("enroute") || states.has("loaded"), [...states].join(" "));
  return { made, resident, state: (await order(made.id)).state };
}

test("a meal ordered by a click on a home is brought by a van of the simulator's", async () => {
  const page = await open(town, { path: "/#order", locale: "en-GB" });
  let brought = await orderByClick(page);
  if (brought.state === "failed") brought = await orderByClick(page); // at one door in a hundred nobody answers
  const { made, resident, state } = brought;
  assert.equal(state, "delivered");
  await page.waitForSelector(`[data-order="${made.id}"]`, { state: "detached" });
  await page.click('[data-filter="delivered"]');
  await page.waitForSelector(`[data-order="${made.id}"]`);
  await mapIdle(page);
  await shot(page, "simulation-meals");
  await shot(resident, "simulation-resident");
  const { history } = await call(town, "GET", `/v1/orders/${made.id}/history`);
  assert.ok(history.some(({ event }) => event === "delivered"), JSON.stringify(history));
});

test("the day is told at its end, and nothing of it was lost", async () => {
  simulator.kill("SIGTERM");
  const code = await ended;
  console.log(table);
  assert.equal(code, 0, table);
  assert.match(table, /meals/);
});
