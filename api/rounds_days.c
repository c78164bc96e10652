#include "api/rounds_days.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/text.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define NOT_HOLIDAYS "00:00-24:00; PH off"

enum {
    DAY_S = 24 * 3600,
    NIGHT_MOST_S = 12 * 3600, /* hours over midnight that belong to the day before */
    MONTH_DAYS = 28,
    EPOCH_WEEKDAY = 3, /* 1970-01-01 was a Thursday */
};

/* Hours or needs that were worked out, by what they were made of. */
struct ht_round_kept {
    char *key;
    void *list;
    uint32_t count;
    bool never;
};

void ht_round_days_init(struct ht_round_days *days, int64_t from_ms, uint32_t weeks,
                        int64_t since_ms)
{
    int64_t local_ms = ht_zone_local_ms(from_ms);
    int64_t day = local_ms / DAY_MS; /* never before 2000 */
    *days = (struct ht_round_days){.calendar = days->calendar,
                                   .begin_local_ms = day * DAY_MS,
                                   .weeks = weeks,
                                   .count = weeks * 7,
                                   .first_weekday = (uint32_t)((day + EPOCH_WEEKDAY) % 7)};
    int64_t first = ht_round_day_of(days, since_ms, &days->first_s);
    days->first_day = first < 0 ? 0 : (uint32_t)first;
    days->first_s = first < 0 ? 0 : days->first_s;
}

void ht_round_days_deinit(struct ht_round_days *days)
{
    for (size_t i = 0; i < days->kept_count; i++) {
        free(days->kept[i].key);
        free(days->kept[i].list);
    }
    free(days->kept);
    *days = (struct ht_round_days){.calendar = days->calendar};
}

int64_t ht_round_day_of(const struct ht_round_days *days, int64_t utc_ms, int32_t *time_s)
{
    int64_t since_ms = ht_zone_local_ms(utc_ms) - days->begin_local_ms;
    int64_t day = since_ms >= 0 ? since_ms / DAY_MS : -((DAY_MS - 1 - since_ms) / DAY_MS);
    *time_s = (int32_t)((since_ms - day * DAY_MS + 999) / 1000);
    return day;
}

int64_t ht_round_moment(const struct ht_round_days *days, uint32_t day, int32_t time_s)
{
    return ht_zone_utc_ms(days->begin_local_ms + day * DAY_MS + time_s * INT64_C(1000));
}

/* ---- what is kept ---- */

static const struct ht_round_kept *kept_find(const struct ht_round_days *days, const char *key)
{
    for (size_t i = 0; i < days->kept_count; i++) {
        if (strcmp(days->kept[i].key, key) == 0) {
            return &days->kept[i];
        }
    }
    return NULL;
}

/* Takes the list over, also where it fails; `key` NULL: found by nobody. */
static enum ht_status keep(struct ht_round_days *days, const char *key, void *list, uint32_t count,
                           const struct ht_round_kept **out)
{
    void *all = days->kept;
    char *copy = strdup(key == NULL ? "" : key);
    enum ht_status status =
        ht_array_reserve(&all, &days->kept_capacity, days->kept_count + 1, sizeof *days->kept);
    days->kept = all;
    if (copy == NULL || status != HT_OK) {
        free(copy);
        free(list);
        return HT_NOMEM;
    }
    days->kept[days->kept_count] =
        (struct ht_round_kept){.key = copy, .list = list, .count = count, .never = count == 0};
    *out = &days->kept[days->kept_count++];
    return HT_OK;
}

/* ---- spans of a schedule ---- */

struct spans {
    struct ht_rounds_window *list;
    size_t capacity;
    uint32_t count;
};

static enum ht_status span_put(struct spans *spans, uint32_t day, int64_t from_s, int64_t to_s)
{
    void *list = spans->list;
    if (to_s <= from_s) {
        return HT_OK;
    }
    enum ht_status status =
        ht_array_reserve(&list, &spans->capacity, spans->count + (size_t)1, sizeof *spans->list);
    spans->list = list;
    if (status == HT_OK) {
        spans->list[spans->count++] =
            (struct ht_rounds_window){.day = day, .from_s = (int32_t)from_s, .to_s = (int32_t)to_s};
    }
    return status;
}

/* [from_ms, to_ms) of the local clock since day 0, by days; a night stays with its evening. */
static enum ht_status span_add(const struct ht_round_days *days, struct spans *spans,
                               int64_t from_ms, int64_t to_ms)
{
    enum ht_status status = HT_OK;
    int64_t from_s = from_ms / 1000;
    int64_t to_s = to_ms / 1000;
    while (from_s < to_s && status == HT_OK) {
        int64_t day = from_s / DAY_S;
        int64_t midnight_s = (day + 1) * DAY_S;
        int64_t end_s = to_s - from_s <= NIGHT_MOST_S || to_s <= midnight_s ? to_s : midnight_s;
        if (day >= days->count) {
            break;
        }
        status = span_put(spans, (uint32_t)day, from_s - day * DAY_S, end_s - day * DAY_S);
        from_s = end_s;
    }
    return status;
}

/* All of a schedule's from day 0 to the last one. */
static enum ht_status spans_of(const struct ht_round_days *days, const struct ht_schedule *schedule,
                               struct spans *spans)
{
    int64_t begin_ms = ht_round_moment(days, 0, 0);
    int64_t end_ms = ht_round_moment(days, days->count, 0);
    int64_t at_ms = begin_ms;
    bool open = ht_calendar_active(days->calendar, schedule, at_ms);
    enum ht_status status = HT_OK;
    while (at_ms < end_ms && status == HT_OK) {
        int64_t next_ms = ht_calendar_next_change(days->calendar, schedule, at_ms);
        if (open) { /* a night that begins on the last day goes on */
            int64_t until_ms = next_ms < end_ms + DAY_MS / 2 ? next_ms : end_ms;
            status = span_add(days, spans, ht_zone_local_ms(at_ms) - days->begin_local_ms,
                              ht_zone_local_ms(until_ms) - days->begin_local_ms);
        }
        if (next_ms == INT64_MAX || next_ms <= at_ms) {
            break;
        }
        open = !open;
        at_ms = next_ms;
    }
    return status;
}

static enum ht_status schedule_spans(const struct ht_round_days *days, const char *text,
                                     struct spans *spans)
{
    struct ht_schedule *schedule = NULL;
    enum ht_status status = ht_schedule_parse(text, &schedule, NULL);
    if (status == HT_OK) {
        status = spans_of(days, schedule, spans);
    }
    ht_schedule_free(schedule);
    return status == HT_OK || status == HT_NOMEM ? status : HT_INVALID;
}

/* What of `spans` lies in the days of `mask`. */
static void spans_mask(struct spans *spans, const struct spans *mask)
{
    uint64_t bits = 0;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < mask->count; i++) {
        bits |= UINT64_C(1) << mask->list[i].day;
    }
    for (uint32_t i = 0; i < spans->count; i++) {
        if ((bits >> spans->list[i].day & 1) != 0) {
            spans->list[kept++] = spans->list[i];
        }
    }
    spans->count = kept;
}

static void spans_since(const struct ht_round_days *days, struct spans *spans)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < spans->count; i++) {
        struct ht_rounds_window window = spans->list[i];
        if (window.day == days->first_day && window.from_s < days->first_s) {
            window.from_s = days->first_s;
        }
        if (window.day >= days->first_day && window.from_s < window.to_s) {
            spans->list[kept++] = window;
        }
    }
    spans->count = kept;
}

static enum ht_status spans_without(const struct ht_round_days *days, struct spans *spans,
                                    const struct ht_round_leave *leave)
{
    struct spans left = {.list = NULL};
    enum ht_status status = HT_OK;
    int64_t off_s = (ht_zone_local_ms(leave->from_ms) - days->begin_local_ms) / 1000;
    int64_t on_s = (ht_zone_local_ms(leave->to_ms) - days->begin_local_ms + 999) / 1000;
    for (uint32_t i = 0; i < spans->count && status == HT_OK; i++) {
        const struct ht_rounds_window *window = &spans->list[i];
        int64_t day_s = (int64_t)window->day * DAY_S;
        int64_t from_s = day_s + window->from_s;
        int64_t to_s = day_s + window->to_s;
        int64_t before_s = to_s < off_s ? to_s : off_s;
        int64_t after_s = from_s > on_s ? from_s : on_s;
        status = span_put(&left, window->day, from_s - day_s, before_s - day_s);
        if (status == HT_OK) {
            after_s = after_s < before_s ? before_s : after_s; /* leave of no length */
            status = span_put(&left, window->day, after_s - day_s, to_s - day_s);
        }
    }
    free(spans->list);
    *spans = left;
    return status;
}

/* ---- weekdays ---- */

static enum ht_status weekdays_find(const struct ht_round_days *days, uint32_t weekdays,
                                    uint64_t *bits)
{
    static const char names[] = "MoTuWeThFrSaSu";
    struct ht_schedule *schedule = NULL;
    char text[48] = "";
    for (size_t i = 0; i < 7; i++) {
        if ((weekdays >> i & 1) != 0) {
            size_t size = strlen(text);
            (void)snprintf(text + size, sizeof text - size, "%s%.2s", size == 0 ? "" : ",",
                           names + i * 2);
        }
    }
    (void)snprintf(text + strlen(text), sizeof text - strlen(text), " 00:00-24:00");
    enum ht_status status = ht_schedule_parse(text, &schedule, NULL);
    *bits = 0;
    for (uint32_t day = 0; day < days->count && status == HT_OK; day++) {
        int64_t noon_ms = ht_round_moment(days, day, DAY_S / 2);
        *bits |= ht_calendar_active(days->calendar, schedule, noon_ms) ? UINT64_C(1) << day : 0;
    }
    ht_schedule_free(schedule);
    return status;
}

enum ht_status ht_round_weekdays(struct ht_round_days *days, uint32_t weekdays, uint64_t *bits)
{
    char key[24];
    *bits = UINT64_MAX;
    if (weekdays == 0) {
        return HT_OK;
    }
    (void)snprintf(key, sizeof key, "weekdays %u", weekdays);
    const struct ht_round_kept *kept = kept_find(days, key);
    if (kept == NULL) {
        uint64_t *found = ht_array_new(1, sizeof *found);
        enum ht_status status = found == NULL ? HT_NOMEM : weekdays_find(days, weekdays, found);
        if (status != HT_OK) {
            free(found);
            return status;
        }
        status = keep(days, key, found, 1, &kept);
        if (status != HT_OK) {
            return status;
        }
    }
    *bits = *(const uint64_t *)kept->list;
    return HT_OK;
}

/* ---- hours ---- */

static enum ht_status text_of(yajl_val hours, struct ht_text *text)
{
    enum ht_status status = ht_hours_text(hours, text);
    return text->failed ? HT_NOMEM : status;
}

enum ht_status ht_round_site_hours(struct ht_round_days *days, yajl_val open,
                                   struct ht_round_open *out)
{
    struct ht_text key = {0};
    struct spans spans = {.list = NULL};
    *out = (struct ht_round_open){.list = NULL};
    if (open == NULL) {
        return HT_OK;
    }
    ht_text_add_string(&key, "site ");
    enum ht_status status = text_of(open, &key);
    const struct ht_round_kept *kept =
        status == HT_OK ? kept_find(days, ht_text_string(&key)) : NULL;
    if (status == HT_OK && kept == NULL) {
        status = schedule_spans(days, ht_text_string(&key) + 5, &spans);
        if (status == HT_OK) {
            status = keep(days, ht_text_string(&key), spans.list, spans.count, &kept);
        } else {
            free(spans.list);
        }
    }
    ht_text_deinit(&key);
    if (kept != NULL) {
        *out = (struct ht_round_open){kept->list, kept->count, kept->never};
    }
    return status == HT_EMPTY ? HT_OK : status;
}

/* The shift's text, behind the key's beginning. */
static enum ht_status shift_key(const struct ht_round_days *days, yajl_val shift,
                                struct ht_text *key)
{
    ht_text_add_string(key, "shift ");
    if (shift != NULL) {
        return text_of(shift, key);
    }
    char *working = days->calendar == NULL ? strdup("Mo-Fr 08:30-12:00,14:00-17:30; PH off")
                                           : ht_calendar_working(days->calendar);
    ht_text_add_string(key, working == NULL ? "" : working);
    bool failed = working == NULL || key->failed;
    free(working);
    return failed ? HT_NOMEM : HT_OK;
}

static enum ht_status shift_spans(const struct ht_round_days *days, const char *text,
                                  struct spans *spans)
{
    struct spans mask = {.list = NULL};
    enum ht_status status = schedule_spans(days, text, spans);
    if (status == HT_OK && strstr(text, "PH") == NULL) {
        status = schedule_spans(days, NOT_HOLIDAYS, &mask);
        spans_mask(spans, &mask);
        free(mask.list);
    }
    spans_since(days, spans);
    return status;
}

enum ht_status ht_round_shift_hours(struct ht_round_days *days, yajl_val shift,
                                    const struct ht_round_leave *leaves, size_t leave_count,
                                    struct ht_round_open *out)
{
    struct ht_text key = {0};
    struct spans spans = {.list = NULL};
    const struct ht_round_kept *kept = NULL;
    *out = (struct ht_round_open){.list = NULL};
    enum ht_status status = shift_key(days, shift, &key);
    if (status == HT_EMPTY) {
        ht_text_clear(&key);
        status = shift_key(days, NULL, &key);
    }
    if (status == HT_OK && leave_count == 0) {
        kept = kept_find(days, ht_text_string(&key));
    }
    if (status == HT_OK && kept == NULL) {
        status = shift_spans(days, ht_text_string(&key) + 6, &spans);
        for (size_t i = 0; i < leave_count && status == HT_OK; i++) {
            status = spans_without(days, &spans, &leaves[i]);
        }
        if (status == HT_OK) {
            status = keep(days, leave_count == 0 ? ht_text_string(&key) : NULL, spans.list,
                          spans.count, &kept);
        } else {
            free(spans.list);
        }
    }
    ht_text_deinit(&key);
    if (kept != NULL) {
        *out = (struct ht_round_open){kept->list, kept->count, kept->never};
    }
    return status;
}

/* ---- needs ---- */

/* In how many of the weeks visits come to a whole number, and to which; 0: in none. */
static uint32_t period_of(const struct ht_round_days *days, double per_week, uint32_t *visits)
{
    for (uint32_t weeks = 1; weeks <= days->weeks; weeks++) {
        double count = per_week * weeks;
        if (count > 0.5 && fabs(count - round(count)) < 1e-3 && days->weeks % weeks == 0) {
            *visits = (uint32_t)lround(count);
            return weeks;
        }
    }
    return 0;
}

/* The last day for a visit of what is seen less than once in all the days; below 0: none is due. */
static int64_t due_of(const struct ht_round_days *days, double per_week, int32_t last_day)
{
    int64_t last = (int64_t)days->count - 1;
    int64_t due =
        last_day == HT_ROUNDS_NEVER ? last : (int64_t)last_day + (int64_t)ceil(7 / per_week);
    due = due < days->first_day ? days->first_day : due; /* it is late already */
    return due > last ? -1 : due;
}

static uint32_t needs_make(const struct ht_round_days *days, double per_week, int32_t last_day,
                           struct ht_rounds_need *list)
{
    uint32_t visits = 0;
    uint32_t count = 0;
    if (!(per_week > 0)) {
        return 0;
    }
    uint32_t weeks = period_of(days, per_week, &visits);
    if (weeks > 0) {
        for (uint32_t day = 0; day < days->count; day += weeks * 7) {
            list[count++] = (struct ht_rounds_need){day, day + weeks * 7 - 1, visits};
        }
        return count;
    }
    visits = (uint32_t)lround(per_week * days->weeks);
    if (per_week * days->weeks >= 1) {
        list[0] = (struct ht_rounds_need){0, days->count - 1, visits};
        return 1;
    }
    int64_t due = due_of(days, per_week, last_day);
    if (due >= 0) {
        list[0] = (struct ht_rounds_need){0, (uint32_t)due, 1};
    }
    return due >= 0 ? 1 : 0;
}

enum ht_status ht_round_needs(struct ht_round_days *days, const struct ht_round_wish *wish,
                              int32_t last_day, struct ht_round_need_list *out)
{
    char key[64];
    double per_week = wish->visits_per_week >= 0    ? wish->visits_per_week
                      : wish->visits_per_month >= 0 ? wish->visits_per_month * 7 / MONTH_DAYS
                                                    : 0;
    bool seldom = per_week * days->weeks < 1;
    (void)snprintf(key, sizeof key, "needs %.9g %d", per_week, seldom ? (int)last_day : 0);
    const struct ht_round_kept *kept = kept_find(days, key);
    if (kept == NULL) {
        struct ht_rounds_need *list = ht_array_new(days->weeks, sizeof *list);
        enum ht_status status =
            list == NULL ? HT_NOMEM
                         : keep(days, key, list, needs_make(days, per_week, last_day, list), &kept);
        if (status != HT_OK) {
            return status;
        }
    }
    *out = (struct ht_round_need_list){kept->list, kept->count};
    return HT_OK;
}

enum ht_status ht_round_need_once(struct ht_round_days *days, uint32_t first_day, uint32_t last_day,
                                  struct ht_round_need_list *out)
{
    char key[32];
    (void)snprintf(key, sizeof key, "once %u %u", first_day, last_day);
    const struct ht_round_kept *kept = kept_find(days, key);
    if (kept == NULL) {
        struct ht_rounds_need *list = ht_array_new(1, sizeof *list);
        if (list == NULL) {
            return HT_NOMEM;
        }
        list[0] = (struct ht_rounds_need){first_day, last_day, 1};
        enum ht_status status = keep(days, key, list, 1, &kept);
        if (status != HT_OK) {
            return status;
        }
    }
    *out = (struct ht_round_need_list){kept->list, kept->count};
    return HT_OK;
}
