/* What is near: every answer is what a look at each thing gives, over items and moving units, in
 * boxes, polygons and cells; who may ask and see; pages of tracks. */
#include <math.h>
#include <time.h>

#include "engine/base/geo.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define CSV "Content-Type: text/csv\r\n"

enum { THINGS = 300, RING = 12 };

struct thing {
    char id[16];
    struct ht_point at;
    int kind; /* of words */
};

static struct thing homes[THINGS];
static struct thing units[THINGS];
static const char *const words[] = {"kitchen", "station", "depot"};
static const char *const kinds[] = {"van", "responder", "inspector"};
static uint32_t dice = 7;
static char options[512];

static uint32_t roll(uint32_t below)
{
    dice = dice * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(dice >> 8) * below >> 24);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* Within about three kilometres, on a grid of 1e-4 degrees so that borders are met now and then. */
static struct ht_point place(void)
{
    return (struct ht_point){1217000000 + (int32_t)roll(300) * 1000,
                             299400000 + (int32_t)roll(300) * 1000};
}

static void write_point(char *out, size_t size, struct ht_point p)
{
    (void)snprintf(out, size, "%.7f,%.7f", p.lon_e7 / 1e7, p.lat_e7 / 1e7);
}

static bool things_make(void)
{
    static char text[1 << 15];
    static int number;
    char pair[64];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(options, sizeof options, "--store %s/near%d.sqlite", folder, number++);
    if (!begin(options)) {
        return false;
    }
    int size = snprintf(text, sizeof text, "id,lon,lat,kind\n");
    for (int i = 0; i < THINGS; i++) {
        homes[i] = (struct thing){.at = place(), .kind = (int)roll(3)};
        (void)snprintf(homes[i].id, sizeof homes[i].id, "f%03d", i);
        write_point(pair, sizeof pair, homes[i].at);
        size += snprintf(text + size, sizeof text - (size_t)size, "%s,%s,%s\n", homes[i].id, pair,
                         words[homes[i].kind]);
    }
    if (post("/collections/facilities/items", CSV, text) != 201) {
        return false;
    }
    size = snprintf(text, sizeof text, "id,lon,lat,kind,name\n");
    for (int i = 0; i < THINGS; i++) {
        units[i] = (struct thing){.at = place(), .kind = (int)roll(3)};
        (void)snprintf(units[i].id, sizeof units[i].id, "u%03d", i);
        size += snprintf(text + size, sizeof text - (size_t)size, "%s,121.7,29.9,%s,%s\n",
                         units[i].id, kinds[units[i].kind], i % 2 == 0 ? "even" : "odd");
    }
    if (post("/collections/units/items", CSV, text) != 201) {
        return false;
    }
    size = snprintf(text, sizeof text, "[");
    for (int i = 0; i < THINGS; i++) {
        size += snprintf(text + size, sizeof text - (size_t)size,
                         "%s{\"unit\":\"%s\",\"lon\":%.7f,\"lat\":%.7f}", i > 0 ? "," : "",
                         units[i].id, units[i].at.lon_e7 / 1e7, units[i].at.lat_e7 / 1e7);
    }
    (void)snprintf(text + size, sizeof text - (size_t)size, "]");
    char all[32];
    (void)snprintf(all, sizeof all, "\"accepted\":%d,", THINGS);
    return post("/v1/positions", JSON, text) == 200 && says(all);
}

/* A question, and whether a thing answers it. */
struct asked {
    bool pointed;
    struct ht_point at;
    double radius_m; /* < 0: none */
    unsigned k;
    int kind; /* -1: any */
    bool boxed;
    struct ht_box box;
    int corners; /* of the polygon; 0: none */
    struct ht_point ring[RING];
    int odd; /* units: 1 of those named odd; -1: any */
};

/* By whole numbers: within, or on the border. */
static bool in_ring(const struct asked *q, struct ht_point p)
{
    bool inside = false;
    for (int i = 0; i < q->corners; i++) {
        struct ht_point a = q->ring[i];
        struct ht_point b = q->ring[(i + 1) % q->corners];
        int64_t cross = ((int64_t)b.lon_e7 - a.lon_e7) * ((int64_t)p.lat_e7 - a.lat_e7) -
                        ((int64_t)b.lat_e7 - a.lat_e7) * ((int64_t)p.lon_e7 - a.lon_e7);
        bool beside = (p.lon_e7 < a.lon_e7) == (p.lon_e7 < b.lon_e7) && p.lon_e7 != a.lon_e7 &&
                      p.lon_e7 != b.lon_e7;
        bool over = (p.lat_e7 < a.lat_e7) == (p.lat_e7 < b.lat_e7) && p.lat_e7 != a.lat_e7 &&
                    p.lat_e7 != b.lat_e7;
        if (cross == 0 && !beside && !over) {
            return true;
        }
        if ((a.lat_e7 > p.lat_e7) != (b.lat_e7 > p.lat_e7)) {
            inside ^= (cross > 0) == (b.lat_e7 > a.lat_e7);
        }
    }
    return inside;
}

static bool answers(const struct asked *q, const struct thing *thing, int index)
{
    struct ht_point p = thing->at;
    return (q->kind < 0 || q->kind == thing->kind) && (q->odd < 0 || q->odd == index % 2) &&
           (!q->boxed || (p.lon_e7 >= q->box.min.lon_e7 && p.lon_e7 <= q->box.max.lon_e7 &&
                          p.lat_e7 >= q->box.min.lat_e7 && p.lat_e7 <= q->box.max.lat_e7)) &&
           (q->corners == 0 || in_ring(q, p)) &&
           (q->radius_m < 0 || ht_distance_m(q->at, p) <= q->radius_m);
}

static const struct asked *sorting;

static int before(const void *left, const void *right)
{
    const struct thing *a = left;
    const struct thing *b = right;
    double first = sorting->pointed ? ht_distance_m(sorting->at, a->at) : 0;
    double second = sorting->pointed ? ht_distance_m(sorting->at, b->at) : 0;
    return first < second ? -1 : first > second ? 1 : strcmp(a->id, b->id);
}

/* A star of corners around a middle: it never crosses itself. */
static void ring_make(struct asked *q)
{
    struct ht_point middle = place();
    q->corners = 3 + (int)roll(RING - 3);
    for (int i = 0; i < q->corners; i++) {
        double turn = 2 * M_PI * i / q->corners;
        double reach = 2000 + roll(100) * 1000.0;
        q->ring[i] = (struct ht_point){middle.lon_e7 + (int32_t)(reach * cos(turn)),
                                       middle.lat_e7 + (int32_t)(reach * sin(turn))};
    }
}

static struct asked question(void)
{
    struct asked q = {.radius_m = -1, .k = 1 + roll(20), .kind = -1, .odd = -1};
    q.boxed = roll(3) == 0;
    struct ht_point a = place();
    struct ht_point b = place();
    q.box = (struct ht_box){
        {a.lon_e7 < b.lon_e7 ? a.lon_e7 : b.lon_e7, a.lat_e7 < b.lat_e7 ? a.lat_e7 : b.lat_e7},
        {a.lon_e7 < b.lon_e7 ? b.lon_e7 : a.lon_e7, a.lat_e7 < b.lat_e7 ? b.lat_e7 : a.lat_e7}};
    if (roll(2) == 0) {
        ring_make(&q);
    }
    q.pointed = roll(4) != 0 || (!q.boxed && q.corners == 0);
    q.at = place();
    if (q.pointed && roll(2) == 0) {
        q.radius_m = 100 + roll(2000);
    }
    q.kind = (int)roll(4) - 1;
    return q;
}

static void ring_write(const struct asked *q, bool wkt, char *out, size_t size)
{
    int at = snprintf(out, size, wkt ? "POLYGON((" : "{\"type\":\"Polygon\",\"coordinates\":[[");
    for (int i = 0; i <= q->corners; i++) {
        struct ht_point p = q->ring[i < q->corners ? i : 0];
        at += snprintf(out + at, size - (size_t)at, wkt ? "%s%.7f%%20%.7f" : "%s[%.7f,%.7f]",
                       i > 0 ? "," : "", p.lon_e7 / 1e7, p.lat_e7 / 1e7);
    }
    (void)snprintf(out + at, size - (size_t)at, wkt ? "))" : "]]}");
}

/* `more`: further parameters, with their & before. */
static int ask_near(const char *collection, const struct asked *q, const char *more)
{
    char path[2048];
    char pair[64];
    char ring[1024];
    const char *const *names = collection[0] == 'u' ? kinds : words;
    int at =
        snprintf(path, sizeof path, "GET /v1/near?collection=%s&k=%u%s", collection, q->k, more);
    if (q->pointed) {
        at += snprintf(path + at, sizeof path - (size_t)at, "&lon=%.7f&lat=%.7f",
                       q->at.lon_e7 / 1e7, q->at.lat_e7 / 1e7);
    }
    if (q->radius_m >= 0) {
        at += snprintf(path + at, sizeof path - (size_t)at, "&radius_m=%.0f", q->radius_m);
    }
    if (q->kind >= 0) {
        at += snprintf(path + at, sizeof path - (size_t)at, "&kind=%s", names[q->kind]);
    }
    if (q->boxed) {
        write_point(pair, sizeof pair, q->box.min);
        at += snprintf(path + at, sizeof path - (size_t)at, "&bbox=%s", pair);
        write_point(pair, sizeof pair, q->box.max);
        at += snprintf(path + at, sizeof path - (size_t)at, ",%s", pair);
    }
    if (q->corners > 0 && strstr(more, "cell") == NULL) {
        ring_write(q, roll(2) == 0, ring, sizeof ring);
        at += snprintf(path + at, sizeof path - (size_t)at, "&polygon=%s", ring);
    }
    (void)snprintf(path + at, sizeof path - (size_t)at, HEADERS "\r\n");
    return ask(path);
}

/* The answer's ids are those that a look at each thing gives, in that order. */
static bool is_right(const struct asked *q, const struct thing *things)
{
    static struct thing want[THINGS];
    int count = 0;
    for (int i = 0; i < THINGS; i++) {
        if (answers(q, &things[i], i)) {
            want[count++] = things[i];
        }
    }
    sorting = q;
    qsort(want, (size_t)count, sizeof *want, before);
    count = count < (int)q->k ? count : (int)q->k;
    if (ht_json_count_at(answer.body, "features") != count) {
        (void)printf("  %d, not %d\n", ht_json_count_at(answer.body, "features"), count);
        return false;
    }
    for (int i = 0; i < count; i++) {
        char path[64];
        char id[32];
        (void)snprintf(path, sizeof path, "features.%d.id", i);
        (void)snprintf(id, sizeof id, "\"%.15s\"", want[i].id);
        if (!ht_json_is(answer.body, path, id)) {
            (void)printf("  number %d is not %s\n", i, id);
            return false;
        }
        (void)snprintf(path, sizeof path, "features.%d.properties.distance_m", i);
        double said = ht_json_number_at(answer.body, path);
        if (q->pointed ? fabs(said - ht_distance_m(q->at, want[i].at)) > 0.001 : !isnan(said)) {
            return false;
        }
    }
    return true;
}

HT_CASE(near_is_what_a_look_at_each_thing_gives)
{
    int rounds = HT_LONG ? 2000 : 200;
    HT_REQUIRE(things_make());
    for (int i = 0; i < rounds && ht_case_failures == 0; i++) {
        struct asked q = question();
        HT_CHECK_INT(ask_near("facilities", &q, ""), 200);
        HT_CHECK(is_right(&q, homes));
        HT_CHECK_INT(ask_near("units", &q, ""), 200);
        HT_CHECK(is_right(&q, units));
        q.odd = 1; /* a property that only the registry knows */
        HT_CHECK_INT(ask_near("units", &q, "&name=odd"), 200);
        HT_CHECK(is_right(&q, units));
    }
    end();
}

HT_CASE(a_cell_is_an_area_by_its_id)
{
    char ring[1024];
    char text[2048];
    char more[64];
    HT_REQUIRE(things_make());
    for (int i = 0; i < 20 && ht_case_failures == 0; i++) {
        struct asked q = question();
        ring_make(&q);
        ring_write(&q, false, ring, sizeof ring);
        (void)snprintf(text, sizeof text,
                       "{\"type\":\"Feature\",\"id\":\"c%d\",\"geometry\":%s,"
                       "\"properties\":{\"kind\":\"community\"}}",
                       i, ring);
        HT_CHECK_INT(post("/collections/cells/items", GEO, text), 201);
        (void)snprintf(more, sizeof more, "&cell=c%d", i);
        HT_CHECK_INT(ask_near("facilities", &q, more), 200);
        HT_CHECK(is_right(&q, homes));
        HT_CHECK_INT(ask_near("units", &q, more), 200);
        HT_CHECK(is_right(&q, units));
    }
    HT_CHECK_INT(get("/v1/near?collection=units&cell=none"), 422);
    HT_CHECK(says("there is no cell none"));
    /* shapes are in an area that they meet, here by no corner of either */
    HT_CHECK_INT(post("/collections/zones/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"z\",\"geometry\":{\"type\":\"Polygon\","
                      "\"coordinates\":[[[121,29],[122,29],[122,29.001],[121,29.001],[121,29]]]},"
                      "\"properties\":{\"kind\":\"fence\"}}"),
                 201);
    HT_CHECK_INT(get("/v1/near?collection=zones&bbox=121.5,28,121.6,30"), 200);
    HT_CHECK(says("\"id\":\"z\""));
    HT_CHECK_INT(get("/v1/near?collection=zones&bbox=121.5,29.002,121.6,30"), 200);
    HT_CHECK(!says("\"id\":\"z\""));
    HT_CHECK_INT(get("/v1/near?collection=zones&bbox=121.5,29.0005,121.5,29.0005"), 200);
    HT_CHECK(says("\"id\":\"z\""));
    end();
}

HT_CASE(areas_that_are_none_are_refused_with_the_reason)
{
    static char large[24000];
    HT_REQUIRE(things_make());
    HT_CHECK_INT(get("/v1/near?collection=units"), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&bbox=1,2,3"), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&bbox=3,2,1,4"), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&bbox=1,2,3,4&radius_m=5"), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&polygon="), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&polygon=POLYGON((1%202,3"), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&polygon={\"type\":\"Polygon\""), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&polygon=POINT(1%202)"), 422);
    HT_CHECK_INT(get("/v1/near?collection=units&polygon=POLYGON((121.70%2029.94,121.72%2029.96,"
                     "121.72%2029.94,121.70%2029.96,121.70%2029.94))"),
                 422);
    HT_CHECK(says("self-crossing at 121.71 29.95"));
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.7&lat=29.95&crs=EPSG:1"), 400);
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.7&lat=29.95&shift=late"), 400);
    int size = snprintf(large, sizeof large, "GET /v1/near?collection=units&polygon=POLYGON((");
    for (int i = 0; i <= 10000 / 5; i++) {
        size += snprintf(large + size, sizeof large - (size_t)size, "%d%%200,", i % 100);
    }
    (void)snprintf(large + size, sizeof large - (size_t)size, "0%%200))" HEADERS "\r\n");
    int code = ask(large);
    HT_CHECK(code == 422 || code == 414 || code == 431);
    end();
}

HT_CASE(near_speaks_the_system_it_is_asked_in)
{
    char path[256];
    HT_REQUIRE(things_make());
    HT_CHECK_INT(get("/v1/near?collection=facilities&lon=121.712&lat=29.952&k=1"), 200);
    double plain = ht_json_number_at(answer.body, "features.0.geometry.coordinates.0");
    HT_CHECK_INT(get("/v1/near?collection=facilities&lon=121.712&lat=29.952&k=1&out_crs=GCJ02"),
                 200);
    double shifted = ht_json_number_at(answer.body, "features.0.geometry.coordinates.0");
    HT_CHECK(shifted > plain + 0.003 && shifted < plain + 0.006);
    HT_CHECK_INT(get("/v1/near?collection=units&lon=121.712&lat=29.952&k=1&out_crs=EPSG:3857"),
                 200);
    double x = ht_json_number_at(answer.body, "features.0.geometry.coordinates.0");
    double y = ht_json_number_at(answer.body, "features.0.geometry.coordinates.1");
    double distance = ht_json_number_at(answer.body, "features.0.properties.distance_m");
    HT_CHECK(x > 13.5e6 && x < 13.6e6);
    /* from there, in its own system, it is no distance at all */
    (void)snprintf(path, sizeof path,
                   "/v1/near?collection=units&lon=%.3f&lat=%.3f&k=1&crs=EPSG:3857", x, y);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(ht_json_number_at(answer.body, "features.0.properties.distance_m") < 0.02 &&
             distance > 0.02);
    (void)snprintf(path, sizeof path, "/v1/closest?lon=%.3f&lat=%.3f&k=1&crs=EPSG:3857&geometry=1",
                   x, y);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(ht_json_number_at(answer.body, "closest.0.geometry.coordinates.0.0") > 13.5e6);
    end();
}

static const char *token_for(const char *file, const char *name, const char *role)
{
    static char lines[2][128];
    static int next;
    char line[512];
    (void)snprintf(line, sizeof line, "token add %s --name %s --role %s", file, name, role);
    const char *token = ht_command_run(line)->out;
    char *out = lines[next++ % 2];
    (void)snprintf(out, sizeof lines[0], "Authorization: Bearer %.*s\r\n",
                   (int)strcspn(token, "\n"), token);
    return out;
}

static int get_as(const char *token, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s" HEADERS "%s\r\n", path, token);
    return ask(text);
}

#define HOMES "/v1/near?collection=households&lon=121.71&lat=29.95"

HT_CASE(persons_are_for_dispatchers_and_each_look_is_noted)
{
    char file[160];
    char headers[256];
    char line[256];
    char hash[128];
    HT_REQUIRE(map_make());
    (void)snprintf(file, sizeof file, "%s/near-tokens", folder);
    const char *viewer = token_for(file, "v", "viewer");
    const char *officer = token_for(file, "o", "dispatcher");
    (void)snprintf(options, sizeof options, "--store %s/persons.sqlite --tokens %s", folder, file);
    HT_REQUIRE(begin(options));
    (void)snprintf(headers, sizeof headers, GEO "%s", officer);
    HT_CHECK_INT(post("/collections/households/items", headers,
                      "{\"type\":\"Feature\",\"id\":\"h1\",\"geometry\":{\"type\":\"Point\","
                      "\"coordinates\":[121.71,29.95]},\"properties\":{\"floor\":2,"
                      "\"name\":\"王\",\"frail\":true}}"),
                 201);
    (void)snprintf(line, sizeof line, "audit %s/persons.sqlite", folder);
    (void)snprintf(hash, sizeof hash, "%.100s", ht_command_run(line)->out);
    HT_CHECK_INT(get_as(viewer, HOMES), 200);
    HT_CHECK(says("\"floor\":2") && !says("王") && !says("frail"));
    HT_CHECK_INT(get_as(viewer, HOMES "&frail=true"), 403);
    HT_CHECK_STR(ht_command_run(line)->out, hash); /* no event */
    HT_CHECK_INT(get_as(officer, HOMES "&frail=true"), 200);
    HT_CHECK(says("王") && says("\"frail\":true") && !says("withheld"));
    HT_CHECK(strcmp(ht_command_run(line)->out, hash) != 0);
    HT_CHECK_INT(get_as(officer, HOMES "&frail=false"), 200);
    HT_CHECK(!says("h1"));
    end();
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

/* The path of a link in the answer, behind the host; "" where there is none. */
static const char *link_of(const char *rel)
{
    static char path[512];
    char mark[64];
    (void)snprintf(mark, sizeof mark, "\",\"rel\":\"%s\"", rel);
    const char *end_of = strstr(answer.body, mark);
    const char *at = end_of;
    while (at != NULL && at > answer.body && strncmp(at, "http://", 7) != 0) {
        at--;
    }
    at = at == NULL ? NULL : strchr(at + 7, '/');
    (void)snprintf(path, sizeof path, "%.*s", at == NULL ? 0 : (int)(end_of - at),
                   at == NULL ? "" : at);
    return path;
}

HT_CASE(more_than_an_answer_has_is_told)
{
    enum { LOTS = 1003, LINE = 40 };
    static char list[LOTS * LINE];
    size_t size = (size_t)snprintf(list, sizeof list, "id,lon,lat\n");
    HT_REQUIRE(things_make());
    for (int i = 0; i < LOTS - 2; i++) { /* 1,001 in a row */
        size += (size_t)snprintf(list + size, sizeof list - size, "n%d,%.5f,29.20000\n", i,
                                 121.2 + i * 1e-5);
    }
    HT_CHECK_INT(post("/collections/households/items", CSV, list), 201);
    HT_CHECK_INT(get("/v1/near?collection=households&bbox=121.19,29.19,121.22,29.21"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "features"), 1000);
    HT_CHECK(says("\"more\":true"));
    HT_CHECK_INT(get("/v1/near?collection=households&lon=121.2&lat=29.2&radius_m=3000"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "features"), 1000);
    HT_CHECK(says("\"more\":true"));
    HT_CHECK_INT(get("/v1/near?collection=households&bbox=121.19,29.19,121.209985,29.21"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "features"), 999);
    HT_CHECK(!says("\"more\""));
    HT_CHECK_INT(get("/v1/near?collection=households&lon=121.2&lat=29.2&k=5"), 200);
    HT_CHECK(!says("\"more\""));
    end();
}

HT_CASE(long_tracks_come_in_parts)
{
    char text[256];
    HT_REQUIRE(things_make());
    long now = (long)time(NULL);
    for (int i = 0; i < 7; i++) {
        (void)snprintf(text, sizeof text,
                       "{\"unit\":\"u001\",\"lon\":%.4f,\"lat\":%.4f,\"ts\":%ld}",
                       units[1].at.lon_e7 / 1e7 + i * 1e-4, units[1].at.lat_e7 / 1e7, now + 2 + i);
        HT_CHECK_INT(post("/v1/positions", JSON, text), 200);
        HT_CHECK(says("\"accepted\":1"));
    }
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/v1/units/u001/track"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "properties.times"), 8);
    HT_CHECK(says("\"stale\":false") && says("\"clock_skew_ms\":") && says("\"last_seen\":"));
    HT_CHECK_STR(link_of("next"), "");
    int seen = 0;
    int parts = 0;
    (void)strcpy(text, "/v1/units/u001/track?limit=3&crs=GCJ02");
    while (text[0] != '\0' && parts++ < 9) {
        HT_CHECK_INT(get(text), 200);
        int count = ht_json_count_at(answer.body, "properties.times");
        HT_CHECK_INT(ht_json_count_at(answer.body, "geometry.coordinates"), count);
        HT_CHECK(ht_json_number_at(answer.body, "geometry.coordinates.0.0") >
                 units[1].at.lon_e7 / 1e7 + 0.003);
        seen += count;
        (void)snprintf(text, sizeof text, "%s", link_of("next"));
    }
    HT_CHECK_INT(seen, 8);
    HT_CHECK_INT(parts, 3);
    HT_CHECK_INT(get("/v1/units/nobody/track"), 404);
    HT_CHECK_INT(get("/v1/units/u001/track?limit=0"), 400);
    HT_CHECK_INT(get("/v1/units/u001/track?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z"),
                 400);
    HT_CHECK_INT(get("/v1/units/u001/track?crs=EPSG:1"), 400);
    end();
}

HT_CASE(pages_lead_on_and_back_with_their_question)
{
    HT_REQUIRE(things_make());
    HT_CHECK_INT(get("/collections/facilities/items?kind=depot&limit=10"), 200);
    int all = (int)ht_json_number_at(answer.body, "numberMatched");
    int seen = ht_json_count_at(answer.body, "features");
    int want = 0;
    for (int i = 0; i < THINGS; i++) {
        want += homes[i].kind == 2;
    }
    HT_CHECK_INT(all, want);
    HT_CHECK_STR(link_of("prev"), "");
    char path[512];
    (void)snprintf(path, sizeof path, "%s", link_of("next"));
    for (int i = 0; path[0] != '\0' && i < 100; i++) {
        HT_CHECK_INT(get(path), 200);
        HT_CHECK(!says("\"kind\":\"station\"") && link_of("prev")[0] == '/');
        seen += ht_json_count_at(answer.body, "features");
        (void)snprintf(path, sizeof path, "%s", link_of("next"));
    }
    HT_CHECK_INT(seen, all);
    HT_CHECK_INT(get("/collections/facilities/items?limit=99999"), 200);
    HT_CHECK_INT(ht_json_number_at(answer.body, "numberReturned"), THINGS);
    HT_CHECK_INT(get("/collections/facilities/items?bbox=170,-90,-170,90"), 200);
    HT_CHECK_INT(ht_json_number_at(answer.body, "numberMatched"), 0);
    HT_CHECK_INT(get("/collections/facilities/items?bbox=121.5,-90,0,-170,90,9"), 200);
    HT_CHECK_INT(ht_json_number_at(answer.body, "numberMatched"), THINGS);
    HT_CHECK_INT(get("/collections/facilities/items?datetime=../2020-01-01T00:00:00Z"), 200);
    HT_CHECK_INT(ht_json_number_at(answer.body, "numberMatched"), 0);
    HT_CHECK_INT(get("/collections/facilities/items?datetime=2020-01-01T00:00:00Z/.."), 200);
    HT_CHECK_INT(ht_json_number_at(answer.body, "numberMatched"), THINGS);
    HT_CHECK_INT(get("/collections/facilities/items/f001"), 200);
    HT_CHECK_STR(link_of("self"), "/collections/facilities/items/f001");
    HT_CHECK_STR(link_of("collection"), "/collections/facilities");
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_units_heard 300") &&
             says("houtao_positions_total{outcome=\"accepted\"}"));
    end();
}

HT_SERVED_MAIN()
