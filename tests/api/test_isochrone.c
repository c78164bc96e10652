/* Isochrones over HTTP: counts equal what a count over the households says, reached and unreached
 * places lie where a table puts them, mistakes are told. */
#include <math.h>

#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

static char store[128];
static char options[512];

/* The sample town with its households in a store. */
static bool begin_town(void)
{
    static int number;
    char line[512];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/iso%d.sqlite", folder, number++);
    (void)snprintf(line, sizeof line,
                   "load --store %s --collection households %s/households.geojson", store, folder);
    (void)snprintf(options, sizeof options, "--store %s", store);
    return ht_command_run(line)->code == 0 && begin(options);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* --- geometry read from the answer ------------------------------------------------------------ */

struct shape {
    double (*points)[2];
    size_t *rings; /* ends */
    size_t point_count;
    size_t ring_count;
    double least[2];
    double most[2];
};

static void shape_free(struct shape *shape)
{
    free(shape->points);
    free(shape->rings);
    *shape = (struct shape){0};
}

/* All rings of "coordinates":[...], which evenness decides about. */
static struct shape shape_read(const char *feature)
{
    struct shape shape = {0};
    const char *at = strstr(feature, "\"coordinates\":");
    size_t size = strlen(feature);
    shape.points = calloc(size / 4 + 1, sizeof *shape.points);
    shape.rings = calloc(size / 4 + 1, sizeof *shape.rings);
    if (at == NULL || shape.points == NULL || shape.rings == NULL) {
        HT_CHECK(false);
        return shape;
    }
    int depth = 0;
    int numbers = 0;
    for (at += 14; *at != '\0';) {
        if (*at == '[' || *at == ']') {
            depth += *at == '[' ? 1 : -1;
            if (*at == ']' && at[1] == ']' && numbers > 0) {
                shape.rings[shape.ring_count++] = shape.point_count;
                numbers = 0;
            }
            at++;
            if (depth == 0) {
                break;
            }
        } else if (*at == ',') {
            at++;
        } else {
            char *end = NULL;
            shape.points[shape.point_count][0] = strtod(at, &end);
            shape.points[shape.point_count][1] = strtod(end + 1, &end);
            for (int i = 0; i < 2; i++) {
                double value = shape.points[shape.point_count][i];
                bool first = shape.point_count == 0;
                shape.least[i] = first ? value : fmin(shape.least[i], value);
                shape.most[i] = first ? value : fmax(shape.most[i], value);
            }
            shape.point_count++;
            numbers = 1;
            at = end;
        }
    }
    return shape;
}

static bool inside(const struct shape *shape, double lon, double lat)
{
    bool in = false;
    size_t first = 0;
    if (lon < shape->least[0] || lon > shape->most[0] || lat < shape->least[1] ||
        lat > shape->most[1]) {
        return false;
    }
    for (size_t r = 0; r < shape->ring_count; r++) {
        for (size_t i = first; i + 1 < shape->rings[r]; i++) {
            const double *a = shape->points[i];
            const double *b = shape->points[i + 1];
            if ((a[1] > lat) != (b[1] > lat) &&
                lon < a[0] + (b[0] - a[0]) * (lat - a[1]) / (b[1] - a[1])) {
                in = !in;
            }
        }
        first = shape->rings[r];
    }
    return in;
}

/* --- households by the registry --------------------------------------------------------------- */

struct home {
    double lon;
    double lat;
    int residents;
};

static struct home *homes;
static size_t home_count;

static bool homes_read(void)
{
    for (size_t offset = 0;; offset += 5000) {
        char path[128];
        (void)snprintf(path, sizeof path, "/collections/households/items?limit=5000&offset=%zu",
                       offset);
        if (get(path) != 200) {
            return false;
        }
        size_t before = home_count;
        const char *at = answer.body;
        while ((at = strstr(at, "\"coordinates\":[")) != NULL) {
            char *end = NULL;
            const char *next = strstr(at + 1, "\"coordinates\":[");
            struct home home = {.lon = strtod(at + 15, &end)};
            home.lat = strtod(end + 1, NULL);
            const char *residents = strstr(at, "\"residents\":");
            if (residents != NULL && (next == NULL || residents < next)) {
                home.residents = (int)strtol(residents + 12, NULL, 10);
            }
            homes = realloc(homes, (home_count + 1) * sizeof *homes);
            if (homes == NULL) {
                return false;
            }
            homes[home_count++] = home;
            at++;
        }
        if (home_count == before) {
            return home_count > 0;
        }
    }
}

/* Feature `number` of the answer, by its text. */
static const char *feature(int number)
{
    const char *at = answer.body;
    for (int i = 0; i <= number && at != NULL; i++) {
        at = strstr(at + (i > 0), "{\"type\":\"Feature\",");
    }
    return at;
}

static double property(const char *at, const char *name)
{
    char key[64];
    (void)snprintf(key, sizeof key, "\"%s\":", name);
    const char *found = at == NULL ? NULL : strstr(at, key);
    return found == NULL ? -1 : strtod(found + strlen(key), NULL);
}

HT_CASE(counts_equal_a_count_over_the_households)
{
    HT_REQUIRE(begin_town());
    HT_REQUIRE(homes_read());
    static const char *const directions[] = {"from", "to"};
    for (int d = 0; d < 2; d++) {
        char path[256];
        (void)snprintf(path, sizeof path,
                       "/v1/isochrone?lon=121.715&lat=29.952&profile=car&max_s=180,300"
                       "&direction=%s",
                       directions[d]);
        HT_CHECK_INT(get(path), 200);
        HT_CHECK_STR(ht_answer_header(&answer, "Content-Type"), "application/geo+json");
        int last = 0;
        for (int f = 0; f < 2; f++) {
            static const int limits[] = {180, 300};
            const char *text = feature(f);
            HT_REQUIRE(text != NULL);
            struct shape shape = shape_read(text);
            int households = 0;
            int residents = 0;
            for (size_t i = 0; i < home_count; i++) {
                bool in = inside(&shape, homes[i].lon, homes[i].lat);
                households += in;
                residents += in ? homes[i].residents : 0;
            }
            HT_CHECK_INT((int)property(text, "max_s"), limits[f]);
            HT_CHECK_INT((int)property(text, "households"), households);
            HT_CHECK_INT((int)property(text, "residents"), residents);
            HT_CHECK(property(text, "area_m2") > 10000);
            HT_CHECK(f == 0 || households > last);
            last = households;
            shape_free(&shape);
        }
    }
    free(homes);
    homes = NULL;
    home_count = 0;
    end();
}

/* Durations from the table of points on streets: within the limit inside; beyond it outside,
 * unless a reached street is near. */
HT_CASE(a_table_agrees_with_the_polygon)
{
    enum { SPOTS = 80 };
    char path[8192];
    double spots[SPOTS][2];
    HT_REQUIRE(begin("") || begin_town());
    size_t size = (size_t)snprintf(path, sizeof path, "GET /table/v1/car/121.715,29.952");
    for (int i = 0; i < SPOTS; i++) {
        int row = i / 10;
        size += (size_t)snprintf(path + size, sizeof path - size, ";%.6f,%.6f",
                                 121.665 + 0.0101 * (i % 10), 29.912 + 0.0097 * row);
    }
    (void)snprintf(path + size, sizeof path - size, "?sources=0" HEADERS "\r\n");
    HT_REQUIRE(ask(path) == 200);
    double seconds[SPOTS];
    const char *at = strstr(answer.body, "\"durations\":[[");
    HT_REQUIRE(at != NULL);
    at = strchr(at + 14, ',');
    for (int i = 0; i < SPOTS; i++) {
        HT_REQUIRE(at != NULL);
        seconds[i] = at[1] == 'n' ? 1e9 : strtod(at + 1, NULL);
        at = strpbrk(at + 1, ",]");
    }
    at = strstr(answer.body, "\"destinations\":");
    HT_REQUIRE(at != NULL);
    at = strstr(at, "\"location\":[");
    for (int i = 0; i < SPOTS; i++) {
        at = at == NULL ? NULL : strstr(at + 1, "\"location\":[");
        HT_REQUIRE(at != NULL);
        char *end = NULL;
        spots[i][0] = strtod(at + 12, &end);
        spots[i][1] = strtod(end + 1, NULL);
    }
    HT_CHECK_INT(get("/v1/isochrone?lon=121.715&lat=29.952&profile=driving&max_s=400"), 200);
    HT_CHECK(!says("\"households\"")); /* no store, no count */
    struct shape shape = shape_read(feature(0));
    int left_out = 0;
    int taken_in = 0;
    int reached = 0;
    for (int i = 0; i < SPOTS; i++) {
        bool in = inside(&shape, spots[i][0], spots[i][1]);
        reached += seconds[i] <= 400;
        left_out += seconds[i] <= 399.9 && !in;
        taken_in += seconds[i] > 440 && in; /* 25 m and a crossing are less than 40 s */
    }
    HT_CHECK_INT(left_out, 0);
    HT_CHECK(taken_in <= 2); /* another street may pass within 25 m */
    HT_CHECK(reached > 5 && reached < SPOTS - 5);
    shape_free(&shape);
    end();
}

HT_CASE(coordinates_come_and_go_in_other_systems)
{
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get("/v1/isochrone?lon=121.715&lat=29.952&profile=car&max_s=200"), 200);
    double area = property(feature(0), "area_m2");
    struct shape plain = shape_read(feature(0));
    HT_CHECK_INT(get("/v1/isochrone?lon=121.715&lat=29.952&profile=car&max_s=200"
                     "&out_crs=EPSG:4549"),
                 200);
    HT_CHECK_INT((int)property(feature(0), "area_m2"), (int)area);
    struct shape metric = shape_read(feature(0));
    HT_CHECK_INT((int)metric.point_count, (int)plain.point_count);
    HT_CHECK(metric.points[0][0] > 100000 && metric.points[0][1] > 3000000);
    double twice = 0; /* the area in the projection, whose scale is 1 within some 1e-4 */
    size_t first = 0;
    for (size_t r = 0; r < metric.ring_count; r++) {
        for (size_t i = first; i + 1 < metric.rings[r]; i++) {
            const double *a = metric.points[i];
            const double *b = metric.points[i + 1];
            twice += (a[0] - metric.points[0][0]) * (b[1] - metric.points[0][1]) -
                     (b[0] - metric.points[0][0]) * (a[1] - metric.points[0][1]);
        }
        first = metric.rings[r];
    }
    HT_CHECK(fabs(twice / 2 / area - 1) < 2e-3);
    HT_CHECK_INT(get("/v1/isochrone?lon=121.7195&lat=29.9495&profile=car&max_s=200&crs=GCJ02"
                     "&out_crs=WGS84"),
                 200);
    shape_free(&plain);
    shape_free(&metric);
    end();
}

HT_CASE(mistakes_are_told)
{
    HT_REQUIRE(begin(""));
    static const char *const wrong[] = {
        "/v1/isochrone",
        "/v1/isochrone?lon=121.7&lat=29.95&max_s=300",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=0",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=-5",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=3601",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=nan",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=1,2,3,4,5",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=300,",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=300&direction=up",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=300&crs=MOON",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=car&max_s=300&out_crs=EPSG:1",
        "/v1/isochrone?lon=here&lat=29.95&profile=car&max_s=300",
        "/v1/isochrone?lon=121.7&lat=99&profile=car&max_s=300",
        "/v1/isochrone?lon=121.7&lat=29.95&profile=horse&max_s=300",
        "/v1/isochrone?lon=%zz&lat=29.95&profile=car&max_s=300",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        int code = get(wrong[i]);
        if (code != 400) {
            (void)printf("  %s\n", wrong[i]);
        }
        HT_CHECK_INT(code, 400);
        HT_CHECK(says("\"title\":\"Bad Request\""));
    }
    HT_CHECK_INT(get("/v1/isochrone?lon=100&lat=10&profile=car&max_s=300"), 422);
    HT_CHECK(says("no street of this profile within 1000 m"));
    HT_CHECK_INT(get("/v1/isochrone?lon=121.715&lat=29.952&profile=car&max_s=0.001"), 200);
    HT_CHECK_INT(post("/v1/isochrone", "Content-Type: application/json\r\n", "{}"), 405);
    end();
}

HT_SERVED_MAIN()
