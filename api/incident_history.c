/* What happened with an incident, and what came of them all: with what is personal for those who
 * may see it, which is noted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/desk_room.h"
#include "api/incident_event.h"
#include "api/incident_json.h"
#include "api/incidents.h"
#include "api/incidents_internal.h"
#include "api/params.h"
#include "api/persons.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

enum { DEVICES_PAGE = 64 };

/* An answer that is made twice: with what is personal and without. */
struct look {
    char id[HT_DESK_ID_MAX + 1]; /* "": the report */
    bool bounded;                /* of those that began at `since_ms` or later */
    int64_t since_ms;
    struct ht_caller caller;
    int64_t at_ms;
    bool personal;
    struct ht_buffer plain;
};

static void look_free(void *data)
{
    struct look *look = data;
    ht_buffer_deinit(&look->plain);
    free(look);
}

/* Writing a history. */
struct telling {
    struct ht_store_reader *reader;
    struct ht_json *json;
    const char *id;
    bool personal;
    bool any; /* something personal was there */
    bool may; /* the caller may see what is */
    size_t count;
};

struct note_wanted {
    struct telling *telling;
    const char *digest;
};

static enum ht_status note_take(void *user, const struct ht_store_note *note)
{
    const struct note_wanted *wanted = user;
    if (strcmp(note->digest, wanted->digest) == 0) {
        wanted->telling->any = true;
        if (wanted->telling->personal) {
            ht_json_key_text(wanted->telling->json, "note", note->text);
        }
    }
    return HT_OK;
}

static enum ht_status code_take(void *user, const struct ht_store_code *code)
{
    struct telling *telling = user;
    telling->any = true;
    if (telling->personal) {
        ht_json_key_text(telling->json, "device", code->device);
    }
    return HT_OK;
}

static enum ht_status actor_take(void *user, const struct ht_store_code *code)
{
    struct telling *telling = user;
    telling->any = true;
    if (telling->personal) {
        ht_json_key_text(telling->json, "actor_name", code->device);
    }
    return HT_OK;
}

/* The row; for who may not know it without the home in which it was. */
static void row_write(struct telling *telling, const struct ht_store_event *row)
{
    struct ht_text body = {0};
    struct ht_store_event shown = *row;
    if (!telling->may && ht_incident_event_conceal(row->body, &body)) {
        shown.body = body.failed ? "{}" : ht_text_string(&body);
    }
    ht_incident_json_row(telling->json, &shown, sizeof HT_INCIDENT_PREFIX - 1);
    ht_text_deinit(&body);
}

static enum ht_status event_take(void *user, const struct ht_store_event *row)
{
    struct telling *telling = user;
    struct ht_json *json = telling->json;
    struct ht_incident_event read;
    enum ht_status status = ht_incident_event_read(row->kind, row->at_ms, row->body, &read);
    telling->count++;
    ht_json_object(json);
    row_write(telling, row);
    status = status == HT_NOT_FOUND || status == HT_INVALID ? HT_OK : status;
    if (status == HT_OK && read.note != NULL) {
        struct note_wanted wanted = {telling, read.note};
        status = ht_store_notes(telling->reader, telling->id, note_take, &wanted, NULL);
    }
    if (status == HT_OK && read.event.device != NULL) {
        status = ht_store_codes(telling->reader, read.event.device, code_take, telling, NULL);
    }
    size_t prefix = sizeof HT_INCIDENT_ACTOR_DEVICE - 1;
    if (status == HT_OK && strncmp(row->actor, HT_INCIDENT_ACTOR_DEVICE, prefix) == 0) {
        status = ht_store_codes(telling->reader, row->actor + prefix, actor_take, telling, NULL);
    }
    ht_incident_event_deinit(&read);
    ht_json_object_end(json);
    return status;
}

/* What may be seen, but was not to be noted that it is. */
static void withheld_write(const struct telling *telling)
{
    if (telling->may && telling->any && !telling->personal) {
        ht_json_key_text(telling->json, "personal", "withheld");
    }
}

static enum ht_status history_write(struct telling *telling, struct ht_buffer *out,
                                    struct ht_error *error)
{
    char subject[HT_INCIDENT_SUBJECT];
    struct ht_json json;
    const struct ht_store_event_query query = {
        .prefix = HT_INCIDENT_PREFIX, .subject = subject, .limit = UINT64_MAX};
    (void)snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", telling->id);
    telling->json = &json;
    telling->count = 0;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "incident", telling->id);
    ht_json_key(&json, "history");
    ht_json_array(&json);
    enum ht_status status = ht_store_events_of(telling->reader, &query, event_take, telling, error);
    ht_json_array_end(&json);
    withheld_write(telling);
    ht_json_object_end(&json);
    return status == HT_OK && telling->count == 0
               ? ht_error_set(error, HT_NOT_FOUND, 0, "there is no such incident")
               : status;
}

static void counts_write(struct ht_json *json, const struct ht_desk_totals *totals)
{
    static const char *const levels[HT_DESK_LEVELS] = {"community", "sub_district", "district"};
    uint64_t resolved = 0;
    for (int i = 0; i < HT_DESK_LEVELS; i++) {
        resolved += totals->solved[i];
    }
    ht_json_key_int(json, "opened", (int64_t)totals->opened);
    ht_json_key_int(json, "folded", (int64_t)totals->folded);
    ht_json_key_int(json, "cancelled", (int64_t)totals->cancelled);
    ht_json_key_int(json, "resolved", (int64_t)resolved);
    ht_json_key_int(json, "at_risk", (int64_t)totals->at_risk);
    ht_json_key_int(json, "escalated", (int64_t)totals->escalated);
    ht_json_key_int(json, "arrived_in_time", (int64_t)totals->arrived_in_time);
    ht_json_key_int(json, "arrived_late", (int64_t)totals->arrived_late);
    ht_json_key_double(json, "late_s", (double)totals->late_ms / 1000.0, 3);
    ht_json_key(json, "states");
    ht_json_object(json);
    for (int i = 0; i < HT_INCIDENT_STATES; i++) {
        ht_json_key_int(json, ht_incident_state_text((enum ht_incident_state)i),
                        (int64_t)totals->states[i]);
    }
    ht_json_object_end(json);
    ht_json_key(json, "levels");
    ht_json_array(json);
    for (int i = 0; i < HT_DESK_LEVELS; i++) {
        ht_json_object(json);
        ht_json_key_text(json, "level", levels[i]);
        ht_json_key_int(json, "solved", (int64_t)totals->solved[i]);
        ht_json_key_double(json, "share",
                           resolved == 0 ? 0 : (double)totals->solved[i] / (double)resolved, 4);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
    ht_json_key(json, "ratings");
    ht_json_array(json);
    for (int i = 1; i <= 5; i++) {
        ht_json_int(json, (int64_t)totals->rated[i]);
    }
    ht_json_array_end(json);
}

/* Kinds and outcomes that came at all. */
static void outcomes_write(struct ht_json *json, const char *kind, const int64_t *outcomes,
                           int64_t alarms)
{
    int64_t sum = alarms;
    for (int i = 0; i < HT_OUTCOMES; i++) {
        sum += outcomes[i];
    }
    if (sum == 0) {
        return;
    }
    ht_json_key(json, kind);
    ht_json_object(json);
    if (alarms > 0) {
        ht_json_key_int(json, "alarms", alarms);
    }
    for (int i = HT_OUTCOME_NONE + 1; i < HT_OUTCOMES; i++) {
        if (outcomes[i] > 0) {
            ht_json_key_int(json, ht_desk_outcome_text((enum ht_desk_outcome)i), outcomes[i]);
        }
    }
    ht_json_object_end(json);
}

static enum ht_status device_write(struct telling *telling,
                                   const struct ht_desk_device_count *count)
{
    struct ht_json *json = telling->json;
    ht_json_object(json);
    ht_json_key_text(json, "code", count->device);
    enum ht_status status =
        ht_store_codes(telling->reader, count->device, code_take, telling, NULL);
    ht_json_key(json, "kinds");
    ht_json_object(json);
    for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
        int64_t outcomes[HT_OUTCOMES];
        for (int i = 0; i < HT_OUTCOMES; i++) {
            outcomes[i] = count->outcomes[k][i];
        }
        outcomes_write(json, ht_incident_kind_text((enum ht_incident_kind)k), outcomes,
                       count->alarms[k]);
    }
    ht_json_object_end(json);
    ht_json_object_end(json);
    return status;
}

static enum ht_status devices_write(struct ht_desk *desk, struct telling *telling)
{
    struct ht_desk_device_count *page = ht_array_new(DEVICES_PAGE, sizeof *page);
    enum ht_status status = page == NULL ? HT_NOMEM : HT_OK;
    size_t count = DEVICES_PAGE;
    ht_json_key(telling->json, "devices");
    ht_json_array(telling->json);
    for (size_t first = 0; status == HT_OK && count == DEVICES_PAGE; first += count) {
        count = ht_desk_devices(desk, first, DEVICES_PAGE, page);
        for (size_t i = 0; i < count && status == HT_OK; i++) {
            status = device_write(telling, &page[i]);
        }
    }
    ht_json_array_end(telling->json);
    free(page);
    return status;
}

static enum ht_status report_write(struct ht_desk *desk, struct telling *telling,
                                   struct ht_buffer *out)
{
    struct ht_desk_totals totals;
    struct ht_json json;
    ht_desk_totals(desk, &totals);
    telling->json = &json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    counts_write(&json, &totals);
    ht_json_key(&json, "outcomes");
    ht_json_object(&json);
    for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
        int64_t outcomes[HT_OUTCOMES];
        for (int i = 0; i < HT_OUTCOMES; i++) {
            outcomes[i] = (int64_t)totals.outcomes[k][i];
        }
        outcomes_write(&json, ht_incident_kind_text((enum ht_incident_kind)k), outcomes, 0);
    }
    ht_json_object_end(&json);
    enum ht_status status = devices_write(desk, telling);
    withheld_write(telling);
    ht_json_object_end(&json);
    return status;
}

/* Those that began at a time or later, by themselves. */
struct since {
    struct ht_desk *desk;
    int64_t since_ms;
};

/* What follows on one that began before does not fit, and is left out with it. */
static enum ht_status since_event(void *user, const struct ht_store_event *row)
{
    const struct since *since = user;
    struct ht_incident_event read;
    enum ht_status status = ht_incident_event_read(row->kind, row->at_ms, row->body, &read);
    bool before = read.event.kind == HT_DESK_RECEIVED && row->at_ms < since->since_ms;
    if (status == HT_OK && !before) {
        status = ht_desk_replay(since->desk, &read.event);
    }
    ht_incident_event_deinit(&read);
    return status == HT_NOMEM ? status : HT_OK;
}

/* The table once more: a report of a time is asked for seldom. */
static enum ht_status since_read(struct ht_store_reader *reader, int64_t since_ms,
                                 struct ht_desk **out, struct ht_error *error)
{
    const struct ht_store_event_query query = {.prefix = HT_INCIDENT_PREFIX, .limit = UINT64_MAX};
    const struct ht_desk_rules rules = ht_desk_rules_default();
    struct since since = {.since_ms = since_ms};
    enum ht_status status = ht_desk_new(&rules, &since.desk);
    if (status == HT_OK) {
        status = ht_store_events_of(reader, &query, since_event, &since, error);
    }
    *out = since.desk;
    return status;
}

static enum ht_status look_write(struct ht_app_context *context, const struct look *look,
                                 struct telling *telling, struct ht_buffer *out,
                                 struct ht_error *error)
{
    struct ht_desk *desk = NULL;
    if (look->id[0] != '\0') {
        return history_write(telling, out, error);
    }
    if (!look->bounded) {
        return report_write(ht_desk_room_desk(context->app->desk), telling, out);
    }
    enum ht_status status = since_read(telling->reader, look->since_ms, &desk, error);
    if (status == HT_OK) {
        status = report_write(desk, telling, out);
    }
    ht_desk_free(desk);
    return status;
}

/* True: something personal was written, which the writer's thread has to note. */
static bool look_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct look *look = data;
    struct ht_error error = {0};
    struct telling telling = {.reader = ht_app_reader(context, reply),
                              .id = look->id,
                              .personal = look->personal,
                              .may = ht_access_personal(&look->caller)};
    if (telling.reader == NULL) {
        return false;
    }
    enum ht_status status = look_write(context, look, &telling, &reply->body, &error);
    bool noted = look->personal && telling.any;
    if (status == HT_OK && noted) {
        telling.personal = false;
        status = look_write(context, look, &telling, &look->plain, &error);
    }
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        error.status = status;
        ht_reply_status(reply, &error);
        return false;
    }
    return noted;
}

static void look_plain(void *user, void *data, struct ht_reply *reply)
{
    bool noted = look_run(user, data, reply);
    (void)noted;
}

static void look_note(void *user, void *data, struct ht_reply *reply)
{
    const struct look *look = data;
    const struct ht_persons_read read = {.collection = "incidents",
                                         .id = look->id,
                                         .how = look->id[0] == '\0' ? "report" : "history",
                                         .limit = 1,
                                         .caller = &look->caller,
                                         .at_ms = look->at_ms,
                                         .plain = &look->plain};
    ht_persons_note(user, &read, reply);
}

static void look_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    const struct look *look = data;
    (void)user;
    (void)why;
    if (reply->status == 200) {
        ht_reply_reset(reply);
        ht_buffer_append(&reply->body, look->plain.data, look->plain.size);
    }
}

/* The time from which on incidents are reported. False: it is none. */
static bool since_param(const struct ht_http_call *call, struct look *look)
{
    struct ht_params params;
    bool good = ht_params_of(&params, call->request) == HT_OK;
    const char *since = good ? ht_param(&params, "since") : NULL;
    look->bounded = since != NULL;
    bool read = good && (since == NULL || ht_time_parse(since, strlen(since), &look->since_ms));
    if (good) {
        ht_params_deinit(&params);
    }
    return read;
}

static void look_start(struct ht_app_context *context, struct ht_http_call *call, const char *id)
{
    struct look *look = calloc(1, sizeof *look);
    if (look == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    if (id[0] == '\0' && !since_param(call, look)) {
        ht_reply_problem(call->reply, 400, "Bad Request",
                         "since is a time, like 2026-03-01T08:00:00Z");
        look_free(look);
        return;
    }
    (void)snprintf(look->id, sizeof look->id, "%s", id);
    look->caller = *context->caller;
    look->at_ms = ht_clock_now_ms(&context->app->clock);
    look->personal = ht_access_personal(&look->caller) && context->app->commit != NULL;
    call->job = look->personal ? (struct ht_http_job){.prepare = look_run,
                                                      .run = look_note,
                                                      .lost = look_withheld,
                                                      .writes = true}
                               : (struct ht_http_job){.run = look_plain};
    call->job.free = look_free;
    call->job.data = look;
}

void ht_incident_history(struct ht_app_context *context, struct ht_http_call *call)
{
    char id[HT_DESK_ID_MAX + 1];
    if (ht__incidents_stand(context, call) && ht__incident_id(call, id)) {
        look_start(context, call, id);
    }
}

void ht_incidents_report(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__incidents_stand(context, call)) {
        look_start(context, call, "");
    }
}
