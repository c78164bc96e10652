/* The OSRM services on a tiny town: shapes of the answers, their numbers, their errors. */
#include "api/osrm.h"

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/oom.h"
#include "tests/support/tiny_road.h"

#define STREET .road_class = HT_ROAD_RESIDENTIAL

/* a-b-c-d is one street, 100 m between letters; e-f-g another 300 m to the south, joined at both
 * ends; t is a toll road; x-y is an island, which y-z leads out of. */
static const struct ht_tiny_way ways[] = {
    {.nodes = "abcd", .name = "North Street", STREET},
    {.nodes = "efgh", .name = "South Street", STREET},
    {.nodes = "ae", .name = "West Lane", STREET},
    {.nodes = "dh", .name = "East Lane", STREET, .oneway = true},
    {.nodes = "btf", .name = "Toll Road", STREET, .classes = HT_ARC_TOLL, .speed_mps = 20},
    {.nodes = "xy", .name = "Island", STREET},
    {.nodes = "yz", .name = "Jetty", STREET, .oneway = true},
};

static const char map[] = "a b c d    x y z\n"
                          "                \n"
                          "  t             \n"
                          "                \n"
                          "                \n"
                          "                \n"
                          "e f g h         \n";

static struct ht_tiny *tiny;
static struct ht_tiny_road tiny_road;
static struct ht_world *world;
static struct ht_osrm *osrm;
static struct ht_reply reply;

static void release(void *owner)
{
    (void)owner;
}

static void mark_island(void)
{
    uint32_t size = 0;
    for (uint32_t a = 0; a < tiny->graph.arc_count; a++) {
        char from = ht_tiny_letter(tiny, a, 0);
        bool jetty = ht_tiny_letter(tiny, a, 1) == 'z';
        if (from == 'x' || from == 'y') {
            tiny->arcs[a].component = jetty ? 2 : 1;
            tiny->arcs[a].flags |= HT_ARC_SMALL;
            size++;
        }
    }
    ht_tiny_require(size == 3, "the island has three arcs");
}

static void open_town(void)
{
    if (world != NULL) {
        return;
    }
    struct ht_osrm_limits limits = ht_osrm_limits_default();
    tiny = ht_tiny_new(map, 50, ways, sizeof ways / sizeof *ways, "");
    mark_island();
    ht_tiny_road_init(&tiny_road, tiny);
    ht_tiny_require(ht_world_new(&tiny_road.road, 1, NULL, release, &world) == HT_OK &&
                        ht_osrm_new(&limits, &osrm) == HT_OK,
                    "out of memory");
}

/* "/route/v1/driving/{ab0.5;cd0.5}?steps=true": places between two letters, at a ratio, instead of
 * coordinates. */
static void expand(const char *pattern, char *url, size_t size)
{
    size_t at = 0;
    const char *p = pattern;
    while (*p != '\0' && at + 64 < size) {
        if (*p == '{' || (*p == ';' && strchr(p, '}') != NULL && p > strchr(pattern, '{'))) {
            char *end;
            struct ht_place place = ht_tiny_place(tiny, p[1], p[2], strtod(p + 3, &end));
            at += (size_t)snprintf(url + at, size - at, "%s%.7f,%.7f", *p == ';' ? ";" : "",
                                   place.point.lon_e7 / 1e7, place.point.lat_e7 / 1e7);
            p = *end == '}' ? end + 1 : end;
        } else {
            url[at++] = *p++;
        }
    }
    url[at] = '\0';
}

/* The answer as text; its HTTP status in reply.status. */
static const char *get(const char *pattern)
{
    char url[4096];
    open_town();
    expand(pattern, url, sizeof url);
    struct ht_osrm_request *request = NULL;
    if (ht_osrm_parse(osrm, url, strlen(url), NULL, 0, &reply, &request)) {
        (void)ht_osrm_heavy(osrm, request, world);
        ht_osrm_run(osrm, request, world, NULL, &reply);
        ht_osrm_request_free(request);
    }
    ht_buffer_append(&reply.body, "", 1);
    HT_CHECK(ht_json_valid(reply.body.data));
    return reply.body.data;
}

static void check_near(double got, double want, double off)
{
    HT_CHECK(fabs(got - want) <= off);
    if (!(fabs(got - want) <= off)) {
        (void)printf("  got %.7f, not %.7f\n", got, want);
    }
}

static void check_error(const char *pattern, const char *code, const char *message)
{
    char want[256];
    (void)snprintf(want, sizeof want, "{\"code\":\"%s\",\"message\":\"%s\"}", code, message);
    HT_CHECK_STR(get(pattern), want);
    HT_CHECK_INT(reply.status, 400);
}

HT_CASE(route_along_one_street)
{
    const char *a = get("/route/v1/driving/{ab0.5;cd0.5}?overview=false");
    HT_CHECK_INT(reply.status, 200);
    HT_CHECK(ht_json_is(a, "code", "\"Ok\""));
    check_near(ht_json_number_at(a, "routes.0.distance"), 200, 0.2);
    check_near(ht_json_number_at(a, "routes.0.duration"), 20, 0.1);
    check_near(ht_json_number_at(a, "routes.0.weight"), 20, 0.1);
    HT_CHECK(ht_json_is(a, "routes.0.weight_name", "\"routability\""));
    HT_CHECK(ht_json_at(a, "routes.0.geometry") == NULL);
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs"), 1);
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs.0.steps"), 0);
    HT_CHECK(ht_json_is(a, "routes.0.legs.0.summary", "\"\""));
    HT_CHECK_INT(ht_json_count_at(a, "waypoints"), 2);
    HT_CHECK(ht_json_is(a, "waypoints.0.name", "\"North Street\""));
    HT_CHECK(ht_json_number_at(a, "waypoints.0.distance") < 0.1);
    HT_CHECK(ht_json_at(a, "waypoints.0.hint") != NULL);
}

HT_CASE(geometry_in_three_forms)
{
    const char *a = get("/route/v1/driving/{ab0.5;gh0.5}?overview=full&geometries=geojson&"
                        "exclude=toll");
    HT_CHECK(ht_json_is(a, "routes.0.geometry.type", "\"LineString\""));
    HT_CHECK(ht_json_count_at(a, "routes.0.geometry.coordinates") >= 4);
    check_near(ht_json_number_at(a, "routes.0.geometry.coordinates.0.0"),
               ht_json_number_at(a, "waypoints.0.location.0"), 1e-6);
    a = get("/route/v1/driving/{ab0.5;cd0.5}?overview=simplified");
    HT_CHECK(*ht_json_at(a, "routes.0.geometry") == '"');
    a = get("/route/v1/driving/{ab0.5;cd0.5}?overview=full&geometries=polyline6");
    HT_CHECK(*ht_json_at(a, "routes.0.geometry") == '"');
}

HT_CASE(annotations_agree_with_the_leg)
{
    const char *a = get("/route/v1/driving/{ab0.5;cd0.5}?overview=full&annotations=true&"
                        "geometries=geojson");
    static const char *const names[] = {"duration", "distance", "weight", "speed", "datasources"};
    int points = ht_json_count_at(a, "routes.0.geometry.coordinates");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "routes.0.legs.0.annotation.%s", names[i]);
        HT_CHECK_INT(ht_json_count_at(a, path), points - 1);
    }
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs.0.annotation.nodes"), points);
    HT_CHECK_INT(ht_json_number_at(a, "routes.0.legs.0.annotation.nodes.0"), 'a');
    HT_CHECK_INT(ht_json_number_at(a, "routes.0.legs.0.annotation.nodes.3"), 'd');
    check_near(ht_json_number_at(a, "routes.0.legs.0.annotation.speed.1"), 10, 0.1);
    check_near(ht_json_number_at(a, "routes.0.legs.0.annotation.distance.1"), 100, 0.1);
    check_near(ht_json_number_at(a, "routes.0.legs.0.annotation.duration.0"), 5, 0.1);
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs.0.annotation.metadata.datasource_names"), 1);
    a = get("/route/v1/driving/{ab0.5;cd0.5}?annotations=speed");
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs.0.annotation"), 1);
}

HT_CASE(steps_begin_and_end)
{
    const char *a = get("/route/v1/driving/{ab0.5;gh0.5}?steps=true");
    int steps = ht_json_count_at(a, "routes.0.legs.0.steps");
    HT_CHECK(steps >= 2);
    HT_CHECK(ht_json_is(a, "routes.0.legs.0.steps.0.maneuver.type", "\"depart\""));
    char path[64];
    (void)snprintf(path, sizeof path, "routes.0.legs.0.steps.%d.maneuver.type", steps - 1);
    HT_CHECK(ht_json_is(a, path, "\"arrive\""));
    HT_CHECK(strlen(ht_json_at(a, "routes.0.legs.0.summary")) > 2);
}

HT_CASE(via_points_go_straight_on_unless_told)
{
    const char *a = get("/route/v1/driving/{ab0.25;ab0.75;ab0.25}?overview=false");
    double straight = ht_json_number_at(a, "routes.0.distance");
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs"), 2);
    a = get("/route/v1/driving/{ab0.25;ab0.75;ab0.25}?overview=false&continue_straight=false");
    check_near(ht_json_number_at(a, "routes.0.distance"), 100, 0.3);
    HT_CHECK(straight > 300); /* around a block */
    check_near(ht_json_number_at(a, "routes.0.legs.0.distance") +
                   ht_json_number_at(a, "routes.0.legs.1.distance"),
               ht_json_number_at(a, "routes.0.distance"), 0.01);
}

HT_CASE(silent_waypoints_join_legs)
{
    const char *a = get("/route/v1/driving/{ab0.5;bc0.5;cd0.5}?waypoints=0;2&overview=full&"
                        "geometries=geojson&steps=true&annotations=nodes");
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs"), 1);
    HT_CHECK_INT(ht_json_count_at(a, "waypoints"), 3);
    check_near(ht_json_number_at(a, "routes.0.legs.0.distance"), 200, 0.3);
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs.0.annotation.nodes"), 4); /* a b c d */
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.geometry.coordinates"), 4);
    a = get("/route/v1/driving/{ab0.25;ab0.75;ab0.25}?waypoints=0;2&continue_straight=false&"
            "steps=true&overview=full&geometries=geojson");
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.legs"), 1);
    check_near(ht_json_number_at(a, "routes.0.legs.0.distance"), 100, 0.3);
    HT_CHECK_INT(ht_json_count_at(a, "routes.0.geometry.coordinates"), 3);
}

HT_CASE(excluded_streets_are_not_used)
{
    const char *a = get("/route/v1/driving/{bc0.1;fg0.1}?overview=false");
    double with_toll = ht_json_number_at(a, "routes.0.duration");
    a = get("/route/v1/driving/{bc0.1;fg0.1}?overview=false&exclude=toll");
    HT_CHECK(ht_json_number_at(a, "routes.0.duration") > with_toll + 5);
    check_error("/route/v1/driving/{ab0.1;fg0.1}?exclude=parking", "InvalidValue",
                "Exclude flag combination is not supported.");
    check_error("/route/v1/driving/{ab0.1;fg0.1}?exclude=toll,ferry", "InvalidValue",
                "Exclude flag combination is not supported.");
}

HT_CASE(a_junction_offers_all_its_streets)
{
    const char *a = get("/nearest/v1/driving/{ab1.0}?number=1");
    HT_CHECK_INT(ht_json_count_at(a, "waypoints"), 1);
    a = get("/route/v1/driving/{ab1.0;fg0.0}?overview=false");
    check_near(ht_json_number_at(a, "routes.0.distance"), 300, 3); /* the toll road at once */
    HT_CHECK(strstr(a, "North Street / Toll Road") != NULL ||
             strstr(a, "Toll Road / North Street") != NULL);
}

HT_CASE(nearest_lists_streets_by_distance)
{
    const char *a = get("/nearest/v1/driving/{ab0.5}?number=3");
    HT_CHECK(ht_json_is(a, "code", "\"Ok\""));
    HT_CHECK_INT(ht_json_count_at(a, "waypoints"), 3);
    HT_CHECK(ht_json_is(a, "waypoints.0.name", "\"North Street\""));
    HT_CHECK_INT(ht_json_number_at(a, "waypoints.0.nodes.0"), 'a');
    HT_CHECK_INT(ht_json_number_at(a, "waypoints.0.nodes.1"), 'b');
    HT_CHECK(ht_json_number_at(a, "waypoints.1.distance") <=
             ht_json_number_at(a, "waypoints.2.distance"));
    check_error("/nearest/v1/driving/100,0?radiuses=5", "NoSegment",
                "Could not find a matching segments for coordinate");
}

HT_CASE(table_gives_times_and_distances)
{
    const char *a = get("/table/v1/driving/{ab0.5;cd0.5;gh0.5}?annotations=duration,distance");
    HT_CHECK_INT(ht_json_count_at(a, "durations"), 3);
    HT_CHECK_INT(ht_json_count_at(a, "durations.0"), 3);
    HT_CHECK_INT(ht_json_number_at(a, "durations.1.1"), 0);
    check_near(ht_json_number_at(a, "durations.0.1"), 20, 0.1);
    check_near(ht_json_number_at(a, "distances.0.1"), 200, 0.3);
    HT_CHECK_INT(ht_json_count_at(a, "sources"), 3);
    HT_CHECK_INT(ht_json_count_at(a, "destinations"), 3);
    a = get("/table/v1/driving/{ab0.5;cd0.5;gh0.5}?sources=2&destinations=0;1&skip_waypoints=true");
    HT_CHECK_INT(ht_json_count_at(a, "durations"), 1);
    HT_CHECK_INT(ht_json_count_at(a, "durations.0"), 2);
    HT_CHECK(ht_json_at(a, "distances") == NULL);
    HT_CHECK(ht_json_at(a, "sources") == NULL);
}

HT_CASE(table_agrees_with_routes)
{
    const char *a = get("/table/v1/driving/{ab1.0;gh0.3;cd0.7}?annotations=duration,distance");
    double duration = ht_json_number_at(a, "durations.0.1");
    double distance = ht_json_number_at(a, "distances.0.1");
    a = get("/route/v1/driving/{ab1.0;gh0.3}?overview=false");
    HT_CHECK(duration == ht_json_number_at(a, "routes.0.duration"));
    HT_CHECK(distance == ht_json_number_at(a, "routes.0.distance"));
}

HT_CASE(table_scales_and_falls_back)
{
    const char *a = get("/table/v1/driving/{ab0.5;cd0.5}?scale_factor=2.5");
    check_near(ht_json_number_at(a, "durations.0.1"), 50, 0.1);
    /* bearings=90 hold both to the eastward side; an island cannot be reached at all */
    a = get("/table/v1/driving/{ab0.5;xy0.5}?fallback_speed=10&radiuses=5;5&"
            "annotations=duration,distance");
    HT_CHECK_INT(ht_json_count_at(a, "fallback_speed_cells"), 2);
    check_near(ht_json_number_at(a, "distances.0.1"), 550, 1);
    check_near(ht_json_number_at(a, "durations.0.1"), 55, 0.2);
    a = get("/table/v1/driving/{ab0.5;xy0.5}?radiuses=5;5");
    HT_CHECK(ht_json_is(a, "durations.0.1", "null"));
}

HT_CASE(islands_are_left_unless_all_lie_there)
{
    const char *a = get("/route/v1/driving/{xy0.25;xy0.75}?overview=false");
    check_near(ht_json_number_at(a, "routes.0.distance"), 50, 0.2);
    a = get("/route/v1/driving/{xy0.25;cd0.5}?overview=false");
    HT_CHECK(ht_json_is(a, "code", "\"Ok\"")); /* x was moved to the mainland */
    HT_CHECK(ht_json_number_at(a, "waypoints.0.distance") > 250);
    check_error("/route/v1/driving/{xy0.25;cd0.5}?radiuses=5;5", "NoRoute",
                "Impossible route between points");
}

/* In a map without a large component every street may be one that a driver means: the nearest is
 * taken while ways begin and end there. */
HT_CASE(small_maps_have_no_islands_but_those_without_a_way)
{
    const char *a = get("/route/v1/driving/{xy0.25;yz0.5}?overview=false");
    check_near(ht_json_number_at(a, "routes.0.distance"), 125, 0.3);
    check_near(ht_json_number_at(a, "waypoints.1.distance"), 0, 0.1);
    a = get("/route/v1/driving/{yz0.5;xy0.25}?overview=false");
    HT_CHECK(ht_json_number_at(a, "waypoints.0.distance") > 250);
    a = get("/table/v1/driving/{xy0.25;yz0.5;ab0.5}?annotations=distance");
    check_near(ht_json_number_at(a, "distances.0.1"), 125, 0.3);
    HT_CHECK(ht_json_is(a, "distances.1.0", "null"));
    HT_CHECK(ht_json_is(a, "distances.0.2", "null"));
    a = get("/table/v1/driving/{xy0.25;ab0.5;cd0.5}?annotations=distance");
    HT_CHECK(ht_json_number_at(a, "distances.0.1") > 100); /* nobody comes from x: moved */
    a = get("/table/v1/driving/{xy0.25;yz0.5;ab0.5}?sources=2&destinations=0");
    HT_CHECK(ht_json_number_at(a, "durations.0.0") > 10);
    a = get("/trip/v1/driving/{xy0.25;ab0.5}?overview=false");
    HT_CHECK(ht_json_is(a, "code", "\"Ok\""));
}

HT_CASE(hints_stand_for_places)
{
    char hint[128] = {0};
    char url[512];
    const char *a = get("/nearest/v1/driving/{ab0.5}");
    const char *at = ht_json_at(a, "waypoints.0.hint");
    HT_REQUIRE(at != NULL);
    size_t size = (size_t)(ht_json_skip(at) - at) - 2;
    HT_REQUIRE(size == 56);
    memcpy(hint, at + 1, size);
    (void)snprintf(url, sizeof url, "/route/v1/driving/{ab0.5;cd0.5}?overview=false&hints=%s;",
                   hint);
    a = get(url);
    check_near(ht_json_number_at(a, "routes.0.distance"), 200, 0.2);
    /* for another coordinate, and damaged at each place: as if it were not there */
    (void)snprintf(url, sizeof url, "/route/v1/driving/{bc0.5;cd0.5}?overview=false&hints=%s;",
                   hint);
    check_near(ht_json_number_at(get(url), "routes.0.distance"), 100, 0.2);
    for (size_t i = 0; i < size; i++) {
        char kept = hint[i];
        hint[i] = kept == 'A' ? 'B' : 'A';
        (void)snprintf(url, sizeof url, "/route/v1/driving/{ab0.5;cd0.5}?overview=false&hints=%s;",
                       hint);
        check_near(ht_json_number_at(get(url), "routes.0.distance"), 200, 0.2);
        hint[i] = kept;
    }
}

HT_CASE(trip_visits_all_in_the_best_order)
{
    const char *a = get("/trip/v1/driving/{ab0.1;cd0.9;ab0.9;cd0.1}?overview=false&"
                        "roundtrip=false&source=first&destination=any");
    HT_CHECK_INT(ht_json_number_at(a, "waypoints.0.waypoint_index"), 0);
    HT_CHECK_INT(ht_json_number_at(a, "waypoints.2.waypoint_index"), 1);
    HT_CHECK_INT(ht_json_number_at(a, "waypoints.3.waypoint_index"), 2);
    HT_CHECK_INT(ht_json_number_at(a, "waypoints.1.waypoint_index"), 3);
    check_near(ht_json_number_at(a, "trips.0.distance"), 280, 0.5);
    a = get("/trip/v1/driving/{ab0.1;cd0.9;ab0.9}?overview=false");
    HT_CHECK_INT(ht_json_count_at(a, "trips.0.legs"), 3);
    HT_CHECK_INT(ht_json_number_at(a, "waypoints.0.trips_index"), 0);
    check_error("/trip/v1/driving/{ab0.1;xy0.5}?radiuses=5;5", "NoTrips",
                "No trip visiting all destinations possible.");
}

HT_CASE(a_trace_is_matched)
{
    const char *a = get("/match/v1/driving/{ab0.5;bc0.5;cd0.5;dh0.5;gh0.5}"
                        "?geometries=geojson&overview=full&annotations=true&steps=true");
    HT_CHECK_INT(reply.status, 200);
    HT_CHECK(ht_json_is(a, "code", "\"Ok\""));
    HT_CHECK_INT(ht_json_count_at(a, "matchings"), 1);
    HT_CHECK_INT(ht_json_count_at(a, "matchings.0.legs"), 4);
    check_near(ht_json_number_at(a, "matchings.0.distance"), 600, 2);
    check_near(ht_json_number_at(a, "matchings.0.duration"), 60, 0.3);
    HT_CHECK(ht_json_number_at(a, "matchings.0.confidence") > 0);
    HT_CHECK(ht_json_number_at(a, "matchings.0.confidence") <= 1);
    HT_CHECK(ht_json_is(a, "matchings.0.weight_name", "\"routability\""));
    HT_CHECK_INT(ht_json_count_at(a, "matchings.0.geometry.coordinates"), 9);
    HT_CHECK_INT(ht_json_count_at(a, "tracepoints"), 5);
    for (int i = 0; i < 5; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "tracepoints.%d.waypoint_index", i);
        HT_CHECK_INT(ht_json_number_at(a, path), i);
        (void)snprintf(path, sizeof path, "tracepoints.%d.matchings_index", i);
        HT_CHECK_INT(ht_json_number_at(a, path), 0);
        (void)snprintf(path, sizeof path, "tracepoints.%d.alternatives_count", i);
        HT_CHECK(ht_json_number_at(a, path) >= 0);
        (void)snprintf(path, sizeof path, "tracepoints.%d.distance", i);
        HT_CHECK(ht_json_number_at(a, path) < 0.1);
    }
    HT_CHECK(ht_json_is(a, "tracepoints.0.name", "\"North Street\""));
    HT_CHECK(ht_json_is(a, "tracepoints.3.name", "\"East Lane\""));
    HT_CHECK(ht_json_is(a, "matchings.0.legs.2.steps.1.maneuver.modifier", "\"right\""));
}

HT_CASE(a_trace_of_waypoints_has_fewer_legs)
{
    const char *a = get("/match/v1/driving/{ab0.5;bc0.5;cd0.5;dh0.5;gh0.5}?waypoints=0;3;4");
    HT_CHECK_INT(ht_json_count_at(a, "matchings.0.legs"), 2);
    check_near(ht_json_number_at(a, "matchings.0.legs.0.distance"), 400, 1);
    HT_CHECK(ht_json_is(a, "tracepoints.0.waypoint_index", "0"));
    HT_CHECK(ht_json_is(a, "tracepoints.1.waypoint_index", "null"));
    HT_CHECK(ht_json_is(a, "tracepoints.3.waypoint_index", "1"));
    HT_CHECK(ht_json_is(a, "tracepoints.4.waypoint_index", "2"));
    a = get("/match/v1/driving/{ab0.5;bc0.5;cd0.5}?skip_waypoints=true&overview=false");
    HT_CHECK(ht_json_at(a, "tracepoints") == NULL);
    HT_CHECK(ht_json_at(a, "matchings.0.geometry") == NULL);
    HT_CHECK_INT(ht_json_count_at(a, "matchings.0.legs"), 2);
}

HT_CASE(a_trace_is_split_at_gaps_unless_told)
{
    const char *a = get("/match/v1/driving/{ab0.5;ab0.9;cd0.1;cd0.5}?timestamps=0;4;62;66");
    HT_CHECK_INT(ht_json_count_at(a, "matchings"), 2);
    HT_CHECK(ht_json_is(a, "tracepoints.1.matchings_index", "0"));
    HT_CHECK(ht_json_is(a, "tracepoints.1.waypoint_index", "1"));
    HT_CHECK(ht_json_is(a, "tracepoints.2.matchings_index", "1"));
    HT_CHECK(ht_json_is(a, "tracepoints.2.waypoint_index", "0"));
    a = get("/match/v1/driving/{ab0.5;ab0.9;cd0.1;cd0.5}?timestamps=0;4;62;66&gaps=ignore");
    HT_CHECK_INT(ht_json_count_at(a, "matchings"), 1);
}

HT_CASE(a_trace_is_tidied_when_asked)
{
    const char *a = get("/match/v1/driving/{ab0.1;ab0.15;ab0.18;ab0.5;bc0.5}?tidy=true");
    HT_CHECK(ht_json_is(a, "tracepoints.1", "null"));
    HT_CHECK(ht_json_is(a, "tracepoints.2", "null"));
    HT_CHECK(ht_json_is(a, "tracepoints.3.waypoint_index", "1"));
    HT_CHECK_INT(ht_json_count_at(a, "matchings.0.legs"), 2);
    /* a waypoint that goes passes to the one kept before it */
    a = get("/match/v1/driving/{ab0.1;ab0.5;ab0.52;bc0.5;cd0.5}?tidy=true&waypoints=0;2;4");
    HT_CHECK(ht_json_is(a, "tracepoints.1.waypoint_index", "1"));
    HT_CHECK(ht_json_is(a, "tracepoints.2", "null"));
    HT_CHECK_INT(ht_json_count_at(a, "matchings.0.legs"), 2);
    /* too soon counts as well, where times are known */
    a = get("/match/v1/driving/{ab0.1;ab0.5;bc0.1;bc0.5}?tidy=true&timestamps=0;3;6;10");
    HT_CHECK(ht_json_is(a, "tracepoints.1", "null"));
    HT_CHECK(ht_json_is(a, "tracepoints.2.waypoint_index", "1"));
}

HT_CASE(radiuses_of_a_trace_are_its_noise)
{
    /* 40 m off the street: beyond three times 5 m, within three times 20 m */
    char url[256];
    open_town();
    double lat = ht_tiny_place(tiny, 'a', 'b', 0.5).point.lat_e7 / 1e7;
    double lon = ht_tiny_place(tiny, 'a', 'b', 0.5).point.lon_e7 / 1e7;
    (void)snprintf(url, sizeof url, "/match/v1/driving/{ab0.1;ab0.3};%.7f,%.7f;%.7f,%.7f", lon,
                   lat + 40 / 111000.0, lon + 0.0002, lat);
    const char *a = get(url);
    HT_CHECK(ht_json_is(a, "tracepoints.2", "null"));
    HT_CHECK(ht_json_is(a, "tracepoints.3.waypoint_index", "2"));
    (void)snprintf(url, sizeof url,
                   "/match/v1/driving/{ab0.1;ab0.3};%.7f,%.7f;%.7f,%.7f?radiuses=;;20;", lon,
                   lat + 40 / 111000.0, lon + 0.0002, lat);
    a = get(url);
    HT_CHECK(ht_json_is(a, "tracepoints.2.waypoint_index", "2"));
    check_near(ht_json_number_at(a, "tracepoints.2.distance"), 40, 0.5);
}

HT_CASE(odd_traces_get_an_answer)
{
    static const char *const odd[] = {
        "{ab0.1;ab0.1;ab0.1}?timestamps=0;0;0",
        "{ab0.1;cd0.9}?timestamps=0;4294967295&gaps=ignore",
        "{ab0.1;cd0.9}?radiuses=0;0",
        "{ab0.1;cd0.9}?radiuses=unlimited;unlimited",
        "{ab0.1;cd0.9}?radiuses=-3;1e300",
        "{ab0.1;cd0.9;ab0.1;cd0.9}?bearings=90,20;;270,20;",
        "{ab0.1;cd0.9}?approaches=curb;opposite&tidy=true&gaps=split",
        "{ab0.1;cd0.9};180,90;-180,-90",
        "{ab0.1;cd0.9}?exclude=toll&snapping=any&hints=;",
    };
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        char url[256];
        (void)snprintf(url, sizeof url, "/match/v1/driving/%s", odd[i]);
        (void)get(url);
        HT_CHECK(reply.status == 200 || reply.status == 400);
    }
}

/* A workspace serves any request after any other: a trip of 16 is the most that its first list of
 * stops holds, and a route of 40 asks for more of another kind. */
HT_CASE(long_requests_follow_each_other)
{
    char url[4096];
    static const int counts[] = {16, 40, 16, 40};
    static const char *const services[] = {"trip", "route", "match", "route"};
    for (int i = 0; i < 4; i++) {
        size_t at = (size_t)snprintf(url, sizeof url, "/%s/v1/driving/{ab0.010", services[i]);
        for (int k = 1; k < counts[i]; k++) {
            at += (size_t)snprintf(url + at, sizeof url - at, ";ab0.%03d", 10 + 20 * k);
        }
        (void)snprintf(url + at, sizeof url - at, "}?overview=false");
        HT_CHECK(ht_json_is(get(url), "code", "\"Ok\""));
    }
}

HT_CASE(other_coordinate_systems_in_and_out)
{
    /* EPSG:3857 at the equator's edge of this town: x = lon * 111319.49 */
    const char *a = get("/nearest/v1/driving/{ab0.5}?out_crs=EPSG:3857");
    check_near(ht_json_number_at(a, "waypoints.0.location.0"), 111369.5, 1);
    a = get("/nearest/v1/driving/111369.5,111325.1?crs=EPSG:3857&out_crs=EPSG:4326");
    check_near(ht_json_number_at(a, "waypoints.0.location.0"), 1.00045, 1e-5);
    check_near(ht_json_number_at(a, "waypoints.0.location.1"), 1, 1e-5);
    a = get("/nearest/v1/driving/{ab0.5}?crs=GCJ02"); /* outside China: the same */
    check_near(ht_json_number_at(a, "waypoints.0.distance"), 0, 0.1);
    a = get("/route/v1/driving/{ab0.5;cd0.5}?out_crs=EPSG:3857&overview=full&steps=true&"
            "geometries=geojson");
    check_near(ht_json_number_at(a, "routes.0.geometry.coordinates.0.0"), 111369.5, 1);
    check_near(ht_json_number_at(a, "routes.0.legs.0.steps.0.maneuver.location.0"), 111369.5, 1);
    check_near(ht_json_number_at(a, "routes.0.legs.0.steps.0.geometry.coordinates.0.0"), 111369.5,
               1);
    check_error("/route/v1/driving/{ab0.5;cd0.5}?out_crs=EPSG:3857", "InvalidOptions",
                "A projected coordinate system needs geometries=geojson.");
    check_error("/route/v1/driving/{ab0.5;cd0.5}?crs=MARS1", "InvalidValue",
                "Coordinate system MARS1 is not known.");
}

HT_CASE(errors_have_osrms_texts)
{
    check_error("/route/v1/driving/{ab0.1;cd0.5}?radiuses=;0&bearings=;0,1", "NoSegment",
                "Could not find a matching segment for coordinate 1");
    check_error("/route/v1/hovercraft/{ab0.1;cd0.5}", "InvalidValue",
                "Profile hovercraft not found!");
    check_error("/match/v1/driving/120,30;120,31", "NoSegment",
                "Could not find a matching segment for any coordinate.");
    check_error("/match/v1/driving/{ab0.1;xy0.5}", "NoMatch", "Could not match the trace.");
    check_error("/match/v1/driving/{ab0.1;ab0.5;cd0.5}?waypoints=1;2", "InvalidValue",
                "First and last coordinates must be specified as waypoints.");
    check_error("/match/v1/driving/{ab0.1;ab0.5;cd0.5}?waypoints=0;3", "InvalidOptions",
                "Index 3 in waypoints does not point at one of 3 coordinates");
    check_error("/match/v1/driving/{ab0.1;ab0.5;cd0.5}?timestamps=5;4;6", "InvalidValue",
                "Timestamps need to be monotonically increasing.");
    check_error("/match/v1/driving/{ab0.1;ab0.5;cd0.5;cd0.6}?timestamps=0;1;62;63&waypoints=0;3",
                "NoMatch", "Could not match the trace with the given waypoints.");
    check_error("/match/v1/driving/{ab0.1}", "InvalidOptions",
                "Number of coordinates needs to be at least two.");
    check_error("/route/v1/driving/120,30;120,30?radiuses=10;10", "NoSegment",
                "Could not find a matching segment for coordinate 0");
}

/* Everything that a request needs, from nothing, with the n-th allocation refused. */
static int answer_short_of_memory(const char *url, long n, bool *refused)
{
    struct ht_osrm_limits limits = ht_osrm_limits_default();
    struct ht_osrm *poor = NULL;
    struct ht_osrm_request *request = NULL;
    struct ht_reply answer = {0};
    ht_reply_reset(&answer);
    ht_oom_arm(n);
    int result = 503;
    if (ht_osrm_new(&limits, &poor) == HT_OK) {
        if (ht_osrm_parse(poor, url, strlen(url), NULL, 0, &answer, &request)) {
            ht_osrm_run(poor, request, world, NULL, &answer);
            ht_osrm_request_free(request);
        }
        result = answer.body.failed ? 503 : answer.status;
    }
    *refused = ht_oom_disarm();
    ht_osrm_free(poor);
    ht_reply_deinit(&answer);
    return result;
}

HT_CASE(running_out_of_memory_is_an_answer)
{
    static const char *const patterns[] = {
        "/route/v1/driving/{ab0.5;cd0.5;gh0.5}?steps=true&overview=full&annotations=true",
        "/route/v1/driving/{ab0.5;cd0.5;gh0.5}?steps=true&waypoints=0;2",
        "/route/v1/driving/{ab0.5;gh0.5}?alternatives=3",
        "/table/v1/driving/{ab0.5;cd0.5;xy0.5}?fallback_speed=5&radiuses=5;5;5",
        "/trip/v1/driving/{ab0.5;cd0.5;gh0.5}",
        "/match/v1/driving/{ab0.5;bc0.5;cd0.5;gh0.5}?steps=true&annotations=true&waypoints=0;3",
        "/nearest/v1/driving/{ab0.5}?number=5",
        "/tile/v1/driving/tile(2059,2036,12).mvt",
    };
    open_town();
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char url[1024];
        bool refused = true;
        expand(patterns[i], url, sizeof url);
        for (long n = 0; refused && n < 2000; n++) {
            int status = answer_short_of_memory(url, n, &refused);
            HT_CHECK_INT(status, refused ? 503 : 200);
        }
        HT_CHECK(!refused);
    }
}

HT_CASE(one_request_may_outlive_its_thread)
{
    struct ht_osrm_limits limits = ht_osrm_limits_default();
    struct ht_osrm *other = NULL;
    struct ht_osrm_request *first = NULL;
    struct ht_osrm_request *second = NULL;
    static const char url[] = "/nearest/v1/driving/1,1";
    HT_REQUIRE(ht_osrm_new(&limits, &other) == HT_OK);
    HT_CHECK(ht_osrm_parse(other, url, strlen(url), NULL, 0, &reply, &first));
    HT_CHECK(ht_osrm_parse(other, url, strlen(url), NULL, 0, &reply, &second));
    HT_CHECK(first != second);
    ht_osrm_request_free(second);
    ht_osrm_free(other);
    ht_osrm_request_free(first);
}

HT_CASE(alternatives_are_other_ways)
{
    const char *a = get("/route/v1/driving/{ab0.05;gh0.95}?alternatives=3&overview=false");
    HT_CHECK(ht_json_is(a, "code", "\"Ok\""));
    int routes = ht_json_count_at(a, "routes");
    HT_CHECK(routes >= 1 && routes <= 4);
    double best = ht_json_number_at(a, "routes.0.weight");
    for (int i = 1; i < routes; i++) {
        char path[32];
        (void)snprintf(path, sizeof path, "routes.%d.weight", i);
        HT_CHECK(ht_json_number_at(a, path) >= best);
    }
    a = get("/route/v1/driving/{ab0.05;gh0.95}?overview=false");
    HT_CHECK(ht_json_number_at(a, "routes.0.weight") == best);
    a = get("/route/v1/driving/{ab0.05;cd0.5;gh0.95}?alternatives=3&overview=false");
    HT_CHECK_INT(ht_json_count_at(a, "routes"), 1);
}

HT_CASE(paths_are_owned_by_shape)
{
    HT_CHECK(ht_osrm_owns("/route/v1/driving/1,2;3,4", 25));
    HT_CHECK(ht_osrm_owns("/route/x", 8));
    HT_CHECK(ht_osrm_owns("/fly/v1/car/1,2", 15));
    HT_CHECK(!ht_osrm_owns("/v1/near?lon=1", 14));
    HT_CHECK(!ht_osrm_owns("/collections/households/items", 29));
    HT_CHECK(!ht_osrm_owns("/healthz", 8));
    HT_CHECK(!ht_osrm_owns("/tiles/streets/1/2/3.mvt", 24));
}

HT_MAIN()
