#include "api/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/app_internal.h"
#include "api/metrics.h"
#include "api/mqtt_internal.h"
#include "api/node.h"
#include "geodata/digest.h"

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

/* Of the record: of its nodes' key, which nobody learns from this. "" where it is not known. */
static void record_name(struct ht_app *app, char out[HT_DIGEST_TEXT])
{
    char key[HT_DIGEST_TEXT];
    enum { DIGITS = 12 };
    if (!ht_node_key_get(app->node, key) || ht_digest_of(key, strlen(key), out) != HT_OK) {
        out[0] = '\0';
    }
    out[DIGITS] = '\0';
}

/* houtao-MACHINE-PORT, unless the URL has a name; each line its own. Of the nodes of one record,
 * each is called otherwise where they connect at the same time, and all alike where the next one
 * takes up what the last one had. */
static void client_name(const struct ht_mqtt *mqtt, struct ht__mqtt_side *side, bool alike)
{
    char machine[48] = "";
    char record[HT_DIGEST_TEXT] = "";
    char *out = side->client_id;
    const char *own = mqtt->url.client_id;
    const char *line = side == &mqtt->urgent ? "alarms" : "positions";
    unsigned port = mqtt->options.listen_port;
    if (gethostname(machine, sizeof machine - 1) != 0) {
        machine[0] = '\0';
    }
    if (alike) {
        record_name(mqtt->app, record);
    }
    if (own[0] != '\0' && (alike || mqtt->app->node == NULL)) {
        (void)snprintf(out, sizeof side->client_id, "%s-%s", own, line);
    } else if (own[0] != '\0') {
        (void)snprintf(out, sizeof side->client_id, "%s-%s-%u-%s", own, machine, port, line);
    } else if (record[0] != '\0') {
        (void)snprintf(out, sizeof side->client_id, "houtao-%s-%s", record, line);
    } else {
        (void)snprintf(out, sizeof side->client_id, "houtao-%s-%u-%s", machine, port, line);
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

/* Whether this node has the line of alarms. */
static bool takes_alarms(const struct ht_mqtt *mqtt, const struct ht_app *app)
{
    return app->follower == NULL || mqtt->url.share_alarms;
}

static enum ht_status line_open(struct ht_mqtt *mqtt, struct ht__mqtt_side *side,
                                struct ht_error *error)
{
    bool urgent = side == &mqtt->urgent;
    struct ht_mqtt_line *made = NULL;
    client_name(mqtt, side, urgent && mqtt->app->node != NULL && !mqtt->url.share_alarms);
    const struct ht_mqtt_line_options line = {.url = &mqtt->url,
                                              .client_id = side->client_id,
                                              .ca = mqtt->options.ca,
                                              .cert = mqtt->options.cert,
                                              .key = mqtt->options.key,
                                              .lasts = urgent,
                                              .holds = urgent,
                                              .rests = true,
                                              .qos = 1,
                                              .filters = side->filter_list,
                                              .filter_count = side->filter_count,
                                              .message = ht__mqtt_message,
                                              .rest = ht__mqtt_rest,
                                              .user = side};
    enum ht_status status = ht_mqtt_line_new(&line, &made, error);
    atomic_store(&side->line, made);
    ht_mqtt_line_rest(made, status != HT_OK); /* it may call back from now on */
    return status;
}

static enum ht_status side_open(struct ht_mqtt *mqtt, struct ht__mqtt_side *side, bool urgent,
                                struct ht_error *error)
{
    void *context = NULL;
    side->mqtt = mqtt;
    side->told_ms = INT64_MIN / 2;
    (void)pthread_mutex_init(&side->turn, NULL);
    enum ht_status status = filters_make(mqtt, side, urgent, error);
    if (status == HT_OK) {
        status = ht__app_context_new(mqtt->app, &context);
        side->context = context;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    return status == HT_OK && (!urgent || takes_alarms(mqtt, mqtt->app))
               ? line_open(mqtt, side, error)
               : status;
}

/* A desk tells what happens. */
static enum ht_status events_start(struct ht_mqtt *mqtt)
{
    return mqtt->app->follower == NULL ? ht__mqtt_events_start(mqtt) : HT_OK;
}

enum ht_status ht_mqtt_new(struct ht_app *app, const struct ht_mqtt_options *options,
                           struct ht_mqtt **out, struct ht_error *error)
{
    *out = NULL;
    if ((app->commit == NULL && app->follower == NULL) || app->book == NULL) {
        return ht_error_set(error, HT_READ_ONLY, 0,
                            "--mqtt needs a --store that can be written: alarms have to last");
    }
    struct ht_mqtt *mqtt = calloc(1, sizeof *mqtt);
    *out = mqtt;
    if (mqtt == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    mqtt->app = app;
    mqtt->options = *options;
    enum ht_status status = ht_mqtt_url_read(options->url, &mqtt->url, error);
    if (status == HT_OK) {
        status = map_make(options, mqtt->url.prefix, &mqtt->map, error);
    }
    if (status == HT_OK) {
        status = side_open(mqtt, &mqtt->calm, false, error);
    }
    if (status == HT_OK) {
        status = side_open(mqtt, &mqtt->urgent, true, error);
    }
    if (status == HT_OK) {
        status = events_start(mqtt);
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    return status;
}

/* ---- from one app to another ---- */

/* Between two messages. */
static void side_move(struct ht__mqtt_side *side, struct ht_app_context *context)
{
    ht__app_context_free(side->context);
    side->context = context;
}

static void move(struct ht_mqtt *mqtt, struct ht_app *app, struct ht_app_context *calm,
                 struct ht_app_context *urgent)
{
    ht__mqtt_events_stop(mqtt);
    (void)pthread_mutex_lock(&mqtt->calm.turn);
    (void)pthread_mutex_lock(&mqtt->urgent.turn);
    mqtt->app = app;
    side_move(&mqtt->calm, calm);
    side_move(&mqtt->urgent, urgent);
    (void)pthread_mutex_unlock(&mqtt->urgent.turn);
    (void)pthread_mutex_unlock(&mqtt->calm.turn);
}

enum ht_status ht_mqtt_move(struct ht_mqtt *mqtt, struct ht_app *app, struct ht_error *error)
{
    void *calm = NULL;
    void *urgent = NULL;
    if (mqtt == NULL || mqtt->stopped) {
        return HT_OK;
    }
    enum ht_status status = ht__app_context_new(app, &calm);
    status = status == HT_OK ? ht__app_context_new(app, &urgent) : status;
    if (status != HT_OK) {
        if (calm != NULL) {
            ht__app_context_free(calm);
        }
        return status;
    }
    if (!takes_alarms(mqtt, app)) { /* whoever is the desk takes the session up */
        ht_mqtt_line_rest(atomic_load(&mqtt->urgent.line), true);
    }
    move(mqtt, app, calm, urgent);
    if (takes_alarms(mqtt, app)) {
        ht_mqtt_line_rest(atomic_load(&mqtt->urgent.line), false);
        status =
            atomic_load(&mqtt->urgent.line) == NULL ? line_open(mqtt, &mqtt->urgent, error) : HT_OK;
    }
    return status == HT_OK ? events_start(mqtt) : status;
}

void ht_mqtt_sure(struct ht_mqtt *mqtt, bool sure)
{
    if (mqtt != NULL && !mqtt->stopped && mqtt->app->follower == NULL) {
        ht_mqtt_line_rest(atomic_load(&mqtt->urgent.line), !sure);
    }
}

/* ---- the end ---- */

static void side_stop(struct ht__mqtt_side *side)
{
    ht_mqtt_line_stop(atomic_load(&side->line));
    if (side->context != NULL) {
        ht__app_context_free(side->context);
        side->context = NULL;
    }
}

void ht_mqtt_stop(struct ht_mqtt *mqtt)
{
    if (mqtt != NULL && !mqtt->stopped) {
        mqtt->stopped = true;
        ht__mqtt_events_stop(mqtt);
        side_stop(&mqtt->urgent);
        side_stop(&mqtt->calm);
    }
}

static void side_close(struct ht__mqtt_side *side)
{
    ht_mqtt_line_free(atomic_load(&side->line));
    if (side->mqtt != NULL) {
        (void)pthread_mutex_destroy(&side->turn);
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
    ht_mqtt_line_stats_read(atomic_load(&mqtt->urgent.line), &urgent);
    ht_mqtt_line_stats_read(atomic_load(&mqtt->calm.line), &calm);
    outcomes_write(mqtt, out);
    ht_metrics_gauge(out, "houtao_mqtt_connected", "gauge",
                     "Connections to the broker: 2 when all is well, 1 at a node that follows.",
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
