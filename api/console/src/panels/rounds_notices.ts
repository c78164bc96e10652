// Rectification notices, what is overdue longest first: how old, on which level, whose; more time for one, one on paper.
import { fill, h, list } from "../dom";
import { addDays, dayOf, daysBetween, dayText } from "../format";
import { language } from "../i18n";
import { showPaper } from "../paper";
import { Problem, type Context } from "../panel";
import { explain, explainShort, ms, Once, pages } from "./common";
import { RANKS, type Notice, type Registry } from "./visits";

const MOST = 5000;

export class Notices {
  readonly element: HTMLElement;
  private rows: Notice[] = [];
  private known = false; // they were read once
  private all = false; // those that are not overdue, too
  private open = ""; // whose time is being extended
  private wanted = "";
  private readonly host = h("ul", { class: "rd-list", "aria-label": "" });
  private readonly none = h("p", { class: "rd-calm", hidden: true });
  private readonly toggle: HTMLButtonElement;

  constructor(private readonly ctx: Context, private readonly registry: Registry, private readonly changed: () => void) {
    this.host.setAttribute("aria-label", ctx.t("rd.notices"));
    this.toggle = h("button", { type: "button", "data-do": "all-notices", "aria-pressed": "false", onclick: () => {
      this.all = !this.all;
      this.draw();
    } });
    this.element = h("div", { class: "rd-part" }, h("div", { class: "rd-buttons" }, this.toggle), this.none, this.host);
  }

  get overdue(): Notice[] {
    return this.rows.filter((notice) => this.isOverdue(notice));
  }

  private isOverdue(notice: Notice): boolean {
    return notice.state === "open" && ms(notice.due) < this.ctx.clock.now();
  }

  async read(): Promise<void> {
    const rows = await pages<Notice>(this.ctx.api, "/v1/rectifications?state=open&limit=1000", "rectifications", MOST);
    this.known = true;
    this.rows = rows.sort((a, b) => ms(a.due) - ms(b.due) || a.number - b.number);
    this.draw();
  }

  show(id: string): void {
    this.wanted = id;
    this.all ||= this.rows.some((notice) => notice.id === id && !this.isOverdue(notice));
    this.draw();
  }

  draw(): void {
    const { ctx } = this;
    const shown = this.all ? this.rows : this.overdue;
    const rest = this.rows.length - this.overdue.length;
    fill(this.toggle, ctx.t(this.all ? "rd.overdue_only" : "rd.notices_all", { n: rest }));
    this.toggle.hidden = rest === 0 && !this.all;
    this.toggle.setAttribute("aria-pressed", String(this.all));
    fill(this.none, ctx.t(this.all ? "rd.notices_none" : "rd.overdue_none"));
    this.none.hidden = !this.known || shown.length > 0;
    const today = dayOf(ctx.clock.now());
    list(this.host, shown, (notice) => notice.id, (notice) => this.rowDraw(notice, today), (notice) =>
      JSON.stringify([notice, today, this.isOverdue(notice), this.open === notice.id]));
    if (this.wanted === "") return;
    const row = this.host.querySelector<HTMLElement>(`[data-notice="${CSS.escape(this.wanted)}"]`);
    if (row) {
      this.wanted = "";
      row.scrollIntoView({ block: "nearest" });
      row.focus();
    }
  }

  private ageText(notice: Notice, today: string): string {
    const late = daysBetween(dayOf(ms(notice.due)), today);
    if (!this.isOverdue(notice)) return this.ctx.t("rd.due_in", { day: dayText(dayOf(ms(notice.due))) });
    return late <= 0 ? this.ctx.t("rd.overdue_today") : this.ctx.t("rd.overdue_days", { n: late });
  }

  private rowDraw(notice: Notice, today: string): HTMLElement {
    const { ctx, registry } = this;
    const late = this.isOverdue(notice);
    const opened = notice.opened_at === undefined ? undefined : dayOf(ms(notice.opened_at));
    const site = registry.sites.get(notice.site);
    return h("li", { class: `rd-notice${late ? " is-late" : ""}`, "data-notice": notice.id, tabindex: "-1" },
      h("p", { class: "rd-notice-head" }, h("b", {}, registry.siteName(notice.site)),
        h("span", { class: late ? "rd-age bad" : "rd-age" }, this.ageText(notice, today))),
      notice.tenant !== undefined && h("p", {}, ctx.t("rd.tenant"), ": ", registry.tenantName(notice.site, notice.tenant)),
      notice.text !== undefined && h("p", {}, notice.text),
      h("p", { class: "rd-small" }, [
        ctx.t("rd.number", { n: notice.number }), ctx.t(`rd.severity.${notice.severity}`), ctx.t(`rd.rank.${notice.level}`),
        opened !== undefined && ctx.t(opened === today ? "rd.opened_today" : "rd.opened", { day: dayText(opened), n: daysBetween(opened, today) }),
        ctx.t("rd.by", { name: registry.inspectorName(notice.inspector) }),
        (notice.extensions ?? 0) > 0 && ctx.t("rd.extended", { n: notice.extensions ?? 0 }),
        notice.revisit_at !== undefined && ctx.t("rd.revisit_at", { day: dayText(dayOf(ms(notice.revisit_at))) }),
      ].filter((part) => part !== false).join(" · ")),
      h("div", { class: "rd-buttons" },
        h("button", { type: "button", "data-do": "extend", "data-may": "dispatcher", "data-focus": `extend-${notice.id}`, "aria-expanded": String(this.open === notice.id),
          onclick: () => {
            this.open = this.open === notice.id ? "" : notice.id;
            this.draw();
          } }, ctx.t("rd.extend")),
        h("button", { type: "button", "data-do": "notice-paper", "data-focus": `paper-${notice.id}`, onclick: () => void this.paper(notice) },
          ctx.t("rd.notice_paper")),
        site?.lon !== undefined && site.lat !== undefined && h("button", { type: "button", "data-focus": `place-${notice.id}`,
          onclick: () => ctx.map.flyTo(site.lon!, site.lat!, 17) }, ctx.t("rd.on_map"))),
      this.open === notice.id && this.extendForm(notice));
  }

  async paper(notice: Notice): Promise<void> {
    try {
      await showPaper(this.ctx.api, `/v1/rectifications/${encodeURIComponent(notice.id)}/notice?lang=${language()}`);
    } catch (error) {
      this.ctx.say(explain(error, this.ctx.t), "bad");
    }
  }

  private extendForm(notice: Notice): HTMLElement {
    const { ctx } = this;
    const once = new Once();
    const today = dayOf(ctx.clock.now());
    const from = daysBetween(today, dayOf(ms(notice.due))) > 0 ? dayOf(ms(notice.due)) : today;
    const due = h("input", { type: "date", min: today, value: addDays(from, 7), required: true, "data-field": "due" });
    const rank = h("select", { "data-field": "rank" },
      RANKS.map((one) => h("option", { value: one, selected: one === notice.level }, ctx.t(`rd.rank.${one}`))));
    const reason = h("textarea", { rows: 2, maxlength: 4096, required: true, "data-field": "reason" });
    const wrong = h("p", { class: "bad", role: "alert" });
    const send = async (): Promise<void> => {
      wrong.textContent = "";
      try {
        const body = { event: "extend", due: due.value, rank: rank.value, reason: reason.value.trim() };
        await ctx.api.post(`/v1/rectifications/${encodeURIComponent(notice.id)}/events`, body, once.headers(body));
        this.open = "";
        ctx.say(ctx.t("rd.extend_done", { day: dayText(due.value) }), "good");
        await this.read();
        this.changed();
      } catch (error) {
        once.failed(error);
        const conflict = error instanceof Problem && error.status === 409;
        wrong.textContent = `${conflict ? `${ctx.t("rd.extend_not")} ` : ""}${explainShort(error, ctx.t)}`;
      }
    };
    return h("form", { class: "rd-form", "data-form": "extend", onsubmit: (event: Event) => {
      event.preventDefault();
      void send();
    } },
    h("div", { class: "rd-pair" }, h("label", {}, ctx.t("rd.extend_to"), due), h("label", {}, ctx.t("rd.extend_rank"), rank)),
    h("label", {}, ctx.t("rd.extend_why"), reason), wrong,
    h("div", { class: "rd-buttons" }, h("button", { type: "submit", class: "main", "data-do": "extend-send" }, ctx.t("rd.extend_send"))));
  }
}
