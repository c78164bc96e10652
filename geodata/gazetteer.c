/* Snapshots of segments: batches of changes, what is gone, merging. */
#include "geodata/gazetteer.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/key.h"
#include "geodata/gazetteer_internal.h"

enum {
    MERGE_AT_ONCE = 512, /* items: what an applier merges itself, some milliseconds at most */
    FACTOR = 4,          /* of the sizes of segments that stay side by side */
};

struct ht_gazetteer {
    pthread_mutex_t lock;  /* of `now` alone, while a reference is taken */
    pthread_mutex_t write; /* appliers, and the two ends of a merge */
    pthread_mutex_t tidy;
    struct ht__snapshot *now;
};

struct ht_gazetteer_batch {
    struct ht__builder builders[2]; /* [1]: personal */
    uint32_t cleared;               /* a bit for each kind */
};

static const char *const kind_names[HT_GAZETTEER_KINDS] = {"facilities", "factories", "streets",
                                                           "households"};

const char *ht_gazetteer_kind_name(enum ht_gazetteer_kind kind)
{
    return kind_names[kind];
}

bool ht_gazetteer_kind_find(const char *name, enum ht_gazetteer_kind *out)
{
    for (int kind = 0; kind < HT_GAZETTEER_KINDS; kind++) {
        if (strcmp(kind_names[kind], name) == 0) {
            *out = (enum ht_gazetteer_kind)kind;
            return true;
        }
    }
    return false;
}

/* ---- snapshots ---- */

/* Empty, with room for `count` segments. */
static struct ht__snapshot *snapshot_new(uint32_t count, uint64_t version)
{
    struct ht__snapshot *snapshot =
        malloc(sizeof *snapshot + (count + 1) * sizeof(struct ht__segment *));
    if (snapshot != NULL) {
        atomic_init(&snapshot->references, 1);
        snapshot->version = version;
        snapshot->count = 0;
    }
    return snapshot;
}

/* Takes a reference to the segment. */
static void snapshot_add(struct ht__snapshot *snapshot, struct ht__segment *segment)
{
    (void)atomic_fetch_add_explicit(&segment->references, 1, memory_order_relaxed);
    snapshot->segments[snapshot->count++] = segment;
}

struct ht__snapshot *ht__gazetteer_acquire(struct ht_gazetteer *search)
{
    (void)pthread_mutex_lock(&search->lock);
    struct ht__snapshot *snapshot = search->now;
    (void)atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
    (void)pthread_mutex_unlock(&search->lock);
    return snapshot;
}

void ht__gazetteer_release(struct ht__snapshot *snapshot)
{
    if (snapshot == NULL ||
        atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (uint32_t i = 0; i < snapshot->count; i++) {
        ht__segment_release(snapshot->segments[i]);
    }
    free(snapshot);
}

static void publish(struct ht_gazetteer *search, struct ht__snapshot *snapshot)
{
    (void)pthread_mutex_lock(&search->lock);
    struct ht__snapshot *before = search->now;
    search->now = snapshot;
    (void)pthread_mutex_unlock(&search->lock);
    ht__gazetteer_release(before);
}

enum ht_status ht_gazetteer_new(struct ht_gazetteer **out)
{
    struct ht_gazetteer *search = calloc(1, sizeof *search);
    struct ht__snapshot *empty = snapshot_new(0, 1);
    if (search == NULL || empty == NULL) {
        free(search);
        free(empty);
        return HT_NOMEM;
    }
    search->now = empty;
    (void)pthread_mutex_init(&search->lock, NULL);
    (void)pthread_mutex_init(&search->write, NULL);
    (void)pthread_mutex_init(&search->tidy, NULL);
    *out = search;
    return HT_OK;
}

void ht_gazetteer_free(struct ht_gazetteer *search)
{
    if (search == NULL) {
        return;
    }
    ht__gazetteer_release(search->now);
    (void)pthread_mutex_destroy(&search->lock);
    (void)pthread_mutex_destroy(&search->write);
    (void)pthread_mutex_destroy(&search->tidy);
    free(search);
}

/* ---- batches ---- */

enum ht_status ht_gazetteer_batch_new(struct ht_gazetteer_batch **out)
{
    *out = calloc(1, sizeof **out);
    if (*out == NULL) {
        return HT_NOMEM;
    }
    (*out)->builders[1].personal = true;
    return HT_OK;
}

void ht_gazetteer_batch_free(struct ht_gazetteer_batch *batch)
{
    if (batch != NULL) {
        ht__builder_deinit(&batch->builders[0]);
        ht__builder_deinit(&batch->builders[1]);
        free(batch);
    }
}

static struct ht__builder *builder_of(struct ht_gazetteer_batch *batch, enum ht_gazetteer_kind kind)
{
    return &batch->builders[kind == HT_GAZETTEER_HOUSEHOLDS];
}

enum ht_status ht_gazetteer_batch_put(struct ht_gazetteer_batch *batch,
                                      const struct ht_gazetteer_item *item)
{
    return ht__builder_put(builder_of(batch, item->kind), item);
}

enum ht_status ht_gazetteer_batch_remove(struct ht_gazetteer_batch *batch,
                                         enum ht_gazetteer_kind kind, const char *id)
{
    return ht__builder_remove(builder_of(batch, kind), kind, id);
}

void ht_gazetteer_batch_clear(struct ht_gazetteer_batch *batch, enum ht_gazetteer_kind kind)
{
    batch->cleared |= UINT32_C(1) << kind;
}

/* ---- what is gone ---- */

static void item_end(struct ht__segment *segment, uint32_t item, uint64_t version)
{
    if (atomic_load_explicit(&segment->gone[item], memory_order_relaxed) == HT__ALIVE) {
        atomic_store_explicit(&segment->gone[item], version, memory_order_relaxed);
        (void)atomic_fetch_add_explicit(&segment->gone_count, 1, memory_order_relaxed);
    }
}

/* All that the batch puts, removes or clears, in the segments that there are. */
static void items_end(const struct ht__snapshot *now, const struct ht_gazetteer_batch *batch,
                      uint64_t version)
{
    for (uint32_t s = 0; s < now->count; s++) {
        struct ht__segment *segment = now->segments[s];
        const struct ht__builder *builder = &batch->builders[segment->personal];
        for (uint32_t i = 0; i < builder->count; i++) {
            enum ht_gazetteer_kind kind =
                (enum ht_gazetteer_kind)(builder->kinds[i] & ~(unsigned)HT__REMOVED);
            uint32_t item = ht__segment_find(segment, kind, builder->ids + builder->id_at[i]);
            if (item != HT_NONE) {
                item_end(segment, item, version);
            }
        }
        for (int kind = 0; kind < HT_GAZETTEER_KINDS; kind++) {
            bool cleared = (batch->cleared >> kind & 1) != 0;
            for (uint32_t i = segment->kind_first[kind];
                 cleared && i < segment->kind_first[kind + 1]; i++) {
                item_end(segment, i, version);
            }
        }
    }
}

static uint32_t alive(const struct ht__segment *segment)
{
    return segment->count - atomic_load_explicit(&segment->gone_count, memory_order_relaxed);
}

/* ---- merging ---- */

static enum ht_status merge(struct ht__segment *const *segments, uint32_t count, uint64_t version,
                            struct ht__segment **out)
{
    struct ht__builder builder = {.personal = segments[0]->personal};
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < count; i++) {
        status = ht__builder_add(&builder, segments[i], version);
    }
    if (status == HT_OK) {
        status = ht__builder_finish(&builder, out);
    }
    ht__builder_deinit(&builder);
    return status;
}

/* The last two segments of a kind of segments; false: there are no two. */
static bool last_two(const struct ht__snapshot *snapshot, bool personal, uint32_t two[2])
{
    uint32_t found = 0;
    for (uint32_t i = snapshot->count; i > 0 && found < 2; i--) {
        if (snapshot->segments[i - 1]->personal == personal) {
            two[1 - found++] = i - 1;
        }
    }
    return found == 2;
}

static void snapshot_cut(struct ht__snapshot *snapshot, uint32_t at)
{
    ht__segment_release(snapshot->segments[at]);
    memmove(snapshot->segments + at, snapshot->segments + at + 1,
            (snapshot->count - at - 1) * sizeof(struct ht__segment *));
    snapshot->count--;
}

/* Merges small ones at the end of a snapshot that nobody sees yet. Where memory is short they stay.
 */
static void merge_last(struct ht__snapshot *snapshot, bool personal)
{
    uint32_t two[2];
    while (last_two(snapshot, personal, two)) {
        struct ht__segment *pair[2] = {snapshot->segments[two[0]], snapshot->segments[two[1]]};
        struct ht__segment *merged = NULL;
        if (pair[0]->busy || pair[1]->busy || pair[0]->count + pair[1]->count > MERGE_AT_ONCE ||
            pair[0]->count > 2 * pair[1]->count ||
            merge(pair, 2, snapshot->version, &merged) != HT_OK) {
            return;
        }
        snapshot_cut(snapshot, two[1]);
        ht__segment_release(pair[0]);
        snapshot->segments[two[0]] = merged;
    }
}

/* ---- applying ---- */

static enum ht_status segments_make(struct ht_gazetteer_batch *batch, struct ht__segment *made[2])
{
    enum ht_status status = HT_OK;
    for (int i = 0; status == HT_OK && i < 2; i++) {
        made[i] = NULL;
        if (batch->builders[i].count > 0) {
            status = ht__builder_finish(&batch->builders[i], &made[i]);
        }
    }
    return status;
}

enum ht_status ht_gazetteer_apply(struct ht_gazetteer *search, struct ht_gazetteer_batch *batch)
{
    struct ht__segment *made[2] = {NULL, NULL};
    enum ht_status status = segments_make(batch, made);
    (void)pthread_mutex_lock(&search->write);
    const struct ht__snapshot *now = search->now; /* only writers change it */
    struct ht__snapshot *next =
        status == HT_OK ? snapshot_new(now->count + 2, now->version + 1) : NULL;
    if (next != NULL) {
        items_end(now, batch, next->version);
        for (uint32_t i = 0; i < now->count; i++) {
            if (alive(now->segments[i]) > 0 || now->segments[i]->busy) {
                snapshot_add(next, now->segments[i]);
            }
        }
        for (int i = 0; i < 2; i++) {
            if (made[i] != NULL && made[i]->count > 0) {
                snapshot_add(next, made[i]);
                merge_last(next, made[i]->personal);
            }
        }
        publish(search, next);
    } else if (status == HT_OK) {
        status = HT_NOMEM;
    }
    (void)pthread_mutex_unlock(&search->write);
    ht__segment_release(made[0]);
    ht__segment_release(made[1]);
    ht_gazetteer_batch_free(batch);
    return status;
}

/* ---- tidying ---- */

/* Which segments are to become one; they are marked and held. */
struct group {
    struct ht__segment **segments;
    uint32_t count;
    uint64_t version;
};

/* Segments from the last on for as long as those after one are not much smaller than it; or one
 * that is dead for a good part. */
static void group_choose(const struct ht__snapshot *now, bool personal, struct group *group)
{
    uint32_t first = now->count;
    uint64_t sum = 0;
    uint32_t seen = 0;
    uint32_t dead = HT_NONE;
    for (uint32_t i = now->count; i > 0; i--) {
        const struct ht__segment *segment = now->segments[i - 1];
        if (segment->personal != personal) {
            continue;
        }
        if (seen > 0 && alive(segment) <= sum * FACTOR) {
            first = i - 1;
        }
        if ((uint64_t)(segment->count - alive(segment)) * FACTOR > segment->count) {
            dead = i - 1;
        }
        sum += alive(segment);
        seen++;
    }
    group->count = 0;
    for (uint32_t i = first; i < now->count; i++) {
        if (now->segments[i]->personal == personal) {
            group->segments[group->count++] = now->segments[i];
        }
    }
    if (group->count == 0 && dead != HT_NONE) {
        group->segments[group->count++] = now->segments[dead];
    }
}

static enum ht_status group_take(struct ht_gazetteer *search, struct group *group)
{
    (void)pthread_mutex_lock(&search->write);
    const struct ht__snapshot *now = search->now;
    struct ht__segment **segments = ht_array_new(now->count, sizeof(struct ht__segment *));
    *group = (struct group){segments, 0, now->version};
    if (segments != NULL) {
        for (int personal = 0; personal < 2 && group->count == 0; personal++) {
            group_choose(now, personal != 0, group);
        }
        for (uint32_t i = 0; i < group->count; i++) {
            segments[i]->busy = true;
            (void)atomic_fetch_add_explicit(&segments[i]->references, 1, memory_order_relaxed);
        }
    }
    (void)pthread_mutex_unlock(&search->write);
    return segments == NULL ? HT_NOMEM : HT_OK;
}

static bool in_group(const struct group *group, const struct ht__segment *segment)
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (group->segments[i] == segment) {
            return true;
        }
    }
    return false;
}

/* What went while the merge was under way goes from its result, too. */
static void ends_repeat(const struct group *group, struct ht__segment *merged)
{
    for (uint32_t s = 0; s < group->count; s++) {
        const struct ht__segment *segment = group->segments[s];
        for (uint32_t i = 0; i < segment->count; i++) {
            uint64_t gone = atomic_load_explicit(&segment->gone[i], memory_order_relaxed);
            if (gone > group->version && gone != HT__ALIVE) {
                item_end(merged,
                         ht__segment_find(merged, ht__segment_kind(segment, i),
                                          ht__segment_id(segment, i)),
                         gone);
            }
        }
    }
}

/* Puts the result in the place of the first of them. */
static enum ht_status group_replace(struct ht_gazetteer *search, const struct group *group,
                                    struct ht__segment *merged)
{
    const struct ht__snapshot *now = search->now;
    struct ht__snapshot *next = snapshot_new(now->count + 1, now->version);
    if (next == NULL) {
        return HT_NOMEM;
    }
    ends_repeat(group, merged);
    for (uint32_t i = 0; i < now->count; i++) {
        if (now->segments[i] == group->segments[0] && alive(merged) > 0) {
            snapshot_add(next, merged);
        }
        if (!in_group(group, now->segments[i])) {
            snapshot_add(next, now->segments[i]);
        }
    }
    publish(search, next);
    return HT_OK;
}

static void group_leave(struct group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        group->segments[i]->busy = false;
        ht__segment_release(group->segments[i]);
    }
    free(group->segments);
}

enum ht_status ht_gazetteer_tidy(struct ht_gazetteer *search)
{
    enum ht_status status = HT_OK;
    bool more = true;
    (void)pthread_mutex_lock(&search->tidy);
    while (status == HT_OK && more) {
        struct group group;
        struct ht__segment *merged = NULL;
        status = group_take(search, &group);
        more = group.count > 0;
        if (status == HT_OK && more) {
            status = merge(group.segments, group.count, group.version, &merged);
        }
        (void)pthread_mutex_lock(&search->write);
        if (status == HT_OK && more) {
            status = group_replace(search, &group, merged);
        }
        group_leave(&group);
        (void)pthread_mutex_unlock(&search->write);
        ht__segment_release(merged);
    }
    (void)pthread_mutex_unlock(&search->tidy);
    return status;
}

void ht_gazetteer_stats_read(struct ht_gazetteer *search, struct ht_gazetteer_stats *out)
{
    struct ht__snapshot *now = ht__gazetteer_acquire(search);
    *out = (struct ht_gazetteer_stats){.segments = now->count};
    for (uint32_t i = 0; i < now->count; i++) {
        out->items += alive(now->segments[i]);
        out->terms += now->segments[i]->terms.count;
        out->bytes += now->segments[i]->bytes;
    }
    ht__gazetteer_release(now);
}
