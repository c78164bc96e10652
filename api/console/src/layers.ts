// Which layers of the map are shown, and what its signs mean.
import { fill, h } from "./dom";
import { t } from "./i18n";
import type { Town } from "./map/town_map";
import { unitColor } from "./map/units";
import { palette } from "./theme";

const ORDER = ["units", "households", "frail", "facilities", "factories", "zones", "compounds", "cells"];

export class Layers {
  readonly element: HTMLElement;
  private readonly button: HTMLButtonElement;
  private readonly box = h("div", { class: "layers-box", id: "layers", hidden: true });

  constructor(private readonly map: Town) {
    this.button = h("button", { type: "button", class: "layers-button", "aria-expanded": "false", "aria-controls": "layers",
      onclick: () => this.toggle(this.box.hidden !== false) });
    this.element = h("div", { class: "layers" }, this.button, this.box);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.box.hidden) {
        event.stopPropagation();
        this.toggle(false);
        this.button.focus();
      }
    });
    this.words();
  }

  private toggle(open: boolean): void {
    this.box.hidden = !open;
    this.button.setAttribute("aria-expanded", String(open));
    if (open) this.words();
  }

  private sign(color: string, shape: "dot" | "ring" | "area"): SVGElement {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 16 16");
    svg.setAttribute("aria-hidden", "true");
    const area = shape === "area";
    const drawn = document.createElementNS("http://www.w3.org/2000/svg", area ? "rect" : "circle");
    const where = area ? { x: "2", y: "3", width: "12", height: "10" } : { cx: "8", cy: "8", r: shape === "ring" ? "5" : "6" };
    for (const [name, value] of Object.entries({ ...where, fill: shape === "ring" ? "none" : color, "fill-opacity": area ? "0.25" : "1",
      stroke: color, "stroke-width": { dot: "0", ring: "2.5", area: "1.5" }[shape] })) drawn.setAttribute(name, value);
    svg.append(drawn);
    return svg;
  }

  words(): void {
    this.button.textContent = t("layers.title");
    if (this.box.hidden) return;
    const c = palette();
    const signs: Record<string, SVGElement | undefined> = {
      households: this.sign(c.household, "dot"), frail: this.sign(c.frail, "ring"),
      facilities: this.sign(c.facility, "dot"), factories: this.sign(c.factory[2], "dot"),
      zones: this.sign(c.closed, "area"), compounds: this.sign(c.compoundName, "area"),
    };
    const rows = ORDER.filter((id) => id === "units" || (this.map.hasRegistry && (id !== "frail" || this.map.mayFrail)));
    fill(this.box,
      rows.map((id) => h("label", null,
        h("input", { type: "checkbox", checked: this.map.isShown(id),
          onchange: (event: Event) => this.map.choose(id, (event.target as HTMLInputElement).checked) }),
        signs[id], h("span", null, t(`layers.${id}`)))),
      h("div", { class: "legend" },
        ["van", "responder", "inspector", "volunteer"].map((kind) =>
          h("p", null, this.sign(unitColor(kind), "dot"), h("span", null, t(`legend.${kind}`)))),
        h("p", null, this.sign(unitColor("van"), "ring"), h("span", null, t("legend.busy"))),
        h("p", null, this.sign("#868f95", "dot"), h("span", null, t("legend.stale")))));
  }
}
