// How times, lengths and counts are shown: of the office's zone, in the page's language.
import { language, t } from "./i18n";

let zone = "Asia/Shanghai"; // the server's default for --tz; days and shifts are reckoned there
const zoned = new Set<() => void>();

// The server's zone, as GET /v1/clock names it. One that this browser doesn't know changes nothing.
export function setZone(name: string): void {
  if (name === zone) return;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch {
    return;
  }
  zone = name;
  for (const fn of zoned) fn();
}

// Called when the zone turns out to be another: what shows times is drawn anew.
export function onZone(fn: () => void): void {
  zoned.add(fn);
}

function locale(): string {
  return language() === "zh" ? "zh-CN" : "en-GB";
}

// 11:42
export function clockTime(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone }).format(ms);
}

// 11:42:07
export function clockSeconds(ms: number): string {
  return new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
    timeZone: zone,
  }).format(ms);
}

// 3 March, 3月3日
export function day(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { month: "long", day: "numeric", weekday: "short", timeZone: zone }).format(ms);
}

// 3 March 2026, 2026年3月3日
export function wholeDay(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { year: "numeric", month: "long", day: "numeric", weekday: "long", timeZone: zone }).format(ms);
}

// Tue, 3 Mar; 3月3日周二
export function shortDay(ms: number): string {
  return dayText(dayOf(ms));
}

export function dayTime(ms: number): string {
  return `${day(ms)} ${clockTime(ms)}`;
}

// 7:05, or 1:02:33 from an hour on; -0:12 when it is over. What a countdown shows.
export function span(ms: number): string {
  const sign = ms < 0 ? "−" : "";
  const seconds = Math.floor(Math.abs(ms) / 1000);
  const two = (n: number): string => String(n).padStart(2, "0");
  const minutes = Math.floor(seconds / 60) % 60;
  const hours = Math.floor(seconds / 3600);
  return hours > 0
    ? `${sign}${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${sign}${minutes}:${two(seconds % 60)}`;
}

// 850 m, 3.4 km
export function length(metres: number): string {
  return metres < 995 ? `${Math.round(metres / 10) * 10} m` : `${(metres / 1000).toFixed(metres < 9950 ? 1 : 0)} km`;
}

// just now, 4 min ago
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 10) return t("time.now");
  if (seconds < 90) return t("time.seconds", { n: seconds });
  if (seconds < 5400) return t("time.minutes", { n: Math.round(seconds / 60) });
  if (seconds < 129_600) return t("time.hours", { n: Math.round(seconds / 3600) });
  return t("time.days", { n: Math.round(seconds / 86_400) });
}

export function count(n: number): string {
  return new Intl.NumberFormat(locale()).format(n);
}

// ---- days of the office, as "2026-03-02" ----

const DAY_MS = 86_400_000;

export function dayOf(ms: number): string {
  return new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone: zone }).format(ms);
}

// "08:30", as an <input type="time"> has it.
export function timeOf(ms: number): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: zone }).format(ms);
}

// What the office's clock shows, read as if it were UTC.
function local(ms: number): number {
  return Date.parse(`${dayOf(ms)}T${timeOf(ms)}:00Z`);
}

// When a clock of the office shows that time of that day.
export function moment(date: string, time = "00:00"): number {
  const wanted = Date.parse(`${date}T${time}:00Z`);
  const guess = wanted - (local(wanted) - wanted);
  return wanted - (local(guess) - guess);
}

export function addDays(date: string, n: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + n * DAY_MS).toISOString().slice(0, 10);
}

export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS);
}

export function mondayOf(date: string): string {
  return addDays(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7));
}

// Mon 2 Mar, 3月2日周一
export function dayText(date: string, options: Intl.DateTimeFormatOptions = { month: "short", day: "numeric", weekday: "short" }): string {
  return new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" }).format(Date.parse(`${date}T00:00:00Z`));
}
