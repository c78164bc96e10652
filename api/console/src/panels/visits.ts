// Visits, notices and rounds as the rounds panel reads them, and the sites and inspectors that they speak of.
import { dayOf } from "../format";
import type { Api, Context } from "../panel";
import { ms, theme, type Collection, type UnitProperties } from "./common";

export type Outcome = "done" | "missed" | "refused" | "rectify" | "upgrade" | "shut";
export type VisitState = "planned" | "promised" | "cancelled" | Outcome;
export type Rank = "community" | "sub_district" | "district";

export const OUTCOMES: Outcome[] = ["done", "rectify", "upgrade", "shut", "missed", "refused"];
export const RANKS: Rank[] = ["community", "sub_district", "district"];

export interface Visit {
  id: string;
  state: VisitState;
  purpose?: "round" | "unplanned" | "revisit" | "check";
  site: string;
  inspector?: string;
  second?: string;
  round?: string;
  start?: string;
  end?: string;
  overdue?: boolean;
  at?: string;
  until?: string;
  hazards?: number;
  flags?: string[];
  rectifications?: Notice[]; // of a result's answer
}

export interface Notice {
  id: string;
  number: number;
  state: "open" | "closed";
  site: string;
  tenant?: string;
  inspector?: string;
  text?: string;
  severity: number;
  due: string;
  overdue?: boolean;
  level: Rank;
  extensions?: number;
  revisit_at?: string;
  opened_at?: string;
}

export interface Mishap { // what a plan could not hold
  site?: string;
  visit?: string;
  day?: string;
  from?: string;
  to?: string;
  reason?: string;
  wish?: string;
  visits?: number;
  days_late?: number;
  hint?: string;
  hint_zh?: string;
}

export interface Tour {
  inspector: string;
  day: string;
  travel_s: number;
  distance_m: number;
}

export interface Round {
  id: string;
  collection: string;
  from: string;
  to: string;
  version?: number;
  withdrawn_at?: string | null;
  visits?: Visit[];
  tours?: Tour[];
  unplanned?: Mishap[];
  broken?: Mishap[];
  summary?: { visits?: number; missing?: number; moved?: number; kept?: number; sites?: number };
}

export interface Site {
  id: string;
  name: string;
  lon?: number;
  lat?: number;
  tenants: { id: string; name?: string }[];
}

export interface Inspector {
  id: string;
  name: string;
  profile: string;
  home: unknown; // a facility's id, or [lon, lat]
}

interface SiteProperties {
  name?: string;
  address?: string;
  tenants?: { id: string; name?: string }[];
}

function middle(geometry: GeoJSON.Geometry | null): [number, number] | undefined {
  if (geometry?.type === "Point") return geometry.coordinates as [number, number];
  if (geometry?.type !== "Polygon") return undefined;
  const ring = geometry.coordinates[0]!.slice(0, -1);
  const sum = (at: 0 | 1): number => ring.reduce((all, place) => all + place[at]!, 0) / Math.max(1, ring.length);
  return [sum(0), sum(1)];
}

// The names and places of what is visited, read once and again when the registry changes.
export class Registry {
  readonly sites = new Map<string, Site>();
  readonly inspectors = new Map<string, Inspector>();
  private readonly asked = new Map<string, Promise<void>>(); // homes, which are read one at a time: each read is noted

  constructor(private readonly ctx: Context) {}

  async read(): Promise<void> {
    const all = <P>(path: string): Promise<Collection<P>> => this.ctx.api.get<Collection<P>>(path);
    const [factories, facilities, units] = await Promise.all([
      all<SiteProperties>("/collections/factories/items?limit=10000"),
      all<SiteProperties>("/collections/facilities/items?limit=10000"),
      all<UnitProperties & { home?: unknown }>("/collections/units/items?kind=inspector&limit=10000"),
    ]);
    for (const { id, geometry, properties } of [...factories.features, ...facilities.features]) this.keep(String(id), geometry, properties);
    this.inspectors.clear();
    for (const { id, properties: p } of units.features)
      this.inspectors.set(String(id), { id: String(id), name: p.name ?? String(id), profile: p.profile ?? "car", home: p.home });
  }

  private keep(id: string, geometry: GeoJSON.Geometry | null, p: SiteProperties): void {
    const at = middle(geometry);
    this.sites.set(id, { id, name: p.name ?? p.address ?? id, lon: at?.[0], lat: at?.[1], tenants: p.tenants ?? [] });
  }

  // Sites that are no factory and no facility are homes.
  async homes(ids: string[]): Promise<void> {
    await Promise.all(ids.filter((id) => !this.sites.has(id)).map((id) => {
      const known = this.asked.get(id) ?? this.ctx.api
        .get<{ geometry: GeoJSON.Geometry | null; properties: SiteProperties }>(`/collections/households/items/${encodeURIComponent(id)}`)
        .then(({ geometry, properties }) => this.keep(id, geometry, { name: properties.address }), () => undefined);
      this.asked.set(id, known);
      return known;
    }));
  }

  siteName(id: string): string {
    return this.sites.get(id)?.name ?? id;
  }

  tenantName(site: string, tenant: string): string {
    return this.sites.get(site)?.tenants.find(({ id }) => id === tenant)?.name ?? tenant;
  }

  inspectorName(id: string | undefined): string {
    return id === undefined ? "–" : (this.inspectors.get(id)?.name ?? id);
  }

  homeOf(id: string): [number, number] | undefined {
    const home = this.inspectors.get(id)?.home;
    if (Array.isArray(home) && home.length === 2) return home as [number, number];
    const site = typeof home === "string" ? this.sites.get(home) : undefined;
    return site?.lon === undefined || site.lat === undefined ? undefined : [site.lon, site.lat];
  }
}

// All visits that begin within some days, in the order of the day.
export async function visitsBetween(api: Api, from: number, to: number): Promise<Visit[]> {
  const rows: Visit[] = [];
  const path = `/v1/visits?limit=1000&from=${new Date(from).toISOString()}&to=${new Date(to - 1).toISOString()}`;
  let before: number | undefined;
  do {
    const page: { visits: Visit[]; before?: number } = await api.get(before === undefined ? path : `${path}&before=${before}`);
    rows.push(...page.visits);
    before = page.before;
  } while (before !== undefined && rows.length < 20_000);
  return rows
    .filter((visit) => visit.start !== undefined && visit.state !== "cancelled" && ms(visit.start) >= from && ms(visit.start) < to)
    .sort((a, b) => ms(a.start) - ms(b.start) || a.id.localeCompare(b.id));
}

export function visitDay(visit: Visit): string {
  return dayOf(ms(visit.start));
}

// What has to be seen at once: late, bad, found, done, ahead. The word and the sign say the same as the colour.
export type Tone = "late" | "bad" | "warn" | "good" | "calm";

export function toneOf(visit: Visit, now: number): Tone {
  if (visit.state === "planned" || visit.state === "promised") return ms(visit.end) < now ? "late" : "calm";
  if (visit.state === "done") return "good";
  return visit.state === "rectify" ? "warn" : "bad";
}

export const SIGNS: Record<Tone, string> = { late: "!", bad: "×", warn: "△", good: "✓", calm: "○" };

export function toneColor(tone: Tone): string {
  return theme({ late: "--bad", bad: "--bad", warn: "--warn", good: "--good", calm: "--accent" }[tone]);
}

export function isAhead(visit: Visit): boolean {
  return visit.state === "planned" || visit.state === "promised";
}
