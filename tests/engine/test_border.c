/* Border: pieces in, out of and along polygons of every shape, against fractions. */
#include "engine/base/border.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { RINGS = 8, POINTS = 400, CUTS = 2000 };

struct shape {
    struct ht_point points[POINTS];
    uint32_t ring_ends[RINGS];
    uint32_t polygon_ends[RINGS];
    size_t rings;
    size_t polygons;
    size_t count;
};

static struct ht_rings rings_of(const struct shape *s)
{
    return (struct ht_rings){s->points, s->ring_ends, s->polygon_ends, s->polygons};
}

static void add(struct shape *s, int32_t x, int32_t y)
{
    s->points[s->count++] = (struct ht_point){x, y};
}

static void ring_end(struct shape *s)
{
    uint32_t first = s->rings == 0 ? 0 : s->ring_ends[s->rings - 1];
    s->points[s->count] = s->points[first];
    s->count++;
    s->ring_ends[s->rings++] = (uint32_t)s->count;
}

static void polygon_end(struct shape *s)
{
    s->polygon_ends[s->polygons++] = (uint32_t)s->rings;
}

static void box(struct shape *s, int32_t x, int32_t y, int32_t w, int32_t h)
{
    add(s, x, y);
    add(s, x + w, y);
    add(s, x + w, y + h);
    add(s, x, y + h);
    ring_end(s);
}

/* ---- the oracle: fractions of the way ---- */

struct cut {
    int64_t up; /* up / down of the way, down > 0 */
    int64_t down;
};

static int by_way(const void *a, const void *b)
{
    const struct cut *x = a;
    const struct cut *y = b;
    int64_t left = x->up * y->down;
    int64_t right = y->up * x->down;
    return left < right ? -1 : left > right;
}

static int64_t turn(int64_t ax, int64_t ay, int64_t bx, int64_t by)
{
    return ax * by - ay * bx;
}

/* Whether (x / d, y / d) lies within, borders included: by every edge. */
static bool plain_holds(const struct shape *s, int64_t x, int64_t y, int64_t d)
{
    bool odd = false;
    for (size_t r = 0, i = 0; r < s->rings; r++, i++) {
        for (; i + 1 < s->ring_ends[r]; i++) {
            int64_t ax = s->points[i].lon_e7 * d - x;
            int64_t ay = s->points[i].lat_e7 * d - y;
            int64_t bx = s->points[i + 1].lon_e7 * d - x;
            int64_t by = s->points[i + 1].lat_e7 * d - y;
            int64_t side = turn(ax, ay, bx, by);
            if (side == 0 && ax * bx <= 0 && ay * by <= 0) {
                return true;
            }
            if ((ay > 0) != (by > 0) && (side > 0) == (by > ay)) {
                odd = !odd;
            }
        }
    }
    return odd;
}

static void cut_add(struct cut *cuts, size_t *count, int64_t up, int64_t down)
{
    if (down < 0) {
        up = -up;
        down = -down;
    }
    if (down > 0 && up >= 0 && up <= down) {
        cuts[(*count)++] = (struct cut){up, down};
    }
}

static size_t cuts_find(const struct shape *s, struct ht_point a, struct ht_point b,
                        struct cut *cuts)
{
    int64_t dx = (int64_t)b.lon_e7 - a.lon_e7;
    int64_t dy = (int64_t)b.lat_e7 - a.lat_e7;
    size_t count = 0;
    cut_add(cuts, &count, 0, 1);
    cut_add(cuts, &count, 1, 1);
    for (size_t r = 0, i = 0; r < s->rings; r++, i++) {
        for (; i + 1 < s->ring_ends[r]; i++) {
            int64_t cx = (int64_t)s->points[i].lon_e7 - a.lon_e7;
            int64_t cy = (int64_t)s->points[i].lat_e7 - a.lat_e7;
            int64_t ex = (int64_t)s->points[i + 1].lon_e7 - s->points[i].lon_e7;
            int64_t ey = (int64_t)s->points[i + 1].lat_e7 - s->points[i].lat_e7;
            int64_t down = turn(dx, dy, ex, ey);
            if (down != 0) { /* the lines meet: more cuts than there are do no harm */
                cut_add(cuts, &count, turn(cx, cy, ex, ey), down);
            } else if (turn(dx, dy, cx, cy) == 0) {
                cut_add(cuts, &count, cx * dx + cy * dy, dx * dx + dy * dy);
                cut_add(cuts, &count, (cx + ex) * dx + (cy + ey) * dy, dx * dx + dy * dy);
            }
        }
    }
    qsort(cuts, count, sizeof *cuts, by_way);
    return count;
}

static unsigned plain_cross(const struct shape *s, struct ht_point a, struct ht_point b)
{
    static struct cut cuts[CUTS];
    size_t count = cuts_find(s, a, b, cuts);
    int64_t dx = (int64_t)b.lon_e7 - a.lon_e7;
    int64_t dy = (int64_t)b.lat_e7 - a.lat_e7;
    unsigned how = 0;
    bool before = false;
    for (size_t i = 0; i < 2 * count - 1; i++) { /* at each cut, and between two */
        const struct cut *p = &cuts[i / 2];
        const struct cut *q = &cuts[(i + 1) / 2];
        int64_t up = p->up * q->down + q->up * p->down;
        int64_t down = 2 * p->down * q->down;
        bool in = plain_holds(s, a.lon_e7 * down + dx * up, a.lat_e7 * down + dy * up, down);
        how |= in ? HT_BORDER_MEETS : 0;
        how |= i > 0 && in && !before ? HT_BORDER_IN : 0;
        how |= i > 0 && !in && before ? HT_BORDER_OUT : 0;
        before = in;
    }
    return how;
}

/* ---- shapes ---- */

/* A ring around (x, y), a corner in each of 8 directions or so. */
static void star(struct shape *s, uint64_t *state, int32_t x, int32_t y, uint32_t least,
                 uint32_t most)
{
    static const int32_t way[8][2] = {{4, 1},   {3, 4},   {-1, 4}, {-4, 3},
                                      {-4, -1}, {-3, -4}, {1, -4}, {4, -3}};
    bool back = ht_random_below(state, 2) == 0;
    for (int i = 0; i < 8; i++) {
        int at = back ? 7 - i : i;
        int32_t far = (int32_t)(least + ht_random_below(state, most - least + 1));
        add(s, x + way[at][0] * far, y + way[at][1] * far);
    }
    ring_end(s);
}

static void random_shape(struct shape *s, uint64_t *state)
{
    *s = (struct shape){0};
    uint32_t kind = ht_random_below(state, 5);
    if (kind == 0) { /* stairs: many edges along the axes */
        int32_t steps = 2 + (int32_t)ht_random_below(state, 6);
        add(s, 0, 0);
        for (int32_t i = 0; i < steps; i++) {
            add(s, 30 - 4 * i, 3 * i);
            add(s, 30 - 4 * i, 3 * i + 3);
        }
        add(s, 0, 3 * steps);
        ring_end(s);
        polygon_end(s);
    } else if (kind == 1) { /* boxes that touch in corners, one with a hole that touches its rim */
        box(s, 0, 0, 10, 10);
        add(s, 0, 5);
        add(s, 4, 3);
        add(s, 4, 7);
        ring_end(s);
        polygon_end(s);
        box(s, 10, 10, 6, 6);
        polygon_end(s);
        box(s, 16, 2, 7, 8);
        polygon_end(s);
    } else if (kind == 2) { /* a comb: a straight line goes in and out */
        add(s, 0, 0);
        add(s, 40, 0);
        for (int32_t i = 10; i > 0; i--) {
            add(s, 4 * i, 12);
            add(s, 4 * i - 2, 3);
        }
        add(s, 0, 12);
        ring_end(s);
        polygon_end(s);
    } else {
        star(s, state, 20, 20, 3, 5);
        if (kind == 4) {
            star(s, state, 20, 20, 1, 2);
        }
        polygon_end(s);
    }
}

static struct ht_point random_point(const struct shape *s, uint64_t *state)
{
    if (ht_random_below(state, 4) == 0) {
        return s->points[ht_random_below(state, (uint32_t)s->count)];
    }
    return (struct ht_point){(int32_t)ht_random_below(state, 46) - 3,
                             (int32_t)ht_random_below(state, 46) - 3};
}

HT_CASE(pieces_equal_the_oracle_in_fractions)
{
    uint64_t state = 1;
    int wrong = 0;
    unsigned seen[8] = {0};
    for (int round = 0; round < (HT_LONG ? 20000 : 1000); round++) {
        struct shape s;
        struct ht_border *border = NULL;
        random_shape(&s, &state);
        struct ht_rings rings = rings_of(&s);
        HT_REQUIRE(ht_border_new(&rings, &border) == HT_OK);
        for (int i = 0; i < 200; i++) {
            struct ht_point a = random_point(&s, &state);
            struct ht_point b = random_point(&s, &state);
            if (ht_random_below(&state, 4) == 0) {
                b.lat_e7 = a.lat_e7;
            }
            unsigned how = ht_border_cross(border, a, b);
            unsigned want = plain_cross(&s, a, b);
            wrong += how != want;
            wrong += ht_border_holds(border, a) != plain_holds(&s, a.lon_e7, a.lat_e7, 1);
            seen[how & 7]++;
        }
        ht_border_free(border);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(seen[0] > 0 && seen[1] > 0 && seen[3] > 0 && seen[5] > 0 && seen[7] > 0);
}

/* The same answers far from zero, and over a thousand corners. */
HT_CASE(a_border_of_many_corners_is_exact_at_the_end_of_the_world)
{
    static struct ht_point points[4001];
    const uint32_t end = 4001;
    const uint32_t one = 1;
    struct ht_border *border = NULL;
    for (int32_t i = 0; i < 4000; i++) { /* teeth along the north, 89.9 degrees */
        points[i] = (struct ht_point){1799999000 - i * 400000, i % 2 == 0 ? 899000000 : 898000000};
    }
    points[3999] = (struct ht_point){0, -899999999};
    points[4000] = points[0];
    const struct ht_rings rings = {points, &end, &one, 1};
    HT_REQUIRE(ht_border_new(&rings, &border) == HT_OK);
    struct ht_point inside = {300000000, 0};
    struct ht_point west = {-1799999999, 0};
    struct ht_point east = {1799999999, 0};
    HT_CHECK(ht_border_holds(border, inside) && !ht_border_holds(border, west));
    HT_CHECK_INT(ht_border_cross(border, west, inside), HT_BORDER_MEETS | HT_BORDER_IN);
    HT_CHECK_INT(ht_border_cross(border, inside, east), HT_BORDER_MEETS | HT_BORDER_OUT);
    struct ht_point low = {1799999000 - 400000 * 100 - 200000, 897000000};
    struct ht_point high = {1799999000 - 400000 * 140, 898500000};
    HT_CHECK_INT(ht_border_cross(border, low, high),
                 HT_BORDER_MEETS | HT_BORDER_IN | HT_BORDER_OUT);
    ht_border_free(border);
}

HT_CASE(a_piece_across_the_antimeridian_goes_the_short_way)
{
    struct shape s = {0};
    struct ht_border *border = NULL;
    box(&s, 1799990000, 0, 10000, 10000);
    polygon_end(&s);
    struct ht_rings rings = rings_of(&s);
    HT_REQUIRE(ht_border_new(&rings, &border) == HT_OK);
    struct ht_point in = {1799995000, 5000};
    struct ht_point beyond = {-1799995000, 5000};
    struct ht_point short_of = {1799980000, 5000};
    HT_CHECK_INT(ht_border_cross(border, in, beyond), HT_BORDER_MEETS | HT_BORDER_OUT);
    HT_CHECK_INT(ht_border_cross(border, beyond, in), HT_BORDER_MEETS | HT_BORDER_IN);
    HT_CHECK_INT(ht_border_cross(border, short_of, beyond),
                 HT_BORDER_MEETS | HT_BORDER_IN | HT_BORDER_OUT);
    ht_border_free(border);
}

HT_CASE(nothing_is_inside_of_no_polygon)
{
    struct ht_border *border = NULL;
    const struct ht_rings rings = {0};
    HT_REQUIRE(ht_border_new(&rings, &border) == HT_OK);
    HT_CHECK_INT(ht_border_cross(border, (struct ht_point){0, 0}, (struct ht_point){5, 5}), 0);
    HT_CHECK(!ht_border_holds(border, (struct ht_point){0, 0}));
    ht_border_free(border);
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    struct shape s = {0};
    bool failed = true;
    int refused = 0;
    box(&s, 0, 0, 5, 5);
    polygon_end(&s);
    struct ht_rings rings = rings_of(&s);
    for (int n = 0; failed; n++) {
        struct ht_border *border = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_border_new(&rings, &border);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        refused += failed;
        ht_border_free(border);
    }
    HT_CHECK(refused == 3);
}

HT_MAIN()
