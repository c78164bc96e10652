// The EventSource of the npm package, as a page would use it, over a restart of the server.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { client, start } from "./town.mjs";

const { EventSource } = await client("eventsource");
const folder = mkdtempSync(join(tmpdir(), "houtao-stream-"));
after(() => rmSync(folder, { recursive: true }));
const store = ["--store", join(folder, "town.sqlite")];

async function put(address, id) {
  const reply = await fetch(`${address}/collections/units/items/${id}`, {
    method: "PUT",
    headers: { "Content-Type": "application/geo+json" },
    body: JSON.stringify({ type: "Feature", geometry: null, properties: { kind: "van" } }),
  });
  assert.ok(reply.ok, `${reply.status}`);
}

/** Resolves when `holds` does, looked at after each event. */
function waiter() {
  let look = () => {};
  return {
    now: () => look(),
    until: (holds) =>
      new Promise((resolve) => {
        look = () => holds() && resolve();
        look();
      }),
  };
}

test("an EventSource comes back by itself and misses nothing", async () => {
  const seqs = [];
  const positions = [];
  let stopping = 0;
  const heard = waiter();
  let server = await start(store);
  const source = new EventSource(`${server.address}/v1/stream?topics=registry,positions`);
  source.addEventListener("registry", (event) => {
    const data = JSON.parse(event.data);
    assert.equal(String(data.seq), event.lastEventId);
    assert.equal(data.kind, "item.created");
    seqs.push(data.seq);
    heard.now();
  });
  source.addEventListener("positions", (event) => {
    positions.push(JSON.parse(event.data));
    heard.now();
  });
  source.addEventListener("stopping", () => stopping++);
  await new Promise((resolve) => source.addEventListener("open", resolve, { once: true }));
  for (let i = 0; i < 20; i++) await put(server.address, `a${i}`);
  await heard.until(() => seqs.length >= 20);
  const address = server.address;
  await server.stop();
  assert.equal(stopping, 1);
  server = await start(store, address.replace("http://", ""));
  for (let i = 0; i < 20; i++) await put(server.address, `b${i}`);
  const sent = { unit: "b3", lon: 121.7, lat: 29.95, ts: Math.floor(Date.now() / 1000) };
  await fetch(`${address}/v1/positions`, { method: "POST", body: JSON.stringify([sent]) });
  await heard.until(() => seqs.length >= 40 && positions.length > 0);
  assert.deepEqual(
    seqs,
    Array.from({ length: 40 }, (_, i) => i + 1),
  );
  assert.equal(positions[0].unit, "b3");
  assert.equal(positions[0].lon, 121.7);
  source.close();
  await server.stop();
});
