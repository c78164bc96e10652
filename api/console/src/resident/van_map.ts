// Where the van is: the street's name, and a map of the streets around it that follows the van. The map library comes only
// when there is something to show. Where the server has tokens, that of the order reads its streets.
import type { Map as LibreMap, Marker, StyleSpecification } from "maplibre-gl";
import { h } from "../dom";
import { t } from "../i18n";

interface Library {
  Map: typeof LibreMap;
  Marker: typeof Marker;
}

interface Position {
  lon: number;
  lat: number;
}

const ZOOM = 15;

// With what this page asks for streets and the time: the token that its own address has.
export function bearer(): Record<string, string> {
  return { Authorization: `Bearer ${location.pathname.split("/").pop() ?? ""}` };
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function styleOf(): StyleSpecification {
  return {
    version: 8,
    sources: {
      streets: { type: "vector", tiles: [`${location.origin}/tiles/streets/{z}/{x}/{y}.mvt`], minzoom: 8, maxzoom: 16 },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": color("--map") } },
      {
        id: "edges", type: "line", source: "streets", "source-layer": "streets",
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": color("--edge"), "line-width": ["interpolate", ["linear"], ["zoom"], 13, 3, 17, 12] },
      },
      {
        id: "streets", type: "line", source: "streets", "source-layer": "streets",
        layout: { "line-cap": "round", "line-join": "round" },
        paint: { "line-color": color("--street"), "line-width": ["interpolate", ["linear"], ["zoom"], 13, 1.5, 17, 9] },
      },
      {
        id: "names", type: "symbol", source: "streets", "source-layer": "streets", filter: ["has", "name"],
        layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-size": 18 },
        paint: { "text-color": color("--ink"), "text-halo-color": color("--map"), "text-halo-width": 2 },
      },
    ],
  };
}

export class VanMap {
  readonly element: HTMLElement;
  private readonly script: string | undefined;
  private readonly css: string | undefined;
  private readonly heading: HTMLElement;
  private readonly near: HTMLElement;
  private readonly frame: HTMLElement;
  private library: Promise<Library | undefined> | undefined;
  private map: LibreMap | undefined;
  private marker: Marker | undefined;
  private street = "";
  private asked = 0;

  constructor(script: string | undefined, css: string | undefined) {
    this.script = script;
    this.css = css;
    this.heading = h("h2", {});
    this.near = h("p", { class: "re-near", "aria-live": "polite" });
    this.frame = h("div", { class: "re-map", hidden: true, role: "img" });
    this.element = h("section", { class: "re-van", hidden: true }, this.heading, this.near, this.frame);
    this.words();
  }

  words(): void {
    this.heading.textContent = t("re.where");
    this.frame.setAttribute("aria-label", t("re.map"));
    this.near.textContent = this.street === "" ? "" : t("re.near", { street: this.street });
  }

  async show(position: Position | undefined): Promise<void> {
    const asked = ++this.asked;
    this.element.hidden = position === undefined;
    if (!position) return;
    this.element.dataset["lon"] = String(position.lon);
    this.element.dataset["lat"] = String(position.lat);
    const street = await this.streetRead(position);
    if (asked !== this.asked) return;
    this.street = street ?? this.street;
    this.words();
    await this.mapShow(position, street !== undefined);
  }

  // undefined: this server does not say.
  private async streetRead(at: Position): Promise<string | undefined> {
    const reply = await fetch(`/nearest/v1/van/${at.lon},${at.lat}?number=1`, { headers: bearer() }).catch(() => undefined);
    if (!reply?.ok) return undefined;
    const answer = (await reply.json()) as { waypoints?: { name?: string }[] };
    return answer.waypoints?.[0]?.name ?? "";
  }

  private load(): Promise<Library | undefined> {
    this.library ??= new Promise((resolve) => {
      if (this.script === undefined || this.css === undefined) {
        resolve(undefined);
        return;
      }
      document.head.append(h("link", { rel: "stylesheet", href: this.css }));
      document.head.append(h("script", {
        src: this.script,
        onload: () => resolve((window as unknown as { maplibregl: Library }).maplibregl),
        onerror: () => resolve(undefined),
      }));
    });
    return this.library;
  }

  private async mapShow(at: Position, streets: boolean): Promise<void> {
    const library = streets ? await this.load() : undefined;
    if (!library) return;
    const place: [number, number] = [at.lon, at.lat];
    if (!this.map) {
      this.frame.hidden = false;
      try {
        this.map = new library.Map({
          container: this.frame, style: styleOf(), center: place, zoom: ZOOM, interactive: false, attributionControl: false,
          transformRequest: (url) => (url.startsWith(location.origin) ? { url, headers: bearer() } : { url }),
        });
      } catch {
        this.frame.hidden = true; // no WebGL on this phone: the words are there
        return;
      }
      const sign = h("div", { class: "re-sign", "aria-hidden": "true" });
      this.marker = new library.Marker({ element: sign }).setLngLat(place).addTo(this.map);
    }
    this.marker?.setLngLat(place);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) this.map.jumpTo({ center: place });
    else this.map.easeTo({ center: place, duration: 1000 });
  }
}
