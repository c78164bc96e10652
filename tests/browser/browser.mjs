// A browser on the console, for one test file: a server on a copy of the sample town, pages that are watched, waits for
// conditions. Environment: HOUTAO (the binary), HOUTAO_TOWN (the folder that the fixture browser/town made),
// HOUTAO_CHROMIUM, HOUTAO_SHOTS (where screenshots are kept).
//
//   const town = await serve(["--clock", "2026-03-04T10:00:00+08:00"]);
//   test("the map shows", async () => {
//     const page = await open(town);
//     await until(() => page.evaluate(() => document.title !== ""), "a title");
//     await shot(page, "map");
//   });
//
// What a page may not do fails the file at its end: ask a host that is not loopback, write an error to the console, let
// an exception go, leave a request of its own unanswered (those that a test names by allow(page, /pattern/) excepted).
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach } from "node:test";

const binary = process.env.HOUTAO;
const folder = process.env.HOUTAO_TOWN;
const shots = process.env.HOUTAO_SHOTS;
export const WAIT_MS = Number(process.env.HOUTAO_BROWSER_WAIT_MS ?? 10_000); // more for who runs them on a busy machine
/** A page's first load, on a slow machine with nothing in its caches. */
export const LOAD_MS = 60_000;

async function driver() {
  try {
    return (await import("playwright-core")).chromium;
  } catch (error) {
    if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
    console.log("SKIP: playwright-core is not installed and the npm registry could not be reached");
    process.exit(77);
  }
}

const chromium = await driver();
const faults = [];
const allowed = new WeakMap();
let browser;

// A page that stays open goes on drawing, at the cost of the next.
afterEach(async () => {
  await Promise.all((browser?.contexts() ?? []).map((context) => context.close()));
});

// One hook for all, in this order: a server that is left behind keeps the file from ending.
const stops = [];
after(async () => {
  await browser?.close();
  const ends = await Promise.allSettled(stops.map((stop) => stop()));
  assert.deepEqual(ends.filter(({ status }) => status === "rejected").map(({ reason }) => String(reason)), [], "servers ended badly");
  assert.deepEqual(faults, [], "pages did what they may not");
});

/** Starts a server on a copy of the town; stops it at the end. `store: false`: without a registry. */
export async function serve(more = [], { store = true, keep = false, listen = "127.0.0.1:0", copy } = {}) {
  const own = copy ?? mkdtempSync(join(tmpdir(), "houtao-browser-"));
  if (store && copy === undefined) copyFileSync(join(folder, "town.sqlite"), join(own, "town.sqlite"));
  const options = ["serve", "--network", join(folder, "town.hnet"), "--listen", listen, "--threads", "2"];
  if (store) options.push("--store", join(own, "town.sqlite"));
  const child = spawn(binary, [...options, ...more], { stdio: ["ignore", "pipe", "pipe"] });
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
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    child.kill("SIGTERM");
    assert.equal(await ended, 0, `houtao serve ended badly: ${said}`);
  };
  stops.push(async () => {
    await stop();
    if (!keep) rmSync(own, { recursive: true, force: true });
  });
  return { address, stop, folder: own, port: Number(new URL(address).port) };
}

/** One call of the API; throws with the answer's words where it is not in the two hundreds. */
export async function call(town, method, path, body, headers = {}) {
  const reply = await fetch(town.address + path, {
    method,
    headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

function watch(page) {
  allowed.set(page, []);
  const note = (what) => {
    if (!allowed.get(page).some((pattern) => pattern.test(what))) faults.push(what);
  };
  page.on("console", (message) => {
    if (message.type() === "error") note(`console: ${message.text()} ${message.location().url}`);
  });
  page.on("pageerror", (error) => note(`exception: ${error.stack ?? error}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (["data:", "blob:"].includes(url.protocol)) return;
    if (url.hostname !== "127.0.0.1" && url.hostname !== "localhost") note(`a request leaves: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) note(`${response.status()}: ${response.url()}`);
  });
}

/** What a page is expected to do wrong: a pattern over the faults above. */
export function allow(page, pattern) {
  allowed.get(page).push(pattern);
}

/** Opens a page of the town and waits until the console is ready. */
export async function open(town, options = {}) {
  const { path = "/", width = 1280, height = 720, scheme = "light", locale = "zh-CN", ready = "body[data-ready]", init } = options;
  browser ??= await chromium.launch({
    executablePath: process.env.HOUTAO_CHROMIUM,
    args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
  });
  const context = await browser.newContext({
    viewport: { width, height }, colorScheme: scheme, locale, reducedMotion: "reduce",
    hasTouch: width < 500, isMobile: width < 500,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  watch(page);
  if (init) await page.addInitScript(init);
  await page.goto(town.address + path, { timeout: LOAD_MS });
  if (ready) await page.waitForSelector(ready, { timeout: LOAD_MS });
  return page;
}

/** Waits until `fn` gives something true, up to 10 s. */
export async function until(fn, what) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const value = await fn();
    if (value) return value;
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until the map has drawn all of its tiles. */
export async function mapIdle(page) {
  await page.waitForFunction(() => window.houtao?.map.ml.loaded() && window.houtao.map.ml.areTilesLoaded(), undefined,
    { timeout: LOAD_MS });
}

/** Keeps a screenshot. */
export async function shot(page, name) {
  mkdirSync(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`) });
}

/** What axe-core finds serious or critical on the page. The map's canvas has nothing to be read. */
export async function accessibility(page) {
  const source = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  await page.evaluate((await import("node:fs")).readFileSync(source, "utf8")); // by the driver: the page's policy holds
  const found = await page.evaluate(async () => {
    const result = await window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
    return result.violations.filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join(" | ")}`);
  });
  return found;
}
