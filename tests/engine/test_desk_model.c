/* The desk against a plain model of it: arrays and loops, no events, no versions, no index. */
#include "tests/support/check.h"
#include "tests/support/desk_stage.h"

enum { INCIDENTS = 48, UNITS = 8, MOVES = 4096, DEVICES = 4 };

struct seat {
    int unit;
    enum ht_incident_state state;
    int64_t eta_ms;
    int64_t ack_by_ms;
    uint32_t turnout_ms;
};

struct passed {
    int unit;
    int64_t again_ms;
};

struct incident {
    bool there;
    int order;
    const char *place;
    int device; /* -1: none */
    enum ht_incident_kind kind;
    uint8_t severity;
    enum ht_incident_state state;
    bool confirmed;
    bool at_risk;
    uint32_t alarms;
    uint32_t units;
    uint8_t step;
    uint8_t level;
    uint8_t solved_at;
    uint8_t outcome;
    uint8_t rating;
    int64_t received_ms;
    int64_t alarm_ms;
    int64_t deadline_ms;
    int64_t confirm_by_ms;
    int64_t step_by_ms;
    int64_t step_from_ms;
    int64_t risk_by_ms;
    int64_t arrived_ms;
    int64_t tried_ms;
    int64_t closest_ms; /* -1: none */
    struct seat seats[HT_DESK_UNITS_MAX];
    uint32_t seat_count;
    struct passed passed[UNITS];
    uint32_t passed_count;
};

struct model {
    struct incident incidents[INCIDENTS];
    int on[UNITS]; /* the incident; -1: free */
    int orders;
    /* of one command */
    int64_t now_ms;
    int moved[MOVES];
    size_t moved_count;
    int again[MOVES];
    size_t again_count;
    bool touched[INCIDENTS];
    int touched_order[INCIDENTS];
    size_t touched_count;
};

static struct model m;
static struct ht_stage *stage;
static const char *const ids[INCIDENTS] = {
    "i00", "i01", "i02", "i03", "i04", "i05", "i06", "i07", "i08", "i09", "i10", "i11",
    "i12", "i13", "i14", "i15", "i16", "i17", "i18", "i19", "i20", "i21", "i22", "i23",
    "i24", "i25", "i26", "i27", "i28", "i29", "i30", "i31", "i32", "i33", "i34", "i35",
    "i36", "i37", "i38", "i39", "i40", "i41", "i42", "i43", "i44", "i45", "i46", "i47"};
static const char *const unit_ids[UNITS] = {"u0", "u1", "u2", "u3", "u4", "u5", "u6", "u7"};
static const char *const devices[DEVICES] = {"d0", "d1", "d2", "d3"};
static const char *const places[] = {"0", "100000", "350000", "700000", "900000"};

static const struct ht_desk_rule *rule_of(const struct incident *i)
{
    return &stage->rules.rule[i->kind][i->severity - 1];
}

static bool is_open(const struct incident *i)
{
    return i->state < HT_INCIDENT_IS_RESOLVED;
}

static bool waits(const struct incident *i)
{
    return i->there && is_open(i) && i->confirmed && i->seat_count < i->units;
}

static int index_of(const struct incident *i)
{
    return (int)(i - m.incidents);
}

static void touch(struct incident *i)
{
    if (!m.touched[index_of(i)]) {
        m.touched[index_of(i)] = true;
        m.touched_order[m.touched_count++] = index_of(i);
    }
}

static int seat_at(const struct incident *i, int unit)
{
    for (uint32_t s = 0; s < i->seat_count; s++) {
        if (i->seats[s].unit == unit) {
            return (int)s;
        }
    }
    return -1;
}

static void set_state(struct incident *i)
{
    if (!is_open(i)) {
        return;
    }
    if (i->seat_count == 0 && i->state >= HT_INCIDENT_IS_ASSIGNED) {
        i->state = HT_INCIDENT_IS_RECEIVED;
        i->risk_by_ms = 0;
    }
    for (uint32_t s = 0; s < i->seat_count; s++) {
        if (s == 0 || i->seats[s].state > i->state) {
            i->state = i->seats[s].state;
        }
    }
}

static void unpass(struct incident *i, int unit)
{
    uint32_t kept = 0;
    for (uint32_t p = 0; p < i->passed_count; p++) {
        if (i->passed[p].unit != unit) {
            i->passed[kept++] = i->passed[p];
        }
    }
    i->passed_count = kept;
}

static void leave(struct incident *i, int unit, bool passed)
{
    int at = seat_at(i, unit);
    touch(i);
    for (uint32_t s = (uint32_t)at; s + 1 < i->seat_count; s++) {
        i->seats[s] = i->seats[s + 1];
    }
    i->seat_count--;
    if (passed) {
        unpass(i, unit);
        i->passed[i->passed_count++] = (struct passed){unit, m.now_ms + rule_of(i)->again_ms + 1};
    }
    m.on[unit] = -1;
    m.moved[m.moved_count++] = unit;
    set_state(i);
}

static void take(struct incident *i, int unit, int64_t drive_ms, uint32_t turnout_ms)
{
    uint32_t ack_ms = rule_of(i)->ack_ms;
    touch(i);
    i->seats[i->seat_count++] =
        (struct seat){unit, HT_INCIDENT_IS_ASSIGNED, m.now_ms + turnout_ms + drive_ms,
                      ack_ms == 0 ? 0 : m.now_ms + ack_ms, turnout_ms};
    unpass(i, unit);
    i->at_risk = i->at_risk && m.now_ms + turnout_ms + drive_ms > i->deadline_ms;
    i->risk_by_ms = i->deadline_ms;
    m.on[unit] = index_of(i);
    m.moved[m.moved_count++] = unit;
    set_state(i);
}

static int64_t drive_ms(const struct incident *i, int unit)
{
    const struct ht_stage_unit *u = &stage->units[unit];
    if (!u->on_duty || !ht_stage_has(u->skills, rule_of(i)->skills)) {
        return -1;
    }
    return llabs(u->at - strtoll(i->place, NULL, 10));
}

static int64_t again_of(const struct incident *i, int unit)
{
    for (uint32_t p = 0; p < i->passed_count; p++) {
        if (i->passed[p].unit == unit) {
            return i->passed[p].again_ms;
        }
    }
    return -1;
}

/* The nearest that is free: never passed over, or counting again. */
static int nearest_free(const struct incident *i, bool again)
{
    int best = -1;
    for (int u = 0; u < UNITS; u++) {
        int64_t at = again_of(i, u);
        bool may = again ? at >= 0 && at <= m.now_ms : at < 0;
        if (may && m.on[u] < 0 && drive_ms(i, u) >= 0 &&
            (best < 0 || drive_ms(i, u) < drive_ms(i, best))) {
            best = u;
        }
    }
    return best;
}

static uint32_t turnout_when_pulled(const struct incident *i, int unit)
{
    const struct incident *victim = &m.incidents[m.on[unit]];
    bool drives = victim->seats[seat_at(victim, unit)].state == HT_INCIDENT_IS_ENROUTE;
    return drives ? 0 : rule_of(i)->turnout_ms;
}

static int nearest_pulled(const struct incident *i, int64_t *eta_ms)
{
    int best = -1;
    for (int u = 0; u < UNITS; u++) {
        if (m.on[u] < 0 || drive_ms(i, u) < 0 || again_of(i, u) > m.now_ms) {
            continue;
        }
        const struct incident *victim = &m.incidents[m.on[u]];
        if (victim->severity >= i->severity ||
            victim->seats[seat_at(victim, u)].state == HT_INCIDENT_IS_ONSCENE) {
            continue;
        }
        int64_t eta = m.now_ms + turnout_when_pulled(i, u) + drive_ms(i, u);
        bool nearer = best >= 0 && eta == *eta_ms && drive_ms(i, u) < drive_ms(i, best);
        if (eta < *eta_ms || nearer) {
            best = u;
            *eta_ms = eta;
        }
    }
    return best;
}

static void dispatch(struct incident *i)
{
    touch(i);
    i->tried_ms = m.now_ms;
    if (waits(i)) {
        i->closest_ms = -1;
        for (int u = 0; u < UNITS; u++) {
            int64_t ms = drive_ms(i, u);
            i->closest_ms =
                ms >= 0 && (i->closest_ms < 0 || ms < i->closest_ms) ? ms : i->closest_ms;
        }
    }
    while (waits(i)) {
        int u = nearest_free(i, false);
        u = u >= 0 ? u : nearest_free(i, true);
        uint32_t turnout_ms = rule_of(i)->turnout_ms;
        int64_t eta_ms = u < 0 ? INT64_MAX : m.now_ms + turnout_ms + drive_ms(i, u);
        int pulled = eta_ms > i->deadline_ms ? nearest_pulled(i, &eta_ms) : -1;
        if (pulled >= 0) {
            u = pulled;
            turnout_ms = turnout_when_pulled(i, u);
            m.again[m.again_count++] = m.on[u];
            leave(&m.incidents[m.on[u]], u, false);
        }
        if (u < 0) {
            return;
        }
        take(i, u, drive_ms(i, u), turnout_ms);
    }
}

static bool before(const struct incident *a, const struct incident *b)
{
    if (a->severity != b->severity) {
        return a->severity > b->severity;
    }
    return a->received_ms != b->received_ms ? a->received_ms < b->received_ms : a->order < b->order;
}

/* The next that waits after `last` (NULL: the first), by severity, time and order: of those to whom
 * nobody could come at all, or of the others. */
static struct incident *next_waiting(const struct incident *last, bool lost)
{
    struct incident *best = NULL;
    for (int n = 0; n < INCIDENTS; n++) {
        struct incident *i = &m.incidents[n];
        if (waits(i) && (i->closest_ms < 0) == lost && (last == NULL || before(last, i)) &&
            (best == NULL || before(i, best))) {
            best = i;
        }
    }
    return best;
}

static void give(int unit)
{
    for (struct incident *i = next_waiting(NULL, false); i != NULL; i = next_waiting(i, false)) {
        if (again_of(i, unit) <= m.now_ms && drive_ms(i, unit) >= 0) {
            take(i, unit, drive_ms(i, unit), rule_of(i)->turnout_ms);
            return;
        }
    }
}

static int64_t eta_of(const struct incident *i)
{
    int64_t eta = i->arrived_ms != 0 ? i->arrived_ms : INT64_MAX;
    for (uint32_t s = 0; s < i->seat_count && i->arrived_ms == 0; s++) {
        eta = i->seats[s].eta_ms < eta ? i->seats[s].eta_ms : eta;
    }
    return eta;
}

static void finish(void)
{
    for (size_t n = 0; n < m.again_count; n++) {
        dispatch(&m.incidents[m.again[n]]);
    }
    for (size_t n = 0; n < m.moved_count; n++) {
        if (m.on[m.moved[n]] < 0) {
            give(m.moved[n]);
        }
    }
    for (size_t n = 0; n < m.touched_count; n++) {
        struct incident *i = &m.incidents[m.touched_order[n]];
        if (!is_open(i) || !i->confirmed) {
            continue;
        }
        if (i->state == HT_INCIDENT_IS_RECEIVED) {
            int64_t takes =
                i->closest_ms < 0 ? INT64_MAX / 2 : i->closest_ms + rule_of(i)->turnout_ms;
            bool late = m.now_ms + takes > i->deadline_ms;
            i->state = HT_INCIDENT_IS_QUEUED;
            i->risk_by_ms = late ? 0 : i->deadline_ms - takes + 1;
            i->at_risk = i->at_risk || late;
        } else if (i->seat_count > 0 && eta_of(i) > i->deadline_ms) {
            i->at_risk = true;
        }
    }
}

static int64_t clock_at(const struct incident *i, int step)
{
    uint32_t ms = rule_of(i)->clock_ms[step - 1];
    return ms == 0 || i->level == 2 ? 0 : m.now_ms + ms;
}

static void step_to(struct incident *i, uint8_t step)
{
    if (i->step < step) {
        i->step = step;
        i->step_by_ms = clock_at(i, step);
        i->step_from_ms = m.now_ms;
    }
}

/* The same step, by other rules or another severity. */
static void reclock(struct incident *i)
{
    uint32_t ms = rule_of(i)->clock_ms[i->step - 1];
    int64_t by_ms = ms == 0 ? 0 : i->step_from_ms + ms;
    if ((is_open(i) || i->state == HT_INCIDENT_IS_RESOLVED) && i->level < 2 &&
        by_ms != i->step_by_ms) {
        i->step_by_ms = by_ms != 0 && by_ms <= m.now_ms ? m.now_ms + 1 : by_ms;
    }
}

static void begin(struct incident *i)
{
    const struct ht_desk_rule *rule = rule_of(i);
    i->state = HT_INCIDENT_IS_RECEIVED;
    i->received_ms = m.now_ms;
    i->deadline_ms = m.now_ms + rule->promise_ms;
    i->level = i->solved_at = i->outcome = i->rating = 0;
    i->step = 1;
    i->step_by_ms = clock_at(i, 1);
    i->step_from_ms = m.now_ms;
    i->at_risk = false;
    i->risk_by_ms = i->arrived_ms = 0;
    i->passed_count = 0;
}

static void fold(struct incident *i, const struct ht_desk_command *c)
{
    i->alarms++;
    i->alarm_ms = m.now_ms;
    i->units = c->units > i->units ? c->units : i->units;
    touch(i);
    if (c->severity > i->severity) {
        i->severity = c->severity;
        const struct ht_desk_rule *rule = rule_of(i);
        i->units = rule->units > i->units ? rule->units : i->units;
        if (m.now_ms + rule->promise_ms < i->deadline_ms) {
            i->deadline_ms = m.now_ms + rule->promise_ms;
        }
        if (rule->confirm_ms == 0) {
            i->confirm_by_ms = 0;
            i->confirmed = true;
        }
        reclock(i);
    }
    if (waits(i)) {
        dispatch(i);
    }
}

static enum ht_status open_incident(const struct ht_desk_command *c, int n, int device)
{
    struct incident *newest = NULL; /* the one opened last that still takes alarms */
    for (int o = 0; o < INCIDENTS && device >= 0; o++) {
        struct incident *i = &m.incidents[o];
        if (i->there && is_open(i) && i->device == device && i->kind == c->incident_kind &&
            m.now_ms - i->alarm_ms < rule_of(i)->fold_ms &&
            (newest == NULL || i->order > newest->order)) {
            newest = i;
        }
    }
    if (newest != NULL) {
        fold(newest, c);
        return HT_OK;
    }
    struct incident *i = &m.incidents[n];
    if (i->there) {
        return HT_EXISTS;
    }
    *i = (struct incident){.there = true,
                           .order = ++m.orders,
                           .place = c->household,
                           .device = device,
                           .kind = c->incident_kind,
                           .severity = c->severity,
                           .alarms = 1,
                           .alarm_ms = m.now_ms,
                           .closest_ms = -1};
    begin(i);
    touch(i);
    i->units = c->units != 0 ? c->units : rule_of(i)->units;
    i->confirmed = rule_of(i)->confirm_ms == 0;
    i->confirm_by_ms = i->confirmed ? 0 : m.now_ms + rule_of(i)->confirm_ms;
    if (waits(i)) {
        dispatch(i);
    }
    return HT_OK;
}

static enum ht_status meant(const struct incident *i, const char *unit, uint32_t states, int *seat)
{
    int count = 0;
    for (uint32_t s = 0; s < i->seat_count; s++) {
        bool can = (states >> i->seats[s].state & 1U) != 0;
        if (unit != NULL && strcmp(unit_ids[i->seats[s].unit], unit) == 0) {
            *seat = (int)s;
            return can ? HT_OK : HT_CONFLICT;
        }
        if (unit == NULL && can) {
            *seat = (int)s;
            count++;
        }
    }
    return unit == NULL && count == 1 ? HT_OK : HT_CONFLICT;
}

enum {
    ASSIGNED = 1U << HT_INCIDENT_IS_ASSIGNED,
    ACKNOWLEDGED = 1U << HT_INCIDENT_IS_ACKNOWLEDGED,
    ENROUTE = 1U << HT_INCIDENT_IS_ENROUTE
};

static enum ht_status confirm(struct incident *i)
{
    if (!is_open(i) || i->confirmed) {
        return HT_CONFLICT;
    }
    i->confirmed = true;
    i->confirm_by_ms = 0;
    dispatch(i);
    return HT_OK;
}

static enum ht_status unit_says(struct incident *i, const struct ht_desk_command *c)
{
    int s = -1;
    uint32_t states = c->kind == HT_DESK_ACK      ? ASSIGNED
                      : c->kind == HT_DESK_GO     ? ACKNOWLEDGED
                      : c->kind == HT_DESK_ARRIVE ? ENROUTE
                                                  : ASSIGNED | ACKNOWLEDGED | ENROUTE;
    if (!is_open(i)) {
        return HT_CONFLICT;
    }
    enum ht_status status = meant(i, c->unit, states, &s);
    if (status != HT_OK) {
        return status;
    }
    if (c->kind == HT_DESK_DECLINE) {
        leave(i, i->seats[s].unit, true);
        dispatch(i);
        return HT_OK;
    }
    i->seats[s].state++;
    set_state(i);
    if (c->kind == HT_DESK_ACK) {
        step_to(i, 2);
    } else if (c->kind == HT_DESK_ARRIVE) {
        i->arrived_ms = i->arrived_ms == 0 ? m.now_ms : i->arrived_ms;
        step_to(i, 3);
    }
    return HT_OK;
}

static void end(struct incident *i, enum ht_incident_state state)
{
    i->state = state;
    i->step_by_ms = 0;
    i->risk_by_ms = 0;
    while (i->seat_count > 0) {
        leave(i, i->seats[0].unit, false);
    }
}

static enum ht_status resolve(struct incident *i, const struct ht_desk_command *c)
{
    if (c->outcome == HT_OUTCOME_NONE) {
        return HT_RANGE;
    }
    if (!is_open(i) || (c->outcome == HT_OUTCOME_HELPED && i->state != HT_INCIDENT_IS_ONSCENE)) {
        return HT_CONFLICT;
    }
    if (c->unit != NULL && seat_at(i, c->unit[1] - '0') < 0) {
        return HT_CONFLICT;
    }
    i->outcome = (uint8_t)c->outcome;
    i->solved_at = i->level;
    end(i, HT_INCIDENT_IS_RESOLVED);
    i->step = 5;
    i->step_by_ms = clock_at(i, 5);
    i->step_from_ms = m.now_ms;
    return HT_OK;
}

static enum ht_status reassign(struct incident *i, const struct ht_desk_command *c)
{
    if (!is_open(i) || !i->confirmed) {
        return HT_CONFLICT;
    }
    int unit = c->unit == NULL ? -1 : c->unit[1] - '0';
    if (unit >= 0 && seat_at(i, unit) >= 0) {
        return HT_CONFLICT;
    }
    if (c->instead_of != NULL) {
        int s = -1;
        enum ht_status status = meant(i, c->instead_of, ASSIGNED | ACKNOWLEDGED | ENROUTE, &s);
        if (status != HT_OK) {
            return status;
        }
        i->at_risk = false;
        leave(i, i->seats[s].unit, true);
    }
    for (uint32_t s = 0; s < i->seat_count && c->instead_of == NULL;) {
        if (i->seats[s].state == HT_INCIDENT_IS_ONSCENE) {
            s++;
        } else {
            i->at_risk = false;
            leave(i, i->seats[s].unit, true);
        }
    }
    if (!waits(i) || (unit >= 0 && (m.on[unit] >= 0 || drive_ms(i, unit) < 0))) {
        return HT_CONFLICT;
    }
    if (unit >= 0) {
        take(i, unit, drive_ms(i, unit), rule_of(i)->turnout_ms);
    }
    dispatch(i);
    return HT_OK;
}

static enum ht_status live_eta(struct incident *i, const struct ht_desk_command *c)
{
    int seat = -1;
    enum ht_status status = meant(i, c->unit, ASSIGNED | ACKNOWLEDGED | ENROUTE, &seat);
    if (status != HT_OK || i->at_risk || i->arrived_ms != 0) {
        return status;
    }
    i->at_risk = c->eta_ms > i->deadline_ms;
    return HT_OK;
}

static enum ht_status loop(struct incident *i, const struct ht_desk_command *c)
{
    if (c->kind == HT_DESK_EVALUATE) {
        if (c->rating < 1 || c->rating > 5) {
            return HT_RANGE;
        }
        if (i->state != HT_INCIDENT_IS_RESOLVED) {
            return HT_CONFLICT;
        }
        i->rating = c->rating;
        end(i, HT_INCIDENT_IS_EVALUATED);
    } else if (c->kind == HT_DESK_CANCEL) {
        if (!is_open(i)) {
            return HT_CONFLICT;
        }
        end(i, HT_INCIDENT_IS_CANCELLED);
    } else if (c->kind == HT_DESK_REOPEN) {
        if (is_open(i)) {
            return HT_CONFLICT;
        }
        begin(i);
        i->confirmed = true;
        i->confirm_by_ms = 0;
        dispatch(i);
    } else {
        if (i->state < HT_INCIDENT_IS_ONSCENE || i->state > HT_INCIDENT_IS_RESOLVED) {
            return HT_CONFLICT;
        }
        step_to(i, c->kind == HT_DESK_FOLLOW_UP ? 4 : 5);
    }
    return HT_OK;
}

static int64_t sooner(int64_t best, int64_t at_ms)
{
    return at_ms != 0 && at_ms < best ? at_ms : best;
}

static int64_t due_of(const struct incident *i)
{
    int64_t due = sooner(INT64_MAX, i->step_by_ms);
    if (!is_open(i)) {
        return due;
    }
    due = i->confirmed ? due : sooner(due, i->confirm_by_ms);
    if (!i->at_risk && i->state != HT_INCIDENT_IS_ONSCENE) {
        due = sooner(due, i->risk_by_ms);
    }
    for (uint32_t s = 0; s < i->seat_count; s++) {
        bool silent = i->seats[s].state == HT_INCIDENT_IS_ASSIGNED;
        due = silent ? sooner(due, i->seats[s].ack_by_ms) : due;
    }
    for (uint32_t p = 0; p < i->passed_count && waits(i); p++) {
        due = i->passed[p].again_ms > i->tried_ms ? sooner(due, i->passed[p].again_ms) : due;
    }
    return due;
}

static struct incident *due_first(void)
{
    struct incident *first = NULL;
    for (int n = 0; n < INCIDENTS; n++) {
        struct incident *i = &m.incidents[n];
        if (i->there && (first == NULL || due_of(i) < due_of(first) ||
                         (due_of(i) == due_of(first) && i->order < first->order))) {
            first = i;
        }
    }
    return first;
}

static void tick_one(struct incident *i)
{
    bool open = is_open(i);
    touch(i);
    if (open && !i->confirmed && i->confirm_by_ms != 0 && i->confirm_by_ms <= m.now_ms) {
        i->confirmed = true;
        i->confirm_by_ms = 0;
    }
    for (uint32_t s = 0; s < i->seat_count;) {
        const struct seat *seat = &i->seats[s];
        if (seat->state == HT_INCIDENT_IS_ASSIGNED && seat->ack_by_ms != 0 &&
            seat->ack_by_ms <= m.now_ms) {
            leave(i, seat->unit, true);
        } else {
            s++;
        }
    }
    if (i->step_by_ms != 0 && i->step_by_ms <= m.now_ms) {
        i->level++;
        i->step_by_ms = clock_at(i, i->step);
        i->step_from_ms = m.now_ms;
    }
    if (waits(i)) {
        dispatch(i);
    }
    if (is_open(i) && i->state != HT_INCIDENT_IS_ONSCENE && i->risk_by_ms != 0 &&
        i->risk_by_ms <= m.now_ms) {
        i->at_risk = true;
    }
}

/* One that got too little although nobody was left out for it speaks for its sort. */
static bool speaks(const struct incident *i)
{
    bool left_out = false;
    for (uint32_t p = 0; p < i->passed_count; p++) {
        left_out = left_out || i->passed[p].again_ms > m.now_ms;
    }
    return waits(i) && !left_out && i->closest_ms >= 0;
}

/* Where the last look at the lost ones ended: a sort of place, not of state. */
static struct incident cursor;

static void settle_lost(void)
{
    enum { AT_ONCE = 16 };
    const struct incident *end = NULL;
    for (int n = 0; n < AT_ONCE; n++) {
        struct incident *i = next_waiting(&cursor, true);
        i = i == NULL ? next_waiting(NULL, true) : i;
        if (i == NULL || i == end) {
            return;
        }
        cursor = *i;
        dispatch(i);
        end = end == NULL && waits(i) && i->closest_ms < 0 ? i : end;
    }
}

/* The same, of one kind and severity. */
static struct incident *next_like(int kind, int severity, const struct incident *last)
{
    struct incident *i = next_waiting(last, false);
    while (i != NULL && ((int)i->kind != kind || i->severity != severity)) {
        i = next_waiting(i, false);
    }
    return i;
}

/* The first of each kind and severity in order, then the next of it; none where one speaks for
 * all. Victims of pulls have their turn afterwards. */
static void settle(void)
{
    enum { SORTS = HT_INCIDENT_KINDS * HT_DESK_SEVERITIES };
    struct incident *next[SORTS];
    for (int k = 0; k < SORTS; k++) {
        next[k] = next_like(k / HT_DESK_SEVERITIES, k % HT_DESK_SEVERITIES + 1, NULL);
    }
    for (;;) {
        int first = -1;
        for (int k = 0; k < SORTS; k++) {
            if (next[k] != NULL && (first < 0 || before(next[k], next[first]))) {
                first = k;
            }
        }
        if (first < 0) {
            break;
        }
        struct incident here = *next[first]; /* it may be among the lost ones afterwards */
        dispatch(next[first]);
        next[first] = speaks(next[first]) ? NULL : next_like(here.kind, here.severity, &here);
    }
    settle_lost();
}

static enum ht_status run_model(const struct ht_desk_command *c, int n, int device)
{
    struct incident *i = &m.incidents[n];
    m.now_ms = c->now_ms;
    m.moved_count = m.again_count = m.touched_count = 0;
    memset(m.touched, 0, sizeof m.touched);
    enum ht_status status = HT_OK;
    if (c->kind == HT_DESK_OPEN) {
        status = open_incident(c, n, device);
    } else if (c->kind == HT_DESK_TICK) {
        for (int k = 0; k < 64 && due_first() != NULL && due_of(due_first()) <= m.now_ms; k++) {
            tick_one(due_first());
        }
    } else if (c->kind == HT_DESK_SETTLE) {
        settle();
    } else if (!i->there) {
        status = HT_NOT_FOUND;
    } else if (c->kind == HT_DESK_RECLOCK) {
        touch(i);
        reclock(i);
    } else {
        touch(i);
        bool awaited = is_open(i) && !i->confirmed && c->unit == NULL;
        bool unit = c->kind == HT_DESK_ACK || c->kind == HT_DESK_GO || c->kind == HT_DESK_ARRIVE ||
                    c->kind == HT_DESK_DECLINE;
        status = c->kind == HT_DESK_CONFIRM || (c->kind == HT_DESK_ACK && awaited) ? confirm(i)
                 : unit                                                            ? unit_says(i, c)
                 : c->kind == HT_DESK_RESOLVE                                      ? resolve(i, c)
                 : c->kind == HT_DESK_REASSIGN                                     ? reassign(i, c)
                 : c->kind == HT_DESK_ETA                                          ? live_eta(i, c)
                                                                                   : loop(i, c);
    }
    if (status == HT_OK) {
        finish();
    }
    return status;
}

/* ---- both -------------------------------------------------------------------------------------
 */

static bool same_units(const struct ht_incident *got, const struct incident *want)
{
    if (got->seat_count != want->seat_count || got->passed_count != want->passed_count) {
        return false;
    }
    bool same = true;
    for (uint32_t s = 0; s < want->seat_count; s++) {
        const struct ht_desk_seat *seat = &got->seats[s];
        same = same && strcmp(seat->unit, unit_ids[want->seats[s].unit]) == 0 &&
               seat->state == want->seats[s].state && seat->eta_ms == want->seats[s].eta_ms &&
               seat->ack_by_ms == want->seats[s].ack_by_ms &&
               seat->turnout_ms == want->seats[s].turnout_ms;
    }
    for (uint32_t p = 0; p < want->passed_count; p++) {
        same = same && strcmp(got->passed[p].unit, unit_ids[want->passed[p].unit]) == 0 &&
               got->passed[p].again_at_ms == want->passed[p].again_ms;
    }
    return same;
}

static bool same_incident(const struct ht_incident *got, const struct incident *want)
{
    if (got == NULL || !want->there) {
        return got == NULL && !want->there;
    }
    return got->kind == want->kind && got->severity == want->severity &&
           got->state == want->state && got->confirmed == want->confirmed &&
           got->at_risk == want->at_risk && got->alarms == want->alarms &&
           got->units == want->units && got->step == want->step && got->level == want->level &&
           got->solved_at == want->solved_at && got->outcome == want->outcome &&
           got->rating == want->rating && got->received_ms == want->received_ms &&
           got->alarm_ms == want->alarm_ms && got->deadline_ms == want->deadline_ms &&
           got->confirm_by_ms == want->confirm_by_ms && got->step_by_ms == want->step_by_ms &&
           got->step_from_ms == want->step_from_ms && got->risk_by_ms == want->risk_by_ms &&
           got->first_arrived_ms == want->arrived_ms && got->order == (uint64_t)want->order &&
           same_units(got, want);
}

static bool same_state(void)
{
    bool same = true;
    const struct incident *first = due_first();
    for (int n = 0; n < INCIDENTS; n++) {
        const struct ht_incident *got = ht_desk_pending(stage->desk, ids[n]);
        if (!same_incident(got, &m.incidents[n])) {
            (void)printf("  %s: desk %s, model %s\n", ids[n],
                         got == NULL ? "none" : ht_incident_state_text(got->state),
                         m.incidents[n].there ? ht_incident_state_text(m.incidents[n].state)
                                              : "none");
            same = false;
        }
    }
    for (int u = 0; u < UNITS; u++) {
        const char *on = ht_desk_engaged(stage->desk, unit_ids[u]);
        same = same && ht_stage_same_text(on, m.on[u] < 0 ? NULL : ids[m.on[u]]);
    }
    return same && ht_desk_due_ms(stage->desk) == (first == NULL ? INT64_MAX : due_of(first));
}

static struct ht_desk_rules model_rules(void)
{
    struct ht_desk_rules rules = ht_desk_rules_default();
    rules.joint = false;
    for (int s = 0; s < HT_DESK_SEVERITIES; s++) {
        for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
            struct ht_desk_rule *rule = &rules.rule[k][s];
            rule->promise_ms = 400000 + (uint32_t)(3 - s) * 150000;
            rule->fold_ms = 120000;
            rule->ack_ms = 90000;
            for (int n = 0; n < HT_DESK_STEPS; n++) {
                rule->clock_ms[n] = 200000 * (uint32_t)(n + 1);
            }
        }
        rules.rule[HT_INCIDENT_DOOR][s].confirm_ms = s == 3 ? 0 : 60000;
        rules.rule[HT_INCIDENT_GAS][s].units = s == 3 ? 3 : 2;
        (void)strcpy(rules.rule[HT_INCIDENT_HEART][s].skills, "aed");
    }
    return rules;
}

static const char *any_unit(uint64_t *random, uint32_t none_of)
{
    uint32_t u = ht_random_below(random, UNITS + none_of);
    return u < UNITS ? unit_ids[u] : NULL;
}

static struct ht_desk_command any_command(uint64_t *random, int64_t now_ms, int *n, int *device)
{
    static const enum ht_incident_kind kinds[] = {HT_INCIDENT_SOS, HT_INCIDENT_HEART,
                                                  HT_INCIDENT_DOOR, HT_INCIDENT_GAS};
    static const enum ht_desk_command_kind often[] = {
        HT_DESK_OPEN,   HT_DESK_ACK,     HT_DESK_GO,      HT_DESK_ARRIVE, HT_DESK_ACK,   HT_DESK_GO,
        HT_DESK_ARRIVE, HT_DESK_RESOLVE, HT_DESK_DECLINE, HT_DESK_TICK,   HT_DESK_SETTLE};
    uint32_t pick = ht_random_below(random, 24);
    struct ht_desk_command c = {.now_ms = now_ms};
    c.kind = pick < 11 ? often[pick]
                       : (enum ht_desk_command_kind)ht_random_below(random, HT_DESK_COMMANDS);
    *n = (int)ht_random_below(random, INCIDENTS);
    *device = (int)ht_random_below(random, DEVICES + 4);
    *device = *device < DEVICES ? *device : -1;
    c.incident = ids[*n];
    c.unit = any_unit(random, c.kind == HT_DESK_RESOLVE ? 30 : 10);
    c.instead_of = c.kind == HT_DESK_REASSIGN ? any_unit(random, 10) : NULL;
    c.household = places[ht_random_below(random, 5)];
    c.device = *device < 0 ? NULL : devices[*device];
    c.incident_kind = kinds[ht_random_below(random, 4)];
    c.severity = (uint8_t)(1 + ht_random_below(random, 4));
    c.units = (uint8_t)(ht_random_below(random, 5) == 0 ? 1 + ht_random_below(random, 3) : 0);
    c.outcome = (enum ht_desk_outcome)ht_random_below(random, HT_OUTCOMES);
    c.rating = (uint8_t)ht_random_below(random, 7);
    c.eta_ms = now_ms + ht_random_below(random, 900000);
    return c;
}

/* The office has other clocks now. */
static void stir_rules(uint64_t *random)
{
    if (ht_random_below(random, 20) != 0) {
        return;
    }
    uint32_t unit_ms = 50000 * ht_random_below(random, 6); /* 0: none runs */
    for (int s = 0; s < HT_DESK_SEVERITIES; s++) {
        for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
            for (int n = 0; n < HT_DESK_STEPS; n++) {
                stage->rules.rule[k][s].clock_ms[n] = unit_ms * (uint32_t)(n + 5 - s);
            }
        }
    }
    HT_CHECK_INT(ht_desk_set_rules(stage->desk, &stage->rules, NULL), HT_OK);
}

static void stir_units(uint64_t *random)
{
    struct ht_stage_unit *unit = &stage->units[ht_random_below(random, UNITS)];
    if (ht_random_below(random, 3) == 0) {
        unit->on_duty = ht_random_below(random, 4) != 0;
    } else {
        unit->at = ht_random_below(random, 1000000);
    }
}

/* A few commands in one transaction, which may fail. */
static bool run_batch(uint64_t *random, int64_t *now_ms)
{
    enum { MOST = 3 };
    static struct model before;
    struct ht_desk_chooser chooser = ht_stage_chooser(stage);
    struct ht_desk_decision *decisions[MOST] = {NULL};
    int count = 1 + (int)ht_random_below(random, MOST);
    bool fails = ht_random_below(random, 10) == 0;
    bool same = true;
    before = m;
    for (int k = 0; k < count && same; k++) {
        int n = 0;
        int device = -1;
        *now_ms += ht_random_below(random, 20000);
        struct ht_desk_command c = any_command(random, *now_ms, &n, &device);
        static struct model untouched;
        untouched = m;
        enum ht_status want = run_model(&c, n, device);
        enum ht_status got = ht_desk_decide(stage->desk, &c, &chooser, &decisions[k], NULL);
        if (want != HT_OK) {
            m = untouched;
        }
        if (got == HT_OK && ht_random_below(random, 10) == 0) {
            ht_desk_take_back(stage->desk, decisions[k]);
            decisions[k] = NULL;
            m = untouched;
        }
        same = got == want && same_state();
        if (!same) {
            (void)printf("  command %d about %s: %s, not %s\n", (int)c.kind, c.incident,
                         ht_status_text(got), ht_status_text(want));
        }
    }
    for (int k = 0; k < count; k++) {
        int other = fails && count > 1 ? (k + 1) % count : k; /* in any order */
        if (fails) {
            ht_desk_drop(stage->desk, decisions[other]);
        } else if (decisions[k] != NULL) {
            ht_stage_write(stage, decisions[k]);
            ht_desk_apply(stage->desk, decisions[k]);
        }
    }
    if (fails) {
        m = before;
    }
    return same && same_state();
}

static void begin_stage(const struct ht_desk_rules *rules)
{
    stage = ht_stage_new(rules);
    memset(&m, 0, sizeof m);
    cursor = (struct incident){0};
    for (int u = 0; u < UNITS; u++) {
        struct ht_stage_unit *unit = ht_stage_add(stage, unit_ids[u], u * 130000);
        unit->skills = u % 3 == 0 ? "aed" : "";
        m.on[u] = -1;
    }
}

/* A walk that never came there would say little. */
static void note_kinds(bool seen[HT_DESK_EVENT_KINDS], bool pulled[1])
{
    for (size_t n = 0; n < stage->event_count; n++) {
        seen[stage->events[n].kind] = true;
        pulled[0] = pulled[0] || stage->events[n].reason == HT_RELEASED_PULLED;
    }
}

HT_CASE(the_desk_does_what_a_plain_model_does)
{
    enum { BATCHES = 500 };
    int rounds = HT_LONG ? 1000 : 300;
    uint64_t random = 20260101;
    struct ht_desk_rules rules = model_rules();
    size_t events = 0;
    bool same = true;
    bool seen[HT_DESK_EVENT_KINDS] = {false};
    bool pulled = false;
    for (int round = 0; round < rounds && same; round++) {
        int64_t now_ms = 1000000;
        begin_stage(&rules);
        for (int n = 0; n < BATCHES && same; n++) {
            stir_units(&random);
            stir_rules(&random);
            same = run_batch(&random, &now_ms);
        }
        HT_CHECK(same);
        struct ht_desk *again = ht_stage_replay(stage);
        same = same && ht_stage_same_desks(stage->desk, again);
        HT_CHECK(same);
        events += stage->event_count;
        note_kinds(seen, &pulled);
        ht_desk_free(again);
        ht_stage_free(stage);
    }
    for (int kind = 0; kind < HT_DESK_EVENT_KINDS; kind++) {
        HT_CHECK(seen[kind]);
    }
    HT_CHECK(pulled);
    (void)printf("  %d batches, %zu events\n", rounds * BATCHES, events);
}

HT_MAIN()
