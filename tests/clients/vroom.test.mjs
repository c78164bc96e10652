// What VROOM 1.15 sends to an OSRM server and how it reads the answer (its osrm_routed and http wrappers): these
// bytes over a raw socket, `Connection: close`, read to the end of the stream, the text from the first { to the
// last } parsed as JSON.
import assert from "node:assert/strict";
import net from "node:net";
import { test } from "node:test";
import { serve, streetPoints } from "./town.mjs";

const address = await serve();
const { hostname, port } = new URL(address);
const points = await streetPoints(address, 30);
const RADIUS = "35000";

function query(service, list) {
  const locations = list.map(([lon, lat]) => `${lon.toFixed(6)},${lat.toFixed(6)}`).join(";");
  const radiuses = `radiuses=${list.map(() => RADIUS).join(";")}`;
  const options =
    service === "route"
      ? "alternatives=false&steps=false&overview=full&continue_straight=false"
      : "annotations=duration,distance";
  return (
    `GET /${service}/v1/car/${locations}?${options}&${radiuses} HTTP/1.1\r\n` +
    `Host: ${hostname}\r\nAccept: */*\r\nConnection: close\r\n\r\n`
  );
}

/** Sends, reads to end of file; fails when the server does not close. */
function send(bytes, pieces = 1) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, async () => {
      const size = Math.ceil(bytes.length / pieces);
      for (let at = 0; at < bytes.length; at += size) {
        socket.write(bytes.slice(at, at + size));
        if (pieces > 1) await new Promise((done) => setTimeout(done, 5));
      }
    });
    let response = "";
    socket.setTimeout(20000, () => socket.destroy(new Error("the server did not close the connection")));
    socket.on("data", (chunk) => (response += chunk));
    socket.on("end", () => resolve(response));
    socket.on("error", reject);
  });
}

function parse(response) {
  const start = response.indexOf("{");
  const end = response.lastIndexOf("}");
  assert.ok(start >= 0 && end > start, `no JSON in: ${response.slice(0, 200)}`);
  return JSON.parse(response.slice(start, end + 1));
}

function checkMatrix(answer, size) {
  assert.equal(answer.code, "Ok");
  for (const key of ["durations", "distances"]) {
    assert.equal(answer[key].length, size);
    answer[key].forEach((row, i) => {
      assert.equal(row.length, size);
      assert.equal(row[i], 0);
      row.forEach((value) => assert.ok(value === null || value >= 0));
    });
  }
}

test("a table as VROOM asks for it", async () => {
  const response = await send(query("table", points));
  assert.match(response, /^HTTP\/1\.[01] 200 /);
  checkMatrix(parse(response), points.length);
});

test("the headers hold no brace before the body's", async () => {
  const response = await send(query("table", points.slice(0, 2)));
  const head = response.slice(0, response.indexOf("\r\n\r\n"));
  assert.ok(!head.includes("{"));
  assert.match(head, /\r\nConnection: close/i);
  const length = Number(head.match(/\r\nContent-Length: (\d+)/i)[1]);
  assert.equal(Buffer.byteLength(response.slice(head.length + 4)), length);
});

test("a URL of more than 100 KB, whole and in pieces", async () => {
  const many = Array.from({ length: 4000 }, (_, i) => points[i % points.length]);
  const bytes = query("table", many).replace("?", "?sources=0;1&destinations=all&");
  assert.ok(bytes.length > 100000, `${bytes.length} bytes`);
  for (const pieces of [1, 40]) {
    const answer = parse(await send(bytes, pieces));
    assert.equal(answer.code, "Ok");
    assert.equal(answer.durations.length, 2);
    assert.equal(answer.durations[0].length, many.length);
  }
});

test("legs and geometry of a route as VROOM asks for it", async () => {
  const list = points.slice(0, 6);
  const answer = parse(await send(query("route", list)));
  assert.equal(answer.code, "Ok");
  assert.equal(answer.routes[0].legs.length, list.length - 1);
  assert.equal(typeof answer.routes[0].geometry, "string");
  const table = parse(await send(query("table", list)));
  answer.routes[0].legs.forEach((leg, i) => {
    assert.ok(Math.abs(leg.duration - table.durations[i][i + 1]) < 0.11, "route and table agree");
    assert.ok(Math.abs(leg.distance - table.distances[i][i + 1]) < 0.11);
  });
});

test("the coordinate that cannot be snapped is named as VROOM expects", async () => {
  for (const at of [0, 2]) {
    const list = points.slice(0, 4);
    list[at] = [-30, -40];
    const response = await send(query("table", list));
    assert.match(response, /^HTTP\/1\.[01] 400 /);
    const answer = parse(response);
    assert.equal(answer.code, "NoSegment");
    const text = "Could not find a matching segment for coordinate ";
    assert.ok(answer.message.startsWith(text), answer.message);
    assert.equal(parseInt(answer.message.slice(text.length), 10), at);
  }
});

test("eight at a time, as VROOM's threads ask", async () => {
  const expected = parse(await send(query("table", points.slice(0, 10))));
  const answers = await Promise.all(Array.from({ length: 8 }, () => send(query("table", points.slice(0, 10)))));
  answers.forEach((response) => assert.deepEqual(parse(response), expected));
});
