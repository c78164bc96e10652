// Rounds: which there are, one more, one anew since somebody is away; what the plan could not hold and what would mend it.
import { fill, h } from "../dom";
import { addDays, dayOf, dayText, mondayOf } from "../format";
import { language } from "../i18n";
import { showPaper } from "../paper";
import { Problem, type Context } from "../panel";
import { explain, ms, Once } from "./common";
import type { Mishap, Registry, Round } from "./visits";

const SHOWN = 20;
const MISHAPS_SHOWN = 40;
const COLLECTIONS = ["factories", "facilities", "households"];

export class Plans {
  readonly element = h("div", { class: "rd-part" });
  private rounds: Round[] = [];
  private readonly listHost = h("ul", { class: "rd-list" });
  private readonly asking = h("div", {}); // a form
  private readonly told = h("div", { class: "rd-told", role: "status" }); // what a plan came to

  constructor(
    private readonly ctx: Context,
    private readonly registry: Registry,
    private readonly changed: () => void,
    private readonly week: (monday: string) => void,
  ) {
    this.listHost.setAttribute("aria-label", ctx.t("rd.rounds"));
    this.element.append(
      h("div", { class: "rd-buttons" }, h("button", { type: "button", class: "main", "data-do": "new-round", "data-may": "dispatcher", onclick: () => this.newForm() }, ctx.t("rd.new"))),
      this.asking, this.told, this.listHost);
  }

  async read(): Promise<void> {
    const answer = await this.ctx.api.get<{ rounds: Round[] }>(`/v1/rounds?limit=${SHOWN}`);
    this.rounds = answer.rounds;
    this.draw();
  }

  private spanText(round: Round): string {
    return `${dayText(dayOf(ms(round.from)), { month: "short", day: "numeric" })} – ${dayText(dayOf(ms(round.to) - 1), { month: "short", day: "numeric" })}`;
  }

  private draw(): void {
    const { ctx } = this;
    if (this.rounds.length === 0) {
      fill(this.listHost, h("li", { class: "rd-calm" }, ctx.t("rd.rounds_none")));
      return;
    }
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.["focus"];
    const now = ctx.clock.now();
    fill(this.listHost, this.rounds.map((round) => h("li", { class: "rd-round", "data-round": round.id },
      h("p", { class: "rd-notice-head" }, h("b", {}, `${ctx.t(`rd.sites.${round.collection}`)} · ${this.spanText(round)}`),
        h("span", { class: "rd-small" }, this.stateText(round, now))),
      h("p", { class: "rd-small" }, round.id),
      h("div", { class: "rd-buttons" },
        h("button", { type: "button", "data-do": "round-week", "data-focus": `week-${round.id}`,
          onclick: () => this.week(mondayOf(dayOf(Math.min(Math.max(now, ms(round.from)), ms(round.to) - 1)))) }, ctx.t("rd.round_week")),
        h("button", { type: "button", "data-do": "report", "data-focus": `report-${round.id}`, onclick: () => void this.report(round) }, ctx.t("rd.report")),
        h("button", { type: "button", "data-do": "gaps", "data-focus": `gaps-${round.id}`, onclick: () => void this.gaps(round) }, ctx.t("rd.gaps")),
        !round.withdrawn_at && ms(round.to) > now && h("button", { type: "button", "data-do": "replan", "data-may": "dispatcher", "data-focus": `replan-${round.id}`,
          onclick: () => this.replanForm(round) }, ctx.t("rd.replan"))))));
    if (focused) this.listHost.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  private stateText(round: Round, now: number): string {
    if (round.withdrawn_at) return this.ctx.t("rd.withdrawn");
    return this.ctx.t(ms(round.to) <= now ? "rd.round_over" : ms(round.from) > now ? "rd.round_ahead" : "rd.round_runs");
  }

  private async report(round: Round): Promise<void> {
    try {
      await showPaper(this.ctx.api, `/v1/rounds/${encodeURIComponent(round.id)}/report?format=html&lang=${language()}`);
    } catch (error) {
      this.ctx.say(explain(error, this.ctx.t), "bad");
    }
  }

  private async gaps(round: Round): Promise<void> {
    try {
      this.tell(await this.ctx.api.get<Round>(`/v1/rounds/${encodeURIComponent(round.id)}`), "rd.gaps_of");
    } catch (error) {
      this.ctx.say(explain(error, this.ctx.t), "bad");
    }
  }

  // ---- what a plan came to ----

  private mishapDraw(one: Mishap): HTMLElement {
    const { ctx, registry } = this;
    const what = one.reason !== undefined ? ctx.t(`rd.reason.${one.reason}`) : ctx.t(`rd.wish.${one.wish ?? "gap"}`);
    const hint = (language() === "zh" ? one.hint_zh : one.hint) ?? one.hint ?? "";
    return h("li", {},
      h("b", {}, one.site === undefined ? (one.visit ?? "") : registry.siteName(one.site)), ": ", what,
      one.day !== undefined && ` · ${/^\d{4}-\d\d-\d\d$/.test(one.day) ? dayText(one.day) : one.day}`,
      (one.visits ?? 1) > 1 && ` · ${ctx.t("rd.visits_n", { n: one.visits ?? 0 })}`,
      hint !== "" && h("p", { class: "rd-mend" }, ctx.t("rd.mend", { what: hint })));
  }

  private mishaps(key: string, rows: Mishap[]): HTMLElement | false {
    if (rows.length === 0) return false;
    return h("section", { class: "rd-mishaps" }, h("h3", {}, this.ctx.t(key, { n: rows.length })),
      h("ul", { class: "rd-mishap-list" }, rows.slice(0, MISHAPS_SHOWN).map((row) => this.mishapDraw(row))),
      rows.length > MISHAPS_SHOWN && h("p", { class: "rd-small" }, this.ctx.t("rd.more_n", { n: rows.length - MISHAPS_SHOWN })));
  }

  private tell(round: Round, title: string): void {
    const { ctx } = this;
    const sum = round.summary ?? {};
    const unplanned = round.unplanned ?? [];
    const broken = round.broken ?? [];
    const again = title === "rd.replanned";
    const people = new Set((round.visits ?? []).map(({ inspector }) => inspector)).size;
    fill(this.told, h("div", { class: "rd-result", "data-result": round.id },
      h("p", { class: "rd-notice-head" }, h("b", {}, ctx.t(title, { span: this.spanText(round) })),
        h("button", { type: "button", "aria-label": ctx.t("close"), onclick: () => fill(this.told) }, "✕")),
      h("p", {}, again
        ? ctx.t("rd.sum_again", { moved: sum.moved ?? 0, kept: sum.kept ?? 0 })
        : ctx.t("rd.sum", { visits: sum.visits ?? 0, sites: sum.sites ?? 0, inspectors: people })),
      unplanned.length + broken.length === 0 && h("p", { class: "rd-good" }, ctx.t("rd.all_held")),
      this.mishaps("rd.unplanned", unplanned), this.mishaps("rd.broken", broken)));
    this.told.scrollIntoView({ block: "nearest" });
  }

  // ---- forms ----

  private form(name: string, title: string, fields: HTMLElement[], go: string, send: (once: Once) => Promise<void>): void {
    const { ctx } = this;
    const once = new Once();
    const wrong = h("p", { class: "bad", role: "alert" });
    const busy = h("p", { class: "rd-small", role: "status" });
    const button = h("button", { type: "submit", class: "main", "data-do": `${name}-send` }, ctx.t(go));
    const shut = (): void => fill(this.asking);
    fill(this.asking, h("form", { class: "rd-form", "data-form": name, onsubmit: async (event: Event) => {
      event.preventDefault();
      wrong.textContent = "";
      busy.textContent = ctx.t("rd.planning");
      button.disabled = true;
      try {
        await send(once);
        shut();
      } catch (error) {
        once.failed(error);
        const other = error instanceof Problem && error.status === 412;
        wrong.textContent = other ? ctx.t("rd.replan_412") : explain(error, ctx.t);
        if (other) void this.read();
      }
      busy.textContent = "";
      button.disabled = false;
    } },
    h("h3", {}, title), fields, busy, wrong,
    h("div", { class: "rd-buttons" }, button, h("button", { type: "button", onclick: shut }, ctx.t("common.cancel")))));
    this.asking.querySelector<HTMLElement>("input, select")?.focus();
  }

  private newForm(): void {
    const { ctx } = this;
    const next = addDays(mondayOf(dayOf(ctx.clock.now())), 7);
    const collection = h("select", {}, COLLECTIONS.map((one) => h("option", { value: one }, ctx.t(`rd.sites.${one}`))));
    const from = h("input", { type: "date", value: next, required: true, "data-field": "from" });
    const weeks = h("input", { type: "number", min: 1, max: 8, value: "1", required: true });
    const often = h("input", { type: "number", min: 0, max: 50, step: "any", placeholder: ctx.t("rd.often_site") });
    this.form("new-round", ctx.t("rd.new"), [
      h("label", {}, ctx.t("rd.collection"), collection),
      h("div", { class: "rd-pair" }, h("label", {}, ctx.t("rd.from"), from), h("label", {}, ctx.t("rd.weeks"), weeks)),
      h("label", {}, ctx.t("rd.often"), often),
    ], "rd.new_send", async (once) => {
      const body = { from: from.value, weeks: Number(weeks.value), collection: collection.value,
        ...(often.value ? { visits_per_week: Number(often.value) } : {}) };
      const round = await ctx.api.post<Round>("/v1/rounds", body, once.headers(body));
      this.tell(round, "rd.made");
      await this.read();
      this.changed();
    });
  }

  private replanForm(round: Round): void {
    const { ctx, registry } = this;
    const today = dayOf(ctx.clock.now());
    const people = [...registry.inspectors.values()].sort((a, b) => a.id.localeCompare(b.id));
    const who = h("select", { required: true, "data-field": "who" }, h("option", { value: "" }, ctx.t("rd.away_nobody")),
      people.map((one) => h("option", { value: one.id }, one.name === one.id ? one.id : `${one.name} (${one.id})`)));
    const first = dayOf(Math.max(ms(round.from), ctx.clock.now()));
    const from = h("input", { type: "date", value: first, min: today, required: true, "data-field": "from" });
    const to = h("input", { type: "date", value: addDays(mondayOf(first), 6), min: today, required: true, "data-field": "to" });
    this.form("replan", ctx.t("rd.replan_of", { span: this.spanText(round) }), [
      h("label", {}, ctx.t("rd.away"), who),
      h("div", { class: "rd-pair" }, h("label", {}, ctx.t("rd.away_from"), from), h("label", {}, ctx.t("rd.away_to"), to)),
      h("p", { class: "rd-small" }, ctx.t("rd.replan_why")),
    ], "rd.replan_send", async (once) => {
      const body = { inspectors: [{ id: who.value, leave: [{ from: from.value, to: to.value }] }] };
      const headers = once.headers(body);
      if (round.version !== undefined) headers["If-Match"] = `"${round.version}"`;
      const after = await ctx.api.post<Round>(`/v1/rounds/${encodeURIComponent(round.id)}/replan`, body, headers);
      this.tell(after, "rd.replanned");
      await this.read();
      this.changed();
    });
  }
}
