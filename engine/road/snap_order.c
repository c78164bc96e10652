#include "engine/road/snap_order.h"

#include <stdbool.h>

#include "engine/road/snap_internal.h"

/* Ranges that are split further by one thread each; the splits above go level by level. */
#define RANGES 64

struct range {
    uint32_t begin;
    uint32_t count;
    uint64_t child; /* entries that one child of the node holds: a power of 16 */
};

struct order {
    struct ht_snap_item *items;
    struct range ranges[2 * RANGES];
    struct range halves[2 * RANGES]; /* what became of each range: two, or one and an empty one */
};

/* A total order along one axis, so that each half is the same set on every machine. */
static bool item_less(const struct ht_snap_item *a, const struct ht_snap_item *b, bool by_lon)
{
    int32_t x = by_lon ? a->middle.lon_e7 : a->middle.lat_e7;
    int32_t y = by_lon ? b->middle.lon_e7 : b->middle.lat_e7;
    return x != y ? x < y : a->entry < b->entry;
}

static void item_swap(struct ht_snap_item *a, struct ht_snap_item *b)
{
    struct ht_snap_item t = *a;
    *a = *b;
    *b = t;
}

/* Hoare's quickselect: afterwards the `first` smallest come first. The pivot is drawn, so that no
 * input is slow but by chance. */
static void select_first(struct ht_snap_item *items, uint32_t count, uint32_t first, bool by_lon)
{
    uint32_t low = 0;
    uint32_t high = count - 1;
    uint32_t dice = count | 1;
    while (low < high) {
        dice = dice * 1664525u + 1013904223u;
        struct ht_snap_item pivot =
            items[low + (uint32_t)((uint64_t)dice * (high - low + 1) >> 32)];
        uint32_t i = low;
        uint32_t j = high;
        for (;;) {
            while (item_less(&items[i], &pivot, by_lon)) {
                i++;
            }
            while (item_less(&pivot, &items[j], by_lon)) {
                j--;
            }
            if (i >= j) {
                break;
            }
            item_swap(&items[i++], &items[j--]);
        }
        /* [low, i) holds nothing above the pivot, [i, high] nothing below it */
        if (i == low) {
            i++; /* the pivot was the smallest and stood first */
        }
        if (first < i) {
            high = i - 1;
        } else {
            low = i;
        }
    }
}

/* Halves a range in place; false when it fits one leaf and is done. */
static bool split(struct ht_snap_item *items, struct range range, struct range halves[2])
{
    while (range.count <= range.child && range.child > HT_SNAP_FAN) {
        range.child /= HT_SNAP_FAN;
    }
    if (range.count <= range.child) {
        return false;
    }
    struct ht_snap_item *own = items + range.begin;
    struct ht_box box = ht_box_empty();
    for (uint32_t i = 0; i < range.count; i++) {
        box = ht_box_grow(box, own[i].middle);
    }
    struct ht_scale scale = ht_scale_at((int32_t)(((int64_t)box.min.lat_e7 + box.max.lat_e7) / 2));
    double width = (double)((int64_t)box.max.lon_e7 - box.min.lon_e7) * scale.lon_m;
    double height = (double)((int64_t)box.max.lat_e7 - box.min.lat_e7) * scale.lat_m;
    uint64_t children = (range.count + range.child - 1) / range.child;
    uint32_t first = (uint32_t)(children / 2 * range.child);
    select_first(own, range.count, first, width > height);
    halves[0] = (struct range){range.begin, first, range.child};
    halves[1] = (struct range){range.begin + first, range.count - first, range.child};
    return true;
}

static void split_all(struct ht_snap_item *items, struct range range)
{
    struct range stack[64]; /* each split halves the number of leaves: 32 bits of them at most */
    uint32_t depth = 0;
    stack[depth++] = range;
    while (depth > 0) {
        struct range halves[2];
        if (split(items, stack[--depth], halves)) {
            stack[depth++] = halves[1];
            stack[depth++] = halves[0];
        }
    }
}

static void split_piece(void *user, size_t piece, size_t worker)
{
    struct order *order = user;
    struct range *halves = order->halves + 2 * piece;
    (void)worker;
    if (!split(order->items, order->ranges[piece], halves)) {
        halves[0] = (struct range){0};
        halves[1] = (struct range){0};
    }
}

static void finish_piece(void *user, size_t piece, size_t worker)
{
    struct order *order = user;
    (void)worker;
    split_all(order->items, order->ranges[piece]);
}

void ht_snap__order(struct ht_snap_item *items, uint32_t count, struct ht_pool *pool)
{
    struct range whole = {.count = count, .child = HT_SNAP_FAN};
    while (whole.child * HT_SNAP_FAN < count) {
        whole.child *= HT_SNAP_FAN;
    }
    if (pool == NULL) {
        split_all(items, whole);
        return;
    }
    struct order order = {.items = items, .ranges = {whole}};
    uint32_t ranges = 1;
    while (ranges > 0 && ranges < RANGES) {
        ht_pool_run(pool, ranges, split_piece, &order);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < 2 * ranges; i++) {
            if (order.halves[i].count > 0) {
                order.ranges[kept++] = order.halves[i];
            }
        }
        ranges = kept;
    }
    ht_pool_run(pool, ranges, finish_piece, &order);
}
