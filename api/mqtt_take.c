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
#include "api/relay.h"
#include "api/relay_take.h"

enum { TELL_EVERY_MS = 1000 };

static const char protocol[] = "mqtt";

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

static struct ht_device_sighting sighting_of(const struct ht_mqtt *mqtt, const char *id,
                                             int battery, const char *key)
{
    return (struct ht_device_sighting){.protocol = protocol,
                                       .id = id,
                                       .at_ms = ht_clock_now_ms(&mqtt->app->clock),
                                       .battery = battery,
                                       .key = key == NULL || key[0] == '\0' ? NULL : key};
}

static struct ht_device_known meet(struct ht_mqtt *mqtt, const struct ht_device_sighting *sighting)
{
    struct ht_device_known known;
    ht_device_book_seen(mqtt->app->book, sighting, &known);
    return known;
}

/* ---- positions ---- */

/* One that names a unit is the unit's; else it is of a device that the book has to know. A node
 * that follows brings it to the desk, whatever it thinks of it. NULL, or why it is not taken. */
static const char *position_take(struct ht__mqtt_side *side, struct ht_position_in *in, int battery,
                                 const char *key, enum ht__mqtt_outcome *outcome)
{
    char id[sizeof in->unit];
    enum ht_device_standing standing = HT_DEVICE_TRUSTED;
    struct ht_relay *relay = ht__mqtt_relay(side->mqtt);
    *outcome = HT__MQTT_REFUSED;
    if (in->wrong != NULL) {
        *outcome = HT__MQTT_UNREAD;
        return in->wrong;
    }
    memcpy(id, in->unit, sizeof id); /* what is found has another's name */
    const struct ht_device_sighting sighting = sighting_of(side->mqtt, id, battery, key);
    if (relay != NULL) {
        ht_relay_position(relay, &sighting, true, &in->report);
    }
    if (ht_app_live_work(side->context) == NULL) {
        return "out of memory";
    }
    const char *why = ht_device_position(side->context, &sighting, true, in, &standing);
    *outcome = standing != HT_DEVICE_TRUSTED ? outcome_of(standing)
               : why == NULL                 ? HT__MQTT_TAKEN
                                             : HT__MQTT_REFUSED;
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
    ht_mqtt_line_settle(atomic_load(&side->line), !later);
}

/* To the desk: here, or where it is. */
static enum ht_status alarm_hand(struct ht__mqtt_side *side,
                                 const struct ht_device_sighting *sighting,
                                 const struct ht_device_alarm *alarm, struct held *held)
{
    struct ht_relay *relay = ht__mqtt_relay(side->mqtt);
    return relay == NULL ? ht_device_book_alarm(side->mqtt->app->book, alarm, on_alarm, held)
                         : ht_relay_alarm(relay, sighting, alarm, on_alarm, held);
}

/* True: it is held. */
static bool said_alarm(struct ht__mqtt_side *side, const char *topic,
                       const struct ht_mqtt_said *said)
{
    char key[HT_MQTT_TEXT + 64] = "";
    const struct ht_device_sighting sighting =
        sighting_of(side->mqtt, said->device, said->battery, said->key);
    struct ht_device_known known = meet(side->mqtt, &sighting);
    if (known.standing != HT_DEVICE_TRUSTED && ht__mqtt_relay(side->mqtt) == NULL) {
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
    if (held == NULL || alarm_hand(side, &sighting, &alarm, held) != HT_OK) {
        free(held); /* not now: it has to come again */
        ht_mqtt_line_settle(atomic_load(&side->line), false);
    }
    return true;
}

static void said_heard(struct ht__mqtt_side *side, const char *topic,
                       const struct ht_mqtt_said *said)
{
    const struct ht_device_sighting sighting =
        sighting_of(side->mqtt, said->device, said->battery, said->key);
    struct ht_device_known known = meet(side->mqtt, &sighting);
    if (ht__mqtt_relay(side->mqtt) != NULL) {
        ht_relay_seen(ht__mqtt_relay(side->mqtt), &sighting);
    }
    if (known.standing == HT_DEVICE_TRUSTED) {
        count(side->mqtt, HT__MQTT_TAKEN);
    } else {
        complain(side, outcome_of(known.standing), topic, known.why);
    }
}

static void said_gone(struct ht_mqtt *mqtt, const struct ht_mqtt_said *said)
{
    ht_device_book_gone(mqtt->app->book, said->device, ht_clock_now_ms(&mqtt->app->clock));
    if (ht__mqtt_relay(mqtt) != NULL) {
        ht_relay_gone(ht__mqtt_relay(mqtt), said->device);
    }
    count(mqtt, HT__MQTT_TAKEN);
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
        said_gone(mqtt, said);
        break;
    case HT_MQTT_HEARD:
        said_heard(side, topic, said);
        break;
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

static bool message_take(struct ht__mqtt_side *side, const char *topic, const char *payload,
                         size_t size)
{
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

bool ht__mqtt_message(void *user, const char *topic, const char *payload, size_t size)
{
    struct ht__mqtt_side *side = user;
    (void)pthread_mutex_lock(&side->turn);
    bool held = message_take(side, topic, payload, size);
    (void)pthread_mutex_unlock(&side->turn);
    return held;
}

void ht__mqtt_rest(void *user)
{
    struct ht__mqtt_side *side = user;
    (void)pthread_mutex_lock(&side->turn);
    if (side->context->live != NULL) {
        ht_live_reports_end(side->context->live);
        ht_live_work_rest(side->context->live);
    }
    ht_world_reader_rest(&side->context->world);
    (void)pthread_mutex_unlock(&side->turn);
}
