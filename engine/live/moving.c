#include "engine/live/moving.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum {
    LEVELS = 16,   /* of the pyramid, cells included */
    ROOT_BITS = 5, /* a town is at most 32 times as long as wide, or its cells are not square */
    STACK = 64 + 4 * LEVELS,
    RING = 4096,         /* moves across cells that are remembered: 80 ms of 50,000 a second */
    TRIES = 6,           /* before a query asks the writers to wait */
    CELLS_PER_POINT = 2, /* measured against 1, 4 and 8: as fast as 4, and smaller */
};

/* `place` is the point as one word, 0 when there is none; links are id + 1, 0 at an end. */
struct record {
    _Atomic uint64_t place;
    _Atomic uint32_t next;
    uint32_t before; /* writers only */
};

/* A cell's word: version << 32 | first; an odd version is a list that is being changed. */
#define VERSION UINT64_C(0x100000000)

struct ht_moving {
    uint32_t capacity;
    uint32_t bits[2];  /* cells along lon and lat: 2^bits */
    uint32_t height;   /* levels above the cells */
    uint32_t cells;    /* their number; the list of what lies outside comes after them */
    uint32_t width_e7; /* of a cell */
    uint32_t tall_e7;
    struct ht_point min;
    struct record *records;
    _Atomic uint64_t *heads;
    _Atomic uint32_t *counts[LEVELS]; /* [0] stays NULL */
    size_t bytes;
    pthread_mutex_t lock; /* of writers */
    _Atomic uint32_t count;
    _Atomic uint64_t begun; /* moves across cells, as they are noted and as they are done */
    _Atomic uint64_t ended;
    _Atomic uint32_t ring[RING];
};

struct ht_moving_work {
    struct ht_moving_hit *hits;
    size_t capacity;
    uint32_t moved[RING];
    bool seen[RING];
};

/* A quarter of the pyramid still to be entered. */
struct node {
    double square; /* no point in it is nearer than its root */
    uint32_t level;
    uint32_t index;
    uint32_t x; /* in quarters of its level */
    uint32_t y;
};

struct query {
    const struct ht_moving *moving;
    struct ht_moving_work *work;
    const struct ht_moving_filter *filter;
    struct ht_point center;
    bool boxed;
    struct ht_box box;
    double lat_m; /* of 1e-7 degrees, at least */
    uint32_t k;
    double radius_m; /* INFINITY: none */
    double limit;    /* square of what still matters, rounded up */
    uint32_t count;
    enum ht_status status;
    uint32_t depth;
    struct node stack[STACK];
};

#define ABSENT (UINT64_C(1) << 63) /* no longitude is INT32_MIN */

static uint64_t place_of(struct ht_point p)
{
    return ((uint64_t)(uint32_t)p.lon_e7 << 32 | (uint32_t)p.lat_e7) ^ ABSENT;
}

static struct ht_point point_of(uint64_t place)
{
    place ^= ABSENT;
    return (struct ht_point){(int32_t)(uint32_t)(place >> 32), (int32_t)(uint32_t)place};
}

/* 0x0f -> 0x55: bits apart, for the Z order. */
static uint32_t spread(uint32_t v)
{
    v = (v | v << 8) & 0x00ff00ffU;
    v = (v | v << 4) & 0x0f0f0f0fU;
    v = (v | v << 2) & 0x33333333U;
    return (v | v << 1) & 0x55555555U;
}

static uint32_t cell_index(const struct ht_moving *m, uint32_t x, uint32_t y)
{
    uint32_t low = (UINT32_C(1) << m->height) - 1;
    uint32_t roots_x = UINT32_C(1) << (m->bits[0] - m->height);
    uint32_t root = (y >> m->height) * roots_x + (x >> m->height);
    return root << 2 * m->height | spread(y & low) << 1 | spread(x & low);
}

static uint32_t cell_of(const struct ht_moving *m, struct ht_point p)
{
    if (p.lon_e7 < m->min.lon_e7 || p.lat_e7 < m->min.lat_e7) {
        return m->cells;
    }
    uint32_t x = ((uint32_t)p.lon_e7 - (uint32_t)m->min.lon_e7) / m->width_e7;
    uint32_t y = ((uint32_t)p.lat_e7 - (uint32_t)m->min.lat_e7) / m->tall_e7;
    return x >> m->bits[0] != 0 || y >> m->bits[1] != 0 ? m->cells : cell_index(m, x, y);
}

/* Twice as many cells as points, as square as powers of two allow. */
static void grid_init(struct ht_moving *m, struct ht_box town)
{
    uint32_t total = 0;
    while (total < 2 * (LEVELS - 2) &&
           UINT64_C(1) << total < (uint64_t)m->capacity * CELLS_PER_POINT) {
        total++;
    }
    struct ht_scale scale =
        ht_scale_at((int32_t)(((int64_t)town.min.lat_e7 + town.max.lat_e7) / 2));
    int64_t wide = (int64_t)town.max.lon_e7 - town.min.lon_e7 + 1;
    int64_t tall = (int64_t)town.max.lat_e7 - town.min.lat_e7 + 1;
    double ratio = (double)wide * scale.lon_m / ((double)tall * scale.lat_m);
    double more = log2(ratio > 0 ? ratio : 1);
    more = more < -ROOT_BITS ? -ROOT_BITS : more > ROOT_BITS ? ROOT_BITS : more;
    double bits = floor(((double)total + more) / 2 + 0.5);
    m->bits[0] = bits < 0 ? 0 : bits > total ? total : (uint32_t)bits;
    m->bits[1] = total - m->bits[0];
    m->height = m->bits[0] < m->bits[1] ? m->bits[0] : m->bits[1];
    m->cells = UINT32_C(1) << total;
    m->min = town.min;
    m->width_e7 = (uint32_t)((wide - 1) >> m->bits[0]) + 1;
    m->tall_e7 = (uint32_t)((tall - 1) >> m->bits[1]) + 1;
}

enum ht_status ht_moving_new(struct ht_box town, uint32_t capacity, struct ht_moving **out)
{
    if (!ht_point_valid(town.min) || !ht_point_valid(town.max) ||
        town.max.lon_e7 < town.min.lon_e7 || town.max.lat_e7 < town.min.lat_e7 ||
        capacity == UINT32_MAX) {
        return HT_RANGE;
    }
    struct ht_moving *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return HT_NOMEM;
    }
    m->capacity = capacity;
    (void)pthread_mutex_init(&m->lock, NULL);
    grid_init(m, town);
    m->records = ht_array_new_zeroed(capacity, sizeof *m->records);
    m->heads = ht_array_new_zeroed((size_t)m->cells + 1, sizeof *m->heads);
    m->bytes = sizeof *m + capacity * sizeof *m->records + (m->cells + 1) * sizeof *m->heads;
    bool whole = m->records != NULL && m->heads != NULL;
    for (uint32_t level = 1; level <= m->height && whole; level++) {
        size_t quarters = m->cells >> 2 * level;
        m->counts[level] = ht_array_new_zeroed(quarters, sizeof *m->counts[level]);
        m->bytes += quarters * sizeof *m->counts[level];
        whole = m->counts[level] != NULL;
    }
    if (!whole) {
        ht_moving_free(m);
        return HT_NOMEM;
    }
    *out = m;
    return HT_OK;
}

void ht_moving_free(struct ht_moving *m)
{
    if (m == NULL) {
        return;
    }
    for (uint32_t level = 1; level < LEVELS; level++) {
        free(m->counts[level]);
    }
    free(m->heads);
    free(m->records);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

/* Writers: everything from here to ht_moving_remove needs the lock. */

static uint64_t cell_begin(struct ht_moving *m, uint32_t cell)
{
    uint64_t word = atomic_load_explicit(&m->heads[cell], memory_order_relaxed);
    atomic_store_explicit(&m->heads[cell], word + VERSION, memory_order_release);
    return word;
}

static void cell_end(struct ht_moving *m, uint32_t cell, uint64_t word, uint32_t first)
{
    word = (word & ~(VERSION - 1)) + 2 * VERSION;
    atomic_store_explicit(&m->heads[cell], word | first, memory_order_release);
}

static void unlink_from(struct ht_moving *m, uint32_t cell, uint32_t id)
{
    struct record *r = &m->records[id];
    uint64_t word = cell_begin(m, cell);
    uint32_t first = (uint32_t)word;
    uint32_t next = atomic_load_explicit(&r->next, memory_order_relaxed);
    if (next != 0) {
        m->records[next - 1].before = r->before;
    }
    if (r->before != 0) {
        atomic_store_explicit(&m->records[r->before - 1].next, next, memory_order_release);
    } else {
        first = next;
    }
    cell_end(m, cell, word, first);
}

static void link_into(struct ht_moving *m, uint32_t cell, uint32_t id)
{
    struct record *r = &m->records[id];
    uint64_t word = cell_begin(m, cell);
    uint32_t next = (uint32_t)word;
    r->before = 0;
    atomic_store_explicit(&r->next, next, memory_order_release);
    if (next != 0) {
        m->records[next - 1].before = id + 1;
    }
    cell_end(m, cell, word, id + 1);
}

/* Counts of the quarters that hold `cell` and not `other`. Atomic adds are not needed: one writer.
 */
static void count_quarters(struct ht_moving *m, uint32_t cell, uint32_t other, uint32_t change)
{
    if (cell == m->cells) {
        return;
    }
    for (uint32_t level = 1; level <= m->height; level++) {
        uint32_t at = cell >> 2 * level;
        if (other != m->cells && other >> 2 * level == at) {
            return;
        }
        uint32_t now = atomic_load_explicit(&m->counts[level][at], memory_order_relaxed);
        atomic_store_explicit(&m->counts[level][at], now + change, memory_order_release);
    }
}

/* In this order, so that whoever misses the point in both cells finds it in the ring: whoever saw
 * it gone from the one sees the move noted; who began when it was done finds it in the other. */
static void move_across(struct ht_moving *m, uint32_t id, uint32_t from, uint32_t to,
                        struct ht_point point)
{
    uint64_t begun = atomic_load_explicit(&m->begun, memory_order_relaxed);
    atomic_store_explicit(&m->ring[begun % RING], id, memory_order_release);
    atomic_store_explicit(&m->begun, begun + 1, memory_order_release);
    count_quarters(m, to, from, 1);
    unlink_from(m, from, id);
    atomic_store_explicit(&m->records[id].place, place_of(point), memory_order_release);
    link_into(m, to, id);
    count_quarters(m, from, to, UINT32_MAX);
    atomic_store_explicit(&m->ended, begun + 1, memory_order_release);
}

enum ht_status ht_moving_set(struct ht_moving *m, uint32_t id, struct ht_point point)
{
    if (id >= m->capacity || !ht_point_valid(point)) {
        return HT_RANGE;
    }
    uint32_t to = cell_of(m, point);
    struct record *r = &m->records[id];
    (void)pthread_mutex_lock(&m->lock);
    uint64_t place = atomic_load_explicit(&r->place, memory_order_relaxed);
    uint32_t from = place == 0 ? to : cell_of(m, point_of(place));
    if (place != 0 && from != to) {
        move_across(m, id, from, to, point);
    } else {
        atomic_store_explicit(&r->place, place_of(point), memory_order_release);
        if (place == 0) {
            count_quarters(m, to, m->cells, 1);
            link_into(m, to, id);
            (void)atomic_fetch_add_explicit(&m->count, 1, memory_order_relaxed);
        }
    }
    (void)pthread_mutex_unlock(&m->lock);
    return HT_OK;
}

void ht_moving_remove(struct ht_moving *m, uint32_t id)
{
    if (id >= m->capacity) {
        return;
    }
    struct record *r = &m->records[id];
    (void)pthread_mutex_lock(&m->lock);
    uint64_t place = atomic_load_explicit(&r->place, memory_order_relaxed);
    if (place != 0) {
        uint32_t cell = cell_of(m, point_of(place));
        unlink_from(m, cell, id);
        atomic_store_explicit(&r->place, 0, memory_order_release);
        count_quarters(m, cell, m->cells, UINT32_MAX);
        (void)atomic_fetch_sub_explicit(&m->count, 1, memory_order_relaxed);
    }
    (void)pthread_mutex_unlock(&m->lock);
}

bool ht_moving_get(const struct ht_moving *m, uint32_t id, struct ht_point *point)
{
    if (id >= m->capacity) {
        return false;
    }
    uint64_t place = atomic_load_explicit(&m->records[id].place, memory_order_acquire);
    *point = point_of(place);
    return place != 0;
}

uint32_t ht_moving_count(const struct ht_moving *m)
{
    return atomic_load_explicit(&m->count, memory_order_relaxed);
}

size_t ht_moving_bytes(const struct ht_moving *m)
{
    return m->bytes;
}

enum ht_status ht_moving_work_new(struct ht_moving_work **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_moving_work_free(struct ht_moving_work *work)
{
    if (work != NULL) {
        free(work->hits);
        free(work);
    }
}

/* Readers. Hits are a heap, the farthest on top, as soon as there are k of them. */

static bool hit_after(const struct ht_moving_hit *a, const struct ht_moving_hit *b)
{
    return a->distance_m != b->distance_m ? a->distance_m > b->distance_m : a->id > b->id;
}

static void heap_sink(struct ht_moving_hit *hits, uint32_t count, uint32_t at)
{
    struct ht_moving_hit hit = hits[at];
    for (;;) {
        uint64_t child = 2 * (uint64_t)at + 1;
        if (child >= count) {
            break;
        }
        if (child + 1 < count && hit_after(&hits[child + 1], &hits[child])) {
            child++;
        }
        if (!hit_after(&hits[child], &hit)) {
            break;
        }
        hits[at] = hits[child];
        at = (uint32_t)child;
    }
    hits[at] = hit;
}

static void heap_make(struct ht_moving_hit *hits, uint32_t count)
{
    for (uint32_t at = count / 2; at-- > 0;) {
        heap_sink(hits, count, at);
    }
}

static void heap_sort(struct ht_moving_hit *hits, uint32_t count)
{
    heap_make(hits, count);
    while (count > 1) {
        struct ht_moving_hit last = hits[--count];
        hits[count] = hits[0];
        hits[0] = last;
        heap_sink(hits, count, 0);
    }
}

static double square_up(double metres)
{
    return metres * metres * (1.0 + 1e-9) + 1e-9;
}

static void keep(struct query *q, struct ht_moving_hit hit)
{
    struct ht_moving_work *work = q->work;
    if (q->count == q->k) {
        if (!hit_after(&work->hits[0], &hit)) {
            return;
        }
        work->hits[0] = hit;
        heap_sink(work->hits, q->count, 0);
    } else {
        void *hits = work->hits;
        enum ht_status status =
            ht_array_reserve(&hits, &work->capacity, (size_t)q->count + 1, sizeof *work->hits);
        work->hits = hits;
        if (status != HT_OK) {
            q->status = status;
            return;
        }
        work->hits[q->count++] = hit;
        if (q->count < q->k) {
            return;
        }
        heap_make(work->hits, q->count);
    }
    if (!q->boxed) {
        q->limit = fmin(q->limit, square_up(work->hits[0].distance_m));
    }
}

static bool box_holds(struct ht_box box, struct ht_point p)
{
    if (p.lat_e7 < box.min.lat_e7 || p.lat_e7 > box.max.lat_e7) {
        return false;
    }
    return box.min.lon_e7 <= box.max.lon_e7
               ? p.lon_e7 >= box.min.lon_e7 && p.lon_e7 <= box.max.lon_e7
               : p.lon_e7 >= box.min.lon_e7 || p.lon_e7 <= box.max.lon_e7;
}

static void consider(struct query *q, uint32_t id, struct ht_point point)
{
    struct ht_moving_hit hit = {.id = id, .point = point};
    if (q->boxed) {
        if (!box_holds(q->box, point)) {
            return;
        }
    } else {
        hit.distance_m = ht_distance_m(q->center, point);
        if (hit.distance_m > q->radius_m ||
            (q->count == q->k && !hit_after(&q->work->hits[0], &hit))) {
            return;
        }
    }
    if (q->filter->want == NULL || q->filter->want(q->filter->user, id)) {
        keep(q, hit);
    }
}

/* False: the list changed under the walk. While its version stays, its links do, and the points in
 * it are in its cell. */
static bool walk(struct query *q, uint32_t cell)
{
    const struct ht_moving *m = q->moving;
    uint64_t word = atomic_load_explicit(&m->heads[cell], memory_order_acquire);
    if ((word & VERSION) != 0) {
        return false;
    }
    for (uint32_t at = (uint32_t)word; at != 0;) {
        const struct record *r = &m->records[at - 1];
        uint64_t place = atomic_load_explicit(&r->place, memory_order_acquire);
        uint32_t next = atomic_load_explicit(&r->next, memory_order_acquire);
        if (atomic_load_explicit(&m->heads[cell], memory_order_relaxed) != word) {
            return false;
        }
        if (next != 0) {
            __builtin_prefetch(&m->records[next - 1]);
        }
        consider(q, at - 1, point_of(place));
        at = next;
    }
    return true;
}

/* How far (1e-7 degrees) a value lies outside a range; around the globe for longitudes. */
static int64_t gap(int64_t from, int64_t to, int64_t value, int64_t around)
{
    if (value >= from && value <= to) {
        return 0;
    }
    int64_t one = value < from ? from - value : value - to;
    int64_t other = around - (value < from ? to - value : value - from);
    return around != 0 && other < one ? (other < 0 ? 0 : other) : one;
}

/* A square that no point of the quarter is below; for boxes 0 or (out of it) INFINITY. Degrees of
 * longitude shrink towards the poles, so the end of the quarter that is farthest from the equator
 * counts, or the centre. */
static double node_square(const struct query *q, const struct node *node)
{
    const struct ht_moving *m = q->moving;
    int64_t wide = (int64_t)m->width_e7 << node->level;
    int64_t tall = (int64_t)m->tall_e7 << node->level;
    int64_t west = m->min.lon_e7 + node->x * wide;
    int64_t south = m->min.lat_e7 + node->y * tall;
    int64_t east = west + wide - 1;
    int64_t north = south + tall - 1;
    if (q->boxed) {
        bool meets = south <= q->box.max.lat_e7 && north >= q->box.min.lat_e7;
        bool in = q->box.min.lon_e7 <= q->box.max.lon_e7
                      ? west <= q->box.max.lon_e7 && east >= q->box.min.lon_e7
                      : west <= q->box.max.lon_e7 || east >= q->box.min.lon_e7;
        return meets && in ? 0 : INFINITY;
    }
    int64_t x = gap(west, east, q->center.lon_e7, 2 * (int64_t)HT_LON_MAX_E7);
    int64_t y = gap(south, north, q->center.lat_e7, 0);
    double north_m = (double)y * q->lat_m;
    double east_m = 0;
    if (x != 0) {
        int64_t far = llabs(q->center.lat_e7);
        far = llabs(south) > far ? llabs(south) : far;
        far = llabs(north) > far ? llabs(north) : far;
        far = far > HT_LAT_MAX_E7 ? HT_LAT_MAX_E7 : far;
        east_m = (double)x * 1e-7 * ht_scale_at((int32_t)far).lon_m;
    }
    return (north_m * north_m + east_m * east_m) * (1.0 - 1e-9);
}

/* Puts a quarter on the stack, above `base` with the nearest on top. */
static void push(struct query *q, uint32_t base, struct node node)
{
    node.square = node_square(q, &node);
    if (node.square > q->limit) {
        return;
    }
    uint32_t at = q->depth++;
    while (at > base && q->stack[at - 1].square < node.square) {
        q->stack[at] = q->stack[at - 1];
        at--;
    }
    q->stack[at] = node;
}

static void push_quarters(struct query *q, const struct node *node)
{
    const struct ht_moving *m = q->moving;
    uint32_t base = q->depth;
    uint32_t level = node->level - 1;
    for (uint32_t i = 0; i < 4; i++) {
        struct node child = {.level = level,
                             .index = node->index * 4 + i,
                             .x = node->x * 2 + (i & 1),
                             .y = node->y * 2 + (i >> 1)};
        if (level > 0) {
            if (atomic_load_explicit(&m->counts[level][child.index], memory_order_acquire) == 0) {
                continue;
            }
        } else {
            uint64_t word = atomic_load_explicit(&m->heads[child.index], memory_order_acquire);
            if ((word & VERSION) == 0 && (uint32_t)word == 0) {
                continue;
            }
            __builtin_prefetch(&m->records[(uint32_t)word == 0 ? 0 : (uint32_t)word - 1]);
        }
        push(q, base, child);
    }
}

/* Hits among those that moved: each is noted as seen; the second of a point seen twice goes out.
 * False: it may have put another out before. A sieve of ids spares most hits the comparison. */
static bool look_among_hits(struct query *q, uint32_t count)
{
    struct ht_moving_work *work = q->work;
    uint64_t sieve[64] = {0};
    for (uint32_t i = 0; i < count; i++) {
        work->seen[i] = false;
        sieve[work->moved[i] >> 6 & 63] |= UINT64_C(1) << (work->moved[i] & 63);
    }
    for (uint32_t h = 0; h < q->count; h++) {
        uint32_t id = work->hits[h].id;
        bool again = false;
        if ((sieve[id >> 6 & 63] >> (id & 63) & 1) == 0) {
            continue;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (work->moved[i] == id) {
                again = again || work->seen[i];
                work->seen[i] = true;
            }
        }
        if (again) {
            if (q->count == q->k) {
                return false;
            }
            work->hits[h--] = work->hits[--q->count];
        }
    }
    return true;
}

/* What changed cells since `began`: those not seen are looked at where they are now. False: too
 * many of them, or an answer that can't be mended. */
static bool look_again(struct query *q, uint64_t began)
{
    const struct ht_moving *m = q->moving;
    uint32_t *moved = q->work->moved;
    bool *seen = q->work->seen;
    uint64_t end = atomic_load_explicit(&m->begun, memory_order_acquire);
    if (end == began) {
        return true;
    }
    if (end - began >= RING) {
        return false;
    }
    uint32_t count = (uint32_t)(end - began);
    for (uint32_t i = 0; i < count; i++) {
        moved[i] = atomic_load_explicit(&m->ring[(began + i) % RING], memory_order_acquire);
    }
    if (atomic_load_explicit(&m->begun, memory_order_acquire) - began >= RING ||
        !look_among_hits(q, count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct ht_point point;
        if (!seen[i] && ht_moving_get(m, moved[i], &point)) {
            consider(q, moved[i], point);
        }
        for (uint32_t k = i + 1; k < count && !seen[i]; k++) {
            seen[k] = seen[k] || moved[k] == moved[i];
        }
    }
    return true;
}

static bool search(struct query *q)
{
    const struct ht_moving *m = q->moving;
    uint64_t began = atomic_load_explicit(&m->ended, memory_order_acquire);
    q->count = 0;
    q->depth = 0;
    q->limit = q->boxed ? 0 : square_up(q->radius_m);
    if (q->k == 0) {
        return true;
    }
    uint32_t roots_x = UINT32_C(1) << (m->bits[0] - m->height);
    uint32_t roots = m->cells >> 2 * m->height;
    for (uint32_t i = 0; i < roots; i++) {
        push(q, 0,
             (struct node){.level = m->height, .index = i, .x = i % roots_x, .y = i / roots_x});
    }
    while (q->depth > 0 && q->status == HT_OK) {
        struct node node = q->stack[--q->depth];
        if (node.square > q->limit) {
            continue;
        }
        if (node.level > 0) {
            push_quarters(q, &node);
        } else if (!walk(q, node.index)) {
            return false;
        }
    }
    return walk(q, m->cells) && look_again(q, began);
}

static enum ht_status answer(struct ht_moving *m, struct query *q,
                             const struct ht_moving_hit **hits, uint32_t *count)
{
    bool done = false;
    for (int i = 0; i < TRIES && !done; i++) {
        done = search(q);
    }
    if (!done) {
        (void)pthread_mutex_lock(&m->lock);
        (void)search(q);
        (void)pthread_mutex_unlock(&m->lock);
    }
    *count = 0;
    if (q->status == HT_OK) {
        heap_sort(q->work->hits, q->count);
        *count = q->count;
    }
    *hits = q->work->hits;
    return q->status;
}

enum ht_status ht_moving_near(struct ht_moving *m, struct ht_moving_work *work,
                              const struct ht_moving_ask *ask, const struct ht_moving_hit **hits,
                              uint32_t *count)
{
    struct query q;
    q.moving = m;
    q.work = work;
    q.filter = &ask->filter;
    q.center = ask->center;
    q.boxed = false;
    q.lat_m = 1e-7 * ht_scale_at(0).lat_m; /* the least of all latitudes */
    q.k = ask->k;
    q.radius_m = ask->radius_m < 0 ? INFINITY : ask->radius_m;
    q.status = ht_point_valid(ask->center) ? HT_OK : HT_RANGE;
    return answer(m, &q, hits, count);
}

enum ht_status ht_moving_in_box(struct ht_moving *m, struct ht_moving_work *work, struct ht_box box,
                                const struct ht_moving_filter *filter,
                                const struct ht_moving_hit **hits, uint32_t *count)
{
    static const struct ht_moving_filter all;
    struct query q;
    q.moving = m;
    q.work = work;
    q.filter = filter == NULL ? &all : filter;
    q.boxed = true;
    q.box = box;
    q.k = UINT32_MAX;
    q.status = HT_OK;
    return answer(m, &q, hits, count);
}
