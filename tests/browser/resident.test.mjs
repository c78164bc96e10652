// The resident's page: one order, large, following its van; no one else's data, no account.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { accessibility, allow, call, open, serve, shot, until } from "./browser.mjs";
import { at, day, household, now } from "./day.mjs";

const town = await serve(day());
const HOMES = ["h00100", "h00101", "h00102", "h00103"];
const order = (n) => `o${n}`;
const happens = (n, body) => call(town, "POST", `/v1/orders/${order(n)}/events`, body);
const here = async (lon, lat) => call(town, "POST", "/v1/positions", [{ unit: "van-01", lon, lat, ts: await now(town) }]);

await call(town, "PUT", "/v1/settings/planner", { run: false });
await call(town, "POST", "/v1/orders", HOMES.map((home, n) => ({
  id: order(n), household: home, kitchen: "kitchen-1", due: [at("10:30"), at("11:15")],
})));
const { token } = await call(town, "GET", "/v1/orders/o3");

async function resident(options = {}) {
  const page = await open(town, { path: `/t/${token}`, ready: "[data-state]", width: 390, height: 844, ...options });
  const answers = [];
  page.on("response", (response) => {
    if (/json/.test(response.headers()["content-type"] ?? "")) answers.push(response.text().catch(() => ""));
  });
  return { page, answers };
}

test("the page follows the order and its van, and shows no one else's data", async () => {
  const { page, answers } = await resident();
  assert.ok(["received", "planned"].includes(await page.getAttribute("[data-state]", "data-state")), "nothing is on its way yet");
  await shot(page, "resident-received");
  for (let n = 0; n < HOMES.length; n++) {
    const minute = 35 + 3 * n;
    await happens(n, { event: "plan", unit: "van-01", sequence: n, eta: at(`10:${minute}`), eta_low: at(`10:${minute - 2}`), eta_high: at(`10:${minute + 4}`) });
    await happens(n, { event: "load" });
    await happens(n, { event: "enroute" });
  }
  await page.waitForSelector('[data-state="enroute"]');
  assert.equal(await page.textContent(".re-time"), "10:44");
  await here(121.705, 29.965);
  await page.waitForSelector('[data-before="3"]');
  assert.equal(await page.isVisible(".re-van"), false, "the van is not among the next three stops yet");
  await happens(0, { event: "deliver" });
  await happens(1, { event: "deliver" });
  await page.waitForSelector('[data-before="1"]');
  await page.waitForSelector('.re-van[data-lon="121.705"]');
  await until(async () => (await page.textContent(".re-near")).length > 0, "the street's name");
  await page.waitForSelector(".re-map canvas");
  await here(121.7048, 29.965); // 19 m: faster than 400 km/h is refused
  await page.waitForSelector('.re-van[data-lon="121.7048"]');
  await shot(page, "resident-van");
  assert.deepEqual(await accessibility(page), []);
  const shown = await page.textContent("body");
  const said = (await Promise.all(answers)).join("\n");
  assert.ok(said.includes('"enroute"'), "what the page was told was heard here");
  for (const home of await Promise.all(HOMES.map((id) => household(town, id)))) {
    for (const secret of [home.id, home.address, home.name, home.phone, "van-01", "kitchen-1", "o0", "o3"].filter(Boolean)) {
      assert.ok(!shown.includes(secret), `the page shows ${secret}`);
      assert.ok(!said.includes(`"${secret}"`), `the page is told ${secret}`);
    }
  }
  await happens(2, { event: "deliver" });
  await page.waitForSelector('[data-before="0"]');
  await happens(3, { event: "deliver" });
  await page.waitForSelector('[data-state="delivered"]');
  assert.equal(await page.isVisible(".re-van"), false, "nobody is followed once the meal is there");
  await shot(page, "resident-delivered");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});

test("who comes to the van is told to come down, and to wait for no knock", async () => {
  const { token: mine } = await call(town, "POST", "/v1/orders", {
    id: "o9", household: "h00104", kitchen: "kitchen-1", handover: "van", due: [at("10:30"), at("11:15")],
  });
  await happens(9, { event: "plan", unit: "van-02", sequence: 1, eta: at("10:40"), eta_low: at("10:38"), eta_high: at("10:44") });
  const page = await open(town, { path: `/t/${mine}`, ready: "[data-state=planned]", width: 390, height: 844, locale: "en-GB" });
  assert.match(await page.textContent(".re-more"), /come down to the van/);
  await happens(9, { event: "load" });
  await happens(9, { event: "enroute" });
  await page.waitForSelector("[data-state=enroute]");
  assert.match(await page.textContent(".re-more"), /come down to the van/);
  await shot(page, "resident-comes-down");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});

test("it is large, speaks both languages, by night, too", async () => {
  const { page } = await resident({ locale: "en-GB", scheme: "dark" });
  const size = await page.evaluate(() => parseFloat(getComputedStyle(document.body).fontSize));
  assert.ok(size >= 24, `${size} px`);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, "not too wide");
  const english = await page.textContent("h1");
  await page.click(".re-language");
  await until(async () => (await page.textContent("h1")) !== english, "the other language");
  assert.deepEqual(await accessibility(page), []);
  await shot(page, "resident-dark");
  await page.context().close();
});

test("where the server has tokens the page has its map all the same, by the order's own", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "houtao-tokens-")), "tokens");
  const admin = execFileSync(process.env.HOUTAO, ["token", "add", file, "--name", "root", "--role", "admin"], { encoding: "utf8" }).split("\n")[0].trim();
  const guarded = await serve([...day(), "--tokens", file]);
  const as = { Authorization: `Bearer ${admin}` };
  await call(guarded, "PUT", "/v1/settings/planner", { run: false }, as);
  await call(guarded, "POST", "/v1/orders", { id: "mine", household: HOMES[0], kitchen: "kitchen-1", due: [at("10:30"), at("11:15")] }, as);
  for (const body of [{ event: "plan", unit: "van-01", sequence: 0, eta: at("10:44") }, { event: "load" }, { event: "enroute" }])
    await call(guarded, "POST", "/v1/orders/mine/events", body, as);
  const clock = await call(guarded, "GET", "/v1/clock", undefined, as);
  await call(guarded, "POST", "/v1/positions", [{ unit: "van-01", lon: 121.705, lat: 29.965, ts: clock.now }], as);
  const order = await call(guarded, "GET", "/v1/orders/mine", undefined, as);
  const page = await open(guarded, { path: `/t/${order.token}`, ready: "[data-state]", width: 390, height: 844 });
  const answers = [];
  page.on("response", (response) => answers.push({ status: response.status(), url: response.url() }));
  await page.reload(); // from its first request on
  await page.waitForSelector(".re-map canvas");
  await until(() => answers.some(({ status, url }) => status === 200 && url.includes("/tiles/streets/")), "a tile of the streets");
  await until(async () => (await page.textContent(".re-near")).length > 0, "the street's name");
  assert.match(await page.textContent(".re-wait"), /\d/, "how long it takes, by the town's own clock");
  assert.deepEqual(answers.filter(({ status }) => status >= 400), []);
  await shot(page, "resident-tokens");
  await page.context().close();
});

test("JSON stays for others", async () => {
  const reply = await fetch(`${town.address}/t/${token}`);
  assert.match(reply.headers.get("content-type"), /json/);
  assert.equal((await reply.json()).state, "delivered");
});

test("an hour after it was brought the link has ended, and says so", async () => {
  await call(town, "POST", "/v1/clock", { advance_s: 3700 });
  const page = await open(town, { path: "/healthz", ready: null, width: 390, height: 844 });
  allow(page, /404/);
  await page.goto(`${town.address}/t/${token}`);
  await page.waitForSelector('[data-state="gone"]');
  await shot(page, "resident-gone");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});
