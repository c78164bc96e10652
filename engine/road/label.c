#include "engine/road/label.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/cch.h"

enum { CHUNK_BYTES = 1 << 20 };

struct chunk {
    struct chunk *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

struct ht_label_store {
    struct chunk *chunks; /* the one in use first */
    struct ht_seeds seeds;
};

enum ht_status ht_label_store_new(struct ht_label_store **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_label_store_clear(struct ht_label_store *store)
{
    /* the last chunk is kept for the next use */
    while (store->chunks != NULL && store->chunks->next != NULL) {
        struct chunk *next = store->chunks->next;
        free(store->chunks);
        store->chunks = next;
    }
    if (store->chunks != NULL) {
        store->chunks->used = 0;
    }
}

void ht_label_store_free(struct ht_label_store *store)
{
    if (store == NULL) {
        return;
    }
    ht_label_store_clear(store);
    free(store->chunks);
    ht_seeds_deinit(&store->seeds);
    free(store);
}

static void *take(struct ht_label_store *store, size_t bytes)
{
    bytes = (bytes + 63) / 64 * 64;
    struct chunk *chunk = store->chunks;
    if (chunk == NULL || chunk->size - chunk->used < bytes) {
        size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        chunk = malloc(sizeof *chunk + size);
        if (chunk == NULL) {
            return NULL;
        }
        *chunk = (struct chunk){.next = store->chunks, .size = size};
        store->chunks = chunk;
    }
    void *taken = (char *)chunk->data + chunk->used;
    chunk->used += bytes;
    return taken;
}

/* A branch while it grows. */
struct grow {
    uint32_t *vertex;
    uint64_t *time;
    uint32_t *length;
    uint32_t at;     /* next vertex to settle, HT_NONE: past the root or merged */
    uint32_t into;   /* the branch it was merged into, HT_NONE: none */
    uint32_t shared; /* levels it shares with that one */
};

static bool grow_init(struct ht_label_store *store, const struct ht_metric *metric,
                      struct ht_seed seed, struct grow *grow, struct ht_branch *branch)
{
    uint32_t count = metric->climb[seed.vertex].depth + UINT32_C(1);
    grow->vertex = take(store, count * sizeof *grow->vertex);
    grow->time = take(store, count * sizeof *grow->time);
    grow->length = take(store, count * sizeof *grow->length);
    if (grow->vertex == NULL || grow->time == NULL || grow->length == NULL) {
        return false;
    }
    for (uint32_t d = 0; d + 1 < count; d++) {
        grow->time[d] = HT_TIME_INF;
    }
    memset(grow->length, 0, count * sizeof *grow->length);
    grow->time[count - 1] = seed.key.time;
    grow->length[count - 1] = seed.key.length;
    grow->at = seed.vertex;
    grow->into = HT_NONE;
    *branch = (struct ht_branch){count, grow->vertex, grow->time, grow->length};
    return true;
}

static void grow_merge(struct grow *list, uint32_t count, uint32_t keep, uint32_t depth)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i == keep || list[i].at != list[keep].at) {
            continue;
        }
        for (uint32_t d = 0; d <= depth; d++) {
            struct ht_key key = {list[i].time[d], list[i].length[d]};
            if (ht_key_less(key, (struct ht_key){list[keep].time[d], list[keep].length[d]})) {
                list[keep].time[d] = key.time;
                list[keep].length[d] = key.length;
            }
        }
        list[i].at = HT_NONE;
        list[i].into = keep;
        list[i].shared = depth + 1;
    }
}

static void grow_step(const struct ht_road *road, bool target, struct grow *grow)
{
    uint32_t v = grow->at;
    const struct ht_climb *climb = &road->metric->climb[v];
    uint32_t depth = climb->depth;
    struct ht_key key = {grow->time[depth], grow->length[depth]};
    grow->vertex[depth] = v;
    grow->at = ht_metric_parent(road->metric, v);
    if (ht_time_finite(key.time)) {
        ht_relax_row(ht_metric_row(road->metric, target ? 1 : 0, v), key,
                     (struct ht_lane){grow->time, grow->length, NULL});
    }
}

/* Merged branches take over what the one that went on found above. That one may have been merged
 * itself, higher up: a round for each branch settles the longest chain. */
static void grow_finish(struct grow *list, uint32_t count)
{
    for (uint32_t round = 1; round < count; round++) {
        for (uint32_t i = 0; i < count; i++) {
            if (list[i].into != HT_NONE) {
                const struct grow *from = &list[list[i].into];
                memcpy(list[i].vertex, from->vertex, list[i].shared * sizeof *from->vertex);
                memcpy(list[i].time, from->time, list[i].shared * sizeof *from->time);
                memcpy(list[i].length, from->length, list[i].shared * sizeof *from->length);
            }
        }
    }
}

/* Levels that every pair of branches shares. */
static uint32_t common_levels(const struct ht_branch *branches, uint32_t count)
{
    uint32_t levels = branches[0].count;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t d = 0;
        uint32_t most = branches[i].count < levels ? branches[i].count : levels;
        while (d < most && branches[i].vertex[d] == branches[0].vertex[d]) {
            d++;
        }
        levels = d;
    }
    return levels;
}

static enum ht_status grow_all(struct ht_label_store *store, const struct ht_road *road,
                               bool target, struct grow *list, struct ht_label *out)
{
    const struct ht_seeds *seeds = &store->seeds;
    for (uint32_t i = 0; i < seeds->count; i++) {
        if (!grow_init(store, road->metric, seeds->list[i], &list[i], &out->branches[i])) {
            return HT_NOMEM;
        }
    }
    for (;;) {
        uint32_t low = 0;
        for (uint32_t i = 1; i < seeds->count; i++) {
            low = list[i].at < list[low].at ? i : low;
        }
        if (list[low].at == HT_NONE) {
            break;
        }
        if (seeds->count > 1) {
            grow_merge(list, seeds->count, low, road->metric->climb[list[low].at].depth);
        }
        grow_step(road, target, &list[low]);
    }
    grow_finish(list, seeds->count);
    out->met = common_levels(out->branches, out->branch_count);
    return HT_OK;
}

enum ht_status ht_label_build(struct ht_label_store *store, const struct ht_road *road,
                              const struct ht_place *place, bool target, struct ht_label *out)
{
    enum ht_status status = target ? ht__seeds_target(&store->seeds, road, place, HT_SIDES_BOTH)
                                   : ht__seeds_source(&store->seeds, road, place, HT_SIDES_BOTH);
    if (status != HT_OK) {
        return status;
    }
    uint32_t count = store->seeds.count;
    *out = (struct ht_label){.branch_count = count, .bias = store->seeds.bias};
    if (count == 0) {
        return HT_OK;
    }
    out->branches = take(store, count * sizeof *out->branches);
    struct grow *list = take(store, count * sizeof *list);
    return out->branches == NULL || list == NULL ? HT_NOMEM
                                                 : grow_all(store, road, target, list, out);
}

/* Levels from the root on which both branches stand on the same vertices. */
static uint32_t shared_levels(const struct ht_branch *a, const struct ht_branch *b)
{
    uint32_t low = 0;
    uint32_t high = a->count < b->count ? a->count : b->count;
    while (low < high) { /* same up to low, different from high */
        uint32_t middle = low + (high - low) / 2;
        if (a->vertex[middle] == b->vertex[middle]) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct ht_key join_branches(const struct ht_branch *a, const struct ht_branch *b,
                                   uint32_t levels)
{
    return ht_min_plus(a->time, a->length, b->time, b->length, levels);
}

struct ht_key ht_label_join(const struct ht_label *source, const struct ht_label *target)
{
    struct ht_key best = ht_key_inf();
    if (source->branch_count == 0 || target->branch_count == 0) {
        return best;
    }
    uint32_t levels = shared_levels(&source->branches[0], &target->branches[0]);
    best = join_branches(&source->branches[0], &target->branches[0], levels);
    if (levels >= source->met || levels >= target->met) {
        /* the ways to the root part before all branches have met: every pair counts */
        for (uint32_t i = 0; i < source->branch_count; i++) {
            for (uint32_t k = i == 0 ? 1 : 0; k < target->branch_count; k++) {
                const struct ht_branch *a = &source->branches[i];
                const struct ht_branch *b = &target->branches[k];
                struct ht_key key = join_branches(a, b, shared_levels(a, b));
                best = ht_key_less(key, best) ? key : best;
            }
        }
    }
    return ht_time_finite(best.time) ? ht_key_sub(best, source->bias) : best;
}
