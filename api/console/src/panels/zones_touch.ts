// What an area touches, written out and drawn on the map: shown before anything is confirmed.
import { h } from "../dom";
import type { Context } from "../panel";
import { clockText, theme } from "./common";
import type { Touched, TouchedRoute } from "./touch";

const ORDERS_SHOWN = 30;

export type ZoneKind = "closed" | "controlled" | "watched" | "fence";

function routeText(r: TouchedRoute, kind: ZoneKind, ctx: Context): string {
  const name = r.incident
    ? ctx.t("zo.route_incident", { kind: ctx.t(`em.kind.${r.incident.kind}`), unit: r.unit })
    : ctx.t("zo.route_van", { unit: r.unit, n: r.legs });
  if (kind === "watched" || kind === "fence") return name;
  if (r.passes) return `${name} · ${ctx.t("zo.pass")}`;
  const parts = [name];
  if (r.cut > 0) parts.push(ctx.t("zo.no_way", { n: r.cut }));
  if (r.longer_ms >= 30_000) parts.push(ctx.t("zo.detour", { minutes: Math.max(1, Math.round(r.longer_ms / 60000)) }));
  return parts.join(" · ");
}

export function touchDraw(touched: Touched, kind: ZoneKind, ctx: Context): HTMLElement[] {
  const { routes, orders } = touched;
  const stops = kind === "closed" || kind === "controlled";
  const homes = touched.homesMore ? ctx.t("zo.homes_most", { n: touched.homes }) : String(touched.homes);
  const parts: HTMLElement[] = [h(
    "p", { class: `zo-sum${routes.length + orders.length > 0 && stops ? " is-warn" : ""}`, "data-routes": routes.length, "data-orders": orders.length },
    ctx.t("zo.touch_sum", { routes: routes.length, orders: orders.length, homes }),
  )];
  if (routes.length + orders.length === 0) parts.push(h("p", { class: "zo-small" }, ctx.t("zo.touch_none")));
  if (!stops) parts.push(h("p", { class: "zo-small" }, ctx.t("zo.watch_only")));
  if (routes.length > 0) {
    parts.push(h("ul", { class: "zo-touched", tabindex: "0" }, ...routes.map((r) =>
      h("li", { class: r.cut > 0 && stops ? "is-bad" : "", "data-unit": r.unit }, routeText(r, kind, ctx)))));
  }
  if (orders.length > 0) {
    parts.push(h(
      "details", { class: "zo-orders" },
      h("summary", {}, `${ctx.t("zo.orders_in")}: ${orders.length}`),
      kind === "closed" && h("p", { class: "zo-wrong" }, ctx.t("zo.orders_closed")),
      h("ul", { class: "zo-touched", tabindex: "0" }, ...orders.slice(0, ORDERS_SHOWN).map((o) =>
        h("li", {}, ctx.t("zo.order", { home: o.household ?? o.id, due: clockText(o.due?.[1]) })))),
      orders.length > ORDERS_SHOWN && h("p", { class: "zo-small" }, `… ${orders.length - ORDERS_SHOWN}`),
    ));
  }
  return parts;
}

export function kindColor(kind: ZoneKind): string {
  return theme(kind === "closed" ? "--bad" : kind === "controlled" ? "--warn" : "--accent");
}

// The areas, the legs that go through them and the deliveries inside.
export function touchShow(areas: { area: GeoJSON.Polygon; kind: ZoneKind }[], touched: Touched | undefined, ctx: Context): void {
  const lines = (touched?.routes ?? []).map((r): GeoJSON.Feature => ({
    type: "Feature", geometry: { type: "MultiLineString", coordinates: r.line },
    properties: { color: theme("--warn"), width: 5, label: r.unit },
  }));
  const doors = (touched?.orders ?? []).map((o): GeoJSON.Feature => ({
    type: "Feature", geometry: { type: "Point", coordinates: [o.lon ?? 0, o.lat ?? 0] },
    properties: { color: theme("--bad"), radius: 5 },
  }));
  ctx.map.setGeoJson("zone-touched", {
    type: "FeatureCollection",
    features: [
      ...areas.map(({ area, kind }): GeoJSON.Feature => ({
        type: "Feature", geometry: area, properties: { color: kindColor(kind), opacity: 0.3 },
      })),
      ...lines, ...doors,
    ],
  });
}
