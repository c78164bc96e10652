// What the page gives each of its panels, and what a panel gives the page. The rooms behind these interfaces are api.ts,
// stream.ts, clock.ts and map/town_map.ts; a panel knows only what stands here and in dom.ts, format.ts and i18n.ts.
import type { Map as LibreMap } from "maplibre-gl";

// A problem+json answer (RFC 9457), or a connection that failed (status 0).
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;

  constructor(status: number, title: string, detail: string) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.detail = detail;
  }
}

// Each call throws Problem. A body that is a string is sent as it is, anything else as JSON. `headers` is for
// Idempotency-Key, If-Match and the like.
export interface Api {
  get<T>(path: string): Promise<T>;
  tagged<T>(path: string): Promise<{ value: T; etag: string }>; // for a PUT with If-Match
  text(path: string, accept: string): Promise<string>;
  post<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<T>;
  put<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<T>;
  patch<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<T>;
  del(path: string, headers?: Record<string, string>): Promise<void>;
}

// An event of GET /v1/stream. `kind` is what happened: "incident.assigned", "order.delivered", "item.put" (the event's
// own kind), or "positions". `subject` is what it happened to ("incidents/01J...", "zones/z1"; "" for positions).
// `data` is its JSON: of an event its body (ids only), of a position {unit, lon, lat, ts, ...}.
export interface StreamEvent {
  topic: string; // "incidents", "orders", "positions", ...
  kind: string;
  subject: string;
  id: string; // where a lost stream resumes; "" for positions
  at: number; // ms since 1970 on the server's clock; 0 for positions that were never timed
  data: any;
}

export interface Stream {
  // `kinds` are kinds, or beginnings of them that end in "*": "incident.*". Returns the function that ends it.
  on(kinds: string[], fn: (event: StreamEvent) => void): () => void;
  // Called at once with the state as it is, then at each change.
  onState(fn: (state: "live" | "lost") => void): () => void;
  // Called when events may have been missed for good: whoever keeps a list reads it anew.
  onGap(fn: () => void): () => void;
}

export interface Clock {
  now(): number; // milliseconds since 1970 on the server's clock
  every(ms: number, fn: () => void): () => void; // by the wall; returns the function that ends it
}

export interface Place {
  lon: number;
  lat: number;
  household?: string;
}

export interface LineStyle {
  color?: string; // of the theme when absent
  width?: number;
  dashed?: boolean;
}

export interface TownMap {
  ml: LibreMap | undefined; // undefined: this browser draws no map (no WebGL); all else may be called all the same
  ready: Promise<void>; // the style is there: layers can be added
  // Makes or replaces a source of this name, drawn above the town and below its units: points as circles, lines as
  // lines, polygons filled. The properties "color", "width", "radius", "opacity" and "label" of a feature are obeyed.
  setGeoJson(id: string, data: GeoJSON.FeatureCollection | GeoJSON.Feature | GeoJSON.Geometry): void;
  show(id: string, on: boolean): void; // such a source, or a layer of the town: "cells", "zones", "households", ...
  remove(id: string): void;
  flyTo(lon: number, lat: number, zoom?: number): void;
  fit(geometry: GeoJSON.Geometry): void;
  onHousehold(fn: (id: string, place: Place) => void): () => void;
  onUnit(fn: (id: string) => void): () => void;
  onMark(id: string, fn: (mark: string) => void): () => void; // a click on a point of setGeoJson(id, ...): its property "id"
  pick(message: string): Promise<Place | undefined>; // the next click on the map; undefined: the user thought better, or there is no map
  drawLine(id: string, geometry: GeoJSON.Geometry | undefined, style?: LineStyle): void; // undefined takes it away
}

export type Values = Record<string, string | number>;

export interface Context {
  api: Api;
  stream: Stream;
  map: TownMap;
  clock: Clock;
  t(key: string, values?: Values): string;
  link(part: string): void; // the shareable hash of what was clicked: "incident/01J..."; "" clears it
  say(text: string, kind?: "good" | "bad"): void; // a short message, read aloud by screen readers too
  wide(on: boolean): void; // more room for the panel, at the cost of the map
}

// `title` is a key of i18n.ts. A panel is mounted when it is opened and unmounted when another takes its place or the
// language changes. `open` is called after mount with the part of the link behind the panel's id. `begin` is called once,
// when the page is there, for what goes on whichever panel is open.
// `id` is the first word of its links: "incident" opens for #incident/01J...
// What a panel offers for what a card shows: a link of its own.
export interface Offer {
  text: string; // a key of i18n.ts
  part: string; // "order/van/van-01"
  may?: string; // the role that it takes
}

export type Offered =
  | { kind: "unit"; id: string; unit: string } // van, responder, ...
  | { kind: "household"; id: string; lon: number; lat: number };

export interface Panel {
  id: string;
  title: string;
  order: number;
  begin?(ctx: Context): void;
  mount(host: HTMLElement, ctx: Context): void;
  unmount(): void;
  open?(part: string): void;
  offers?(what: Offered): Offer[];
}

const known: Panel[] = [];

export function addPanel(p: Panel): void {
  known.push(p);
  known.sort((a, b) => a.order - b.order);
}

export function panels(): Panel[] {
  return known;
}
