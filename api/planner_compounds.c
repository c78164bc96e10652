/* Which compound a door lies in: cells of kind `compound`. The registry's own answer is the grid
 * cell, which holds several of them, and a tower is not served like a court of row houses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/planner_scene_internal.h"
#include "engine/base/array.h"
#include "geodata/cell_index.h"

static enum ht_status compound_take(void *user, const struct ht_store_item *item)
{
    struct ht__compounds *compounds = user;
    void *list = compounds->list;
    enum ht_status status = ht_array_reserve(&list, &compounds->capacity, compounds->count + 1,
                                             sizeof *compounds->list);
    compounds->list = list;
    if (status != HT_OK || item->wkb_size == 0 || strlen(item->id) > HT_ORDER_ID_MAX) {
        return status;
    }
    struct ht__compound *compound = &compounds->list[compounds->count];
    (void)snprintf(compound->id, sizeof compound->id, "%s", item->id);
    ht_geometry_init(&compound->shape);
    status = ht_geometry_read_wkb(&compound->shape, item->wkb, item->wkb_size, NULL);
    if (status == HT_OK) {
        compounds->count++;
    } else {
        ht_geometry_deinit(&compound->shape);
    }
    return status;
}

enum ht_status ht__compounds_read(struct ht__making *making, struct ht_error *error)
{
    static const char name[] = "cells";
    static const struct ht_store_filter kind = {.name = "kind", .value = "compound"};
    struct ht__compounds *compounds = &making->compounds;
    struct ht_store_query query = ht_store_query_default(ht_collection_find(name, sizeof name - 1));
    query.filters = &kind;
    query.filter_count = 1;
    enum ht_status status =
        ht_store_items(making->reader, &query, compound_take, compounds, NULL, error);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers
    const struct ht_geometry **shapes = ht_array_new(compounds->count, sizeof *shapes);
    status = shapes == NULL ? HT_NOMEM : status;
    for (size_t i = 0; status == HT_OK && i < compounds->count; i++) {
        shapes[i] = &compounds->list[i].shape;
    }
    if (status == HT_OK) {
        status = ht_cell_index_new(shapes, compounds->count, &compounds->index);
    }
    free(shapes);
    return status;
}

const char *ht__compounds_find(const struct ht__making *making, struct ht_point point)
{
    const struct ht__compounds *compounds = &making->compounds;
    uint32_t found = ht_cell_index_find(compounds->index, point);
    return found == HT_CELL_NONE ? NULL : compounds->list[found].id;
}

void ht__compounds_deinit(struct ht__making *making)
{
    struct ht__compounds *compounds = &making->compounds;
    for (size_t i = 0; i < compounds->count; i++) {
        ht_geometry_deinit(&compounds->list[i].shape);
    }
    free(compounds->list);
    ht_cell_index_free(compounds->index);
}
