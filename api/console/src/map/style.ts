// The map's style: our own vector tiles and nothing else. Glyphs are drawn by the browser from the fonts of the machine.
import type { ExpressionSpecification, LayerSpecification, StyleSpecification } from "maplibre-gl";
import { language, t } from "../i18n";
import { palette, type Palette } from "../theme";

export const FONT = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"];

// What can be shown and hidden, and the layers of each.
export const GROUPS: Record<string, string[]> = {
  compounds: ["compounds", "compound-edges", "compound-names"],
  cells: ["cells", "cell-names"],
  zones: ["zones", "zone-edges", "zone-idle", "zone-names"],
  households: ["households"],
  frail: ["frail"],
  facilities: ["facilities", "facility-letters", "facility-names"],
  factories: ["factory-areas", "factories", "factory-letters", "factory-names"],
};
export const HIDDEN_AT_FIRST = ["cells"];

// Where layers of panels go: areas beneath the names of streets, all else above the town.
export const ABOVE_AREAS = "street-names";

const NAME: ExpressionSpecification = ["coalesce", ["get", "name:zh"], ["get", "name"]];
const NAME_EN: ExpressionSpecification = ["coalesce", ["get", "name:en"], ["get", "name"]];

const width = (...stops: unknown[]): ExpressionSpecification =>
  ["interpolate", ["exponential", 1.6], ["zoom"], ...stops] as unknown as ExpressionSpecification;

const MAJOR = ["motorway", "trunk", "primary", "secondary"];
const WALKED = ["path", "steps", "cycleway", "pedestrian", "track"];
const byClass = (major: unknown, tertiary: unknown, minor: unknown, path: unknown): ExpressionSpecification =>
  ["match", ["get", "class"], MAJOR, major, ["tertiary", "unclassified"], tertiary, WALKED, path, minor] as unknown as
    ExpressionSpecification;

function streets(c: Palette): LayerSpecification[] {
  const source = { source: "streets", "source-layer": "streets" } as const;
  const round = { "line-cap": "round", "line-join": "round" } as const;
  const bed = (extra: number): ExpressionSpecification =>
    width(
      10, byClass(1.5 + extra, 0.6 + extra, 0.3, 0.2),
      14, byClass(5 + extra, 3 + extra, 1.8 + extra, 0.8),
      18, byClass(26 + extra, 20 + extra, 13 + extra, 4),
    );
  return [
    { id: "paths", type: "line", ...source, minzoom: 14, filter: ["in", ["get", "class"], ["literal", WALKED]],
      layout: round, paint: { "line-color": c.path, "line-width": width(14, 0.7, 18, 3), "line-dasharray": [2, 1.4] } },
    { id: "ferries", type: "line", ...source, filter: ["==", ["get", "class"], "ferry"],
      paint: { "line-color": c.path, "line-width": 1.2, "line-dasharray": [4, 3] } },
    { id: "street-casing", type: "line", ...source, minzoom: 8,
      filter: ["!", ["in", ["get", "class"], ["literal", [...WALKED, "ferry"]]]],
      layout: round, paint: { "line-color": c.casing, "line-width": bed(1.8) } },
    { id: "streets", type: "line", ...source,
      filter: ["!", ["in", ["get", "class"], ["literal", [...WALKED, "ferry"]]]],
      layout: { ...round, "line-sort-key": byClass(3, 2, 1, 0) },
      paint: { "line-color": byClass(c.major, c.minor, c.minor, c.minor), "line-width": bed(0) } },
  ];
}

function streetNames(c: Palette): LayerSpecification[] {
  return [
    { id: "oneways", type: "symbol", source: "streets", "source-layer": "streets", minzoom: 16,
      filter: ["==", ["get", "oneway"], true],
      layout: { "symbol-placement": "line", "symbol-spacing": 160, "text-field": "→", "text-font": FONT, "text-size": 14,
        "text-keep-upright": false, "text-rotation-alignment": "map", "text-allow-overlap": true },
      paint: { "text-color": c.name, "text-opacity": 0.55 } },
    { id: "street-names", type: "symbol", source: "streets", "source-layer": "streets", minzoom: 11,
      filter: ["has", "name"],
      layout: { "symbol-placement": "line", "text-field": language() === "zh" ? NAME : NAME_EN, "text-font": FONT,
        "text-size": ["interpolate", ["linear"], ["zoom"], 12, byClass(12, 10, 10, 10), 17, byClass(15, 14, 13, 12)],
        "text-letter-spacing": 0.04, "symbol-spacing": 320, "text-max-angle": 35 },
      paint: { "text-color": c.name, "text-halo-color": c.halo, "text-halo-width": 1.6 } },
  ];
}

function cells(c: Palette): LayerSpecification[] {
  const source = { source: "cells", "source-layer": "cells" } as const;
  const compound: ExpressionSpecification = ["==", ["get", "kind"], "compound"];
  return [
    { id: "compounds", type: "fill", ...source, filter: compound, paint: { "fill-color": c.compound } },
    { id: "compound-edges", type: "line", ...source, minzoom: 14, filter: compound,
      paint: { "line-color": c.cell, "line-width": 0.8, "line-opacity": 0.7 } },
    { id: "cells", type: "line", ...source, filter: ["!", compound],
      paint: { "line-color": c.cell, "line-dasharray": [3, 2],
        "line-width": ["match", ["get", "kind"], "community", 2, "grid", 1.2, 0.8] } },
  ];
}

const ZONE_KINDS = (c: Palette): ExpressionSpecification =>
  ["match", ["get", "kind"], "closed", c.closed, "controlled", c.controlled, "watched", c.watched, c.fence];

const isIdle = (idle: readonly string[]): ExpressionSpecification => ["in", ["get", "id"], ["literal", [...idle]]];

// Those that hold filled; of the others the border, in grey.
function zones(c: Palette, idle: readonly string[]): LayerSpecification[] {
  const source = { source: "zones", "source-layer": "zones" } as const;
  const color = ZONE_KINDS(c);
  const off = isIdle(idle);
  return [
    { id: "zones", type: "fill", ...source, filter: ["!", off], paint: { "fill-color": color,
      "fill-opacity": ["match", ["get", "kind"], ["closed", "controlled"], 0.16, 0.05] } },
    { id: "zone-edges", type: "line", ...source, filter: ["!", off],
      paint: { "line-color": color, "line-width": 2, "line-dasharray": [4, 2] } },
    { id: "zone-idle", type: "line", ...source, filter: off,
      paint: { "line-color": c.cell, "line-width": 1, "line-dasharray": [2, 3] } },
  ];
}

// The filters above for another list of zones that do not hold.
export function zoneFilters(idle: readonly string[]): [string, ExpressionSpecification][] {
  const off = isIdle(idle);
  return [["zones", ["!", off]], ["zone-edges", ["!", off]], ["zone-idle", off], ["zone-names", zoneNamed(idle)]];
}

function zoneNamed(idle: readonly string[]): ExpressionSpecification {
  return ["all", ["==", ["get", "kind"], "zone"], ["!", isIdle(idle)]];
}

function homes(c: Palette, frail: boolean): LayerSpecification[] {
  const source = { source: "households", "source-layer": "households" } as const;
  const size = (factor: number): ExpressionSpecification =>
    ["interpolate", ["exponential", 1.5], ["zoom"], 13, 1 * factor, 15, 2.2 * factor, 18, 6 * factor];
  const plain: LayerSpecification = { id: "households", type: "circle", ...source, minzoom: 14,
    filter: ["!", ["has", "frail"]],
    paint: { "circle-color": c.household, "circle-radius": size(1), "circle-opacity": 0.85 } };
  const marked: LayerSpecification = { id: "frail", type: "circle", ...source, minzoom: 13, filter: ["has", "frail"],
    paint: { "circle-color": c.ground, "circle-radius": size(1.25), "circle-stroke-color": c.frail,
      "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 13, 0.8, 16, 2] } };
  return frail ? [plain, marked] : [plain];
}

const LETTERS: [string, string][] = [
  ["kitchen", "letter.kitchen"],
  ["station", "letter.station"],
  ["hospital", "letter.hospital"],
  ["depot", "letter.depot"],
  ["service_point", "letter.service_point"],
  ["worksite", "letter.worksite"],
];

function sites(c: Palette): LayerSpecification[] {
  const facilities = { source: "facilities", "source-layer": "facilities",
    filter: ["!=", ["get", "kind"], "compound"] as ExpressionSpecification } as const;
  const factories = { source: "factories", "source-layer": "factories" } as const;
  const letter = ["match", ["get", "kind"], ...LETTERS.flatMap(([kind, key]) => [kind, t(key)]), "·"] as unknown as
    ExpressionSpecification;
  const risk: ExpressionSpecification = ["match", ["get", "risk"], 1, c.factory[0], 2, c.factory[1], 3, c.factory[2],
    4, c.factory[3], c.factory[0]];
  const radius: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 11, 3, 14, 9, 17, 12];
  const letters = { "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 14, 11, 17, 14],
    "text-allow-overlap": true, "text-ignore-placement": true } as const;
  const names = { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-anchor": "top",
    "text-offset": [0, 1.1], "text-optional": true, "text-max-width": 9 } as const;
  const ink = { "text-color": c.name, "text-halo-color": c.halo, "text-halo-width": 1.5 };
  return [
    { id: "factory-areas", type: "fill", ...factories, filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": risk, "fill-opacity": 0.2 } },
    { id: "factories", type: "circle", ...factories, minzoom: 11, filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-radius": radius, "circle-color": risk, "circle-stroke-color": c.halo, "circle-stroke-width": 1.5 } },
    { id: "factory-letters", type: "symbol", ...factories, minzoom: 13.5, filter: ["==", ["geometry-type"], "Point"],
      layout: { ...letters, "text-field": t("letter.factory") } as never, paint: { "text-color": c.onColor } },
    { id: "factory-names", type: "symbol", ...factories, minzoom: 14.5, layout: names as never, paint: ink },
    { id: "facilities", type: "circle", ...facilities, minzoom: 11,
      paint: { "circle-radius": radius, "circle-color": c.facility, "circle-stroke-color": c.halo,
        "circle-stroke-width": 1.5 } },
    { id: "facility-letters", type: "symbol", ...facilities, minzoom: 13.5,
      layout: { ...letters, "text-field": letter } as never, paint: { "text-color": c.onColor } },
    { id: "facility-names", type: "symbol", ...facilities, minzoom: 14.5, layout: names as never, paint: ink },
  ];
}

function areaNames(c: Palette, idle: readonly string[]): LayerSpecification[] {
  const named = (id: string, minzoom: number, filter: ExpressionSpecification, color: string): LayerSpecification => ({
    id, type: "symbol", source: "area-names", minzoom, filter,
    layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 13, "text-max-width": 8 },
    paint: { "text-color": color, "text-halo-color": c.halo, "text-halo-width": 1.6 },
  });
  return [
    named("compound-names", 14.2, ["==", ["get", "kind"], "compound"], c.compoundName),
    named("cell-names", 12, ["in", ["get", "kind"], ["literal", ["community", "grid"]]], c.cell),
    named("zone-names", 11, zoneNamed(idle), c.fence),
  ];
}

export interface StyleOptions {
  registry: boolean; // the server has a store
  frail: boolean; // who looks may see who is frail
  hidden: ReadonlySet<string>; // groups
  names: GeoJSON.FeatureCollection; // points with name, kind and id: compounds, cells, zones
  idle: readonly string[]; // zones that do not hold now
}

function tiles(layer: string, maxzoom: number, query = ""): StyleSpecification["sources"][string] {
  return { type: "vector", tiles: [`${location.origin}/tiles/${layer}/{z}/{x}/{y}.mvt${query}`], minzoom: 0, maxzoom };
}

export function styleOf(options: StyleOptions): StyleSpecification {
  const c = palette();
  const sources: StyleSpecification["sources"] = {
    streets: { ...tiles("streets", 15), minzoom: 5 } as never,
    "area-names": { type: "geojson", data: options.names },
  };
  const layers: LayerSpecification[] = [
    { id: "ground", type: "background", paint: { "background-color": c.ground } },
  ];
  if (options.registry) {
    Object.assign(sources, {
      cells: tiles("cells", 14),
      zones: tiles("zones", 14),
      factories: tiles("factories", 14),
      facilities: tiles("facilities", 14),
      households: { ...tiles("households", 16, options.frail ? "?frail=true" : ""), minzoom: 13, promoteId: "id" },
    });
    const [compounds, edges, other] = cells(c) as [LayerSpecification, LayerSpecification, LayerSpecification];
    layers.push(compounds, edges, ...streets(c), other, ...zones(c, options.idle), ...homes(c, options.frail), ...streetNames(c),
      ...sites(c), ...areaNames(c, options.idle));
  } else {
    layers.push(...streets(c), ...streetNames(c));
  }
  for (const [group, ids] of Object.entries(GROUPS)) {
    for (const layer of layers) {
      if (ids.includes(layer.id) && options.hidden.has(group))
        layer.layout = { ...layer.layout, visibility: "none" } as never;
    }
  }
  return { version: 8, sources, layers };
}

// The layers of a source that a panel gave. Its features say by themselves how they look.
export function layersOf(id: string, source: string): LayerSpecification[] {
  const c = palette();
  const color: ExpressionSpecification = ["coalesce", ["get", "color"], c.accent];
  const solid: ExpressionSpecification = ["!=", ["coalesce", ["get", "dashed"], false], true];
  const line = { "line-color": color, "line-width": ["coalesce", ["get", "width"], 4],
    "line-opacity": ["coalesce", ["get", "opacity"], 0.9] } as const;
  const lines: ExpressionSpecification = ["==", ["geometry-type"], "LineString"];
  return [
    { id: `${id}-fill`, type: "fill", source, filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": color, "fill-opacity": ["coalesce", ["get", "opacity"], 0.2] } },
    { id: `${id}-edge`, type: "line", source, filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "line-color": color, "line-width": ["coalesce", ["get", "width"], 1.5], "line-opacity": 0.8 } },
    { id: `${id}-casing`, type: "line", source, filter: ["all", lines, solid],
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": c.halo, "line-width": ["+", 3, ["coalesce", ["get", "width"], 4]], "line-opacity": 0.8 } },
    { id: `${id}-line`, type: "line", source, filter: ["all", lines, solid],
      layout: { "line-cap": "round", "line-join": "round" }, paint: line as never },
    { id: `${id}-dashes`, type: "line", source, filter: ["all", lines, ["!", solid]],
      layout: { "line-join": "round" }, paint: { ...line, "line-dasharray": [1.6, 1.2] } as never },
    { id: `${id}-point`, type: "circle", source, filter: ["==", ["geometry-type"], "Point"],
      paint: { "circle-color": color, "circle-radius": ["coalesce", ["get", "radius"], 7],
        "circle-opacity": ["coalesce", ["get", "opacity"], 1], "circle-stroke-color": c.halo, "circle-stroke-width": 2 } },
    { id: `${id}-label`, type: "symbol", source, filter: ["has", "label"],
      layout: { "text-field": ["to-string", ["get", "label"]], "text-font": FONT, "text-size": 13,
        "text-variable-anchor": ["top", "bottom", "left", "right"], "text-radial-offset": 0.8, "text-optional": true },
      paint: { "text-color": c.name, "text-halo-color": c.halo, "text-halo-width": 1.6 } },
  ];
}
