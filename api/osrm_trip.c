/* The trip service: the order of stops that takes the least time, and the route through them. */
#include "api/osrm_work.h"
#include "engine/plan/tour.h"

static bool all_connected(const struct ht_cost *costs, size_t cells)
{
    for (size_t i = 0; i < cells; i++) {
        if (costs[i].weight_ms >= HT_WEIGHT_INF) {
            return false;
        }
    }
    return true;
}

/* OSRM's rotation: a trip begins at the first coordinate; with a fixed end only, a round trip
 * begins (and ends) at the last one and a path ends there. */
static uint32_t first_stop(const struct ht_osrm_request *request, const uint32_t *tour, uint32_t n)
{
    uint32_t wanted = !request->destination_last || request->source_first ? 0 : n - 1;
    uint32_t at = 0;
    while (tour[at] != wanted) {
        at++;
    }
    if (wanted != 0 && !request->roundtrip) {
        at = at + 1 == n ? 0 : at + 1;
    }
    return at;
}

/* The order of visits into order[n]; `durations` is changed. */
static enum ht_status find_order(const struct ht_osrm_request *request, uint32_t *durations,
                                 uint32_t n, uint32_t *order, uint32_t *tour)
{
    bool both = request->source_first && request->destination_last;
    if (both || !request->roundtrip) {
        ht_tour_fix(durations, n, request->source_first ? 0 : HT_TOUR_ANYWHERE,
                    request->destination_last ? n - 1 : HT_TOUR_ANYWHERE);
    }
    enum ht_status status = ht_tour_find(durations, n, tour);
    if (status != HT_OK) {
        return status;
    }
    uint32_t begin = first_stop(request, tour, n);
    for (uint32_t i = 0; i < n; i++) {
        order[i] = tour[(begin + i) % n];
    }
    return HT_OK;
}

/* The route through the stops in that order; turning round at stops is allowed, as in OSRM. */
static enum ht_status find_route(struct ht_osrm_job *job, const uint32_t *order, uint32_t n,
                                 struct ht_route_found *found)
{
    struct ht_osrm *work = job->work;
    const struct ht_osrm_request *request = job->request;
    uint32_t count = request->roundtrip ? n + 1 : n;
    enum ht_status status = ht_osrm_list_resize(&work->round, count, sizeof(struct ht_stop));
    if (status != HT_OK) {
        return status;
    }
    struct ht_stop *stops = work->round.data;
    for (uint32_t i = 0; i < count; i++) {
        stops[i] = ht_osrm_stops(job)[order[i % n]];
    }
    const struct ht_route_request wanted = {
        .places = ht_osrm_places(job),
        .stops = stops,
        .stop_count = count,
        .continue_straight = false,
        .with_arcs =
            request->steps || request->annotate || request->overview != HT_OSRM_OVERVIEW_NONE,
    };
    return ht_route_run(work->route, work->query, job->road, &wanted, found);
}

static void write_waypoints(const struct ht_osrm_job *job, struct ht_json *json,
                            const uint32_t *order, uint32_t n)
{
    const struct ht_stop *stops = ht_osrm_stops(job);
    ht_json_key(json, "waypoints");
    ht_json_array(json);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t position = 0;
        while (order[position] != i) {
            position++;
        }
        ht_json_object(json);
        ht_json_key_int(json, "waypoint_index", position);
        ht_json_key_int(json, "trips_index", 0);
        ht_osrm_write_waypoint(job, json, ht_osrm_places(job) + stops[i].first, stops[i].count);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static enum ht_status write_answer(struct ht_osrm_job *job, const uint32_t *order, uint32_t n)
{
    struct ht_route_found found;
    enum ht_status status = find_route(job, order, n, &found);
    if (status != HT_OK) {
        return status;
    }
    struct ht_json json;
    ht_json_begin(&json, &job->reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "code", "Ok");
    ht_json_key(&json, "trips");
    ht_json_array(&json);
    status = ht_osrm_write_route(job, &json, &found, NULL);
    ht_json_array_end(&json);
    if (!job->request->skip_waypoints) {
        write_waypoints(job, &json, order, n);
    }
    ht_json_object_end(&json);
    return status;
}

void ht_osrm_trip(struct ht_osrm_job *job)
{
    struct ht_osrm *work = job->work;
    if (!ht_osrm_snap(job)) {
        return;
    }
    uint32_t n = (uint32_t)work->stops.count;
    size_t cells = (size_t)n * n;
    struct ht_cost *costs = NULL;
    enum ht_status status = ht_osrm_matrix(job, &costs);
    while (status == HT_OK && !all_connected(costs, cells) && ht_osrm_snap_again(job, NULL)) {
        status = ht_osrm_matrix(job, &costs);
    }
    if (status == HT_OK && !all_connected(costs, cells)) {
        ht_osrm_error(job->reply, "NoTrips", "No trip visiting all destinations possible.");
        return;
    }
    if (status == HT_OK) { /* the matrix, the order, the tour */
        status = ht_osrm_list_resize(&work->numbers, cells + 2 * (size_t)n, sizeof(uint32_t));
    }
    if (status == HT_OK) {
        uint32_t *durations = work->numbers.data;
        for (size_t i = 0; i < cells; i++) {
            durations[i] = costs[i].duration_ms;
        }
        status = find_order(job->request, durations, n, durations + cells, durations + cells + n);
        if (status == HT_OK) {
            status = write_answer(job, durations + cells, n);
        }
    }
    if (status == HT_NO_ROUTE) {
        ht_osrm_error(job->reply, "NoTrips", "No trip visiting all destinations possible.");
    } else if (status != HT_OK) {
        ht_osrm_fail(job, status);
    }
}
