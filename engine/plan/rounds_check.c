/* Written from engine/plan/rounds.h alone. Everything is looked up the plain way. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/rounds.h"

struct check {
    const struct ht_rounds_problem *p;
    const struct ht_rounds_plan *plan;
    struct ht_error *error;
    uint32_t *site_first; /* [sites + 1] visits */
    uint8_t *seen;        /* [visits] times in a tour */
    int64_t *load_s;      /* [inspectors] */
    struct ht_rounds_cost cost;
};

#define FAULT(c, where, ...) ht_error_set((c)->error, HT_INVALID, (int64_t)(where), __VA_ARGS__)

static const struct ht_rounds_site *site_of(const struct check *c, const struct ht_rounds_visit *v)
{
    return &c->p->sites[v->site];
}

static int64_t way(const struct check *c, uint32_t inspector, const uint32_t pair[2], bool metres)
{
    const struct ht_plan_profile *profile = &c->p->profiles[c->p->inspectors[inspector].profile];
    if (pair[0] == HT_PLAN_NONE || pair[1] == HT_PLAN_NONE || pair[0] == pair[1]) {
        return 0;
    }
    size_t cell = (size_t)pair[0] * c->p->location_count + pair[1];
    if (metres) {
        return profile->distance_m == NULL ? 0 : profile->distance_m[cell];
    }
    return profile->duration_s[cell];
}

/* Whether one window of the day holds the visit. */
static bool holds(const struct ht_rounds_window *windows, uint32_t count,
                  const struct ht_rounds_visit *v)
{
    for (uint32_t i = 0; i < count; i++) {
        if (windows[i].day == v->day && windows[i].from_s <= v->begin_s &&
            v->end_s <= windows[i].to_s) {
            return true;
        }
    }
    return false;
}

static bool same_pair(const struct ht_rounds_visit *v, const struct ht_rounds_running *run)
{
    return (v->inspector == run->inspector && v->second == run->second) ||
           (v->second == run->inspector && v->inspector == run->second);
}

static bool is_barred(const struct ht_rounds_site *site, uint32_t inspector)
{
    for (uint32_t i = 0; i < site->barred_count; i++) {
        if (site->barred[i] == inspector) {
            return true;
        }
    }
    return false;
}

/* ---- visits ---- */

static enum ht_status visit_people(const struct check *c, const struct ht_rounds_visit *v,
                                   uint32_t at)
{
    const struct ht_rounds_site *site = site_of(c, v);
    const uint32_t pair[2] = {v->inspector, v->second};
    if ((v->second != HT_PLAN_NONE) != (site->crew == 2)) {
        return FAULT(c, at, "visit %u is not by as many as the site takes", at);
    }
    if ((site->skills & ~c->p->inspectors[v->inspector].skills) != 0) {
        return FAULT(c, at, "visit %u: who leads lacks skills", at);
    }
    if (site->owner_hard && site->owner != v->inspector) {
        return FAULT(c, at, "visit %u is not by the hard owner", at);
    }
    for (int i = 0; i < 2 && pair[i] != HT_PLAN_NONE; i++) {
        const struct ht_rounds_inspector *who = &c->p->inspectors[pair[i]];
        if (is_barred(site, pair[i])) {
            return FAULT(c, at, "visit %u is by one who is barred", at);
        }
        if (!holds(who->shifts, who->shift_count, v)) {
            return FAULT(c, at, "visit %u lies outside of a shift", at);
        }
    }
    return HT_OK;
}

/* Of those that are not past. */
static enum ht_status visit_check(const struct check *c, const struct ht_rounds_visit *v,
                                  uint32_t at)
{
    const struct ht_rounds_site *site = site_of(c, v);
    if (v->day < c->p->first_day) {
        return FAULT(c, at, "visit %u lies before the first day", at);
    }
    if ((int64_t)v->end_s - v->begin_s != site->service_s) {
        return FAULT(c, at, "visit %u does not last as long as the service", at);
    }
    if ((site->days >> v->day & 1) == 0 ||
        (site->open_count > 0 && !holds(site->open, site->open_count, v))) {
        return FAULT(c, at, "visit %u is when the site is closed", at);
    }
    return visit_people(c, v, at);
}

/* Of past ones the time is looked at elsewhere. */
static bool same_time(const struct ht_rounds_visit *v, const struct ht_rounds_running *run)
{
    int64_t by_s = (int64_t)v->begin_s - run->begin_s;
    return run->state == HT_ROUNDS_PAST ||
           (by_s <= HT_ROUNDS_SHIFT_S && by_s >= -HT_ROUNDS_SHIFT_S);
}

static enum ht_status visit_running(const struct check *c, const struct ht_rounds_visit *v,
                                    uint32_t at)
{
    if (v->running == HT_PLAN_NONE) {
        return v->state != HT_ROUNDS_PLANNED || v->moved
                   ? FAULT(c, at, "visit %u stays or moved, but from nowhere", at)
                   : HT_OK;
    }
    if (v->running >= c->p->running_count || c->p->running[v->running].site != v->site) {
        return FAULT(c, at, "visit %u is no such running one", at);
    }
    const struct ht_rounds_running *run = &c->p->running[v->running];
    bool so = run->day == v->day && same_pair(v, run) && same_time(v, run);
    if (v->state != HT_ROUNDS_PLANNED &&
        (!so || run->state != v->state || run->begin_s != v->begin_s ||
         run->inspector != v->inspector)) {
        return FAULT(c, at, "visit %u does not stay as it was", at);
    }
    if (v->state == HT_ROUNDS_PAST && run->end_s != v->end_s) {
        return FAULT(c, at, "visit %u did not end so", at);
    }
    if ((v->state == HT_ROUNDS_PAST) != (run->state == HT_ROUNDS_PAST) || v->moved == so) {
        return FAULT(c, at, "visit %u tells wrongly whether it moved", at);
    }
    return HT_OK;
}

static enum ht_status visits_check(struct check *c)
{
    const struct ht_rounds_plan *plan = c->plan;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < plan->visit_count && status == HT_OK; i++) {
        const struct ht_rounds_visit *v = &plan->visits[i];
        if (v->site >= c->p->site_count || v->inspector >= c->p->inspector_count ||
            (v->second != HT_PLAN_NONE && v->second >= c->p->inspector_count) ||
            v->second == v->inspector || v->day >= c->p->weeks * 7) {
            return FAULT(c, i, "visit %u names what is not there", i);
        }
        if (i > 0 && (v[-1].site > v->site || (v[-1].site == v->site && v[-1].day >= v->day))) {
            return FAULT(c, i, "visit %u is out of order, or the second on its day", i);
        }
        uint32_t need = HT_PLAN_NONE;
        for (uint32_t n = 0; n < site_of(c, v)->need_count; n++) {
            const struct ht_rounds_need *s = &site_of(c, v)->needs[n];
            need = s->first_day <= v->day && v->day <= s->last_day ? n : need;
        }
        if (v->need != need || (need == HT_PLAN_NONE && v->state == HT_ROUNDS_PLANNED)) {
            return FAULT(c, i, "visit %u tells its need wrongly, or nobody needs it", i);
        }
        status = v->state == HT_ROUNDS_PAST ? HT_OK : visit_check(c, v, i);
        status = status == HT_OK ? visit_running(c, v, i) : status;
        c->site_first[v->site + 1]++;
    }
    for (uint32_t s = 0; s < c->p->site_count; s++) {
        c->site_first[s + 1] += c->site_first[s];
    }
    return status;
}

/* ---- tours ---- */

static enum ht_status leg_check(struct check *c, const struct ht_rounds_tour *t, uint32_t k,
                                int64_t sums[2])
{
    const struct ht_rounds_inspector *who = &c->p->inspectors[t->inspector];
    const struct ht_rounds_visit *a = k > 0 ? &c->plan->visits[t->visits[k - 1]] : NULL;
    const struct ht_rounds_visit *b = k < t->count ? &c->plan->visits[t->visits[k]] : NULL;
    uint32_t start = who->underway && t->day == c->p->first_day ? who->here : who->start;
    const uint32_t ends[2] = {a != NULL ? site_of(c, a)->location : start,
                              b != NULL ? site_of(c, b)->location : who->end};
    int64_t way_s = way(c, t->inspector, ends, false);
    int64_t way_m = way(c, t->inspector, ends, true);
    int64_t from_s = a != NULL ? a->end_s : t->start_s;
    int64_t to_s = b != NULL ? b->begin_s : t->end_s;
    if (b != NULL && (b->day != t->day || b->state == HT_ROUNDS_PAST ||
                      (b->inspector != t->inspector && b->second != t->inspector))) {
        return FAULT(c, t->visits[k], "visit %u is in a tour that is not its", t->visits[k]);
    }
    bool edge = a == NULL || b == NULL;
    if (edge ? from_s + way_s != to_s : from_s + way_s > to_s) {
        return FAULT(c, k, "inspector %u, day %u: leg %u does not take its time", t->inspector,
                     t->day, k);
    }
    sums[0] += way_s;
    sums[1] += way_m;
    c->cost.travel += way_s + way_m * c->p->prices.per_km_s / 1000;
    return HT_OK;
}

static enum ht_status tour_check(struct check *c, const struct ht_rounds_tour *t)
{
    const struct ht_rounds_inspector *who = &c->p->inspectors[t->inspector];
    int64_t from_s = INT64_MAX;
    int64_t to_s = -1;
    int64_t sums[2] = {0, 0};
    for (uint32_t i = 0; i < who->shift_count; i++) {
        if (who->shifts[i].day == t->day) {
            from_s = who->shifts[i].from_s < from_s ? who->shifts[i].from_s : from_s;
            to_s = who->shifts[i].to_s;
        }
    }
    if (t->count == 0 || t->start_s < from_s || t->end_s > to_s) {
        return FAULT(c, t->inspector, "inspector %u, day %u: out of hours", t->inspector, t->day);
    }
    for (uint32_t k = 0; k < t->count; k++) {
        if (t->visits[k] >= c->plan->visit_count) {
            return FAULT(c, t->inspector, "inspector %u, day %u: no such visit", t->inspector,
                         t->day);
        }
        c->seen[t->visits[k]]++;
    }
    for (uint32_t k = 0; k <= t->count; k++) {
        enum ht_status status = leg_check(c, t, k, sums);
        if (status != HT_OK) {
            return status;
        }
    }
    int64_t metres = sums[1] > UINT32_MAX ? UINT32_MAX : sums[1];
    if (sums[0] != t->travel_s || metres != t->distance_m) {
        return FAULT(c, t->inspector, "inspector %u, day %u: wrong sums", t->inspector, t->day);
    }
    c->cost.day += c->p->prices.day_s;
    c->load_s[t->inspector] += sums[0];
    return HT_OK;
}

static enum ht_status tours_check(struct check *c)
{
    const struct ht_rounds_plan *plan = c->plan;
    for (uint32_t i = 0; i < plan->tour_count; i++) {
        const struct ht_rounds_tour *t = &plan->tours[i];
        if (t->inspector >= c->p->inspector_count || t->day >= c->p->weeks * 7 ||
            (i > 0 && (t[-1].inspector > t->inspector ||
                       (t[-1].inspector == t->inspector && t[-1].day >= t->day)))) {
            return FAULT(c, i, "tour %u is out of order", i);
        }
        enum ht_status status = tour_check(c, t);
        if (status != HT_OK) {
            return status;
        }
    }
    for (uint32_t i = 0; i < plan->visit_count; i++) {
        const struct ht_rounds_visit *v = &plan->visits[i];
        uint32_t times = v->state == HT_ROUNDS_PAST ? 0 : v->second == HT_PLAN_NONE ? 1 : 2;
        if (c->seen[i] != times) {
            return FAULT(c, i, "visit %u is in %u tours", i, c->seen[i]);
        }
    }
    return HT_OK;
}

/* ---- quotas ---- */

static bool comes(const struct ht_rounds_visit *v, uint32_t inspector)
{
    return v->inspector == inspector || v->second == inspector;
}

/* Visits of one inspector from day `from` to `to`; `free`: those of them that were chosen now. */
static uint32_t visits_within(const struct check *c, uint32_t inspector, const uint32_t days[2],
                              uint32_t *free_ones)
{
    uint32_t count = 0;
    *free_ones = 0;
    for (uint32_t i = 0; i < c->plan->visit_count; i++) {
        const struct ht_rounds_visit *v = &c->plan->visits[i];
        if (comes(v, inspector) && days[0] <= v->day && v->day <= days[1]) {
            count++;
            *free_ones += v->state == HT_ROUNDS_PLANNED;
        }
    }
    return count;
}

static enum ht_status quotas_check(const struct check *c)
{
    for (uint32_t i = 0; i < c->p->inspector_count; i++) {
        const struct ht_rounds_inspector *who = &c->p->inspectors[i];
        for (uint32_t d = 0; d < c->p->weeks * 7; d++) {
            uint32_t weekday = (d + c->p->first_weekday) % 7;
            const uint32_t day[2] = {d, d};
            const uint32_t week[2] = {d, d + 6 - weekday};
            uint32_t free_ones = 0;
            if (who->visits_day_most > 0 &&
                visits_within(c, i, day, &free_ones) > who->visits_day_most && free_ones > 0) {
                return FAULT(c, i, "inspector %u has too many visits on day %u", i, d);
            }
            if (who->visits_week_most > 0 && (weekday == 0 || d == 0) &&
                visits_within(c, i, week, &free_ones) > who->visits_week_most && free_ones > 0) {
                return FAULT(c, i, "inspector %u has too many visits in the week of day %u", i, d);
            }
        }
    }
    return HT_OK;
}

/* ---- sites: needs, gaps, wishes ---- */

static bool is_told(const struct check *c, enum ht_rounds_wish wish, uint32_t visit,
                    uint32_t running)
{
    bool told = false;
    for (uint32_t i = 0; i < c->plan->broken_count; i++) {
        const struct ht_rounds_broken *b = &c->plan->broken[i];
        told = told || (b->wish == wish && b->visit == visit && b->running == running);
    }
    return told;
}

static enum ht_status gap_check(struct check *c, uint32_t at, int64_t last, bool last_stays)
{
    const struct ht_rounds_visit *v = &c->plan->visits[at];
    const struct ht_rounds_site *site = site_of(c, v);
    int64_t gap = last == INT64_MIN ? 0 : (int64_t)v->day - last;
    bool late = site->gap_most_days > 0 && gap > site->gap_most_days;
    if (last != INT64_MIN && gap < site->gap_least_days &&
        (v->state == HT_ROUNDS_PLANNED || !last_stays)) {
        return FAULT(c, at, "visit %u comes too soon after the one before", at);
    }
    if (late != is_told(c, HT_ROUNDS_WISH_GAP, at, HT_PLAN_NONE)) {
        return FAULT(c, at, "visit %u: a gap that is too long is not told", at);
    }
    c->cost.late += late ? (gap - site->gap_most_days) * c->p->prices.late_s : 0;
    if (last != INT64_MIN && v->need != HT_PLAN_NONE && site->needs[v->need].visits > 0) {
        const struct ht_rounds_need *need = &site->needs[v->need];
        int64_t off = gap * need->visits - (need->last_day - need->first_day + 1);
        c->cost.spread += llabs(off) * c->p->prices.spread_s / need->visits;
    }
    return HT_OK;
}

static enum ht_status needs_check(struct check *c, uint32_t s, uint32_t *missing_at)
{
    const struct ht_rounds_site *site = &c->p->sites[s];
    for (uint32_t n = 0; n < site->need_count; n++) {
        uint32_t has = 0;
        bool chosen = false;
        for (uint32_t v = c->site_first[s]; v < c->site_first[s + 1]; v++) {
            has += c->plan->visits[v].need == n;
            chosen = chosen || (c->plan->visits[v].need == n &&
                                c->plan->visits[v].state == HT_ROUNDS_PLANNED);
        }
        if (has > site->needs[n].visits && chosen) {
            return FAULT(c, s, "site %u: need %u has too many visits", s, n);
        }
        if (has < site->needs[n].visits) {
            uint32_t lacks = site->needs[n].visits - has;
            const struct ht_rounds_missing *m = &c->plan->missing[*missing_at];
            if (*missing_at >= c->plan->missing_count || m->site != s || m->need != n ||
                m->visits != lacks || (unsigned)m->reason >= HT_ROUNDS_REASONS ||
                (unsigned)m->mend.hint >= HT_ROUNDS_HINTS || m->mend.number == 0) {
                return FAULT(c, s, "site %u: need %u lacks visits, which is not told", s, n);
            }
            ++*missing_at;
            c->cost.missing += (HT_ROUNDS_MISSING_S << (site->risk - 1)) * lacks;
        }
    }
    return HT_OK;
}

static enum ht_status site_check(struct check *c, uint32_t s)
{
    const struct ht_rounds_site *site = &c->p->sites[s];
    uint32_t owner = c->plan->owner[s];
    int64_t last = site->last_day == HT_ROUNDS_NEVER ? INT64_MIN : site->last_day;
    bool last_stays = true;
    bool early = false;
    if (owner != HT_PLAN_NONE &&
        (owner >= c->p->inspector_count ||
         (site->owner == HT_PLAN_NONE &&
          (is_barred(site, owner) || (site->skills & ~c->p->inspectors[owner].skills) != 0)))) {
        return FAULT(c, s, "site %u is owned by one who can't", s);
    }
    if (site->owner != HT_PLAN_NONE && owner != site->owner) {
        return FAULT(c, s, "site %u lost its owner", s);
    }
    for (uint32_t v = c->site_first[s]; v < c->site_first[s + 1]; v++) {
        const struct ht_rounds_visit *visit = &c->plan->visits[v];
        bool other =
            visit->state != HT_ROUNDS_PAST && owner != HT_PLAN_NONE && visit->inspector != owner;
        enum ht_status status = gap_check(c, v, last, last_stays);
        if (status != HT_OK) {
            return status;
        }
        if (other != is_told(c, HT_ROUNDS_WISH_OWNER, v, HT_PLAN_NONE)) {
            return FAULT(c, v, "visit %u: by another than the owner, which is not told", v);
        }
        if (owner == HT_PLAN_NONE && visit->state == HT_ROUNDS_PLANNED) {
            return FAULT(c, s, "site %u is visited, but nobody owns it", s);
        }
        c->cost.owner += other ? c->p->prices.owner_s : 0;
        if (visit->state != HT_ROUNDS_PAST && !early) {
            early = true;
            c->cost.early += (int64_t)c->p->prices.early_s * (site->risk > 2 ? site->risk - 2 : 0) *
                             ((int64_t)visit->day - c->p->first_day);
        }
        last = visit->day;
        last_stays = visit->state != HT_ROUNDS_PLANNED;
    }
    return HT_OK;
}

/* ---- the running plan ---- */

static const struct ht_rounds_visit *visit_on(const struct check *c, uint32_t site, uint32_t day)
{
    for (uint32_t v = c->site_first[site]; v < c->site_first[site + 1]; v++) {
        if (c->plan->visits[v].day == day) {
            return &c->plan->visits[v];
        }
    }
    return NULL;
}

static enum ht_status running_check(struct check *c)
{
    uint32_t kept = 0;
    uint32_t moved = 0;
    for (uint32_t i = 0; i < c->p->running_count; i++) {
        const struct ht_rounds_running *run = &c->p->running[i];
        const struct ht_rounds_visit *v = visit_on(c, run->site, run->day);
        bool so = v != NULL && same_pair(v, run);
        if (run->state == HT_ROUNDS_PAST) {
            if (!so || v->state != HT_ROUNDS_PAST || v->running != i) {
                return FAULT(c, i, "running visit %u was, and is forgotten", i);
            }
            continue;
        }
        bool stays = so && v->state == HT_ROUNDS_PROMISED && v->running == i;
        if (run->state == HT_ROUNDS_PROMISED &&
            stays == is_told(c, HT_ROUNDS_WISH_PROMISE, HT_PLAN_NONE, i)) {
            return FAULT(c, i, "running visit %u: a promise is broken, which is not told", i);
        }
        if (so && v->running != i) {
            return FAULT(c, i, "running visit %u stays, but under another number", i);
        }
        kept += so && same_time(v, run);
        moved += !so || !same_time(v, run);
        c->cost.move += !so                  ? c->p->prices.move_s
                        : !same_time(v, run) ? c->p->prices.move_s / 2
                                             : 0;
    }
    return kept != c->plan->kept || moved != c->plan->moved
               ? FAULT(c, 0, "%u visits stay and %u move, which is told wrongly", kept, moved)
               : HT_OK;
}

/* ---- loads and costs ---- */

static int64_t hours_of(const struct check *c, uint32_t inspector, int64_t load_s)
{
    uint32_t share = c->p->inspectors[inspector].share;
    return load_s * 100 / (share == 0 ? 100 : share);
}

static int64_t fair(const struct check *c)
{
    int64_t service_s = 0;
    int64_t working = 0;
    for (uint32_t s = 0; s < c->p->site_count; s++) {
        const struct ht_rounds_site *site = &c->p->sites[s];
        for (uint32_t n = 0; n < site->need_count; n++) {
            service_s += (int64_t)site->service_s * site->crew * site->needs[n].visits;
        }
    }
    for (uint32_t i = 0; i < c->p->inspector_count; i++) {
        working += c->p->inspectors[i].shift_count > 0;
    }
    int64_t each = working == 0 ? 0 : service_s / working;
    return each > 3600 ? each : 3600;
}

/* What balance makes of `more_s` above the fair load; in whole parts of `whole` and what is left of
 * them, as the product is too great for 64 bits. */
static int64_t balance_of(const struct check *c, int64_t more_s)
{
    const struct ht_rounds_prices *prices = &c->p->prices;
    int64_t squared = prices->balance * more_s * more_s / (100 * fair(c));
    int64_t wish = prices->owner_s > 0 ? prices->owner_s : HT_ROUNDS_PRICE_MOST;
    int64_t longest_s = 0;
    if (prices->balance == 0 || more_s == 0) {
        return 0;
    }
    for (uint32_t s = 0; s < c->p->site_count; s++) {
        bool longer = (int64_t)c->p->sites[s].service_s > longest_s;
        longest_s = longer ? (int64_t)c->p->sites[s].service_s : longest_s;
    }
    int64_t knee = 75 * wish * fair(c) / (prices->balance * (longest_s + 3600));
    knee = knee > HT_ROUNDS_STEEP_MOST_S ? HT_ROUNDS_STEEP_MOST_S : knee < 1 ? 1 : knee;
    int64_t whole = knee + more_s;
    int64_t times = squared / whole;
    return times * knee + (squared - times * whole) * knee / whole;
}

static enum ht_status load_check(struct check *c, uint32_t i, uint32_t *idle_at)
{
    const struct ht_rounds_plan *plan = c->plan;
    struct ht_rounds_load load = {0};
    for (uint32_t v = 0; v < plan->visit_count; v++) {
        if (comes(&plan->visits[v], i)) {
            load.visits++;
            load.service_s += plan->visits[v].end_s - plan->visits[v].begin_s;
        }
    }
    for (uint32_t t = 0; t < plan->tour_count; t++) {
        if (plan->tours[t].inspector == i) {
            load.tours++;
            load.travel_s += plan->tours[t].travel_s;
            load.distance_m += plan->tours[t].distance_m;
        }
    }
    for (uint32_t s = 0; s < c->p->site_count; s++) {
        load.sites += plan->owner[s] == i;
    }
    const struct ht_rounds_load *told = &plan->loads[i];
    if (told->sites != load.sites || told->visits != load.visits || told->tours != load.tours ||
        told->travel_s != load.travel_s || told->service_s != load.service_s ||
        told->distance_m != load.distance_m) {
        return FAULT(c, i, "inspector %u: its load is told wrongly", i);
    }
    if (load.visits == 0) {
        if (*idle_at >= plan->idle_count || plan->idle[*idle_at].inspector != i) {
            return FAULT(c, i, "inspector %u is idle, which is not told", i);
        }
        ++*idle_at;
    }
    c->load_s[i] += load.service_s;
    int64_t l = hours_of(c, i, c->load_s[i]);
    l = l < HT_ROUNDS_LOAD_MOST_S ? l : HT_ROUNDS_LOAD_MOST_S;
    c->cost.balance += balance_of(c, l > fair(c) ? l - fair(c) : 0);
    return HT_OK;
}

static int by_hours(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return a < b ? -1 : a > b;
}

/* Half of the mean difference of two, of the mean; load_s is sorted by it. */
static enum ht_status gini_check(struct check *c)
{
    uint32_t count = 0;
    double apart = 0;
    double sum = 0;
    for (uint32_t i = 0; i < c->p->inspector_count; i++) {
        if (c->plan->loads[i].sites > 0) {
            c->load_s[count++] = hours_of(c, i, c->load_s[i]);
        }
    }
    if (count > 1) {
        qsort(c->load_s, count, sizeof *c->load_s, by_hours);
    }
    for (uint32_t i = 0; i < count; i++) {
        apart += (double)c->load_s[i] * i - sum; /* from all that have less */
        sum += (double)c->load_s[i];
    }
    double told = (double)c->plan->gini_ppm;
    double gini = sum > 0 ? 1e6 * apart / (sum * count) : 0;
    return told < gini - 2 || told > gini + 2 ? FAULT(c, 0, "Gini is told wrongly") : HT_OK;
}

/* Pairs of an inspector and a cell in which it owns a site: each site whose owner has none before
 * it in the same cell. */
static void cells_cost(struct check *c)
{
    for (uint32_t s = 0; s < c->p->site_count && c->p->prices.cell_s > 0; s++) {
        bool first = c->plan->owner[s] != HT_PLAN_NONE && c->p->sites[s].cell != HT_PLAN_NONE;
        for (uint32_t o = 0; o < s && first; o++) {
            first = c->plan->owner[o] != c->plan->owner[s] ||
                    c->p->sites[o].cell != c->p->sites[s].cell;
        }
        c->cost.cell += first ? c->p->prices.cell_s : 0;
    }
}

static enum ht_status costs_check(const struct check *c)
{
    const struct ht_rounds_cost *a = &c->cost;
    const struct ht_rounds_cost *b = &c->plan->cost;
    const int64_t pairs[][2] = {{a->missing, b->missing}, {a->travel, b->travel},
                                {a->day, b->day},         {a->owner, b->owner},
                                {a->late, b->late},       {a->spread, b->spread},
                                {a->early, b->early},     {a->move, b->move},
                                {a->cell, b->cell},       {a->balance, b->balance}};
    static const char *const names[] = {"missing", "travel", "day",  "owner", "late",
                                        "spread",  "early",  "move", "cell",  "balance"};
    int64_t sum = 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i][0] != pairs[i][1]) {
            return FAULT(c, 0, "%s costs %lld, not %lld", names[i], (long long)pairs[i][0],
                         (long long)pairs[i][1]);
        }
        sum += pairs[i][0];
    }
    return sum != b->sum ? FAULT(c, 0, "the sum of costs is wrong") : HT_OK;
}

static enum ht_status sites_check(struct check *c)
{
    uint32_t missing_at = 0;
    uint32_t visits = 0;
    uint32_t told = 0;
    enum ht_status status = HT_OK;
    for (uint32_t s = 0; s < c->p->site_count && status == HT_OK; s++) {
        status = needs_check(c, s, &missing_at);
        status = status == HT_OK ? site_check(c, s) : status;
    }
    for (uint32_t i = 0; i < c->plan->missing_count; i++) {
        visits += c->plan->missing[i].visits;
    }
    if (status == HT_OK &&
        (missing_at != c->plan->missing_count || visits != c->plan->missing_visits)) {
        return FAULT(c, 0, "more is told to be missing than is");
    }
    /* Each that should be there is: no more of them, no doubles. */
    for (uint32_t i = 0; i < c->plan->broken_count && status == HT_OK; i++) {
        const struct ht_rounds_broken *b = &c->plan->broken[i];
        for (uint32_t j = 0; j < i; j++) {
            const struct ht_rounds_broken *o = &c->plan->broken[j];
            told += o->wish == b->wish && o->visit == b->visit && o->running == b->running;
        }
        bool visit = b->wish != HT_ROUNDS_WISH_PROMISE;
        if (told > 0 || (visit ? b->visit >= c->plan->visit_count || b->running != HT_PLAN_NONE
                               : b->running >= c->p->running_count ||
                                     c->p->running[b->running].state != HT_ROUNDS_PROMISED)) {
            return FAULT(c, i, "broken wish %u is told twice, or is none", i);
        }
        uint32_t site = visit ? c->plan->visits[b->visit].site : c->p->running[b->running].site;
        if (site != b->site || (i > 0 && b[-1].site > b->site)) {
            return FAULT(c, i, "broken wish %u is of another site", i);
        }
    }
    return status;
}

static enum ht_status loads_check(struct check *c)
{
    uint32_t idle_at = 0;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < c->p->inspector_count && status == HT_OK; i++) {
        status = load_check(c, i, &idle_at);
    }
    if (status == HT_OK && idle_at != c->plan->idle_count) {
        status = FAULT(c, 0, "more inspectors are told to be idle than are");
    }
    return status == HT_OK ? gini_check(c) : status;
}

enum ht_status ht_rounds_check(const struct ht_rounds_problem *problem,
                               const struct ht_rounds_plan *plan, struct ht_error *error)
{
    struct check c = {.p = problem, .plan = plan, .error = error};
    c.site_first = ht_array_new_zeroed((size_t)problem->site_count + 1, sizeof *c.site_first);
    c.seen = ht_array_new_zeroed(plan->visit_count, sizeof *c.seen);
    c.load_s = ht_array_new_zeroed(problem->inspector_count, sizeof *c.load_s);
    enum ht_status status =
        c.site_first == NULL || c.seen == NULL || c.load_s == NULL ? HT_NOMEM : visits_check(&c);
    status = status == HT_OK ? tours_check(&c) : status;
    status = status == HT_OK ? quotas_check(&c) : status;
    status = status == HT_OK ? sites_check(&c) : status;
    status = status == HT_OK ? running_check(&c) : status;
    status = status == HT_OK ? loads_check(&c) : status;
    cells_cost(&c);
    status = status == HT_OK ? costs_check(&c) : status;
    free(c.site_first);
    free(c.seen);
    free(c.load_s);
    return status;
}
