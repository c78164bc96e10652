/* Permits on a map: whatever zones hold, wherever units are and whatever permits they have, with
 * their blue lights or without, closest, tables and ways equal a Dijkstra on streets on which the
 * zones that they may pass never were. */
#include <math.h>

#include "api/avoid.h"
#include "api/live.h"
#include "api/live_permits.h"
#include "api/map.h"
#include "engine/live/traffic.h"
#include "engine/road/dijkstra.h"
#include "engine/road/snap.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/random_town.h"
#include "tests/support/served.h"

enum { ZONES = 6, UNITS = 14, PROFILES = 3, POINTS = 3 };

static const char *const profiles[PROFILES] = {"car", "emergency", "foot"};

static void need(bool ok)
{
    if (!ok) {
        abort();
    }
}

struct stage {
    uint64_t state;
    struct ht_shared_pool pool;
    struct ht_map *map;
    struct ht_box box;
    struct ht_world *world;
    struct ht_live *live;
    struct ht_live_work *work;
    struct ht_zone *zones[ZONES];
    bool holds[ZONES];
    uint32_t permits[UNITS]; /* bits of zones */
    int plain[UNITS];        /* their profiles without blue light */
    bool dark;               /* lights are off */
    struct ht_traffic *without[PROFILES];
    struct ht_snap_work *snap;
    int64_t now_ms;
};

static uint32_t below(struct stage *s, uint32_t end)
{
    return ht_random_below(&s->state, end);
}

static struct ht_point somewhere(struct stage *s)
{
    uint32_t width = (uint32_t)(s->box.max.lon_e7 - s->box.min.lon_e7);
    uint32_t height = (uint32_t)(s->box.max.lat_e7 - s->box.min.lat_e7);
    return (struct ht_point){s->box.min.lon_e7 + (int32_t)(width / 4 + below(s, width / 2)),
                             s->box.min.lat_e7 + (int32_t)(height / 4 + below(s, height / 2))};
}

static struct ht_zone *zone_make(struct stage *s, int number)
{
    static const char *const whose[] = {"", "", "car", "car,emergency", "foot,driving"};
    const uint32_t ring_end = 5;
    const uint32_t polygon_end = 1;
    struct ht_point a = somewhere(s);
    struct ht_point b = {a.lon_e7 + 20000 + (int32_t)below(s, 150000),
                         a.lat_e7 + 20000 + (int32_t)below(s, 100000)};
    const struct ht_point points[] = {a, {b.lon_e7, a.lat_e7}, b, {a.lon_e7, b.lat_e7}, a};
    const struct ht_rings rings = {points, &ring_end, &polygon_end, 1};
    struct ht_zone *zone = NULL;
    char id[16];
    (void)snprintf(id, sizeof id, "z%d", number);
    need(ht_zone_new(&rings, below(s, 3) == 0 ? HT_ZONE_CONTROLLED : HT_ZONE_CLOSED,
                     whose[below(s, 5)], id, &zone) == HT_OK);
    return zone;
}

static void zones_hold(struct stage *s)
{
    struct ht_zone *list[ZONES];
    size_t count = 0;
    for (int z = 0; z < ZONES; z++) {
        if (s->holds[z]) {
            list[count++] = s->zones[z];
        }
    }
    struct ht_world *world = NULL;
    need(ht_map_zones(s->map, list, count) == HT_OK);
    need(ht_map_world(s->map, 0, &world) == HT_OK);
    if (world != NULL) {
        ht_live_work_rest(s->work);
        ht_world_release(s->world);
        s->world = world;
    }
}

static void unit_put(struct stage *s, int unit)
{
    char properties[256];
    char id[16];
    static const char *const without[] = {"", "emergency", "foot"}; /* `car` goes without saying */
    bool lit = unit % PROFILES == 1;
    s->plain[unit] = lit ? (int)below(s, PROFILES) : unit % PROFILES;
    const char *plain = lit ? without[s->plain[unit]] : "";
    size_t size = (size_t)snprintf(
        properties, sizeof properties, "{\"profile\":\"%s\"%s%s%s,\"permits\":[\"none\"",
        profiles[unit % PROFILES], plain[0] == '\0' ? "" : ",\"profile_plain\":\"", plain,
        plain[0] == '\0' ? "" : "\"");
    s->permits[unit] = unit % 2 == 0 ? 0 : below(s, 1 << ZONES) & below(s, 1 << ZONES);
    for (int z = ZONES; z-- > 0;) {
        if ((s->permits[unit] >> z & 1) != 0) {
            size += (size_t)snprintf(properties + size, sizeof properties - size, ",\"z%d\"", z);
        }
    }
    (void)snprintf(properties + size, sizeof properties - size, "]}");
    (void)snprintf(id, sizeof id, "u%02d", unit);
    need(ht_live_unit_put(s->live, id, properties, s->now_ms) == HT_OK);
}

static void unit_move(struct stage *s, int unit)
{
    struct ht_point at = somewhere(s);
    char id[16];
    s->now_ms += 3600000;
    const struct ht_report one = {.lon_deg = at.lon_e7 / 1e7,
                                  .lat_deg = at.lat_e7 / 1e7,
                                  .ts_ms = s->now_ms,
                                  .received_ms = s->now_ms,
                                  .speed_mps = -1,
                                  .bearing_deg = -1,
                                  .accuracy_m = -1};
    (void)snprintf(id, sizeof id, "u%02d", unit);
    need(ht_live_report(s->live, s->work, s->world, ht_live_unit_find(s->live, id, strlen(id)),
                        &one) == HT_REFUSAL_NONE);
    ht_live_reports_end(s->work);
}

static bool stage_init(struct stage *s, uint64_t seed)
{
    struct ht_error error = {0};
    *s = (struct stage){.state = seed * 77 + 1, .now_ms = 1700000000000};
    if (ht_map_open(map, &s->pool, NULL, &s->map, &error) != HT_OK) {
        (void)printf("  %s\n", error.message);
        return false;
    }
    s->box = ht_map_box(s->map);
    need(pthread_mutex_init(&s->pool.lock, NULL) == 0);
    need(ht_live_new(s->box, UNITS + 2, &s->live) == HT_OK);
    need(ht_live_work_new(s->live, &s->work) == HT_OK && ht_snap_work_new(&s->snap) == HT_OK);
    for (int z = 0; z < ZONES; z++) {
        s->zones[z] = zone_make(s, z);
        s->holds[z] = below(s, 2) == 0;
    }
    zones_hold(s);
    need(s->world != NULL);
    for (int p = 0; p < PROFILES; p++) {
        const struct ht_road *filed = NULL;
        need(ht_map_filed(s->world, profiles[p], &filed) == HT_OK && filed != NULL);
        need(ht_traffic_new(filed, &s->without[p]) == HT_OK);
    }
    for (int u = 0; u < UNITS; u++) {
        unit_put(s, u);
        unit_move(s, u);
    }
    return true;
}

static void stage_deinit(struct stage *s)
{
    ht_live_work_free(s->work);
    ht_live_free(s->live);
    ht_world_release(s->world);
    for (int z = 0; z < ZONES; z++) {
        ht_zone_release(s->zones[z]);
    }
    for (int p = 0; p < PROFILES; p++) {
        ht_traffic_free(s->without[p]);
    }
    ht_snap_work_free(s->snap);
    ht_map_release(s->map);
    (void)pthread_mutex_destroy(&s->pool.lock);
}

/* By which profile a unit goes. */
static int profile_of(const struct stage *s, int unit)
{
    return s->dark ? s->plain[unit] : unit % PROFILES;
}

/* The streets of a unit: as filed, shut where zones hold that concern it and that it may not pass.
 * `extra`: what a question keeps off. */
static struct ht_live_road *streets_of(struct stage *s, int unit, const struct ht_cuts *extra)
{
    const struct ht_road *filed = NULL;
    struct ht_cuts cuts = {0};
    struct ht_live_road *live = NULL;
    int p = profile_of(s, unit);
    need(ht_map_filed(s->world, profiles[p], &filed) == HT_OK);
    const struct ht_cut_streets streets = {filed->network, filed->graph, filed->snap};
    for (int z = 0; z < ZONES; z++) {
        if (s->holds[z] && (s->permits[unit] >> z & 1) == 0 &&
            ht_map_concerns(s->zones[z]->profiles, filed->graph)) {
            need(ht_cuts_find(&streets, s->zones[z]->border,
                              s->zones[z]->kind == HT_ZONE_CLOSED ? HT_CUT_BORDER : HT_CUT_OUT,
                              &cuts) == HT_OK);
        }
    }
    need(ht_cuts_add(&cuts, extra->list, extra->count) == HT_OK);
    ht_cuts_once(&cuts);
    need(ht_traffic_shut(s->without[p], cuts.list, cuts.count) == HT_OK);
    need(ht_traffic_apply(s->without[p], NULL, 0, NULL, NULL, &live) == HT_OK);
    ht_cuts_deinit(&cuts);
    return live;
}

/* What the oracle says of a unit and a point. */
static struct ht_cost want_of(struct stage *s, int unit, struct ht_point point,
                              const struct ht_cuts *extra)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_cost cost = {.weight_ms = HT_WEIGHT_INF};
    struct ht_live_road *live = streets_of(s, unit, extra);
    const struct ht_road *road = &live->view.road;
    struct ht_dijkstra *oracle = NULL;
    struct ht_place two[2];
    struct ht_unit copy;
    uint32_t found = 0;
    char id[16];
    (void)snprintf(id, sizeof id, "u%02d", unit);
    options.radius_m = HT_LIVE_STREET_M;
    need(ht_fleet_get(ht_live_fleet(s->live), ht_fleet_find(ht_live_fleet(s->live), id, strlen(id)),
                      0, &copy));
    if (ht_snap_trip(road->snap, s->snap, point, &options, two, &found) == HT_OK) {
        bool other = profile_of(s, unit) != unit % PROFILES;
        struct ht_place from = other ? copy.position.plain : copy.position.place;
        ht_place_refresh(road->graph, &from);
        need(ht_dijkstra_new(road->graph, &oracle) == HT_OK);
        need(ht_dijkstra_run(oracle, &from, &two[found - 1], 1, NULL, &cost) == HT_OK);
        ht_dijkstra_free(oracle);
    }
    ht_live_road_release(live);
    return cost;
}

/* The hit of a unit; NULL: none. */
static const struct ht_closest_hit *hit_of(struct stage *s, const struct ht_closest_hit *hits,
                                           uint32_t count, int unit)
{
    char id[16];
    (void)snprintf(id, sizeof id, "u%02d", unit);
    uint32_t number = ht_fleet_find(ht_live_fleet(s->live), id, strlen(id));
    for (uint32_t i = 0; i < count; i++) {
        if (hits[i].unit == number) {
            return &hits[i];
        }
    }
    return NULL;
}

/* Wrong answers of closest for all units, and for the first three. */
static int closest_wrong(struct stage *s, struct ht_point point, const struct ht_cost want[UNITS])
{
    struct ht_live_ask ask = {.point = point,
                              .k = UNITS,
                              .radius_m = HT_LIVE_STREET_M,
                              .max_ms = UINT32_MAX,
                              .plain = s->dark,
                              .filter = {.heard_ms = INT64_MIN}};
    const struct ht_closest_hit *hits = NULL;
    uint32_t count = 0;
    uint32_t reached = 0;
    uint32_t third_ms = UINT32_MAX;
    enum ht_status status = ht_live_closest(s->live, s->work, s->world, &ask, &hits, &count);
    int wrong = status != HT_OK && status != HT_NO_SEGMENT;
    for (int u = 0; u < UNITS; u++) {
        const struct ht_closest_hit *hit = hit_of(s, hits, count, u);
        bool none = want[u].weight_ms >= HT_WEIGHT_INF;
        reached += !none;
        wrong += (hit == NULL) != none ||
                 (hit != NULL && (hit->cost.duration_ms != want[u].duration_ms ||
                                  hit->cost.length_mm != want[u].length_mm));
        if (hit != NULL && below(s, 4) == 0) { /* and its way can be drawn */
            const struct ht_point *points = NULL;
            size_t point_count = 0;
            wrong += ht_live_way(s->work, hit, &points, &point_count) != HT_OK || point_count < 1;
        }
    }
    for (uint32_t i = 1; i < count; i++) {
        wrong += hits[i - 1].cost.duration_ms > hits[i].cost.duration_ms;
    }
    wrong += count != reached;
    third_ms = count >= 3 ? hits[2].cost.duration_ms : third_ms;
    ask.k = 3;
    wrong += ht_live_closest(s->live, s->work, s->world, &ask, &hits, &count) != status;
    wrong += count != (reached < 3 ? reached : 3) ||
             (count == 3 && hits[2].cost.duration_ms != third_ms);
    return wrong;
}

static int matrix_wrong(struct stage *s, const struct ht_point points[POINTS],
                        struct ht_cost want[POINTS][UNITS])
{
    uint32_t units[UNITS];
    uint32_t duration_ms[POINTS * UNITS];
    int64_t length_mm[POINTS * UNITS];
    int wrong = 0;
    for (int u = 0; u < UNITS; u++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%02d", u);
        units[u] = ht_fleet_find(ht_live_fleet(s->live), id, strlen(id));
    }
    const struct ht_live_many many = {.units = units,
                                      .unit_count = UNITS,
                                      .points = points,
                                      .point_count = POINTS,
                                      .plain = s->dark,
                                      .duration_ms = duration_ms,
                                      .length_mm = length_mm};
    need(ht_live_matrix(s->live, s->work, s->world, &many) == HT_OK);
    for (int i = 0; i < POINTS * UNITS; i++) {
        const struct ht_cost *one = &want[i / UNITS][i % UNITS];
        wrong += one->weight_ms >= HT_WEIGHT_INF
                     ? duration_ms[i] < HT_WEIGHT_INF
                     : duration_ms[i] != one->duration_ms || length_mm[i] != one->length_mm;
    }
    return wrong;
}

/* The same while a question keeps off an area. */
static int avoid_wrong(struct stage *s)
{
    struct ht_point a = somewhere(s);
    struct ht_point point = somewhere(s);
    struct ht_error error = {0};
    struct ht_avoid *avoid = NULL;
    struct ht_cost want[UNITS];
    char text[512];
    double west = a.lon_e7 / 1e7;
    double south = a.lat_e7 / 1e7;
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Polygon\",\"coordinates\":[[[%.7f,%.7f],[%.7f,%.7f],[%.7f,%.7f],"
                   "[%.7f,%.7f]]]}",
                   west, south, west + 0.008, south, west + 0.008, south + 0.006, west, south);
    need(ht_avoid_read(text, strlen(text), NULL, NULL, NULL, &avoid, &error) == HT_OK);
    for (int u = 0; u < UNITS; u++) {
        struct ht_cuts extra = {0};
        need(ht_avoid_cuts(avoid, s->world, profiles[profile_of(s, u)], &extra) == HT_OK);
        want[u] = want_of(s, u, point, &extra);
        ht_cuts_deinit(&extra);
    }
    need(ht_live_avoid(s->live, s->work, s->world, avoid) == HT_OK);
    int wrong = closest_wrong(s, point, want);
    ht_live_avoid_end(s->work);
    ht_avoid_free(avoid);
    return wrong;
}

static int round_wrong(struct stage *s)
{
    const struct ht_cuts none = {0};
    struct ht_point points[POINTS];
    struct ht_cost want[POINTS][UNITS];
    int wrong = 0;
    for (int i = 0; i < POINTS; i++) {
        points[i] = somewhere(s);
        for (int u = 0; u < UNITS; u++) {
            want[i][u] = want_of(s, u, points[i], &none);
        }
    }
    for (int i = 0; i < POINTS; i++) {
        wrong += closest_wrong(s, points[i], want[i]);
    }
    return wrong + matrix_wrong(s, points, want) + avoid_wrong(s);
}

static bool town_make(void)
{
    char line[512];
    static bool made;
    if (made) {
        return true;
    }
    made = map_make();
    (void)snprintf(line, sizeof line,
                   "import %s/streets.osm.pbf -o %s --profiles car,emergency,foot", folder, map);
    made = made && ht_command_run(line)->code == 0;
    return made;
}

HT_CASE(units_and_their_permits_equal_the_oracle_whatever_moves)
{
    int wrong = 0;
    size_t lanes = 0;
    HT_REQUIRE(town_make());
    /* in the 23rd a unit stands where a zone begins */
    for (uint64_t seed = HT_LONG ? 1 : 20; seed <= (HT_LONG ? 40 : 23); seed++) {
        struct stage s;
        HT_REQUIRE(stage_init(&s, seed));
        for (int round = 0; round < 6; round++) {
            int zone = (int)below(&s, ZONES);
            int unit = (int)below(&s, UNITS);
            s.dark = false;
            wrong += round_wrong(&s);
            s.dark = true;
            wrong += round_wrong(&s);
            lanes = s.work->lanes.count > lanes ? s.work->lanes.count : lanes;
            if (round % 3 == 0) {
                s.holds[zone] = !s.holds[zone];
            } else if (round % 3 == 1) { /* the same zone elsewhere, or of another kind */
                struct ht_zone *other = zone_make(&s, zone);
                ht_zone_release(s.zones[zone]);
                s.zones[zone] = other;
            }
            zones_hold(&s);
            unit_put(&s, unit);
            for (int i = 0; i < 4; i++) {
                unit_move(&s, (int)below(&s, UNITS));
            }
        }
        stage_deinit(&s);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(lanes >= 3); /* several sets of permits at once */
}

HT_CASE(two_zones_on_one_place_need_both_permits)
{
    struct stage s;
    HT_REQUIRE(town_make());
    HT_REQUIRE(stage_init(&s, 9));
    const struct ht_cuts none = {0};
    int wrong = 0;
    /* z1 is where z0 is: whoever holds one of them sees the other go */
    const uint32_t ring_end = 5;
    const uint32_t polygon_end = 1;
    struct ht_point a = somewhere(&s);
    const struct ht_point ring[] = {a,
                                    {a.lon_e7 + 120000, a.lat_e7},
                                    {a.lon_e7 + 120000, a.lat_e7 + 90000},
                                    {a.lon_e7, a.lat_e7 + 90000},
                                    a};
    const struct ht_rings rings = {ring, &ring_end, &polygon_end, 1};
    for (int z = 0; z < 2; z++) {
        char id[16];
        (void)snprintf(id, sizeof id, "z%d", z);
        ht_zone_release(s.zones[z]);
        need(ht_zone_new(&rings, HT_ZONE_CLOSED, "", id, &s.zones[z]) == HT_OK);
    }
    struct ht_point inside = {a.lon_e7 + 60000, a.lat_e7 + 45000};
    need(ht_live_unit_put(s.live, "u00", "{\"profile\":\"car\",\"permits\":[\"z0\"]}", 0) == HT_OK);
    s.permits[0] = 1;
    s.plain[0] = 0;
    for (int step = 0; step < 4; step++) {
        struct ht_cost want[UNITS];
        for (int z = 0; z < ZONES; z++) {
            s.holds[z] = z == 0 ? step != 3 : z == 1 && step % 2 == 0;
        }
        zones_hold(&s); /* both, z0 alone, both, none */
        for (int u = 0; u < UNITS; u++) {
            want[u] = want_of(&s, u, inside, &none);
        }
        wrong += closest_wrong(&s, inside, want);
    }
    HT_CHECK_INT(wrong, 0);
    stage_deinit(&s);
}

/* ---- over HTTP ---- */

#define CSV "Content-Type: text/csv\r\n"
#define JSON "Content-Type: application/json\r\n"

static double number(const char *path)
{
    return ht_json_number_at(answer.body, path);
}

/* How long the first unit of a kind of incident takes, as the desk sends it; it is let go again. */
static double sent_s(const char *kind)
{
    char body[160];
    char path[96];
    char id[32];
    (void)snprintf(body, sizeof body,
                   "{\"lon\":121.7231,\"lat\":29.9577,\"kind\":\"%s\",\"severity\":3}", kind);
    if (post("/v1/incidents", JSON, body) != 201) {
        return -1;
    }
    double seconds = number("assigned.0.duration_s");
    const char *text = ht_json_at(answer.body, "id") + 1;
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(text, "\""), text);
    (void)snprintf(path, sizeof path, "/v1/incidents/%s/events", id);
    int named = post(path, JSON, "{\"event\":\"reassign\",\"unit\":\"lit\"}");
    HT_CHECK_INT(named, 409); /* it is on it already */
    HT_CHECK_INT(post(path, JSON, "{\"event\":\"decline\"}"), 200);
    HT_CHECK_INT(post(path, JSON, "{\"event\":\"reassign\",\"unit\":\"lit\"}"), 200);
    HT_CHECK(fabs(number("assigned.0.duration_s") - seconds) < 1e-9); /* asked for by name */
    return post(path, JSON, "{\"event\":\"cancel\"}") == 200 ? seconds : -1;
}

static double closest_s(const char *query)
{
    char path[200];
    (void)snprintf(path, sizeof path, "/v1/closest?lon=121.7231&lat=29.9577&k=1&%s", query);
    return get(path) == 200 ? number("closest.0.duration_s") : -1;
}

HT_CASE(a_request_is_answered_without_blue_light_an_alarm_with_it)
{
    char options[200];
    HT_REQUIRE(town_make());
    (void)snprintf(options, sizeof options, "--store %s/light.sqlite", folder);
    HT_REQUIRE(begin(options));
    HT_REQUIRE(post("/collections/units/items", CSV,
                    "id,lon,lat,kind,profile,status\n"
                    "lit,121.7031,29.9417,responder,emergency,idle\n"
                    "van,121.7031,29.9417,van,car,idle\n") == 201);
    double blue = closest_s("kind=responder");
    double plain = closest_s("kind=responder&blue_light=false");
    HT_CHECK(blue > 30 && plain > blue);
    HT_CHECK(fabs(plain - closest_s("kind=van")) < 1e-9);                  /* as anybody drives */
    HT_CHECK(fabs(plain - closest_s("kind=van&blue_light=false")) < 1e-9); /* it has no light */
    HT_CHECK(fabs(sent_s("sos") - blue) < 1e-9);
    HT_CHECK(fabs(sent_s("request") - plain) < 1e-9);
    /* as the office has it */
    HT_REQUIRE(send_body("PUT", "/v1/settings/incidents", JSON,
                         "{\"kinds\":{\"sos\":{\"blue_light\":false},"
                         "\"request\":{\"blue_light\":true}}}") == 200);
    HT_CHECK(fabs(sent_s("sos") - plain) < 1e-9);
    HT_CHECK(fabs(sent_s("request") - blue) < 1e-9);
    /* who is covered goes by it, too */
    char path[200];
    HT_REQUIRE(post("/collections/households/items", CSV, "id,lon,lat\nh,121.7231,29.9577\n") ==
               201);
    for (int light = 0; light < 2; light++) {
        (void)snprintf(path, sizeof path, "/v1/coverage?by=travel&max_s=%.3f&incident=%s&limit=0",
                       (blue + plain) / 2, light == 1 ? "request" : "sos");
        HT_CHECK_INT(get(path), 200);
        HT_CHECK_INT((int)number("covered.households"), light);
    }
    /* another one without light, and none */
    HT_REQUIRE(send_body("PATCH", "/collections/units/items/lit",
                         "Content-Type: application/merge-patch+json\r\n",
                         "{\"properties\":{\"profile_plain\":\"foot\"}}") == 200);
    HT_CHECK(closest_s("kind=responder&blue_light=false") > plain);
    HT_REQUIRE(send_body("PATCH", "/collections/units/items/lit",
                         "Content-Type: application/merge-patch+json\r\n",
                         "{\"properties\":{\"profile_plain\":\"emergency\"}}") == 200);
    HT_CHECK(fabs(closest_s("kind=responder&blue_light=false") - blue) < 1e-9);
    /* streets of a profile that the map lacks: it goes by its own rather than not at all */
    HT_REQUIRE(send_body("PATCH", "/collections/units/items/lit",
                         "Content-Type: application/merge-patch+json\r\n",
                         "{\"properties\":{\"profile_plain\":\"van\"}}") == 200);
    HT_CHECK(fabs(closest_s("kind=responder&blue_light=false") - blue) < 1e-9);
    HT_CHECK_INT(get("/v1/closest?lon=121.7231&lat=29.9577&blue_light=perhaps"), 400);
    end();
}

HT_SERVED_MAIN()
