/* Whether somebody can have come from the check-in before, and gone on to the one after: whoever
 * reports late, or the later visit first, is asked as well. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/live.h"
#include "api/visit_site.h"
#include "api/visits_internal.h"
#include "engine/road/stops.h"

enum {
    LOOK_AT = 200,
    DAY_MS = 86400000,
    PIECE_LEAST_MM = 50000 /* of shorter pieces the time is too coarse for a speed */
};

/* Whether `v` is nearer in time than `found` (NULL: none), on the side that is asked for. */
static bool is_nearer(const struct ht_visit *v, const struct ht_visit *found, int64_t at_ms,
                      bool after)
{
    if (after) {
        return v->seen_ms > at_ms && v->seen_ms < at_ms + DAY_MS &&
               (found == NULL || v->seen_ms < found->seen_ms);
    }
    return v->seen_ms <= at_ms && v->seen_ms > at_ms - DAY_MS &&
           (found == NULL || v->seen_ms > found->seen_ms);
}

/* The inspector's last check-in before this one, or the first after it, within a day; held. NULL:
 * none. */
static const struct ht_visit *beside_of(struct ht_visits *visits,
                                        const struct ht__visit_arrival *arrival, bool after)
{
    const struct ht_visit *list[LOOK_AT];
    const struct ht_visit *found = NULL;
    const struct ht_visit_filter filter = {.inspector = arrival->inspector,
                                           .states = (UINT32_C(1) << HT_VISIT_IS_CANCELLED) -
                                                     (UINT32_C(1) << HT_VISIT_IS_DONE)};
    size_t count = ht_visits_list(visits, &filter, LOOK_AT, list);
    for (size_t i = 0; i < count; i++) {
        const struct ht_visit *v = list[i];
        if (v->state != HT_VISIT_IS_MISSED && strcmp(v->id, arrival->visit) != 0 &&
            is_nearer(v, found, arrival->at_ms, after)) {
            found = v;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i] != found) {
            ht_visit_release(list[i]);
        }
    }
    return found;
}

/* Where that was: as it was written down, else where the site is. */
static bool place_of(struct ht_store_reader *reader, const struct ht_visit *visit,
                     struct ht_point *out)
{
    char *paper = NULL;
    struct ht_visit_site site;
    bool found = false;
    if (ht__visit_note(reader, true, visit->id, NULL, &paper) == HT_OK && paper != NULL) {
        yajl_val tree = ht_json_tree_read(paper, strlen(paper));
        yajl_val lon = ht_json_member(tree, "lon");
        yajl_val lat = ht_json_member(tree, "lat");
        found = YAJL_IS_NUMBER(lon) && YAJL_IS_NUMBER(lat);
        if (found) {
            *out = (struct ht_point){(int32_t)lround(YAJL_GET_DOUBLE(lon) * 1e7),
                                     (int32_t)lround(YAJL_GET_DOUBLE(lat) * 1e7)};
        }
        yajl_tree_free(tree);
    }
    free(paper);
    if (!found) {
        found = ht_visit_site_find(reader, visit->site, &site, NULL) == HT_OK && site.placed;
        *out = site.point;
        ht_visit_site_deinit(&site);
    }
    return found;
}

static const char *profile_of(struct ht_app_context *context, const char *inspector)
{
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    struct ht_unit unit;
    uint32_t index = ht_fleet_find(fleet, inspector, strlen(inspector));
    return index != HT_NONE && ht_fleet_get(fleet, index, 0, &unit)
               ? ht_fleet_profile_name(fleet, unit.profile)
               : "car";
}

/* Adds where a point lies on the streets; `*off_m`: how far from it. */
static enum ht_status stop_add(struct ht_stops *stops, const struct ht_road *road,
                               struct ht_point point, double *off_m)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_snap_work *work = NULL;
    struct ht_place two[2];
    uint32_t found = 0;
    options.radius_m = HT_LIVE_STREET_M;
    enum ht_status status = ht_snap_work_new(&work);
    if (status == HT_OK) {
        status = ht_snap_trip(road->snap, work, point, &options, two, &found);
    }
    if (status == HT_OK) {
        *off_m = two[found - 1].distance_m;
        status = ht_stops_add(stops, road->snap, &two[found - 1], &options);
    }
    ht_snap_work_free(work);
    return status;
}

/* Metres a millisecond on the fastest street that there is. */
static double fastest(const struct ht_graph *graph)
{
    double best = 0;
    for (uint32_t a = 0; a < graph->base_arc_count; a++) {
        const struct ht_arc *arc = &graph->arcs[a];
        struct ht_cost cost = arc->length_mm < PIECE_LEAST_MM
                                  ? (struct ht_cost){.duration_ms = 0}
                                  : ht_arc_cost(graph, a, 0, arc->length_mm);
        double speed =
            cost.duration_ms == 0 ? 0 : arc->length_mm / 1000.0 / (double)cost.duration_ms;
        best = speed > best ? speed : best;
    }
    return best;
}

/* The least that anybody needs who keeps to no street: straight on, as fast as on the fastest one.
 * HT_NO_ROUTE: there is no street to tell how fast that is. */
static enum ht_status line_ms(const struct ht_road *road, struct ht_point from, struct ht_point to,
                              int64_t *out)
{
    double speed = fastest(road->graph);
    *out = speed > 0 ? (int64_t)(ht_distance_m(from, to) / speed) : 0;
    return speed > 0 ? HT_OK : HT_NO_ROUTE;
}

/* The streets as they are now, with what the inspector's permits open (`lane`, to be let go of). */
static enum ht_status road_find(struct ht_app_context *context, struct ht_world *world,
                                const char *inspector, struct ht_detour **lane,
                                const struct ht_road **out)
{
    const char *profile = profile_of(context, inspector);
    struct ht_live_work *work = ht_app_live_work(context);
    enum ht_status status =
        work == NULL ? HT_NOMEM : ht_live_lanes_make(context->app->live, work, world);
    uint32_t own = status == HT_OK ? ht_live_lane_of(work, inspector, profile) : HT_NONE;
    if (status != HT_OK || own == HT_NONE) {
        return status == HT_OK ? ht_world_road(world, profile, 0, out) : status;
    }
    status = ht_live_lane_road(work, world, own, lane);
    *out = status == HT_OK ? ht_detour_road(*lane) : NULL;
    return status;
}

/* Over the streets. HT_NO_SEGMENT: one of both lies at none; or they are nearer to each other than
 * to the streets, so that nobody would go there first. HT_NO_ROUTE. */
static enum ht_status street_ms(const struct ht_road *road, struct ht_point from,
                                struct ht_point to, int64_t *out)
{
    const struct ht_stops_ways ways = {.road = road};
    struct ht_stops stops = {.count = 0};
    struct ht_matrix *matrix = NULL;
    double off_m[2] = {0};
    size_t rows = 0;
    enum ht_status status = stop_add(&stops, road, from, &off_m[0]);
    status = status == HT_OK ? stop_add(&stops, road, to, &off_m[1]) : status;
    if (status == HT_OK && ht_distance_m(from, to) <= off_m[0] + off_m[1]) {
        status = HT_NO_SEGMENT;
    }
    status = status == HT_OK ? ht_matrix_new(&matrix) : status;
    status = status == HT_OK ? ht_stops_run(&stops, matrix, &ways, 0, &rows) : status;
    if (status == HT_OK) {
        *out = stops.costs[1].duration_ms;
        status = stops.costs[1].weight_ms >= HT_WEIGHT_INF ? HT_NO_ROUTE : HT_OK;
    }
    ht_matrix_free(matrix);
    ht_stops_deinit(&stops);
    return status;
}

static enum ht_status way_ms(struct ht_app_context *context, const char *inspector,
                             struct ht_point from, struct ht_point to, int64_t *out)
{
    struct ht_world *world = ht_world_reader_get(&context->world);
    const struct ht_road *road = NULL;
    struct ht_detour *lane = NULL;
    enum ht_status status =
        world == NULL ? HT_NOT_FOUND : road_find(context, world, inspector, &lane, &road);
    if (status == HT_OK) {
        status = street_ms(road, from, to, out);
        status = status == HT_NO_SEGMENT || status == HT_NO_ROUTE ? line_ms(road, from, to, out)
                                                                  : status;
    }
    ht_detour_release(lane);
    return status;
}

/* How long the one who came first can have stayed. */
static int64_t stay_of(const struct ht__visit_arrival *arrival, int64_t between_ms, int64_t way_ms)
{
    return between_ms - (way_ms > arrival->slack_ms ? way_ms - arrival->slack_ms : 0);
}

/* What the check-in before, or after, tells. */
static void side_look(struct ht_app_context *context, struct ht_store_reader *reader,
                      const struct ht__visit_arrival *arrival, bool after,
                      struct ht__visit_sequence *out)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    const struct ht_visit *beside = beside_of(visits, arrival, after);
    struct ht_point there;
    int64_t need_ms = 0;
    if (beside != NULL && place_of(reader, beside, &there)) {
        struct ht_point from = after ? arrival->point : there;
        struct ht_point to = after ? there : arrival->point;
        int64_t left_ms = after                   ? arrival->until_ms
                          : beside->until_ms != 0 ? beside->until_ms
                                                  : beside->seen_ms;
        int64_t come_ms = after ? beside->seen_ms : arrival->at_ms;
        bool known = way_ms(context, arrival->inspector, from, to, &need_ms) == HT_OK;
        if (known && need_ms - arrival->slack_ms > come_ms - left_ms) {
            out->impossible = true;
        } else if (known && after) {
            out->stay_most_ms = stay_of(arrival, beside->seen_ms - arrival->at_ms, need_ms);
        } else if (known && beside->until_ms == 0 && beside->state != HT_VISIT_IS_REFUSED) {
            memcpy(out->before, beside->id, strlen(beside->id) + 1);
            out->before_most_ms = stay_of(arrival, arrival->at_ms - beside->seen_ms, need_ms);
            out->before_planned_ms = beside->end_ms - beside->start_ms;
        }
    }
    ht_visit_release(beside);
}

void ht__visit_sequence_look(struct ht_app_context *context, struct ht_store_reader *reader,
                             const struct ht__visit_arrival *arrival,
                             struct ht__visit_sequence *out)
{
    *out = (struct ht__visit_sequence){.stay_most_ms = INT64_MAX};
    side_look(context, reader, arrival, false, out);
    side_look(context, reader, arrival, true, out);
    if (out->impossible) { /* one of them wasn't there: it tells nothing of a stay */
        out->stay_most_ms = INT64_MAX;
        out->before[0] = '\0';
    }
}
