/* The commands by which visits are made, promised and dropped; and their erasure. */
#include "api/visits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/live.h"
#include "api/params_only.h"
#include "api/rectifications.h"
#include "api/visit_event.h"
#include "api/visit_site.h"
#include "api/visits_internal.h"
#include "geodata/digest.h"

/* How late and how early a visit may be written down that no plan has, and how long it may be. */
#define PAST_MOST_MS (31 * INT64_C(86400000))
#define AHEAD_MOST_MS (366 * INT64_C(86400000))
#define LENGTH_MOST_MS INT64_C(86400000)

/* ---- what all share ---- */

bool ht__visits_stand(struct ht_app_context *context, struct ht_http_call *call, const char *params)
{
    if (context->app->visits == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "this server has no store");
        return false;
    }
    return ht_params_only(call, params);
}

bool ht__visit_seen_by(const struct ht_caller *caller, const struct ht_visit *visit)
{
    return caller->role != HT_ROLE_DEVICE ||
           (caller->unit != NULL && ht_visit_is_by(visit, caller->unit));
}

bool ht__site_is_kept(const struct ht_caller *caller, struct ht_store_reader *reader,
                      const char *site)
{
    return caller->role != HT_ROLE_DEVICE && !ht_access_personal(caller) &&
           ht_visit_site_is_home(reader, site);
}

bool ht__look_site_is_kept(const struct ht_look *look, struct ht_look_telling *telling,
                           const char *site)
{
    if (look->caller.role == HT_ROLE_DEVICE || !ht_visit_site_is_home(telling->reader, site)) {
        return false;
    }
    telling->any = true;
    return !telling->personal;
}

void ht__visit_refuse(struct ht_reply *reply, enum ht_status status, struct ht_error *error)
{
    error->status = status;
    ht__incident_refuse(reply, error);
}

void ht__visits_applied(struct ht_app_context *context, struct ht_visits_decision **decision)
{
    ht_visits_apply(ht_visits_room_visits(context->app->visits), *decision);
    *decision = NULL;
}

void ht__visits_undone(struct ht_app_context *context, struct ht_visits_decision **decision,
                       bool lost)
{
    struct ht_visits *visits = ht_visits_room_visits(context->app->visits);
    if (lost) {
        ht_visits_drop(visits, *decision);
    } else {
        ht_visits_take_back(visits, *decision);
    }
    *decision = NULL;
}

void *ht__visit_turn_new(struct ht_command *command, size_t size, struct ht_reply *reply)
{
    command->parsed = calloc(1, size);
    if (command->parsed == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
    }
    return command->parsed;
}

void ht__visit_turn_applied(struct ht_app_context *context, struct ht_command *command,
                            struct ht_reply *reply)
{
    struct ht__visit_turn *turn = command->parsed;
    (void)reply;
    ht__visits_applied(context, &turn->decision);
}

void ht__visit_turn_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct ht__visit_turn *turn = command->parsed;
    ht__visits_undone(context, &turn->decision, lost);
}

void ht__visit_turn_free(struct ht_command *command)
{
    struct ht__visit_turn *turn = command->parsed;
    if (turn != NULL && turn->tree != NULL) {
        ht_visit_tree_free(turn->tree);
    }
    free(turn);
}

enum ht_status ht__visit_inspector_check(struct ht_app_context *context, const char *member,
                                         const char *inspector, struct ht_error *error)
{
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    struct ht_unit unit;
    if (inspector == NULL) {
        return HT_OK;
    }
    uint32_t index = ht_fleet_find(fleet, inspector, strlen(inspector));
    if (index == HT_NONE || !ht_fleet_get(fleet, index, 0, &unit)) {
        return ht_error_set(error, HT_INVALID, 0, "/%s: there is no unit %.64s", member, inspector);
    }
    return unit.kind == HT_UNIT_VAN
               ? ht_error_set(error, HT_INVALID, 0, "/%s: unit %.64s is a van, no inspector",
                              member, inspector)
               : HT_OK;
}

static bool forbid(struct ht_reply *reply, const char *why)
{
    ht_reply_problem(reply, 403, "Forbidden", why);
    return false;
}

static void visit_answer(struct ht_reply *reply, const struct ht_visit *visit, int64_t now_ms)
{
    struct ht_json json;
    (void)snprintf(reply->etag, sizeof reply->etag, "%llu", (unsigned long long)visit->version);
    ht_json_begin(&json, &reply->body);
    ht__visit_json(&json, visit, NULL, now_ms);
}

/* ---- one that no plan has ---- */

struct opening {
    struct ht__visit_turn turn;
    struct ht_visit_in in;
    char id[HT_VISIT_ID_MAX + 1];
    char tenant[HT_VISIT_ID_MAX +
                1]; /* whose notice it looks after, where nobody said whom it sees */
};

static enum ht_status tenant_check(const struct ht_visit_site *site, const char *tenant,
                                   struct ht_error *error)
{
    return ht_visit_site_has(site, tenant)
               ? HT_OK
               : ht_error_set(error, HT_INVALID, 0,
                              "/tenant: there is no tenant %.64s of this site", tenant);
}

static bool open_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct ht_visit_site site;
    struct opening *opening = ht__visit_turn_new(command, sizeof *opening, reply);
    struct ht_store_reader *reader = opening == NULL ? NULL : ht_app_reader(context, reply);
    if (reader == NULL) {
        return false;
    }
    struct ht_visit_in *in = &opening->in;
    opening->turn.tree = &in->tree;
    enum ht_status status = ht_visit_body_read(command->body, command->body_size, in, &error);
    if (status == HT_OK) {
        status = ht_visit_site_find(reader, in->site, &site, &error);
        if (status == HT_OK && in->tenant != NULL) {
            status = tenant_check(&site, in->tenant, &error);
        }
        ht_visit_site_deinit(&site);
        status = status == HT_NOT_FOUND
                     ? ht_error_set(&error, HT_INVALID, 0, "/site: there is no site %s", in->site)
                     : status;
    }
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return false;
    }
    const char *own = command->caller.unit;
    if (command->caller.role != HT_ROLE_DEVICE) {
        return true;
    }
    if (own == NULL || (in->inspector != NULL && strcmp(in->inspector, own) != 0)) {
        return forbid(reply, "a unit's token makes visits for itself");
    }
    in->inspector = own;
    return true;
}

/* Its times, with what was not said; HT_INVALID: they are those of no visit. */
static enum ht_status times_find(const struct opening *opening, const struct ht_command *command,
                                 int64_t usual_ms, struct ht_visit_row *row, struct ht_error *error)
{
    const struct ht_visit_in *in = &opening->in;
    row->start_ms = in->start_ms == 0 ? command->at_ms : in->start_ms;
    row->end_ms = in->end_ms == 0 ? row->start_ms + usual_ms : in->end_ms;
    if (row->start_ms < command->at_ms - PAST_MOST_MS) {
        return ht_error_set(error, HT_INVALID, 0, "/start: is more than 31 days ago");
    }
    if (row->start_ms > command->at_ms + AHEAD_MOST_MS) {
        return ht_error_set(error, HT_INVALID, 0, "/start: is more than a year ahead");
    }
    if (row->end_ms < row->start_ms || row->end_ms - row->start_ms > LENGTH_MOST_MS) {
        return ht_error_set(error, HT_INVALID, 0,
                            "/end: is before the start, or more than a day after it");
    }
    return HT_OK;
}

static enum ht_status id_choose(struct ht_visits_room *room, struct ht_store_tx *tx,
                                struct opening *opening, struct ht_error *error)
{
    struct ht_store_reader *reader = ht_store_tx_reader(tx);
    if (opening->in.id != NULL) {
        (void)snprintf(opening->id, sizeof opening->id, "%s", opening->in.id);
        return ht_visits_room_is_new(room, reader, opening->id, error);
    }
    enum ht_status status = HT_EXISTS;
    for (int tries = 0; tries < 16 && status == HT_EXISTS; tries++) {
        status = ht_visits_room_id("v", opening->id);
        if (status == HT_OK) {
            status = ht_visits_room_is_new(room, reader, opening->id, error);
        }
    }
    return status;
}

/* Whom it sees: who looks after a tenant's notice, that tenant, unless it says otherwise. */
static const char *tenant_choose(const struct ht_visits *visits, struct opening *opening)
{
    const struct ht_visit_in *in = &opening->in;
    bool open = in->tenant == NULL && !in->of_site && in->rectification != NULL;
    const struct ht_rectification *notice =
        open ? ht_rectifications_pending(visits, in->rectification) : NULL;
    if (notice == NULL || notice->tenant == NULL || strcmp(notice->site, in->site) != 0) {
        return in->tenant;
    }
    (void)snprintf(opening->tenant, sizeof opening->tenant, "%s", notice->tenant);
    return opening->tenant;
}

static enum ht_status open_do(struct ht_app_context *context, const struct ht_command *command,
                              struct ht_store_tx *tx, struct opening *opening,
                              struct ht_error *error)
{
    struct ht_visits_room *room = context->app->visits;
    struct ht_visits *visits = ht_visits_room_visits(room);
    const struct ht_visit_in *in = &opening->in;
    struct ht_visit_office office = ht_visits_room_office(room);
    struct ht_visit_command open = {.kind = HT_VISIT_OPEN,
                                    .now_ms = command->at_ms,
                                    .visit = opening->id,
                                    .rules = &office.rules,
                                    .row = {.site = in->site,
                                            .tenant = tenant_choose(visits, opening),
                                            .inspector = in->inspector,
                                            .second = in->second,
                                            .rectification = in->rectification,
                                            .purpose = in->purpose}};
    enum ht_status status = times_find(opening, command, office.service_ms, &open.row, error);
    if (status == HT_OK) {
        status = ht__visit_inspector_check(context, "inspector", in->inspector, error);
    }
    if (status == HT_OK) {
        status = ht__visit_inspector_check(context, "second", in->second, error);
    }
    if (status == HT_OK) {
        status = id_choose(room, tx, opening, error);
    }
    if (status == HT_OK) {
        status = ht_visits_decide(visits, &open, &opening->turn.decision, error);
    }
    return status == HT_OK ? ht_visits_room_write(room, tx, opening->turn.decision,
                                                  command->caller.name, NULL, error)
                           : status;
}

static void open_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct opening *opening = command->parsed;
    struct ht_error error = {0};
    enum ht_status status = open_do(context, command, tx, opening, &error);
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return;
    }
    (void)snprintf(reply->location, sizeof reply->location, "/v1/visits/%s", opening->id);
    visit_answer(reply, opening->turn.decision->visit, command->at_ms);
    reply->status = 201;
}

static const struct ht_command_kind open_kind = {.prepare = open_prepare,
                                                 .run = open_run,
                                                 .applied = ht__visit_turn_applied,
                                                 .free = ht__visit_turn_free,
                                                 .undone = ht__visit_turn_undone};

void ht_visits_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__visits_stand(context, call, "")) {
        ht_command_start(context, call, &open_kind);
    }
}

/* ---- promised, dropped ---- */

struct ht__visit_stepping *ht__visit_step_prepare(struct ht_command *command, bool notice,
                                                  struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct ht__visit_stepping *stepping = ht__visit_turn_new(command, sizeof *stepping, reply);
    if (stepping == NULL) {
        return NULL;
    }
    stepping->turn.tree = &stepping->in.tree;
    enum ht_status status =
        ht_visit_step_read(command->body, command->body_size, notice, &stepping->in, &error);
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
    }
    return status == HT_OK ? stepping : NULL;
}

static bool step_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    (void)context;
    return ht__visit_step_prepare(command, false, reply) != NULL;
}

static void step_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct ht__visit_stepping *stepping = command->parsed;
    struct ht_visits_room *room = context->app->visits;
    struct ht_visits *visits = ht_visits_room_visits(room);
    struct ht_error error = {0};
    const struct ht_visit_command step = {
        .kind = stepping->in.command, .now_ms = command->at_ms, .visit = command->params[0]};
    const struct ht_visit *visit = ht_visits_pending(visits, command->params[0]);
    if (visit != NULL && !ht_command_expects(command, visit->version)) {
        ht_reply_problem(reply, 412, "Precondition Failed", "the visit was changed meanwhile");
        return;
    }
    enum ht_status status = ht_visits_decide(visits, &step, &stepping->turn.decision, &error);
    if (status == HT_OK) {
        status = ht_visits_room_write(room, tx, stepping->turn.decision, command->caller.name, NULL,
                                      &error);
    }
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return;
    }
    visit_answer(reply, stepping->turn.decision->visit, command->at_ms);
}

static const struct ht_command_kind step_kind = {.prepare = step_prepare,
                                                 .run = step_run,
                                                 .applied = ht__visit_turn_applied,
                                                 .free = ht__visit_turn_free,
                                                 .undone = ht__visit_turn_undone};

void ht_visit_event_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__visits_stand(context, call, "")) {
        ht_command_start(context, call, &step_kind);
    }
}

/* ---- erasure ---- */

static bool is_over(struct ht_visits *visits, bool visit, const char *id, bool *found)
{
    const struct ht_visit *one = visit ? ht_visits_pending(visits, id) : NULL;
    const struct ht_rectification *notice = visit ? NULL : ht_rectifications_pending(visits, id);
    *found = one != NULL || notice != NULL;
    return one != NULL ? one->closed_ms != 0 : notice != NULL ? notice->closed_ms != 0 : false;
}

static void erase_run(struct ht_command *command, struct ht_store_tx *tx, bool visit,
                      struct ht_reply *reply)
{
    char subject[HT_VISIT_SUBJECT];
    char body[HT_VISIT_SUBJECT + 32];
    struct ht_error error = {0};
    bool found = false;
    bool over =
        is_over(ht_visits_room_visits(command->app->visits), visit, command->params[0], &found);
    ht_visit_subject(visit, command->params[0], subject);
    enum ht_status status = HT_OK;
    if (!found && ht_id_valid(command->params[0], strlen(command->params[0]))) {
        status = ht_store_visit_is_known(ht_store_tx_reader(tx), subject, &over, &error);
        found = over;
    }
    if (status == HT_OK && !over) {
        ht_reply_problem(reply, found ? 409 : 404, found ? "Conflict" : "Not Found",
                         found ? "it is not over" : "there is no such id");
        return;
    }
    (void)snprintf(body, sizeof body, "{\"erased\":\"%s\"}", subject);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind = visit ? "visit.erased" : "rectification.erased",
                                         .subject = subject,
                                         .body = body};
    status = status == HT_OK ? ht_store_visit_erase(tx, subject, &error) : status;
    status = status == HT_OK ? ht_store_event_append(tx, &event, NULL, &error) : status;
    if (status != HT_OK) {
        ht__visit_refuse(reply, status, &error);
        return;
    }
    reply->status = 204;
}

static void visit_erase_run(struct ht_app_context *context, struct ht_command *command,
                            struct ht_store_tx *tx, struct ht_reply *reply)
{
    (void)context;
    erase_run(command, tx, true, reply);
}

static void notice_erase_run(struct ht_app_context *context, struct ht_command *command,
                             struct ht_store_tx *tx, struct ht_reply *reply)
{
    (void)context;
    erase_run(command, tx, false, reply);
}

static const struct ht_command_kind visit_erase_kind = {.run = visit_erase_run};
static const struct ht_command_kind notice_erase_kind = {.run = notice_erase_run};

void ht_visit_erase(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__visits_stand(context, call, "")) {
        ht_command_start(context, call, &visit_erase_kind);
    }
}

void ht_rectification_erase(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__visits_stand(context, call, "")) {
        ht_command_start(context, call, &notice_erase_kind);
    }
}
