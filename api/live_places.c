/* Units that fit a filter, where the streets have them. */
#include <stdlib.h>
#include <string.h>

#include "api/live_permits.h"
#include "engine/base/array.h"

/* One unit, on the streets of a profile. */
struct found {
    const struct ht_unit *unit;
    uint32_t number;
    uint32_t profile;
    const struct ht_place *place;
};

static enum ht_status place_add(const struct ht_live_work *work, const struct found *found,
                                size_t most, struct ht_live_places *out)
{
    if (out->count == most) {
        return HT_TOO_BIG;
    }
    void *list = out->list;
    enum ht_status status =
        ht_array_reserve(&list, &out->capacity, out->count + 1, sizeof *out->list);
    out->list = list;
    if (status == HT_OK) {
        struct ht_live_place *place = &out->list[out->count++];
        place->unit = found->number;
        place->profile = found->profile;
        place->part = ht_permit_part(&work->lanes.parts, found->unit->permits, found->profile);
        memcpy(place->id, found->unit->id, sizeof place->id);
        place->place = *found->place;
    }
    return status;
}

static enum ht_status places_read(struct ht_live *live, const struct ht_live_work *work,
                                  const struct ht__live_index *index,
                                  const struct ht_live_places_ask *ask, struct ht_live_places *out)
{
    enum ht_status status = HT_OK;
    uint32_t end = ht_fleet_end(live->fleet);
    out->count = 0;
    out->placeless = 0;
    for (uint32_t i = 0; i < end && status == HT_OK; i++) {
        struct ht_unit unit;
        struct found found = {.unit = &unit, .number = i};
        if (!ht_fleet_matches(live->fleet, i, ask->filter) ||
            !ht_fleet_get(live->fleet, i, 0, &unit)) {
            continue;
        }
        bool placed =
            ht__live_where(&unit, ask->plain, index->number, &found.profile, &found.place) &&
            found.profile < index->profile_count && index->roads[found.profile] != NULL;
        if (placed) {
            status = place_add(work, &found, ask->most, out);
        } else {
            out->placeless++;
        }
    }
    return status;
}

enum ht_status ht_live_places_find(struct ht_live *live, struct ht_live_work *work,
                                   struct ht_world *world, const struct ht_live_places_ask *ask,
                                   struct ht_live_places *out)
{
    struct ht__live_index *index = NULL;
    out->count = 0;
    out->placeless = 0;
    enum ht_status status = ht__live_index_get(live, work, world, &index);
    bool again = status == HT_OK;
    for (int i = 0; i < HT__LIVE_TRIES && again && status == HT_OK; i++) {
        status = ht__live_lanes(live, work, world, index);
        if (status == HT_OK) {
            status = places_read(live, work, index, ask, out);
        }
        again = ht__live_lanes_stale(live, &work->lanes);
    }
    ht__live_index_release(index);
    return status;
}

void ht_live_places_deinit(struct ht_live_places *places)
{
    free(places->list);
    *places = (struct ht_live_places){0};
}
