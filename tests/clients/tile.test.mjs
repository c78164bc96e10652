// Mapbox' decoder of vector tiles reads what /tile answers.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, metres, serve, streetPoints } from "./town.mjs";

const { VectorTile } = await client("@mapbox/vector-tile");
const { PbfReader, default: Pbf } = await client("pbf");
const address = await serve();
const points = await streetPoints(address, 3);

function tileOf([lon, lat], zoom) {
  const n = 2 ** zoom;
  const y = Math.log(Math.tan((lat * Math.PI) / 180) + 1 / Math.cos((lat * Math.PI) / 180));
  return [Math.floor(((lon + 180) / 360) * n), Math.floor(((1 - y / Math.PI) / 2) * n)];
}

async function tile(x, y, zoom) {
  const reply = await fetch(`${address}/tile/v1/car/tile(${x},${y},${zoom}).mvt`);
  assert.equal(reply.status, 200);
  const bytes = new Uint8Array(await reply.arrayBuffer());
  return new VectorTile(new (PbfReader ?? Pbf)(bytes));
}

test("the tile of a street has its speeds and runs where the street is", async () => {
  for (const point of points) {
    const [x, y] = tileOf(point, 15);
    const { layers } = await tile(x, y, 15);
    assert.ok(layers.speeds.length > 0);
    let nearest = Infinity;
    for (let i = 0; i < layers.speeds.length; i++) {
      const feature = layers.speeds.feature(i);
      assert.ok(feature.properties.speed > 0, JSON.stringify(feature.properties));
      assert.equal(typeof feature.properties.is_small, "boolean");
      assert.ok(feature.properties.duration >= 0 && feature.properties.weight >= 0);
      const { geometry } = feature.toGeoJSON(x, y, 15);
      const lines = geometry.type === "LineString" ? [geometry.coordinates] : geometry.coordinates;
      for (const [a, b] of lines.flatMap((line) => line.slice(1).map((end, j) => [line[j], end]))) {
        nearest = Math.min(nearest, toSegment(point, a, b));
      }
    }
    assert.ok(nearest < 2, `${nearest} m from ${point}`);
  }
});

test("turns are points of their own layer", async () => {
  const [x, y] = tileOf(points[0], 15);
  const { layers } = await tile(x, y, 15);
  assert.ok(layers.turns.length > 0);
  const feature = layers.turns.feature(0);
  assert.equal(feature.type, 1);
  assert.ok(Math.abs(feature.properties.turn_angle) <= 180);
  assert.equal(typeof feature.properties.cost, "number");
});

test("a tile of open sea is empty, one zoomed out too far an error", async () => {
  const sea = Object.values((await tile(0, 0, 15)).layers);
  assert.ok(sea.every((layer) => layer.length === 0));
  const reply = await fetch(`${address}/tile/v1/car/tile(1,1,5).mvt`);
  assert.equal(reply.status, 400);
  assert.ok(["InvalidOptions", "InvalidQuery", "InvalidValue"].includes((await reply.json()).code));
});

function toSegment(p, a, b) {
  const along = [b[0] - a[0], b[1] - a[1]];
  const squared = along[0] ** 2 + along[1] ** 2;
  const share = squared && Math.max(0, Math.min(1, ((p[0] - a[0]) * along[0] + (p[1] - a[1]) * along[1]) / squared));
  return metres(p, [a[0] + share * along[0], a[1] + share * along[1]]);
}
