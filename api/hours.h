/* Hours: the opening hours of a feature of the registry (a shift, `open`) as a schedule.
 *
 * Threading: pure. Ownership: the schedule is the caller's, for ht_schedule_free.
 */
#ifndef HT_API_HOURS_H
#define HT_API_HOURS_H

#include "engine/base/schedule.h"
#include "geodata/members.h"

/* Of a value as collections accept it. HT_OK with NULL: it says none (null, an empty list).
 * HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_hours_schedule(const struct ht_member *member,
                                               struct ht_schedule **out);

#endif
