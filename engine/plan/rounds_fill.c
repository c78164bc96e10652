/* What the running plan and the past say, and the best place for all that one site lacks. */
#include <stdlib.h>
#include <string.h>

#include "engine/plan/rounds_internal.h"

enum {
    NEAREST = 4,   /* always tried */
    STRANGERS = 2, /* tried at random, beside those who are near */
    AGAIN = 3,
    BLINK = 12 /* one of so many offers is overlooked */
};

/* ---- the beginning ---- */

static bool gap_is_kept(const struct ht__rounds *r, uint32_t site, uint32_t day)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    uint32_t least = s->gap_least_days < 1 ? 1 : s->gap_least_days;
    if (s->last_day != HT_ROUNDS_NEVER && (int64_t)day - s->last_day < least) {
        return false;
    }
    for (uint32_t d = 0; d < r->days; d++) {
        if ((r->seen[site] >> d & 1) != 0 && (d > day ? d - day : day - d) < least) {
            return false;
        }
    }
    return true;
}

/* Whether the need of a day lacks a visit. */
static bool is_lacking(const struct ht__rounds *r, uint32_t site, uint32_t day)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    uint32_t n = ht__rounds_need_of(s, day);
    uint32_t has = 0;
    if (n == HT_PLAN_NONE) {
        return false;
    }
    for (uint32_t d = s->needs[n].first_day; d <= s->needs[n].last_day; d++) {
        has += (uint32_t)(r->seen[site] >> d & 1);
    }
    return has < s->needs[n].visits;
}

static void past_put(struct ht__rounds *r, uint32_t running)
{
    const struct ht_rounds_running *v = &r->problem->running[running];
    uint32_t slot = ht__rounds_free_slot(r, v->site);
    struct ht__rounds_place place = {.slot = slot,
                                     .day = v->day,
                                     .lead = v->inspector,
                                     .second = v->second,
                                     .begin_s = v->begin_s};
    r->slots[slot].state = HT_ROUNDS_PAST;
    r->slots[slot].took_s = v->end_s - v->begin_s;
    r->slots[slot].running = running;
    ht__rounds_put(r, &place);
}

/* Whether the site's and the inspector's windows hold a visit that begins just then. */
static bool can_begin(const struct ht__rounds *r, uint32_t site, uint32_t inspector, uint32_t day,
                      int32_t begin_s)
{
    return ht__rounds_has_room(r, inspector, day) &&
           ht__rounds_next_s(r, site, inspector, day, begin_s) == begin_s;
}

/* Whether the site takes this visit by these, on that day. */
static bool may_be(const struct ht__rounds *r, const struct ht_rounds_running *v)
{
    const struct ht_rounds_site *site = &r->problem->sites[v->site];
    bool two = v->second != HT_PLAN_NONE;
    return (site->days >> v->day & 1) != 0 && two == (site->crew == 2) &&
           ht__rounds_may_lead(r, v->site, v->inspector) &&
           ht__rounds_has_room(r, v->inspector, v->day) &&
           (!two || (ht__rounds_may_come(r, v->site, v->second) &&
                     ht__rounds_has_room(r, v->second, v->day)));
}

/* Puts a running visit at its place in the tours; an appointment (a promise, two inspectors) to the
 * second. True: it can stay there. */
static bool put_as_was(struct ht__rounds *r, uint32_t running)
{
    const struct ht_rounds_running *v = &r->problem->running[running];
    bool two = v->second != HT_PLAN_NONE;
    bool appointed = two || v->state == HT_ROUNDS_PROMISED;
    if (!may_be(r, v) ||
        (appointed && (!can_begin(r, v->site, v->inspector, v->day, v->begin_s) ||
                       (two && !can_begin(r, v->site, v->second, v->day, v->begin_s))))) {
        return false;
    }
    size_t mark = r->step_count;
    struct ht__rounds_place place = {.slot = ht__rounds_free_slot(r, v->site),
                                     .day = v->day,
                                     .lead = v->inspector,
                                     .second = v->second,
                                     .begin_s = appointed ? v->begin_s : HT__ROUNDS_FREE};
    place.at = ht__rounds_tour_at(r, v->inspector, v->day, v->begin_s);
    place.second_at = two ? ht__rounds_tour_at(r, v->second, v->day, v->begin_s) : 0;
    ht__rounds_put(r, &place);
    if (!ht__rounds_tour_times(r, v->inspector, v->day) ||
        (two && !ht__rounds_tour_times(r, v->second, v->day))) {
        ht__rounds_back(r, mark);
        return false;
    }
    return true;
}

static bool promise_put(struct ht__rounds *r, uint32_t running)
{
    uint32_t slot = ht__rounds_free_slot(r, r->problem->running[running].site);
    if (!put_as_was(r, running)) {
        return false;
    }
    r->slots[slot].state = HT_ROUNDS_PROMISED;
    r->slots[slot].running = running;
    return true;
}

/* A planned visit stays on its day with its inspectors, where it still can: at its place in the
 * tour, or at another. */
static void planned_put(struct ht__rounds *r, uint32_t running)
{
    const struct ht_rounds_running *v = &r->problem->running[running];
    const uint32_t pair[2] = {v->inspector, v->second};
    struct ht__rounds_offer offer;
    if ((r->open_days[v->site] >> v->day & 1) == 0 || !gap_is_kept(r, v->site, v->day) ||
        !is_lacking(r, v->site, v->day) || !may_be(r, v) || put_as_was(r, running)) {
        return;
    }
    ht__rounds_offer_with(r, v->site, v->day, pair, &offer);
    if (offer.cost != HT__ROUNDS_CANT) {
        offer.place.slot = ht__rounds_free_slot(r, v->site);
        ht__rounds_put(r, &offer.place);
    }
}

/* Who led most of the running visits of a site is its owner, where none was given. */
static void owner_guess(struct ht__rounds *r, uint32_t site)
{
    uint32_t best = HT_PLAN_NONE;
    uint32_t most = 0;
    for (uint32_t i = r->run_first[site]; i < r->run_first[site + 1]; i++) {
        uint32_t who = r->problem->running[r->run_list[i]].inspector;
        uint32_t count = 0;
        for (uint32_t j = r->run_first[site]; j < r->run_first[site + 1]; j++) {
            count += r->problem->running[r->run_list[j]].inspector == who;
        }
        if (count > most && ht__rounds_may_lead(r, site, who)) {
            most = count;
            best = who;
        }
    }
    if (best != HT_PLAN_NONE && r->problem->sites[site].owner == HT_PLAN_NONE) {
        ht__rounds_own(r, site, best);
    }
}

void ht__rounds_begin(struct ht__rounds *r)
{
    const struct ht_rounds_problem *p = r->problem;
    ht__rounds_reckon(r);
    for (uint32_t i = 0; i < p->running_count; i++) {
        if (p->running[r->by_time[i]].state == HT_ROUNDS_PAST) {
            past_put(r, r->by_time[i]);
        }
    }
    for (uint32_t i = 0; i < p->running_count; i++) {
        if (p->running[r->by_time[i]].state == HT_ROUNDS_PROMISED) {
            r->lost[r->by_time[i]] = !promise_put(r, r->by_time[i]);
        }
    }
    for (uint32_t s = 0; s < p->site_count; s++) {
        owner_guess(r, s);
    }
    for (uint32_t i = 0; i < p->running_count; i++) {
        if (p->running[r->by_time[i]].state == HT_ROUNDS_PLANNED || r->lost[r->by_time[i]]) {
            planned_put(r, r->by_time[i]);
        }
    }
    r->step_count = 0;
}

/* ---- filling ---- */

/* The inspectors that are tried for a site, and what each of its days costs by each. */
struct tried {
    uint32_t who[HT__ROUNDS_TRIED];
    uint32_t count;
    int64_t best[HT_ROUNDS_DAYS_MOST]; /* the cheapest by anybody */
    int64_t next[HT_ROUNDS_DAYS_MOST]; /* by anybody else */
    uint32_t best_of[HT_ROUNDS_DAYS_MOST];
    uint32_t next_of[HT_ROUNDS_DAYS_MOST];
    struct ht__rounds_offer offers[HT__ROUNDS_TRIED][HT_ROUNDS_DAYS_MOST];
};

/* What is chosen. */
struct choice {
    int64_t cost;
    uint32_t owner; /* index in tried */
    uint64_t days;
};

static void try_one(const struct ht__rounds *r, uint32_t site, struct tried *tried, uint32_t who)
{
    if (who == HT_PLAN_NONE || tried->count == HT__ROUNDS_TRIED ||
        !ht__rounds_may_lead(r, site, who)) {
        return;
    }
    for (uint32_t i = 0; i < tried->count; i++) {
        if (tried->who[i] == who) {
            return;
        }
    }
    tried->who[tried->count++] = who;
}

static void tried_gather(struct ht__rounds *r, uint32_t site, struct tried *tried)
{
    const struct ht_rounds_problem *p = r->problem;
    tried->count = 0;
    try_one(r, site, tried, r->owner[site]);
    for (uint32_t i = r->run_first[site]; i < r->run_first[site + 1]; i++) {
        try_one(r, site, tried, p->running[r->run_list[i]].inspector);
    }
    for (uint32_t k = 0; k < HT__ROUNDS_KNOWN; k++) {
        if (!r->blinks || k < NEAREST || ht__rounds_below(r, 2) == 0) {
            try_one(r, site, tried, r->known[(size_t)site * HT__ROUNDS_KNOWN + k]);
        }
    }
    for (uint32_t k = 0; k < STRANGERS && p->inspector_count > HT__ROUNDS_KNOWN; k++) {
        try_one(r, site, tried, ht__rounds_below(r, p->inspector_count));
    }
}

static void offers_make(struct ht__rounds *r, uint32_t site, struct tried *tried)
{
    uint64_t days = r->open_days[site] & ~r->seen[site];
    for (uint32_t d = 0; d < r->days; d++) {
        tried->best[d] = HT__ROUNDS_CANT;
        tried->next[d] = HT__ROUNDS_CANT;
    }
    for (uint32_t i = 0; i < tried->count; i++) {
        for (uint32_t d = 0; d < r->days; d++) {
            struct ht__rounds_offer *offer = &tried->offers[i][d];
            offer->cost = HT__ROUNDS_CANT;
            bool asked = (days & r->shift_days[tried->who[i]]) >> d & 1;
            if (asked && (!r->blinks || ht__rounds_below(r, BLINK) != 0)) {
                ht__rounds_offer(r, site, tried->who[i], d, offer);
            }
            if (offer->cost < tried->best[d]) {
                tried->next[d] = tried->best[d];
                tried->next_of[d] = tried->best_of[d];
                tried->best[d] = offer->cost;
                tried->best_of[d] = i;
            } else if (offer->cost < tried->next[d]) {
                tried->next[d] = offer->cost;
                tried->next_of[d] = i;
            }
        }
    }
}

/* Who comes on a day if `owner` (index; HT_PLAN_NONE: nobody) owns the site, and what it costs. */
static int64_t day_by(const struct ht__rounds *r, const struct tried *tried, uint32_t owner,
                      uint32_t day, uint32_t *by)
{
    bool itself = tried->best[day] != HT__ROUNDS_CANT && tried->best_of[day] == owner;
    int64_t other = itself ? tried->next[day] : tried->best[day];
    *by = itself ? tried->next_of[day] : tried->best_of[day];
    if (owner == HT_PLAN_NONE) {
        return other;
    }
    other += other == HT__ROUNDS_CANT ? 0 : r->problem->prices.owner_s;
    if (tried->offers[owner][day].cost <= other) {
        *by = owner;
        return tried->offers[owner][day].cost;
    }
    return other;
}

/* Balance is no sum over visits: what all new ones of an inspector together cost more than each by
 * itself. And a cell more of the owner. */
static int64_t owner_extra(const struct ht__rounds *r, uint32_t site, const struct tried *tried,
                           const struct choice *choice)
{
    uint32_t owner = tried->who[choice->owner];
    uint32_t cell = r->cell[site];
    int64_t load_s[HT__ROUNDS_TRIED] = {0};
    int64_t extra = 0;
    for (uint64_t days = choice->days; days != 0; days &= days - 1) {
        uint32_t by = 0;
        uint32_t d = (uint32_t)__builtin_ctzll(days);
        (void)day_by(r, tried, choice->owner, d, &by);
        load_s[by] += tried->offers[by][d].load_s;
        extra -= tried->offers[by][d].load_cost;
    }
    for (uint32_t i = 0; i < tried->count; i++) {
        uint32_t who = tried->who[i];
        extra += load_s[i] == 0
                     ? 0
                     : ht__rounds_balance(r, who, r->load_s[who] + load_s[i]) - r->load_cost[who];
    }
    if (r->cell_sites != NULL && cell != HT_PLAN_NONE && r->owner[site] != owner &&
        r->cell_sites[(size_t)owner * r->cell_count + cell] == 0) {
        extra += r->problem->prices.cell_s;
    }
    return extra;
}

/* No pattern of days costs less: each need has its cheapest days, gaps left aside. */
static int64_t least_cost(const struct ht__rounds *r, uint32_t site, const int64_t *cost)
{
    const struct ht_rounds_site *s = &r->problem->sites[site];
    int64_t missing = HT_ROUNDS_MISSING_S << (s->risk - 1);
    int64_t sum = 0;
    for (uint32_t n = 0; n < s->need_count; n++) {
        int64_t least[HT_ROUNDS_DAYS_MOST];
        uint32_t lacks = s->needs[n].visits;
        uint32_t count = 0;
        for (uint32_t d = s->needs[n].first_day; d <= s->needs[n].last_day && lacks > 0; d++) {
            uint32_t at = count;
            if ((r->seen[site] >> d & 1) != 0) {
                lacks--;
                count = count < lacks ? count : lacks;
            } else if (cost[d] < missing) {
                for (; at > 0 && least[at - 1] > cost[d]; at--) {
                    least[at] = least[at - 1];
                }
                least[at] = cost[d];
                count += count < lacks;
            }
        }
        sum += missing * (lacks - count);
        for (uint32_t i = 0; i < count; i++) {
            sum += least[i];
        }
    }
    return sum - 4 * HT_ROUNDS_DAYS_MOST; /* balance is rounded down, twice for each load */
}

/* How much there is to do around a day, so that work is spread where that costs nothing: before all
 * by the inspector in its week, then on the day itself, then by the whole office. A sum over days
 * stays within each field. */
static uint64_t busy_on(const struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    uint64_t in_week =
        r->week_visits[(size_t)inspector * HT__ROUNDS_WEEKS + ht__rounds_week(r, day)];
    uint64_t on_day = r->day_visits[(size_t)inspector * r->days + day];
    return in_week << 40 | on_day << 26 | r->all_visits[day];
}

/* The best days if somebody of `tried` (HT_PLAN_NONE: nobody) owns the site; where they can cost
 * less than `best`, this is it then. */
static void choose_days(const struct ht__rounds *r, uint32_t site, const struct tried *tried,
                        uint32_t owner, struct choice *best)
{
    int64_t cost[HT_ROUNDS_DAYS_MOST];
    uint64_t busy[HT_ROUNDS_DAYS_MOST] = {0};
    struct ht__rounds_days days;
    struct choice choice = {.owner = owner};
    uint32_t by = 0;
    for (uint32_t d = 0; d < r->days; d++) {
        cost[d] = day_by(r, tried, owner, d, &by);
        busy[d] = cost[d] == HT__ROUNDS_CANT ? 0 : busy_on(r, tried->who[by], d);
    }
    if (best->cost != HT__ROUNDS_CANT && least_cost(r, site, cost) >= best->cost) {
        return;
    }
    ht__rounds_days_find(r, site, cost, busy, &days);
    choice.days = days.chosen;
    choice.cost = days.cost;
    if (owner != HT_PLAN_NONE && choice.cost != HT__ROUNDS_CANT) {
        choice.cost += owner_extra(r, site, tried, &choice);
    }
    if (choice.cost < best->cost) {
        *best = choice;
    }
}

/* An owner that it has, it keeps; else the best of all. */
static void choose(const struct ht__rounds *r, uint32_t site, const struct tried *tried,
                   struct choice *best)
{
    uint32_t given = r->owner[site];
    uint32_t kept = HT_PLAN_NONE;
    *best = (struct choice){.cost = HT__ROUNDS_CANT, .owner = HT_PLAN_NONE};
    for (uint32_t i = 0; i < tried->count; i++) {
        kept = given != HT_PLAN_NONE && tried->who[i] == given ? i : kept;
    }
    if (given != HT_PLAN_NONE || tried->count == 0) {
        choose_days(r, site, tried, kept, best);
        return;
    }
    for (uint32_t i = 0; i < tried->count; i++) {
        choose_days(r, site, tried, i, best);
    }
}

/* Where a visit by two goes, once others of the site are there: whoever goes along each time has
 * all of their hours, so the cheapest second may be another by now. */
static void second_again(const struct ht__rounds *r, uint32_t site, struct ht__rounds_place *place)
{
    struct ht__rounds_offer offer;
    ht__rounds_offer(r, site, place->lead, place->day, &offer);
    if (offer.cost != HT__ROUNDS_CANT) {
        *place = offer.place;
    }
}

/* Puts the chosen visits; false: a quota came between. */
static bool choice_put(struct ht__rounds *r, uint32_t site, const struct tried *tried,
                       const struct choice *choice)
{
    bool all = true;
    bool others = false;
    if (r->owner[site] == HT_PLAN_NONE && choice->owner != HT_PLAN_NONE) {
        ht__rounds_own(r, site, tried->who[choice->owner]);
    }
    for (uint64_t days = choice->days; days != 0 && !r->full; days &= days - 1) {
        uint32_t d = (uint32_t)__builtin_ctzll(days);
        uint32_t by = 0;
        (void)day_by(r, tried, choice->owner, d, &by);
        struct ht__rounds_place place = tried->offers[by][d].place;
        if (others && place.second != HT_PLAN_NONE) {
            second_again(r, site, &place);
        }
        if (!ht__rounds_has_room(r, place.lead, d) ||
            (place.second != HT_PLAN_NONE && !ht__rounds_has_room(r, place.second, d))) {
            all = false;
            continue;
        }
        place.slot = ht__rounds_free_slot(r, site);
        ht__rounds_put(r, &place);
        others = true;
    }
    return all;
}

/* All who may lead, in batches: the best owner of each, then the best of those. */
static void try_all(const struct ht__rounds *r, uint32_t site, struct tried *tried)
{
    struct ht__rounds_offer one;
    for (uint32_t d = 0; d < r->days; d++) {
        uint32_t best = HT_PLAN_NONE;
        int64_t cost = HT__ROUNDS_CANT;
        if (((r->open_days[site] & ~r->seen[site]) >> d & 1) == 0) {
            continue;
        }
        for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
            if ((r->shift_days[i] >> d & 1) != 0 && ht__rounds_may_lead(r, site, i)) {
                ht__rounds_offer(r, site, i, d, &one);
                best = one.cost < cost ? i : best;
                cost = one.cost < cost ? one.cost : cost;
            }
        }
        try_one(r, site, tried, best);
    }
}

/* Another owner of the same visits, if that costs less; none where there are no visits. */
static void owner_better(struct ht__rounds *r, uint32_t site)
{
    if (r->problem->sites[site].owner != HT_PLAN_NONE) {
        return;
    }
    if (r->seen[site] == 0) {
        ht__rounds_own(r, site, HT_PLAN_NONE);
        return;
    }
    for (uint32_t v = r->slot_first[site]; v < r->slot_first[site + 1] && !r->full; v++) {
        uint32_t lead = r->slots[v].lead;
        int64_t before = r->cost;
        size_t mark = r->step_count;
        if (lead != HT_PLAN_NONE && lead != r->owner[site] && r->slots[v].state != HT_ROUNDS_PAST &&
            ht__rounds_may_lead(r, site, lead)) {
            ht__rounds_own(r, site, lead);
            if (r->cost >= before) {
                ht__rounds_back(r, mark);
            }
        }
    }
}

void ht__rounds_fill(struct ht__rounds *r, uint32_t site, bool all)
{
    struct tried tried;
    struct choice choice;
    for (int again = 0; again < AGAIN && ht__rounds_lacks(r, site) > 0 && !r->full; again++) {
        tried_gather(r, site, &tried);
        r->thorough = all;
        if (all) {
            try_all(r, site, &tried);
        }
        offers_make(r, site, &tried);
        choose(r, site, &tried, &choice);
        bool whole = choice_put(r, site, &tried, &choice);
        r->thorough = false;
        if (whole) {
            break;
        }
    }
    owner_better(r, site);
}
