/* Shifts: when units are on duty, by their `shift` (opening hours, in the office's zone).
 *
 * The fleet knows of each unit the duty that runs or comes next, which its filters read without a
 * lock; what follows is found here when that one has ended. A unit without a shift is always on
 * duty.
 *
 * Threading: any thread; a mutex inside. Ownership: the fleet is borrowed.
 */
#ifndef HT_API_SHIFTS_H
#define HT_API_SHIFTS_H

#include "engine/live/fleet.h"

struct ht_office_calendar;
struct ht_shifts;

/* For units of `fleet`, which outlives it. */
HT_MUST_CHECK enum ht_status ht_shifts_new(struct ht_fleet *fleet, struct ht_shifts **out);
void ht_shifts_free(struct ht_shifts *shifts);

/* The days that shifts go by, from now on: also when another document of it came (api/calendar.h).
 * Borrowed, and outlives it. */
void ht_shifts_set_calendar(struct ht_shifts *shifts, struct ht_office_calendar *calendar,
                            int64_t now_ms);

/* The registry's word about a unit: its properties. HT_NOMEM: it counts as always on duty. */
HT_MUST_CHECK enum ht_status ht_shifts_put(struct ht_shifts *shifts, uint32_t unit,
                                           const char *properties, int64_t now_ms);
void ht_shifts_remove(struct ht_shifts *shifts, uint32_t unit);

/* Looks for the next duty of those whose last has ended. */
void ht_shifts_refresh(struct ht_shifts *shifts, int64_t now_ms);
/* When that is needed next; INT64_MAX: never. */
int64_t ht_shifts_due_ms(struct ht_shifts *shifts);

#endif
