// What the emergency panel draws on the map: open incidents, the way of who is coming, who is within the promise, how far
// one comes in minutes, and who should wait elsewhere.
import type { Marker } from "maplibre-gl";
import { h } from "../dom";
import type { Context } from "../panel";
import { explain, gathered, inLanes, ms, span, theme, type Collection, type Incident, type UnitProperties } from "./common";
import { gravity } from "./incidents";

declare const maplibregl: typeof import("maplibre-gl");

const WAY_AGAIN_MS = 4000;
const COVERAGE_AGAIN_MS = 10_000;

interface Way {
  unit: string;
  line: GeoJSON.Geometry;
}

// ---- incidents and ways ----

export class Scene {
  private readonly ctx: Context;
  private readonly profiles = new Map<string, string>();
  private rows: Incident[] = [];
  private chosen: string | undefined;
  private sign: Marker | undefined; // over the chosen one
  private drawn = "";
  private way = "[]";
  private drawnWays = 0;
  private asked = 0;
  private readonly ends: (() => void)[];

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.ends = [ctx.clock.every(WAY_AGAIN_MS, () => void this.waysRead()), ctx.clock.every(1000, () => this.pointsDraw())];
  }

  draw(rows: Incident[], chosen: string | undefined): void {
    const other = chosen !== this.chosen || this.seats(rows, chosen) !== this.seats(this.rows, this.chosen);
    this.rows = rows;
    this.chosen = chosen;
    this.pointsDraw();
    if (other) void this.waysRead();
  }

  clear(): void {
    for (const end of this.ends) end();
    this.asked++;
    this.ctx.map.remove("incidents");
    this.sign?.remove();
    this.waysDraw([]);
  }

  private seats(rows: Incident[], chosen: string | undefined): string {
    return rows.find((i) => i.id === chosen)?.assigned.map((s) => `${s.unit}${s.state}`).join() ?? "";
  }

  // Given to the map only where something changed: each time costs it a whole picture. The countdown, which changes each
  // second, is a sign of its own over the map.
  private pointsDraw(): void {
    const now = this.ctx.clock.now();
    const colors = [theme("--bad"), theme("--warn"), theme("--good"), theme("--ink-2")];
    const points: GeoJSON.FeatureCollection = {
      type: "FeatureCollection",
      features: this.rows.filter((i) => i.lon !== undefined && i.lat !== undefined).map((i) => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [i.lon ?? 0, i.lat ?? 0] },
        properties: {
          id: i.id,
          color: colors[gravity(i, now)],
          radius: i.id === this.chosen ? 11 : 8,
          ...(i.id === this.chosen ? {} : { label: this.ctx.t(`em.kind.${i.kind}`) }),
        },
      })),
    };
    const drawn = JSON.stringify(points);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.ctx.map.setGeoJson("incidents", points);
    }
    this.signDraw(now);
  }

  private signDraw(now: number): void {
    const i = this.rows.find((row) => row.id === this.chosen);
    const { ml } = this.ctx.map;
    if (i?.lon === undefined || i.lat === undefined || !ml) {
      this.sign?.remove();
      this.sign = undefined;
      return;
    }
    if (!this.sign) {
      const element = h("div", { class: "em-sign", "aria-hidden": "true" });
      this.sign = new maplibregl.Marker({ element, anchor: "bottom", offset: [0, -14] }).setLngLat([i.lon, i.lat]).addTo(ml);
    }
    this.sign.setLngLat([i.lon, i.lat]);
    const text = this.countdown(i, now);
    const element = this.sign.getElement();
    if (element.textContent !== text) element.textContent = text;
  }

  private countdown(i: Incident, now: number): string {
    const name = this.ctx.t(`em.kind.${i.kind}`);
    const eta = ms(i.live_eta ?? i.assigned[0]?.eta);
    if (i.arrived_at !== undefined || !Number.isFinite(eta)) return name;
    return `${name} ${eta < now ? "+" : ""}${span(eta - now)}`;
  }

  private async unitWay(unit: string, i: Incident): Promise<Way | undefined> {
    const path = `/collections/units/items/${encodeURIComponent(unit)}`;
    const feature = await this.ctx.api.get<{ geometry: GeoJSON.Point | null; properties: UnitProperties }>(path);
    const profile = this.profiles.get(unit) ?? feature.properties.profile ?? "car";
    this.profiles.set(unit, profile);
    if (!feature.geometry || i.lon === undefined || i.lat === undefined) return undefined;
    const from = feature.geometry.coordinates;
    const answer = await this.ctx.api.get<{ routes: { geometry: GeoJSON.LineString }[] }>(
      `/route/v1/${profile}/${from[0]},${from[1]};${i.lon},${i.lat}?overview=full&geometries=geojson`,
    );
    const line = answer.routes[0]?.geometry;
    return line && { unit, line };
  }

  private async waysRead(): Promise<void> {
    const asked = ++this.asked;
    const i = this.rows.find((row) => row.id === this.chosen);
    const coming = i?.assigned.filter((seat) => seat.state !== "onscene") ?? [];
    const ways = i === undefined
      ? []
      : await Promise.all(coming.map((seat) => this.unitWay(seat.unit, i).catch(() => undefined)));
    if (asked === this.asked) this.waysDraw(ways.filter((way): way is Way => way !== undefined));
  }

  private waysDraw(ways: Way[]): void {
    const drawn = JSON.stringify(ways);
    if (drawn === this.way) return;
    this.way = drawn;
    ways.forEach((way, n) => this.ctx.map.drawLine(`incident-way-${n}`, way.line, { color: theme("--accent"), width: 5 }));
    for (let n = ways.length; n < this.drawnWays; n++) this.ctx.map.drawLine(`incident-way-${n}`, undefined);
    this.drawnWays = ways.length;
  }
}

// ---- readiness: coverage, isochrones, moves ----

interface Count {
  households: number;
  residents: number;
  frail?: number;
}

interface Coverage {
  max_s: number;
  units: number;
  covered: Count;
  uncovered: Count;
  cells: { cell: string | null; covered: Count; uncovered: Count }[];
  outside: { household: string; lon: number; lat: number; frail?: boolean }[];
}

interface Move {
  unit: string;
  duration_s: number;
  to: { id: string; from: string; lon: number; lat: number };
  gains: Count;
  loses: Count;
}

const KINDS = ["sos", "heart", "fall", "gas", "water", "door"];
const PROFILES = ["emergency", "ebike", "foot", "van", "car"];

export class Tools {
  readonly element: HTMLElement;
  private readonly ctx: Context;
  private readonly toggle: HTMLButtonElement;
  private readonly kind: HTMLSelectElement;
  private readonly profile: HTMLSelectElement;
  private readonly covered: HTMLElement;
  private readonly reached: HTMLElement;
  private readonly moves: HTMLElement;
  private readonly ends: (() => void)[];
  private readonly soon: { (): void; cancel(): void };
  private cells: Collection<{ name?: string }>["features"] | undefined;
  private on = false;
  private minutes = 10;
  private asked = 0;

  constructor(ctx: Context) {
    this.ctx = ctx;
    const t = ctx.t;
    this.soon = gathered(1000, () => void this.coverageRead());
    this.kind = h(
      "select", { "aria-label": t("em.coverage_kind"), onchange: () => this.on && void this.coverageRead() },
      ...KINDS.map((kind) => h("option", { value: kind }, t(`em.kind.${kind}`))),
    );
    this.toggle = h("button", { type: "button", "aria-pressed": "false", "data-do": "coverage", onclick: () => this.coverage() });
    this.profile = h(
      "select", { "aria-label": t("em.iso_profile") },
      ...PROFILES.map((profile) => h("option", { value: profile }, t(`em.profile.${profile}`))),
    );
    this.covered = h("p", { class: "em-small", role: "status" });
    this.reached = h("div", { class: "em-small", role: "status" });
    this.moves = h("div", { class: "em-moves" });
    this.element = h(
      "div", { class: "em-tools" },
      h("div", { class: "em-tool" }, this.toggle, this.kind), this.covered,
      h(
        "div", { class: "em-tool" },
        h("button", { type: "button", "data-do": "isochrone", onclick: () => void this.isochrone() }, t("em.iso")), this.profile,
      ),
      this.reached,
      h("div", { class: "em-tool" },
        h("button", { type: "button", "data-do": "moves", onclick: () => void this.movesRead() }, t("em.moves_ask"))),
      this.moves,
    );
    this.ends = [
      ctx.clock.every(COVERAGE_AGAIN_MS, () => this.on && void this.coverageRead()),
      ctx.stream.on(["incident.*", "item.*"], () => this.on && this.soon()),
    ];
    this.toggleDraw();
  }

  stop(): void {
    this.asked++;
    this.on = false;
    this.soon.cancel();
    for (const end of this.ends) end();
    for (const id of ["coverage-cells", "coverage-outside", "isochrone", "moves"]) this.ctx.map.remove(id);
  }

  // ---- coverage ----

  private toggleDraw(): void {
    this.toggle.textContent = this.ctx.t(this.on ? "em.coverage_hide" : "em.coverage_show", { minutes: this.minutes });
    this.toggle.setAttribute("aria-pressed", String(this.on));
  }

  private coverage(): void {
    this.on = !this.on;
    this.toggleDraw();
    if (this.on) {
      void this.coverageRead();
      return;
    }
    this.covered.textContent = "";
    this.ctx.map.remove("coverage-cells");
    this.ctx.map.remove("coverage-outside");
  }

  private async coverageRead(): Promise<void> {
    const asked = ++this.asked;
    const { ctx } = this;
    try {
      this.cells ??= (await ctx.api.get<Collection<{ name?: string }>>("/collections/cells/items?kind=grid&limit=10000")).features;
      const answer = await ctx.api.get<Coverage>(`/v1/coverage?incident=${this.kind.value}&limit=20000`);
      if (asked !== this.asked || !this.on) return;
      this.minutes = Math.round(answer.max_s / 60);
      this.toggleDraw();
      this.coverageDraw(answer);
    } catch (error) {
      if (asked === this.asked) this.covered.textContent = explain(error, ctx.t);
    }
  }

  private coverageDraw(answer: Coverage): void {
    const { ctx } = this;
    const good = theme("--good");
    const bad = theme("--bad");
    const of = new Map(answer.cells.map((cell) => [cell.cell, cell]));
    ctx.map.setGeoJson("coverage-cells", {
      type: "FeatureCollection",
      features: (this.cells ?? []).filter((cell) => cell.geometry && of.has(cell.id)).map((cell) => {
        const count = of.get(cell.id);
        const all = (count?.covered.households ?? 0) + (count?.uncovered.households ?? 0);
        const share = all === 0 ? 0 : (count?.uncovered.households ?? 0) / all;
        return {
          type: "Feature",
          geometry: cell.geometry as GeoJSON.Geometry,
          properties: { color: share > 0.05 ? bad : good, opacity: share > 0.05 ? 0.15 + 0.35 * share : 0.25 },
        };
      }),
    });
    ctx.map.setGeoJson("coverage-outside", {
      type: "FeatureCollection",
      features: answer.outside.map((home) => ({
        type: "Feature",
        geometry: { type: "Point", coordinates: [home.lon, home.lat] },
        properties: { color: bad, radius: home.frail ? 5 : 3 },
      })),
    });
    const parts = [
      ctx.t("em.coverage_text", { covered: answer.covered.households, uncovered: answer.uncovered.households }),
      ctx.t("em.coverage_units", { n: answer.units }),
    ];
    if (answer.uncovered.frail !== undefined) parts.push(ctx.t("em.coverage_frail", { n: answer.uncovered.frail }));
    this.covered.textContent = parts.join(" · ");
  }

  // ---- isochrones ----

  private async isochrone(): Promise<void> {
    const { ctx } = this;
    const place = await ctx.map.pick(ctx.t("em.iso_pick"));
    if (!place) return;
    try {
      const answer = await ctx.api.get<GeoJSON.FeatureCollection<GeoJSON.Geometry, {
        max_s: number; households?: number; residents?: number;
      }>>(`/v1/isochrone?lon=${place.lon}&lat=${place.lat}&profile=${this.profile.value}&max_s=300,600`);
      const accent = theme("--accent");
      const far = [...answer.features].sort((a, b) => b.properties.max_s - a.properties.max_s);
      ctx.map.setGeoJson("isochrone", {
        type: "FeatureCollection",
        features: far.map((feature) => ({
          ...feature,
          properties: { color: accent, opacity: feature.properties.max_s > 300 ? 0.18 : 0.3 },
        })),
      });
      this.reached.replaceChildren(
        ...far.reverse().map(({ properties: p }) => h("p", {}, ctx.t("em.iso_text", {
          minutes: p.max_s / 60, households: p.households ?? "–", residents: p.residents ?? "–",
        }))),
        h("button", { type: "button", class: "em-plain", onclick: () => {
          ctx.map.remove("isochrone");
          this.reached.replaceChildren();
        } }, ctx.t("em.iso_clear")),
      );
    } catch (error) {
      this.reached.textContent = explain(error, ctx.t);
    }
  }

  // ---- moves ----

  private async movesRead(): Promise<void> {
    const { ctx, moves } = this;
    moves.replaceChildren(h("p", { class: "em-small" }, ctx.t("common.loading")));
    try {
      const answer = await ctx.api.post<{ before: Count; after: Count; moves: Move[] }>(
        "/v1/coverage/moves", { incident: this.kind.value, moves: 3 },
      );
      if (answer.moves.length === 0) {
        moves.replaceChildren(h("p", {}, ctx.t("em.moves_none")));
        return;
      }
      moves.replaceChildren(
        h("p", { class: "em-small" }, ctx.t("em.moves_sum", {
          after: answer.after.households, before: answer.before.households,
        })),
        ...answer.moves.map((move) => this.moveDraw(move)),
      );
      await this.movesShow(answer.moves);
    } catch (error) {
      moves.replaceChildren(h("p", { role: "alert" }, explain(error, ctx.t)));
    }
  }

  private moveDraw(move: Move): HTMLElement {
    const { ctx } = this;
    const place = move.to.from === "corner" ? ctx.t("em.corner") : move.to.id;
    const order = h("button", { type: "button", class: "em-next", "data-do": "order-move", "data-may": "dispatcher" });
    const said = h("p", { class: "em-small", role: "status" });
    const ask = (home: unknown, undo: boolean): void => {
      order.textContent = ctx.t(undo ? "em.move_undo" : "em.move_order");
      order.classList.toggle("em-next", !undo);
      order.onclick = () => void this.moveOrder(move.unit, home, order, said).then((before) => {
        if (before === undefined) return;
        said.textContent = ctx.t(undo ? "em.move_undone" : "em.move_ordered", { unit: move.unit, place });
        ask(undo ? target : before, !undo);
      });
    };
    const target = move.to.from === "facility" ? move.to.id : [move.to.lon, move.to.lat];
    ask(target, false);
    return h(
      "div", { class: "em-move", "data-unit": move.unit },
      h(
        "button", { type: "button", class: "em-candidate", onclick: () => ctx.map.flyTo(move.to.lon, move.to.lat, 15) },
        h("b", {}, ctx.t("em.move", { unit: move.unit, place, span: span(move.duration_s * 1000) })),
        h("span", {}, ctx.t("em.move_gain", { gain: move.gains.households, loss: move.loses.households })),
      ),
      order, said,
    );
  }

  // Where a unit waits is its `home` in the registry: its own device and everybody's page see the change by the stream.
  // The answer is the home that it had (null: none), undefined where it could not be changed.
  private async moveOrder(unit: string, home: unknown, button: HTMLButtonElement, said: HTMLElement): Promise<unknown> {
    const path = `/collections/units/items/${encodeURIComponent(unit)}`;
    button.disabled = true;
    try {
      const { value, etag } = await this.ctx.api.tagged<{ properties: { home?: unknown } }>(path);
      await this.ctx.api.patch(path, { properties: { home } }, etag ? { "If-Match": etag } : {});
      return value.properties.home ?? null;
    } catch (error) {
      said.textContent = explain(error, this.ctx.t);
      return undefined;
    } finally {
      button.disabled = false;
    }
  }

  // From where each stands to where it should.
  private async movesShow(all: Move[]): Promise<void> {
    const features = await inLanes(all, 3, async (move): Promise<GeoJSON.Feature | undefined> => {
      const unit = await this.ctx.api
        .get<{ geometry: GeoJSON.Point | null }>(`/collections/units/items/${encodeURIComponent(move.unit)}`)
        .catch(() => undefined);
      const to = [move.to.lon, move.to.lat];
      if (!unit?.geometry) return undefined;
      return {
        type: "Feature",
        geometry: { type: "LineString", coordinates: [unit.geometry.coordinates, to] },
        properties: { color: theme("--accent"), width: 3, label: move.unit },
      };
    });
    this.ctx.map.setGeoJson("moves", {
      type: "FeatureCollection",
      features: features.filter((feature): feature is GeoJSON.Feature => feature !== undefined),
    });
  }
}
