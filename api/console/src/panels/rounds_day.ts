// One inspector's day: the visits in their order, what each came to, and the way from one to the next on the map.
import { fill, h, list } from "../dom";
import { dayText, length } from "../format";
import type { Context } from "../panel";
import { clockText, explain, onceKey, span, theme } from "./common";
import { resultForm } from "./rounds_visit";
import { isAhead, SIGNS, toneColor, toneOf, type Registry, type Visit } from "./visits";

export class Day {
  readonly element = h("div", { class: "rd-part" });
  private readonly head = h("div", { class: "rd-day-head" });
  private readonly sum = h("p", { class: "rd-small", role: "status" });
  private readonly host = h("ol", { class: "rd-list" });
  private visits: Visit[] = [];
  private open = ""; // whose result is being written
  private way = "";
  private points = ""; // as they were given to the map: each time costs it a whole picture
  private asked = 0;
  private inspector = "";
  private date = "";

  constructor(
    private readonly ctx: Context,
    private readonly registry: Registry,
    private readonly go: (inspector: string, date: string, days: number) => void,
    private readonly back: () => void,
    private readonly changed: () => void,
    private readonly notice: (id: string) => void,
  ) {
    this.element.append(this.head, this.sum, this.host);
  }

  show(inspector: string, date: string, visits: Visit[]): void {
    if (inspector !== this.inspector || date !== this.date) {
      this.open = "";
      this.way = "";
      this.sum.textContent = "";
    }
    this.inspector = inspector;
    this.date = date;
    this.visits = visits;
    this.headDraw();
    this.draw();
    void this.registry.homes(visits.map(({ site }) => site)).then(() => {
      if (this.inspector !== inspector || this.date !== date) return;
      this.draw();
      this.pointsDraw();
      return this.wayRead();
    });
  }

  clear(): void {
    this.asked++;
    this.inspector = "";
    this.way = "";
    this.points = "";
    this.ctx.map.remove("round-sites");
    this.ctx.map.drawLine("round-way", undefined);
  }

  tick(): void {
    this.draw();
  }

  private headDraw(): void {
    const { ctx, inspector, date } = this;
    const step = (days: number, sign: string, key: string): HTMLElement =>
      h("button", { type: "button", "aria-label": ctx.t(key), "data-focus": key, onclick: () => this.go(inspector, date, days) }, sign);
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.["focus"];
    fill(this.head,
      h("div", { class: "rd-buttons" },
        h("button", { type: "button", "data-do": "week-back", onclick: () => this.back() }, `‹ ${ctx.t("rd.week_back")}`),
        step(-1, "‹", "rd.day_before"), step(1, "›", "rd.day_after")),
      h("h2", { tabindex: "-1", "data-focus": "day-title" }, `${this.registry.inspectorName(inspector)} · ${dayText(date)}`));
    if (focused) this.head.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  private draw(): void {
    const { ctx } = this;
    const now = ctx.clock.now();
    if (this.visits.length === 0) {
      list(this.host, [], () => "", () => h("li", {}));
      this.sum.textContent = ctx.t("rd.day_none");
      return;
    }
    list(this.host, this.visits, (visit) => visit.id, (visit) => this.rowDraw(visit, this.visits.indexOf(visit) + 1), (visit) =>
      JSON.stringify([visit, toneOf(visit, now), this.open === visit.id, this.visits.indexOf(visit), this.registry.siteName(visit.site)]));
  }

  private rowDraw(visit: Visit, n: number): HTMLElement {
    const { ctx, registry } = this;
    const tone = toneOf(visit, ctx.clock.now());
    const site = registry.sites.get(visit.site);
    const state = tone === "late" ? "rd.state.late" : `rd.state.${visit.state}`;
    const more = [
      visit.purpose !== undefined && visit.purpose !== "round" && ctx.t(`rd.purpose.${visit.purpose}`),
      visit.second !== undefined && ctx.t("rd.second", { name: registry.inspectorName(visit.second === this.inspector ? visit.inspector : visit.second) }),
      visit.at !== undefined && ctx.t(visit.until === undefined ? "rd.was_at" : "rd.was_there", { at: clockText(visit.at), until: clockText(visit.until) }),
      (visit.hazards ?? 0) > 0 && ctx.t("rd.hazards", { n: visit.hazards ?? 0 }),
      ...(visit.flags ?? []).map((flag) => ctx.t(`rd.flag.${flag}`)),
    ].filter((part) => part !== false);
    return h("li", { class: `rd-visit is-${tone}`, "data-visit": visit.id, "data-state": visit.state },
      h("button", { type: "button", class: "rd-visit-row", "data-focus": `visit-${visit.id}`, onclick: () => {
        if (site?.lon !== undefined && site.lat !== undefined) ctx.map.flyTo(site.lon, site.lat, 16);
      } },
      h("span", { class: "rd-n", "aria-hidden": "true" }, n),
      h("b", {}, registry.siteName(visit.site)),
      h("span", { class: "rd-time" }, `${clockText(visit.start)}–${clockText(visit.end)}`),
      h("span", { class: `rd-state is-${tone}` }, `${SIGNS[tone]} ${ctx.t(state)}`),
      more.length > 0 && h("span", { class: "rd-small rd-more" }, more.join(" · "))),
      isAhead(visit) && this.open !== visit.id && h("div", { class: "rd-buttons", "data-may": "dispatcher" },
        h("button", { type: "button", class: "main", "data-do": "result", "data-focus": `result-${visit.id}`, onclick: () => this.toggle(visit.id) },
          ctx.t("rd.result")),
        visit.state === "planned" && h("button", { type: "button", "data-do": "promise", "data-focus": `promise-${visit.id}`, onclick: () => void this.step(visit, "promise") },
          ctx.t("rd.promise")),
        h("button", { type: "button", "data-do": "cancel-visit", "data-focus": `cancel-${visit.id}`, onclick: (event: Event) => this.cancel(visit, event) }, ctx.t("rd.cancel_visit"))),
      this.open === visit.id && resultForm(visit, registry, ctx, (after) => this.resultDone(visit, after)));
  }

  private toggle(id: string): void {
    this.open = id;
    this.draw();
    this.host.querySelector<HTMLElement>("[data-form=result] input")?.focus();
  }

  private resultDone(visit: Visit, after: Visit | undefined): void {
    this.open = "";
    if (after) {
      const notices = after.rectifications ?? [];
      this.ctx.say(notices.length === 0
        ? this.ctx.t("rd.result_done", { site: this.registry.siteName(visit.site) })
        : this.ctx.t("rd.result_notices", { numbers: notices.map(({ number }) => number).join(", ") }), "good");
      this.changed();
      const first = notices[0];
      if (first) this.notice(first.id);
    }
    this.draw();
    this.host.querySelector<HTMLElement>(`[data-focus="visit-${CSS.escape(visit.id)}"]`)?.focus();
  }

  // Asks once more by the button itself.
  private cancel(visit: Visit, event: Event): void {
    const button = event.currentTarget as HTMLButtonElement;
    if (button.dataset["sure"] === "yes") {
      void this.step(visit, "cancel");
      return;
    }
    button.dataset["sure"] = "yes";
    button.classList.add("is-sure");
    button.textContent = this.ctx.t("rd.cancel_sure");
  }

  private async step(visit: Visit, event: "promise" | "cancel"): Promise<void> {
    try {
      await this.ctx.api.post(`/v1/visits/${encodeURIComponent(visit.id)}/events`, { event }, { "Idempotency-Key": onceKey() });
      this.ctx.say(this.ctx.t(event === "promise" ? "rd.promised" : "rd.cancelled"), "good");
      this.changed();
    } catch (error) {
      this.ctx.say(explain(error, this.ctx.t), "bad");
    }
  }

  // ---- on the map ----

  private places(): { visit: Visit; at: [number, number] }[] {
    return this.visits.flatMap((visit) => {
      const site = this.registry.sites.get(visit.site);
      return site?.lon === undefined || site.lat === undefined ? [] : [{ visit, at: [site.lon, site.lat] as [number, number] }];
    });
  }

  private pointsDraw(): void {
    const now = this.ctx.clock.now();
    const home = this.registry.homeOf(this.inspector);
    const drawn: GeoJSON.FeatureCollection = {
      type: "FeatureCollection",
      features: [
        ...(home ? [{ type: "Feature", geometry: { type: "Point", coordinates: home },
          properties: { color: theme("--ink-2"), radius: 7, label: this.ctx.t("rd.home") } } as GeoJSON.Feature] : []),
        ...this.places().map(({ visit, at }): GeoJSON.Feature => ({
          type: "Feature", geometry: { type: "Point", coordinates: at },
          properties: { color: toneColor(toneOf(visit, now)), radius: 10,
            label: `${this.visits.indexOf(visit) + 1} ${this.registry.siteName(visit.site)}` },
        })),
      ],
    };
    const points = JSON.stringify(drawn);
    if (points !== this.points) this.ctx.map.setGeoJson("round-sites", drawn);
    this.points = points;
  }

  // From home to each site in turn and back, by the streets as they are now.
  private async wayRead(): Promise<void> {
    const { ctx, registry, inspector } = this;
    const home = registry.homeOf(inspector);
    const stops = this.places().map(({ at }) => at);
    const places = home ? [home, ...stops, home] : stops;
    const profile = registry.inspectors.get(inspector)?.profile ?? "car";
    const key = `${inspector} ${this.date} ${JSON.stringify(places)}`;
    if (key === this.way) return;
    this.way = key;
    const asked = ++this.asked;
    if (places.length < 2) {
      if (stops.length > 0) ctx.map.fit({ type: "MultiPoint", coordinates: places });
      ctx.map.drawLine("round-way", undefined);
      this.sum.textContent = ctx.t("rd.day_sum", { n: this.visits.length });
      return;
    }
    try {
      const answer = await ctx.api.get<{ routes: { geometry: GeoJSON.LineString; duration: number; distance: number }[] }>(
        `/route/v1/${profile}/${places.map((at) => at.join(",")).join(";")}?overview=full&geometries=geojson`);
      const route = answer.routes[0];
      if (asked !== this.asked || !route) return;
      ctx.map.fit(route.geometry);
      ctx.map.drawLine("round-way", route.geometry, { color: theme("--accent"), width: 5 });
      ctx.map.remove("round-sites"); // what is drawn later lies above
      this.points = "";
      this.pointsDraw();
      this.sum.textContent = `${ctx.t("rd.day_sum", { n: this.visits.length })} · ${ctx.t("rd.way", {
        length: length(route.distance), span: span(route.duration * 1000), profile: ctx.t(`rd.profile.${profile}`) })}`;
    } catch (error) {
      if (asked !== this.asked) return;
      ctx.map.fit({ type: "MultiPoint", coordinates: places });
      ctx.map.drawLine("round-way", undefined);
      this.sum.textContent = `${ctx.t("rd.day_sum", { n: this.visits.length })} · ${explain(error, ctx.t)}`;
    }
  }
}
