#include "api/calendar.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "api/pointer.h"
#include "api/settings.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define WORKING_FIRST "Mo-Fr 08:30-12:00,14:00-17:30; PH off"

enum {
    SPANS_MOST = 4096, /* of one list */
    SPAN_DAYS_MOST = 366,
    WORKING_MOST = 1000,   /* bytes, as ht_schedule_parse takes */
    CHANGES_MOST = 200000, /* of working hours looked at for one due time */
};

/* Days since 1970, `to` included. `as`: 0 Monday to 6 Sunday, for workdays. */
struct span {
    int64_t from;
    int64_t to;
    int as;
};

struct spans {
    struct span *list;
    size_t count;
};

enum { HOLIDAYS, SCHOOL_HOLIDAYS, WORKDAYS, LISTS };

static const char *const list_names[LISTS] = {"holidays", "school_holidays", "workdays"};
static const char *const weekdays[] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};

struct ht_days {
    struct spans lists[LISTS];
    char *working;
    struct ht_schedule *schedule;
};

struct ht_office_calendar {
    pthread_rwlock_t lock;
    struct ht_days *days;
    atomic_uint_least64_t version;
};

/* ---- from text ---- */

static bool day_read(yajl_val value, int64_t *day)
{
    char text[32];
    int64_t utc_ms = 0;
    const char *date = YAJL_GET_STRING(value);
    if (date == NULL || strlen(date) != 10) {
        return false;
    }
    (void)snprintf(text, sizeof text, "%sT00:00:00Z", date);
    if (!ht_time_parse(text, strlen(text), &utc_ms)) {
        return false;
    }
    *day = utc_ms / DAY_MS - (utc_ms % DAY_MS < 0);
    return true;
}

/* "2026-10-01", {"date": ..., "as": "We"} or {"from": ..., "to": ...}. */
static bool span_read(yajl_val value, struct span *span)
{
    yajl_val as = ht_json_member(value, "as");
    yajl_val date = YAJL_IS_OBJECT(value) ? ht_json_member(value, "date") : value;
    const char *weekday = YAJL_GET_STRING(as);
    span->as = as == NULL ? 0 : -1;
    for (int i = 0; i < 7 && weekday != NULL; i++) {
        span->as = strcmp(weekday, weekdays[i]) == 0 ? i : span->as;
    }
    if (span->as < 0) {
        return false;
    }
    if (date != NULL) {
        bool good = day_read(date, &span->from);
        span->to = span->from;
        return good;
    }
    return day_read(ht_json_member(value, "from"), &span->from) &&
           day_read(ht_json_member(value, "to"), &span->to) && span->from <= span->to &&
           span->to - span->from < SPAN_DAYS_MOST;
}

static int by_day(const void *left, const void *right)
{
    const struct span *a = left;
    const struct span *b = right;
    return (a->from > b->from) - (a->from < b->from);
}

static enum ht_status list_read(yajl_val value, const char *name, struct spans *out,
                                struct ht_setting_wrong *wrong)
{
    (void)snprintf(wrong->pointer, sizeof wrong->pointer, "/%s", name);
    if (value == NULL) {
        return HT_OK;
    }
    if (!YAJL_IS_ARRAY(value) || value->u.array.len > SPANS_MOST) {
        (void)snprintf(wrong->detail, sizeof wrong->detail, "%s must be a list of at most %d", name,
                       (int)SPANS_MOST);
        return HT_INVALID;
    }
    out->list = ht_array_new(value->u.array.len + 1, sizeof *out->list);
    if (out->list == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < value->u.array.len; i++) {
        if (!span_read(value->u.array.values[i], &out->list[i])) {
            (void)snprintf(wrong->pointer, sizeof wrong->pointer, "/%s/%zu", name, i);
            (void)snprintf(wrong->detail, sizeof wrong->detail,
                           "is neither \"2026-10-01\", {\"from\", \"to\"} of a year at most, nor "
                           "{\"date\", \"as\": \"Mo\"}");
            return HT_INVALID;
        }
        out->count = i + 1;
    }
    qsort(out->list, out->count, sizeof *out->list, by_day);
    for (size_t i = 1; i < out->count; i++) {
        if (out->list[i].from <= out->list[i - 1].to) {
            (void)snprintf(wrong->detail, sizeof wrong->detail, "%s names a day twice", name);
            return HT_INVALID;
        }
    }
    return HT_OK;
}

static enum ht_status working_read(yajl_val value, struct ht_days *days,
                                   struct ht_setting_wrong *wrong)
{
    struct ht_error error = {0};
    const char *text = value == NULL ? WORKING_FIRST : YAJL_GET_STRING(value);
    (void)strcpy(wrong->pointer, "/working");
    if (text == NULL || strlen(text) > WORKING_MOST) {
        (void)strcpy(wrong->detail, "working must be opening hours");
        return HT_INVALID;
    }
    days->working = strdup(text);
    if (days->working == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_schedule_parse(text, &days->schedule, &error);
    (void)snprintf(wrong->detail, sizeof wrong->detail, "%.120s", error.message);
    return status == HT_OK || status == HT_NOMEM ? status : HT_INVALID;
}

/* A key that is none of ours. */
static const char *stranger(yajl_val tree)
{
    for (size_t i = 0; tree != NULL && i < tree->u.object.len; i++) {
        const char *key = tree->u.object.keys[i];
        bool known = strcmp(key, "working") == 0;
        for (int l = 0; l < LISTS; l++) {
            known = known || strcmp(key, list_names[l]) == 0;
        }
        if (!known) {
            return key;
        }
    }
    return NULL;
}

/* A day is a holiday or worked in exchange for one, not both. */
static enum ht_status exchange_check(const struct ht_days *days, struct ht_setting_wrong *wrong)
{
    const struct spans *off = &days->lists[HOLIDAYS];
    const struct spans *on = &days->lists[WORKDAYS];
    for (size_t i = 0; i < on->count; i++) {
        for (size_t j = 0; j < off->count; j++) {
            if (on->list[i].from <= off->list[j].to && off->list[j].from <= on->list[i].to) {
                char text[HT_TIME_TEXT_SIZE];
                int64_t day =
                    on->list[i].from > off->list[j].from ? on->list[i].from : off->list[j].from;
                ht_time_format(day * DAY_MS, text);
                (void)strcpy(wrong->pointer, "/workdays");
                (void)snprintf(wrong->detail, sizeof wrong->detail,
                               "%.10s is among the holidays as well", text);
                return HT_INVALID;
            }
        }
    }
    return HT_OK;
}

enum ht_status ht_days_read(yajl_val tree, struct ht_days **out, struct ht_setting_wrong *wrong)
{
    const char *other = stranger(tree);
    if (other != NULL) {
        ht_pointer(wrong->pointer, sizeof wrong->pointer, "", other);
        (void)snprintf(wrong->detail, sizeof wrong->detail, "calendar has no %.60s", other);
        return HT_INVALID;
    }
    struct ht_days *days = calloc(1, sizeof *days);
    enum ht_status status = days == NULL ? HT_NOMEM : HT_OK;
    for (int i = 0; i < LISTS && status == HT_OK; i++) {
        status =
            list_read(ht_json_member(tree, list_names[i]), list_names[i], &days->lists[i], wrong);
    }
    if (status == HT_OK) {
        status = exchange_check(days, wrong);
    }
    if (status == HT_OK) {
        status = working_read(ht_json_member(tree, "working"), days, wrong);
    }
    if (status != HT_OK) {
        ht_days_free(days);
        return status;
    }
    *out = days;
    return HT_OK;
}

static void day_write(struct ht_json *json, int64_t day)
{
    char text[HT_TIME_TEXT_SIZE];
    ht_time_format(day * DAY_MS, text);
    ht_json_text_n(json, text, 10);
}

void ht_days_write(const struct ht_days *days, struct ht_json *json)
{
    ht_json_object(json);
    for (int l = 0; l < LISTS; l++) {
        ht_json_key(json, list_names[l]);
        ht_json_array(json);
        for (size_t i = 0; i < days->lists[l].count; i++) {
            const struct span *span = &days->lists[l].list[i];
            bool one = span->from == span->to;
            if (one && span->as == 0) {
                day_write(json, span->from);
                continue;
            }
            ht_json_object(json);
            ht_json_key(json, one ? "date" : "from");
            day_write(json, span->from);
            if (!one) {
                ht_json_key(json, "to");
                day_write(json, span->to);
            }
            if (span->as != 0) {
                ht_json_key_text(json, "as", weekdays[span->as]);
            }
            ht_json_object_end(json);
        }
        ht_json_array_end(json);
    }
    ht_json_key_text(json, "working", days->working);
    ht_json_object_end(json);
}

void ht_days_free(struct ht_days *days)
{
    if (days != NULL) {
        for (int i = 0; i < LISTS; i++) {
            free(days->lists[i].list);
        }
        ht_schedule_free(days->schedule);
        free(days->working);
        free(days);
    }
}

/* ---- questions ---- */

static const struct span *span_of(const struct spans *spans, int64_t day)
{
    size_t low = 0;
    size_t high = spans->count;
    while (low < high) { /* the first that ends on the day or later */
        size_t middle = (low + high) / 2;
        if (spans->list[middle].to < day) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < spans->count && spans->list[low].from <= day ? &spans->list[low] : NULL;
}

static bool is_holiday(void *user, int64_t day, enum ht_holiday kind)
{
    const struct ht_days *days = user;
    return span_of(&days->lists[kind == HT_HOLIDAY_SCHOOL ? SCHOOL_HOLIDAYS : HOLIDAYS], day) !=
               NULL &&
           span_of(&days->lists[WORKDAYS], day) == NULL;
}

static int weekday_as(void *user, int64_t day)
{
    const struct ht_days *days = user;
    const struct span *span = span_of(&days->lists[WORKDAYS], day);
    return span == NULL ? -1 : span->as;
}

enum ht_status ht_calendar_new(struct ht_office_calendar **out)
{
    struct ht_setting_wrong wrong;
    struct ht_office_calendar *calendar = calloc(1, sizeof *calendar);
    if (calendar == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_rwlock_init(&calendar->lock, NULL);
    enum ht_status status = ht_days_read(NULL, &calendar->days, &wrong);
    if (status != HT_OK) {
        ht_calendar_free(calendar);
        return status;
    }
    *out = calendar;
    return HT_OK;
}

void ht_calendar_free(struct ht_office_calendar *calendar)
{
    if (calendar != NULL) {
        (void)pthread_rwlock_destroy(&calendar->lock);
        ht_days_free(calendar->days);
        free(calendar);
    }
}

void ht_calendar_set(struct ht_office_calendar *calendar, struct ht_days *days)
{
    (void)pthread_rwlock_wrlock(&calendar->lock);
    struct ht_days *before = calendar->days;
    calendar->days = days;
    (void)pthread_rwlock_unlock(&calendar->lock);
    (void)atomic_fetch_add(&calendar->version, 1);
    ht_days_free(before);
}

uint64_t ht_calendar_version(const struct ht_office_calendar *calendar)
{
    return calendar == NULL ? 0 : atomic_load(&calendar->version);
}

static bool is_holiday_now(void *user, int64_t day, enum ht_holiday kind)
{
    struct ht_office_calendar *calendar = user;
    (void)pthread_rwlock_rdlock(&calendar->lock);
    bool is = is_holiday(calendar->days, day, kind);
    (void)pthread_rwlock_unlock(&calendar->lock);
    return is;
}

struct ht_calendar ht_calendar_holidays(struct ht_office_calendar *calendar)
{
    return (struct ht_calendar){.holiday = calendar == NULL ? NULL : is_holiday_now,
                                .user = calendar};
}

int64_t ht_calendar_like_ms(struct ht_office_calendar *calendar, int64_t utc_ms)
{
    int64_t local_ms = ht_zone_local_ms(utc_ms);
    int64_t day = local_ms / DAY_MS - (local_ms % DAY_MS < 0);
    int64_t weekday = ((day + 3) % 7 + 7) % 7; /* 1970 began on a Thursday */
    (void)pthread_rwlock_rdlock(&calendar->lock);
    int64_t as = weekday_as(calendar->days, day);
    if (is_holiday(calendar->days, day, HT_HOLIDAY_PUBLIC)) {
        as = 6;
    }
    (void)pthread_rwlock_unlock(&calendar->lock);
    return as < 0 ? local_ms : local_ms + (as - weekday) * DAY_MS;
}

static struct ht_calendar rules_of(struct ht_days *days)
{
    return (struct ht_calendar){.holiday = is_holiday, .user = days, .weekday = weekday_as};
}

bool ht_calendar_active(struct ht_office_calendar *calendar, const struct ht_schedule *schedule,
                        int64_t utc_ms)
{
    if (calendar == NULL) {
        return ht_schedule_active(schedule, ht_zone_local_ms(utc_ms), NULL);
    }
    (void)pthread_rwlock_rdlock(&calendar->lock);
    const struct ht_calendar rules = rules_of(calendar->days);
    bool active = ht_schedule_active(schedule, ht_zone_local_ms(utc_ms), &rules);
    (void)pthread_rwlock_unlock(&calendar->lock);
    return active;
}

static int64_t change_after(const struct ht_schedule *schedule, const struct ht_calendar *rules,
                            int64_t utc_ms)
{
    int64_t local_ms = ht_schedule_next_change(schedule, ht_zone_local_ms(utc_ms), rules);
    return local_ms == INT64_MAX ? local_ms : ht_zone_utc_ms(local_ms);
}

int64_t ht_calendar_next_change(struct ht_office_calendar *calendar,
                                const struct ht_schedule *schedule, int64_t utc_ms)
{
    if (calendar == NULL) {
        return change_after(schedule, NULL, utc_ms);
    }
    (void)pthread_rwlock_rdlock(&calendar->lock);
    const struct ht_calendar rules = rules_of(calendar->days);
    int64_t change_ms = change_after(schedule, &rules, utc_ms);
    (void)pthread_rwlock_unlock(&calendar->lock);
    return change_ms;
}

char *ht_calendar_working(struct ht_office_calendar *calendar)
{
    (void)pthread_rwlock_rdlock(&calendar->lock);
    char *working = strdup(calendar->days->working);
    (void)pthread_rwlock_unlock(&calendar->lock);
    return working;
}

int64_t ht_calendar_due(struct ht_office_calendar *calendar, int64_t from_ms, int64_t length_ms)
{
    (void)pthread_rwlock_rdlock(&calendar->lock);
    const struct ht_calendar rules = rules_of(calendar->days);
    const struct ht_schedule *working = calendar->days->schedule;
    int64_t at_ms = from_ms;
    int64_t left_ms = length_ms;
    bool open = ht_schedule_active(working, ht_zone_local_ms(at_ms), &rules);
    int64_t due_ms = INT64_MAX;
    for (int i = 0; i < CHANGES_MOST && due_ms == INT64_MAX; i++) {
        int64_t next_ms = change_after(working, &rules, at_ms);
        if (open && (next_ms == INT64_MAX || next_ms - at_ms >= left_ms)) {
            due_ms = at_ms + left_ms;
        }
        if (next_ms == INT64_MAX || next_ms <= at_ms) {
            break;
        }
        left_ms -= open ? next_ms - at_ms : 0;
        open = !open;
        at_ms = next_ms;
    }
    (void)pthread_rwlock_unlock(&calendar->lock);
    return due_ms;
}
