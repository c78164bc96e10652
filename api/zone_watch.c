#include "api/zone_watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/regime_book.h"
#include "engine/base/array.h"
#include "engine/base/border.h"
#include "engine/base/time.h"
#include "geodata/geometry.h"
#include "geodata/members.h"

/* A zone that has begun, as the store knows it, or that holds now. */
struct begun {
    char id[HT_ID_MAX + 1];
    int64_t shape; /* tells its border from others */
    bool holds;    /* still */
};

struct watch {
    struct ht_store_tx *tx;
    const struct ht_zone_watch *town;
    int64_t now_ms;
    int64_t due_ms;
    struct begun *list;
    size_t count;
    size_t capacity;
    struct ht_error *error;
};

static struct begun *find(struct watch *watch, const char *id)
{
    for (size_t i = 0; i < watch->count; i++) {
        if (strcmp(watch->list[i].id, id) == 0) {
            return &watch->list[i];
        }
    }
    return NULL;
}

static enum ht_status add(struct watch *watch, const char *id, struct begun **out)
{
    void *list = watch->list;
    enum ht_status status =
        ht_array_reserve(&list, &watch->capacity, watch->count + 1, sizeof *watch->list);
    watch->list = list;
    if (status != HT_OK) {
        (void)ht_error_set(watch->error, status, 0, NULL);
        return status;
    }
    *out = &watch->list[watch->count++];
    **out = (struct begun){0};
    (void)snprintf((*out)->id, sizeof(*out)->id, "%s", id);
    return HT_OK;
}

static enum ht_status begun_take(void *user, const char *zone, int64_t shape)
{
    struct watch *watch = user;
    struct begun *begun = NULL;
    enum ht_status status = add(watch, zone, &begun);
    if (status == HT_OK) {
        begun->shape = shape;
    }
    return status;
}

/* FNV-1a. */
static int64_t shape_of(const struct ht_store_item *item)
{
    const unsigned char *bytes = item->wkb;
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < item->wkb_size; i++) {
        sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
    }
    return (int64_t)(sum >> 1);
}

void ht_zone_profiles_read(const char *properties, struct ht_text *out)
{
    struct ht_member member;
    if (!ht_member_find(properties, "profiles", &member) || member.value[0] != '[') {
        return;
    }
    for (size_t i = 1; i + 1 < member.value_size; i++) {
        if (member.value[i] != '"') {
            ht_text_add_char(out, member.value[i]);
        }
    }
}

/* A zone that begins. */
struct beginning {
    const char *id;
    const char *profiles;
    struct ht_border *border;
};

static bool may_leave(const struct watch *watch, const struct beginning *zone,
                      const struct ht_unit *unit)
{
    const struct ht_zone_watch *town = watch->town;
    const char *profile = ht_fleet_profile_name(town->fleet, unit->profile);
    return !town->concerns(town->user, zone->profiles, profile) ||
           ht_permits_has(ht_fleet_permits(town->fleet), unit->permits, zone->id);
}

/* Names the units whose last place lies inside: those that may leave, or those that may not; how
 * many. */
static size_t units_write(struct watch *watch, const struct beginning *zone, bool leaving,
                          struct ht_text *body)
{
    struct ht_fleet *fleet = watch->town->fleet;
    size_t count = 0;
    uint32_t end = ht_fleet_end(fleet);
    for (uint32_t number = 0; number < end; number++) {
        struct ht_unit unit;
        if (ht_fleet_get(fleet, number, watch->now_ms, &unit) && unit.positioned &&
            ht_border_holds(zone->border, unit.position.fix.point) &&
            may_leave(watch, zone, &unit) == leaving) {
            /* ids are letters, digits and ._:-, so none needs an escape */
            ht_text_addf(body, "%s\"%s\"", count++ == 0 ? "" : ",", unit.id);
        }
    }
    return count;
}

static enum ht_status tell(struct watch *watch, const struct beginning *zone)
{
    struct ht_text body = {0};
    char at[HT_TIME_TEXT_SIZE];
    char subject[HT_ID_MAX + 8];
    enum ht_status status = HT_OK;
    ht_time_format(watch->now_ms, at);
    (void)snprintf(subject, sizeof subject, "zones/%s", zone->id);
    ht_text_addf(&body, "{\"zone\":\"%s\",\"at\":\"%s\",\"units\":[", zone->id, at);
    size_t count = units_write(watch, zone, false, &body);
    ht_text_add_string(&body, "],\"may_leave\":[");
    (void)units_write(watch, zone, true, &body);
    ht_text_add_string(&body, "]}");
    const struct ht_store_event event = {.at_ms = watch->now_ms,
                                         .actor = "houtao",
                                         .kind = "zone.inside",
                                         .subject = subject,
                                         .body = ht_text_string(&body)};
    if (body.failed) {
        status = ht_error_set(watch->error, HT_NOMEM, 0, NULL);
    } else if (count > 0) {
        status = ht_store_event_append(watch->tx, &event, NULL, watch->error);
    }
    ht_text_deinit(&body);
    return status;
}

/* What is no polygon holds nobody. */
static enum ht_status shape_tell(struct watch *watch, const struct ht_store_item *item,
                                 const struct ht_geometry *shape)
{
    const struct ht_rings rings = {shape->points, shape->ring_ends, shape->polygon_ends,
                                   shape->polygon_count};
    struct ht_text names = {0};
    struct beginning zone = {.id = item->id};
    ht_zone_profiles_read(item->properties, &names);
    enum ht_status status = names.failed ? HT_NOMEM : ht_border_new(&rings, &zone.border);
    if (status != HT_OK) {
        (void)ht_error_set(watch->error, status, 0, NULL);
    } else {
        zone.profiles = ht_text_string(&names);
        status = tell(watch, &zone);
    }
    ht_border_free(zone.border);
    ht_text_deinit(&names);
    return status;
}

static enum ht_status zone_begin(struct watch *watch, const struct ht_store_item *item,
                                 int64_t shape)
{
    struct ht_geometry geometry;
    ht_geometry_init(&geometry);
    enum ht_status status =
        ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, watch->error);
    if (status == HT_OK) {
        status = shape_tell(watch, item, &geometry);
    } else if (status != HT_NOMEM) {
        status = HT_OK; /* what is no polygon holds nobody */
    }
    ht_geometry_deinit(&geometry);
    return status == HT_OK ? ht_store_zone_begun(watch->tx, item->id, shape, watch->error) : status;
}

static enum ht_status zone_take(void *user, const struct ht_store_item *item)
{
    struct watch *watch = user;
    int64_t from_ms = ht_member_time(item->properties, "from", INT64_MIN);
    int64_t until_ms = ht_member_time(item->properties, "until", INT64_MAX);
    int64_t next_ms = watch->now_ms < from_ms ? from_ms : until_ms;
    if (next_ms > watch->now_ms && next_ms < watch->due_ms) {
        watch->due_ms = next_ms;
    }
    if (watch->now_ms < from_ms || watch->now_ms >= until_ms || strlen(item->id) > HT_ID_MAX ||
        ht_regime_book_dormant(watch->town->book, item->id)) {
        return HT_OK;
    }
    int64_t shape = shape_of(item);
    struct begun *begun = find(watch, item->id);
    enum ht_status status = HT_OK;
    if (begun == NULL) {
        status = add(watch, item->id, &begun);
    } else if (begun->shape == shape) {
        begun->holds = true;
        return HT_OK;
    }
    if (status == HT_OK) {
        begun->holds = true;
        status = zone_begin(watch, item, shape);
    }
    return status;
}

enum ht_status ht_zone_watch_run(struct ht_store_tx *tx, const struct ht_zone_watch *town,
                                 int64_t now_ms, int64_t *due_ms, struct ht_error *error)
{
    struct watch watch = {
        .tx = tx, .town = town, .now_ms = now_ms, .due_ms = INT64_MAX, .error = error};
    struct ht_store_reader *reader = ht_store_tx_reader(tx);
    const struct ht_store_filter filter = {.name = "kind", .value = "closed"};
    struct ht_store_query query =
        ht_store_query_default(ht_collection_find("zones", strlen("zones")));
    query.filters = &filter;
    query.filter_count = 1;
    enum ht_status status = ht_store_zones_begun(reader, begun_take, &watch, error);
    if (status == HT_OK) {
        status = ht_store_items(reader, &query, zone_take, &watch, NULL, error);
    }
    for (size_t i = 0; status == HT_OK && i < watch.count; i++) {
        if (!watch.list[i].holds) {
            status = ht_store_zone_over(tx, watch.list[i].id, error);
        }
    }
    free(watch.list);
    *due_ms = watch.due_ms;
    return status;
}
