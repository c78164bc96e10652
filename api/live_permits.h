/* Live permits: the streets of units that may pass where zones shut others out.
 *
 * Units of one profile whose permits open the same zones form a lane: a road of its own, over the
 * streets of the moment with these zones open (engine/live/detour.h). Where no permit opens
 * anything there are no lanes, and a question is what it was without:
 *
 *     all units of `car` -- part 0: the road of the world, over the whole closest index
 *                        \- lane 1: {q-12}: its road, over those units alone
 *                        \- lane 2: {q-12, q-13}: another
 *
 * A lane's road is held for as long as it is read only, so that any number of lanes can be asked.
 *
 * Threading, ownership: as of the ht_live_work that it belongs to. Not a door: for api/live*.c.
 */
#ifndef HT_API_LIVE_PERMITS_H
#define HT_API_LIVE_PERMITS_H

#include "api/live_internal.h"

/* Brings the lanes up to date with the world and the fleet; costs two loads while nothing changes.
 * Errors of ht_map_shut. */
HT_MUST_CHECK enum ht_status ht__live_lanes(struct ht_live *live, struct ht_live_work *work,
                                            struct ht_world *world,
                                            const struct ht__live_index *index);
void ht__live_lanes_deinit(struct ht__live_lanes *lanes);
/* Whether units got other permits since: what was asked is to be asked again. */
bool ht__live_lanes_stale(const struct ht_live *live, const struct ht__live_lanes *lanes);

/* Whether all lanes' roads are there. */
bool ht__live_lanes_ready(struct ht_live_work *work, struct ht_world *world);

/* How often a question is asked again while permits change under it. */
enum { HT__LIVE_TRIES = 4 };

#endif
