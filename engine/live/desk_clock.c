#include "engine/live/desk_internal.h"

/* A tick does so many incidents at once: the transaction stays short after a long sleep. */
enum { AT_ONCE = 64 };

static enum ht_status pass_over_silent(struct ht__turn *turn, struct ht__entry *e)
{
    enum ht_status status = HT_OK;
    for (uint32_t s = 0; status == HT_OK && s < e->pending->view.seat_count;) {
        const struct ht_desk_seat *seat = &e->pending->seats[s];
        if (seat->state != HT_INCIDENT_IS_ASSIGNED || seat->ack_by_ms == 0 ||
            seat->ack_by_ms > turn->now_ms) {
            s++;
            continue;
        }
        struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_PASSED_OVER);
        event.unit = seat->unit;
        event.again_at_ms =
            turn->now_ms + ht__desk_rule_of(turn->desk, &e->pending->view)->again_ms + 1;
        status = ht__desk_say(turn, e, &event);
    }
    return status;
}

static enum ht_status rise(struct ht__turn *turn, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_ESCALATED);
    event.step = i->step;
    event.level = (uint8_t)(i->level + 1);
    event.step_by_ms = ht__desk_step_by_ms(turn, i, i->step, event.level);
    return ht__desk_say(turn, e, &event);
}

static enum ht_status say_risk(struct ht__turn *turn, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    int64_t eta_ms = ht_incident_eta_ms(i);
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_AT_RISK);
    event.eta_ms = eta_ms > turn->now_ms ? eta_ms : turn->now_ms; /* was to be there by now */
    return ht__desk_say(turn, e, &event);
}

static bool ran_out(int64_t by_ms, int64_t now_ms)
{
    return by_ms != 0 && by_ms <= now_ms;
}

static enum ht_status tick_one(struct ht__turn *turn, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    enum ht_status status = HT_OK;
    if (ht__desk_is_open(i) && !i->confirmed && ran_out(i->confirm_by_ms, turn->now_ms)) {
        struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_CONFIRMED);
        status = ht__desk_say(turn, e, &event);
    }
    if (status == HT_OK && ht__desk_is_open(&e->pending->view)) {
        status = pass_over_silent(turn, e);
    }
    if (status == HT_OK && ran_out(e->pending->view.step_by_ms, turn->now_ms)) {
        status = rise(turn, e);
    }
    if (status == HT_OK && ht__desk_is_waiting(&e->pending->view)) {
        status = ht__desk_dispatch(turn, e);
    }
    i = &e->pending->view;
    if (status == HT_OK && ht__desk_is_open(i) && !i->at_risk &&
        i->state != HT_INCIDENT_IS_ONSCENE && ran_out(i->risk_by_ms, turn->now_ms)) {
        status = say_risk(turn, e);
    }
    return status;
}

enum ht_status ht__desk_tick(struct ht__turn *turn)
{
    const struct ht__due *due = &turn->desk->due;
    enum ht_status status = HT_OK;
    for (int n = 0; n < AT_ONCE && due->count > 0 && status == HT_OK; n++) {
        struct ht__entry *e = due->heap[0];
        if (e->due_ms > turn->now_ms) {
            break;
        }
        status = tick_one(turn, e);
    }
    return status;
}
