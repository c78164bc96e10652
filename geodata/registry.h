/* Registry: from features to the store.
 *
 * A feature that was read (geodata/feature.h) becomes an item: what is personal is split off, a
 * household gets the cell it lies in, and an event tells of the change without its content. When
 * cells change, the households that lie in or lay in them are looked at anew.
 *
 * Of cells that cover a place, one of kind `grid` goes before others, then the smallest, then the
 * first id; a household that names its cell keeps it.
 *
 * Threading: a registry belongs to the thread that writes. Ownership: the store is borrowed.
 */
#ifndef HT_GEODATA_REGISTRY_H
#define HT_GEODATA_REGISTRY_H

#include "geodata/feature.h"
#include "geodata/store.h"

struct ht_registry;

HT_MUST_CHECK enum ht_status ht_registry_new(struct ht_registry **out);
void ht_registry_free(struct ht_registry *registry);

/* Who changes what, and how. */
struct ht_registry_change {
    const struct ht_collection *collection;
    enum ht_store_put how;
    uint64_t expected; /* version; 0: any */
    bool repair;       /* polygons that cross themselves are mended, not refused */
    bool quiet;        /* no event for each item: ht_registry_loaded tells of all */
    const char *actor;
    int64_t at_ms;
};

struct ht_registry_result {
    struct ht_store_written written;
    bool repaired;
};

/* Puts an item. Errors: HT_INVALID with the place where a polygon crosses itself, and those of
 * ht_store_item_put. After any error the transaction must be taken back to where it stood. */
HT_MUST_CHECK enum ht_status ht_registry_put(struct ht_registry *registry, struct ht_store_tx *tx,
                                             const struct ht_registry_change *change,
                                             const struct ht_feature *feature,
                                             struct ht_registry_result *out,
                                             struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_registry_delete(struct ht_registry *registry,
                                                struct ht_store_tx *tx,
                                                const struct ht_registry_change *change,
                                                const char *id, struct ht_error *error);
/* Empties what is personal of an item. */
HT_MUST_CHECK enum ht_status ht_registry_erase(struct ht_registry *registry, struct ht_store_tx *tx,
                                               const struct ht_registry_change *change,
                                               const char *id, struct ht_error *error);

/* The actor of loads by other processes than a server: one that stands beside them reads what they
 * loaded (api/loads.h). */
#define HT_REGISTRY_LOADER "load"

/* Ends a load: its one event. `sha256`: of what was loaded. */
HT_MUST_CHECK enum ht_status ht_registry_loaded(struct ht_registry *registry,
                                                struct ht_store_tx *tx,
                                                const struct ht_registry_change *change,
                                                const char *sha256, uint64_t count,
                                                struct ht_error *error);

/* The cell that a place lies in, as the reader sees it; "" none. Reads the cells around it: some
 * tenths of a millisecond. For any thread with a reader of its own. */
HT_MUST_CHECK enum ht_status ht_registry_cell_at(struct ht_store_reader *reader,
                                                 struct ht_point point, char cell[HT_ID_MAX + 1],
                                                 struct ht_error *error);

/* To be called after the last change of a command: households whose cell moved are told. */
HT_MUST_CHECK enum ht_status ht_registry_settle(struct ht_registry *registry,
                                                struct ht_store_tx *tx, struct ht_error *error);
/* What was not committed is forgotten: to be called after a transaction was rolled back, in whole
 * or to a mark. */
void ht_registry_forget(struct ht_registry *registry);

#endif
