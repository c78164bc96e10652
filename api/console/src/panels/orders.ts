// The day's orders, kept equal to the server's by its events, and what each plan changed. The list is read once: reading it
// tells diets, and each such read leaves an audit row. Events tell all but those few things that are read one by one.
import type { Context, StreamEvent } from "../panel";
import { gathered, ms, pages, type Order, type OrderState } from "./common";

const HOUR_MS = 3_600_000;
const MOST = 10_000;
const ONE_PLAN_MS = 1500; // what comes closer together is of one plan
const PLANS_KEPT = 20;
const AGAIN_MS = 5000; // after a list that could not be read
const SHIFT_MS = 60_000; // an arrival that moves by less is not worth a line
const RANK: OrderState[] = ["received", "planned", "loaded", "enroute", "delivered", "failed", "cancelled"];

export interface Change {
  order: string;
  household: string | undefined;
  what: "new" | "moved" | "time" | "lost";
  from?: string | undefined; // van
  to?: string | undefined;
  shift: number; // ms later than before
  reason?: string | undefined;
}

export interface Replan {
  id: string;
  at: number;
  changes: Change[];
}

export function orderOpen(o: Order): boolean {
  return RANK.indexOf(o.state) < RANK.indexOf("delivered");
}

// How much too late it is, or will be; 0: in time, as far as is known.
export function lateness(o: Order, now: number): number {
  if (!orderOpen(o) || !o.due) return 0;
  const eta = ms(o.eta);
  return Math.max(0, Math.max(Number.isFinite(eta) ? eta : now, now) - ms(o.due[1]));
}

export function stranded(o: Order): boolean {
  return o.state === "received" && o.unplanned !== undefined;
}

export function lateFirst(rows: Order[], now: number): Order[] {
  const weight = (o: Order): number => (stranded(o) ? Number.MAX_SAFE_INTEGER : lateness(o, now));
  return [...rows].sort(
    (a, b) => weight(b) - weight(a) || (ms(a.due?.[0]) || 0) - (ms(b.due?.[0]) || 0) || a.id.localeCompare(b.id),
  );
}

export class Orders {
  readonly all = new Map<string, Order>();
  readonly replans: Replan[] = [];
  loaded = false; // the list was read once
  whole = false; // it is the server's: nothing that was asked for since has failed
  private readonly ctx: Context;
  private readonly changed: () => void;
  private readonly failed: (error: unknown) => void;
  private readonly touched = new Set<string>(); // while the list is being read
  private readonly dirty = new Set<string>();
  private readonly ends: (() => void)[];
  private readonly soon: { (): void; cancel(): void };
  private reading = 0;
  private broken = false; // asked for again by itself
  private stopped = false;

  constructor(ctx: Context, changed: () => void, failed: (error: unknown) => void) {
    this.ctx = ctx;
    this.changed = changed;
    this.failed = failed;
    this.soon = gathered(200, () => void this.refresh());
    this.ends = [
      ctx.stream.on(["order.*"], (event) => this.take(event)),
      ctx.stream.onGap(() => void this.load()),
      ctx.clock.every(AGAIN_MS, () => {
        if (this.broken) void this.load();
      }),
    ];
    void this.load();
  }

  stop(): void {
    this.stopped = true;
    this.soon.cancel();
    for (const end of this.ends) end();
  }

  async load(): Promise<void> {
    const reading = ++this.reading;
    this.touched.clear();
    const now = await this.serverNow();
    const span = [now - 12 * HOUR_MS, now + 24 * HOUR_MS].map((at) => new Date(at).toISOString()).join("/");
    try {
      const path = `/v1/orders?due=${encodeURIComponent(span)}&limit=1000`;
      const rows = await pages<Order>(this.ctx.api, path, "orders", MOST);
      if (reading !== this.reading || this.stopped) return;
      this.all.clear();
      for (const o of rows) this.all.set(o.id, o);
      for (const id of this.touched) this.dirty.add(id);
      if (this.dirty.size > 0) this.soon();
      this.loaded = true;
      this.whole = true;
      this.broken = false;
      this.changed();
    } catch (error) {
      if (reading === this.reading) this.fault(error);
    }
  }

  // What is on the list may not be all, and it says so until it was read again.
  private fault(error: unknown): void {
    if (this.stopped) return;
    this.whole = false;
    this.broken = true;
    this.failed(error);
  }

  // The page's clock may not have been set yet when the panel opens, and a simulated town is another day's.
  private async serverNow(): Promise<number> {
    const clock = await this.ctx.api.get<{ now: string }>("/v1/clock").catch(() => undefined);
    return clock ? ms(clock.now) : this.ctx.clock.now();
  }

  async read(id: string): Promise<Order> {
    const o = await this.ctx.api.get<Order>(`/v1/orders/${encodeURIComponent(id)}`);
    this.put(o);
    return o;
  }

  put(o: Order): void {
    this.all.set(o.id, o);
    if (!this.stopped) this.changed();
  }

  private async refresh(): Promise<void> {
    const ids = [...this.dirty];
    this.dirty.clear();
    if (ids.length > 20) return this.load();
    await Promise.all(ids.map((id) => this.read(id))).catch((error: unknown) => this.fault(error));
  }

  // ---- events ----

  private take(event: StreamEvent): void {
    const body = event.data;
    const id: unknown = body.order;
    if (typeof id !== "string") return;
    this.touched.add(id);
    const kind = event.kind.slice("order.".length);
    const o = this.all.get(id);
    if (kind === "received" && !o) {
      this.all.set(id, {
        id, state: "received", household: body.household, kitchen: body.kitchen, due: [body.due_from, body.due_to],
      });
    } else if (!o || kind === "failed" || kind === "reopened") {
      this.dirty.add(id);
      this.soon();
    } else if (kind === "planned") {
      this.planned(o, event);
    } else if (kind === "unplanned") {
      this.unplanned(o, event);
    } else {
      this.stepped(o, kind as OrderState, event);
    }
    this.changed();
  }

  // An event of before the list was read changes nothing: an order does not go back.
  private stepped(o: Order, state: OrderState, event: StreamEvent): void {
    const unit: string | undefined = event.data.unit;
    if (RANK.indexOf(state) <= RANK.indexOf(o.state)) return;
    o.state = state;
    if (unit !== undefined) o.unit = unit;
    if (!orderOpen(o)) o.closed_at = new Date(event.at).toISOString();
  }

  private planned(o: Order, event: StreamEvent): void {
    const body = event.data;
    const shift = ms(body.eta) - ms(o.eta);
    const what = o.unit === undefined ? "new" : o.unit !== body.unit ? "moved" : "time";
    if (what !== "time" || Math.abs(shift) >= SHIFT_MS) {
      this.note(event, {
        order: o.id, household: o.household, what, from: o.unit, to: body.unit, shift: Number.isFinite(shift) ? shift : 0,
      });
    }
    if (o.state === "received") o.state = "planned";
    Object.assign(o, {
      unit: body.unit, sequence: body.sequence, eta: body.eta, eta_low: body.eta_low, eta_high: body.eta_high,
    });
    delete o.unplanned;
  }

  private unplanned(o: Order, event: StreamEvent): void {
    const reason: string | undefined = event.data.unplanned;
    if (RANK.indexOf(o.state) > RANK.indexOf("planned")) return;
    if (o.unit !== undefined || o.unplanned !== reason) {
      this.note(event, { order: o.id, household: o.household, what: "lost", from: o.unit, shift: 0, reason });
    }
    o.state = "received";
    if (reason === undefined) delete o.unplanned;
    else o.unplanned = reason;
    for (const key of ["unit", "sequence", "eta", "eta_low", "eta_high"] as const) delete o[key];
  }

  private note(event: StreamEvent, change: Change): void {
    const last = this.replans[0];
    if (last && Math.abs(event.at - last.at) <= ONE_PLAN_MS) {
      last.changes = merged(last.changes, change);
      return;
    }
    this.replans.unshift({ id: event.id, at: event.at, changes: [change] });
    this.replans.length = Math.min(this.replans.length, PLANS_KEPT);
  }
}

// What a plan does to an order in several steps is told as one: from where it was to where it is.
function merged(all: Change[], next: Change): Change[] {
  const at = all.findIndex((c) => c.order === next.order);
  const before = all[at];
  if (before === undefined) return [...all, next];
  const rest = all.filter((_, n) => n !== at);
  if (next.what === "lost") return before.what === "new" ? rest : [...rest, { ...next, from: before.from }];
  if (before.what === "new" || before.what === "lost") return [...rest, { ...next, what: before.from === undefined ? "new" : "moved", from: before.from }];
  const shift = before.shift + next.shift;
  if (before.from === next.to && Math.abs(shift) < SHIFT_MS) return rest;
  return [...rest, { ...next, what: before.from === next.to ? "time" : "moved", from: before.from, shift }];
}

// How many stops a van has before each order that it has.
export function stopsBefore(rows: Iterable<Order>): Map<string, number> {
  const of = new Map<string, Order[]>();
  for (const o of rows) {
    if (o.unit === undefined || !orderOpen(o)) continue;
    const some = of.get(o.unit);
    if (some) some.push(o);
    else of.set(o.unit, [o]);
  }
  const before = new Map<string, number>();
  for (const some of of.values()) {
    some.sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0));
    let n = -1;
    let last: number | undefined;
    for (const o of some) {
      if (o.sequence !== last || n < 0) n++;
      last = o.sequence;
      before.set(o.id, n);
    }
  }
  return before;
}
