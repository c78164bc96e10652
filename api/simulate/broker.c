#include "api/simulate/broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/mqtt_line.h"

enum { UNDERWAY_MOST = 5000, NAPS = 10000, NAP_US = 1000 };

struct ht_sim_broker {
    struct ht_mqtt_url url;
    struct ht_mqtt_line *line;
    size_t sent;
};

static struct ht_mqtt_line_stats stats_of(const struct ht_sim_broker *broker)
{
    struct ht_mqtt_line_stats stats;
    ht_mqtt_line_stats_read(broker->line, &stats);
    return stats;
}

static bool is_connected(const struct ht_sim_broker *broker)
{
    for (int i = 0; i < NAPS && !stats_of(broker).connected; i++) {
        (void)usleep(NAP_US);
    }
    return stats_of(broker).connected;
}

enum ht_status ht_sim_broker_new(const char *url, const char *client_id, struct ht_sim_broker **out,
                                 struct ht_error *error)
{
    struct ht_sim_broker *broker = calloc(1, sizeof *broker);
    if (broker == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, "out of memory");
    }
    const struct ht_mqtt_line_options options = {
        .url = &broker->url, .client_id = client_id, .command = "simulate", .qos = 1};
    enum ht_status status = ht_mqtt_url_read(url, &broker->url, error);
    status = status == HT_OK ? ht_mqtt_line_new(&options, &broker->line, error) : status;
    if (status == HT_OK && !is_connected(broker)) {
        status = ht_error_set(error, HT_IO, 0, "the broker at %.60s port %u does not answer",
                              broker->url.host, (unsigned)broker->url.port);
    }
    if (status != HT_OK) {
        ht_sim_broker_free(broker);
        return status;
    }
    *out = broker;
    return HT_OK;
}

void ht_sim_broker_free(struct ht_sim_broker *broker)
{
    if (broker != NULL) {
        ht_mqtt_line_free(broker->line);
        free(broker);
    }
}

/* What is neither acknowledged nor refused nor given up. */
static size_t underway(const struct ht_sim_broker *broker)
{
    struct ht_mqtt_line_stats stats = stats_of(broker);
    size_t over = stats.published + stats.overrun;
    return over < broker->sent ? broker->sent - over : 0;
}

static size_t wait_until(const struct ht_sim_broker *broker, size_t most)
{
    for (int i = 0; i < NAPS && underway(broker) > most; i++) {
        (void)usleep(NAP_US);
    }
    return underway(broker);
}

static bool publish(struct ht_sim_broker *broker, const char *topic, const char *payload, int size)
{
    if (wait_until(broker, UNDERWAY_MOST) > UNDERWAY_MOST) {
        return false;
    }
    broker->sent++;
    ht_mqtt_line_publish(broker->line, topic, payload, (size_t)size);
    return true;
}

bool ht_sim_broker_position(struct ht_sim_broker *broker, const char *name,
                            const struct ht_sim_position *position)
{
    char topic[HT_MQTT_LINE_TOPIC];
    char payload[256];
    (void)snprintf(topic, sizeof topic, "%s/positions/%s", broker->url.prefix, name);
    int size = snprintf(payload, sizeof payload,
                        "{\"lon\":%.7f,\"lat\":%.7f,\"ts\":%lld,\"speed_mps\":%.1f,"
                        "\"bearing_deg\":%.0f}",
                        position->point.lon_e7 / 1e7, position->point.lat_e7 / 1e7,
                        (long long)position->ts_ms, position->speed_mps, position->bearing_deg);
    return publish(broker, topic, payload, size);
}

bool ht_sim_broker_alarm(struct ht_sim_broker *broker, const char *device, const char *kind,
                         const char *id)
{
    char topic[HT_MQTT_LINE_TOPIC];
    char payload[256];
    (void)snprintf(topic, sizeof topic, "%s/alarms/%s", broker->url.prefix, device);
    int size = snprintf(payload, sizeof payload, "{\"kind\":\"%s\",\"id\":\"%.120s\"}", kind, id);
    return publish(broker, topic, payload, size);
}

size_t ht_sim_broker_refused(const struct ht_sim_broker *broker)
{
    return stats_of(broker).refused;
}

size_t ht_sim_broker_sent(const struct ht_sim_broker *broker)
{
    return broker->sent;
}

size_t ht_sim_broker_wait(const struct ht_sim_broker *broker)
{
    return wait_until(broker, 0);
}
