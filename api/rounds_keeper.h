/* Rounds keeper: what was missed plans itself anew, and so do re-visits. A notice that wants a
 * visit (engine/live/visits.h) at a site of a round that is running has that round re-planned, from
 * now on, without anybody asking: so is one whose re-visit was cancelled or went by, and a closed
 * one that was drawn for a second look. A round is re-planned, too, where a visit of it was missed:
 * where that was said, where nobody was let in, and where a day went by without a word. What no
 * round has, or none in time, is planned by itself (api/rounds_errands.h), unless the office's
 * settings say `"revisits": false`; what nobody can do stays wanted, and is told so by GET
 * /v1/rectifications/wanted.
 *
 * It looks once a second whether anything changed or the clock came to the end of a day or of a
 * re-visit; a round is re-planned as POST .../replan does it, by the actor "rounds". What no plan
 * could hold is tried again on another day, or when it changes. In lockstep (POST /v1/clock) it
 * looks when it is told to alone, and a search ends by its iterations: the same day gives the same
 * plans.
 *
 * Threading: a thread of low priority, of its own. Ownership: the app outlives it.
 */
#ifndef HT_API_ROUNDS_KEEPER_H
#define HT_API_ROUNDS_KEEPER_H

#include "api/app.h"

struct ht_rounds_keeper;

/* Starts it; for a store that can be written, once visits and the rest of the town are there. */
HT_MUST_CHECK enum ht_status ht_rounds_keeper_new(struct ht_app *app,
                                                  struct ht_rounds_keeper **out);
/* Ends the thread, before the writer ends; who waits for a look waits no more. It is freed when
 * workers have ended. Both take NULL. */
void ht_rounds_keeper_stop(struct ht_rounds_keeper *keeper);
void ht_rounds_keeper_free(struct ht_rounds_keeper *keeper);

/* Looks now, and returns when what follows is planned; for who moved the clock. Any thread, not a
 * loop's or the writer's: a search takes as long as it takes. */
void ht_rounds_keeper_obey(struct ht_rounds_keeper *keeper);

#endif
