// The server's clock, which may be a virtual one that runs at another speed: read at start, then from time to time, and
// kept with this machine's steady clock in between.
import { setZone } from "./format";
import type { Api, Clock } from "./panel";

const AGAIN_MS = 30_000;

// `ready`: it was asked once, whatever came of it.
export function makeClock(api: Api): Clock & { ready: Promise<void> } {
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

  const again = (): Promise<void> => ask().catch(() => undefined); // the connection's state is the stream's to show
  const ready = again();
  setInterval(() => void again(), AGAIN_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void again();
  });
  return {
    ready,
    now: () => base + (performance.now() - read) * speed,
    every: (ms, fn) => {
      const timer = setInterval(fn, ms);
      return () => clearInterval(timer);
    },
  };
}
