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
#include <stdint.h>

#include "engine/road/key.h"

/* Edges of one vertex on one side. */
struct ht_row {
    const uint16_t *depth;
    const uint64_t *time;
    const uint32_t *length;
    uint32_t count;
};

/* Tentative costs by depth. `before`: where each came from. */
struct ht_lane {
    uint64_t *time;
    uint32_t *length;
    uint32_t *before;
};

/* For each edge i: lane[depth[i]] = min(lane[depth[i]], from + edge[i]). */
static inline void ht_relax_row(struct ht_row row, struct ht_key from, struct ht_lane lane)
{
    for (uint32_t i = 0; i < row.count; i++) {
        uint32_t d = row.depth[i];
        struct ht_key key = {from.time + row.time[i], from.length + row.length[i]};
        if (ht_key_less(key, (struct ht_key){lane.time[d], lane.length[d]})) {
            lane.time[d] = key.time;
            lane.length[d] = key.length;
        }
    }
}

/* The same, noting lane.before[depth[i]] = spot where the cost changed. */
static inline void ht_relax_row_from(struct ht_row row, struct ht_key from, struct ht_lane lane,
                                     uint32_t spot)
{
    for (uint32_t i = 0; i < row.count; i++) {
        uint32_t d = row.depth[i];
        struct ht_key key = {from.time + row.time[i], from.length + row.length[i]};
        if (ht_key_less(key, (struct ht_key){lane.time[d], lane.length[d]})) {
            lane.time[d] = key.time;
            lane.length[d] = key.length;
            lane.before[d] = spot;
        }
    }
}

/* min over edges of lane[depth[i]] + edge[i], or `best` where that is less. */
static inline struct ht_key ht_pull_row(struct ht_row row, struct ht_lane lane, struct ht_key best)
{
    for (uint32_t i = 0; i < row.count; i++) {
        uint32_t d = row.depth[i];
        struct ht_key key = {lane.time[d] + row.time[i], lane.length[d] + row.length[i]};
        if (ht_key_less(key, best)) {
            best = key;
        }
    }
    return best;
}

/* min over i < count of a[i] + b[i]; infinite for none. */
struct ht_key ht_min_plus(const uint64_t *a_time, const uint32_t *a_length, const uint64_t *b_time,
                          const uint32_t *b_length, uint32_t count);

/* True when the wide loops run; tests switch them off and on. */
bool ht_relax_is_wide(void);
void ht__relax_set_wide(bool wide);

#endif
