#include "api/home.h"

#include <math.h>
#include <string.h>

#include "geodata/geometry.h"
#include "geodata/members.h"

struct taking {
    struct ht_home *home;
    bool found;
};

/* [lon, lat] in degrees; false: it is none. */
static bool pair_read(const struct ht_member *member, struct ht_point *out)
{
    double pair[2] = {NAN, NAN};
    size_t at = 1;
    if (member->value_size < 5 || member->value[0] != '[') {
        return false;
    }
    for (int axis = 0; axis < 2; axis++) {
        size_t size = ht_number_read(member->value + at, member->value_size - at, &pair[axis]);
        at += size + 1; /* and the comma */
        if (size == 0 || at > member->value_size) {
            return false;
        }
    }
    if (!(fabs(pair[0]) <= 180 && fabs(pair[1]) <= 90)) {
        return false;
    }
    *out = (struct ht_point){(int32_t)lround(pair[0] * 1e7), (int32_t)lround(pair[1] * 1e7)};
    return true;
}

/* Where the registry says that it lies; false: nowhere. */
static bool place_read(const struct ht_store_item *item, struct ht_point *out)
{
    struct ht_geometry geometry;
    ht_geometry_init(&geometry);
    bool found = item->wkb_size > 0 &&
                 ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL) == HT_OK &&
                 geometry.point_count > 0;
    if (found) {
        *out = geometry.points[0];
    }
    ht_geometry_deinit(&geometry);
    return found;
}

static bool entrance_read(const struct ht_store_item *item, struct ht_point *out)
{
    struct ht_member entrance;
    return ht_member_find(item->properties, "entrance", &entrance) && pair_read(&entrance, out);
}

bool ht_home_point(const struct ht_store_item *item, struct ht_point *out)
{
    return entrance_read(item, out) || place_read(item, out);
}

bool ht_home_read(const struct ht_store_item *item, struct ht_home *home)
{
    struct ht_member member;
    double floor = 1;
    *home = (struct ht_home){.floor = 1};
    bool placed = place_read(item, &home->point);
    home->entrance = home->point;
    bool entered = entrance_read(item, &home->entrance);
    home->point = placed ? home->point : home->entrance;
    if (ht_member_find(item->properties, "floor", &member) &&
        ht_number_read(member.value, member.value_size, &floor) > 0 && fabs(floor) <= 200) {
        home->floor = (int)floor;
    }
    home->lift = ht_member_find(item->properties, "lift", &member) && member.value[0] == 't';
    return placed || entered;
}

struct ht_home_inside ht_home_inside(const struct ht_home *home)
{
    int floors = home->floor > 0 ? home->floor - 1 : -home->floor;
    return (struct ht_home_inside){.walk_m = (float)ht_distance_m(home->entrance, home->point),
                                   .floors = (int16_t)floors,
                                   .lift = home->lift};
}

uint32_t ht_home_access_ms(const struct ht_home_pace *pace, const struct ht_home_inside *inside,
                           double street_m)
{
    double access_ms = 0;
    if (inside != NULL) {
        street_m += (double)inside->walk_m;
        access_ms = inside->floors == 0 ? 0
                    : inside->lift      ? pace->lift_ms
                                        : (double)pace->stairs_ms * inside->floors;
    }
    access_ms += street_m / pace->walk_mps * 1000;
    return (uint32_t)lround(fmin(access_ms, 3600e3));
}

static enum ht_status home_take(void *user, const struct ht_store_item *item)
{
    struct taking *taking = user;
    taking->found = ht_home_read(item, taking->home);
    return HT_OK;
}

enum ht_status ht_home_find(struct ht_store_reader *reader, const char *id, struct ht_home *out,
                            struct ht_error *error)
{
    struct taking taking = {.home = out};
    enum ht_status status = ht_store_item(reader, ht_collection_find("households", 10), id, false,
                                          home_take, &taking, error);
    if (status == HT_NOT_FOUND || (status == HT_OK && !taking.found)) {
        return ht_error_set(error, HT_NOT_FOUND, 0, "there is no household %.64s with a place", id);
    }
    return status;
}

static enum ht_status frail_take(void *user, const struct ht_store_item *item)
{
    bool *frail = user;
    struct ht_member member;
    *frail = ht_member_find(item->personal == NULL ? "{}" : item->personal, "frail", &member) &&
             member.value[0] == 't';
    return HT_OK;
}

enum ht_status ht_home_is_frail(struct ht_store_reader *reader, const char *id, bool *out,
                                struct ht_error *error)
{
    *out = false;
    enum ht_status status = ht_store_item(reader, ht_collection_find("households", 10), id, true,
                                          frail_take, out, error);
    return status == HT_NOT_FOUND ? HT_OK : status;
}

static enum ht_status device_take(void *user, const struct ht_store_item *item)
{
    char *household = user;
    struct ht_member member;
    const char *object = item->personal == NULL ? "{}" : item->personal;
    if (ht_member_find(object, "household", &member)) {
        (void)ht_member_text(&member, household, HT_ID_MAX + 1);
    }
    return HT_OK;
}

enum ht_status ht_home_of_device(struct ht_store_reader *reader, const char *device,
                                 char household[HT_ID_MAX + 1], struct ht_error *error)
{
    household[0] = '\0';
    enum ht_status status = ht_store_item(reader, ht_collection_find("devices", 7), device, true,
                                          device_take, household, error);
    if (status == HT_NOT_FOUND || (status == HT_OK && household[0] == '\0')) {
        return ht_error_set(error, HT_NOT_FOUND, 0, "device %.64s is of no household", device);
    }
    return status;
}
