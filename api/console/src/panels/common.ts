// What several panels share: the shapes of the API's answers that they read, times as people say them, and small pieces
// of the page. Shapes follow /openapi.json; members that no panel reads are left out.
import { clockSeconds, clockTime, span as signed } from "../format";
import { Problem, type Api, type Place } from "../panel";
import { refusalText } from "../refusal";

export type IncidentKind = "sos" | "fall" | "heart" | "door" | "gas" | "water" | "request" | "other";
export type SeatState = "assigned" | "acknowledged" | "enroute" | "onscene";
export type IncidentState = "received" | "queued" | SeatState | "resolved" | "evaluated" | "cancelled";

export interface Seat {
  unit: string;
  state: SeatState;
  duration_s: number;
  distance_m: number;
  eta: string;
  ack_by?: string;
  arrived_at?: string;
}

export interface Incident {
  id: string;
  state: IncidentState;
  kind: IncidentKind;
  severity: number;
  household?: string;
  lon?: number;
  lat?: number;
  assigned: Seat[];
  deadline: string;
  within_promise: boolean;
  at_risk?: boolean;
  arrived_at?: string;
  closed_at?: string;
  live_eta?: string;
  units?: number;
  skills?: string[];
  received_at?: string;
  opened_at?: string;
  alarms?: number;
  confirmed?: boolean;
  confirm_by?: string;
  step?: "received" | "handled" | "followed_up" | "coordinated" | "evaluated";
  step_by?: string;
  level?: "community" | "sub_district" | "district";
  outcome?: string;
}

export type OrderState = "received" | "planned" | "loaded" | "enroute" | "delivered" | "failed" | "cancelled";

export interface Order {
  id: string;
  state: OrderState;
  household?: string;
  lon?: number;
  lat?: number;
  kitchen?: string;
  load?: number[];
  due?: [string, string];
  unit?: string;
  sequence?: number;
  eta?: string;
  eta_low?: string;
  eta_high?: string;
  unplanned?: string;
  reason?: string;
  closed_at?: string;
  next?: string;
  token?: string;
}

export interface Stop {
  kind: "load" | "order";
  kitchen?: string;
  order?: string;
  household?: string;
  state?: string;
  lon: number;
  lat: number;
  arrival?: string;
  eta?: string;
  eta_low?: string;
  eta_high?: string;
  way?: { distance_m: number; geometry?: GeoJSON.LineString };
  here?: boolean;
  skipped?: boolean;
}

export interface Plan {
  unit: string;
  made_at?: string;
  planned?: boolean;
  why?: string;
  off_route?: boolean;
  stops: Stop[];
}

export interface Collection<P> {
  type: "FeatureCollection";
  features: { type: "Feature"; id: string; geometry: GeoJSON.Geometry | null; properties: P }[];
  numberMatched?: number;
}

export interface UnitProperties {
  name?: string;
  kind?: string;
  profile?: string;
  status?: string;
  home?: string;
}

export function ms(text: string | undefined): number {
  return text === undefined ? NaN : Date.parse(text);
}

// 7:41, 1:02:05, whatever its sign: the words around it say which.
export function span(milliseconds: number): string {
  return signed(Math.abs(milliseconds));
}

export function clockText(at: number | string | undefined, withSeconds = false): string {
  const value = typeof at === "number" ? at : ms(at);
  if (!Number.isFinite(value)) return "–";
  return withSeconds ? clockSeconds(value) : clockTime(value);
}

// A value of the theme, for what is drawn on the map.
export function theme(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#000";
}

const ROLE_WRONG = "the token's role may not do this";

// What an error means for the one who clicked: the server's refusal, or that it can't be reached. `short`: where the form
// is so small that the place of what is wrong ("/rank: ...") says nothing more.
export function explain(error: unknown, t: (key: string) => string, short = false): string {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return t("common.unreachable");
  if (error.status === 401 || (error.status === 403 && error.detail === ROLE_WRONG)) return t("common.forbidden");
  return refusalText(error, short);
}

export function explainShort(error: unknown, t: (key: string) => string): string {
  return explain(error, t, true);
}

// All pages of a list that answers {name: [...], before}; `most` bounds what is read.
export async function pages<T>(api: Api, path: string, name: string, most: number): Promise<T[]> {
  const rows: T[] = [];
  let before: string | undefined;
  do {
    const at: string = before === undefined ? path : `${path}&before=${encodeURIComponent(before)}`;
    const page: any = await api.get<any>(at);
    rows.push(...(page[name] as T[]));
    before = page.before as string | undefined;
  } while (before !== undefined && rows.length < most);
  return rows;
}

// Runs `work` over `items`, `lanes` at a time, and keeps the order of the results.
export async function inLanes<T, R>(items: readonly T[], lanes: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array<R>(items.length);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at] as T);
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, lane));
  return results;
}

// Arrow keys, Home and End walk over the elements of a selector; Tab leaves the list.
export function roving(host: HTMLElement, selector: string): void {
  host.addEventListener("keydown", (event) => {
    const all = [...host.querySelectorAll<HTMLElement>(selector)];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    const next = all[Math.max(0, Math.min(all.length - 1, to))];
    if (next) {
      next.focus();
      event.preventDefault();
    }
  });
}

// Calls of fn that come close together become one, at the latest `wait` ms after the first.
export function gathered(wait: number, fn: () => void): { (): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const call = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      fn();
    }, wait);
  };
  call.cancel = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  return call;
}

// A key for Idempotency-Key: what is sent twice by a lost answer happens once.
export function onceKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

// The keys of one form: what is sent twice by a lost answer happens once; what was answered, or corrected, is another.
export class Once {
  private key = onceKey();
  private text = "";

  headers(body: unknown): Record<string, string> {
    const text = JSON.stringify(body);
    if (text !== this.text) this.key = onceKey();
    this.text = text;
    return { "Idempotency-Key": this.key };
  }

  failed(error: unknown): void {
    if (!(error instanceof Problem) || error.status !== 0) this.text = "";
  }
}

// The part of a link that begins something new for a home: "new/h00001/121.7,29.9". The place goes with it, since reading
// the home once more would leave one more audit row.
export function homePart(home: { id: string; lon: number; lat: number }): string {
  return `new/${encodeURIComponent(home.id)}/${home.lon},${home.lat}`;
}

export function newHome(part: string): Place | undefined {
  const found = part.match(/^new\/([^/]+)\/(-?[\d.]+),(-?[\d.]+)$/);
  return found ? { household: found[1]!, lon: Number(found[2]), lat: Number(found[3]) } : undefined;
}
