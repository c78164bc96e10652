/* The order of the day, after a re-plan: the search knows days and inspectors, not times, and turns
 * a tour round where that saves a minute. Here visits that stay on their day go back to the order
 * that they had, where the new ones find a place among them and the way is hardly longer. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/rounds_internal.h"

enum { WORTH = 8 /* a visit that keeps its time may take move_s / WORTH of travel */ };

/* One tour. */
struct tour {
    struct ht__rounds *r;
    uint32_t inspector;
    uint32_t day;
    uint32_t count;
    uint32_t *stops;
    int32_t *begin_s;
};

static struct tour tour_of(struct ht__rounds *r, size_t at)
{
    return (struct tour){.r = r,
                         .inspector = (uint32_t)(at / r->days),
                         .day = (uint32_t)(at % r->days),
                         .count = r->tours[at].count,
                         .stops = r->stops + at * r->room,
                         .begin_s = r->begin_s + at * r->room};
}

/* How many visits begin by far at another time than they did; it can be done in time. */
static uint32_t away(const struct tour *t)
{
    uint32_t count = 0;
    ht__rounds_tour_keep(t->r, t->inspector, t->day);
    for (uint32_t k = 0; k < t->count; k++) {
        int32_t was_s = ht__rounds_was_at(t->r, t->stops[k]);
        int32_t by_s = was_s < 0 ? 0 : t->begin_s[k] - was_s;
        count += by_s > HT_ROUNDS_SHIFT_S || by_s < -HT_ROUNDS_SHIFT_S;
    }
    return count;
}

static bool times(const struct tour *t)
{
    return ht__rounds_tour_times(t->r, t->inspector, t->day);
}

static int64_t travel_s(const struct tour *t)
{
    return t->r->tours[(size_t)t->inspector * t->r->days + t->day].travel_s;
}

/* Those that were there, by the time that they had; how many. */
static uint32_t old_order(const struct tour *t, uint32_t out[HT_ROUNDS_STOPS_MOST])
{
    uint32_t count = 0;
    for (uint32_t k = 0; k < t->count; k++) {
        int32_t was_s = ht__rounds_was_at(t->r, t->stops[k]);
        uint32_t at = count;
        if (was_s < 0) {
            continue;
        }
        for (; at > 0 && ht__rounds_was_at(t->r, out[at - 1]) > was_s; at--) {
            out[at] = out[at - 1];
        }
        out[at] = t->stops[k];
        count++;
    }
    return count;
}

/* Puts one more stop where the way is shortest; false: nowhere. */
static bool stop_insert(struct tour *t, uint32_t stop)
{
    struct ht__rounds_tour *own = &t->r->tours[(size_t)t->inspector * t->r->days + t->day];
    int64_t best_s = INT64_MAX;
    uint32_t best = 0;
    t->count++;
    own->count = t->count;
    for (uint32_t at = 0; at < t->count; at++) {
        memmove(t->stops + at + 1, t->stops + at, (t->count - 1 - at) * sizeof *t->stops);
        t->stops[at] = stop;
        if (times(t) && travel_s(t) < best_s) {
            best_s = travel_s(t);
            best = at;
        }
        memmove(t->stops + at, t->stops + at + 1, (t->count - 1 - at) * sizeof *t->stops);
    }
    memmove(t->stops + best + 1, t->stops + best, (t->count - 1 - best) * sizeof *t->stops);
    t->stops[best] = stop;
    return best_s < INT64_MAX;
}

/* The order that it had, with what is new; false: it can't be done in time. */
static bool order_old(struct tour *t, const uint32_t *stops, uint32_t count)
{
    struct ht__rounds_tour *own = &t->r->tours[(size_t)t->inspector * t->r->days + t->day];
    uint32_t old[HT_ROUNDS_STOPS_MOST];
    uint32_t olds = old_order(t, old);
    memcpy(t->stops, old, olds * sizeof *old);
    t->count = olds;
    own->count = olds;
    bool good = olds == 0 || times(t);
    for (uint32_t k = 0; k < count && good; k++) {
        if (ht__rounds_was_at(t->r, stops[k]) < 0) {
            good = stop_insert(t, stops[k]);
        }
    }
    t->count = count;
    own->count = count;
    return good;
}

static bool tour_order(struct tour *t)
{
    uint32_t stops[HT_ROUNDS_STOPS_MOST];
    uint32_t count = t->count;
    int64_t before_s = travel_s(t);
    uint32_t away_before = away(t);
    if (away_before == 0) {
        return false;
    }
    memcpy(stops, t->stops, count * sizeof *stops);
    bool good = order_old(t, stops, count) && times(t);
    int64_t more_s = good ? travel_s(t) - before_s : 0;
    uint32_t away_after = good ? away(t) : away_before;
    int64_t worth_s = away_after < away_before ? (int64_t)(away_before - away_after) *
                                                     t->r->problem->prices.move_s / WORTH
                                               : -1;
    if (good && more_s <= worth_s) {
        return true;
    }
    memcpy(t->stops, stops, count * sizeof *stops);
    (void)times(t); /* as it was */
    return false;
}

/* A visit of two had another time in both tours: it gets its own back, where both hold it. */
static bool pair_order(struct ht__rounds *r, struct ht__rounds_slot *slot, int32_t was_s)
{
    const uint32_t who[2] = {slot->lead, slot->second};
    uint32_t stops[2][HT_ROUNDS_STOPS_MOST];
    struct tour tours[2];
    int32_t now_s = slot->begin_s;
    bool good = true;
    slot->begin_s = was_s;
    for (int i = 0; i < 2; i++) {
        tours[i] = tour_of(r, (size_t)who[i] * r->days + slot->day);
        memcpy(stops[i], tours[i].stops, tours[i].count * sizeof *stops[i]);
    }
    for (int i = 0; i < 2; i++) {
        good = good && order_old(&tours[i], stops[i], tours[i].count) && times(&tours[i]);
    }
    slot->begin_s = good ? was_s : now_s;
    for (int i = 0; i < 2 && !good; i++) {
        memcpy(tours[i].stops, stops[i], tours[i].count * sizeof *stops[i]);
        (void)times(&tours[i]); /* as it was */
    }
    return good;
}

static bool pairs_order(struct ht__rounds *r)
{
    bool changed = false;
    for (uint32_t v = 0; v < r->slot_count; v++) {
        struct ht__rounds_slot *slot = &r->slots[v];
        if (slot->lead != HT_PLAN_NONE && slot->second != HT_PLAN_NONE &&
            slot->state == HT_ROUNDS_PLANNED) {
            int32_t was_s = ht__rounds_was_at(r, v);
            changed =
                (was_s >= 0 && was_s != slot->begin_s && pair_order(r, slot, was_s)) || changed;
        }
    }
    return changed;
}

/* ---- all at once ---- */

/* Travel of all tours, and visits that are away from their time. */
struct sums {
    int64_t travel_s;
    int64_t away;
};

static struct sums sums_of(struct ht__rounds *r)
{
    struct sums sums = {0, 0};
    for (size_t at = 0; at < (size_t)r->problem->inspector_count * r->days; at++) {
        struct tour tour = tour_of(r, at);
        if (tour.count > 0) {
            sums.travel_s += travel_s(&tour);
            sums.away += away(&tour);
        }
    }
    return sums;
}

/* Every visit of two gets its own time back, and every tour its order; false: some day does not
 * hold it. */
static bool all_old(struct ht__rounds *r)
{
    bool good = true;
    for (uint32_t v = 0; v < r->slot_count; v++) {
        struct ht__rounds_slot *slot = &r->slots[v];
        bool two = slot->lead != HT_PLAN_NONE && slot->second != HT_PLAN_NONE &&
                   slot->state == HT_ROUNDS_PLANNED;
        int32_t was_s = two ? ht__rounds_was_at(r, v) : -1;
        slot->begin_s = was_s >= 0 ? was_s : slot->begin_s;
    }
    for (size_t at = 0; at < (size_t)r->problem->inspector_count * r->days && good; at++) {
        uint32_t stops[HT_ROUNDS_STOPS_MOST];
        struct tour tour = tour_of(r, at);
        uint32_t count = tour.count;
        memcpy(stops, tour.stops, count * sizeof *stops);
        good = count == 0 || (order_old(&tour, stops, count) && times(&tour));
    }
    return good;
}

/* What a plan was before, in one piece of memory. */
struct kept {
    struct ht__rounds_slot *slots;
    uint32_t *stops;
};

static void all_back(struct ht__rounds *r, const struct kept *kept)
{
    size_t tours = (size_t)r->problem->inspector_count * r->days;
    memcpy(r->slots, kept->slots, r->slot_count * sizeof *r->slots);
    memcpy(r->stops, kept->stops, tours * r->room * sizeof *r->stops);
    for (size_t at = 0; at < tours; at++) {
        struct tour tour = tour_of(r, at);
        (void)times(&tour); /* as it was */
    }
}

/* Where little changed, the whole plan holds its times, which visits of two don't do one by one. */
static bool all_order(struct ht__rounds *r)
{
    size_t tours = (size_t)r->problem->inspector_count * r->days;
    struct kept kept = {ht_array_new(r->slot_count, sizeof *kept.slots),
                        ht_array_new(tours * r->room, sizeof *kept.stops)};
    bool good = false;
    if (kept.slots != NULL && kept.stops != NULL) {
        struct sums before = sums_of(r);
        memcpy(kept.slots, r->slots, r->slot_count * sizeof *r->slots);
        memcpy(kept.stops, r->stops, tours * r->room * sizeof *r->stops);
        good = before.away > 0 && all_old(r);
        struct sums after = good ? sums_of(r) : before;
        int64_t worth_s = (before.away - after.away) * (int64_t)r->problem->prices.move_s / WORTH;
        good = good && after.away < before.away && after.travel_s - before.travel_s <= worth_s;
        if (!good) {
            all_back(r, &kept);
        }
    }
    free(kept.slots);
    free(kept.stops);
    return good;
}

void ht__rounds_order(struct ht__rounds *r)
{
    bool changed = false;
    if (r->run_first[r->problem->site_count] == 0) {
        return;
    }
    changed = all_order(r);
    changed = pairs_order(r) || changed;
    for (size_t at = 0; at < (size_t)r->problem->inspector_count * r->days; at++) {
        struct tour tour = tour_of(r, at);
        changed = (tour.count > 1 && tour_order(&tour)) || changed;
    }
    if (changed) {
        ht__rounds_reckon(r);
    }
}
