/* MQTT map: what messages of devices mean, as a file says it, for vendors whose JSON is their own.
 *
 *   # bed belts of one vendor
 *   topic    = belts/{site}/{device}/event    levels in braces have a name, + is any
 *   device   = {site}:{device}                names of levels, and letters between
 *   kind     = /alarm/type                    a JSON pointer (RFC 6901) into the message
 *   kind.1   = sos                            what stands there --> the word that is meant
 *   kind.2   = fall
 *   kind.*   = other                          anything else; `none` is no alarm
 *   severity = /alarm/level
 *   battery  = /bat
 *   id       = /seq
 *   time     = /ts                            RFC 3339, Unix seconds or milliseconds
 *
 * A line each, `name = value`; `topic` begins a rule, the first that suits a topic counts. Fields:
 * device (has to be there), kind, severity, id, time, battery, key, note, lon, lat, speed_mps,
 * speed_kmh, bearing_deg, accuracy_m, state. A value is a JSON pointer (begins with /), @payload
 * (the message as it is), a text with names of levels, or a plain word. Any field may have a table.
 * No code: what can't be said so wants a change at the device.
 *
 * What a message means: with a `kind` an alarm; with a `state` of `gone` the device went (its last
 * will); of `ignored` nothing; with lon and lat a position; else that the device is there.
 *
 * Threading: a map is read-only once read. Ownership: heap; results are values.
 */
#ifndef HT_API_MQTT_MAP_H
#define HT_API_MQTT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "geodata/collection.h"

enum {
    HT_MQTT_MAP_BYTES = 256 * 1024, /* of a file */
    HT_MQTT_TOPIC_MAX = 512,        /* bytes of a topic, with its end */
    HT_MQTT_TEXT = 128,             /* bytes of an id or key, with its end */
    HT_MQTT_NOTE = 1024,            /* of a note, likewise; what is longer is cut */
};

struct ht_mqtt_map;

/* Reads a text (NUL-terminated), whose rules come before those that `map` has already (`*map` may
 * be NULL). HT_SYNTAX or HT_INVALID with the line; HT_TOO_BIG, HT_NOMEM: `*map` stays as it was. */
HT_MUST_CHECK enum ht_status ht_mqtt_map_read(struct ht_mqtt_map **map, const char *text,
                                              struct ht_error *error);
/* The same of a file. HT_IO. */
HT_MUST_CHECK enum ht_status ht_mqtt_map_load(struct ht_mqtt_map **map, const char *path,
                                              struct ht_error *error);
/* What this server understands by itself, under `prefix`: alarms/{device}, heard/{device},
 * status/{device}; and OwnTracks' topics. */
HT_MUST_CHECK enum ht_status ht_mqtt_map_own(struct ht_mqtt_map **map, const char *prefix,
                                             struct ht_error *error);
void ht_mqtt_map_free(struct ht_mqtt_map *map);

/* The topics to subscribe to, each once: those whose messages may be alarms or say that a device
 * went (`urgent`), or the others. Gives the i-th; NULL: no more. */
const char *ht_mqtt_map_filter(const struct ht_mqtt_map *map, bool urgent, size_t i);

enum ht_mqtt_what { HT_MQTT_NOTHING, HT_MQTT_HEARD, HT_MQTT_POSITION, HT_MQTT_ALARM, HT_MQTT_GONE };

struct ht_mqtt_said {
    enum ht_mqtt_what what;
    char device[HT_ID_MAX + 1];
    char kind[16];         /* of an alarm, a word of the desk's */
    int severity;          /* 1 to 4; 0: not said */
    int battery;           /* percent; below 0: not said */
    int64_t time_ms;       /* INT64_MIN: not said */
    char id[HT_MQTT_TEXT]; /* the message's own; "" none */
    char key[HT_MQTT_TEXT];
    char note[HT_MQTT_NOTE];
    bool placed;
    double lon_deg;
    double lat_deg;
    double speed_mps; /* this and the next two: below 0: not said */
    double bearing_deg;
    double accuracy_m;
};

/* What a message says. HT_NOT_FOUND: no rule is of this topic; HT_SYNTAX: it is not the JSON that
 * the rule looks into; HT_INVALID with what is wrong: no device, or a kind that the rule's table
 * does not have; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_mqtt_map_apply(const struct ht_mqtt_map *map, const char *topic,
                                               const char *payload, size_t size,
                                               struct ht_mqtt_said *out, struct ht_error *error);

/* The moment of a number or text as messages write it. False: it is none. */
bool ht_mqtt_time(const char *text, int64_t *out_ms);

#endif
