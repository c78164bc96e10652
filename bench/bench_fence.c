/* Fence: nanoseconds of a position among fences, beside GEOS: a tree of boxes (STRtree) and
 * prepared polygons, which only say what covers the position and keep no stays.
 *
 *   bench_fence [RESULT.json [FENCES [UNITS]]]
 *
 * 1,000 fences of 20 to 200 corners and 100 to 800 m in a town of 40 x 40 km, half of all in the
 * 10 x 10 km of its middle, so that some lie over each other; 20,000 units that move by 1 to 20 m
 * each second. CPU time of the thread. Both sides see the same 2,000,000 positions; the number of
 * covers is compared.
 */
#include <geos_c.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bench/origin.h"
#include "engine/live/fence.h"

enum { POSITIONS = 2000000, CORNERS_LEAST = 20, CORNERS_MOST = 200 };

struct fence {
    char id[16];
    struct ht_point points[CORNERS_MOST + 1];
    uint32_t end;
    const GEOSPreparedGeometry *prepared;
    GEOSGeometry *shape;
};

struct bench {
    struct fence *fences;
    struct ht_fence *list;
    uint32_t fence_count;
    struct ht_point *units;
    char (*ids)[16];
    uint32_t unit_count;
    struct ht_fences *state;
    GEOSSTRtree *tree;
    const GEOSGeometry *point; /* that is asked for */
    uint64_t events;
    uint64_t covers;
};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static double random_unit(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

static struct ht_point somewhere(uint64_t *state)
{
    bool middle = random_next(state) % 2 == 0;
    double wide = middle ? 1000000 : 4000000;
    return (struct ht_point){1215000000 + (int32_t)((random_unit(state) - 0.5) * wide),
                             299500000 + (int32_t)((random_unit(state) - 0.5) * wide)};
}

/* A star around a place; its corners go round, so it is valid. */
static void fence_make(struct fence *f, struct ht_fence *spec, uint32_t number, uint64_t *state)
{
    struct ht_point place = somewhere(state);
    double size = 10000 + random_unit(state) * 70000;
    int corners = CORNERS_LEAST + (int)(random_next(state) % (CORNERS_MOST - CORNERS_LEAST));
    GEOSCoordSequence *list = GEOSCoordSeq_create((unsigned)corners + 1, 2);
    for (int i = 0; i <= corners; i++) {
        double far = size * (0.7 + 0.3 * random_unit(state));
        double angle = 6.283185307179586 * i / corners;
        f->points[i] = (struct ht_point){place.lon_e7 + (int32_t)(far * cos(angle)),
                                         place.lat_e7 + (int32_t)(far * sin(angle))};
        f->points[i] = i == corners ? f->points[0] : f->points[i];
        (void)GEOSCoordSeq_setXY(list, (unsigned)i, f->points[i].lon_e7, f->points[i].lat_e7);
    }
    f->end = (uint32_t)corners + 1;
    f->shape = GEOSGeom_createPolygon(GEOSGeom_createLinearRing(list), NULL, 0);
    f->prepared = GEOSPrepare(f->shape);
    (void)snprintf(f->id, sizeof f->id, "z%u", number);
    *spec = (struct ht_fence){.id = f->id,
                              .area = {f->points, &f->end, 1},
                              .dwell_ms = 600000,
                              .from_ms = INT64_MIN,
                              .until_ms = INT64_MAX};
}

static enum ht_status note(void *user, const struct ht_fence_event *event)
{
    struct bench *b = user;
    (void)event;
    b->events++;
    return HT_OK;
}

static void covers(void *item, void *user)
{
    struct bench *b = user;
    const struct fence *f = item;
    b->covers += GEOSPreparedCovers(f->prepared, b->point) == 1;
}

static struct ht_point step(struct ht_point *unit, uint64_t *state)
{
    unit->lon_e7 += (int32_t)(random_unit(state) * 4000) - 2000;
    unit->lat_e7 += (int32_t)(random_unit(state) * 4000) - 2000;
    return *unit;
}

/* Nanoseconds a position; with `theirs` GEOS answers, without either only the steps are made. */
static double run(struct bench *b, bool ours, bool theirs)
{
    uint64_t state = 7;
    const struct ht_fence_sink sink = {note, b};
    if (b->unit_count == 0) {
        return 0;
    }
    for (uint32_t u = 0; u < b->unit_count; u++) {
        b->units[u] = somewhere(&state);
    }
    double begin = now_s();
    for (int i = 0; i < POSITIONS; i++) {
        uint32_t u = (uint32_t)i % b->unit_count;
        struct ht_point p = step(&b->units[u], &state);
        int64_t ts_ms = (int64_t)(i / (int)b->unit_count) * 1000;
        if (ours) {
            const struct ht_fence_position position = {b->ids[u], p, ts_ms, ts_ms};
            if (ht_fences_move(b->state, &position, &sink) != HT_OK) {
                (void)fprintf(stderr, "bench_fence: a position was not taken\n");
            }
        }
        if (theirs) {
            GEOSGeometry *point = GEOSGeom_createPointFromXY(p.lon_e7, p.lat_e7);
            b->point = point;
            GEOSSTRtree_query(b->tree, point, covers, b);
            GEOSGeom_destroy(point);
        }
    }
    return (now_s() - begin) * 1e9 / POSITIONS;
}

/* How many fences hold a position at the end, by both. */
static void agree(struct bench *b, uint64_t *ours, uint64_t *theirs)
{
    struct ht_fences *fresh = NULL;
    const struct ht_fence_sink sink = {note, b};
    b->events = 0;
    b->covers = 0;
    if (ht_fences_new(&fresh) == HT_OK &&
        ht_fences_set(fresh, b->list, b->fence_count, 0, &sink) == HT_OK) {
        for (uint32_t u = 0; u < b->unit_count; u++) {
            const struct ht_fence_position position = {b->ids[u], b->units[u], 0, 0};
            GEOSGeometry *point =
                GEOSGeom_createPointFromXY(b->units[u].lon_e7, b->units[u].lat_e7);
            enum ht_status status = ht_fences_move(fresh, &position, &sink);
            (void)status;
            b->point = point;
            GEOSSTRtree_query(b->tree, point, covers, b);
            GEOSGeom_destroy(point);
        }
    }
    ht_fences_free(fresh);
    *ours = b->events;
    *theirs = b->covers;
}

static bool prepare(struct bench *b)
{
    uint64_t state = 1;
    const struct ht_fence_sink sink = {note, b};
    b->fences = calloc(b->fence_count, sizeof *b->fences);
    b->list = calloc(b->fence_count, sizeof *b->list);
    b->units = calloc(b->unit_count, sizeof *b->units);
    b->ids = calloc(b->unit_count, sizeof *b->ids);
    b->tree = GEOSSTRtree_create(10);
    if (b->fences == NULL || b->list == NULL || b->units == NULL || b->ids == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < b->fence_count; i++) {
        fence_make(&b->fences[i], &b->list[i], i, &state);
        GEOSSTRtree_insert(b->tree, b->fences[i].shape, &b->fences[i]);
    }
    for (uint32_t u = 0; u < b->unit_count; u++) {
        (void)snprintf(b->ids[u], sizeof b->ids[u], "van-%u", u);
    }
    return ht_fences_new(&b->state) == HT_OK &&
           ht_fences_set(b->state, b->list, b->fence_count, 0, &sink) == HT_OK;
}

static int report(struct bench *b, const char *path)
{
    uint64_t mine = 0;
    uint64_t geos = 0;
    double base = run(b, false, false);
    double ours = run(b, true, false) - base;
    uint64_t events = b->events;
    double theirs = run(b, false, true) - base;
    agree(b, &mine, &geos);
    (void)printf("%u fences, %u units, %d positions, %llu events\n", b->fence_count, b->unit_count,
                 POSITIONS, (unsigned long long)events);
    (void)printf("%-34s %8.0f ns a position\n", "fences, stays kept", ours);
    (void)printf("%-34s %8.0f ns a position\n", "GEOS STRtree, prepared polygons", theirs);
    (void)printf("%-34s %8.1f\n", "ratio", theirs / ours);
    (void)printf("units within at the end: %llu, by GEOS %llu\n", (unsigned long long)mine,
                 (unsigned long long)geos);
    FILE *json = fopen(path, "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json,
                      ",\"fences\":%u,\"units\":%u,\"positions\":%d,\"events\":%llu,"
                      "\"fence_ns\":%.1f,\"geos_ns\":%.1f}\n",
                      b->fence_count, b->unit_count, POSITIONS, (unsigned long long)events, ours,
                      theirs);
        (void)fclose(json);
    }
    return mine == geos ? 0 : 1;
}

static void silent(const char *format, ...)
{
    (void)format;
}

int main(int argc, char **argv)
{
    struct bench b = {.fence_count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1000,
                      .unit_count = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) : 20000};
    initGEOS(silent, silent);
    int result = b.unit_count > 0 && prepare(&b)
                     ? report(&b, argc > 1 ? argv[1] : "bench/results/fence.json")
                     : 1;
    for (uint32_t i = 0; b.fences != NULL && i < b.fence_count; i++) {
        GEOSPreparedGeom_destroy(b.fences[i].prepared);
        GEOSGeom_destroy(b.fences[i].shape);
    }
    GEOSSTRtree_destroy(b.tree);
    ht_fences_free(b.state);
    free(b.fences);
    free(b.list);
    free(b.units);
    free(b.ids);
    finishGEOS();
    return result;
}
