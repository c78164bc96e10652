/* Fences: what is told of whole tracks, against a reckoning of its own that asks GEOS whether a
 * polygon covers a position; and what happens when clocks, fences and units do as they like. */
#include "engine/live/fence.h"

#include <geos_c.h>
#include <math.h>
#include <stdlib.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { TOLD_MOST = 1 << 16, RING_MOST = 256 };

struct told {
    int kind;
    int why;
    char unit[16];
    char fence[16];
    int64_t at_ms;
    int64_t since_ms;
};

static struct told told[TOLD_MOST];
static size_t told_count;
static size_t told_room = TOLD_MOST; /* events that are taken */

static enum ht_status note(void *user, const struct ht_fence_event *event)
{
    (void)user;
    if (told_count == told_room) {
        return HT_FULL;
    }
    struct told *t = &told[told_count++];
    memset(t, 0, sizeof *t);
    t->kind = event->kind;
    t->why = event->why;
    t->at_ms = event->at_ms;
    t->since_ms = event->since_ms;
    (void)snprintf(t->unit, sizeof t->unit, "%s", event->unit);
    (void)snprintf(t->fence, sizeof t->fence, "%s", event->fence);
    return HT_OK;
}

static const struct ht_fence_sink sink = {.event = note};

/* What was told since the last call, "enter a 10, dwell b 600": kind, fence, time; why where it is
 * no move. */
static const char *said(void)
{
    static const char *const kinds[] = {"enter", "exit", "dwell"};
    static const char *const whys[] = {"", " closed", " gone", " unit"};
    static char text[4096];
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < told_count; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%s %s %" PRId64 "%s",
                                 i == 0 ? "" : ", ", kinds[told[i].kind], told[i].fence,
                                 told[i].at_ms, whys[told[i].why]);
    }
    told_count = 0;
    return text;
}

/* --- by hand ---------------------------------------------------------------------------------- */

/* A square of 100 from (west, 0), with a hole of 20 in its middle. */
struct square {
    struct ht_point points[10];
    uint32_t ends[2];
};

static struct ht_fence square_fence(struct square *s, const char *id, int32_t west)
{
    const struct ht_point points[] = {
        {west, 0},       {west + 100, 0}, {west + 100, 100}, {west, 100},     {west, 0},
        {west + 40, 40}, {west + 40, 60}, {west + 60, 60},   {west + 60, 40}, {west + 40, 40}};
    memcpy(s->points, points, sizeof points);
    s->ends[0] = 5;
    s->ends[1] = 10;
    return (struct ht_fence){.id = id,
                             .area = {s->points, s->ends, 2},
                             .dwell_ms = -1,
                             .from_ms = INT64_MIN,
                             .until_ms = INT64_MAX};
}

static void at(struct ht_fences *f, int32_t lon, int32_t lat, int64_t ts_ms)
{
    const struct ht_fence_position p = {"v", {lon, lat}, ts_ms, ts_ms};
    HT_CHECK_INT(ht_fences_move(f, &p, &sink), HT_OK);
}

static void late(struct ht_fences *f, int32_t lon, int32_t lat, int64_t ts_ms, int64_t received_ms)
{
    const struct ht_fence_position p = {"v", {lon, lat}, ts_ms, received_ms};
    HT_CHECK_INT(ht_fences_move(f, &p, &sink), HT_OK);
}

static void tick(struct ht_fences *f, int64_t now_ms)
{
    HT_CHECK_INT(ht_fences_tick(f, now_ms, &sink), HT_OK);
}

HT_CASE(borders_are_within_and_holes_are_not)
{
    struct square s;
    struct ht_fence fence = square_fence(&s, "a", 0);
    struct ht_fences *f = NULL;
    told_count = 0;
    HT_REQUIRE(ht_fences_new(&f) == HT_OK);
    at(f, 50, 10, 1);
    HT_CHECK_STR(said(), "");
    HT_REQUIRE(ht_fences_set(f, &fence, 1, 0, &sink) == HT_OK);
    HT_CHECK_INT(ht_fences_count(f), 1);
    HT_CHECK_STR(said(), ""); /* it takes in whoever has a position from now on */
    at(f, 100, 100, 10);
    HT_CHECK_STR(said(), "enter a 10");
    at(f, 40, 50, 20); /* the hole's border */
    at(f, 10, 10, 30);
    HT_CHECK_STR(said(), "");
    at(f, 50, 50, 40);
    HT_CHECK_STR(said(), "exit a 40");
    at(f, 0, 0, 50);
    at(f, 101, 0, 60);
    HT_CHECK_STR(said(), "enter a 50, exit a 60");
    at(f, -1, 50, 70);
    at(f, 101, 50, 80); /* right through it: points decide */
    HT_CHECK_STR(said(), "");
    ht_fences_free(f);
}

HT_CASE(dwell_is_told_once_by_position_or_clock)
{
    struct square s[2];
    struct ht_fence list[2] = {square_fence(&s[0], "b", 0), square_fence(&s[1], "a", 50)};
    struct ht_fences *f = NULL;
    list[0].dwell_ms = 600;
    list[1].dwell_ms = 100;
    told_count = 0;
    HT_REQUIRE(ht_fences_new(&f) == HT_OK);
    HT_REQUIRE(ht_fences_set(f, list, 2, 0, &sink) == HT_OK);
    HT_CHECK(ht_fences_due_ms(f) == INT64_MAX);
    at(f, 80, 10, 1000);
    HT_CHECK_STR(said(), "enter a 1000, enter b 1000");
    HT_CHECK_INT(ht_fences_due_ms(f), 1100);
    tick(f, 1099);
    HT_CHECK_STR(said(), "");
    tick(f, 1100);
    HT_CHECK_STR(said(), "dwell a 1100");
    tick(f, 1500);
    HT_CHECK_STR(said(), "");
    HT_CHECK_INT(ht_fences_due_ms(f), 1600);
    at(f, 120, 10, 2000); /* out of b, where it was silent for so long */
    HT_CHECK_STR(said(), "dwell b 1600, exit b 2000");
    at(f, 200, 10, 2100);
    HT_CHECK_STR(said(), "exit a 2100");
    at(f, 10, 10, 3000);
    at(f, 200, 10, 3599);
    HT_CHECK_STR(said(), "enter b 3000, exit b 3599");
    at(f, 10, 10, 4000);
    at(f, 200, 10, 4600); /* exactly so long */
    HT_CHECK_STR(said(), "enter b 4000, dwell b 4600, exit b 4600");
    ht_fences_free(f);
}

HT_CASE(a_slow_clock_of_a_device_does_not_hurry_dwell)
{
    struct square s;
    struct ht_fence fence = square_fence(&s, "a", 0);
    struct ht_fences *f = NULL;
    fence.dwell_ms = 600;
    told_count = 0;
    HT_REQUIRE(ht_fences_new(&f) == HT_OK);
    HT_REQUIRE(ht_fences_set(f, &fence, 1, 0, &sink) == HT_OK);
    late(f, 10, 10, 1000, 9000);
    HT_CHECK_STR(said(), "enter a 1000");
    HT_CHECK_INT(ht_fences_due_ms(f), 9600);
    tick(f, 9599);
    HT_CHECK_STR(said(), "");
    tick(f, 9600);
    HT_CHECK_STR(said(), "dwell a 1600");
    /* a late position that it had left before: what was told stands */
    late(f, 200, 10, 1200, 9700);
    HT_CHECK_STR(said(), "exit a 1600");
    /* two that come together are judged by their own times */
    late(f, 10, 10, 2000, 20000);
    late(f, 200, 10, 2500, 20000);
    HT_CHECK_STR(said(), "enter a 2000, exit a 2500");
    ht_fences_free(f);
}

HT_CASE(a_fence_holds_from_and_until)
{
    struct square s;
    struct ht_fence fence = square_fence(&s, "a", 0);
    struct ht_fences *f = NULL;
    fence.from_ms = 1000;
    fence.until_ms = 2000;
    fence.dwell_ms = 900;
    told_count = 0;
    HT_REQUIRE(ht_fences_new(&f) == HT_OK);
    HT_REQUIRE(ht_fences_set(f, &fence, 1, 0, &sink) == HT_OK);
    at(f, 10, 10, 999);
    HT_CHECK_STR(said(), "");
    at(f, 10, 10, 1000);
    HT_CHECK_STR(said(), "enter a 1000");
    tick(f, 1999);
    HT_CHECK_STR(said(), "dwell a 1900");
    HT_CHECK_INT(ht_fences_due_ms(f), 2000);
    tick(f, 2000);
    HT_CHECK_STR(said(), "exit a 2000 closed");
    late(f, 10, 10, 1999, 2001); /* nobody gets in behind the end */
    at(f, 10, 10, 2000);
    HT_CHECK_STR(said(), "");
    ht_fences_free(f);
    HT_REQUIRE(ht_fences_new(&f) == HT_OK);
    HT_REQUIRE(ht_fences_set(f, &fence, 1, 0, &sink) == HT_OK);
    at(f, 10, 10, 1500);
    at(f, 10, 10, 5000);
    HT_CHECK_STR(said(), "enter a 1500, exit a 2000 closed"); /* 500 is no dwell of 900 */
    ht_fences_free(f);
}

static bool known_not(void *user, const char *unit)
{
    return strcmp(user, unit) != 0;
}

HT_CASE(fences_and_units_may_go)
{
    struct square s[3];
    struct ht_fence list[3] = {square_fence(&s[0], "a", 0), square_fence(&s[1], "b", 0),
                               square_fence(&s[2], "c", 0)};
    struct ht_fence twice[2] = {list[0], list[0]};
    struct ht_fences *f = NULL;
    char gone[] = "v";
    char other[] = "w";
    told_count = 0;
    HT_REQUIRE(ht_fences_new(&f) == HT_OK);
    HT_REQUIRE(ht_fences_set(f, list, 3, 0, &sink) == HT_OK);
    at(f, 10, 10, 10);
    HT_CHECK_STR(said(), "enter a 10, enter b 10, enter c 10");
    HT_CHECK_INT(ht_fences_set(f, twice, 2, 20, &sink), HT_INVALID);
    list[1] = square_fence(&s[1], "b2", 0);
    HT_REQUIRE(ht_fences_set(f, list, 3, 30, &sink) == HT_OK);
    HT_CHECK_STR(said(), "exit b 30 gone");
    list[2] = square_fence(&s[2], "c", 1000); /* moved away: seen by the next position */
    HT_REQUIRE(ht_fences_set(f, list, 3, 40, &sink) == HT_OK);
    HT_CHECK_STR(said(), "");
    at(f, 10, 10, 50);
    HT_CHECK_STR(said(), "exit c 50, enter b2 50");
    HT_CHECK_INT(ht_fences_sweep(f, known_not, other, 60, &sink), HT_OK);
    HT_CHECK_STR(said(), "");
    HT_CHECK_INT(ht_fences_sweep(f, known_not, gone, 60, &sink), HT_OK);
    HT_CHECK_STR(said(), "exit a 60 unit, exit b2 60 unit");
    at(f, 10, 10, 70);
    HT_CHECK_STR(said(), "enter a 70, enter b2 70");
    HT_REQUIRE(ht_fences_set(f, NULL, 0, 80, &sink) == HT_OK);
    HT_CHECK_STR(said(), "exit a 80 gone, exit b2 80 gone");
    ht_fences_free(f);
    ht_fences_free(NULL);
}

HT_CASE(what_was_kept_is_taken_up_again)
{
    struct square s;
    struct ht_fence fence = square_fence(&s, "a", 0);
    struct ht_fences *f = NULL;
    fence.dwell_ms = 600;
    struct ht_fence_stay stay = {"v", "a", 1000, 1000, false};
    struct ht_fence_stay lost = {"v", "b", 1000, 1000, false};
    told_count = 0;
    HT_REQUIRE(ht_fences_new(&f) == HT_OK);
    HT_REQUIRE(ht_fences_set(f, &fence, 1, 0, &sink) == HT_OK);
    HT_CHECK_INT(ht_fences_restore(f, &stay), HT_OK);
    HT_CHECK_INT(ht_fences_restore(f, &stay), HT_EXISTS);
    HT_CHECK_INT(ht_fences_restore(f, &lost), HT_NOT_FOUND);
    ht_fences_restore_time(f, "v", 1400, 1450);
    ht_fences_restore_time(f, "nobody", 1400, 1450);
    HT_CHECK_INT(ht_fences_due_ms(f), 1650);
    tick(f, 1649);
    HT_CHECK_STR(said(), "");
    at(f, 10, 10, 1590);
    HT_CHECK_STR(said(), "");
    at(f, 10, 10, 1700);
    at(f, 200, 10, 1800);
    HT_CHECK_STR(said(), "dwell a 1600, exit a 1800");
    ht_fences_free(f);
}

HT_CASE(each_refused_allocation_is_reported)
{
    struct square s[8];
    struct ht_fence list[8];
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (int i = 0; i < 8; i++) {
        list[i] = square_fence(&s[i], ids[i], i);
    }
    int refusals = 0;
    for (int n = 0;; n++) {
        struct ht_fences *f = NULL;
        const struct ht_fence_position p = {"v", {20, 10}, 10, 10};
        told_count = 0;
        ht_oom_arm(n);
        enum ht_status status = ht_fences_new(&f);
        status = status == HT_OK ? ht_fences_set(f, list, 8, 0, &sink) : status;
        status = status == HT_OK ? ht_fences_move(f, &p, &sink) : status;
        bool refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
        ht_fences_free(f);
        if (!refused) {
            break;
        }
        refusals++;
    }
    HT_CHECK(refusals > 8);
    told_room = 3; /* and so is a receiver that takes no more */
    struct ht_fences *f = NULL;
    const struct ht_fence_position p = {"v", {20, 10}, 10, 10};
    told_count = 0;
    HT_REQUIRE(ht_fences_new(&f) == HT_OK && ht_fences_set(f, list, 8, 0, &sink) == HT_OK);
    HT_CHECK_INT(ht_fences_move(f, &p, &sink), HT_FULL);
    told_room = TOLD_MOST;
    ht_fences_free(f);
}

/* --- whole tracks ----------------------------------------------------------------------------- */

enum { FENCES = 40, UNITS = 12, STEPS = 400, TICK_MOST = 3 };

struct town {
    struct ht_point points[FENCES][RING_MOST];
    uint32_t ends[FENCES][4];
    char ids[FENCES][16];
    struct ht_fence list[FENCES];
    GEOSGeometry *shapes[FENCES];
};

/* A star around a place: with `far` corners on a coarse grid, so that positions meet borders. */
static uint32_t star(struct ht_point *out, uint32_t count, struct ht_point place, int far,
                     uint64_t *seed)
{
    uint32_t first = count;
    int corners = 5 + (int)ht_random_below(seed, 30);
    for (int i = 0; i < corners; i++) {
        double r = far + 10.0 * ht_random_below(seed, 4);
        double angle = 2 * M_PI * i / corners + 0.1;
        out[count++] = (struct ht_point){place.lon_e7 + (int32_t)(floor(r * cos(angle)) * 10),
                                         place.lat_e7 + (int32_t)(floor(r * sin(angle)) * 10)};
    }
    out[count++] = out[first];
    return count;
}

static GEOSGeometry *geos_ring(const struct ht_point *points, uint32_t begin, uint32_t end)
{
    GEOSCoordSequence *list = GEOSCoordSeq_create(end - begin, 2);
    for (uint32_t i = begin; i < end; i++) {
        (void)GEOSCoordSeq_setXY(list, i - begin, points[i].lon_e7, points[i].lat_e7);
    }
    return GEOSGeom_createLinearRing(list);
}

/* One polygon, with a hole, or two polygons. */
static void fence_make(struct town *town, int i, uint64_t *seed)
{
    struct ht_point *points = town->points[i];
    struct ht_fence *fence = &town->list[i];
    int kind = i % 3;
    do {
        struct ht_point place = {(int32_t)ht_random_below(seed, 40) * 100,
                                 (int32_t)ht_random_below(seed, 40) * 100};
        struct ht_point beside = {place.lon_e7 + 4000, place.lat_e7};
        GEOSGeom_destroy(town->shapes[i]);
        town->ends[i][0] = star(points, 0, place, 60, seed);
        town->ends[i][1] = star(points, town->ends[i][0], kind == 2 ? beside : place, 20, seed);
        GEOSGeometry *outer = geos_ring(points, 0, town->ends[i][0]);
        GEOSGeometry *second = geos_ring(points, town->ends[i][0], town->ends[i][1]);
        if (kind == 2) {
            GEOSGeometry *parts[] = {GEOSGeom_createPolygon(outer, NULL, 0),
                                     GEOSGeom_createPolygon(second, NULL, 0)};
            town->shapes[i] = GEOSGeom_createCollection(GEOS_MULTIPOLYGON, parts, 2);
        } else if (kind == 1) {
            town->shapes[i] = GEOSGeom_createPolygon(outer, &second, 1);
        } else {
            town->shapes[i] = GEOSGeom_createPolygon(outer, NULL, 0);
            GEOSGeom_destroy(second);
        }
    } while (GEOSisValid(town->shapes[i]) != 1);
    (void)snprintf(town->ids[i], sizeof town->ids[i], "z%u",
                   ht_random_below(seed, 1000) * 100 + (unsigned)i);
    *fence =
        (struct ht_fence){.id = town->ids[i],
                          .area = {points, town->ends[i], kind == 0 ? 1 : 2},
                          .dwell_ms = i % 4 == 0 ? -1 : 1000 * (int64_t)ht_random_below(seed, 300),
                          .from_ms = i % 5 == 0 ? 100000 : INT64_MIN,
                          .until_ms = i % 7 == 0 ? 1500000 : INT64_MAX};
}

static struct ht_fence_position tracks[UNITS][STEPS];
static char names[UNITS][16];

/* A walk on the grid, with rests and silences. */
static void tracks_make(uint64_t *seed)
{
    for (int u = 0; u < UNITS; u++) {
        struct ht_point at_point = {(int32_t)ht_random_below(seed, 4000),
                                    (int32_t)ht_random_below(seed, 4000)};
        int64_t ts_ms = ht_random_below(seed, 5000);
        (void)snprintf(names[u], sizeof names[u], "u%d", u);
        for (int i = 0; i < STEPS; i++) {
            bool rests = ht_random_below(seed, 3) == 0;
            ts_ms += 1 + ht_random_below(seed, ht_random_below(seed, 20) == 0 ? 200000 : 5000);
            at_point.lon_e7 += rests ? 0 : (int32_t)ht_random_below(seed, 61) * 10 - 300;
            at_point.lat_e7 += rests ? 0 : (int32_t)ht_random_below(seed, 61) * 10 - 300;
            at_point.lon_e7 = (at_point.lon_e7 % 5000 + 5000) % 5000;
            tracks[u][i] = (struct ht_fence_position){names[u], at_point, ts_ms, ts_ms};
        }
    }
}

static struct told want[TOLD_MOST];
static size_t want_count;

static void want_add(enum ht_fence_kind kind, enum ht_fence_why why, int unit,
                     const struct ht_fence *fence, int64_t at_ms, int64_t since_ms)
{
    struct told *t = &want[want_count++];
    memset(t, 0, sizeof *t);
    t->kind = (int)kind;
    t->why = (int)why;
    t->at_ms = at_ms;
    t->since_ms = since_ms;
    memcpy(t->unit, names[unit], sizeof t->unit);
    (void)snprintf(t->fence, sizeof t->fence, "%s", fence->id);
}

/* The stays of one unit in one fence, as runs of positions that the polygon covers. */
static void reckon(int u, const struct ht_fence *fence, const GEOSPreparedGeometry *shape,
                   int64_t now_ms)
{
    for (int i = 0; i < STEPS; i++) {
        int64_t since_ms = tracks[u][i].ts_ms;
        int end = i;
        while (end < STEPS && tracks[u][end].ts_ms >= fence->from_ms &&
               tracks[u][end].ts_ms < fence->until_ms) {
            GEOSGeometry *p = GEOSGeom_createPointFromXY(tracks[u][end].point.lon_e7,
                                                         tracks[u][end].point.lat_e7);
            bool covered = GEOSPreparedCovers(shape, p) == 1;
            GEOSGeom_destroy(p);
            if (!covered) {
                break;
            }
            end++;
        }
        if (end == i) {
            continue;
        }
        int64_t last_ms = end < STEPS ? tracks[u][end].ts_ms : now_ms;
        bool over = last_ms >= fence->until_ms;
        last_ms = over ? fence->until_ms : last_ms;
        want_add(HT_FENCE_ENTER, HT_FENCE_MOVED, u, fence, since_ms, since_ms);
        if (fence->dwell_ms >= 0 && since_ms + fence->dwell_ms <= last_ms) {
            want_add(HT_FENCE_DWELL, HT_FENCE_MOVED, u, fence, since_ms + fence->dwell_ms,
                     since_ms);
        }
        if (over || end < STEPS) {
            want_add(HT_FENCE_EXIT, over ? HT_FENCE_CLOSED : HT_FENCE_MOVED, u, fence, last_ms,
                     since_ms);
        }
        i = end - 1;
    }
}

static int told_order(const void *a, const void *b)
{
    static const int rank[] = {0, 2, 1}; /* enter, dwell, exit of one stay */
    const struct told *x = a;
    const struct told *y = b;
    int order = strcmp(x->unit, y->unit);
    order = order != 0 ? order : strcmp(x->fence, y->fence);
    if (order == 0) {
        order = x->since_ms < y->since_ms ? -1 : x->since_ms > y->since_ms;
    }
    return order != 0 ? order : rank[x->kind] - rank[y->kind];
}

/* The state from what was told up to now, as a store would keep it. */
static struct ht_fences *again(const struct town *town, const int *next)
{
    struct ht_fences *f = NULL;
    if (ht_fences_new(&f) != HT_OK || ht_fences_set(f, town->list, FENCES, 0, &sink) != HT_OK) {
        abort();
    }
    for (size_t i = 0; i < told_count; i++) {
        struct ht_fence_stay stay = {told[i].unit, told[i].fence, told[i].since_ms, told[i].at_ms,
                                     false};
        bool open = told[i].kind == HT_FENCE_ENTER;
        for (size_t k = i + 1; open && k < told_count; k++) {
            if (strcmp(told[k].unit, stay.unit) == 0 && strcmp(told[k].fence, stay.fence) == 0) {
                open = told[k].kind == HT_FENCE_DWELL;
                stay.dwelt = true;
                stay.told_ms = told[k].at_ms;
            }
        }
        if (open) {
            HT_CHECK_INT(ht_fences_restore(f, &stay), HT_OK);
        }
    }
    for (int u = 0; u < UNITS; u++) {
        if (next[u] > 0) {
            const struct ht_fence_position *p = &tracks[u][next[u] - 1];
            ht_fences_restore_time(f, names[u], p->ts_ms, p->received_ms);
        }
    }
    return f;
}

/* All tracks by time, with ticks and new beginnings strewn in. */
static int64_t run(const struct town *town, uint64_t *seed)
{
    int next[UNITS] = {0};
    int64_t now_ms = 0;
    struct ht_fences *f = again(town, next);
    for (;;) {
        int first = -1;
        for (int u = 0; u < UNITS; u++) {
            if (next[u] < STEPS &&
                (first < 0 || tracks[u][next[u]].ts_ms < tracks[first][next[first]].ts_ms)) {
                first = u;
            }
        }
        if (first < 0) {
            break;
        }
        now_ms = tracks[first][next[first]].ts_ms;
        if (ht_random_below(seed, 2) == 0) {
            tick(f, now_ms);
        }
        if (ht_random_below(seed, 400) == 0) {
            ht_fences_free(f);
            f = again(town, next);
        }
        HT_CHECK_INT(ht_fences_move(f, &tracks[first][next[first]], &sink), HT_OK);
        next[first]++;
    }
    now_ms += 100000;
    tick(f, now_ms);
    HT_CHECK(ht_fences_due_ms(f) > now_ms);
    ht_fences_free(f);
    return now_ms;
}

static void silent(const char *format, ...)
{
    (void)format;
}

HT_CASE(whole_tracks_equal_geos)
{
    static struct town town;
    uint64_t seed = 5;
    int closed = 0;
    int dwelt = 0;
    initGEOS(silent, silent);
    for (int round = 0; round < (HT_LONG ? 60 : 6) && ht_case_failures == 0; round++) {
        for (int i = 0; i < FENCES; i++) {
            fence_make(&town, i, &seed);
        }
        tracks_make(&seed);
        told_count = 0;
        want_count = 0;
        int64_t now_ms = run(&town, &seed);
        for (int i = 0; i < FENCES; i++) {
            const GEOSPreparedGeometry *shape = GEOSPrepare(town.shapes[i]);
            for (int u = 0; u < UNITS; u++) {
                reckon(u, &town.list[i], shape, now_ms);
            }
            GEOSPreparedGeom_destroy(shape);
        }
        qsort(told, told_count, sizeof *told, told_order);
        qsort(want, want_count, sizeof *want, told_order);
        for (size_t i = 0; i < want_count; i++) {
            closed += want[i].why == HT_FENCE_CLOSED;
            dwelt += want[i].kind == HT_FENCE_DWELL;
        }
        HT_CHECK(want_count > 1000);
        HT_CHECK_INT(told_count, want_count);
        for (size_t i = 0; i < want_count && i < told_count && ht_case_failures == 0; i++) {
            HT_CHECK(memcmp(&told[i], &want[i], sizeof *told) == 0);
        }
    }
    HT_CHECK(dwelt > 1000 && closed > 0);
    for (int i = 0; i < FENCES; i++) {
        GEOSGeom_destroy(town.shapes[i]);
        town.shapes[i] = NULL;
    }
    finishGEOS();
}

HT_MAIN()
