// What a visit came to, written down by whoever was told: when, what, why, and the hazards that were found.
import { h } from "../dom";
import { moment, timeOf } from "../format";
import type { Context } from "../panel";
import { explainShort, ms, Once } from "./common";
import { OUTCOMES, visitDay, type Outcome, type Registry, type Visit } from "./visits";

const HAZARDS: Outcome[] = ["rectify", "upgrade", "shut"];
const HAZARDS_MOST = 16;

interface HazardRow {
  element: HTMLElement;
  read(): Record<string, unknown> | undefined; // undefined: nothing was written
}

function hazardDraw(visit: Visit, registry: Registry, ctx: Context): HazardRow {
  const t = ctx.t;
  const text = h("textarea", { rows: 2, maxlength: 2000, "data-field": "hazard" });
  const severity = h("select", {}, [1, 2, 3, 4].map((n) => h("option", { value: n, selected: n === 2 }, t(`rd.severity.${n}`))));
  const due = h("input", { type: "date" });
  const tenants = registry.sites.get(visit.site)?.tenants ?? [];
  const tenant = h("select", {}, h("option", { value: "" }, t("rd.tenant_none")),
    tenants.map((one) => h("option", { value: one.id }, one.name ?? one.id)));
  const element = h("div", { class: "rd-hazard" },
    h("label", {}, t("rd.hazard_text"), text),
    h("div", { class: "rd-pair" }, h("label", {}, t("rd.severity"), severity), h("label", {}, t("rd.hazard_due"), due)),
    tenants.length > 0 && h("label", {}, t("rd.tenant"), tenant));
  return {
    element,
    read: () => text.value.trim() === "" ? undefined : {
      text: text.value.trim(), severity: Number(severity.value),
      ...(due.value ? { due: due.value } : {}), ...(tenant.value ? { tenant: tenant.value } : {}),
    },
  };
}

// The form; `done` is called with the visit as it is then, undefined when it is given up.
export function resultForm(visit: Visit, registry: Registry, ctx: Context, done: (after: Visit | undefined) => void): HTMLElement {
  const t = ctx.t;
  const day = visitDay(visit);
  const now = ctx.clock.now();
  const once = new Once();
  let outcome: Outcome = "done";
  const begun = h("input", { type: "time", value: timeOf(Math.min(now, ms(visit.start))), required: true, "data-field": "at" });
  const ended = h("input", { type: "time", value: ms(visit.end) <= now ? timeOf(ms(visit.end)) : "", "data-field": "until" });
  const reason = h("textarea", { rows: 2, maxlength: 4096, "data-field": "reason" });
  const hazards: HazardRow[] = [];
  const hazardHost = h("div", { class: "rd-hazards", hidden: true });
  const more = h("button", { type: "button", hidden: true, onclick: () => add() }, t("rd.hazard_more"));
  const wrong = h("p", { class: "bad", role: "alert" });
  const add = (): void => {
    const row = hazardDraw(visit, registry, ctx);
    hazards.push(row);
    hazardHost.append(row.element);
    more.disabled = hazards.length >= HAZARDS_MOST;
  };
  const choose = (next: Outcome): void => {
    outcome = next;
    const found = HAZARDS.includes(next);
    hazardHost.hidden = more.hidden = !found;
    if (found && hazards.length === 0) add();
  };
  const choices = OUTCOMES.map((one) => h("label", { class: `rd-choice is-${one}` },
    h("input", { type: "radio", name: "outcome", value: one, checked: one === outcome, onchange: () => choose(one) }),
    h("span", {}, h("b", {}, t(`rd.outcome.${one}`)), h("small", {}, t(`rd.outcome_what.${one}`)))));
  const send = async (): Promise<void> => {
    const found = HAZARDS.includes(outcome) ? hazards.map((row) => row.read()).filter((row) => row !== undefined) : [];
    wrong.textContent = "";
    if (reason.value.trim() === "" && outcome !== "missed") {
      wrong.textContent = t("rd.reason_needed");
      reason.focus();
      return;
    }
    button.disabled = true;
    try {
      const body = {
        outcome, at: new Date(moment(day, begun.value)).toISOString(),
        ...(ended.value && outcome !== "missed" ? { until: new Date(moment(day, ended.value)).toISOString() } : {}),
        ...(reason.value.trim() ? { reason: reason.value.trim() } : {}),
        ...(found.length > 0 ? { hazards: found } : {}),
      };
      const after = await ctx.api.post<Visit>(`/v1/visits/${encodeURIComponent(visit.id)}/result`, body, once.headers(body));
      done(after);
    } catch (error) {
      once.failed(error);
      wrong.textContent = explainShort(error, t);
      button.disabled = false;
    }
  };
  const button = h("button", { type: "submit", class: "main", "data-do": "result-send" }, t("rd.result_send"));
  return h("form", { class: "rd-form", "data-form": "result", onsubmit: (event: Event) => {
    event.preventDefault();
    void send();
  } },
  h("fieldset", { class: "rd-choices" }, h("legend", {}, t("rd.outcome")), choices),
  h("div", { class: "rd-pair" }, h("label", {}, t("rd.at"), begun), h("label", {}, t("rd.until"), ended)),
  hazardHost, more,
  h("label", {}, t("rd.reason"), reason), h("p", { class: "rd-small" }, t("rd.reason_why")),
  wrong,
  h("div", { class: "rd-buttons" }, button, h("button", { type: "button", onclick: () => done(undefined) }, t("common.cancel"))));
}
