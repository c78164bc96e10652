#include <inttypes.h>

#include "api/osrm_parse.h"

static bool options_error(struct ht_reply *reply, const char *message)
{
    ht_osrm_error(reply, "InvalidOptions", "%s", message);
    return false;
}

/* A list of options must be as long as the list of coordinates. */
static bool check_length(const char *name, const struct ht_osrm_list *list, size_t coordinates,
                         struct ht_reply *reply)
{
    if (list->count == 0 || list->count == coordinates) {
        return true;
    }
    ht_osrm_error(reply, "InvalidOptions",
                  "Number of elements in %s size %zu does not match coordinate size %zu", name,
                  list->count, coordinates);
    return false;
}

static bool check_lengths(const struct ht_osrm_request *request, struct ht_reply *reply)
{
    size_t count = ht_osrm_point_count(request);
    return check_length("hints", &request->hints, count, reply) &&
           check_length("bearings", &request->bearings, count, reply) &&
           check_length("radiuses", &request->radiuses, count, reply) &&
           check_length("approaches", &request->approaches, count, reply) &&
           check_length("timestamps", &request->timestamps, count, reply);
}

static bool check_bearings(const struct ht_osrm_request *request, struct ht_reply *reply)
{
    const struct ht_osrm_bearing *bearings = request->bearings.data;
    for (size_t i = 0; i < request->bearings.count; i++) {
        if (bearings[i].bearing_deg > 360 || bearings[i].range_deg < 0 ||
            bearings[i].range_deg > 180) {
            return options_error(reply, "Bearings need to be within 0 to 360, their ranges within "
                                        "0 to 180.");
        }
    }
    return true;
}

static bool check_indices(const struct ht_osrm_list *list, size_t coordinates, const char *name,
                          struct ht_reply *reply)
{
    const uint32_t *indices = list->data;
    for (size_t i = 0; i < list->count; i++) {
        if (indices[i] >= coordinates) {
            ht_osrm_error(reply, "InvalidOptions",
                          "Index %" PRIu32 " in %s does not point at one of %zu coordinates",
                          indices[i], name, coordinates);
            return false;
        }
    }
    return true;
}

/* What every service but tile looks at first. */
static bool check_common(const struct ht_osrm_request *request, size_t least,
                         struct ht_reply *reply)
{
    if (!check_lengths(request, reply)) {
        return false;
    }
    if (ht_osrm_point_count(request) < least && !request->coordinates_broken) {
        return options_error(reply, "Number of coordinates needs to be at least two.");
    }
    if (!check_bearings(request, reply)) {
        return false;
    }
    if (request->flatbuffers) {
        return options_error(reply, "Format flatbuffers is not supported, use json.");
    }
    if (request->departs && request->service == HT_OSRM_MATCH) {
        return options_error(reply, "Option depart is not for match, which is about the past.");
    }
    return true;
}

static bool check_coordinates(const struct ht_osrm_request *request, const char *code,
                              const char *message, struct ht_reply *reply)
{
    if (request->coordinates_broken) {
        ht_osrm_error(reply, code, "%s", message);
        return false;
    }
    return true;
}

static bool check_route(const struct ht_osrm_request *request, const struct ht_osrm_limits *limits,
                        struct ht_reply *reply)
{
    size_t count = ht_osrm_point_count(request);
    if (!check_indices(&request->waypoints, count, "waypoints", reply)) {
        return false;
    }
    if (count > limits->route_coordinates) {
        ht_osrm_error(reply, "TooBig",
                      "Number of entries %zu is higher than current maximum (%" PRIu32 ")", count,
                      limits->route_coordinates);
        return false;
    }
    if (request->alternatives > limits->alternatives) {
        ht_osrm_error(reply, "TooBig",
                      "Requested number of alternatives is higher than current maximum (%" PRIu32
                      ")",
                      limits->alternatives);
        return false;
    }
    return check_coordinates(request, "InvalidValue", "Invalid coordinate value.", reply);
}

static bool check_waypoints(const struct ht_osrm_request *request, struct ht_reply *reply)
{
    const uint32_t *waypoints = request->waypoints.data;
    size_t count = request->waypoints.count;
    if (count > 0 && (waypoints[0] != 0 ||
                      waypoints[count - 1] != (uint32_t)(ht_osrm_point_count(request) - 1))) {
        ht_osrm_error(reply, "InvalidValue",
                      "First and last coordinates must be specified as waypoints.");
        return false;
    }
    return true;
}

static bool check_table(const struct ht_osrm_request *request, const struct ht_osrm_limits *limits,
                        struct ht_reply *reply)
{
    size_t count = ht_osrm_point_count(request);
    if (request->fallback_speed <= 0) {
        return options_error(reply, "fallback_speed must be > 0");
    }
    if (!(request->scale_factor > 0)) {
        return options_error(reply, "scale_factor must be > 0");
    }
    if (!check_indices(&request->sources, count, "sources", reply) ||
        !check_indices(&request->destinations, count, "destinations", reply) ||
        !check_coordinates(request, "InvalidOptions", "Coordinates are invalid", reply)) {
        return false;
    }
    uint64_t rows = request->sources.count == 0 ? count : request->sources.count;
    uint64_t columns = request->destinations.count == 0 ? count : request->destinations.count;
    if (rows * columns > limits->table_cells || count > limits->table_coordinates) {
        ht_osrm_error(reply, "TooBig", "Too many table coordinates");
        return false;
    }
    return true;
}

static bool check_nearest(const struct ht_osrm_request *request,
                          const struct ht_osrm_limits *limits, struct ht_reply *reply)
{
    if (request->number < 1) {
        return options_error(reply, "Number of results needs to be at least one.");
    }
    if (request->number > limits->nearest_results) {
        ht_osrm_error(reply, "TooBig",
                      "Number of results %" PRIu32 " is higher than current maximum (%" PRIu32 ")",
                      request->number, limits->nearest_results);
        return false;
    }
    if (!check_coordinates(request, "InvalidOptions", "Coordinates are invalid", reply)) {
        return false;
    }
    if (ht_osrm_point_count(request) != 1) {
        return options_error(reply, "Only one input coordinate is supported");
    }
    return true;
}

static bool check_trip(const struct ht_osrm_request *request, const struct ht_osrm_limits *limits,
                       struct ht_reply *reply)
{
    size_t count = ht_osrm_point_count(request);
    if (!check_indices(&request->waypoints, count, "waypoints", reply)) {
        return false;
    }
    if (!request->roundtrip && !request->source_first && !request->destination_last) {
        ht_osrm_error(reply, "NotImplemented", "This request is not supported");
        return false;
    }
    if (count > limits->trip_coordinates) {
        ht_osrm_error(reply, "TooBig", "Too many trip coordinates");
        return false;
    }
    return check_coordinates(request, "InvalidValue", "Invalid coordinate value.", reply);
}

static bool check_match(const struct ht_osrm_request *request, const struct ht_osrm_limits *limits,
                        struct ht_reply *reply)
{
    const uint32_t *timestamps = request->timestamps.data;
    if (!check_indices(&request->waypoints, ht_osrm_point_count(request), "waypoints", reply)) {
        return false;
    }
    if (ht_osrm_point_count(request) > limits->match_coordinates) {
        ht_osrm_error(reply, "TooBig", "Too many trace coordinates");
        return false;
    }
    if (!check_coordinates(request, "InvalidValue", "Invalid coordinate value.", reply)) {
        return false;
    }
    for (size_t i = 1; i < request->timestamps.count; i++) {
        if (timestamps[i] < timestamps[i - 1]) {
            ht_osrm_error(reply, "InvalidValue", "Timestamps need to be monotonically increasing.");
            return false;
        }
    }
    return true;
}

static bool check_tile(const struct ht_osrm_request *request, struct ht_reply *reply)
{
    if (request->tile_z < 12 || request->tile_z >= 20 ||
        request->tile_x >= UINT32_C(1) << request->tile_z ||
        request->tile_y >= UINT32_C(1) << request->tile_z) {
        /* the spelling is OSRM's: clients compare texts */
        return options_error(reply, "Invalid coodinates. Only zoomlevel 12+ is supported");
    }
    return true;
}

bool ht_osrm_check(const struct ht_osrm_request *request, const struct ht_osrm_limits *limits,
                   struct ht_reply *reply)
{
    switch (request->service) {
    case HT_OSRM_TILE:
        return check_tile(request, reply);
    case HT_OSRM_NEAREST:
        return check_common(request, 0, reply) && check_nearest(request, limits, reply);
    case HT_OSRM_TABLE:
        return check_common(request, 2, reply) && check_table(request, limits, reply);
    case HT_OSRM_TRIP:
        return check_common(request, 2, reply) && check_trip(request, limits, reply);
    case HT_OSRM_ROUTE:
        return check_common(request, 2, reply) && check_route(request, limits, reply) &&
               check_waypoints(request, reply);
    case HT_OSRM_MATCH:
        return check_common(request, 2, reply) && check_match(request, limits, reply);
    case HT_OSRM_SERVICES:
        break;
    }
    return false;
}
