/* Finder: keeps geodata/gazetteer.h beside the registry and the open network.
 *
 * A thread of its own reads the store at start (a million households: some seconds of one core),
 * then the names of the open network, and merges later; the server answers everything else
 * meanwhile. Changes of the registry come through ht_finder_follow once they are committed: what is
 * found then is what the store has at that moment, so their order does not matter. Few are
 * followed before the change is answered, many soon after, as those that
 * come while the store is still being read. Another network's streets are there within about a
 * second.
 *
 * Threading: any thread. Ownership: store and slot are borrowed.
 */
#ifndef HT_API_FINDER_H
#define HT_API_FINDER_H

#include <stdatomic.h>

#include "engine/live/world.h"
#include "geodata/gazetteer.h"
#include "geodata/store.h"

struct ht_finder;

/* `store` NULL: streets only. `swaps` grows with each network that is published. */
HT_MUST_CHECK enum ht_status ht_finder_new(struct ht_store *store, struct ht_world_slot *slot,
                                           const atomic_size_t *swaps, struct ht_finder **out);
/* Ends the thread; before the store is closed. */
void ht_finder_free(struct ht_finder *finder);

/* Whether everything was read; false: ask again in a second. */
bool ht_finder_ready(struct ht_finder *finder);
struct ht_gazetteer *ht_finder_search(struct ht_finder *finder);

/* These items of a collection were put or taken out. `now`: they are few, follow at once. Other
 * collections than those that are searched, and no finder at all (NULL), are fine. */
void ht_finder_follow(struct ht_finder *finder, const char *collection, const char *const *ids,
                      size_t count, bool now);
/* Much of a collection is another: it is read again, while what was known is found still. As above,
 * any collection and no finder are fine. */
void ht_finder_reload(struct ht_finder *finder, const char *collection);

#endif
