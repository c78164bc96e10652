/* Rounds days: calendars, opening hours and wishes as days of a plan (engine/plan/rounds.h).
 *
 * Day 0 is the office's local day in which a round begins; a time of a day is in seconds of its
 * local clock. Hours and needs that are the same are worked out once and shared.
 *
 * Threading: one thread. Ownership: what is given is the struct's, and lives as long, but where it
 * says otherwise. Errors: HT_NOMEM; HT_INVALID: hours that can't be read.
 */
#ifndef HT_API_ROUNDS_DAYS_H
#define HT_API_ROUNDS_DAYS_H

#include "api/calendar.h"
#include "api/rounds_read.h"
#include "engine/plan/rounds.h"

struct ht_round_days {
    struct ht_office_calendar *calendar; /* the caller's to set; NULL: no holidays */
    int64_t begin_local_ms; /* midnight of day 0 by the local clock, as in api/zone.h */
    uint32_t weeks;
    uint32_t count;         /* of days */
    uint32_t first_weekday; /* of day 0, 0 Monday */
    uint32_t first_day;     /* nothing new before it */
    int32_t first_s;        /* nor before this time of it */
    struct ht_round_kept *kept;
    size_t kept_count;
    size_t kept_capacity;
};

/* `weeks` from the day of `from_ms` on, planned from `since_ms` (>= from_ms) on. */
void ht_round_days_init(struct ht_round_days *days, int64_t from_ms, uint32_t weeks,
                        int64_t since_ms);
void ht_round_days_deinit(struct ht_round_days *days);

/* Which day a moment is in (below 0: before day 0; >= count: after the last), and when of it. */
int64_t ht_round_day_of(const struct ht_round_days *days, int64_t utc_ms, int32_t *time_s);
int64_t ht_round_moment(const struct ht_round_days *days, uint32_t day, int32_t time_s);
/* Bits of the days that are such weekdays (bits, Monday the lowest; 0: all), by the office's
 * calendar: a Saturday that is worked as a Wednesday is one. */
HT_MUST_CHECK enum ht_status ht_round_weekdays(struct ht_round_days *days, uint32_t weekdays,
                                               uint64_t *bits);

struct ht_round_open {
    const struct ht_rounds_window *list;
    uint32_t count; /* of a site 0: always */
    bool never;     /* of a site: on no day of these */
};
/* When a site is open; `open` NULL: always. */
HT_MUST_CHECK enum ht_status ht_round_site_hours(struct ht_round_days *days, yajl_val open,
                                                 struct ht_round_open *out);
/* When somebody works: `shift` (NULL: as the office does), not on public holidays unless the shift
 * speaks of them itself, not before the plan begins, and not within any of the leaves. */
HT_MUST_CHECK enum ht_status ht_round_shift_hours(struct ht_round_days *days, yajl_val shift,
                                                  const struct ht_round_leave *leaves,
                                                  size_t leave_count, struct ht_round_open *out);

struct ht_round_need_list {
    const struct ht_rounds_need *list;
    uint32_t count;
};
/* What visits by week or by month (of four weeks) come to: so many in each week; where that is no
 * whole number, in as many weeks as it takes to be one; in all of them, where those are too few.
 * What is seen less than once in all these days is due by its last visit (as in struct
 * ht_rounds_site), and where there was none. */
HT_MUST_CHECK enum ht_status ht_round_needs(struct ht_round_days *days,
                                            const struct ht_round_wish *wish, int32_t last_day,
                                            struct ht_round_need_list *out);
/* One visit from a day to another, or on the one. */
HT_MUST_CHECK enum ht_status ht_round_need_once(struct ht_round_days *days, uint32_t first_day,
                                                uint32_t last_day, struct ht_round_need_list *out);

#endif
