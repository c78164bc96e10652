/* How long vans take between all places of a scene, over the streets as they are now. */
#include <stdlib.h>
#include <string.h>

#include "api/live.h"
#include "api/planner_scene.h"
#include "engine/base/array.h"
#include "engine/live/detour.h"
#include "engine/road/stops.h"

struct ways {
    struct ht_planner_scene *scene;
    const struct ht_planner_sources *sources;
    const bool *cancel;
    struct ht_matrix *matrix;
    struct ht_snap_work *snap;
    struct ht_stops stops; /* of those points that lie at a street */
    uint32_t *location_of;
    uint32_t *duration_s;
    uint32_t *distance_m;
};

static uint32_t rounded(int64_t thousandths)
{
    return thousandths < (int64_t)(UINT32_MAX - 1) * 1000 ? (uint32_t)((thousandths + 500) / 1000)
                                                          : UINT32_MAX - 1;
}

static enum ht_status places_snap(struct ways *ways, const struct ht_road *road)
{
    struct ht_snap_options options = ht_snap_options_default();
    options.radius_m = HT_LIVE_STREET_M;
    ht_stops_clear(&ways->stops);
    for (uint32_t i = 0; i < ways->scene->point_count; i++) {
        struct ht_place two[2];
        uint32_t found = 0;
        enum ht_status status =
            ht_snap_trip(road->snap, ways->snap, ways->scene->points[i], &options, two, &found);
        if (status == HT_NO_SEGMENT) {
            continue;
        }
        if (status != HT_OK) {
            return status;
        }
        if (two[found - 1].distance_m < (double)ways->scene->street_m[i]) {
            ways->scene->street_m[i] = (float)two[found - 1].distance_m;
        }
        ways->location_of[ways->stops.count] = i;
        status = ht_stops_add(&ways->stops, road->snap, &two[found - 1], &options);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

/* Rows from `first` on; `*rows`: how many. */
static enum ht_status rows_fill(struct ways *ways, const struct ht_road *road, size_t first,
                                size_t *rows)
{
    const struct ht_stops_ways over = {.road = road, .cancel = ways->cancel};
    size_t all = ways->scene->point_count;
    size_t count = ways->stops.count;
    enum ht_status status = ht_stops_run(&ways->stops, ways->matrix, &over, first, rows);
    for (size_t i = 0; status == HT_OK && i < *rows * count; i++) {
        const struct ht_cost *cost = &ways->stops.costs[i];
        size_t at = ways->location_of[first + i / count] * all + ways->location_of[i % count];
        if (cost->weight_ms < HT_WEIGHT_INF) {
            ways->duration_s[at] = rounded(cost->duration_ms);
            ways->distance_m[at] = rounded((int64_t)cost->length_mm);
        }
    }
    return status;
}

/* The streets of a profile, or of its vans with the same permits (`lane`, to be let go of). NULL: a
 * map without it, so there is no way for these vans. */
static enum ht_status road_find(const struct ways *ways, uint32_t profile, struct ht_detour **lane,
                                const struct ht_road **out)
{
    const struct ht_planner_scene *scene = ways->scene;
    const struct ht_planner_sources *sources = ways->sources;
    *out = NULL;
    if (scene->lanes[profile] != HT_NONE) {
        enum ht_status status =
            ht_live_lane_road(sources->work, sources->world, scene->lanes[profile], lane);
        *out = status == HT_OK ? ht_detour_road(*lane) : NULL;
        return status;
    }
    enum ht_status status = ht_world_road(sources->world, scene->profiles[profile], 0, out);
    return status == HT_NOT_FOUND ? HT_OK : status;
}

static enum ht_status profile_fill(struct ways *ways, uint32_t profile)
{
    struct ht_planner_scene *scene = ways->scene;
    const struct ht_road *road = NULL;
    struct ht_detour *lane = NULL;
    size_t all = scene->point_count;
    enum ht_status status = road_find(ways, profile, &lane, &road);
    ways->duration_s = ht_array_new(all * all, sizeof *ways->duration_s);
    ways->distance_m = ht_array_new(all * all, sizeof *ways->distance_m);
    scene->durations_s[profile] = ways->duration_s;
    scene->distances_m[profile] = ways->distance_m;
    scene->matrices[profile] =
        (struct ht_plan_profile){.duration_s = ways->duration_s, .distance_m = ways->distance_m};
    if (status == HT_OK && (ways->duration_s == NULL || ways->distance_m == NULL)) {
        status = HT_NOMEM;
    }
    if (status != HT_OK) {
        ht_detour_release(lane);
        return status;
    }
    memset(ways->duration_s, 0xff, all * all * sizeof *ways->duration_s); /* HT_PLAN_NO_WAY */
    memset(ways->distance_m, 0xff, all * all * sizeof *ways->distance_m);
    ht_stops_clear(&ways->stops);
    status = road == NULL ? HT_OK : places_snap(ways, road);
    for (size_t first = 0, rows = 0; status == HT_OK && first < ways->stops.count; first += rows) {
        status = rows_fill(ways, road, first, &rows);
    }
    for (size_t i = 0; i < all; i++) {
        ways->duration_s[i * all + i] = 0;
        ways->distance_m[i * all + i] = 0;
    }
    ht_detour_release(lane);
    return status;
}

enum ht_status ht_planner_ways(struct ht_planner_scene *scene,
                               const struct ht_planner_sources *sources, struct ht_error *error)
{
    struct ways ways = {.scene = scene, .sources = sources, .cancel = sources->cancel};
    uint64_t cells = (uint64_t)scene->point_count * scene->point_count;
    if (cells * (scene->profile_count + UINT64_C(1)) > HT_PLAN_CELLS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "too many places for one plan");
    }
    ways.location_of = ht_array_new(scene->point_count, sizeof *ways.location_of);
    enum ht_status status = ht_matrix_new(&ways.matrix);
    if (status == HT_OK) {
        status = ht_snap_work_new(&ways.snap);
    }
    scene->street_m = ht_array_new(scene->point_count, sizeof *scene->street_m);
    if (ways.location_of == NULL || scene->street_m == NULL) {
        status = HT_NOMEM;
    }
    for (uint32_t i = 0; status == HT_OK && i < scene->point_count; i++) {
        scene->street_m[i] = HT_LIVE_STREET_M;
    }
    for (uint32_t p = 0; status == HT_OK && p < scene->profile_count; p++) {
        status = profile_fill(&ways, p);
    }
    ht_snap_work_free(ways.snap);
    ht_matrix_free(ways.matrix);
    ht_stops_deinit(&ways.stops);
    free(ways.location_of);
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}
