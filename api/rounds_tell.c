/* What became of a round: its report, and an inspector's visits as a calendar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/home.h"
#include "api/ics.h"
#include "api/persons.h"
#include "api/rounds.h"
#include "api/rounds_internal.h"
#include "api/rounds_report.h"
#include "api/visits_room.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/text.h"
#include "geodata/members.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define CALENDAR "text/calendar; charset=utf-8"

enum {
    NOTICES_MOST = 100000,
    VISITS_MOST = 10000, /* of one inspector's calendar */
    MONDAY_OFFSET = 3    /* 1970-01-01 was a Thursday */
};

/* ---- the report ---- */

static int by_id(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Whose sites are the round's; texts are borrowed from it. */
static const char **sites_list(const struct ht_round_record *record)
{
    const char **sites = ht_array_new(record->visit_count, sizeof(char *));
    for (size_t i = 0; sites != NULL && i < record->visit_count; i++) {
        sites[i] = record->visits[i].site;
    }
    if (sites != NULL && record->visit_count > 0) {
        qsort((void *)sites, record->visit_count, sizeof(char *), by_id);
    }
    return sites;
}

/* Notices of the round's sites, with who found and who saw them mended; `notices` stay held. */
static size_t notices_list(const struct ht_round_record *record, const char *const *sites,
                           const struct ht_rectification *const *notices, size_t count,
                           struct ht_round_notice *out)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ht_rectification *notice = notices[i];
        bool closed = notice->state == HT_RECTIFICATION_IS_CLOSED;
        bool ours =
            record->visit_count > 0 && bsearch(&notice->site, (const void *)sites,
                                               record->visit_count, sizeof(char *), by_id) != NULL;
        if (ours) {
            out[found++] = (struct ht_round_notice){
                .finder = notice->inspector,
                .mender = notice->closer == NULL ? notice->inspector : notice->closer,
                .found_ms = notice->begun_ms,
                .mended_ms = !closed                  ? 0
                             : notice->mended_ms != 0 ? notice->mended_ms
                                                      : notice->closed_ms};
        }
    }
    return found;
}

static enum ht_status report_make(struct ht_app_context *context,
                                  const struct ht_round_record *record, int64_t now_ms,
                                  enum ht_round_form form, bool chinese, struct ht_reply *reply)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    const struct ht_rectification_filter all = {.states = 0};
    const char **sites = sites_list(record);
    const struct ht_rectification **notices =
        ht_array_new(NOTICES_MOST, sizeof(struct ht_rectification *));
    struct ht_round_notice *ours = ht_array_new(NOTICES_MOST, sizeof *ours);
    struct ht_round_report report = {.record = NULL};
    enum ht_status status = HT_NOMEM;
    size_t count = 0;
    if (sites != NULL && notices != NULL && ours != NULL) {
        count = ht_rectifications_list(visits, &all, NOTICES_MOST, notices);
        size_t found = notices_list(record, sites, notices, count, ours);
        status = ht_round_report_make(record, ours, found, now_ms, &report);
    }
    if (status == HT_OK) {
        report.reader = context->reader;
        ht_round_report_write(&report, form, chinese, &reply->body);
    }
    ht_round_report_deinit(&report);
    for (size_t i = 0; i < count; i++) {
        ht_rectification_release(notices[i]);
    }
    free((void *)sites);
    free((void *)notices);
    free(ours);
    return status;
}

static enum ht_status report_write(struct ht_app_context *context,
                                   const struct ht__round_look *look,
                                   const struct ht_round_record *record, struct ht_reply *reply,
                                   struct ht_error *error)
{
    static const char *const types[] = {"application/json; charset=UTF-8",
                                        "text/csv; charset=utf-8", "text/html; charset=utf-8"};
    static const char *const forms[] = {"json", "csv", "html"};
    const char *form = ht_param(&look->params, "format");
    const char *language = ht_param(&look->params, "lang");
    int which = look->html ? HT_ROUND_HTML : look->csv ? HT_ROUND_CSV : HT_ROUND_JSON;
    for (int i = 0; form != NULL && i < 3; i++) {
        which = strcmp(form, forms[i]) == 0 ? i : which;
    }
    if (form != NULL && strcmp(form, forms[which]) != 0) {
        return ht_error_set(error, HT_INVALID, 0, "format is json, csv or html");
    }
    if (language != NULL && strcmp(language, "zh") != 0 && strcmp(language, "en") != 0) {
        return ht_error_set(error, HT_INVALID, 0, "lang is zh or en");
    }
    bool chinese = language == NULL ? look->chinese : strcmp(language, "zh") == 0;
    enum ht_status status =
        report_make(context, record, look->at_ms, (enum ht_round_form)which, chinese, reply);
    reply->content_type = types[which];
    reply->etag[0] = '\0'; /* it grows older by itself */
    return status;
}

void ht_round_report(struct ht_app_context *context, struct ht_http_call *call)
{
    if (context->caller->role == HT_ROLE_DEVICE) {
        ht_reply_problem(call->reply, 403, "Forbidden", "a device sees its own visits alone");
        return;
    }
    ht__round_look_start(
        context, call,
        (struct ht__round_look){.write = report_write, .how = "report", .knows = "format lang"});
}

/* ---- the calendar ---- */

struct ics_ask {
    char inspector[HT_ID_MAX + 1];
    struct ht_caller caller;
    int64_t from_ms;
    int64_t to_ms;
    bool chinese;
    bool noted; /* visits to households are noted as read; of an own device they need not be */
    bool homes; /* they are told at all */
    int64_t at_ms;
    struct ht_buffer plain; /* the calendar without them */
};

/* What is known of a site. */
struct place {
    char name[160];
    struct ht_point point;
    bool placed;
    bool found;
    bool home;
};

static enum ht_status place_take(void *user, const struct ht_store_item *item)
{
    struct place *place = user;
    struct ht_member member;
    if (ht_member_find(item->properties, "name", &member)) {
        (void)ht_member_text(&member, place->name, sizeof place->name);
        (void)ht_utf8_mend(place->name);
    }
    place->placed = ht_home_point(item, &place->point);
    place->found = true;
    return HT_OK;
}

/* By its id, where visits don't say of which collection: that of a household tells no name, which
 * is personal. */
static enum ht_status place_find(struct ht_store_reader *reader, const char *site,
                                 struct place *out)
{
    static const char *const names[] = {"factories", "facilities", "households"};
    *out = (struct place){.found = false};
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !out->found; i++) {
        enum ht_status status =
            ht_store_item(reader, ht_collection_find(names[i], strlen(names[i])), site, false,
                          place_take, out, NULL);
        if (status != HT_OK && status != HT_NOT_FOUND) {
            return status;
        }
        out->home = out->found && i == 2;
    }
    return HT_OK;
}

static const char *purpose_word(enum ht_visit_purpose purpose, bool chinese)
{
    switch (purpose) {
    case HT_VISIT_FOR_REVISIT:
        return chinese ? "复查" : "Re-visit";
    case HT_VISIT_FOR_CHECK:
        return chinese ? "抽查" : "Second look";
    case HT_VISIT_FOR_ROUND:
    case HT_VISIT_FOR_UNPLANNED:
    case HT_VISIT_PURPOSES:
    default:
        return chinese ? "巡查" : "Visit";
    }
}

static void event_write(const struct ics_ask *ask, const struct ht_visit *visit,
                        const struct place *place, struct ht_ics *ics)
{
    char summary[400];
    char description[HT_VISIT_ID_MAX * 3 + 32];
    (void)snprintf(summary, sizeof summary, "%s %s%s%s%s%s",
                   purpose_word(visit->purpose, ask->chinese), visit->site,
                   visit->tenant == NULL ? "" : "/", visit->tenant == NULL ? "" : visit->tenant,
                   place->name[0] == '\0' ? "" : " ", place->name);
    (void)snprintf(description, sizeof description, "%s%s%s", visit->id,
                   visit->rectification == NULL ? "" : "\n",
                   visit->rectification == NULL ? "" : visit->rectification);
    const struct ht_ics_event event = {.id = visit->id,
                                       .kind = "visits",
                                       .stamp_ms = visit->changed_ms,
                                       .start_ms = visit->start_ms,
                                       .end_ms = visit->end_ms,
                                       .sequence = visit->moves,
                                       .summary = summary,
                                       .location = place->name,
                                       .description = description,
                                       .placed = place->placed,
                                       .point = place->point};
    ht_ics_event(ics, &event);
}

static int by_start(const void *left, const void *right)
{
    const struct ht_visit *a = *(const struct ht_visit *const *)left;
    const struct ht_visit *b = *(const struct ht_visit *const *)right;
    return a->start_ms != b->start_ms ? (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms)
                                      : strcmp(a->id, b->id);
}

/* The calendar into `out`, and without visits to households into `plain`. `*homes`: there are some.
 */
static enum ht_status ics_write(struct ht_store_reader *reader, struct ics_ask *ask,
                                const struct ht_visit *const *list, size_t count,
                                struct ht_buffer *out, bool *homes)
{
    char name[HT_ID_MAX + 32];
    struct ht_ics ics;
    struct ht_ics plain;
    (void)snprintf(name, sizeof name, "%s %s", ask->chinese ? "巡查" : "Visits", ask->inspector);
    ht_ics_begin(&ics, out, name);
    ht_ics_begin(&plain, &ask->plain, name);
    *homes = false;
    for (size_t i = 0; i < count; i++) {
        struct place place;
        enum ht_status status = place_find(reader, list[i]->site, &place);
        if (status != HT_OK) {
            return status;
        }
        *homes = *homes || place.home;
        if (!place.home) {
            event_write(ask, list[i], &place, &plain);
        }
        if (!place.home || ask->homes) {
            event_write(ask, list[i], &place, &ics);
        }
    }
    ht_ics_end(&ics);
    ht_ics_end(&plain);
    return HT_OK;
}

static enum ht_status unit_take(void *user, const struct ht_store_item *item)
{
    bool *found = user;
    (void)item;
    *found = true;
    return HT_OK;
}

static enum ht_status ics_make(struct ht_app_context *context, struct ics_ask *ask,
                               struct ht_buffer *out, bool *homes)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    const uint32_t all = (UINT32_C(1) << HT_VISIT_STATES) - 1;
    const struct ht_visit_filter filter = {.states = all & ~(UINT32_C(1) << HT_VISIT_IS_CANCELLED),
                                           .inspector = ask->inspector,
                                           .from_ms = ask->from_ms,
                                           .to_ms = ask->to_ms - 1};
    const struct ht_visit **list = ht_array_new(VISITS_MOST, sizeof(struct ht_visit *));
    if (list == NULL) {
        return HT_NOMEM;
    }
    size_t count = ht_visits_list(visits, &filter, VISITS_MOST, list);
    if (count > 0) {
        qsort((void *)list, count, sizeof(struct ht_visit *), by_start);
    }
    enum ht_status status = ics_write(context->reader, ask, list, count, out, homes);
    for (size_t i = 0; i < count; i++) {
        ht_visit_release(list[i]);
    }
    free((void *)list);
    return status;
}

/* True: that it was read has to be noted. */
static bool ics_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ics_ask *ask = data;
    struct ht_error error = {0};
    bool found = false;
    bool homes = false;
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    if (reader == NULL) {
        return false;
    }
    enum ht_status status = ht_store_item(reader, ht_collection_find("units", 5), ask->inspector,
                                          false, unit_take, &found, &error);
    if (status == HT_NOT_FOUND) {
        ht_reply_problem(reply, 404, "Not Found", "there is no such inspector");
        return false;
    }
    if (status == HT_OK) {
        status = ics_make(context, ask, &reply->body, &homes);
    }
    if (status != HT_OK) {
        (void)ht_error_set(&error, status, 0, NULL);
        ht_reply_reset(reply);
        ht_reply_status(reply, &error);
        return false;
    }
    reply->content_type = CALENDAR;
    return homes && ask->noted;
}

static void ics_plain(void *user, void *data, struct ht_reply *reply)
{
    bool noted = ics_run(user, data, reply);
    (void)noted;
}

static void ics_note(void *user, void *data, struct ht_reply *reply)
{
    const struct ics_ask *ask = data;
    const struct ht_persons_read read = {.collection = "households",
                                         .id = "",
                                         .how = "ics",
                                         .limit = 1,
                                         .caller = &ask->caller,
                                         .at_ms = ask->at_ms,
                                         .plain = &ask->plain};
    ht_persons_note(user, &read, reply);
}

static void ics_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    const struct ics_ask *ask = data;
    (void)user;
    (void)why;
    if (reply->status == 200) {
        ht_reply_reset(reply);
        reply->content_type = CALENDAR;
        ht_buffer_append(&reply->body, ask->plain.data, ask->plain.size);
    }
}

static void ics_free(void *data)
{
    struct ics_ask *ask = data;
    ht_buffer_deinit(&ask->plain);
    free(ask);
}

/* The Monday that a moment's week begins with, there. */
static int64_t monday_of(int64_t utc_ms)
{
    int64_t day = ht_zone_local_ms(utc_ms) / DAY_MS;
    return ht_zone_utc_ms((day - (day + MONDAY_OFFSET) % 7) * DAY_MS);
}

/* From the begin of this week on, all that is planned; or so many weeks from a day on. NULL, or
 * what is wrong. */
static const char *span_read(const struct ht_params *params, int64_t now_ms, struct ics_ask *ask)
{
    const char *from = ht_param(params, "from");
    const char *weeks = ht_param(params, "weeks");
    const char *language = ht_param(params, "lang");
    int64_t count = HT_ROUND_WEEKS_MOST + 1;
    bool day = false;
    ask->from_ms = monday_of(now_ms);
    if (from != NULL && !ht_round_time_read(from, &ask->from_ms, &day)) {
        return "from is a day or a time, like 2026-03-02";
    }
    if (weeks != NULL && !ht_param_number(weeks, 1, 52, &count)) {
        return "weeks is 1 to 52";
    }
    if (language != NULL && strcmp(language, "zh") != 0 && strcmp(language, "en") != 0) {
        return "lang is zh or en";
    }
    ask->to_ms = ask->from_ms + count * 7 * DAY_MS;
    ask->chinese = language != NULL && strcmp(language, "zh") == 0;
    return NULL;
}

void ht_inspector_ics(struct ht_app_context *context, struct ht_http_call *call)
{
    const char *id = call->request->target + call->params[0].at;
    size_t size = call->params[0].size;
    const struct ht_caller *caller = context->caller;
    struct ht_params params;
    if (!ht__rounds_stand(context, call, "from weeks lang")) {
        return;
    }
    bool own =
        caller->role != HT_ROLE_DEVICE || (caller->unit != NULL && strlen(caller->unit) == size &&
                                           memcmp(caller->unit, id, size) == 0);
    if (!ht_id_valid(id, size) || !own) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such inspector");
        return;
    }
    struct ics_ask *ask = calloc(1, sizeof *ask);
    if (ask == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    memcpy(ask->inspector, id, size);
    ask->caller = *caller;
    ask->at_ms = ht_clock_now_ms(&context->app->clock);
    ask->noted = ht_access_personal(caller);
    ask->homes = caller->role == HT_ROLE_DEVICE || (ask->noted && context->app->commit != NULL);
    const char *wrong = "the query is not well encoded";
    if (ht_params_of(&params, call->request) == HT_OK) {
        wrong = span_read(&params, ask->at_ms, ask);
        ht_params_deinit(&params);
    }
    if (wrong != NULL) {
        free(ask);
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        return;
    }
    call->job = ask->noted && ask->homes ? (struct ht_http_job){.prepare = ics_run,
                                                                .run = ics_note,
                                                                .lost = ics_withheld,
                                                                .writes = true}
                                         : (struct ht_http_job){.run = ics_plain};
    call->job.free = ics_free;
    call->job.data = ask;
}
