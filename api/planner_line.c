#include "api/planner_line.h"

#include "api/live.h"
#include "engine/road/snap.h"

void ht_planner_line_deinit(struct ht_planner_line *line)
{
    ht_snap_work_free(line->snap);
    ht_query_free(line->query);
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
    if (status == HT_OK && world != NULL &&
        ht_world_road(world, profile, 0, &line->road) != HT_OK) {
        line->road = NULL;
    }
    return status;
}

static bool snapped(struct ht_planner_line *line, struct ht_point point, struct ht_place *place)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place two[2];
    uint32_t found = 0;
    options.radius_m = HT_LIVE_STREET_M;
    if (ht_snap_trip(line->road->snap, line->snap, point, &options, two, &found) != HT_OK) {
        return false;
    }
    *place = two[found - 1];
    return true;
}

bool ht_planner_line_leg(struct ht_planner_line *line, struct ht_point from, struct ht_point to,
                         uint64_t *length_mm)
{
    struct ht_place places[2];
    struct ht_way_found way;
    if (line->road == NULL || !snapped(line, from, &places[0]) || !snapped(line, to, &places[1]) ||
        ht_query_path(line->query, line->road, &places[0], HT_SIDES_BOTH, &places[1], HT_SIDES_BOTH,
                      &way) != HT_OK) {
        return false;
    }
    const struct ht_leg leg = {.cost = way.cost,
                               .source = 0,
                               .target = 1,
                               .source_side = way.source_side,
                               .target_side = way.target_side,
                               .arc_count = way.arc_count};
    ht_shape_clear(&line->shape);
    *length_mm = (uint64_t)way.cost.length_mm;
    return ht_shape_add(&line->shape, line->road, places, &leg, way.arcs, false) == HT_OK;
}
