/* Detour: roads for one question, which avoid some pieces of the streets as they are now.
 *
 * A road of this kind has arcs and a whole metric of its own. Making it from the streets of the
 * moment takes what the pieces that are cut touch (partial customization); what that changed is
 * logged and taken back for the next question, and what the streets became meanwhile is found by a
 * look at all arcs and replayed:
 *
 *     streets, state 7 -> cut A -> answer A, again A (the same road) -> back to 7
 *                      -> replay 8 -> cut B -> ...
 *
 * A road that nobody reads is kept as it is, so that the same question finds it again. Further ones
 * are made when all are being read, up to four; then questions wait. Of those whose questions come
 * again (`lasts`) up to sixteen are made before one is given up, and a change of the streets brings
 * each up to date by itself.
 *
 * A `light` road has arcs alone: its metric is that of the streets of the moment, a lower bound,
 * good for guided ways only (ht_query_guide). It takes nothing but the arcs that are cut, whatever
 * the metric would. One question reads it at a time. A road of the sample city
 * takes 200 MB for `car`, one of a town of Milan's size 12; none is made before it is asked for.
 *
 * Threading: any thread; roads are made by one thread at a time, which the others wait for.
 * Ownership: the filed road is borrowed and outlives the detours and all roads given out, which
 * outlive nothing else; the streets of the moment only have to live for the call. Errors: HT_NOMEM;
 * HT_RANGE (no such piece, or a light road without some classes); HT_BUSY (all roads were in use
 * for seconds).
 */
#ifndef HT_ENGINE_LIVE_DETOUR_H
#define HT_ENGINE_LIVE_DETOUR_H

#include "engine/base/pool.h"
#include "engine/live/world.h"
#include "engine/road/cut.h"

struct ht_detours;
struct ht_detour;

/* Those of one profile. */
HT_MUST_CHECK enum ht_status ht_detours_new(const struct ht_road *filed, struct ht_detours **out);
/* No road may be held. NULL is fine. */
void ht_detours_free(struct ht_detours *detours);
/* Frees roads that nobody has asked for since the last call. */
void ht_detours_rest(struct ht_detours *detours);

struct ht_detour_ask {
    const struct ht_world_road *now; /* the streets of the moment, of the same network */
    uint16_t exclude;                /* classes of arcs that are left out, too */
    const struct ht_cut *cuts;       /* sorted, each once */
    size_t cut_count;
    bool unshut; /* as if no zone shut anything: `cuts` say what those shut that hold */
    bool light;  /* without a metric of its own; nothing may be excluded */
    bool lasts;  /* the question will come again: its road is not to be made from another's */
};

/* A road for the question, with a reference for the caller. `pool` (may be NULL) helps with the
 * first one (a whole customization). */
HT_MUST_CHECK enum ht_status ht_detours_get(struct ht_detours *detours,
                                            const struct ht_detour_ask *ask, struct ht_pool *pool,
                                            struct ht_detour **out);
/* Whether the road is there as it is to be. */
bool ht_detours_have(struct ht_detours *detours, const struct ht_detour_ask *ask);
const struct ht_road *ht_detour_road(const struct ht_detour *detour);
void ht_detour_release(struct ht_detour *detour); /* NULL is fine */

#endif
