/* One thread's walk: ruin, recreate, keep or undo. */
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/array.h"
#include "engine/plan/solve_internal.h"

enum {
    RUIN_MEAN = 10,    /* stops taken out at a time, on average */
    STRING_MOST = 15,  /* of one route */
    OTHERS_TRIED = 20, /* absent for longer, that are tried again with those taken out */
    CLOCK_EVERY = 8,   /* iterations */
    ABSENCES_MOST = 1 << 30,
    MEMO_FROM = 4,       /* routes: with fewer, most change at each step */
    MEMO_MOST = 1 << 19, /* entries */
    STAMP_SHIFT = 16,    /* more than tasks there can be */
};
static const float BLINK = 0.01F;
static const double SPLIT = 0.5;         /* how often a string keeps some stops in its midst */
static const double SPLIT_LONGER = 0.01; /* how often one more of them */

/* The cheapest places of an item in a route as it was at some time: what a step did not change, or
 * undid, is not asked for again. With `first` HT_PLAN_NONE: there is none that costs less. */
struct memo {
    uint64_t key; /* of the route's stamp and the item */
    struct ht__spot best[HT__SPOTS];
};

struct ht__search {
    const struct ht__model *model;
    struct memo *memo;
    size_t memo_mask;
    uint32_t *unknown;        /* [vehicles] routes whose places are not remembered */
    uint64_t stamp;           /* the last that was given */
    struct ht__route scratch; /* struct ht__spots */
    uint32_t *free_from;      /* [classes] no vehicle before this one of its list is empty */
    struct ht__route *routes; /* [vehicles] */
    struct ht__route *kept;   /* as they were before this iteration */
    uint32_t kept_count;
    uint32_t kept_room;
    uint64_t *touched; /* [vehicles] the iteration that kept it last */
    uint64_t now;
    uint32_t *used;    /* vehicles with stops */
    uint32_t *used_at; /* [vehicles] where in `used`; HT_PLAN_NONE */
    uint32_t used_count;
    uint32_t *route_of; /* [tasks]; HT_PLAN_NONE: absent */
    uint32_t *absent;   /* items */
    uint32_t absent_count;
    uint32_t *absent_kept;
    uint32_t absent_kept_count;
    uint32_t *trial;    /* items to put in, in order */
    int64_t *key;       /* [tasks] of the order */
    uint32_t *absences; /* [tasks] */
    uint8_t *pinned;    /* [tasks] never taken out */
    int64_t missing;    /* sum of weights of the absent */
    int64_t cost;
    uint32_t used_most; /* vehicles it may use */
    struct ht__blink blink;
    uint64_t random;
    struct ht__answer best;
};

static int64_t weight_of(const struct ht__model *model, uint32_t item)
{
    return (int64_t)ht__task(model, item)->priority * (model->problem->task_count + 1) + 1;
}

static uint32_t below(struct ht__search *s, uint32_t bound)
{
    return (uint32_t)(((ht__random(&s->random) >> 32) * bound) >> 32);
}

static double chance(struct ht__search *s)
{
    return (double)(ht__random(&s->random) >> 11) * 0x1p-53;
}

/* ---- memory ---- */

static enum ht_status arrays_make(struct ht__search *s)
{
    size_t tasks = s->model->stops;
    size_t vehicles = s->model->problem->vehicle_count;
    s->routes = ht_array_new_zeroed(vehicles, sizeof *s->routes);
    s->touched = ht_array_new_zeroed(vehicles, sizeof *s->touched);
    s->used = ht_array_new(vehicles, sizeof *s->used);
    s->used_at = ht_array_new(vehicles, sizeof *s->used_at);
    s->route_of = ht_array_new(tasks, sizeof *s->route_of);
    s->absent = ht_array_new(tasks, sizeof *s->absent);
    s->absent_kept = ht_array_new(tasks, sizeof *s->absent_kept);
    s->trial = ht_array_new(tasks, sizeof *s->trial);
    s->key = ht_array_new(tasks, sizeof *s->key);
    s->absences = ht_array_new(tasks, sizeof *s->absences);
    s->pinned = ht_array_new_zeroed(tasks, sizeof *s->pinned);
    if (s->routes == NULL || s->touched == NULL || s->used == NULL || s->used_at == NULL ||
        s->route_of == NULL || s->absent == NULL || s->absent_kept == NULL || s->trial == NULL ||
        s->key == NULL || s->absences == NULL || s->pinned == NULL) {
        return HT_NOMEM;
    }
    size_t entries = 64;
    while (entries < tasks * vehicles && entries < MEMO_MOST) {
        entries *= 2;
    }
    s->memo_mask = entries - 1;
    s->memo = ht_array_new_zeroed(entries, sizeof *s->memo);
    s->free_from = ht_array_new_zeroed(s->model->class_count, sizeof *s->free_from);
    s->unknown = ht_array_new(vehicles, sizeof *s->unknown);
    return s->memo == NULL || s->free_from == NULL || s->unknown == NULL
               ? HT_NOMEM
               : ht__answer_init(s->model, &s->best);
}

enum ht_status ht__search_new(const struct ht__model *model, uint64_t seed, struct ht__search **out)
{
    struct ht__search *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return HT_NOMEM;
    }
    s->model = model;
    s->random = seed * UINT64_C(0x9E3779B97F4A7C15) + UINT64_C(0xD1B54A32D192ED03);
    s->random = s->random == 0 ? 1 : s->random;
    for (int i = 0; i < 4; i++) {
        (void)ht__random(&s->random);
    }
    s->blink.random = ht__random(&s->random) | 1;
    s->blink.per_log = 1 / logf(1 - BLINK);
    s->used_most = UINT32_MAX;
    enum ht_status status = arrays_make(s);
    if (status == HT_OK && model->trials) {
        s->scratch.c = &model->classes[0];
        status = ht__route_room(model, &s->scratch, model->stops_most + 2);
    }
    for (uint32_t v = 0; status == HT_OK && v < model->problem->vehicle_count; v++) {
        struct ht__route *route = &s->routes[v];
        route->c = &model->classes[model->class_of[v]];
        route->vehicle = v;
        s->used_at[v] = HT_PLAN_NONE;
        status = ht__route_room(model, route, 2);
        if (status == HT_OK) {
            (void)ht__route_refresh(model, route);
        }
    }
    if (status != HT_OK) {
        ht__search_free(s);
        return status;
    }
    *out = s;
    return HT_OK;
}

void ht__search_free(struct ht__search *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t v = 0; s->routes != NULL && v < s->model->problem->vehicle_count; v++) {
        ht__route_deinit(&s->routes[v]);
    }
    for (uint32_t i = 0; i < s->kept_room; i++) {
        ht__route_deinit(&s->kept[i]);
    }
    ht__route_deinit(&s->scratch);
    free(s->memo);
    free(s->unknown);
    free(s->free_from);
    free(s->routes);
    free(s->kept);
    free(s->touched);
    free(s->used);
    free(s->used_at);
    free(s->route_of);
    free(s->absent);
    free(s->absent_kept);
    free(s->trial);
    free(s->key);
    free(s->absences);
    free(s->pinned);
    ht__answer_deinit(&s->best);
    free(s);
}

/* ---- changes that can be undone ---- */

static void used_fix(struct ht__search *s, uint32_t v)
{
    bool is = s->used_at[v] != HT_PLAN_NONE;
    if (is == (s->routes[v].count > 0)) {
        return;
    }
    if (!is) {
        s->used_at[v] = s->used_count;
        s->used[s->used_count++] = v;
        return;
    }
    uint32_t class = s->model->class_of[v];
    s->free_from[class] =
        s->model->place_of[v] < s->free_from[class] ? s->model->place_of[v] : s->free_from[class];
    uint32_t last = s->used[--s->used_count];
    s->used[s->used_at[v]] = last;
    s->used_at[last] = s->used_at[v];
    s->used_at[v] = HT_PLAN_NONE;
}

/* Keeps a route as it is before it is changed for the first time. */
static enum ht_status touch(struct ht__search *s, uint32_t v)
{
    if (s->touched[v] == s->now) {
        return HT_OK;
    }
    if (s->kept_count == s->kept_room) {
        uint32_t room = s->kept_room * 2 + 8;
        struct ht__route *larger = realloc(s->kept, room * sizeof *larger);
        if (larger == NULL) {
            return HT_NOMEM;
        }
        memset(larger + s->kept_room, 0, (room - s->kept_room) * sizeof *larger);
        s->kept = larger;
        s->kept_room = room;
    }
    enum ht_status status = ht__route_copy(s->model, &s->kept[s->kept_count], &s->routes[v]);
    if (status == HT_OK) {
        s->kept_count++;
        s->touched[v] = s->now;
    }
    return status;
}

static void step_begin(struct ht__search *s)
{
    s->now++;
    s->kept_count = 0;
    s->absent_kept_count = s->absent_count;
    memcpy(s->absent_kept, s->absent, s->absent_count * sizeof *s->absent);
}

static void owner_set(struct ht__search *s, uint32_t item, uint32_t v)
{
    s->route_of[item] = v;
    s->route_of[ht__item_last(s->model, item)] = v;
}

static void step_undo(struct ht__search *s, int64_t missing, int64_t cost)
{
    for (uint32_t i = 0; i < s->kept_count; i++) {
        uint32_t v = s->kept[i].vehicle;
        struct ht__route swap = s->routes[v];
        s->routes[v] = s->kept[i];
        s->kept[i] = swap;
        for (uint32_t p = 1; p <= s->routes[v].count; p++) {
            s->route_of[s->routes[v].task[p]] = v;
        }
        used_fix(s, v);
    }
    s->absent_count = s->absent_kept_count;
    memcpy(s->absent, s->absent_kept, s->absent_count * sizeof *s->absent);
    for (uint32_t i = 0; i < s->absent_count; i++) {
        owner_set(s, s->absent[i], HT_PLAN_NONE);
    }
    s->missing = missing;
    s->cost = cost;
}

static void item_absent(struct ht__search *s, uint32_t item)
{
    owner_set(s, item, HT_PLAN_NONE);
    s->absent[s->absent_count++] = item;
    s->missing += weight_of(s->model, item);
}

/* ---- ruin ---- */

/* Takes out of a route the stops whose items were marked absent; where what remains breaks a rule
 * (a matrix may make a shortcut longer), all that may go does. */
static void route_pack(struct ht__search *s, uint32_t v)
{
    struct ht__route *route = &s->routes[v];
    int64_t before = route->cost;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t kept = 0;
        for (uint32_t p = 1; p <= route->count; p++) {
            uint32_t task = route->task[p];
            if (ht__is_reload(s->model, task)) {
                route->task[kept + 1] = task;
                kept += pass == 0 || p <= route->pinned;
                continue;
            }
            if (s->route_of[task] == v && pass == 1 && !s->pinned[task]) {
                item_absent(s, ht__item_of(s->model, task));
            }
            if (s->route_of[task] == v) {
                route->task[++kept] = task;
            }
        }
        route->count = kept;
        if (ht__route_settle(s->model, route)) {
            break;
        }
    }
    s->cost += route->cost - before;
    used_fix(s, v);
}

static void stop_out(struct ht__search *s, uint32_t task)
{
    uint32_t item = ht__item_of(s->model, task);
    if (!ht__is_reload(s->model, task) && s->route_of[item] != HT_PLAN_NONE && !s->pinned[item]) {
        item_absent(s, item);
    }
}

/* A string of `length` stops around position p; `keep` of them in its midst stay. */
static void string_out(struct ht__search *s, uint32_t v, uint32_t p, uint32_t length, uint32_t keep)
{
    struct ht__route *route = &s->routes[v];
    uint32_t span = length + keep;
    uint32_t low = p > span ? p - span + 1 : 1;
    uint32_t high = p + span - 1 <= route->count ? p : route->count - span + 1;
    uint32_t first = low + below(s, high - low + 1);
    uint32_t gap = keep == 0 ? span : below(s, length - 1) + 1; /* stops before those that stay */
    for (uint32_t i = 0; i < span; i++) {
        if (i < gap || i >= gap + keep) {
            stop_out(s, route->task[first + i]);
        }
    }
}

static enum ht_status ruin_route(struct ht__search *s, uint32_t task, double string_most)
{
    uint32_t v = s->route_of[task];
    struct ht__route *route = &s->routes[v];
    double most = string_most < route->count ? string_most : route->count;
    uint32_t length = (uint32_t)(chance(s) * most) + 1;
    uint32_t keep = 0;
    uint32_t p = 1;
    length = length < route->count ? length : route->count;
    if (length > 1 && length < route->count && chance(s) < SPLIT) {
        keep = 1;
        while (length + keep < route->count && chance(s) < SPLIT_LONGER) {
            keep++;
        }
    }
    while (route->task[p] != task) {
        p++;
    }
    enum ht_status status = touch(s, v);
    if (status == HT_OK) {
        string_out(s, v, p, length, keep);
        route_pack(s, v);
    }
    return status;
}

static enum ht_status ruin(struct ht__search *s)
{
    const struct ht__model *model = s->model;
    uint32_t served = model->item_count - s->absent_count;
    if (s->used_count == 0 || served == 0) {
        return HT_OK;
    }
    double mean = (double)served / s->used_count;
    /* of a few, all can be taken out */
    double string_most = mean < STRING_MOST && served > RUIN_MEAN ? mean : STRING_MOST;
    double routes_most = 4.0 * RUIN_MEAN / (1 + string_most) - 1;
    uint32_t wanted = (uint32_t)(chance(s) * routes_most) + 1;
    uint32_t seed = model->items[below(s, model->item_count)];
    if (ht__item_last(model, seed) != seed && below(s, 2) == 1) {
        seed++;
    }
    uint32_t ruined[4 * RUIN_MEAN];
    uint32_t count = 0;
    for (uint32_t i = 0; i <= model->near_count && count < wanted && count < s->used_count; i++) {
        uint32_t task = i == 0 ? seed : model->near[(size_t)seed * model->near_count + i - 1];
        uint32_t v = s->route_of[task];
        bool fresh = v != HT_PLAN_NONE && !s->pinned[task];
        for (uint32_t r = 0; fresh && r < count; r++) {
            fresh = ruined[r] != v;
        }
        if (!fresh) {
            continue;
        }
        ruined[count++] = v;
        enum ht_status status = ruin_route(s, task, string_most);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

/* ---- recreate ---- */

struct keyed {
    int64_t key;
    uint32_t item;
};

static uint32_t order_draw(struct ht__search *s)
{
    /* random 4, amount 4, far 2, near 1, and with windows 2 each of their length, begin, end */
    static const uint8_t odds[] = {9, 9, 9, 9, 0, 0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 5, 5};
    return odds[below(s, sizeof odds)];
}

/* Which absent items are tried, in which order; the others stay absent. */
static uint32_t trial_make(struct ht__search *s, uint32_t fresh_from)
{
    uint32_t order = order_draw(s);
    uint32_t count = 0;
    uint32_t old = fresh_from;
    /* those absent for longer: some of them by chance, moved behind the others that stay */
    while (old > 0 && fresh_from - old < OTHERS_TRIED) {
        uint32_t pick = below(s, old--);
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

static struct ht__route *trial_of(struct ht__search *s)
{
    return s->model->trials ? &s->scratch : NULL;
}

static struct memo *memo_of(struct ht__search *s, uint32_t v, uint32_t item, uint64_t *key)
{
    struct ht__route *route = &s->routes[v];
    size_t at = (size_t)item * s->model->problem->vehicle_count + v;
    route->stamp = route->stamp == 0 ? ++s->stamp : route->stamp;
    *key = route->stamp << STAMP_SHIFT | item;
    return &s->memo[at & s->memo_mask];
}

/* Takes a remembered place that is cheaper; true: it did. */
static bool memo_take(struct ht__search *s, const struct memo *memo, struct ht__spot *spot)
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
    struct memo *memo = memo_of(s, v, item, &key);
    struct ht__blink never = {.left = UINT32_MAX};
    struct ht__spots spots = {.most = HT__SPOTS, .trial = trial_of(s)};
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
        const struct memo *memo = memo_of(s, v, item, &key);
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
    struct ht__spots spots = {.best = {*spot}, .most = 1, .trial = trial_of(s)};
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
    enum ht_status status = touch(s, v);
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
        owner_set(s, item, v);
        s->missing -= weight_of(s->model, item);
    }
    s->cost += route->cost - before;
    used_fix(s, v);
    return HT_OK;
}

static enum ht_status recreate(struct ht__search *s, uint32_t fresh_from)
{
    uint32_t count = trial_make(s, fresh_from);
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; i < count; i++) {
        bool put = false;
        if (status == HT_OK) {
            status = item_put(s, s->trial[i], &put);
        }
        if (!put) {
            s->absent[s->absent_count++] = s->trial[i];
        }
    }
    return status;
}

/* ---- the best, and from where to go on ---- */

static void best_keep(struct ht__search *s)
{
    uint32_t *to = s->best.stops;
    for (uint32_t v = 0; v < s->model->problem->vehicle_count; v++) {
        const struct ht__route *route = &s->routes[v];
        s->best.counts[v] = route->count;
        memcpy(to, route->task + 1, route->count * sizeof *to);
        to += route->count;
    }
    s->best.missing = s->missing;
    s->best.absent = s->absent_count;
    s->best.used = s->used_count;
    s->best.cost = s->cost;
}

static bool best_try(struct ht__search *s)
{
    bool better =
        s->missing != s->best.missing ? s->missing < s->best.missing : s->cost < s->best.cost;
    if (better) {
        best_keep(s);
    }
    return better;
}

const struct ht__answer *ht__search_best(const struct ht__search *s)
{
    return &s->best;
}

int64_t ht__search_stand(const struct ht__search *s)
{
    return s->absent_count > 0 ? INT64_MAX : s->cost;
}

static enum ht_status route_set(struct ht__search *s, uint32_t v, const uint32_t *stops,
                                uint32_t count)
{
    struct ht__route *route = &s->routes[v];
    route->count = 0;
    enum ht_status status = ht__route_room(s->model, route, count);
    if (status != HT_OK) {
        return status;
    }
    memcpy(route->task + 1, stops, count * sizeof *stops);
    route->count = count;
    bool good = ht__route_refresh(s->model, route);
    if (!good) {
        route->count = 0;
        (void)ht__route_refresh(s->model, route);
    }
    for (uint32_t p = 1; p <= route->count; p++) {
        s->route_of[route->task[p]] = v;
    }
    used_fix(s, v);
    s->cost += route->cost;
    return good ? HT_OK : HT_INVALID;
}

/* All items that no route has are absent. */
static void absent_count(struct ht__search *s)
{
    s->absent_count = 0;
    s->missing = 0;
    for (uint32_t i = 0; i < s->model->item_count; i++) {
        if (s->route_of[s->model->items[i]] == HT_PLAN_NONE) {
            item_absent(s, s->model->items[i]);
        }
    }
}

static void all_absent(struct ht__search *s)
{
    for (uint32_t t = 0; t < s->model->stops; t++) {
        s->route_of[t] = HT_PLAN_NONE;
    }
    s->cost = 0;
    s->now++;
    s->kept_count = 0;
}

enum ht_status ht__search_adopt(struct ht__search *s, const struct ht__answer *answer)
{
    const uint32_t *stops = answer->stops;
    all_absent(s);
    for (uint32_t v = 0; v < s->model->problem->vehicle_count; v++) {
        enum ht_status status = route_set(s, v, stops, answer->counts[v]);
        if (status != HT_OK) {
            return status;
        }
        stops += answer->counts[v];
    }
    absent_count(s);
    (void)best_try(s);
    return HT_OK;
}

/* Whether the class may serve a stop of a list, and nobody else does. */
static bool stop_free(const struct ht__search *s, const struct ht__class *c, uint32_t stop)
{
    return ht__is_reload(s->model, stop) ||
           (c->reason[stop] == HT_REASON_NONE && s->route_of[stop] == HT_PLAN_NONE);
}

/* A pinned one is served though nobody could go for it alone: what is before it makes it so. */
static bool pin_free(const struct ht__search *s, uint32_t v, uint32_t stop)
{
    return s->routes[v].c->reason[stop] != HT_REASON_SKILLS && s->route_of[stop] == HT_PLAN_NONE;
}

static void route_forget(struct ht__search *s, uint32_t v)
{
    const struct ht_vehicle *vehicle = &s->model->problem->vehicles[v];
    s->routes[v].count = 0;
    (void)ht__route_refresh(s->model, &s->routes[v]);
    for (uint32_t i = 0; i < vehicle->task_count; i++) {
        uint32_t task = vehicle->tasks[i];
        s->route_of[task] = s->route_of[task] == v ? HT_PLAN_NONE : s->route_of[task];
    }
}

/* Adds as many stops of the list, from that one on, as keep the rules, each behind those before it.
 * A pickup needs the delivery that belongs to it; lists with shipments are all or nothing. */
static enum ht_status route_some(struct ht__search *s, uint32_t v, uint32_t from)
{
    const struct ht_vehicle *vehicle = &s->model->problem->vehicles[v];
    struct ht__route *route = &s->routes[v];
    enum ht_status status = ht__route_room(s->model, route, vehicle->task_count);
    int64_t before = route->cost;
    for (uint32_t i = from; status == HT_OK && i < vehicle->task_count; i++) {
        uint32_t stop = vehicle->tasks[i];
        if (!stop_free(s, route->c, stop) || ht__task(s->model, stop)->kind != HT_TASK_JOB) {
            continue;
        }
        route->task[++route->count] = stop;
        if (!ht__route_refresh(s->model, route)) {
            route->count--;
        }
    }
    if (status == HT_OK && !ht__route_settle(s->model, route)) {
        route_forget(s, v); /* a matrix made a shortcut longer */
        status = HT_INVALID;
    }
    s->cost += route->cost - before;
    used_fix(s, v);
    for (uint32_t p = 1; p <= route->count; p++) {
        s->route_of[route->task[p]] = v;
    }
    return status;
}

/* The tasks that a vehicle is to begin with: all of them, or (where they break a rule) the pinned
 * and as many of the others as keep it. Tasks that are no one's to serve, or another's already,
 * count as broken. */
static enum ht_status route_first(struct ht__search *s, uint32_t v)
{
    const struct ht_vehicle *vehicle = &s->model->problem->vehicles[v];
    enum ht_status status = HT_INVALID;
    uint32_t counts[] = {vehicle->task_count, vehicle->pinned};
    for (int pass = 0; pass < 2 && status == HT_INVALID; pass++) {
        bool good = true;
        for (uint32_t i = 0; i < counts[pass]; i++) {
            good = good && (stop_free(s, s->routes[v].c, vehicle->tasks[i]) ||
                            (i < vehicle->pinned && pin_free(s, v, vehicle->tasks[i])));
        }
        s->routes[v].pinned = 0;
        status = good ? route_set(s, v, vehicle->tasks, counts[pass]) : HT_INVALID;
        s->routes[v].pinned = status == HT_OK ? vehicle->pinned : 0;
        if (status == HT_OK && (pass == 1 || s->routes[v].reloads > 0)) {
            status = route_some(s, v, counts[pass]);
        }
    }
    for (uint32_t i = 0; status == HT_OK && i < vehicle->pinned; i++) {
        s->pinned[vehicle->tasks[i]] = !ht__is_reload(s->model, vehicle->tasks[i]);
    }
    return status;
}

/* Vehicle by vehicle. */
static enum ht_status trips_fill(struct ht__search *s)
{
    for (uint32_t v = 0; v < s->model->problem->vehicle_count; v++) {
        struct ht__route *route = &s->routes[v];
        int64_t before = route->cost;
        enum ht_status status = ht__route_fill(s->model, route, trial_of(s), s->route_of);
        if (status != HT_OK) {
            return status;
        }
        for (uint32_t p = 1; p <= route->count; p++) {
            s->route_of[route->task[p]] = v;
        }
        s->cost += route->cost - before;
        used_fix(s, v);
    }
    absent_count(s);
    return HT_OK;
}

enum ht_status ht__search_begin(struct ht__search *s, uint32_t *vehicle)
{
    const struct ht__model *model = s->model;
    all_absent(s);
    for (uint32_t t = 0; t < model->stops; t++) {
        s->absences[t] = 1;
    }
    /* pinned first: they have a right to their tasks */
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t v = 0; v < model->problem->vehicle_count; v++) {
            const struct ht_vehicle *asked = &model->problem->vehicles[v];
            if (asked->task_count == 0 || (asked->pinned > 0) != (pass == 0)) {
                continue;
            }
            enum ht_status status = route_first(s, v);
            if (status == HT_NOMEM || (status == HT_INVALID && asked->pinned > 0)) {
                *vehicle = v;
                return status;
            }
        }
    }
    absent_count(s);
    if (model->tagged && s->absent_count > model->item_count / 4) {
        enum ht_status status = trips_fill(s);
        if (status != HT_OK) {
            return status;
        }
    }
    s->now++;
    s->kept_count = 0;
    s->blink.left = UINT32_MAX; /* none yet: the first answer may be the only one */
    enum ht_status status = recreate(s, 0);
    ht__blink_next(&s->blink);
    (void)best_try(s);
    return status;
}

/* ---- the walk ---- */

static int64_t absences_sum(const struct ht__search *s, const uint32_t *items, uint32_t count)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += (int64_t)s->absences[items[i]] * (1 + ht__task(s->model, items[i])->priority);
    }
    return sum;
}

/* The route whose tasks were left over least often gives way. */
static enum ht_status route_drop(struct ht__search *s)
{
    uint32_t least = HT_PLAN_NONE;
    int64_t least_sum = INT64_MAX;
    for (uint32_t i = 0; i < s->used_count; i++) {
        const struct ht__route *route = &s->routes[s->used[i]];
        int64_t sum = absences_sum(s, route->task + 1, route->count);
        if (route->pinned == 0 && sum < least_sum) {
            least = s->used[i];
            least_sum = sum;
        }
    }
    if (least == HT_PLAN_NONE) {
        return HT_OK;
    }
    struct ht__route *route = &s->routes[least];
    s->used_most = s->used_count - 1;
    s->cost -= route->cost;
    for (uint32_t p = 1; p <= route->count; p++) {
        stop_out(s, route->task[p]);
    }
    route->count = 0;
    (void)ht__route_refresh(s->model, route);
    used_fix(s, least);
    return HT_OK;
}

static bool is_kept(struct ht__search *s, const struct ht__round *round, double heat,
                    int64_t missing, int64_t cost)
{
    if (round->goal == HT__GATHER && s->absent_kept_count > 0) {
        int64_t now = absences_sum(s, s->absent, s->absent_count);
        int64_t before = absences_sum(s, s->absent_kept, s->absent_kept_count);
        /* among other absent ones cost says nothing: it is lower without those far away */
        if (s->absent_count == 0 || now != before) {
            return s->absent_count == 0 || now < before;
        }
    }
    if (s->missing != missing) {
        return s->missing < missing;
    }
    return (double)s->cost < (double)cost - heat * log(chance(s) + 1e-300);
}

static enum ht_status step(struct ht__search *s, const struct ht__round *round, double heat)
{
    int64_t missing = s->missing;
    int64_t cost = s->cost;
    step_begin(s);
    enum ht_status status = ruin(s);
    if (status == HT_OK) {
        status = recreate(s, s->absent_kept_count);
    }
    bool good = status == HT_OK && is_kept(s, round, heat, missing, cost);
    if (round->goal == HT__GATHER) {
        for (uint32_t i = 0; i < s->absent_count; i++) {
            uint32_t *count = &s->absences[s->absent[i]];
            *count += *count < ABSENCES_MOST;
        }
    }
    if (!good) {
        step_undo(s, missing, cost);
        return status;
    }
    (void)best_try(s);
    return HT_OK;
}

static bool time_over(const struct ht__round *round)
{
    struct timespec now = {0};
    if (round->cancel != NULL && __atomic_load_n(round->cancel, __ATOMIC_RELAXED)) {
        return true;
    }
    if (round->deadline_ns == 0) {
        return false;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= round->deadline_ns;
}

enum ht_status ht__search_round(struct ht__search *s, const struct ht__round *round, uint64_t *done)
{
    double heat = round->heat_from;
    double cool = round->iterations == 0
                      ? 1
                      : pow(round->heat_to / round->heat_from, 1 / (double)round->iterations);
    enum ht_status status = HT_OK;
    *done = 0;
    if (round->goal == HT__POLISH) {
        s->used_most = UINT32_MAX;
    }
    for (uint64_t i = 0; status == HT_OK && i < round->iterations; i++) {
        if (round->goal == HT__GATHER && s->absent_count == 0) {
            if (!s->model->fixed || s->used_count <= round->fewest) {
                break;
            }
            status = route_drop(s);
            if (s->absent_count == 0) {
                break; /* pinned routes are all there is */
            }
        }
        if (i % CLOCK_EVERY == 0 && time_over(round)) {
            break;
        }
        if (status == HT_OK) {
            status = step(s, round, heat);
        }
        heat *= cool;
        ++*done;
    }
    return status;
}
