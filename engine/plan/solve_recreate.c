/* Recreate: what is absent goes back, one after the other, to where it costs least. */
#include "engine/plan/solve_search.h"

enum {
    OTHERS_TRIED = 20, /* absent for longer, that are tried again with those taken out */
    MEMO_FROM = 4,     /* routes: with fewer, most change at each step */
    STAMP_SHIFT = 16   /* more than tasks there can be */
};

static uint32_t order_draw(struct ht__search *s)
{
    /* random 4, amount 4, far 2, near 1, and with windows 2 each of their length, begin, end */
    static const uint8_t odds[] = {9, 9, 9, 9, 0, 0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5};
    return odds[ht__search_below(s, sizeof odds)];
}

/* Which absent items are tried, in which order; the others stay absent. */
static uint32_t trial_make(struct ht__search *s, uint32_t fresh_from)
{
    uint32_t order = order_draw(s);
    uint32_t count = 0;
    uint32_t old = fresh_from;
    /* those absent for longer: some of them by chance, moved behind the others that stay */
    while (old > 0 && fresh_from - old < OTHERS_TRIED) {
        uint32_t pick = ht__search_below(s, old--);
        uint32_t item = s->absent[pick];
        s->absent[pick] = s->absent[old];
        s->absent[old] = item;
    }
    for (uint32_t i = old; i < s->absent_count; i++) {
        uint32_t item = s->absent[i];
        int64_t key = order > HT__ORDERS ? (int64_t)(ht__random(&s->random) >> 1)
                                         : ht__item_key(s->model, order, item);
        /* more important ones first, whatever the order; then by insertion, since they are few */
        uint32_t at = count++;
        s->key[item] = key;
        uint32_t priority = ht__task(s->model, item)->priority;
        while (at > 0) {
            uint32_t other = s->trial[at - 1];
            uint32_t its = ht__task(s->model, other)->priority;
            if (its > priority || (its == priority && s->key[other] <= key)) {
                break;
            }
            s->trial[at] = other;
            at--;
        }
        s->trial[at] = item;
    }
    s->absent_count = old;
    return count;
}

static uint32_t empty_of(struct ht__search *s, uint32_t class)
{
    const struct ht__class *c = &s->model->classes[class];
    uint32_t i = s->free_from[class];
    while (i < c->vehicle_count && s->routes[c->vehicles[i]].count > 0) {
        i++;
    }
    s->free_from[class] = i;
    return i < c->vehicle_count ? c->vehicles[i] : HT_PLAN_NONE;
}

static struct ht__memo *memo_of(struct ht__search *s, uint32_t v, uint32_t item, uint64_t *key)
{
    struct ht__route *route = &s->routes[v];
    size_t at = (size_t)item * s->model->problem->vehicle_count + v;
    route->stamp = route->stamp == 0 ? ++s->stamp : route->stamp;
    *key = route->stamp << STAMP_SHIFT | item;
    return &s->memo[at & s->memo_mask];
}

/* Takes a remembered place that is cheaper; true: it did. */
static bool memo_take(struct ht__search *s, const struct ht__memo *memo, struct ht__spot *spot)
{
    for (int i = 0; i < HT__SPOTS; i++) {
        if (memo->best[i].cost >= spot->cost || memo->best[i].first == HT_PLAN_NONE) {
            return false;
        }
        if (!ht__overlooked(&s->blink)) {
            *spot = memo->best[i];
            return true;
        }
    }
    return false;
}

/* Asks for the places that cost less than `spot`, remembers them, and takes one. */
static bool memo_fill(struct ht__search *s, uint32_t v, uint32_t item, struct ht__spot *spot)
{
    uint64_t key = 0;
    struct ht__memo *memo = memo_of(s, v, item, &key);
    struct ht__blink never = {.left = UINT32_MAX};
    struct ht__spots spots = {.most = HT__SPOTS, .trial = ht__search_trial_of(s)};
    for (int i = 0; i < HT__SPOTS; i++) {
        spots.best[i] = (struct ht__spot){.cost = spot->cost, .first = HT_PLAN_NONE};
    }
    ht__route_spots(s->model, &s->routes[v], item, &never, &spots);
    memo->key = key;
    memcpy(memo->best, spots.best, sizeof memo->best);
    return memo_take(s, memo, spot);
}

/* Over the routes in use: first where it is known, which makes the others' bound low. */
static uint32_t memo_find(struct ht__search *s, uint32_t item, struct ht__spot *spot)
{
    uint32_t found = HT_PLAN_NONE;
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < s->used_count; i++) {
        uint32_t v = s->used[i];
        uint64_t key = 0;
        const struct ht__memo *memo = memo_of(s, v, item, &key);
        if (s->routes[v].c->reason[item] != HT_REASON_NONE) {
            continue;
        }
        if (memo->key != key ||
            (memo->best[0].first == HT_PLAN_NONE && memo->best[0].cost < spot->cost)) {
            s->unknown[unknown++] = v;
        } else if (memo_take(s, memo, spot)) {
            found = v;
        }
    }
    for (uint32_t i = 0; i < unknown; i++) {
        if (memo_fill(s, s->unknown[i], item, spot)) {
            found = s->unknown[i];
        }
    }
    return found;
}

/* Betters `spot` where the item has a cheaper place in the route; false: it has none. */
static bool spot_better(struct ht__search *s, uint32_t v, uint32_t item, struct ht__spot *spot)
{
    struct ht__spots spots = {.best = {*spot}, .most = 1, .trial = ht__search_trial_of(s)};
    if (s->routes[v].c->reason[item] != HT_REASON_NONE) {
        return false;
    }
    ht__route_spots(s->model, &s->routes[v], item, &s->blink, &spots);
    bool better = spots.best[0].cost < spot->cost;
    *spot = spots.best[0];
    return better;
}

/* The cheapest place of an item; HT_PLAN_NONE: there is none. */
static uint32_t spot_find(struct ht__search *s, uint32_t item, struct ht__spot *spot)
{
    bool memo = s->used_count > MEMO_FROM;
    uint32_t found = HT_PLAN_NONE;
    *spot = (struct ht__spot){.cost = INT64_MAX};
    if (memo) {
        found = memo_find(s, item, spot);
    }
    for (uint32_t i = 0; !memo && i < s->used_count; i++) {
        found = spot_better(s, s->used[i], item, spot) ? s->used[i] : found;
    }
    for (uint32_t i = 0; s->used_count < s->used_most && i < s->model->class_count; i++) {
        uint32_t v = empty_of(s, i);
        if (v != HT_PLAN_NONE && spot_better(s, v, item, spot)) {
            found = v;
        }
    }
    return found;
}

/* Takes an item out of a route that does not keep the rules with it. */
static void put_undo(struct ht__search *s, struct ht__route *route, uint32_t item)
{
    uint32_t last = ht__item_last(s->model, item);
    uint32_t kept = 0;
    for (uint32_t p = 1; p <= route->count; p++) {
        if (route->task[p] != item && route->task[p] != last) {
            route->task[++kept] = route->task[p];
        }
    }
    route->count = kept;
    (void)ht__route_settle(s->model, route);
}

static enum ht_status item_put(struct ht__search *s, uint32_t item, bool *put)
{
    struct ht__spot spot;
    uint32_t v = spot_find(s, item, &spot);
    *put = false;
    if (v == HT_PLAN_NONE) {
        return HT_OK;
    }
    struct ht__route *route = &s->routes[v];
    int64_t before = route->cost;
    enum ht_status status = ht__search_touch(s, v);
    if (status == HT_OK) {
        status = ht__route_room(s->model, route, route->count + 2);
    }
    if (status != HT_OK) {
        return status;
    }
    *put = ht__route_put(s->model, route, item, &spot);
    if (!*put) {
        put_undo(s, route, item);
    } else {
        ht__search_owner_set(s, item, v);
        s->missing -= ht__search_weight(s->model, item);
    }
    s->cost += route->cost - before;
    ht__search_used_fix(s, v);
    return HT_OK;
}

/* What is put in from here on only costs more, and who found no place stays absent. */
static bool hopeless(const struct ht__search *s, int64_t absences)
{
    return absences > s->absent_limit ||
           (s->limit != INT64_MAX && (s->cost >= s->limit || s->absent_count > 0));
}

enum ht_status ht__search_recreate(struct ht__search *s, uint32_t fresh_from)
{
    uint32_t count = trial_make(s, fresh_from);
    int64_t absences = 0;
    bool on = true;
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; s->absent_limit != INT64_MAX && i < s->absent_count; i++) {
        absences += ht__search_absence(s, s->absent[i]);
    }
    s->failed = s->absent_count;
    for (uint32_t i = 0; i < count; i++) {
        bool put = false;
        on = on && status == HT_OK && !hopeless(s, absences);
        if (on) {
            status = item_put(s, s->trial[i], &put);
        }
        if (!put) {
            s->absent[s->absent_count++] = s->trial[i];
            s->failed += on;
            absences += ht__search_absence(s, s->trial[i]);
        }
    }
    return status;
}
