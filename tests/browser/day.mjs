// A working day for the panels' tests: Monday morning of next week by the office's clock, so that vans and responders are
// on duty and the town is older than the day.
import { call, mapIdle } from "./browser.mjs";

const DAY_MS = 86_400_000;
const OFFICE_MS = 8 * 3_600_000;

function monday() {
  const local = new Date(Date.now() + OFFICE_MS);
  const days = (8 - local.getUTCDay()) % 7 || 7;
  return new Date(local.getTime() + (days + 7) * DAY_MS).toISOString().slice(0, 10);
}

const DAY = monday();

/** A moment of that day, "10:20", as RFC 3339. */
export function at(time) {
  return `${DAY}T${time}:00+08:00`;
}

/** The options of a server on that day: its clock goes by the wall from then on. */
export function day(time = "10:20") {
  return ["--clock", `${at(time)},1`];
}

export async function now(town) {
  return (await call(town, "GET", "/v1/clock")).now;
}

/** Where something is on the screen, once the map stands over it and is drawn. */
export async function onMap(page, lon, lat, zoom = 17) {
  await page.evaluate(([x, y, z]) => window.houtao.map.ml.jumpTo({ center: [x, y], zoom: z }), [lon, lat, zoom]);
  await mapIdle(page);
  return place(page, lon, lat);
}

export async function place(page, lon, lat) {
  return page.evaluate(([x, y]) => {
    const { ml } = window.houtao.map;
    const box = ml.getCanvas().getBoundingClientRect();
    const point = ml.project([x, y]);
    return { x: box.left + point.x, y: box.top + point.y };
  }, [lon, lat]);
}

/** What a panel drew under a name, as it was given. */
export async function drawn(page, name) {
  return page.evaluate(async (id) => {
    const source = window.houtao.map.ml.getSource(`x-${id}`);
    return source ? await source.getData() : undefined;
  }, name);
}

export async function household(town, id) {
  const feature = await call(town, "GET", `/collections/households/items/${id}`);
  const [lon, lat] = feature.geometry.coordinates;
  return { id, lon, lat, ...feature.properties };
}
