/* Tours of one inspector on one day: their times, and what one visit more costs. */
#include <string.h>

#include "engine/plan/rounds_internal.h"

/* Seconds that are always tried, beside those who have less to do; of the others one in eight. */
enum { NEAREST = 3 };

static bool same_place(uint32_t from, uint32_t to)
{
    return from == to || from == HT_PLAN_NONE || to == HT_PLAN_NONE;
}

int32_t ht__rounds_way_s(const struct ht__rounds *r, uint32_t inspector, uint32_t from, uint32_t to)
{
    const struct ht_rounds_problem *p = r->problem;
    if (same_place(from, to)) {
        return 0;
    }
    uint32_t way_s = p->profiles[p->inspectors[inspector].profile]
                         .duration_s[(size_t)from * p->location_count + to];
    return way_s < HT__ROUNDS_FAR ? (int32_t)way_s : HT__ROUNDS_FAR;
}

int64_t ht__rounds_way_cost(const struct ht__rounds *r, uint32_t inspector, uint32_t from,
                            uint32_t to)
{
    const struct ht_rounds_problem *p = r->problem;
    const struct ht_plan_profile *profile = &p->profiles[p->inspectors[inspector].profile];
    int64_t cost = ht__rounds_way_s(r, inspector, from, to);
    if (p->prices.per_km_s > 0 && profile->distance_m != NULL && !same_place(from, to)) {
        cost += (int64_t)p->prices.per_km_s *
                profile->distance_m[(size_t)from * p->location_count + to] / 1000;
    }
    return cost;
}

static const uint32_t *shifts_of(const struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    return r->shift_at + (size_t)inspector * (r->days + 1) + day;
}

int32_t ht__rounds_from_s(const struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    return r->problem->inspectors[inspector].shifts[shifts_of(r, inspector, day)[0]].from_s;
}

int32_t ht__rounds_to_s(const struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    return r->problem->inspectors[inspector].shifts[shifts_of(r, inspector, day)[1] - 1].to_s;
}

uint32_t ht__rounds_start(const struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    const struct ht_rounds_inspector *who = &r->problem->inspectors[inspector];
    return who->underway && day == r->problem->first_day ? who->here : who->start;
}

/* ---- when a visit can begin ---- */

/* The windows of a site on a day; one that is always open has one. */
static uint32_t open_on(const struct ht__rounds *r, uint32_t site, uint32_t day,
                        const struct ht_rounds_window **windows)
{
    static const struct ht_rounds_window always = {0, 0, HT_ROUNDS_TIME_MOST_S};
    const struct ht_rounds_site *s = &r->problem->sites[site];
    const uint32_t *at = r->open_at + (size_t)site * (r->days + 1) + day;
    *windows = s->open_count == 0 ? &always : s->open + at[0];
    return s->open_count == 0 ? 1 : at[1] - at[0];
}

int32_t ht__rounds_next_s(const struct ht__rounds *r, uint32_t site, uint32_t inspector,
                          uint32_t day, int32_t t_s)
{
    const struct ht_rounds_window *open = NULL;
    const struct ht_rounds_window *shift = r->problem->inspectors[inspector].shifts;
    uint32_t count = open_on(r, site, day, &open);
    int32_t service_s = (int32_t)r->problem->sites[site].service_s;
    const uint32_t *at = shifts_of(r, inspector, day);
    for (uint32_t i = at[0]; i < at[1]; i++) {
        for (uint32_t o = 0; o < count; o++) {
            int32_t from_s = shift[i].from_s > open[o].from_s ? shift[i].from_s : open[o].from_s;
            int32_t to_s = shift[i].to_s < open[o].to_s ? shift[i].to_s : open[o].to_s;
            from_s = t_s > from_s ? t_s : from_s;
            if (from_s <= to_s - service_s) {
                return from_s;
            }
        }
    }
    return HT__ROUNDS_FAR;
}

int32_t ht__rounds_last_s(const struct ht__rounds *r, uint32_t site, uint32_t inspector,
                          uint32_t day, int32_t t_s)
{
    const struct ht_rounds_window *open = NULL;
    const struct ht_rounds_window *shift = r->problem->inspectors[inspector].shifts;
    uint32_t count = open_on(r, site, day, &open);
    int32_t service_s = (int32_t)r->problem->sites[site].service_s;
    const uint32_t *at = shifts_of(r, inspector, day);
    for (uint32_t i = at[1]; i-- > at[0];) {
        for (uint32_t o = count; o-- > 0;) {
            int32_t from_s = shift[i].from_s > open[o].from_s ? shift[i].from_s : open[o].from_s;
            int32_t to_s = shift[i].to_s < open[o].to_s ? shift[i].to_s : open[o].to_s;
            int32_t last_s = to_s - service_s < t_s ? to_s - service_s : t_s;
            if (from_s <= last_s) {
                return last_s;
            }
        }
    }
    return -1;
}

/* The same of a slot, which may be an appointment. */
static int32_t slot_next(const struct ht__rounds *r, const struct ht__rounds_slot *slot,
                         uint32_t inspector, uint32_t day, int32_t t_s)
{
    if (slot->begin_s != HT__ROUNDS_FREE) {
        return t_s <= slot->begin_s ? slot->begin_s : HT__ROUNDS_FAR;
    }
    return ht__rounds_next_s(r, slot->site, inspector, day, t_s);
}

static int32_t slot_last(const struct ht__rounds *r, const struct ht__rounds_slot *slot,
                         uint32_t inspector, uint32_t day, int32_t t_s)
{
    if (slot->begin_s != HT__ROUNDS_FREE) {
        return t_s >= slot->begin_s ? slot->begin_s : -1;
    }
    return ht__rounds_last_s(r, slot->site, inspector, day, t_s);
}

/* ---- times of a tour ---- */

/* The latest begins, from the back; -1 where there is none. */
static bool tour_latest(struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    const struct ht_rounds_problem *p = r->problem;
    size_t tour = (size_t)inspector * r->days + day;
    const uint32_t *stops = r->stops + tour * r->room;
    int32_t *latest_s = r->latest_s + tour * r->room;
    uint32_t after = p->inspectors[inspector].end;
    int32_t to_s = ht__rounds_to_s(r, inspector, day);
    for (uint32_t k = r->tours[tour].count; k-- > 0;) {
        const struct ht__rounds_slot *slot = &r->slots[stops[k]];
        const struct ht_rounds_site *site = &p->sites[slot->site];
        int32_t end_s = to_s - ht__rounds_way_s(r, inspector, site->location, after);
        latest_s[k] = slot_last(r, slot, inspector, day, end_s - (int32_t)site->service_s);
        if (latest_s[k] < 0) {
            return false;
        }
        to_s = latest_s[k];
        after = site->location;
    }
    return true;
}

/* Begins as near to the running plan's as what comes behind allows. */
static void kept_times(struct ht__rounds *r, uint32_t inspector, uint32_t day, int32_t *kept_s)
{
    const struct ht_rounds_problem *p = r->problem;
    size_t at = (size_t)inspector * r->days + day;
    const uint32_t *stops = r->stops + at * r->room;
    const int32_t *latest_s = r->latest_s + at * r->room;
    uint32_t before = ht__rounds_start(r, inspector, day);
    int32_t now_s = ht__rounds_from_s(r, inspector, day);
    for (uint32_t k = 0; k < r->tours[at].count; k++) {
        const struct ht__rounds_slot *slot = &r->slots[stops[k]];
        const struct ht_rounds_site *site = &p->sites[slot->site];
        int32_t was_s = ht__rounds_was_at(r, stops[k], false);
        now_s += ht__rounds_way_s(r, inspector, before, site->location);
        now_s = slot_next(r, slot, inspector, day, now_s);
        int32_t at_s = was_s > now_s ? slot_next(r, slot, inspector, day, was_s) : now_s;
        if (at_s > latest_s[k] && latest_s[k] > now_s && was_s - latest_s[k] <= HT_ROUNDS_SHIFT_S) {
            at_s = latest_s[k];
        }
        now_s = at_s <= latest_s[k] ? at_s : now_s;
        kept_s[k] = now_s;
        now_s += (int32_t)site->service_s;
        before = site->location;
    }
}

static bool is_away(int32_t by_s)
{
    return by_s > HT_ROUNDS_SHIFT_S || by_s < -HT_ROUNDS_SHIFT_S;
}

/* Visits of two count in the tour of the one who leads. */
static uint32_t tour_away(struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    size_t at = (size_t)inspector * r->days + day;
    const uint32_t *stops = r->stops + at * r->room;
    int32_t *kept_s = r->kept_s + at * r->room;
    uint32_t away = 0;
    kept_times(r, inspector, day, kept_s);
    for (uint32_t k = 0; k < r->tours[at].count; k++) {
        bool leads = r->slots[stops[k]].lead == inspector;
        int32_t was_s = leads ? ht__rounds_was_at(r, stops[k], true) : -1;
        away += was_s >= 0 && is_away(kept_s[k] - was_s);
    }
    return away;
}

bool ht__rounds_tour_times(struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    const struct ht_rounds_problem *p = r->problem;
    const struct ht_rounds_inspector *who = &p->inspectors[inspector];
    size_t at = (size_t)inspector * r->days + day;
    struct ht__rounds_tour *tour = &r->tours[at];
    const uint32_t *stops = r->stops + at * r->room;
    tour->travel_s = 0;
    tour->cost = 0;
    tour->away = 0;
    if (tour->count == 0) {
        return true;
    }
    uint32_t before = ht__rounds_start(r, inspector, day);
    int32_t now_s = ht__rounds_from_s(r, inspector, day);
    bool in_time = true;
    for (uint32_t k = 0; k <= tour->count; k++) {
        const struct ht__rounds_slot *slot = k < tour->count ? &r->slots[stops[k]] : NULL;
        uint32_t here = slot != NULL ? p->sites[slot->site].location : who->end;
        int32_t way_s = ht__rounds_way_s(r, inspector, before, here);
        tour->travel_s += way_s;
        tour->cost += ht__rounds_way_cost(r, inspector, before, here);
        now_s = now_s >= HT__ROUNDS_FAR ? now_s : now_s + way_s;
        before = here;
        if (slot != NULL) {
            now_s = slot_next(r, slot, inspector, day, now_s);
            r->begin_s[at * r->room + k] = now_s;
            in_time = in_time && now_s < HT__ROUNDS_FAR;
            now_s += now_s < HT__ROUNDS_FAR ? (int32_t)p->sites[slot->site].service_s : 0;
        }
    }
    tour->cost += p->prices.day_s;
    in_time =
        tour_latest(r, inspector, day) && in_time && now_s <= ht__rounds_to_s(r, inspector, day);
    tour->away = in_time && r->kept_s != NULL ? tour_away(r, inspector, day) : 0;
    return in_time;
}

int32_t ht__rounds_was_at(const struct ht__rounds *r, uint32_t index, bool same)
{
    const struct ht__rounds_slot *slot = &r->slots[index];
    uint32_t at =
        r->run_at == NULL ? HT_PLAN_NONE : r->run_at[(size_t)slot->site * r->days + slot->day];
    if (at == HT_PLAN_NONE) {
        return -1;
    }
    const struct ht_rounds_running *run = &r->problem->running[at];
    bool theirs = (run->inspector == slot->lead && run->second == slot->second) ||
                  (run->inspector == slot->second && run->second == slot->lead);
    return theirs || !same ? run->begin_s : -1;
}

void ht__rounds_tour_keep(struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    kept_times(r, inspector, day, r->begin_s + ((size_t)inspector * r->days + day) * r->room);
}

uint32_t ht__rounds_tour_at(const struct ht__rounds *r, uint32_t inspector, uint32_t day,
                            int32_t begin_s)
{
    size_t tour = (size_t)inspector * r->days + day;
    uint32_t at = r->tours[tour].count;
    while (at > 0 && r->begin_s[tour * r->room + at - 1] > begin_s) {
        at--;
    }
    return at;
}

bool ht__rounds_has_room(const struct ht__rounds *r, uint32_t inspector, uint32_t day)
{
    const struct ht_rounds_inspector *who = &r->problem->inspectors[inspector];
    size_t tour = (size_t)inspector * r->days + day;
    uint32_t week = ht__rounds_week(r, day);
    uint32_t in_week = r->week_visits[(size_t)inspector * HT__ROUNDS_WEEKS + week];
    return (r->shift_days[inspector] >> day & 1) != 0 && r->tours[tour].count < r->room &&
           (r->no_quota ||
            ((who->visits_day_most == 0 || r->day_visits[tour] < who->visits_day_most) &&
             (who->visits_week_most == 0 || in_week < who->visits_week_most)));
}

/* ---- one visit more ---- */

/* A place in a tour: what it costs and when the visit can begin there. */
struct gap {
    int32_t was_s; /* in: when the visit was there; below 0: it was not */
    uint32_t at;
    int32_t from_s;
    int32_t to_s;
    int64_t cost;
    int64_t travel_s;
};

/* When these had the visit on that day in the running plan; below 0: they had not. */
static int32_t was_so_at(const struct ht__rounds *r, uint32_t site, uint32_t day,
                         const uint32_t pair[2])
{
    return ht__rounds_was_so(r, site, day, pair)
               ? r->problem->running[r->run_at[(size_t)site * r->days + day]].begin_s
               : -1;
}

/* As near to a time as a place allows. */
static int32_t gap_kept(const struct gap *gap, int32_t was_s)
{
    int32_t t_s = was_s > gap->from_s ? was_s : gap->from_s;
    return t_s < gap->to_s ? t_s : gap->to_s;
}

/* How many of the stops behind a place have to begin by far later than they did, if the visit
 * begins at t_s. */
static uint32_t gap_pushes(const struct ht__rounds *r, uint32_t site, const uint32_t who_day[2],
                           uint32_t k, int32_t t_s)
{
    const struct ht_rounds_problem *p = r->problem;
    size_t at = (size_t)who_day[0] * r->days + who_day[1];
    const uint32_t *stops = r->stops + at * r->room;
    uint32_t before = site;
    uint32_t count = 0;
    for (; k < r->tours[at].count; k++) {
        uint32_t here = r->slots[stops[k]].site;
        int32_t kept_s = r->kept_s[at * r->room + k];
        t_s += (int32_t)p->sites[before].service_s +
               ht__rounds_way_s(r, who_day[0], p->sites[before].location, p->sites[here].location);
        if (t_s <= kept_s) {
            break;
        }
        int32_t was_s = ht__rounds_was_at(r, stops[k], true);
        count += was_s >= 0 && !is_away(kept_s - was_s) && is_away(t_s - was_s);
        before = here;
    }
    return count;
}

/* How the place before stop `k` suits, for a visit that was there at `gap->was_s` (below 0: was
 * not); false: not at all, or gap->cost or more. */
static bool gap_at(const struct ht__rounds *r, uint32_t site, const uint32_t who_day[2], uint32_t k,
                   struct gap *gap)
{
    const struct ht_rounds_problem *p = r->problem;
    uint32_t i = who_day[0];
    size_t at = (size_t)i * r->days + who_day[1];
    const struct ht__rounds_tour *tour = &r->tours[at];
    const uint32_t *stops = r->stops + at * r->room;
    const struct ht_rounds_site *s = &p->sites[site];
    uint32_t before = ht__rounds_start(r, i, who_day[1]);
    uint32_t after = p->inspectors[i].end;
    int32_t leave_s = 0;
    int32_t due_s = 0;
    if (k > 0) {
        const struct ht_rounds_site *last = &p->sites[r->slots[stops[k - 1]].site];
        before = last->location;
        leave_s = r->begin_s[at * r->room + k - 1] + (int32_t)last->service_s;
    } else {
        leave_s = ht__rounds_from_s(r, i, who_day[1]);
    }
    if (k < tour->count) {
        after = p->sites[r->slots[stops[k]].site].location;
        due_s = r->latest_s[at * r->room + k];
    } else {
        due_s = ht__rounds_to_s(r, i, who_day[1]);
    }
    int32_t there_s = ht__rounds_way_s(r, i, before, s->location);
    int32_t on_s = ht__rounds_way_s(r, i, s->location, after);
    int32_t from_s = leave_s + there_s;
    bool alone = tour->count == 0;
    int64_t cost = ht__rounds_way_cost(r, i, before, s->location) +
                   ht__rounds_way_cost(r, i, s->location, after) +
                   (alone ? (int64_t)p->prices.day_s : -ht__rounds_way_cost(r, i, before, after));
    int64_t most = gap->cost;
    gap->to_s = due_s - on_s - (int32_t)s->service_s;
    if (cost >= most || from_s > gap->to_s) {
        return false;
    }
    gap->at = k;
    gap->cost = cost;
    gap->from_s = ht__rounds_next_s(r, site, i, who_day[1], from_s);
    gap->travel_s = (int64_t)there_s + on_s - (alone ? 0 : ht__rounds_way_s(r, i, before, after));
    if (gap->from_s > gap->to_s) {
        return false;
    }
    if (r->kept_s != NULL && k < tour->count) {
        int32_t t_s = gap_kept(gap, gap->was_s);
        gap->cost += gap_pushes(r, site, who_day, k, t_s) * ht__rounds_shift_price(r);
    }
    return gap->cost < most;
}

bool ht__rounds_was_so(const struct ht__rounds *r, uint32_t site, uint32_t day,
                       const uint32_t pair[2])
{
    uint32_t at = r->run_at == NULL ? HT_PLAN_NONE : r->run_at[(size_t)site * r->days + day];
    if (at == HT_PLAN_NONE) {
        return false;
    }
    const struct ht_rounds_running *v = &r->problem->running[at];
    return (v->inspector == pair[0] && v->second == pair[1]) ||
           (v->inspector == pair[1] && v->second == pair[0]);
}

/* What the inspector's load costs more, for so much more of it. */
static int64_t load_cost(const struct ht__rounds *r, uint32_t inspector, int64_t more_s)
{
    return ht__rounds_balance(r, inspector, r->load_s[inspector] + more_s) -
           r->load_cost[inspector];
}

static void offer_alone(const struct ht__rounds *r, uint32_t site, const uint32_t who_day[2],
                        struct ht__rounds_offer *offer)
{
    uint32_t count = r->tours[(size_t)who_day[0] * r->days + who_day[1]].count;
    const uint32_t pair[2] = {who_day[0], HT_PLAN_NONE};
    int32_t was_s = was_so_at(r, site, who_day[1], pair);
    struct gap best = {.cost = HT__ROUNDS_CANT};
    for (uint32_t k = 0; k <= count; k++) {
        struct gap gap = {.was_s = was_s, .cost = best.cost};
        if (gap_at(r, site, who_day, k, &gap)) {
            bool away = was_s >= 0 && is_away(gap_kept(&gap, was_s) - was_s);
            gap.cost += away ? ht__rounds_shift_price(r) : 0;
            best = gap.cost < best.cost ? gap : best;
        }
    }
    if (best.cost == HT__ROUNDS_CANT) {
        return;
    }
    offer->load_s = best.travel_s + r->problem->sites[site].service_s;
    offer->load_cost = load_cost(r, who_day[0], offer->load_s);
    offer->cost = best.cost + offer->load_cost;
    offer->place.lead = who_day[0];
    offer->place.at = best.at;
}

/* The earliest time, not before t_s, when both can begin; FAR. */
static int32_t common_from(const struct ht__rounds *r, uint32_t site, const uint32_t *who_day,
                           uint32_t second, int32_t t_s, int32_t to_s)
{
    while (t_s <= to_s) {
        int32_t next_s = ht__rounds_next_s(r, site, who_day[0], who_day[1], t_s);
        next_s = next_s >= HT__ROUNDS_FAR ? next_s
                                          : ht__rounds_next_s(r, site, second, who_day[1], next_s);
        if (next_s == t_s) {
            return t_s;
        }
        t_s = next_s;
    }
    return HT__ROUNDS_FAR;
}

/* The time that the visit had, where both can begin then; else the earliest; FAR. */
static int32_t common_s(const struct ht__rounds *r, uint32_t site, const uint32_t *who_day,
                        uint32_t second, const struct gap gaps[2])
{
    int32_t from_s = gaps[0].from_s > gaps[1].from_s ? gaps[0].from_s : gaps[1].from_s;
    int32_t to_s = gaps[0].to_s < gaps[1].to_s ? gaps[0].to_s : gaps[1].to_s;
    int32_t was_s = gaps[0].was_s;
    if (was_s >= from_s && was_s <= to_s &&
        common_from(r, site, who_day, second, was_s, was_s) == was_s) {
        return was_s;
    }
    return common_from(r, site, who_day, second, from_s, to_s);
}

/* All places that suit. */
static uint32_t gaps_find(const struct ht__rounds *r, uint32_t site, const uint32_t who_day[2],
                          int32_t was_s, struct gap *gaps)
{
    uint32_t stops = r->tours[(size_t)who_day[0] * r->days + who_day[1]].count;
    uint32_t count = 0;
    for (uint32_t k = 0; k <= stops; k++) {
        gaps[count] = (struct gap){.was_s = was_s, .cost = HT__ROUNDS_CANT};
        count += gap_at(r, site, who_day, k, &gaps[count]);
    }
    return count;
}

/* The cheapest pair of places at one time. */
static void offer_pair(const struct ht__rounds *r, uint32_t site, const uint32_t who_day[2],
                       uint32_t second, struct ht__rounds_offer *offer)
{
    const uint32_t other[2] = {second, who_day[1]};
    struct gap firsts[HT_ROUNDS_STOPS_MOST + 1];
    struct gap seconds[HT_ROUNDS_STOPS_MOST + 1];
    const uint32_t two[2] = {who_day[0], second};
    int32_t was_s = was_so_at(r, site, who_day[1], two);
    uint32_t count = gaps_find(r, site, who_day, was_s, firsts);
    uint32_t others = count == 0 ? 0 : gaps_find(r, site, other, was_s, seconds);
    int64_t service_s = r->problem->sites[site].service_s;
    for (uint32_t i = 0; i < count * others; i++) {
        const struct gap pair[2] = {firsts[i / others], seconds[i % others]};
        int64_t first_load = load_cost(r, who_day[0], pair[0].travel_s + service_s);
        int64_t second_load = load_cost(r, second, pair[1].travel_s + service_s);
        int64_t cost = pair[0].cost + pair[1].cost + first_load + second_load;
        int32_t t_s =
            cost < offer->cost ? common_s(r, site, who_day, second, pair) : HT__ROUNDS_FAR;
        cost += was_s >= 0 && is_away(t_s - was_s) ? ht__rounds_shift_price(r) : 0;
        if (t_s < HT__ROUNDS_FAR && cost < offer->cost) {
            offer->cost = cost;
            offer->load_cost = first_load;
            offer->load_s = pair[0].travel_s + service_s;
            offer->place = (struct ht__rounds_place){.day = who_day[1],
                                                     .lead = who_day[0],
                                                     .second = second,
                                                     .at = pair[0].at,
                                                     .second_at = pair[1].at,
                                                     .begin_s = t_s};
        }
    }
}

void ht__rounds_offer_with(const struct ht__rounds *r, uint32_t site, uint32_t day,
                           const uint32_t pair[2], struct ht__rounds_offer *offer)
{
    const uint32_t who_day[2] = {pair[0], day};
    *offer = (struct ht__rounds_offer){
        .cost = HT__ROUNDS_CANT,
        .place = {.day = day, .lead = pair[0], .second = HT_PLAN_NONE, .begin_s = HT__ROUNDS_FREE}};
    if (!ht__rounds_has_room(r, pair[0], day) || !ht__rounds_may_lead(r, site, pair[0])) {
        return;
    }
    if (pair[1] == HT_PLAN_NONE) {
        offer_alone(r, site, who_day, offer);
    } else if (ht__rounds_has_room(r, pair[1], day) && ht__rounds_may_come(r, site, pair[1])) {
        offer_pair(r, site, who_day, pair[1], offer);
    }
    if (offer->cost != HT__ROUNDS_CANT && ht__rounds_was_so(r, site, day, pair)) {
        offer->cost -= r->problem->prices.move_s;
    }
}

void ht__rounds_offer(const struct ht__rounds *r, uint32_t site, uint32_t lead, uint32_t day,
                      struct ht__rounds_offer *offer)
{
    uint32_t pair[2] = {lead, HT_PLAN_NONE};
    if (r->problem->sites[site].crew == 1) {
        ht__rounds_offer_with(r, site, day, pair, offer);
        return;
    }
    struct ht__rounds_offer one;
    const uint32_t *mates = r->mates + (size_t)site * HT__ROUNDS_MATES;
    bool all = r->thorough && r->problem->inspector_count <= HT__ROUNDS_CROWD;
    uint32_t count = all ? r->problem->inspector_count : HT__ROUNDS_MATES;
    int64_t least_s = INT64_MAX; /* of those who were tried */
    *offer = (struct ht__rounds_offer){.cost = HT__ROUNDS_CANT};
    for (uint32_t i = 0; i < count; i++) {
        pair[1] = all ? i : mates[i];
        if (pair[1] == HT_PLAN_NONE || pair[1] == lead) {
            continue;
        }
        bool blink = r->blinks && i >= NEAREST && r->load_s[pair[1]] >= least_s &&
                     (r->random >> 9 & 7) != ((i + day) & 7);
        if (!blink) {
            least_s = r->load_s[pair[1]] < least_s ? r->load_s[pair[1]] : least_s;
            ht__rounds_offer_with(r, site, day, pair, &one);
            if (one.cost < offer->cost) {
                *offer = one;
            }
        }
    }
}
