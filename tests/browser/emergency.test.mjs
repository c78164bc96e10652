// Emergency: an alarm comes, is seen and heard of, help is sent, seen on its way and let go, all by clicks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessibility, allow, call, mapIdle, open, serve, shot, until } from "./browser.mjs";
import { day, drawn, household, onMap, place } from "./day.mjs";

const town = await serve(day());
const row = (id) => `.em-item:has([data-focus="row-${id}"])`;
const incident = (id) => call(town, "GET", `/v1/incidents/${id}`);
const raise = (kind, home) => call(town, "POST", "/v1/incidents", { kind, household: home });

async function step(page, id, name, state) {
  await page.click(`${row(id)} [data-step="${name}"]`);
  await until(async () => (await incident(id)).state === state, `${id} to be ${state}`);
}

test("an alarm raised through the API appears, is assigned, is resolved by clicks", async () => {
  const page = await open(town);
  const { id, assigned } = await raise("fall", "h00100");
  await page.waitForSelector(row(id));
  await until(async () => (await page.textContent(".em-spoken")).includes("h00100"), "the alarm to be said aloud");
  const coming = await page.textContent(`${row(id)} .em-coming`);
  assert.ok(coming.includes(assigned[0].unit), coming);
  const clock = await page.textContent(`${row(id)} .em-clock`);
  await until(async () => (await page.textContent(`${row(id)} .em-clock`)) !== clock, "the clock to run down");
  await page.click(`${row(id)} .em-row`);
  const home = await household(town, "h00100");
  await until(async () => (await page.textContent(`${row(id)} .em-home`)).includes(home.address), "the address");
  assert.equal(await page.evaluate(() => location.hash), `#incident/${id}`);
  await until(async () => ((await drawn(page, "line-incident-way-0"))?.geometry?.coordinates?.length ??
    (await drawn(page, "line-incident-way-0"))?.features?.[0]?.geometry.coordinates.length ?? 0) > 2, "the way of who is coming");
  await shot(page, "emergency-open");
  assert.deepEqual(await accessibility(page), []);
  await step(page, id, "ack", "acknowledged");
  await step(page, id, "enroute", "enroute");
  await step(page, id, "arrive", "onscene");
  await step(page, id, "resolve", "resolved");
  await page.waitForSelector(row(id), { state: "detached" });
  await until(() => page.evaluate(() => !location.hash.includes("incident")), "the link to be cleared");
  await page.context().close();
});

test("a link to one that is over shows it, and what came of it", async () => {
  const { id } = await raise("fall", "h00104");
  await call(town, "POST", `/v1/incidents/${id}/events`, { event: "resolve", outcome: "false_alarm" });
  const page = await open(town, { path: `/#incident/${id}`, locale: "en-GB" });
  await page.waitForSelector(`${row(id)}.is-open .em-card`);
  assert.match(await page.textContent(`${row(id)} .em-clock`), /^ended .*\d\d:\d\d/);
  assert.equal(await page.locator(`${row(id)} .em-next`).count(), 0, "there is nothing to do");
  const open_ = await raise("door", "h00106");
  await page.waitForSelector(row(open_.id)); // and it stays when the list changes
  await page.waitForSelector(`${row(id)}.is-open .em-card`);
  await shot(page, "emergency-over");
  assert.deepEqual(await accessibility(page), []);
  await page.click(`${row(open_.id)} .em-row`);
  await page.waitForSelector(row(id), { state: "detached" });
  await call(town, "POST", `/v1/incidents/${open_.id}/events`, { event: "cancel" });
  await page.waitForSelector(row(open_.id), { state: "detached" });
});

test("a list that can't be read claims nothing, says why, and comes by itself", async () => {
  const page = await open(town, { path: "/#setting" });
  allow(page, /503/);
  const list = /\/v1\/incidents\?/;
  await page.route(list, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"status":503,"title":"Service Unavailable"}' }));
  await page.click('[data-panel="incident"]');
  await page.waitForSelector(".em-fault:not([hidden])");
  const said = () => page.evaluate(() => [...document.querySelectorAll(".em > p:not([hidden])")].map((one) => one.textContent).join(" "));
  assert.doesNotMatch(await said(), /没有/, "nobody knows whether somebody waits");
  const { id } = await raise("door", "h00110");
  await page.waitForSelector(row(id)); // its own answer comes
  assert.ok(await page.isVisible(".em-fault"), "the list may still lack others");
  await shot(page, "emergency-fault");
  assert.deepEqual(await accessibility(page), []);
  await page.unroute(list);
  await page.waitForSelector(".em-fault", { state: "hidden" });
  await page.waitForSelector(row(id));
  await call(town, "POST", `/v1/incidents/${id}/events`, { event: "cancel" });
  await page.waitForSelector(row(id), { state: "detached" });
  assert.match(await said(), /没有/, "now it is known");
});

test("a link to one among many stands in sight", async () => {
  const all = await Promise.all(Array.from({ length: 12 }, (_, n) => raise("door", `h0${5000 + n * 300}`)));
  const page = await open(town, { path: "/#incident", locale: "en-GB" });
  await page.waitForSelector(row(all[11].id));
  const last = (await page.$$eval(".em-list .em-row", (rows) => rows.map((one) => one.dataset.focus.slice("row-".length)))).at(-1);
  await page.evaluate((id) => { location.hash = `incident/${id}`; }, last);
  await page.waitForSelector(`${row(last)}.is-open`);
  await until(() => page.evaluate((what) => {
    const box = document.querySelector(what).getBoundingClientRect();
    return box.top >= 0 && box.bottom <= innerHeight;
  }, `${row(last)} .em-row`), "the row in sight");
  for (const { id } of all) await call(town, "POST", `/v1/incidents/${id}/events`, { event: "cancel" });
});

test("a home's card reports an alarm, whatever panel is open", async () => {
  const page = await open(town, { path: "/#household/h00108" });
  await page.click('[data-panel="setting"]');
  await page.click('.card [data-offer="incident"]');
  allow(page, /Failed to load resource/);
  await page.route("**/v1/incidents", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await page.click('.em-what[data-kind="gas"]');
  await page.waitForSelector('.toast >> text=/连不上服务器/');
  await page.waitForSelector('.em-what[data-kind="gas"]:not(:disabled)'); // what was asked for is not forgotten
  await page.unroute("**/v1/incidents");
  await page.click('.em-what[data-kind="gas"]');
  const found = await until(async () =>
    (await call(town, "GET", "/v1/incidents?kind=gas&state=queued,assigned")).incidents.find(({ household: at }) => at === "h00108"),
  "the incident");
  await page.waitForSelector(`${row(found.id)}.is-open`);
  await call(town, "POST", `/v1/incidents/${found.id}/events`, { event: "cancel" });
  await page.waitForSelector(row(found.id), { state: "detached" });
});

test("a click on an alarm on the map opens it", async () => {
  const page = await open(town);
  const { id, lon, lat } = await raise("water", "h12000");
  await page.waitForSelector(row(id));
  await onMap(page, lon, lat, 15);
  await until(async () => (await drawn(page, "incidents"))?.features.some(({ properties }) => properties.id === id), "the alarm on the map");
  await mapIdle(page);
  const point = await place(page, lon, lat);
  await page.mouse.click(point.x, point.y);
  await page.waitForSelector(`${row(id)}.is-open .em-card`);
  assert.equal(await page.evaluate(() => location.hash), `#incident/${id}`);
  await page.click(`${row(id)} [data-do="false_alarm"]`);
  await page.waitForSelector(row(id), { state: "detached" });
  await page.context().close();
});

test("an alarm is told on another panel, too", async () => {
  const page = await open(town, { path: "/#order" });
  await page.waitForSelector(".state.is-live");
  const { id } = await raise("gas", "h00300");
  await page.waitForSelector('.toast.is-bad >> text=h00300');
  await shot(page, "emergency-elsewhere");
  assert.deepEqual(await accessibility(page), []);
  await page.click('[data-panel="incident"]');
  await page.click(`${row(id)} .em-row`);
  await page.click(`${row(id)} [data-do="false_alarm"]`);
  await page.waitForSelector(row(id), { state: "detached" });
  await page.context().close();
});

test("one click sends another unit instead", async () => {
  const page = await open(town, { locale: "en-GB" });
  const { id, assigned } = await raise("heart", "h05000");
  const first = assigned[0].unit;
  await page.click(`${row(id)} .em-row`);
  await page.click(`${row(id)} [data-do="reassign"]`);
  const candidate = await page.waitForSelector(`${row(id)} .em-candidate`);
  const next = await candidate.getAttribute("data-unit");
  assert.notEqual(next, first);
  await shot(page, "emergency-reassign");
  assert.deepEqual(await accessibility(page), []);
  await candidate.click();
  await until(async () => (await incident(id)).assigned.some(({ unit }) => unit === next), `${next} to be sent`);
  assert.ok(!(await incident(id)).assigned.some(({ unit }) => unit === first), `${first} is let go`);
  await page.waitForSelector(`${row(id)} .em-coming >> text=${next}`);
  await page.click(`${row(id)} [data-do="false_alarm"]`);
  await page.waitForSelector(row(id), { state: "detached" });
  await page.context().close();
});

test("a call by phone: a click on the home, one on what happened, help is sent", async () => {
  const page = await open(town);
  const home = await household(town, "h07084");
  const point = await onMap(page, home.lon, home.lat);
  await page.click('[data-do="new-alarm"]');
  await page.mouse.click(point.x, point.y);
  await page.click('.em-what[data-kind="sos"]');
  const found = await until(async () =>
    (await call(town, "GET", "/v1/incidents?kind=sos&state=assigned")).incidents[0], "the incident");
  const at = await household(town, found.household);
  assert.equal(at.address.split("室")[0].slice(0, 8), home.address.slice(0, 8), "a home of that building");
  await page.waitForSelector(`${row(found.id)}.is-open`);
  await call(town, "POST", `/v1/incidents/${found.id}/events`, { event: "cancel" });
  await page.waitForSelector(row(found.id), { state: "detached" });
  await page.context().close();
});

test("the worst stands first, and the keyboard is enough", async () => {
  const page = await open(town);
  const calm = await raise("fall", "h00200");
  const late = await raise("gas", "h19000");
  await page.waitForSelector(row(calm.id));
  await page.waitForSelector(row(late.id));
  await until(async () => {
    const rows = await page.$$eval(".em-list:first-of-type .em-item", (all) => all.map((e) => e.className.match(/is-g(\d)/)[1]));
    return rows.length >= 2 && rows.every((g, n) => n === 0 || rows[n - 1] <= g);
  }, "rows by gravity");
  await page.focus(".em-list .em-row");
  const first = await page.evaluate(() => document.activeElement.dataset.focus);
  await page.keyboard.press("ArrowDown");
  const second = await page.evaluate(() => document.activeElement.dataset.focus);
  assert.notEqual(second, first);
  await page.keyboard.press("Enter");
  await page.waitForSelector(`[data-focus="${second}"][aria-expanded="true"]`);
  await until(() => page.evaluate((key) => document.activeElement.dataset.focus === key, second), "the focus to stay");
  await page.keyboard.press("Escape");
  await page.waitForSelector(`[data-focus="${second}"][aria-expanded="false"]`);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.focus), second);
  for (const { id } of [calm, late]) await call(town, "POST", `/v1/incidents/${id}/events`, { event: "cancel" });
  await page.context().close();
});

test("the sound can be muted, and stays so", async () => {
  const page = await open(town);
  await page.click('[data-do="sound"]');
  assert.equal(await page.getAttribute('[data-do="sound"]', "aria-pressed"), "false");
  await page.reload();
  await page.waitForSelector("body[data-ready]");
  assert.equal(await page.getAttribute('[data-do="sound"]', "aria-pressed"), "false");
  await page.click('[data-do="sound"]');
  assert.equal(await page.getAttribute('[data-do="sound"]', "aria-pressed"), "true");
  await page.context().close();
});

test("coverage, isochrones and moves are drawn and said", async () => {
  const page = await open(town);
  await page.click('[data-do="coverage"]');
  const covered = await call(town, "GET", "/v1/coverage?incident=sos&limit=1");
  await until(async () => (await page.textContent(".em-tools")).includes(String(covered.covered.households)), "how many are covered");
  const cells = await until(() => drawn(page, "coverage-cells"), "the cells");
  assert.equal(cells.features.length, covered.cells.filter(({ cell }) => cell !== null).length);
  const outside = await drawn(page, "coverage-outside");
  assert.equal(outside.features.length, covered.uncovered.households);
  await page.click('[data-do="moves"]');
  await page.waitForSelector(".em-moves .em-candidate");
  await until(async () => ((await drawn(page, "moves"))?.features.length ?? 0) > 0, "the moves on the map");
  await shot(page, "emergency-moves");
  const move = page.locator(".em-move").first();
  const unit = await move.getAttribute("data-unit");
  const homeOf = async () => (await call(town, "GET", `/collections/units/items/${unit}`)).properties.home;
  const before = await homeOf();
  await move.locator('[data-do="order-move"]').click();
  await until(async () => JSON.stringify(await homeOf()) !== JSON.stringify(before), "the unit to wait elsewhere, by one click");
  await until(async () => (await move.locator('[role="status"]').textContent()).includes(unit), "the page to say so");
  await move.locator('[data-do="order-move"]').click();
  await until(async () => JSON.stringify(await homeOf()) === JSON.stringify(before), "the unit to wait where it did");
  await page.click('[data-do="isochrone"]');
  const point = await onMap(page, 121.715, 29.955, 13);
  await page.mouse.click(point.x, point.y);
  await until(async () => ((await drawn(page, "isochrone"))?.features.length ?? 0) === 2, "two isochrones");
  await shot(page, "emergency-coverage");
  assert.deepEqual(await accessibility(page), []);
  await page.click('[data-do="coverage"]');
  await until(async () => (await drawn(page, "coverage-cells")) === undefined, "the layer to go");
  await page.context().close();
});

test("a request shows its five clocks and is rated", async () => {
  const page = await open(town, { width: 390, height: 844, locale: "en-GB", scheme: "dark" });
  const { id, assigned } = await raise("request", "h09000");
  const unit = assigned[0].unit;
  await page.click('[data-panel="incident"]');
  await page.click(`${row(id)} .em-row`);
  await page.waitForSelector(`${row(id)} .em-steps li[aria-current="step"]`);
  assert.equal((await page.$$(`${row(id)} .em-steps li`)).length, 5);
  await shot(page, "emergency-request-phone");
  assert.deepEqual(await accessibility(page), []);
  for (const event of ["ack", "enroute", "arrive"]) await call(town, "POST", `/v1/incidents/${id}/events`, { event, unit });
  await step(page, id, "resolve", "resolved");
  await page.click(`${row(id)} [data-rate="5"]`);
  await until(async () => (await incident(id)).rating === 5, "the rating");
  await page.waitForSelector(row(id), { state: "detached" });
  await page.context().close();
});
