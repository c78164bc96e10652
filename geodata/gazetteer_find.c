/* Finding: rank by rank, the sets of items that each word leads to, their section, the best of it.
 *
 *   rank 0:   word 1 {..}  AND  word 2 {..}       a word: its whole, or all of its parts
 *   rank 1:   word 1 {....} AND word 2 {...}      sets grow with the rank
 *   ...       until there are enough hits
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/key.h"
#include "geodata/gazetteer_internal.h"

/* A hit while others may still go before it. */
struct candidate {
    int rank;
    double far; /* squared metres in the plane of the asked point, 0 without one */
    const struct ht__segment *segment;
    uint32_t item;
};

struct ht_gazetteer_work {
    struct ht__query query;
    struct ht__snapshot *snapshot;
    uint64_t *bits; /* sets of all segments, one after the other; atoms, then `now` and `seen` */
    size_t bits_capacity;
    size_t words; /* of one set */
    struct candidate best[HT_GAZETTEER_LIMIT];
    size_t count;
    struct ht_gazetteer_hit hits[HT_GAZETTEER_LIMIT];
    struct ht_text labels;
    struct ht_scale scale;
};

enum ht_status ht_gazetteer_work_new(struct ht_gazetteer_work **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_gazetteer_work_free(struct ht_gazetteer_work *work)
{
    if (work != NULL) {
        ht__gazetteer_query_deinit(&work->query);
        ht_text_deinit(&work->labels);
        free(work->bits);
        free(work);
    }
}

static size_t words_of(const struct ht__segment *segment)
{
    return ((size_t)segment->count + 63) / 64;
}

/* ---- sets ---- */

static uint64_t *set_of(const struct ht_gazetteer_work *work, size_t number)
{
    return work->bits + number * work->words;
}

static enum ht_status sets_clear(struct ht_gazetteer_work *work)
{
    void *bits = work->bits;
    work->words = 0;
    for (uint32_t s = 0; s < work->snapshot->count; s++) {
        work->words += words_of(work->snapshot->segments[s]);
    }
    size_t all = work->words * ((size_t)work->query.atom_count + 2);
    enum ht_status status =
        ht_array_reserve(&bits, &work->bits_capacity, all + 1, sizeof *work->bits);
    work->bits = bits;
    if (status == HT_OK) {
        memset(work->bits, 0, all * sizeof *work->bits);
    }
    return status;
}

/* Whether any item is in a set. */
static bool set_any(const uint64_t *set, size_t words)
{
    uint64_t any = 0;
    for (size_t i = 0; i < words && any == 0; i++) {
        any |= set[i];
    }
    return any != 0;
}

/* All parts of a word, 64 items at once. */
static uint64_t parts_at(const struct ht_gazetteer_work *work, const struct ht__word *word,
                         size_t at)
{
    uint64_t all = word->part_count == 0 ? 0 : UINT64_MAX;
    uint64_t run = UINT64_MAX;
    for (uint32_t p = word->part; p < word->part + word->part_count; p++) {
        bool in_run = word->run != HT_NONE && p >= word->run_begin && p < word->run_end;
        *(in_run ? &run : &all) &= set_of(work, p)[at];
    }
    return word->run == HT_NONE ? all : all & (run | set_of(work, word->run)[at]);
}

/* What matches every word in one segment, whose sets begin at `at`, into `now`. */
static void section(struct ht_gazetteer_work *work, size_t at, size_t words)
{
    const struct ht__query *query = &work->query;
    uint64_t *now = set_of(work, query->atom_count) + at;
    memset(now, 0xff, words * sizeof *now);
    for (uint32_t w = 0; w < query->word_count; w++) {
        const struct ht__word *word = &query->words[w];
        const uint64_t *whole = set_of(work, word->whole) + at;
        for (size_t i = 0; i < words; i++) {
            now[i] &= word->part_count == 0 ? whole[i] : whole[i] | parts_at(work, word, at + i);
        }
    }
    if (query->whole != HT_NONE) {
        const uint64_t *whole = set_of(work, query->whole) + at;
        for (size_t i = 0; i < words; i++) {
            now[i] |= whole[i];
        }
    }
}

/* ---- the best ---- */

static int order(const struct candidate *a, const struct candidate *b)
{
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    if (a->far != b->far) {
        return a->far < b->far ? -1 : 1;
    }
    int kind_a = (int)ht__segment_kind(a->segment, a->item);
    int kind_b = (int)ht__segment_kind(b->segment, b->item);
    return kind_a != kind_b ? kind_a - kind_b
                            : ht__id_compare(ht__segment_id(a->segment, a->item),
                                             ht__segment_id(b->segment, b->item));
}

static void best_put(struct ht_gazetteer_work *work, uint32_t limit, const struct candidate *one)
{
    if (work->count == limit && order(one, &work->best[limit - 1]) >= 0) {
        return;
    }
    size_t i = work->count < limit ? work->count++ : limit - 1;
    for (; i > 0 && order(one, &work->best[i - 1]) < 0; i--) {
        work->best[i] = work->best[i - 1];
    }
    work->best[i] = *one;
}

static double far_of(const struct ht_gazetteer_work *work, const struct ht_gazetteer_ask *ask,
                     struct ht_point point)
{
    if (!ask->near) {
        return 0;
    }
    if (point.lat_e7 == HT__NOWHERE) {
        return INFINITY;
    }
    double east = ((double)point.lon_e7 - ask->point.lon_e7) * 1e-7 * work->scale.lon_m;
    double north = ((double)point.lat_e7 - ask->point.lat_e7) * 1e-7 * work->scale.lat_m;
    return east * east + north * north;
}

/* The items of `now` that were not seen before. They come in the order that decides where no place
 * is given; `limit` of them are enough then. */
static void collect(struct ht_gazetteer_work *work, const struct ht_gazetteer_ask *ask,
                    const struct ht__segment *segment, size_t at, int rank)
{
    const uint64_t *now = set_of(work, work->query.atom_count) + at;
    uint64_t *seen = set_of(work, (size_t)work->query.atom_count + 1) + at;
    size_t words = words_of(segment);
    bool some_gone = atomic_load_explicit(&segment->gone_count, memory_order_relaxed) > 0;
    uint32_t taken = 0;
    for (size_t i = 0; i < words && (ask->near || taken < ask->limit); i++) {
        uint64_t left = now[i] & ~seen[i];
        seen[i] |= now[i];
        for (; left != 0; left &= left - 1) {
            uint32_t item = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(left);
            if (item >= segment->count) {
                break;
            }
            struct candidate one = {rank, far_of(work, ask, segment->points[item]), segment, item};
            if ((work->count == ask->limit && rank == work->best[ask->limit - 1].rank &&
                 one.far > work->best[ask->limit - 1].far) ||
                (some_gone && atomic_load_explicit(&segment->gone[item], memory_order_relaxed) <=
                                  work->snapshot->version) ||
                (ask->kinds >> ht__segment_kind(segment, item) & 1) == 0) {
                continue;
            }
            best_put(work, ask->limit, &one);
            taken++;
        }
    }
}

/* One rank in all segments. */
static void rank_run(struct ht_gazetteer_work *work, const struct ht_gazetteer_ask *ask, int rank)
{
    size_t at = 0;
    for (uint32_t s = 0; s < work->snapshot->count; s++) {
        const struct ht__segment *segment = work->snapshot->segments[s];
        size_t words = words_of(segment);
        bool wanted = segment->personal ? (ask->kinds >> HT_GAZETTEER_HOUSEHOLDS & 1) != 0
                                        : (ask->kinds & ((1U << HT_GAZETTEER_HOUSEHOLDS) - 1)) != 0;
        for (uint32_t a = 0; wanted && a < work->query.atom_count; a++) {
            ht__gazetteer_match(segment, &work->query.atoms[a], rank, ask->personal,
                                set_of(work, a) + at);
        }
        if (wanted) {
            section(work, at, words);
        }
        if (wanted && set_any(set_of(work, work->query.atom_count) + at, words)) {
            collect(work, ask, segment, at, rank);
        }
        at += words;
    }
}

/* ---- the answer ---- */

/* Copies, so that the snapshot can go. */
static enum ht_status hits_write(struct ht_gazetteer_work *work)
{
    size_t label_at[HT_GAZETTEER_LIMIT];
    ht_text_clear(&work->labels);
    for (size_t i = 0; i < work->count; i++) {
        const struct candidate *one = &work->best[i];
        struct ht_gazetteer_hit *hit = &work->hits[i];
        const char *id = ht__segment_id(one->segment, one->item);
        hit->kind = ht__segment_kind(one->segment, one->item);
        hit->rank = one->rank;
        memcpy(hit->id, id, strlen(id) + 1);
        hit->point = one->segment->points[one->item];
        hit->placed = hit->point.lat_e7 != HT__NOWHERE;
        label_at[i] = SIZE_MAX;
        if (one->segment->labels != NULL && one->segment->label_at[one->item] != HT_NONE) {
            const char *label = one->segment->labels + one->segment->label_at[one->item];
            label_at[i] = work->labels.size;
            ht_text_add(&work->labels, label, strlen(label) + 1);
        }
    }
    if (work->labels.failed) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < work->count; i++) {
        work->hits[i].label = label_at[i] == SIZE_MAX ? NULL : work->labels.data + label_at[i];
    }
    return HT_OK;
}

enum ht_status ht_gazetteer_find(struct ht_gazetteer *search, struct ht_gazetteer_work *work,
                                 const struct ht_gazetteer_ask *ask,
                                 const struct ht_gazetteer_hit **hits, size_t *count)
{
    struct ht_gazetteer_ask asked = *ask;
    asked.limit = ask->limit < HT_GAZETTEER_LIMIT ? ask->limit : HT_GAZETTEER_LIMIT;
    work->count = 0;
    *hits = work->hits;
    *count = 0;
    enum ht_status status = ht__gazetteer_query(&work->query, ask->query, ask->size);
    if (status != HT_OK || asked.limit == 0) {
        return status;
    }
    work->scale = ht_scale_at(ask->point.lat_e7);
    work->snapshot = ht__gazetteer_acquire(search);
    status = sets_clear(work);
    for (int rank = 0; status == HT_OK && rank < HT__RANKS && work->count < asked.limit; rank++) {
        rank_run(work, &asked, rank);
    }
    if (status == HT_OK) {
        status = hits_write(work);
    }
    ht__gazetteer_release(work->snapshot);
    work->snapshot = NULL;
    *count = status == HT_OK ? work->count : 0;
    return status;
}
