/* Calendar: the office's days: public holidays, school holidays, days that are worked in exchange
 * (调休), and its working hours. The settings document `calendar`:
 *
 *   {"holidays": ["2026-10-01", {"from": "2026-10-02", "to": "2026-10-07"}],
 *    "school_holidays": [...],
 *    "workdays": ["2026-10-10", {"date": "2026-09-27", "as": "We"}],   counts as Monday where
 * unsaid "working": "Mo-Fr 08:30-12:00,14:00-17:30; PH off"}
 *
 * Shifts and clocks go by it: a schedule's PH and SH are these days, and a Saturday among the
 * workdays is one of its weekdays (engine/base/schedule.h).
 *
 * Threading: a struct ht_days is read-only; a calendar from any thread (a read-write lock inside,
 * held for one question). Ownership: ht_calendar_set takes the days over. Times are UTC
 * milliseconds, days those of the office's zone (api/zone.h).
 */
#ifndef HT_API_CALENDAR_H
#define HT_API_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "engine/base/schedule.h"

struct ht_days;
struct ht_office_calendar;
struct ht_json;
struct ht_setting_wrong;

/* Reads a document; NULL: as at first (no holidays, the hours above). HT_INVALID with what is
 * wrong, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_days_read(yajl_val tree, struct ht_days **out,
                                          struct ht_setting_wrong *wrong);
void ht_days_write(const struct ht_days *days, struct ht_json *json);
void ht_days_free(struct ht_days *days);

HT_MUST_CHECK enum ht_status ht_calendar_new(struct ht_office_calendar **out);
void ht_calendar_free(struct ht_office_calendar *calendar);
void ht_calendar_set(struct ht_office_calendar *calendar, struct ht_days *days);

/* Its holidays for rooms that judge schedules themselves (engine/base/schedule.h), as they are at
 * each question; from any thread. Weekdays are those of the week: a sign on the street knows of no
 * exchange. NULL: no holidays. */
struct ht_calendar ht_calendar_holidays(struct ht_office_calendar *calendar);

/* As ht_schedule_active and ht_schedule_next_change, but in UTC. `calendar` NULL: no holidays. */
bool ht_calendar_active(struct ht_office_calendar *calendar, const struct ht_schedule *schedule,
                        int64_t utc_ms);
int64_t ht_calendar_next_change(struct ht_office_calendar *calendar,
                                const struct ht_schedule *schedule, int64_t utc_ms);

/* The condition of the working hours, a copy that is the caller's to free; NULL: out of memory. */
char *ht_calendar_working(struct ht_office_calendar *calendar);
/* The local time on a day of the week that this day is like: a holiday is like a Sunday, a day that
 * is worked in exchange like the one it stands for. The time of the day stays, the date may be
 * another by up to six days. */
int64_t ht_calendar_like_ms(struct ht_office_calendar *calendar, int64_t utc_ms);
/* Another number than before: the days are others. NULL: always 0. */
uint64_t ht_calendar_version(const struct ht_office_calendar *calendar);

/* When `length_ms` of working hours have passed since `from_ms`; INT64_MAX: they never will. Linear
 * in the days until then. */
int64_t ht_calendar_due(struct ht_office_calendar *calendar, int64_t from_ms, int64_t length_ms);

#endif
