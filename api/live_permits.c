#include "api/live_permits.h"

#include <stdlib.h>
#include <string.h>

#include "api/map.h"
#include "engine/base/array.h"

static void lanes_clear(struct ht__live_lanes *lanes)
{
    for (size_t i = 0; i < lanes->count; i++) {
        ht_cuts_deinit(&lanes->list[i].cuts);
        free(lanes->list[i].opens);
    }
    lanes->count = 0;
    lanes->parts = (struct ht_permit_parts){0};
    lanes->world = 0;
}

void ht__live_lanes_deinit(struct ht__live_lanes *lanes)
{
    lanes_clear(lanes);
    free(lanes->list);
    free(lanes->part);
    *lanes = (struct ht__live_lanes){0};
}

bool ht__live_lanes_stale(const struct ht_live *live, const struct ht__live_lanes *lanes)
{
    return ht_permits_state(ht_fleet_permits(live->fleet)) != lanes->state;
}

/* ---- what opens what ---- */

struct making {
    struct ht_live *live;
    struct ht__live_lanes *lanes;
    const struct ht_map_shut *shut; /* of the profile at hand */
    uint32_t profile;
    uint32_t first; /* its first lane */
};

/* Whether a set of permits opens anything, and what, into `opens`. */
static bool opens_find(const struct making *making, uint32_t set, uint8_t *opens)
{
    struct ht_permits *permits = ht_fleet_permits(making->live->fleet);
    bool any = false;
    for (size_t z = 0; z < making->shut->count; z++) {
        const struct ht_map_cuts *one = &making->shut->list[z];
        opens[z] = one->cuts.count > 0 && ht_permits_has(permits, set, one->zone->id);
        any = any || opens[z] != 0;
    }
    return any;
}

/* What the zones that stay shut cut. */
static enum ht_status cuts_left(const struct making *making, const uint8_t *opens,
                                struct ht_cuts *cuts)
{
    enum ht_status status = HT_OK;
    for (size_t z = 0; z < making->shut->count && status == HT_OK; z++) {
        const struct ht_cuts *own = &making->shut->list[z].cuts;
        if (opens[z] == 0) {
            status = ht_cuts_add(cuts, own->list, own->count);
        }
    }
    ht_cuts_once(cuts);
    return status;
}

/* Takes `opens` over. */
static enum ht_status lane_add(const struct making *making, uint8_t *opens)
{
    struct ht__live_lanes *lanes = making->lanes;
    void *list = lanes->list;
    enum ht_status status =
        ht_array_reserve(&list, &lanes->capacity, lanes->count + 1, sizeof *lanes->list);
    lanes->list = list;
    if (status != HT_OK) {
        free(opens);
        return status;
    }
    struct ht__live_lane *lane = &lanes->list[lanes->count++];
    *lane = (struct ht__live_lane){.profile = making->profile, .opens = opens};
    return cuts_left(making, opens, &lane->cuts);
}

/* The lane of a set, made where there is none: its part. */
static enum ht_status part_find(const struct making *making, uint32_t set, uint32_t *part)
{
    const struct ht__live_lanes *lanes = making->lanes;
    size_t zones = making->shut->count;
    uint8_t *opens = ht_array_new(zones, 1);
    *part = 0;
    if (opens == NULL) {
        return HT_NOMEM;
    }
    if (!opens_find(making, set, opens)) {
        free(opens);
        return HT_OK;
    }
    uint32_t lane = making->first;
    while (lane < lanes->count && memcmp(lanes->list[lane].opens, opens, zones) != 0) {
        lane++;
    }
    *part = lane + 1;
    if (lane < lanes->count) {
        free(opens);
        return HT_OK;
    }
    return lane_add(making, opens);
}

/* Needs room in `part`. */
static enum ht_status profile_part(struct making *making, struct ht_world *world, uint32_t sets,
                                   uint32_t profiles)
{
    const char *name = ht_fleet_profile_name(making->live->fleet, making->profile);
    enum ht_status status = ht_map_shut(world, name, &making->shut);
    making->first = (uint32_t)making->lanes->count;
    for (uint32_t s = 1; s < sets && status == HT_OK && making->shut != NULL; s++) {
        status = part_find(making, s, &making->lanes->part[s * profiles + making->profile]);
    }
    return status;
}

static enum ht_status lanes_make(struct ht_live *live, struct ht__live_lanes *lanes,
                                 struct ht_world *world, const struct ht__live_index *index)
{
    uint32_t sets = ht_permits_count(ht_fleet_permits(live->fleet));
    uint32_t profiles = index->profile_count;
    struct making making = {.live = live, .lanes = lanes};
    void *part = lanes->part;
    if (sets <= 1) {
        return HT_OK; /* nobody has a permit */
    }
    enum ht_status status = ht_array_reserve(&part, &lanes->part_capacity,
                                             (size_t)sets * profiles + 1, sizeof *lanes->part);
    lanes->part = part;
    if (status != HT_OK) {
        return status;
    }
    memset(lanes->part, 0, (size_t)sets * profiles * sizeof *lanes->part);
    for (uint32_t p = 0; p < profiles && status == HT_OK; p++) {
        making.profile = p;
        if (index->roads[p] != NULL) {
            status = profile_part(&making, world, sets, profiles);
        }
    }
    lanes->parts = (struct ht_permit_parts){sets, profiles, lanes->part};
    return status;
}

enum ht_status ht__live_lanes(struct ht_live *live, struct ht_live_work *work,
                              struct ht_world *world, const struct ht__live_index *index)
{
    struct ht__live_lanes *lanes = &work->lanes;
    if (lanes->world == ht_world_id(world) && lanes->index == index->number &&
        !ht__live_lanes_stale(live, lanes)) {
        return HT_OK;
    }
    lanes_clear(lanes);
    lanes->state =
        ht_permits_state(ht_fleet_permits(live->fleet)); /* before what it names is read */
    enum ht_status status = lanes_make(live, lanes, world, index);
    if (status != HT_OK) {
        lanes_clear(lanes);
        return status;
    }
    lanes->number++;
    lanes->world = ht_world_id(world);
    lanes->index = index->number;
    return HT_OK;
}

/* ---- roads ---- */

static struct ht_map_ask ask_of(const struct ht_live_work *work, const struct ht__live_lane *lane,
                                const struct ht_cuts *cuts)
{
    return (struct ht_map_ask){.profile = ht_fleet_profile_name(work->live->fleet, lane->profile),
                               .cuts = cuts,
                               .unshut = true,
                               .lasts = !work->avoiding};
}

struct ht_live_lane ht_live_lane(const struct ht_live_work *work, uint32_t lane)
{
    const struct ht__live_lane *own = &work->lanes.list[lane];
    return (struct ht_live_lane){own->profile, &own->cuts};
}

uint32_t ht_live_lane_of(const struct ht_live_work *work, const char *id, const char *profile)
{
    struct ht_fleet *fleet = work->live->fleet;
    uint32_t index = ht_fleet_find(fleet, id, strlen(id));
    uint32_t count = ht_fleet_profile_count(fleet);
    struct ht_unit unit;
    uint32_t number = 0;
    if (work->lanes.count == 0 || index == HT_NONE || !ht_fleet_get(fleet, index, 0, &unit)) {
        return HT_NONE;
    }
    while (number < count && strcmp(ht_fleet_profile_name(fleet, number), profile) != 0) {
        number++;
    }
    uint32_t part = number == count ? 0 : ht_permit_part(&work->lanes.parts, unit.permits, number);
    return part == 0 ? HT_NONE : part - 1;
}

/* While ht_live_avoid holds, without what that keeps off. */
enum ht_status ht_live_lane_road(struct ht_live_work *work, struct ht_world *world, uint32_t lane,
                                 struct ht_detour **out)
{
    const struct ht__live_lane *own = &work->lanes.list[lane];
    struct ht_cuts both = {0};
    if (!work->avoiding) {
        const struct ht_map_ask ask = ask_of(work, own, &own->cuts);
        return ht_map_detour(world, &ask, NULL, out);
    }
    const struct ht_cuts *avoid = &work->avoid_cuts[own->profile];
    enum ht_status status = ht_cuts_add(&both, own->cuts.list, own->cuts.count);
    if (status == HT_OK) {
        status = ht_cuts_add(&both, avoid->list, avoid->count);
    }
    ht_cuts_once(&both);
    const struct ht_map_ask ask = ask_of(work, own, &both);
    if (status == HT_OK) {
        status = ht_map_detour(world, &ask, NULL, out);
    }
    ht_cuts_deinit(&both);
    return status;
}

bool ht__live_lanes_ready(struct ht_live_work *work, struct ht_world *world)
{
    bool ready = true;
    for (size_t i = 0; i < work->lanes.count && ready; i++) {
        const struct ht_map_ask ask = ask_of(work, &work->lanes.list[i], &work->lanes.list[i].cuts);
        ready = ht_map_detour_ready(world, &ask);
    }
    return ready;
}

bool ht_live_closest_ready(struct ht_live *live, struct ht_live_work *work, struct ht_world *world)
{
    struct ht__live_index *index = ht__live_index_peek(live);
    bool ready = ht__live_index_ready(live, index, world);
    if (ready && ht_permits_count(ht_fleet_permits(live->fleet)) > 1) {
        ready = work != NULL && ht__live_lanes(live, work, world, index) == HT_OK &&
                ht__live_lanes_ready(work, world);
    }
    ht__live_index_release(index);
    return ready;
}

enum ht_status ht_live_lanes_make(struct ht_live *live, struct ht_live_work *work,
                                  struct ht_world *world)
{
    struct ht__live_index *index = NULL;
    if (ht_permits_count(ht_fleet_permits(live->fleet)) <= 1) {
        return HT_OK;
    }
    enum ht_status status = ht__live_index_get(live, work, world, &index);
    if (status == HT_OK) {
        status = ht__live_lanes(live, work, world, index);
    }
    for (uint32_t i = 0; status == HT_OK && i < work->lanes.count; i++) {
        struct ht_detour *road = NULL;
        status = ht_live_lane_road(work, world, i, &road);
        ht_detour_release(road);
    }
    ht__live_index_release(index);
    return status;
}
