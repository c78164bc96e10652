/* Live, as the store has it: a unit or a device that somebody else wrote comes to the live town.
 *
 * Threading: with the thread's own context and reader; of one town one thread at a time (the
 * writer's, or the follower's).
 */
#ifndef HT_API_LIVE_FOLLOW_H
#define HT_API_LIVE_FOLLOW_H

#include "api/app.h"

/* One of `units` or `devices` as it is there now, or no more. HT_NOMEM, and what reading can fail
 * with. */
HT_MUST_CHECK enum ht_status ht_live_follow(struct ht_app_context *context,
                                            struct ht_store_reader *reader,
                                            const struct ht_collection *collection, const char *id);

#endif
