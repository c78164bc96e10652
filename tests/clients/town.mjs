// The sample town and a server on it, for one client's test. Environment: HOUTAO (the binary), HOUTAO_TOWN (the
// network file that the fixture clients/town made). The server listens on a port of the kernel's choice, says
// which, and is drained by SIGTERM at the end: an exit code other than 0 fails the test.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { after } from "node:test";

const binary = process.env.HOUTAO;
const network = process.env.HOUTAO_TOWN;

/** Imports a package; where it is not installed (no registry could be reached) the test is skipped. */
export async function client(name) {
  try {
    return await import(name);
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.log(`SKIP: ${name} is not installed and the npm registry could not be reached`);
    process.exit(77);
  }
}

/** Starts a server with more options; resolves to its address, "http://127.0.0.1:PORT", and what stops it. */
export async function start(more = [], listen = "127.0.0.1:0") {
  const child = spawn(binary, ["serve", "--network", network, "--listen", listen, "--threads", "2", ...more], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal)));
  let said = "";
  const address = await new Promise((resolve, reject) => {
    const hear = (chunk) => {
      said += chunk;
      const found = said.match(/http:\/\/127\.0\.0\.1:[1-9]\d*/);
      if (found) resolve(found[0]);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    ended.then((code) => reject(new Error(`houtao serve ended with ${code}: ${said}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    assert.equal(await ended, 0, `houtao serve ended badly: ${said}`);
  };
  return { address, stop };
}

/** Starts the server until the test's end; resolves to its address. */
export async function serve() {
  const { address, stop } = await start();
  after(stop);
  return address;
}

/** What `houtao info --json` says of the town. */
export function info() {
  return JSON.parse(execFileSync(binary, ["info", network, "--json"], { encoding: "utf8" }));
}

/** `count` points on streets of the town, [lon, lat], the same each time, all within one component for `profile`. */
export async function streetPoints(address, count, profile = "car") {
  const [west, south, east, north] = info().bbox;
  const points = [];
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
  for (let tries = 0; points.length < count && tries < 100 * count; tries++) {
    const lon = west + (east - west) * (0.2 + 0.6 * random());
    const lat = south + (north - south) * (0.2 + 0.6 * random());
    const reply = await (await fetch(`${address}/nearest/v1/${profile}/${lon.toFixed(6)},${lat.toFixed(6)}`)).json();
    const location = reply.waypoints?.[0]?.location;
    if (location && reply.waypoints[0].distance < 500 && (await reachable(address, profile, points[0], location))) {
      points.push(location);
    }
  }
  assert.equal(points.length, count, "the town has streets to snap to");
  return points;
}

async function reachable(address, profile, from, to) {
  if (!from) return true;
  if (metres(from, to) < 200) return false;
  const url = `${address}/table/v1/${profile}/${from.join(",")};${to.join(",")}`;
  const { durations } = await (await fetch(url)).json();
  return durations?.[0]?.[1] > 0 && durations?.[1]?.[0] > 0;
}

/** Great-circle distance of two [lon, lat]. */
export function metres(a, b) {
  const rad = Math.PI / 180;
  const h =
    Math.sin(((b[1] - a[1]) * rad) / 2) ** 2 +
    Math.cos(a[1] * rad) * Math.cos(b[1] * rad) * Math.sin(((b[0] - a[0]) * rad) / 2) ** 2;
  return 2 * 6371000 * Math.asin(Math.sqrt(h));
}
