#include "engine/base/schedule.h"

#include <stdlib.h>

#include "engine/base/schedule_internal.h"

#define DAY_MS INT64_C(86400000)
#define MINUTE_MS INT64_C(60000)
#define TIME_MAX_MS INT64_C(250000000000000) /* about the year 9890 */

void ht_schedule_free(struct ht_schedule *schedule)
{
    free(schedule);
}

/* Proleptic Gregorian date of a day since 1970-01-01, counted in eras of 400 years from March 1st,
 * so that the leap day is the last of its year (Hinnant, chrono-compatible low-level date
 * algorithms). */
static struct ht__date date_of(int64_t day)
{
    int64_t shifted = day + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    int64_t of_era = shifted - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    return (struct ht__date){
        .year = (int16_t)(year + era * 400 + (month >= 10)),
        .month = (int16_t)(month < 10 ? month + 3 : month - 9),
        .day = (int16_t)(of_year - (153 * month + 2) / 5 + 1),
    };
}

static int date_rank(struct ht__date date, bool with_year)
{
    return (with_year ? date.year * 500 : 0) + date.month * 32 + date.day;
}

static bool dates_hold(const struct ht__dates *dates, struct ht__date date)
{
    bool with_year = dates->from.year != 0;
    int rank = date_rank(date, with_year);
    int from = date_rank(dates->from, with_year);
    int to = date_rank(dates->to, with_year);
    if (from <= to) {
        return rank >= from && rank <= to;
    }
    return !with_year && (rank >= from || rank <= to);
}

static bool is_holiday(const struct ht_calendar *calendar, int64_t day, enum ht_holiday kind)
{
    return calendar != NULL && calendar->holiday != NULL &&
           calendar->holiday(calendar->user, day, kind);
}

static int weekday_of(const struct ht_calendar *calendar, int64_t day)
{
    int told =
        calendar == NULL || calendar->weekday == NULL ? -1 : calendar->weekday(calendar->user, day);
    return told >= 0 && told < 7 ? told
                                 : (int)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static bool rule_names_day(const struct ht__rule *rule, int64_t day,
                           const struct ht_calendar *calendar)
{
    if (rule->year_from != 0 || rule->date_count > 0) {
        struct ht__date date = date_of(day);
        if (rule->year_from != 0 && (date.year < rule->year_from || date.year > rule->year_to)) {
            return false;
        }
        bool any = rule->date_count == 0;
        for (int i = 0; i < rule->date_count && !any; i++) {
            any = dates_hold(&rule->dates[i], date);
        }
        if (!any) {
            return false;
        }
    }
    if (!rule->days_given) {
        return true;
    }
    return (rule->weekdays >> weekday_of(calendar, day) & 1) != 0 ||
           (rule->public_holiday && is_holiday(calendar, day, HT_HOLIDAY_PUBLIC)) ||
           (rule->school_holiday && is_holiday(calendar, day, HT_HOLIDAY_SCHOOL));
}

static bool spans_hold(const struct ht__rule *rule, int minute)
{
    for (int i = 0; i < rule->span_count; i++) {
        if (minute >= rule->spans[i].from && minute < rule->spans[i].to) {
            return true;
        }
    }
    /* "off" without times takes the night that begins on its day as well. */
    return rule->span_count == 0 && (rule->off || minute < HT__DAY_MIN);
}

/* Whether the rules from `rule` to the end of its group hold `minute` minutes after the midnight
 * that began `day`; minutes above a day ask what the day's rules say about the next. */
static bool group_holds(const struct ht__rule *rule, const struct ht__rule *end, int64_t day,
                        int minute, const struct ht_calendar *calendar)
{
    bool holds = false;
    for (const struct ht__rule *at = rule; at < end && (at == rule || !at->first); at++) {
        if (!rule_names_day(at, day, calendar)) {
            continue;
        }
        bool inside = spans_hold(at, minute);
        if (at->off) {
            holds = holds && !inside;
        } else {
            holds = at->adds ? holds || inside : inside;
        }
    }
    return holds;
}

static bool holds_at(const struct ht_schedule *schedule, int64_t day, int minute,
                     const struct ht_calendar *calendar)
{
    const struct ht__rule *end = schedule->rules + schedule->rule_count;
    for (const struct ht__rule *rule = schedule->rules; rule < end; rule++) {
        if (rule->first &&
            rule->negated == (group_holds(rule, end, day, minute, calendar) ||
                              group_holds(rule, end, day - 1, minute + HT__DAY_MIN, calendar))) {
            return false;
        }
    }
    return schedule->rule_count > 0;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

bool ht_schedule_active(const struct ht_schedule *schedule, int64_t local_ms,
                        const struct ht_calendar *calendar)
{
    if (local_ms > TIME_MAX_MS || local_ms < -TIME_MAX_MS) {
        return false;
    }
    int64_t day = floor_div(local_ms, DAY_MS);
    return holds_at(schedule, day, (int)((local_ms - day * DAY_MS) / MINUTE_MS), calendar);
}

/* The minutes of a day at which anything may change, as a bitmap. */
static void mark_edges(const struct ht_schedule *schedule, uint64_t edges[HT__DAY_MIN / 64 + 1])
{
    edges[0] |= 1;
    for (int r = 0; r < schedule->rule_count; r++) {
        const struct ht__rule *rule = &schedule->rules[r];
        for (int i = 0; i < rule->span_count; i++) {
            int from = rule->spans[i].from % HT__DAY_MIN;
            int to = rule->spans[i].to % HT__DAY_MIN;
            edges[from / 64] |= UINT64_C(1) << from % 64;
            edges[to / 64] |= UINT64_C(1) << to % 64;
        }
    }
}

int64_t ht_schedule_next_change(const struct ht_schedule *schedule, int64_t local_ms,
                                const struct ht_calendar *calendar)
{
    if (local_ms > TIME_MAX_MS || local_ms < -TIME_MAX_MS) {
        return INT64_MAX;
    }
    uint64_t edges[HT__DAY_MIN / 64 + 1] = {0};
    mark_edges(schedule, edges);
    int64_t today = floor_div(local_ms, DAY_MS);
    int64_t last = today + (schedule->by_date ? 11 * 366 : calendar != NULL ? 100 : 9);
    bool now = ht_schedule_active(schedule, local_ms, calendar);
    for (int64_t day = today; day <= last; day++) {
        for (int word = 0; word < HT__DAY_MIN / 64 + 1; word++) {
            for (uint64_t left = edges[word]; left != 0; left &= left - 1) {
                int minute = word * 64 + __builtin_ctzll(left);
                int64_t at = day * DAY_MS + minute * MINUTE_MS;
                if (at > local_ms && holds_at(schedule, day, minute, calendar) != now) {
                    return at;
                }
            }
        }
    }
    return INT64_MAX;
}
