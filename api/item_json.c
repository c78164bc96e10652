#include "api/item_json.h"

#include <stdio.h>
#include <string.h>

#include "api/devices.h"
#include "api/live.h"
#include "api/live_json.h"
#include "engine/base/time.h"
#include "geodata/members.h"

void ht_item_writer_init(struct ht_item_writer *writer, struct ht_json *json,
                         const struct ht_crs *crs, struct ht_crs_work *work)
{
    *writer = (struct ht_item_writer){.json = json, .crs = crs, .work = work, .distance_m = -1};
    ht_geometry_init(&writer->geometry);
}

void ht_item_writer_deinit(struct ht_item_writer *writer)
{
    ht_geometry_deinit(&writer->geometry);
    ht_text_deinit(&writer->text);
}

/* What is told by memory, even where the registry has it, too (somebody put what they got here). */
struct known {
    const struct ht_unit *unit; /* NULL: none */
    bool seen;                  /* a device that was heard */
    struct ht_device_heard heard;
};

static bool knows(const struct known *known, const struct ht_member *member)
{
    static const char *const live[] = {"last_seen", "speed_mps", "bearing_deg", "clock_skew_ms",
                                       "stale",     "on_shift",  "live_status"};
    size_t count = known->unit != NULL ? sizeof live / sizeof live[0] : known->seen ? 1 : 0;
    bool one = known->seen && known->heard.battery >= 0 && member->name_size == strlen("battery") &&
               memcmp(member->name, "battery", member->name_size) == 0;
    for (size_t i = 0; i < count; i++) {
        one = one || (member->name_size == strlen(live[i]) &&
                      memcmp(member->name, live[i], member->name_size) == 0);
    }
    return one;
}

static void members_add(struct ht_text *out, const char *object, const struct known *known)
{
    const char *at = object;
    struct ht_member member;
    while (object != NULL && ht_member_next(&at, &member)) {
        if (!knows(known, &member)) {
            ht_member_add(out, &member);
        }
    }
}

/* What the live town knows of a unit. Its status now (an engaged one is busy) stands beside the one
 * that the registry has: who puts back what they got must not make it busy for ever. */
static void live_write(struct ht_item_writer *writer, const struct ht_unit *unit)
{
    struct ht_buffer buffer = {0};
    struct ht_json json;
    ht_json_begin(&json, &buffer);
    ht_json_key_text(&json, "live_status", ht_unit_statuses[unit->status]);
    ht_live_json_members(&json, unit);
    if (writer->text.size > 1) {
        ht_text_add_char(&writer->text, ',');
    }
    ht_text_add(&writer->text, buffer.data, buffer.size);
    ht_buffer_deinit(&buffer);
}

/* What was heard of a device. */
static void heard_write(struct ht_item_writer *writer, const struct ht_device_heard *heard)
{
    char seen[HT_TIME_TEXT_SIZE];
    ht_time_format(heard->seen_ms, seen);
    ht_text_addf(&writer->text, "%s\"last_seen\":\"%s\"", writer->text.size > 1 ? "," : "", seen);
    if (heard->battery >= 0) {
        ht_text_addf(&writer->text, ",\"battery\":%d", heard->battery);
    }
}

static void properties_write(struct ht_item_writer *writer, const struct ht_store_item *item,
                             const struct ht_unit *unit)
{
    struct ht_member named;
    struct known known = {.unit = unit};
    known.seen =
        writer->devices != NULL && ht_devices_seen(writer->devices, item->id, &known.heard);
    ht_text_clear(&writer->text);
    ht_text_add_char(&writer->text, '{');
    members_add(&writer->text, item->properties, &known);
    members_add(&writer->text, item->personal, &known);
    if (item->cell != NULL && !ht_member_find(item->properties, "cell", &named)) {
        if (writer->text.size > 1) {
            ht_text_add_char(&writer->text, ',');
        }
        ht_text_add_string(&writer->text, "\"cell\":");
        ht_text_add_json(&writer->text, item->cell, strlen(item->cell));
    }
    if (unit != NULL) {
        live_write(writer, unit);
    } else if (known.seen) {
        heard_write(writer, &known.heard);
    }
    if (writer->distance_m >= 0) {
        ht_text_addf(&writer->text, "%s\"distance_m\":%.3f", writer->text.size > 1 ? "," : "",
                     writer->distance_m);
    }
    ht_text_add_char(&writer->text, '}');
    ht_json_key(writer->json, "properties");
    ht_json_raw(writer->json, ht_text_string(&writer->text), writer->text.size);
}

static void link_write(struct ht_json *json, const char *rel, const char *href)
{
    ht_json_object(json);
    ht_json_key_text(json, "href", href);
    ht_json_key_text(json, "rel", rel);
    ht_json_object_end(json);
}

/* To itself and to its collection. */
static void links_write(struct ht_item_writer *writer, const char *id)
{
    size_t tail = strlen("/items");
    ht_text_clear(&writer->text);
    ht_json_key(writer->json, "links");
    ht_json_array(writer->json);
    ht_text_addf(&writer->text, "%s/%s", writer->base, id);
    link_write(writer->json, "self", ht_text_string(&writer->text));
    ht_text_clear(&writer->text);
    ht_text_add(&writer->text, writer->base, strlen(writer->base) - tail);
    link_write(writer->json, "collection", ht_text_string(&writer->text));
    ht_json_array_end(writer->json);
}

enum ht_status ht_item_write(struct ht_item_writer *writer, const struct ht_store_item *item)
{
    enum ht_status status = HT_OK;
    struct ht_unit unit;
    bool alive = writer->live != NULL && ht_fleet_get(ht_live_fleet(writer->live),
                                                      ht_fleet_find(ht_live_fleet(writer->live),
                                                                    item->id, strlen(item->id)),
                                                      writer->now_ms, &unit);
    ht_text_clear(&writer->text);
    if (alive && unit.positioned) {
        double lon = unit.position.fix.point.lon_e7 / 1e7;
        double lat = unit.position.fix.point.lat_e7 / 1e7;
        char wkt[80];
        int size = snprintf(wkt, sizeof wkt, "POINT(%.7f %.7f)", lon, lat);
        status = ht_geometry_read_wkt(&writer->geometry, wkt, (size_t)size, NULL, NULL, NULL);
    } else if (item->wkb_size > 0) {
        status = ht_geometry_read_wkb(&writer->geometry, item->wkb, item->wkb_size, NULL);
    }
    if (status == HT_OK && ((alive && unit.positioned) || item->wkb_size > 0)) {
        status =
            ht_geometry_write_geojson(&writer->geometry, writer->crs, writer->work, &writer->text);
    }
    if (status != HT_OK) {
        return status;
    }
    ht_json_object(writer->json);
    ht_json_key_text(writer->json, "type", "Feature");
    ht_json_key_text(writer->json, "id", item->id);
    if (writer->collection != NULL) {
        ht_json_key_text(writer->json, "collection", writer->collection);
    }
    ht_json_key(writer->json, "geometry");
    if (writer->text.size > 0) {
        ht_json_raw(writer->json, ht_text_string(&writer->text), writer->text.size);
    } else {
        ht_json_null(writer->json);
    }
    properties_write(writer, item, alive ? &unit : NULL);
    if (writer->base != NULL) {
        links_write(writer, item->id);
    }
    if (writer->withheld) {
        ht_json_key_text(writer->json, "personal", "withheld");
    }
    ht_json_object_end(writer->json);
    return writer->text.failed ? HT_NOMEM : HT_OK;
}
