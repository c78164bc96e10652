/* One thread's walk: ruin, recreate, keep or undo. */
#include "engine/plan/solve_search.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/array.h"

enum {
    CLOCK_EVERY = 8,  /* iterations */
    TRADE_EVERY = 64, /* on average */
    ABSENCES_MOST = 1 << 30,
    MEMO_MOST = 1 << 19 /* entries */
};
static const float BLINK = 0.01F;

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
    s->fresh = ht_array_new(tasks, sizeof *s->fresh);
    if (s->routes == NULL || s->touched == NULL || s->used == NULL || s->used_at == NULL ||
        s->route_of == NULL || s->absent == NULL || s->absent_kept == NULL || s->trial == NULL ||
        s->key == NULL || s->absences == NULL || s->pinned == NULL || s->fresh == NULL) {
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
    free(s->fresh);
    ht__answer_deinit(&s->best);
    free(s);
}

/* ---- changes that can be undone ---- */

void ht__search_used_fix(struct ht__search *s, uint32_t v)
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
enum ht_status ht__search_touch(struct ht__search *s, uint32_t v)
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
        ht__search_used_fix(s, v);
    }
    s->absent_count = s->absent_kept_count;
    memcpy(s->absent, s->absent_kept, s->absent_count * sizeof *s->absent);
    for (uint32_t i = 0; i < s->absent_count; i++) {
        ht__search_owner_set(s, s->absent[i], HT_PLAN_NONE);
    }
    s->missing = missing;
    s->cost = cost;
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

bool ht__search_best_try(struct ht__search *s)
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

/* ---- the walk ---- */

static int64_t absences_sum(const struct ht__search *s, const uint32_t *items, uint32_t count)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += ht__search_absence(s, items[i]);
    }
    return sum;
}

/* Empties a route but for what stays. */
static void route_empty(struct ht__search *s, uint32_t v)
{
    struct ht__route *route = &s->routes[v];
    s->cost -= route->cost;
    for (uint32_t p = 1; p <= route->count; p++) {
        ht__search_stop_out(s, route->task[p]);
    }
    route->count = 0;
    (void)ht__route_refresh(s->model, route);
    ht__search_used_fix(s, v);
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
    s->used_most = s->used_count - 1;
    route_empty(s, least);
    return HT_OK;
}

enum ht_status ht__search_stray(struct ht__search *s, double part)
{
    uint32_t sure = s->used_count == 0 ? 0 : s->used[ht__search_below(s, s->used_count)];
    s->used_most = s->model->fixed ? s->used_count : UINT32_MAX;
    s->limit = INT64_MAX;
    s->absent_limit = INT64_MAX;
    s->now++;
    s->kept_count = 0;
    for (uint32_t v = 0; v < s->model->problem->vehicle_count; v++) {
        bool goes = v == sure || ht__search_chance(s) < part;
        if (goes && s->routes[v].count > 0 && s->routes[v].pinned == 0) {
            route_empty(s, v);
        }
    }
    return ht__search_recreate(s, 0);
}

static bool is_kept(struct ht__search *s, const struct ht__round *round, int64_t missing,
                    double most)
{
    if (round->goal == HT__GATHER && s->absent_kept_count > 0) {
        int64_t now = absences_sum(s, s->absent, s->absent_count);
        int64_t before = s->absent_limit;
        /* among other absent ones cost says nothing: it is lower without those far away */
        if (s->absent_count == 0 || now != before) {
            return s->absent_count == 0 || now < before;
        }
    }
    if (s->missing != missing) {
        return s->missing < missing;
    }
    return (double)s->cost < most;
}

static enum ht_status step(struct ht__search *s, const struct ht__round *round, double heat)
{
    int64_t missing = s->missing;
    int64_t cost = s->cost;
    double most = (double)cost - heat * log(ht__search_chance(s) + 1e-300);
    bool whole = round->goal == HT__POLISH && s->absent_count == 0;
    s->limit = whole && most < (double)HT__FAR ? (int64_t)ceil(most) : INT64_MAX;
    bool gathers = round->goal == HT__GATHER && s->absent_count > 0;
    s->absent_limit = gathers ? absences_sum(s, s->absent, s->absent_count) : INT64_MAX;
    step_begin(s);
    bool done = true;
    bool trades = whole && s->model->class_count > 1 && ht__search_below(s, TRADE_EVERY) == 0;
    enum ht_status status = trades ? ht__search_trade(s, &done) : ht__search_ruin(s);
    if (status == HT_OK && !trades) {
        status = ht__search_recreate(s, s->absent_kept_count);
    }
    bool good = status == HT_OK && done && is_kept(s, round, missing, most);
    if (round->goal == HT__GATHER) {
        for (uint32_t i = 0; i < s->failed; i++) {
            uint32_t *count = &s->absences[s->absent[i]];
            *count += *count < ABSENCES_MOST;
        }
    }
    if (!good) {
        step_undo(s, missing, cost);
    } else {
        (void)ht__search_best_try(s);
    }
    return status;
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

/* While gathering, with all served: goes on with a route less; true: there is none to give up. */
static bool gathered(struct ht__search *s, const struct ht__round *round, enum ht_status *status)
{
    if (round->goal != HT__GATHER || s->absent_count > 0) {
        return false;
    }
    if (!s->model->fixed || s->used_count <= round->fewest) {
        return true;
    }
    *status = route_drop(s);
    return s->absent_count == 0; /* pinned routes are all there is */
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
        if (gathered(s, round, &status) || (i % CLOCK_EVERY == 0 && time_over(round))) {
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
