#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/live/desk_internal.h"
#include "engine/live/desk_joint.h"

const struct ht_desk_rule *ht__desk_rule_of(const struct ht_desk *d, const struct ht_incident *i)
{
    return &d->rules.rule[i->kind][i->severity - 1];
}

/* When a step's clock that began then runs out, which may be over by now; 0: never. At the highest
 * level there is nowhere left to rise to. */
static int64_t runs_out_ms(const struct ht_desk *d, const struct ht_incident *i, int step,
                           int64_t from_ms)
{
    uint32_t length_ms = ht__desk_rule_of(d, i)->clock_ms[step - 1];
    if (length_ms == 0) {
        return 0;
    }
    return d->rules.due == NULL ? from_ms + length_ms
                                : d->rules.due(d->rules.user, i->kind, from_ms, length_ms);
}

int64_t ht__desk_step_by_ms(const struct ht__turn *turn, const struct ht_incident *i, int step,
                            int level)
{
    int64_t by_ms = runs_out_ms(turn->desk, i, step, turn->now_ms);
    if (by_ms == 0 || level + 1 >= HT_DESK_LEVELS) {
        return 0;
    }
    return by_ms > turn->now_ms ? by_ms : turn->now_ms + 1; /* never now: a tick ends */
}

struct ht_desk_event ht__desk_event(const struct ht__turn *turn, const struct ht__entry *e,
                                    enum ht_desk_event_kind kind)
{
    return (struct ht_desk_event){.kind = kind, .at_ms = turn->now_ms, .incident = e->named.id};
}

enum ht_status ht__desk_say(struct ht__turn *turn, struct ht__entry *e,
                            const struct ht_desk_event *event)
{
    assert(ht__desk_event_fits(event->kind == HT_DESK_RECEIVED ? NULL : e->pending, event));
    return ht__desk_fold(turn->desk, turn->log, e, event);
}

static enum ht_status wrong_order(const struct ht__turn *turn, const struct ht__entry *e,
                                  const char *what)
{
    return ht_error_set(turn->error, HT_CONFLICT, 0, "incident %s is %s: %s", e->named.id,
                        ht_incident_state_text(e->pending->view.state), what);
}

/* The clock of the step that runs, by the rules of now. */
static enum ht_status reclock(struct ht__turn *turn, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    bool runs = ht__desk_is_open(i) || i->state == HT_INCIDENT_IS_RESOLVED;
    if (!runs || i->level + 1 >= HT_DESK_LEVELS) {
        return HT_OK;
    }
    int64_t by_ms = runs_out_ms(turn->desk, i, i->step, i->step_from_ms);
    if (by_ms == i->step_by_ms) {
        return HT_OK;
    }
    by_ms = by_ms == 0 || by_ms > turn->now_ms ? by_ms : turn->now_ms + 1;
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_RECLOCKED);
    event.step_by_ms = by_ms;
    return ht__desk_say(turn, e, &event);
}

/* ---- open -------------------------------------------------------------------------------------
 */

static bool id_fits(const char *id)
{
    return id != NULL && id[0] != '\0' && strnlen(id, HT_DESK_ID_MAX + 1) <= HT_DESK_ID_MAX;
}

static enum ht_status check_open(const struct ht__turn *turn, const struct ht_desk_command *c)
{
    const char *wrong = NULL;
    if (!id_fits(c->incident)) {
        wrong = "id";
    } else if (c->household != NULL && !id_fits(c->household)) {
        wrong = "household";
    } else if (c->device != NULL && !id_fits(c->device)) {
        wrong = "device";
    } else if (c->skills != NULL &&
               strnlen(c->skills, HT_DESK_SKILLS_MAX + 1) > HT_DESK_SKILLS_MAX) {
        wrong = "skills";
    }
    if (wrong != NULL) {
        return ht_error_set(turn->error, HT_INVALID, 0, "%s is empty or too long", wrong);
    }
    if ((unsigned)c->incident_kind >= HT_INCIDENT_KINDS) {
        wrong = "kind";
    } else if (c->severity < 1 || c->severity > HT_DESK_SEVERITIES) {
        wrong = "severity";
    } else if (c->units > HT_DESK_UNITS_MAX) {
        wrong = "units";
    }
    if (wrong != NULL) {
        return ht_error_set(turn->error, HT_RANGE, 0, "%s is out of range", wrong);
    }
    return HT_OK;
}

/* The open incident that an alarm of this device and kind belongs to. */
static struct ht__entry *same_alarm(const struct ht__turn *turn, const struct ht_desk_command *c)
{
    enum { LOOKED_AT = 16 };
    const struct ht__device *device =
        c->device == NULL
            ? NULL
            : (const struct ht__device *)ht_names_find(&turn->desk->devices, c->device);
    struct ht__entry *e = device == NULL ? NULL : device->newest[c->incident_kind];
    for (int n = 0; e != NULL && n < LOOKED_AT; n++) {
        const struct ht_incident *i = &e->pending->view;
        int64_t ago_ms = turn->now_ms - i->alarm_ms;
        if (ht__desk_is_open(i) && ago_ms < ht__desk_rule_of(turn->desk, i)->fold_ms) {
            return e;
        }
        e = e->older;
    }
    return NULL;
}

static void ask_for(const struct ht__turn *turn, const struct ht_desk_rule *rule,
                    struct ht_desk_event *event)
{
    event->units = rule->units;
    event->deadline_ms = turn->now_ms + rule->promise_ms;
    event->confirm_by_ms = rule->confirm_ms == 0 ? 0 : turn->now_ms + rule->confirm_ms;
}

static bool has_skill(const char *skills, const char *skill, size_t size)
{
    while (*skills != '\0') {
        size_t own = strcspn(skills, ";");
        if (own == size && memcmp(skills, skill, size) == 0) {
            return true;
        }
        skills += own + (skills[own] == ';');
    }
    return false;
}

/* The skills that an incident wants, and those of one more alarm. False: too many to be kept. */
static bool skills_join(const char *wanted, const char *more, char out[HT_DESK_SKILLS_MAX + 1])
{
    size_t size = strlen(wanted);
    memcpy(out, wanted, size + 1);
    while (more != NULL && *more != '\0') {
        size_t own = strcspn(more, ";");
        if (!has_skill(out, more, own)) {
            if (size + own + 1 > HT_DESK_SKILLS_MAX) {
                return false;
            }
            out[size] = ';';
            size += size > 0 ? 1 : 0;
            memcpy(out + size, more, own);
            size += own;
            out[size] = '\0';
        }
        more += own + (more[own] == ';');
    }
    return true;
}

static const char *skills_of(const struct ht__turn *turn, const struct ht_incident *i)
{
    return i->skills != NULL ? i->skills : ht__desk_rule_of(turn->desk, i)->skills;
}

/* What the alarm needs that those who come don't have is for others, who come besides. */
static enum ht_status widen(struct ht__turn *turn, const struct ht__entry *e, const char *skills,
                            struct ht_desk_event *event)
{
    uint32_t lacking = 0;
    if (strcmp(skills, skills_of(turn, &e->pending->view)) == 0) {
        return HT_OK;
    }
    event->skills = skills;
    enum ht_status status = ht__desk_lacking(turn, e, skills, &lacking);
    uint32_t units = event->units + lacking;
    event->units = (uint8_t)(units < HT_DESK_UNITS_MAX ? units : HT_DESK_UNITS_MAX);
    return status;
}

/* One more alarm of the same: the need may be graver, never less. */
static enum ht_status fold_alarm(struct ht__turn *turn, struct ht__entry *e,
                                 const struct ht_desk_command *c, const char *skills)
{
    const struct ht_incident *i = &e->pending->view;
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_FOLDED);
    event.severity = c->severity > i->severity ? c->severity : i->severity;
    event.units = c->units > i->units ? c->units : i->units;
    event.deadline_ms = i->deadline_ms;
    event.confirm_by_ms = i->confirm_by_ms;
    if (event.severity > i->severity) {
        struct ht_desk_event graver = {0};
        ask_for(turn, &turn->desk->rules.rule[i->kind][event.severity - 1], &graver);
        event.units = graver.units > event.units ? graver.units : event.units;
        event.deadline_ms =
            graver.deadline_ms < event.deadline_ms ? graver.deadline_ms : event.deadline_ms;
        event.confirm_by_ms = graver.confirm_by_ms == 0 ? 0 : event.confirm_by_ms;
    }
    bool graver_now = event.severity > i->severity;
    enum ht_status status = widen(turn, e, skills, &event);
    if (status == HT_OK) {
        status = ht__desk_say(turn, e, &event);
    }
    if (status == HT_OK && graver_now) {
        status = reclock(turn, e); /* it has shorter ones */
    }
    if (status == HT_OK && ht__desk_is_waiting(&e->pending->view)) {
        status = ht__desk_dispatch(turn, e);
    }
    return status;
}

static enum ht_status open_new(struct ht__turn *turn, const struct ht_desk_command *c,
                               struct ht__entry **out)
{
    if (ht__desk_entry_of(turn->desk, c->incident) != NULL) {
        return ht_error_set(turn->error, HT_EXISTS, 0, "incident %s exists", c->incident);
    }
    const struct ht_desk_rule *rule = &turn->desk->rules.rule[c->incident_kind][c->severity - 1];
    struct ht_incident first = {.kind = c->incident_kind, .severity = c->severity};
    struct ht_desk_event event = {.kind = HT_DESK_RECEIVED,
                                  .at_ms = turn->now_ms,
                                  .incident = c->incident,
                                  .household = c->household,
                                  .device = c->device,
                                  .skills = c->skills,
                                  .incident_kind = c->incident_kind,
                                  .severity = c->severity,
                                  .access_ms = c->access_ms,
                                  .step_by_ms = ht__desk_step_by_ms(turn, &first, 1, 0)};
    ask_for(turn, rule, &event);
    event.units = c->units != 0 ? c->units : event.units;
    enum ht_status status = ht__desk_entry_begin(turn->desk, turn->log, &event, out);
    if (status == HT_OK) {
        status = ht__desk_say(turn, *out, &event);
    }
    if (status == HT_OK && ht__desk_is_waiting(&(*out)->pending->view)) {
        status = ht__desk_dispatch(turn, *out);
    }
    return status;
}

static enum ht_status open_or_fold(struct ht__turn *turn, const struct ht_desk_command *c,
                                   struct ht__entry **about, bool *folded)
{
    enum ht_status status = check_open(turn, c);
    if (status != HT_OK) {
        return status;
    }
    char skills[HT_DESK_SKILLS_MAX + 1];
    *about = same_alarm(turn, c);
    *folded =
        *about != NULL && skills_join(skills_of(turn, &(*about)->pending->view), c->skills, skills);
    return *folded ? fold_alarm(turn, *about, c, skills) : open_new(turn, c, about);
}

/* ---- units ------------------------------------------------------------------------------------
 */

/* Who is meant: the unit that is named, or the only one in that state. */
static enum ht_status unit_meant(const struct ht__turn *turn, const struct ht__entry *e,
                                 const struct ht_desk_command *c, uint32_t states,
                                 const struct ht_desk_seat **out)
{
    const struct ht_incident *i = &e->pending->view;
    const struct ht_desk_seat *found = NULL;
    uint32_t count = 0;
    if (c->unit != NULL) {
        const struct ht_desk_seat *seat = ht__desk_seat_of(e->pending, c->unit);
        if (seat == NULL) {
            return ht_error_set(turn->error, HT_CONFLICT, 0, "unit %s is not on incident %s",
                                c->unit, e->named.id);
        }
        if ((states >> seat->state & 1U) == 0) {
            return ht_error_set(turn->error, HT_CONFLICT, 0, "unit %s is %s on incident %s",
                                seat->unit, ht_incident_state_text(seat->state), e->named.id);
        }
        *out = seat;
        return HT_OK;
    }
    for (uint32_t s = 0; s < i->seat_count; s++) {
        if ((states >> i->seats[s].state & 1U) != 0) {
            found = &i->seats[s];
            count++;
        }
    }
    if (found == NULL || count != 1) {
        return wrong_order(turn, e,
                           count == 0 ? "no unit on it can do that"
                                      : "several units are on it, name one");
    }
    *out = found;
    return HT_OK;
}

enum {
    ASSIGNED = 1U << HT_INCIDENT_IS_ASSIGNED,
    ACKNOWLEDGED = 1U << HT_INCIDENT_IS_ACKNOWLEDGED,
    ENROUTE = 1U << HT_INCIDENT_IS_ENROUTE
};

static int at_least(int step, int least)
{
    return step > least ? step : least;
}

/* A moment of the loop: a new clock where it begins a new step, the running one where not. */
static int64_t clock_of(const struct ht__turn *turn, const struct ht_incident *i, int step)
{
    return at_least(i->step, step) == i->step ? i->step_by_ms
                                              : ht__desk_step_by_ms(turn, i, step, i->level);
}

static enum ht_status unit_says(struct ht__turn *turn, struct ht__entry *e,
                                const struct ht_desk_command *c)
{
    static const struct {
        uint32_t states;
        enum ht_desk_event_kind event;
        int step;
    } of[HT_DESK_COMMANDS] = {
        [HT_DESK_ACK] = {ASSIGNED, HT_DESK_ACKNOWLEDGED, 2},
        [HT_DESK_DECLINE] = {ASSIGNED | ACKNOWLEDGED | ENROUTE, HT_DESK_DECLINED, 0},
        [HT_DESK_GO] = {ACKNOWLEDGED, HT_DESK_ENROUTE, 0},
        [HT_DESK_ARRIVE] = {ENROUTE, HT_DESK_ARRIVED, 3},
    };
    const struct ht_incident *i = &e->pending->view;
    if (!ht__desk_is_open(i)) {
        return wrong_order(turn, e, "it is over");
    }
    const struct ht_desk_seat *seat = NULL;
    enum ht_status status = unit_meant(turn, e, c, of[c->kind].states, &seat);
    if (status != HT_OK || seat == NULL) {
        return status;
    }
    struct ht_desk_event event = ht__desk_event(turn, e, of[c->kind].event);
    event.unit = seat->unit;
    if (of[c->kind].step != 0) {
        event.step_by_ms = clock_of(turn, i, of[c->kind].step);
    }
    if (c->kind == HT_DESK_DECLINE) {
        event.again_at_ms = turn->now_ms + ht__desk_rule_of(turn->desk, i)->again_ms + 1;
    }
    status = ht__desk_say(turn, e, &event);
    if (status == HT_OK && c->kind == HT_DESK_DECLINE) {
        status = ht__desk_dispatch(turn, e);
    }
    return status;
}

static enum ht_status confirm(struct ht__turn *turn, struct ht__entry *e)
{
    if (!ht__desk_is_open(&e->pending->view) || e->pending->view.confirmed) {
        return wrong_order(turn, e, "no confirmation is awaited");
    }
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_CONFIRMED);
    enum ht_status status = ht__desk_say(turn, e, &event);
    return status == HT_OK ? ht__desk_dispatch(turn, e) : status;
}

static enum ht_status live_eta(struct ht__turn *turn, struct ht__entry *e,
                               const struct ht_desk_command *c)
{
    const struct ht_incident *i = &e->pending->view;
    const struct ht_desk_seat *seat = NULL;
    enum ht_status status = unit_meant(turn, e, c, ASSIGNED | ACKNOWLEDGED | ENROUTE, &seat);
    if (status != HT_OK || i->at_risk || i->first_arrived_ms != 0) {
        return status;
    }
    if (c->eta_ms <= i->deadline_ms) {
        return HT_OK;
    }
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_AT_RISK);
    event.eta_ms = c->eta_ms;
    return ht__desk_say(turn, e, &event);
}

/* ---- the loop ---------------------------------------------------------------------------------
 */

static enum ht_status follow(struct ht__turn *turn, struct ht__entry *e,
                             const struct ht_desk_command *c)
{
    const struct ht_incident *i = &e->pending->view;
    if (i->state < HT_INCIDENT_IS_ONSCENE || i->state > HT_INCIDENT_IS_RESOLVED) {
        return wrong_order(turn, e, "nothing is followed up before somebody is there");
    }
    bool up = c->kind == HT_DESK_FOLLOW_UP;
    struct ht_desk_event event =
        ht__desk_event(turn, e, up ? HT_DESK_FOLLOWED_UP : HT_DESK_COORDINATED);
    event.step_by_ms = clock_of(turn, i, up ? 4 : 5);
    return ht__desk_say(turn, e, &event);
}

static enum ht_status release_all(struct ht__turn *turn, struct ht__entry *e,
                                  enum ht_desk_reason reason)
{
    enum ht_status status = HT_OK;
    while (status == HT_OK && e->pending->view.seat_count > 0) {
        status = ht__desk_let_go(turn, e, e->pending->seats[0].unit, reason);
    }
    return status;
}

static bool someone_there(const struct ht_incident *i)
{
    return i->state == HT_INCIDENT_IS_ONSCENE;
}

static enum ht_status resolve(struct ht__turn *turn, struct ht__entry *e,
                              const struct ht_desk_command *c)
{
    const struct ht_incident *i = &e->pending->view;
    if ((unsigned)c->outcome >= HT_OUTCOMES || c->outcome == HT_OUTCOME_NONE) {
        return ht_error_set(turn->error, HT_RANGE, 0, "outcome is missing");
    }
    if (!ht__desk_is_open(i)) {
        return wrong_order(turn, e, "it is over");
    }
    if (c->outcome == HT_OUTCOME_HELPED && !someone_there(i)) {
        return wrong_order(turn, e, "nobody is on scene who could have helped");
    }
    if (c->unit != NULL && ht__desk_seat_of(e->pending, c->unit) == NULL) {
        return ht_error_set(turn->error, HT_CONFLICT, 0, "unit %s is not on incident %s", c->unit,
                            e->named.id);
    }
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_RESOLVED);
    event.outcome = (uint8_t)c->outcome;
    event.step_by_ms = ht__desk_step_by_ms(turn, i, 5, i->level);
    enum ht_status status = ht__desk_say(turn, e, &event);
    return status == HT_OK ? release_all(turn, e, HT_RELEASED_RESOLVED) : status;
}

static enum ht_status cancel(struct ht__turn *turn, struct ht__entry *e)
{
    if (!ht__desk_is_open(&e->pending->view)) {
        return wrong_order(turn, e, "it is over");
    }
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_CANCELLED);
    enum ht_status status = ht__desk_say(turn, e, &event);
    return status == HT_OK ? release_all(turn, e, HT_RELEASED_CANCELLED) : status;
}

static enum ht_status evaluate(struct ht__turn *turn, struct ht__entry *e,
                               const struct ht_desk_command *c)
{
    if (c->rating < 1 || c->rating > 5) {
        return ht_error_set(turn->error, HT_RANGE, 0, "rating is not 1 to 5");
    }
    if (e->pending->view.state != HT_INCIDENT_IS_RESOLVED) {
        return wrong_order(turn, e, "only what is resolved is evaluated");
    }
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_EVALUATED);
    event.rating = c->rating;
    return ht__desk_say(turn, e, &event);
}

static enum ht_status reopen(struct ht__turn *turn, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    if (ht__desk_is_open(i)) {
        return wrong_order(turn, e, "it is not over");
    }
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_REOPENED);
    event.severity = i->severity;
    ask_for(turn, ht__desk_rule_of(turn->desk, i), &event);
    event.units = i->units;
    event.confirm_by_ms = 0; /* somebody just did */
    event.step_by_ms = ht__desk_step_by_ms(turn, i, 1, 0);
    enum ht_status status = ht__desk_say(turn, e, &event);
    return status == HT_OK ? ht__desk_dispatch(turn, e) : status;
}

/* ---- reassign ---------------------------------------------------------------------------------
 */

static enum ht_status let_go_meant(struct ht__turn *turn, struct ht__entry *e,
                                   const struct ht_desk_command *c)
{
    if (c->instead_of != NULL) {
        struct ht_desk_command meant = {.unit = c->instead_of};
        const struct ht_desk_seat *seat = NULL;
        enum ht_status status =
            unit_meant(turn, e, &meant, ASSIGNED | ACKNOWLEDGED | ENROUTE, &seat);
        return seat != NULL ? ht__desk_let_go(turn, e, seat->unit, HT_RELEASED_REASSIGNED) : status;
    }
    enum ht_status status = HT_OK;
    for (uint32_t s = 0; status == HT_OK && s < e->pending->view.seat_count;) {
        if (e->pending->seats[s].state == HT_INCIDENT_IS_ONSCENE) {
            s++;
        } else {
            status = ht__desk_let_go(turn, e, e->pending->seats[s].unit, HT_RELEASED_REASSIGNED);
        }
    }
    return status;
}

static enum ht_status reassign(struct ht__turn *turn, struct ht__entry *e,
                               const struct ht_desk_command *c)
{
    const struct ht_incident *i = &e->pending->view;
    if (!ht__desk_is_open(i) || !i->confirmed) {
        return wrong_order(turn, e, i->confirmed ? "it is over" : "a confirmation is awaited");
    }
    if (c->unit != NULL && ht__desk_seat_of(e->pending, c->unit) != NULL) {
        return ht_error_set(turn->error, HT_CONFLICT, 0, "unit %s is on incident %s already",
                            c->unit, e->named.id);
    }
    enum ht_status status = let_go_meant(turn, e, c);
    if (status == HT_OK && !ht__desk_is_waiting(&e->pending->view)) {
        return wrong_order(turn, e, "all its units are on scene");
    }
    if (status == HT_OK && c->unit != NULL) {
        status = ht__desk_dispatch_unit(turn, e, c->unit);
    }
    return status == HT_OK ? ht__desk_dispatch(turn, e) : status;
}

/* ---- decide -----------------------------------------------------------------------------------
 */

static enum ht_status about_one(struct ht__turn *turn, struct ht__entry *e,
                                const struct ht_desk_command *c)
{
    bool awaits = c->kind == HT_DESK_ACK && c->unit == NULL &&
                  ht__desk_is_open(&e->pending->view) && !e->pending->view.confirmed;
    switch (c->kind) {
    case HT_DESK_CONFIRM:
        return confirm(turn, e);
    case HT_DESK_ACK:
        return awaits ? confirm(turn, e) : unit_says(turn, e, c);
    case HT_DESK_DECLINE:
    case HT_DESK_GO:
    case HT_DESK_ARRIVE:
        return unit_says(turn, e, c);
    case HT_DESK_FOLLOW_UP:
    case HT_DESK_COORDINATE:
        return follow(turn, e, c);
    case HT_DESK_RESOLVE:
        return resolve(turn, e, c);
    case HT_DESK_EVALUATE:
        return evaluate(turn, e, c);
    case HT_DESK_CANCEL:
        return cancel(turn, e);
    case HT_DESK_REASSIGN:
        return reassign(turn, e, c);
    case HT_DESK_REOPEN:
        return reopen(turn, e);
    case HT_DESK_ETA:
        return live_eta(turn, e, c);
    case HT_DESK_RECLOCK:
        return reclock(turn, e);
    case HT_DESK_OPEN:
    case HT_DESK_TICK:
    case HT_DESK_SETTLE:
    case HT_DESK_COMMANDS:
    default:
        return ht_error_set(turn->error, HT_INVALID, 0, "no such command");
    }
}

/* The others don't change who is wanted, or say themselves who comes. */
static bool asks_for_units(enum ht_desk_command_kind kind)
{
    return kind == HT_DESK_OPEN || kind == HT_DESK_CONFIRM || kind == HT_DESK_DECLINE ||
           kind == HT_DESK_REOPEN;
}

static bool frees_units(enum ht_desk_command_kind kind)
{
    return kind == HT_DESK_RESOLVE || kind == HT_DESK_CANCEL || kind == HT_DESK_SETTLE ||
           kind == HT_DESK_TICK;
}

/* Units that became free went to those that waited, one by one: where one of these will be late,
 * it is looked whether the units that are there are better shared otherwise. Some are looked at, so
 * that a long queue does not hold the writer. */
static enum ht_status solve_served(struct ht__turn *turn)
{
    enum ht_status status = HT_OK;
    size_t moved = turn->log->moved_count;
    enum { SERVED_MOST = 4 };
    size_t last = moved < SERVED_MOST ? moved : SERVED_MOST;
    for (size_t m = 0; m < last && status == HT_OK; m++) {
        struct ht__entry *served = turn->log->moved[m].unit->pending;
        if (served != NULL && ht__desk_is_open(&served->pending->view)) {
            status = ht__desk_joint(turn, served);
        }
    }
    return status == HT_OK && turn->log->moved_count > moved ? ht__desk_settle_freed(turn) : status;
}

static enum ht_status run(struct ht__turn *turn, const struct ht_desk_command *c,
                          struct ht__entry **about, bool *folded)
{
    enum ht_status status = HT_OK;
    if (c->kind == HT_DESK_OPEN) {
        status = open_or_fold(turn, c, about, folded);
    } else if (c->kind == HT_DESK_TICK) {
        status = ht__desk_tick(turn);
    } else if (c->kind == HT_DESK_SETTLE) {
        status = ht__desk_settle_all(turn);
    } else {
        *about = c->incident == NULL ? NULL : ht__desk_entry_of(turn->desk, c->incident);
        if (*about == NULL) {
            return ht_error_set(turn->error, HT_NOT_FOUND, 0, "no incident %s",
                                c->incident == NULL ? "" : c->incident);
        }
        status = ht__desk_touch(turn->desk, turn->log, *about);
        status = status == HT_OK ? about_one(turn, *about, c) : status;
    }
    bool joint = turn->desk->rules.joint && !turn->alone;
    if (status == HT_OK && joint && asks_for_units(c->kind)) {
        status = ht__desk_joint(turn, *about);
    }
    if (status == HT_OK) {
        status = ht__desk_settle_freed(turn);
    }
    if (status == HT_OK && joint && frees_units(c->kind)) {
        status = solve_served(turn);
    }
    return status == HT_OK ? ht__desk_say_outcome(turn) : status;
}

/* From nothing: what was decided before is undone. */
static enum ht_status run_anew(struct ht__turn *turn, const struct ht_desk_command *c,
                               struct ht__entry **about, bool *folded)
{
    if (turn->log != NULL) {
        ht__desk_log_undo(turn->desk, turn->log);
    }
    *about = NULL;
    *folded = false;
    *turn->error = (struct ht_error){0};
    turn->again_count = 0;
    turn->log = calloc(1, sizeof *turn->log);
    return turn->log == NULL ? HT_NOMEM : run(turn, c, about, folded);
}

enum ht_status ht_desk_decide(struct ht_desk *d, const struct ht_desk_command *command,
                              const struct ht_desk_chooser *chooser, struct ht_desk_decision **out,
                              struct ht_error *error)
{
    struct ht_error unsaid;
    struct ht__turn turn = {.desk = d,
                            .chooser = chooser,
                            .now_ms = command->now_ms,
                            .error = error == NULL ? &unsaid : error};
    struct ht__entry *about = NULL;
    bool folded = false;
    enum ht_status status = HT_OK;
    do {
        status = run_anew(&turn, command, &about, &folded);
    } while (status == HT_OK && ht__desk_hold_back(&turn));
    if (status == HT_OK) {
        status = ht__desk_log_decide(turn.log, about, folded, out);
    }
    free(turn.again);
    if (status != HT_OK) {
        if (turn.log != NULL) {
            ht__desk_log_undo(d, turn.log);
        }
        if (turn.error->status != status) {
            (void)ht_error_set(turn.error, status, 0, NULL);
        }
    }
    return status;
}
