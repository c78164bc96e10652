#include "api/zones.h"

#include <stdlib.h>
#include <string.h>

#include "api/app_internal.h"
#include "api/regime_book.h"
#include "api/zone_watch.h"
#include "engine/base/array.h"
#include "geodata/geometry.h"
#include "geodata/members.h"

struct entry {
    char id[HT_ID_MAX + 1];
    int64_t from_ms;
    int64_t until_ms;
    struct ht_zone *zone;
};

struct ht_zone_table {
    pthread_mutex_t lock;
    struct entry *list; /* by id */
    size_t count;
    size_t capacity;
};

enum ht_status ht_zone_table_new(struct ht_zone_table **out)
{
    struct ht_zone_table *table = calloc(1, sizeof *table);
    if (table == NULL || pthread_mutex_init(&table->lock, NULL) != 0) {
        free(table);
        return HT_NOMEM;
    }
    *out = table;
    return HT_OK;
}

void ht_zone_table_free(struct ht_zone_table *table)
{
    if (table != NULL) {
        for (size_t i = 0; i < table->count; i++) {
            ht_zone_release(table->list[i].zone);
        }
        free(table->list);
        (void)pthread_mutex_destroy(&table->lock);
        free(table);
    }
}

/* ---- the table ---- */

/* The first whose id is not before. Needs the lock. */
static size_t place_of(const struct ht_zone_table *table, const char *id, bool *there)
{
    size_t low = 0;
    size_t high = table->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(table->list[middle].id, id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *there = low < table->count && strcmp(table->list[low].id, id) == 0;
    return low;
}

static void take_out(struct ht_zone_table *table, const char *id)
{
    bool there = false;
    (void)pthread_mutex_lock(&table->lock);
    size_t at = place_of(table, id, &there);
    if (there) {
        ht_zone_release(table->list[at].zone);
        memmove(&table->list[at], &table->list[at + 1],
                (--table->count - at) * sizeof *table->list);
    }
    (void)pthread_mutex_unlock(&table->lock);
}

/* Needs the lock. */
static enum ht_status put_in(struct ht_zone_table *table, const struct entry *entry)
{
    bool there = false;
    size_t at = place_of(table, entry->id, &there);
    if (there) {
        ht_zone_release(table->list[at].zone);
        table->list[at] = *entry;
        return HT_OK;
    }
    void *list = table->list;
    enum ht_status status =
        ht_array_reserve(&list, &table->capacity, table->count + 1, sizeof *table->list);
    table->list = list;
    if (status == HT_OK) {
        memmove(&table->list[at + 1], &table->list[at],
                (table->count++ - at) * sizeof *table->list);
        table->list[at] = *entry;
    }
    return status;
}

struct ht_zone *ht_zones_find(struct ht_zone_table *table, const char *id, size_t size)
{
    char text[HT_ID_MAX + 1];
    bool there = false;
    struct ht_zone *zone = NULL;
    if (size > HT_ID_MAX) {
        return NULL;
    }
    memcpy(text, id, size);
    text[size] = '\0';
    (void)pthread_mutex_lock(&table->lock);
    size_t at = place_of(table, text, &there);
    if (there) {
        zone = table->list[at].zone;
        ht_zone_retain(zone);
    }
    (void)pthread_mutex_unlock(&table->lock);
    return zone;
}

/* ---- from the store ---- */

static enum ht_zone_kind kind_of(const char *properties)
{
    struct ht_member member;
    char text[16];
    if (!ht_member_find(properties, "kind", &member) ||
        !ht_member_text(&member, text, sizeof text)) {
        return HT_ZONE_OTHER;
    }
    return strcmp(text, "closed") == 0       ? HT_ZONE_CLOSED
           : strcmp(text, "controlled") == 0 ? HT_ZONE_CONTROLLED
                                             : HT_ZONE_OTHER;
}

struct reading {
    struct ht_zone_table *table;
};

static enum ht_status item_take(void *user, const struct ht_store_item *item)
{
    struct reading *reading = user;
    struct entry entry = {.from_ms = ht_member_time(item->properties, "from", INT64_MIN),
                          .until_ms = ht_member_time(item->properties, "until", INT64_MAX)};
    struct ht_geometry shape;
    struct ht_text names = {0};
    if (strlen(item->id) > HT_ID_MAX) {
        return HT_OK;
    }
    memcpy(entry.id, item->id, strlen(item->id) + 1);
    ht_geometry_init(&shape);
    enum ht_status status = ht_geometry_read_wkb(&shape, item->wkb, item->wkb_size, NULL);
    if (status != HT_OK && status != HT_NOMEM) {
        ht_geometry_clear(&shape); /* what is no polygon closes nothing */
        status = HT_OK;
    }
    ht_zone_profiles_read(item->properties, &names);
    const struct ht_rings rings = {shape.points, shape.ring_ends, shape.polygon_ends,
                                   shape.polygon_count};
    if (status == HT_OK) {
        status = names.failed ? HT_NOMEM
                              : ht_zone_new(&rings, kind_of(item->properties),
                                            ht_text_string(&names), entry.id, &entry.zone);
    }
    if (status == HT_OK) {
        (void)pthread_mutex_lock(&reading->table->lock);
        status = put_in(reading->table, &entry);
        (void)pthread_mutex_unlock(&reading->table->lock);
    }
    if (status != HT_OK) {
        ht_zone_release(entry.zone);
    }
    ht_text_deinit(&names);
    ht_geometry_deinit(&shape);
    return status;
}

static const struct ht_collection *collection(void)
{
    return ht_collection_find("zones", strlen("zones"));
}

/* ---- what holds ---- */

static bool routes(const struct entry *entry)
{
    return entry->zone->kind == HT_ZONE_CLOSED || entry->zone->kind == HT_ZONE_CONTROLLED;
}

enum ht_status ht__zones_tell(struct ht_app *app, struct ht_map *map)
{
    struct ht_zone_table *table = app->zones;
    struct ht_regime_book *book = ht_regime_slot_book(app->regimes);
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    (void)pthread_mutex_lock(&table->lock);
    size_t count = 0;
    struct ht_zone **list = ht_array_new(table->count, sizeof(void *));
    for (size_t i = 0; list != NULL && i < table->count; i++) {
        const struct entry *entry = &table->list[i];
        if (routes(entry) && entry->from_ms <= now_ms && now_ms < entry->until_ms &&
            !ht_regime_book_dormant(book, entry->id)) {
            list[count++] = entry->zone;
        }
    }
    enum ht_status status = list == NULL ? HT_NOMEM : ht_map_zones(map, list, count);
    (void)pthread_mutex_unlock(&table->lock);
    ht_regime_book_release(book);
    free(list);
    return status;
}

enum ht_status ht_zones_at(struct ht_app *app, int64_t at_ms, struct ht_zones_then *out)
{
    struct ht_zone_table *table = app->zones;
    struct ht_regime_book *book = ht_regime_slot_book(app->regimes);
    *out = (struct ht_zones_then){.from_ms = INT64_MIN, .until_ms = INT64_MAX};
    (void)pthread_mutex_lock(&table->lock);
    out->list = ht_array_new(table->count, sizeof(void *));
    for (size_t i = 0; out->list != NULL && i < table->count; i++) {
        const struct entry *entry = &table->list[i];
        const int64_t edges_ms[2] = {entry->from_ms, entry->until_ms};
        if (!routes(entry) || ht_regime_book_dormant(book, entry->id)) {
            continue;
        }
        for (int e = 0; e < 2; e++) {
            if (edges_ms[e] <= at_ms) {
                out->from_ms = edges_ms[e] > out->from_ms ? edges_ms[e] : out->from_ms;
            } else {
                out->until_ms = edges_ms[e] < out->until_ms ? edges_ms[e] : out->until_ms;
            }
        }
        if (entry->from_ms <= at_ms && at_ms < entry->until_ms) {
            ht_zone_retain(entry->zone);
            out->list[out->count++] = entry->zone;
        }
    }
    (void)pthread_mutex_unlock(&table->lock);
    ht_regime_book_release(book);
    return out->list == NULL ? HT_NOMEM : HT_OK;
}

void ht_zones_then_deinit(struct ht_zones_then *then)
{
    for (size_t i = 0; i < then->count; i++) {
        ht_zone_release(then->list[i]);
    }
    free(then->list);
}

int64_t ht__zones_next_change(struct ht_app *app)
{
    struct ht_zone_table *table = app->zones;
    int64_t now_ms = ht_clock_now_ms(&app->clock);
    int64_t next = INT64_MAX;
    (void)pthread_mutex_lock(&table->lock);
    for (size_t i = 0; i < table->count; i++) {
        const struct entry *entry = &table->list[i];
        if (routes(entry)) {
            next = entry->from_ms > now_ms && entry->from_ms < next ? entry->from_ms : next;
            next = entry->until_ms > now_ms && entry->until_ms < next ? entry->until_ms : next;
        }
    }
    (void)pthread_mutex_unlock(&table->lock);
    return next;
}

bool ht__zones_concern(void *user, const char *profiles, const char *profile)
{
    struct ht_app *app = user;
    struct ht_world *world = ht_world_acquire(app->slot);
    const struct ht_road *road = NULL;
    enum ht_status status = world == NULL ? HT_NOT_FOUND : ht_world_road(world, profile, 0, &road);
    bool concerns = status == HT_OK ? ht_map_concerns(profiles, road->graph)
                                    : profiles[0] == '\0' || ht_map_is_named(profiles, profile);
    ht_world_release(world);
    return concerns;
}

enum ht_status ht_app_zones_obey(struct ht_app *app)
{
    (void)atomic_fetch_add(&app->streets_said, 1);
    (void)pthread_mutex_lock(&app->open_lock);
    enum ht_status status = app->map == NULL ? HT_OK : ht__zones_tell(app, app->map);
    if (status == HT_OK) {
        status = ht__app_map_apply(app);
    }
    (void)pthread_cond_signal(&app->wake);
    (void)pthread_mutex_unlock(&app->open_lock);
    return status;
}

static enum ht_status read_all(struct ht_zone_table *table, struct ht_store_reader *reader,
                               struct ht_error *error)
{
    struct reading reading = {.table = table};
    const struct ht_store_query query = ht_store_query_default(collection());
    return ht_store_items(reader, &query, item_take, &reading, NULL, error);
}

enum ht_status ht_app_zones_open(struct ht_app *app, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    if (app->store == NULL) {
        return HT_OK;
    }
    enum ht_status status = ht_store_reader_new(app->store, &reader, error);
    if (status == HT_OK) {
        status = read_all(app->zones, reader, error);
    }
    ht_store_reader_free(reader);
    if (status == HT_OK) {
        status = ht_app_zones_obey(app);
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    return status;
}

enum ht_status ht_app_zones_follow(struct ht_app *app, struct ht_store_reader *reader,
                                   const char *const *ids, size_t count)
{
    struct ht_zone_table *table = app->zones;
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        struct reading reading = {.table = table};
        status = ht_store_item(reader, collection(), ids[i], false, item_take, &reading, NULL);
        if (status == HT_NOT_FOUND) {
            take_out(table, ids[i]);
            status = HT_OK;
        }
    }
    return status == HT_OK ? ht_app_zones_obey(app) : status;
}
