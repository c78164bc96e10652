// Settings: a table is changed by its form and holds at once; two who change one are told of each other; who may not, is told so.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { accessibility, allow, call, open, serve, shot, until } from "./browser.mjs";
import { at, day } from "./day.mjs";

const SIZES = [[1280, 720], [1920, 1080], [390, 844]];
const town = await serve(day());
const setting = (name) => call(town, "GET", `/v1/settings/${name}`);
const field = (page, label) => page.locator(".st-form label", { hasText: label }).first().locator("input, select, textarea");

test("every table opens by its link, and saving what is untouched changes nothing", async () => {
  const page = await open(town, { path: "/#setting", locale: "en-GB" });
  await page.waitForSelector(".st-list [data-table]");
  await shot(page, "settings-list");
  assert.deepEqual(await accessibility(page), []);
  const names = await page.evaluate(() => [...document.querySelectorAll("[data-table]")].map((one) => one.dataset.table));
  assert.deepEqual([...names].sort(), Object.keys(await call(town, "GET", "/v1/settings")).sort(), "all of them are there");
  for (const name of names) {
    await page.evaluate((hash) => { location.hash = hash; }, `#setting/${name}`);
    await page.waitForSelector('[data-form="setting"]');
    await page.evaluate(() => document.querySelectorAll(".st details").forEach((one) => { one.open = true; }));
    assert.deepEqual(await accessibility(page), [], name);
    await page.click('[data-do="save"]');
    await page.waitForSelector('.st-told [role="status"]');
    assert.deepEqual((await call(town, "GET", `/v1/settings/${name}/history`)).history, [], `${name} was not written`);
    await page.click('[data-do="tables"]');
    await page.waitForSelector(".st-list");
  }
  await page.context().close();
});

test("a clock is changed by the form, holds at once, and the page says who changed what", async () => {
  const page = await open(town, { path: "/#setting/incidents" });
  await page.click('details[data-path="kinds/sos"] summary');
  await field(page, "承诺到达").fill("480");
  await page.click('[data-do="save"]');
  await page.waitForSelector('.st-change[data-version="2"]');
  assert.equal((await setting("incidents")).kinds.sos.promise_s, 480);
  const said = await page.textContent(".st-change");
  assert.match(said, /紧急呼叫 › 承诺到达: 600 → 480/);
  const incident = await call(town, "POST", "/v1/incidents", { household: "h00100", kind: "sos" });
  assert.equal((Date.parse(incident.deadline) - Date.parse(incident.received_at ?? incident.opened_at)) / 1000, 480, "the next alarm goes by it");
  await shot(page, "settings-incidents");
  await page.context().close();
});

test("what is wrong is said at once, and nothing is saved", async () => {
  const page = await open(town, { path: "/#setting/calendar", locale: "en-GB" });
  await page.fill('[data-days="holidays"]', "2026-10-01..2026-10-07\n2026-13");
  await page.click('[data-do="save"]');
  await page.waitForSelector(".st-told .bad");
  assert.match(await page.textContent(".st-told"), /2026-13/);
  await page.fill('[data-days="holidays"]', "2026-10-01..2026-10-07");
  await page.fill('[data-days="workdays"]', "2026-09-27\n2026-10-10 = We");
  await page.click('[data-do="save"]');
  await page.waitForSelector('.st-change[data-version="2"]');
  assert.deepEqual(await setting("calendar"), { ...(await setting("calendar")),
    holidays: [{ from: "2026-10-01", to: "2026-10-07" }], workdays: ["2026-09-27", { date: "2026-10-10", as: "We" }] });
  await page.click('[data-do="json"]');
  const text = await page.inputValue(".st-json");
  await page.fill(".st-json", text.replace('"holidays"', "holidays"));
  await page.waitForSelector(".st-form .bad:not(:empty)");
  await page.click('[data-do="save"]');
  await page.waitForSelector(".st-told .bad");
  await shot(page, "settings-json");
  assert.deepEqual(await accessibility(page), []);
  await page.fill(".st-json", text.replace("Mo-Fr 08:30", "Mo-Fr 25:30"));
  allow(page, /422/); // the server's word
  await page.click('[data-do="save"]');
  await until(async () => /working/i.test(await page.textContent(".st-told")), "the server's reason");
  assert.match((await setting("calendar")).working, /08:30/);
  await page.context().close();
});

test("two who change one table are told of each other, and neither's work is lost", async () => {
  const page = await open(town, { path: "/#setting/planner" });
  await page.waitForSelector('[data-form="setting"]');
  await field(page, "提前余量").fill("240");
  const before = await setting("planner");
  await call(town, "PUT", "/v1/settings/planner", { ...before, km_s: 75 });
  allow(page, /412/);
  await page.click('[data-do="save"]');
  await page.waitForSelector('[data-conflict="planner"]');
  const said = await page.textContent(".st-conflict");
  assert.match(said, /60 → 75/);
  await shot(page, "settings-conflict");
  assert.deepEqual(await accessibility(page), []);
  assert.equal((await setting("planner")).spare_s, 300, "nothing was overwritten");
  await page.click('[data-do="mine"]');
  await page.click('[data-do="save"]');
  await page.waitForSelector('.st-change[data-version="3"]');
  const after = await setting("planner");
  assert.equal(after.km_s, 75);
  assert.equal(after.spare_s, 240);
  await page.context().close();
});

test("what another officer changes comes to an open page by itself, and takes no focus away", async () => {
  const page = await open(town, { path: "/#setting/live", locale: "en-GB" });
  const own = await open(town, { path: "/#setting/live", locale: "en-GB" });
  for (const one of [page, own]) await one.waitForSelector('[data-form="setting"]');
  await page.focus("#search");
  const before = await setting("live");
  await field(own, "stale after").fill("75");
  await own.click('[data-do="save"]');
  await page.waitForSelector('.st-change >> text=75');
  assert.equal(await field(page, "stale after").inputValue(), "75");
  assert.equal(await page.evaluate(() => document.activeElement.id), "search", "whoever types elsewhere goes on");
  assert.equal(await own.locator(".st-told .bad").count(), 0, "one's own change is no surprise");
  await field(page, "stale after").fill("80");
  await call(town, "PUT", "/v1/settings/live", before);
  await page.waitForSelector('.st-told .bad[role="status"]');
  assert.equal(await field(page, "stale after").inputValue(), "80", "what was typed stays");
});

test("what a regime lays over a table is said", async () => {
  await call(town, "PUT", "/v1/settings/regimes", { storm: { settings: { incidents: { coverage_s: 45 } } } });
  await call(town, "POST", "/v1/regimes/storm", { on: true });
  const page = await open(town, { path: "/#setting/incidents", locale: "en-GB" });
  await page.waitForSelector(".st-over");
  assert.match(await page.textContent(".st-over"), /20 → 45/);
  await shot(page, "settings-regime");
  await call(town, "POST", "/v1/regimes/storm", { on: false });
  await page.waitForSelector(".st-over", { state: "detached" });
  await page.context().close();
});

test("it is readable at three sizes by day and night", async () => {
  for (const [width, height] of SIZES) {
    for (const [scheme, locale] of [["light", "zh-CN"], ["dark", "en-GB"]]) {
      const page = await open(town, { path: "/#setting/incidents", width, height, scheme, locale });
      await page.waitForSelector('[data-form="setting"]', { state: "attached" });
      await page.evaluate(() => { document.querySelector('details[data-path="kinds/gas"]').open = true; });
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${width}: not too wide`);
      assert.deepEqual(await accessibility(page), [], `${width} ${scheme}`);
      await shot(page, `settings-${width}-${scheme}`);
      await page.context().close();
    }
  }
});

test("with tokens: a link signs in, each role is offered what it may do, and can make way for another", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "houtao-tokens-")), "tokens");
  const token = (name, role) => execFileSync(process.env.HOUTAO, ["token", "add", file, "--name", name, "--role", role], { encoding: "utf8" }).split("\n")[0].trim();
  const viewer = token("look", "viewer");
  const dispatcher = token("dora", "dispatcher");
  const admin = token("anna", "admin");
  const guarded = await serve([...day(), "--tokens", file]);
  const by = (who) => ({ Authorization: `Bearer ${who}` });
  const area = { type: "Polygon", coordinates: [[[121.71, 29.95], [121.72, 29.95], [121.72, 29.96], [121.71, 29.95]]] };
  await call(guarded, "POST", "/collections/zones/items", { type: "Feature", id: "war", geometry: area, properties: { name: "预案区", kind: "closed" } },
    { "Content-Type": "application/geo+json", ...by(admin) });
  await call(guarded, "PUT", "/v1/settings/regimes", { outbreak: { zones: ["war"] } }, by(admin));
  await call(guarded, "POST", "/v1/incidents", { kind: "fall", household: "h00100" }, by(admin));
  const asked = /401/; // before the token is there

  const page = await open(guarded, { path: "/", ready: null, locale: "en-GB" });
  allow(page, asked);
  await page.waitForSelector("dialog.sign #token");
  await shot(page, "sign-in");
  assert.deepEqual(await accessibility(page), []);
  await page.fill("#token", "nobody-has-this");
  await page.keyboard.press("Enter");
  await page.waitForSelector('dialog.sign [role="alert"]');
  await page.fill("#token", viewer);
  await page.keyboard.press("Enter");
  await page.waitForSelector("body[data-ready]");
  await page.waitForSelector(".state.is-live");
  await page.waitForSelector(".em-item");
  await page.click(".em-item .em-row");
  await page.waitForSelector(".em-item .em-seat");
  await shot(page, "emergency-viewer");
  assert.equal(await page.locator("[data-may]:visible").count(), 0, "what a viewer may not do is not offered: alarms");
  for (const [panel, there] of [["order", ".me-chips button"], ["zone", '[data-zone="war"]'], ["round", ".rd-views"]]) {
    await page.click(`[data-panel="${panel}"]`);
    await page.waitForSelector(there);
    assert.equal(await page.locator("[data-may]:visible").count(), 0, panel);
    assert.deepEqual(await accessibility(page), [], panel);
  }
  await page.click('[data-panel="zone"]');
  await page.waitForSelector('[data-regime="outbreak"].is-over');
  assert.match(await page.textContent('[data-zone="war"]'), /waits for its regime/);
  await call(guarded, "POST", "/v1/regimes/outbreak", { on: true }, by(admin));
  await page.waitForSelector('[data-regime="outbreak"].is-closed');
  await until(async () => /with its regime/.test(await page.textContent('[data-zone="war"]')), "the zone to hold");
  assert.doesNotMatch(await page.textContent('[data-regime="outbreak"]'), /anna/, "not by whom");
  await shot(page, "zones-viewer");
  allow(page, /403/); // the settings are asked for, and denied
  await page.click('[data-panel="setting"]');
  await page.click('[data-table="calendar"]');
  await page.waitForSelector(".st-fault");
  await shot(page, "settings-viewer");
  assert.deepEqual(await accessibility(page), []);
  assert.match(await page.textContent('[data-tool="account"]'), /look/);
  await page.click('[data-tool="account"]');
  await page.waitForSelector('[data-do="sign-out"]');
  await shot(page, "account");
  assert.deepEqual(await accessibility(page), []);
  await page.click('[data-do="sign-out"]');
  await page.waitForSelector("dialog.sign #token");
  await page.fill("#token", dispatcher);
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-form="setting"]');
  assert.match(await page.textContent('[data-tool="account"]'), /dora/);
  assert.equal(await page.isVisible('[data-do="save"]'), false, "a dispatcher reads the tables");
  assert.match(await page.textContent(".st-form"), /Only admins/);
  await page.click('[data-panel="zone"]');
  await page.waitForSelector('[data-do="draw-zone"]');
  await page.waitForSelector('[data-regime="outbreak"] >> text=anna');
  assert.equal(await page.isVisible('[data-do="regime-off"]'), false, "and puts no regime off");
  await page.context().close();

  const link = await open(guarded, { path: `/#setting/calendar&token=${admin}`, ready: null, locale: "en-GB" });
  await link.waitForSelector('[data-form="setting"]');
  assert.equal(await link.locator("dialog.sign").count(), 0, "nobody is asked");
  assert.ok(!(await link.evaluate(() => location.href)).includes(admin), "the token is not left in the address");
  await link.fill('[data-days="holidays"]', "2027-01-01");
  await link.click('[data-do="save"]');
  await link.waitForSelector('.st-change[data-version="2"] >> text=anna');
  await link.context().close();
});

test("what the server refuses is said in Chinese on the Chinese page", async () => {
  const page = await open(town, { path: "/#setting/incidents" });
  await page.click('details[data-path="kinds/sos"] summary');
  await field(page, "承诺到达").fill("0");
  allow(page, /422/);
  await page.click('[data-do="save"]');
  await until(async () => (await page.textContent(".st-told")) !== "", "the reason");
  assert.match(await page.textContent(".st-told"), /警情种类 › 紧急呼叫 › 承诺到达：要填 1 到 604800 的整数/);
  await shot(page, "settings-refused");
});

// The table of the page goes by the server's own sentences: here they are provoked, not copied.
test("each kind of refusal has its words", async () => {
  const page = await open(town);
  const { id } = await call(town, "POST", "/v1/incidents", { kind: "heart", household: "h03000" });
  await call(town, "POST", "/v1/orders", { id: "refused", household: "h03000", kitchen: "kitchen-1", load: 1, due: [at("11:00"), at("12:00")] });
  const area = (...ring) => ({ type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties: { kind: "closed" } });
  await call(town, "POST", "/collections/zones/items", { id: "held", ...area([121.71, 29.95], [121.711, 29.95], [121.711, 29.951], [121.71, 29.95]) },
    { "Content-Type": "application/geo+json" });
  await call(town, "PUT", "/v1/settings/regimes", { drill: { zones: ["held"] }, other: { zones: ["nothing"] } });
  await call(town, "POST", "/v1/regimes/drill", { on: true });
  const event = `/v1/incidents/${id}/events`;
  const meal = (more) => ({ household: "h03000", kitchen: "kitchen-1", load: 1, due: [at("11:00"), at("12:00")], ...more });
  const asked = [
    ["POST", event, { event: "resolve", outcome: "helped" }, /还没有人到场/],
    ["POST", event, { event: "evaluate", rating: 5 }, /办结之后才能评价/],
    ["POST", event, { event: "arrive", unit: "responder-40" }, /responder-40 不在这件警情上/],
    ["POST", event, { event: "reopen" }, /还没有办结/],
    ["POST", event, { event: "reassign", unit: "van-01" }, /请另派一组/],
    ["POST", "/v1/incidents/none/events", { event: "ack" }, /没有这一条/],
    ["POST", "/v1/incidents", { kind: "fall", household: "nobody" }, /没有 nobody 这一户/],
    ["POST", "/v1/orders", meal({ due: [at("12:00"), at("11:00")] }), /时段：结束早于开始/],
    ["POST", "/v1/orders", meal({ due: [at("08:00"), at("09:00")] }), /时段：这个时段已经过去/],
    ["POST", "/v1/orders", meal({ kitchen: "nowhere" }), /没有 nowhere 这个点位/],
    ["POST", "/v1/orders/refused/events", { event: "deliver" }, /出发之后才能送达/],
    ["POST", "/v1/orders/refused/events", { event: "reopen" }, /还没有办结/],
    ["PUT", "/v1/settings/planner", { km_s: -1 }, /一公里折合车时：要填 0 到 3600 的整数/],
    ["PUT", "/v1/settings/planner", { shoes: 1 }, /没有“shoes”这一项/],
    ["PUT", "/v1/settings/speeds", { learn: 7 }, /只能是“是”或“否”/],
    ["PUT", "/v1/settings/calendar", { working: "always" }, /工作时间：要写成 Mo-Fr/],
    ["PUT", "/v1/settings/calendar", { holidays: ["2026-10-01"], workdays: ["2026-10-01"] }, /同时写在节假日里/],
    ["PUT", "/v1/settings/visits", { due_days: [7, 15, 30, 60] }, /较重的隐患期限不能长于较轻的/],
    ["PUT", "/v1/settings/meals", { default: { capacity: -1 } }, /每刻钟份数（0 不限）：要填 0 到/],
    ["PUT", "/v1/settings/incidents", { weights: [1] }, /要填四个 1 到 1000 的整数/],
    ["PUT", "/v1/settings/regimes", {}, /预案“drill”正在启用/],
    ["POST", "/v1/regimes/other", { on: true }, /预案里有 1 处登记中没有/],
    ["POST", "/v1/regimes/none", { on: true }, /没有这个预案/],
    ["POST", "/v1/regimes/drill", { on: false, why: "two words" }, /依据编号只能用/],
    ["DELETE", "/collections/zones/items/held", undefined, /请先解除预案/],
    ["POST", "/v1/rounds", { from: "2020-01-06", weeks: 1, collection: "shoes" }, /采集|不在可选的值里|点位/],
  ];
  for (const [method, path, body, want] of asked) {
    const reply = await fetch(town.address + path, { method, headers: { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body) });
    const said = await reply.json();
    assert.ok(reply.status >= 400 && reply.status < 500, `${method} ${path}: ${reply.status}`);
    const text = await page.evaluate(([status, all]) => window.houtao.refusal(status, all), [reply.status, said]);
    assert.match(text, want, `${said.detail}: ${text}`);
    assert.doesNotMatch(text, /服务器说明/, text);
  }
  await call(town, "POST", "/v1/regimes/drill", { on: false });
});
