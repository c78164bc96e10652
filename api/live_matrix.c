/* Costs from many units to many points, each unit over the streets of its own profile. */
#include <stdlib.h>

#include "api/live_permits.h"
#include "engine/base/array.h"
#include "engine/live/detour.h"
#include "engine/road/matrix.h"

enum { CELLS_AT_ONCE = 500000 };

struct matrix {
    struct ht_live *live;
    struct ht_live_work *work;
    const struct ht_live_many *ask;
    struct ht__live_index *index;
    uint32_t part;              /* of the profile's units at hand */
    const struct ht_road *road; /* theirs */
    struct ht_matrix *matrix;
    struct ht_place *sources; /* units of that profile */
    size_t *source_of;        /* which units they are */
    size_t source_count;
    struct ht_place *targets; /* points near its streets */
    size_t *target_of;
    size_t target_count;
    struct ht_cost *cells;
};

/* The asked places on the streets of the profile: as ht_live_closest finds them. */
static enum ht_status many_targets(struct matrix *m)
{
    struct ht_snap_options options = ht_snap_options_default();
    m->target_count = 0;
    options.radius_m = HT_LIVE_STREET_M;
    for (size_t p = 0; p < m->ask->point_count; p++) {
        struct ht_place two[2];
        uint32_t found = 0;
        enum ht_status status =
            ht_snap_trip(m->road->snap, m->work->snap, m->ask->points[p], &options, two, &found);
        if (status == HT_OK) {
            m->targets[m->target_count] = two[found - 1];
            m->target_of[m->target_count++] = p;
        } else if (status != HT_NO_SEGMENT) {
            return status;
        }
    }
    return HT_OK;
}

static void many_sources(struct matrix *m, uint32_t profile)
{
    m->source_count = 0;
    for (size_t u = 0; u < m->ask->unit_count; u++) {
        struct ht_unit unit;
        const struct ht_place *place = NULL;
        uint32_t own = 0;
        if (ht_fleet_get(m->live->fleet, m->ask->units[u], 0, &unit) &&
            ht__live_where(&unit, m->ask->plain, m->index->number, &own, &place) &&
            own == profile &&
            ht_permit_part(&m->work->lanes.parts, unit.permits, profile) == m->part) {
            m->sources[m->source_count] = *place;
            m->source_of[m->source_count++] = u;
        }
    }
}

/* Rows [first, first + count) of the profile's sources. */
static enum ht_status rows_fill(struct matrix *m, size_t first, size_t count)
{
    const struct ht_live_many *ask = m->ask;
    enum ht_status status = ht_matrix_run(m->matrix, m->road, ask->pool, m->sources + first, count,
                                          m->targets, m->target_count, m->cells, NULL);
    for (size_t i = 0; status == HT_OK && i < count * m->target_count; i++) {
        size_t point = m->target_of[i % m->target_count];
        size_t at = point * ask->unit_count + m->source_of[first + i / m->target_count];
        if (m->cells[i].weight_ms < HT_WEIGHT_INF) {
            ask->duration_ms[at] = m->cells[i].duration_ms;
            ask->length_mm[at] = m->cells[i].length_mm;
        }
    }
    return status;
}

/* Of the sources, over `road`: what it costs to leave where a unit stands is that road's matter. */
static enum ht_status sources_fill(struct matrix *m)
{
    for (size_t i = 0; i < m->source_count; i++) {
        ht_place_refresh(m->road->graph, &m->sources[i]);
    }
    enum ht_status status = many_targets(m);
    if (status != HT_OK || m->target_count == 0) {
        return status;
    }
    size_t rows = CELLS_AT_ONCE / m->target_count;
    rows = rows == 0 ? 1 : rows;
    for (size_t first = 0; status == HT_OK && first < m->source_count; first += rows) {
        size_t left = m->source_count - first;
        status = rows_fill(m, first, left < rows ? left : rows);
    }
    return status;
}

/* Of those units of a profile whose permits open nothing. */
static enum ht_status profile_fill(struct matrix *m, struct ht_world *world, uint32_t profile)
{
    m->part = 0;
    many_sources(m, profile);
    if (m->source_count == 0 || m->index->roads[profile] == NULL) {
        return HT_OK;
    }
    enum ht_status status =
        ht_world_road(world, ht_fleet_profile_name(m->live->fleet, profile), 0, &m->road);
    return status == HT_OK ? sources_fill(m) : status;
}

static enum ht_status lane_fill(struct matrix *m, struct ht_world *world, uint32_t lane)
{
    struct ht_detour *road = NULL;
    m->part = lane + 1;
    many_sources(m, m->work->lanes.list[lane].profile);
    if (m->source_count == 0) {
        return HT_OK;
    }
    enum ht_status status = ht_live_lane_road(m->work, world, lane, &road);
    if (status == HT_OK) {
        m->road = ht_detour_road(road);
        status = sources_fill(m);
    }
    ht_detour_release(road);
    return status;
}

static enum ht_status all_fill(struct matrix *m, struct ht_world *world)
{
    size_t cells = m->ask->unit_count * m->ask->point_count;
    for (size_t i = 0; i < cells; i++) {
        m->ask->duration_ms[i] = HT_WEIGHT_INF;
        m->ask->length_mm[i] = -1;
    }
    enum ht_status status = ht__live_lanes(m->live, m->work, world, m->index);
    for (uint32_t p = 0; status == HT_OK && p < m->index->profile_count; p++) {
        status = profile_fill(m, world, p);
    }
    for (uint32_t i = 0; status == HT_OK && i < m->work->lanes.count; i++) {
        status = lane_fill(m, world, i);
    }
    return status;
}

enum ht_status ht_live_matrix(struct ht_live *live, struct ht_live_work *work,
                              struct ht_world *world, const struct ht_live_many *ask)
{
    struct matrix m = {.live = live, .work = work, .ask = ask};
    size_t most = CELLS_AT_ONCE > ask->point_count ? CELLS_AT_ONCE : ask->point_count;
    size_t all = ask->unit_count * ask->point_count;
    enum ht_status status = ht__live_index_get(live, work, world, &m.index);
    if (status == HT_OK) {
        status = ht_matrix_new(&m.matrix);
    }
    m.sources = ht_array_new(ask->unit_count, sizeof *m.sources);
    m.source_of = ht_array_new(ask->unit_count, sizeof *m.source_of);
    m.targets = ht_array_new(ask->point_count, sizeof *m.targets);
    m.target_of = ht_array_new(ask->point_count, sizeof *m.target_of);
    m.cells = ht_array_new(all < most ? all : most, sizeof *m.cells);
    if (m.sources == NULL || m.source_of == NULL || m.targets == NULL || m.target_of == NULL ||
        m.cells == NULL) {
        status = HT_NOMEM;
    }
    bool again = status == HT_OK;
    for (int i = 0; i < HT__LIVE_TRIES && again && status == HT_OK; i++) {
        status = all_fill(&m, world);
        again = ht__live_lanes_stale(live, &work->lanes);
    }
    ht_matrix_free(m.matrix);
    ht__live_index_release(m.index);
    free(m.sources);
    free(m.source_of);
    free(m.targets);
    free(m.target_of);
    free(m.cells);
    return status;
}
