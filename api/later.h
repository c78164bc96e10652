/* Later: the streets at a departure that is asked for (depart=), each with a metric of its own.
 *
 * They are those of that moment, for the whole of the way: the learned speeds of its quarter of an
 * hour (api/learning.h), the turns that the clock closes then, what traffic data says and lasts
 * until then, the zones whose time it is. Nothing of that known: as filed. A way that is longer
 * than to the next quarter still has the speeds of its departure.
 *
 * A road holds from the last to the next change of any of these, and is made when it is first asked
 * for: a whole customization, in the job pool. Up to four are kept, those asked for last; one of
 * the sample city takes 220 MB for `car`, one of a town of Milan's size 13.
 *
 * Threading: any thread; one road is made at a time. Ownership: borrows the app; roads are held by
 * whoever gets them. Errors: HT_NOMEM, those of ht_map_then.
 */
#ifndef HT_API_LATER_H
#define HT_API_LATER_H

#include "engine/live/live_road.h"

struct ht_app;
struct ht_later;

HT_MUST_CHECK enum ht_status ht_later_new(struct ht_app *app, struct ht_later **out);
void ht_later_free(struct ht_later *later); /* NULL is fine */

/* Whether the road is there. Waits for nothing long. */
bool ht_later_ready(struct ht_later *later, struct ht_world *world, const char *profile,
                    int64_t at_ms);
/* The road of a profile for a departure at `at_ms`, UTC; to be released before the world. */
HT_MUST_CHECK enum ht_status ht_later_road(struct ht_later *later, struct ht_world *world,
                                           const char *profile, int64_t at_ms, struct ht_pool *pool,
                                           struct ht_live_road **out);
/* Lets go of roads that nobody asked for since the last call, or that hold no more. */
void ht_later_rest(struct ht_later *later);

#endif
