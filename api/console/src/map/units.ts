// Units as they move: a canvas of its own above the map, so that a moving unit does not make the map be drawn anew.
//
// Each unit is one point of one draw call. What the shader needs to know (from where to where, since when, for how long,
// its heading) is written when a position arrives; between two positions it is the shader that moves it. So a frame costs
// the main thread the same few calls for one unit or for thousands.
import type { Map as LibreMap } from "maplibre-gl";
import { lonLat, mercator, type Mercator } from "./geo";
import { theme } from "../theme";

export interface UnitPosition {
  unit: string;
  lon: number;
  lat: number;
  speed_mps?: number;
  bearing_deg?: number;
  stale: boolean;
  kind: string;
  status: string;
  ts?: string;
}

export interface UnitSeen extends UnitPosition {
  name?: string;
}

const FLOATS = 9; // of a unit: from x y, to x y, since, for, heading from, to, look
const KINDS = ["van", "responder", "inspector", "volunteer"];
const GLIDE_LEAST_S = 0.25;
const GLIDE_MOST_S = 6;
const JUMP_M = 600; // farther than that it was not seen on the way
const SIZE_PX = 30;
const HIT_PX = 16;
const WORLD_PX = 512;
const EARTH_M = 40_075_017;

const VERTEX = `#version 300 es
layout(location = 0) in vec4 path;
layout(location = 1) in vec2 span;
layout(location = 2) in vec3 look; // heading from, to (radians), code
uniform vec2 offset;  // of the origin from the middle of the screen, px
uniform float world;  // px of the whole world
uniform vec2 screen;  // half of it, px
uniform float now;
uniform float size;
flat out vec2 turn;
flat out int code;
void main() {
  float part = span.y > 0.0 ? clamp((now - span.x) / span.y, 0.0, 1.0) : 1.0;
  vec2 at = mix(path.xy, path.zw, part) * world + offset;
  gl_Position = vec4(at.x / screen.x, -at.y / screen.y, 0.0, 1.0);
  gl_PointSize = size;
  float heading = mix(look.x, look.y, smoothstep(0.0, 0.3, part));
  turn = vec2(cos(heading), sin(heading));
  code = int(look.z);
}`;

// code: kind (0 to 3), 4 busy, 8 stale, 16 off, 32 chosen, 64 heading known
const FRAGMENT = `#version 300 es
precision highp float;
flat in vec2 turn;
flat in int code;
uniform vec3 colors[6]; // by kind, then stale, then the rim
uniform float edge;     // a pixel
out vec4 color;
float cover(float d) { return clamp(0.5 - d / edge, 0.0, 1.0); }
void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  p = vec2(p.x * turn.x + p.y * turn.y, p.y * turn.x - p.x * turn.y);
  float disc = length(p) - 0.44;
  float body = disc;
  if ((code & 64) != 0) { // a nose that shows where it goes
    vec2 q = vec2(abs(p.x), p.y + 0.20);
    float nose = max(dot(q, normalize(vec2(1.0, -0.62))) - 0.33, q.y);
    body = min(disc, nose);
  }
  float rim = body - 0.13;
  bool stale = (code & 24) != 0;
  vec3 own = stale ? colors[4] : colors[code & 3];
  float busy = (code & 4) != 0 ? cover(length(p) - 0.20) : 0.0;
  vec3 inner = mix(own, colors[5], busy);
  vec3 mixed = mix(colors[5], inner, cover(body));
  float alpha = cover(rim);
  if ((code & 32) != 0) {
    float ring = abs(length(p) - 0.84) - 0.07;
    mixed = mix(mixed, own, cover(ring) * (1.0 - alpha));
    alpha = max(alpha, cover(ring));
  }
  alpha *= stale ? 0.75 : 1.0;
  color = vec4(mixed * alpha, alpha);
}`;

const COLORS: Record<"light" | "dark", [string, string, string, string, string, string]> = {
  light: ["#0f6b8a", "#a3241c", "#5a4a9c", "#2f6b2f", "#7d868c", "#ffffff"],
  dark: ["#5cc0e6", "#ff7d72", "#b0a3f0", "#8ad08a", "#8a949b", "#0d151b"],
};

function rgb(hex: string): [number, number, number] {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255) as [number, number, number];
}

export function unitColor(kind: string): string {
  return COLORS[theme()][Math.max(0, KINDS.indexOf(kind))]!;
}

function shaderOf(gl: WebGL2RenderingContext, type: number, source: string): WebGLShader {
  const shader = gl.createShader(type)!;
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost())
    throw new Error(gl.getShaderInfoLog(shader) ?? "shader");
  return shader;
}

export class UnitLayer {
  private readonly map: LibreMap | undefined;
  private readonly canvas: HTMLCanvasElement;
  private gl: WebGL2RenderingContext | undefined;
  private places: Record<string, WebGLUniformLocation | null> = {};
  private data = new Float32Array(256 * FLOATS);
  private room = 0; // of the buffer on the card, in floats
  private readonly units: UnitSeen[] = [];
  private readonly index = new Map<string, number>();
  private readonly arrived: number[] = [];
  private origin: Mercator | undefined;
  private dirty = false;
  private movingUntil = 0;
  private frame = 0;
  private visible = true;
  private chosen = "";
  private readonly born = performance.now();
  private readonly names = new Map<string, string>();

  // Without a map units are known, and not drawn.
  constructor(map: LibreMap | undefined) {
    this.map = map;
    this.canvas = document.createElement("canvas");
    if (!map) return;
    this.canvas.className = "map-units";
    this.canvas.setAttribute("aria-hidden", "true");
    map.getCanvasContainer().append(this.canvas);
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => this.start());
    this.start();
    map.on("render", () => this.paint()); // in the same frame, so that units stand still on a map that is dragged
    map.on("resize", () => this.draw());
  }

  private start(): void {
    const gl = this.canvas.getContext("webgl2", { premultipliedAlpha: true, antialias: false }) ?? undefined;
    this.gl = gl;
    if (!gl) return;
    const program = gl.createProgram()!;
    gl.attachShader(program, shaderOf(gl, gl.VERTEX_SHADER, VERTEX));
    gl.attachShader(program, shaderOf(gl, gl.FRAGMENT_SHADER, FRAGMENT));
    gl.linkProgram(program);
    gl.useProgram(program);
    for (const name of ["offset", "world", "screen", "now", "size", "colors", "edge"])
      this.places[name] = gl.getUniformLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
    const stride = FLOATS * 4;
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 4, gl.FLOAT, false, stride, 0);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 2, gl.FLOAT, false, stride, 16);
    gl.enableVertexAttribArray(2);
    gl.vertexAttribPointer(2, 3, gl.FLOAT, false, stride, 24);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.room = 0;
    this.dirty = true;
    this.draw();
  }

  private seconds(): number {
    return (performance.now() - this.born) / 1000;
  }

  // Where it is drawn now, from the origin.
  private at(i: number, now: number): Mercator {
    const d = this.data;
    const o = i * FLOATS;
    const span = d[o + 5]!;
    const part = span > 0 ? Math.min(1, Math.max(0, (now - d[o + 4]!) / span)) : 1;
    return { x: d[o]! + (d[o + 2]! - d[o]!) * part, y: d[o + 1]! + (d[o + 3]! - d[o + 1]!) * part };
  }

  private codeOf(unit: UnitSeen, known: boolean): number {
    return (
      Math.max(0, KINDS.indexOf(unit.kind)) +
      (unit.status === "busy" ? 4 : 0) +
      (unit.stale ? 8 : 0) +
      (unit.status === "off" ? 16 : 0) +
      (unit.unit === this.chosen ? 32 : 0) +
      (known ? 64 : 0)
    );
  }

  private grow(count: number): void {
    if (count * FLOATS <= this.data.length) return;
    const more = new Float32Array(Math.max(count * FLOATS, this.data.length * 2));
    more.set(this.data);
    this.data = more;
  }

  put(position: UnitPosition): void {
    const now = this.seconds();
    const place = mercator(position.lon, position.lat);
    this.origin ??= place;
    const to = { x: place.x - this.origin.x, y: place.y - this.origin.y };
    let i = this.index.get(position.unit);
    const first = i === undefined;
    if (i === undefined) {
      i = this.units.length;
      this.index.set(position.unit, i);
      this.units.push(position);
      this.arrived.push(now);
      this.grow(i + 1);
    }
    const d = this.data;
    const o = i * FLOATS;
    const from = first ? to : this.at(i, now);
    const metres = (Math.hypot(to.x - from.x, to.y - from.y) * EARTH_M) / Math.cosh(Math.PI * (1 - 2 * place.y));
    const glide = first || metres > JUMP_M || metres < 0.01 ? 0 : now - this.arrived[i]!;
    const span = glide === 0 ? 0 : Math.min(GLIDE_MOST_S, Math.max(GLIDE_LEAST_S, glide));
    let known = !first && (d[o + 8]! & 64) !== 0;
    const before = first ? 0 : d[o + 7]!;
    let heading = before;
    if (position.bearing_deg !== undefined && (position.speed_mps ?? 1) > 0.5) {
      heading = (position.bearing_deg * Math.PI) / 180;
      known = true;
    } else if (metres > 4) {
      heading = Math.atan2(to.x - from.x, -(to.y - from.y));
      known = true;
    }
    const turn = ((((heading - before) % (2 * Math.PI)) + 3 * Math.PI) % (2 * Math.PI)) - Math.PI; // the short way
    d.set([from.x, from.y, to.x, to.y, now, span, first ? heading : before, first ? heading : before + turn], o);
    const unit: UnitSeen = { ...position, name: this.names.get(position.unit) };
    this.units[i] = unit;
    d[o + 8] = this.codeOf(unit, known);
    this.arrived[i] = now;
    this.movingUntil = Math.max(this.movingUntil, now + Math.max(span, 0.05));
    this.dirty = true;
    this.draw();
  }

  setNames(names: Iterable<[string, string]>): void {
    for (const [unit, name] of names) {
      this.names.set(unit, name);
      const i = this.index.get(unit);
      if (i !== undefined) this.units[i]!.name = name;
    }
  }

  choose(unit: string): void {
    this.chosen = unit;
    this.units.forEach((seen, i) => {
      const at = i * FLOATS + 8;
      this.data[at] = this.codeOf(seen, (this.data[at]! & 64) !== 0);
    });
    this.dirty = true;
    this.draw();
  }

  get(unit: string): UnitSeen | undefined {
    const i = this.index.get(unit);
    return i === undefined ? undefined : this.units[i];
  }

  all(): readonly UnitSeen[] {
    return this.units;
  }

  // Where it is drawn at the moment.
  placeOf(unit: string): [number, number] | undefined {
    const i = this.index.get(unit);
    if (i === undefined || !this.origin) return undefined;
    const at = this.at(i, this.seconds());
    return lonLat({ x: at.x + this.origin.x, y: at.y + this.origin.y });
  }

  show(on: boolean): void {
    this.visible = on;
    this.draw();
  }

  restyle(): void {
    this.draw();
  }

  // The unit at a place of the screen, the nearest one within a finger's breadth.
  hit(x: number, y: number): string | undefined {
    if (!this.map || !this.origin || !this.visible) return undefined;
    const now = this.seconds();
    const view = this.view(this.map);
    let best = HIT_PX * HIT_PX;
    let found: string | undefined;
    for (let i = 0; i < this.units.length; i++) {
      const at = this.at(i, now);
      const dx = at.x * view.world + view.offset[0] + view.width / 2 - x;
      const dy = at.y * view.world + view.offset[1] + view.height / 2 - y;
      if (dx * dx + dy * dy < best) {
        best = dx * dx + dy * dy;
        found = this.units[i]!.unit;
      }
    }
    return found;
  }

  private view(map: LibreMap): { world: number; offset: [number, number]; width: number; height: number } {
    const world = WORLD_PX * 2 ** map.getZoom();
    const center = map.getCenter();
    const middle = mercator(center.lng, center.lat);
    const canvas = map.getCanvas();
    const origin = this.origin!;
    return {
      world,
      offset: [(origin.x - middle.x) * world, (origin.y - middle.y) * world],
      width: canvas.clientWidth,
      height: canvas.clientHeight,
    };
  }

  private draw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  private paint(): void {
    const gl = this.gl;
    const map = this.map;
    if (!gl || !map || gl.isContextLost()) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    const host = map.getCanvas();
    const width = Math.round(host.clientWidth * ratio);
    const height = Math.round(host.clientHeight * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    if (this.units.length === 0 || !this.visible || !this.origin) return;
    const used = this.units.length * FLOATS;
    if (this.room < used) {
      this.room = this.data.length;
      gl.bufferData(gl.ARRAY_BUFFER, this.data, gl.DYNAMIC_DRAW);
    } else if (this.dirty) {
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.data, 0, used);
    }
    this.dirty = false;
    const now = this.seconds();
    const view = this.view(map);
    const zoom = map.getZoom();
    const size = SIZE_PX * Math.min(1, Math.max(0.45, (zoom - 9) / 5));
    const p = this.places;
    gl.uniform2f(p["offset"]!, view.offset[0], view.offset[1]);
    gl.uniform1f(p["world"]!, view.world);
    gl.uniform2f(p["screen"]!, view.width / 2, view.height / 2);
    gl.uniform1f(p["now"]!, now);
    gl.uniform1f(p["size"]!, size * ratio);
    gl.uniform1f(p["edge"]!, 2 / (size * ratio));
    gl.uniform3fv(p["colors"]!, COLORS[theme()].flatMap(rgb));
    gl.drawArrays(gl.POINTS, 0, this.units.length);
    if (now < this.movingUntil) this.draw();
  }
}

