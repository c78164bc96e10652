#include "api/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/app_internal.h"
#include "api/metrics.h"
#include "api/mqtt_internal.h"

/* ---- options ---- */

static enum ht_status map_make(const struct ht_mqtt_options *options, const char *prefix,
                               struct ht_mqtt_map **out, struct ht_error *error)
{
    *out = NULL;
    enum ht_status status = ht_mqtt_map_own(out, prefix, error);
    if (status == HT_OK && options->map != NULL) {
        status = ht_mqtt_map_load(out, options->map, error); /* the file's rules come first */
    }
    return status;
}

enum ht_status ht_mqtt_check(const struct ht_mqtt_options *options, struct ht_error *error)
{
    struct ht_mqtt_url url;
    struct ht_mqtt_map *map = NULL;
    struct ht_error why = {0};
    enum ht_status status = ht_mqtt_url_read(options->url, &url, &why);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, "the URL of --mqtt: %.150s", why.message);
    }
    if ((options->cert == NULL) != (options->key == NULL)) {
        return ht_error_set(error, HT_INVALID, 0, "--mqtt-cert and --mqtt-key go together");
    }
    if (!url.tls && (options->ca != NULL || options->cert != NULL)) {
        return ht_error_set(error, HT_INVALID, 0, "certificates are for mqtts://");
    }
    const char *const files[] = {options->ca, options->cert, options->key};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (files[i] != NULL && access(files[i], R_OK) != 0) {
            return ht_error_set(error, HT_IO, 0, "%.150s can't be read", files[i]);
        }
    }
    status = map_make(options, url.prefix, &map, error);
    ht_mqtt_map_free(map);
    return status;
}

/* ---- lines ---- */

/* houtao-MACHINE-PORT, unless the URL has a name; each line its own. */
static void client_name(const struct ht_mqtt *mqtt, const struct ht_mqtt_options *options,
                        struct ht__mqtt_side *side, const char *line)
{
    char machine[48] = "";
    if (gethostname(machine, sizeof machine - 1) != 0) {
        machine[0] = '\0';
    }
    if (mqtt->url.client_id[0] != '\0') {
        (void)snprintf(side->client_id, sizeof side->client_id, "%s-%s", mqtt->url.client_id, line);
    } else {
        (void)snprintf(side->client_id, sizeof side->client_id, "houtao-%s-%u-%s", machine,
                       (unsigned)options->listen_port, line);
    }
}

static enum ht_status filters_make(const struct ht_mqtt *mqtt, struct ht__mqtt_side *side,
                                   bool urgent, struct ht_error *error)
{
    size_t count = 0;
    while (ht_mqtt_map_filter(mqtt->map, urgent, count) != NULL) {
        count++;
    }
    side->filters = calloc(count + 2, sizeof *side->filters);
    side->filter_list = calloc(count + 2, sizeof *side->filter_list);
    if (side->filters == NULL || side->filter_list == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        const char *filter = ht_mqtt_map_filter(mqtt->map, urgent, i);
        char *out = side->filters[side->filter_count++];
        if (urgent && !mqtt->url.share_alarms) {
            (void)snprintf(out, HT_MQTT_LINE_TOPIC, "%s", filter);
        } else {
            (void)snprintf(out, HT_MQTT_LINE_TOPIC, "$share/%s/%s", mqtt->url.share, filter);
        }
    }
    for (int i = 0; !urgent && i < 2; i++) {
        (void)snprintf(side->filters[side->filter_count++], HT_MQTT_LINE_TOPIC,
                       "$share/%s/%s/positions%s", mqtt->url.share, mqtt->url.prefix,
                       i == 0 ? "" : "/+");
    }
    for (size_t i = 0; i < side->filter_count; i++) {
        side->filter_list[i] = side->filters[i];
    }
    return HT_OK;
}

static enum ht_status side_open(struct ht_mqtt *mqtt, const struct ht_mqtt_options *options,
                                struct ht__mqtt_side *side, bool urgent, struct ht_error *error)
{
    void *context = NULL;
    side->mqtt = mqtt;
    side->told_ms = INT64_MIN / 2;
    client_name(mqtt, options, side, urgent ? "alarms" : "positions");
    enum ht_status status = filters_make(mqtt, side, urgent, error);
    if (status == HT_OK) {
        status = ht__app_context_new(mqtt->app, &context);
        side->context = context;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    const struct ht_mqtt_line_options line = {.url = &mqtt->url,
                                              .client_id = side->client_id,
                                              .ca = options->ca,
                                              .cert = options->cert,
                                              .key = options->key,
                                              .lasts = urgent,
                                              .holds = urgent,
                                              .qos = 1,
                                              .filters = side->filter_list,
                                              .filter_count = side->filter_count,
                                              .message = ht__mqtt_message,
                                              .rest = ht__mqtt_rest,
                                              .user = side};
    return status == HT_OK ? ht_mqtt_line_new(&line, &side->line, error) : status;
}

enum ht_status ht_mqtt_new(struct ht_app *app, const struct ht_mqtt_options *options,
                           struct ht_mqtt **out, struct ht_error *error)
{
    *out = NULL;
    if (app->commit == NULL || app->book == NULL) {
        return ht_error_set(error, HT_READ_ONLY, 0,
                            "--mqtt needs a --store that can be written: alarms have to last");
    }
    struct ht_mqtt *mqtt = calloc(1, sizeof *mqtt);
    *out = mqtt;
    if (mqtt == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    mqtt->app = app;
    enum ht_status status = ht_mqtt_url_read(options->url, &mqtt->url, error);
    if (status == HT_OK) {
        status = map_make(options, mqtt->url.prefix, &mqtt->map, error);
    }
    if (status == HT_OK) {
        status = side_open(mqtt, options, &mqtt->calm, false, error);
    }
    if (status == HT_OK) {
        status = side_open(mqtt, options, &mqtt->urgent, true, error);
    }
    if (status == HT_OK) {
        status = ht__mqtt_events_start(mqtt);
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    return status;
}

void ht_mqtt_stop(struct ht_mqtt *mqtt)
{
    if (mqtt != NULL) {
        ht__mqtt_events_stop(mqtt);
        ht_mqtt_line_stop(mqtt->urgent.line);
        ht_mqtt_line_stop(mqtt->calm.line);
    }
}

static void side_close(struct ht__mqtt_side *side)
{
    ht_mqtt_line_free(side->line);
    if (side->context != NULL) {
        ht__app_context_free(side->context);
    }
    free(side->filters);
    free(side->filter_list);
}

void ht_mqtt_free(struct ht_mqtt *mqtt)
{
    if (mqtt == NULL) {
        return;
    }
    ht_mqtt_stop(mqtt);
    side_close(&mqtt->urgent);
    side_close(&mqtt->calm);
    ht_mqtt_map_free(mqtt->map);
    free(mqtt);
}

/* ---- numbers ---- */

static void outcomes_write(struct ht_mqtt *mqtt, struct ht_buffer *out)
{
    static const char *const names[HT__MQTT_OUTCOMES] = {"taken", "unknown", "refused", "unread",
                                                         "ignored"};
    char line[128];
    ht_buffer_text(out, "# HELP houtao_mqtt_messages_total What MQTT brought (positions each), by "
                        "what became of it.\n# TYPE houtao_mqtt_messages_total counter\n");
    for (int i = 0; i < HT__MQTT_OUTCOMES; i++) {
        (void)snprintf(line, sizeof line, "houtao_mqtt_messages_total{outcome=\"%s\"} %zu\n",
                       names[i], atomic_load(&mqtt->outcomes[i]));
        ht_buffer_text(out, line);
    }
}

void ht_mqtt_metrics(struct ht_mqtt *mqtt, struct ht_buffer *out)
{
    struct ht_mqtt_line_stats urgent;
    struct ht_mqtt_line_stats calm;
    if (mqtt == NULL) {
        return;
    }
    ht_mqtt_line_stats_read(mqtt->urgent.line, &urgent);
    ht_mqtt_line_stats_read(mqtt->calm.line, &calm);
    outcomes_write(mqtt, out);
    ht_metrics_gauge(out, "houtao_mqtt_connected", "gauge",
                     "Connections to the broker: 2 when all is well.",
                     (urgent.connected ? 1 : 0) + (calm.connected ? 1 : 0));
    ht_metrics_gauge(out, "houtao_mqtt_connects_total", "counter", "Connections that were made.",
                     (double)(urgent.connects + calm.connects));
    ht_metrics_gauge(out, "houtao_mqtt_lost_total", "counter",
                     "Connections that broke, or on which the broker said nothing.",
                     (double)(urgent.lost + calm.lost));
    ht_metrics_gauge(out, "houtao_mqtt_alarms_total", "counter", "Alarms handed to the desk.",
                     (double)atomic_load(&mqtt->alarms));
    ht_metrics_gauge(out, "houtao_mqtt_alarms_held", "gauge",
                     "Of these those that are not committed and so not acknowledged yet.",
                     (double)urgent.held);
    ht_metrics_gauge(out, "houtao_mqtt_alarms_returned_total", "counter",
                     "Connections broken off so that alarms that could not be written come again.",
                     (double)urgent.dropped);
    ht_metrics_gauge(out, "houtao_mqtt_events_published_total", "counter", "Events published.",
                     (double)calm.published);
    ht_metrics_gauge(out, "houtao_mqtt_events_refused_total", "counter",
                     "Of these those that the broker's access list did not let through.",
                     (double)calm.refused);
    ht_metrics_gauge(out, "houtao_mqtt_events_overrun_total", "counter",
                     "Events that gave way while the broker was not there.", (double)calm.overrun);
}
