// The incidents that are open, kept equal to the server's: read once, then each that an event names is read anew, and all
// of them now and then, since the live time of arrival moves without an event.
import type { Context } from "../panel";
import { gathered, ms, type Incident } from "./common";

const OPEN = "received,queued,assigned,acknowledged,enroute,onscene";
const AGAIN_MS = 5000;
const ONE_BY_ONE = 8; // more that changed at once than this: the whole list is cheaper

export function isOpen(i: Incident): boolean {
  return OPEN.split(",").includes(i.state);
}

// Whether the list has it by itself.
function stays(i: Incident): boolean {
  return isOpen(i) || (i.kind === "request" && i.state === "resolved");
}

// 0 the worst. Nobody is coming, or too late; coming in time; somebody is there; over.
export function gravity(i: Incident, now: number): number {
  if (!isOpen(i)) return 3;
  if (i.arrived_at !== undefined || i.state === "onscene") return 2;
  return i.state === "queued" || i.at_risk || !i.within_promise || ms(i.deadline) <= now ? 0 : 1;
}

export function worstFirst(rows: Iterable<Incident>, now: number): Incident[] {
  return [...rows].sort(
    (a, b) =>
      gravity(a, now) - gravity(b, now) ||
      ms(a.deadline) - ms(b.deadline) ||
      b.severity - a.severity ||
      a.id.localeCompare(b.id),
  );
}

export class Incidents {
  readonly all = new Map<string, Incident>();
  loaded = false; // the list was read once
  whole = false; // it is the server's: nothing that was asked for since has failed
  private readonly ctx: Context;
  private readonly changed: () => void;
  private readonly failed: (error: unknown) => void;
  private readonly dirty = new Set<string>();
  private readonly ends: (() => void)[] = [];
  private readonly soon: { (): void; cancel(): void };
  private readonly fresh = new Set<string>(); // read since the list was asked for: its answer is older
  private kept: string | undefined; // a link's, also when it is over
  private turn = 0; // of the list whose answer counts
  private broken = false; // asked for again by itself
  private stopped = false;

  constructor(ctx: Context, changed: () => void, failed: (error: unknown) => void) {
    this.ctx = ctx;
    this.changed = changed;
    this.failed = failed;
    this.soon = gathered(100, () => void this.refresh());
    this.ends.push(
      ctx.stream.on(["incident.*"], (event) => {
        const id: unknown = event.data.incident;
        if (typeof id === "string") {
          this.dirty.add(id);
          this.soon();
        }
      }),
      ctx.stream.onGap(() => void this.load()),
      ctx.clock.every(AGAIN_MS, () => {
        if (this.broken || [...this.all.values()].some((i) => i.live_eta !== undefined)) void this.load();
      }),
    );
    void this.load();
  }

  stop(): void {
    this.stopped = true;
    this.soon.cancel();
    for (const end of this.ends) end();
  }

  // All that are open, and requests that still have a clock running.
  async load(): Promise<void> {
    const turn = ++this.turn;
    this.fresh.clear();
    try {
      const [open, followed] = await Promise.all([
        this.ctx.api.get<{ incidents: Incident[] }>(`/v1/incidents?state=${OPEN}&limit=1000`),
        this.ctx.api.get<{ incidents: Incident[] }>("/v1/incidents?state=resolved&kind=request&limit=50"),
      ]);
      if (turn !== this.turn || this.stopped) return;
      const rows = [...open.incidents, ...followed.incidents];
      const ids = new Set(rows.map((i) => i.id));
      for (const id of this.all.keys()) if (!ids.has(id) && !this.fresh.has(id) && id !== this.kept) this.all.delete(id);
      for (const i of rows) if (!this.fresh.has(i.id)) this.all.set(i.id, i);
      this.loaded = true;
      this.whole = true;
      this.broken = false;
      this.changed();
    } catch (error) {
      this.fault(error);
    }
  }

  // What is on the list may not be all, and it says so until it was read again.
  private fault(error: unknown): void {
    if (this.stopped) return;
    this.whole = false;
    this.broken = true;
    this.failed(error);
  }

  // Reads one that a link names. Where that is over, it stays on the list until letGo().
  async named(id: string): Promise<Incident> {
    this.kept = id;
    const i = await this.read(id);
    if (stays(i)) this.kept = undefined;
    return i;
  }

  letGo(): void {
    if (this.kept !== undefined) this.all.delete(this.kept);
    this.kept = undefined;
  }

  async read(id: string): Promise<Incident> {
    const i = await this.ctx.api.get<Incident>(`/v1/incidents/${encodeURIComponent(id)}`);
    this.put(i);
    return i;
  }

  // What an answer to a command says of it.
  put(i: Incident): void {
    this.fresh.add(i.id);
    if (stays(i) || i.id === this.kept) this.all.set(i.id, i);
    else this.all.delete(i.id);
    if (!this.stopped) this.changed();
  }

  private async refresh(): Promise<void> {
    const ids = [...this.dirty];
    this.dirty.clear();
    if (ids.length > ONE_BY_ONE) return this.load();
    try {
      await Promise.all(ids.map((id) => this.read(id)));
    } catch (error) {
      this.fault(error);
    }
  }
}
