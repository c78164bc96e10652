// Rounds: a round is planned, its week is a board, a day is a way on the map; a visit's result opens a notice, which grows
// overdue, gets more time and is printed; somebody falls ill and the rest is planned anew.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessibility, allow, call, mapIdle, open, serve, shot, until } from "./browser.mjs";
import { at, day, drawn } from "./day.mjs";

const SIZES = [[1280, 720], [1920, 1080], [390, 844]];
const MONDAY = at("00:00").slice(0, 10);
const town = await serve(day("08:00"));
const printing = () => { window.print = () => { window.printed = true; }; };
const dateOf = (start) => new Date(Date.parse(start) + 8 * 3_600_000).toISOString().slice(0, 10);
const visits = async (more = "") => (await call(town, "GET", `/v1/visits?limit=1000&from=${MONDAY}${more}`)).visits;

test("a round is planned by the form, and its week stands on the board", async () => {
  const page = await open(town, { path: "/#round/plan" });
  await page.click('[data-do="new-round"]');
  await page.fill('[data-form="new-round"] [data-field="from"]', MONDAY);
  await shot(page, "rounds-new");
  await page.click('[data-do="new-round-send"]');
  await page.waitForSelector("[data-result]", { timeout: 60_000 });
  await shot(page, "rounds-planned");
  assert.deepEqual(await accessibility(page), []);
  const planned = await visits();
  assert.ok(planned.length > 20, `${planned.length} visits`);
  await page.click('[data-do="round-week"]');
  await page.waitForSelector(".rd-cell");
  assert.ok((await page.textContent(".rd-sum")).includes(String(planned.length)), "the sum says how many there are");
  const days = planned.flatMap(({ inspector, second, start }) => [inspector, second].filter(Boolean).map((who) => `${who} ${dateOf(start)}`));
  assert.equal(await page.locator(".rd-cell").count(), new Set(days).size, "one cell for each inspector's day");
  await mapIdle(page);
  assert.equal((await drawn(page, "round-sites")).features.length, new Set(planned.map(({ site }) => site)).size, "each site is on the map");
  await shot(page, "rounds-week");
  await page.click('[data-do="week_after"]');
  await page.waitForSelector(".rd-calm");
  assert.match(await page.evaluate(() => location.hash), /#round\/week\/\d{4}-\d\d-\d\d/);
  await page.click('[data-do="week_this"]');
  await page.waitForSelector(".rd-cell");
  await page.context().close();
});

test("a day is a list in order and a way by the streets; its result is written down with a hazard", async () => {
  const [first] = (await visits("&state=planned")).sort((a, b) => a.start.localeCompare(b.start));
  const page = await open(town, { path: `/#round/day/${first.inspector}/${MONDAY}`, init: printing });
  const own = (await visits(`&inspector=${first.inspector}`)).filter(({ start }) => Date.parse(start) < Date.parse(at("23:59")));
  await page.waitForSelector(`[data-visit="${first.id}"]`);
  const listed = await page.evaluate(() => [...document.querySelectorAll("[data-visit]")].map((row) => row.dataset.visit));
  assert.deepEqual(listed, own.sort((a, b) => a.start.localeCompare(b.start)).map(({ id }) => id));
  const way = await until(() => drawn(page, "line-round-way"), "the way");
  const line = (way.features?.[0] ?? way).geometry;
  assert.ok(line.coordinates.length > own.length + 2, "it follows the streets");
  await mapIdle(page);
  await shot(page, "rounds-day");
  await page.click(`[data-visit="${first.id}"] [data-do="result"]`);
  await page.check('input[name="outcome"][value="rectify"]');
  await page.fill('[data-field="hazard"]', "消防通道被货物堵塞");
  await page.click('[data-do="result-send"]');
  await page.waitForSelector('[data-form="result"] [role="alert"]:not(:empty)');
  await shot(page, "rounds-result");
  assert.deepEqual(await accessibility(page), []);
  await page.fill('[data-field="reason"]', "督导员电话报告");
  await page.click('[data-do="result-send"]');
  const notice = await until(async () => (await call(town, "GET", "/v1/rectifications?state=open")).rectifications[0], "a notice");
  await page.waitForSelector(`[data-notice="${notice.id}"]`);
  assert.equal((await call(town, "GET", `/v1/visits/${first.id}`)).state, "rectify");
  await page.click(`[data-notice="${notice.id}"] [data-do="notice-paper"]`);
  await page.waitForSelector(".paper h1");
  assert.ok((await page.textContent(".paper")).includes("消防通道被货物堵塞"));
  await shot(page, "rounds-notice");
  assert.deepEqual(await accessibility(page), []);
  await page.click('[data-do="print"]');
  await page.waitForFunction(() => window.printed);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.isVisible("#print h1"), true);
  assert.equal(await page.isVisible(".paper"), false);
  await shot(page, "rounds-notice-paper");
  await page.context().close();
});

test("without a mouse: from the board to a day, from day to day, and back to where one was", async () => {
  const page = await open(town, { path: `/#round/week/${MONDAY}`, locale: "en-GB" });
  await page.waitForSelector(".rd-cell");
  const first = page.locator(".rd-cell").first();
  await first.focus();
  await page.keyboard.press("ArrowDown");
  const cell = await page.evaluate(() => document.activeElement.dataset.focus);
  assert.match(cell, /^cell-/, "the arrows walk over the cells");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-visit]");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.focus), "day-title");
  await page.focus('[data-focus="rd.day_after"]');
  await page.keyboard.press("Enter");
  await until(() => page.evaluate((monday) => !location.hash.endsWith(monday), MONDAY), "another day");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.focus), "day-title");
  await page.focus('[data-focus="rd.day_before"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-visit]");
  await page.focus('[data-do="week-back"]');
  await page.keyboard.press("Enter");
  await until(() => page.evaluate((name) => document.activeElement.dataset.focus === name, cell), "the focus where it was");
  await page.fill('.rd-week-head input[type="search"]', "inspector-00");
  await until(async () => (await page.locator(".rd-board tbody tr").count()) < 10, "fewer rows");
  await page.context().close();
});

test("a visit is promised, another is cancelled, each by its buttons", async () => {
  const [first, second] = (await visits("&state=planned")).sort((a, b) => b.start.localeCompare(a.start));
  const page = await open(town, { locale: "en-GB", path: "/#round" });
  const go = async (visit) => {
    await page.evaluate((hash) => { location.hash = hash; }, `#round/day/${visit.inspector}/${dateOf(visit.start)}`);
    await page.waitForSelector(`[data-visit="${visit.id}"]`);
  };
  await go(first);
  await page.click(`[data-visit="${first.id}"] [data-do="promise"]`);
  await page.waitForSelector(`[data-visit="${first.id}"][data-state="promised"]`);
  await go(second);
  await page.click(`[data-visit="${second.id}"] [data-do="cancel-visit"]`);
  assert.equal((await call(town, "GET", `/v1/visits/${second.id}`)).state, "planned", "one click is not enough");
  await page.click(`[data-visit="${second.id}"] [data-do="cancel-visit"]`);
  await until(async () => (await call(town, "GET", `/v1/visits/${second.id}`)).state === "cancelled", "the visit to be cancelled");
  await page.waitForSelector(`[data-visit="${second.id}"]`, { state: "detached" });
  await page.context().close();
});

test("who is ill is left out by one form; what no plan can hold is named with what would mend it", async () => {
  const ahead = await visits("&state=planned");
  const count = new Map();
  for (const { inspector } of ahead) count.set(inspector, (count.get(inspector) ?? 0) + 1);
  const [[ill]] = [...count].sort((a, b) => b[1] - a[1]);
  const page = await open(town, { path: "/#round/plan" });
  await page.click('[data-do="replan"]');
  await page.selectOption('[data-form="replan"] [data-field="who"]', ill);
  await shot(page, "rounds-replan");
  await page.click('[data-do="replan-send"]');
  await page.waitForSelector("[data-result]", { timeout: 60_000 });
  assert.equal((await visits(`&state=planned&inspector=${ill}`)).filter(({ inspector }) => inspector === ill).length, 0, "nothing is left to who is ill");
  assert.equal((await visits("&state=planned,promised")).length > 0, true, "the others go on");
  const round = (await call(town, "GET", "/v1/rounds")).rounds[0];
  const { broken, unplanned } = await call(town, "GET", `/v1/rounds/${round.id}`);
  assert.equal(await page.locator(".rd-mishap-list li").count(), Math.min(40, broken.length) + Math.min(40, unplanned.length));
  assert.equal(await page.locator(".rd-mend").count() > 0, [...broken, ...unplanned].some(({ hint_zh }) => hint_zh));
  await shot(page, "rounds-replanned");
  assert.deepEqual(await accessibility(page), []);
  await page.click('[data-do="report"]');
  await page.waitForSelector(".paper table");
  await shot(page, "rounds-report");
  assert.deepEqual(await accessibility(page), []);
  await page.keyboard.press("Escape");
  await page.waitForSelector(".paper", { state: "detached" });
  await page.context().close();
});

test("a round that is too much says what is missing, and what would mend it", async () => {
  const later = new Date(Date.parse(`${MONDAY}T00:00:00Z`) + 14 * 864e5).toISOString().slice(0, 10);
  const page = await open(town, { path: "/#round/plan", locale: "en-GB" });
  await page.click('[data-do="new-round"]');
  await page.fill('[data-form="new-round"] [data-field="from"]', later);
  await page.fill('[data-form="new-round"] input[step="any"]', "12");
  await page.click('[data-do="new-round-send"]');
  await page.waitForSelector(".rd-mend", { timeout: 90_000 });
  await shot(page, "rounds-missing");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});

test("what is overdue comes first, oldest on top, and is given more time by a rank that may", async () => {
  const [site] = (await call(town, "GET", "/collections/factories/items?limit=1")).features;
  const { id } = await call(town, "POST", "/v1/visits", { site: site.id, inspector: "inspector-001" });
  await call(town, "POST", `/v1/visits/${id}/result`, { outcome: "rectify", reason: "test",
    hazards: [{ text: "配电箱没有门", severity: 4, tenant: site.properties.tenants?.[0]?.id }] });
  await call(town, "POST", "/v1/clock", { advance_s: 20 * 86_400 });
  const page = await open(town, { path: "/#round" });
  await page.waitForSelector('.rd-head [data-view="notices"].is-bad');
  await shot(page, "rounds-overdue-head");
  await page.click('.rd-head [data-view="notices"]');
  await page.waitForSelector("[data-notice].is-late");
  const due = await page.evaluate(() => [...document.querySelectorAll("[data-notice]")].map((row) => row.dataset.notice));
  const { rectifications } = await call(town, "GET", "/v1/rectifications?overdue=true");
  assert.deepEqual(due, rectifications.sort((a, b) => a.due.localeCompare(b.due)).map((notice) => notice.id));
  await shot(page, "rounds-overdue");
  assert.deepEqual(await accessibility(page), []);
  const first = page.locator("[data-notice]").first();
  const before = rectifications.find((notice) => notice.id === due[0]);
  await first.locator('[data-do="extend"]').click();
  await page.fill('[data-form="extend"] [data-field="reason"]', "等待配件");
  await page.selectOption('[data-form="extend"] [data-field="rank"]', "community");
  allow(page, /409/); // the first answer
  await page.click('[data-do="extend-send"]');
  await page.waitForSelector('[data-form="extend"] [role="alert"]:not(:empty)');
  await shot(page, "rounds-extend-refused");
  assert.equal((await call(town, "GET", `/v1/rectifications/${before.id}`)).due, before.due, "a rank that is too low gives nothing");
  await page.selectOption('[data-form="extend"] [data-field="rank"]', "district");
  await page.click('[data-do="extend-send"]');
  await until(async () => (await call(town, "GET", `/v1/rectifications/${before.id}`)).due > before.due, "more time");
  await page.waitForSelector(`[data-notice="${before.id}"]`, { state: "detached" });
  await page.context().close();
});

test("what can't be read is not said to be none, and is read again by a click", async () => {
  const page = await open(town, { path: "/#setting" });
  allow(page, /503/);
  const lists = /\/v1\/(visits|rectifications)\?/;
  await page.route(lists, (route) => route.fulfill({ status: 503, contentType: "application/problem+json", body: '{"status":503,"title":"Service Unavailable"}' }));
  await page.click('[data-panel="round"]');
  await page.waitForSelector(".rd-fault:not([hidden])");
  assert.doesNotMatch(await page.innerText(".rd"), /0 次|没有|正在读取/, "nobody knows");
  await shot(page, "rounds-fault");
  assert.deepEqual(await accessibility(page), []);
  await page.click('.rd-head [data-view="notices"]');
  assert.doesNotMatch(await page.innerText(".rd"), /没有/);
  await page.unroute(lists);
  await page.click(".rd-fault button");
  await page.waitForSelector("[data-notice]");
  await page.waitForSelector(".rd-fault", { state: "hidden" });
});

test("all of its views are readable at three sizes by day and night", async () => {
  const [{ inspector }] = (await visits("&state=rectify")).sort((x, y) => x.start.localeCompare(y.start));
  const views = [["week", `#round/week/${MONDAY}`, ".rd-cell"], ["day", `#round/day/${inspector}/${MONDAY}`, "[data-visit]"],
    ["notices", "#round/notices", "[data-notice]"], ["plan", "#round/plan", "[data-round]"]];
  for (const [width, height] of SIZES) {
    for (const [scheme, locale] of [["light", "zh-CN"], ["dark", "en-GB"]]) {
      const page = await open(town, { path: `/${views[0][1]}`, width, height, scheme, locale });
      for (const [name, hash, there] of views) {
        await page.evaluate((to) => { location.hash = to; }, hash);
        await page.waitForSelector(there);
        await mapIdle(page);
        assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${name} ${width}: not too wide`);
        assert.deepEqual(await accessibility(page), [], `${name} ${width} ${scheme}`);
        await shot(page, `rounds-${name}-${width}-${scheme}`);
      }
      await page.context().close();
    }
  }
});
