// Zones and regimes: an area is drawn, what it touches is seen, it is confirmed, a route goes around it, and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessibility, allow, call, mapIdle, open, serve, shot, until } from "./browser.mjs";
import { at, day, drawn, place } from "./day.mjs";

const town = await serve(day());
const MIDDLE = [121.715, 29.955];
const CORNERS = [[-0.004, 0.003], [0.004, 0.003], [0.004, -0.003], [-0.004, -0.003]].map(([x, y]) => [MIDDLE[0] + x, MIDDLE[1] + y]);
const ENDS = `${MIDDLE[0] - 0.012},${MIDDLE[1]};${MIDDLE[0] + 0.012},${MIDDLE[1]}`;

const way = async () => (await call(town, "GET", `/route/v1/van/${ENDS}?overview=full&geometries=geojson`)).routes[0];
const inside = ([x, y]) => Math.abs(x - MIDDLE[0]) < 0.0039 && Math.abs(y - MIDDLE[1]) < 0.0029;

async function look(page) {
  await page.evaluate((center) => window.houtao.map.ml.jumpTo({ center, zoom: 14 }), MIDDLE);
  await mapIdle(page);
}

async function drawArea(page) {
  await page.click('[data-do="draw-zone"]');
  for (const [lon, lat] of CORNERS) {
    const point = await place(page, lon, lat);
    await page.mouse.click(point.x, point.y);
  }
  await until(async () => (await page.textContent(".zo-drawing p")).includes("4"), "four corners");
  await page.keyboard.press("Enter");
}

test("a zone that is drawn is seen before it holds, moves a route, and is lifted by one click", async () => {
  await call(town, "POST", "/v1/orders", Array.from({ length: 40 }, (_, i) => ({
    id: `o${i}`, household: `h${String(100 + i * 450).padStart(5, "0")}`, kitchen: `kitchen-${1 + (i % 3)}`, due: [at("11:00"), at("12:00")],
  })));
  await until(async () => (await call(town, "GET", "/v1/orders/o0")).state === "planned", "a plan");
  const before = await way();
  assert.ok(before.geometry.coordinates.some(inside), "the way goes through the middle at first");
  const page = await open(town, { path: "/#zone" });
  await look(page);
  await drawArea(page);
  await page.waitForSelector('[data-do="confirm-zone"]:enabled');
  const touched = Number(await page.getAttribute(".zo-sum", "data-routes"));
  assert.ok(touched > 0, "routes that are touched are named");
  assert.equal((await page.$$(".zo-touched [data-unit]")).length, touched);
  assert.deepEqual((await way()).geometry, before.geometry, "nothing holds before it is confirmed");
  await shot(page, "zones-touched");
  assert.deepEqual(await accessibility(page), []);
  const count = async () => (await call(town, "GET", "/collections/zones/items")).features.length;
  const zones = await count();
  await page.click('[data-do="confirm-zone"]');
  const zone = await until(async () => {
    const { features } = await call(town, "GET", "/collections/zones/items?kind=closed");
    return features[0];
  }, "the zone");
  assert.equal(await count(), zones + 1);
  await until(async () => !(await way()).geometry.coordinates.some(inside), "a way around");
  await page.waitForSelector(`[data-zone="${zone.id}"]`);
  const onTheMap = (layer) => page.evaluate(([name, id]) => window.houtao.map.ml.queryRenderedFeatures({ layers: [name] })
    .some(({ properties }) => properties.id === id), [layer, zone.id]);
  await until(() => onTheMap("zones"), "the zone on the map");
  await shot(page, "zones-holds");
  await page.click(`[data-zone="${zone.id}"] [data-do="lift"]`);
  await until(async () => (await way()).geometry.coordinates.some(inside), "the way as it was");
  await page.waitForSelector(`[data-zone="${zone.id}"] [data-do="again"]`);
  await until(async () => !(await onTheMap("zones")) && (await onTheMap("zone-idle")), "the map to show that it does not hold");
  await shot(page, "zones-lifted");
  assert.deepEqual(await accessibility(page), []);
  await page.click(`[data-zone="${zone.id}"] [data-do="delete"]`);
  await page.waitForSelector(`[data-zone="${zone.id}"]`, { state: "detached" });
  await page.context().close();
});

test("a zone whose answer was lost is put once, as the form says at last", async () => {
  const page = await open(town, { path: "/#zone", locale: "en-GB" });
  allow(page, /ERR_CONNECTION_RESET/);
  await look(page);
  await drawArea(page);
  await page.waitForSelector('[data-do="confirm-zone"]:enabled');
  await page.selectOption(".zo-draft select", "4");
  const sent = [];
  let lose = true; // the server takes it, the page does not hear so
  await page.route("**/collections/zones/items/*", async (route) => {
    const request = route.request();
    sent.push({ key: request.headers()["idempotency-key"], body: request.postData() });
    if (!lose) return route.continue();
    await route.fetch();
    return route.abort("connectionreset");
  });
  const zones = async () => (await call(town, "GET", "/collections/zones/items?limit=1000")).features;
  const before = (await zones()).length;
  const press = async () => {
    const count = sent.length;
    await page.click('[data-do="confirm-zone"]:enabled');
    await until(() => sent.length > count, "the zone to be sent");
    await page.waitForSelector('[data-do="confirm-zone"]:enabled');
  };
  await press();
  await until(async () => (await zones()).length === before + 1, "the zone");
  await press();
  assert.equal(sent[1].key, sent[0].key, "the same key again");
  assert.equal(sent[1].body, sent[0].body, "and the same zone, until the same moment");
  await page.fill(".zo-draft input[type=text]", "Put right");
  lose = false;
  await page.click('[data-do="confirm-zone"]:enabled');
  await until(async () => (await zones()).some(({ properties }) => properties.name === "Put right"), "the zone as it was corrected");
  assert.notEqual(sent[2].key, sent[0].key, "what was corrected is another request");
  const made = (await zones()).filter(({ id }) => id === JSON.parse(sent[0].body).id);
  assert.equal((await zones()).length, before + 1, "one zone");
  assert.equal(made[0].properties.name, "Put right");
  await call(town, "DELETE", `/collections/zones/items/${made[0].id}`);
});

test("drawing is given up by Escape, taken back by Backspace, and opens no card", async () => {
  const page = await open(town, { path: "/#zone", locale: "en-GB" });
  await look(page);
  await page.click('[data-do="draw-zone"]');
  for (const [lon, lat] of CORNERS.slice(0, 3)) {
    const point = await place(page, lon, lat);
    await page.mouse.click(point.x, point.y);
  }
  await page.keyboard.press("Backspace");
  await until(async () => (await page.textContent(".zo-drawing p")).includes("2 corners"), "one corner less");
  await page.keyboard.press("Enter");
  assert.ok(await page.isVisible(".zo-drawing"), "two corners are no area");
  await page.keyboard.press("Escape");
  await until(async () => !(await page.isVisible(".zo-drawing")), "the drawing to end");
  assert.equal(await drawn(page, "zone-drawing"), undefined);
  assert.equal(await page.isVisible(".card"), false);
  await page.context().close();
});

test("without a mouse: a corner in the middle of the map, as often as it takes", async () => {
  const page = await open(town, { path: "/#zone" });
  await look(page);
  await page.focus('[data-do="draw-zone"]');
  await page.keyboard.press("Enter");
  for (const center of CORNERS) {
    await page.evaluate((to) => window.houtao.map.ml.jumpTo({ center: to }), center);
    await page.focus('[data-do="corner"]');
    await page.keyboard.press("Enter");
  }
  await page.focus('[data-do="finish-zone"]');
  await page.keyboard.press("Enter");
  await page.waitForSelector('[data-do="confirm-zone"]:enabled');
  await page.keyboard.press("Escape");
  await until(async () => !(await page.isVisible('[data-do="confirm-zone"]')), "the form to close");
  await page.context().close();
});

test("a regime is seen, put into force and taken back", async () => {
  const area = { type: "Polygon", coordinates: [[...CORNERS, CORNERS[0]]] };
  await call(town, "POST", "/collections/zones/items", { type: "Feature", id: "war", geometry: area, properties: { name: "预案区", kind: "closed" } },
    { "Content-Type": "application/geo+json" });
  await call(town, "PUT", "/v1/settings/regimes", { outbreak: { zones: ["war"] } });
  const page = await open(town, { path: "/#zone" });
  await page.click('[data-regime="outbreak"] [data-do="regime-on"]');
  await page.waitForSelector(".zo-sum");
  await shot(page, "zones-regime");
  assert.deepEqual(await accessibility(page), []);
  const regime = async () => (await call(town, "GET", "/v1/regimes/outbreak")).on;
  assert.equal(await regime(), false, "nothing holds before it is confirmed");
  await page.click('[data-do="confirm-regime"]');
  await until(regime, "the regime to be on");
  await until(async () => !(await way()).geometry.coordinates.some(inside), "a way around");
  await page.click('[data-regime="outbreak"] [data-do="regime-off"]');
  await until(async () => !(await regime()), "the regime to be off");
  await until(async () => (await way()).geometry.coordinates.some(inside), "the way as it was");
  await page.context().close();
});

test("a phone shows it, too", async () => {
  const page = await open(town, { path: "/#zone", width: 390, height: 844, scheme: "dark", locale: "en-GB" });
  await page.click('[data-panel="zone"]');
  await page.waitForSelector("[data-zone]");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, "not too wide");
  await shot(page, "zones-phone");
  assert.deepEqual(await accessibility(page), []);
  await page.context().close();
});
