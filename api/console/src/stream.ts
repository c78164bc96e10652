// The event stream (GET /v1/stream) over fetch, since EventSource can set no header and the token shall stay out of
// addresses. After a loss it resumes behind the last event that came (Last-Event-ID), so nothing is missed; where that is
// not possible (the server is another one, or none came yet), onGap says so.
import { authorized } from "./api";
import type { Stream, StreamEvent } from "./panel";

const SILENT_MS = 40_000; // the server says something every 15 s
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

export interface Frame {
  event: string;
  id: string;
  data: string;
}

// Cuts text that arrives in any pieces into frames (WHATWG HTML, 9.2.6, as far as this server uses it).
export function frameReader(sink: (frame: Frame) => void): (text: string) => void {
  let rest = "";
  let frame: Frame = { event: "", id: "", data: "" };
  const line = (text: string): void => {
    if (text === "") {
      if (frame.data !== "") sink(frame);
      frame = { event: "", id: "", data: "" };
      return;
    }
    const colon = text.indexOf(":");
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + (text[colon + 1] === " " ? 2 : 1));
    if (name === "event") frame.event = value;
    else if (name === "id") frame.id = value;
    else if (name === "data") frame.data = frame.data === "" ? value : `${frame.data}\n${value}`;
  };
  return (text) => {
    rest += text;
    let begin = 0;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n", begin)) {
      line(rest[end - 1] === "\r" ? rest.slice(begin, end - 1) : rest.slice(begin, end));
      begin = end + 1;
    }
    rest = rest.slice(begin);
  };
}

function eventOf(frame: Frame): StreamEvent {
  const said = JSON.parse(frame.data);
  if (frame.event === "positions") {
    const at = said.ts ? Date.parse(said.ts) : 0;
    return { topic: "positions", kind: "positions", subject: "", id: "", at, data: said };
  }
  return {
    topic: frame.event,
    kind: said.kind ?? frame.event,
    subject: said.subject ?? "",
    id: frame.id,
    at: Date.parse(said.at ?? "") || 0,
    data: said.body ?? {},
  };
}

function matcher(kinds: string[]): (kind: string) => boolean {
  const whole = new Set(kinds.filter((kind) => !kind.endsWith("*")));
  const begins = kinds.filter((kind) => kind.endsWith("*")).map((kind) => kind.slice(0, -1));
  return (kind) => whole.has(kind) || begins.some((begin) => kind.startsWith(begin));
}

// `signIn` as in api.ts. The stream begins at once.
export function openStream(signIn: () => Promise<void>): Stream {
  const listeners = new Set<{ wants: (kind: string) => boolean; fn: (event: StreamEvent) => void }>();
  const states = new Set<(state: "live" | "lost") => void>();
  const gaps = new Set<() => void>();
  let state: "live" | "lost" = "lost";
  let last = "";
  let opened = false; // once, at least
  let failures = 0;

  const become = (next: "live" | "lost"): void => {
    if (next === state) return;
    state = next;
    for (const fn of states) fn(state);
  };

  const take = (frame: Frame): void => {
    if (frame.id !== "") last = frame.id;
    if (frame.event === "dropped" || frame.event === "stopping") return; // the end follows
    const event = eventOf(frame);
    for (const listener of listeners) {
      if (!listener.wants(event.kind)) continue;
      try {
        listener.fn(event);
      } catch (error) {
        console.error(error); // one panel's mistake is not the others' silence
      }
    }
  };

  async function listen(): Promise<void> {
    const abort = new AbortController();
    let heard = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - heard > SILENT_MS) abort.abort();
    }, 5000);
    try {
      const reply = await fetch("/v1/stream", {
        headers: authorized({ Accept: "text/event-stream", ...(last ? { "Last-Event-ID": last } : {}) }),
        signal: abort.signal,
        cache: "no-store",
      });
      if (reply.status === 401) {
        await signIn();
        return;
      }
      if (reply.status === 400 && last !== "") last = ""; // another server: its events are counted anew
      if (!reply.ok || !reply.body) throw new Error(`stream: ${reply.status}`);
      const missed = opened && last === "";
      opened = true;
      failures = 0;
      become("live");
      if (missed) for (const fn of gaps) fn();
      const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
      const read = frameReader(take);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        heard = performance.now();
        read(value);
      }
    } finally {
      clearInterval(watch);
    }
  }

  async function run(): Promise<void> {
    for (;;) {
      try {
        await listen();
      } catch {
        failures++;
      }
      if (failures > 0 || state === "live") become("lost");
      const wait = RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]!;
      await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
    }
  }

  void run();
  return {
    on: (kinds, fn) => {
      const listener = { wants: matcher(kinds), fn };
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onState: (fn) => {
      states.add(fn);
      fn(state);
      return () => states.delete(fn);
    },
    onGap: (fn) => {
      gaps.add(fn);
      return () => gaps.delete(fn);
    },
  };
}
