/* Zone watch: who is inside of a closed zone when it begins, told as an event.
 *
 *   zone.inside   subject zones/ID   body {"zone","at","units":[ids]}
 *
 * A zone begins when it is put closed, when its time comes, when a regime that it waits for is put
 * on, and anew when its border is changed.
 * What has begun is kept in the store, in the same transaction as the event: a restart tells
 * nothing twice, and what began while nobody ran is told at the next start.
 *
 * Threading: on the writer. Ownership: none.
 */
#ifndef HT_API_ZONE_WATCH_H
#define HT_API_ZONE_WATCH_H

#include "engine/live/fleet.h"
#include "geodata/store.h"

struct ht_regime_book;

/* Tells of zones that begin, forgets those that are over. `*due_ms`: when there is more to do
 * (INT64_MAX: never). After an error the transaction has to be taken back. */
HT_MUST_CHECK enum ht_status ht_zone_watch_run(struct ht_store_tx *tx, struct ht_fleet *fleet,
                                               const struct ht_regime_book *book, int64_t now_ms,
                                               int64_t *due_ms, struct ht_error *error);

#endif
