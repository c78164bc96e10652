/* The cell index against GEOS, which says of each polygon whether it meets the point. */
#include "geodata/cell_index.h"

#include <geos_c.h>
#include <math.h>
#include <pthread.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

#define CELLS 400

struct town {
    struct ht_geometry cells[CELLS];
    const struct ht_geometry *list[CELLS];
    struct ht_cell_index *index;
};

/* A star with corners on a coarse grid, so that points fall on corners and edges; some have a hole,
 * some a second part, a few are no polygons. */
static void make_cell(struct ht_geometry *g, int kind, uint64_t *seed)
{
    struct ht_draft draft = {0};
    struct ht_error error;
    ht_geometry_init(g);
    double lon = ht_random_below(seed, 200);
    double lat = ht_random_below(seed, 200);
    for (int part = 0; part < (kind % 5 == 0 ? 2 : 1); part++) {
        for (int ring = 0; ring < (kind % 3 == 0 ? 2 : 1); ring++) {
            int corners = kind % 7 == 0 ? 4 : 5 + (int)ht_random_below(seed, 60);
            for (int i = 0; i < corners; i++) {
                double far = ring == 0 ? 11 + ht_random_below(seed, 9) : 5;
                double x = lon + part * 50 + floor(far * cos(2 * M_PI * i / corners + 0.1));
                double y = lat + floor(far * sin(2 * M_PI * i / corners + 0.1));
                if (ht_draft_add(&draft, x / 1e7, y / 1e7) != HT_OK) {
                    abort();
                }
            }
            if (ht_draft_end_ring(&draft) != HT_OK) {
                abort();
            }
        }
        if (ht_draft_end_polygon(&draft) != HT_OK) {
            abort();
        }
    }
    enum ht_geometry_type type = kind % 5 == 0 ? HT_GEOMETRY_MULTIPOLYGON : HT_GEOMETRY_POLYGON;
    if (ht_geometry_finish(g, type, &draft, NULL, NULL, &error) != HT_OK) {
        (void)printf("  %s\n", error.message);
        abort();
    }
    if (kind % 41 == 0) {
        ht_geometry_clear(g);
    }
    ht_draft_deinit(&draft);
}

static struct town *town_new(uint64_t seed)
{
    struct town *town = calloc(1, sizeof *town);
    if (town == NULL) {
        abort();
    }
    for (int i = 0; i < CELLS; i++) {
        make_cell(&town->cells[i], i, &seed);
        town->list[i] = &town->cells[i];
    }
    if (ht_cell_index_new(town->list, CELLS, &town->index) != HT_OK) {
        abort();
    }
    return town;
}

static void town_free(struct town *town)
{
    ht_cell_index_free(town->index);
    for (int i = 0; i < CELLS; i++) {
        ht_geometry_deinit(&town->cells[i]);
    }
    free(town);
}

static GEOSGeometry *to_geos(GEOSContextHandle_t geos, const struct ht_geometry *g)
{
    struct ht_text text = {0};
    GEOSGeometry *made = NULL;
    GEOSWKBReader *reader = GEOSWKBReader_create_r(geos);
    if (g->type != HT_GEOMETRY_NONE) {
        ht_geometry_write_wkb(g, &text);
        made = GEOSWKBReader_read_r(geos, reader, (const unsigned char *)text.data, text.size);
    }
    GEOSWKBReader_destroy_r(geos, reader);
    ht_text_deinit(&text);
    return made;
}

static uint32_t smallest(const struct town *town, const uint32_t *cells, size_t count)
{
    uint32_t best = HT_CELL_NONE;
    double least = INFINITY;
    for (size_t i = 0; i < count; i++) {
        double area = ht_geometry_area_m2(&town->cells[cells[i]]);
        if (area < least || (!(area > least) && cells[i] < best)) {
            best = cells[i];
            least = area;
        }
    }
    return best;
}

/* Whole 1e-7 degrees survive as doubles of degrees well enough for points that are corners; to be
 * exact on edges too, GEOS is given what is not near one. */
HT_CASE(answers_equal_geos)
{
    GEOSContextHandle_t geos = GEOS_init_r();
    uint64_t seed = 21;
    for (int round = 0; round < (HT_LONG ? 40 : 4); round++) {
        struct town *town = town_new(seed + (uint64_t)round);
        GEOSGeometry *shapes[CELLS];
        GEOSGeometry *borders[CELLS];
        for (int i = 0; i < CELLS; i++) {
            shapes[i] = to_geos(geos, &town->cells[i]);
            borders[i] = shapes[i] == NULL ? NULL : GEOSBoundary_r(geos, shapes[i]);
        }
        int inside = 0;
        for (int k = 0; k < 1500; k++) {
            struct ht_point p = {(int32_t)ht_random_below(&seed, 300) - 20,
                                 (int32_t)ht_random_below(&seed, 260) - 20};
            GEOSGeometry *point =
                GEOSGeom_createPointFromXY_r(geos, p.lon_e7 / 1e7, p.lat_e7 / 1e7);
            uint32_t cells[CELLS];
            bool ours[CELLS] = {0};
            size_t count = ht_cell_index_find_all(town->index, p, cells, CELLS);
            uint32_t best = smallest(town, cells, count);
            for (size_t i = 0; i < count; i++) {
                HT_CHECK(!ours[cells[i]]);
                ours[cells[i]] = true;
            }
            HT_CHECK_INT(ht_cell_index_find(town->index, p), best);
            for (int i = 0; i < CELLS; i++) {
                double away = INFINITY;
                bool theirs = false;
                if (shapes[i] != NULL) {
                    (void)GEOSDistance_r(geos, borders[i], point, &away);
                    theirs = away < 1e-15 || GEOSIntersects_r(geos, shapes[i], point) == 1;
                }
                if (away > 1e-10 || away < 1e-15) {
                    HT_CHECK(ours[i] == theirs);
                    inside += theirs;
                }
            }
            GEOSGeom_destroy_r(geos, point);
        }
        HT_CHECK(inside > 1000);
        for (int i = 0; i < CELLS; i++) {
            GEOSGeom_destroy_r(geos, shapes[i]);
            GEOSGeom_destroy_r(geos, borders[i]);
        }
        town_free(town);
    }
    GEOS_finish_r(geos);
}

HT_CASE(the_ends_of_the_earth_are_exact)
{
    struct ht_geometry g;
    const struct ht_geometry *list = &g;
    struct ht_cell_index *index = NULL;
    static const char text[] = "POLYGON ((-180 -90,180 -90,180 90,-180 -90))";
    ht_geometry_init(&g);
    HT_REQUIRE(ht_geometry_read_wkt(&g, text, strlen(text), NULL, NULL, NULL) == HT_OK);
    HT_REQUIRE(ht_cell_index_new(&list, 1, &index) == HT_OK);
    for (int32_t k = -4; k <= 4; k++) {
        struct ht_point p = {k * 400000000, k * 200000000}; /* on the slanted edge */
        HT_CHECK_INT(ht_cell_index_find(index, p), 0);
        p.lat_e7++;
        HT_CHECK_INT(ht_cell_index_find(index, p), HT_CELL_NONE);
        p.lat_e7 -= 2;
        HT_CHECK_INT(ht_cell_index_find(index, p), 0);
    }
    HT_CHECK_INT(ht_cell_index_find(index, (struct ht_point){1800000000, 900000000}), 0);
    HT_CHECK_INT(ht_cell_index_find(index, (struct ht_point){-1800000000, 900000000}),
                 HT_CELL_NONE);
    ht_cell_index_free(index);
    ht_geometry_deinit(&g);
}

HT_CASE(an_empty_index_holds_nothing)
{
    struct ht_cell_index *index = NULL;
    struct ht_geometry g;
    const struct ht_geometry *list = &g;
    ht_geometry_init(&g);
    HT_REQUIRE(ht_cell_index_new(NULL, 0, &index) == HT_OK);
    HT_CHECK_INT(ht_cell_index_find(index, (struct ht_point){0, 0}), HT_CELL_NONE);
    ht_cell_index_free(index);
    HT_REQUIRE(ht_cell_index_new(&list, 1, &index) == HT_OK);
    HT_CHECK_INT(ht_cell_index_find_all(index, (struct ht_point){0, 0}, NULL, 0), 0);
    ht_cell_index_free(index);
    ht_cell_index_free(NULL);
}

HT_CASE(long_edges_in_many_strips_stay_bounded)
{
    /* A comb: each tooth spans the whole height. */
    struct ht_draft draft = {0};
    struct ht_geometry g;
    struct ht_error error;
    const struct ht_geometry *list = &g;
    struct ht_cell_index *index = NULL;
    int teeth = 20000;
    ht_geometry_init(&g);
    for (int i = 0; i <= teeth * 2; i++) {
        HT_REQUIRE(ht_draft_add(&draft, i / 1e4, i % 2 == 0 ? 1 : 10) == HT_OK);
    }
    HT_REQUIRE(ht_draft_add(&draft, teeth * 2 / 1e4, 0) == HT_OK);
    HT_REQUIRE(ht_draft_add(&draft, 0, 0) == HT_OK);
    HT_REQUIRE(ht_draft_end_ring(&draft) == HT_OK && ht_draft_end_polygon(&draft) == HT_OK);
    HT_REQUIRE(ht_geometry_finish(&g, HT_GEOMETRY_POLYGON, &draft, NULL, NULL, &error) == HT_OK);
    HT_REQUIRE(ht_cell_index_new(&list, 1, &index) == HT_OK);
    HT_CHECK_INT(ht_cell_index_find(index, (struct ht_point){1000, 90000000}), 0);
    HT_CHECK_INT(ht_cell_index_find(index, (struct ht_point){2000, 90000000}), HT_CELL_NONE);
    HT_CHECK_INT(ht_cell_index_find(index, (struct ht_point){2000, 9000000}), 0);
    ht_cell_index_free(index);
    ht_geometry_deinit(&g);
    ht_draft_deinit(&draft);
}

static void *ask(void *user)
{
    const struct town *town = user;
    uint64_t seed = 7;
    uint64_t sum = 0;
    for (int i = 0; i < 200000; i++) {
        struct ht_point p = {(int32_t)ht_random_below(&seed, 260),
                             (int32_t)ht_random_below(&seed, 220)};
        sum = sum * 31 + ht_cell_index_find(town->index, p);
    }
    return (void *)(uintptr_t)sum; /* NOLINT(performance-no-int-to-ptr) */
}

HT_CASE(threads_ask_at_once)
{
    struct town *town = town_new(3);
    pthread_t threads[4];
    void *want = ask(town);
    for (int i = 0; i < 4; i++) {
        HT_REQUIRE(pthread_create(&threads[i], NULL, ask, town) == 0);
    }
    for (int i = 0; i < 4; i++) {
        void *got = NULL;
        HT_CHECK(pthread_join(threads[i], &got) == 0 && got == want);
    }
    town_free(town);
}

HT_CASE(each_refused_allocation_is_reported)
{
    struct town *town = town_new(3);
    for (int n = 0;; n++) {
        struct ht_cell_index *index = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_cell_index_new(town->list, CELLS, &index);
        bool refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
        ht_cell_index_free(index);
        if (!refused) {
            HT_CHECK(n > 5);
            break;
        }
    }
    town_free(town);
}

HT_MAIN()
