/* What all OSRM answers are made of: waypoints, locations, failures. */
#include <string.h>

#include "api/osrm_hint.h"
#include "api/osrm_steps.h"
#include "api/osrm_work.h"

void ht_osrm_fail(const struct ht_osrm_job *job, enum ht_status status)
{
    ht_reply_reset(job->reply);
    ht_reply_problem(job->reply, 503, "The request could not be answered", ht_status_text(status));
}

static uint32_t way_of(const struct ht_osrm_job *job, const struct ht_place *place)
{
    uint32_t arc = place->side[0].arc != HT_NONE ? place->side[0].arc : place->side[1].arc;
    return job->road->graph->arcs[arc].way;
}

/* At a junction the names of all streets that meet, as OSRM has it. */
static void write_name(const struct ht_osrm_job *job, struct ht_json *json,
                       const struct ht_place *places, uint32_t count)
{
    char text[1024];
    size_t size = 0;
    ht_json_key(json, "name");
    for (uint32_t i = 0; i < count; i++) {
        const char *name =
            ht_osrm_way_name(job->road->network, way_of(job, &places[i]), HT_OSRM_LANGUAGE_LOCAL);
        size_t length = strlen(name);
        if (count == 1) {
            ht_json_text_n(json, name, length);
            return;
        }
        if (length > 0 && size + length + 3 <= sizeof text) {
            memcpy(text + size, " / ", size > 0 ? 3 : 0);
            size += size > 0 ? 3 : 0;
            memcpy(text + size, name, length);
            size += length;
        }
    }
    ht_json_text_n(json, text, size);
}

void ht_osrm_write_waypoint(const struct ht_osrm_job *job, struct ht_json *json,
                            const struct ht_place *places, uint32_t count)
{
    if (job->request->generate_hints) {
        char hint[HT_OSRM_HINT_SIZE * HT_STOP_PLACES_MAX];
        for (uint32_t i = 0; i < count; i++) {
            ht_hint_encode(job->fingerprint, &places[i], hint + i * HT_OSRM_HINT_SIZE);
        }
        ht_json_key(json, "hint");
        ht_json_text_n(json, hint, (size_t)count * HT_OSRM_HINT_SIZE);
    }
    ht_json_key(json, "location");
    ht_osrm_out_location(job->out, json, places[0].point);
    write_name(job, json, places, count);
    ht_json_key_double(json, "distance", places[0].distance_m, 6);
}

void ht_osrm_write_waypoints(const struct ht_osrm_job *job, struct ht_json *json,
                             const uint32_t *indices, size_t count)
{
    const struct ht_stop *stops = ht_osrm_stops(job);
    ht_json_array(json);
    for (size_t i = 0; i < count; i++) {
        const struct ht_stop *stop = &stops[indices == NULL ? i : indices[i]];
        ht_json_object(json);
        ht_osrm_write_waypoint(job, json, ht_osrm_places(job) + stop->first, stop->count);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}
