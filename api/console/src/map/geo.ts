// Web mercator in [0, 1], as MapLibre has it, and boxes.
export interface Mercator {
  x: number;
  y: number;
}

export function mercator(lon: number, lat: number): Mercator {
  const sine = Math.sin((Math.min(85.0511, Math.max(-85.0511, lat)) * Math.PI) / 180);
  return { x: lon / 360 + 0.5, y: 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI) };
}

export function lonLat(m: Mercator): [number, number] {
  return [(m.x - 0.5) * 360, (Math.atan(Math.sinh(Math.PI * (1 - 2 * m.y))) * 180) / Math.PI];
}

export type Box = [number, number, number, number]; // west, south, east, north

export function boxOf(geometries: GeoJSON.Geometry[]): Box | undefined {
  const box: Box = [180, 90, -180, -90];
  const grow = (at: any): void => {
    if (typeof at[0] === "number") {
      box[0] = Math.min(box[0], at[0]);
      box[1] = Math.min(box[1], at[1]);
      box[2] = Math.max(box[2], at[0]);
      box[3] = Math.max(box[3], at[1]);
    } else {
      for (const part of at) grow(part);
    }
  };
  for (const geometry of geometries) {
    if (geometry.type === "GeometryCollection") {
      const inner = boxOf(geometry.geometries);
      if (inner) grow([[inner[0], inner[1]], [inner[2], inner[3]]]);
    } else {
      grow(geometry.coordinates);
    }
  }
  return box[0] <= box[2] ? box : undefined;
}

// The middle of a polygon's outer ring, by area; of anything else the middle of its box.
export function middleOf(geometry: GeoJSON.Geometry): [number, number] | undefined {
  const ring =
    geometry.type === "Polygon"
      ? geometry.coordinates[0]
      : geometry.type === "MultiPolygon"
        ? geometry.coordinates[0]?.[0]
        : undefined;
  let [x, y, area] = [0, 0, 0];
  for (let i = 0; ring && i + 1 < ring.length; i++) {
    const [ax, ay] = ring[i] as [number, number];
    const [bx, by] = ring[i + 1] as [number, number];
    const cross = (ax - ring[0]![0]!) * (by - ring[0]![1]!) - (bx - ring[0]![0]!) * (ay - ring[0]![1]!);
    area += cross;
    x += (ax + bx + ring[0]![0]!) * cross;
    y += (ay + by + ring[0]![1]!) * cross;
  }
  if (area !== 0) return [x / (3 * area), y / (3 * area)];
  const box = boxOf([geometry]);
  return box && [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
}
