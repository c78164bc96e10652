// leaflet-routing-machine in a DOM: its OSRMv1 router builds the URLs and reads the answers, its control renders
// the itinerary, over jsdom's XMLHttpRequest, from another origin.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRequire } from "node:module";
import { client, metres, serve, streetPoints } from "./town.mjs";

const { JSDOM } = await client("jsdom");
const dom = new JSDOM("<div id=map style='width:400px;height:300px'></div>", {
  url: "http://127.0.0.1:1/",
  pretendToBeVisual: true,
});
for (const name of ["window", "document", "navigator", "location", "HTMLElement", "XMLHttpRequest"]) {
  Object.defineProperty(globalThis, name, { value: dom.window[name], configurable: true, writable: true });
}
dom.window.SVGSVGElement.prototype.createSVGRect = () => {}; // by this Leaflet knows that it may draw SVG
await client("leaflet");
const L = createRequire(import.meta.url)("leaflet");
globalThis.L = L;
await client("leaflet-routing-machine");
const address = await serve();
const points = await streetPoints(address, 5);
const waypoints = (list) => list.map(([lon, lat]) => L.Routing.waypoint(L.latLng(lat, lon)));
const router = (options) => L.Routing.osrmv1({ serviceUrl: `${address}/route/v1`, ...options });

function route(machine, list, options) {
  return new Promise((resolve, reject) => {
    machine.route(waypoints(list), (error, routes) => (error ? reject(error) : resolve(routes)), null, options);
  });
}

async function direct(list, query = "steps=true") {
  const url = `${address}/route/v1/driving/${list.map((p) => p.join(",")).join(";")}?${query}`;
  return (await fetch(url)).json();
}

function checkRoute(found, list, answer) {
  assert.equal(found.summary.totalDistance, answer.distance);
  assert.equal(found.summary.totalTime, answer.duration);
  const first = found.coordinates[0];
  const last = found.coordinates.at(-1);
  assert.ok(metres([first.lng, first.lat], list[0]) < 5, "begins where it was asked to");
  assert.ok(metres([last.lng, last.lat], list.at(-1)) < 5, "ends where it was asked to");
  assert.equal(found.instructions[0].type, "Head");
  assert.equal(found.instructions.at(-1).type, "DestinationReached");
  assert.equal(found.waypointIndices.length, list.length);
  for (const instruction of found.instructions) {
    assert.ok(instruction.text.length > 0 && !instruction.text.includes("undefined"), instruction.text);
    assert.ok(instruction.index < found.coordinates.length || instruction.type === "DestinationReached");
    assert.match(instruction.direction, /^[NS]?[EW]?$/);
  }
  const told = found.instructions.reduce((sum, instruction) => sum + instruction.distance, 0);
  assert.ok(Math.abs(told - answer.distance) < 0.2 * found.instructions.length + 1, "steps add up");
}

test("two waypoints give a route with instructions", async () => {
  const list = points.slice(0, 2);
  const answer = await direct(list);
  const routes = await route(router(), list);
  checkRoute(routes[0], list, answer.routes[0]);
});

test("a route through five waypoints reaches each of them", async () => {
  const answer = await direct(points);
  const routes = await route(router(), points);
  checkRoute(routes[0], points, answer.routes[0]);
  assert.equal(routes[0].waypoints.length, points.length);
  const reached = routes[0].instructions.filter((instruction) => instruction.type === "WaypointReached");
  assert.equal(reached.length, points.length - 2);
  routes[0].waypointIndices.forEach((index, i) => {
    const at = routes[0].coordinates[Math.min(index, routes[0].coordinates.length - 1)];
    assert.ok(metres([at.lng, at.lat], points[i]) < 5);
  });
});

test("the second request carries the hints of the first and gets the same answer", async () => {
  const list = points.slice(0, 3);
  const machine = router();
  const first = await route(machine, list);
  const url = machine.buildRouteUrl(waypoints(list), {});
  const hints = new URL(url).searchParams.get("hints").split(";");
  assert.equal(hints.length, 3);
  hints.forEach((hint) => assert.match(hint, /^[A-Za-z0-9_-]+=*$/));
  const second = await route(machine, list);
  assert.deepEqual(second[0].summary, first[0].summary);
  assert.deepEqual(second[0].coordinates, first[0].coordinates);
});

test("dragging a waypoint sends a hint for the others only", async () => {
  const machine = router();
  await route(machine, points.slice(0, 3));
  const moved = [points[0], points[3], points[2]];
  const hints = new URL(machine.buildRouteUrl(waypoints(moved), {})).searchParams.get("hints").split(";");
  assert.deepEqual(hints.map((hint) => hint.length > 0), [true, false, true]);
  const routes = await route(machine, moved);
  checkRoute(routes[0], moved, (await direct(moved)).routes[0]);
});

test("a refresh for detail asks for the full overview", async () => {
  const list = points.slice(0, 2);
  const routes = await route(router(), list, { geometryOnly: true });
  checkRoute(routes[0], list, (await direct(list)).routes[0]);
});

test("alternatives come as further routes, none faster than the first", async () => {
  for (let i = 1; i < points.length; i++) {
    const routes = await route(router(), [points[0], points[i]]);
    for (const other of routes.slice(1)) {
      assert.notDeepEqual(other.coordinates, routes[0].coordinates);
    }
  }
});

test("every other profile name and every language of the instructions reads our steps", async () => {
  for (const profile of ["driving", "walking", "cycling"]) {
    for (const language of ["en", "zh-Hans", "de"]) {
      const routes = await route(router({ profile, language }), points.slice(0, 2));
      assert.ok(routes[0].instructions.every((instruction) => instruction.text.length > 0));
    }
  }
});

test("a bad option is an error of HTTP 400, and the next request is answered", async () => {
  const machine = router({ requestParameters: { exclude: "nonsense" } });
  await assert.rejects(route(machine, points.slice(0, 2)), (error) => {
    assert.equal(error.status, -1);
    assert.equal(error.target.status, 400);
    return true;
  });
  assert.ok((await route(router(), points.slice(0, 2))).length >= 1);
});

test("the control on a map renders the itinerary", async () => {
  const map = L.map("map", { center: L.latLng(points[0][1], points[0][0]), zoom: 14, zoomAnimation: false });
  const control = L.Routing.control({ router: router(), waypoints: waypoints(points.slice(0, 3)), fitSelectedRoutes: false });
  const found = new Promise((resolve, reject) => {
    control.on("routesfound", (event) => resolve(event.routes));
    control.on("routingerror", (event) => reject(event.error));
  });
  control.addTo(map);
  const routes = await found;
  const rows = document.querySelectorAll(".leaflet-routing-alt:not(.leaflet-routing-alt-minimized) tr");
  assert.equal(rows.length, routes[0].instructions.length);
  rows.forEach((row) => assert.ok(row.textContent.trim().length > 0));
  map.remove();
});
