/* The route service. */
#include "api/osrm_work.h"

/* How OSRM tells apart why there is no route: whether some component touches every stop. */
static bool share_component(const struct ht_osrm_job *job)
{
    const struct ht_place *places = ht_osrm_places(job);
    const struct ht_stop *stops = ht_osrm_stops(job);
    for (uint32_t i = 0; i < stops[0].count; i++) {
        bool all = true;
        for (size_t k = 1; all && k < job->work->stops.count; k++) {
            bool any = false;
            for (uint32_t c = 0; c < stops[k].count; c++) {
                any = any ||
                      places[stops[k].first + c].component == places[stops[0].first + i].component;
            }
            all = any;
        }
        if (all) {
            return true;
        }
    }
    return false;
}

void ht_osrm_no_route(const struct ht_osrm_job *job)
{
    ht_osrm_error(job->reply, "NoRoute",
                  share_component(job) ? "No route found between points"
                                       : "Impossible route between points");
}

static struct ht_route_request route_request(const struct ht_osrm_job *job)
{
    const struct ht_osrm_request *request = job->request;
    bool straight = request->continue_straight == HT_OSRM_STRAIGHT_DEFAULT
                        ? job->road->graph->continue_straight
                        : request->continue_straight == HT_OSRM_STRAIGHT_YES;
    return (struct ht_route_request){
        .places = ht_osrm_places(job),
        .stops = ht_osrm_stops(job),
        .stop_count = (uint32_t)job->work->stops.count,
        .continue_straight = straight,
        /* costs alone need no arcs */
        .with_arcs = request->steps || request->annotate || job->avoids ||
                     request->overview != HT_OSRM_OVERVIEW_NONE,
    };
}

/* Two stops: the best way and others beside it, each written as a route. */
static enum ht_status write_alternatives(struct ht_osrm_job *job, struct ht_json *json,
                                         const struct ht_route_found *best)
{
    struct ht_osrm *work = job->work;
    struct ht_leg leg = best->legs[0];
    const struct ht_place *places = ht_osrm_places(job);
    uint32_t most = job->request->alternatives;
    uint32_t found = 0;
    enum ht_status status = ht_osrm_list_resize(&work->ways, most + 1, sizeof(struct ht_way_found));
    if (status == HT_OK) {
        status = ht_query_alternatives(work->query, job->road, &places[leg.source],
                                       &places[leg.target], most, work->ways.data, &found);
    }
    const struct ht_way_found *ways = work->ways.data;
    for (uint32_t i = 0; status == HT_OK && i < found; i++) {
        struct ht_route_found route;
        status = ht_route_adopt(work->route, &ways[i], leg.source, leg.target, &route);
        if (status == HT_OK) {
            status = ht_osrm_write_route(job, json, &route, NULL);
        }
    }
    return status;
}

static bool is_cut(const struct ht_osrm_job *job, uint32_t arc)
{
    size_t low = 0;
    size_t high = job->cuts.count;
    uint32_t base = arc == HT_NONE ? arc : ht_arc_base(job->road->graph, arc);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (job->cuts.list[middle].arc < base) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < job->cuts.count && job->cuts.list[low].arc == base;
}

/* Whether neither the places that were looked at nor the way lie on what the request keeps off:
 * then the places are the nearest without it, too, and the way is the cheapest. */
static bool untouched(const struct ht_osrm_job *job, const struct ht_route_found *found)
{
    const struct ht_place *places = ht_osrm_places(job);
    for (size_t i = 0; i < job->work->places.count; i++) {
        if (is_cut(job, places[i].side[0].arc) || is_cut(job, places[i].side[1].arc)) {
            return false;
        }
    }
    for (uint32_t l = 0; l < found->leg_count; l++) {
        for (uint32_t i = 0; i < found->legs[l].arc_count; i++) {
            if (is_cut(job, found->arcs[found->legs[l].first_arc + i])) {
                return false;
            }
        }
    }
    return true;
}

/* Places and way. False: the error is in the reply. */
static bool find(struct ht_osrm_job *job, struct ht_route_request *wanted,
                 struct ht_route_found *found, enum ht_status *status)
{
    if (!ht_osrm_snap(job)) {
        return false;
    }
    do {
        *wanted = route_request(job);
        *status = ht_route_run(job->work->route, job->work->query, job->road, wanted, found);
    } while (*status == HT_NO_ROUTE && ht_osrm_snap_again(job, NULL));
    return true;
}

/* Estimates that a guided way may need: some 25 ms. Where that does not do, much of the way is
 * another one, and bringing a metric up to date is the shorter work. */
enum { GUIDED_MOST = 30000 };

/* The way that keeps off what the request does, guided by what it was without. False: it is to be
 * found otherwise. */
static bool find_guided(struct ht_osrm_job *job, struct ht_route_request *wanted,
                        struct ht_route_found *found, enum ht_status *status)
{
    struct ht_query *query = job->work->query;
    if (!ht_osrm_detour_light(job)) {
        return false;
    }
    bool ready = ht_query_guide(query, GUIDED_MOST) == HT_OK && find(job, wanted, found, status);
    enum ht_status over = ht_query_guide(query, 0);
    (void)over; /* that takes no memory */
    return ready && *status != HT_TOO_BIG;
}

void ht_osrm_route(struct ht_osrm_job *job)
{
    struct ht_osrm *work = job->work;
    const struct ht_osrm_request *request = job->request;
    struct ht_route_request wanted;
    struct ht_route_found found;
    enum ht_status status = HT_OK;
    bool ready = find(job, &wanted, &found, &status);
    if (job->avoids && !(ready && status == HT_OK && untouched(job, &found))) {
        ht_reply_reset(job->reply);
        ready = find_guided(job, &wanted, &found, &status);
        if (!ready) {
            ht_reply_reset(job->reply);
            ready = ht_osrm_detour(job) && find(job, &wanted, &found, &status);
        }
    }
    if (!ready) {
        return;
    }
    if (status == HT_NO_ROUTE) {
        ht_osrm_no_route(job);
        return;
    }
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
        return;
    }
    struct ht_json json;
    ht_json_begin(&json, &job->reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "code", "Ok");
    ht_json_key(&json, "routes");
    ht_json_array(&json);
    if (request->alternatives > 0 && wanted.stop_count == 2) {
        status = write_alternatives(job, &json, &found);
    } else {
        status = ht_osrm_write_route(job, &json, &found, &request->waypoints);
    }
    ht_json_array_end(&json);
    if (!request->skip_waypoints) {
        ht_json_key(&json, "waypoints");
        ht_osrm_write_waypoints(job, &json, NULL, work->stops.count);
    }
    ht_json_object_end(&json);
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
    }
}
