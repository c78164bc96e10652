/* What the two files of the MQTT map share. Not a door. */
#ifndef HT_API_MQTT_MAP_INTERNAL_H
#define HT_API_MQTT_MAP_INTERNAL_H

#include "api/mqtt_map.h"

enum ht__mqtt_field {
    HT__MQTT_DEVICE,
    HT__MQTT_KIND,
    HT__MQTT_SEVERITY,
    HT__MQTT_BATTERY,
    HT__MQTT_TIME,
    HT__MQTT_ID,
    HT__MQTT_KEY,
    HT__MQTT_NOTE,
    HT__MQTT_LON,
    HT__MQTT_LAT,
    HT__MQTT_SPEED_MPS,
    HT__MQTT_SPEED_KMH,
    HT__MQTT_BEARING_DEG,
    HT__MQTT_ACCURACY_M,
    HT__MQTT_STATE,
    HT__MQTT_FIELDS
};

enum ht__mqtt_from {
    HT__MQTT_NOWHERE,
    HT__MQTT_WORD,
    HT__MQTT_POINTER,
    HT__MQTT_LEVELS,
    HT__MQTT_PAYLOAD
};

struct ht__mqtt_source {
    enum ht__mqtt_from from;
    const char *text;
    int64_t line;
};

struct ht__mqtt_word {
    enum ht__mqtt_field field;
    const char *value; /* "*": any other */
    const char *word;
    int64_t line;
};

struct ht__mqtt_rule {
    const char *topic;
    int64_t line;
    char filter[HT_MQTT_TOPIC_MAX];
    struct ht__mqtt_source sources[HT__MQTT_FIELDS];
    struct ht__mqtt_word *words;
    size_t word_count;
    size_t word_capacity;
};

/* One text's rules; those of `next` count after them. */
struct ht_mqtt_map {
    struct ht_mqtt_map *next;
    char *text;
    struct ht__mqtt_rule *rules;
    size_t count;
    size_t capacity;
};

/* sos, fall, ..., none */
bool ht__mqtt_is_kind(const char *word);

bool ht__mqtt_topic_is(const char *pattern, const char *topic);
const char *ht__mqtt_level(const char *pattern, const char *topic, const char *name,
                           size_t name_size, size_t *size);

#endif
