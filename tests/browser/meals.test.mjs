// Meals: what is late stands first, an order put in by a click on a home is planned and delivered, a re-plan is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessibility, allow, call, open, serve, shot, until } from "./browser.mjs";
import { at, day, drawn, household, onMap } from "./day.mjs";

const town = await serve(day());
const order = (id) => call(town, "GET", `/v1/orders/${id}`);
const homeOf = (n) => `h${String(n).padStart(5, "0")}`;

const many = Array.from({ length: 40 }, (_, i) => ({
  id: `o${i}`, household: homeOf(100 + i * 400), kitchen: `kitchen-${1 + (i % 3)}`, due: [at("11:00"), at("12:00")],
}));
many.push({ id: "late", household: "h00555", kitchen: "kitchen-1", ready: at("10:20"), due: [at("10:21"), at("10:23")] });

test("orders show by state, the late one first, and vans with their next stops", async () => {
  const page = await open(town, { path: "/#order" });
  await call(town, "POST", "/v1/orders", many);
  await until(async () => (await order("o0")).state === "planned", "a plan");
  await page.waitForSelector(".me-list:first-of-type > li:first-child[data-order=late].is-bad");
  assert.ok((await page.textContent("[data-late=late]")).length > 0, "how late it is, in words");
  await until(async () => (await page.textContent('[data-filter="planned"]')).includes("41"), "41 planned ones");
  const unit = (await order("o0")).unit;
  await page.waitForSelector(`[data-van="${unit}"] .me-eta`);
  for (const language of ["zh", "en"]) { // what stands on a row has room there
    await until(() => page.evaluate(() => [...document.querySelectorAll(".me-row")].every((row) => row.scrollWidth <= row.clientWidth + 1)),
      `rows that hold their text, ${language}`);
    await page.click('[data-tool="language"]');
    await page.waitForSelector(".me-list:first-of-type > li:first-child[data-order=late].is-bad");
  }
  await shot(page, "meals");
  assert.deepEqual(await accessibility(page), []);
  await page.click(`[data-van="${unit}"] .me-row`);
  await page.waitForSelector(`[data-van="${unit}"] .me-stops li`);
  await until(async () => ((await drawn(page, "van-stops"))?.features.length ?? 0) > 0, "the stops on the map");
  await shot(page, "meals-van");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});

test("an order inserted on the map shows up, is planned and is delivered", async () => {
  const page = await open(town, { path: "/#order", locale: "en-GB" });
  const home = await household(town, "h07084");
  const point = await onMap(page, home.lon, home.lat);
  const before = new Set((await call(town, "GET", "/v1/orders?limit=1000")).orders.map(({ id }) => id));
  await page.click('[data-do="new-order"]');
  await page.mouse.click(point.x, point.y);
  await page.waitForSelector(".me-form");
  await shot(page, "meals-form");
  assert.deepEqual(await accessibility(page), []);
  await page.click('[data-do="submit-order"]');
  const made = await until(async () =>
    (await call(town, "GET", "/v1/orders?limit=1000")).orders.find(({ id }) => !before.has(id)), "the order");
  assert.ok(made.household, "it is for a home");
  await page.waitForSelector(`[data-order="${made.id}"].is-open`);
  const planned = await until(async () => {
    const o = await order(made.id);
    return o.unit && o;
  }, "a van for it");
  await page.waitForSelector(`[data-order="${made.id}"] .me-on >> text=${planned.unit}`);
  await page.waitForSelector(`.toast >> text=${planned.unit}`);
  assert.ok((await page.getAttribute(`[data-order="${made.id}"] a`, "href")).startsWith("/t/"), "the resident's link");
  await call(town, "POST", `/v1/orders/${made.id}/events`, { event: "load" });
  await page.waitForSelector(`[data-van="${planned.unit}"] .me-state >> text=loaded`);
  await call(town, "POST", `/v1/orders/${made.id}/events`, { event: "enroute" });
  await page.waitForSelector(`[data-van="${planned.unit}"] .me-state >> text="on the way"`);
  await call(town, "POST", `/v1/orders/${made.id}/events`, { event: "deliver" });
  await page.waitForSelector(`[data-order="${made.id}"]`, { state: "detached" });
  await page.click('[data-filter="delivered"]');
  await page.waitForSelector(`[data-order="${made.id}"]`);
  assert.match(await page.textContent(`[data-order="${made.id}"] .me-eta`), /^brought \d\d:\d\d$/);
  await page.context().close();
});

test("cards lead on, whatever panel is open: a home's to its order, a van's to its stops", async () => {
  const page = await open(town, { path: "/#household/h07084", locale: "en-GB" });
  await page.click('.card [data-offer="order"]');
  await page.waitForSelector(".me-form >> text=h07084");
  await page.dblclick('[data-do="submit-order"]');
  const made = await until(async () =>
    (await call(town, "GET", "/v1/orders?limit=1000")).orders.find((o) => o.household === "h07084" && o.state === "planned"), "a plan");
  const all = (await call(town, "GET", "/v1/orders?limit=1000")).orders.filter((o) => o.household === "h07084" && o.state === "planned");
  assert.equal(all.length, 1, "a double click orders once");
  await page.click('[data-panel="incident"]');
  await page.evaluate((unit) => { location.hash = `unit/${unit}`; }, made.unit);
  await page.click('.card [data-offer="order"]');
  await page.waitForSelector(`[data-van="${made.unit}"] .me-stops li`);
  assert.equal(await page.evaluate(() => location.hash), `#order/van/${made.unit}`);
  const seen = (selector) => page.evaluate((what) => {
    const box = document.querySelector(what).getBoundingClientRect();
    return box.top >= 0 && box.top < innerHeight;
  }, selector);
  await until(() => seen(`[data-van="${made.unit}"] .me-row`), "the van to be in sight");
  await shot(page, "meals-van-card");
});

test("the times of an order are those of the office's zone", async () => {
  const west = await serve(["--tz", "Europe/Lisbon", "--clock", "2026-07-01T10:00:00+01:00,1"]);
  const page = await open(west, { path: "/#order", locale: "en-GB" });
  const home = await household(west, "h07084");
  const point = await onMap(page, home.lon, home.lat);
  await page.click('[data-do="new-order"]');
  await page.mouse.click(point.x, point.y);
  assert.match(await page.inputValue("#me-from"), /^10:[45]/, "the first that can be met, by the office's clock");
  await page.fill("#me-from", "12:00");
  await page.fill("#me-to", "12:30");
  const answer = page.waitForResponse((reply) => reply.url().endsWith("/v1/orders") && reply.request().method() === "POST");
  await page.click('[data-do="submit-order"]');
  const { due } = await (await answer).json();
  assert.deepEqual(due.map((time) => Date.parse(time)), ["12:00", "12:30"].map((time) => Date.parse(`2026-07-01T${time}:00+01:00`)));
  await page.context().close();
});

test("orders that can't be read are not said to be none, and come by themselves", async () => {
  const page = await open(town, { path: "/#setting", locale: "en-GB" });
  allow(page, /503/);
  const list = /\/v1\/orders\?/;
  await page.route(list, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"status":503,"title":"Service Unavailable"}' }));
  await page.click('[data-panel="order"]');
  await page.waitForSelector(".me-fault:not([hidden])");
  await page.waitForSelector("[data-van]");
  assert.doesNotMatch(await page.innerText(".me"), /\b0\b|[Nn]othing to bring|No such order/, "nobody knows");
  await shot(page, "meals-fault");
  assert.deepEqual(await accessibility(page), []);
  await page.unroute(list);
  await page.waitForSelector(".me-fault", { state: "hidden" });
  await page.waitForSelector("[data-order]");
  assert.match(await page.textContent(".me-sum"), /[1-9]\d* open/);
});

test("a window that ends before it begins is refused with what to do, nothing is sent", async () => {
  const page = await open(town, { path: "/#order" });
  const home = await household(town, "h00100");
  const point = await onMap(page, home.lon, home.lat);
  await page.click('[data-do="new-order"]');
  await page.mouse.click(point.x, point.y);
  await page.fill("#me-from", "12:00");
  await page.fill("#me-to", "11:00");
  const count = (await call(town, "GET", "/v1/orders?limit=1000")).orders.length;
  await page.click('[data-do="submit-order"]');
  await until(async () => (await page.textContent(".me-form .me-wrong")).length > 0, "the reason");
  assert.equal((await call(town, "GET", "/v1/orders?limit=1000")).orders.length, count);
  await page.keyboard.press("Escape");
  await until(async () => (await page.$(".me-form")) === null, "the form to close");
  await page.context().close();
});

test("what a re-plan changed is told: a van drops out, its orders go to others", async () => {
  const page = await open(town, { path: "/#order" });
  await until(async () => (await page.textContent('[data-filter="planned"]')).match(/[1-9]/), "orders");
  const unit = (await order("o0")).unit;
  await call(town, "PATCH", `/collections/units/items/${unit}`, { properties: { status: "off" } },
    { "Content-Type": "application/merge-patch+json" });
  await until(async () => (await order("o0")).unit !== unit, "another van");
  await page.waitForSelector(".me-change summary");
  await until(() => page.$$eval(".me-change li.is-moved", (all) => all.length > 0), "an order that moved");
  await page.click(".me-change summary");
  await shot(page, "meals-replan");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});

test("a phone shows it, too", async () => {
  const page = await open(town, { path: "/#order", width: 390, height: 844, scheme: "dark", locale: "en-GB" });
  await page.click('[data-panel="order"]');
  await page.waitForSelector("[data-order]");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, "not too wide");
  await shot(page, "meals-phone");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});
