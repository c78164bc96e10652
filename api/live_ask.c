#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/avoid.h"
#include "api/live_permits.h"
#include "api/map.h"
#include "engine/base/array.h"

struct wanted {
    struct ht_live *live;
    const struct ht_live_ask *ask;
};

static bool want(void *user, uint32_t unit)
{
    struct wanted *wanted = user;
    return ht_fleet_matches(wanted->live->fleet, unit, &wanted->ask->filter);
}

enum ht_status ht_live_near(struct ht_live *live, struct ht_live_work *work,
                            const struct ht_live_ask *ask, const struct ht_moving_hit **hits,
                            uint32_t *count)
{
    struct wanted wanted = {live, ask};
    const struct ht_moving_ask near = {
        .center = ask->point, .k = ask->k, .radius_m = ask->radius_m, .filter = {want, &wanted}};
    return ht_moving_near(live->moving, work->moving, &near, hits, count);
}

enum ht_status ht_live_in_box(struct ht_live *live, struct ht_live_work *work, struct ht_box box,
                              const struct ht_live_ask *ask, const struct ht_moving_hit **hits,
                              uint32_t *count)
{
    struct wanted wanted = {live, ask};
    const struct ht_moving_filter filter = {want, &wanted};
    return ht_moving_in_box(live->moving, work->moving, box, &filter, hits, count);
}

bool ht_live_ready(struct ht_live *live, struct ht_world *world)
{
    struct ht__live_index *index = ht__live_index_peek(live);
    bool ready = ht__live_index_ready(live, index, world);
    ht__live_index_release(index);
    return ready;
}

/* The workspace of the closest index, made anew for another index. Keeps the index. */
static enum ht_status workspace(struct ht_live_work *work, struct ht__live_index *index)
{
    if (work->closest != NULL && work->held == index) {
        return HT_OK;
    }
    ht_closest_work_free(work->closest);
    work->closest = NULL;
    ht_closest_work_free(work->plain);
    work->plain = NULL;
    ht__live_index_release(work->held);
    (void)atomic_fetch_add_explicit(&index->references, 1, memory_order_relaxed);
    work->held = index;
    enum ht_status status =
        index->plain == NULL ? HT_OK : ht_closest_work_new(index->plain, &work->plain);
    return status == HT_OK ? ht_closest_work_new(index->closest, &work->closest) : status;
}

enum ht_status ht_live_avoid(struct ht_live *live, struct ht_live_work *work,
                             struct ht_world *world, const struct ht_avoid *avoid)
{
    struct ht__live_index *index = NULL;
    enum ht_status status = ht__live_index_get(live, work, world, &index);
    work->avoiding = true;
    for (uint32_t p = 0; status == HT_OK && p < index->profile_count; p++) {
        struct ht_cuts *cuts = &work->avoid_cuts[p];
        const char *name = ht_fleet_profile_name(live->fleet, p);
        const struct ht_map_ask ask = {.profile = name, .cuts = cuts};
        if (index->roads[p] == NULL) {
            continue;
        }
        status = ht_avoid_cuts(avoid, world, name, cuts);
        if (status == HT_OK) {
            status = ht_map_detour(world, &ask, NULL, &work->detours[p]);
        }
    }
    ht__live_index_release(index);
    return status;
}

void ht_live_avoid_end(struct ht_live_work *work)
{
    work->avoiding = false;
    for (uint32_t p = 0; p < HT_FLEET_PROFILES_MAX; p++) {
        ht_detour_release(work->detours[p]);
        work->detours[p] = NULL;
        ht_cuts_deinit(&work->avoid_cuts[p]);
    }
}

/* The road of a profile; HT_NO_SEGMENT: a profile that came after the areas to avoid were read. */
static enum ht_status road_of(const struct ht_live_work *work, struct ht_world *world, uint32_t p,
                              const struct ht_road **road)
{
    if (!work->avoiding) {
        return ht_world_road(world, ht_fleet_profile_name(work->live->fleet, p), 0, road);
    }
    *road = work->detours[p] == NULL ? NULL : ht_detour_road(work->detours[p]);
    return *road == NULL ? HT_NO_SEGMENT : HT_OK;
}

double ht_live_street_m(const struct ht_live_work *work)
{
    return work->street_m;
}

/* Beyond a hundred kilometres a plane does not do. Haversine, mean radius of the Earth. */
static double far_m(struct ht_point a, struct ht_point b)
{
    const double radius_m = 6371008.8;
    const double rad = acos(-1) / 180 / 1e7;
    double plane_m = ht_distance_m(a, b);
    double lat = sin(((double)b.lat_e7 - a.lat_e7) * rad / 2);
    double lon = sin(((double)b.lon_e7 - a.lon_e7) * rad / 2);
    double h = lat * lat + cos(a.lat_e7 * rad) * cos(b.lat_e7 * rad) * lon * lon;
    return plane_m < 100e3 ? plane_m : 2 * radius_m * asin(sqrt(fmin(h, 1)));
}

/* How far the nearest street of those roads is. */
static double street_m(struct ht_live_work *work, uint32_t profile_count, struct ht_point point)
{
    struct ht_snap_options options = ht_snap_options_default();
    double nearest_m = INFINITY;
    for (uint32_t p = 0; p < profile_count; p++) {
        struct ht_place place;
        uint32_t found = 0;
        if (work->road_list[p] != NULL &&
            ht_snap_nearest(work->road_list[p]->snap, work->snap, point, &options, 1, &place,
                            &found) == HT_OK &&
            found > 0) {
            nearest_m = fmin(nearest_m, far_m(point, place.point));
        }
    }
    return nearest_m;
}

/* The asked place on the streets of each profile: the nearest that is no island. HT_NO_SEGMENT:
 * there are profiles, but no street of theirs is near. */
static enum ht_status targets_find(struct ht_live_work *work, struct ht_world *world,
                                   const struct ht__live_index *index,
                                   const struct ht_live_ask *ask)
{
    struct ht_snap_options options = ht_snap_options_default();
    bool any = false;
    bool near = false;
    options.radius_m = ask->radius_m;
    for (uint32_t p = 0; p < index->profile_count; p++) {
        const struct ht_road *road = NULL;
        struct ht_place two[2];
        uint32_t found = 0;
        work->road_list[p] = NULL;
        work->target_list[p] = NULL;
        if (index->roads[p] == NULL) {
            continue;
        }
        enum ht_status status = road_of(work, world, p, &road);
        if (status == HT_OK) {
            any = true;
            work->roads[p] = *road;
            work->road_list[p] = &work->roads[p];
            status = ht_snap_trip(road->snap, work->snap, ask->point, &options, two, &found);
        }
        if (status == HT_OK) {
            near = true;
            work->targets[p] = two[found - 1];
            work->target_list[p] = &work->targets[p];
        } else if (status != HT_NO_SEGMENT) {
            return status;
        }
    }
    if (any && !near) {
        work->street_m = street_m(work, index->profile_count, ask->point);
    }
    return any && !near && isfinite(work->street_m) ? HT_NO_SEGMENT : HT_OK;
}

/* ---- closest ---- */

struct asking {
    struct ht_live_work *work;
    struct ht_world *world;
    const struct ht__live_index *index;
    const struct ht_live_ask *ask;
    uint32_t count; /* of the work's hits */
    bool near;      /* some street is */
};

/* By duration, equal ones by unit: as the index has them. */
static int by_duration(const void *left, const void *right)
{
    const struct ht_closest_hit *a = left;
    const struct ht_closest_hit *b = right;
    return a->cost.duration_ms != b->cost.duration_ms
               ? (a->cost.duration_ms < b->cost.duration_ms ? -1 : 1)
               : (a->unit < b->unit ? -1 : a->unit > b->unit);
}

static enum ht_status hits_add(struct asking *asking, const struct ht_closest_hit *hits,
                               uint32_t count)
{
    struct ht_live_work *work = asking->work;
    void *list = work->hits;
    enum ht_status status = ht_array_reserve(&list, &work->hit_capacity,
                                             (size_t)asking->count + count + 1, sizeof *hits);
    work->hits = list;
    if (status != HT_OK) {
        return status;
    }
    if (count > 0) {
        memcpy(work->hits + asking->count, hits, count * sizeof *hits);
    }
    asking->count += count;
    if (count < asking->count) {
        qsort(work->hits, asking->count, sizeof *hits, by_duration);
    }
    asking->count = asking->count < asking->ask->k ? asking->count : asking->ask->k;
    return HT_OK;
}

static struct ht_closest_ask closest_ask(const struct asking *asking, uint32_t part)
{
    const struct ht_live_work *work = asking->work;
    struct ht_closest_ask ask = {.k = asking->ask->k,
                                 .max_ms = asking->ask->max_ms,
                                 .fleet = work->live->fleet,
                                 .world = work->avoiding ? 0 : ht_world_id(asking->world),
                                 .filter = asking->ask->filter,
                                 .roads = work->road_list,
                                 .targets = work->target_list};
    if (work->lanes.count > 0) {
        ask.filter.parts = &work->lanes.parts;
        ask.filter.part = part;
    }
    return ask;
}

/* Those of one index, added to what was found so far. */
static enum ht_status index_ask(struct asking *asking, struct ht_closest *closest,
                                struct ht_closest_work *own, struct ht_closest_ask ask)
{
    const struct ht_live_work *work = asking->work;
    const struct ht_closest_hit *hits = NULL;
    uint32_t count = 0;
    if (asking->count > 0 && asking->count == ask.k &&
        work->hits[ask.k - 1].cost.duration_ms < ask.max_ms) {
        ask.max_ms = work->hits[ask.k - 1].cost.duration_ms; /* later ones are not among them */
    }
    enum ht_status status = ht_closest_find(closest, own, &ask, &hits, &count);
    return status == HT_OK ? hits_add(asking, hits, count) : status;
}

/* Whether units that have a blue light go by another profile now. */
static bool is_split(const struct asking *asking)
{
    return asking->ask->plain && asking->index->plain != NULL;
}

/* Those without a light and those whose light is off apart: they are on streets of their own. The
 * first stand among those that have one, on the same streets: looked for last, near by, they are
 * not sifted from the whole fleet, and where there are none they aren't looked for. */
static enum ht_status both_ask(struct asking *asking, struct ht_closest_ask ask)
{
    struct ht_live_work *work = asking->work;
    ask.filter.light = HT_LIGHT_ANY;
    if (is_split(asking)) {
        ask.filter.light = HT_LIGHT_OFF;
        enum ht_status status = index_ask(asking, asking->index->plain, work->plain, ask);
        if (status != HT_OK || ht_fleet_unlit(work->live->fleet) == 0) {
            return status;
        }
        ask.filter.light = HT_LIGHT_NONE;
    }
    return index_ask(asking, asking->index->closest, work->closest, ask);
}

/* The target of the last question on the road of a lane. */
static enum ht_status lane_target(struct ht_live_work *work, const struct ht_road *road,
                                  struct ht_place *out)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_place two[2];
    uint32_t found = 0;
    options.radius_m = work->radius_m;
    enum ht_status status =
        ht_snap_trip(road->snap, work->snap, work->point, &options, two, &found);
    if (status == HT_OK) {
        *out = two[found - 1];
    }
    return status;
}

/* Units of one lane, over its road. */
static enum ht_status lane_ask(struct asking *asking, uint32_t lane)
{
    struct ht_live_work *work = asking->work;
    const struct ht_road *roads[HT_FLEET_PROFILES_MAX] = {NULL};
    const struct ht_place *targets[HT_FLEET_PROFILES_MAX] = {NULL};
    uint32_t profile = work->lanes.list[lane].profile;
    struct ht_detour *detour = NULL;
    struct ht_place target;
    enum ht_status status = ht_live_lane_road(work, asking->world, lane, &detour);
    if (status == HT_OK) {
        status = lane_target(work, ht_detour_road(detour), &target);
    }
    if (status == HT_OK) {
        struct ht_closest_ask ask = closest_ask(asking, lane + 1);
        roads[profile] = ht_detour_road(detour);
        targets[profile] = &target;
        ask.roads = roads;
        ask.targets = targets;
        /* a number of its own, which no world has */
        ask.world = ask.world == 0 ? 0 : UINT64_C(1) << 63 | work->lanes.number << 20 | lane;
        asking->near = true;
        status = both_ask(asking, ask);
    }
    ht_detour_release(detour);
    return status == HT_NO_SEGMENT ? HT_OK : status;
}

/* Everybody, lane by lane. */
static enum ht_status lanes_ask(struct asking *asking)
{
    struct ht_live_work *work = asking->work;
    asking->count = 0;
    enum ht_status status = targets_find(work, asking->world, asking->index, asking->ask);
    asking->near = status == HT_OK;
    if (status == HT_OK) {
        status = both_ask(asking, closest_ask(asking, 0));
    }
    status = status == HT_NO_SEGMENT ? HT_OK : status;
    for (uint32_t i = 0; i < work->lanes.count && status == HT_OK; i++) {
        status = lane_ask(asking, i);
    }
    return status == HT_OK && !asking->near ? HT_NO_SEGMENT : status;
}

/* Where nobody's permits open anything, nor is a light off: the index' own answer. */
static enum ht_status whole_ask(struct asking *asking, const struct ht_closest_hit **hits,
                                uint32_t *count)
{
    enum ht_status status = targets_find(asking->work, asking->world, asking->index, asking->ask);
    if (status == HT_OK) {
        const struct ht_closest_ask ask = closest_ask(asking, 0);
        status = ht_closest_find(asking->index->closest, asking->work->closest, &ask, hits, count);
    }
    return status;
}

static enum ht_status closest_find(struct ht_live *live, struct asking *asking,
                                   const struct ht_closest_hit **hits, uint32_t *count)
{
    struct ht_live_work *work = asking->work;
    enum ht_status status = HT_OK;
    bool again = true;
    for (int i = 0; i < HT__LIVE_TRIES && again && status == HT_OK; i++) {
        status = ht__live_lanes(live, work, asking->world, asking->index);
        if (status != HT_OK) {
            break;
        }
        if (work->lanes.count == 0 && !is_split(asking)) {
            status = whole_ask(asking, hits, count);
        } else {
            status = lanes_ask(asking);
            *hits = work->hits;
            *count = status == HT_OK ? asking->count : 0;
        }
        again = ht__live_lanes_stale(live, &work->lanes);
    }
    return status;
}

enum ht_status ht_live_closest(struct ht_live *live, struct ht_live_work *work,
                               struct ht_world *world, const struct ht_live_ask *ask,
                               const struct ht_closest_hit **hits, uint32_t *count)
{
    struct ht__live_index *index = NULL;
    *count = 0;
    enum ht_status status = ht__live_index_get(live, work, world, &index);
    if (status == HT_OK) {
        ht_world_retain(world);
        ht_world_release(work->world);
        work->world = world;
        work->point = ask->point;
        work->radius_m = ask->radius_m;
        status = workspace(work, index);
    }
    if (status == HT_OK) {
        struct asking asking = {.work = work, .world = world, .index = index, .ask = ask};
        status = closest_find(live, &asking, hits, count);
    }
    ht__live_index_release(index);
    return status;
}

enum ht_status ht_live_street(struct ht_live *live, struct ht_live_work *work,
                              struct ht_world *world, struct ht_point point, double *distance_m)
{
    struct ht__live_index *index = NULL;
    const struct ht_live_ask ask = {.point = point, .radius_m = -1};
    *distance_m = -1;
    enum ht_status status = ht__live_index_get(live, work, world, &index);
    if (status == HT_OK) {
        ht_world_retain(world);
        ht_world_release(work->world);
        work->world = world;
        status = targets_find(work, world, index, &ask);
    }
    for (uint32_t p = 0; status == HT_OK && p < index->profile_count; p++) {
        if (work->target_list[p] != NULL &&
            (*distance_m < 0 || work->targets[p].distance_m < *distance_m)) {
            *distance_m = work->targets[p].distance_m;
        }
    }
    ht__live_index_release(index);
    return status;
}

static enum ht_status way_find(struct ht_live_work *work, const struct ht_road *road,
                               const struct ht_place places[2])
{
    struct ht_way_found way;
    enum ht_status status = ht_query_path(work->query, road, &places[0], HT_SIDES_BOTH, &places[1],
                                          HT_SIDES_BOTH, &way);
    if (status == HT_OK) {
        const struct ht_leg leg = {.cost = way.cost,
                                   .source = 0,
                                   .target = 1,
                                   .source_side = way.source_side,
                                   .target_side = way.target_side,
                                   .arc_count = way.arc_count};
        status = ht_shape_add(&work->shape, road, places, &leg, way.arcs, false);
    }
    return status;
}

/* The lane of a hit's unit; HT_NONE: none. */
static uint32_t lane_of(const struct ht_live_work *work, const struct ht_closest_hit *hit)
{
    struct ht_unit unit;
    if (work->lanes.count == 0 || !ht_fleet_get(work->live->fleet, hit->unit, 0, &unit)) {
        return HT_NONE;
    }
    uint32_t part = ht_permit_part(&work->lanes.parts, unit.permits, hit->profile);
    return part == 0 ? HT_NONE : part - 1;
}

enum ht_status ht_live_way(struct ht_live_work *work, const struct ht_closest_hit *hit,
                           const struct ht_point **points, size_t *count)
{
    struct ht_place places[2] = {hit->place, work->targets[hit->profile]};
    uint32_t lane = lane_of(work, hit);
    struct ht_detour *detour = NULL;
    enum ht_status status = HT_OK;
    ht_shape_clear(&work->shape);
    if (lane == HT_NONE) {
        const struct ht_road *road = work->road_list[hit->profile];
        status = road == NULL || work->target_list[hit->profile] == NULL
                     ? HT_NO_ROUTE
                     : way_find(work, road, places);
    } else {
        status = ht_live_lane_road(work, work->world, lane, &detour);
        if (status == HT_OK) {
            status = lane_target(work, ht_detour_road(detour), &places[1]);
        }
        if (status == HT_OK) {
            status = way_find(work, ht_detour_road(detour), places);
        }
        ht_detour_release(detour);
    }
    *points = work->shape.points;
    *count = work->shape.point_count;
    return status;
}
