/* Zone watch: who is inside of a closed zone when it begins, and may not leave, told as an event.
 *
 *   zone.inside   subject zones/ID   body {"zone","at","units":[ids],"may_leave":[ids]}
 *
 * `units` can't get out; those that the zone does not concern or that have its permit may, and are
 * no reason to tell anything.
 * A zone begins when it is put closed, when its time comes, when a regime that it waits for is put
 * on, and anew when its border is changed.
 * What has begun is kept in the store, in the same transaction as the event: a restart tells
 * nothing twice, and what began while nobody ran is told at the next start.
 *
 * Threading: on the writer. Ownership: none.
 */
#ifndef HT_API_ZONE_WATCH_H
#define HT_API_ZONE_WATCH_H

#include "engine/base/text.h"
#include "engine/live/fleet.h"
#include "geodata/store.h"

/* The names in a zone's `profiles`, with commas between; they have neither commas nor escapes. */
void ht_zone_profiles_read(const char *properties, struct ht_text *out);

struct ht_regime_book;

/* Whose units are looked at. */
struct ht_zone_watch {
    struct ht_fleet *fleet;
    /* Whether a zone with `profiles` (names with commas between; "": as in api/map.h) concerns
     * units of a profile. */
    bool (*concerns)(void *user, const char *profiles, const char *profile);
    void *user;
    const struct ht_regime_book *book; /* which zones wait for a regime that is off */
};

/* Tells of zones that begin, forgets those that are over. `*due_ms`: when there is more to do
 * (INT64_MAX: never). After an error the transaction has to be taken back. */
HT_MUST_CHECK enum ht_status ht_zone_watch_run(struct ht_store_tx *tx,
                                               const struct ht_zone_watch *town, int64_t now_ms,
                                               int64_t *due_ms, struct ht_error *error);

#endif
