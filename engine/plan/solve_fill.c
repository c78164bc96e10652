/* A first route of several trips: where each trip is begun with the stop that closes first, and
 * filled with those near it, many more have a place than where stops are dealt out one by one. */
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/solve_internal.h"

enum { SEEDS_TRIED = 12 /* that have no place, before a route is taken for full */ };

/* The route and who is to be put into it. */
struct fill {
    const struct ht__model *model;
    struct ht__route *route;
    struct ht__route *trial;
    const uint32_t *route_of;
    uint8_t *seen; /* [tasks] it was tried */
};

/* Puts an item where it costs least; false: it has no place. */
static bool put(struct fill *fill, uint32_t item, enum ht_status *status)
{
    const struct ht__model *model = fill->model;
    struct ht__route *route = fill->route;
    struct ht__blink never = {.left = UINT32_MAX};
    struct ht__spots spots = {
        .best = {{.cost = INT64_MAX}}, .most = 1, .trial = model->trials ? fill->trial : NULL};
    fill->seen[item] = 1;
    if (route->c->reason[item] != HT_REASON_NONE) {
        return false;
    }
    ht__route_spots(model, route, item, &never, &spots);
    if (spots.best[0].cost == INT64_MAX) {
        return false;
    }
    *status = ht__route_room(model, route, route->count + 2);
    /* a place of a trial is one */
    return *status == HT_OK && ht__route_put(model, route, item, &spots.best[0]);
}

static bool absent(const struct fill *fill, uint32_t task)
{
    return fill->seen[task] == 0 && fill->route_of[task] == HT_PLAN_NONE &&
           fill->model->reason[task] == HT_REASON_NONE &&
           ht__task(fill->model, task)->kind != HT_TASK_DELIVERY;
}

/* Who closes first, the nearest to where the route begins; HT_PLAN_NONE: nobody is left. */
static uint32_t seed_find(const struct fill *fill)
{
    const struct ht__model *model = fill->model;
    const struct ht__class *c = fill->route->c;
    uint32_t best = HT_PLAN_NONE;
    int64_t best_price = 0;
    for (uint32_t i = 0; i < model->item_count; i++) {
        uint32_t item = model->items[i];
        if (!absent(fill, item)) {
            continue;
        }
        int64_t price = ht__price(c, ht__way(c, c->start, model->location[item]));
        if (best == HT_PLAN_NONE || model->close_s[item] < model->close_s[best] ||
            (model->close_s[item] == model->close_s[best] && price < best_price)) {
            best = item;
            best_price = price;
        }
    }
    return best;
}

/* Those near a seed that are loaded where it is. */
static void near_put(struct fill *fill, uint32_t seed, enum ht_status *status)
{
    const struct ht__model *model = fill->model;
    const uint32_t *near = model->near + (size_t)seed * model->near_count;
    for (uint32_t i = 0; i < model->near_count && *status == HT_OK; i++) {
        uint8_t seen = fill->seen[near[i]];
        if (absent(fill, near[i]) &&
            ht__task(model, near[i])->loads_at == ht__task(model, seed)->loads_at &&
            model->open_s[near[i]] <= model->close_s[seed] && !put(fill, near[i], status)) {
            fill->seen[near[i]] = seen; /* perhaps with the next seed */
        }
    }
}

enum ht_status ht__route_fill(const struct ht__model *model, struct ht__route *route,
                              struct ht__route *trial, const uint32_t *route_of)
{
    struct fill fill = {.model = model, .route = route, .trial = trial, .route_of = route_of};
    fill.seen = ht_array_new_zeroed(model->stops, 1);
    enum ht_status status = fill.seen == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t tried = 0; status == HT_OK && tried < SEEDS_TRIED;) {
        uint32_t seed = seed_find(&fill);
        if (seed == HT_PLAN_NONE) {
            break;
        }
        if (put(&fill, seed, &status)) {
            near_put(&fill, seed, &status);
            tried = 0;
        } else {
            tried++;
        }
    }
    free(fill.seen);
    return status;
}
