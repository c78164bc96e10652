#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/outline_internal.h"

void ht__raster_deinit(struct ht__raster *raster)
{
    free(raster->cells);
    free(raster->runs);
    free(raster->row_first);
    free(raster->traced);
    free(raster->corners);
    free(raster->rings);
    *raster = (struct ht__raster){0};
}

enum ht_status ht__raster_init(struct ht__raster *raster, uint64_t width, uint64_t height)
{
    if (width > HT__RASTER_CELLS_MOST || height > HT__RASTER_CELLS_MOST ||
        width * height > HT__RASTER_CELLS_MOST) {
        return HT_TOO_BIG;
    }
    raster->width = (uint32_t)width;
    raster->height = (uint32_t)height;
    void *cells = raster->cells;
    enum ht_status status =
        ht_array_reserve(&cells, &raster->cell_capacity, width * height, sizeof *raster->cells);
    raster->cells = cells;
    if (status == HT_OK) {
        memset(raster->cells, HT__CELL_FREE, width * height);
    }
    return status;
}

/* --- nearest ---------------------------------------------------------------------------------- */

/* While it is filled, a cell is twice its distance, plus what the nearest is. Of equally near ones
 * the one that is out. */
static inline unsigned take(unsigned best, unsigned from, unsigned step)
{
    unsigned way = from + 2 * step;
    return way < best ? way : best;
}

static inline uint8_t settle(unsigned best)
{
    return best > 2 * HT__RASTER_REACH + 1 ? HT__CELL_FREE : (uint8_t)best;
}

/* One pass over a row, from its left or its right end; `near` is the row that was done before. */
static void fill_row(uint8_t *row, const uint8_t *near, uint32_t width, bool left)
{
    unsigned last = HT__CELL_FREE;
    for (uint32_t i = 0; i < width; i++) {
        uint32_t x = left ? i : width - 1 - i;
        unsigned best = take(row[x], last, 3);
        if (near != NULL) {
            best = take(best, near[x], 3);
            best = x > 0 ? take(best, near[x - 1], 4) : best;
            best = x + 1 < width ? take(best, near[x + 1], 4) : best;
        }
        row[x] = settle(best);
        last = row[x];
    }
}

void ht__raster_fill(struct ht__raster *raster)
{
    const size_t width = raster->width;
    for (uint32_t y = 0; y < raster->height; y++) {
        uint8_t *row = raster->cells + y * width;
        fill_row(row, y == 0 ? NULL : row - width, raster->width, true);
        fill_row(row, NULL, raster->width, false);
    }
    for (uint32_t y = raster->height; y-- > 0;) {
        uint8_t *row = raster->cells + y * width;
        fill_row(row, y + 1 == raster->height ? NULL : row + width, raster->width, false);
        fill_row(row, NULL, raster->width, true);
    }
    for (size_t i = 0; i < width * raster->height; i++) {
        uint8_t cell = raster->cells[i];
        raster->cells[i] = cell != HT__CELL_FREE && (cell & 1) != 0 ? HT__CELL_IN : HT__CELL_OUT;
    }
}

/* --- parts ------------------------------------------------------------------------------------ */

static uint32_t part_of(const struct ht__raster *raster, uint32_t run)
{
    while (raster->runs[run].part != run) {
        run = raster->runs[run].part;
    }
    return run;
}

/* The lower number stands for both; ways are shortened as they are walked. */
static void parts_join(struct ht__raster *raster, uint32_t a, uint32_t b)
{
    uint32_t root_a = part_of(raster, a);
    uint32_t root_b = part_of(raster, b);
    uint32_t root = root_a < root_b ? root_a : root_b;
    uint32_t both[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        for (uint32_t run = both[i]; raster->runs[run].part != root;) {
            uint32_t next = raster->runs[run].part;
            raster->runs[run].part = root;
            run = next;
        }
    }
}

static enum ht_status row_runs(struct ht__raster *raster, uint32_t y)
{
    const uint8_t *row = raster->cells + (size_t)y * raster->width;
    for (uint32_t x = 0; x < raster->width; x++) {
        const uint8_t *begin = memchr(row + x, HT__CELL_IN, raster->width - x);
        if (begin == NULL) {
            break;
        }
        uint32_t from = (uint32_t)(begin - row);
        const uint8_t *end = memchr(begin, HT__CELL_OUT, raster->width - from);
        x = end == NULL ? raster->width : (uint32_t)(end - row);
        void *runs = raster->runs;
        enum ht_status status = ht_array_reserve(&runs, &raster->run_capacity,
                                                 raster->run_count + 1, sizeof *raster->runs);
        raster->runs = runs;
        if (status != HT_OK) {
            return status;
        }
        raster->runs[raster->run_count] = (struct ht__run){from, x, (uint32_t)raster->run_count};
        raster->run_count++;
    }
    return HT_OK;
}

/* Joins the runs of a row with those below that share a side with them. */
static void row_join(struct ht__raster *raster, uint32_t y)
{
    size_t below = raster->row_first[y - 1];
    size_t here = raster->row_first[y];
    while (below < raster->row_first[y] && here < raster->run_count) {
        const struct ht__run *a = &raster->runs[below];
        const struct ht__run *b = &raster->runs[here];
        if (a->begin < b->end && b->begin < a->end) {
            parts_join(raster, (uint32_t)below, (uint32_t)here);
        }
        if (a->end < b->end) {
            below++;
        } else {
            here++;
        }
    }
}

static enum ht_status find_parts(struct ht__raster *raster)
{
    void *rows = raster->row_first;
    enum ht_status status =
        ht_array_reserve(&rows, &raster->row_capacity, (size_t)raster->height + 1,
                         sizeof *raster->row_first);
    raster->row_first = rows;
    raster->run_count = 0;
    for (uint32_t y = 0; y < raster->height && status == HT_OK; y++) {
        raster->row_first[y] = raster->run_count;
        status = row_runs(raster, y);
        if (y > 0 && status == HT_OK) {
            row_join(raster, y);
        }
    }
    if (status == HT_OK) {
        raster->row_first[raster->height] = raster->run_count;
    }
    return status;
}

/* The part that a cell which is in belongs to. */
static uint32_t part_at(const struct ht__raster *raster, uint32_t x, uint32_t y)
{
    size_t low = raster->row_first[y];
    size_t high = raster->row_first[y + 1];
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (raster->runs[middle].begin <= x) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return part_of(raster, (uint32_t)low);
}

/* --- borders ---------------------------------------------------------------------------------- */

static bool is_in(const struct ht__raster *raster, int64_t x, int64_t y)
{
    return x >= 0 && y >= 0 && x < raster->width && y < raster->height &&
           raster->cells[(size_t)y * raster->width + (size_t)x] == HT__CELL_IN;
}

static enum ht_status corner_add(struct ht__raster *raster, int64_t x, int64_t y)
{
    void *corners = raster->corners;
    enum ht_status status = ht_array_reserve(&corners, &raster->corner_capacity,
                                             raster->corner_count + 1, sizeof *raster->corners);
    raster->corners = corners;
    if (status == HT_OK) {
        raster->corners[raster->corner_count++] = (struct ht__corner){(int32_t)x, (int32_t)y};
    }
    return status;
}

/* Along the side of a cell, which lies to the left. */
struct walker {
    int64_t x;
    int64_t y;
    int way; /* 0 east, below the cell; 1 north; 2 west; 3 south */
};

static const int step_x[4] = {1, 0, -1, 0};
static const int step_y[4] = {0, 1, 0, -1};

/* To the next side, adding the corner between where there is one.
 *
 *     c ahead      c stays to the left: a turn left where the cell ahead is out (cut where the one
 *     - ^ -        beside that is in, which touches c in the corner alone), else on along the next
 *     . beside     cell, or to the right around the one beside
 */
static enum ht_status walk(struct ht__raster *raster, struct walker *w)
{
    int dx = step_x[w->way];
    int dy = step_y[w->way];
    bool ahead = is_in(raster, w->x + dx, w->y + dy);
    bool beside = is_in(raster, w->x + dx + dy, w->y + dy - dx);
    /* where this side ends, in units */
    int64_t x = (w->x + (w->way == 0 || w->way == 1)) * HT__RASTER_UNITS;
    int64_t y = (w->y + (w->way == 1 || w->way == 2)) * HT__RASTER_UNITS;
    if (ahead && !beside) {
        w->x += dx;
        w->y += dy;
        return HT_OK;
    }
    if (ahead) {
        w->x += dx + dy;
        w->y += dy - dx;
        w->way = (w->way + 3) % 4;
        return corner_add(raster, x, y);
    }
    w->way = (w->way + 1) % 4;
    if (!beside) {
        return corner_add(raster, x, y);
    }
    enum ht_status status = corner_add(raster, x - dx, y - dy);
    return status == HT_OK ? corner_add(raster, x + step_x[w->way], y + step_y[w->way]) : status;
}

static bool runs_with_the_clock(const struct ht__raster *raster, const struct ht__ring *ring)
{
    const struct ht__corner *c = raster->corners + ring->first;
    int64_t twice = 0;
    for (size_t i = 0; i < ring->count; i++) {
        const struct ht__corner *next = &c[i + 1 == ring->count ? 0 : i + 1];
        twice += (int64_t)c[i].x * next->y - (int64_t)next->x * c[i].y;
    }
    return twice < 0;
}

/* The border that passes below the cell. */
static enum ht_status ring_add(struct ht__raster *raster, uint32_t x, uint32_t y)
{
    void *rings = raster->rings;
    enum ht_status status = ht_array_reserve(&rings, &raster->ring_capacity,
                                             raster->ring_count + 1, sizeof *raster->rings);
    raster->rings = rings;
    struct ht__ring ring = {.part = part_at(raster, x, y), .first = raster->corner_count};
    struct walker w = {x, y, 0};
    while (status == HT_OK) {
        if (w.way == 0) {
            size_t at = (size_t)w.y * raster->width + (size_t)w.x;
            if ((raster->traced[at / 64] >> at % 64 & 1) != 0) {
                break; /* back where it began */
            }
            raster->traced[at / 64] |= UINT64_C(1) << at % 64;
        }
        status = walk(raster, &w);
    }
    if (status == HT_OK) {
        ring.count = raster->corner_count - ring.first;
        ring.hole = runs_with_the_clock(raster, &ring);
        raster->rings[raster->ring_count++] = ring;
    }
    return status;
}

static int compare_rings(const void *a, const void *b)
{
    const struct ht__ring *x = a;
    const struct ht__ring *y = b;
    if (x->part != y->part) {
        return x->part < y->part ? -1 : 1;
    }
    if (x->hole != y->hole) {
        return x->hole ? 1 : -1;
    }
    return x->first < y->first ? -1 : x->first > y->first;
}

enum ht_status ht__raster_trace(struct ht__raster *raster)
{
    size_t words = (size_t)raster->width * raster->height / 64 + 1;
    void *traced = raster->traced;
    enum ht_status status =
        ht_array_reserve(&traced, &raster->traced_capacity, words, sizeof *raster->traced);
    raster->traced = traced;
    if (status == HT_OK) {
        memset(raster->traced, 0, words * sizeof *raster->traced);
        status = find_parts(raster);
    }
    raster->ring_count = 0;
    raster->corner_count = 0;
    for (uint32_t y = 0; y < raster->height && status == HT_OK; y++) {
        for (size_t r = raster->row_first[y]; r < raster->row_first[y + 1]; r++) {
            const struct ht__run *run = &raster->runs[r];
            for (uint32_t x = run->begin; x < run->end && status == HT_OK; x++) {
                size_t at = (size_t)y * raster->width + x;
                if (!is_in(raster, x, (int64_t)y - 1) &&
                    (raster->traced[at / 64] >> at % 64 & 1) == 0) {
                    status = ring_add(raster, x, y);
                }
            }
        }
    }
    if (status == HT_OK && raster->ring_count > 0) {
        qsort(raster->rings, raster->ring_count, sizeof *raster->rings, compare_rings);
    }
    return status;
}
