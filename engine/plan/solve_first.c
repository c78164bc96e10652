/* Where a walk begins: the vehicles' own tasks and all others where they cost least, or an answer
 * that another thread found. */
#include "engine/plan/solve_search.h"

enum { FRESH_SHARE = 8 /* of all items: where more are new, there is no place to look at first */ };

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
    ht__search_used_fix(s, v);
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
            ht__search_item_absent(s, s->model->items[i]);
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
    (void)ht__search_best_try(s);
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
        route_forget(s, v); /* a matrix made a shortcut longer: it stays as it was */
        s->cost -= before;
        return route_set(s, v, vehicle->tasks, from);
    }
    s->cost += route->cost - before;
    ht__search_used_fix(s, v);
    for (uint32_t p = 1; p <= route->count; p++) {
        s->route_of[route->task[p]] = v;
    }
    return status;
}

/* The tasks that a vehicle is to begin with: all of them, or (where they break a rule, and it need
 * not be the whole) the pinned and as many of the others as keep it. Tasks that are no one's to
 * serve, or another's already, count as broken. */
static enum ht_status route_first(struct ht__search *s, uint32_t v, bool whole)
{
    const struct ht_vehicle *vehicle = &s->model->problem->vehicles[v];
    enum ht_status status = HT_INVALID;
    uint32_t counts[] = {vehicle->task_count, vehicle->pinned};
    for (int pass = 0; pass < (whole ? 1 : 2) && status == HT_INVALID; pass++) {
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
        enum ht_status status =
            ht__route_fill(s->model, route, ht__search_trial_of(s), s->route_of);
        if (status != HT_OK) {
            return status;
        }
        for (uint32_t p = 1; p <= route->count; p++) {
            s->route_of[route->task[p]] = v;
        }
        s->cost += route->cost - before;
        ht__search_used_fix(s, v);
    }
    absent_count(s);
    return HT_OK;
}

enum ht_status ht__search_begin(struct ht__search *s, bool whole, uint32_t *vehicle)
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
            bool all = whole && asked->pinned == 0 && s->routes[v].c->reloads == 0;
            enum ht_status status = route_first(s, v, all);
            if (status == HT_NOMEM || (status == HT_INVALID && (asked->pinned > 0 || all))) {
                *vehicle = v;
                return status;
            }
        }
    }
    absent_count(s);
    if (s->absent_count <= model->item_count / FRESH_SHARE) {
        memcpy(s->fresh, s->absent, s->absent_count * sizeof *s->fresh);
        s->fresh_count = s->absent_count;
    }
    if (model->tagged && s->absent_count > model->item_count / 4) {
        enum ht_status status = trips_fill(s);
        if (status != HT_OK) {
            return status;
        }
    }
    s->now++;
    s->kept_count = 0;
    s->limit = INT64_MAX;
    s->absent_limit = INT64_MAX;
    s->blink.left = UINT32_MAX; /* none yet: the first answer may be the only one */
    enum ht_status status = ht__search_recreate(s, 0);
    ht__blink_next(&s->blink);
    (void)ht__search_best_try(s);
    return status;
}
