/* The commands by which a notice is extended and closed, and closed ones are drawn for a second
 * look. */
#include "api/rectifications.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/visit_event.h"
#include "api/visits_internal.h"
#include "engine/base/array.h"

/* ---- extended, closed ---- */

static bool step_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    const struct ht__visit_stepping *stepping = ht__visit_step_prepare(command, true, reply);
    (void)context;
    if (stepping == NULL) {
        return false;
    }
    if (stepping->in.command == HT_NOTICE_EXTEND && stepping->in.rank + 1 == HT_VISIT_LEVELS &&
        command->caller.role < HT_ROLE_ADMIN) {
        ht_reply_problem(reply, 403, "Forbidden", "an admin alone speaks for the district");
        return false;
    }
    return true;
}

/* The reason lies where it can be erased. */
static enum ht_status reason_put(struct ht_store_tx *tx, const char *id, const char *reason,
                                 char digest[HT_DIGEST_TEXT], struct ht_error *error)
{
    char subject[HT_VISIT_SUBJECT];
    struct ht_buffer text = {0};
    struct ht_json json;
    ht_json_begin(&json, &text);
    ht_json_object(&json);
    ht_json_key_text(&json, "reason", reason);
    ht_json_object_end(&json);
    ht_buffer_append(&text, "", 1);
    ht_visit_subject(false, id, subject);
    enum ht_status status = text.failed
                                ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                : ht_store_visit_note_put(tx, subject, text.data, digest, error);
    ht_buffer_deinit(&text);
    return status;
}

static enum ht_status step_do(struct ht_app_context *context, const struct ht_command *command,
                              struct ht_store_tx *tx, struct ht__visit_stepping *stepping,
                              struct ht_error *error)
{
    struct ht_visits_room *room = context->app->visits;
    const struct ht_visit_step_in *in = &stepping->in;
    struct ht_visit_office office = ht_visits_room_office(room);
    char digest[HT_DIGEST_TEXT];
    const char **notes = NULL;
    const struct ht_visit_command step = {.kind = in->command,
                                          .now_ms = command->at_ms,
                                          .visit = in->visit,
                                          .notice = command->params[0],
                                          .rules = &office.rules,
                                          .due_ms = in->due_ms,
                                          .rank = in->rank};
    enum ht_status status =
        ht_visits_decide(ht_visits_room_visits(room), &step, &stepping->turn.decision, error);
    if (status == HT_OK && in->reason != NULL) { /* it goes with the first of the events */
        notes = calloc(stepping->turn.decision->event_count, sizeof(const char *));
        status = notes == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL)
                               : reason_put(tx, command->params[0], in->reason, digest, error);
    }
    if (status == HT_OK && notes != NULL) {
        notes[0] = digest;
    }
    status = status == HT_OK ? ht_visits_room_write(room, tx, stepping->turn.decision,
                                                    command->caller.name, notes, error)
                             : status;
    free((void *)notes);
    return status;
}

static void step_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct ht__visit_stepping *stepping = command->parsed;
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    const struct ht_rectification *notice = ht_rectifications_pending(visits, command->params[0]);
    struct ht_error error = {0};
    struct ht_json json;
    if (notice != NULL && !ht_command_expects(command, notice->version)) {
        ht_reply_problem(reply, 412, "Precondition Failed",
                         "the rectification was changed meanwhile");
        return;
    }
    enum ht_status status = step_do(context, command, tx, stepping, &error);
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return;
    }
    notice = stepping->turn.decision->rectification;
    (void)snprintf(reply->etag, sizeof reply->etag, "%llu", (unsigned long long)notice->version);
    ht_json_begin(&json, &reply->body);
    ht__rectification_json(&json, notice, NULL, command->at_ms);
}

static const struct ht_command_kind step_kind = {.prepare = step_prepare,
                                                 .run = step_run,
                                                 .applied = ht__visit_turn_applied,
                                                 .free = ht__visit_turn_free,
                                                 .undone = ht__visit_turn_undone};

void ht_rectification_event_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__visits_stand(context, call, "")) {
        ht_command_start(context, call, &step_kind);
    }
}

/* ---- the draw ---- */

enum { POOL_MOST = 100000 };

struct drawing {
    struct ht_visit_draw_in in;
    char (*ids)[HT_VISIT_ID_MAX + 1]; /* those that were drawn */
    size_t count;
    size_t pool;                           /* of so many */
    struct ht_visits_decision **decisions; /* [count] */
};

/* One of the pool with its key. */
struct ticket {
    const struct ht_rectification *notice;
    double key;
};

static uint64_t mixed(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xbf58476d1ce4e5b9);
    x ^= x >> 27;
    x *= UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* What makes a closing doubtful: where no position was, a reason stands. */
enum {
    DOUBTFUL = HT_VISIT_TOO_SHORT | HT_VISIT_TOO_FAR | HT_VISIT_IMPOSSIBLE | HT_VISIT_ALONE,
    DOUBTFUL_WEIGHT = 8
};

/* Efraimidis and Spirakis 2006: the greatest u^(1/w) are a sample without replacement, in
 * proportion to the weights: the risk, eight times that where the visit that closed it was flagged.
 * u follows from the seed and the notice's number alone, so that anybody can draw the same again.
 */
static double key_of(uint64_t seed, const struct ht_rectification *n)
{
    uint64_t chance = mixed(mixed(seed) + n->number * UINT64_C(0x9e3779b97f4a7c15));
    double u = ((double)(chance >> 11) + 0.5) / 9007199254740992.0;
    double weight = n->risk >= 1 ? n->risk : 1;
    return log(u) / (weight * ((n->closed_flags & DOUBTFUL) != 0 ? DOUBTFUL_WEIGHT : 1));
}

static int by_key(const void *a, const void *b)
{
    const struct ticket *left = a;
    const struct ticket *right = b;
    if (left->key != right->key) {
        return left->key > right->key ? -1 : 1;
    }
    return left->notice->number < right->notice->number ? -1 : 1;
}

static bool is_in_pool(const struct ht_visit_draw_in *in, const struct ht_rectification *n)
{
    return !n->sampled && n->closed_ms >= in->from_ms &&
           (in->to_ms == 0 || n->closed_ms <= in->to_ms);
}

static enum ht_status draw(struct ht_visits *visits, struct drawing *drawing)
{
    const struct ht_rectification_filter closed = {.states = UINT32_C(1)
                                                             << HT_RECTIFICATION_IS_CLOSED};
    const struct ht_rectification **list =
        ht_array_new(POOL_MOST, sizeof(struct ht_rectification *));
    struct ticket *tickets = ht_array_new(POOL_MOST, sizeof *tickets);
    size_t found = list == NULL ? 0 : ht_rectifications_list(visits, &closed, POOL_MOST, list);
    for (size_t i = 0; i < found && tickets != NULL; i++) {
        if (is_in_pool(&drawing->in, list[i])) {
            tickets[drawing->pool++] = (struct ticket){list[i], key_of(drawing->in.seed, list[i])};
        }
    }
    if (tickets != NULL && drawing->pool > 1) {
        qsort(tickets, drawing->pool, sizeof *tickets, by_key);
    }
    size_t count = drawing->pool < drawing->in.count ? drawing->pool : drawing->in.count;
    drawing->ids = ht_array_new_zeroed(count, sizeof *drawing->ids);
    drawing->decisions = ht_array_new_zeroed(count, sizeof(struct ht_visits_decision *));
    bool good =
        tickets != NULL && list != NULL && drawing->ids != NULL && drawing->decisions != NULL;
    for (size_t i = 0; i < count && good; i++) {
        (void)snprintf(drawing->ids[i], sizeof drawing->ids[i], "%s", tickets[i].notice->id);
        drawing->count = i + 1;
    }
    for (size_t i = 0; i < found; i++) {
        ht_rectification_release(list[i]);
    }
    free((void *)list);
    free(tickets);
    return good ? HT_OK : HT_NOMEM;
}

static bool draw_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct drawing *drawing = calloc(1, sizeof *drawing);
    command->parsed = drawing;
    if (drawing == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    enum ht_status status =
        ht_visit_draw_read(command->body, command->body_size, &drawing->in, &error);
    if (status == HT_OK) {
        status = draw(ht_visits_room_visits(context->app->visits), drawing);
    }
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return false;
    }
    return true;
}

/* What was reopened or drawn since it was looked at is left out. */
static enum ht_status draw_one(struct ht_app_context *context, const struct ht_command *command,
                               struct ht_store_tx *tx, size_t i, struct ht_error *error)
{
    struct drawing *drawing = command->parsed;
    struct ht_visits_room *room = context->app->visits;
    const struct ht_visit_command sample = {.kind = HT_NOTICE_SAMPLE,
                                            .now_ms = command->at_ms,
                                            .notice = drawing->ids[i],
                                            .seed = drawing->in.seed};
    enum ht_status status =
        ht_visits_decide(ht_visits_room_visits(room), &sample, &drawing->decisions[i], error);
    if (status == HT_CONFLICT || status == HT_NOT_FOUND) {
        return HT_OK;
    }
    return status == HT_OK ? ht_visits_room_write(room, tx, drawing->decisions[i],
                                                  command->caller.name, NULL, error)
                           : status;
}

static void draw_answer(const struct ht_command *command, struct ht_reply *reply)
{
    const struct drawing *drawing = command->parsed;
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_int(&json, "seed", (int64_t)drawing->in.seed);
    ht_json_key_int(&json, "pool", (int64_t)drawing->pool);
    ht_json_key(&json, "rectifications");
    ht_json_array(&json);
    for (size_t i = 0; i < drawing->count; i++) {
        if (drawing->decisions[i] != NULL) {
            ht__rectification_json(&json, drawing->decisions[i]->rectification, NULL,
                                   command->at_ms);
        }
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    reply->status = 201;
}

static void draw_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct drawing *drawing = command->parsed;
    struct ht_error error = {0};
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < drawing->count && status == HT_OK; i++) {
        status = draw_one(context, command, tx, i, &error);
    }
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return;
    }
    draw_answer(command, reply);
}

static void draw_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct drawing *drawing = command->parsed;
    (void)reply;
    for (size_t i = 0; i < drawing->count; i++) {
        ht__visits_applied(context, &drawing->decisions[i]);
    }
}

static void draw_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct drawing *drawing = command->parsed;
    for (size_t i = drawing->count; i-- > 0;) {
        ht__visits_undone(context, &drawing->decisions[i], lost);
    }
}

static void draw_free(struct ht_command *command)
{
    struct drawing *drawing = command->parsed;
    if (drawing != NULL) {
        ht_visit_tree_free(&drawing->in.tree);
        free(drawing->ids);
        free((void *)drawing->decisions);
        free(drawing);
    }
}

static const struct ht_command_kind draw_kind = {.prepare = draw_prepare,
                                                 .run = draw_run,
                                                 .applied = draw_applied,
                                                 .free = draw_free,
                                                 .undone = draw_undone};

void ht_rectification_checks_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__visits_stand(context, call, "")) {
        ht_command_start(context, call, &draw_kind);
    }
}
