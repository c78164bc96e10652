/* The part of underway that comes back after a restart: where vans were along their stops, from the
 * events that were told of it. Those hold ids alone; where that is, orders and registry know. */
#include <stdio.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/live.h"
#include "api/orders_room.h"
#include "api/underway_internal.h"
#include "engine/base/time.h"
#include "geodata/collection.h"
#include "geodata/geometry.h"

enum { EVENTS_MOST = 200000 }; /* of all kinds are looked through: some days */

#define KEPT_MS (INT64_C(12) * 3600 * 1000) /* what is older is another day */

struct recalling {
    struct ht_underway *underway;
    struct ht_store_reader *events;
    struct ht_store_reader *items; /* another one: the first is in use */
    int64_t after;                 /* the number of the last event that is too old */
    int64_t since_ms;
    struct ht__van van;
};

/* ---- where it was ---- */

static enum ht_status kitchen_take(void *user, const struct ht_store_item *item)
{
    struct ht_point *out = user;
    struct ht_geometry geometry;
    ht_geometry_init(&geometry);
    enum ht_status status = ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL);
    if (status == HT_OK && geometry.point_count > 0) {
        *out = geometry.points[0]; /* as the planner sees it */
    } else {
        status = HT_NOT_FOUND;
    }
    ht_geometry_deinit(&geometry);
    return status;
}

static bool kitchen_place(const struct recalling *recalling, const char *id, struct ht_point *out)
{
    static const char name[] = "facilities";
    return ht_store_item(recalling->items, ht_collection_find(name, sizeof name - 1), id, false,
                         kitchen_take, out, NULL) == HT_OK;
}

/* The place of a stop; false: none of what was to be done there is known any more. */
static bool place_find(const struct recalling *recalling, yajl_val tree, struct ht_point *out)
{
    struct ht_incident_places *places = ht_orders_room_places(recalling->underway->app->orders);
    struct ht_incident_place place;
    const char *kitchen = YAJL_GET_STRING(ht_json_member(tree, "kitchen"));
    yajl_val orders = ht_json_member(tree, "orders");
    for (size_t i = 0; YAJL_IS_ARRAY(orders) && i < YAJL_GET_ARRAY(orders)->len; i++) {
        const char *id = YAJL_GET_STRING(YAJL_GET_ARRAY(orders)->values[i]);
        if (id != NULL && ht_incident_places_get(places, id, &place)) {
            *out = place.point;
            return true;
        }
    }
    return kitchen != NULL && kitchen_place(recalling, kitchen, out);
}

/* ---- what was told ---- */

static bool moment_of(yajl_val tree, const char *name, int64_t *out)
{
    const char *text = YAJL_GET_STRING(ht_json_member(tree, name));
    return text != NULL && ht_time_parse(text, strlen(text), out);
}

static bool kind_of(const char *text, enum ht_progress_kind *out)
{
    for (int kind = HT_PROGRESS_ARRIVED; kind <= HT_PROGRESS_ON; kind++) {
        if (strcmp(ht__underway_kind((enum ht_progress_kind)kind), text) == 0) {
            *out = (enum ht_progress_kind)kind;
            return true;
        }
    }
    return false;
}

/* A stop whose place nobody knows any more is none that it is at. */
static void event_fold(const struct recalling *recalling, struct ht_progress *progress,
                       struct ht_progress_event *event, yajl_val tree)
{
    const char *by = YAJL_GET_STRING(ht_json_member(tree, "by"));
    bool comes = event->kind == HT_PROGRESS_ARRIVED;
    event->stop = progress->stop; /* of what it leaves, or none */
    if ((comes || event->kind == HT_PROGRESS_SKIPPED) &&
        !place_find(recalling, tree, &event->stop)) {
        progress->at = progress->at && !comes;
        return;
    }
    ht_progress_recall(progress, event, by != NULL && strcmp(by, "driver") == 0);
}

/* Rows that can't be read are passed over. */
static enum ht_status event_take(void *user, const struct ht_store_event *row)
{
    struct recalling *recalling = user;
    struct ht_progress_event event = {.kind = HT_PROGRESS_ON};
    yajl_val tree = ht_json_tree_read(row->body, strlen(row->body));
    if (kind_of(row->kind, &event.kind) && moment_of(tree, "at", &event.at_ms) &&
        event.at_ms >= recalling->since_ms) {
        event_fold(recalling, &recalling->van.progress, &event, tree);
    }
    yajl_tree_free(tree);
    return HT_OK;
}

/* ---- vans ---- */

/* The last position, where it is not older than what was told. */
static void position_recall(struct ht_progress *progress, const struct ht_unit *unit)
{
    if (!unit->positioned || unit->position.ts_ms <= progress->since_ms) {
        return;
    }
    progress->ts_ms = unit->position.ts_ms;
    progress->point = unit->position.fix.point;
    if (progress->at && ht_distance_m(progress->point, progress->stop) <= HT_PROGRESS_LEAVE_M) {
        progress->near_ms = progress->ts_ms;
    }
}

static enum ht_status van_recall(struct recalling *recalling, const struct ht_unit *unit)
{
    struct ht_underway *underway = recalling->underway;
    char subject[HT_UNIT_ID_MAX + 8];
    (void)snprintf(subject, sizeof subject, "units/%s", unit->id);
    recalling->van = (struct ht__van){.first_ms = UINT32_MAX, .due = true, .recalled = true};
    const struct ht_store_event_query query = {
        .prefix = "stop.", .subject = subject, .after = recalling->after, .limit = UINT64_MAX};
    enum ht_status status =
        ht_store_events_of(recalling->events, &query, event_take, recalling, NULL);
    const struct ht_progress *progress = &recalling->van.progress;
    if (status != HT_OK || (!progress->at && !progress->off && progress->past_count == 0)) {
        return status;
    }
    position_recall(&recalling->van.progress, unit);
    struct ht__van *van = ht__underway_van_add(underway, unit->id);
    if (van != NULL) {
        memcpy(recalling->van.unit, van->unit, sizeof van->unit);
        *van = recalling->van;
    }
    return van == NULL ? HT_NOMEM : HT_OK;
}

enum ht_status ht__underway_recall(struct ht_underway *underway)
{
    struct ht_app *app = underway->app;
    struct ht_fleet *fleet = ht_live_fleet(app->live);
    struct recalling recalling = {.underway = underway,
                                  .since_ms = ht_clock_now_ms(&app->clock) - KEPT_MS};
    struct ht_unit unit;
    int64_t last = 0;
    enum ht_status status = ht_store_reader_new(app->store, &recalling.events, NULL);
    if (status == HT_OK) {
        status = ht_store_reader_new(app->store, &recalling.items, NULL);
    }
    if (status == HT_OK) {
        status = ht_store_event_last(recalling.events, &last, NULL);
    }
    recalling.after = last > EVENTS_MOST ? last - EVENTS_MOST : 0;
    for (uint32_t i = 0; status == HT_OK && i < ht_fleet_end(fleet); i++) {
        if (ht_fleet_get(fleet, i, 0, &unit) && unit.kind == HT_UNIT_VAN) {
            status = van_recall(&recalling, &unit);
        }
    }
    ht__underway_watch(underway); /* from the first position on */
    ht_store_reader_free(recalling.items);
    ht_store_reader_free(recalling.events);
    return status;
}
