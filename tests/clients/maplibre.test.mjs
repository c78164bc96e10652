// @maplibre/maplibre-gl-directions: builds its requests, reads the answers, and cuts routes into legs at the
// snapped points. The map is a recorder of what the plugin would draw.
import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { client, metres, serve, streetPoints } from "./town.mjs";

globalThis.crypto ??= webcrypto; // browsers have it, node 18 (Debian 12) does not
const { default: Directions } = await client("@maplibre/maplibre-gl-directions");
const address = await serve();
const points = await streetPoints(address, 4);

class RecordingMap {
  drawn = { features: [] };
  layers = [];
  dragPan = { enable() {}, disable() {} };
  addSource() {}
  addLayer(layer) {
    this.layers.push(layer);
  }
  getSource() {
    return { setData: (data) => (this.drawn = data) };
  }
  getCanvas() {
    return { style: {} };
  }
  on() {}
  off() {}
  once() {}
}

async function directions(requestOptions, list) {
  const map = new RecordingMap();
  const plugin = new Directions(map, { api: `${address}/route/v1`, profile: "driving", requestOptions });
  let reply;
  plugin.on("fetchroutesend", (event) => (reply = event.data.directions));
  await plugin.setWaypoints(list); // swallows errors: without a reply the checks fail
  const of = (type) => map.drawn.features.filter((feature) => feature.properties.type === type);
  const lines = map.drawn.features.filter((feature) => feature.properties.legIndex !== undefined);
  return { reply, snapped: of("SNAPPOINT"), waypoints: of("WAYPOINT"), lines };
}

function checkDrawing({ reply, snapped, waypoints, lines }, list) {
  assert.equal(reply?.code, "Ok");
  assert.equal(waypoints.length, list.length);
  assert.equal(snapped.length, list.length);
  snapped.forEach((point, i) => assert.ok(metres(point.geometry.coordinates, list[i]) < 5));
  const selected = lines.filter((line) => line.properties.route === "SELECTED");
  for (let leg = 0; leg < list.length - 1; leg++) {
    const pieces = selected.filter((line) => line.properties.legIndex === leg);
    assert.ok(pieces.length > 0, `leg ${leg} is drawn`);
    const end = pieces.at(-1).geometry.coordinates.at(-1);
    assert.ok(metres(end, snapped[leg + 1].geometry.coordinates) < 2, `leg ${leg} ends at its snapped point`);
  }
}

for (const geometries of ["polyline", "polyline6", "geojson"]) {
  test(`full ${geometries} geometries pass through the snapped points`, async () => {
    checkDrawing(await directions({ geometries, overview: "full" }, points), points);
  });
}

test("geojson and polyline6 hold the very coordinates of the snapped points", async () => {
  for (const geometries of ["polyline6", "geojson"]) {
    const { reply, lines } = await directions({ geometries, overview: "full" }, points);
    const all = lines.flatMap((line) => line.geometry.coordinates);
    for (const { location } of reply.waypoints) {
      assert.ok(all.some(([lon, lat]) => lon === location[0] && lat === location[1]), `${geometries} ${location}`);
    }
  }
});

test("alternatives, steps and annotations are read", async () => {
  const options = { alternatives: "true", steps: "true", annotations: "true", overview: "full" };
  const drawing = await directions(options, points.slice(0, 2));
  checkDrawing(drawing, points.slice(0, 2));
  for (const route of drawing.reply.routes) {
    for (const leg of route.legs) {
      const nodes = leg.annotation.nodes.length;
      for (const key of ["distance", "duration", "speed", "weight", "datasources"]) {
        assert.equal(leg.annotation[key].length, nodes - 1, key);
      }
    }
  }
});

test("bearings of some waypoints are sent and obeyed", async () => {
  const map = new RecordingMap();
  const plugin = new Directions(map, {
    api: `${address}/route/v1`,
    bearings: true,
    requestOptions: { overview: "full", geometries: "geojson", steps: "true" },
  });
  await plugin.setWaypoints(points.slice(0, 2));
  const departs = (reply) => reply.routes[0].legs[0].steps[0].maneuver.bearing_after;
  for (const bearing of [0, 90, 180, 270]) {
    const reply = new Promise((resolve) => plugin.on("fetchroutesend", (event) => resolve(event.data.directions)));
    plugin.waypointsBearings = [[bearing, 60], undefined];
    const answer = await reply;
    if (answer?.code === "Ok") {
      const turned = Math.abs(((departs(answer) - bearing + 540) % 360) - 180);
      assert.ok(turned < 120, `asked ${bearing}, departs ${departs(answer)}, the other way`);
    }
  }
});

test("two profiles on one trip: the last leg on foot", async () => {
  const asked = [];
  const plain = globalThis.fetch;
  globalThis.fetch = (url, options) => {
    asked.push(String(url));
    return plain(url, options);
  };
  try {
    const map = new RecordingMap();
    const plugin = new Directions(map, { api: `${address}/route/v1`, requestOptions: { overview: "full" } });
    await plugin.setWaypoints(points.slice(0, 3), ["driving", "walking"]);
    assert.ok(asked.some((url) => url.includes("/driving/")) && asked.some((url) => url.includes("/walking/")));
    const snapped = map.drawn.features.filter((feature) => feature.properties.type === "SNAPPOINT");
    assert.equal(snapped.length, 4, "each part has its two ends");
  } finally {
    globalThis.fetch = plain;
  }
});

test("an error's message reaches the user", async () => {
  const plugin = new Directions(new RecordingMap(), { api: `${address}/route/v1` });
  const url = `${address}/route/v1/driving/${points[0].join(",")};${points[1].join(",")}`;
  const request = { method: "get", url, payload: new URLSearchParams({ steps: "perhaps" }) };
  await assert.rejects(plugin.fetch(request), (error) => {
    assert.ok(error.message.length > 0 && error.message !== "An unexpected error occurred.", error.message);
    return true;
  });
});
