// Which zones hold now: the map draws those, and of the others a thin grey border. A zone has its hours; one that a regime
// names holds when the regime does.
import type { Api } from "../panel";

interface Zone {
  id: string;
  from: number;
  until: number;
}

export class ZoneStates {
  private zones: Zone[] = [];
  private bound = new Set<string>();
  private forced = new Set<string>();

  read(features: GeoJSON.Feature[]): void {
    const moment = (value: unknown, otherwise: number): number => (value ? Date.parse(String(value)) : otherwise);
    this.zones = features.map(({ id, properties: p }) => ({
      id: String(id), from: moment(p?.["from"], -Infinity), until: moment(p?.["until"], Infinity),
    }));
  }

  // A server of before has no such list: then zones go by their hours alone.
  async readRegimes(api: Api): Promise<void> {
    const answer = await api.get<{ bound?: string[]; in_force?: { zones?: string[] } }>("/v1/regimes").catch(() => undefined);
    this.bound = new Set(answer?.bound ?? []);
    this.forced = new Set(answer?.in_force?.zones ?? []);
  }

  // Those that do not hold, in order.
  idle(now: number): string[] {
    return this.zones
      .filter(({ id, from, until }) => from > now || until <= now || (this.bound.has(id) && !this.forced.has(id)))
      .map(({ id }) => id)
      .sort();
  }
}
