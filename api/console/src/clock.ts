// The server's clock, which may be a virtual one that runs at another speed: read at start, then from time to time, and
// kept with this machine's steady clock in between.
import type { Api, Clock } from "./panel";

const AGAIN_MS = 30_000;

export function makeClock(api: Api): Clock {
  let base = Date.now();
  let read = performance.now();
  let speed = 1;

  async function ask(): Promise<void> {
    const begun = performance.now();
    const said = await api.get<{ now: string; speed: number; virtual: boolean }>("/v1/clock");
    const ended = performance.now();
    base = Date.parse(said.now);
    speed = said.virtual ? said.speed : 1;
    read = (begun + ended) / 2;
  }

  const again = (): void => {
    ask().catch(() => undefined); // the connection's state is the stream's to show
  };
  again();
  setInterval(again, AGAIN_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) again();
  });
  return {
    now: () => base + (performance.now() - read) * speed,
    every: (ms, fn) => {
      const timer = setInterval(fn, ms);
      return () => clearInterval(timer);
    },
  };
}
