/* What the files of MQTT share. Not a door. */
#ifndef HT_API_MQTT_INTERNAL_H
#define HT_API_MQTT_INTERNAL_H

#include "api/app.h"
#include "api/mqtt.h"
#include "api/mqtt_line.h"
#include "api/mqtt_map.h"

enum ht__mqtt_outcome {
    HT__MQTT_TAKEN,
    HT__MQTT_UNKNOWN, /* of a device that nobody accepted */
    HT__MQTT_REFUSED, /* of one that is not listened to, or what the town can't take */
    HT__MQTT_UNREAD,  /* it could not be read */
    HT__MQTT_IGNORED, /* nothing is meant */
    HT__MQTT_OUTCOMES
};

/* One line, and what its thread works with. */
struct ht__mqtt_side {
    struct ht_mqtt *mqtt;
    _Atomic(struct ht_mqtt_line *) line; /* NULL: not wanted so far */
    pthread_mutex_t turn;                /* held while a message is taken: the app stays then */
    struct ht_app_context *context;
    char client_id[128];
    char (*filters)[HT_MQTT_LINE_TOPIC];
    const char **filter_list;
    size_t filter_count;
    int64_t told_ms; /* when something wrong was logged last, by the clock of the machine */
};

struct ht_mqtt {
    struct ht_app *app; /* changed with the turns of both sides */
    struct ht_mqtt_options options;
    struct ht_mqtt_url url;
    struct ht_mqtt_map *map;
    struct ht__mqtt_side urgent;
    struct ht__mqtt_side calm;
    atomic_size_t outcomes[HT__MQTT_OUTCOMES];
    atomic_size_t alarms;
    bool watches;
    bool stopped;
};

/* By which what counts goes to the desk; NULL: it is here. Within a turn. */
static inline struct ht_relay *ht__mqtt_relay(const struct ht_mqtt *mqtt)
{
    return mqtt->app->follower == NULL ? NULL : mqtt->app->relay;
}

/* A message of either line. True: it is held, and will be settled. */
bool ht__mqtt_message(void *side, const char *topic, const char *payload, size_t size);
void ht__mqtt_rest(void *side);

/* Begins to publish what is committed. */
HT_MUST_CHECK enum ht_status ht__mqtt_events_start(struct ht_mqtt *mqtt);
void ht__mqtt_events_stop(struct ht_mqtt *mqtt);

#endif
