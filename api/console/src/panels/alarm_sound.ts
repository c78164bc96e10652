// The sound of a new alarm: two tones, three times; a request sounds once, lower. Made by WebAudio, so that nothing is
// fetched. It goes on while another panel is open: it is begun once and never ends. A browser lets a page sound only after
// somebody touched it; until then `blocked` says so.
import type { Context } from "../panel";

const STORED = "houtao.alarm.muted";
const FRESH_MS = 120_000; // what a lost connection brings later than this is no news any more

interface Fresh {
  id: string;
  kind: string;
  household?: string;
}

let audio: AudioContext | undefined;
let begun = false;
let quiet = stored();
const listeners = new Set<() => void>();
const told = new Set<(alarm: Fresh) => void>();

function stored(): boolean {
  try {
    return localStorage.getItem(STORED) === "1";
  } catch {
    return false;
  }
}

export function muted(): boolean {
  return quiet;
}

export function blocked(): boolean {
  return audio === undefined || audio.state !== "running";
}

export function onSound(fn: () => void): () => void {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

export function onAlarm(fn: (alarm: Fresh) => void): () => void {
  told.add(fn);
  return () => told.delete(fn);
}

function tell(): void {
  for (const fn of listeners) fn();
}

export function mute(on: boolean): void {
  quiet = on;
  try {
    localStorage.setItem(STORED, on ? "1" : "0");
  } catch {
    // A browser that forbids storage forgets it.
  }
  if (!on) {
    wake();
    sound("request");
  }
  tell();
}

function wake(): void {
  audio ??= new AudioContext();
  if (audio.state === "suspended") void audio.resume().then(tell, () => undefined);
}

function tone(at: number, hertz: number, length: number): void {
  if (!audio) return;
  const wave = audio.createOscillator();
  const level = audio.createGain();
  wave.frequency.value = hertz;
  level.gain.setValueAtTime(0.0001, at);
  level.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
  level.gain.exponentialRampToValueAtTime(0.0001, at + length);
  wave.connect(level).connect(audio.destination);
  wave.start(at);
  wave.stop(at + length);
}

function sound(kind: string): void {
  if (quiet || !audio || audio.state !== "running") return;
  const now = audio.currentTime;
  if (kind === "request") {
    tone(now, 523, 0.3);
    return;
  }
  for (let i = 0; i < 3; i++) {
    tone(now + i * 0.7, 988, 0.25);
    tone(now + i * 0.7 + 0.3, 740, 0.3);
  }
}

export function startAlarms(ctx: Context): void {
  if (begun) return;
  begun = true;
  const first = (): void => {
    wake();
    tell();
  };
  // After a click, not at the press: what goes away in between moves the page under the pointer, and the click is lost.
  document.addEventListener("click", first, { once: true });
  document.addEventListener("keydown", first, { once: true });
  ctx.stream.on(["incident.received"], (event) => {
    const body = event.data;
    if (ctx.clock.now() - event.at > FRESH_MS) return;
    sound(body.kind);
    for (const fn of told) fn({ id: body.incident, kind: body.kind, household: body.household ?? undefined });
  });
}
