#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/cell_index.h"
#include "geodata/members.h"
#include "geodata/registry_internal.h"
#include "geodata/shape.h"

/* A cell as the writer needs it. */
struct ht__cell {
    char id[HT_ID_MAX + 1];
    bool grid; /* of kind grid: it goes before others */
    struct ht_geometry geometry;
};

enum { COVERS_MOST = 64 }; /* cells over one place that are looked at */

static const struct ht_collection *named(const char *name)
{
    return ht_collection_find(name, strlen(name));
}

static enum ht_status out_of_memory(struct ht_error *error)
{
    return ht_error_set(error, HT_NOMEM, 0, NULL);
}

/* The index is read again when it is needed next. */
static void index_drop(struct ht__cells *cells)
{
    ht_cell_index_free(cells->index);
    cells->index = NULL;
    for (size_t i = 0; i < cells->count; i++) {
        ht_geometry_deinit(&cells->list[i].geometry);
    }
    cells->count = 0;
}

void ht__cells_deinit(struct ht__cells *cells)
{
    index_drop(cells);
    free(cells->list);
    ht_shape_work_free(cells->work);
    ht_geometry_deinit(&cells->repaired);
}

void ht__cells_forget(struct ht__cells *cells)
{
    index_drop(cells);
    cells->any_touched = false;
}

static bool is_polygon(enum ht_geometry_type type)
{
    return type == HT_GEOMETRY_POLYGON || type == HT_GEOMETRY_MULTIPOLYGON;
}

enum ht_status ht__cells_sound(struct ht__cells *cells, const struct ht_registry_change *change,
                               const struct ht_feature *feature,
                               const struct ht_geometry **geometry, bool *repaired,
                               struct ht_error *error)
{
    struct ht_error why = {0};
    *geometry = &feature->geometry;
    *repaired = false;
    if (!is_polygon(feature->geometry.type)) {
        return HT_OK;
    }
    if (cells->work == NULL && ht_shape_work_new(&cells->work) != HT_OK) {
        return out_of_memory(error);
    }
    enum ht_status status = ht_shape_check(cells->work, &feature->geometry, NULL, &why);
    if (status == HT_INVALID && change->repair) {
        status = ht_shape_repair(cells->work, &feature->geometry, &cells->repaired, &why);
        *repaired = status == HT_OK;
        *geometry = &cells->repaired;
    }
    return status == HT_OK ? HT_OK
                           : ht_error_set(error, status, feature->line, "%s/%s: %.160s",
                                          change->collection->name, feature->id, why.message);
}

/* ---- the cells of the transaction ---- */

static enum ht_status cell_add(void *user, const struct ht_store_item *item)
{
    struct ht__cells *cells = user;
    struct ht_member kind;
    char text[32] = "";
    void *list = cells->list;
    enum ht_status status =
        ht_array_reserve(&list, &cells->capacity, cells->count + 1, sizeof *cells->list);
    cells->list = list;
    if (status != HT_OK || item->wkb_size == 0) {
        return status;
    }
    struct ht__cell *cell = &cells->list[cells->count];
    memset(cell, 0, sizeof *cell);
    ht_geometry_init(&cell->geometry);
    (void)snprintf(cell->id, sizeof cell->id, "%s", item->id);
    bool known =
        ht_member_find(item->properties, "kind", &kind) && ht_member_text(&kind, text, sizeof text);
    cell->grid = !known || strcmp(text, "grid") == 0;
    status = ht_geometry_read_wkb(&cell->geometry, item->wkb, item->wkb_size, NULL);
    if (status == HT_OK) {
        cells->count++;
    } else {
        ht_geometry_deinit(&cell->geometry);
    }
    return status;
}

static int by_id(const void *left, const void *right)
{
    return strcmp(((const struct ht__cell *)left)->id, ((const struct ht__cell *)right)->id);
}

/* `box` NULL: all cells. */
static enum ht_status index_read(struct ht__cells *cells, struct ht_store_reader *reader,
                                 const struct ht_box *box, struct ht_error *error)
{
    struct ht_store_query query = ht_store_query_default(named("cells"));
    query.box = box;
    enum ht_status status = ht_store_items(reader, &query, cell_add, cells, NULL, error);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): a list of pointers
    const struct ht_geometry **shapes = ht_array_new(cells->count, sizeof *shapes);
    if (shapes == NULL) {
        index_drop(cells);
        return out_of_memory(error);
    }
    if (status == HT_OK) {
        if (cells->count > 0) {
            qsort(cells->list, cells->count, sizeof *cells->list, by_id);
        }
        for (size_t i = 0; i < cells->count; i++) {
            shapes[i] = &cells->list[i].geometry;
        }
        status = ht_cell_index_new(shapes, cells->count, &cells->index);
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    free(shapes);
    if (status != HT_OK) {
        index_drop(cells);
    }
    return status;
}

/* The smallest grid cell over the point, else the smallest of another kind. */
static const struct ht__cell *covering(const struct ht__cells *cells, struct ht_point point)
{
    uint32_t covers[COVERS_MOST];
    uint32_t smallest = ht_cell_index_find(cells->index, point);
    if (smallest == HT_CELL_NONE || cells->list[smallest].grid) {
        return smallest == HT_CELL_NONE ? NULL : &cells->list[smallest];
    }
    size_t count = ht_cell_index_find_all(cells->index, point, covers, COVERS_MOST);
    const struct ht__cell *grid = NULL;
    for (size_t i = 0; i < count && i < COVERS_MOST; i++) {
        const struct ht__cell *cell = &cells->list[covers[i]];
        /* the list is sorted by id: of several grids the first id */
        grid = cell->grid && (grid == NULL || cell < grid) ? cell : grid;
    }
    return grid == NULL ? &cells->list[smallest] : grid;
}

enum ht_status ht__cells_find(struct ht__cells *cells, struct ht_store_tx *tx,
                              struct ht_point point, char cell[HT_ID_MAX + 1],
                              struct ht_error *error)
{
    cell[0] = '\0';
    if (cells->others != ht_store_tx_others(tx)) {
        index_drop(cells); /* they may be others' */
        cells->others = ht_store_tx_others(tx);
    }
    if (cells->index == NULL) {
        enum ht_status status = index_read(cells, ht_store_tx_reader(tx), NULL, error);
        if (status != HT_OK) {
            return status;
        }
    }
    const struct ht__cell *found = covering(cells, point);
    if (found != NULL) {
        memcpy(cell, found->id, sizeof found->id);
    }
    return HT_OK;
}

enum ht_status ht_registry_cell_at(struct ht_store_reader *reader, struct ht_point point,
                                   char cell[HT_ID_MAX + 1], struct ht_error *error)
{
    const struct ht_box here = {point, point};
    struct ht__cells cells = {0};
    cell[0] = '\0';
    enum ht_status status = index_read(&cells, reader, &here, error);
    const struct ht__cell *found = status == HT_OK ? covering(&cells, point) : NULL;
    if (found != NULL) {
        memcpy(cell, found->id, sizeof found->id);
    }
    ht__cells_deinit(&cells);
    return status;
}

/* ---- cells that change ---- */

static void touch(struct ht__cells *cells, struct ht_box box)
{
    if (!cells->any_touched) {
        cells->touched = ht_box_empty();
        cells->any_touched = true;
    }
    cells->touched = ht_box_grow(ht_box_grow(cells->touched, box.min), box.max);
}

static enum ht_status touch_old(void *user, const struct ht_store_item *item)
{
    struct ht__cells *cells = user;
    struct ht_geometry geometry;
    ht_geometry_init(&geometry);
    enum ht_status status = item->wkb_size == 0
                                ? HT_OK
                                : ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL);
    if (status == HT_OK && geometry.type != HT_GEOMETRY_NONE) {
        touch(cells, geometry.box);
    }
    ht_geometry_deinit(&geometry);
    return status;
}

enum ht_status ht__cells_touch(struct ht__cells *cells, struct ht_store_tx *tx, const char *id,
                               const struct ht_geometry *now, struct ht_error *error)
{
    enum ht_status status =
        ht_store_item(ht_store_tx_reader(tx), named("cells"), id, false, touch_old, cells, NULL);
    index_drop(cells);
    if (now != NULL && now->type != HT_GEOMETRY_NONE) {
        touch(cells, now->box);
    }
    return status == HT_OK || status == HT_NOT_FOUND ? HT_OK : ht_error_set(error, status, 0, NULL);
}

/* Households whose cell is another now; collected first, since a reader must not write. */
struct moved {
    struct ht__cells *cells;
    struct ht_store_tx *tx;
    struct {
        char id[HT_ID_MAX + 1];
        char cell[HT_ID_MAX + 1];
    } * list;
    size_t count;
    size_t capacity;
};

static enum ht_status look_again(void *user, const struct ht_store_item *item)
{
    struct moved *moved = user;
    struct ht_member named_cell;
    struct ht_point point;
    char cell[HT_ID_MAX + 1];
    double pair[2];
    if (item->wkb_size != 21 || ht_member_find(item->properties, "cell", &named_cell)) {
        return HT_OK;
    }
    memcpy(pair, (const char *)item->wkb + 5, sizeof pair);
    point.lon_e7 = (int32_t)(pair[0] * 1e7 + (pair[0] < 0 ? -0.5 : 0.5));
    point.lat_e7 = (int32_t)(pair[1] * 1e7 + (pair[1] < 0 ? -0.5 : 0.5));
    enum ht_status status = ht__cells_find(moved->cells, moved->tx, point, cell, NULL);
    if (status != HT_OK || strcmp(cell, item->cell == NULL ? "" : item->cell) == 0) {
        return status;
    }
    void *list = moved->list;
    status = ht_array_reserve(&list, &moved->capacity, moved->count + 1, sizeof *moved->list);
    moved->list = list;
    if (status == HT_OK) {
        (void)snprintf(moved->list[moved->count].id, HT_ID_MAX + 1, "%s", item->id);
        memcpy(moved->list[moved->count++].cell, cell, sizeof cell);
    }
    return status;
}

enum ht_status ht__cells_settle(struct ht__cells *cells, struct ht_store_tx *tx,
                                struct ht_error *error)
{
    if (!cells->any_touched) {
        return HT_OK;
    }
    char none[HT_ID_MAX + 1];
    struct moved moved = {.cells = cells, .tx = tx};
    struct ht_store_query query = ht_store_query_default(named("households"));
    query.box = &cells->touched;
    cells->any_touched = false;
    /* the index is read before the question: both use the same connection */
    enum ht_status status = ht__cells_find(cells, tx, cells->touched.min, none, error);
    if (status == HT_OK) {
        status = ht_store_items(ht_store_tx_reader(tx), &query, look_again, &moved, NULL, error);
    }
    for (size_t i = 0; status == HT_OK && i < moved.count; i++) {
        const char *cell = moved.list[i].cell;
        status = ht_store_item_set_cell(tx, query.collection, moved.list[i].id,
                                        cell[0] == '\0' ? NULL : cell, error);
    }
    free(moved.list);
    return status;
}
