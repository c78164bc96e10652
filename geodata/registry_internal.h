/* What is behind registry.h: the cells of the town as the writer knows them. Not a door. */
#ifndef HT_GEODATA_REGISTRY_INTERNAL_H
#define HT_GEODATA_REGISTRY_INTERNAL_H

#include "geodata/registry.h"

struct ht_cell_index;
struct ht_shape_work;
struct ht__cell;

/* Cells, read from the transaction when first needed, and where they changed since. */
struct ht__cells {
    struct ht_shape_work *work;
    struct ht_cell_index *index; /* NULL: to be read */
    struct ht__cell *list;       /* as the index numbers them */
    size_t count;
    size_t capacity;
    int64_t others;              /* as ht_store_tx_others when they were read */
    struct ht_geometry repaired; /* the last polygon that was mended */
    struct ht_box touched;       /* where households have to be looked at */
    bool any_touched;
};

struct ht_registry {
    struct ht__cells cells;
    struct ht_text wkb;
    struct ht_text open;
    struct ht_text personal;
    struct ht_text body;
};

void ht__cells_deinit(struct ht__cells *cells);
void ht__cells_forget(struct ht__cells *cells);

/* Is the feature's polygon one that may be stored? `*geometry` is what to store: the feature's, or
 * the mended one. */
HT_MUST_CHECK enum ht_status ht__cells_sound(struct ht__cells *cells,
                                             const struct ht_registry_change *change,
                                             const struct ht_feature *feature,
                                             const struct ht_geometry **geometry, bool *repaired,
                                             struct ht_error *error);

/* The cell `id` is about to become `now` (NULL: to go). */
HT_MUST_CHECK enum ht_status ht__cells_touch(struct ht__cells *cells, struct ht_store_tx *tx,
                                             const char *id, const struct ht_geometry *now,
                                             struct ht_error *error);

/* The cell that a place lies in; "" none. */
HT_MUST_CHECK enum ht_status ht__cells_find(struct ht__cells *cells, struct ht_store_tx *tx,
                                            struct ht_point point, char cell[HT_ID_MAX + 1],
                                            struct ht_error *error);

/* Looks at the households anew where cells changed. */
HT_MUST_CHECK enum ht_status ht__cells_settle(struct ht__cells *cells, struct ht_store_tx *tx,
                                              struct ht_error *error);

#endif
