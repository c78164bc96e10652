/* The plan under way: visits are put and taken, what that costs is known at once, and each step can
 * be taken back. */
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/rounds_internal.h"

int64_t ht__rounds_balance(const struct ht__rounds *r, uint32_t inspector, int64_t load_s)
{
    uint32_t share = r->problem->inspectors[inspector].share;
    int64_t l = share == 0 ? load_s : load_s * 100 / share;
    l = l > HT_ROUNDS_LOAD_MOST_S ? HT_ROUNDS_LOAD_MOST_S : l;
    l -= r->fair_s;
    if (l <= 0) {
        return 0; /* what is fair costs nothing */
    }
    int64_t q = l * l * r->problem->prices.balance / (100 * r->fair_s);
    int64_t d = r->steep_s + l;
    return q / d * r->steep_s + q % d * r->steep_s / d; /* q * K / d, which may not fit at once */
}

uint32_t ht__rounds_free_slot(const struct ht__rounds *r, uint32_t site)
{
    for (uint32_t v = r->slot_first[site]; v < r->slot_first[site + 1]; v++) {
        if (r->slots[v].lead == HT_PLAN_NONE) {
            return v;
        }
    }
    return HT_PLAN_NONE;
}

uint32_t ht__rounds_slot_on(const struct ht__rounds *r, uint32_t site, uint32_t day)
{
    for (uint32_t v = r->slot_first[site]; v < r->slot_first[site + 1]; v++) {
        if (r->slots[v].lead != HT_PLAN_NONE && r->slots[v].day == day) {
            return v;
        }
    }
    return HT_PLAN_NONE;
}

static uint32_t days_within(uint64_t days, uint32_t first, uint32_t last)
{
    uint64_t upto = (UINT64_C(2) << last) - 1;
    uint64_t before = (UINT64_C(1) << first) - 1;
    return (uint32_t)__builtin_popcountll(days & upto & ~before);
}

uint32_t ht__rounds_lacks(const struct ht__rounds *r, uint32_t site)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    uint32_t lacks = 0;
    for (uint32_t n = 0; n < s->need_count; n++) {
        uint32_t has = days_within(r->seen[site], s->needs[n].first_day, s->needs[n].last_day);
        lacks += has < s->needs[n].visits ? s->needs[n].visits - has : 0;
    }
    return lacks;
}

/* ---- what a site costs by itself ---- */

static void gap_costs(const struct ht__rounds *r, const struct ht_rounds_site *site, uint32_t day,
                      int64_t gap, struct ht_rounds_cost *cost)
{
    const struct ht_rounds_prices *prices = &r->problem->prices;
    uint32_t n = ht__rounds_need_of(site, day);
    if (site->gap_most_days > 0 && gap > site->gap_most_days) {
        cost->late += prices->late_s * (gap - site->gap_most_days);
    }
    if (n != HT_PLAN_NONE && site->needs[n].visits > 0) {
        const struct ht_rounds_need *need = &site->needs[n];
        int64_t off = gap * need->visits - (need->last_day - need->first_day + 1);
        cost->spread += prices->spread_s * (off < 0 ? -off : off) / need->visits;
    }
}

static void run_costs(const struct ht__rounds *r, uint32_t site, struct ht_rounds_cost *cost)
{
    for (uint32_t i = r->run_first[site]; i < r->run_first[site + 1]; i++) {
        const struct ht_rounds_running *v = &r->problem->running[r->run_list[i]];
        uint32_t slot =
            (r->seen[site] >> v->day & 1) == 0 ? HT_PLAN_NONE : ht__rounds_slot_on(r, site, v->day);
        bool so = false;
        if (slot != HT_PLAN_NONE && r->slots[slot].state != HT_ROUNDS_PAST) {
            const struct ht__rounds_slot *s = &r->slots[slot];
            so = (s->lead == v->inspector && s->second == v->second) ||
                 (s->lead == v->second && s->second == v->inspector);
        }
        cost->move += so ? 0 : r->problem->prices.move_s;
    }
}

void ht__rounds_site_costs(const struct ht__rounds *r, uint32_t site, struct ht_rounds_cost *cost)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    const struct ht_rounds_prices *prices = &r->problem->prices;
    int64_t last = s->last_day == HT_ROUNDS_NEVER ? INT64_MIN : s->last_day;
    uint64_t past = 0;
    memset(cost, 0, sizeof *cost);
    for (uint32_t v = r->slot_first[site]; v < r->slot_first[site + 1]; v++) {
        const struct ht__rounds_slot *slot = &r->slots[v];
        if (slot->lead != HT_PLAN_NONE && slot->state == HT_ROUNDS_PAST) {
            past |= UINT64_C(1) << slot->day;
        } else if (slot->lead != HT_PLAN_NONE && r->owner[site] != HT_PLAN_NONE &&
                   slot->lead != r->owner[site]) {
            cost->owner += prices->owner_s;
        }
    }
    if ((r->seen[site] & ~past) != 0) {
        int64_t first = __builtin_ctzll(r->seen[site] & ~past);
        cost->early = ht__rounds_early_s(r, s->risk) * (first - (int64_t)r->problem->first_day);
    }
    for (uint64_t days = r->seen[site]; days != 0; days &= days - 1) {
        uint32_t day = (uint32_t)__builtin_ctzll(days);
        if (last != INT64_MIN) {
            gap_costs(r, s, day, day - last, cost);
        }
        last = day;
    }
    cost->missing = (HT_ROUNDS_MISSING_S << (s->risk - 1)) * ht__rounds_lacks(r, site);
    run_costs(r, site, cost);
    cost->sum = cost->missing + cost->owner + cost->late + cost->spread + cost->early + cost->move;
}

static void site_refresh(struct ht__rounds *r, uint32_t site)
{
    struct ht_rounds_cost cost;
    ht__rounds_site_costs(r, site, &cost);
    r->cost += cost.sum - r->site_cost[site];
    r->site_cost[site] = cost.sum;
}

/* ---- steps ---- */

static void load_change(struct ht__rounds *r, uint32_t inspector, int64_t more_s)
{
    r->cost -= r->load_cost[inspector];
    r->load_s[inspector] += more_s;
    r->load_cost[inspector] = ht__rounds_balance(r, inspector, r->load_s[inspector]);
    r->cost += r->load_cost[inspector];
}

static void visits_change(struct ht__rounds *r, uint32_t inspector, uint32_t day, uint32_t by)
{
    r->day_visits[(size_t)inspector * r->days + day] += by;
    r->all_visits[day] += by;
    r->week_visits[(size_t)inspector * HT__ROUNDS_WEEKS + ht__rounds_week(r, day)] += by;
}

/* After a stop came or went: the tour's times, and what that changes. */
static void tour_refresh(struct ht__rounds *r, uint32_t inspector, uint32_t day, int64_t service_s)
{
    struct ht__rounds_tour *tour = &r->tours[(size_t)inspector * r->days + day];
    struct ht__rounds_tour before = *tour;
    bool in_time = ht__rounds_tour_times(r, inspector, day);
    (void)in_time; /* what was put was asked for before; the check sees it if not */
    r->cost +=
        tour->cost - before.cost + ((int64_t)tour->away - before.away) * ht__rounds_shift_price(r);
    load_change(r, inspector, tour->travel_s - before.travel_s + service_s);
}

static void stop_in(struct ht__rounds *r, uint32_t inspector, const struct ht__rounds_place *place,
                    uint32_t at)
{
    size_t tour = (size_t)inspector * r->days + place->day;
    uint32_t *stops = r->stops + tour * r->room;
    uint32_t count = r->tours[tour].count++;
    memmove(stops + at + 1, stops + at, (count - at) * sizeof *stops);
    stops[at] = place->slot;
    visits_change(r, inspector, place->day, 1);
    tour_refresh(r, inspector, place->day, r->problem->sites[r->slots[place->slot].site].service_s);
}

/* Where it was. */
static uint32_t stop_out(struct ht__rounds *r, uint32_t inspector, uint32_t slot)
{
    uint32_t day = r->slots[slot].day;
    size_t tour = (size_t)inspector * r->days + day;
    uint32_t *stops = r->stops + tour * r->room;
    uint32_t at = 0;
    while (stops[at] != slot) {
        at++;
    }
    uint32_t count = --r->tours[tour].count;
    memmove(stops + at, stops + at + 1, (count - at) * sizeof *stops);
    visits_change(r, inspector, day, UINT32_MAX);
    tour_refresh(r, inspector, day, -(int64_t)r->problem->sites[r->slots[slot].site].service_s);
    return at;
}

static void slot_put(struct ht__rounds *r, const struct ht__rounds_place *place)
{
    struct ht__rounds_slot *slot = &r->slots[place->slot];
    slot->lead = place->lead;
    slot->second = place->second;
    slot->day = place->day;
    slot->begin_s = place->begin_s;
    r->seen[slot->site] |= UINT64_C(1) << place->day;
    if (slot->state == HT_ROUNDS_PAST) {
        visits_change(r, place->lead, place->day, 1);
        load_change(r, place->lead, slot->took_s);
        if (place->second != HT_PLAN_NONE) {
            visits_change(r, place->second, place->day, 1);
            load_change(r, place->second, slot->took_s);
        }
    } else {
        stop_in(r, place->lead, place, place->at);
        if (place->second != HT_PLAN_NONE) {
            stop_in(r, place->second, place, place->second_at);
        }
    }
    site_refresh(r, slot->site);
}

static void slot_take(struct ht__rounds *r, uint32_t index, struct ht__rounds_place *was)
{
    struct ht__rounds_slot *slot = &r->slots[index];
    *was = (struct ht__rounds_place){.slot = index,
                                     .day = slot->day,
                                     .lead = slot->lead,
                                     .second = slot->second,
                                     .begin_s = slot->begin_s};
    was->at = stop_out(r, slot->lead, index);
    if (slot->second != HT_PLAN_NONE) {
        was->second_at = stop_out(r, slot->second, index);
    }
    r->seen[slot->site] &= ~(UINT64_C(1) << slot->day);
    slot->lead = HT_PLAN_NONE;
    slot->second = HT_PLAN_NONE;
    slot->begin_s = HT__ROUNDS_FREE;
    site_refresh(r, slot->site);
}

static void owner_set(struct ht__rounds *r, uint32_t site, uint32_t owner)
{
    uint32_t cell = r->cell[site];
    uint32_t before = r->owner[site];
    if (r->cell_sites != NULL && cell != HT_PLAN_NONE) {
        if (before != HT_PLAN_NONE && --r->cell_sites[(size_t)before * r->cell_count + cell] == 0) {
            r->cost -= r->problem->prices.cell_s;
        }
        if (owner != HT_PLAN_NONE && r->cell_sites[(size_t)owner * r->cell_count + cell]++ == 0) {
            r->cost += r->problem->prices.cell_s;
        }
    }
    r->owner[site] = owner;
    site_refresh(r, site);
}

static struct ht__rounds_step *step_new(struct ht__rounds *r)
{
    void *data = r->steps;
    if (ht_array_reserve(&data, &r->step_room, r->step_count + 1, sizeof *r->steps) != HT_OK) {
        r->full = true;
        return NULL;
    }
    r->steps = data;
    return &r->steps[r->step_count++];
}

void ht__rounds_put(struct ht__rounds *r, const struct ht__rounds_place *place)
{
    struct ht__rounds_step *step = step_new(r);
    if (step != NULL) {
        *step = (struct ht__rounds_step){.kind = HT__ROUNDS_PUT, .place = *place};
        slot_put(r, place);
    }
}

void ht__rounds_take(struct ht__rounds *r, uint32_t slot)
{
    struct ht__rounds_step *step = step_new(r);
    if (step != NULL) {
        step->kind = HT__ROUNDS_TAKEN;
        slot_take(r, slot, &step->place);
    }
}

void ht__rounds_own(struct ht__rounds *r, uint32_t site, uint32_t owner)
{
    struct ht__rounds_step *step = r->owner[site] == owner ? NULL : step_new(r);
    if (step != NULL) {
        *step = (struct ht__rounds_step){.kind = HT__ROUNDS_OWNED,
                                         .place = {.slot = site, .lead = r->owner[site]}};
        owner_set(r, site, owner);
    }
}

void ht__rounds_back(struct ht__rounds *r, size_t mark)
{
    while (r->step_count > mark) {
        struct ht__rounds_step step = r->steps[--r->step_count];
        struct ht__rounds_place was;
        switch (step.kind) {
        case HT__ROUNDS_PUT:
            slot_take(r, step.place.slot, &was);
            break;
        case HT__ROUNDS_TAKEN:
            slot_put(r, &step.place);
            break;
        case HT__ROUNDS_OWNED:
            owner_set(r, step.place.slot, step.place.lead);
            break;
        }
    }
}

/* ---- anew ---- */

static void visits_reckon(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    memset(r->seen, 0, p->site_count * sizeof *r->seen);
    for (uint32_t v = 0; v < r->slot_count; v++) {
        const struct ht__rounds_slot *slot = &r->slots[v];
        if (slot->lead == HT_PLAN_NONE) {
            continue;
        }
        int64_t took_s =
            slot->state == HT_ROUNDS_PAST ? slot->took_s : (int64_t)p->sites[slot->site].service_s;
        const uint32_t pair[2] = {slot->lead, slot->second};
        for (int i = 0; i < 2 && pair[i] != HT_PLAN_NONE; i++) {
            visits_change(r, pair[i], slot->day, 1);
            r->load_s[pair[i]] += took_s;
        }
        r->seen[slot->site] |= UINT64_C(1) << slot->day;
    }
}

void ht__rounds_reckon(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    size_t tours = (size_t)p->inspector_count * r->days;
    memset(r->day_visits, 0, tours * sizeof *r->day_visits);
    memset(r->all_visits, 0, sizeof r->all_visits);
    memset(r->week_visits, 0,
           (size_t)p->inspector_count * HT__ROUNDS_WEEKS * sizeof *r->week_visits);
    memset(r->load_s, 0, p->inspector_count * sizeof *r->load_s);
    r->cost = 0;
    visits_reckon(r);
    for (size_t t = 0; t < tours; t++) {
        bool in_time = ht__rounds_tour_times(r, (uint32_t)(t / r->days), (uint32_t)(t % r->days));
        (void)in_time;
        r->load_s[t / r->days] += r->tours[t].travel_s;
        r->cost += r->tours[t].cost + r->tours[t].away * ht__rounds_shift_price(r);
    }
    for (uint32_t i = 0; i < p->inspector_count; i++) {
        r->load_cost[i] = ht__rounds_balance(r, i, r->load_s[i]);
        r->cost += r->load_cost[i];
    }
    if (r->cell_sites != NULL) {
        memset(r->cell_sites, 0,
               (size_t)p->inspector_count * r->cell_count * sizeof *r->cell_sites);
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        uint32_t owner = r->owner[s];
        r->site_cost[s] = 0;
        r->owner[s] = HT_PLAN_NONE;
        owner_set(r, s, owner);
    }
}
