// Settings: a table is changed by its form and holds at once; two who change one are told of each other; who may not, is told so.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { accessibility, allow, call, open, serve, shot, until } from "./browser.mjs";
import { day } from "./day.mjs";

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

test("what a regime lays over a table is said", async () => {
  await call(town, "PUT", "/v1/settings/regimes", { storm: { settings: { incidents: { coverage_s: 45 } } } });
  await call(town, "POST", "/v1/regimes/storm", { on: true });
  const page = await open(town, { path: "/#setting/incidents", locale: "en-GB" });
  await page.waitForSelector(".st-over");
  assert.match(await page.textContent(".st-over"), /20 → 45/);
  await shot(page, "settings-regime");
  await call(town, "POST", "/v1/regimes/storm", { on: false });
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

test("with tokens: a link signs in, a viewer is told what is not for him, a dispatcher that admins change", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "houtao-tokens-")), "tokens");
  const token = (name, role) => execFileSync(process.env.HOUTAO, ["token", "add", file, "--name", name, "--role", role], { encoding: "utf8" }).split("\n")[0].trim();
  const viewer = token("look", "viewer");
  const dispatcher = token("dora", "dispatcher");
  const guarded = await serve([...day(), "--tokens", file]);
  const denied = /40[13]/;

  const page = await open(guarded, { path: "/", ready: null, locale: "en-GB" });
  allow(page, denied);
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
  await page.click('[data-panel="setting"]');
  await page.click('[data-table="calendar"]');
  await page.waitForSelector(".st-fault");
  await shot(page, "settings-viewer");
  assert.deepEqual(await accessibility(page), []);
  await page.click('[data-panel="zone"]');
  await page.waitForSelector("[data-zone]");
  assert.equal(await page.isVisible(".zo-fault"), false, "zones are there, although regimes are not for viewers");
  await page.waitForSelector(".zo-denied");
  assert.equal(await page.isVisible('[data-do="draw-zone"]'), false, "what he may not do is not offered");
  await shot(page, "zones-viewer");
  await page.context().close();

  const link = await open(guarded, { path: `/#setting/calendar&token=${dispatcher}`, ready: null, locale: "en-GB" });
  allow(link, denied);
  await link.waitForSelector('[data-form="setting"]');
  assert.equal(await link.locator("dialog.sign").count(), 0, "nobody is asked");
  assert.ok(!(await link.evaluate(() => location.href)).includes(dispatcher), "the token is not left in the address");
  await link.fill('[data-days="holidays"]', "2027-01-01");
  await link.click('[data-do="save"]');
  await link.waitForSelector(".st-told .bad");
  assert.match(await link.textContent(".st-told"), /admins/);
  await link.context().close();
});
