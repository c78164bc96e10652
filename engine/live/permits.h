/* Permits: which sets of zones units may pass, each set once under a small number.
 *
 * Many units hold the same permits, most hold none: number 0 is the empty set. A set's number stays
 * its own as long as somebody holds it, and is given to another one afterwards; `ht_permits_state`
 * tells that the units' sets are others than they were.
 *
 * Threading: any thread; a mutex is taken for as long as names are compared. What is noted of a
 * unit is changed between ht_permits_begin and ht_permits_end, by one thread at a time (the fleet's
 * lock), so that a question that ran meanwhile can tell: it is asked again.
 * Ownership: names are copied. Errors: HT_NOMEM; HT_INVALID: an empty name, or one with a comma.
 */
#ifndef HT_ENGINE_LIVE_PERMITS_H
#define HT_ENGINE_LIVE_PERMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_permits;

HT_MUST_CHECK enum ht_status ht_permits_new(struct ht_permits **out);
void ht_permits_free(struct ht_permits *permits); /* NULL is fine */

/* The number of a set, in any order, each as often as you like; held by the caller until it is let
 * go of. */
HT_MUST_CHECK enum ht_status ht_permits_hold(struct ht_permits *permits, const char *const *zones,
                                             size_t count, uint32_t *number);
void ht_permits_drop(struct ht_permits *permits, uint32_t number);

/* One more than the highest number that is held: 1 where nobody has a permit. */
uint32_t ht_permits_count(const struct ht_permits *permits);
/* Whether the zone is in the set; false where nobody holds the number. */
bool ht_permits_has(struct ht_permits *permits, uint32_t number, const char *zone);

void ht_permits_begin(struct ht_permits *permits);
void ht_permits_end(struct ht_permits *permits);
/* Grows with every change; odd while one is under way. */
uint64_t ht_permits_state(const struct ht_permits *permits);

#endif
