/* The nearest service. */
#include "api/osrm_hint.h"
#include "api/osrm_work.h"

/* The OSM nodes around the place, the one behind it first. (OSRM leaves out one of them where it
 * knows only one direction; both always name the segment.) */
static void write_nodes(const struct ht_osrm_job *job, struct ht_json *json,
                        const struct ht_place *place)
{
    const struct ht_network *network = job->road->network;
    uint32_t side = place->side[0].arc != HT_NONE ? 0 : 1;
    const struct ht_arc *arc = &job->road->graph->arcs[place->side[side].arc];
    ht_json_key(json, "nodes");
    ht_json_array(json);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t node = ht_arc_node(network, arc, place->segment + i);
        ht_json_int(json, network->node_osm_id[node]);
    }
    ht_json_array_end(json);
}

/* The places of a hint, else the nearest streets. */
static enum ht_status find_places(struct ht_osrm_job *job, uint32_t *found)
{
    struct ht_osrm *work = job->work;
    const struct ht_osrm_request *request = job->request;
    struct ht_point point = ht_osrm_points(request)[0];
    uint32_t count = request->number;
    enum ht_status status = ht_osrm_list_resize(&work->places, count, sizeof(struct ht_place));
    if (status != HT_OK) {
        return status;
    }
    const struct ht_osrm_piece *hint = request->hints.data;
    if (request->hints.count > 0 && hint->size > 0 &&
        ht_hint_decode(job->fingerprint, job->road, point,
                       (const char *)request->text.data + hint->offset, work->places.data)) {
        *found = 1;
        return HT_OK;
    }
    struct ht_snap_options options = ht_osrm_snap_options(job, 0);
    options.any_street = false; /* nearest looks for where a trip may begin, always */
    return ht_snap_nearest(job->road->snap, work->snap, point, &options, count, work->places.data,
                           found);
}

void ht_osrm_nearest(struct ht_osrm_job *job)
{
    uint32_t found = 0;
    enum ht_status status = find_places(job, &found);
    if (status == HT_NO_SEGMENT || (status == HT_OK && found == 0)) {
        ht_osrm_error(job->reply, "NoSegment", "Could not find a matching segments for coordinate");
        return;
    }
    if (status != HT_OK) {
        ht_osrm_fail(job, status);
        return;
    }
    const struct ht_place *places = ht_osrm_places(job);
    struct ht_json json;
    ht_json_begin(&json, &job->reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "code", "Ok");
    if (!job->request->skip_waypoints) {
        ht_json_key(&json, "waypoints");
        ht_json_array(&json);
        for (uint32_t i = 0; i < found; i++) {
            ht_json_object(&json);
            write_nodes(job, &json, &places[i]);
            ht_osrm_write_waypoint(job, &json, &places[i], 1);
            ht_json_object_end(&json);
        }
        ht_json_array_end(&json);
    }
    ht_json_object_end(&json);
}
