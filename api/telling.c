#include "api/telling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/incident_event.h"
#include "api/incident_json.h"
#include "api/incident_rules.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/webhooks.h"
#include "engine/base/array.h"
#include "engine/base/text.h"

static const char *const step_words[HT_TELLING_STEPS] = {"wanted", "failed", "done", "given_up"};

/* ---- rows ---- */

static bool text_read(yajl_val tree, const char *name, char *out, size_t size)
{
    const char *text = YAJL_GET_STRING(ht_json_member(tree, name));
    size_t length = text == NULL ? 0 : strlen(text);
    if (length == 0 || length >= size || ht_utf8_valid(text, length) != length) {
        return false;
    }
    memcpy(out, text, length + 1);
    return true;
}

/* As above; nothing where it is absent. */
static bool text_maybe(yajl_val tree, const char *name, char *out, size_t size)
{
    out[0] = '\0';
    return ht_json_member(tree, name) == NULL || text_read(tree, name, out, size);
}

static bool number_read(yajl_val tree, const char *name, int64_t most, int64_t *out)
{
    yajl_val value = ht_json_member(tree, name);
    *out = YAJL_IS_INTEGER(value) ? YAJL_GET_INTEGER(value) : 0;
    return (value == NULL || YAJL_IS_INTEGER(value)) && *out >= 0 && *out <= most;
}

static bool wanted_read(yajl_val tree, struct ht_telling_row *out)
{
    int64_t severity = 0;
    int64_t level = 0;
    out->kind = ht_incident_kind_of(YAJL_GET_STRING(ht_json_member(tree, "kind")));
    bool good = number_read(tree, "severity", HT_DESK_SEVERITIES, &severity) &&
                number_read(tree, "level", HT_DESK_LEVELS - 1, &level) &&
                text_maybe(tree, "household", out->household, sizeof out->household);
    out->severity = (uint8_t)severity;
    out->level = (uint8_t)level;
    out->telling = out->seq;
    return good && severity > 0 && out->kind < HT_INCIDENT_KINDS && out->webhook[0] != '\0';
}

static bool tried_read(yajl_val tree, struct ht_telling_row *out)
{
    const char *why = out->step == HT_TELLING_GIVEN_UP ? "reason" : "error";
    int64_t status = 0;
    bool good = number_read(tree, "telling", INT64_MAX, &out->telling) &&
                number_read(tree, "attempt", INT32_MAX, &out->attempt) &&
                number_read(tree, "status", 999, &status) &&
                text_maybe(tree, why, out->error, sizeof out->error);
    out->status = (int)status;
    return good && (out->step == HT_TELLING_GIVEN_UP || (out->telling > 0 && out->attempt > 0));
}

static bool step_find(const char *kind, enum ht_telling_step *out)
{
    size_t size = sizeof HT_TELLING_PREFIX - 1;
    for (int i = 0; strncmp(kind, HT_TELLING_PREFIX, size) == 0 && i < HT_TELLING_STEPS; i++) {
        if (strcmp(step_words[i], kind + size) == 0) {
            *out = (enum ht_telling_step)i;
            return true;
        }
    }
    return false;
}

enum ht_status ht_telling_read(const struct ht_store_event *event, struct ht_telling_row *out)
{
    *out = (struct ht_telling_row){.seq = event->seq, .at_ms = event->at_ms};
    if (!step_find(event->kind, &out->step)) {
        return HT_NOT_FOUND;
    }
    yajl_val tree = ht_json_tree_read(event->body, strlen(event->body));
    out->to = ht_tell_of(YAJL_GET_STRING(ht_json_member(tree, "to")));
    out->event = ht_desk_event_of(YAJL_GET_STRING(ht_json_member(tree, "at")));
    bool good = text_read(tree, "incident", out->incident, sizeof out->incident) &&
                text_maybe(tree, "webhook", out->webhook, sizeof out->webhook) &&
                out->to < HT_TELLS && out->event < HT_DESK_EVENT_KINDS;
    good =
        good && (out->step == HT_TELLING_WANTED ? wanted_read(tree, out) : tried_read(tree, out));
    yajl_tree_free(tree);
    return good ? HT_OK : HT_INVALID;
}

static void row_write(struct ht_json *json, const struct ht_telling_row *row)
{
    ht_json_object(json);
    ht_json_key_text(json, "incident", row->incident);
    ht_json_key_text(json, "to", ht_tell_text(row->to));
    ht_json_key_text(json, "at", ht_desk_event_text(row->event));
    if (row->webhook[0] != '\0') {
        ht_json_key_text(json, "webhook", row->webhook);
    }
    if (row->step == HT_TELLING_WANTED) {
        if (row->household[0] != '\0') {
            ht_json_key_text(json, "household", row->household);
        }
        ht_json_key_text(json, "kind", ht_incident_kind_text(row->kind));
        ht_json_key_int(json, "severity", row->severity);
        ht_json_key_int(json, "level", row->level);
    } else {
        if (row->telling > 0) {
            ht_json_key_int(json, "telling", row->telling);
        }
        ht_json_key_int(json, "attempt", row->attempt);
        ht_json_key_int(json, "status", row->status);
        if (row->error[0] != '\0') {
            ht_json_key_text(json, row->step == HT_TELLING_GIVEN_UP ? "reason" : "error",
                             row->error);
        }
    }
    ht_json_object_end(json);
}

enum ht_status ht_telling_append(struct ht_store_tx *tx, const struct ht_telling_row *row,
                                 const char *actor, int64_t *seq, struct ht_error *error)
{
    char kind[32];
    char subject[HT_INCIDENT_SUBJECT];
    struct ht_buffer body = {0};
    struct ht_json json;
    enum ht_status status = HT_NOMEM;
    (void)snprintf(kind, sizeof kind, HT_TELLING_PREFIX "%s", step_words[row->step]);
    (void)snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", row->incident);
    ht_json_begin(&json, &body);
    row_write(&json, row);
    ht_buffer_append(&body, "", 1);
    if (body.failed) {
        (void)ht_error_set(error, HT_NOMEM, 0, NULL);
    } else {
        const struct ht_store_event event = {.at_ms = row->at_ms,
                                             .actor = actor,
                                             .kind = kind,
                                             .subject = subject,
                                             .body = body.data};
        status = ht_store_event_append(tx, &event, seq, error);
    }
    ht_buffer_deinit(&body);
    return status;
}

/* ---- what is wanted ---- */

/* The webhooks that take tellings of one kind. */
struct takers {
    uint32_t bit;
    size_t count;
    size_t room;
    char (*ids)[HT_ID_MAX + 1];
};

static enum ht_status taker_look(void *user, const struct ht_store_webhook *hook)
{
    struct takers *takers = user;
    uint32_t bits = 0;
    if (!ht_webhook_topics_read(hook->topics, &bits) || (bits & takers->bit) == 0) {
        return HT_OK;
    }
    void *ids = takers->ids;
    if (ht_array_reserve(&ids, &takers->room, takers->count + 1, sizeof *takers->ids) != HT_OK) {
        return HT_NOMEM;
    }
    takers->ids = ids;
    (void)snprintf(takers->ids[takers->count++], HT_ID_MAX + 1, "%s", hook->id);
    return HT_OK;
}

static enum ht_status want_one(struct ht_store_tx *tx, const struct ht_telling_cause *cause,
                               enum ht_tell to, struct ht_error *error)
{
    const struct ht_incident *incident = cause->incident;
    struct takers takers = {.bit = to == HT_TELL_KIN ? HT_WEBHOOK_KIN : HT_WEBHOOK_DUTY};
    struct ht_telling_row row = {.at_ms = cause->at_ms,
                                 .to = to,
                                 .event = cause->event,
                                 .kind = incident->kind,
                                 .severity = incident->severity,
                                 .level = cause->level};
    (void)snprintf(row.incident, sizeof row.incident, "%s", incident->id);
    (void)snprintf(row.household, sizeof row.household, "%s",
                   incident->household == NULL ? "" : incident->household);
    enum ht_status status =
        ht_store_webhooks(ht_store_tx_reader(tx), NULL, taker_look, &takers, error);
    for (size_t i = 0; i < takers.count && status == HT_OK; i++) {
        memcpy(row.webhook, takers.ids[i], sizeof row.webhook);
        status = ht_telling_append(tx, &row, cause->actor, NULL, error);
    }
    if (status == HT_OK && takers.count == 0) {
        row.step = HT_TELLING_GIVEN_UP;
        (void)snprintf(row.error, sizeof row.error, "no_webhook");
        status = ht_telling_append(tx, &row, cause->actor, NULL, error);
    }
    free(takers.ids);
    return status;
}

enum ht_status ht_tellings_want(struct ht_store_tx *tx, const struct ht_telling_cause *cause,
                                struct ht_error *error)
{
    enum ht_status status = HT_OK;
    for (int to = 0; to < HT_TELLS && status == HT_OK; to++) {
        /* at a place without a household lives nobody who has kin */
        if ((cause->whom >> to & 1) != 0 &&
            (to != HT_TELL_KIN || cause->incident->household != NULL)) {
            status = want_one(tx, cause, (enum ht_tell)to, error);
        }
    }
    return status;
}

/* ---- on the incident ---- */

struct rows {
    struct ht_telling_row *list;
    size_t count;
    size_t room;
};

static enum ht_status row_take(void *user, const struct ht_store_event *event)
{
    struct rows *rows = user;
    void *list = rows->list;
    if (ht_array_reserve(&list, &rows->room, rows->count + 1, sizeof *rows->list) != HT_OK) {
        return HT_NOMEM;
    }
    rows->list = list;
    enum ht_status status = ht_telling_read(event, &rows->list[rows->count]);
    rows->count += status == HT_OK;
    return status == HT_NOMEM ? status : HT_OK; /* a newer houtao's, perhaps */
}

static void attempt_write(struct ht_json *json, const struct ht_telling_row *row)
{
    ht_json_object(json);
    ht_json_key_int(json, "attempt", row->attempt);
    ht_incident_json_moment(json, "at", row->at_ms);
    ht_json_key_int(json, "status", row->status);
    if (row->error[0] != '\0') {
        ht_json_key_text(json, "error", row->error);
    }
    ht_json_object_end(json);
}

/* A telling with all that was tried; `first` is the row that wanted it, or gave it up at once. */
static void telling_write(struct ht_json *json, const struct rows *rows, size_t first)
{
    const struct ht_telling_row *wanted = &rows->list[first];
    const struct ht_telling_row *last = wanted;
    ht_json_object(json);
    ht_json_key_int(json, "telling", wanted->seq);
    ht_json_key_text(json, "to", ht_tell_text(wanted->to));
    ht_json_key_text(json, "event", ht_desk_event_text(wanted->event));
    ht_incident_json_moment(json, "at", wanted->at_ms);
    if (wanted->webhook[0] != '\0') {
        ht_json_key_text(json, "webhook", wanted->webhook);
    }
    ht_json_key(json, "attempts");
    ht_json_array(json);
    for (size_t i = first + 1; i < rows->count && wanted->step == HT_TELLING_WANTED; i++) {
        const struct ht_telling_row *row = &rows->list[i];
        if (row->step != HT_TELLING_WANTED && row->telling == wanted->seq) {
            last = row;
            if (row->step != HT_TELLING_GIVEN_UP) {
                attempt_write(json, row);
            }
        }
    }
    ht_json_array_end(json);
    ht_json_key_text(json, "state",
                     last->step == HT_TELLING_DONE       ? "told"
                     : last->step == HT_TELLING_GIVEN_UP ? "given_up"
                                                         : "waiting");
    if (last->step == HT_TELLING_DONE) {
        ht_incident_json_moment(json, "told_at", last->at_ms);
    } else if (last->step == HT_TELLING_GIVEN_UP && last->error[0] != '\0') {
        ht_json_key_text(json, "reason", last->error);
    }
    ht_json_object_end(json);
}

enum ht_status ht_tellings_write(struct ht_json *json, struct ht_store_reader *reader,
                                 const char *incident, struct ht_error *error)
{
    char subject[HT_INCIDENT_SUBJECT];
    struct rows rows = {NULL, 0, 0};
    const struct ht_store_event_query query = {
        .prefix = HT_TELLING_PREFIX, .subject = subject, .limit = UINT64_MAX};
    (void)snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", incident);
    enum ht_status status = ht_store_events_of(reader, &query, row_take, &rows, error);
    if (status == HT_OK && rows.count > 0) {
        ht_json_key(json, "told");
        ht_json_array(json);
        for (size_t i = 0; i < rows.count; i++) {
            const struct ht_telling_row *row = &rows.list[i];
            if (row->step == HT_TELLING_WANTED ||
                (row->step == HT_TELLING_GIVEN_UP && row->telling == 0)) {
                telling_write(json, &rows, i);
            }
        }
        ht_json_array_end(json);
    }
    free(rows.list);
    return status;
}
