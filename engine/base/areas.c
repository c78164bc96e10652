#include "engine/base/areas.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

#define FANOUT 8
#define STRIPS_MAX 1024
#define STACK_MAX (FANOUT * 12) /* 8^11 passes 2^31 */

struct edge {
    struct ht_point low; /* of the lower latitude */
    struct ht_point high;
};

struct area {
    struct ht_box box;
    uint32_t number;
    uint32_t strip_count;
    int64_t strip_e7; /* the height of each */
    uint64_t strips;  /* among `strip_first`: strip_count + 1 of them */
};

struct ht_areas {
    struct area *areas; /* in the order of the tree's leaves */
    size_t area_count;
    struct ht_box *nodes; /* level by level, leaves' parents first, the root last */
    size_t level_first[16];
    size_t level_count;
    uint64_t *strip_first; /* into `edges` */
    size_t strip_size;
    size_t strip_capacity;
    struct edge *edges;
    size_t edge_size;
    size_t edge_capacity;
};

/* --- strips ----------------------------------------------------------------------------------- */

static struct edge edge_of(const struct ht_point *points)
{
    bool up = points[0].lat_e7 <= points[1].lat_e7;
    return (struct edge){points[up ? 0 : 1], points[up ? 1 : 0]};
}

static size_t strip_at(const struct area *area, int32_t lat_e7)
{
    return (size_t)(((int64_t)lat_e7 - area->box.min.lat_e7) / area->strip_e7);
}

static void set_strips(struct area *area, size_t count)
{
    int64_t height = (int64_t)area->box.max.lat_e7 - area->box.min.lat_e7 + 1;
    area->strip_e7 = (height + (int64_t)count - 1) / (int64_t)count;
    area->strip_count = (uint32_t)((height + area->strip_e7 - 1) / area->strip_e7);
}

/* Calls for each edge: with `fill` NULL counts into `counts` (one for each strip), else puts it
 * there. Returns the sum. */
static size_t each_edge(const struct ht_area *given, const struct area *area, uint64_t *counts,
                        struct edge *fill)
{
    size_t sum = 0;
    size_t point = 0;
    for (size_t r = 0; r < given->ring_count; r++) {
        for (; point + 1 < given->ring_ends[r]; point++) {
            struct edge edge = edge_of(given->points + point);
            size_t last = strip_at(area, edge.high.lat_e7);
            for (size_t s = strip_at(area, edge.low.lat_e7); s <= last; s++) {
                if (fill != NULL) {
                    fill[counts[s]++] = edge;
                } else if (counts != NULL) {
                    counts[s]++;
                }
                sum++;
            }
        }
        point = given->ring_ends[r];
    }
    return sum;
}

/* Strips for about four edges each, fewer where long edges would lie in too many. */
static void choose_strips(const struct ht_area *given, struct area *area)
{
    size_t points = given->ring_ends[given->ring_count - 1];
    size_t count = points / 4;
    count = count < 1 ? 1 : count > STRIPS_MAX ? STRIPS_MAX : count;
    set_strips(area, count);
    while (count > 1 && each_edge(given, area, NULL, NULL) > 8 * points) {
        count /= 2;
        set_strips(area, count);
    }
}

static enum ht_status add_strips(struct ht_areas *index, const struct ht_area *given,
                                 struct area *area)
{
    choose_strips(given, area);
    size_t sum = each_edge(given, area, NULL, NULL);
    void *data = index->edges;
    enum ht_status status = ht_array_reserve(&data, &index->edge_capacity, index->edge_size + sum,
                                             sizeof *index->edges);
    index->edges = data;
    if (status == HT_OK) {
        data = index->strip_first;
        status =
            ht_array_reserve(&data, &index->strip_capacity,
                             index->strip_size + area->strip_count + 1, sizeof *index->strip_first);
        index->strip_first = data;
    }
    if (status != HT_OK) {
        return status;
    }
    /* Counts one place up, their sums, and each sum is where its strip is filled from. */
    uint64_t *first = index->strip_first + index->strip_size;
    memset(first, 0, (area->strip_count + 1) * sizeof *first);
    (void)each_edge(given, area, first, NULL);
    uint64_t at = index->edge_size;
    for (size_t s = 0; s <= area->strip_count; s++) {
        uint64_t count = first[s];
        first[s] = at;
        at += count;
    }
    (void)each_edge(given, area, first, index->edges);
    memmove(first + 1, first, area->strip_count * sizeof *first); /* ends are the next's begins */
    first[0] = index->edge_size;
    area->strips = index->strip_size;
    index->strip_size += area->strip_count + 1;
    index->edge_size += sum;
    return HT_OK;
}

/* --- the tree --------------------------------------------------------------------------------- */

static int64_t middle_lon(const struct area *area)
{
    return (int64_t)area->box.min.lon_e7 + area->box.max.lon_e7;
}

static int64_t middle_lat(const struct area *area)
{
    return (int64_t)area->box.min.lat_e7 + area->box.max.lat_e7;
}

static int by_lon(const void *a, const void *b)
{
    int64_t x = middle_lon(a);
    int64_t y = middle_lon(b);
    return x < y ? -1 : x > y;
}

static int by_lat(const void *a, const void *b)
{
    int64_t x = middle_lat(a);
    int64_t y = middle_lat(b);
    return x < y ? -1 : x > y;
}

/* Sort-tile-recursive (Leutenegger, Lopez, Edgington 1997): slices by longitude, each sorted by
 * latitude. */
static void sort_areas(struct area *areas, size_t count)
{
    size_t leaves = (count + FANOUT - 1) / FANOUT;
    size_t slices = 1;
    while (slices * slices < leaves) {
        slices++;
    }
    size_t slice = (leaves + slices - 1) / slices * FANOUT;
    if (count > 1) {
        qsort(areas, count, sizeof *areas, by_lon);
    }
    for (size_t at = 0; at < count; at += slice) {
        size_t size = count - at < slice ? count - at : slice;
        qsort(areas + at, size, sizeof *areas, by_lat);
    }
}

static struct ht_box join(struct ht_box a, struct ht_box b)
{
    return ht_box_grow(ht_box_grow(a, b.min), b.max);
}

static enum ht_status build_nodes(struct ht_areas *index)
{
    size_t total = 0;
    size_t below = index->area_count;
    do {
        below = (below + FANOUT - 1) / FANOUT;
        index->level_first[index->level_count++] = total;
        total += below;
    } while (below > 1);
    index->level_first[index->level_count] = total;
    index->nodes = ht_array_new(total, sizeof *index->nodes);
    if (index->nodes == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < total; i++) {
        index->nodes[i] = ht_box_empty();
    }
    for (size_t i = 0; i < index->area_count; i++) {
        index->nodes[i / FANOUT] = join(index->nodes[i / FANOUT], index->areas[i].box);
    }
    for (size_t level = 1; level < index->level_count; level++) {
        size_t from = index->level_first[level - 1];
        for (size_t i = from; i < index->level_first[level]; i++) {
            size_t parent = index->level_first[level] + (i - from) / FANOUT;
            index->nodes[parent] = join(index->nodes[parent], index->nodes[i]);
        }
    }
    return HT_OK;
}

/* --- the doors -------------------------------------------------------------------------------- */

static struct ht_box box_of(const struct ht_area *given)
{
    struct ht_box box = ht_box_empty();
    size_t count = given->ring_count == 0 ? 0 : given->ring_ends[given->ring_count - 1];
    for (size_t i = 0; i < count; i++) {
        box = ht_box_grow(box, given->points[i]);
    }
    return box;
}

static enum ht_status fill(struct ht_areas *index, const struct ht_area *list, size_t count)
{
    index->areas = ht_array_new(count, sizeof *index->areas);
    if (index->areas == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct area *area = &index->areas[index->area_count];
        if (list[i].ring_count == 0) {
            continue;
        }
        *area = (struct area){.box = box_of(&list[i]), .number = (uint32_t)i};
        enum ht_status status = add_strips(index, &list[i], area);
        if (status != HT_OK) {
            return status;
        }
        index->area_count++;
    }
    sort_areas(index->areas, index->area_count);
    return build_nodes(index);
}

enum ht_status ht_areas_new(const struct ht_area *list, size_t count, struct ht_areas **out)
{
    if (count > INT32_MAX) {
        return HT_TOO_BIG;
    }
    struct ht_areas *index = calloc(1, sizeof *index);
    if (index == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = fill(index, list, count);
    if (status != HT_OK) {
        ht_areas_free(index);
        return status;
    }
    *out = index;
    return HT_OK;
}

void ht_areas_free(struct ht_areas *areas)
{
    if (areas != NULL) {
        free(areas->areas);
        free(areas->nodes);
        free(areas->strip_first);
        free(areas->edges);
        free(areas);
    }
}

/* As ht_box_contains, where it is asked most. */
static inline bool box_holds(const struct ht_box *box, struct ht_point p)
{
    return p.lon_e7 >= box->min.lon_e7 && p.lon_e7 <= box->max.lon_e7 &&
           p.lat_e7 >= box->min.lat_e7 && p.lat_e7 <= box->max.lat_e7;
}

/* Where the point lies as seen along the edge, which spans its latitude: -1 to the west, 0 on it, 1
 * to the east. Products stay below 2^63: 3.6e9 degrees_e7 wide, 1.8e9 high. */
static int side_of(const struct edge *edge, struct ht_point p)
{
    int64_t run = (int64_t)edge->high.lon_e7 - edge->low.lon_e7;
    int64_t rise = (int64_t)edge->high.lat_e7 - edge->low.lat_e7;
    int64_t along = run * ((int64_t)p.lat_e7 - edge->low.lat_e7);
    int64_t across = rise * ((int64_t)p.lon_e7 - edge->low.lon_e7);
    return across < along ? -1 : across > along;
}

static bool on_flat_edge(const struct edge *edge, struct ht_point p)
{
    int32_t a = edge->low.lon_e7;
    int32_t b = edge->high.lon_e7;
    return p.lon_e7 >= (a < b ? a : b) && p.lon_e7 <= (a < b ? b : a);
}

static bool area_holds(const struct ht_areas *index, const struct area *area, struct ht_point p)
{
    if (!box_holds(&area->box, p)) {
        return false;
    }
    const uint64_t *strip = index->strip_first + area->strips + strip_at(area, p.lat_e7);
    bool within = false;
    for (uint64_t e = strip[0]; e < strip[1]; e++) {
        const struct edge *edge = &index->edges[e];
        if (p.lat_e7 < edge->low.lat_e7 || p.lat_e7 > edge->high.lat_e7) {
            continue;
        }
        if (edge->low.lat_e7 == edge->high.lat_e7) {
            if (on_flat_edge(edge, p)) {
                return true;
            }
            continue;
        }
        int side = side_of(edge, p);
        if (side == 0) {
            return true;
        }
        /* An edge owns its lower end only, so that a ray through a corner counts once or twice. */
        if (side < 0 && p.lat_e7 < edge->high.lat_e7) {
            within = !within;
        }
    }
    return within;
}

static void leaf_visit(const struct ht_areas *index, size_t node, struct ht_point point,
                       ht_areas_visitor *visitor, void *user)
{
    size_t end = (node + 1) * FANOUT < index->area_count ? (node + 1) * FANOUT : index->area_count;
    for (size_t i = node * FANOUT; i < end; i++) {
        if (area_holds(index, &index->areas[i], point)) {
            visitor(user, index->areas[i].number);
        }
    }
}

void ht_areas_visit(const struct ht_areas *index, struct ht_point point, ht_areas_visitor *visitor,
                    void *user)
{
    struct {
        size_t level;
        size_t node;
    } stack[STACK_MAX];
    size_t depth = 0;
    if (index->area_count > 0) {
        stack[depth].level = index->level_count - 1;
        stack[depth++].node = 0;
    }
    while (depth > 0) {
        depth--;
        size_t level = stack[depth].level;
        size_t node = stack[depth].node;
        if (level == 0) {
            leaf_visit(index, node, point, visitor, user);
            continue;
        }
        const struct ht_box *below = index->nodes + index->level_first[level - 1];
        size_t count = index->level_first[level] - index->level_first[level - 1];
        size_t end = (node + 1) * FANOUT < count ? (node + 1) * FANOUT : count;
        for (size_t i = node * FANOUT; i < end; i++) {
            if (box_holds(&below[i], point)) {
                stack[depth].level = level - 1;
                stack[depth++].node = i;
            }
        }
    }
}
