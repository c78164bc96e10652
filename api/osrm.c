#include "api/osrm.h"

#include <stdlib.h>
#include <string.h>

#include "api/avoid.h"
#include "api/later.h"
#include "api/map.h"
#include "api/osrm_hint.h"
#include "api/osrm_parse.h"
#include "api/osrm_tile.h"
#include "api/osrm_work.h"

struct ht_osrm_limits ht_osrm_limits_default(void)
{
    return (struct ht_osrm_limits){
        .route_coordinates = 500,
        .table_cells = 10000000,
        .table_coordinates = 10000,
        .trip_coordinates = 100,
        .match_coordinates = 10000,
        .nearest_results = 100,
        .alternatives = 3,
    };
}

enum ht_status ht_osrm_new(const struct ht_osrm_limits *limits, struct ht_osrm **out)
{
    struct ht_osrm *osrm = calloc(1, sizeof *osrm);
    if (osrm == NULL) {
        return HT_NOMEM;
    }
    osrm->limits = *limits;
    enum ht_status status = ht_query_new(&osrm->query);
    status = status == HT_OK ? ht_route_new(&osrm->route) : status;
    status = status == HT_OK ? ht_matrix_new(&osrm->matrix) : status;
    status = status == HT_OK ? ht_match_new(&osrm->match) : status;
    status = status == HT_OK ? ht_snap_work_new(&osrm->snap) : status;
    status = status == HT_OK ? ht_guide_new(&osrm->guide) : status;
    status = status == HT_OK ? ht_crs_work_new(&osrm->crs) : status;
    status = status == HT_OK ? ht_osrm_request_new(&osrm->parked) : status;
    if (status != HT_OK) {
        ht_osrm_free(osrm);
        return status;
    }
    atomic_store(&osrm->parked->state, HT_OSRM_PARKED);
    *out = osrm;
    return HT_OK;
}

void ht_osrm_free(struct ht_osrm *osrm)
{
    if (osrm == NULL) {
        return;
    }
    /* a request in another thread's hands is freed there */
    if (osrm->parked != NULL &&
        atomic_exchange(&osrm->parked->state, HT_OSRM_ORPHAN) != HT_OSRM_BUSY) {
        ht_osrm_request_destroy(osrm->parked);
    }
    struct ht_osrm_list *const lists[] = {
        &osrm->places,  &osrm->stops, &osrm->pairs, &osrm->costs, &osrm->rows,   &osrm->columns,
        &osrm->numbers, &osrm->lines, &osrm->legs,  &osrm->arcs,  &osrm->pieces, &osrm->ways,
        &osrm->moved,   &osrm->fixes, &osrm->kept,  &osrm->ends,  &osrm->round,
    };
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        free(lists[i]->data);
    }
    ht_query_free(osrm->query);
    ht_route_free(osrm->route);
    ht_matrix_free(osrm->matrix);
    ht_match_free(osrm->match);
    ht_snap_work_free(osrm->snap);
    ht_guide_free(osrm->guide);
    ht_crs_work_free(osrm->crs);
    ht_shape_deinit(&osrm->shape);
    ht_overview_deinit(&osrm->overview);
    ht_osrm_line_deinit(&osrm->line);
    free(osrm);
}

void ht_osrm_zones(struct ht_osrm *osrm, struct ht_zone_table *zones)
{
    osrm->zones = zones;
}

void ht_osrm_turns(struct ht_osrm *osrm, struct ht_guide_memory *turns)
{
    ht_guide_share(osrm->guide, turns);
}

void ht_osrm_later(struct ht_osrm *osrm, struct ht_later *later)
{
    osrm->later = later;
}

/* "/name/v1/": a version after the first part. */
static bool looks_like_service(const char *path, size_t size)
{
    const char *slash = size > 1 ? memchr(path + 1, '/', size - 1) : NULL;
    if (slash == NULL) {
        return false;
    }
    size_t left = size - (size_t)(slash - path);
    return left > 3 && slash[1] == 'v' && slash[2] >= '0' && slash[2] <= '9' &&
           memchr(slash + 2, '/', left - 2) != NULL;
}

bool ht_osrm_owns(const char *path, size_t size)
{
    if (size < 2 || path[0] != '/') {
        return false;
    }
    const char *slash = memchr(path + 1, '/', size - 1);
    size_t name = slash == NULL ? size - 1 : (size_t)(slash - path) - 1;
    if (ht_osrm_service_by_name(path + 1, name) != HT_OSRM_SERVICES) {
        return true; /* also "/route" alone: OSRM says what is wrong with it */
    }
    return looks_like_service(path, size);
}

/* The thread's own request when it is free, else another one. */
static struct ht_osrm_request *take_request(struct ht_osrm *osrm)
{
    int parked = HT_OSRM_PARKED;
    if (atomic_compare_exchange_strong(&osrm->parked->state, &parked, HT_OSRM_BUSY)) {
        ht_osrm_request_reset(osrm->parked);
        return osrm->parked;
    }
    struct ht_osrm_request *request;
    if (ht_osrm_request_new(&request) != HT_OK) {
        return NULL;
    }
    atomic_store(&request->state, HT_OSRM_ORPHAN);
    return request;
}

void ht_osrm_request_free(struct ht_osrm_request *request)
{
    if (request == NULL) {
        return;
    }
    int busy = HT_OSRM_BUSY;
    if (!atomic_compare_exchange_strong(&request->state, &busy, HT_OSRM_PARKED)) {
        ht_osrm_request_destroy(request);
    }
}

static bool crs_error(struct ht_reply *reply, const char *name)
{
    ht_osrm_error(reply, "InvalidValue", "Coordinate system %s is not known.", name);
    return false;
}

/* The coordinates of another system to WGS84. */
static bool convert_points(struct ht_osrm *osrm, struct ht_osrm_request *request,
                           struct ht_reply *reply)
{
    struct ht_crs crs;
    const struct ht_osrm_xy *xy = request->coordinates.data;
    struct ht_point *points = request->points.data;
    if (request->crs[0] == '\0') {
        return true;
    }
    if (ht_crs_parse(request->crs, strlen(request->crs), &crs) != HT_OK ||
        ht_crs_check(osrm->crs, &crs, NULL) != HT_OK) {
        return crs_error(reply, request->crs);
    }
    for (size_t i = 0; i < request->points.count; i++) {
        const double pair[2] = {xy[i].x, xy[i].y};
        if (ht_crs_point(osrm->crs, &crs, pair, &points[i]) != HT_OK) {
            request->coordinates_broken = true;
        }
    }
    return true;
}

/* The door takes target and body as the HTTP parser has them. */
/* NOLINTNEXTLINE(readability-function-size) */
bool ht_osrm_parse(struct ht_osrm *osrm, const char *target, size_t target_size, const char *body,
                   size_t body_size, struct ht_reply *reply, struct ht_osrm_request **out)
{
    ht_reply_reset(reply);
    struct ht_osrm_request *request = take_request(osrm);
    if (request == NULL) {
        ht_reply_problem(reply, 503, "Out of memory", NULL);
        return false;
    }
    if (!ht_osrm_parse_target(request, target, target_size, body, body_size, reply) ||
        !convert_points(osrm, request, reply) || !ht_osrm_check(request, &osrm->limits, reply)) {
        ht_osrm_request_free(request);
        return false;
    }
    *out = request;
    return true;
}

/* exclude= as a class mask. False: a class that is none, or several, which OSRM's profiles do not
 * list together. */
static bool exclude_mask(const struct ht_osrm_request *request, uint16_t *mask)
{
    static const struct {
        const char *name;
        uint16_t bit;
    } classes[] = {
        {"toll", HT_ARC_TOLL},
        {"motorway", HT_ARC_MOTORWAY},
        {"ferry", HT_ARC_IS_FERRY},
        {"tunnel", HT_ARC_IS_TUNNEL},
        {"none", 0},
    };
    const struct ht_osrm_piece *pieces = request->exclude.data;
    *mask = 0;
    for (size_t i = 0; i < request->exclude.count; i++) {
        const char *text = (const char *)request->text.data + pieces[i].offset;
        size_t k = 0;
        while (k < sizeof classes / sizeof *classes &&
               (strlen(classes[k].name) != pieces[i].size ||
                memcmp(classes[k].name, text, pieces[i].size) != 0)) {
            k++;
        }
        if (k == sizeof classes / sizeof *classes) {
            return false;
        }
        *mask |= classes[k].bit;
    }
    return (*mask & (*mask - 1)) == 0;
}

/* Between two coordinates that follow each other. */
static double longest_m(const struct ht_osrm_request *request)
{
    const struct ht_point *points = ht_osrm_points(request);
    double longest = 0;
    for (size_t i = 1; i < ht_osrm_point_count(request); i++) {
        double line = ht_distance_m(points[i - 1], points[i]);
        longest = line > longest ? line : longest;
    }
    return longest;
}

/* Whether a road will do whose metric is behind: ways between stops, or none at all. */
static bool wants_soon(const struct ht_osrm_request *request, uint16_t exclude)
{
    return exclude == 0 && (request->service == HT_OSRM_NEAREST ||
                            (request->service == HT_OSRM_ROUTE && request->alternatives == 0));
}

/* Whether streets are to be made first. */
static bool wants_streets(struct ht_osrm *osrm, const struct ht_osrm_request *request,
                          struct ht_world *world, uint16_t exclude)
{
    if (request->departs && osrm->later != NULL) {
        return request->avoids || exclude != 0 ||
               !ht_later_ready(osrm->later, world, request->profile, request->depart_ms);
    }
    if (request->avoids) {
        return true;
    }
    return wants_soon(request, exclude) ? !ht_world_ready_soon(world, request->profile)
                                        : !ht_world_ready(world, request->profile, exclude);
}

bool ht_osrm_heavy(struct ht_osrm *osrm, const struct ht_osrm_request *request,
                   struct ht_world *world)
{
    enum { MANY_STOPS = 16, MANY_PLACES = 64, MANY_CELLS = 4096, MANY_FIXES = 30 };
    uint16_t exclude;
    size_t count = ht_osrm_point_count(request);
    if (!exclude_mask(request, &exclude)) {
        return false;
    }
    if (wants_streets(osrm, request, world, exclude)) {
        return true;
    }
    switch (request->service) {
    case HT_OSRM_TABLE: {
        size_t rows = request->sources.count > 0 ? request->sources.count : count;
        size_t columns = request->destinations.count > 0 ? request->destinations.count : count;
        return count > MANY_PLACES || rows + columns > MANY_PLACES || rows * columns > MANY_CELLS;
    }
    case HT_OSRM_TRIP:
        return count > MANY_STOPS / 2;
    case HT_OSRM_ROUTE:
        return count > MANY_STOPS || request->alternatives > 0;
    case HT_OSRM_TILE:
        return true;
    case HT_OSRM_MATCH:
        return count > MANY_FIXES || longest_m(request) > 1000.0;
    case HT_OSRM_NEAREST:
    case HT_OSRM_SERVICES:
        break;
    }
    return false;
}

/* What the request keeps off. HT_SYNTAX: the error is in the reply. */
static enum ht_status find_cuts(struct ht_osrm_job *job)
{
    const struct ht_osrm_request *request = job->request;
    const char *text = (const char *)request->text.data + request->avoid.offset;
    struct ht_avoid *avoid = NULL;
    struct ht_error error = {0};
    struct ht_crs crs;
    if (ht_crs_parse(request->crs, strlen(request->crs), &crs) != HT_OK ||
        ht_crs_check(job->work->crs, &crs, NULL) != HT_OK) {
        (void)crs_error(job->reply, request->crs);
        return HT_SYNTAX;
    }
    enum ht_status status = ht_avoid_read(text, request->avoid.size, &crs, job->work->crs,
                                          job->work->zones, &avoid, &error);
    if (status == HT_NOMEM) {
        return status;
    }
    if (status != HT_OK) {
        ht_osrm_error(job->reply, "InvalidOptions", "%s", error.message);
        return HT_SYNTAX;
    }
    status = ht_avoid_cuts(avoid, job->world, request->profile, &job->cuts);
    ht_avoid_free(avoid);
    job->avoids = status == HT_OK;
    return status;
}

static bool road_fail(const struct ht_osrm_job *job, enum ht_status status)
{
    if (status == HT_NOT_FOUND) {
        ht_osrm_error(job->reply, "InvalidValue", "Profile %s not found!", job->request->profile);
    } else if (status == HT_INVALID) {
        ht_osrm_error(job->reply, "InvalidValue", "Exclude flag combination is not supported.");
    } else if (status != HT_SYNTAX) {
        ht_osrm_fail(job, status);
    }
    return false;
}

bool ht_osrm_detour_light(struct ht_osrm_job *job)
{
    const struct ht_map_ask ask = {
        .profile = job->request->profile, .cuts = &job->cuts, .light = true};
    enum ht_status status = job->exclude != 0
                                ? HT_UNSUPPORTED
                                : ht_map_detour(job->world, &ask, job->pool, &job->detour);
    if (status == HT_OK) {
        job->road = ht_detour_road(job->detour);
    }
    return status == HT_OK;
}

bool ht_osrm_detour(struct ht_osrm_job *job)
{
    ht_detour_release(job->detour);
    job->detour = NULL;
    const struct ht_map_ask ask = {
        .profile = job->request->profile, .exclude = job->exclude, .cuts = &job->cuts};
    enum ht_status status = ht_map_detour(job->world, &ask, job->pool, &job->detour);
    if (status == HT_OK) {
        job->road = ht_detour_road(job->detour);
        job->avoids = false;
    }
    return status == HT_OK || road_fail(job, status);
}

/* The streets of the departure. */
static enum ht_status find_then(struct ht_osrm_job *job)
{
    const struct ht_osrm_request *request = job->request;
    struct ht_later *later = job->work->later;
    enum ht_status status = ht_later_road(later, job->world, request->profile, request->depart_ms,
                                          job->pool, &job->then);
    if (status == HT_OK && (job->avoids || job->exclude != 0)) {
        const struct ht_map_ask ask = {.profile = request->profile,
                                       .exclude = job->exclude,
                                       .cuts = &job->cuts,
                                       .then = &job->then->view};
        status = ht_map_detour(job->world, &ask, job->pool, &job->detour);
        job->road = status == HT_OK ? ht_detour_road(job->detour) : NULL;
        job->avoids = false;
    } else if (status == HT_OK) {
        job->road = &job->then->view.road;
    }
    return status;
}

/* Whether to look first at the way that keeps off nothing: closing streets makes no other better.
 */
static bool plain_first(const struct ht_osrm_job *job)
{
    const struct ht_osrm_request *request = job->request;
    return request->service == HT_OSRM_ROUTE && request->alternatives == 0 &&
           ht_world_ready(job->world, request->profile, job->exclude);
}

/* The road that the request runs on. False: the error is in the reply. */
static bool find_road(struct ht_osrm_job *job)
{
    const char *profile = job->request->profile;
    enum ht_status status = HT_INVALID;
    if (exclude_mask(job->request, &job->exclude)) {
        job->network_id = ht_world_id(job->world);
        status = job->request->avoids ? find_cuts(job) : HT_OK;
    }
    if (status == HT_OK && job->request->departs && job->work->later != NULL) {
        status = find_then(job);
    } else if (status == HT_OK && job->avoids && !plain_first(job)) {
        if (!ht_osrm_detour(job)) {
            return false;
        }
    } else if (status == HT_OK) {
        status = wants_soon(job->request, job->exclude)
                     ? ht_world_road_soon(job->world, profile, &job->road)
                     : ht_world_road(job->world, profile, job->exclude, &job->road);
    }
    if (status != HT_OK) {
        return road_fail(job, status);
    }
    job->fingerprint = ht_hint_fingerprint(job->road);
    return true;
}

/* The coordinate system of the answer. False: the error is in the reply. */
static bool find_out(struct ht_osrm_job *job, struct ht_osrm_out *out)
{
    const struct ht_osrm_request *request = job->request;
    const char *name = request->out_crs[0] != '\0' ? request->out_crs : request->crs;
    *out = (struct ht_osrm_out){.work = job->work->crs, .scratch = &job->work->moved};
    if (ht_crs_parse(name, strlen(name), &out->crs) != HT_OK ||
        ht_crs_check(out->work, &out->crs, &out->projected) != HT_OK) {
        return crs_error(job->reply, name);
    }
    job->out = ht_crs_plain(&out->crs) ? NULL : out;
    bool lines = request->steps || request->overview != HT_OSRM_OVERVIEW_NONE;
    bool path = request->service == HT_OSRM_ROUTE || request->service == HT_OSRM_TRIP ||
                request->service == HT_OSRM_MATCH;
    if (out->projected && path && lines && request->geometry != HT_OSRM_GEOJSON) {
        ht_osrm_error(job->reply, "InvalidOptions",
                      "A projected coordinate system needs geometries=geojson.");
        return false;
    }
    return true;
}

const char *ht_osrm_weight_name(const struct ht_graph *graph)
{
    return strcmp(graph->profile, "car") == 0 ? "routability" : "duration";
}

static void serve(struct ht_osrm_job *job)
{
    const struct ht_osrm_request *request = job->request;
    switch (request->service) {
    case HT_OSRM_ROUTE:
        ht_osrm_route(job);
        break;
    case HT_OSRM_TABLE:
        ht_osrm_table(job);
        break;
    case HT_OSRM_NEAREST:
        ht_osrm_nearest(job);
        break;
    case HT_OSRM_TRIP:
        ht_osrm_trip(job);
        break;
    case HT_OSRM_MATCH:
        ht_osrm_match(job);
        break;
    case HT_OSRM_TILE:
        ht_osrm_tile(job->road, request->tile_x, request->tile_y, request->tile_z, job->reply);
        break;
    case HT_OSRM_SERVICES:
        break;
    }
}

void ht_osrm_run(struct ht_osrm *osrm, const struct ht_osrm_request *request,
                 struct ht_world *world, struct ht_pool *pool, struct ht_reply *reply)
{
    struct ht_osrm_job job = {
        .work = osrm, .request = request, .pool = pool, .reply = reply, .world = world};
    struct ht_osrm_out out;
    ht_reply_reset(reply);
    if (find_road(&job) && find_out(&job, &out)) {
        serve(&job);
    }
    ht_cuts_deinit(&job.cuts);
    ht_detour_release(job.detour);
    ht_live_road_release(job.then);
}
