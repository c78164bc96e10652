// The words of the page in Chinese and English. Each panel brings its own: register({zh: {...}, en: {...}}).
// The language is the one chosen last, else the browser's.
import type { Values } from "./panel";

export type Language = "zh" | "en";
export type Words = Record<string, string>;

const words: Record<Language, Words> = { zh: {}, en: {} };
const STORED = "houtao.language";

function first(): Language {
  try {
    const stored = localStorage.getItem(STORED);
    if (stored === "zh" || stored === "en") return stored;
  } catch {
    // A browser that forbids storage forgets the choice.
  }
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

let current: Language = first();
const listeners = new Set<() => void>();

export function register(more: Record<Language, Words>): void {
  Object.assign(words.zh, more.zh);
  Object.assign(words.en, more.en);
}

export function language(): Language {
  return current;
}

export function setLanguage(next: Language): void {
  current = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // As above.
  }
  for (const fn of listeners) fn();
}

export function onLanguage(fn: () => void): () => void {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

// The text of a key, with {name} replaced by values.name, and {n|stop|stops} by "1 stop" or "2 stops". A key that nobody registered is shown as it is, so that it is seen.
export function t(key: string, values?: Values): string {
  const text = words[current][key] ?? words.en[key] ?? key;
  if (!values) return text;
  return text.replace(/\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}/g, (all, name: string, one?: string, many?: string) => {
    if (!(name in values)) return all;
    return one === undefined ? String(values[name]) : `${values[name]} ${Number(values[name]) === 1 ? one : many}`;
  });
}

// The keys that one language has and the other lacks: a test asks.
export function missing(): string[] {
  const zh = Object.keys(words.zh).filter((key) => !(key in words.en));
  const en = Object.keys(words.en).filter((key) => !(key in words.zh));
  return [...zh, ...en];
}
