/* Trade: two unlike vehicles exchange all that they do. Where fleets are mixed, whose turn it is
 * and who goes are found one after the other; going over by single stops would pass through what is
 * dear, or through what breaks a rule. */
#include "engine/plan/solve_search.h"

/* Whether a vehicle may do all that a route has. */
static bool may_all(const struct ht__search *s, uint32_t v, const struct ht__route *route)
{
    const struct ht__class *c = s->routes[v].c;
    for (uint32_t p = 1; p <= route->count; p++) {
        uint32_t stop = route->task[p];
        bool reload = ht__is_reload(s->model, stop);
        if (reload ? (c->reloads >> (stop - s->model->problem->task_count) & 1) == 0
                   : c->reason[stop] != HT_REASON_NONE) {
            return false;
        }
    }
    return true;
}

/* The stops of a route as it was go to another vehicle; false: they break a rule there. */
static bool stops_take(struct ht__search *s, uint32_t v, const struct ht__route *from)
{
    struct ht__route *route = &s->routes[v];
    int64_t before = route->cost;
    memcpy(route->task + 1, from->task + 1, from->count * sizeof *from->task);
    route->count = from->count;
    if (!ht__route_refresh(s->model, route)) {
        return false;
    }
    s->cost += route->cost - before;
    for (uint32_t p = 1; p <= route->count; p++) {
        s->route_of[route->task[p]] = v;
    }
    return true;
}

enum ht_status ht__search_trade(struct ht__search *s, bool *done)
{
    uint32_t a = s->used_count == 0 ? 0 : s->used[ht__search_below(s, s->used_count)];
    uint32_t b = ht__search_below(s, s->model->problem->vehicle_count);
    *done = false;
    if (s->routes[a].c == s->routes[b].c || s->routes[a].pinned > 0 || s->routes[b].pinned > 0 ||
        !may_all(s, b, &s->routes[a]) || !may_all(s, a, &s->routes[b])) {
        return HT_OK;
    }
    uint32_t first = s->kept_count;
    enum ht_status status = ht__search_touch(s, a);
    status = status == HT_OK ? ht__search_touch(s, b) : status;
    status = status == HT_OK ? ht__route_room(s->model, &s->routes[a], s->routes[b].count) : status;
    status = status == HT_OK ? ht__route_room(s->model, &s->routes[b], s->routes[a].count) : status;
    if (status == HT_OK) {
        *done = stops_take(s, a, &s->kept[first + 1]) && stops_take(s, b, &s->kept[first]);
        ht__search_used_fix(s, a);
        ht__search_used_fix(s, b);
    }
    return status;
}
