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
    free(raster->kept);
    free(raster->stack);
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

/* Of equally near cells the one that is out counts. */
static inline unsigned take(unsigned best, unsigned from, unsigned step)
{
    unsigned way = from + 2 * step;
    return way < best ? way : best;
}

/* From the row that was done before; no cell waits for another of its row. */
static void fill_across(uint8_t *restrict row, const uint8_t *restrict near, uint32_t width)
{
    row[0] = (uint8_t)take(row[0], near[0], 3);
    for (uint32_t x = 1; x + 1 < width; x++) {
        unsigned best = take(row[x], near[x], 3);
        best = take(best, near[x - 1], 4);
        row[x] = (uint8_t)take(best, near[x + 1], 4);
    }
    row[width - 1] = (uint8_t)take(row[width - 1], near[width - 1], 3);
}

/* Along the row, from its left or its right end; what is too far stays free. */
static void fill_along(uint8_t *row, int64_t begin, int64_t end, int step)
{
    unsigned last = HT__CELL_FREE;
    for (int64_t x = begin; x != end; x += step) {
        last = take(row[x], last, 3);
        last = last > 2 * HT__RASTER_REACH + 1 ? HT__CELL_FREE : last;
        row[x] = (uint8_t)last;
    }
}

void ht__raster_fill(struct ht__raster *raster)
{
    const size_t width = raster->width;
    for (uint32_t y = 0; y < raster->height; y++) {
        uint8_t *row = raster->cells + y * width;
        if (y > 0) {
            fill_across(row, row - width, raster->width);
        }
        fill_along(row, 0, (int64_t)width, 1);
    }
    for (uint32_t y = raster->height; y-- > 0;) {
        uint8_t *row = raster->cells + y * width;
        if (y + 1 < raster->height) {
            fill_across(row, row + width, raster->width);
        }
        fill_along(row, (int64_t)width - 1, -1, -1);
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
    raster->runs[root].marked = raster->runs[root_a].marked || raster->runs[root_b].marked;
    for (int i = 0; i < 2; i++) {
        for (uint32_t run = both[i]; raster->runs[run].part != root;) {
            uint32_t next = raster->runs[run].part;
            raster->runs[run].part = root;
            run = next;
        }
    }
}

static enum ht_status run_add(struct ht__raster *raster, struct ht__run run)
{
    void *runs = raster->runs;
    enum ht_status status =
        ht_array_reserve(&runs, &raster->run_capacity, raster->run_count + 1, sizeof *raster->runs);
    raster->runs = runs;
    if (status == HT_OK) {
        run.part = (uint32_t)raster->run_count;
        raster->runs[raster->run_count++] = run;
    }
    return status;
}

static enum ht_status row_runs(struct ht__raster *raster, uint32_t y)
{
    const uint8_t *row = raster->cells + (size_t)y * raster->width;
    enum ht_status status = HT_OK;
    for (uint32_t x = 0; x < raster->width && status == HT_OK;) {
        struct ht__run run = {.begin = x};
        for (; x < raster->width && (row[x] & 1) != 0; x++) {
            run.marked = run.marked || row[x] == HT__CELL_IN;
        }
        run.end = x;
        if (run.end > run.begin) {
            status = run_add(raster, run);
        }
        while (x < raster->width && (row[x] & 1) == 0) {
            x++;
        }
    }
    return status;
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
    enum ht_status status = ht_array_reserve(&rows, &raster->row_capacity,
                                             (size_t)raster->height + 1, sizeof *raster->row_first);
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
           (raster->cells[(size_t)y * raster->width + (size_t)x] & 1) != 0;
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
    int way;  /* 0 east, below the cell; 1 north; 2 west; 3 south */
    int turn; /* how it came here: 1 to the left, 3 to the right, 0 straight on */
};

static const int step_x[4] = {1, 0, -1, 0};
static const int step_y[4] = {0, 1, 0, -1};

/* To the next side.
 *
 *     c ahead      c stays to the left: a turn left where the cell ahead is out (also where the one
 *     - ^ -        beside that is in, which touches c in the corner alone), else on along the next
 *     . beside     cell, or to the right around the one beside
 */
static struct walker walk(const struct ht__raster *raster, struct walker w)
{
    int dx = step_x[w.way];
    int dy = step_y[w.way];
    if (!is_in(raster, w.x + dx, w.y + dy)) {
        return (struct walker){w.x, w.y, (w.way + 1) % 4, 1};
    }
    if (!is_in(raster, w.x + dx + dy, w.y + dy - dx)) {
        return (struct walker){w.x + dx, w.y + dy, w.way, 0};
    }
    return (struct walker){w.x + dx + dy, w.y + dy - dx, (w.way + 3) % 4, 3};
}

/* The border goes from the middle of one side to that of the next; a middle is added where it
 * bends: not between two that go straight on, nor on stairs. */
static enum ht_status side_add(struct ht__raster *raster, const struct walker *w, int next_turn)
{
    bool bends = w->turn == 0 || next_turn == 0 ? w->turn != next_turn : w->turn == next_turn;
    if (!bends) {
        return HT_OK;
    }
    const int half = HT__RASTER_UNITS / 2;
    return corner_add(raster, w->x * HT__RASTER_UNITS + half - half * step_x[(w->way + 1) % 4],
                      w->y * HT__RASTER_UNITS + half - half * step_y[(w->way + 1) % 4]);
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
    enum ht_status status = ht_array_reserve(&rings, &raster->ring_capacity, raster->ring_count + 1,
                                             sizeof *raster->rings);
    raster->rings = rings;
    struct ht__ring ring = {.part = part_at(raster, x, y), .first = raster->corner_count};
    struct walker w = {x, y, 0, 0};
    struct walker first = walk(raster, w); /* the side after it, so that its turn is known */
    for (w = first; status == HT_OK;) {
        if (w.way == 0) {
            size_t at = (size_t)w.y * raster->width + (size_t)w.x;
            raster->traced[at / 64] |= UINT64_C(1) << at % 64;
        }
        struct walker next = walk(raster, w);
        status = side_add(raster, &w, next.turn);
        w = next;
        if (w.x == first.x && w.y == first.y && w.way == first.way) {
            break;
        }
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
            bool marked = raster->runs[part_of(raster, (uint32_t)r)].marked;
            for (uint32_t x = run->begin; marked && x < run->end && status == HT_OK; x++) {
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

/* --- smoothing -------------------------------------------------------------------------------- */

/* Square of the distance of c from the piece between a and b. */
static double away(struct ht__corner a, struct ht__corner b, struct ht__corner c)
{
    double dx = b.x - a.x;
    double dy = b.y - a.y;
    double length = dx * dx + dy * dy;
    double t = length > 0 ? ((c.x - a.x) * dx + (c.y - a.y) * dy) / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    double ex = c.x - (a.x + t * dx);
    double ey = c.y - (a.y + t * dy);
    return ex * ex + ey * ey;
}

/* The corner between `from` and `to` (of a ring of `count`, which goes round) that is farthest from
 * the line between them; `*most`: how far, squared. */
static size_t farthest(const struct ht__corner *c, size_t count, size_t from, size_t to,
                       double *most)
{
    size_t at = from;
    *most = -1;
    for (size_t i = from + 1; i < to; i++) {
        double far = away(c[from], c[to == count ? 0 : to], c[i]);
        if (far > *most) {
            *most = far;
            at = i;
        }
    }
    return at;
}

/* Marks what stays of a ring. */
static void ring_thin(struct ht__raster *raster, const struct ht__ring *ring, double by)
{
    const struct ht__corner *c = raster->corners + ring->first;
    uint8_t *kept = raster->kept + ring->first;
    size_t depth = 0;
    double most = 0;
    size_t middle = farthest(c, ring->count, 0, ring->count, &most); /* from the first corner */
    memset(kept, 0, ring->count);
    kept[0] = 1;
    kept[middle] = 1;
    raster->stack[depth++] = middle;
    raster->stack[depth++] = ring->count;
    raster->stack[depth++] = 0;
    raster->stack[depth++] = middle;
    while (depth > 0) {
        size_t to = raster->stack[--depth];
        size_t from = raster->stack[--depth];
        size_t at = farthest(c, ring->count, from, to, &most);
        if (most > by * by) {
            kept[at] = 1;
            raster->stack[depth++] = from;
            raster->stack[depth++] = at;
            raster->stack[depth++] = at;
            raster->stack[depth++] = to;
        }
    }
}

enum ht_status ht__raster_smooth(struct ht__raster *raster, double by)
{
    void *kept = raster->kept;
    enum ht_status status =
        ht_array_reserve(&kept, &raster->kept_capacity, raster->corner_count, 1);
    raster->kept = kept;
    void *stack = raster->stack;
    if (status == HT_OK) {
        status = ht_array_reserve(&stack, &raster->stack_capacity, raster->corner_count * 2 + 4,
                                  sizeof *raster->stack);
        raster->stack = stack;
    }
    for (size_t r = 0; r < raster->ring_count && status == HT_OK; r++) {
        struct ht__ring *ring = &raster->rings[r];
        ring_thin(raster, ring, by);
        size_t count = 0;
        for (size_t i = 0; i < ring->count; i++) {
            if (raster->kept[ring->first + i] != 0) {
                raster->corners[ring->first + count++] = raster->corners[ring->first + i];
            }
        }
        ring->count = count;
    }
    return status;
}
