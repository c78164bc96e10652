#include "api/simulate/town.h"

#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "engine/base/array.h"

enum { PAGE = 1000 };

struct reading {
    struct ht_sim_town *town;
    size_t most;
    size_t seen; /* features of the collection so far */
    size_t page; /* of the last answer */
    bool (*take)(struct reading *reading, yajl_val feature);
    bool failed;
    struct ht_error error;
};

static bool id_copy(yajl_val object, const char *name, char out[HT_SIM_ID])
{
    const char *id = ht_sim_text(object, name);
    if (id == NULL || id[0] == '\0' || strlen(id) >= HT_SIM_ID) {
        return false;
    }
    (void)snprintf(out, HT_SIM_ID, "%s", id);
    return true;
}

/* One more place in a list; NULL: out of memory. */
static void *more(struct reading *reading, void **list, size_t *capacity, size_t count, size_t size)
{
    if (ht_array_reserve(list, capacity, count + 1, size) != HT_OK) {
        reading->failed = true;
        return NULL;
    }
    void *one = (char *)*list + count * size;
    memset(one, 0, size);
    return one;
}

#define MORE(reading, list, count, capacity)                                                       \
    more(reading, (void **)&(list), &(capacity), count, sizeof *(list))

/* ---- collections ---- */

static bool home_take(struct reading *reading, yajl_val feature)
{
    struct ht_sim_town *town = reading->town;
    struct ht_sim_home home = {.kitchen = 0};
    if (town->home_count >= reading->most || !id_copy(feature, "id", home.id) ||
        !ht_sim_feature_point(feature, &home.point)) {
        return town->home_count < reading->most;
    }
    home.door = home.point;
    yajl_val properties = ht_json_member(feature, "properties");
    (void)ht_sim_pair(ht_json_member(properties, "entrance"), &home.door);
    home.floor = (int)ht_sim_number(properties, "floor", 1);
    home.lift = ht_sim_flag(properties, "lift");
    double nearest_m = 0;
    for (uint32_t k = 0; k < town->kitchen_count; k++) {
        double far_m = ht_distance_m(home.point, town->kitchens[k].point);
        if (k == 0 || far_m < nearest_m) {
            nearest_m = far_m;
            home.kitchen = k;
        }
    }
    struct ht_sim_home *one = MORE(reading, town->homes, town->home_count, town->home_capacity);
    if (one != NULL) {
        *one = home;
        town->home_count++;
    }
    return one != NULL;
}

/* Kitchens, and what is to be seen. */
static bool facility_take(struct reading *reading, yajl_val feature)
{
    struct ht_sim_town *town = reading->town;
    yajl_val properties = ht_json_member(feature, "properties");
    const char *kind = ht_sim_text(properties, "kind");
    struct ht_sim_site site;
    if (!id_copy(feature, "id", site.id) || !ht_sim_feature_point(feature, &site.point)) {
        return true;
    }
    struct ht_sim_site *one = NULL;
    if (kind != NULL && strcmp(kind, "kitchen") == 0) {
        one = MORE(reading, town->kitchens, town->kitchen_count, town->kitchen_capacity);
        town->kitchen_count += one != NULL;
    } else if (ht_sim_number(properties, "visits_per_week", 0) > 0) {
        one = MORE(reading, town->sites, town->site_count, town->site_capacity);
        town->site_count += one != NULL;
    } else {
        return true;
    }
    if (one != NULL) {
        *one = site;
    }
    return one != NULL;
}

static const char *alarm_of(const char *kind)
{
    static const char *const kinds[][2] = {{"sos_key", "sos"}, {"bed_belt", "heart"},
                                           {"door", "door"},   {"radar", "fall"},
                                           {"gas", "gas"},     {"water", "water"}};
    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i][0]) == 0) {
            return kinds[i][1];
        }
    }
    return "sos";
}

static bool device_take(struct reading *reading, yajl_val feature)
{
    struct ht_sim_town *town = reading->town;
    yajl_val properties = ht_json_member(feature, "properties");
    struct ht_sim_device device = {.alarm = alarm_of(ht_sim_text(properties, "kind"))};
    if (!id_copy(feature, "id", device.id) || !id_copy(properties, "household", device.household)) {
        return true;
    }
    struct ht_sim_device *one =
        MORE(reading, town->devices, town->device_count, town->device_capacity);
    if (one != NULL) {
        *one = device;
        town->device_count++;
    }
    return one != NULL;
}

static bool unit_take(struct reading *reading, yajl_val feature)
{
    static const char *const kinds[HT_SIM_UNIT_KINDS] = {"van", "responder", "inspector"};
    struct ht_sim_town *town = reading->town;
    yajl_val properties = ht_json_member(feature, "properties");
    const char *kind = ht_sim_text(properties, "kind");
    const char *profile = ht_sim_text(properties, "profile");
    struct ht_sim_unit unit = {.kind = HT_SIM_VAN};
    while (kind != NULL && unit.kind < HT_SIM_UNIT_KINDS && strcmp(kinds[unit.kind], kind) != 0) {
        unit.kind = (enum ht_sim_unit_kind)(unit.kind + 1);
    }
    if (kind == NULL || unit.kind == HT_SIM_UNIT_KINDS || !id_copy(feature, "id", unit.id) ||
        !ht_sim_feature_point(feature, &unit.point)) {
        return true;
    }
    (void)snprintf(unit.profile, sizeof unit.profile, "%s", profile == NULL ? "car" : profile);
    struct ht_sim_unit *one = MORE(reading, town->units, town->unit_count, town->unit_capacity);
    if (one != NULL) {
        *one = unit;
        town->unit_count++;
    }
    return one != NULL;
}

/* ---- pages ---- */

static void page_take(void *user, const struct ht_sim_ask *ask, const struct ht_sim_answer *answer)
{
    struct reading *reading = user;
    size_t count = 0;
    reading->page = 0;
    if (answer->status != 200) {
        reading->failed = true;
        (void)ht_error_set(&reading->error, HT_INVALID, 0, "%s: answered with status %d", ask->path,
                           answer->status);
        return;
    }
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    yajl_val features = ht_sim_list(tree, "features", &count);
    reading->page = count < PAGE ? 0 : count;
    reading->seen += count;
    for (size_t i = 0; i < count; i++) {
        if (!reading->take(reading, ht_sim_item(features, i))) {
            reading->page = 0; /* that is enough */
            break;
        }
    }
    yajl_tree_free(tree);
}

static enum ht_status collection_read(struct ht_sim_client *client, struct reading *reading,
                                      const char *collection,
                                      bool (*take)(struct reading *, yajl_val))
{
    enum ht_status status = HT_OK;
    reading->take = take;
    reading->seen = 0;
    reading->page = PAGE;
    while (status == HT_OK && reading->page > 0 && !reading->failed) {
        struct ht_sim_ask *ask = ht_sim_ask_new(client, HT_SIM_CALL_TOWN, "GET",
                                                "/collections/%s/items?limit=%d&offset=%zu",
                                                collection, PAGE, reading->seen);
        ask->done = page_take;
        ask->user = reading;
        ht_sim_ask_send(client, ask);
        status = ht_sim_client_run(client, NULL, &reading->error);
    }
    if (status == HT_OK && reading->failed) {
        status = reading->error.status != HT_OK ? reading->error.status : HT_NOMEM;
    }
    return status;
}

static enum ht_status buildings_make(struct ht_sim_town *town)
{
    uint32_t building = 0;
    town->buildings = ht_array_new(town->home_count, sizeof *town->buildings);
    if (town->buildings == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < town->home_count; i++) {
        const struct ht_point *door = &town->homes[i].door;
        const struct ht_point *last = &town->homes[i == 0 ? 0 : i - 1].door;
        building += door->lon_e7 != last->lon_e7 || door->lat_e7 != last->lat_e7;
        town->buildings[i] = building;
    }
    return HT_OK;
}

enum ht_status ht_sim_town_read(struct ht_sim_client *client, size_t households_most,
                                struct ht_sim_town *out, struct ht_error *error)
{
    static const struct {
        const char *name;
        bool (*take)(struct reading *, yajl_val);
    } collections[] = {{"facilities", facility_take}, /* kitchens first */
                       {"factories", facility_take},
                       {"households", home_take},
                       {"devices", device_take},
                       {"units", unit_take}};
    struct reading reading = {.town = out, .most = households_most};
    enum ht_status status = HT_OK;
    *out = (struct ht_sim_town){.homes = NULL};
    for (size_t i = 0; status == HT_OK && i < sizeof collections / sizeof collections[0]; i++) {
        status = collection_read(client, &reading, collections[i].name, collections[i].take);
    }
    if (status != HT_OK) {
        *error = reading.error;
        return status;
    }
    return buildings_make(out);
}

void ht_sim_town_deinit(struct ht_sim_town *town)
{
    free(town->homes);
    free(town->buildings);
    free(town->kitchens);
    free(town->sites);
    free(town->devices);
    free(town->units);
    *town = (struct ht_sim_town){.homes = NULL};
}
