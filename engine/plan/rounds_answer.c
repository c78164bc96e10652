/* The plan under way as an answer: visits, tours, what is missing or broken, loads and costs. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/rounds_internal.h"

/* The answer with memory of its own. */
struct answer {
    struct ht_rounds_plan plan;
    struct ht_rounds_visit *visits;
    struct ht_rounds_tour *tours;
    uint32_t *lists; /* of all tours */
    struct ht_rounds_missing *missing;
    struct ht_rounds_broken *broken;
    struct ht_rounds_idle *idle;
    uint32_t *owner;
    struct ht_rounds_load *loads;
    uint32_t *visit_of; /* [slots]; only while it is made */
};

void ht_rounds_free(struct ht_rounds_plan *plan)
{
    struct answer *a = (struct answer *)plan;
    if (a != NULL) {
        free(a->visits);
        free(a->tours);
        free(a->lists);
        free(a->missing);
        free(a->broken);
        free(a->idle);
        free(a->owner);
        free(a->loads);
        free(a->visit_of);
        free(a);
    }
}

static struct answer *answer_new(const struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    size_t needs = 0;
    size_t tours = 0;
    for (uint32_t s = 0; s < p->site_count; s++) {
        needs += p->sites[s].need_count;
    }
    for (size_t t = 0; t < (size_t)p->inspector_count * r->days; t++) {
        tours += r->tours[t].count > 0;
    }
    struct answer *a = calloc(1, sizeof *a);
    if (a == NULL) {
        return NULL;
    }
    a->visits = ht_array_new_zeroed(r->slot_count, sizeof *a->visits);
    a->tours = ht_array_new_zeroed(tours, sizeof *a->tours);
    a->lists = ht_array_new((size_t)r->slot_count * HT_ROUNDS_CREW_MOST, sizeof *a->lists);
    a->missing = ht_array_new_zeroed(needs, sizeof *a->missing);
    a->broken =
        ht_array_new_zeroed((size_t)r->slot_count * 2 + p->running_count, sizeof *a->broken);
    a->idle = ht_array_new(p->inspector_count, sizeof *a->idle);
    a->owner = ht_array_new(p->site_count, sizeof *a->owner);
    a->loads = ht_array_new_zeroed(p->inspector_count, sizeof *a->loads);
    a->visit_of = ht_array_new(r->slot_count, sizeof *a->visit_of);
    if (a->visits == NULL || a->tours == NULL || a->lists == NULL || a->missing == NULL ||
        a->broken == NULL || a->idle == NULL || a->owner == NULL || a->loads == NULL ||
        a->visit_of == NULL) {
        ht_rounds_free(&a->plan);
        return NULL;
    }
    a->plan.visits = a->visits;
    a->plan.tours = a->tours;
    a->plan.missing = a->missing;
    a->plan.broken = a->broken;
    a->plan.idle = a->idle;
    a->plan.owner = a->owner;
    a->plan.loads = a->loads;
    return a;
}

/* ---- visits ---- */

/* Visits of a site by day; times of what is in tours come with these. */
static void site_visits(const struct ht__rounds *r, struct answer *a, uint32_t site)
{
    for (uint64_t days = r->seen[site]; days != 0; days &= days - 1) {
        uint32_t day = (uint32_t)__builtin_ctzll(days);
        uint32_t index = ht__rounds_slot_on(r, site, day);
        const struct ht__rounds_slot *slot = &r->slots[index];
        a->visit_of[index] = a->plan.visit_count;
        a->visits[a->plan.visit_count++] = (struct ht_rounds_visit){
            .site = site,
            .need = ht__rounds_need_of(&r->problem->sites[site], day),
            .day = day,
            .begin_s = slot->begin_s,
            .end_s = slot->begin_s + (slot->state == HT_ROUNDS_PAST
                                          ? slot->took_s
                                          : (int32_t)r->problem->sites[site].service_s),
            .inspector = slot->lead,
            .second = slot->second,
            .running = slot->running,
            .state = slot->state};
    }
}

static bool is_pair(const struct ht_rounds_visit *v, const struct ht_rounds_running *run)
{
    return (v->inspector == run->inspector && v->second == run->second) ||
           (v->inspector == run->second && v->second == run->inspector);
}

/* Which running visit became which: first those that stay, then the others of the site by day. */
static void site_moves(const struct ht__rounds *r, struct answer *a, uint32_t site, uint32_t first)
{
    const struct ht_rounds_running *running = r->problem->running;
    uint32_t next = first;
    for (uint32_t i = r->run_first[site]; i < r->run_first[site + 1]; i++) {
        const struct ht_rounds_running *run = &running[r->run_list[i]];
        bool so = false;
        for (uint32_t v = first; v < a->plan.visit_count && !so; v++) {
            struct ht_rounds_visit *visit = &a->visits[v];
            if (visit->day == run->day && visit->state != HT_ROUNDS_PAST && is_pair(visit, run)) {
                visit->running = r->run_list[i];
                so = true;
            }
        }
    }
    for (uint32_t i = r->run_first[site]; i < r->run_first[site + 1]; i++) {
        bool taken = false;
        for (uint32_t v = first; v < a->plan.visit_count; v++) {
            taken = taken || a->visits[v].running == r->run_list[i];
        }
        while (!taken && next < a->plan.visit_count && a->visits[next].running != HT_PLAN_NONE) {
            next++;
        }
        if (!taken && next < a->plan.visit_count) {
            a->visits[next].running = r->run_list[i];
            a->visits[next].moved = true;
        }
    }
}

/* Once times are known: what stays, and what does not. */
static void moves_count(const struct ht__rounds *r, struct answer *a)
{
    for (uint32_t v = 0; v < a->plan.visit_count; v++) {
        struct ht_rounds_visit *visit = &a->visits[v];
        if (visit->running == HT_PLAN_NONE || visit->state == HT_ROUNDS_PAST) {
            continue;
        }
        int32_t by_s = visit->begin_s - r->problem->running[visit->running].begin_s;
        visit->moved = visit->moved || by_s > HT_ROUNDS_SHIFT_S || by_s < -HT_ROUNDS_SHIFT_S;
        a->plan.kept += !visit->moved;
    }
    a->plan.moved = r->run_first[r->problem->site_count] - a->plan.kept;
}

/* ---- tours and loads ---- */

static void tour_write(const struct ht__rounds *r, struct answer *a, uint32_t inspector,
                       uint32_t day)
{
    const struct ht_rounds_problem *p = r->problem;
    const struct ht_rounds_inspector *who = &p->inspectors[inspector];
    const uint32_t *distance_m = p->profiles[who->profile].distance_m;
    size_t at = (size_t)inspector * r->days + day;
    const uint32_t *stops = r->stops + at * r->room;
    uint32_t count = r->tours[at].count;
    struct ht_rounds_tour *tour = &a->tours[a->plan.tour_count++];
    uint32_t *list = a->lists;
    uint32_t before = ht__rounds_start(r, inspector, day);
    uint64_t metres = 0;
    for (uint32_t k = 0; k <= count; k++) {
        uint32_t here = k < count ? p->sites[r->slots[stops[k]].site].location : who->end;
        if (distance_m != NULL && before != here && before != HT_PLAN_NONE &&
            here != HT_PLAN_NONE) {
            metres += distance_m[(size_t)before * p->location_count + here];
        }
        before = here;
        if (k < count) {
            struct ht_rounds_visit *visit = &a->visits[a->visit_of[stops[k]]];
            visit->begin_s = r->begin_s[at * r->room + k];
            visit->end_s = visit->begin_s + (int32_t)p->sites[visit->site].service_s;
            list[k] = a->visit_of[stops[k]];
        }
    }
    const struct ht_rounds_visit *first = &a->visits[list[0]];
    const struct ht_rounds_visit *last = &a->visits[list[count - 1]];
    *tour = (struct ht_rounds_tour){
        .inspector = inspector,
        .day = day,
        .start_s =
            first->begin_s - ht__rounds_way_s(r, inspector, ht__rounds_start(r, inspector, day),
                                              p->sites[first->site].location),
        .end_s =
            last->end_s + ht__rounds_way_s(r, inspector, p->sites[last->site].location, who->end),
        .travel_s = (uint32_t)r->tours[at].travel_s,
        .distance_m = metres > UINT32_MAX ? UINT32_MAX : (uint32_t)metres,
        .count = count,
        .visits = list};
    a->lists += count;
    a->loads[inspector].tours++;
    a->loads[inspector].travel_s += tour->travel_s;
    a->loads[inspector].distance_m += tour->distance_m;
}

static void loads_write(const struct ht__rounds *r, struct answer *a)
{
    for (uint32_t v = 0; v < a->plan.visit_count; v++) {
        const struct ht_rounds_visit *visit = &a->visits[v];
        const uint32_t pair[2] = {visit->inspector, visit->second};
        for (int i = 0; i < 2 && pair[i] != HT_PLAN_NONE; i++) {
            a->loads[pair[i]].visits++;
            a->loads[pair[i]].service_s += visit->end_s - visit->begin_s;
        }
    }
    for (uint32_t s = 0; s < r->problem->site_count; s++) {
        a->owner[s] = r->owner[s];
        if (r->owner[s] != HT_PLAN_NONE) {
            a->loads[r->owner[s]].sites++;
        }
    }
}

static enum ht_status gini_write(const struct ht__rounds *r, struct answer *a)
{
    const struct ht_rounds_problem *p = r->problem;
    uint32_t count = 0;
    int64_t *hours = ht_array_new(p->inspector_count, sizeof *hours);
    if (hours == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < p->inspector_count; i++) {
        const struct ht_rounds_load *load = &a->loads[i];
        uint32_t share = p->inspectors[i].share == 0 ? 100 : p->inspectors[i].share;
        if (load->sites > 0) {
            hours[count++] = (load->travel_s + load->service_s) * 100 / share;
        }
    }
    a->plan.gini_ppm = ht_rounds_gini_ppm(hours, count);
    free(hours);
    return HT_OK;
}

/* ---- what is missing or broken ---- */

static void missing_write(struct ht__rounds *r, struct answer *a, uint32_t site)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    for (uint32_t n = 0; n < s->need_count; n++) {
        uint32_t has = 0;
        for (uint32_t d = s->needs[n].first_day; d <= s->needs[n].last_day; d++) {
            has += (uint32_t)(r->seen[site] >> d & 1);
        }
        if (has < s->needs[n].visits) {
            struct ht_rounds_missing *missing = &a->missing[a->plan.missing_count++];
            *missing = (struct ht_rounds_missing){
                .site = site, .need = n, .visits = s->needs[n].visits - has};
            ht__rounds_why_missing(r, missing);
            a->plan.missing_visits += missing->visits;
        }
    }
}

static void broken_add(struct answer *a, const struct ht_rounds_broken *broken)
{
    a->broken[a->plan.broken_count++] = *broken;
}

static void broken_write(struct ht__rounds *r, struct answer *a, uint32_t site, uint32_t first)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    int64_t last = s->last_day == HT_ROUNDS_NEVER ? INT64_MIN : s->last_day;
    for (uint32_t i = r->run_first[site]; i < r->run_first[site + 1]; i++) {
        const struct ht_rounds_running *run = &r->problem->running[r->run_list[i]];
        struct ht_rounds_broken broken = {.wish = HT_ROUNDS_WISH_PROMISE,
                                          .site = site,
                                          .visit = HT_PLAN_NONE,
                                          .running = r->run_list[i]};
        if (r->lost[r->run_list[i]]) {
            broken.mendable = ht__rounds_why_not_at(r, run, &broken.mend);
            broken_add(a, &broken);
        }
    }
    for (uint32_t v = first; v < a->plan.visit_count && a->visits[v].site == site; v++) {
        const struct ht_rounds_visit *visit = &a->visits[v];
        struct ht_rounds_broken broken = {
            .wish = HT_ROUNDS_WISH_GAP, .site = site, .visit = v, .running = HT_PLAN_NONE};
        int64_t gap = last == INT64_MIN ? 0 : (int64_t)visit->day - last;
        if (s->gap_most_days > 0 && gap > s->gap_most_days) {
            int64_t due = last + s->gap_most_days;
            broken.number = (uint32_t)(gap - s->gap_most_days);
            broken.mendable = due >= (int64_t)r->problem->first_day && due < r->days;
            if (broken.mendable &&
                !ht__rounds_why_not(r, site, visit->inspector, (uint32_t)due, &broken.mend)) {
                broken.mend = (struct ht_rounds_mend){.hint = HT_ROUNDS_HINT_VISITS,
                                                      .number = 1,
                                                      .inspector = HT_PLAN_NONE,
                                                      .day = (uint32_t)due};
            }
            broken_add(a, &broken);
        }
        if (visit->state != HT_ROUNDS_PAST && r->owner[site] != HT_PLAN_NONE &&
            visit->inspector != r->owner[site]) {
            broken.wish = HT_ROUNDS_WISH_OWNER;
            broken.number = 0;
            broken.mendable = true;
            if (!ht__rounds_why_not(r, site, r->owner[site], visit->day, &broken.mend)) {
                broken.mend = (struct ht_rounds_mend){.hint = HT_ROUNDS_HINT_OWNER,
                                                      .number = 1,
                                                      .inspector = r->owner[site],
                                                      .day = HT_PLAN_NONE};
                if (!ht__rounds_may_lead(r, site, r->owner[site])) {
                    broken.mend.inspector = visit->inspector; /* who knows the place now */
                }
            }
            broken_add(a, &broken);
        }
        last = visit->day;
    }
}

/* ---- all ---- */

static void costs_write(const struct ht__rounds *r, struct answer *a)
{
    const struct ht_rounds_problem *p = r->problem;
    struct ht_rounds_cost *sum = &a->plan.cost;
    for (uint32_t s = 0; s < p->site_count; s++) {
        struct ht_rounds_cost one;
        ht__rounds_site_costs(r, s, &one);
        sum->missing += one.missing;
        sum->owner += one.owner;
        sum->late += one.late;
        sum->spread += one.spread;
        sum->early += one.early;
        sum->move += one.move;
    }
    for (size_t t = 0; t < (size_t)p->inspector_count * r->days; t++) {
        sum->move += r->tours[t].away * ht__rounds_shift_price(r);
        if (r->tours[t].count > 0) {
            sum->day += p->prices.day_s;
            sum->travel += r->tours[t].cost - p->prices.day_s;
        }
    }
    for (uint32_t i = 0; i < p->inspector_count; i++) {
        sum->balance += ht__rounds_balance(r, i, r->load_s[i]);
    }
    for (size_t i = 0; r->cell_sites != NULL && i < (size_t)p->inspector_count * r->cell_count;
         i++) {
        sum->cell += r->cell_sites[i] > 0 ? p->prices.cell_s : 0;
    }
    sum->sum = sum->missing + sum->travel + sum->day + sum->owner + sum->late + sum->spread +
               sum->early + sum->move + sum->cell + sum->balance;
}

enum ht_status ht__rounds_answer(struct ht__rounds *r, struct ht_rounds_plan **out)
{
    const struct ht_rounds_problem *p = r->problem;
    struct answer *a = answer_new(r);
    if (a == NULL) {
        return HT_NOMEM;
    }
    uint32_t *lists = a->lists;
    for (uint32_t s = 0; s < p->site_count; s++) {
        uint32_t first = a->plan.visit_count;
        site_visits(r, a, s);
        site_moves(r, a, s, first);
    }
    for (size_t t = 0; t < (size_t)p->inspector_count * r->days; t++) {
        if (r->tours[t].count > 0) {
            ht__rounds_tour_keep(r, (uint32_t)(t / r->days), (uint32_t)(t % r->days));
            tour_write(r, a, (uint32_t)(t / r->days), (uint32_t)(t % r->days));
        }
    }
    moves_count(r, a);
    a->lists = lists; /* it went along the tours */
    loads_write(r, a);
    uint32_t first = 0;
    for (uint32_t s = 0; s < p->site_count; s++) {
        missing_write(r, a, s);
        broken_write(r, a, s, first);
        while (first < a->plan.visit_count && a->visits[first].site == s) {
            first++;
        }
    }
    for (uint32_t i = 0; i < p->inspector_count; i++) {
        if (a->loads[i].visits == 0) {
            a->idle[a->plan.idle_count++] = (struct ht_rounds_idle){i, ht__rounds_why_idle(r, i)};
        }
    }
    costs_write(r, a);
    if (gini_write(r, a) != HT_OK) {
        ht_rounds_free(&a->plan);
        return HT_NOMEM;
    }
    free(a->visit_of);
    a->visit_of = NULL;
    *out = &a->plan;
    return HT_OK;
}
