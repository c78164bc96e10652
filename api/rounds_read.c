#include "api/rounds_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/params.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/schedule.h"
#include "engine/base/text.h"
#include "engine/base/time.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define FIRST_MS INT64_C(946684800000) /* 2000 */
#define LAST_MS INT64_C(4102444800000) /* 2100: sums of such moments never wrap */

enum {
    WEEK_VISITS_MOST = 50,
    MONTH_VISITS_MOST = 200,
    GAP_DAYS_MOST = 366,
    RISK_MOST = 4,
    DAY_VISITS_MOST = 1000,
    NAME_MOST = 63, /* of a skill or a profile */
};

/* Where the reader is, and how bad what it found is. `wrongs` NULL: nobody wants to know. */
struct reader {
    struct ht_round_wrongs *wrongs;
    enum ht_status status;
    char at[64]; /* pointer to the object at hand, "" the whole */
};

/* ---- what is wrong ---- */

static void wrong_add(struct ht_round_wrongs *wrongs, const char *pointer, const char *format,
                      va_list list)
{
    void *data = wrongs->list;
    if (wrongs->count == HT_ROUND_WRONGS_MOST ||
        ht_array_reserve(&data, &wrongs->capacity, wrongs->count + 1, sizeof *wrongs->list) !=
            HT_OK) {
        wrongs->more++;
        return;
    }
    wrongs->list = data;
    struct ht_round_wrong *wrong = &wrongs->list[wrongs->count++];
    (void)snprintf(wrong->pointer, sizeof wrong->pointer, "%s", pointer);
    (void)vsnprintf(wrong->detail, sizeof wrong->detail, format, list);
    (void)ht_utf8_mend(wrong->detail);
}

void ht_round_wrong_add(struct ht_round_wrongs *wrongs, const char *pointer, const char *format,
                        ...)
{
    va_list list;
    va_start(list, format);
    wrong_add(wrongs, pointer, format, list);
    va_end(list);
}

void ht_round_wrongs_deinit(struct ht_round_wrongs *wrongs)
{
    free(wrongs->list);
    *wrongs = (struct ht_round_wrongs){.list = NULL};
}

/* What is malformed is worse than what is too big, and that than what is out of range. */
static void worse(struct reader *reader, enum ht_status status)
{
    enum ht_status now = reader->status;
    if (now == HT_OK || status == HT_NOMEM || (now == HT_INVALID && status != HT_OK) ||
        (now == HT_TOO_BIG && status == HT_SYNTAX)) {
        reader->status = status;
    }
}

/* `name`: of a member of the object at hand; "": the object itself. */
__attribute__((format(printf, 4, 5))) static void fail(struct reader *reader, enum ht_status status,
                                                       const char *name, const char *format, ...)
{
    char pointer[sizeof((struct ht_round_wrong *)NULL)->pointer];
    va_list list;
    if (reader->wrongs == NULL) {
        return;
    }
    worse(reader, status);
    (void)snprintf(pointer, sizeof pointer, "%s%s%.48s", reader->at, name[0] == '\0' ? "" : "/",
                   name);
    va_start(list, format);
    wrong_add(reader->wrongs, pointer, format, list);
    va_end(list);
}

/* ---- single members ---- */

/* Absent and null are the same. */
static yajl_val member(yajl_val object, const char *name)
{
    yajl_val value = ht_json_member(object, name);
    return YAJL_IS_NULL(value) ? NULL : value;
}

/* From 0 to `most`; false: not said, or wrong. */
static bool number_take(struct reader *reader, yajl_val value, const char *name, double most,
                        double *out)
{
    double number = 0;
    if (value == NULL) {
        return false;
    }
    if (!YAJL_IS_NUMBER(value) || !ht_param_doubles(YAJL_GET_NUMBER(value), &number, 1)) {
        fail(reader, HT_SYNTAX, name, "%s must be a number", name);
        return false;
    }
    if (reader->wrongs == NULL && number > most) {
        number = most; /* the registry knows wider ranges */
    }
    if (!(number >= 0 && number <= most)) {
        fail(reader, HT_INVALID, name, "%s must be from 0 to %g", name, most);
        return false;
    }
    *out = number;
    return true;
}

/* Whole, within `range`. */
static void whole_take(struct reader *reader, yajl_val object, const char *name,
                       const uint32_t range[2], uint32_t *out)
{
    yajl_val value = member(object, name);
    double number = 0;
    if (value == NULL) {
        return;
    }
    if (!YAJL_IS_NUMBER(value) || !ht_param_doubles(YAJL_GET_NUMBER(value), &number, 1)) {
        fail(reader, HT_SYNTAX, name, "%s must be a number", name);
        return;
    }
    if (reader->wrongs == NULL && number > range[1]) {
        number = range[1]; /* the registry knows wider ranges */
    }
    if (!(number >= range[0] && number <= range[1]) || number != floor(number)) {
        fail(reader, HT_INVALID, name, "%s must be a whole number from %u to %u", name, range[0],
             range[1]);
        return;
    }
    *out = (uint32_t)number;
}

static const char *id_take(struct reader *reader, yajl_val value, const char *name)
{
    const char *text = YAJL_GET_STRING(value);
    if (value != NULL && (text == NULL || !ht_id_valid(text, strlen(text)))) {
        fail(reader, HT_SYNTAX, name, "must be 1 to 64 letters, digits and ._:-");
        return NULL;
    }
    return text;
}

static bool hours_sound(yajl_val value)
{
    struct ht_text text = {0};
    struct ht_schedule *schedule = NULL;
    bool sound = ht_hours_text(value, &text) == HT_OK && !text.failed &&
                 ht_schedule_parse(ht_text_string(&text), &schedule, NULL) == HT_OK;
    ht_schedule_free(schedule);
    ht_text_deinit(&text);
    return sound;
}

/* Opening hours; NULL: not said, an empty list, or wrong. */
static yajl_val hours_take(struct reader *reader, yajl_val object, const char *name)
{
    yajl_val value = member(object, name);
    if (value == NULL || (YAJL_IS_ARRAY(value) && value->u.array.len == 0)) {
        return NULL;
    }
    if (!hours_sound(value)) {
        fail(reader, YAJL_IS_STRING(value) || YAJL_IS_ARRAY(value) ? HT_INVALID : HT_SYNTAX, name,
             "%s must be opening hours, like \"Mo-Fr 09:00-11:30,14:00-17:00\"", name);
        return NULL;
    }
    return value;
}

static yajl_val names_take(struct reader *reader, yajl_val object, const char *name)
{
    yajl_val value = member(object, name);
    bool sound = YAJL_IS_ARRAY(value) && value->u.array.len <= HT_ROUND_SKILLS_MOST;
    for (size_t i = 0; sound && i < value->u.array.len; i++) {
        const char *text = YAJL_GET_STRING(value->u.array.values[i]);
        sound = text != NULL && text[0] != '\0' && strlen(text) <= NAME_MOST;
    }
    if (value != NULL && !sound) {
        fail(reader, HT_SYNTAX, name, "%s must be a list of at most %d names of 1 to %d bytes",
             name, (int)HT_ROUND_SKILLS_MOST, (int)NAME_MOST);
    }
    return sound ? value : NULL;
}

/* ---- times ---- */

bool ht_round_time_read(const char *text, int64_t *utc_ms, bool *day)
{
    char whole[32];
    *day = strlen(text) == 10;
    if (*day) {
        (void)snprintf(whole, sizeof whole, "%sT00:00:00Z", text);
        text = whole;
    }
    if (!ht_time_parse(text, strlen(text), utc_ms) || *utc_ms < FIRST_MS || *utc_ms > LAST_MS) {
        return false;
    }
    *utc_ms = *day ? ht_zone_utc_ms(*utc_ms) : *utc_ms;
    return true;
}

/* False: not said, or wrong. */
static bool time_take(struct reader *reader, yajl_val value, const char *name, int64_t *out,
                      bool *day)
{
    const char *text = YAJL_GET_STRING(value);
    if (value == NULL) {
        return false;
    }
    if (text == NULL || !ht_round_time_read(text, out, day)) {
        fail(reader, HT_SYNTAX, name,
             "must be a day or a time, like 2026-03-02 or 2026-03-02T08:00:00+08:00");
        return false;
    }
    return true;
}

/* The begin of the next day there. */
static int64_t day_after(int64_t begin_ms)
{
    return ht_zone_utc_ms(ht_zone_local_ms(begin_ms) + DAY_MS);
}

/* A day, or {"from", "to"}, both of which are meant where they are days. */
static bool leave_take(struct reader *reader, yajl_val value, const char *name,
                       struct ht_round_leave *out)
{
    bool day = false;
    bool object = YAJL_IS_OBJECT(value);
    yajl_val from = object ? member(value, "from") : value;
    yajl_val to = object ? member(value, "to") : value;
    if (from == NULL || to == NULL) {
        fail(reader, HT_SYNTAX, name, "must be a day, or have from and to");
        return false;
    }
    if (!time_take(reader, from, name, &out->from_ms, &day) ||
        !time_take(reader, to, name, &out->to_ms, &day)) {
        return false;
    }
    out->to_ms = day ? day_after(out->to_ms) : out->to_ms;
    if (out->to_ms <= out->from_ms) {
        fail(reader, HT_INVALID, name, "ends before it begins");
        return false;
    }
    return true;
}

static void leaves_take(struct reader *reader, yajl_val object, struct ht_round_inspector_ask *out)
{
    yajl_val list = member(object, "leave");
    if (list == NULL) {
        return;
    }
    if (!YAJL_IS_ARRAY(list) || list->u.array.len > HT_ROUND_LEAVES_MOST) {
        fail(reader, HT_SYNTAX, "leave", "leave must be a list of at most %d days or spans",
             (int)HT_ROUND_LEAVES_MOST);
        return;
    }
    out->leaves = ht_array_new(list->u.array.len, sizeof *out->leaves);
    if (out->leaves == NULL) {
        reader->status = HT_NOMEM;
        return;
    }
    for (size_t i = 0; i < list->u.array.len; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "leave/%zu", i);
        if (leave_take(reader, list->u.array.values[i], name, &out->leaves[out->leave_count])) {
            out->leave_count++;
        }
    }
}

/* ---- wishes ---- */

static struct ht_round_wish wish_none(void)
{
    return (struct ht_round_wish){.visits_per_week = -1,
                                  .visits_per_month = -1,
                                  .gap_least_days = -1,
                                  .gap_most_days = -1,
                                  .service_s = -1};
}

static void gaps_take(struct reader *reader, yajl_val object, struct ht_round_wish *out)
{
    yajl_val pair = member(object, "gap_days");
    (void)number_take(reader, member(object, "min_gap_days"), "min_gap_days", GAP_DAYS_MOST,
                      &out->gap_least_days);
    (void)number_take(reader, member(object, "max_gap_days"), "max_gap_days", GAP_DAYS_MOST,
                      &out->gap_most_days);
    if (pair != NULL && (!YAJL_IS_ARRAY(pair) || pair->u.array.len != 2)) {
        fail(reader, HT_SYNTAX, "gap_days", "gap_days must be a list of two numbers");
    } else if (pair != NULL) {
        (void)number_take(reader, pair->u.array.values[0], "gap_days", GAP_DAYS_MOST,
                          &out->gap_least_days);
        (void)number_take(reader, pair->u.array.values[1], "gap_days", GAP_DAYS_MOST,
                          &out->gap_most_days);
    }
    if (out->gap_most_days >= 0 && out->gap_least_days > out->gap_most_days) {
        fail(reader, HT_INVALID, "gap_days", "the least gap is greater than the greatest");
        out->gap_least_days = out->gap_most_days = -1;
    }
}

static int weekday_of(const char *text)
{
    static const char names[] = "MoTuWeThFrSaSu";
    for (int i = 0; text != NULL && i < 7; i++) {
        if (strlen(text) == 2 && memcmp(names + (size_t)i * 2, text, 2) == 0) {
            return i;
        }
    }
    return -1;
}

static void days_take(struct reader *reader, yajl_val object, uint32_t *out)
{
    yajl_val list = member(object, "days");
    uint32_t days = 0;
    bool sound = YAJL_IS_ARRAY(list) && list->u.array.len > 0;
    for (size_t i = 0; sound && i < list->u.array.len; i++) {
        int day = weekday_of(YAJL_GET_STRING(list->u.array.values[i]));
        sound = day >= 0;
        days |= sound ? UINT32_C(1) << day : 0;
    }
    if (list != NULL && !sound) {
        fail(reader, HT_SYNTAX, "days", "days must be a list of Mo, Tu, We, Th, Fr, Sa, Su");
    } else if (list != NULL) {
        *out = days;
    }
}

static void wish_take(struct reader *reader, yajl_val object, struct ht_round_wish *out)
{
    static const uint32_t crew[2] = {1, HT_ROUND_CREW_MOST};
    static const uint32_t risk[2] = {1, RISK_MOST};
    *out = wish_none();
    (void)number_take(reader, member(object, "visits_per_week"), "visits_per_week",
                      WEEK_VISITS_MOST, &out->visits_per_week);
    (void)number_take(reader, member(object, "visits_per_month"), "visits_per_month",
                      MONTH_VISITS_MOST, &out->visits_per_month);
    if (out->visits_per_week >= 0 && out->visits_per_month >= 0) {
        fail(reader, HT_INVALID, "visits_per_month", "visits are by week or by month, not both");
    }
    gaps_take(reader, object, out);
    (void)number_take(reader, member(object, "service_s"), "service_s", HT_ROUND_SERVICE_MOST_S,
                      &out->service_s);
    whole_take(reader, object, "crew", crew, &out->crew);
    whole_take(reader, object, "risk", risk, &out->risk);
    days_take(reader, object, &out->days);
    out->open = hours_take(reader, object, "open");
    out->skills = names_take(reader, object, "skills");
    out->inspector = id_take(reader, member(object, "inspector"), "inspector");
}

void ht_round_wish_of(yajl_val properties, struct ht_round_wish *out)
{
    struct reader reader = {.wrongs = NULL};
    wish_take(&reader, properties, out);
}

void ht_round_wish_fill(struct ht_round_wish *wish, const struct ht_round_wish *from)
{
    if (wish->visits_per_week < 0 && wish->visits_per_month < 0) {
        wish->visits_per_week = from->visits_per_week;
        wish->visits_per_month = from->visits_per_month;
    }
    if (wish->gap_least_days < 0 && wish->gap_most_days < 0) {
        wish->gap_least_days = from->gap_least_days;
        wish->gap_most_days = from->gap_most_days;
    }
    wish->service_s = wish->service_s < 0 ? from->service_s : wish->service_s;
    wish->crew = wish->crew == 0 ? from->crew : wish->crew;
    wish->risk = wish->risk == 0 ? from->risk : wish->risk;
    wish->days = wish->days == 0 ? from->days : wish->days;
    wish->open = wish->open == NULL ? from->open : wish->open;
    wish->skills = wish->skills == NULL ? from->skills : wish->skills;
    wish->inspector = wish->inspector == NULL ? from->inspector : wish->inspector;
}

/* ---- sites and inspectors ---- */

/* The list of that name, of ids and objects; NULL: not said, or wrong. */
static yajl_val list_take(struct reader *reader, yajl_val object, const char *name, size_t most)
{
    yajl_val list = member(object, name);
    if (list == NULL) {
        return NULL;
    }
    if (!YAJL_IS_ARRAY(list)) {
        fail(reader, HT_SYNTAX, name, "%s must be a list of ids, or of objects with an id", name);
        return NULL;
    }
    if (list->u.array.len == 0) {
        fail(reader, HT_INVALID, name, "%s must not be empty; leave it out for all", name);
        return NULL;
    }
    if (list->u.array.len > most) {
        fail(reader, HT_TOO_BIG, name, "at most %zu %s", most, name);
        return NULL;
    }
    return list;
}

/* The id of a text, or of an object with one. */
static const char *listed_id(struct reader *reader, yajl_val value)
{
    bool object = YAJL_IS_OBJECT(value);
    yajl_val id = object ? member(value, "id") : value;
    if (id == NULL) {
        fail(reader, HT_SYNTAX, object ? "id" : "", "an id is missing");
        return NULL;
    }
    return id_take(reader, id, object ? "id" : "");
}

static void sites_take(struct reader *reader, struct ht_round_ask *out)
{
    yajl_val list = list_take(reader, out->tree, "sites", HT_ROUND_SITES_MOST);
    out->sites_named = list != NULL;
    if (list == NULL) {
        return;
    }
    out->sites = ht_array_new(list->u.array.len, sizeof *out->sites);
    if (out->sites == NULL) {
        reader->status = HT_NOMEM;
        return;
    }
    for (size_t i = 0; i < list->u.array.len; i++) {
        yajl_val value = list->u.array.values[i];
        struct ht_round_site_ask *site = &out->sites[out->site_count++];
        (void)snprintf(reader->at, sizeof reader->at, "/sites/%zu", i);
        site->id = listed_id(reader, value);
        wish_take(reader, value, &site->wish);
    }
    reader->at[0] = '\0';
}

static void inspector_take(struct reader *reader, yajl_val object,
                           struct ht_round_inspector_ask *out)
{
    static const uint32_t range[2] = {1, DAY_VISITS_MOST};
    yajl_val profile = member(object, "profile");
    yajl_val home = member(object, "home");
    out->shift = hours_take(reader, object, "shift");
    out->skills = names_take(reader, object, "skills");
    out->profile = YAJL_GET_STRING(profile);
    if (profile != NULL &&
        (out->profile == NULL || out->profile[0] == '\0' || strlen(out->profile) > NAME_MOST)) {
        fail(reader, HT_SYNTAX, "profile", "profile must be a name");
        out->profile = NULL;
    }
    const char *place = YAJL_GET_STRING(home);
    bool pair = YAJL_IS_ARRAY(home) && home->u.array.len == 2 &&
                YAJL_IS_NUMBER(home->u.array.values[0]) && YAJL_IS_NUMBER(home->u.array.values[1]);
    bool sound = pair || (place != NULL && ht_id_valid(place, strlen(place)));
    if (home != NULL && !sound) {
        fail(reader, HT_SYNTAX, "home", "home must be the id of a facility, or [lon, lat]");
    }
    out->home = sound ? home : NULL;
    whole_take(reader, object, "visits_per_day_most", range, &out->visits_per_day_most);
    whole_take(reader, object, "visits_per_week_most", range, &out->visits_per_week_most);
    leaves_take(reader, object, out);
}

enum ht_status ht_round_inspector_of(yajl_val properties, struct ht_round_inspector_ask *out)
{
    struct reader reader = {.wrongs = NULL};
    *out = (struct ht_round_inspector_ask){.id = NULL};
    inspector_take(&reader, properties, out);
    return reader.status;
}

static void inspectors_free(struct ht_round_inspector_ask *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].leaves);
    }
    free(list);
}

/* `*count` of them; NULL: not said. */
static struct ht_round_inspector_ask *inspectors_take(struct reader *reader, yajl_val body,
                                                      size_t *count)
{
    yajl_val list = list_take(reader, body, "inspectors", HT_ROUND_INSPECTORS_MOST);
    *count = 0;
    if (list == NULL) {
        return NULL;
    }
    struct ht_round_inspector_ask *out = ht_array_new_zeroed(list->u.array.len, sizeof *out);
    if (out == NULL) {
        reader->status = HT_NOMEM;
        return NULL;
    }
    for (size_t i = 0; i < list->u.array.len; i++) {
        yajl_val value = list->u.array.values[i];
        (void)snprintf(reader->at, sizeof reader->at, "/inspectors/%zu", i);
        out[i].id = listed_id(reader, value);
        if (YAJL_IS_OBJECT(value)) {
            inspector_take(reader, value, &out[i]);
        }
        *count = i + 1;
    }
    reader->at[0] = '\0';
    return out;
}

/* ---- the whole ---- */

/* A value as the store compares it; false: it has no such form. */
static bool filter_value(yajl_val value, char out[160])
{
    const char *text = YAJL_IS_NUMBER(value)  ? YAJL_GET_NUMBER(value)
                       : YAJL_IS_TRUE(value)  ? "true"
                       : YAJL_IS_FALSE(value) ? "false"
                                              : YAJL_GET_STRING(value);
    if (text == NULL || strlen(text) >= 160) {
        return false;
    }
    (void)snprintf(out, 160, "%s", text);
    return true;
}

static void filters_take(struct reader *reader, struct ht_round_ask *out)
{
    yajl_val object = member(out->tree, "filter");
    if (object == NULL) {
        return;
    }
    if (!YAJL_IS_OBJECT(object) || object->u.object.len > HT_ROUND_FILTERS_MOST) {
        fail(reader, HT_SYNTAX, "filter", "filter must be an object of at most %d properties",
             (int)HT_ROUND_FILTERS_MOST);
        return;
    }
    if (out->sites_named) {
        fail(reader, HT_INVALID, "filter", "sites are named or filtered, not both");
    }
    for (size_t i = 0; i < object->u.object.len; i++) {
        const char *name = object->u.object.keys[i];
        struct ht_round_filter *filter = &out->filters[out->filter_count];
        char where[40];
        (void)snprintf(where, sizeof where, "filter/%.24s", name);
        filter->name = name;
        if (out->collection != NULL &&
            ht_collection_property(out->collection, name, strlen(name)) == NULL) {
            fail(reader, HT_INVALID, where, "%s have no such property", out->collection->name);
        } else if (!filter_value(object->u.object.values[i], filter->value)) {
            fail(reader, HT_SYNTAX, where, "must be a text, a number, true or false");
        } else {
            out->filter_count++;
        }
    }
}

static void collection_take(struct reader *reader, struct ht_round_ask *out)
{
    static const char *const may[] = {"factories", "facilities", "households"};
    yajl_val value = member(out->tree, "collection");
    const char *name = YAJL_GET_STRING(value);
    if (name == NULL) {
        fail(reader, HT_SYNTAX, "collection",
             value == NULL ? "collection is missing" : "collection must be a text");
        return;
    }
    for (size_t i = 0; i < sizeof may / sizeof may[0]; i++) {
        if (strcmp(name, may[i]) == 0) {
            out->collection = ht_collection_find(name, strlen(name));
        }
    }
    if (out->collection == NULL) {
        fail(reader, HT_INVALID, "collection",
             "collection must be one of factories, facilities, households");
    }
}

static void span_take(struct reader *reader, struct ht_round_ask *out)
{
    static const uint32_t range[2] = {1, HT_ROUND_WEEKS_MOST};
    bool day = false;
    if (member(out->tree, "from") == NULL) {
        fail(reader, HT_SYNTAX, "from", "from is missing");
    }
    if (member(out->tree, "weeks") == NULL) {
        fail(reader, HT_SYNTAX, "weeks", "weeks is missing");
    }
    (void)time_take(reader, member(out->tree, "from"), "from", &out->from_ms, &day);
    whole_take(reader, out->tree, "weeks", range, &out->weeks);
}

static void effort_take(struct reader *reader, yajl_val body, uint32_t *limit_ms,
                        uint32_t *iterations)
{
    static const uint32_t range[2] = {0, 1 << 30};
    static const uint32_t limit[2] = {100, HT_ROUND_LIMIT_MOST_MS};
    whole_take(reader, body, "limit_ms", limit, limit_ms);
    whole_take(reader, body, "iterations", range, iterations);
}

static bool flag_take(struct reader *reader, yajl_val object, const char *name, bool usual)
{
    yajl_val value = member(object, name);
    if (value != NULL && !YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value)) {
        fail(reader, HT_SYNTAX, name, "%s must be true or false", name);
    }
    return YAJL_IS_TRUE(value) || (!YAJL_IS_FALSE(value) && usual);
}

static void options_take(struct reader *reader, struct ht_round_ask *out)
{
    static const uint32_t range[2] = {0, 1 << 30};
    static const uint32_t balance[2] = {0, HT_ROUND_BALANCE_MOST};
    uint32_t seed = 1;
    out->keep = flag_take(reader, out->tree, "keep", true);
    out->tenants = flag_take(reader, out->tree, "tenants", false);
    if (out->tenants && out->collection != NULL &&
        strcmp(out->collection->name, "factories") != 0) {
        fail(reader, HT_INVALID, "tenants", "%s have no tenants", out->collection->name);
    }
    out->balance = HT_ROUND_BALANCE;
    whole_take(reader, out->tree, "balance", balance, &out->balance);
    whole_take(reader, out->tree, "seed", range, &seed);
    out->seed = seed;
    effort_take(reader, out->tree, &out->limit_ms, &out->iterations);
}

/* The tree of a body, an object; NULL with what is wrong told. */
static yajl_val body_tree(struct reader *reader, const char *text, size_t size)
{
    if (size > HT_ROUND_BODY_MOST) {
        fail(reader, HT_TOO_BIG, "", "a body of more than 4 MiB");
        return NULL;
    }
    yajl_val tree = ht_json_tree_read(text, size);
    if (!YAJL_IS_OBJECT(tree)) {
        fail(reader, HT_SYNTAX, "", "the body is not a JSON object");
        yajl_tree_free(tree);
        return NULL;
    }
    return tree;
}

enum ht_status ht_round_ask_read(const char *text, size_t size, struct ht_round_ask *out,
                                 struct ht_round_wrongs *wrongs)
{
    struct reader reader = {.wrongs = wrongs};
    *out = (struct ht_round_ask){.weeks = 1, .seed = 1};
    out->tree = body_tree(&reader, text, size);
    if (out->tree == NULL) {
        return reader.status;
    }
    out->id = id_take(&reader, member(out->tree, "id"), "id");
    if (out->id != NULL && strlen(out->id) > HT_ROUND_ID_MOST) {
        fail(&reader, HT_INVALID, "id", "the id of a round has %d letters at most",
             (int)HT_ROUND_ID_MOST);
    }
    span_take(&reader, out);
    collection_take(&reader, out);
    sites_take(&reader, out);
    filters_take(&reader, out);
    out->inspectors = inspectors_take(&reader, out->tree, &out->inspector_count);
    out->inspectors_named = out->inspectors != NULL;
    wish_take(&reader, out->tree, &out->wish);
    options_take(&reader, out);
    return reader.status;
}

void ht_round_ask_deinit(struct ht_round_ask *ask)
{
    inspectors_free(ask->inspectors, ask->inspector_count);
    free(ask->sites);
    yajl_tree_free(ask->tree);
    *ask = (struct ht_round_ask){.tree = NULL};
}

/* ---- what would go unnoticed ---- */

static const char *const wish_members[] = {"visits_per_week",
                                           "visits_per_month",
                                           "gap_days",
                                           "min_gap_days",
                                           "max_gap_days",
                                           "service_s",
                                           "crew",
                                           "risk",
                                           "days",
                                           "open",
                                           "skills",
                                           "inspector",
                                           NULL};

static bool is_among(const char *name, const char *const list[])
{
    size_t i = 0;
    while (list[i] != NULL && strcmp(list[i], name) != 0) {
        i++;
    }
    return list[i] != NULL;
}

/* `also`: where a wish may be said, too; else NULL. */
static void members_look(const struct reader *reader, yajl_val object, const char *const known[],
                         const char *const also[])
{
    for (size_t i = 0; YAJL_IS_OBJECT(object) && i < object->u.object.len; i++) {
        const char *name = object->u.object.keys[i];
        if (!is_among(name, known) && (also == NULL || !is_among(name, also))) {
            char pointer[sizeof((struct ht_round_wrong *)NULL)->pointer];
            (void)snprintf(pointer, sizeof pointer, "%s/%.48s", reader->at, name);
            ht_round_wrong_add(reader->wrongs, pointer,
                               "%.48s is nothing that is known here; it "
                               "was passed over",
                               name);
        }
    }
}

/* Those of the list, which are texts or objects. */
static void listed_look(struct reader *reader, yajl_val list, const char *name,
                        const char *const known[], const char *const also[])
{
    for (size_t i = 0; YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        (void)snprintf(reader->at, sizeof reader->at, "/%s/%zu", name, i);
        members_look(reader, list->u.array.values[i], known, also);
    }
    reader->at[0] = '\0';
}

void ht_round_ask_members(const struct ht_round_ask *ask, struct ht_round_wrongs *wrongs)
{
    static const char *const ours[] = {"id",         "from",    "weeks",    "collection", "sites",
                                       "filter",     "keep",    "seed",     "inspectors", "balance",
                                       "iterations", "tenants", "limit_ms", NULL};
    static const char *const site[] = {"id", NULL};
    static const char *const inspector[] = {"id",
                                            "shift",
                                            "skills",
                                            "profile",
                                            "home",
                                            "leave",
                                            "visits_per_day_most",
                                            "visits_per_week_most",
                                            NULL};
    struct reader reader = {.wrongs = wrongs};
    members_look(&reader, ask->tree, ours, wish_members);
    listed_look(&reader, member(ask->tree, "sites"), "sites", site, wish_members);
    listed_look(&reader, member(ask->tree, "inspectors"), "inspectors", inspector, NULL);
}

enum ht_status ht_round_again_read(const char *text, size_t size, struct ht_round_again *out,
                                   struct ht_round_wrongs *wrongs)
{
    struct reader reader = {.wrongs = wrongs};
    bool day = false;
    *out = (struct ht_round_again){.from_ms = INT64_MIN};
    if (size == 0) {
        return HT_OK; /* all of it from now on */
    }
    out->tree = body_tree(&reader, text, size);
    if (out->tree == NULL) {
        return reader.status;
    }
    (void)time_take(&reader, member(out->tree, "from"), "from", &out->from_ms, &day);
    out->inspectors = inspectors_take(&reader, out->tree, &out->inspector_count);
    effort_take(&reader, out->tree, &out->limit_ms, &out->iterations);
    return reader.status;
}

enum ht_status ht_round_again_members(const struct ht_round_again *again,
                                      struct ht_round_wrongs *wrongs)
{
    static const char *const known[] = {"from", "inspectors", "limit_ms", "iterations"};
    struct reader reader = {.wrongs = wrongs};
    for (size_t i = 0; YAJL_IS_OBJECT(again->tree) && i < again->tree->u.object.len; i++) {
        const char *key = again->tree->u.object.keys[i];
        bool ours = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
            ours = ours || strcmp(key, known[k]) == 0;
        }
        if (!ours) {
            fail(&reader, HT_SYNTAX, key, "a re-plan has no %.48s; it has from and inspectors",
                 key);
        }
    }
    return reader.status;
}

void ht_round_again_deinit(struct ht_round_again *again)
{
    inspectors_free(again->inspectors, again->inspector_count);
    yajl_tree_free(again->tree);
    *again = (struct ht_round_again){.tree = NULL};
}
