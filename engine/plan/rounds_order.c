/* The order of the day, after a re-plan: the search knows days and inspectors, not times, and turns
 * a tour round where that saves a minute. Here visits that stay on their day go back to the order
 * that they had, where the new ones find a place among them and the way is hardly longer. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/plan/rounds_internal.h"

enum {
    WORTH = 8, /* a visit that keeps its time may take move_s / WORTH of travel */
    ROUNDS = 4 /* through all visits of two */
};

/* One tour. */
struct tour {
    struct ht__rounds *r;
    uint32_t inspector;
    uint32_t day;
    uint32_t count;
    uint32_t *stops;
    int32_t *begin_s;
    bool same; /* visits that have come to others count as new */
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
        int32_t was_s = ht__rounds_was_at(t->r, t->stops[k], true);
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
        int32_t was_s = ht__rounds_was_at(t->r, t->stops[k], t->same);
        uint32_t at = count;
        if (was_s < 0) {
            continue;
        }
        for (; at > 0 && ht__rounds_was_at(t->r, out[at - 1], t->same) > was_s; at--) {
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
        if (ht__rounds_was_at(t->r, stops[k], t->same) < 0) {
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

/* When a visit of two was to begin, where the shifts of both who come now and the site's hours hold
 * it then; -1. */
static int32_t pair_was_at(const struct ht__rounds *r, uint32_t v, bool same)
{
    const struct ht__rounds_slot *slot = &r->slots[v];
    int32_t was_s = ht__rounds_was_at(r, v, same);
    bool held = was_s >= 0 &&
                ht__rounds_next_s(r, slot->site, slot->lead, slot->day, was_s) == was_s &&
                ht__rounds_next_s(r, slot->site, slot->second, slot->day, was_s) == was_s;
    return held ? was_s : -1;
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
            int32_t was_s = pair_was_at(r, v, false);
            changed =
                (was_s >= 0 && was_s != slot->begin_s && pair_order(r, slot, was_s)) || changed;
        }
    }
    return changed;
}

/* ---- a whole day ---- */

/* Of a day: travel of its tours, and visits that are away from their time. */
struct sums {
    int64_t travel_s;
    int64_t away;
};

static struct sums sums_of(struct ht__rounds *r, uint32_t day)
{
    struct sums sums = {0, 0};
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        struct tour tour = tour_of(r, (size_t)i * r->days + day);
        if (tour.count > 0) {
            sums.travel_s += travel_s(&tour);
            sums.away += away(&tour);
        }
    }
    return sums;
}

/* What a day was before. */
struct kept {
    int32_t *begin_s; /* [slots] */
    uint32_t *stops;  /* [inspectors * room] */
};

static bool is_two(const struct ht__rounds_slot *slot, uint32_t day)
{
    return slot->lead != HT_PLAN_NONE && slot->second != HT_PLAN_NONE && slot->day == day &&
           slot->state == HT_ROUNDS_PLANNED;
}

static void day_keep(const struct ht__rounds *r, uint32_t day, struct kept *kept)
{
    for (uint32_t v = 0; v < r->slot_count; v++) {
        kept->begin_s[v] = r->slots[v].begin_s;
    }
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        size_t at = (size_t)i * r->days + day;
        memcpy(kept->stops + (size_t)i * r->room, r->stops + at * r->room,
               r->tours[at].count * sizeof *kept->stops);
    }
}

static void day_back(struct ht__rounds *r, uint32_t day, const struct kept *kept)
{
    for (uint32_t v = 0; v < r->slot_count; v++) {
        r->slots[v].begin_s = is_two(&r->slots[v], day) ? kept->begin_s[v] : r->slots[v].begin_s;
    }
    for (uint32_t i = 0; i < r->problem->inspector_count; i++) {
        struct tour tour = tour_of(r, (size_t)i * r->days + day);
        memcpy(tour.stops, kept->stops + (size_t)i * r->room, tour.count * sizeof *tour.stops);
        (void)times(&tour); /* as it was */
    }
}

/* Every visit of two gets its own time back, and every tour its order; false: some tour does not
 * hold it. */
static bool day_old(struct ht__rounds *r, uint32_t day, const struct kept *kept, bool same)
{
    bool good = true;
    for (uint32_t v = 0; v < r->slot_count; v++) {
        int32_t was_s = is_two(&r->slots[v], day) ? pair_was_at(r, v, same) : -1;
        r->slots[v].begin_s = was_s >= 0 ? was_s : r->slots[v].begin_s;
    }
    for (uint32_t i = 0; i < r->problem->inspector_count && good; i++) {
        struct tour tour = tour_of(r, (size_t)i * r->days + day);
        uint32_t count = tour.count;
        tour.same = same;
        good = count == 0 ||
               (order_old(&tour, kept->stops + (size_t)i * r->room, count) && times(&tour));
    }
    return good;
}

/* Visits of two hold each other's day: one by one they don't go back. */
static bool day_order(struct ht__rounds *r, uint32_t day, struct kept *kept, bool same)
{
    struct sums before = sums_of(r, day);
    if (before.away == 0) {
        return false;
    }
    day_keep(r, day, kept);
    bool good = day_old(r, day, kept, same);
    struct sums after = good ? sums_of(r, day) : before;
    int64_t worth_s = (before.away - after.away) * (int64_t)r->problem->prices.move_s / WORTH;
    good = good && after.away < before.away && after.travel_s - before.travel_s <= worth_s;
    if (!good) {
        day_back(r, day, kept);
    }
    return good;
}

static bool days_order(struct ht__rounds *r)
{
    struct kept kept = {
        ht_array_new(r->slot_count, sizeof *kept.begin_s),
        ht_array_new((size_t)r->problem->inspector_count * r->room, sizeof *kept.stops)};
    bool changed = false;
    for (uint32_t day = 0; day < r->days && kept.begin_s != NULL && kept.stops != NULL; day++) {
        /* whoever comes now; or else without what has come to others, which goes where it can */
        changed = day_order(r, day, &kept, false) || day_order(r, day, &kept, true) || changed;
    }
    free(kept.begin_s);
    free(kept.stops);
    return changed;
}

void ht__rounds_order(struct ht__rounds *r)
{
    bool changed = false;
    if (r->run_first[r->problem->site_count] == 0) {
        return;
    }
    changed = days_order(r);
    for (int i = 0; i < ROUNDS && pairs_order(r); i++) { /* where one goes, another one may */
        changed = true;
    }
    for (size_t at = 0; at < (size_t)r->problem->inspector_count * r->days; at++) {
        struct tour tour = tour_of(r, at);
        changed = (tour.count > 1 && tour_order(&tour)) || changed;
    }
    if (changed) {
        ht__rounds_reckon(r);
    }
}
