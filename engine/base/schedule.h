/* Schedule: when a condition holds, "Mo-Fr 07:00-09:00,16:00-18:30; PH off".
 *
 * The texts are those of OSM's conditional restrictions: the opening hours syntax
 * (https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification) without sun, Easter, weeks
 * and n-th weekdays; several joined by AND must all hold; "not (Sa 10:00-12:00)", which is ours, is
 * what "none @ (Sa 10:00-12:00)" leaves of a ban. What depends on anything but the clock
 * (weight, weather, stay) is HT_UNSUPPORTED, so that the caller can count a warning.
 *
 *   days      Mo-Fr,Su  PH  SH            public and school holidays as the caller's calendar says
 *   dates     Jan  Nov-Mar  Dec 24-26  Mar 15-Jun 10  2025  2025-2027  2025+  2025 Jan 5-2025 Feb 3
 *   times     07:00-09:00  22:00-06:00 (into the next day)  18:00+  24/7
 *   rules     a later rule (;) rules the days that it names; "off" takes away; a rule of times
 * alone adds to the days before it, since that is what mappers mean by it
 *
 * Time is local: UTC milliseconds plus the zone's offset at that moment. The engine knows no zones:
 * who asks for the next change converts the answer back with the offset that holds then.
 *
 * Threading: a schedule is read-only once parsed. Ownership: heap, freed with ht_schedule_free.
 */
#ifndef HT_ENGINE_BASE_SCHEDULE_H
#define HT_ENGINE_BASE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_schedule;

enum ht_holiday { HT_HOLIDAY_PUBLIC, HT_HOLIDAY_SCHOOL };

/* Which local days (since 1970-01-01) are holidays, and as which weekday a day counts: 0 Monday to
 * 6 Sunday, -1 as what it is (a Saturday that is worked in exchange counts as a working day). NULL
 * for a calendar: no holidays; either call may be NULL. */
struct ht_calendar {
    bool (*holiday)(void *user, int64_t day, enum ht_holiday kind);
    void *user;
    int (*weekday)(void *user, int64_t day);
};

/* Parses a condition, with or without parentheses around it. Errors: HT_SYNTAX, HT_UNSUPPORTED,
 * HT_TOO_BIG (more than 1,000 bytes, 32 rules, or 16 dates or times in one), HT_NOMEM; `error` (may
 * be NULL) names the word and its byte. */
HT_MUST_CHECK enum ht_status ht_schedule_parse(const char *text, struct ht_schedule **out,
                                               struct ht_error *error);
void ht_schedule_free(struct ht_schedule *schedule);

/* Whether it holds at a local time. */
bool ht_schedule_active(const struct ht_schedule *schedule, int64_t local_ms,
                        const struct ht_calendar *calendar);

/* The first moment after `local_ms` at which ht_schedule_active changes, or INT64_MAX when it
 * doesn't within 11 years (100 days, where the schedule names no dates but a calendar is given).
 * Linear in the days until then. */
int64_t ht_schedule_next_change(const struct ht_schedule *schedule, int64_t local_ms,
                                const struct ht_calendar *calendar);

#endif
