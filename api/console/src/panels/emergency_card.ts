// The card of one incident: who lives there, who is coming, what can be done next, who could come instead.
import { h } from "../dom";
import type { Context } from "../panel";
import { clockText, explain, ms, span, type Incident, type Seat, type SeatState } from "./common";
import { isOpen } from "./incidents";

export interface Act {
  name: string;
  bodies: Record<string, unknown>[]; // one after the other
}

const AFTER: Record<SeatState, { name: string; event: string } | undefined> = {
  assigned: { name: "ack", event: "ack" },
  acknowledged: { name: "enroute", event: "enroute" },
  enroute: { name: "arrive", event: "arrive" },
  onscene: undefined,
};
const RANK: SeatState[] = ["assigned", "acknowledged", "enroute", "onscene"];
const STEPS = ["received", "handled", "followed_up", "coordinated", "evaluated"] as const;

// The one thing that comes next; "send" has no body: somebody must be chosen.
export function nextStep(i: Incident): Act | undefined {
  if (i.state === "received" && i.confirm_by !== undefined && i.confirmed !== true) {
    return { name: "confirm", bodies: [{ event: "confirm" }] };
  }
  if (i.state === "queued") return { name: "send", bodies: [] };
  if (!isOpen(i)) return undefined;
  const slowest = [...i.assigned].sort((a, b) => RANK.indexOf(a.state) - RANK.indexOf(b.state))[0];
  const after = slowest && AFTER[slowest.state];
  if (slowest && after && i.state !== "onscene") {
    return { name: after.name, bodies: [{ event: after.event, unit: slowest.unit }] };
  }
  return i.state === "onscene" ? { name: "resolve", bodies: [{ event: "resolve", outcome: "helped" }] } : undefined;
}

export interface Candidate {
  unit: string;
  duration_s: number;
  distance_m: number;
  stale?: boolean;
}

// Those who could be there first and are not on it already.
export async function candidates(i: Incident, ctx: Context, anyStatus: boolean): Promise<Candidate[]> {
  if (i.lon === undefined || i.lat === undefined) return [];
  const who = anyStatus ? "status=idle,busy,off&shift=any" : "status=idle";
  const skills = i.skills && i.skills.length > 0 ? `&skills=${i.skills.map(encodeURIComponent).join(",")}` : "";
  const answer = await ctx.api.get<{ closest: Candidate[] }>(
    `/v1/closest?lon=${i.lon}&lat=${i.lat}&kind=responder&k=8&${who}${skills}`,
  );
  const on = new Set(i.assigned.map((seat) => seat.unit));
  return answer.closest.filter((c) => !on.has(c.unit)).slice(0, 5);
}

interface Home {
  address?: string;
  name?: string;
  phone?: string;
  residents?: number;
  frail?: boolean;
  floor?: number;
  lift?: boolean;
  gate?: string | { name?: string };
  contacts?: unknown[];
}

function contactText(contact: unknown): string {
  if (typeof contact === "string") return contact;
  if (typeof contact !== "object" || contact === null) return "";
  return Object.values(contact).filter((v) => typeof v === "string").join(" ");
}

export class Card {
  readonly id: string;
  readonly element: HTMLElement;
  private i: Incident;
  private readonly ctx: Context;
  private readonly act: (act: Act) => Promise<void>;
  private readonly home: HTMLElement;
  private readonly seats: HTMLElement;
  private readonly steps: HTMLElement;
  private readonly others: HTMLElement;
  private drawn = "";
  private anyStatus = false;

  constructor(i: Incident, ctx: Context, act: (act: Act) => Promise<void>, close: () => void) {
    this.id = i.id;
    this.i = i;
    this.ctx = ctx;
    this.act = act;
    this.home = h("div", { class: "em-home" });
    this.seats = h("div", { class: "em-seats" });
    this.steps = h("div", { class: "em-steps" });
    this.others = h("div", { class: "em-others", "data-may": "dispatcher" });
    this.element = h(
      "div", { class: "em-card", "data-card": i.id },
      this.home, this.seats, this.steps, this.others,
      h("button", { type: "button", class: "em-plain em-close", onclick: close }, ctx.t("common.close")),
    );
    void this.homeRead();
    this.update(i);
    if (i.state === "queued") this.choose();
  }

  update(i: Incident | undefined): void {
    if (!i) return;
    this.i = i;
    const drawn = JSON.stringify([
      i.state, i.kind, i.confirmed, i.step, i.step_by, i.level, i.assigned.map((s) => [s.unit, s.state, s.eta, s.ack_by, s.arrived_at]),
    ]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      this.seatsDraw();
      this.stepsDraw();
    }
  }

  tick(): void {
    for (const element of this.element.querySelectorAll<HTMLElement>("[data-until]")) {
      const left = ms(element.dataset["until"]) - this.ctx.clock.now();
      element.textContent = this.ctx.t(left >= 0 ? "em.left" : "em.over", { span: span(left) });
      element.classList.toggle("is-bad", left < 0);
    }
  }

  // Who could go: read, shown, the first one focused, so that Enter sends it.
  choose(): void {
    void this.othersRead(true);
  }

  private button(name: string, bodies: Record<string, unknown>[], kind = ""): HTMLElement {
    return h(
      "button",
      { type: "button", class: kind, "data-do": name, "data-focus": `do-${name}-${this.id}`,
        onclick: () => void this.act({ name, bodies }) },
      this.ctx.t(`em.do.${name}`),
    );
  }

  // ---- who lives there ----

  private async homeRead(): Promise<void> {
    const { ctx, i } = this;
    if (i.household === undefined) return;
    try {
      const path = `/collections/households/items/${encodeURIComponent(i.household)}`;
      const feature = await ctx.api.get<{ properties: Home }>(path);
      this.homeDraw(feature.properties);
    } catch (error) {
      this.home.replaceChildren(h("p", { class: "em-small" }, explain(error, ctx.t)));
    }
  }

  private homeDraw(p: Home): void {
    const { ctx } = this;
    const gate = typeof p.gate === "string" ? p.gate : p.gate?.name;
    const way = [
      p.floor !== undefined && ctx.t("em.floor", { n: p.floor, lift: ctx.t(p.lift ? "em.lift" : "em.stairs") }),
      gate !== undefined && ctx.t("em.gate", { gate }),
    ].filter((text) => text !== false).join(" · ");
    const contacts = (p.contacts ?? []).map(contactText).filter((text) => text !== "");
    this.home.replaceChildren(
      h("p", { class: "em-address" }, p.address ?? this.i.household, p.frail && h("b", { class: "em-frail" }, ctx.t("em.frail"))),
      h("p", {}, p.name, p.name && p.phone ? " · " : "", p.phone && h("a", { href: `tel:${p.phone}` }, p.phone)),
      ...(way === "" ? [] : [h("p", { class: "em-small" }, way)]),
      ...(contacts.length === 0 ? [] : [h("p", { class: "em-small" }, `${ctx.t("em.contacts")} `, contacts.join("; "))]),
      ...(p.address === undefined && p.name === undefined ? [h("p", { class: "em-small" }, ctx.t("em.withheld"))] : []),
    );
  }

  // ---- who is coming, what is next ----

  private seatDraw(seat: Seat): HTMLElement {
    const { ctx } = this;
    const after = AFTER[seat.state];
    const early = ["assigned", "acknowledged"].includes(seat.state);
    const arrive = RANK.slice(RANK.indexOf(seat.state), 3).map((s) => ({ event: AFTER[s]?.event, unit: seat.unit }));
    return h(
      "div", { class: "em-seat" },
      h("p", {}, h("b", {}, seat.unit), " · ", ctx.t(`em.state.${seat.state}`), " · ",
        seat.arrived_at === undefined
          ? ctx.t("em.seat_eta", { at: clockText(seat.eta) })
          : ctx.t("em.seat_there", { at: clockText(seat.arrived_at) }),
        seat.ack_by !== undefined && h("span", { class: "em-ack" }, " · ", ctx.t("em.seat_ack"),
          h("span", { class: "em-until", "data-until": seat.ack_by }))),
      h(
        "div", { class: "em-buttons", "data-may": "dispatcher" },
        after && this.i.assigned.length > 1 && this.button(after.name, [{ event: after.event, unit: seat.unit }]),
        early && this.button("arrive", arrive),
        seat.state !== "onscene" && this.button("decline", [{ event: "decline", unit: seat.unit }], "em-plain"),
      ),
    );
  }

  private seatsDraw(): void {
    const { i } = this;
    const open = isOpen(i);
    const waiting = open && i.state !== "onscene";
    const out = (outcome: string): HTMLElement => this.button(outcome, [{ event: "resolve", outcome }], "em-plain");
    this.seats.replaceChildren(
      ...i.assigned.map((seat) => this.seatDraw(seat)),
      ...(open
        ? [h(
            "div", { class: "em-buttons", "data-may": "dispatcher" },
            i.state === "onscene" && this.button("resolve", [{ event: "resolve", outcome: "helped" }]),
            waiting && i.state !== "received" && h(
              "button",
              { type: "button", "data-do": "reassign", onclick: () => this.choose() }, this.ctx.t("em.reassign"),
            ),
            out("false_alarm"), out("transferred_120"), out("transferred_119"),
            this.button("cancel", [{ event: "cancel" }], "em-plain"),
          )]
        : []),
    );
    if (!waiting) this.others.replaceChildren();
  }

  // ---- the five clocks: which step runs, until when, and how far up it has risen ----

  private stepsDraw(): void {
    const { i, ctx } = this;
    if (i.step === undefined) {
      this.steps.replaceChildren();
      return;
    }
    const at = STEPS.indexOf(i.step);
    const rated = i.kind === "request" && i.state === "resolved";
    this.steps.replaceChildren(
      h("p", { class: "em-small" }, ctx.t("em.steps"), i.level ? ` · ${ctx.t(`em.level.${i.level}`)}` : ""),
      h("ol", {}, ...STEPS.map((step, n) =>
        h("li", { class: n < at ? "is-done" : n === at ? "is-now" : "", "aria-current": n === at && "step" },
          ctx.t(`em.step.${step}`),
          n === at && i.step_by !== undefined && h("span", { class: "em-until", "data-until": i.step_by })))),
      h(
        "div", { class: "em-buttons", "data-may": "dispatcher" },
        i.step === "followed_up" && i.state === "onscene" && this.button("follow_up", [{ event: "follow_up" }], "em-plain"),
        i.step === "coordinated" && i.state === "onscene" && this.button("coordinate", [{ event: "coordinate" }], "em-plain"),
        rated && [1, 2, 3, 4, 5].map((n) =>
          h("button", { type: "button", "data-rate": n, "aria-label": ctx.t("em.rate", { n }),
            onclick: () => void this.act({ name: "evaluate", bodies: [{ event: "evaluate", rating: n }] }) }, String(n))),
      ),
    );
  }

  // ---- who could come instead ----

  private async othersRead(focus: boolean): Promise<void> {
    const { ctx, i, others } = this;
    others.replaceChildren(h("p", { class: "em-small" }, ctx.t("common.loading")));
    try {
      const rows = await candidates(i, ctx, this.anyStatus);
      const change = i.assigned.length > 0;
      others.replaceChildren(
        h("p", { class: "em-small" }, ctx.t("em.candidates")),
        ...rows.map((c) => this.candidateDraw(c)),
        ...(rows.length === 0 ? [h("p", {}, ctx.t("em.no_candidates"))] : []),
        h(
          "div", { class: "em-buttons" },
          change && rows.length > 0 && h(
            "button",
            { type: "button", "data-do": "reassign-best",
              onclick: () => void this.act({ name: "reassign", bodies: [{ event: "reassign" }] }) },
            ctx.t("em.reassign_best"),
          ),
          !this.anyStatus && h("button", { type: "button", class: "em-plain", onclick: () => {
            this.anyStatus = true;
            this.choose();
          } }, ctx.t("em.busy_too")),
        ),
      );
      if (focus) others.querySelector<HTMLElement>("button")?.focus();
    } catch (error) {
      others.replaceChildren(h("p", { role: "alert" }, explain(error, ctx.t)));
    }
  }

  private candidateDraw(c: Candidate): HTMLElement {
    const { ctx } = this;
    const text = ctx.t("em.candidate", { span: span(c.duration_s * 1000), km: (c.distance_m / 1000).toFixed(1) });
    return h(
      "button",
      { type: "button", class: "em-candidate", "data-unit": c.unit,
        onclick: () => void this.act({ name: "reassign", bodies: [{ event: "reassign", unit: c.unit }] }) },
      h("b", {}, ctx.t("em.send_this", { unit: c.unit })),
      h("span", {}, text, c.stale ? ` · ${ctx.t("em.stale")}` : ""),
    );
  }
}
