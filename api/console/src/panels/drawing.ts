// Drawing an area on the map: corner by corner with the mouse, or with the keyboard alone (arrow keys move the map, a
// button sets a corner in its middle). Enter ends, Backspace takes back, Escape gives up.
import { h } from "../dom";
import type { Context } from "../panel";
import { tangled, type Point } from "./geometry";
import { theme } from "./common";

const CLOSE_PX = 12; // a click so near the first corner ends it
const STILL_PX = 3; // a press that moves farther is the map being dragged

export class Drawing {
  readonly element: HTMLElement;
  private readonly ctx: Context;
  private readonly text: HTMLElement;
  private readonly wrong: HTMLElement;
  private readonly finishButton: HTMLButtonElement;
  private ring: Point[] = [];
  private pressed = { x: 0, y: 0 };
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
        h("button", { type: "button", "data-do": "corner", onclick: () => this.corner() }, ctx.t("zo.corner")),
        this.finishButton,
        h("button", { type: "button", onclick: () => this.end(undefined) }, ctx.t("common.cancel")),
      ),
    );
  }

  // undefined: it was given up.
  draw(): Promise<GeoJSON.Polygon | undefined> {
    this.end(undefined);
    const { ml } = this.ctx.map;
    if (!ml) {
      this.ctx.say(this.ctx.t("map.none.draw"), "bad");
      return Promise.resolve(undefined);
    }
    this.ring = [];
    this.element.hidden = false;
    window.addEventListener("pointerdown", this.press, true);
    window.addEventListener("click", this.click, true);
    ml.doubleClickZoom.disable();
    ml.getCanvas().style.cursor = "crosshair";
    window.addEventListener("keydown", this.key, true);
    this.show();
    this.element.scrollIntoView({ block: "nearest" }); // a phone's panel is low now
    ml.getCanvas().focus();
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
    window.removeEventListener("pointerdown", this.press, true);
    window.removeEventListener("click", this.click, true);
    map.ml?.doubleClickZoom.enable();
    if (map.ml) map.ml.getCanvas().style.cursor = "";
    window.removeEventListener("keydown", this.key, true);
    map.remove("zone-drawing");
    done(area);
  }

  private readonly press = (event: PointerEvent): void => {
    this.pressed = { x: event.clientX, y: event.clientY };
  };

  // Caught before the map hears of it, which would open the card of what lies there.
  private readonly click = (event: MouseEvent): void => {
    const { ml } = this.ctx.map;
    if (!ml || event.target !== ml.getCanvas()) return;
    event.stopPropagation();
    if (Math.hypot(event.clientX - this.pressed.x, event.clientY - this.pressed.y) > STILL_PX) return;
    const box = ml.getCanvas().getBoundingClientRect();
    const at: Point = [event.clientX - box.left, event.clientY - box.top];
    const near = (corner: Point | undefined, px: number): boolean => {
      const on = corner && ml.project(corner);
      return on !== undefined && Math.hypot(on.x - at[0], on.y - at[1]) < px;
    };
    if (this.ring.length >= 3 && near(this.ring[0], CLOSE_PX)) {
      this.finish();
    } else if (!near(this.ring[this.ring.length - 1], STILL_PX)) { // a double click's second
      const { lng, lat } = ml.unproject(at);
      this.add([lng, lat]);
    }
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
    const at = this.ctx.map.ml?.getCenter();
    if (at) this.add([at.lng, at.lat]);
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
