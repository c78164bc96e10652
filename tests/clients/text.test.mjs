// osrm-text-instructions (the current one) turns every step of every profile into words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, serve, streetPoints } from "./town.mjs";

const instructions = (await client("osrm-text-instructions")).default("v5");
const address = await serve();
const points = await streetPoints(address, 12);
const TYPES = [
  "turn", "new name", "depart", "arrive", "merge", "on ramp", "off ramp", "fork", "end of road", "continue",
  "roundabout", "rotary", "roundabout turn", "exit roundabout", "exit rotary", "notification", "use lane",
];
const MODIFIERS = [
  "uturn", "sharp right", "right", "slight right", "straight", "slight left", "left", "sharp left",
];

for (const profile of ["car", "van", "emergency", "ebike", "foot"]) {
  test(`every step of ${profile} can be said in English and Chinese`, async () => {
    for (let i = 1; i < points.length; i++) {
      const url = `${address}/route/v1/${profile}/${points[i - 1].join(",")};${points[i].join(",")}?steps=true`;
      const answer = await (await fetch(url)).json();
      if (answer.code === "NoRoute") continue;
      assert.equal(answer.code, "Ok", url);
      const { steps } = answer.routes[0].legs[0];
      assert.equal(steps[0].maneuver.type, "depart");
      assert.equal(steps.at(-1).maneuver.type, "arrive");
      for (const step of steps) {
        assert.ok(TYPES.includes(step.maneuver.type), step.maneuver.type);
        if (step.maneuver.modifier !== undefined) assert.ok(MODIFIERS.includes(step.maneuver.modifier));
        for (const language of ["en", "zh-Hans"]) {
          const text = instructions.compile(language, step, { legCount: 1, legIndex: 0 });
          assert.ok(text.length > 1 && !/undefined|\{/.test(text), `${text} of ${JSON.stringify(step.maneuver)}`);
        }
      }
    }
  });
}

test("every step of a matched trace can be said", async () => {
  for (let i = 1; i < points.length; i++) {
    const ends = `${points[i - 1].join(",")};${points[i].join(",")}`;
    const route = await (await fetch(`${address}/route/v1/car/${ends}?overview=full&geometries=geojson`)).json();
    if (route.code === "NoRoute") continue;
    assert.equal(route.code, "Ok");
    // every third point of the way, two metres beside it
    const way = route.routes[0].geometry.coordinates;
    const trace = way.filter((_, n) => n % 3 === 0 || n === way.length - 1).map(([x, y]) => [x + 2e-5, y]);
    if (trace.length < 2) continue;
    const url = `${address}/match/v1/car/${trace.map((p) => p.map((x) => x.toFixed(6)).join(",")).join(";")}?steps=true`;
    const answer = await (await fetch(`${url}&waypoints=0;${trace.length - 1}`)).json();
    if (answer.code === "NoMatch") continue;
    assert.equal(answer.code, "Ok", url);
    assert.equal(answer.tracepoints.length, trace.length);
    assert.equal(answer.matchings[0].legs.length, 1);
    const { steps } = answer.matchings[0].legs[0];
    assert.equal(steps[0].maneuver.type, "depart");
    assert.equal(steps.at(-1).maneuver.type, "arrive");
    for (const step of steps) {
      const text = instructions.compile("en", step, { legCount: 1, legIndex: 0 });
      assert.ok(text.length > 1 && !/undefined|\{/.test(text), `${text} of ${JSON.stringify(step.maneuver)}`);
    }
  }
});
