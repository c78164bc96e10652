// The card of what was clicked on the map, whatever panel is open: a unit, a household, a site, an area.
import { copyText, fill, h, type Child } from "./dom";
import { explain } from "./fault";
import { ago, dayTime } from "./format";
import { t } from "./i18n";
import type { MapFeature, Town } from "./map/town_map";
import { panels, type Api, type Clock, type Offered, type Stream } from "./panel";

type Row = [string, Child] | false;

export class Card {
  readonly element = h("section", { class: "card", hidden: true, tabindex: "-1", "aria-live": "polite" });
  private ends: (() => void)[] = [];
  private following = "";
  private shown = ""; // "unit/van-01", "household/h1", "facilities/kitchen-1"

  constructor(
    private readonly api: Api,
    private readonly stream: Stream,
    private readonly map: Town,
    private readonly clock: Clock,
    private readonly link: (part: string) => void,
    private readonly say: (text: string, kind?: "good" | "bad") => void,
    private readonly follow: (part: string) => void,
  ) {}

  close(): void {
    for (const end of this.ends) end();
    this.ends = [];
    this.following = "";
    this.element.hidden = true;
    this.map.units.choose("");
    this.map.remove("chosen");
    if (this.shown !== "") this.link("");
    this.shown = "";
  }

  // Again in another language.
  words(): void {
    if (this.shown !== "") void this.open(this.shown);
  }

  private begin(part: string): void {
    for (const end of this.ends) end();
    this.ends = [];
    if (part !== this.shown) this.following = "";
    this.shown = part;
    this.map.units.choose("");
    this.map.remove("chosen");
    this.link(part);
  }

  private draw(kind: string, title: string, rows: Row[], ...more: Child[]): void {
    const copy = async (): Promise<void> => {
      const done = await copyText(location.href);
      this.say(done ? t("copied") : t("copy.not", { link: location.href }), done ? "good" : "bad");
    };
    fill(this.element,
      h("header", null,
        h("div", null, h("p", { class: "card-kind" }, kind), h("h2", null, title)),
        h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: () => this.close() }, "✕")),
      h("dl", null, rows.filter((row): row is [string, Child] => row !== false && row[1] !== "" && row[1] !== undefined)
        .map(([name, value]) => [h("dt", null, name), h("dd", null, value)])),
      h("footer", null, more, h("button", { type: "button", onclick: () => void copy() }, t("copy"))));
    this.element.hidden = false;
  }

  // What panels have for it, whichever of them is open.
  private offers(what: Offered): Child[] {
    return panels().flatMap((panel) => panel.offers?.(what) ?? []).map(({ text, part, may }) =>
      h("button", { type: "button", "data-offer": part.split("/")[0], "data-may": may, onclick: () => {
        this.close();
        this.follow(part);
      } }, t(text)));
  }

  // What a link or the search names; false: it is not of a kind that has a card.
  async open(part: string, fly = false): Promise<boolean> {
    const [kind, ...rest] = part.split("/");
    const id = decodeURIComponent(rest.join("/"));
    if (kind === "unit") this.unit(id, fly);
    else if (kind === "household") await this.item("households", id, fly);
    else if (["facilities", "factories", "cells", "zones"].includes(kind ?? "")) await this.item(kind!, id, fly);
    else return false;
    return true;
  }

  unit(id: string, fly = false): void {
    this.begin(`unit/${encodeURIComponent(id)}`);
    const draw = (): void => {
      const unit = this.map.units.get(id);
      if (!unit) {
        this.draw(t("card.unit"), id, []);
        return;
      }
      const heard = unit.ts ? Date.parse(unit.ts) : 0;
      this.draw(t(`unit.${unit.kind}`), unit.name ?? id, [
        [t("card.status"), t(`status.${unit.status}`)],
        [t("card.seen"), heard > 0 && ago(this.clock.now() - heard)],
        [t("card.speed"), unit.speed_mps !== undefined && !unit.stale &&
          t("card.speed.value", { n: Math.round(unit.speed_mps * 3.6) })],
      ], this.offers({ kind: "unit", id, unit: unit.kind }), h("button", { type: "button", "aria-pressed": String(this.following === id), onclick: () => {
        this.following = this.following === id ? "" : id;
        follow();
        draw();
      } }, t(this.following === id ? "card.unfollow" : "card.follow")));
    };
    const follow = (): void => {
      const place = this.following === id ? this.map.units.placeOf(id) : undefined;
      if (place) this.map.flyTo(place[0], place[1]);
    };
    draw();
    this.map.units.choose(id);
    const unit = this.map.units.get(id);
    if (fly && unit) this.map.flyTo(unit.lon, unit.lat);
    this.ends.push(this.clock.every(1000, () => {
      if (!this.element.contains(document.activeElement)) draw(); // whoever is on a button keeps it
      follow();
    }));
  }

  async item(collection: string, id: string, fly = false): Promise<void> {
    const part = `${collection === "households" ? "household" : collection}/${encodeURIComponent(id)}`;
    this.begin(part);
    try {
      const item = await this.api.get<GeoJSON.Feature & { personal?: string }>(
        `/collections/${collection}/items/${encodeURIComponent(id)}`);
      if (this.shown !== part) return;
      this.itemDraw(collection, id, item);
      if (item.geometry && fly) {
        if (item.geometry.type === "Point") this.map.flyTo(item.geometry.coordinates[0]!, item.geometry.coordinates[1]!, 17);
        else this.map.fit(item.geometry);
      }
      if (item.geometry)
        this.map.setGeoJson("chosen", { type: "Feature", geometry: item.geometry, properties: { radius: 9, opacity: 0.25 } });
    } catch (error) {
      this.say(explain(error), "bad");
      this.close();
    }
    const again = this.stream.on(["item*"], (event) => {
      if (event.subject === `${collection}/${id}`) void this.item(collection, id);
    });
    this.ends.push(again);
  }

  private itemDraw(collection: string, id: string, item: GeoJSON.Feature & { personal?: string }): void {
    const p = item.properties ?? {};
    const kinds: Record<string, string> = { facilities: "facility", cells: "cell", zones: "zone" };
    const kind = kinds[collection] && p["kind"] ? t(`${kinds[collection]}.${p["kind"]}`) : "";
    const floor = p["floor"] === undefined ? "" : t(p["lift"] ? "card.floor.lift" : "card.floor.stairs", { floor: p["floor"] });
    const time = (value: unknown): string => (value ? dayTime(Date.parse(String(value))) : "");
    const withheld = item.personal === "withheld";
    const home = collection === "households";
    this.draw(t(`kind.${collection}`), String((home ? p["address"] : undefined) ?? p["name"] ?? id), [
      [t("card.kind"), kind],
      [t("card.name"), home ? (p["name"] ?? "") : ""],
      [t("card.phone"), p["phone"] ? h("a", { href: `tel:${p["phone"]}` }, p["phone"]) : ""],
      [t("card.frail"), p["frail"] === true ? h("strong", { class: "bad" }, t("card.frail.yes")) : ""],
      [t("card.residents"), p["residents"] ?? ""],
      [t("card.floor"), floor],
      [t("card.cell"), p["cell"] ?? ""],
      [t("card.risk"), p["risk"] === undefined ? "" : `${p["risk"]} / 4`],
      [t("card.tenants"), Array.isArray(p["tenants"]) ? p["tenants"].length : ""],
      [t("card.capacity"), p["capacity"] ?? ""],
      [t("card.from"), time(p["from"])],
      [t("card.until"), time(p["until"])],
    ], home && item.geometry?.type === "Point" &&
      this.offers({ kind: "household", id, lon: item.geometry.coordinates[0]!, lat: item.geometry.coordinates[1]! }),
    withheld && h("p", { class: "bad" }, t("card.withheld")));
  }

  feature(feature: MapFeature): void {
    void this.item(feature.collection, feature.id);
  }
}
