/* The URL grammar: what is understood, and the error of what is not. Codes, texts and positions are
 * those that osrm-routed 6.0.0 gives for the same URL. */
#include "api/osrm_parse.h"

#include "api/osrm_steps.h"
#include "engine/road/snap.h"
#include "tests/support/check.h"

static struct ht_osrm_request *request;
static struct ht_reply reply;

static bool parse_all(const char *target, const char *body)
{
    static const struct ht_osrm_limits limits = {.route_coordinates = 5,
                                                 .table_cells = 16,
                                                 .table_coordinates = 10,
                                                 .trip_coordinates = 4,
                                                 .match_coordinates = 5,
                                                 .nearest_results = 100,
                                                 .alternatives = 3};
    ht_osrm_request_destroy(request);
    request = NULL;
    if (ht_osrm_request_new(&request) != HT_OK) {
        return false;
    }
    ht_reply_reset(&reply);
    return ht_osrm_parse_target(request, target, strlen(target), body,
                                body == NULL ? 0 : strlen(body), &reply) &&
           ht_osrm_check(request, &limits, &reply);
}

static bool parse(const char *target)
{
    return parse_all(target, NULL);
}

static void check_error(const char *target, const char *code, const char *message)
{
    char want[512];
    (void)snprintf(want, sizeof want, "{\"code\":\"%s\",\"message\":\"%s\"}", code, message);
    if (parse(target)) {
        (void)printf("  no error: %s\n", target);
        HT_CHECK(!"must be refused");
        return;
    }
    ht_buffer_append(&reply.body, "", 1);
    if (strcmp(reply.body.data, want) != 0) {
        (void)printf("  at %s\n", target);
    }
    HT_CHECK_INT(reply.status, 400);
    HT_CHECK_STR(reply.body.data, want);
}

static uint32_t index_at(const struct ht_osrm_list *list, size_t i)
{
    return i < list->count ? ((const uint32_t *)list->data)[i] : UINT32_MAX;
}

HT_CASE(plain_route_is_read)
{
    HT_REQUIRE(parse("/route/v1/driving/7.416351,43.731205;7.420363,43.736189"));
    HT_CHECK_INT(request->service, HT_OSRM_ROUTE);
    HT_CHECK_STR(request->profile, "driving");
    HT_REQUIRE(ht_osrm_point_count(request) == 2);
    HT_CHECK_INT(ht_osrm_points(request)[0].lon_e7, 74163510);
    HT_CHECK_INT(ht_osrm_points(request)[0].lat_e7, 437312050);
    HT_CHECK_INT(ht_osrm_points(request)[1].lon_e7, 74203630);
    HT_CHECK(request->generate_hints);
    HT_CHECK(!request->steps);
    HT_CHECK_INT(request->overview, HT_OSRM_OVERVIEW_SIMPLIFIED);
    HT_CHECK_INT(request->geometry, HT_OSRM_POLYLINE);
    HT_CHECK_INT(request->alternatives, 0);
}

HT_CASE(numbers_are_read_as_written)
{
    HT_REQUIRE(parse("/route/v1/car/-.5,5.;1,2.json?steps=true"));
    HT_CHECK_INT(ht_osrm_points(request)[0].lon_e7, -5000000);
    HT_CHECK_INT(ht_osrm_points(request)[0].lat_e7, 50000000);
    HT_CHECK_INT(ht_osrm_points(request)[1].lat_e7, 20000000);
    HT_CHECK(request->steps);
}

HT_CASE(every_route_option_is_read)
{
    HT_REQUIRE(parse("/route/v1/car/1,2;3,4;5,6?alternatives=2&continue_straight=false&steps=true"
                     "&geometries=polyline6&overview=full&annotations=speed,nodes&waypoints=0;2"
                     "&radiuses=10;unlimited;&bearings=0,20;;359,5&approaches=curb;;opposite"
                     "&generate_hints=false&skip_waypoints=true&snapping=any&exclude=toll"));
    HT_CHECK_INT(request->alternatives, 2);
    HT_CHECK_INT(request->continue_straight, HT_OSRM_STRAIGHT_NO);
    HT_CHECK_INT(request->geometry, HT_OSRM_POLYLINE6);
    HT_CHECK_INT(request->overview, HT_OSRM_OVERVIEW_FULL);
    HT_CHECK_INT(request->annotations, HT_OSRM_SPEED | HT_OSRM_NODES);
    HT_CHECK_INT(request->waypoints.count, 2);
    HT_CHECK_INT(index_at(&request->waypoints, 1), 2);
    const double *radiuses = request->radiuses.data;
    HT_CHECK(radiuses[0] == 10 && isinf(radiuses[1]) && isnan(radiuses[2]));
    const struct ht_osrm_bearing *bearings = request->bearings.data;
    HT_CHECK_INT(bearings[0].range_deg, 20);
    HT_CHECK_INT(bearings[1].bearing_deg, -1);
    HT_CHECK_INT(bearings[2].bearing_deg, 359);
    const uint8_t *approaches = request->approaches.data;
    HT_CHECK_INT(approaches[0], HT_APPROACH_CURB);
    HT_CHECK_INT(approaches[1], HT_APPROACH_UNRESTRICTED);
    HT_CHECK_INT(approaches[2], HT_APPROACH_OPPOSITE);
    HT_CHECK(!request->generate_hints && request->skip_waypoints && request->any_street);
    HT_CHECK_INT(request->exclude.count, 1);
}

HT_CASE(every_table_option_is_read)
{
    HT_REQUIRE(parse("/table/v1/car/1,2;3,4;5,6?sources=0;2&destinations=all&"
                     "annotations=duration,distance&fallback_speed=12.5&"
                     "fallback_coordinate=snapped&scale_factor=2"));
    HT_CHECK_INT(request->sources.count, 2);
    HT_CHECK_INT(index_at(&request->sources, 1), 2);
    HT_CHECK_INT(request->destinations.count, 0);
    HT_CHECK_INT(request->annotations, HT_OSRM_DURATION | HT_OSRM_DISTANCE);
    HT_CHECK(request->fallback_speed == 12.5 && request->fallback_snapped);
    HT_CHECK(request->scale_factor == 2);
}

HT_CASE(trip_nearest_match_and_tile_are_read)
{
    HT_REQUIRE(parse("/trip/v1/car/1,2;3,4?roundtrip=false&source=first&destination=last"));
    HT_CHECK(!request->roundtrip && request->source_first && request->destination_last);
    HT_REQUIRE(parse("/nearest/v1/car/1,2?number=7"));
    HT_CHECK_INT(request->number, 7);
    HT_REQUIRE(parse("/match/v1/car/1,2;3,4?timestamps=5;6&gaps=ignore&tidy=true"));
    HT_CHECK(request->gaps_ignore && request->tidy);
    HT_CHECK_INT(index_at(&request->timestamps, 1), 6);
    HT_REQUIRE(parse("/tile/v1/car/tile(1310,3166,13).mvt"));
    HT_CHECK_INT(request->tile_x, 1310);
    HT_CHECK_INT(request->tile_y, 3166);
    HT_CHECK_INT(request->tile_z, 13);
}

HT_CASE(percent_encoding_is_undone)
{
    HT_REQUIRE(parse("/route/v1/driving/7.41%2C43.73%3B7.42,43.74?steps%3Dtrue%26overview=false"));
    HT_CHECK_INT(ht_osrm_point_count(request), 2);
    HT_CHECK(request->steps);
    HT_CHECK_INT(request->overview, HT_OSRM_OVERVIEW_NONE);
}

HT_CASE(polylines_are_read)
{
    HT_REQUIRE(parse("/route/v1/driving/polyline(_p~iF~ps%7CU_ulLnnqC_mqNvxq%60@)?overview=full"));
    HT_REQUIRE(ht_osrm_point_count(request) == 3);
    HT_CHECK_INT(ht_osrm_points(request)[0].lon_e7, -1202000000);
    HT_CHECK_INT(ht_osrm_points(request)[2].lat_e7, 432520000);
    HT_CHECK_INT(request->overview, HT_OSRM_OVERVIEW_FULL);
}

HT_CASE(body_stands_for_the_query)
{
    HT_REQUIRE(parse_all("/table/v1/driving", "7.41,43.73;7.42,43.74?sources=0\r\n"));
    HT_CHECK_INT(ht_osrm_point_count(request), 2);
    HT_CHECK_INT(request->sources.count, 1);
    HT_REQUIRE(parse_all("/table/v1/driving/", "7.41,43.73;7.42,43.74"));
    HT_CHECK(!parse_all("/table/v1/driving/1,2;3,4", "nonsense"));
    HT_REQUIRE(parse_all("/table/v1/driving/1,2;3,4", " \r\n"));
    HT_CHECK_INT(ht_osrm_point_count(request), 2);
}

HT_CASE(body_may_be_json)
{
    HT_REQUIRE(
        parse_all("/route/v1/car",
                  " {\"coordinates\": [[7.41,43.73],[7.42,4.374e1],[-7,43]], \"steps\": true,"
                  "\"bearings\": [[90,10],null,[0,180]], \"radiuses\": [5.5,\"unlimited\",null],"
                  "\"approaches\": [\"curb\",null,\"opposite\"], \"exclude\": [\"toll\"],"
                  "\"alternatives\": 2, \"overview\": \"false\", \"continue_straight\": true,"
                  "\"annotations\": [\"nodes\",\"speed\"], \"waypoints\": [0,2],"
                  "\"generate_hints\": false, \"snapping\": \"any\", \"format\": \"json\","
                  "\"depart\": \"2026-03-08T12:00:00+08:00\", \"hints\": [],"
                  "\"geometries\": \"geojson\"}\n"));
    HT_CHECK_INT(ht_osrm_point_count(request), 3);
    HT_CHECK_INT(ht_osrm_points(request)[1].lat_e7, 437400000);
    HT_CHECK(request->steps && request->any_street && !request->generate_hints && request->departs);
    const struct ht_osrm_bearing *bearings = request->bearings.data;
    HT_REQUIRE(request->bearings.count == 3 && request->radiuses.count == 3);
    HT_CHECK_INT(bearings[0].bearing_deg, 90);
    HT_CHECK_INT(bearings[1].bearing_deg, -1);
    HT_CHECK_INT(bearings[2].range_deg, 180);
    const double *radiuses = request->radiuses.data;
    HT_CHECK(radiuses[0] > 5.4 && radiuses[0] < 5.6 && isinf(radiuses[1]) && isnan(radiuses[2]));
    const uint8_t *approaches = request->approaches.data;
    HT_REQUIRE(request->approaches.count == 3);
    HT_CHECK(approaches[0] == HT_APPROACH_CURB && approaches[2] == HT_APPROACH_OPPOSITE);
    HT_CHECK_INT(request->exclude.count, 1);
    HT_CHECK_INT(request->alternatives, 2);
    HT_CHECK_INT(request->overview, HT_OSRM_OVERVIEW_NONE);
    HT_CHECK_INT(request->continue_straight, HT_OSRM_STRAIGHT_YES);
    HT_CHECK_INT(request->annotations, HT_OSRM_SPEED | HT_OSRM_NODES);
    HT_CHECK_INT(index_at(&request->waypoints, 1), 2);
    HT_CHECK_INT(request->geometry, HT_OSRM_GEOJSON);

    HT_REQUIRE(parse_all("/table/v1/car/",
                         "{\"coordinates\": \"polyline(_p~iF~ps|U_ulLnnqC)\", \"sources\": [1],"
                         "\"annotations\": true, \"fallback_speed\": 1e1, \"scale_factor\": 2,"
                         "\"fallback_coordinate\": \"snapped\"}"));
    HT_CHECK_INT(ht_osrm_points(request)[0].lon_e7, -1202000000);
    HT_CHECK_INT(index_at(&request->sources, 0), 1);
    HT_CHECK_INT(request->annotations, HT_OSRM_DURATION | HT_OSRM_DISTANCE);
    HT_CHECK(request->fallback_speed > 9.9 && request->fallback_speed < 10.1);
    HT_CHECK(request->fallback_snapped && request->scale_factor > 1.9);

    HT_REQUIRE(parse_all("/match/v1/car", "{\"coordinates\": [[1,2],[3,4]], \"tidy\": true,"
                                          "\"timestamps\": [5,6], \"gaps\": \"ignore\"}"));
    HT_CHECK(request->tidy && request->gaps_ignore);
    HT_CHECK_INT(index_at(&request->timestamps, 1), 6);

    HT_REQUIRE(parse_all("/route/v1/car", "{\"coordinates\": [[1,2],[3,4]], \"avoid\":"
                                          "{\"type\":\"Point\",\"name\":\"a=b;c\"}}"));
    HT_CHECK_INT(request->avoid.size, strlen("{\"type\":\"Point\",\"name\":\"a=b;c\"}"));
}

static void check_body(const char *target, const char *body, const char *code, const char *message)
{
    char want[512];
    (void)snprintf(want, sizeof want, "{\"code\":\"%s\",\"message\":\"%s\"}", code, message);
    bool read = parse_all(target, body);
    ht_buffer_append(&reply.body, "", 1);
    if (read || strcmp(reply.body.data, want) != 0) {
        (void)printf("  at %s %s\n", target, body);
    }
    HT_CHECK(!read);
    HT_CHECK_INT(reply.status, 400);
    HT_CHECK_STR(reply.body.data, want);
}

HT_CASE(what_is_wrong_with_a_body_is_said)
{
    static const struct {
        const char *body;
        const char *message;
    } bodies[] = {
        {"[[1,2],[3,4]]", "request body must be a JSON object"},
        {"{}", "missing required member: coordinates"},
        {"{\"coordinates\": 5}", "coordinates must be an array of [longitude, latitude] pairs"},
        {"{\"coordinates\": [[1,2],[3]]}",
         "each coordinate must be an array of two numbers [longitude, latitude]"},
        {"{\"coordinates\": [[1,2],[3,\"4\"]]}",
         "each coordinate must be an array of two numbers [longitude, latitude]"},
        {"{\"coordinates\": \"polyline(a&steps=true)\"}",
         "coordinates string must be of the form polyline(...) or polyline6(...)"},
        {"{\"coordinates\": [[1,2],[3,4]],}", "invalid JSON: Missing a name for object member."},
        {"{\"coordinates\": [[1,2],[3,4]], \"overview\": \"sometimes\"}", "invalid overview value"},
        {"{\"coordinates\": [[1,2],[3,4]], \"overview\": \"full&steps=true\"}",
         "invalid overview value"},
        {"{\"coordinates\": [[1,2],[3,4]], \"steps\": \"true\"}", "steps must be a boolean"},
        {"{\"coordinates\": [[1,2],[3,4]], \"exclude\": [\"a&b\"]}", "invalid exclude value"},
        {"{\"coordinates\": [[1,2],[3,4]], \"waypoints\": [0,-1]}",
         "waypoints must be an array of non-negative integers"},
        {"{\"coordinates\": [[1,2],[3,4]], \"bearings\": [[1,2],[65536,4]]}",
         "each bearing value must fit in a 16-bit integer"},
        {"{\"coordinates\": [[1,2],[3,4]], \"bearings\": [[1,2],3]}",
         "each bearing must be null or an array of two integers"},
        {"{\"coordinates\": [[1,2],[3,4]], \"step\": true}", "unknown member: step"},
        {"{\"coordinates\": [[1,2],[3,4]], \"sources\": [0]}", "unknown member: sources"},
        {"{\"coordinates\": [[1,2],[3,4]], \"crs\": \"EPSG:4326&steps=true\"}",
         "invalid crs value"},
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        check_body("/route/v1/car", bodies[i].body, "InvalidQuery", bodies[i].message);
    }
    const char *pair = "{\"coordinates\": [[1,2],[3,4]]}";
    check_body("/table/v1/car", "{\"coordinates\": [[1,2],[3,4]], \"annotations\": false}",
               "InvalidQuery", "invalid annotations value");
    check_body("/route/v1/car", "{\"coordinates\": []}", "InvalidOptions",
               "Number of coordinates needs to be at least two.");
    check_body("/route/v1/car", "{\"coordinates\": [[1,2]]}", "InvalidOptions",
               "Number of coordinates needs to be at least two.");
    check_body("/route/v1/car", "{\"coordinates\": [[1,2],[3,4]], \"format\": \"flatbuffers\"}",
               "InvalidOptions", "Format flatbuffers is not supported, use json.");
    check_body("/route/v1/car/1,2;3,4", pair, "InvalidOptions",
               "Coordinates and options come in the URL or in the body, not in both.");
    check_body("/nearest/v1/car", pair, "NotImplemented",
               "This service does not support POST requests with a JSON body.");
    check_body("/trip/v1/car", pair, "NotImplemented",
               "This service does not support POST requests with a JSON body.");
    check_body("/nonsense/v1/car", pair, "InvalidService", "Service nonsense not found!");
    check_body("/route/v2/car", pair, "InvalidVersion", "Service route not found!");
}

HT_CASE(repeated_options_last_wins_and_lists_grow)
{
    HT_REQUIRE(parse("/route/v1/car/1,2;3,4?steps=true&steps=false&annotations=speed&"
                     "annotations=nodes"));
    HT_CHECK(!request->steps);
    HT_CHECK_INT(request->annotations, HT_OSRM_SPEED | HT_OSRM_NODES);
    check_error("/route/v1/car/1,2;3,4?radiuses=1;2&radiuses=3;4", "InvalidOptions",
                "Number of elements in radiuses size 4 does not match coordinate size 2");
}

HT_CASE(broken_urls_name_their_position)
{
    check_error("/route", "InvalidUrl", "URL string malformed close to position 6: \\\"ute\\\"");
    check_error("/route/v1/", "InvalidUrl",
                "URL string malformed close to position 10: \\\"v1/\\\"");
    check_error("/route/x1/car/1,2;3,4", "InvalidUrl",
                "URL string malformed close to position 7: \\\"te/x1/\\\"");
    check_error("/route/v1/car/1,2;3,4?steps=tr ue", "InvalidUrl",
                "URL string malformed close to position 30: \\\"=tr ue\\\"");
    check_error("/route/v1/car/1,2;3%4,5", "InvalidUrl",
                "URL string malformed close to position 20: \\\";3%4,5\\\"");
    check_error("/route/v1/car/1,2;3,4%zz", "InvalidUrl",
                "URL string malformed close to position 22: \\\",4%zz\\\"");
}

HT_CASE(wrong_service_and_version)
{
    check_error("/fly/v1/car/1,2;3,4", "InvalidService", "Service fly not found!");
    check_error("/route/v2/car/1,2;3,4", "InvalidVersion", "Service route not found!");
}

HT_CASE(broken_queries_name_their_position)
{
    static const char *const cases[][2] = {
        {"/route/v1/car/abc", "14"},
        {"/route/v1/car/1,2;", "17"},
        {"/route/v1/car/1", "15"},
        {"/route/v1/car/1,", "16"},
        {"/route/v1/car/1,x", "16"},
        {"/route/v1/car/nan,1;2,3", "14"},
        {"/route/v1/car/1,2;nan,3", "17"},
        {"/route/v1/car/9999,1;2,3", "14"},
        {"/route/v1/car/1,2;3,4?", "22"},
        {"/route/v1/car/1,2;3,4?foo=1", "22"},
        {"/route/v1/car/1,2;3,4?steps=true&foo=1", "32"},
        {"/route/v1/car/1,2;3,4?steps=maybe", "28"},
        {"/route/v1/car/1,2;3,4?steps=", "28"},
        {"/route/v1/car/1,2;3,4?steps=truex", "32"},
        {"/route/v1/car/1,2;3,4?alternatives=-1", "35"},
        {"/route/v1/car/1,2;3,4?bearings=1;2", "32"},
        {"/route/v1/car/1,2;3,4?hints=abc", "28"},
        {"/route/v1/car/1,2;3,4?exclude=", "30"},
        {"/route/v1/car/1,2;3,4?number=3", "22"},
        {"/route/v1/car/1,2;3,4.xml", "22"},
        {"/route/v1/car/polyline(", "23"},
        {"/trip/v1/car/1,2;3,4?alternatives=1", "21"},
        {"/table/v1/car/1,2;3,4?annotations=speed", "34"},
        {"/tile/v1/car/tile(1,2).mvt", "21"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[128];
        (void)snprintf(message, sizeof message, "Query string malformed close to position %s",
                       cases[i][1]);
        check_error(cases[i][0], "InvalidQuery", message);
    }
}

HT_CASE(impossible_options_are_refused)
{
    check_error("/route/v1/car/1,2", "InvalidOptions",
                "Number of coordinates needs to be at least two.");
    check_error("/route/v1/car/1,2;3,4?bearings=1,2", "InvalidOptions",
                "Number of elements in bearings size 1 does not match coordinate size 2");
    check_error("/table/v1/car/1,2;3,4?fallback_speed=0", "InvalidOptions",
                "fallback_speed must be > 0");
    check_error("/table/v1/car/1,2;3,4?scale_factor=-1", "InvalidOptions",
                "scale_factor must be > 0");
    check_error("/nearest/v1/car/1,2;3,4", "InvalidOptions",
                "Only one input coordinate is supported");
    check_error("/nearest/v1/car/1,2?number=101", "TooBig",
                "Number of results 101 is higher than current maximum (100)");
    check_error("/trip/v1/car/1,2;3,4?roundtrip=false", "NotImplemented",
                "This request is not supported");
    check_error("/route/v1/car/1,2;3,4;5,6?waypoints=0;1", "InvalidValue",
                "First and last coordinates must be specified as waypoints.");
    check_error("/tile/v1/car/tile(1,2,3).mvt", "InvalidOptions",
                "Invalid coodinates. Only zoomlevel 12+ is supported");
    check_error("/route/v1/car/1,2;3,4.5.flatbuffers", "InvalidOptions",
                "Format flatbuffers is not supported, use json.");
    check_error("/route/v1/car/1,2;3,4?bearings=400,5;", "InvalidOptions",
                "Bearings need to be within 0 to 360, their ranges within 0 to 180.");
    check_error("/table/v1/car/1,2;3,4?sources=2", "InvalidOptions",
                "Index 2 in sources does not point at one of 2 coordinates");
    check_error("/match/v1/car/1,2;3,4?depart=2024-01-01T08:00:00Z", "InvalidOptions",
                "Option depart is not for match, which is about the past.");
    check_error("/route/v1/car/1,2;3,4?depart=soon", "InvalidQuery",
                "Query string malformed close to position 29");
    check_error("/route/v1/car/1,2;3,4?avoid=a,b&nothing=5", "InvalidQuery",
                "Query string malformed close to position 31");
}

HT_CASE(a_departure_is_a_time)
{
    HT_REQUIRE(parse("/route/v1/car/1,2;3,4?depart=2024-01-01T08:00:00Z&steps=true"));
    HT_CHECK(request->departs && request->steps);
    HT_CHECK_INT(request->depart_ms, INT64_C(1704096000000));
    /* a plus as a browser writes it, as it is, and as some make it of it */
    HT_REQUIRE(parse("/table/v1/car/1,2;3,4?depart=2024-01-01T16:00:00%2B08:00"));
    HT_CHECK_INT(request->depart_ms, INT64_C(1704096000000));
    HT_REQUIRE(parse("/table/v1/car/1,2;3,4?depart=2024-01-01T16:00:00+08:00"));
    HT_CHECK_INT(request->depart_ms, INT64_C(1704096000000));
    HT_REQUIRE(parse("/trip/v1/car/1,2;3,4?depart=2024-01-01T16:00:00%2008:00"));
    HT_CHECK_INT(request->depart_ms, INT64_C(1704096000000));
    HT_REQUIRE(parse("/route/v1/car/1,2;3,4"));
    HT_CHECK(!request->departs);
}

HT_CASE(what_to_avoid_is_kept_as_it_came)
{
    HT_REQUIRE(parse("/table/v1/car/1,2;3,4?avoid=%7B%22type%22:%22Polygon%22%7D&sources=1"));
    HT_CHECK(request->avoids && request->avoid.size == 18);
    HT_CHECK(memcmp((const char *)request->text.data + request->avoid.offset,
                    "{\"type\":\"Polygon\"}", 18) == 0);
    HT_CHECK_INT(index_at(&request->sources, 0), 1);
    HT_REQUIRE(parse("/route/v1/car/1,2;3,4?avoid="));
    HT_CHECK(request->avoids && request->avoid.size == 0);
    HT_REQUIRE(parse("/route/v1/car/1,2;3,4"));
    HT_CHECK(!request->avoids);
}

HT_CASE(limits_are_kept)
{
    check_error("/route/v1/car/1,2;3,4;5,6;7,8;9,1;1,1", "TooBig",
                "Number of entries 6 is higher than current maximum (5)");
    check_error("/route/v1/car/1,2;3,4?alternatives=4", "TooBig",
                "Requested number of alternatives is higher than current maximum (3)");
    check_error("/table/v1/car/1,2;3,4;5,6;7,8;9,1", "TooBig", "Too many table coordinates");
    check_error("/trip/v1/car/1,2;3,4;5,6;7,8;9,1", "TooBig", "Too many trip coordinates");
}

HT_CASE(coordinates_off_the_globe_are_refused)
{
    check_error("/route/v1/car/43.7,97.4;2,3", "InvalidValue", "Invalid coordinate value.");
    check_error("/route/v1/car/181,4;2,3", "InvalidValue", "Invalid coordinate value.");
    check_error("/table/v1/car/1,-91;2,3", "InvalidOptions", "Coordinates are invalid");
    check_error("/nearest/v1/car/500,4", "InvalidOptions", "Coordinates are invalid");
    check_error("/trip/v1/car/1,-91;2,3", "InvalidValue", "Invalid coordinate value.");
    HT_CHECK(parse("/route/v1/car/180,90;-180,-90"));
}

HT_CASE(a_request_is_used_again)
{
    HT_REQUIRE(parse("/route/v1/car/1,2;3,4;5,6?steps=true&radiuses=1;2;3"));
    ht_osrm_request_reset(request);
    const char *next = "/nearest/v1/car/1,2";
    HT_REQUIRE(ht_osrm_parse_target(request, next, strlen(next), NULL, 0, &reply));
    HT_CHECK_INT(ht_osrm_point_count(request), 1);
    HT_CHECK_INT(request->radiuses.count, 0);
    HT_CHECK(!request->steps);
    ht_osrm_request_destroy(request);
    request = NULL;
    ht_reply_deinit(&reply);
    memset(&reply, 0, sizeof reply);
}

HT_MAIN()
