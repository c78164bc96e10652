#include "geodata/cell_index.h"

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

struct cell {
    struct ht_box box;
    double area_m2;
    uint32_t number;
    uint32_t strip_count;
    int64_t strip_e7; /* the height of each */
    uint64_t strips;  /* among `strip_first`: strip_count + 1 of them */
};

struct ht_cell_index {
    struct cell *cells; /* in the order of the tree's leaves */
    size_t cell_count;
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

static size_t strip_at(const struct cell *cell, int32_t lat_e7)
{
    return (size_t)(((int64_t)lat_e7 - cell->box.min.lat_e7) / cell->strip_e7);
}

static void set_strips(struct cell *cell, size_t count)
{
    int64_t height = (int64_t)cell->box.max.lat_e7 - cell->box.min.lat_e7 + 1;
    cell->strip_e7 = (height + (int64_t)count - 1) / (int64_t)count;
    cell->strip_count = (uint32_t)((height + cell->strip_e7 - 1) / cell->strip_e7);
}

/* Calls for each edge: with `fill` NULL counts into `counts` (one for each strip), else puts it
 * there. Returns the sum. */
static size_t each_edge(const struct ht_geometry *g, const struct cell *cell, uint64_t *counts,
                        struct edge *fill)
{
    size_t sum = 0;
    size_t point = 0;
    for (size_t r = 0; r < g->ring_count; r++) {
        for (; point + 1 < g->ring_ends[r]; point++) {
            struct edge edge = edge_of(g->points + point);
            size_t last = strip_at(cell, edge.high.lat_e7);
            for (size_t s = strip_at(cell, edge.low.lat_e7); s <= last; s++) {
                if (fill != NULL) {
                    fill[counts[s]++] = edge;
                } else if (counts != NULL) {
                    counts[s]++;
                }
                sum++;
            }
        }
        point = g->ring_ends[r];
    }
    return sum;
}

/* Strips for about four edges each, fewer where long edges would lie in too many. */
static void choose_strips(const struct ht_geometry *g, struct cell *cell)
{
    size_t count = g->point_count / 4;
    count = count < 1 ? 1 : count > STRIPS_MAX ? STRIPS_MAX : count;
    set_strips(cell, count);
    while (count > 1 && each_edge(g, cell, NULL, NULL) > 8 * g->point_count) {
        count /= 2;
        set_strips(cell, count);
    }
}

static enum ht_status add_strips(struct ht_cell_index *index, const struct ht_geometry *g,
                                 struct cell *cell)
{
    choose_strips(g, cell);
    size_t sum = each_edge(g, cell, NULL, NULL);
    void *data = index->edges;
    enum ht_status status = ht_array_reserve(&data, &index->edge_capacity, index->edge_size + sum,
                                             sizeof *index->edges);
    index->edges = data;
    if (status == HT_OK) {
        data = index->strip_first;
        status =
            ht_array_reserve(&data, &index->strip_capacity,
                             index->strip_size + cell->strip_count + 1, sizeof *index->strip_first);
        index->strip_first = data;
    }
    if (status != HT_OK) {
        return status;
    }
    /* Counts one place up, their sums, and each sum is where its strip is filled from. */
    uint64_t *first = index->strip_first + index->strip_size;
    memset(first, 0, (cell->strip_count + 1) * sizeof *first);
    (void)each_edge(g, cell, first, NULL);
    uint64_t at = index->edge_size;
    for (size_t s = 0; s <= cell->strip_count; s++) {
        uint64_t count = first[s];
        first[s] = at;
        at += count;
    }
    (void)each_edge(g, cell, first, index->edges);
    memmove(first + 1, first, cell->strip_count * sizeof *first); /* ends are the next's begins */
    first[0] = index->edge_size;
    cell->strips = index->strip_size;
    index->strip_size += cell->strip_count + 1;
    index->edge_size += sum;
    return HT_OK;
}

/* --- the tree --------------------------------------------------------------------------------- */

static int64_t middle_lon(const struct cell *cell)
{
    return (int64_t)cell->box.min.lon_e7 + cell->box.max.lon_e7;
}

static int64_t middle_lat(const struct cell *cell)
{
    return (int64_t)cell->box.min.lat_e7 + cell->box.max.lat_e7;
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
static void sort_cells(struct cell *cells, size_t count)
{
    size_t leaves = (count + FANOUT - 1) / FANOUT;
    size_t slices = 1;
    while (slices * slices < leaves) {
        slices++;
    }
    size_t slice = (leaves + slices - 1) / slices * FANOUT;
    if (count > 1) {
        qsort(cells, count, sizeof *cells, by_lon);
    }
    for (size_t at = 0; at < count; at += slice) {
        size_t size = count - at < slice ? count - at : slice;
        qsort(cells + at, size, sizeof *cells, by_lat);
    }
}

static struct ht_box join(struct ht_box a, struct ht_box b)
{
    return ht_box_grow(ht_box_grow(a, b.min), b.max);
}

static enum ht_status build_nodes(struct ht_cell_index *index)
{
    size_t total = 0;
    size_t below = index->cell_count;
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
    for (size_t i = 0; i < index->cell_count; i++) {
        index->nodes[i / FANOUT] = join(index->nodes[i / FANOUT], index->cells[i].box);
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

static enum ht_status fill(struct ht_cell_index *index, const struct ht_geometry *const *geometries,
                           size_t count)
{
    index->cells = ht_array_new(count, sizeof *index->cells);
    if (index->cells == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct ht_geometry *g = geometries[i];
        if (g->type != HT_GEOMETRY_POLYGON && g->type != HT_GEOMETRY_MULTIPOLYGON) {
            continue;
        }
        struct cell *cell = &index->cells[index->cell_count];
        *cell =
            (struct cell){.box = g->box, .area_m2 = ht_geometry_area_m2(g), .number = (uint32_t)i};
        enum ht_status status = add_strips(index, g, cell);
        if (status != HT_OK) {
            return status;
        }
        index->cell_count++;
    }
    sort_cells(index->cells, index->cell_count);
    return build_nodes(index);
}

enum ht_status ht_cell_index_new(const struct ht_geometry *const *geometries, size_t count,
                                 struct ht_cell_index **out)
{
    if (count > INT32_MAX) {
        return HT_TOO_BIG;
    }
    struct ht_cell_index *index = calloc(1, sizeof *index);
    if (index == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = fill(index, geometries, count);
    if (status != HT_OK) {
        ht_cell_index_free(index);
        return status;
    }
    *out = index;
    return HT_OK;
}

void ht_cell_index_free(struct ht_cell_index *index)
{
    if (index != NULL) {
        free(index->cells);
        free(index->nodes);
        free(index->strip_first);
        free(index->edges);
        free(index);
    }
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

static bool cell_holds(const struct ht_cell_index *index, const struct cell *cell,
                       struct ht_point p)
{
    if (!ht_box_contains(cell->box, p)) {
        return false;
    }
    const uint64_t *strip = index->strip_first + cell->strips + strip_at(cell, p.lat_e7);
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

struct search {
    const struct ht_cell_index *index;
    struct ht_point point;
    const struct cell *best;
    uint32_t *cells;
    size_t capacity;
    size_t count;
};

static void found(struct search *s, const struct cell *cell)
{
    if (s->count < s->capacity) {
        s->cells[s->count] = cell->number;
    }
    s->count++;
    if (s->best == NULL || cell->area_m2 < s->best->area_m2 ||
        (!(cell->area_m2 > s->best->area_m2) && cell->number < s->best->number)) {
        s->best = cell;
    }
}

static void search_tree(struct search *s)
{
    const struct ht_cell_index *index = s->index;
    struct {
        size_t level;
        size_t node;
    } stack[STACK_MAX];
    size_t depth = 0;
    stack[depth].level = index->level_count - 1;
    stack[depth++].node = 0;
    while (depth > 0 && index->cell_count > 0) {
        depth--;
        size_t level = stack[depth].level;
        size_t node = stack[depth].node;
        if (!ht_box_contains(index->nodes[index->level_first[level] + node], s->point)) {
            continue;
        }
        size_t below = level > 0 ? index->level_first[level] - index->level_first[level - 1]
                                 : index->cell_count;
        size_t end = (node + 1) * FANOUT < below ? (node + 1) * FANOUT : below;
        for (size_t i = node * FANOUT; i < end; i++) {
            if (level == 0) {
                if (cell_holds(index, &index->cells[i], s->point)) {
                    found(s, &index->cells[i]);
                }
            } else {
                stack[depth].level = level - 1;
                stack[depth++].node = i;
            }
        }
    }
}

uint32_t ht_cell_index_find(const struct ht_cell_index *index, struct ht_point point)
{
    struct search s = {.index = index, .point = point};
    search_tree(&s);
    return s.best == NULL ? HT_CELL_NONE : s.best->number;
}

size_t ht_cell_index_find_all(const struct ht_cell_index *index, struct ht_point point,
                              uint32_t *cells, size_t capacity)
{
    struct search s = {.index = index, .point = point, .cells = cells, .capacity = capacity};
    if (capacity > 0) {
        cells[0] = HT_CELL_NONE;
    }
    search_tree(&s);
    return s.count;
}
