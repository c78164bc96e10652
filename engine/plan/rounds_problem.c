/* Whether a problem of rounds makes sense; its names and small reckonings. */
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/rounds.h"

struct ht_rounds_prices ht_rounds_prices_usual(void)
{
    return (struct ht_rounds_prices){.per_km_s = 0,
                                     .day_s = 300,
                                     .owner_s = 864000,
                                     .late_s = 288000,
                                     .spread_s = 600,
                                     .early_s = 180,
                                     .move_s = 7200,
                                     .cell_s = 600,
                                     .balance = 150};
}

const char *ht_rounds_reason_name(enum ht_rounds_reason reason)
{
    static const char *const names[HT_ROUNDS_REASONS] = {"nobody", "skills", "off",  "no_way",
                                                         "closed", "short",  "gap",  "hours",
                                                         "crew",   "quota",  "full", "over"};
    return (unsigned)reason < HT_ROUNDS_REASONS ? names[reason] : "unknown";
}

const char *ht_rounds_hint_name(enum ht_rounds_hint hint)
{
    static const char *const names[HT_ROUNDS_HINTS] = {
        "inspector",   "shift", "way",   "days",   "open_longer", "gap",
        "work_longer", "quota", "owner", "others", "visits"};
    return (unsigned)hint < HT_ROUNDS_HINTS ? names[hint] : "unknown";
}

const char *ht_rounds_wish_name(enum ht_rounds_wish wish)
{
    static const char *const names[HT_ROUNDS_WISHES] = {"gap", "owner", "promise"};
    return (unsigned)wish < HT_ROUNDS_WISHES ? names[wish] : "unknown";
}

const char *ht_rounds_idle_name(enum ht_rounds_idle_reason reason)
{
    static const char *const names[] = {"no_shift", "no_skills", "no_way", "hours", "free"};
    return (unsigned)reason < sizeof names / sizeof *names ? names[reason] : "unknown";
}

static int by_value(const void *left, const void *right)
{
    const int64_t *a = left;
    const int64_t *b = right;
    return (*a > *b) - (*a < *b);
}

/* Sorted upwards: sum of (2 i - n - 1) x_i / (n * sum of x_i), i from 1. */
uint32_t ht_rounds_gini_ppm(int64_t *values, uint32_t count)
{
    double sum = 0;
    double ranked = 0;
    if (count > 1) {
        qsort(values, count, sizeof *values, by_value);
    }
    for (uint32_t i = 0; i < count; i++) {
        sum += (double)values[i];
        ranked += (2.0 * i + 1.0 - count) * (double)values[i];
    }
    return sum <= 0 ? 0 : (uint32_t)(1e6 * ranked / (sum * count) + 0.5);
}

/* ---- checks ---- */

static enum ht_status windows_check(const struct ht_rounds_window *windows, uint32_t count,
                                    uint32_t days, struct ht_error *error)
{
    if (count > 0 && windows == NULL) {
        return ht_error_set(error, HT_INVALID, 0, "windows are missing");
    }
    for (uint32_t i = 0; i < count; i++) {
        const struct ht_rounds_window *w = &windows[i];
        if (w->day >= days || w->from_s < 0 || w->to_s > HT_ROUNDS_TIME_MOST_S) {
            return ht_error_set(error, HT_RANGE, 0, "window %u lies outside of the horizon", i);
        }
        if (w->from_s > w->to_s) {
            return ht_error_set(error, HT_INVALID, 0, "window %u ends before it begins", i);
        }
        if (i > 0 && (w[-1].day > w->day || (w[-1].day == w->day && w[-1].to_s >= w->from_s))) {
            return ht_error_set(error, HT_INVALID, 0, "windows %u and %u are not apart, by time",
                                i - 1, i);
        }
    }
    return HT_OK;
}

static enum ht_status needs_check(const struct ht_rounds_site *site, uint32_t days,
                                  uint64_t *visits, struct ht_error *error)
{
    if (site->need_count > 0 && site->needs == NULL) {
        return ht_error_set(error, HT_INVALID, 0, "needs are missing");
    }
    for (uint32_t i = 0; i < site->need_count; i++) {
        const struct ht_rounds_need *n = &site->needs[i];
        if (n->last_day >= days || n->first_day > n->last_day) {
            return ht_error_set(error, HT_RANGE, 0, "need %u lies outside of the horizon", i);
        }
        if (i > 0 && n[-1].last_day >= n->first_day) {
            return ht_error_set(error, HT_INVALID, 0, "needs %u and %u are not apart, by day",
                                i - 1, i);
        }
        if (n->visits > HT_ROUNDS_VISITS_MOST) {
            return ht_error_set(error, HT_RANGE, 0, "need %u asks for too many visits", i);
        }
        *visits += n->visits;
    }
    return HT_OK;
}

/* Of a site by itself. */
static enum ht_status site_check(const struct ht_rounds_problem *p,
                                 const struct ht_rounds_site *site, struct ht_error *error)
{
    if (site->location >= p->location_count) {
        return ht_error_set(error, HT_RANGE, 0, "no such location");
    }
    if (site->service_s > HT_ROUNDS_TIME_MOST_S || site->risk < 1 ||
        site->risk > HT_ROUNDS_RISK_MOST || site->crew < 1 || site->crew > HT_ROUNDS_CREW_MOST) {
        return ht_error_set(error, HT_RANGE, 0, "service, risk or crew is out of range");
    }
    if (site->gap_most_days > 0 && site->gap_least_days > site->gap_most_days) {
        return ht_error_set(error, HT_INVALID, 0, "the least gap is longer than the longest");
    }
    if (site->last_day >= 0 || (site->last_day != HT_ROUNDS_NEVER && site->last_day < -36500)) {
        return ht_error_set(error, HT_RANGE, 0, "the last visit was not before the horizon");
    }
    if (site->owner != HT_PLAN_NONE && site->owner >= p->inspector_count) {
        return ht_error_set(error, HT_RANGE, 0, "no such owner");
    }
    if (site->owner_hard && site->owner == HT_PLAN_NONE) {
        return ht_error_set(error, HT_INVALID, 0, "a hard owner, but none");
    }
    for (uint32_t i = 0; i < site->barred_count; i++) {
        if (site->barred == NULL || site->barred[i] >= p->inspector_count) {
            return ht_error_set(error, HT_RANGE, 0, "no such inspector is barred");
        }
    }
    return HT_OK;
}

static enum ht_status inspector_check(const struct ht_rounds_problem *p,
                                      const struct ht_rounds_inspector *who, struct ht_error *error)
{
    if ((who->start != HT_PLAN_NONE && who->start >= p->location_count) ||
        (who->end != HT_PLAN_NONE && who->end >= p->location_count) ||
        (who->underway && who->here >= p->location_count)) {
        return ht_error_set(error, HT_RANGE, 0, "no such location");
    }
    if (who->profile >= p->profile_count) {
        return ht_error_set(error, HT_RANGE, 0, "no such profile");
    }
    if (who->share != 0 &&
        (who->share < HT_ROUNDS_SHARE_LEAST || who->share > HT_ROUNDS_SHARE_MOST)) {
        return ht_error_set(error, HT_RANGE, 0, "share is out of range");
    }
    return HT_OK;
}

static enum ht_status running_check(const struct ht_rounds_problem *p,
                                    const struct ht_rounds_running *v, struct ht_error *error)
{
    if (v->site >= p->site_count || v->inspector >= p->inspector_count ||
        (v->second != HT_PLAN_NONE && v->second >= p->inspector_count)) {
        return ht_error_set(error, HT_RANGE, 0, "no such site or inspector");
    }
    if (v->second == v->inspector) {
        return ht_error_set(error, HT_INVALID, 0, "the second is the first");
    }
    if (v->day >= p->weeks * 7 || v->begin_s < 0 || v->end_s < v->begin_s ||
        v->end_s > HT_ROUNDS_TIME_MOST_S || (unsigned)v->state > HT_ROUNDS_PLANNED) {
        return ht_error_set(error, HT_RANGE, 0, "day, time or state is out of range");
    }
    if (v->state == HT_ROUNDS_PAST ? v->day > p->first_day : v->day < p->first_day) {
        return ht_error_set(error, HT_INVALID, 0, "is on the wrong side of the first day");
    }
    return HT_OK;
}

static enum ht_status sizes_check(const struct ht_rounds_problem *p, struct ht_error *error)
{
    const struct ht_rounds_prices *prices = &p->prices;
    const uint32_t list[] = {prices->per_km_s, prices->day_s,   prices->owner_s, prices->late_s,
                             prices->spread_s, prices->early_s, prices->move_s,  prices->cell_s};
    if (p->weeks < 1 || p->weeks > HT_ROUNDS_WEEKS_MOST) {
        return ht_error_set(error, HT_INVALID, 0, "one to eight weeks can be planned");
    }
    if (p->first_weekday > 6 || p->first_day > p->weeks * 7) {
        return ht_error_set(error, HT_RANGE, 0, "the first day is out of range");
    }
    if (p->site_count > HT_ROUNDS_SITES_MOST || p->inspector_count > HT_ROUNDS_INSPECTORS_MOST ||
        p->running_count > HT_ROUNDS_VISITS_MOST ||
        (uint64_t)p->location_count * p->location_count * p->profile_count > HT_PLAN_CELLS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "too many sites, inspectors, visits or places");
    }
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (list[i] > HT_ROUNDS_PRICE_MOST) {
            return ht_error_set(error, HT_RANGE, 0, "a price is out of range");
        }
    }
    if (prices->balance > HT_ROUNDS_BALANCE_MOST) {
        return ht_error_set(error, HT_RANGE, 0, "balance is out of range");
    }
    if ((p->site_count > 0 && p->sites == NULL) ||
        (p->inspector_count > 0 && p->inspectors == NULL) ||
        (p->running_count > 0 && p->running == NULL) ||
        (p->profile_count > 0 && p->profiles == NULL)) {
        return ht_error_set(error, HT_INVALID, 0, "a list is missing");
    }
    for (uint32_t i = 0; i < p->profile_count; i++) {
        if (p->location_count > 0 && p->profiles[i].duration_s == NULL) {
            return ht_error_set(error, HT_INVALID, 0, "profile %u has no durations", i);
        }
    }
    return HT_OK;
}

/* Says of whom it is, and where. */
static enum ht_status blame(struct ht_error *error, const char *what, uint32_t index)
{
    if (error != NULL) {
        struct ht_error inner = *error;
        return ht_error_set(error, inner.status, index, "%s %u: %.200s", what, index,
                            inner.message);
    }
    return HT_OK;
}

static enum ht_status sites_check(const struct ht_rounds_problem *p, struct ht_error *error)
{
    uint64_t visits = 0;
    for (uint32_t s = 0; s < p->site_count; s++) {
        const struct ht_rounds_site *site = &p->sites[s];
        enum ht_status status = site_check(p, site, error);
        status = status == HT_OK ? needs_check(site, p->weeks * 7, &visits, error) : status;
        status = status == HT_OK ? windows_check(site->open, site->open_count, p->weeks * 7, error)
                                 : status;
        if (status != HT_OK) {
            (void)blame(error, "site", s);
            return status;
        }
    }
    if (visits > HT_ROUNDS_VISITS_MOST) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than %d visits are asked for",
                            HT_ROUNDS_VISITS_MOST);
    }
    return HT_OK;
}

/* A site has one running visit a day at most. */
static enum ht_status running_apart(const struct ht_rounds_problem *p, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    uint64_t *days = ht_array_new_zeroed(p->site_count, sizeof *days);
    if (days == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < p->running_count && status == HT_OK; i++) {
        const struct ht_rounds_running *v = &p->running[i];
        status = running_check(p, v, error);
        if (status == HT_OK && (days[v->site] >> v->day & 1) != 0) {
            status =
                ht_error_set(error, HT_INVALID, 0, "site %u is visited twice on that day", v->site);
        }
        if (status != HT_OK) {
            (void)blame(error, "running visit", i);
        } else {
            days[v->site] |= UINT64_C(1) << v->day;
        }
    }
    free(days);
    return status;
}

enum ht_status ht_rounds_problem_check(const struct ht_rounds_problem *p, struct ht_error *error)
{
    enum ht_status status = sizes_check(p, error);
    for (uint32_t i = 0; i < p->inspector_count && status == HT_OK; i++) {
        const struct ht_rounds_inspector *who = &p->inspectors[i];
        status = inspector_check(p, who, error);
        status = status == HT_OK ? windows_check(who->shifts, who->shift_count, p->weeks * 7, error)
                                 : status;
        if (status != HT_OK) {
            (void)blame(error, "inspector", i);
        }
    }
    status = status == HT_OK ? sites_check(p, error) : status;
    return status == HT_OK ? running_apart(p, error) : status;
}
