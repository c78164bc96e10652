// What an area would touch if it came into force: the legs of vans and of responders that go through it, with what the way
// around costs, and the deliveries inside. Asked of the public API; nothing is changed by asking.
import type { Context } from "../panel";
import { inLanes, ms, pages, type Collection, type Incident, type Order, type Plan, type UnitProperties } from "./common";
import { inside, touches, type Point } from "./geometry";

const LANES = 4;
const LEGS_ASKED = 12; // of each van: more tell nothing new, and make the table long
const HOMES_MOST = 1000; // of one answer of /v1/near

export interface TouchedRoute {
  unit: string;
  incident?: Incident;
  legs: number;
  line: GeoJSON.Position[][];
  longer_ms: number; // over the legs that have a way around
  cut: number; // legs that have none
  passes: boolean; // goes through all the same
}

export interface Touched {
  routes: TouchedRoute[];
  orders: Order[];
  homes: number;
  homesMore: boolean;
  unitOf: Map<string, string>; // of each open order, as it is before
}

interface Leg {
  from: GeoJSON.Position;
  to: GeoJSON.Position;
  line: GeoJSON.Position[];
}

interface RouteAnswer {
  code: string;
  routes?: { geometry: GeoJSON.LineString }[];
}

interface TableAnswer {
  durations: (number | null)[][];
}

async function way(ctx: Context, profile: string, from: GeoJSON.Position, to: GeoJSON.Position): Promise<GeoJSON.Position[] | undefined> {
  const path = `/route/v1/${profile}/${from[0]},${from[1]};${to[0]},${to[1]}?overview=full&geometries=geojson`;
  const answer = await ctx.api.get<RouteAnswer>(path).catch(() => undefined); // NoRoute comes as a 400
  return answer?.routes?.[0]?.geometry.coordinates;
}

// What the way around costs. `avoid` is exact, so this is what the next plan will find. A table, since that says of a pair
// without a way just that.
async function around(ctx: Context, profile: string, legs: Leg[], area: GeoJSON.Polygon): Promise<{ longer_ms: number; cut: number }> {
  const some = legs.slice(0, LEGS_ASKED);
  const places = some.flatMap((leg) => [leg.from, leg.to]).map((at) => `${at[0]},${at[1]}`).join(";");
  const path = `/table/v1/${profile}/${places}?annotations=duration`;
  const avoid = encodeURIComponent(JSON.stringify(area));
  const [now, then] = await Promise.all([path, `${path}&avoid=${avoid}`].map((at) => ctx.api.get<TableAnswer>(at).catch(() => undefined)));
  let longer_ms = 0;
  let cut = 0;
  some.forEach((_, n) => {
    const before = now?.durations[2 * n]?.[2 * n + 1] ?? null;
    const after = then?.durations[2 * n]?.[2 * n + 1] ?? null;
    if (before === null || after === null) cut++;
    else longer_ms += Math.max(0, after - before) * 1000;
  });
  return { longer_ms, cut };
}

async function vanTouched(ctx: Context, van: Collection<UnitProperties>["features"][number], area: GeoJSON.Polygon):
    Promise<TouchedRoute | undefined> {
  const plan = await ctx.api.get<Plan>(`/v1/units/${encodeURIComponent(van.id)}/plan`).catch(() => undefined);
  const legs: Leg[] = [];
  for (const stop of plan?.stops ?? []) {
    const line = stop.way?.geometry?.coordinates;
    if (!line || line.length < 2 || !touches(area, line)) continue;
    legs.push({ from: line[0] as GeoJSON.Position, to: line[line.length - 1] as GeoJSON.Position, line });
  }
  if (legs.length === 0) return undefined;
  const cost = await around(ctx, van.properties.profile ?? "van", legs, area);
  return { unit: van.id, legs: legs.length, line: legs.map((leg) => leg.line), passes: false, ...cost };
}

async function responderTouched(ctx: Context, incident: Incident, unit: string, area: GeoJSON.Polygon):
    Promise<TouchedRoute | undefined> {
  if (incident.lon === undefined || incident.lat === undefined) return undefined;
  const path = `/collections/units/items/${encodeURIComponent(unit)}`;
  const feature = await ctx.api
    .get<{ geometry: GeoJSON.Point | null; properties: UnitProperties }>(path).catch(() => undefined);
  if (!feature?.geometry) return undefined;
  const profile = feature.properties.profile ?? "car";
  const ends = { from: feature.geometry.coordinates, to: [incident.lon, incident.lat] };
  const line = await way(ctx, profile, ends.from, ends.to);
  if (!line || !touches(area, line)) return undefined;
  const passes = profile === "emergency";
  const cost = passes ? { longer_ms: 0, cut: 0 } : await around(ctx, profile, [{ ...ends, line }], area);
  return { unit, incident, legs: 1, line: [line], passes, ...cost };
}

async function homesInside(ctx: Context, area: GeoJSON.Polygon): Promise<{ homes: number; homesMore: boolean }> {
  const path = `/v1/near?collection=households&k=${HOMES_MOST}&polygon=${encodeURIComponent(JSON.stringify(area))}`;
  const page = await ctx.api.get<Collection<unknown>>(path);
  return { homes: page.features.length, homesMore: page.features.length >= HOMES_MOST };
}

export async function touchedBy(ctx: Context, area: GeoJSON.Polygon): Promise<Touched> {
  const { api } = ctx;
  const [vans, open, orders, homes] = await Promise.all([
    api.get<Collection<UnitProperties>>("/collections/units/items?kind=van&limit=1000"),
    api.get<{ incidents: Incident[] }>("/v1/incidents?state=assigned,acknowledged,enroute&limit=1000"),
    pages<Order>(api, "/v1/orders?state=received,planned,loaded,enroute&limit=1000", "orders", 5000),
    homesInside(ctx, area),
  ]);
  const coming = open.incidents.flatMap((i) => i.assigned.filter((s) => s.state !== "onscene").map((s) => ({ i, unit: s.unit })));
  const [ofVans, ofResponders] = await Promise.all([
    inLanes(vans.features, LANES, (van) => vanTouched(ctx, van, area)),
    inLanes(coming, LANES, ({ i, unit }) => responderTouched(ctx, i, unit, area)),
  ]);
  return {
    routes: [...ofResponders, ...ofVans].filter((r): r is TouchedRoute => r !== undefined),
    orders: orders
      .filter((o) => o.lon !== undefined && o.lat !== undefined && inside(area, [o.lon, o.lat] as Point))
      .sort((a, b) => ms(a.due?.[1]) - ms(b.due?.[1])),
    ...homes,
    unitOf: new Map(orders.flatMap((o) => (o.unit === undefined ? [] : [[o.id, o.unit]]))),
  };
}

// Of several areas together: a route that two of them touch is named once, with the dearer of the two.
export async function touchedByAll(ctx: Context, areas: GeoJSON.Polygon[]): Promise<Touched> {
  const each: Touched[] = [];
  for (const area of areas) each.push(await touchedBy(ctx, area));
  const routes = new Map<string, TouchedRoute>();
  const orders = new Map<string, Order>();
  for (const touched of each) {
    for (const r of touched.routes) {
      const key = `${r.unit} ${r.incident?.id ?? ""}`;
      const known = routes.get(key);
      if (!known || r.cut > known.cut || r.longer_ms > known.longer_ms) routes.set(key, r);
    }
    for (const o of touched.orders) orders.set(o.id, o);
  }
  return {
    routes: [...routes.values()], orders: [...orders.values()],
    homes: each.reduce((sum, one) => sum + one.homes, 0), homesMore: each.some((one) => one.homesMore),
    unitOf: new Map(each.flatMap((one) => [...one.unitOf])),
  };
}
