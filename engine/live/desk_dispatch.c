/* Whom to send. The ranking is asked for in growing parts, and first for those that are not known
 * to be engaged: mostly the first of two is the one. Others are looked at where nobody comes and
 * it is to be said how far the closest is, or where one that is engaged might be pulled.
 *
 *   candidates   [ idle ones: the nearest 2, 8, 32 ... | the closest of all | to be pulled ]
 *                  0                                idle                                  all
 *
 * A unit that this batch set free is known to be engaged still: until that is written, all are
 * asked for at once.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/desk_internal.h"

enum {
    IDLE_FIRST = 4,
    NEAREST_FIRST = 16,
    NEAREST_MOST = 256,
    COVERAGE_AMONG = 8,
    LOOKED_AT = 256, /* engaged ones, whether they might be pulled */
    ASKED_ALONE = 6  /* of these */
};

struct ht_desk_want ht__desk_want_of(const struct ht__turn *turn, const struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    const struct ht_desk_rule *rule = ht__desk_rule_of(turn->desk, i);
    return (struct ht_desk_want){.incident = i->id,
                                 .household = i->household,
                                 .kind = i->kind,
                                 .severity = i->severity,
                                 .blue_light = rule->blue_light,
                                 .coverage = turn->desk->rules.choice == HT_DESK_COVERAGE,
                                 .skills = i->skills != NULL ? i->skills : rule->skills,
                                 .now_ms = turn->now_ms};
}

enum ht_status ht__desk_rank(struct ht__turn *turn, const struct ht_desk_want *want, size_t at,
                             uint32_t most, uint32_t *count)
{
    struct ht_desk *d = turn->desk;
    *count = 0;
    enum ht_status status = ht_array_reserve((void **)&d->candidates, &d->candidate_room, at + most,
                                             sizeof *d->candidates);
    if (status == HT_OK) {
        status = turn->chooser->rank(turn->chooser->user, want, d->candidates + at, most, count);
        *count = *count < most ? *count : most;
    }
    for (uint32_t c = 0; c < *count && status == HT_OK; c++) {
        d->candidates[at + c].unit[HT_DESK_ID_MAX] = '\0';
    }
    return status;
}

/* ---- who can be had ---------------------------------------------------------------------------
 */

enum had { FREE, FREE_AGAIN, ENGAGED, PASSED };

/* What the desk knows of a candidate. */
static enum had had_of(const struct ht__turn *turn, const struct ht__entry *e, const char *unit)
{
    const struct ht__unit *u = (const struct ht__unit *)ht_names_find(&turn->desk->units, unit);
    const struct ht_incident *i = &e->pending->view;
    for (uint32_t p = 0; u != NULL && p < i->passed_count; p++) {
        if (i->passed[p].unit == u->id) {
            if (i->passed[p].again_at_ms > turn->now_ms) {
                return PASSED;
            }
            return u->pending == NULL ? FREE_AGAIN : ENGAGED;
        }
    }
    return u == NULL || u->pending == NULL ? FREE : ENGAGED;
}

static uint32_t count_free(const struct ht__turn *turn, const struct ht__entry *e, size_t from,
                           size_t to)
{
    uint32_t count = 0;
    for (size_t c = from; c < to; c++) {
        count += had_of(turn, e, turn->desk->candidates[c].unit) == FREE ? 1 : 0;
    }
    return count;
}

/* What the candidates are. */
struct ranked {
    size_t idle; /* those before were asked for first */
    size_t all;
};

/* Enough candidates for `need` that are free, or all there are, from 0 on. */
static enum ht_status gather_idle(struct ht__turn *turn, const struct ht__entry *e, uint32_t need,
                                  struct ranked *out)
{
    struct ht_desk_want want = ht__desk_want_of(turn, e);
    uint32_t among = want.coverage ? need + COVERAGE_AMONG - 1 : need;
    uint32_t count = 0;
    bool known = turn->desk->freed == 0;
    for (uint32_t most = known && among < IDLE_FIRST ? among + 1 : NEAREST_FIRST;; most *= 4) {
        want.idle = known || most > NEAREST_MOST; /* who was set free is not that near */
        enum ht_status status = ht__desk_rank(turn, &want, 0, most, &count);
        out->idle = out->all = count;
        if (status != HT_OK || count < most || most > UINT32_MAX / 8 ||
            count_free(turn, e, 0, count) >= among) {
            return status;
        }
    }
}

/* ---- the choice -------------------------------------------------------------------------------
 */

struct choice {
    const struct ht_desk_candidate *candidate; /* NULL: nobody */
    int64_t eta_ms;
    uint32_t turnout_ms;
    uint32_t paid_ms;
    struct ht__entry *victim; /* pulled off it */
};

static int64_t eta_of(const struct ht__turn *turn, const struct ht_incident *i,
                      const struct ht_desk_candidate *candidate, uint32_t turnout_ms)
{
    return turn->now_ms + turnout_ms + candidate->duration_ms + i->access_ms;
}

/* What counts: the way, and what its departure uncovers; late ones for the way alone. */
static int64_t price_of(const struct ht__turn *turn, const struct ht__entry *e,
                        const struct ht_desk_candidate *c)
{
    const struct ht_incident *i = &e->pending->view;
    int64_t eta = eta_of(turn, i, c, ht__desk_rule_of(turn->desk, i)->turnout_ms);
    return eta <= i->deadline_ms ? (int64_t)c->duration_ms + c->loss_ms : INT64_MAX;
}

static struct choice choose_free(const struct ht__turn *turn, const struct ht__entry *e,
                                 size_t total, enum had wanted)
{
    const struct ht_desk *d = turn->desk;
    const struct ht_incident *i = &e->pending->view;
    const struct ht_desk_candidate *closest = NULL;
    const struct ht_desk_candidate *best = NULL;
    int among = d->rules.choice == HT_DESK_COVERAGE ? COVERAGE_AMONG : 1;
    int64_t least = INT64_MAX;
    for (size_t c = 0; c < total && among > 0; c++) {
        const struct ht_desk_candidate *candidate = &d->candidates[c];
        if (had_of(turn, e, candidate->unit) == wanted) {
            int64_t price = price_of(turn, e, candidate);
            closest = closest == NULL ? candidate : closest;
            best = best == NULL || price < least ? candidate : best;
            least = price < least ? price : least;
            among--;
        }
    }
    struct choice choice = {.candidate = best};
    if (best != NULL) {
        choice.turnout_ms = ht__desk_rule_of(d, i)->turnout_ms;
        choice.eta_ms = eta_of(turn, i, best, choice.turnout_ms);
        choice.paid_ms = best->duration_ms - closest->duration_ms;
    }
    return choice;
}

/* Whether it is on the way to a lesser incident, and may be let go there. */
static bool may_pull(const struct ht__turn *turn, const struct ht__entry *e,
                     const struct ht__unit *unit)
{
    const struct ht__version *victim = unit->pending->pending;
    return victim->view.severity < e->pending->view.severity &&
           ht__desk_seat_of(victim, unit->id)->state != HT_INCIDENT_IS_ONSCENE &&
           !ht__desk_is_held(turn, unit) && had_of(turn, e, unit->id) == ENGAGED;
}

/* One that is on the way to a lesser incident and would be here sooner. It needs no turnout when it
 * drives already. */
static struct choice choose_pulled(const struct ht__turn *turn, const struct ht__entry *e,
                                   size_t total, struct choice best)
{
    const struct ht_desk *d = turn->desk;
    const struct ht_incident *i = &e->pending->view;
    for (size_t c = 0; c < total; c++) {
        const struct ht_desk_candidate *candidate = &d->candidates[c];
        const struct ht__unit *unit =
            (const struct ht__unit *)ht_names_find(&d->units, candidate->unit);
        if (unit == NULL || unit->pending == NULL || !may_pull(turn, e, unit)) {
            continue;
        }
        const struct ht_desk_seat *seat = ht__desk_seat_of(unit->pending->pending, unit->id);
        uint32_t turnout_ms =
            seat->state == HT_INCIDENT_IS_ENROUTE ? 0 : ht__desk_rule_of(d, i)->turnout_ms;
        int64_t eta_ms = eta_of(turn, i, candidate, turnout_ms);
        if (best.candidate == NULL || eta_ms < best.eta_ms) {
            best = (struct choice){candidate, eta_ms, turnout_ms, 0, unit->pending};
        }
    }
    return best;
}

static struct choice choose(const struct ht__turn *turn, const struct ht__entry *e,
                            struct ranked ranked)
{
    struct choice choice = choose_free(turn, e, ranked.idle, FREE);
    if (choice.candidate == NULL) {
        choice = choose_free(turn, e, ranked.idle, FREE_AGAIN);
    }
    if (turn->desk->rules.preempt &&
        (choice.candidate == NULL || choice.eta_ms > e->pending->view.deadline_ms)) {
        choice = choose_pulled(turn, e, ranked.all, choice);
    }
    return choice;
}

/* How many of the idle ones can come, and how many of those that `need` places get will be in time:
 * who was passed over comes only where the others don't suffice, however near (see choose). */
static uint32_t count_coming(const struct ht__turn *turn, const struct ht__entry *e,
                             struct ranked ranked, uint32_t need, uint32_t *in_time)
{
    const struct ht_incident *i = &e->pending->view;
    uint32_t turnout_ms = ht__desk_rule_of(turn->desk, i)->turnout_ms;
    uint32_t count[2] = {0};
    uint32_t timely[2] = {0};
    for (size_t c = 0; c < ranked.idle; c++) {
        const struct ht_desk_candidate *candidate = &turn->desk->candidates[c];
        enum had had = had_of(turn, e, candidate->unit);
        if (had == FREE || had == FREE_AGAIN) {
            int again = had == FREE_AGAIN ? 1 : 0;
            count[again]++;
            timely[again] += eta_of(turn, i, candidate, turnout_ms) <= i->deadline_ms ? 1 : 0;
        }
    }
    uint32_t left = count[0] < need ? need - count[0] : 0;
    *in_time = timely[0] + (timely[1] < left ? timely[1] : left);
    return count[0] + count[1];
}

/* What the slowest idle one that is free takes until it is there, less the walk: nobody who takes
 * longer is pulled while enough of them are. */
static uint32_t slowest_idle(const struct ht__turn *turn, const struct ht__entry *e,
                             struct ranked ranked)
{
    uint32_t turnout_ms = ht__desk_rule_of(turn->desk, &e->pending->view)->turnout_ms;
    uint32_t slowest_ms = 0;
    for (size_t c = 0; c < ranked.idle; c++) {
        const struct ht_desk_candidate *candidate = &turn->desk->candidates[c];
        slowest_ms = candidate->duration_ms > slowest_ms ? candidate->duration_ms : slowest_ms;
    }
    return slowest_ms < UINT32_MAX - turnout_ms ? slowest_ms + turnout_ms : UINT32_MAX;
}

static int nearer(const void *left, const void *right)
{
    const struct ht_desk_candidate *a = left;
    const struct ht_desk_candidate *b = right;
    return a->duration_ms != b->duration_ms ? (a->duration_ms < b->duration_ms ? -1 : 1)
                                            : strcmp(a->unit, b->unit);
}

/* Those that can be pulled, one by one: mostly they are few, and far away for a search. False: they
 * are many. */
static enum ht_status gather_few(struct ht__turn *turn, const struct ht__entry *e,
                                 const struct ht_desk_want *all, struct ranked *ranked, bool *few)
{
    struct ht_desk *d = turn->desk;
    struct ht_desk_want want = *all;
    size_t first = ranked->all;
    size_t asked = 0;
    enum ht_status status = HT_OK;
    *few = d->engaged_count <= LOOKED_AT;
    for (size_t n = 0; n < d->engaged_count && *few && status == HT_OK; n++) {
        if (!may_pull(turn, e, d->engaged[n])) {
            continue;
        }
        uint32_t count = 0;
        *few = ++asked <= ASKED_ALONE;
        want.unit = d->engaged[n]->id;
        status = *few ? ht__desk_rank(turn, &want, ranked->all, 1, &count) : HT_OK;
        ranked->all += count;
    }
    if (status == HT_OK && *few && ranked->all > first) {
        qsort(d->candidates + first, ranked->all - first, sizeof *d->candidates, nearer);
    }
    return status;
}

/* Behind the idle ones those that might be pulled: as many of the nearest as it takes to find one
 * where they are too many to be looked at one by one. */
static enum ht_status gather_pulled(struct ht__turn *turn, const struct ht__entry *e,
                                    struct ht_desk_want *want, struct ranked *ranked)
{
    const struct choice none = {.candidate = NULL};
    size_t first = ranked->all;
    bool few = false;
    enum ht_status status = gather_few(turn, e, want, ranked, &few);
    for (uint32_t most = NEAREST_FIRST; status == HT_OK && !few; most *= 4) {
        uint32_t count = 0;
        status = ht__desk_rank(turn, want, first, most, &count);
        ranked->all = first + count;
        few = count < most || most >= NEAREST_MOST ||
              choose_pulled(turn, e, ranked->all, none).candidate != NULL;
    }
    return status;
}

/* All who may have to be looked at for `need` places. */
static enum ht_status gather(struct ht__turn *turn, struct ht__entry *e, uint32_t need,
                             struct ranked *ranked)
{
    uint32_t in_time = 0;
    enum ht_status status = gather_idle(turn, e, need, ranked);
    if (status != HT_OK) {
        return status;
    }
    struct ht_desk_want want = ht__desk_want_of(turn, e);
    uint32_t coming = count_coming(turn, e, *ranked, need, &in_time);
    uint32_t count = 0;
    want.coverage = false;
    if (coming == 0) { /* how far is the closest of all? */
        status = ht__desk_rank(turn, &want, ranked->idle, 1, &count);
        ranked->all += count;
    }
    e->closest_ms = ranked->all > 0 ? turn->desk->candidates[0].duration_ms : UINT32_MAX;
    if (ranked->all > ranked->idle &&
        turn->desk->candidates[ranked->idle].duration_ms < e->closest_ms) {
        e->closest_ms = turn->desk->candidates[ranked->idle].duration_ms;
    }
    bool pulls = turn->desk->rules.preempt && e->pending->view.severity > 1 && in_time < need;
    if (status == HT_OK && pulls && turn->desk->engaged_count > 0) {
        want.max_ms = coming >= need ? slowest_idle(turn, e, *ranked) : 0;
        status = gather_pulled(turn, e, &want, ranked);
    }
    return status;
}

/* ---- sending ----------------------------------------------------------------------------------
 */

enum ht_status ht__desk_send(struct ht__turn *turn, struct ht__entry *e, const char *unit,
                             const struct ht_desk_event *trip)
{
    const struct ht_incident *i = &e->pending->view;
    uint32_t ack_ms = ht__desk_rule_of(turn->desk, i)->ack_ms;
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_ASSIGNED);
    event.unit = unit;
    event.duration_ms = trip->duration_ms;
    event.length_mm = trip->length_mm;
    event.turnout_ms = trip->turnout_ms;
    event.paid_ms = trip->paid_ms;
    event.access_ms = i->access_ms;
    event.eta_ms = turn->now_ms + trip->turnout_ms + trip->duration_ms + i->access_ms;
    event.deadline_ms = i->deadline_ms;
    event.ack_by_ms = ack_ms == 0 ? 0 : turn->now_ms + ack_ms;
    return ht__desk_say(turn, e, &event);
}

enum ht_status ht__desk_let_go(struct ht__turn *turn, struct ht__entry *e, const char *unit,
                               enum ht_desk_reason reason)
{
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_RELEASED);
    event.unit = unit;
    event.reason = (uint8_t)reason;
    if (reason == HT_RELEASED_REASSIGNED) {
        event.again_at_ms =
            turn->now_ms + ht__desk_rule_of(turn->desk, &e->pending->view)->again_ms + 1;
    }
    enum ht_status status = ht__desk_say(turn, e, &event);
    if (status == HT_OK && (reason == HT_RELEASED_PULLED || reason == HT_RELEASED_BETTER)) {
        status = ht_array_reserve((void **)&turn->again, &turn->again_room, turn->again_count + 1,
                                  sizeof(struct ht__entry *));
        if (status == HT_OK) {
            turn->again[turn->again_count++] = e;
        }
    }
    return status;
}

static enum ht_status send_choice(struct ht__turn *turn, struct ht__entry *e,
                                  const struct choice *choice)
{
    char unit[HT_DESK_ID_MAX + 1];
    struct ht_desk_event trip = {.duration_ms = choice->candidate->duration_ms,
                                 .length_mm = choice->candidate->length_mm,
                                 .turnout_ms = choice->turnout_ms,
                                 .paid_ms = choice->paid_ms};
    memcpy(unit, choice->candidate->unit, sizeof unit);
    enum ht_status status = HT_OK;
    if (choice->victim != NULL) {
        status = ht__desk_let_go(turn, choice->victim, unit, HT_RELEASED_PULLED);
    }
    return status == HT_OK ? ht__desk_send(turn, e, unit, &trip) : status;
}

/* Nobody comes: it waits, and what the closest of all could do says whether it can be in time. */
static enum ht_status say_queued(struct ht__turn *turn, struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    int64_t takes_ms = INT64_MAX - turn->now_ms;
    if (e->closest_ms != UINT32_MAX) {
        takes_ms =
            (int64_t)ht__desk_rule_of(turn->desk, i)->turnout_ms + e->closest_ms + i->access_ms;
    }
    bool late = takes_ms > i->deadline_ms - turn->now_ms;
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_QUEUED);
    event.risk_by_ms = late ? 0 : i->deadline_ms - takes_ms + 1;
    enum ht_status status = ht__desk_say(turn, e, &event);
    if (status == HT_OK && late && !e->pending->view.at_risk) {
        struct ht_desk_event risk = ht__desk_event(turn, e, HT_DESK_AT_RISK);
        risk.eta_ms = turn->now_ms + takes_ms;
        status = ht__desk_say(turn, e, &risk);
    }
    return status;
}

static enum ht_status say_late(struct ht__turn *turn, struct ht__entry *e)
{
    struct ht_desk_event event = ht__desk_event(turn, e, HT_DESK_AT_RISK);
    event.eta_ms = ht_incident_eta_ms(&e->pending->view);
    return ht__desk_say(turn, e, &event);
}

enum ht_status ht__desk_say_outcome(struct ht__turn *turn)
{
    enum ht_status status = HT_OK;
    for (size_t t = 0; t < turn->log->touched_count && status == HT_OK; t++) {
        struct ht__entry *e = turn->log->touched[t].entry;
        const struct ht_incident *i = &e->pending->view;
        if (!ht__desk_is_open(i) || !i->confirmed) {
            continue;
        }
        if (i->state == HT_INCIDENT_IS_RECEIVED) {
            status = say_queued(turn, e);
        } else if (i->seat_count > 0 && !i->at_risk && !ht_incident_within_promise(i)) {
            status = say_late(turn, e);
        }
    }
    return status;
}

enum ht_status ht__desk_dispatch(struct ht__turn *turn, struct ht__entry *e)
{
    struct ranked ranked = {0};
    enum ht_status status = ht__desk_touch(turn->desk, turn->log, e);
    e->tried_ms = status == HT_OK ? turn->now_ms : e->tried_ms;
    if (status == HT_OK && ht__desk_is_waiting(&e->pending->view)) {
        uint32_t need = (uint32_t)e->pending->view.units - e->pending->view.seat_count;
        status = gather(turn, e, need, &ranked);
    }
    while (status == HT_OK && ht__desk_is_waiting(&e->pending->view)) {
        struct choice choice = choose(turn, e, ranked);
        if (choice.candidate == NULL) {
            break;
        }
        status = send_choice(turn, e, &choice);
    }
    if (status == HT_OK) {
        ht__desk_entry_place(turn->desk, e);
    }
    return status;
}

/* The one unit that is asked for, if it can come at all. */
static enum ht_status rank_unit(struct ht__turn *turn, const struct ht__entry *e, const char *unit,
                                const struct ht_desk_candidate **out)
{
    struct ht_desk_want want = ht__desk_want_of(turn, e);
    uint32_t count = 0;
    want.unit = unit;
    enum ht_status status = ht__desk_rank(turn, &want, 0, 1, &count);
    bool found = status == HT_OK && count == 1 && strcmp(turn->desk->candidates[0].unit, unit) == 0;
    *out = found ? &turn->desk->candidates[0] : NULL;
    return status;
}

enum ht_status ht__desk_lacking(struct ht__turn *turn, const struct ht__entry *e,
                                const char *skills, uint32_t *count)
{
    const struct ht_incident *i = &e->pending->view;
    enum ht_status status = HT_OK;
    *count = 0;
    for (uint32_t s = 0; s < i->seat_count && status == HT_OK; s++) {
        struct ht_desk_want want = ht__desk_want_of(turn, e);
        uint32_t found = 0;
        want.unit = i->seats[s].unit;
        want.skills = skills;
        want.coverage = false;
        status = ht__desk_rank(turn, &want, 0, 1, &found);
        *count += status == HT_OK && found == 0 ? 1 : 0;
    }
    return status;
}

static enum ht_status send_unit(struct ht__turn *turn, struct ht__entry *e,
                                const struct ht_desk_candidate *candidate)
{
    const struct ht_incident *i = &e->pending->view;
    struct choice choice = {.candidate = candidate,
                            .turnout_ms = ht__desk_rule_of(turn->desk, i)->turnout_ms};
    return send_choice(turn, e, &choice);
}

enum ht_status ht__desk_dispatch_unit(struct ht__turn *turn, struct ht__entry *e, const char *unit)
{
    const char *engaged = ht_desk_engaged(turn->desk, unit);
    if (engaged != NULL) {
        return ht_error_set(turn->error, HT_CONFLICT, 0, "unit %s is on incident %s", unit,
                            engaged);
    }
    const struct ht_desk_candidate *candidate = NULL;
    enum ht_status status = strnlen(unit, HT_DESK_ID_MAX + 1) > HT_DESK_ID_MAX
                                ? HT_OK
                                : rank_unit(turn, e, unit, &candidate);
    if (status == HT_OK && candidate == NULL) {
        return ht_error_set(turn->error, HT_CONFLICT, 0,
                            "unit %s is off duty, unqualified or can't get there", unit);
    }
    return status == HT_OK ? send_unit(turn, e, candidate) : status;
}

/* ---- the queue --------------------------------------------------------------------------------
 */

enum { SORTS = 64, LOST_TRIED = 16, SETTLED = 128, GIVEN = 1024 };

/* The next of each sort of want, so that they are gone through in order; a sort that can't be met
 * is left out as a whole. */
struct walk {
    struct ht__entry *next[SORTS];
    uint32_t count;
};

static struct walk walk_begin(const struct ht_desk *d)
{
    struct walk walk = {.count = 0};
    struct ht__entry *e = ht__desk_queue_first(d->heads);
    while (e != NULL && walk.count < SORTS) {
        walk.next[walk.count++] = e;
        e = ht__desk_queue_after(d->heads, e->waiting.key);
    }
    return walk;
}

static uint32_t walk_first(const struct walk *walk)
{
    uint32_t first = 0;
    for (uint32_t n = 1; n < walk->count; n++) {
        if (ht__desk_key_before(&walk->next[n]->waiting.key, &walk->next[first]->waiting.key)) {
            first = n;
        }
    }
    return first;
}

static void walk_on(struct walk *walk, uint32_t at, struct ht__entry *next)
{
    walk->next[at] = next;
    if (next == NULL) {
        walk->next[at] = walk->next[--walk->count];
    }
}

/* It wants what the others of its sort want. */
static bool is_of_its_sort(const struct ht__entry *e)
{
    const char *skills = e->pending->facts->skills;
    const char *first = e->facts->skills;
    return skills == first || (skills != NULL && first != NULL && strcmp(skills, first) == 0);
}

/* It got too little, and another of its sort would get no more. Not so where some were left out for
 * this one only. */
static bool speaks_for_others(const struct ht__turn *turn, const struct ht__entry *e)
{
    const struct ht_incident *i = &e->pending->view;
    if (!is_of_its_sort(e)) {
        return false;
    }
    for (uint32_t p = 0; p < i->passed_count; p++) {
        if (i->passed[p].again_at_ms > turn->now_ms) {
            return false;
        }
    }
    return ht__desk_is_waiting(i) && e->closest_ms != UINT32_MAX;
}

/* Those to whom nobody could come take turns. */
static enum ht_status settle_lost(struct ht__turn *turn)
{
    struct ht_desk *d = turn->desk;
    enum ht_status status = HT_OK;
    struct ht__entry *end = NULL;
    for (int tried = 0; tried < LOST_TRIED && status == HT_OK; tried++) {
        struct ht__entry *e = ht__desk_queue_after(d->lost, d->cursor);
        e = e == NULL ? ht__desk_queue_first(d->lost) : e;
        if (e == NULL || e == end) {
            break;
        }
        d->cursor = e->waiting.key;
        status = ht__desk_dispatch(turn, e);
        end = end == NULL && e->waiting.in && e->queued == NULL ? e : end;
    }
    return status;
}

enum ht_status ht__desk_settle_all(struct ht__turn *turn)
{
    struct walk walk = walk_begin(turn->desk);
    for (int tried = 0; tried < SETTLED && walk.count > 0; tried++) {
        uint32_t at = walk_first(&walk);
        struct ht__entry *e = walk.next[at];
        struct ht__sort *sort = e->queued;
        struct ht__key key = e->waiting.key;
        enum ht_status status = ht__desk_dispatch(turn, e);
        if (status != HT_OK) {
            return status;
        }
        bool met = !speaks_for_others(turn, e);
        walk_on(&walk, at, met ? ht__desk_queue_after(sort->queue, key) : NULL);
    }
    return settle_lost(turn);
}

/* Gives a unit that became free to the first that waits and can have it. */
static enum ht_status give(struct ht__turn *turn, const struct ht__unit *unit)
{
    struct walk walk = walk_begin(turn->desk);
    for (int tried = 0; tried < GIVEN && walk.count > 0; tried++) {
        uint32_t at = walk_first(&walk);
        struct ht__entry *e = walk.next[at];
        const struct ht_desk_candidate *candidate = NULL;
        bool passed = had_of(turn, e, unit->id) == PASSED;
        enum ht_status status = passed ? HT_OK : rank_unit(turn, e, unit->id, &candidate);
        if (status == HT_OK && candidate == NULL && (passed || !is_of_its_sort(e))) {
            walk_on(&walk, at, ht__desk_queue_after(e->queued->queue, e->waiting.key));
            continue;
        }
        if (status != HT_OK || candidate != NULL) {
            return status == HT_OK ? send_unit(turn, e, candidate) : status;
        }
        walk_on(&walk, at, NULL);
    }
    return HT_OK;
}

enum ht_status ht__desk_settle_freed(struct ht__turn *turn)
{
    enum ht_status status = HT_OK;
    for (size_t n = 0; n < turn->again_count && status == HT_OK; n++) {
        status = ht__desk_dispatch(turn, turn->again[n]); /* pulls of it are added */
    }
    for (size_t n = 0; n < turn->log->moved_count && status == HT_OK; n++) {
        const struct ht__unit *unit = turn->log->moved[n].unit;
        if (unit->pending == NULL) {
            status = give(turn, unit);
        }
    }
    return status;
}
