/* Which visits there are, one of them, its history; and what was written down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/incident_json.h"
#include "api/json_merge.h"
#include "api/visit_event.h"
#include "api/visits.h"
#include "api/visits_internal.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

/* ---- what was written down ---- */

struct noting {
    const char *digest; /* NULL: by `is` */
    char *text;
    char at[HT_TIME_TEXT_SIZE];
};

static enum ht_status note_take(void *user, const struct ht_store_note *note)
{
    struct noting *noting = user;
    if (noting->digest != NULL && strcmp(note->digest, noting->digest) != 0) {
        return HT_OK;
    }
    free(noting->text);
    noting->text = strdup(note->text);
    return noting->text == NULL ? HT_NOMEM : HT_OK;
}

enum ht_status ht__visit_note(struct ht_store_reader *reader, bool visit, const char *id,
                              const char *digest, char **out)
{
    char subject[HT_VISIT_SUBJECT];
    struct noting noting = {.digest = digest};
    ht_visit_subject(visit, id, subject);
    enum ht_status status = ht_store_visit_notes(reader, subject, note_take, &noting, NULL);
    if (status != HT_OK) {
        free(noting.text);
        noting.text = NULL;
    }
    *out = noting.text;
    return status;
}

/* Of several descriptions the last one; reasons of extensions have no text. */
static enum ht_status hazard_take(void *user, const struct ht_store_note *note)
{
    struct noting *noting = user;
    yajl_val tree = ht_json_tree_read(note->text, strlen(note->text));
    const char *text = YAJL_GET_STRING(ht_json_member(tree, "text"));
    const char *at = YAJL_GET_STRING(ht_json_member(tree, "at"));
    enum ht_status status = HT_OK;
    if (text != NULL && at != NULL && strcmp(at, noting->at) >= 0) {
        free(noting->text);
        noting->text = strdup(text);
        (void)snprintf(noting->at, sizeof noting->at, "%s", at);
        status = noting->text == NULL ? HT_NOMEM : HT_OK;
    }
    yajl_tree_free(tree);
    return status;
}

enum ht_status ht__hazard_text(struct ht_store_reader *reader, const char *notice, char **out)
{
    char subject[HT_VISIT_SUBJECT];
    struct noting noting = {.digest = NULL};
    ht_visit_subject(false, notice, subject);
    enum ht_status status = ht_store_visit_notes(reader, subject, hazard_take, &noting, NULL);
    if (status != HT_OK) {
        free(noting.text);
        noting.text = NULL;
    }
    *out = noting.text;
    return status;
}

/* ---- one ---- */

void ht__look_kept_write(const struct ht_look *look, const struct ht_look_telling *telling)
{
    ht_json_object(telling->json);
    ht_json_key_text(telling->json, "id", look->id);
    ht_json_key_text(telling->json, "personal", "withheld");
    ht_json_object_end(telling->json);
}

enum ht_status ht__visit_find(struct ht_app_context *context, const struct ht_look *look,
                              struct ht_store_reader *reader, struct ht_visits **past,
                              const struct ht_visit **out)
{
    enum ht_status status = HT_OK;
    *past = NULL;
    *out = ht_visits_get(ht_visits_room_visits(context->app->visits), look->id);
    if (*out == NULL) {
        status = ht_visits_room_past(reader, true, look->id, past);
        *out = status == HT_OK ? ht_visits_get(*past, look->id) : NULL;
    }
    if (*out != NULL && (!ht__visit_seen_by(&look->caller, *out) ||
                         ht__site_is_kept(&look->caller, reader, (*out)->site))) {
        ht_visit_release(*out);
        *out = NULL;
    }
    return status != HT_OK ? status : *out == NULL ? HT_NOT_FOUND : HT_OK;
}

static enum ht_status visit_write(const struct ht_look *look, struct ht_look_telling *telling,
                                  const struct ht_visit *visit)
{
    char *paper = NULL;
    enum ht_status status = HT_OK;
    if (ht_visit_is_outcome(visit->state)) {
        status = ht__visit_note(telling->reader, true, visit->id, NULL, &paper);
    }
    telling->any = telling->any || paper != NULL;
    if (status == HT_OK) {
        ht__visit_json(telling->json, visit, telling->personal ? paper : NULL, look->at_ms);
    }
    free(paper);
    return status;
}

static enum ht_status no_such(enum ht_status status, struct ht_error *error)
{
    return status == HT_OK ? HT_OK
                           : ht_error_set(error, status, 0,
                                          status == HT_NOT_FOUND ? "there is no such visit" : NULL);
}

static enum ht_status one_write(struct ht_app_context *context, const struct ht_look *look,
                                struct ht_look_telling *telling, struct ht_error *error)
{
    struct ht_visits *past = NULL;
    const struct ht_visit *visit = NULL;
    enum ht_status status = ht__visit_find(context, look, telling->reader, &past, &visit);
    if (status == HT_OK && ht__look_site_is_kept(look, telling, visit->site)) {
        ht__look_kept_write(look, telling);
    } else if (status == HT_OK) {
        (void)snprintf(telling->etag, sizeof telling->etag, "%llu",
                       (unsigned long long)visit->version);
        status = visit_write(look, telling, visit);
    }
    ht_visit_release(visit);
    ht_visits_free(past);
    return no_such(status, error);
}

void ht_visit_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_look *look = ht__visits_stand(context, call, "")
                               ? ht_look_begin(context, call, sizeof *look, true)
                               : NULL;
    if (look != NULL) {
        look->write = one_write;
        look->collection = "visits";
        look->how = "item";
        ht_look_start(call, look);
    }
}

/* ---- many ---- */

struct list_look {
    struct ht_look look;
    struct ht_visit_filter filter;
};

bool ht__visits_words_read(const char *text, const char *(*word)(int), int count, uint32_t *bits)
{
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",");
        int i = 0;
        while (i < count && (strlen(word(i)) != size || memcmp(word(i), text, size) != 0)) {
            i++;
        }
        if (i == count) {
            return false;
        }
        *bits |= UINT32_C(1) << i;
        text += size + (text[size] == ',');
    }
    return true;
}

const char *ht__visits_page_read(struct ht_look *look, uint64_t *before_order)
{
    const char *limit = ht_param(&look->params, "limit");
    const char *before = ht_param(&look->params, "before");
    int64_t most = HT__VISITS_DEFAULT;
    int64_t order = 0;
    if (limit != NULL && !ht_param_number(limit, 1, HT__VISITS_MOST, &most)) {
        return "limit is 1 to 1000";
    }
    if (before != NULL && !ht_param_number(before, 1, INT64_MAX, &order)) {
        return "before is the number that the page before ended with";
    }
    look->limit = (size_t)most;
    *before_order = (uint64_t)order;
    return NULL;
}

static const char *state_word(int i)
{
    return ht_visit_state_text((enum ht_visit_state)i);
}

#define LIST_KNOWS "round site tenant inspector rectification state from to limit before"

/* NULL, or what is wrong. */
static const char *list_read(struct list_look *look)
{
    const struct ht_params *params = &look->look.params;
    struct ht_visit_filter *filter = &look->filter;
    const char *from = ht_param(params, "from");
    const char *to = ht_param(params, "to");
    filter->round = ht_param(params, "round");
    filter->site = ht_param(params, "site");
    filter->tenant = ht_param(params, "tenant");
    filter->inspector = ht_param(params, "inspector");
    filter->rectification = ht_param(params, "rectification");
    if (!ht__visits_words_read(ht_param(params, "state"), state_word, HT_VISIT_STATES,
                               &filter->states)) {
        return "state is one of planned, promised, done, missed, refused, rectify, upgrade, shut, "
               "cancelled";
    }
    if ((from != NULL && !ht_visit_moment(from, &filter->from_ms)) ||
        (to != NULL && !ht_visit_moment(to, &filter->to_ms))) {
        return "from and to are times, like 2026-03-01T11:00:00Z, or dates";
    }
    if (from != NULL && strlen(from) == 10) {
        filter->from_ms -= INT64_C(86399999); /* from its beginning on */
    }
    return ht__visits_page_read(&look->look, &filter->before_order);
}

static enum ht_status list_write(struct ht_app_context *context, const struct ht_look *look,
                                 struct ht_look_telling *telling, struct ht_error *error)
{
    const struct list_look *list = (const struct list_look *)look;
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    struct ht_visit_filter filter = list->filter;
    const struct ht_visit **found = ht_array_new(look->limit + 1, sizeof(struct ht_visit *));
    if (found == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    if (look->caller.role == HT_ROLE_DEVICE) {
        filter.inspector = look->caller.unit == NULL ? "" : look->caller.unit;
    }
    size_t count = ht_visits_list(visits, &filter, look->limit + 1, found);
    size_t shown = count > look->limit ? look->limit : count;
    enum ht_status status = HT_OK;
    ht_json_object(telling->json);
    ht_json_key(telling->json, "visits");
    ht_json_array(telling->json);
    for (size_t i = 0; i < shown && status == HT_OK; i++) {
        status = ht__look_site_is_kept(look, telling, found[i]->site)
                     ? HT_OK
                     : visit_write(look, telling, found[i]);
    }
    ht_json_array_end(telling->json);
    if (count > shown && shown > 0) {
        ht_json_key_int(telling->json, "before", (int64_t)found[shown - 1]->order);
    }
    ht_look_withheld(telling);
    ht_json_object_end(telling->json);
    for (size_t i = 0; i < count; i++) {
        ht_visit_release(found[i]);
    }
    free((void *)found);
    return status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

void ht_visits_get_list(struct ht_app_context *context, struct ht_http_call *call)
{
    struct list_look *look = ht__visits_stand(context, call, LIST_KNOWS)
                                 ? ht_look_begin(context, call, sizeof *look, false)
                                 : NULL;
    if (look == NULL) {
        return;
    }
    const char *wrong = list_read(look);
    if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        ht_look_free(look);
        return;
    }
    look->look.write = list_write;
    look->look.collection = "visits";
    look->look.how = "items";
    ht_look_start(call, &look->look);
}

/* ---- history ---- */

struct history {
    struct ht_look_telling *telling;
    bool visit;
    const char *id;
    size_t count;
};

static enum ht_status event_write(struct history *history, const struct ht_visit_event_read *read)
{
    char *note = NULL;
    enum ht_status status = HT_OK;
    if (read->note != NULL) {
        status = ht__visit_note(history->telling->reader, history->visit, history->id, read->note,
                                &note);
    }
    history->telling->any = history->telling->any || note != NULL;
    if (note != NULL && history->telling->personal) {
        ht_json_key(history->telling->json, "paper");
        ht_json_raw(history->telling->json, note, strlen(note));
    }
    free(note);
    return status;
}

static enum ht_status event_take(void *user, const struct ht_store_event *row)
{
    struct history *history = user;
    struct ht_visit_event_read read;
    enum ht_status status = ht_visit_event_read(row->kind, row->at_ms, row->body, &read);
    history->count++;
    ht_json_object(history->telling->json);
    ht_incident_json_row(history->telling->json, row, strcspn(row->kind, ".") + 1);
    status = status == HT_NOT_FOUND || status == HT_INVALID ? HT_OK : status;
    status = status == HT_OK ? event_write(history, &read) : status;
    ht_visit_event_deinit(&read);
    ht_json_object_end(history->telling->json);
    return status;
}

enum ht_status ht__visit_history(struct ht_look_telling *telling, bool visit, const char *id,
                                 struct ht_error *error)
{
    char subject[HT_VISIT_SUBJECT];
    struct history history = {telling, visit, id, 0};
    const struct ht_store_event_query query = {
        .prefix = visit ? "visit." : "rectification.", .subject = subject, .limit = UINT64_MAX};
    ht_visit_subject(visit, id, subject);
    ht_json_object(telling->json);
    ht_json_key_text(telling->json, visit ? "visit" : "rectification", id);
    ht_json_key(telling->json, "history");
    ht_json_array(telling->json);
    enum ht_status status =
        ht_store_events_of(telling->reader, &query, event_take, &history, error);
    ht_json_array_end(telling->json);
    ht_look_withheld(telling);
    ht_json_object_end(telling->json);
    return status;
}

static enum ht_status history_write(struct ht_app_context *context, const struct ht_look *look,
                                    struct ht_look_telling *telling, struct ht_error *error)
{
    struct ht_visits *past = NULL;
    const struct ht_visit *visit = NULL;
    enum ht_status status = ht__visit_find(context, look, telling->reader, &past, &visit);
    bool kept = status == HT_OK && ht__look_site_is_kept(look, telling, visit->site);
    ht_visit_release(visit);
    ht_visits_free(past);
    if (kept) {
        ht__look_kept_write(look, telling);
        return HT_OK;
    }
    return status == HT_OK ? ht__visit_history(telling, true, look->id, error)
                           : no_such(status, error);
}

void ht_visit_history_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct ht_look *look = ht__visits_stand(context, call, "")
                               ? ht_look_begin(context, call, sizeof *look, true)
                               : NULL;
    if (look != NULL) {
        look->write = history_write;
        look->collection = "visits";
        look->how = "history";
        ht_look_start(call, look);
    }
}
