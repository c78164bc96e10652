// Drawing an area on the map: corner by corner with the mouse, or with the keyboard alone (arrow keys move the map, a
// button sets a corner in its middle). Enter ends, Backspace takes back, Escape gives up.
import type { MapMouseEvent } from "maplibre-gl";
import { h } from "../dom";
import type { Context } from "../panel";
import { tangled, type Point } from "./geometry";
import { theme } from "./common";

const CLOSE_PX = 12; // a click so near the first corner ends it

export class Drawing {
  readonly element: HTMLElement;
  private readonly ctx: Context;
  private readonly text: HTMLElement;
  private readonly wrong: HTMLElement;
  private readonly finishButton: HTMLButtonElement;
  private ring: Point[] = [];
  private done: ((area: GeoJSON.Polygon | undefined) => void) | undefined;

  constructor(ctx: Context) {
    this.ctx = ctx;
    this.text = h("p", { role: "status" });
    this.wrong = h("p", { class: "zo-wrong", role: "alert" });
    this.finishButton = h("button", { type: "button", "data-do": "finish-zone", onclick: () => this.finish() }, ctx.t("zo.finish"));
    this.element = h(
      "div", { class: "zo-drawing", hidden: true },
      this.text, this.wrong,
      h(
        "div", { class: "zo-buttons" },
        h("button", { type: "button", onclick: () => this.corner() }, ctx.t("zo.corner")),
        this.finishButton,
        h("button", { type: "button", onclick: () => this.end(undefined) }, ctx.t("common.cancel")),
      ),
    );
  }

  // undefined: it was given up.
  draw(): Promise<GeoJSON.Polygon | undefined> {
    this.end(undefined);
    const { map } = this.ctx;
    this.ring = [];
    this.element.hidden = false;
    map.ml.on("click", this.click);
    map.ml.doubleClickZoom.disable();
    map.ml.getCanvas().style.cursor = "crosshair";
    window.addEventListener("keydown", this.key, true);
    this.show();
    map.ml.getCanvas().focus();
    return new Promise((resolve) => {
      this.done = resolve;
    });
  }

  end(area: GeoJSON.Polygon | undefined): void {
    const { done } = this;
    if (!done) return;
    const { map } = this.ctx;
    this.done = undefined;
    this.element.hidden = true;
    map.ml.off("click", this.click);
    map.ml.doubleClickZoom.enable();
    map.ml.getCanvas().style.cursor = "";
    window.removeEventListener("keydown", this.key, true);
    map.remove("zone-drawing");
    done(area);
  }

  private readonly click = (event: MapMouseEvent): void => {
    const { ml } = this.ctx.map;
    const first = this.ring[0];
    if (first && this.ring.length >= 3) {
      const at = ml.project(first);
      if (Math.hypot(at.x - event.point.x, at.y - event.point.y) < CLOSE_PX) {
        this.finish();
        return;
      }
    }
    const last = this.ring[this.ring.length - 1];
    if (last) {
      const at = ml.project(last);
      if (Math.hypot(at.x - event.point.x, at.y - event.point.y) < 3) return; // a double click's second
    }
    this.add([event.lngLat.lng, event.lngLat.lat]);
  };

  private readonly key = (event: KeyboardEvent): void => {
    const on = event.target as HTMLElement;
    if (on.tagName === "BUTTON" && event.key === "Enter") return;
    if (event.key === "Enter") this.finish();
    else if (event.key === "Escape") this.end(undefined);
    else if (event.key === "Backspace") this.back();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  private corner(): void {
    const at = this.ctx.map.ml.getCenter();
    this.add([at.lng, at.lat]);
  }

  private add(at: Point): void {
    this.ring.push(at);
    this.show();
  }

  private back(): void {
    this.ring.pop();
    this.show();
  }

  private finish(): void {
    if (this.ring.length < 3) return;
    if (tangled(this.ring)) {
      this.wrong.textContent = this.ctx.t("zo.tangled");
      return;
    }
    this.end({ type: "Polygon", coordinates: [[...this.ring, this.ring[0] as Point]] });
  }

  private show(): void {
    const { ctx, ring } = this;
    this.text.textContent = ctx.t("zo.drawing", { n: ring.length });
    this.wrong.textContent = ring.length >= 3 && tangled(ring) ? ctx.t("zo.tangled") : "";
    this.finishButton.disabled = ring.length < 3;
    const color = theme("--accent");
    const shape: GeoJSON.Feature[] = ring.map((at) => ({
      type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { color, radius: 5 },
    }));
    if (ring.length >= 2) {
      const line = ring.length >= 3 ? [...ring, ring[0] as Point] : ring;
      shape.unshift({ type: "Feature", geometry: { type: "LineString", coordinates: line }, properties: { color, width: 3 } });
    }
    if (ring.length >= 3) {
      shape.unshift({
        type: "Feature", geometry: { type: "Polygon", coordinates: [[...ring, ring[0] as Point]] },
        properties: { color, opacity: 0.15 },
      });
    }
    ctx.map.setGeoJson("zone-drawing", { type: "FeatureCollection", features: shape });
  }
}
