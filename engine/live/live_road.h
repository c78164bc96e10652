/* Live road: a profile's streets as they are at some time, held by whoever still reads them.
 *
 * Threading: retain and release from any thread. Ownership: the last release gives it back to the
 * room that made it (conditions.h, traffic.h).
 */
#ifndef HT_ENGINE_LIVE_LIVE_ROAD_H
#define HT_ENGINE_LIVE_LIVE_ROAD_H

#include <stdatomic.h>

#include "engine/live/world.h"

struct ht_live_road {
    atomic_size_t references;
    struct ht_world_road view;
    void (*done)(struct ht_live_road *live); /* after the last release */
};

static inline void ht_live_road_retain(struct ht_live_road *live)
{
    (void)atomic_fetch_add_explicit(&live->references, 1, memory_order_relaxed);
}

/* NULL is fine. */
static inline void ht_live_road_release(struct ht_live_road *live)
{
    if (live != NULL &&
        atomic_fetch_sub_explicit(&live->references, 1, memory_order_acq_rel) == 1) {
        live->done(live);
    }
}

#endif
