#include <assert.h>
#include <string.h>

#include "engine/live/desk_internal.h"

bool ht__desk_is_open(const struct ht_incident *i)
{
    return i->state < HT_INCIDENT_IS_RESOLVED;
}

bool ht__desk_is_waiting(const struct ht_incident *i)
{
    return ht__desk_is_open(i) && i->confirmed && i->seat_count < i->units;
}

int64_t ht_incident_eta_ms(const struct ht_incident *i)
{
    int64_t eta = i->first_arrived_ms != 0 ? i->first_arrived_ms : INT64_MAX;
    for (uint32_t s = 0; s < i->seat_count; s++) {
        eta = i->seats[s].eta_ms < eta && i->first_arrived_ms == 0 ? i->seats[s].eta_ms : eta;
    }
    return eta;
}

bool ht_incident_within_promise(const struct ht_incident *i)
{
    return ht_incident_eta_ms(i) <= i->deadline_ms;
}

struct ht_desk_seat *ht__desk_seat_of(const struct ht__version *v, const char *unit)
{
    for (uint32_t s = 0; s < v->view.seat_count; s++) {
        if (strcmp(v->seats[s].unit, unit) == 0) {
            return &v->seats[s];
        }
    }
    return NULL;
}

static bool needs_fit(const struct ht_desk_event *e)
{
    return e->severity >= 1 && e->severity <= HT_DESK_SEVERITIES && e->units >= 1 &&
           e->units <= HT_DESK_UNITS_MAX;
}

static bool seat_is(const struct ht__version *v, const char *unit, enum ht_incident_state state)
{
    const struct ht_desk_seat *seat = ht__desk_seat_of(v, unit);
    return seat != NULL && seat->state == state && ht__desk_is_open(&v->view);
}

static bool seat_leaves(const struct ht__version *v, const char *unit)
{
    const struct ht_desk_seat *seat = ht__desk_seat_of(v, unit);
    return seat != NULL && seat->state != HT_INCIDENT_IS_ONSCENE && ht__desk_is_open(&v->view);
}

static bool is_handled(const struct ht_incident *i)
{
    return i->state >= HT_INCIDENT_IS_ACKNOWLEDGED && i->state <= HT_INCIDENT_IS_RESOLVED;
}

bool ht__desk_event_fits(const struct ht__version *v, const struct ht_desk_event *e)
{
    if ((unsigned)e->kind >= HT_DESK_EVENT_KINDS || e->incident == NULL ||
        (e->unit == NULL && (ht_desk_event_fields(e->kind) & HT_DESK_HAS_UNIT) != 0) ||
        (v == NULL) != (e->kind == HT_DESK_RECEIVED)) {
        return false;
    }
    bool open = v != NULL && ht__desk_is_open(&v->view);
    switch (e->kind) {
    case HT_DESK_RECEIVED:
        return needs_fit(e) && (unsigned)e->incident_kind < HT_INCIDENT_KINDS;
    case HT_DESK_FOLDED:
        return needs_fit(e) && open;
    case HT_DESK_CONFIRMED:
        return open && !v->view.confirmed;
    case HT_DESK_QUEUED:
        return open && v->view.confirmed && v->view.seat_count == 0;
    case HT_DESK_ASSIGNED:
        return ht__desk_is_waiting(&v->view) && ht__desk_seat_of(v, e->unit) == NULL;
    case HT_DESK_ACKNOWLEDGED:
        return seat_is(v, e->unit, HT_INCIDENT_IS_ASSIGNED);
    case HT_DESK_ENROUTE:
        return seat_is(v, e->unit, HT_INCIDENT_IS_ACKNOWLEDGED);
    case HT_DESK_ARRIVED:
        return seat_is(v, e->unit, HT_INCIDENT_IS_ENROUTE);
    case HT_DESK_DECLINED:
    case HT_DESK_PASSED_OVER:
        return seat_leaves(v, e->unit);
    case HT_DESK_RELEASED:
        return ht__desk_seat_of(v, e->unit) != NULL && e->reason < HT_RELEASED_REASONS;
    case HT_DESK_FOLLOWED_UP:
    case HT_DESK_COORDINATED:
        return is_handled(&v->view);
    case HT_DESK_RESOLVED:
        return open && e->outcome > HT_OUTCOME_NONE && e->outcome < HT_OUTCOMES;
    case HT_DESK_EVALUATED:
        return v->view.state == HT_INCIDENT_IS_RESOLVED && e->rating >= 1 && e->rating <= 5;
    case HT_DESK_CANCELLED:
    case HT_DESK_AT_RISK:
        return open;
    case HT_DESK_REOPENED:
        return !open && needs_fit(e) && v->view.seat_count == 0;
    case HT_DESK_RECLOCKED:
        return open || v->view.state == HT_INCIDENT_IS_RESOLVED;
    case HT_DESK_ESCALATED:
        return v->view.level < e->level && e->level < HT_DESK_LEVELS;
    case HT_DESK_EVENT_KINDS:
    default:
        return false;
    }
}

static void pass_over(struct ht__version *v, const char *unit, int64_t again_at_ms)
{
    uint32_t kept = 0;
    for (uint32_t p = 0; p < v->view.passed_count; p++) {
        if (v->passed[p].unit != unit) {
            v->passed[kept++] = v->passed[p];
        }
    }
    if (again_at_ms != 0 && kept == HT_DESK_PASSED_MAX) {
        memmove(v->passed, v->passed + 1, --kept * sizeof *v->passed);
    }
    if (again_at_ms != 0) {
        assert(kept < v->passed_room);
        v->passed[kept++] = (struct ht_desk_passed){unit, again_at_ms};
    }
    v->view.passed_count = kept;
}

static void leave(struct ht__version *v, const char *unit)
{
    uint32_t s = (uint32_t)(ht__desk_seat_of(v, unit) - v->seats);
    memmove(&v->seats[s], &v->seats[s + 1], (v->view.seat_count - s - 1) * sizeof *v->seats);
    v->view.seat_count--;
}

static void take_seat(struct ht__version *v, const struct ht_desk_event *e)
{
    assert(v->view.seat_count < v->seat_room);
    v->seats[v->view.seat_count++] = (struct ht_desk_seat){.unit = e->unit,
                                                           .state = HT_INCIDENT_IS_ASSIGNED,
                                                           .turnout_ms = e->turnout_ms,
                                                           .duration_ms = e->duration_ms,
                                                           .access_ms = e->access_ms,
                                                           .paid_ms = e->paid_ms,
                                                           .length_mm = e->length_mm,
                                                           .eta_ms = e->eta_ms,
                                                           .assigned_ms = e->at_ms,
                                                           .ack_by_ms = e->ack_by_ms};
    pass_over(v, e->unit, 0);
    v->view.at_risk = v->view.at_risk && e->eta_ms > e->deadline_ms; /* else it may be again */
    v->view.deadline_ms = e->deadline_ms;
    v->view.risk_by_ms = e->deadline_ms;
}

static void need(struct ht_incident *i, const struct ht_desk_event *e)
{
    i->severity = e->severity;
    i->units = e->units;
    i->deadline_ms = e->deadline_ms;
    i->confirm_by_ms = e->confirm_by_ms;
    i->confirmed = e->confirm_by_ms == 0;
}

/* From the beginning, or once more. */
static void begin(struct ht__version *v, const struct ht_desk_event *e)
{
    struct ht_incident *i = &v->view;
    need(i, e);
    i->state = HT_INCIDENT_IS_RECEIVED;
    i->received_ms = e->at_ms;
    i->step = 1;
    i->step_by_ms = e->step_by_ms;
    i->step_from_ms = e->at_ms;
    i->level = i->solved_at = i->outcome = i->rating = 0;
    i->at_risk = false;
    i->risk_by_ms = i->first_arrived_ms = i->resolved_ms = i->closed_ms = 0;
    i->passed_count = 0;
}

static void step_to(struct ht_incident *i, uint8_t step, const struct ht_desk_event *e)
{
    i->step_from_ms = i->step < step || e->kind == HT_DESK_RESOLVED ? e->at_ms : i->step_from_ms;
    i->step = i->step < step ? step : i->step;
    i->step_by_ms = e->step_by_ms;
}

static void end(struct ht_incident *i, enum ht_incident_state state, int64_t at_ms)
{
    i->state = state;
    i->closed_ms = at_ms;
    i->step_by_ms = 0;
    i->risk_by_ms = 0;
}

static void project_unit(struct ht__version *v, const struct ht_desk_event *e)
{
    struct ht_desk_seat *seat = ht__desk_seat_of(v, e->unit);
    struct ht_incident *i = &v->view;
    if (e->kind == HT_DESK_ASSIGNED) {
        take_seat(v, e);
    } else if (e->kind == HT_DESK_ACKNOWLEDGED) {
        seat->state = HT_INCIDENT_IS_ACKNOWLEDGED;
        seat->acknowledged_ms = e->at_ms;
        step_to(i, 2, e);
    } else if (e->kind == HT_DESK_ENROUTE) {
        seat->state = HT_INCIDENT_IS_ENROUTE;
        seat->enroute_ms = e->at_ms;
    } else if (e->kind == HT_DESK_ARRIVED) {
        seat->state = HT_INCIDENT_IS_ONSCENE;
        seat->arrived_ms = e->at_ms;
        i->first_arrived_ms = i->first_arrived_ms == 0 ? e->at_ms : i->first_arrived_ms;
        step_to(i, 3, e);
    } else { /* declined, passed over, released */
        leave(v, e->unit);
        if (e->again_at_ms != 0) {
            pass_over(v, e->unit, e->again_at_ms);
        }
        if (e->kind == HT_DESK_RELEASED && e->reason == HT_RELEASED_REASSIGNED) {
            i->at_risk = false;
        }
    }
}

/* The state is that of the unit that is furthest. With none it is received again: queued or
 * assigned follows in the same decision. */
static void set_state(struct ht_incident *i)
{
    if (i->seat_count == 0 && i->state >= HT_INCIDENT_IS_ASSIGNED) {
        i->state = HT_INCIDENT_IS_RECEIVED;
        i->risk_by_ms = 0;
    }
    for (uint32_t s = 0; s < i->seat_count; s++) {
        i->state = s == 0 || i->seats[s].state > i->state ? i->seats[s].state : i->state;
    }
}

/* What comes at its beginning, or may come while it is open. */
static bool project_open(struct ht__version *v, const struct ht_desk_event *e)
{
    struct ht_incident *i = &v->view;
    if (e->kind == HT_DESK_RECEIVED) {
        i->kind = e->incident_kind;
        i->access_ms = e->access_ms;
        i->alarms = 1;
        i->opened_ms = i->alarm_ms = e->at_ms;
        begin(v, e);
    } else if (e->kind == HT_DESK_FOLDED) {
        i->alarms++;
        i->alarm_ms = e->at_ms;
        need(i, e);
    } else if (e->kind == HT_DESK_CONFIRMED) {
        i->confirmed = true;
        i->confirm_by_ms = 0;
    } else if (e->kind == HT_DESK_QUEUED) {
        i->state = HT_INCIDENT_IS_QUEUED;
        i->risk_by_ms = e->risk_by_ms;
    } else if (e->kind == HT_DESK_AT_RISK) {
        i->at_risk = true;
    } else {
        return false;
    }
    return true;
}

static void project_loop(struct ht__version *v, const struct ht_desk_event *e)
{
    struct ht_incident *i = &v->view;
    if (e->kind == HT_DESK_FOLLOWED_UP) {
        step_to(i, 4, e);
    } else if (e->kind == HT_DESK_COORDINATED) {
        step_to(i, 5, e);
    } else if (e->kind == HT_DESK_RESOLVED) {
        end(i, HT_INCIDENT_IS_RESOLVED, e->at_ms);
        step_to(i, 5, e);
        i->resolved_ms = e->at_ms;
        i->outcome = e->outcome;
        i->solved_at = i->level;
    } else if (e->kind == HT_DESK_EVALUATED) {
        end(i, HT_INCIDENT_IS_EVALUATED, e->at_ms);
        i->rating = e->rating;
    } else if (e->kind == HT_DESK_CANCELLED) {
        end(i, HT_INCIDENT_IS_CANCELLED, e->at_ms);
    } else if (e->kind == HT_DESK_REOPENED) {
        begin(v, e);
    } else if (e->kind == HT_DESK_ESCALATED) {
        i->level = e->level;
        i->step_by_ms = e->step_by_ms;
        i->step_from_ms = e->at_ms;
    } else if (e->kind == HT_DESK_RECLOCKED) {
        i->step_by_ms = e->step_by_ms;
    }
}

void ht__desk_project(struct ht__version *v, const struct ht_desk_event *e)
{
    if ((ht_desk_event_fields(e->kind) & HT_DESK_HAS_UNIT) != 0) {
        project_unit(v, e);
    } else if (!project_open(v, e)) {
        project_loop(v, e);
    }
    if (ht__desk_is_open(&v->view)) {
        set_state(&v->view);
    }
    if (v->view.level + 1 >= HT_DESK_LEVELS) {
        v->view.step_by_ms = 0; /* nowhere to rise to */
    }
    v->view.version++;
    v->view.changed_ms = e->at_ms;
}
