// The map: streets, the registry's tiles, the units above them, and what panels draw.
import type { GeoJSONSource, LngLatBoundsLike, Map as LibreMap, StyleSpecification } from "maplibre-gl";
import { authorized } from "../api";
import { fill, h } from "../dom";
import { onLanguage, t } from "../i18n";
import type { Api, Clock, LineStyle, Place, Stream, TownMap } from "../panel";
import { onTheme } from "../theme";
import { boxOf, middleOf, type Box } from "./geo";
import { ABOVE_AREAS, GROUPS, HIDDEN_AT_FIRST, layersOf, styleOf, zoneFilters } from "./style";
import { UnitLayer, type UnitPosition } from "./units";
import { ZoneStates } from "./zone_states";

declare const maplibregl: typeof import("maplibre-gl");

const OWN = "x-"; // sources of panels
const HIDDEN = "houtao.hidden";
const VIEW = "houtao.view";
const REFRESH_MS = 700; // after a change of the registry, those that follow it included
const HOUSEHOLD_PX = 9;
const MARK_PX = 6;
const ZONES_MS = 1000;

export interface MapFeature {
  collection: "facilities" | "factories" | "cells" | "zones";
  id: string;
  properties: Record<string, unknown>;
  lon: number;
  lat: number;
}

type Given = GeoJSON.FeatureCollection | GeoJSON.Feature | GeoJSON.Geometry;

function asCollection(data: Given): GeoJSON.FeatureCollection {
  if (data.type === "FeatureCollection") return data;
  if (data.type === "Feature") return { type: "FeatureCollection", features: [data] };
  return { type: "FeatureCollection", features: [{ type: "Feature", properties: {}, geometry: data }] };
}

function read<T>(key: string, otherwise: T): T {
  try {
    return JSON.parse(localStorage.getItem(key) ?? "null") ?? otherwise;
  } catch {
    return otherwise;
  }
}

function write(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // A browser that forbids storage forgets it.
  }
}

export class Town implements TownMap {
  readonly ml: LibreMap | undefined; // undefined: this browser draws none (no WebGL); all else works
  readonly units: UnitLayer;
  readonly ready: Promise<void>;
  readonly element: HTMLElement;
  private readonly api: Api;
  private readonly hidden: Set<string>;
  private readonly given = new Map<string, GeoJSON.FeatureCollection>();
  private readonly households = new Set<(id: string, place: Place) => void>();
  private readonly unitHooks = new Set<(id: string) => void>();
  private readonly featureHooks = new Set<(feature: MapFeature) => void>();
  private readonly emptyHooks = new Set<() => void>();
  private readonly markHooks = new Map<string, (mark: string) => void>(); // by the source of a panel
  private readonly prompt = h("div", { class: "map-prompt", role: "status", hidden: true });
  private readonly cross = h("div", { class: "map-cross", hidden: true, "aria-hidden": "true" });
  private readonly none = h("div", { class: "map-none", role: "note" }); // instead of a map
  private readonly tip = h("div", { class: "map-tip", hidden: true, "aria-hidden": "true" });
  private picking: ((place: Place | undefined) => void) | undefined;
  private names: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };
  private bounds: Box | undefined; // of all cells
  private registry = false;
  private frail = false;
  private loaded = false;
  private readonly returns: boolean; // who looks was here before, and finds the map as it was
  private readonly zones = new ZoneStates();
  private idle: string[] = []; // zones that do not hold now
  private readonly clock: Clock;
  private readonly stale = new Set<string>();
  private refreshing = 0;

  constructor(api: Api, stream: Stream, clock: Clock) {
    this.api = api;
    this.clock = clock;
    this.hidden = new Set(read<string[]>(HIDDEN, HIDDEN_AT_FIRST));
    const canvas = h("div", { class: "map-canvas" });
    this.element = h("div", { class: "map" }, canvas, this.cross, this.tip, this.prompt);
    this.returns = read<unknown>(VIEW, null) !== null;
    this.ml = this.mapMake(canvas);
    this.units = new UnitLayer(this.ml);
    this.ready = new Promise((resolve) => {
      if (!this.ml) resolve();
      this.ml?.once("style.load", () => {
        this.loaded = true;
        for (const [id, data] of this.given) this.add(id, data);
        resolve();
      });
    });
    if (!this.ml) {
      canvas.remove();
      this.element.append(this.none);
      this.words();
    }
    this.listen();
    onTheme(() => this.restyle());
    onLanguage(() => {
      this.words();
      this.restyle();
    });
    stream.on(["positions"], (event) => this.units.put(event.data as UnitPosition));
    stream.on(["item*"], (event) => this.changed(event.subject.split("/")[0]!));
    stream.on(["regime.*", "setting.*"], ({ kind, subject }) => {
      if (kind.startsWith("regime") || subject === "settings/regimes") this.changed("zones");
    });
    clock.every(ZONES_MS, () => this.zonesDraw()); // their hours begin and end
    stream.onGap(() => ["cells", "households", "zones", "factories", "facilities"].forEach((c) => this.changed(c)));
  }

  // undefined: this browser has no WebGL.
  private mapMake(canvas: HTMLElement): LibreMap | undefined {
    const view = read<{ center: [number, number]; zoom: number } | null>(VIEW, null);
    try {
      const ml = new maplibregl.Map({
        container: canvas,
        style: this.style(),
        center: view?.center ?? [121.715, 29.95],
        zoom: view?.zoom ?? 12,
        minZoom: 5,
        maxZoom: 20,
        dragRotate: false,
        pitchWithRotate: false,
        touchPitch: false,
        attributionControl: false,
        fadeDuration: 120,
        localIdeographFontFamily: "'Noto Sans CJK SC', 'Microsoft YaHei', 'PingFang SC', 'WenQuanYi Micro Hei', sans-serif",
        transformRequest: (url) =>
          url.startsWith(location.origin) ? { url, headers: authorized() } : { url },
      });
      ml.touchZoomRotate.disableRotation();
      ml.keyboard.disableRotation();
      ml.addControl(new maplibregl.NavigationControl({ showCompass: false }), "bottom-right");
      ml.addControl(new maplibregl.ScaleControl({ maxWidth: 120 }), "bottom-left");
      ml.getCanvas().setAttribute("aria-label", t("map.label"));
      ml.on("error", (event) => {
        const status = (event.error as { status?: number }).status;
        if (status === 401 || status === undefined) console.warn(event.error);
      });
      ml.on("moveend", () => {
        const center = ml.getCenter();
        write(VIEW, { center: [center.lng, center.lat], zoom: ml.getZoom() });
      });
      return ml;
    } catch (error) {
      console.warn(error);
      return undefined;
    }
  }

  private words(): void {
    this.ml?.getCanvas().setAttribute("aria-label", t("map.label"));
    fill(this.none, h("p", null, h("b", null, t("map.none"))), h("p", null, t("map.none.more")));
  }

  // ---- what there is to see ----

  private style(): StyleSpecification {
    return styleOf({ registry: this.registry, frail: this.frail, hidden: this.hidden, names: this.names, idle: this.idle });
  }

  // Takes the new style and keeps what panels drew.
  private restyle(): void {
    this.ml?.setStyle(this.style(), {
      diff: true,
      transformStyle: (_before, next) => {
        for (const [id, data] of this.given) {
          const source = OWN + id;
          next.sources[source] = { type: "geojson", data };
          const [area, ...rest] = layersOf(source, source);
          const at = next.layers.findIndex((layer) => layer.id === ABOVE_AREAS);
          next.layers.splice(at < 0 ? next.layers.length : at, 0, area!);
          next.layers.push(...rest);
          for (const layer of [area!, ...rest])
            if (this.hidden.has(id)) layer.layout = { ...layer.layout, visibility: "none" } as never;
        }
        return next;
      },
    });
    this.units.restyle();
  }

  // Learns what this server has; then the town is there, and in view. `officer`: who may see the frail looks.
  async open(seen: boolean, officer: boolean): Promise<void> {
    this.registry = await this.readNames().then(() => true, () => false);
    this.frail = this.registry && officer;
    if (this.registry) this.restyle();
    if (!seen && this.bounds && !this.returns) this.fitBox(this.bounds, false);
    void this.readUnits();
  }

  get mayFrail(): boolean {
    return this.frail;
  }

  get hasRegistry(): boolean {
    return this.registry;
  }

  private async readNames(): Promise<void> {
    const points: GeoJSON.Feature[] = [];
    const shapes: GeoJSON.Geometry[] = [];
    for (const collection of ["cells", "zones"]) {
      const found = await this.api.get<GeoJSON.FeatureCollection>(`/collections/${collection}/items?limit=10000`);
      if (collection === "zones") this.zones.read(found.features);
      for (const { id, geometry, properties } of found.features) {
        if (geometry && collection === "cells") shapes.push(geometry);
        const middle = geometry && middleOf(geometry);
        if (!middle || !properties?.["name"]) continue;
        const kind = collection === "zones" ? "zone" : properties["kind"];
        points.push({ type: "Feature", properties: { name: properties["name"], kind, id: String(id) },
          geometry: { type: "Point", coordinates: middle } });
      }
    }
    await this.zones.readRegimes(this.api);
    this.names = { type: "FeatureCollection", features: points };
    this.bounds = boxOf(shapes);
    (this.ml?.getSource("area-names") as GeoJSONSource | undefined)?.setData(this.names);
    this.zonesDraw();
  }

  private zonesDraw(): void {
    const idle = this.zones.idle(this.clock.now());
    if (idle.join() === this.idle.join()) return;
    this.idle = idle;
    for (const [layer, filter] of zoneFilters(idle))
      if (this.ml?.getLayer(layer)) this.ml.setFilter(layer, filter as never);
  }

  private async readUnits(): Promise<void> {
    const found = await this.api
      .get<GeoJSON.FeatureCollection>("/collections/units/items?limit=10000")
      .catch(() => undefined);
    this.units.setNames((found?.features ?? []).map(({ id, properties }) => [String(id), String(properties?.["name"] ?? id)]));
  }

  // Tiles of a collection are asked for anew, once for many changes.
  private changed(collection: string): void {
    this.stale.add(collection);
    this.refreshing ||= window.setTimeout(() => {
      this.refreshing = 0;
      const all = [...this.stale];
      this.stale.clear();
      for (const one of all) {
        if (one === "units") void this.readUnits();
        else if (this.ml?.getSource(one)) this.ml.refreshTiles(one);
        if (one === "cells" || one === "zones") void this.readNames().catch(() => undefined);
      }
    }, REFRESH_MS);
  }

  isShown(group: string): boolean {
    return !this.hidden.has(group);
  }

  // ---- what panels draw ----

  private add(id: string, data: GeoJSON.FeatureCollection): void {
    const source = OWN + id;
    const { ml } = this;
    if (!ml) return;
    const there = ml.getSource(source) as GeoJSONSource | undefined;
    if (there) {
      there.setData(data);
      return;
    }
    ml.addSource(source, { type: "geojson", data });
    const [area, ...rest] = layersOf(source, source);
    ml.addLayer(area!, ml.getLayer(ABOVE_AREAS) ? ABOVE_AREAS : undefined);
    for (const layer of rest) ml.addLayer(layer);
    if (this.hidden.has(id)) this.visible(id, false);
  }

  setGeoJson(id: string, data: Given): void {
    const collection = asCollection(data);
    this.given.set(id, collection);
    if (this.loaded) this.add(id, collection);
  }

  remove(id: string): void {
    this.given.delete(id);
    this.hidden.delete(id);
    const source = OWN + id;
    const { ml } = this;
    if (!this.loaded || !ml?.getSource(source)) return;
    for (const layer of layersOf(source, source)) if (ml.getLayer(layer.id)) ml.removeLayer(layer.id);
    ml.removeSource(source);
  }

  private visible(id: string, on: boolean): void {
    const ids = GROUPS[id] ?? layersOf(OWN + id, OWN + id).map((layer) => layer.id);
    for (const layer of ids)
      if (this.ml?.getLayer(layer)) this.ml.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
  }

  show(id: string, on: boolean): void {
    if (on) this.hidden.delete(id);
    else this.hidden.add(id);
    if (id === "units") this.units.show(on);
    else if (this.loaded) this.visible(id, on);
  }

  // The same by the user's hand: it is remembered.
  choose(group: string, on: boolean): void {
    this.show(group, on);
    write(HIDDEN, [...this.hidden].filter((id) => id in GROUPS));
  }

  drawLine(id: string, geometry: GeoJSON.Geometry | undefined, style: LineStyle = {}): void {
    if (!geometry) {
      this.remove(`line-${id}`);
      return;
    }
    this.setGeoJson(`line-${id}`, { type: "Feature", properties: { ...style }, geometry });
  }

  // ---- where to look ----

  private calm(): boolean {
    return matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  // What of the map is covered by a sheet from below (on a phone), in pixels.
  private covered(): number {
    const sheet = document.querySelector(".side");
    const map = this.element.getBoundingClientRect();
    const top = sheet?.getBoundingClientRect().top ?? map.bottom;
    const beside = !matchMedia("(max-width: 760px)").matches;
    return beside ? 0 : Math.max(0, Math.min(map.height * 0.7, map.bottom - top));
  }

  // By an offset, since a padding stays with the map, and what is fitted next would not fit into both.
  flyTo(lon: number, lat: number, zoom?: number): void {
    this.ml?.easeTo({ center: [lon, lat], zoom: zoom ?? Math.max(this.ml.getZoom(), 15),
      offset: [0, -this.covered() / 2], duration: this.calm() ? 0 : 600 });
  }

  private fitBox(box: Box, moved: boolean): void {
    this.ml?.fitBounds(box as LngLatBoundsLike, { padding: { top: 40, left: 40, right: 40, bottom: 40 + this.covered() },
      maxZoom: 16, duration: moved && !this.calm() ? 600 : 0 });
  }

  fit(geometry: GeoJSON.Geometry): void {
    const box = boxOf([geometry]);
    if (box) this.fitBox(box, true);
  }

  // ---- what is clicked ----

  onHousehold(fn: (id: string, place: Place) => void): () => void {
    this.households.add(fn);
    return () => this.households.delete(fn);
  }

  onUnit(fn: (id: string) => void): () => void {
    this.unitHooks.add(fn);
    return () => this.unitHooks.delete(fn);
  }

  onMark(id: string, fn: (mark: string) => void): () => void {
    this.markHooks.set(id, fn);
    return () => this.markHooks.delete(id);
  }

  // What a panel drew there and wants to hear of.
  private markAt(ml: LibreMap, x: number, y: number): (() => void) | undefined {
    const layers = [...this.markHooks.keys()].map((id) => `${OWN + id}-point`).filter((layer) => ml.getLayer(layer));
    const box: [[number, number], [number, number]] = [[x - MARK_PX, y - MARK_PX], [x + MARK_PX, y + MARK_PX]];
    const [feature] = layers.length > 0 ? ml.queryRenderedFeatures(box, { layers }) : [];
    const mark: unknown = feature?.properties["id"];
    const fn = feature && this.markHooks.get(feature.source.slice(OWN.length));
    return fn && mark !== undefined ? () => fn(String(mark)) : undefined;
  }

  onFeature(fn: (feature: MapFeature) => void): () => void {
    this.featureHooks.add(fn);
    return () => this.featureHooks.delete(fn);
  }

  onEmpty(fn: () => void): () => void {
    this.emptyHooks.add(fn);
    return () => this.emptyHooks.delete(fn);
  }

  // The household at a place of the screen: the nearest one that is drawn.
  private householdAt(ml: LibreMap, x: number, y: number): { id: string; lon: number; lat: number } | undefined {
    const layers = ["frail", "households"].filter((layer) => ml.getLayer(layer));
    if (layers.length === 0) return undefined;
    let best = HOUSEHOLD_PX * HOUSEHOLD_PX;
    let found: { id: string; lon: number; lat: number } | undefined;
    const box: [[number, number], [number, number]] = [
      [x - HOUSEHOLD_PX, y - HOUSEHOLD_PX],
      [x + HOUSEHOLD_PX, y + HOUSEHOLD_PX],
    ];
    for (const feature of ml.queryRenderedFeatures(box, { layers })) {
      const [lon, lat] = (feature.geometry as GeoJSON.Point).coordinates as [number, number];
      const at = ml.project([lon, lat]);
      const square = (at.x - x) ** 2 + (at.y - y) ** 2;
      if (square <= best) {
        best = square;
        found = { id: String(feature.properties["id"]), lon, lat };
      }
    }
    return found;
  }

  private featureAt(ml: LibreMap, x: number, y: number): MapFeature | undefined {
    const layers = ["facilities", "factories", "factory-areas", "zones", "compounds"].filter((layer) => ml.getLayer(layer));
    const box: [[number, number], [number, number]] = [[x - 4, y - 4], [x + 4, y + 4]];
    const [feature] = layers.length > 0 ? ml.queryRenderedFeatures(box, { layers }) : [];
    if (!feature) return undefined;
    const at = feature.geometry.type === "Point" ? feature.geometry.coordinates : ml.unproject([x, y]).toArray();
    return { collection: feature.sourceLayer as MapFeature["collection"], id: String(feature.properties["id"]),
      properties: feature.properties, lon: at[0]!, lat: at[1]! };
  }

  private placeAt(ml: LibreMap, x: number, y: number): Place {
    const household = this.householdAt(ml, x, y);
    if (household) return { lon: household.lon, lat: household.lat, household: household.id };
    const at = ml.unproject([x, y]);
    return { lon: Number(at.lng.toFixed(7)), lat: Number(at.lat.toFixed(7)) };
  }

  private clicked(ml: LibreMap, event: { point: { x: number; y: number } }): void {
    const { x, y } = event.point;
    if (this.picking) {
      this.picking(this.placeAt(ml, x, y));
      return;
    }
    const unit = this.units.hit(x, y);
    if (unit !== undefined) {
      for (const fn of this.unitHooks) fn(unit);
      return;
    }
    const mark = this.markAt(ml, x, y);
    if (mark) {
      mark();
      return;
    }
    const household = this.householdAt(ml, x, y);
    if (household) {
      for (const fn of this.households)
        fn(household.id, { lon: household.lon, lat: household.lat, household: household.id });
      return;
    }
    const feature = this.featureAt(ml, x, y);
    if (feature) for (const fn of this.featureHooks) fn(feature);
    else for (const fn of this.emptyHooks) fn();
  }

  private listen(): void {
    const { ml } = this;
    if (!ml) return;
    let asked = 0;
    ml.on("click", (event) => this.clicked(ml, event));
    ml.on("mousemove", (event) => {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        this.hover(ml, event.point.x, event.point.y);
      });
    });
    ml.on("mouseout", () => {
      this.tip.hidden = true;
    });
    // By keyboard: the arrows move the map beneath a cross, Enter takes the place under it.
    ml.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const canvas = ml.getCanvas();
      this.clicked(ml, { point: { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 } });
    });
  }

  private hover(ml: LibreMap, x: number, y: number): void {
    const id = this.units.hit(x, y);
    const unit = id === undefined ? undefined : this.units.get(id);
    ml.getCanvas().style.cursor = this.picking ? "crosshair" : unit ? "pointer" : "";
    this.tip.hidden = !unit;
    if (unit) {
      fill(this.tip, unit.name ?? unit.unit);
      this.tip.style.transform = `translate(${Math.round(x + 14)}px, ${Math.round(y + 10)}px)`;
    }
  }

  pick(message: string): Promise<Place | undefined> {
    const { ml } = this;
    this.picking?.(undefined); // one at a time
    if (!ml) {
      this.none.classList.add("is-asked");
      this.none.scrollIntoView({ block: "nearest" });
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const end = (place: Place | undefined): void => {
        this.picking = undefined;
        this.prompt.hidden = true;
        this.cross.hidden = true;
        ml.getCanvas().style.cursor = "";
        document.removeEventListener("keydown", escape, true);
        resolve(place);
      };
      const escape = (event: KeyboardEvent): void => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        end(undefined);
      };
      fill(this.prompt, h("span", null, message),
        h("button", { type: "button", class: "quiet", onclick: () => end(undefined) }, t("cancel")));
      this.prompt.hidden = false;
      this.cross.hidden = false;
      ml.getCanvas().style.cursor = "crosshair";
      document.addEventListener("keydown", escape, true);
      this.picking = end;
      ml.getCanvas().focus();
    });
  }
}
