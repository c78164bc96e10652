/* Rounds errands: re-visits and second looks where no round goes: a visit that nobody planned finds
 * something, too, and what was found there has to be seen again before its date. They are planned
 * as a round plans them (api/rounds_scene.h), for a tenant or the site itself, by who found it
 * where that can be, in hours that nothing else has, and are visits of no round.
 *
 * Threading: one thread, with its context, which may wait for the writer and for a search.
 */
#ifndef HT_API_ROUNDS_ERRANDS_H
#define HT_API_ROUNDS_ERRANDS_H

#include "api/app.h"
#include "engine/live/visits.h"

/* Plans what is wanted and not `taken` ([count] each) from now on, and waits until that is written.
 * What can't be planned stays wanted. False: it could not be done now, to be tried again. */
bool ht__round_errands_plan(struct ht_app_context *context, const struct ht_visit_wish *wishes,
                            const bool *taken, size_t count, const bool *cancel);

#endif
