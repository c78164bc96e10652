/* Cell index: which of many polygons holds a point.
 *
 * engine/base/areas.h finds them, exactly, borders belonging to both sides; here the smallest one
 * is chosen.
 *
 * Threading: immutable once made; any number of threads may ask. Ownership: it copies what it
 * needs.
 */
#ifndef HT_GEODATA_CELL_INDEX_H
#define HT_GEODATA_CELL_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"
#include "geodata/geometry.h"

struct ht_cell_index;

#define HT_CELL_NONE UINT32_MAX

/* Geometries are known by their number in the list; those that are no polygons hold nothing.
 * Polygons should be valid (geodata/shape.h); what several rings cover counts by evenness.
 * HT_NOMEM; HT_TOO_BIG: more than 2^31 edges or 2^31 cells. Cost: n log n. */
HT_MUST_CHECK enum ht_status ht_cell_index_new(const struct ht_geometry *const *geometries,
                                               size_t count, struct ht_cell_index **out);
void ht_cell_index_free(struct ht_cell_index *index);

/* The one with the smallest area that holds the point (of equals the first), or HT_CELL_NONE. */
uint32_t ht_cell_index_find(const struct ht_cell_index *index, struct ht_point point);

/* All that hold it, in no order: writes at most `capacity` numbers, returns how many there are. */
size_t ht_cell_index_find_all(const struct ht_cell_index *index, struct ht_point point,
                              uint32_t *cells, size_t capacity);

#endif
