/* The match service: a trace of positions matched to the streets (docs/http.md of OSRM 6.0). */
#include "api/osrm_work.h"
#include "engine/road/match.h"

static const double SIGMA_M = 5.0; /* where radiuses says nothing */
static const double SIGMA_LEAST_M = 1.0;
static const double SIGMA_MOST_M = 1000.0;
static const double TIDY_M = 15.0;
static const uint32_t TIDY_S = 5;

/* One that does not, in work->numbers (which spot a coordinate became). */
static const uint32_t GONE = HT_NONE;

static bool asked_for(const struct ht_osrm_request *request, uint32_t index)
{
    const uint32_t *waypoints = request->waypoints.data;
    for (size_t i = 0; i < request->waypoints.count; i++) {
        if (waypoints[i] == index) {
            return true;
        }
    }
    return request->waypoints.count == 0;
}

/* With tidy, coordinates are left out until 15 m (and, with timestamps, 5 s) have passed; the first
 * and the last stay. A waypoint that is left out passes to the one kept before it. */
static enum ht_status tidy(struct ht_osrm_job *job)
{
    const struct ht_osrm_request *request = job->request;
    const struct ht_point *points = ht_osrm_points(request);
    const uint32_t *times = request->timestamps.count > 0 ? request->timestamps.data : NULL;
    uint32_t count = (uint32_t)ht_osrm_point_count(request);
    struct ht_osrm_list *list = &job->work->kept;
    double passed_m = 0;
    uint32_t passed_s = 0;
    list->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool keep = !request->tidy || i == 0 || i + 1 == count;
        if (!keep) {
            passed_m += ht_distance_m(points[i - 1], points[i]);
            passed_s += times == NULL ? TIDY_S : times[i] - times[i - 1];
            keep = passed_m >= TIDY_M && passed_s >= TIDY_S;
        }
        if (!keep) {
            struct ht_osrm_kept *last = (struct ht_osrm_kept *)list->data + (list->count - 1);
            last->waypoint |= asked_for(request, i);
            continue;
        }
        struct ht_osrm_kept one = {i, asked_for(request, i)};
        passed_m = 0;
        passed_s = 0;
        if (!ht_osrm_list_add(list, &one, sizeof one)) {
            return HT_NOMEM;
        }
    }
    return HT_OK;
}

static double sigma_of(const struct ht_osrm_request *request, uint32_t index)
{
    double radius = NAN;
    if (request->radiuses.count > 0) {
        radius = ((const double *)request->radiuses.data)[index];
    }
    double sigma = isnan(radius) ? SIGMA_M : radius < 0 ? 0 : radius;
    return sigma > SIGMA_MOST_M ? SIGMA_MOST_M : sigma;
}

static enum ht_status make_fixes(struct ht_osrm_job *job)
{
    struct ht_osrm *work = job->work;
    const struct ht_osrm_request *request = job->request;
    const struct ht_osrm_kept *kept = work->kept.data;
    const uint32_t *times = request->timestamps.count > 0 ? request->timestamps.data : NULL;
    enum ht_status status =
        ht_osrm_list_resize(&work->fixes, work->kept.count, sizeof(struct ht_match_fix));
    struct ht_match_fix *fixes = work->fixes.data;
    for (size_t i = 0; status == HT_OK && i < work->kept.count; i++) {
        uint32_t index = kept[i].index;
        double sigma = sigma_of(request, index);
        fixes[i] = (struct ht_match_fix){
            .point = ht_osrm_points(request)[index],
            .time_ms = times == NULL ? HT_MATCH_NO_TIME : (int64_t)times[index] * 1000,
            .sigma_m = sigma < SIGMA_LEAST_M ? SIGMA_LEAST_M : sigma,
            .snap = ht_osrm_snap_options(job, index),
        };
        fixes[i].snap.radius_m = 3.0 * sigma;
    }
    return status;
}

/* OSRM's max_speed_for_map_matching of its profiles. */
static double max_speed_mps(const struct ht_graph *graph)
{
    static const double driving = 180.0 / 3.6;
    static const double cycling = 110.0 / 3.6;
    static const double walking = 40.0 / 3.6;
    for (uint32_t a = 0; a < graph->base_arc_count; a++) {
        switch ((enum ht_mode)graph->arcs[a].mode) {
        case HT_MODE_DRIVING:
            return driving;
        case HT_MODE_CYCLING:
        case HT_MODE_PUSHING:
            return cycling;
        case HT_MODE_WALKING:
            return walking;
        case HT_MODE_NONE:
        case HT_MODE_FERRY:
        case HT_MODE_TRAIN:
            break;
        }
    }
    return driving;
}

static bool no_match(const struct ht_osrm_job *job, const char *text)
{
    ht_osrm_error(job->reply, "NoMatch", "%s", text);
    return false;
}

/* The trace matched. False: the error is in the reply. */
static bool find(struct ht_osrm_job *job, struct ht_match_found *found)
{
    struct ht_osrm *work = job->work;
    const struct ht_osrm_request *request = job->request;
    struct ht_match_options options = ht_match_options_default();
    enum ht_status status = make_fixes(job);
    options.max_speed_mps = max_speed_mps(job->road->graph);
    options.split = !request->gaps_ignore;
    if (status == HT_OK) {
        status = ht_match_run(work->match, job->road, &options, work->fixes.data,
                              (uint32_t)work->fixes.count, found);
    }
    if (status == HT_NO_SEGMENT) {
        ht_osrm_error(job->reply, "NoSegment",
                      "Could not find a matching segment for any coordinate.");
        return false;
    }
    if (status == HT_NO_ROUTE) {
        return no_match(job, "Could not match the trace.");
    }
    if (status == HT_TOO_BIG) {
        ht_osrm_error(job->reply, "TooBig", "Trace coordinates lie too far apart");
        return false;
    }
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
        return false;
    }
    if (found->part_count > 1 && request->waypoints.count > 0) {
        return no_match(job, "Could not match the trace with the given waypoints.");
    }
    return true;
}

static bool ends_are_waypoints(const struct ht_osrm_job *job)
{
    const struct ht_osrm_kept *kept = job->work->kept.data;
    size_t count = job->work->kept.count;
    if (!kept[0].waypoint || !kept[count - 1].waypoint) {
        ht_osrm_error(job->reply, "InvalidValue",
                      "First and last coordinates must be specified as waypoints.");
        return false;
    }
    return true;
}

/* Which spot each kept coordinate became, into work->numbers; false: a waypoint became none. */
static bool find_spots(struct ht_osrm_job *job, const struct ht_match_found *found,
                       enum ht_status *status)
{
    struct ht_osrm *work = job->work;
    const struct ht_osrm_kept *kept = work->kept.data;
    *status = ht_osrm_list_resize(&work->numbers, work->kept.count, sizeof(uint32_t));
    if (*status != HT_OK) {
        return true;
    }
    uint32_t *numbers = work->numbers.data;
    for (size_t i = 0; i < work->kept.count; i++) {
        numbers[i] = GONE;
    }
    for (uint32_t p = 0; p < found->part_count; p++) {
        for (uint32_t s = 0; s < found->parts[p].count; s++) {
            uint32_t spot = found->parts[p].first + s;
            numbers[found->spots[spot].fix] = spot;
        }
    }
    for (size_t i = 0; job->request->waypoints.count > 0 && i < work->kept.count; i++) {
        if (kept[i].waypoint && numbers[i] == GONE) {
            return false;
        }
    }
    return true;
}

/* One matching: its places, the spots that end legs, the route through them. */
static enum ht_status write_matching(struct ht_osrm_job *job, struct ht_json *json,
                                     const struct ht_match_found *found, uint32_t part)
{
    struct ht_osrm *work = job->work;
    const struct ht_match_part *p = &found->parts[part];
    const struct ht_osrm_kept *kept = work->kept.data;
    struct ht_route_found route;
    enum ht_status status = ht_osrm_list_resize(&work->places, p->count, sizeof(struct ht_place));
    work->ends.count = 0; /* waypoints, by their number in the part */
    for (uint32_t i = 0; status == HT_OK && i < p->count; i++) {
        const struct ht_match_spot *spot = &found->spots[p->first + i];
        ((struct ht_place *)work->places.data)[i] = spot->place;
        if (kept[spot->fix].waypoint && !ht_osrm_list_add(&work->ends, &i, sizeof i)) {
            status = HT_NOMEM;
        }
    }
    if (status == HT_OK) {
        status = ht_match_route(work->match, job->road, found, part, &route);
    }
    if (status == HT_OK) {
        job->confidence = &p->confidence;
        status = ht_osrm_write_route(job, json, &route,
                                     job->request->waypoints.count > 0 ? &work->ends : NULL);
        job->confidence = NULL;
    }
    return status;
}

static void write_tracepoint(const struct ht_osrm_job *job, struct ht_json *json,
                             const struct ht_match_found *found, uint32_t number, int64_t waypoint)
{
    const struct ht_match_spot *spot = &found->spots[number];
    uint32_t part = 0;
    while (number >= found->parts[part].first + found->parts[part].count) {
        part++;
    }
    ht_json_object(json);
    ht_json_key_int(json, "alternatives_count", spot->alternatives);
    ht_json_key(json, "waypoint_index");
    if (waypoint < 0) {
        ht_json_null(json);
    } else {
        ht_json_int(json, job->request->waypoints.count > 0 ? waypoint
                                                            : number - found->parts[part].first);
    }
    ht_json_key_int(json, "matchings_index", part);
    ht_osrm_write_waypoint(job, json, &spot->place, 1);
    ht_json_object_end(json);
}

/* One for each coordinate; null where it was left out. */
static void write_tracepoints(const struct ht_osrm_job *job, struct ht_json *json,
                              const struct ht_match_found *found)
{
    const struct ht_osrm *work = job->work;
    const struct ht_osrm_kept *kept = work->kept.data;
    const uint32_t *numbers = work->numbers.data;
    size_t next = 0;
    int64_t waypoint = 0;
    ht_json_key(json, "tracepoints");
    ht_json_array(json);
    for (uint32_t i = 0; i < ht_osrm_point_count(job->request); i++) {
        if (next == work->kept.count || kept[next].index != i) {
            ht_json_null(json);
            continue;
        }
        if (numbers[next] == GONE) {
            ht_json_null(json);
        } else {
            write_tracepoint(job, json, found, numbers[next],
                             kept[next].waypoint ? waypoint++ : -1);
        }
        next++;
    }
    ht_json_array_end(json);
}

static void write_answer(struct ht_osrm_job *job, const struct ht_match_found *found)
{
    struct ht_json json;
    enum ht_status status = HT_OK;
    ht_json_begin(&json, &job->reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "code", "Ok");
    ht_json_key(&json, "matchings");
    ht_json_array(&json);
    for (uint32_t p = 0; status == HT_OK && p < found->part_count; p++) {
        status = write_matching(job, &json, found, p);
    }
    ht_json_array_end(&json);
    if (status == HT_OK && !job->request->skip_waypoints) {
        write_tracepoints(job, &json, found);
    }
    ht_json_object_end(&json);
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
    }
}

void ht_osrm_match(struct ht_osrm_job *job)
{
    struct ht_match_found found;
    enum ht_status status = tidy(job);
    if (status == HT_OK && (!ends_are_waypoints(job) || !find(job, &found))) {
        return;
    }
    if (status == HT_OK && !find_spots(job, &found, &status)) {
        (void)no_match(job, "Requested waypoint parameter could not be matched.");
        return;
    }
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
        return;
    }
    write_answer(job, &found);
}
