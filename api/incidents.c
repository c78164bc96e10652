/* The commands: an alarm comes in, and what happens to it. */
#include "api/incidents.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/desk_room.h"
#include "api/home.h"
#include "api/incident_event.h"
#include "api/incident_json.h"
#include "api/incident_read.h"
#include "api/incidents_internal.h"
#include "api/live.h"

enum { ACTOR = 7 + HT_STORE_CODE }; /* of a home */

void ht__incident_refuse(struct ht_reply *reply, const struct ht_error *error)
{
    size_t size = strcspn(error->message, ":");
    ht_reply_status(reply, error);
    if (error->status == HT_SYNTAX && error->message[0] != '/') { /* the body as a whole */
        ht_reply_where(reply, "", 0, error->message);
    }
    if (error->message[0] != '/' || strncmp(error->message + size, ": ", 2) != 0 ||
        reply->body.size == 0 || reply->body.failed) {
        return;
    }
    reply->body.size--; /* within the object */
    struct ht_json json = {.out = &reply->body, .comma = true};
    ht_json_key(&json, "errors");
    ht_json_array(&json);
    ht_json_object(&json);
    ht_json_key(&json, "pointer");
    ht_json_text_n(&json, error->message, size);
    ht_json_key_text(&json, "detail", error->message + size + 2);
    ht_json_object_end(&json);
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

bool ht__systems_read(struct ht_app_context *context, const struct ht_params *params,
                      struct ht__systems *out, struct ht_reply *reply)
{
    const char *in = ht_param(params, "crs");
    const char *other = ht_param(params, "out_crs");
    *out = (struct ht__systems){0};
    bool good = (in == NULL || ht_crs_parse(in, strlen(in), &out->in) == HT_OK) &&
                (other == NULL || ht_crs_parse(other, strlen(other), &out->out) == HT_OK);
    out->out = other == NULL ? out->in : out->out;
    if (good && context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (!good || ht_crs_check(context->crs, &out->in, NULL) != HT_OK ||
        ht_crs_check(context->crs, &out->out, NULL) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request", "crs and out_crs are coordinate systems");
        return false;
    }
    return true;
}

void ht__systems_know(struct ht_app_context *context, struct ht__systems *systems,
                      struct ht_point point)
{
    struct ht_buffer text = {0};
    struct ht_json json;
    const struct ht_crs_out out = {&systems->out, context->crs};
    if (ht_crs_plain(&systems->out) || systems->out.kind != HT_CRS_PROJ) {
        return;
    }
    ht_json_begin(&json, &text);
    ht_live_json_point(&json, point, &out);
    if (!text.failed && text.size < sizeof systems->written) {
        memcpy(systems->written, text.data, text.size);
        systems->written[text.size] = '\0';
        systems->point = point;
    }
    ht_buffer_deinit(&text);
}

/* An incident as the answer to a command, from the writer's thread. */
static void answer(struct ht_app_context *context, const struct ht_incident *incident,
                   const struct ht__systems *systems, struct ht_reply *reply)
{
    const struct ht_crs *crs = &systems->out;
    struct ht_incident_place place;
    struct ht_json json;
    if (!ht_crs_plain(crs) && context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    const struct ht_crs_out out = {crs, context->crs};
    bool placed =
        ht_incident_places_get(ht_desk_room_places(context->app->desk), incident->id, &place);
    if (placed && systems->written[0] != '\0' && place.point.lon_e7 == systems->point.lon_e7 &&
        place.point.lat_e7 == systems->point.lat_e7) {
        place.written = systems->written;
    }
    (void)snprintf(reply->etag, sizeof reply->etag, "%llu", (unsigned long long)incident->version);
    ht_json_begin(&json, &reply->body);
    ht_incident_json(&json, incident, placed ? &place : NULL, &out, true);
}

/* ---- an alarm ---- */

struct opening {
    struct ht_incident_alarm alarm;
    struct ht__systems systems;
    struct ht_point point;
    char household[HT_ID_MAX + 1]; /* "": none */
    char code[HT_STORE_CODE];      /* "": none; the writer finds it */
    uint32_t access_ms;
    uint8_t severity;
    char id[HT_DESK_ID_MAX + 1];
    bool placed; /* in memory */
    struct ht_desk_decision *decision;
    struct ht_desk_ahead ahead;
};

static bool forbid(struct ht_reply *reply, const char *why)
{
    ht_reply_problem(reply, 403, "Forbidden", why);
    return false;
}

/* A device's token stands for a unit, or for the household that it is in. */
static bool device_check(struct ht_store_reader *reader, struct ht_command *command,
                         struct opening *opening, struct ht_reply *reply)
{
    struct ht_incident_alarm *alarm = &opening->alarm;
    const char *household = command->caller.household;
    if (command->caller.role != HT_ROLE_DEVICE) {
        return true;
    }
    if (household == NULL) { /* what a unit's own device says again belongs together */
        return alarm->household == NULL &&
                       (alarm->device == NULL || strcmp(alarm->device, command->caller.name) == 0)
                   ? true
                   : forbid(reply, "a unit's token opens at a place, not for a household");
    }
    char other[HT_ID_MAX + 1];
    bool own = alarm->household == NULL || strcmp(alarm->household, household) == 0;
    if (own && alarm->device != NULL && strcmp(alarm->device, command->caller.name) != 0) {
        own = ht_home_of_device(reader, alarm->device, other, NULL) == HT_OK &&
              strcmp(other, household) == 0;
    }
    if (!own || alarm->placed) {
        return forbid(reply, "a home's token opens for its own household");
    }
    (void)snprintf(opening->household, sizeof opening->household, "%s", household);
    alarm->device = alarm->device == NULL ? command->caller.name : alarm->device;
    return true;
}

/* Where the caller's unit is now. */
static bool own_place(struct ht_app_context *context, const struct ht_command *command,
                      struct opening *opening)
{
    struct ht_unit unit;
    struct ht_fleet *fleet = ht_live_fleet(context->app->live);
    const char *id = command->caller.unit;
    uint32_t index = id == NULL ? HT_NONE : ht_fleet_find(fleet, id, strlen(id));
    if (index == HT_NONE || !ht_fleet_get(fleet, index, 0, &unit) || !unit.positioned) {
        return false;
    }
    opening->point = unit.position.fix.point;
    return true;
}

/* From a place to the nearest street; -1: not known. */
static double street_m(struct ht_app_context *context, struct ht_point point)
{
    double walk_m = -1;
    struct ht_world *world = ht_world_reader_get(&context->world);
    struct ht_live_work *work = ht_app_live_work(context);
    return world == NULL || work == NULL ||
                   ht_live_street(context->app->live, work, world, point, &walk_m) != HT_OK
               ? -1
               : walk_m;
}

static uint32_t access_ms_of(struct ht_app_context *context, enum ht_incident_kind kind,
                             const struct ht_home *home, double walk_m)
{
    const struct ht_desk_room_kind rule = ht_desk_room_kind(context->app->desk, kind);
    const struct ht_home_inside inside =
        home == NULL ? (struct ht_home_inside){0} : ht_home_inside(home);
    return ht_home_access_ms(&rule.pace, home == NULL ? NULL : &inside, fmax(walk_m, 0));
}

uint32_t ht__incident_access_ms(struct ht_app_context *context, enum ht_incident_kind kind,
                                const struct ht_home *home)
{
    return access_ms_of(context, kind, home, street_m(context, home->entrance));
}

/* What the way from the street to the door takes. False, with the answer written: a place that was
 * named is farther from any street than somebody can be; a home is believed. */
static bool access_reckon(struct ht_app_context *context, struct opening *opening,
                          const struct ht_home *home, struct ht_reply *reply)
{
    double walk_m = street_m(context, opening->point);
    if (home == NULL && opening->alarm.placed && walk_m > HT_LIVE_STREET_M) {
        struct ht_error error = {0};
        (void)ht_error_set(&error, HT_INVALID, 0, "/lon: the nearest street is %.0f m away",
                           walk_m);
        ht__incident_refuse(reply, &error);
        return false;
    }
    opening->access_ms = access_ms_of(context, opening->alarm.kind, home, walk_m);
    return true;
}

static bool of_unit(const struct ht_command *command)
{
    return command->caller.role == HT_ROLE_DEVICE && command->caller.unit != NULL;
}

static bool place_find(struct ht_app_context *context, struct ht_command *command,
                       struct ht_store_reader *reader, struct opening *opening,
                       struct ht_reply *reply)
{
    struct ht_incident_alarm *alarm = &opening->alarm;
    struct ht_error error = {0};
    struct ht_home home;
    enum ht_status status = HT_OK;
    if (opening->household[0] == '\0' && alarm->household != NULL) {
        (void)snprintf(opening->household, sizeof opening->household, "%s", alarm->household);
    } else if (opening->household[0] == '\0' && alarm->device != NULL && !alarm->placed &&
               !of_unit(command)) {
        status = ht_home_of_device(reader, alarm->device, opening->household, &error);
    }
    if (status == HT_OK && opening->household[0] != '\0') {
        status = ht_home_find(reader, opening->household, &home, &error);
        opening->point = home.entrance;
    } else if (status == HT_OK && alarm->placed) {
        status = ht_crs_point(context->crs, &opening->systems.in, alarm->pair, &opening->point);
        if (status != HT_OK) {
            ht_reply_problem(reply, 400, "Bad Request", "lon and lat are no place on Earth");
            ht_reply_where(reply, "/lon", 0, "lon and lat are no place on Earth");
            return false;
        }
    } else if (status == HT_OK && !own_place(context, command, opening)) {
        ht_reply_problem(reply, 400, "Bad Request", "a household, or lon and lat, are missing");
        ht_reply_where(reply, "", 0, "a household, or lon and lat, are missing");
        return false;
    }
    if (status != HT_OK) {
        error.status = status == HT_NOT_FOUND ? HT_INVALID : status; /* of the body, not the path */
        ht__incident_refuse(reply, &error);
        if (status == HT_NOT_FOUND) {
            ht_reply_where(reply, opening->household[0] != '\0' ? "/household" : "/device", 0,
                           error.message);
        }
        return false;
    }
    return access_reckon(context, opening, opening->household[0] == '\0' ? NULL : &home, reply);
}

/* Skills go into events, which are for ever: words that are known, no others. */
static bool skills_known(struct ht_desk_room *room, const struct ht_incident_alarm *alarm,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    char word[HT_NAME_MAX + 1];
    for (const char *at = alarm->skills; *at != '\0';) {
        size_t size = strcspn(at, ";");
        (void)snprintf(word, sizeof word, "%.*s", (int)size, at);
        if (size >= sizeof word || !ht_desk_room_knows(room, word)) {
            (void)ht_error_set(&error, HT_INVALID, 0,
                               "/needs/skills: a skill that no unit has and no kind wants");
            ht__incident_refuse(reply, &error);
            return false;
        }
        at += size + (at[size] == ';');
    }
    return true;
}

/* All but the id. */
static struct ht_desk_command open_command(const struct ht_command *command,
                                           const struct opening *opening)
{
    const struct ht_incident_alarm *alarm = &opening->alarm;
    return (struct ht_desk_command){.kind = HT_DESK_OPEN,
                                    .now_ms = command->at_ms,
                                    .household =
                                        opening->household[0] == '\0' ? NULL : opening->household,
                                    .device = opening->code[0] == '\0' ? NULL : opening->code,
                                    .skills = alarm->skilled ? alarm->skills : NULL,
                                    .incident_kind = alarm->kind,
                                    .severity = opening->severity,
                                    .units = alarm->units,
                                    .access_ms = opening->access_ms};
}

static bool open_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct opening *opening = calloc(1, sizeof *opening);
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    command->parsed = opening;
    if (opening == NULL || reader == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    struct ht_incident_alarm *alarm = &opening->alarm;
    if (ht_incident_alarm_read(command->body, command->body_size, alarm, &error) != HT_OK) {
        ht__incident_refuse(reply, &error);
        return false;
    }
    if (!ht__systems_read(context, &command->query, &opening->systems, reply) ||
        !skills_known(context->app->desk, alarm, reply) ||
        !device_check(reader, command, opening, reply) ||
        !place_find(context, command, reader, opening, reply)) {
        return false;
    }
    ht__systems_know(context, &opening->systems, opening->point);
    opening->severity = alarm->severity != 0
                            ? alarm->severity
                            : ht_desk_room_kind(context->app->desk, alarm->kind).kind.severity;
    const struct ht_desk_command open = open_command(command, opening);
    ht_desk_room_ahead(context->app->desk, context, &open, opening->point, &opening->ahead);
    return true;
}

static enum ht_status open_decide(struct ht_app_context *context, struct ht_command *command,
                                  struct opening *opening, struct ht_error *error)
{
    struct ht_desk_room *room = context->app->desk;
    ht_desk_room_id(room, opening->id);
    struct ht_desk_command open = open_command(command, opening);
    open.incident = opening->id;
    enum ht_status status =
        ht_incident_places_put(ht_desk_room_places(room), opening->id, opening->point);
    opening->placed = status == HT_OK;
    return status == HT_OK
               ? ht_desk_room_open(room, context, &open, &opening->ahead, &opening->decision, error)
               : ht_error_set(error, status, 0, NULL);
}

/* Who stands in events: the token's name, but of a home's token, which is a device's perhaps, a
 * code, as of devices: which one it is is personal. */
static enum ht_status actor_of(const struct ht_command *command, struct ht_store_tx *tx,
                               char name[ACTOR], const char **actor, struct ht_error *error)
{
    char code[HT_STORE_CODE];
    const struct ht_caller *caller = &command->caller;
    *actor = caller->name;
    if (caller->role != HT_ROLE_DEVICE || caller->household == NULL) {
        return HT_OK;
    }
    enum ht_status status = ht_store_code_of(tx, caller->name, code, error);
    (void)snprintf(name, ACTOR, HT_INCIDENT_ACTOR_DEVICE "%s", code);
    *actor = name;
    return status;
}

/* Everything that is kept of it. */
static enum ht_status open_write(struct ht_app_context *context, struct ht_command *command,
                                 struct ht_store_tx *tx, const struct opening *opening,
                                 struct ht_error *error)
{
    const struct ht_store_place place = {opening->id, opening->point};
    const char *id = opening->decision->incident->id;
    const char *note = opening->alarm.note;
    char digest[HT_DIGEST_TEXT];
    char name[ACTOR];
    const char *actor = command->caller.name;
    enum ht_status status =
        opening->decision->folded ? HT_OK : ht_store_place_put(tx, &place, error);
    if (status == HT_OK) {
        status = actor_of(command, tx, name, &actor, error);
    }
    if (status == HT_OK && note != NULL) {
        status = ht_store_note_put(tx, id, note, digest, error);
    }
    return status == HT_OK ? ht_desk_room_write(context->app->desk, tx, opening->decision, actor,
                                                note == NULL ? NULL : digest, error)
                           : status;
}

static void open_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct opening *opening = command->parsed;
    struct ht_error error = {0};
    enum ht_status status =
        opening->alarm.device == NULL
            ? HT_OK
            : ht_store_code_of(tx, opening->alarm.device, opening->code, &error);
    if (status == HT_OK) {
        status = open_decide(context, command, opening, &error);
    }
    if (status == HT_OK) {
        status = open_write(context, command, tx, opening, &error);
    }
    if (status != HT_OK) {
        error.status = status;
        ht__incident_refuse(reply, &error);
        return;
    }
    const struct ht_incident *incident = opening->decision->incident;
    reply->status = opening->decision->folded ? 200 : 201;
    (void)snprintf(reply->location, sizeof reply->location, "/v1/incidents/%s", incident->id);
    answer(context, incident, &opening->systems, reply);
}

static void open_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct opening *opening = command->parsed;
    (void)reply;
    if (opening->decision->folded) {
        ht_incident_places_remove(ht_desk_room_places(context->app->desk), opening->id);
    }
    ht_desk_room_apply(context->app->desk, opening->decision);
    opening->decision = NULL;
}

static void open_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct opening *opening = command->parsed;
    if (lost) {
        ht_desk_room_drop(context->app->desk, opening->decision);
    } else {
        ht_desk_room_take_back(context->app->desk, opening->decision);
    }
    opening->decision = NULL;
    if (opening->placed) {
        ht_incident_places_remove(ht_desk_room_places(context->app->desk), opening->id);
    }
}

static void open_free(struct ht_command *command)
{
    struct opening *opening = command->parsed;
    if (opening != NULL) {
        ht_incident_alarm_deinit(&opening->alarm);
        free(opening);
    }
}

static const struct ht_command_kind open_kind = {.prepare = open_prepare,
                                                 .run = open_run,
                                                 .applied = open_applied,
                                                 .free = open_free,
                                                 .undone = open_undone};

void ht_incidents_post(struct ht_app_context *context, struct ht_http_call *call)
{
    ht_command_start(context, call, &open_kind);
}

/* ---- what happens to one ---- */

struct stepping {
    struct ht_incident_step step;
    struct ht__systems systems;
    struct ht_desk_decision *decision;
};

static bool step_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct stepping *stepping = calloc(1, sizeof *stepping);
    command->parsed = stepping;
    if (stepping == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    if (ht_incident_step_read(command->body, command->body_size, &stepping->step, &error) !=
        HT_OK) {
        ht__incident_refuse(reply, &error);
        return false;
    }
    if (!ht__systems_read(context, &command->query, &stepping->systems, reply)) {
        return false;
    }
    struct ht_incident_place place;
    if (ht_incident_places_get(ht_desk_room_places(context->app->desk), command->params[0],
                               &place)) {
        ht__systems_know(context, &stepping->systems, place.point);
    }
    return true;
}

static bool on_it(const struct ht_incident *incident, const char *unit)
{
    for (uint32_t i = 0; i < incident->seat_count; i++) {
        if (strcmp(incident->seats[i].unit, unit) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the caller may do this; false with the answer written. */
static bool step_allow(const struct ht_command *command, struct stepping *stepping,
                       const struct ht_incident *incident, struct ht_reply *reply)
{
    static const uint32_t of_units = UINT32_C(1) << HT_DESK_ACK | UINT32_C(1) << HT_DESK_DECLINE |
                                     UINT32_C(1) << HT_DESK_GO | UINT32_C(1) << HT_DESK_ARRIVE |
                                     UINT32_C(1) << HT_DESK_FOLLOW_UP |
                                     UINT32_C(1) << HT_DESK_RESOLVE;
    struct ht_incident_step *step = &stepping->step;
    const char *own = command->caller.unit;
    if (command->caller.role != HT_ROLE_DEVICE) {
        return true;
    }
    const char *home = command->caller.household;
    if (home != NULL && step->command == HT_DESK_EVALUATE && incident->household != NULL &&
        strcmp(incident->household, home) == 0) {
        return true;
    }
    if (own == NULL) {
        return forbid(reply, "a home's token rates the help that it got, no more");
    }
    if ((of_units >> step->command & 1) == 0 ||
        (step->unit != NULL && strcmp(step->unit, own) != 0)) {
        return forbid(reply, "a unit's token answers for its own unit");
    }
    if (!on_it(incident, own)) {
        return forbid(reply, "the unit is not on this incident");
    }
    step->unit =
        step->command == HT_DESK_RESOLVE || step->command == HT_DESK_FOLLOW_UP ? step->unit : own;
    return true;
}

static enum ht_status step_do(struct ht_app_context *context, struct ht_command *command,
                              struct ht_store_tx *tx, struct stepping *stepping,
                              struct ht_error *error)
{
    const struct ht_incident_step *step = &stepping->step;
    struct ht_desk_room *room = context->app->desk;
    char digest[HT_DIGEST_TEXT];
    char name[ACTOR];
    const char *actor = command->caller.name;
    const struct ht_desk_command told = {.kind = step->command,
                                         .now_ms = command->at_ms,
                                         .incident = command->params[0],
                                         .unit = step->unit,
                                         .instead_of = step->instead_of,
                                         .outcome = step->outcome,
                                         .rating = step->rating};
    enum ht_status status = ht_desk_room_decide(room, context, &told, &stepping->decision, error);
    if (status == HT_OK && step->note != NULL) {
        status = ht_store_note_put(tx, command->params[0], step->note, digest, error);
    }
    if (status == HT_OK) {
        status = actor_of(command, tx, name, &actor, error);
    }
    return status == HT_OK ? ht_desk_room_write(room, tx, stepping->decision, actor,
                                                step->note == NULL ? NULL : digest, error)
                           : status;
}

static void step_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct stepping *stepping = command->parsed;
    struct ht_error error = {0};
    const struct ht_incident *incident =
        ht_desk_room_pending(context->app->desk, context, command->params[0]);
    if (incident == NULL) {
        ht_reply_problem(reply, 404, "Not Found", "there is no such incident");
        return;
    }
    if (!step_allow(command, stepping, incident, reply)) {
        return;
    }
    if (!ht_command_expects(command, incident->version)) {
        ht_reply_problem(reply, 412, "Precondition Failed", "the incident was changed meanwhile");
        return;
    }
    enum ht_status status = step_do(context, command, tx, stepping, &error);
    if (status != HT_OK) {
        error.status = status;
        ht__incident_refuse(reply, &error);
        return;
    }
    answer(context, stepping->decision->incident, &stepping->systems, reply);
}

static void step_applied(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    struct stepping *stepping = command->parsed;
    (void)reply;
    ht_desk_room_apply(context->app->desk, stepping->decision);
    stepping->decision = NULL;
}

static void step_undone(struct ht_app_context *context, struct ht_command *command, bool lost)
{
    struct stepping *stepping = command->parsed;
    if (lost) {
        ht_desk_room_drop(context->app->desk, stepping->decision);
    } else {
        ht_desk_room_take_back(context->app->desk, stepping->decision);
    }
    stepping->decision = NULL;
}

static void step_free(struct ht_command *command)
{
    struct stepping *stepping = command->parsed;
    if (stepping != NULL) {
        ht_incident_step_deinit(&stepping->step);
        free(stepping);
    }
}

static const struct ht_command_kind step_kind = {.prepare = step_prepare,
                                                 .run = step_run,
                                                 .applied = step_applied,
                                                 .free = step_free,
                                                 .undone = step_undone};

void ht_incident_event_post(struct ht_app_context *context, struct ht_http_call *call)
{
    ht_command_start(context, call, &step_kind);
}

/* ---- erasure ---- */

/* A device by whose code an open incident goes keeps it until that is over: the alarms that follow
 * belong to it. */
static bool code_needed(void *user, const char *code)
{
    return ht_desk_device_open(user, code);
}

static void erase_run(struct ht_app_context *context, struct ht_command *command,
                      struct ht_store_tx *tx, struct ht_reply *reply)
{
    char subject[HT_INCIDENT_SUBJECT];
    char body[HT_DESK_ID_MAX + 32];
    struct ht_error error = {0};
    const struct ht_incident *incident =
        ht_desk_room_pending(context->app->desk, context, command->params[0]);
    if (incident == NULL || incident->state < HT_INCIDENT_IS_RESOLVED) {
        ht_reply_problem(
            reply, incident == NULL ? 404 : 409, incident == NULL ? "Not Found" : "Conflict",
            incident == NULL ? "there is no such incident" : "the incident is not over");
        return;
    }
    (void)snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", incident->id);
    (void)snprintf(body, sizeof body, "{\"incident\":\"%s\"}", incident->id);
    const struct ht_store_event event = {.at_ms = command->at_ms,
                                         .actor = command->caller.name,
                                         .kind = HT_INCIDENT_PREFIX "erased",
                                         .subject = subject,
                                         .body = body};
    enum ht_status status = ht_store_incident_erase(tx, incident->id, code_needed,
                                                    ht_desk_room_desk(context->app->desk), &error);
    if (status == HT_OK) {
        status = ht_store_event_append(tx, &event, NULL, &error);
    }
    if (status != HT_OK) {
        ht__incident_refuse(reply, &error);
        return;
    }
    reply->status = 204;
}

static void erase_applied(struct ht_app_context *context, struct ht_command *command,
                          struct ht_reply *reply)
{
    (void)reply;
    ht_incident_places_remove(ht_desk_room_places(context->app->desk), command->params[0]);
}

static const struct ht_command_kind erase_kind = {.run = erase_run, .applied = erase_applied};

void ht_incident_erase(struct ht_app_context *context, struct ht_http_call *call)
{
    ht_command_start(context, call, &erase_kind);
}
