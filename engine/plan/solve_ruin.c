/* Ruin: strings of neighbouring stops are taken out of a few routes.
 *
 * Where a running plan gets something new, half of the steps take that out and make room where it
 * could be loaded as well. Of 40 orders more for the bench's midday (engine/plan/day.h), 5,000
 * iterations of one thread, an order costs 224 on the mean, and 390 to 427 without (by seed). Where
 * room was made near it, wherever loaded: 281. Without gain: only to begin near it, more heat, more
 * routes at a time.
 */
#include "engine/plan/solve_search.h"

enum {
    RUIN_MEAN = 10,   /* stops taken out at a time, on average */
    STRING_MOST = 15, /* of one route */
    FRESH_STRING = 2, /* of the route that has a new item */
    FRESH_TRIES = 20
};
static const double SPLIT = 0.5;         /* how often a string keeps some stops in its midst */
static const double SPLIT_LONGER = 0.01; /* how often one more of them */
static const double FRESH_CHANCE = 0.5;  /* where there are new items */

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
                ht__search_item_absent(s, ht__item_of(s->model, task));
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
    ht__search_used_fix(s, v);
}

void ht__search_stop_out(struct ht__search *s, uint32_t task)
{
    uint32_t item = ht__item_of(s->model, task);
    if (!ht__is_reload(s->model, task) && s->route_of[item] != HT_PLAN_NONE && !s->pinned[item]) {
        ht__search_item_absent(s, item);
    }
}

/* A string of `length` stops around position p; `keep` of them in its midst stay. */
static void string_out(struct ht__search *s, uint32_t v, uint32_t p, uint32_t length, uint32_t keep)
{
    struct ht__route *route = &s->routes[v];
    uint32_t span = length + keep;
    uint32_t low = p > span ? p - span + 1 : 1;
    uint32_t high = p + span - 1 <= route->count ? p : route->count - span + 1;
    uint32_t first = low + ht__search_below(s, high - low + 1);
    uint32_t gap =
        keep == 0 ? span : ht__search_below(s, length - 1) + 1; /* stops before those that stay */
    for (uint32_t i = 0; i < span; i++) {
        if (i < gap || i >= gap + keep) {
            ht__search_stop_out(s, route->task[first + i]);
        }
    }
}

static enum ht_status ruin_route(struct ht__search *s, uint32_t task, double string_most)
{
    uint32_t v = s->route_of[task];
    struct ht__route *route = &s->routes[v];
    double most = string_most < route->count ? string_most : route->count;
    uint32_t length = (uint32_t)(ht__search_chance(s) * most) + 1;
    uint32_t keep = 0;
    uint32_t p = 1;
    length = length < route->count ? length : route->count;
    if (length > 1 && length < route->count && ht__search_chance(s) < SPLIT) {
        keep = 1;
        while (length + keep < route->count && ht__search_chance(s) < SPLIT_LONGER) {
            keep++;
        }
    }
    while (route->task[p] != task) {
        p++;
    }
    enum ht_status status = ht__search_touch(s, v);
    if (status == HT_OK) {
        string_out(s, v, p, length, keep);
        route_pack(s, v);
    }
    return status;
}

/* Around which task is ruined: any of them. */
static uint32_t seed_draw(struct ht__search *s)
{
    uint32_t seed = s->model->items[ht__search_below(s, s->model->item_count)];
    bool pair = ht__item_last(s->model, seed) != seed;
    return pair && ht__search_below(s, 2) == 1 ? seed + 1 : seed;
}

/* Routes that are ruined in a step. */
struct ruin {
    uint32_t routes[4 * RUIN_MEAN + 1];
    uint32_t count;
    double string_most;
};

static enum ht_status ruin_at(struct ht__search *s, struct ruin *ruin, uint32_t task)
{
    uint32_t v = s->route_of[task];
    bool stays = v == HT_PLAN_NONE || s->pinned[task];
    for (uint32_t r = 0; r < ruin->count; r++) {
        stays = stays || ruin->routes[r] == v;
    }
    if (stays) {
        return HT_OK;
    }
    ruin->routes[ruin->count++] = v;
    return ruin_route(s, task, ruin->string_most);
}

/* A task near an item and, where that matters, loaded where it is: only who comes by there anyway
 * can bring it for little. */
static uint32_t near_draw(struct ht__search *s, uint32_t item)
{
    const struct ht__model *model = s->model;
    uint64_t loads_at = ht__task(model, item)->loads_at;
    uint32_t near = item;
    for (uint32_t i = 0; i < FRESH_TRIES && model->near_count > 0; i++) {
        uint32_t pick = ht__search_below(s, model->near_count);
        near = model->near[(size_t)item * model->near_count + pick];
        if (!model->tagged || (ht__task(model, near)->loads_at & loads_at) != 0) {
            break;
        }
    }
    return near;
}

/* A new item goes out, and then what is near it: the task around which more is ruined. */
static enum ht_status fresh_out(struct ht__search *s, struct ruin *ruin, uint32_t *seed)
{
    uint32_t item = s->fresh[ht__search_below(s, s->fresh_count)];
    double string_most = ruin->string_most;
    ruin->string_most = FRESH_STRING;
    enum ht_status status = ruin_at(s, ruin, item);
    ruin->string_most = string_most;
    ruin->count = 0; /* more of the same route may go */
    *seed = near_draw(s, item);
    return status;
}

enum ht_status ht__search_ruin(struct ht__search *s)
{
    const struct ht__model *model = s->model;
    uint32_t served = model->item_count - s->absent_count;
    if (s->used_count == 0 || served == 0) {
        return HT_OK;
    }
    bool few = served <= RUIN_MEAN; /* of which all can be taken out */
    uint32_t used = s->used_count;  /* falls where a route is emptied */
    double mean = (double)served / used;
    struct ruin ruin = {.string_most = mean < STRING_MOST && !few ? mean : STRING_MOST};
    double routes_most = few ? used : 4.0 * RUIN_MEAN / (1 + ruin.string_most) - 1;
    uint32_t wanted = (uint32_t)(ht__search_chance(s) * routes_most) + 1;
    uint32_t seed = seed_draw(s);
    enum ht_status status = HT_OK;
    if (s->fresh_count > 0 && ht__search_chance(s) < FRESH_CHANCE) {
        status = fresh_out(s, &ruin, &seed);
    }
    for (uint32_t i = 0;
         status == HT_OK && i <= model->near_count && ruin.count < wanted && ruin.count < used;
         i++) {
        status = ruin_at(s, &ruin,
                         i == 0 ? seed : model->near[(size_t)seed * model->near_count + i - 1]);
    }
    return status;
}
