/* What single turns are called: guidance for those who draw the graph (OSRM's tile service), not
 * drive it.
 *
 * Threading: pure functions over borrowed data. Ownership: texts are static.
 */
#ifndef HT_ENGINE_ROAD_GUIDE_TURNS_H
#define HT_ENGINE_ROAD_GUIDE_TURNS_H

#include "engine/road/guide.h"

struct ht_turn_name {
    const char *type;     /* OSRM's inner names: "turn", "(suppressed)", "enter roundabout" */
    const char *modifier; /* "left" */
};

/* Names the turns from arc `in` to each of `outs`, which leave its head. Both texts are NULL where
 * one and the same street goes on and nothing else meets it: OSRM has no turn there. */
void ht_guide_turn_names(const struct ht_network *network, const struct ht_graph *graph,
                         uint32_t in, const uint32_t *outs, uint32_t count,
                         struct ht_turn_name *names);

/* A short arc inside one junction, between the carriageways of its roads. */
bool ht_guide_segregated(const struct ht_network *network, const struct ht_graph *graph,
                         uint32_t arc);

#endif
