/* Events out: what is committed, to the topics of those who subscribe. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/commit.h"
#include "api/json.h"
#include "api/log.h"
#include "api/mqtt_internal.h"
#include "api/order_event.h"
#include "api/topics.h"
#include "engine/base/text.h"
#include "engine/base/time.h"

/* What viewers see; visits and notices tell which homes are frail. */
enum {
    TOPICS = 1 << HT_TOPIC_INCIDENTS | 1 << HT_TOPIC_ORDERS | 1 << HT_TOPIC_ZONES |
             1 << HT_TOPIC_FENCES | 1 << HT_TOPIC_TRAFFIC,
};

static void event_write(struct ht_buffer *out, const struct ht_store_event *event, const char *body)
{
    char time[HT_TIME_TEXT_SIZE];
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_int(&json, "seq", event->seq);
    ht_json_key_text(&json, "district", event->district);
    ht_time_format(event->at_ms, time);
    ht_json_key_text(&json, "at", time);
    ht_json_key_text(&json, "kind", event->kind);
    ht_json_key_text(&json, "subject", event->subject);
    ht_json_key(&json, "body");
    if (body[0] == '\0') {
        ht_json_null(&json);
    } else {
        ht_json_raw(&json, body, strlen(body));
    }
    ht_json_object_end(&json);
}

/* PREFIX/events/incidents/i12: what of the subject can stand in a topic. */
static void topic_write(char *out, size_t room, const char *prefix, enum ht_topic topic,
                        const char *subject)
{
    const char *slash = strchr(subject, '/');
    const char *id = slash == NULL ? "" : slash + 1;
    bool plain = id[0] != '\0' && strlen(id) <= HT_ID_MAX && strpbrk(id, "+#/") == NULL;
    (void)snprintf(out, room, "%s/events/%s%s%s", prefix, ht_topic_name(topic), plain ? "/" : "",
                   plain ? id : "");
}

static void on_event(void *user, const struct ht_store_event *event)
{
    struct ht_mqtt *mqtt = user;
    char where[HT_MQTT_LINE_TOPIC];
    struct ht_buffer out = {0};
    struct ht_text concealed = {0};
    enum ht_topic topic = ht_topic_of_event(event->kind, event->subject);
    if ((TOPICS >> topic & 1) == 0) {
        return;
    }
    const char *body = event->body;
    if (topic == HT_TOPIC_ORDERS && ht_order_event_conceal(event->body, &concealed)) {
        body = concealed.failed ? "{}" : ht_text_string(&concealed);
    }
    event_write(&out, event, body);
    topic_write(where, sizeof where, mqtt->url.prefix, topic, event->subject);
    if (!out.failed) {
        ht_mqtt_line_publish(atomic_load(&mqtt->calm.line), where, out.data, out.size);
    }
    ht_buffer_deinit(&out);
    ht_text_deinit(&concealed);
}

enum ht_status ht__mqtt_events_start(struct ht_mqtt *mqtt)
{
    int64_t after = 0;
    const struct ht_commit_watch watch = {.event = on_event, .user = mqtt};
    enum ht_status status = ht_commit_watch(mqtt->app->commit, &watch, &after);
    mqtt->watches = status == HT_OK;
    return status;
}

void ht__mqtt_events_stop(struct ht_mqtt *mqtt)
{
    if (mqtt->watches) {
        ht_commit_unwatch(mqtt->app->commit, mqtt);
        mqtt->watches = false;
    }
}
