/* Matrices over the streets for problems that bring coordinates. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/vroom.h"
#include "engine/base/array.h"
#include "engine/road/matrix.h"
#include "engine/road/snap.h"

enum {
    CELLS_AT_ONCE = 500000,
    REACH_M = 35000, /* what lies farther from a street is on no map, as VROOM asks OSRM */
};

struct router {
    struct ht_vroom *vroom;
    const struct ht_vroom_call *call;
    struct ht_error *error;
    struct ht_matrix *matrix;
    struct ht_snap_work *snap;
    struct ht_place *places; /* those that lie somewhere */
    uint32_t *location_of;
    size_t count;
    struct ht_cost *cells;
    uint32_t *duration_s; /* of the profile at hand */
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
    router->count = 0;
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
        if (status != HT_OK) {
            return refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
        }
        router->places[router->count] = two[found - 1];
        router->location_of[router->count++] = i;
    }
    return HT_OK;
}

static uint32_t rounded(double value)
{
    return value < (double)UINT32_MAX - 1 ? (uint32_t)(value + 0.5) : UINT32_MAX - 1;
}

/* Rows [first, first + rows) of the places. */
static enum ht_status rows_fill(struct router *router, const struct ht_road *road, size_t first,
                                size_t rows, uint32_t profile)
{
    size_t all = router->vroom->problem.location_count;
    double speed = router->vroom->profiles[profile].speed;
    enum ht_status status =
        ht_matrix_run(router->matrix, road, router->call->pool, router->places + first, rows,
                      router->places, router->count, router->cells, router->call->options.cancel);
    for (size_t i = 0; status == HT_OK && i < rows * router->count; i++) {
        const struct ht_cost *cost = &router->cells[i];
        size_t at = router->location_of[first + i / router->count] * all +
                    router->location_of[i % router->count];
        if (cost->weight_ms < HT_WEIGHT_INF) {
            router->duration_s[at] = rounded((double)cost->duration_ms / 1000 / speed);
            router->distance_m[at] = rounded((double)cost->length_mm / 1000);
        }
    }
    return status == HT_OK || status == HT_CANCELLED
               ? status
               : refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
}

static enum ht_status profile_fill(struct router *router, uint32_t profile)
{
    struct ht_vroom *vroom = router->vroom;
    const char *name = vroom->profiles[profile].name;
    const struct ht_road *road = NULL;
    size_t all = (size_t)vroom->problem.location_count * vroom->problem.location_count;
    enum ht_status status = ht_world_road(router->call->world, name, 0, &road);
    if (status == HT_NOT_FOUND) {
        return refuse(router, HT_VROOM_INPUT, HT_INVALID, "Invalid profile: ", name);
    }
    if (status != HT_OK) {
        return refuse(router, HT_VROOM_INTERNAL, status, ht_status_text(status), "");
    }
    status = places_snap(router, road);
    if (status != HT_OK) {
        return status;
    }
    uint32_t *duration_s = ht_vroom_take(vroom, all, sizeof *duration_s);
    uint32_t *distance_m = ht_vroom_take(vroom, all, sizeof *distance_m);
    if (duration_s == NULL || distance_m == NULL) {
        (void)refuse(router, HT_VROOM_INTERNAL, HT_NOMEM, "Out of memory.", "");
        return HT_NOMEM;
    }
    memset(duration_s, 0xff, all * sizeof *duration_s); /* HT_PLAN_NO_WAY */
    memset(distance_m, 0xff, all * sizeof *distance_m);
    router->duration_s = duration_s;
    router->distance_m = distance_m;
    vroom->matrices[profile].duration_s = duration_s;
    vroom->matrices[profile].distance_m = distance_m;
    size_t step = CELLS_AT_ONCE / (router->count == 0 ? 1 : router->count) + 1;
    for (size_t first = 0; status == HT_OK && first < router->count; first += step) {
        size_t left = router->count - first;
        status = rows_fill(router, road, first, left < step ? left : step, profile);
    }
    return status;
}

enum ht_status ht_vroom_route(struct ht_vroom *vroom, const struct ht_vroom_call *call,
                              struct ht_error *error)
{
    struct router router = {.vroom = vroom, .call = call, .error = error};
    size_t count = vroom->problem.location_count;
    bool needed = false;
    for (uint32_t i = 0; i < vroom->problem.profile_count; i++) {
        needed = needed || vroom->profiles[i].given == NULL;
    }
    if (!needed) {
        return HT_OK;
    }
    if (call->world == NULL) {
        return refuse(&router, HT_VROOM_ROUTING, HT_NOT_FOUND, "No network is open to route with.",
                      "");
    }
    router.places = ht_array_new(count, sizeof *router.places);
    router.location_of = ht_array_new(count, sizeof *router.location_of);
    router.cells = ht_array_new(CELLS_AT_ONCE + count, sizeof *router.cells);
    enum ht_status status = ht_matrix_new(&router.matrix);
    if (status == HT_OK) {
        status = ht_snap_work_new(&router.snap);
    }
    if (status != HT_OK || router.places == NULL || router.location_of == NULL ||
        router.cells == NULL) {
        (void)refuse(&router, HT_VROOM_INTERNAL, HT_NOMEM, "Out of memory.", "");
        status = HT_NOMEM;
    }
    for (uint32_t i = 0; status == HT_OK && i < vroom->problem.profile_count; i++) {
        status = vroom->profiles[i].given == NULL ? profile_fill(&router, i) : HT_OK;
    }
    ht_snap_work_free(router.snap);
    ht_matrix_free(router.matrix);
    free(router.places);
    free(router.location_of);
    free(router.cells);
    return status;
}
