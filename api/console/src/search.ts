// The search box: households, facilities, factories, streets by the API; units by what the map knows of them. It is a
// combobox as WAI-ARIA describes it: arrows choose, Enter opens, Escape closes. "/" goes there from anywhere.
import { fill, h } from "./dom";
import { explain } from "./fault";
import { t } from "./i18n";
import type { Town } from "./map/town_map";
import type { Api } from "./panel";

const WAIT_MS = 140;
const MOST = 8;
const UNITS_MOST = 4;

export interface Found {
  kind: string; // "units", or a collection
  id: string;
  title: string;
  more: string;
  lon?: number;
  lat?: number;
}

interface Hit {
  id: string;
  collection: string;
  geometry: GeoJSON.Point | null;
  properties: Record<string, any>;
}

function foundOf(hit: Hit): Found {
  const at = hit.geometry?.coordinates ?? [];
  const name = hit.properties["name"] as string | undefined;
  const address = hit.properties["address"] as string | undefined;
  return {
    kind: hit.collection,
    id: String(hit.id),
    title: name ?? address ?? String(hit.id),
    more: name ? (address ?? "") : "",
    lon: at[0],
    lat: at[1],
  };
}

export class Search {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly options: HTMLElement;
  private readonly said: HTMLElement;
  private rows: Found[] = [];
  private at = -1;
  private timer = 0;
  private asked = 0;
  private shown = ""; // the words that the rows answer
  private hurried = false; // Enter came before they did

  constructor(
    private readonly api: Api,
    private readonly map: Town,
    private readonly open: (found: Found) => void,
  ) {
    this.input = h("input", {
      type: "search", id: "search", role: "combobox", autocomplete: "off", spellcheck: "false", "aria-expanded": "false",
      "aria-controls": "search-options", "aria-autocomplete": "list",
      oninput: () => this.typed(), onkeydown: (event: KeyboardEvent) => this.key(event),
      onfocus: () => this.later(), onblur: () => setTimeout(() => this.close(), 150),
    });
    this.options = h("ul", { id: "search-options", role: "listbox", hidden: true });
    this.said = h("span", { class: "spoken", role: "status" });
    this.element = h("div", { class: "search", role: "search" }, this.input, this.options, this.said);
    this.words();
    document.addEventListener("keydown", (event) => {
      const typing = (event.target as HTMLElement).closest?.("input, textarea, select, [contenteditable]");
      if (event.key !== "/" || typing || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.input.focus();
    });
  }

  words(): void {
    this.input.placeholder = t("search.hint");
    this.input.setAttribute("aria-label", t("search.label"));
    this.options.setAttribute("aria-label", t("search.label"));
  }

  private typed(): void {
    this.hurried = false;
    this.later();
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), WAIT_MS);
  }

  private unitsLike(query: string): Found[] {
    const low = query.toLowerCase();
    return this.map.units
      .all()
      .filter((unit) => unit.unit.toLowerCase().includes(low) || unit.name?.toLowerCase().includes(low))
      .slice(0, UNITS_MOST)
      .map((unit) => ({ kind: "units", id: unit.unit, title: unit.name ?? unit.unit, more: unit.unit, lon: unit.lon, lat: unit.lat }));
  }

  private async ask(): Promise<void> {
    const query = this.input.value.trim();
    const asked = ++this.asked;
    if (query === "") {
      this.close();
      return;
    }
    const units = this.unitsLike(query);
    const center = this.map.ml?.getCenter();
    const place = center ? `&lon=${center.lng.toFixed(5)}&lat=${center.lat.toFixed(5)}` : "";
    try {
      const answer = await this.api.get<{ features: Hit[] }>(
        `/v1/search?limit=${MOST}&q=${encodeURIComponent(query)}${place}`);
      if (asked !== this.asked) return;
      this.shown = query;
      this.show([...units, ...answer.features.map(foundOf)], t("search.none", { q: query }));
    } catch (error) {
      if (asked !== this.asked) return;
      this.shown = query;
      this.show(units, t("search.fault", { why: explain(error) }));
    }
  }

  private show(rows: Found[], otherwise: string): void {
    this.rows = rows;
    this.at = rows.length > 0 ? 0 : -1;
    fill(this.options, rows.length === 0
      ? h("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, otherwise)
      : rows.map((row, i) => h("li", {
          role: "option", id: `search-${i}`, "aria-selected": "false",
          onmousedown: (event: MouseEvent) => event.preventDefault(), onclick: () => this.take(i),
        },
        h("span", { class: "search-title" }, row.title),
        h("span", { class: "search-kind" }, t(`kind.${row.kind}`)),
        row.more !== "" && h("span", { class: "search-more" }, row.more))));
    this.options.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.said.textContent = rows.length === 0 ? otherwise : t("search.count", { n: rows.length });
    this.mark();
    if (this.hurried) {
      this.hurried = false;
      if (rows.length > 0) this.take(0);
    }
  }

  private mark(): void {
    [...this.options.children].forEach((option, i) =>
      option.setAttribute("aria-selected", String(i === this.at && this.rows.length > 0)));
    if (this.at >= 0) {
      this.input.setAttribute("aria-activedescendant", `search-${this.at}`);
      this.options.children[this.at]?.scrollIntoView({ block: "nearest" });
    } else {
      this.input.removeAttribute("aria-activedescendant");
    }
  }

  private key(event: KeyboardEvent): void {
    if (event.isComposing) return; // the input method's own keys
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.rows.length === 0) return;
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : this.rows.length - 1)) % this.rows.length;
      this.mark();
    } else if (event.key === "Enter" && this.input.value.trim() !== this.shown) {
      this.hurried = true; // what is listed answers other words
      clearTimeout(this.timer);
      void this.ask();
    } else if (event.key === "Enter" && this.at >= 0) {
      this.take(this.at);
    } else if (event.key === "Escape") {
      if (this.options.hidden) this.input.value = "";
      this.close();
    }
  }

  private take(i: number): void {
    const row = this.rows[i];
    this.close();
    if (row) this.open(row);
  }

  private close(): void {
    this.asked++;
    clearTimeout(this.timer);
    this.options.hidden = true;
    this.shown = "";
    this.hurried = false;
    this.rows = [];
    this.at = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
  }
}
