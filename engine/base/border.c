#include "engine/base/border.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

#define STRIPS_MAX 4096
#define TURN_E7 (2 * (int64_t)HT_LON_MAX_E7)

/* Products of differences may pass 64 bits. */
__extension__ typedef __int128 wide;

/* A place in half units, so that the middle between two is one, too; beyond the antimeridian it
 * may count on. */
struct spot {
    int64_t x;
    int64_t y;
};

/* The inside lies to the left of who walks from a to b. */
struct edge {
    struct ht_point a;
    struct ht_point b;
};

struct ht_border {
    struct ht_box box;
    size_t strip_count;
    int64_t strip_e7;    /* the height of each */
    size_t *strip_first; /* [strip_count + 1] into `edges` */
    struct edge *edges;  /* one is listed in every strip that it meets */
};

/* ---- making ---- */

static size_t strip_at(const struct ht_border *border, int64_t lat_e7)
{
    return (size_t)((lat_e7 - border->box.min.lat_e7) / border->strip_e7);
}

static void set_strips(struct ht_border *border, size_t count)
{
    int64_t height = (int64_t)border->box.max.lat_e7 - border->box.min.lat_e7 + 1;
    border->strip_e7 = (height + (int64_t)count - 1) / (int64_t)count;
    border->strip_count = (size_t)((height + border->strip_e7 - 1) / border->strip_e7);
}

/* Whether a ring runs counter-clockwise: the sign of its area. */
static bool runs_left(const struct ht_point *points, size_t count)
{
    wide sum = 0;
    for (size_t i = 0; i + 1 < count; i++) {
        int64_t x0 = (int64_t)points[i].lon_e7 - points[0].lon_e7;
        int64_t y0 = (int64_t)points[i].lat_e7 - points[0].lat_e7;
        int64_t x1 = (int64_t)points[i + 1].lon_e7 - points[0].lon_e7;
        int64_t y1 = (int64_t)points[i + 1].lat_e7 - points[0].lat_e7;
        sum += (wide)x0 * y1 - (wide)x1 * y0;
    }
    return sum > 0;
}

/* Puts an edge into its strips (`fill` NULL: only counts, into `counts` where that is not NULL).
 * Returns how many they are. */
static size_t edge_put(const struct ht_border *border, struct edge edge, size_t *counts,
                       struct edge *fill)
{
    int32_t low = edge.a.lat_e7 < edge.b.lat_e7 ? edge.a.lat_e7 : edge.b.lat_e7;
    int32_t high = edge.a.lat_e7 < edge.b.lat_e7 ? edge.b.lat_e7 : edge.a.lat_e7;
    size_t first = strip_at(border, low);
    size_t last = strip_at(border, high);
    for (size_t s = first; s <= last; s++) {
        if (fill != NULL) {
            fill[counts[s]++] = edge;
        } else if (counts != NULL) {
            counts[s]++;
        }
    }
    return last - first + 1;
}

static size_t each_edge(const struct ht_border *border, const struct ht_rings *rings,
                        size_t *counts, struct edge *fill)
{
    size_t sum = 0;
    size_t ring = 0;
    size_t begin = 0;
    for (size_t p = 0; p < rings->polygon_count; p++) {
        for (bool outer = true; ring < rings->polygon_ends[p]; ring++, outer = false) {
            size_t end = rings->ring_ends[ring];
            bool along = runs_left(rings->points + begin, end - begin) == outer;
            for (size_t i = begin; i + 1 < end; i++) {
                struct ht_point a = rings->points[i];
                struct ht_point b = rings->points[i + 1];
                if (a.lon_e7 != b.lon_e7 || a.lat_e7 != b.lat_e7) {
                    sum += edge_put(border, along ? (struct edge){a, b} : (struct edge){b, a},
                                    counts, fill);
                }
            }
            begin = end;
        }
    }
    return sum;
}

static enum ht_status fill_strips(struct ht_border *border, const struct ht_rings *rings,
                                  size_t points)
{
    size_t count = points / 4;
    count = count < 1 ? 1 : count > STRIPS_MAX ? STRIPS_MAX : count;
    set_strips(border, count);
    while (count > 1 && each_edge(border, rings, NULL, NULL) > 8 * points) {
        count /= 2;
        set_strips(border, count);
    }
    size_t sum = each_edge(border, rings, NULL, NULL);
    size_t *first = ht_array_new_zeroed(border->strip_count + 1, sizeof *first);
    border->strip_first = first;
    border->edges = ht_array_new(sum, sizeof *border->edges);
    if (first == NULL || border->edges == NULL) {
        return HT_NOMEM;
    }
    (void)each_edge(border, rings, first, NULL);
    size_t at = 0;
    for (size_t s = 0; s <= border->strip_count; s++) {
        size_t own = first[s];
        first[s] = at;
        at += own;
    }
    (void)each_edge(border, rings, first, border->edges);
    memmove(first + 1, first, border->strip_count * sizeof *first); /* ends are the next's begins */
    first[0] = 0;
    return HT_OK;
}

enum ht_status ht_border_new(const struct ht_rings *rings, struct ht_border **out)
{
    size_t ring_count =
        rings->polygon_count == 0 ? 0 : rings->polygon_ends[rings->polygon_count - 1];
    size_t points = ring_count == 0 ? 0 : rings->ring_ends[ring_count - 1];
    if (points > INT32_MAX) {
        return HT_TOO_BIG;
    }
    struct ht_border *border = calloc(1, sizeof *border);
    if (border == NULL) {
        return HT_NOMEM;
    }
    border->box = ht_box_empty();
    for (size_t i = 0; i < points; i++) {
        border->box = ht_box_grow(border->box, rings->points[i]);
    }
    enum ht_status status = points == 0 ? HT_OK : fill_strips(border, rings, points);
    if (status != HT_OK) {
        ht_border_free(border);
        return status;
    }
    *out = border;
    return HT_OK;
}

void ht_border_free(struct ht_border *border)
{
    if (border != NULL) {
        free(border->strip_first);
        free(border->edges);
        free(border);
    }
}

struct ht_box ht_border_box(const struct ht_border *border)
{
    return border->box;
}

/* ---- asking ---- */

static struct spot spot_of(struct ht_point p)
{
    return (struct spot){2 * (int64_t)p.lon_e7, 2 * (int64_t)p.lat_e7};
}

/* On which side of the line from a to b the place lies: 1 left, -1 right, 0 on it. */
static int side_of(struct spot a, struct spot b, struct spot p)
{
    wide turn = (wide)(b.x - a.x) * (p.y - a.y) - (wide)(b.y - a.y) * (p.x - a.x);
    return turn > 0 ? 1 : turn < 0 ? -1 : 0;
}

static bool between(int64_t p, int64_t a, int64_t b)
{
    return a < b ? a <= p && p <= b : b <= p && p <= a;
}

/* A place on the line through a and b: whether it lies within the two. */
static bool within(struct spot p, struct spot a, struct spot b)
{
    return between(p.x, a.x, b.x) && between(p.y, a.y, b.y);
}

static bool same(struct spot a, struct spot b)
{
    return a.x == b.x && a.y == b.y;
}

static int64_t half_down(int64_t y)
{
    return y >= 0 ? y / 2 : -((1 - y) / 2);
}

static bool holds(const struct ht_border *border, struct spot p)
{
    if (border->strip_count == 0 || p.y < 2 * (int64_t)border->box.min.lat_e7 ||
        p.y > 2 * (int64_t)border->box.max.lat_e7) {
        return false;
    }
    size_t s = strip_at(border, half_down(p.y));
    bool odd = false;
    for (size_t e = border->strip_first[s]; e < border->strip_first[s + 1]; e++) {
        struct spot a = spot_of(border->edges[e].a);
        struct spot b = spot_of(border->edges[e].b);
        if (!between(p.y, a.y, b.y)) {
            continue;
        }
        int side = side_of(a, b, p);
        if (side == 0 && within(p, a, b)) {
            return true;
        }
        /* a ray to the east; an edge owns its lower end only, so that a corner counts once */
        bool up = b.y > a.y;
        if (a.y != b.y && p.y != (up ? b.y : a.y) && (up ? side > 0 : side < 0)) {
            odd = !odd;
        }
    }
    return odd;
}

bool ht_border_holds(const struct ht_border *border, struct ht_point point)
{
    return holds(border, spot_of(point));
}

/* What the edges say of a piece from a to b. */
struct seen {
    struct spot corner; /* the first one on the way, not a or b */
    bool cornered;
    bool along; /* it lies on an edge */
    unsigned crossings;
    unsigned how;
    bool first_in; /* of a single crossing: it leads in */
};

static int64_t way_to(struct spot from, struct spot to)
{
    int64_t x = to.x > from.x ? to.x - from.x : from.x - to.x;
    int64_t y = to.y > from.y ? to.y - from.y : from.y - to.y;
    return x + y; /* on one line, farther is farther */
}

static void corner_see(struct seen *seen, struct spot a, struct spot b, struct spot corner)
{
    if (same(corner, a) || same(corner, b) || !within(corner, a, b)) {
        return;
    }
    if (!seen->cornered || way_to(a, corner) < way_to(a, seen->corner)) {
        seen->corner = corner;
        seen->cornered = true;
    }
}

static void edge_see(struct seen *seen, struct spot a, struct spot b, const struct edge *edge)
{
    struct spot c = spot_of(edge->a);
    struct spot d = spot_of(edge->b);
    if ((c.x > a.x && c.x > b.x && d.x > a.x && d.x > b.x) ||
        (c.x < a.x && c.x < b.x && d.x < a.x && d.x < b.x)) {
        return;
    }
    int c_side = side_of(a, b, c);
    int d_side = side_of(a, b, d);
    if (c_side == 0) {
        corner_see(seen, a, b, c);
    }
    if (d_side == 0) {
        corner_see(seen, a, b, d);
    }
    if (c_side == 0 && d_side == 0) {
        seen->along = seen->along || (within(a, c, d) && within(b, c, d));
    } else if (c_side * d_side < 0) {
        int a_side = side_of(c, d, a);
        int b_side = side_of(c, d, b);
        if (a_side * b_side < 0) {
            seen->crossings++;
            seen->first_in = b_side > 0;
            seen->how |= b_side > 0 ? HT_BORDER_IN : HT_BORDER_OUT;
        }
    }
}

/* An edge that is listed in several strips is looked at in the first of them that the piece meets.
 */
static struct seen look(const struct ht_border *border, struct spot a, struct spot b)
{
    struct seen seen = {0};
    int64_t low = half_down(a.y < b.y ? a.y : b.y);
    int64_t high = half_down((a.y < b.y ? b.y : a.y) + 1);
    low = low > border->box.min.lat_e7 ? low : border->box.min.lat_e7;
    high = high < border->box.max.lat_e7 ? high : border->box.max.lat_e7;
    if (border->strip_count == 0 || low > high) {
        return seen;
    }
    size_t first = strip_at(border, low);
    size_t last = strip_at(border, high);
    for (size_t s = first; s <= last; s++) {
        for (size_t e = border->strip_first[s]; e < border->strip_first[s + 1]; e++) {
            const struct edge *edge = &border->edges[e];
            int32_t lower = edge->a.lat_e7 < edge->b.lat_e7 ? edge->a.lat_e7 : edge->b.lat_e7;
            size_t own = strip_at(border, lower);
            if (s == (own > first ? own : first)) {
                edge_see(&seen, a, b, edge);
            }
        }
    }
    return seen;
}

/* A piece that has no corner on it, but perhaps at its ends. */
static unsigned plain_cross(const struct ht_border *border, struct spot a, struct spot b,
                            const struct seen *seen)
{
    bool a_in = holds(border, a);
    bool b_in = holds(border, b);
    if (seen->along) {
        return HT_BORDER_MEETS;
    }
    if (seen->crossings > 1) { /* they take turns */
        return HT_BORDER_MEETS | HT_BORDER_IN | HT_BORDER_OUT;
    }
    bool begins_in = false;
    bool ends_in = false;
    if (seen->crossings == 1) {
        begins_in = !seen->first_in;
        ends_in = seen->first_in;
    } else {
        begins_in = holds(border, (struct spot){half_down(a.x + b.x), half_down(a.y + b.y)});
        ends_in = begins_in;
    }
    unsigned how = seen->how;
    how |= a_in && !begins_in ? HT_BORDER_OUT : 0; /* an end on the border */
    how |= b_in && !ends_in ? HT_BORDER_IN : 0;
    return how | (a_in || b_in || begins_in || ends_in ? HT_BORDER_MEETS : 0);
}

static unsigned cross(const struct ht_border *border, struct spot a, struct spot b)
{
    unsigned how = 0;
    if (same(a, b)) {
        return holds(border, a) ? HT_BORDER_MEETS : 0;
    }
    while (!same(a, b)) {
        struct seen seen = look(border, a, b);
        struct spot end = seen.cornered ? seen.corner : b;
        if (seen.cornered) {
            seen = look(border, a, end);
        }
        how |= plain_cross(border, a, end, &seen);
        a = end;
    }
    return how;
}

unsigned ht_border_cross(const struct ht_border *border, struct ht_point a, struct ht_point b)
{
    struct spot from = spot_of(a);
    struct spot to = spot_of(b);
    int64_t run = (int64_t)b.lon_e7 - a.lon_e7;
    if (run <= HT_LON_MAX_E7 && run >= -(int64_t)HT_LON_MAX_E7) {
        return cross(border, from, to);
    }
    int64_t turn = run > 0 ? -2 * TURN_E7 : 2 * TURN_E7; /* in half units */
    return cross(border, from, (struct spot){to.x + turn, to.y}) |
           cross(border, (struct spot){from.x - turn, from.y}, to);
}
