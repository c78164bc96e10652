// How times, lengths and counts are shown: of the office's zone, in the page's language.
import { language, t } from "./i18n";

const ZONE = "Asia/Shanghai"; // the server's default for --tz; days and shifts are reckoned there

function locale(): string {
  return language() === "zh" ? "zh-CN" : "en-GB";
}

// 11:42
export function clockTime(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: ZONE }).format(ms);
}

// 11:42:07
export function clockSeconds(ms: number): string {
  return new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
    timeZone: ZONE,
  }).format(ms);
}

// 3 March, 3月3日
export function day(ms: number): string {
  return new Intl.DateTimeFormat(locale(), { month: "long", day: "numeric", weekday: "short", timeZone: ZONE }).format(ms);
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
