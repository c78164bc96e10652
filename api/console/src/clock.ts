// The server's clock, which may be a virtual one that runs at another speed: read at start, then from time to time, and
// kept with this machine's steady clock in between.
import { setZone } from "./format";
import type { Api, Clock } from "./panel";

const AGAIN_MS = 30_000;
const AHEAD_MS = 5000;

// `ready`: it was asked once, whatever came of it. `seen`: something happened at that moment of the server's, which can't lie
// ahead: where it does, the clock was pushed on, and is asked again.
export function makeClock(api: Api): Clock & { ready: Promise<void>; seen(at: number): void } {
  let base = Date.now();
  let read = performance.now();
  let speed = 1;

  async function ask(): Promise<void> {
    const begun = performance.now();
    const said = await api.get<{ now: string; speed: number; virtual: boolean; zone?: string }>("/v1/clock");
    const ended = performance.now();
    base = Date.parse(said.now);
    speed = said.virtual ? said.speed : 1;
    read = (begun + ended) / 2;
    if (said.zone) setZone(said.zone);
  }

  let asking = false;

  const again = (): Promise<void> => ask().catch(() => undefined); // the connection's state is the stream's to show
  const ready = again();
  setInterval(() => void again(), AGAIN_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void again();
  });
  const now = (): number => base + (performance.now() - read) * speed;
  return {
    ready,
    now,
    seen: (at) => {
      if (asking || at <= now() + AHEAD_MS) return;
      asking = true;
      void again().then(() => {
        asking = false;
      });
    },
    every: (ms, fn) => {
      const timer = setInterval(fn, ms);
      return () => clearInterval(timer);
    },
  };
}
