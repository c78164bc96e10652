#include "geodata/cell_index.h"

#include <stdlib.h>

#include "engine/base/areas.h"
#include "engine/base/array.h"

struct ht_cell_index {
    struct ht_areas *areas;
    double *area_m2;
};

static enum ht_status fill(struct ht_cell_index *index, const struct ht_geometry *const *geometries,
                           size_t count)
{
    struct ht_area *list = ht_array_new(count, sizeof *list);
    index->area_m2 = ht_array_new(count, sizeof *index->area_m2);
    enum ht_status status = list == NULL || index->area_m2 == NULL ? HT_NOMEM : HT_OK;
    for (size_t i = 0; status == HT_OK && i < count; i++) {
        const struct ht_geometry *g = geometries[i];
        bool solid = g->type == HT_GEOMETRY_POLYGON || g->type == HT_GEOMETRY_MULTIPOLYGON;
        list[i] = (struct ht_area){g->points, g->ring_ends, solid ? g->ring_count : 0};
        index->area_m2[i] = ht_geometry_area_m2(g);
    }
    if (status == HT_OK) {
        status = ht_areas_new(list, count, &index->areas);
    }
    free(list);
    return status;
}

enum ht_status ht_cell_index_new(const struct ht_geometry *const *geometries, size_t count,
                                 struct ht_cell_index **out)
{
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
        ht_areas_free(index->areas);
        free(index->area_m2);
        free(index);
    }
}

struct search {
    const struct ht_cell_index *index;
    uint32_t best;
    uint32_t *cells;
    size_t capacity;
    size_t count;
};

static void found(void *user, uint32_t cell)
{
    struct search *s = user;
    const double *area_m2 = s->index->area_m2;
    if (s->count < s->capacity) {
        s->cells[s->count] = cell;
    }
    s->count++;
    if (s->best == HT_CELL_NONE || area_m2[cell] < area_m2[s->best] ||
        (!(area_m2[cell] > area_m2[s->best]) && cell < s->best)) {
        s->best = cell;
    }
}

uint32_t ht_cell_index_find(const struct ht_cell_index *index, struct ht_point point)
{
    struct search s = {.index = index, .best = HT_CELL_NONE};
    ht_areas_visit(index->areas, point, found, &s);
    return s.best;
}

size_t ht_cell_index_find_all(const struct ht_cell_index *index, struct ht_point point,
                              uint32_t *cells, size_t capacity)
{
    struct search s = {.index = index, .best = HT_CELL_NONE, .cells = cells, .capacity = capacity};
    if (capacity > 0) {
        cells[0] = HT_CELL_NONE;
    }
    ht_areas_visit(index->areas, point, found, &s);
    return s.count;
}
