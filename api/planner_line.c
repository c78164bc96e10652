#include "api/planner_line.h"

#include "api/live.h"

void ht_planner_line_deinit(struct ht_planner_line *line)
{
    ht_snap_work_free(line->snap);
    ht_query_free(line->query);
    ht_route_free(line->route);
    ht_stops_deinit(&line->stops);
    ht_shape_deinit(&line->shape);
}

enum ht_status ht_planner_line_begin(struct ht_planner_line *line, struct ht_world *world,
                                     const char *profile)
{
    *line = (struct ht_planner_line){.road = NULL};
    enum ht_status status = ht_snap_work_new(&line->snap);
    if (status == HT_OK) {
        status = ht_query_new(&line->query);
    }
    status = status == HT_OK ? ht_route_new(&line->route) : status;
    if (status == HT_OK && world != NULL &&
        ht_world_road(world, profile, 0, &line->road) != HT_OK) {
        line->road = NULL;
    }
    return status;
}

static bool stop_add(struct ht_planner_line *line, struct ht_point point)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place two[2];
    uint32_t found = 0;
    options.radius_m = HT_LIVE_STREET_M;
    return ht_snap_trip(line->road->snap, line->snap, point, &options, two, &found) == HT_OK &&
           ht_stops_add(&line->stops, line->road->snap, &two[found - 1], &options) == HT_OK;
}

bool ht_planner_line_leg(struct ht_planner_line *line, struct ht_point from, struct ht_point to,
                         uint64_t *length_mm)
{
    struct ht_route_found found;
    ht_stops_clear(&line->stops);
    if (line->road == NULL || !stop_add(line, from) || !stop_add(line, to)) {
        return false;
    }
    const struct ht_route_request request = {.places = line->stops.places,
                                             .stops = line->stops.list,
                                             .stop_count = 2,
                                             .with_arcs = true};
    if (ht_route_run(line->route, line->query, line->road, &request, &found) != HT_OK) {
        return false;
    }
    ht_shape_clear(&line->shape);
    *length_mm = (uint64_t)found.legs[0].cost.length_mm;
    return ht_shape_add(&line->shape, line->road, line->stops.places, found.legs, found.arcs,
                        false) == HT_OK;
}
