/* From the request's coordinates to places on the network. */
#include "api/osrm_hint.h"
#include "api/osrm_work.h"
#include "engine/base/array.h"

/* What a coordinate may become: its nearest places, and the nearest one outside islands. */
struct pair {
    uint32_t first; /* into places */
    uint32_t count;
    bool hinted;
    bool has_big; /* `big` is set; the nearest itself may be it */
    struct ht_place big;
};

enum ht_status ht_osrm_list_resize(struct ht_osrm_list *list, size_t count, size_t size)
{
    enum ht_status status = ht_array_reserve(&list->data, &list->capacity, count, size);
    if (status == HT_OK) {
        list->count = count;
    }
    return status;
}

static bool none_hinted(const struct ht_osrm_request *request, size_t index)
{
    const struct ht_osrm_piece *hints = request->hints.data;
    return request->hints.count == 0 || hints[index].size == 0;
}

struct ht_snap_options ht_osrm_snap_options(const struct ht_osrm_job *job, size_t index)
{
    const struct ht_osrm_request *request = job->request;
    struct ht_snap_options options = ht_snap_options_default();
    if (request->radiuses.count > 0) {
        double radius = ((const double *)request->radiuses.data)[index];
        if (!isnan(radius) && !isinf(radius)) {
            options.radius_m = radius < 0 ? 0 : radius;
        }
    }
    if (request->bearings.count > 0) {
        const struct ht_osrm_bearing *b =
            (const struct ht_osrm_bearing *)request->bearings.data + index;
        if (b->bearing_deg >= 0) {
            options.bearing_deg = b->bearing_deg;
            options.bearing_range = b->range_deg;
        }
    }
    if (request->approaches.count > 0) {
        options.approach = (enum ht_approach)((const uint8_t *)request->approaches.data)[index];
    }
    options.any_street = request->any_street;
    options.exclude = job->exclude;
    return options;
}

static bool excluded(const struct ht_osrm_job *job, const struct ht_place *place)
{
    for (int s = 0; s < 2; s++) {
        if (place->side[s].arc != HT_NONE &&
            (job->road->graph->arcs[place->side[s].arc].flags & job->exclude) != 0) {
            return true;
        }
    }
    return false;
}

/* The places of a hint, when each of its blocks holds. */
static bool take_hint(struct ht_osrm_job *job, size_t index, struct pair *pair,
                      enum ht_status *status)
{
    const struct ht_osrm_request *request = job->request;
    struct ht_osrm_list *places = &job->work->places;
    const struct ht_osrm_piece hint = ((const struct ht_osrm_piece *)request->hints.data)[index];
    const char *text = (const char *)request->text.data + hint.offset;
    size_t blocks = hint.size / HT_OSRM_HINT_SIZE;
    size_t before = places->count;
    if (blocks == 0 || blocks > HT_STOP_PLACES_MAX) {
        return false;
    }
    for (size_t i = 0; i < blocks; i++) {
        struct ht_place place;
        if (!ht_hint_decode(job->fingerprint, job->road, ht_osrm_points(request)[index],
                            text + i * HT_OSRM_HINT_SIZE, &place) ||
            excluded(job, &place)) {
            places->count = before;
            return false;
        }
        if (!ht_osrm_list_add(places, &place, sizeof place)) {
            *status = HT_NOMEM;
            return false;
        }
    }
    *pair = (struct pair){.first = (uint32_t)before, .count = (uint32_t)blocks, .hinted = true};
    return true;
}

/* Coordinates that are looked for together; the stack holds their answers. */
enum { BLOCK = 16 };

/* Takes the hints of up to BLOCK coordinates from `first` on; who has none is looked for. */
static enum ht_status snap_block(struct ht_osrm_job *job, struct pair *pairs, size_t first,
                                 size_t count, size_t *lost)
{
    struct ht_osrm_list *places = &job->work->places;
    struct ht_snap_ask asks[BLOCK];
    struct ht_snap_trip trips[BLOCK];
    size_t index[BLOCK];
    size_t asked = 0;
    enum ht_status status = HT_OK;
    for (size_t i = first; i < first + count && status == HT_OK; i++) {
        if (none_hinted(job->request, i) || !take_hint(job, i, &pairs[i], &status)) {
            asks[asked] =
                (struct ht_snap_ask){ht_osrm_points(job->request)[i], ht_osrm_snap_options(job, i)};
            index[asked++] = i;
        }
    }
    if (status != HT_OK) {
        return status;
    }
    if (asked > 0) {
        ht_snap_trips(job->road->snap, asks, asked, trips);
    }
    for (size_t k = 0; k < asked; k++) {
        uint32_t found = trips[k].found;
        if (found == 0) {
            *lost = index[k];
            return HT_NO_SEGMENT;
        }
        pairs[index[k]] = (struct pair){.first = (uint32_t)places->count,
                                        .count = 1,
                                        .has_big = found > 1,
                                        .big = trips[k].place[found - 1]};
        if (!ht_osrm_list_add(places, &trips[k].place[0], sizeof trips[k].place[0])) {
            return HT_NOMEM;
        }
    }
    return HT_OK;
}

static bool pair_has_component(const struct ht_place *places, const struct pair *pair,
                               uint32_t component)
{
    for (uint32_t i = 0; i < pair->count; i++) {
        if (places[pair->first + i].component == component) {
            return true;
        }
    }
    return false;
}

/* Whether all coordinates lie on one and the same island. */
static bool on_one_island(const struct ht_place *places, const struct pair *pairs, size_t count)
{
    for (uint32_t i = 0; i < pairs[0].count; i++) {
        const struct ht_place *place = &places[pairs[0].first + i];
        bool all = place->small;
        for (size_t k = 1; all && k < count; k++) {
            all = pair_has_component(places, &pairs[k], place->component);
        }
        if (all) {
            return true;
        }
    }
    return false;
}

/* All streets that meet where the place lies, when it lies at a junction. */
static enum ht_status widen(struct ht_osrm_job *job, size_t index, const struct ht_place *place,
                            struct ht_stop *stop)
{
    struct ht_place meeting[HT_STOP_PLACES_MAX];
    struct ht_snap_options options = ht_osrm_snap_options(job, index);
    uint32_t count =
        ht_snap_junction(job->road->snap, place, &options, meeting, HT_STOP_PLACES_MAX);
    *stop = (struct ht_stop){.first = (uint32_t)job->work->places.count, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        if (!ht_osrm_list_add(&job->work->places, &meeting[i], sizeof meeting[i])) {
            return HT_NOMEM;
        }
    }
    return HT_OK;
}

/* A map without any large component is an island as a whole, in OSRM's eyes. `mainland`: most of it
 * is one component nevertheless. */
static bool is_hamlet(const struct ht_graph *graph, bool *mainland)
{
    enum { LARGE_ARCS = 1000 }; /* as in import */
    uint32_t largest = 0;
    for (uint32_t a = 0; a < graph->arc_count && largest < LARGE_ARCS; a++) {
        largest += graph->arcs[a].component == 0 ? 1 : 0;
    }
    *mainland = largest > graph->arc_count / 2;
    return largest < LARGE_ARCS;
}

/* Whether some nearest place is on an island, and another one could be had. */
static bool leaves_islands(const struct ht_place *places, const struct pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!pairs[i].hinted && pairs[i].has_big && places[pairs[i].first].small) {
            return true;
        }
    }
    return false;
}

/* `far`: which coordinates keep off islands, NULL: all or (`nearest`) none. */
static enum ht_status choose(struct ht_osrm_job *job, bool nearest, const bool *far)
{
    struct ht_osrm *work = job->work;
    const struct pair *pairs = work->pairs.data;
    size_t count = work->pairs.count;
    enum ht_status status = ht_osrm_list_resize(&work->stops, count, sizeof(struct ht_stop));
    struct ht_stop *stops = work->stops.data;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        if (pairs[i].hinted) {
            stops[i] = (struct ht_stop){pairs[i].first, pairs[i].count};
            continue;
        }
        struct ht_place place = pairs[i].big;
        if (nearest || !pairs[i].has_big || (far != NULL && !far[i])) {
            place = ((const struct ht_place *)work->places.data)[pairs[i].first];
        }
        status = widen(job, i, &place, &stops[i]);
    }
    return status;
}

bool ht_osrm_snap(struct ht_osrm_job *job)
{
    struct ht_osrm *work = job->work;
    size_t count = ht_osrm_point_count(job->request);
    work->places.count = 0;
    enum ht_status status = ht_osrm_list_resize(&work->pairs, count, sizeof(struct pair));
    for (size_t i = 0; status == HT_OK && i < count; i += BLOCK) {
        size_t lost = 0;
        status = snap_block(job, work->pairs.data, i, count - i < BLOCK ? count - i : BLOCK, &lost);
        if (status == HT_NO_SEGMENT) {
            ht_osrm_error(job->reply, "NoSegment",
                          "Could not find a matching segment for coordinate %zu", lost);
            return false;
        }
    }
    if (status == HT_OK) {
        bool island = on_one_island(work->places.data, work->pairs.data, count);
        bool mainland = false;
        bool hamlet = !island && leaves_islands(work->places.data, work->pairs.data, count) &&
                      is_hamlet(job->road->graph, &mainland);
        job->nearest_first = hamlet && mainland;
        job->nearest_count = work->places.count;
        status = choose(job, island || hamlet, NULL);
    }
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
        return false;
    }
    return true;
}

bool ht_osrm_snap_again(struct ht_osrm_job *job, const bool *far)
{
    if (!job->nearest_first) {
        return false;
    }
    job->nearest_first = false;
    job->work->places.count = job->nearest_count;
    return choose(job, false, far) == HT_OK;
}
