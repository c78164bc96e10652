/* Incident forget: what can be erased of incidents goes when it was kept long enough (the setting
 * `retention`, incidents_days); their events, which hold ids alone, stay.
 *
 * Threading: on the writer. Ownership: none.
 */
#ifndef HT_API_INCIDENT_FORGET_H
#define HT_API_INCIDENT_FORGET_H

#include <stdint.h>

#include "geodata/store.h"

/* Place and notes of incidents that were opened before `before_ms` and are over, with an event for
 * each: `incident.erased`, by `houtao`. `*from`: the number to begin with, 0 at first, moved on; a
 * few thousand are looked at in a call. After an error the transaction has to be taken back. */
HT_MUST_CHECK enum ht_status ht_incidents_forget(struct ht_store_tx *tx, int64_t before_ms,
                                                 int64_t now_ms, uint64_t *from,
                                                 struct ht_error *error);

#endif
