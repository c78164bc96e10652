/* Follower: the memory of a node that is not the desk (api/nodes.h) keeps up with what the desk
 * commits.
 *
 *   desk --- events ---> table --- ht_commit_new_following ---> incidents, orders, visits: replayed
 *                          |                                    items, traffic: read again
 *                          +---- positions, every two seconds -> units
 *
 * Events are replayed by the same functions as at start. Where those read all of a subject at once
 * (at start, and when one that left memory goes on) they may be ahead of the event that is told:
 * they say so, and what was known is passed over.
 *
 * Nothing is written, and nothing that acts by itself runs: no clock of the desk, no plan, no
 * message to anybody. A follower that becomes the desk is opened anew as one.
 *
 * Rules, regimes and the like go into so much that a node which hears of a change is outdated: it
 * is opened anew, too, beside the one that answers still.
 *
 * Threading: new, start, stop and free from one thread; ahead from any. Ownership: the app is
 * borrowed.
 */
#ifndef HT_API_FOLLOWER_H
#define HT_API_FOLLOWER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_app;
struct ht_follower;

/* After the store is open, before anything is read from it. Fills app->following. */
HT_MUST_CHECK enum ht_status ht_follower_new(struct ht_app *app, struct ht_follower **out,
                                             struct ht_error *error);
/* Once all is read that follows; ht_commit_follow(app->following) sets it going. */
HT_MUST_CHECK enum ht_status ht_follower_start(struct ht_follower *follower);
/* Both take NULL. */
void ht_follower_stop(struct ht_follower *follower);
void ht_follower_free(struct ht_follower *follower);

/* What comes of a subject up to event `seq` is known. NULL is fine. */
void ht_follower_ahead(struct ht_follower *follower, const char *subject, int64_t seq);
/* It heard of a change that it can't follow. From any thread. */
bool ht_follower_outdated(const struct ht_follower *follower);

#endif
