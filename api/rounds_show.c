/* Which rounds there are, and one of them as it stands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/incident_json.h"
#include "api/json_merge.h"
#include "api/persons.h"
#include "api/rounds.h"
#include "api/rounds_internal.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

enum { LIST_DEFAULT = 100, LIST_MOST = 1000 };

/* ---- JSON ---- */

static void text_write(struct ht_json *json, const char *key, const char *text)
{
    if (text[0] != '\0') {
        ht_json_key_text(json, key, text);
    }
}

void ht__round_visit_write(const struct ht_round_visit *visit, struct ht_json *json)
{
    ht_json_object(json);
    ht_json_key_text(json, "id", visit->id);
    ht_json_key_text(json, "site", visit->site);
    text_write(json, "tenant", visit->tenant);
    text_write(json, "inspector", visit->inspector);
    text_write(json, "second", visit->second);
    ht_incident_json_moment(json, "start", visit->start_ms);
    ht_incident_json_moment(json, "end", visit->end_ms);
    ht_json_key_text(json, "state", ht_visit_state_text(visit->state));
    ht_json_key_text(json, "purpose", ht_visit_purpose_text(visit->purpose));
    text_write(json, "rectification", visit->rectification);
    ht_json_key_int(json, "stop", visit->stop);
    ht_json_object_end(json);
}

static bool within(const struct ht__round_part *part, const struct ht_round_visit *visit)
{
    bool theirs = part->inspector == NULL || strcmp(part->inspector, visit->inspector) == 0 ||
                  strcmp(part->inspector, visit->second) == 0;
    return theirs && visit->start_ms >= part->from_ms && visit->start_ms < part->to_ms;
}

static void visits_write(const struct ht_round_record *record, const struct ht__round_part *part,
                         struct ht_json *json)
{
    ht_json_key(json, "visits");
    ht_json_array(json);
    for (size_t i = 0; i < record->visit_count; i++) {
        if (within(part, &record->visits[i])) {
            ht__round_visit_write(&record->visits[i], json);
        }
    }
    ht_json_array_end(json);
}

/* A member of the record as it lies there. */
static void member_write(const struct ht_round_record *record, const char *name,
                         struct ht_json *json)
{
    struct ht_text text = {0};
    yajl_val value = ht_json_member(record->tree, name);
    if (value != NULL) {
        ht_json_tree_write(&text, value);
        ht_json_key(json, name);
        ht_json_raw(json, ht_text_string(&text), text.size);
        json->out->failed = json->out->failed || text.failed;
        ht_text_deinit(&text);
    }
}

static void tours_write(const struct ht_round_record *record, const struct ht__round_part *part,
                        struct ht_json *json)
{
    struct ht_text text = {0};
    yajl_val list = ht_json_member(record->tree, "tours");
    ht_json_key(json, "tours");
    ht_json_array(json);
    for (size_t i = 0; i < record->tour_count; i++) {
        const struct ht_round_tour *tour = &record->tours[i];
        bool theirs = part->inspector == NULL || strcmp(part->inspector, tour->inspector) == 0;
        if (theirs && tour->end_ms >= part->from_ms && tour->start_ms < part->to_ms) {
            ht_text_clear(&text);
            ht_json_tree_write(&text, list->u.array.values[i]);
            ht_json_raw(json, ht_text_string(&text), text.size);
            json->out->failed = json->out->failed || text.failed;
        }
    }
    ht_json_array_end(json);
    ht_text_deinit(&text);
}

static void head_write(const struct ht_store_round *round, struct ht_json *json)
{
    ht_json_key_text(json, "id", round->id);
    ht_json_key_text(json, "collection", round->collection);
    ht_incident_json_moment(json, "from", round->from_ms);
    ht_incident_json_moment(json, "to", round->to_ms);
    ht_incident_json_moment(json, "made_at", round->made_ms);
    ht_incident_json_moment(json, "changed_at", round->changed_ms);
    ht_json_key_int(json, "version", round->version);
}

void ht__round_write(const struct ht_round_record *record, const struct ht__round_part *part,
                     struct ht_json *json)
{
    static const char *const members[] = {"unplanned", "broken", "idle",
                                          "errors",    "owners", "summary"};
    const struct ht_store_round head = {.id = record->id,
                                        .collection = record->collection->name,
                                        .from_ms = record->from_ms,
                                        .to_ms = record->to_ms,
                                        .made_ms = record->made_ms,
                                        .changed_ms = record->changed_ms,
                                        .version = record->version};
    ht_json_object(json);
    head_write(&head, json);
    ht_incident_json_moment(json, "withdrawn_at", record->withdrawn_ms);
    visits_write(record, part, json);
    tours_write(record, part, json);
    for (size_t i = 0; !part->own && i < sizeof members / sizeof members[0]; i++) {
        member_write(record, members[i], json);
    }
    ht_json_object_end(json);
}

/* ---- a question about one ---- */

bool ht__round_is_personal(const struct ht_round_record *record)
{
    return strcmp(record->collection->name, "households") == 0;
}

static void look_free(void *data)
{
    struct ht__round_look *look = data;
    ht_params_deinit(&look->params);
    ht_buffer_deinit(&look->plain);
    free(look);
}

static void refuse(struct ht_reply *reply, const struct ht_error *error, enum ht_status status)
{
    struct ht_error told = *error;
    told.status = status == HT_INVALID ? HT_SYNTAX : status;
    if (told.message[0] == '\0') {
        (void)ht_error_set(&told, told.status, 0, NULL);
    }
    ht_reply_reset(reply);
    ht_reply_status(reply, &told);
}

/* That somebody looked has to be noted: by those who see who is frail. A device sees its own. */
static bool look_allowed(const struct ht__round_look *look, const struct ht_round_record *record,
                         struct ht_reply *reply)
{
    bool may = !ht__round_is_personal(record) || ht_access_personal(&look->caller) ||
               (look->caller.role == HT_ROLE_DEVICE && look->caller.unit != NULL);
    if (!may) {
        ht_reply_problem(reply, 403, "Forbidden",
                         "rounds of households tell who is frail; they are for dispatchers");
    }
    return may;
}

static void withheld_write(const struct ht_round_record *record, struct ht_buffer *out)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "id", record->id);
    ht_json_key_text(&json, "personal", "withheld");
    ht_json_object_end(&json);
}

/* True: what was written is personal, and the writer has to note that it was read. */
static bool look_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct ht__round_look *look = data;
    struct ht_round_record record = {.tree = NULL};
    struct ht_error error = {0};
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    if (reader == NULL) {
        return false;
    }
    enum ht_status status = ht_round_record_get(reader, look->id, &record, &error);
    bool allowed = status == HT_OK && look_allowed(look, &record, reply);
    bool noted = false;
    if (allowed) {
        status = ht_round_record_live(&record, context, reader);
        if (status == HT_OK) {
            (void)snprintf(reply->etag, sizeof reply->etag, "%lld", (long long)record.version);
            status = look->write(context, look, &record, reply, &error);
        }
        noted =
            status == HT_OK && ht__round_is_personal(&record) && ht_access_personal(&look->caller);
    }
    if (noted) {
        withheld_write(&record, &look->plain);
    }
    if (status != HT_OK) {
        refuse(reply, &error, status);
    }
    ht_round_record_deinit(&record);
    return noted;
}

static void look_plain(void *user, void *data, struct ht_reply *reply)
{
    const struct ht__round_look *look = data;
    if (look_run(user, data, reply)) { /* a store that can't be written: nothing is noted */
        ht_reply_reset(reply);
        ht_buffer_append(&reply->body, look->plain.data, look->plain.size);
    }
}

static void withhold(const struct ht__round_look *look, struct ht_reply *reply)
{
    ht_reply_reset(reply);
    ht_buffer_append(&reply->body, look->plain.data, look->plain.size);
}

static void look_note(void *user, void *data, struct ht_reply *reply)
{
    const struct ht__round_look *look = data;
    const struct ht_persons_read read = {.collection = "households",
                                         .id = "",
                                         .how = "rounds",
                                         .limit = 1,
                                         .caller = &look->caller,
                                         .at_ms = look->at_ms,
                                         .plain = &look->plain};
    size_t size = reply->body.size;
    ht_persons_note(user, &read, reply);
    if (reply->body.size != size) {
        withhold(look, reply);
    }
}

static void look_withheld(void *user, void *data, enum ht_status why, struct ht_reply *reply)
{
    (void)user;
    (void)why;
    if (reply->status == 200) {
        withhold(data, reply);
    }
}

static bool accepts(const struct ht_http_request *request, const char *type)
{
    size_t size = 0;
    const char *accept = ht_http_header(request, "accept", &size);
    return accept != NULL && ht_http_list_has(accept, size, type);
}

static bool is_chinese(const struct ht_http_request *request)
{
    size_t size = 0;
    const char *language = ht_http_header(request, "accept-language", &size);
    return language != NULL && size >= 2 && memcmp(language, "zh", 2) == 0;
}

void ht__round_look_start(struct ht_app_context *context, struct ht_http_call *call,
                          struct ht__round_look from)
{
    const struct ht_http_span *span = &call->params[0];
    if (!ht__rounds_stand(context, call, from.knows)) {
        return;
    }
    if (!ht_id_valid(call->request->target + span->at, span->size)) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such round");
        return;
    }
    struct ht__round_look *look = calloc(1, sizeof *look);
    if (look == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    *look = from;
    memcpy(look->id, call->request->target + span->at, span->size);
    look->caller = *context->caller;
    look->at_ms = ht_clock_now_ms(&context->app->clock);
    look->csv = accepts(call->request, "text/csv");
    look->html = accepts(call->request, "text/html");
    look->chinese = is_chinese(call->request);
    if (ht_params_of(&look->params, call->request) != HT_OK) {
        ht_reply_problem(call->reply, 400, "Bad Request", "the query is not well encoded");
        look_free(look);
        return;
    }
    bool writes = ht_access_personal(&look->caller) && context->app->commit != NULL;
    call->job = writes ? (struct ht_http_job){.prepare = look_run,
                                              .run = look_note,
                                              .lost = look_withheld,
                                              .writes = true}
                       : (struct ht_http_job){.run = look_plain};
    call->job.free = look_free;
    call->job.data = look;
}

/* ---- one ---- */

static enum ht_status part_read(const struct ht__round_look *look, struct ht__round_part *part,
                                struct ht_error *error)
{
    const char *day_text = ht_param(&look->params, "day");
    bool day = false;
    *part = (struct ht__round_part){.inspector = ht_param(&look->params, "inspector"),
                                    .from_ms = INT64_MIN,
                                    .to_ms = INT64_MAX};
    if (day_text != NULL && (!ht_round_time_read(day_text, &part->from_ms, &day) || !day)) {
        return ht_error_set(error, HT_INVALID, 0, "day is a day, like 2026-03-02");
    }
    part->to_ms = day ? part->from_ms + DAY_MS : INT64_MAX;
    if (look->caller.role == HT_ROLE_DEVICE) {
        part->own = true;
        part->inspector = look->caller.unit == NULL ? "" : look->caller.unit;
    }
    return HT_OK;
}

static enum ht_status one_write(struct ht_app_context *context, const struct ht__round_look *look,
                                const struct ht_round_record *record, struct ht_reply *reply,
                                struct ht_error *error)
{
    struct ht__round_part part;
    struct ht_json json;
    (void)context;
    enum ht_status status = part_read(look, &part, error);
    if (status == HT_OK) {
        ht_json_begin(&json, &reply->body);
        ht__round_write(record, &part, &json);
    }
    return status;
}

void ht_round_get(struct ht_app_context *context, struct ht_http_call *call)
{
    ht__round_look_start(
        context, call,
        (struct ht__round_look){.write = one_write, .how = "item", .knows = "inspector day"});
}

/* ---- the list ---- */

struct listing {
    struct ht_json *json;
    int64_t limit;
    int64_t count;
    int64_t last; /* number of the last one */
};

static enum ht_status list_take(void *user, const struct ht_store_round *round)
{
    struct listing *listing = user;
    listing->count++;
    if (listing->count <= listing->limit) { /* the one behind it tells that there are more */
        ht_json_object(listing->json);
        head_write(round, listing->json);
        ht_json_object_end(listing->json);
        listing->last = round->number;
    }
    return HT_OK;
}

struct list_ask {
    int64_t limit;
    int64_t before;
};

static void list_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    const struct list_ask *ask = data;
    struct ht_error error = {0};
    struct ht_json json;
    struct listing listing = {.json = &json, .limit = ask->limit};
    if (ht_app_reader(context, reply) == NULL) {
        return;
    }
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "rounds");
    ht_json_array(&json);
    enum ht_status status = ht_store_rounds(context->reader, ask->before, (uint64_t)ask->limit + 1,
                                            list_take, &listing, &error);
    ht_json_array_end(&json);
    if (listing.count > listing.limit) {
        ht_json_key_int(&json, "before", listing.last);
    }
    ht_json_object_end(&json);
    if (status != HT_OK) {
        refuse(reply, &error, status);
    }
}

void ht_rounds_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_params params;
    if (!ht__rounds_stand(context, call, "limit before")) {
        return;
    }
    struct list_ask *ask = malloc(sizeof *ask);
    if (ask == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    *ask = (struct list_ask){LIST_DEFAULT, INT64_MAX};
    const char *wrong = "the query is not well encoded";
    if (ht_params_of(&params, call->request) == HT_OK) {
        const char *limit = ht_param(&params, "limit");
        const char *before = ht_param(&params, "before");
        wrong = limit != NULL && !ht_param_number(limit, 1, LIST_MOST, &ask->limit)
                    ? "limit is 1 to 1000"
                : before != NULL && !ht_param_number(before, 1, INT64_MAX, &ask->before)
                    ? "before is a number that an answer gave"
                    : NULL;
        ht_params_deinit(&params);
    }
    if (wrong != NULL) {
        free(ask);
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        return;
    }
    call->job = (struct ht_http_job){.run = list_run, .free = free, .data = ask};
}
