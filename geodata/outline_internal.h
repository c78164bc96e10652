/* Inside of outline.h: the raster.
 *
 * A cell is 32 units wide and high; corners, and what is traced, are whole units from the lower
 * left corner of the raster. Threading: as outline.h. Ownership: zero-initialize, end with
 * ht__raster_deinit.
 */
#ifndef HT_GEODATA_OUTLINE_INTERNAL_H
#define HT_GEODATA_OUTLINE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum {
    HT__RASTER_UNITS = 32,
    HT__RASTER_REACH = 38, /* how far cells take what others are: 3 for a cell */
    HT__RASTER_CELLS_MOST = 1 << 27,
    HT__RASTER_KEEP = 1 << 22, /* a larger one is given back after use */
};

/* What a cell is: as it was marked, or, filled, twice its distance from a marked one plus what that
 * is. So odd cells are in. */
enum ht__cell {
    HT__CELL_OUT = 0,
    HT__CELL_IN = 1,
    HT__CELL_FREE = 254,
};

/* Cells of one row that follow each other and are in: [begin, end). */
struct ht__run {
    uint32_t begin;
    uint32_t end;
    uint32_t part; /* leads to the run that stands for all that hang together */
    bool marked;   /* holds a cell that was marked; of the one that stands for all: some of them */
};

struct ht__corner {
    int32_t x;
    int32_t y;
};

/* A border, its first corner not repeated at the end. */
struct ht__ring {
    uint32_t part;
    size_t first;
    size_t count;
    bool hole;
};

struct ht__raster {
    uint32_t width;
    uint32_t height;
    uint8_t *cells; /* [height][width] */
    size_t cell_capacity;
    struct ht__run *runs;
    size_t run_count;
    size_t run_capacity;
    size_t *row_first; /* [height + 1] */
    size_t row_capacity;
    uint64_t *traced; /* bit set of cells whose lower side was passed */
    size_t traced_capacity;
    struct ht__corner *corners;
    size_t corner_count;
    size_t corner_capacity;
    struct ht__ring *rings;
    size_t ring_count;
    size_t ring_capacity;
    uint8_t *kept; /* corners */
    size_t kept_capacity;
    size_t *stack;
    size_t stack_capacity;
};

void ht__raster_deinit(struct ht__raster *raster);

/* All cells free. HT_TOO_BIG, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__raster_init(struct ht__raster *raster, uint64_t width,
                                             uint64_t height);

/* Free cells become what the nearest other is, or out. */
void ht__raster_fill(struct ht__raster *raster);

/* The borders of what is in and hangs together with a marked cell (what fill left alone is none),
 * which lies to their left. They lead from middle to middle of cells' sides, at most 11.4 units
 * from the side itself; cells that touch in a corner only don't hang together. Two borders, or two
 * parts of one that don't follow each other, are at least 22.6 units apart. Rings of one part
 * follow each other, its outer one first. */
HT_MUST_CHECK enum ht_status ht__raster_trace(struct ht__raster *raster);

/* Leaves out corners that lie at most `by` units from the line between those that stay (Douglas,
 * Peucker 1973). Below 11.3 units no border can cross another. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__raster_smooth(struct ht__raster *raster, double by);

#endif
