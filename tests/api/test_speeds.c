/* Learned speeds over HTTP: vans that drive slower than the file says teach the metric to be
 * slower, which follows where it is to and is as before where it is not; a departure has the
 * speeds of its time; what was learned outlives a restart, and holds no trace. */
#include <math.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sql.h"

#define JSON "Content-Type: application/json\r\n"
#define ROUTE "/route/v1/car/121.70,29.95;121.73,29.96?overview=full&geometries=geojson"
#define SHORT "/route/v1/car/121.70,29.95;121.73,29.96?overview=false"
#define TABLE "/table/v1/car/121.70,29.95;121.73,29.96?annotations=duration,distance"

enum { VANS = 6, POINTS = 4000, EVERY_S = 4 };

static char store[128];
static char options[256];
static double way[POINTS][2];
static size_t way_count;

static bool begin_town(const char *clock, bool fresh)
{
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/speeds.sqlite", folder);
    (void)snprintf(options, sizeof options, "--store %s --clock %s,0", store, clock);
    if (fresh) {
        (void)unlink(store);
    }
    return begin(options);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static double number(const char *path)
{
    const char *at = ht_json_at(answer.body, path);
    return at == NULL ? NAN : strtod(at, NULL);
}

static int set_speeds(const char *body)
{
    return send_body("PUT", "/v1/settings/speeds", JSON, body);
}

/* The way and how long it takes by the file. */
static double way_read(void)
{
    if (get(ROUTE) != 200) {
        return NAN;
    }
    const char *at = strstr(answer.body, "\"coordinates\":[");
    way_count = 0;
    for (at = at == NULL ? "" : at + 15; *at == '[' && way_count < POINTS; way_count++) {
        char *end = NULL;
        way[way_count][0] = strtod(at + 1, &end);
        way[way_count][1] = strtod(end + 1, &end);
        at = end + 1;
        at += *at == ',';
    }
    return number("routes.0.duration");
}

static double line_m(size_t i)
{
    double east = (way[i + 1][0] - way[i][0]) * 111320 * cos(29.95 * M_PI / 180);
    double north = (way[i + 1][1] - way[i][1]) * 111320;
    return sqrt(east * east + north * north);
}

/* Every van drives the way in so many seconds and begins at `begin_s`; what it says of it. */
static void van_drive(int van, double seconds, int64_t begin_s)
{
    static char body[60000];
    double length = 0;
    size_t size = 0;
    for (size_t i = 0; i + 1 < way_count; i++) {
        length += line_m(i);
    }
    double speed = length / seconds;
    double into = 0;
    size_t at = 0;
    for (int t = 0; at + 1 < way_count && size + 200 < sizeof body; t += EVERY_S) {
        while (at + 1 < way_count && into > line_m(at)) {
            into -= line_m(at++);
        }
        if (at + 1 < way_count) {
            double part = line_m(at) > 0 ? into / line_m(at) : 0;
            size += (size_t)snprintf(
                body + size, sizeof body - size,
                "%c{\"unit\":\"v%d\",\"lon\":%.7f,\"lat\":%.7f,\"ts\":%lld}", t == 0 ? '[' : ',',
                van, way[at][0] + (way[at + 1][0] - way[at][0]) * part,
                way[at][1] + (way[at + 1][1] - way[at][1]) * part, (long long)begin_s + t);
        }
        into += speed * EVERY_S;
    }
    (void)snprintf(body + size, sizeof body - size, "]");
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    HT_CHECK(says("\"rejected\":[]"));
}

static void vans_put(void)
{
    for (int van = 0; van < VANS; van++) {
        char path[64];
        char body[200];
        (void)snprintf(path, sizeof path, "/collections/units/items");
        (void)snprintf(body, sizeof body,
                       "{\"type\":\"Feature\",\"id\":\"v%d\",\"geometry\":null,\"properties\":{"
                       "\"kind\":\"%s\",\"profile\":\"car\"}}",
                       van, "van");
        HT_CHECK_INT(post(path, "Content-Type: application/geo+json\r\n", body), 201);
    }
}

/* Asks for the state until `path` is at least that. */
static bool comes(const char *path, double least)
{
    for (int i = 0; i < 1800; i++) {
        if (get("/v1/speeds") == 200 && number(path) >= least) {
            return true;
        }
        (void)usleep(100000);
    }
    (void)printf("  %s\n", answer.body);
    return false;
}

static bool metric_is(const char *follows, const char *quarter)
{
    for (int i = 0; i < 1800; i++) {
        if (get("/v1/speeds") == 200 && ht_json_is(answer.body, "metric.follows", follows) &&
            (quarter == NULL || ht_json_is(answer.body, "metric.quarter", quarter))) {
            return true;
        }
        (void)usleep(100000);
    }
    (void)printf("  %s\n", answer.body);
    return false;
}

static double duration_of(const char *path)
{
    return get(path) == 200 ? number("routes.0.duration") : NAN;
}

/* Six vans on a Monday from 10:00 on, each twice as slow as the file says. */
static double teach(void)
{
    const int64_t ten_s = 1772416800; /* 2026-03-02T10:00:00+08:00 */
    HT_CHECK_INT(set_speeds("{\"learn\":true}"), 200);
    HT_CHECK_STR(answer.body, "{\"learn\":true,\"follow\":false,\"least_trips\":5}");
    vans_put();
    double filed_s = way_read();
    HT_CHECK(way_count > 10 && filed_s > 60);
    for (int van = 0; van < VANS; van++) {
        van_drive(van, filed_s * 2, ten_s + van);
    }
    return filed_s;
}

HT_CASE(vans_teach_the_metric_which_follows_and_is_as_before_afterwards)
{
    HT_REQUIRE(begin_town("2026-03-02T10:40:00+08:00", true));
    HT_CHECK_INT(get("/v1/speeds"), 200);
    HT_CHECK(ht_json_valid(answer.body) && ht_json_is(answer.body, "learn", "false"));
    double filed_s = teach();
    HT_REQUIRE(comes("positions.taken", VANS * 20));
    HT_REQUIRE(comes("drives", VANS * 5));
    HT_CHECK(duration_of(SHORT) == filed_s); /* nobody said that it is to follow */
    char before[4096];
    HT_REQUIRE(get(TABLE) == 200 && answer.size < sizeof before);
    (void)strcpy(before, answer.body);
    HT_CHECK_INT(set_speeds("{\"learn\":true,\"follow\":true}"), 200);
    HT_REQUIRE(metric_is("true", "\"Mo 10:30\""));
    HT_CHECK(comes("metric.profiles.0.by.times", 5) || comes("metric.profiles.0.by.own", 5));
    HT_CHECK(number("metric.profiles.0.ratio") > 1.0);
    double now_s = duration_of(SHORT);
    HT_CHECK(now_s > filed_s * 1.05);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_speeds_follows 1\n"));
    HT_CHECK(says("houtao_speeds_ratio{profile=\"car\"} 1."));
    /* at night nothing is known: as filed; and by another switch, too */
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":36000}"), 200);
    HT_REQUIRE(metric_is("true", "\"Mo 20:30\""));
    HT_REQUIRE(get(TABLE) == 200);
    HT_CHECK_STR(answer.body, before);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":568800}"), 200); /* a week on, 10:30 */
    HT_REQUIRE(metric_is("true", "\"Mo 10:30\""));
    HT_CHECK(fabs(duration_of(SHORT) - now_s) < 0.11);
    HT_CHECK_INT(set_speeds("{}"), 200);
    HT_REQUIRE(metric_is("false", NULL));
    HT_REQUIRE(get(TABLE) == 200);
    HT_CHECK_STR(answer.body, before);
    end();
}

HT_CASE(a_departure_has_the_speeds_of_its_time_and_both_outlive_a_restart)
{
    HT_REQUIRE(begin_town("2026-03-02T10:40:00+08:00", true));
    double filed_s = teach();
    HT_REQUIRE(comes("drives", VANS * 5));
    end();
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) > 10 FROM speeds"), 1);
    HT_CHECK_INT(ht_sql_number(store, "SELECT count(*) FROM pragma_table_info('speeds')"), 2);
    for (int restart = 0; restart < 2; restart++) {
        HT_REQUIRE(begin_town("2026-03-04T03:00:00+08:00", false));
        HT_REQUIRE(comes("cells_known", 5));
        HT_CHECK(duration_of(SHORT) == filed_s);
        HT_CHECK(duration_of(SHORT "&depart=2026-03-09T10:05:00%2B08:00") > filed_s * 1.05);
        HT_CHECK(duration_of(SHORT "&depart=2026-03-09T02:05:00Z") > filed_s * 1.05);
        HT_CHECK(duration_of(SHORT "&depart=2026-03-08T10:05:00%2B08:00") == filed_s);
        HT_CHECK(duration_of(SHORT "&depart=2026-03-09T22:05:00%2B08:00") == filed_s);
        HT_CHECK(duration_of(SHORT "&exclude=motorway&depart=2026-03-09T10:05:00%2B08:00") >
                 filed_s * 1.05);
        double route_s = duration_of(SHORT "&depart=2026-03-09T10:05:00%2B08:00");
        HT_REQUIRE(get(TABLE "&depart=2026-03-09T10:05:00%2B08:00") == 200);
        HT_CHECK(fabs(number("durations.0.1") - route_s) < 0.11);
        HT_CHECK_INT(get(SHORT "&depart=tomorrow"), 400);
        end();
    }
}

HT_CASE(a_departure_in_the_quarter_that_the_metric_follows_is_as_the_metric)
{
    HT_REQUIRE(begin_town("2026-03-02T10:44:00+08:00", true));
    double filed_s = teach();
    HT_REQUIRE(comes("drives", VANS * 5));
    HT_CHECK_INT(set_speeds("{\"learn\":true,\"follow\":true}"), 200);
    HT_REQUIRE(metric_is("true", "\"Mo 10:30\""));
    double now_s = duration_of(SHORT);
    HT_CHECK(now_s > filed_s * 1.05);
    HT_CHECK(get("/v1/speeds") == 200);
    double drives = number("drives");
    for (int van = 0; van < VANS; van++) { /* much faster, while the quarter runs */
        van_drive(van, filed_s * 1.1, 1772418600 + van);
    }
    HT_REQUIRE(comes("drives", drives + VANS * 5));
    HT_CHECK(fabs(duration_of(SHORT "&depart=2026-03-02T10:41:00%2B08:00") - now_s) < 0.11);
    /* a Monday that is a holiday is like a Sunday, of which nothing is known */
    HT_CHECK(duration_of(SHORT "&depart=2026-03-16T10:05:00%2B08:00") > filed_s * 1.05);
    HT_CHECK_INT(
        send_body("PUT", "/v1/settings/calendar", JSON,
                  "{\"holidays\":[\"2026-03-16\"],\"workdays\":[{\"date\":\"2026-03-15\",\"as\":"
                  "\"Mo\"}]}"),
        200);
    HT_CHECK(duration_of(SHORT "&depart=2026-03-16T10:05:00%2B08:00") == filed_s);
    HT_CHECK(duration_of(SHORT "&depart=2026-03-15T10:05:00%2B08:00") > filed_s * 1.05);
    end();
}

HT_CASE(what_was_learned_outlives_the_end_of_the_process)
{
    HT_REQUIRE(begin_town("2026-03-02T10:40:00+08:00", true));
    (void)teach();
    HT_REQUIRE(comes("drives", VANS * 5));
    bool saved = false;
    for (int i = 0; i < 1800 && !saved; i++) { /* a minute or so */
        saved =
            ht_sql_number(store, "SELECT count(*) FROM sqlite_schema WHERE name = 'speeds'") > 0 &&
            ht_sql_number(store, "SELECT count(*) FROM speeds") > 10;
        (void)usleep(100000);
    }
    HT_CHECK(saved);
    forsake(); /* kill -9 */
    HT_REQUIRE(begin_town("2026-03-04T03:00:00+08:00", false));
    HT_CHECK(comes("cells_known", 5));
    end();
}

HT_CASE(who_is_no_van_teaches_nobody_and_nonsense_is_refused)
{
    HT_REQUIRE(begin_town("2026-03-02T10:40:00+08:00", true));
    HT_CHECK_INT(set_speeds("{\"learn\":1}"), 422);
    HT_CHECK(says("learn has to be true or false"));
    HT_CHECK_INT(set_speeds("{\"least_trips\":2}"), 422);
    HT_CHECK_INT(set_speeds("{\"learn\":true,\"speed\":7}"), 422);
    HT_CHECK_INT(set_speeds("{\"learn\":true,\"least_trips\":3}"), 200);
    HT_CHECK_INT(post("/collections/units/items", "Content-Type: application/geo+json\r\n",
                      "{\"type\":\"Feature\",\"id\":\"v0\",\"geometry\":null,\"properties\":{"
                      "\"kind\":\"responder\",\"profile\":\"car\"}}"),
                 201);
    double filed_s = way_read();
    HT_REQUIRE(filed_s > 60);
    van_drive(0, filed_s * 2, 1772416800);
    HT_REQUIRE(comes("positions.foreign", 20));
    HT_CHECK(number("positions.taken") == 0 && number("cells") == 0);
    end();
}

HT_SERVED_MAIN()
