// Plane geometry in degrees, for a town: what a drawn border has to do with ways and doors. Over a few kilometres a
// straight line in degrees is one on the ground, so lines and insides need no projection; circles do.
export type Point = [number, number];

// Even-odd over all rings, so that holes are outside.
export function inside(polygon: GeoJSON.Polygon, at: Point): boolean {
  let odd = false;
  for (const ring of polygon.coordinates) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [ax, ay] = ring[i] as Point;
      const [bx, by] = ring[j] as Point;
      if (ay > at[1] !== by > at[1] && at[0] < ((bx - ax) * (at[1] - ay)) / (by - ay) + ax) odd = !odd;
    }
  }
  return odd;
}

function side(a: Point, b: Point, c: Point): number {
  return Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));
}

function within(a: Point, b: Point, c: Point): boolean {
  return Math.min(a[0], b[0]) <= c[0] && c[0] <= Math.max(a[0], b[0]) && Math.min(a[1], b[1]) <= c[1] && c[1] <= Math.max(a[1], b[1]);
}

export function crosses(a: Point, b: Point, c: Point, d: Point): boolean {
  const [s, t, u, v] = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)];
  if (s !== t && u !== v) return true;
  return (s === 0 && within(a, b, c)) || (t === 0 && within(a, b, d)) || (u === 0 && within(c, d, a)) || (v === 0 && within(c, d, b));
}

// Whether a way goes through the area, or begins or ends in it.
export function touches(polygon: GeoJSON.Polygon, line: GeoJSON.Position[]): boolean {
  if (line.some((at) => inside(polygon, at as Point))) return true;
  for (let i = 1; i < line.length; i++) {
    for (const ring of polygon.coordinates) {
      for (let j = 1; j < ring.length; j++) {
        if (crosses(line[i - 1] as Point, line[i] as Point, ring[j - 1] as Point, ring[j] as Point)) return true;
      }
    }
  }
  return false;
}

// Whether a ring (not closed yet) crosses itself: neighbours share a corner, all others must not meet.
export function tangled(ring: Point[]): boolean {
  const n = ring.length;
  for (let i = 0; i < n; i++) {
    for (let j = i + 2; j < n; j++) {
      if (i === 0 && j === n - 1) continue;
      if (crosses(ring[i] as Point, ring[(i + 1) % n] as Point, ring[j] as Point, ring[(j + 1) % n] as Point)) return true;
    }
  }
  return false;
}

export function circle(centre: Point, radius_m: number, corners = 32): GeoJSON.Polygon {
  const north = radius_m / 111_320;
  const east = north / Math.cos((centre[1] * Math.PI) / 180);
  const ring = Array.from({ length: corners + 1 }, (_, i): Point => {
    const turn = ((i % corners) / corners) * 2 * Math.PI;
    return [centre[0] + east * Math.cos(turn), centre[1] + north * Math.sin(turn)];
  });
  return { type: "Polygon", coordinates: [ring] };
}
