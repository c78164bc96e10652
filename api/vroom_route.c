/* Matrices over the streets for problems that bring coordinates, and the ways of their routes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/vroom.h"
#include "engine/base/array.h"
#include "engine/road/shape.h"
#include "engine/road/stops.h"

enum {
    REACH_M = 35000, /* what lies farther from a street is on no map, as VROOM asks OSRM */
};

struct router {
    struct ht_vroom *vroom;
    const struct ht_vroom_call *call;
    struct ht_error *error;
    struct ht_matrix *matrix;
    struct ht_snap_work *snap;
    struct ht_stops stops; /* of those locations that lie somewhere */
    uint32_t *location_of;
    uint32_t *duration_s; /* of the profile at hand; NULL: they were given */
    uint32_t *distance_m;
};

static enum ht_status refuse(struct router *router, int code, enum ht_status status,
                             const char *text, const char *about)
{
    router->vroom->code = code;
    return ht_error_set(router->error, status, 0, "%s%s%s", text, about,
                        about[0] == '\0' ? "" : ".");
}

static enum ht_status places_snap(struct router *router, const struct ht_road *road)
{
    struct ht_snap_options options = ht_snap_options_default();
    options.radius_m = REACH_M;
    ht_stops_clear(&router->stops);
    for (uint32_t i = 0; i < router->vroom->problem.location_count; i++) {
        const struct ht_vroom_place *place = &router->vroom->places[i];
        const double pair[2] = {place->lon, place->lat};
        struct ht_point point;
        struct ht_place two[2];
        uint32_t found = 0;
        char about[64];
        (void)snprintf(about, sizeof about, "[%.9g;%.9g]", pair[0], pair[1]);
        if (!place->placed) {
            continue; /* an index that nobody uses */
        }
        if (!router->call->point(router->call->point_user, pair, &point)) {
            return refuse(router, HT_VROOM_INPUT, HT_INVALID, "Invalid coordinates ", about);
        }
        enum ht_status status =
            ht_snap_trip(road->snap, router->snap, point, &options, two, &found);
        if (status == HT_NO_SEGMENT) {
            return refuse(router, HT_VROOM_ROUTING, status, "Could not find route near location ",
                          about);
        }
        router->location_of[router->stops.count] = i;
        if (status == HT_OK) {
            status = ht_stops_add(&router->stops, road->snap, &two[found - 1], &options);
        }
        if (status != HT_OK) {
            return refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
        }
    }
    return HT_OK;
}

static uint32_t rounded(double value)
{
    return value < (double)UINT32_MAX - 1 ? (uint32_t)(value + 0.5) : UINT32_MAX - 1;
}

/* Rows from `first` on; `*rows`: how many. */
static enum ht_status rows_fill(struct router *router, const struct ht_road *road, size_t first,
                                size_t *rows, uint32_t profile)
{
    const struct ht_stops_ways ways = {road, router->call->pool, router->call->options.cancel};
    size_t all = router->vroom->problem.location_count;
    size_t count = router->stops.count;
    double speed = router->vroom->profiles[profile].speed;
    enum ht_status status = ht_stops_run(&router->stops, router->matrix, &ways, first, rows);
    for (size_t i = 0; status == HT_OK && i < *rows * count; i++) {
        const struct ht_cost *cost = &router->stops.costs[i];
        size_t at = router->location_of[first + i / count] * all + router->location_of[i % count];
        if (cost->weight_ms < HT_WEIGHT_INF) {
            if (router->duration_s != NULL) {
                router->duration_s[at] = rounded((double)cost->duration_ms / 1000 / speed);
            }
            if (router->distance_m != NULL) {
                router->distance_m[at] = rounded((double)cost->length_mm / 1000);
            }
        }
    }
    return status == HT_OK || status == HT_CANCELLED
               ? status
               : refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
}

/* A matrix that nothing is known of yet; NULL: there is no memory. */
static uint32_t *matrix_make(struct router *router)
{
    size_t count = router->vroom->problem.location_count;
    uint32_t *matrix = ht_vroom_take(router->vroom, count * count, sizeof *matrix);
    if (matrix != NULL) {
        memset(matrix, 0xff, count * count * sizeof *matrix); /* HT_PLAN_NO_WAY */
    }
    return matrix;
}

static enum ht_status profile_fill(struct router *router, uint32_t profile)
{
    struct ht_vroom *vroom = router->vroom;
    const struct ht_vroom_profile *wants = &vroom->profiles[profile];
    const struct ht_road *road = NULL;
    enum ht_status status = ht_world_road(router->call->world, wants->name, 0, &road);
    if (status == HT_NOT_FOUND) {
        return refuse(router, HT_VROOM_INPUT, HT_INVALID, "Invalid profile: ", wants->name);
    }
    if (status != HT_OK) {
        return refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
    }
    status = places_snap(router, road);
    if (status != HT_OK) {
        return status;
    }
    router->duration_s = wants->wants_times ? matrix_make(router) : NULL;
    router->distance_m = wants->wants_metres ? matrix_make(router) : NULL;
    if ((wants->wants_times && router->duration_s == NULL) ||
        (wants->wants_metres && router->distance_m == NULL)) {
        (void)refuse(router, HT_VROOM_INTERNAL, HT_NOMEM, "Out of memory.", "");
        return HT_NOMEM;
    }
    if (wants->wants_times) {
        vroom->matrices[profile].duration_s = router->duration_s;
    }
    if (wants->wants_metres) {
        vroom->matrices[profile].distance_m = router->distance_m;
    }
    size_t count = router->stops.count;
    for (size_t first = 0, rows = 0; status == HT_OK && first < count; first += rows) {
        status = rows_fill(router, road, first, &rows, profile);
    }
    return status;
}

static bool wanted(const struct ht_vroom_profile *profile)
{
    return profile->wants_times || profile->wants_metres;
}

enum ht_status ht_vroom_route(struct ht_vroom *vroom, const struct ht_vroom_call *call,
                              struct ht_error *error)
{
    struct router router = {.vroom = vroom, .call = call, .error = error};
    size_t count = vroom->problem.location_count;
    bool needed = false;
    for (uint32_t i = 0; i < vroom->problem.profile_count; i++) {
        needed = needed || wanted(&vroom->profiles[i]);
    }
    if (!needed) {
        return HT_OK;
    }
    if (call->world == NULL) {
        return refuse(&router, HT_VROOM_ROUTING, HT_NOT_FOUND, "No network is open to route with.",
                      "");
    }
    router.location_of = ht_array_new(count, sizeof *router.location_of);
    enum ht_status status = ht_matrix_new(&router.matrix);
    if (status == HT_OK) {
        status = ht_snap_work_new(&router.snap);
    }
    if (status != HT_OK || router.location_of == NULL) {
        (void)refuse(&router, HT_VROOM_INTERNAL, HT_NOMEM, "Out of memory.", "");
        status = HT_NOMEM;
    }
    for (uint32_t i = 0; status == HT_OK && i < vroom->problem.profile_count; i++) {
        status = wanted(&vroom->profiles[i]) ? profile_fill(&router, i) : HT_OK;
    }
    ht_snap_work_free(router.snap);
    ht_matrix_free(router.matrix);
    ht_stops_deinit(&router.stops);
    free(router.location_of);
    return status;
}

/* ---- geometry ---- */

/* What draws the routes of one profile. */
struct drawer {
    struct router *router;
    const struct ht_plan *plan;
    const struct ht_road *road;
    struct ht_query *query;
    struct ht_route *route;
    struct ht_shape shape;
    uint32_t *stop_of; /* [locations] in the router's */
};

static enum ht_status leg_draw(struct drawer *drawer, uint32_t from, uint32_t to)
{
    struct router *router = drawer->router;
    struct ht_route_found found;
    const struct ht_stop ends[2] = {router->stops.list[drawer->stop_of[from]],
                                    router->stops.list[drawer->stop_of[to]]};
    const struct ht_route_request request = {
        .places = router->stops.places, .stops = ends, .stop_count = 2, .with_arcs = true};
    enum ht_status status =
        ht_route_run(drawer->route, drawer->query, drawer->road, &request, &found);
    if (status == HT_NO_ROUTE) {
        return refuse(router, HT_VROOM_ROUTING, status, "Impossible route between points.", "");
    }
    if (status == HT_OK) {
        status = ht_shape_add(&drawer->shape, drawer->road, router->stops.places, found.legs,
                              found.arcs, false);
    }
    return status == HT_OK ? status
                           : refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
}

/* Where a step is; HT_PLAN_NONE: anywhere. */
static uint32_t step_location(const struct ht_problem *problem, const struct ht_plan_route *route,
                              uint32_t index)
{
    const struct ht_plan_step *step = &route->steps[index];
    switch (step->kind) {
    case HT_STEP_START:
        return problem->vehicles[route->vehicle].start;
    case HT_STEP_END:
        return problem->vehicles[route->vehicle].end;
    case HT_STEP_TASK:
        return problem->tasks[step->index].location;
    case HT_STEP_RELOAD:
        return problem->reloads[step->index].location;
    case HT_STEP_BREAK:
        break;
    }
    return HT_PLAN_NONE;
}

/* The points of the shape as a text, in the document's coordinates. */
static enum ht_status line_write(struct drawer *drawer, const char **out)
{
    struct router *router = drawer->router;
    struct ht_point *points = drawer->shape.points;
    size_t count = drawer->shape.point_count;
    size_t room = count * 12 + 1;
    char *text = ht_vroom_take(router->vroom, room, 1);
    double(*pairs)[2] = ht_array_new(count, sizeof *pairs);
    enum ht_status status = HT_OK;
    if (text == NULL || pairs == NULL) {
        free(pairs);
        return refuse(router, HT_VROOM_INTERNAL, HT_NOMEM, "Out of memory.", "");
    }
    for (size_t i = 0; i < count; i++) {
        pairs[i][0] = points[i].lon_e7 / 1e7;
        pairs[i][1] = points[i].lat_e7 / 1e7;
    }
    bool good =
        router->call->pairs == NULL || router->call->pairs(router->call->point_user, pairs, count);
    for (size_t i = 0; good && i < count; i++) {
        good = fabs(pairs[i][0]) <= 180 && fabs(pairs[i][1]) <= 90;
        if (good) {
            points[i].lon_e7 = (int32_t)lround(pairs[i][0] * 1e7);
            points[i].lat_e7 = (int32_t)lround(pairs[i][1] * 1e7);
        }
    }
    if (good) {
        text[ht_polyline_encode(points, count, 5, text, room - 1)] = '\0';
        *out = text;
    } else {
        status = refuse(router, HT_VROOM_INPUT, HT_INVALID,
                        "Route geometry needs coordinates in degrees.", "");
    }
    free(pairs);
    return status;
}

static enum ht_status route_draw(struct drawer *drawer, const struct ht_plan_route *route,
                                 const char **out)
{
    const struct ht_problem *problem = &drawer->router->vroom->problem;
    const bool *cancel = drawer->router->call->options.cancel;
    uint32_t at = HT_PLAN_NONE;
    enum ht_status status = HT_OK;
    ht_shape_clear(&drawer->shape);
    for (uint32_t s = 0; status == HT_OK && s < route->step_count; s++) {
        uint32_t next = step_location(problem, route, s);
        next = next == HT_PLAN_NONE || problem->stands == NULL ? next : problem->stands[next];
        if (cancel != NULL && __atomic_load_n(cancel, __ATOMIC_RELAXED)) {
            return HT_CANCELLED;
        }
        if (next != HT_PLAN_NONE && at != HT_PLAN_NONE && next != at) {
            status = leg_draw(drawer, at, next);
        }
        at = next == HT_PLAN_NONE ? at : next;
    }
    return status == HT_OK ? line_write(drawer, out) : status;
}

static enum ht_status profile_draw(struct drawer *drawer, uint32_t profile, const char **lines)
{
    struct router *router = drawer->router;
    const struct ht_problem *problem = &router->vroom->problem;
    const char *name = router->vroom->profiles[profile].name;
    enum ht_status status = ht_world_road(router->call->world, name, 0, &drawer->road);
    if (status == HT_NOT_FOUND) {
        return refuse(router, HT_VROOM_INPUT, HT_INVALID, "Invalid profile: ", name);
    }
    status = status == HT_OK
                 ? places_snap(router, drawer->road)
                 : refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
    for (uint32_t i = 0; i < router->stops.count; i++) {
        drawer->stop_of[router->location_of[i]] = i;
    }
    for (uint32_t i = 0; status == HT_OK && i < drawer->plan->route_count; i++) {
        const struct ht_plan_route *route = &drawer->plan->routes[i];
        if (problem->vehicles[route->vehicle].profile == profile) {
            status = route_draw(drawer, route, &lines[i]);
        }
    }
    return status;
}

enum ht_status ht_vroom_draw(struct ht_vroom *vroom, const struct ht_vroom_call *call,
                             const struct ht_plan *plan, const char *const **out,
                             struct ht_error *error)
{
    struct router router = {.vroom = vroom, .call = call, .error = error};
    struct drawer drawer = {.router = &router, .plan = plan};
    size_t count = vroom->problem.location_count;
    if (call->world == NULL) {
        return refuse(&router, HT_VROOM_ROUTING, HT_NOT_FOUND, "No network is open to route with.",
                      "");
    }
    // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
    const char **lines = ht_vroom_take(vroom, (size_t)plan->route_count + 1, sizeof *lines);
    router.location_of = ht_array_new(count, sizeof *router.location_of);
    drawer.stop_of = ht_array_new_zeroed(count, sizeof *drawer.stop_of);
    enum ht_status status = ht_query_new(&drawer.query);
    status = status == HT_OK ? ht_route_new(&drawer.route) : status;
    if (status == HT_OK) {
        status = ht_snap_work_new(&router.snap);
    }
    if (status != HT_OK || lines == NULL || router.location_of == NULL || drawer.stop_of == NULL) {
        status = refuse(&router, HT_VROOM_INTERNAL, HT_NOMEM, "Out of memory.", "");
    }
    for (uint32_t p = 0; status == HT_OK && p < vroom->problem.profile_count; p++) {
        status = profile_draw(&drawer, p, lines);
    }
    *out = lines;
    ht_snap_work_free(router.snap);
    ht_route_free(drawer.route);
    ht_query_free(drawer.query);
    ht_shape_deinit(&drawer.shape);
    ht_stops_deinit(&router.stops);
    free(router.location_of);
    free(drawer.stop_of);
    return status;
}
