/* Relax: the inner loops of customization and queries. One row of edges, whose upper ends are named
 * by tree depth, against tentative costs indexed by tree depth.
 *
 * Threading: pure functions of their arguments.
 */
#ifndef HT_ENGINE_ROAD_RELAX_H
#define HT_ENGINE_ROAD_RELAX_H

#include <stdint.h>

#include "engine/road/key.h"

/* For each edge i: to[depth[i]] = min(to[depth[i]], from + edge[i]). */
static inline void ht_relax_row(const uint16_t *depth, const uint64_t *time, const uint32_t *length,
                                uint32_t count, struct ht_key from, uint64_t *to_time,
                                uint32_t *to_length)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t d = depth[i];
        uint64_t t = from.time + time[i];
        uint32_t l = from.length + length[i];
        if (t < to_time[d] || (t == to_time[d] && ht_length_less(l, to_length[d]))) {
            to_time[d] = t;
            to_length[d] = l;
        }
    }
}

/* The same, noting in before[depth[i]] that the cost came from `spot`. */
static inline void ht_relax_row_from(const uint16_t *depth, const uint64_t *time,
                                     const uint32_t *length, uint32_t count, struct ht_key from,
                                     uint64_t *to_time, uint32_t *to_length, uint32_t *before,
                                     uint32_t spot)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t d = depth[i];
        uint64_t t = from.time + time[i];
        uint32_t l = from.length + length[i];
        if (t < to_time[d] || (t == to_time[d] && ht_length_less(l, to_length[d]))) {
            to_time[d] = t;
            to_length[d] = l;
            before[d] = spot;
        }
    }
}

#endif
