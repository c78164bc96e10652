/* Relax: the inner loops of customization, queries and tables.
 *
 * A row of edges, whose upper ends are named by tree depth, against tentative costs indexed by tree
 * depth; and the best sum of two rows of costs. Keys are (time, length) as in key.h. With AVX-512
 * eight edges at a time, chosen when the program starts; the plain loops serve all other machines
 * and are what the wide ones are tested against.
 *
 * Threading: pure functions of their arguments. Rows name each depth at most once.
 */
#ifndef HT_ENGINE_ROAD_RELAX_H
#define HT_ENGINE_ROAD_RELAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/road/key.h"

/* Edges of one vertex on one side. Their times are in `time` or, where that is NULL, in `brief`: a
 * number below HT_BRIEF_WIDE is both weight and duration, which are the same nearly always (in all
 * but 1 % of edges where a profile weighs by duration, 12 % in `car`, on the sample city); others,
 * less HT_BRIEF_WIDE, say which of `wide` it is. */
struct ht_row {
    const uint16_t *depth;
    const uint64_t *time;
    const uint32_t *brief;
    const uint64_t *wide;
    const uint32_t *length;
    uint32_t count;
};

#define HT_BRIEF_WIDE (UINT32_C(1) << 31)
static_assert(HT_WEIGHT_INF < HT_BRIEF_WIDE, "a weight leaves the highest bit free");

/* Tentative costs by depth. `before`: where each came from. */
struct ht_lane {
    uint64_t *time;
    uint32_t *length;
    uint32_t *before;
};

static inline uint64_t ht_brief_time(const uint32_t *brief, const uint64_t *wide, uint32_t i)
{
    uint32_t t = brief[i];
    return t < HT_BRIEF_WIDE ? ht_time_pack(t, t) : wide[t - HT_BRIEF_WIDE];
}

/* The time of edge i; `brief` says which of the two forms the row has and is known to the compiler,
 * which makes a loop for each. */
static inline uint64_t ht__row_time(struct ht_row row, uint32_t i, bool brief)
{
    return brief ? ht_brief_time(row.brief, row.wide, i) : row.time[i];
}

/* False when `time` and the brief edge t weigh more than `than` together, as most do. Wide edges
 * pass, since they make the sum negative; where a sum with one wraps to above zero again, `time` is
 * so near the limit that the edge is indeed no use (numbers of wide times stay below 2^30). */
static inline bool ht__brief_may(uint64_t time, uint32_t t, uint64_t than)
{
    return (int32_t)((uint32_t)(time >> 32) + t) <= (int32_t)(than >> 32);
}

__attribute__((always_inline)) static inline void ht__relax(struct ht_row row, struct ht_key from,
                                                            struct ht_lane lane,
                                                            const uint32_t *spot, bool brief)
{
    for (uint32_t i = 0; i < row.count; i++) {
        uint32_t d = row.depth[i];
        if (brief && !ht__brief_may(from.time, row.brief[i], lane.time[d])) {
            continue;
        }
        struct ht_key key = {from.time + ht__row_time(row, i, brief), from.length + row.length[i]};
        if (ht_key_less(key, (struct ht_key){lane.time[d], lane.length[d]})) {
            lane.time[d] = key.time;
            lane.length[d] = key.length;
            if (spot != NULL) {
                lane.before[d] = *spot;
            }
        }
    }
}

/* For each edge i: lane[depth[i]] = min(lane[depth[i]], from + edge[i]). */
static inline void ht_relax_row(struct ht_row row, struct ht_key from, struct ht_lane lane)
{
    if (row.time != NULL) {
        ht__relax(row, from, lane, NULL, false);
    } else {
        ht__relax(row, from, lane, NULL, true);
    }
}

/* The same, noting lane.before[depth[i]] = spot where the cost changed. */
static inline void ht_relax_row_from(struct ht_row row, struct ht_key from, struct ht_lane lane,
                                     uint32_t spot)
{
    if (row.time != NULL) {
        ht__relax(row, from, lane, &spot, false);
    } else {
        ht__relax(row, from, lane, &spot, true);
    }
}

__attribute__((always_inline)) static inline struct ht_key
ht__pull_ties(struct ht_row row, struct ht_lane lane, struct ht_key best, bool brief)
{
    for (uint32_t i = 0; i < row.count; i++) {
        uint32_t d = row.depth[i];
        struct ht_key key = {lane.time[d] + ht__row_time(row, i, brief),
                             lane.length[d] + row.length[i]};
        if (ht_key_less(key, best)) {
            best = key;
        }
    }
    return best;
}

/* Which edge is the least can't be foretold, and a wrong guess costs as much as five edges: times
 * are compared without a branch, lengths only where times tie. */
__attribute__((always_inline)) static inline struct ht_key
ht__pull(struct ht_row row, struct ht_lane lane, struct ht_key best, bool brief)
{
    uint64_t least = best.time;
    uint32_t at = HT_NONE;
    uint32_t ties = 0;
    for (uint32_t i = 0; i < row.count; i++) {
        uint64_t time = lane.time[row.depth[i]] + ht__row_time(row, i, brief);
        uint64_t less = -(uint64_t)(time < least);
        ties |= (uint32_t)(time == least);
        least ^= (least ^ time) & less; /* written as a choice it becomes a branch again */
        at ^= (at ^ i) & (uint32_t)less;
    }
    if (ties != 0) {
        return ht__pull_ties(row, lane, best, brief);
    }
    return at == HT_NONE ? best
                         : (struct ht_key){least, lane.length[row.depth[at]] + row.length[at]};
}

/* min over edges of lane[depth[i]] + edge[i], or `best` where that is less. */
static inline struct ht_key ht_pull_row(struct ht_row row, struct ht_lane lane, struct ht_key best)
{
    return row.time != NULL ? ht__pull(row, lane, best, false) : ht__pull(row, lane, best, true);
}

/* min over i < count of a[i] + b[i]; infinite for none. */
struct ht_key ht_min_plus(const uint64_t *a_time, const uint32_t *a_length, const uint64_t *b_time,
                          const uint32_t *b_length, uint32_t count);

/* True when the wide loops run; tests switch them off and on. */
bool ht_relax_is_wide(void);
void ht__relax_set_wide(bool wide);

#endif
