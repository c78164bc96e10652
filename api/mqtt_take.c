/* Messages in: what becomes of each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/device_book.h"
#include "api/devices.h"
#include "api/live.h"
#include "api/log.h"
#include "api/mqtt_internal.h"
#include "api/positions_read.h"
#include "api/routes_live.h"

enum { TELL_EVERY_MS = 1000 };

static const char protocol[] = "mqtt";
/* Whose topic it is, the broker has looked at. */
static const struct ht_caller broker = {.name = "mqtt", .role = HT_ROLE_DISPATCHER};

static void count(struct ht_mqtt *mqtt, enum ht__mqtt_outcome outcome)
{
    (void)atomic_fetch_add_explicit(&mqtt->outcomes[outcome], 1, memory_order_relaxed);
}

/* Something is wrong with a message: counted each time, told at most once a second. */
static void complain(struct ht__mqtt_side *side, enum ht__mqtt_outcome outcome, const char *topic,
                     const char *why)
{
    struct timespec now;
    count(side->mqtt, outcome);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t now_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
    if (now_ms - side->told_ms >= TELL_EVERY_MS) {
        side->told_ms = now_ms;
        ht_log(HT_LOG_WARNING, "mqtt: a message of %.200s: %s", topic, why);
    }
}

static enum ht__mqtt_outcome outcome_of(enum ht_device_standing standing)
{
    return standing == HT_DEVICE_TRUSTED   ? HT__MQTT_TAKEN
           : standing == HT_DEVICE_UNKNOWN ? HT__MQTT_UNKNOWN
                                           : HT__MQTT_REFUSED;
}

static struct ht_device_known meet(struct ht_mqtt *mqtt, const char *id, int battery,
                                   const char *key)
{
    struct ht_device_known known;
    const struct ht_device_sighting sighting = {.protocol = protocol,
                                                .id = id,
                                                .at_ms = ht_clock_now_ms(&mqtt->app->clock),
                                                .battery = battery,
                                                .key = key == NULL || key[0] == '\0' ? NULL : key};
    ht_device_book_seen(mqtt->app->book, &sighting, &known);
    return known;
}

/* ---- positions ---- */

/* One that names a unit is the unit's; else it is of a device that the book has to know. NULL, or
 * why it is not taken. */
static const char *position_take(struct ht__mqtt_side *side, struct ht_position_in *in, int battery,
                                 const char *key, enum ht__mqtt_outcome *outcome)
{
    struct ht_app *app = side->mqtt->app;
    struct ht_device_entry entry;
    *outcome = HT__MQTT_REFUSED;
    if (in->wrong != NULL) {
        *outcome = HT__MQTT_UNREAD;
        return in->wrong;
    }
    bool unit = ht_live_unit_find(app->live, in->unit, strlen(in->unit)).number != HT_NONE;
    if (!unit || ht_devices_look(ht_live_devices(app->live), in->unit, &entry)) {
        struct ht_device_known known = meet(side->mqtt, in->unit, battery, key);
        if (known.standing != HT_DEVICE_TRUSTED) {
            *outcome = outcome_of(known.standing);
            return known.why;
        }
    }
    if (ht_app_live_work(side->context) == NULL) {
        return "out of memory";
    }
    const char *why = ht_position_take(side->context, &broker, NULL, in);
    *outcome = why == NULL ? HT__MQTT_TAKEN : HT__MQTT_REFUSED;
    return why;
}

/* As POST /v1/positions has them; `device`: "" any, else all are of this one. */
static void positions_take(struct ht__mqtt_side *side, const char *topic, const char *device,
                           struct ht_bytes payload)
{
    struct ht_positions_in in = {0};
    struct ht_error error = {0};
    enum ht__mqtt_outcome outcome = HT__MQTT_UNREAD;
    if (ht_positions_read_of(device[0] == '\0' ? NULL : device, payload.data, payload.size,
                             ht_clock_now_ms(&side->mqtt->app->clock), &in, &error) != HT_OK) {
        complain(side, HT__MQTT_UNREAD, topic, error.message);
    }
    for (size_t i = 0; error.status == HT_OK && i < in.count; i++) {
        struct ht_position_in *one = &in.list[i];
        const char *why = "it is another's than the topic's";
        if (device[0] != '\0' && one->wrong == NULL && strcmp(one->unit, device) != 0) {
            outcome = HT__MQTT_REFUSED;
        } else {
            why = position_take(side, one, -1, NULL, &outcome);
        }
        if (why == NULL) {
            count(side->mqtt, HT__MQTT_TAKEN);
        } else {
            complain(side, outcome, topic, why);
        }
    }
    ht_positions_deinit(&in);
}

/* ---- what the map says ---- */

static void said_position(struct ht__mqtt_side *side, const char *topic,
                          const struct ht_mqtt_said *said)
{
    int64_t now_ms = ht_clock_now_ms(&side->mqtt->app->clock);
    enum ht__mqtt_outcome outcome = HT__MQTT_TAKEN;
    struct ht_position_in in = {
        .report = {.lon_deg = said->lon_deg,
                   .lat_deg = said->lat_deg,
                   .ts_ms = said->time_ms == INT64_MIN ? now_ms : said->time_ms,
                   .received_ms = now_ms,
                   .speed_mps = said->speed_mps,
                   .bearing_deg = said->bearing_deg,
                   .accuracy_m = said->accuracy_m}};
    (void)snprintf(in.unit, sizeof in.unit, "%s", said->device);
    const char *why = position_take(side, &in, said->battery, said->key, &outcome);
    if (why == NULL) {
        count(side->mqtt, HT__MQTT_TAKEN);
    } else {
        complain(side, outcome, topic, why);
    }
}

/* An alarm on its way to the desk. */
struct held {
    struct ht__mqtt_side *side;
    char device[HT_ID_MAX + 1];
};

static void on_alarm(void *user, int status, const char *incident)
{
    struct held *held = user;
    struct ht__mqtt_side *side = held->side;
    (void)incident;
    bool later = status == 503 || status == 429;
    if (!later && status >= 400 && status != 409) { /* it would be no other the next time */
        ht_log(HT_LOG_WARNING, "mqtt: an alarm of %s is none for the desk (%d)", held->device,
               status);
        count(side->mqtt, HT__MQTT_REFUSED);
    } else if (!later) {
        count(side->mqtt, HT__MQTT_TAKEN);
    }
    free(held);
    ht_mqtt_line_settle(side->line, !later);
}

/* True: it is held. */
static bool said_alarm(struct ht__mqtt_side *side, const char *topic,
                       const struct ht_mqtt_said *said)
{
    char key[HT_MQTT_TEXT + 64] = "";
    struct ht_device_known known = meet(side->mqtt, said->device, said->battery, said->key);
    if (known.standing != HT_DEVICE_TRUSTED) {
        complain(side, outcome_of(known.standing), topic, known.why);
        return false;
    }
    if (said->id[0] != '\0' || said->time_ms != INT64_MIN) {
        (void)snprintf(key, sizeof key, "mqtt:%s:%" PRId64 ":%s", said->kind,
                       said->time_ms == INT64_MIN ? 0 : said->time_ms, said->id);
    }
    struct held *held = calloc(1, sizeof *held);
    const struct ht_device_alarm alarm = {.device = said->device,
                                          .key = key,
                                          .kind = said->kind,
                                          .severity = said->severity,
                                          .placed = said->placed,
                                          .lon_deg = said->lon_deg,
                                          .lat_deg = said->lat_deg,
                                          .note = said->note[0] == '\0' ? NULL : said->note};
    if (held != NULL) {
        held->side = side;
        memcpy(held->device, said->device, sizeof held->device);
        (void)atomic_fetch_add(&side->mqtt->alarms, 1);
    }
    if (held == NULL ||
        ht_device_book_alarm(side->mqtt->app->book, &alarm, on_alarm, held) != HT_OK) {
        free(held); /* not now: it has to come again */
        ht_mqtt_line_settle(side->line, false);
    }
    return true;
}

static bool said_take(struct ht__mqtt_side *side, const char *topic,
                      const struct ht_mqtt_said *said)
{
    struct ht_mqtt *mqtt = side->mqtt;
    switch (said->what) {
    case HT_MQTT_ALARM:
        return said_alarm(side, topic, said);
    case HT_MQTT_POSITION:
        said_position(side, topic, said);
        break;
    case HT_MQTT_GONE:
        ht_device_book_gone(mqtt->app->book, said->device, ht_clock_now_ms(&mqtt->app->clock));
        count(mqtt, HT__MQTT_TAKEN);
        break;
    case HT_MQTT_HEARD: {
        struct ht_device_known known = meet(mqtt, said->device, said->battery, said->key);
        if (known.standing == HT_DEVICE_TRUSTED) {
            count(mqtt, HT__MQTT_TAKEN);
        } else {
            complain(side, outcome_of(known.standing), topic, known.why);
        }
        break;
    }
    case HT_MQTT_NOTHING:
        count(mqtt, HT__MQTT_IGNORED);
        break;
    }
    return false;
}

/* The device that a topic of positions names, "" none; NULL: it is no such topic. */
static const char *positions_device(const struct ht_mqtt *mqtt, const char *topic)
{
    static const char name[] = "/positions";
    size_t prefix = strlen(mqtt->url.prefix);
    if (strncmp(topic, mqtt->url.prefix, prefix) != 0 ||
        strncmp(topic + prefix, name, sizeof name - 1) != 0) {
        return NULL;
    }
    const char *rest = topic + prefix + sizeof name - 1;
    return *rest == '\0' ? rest : *rest == '/' && strchr(rest + 1, '/') == NULL ? rest + 1 : NULL;
}

bool ht__mqtt_message(void *user, const char *topic, const char *payload, size_t size)
{
    struct ht__mqtt_side *side = user;
    struct ht_mqtt_said said;
    struct ht_error error = {0};
    if (size > HT_MQTT_PAYLOAD_MOST) {
        complain(side, HT__MQTT_UNREAD, topic, "larger than 256 KiB");
        return false;
    }
    const char *device = positions_device(side->mqtt, topic);
    if (device != NULL) {
        if (device[0] != '\0' && !ht_id_valid(device, strlen(device))) {
            complain(side, HT__MQTT_UNREAD, topic, "the topic's device has no id's letters");
        } else {
            positions_take(side, topic, device, (struct ht_bytes){payload, size});
        }
        return false;
    }
    if (ht_mqtt_map_apply(side->mqtt->map, topic, payload, size, &said, &error) != HT_OK) {
        complain(side, HT__MQTT_UNREAD, topic, error.message);
        return false;
    }
    return said_take(side, topic, &said);
}

void ht__mqtt_rest(void *user)
{
    struct ht__mqtt_side *side = user;
    if (side->context->live != NULL) {
        ht_live_reports_end(side->context->live);
        ht_live_work_rest(side->context->live);
    }
    ht_world_reader_rest(&side->context->world);
}
