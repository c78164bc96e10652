#include "engine/live/desk_joint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/desk_internal.h"
#include "engine/plan/assign.h"

enum {
    GROUP = 8,    /* incidents */
    WAITING = 4,  /* of them from the queue */
    NEAREST = 16, /* units looked at for each */
    COLUMNS = GROUP * (NEAREST + HT_DESK_UNITS_MAX),
    NOBODY_MS = 7200000, /* from now until somebody comes to one that nobody comes to */
    SCALE = 256          /* lateness counts first; below it break ties: who stays, then travel */
};

static_assert((int64_t)NOBODY_MS * SCALE + SCALE < HT_ASSIGN_UNREACHABLE, "costs fit");

struct column {
    uint64_t hash;
    char unit[HT_DESK_ID_MAX + 1];
};

/* What a pair would be: of the ranking, or the seat that is there. */
struct pair {
    const struct ht_desk_candidate *candidate; /* NULL: it sits there already */
    int64_t eta_ms;
};

struct row {
    struct ht__entry *entry;
    uint32_t places; /* wanted, less those that acknowledged */
    uint32_t cost[COLUMNS];
    struct pair pair[COLUMNS];
};

struct ht__joint {
    struct ht_assign *assign;
    struct row rows[GROUP];
    uint32_t row_count;
    struct column columns[COLUMNS];
    uint32_t column_count;
};

enum ht_status ht__desk_joint_new(struct ht__joint **out)
{
    struct ht__joint *joint = calloc(1, sizeof *joint);
    enum ht_status status = joint == NULL ? HT_NOMEM : ht_assign_new(&joint->assign);
    if (status != HT_OK) {
        free(joint);
        return status;
    }
    *out = joint;
    return HT_OK;
}

void ht__desk_joint_free(struct ht__joint *joint)
{
    if (joint != NULL) {
        ht_assign_free(joint->assign);
        free(joint);
    }
}

/* ---- who is looked at -------------------------------------------------------------------------
 */

static uint32_t fresh_seats(const struct ht_incident *i)
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < i->seat_count; s++) {
        count += i->seats[s].state == HT_INCIDENT_IS_ASSIGNED ? 1 : 0;
    }
    return count;
}

static void add_row(struct ht__joint *j, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    for (uint32_t r = 0; r < j->row_count; r++) {
        if (j->rows[r].entry == e) {
            return;
        }
    }
    uint32_t fresh = fresh_seats(i);
    uint32_t places = i->units > i->seat_count ? i->units - i->seat_count + fresh : fresh;
    if (j->row_count < GROUP && ht__desk_is_open(i) && i->confirmed && places > 0) {
        j->rows[j->row_count].entry = e;
        j->rows[j->row_count++].places = places;
    }
}

/* ---- what it costs ----------------------------------------------------------------------------
 */

static int64_t weight_of(const struct ht__turn *turn, const struct ht__entry *e)
{
    return turn->desk->rules.weight[e->pending->view.severity - 1];
}

static int64_t late_ms(const struct ht__entry *e, int64_t eta_ms)
{
    int64_t late = eta_ms - e->pending->view.deadline_ms;
    return late > 0 ? late : 0;
}

/* How late it is if nobody comes for that long: more for one that has waited, and nothing for one
 * that can wait. */
static int64_t nobody_late_ms(const struct ht__turn *turn, const struct ht__entry *e)
{
    return late_ms(e, turn->now_ms + NOBODY_MS);
}

/* As it was decided one by one. */
static int64_t lateness_now(const struct ht__turn *turn)
{
    const struct ht__joint *j = turn->desk->joint;
    int64_t sum = 0;
    for (uint32_t r = 0; r < j->row_count; r++) {
        const struct ht__entry *e = j->rows[r].entry;
        const struct ht_incident *i = &e->pending->view;
        int64_t late = nobody_late_ms(turn, e) * (j->rows[r].places - fresh_seats(i));
        for (uint32_t s = 0; s < i->seat_count; s++) {
            bool fresh = i->seats[s].state == HT_INCIDENT_IS_ASSIGNED;
            late += fresh ? late_ms(e, i->seats[s].eta_ms) : 0;
        }
        sum += late * weight_of(turn, e);
    }
    return sum;
}

/* The one that it is about, the first of those that wait, and those that have a unit which it might
 * have had. */
static enum ht_status gather_rows(struct ht__turn *turn, struct ht__entry *about)
{
    struct ht_desk *d = turn->desk;
    struct ht__joint *j = d->joint;
    struct ht_desk_want want = ht__desk_want_of(turn, about);
    uint32_t count = 0;
    j->row_count = 0;
    add_row(j, about);
    if (lateness_now(turn) == 0) {
        return HT_OK; /* it is served in time, by a unit that the others had no better use for */
    }
    struct ht__entry *e = ht__desk_queue_first(d->heads);
    for (int n = 0; n < WAITING && e != NULL; n++) {
        add_row(j, e);
        struct ht__entry *next = ht__desk_queue_after(e->queued->queue, e->waiting.key);
        struct ht__entry *head = ht__desk_queue_after(d->heads, e->waiting.key);
        bool same = next != NULL &&
                    (head == NULL || ht__desk_key_before(&next->waiting.key, &head->waiting.key));
        e = same ? next : head;
    }
    enum ht_status status = ht__desk_rank(turn, &want, 0, NEAREST, &count);
    for (uint32_t c = 0; c < count && status == HT_OK; c++) {
        const struct ht__unit *unit =
            (const struct ht__unit *)ht_names_find(&d->units, d->candidates[c].unit);
        if (unit != NULL && unit->pending != NULL) {
            add_row(j, unit->pending);
        }
    }
    return status;
}

static uint32_t column_of(struct ht__joint *j, const char *unit)
{
    uint64_t hash = ht_names_hash(unit);
    for (uint32_t c = 0; c < j->column_count; c++) {
        if (j->columns[c].hash == hash && strcmp(j->columns[c].unit, unit) == 0) {
            return c;
        }
    }
    uint32_t c = j->column_count++;
    j->columns[c].hash = hash;
    memcpy(j->columns[c].unit, unit, strnlen(unit, HT_DESK_ID_MAX) + 1);
    for (uint32_t r = 0; r < j->row_count; r++) {
        j->rows[r].cost[c] = HT_ASSIGN_UNFIT;
    }
    return c;
}

/* What is paid for a pair is NOBODY_MS less what it saves over nobody: the plan is the best for all
 * together, also where not all are served. */
static void set_pair(const struct ht__turn *turn, uint32_t r, const char *unit, struct pair pair,
                     uint32_t travel_ms)
{
    struct row *row = &turn->desk->joint->rows[r];
    uint32_t c = column_of(turn->desk->joint, unit);
    int64_t pays = NOBODY_MS + late_ms(row->entry, pair.eta_ms) - nobody_late_ms(turn, row->entry);
    uint32_t travel_s = travel_ms / 1000;
    pays = pays < 0 ? 0 : pays > NOBODY_MS ? NOBODY_MS : pays;
    row->pair[c] = pair;
    uint32_t moves = 1 + (travel_s < SCALE - 1 ? travel_s : SCALE - 2);
    row->cost[c] = (uint32_t)pays * SCALE + (pair.candidate == NULL ? 0 : moves);
}

/* It is free, or sits on one of these, did not acknowledge yet, and is not held there. */
static bool may_move(const struct ht__turn *turn, const char *unit)
{
    const struct ht__joint *j = turn->desk->joint;
    const struct ht__unit *u = (const struct ht__unit *)ht_names_find(&turn->desk->units, unit);
    if (u == NULL || u->pending == NULL) {
        return true;
    }
    if (ht__desk_is_held(turn, u)) {
        return false;
    }
    for (uint32_t r = 0; r < j->row_count; r++) {
        if (j->rows[r].entry == u->pending) {
            return ht__desk_seat_of(u->pending->pending, unit)->state == HT_INCIDENT_IS_ASSIGNED;
        }
    }
    return false;
}

static bool is_passed(const struct ht__turn *turn, const struct ht_incident *i, const char *unit)
{
    for (uint32_t p = 0; p < i->passed_count; p++) {
        if (i->passed[p].again_at_ms > turn->now_ms && strcmp(i->passed[p].unit, unit) == 0) {
            return true;
        }
    }
    return false;
}

static enum ht_status fill_row(struct ht__turn *turn, uint32_t r)
{
    struct ht_desk *d = turn->desk;
    const struct ht__entry *e = d->joint->rows[r].entry;
    const struct ht_incident *i = &e->pending->view;
    struct ht_desk_want want = ht__desk_want_of(turn, e);
    uint32_t count = 0;
    enum ht_status status = ht__desk_rank(turn, &want, (size_t)r * NEAREST, NEAREST, &count);
    uint32_t turnout_ms = ht__desk_rule_of(d, i)->turnout_ms;
    for (uint32_t c = 0; c < count && status == HT_OK; c++) {
        const struct ht_desk_candidate *candidate = &d->candidates[r * NEAREST + c];
        if (may_move(turn, candidate->unit) && !is_passed(turn, i, candidate->unit)) {
            int64_t eta_ms = turn->now_ms + turnout_ms + candidate->duration_ms + i->access_ms;
            set_pair(turn, r, candidate->unit, (struct pair){candidate, eta_ms},
                     candidate->duration_ms);
        }
    }
    for (uint32_t s = 0; s < i->seat_count && status == HT_OK; s++) {
        const struct ht_desk_seat *seat = &i->seats[s];
        if (seat->state == HT_INCIDENT_IS_ASSIGNED) {
            set_pair(turn, r, seat->unit, (struct pair){NULL, seat->eta_ms}, seat->duration_ms);
        }
    }
    return status;
}

static enum ht_status solve(struct ht__turn *turn)
{
    struct ht__joint *j = turn->desk->joint;
    struct ht_assign_task tasks[GROUP];
    /* room for all rows at once: the pairs borrow from the ranking */
    enum ht_status status =
        ht_array_reserve((void **)&turn->desk->candidates, &turn->desk->candidate_room,
                         (size_t)GROUP * NEAREST, sizeof *turn->desk->candidates);
    j->column_count = 0;
    for (uint32_t r = 0; r < j->row_count && status == HT_OK; r++) {
        status = fill_row(turn, r);
    }
    for (uint32_t r = 0; r < j->row_count; r++) {
        const struct row *row = &j->rows[r];
        tasks[r] = (struct ht_assign_task){.cost_ms = row->cost,
                                           .places = row->places,
                                           .weight = (uint32_t)weight_of(turn, row->entry),
                                           .priority = row->entry->pending->view.severity};
    }
    struct ht_assign_units units = {.count = j->column_count};
    if (status == HT_OK) {
        status = ht_assign_begin(j->assign, &units);
    }
    return status == HT_OK ? ht_assign_add(j->assign, tasks, j->row_count) : status;
}

static int64_t lateness_then(const struct ht__turn *turn)
{
    const struct ht__joint *j = turn->desk->joint;
    const struct ht_assign_plan *plan = ht_assign_plan(j->assign);
    int64_t sum = 0;
    for (uint32_t r = 0; r < j->row_count; r++) {
        const struct row *row = &j->rows[r];
        sum += weight_of(turn, row->entry) * nobody_late_ms(turn, row->entry) * row->places;
    }
    for (size_t p = 0; p < plan->pair_count; p++) {
        const struct row *row = &j->rows[plan->pairs[p].task];
        int64_t late = late_ms(row->entry, row->pair[plan->pairs[p].unit].eta_ms);
        sum += weight_of(turn, row->entry) * (late - nobody_late_ms(turn, row->entry));
    }
    return sum;
}

/* ---- the change -------------------------------------------------------------------------------
 */

static bool stays(const struct ht__joint *j, uint32_t r, const char *unit)
{
    const struct ht_assign_plan *plan = ht_assign_plan(j->assign);
    for (size_t p = 0; p < plan->pair_count; p++) {
        if (plan->pairs[p].task == r && strcmp(j->columns[plan->pairs[p].unit].unit, unit) == 0) {
            return true;
        }
    }
    return false;
}

static enum ht_status release_row(struct ht__turn *turn, uint32_t r)
{
    struct ht__joint *j = turn->desk->joint;
    struct ht__entry *e = j->rows[r].entry;
    enum ht_status status = HT_OK;
    for (uint32_t s = 0; s < e->pending->view.seat_count && status == HT_OK;) {
        const struct ht_desk_seat *seat = &e->pending->seats[s];
        if (seat->state != HT_INCIDENT_IS_ASSIGNED || stays(j, r, seat->unit)) {
            s++;
        } else {
            status = ht__desk_let_go(turn, e, seat->unit, HT_RELEASED_BETTER);
        }
    }
    return status;
}

static enum ht_status carry_out(struct ht__turn *turn)
{
    struct ht__joint *j = turn->desk->joint;
    const struct ht_assign_plan *plan = ht_assign_plan(j->assign);
    enum ht_status status = HT_OK;
    for (uint32_t r = 0; r < j->row_count && status == HT_OK; r++) {
        status = release_row(turn, r);
    }
    for (size_t p = 0; p < plan->pair_count && status == HT_OK; p++) {
        const struct row *row = &j->rows[plan->pairs[p].task];
        const struct pair *pair = &row->pair[plan->pairs[p].unit];
        if (pair->candidate != NULL) {
            const struct ht_desk_rule *rule =
                ht__desk_rule_of(turn->desk, &row->entry->pending->view);
            struct ht_desk_event trip = {.duration_ms = pair->candidate->duration_ms,
                                         .length_mm = pair->candidate->length_mm,
                                         .turnout_ms = rule->turnout_ms};
            status = ht__desk_send(turn, row->entry, j->columns[plan->pairs[p].unit].unit, &trip);
        }
    }
    return status;
}

enum ht_status ht__desk_joint(struct ht__turn *turn, struct ht__entry *about)
{
    struct ht__joint *j = turn->desk->joint;
    enum ht_status status = gather_rows(turn, about);
    if (status != HT_OK || j->row_count < 2) {
        return status;
    }
    int64_t now = lateness_now(turn);
    status = solve(turn);
    return status == HT_OK && lateness_then(turn) < now ? carry_out(turn) : status;
}
