// Day and night. The colours of the page are in style.css (:root); those of the map are here, since WebGL reads no CSS.
export type Theme = "light" | "dark";

export interface Palette {
  ground: string;
  minor: string; // streets
  major: string;
  casing: string;
  path: string;
  name: string; // of streets
  halo: string;
  cell: string;
  compound: string;
  compoundName: string;
  household: string;
  frail: string;
  facility: string;
  factory: [string, string, string, string]; // by risk
  closed: string;
  controlled: string;
  watched: string;
  fence: string;
  accent: string;
  onColor: string; // text on those above
}

const light: Palette = {
  ground: "#f2f1ed",
  minor: "#ffffff",
  major: "#fdf6e0",
  casing: "#c9c6bc",
  path: "#b9b4a6",
  name: "#3b4248",
  halo: "#ffffff",
  cell: "#7d8a94",
  compound: "#dfe6dc",
  compoundName: "#3d5747",
  household: "#5b7f95",
  frail: "#b3261e",
  facility: "#2f5d50",
  factory: ["#6d6a75", "#7a5c2e", "#9a4a12", "#8c1d18"],
  closed: "#b3261e",
  controlled: "#a35200",
  watched: "#6b5b00",
  fence: "#4b4fa8",
  accent: "#14506b",
  onColor: "#ffffff",
};

const dark: Palette = {
  ground: "#10181e",
  minor: "#2b3943",
  major: "#43525d",
  casing: "#0a1014",
  path: "#33424c",
  name: "#c3ced6",
  halo: "#10181e",
  cell: "#7d8f9c",
  compound: "#17252a",
  compoundName: "#a3c2b0",
  household: "#6f9cb8",
  frail: "#ff8a80",
  facility: "#7fc7ae",
  factory: ["#a8a4b3", "#d8b06a", "#f09a5b", "#ff8a80"],
  closed: "#ff8a80",
  controlled: "#f0a45b",
  watched: "#d9c55a",
  fence: "#a5a8f0",
  accent: "#6bb8dc",
  onColor: "#0d151b",
};

const STORED = "houtao.theme";
const listeners = new Set<(theme: Theme) => void>();
const night = matchMedia("(prefers-color-scheme: dark)");

function stored(): Theme | undefined {
  try {
    const value = localStorage.getItem(STORED);
    return value === "light" || value === "dark" ? value : undefined;
  } catch {
    return undefined;
  }
}

let chosen = stored();

export function theme(): Theme {
  return chosen ?? (night.matches ? "dark" : "light");
}

export function palette(): Palette {
  return theme() === "dark" ? dark : light;
}

function apply(): void {
  document.documentElement.dataset["theme"] = theme();
  for (const fn of listeners) fn(theme());
}

export function setTheme(next: Theme): void {
  chosen = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // A browser that forbids storage forgets the choice.
  }
  apply();
}

export function onTheme(fn: (theme: Theme) => void): () => void {
  listeners.add(fn);
  return () => listeners.delete(fn);
}

night.addEventListener("change", apply);
apply();
