#include "api/routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/access.h"
#include "api/arrivals.h"
#include "api/assign.h"
#include "api/console.h"
#include "api/coverage.h"
#include "api/desk_room.h"
#include "api/device_book.h"
#include "api/embedded.h"
#include "api/events.h"
#include "api/forward.h"
#include "api/incidents.h"
#include "api/isochrone.h"
#include "api/json.h"
#include "api/jt808.h"
#include "api/learning.h"
#include "api/live.h"
#include "api/mqtt.h"
#include "api/node.h"
#include "api/ogc.h"
#include "api/optimize.h"
#include "api/orders.h"
#include "api/orders_room.h"
#include "api/planner.h"
#include "api/rectifications.h"
#include "api/regime_calls.h"
#include "api/relay.h"
#include "api/relay_take.h"
#include "api/rounds.h"
#include "api/routes_live.h"
#include "api/routes_osrm.h"
#include "api/routes_town.h"
#include "api/routes_traffic.h"
#include "api/search.h"
#include "api/settings.h"
#include "api/stream.h"
#include "api/territories.h"
#include "api/tiles.h"
#include "api/underway.h"
#include "api/version.h"
#include "api/visits.h"
#include "api/visits_room.h"
#include "api/webhooks.h"

#define OSRM_ALLOW "GET, HEAD, POST, OPTIONS"

static void get_health(struct ht_app_context *context, struct ht_http_call *call)
{
    (void)context;
    ht_buffer_text(&call->reply->body, "{\"status\":\"alive\"}");
}

/* A desk that does not hear the database may be one no more, and can't know. */
static const char *role_of(const struct ht_app *app)
{
    return app->follower != NULL ? "follower" : ht_node_get(app->node).desk ? "desk" : "cut_off";
}

static void get_ready(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht_world_reader_get(&context->world) == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "no network is open");
        call->reply->retry_after_s = 1;
        return;
    }
    if (atomic_load(&context->app->damaged)) {
        ht_reply_problem(call->reply, 503, "Service Unavailable",
                         "a profile of the open network is damaged");
        return;
    }
    if (!atomic_load(&context->app->trusted)) {
        ht_reply_problem(call->reply, 503, "Service Unavailable",
                         "the network is being checked for damage");
        call->reply->retry_after_s = 1;
        return;
    }
    if (context->app->server != NULL && ht_http_server_draining(context->app->server)) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "the server is stopping");
        return;
    }
    ht_buffer_text(&call->reply->body, "{\"status\":\"ready\"");
    if (context->app->node != NULL) {
        ht_buffer_text(&call->reply->body, ",\"role\":\"");
        ht_buffer_text(&call->reply->body, role_of(context->app));
        ht_buffer_text(&call->reply->body, "\"");
    }
    ht_buffer_text(&call->reply->body, "}");
}

/* The second number of /proc/self/statm, in pages. */
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    char line[128] = "";
    if (file != NULL) {
        line[fread(line, 1, sizeof line - 1, file)] = '\0';
        (void)fclose(file);
    }
    const char *space = strchr(line, ' ');
    return space == NULL ? 0 : strtod(space, NULL) * (double)sysconf(_SC_PAGESIZE);
}

static void server_metrics(struct ht_buffer *out, struct ht_http_server *server)
{
    struct ht_http_stats stats;
    ht_http_server_stats(server, &stats);
    ht_metrics_gauge(out, "houtao_connections", "gauge", "Open connections.",
                     (double)stats.connections);
    ht_metrics_gauge(out, "houtao_connections_accepted_total", "counter", "Connections accepted.",
                     (double)stats.accepted);
    ht_metrics_gauge(out, "houtao_connections_evicted_total", "counter",
                     "Idle connections closed to make room.", (double)stats.evicted);
    ht_metrics_gauge(out, "houtao_connections_timed_out_total", "counter",
                     "Connections closed for being too slow or idle.", (double)stats.timed_out);
    ht_metrics_gauge(out, "houtao_accept_errors_total", "counter", "Failed accepts.",
                     (double)stats.accept_errors);
    ht_metrics_gauge(out, "houtao_sent_bytes_total", "counter", "Bytes sent.",
                     (double)stats.bytes_out);
    ht_metrics_gauge(out, "houtao_jobs_waiting", "gauge", "Long answers that wait for a worker.",
                     stats.jobs.waiting);
    ht_metrics_gauge(out, "houtao_jobs_running", "gauge", "Long answers being made.",
                     stats.jobs.running);
    ht_metrics_gauge(out, "houtao_jobs_total", "counter", "Long answers made.",
                     (double)stats.jobs.done);
    ht_metrics_gauge(out, "houtao_jobs_refused_total", "counter",
                     "Long answers refused because too many waited.", (double)stats.jobs.refused);
}

static void live_metrics(struct ht_buffer *out, struct ht_app *app)
{
    uint64_t counts[HT_REFUSAL_COUNT];
    char line[256];
    struct ht_fleet *fleet = ht_live_fleet(app->live);
    struct ht_fleet_counts units = ht_fleet_counts(fleet, ht_clock_now_ms(&app->clock));
    ht_metrics_gauge(out, "houtao_units", "gauge", "Units of the registry.", units.units);
    ht_metrics_gauge(out, "houtao_units_heard", "gauge", "Units that were ever heard.",
                     units.heard);
    ht_metrics_gauge(out, "houtao_units_stale", "gauge", "Of these the silent ones.", units.stale);
    ht_fleet_refusals(fleet, counts);
    ht_buffer_text(out, "# HELP houtao_positions_total Positions, by what became of them.\n"
                        "# TYPE houtao_positions_total counter\n");
    for (int i = 0; i < HT_REFUSAL_COUNT; i++) {
        (void)snprintf(line, sizeof line, "houtao_positions_total{outcome=\"%s\"} %" PRIu64 "\n",
                       ht_refusal_text((enum ht_refusal)i), counts[i]);
        ht_buffer_text(out, line);
    }
}

static void node_metrics(struct ht_buffer *out, const struct ht_app *app)
{
    ht_node_metrics(app->node, out);
    if (app->forwarder != NULL) {
        const struct ht_forward_stats stats = ht_forward_stats(app->forwarder);
        ht_metrics_gauge(out, "houtao_forwarded_total", "counter",
                         "Requests that the desk answered for this node.", (double)stats.answered);
        ht_metrics_gauge(out, "houtao_forward_refused_total", "counter",
                         "Requests that no desk answered.", (double)stats.refused);
    }
}

static void desk_metrics(struct ht_buffer *out, const struct ht_app *app)
{
    struct ht_desk_totals totals;
    char line[128];
    if (app->desk == NULL) {
        return;
    }
    ht_desk_totals(ht_desk_room_desk(app->desk), &totals);
    ht_metrics_gauge(out, "houtao_incidents_held", "gauge", "Incidents in memory.",
                     (double)totals.held);
    ht_metrics_gauge(out, "houtao_incidents_opened_total", "counter", "Incidents ever opened.",
                     (double)totals.opened);
    ht_metrics_gauge(out, "houtao_incidents_at_risk_total", "counter",
                     "Promises that were told to be at risk.", (double)totals.at_risk);
    ht_metrics_gauge(out, "houtao_incidents_escalated_total", "counter",
                     "Clocks of the desk that ran out.", (double)totals.escalated);
    ht_metrics_gauge(out, "houtao_incident_rows_skipped", "gauge",
                     "Rows of incidents that could not be replayed at start.",
                     (double)app->desk_skipped);
    ht_buffer_text(out, "# HELP houtao_incidents Incidents, by state.\n"
                        "# TYPE houtao_incidents gauge\n");
    for (int i = 0; i < HT_INCIDENT_STATES; i++) {
        (void)snprintf(line, sizeof line, "houtao_incidents{state=\"%s\"} %" PRIu64 "\n",
                       ht_incident_state_text((enum ht_incident_state)i), totals.states[i]);
        ht_buffer_text(out, line);
    }
}

static void underway_metrics(struct ht_buffer *out, struct ht_underway *underway)
{
    struct ht_underway_stats stats;
    ht_underway_stats_read(underway, &stats);
    ht_metrics_gauge(out, "houtao_underway_positions_total", "counter",
                     "Positions of vans on their way that were looked at.",
                     (double)stats.positions);
    ht_metrics_gauge(out, "houtao_underway_dropped_total", "counter",
                     "Of these those that were not, because too many waited.",
                     (double)stats.dropped);
    ht_metrics_gauge(out, "houtao_underway_arrivals_total", "counter",
                     "Arrivals at stops that were recognized.", (double)stats.arrivals);
    ht_metrics_gauge(out, "houtao_underway_skipped_total", "counter", "Stops that were left out.",
                     (double)stats.skipped);
    ht_metrics_gauge(out, "houtao_underway_strayed_total", "counter",
                     "Vans that left their planned way.", (double)stats.strayed);
    ht_metrics_gauge(out, "houtao_underway_shifts_total", "counter",
                     "Arrivals that shifted by the set step.", (double)stats.shifts);
}

static void devices_metrics(struct ht_buffer *out, struct ht_device_book *book)
{
    static const char *const standings[] = {"unknown", "refused", "trusted"};
    struct ht_device_book_stats stats;
    char line[128];
    if (book == NULL) {
        return;
    }
    ht_device_book_stats_read(book, &stats);
    ht_buffer_text(out, "# HELP houtao_device_sightings_total Devices that spoke, by standing.\n"
                        "# TYPE houtao_device_sightings_total counter\n");
    for (size_t i = 0; i <= HT_DEVICE_TRUSTED; i++) {
        (void)snprintf(line, sizeof line, "houtao_device_sightings_total{standing=\"%s\"} %zu\n",
                       standings[i], stats.seen[i]);
        ht_buffer_text(out, line);
    }
    ht_metrics_gauge(out, "houtao_devices_unknown", "gauge", "Devices that wait to be accepted.",
                     (double)stats.waiting);
    ht_metrics_gauge(out, "houtao_devices_unknown_dropped_total", "counter",
                     "Of these those that had to leave the list for others.",
                     (double)stats.dropped);
    ht_metrics_gauge(out, "houtao_device_alarms_total", "counter",
                     "Alarms of devices that were handed to the desk.", (double)stats.alarms);
    ht_metrics_gauge(out, "houtao_device_silences_total", "counter",
                     "Incidents made of the silence of a home's kit.", (double)stats.silences);
}

static void planner_metrics(struct ht_buffer *out, const struct ht_app *app)
{
    struct ht_planner_stats stats;
    if (app->planner == NULL) {
        return;
    }
    ht_planner_stats_read(app->planner, &stats);
    ht_metrics_gauge(out, "houtao_planner_plans_total", "counter",
                     "Plans of the day that were made.", (double)stats.plans);
    ht_metrics_gauge(out, "houtao_planner_failures_total", "counter",
                     "Plans of the day that could not be made.", (double)stats.failures);
    ht_metrics_gauge(out, "houtao_planner_last_seconds", "gauge",
                     "How long the last plan of the day took.", (double)stats.last_ms / 1000);
    underway_metrics(out, app->underway);
    ht_arrivals_metrics(app->arrivals, out);
}

static void visits_metrics(struct ht_buffer *out, const struct ht_app *app)
{
    struct ht_visits_totals totals;
    char line[128];
    if (app->visits == NULL) {
        return;
    }
    ht_visits_totals(ht_visits_room_visits(app->visits), &totals);
    ht_metrics_gauge(out, "houtao_visits_skipped", "gauge",
                     "Visits and rectifications that could not be replayed at start.",
                     (double)app->visits_skipped);
    ht_metrics_gauge(out, "houtao_visits_flagged", "gauge", "Visits in memory with a flag.",
                     (double)totals.flagged);
    ht_buffer_text(out, "# HELP houtao_visits Visits in memory, by state.\n"
                        "# TYPE houtao_visits gauge\n");
    for (int i = 0; i < HT_VISIT_STATES; i++) {
        (void)snprintf(line, sizeof line, "houtao_visits{state=\"%s\"} %" PRIu64 "\n",
                       ht_visit_state_text((enum ht_visit_state)i), totals.visits[i]);
        ht_buffer_text(out, line);
    }
    ht_buffer_text(out, "# HELP houtao_rectifications Rectifications in memory, by state.\n"
                        "# TYPE houtao_rectifications gauge\n");
    for (int i = 0; i < HT_RECTIFICATION_STATES; i++) {
        (void)snprintf(line, sizeof line, "houtao_rectifications{state=\"%s\"} %" PRIu64 "\n",
                       ht_rectification_state_text((enum ht_rectification_state)i),
                       totals.notices[i]);
        ht_buffer_text(out, line);
    }
    ht_buffer_text(out, "# HELP houtao_rectifications_overdue Those overdue, by level.\n"
                        "# TYPE houtao_rectifications_overdue gauge\n");
    for (unsigned i = 0; i < HT_VISIT_LEVELS; i++) {
        (void)snprintf(line, sizeof line,
                       "houtao_rectifications_overdue{level=\"%s\"} %" PRIu64 "\n",
                       ht_visit_level_text(i), totals.overdue[i]);
        ht_buffer_text(out, line);
    }
}

static void orders_metrics(struct ht_buffer *out, const struct ht_app *app)
{
    struct ht_orders_totals totals;
    char line[128];
    if (app->orders == NULL) {
        return;
    }
    ht_orders_totals(ht_orders_room_orders(app->orders), &totals);
    ht_metrics_gauge(out, "houtao_orders_held", "gauge", "Orders in memory.", (double)totals.held);
    ht_metrics_gauge(out, "houtao_orders_meals_total", "counter",
                     "Meals handed over, of orders that were in memory since the start.",
                     (double)totals.meals);
    ht_metrics_gauge(out, "houtao_orders_late_total", "counter",
                     "Of these orders, those that came after their window.",
                     (double)totals.delivered_late);
    ht_metrics_gauge(out, "houtao_orders_welfare_total", "counter",
                     "Of these orders, those for which an incident was opened.",
                     (double)totals.incidents);
    ht_metrics_gauge(out, "houtao_orders_skipped", "gauge",
                     "Orders that could not be replayed at start.", (double)app->orders_skipped);
    ht_buffer_text(out,
                   "# HELP houtao_orders Orders that were in memory since the start, by state.\n"
                   "# TYPE houtao_orders gauge\n");
    for (int i = 0; i < HT_ORDER_STATES; i++) {
        (void)snprintf(line, sizeof line, "houtao_orders{state=\"%s\"} %" PRIu64 "\n",
                       ht_order_state_text((enum ht_order_state)i), totals.states[i]);
        ht_buffer_text(out, line);
    }
    ht_buffer_text(out, "# HELP houtao_orders_failed_total Their failures, by reason.\n"
                        "# TYPE houtao_orders_failed_total counter\n");
    for (int i = HT_ORDER_FOR_NONE + 1; i < HT_ORDER_REASONS; i++) {
        (void)snprintf(line, sizeof line, "houtao_orders_failed_total{reason=\"%s\"} %" PRIu64 "\n",
                       ht_order_reason_text((enum ht_order_reason)i), totals.failures[i]);
        ht_buffer_text(out, line);
    }
}

static void network_metrics(struct ht_buffer *out, const struct ht_world *world)
{
    const struct ht_network *network = ht_world_network(world);
    if (network == NULL) {
        return;
    }
    ht_metrics_gauge(out, "houtao_network_profiles", "gauge", "Profiles of the network.",
                     ht_world_road_count(world));
    ht_metrics_gauge(out, "houtao_network_nodes", "gauge", "OSM nodes of the network.",
                     network->node_count);
    ht_metrics_gauge(out, "houtao_network_ways", "gauge", "OSM ways of the network.",
                     network->way_count);
}

static void process_metrics(struct ht_buffer *out, struct ht_app *app)
{
    ht_metrics_gauge(out, "houtao_clock_ahead_seconds", "gauge",
                     "How far the town's clock is before the machine's, which was set back.",
                     (double)ht_clock_ahead_ms(&app->clock) / 1000);
    ht_metrics_gauge(out, "process_resident_memory_bytes", "gauge", "Resident memory.",
                     resident_bytes());
    ht_metrics_gauge(out, "process_start_time_seconds", "gauge", "Start, in Unix seconds.",
                     (double)app->started_s);
}

static void get_metrics(struct ht_app_context *context, struct ht_http_call *call)
{
    enum { PARTS_MAX = 512 };
    struct ht_app *app = context->app;
    struct ht_buffer *out = &call->reply->body;
    struct ht_metrics *parts[PARTS_MAX];
    size_t count = 0;
    call->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
    (void)pthread_mutex_lock(&app->context_lock);
    for (struct ht_app_context *at = app->contexts; at != NULL && count < PARTS_MAX;
         at = at->next) {
        parts[count++] = &at->metrics;
    }
    ht_metrics_write(out, parts, count);
    (void)pthread_mutex_unlock(&app->context_lock);
    ht_buffer_text(out, "# HELP houtao_build_info What is running.\n"
                        "# TYPE houtao_build_info gauge\nhoutao_build_info{version=\"");
    ht_buffer_text(out, ht_version_text());
    ht_buffer_text(out, "\",commit=\"");
    ht_buffer_text(out, ht_version_commit());
    ht_buffer_text(out, "\"} 1\n");
    if (app->server != NULL) {
        server_metrics(out, app->server);
    }
    if (app->stream != NULL) {
        ht_stream_metrics(app->stream, out);
    }
    if (app->descriptors > 0) {
        ht_metrics_gauge(out, "process_max_fds", "gauge", "Descriptors that may be open.",
                         (double)app->descriptors);
    }
    if (app->live != NULL) {
        live_metrics(out, app);
    }
    node_metrics(out, app);
    desk_metrics(out, app);
    orders_metrics(out, app);
    visits_metrics(out, app);
    planner_metrics(out, app);
    devices_metrics(out, app->book);
    ht_mqtt_metrics(app->mqtt, out);
    ht_relay_metrics(app->relay, out);
    ht_learning_metrics(app->learning, out);
    ht_jt808_metrics(app->jt808, out);
    const struct ht_world *world = ht_world_reader_get(&context->world);
    ht_metrics_gauge(out, "houtao_network_open", "gauge", "1 when a network is open.",
                     world == NULL ? 0 : 1);
    if (world != NULL) {
        network_metrics(out, world);
    }
    ht_metrics_gauge(out, "houtao_network_swaps_total", "counter", "Networks opened since start.",
                     (double)atomic_load(&app->swaps));
    ht_tiles_metrics(app->tiles, out);
    if (app->live != NULL) {
        ht_metrics_gauge(out, "houtao_positions_thinned_total", "counter",
                         "Positions left out of the tracks because too many came.",
                         (double)ht_live_thinned(app->live));
    }
    process_metrics(out, app);
}

/* Clients that name JSON but not this version of the description (GDAL) take it as mere JSON. */
static void get_openapi(struct ht_app_context *context, struct ht_http_call *call)
{
    size_t size = 0;
    const char *accept = ht_http_header(call->request, "accept", &size);
    bool plain = accept != NULL && ht_http_list_has(accept, size, "application/json") &&
                 memmem(accept, size, "version=3.1", 11) == NULL;
    (void)context;
    call->reply->content_type =
        plain ? "application/json; charset=UTF-8" : "application/vnd.oai.openapi+json;version=3.1";
    ht_buffer_append(&call->reply->body, ht_openapi_json, ht_openapi_json_size);
}

static void landing_link(struct ht_json *json, const char *rel, const char *href, const char *type,
                         const char *title)
{
    ht_json_object(json);
    ht_json_key_text(json, "rel", rel);
    ht_json_key_text(json, "href", href);
    ht_json_key_text(json, "type", type);
    ht_json_key_text(json, "title", title);
    ht_json_object_end(json);
}

static void get_landing(struct ht_app_context *context, struct ht_http_call *call)
{
    (void)context;
    if (ht_console_wanted(call)) {
        ht_console_front(call);
        return;
    }
    struct ht_json json;
    call->reply->headers = "Vary: Accept\r\n";
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "title", "Houtao");
    ht_json_key_text(&json, "description", "Routes, tables and nearest streets of a town");
    ht_json_key(&json, "links");
    ht_json_array(&json);
    static const char plain[] = "application/json";
    landing_link(&json, "self", "/", plain, "this page");
    landing_link(&json, "service-desc", "/openapi.json",
                 "application/vnd.oai.openapi+json;version=3.1", "the description of this API");
    landing_link(&json, "conformance", "/conformance", plain, "the standards it follows");
    landing_link(&json, "data", "/collections", plain, "the town");
    landing_link(&json, "status", "/healthz", plain, "alive");
    landing_link(&json, "status", "/readyz", plain, "ready to answer");
    landing_link(&json, "monitor", "/metrics", "text/plain", "Prometheus metrics");
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

#define READ "GET, HEAD, OPTIONS"
#define ITEMS "GET, HEAD, POST, OPTIONS"
#define ITEM "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"

static const struct ht_route table[] = {
    {"/", READ, HT_SERVICE_ABOUT, true, HT_ROLE_NONE, HT_ROLE_NONE, .get = get_landing},
    {"/healthz", READ, HT_SERVICE_ABOUT, true, HT_ROLE_NONE, HT_ROLE_NONE, .get = get_health},
    {"/readyz", READ, HT_SERVICE_ABOUT, true, HT_ROLE_NONE, HT_ROLE_NONE, .get = get_ready},
    {"/metrics", READ, HT_SERVICE_ABOUT, false, HT_ROLE_VIEWER, HT_ROLE_NONE, .get = get_metrics},
    {"/openapi.json", READ, HT_SERVICE_ABOUT, true, HT_ROLE_NONE, HT_ROLE_NONE, .get = get_openapi},
    {"/conformance", READ, HT_SERVICE_ABOUT, true, HT_ROLE_NONE, HT_ROLE_NONE,
     .get = ht_ogc_conformance},
    {"/collections", READ, HT_SERVICE_ITEMS, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_ogc_collections},
    {"/collections/{collection}", READ, HT_SERVICE_ITEMS, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_ogc_collection},
    {"/collections/{collection}/items", ITEMS, HT_SERVICE_ITEMS, false, HT_ROLE_VIEWER,
     HT_ROLE_DISPATCHER, .get = ht_ogc_items, .post = ht_ogc_items_post},
    {"/collections/{collection}/items/{id}", ITEM, HT_SERVICE_ITEMS, false, HT_ROLE_VIEWER,
     HT_ROLE_DISPATCHER, .get = ht_ogc_item, .put = ht_ogc_item_put, .patch = ht_ogc_item_patch,
     .del = ht_ogc_item_delete},
    {"/tiles/{layer}/{z}/{x}/{y}.mvt", READ, HT_SERVICE_ITEMS, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_tiles_get},
    {"/console/{file}", READ, HT_SERVICE_ABOUT, false, HT_ROLE_NONE, HT_ROLE_NONE,
     .get = ht_console_get},
    {"/v1/positions", "POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_DEVICE, HT_ROLE_DEVICE,
     .post = ht_positions_post},
    {"/osmand", "GET, HEAD, POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_DEVICE, HT_ROLE_DEVICE,
     .get = ht_osmand, .post = ht_osmand, .desk = HT_DESK_WRITES},
    {"/v1/near", READ, HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_NONE, .get = ht_near_get,
     .desk = HT_DESK_OFFICERS},
    {"/v1/search", READ, HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_NONE, .get = ht_search_get,
     .desk = HT_DESK_OFFICERS},
    {"/v1/closest", "GET, HEAD, POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_VIEWER,
     HT_ROLE_VIEWER, .get = ht_closest_get, .post = ht_closest_post},
    {"/v1/assign", "POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_VIEWER,
     .post = ht_assign_post},
    {"/v1/optimize", "POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_VIEWER,
     .post = ht_optimize_post},
    {"/v1/isochrone", READ, HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_isochrone_get},
    {"/v1/coverage", READ, HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_coverage_get, .desk = HT_DESK_OFFICERS},
    {"/v1/coverage/moves", "POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_VIEWER,
     .post = ht_coverage_moves_post, .desk = HT_DESK_OFFICERS},
    {"/v1/stream", READ, HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_stream_get},
    {"/v1/traffic", "POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_DISPATCHER, HT_ROLE_DISPATCHER,
     .post = ht_traffic_post},
    {"/v1/speeds", READ, HT_SERVICE_LIVE, false, HT_ROLE_VIEWER, HT_ROLE_NONE, .get = ht_speeds_get,
     .desk = HT_DESK_FIRST},
    {"/v1/incidents", "GET, HEAD, POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER,
     HT_ROLE_DEVICE, .get = ht_incidents_get, .post = ht_incidents_post},
    {"/v1/incidents/report", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_incidents_report},
    {"/v1/incidents/{id}", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_incident_get},
    {"/v1/incidents/{id}/history", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_incident_history},
    {"/v1/incidents/{id}/events", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DEVICE,
     HT_ROLE_DEVICE, .post = ht_incident_event_post},
    {"/v1/incidents/{id}/personal", "DELETE, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN,
     HT_ROLE_ADMIN, .del = ht_incident_erase},
    {"/v1/orders", "GET, HEAD, POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER,
     HT_ROLE_DISPATCHER, .get = ht_orders_list_get, .post = ht_orders_post},
    {"/v1/orders/{id}", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_order_get},
    {"/v1/orders/{id}/history", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_order_history},
    {"/v1/orders/{id}/events", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DEVICE,
     HT_ROLE_DEVICE, .post = ht_order_event_post},
    {"/v1/orders/{id}/personal", "DELETE, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN,
     HT_ROLE_ADMIN, .del = ht_order_erase},
    {"/v1/events", READ, HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN, HT_ROLE_NONE,
     .get = ht_events_get},
    {"/v1/visits", "GET, HEAD, POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER,
     HT_ROLE_DEVICE, .get = ht_visits_get_list, .post = ht_visits_post},
    {"/v1/visits/{id}", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_visit_get},
    {"/v1/visits/{id}/history", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_visit_history_get},
    {"/v1/visits/{id}/events", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER,
     HT_ROLE_DISPATCHER, .post = ht_visit_event_post},
    {"/v1/visits/{id}/result", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DEVICE,
     HT_ROLE_DEVICE, .post = ht_visit_result_post},
    {"/v1/visits/{id}/personal", "DELETE, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN,
     HT_ROLE_ADMIN, .del = ht_visit_erase},
    {"/v1/rectifications", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_rectifications_get_list},
    {"/v1/rectifications/sums", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_rectification_sums_get},
    {"/v1/rectifications/wanted", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_rectifications_wanted_get},
    {"/v1/rectifications/checks", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER,
     HT_ROLE_DISPATCHER, .post = ht_rectification_checks_post},
    {"/v1/rectifications/{id}", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_rectification_get},
    {"/v1/rectifications/{id}/history", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER,
     HT_ROLE_NONE, .get = ht_rectification_history_get},
    {"/v1/rectifications/{id}/notice", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_rectification_notice_get},
    {"/v1/rectifications/{id}/events", "POST, OPTIONS", HT_SERVICE_OFFICE, false,
     HT_ROLE_DISPATCHER, HT_ROLE_DISPATCHER, .post = ht_rectification_event_post},
    {"/v1/rectifications/{id}/personal", "DELETE, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN,
     HT_ROLE_ADMIN, .del = ht_rectification_erase},
    {"/t/{token}", READ, HT_SERVICE_OFFICE, false, HT_ROLE_NONE, HT_ROLE_NONE,
     .get = ht_order_track, .desk = HT_DESK_FIRST},
    {"/v1/units/{id}/plan", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_planner_unit_get, .desk = HT_DESK_FIRST},
    {"/v1/units/{id}/events", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DEVICE,
     HT_ROLE_DEVICE, .post = ht_unit_event_post},
    {"/v1/units/{id}/track", "GET, HEAD, DELETE, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_VIEWER,
     HT_ROLE_ADMIN, .get = ht_track_get, .del = ht_track_delete},
    {"/v1/rounds", "GET, HEAD, POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER,
     HT_ROLE_DISPATCHER, .get = ht_rounds_get, .post = ht_rounds_post},
    {"/v1/rounds/{id}", "GET, HEAD, DELETE, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER,
     HT_ROLE_DISPATCHER, .get = ht_round_get, .del = ht_round_delete},
    {"/v1/rounds/{id}/report", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_round_report},
    {"/v1/rounds/{id}/replan", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER,
     HT_ROLE_DISPATCHER, .post = ht_round_replan},
    {"/v1/territories", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER,
     HT_ROLE_DISPATCHER, .post = ht_territories_post},
    {"/v1/inspectors/{id}.ics", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_inspector_ics},
    {"/v1/settings", READ, HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER, HT_ROLE_NONE,
     .get = ht_settings_get},
    {"/v1/settings/{name}", "GET, HEAD, PUT, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER,
     HT_ROLE_ADMIN, .get = ht_setting_get, .put = ht_setting_put},
    {"/v1/settings/{name}/history", READ, HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER,
     HT_ROLE_NONE, .get = ht_setting_history_get},
    {"/v1/regimes", READ, HT_SERVICE_OFFICE, false, HT_ROLE_VIEWER, HT_ROLE_NONE,
     .get = ht_regimes_get},
    {"/v1/regimes/{name}", "GET, HEAD, POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_DISPATCHER,
     HT_ROLE_ADMIN, .get = ht_regime_get, .post = ht_regime_post},
    {"/v1/webhooks", "GET, HEAD, POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN,
     HT_ROLE_ADMIN, .get = ht_webhooks_get, .post = ht_webhooks_post},
    {"/v1/webhooks/{id}", "GET, HEAD, DELETE, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN,
     HT_ROLE_ADMIN, .get = ht_webhook_get, .del = ht_webhook_delete},
    {"/v1/me", READ, HT_SERVICE_ABOUT, false, HT_ROLE_VIEWER, HT_ROLE_NONE, .get = ht_access_me},
    {"/v1/devices/unknown", READ, HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN, HT_ROLE_NONE,
     .get = ht_devices_unknown_get, .desk = HT_DESK_FIRST},
    {"/v1/devices/{id}/accept", "POST, OPTIONS", HT_SERVICE_OFFICE, false, HT_ROLE_ADMIN,
     HT_ROLE_ADMIN, .post = ht_device_accept_post},
    {HT_RELAY_PATH, "POST, OPTIONS", HT_SERVICE_LIVE, false, HT_ROLE_NONE, HT_ROLE_NONE,
     .post = ht_relay_post, .desk = HT_DESK_NEVER},
    {"/v1/clock", "GET, HEAD, POST, OPTIONS", HT_SERVICE_CLOCK, false, HT_ROLE_VIEWER,
     HT_ROLE_ADMIN, .get = ht_clock_get, .post = ht_clock_post, .desk = HT_DESK_NEVER},
    {"/v1/network", "POST, OPTIONS", HT_SERVICE_NETWORK, false, HT_ROLE_ADMIN, HT_ROLE_ADMIN,
     .post = ht_network_post, .desk = HT_DESK_NEVER},
};

const struct ht_route *ht_routes(size_t *count)
{
    *count = sizeof table / sizeof table[0];
    return table;
}

/* Whether the path is of the pattern; what its names in braces stand for, which is never empty, to
 * `params`. */
static bool path_is(const char *pattern, const char *path, size_t size, struct ht_http_span *params)
{
    size_t at = 0;
    int found = 0;
    for (; *pattern != '\0'; pattern++) {
        if (pattern[0] == '{') {
            size_t begin = at;
            pattern = strchr(pattern, '}');
            size_t tail = strcspn(pattern + 1, "/"); /* what follows within the part */
            while (at < size && path[at] != '/') {
                at++;
            }
            if (at - begin <= tail) {
                return false;
            }
            at -= tail;
            params[found++] = (struct ht_http_span){begin, at - begin};
        } else if (at == size || path[at++] != *pattern) {
            return false;
        }
    }
    return at == size;
}

static const struct ht_route *route_find(struct ht_http_call *call)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (path_is(table[i].path, call->request->target, call->request->path_size, call->params)) {
            return &table[i];
        }
    }
    return NULL;
}

static void answer_options(struct ht_http_call *call, const char *allow, bool cors)
{
    call->reply->allow = allow;
    call->reply->cors = cors;
}

static void answer_not_allowed(struct ht_http_call *call, const char *allow)
{
    ht_reply_problem(call->reply, 405, "Method Not Allowed", NULL);
    call->reply->allow = allow;
}

static ht_route_handler *handler_of(const struct ht_route *route, enum ht_http_method method)
{
    switch (method) {
    case HT_HTTP_GET:
    case HT_HTTP_HEAD:
        return route->get;
    case HT_HTTP_POST:
        return route->post;
    case HT_HTTP_PUT:
        return route->put;
    case HT_HTTP_PATCH:
        return route->patch;
    case HT_HTTP_DELETE:
        return route->del;
    case HT_HTTP_OPTIONS:
    case HT_HTTP_OTHER:
    default:
        return NULL;
    }
}

static bool is_read(enum ht_http_method method)
{
    return method == HT_HTTP_GET || method == HT_HTTP_HEAD;
}

/* What who follows an order, by its token, may read, too: streets and the time. */
static bool is_for_residents(const struct ht_route *route)
{
    return route->get == ht_tiles_get || route->get == ht_clock_get;
}

/* Whether the caller may; else the answer is written. `resident`: who follows an order may read. */
static bool may(struct ht_app_context *context, struct ht_http_call *call, enum ht_role need,
                bool resident)
{
    return (resident && is_read(call->request->method) &&
            ht_order_token_holds(context, call->request)) ||
           ht_access_allow(context, call, need);
}

static void route_call(struct ht_app_context *context, const struct ht_route *route,
                       struct ht_http_call *call)
{
    enum ht_http_method method = call->request->method;
    ht_route_handler *handler = handler_of(route, method);
    call->service = route->service;
    if (method == HT_HTTP_OPTIONS) {
        answer_options(call, route->allow, route->cors);
    } else if (handler == NULL) {
        answer_not_allowed(call, route->allow);
    } else if (may(context, call, is_read(method) ? route->read : route->write,
                   is_for_residents(route)) &&
               (is_read(method) || ht_access_own_page(call))) {
        call->reply->cors = route->cors && is_read(method);
        if (!ht_forward(context, route, call)) {
            handler(context, call);
        }
    }
}

static void osrm_call(struct ht_app_context *context, struct ht_http_call *call)
{
    enum ht_http_method method = call->request->method;
    call->service = ht_osrm_service(call->request->target, call->request->path_size);
    if (method == HT_HTTP_OPTIONS) {
        answer_options(call, OSRM_ALLOW, true);
    } else if (is_read(method) || method == HT_HTTP_POST) {
        call->reply->cors = method != HT_HTTP_POST;
        if (may(context, call, HT_ROLE_VIEWER, call->service == HT_SERVICE_NEAREST)) {
            ht_osrm_call(context, call);
        }
    } else {
        answer_not_allowed(call, OSRM_ALLOW);
    }
}

void ht_routes_handle(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    if (request->target_size == 1 && request->target[0] == '*') {
        answer_options(call, OSRM_ALLOW, false);
        return;
    }
    const struct ht_route *route = route_find(call);
    if (route != NULL) {
        route_call(context, route, call);
    } else if (ht_osrm_owns(request->target, request->path_size)) {
        osrm_call(context, call);
    } else {
        ht_reply_problem(call->reply, 404, "Not Found", NULL);
    }
}
