#include "api/term.h"

#include <stdlib.h>

#include "api/jt808.h"
#include "api/live.h"
#include "api/log.h"
#include "api/relay.h"
#include "api/traffic.h"
#include "api/zones.h"

enum {
    TERMINALS_MOST = 20000,
    CONNECTIONS_MOST = 32768,
    CONNECTIONS_LEAST = 256,
};

struct ht_term {
    struct ht_app *app;
    struct ht_http_server *server;
    struct ht_doors *doors; /* the process's; NULL: it is alone */
    bool follows;
};

/* Terminals have what can be opened but an eighth, which is for those who ask over HTTP. */
static unsigned terminals_of(uint64_t descriptors)
{
    uint64_t all =
        descriptors > HT_TERM_DESCRIPTORS_OWN ? descriptors - HT_TERM_DESCRIPTORS_OWN : 2;
    uint64_t others = all / 8 > CONNECTIONS_LEAST ? all / 8 : CONNECTIONS_LEAST;
    uint64_t rest = all > 2 * CONNECTIONS_LEAST ? all - others : (all + 1) / 2;
    return rest < TERMINALS_MOST ? (unsigned)rest : TERMINALS_MOST;
}

/* As many connections as there are descriptors, those of files left out. */
unsigned ht_term_connections(uint64_t descriptors)
{
    uint64_t count = descriptors < CONNECTIONS_MOST ? descriptors : CONNECTIONS_MOST;
    return count > CONNECTIONS_LEAST + HT_TERM_DESCRIPTORS_OWN
               ? (unsigned)count - HT_TERM_DESCRIPTORS_OWN
               : CONNECTIONS_LEAST;
}

static enum ht_status store_open(struct ht_term *term, const struct ht_term_options *options,
                                 struct ht_store *store, struct ht_error *error)
{
    struct ht_error note = {0};
    if (store != NULL) {
        return ht_app_store_take(term->app, store, term->follows, error);
    }
    enum ht_status status =
        options->store == NULL ? HT_OK : ht_app_store_open(term->app, options->store, &note, error);
    if (note.status != HT_OK) {
        ht_log(HT_LOG_WARNING, "%s: served for reading only", note.message);
    }
    return status;
}

/* Store and tokens, where they are asked for. */
static enum ht_status town_open(struct ht_term *term, const struct ht_term_options *options,
                                struct ht_store *store, struct ht_error *error)
{
    struct ht_app *app = term->app;
    enum ht_status status = store_open(term, options, store, error);
    if (status == HT_OK && options->tokens != NULL) {
        status = ht_app_tokens_open(app, options->tokens, error);
    }
    status = status == HT_OK ? ht_app_regimes_open(app, error) : status;
    status = status == HT_OK ? ht_app_live_open(app, error) : status;
    status = status == HT_OK ? ht_app_finder_open(app, error) : status;
    status = status == HT_OK ? ht_app_traffic_open(app, error) : status;
    return status == HT_OK ? ht_app_zones_open(app, error) : status;
}

/* The door for terminals, where it is asked for. */
static enum ht_status jt808_open(struct ht_term *term, const struct ht_term_options *options,
                                 struct ht_error *error)
{
    struct ht_jt808_options door = ht_jt808_options_default();
    if (options->jt808_host == NULL || term->app->doors_lent) {
        return HT_OK;
    }
    door.host = options->jt808_host;
    door.port = options->jt808_port;
    door.connections_max = terminals_of(term->app->descriptors);
    enum ht_status status = ht_jt808_new(term->app, &door, &term->app->jt808, error);
    if (status == HT_OK) {
        status = ht_jt808_start(term->app->jt808);
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    if (status == HT_OK) {
        ht_log(HT_LOG_INFO, "JT/T 808 on %s port %u, %u terminals at most", door.host,
               (unsigned)ht_jt808_port(term->app->jt808), door.connections_max);
    }
    return status;
}

static enum ht_status server_open(struct ht_term *term, const struct ht_term_options *options,
                                  struct ht_error *error)
{
    struct ht_http_options http = ht_http_options_default();
    http.host = options->host;
    http.port = options->port;
    http.shares_port = options->shares_port;
    http.threads = options->threads;
    http.check_host = options->tokens == NULL;
    uint64_t terminals = options->jt808_host == NULL ? 0 : terminals_of(options->descriptors);
    http.connections_max = ht_term_connections(options->descriptors - terminals);
    struct ht_http_handler handler = ht_app_handler(term->app);
    enum ht_status status = ht_http_server_new(&http, &handler, &term->server, error);
    if (status != HT_OK) {
        return status;
    }
    ht_app_server_set(term->app, term->server);
    /* a quarter stays for those who ask */
    if (ht_app_stream_open(term->app, term->server, http.connections_max / 4 * 3) != HT_OK) {
        ht_log(HT_LOG_WARNING, "out of memory: /v1/stream is not served");
    }
    return HT_OK;
}

/* Devices of a broker come from now on, where one is named. */
static enum ht_status mqtt_open(struct ht_term *term, const struct ht_term_options *options,
                                struct ht_error *error)
{
    struct ht_mqtt_options mqtt = options->mqtt;
    mqtt.listen_port = ht_http_server_port(term->server);
    return mqtt.url == NULL || term->app->doors_lent
               ? HT_OK
               : ht_mqtt_new(term->app, &mqtt, &term->app->mqtt, error);
}

/* The process's own doors: those that are open are lent; else the relay comes before the others. */
static enum ht_status doors_begin(struct ht_term *term, const struct ht_term_options *options,
                                  struct ht_error *error)
{
    struct ht_doors *doors = options->doors;
    if (doors == NULL) {
        return HT_OK;
    }
    if (doors->app != NULL) {
        ht_doors_lend(doors, term->app);
        return HT_OK;
    }
    enum ht_status status =
        ht_relay_new(options->node, &doors->relay); /* also for positions_pass */
    term->app->relay = doors->relay;
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

/* Those that were opened for the first term are the process's. */
static void doors_end(struct ht_term *term, const struct ht_term_options *options)
{
    struct ht_doors *doors = options->doors;
    term->doors = doors;
    if (doors != NULL && doors->app == NULL) {
        doors->jt808 = term->app->jt808;
        doors->mqtt = term->app->mqtt;
        doors->app = term->app;
        ht_doors_lend(doors, term->app);
    }
}

enum ht_status ht_term_open(const struct ht_term_options *options, struct ht_store *store,
                            bool follows, struct ht_term **out, struct ht_error *error)
{
    struct ht_term *term = calloc(1, sizeof *term);
    if (term == NULL || ht_app_new(options->threads, &options->clock, &term->app) != HT_OK) {
        free(term);
        ht_store_close(store);
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    term->follows = follows;
    term->app->descriptors = options->descriptors;
    term->app->node = options->node;
    enum ht_status status = ht_app_network_open(term->app, options->network, false, error);
    if (status != HT_OK) {
        ht_store_close(store);
    } else {
        status = town_open(term, options, store, error);
    }
    status = status == HT_OK ? doors_begin(term, options, error) : status;
    status = status == HT_OK ? jt808_open(term, options, error) : status;
    status = status == HT_OK ? server_open(term, options, error) : status;
    status = status == HT_OK ? mqtt_open(term, options, error) : status;
    doors_end(term, options);
    status = status == HT_OK ? ht_app_follow(term->app, error) : status;
    if (status != HT_OK) {
        struct ht_error unread;
        (void)ht_term_close(term, &unread);
        return status;
    }
    *out = term;
    return HT_OK;
}

struct ht_app *ht_term_app(struct ht_term *term)
{
    return term->app;
}

struct ht_http_server *ht_term_server(struct ht_term *term)
{
    return term->server;
}

enum ht_status ht_term_run(struct ht_term *term, struct ht_error *error)
{
    enum ht_status status = ht_http_server_run(term->server);
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

/* Those that serve another app by now go on. */
static void doors_stop(struct ht_term *term)
{
    if (!term->app->doors_lent) {
        ht_jt808_stop(term->app->jt808);
    } else if (term->doors->app == term->app) {
        ht_doors_stop(term->doors);
    }
}

/* What a desk took and could not save any more goes to the next one. */
static void positions_pass(struct ht_term *term)
{
    const struct ht_app *app = term->app;
    struct ht_live_unsaved left = {.count = 0};
    if (!app->doors_lent || app->relay == NULL || app->commit == NULL || term->doors->app == app ||
        ht_live_take(app->live, SIZE_MAX, &left) != HT_OK) {
        return;
    }
    for (size_t i = 0; i < left.count; i++) {
        const struct ht_store_position *position = &left.positions[i];
        const struct ht_report report = {.lon_deg = position->point.lon_e7 / 1e7,
                                         .lat_deg = position->point.lat_e7 / 1e7,
                                         .ts_ms = position->ts_ms,
                                         .speed_mps = position->speed_mps,
                                         .bearing_deg = position->bearing_deg,
                                         .accuracy_m = position->accuracy_m};
        ht_relay_settled(app->relay, position->unit, &report);
    }
    ht_live_unsaved_free(&left);
}

enum ht_status ht_term_close(struct ht_term *term, struct ht_error *error)
{
    struct ht_app *app = term->app;
    enum ht_status status = HT_OK;
    if (term->server != NULL) {
        ht_app_server_set(app, NULL);
    }
    doors_stop(term);
    if (term->server != NULL) {
        ht_app_live_save(app, true); /* jobs may take their time */
        ht_http_server_jobs_end(term->server);
        ht_app_store_stop(app);
        positions_pass(term);
        ht_http_server_free(term->server);
    }
    if (atomic_load(&app->damaged)) {
        status = ht_error_set(error, app->damage.status == HT_OK ? HT_IO : app->damage.status, 0,
                              "%s", app->damage.message);
    }
    ht_app_free(app);
    free(term);
    return status;
}
