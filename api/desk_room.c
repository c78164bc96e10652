#include "api/desk_room.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/app_internal.h"
#include "api/calendar.h"
#include "api/desk_room_internal.h"
#include "api/follower.h"
#include "api/incident_event.h"
#include "api/incident_json.h"
#include "api/incident_past.h"
#include "api/json.h"
#include "api/live.h"
#include "api/regime_book.h"
#include "api/settings.h"
#include "api/telling.h"
#include "geodata/digest.h"

#define ID_FORMAT "i%" PRIu64

/* ---- rules ---- */

/* When a clock runs out: in working hours, for the kinds that wait for them. */
static int64_t due(void *user, enum ht_incident_kind kind, int64_t from_ms, uint32_t length_ms)
{
    const struct ht_desk_room *room = user;
    return room->rules->kinds[kind].working_hours
               ? ht_calendar_due(room->app->calendar, from_ms, length_ms)
               : from_ms + length_ms;
}

void ht_desk_room_rules(struct ht_desk_room *room, struct ht_incident_rules *rules)
{
    rules->desk.due = due;
    rules->desk.user = room;
    if (ht_desk_set_rules(room->desk, &rules->desk, NULL) != HT_OK) {
        ht_incident_rules_free(rules); /* they were checked when they were read */
        return;
    }
    (void)pthread_rwlock_wrlock(&room->rules_lock);
    struct ht_incident_rules *before = room->rules;
    room->rules = rules;
    (void)pthread_rwlock_unlock(&room->rules_lock);
    ht_incident_rules_free(before);
    (void)atomic_fetch_add(&room->changes, 1);
    atomic_store(&room->clocks_changed, true);
    atomic_store(&room->units_changed, true);
}

struct ht_desk_room_kind ht_desk_room_kind(struct ht_desk_room *room, enum ht_incident_kind kind)
{
    (void)pthread_rwlock_rdlock(&room->rules_lock);
    const struct ht_desk_room_kind own = {.kind = room->rules->kinds[kind],
                                          .pace = {.walk_mps = room->rules->walk_mps,
                                                   .stairs_ms = room->rules->stairs_ms,
                                                   .lift_ms = room->rules->lift_ms}};
    (void)pthread_rwlock_unlock(&room->rules_lock);
    return own;
}

struct ht_desk_rule ht_desk_room_rule(struct ht_desk_room *room, enum ht_incident_kind kind,
                                      uint8_t severity)
{
    (void)pthread_rwlock_rdlock(&room->rules_lock);
    severity = severity == 0 ? room->rules->kinds[kind].severity : severity;
    const struct ht_desk_rule rule = room->rules->desk.rule[kind][severity - 1];
    (void)pthread_rwlock_unlock(&room->rules_lock);
    return rule;
}

void ht_desk_room_tell(struct ht_desk_room *room, struct ht_duty_phones *duty, uint32_t *give_up_ms)
{
    (void)pthread_rwlock_rdlock(&room->rules_lock);
    *duty = room->rules->duty;
    *give_up_ms = room->rules->tell_give_up_ms;
    (void)pthread_rwlock_unlock(&room->rules_lock);
}

static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    while (*list != '\0') {
        size_t size = strcspn(list, ";");
        if (size == length && memcmp(list, word, size) == 0) {
            return true;
        }
        list += size + (list[size] == ';');
    }
    return false;
}

bool ht_desk_room_knows(struct ht_desk_room *room, const char *skill)
{
    uint64_t bits = 0;
    bool known = ht_fleet_skills(ht_live_fleet(room->app->live), &skill, 1, &bits) == HT_OK;
    (void)pthread_rwlock_rdlock(&room->rules_lock);
    for (int k = 0; k < HT_INCIDENT_KINDS && !known; k++) {
        known = has_word(room->rules->desk.rule[k][0].skills, skill);
    }
    (void)pthread_rwlock_unlock(&room->rules_lock);
    return known;
}

/* ---- what others ask for ---- */

struct ht_desk *ht_desk_room_desk(struct ht_desk_room *room)
{
    return room->desk;
}

struct ht_incident_places *ht_desk_room_places(struct ht_desk_room *room)
{
    return room->places;
}

/* A unit is busy as long as it is on an incident. */
static void engage(struct ht_desk_room *room, const char *unit)
{
    char incident[HT_DESK_ID_MAX + 1];
    struct ht_fleet *fleet = ht_live_fleet(room->app->live);
    uint32_t index = ht_fleet_find(fleet, unit, strlen(unit));
    bool on = ht_desk_unit_on(room->desk, unit, incident);
    if (index != HT_NONE) {
        ht_fleet_set_engaged(fleet, index, on);
    }
    if (!on) {
        (void)atomic_fetch_add(&room->changes, 1);
    }
}

void ht_desk_room_unit_changed(struct ht_desk_room *room, const char *unit)
{
    engage(room, unit);
    atomic_store(&room->units_changed, true);
}

void ht_desk_room_shifts_changed(struct ht_desk_room *room)
{
    (void)atomic_fetch_add(&room->changes, 1);
    atomic_store(&room->clocks_changed, true);
    atomic_store(&room->units_changed, true);
}

/* ---- at start ---- */

struct replay {
    struct ht_desk_room *room;
    size_t skipped;
};

static enum ht_status replay_place(void *user, const struct ht_store_place *place)
{
    struct replay *replay = user;
    enum ht_status status =
        ht_incident_places_put(replay->room->places, place->incident, place->point);
    return status == HT_NOMEM ? status : HT_OK;
}

/* The next one of the desk, and lists, count on from the highest number there is. */
static void number_note(struct ht_desk_room *room, const char *incident)
{
    uint64_t number = strtoull(incident + (incident[0] == 'i'), NULL, 10);
    if (number > atomic_load(&room->last_id) && number < UINT64_MAX) {
        atomic_store(&room->last_id, number);
    }
}

static enum ht_status replay_event(void *user, const struct ht_store_event *row)
{
    struct replay *replay = user;
    struct ht_incident_event read;
    enum ht_status status = ht_incident_event_read(row->kind, row->at_ms, row->body, &read);
    if (status == HT_OK) {
        status = ht_desk_replay(replay->room->desk, &read.event);
        number_note(replay->room, read.event.incident);
    }
    ht_incident_event_deinit(&read);
    if (status == HT_NOMEM) {
        return status;
    }
    replay->skipped += status != HT_OK && status != HT_NOT_FOUND;
    ht_follower_ahead(replay->room->app->follower, row->subject, row->seq);
    return HT_OK;
}

static enum ht_status replay(struct ht_desk_room *room, size_t *skipped, struct ht_error *error)
{
    const struct ht_store_event_query query = {.prefix = HT_INCIDENT_PREFIX, .limit = UINT64_MAX};
    struct ht_store_reader *reader = NULL;
    struct replay all = {.room = room};
    enum ht_status status = ht_store_reader_new(room->app->store, &reader, error);
    if (status == HT_OK) {
        status = ht_store_places(reader, NULL, replay_place, &all, error);
    }
    if (status == HT_OK) {
        status = ht_store_events_of(reader, &query, replay_event, &all, error);
    }
    ht_store_reader_free(reader);
    *skipped = all.skipped;
    (void)ht__room_forget(room, SIZE_MAX);
    return status;
}

static void engage_all(struct ht_desk_room *room)
{
    struct ht_fleet *fleet = ht_live_fleet(room->app->live);
    struct ht_unit unit;
    for (uint32_t i = 0; i < ht_fleet_end(fleet); i++) {
        if (ht_fleet_get(fleet, i, 0, &unit)) {
            engage(room, unit.id);
        }
    }
}

static enum ht_status parts_new(struct ht_desk_room *room)
{
    struct ht_setting_wrong wrong;
    pthread_condattr_t attributes;
    (void)pthread_rwlock_init(&room->rules_lock, NULL);
    (void)pthread_mutex_init(&room->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&room->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    enum ht_status status = ht_incident_places_new(&room->places);
    if (status == HT_OK) {
        status = ht_incident_rules_read(NULL, &room->rules, &wrong);
    }
    if (status == HT_OK) {
        room->rules->desk.due = due;
        room->rules->desk.user = room;
        status = ht_desk_new(&room->rules->desk, &room->desk);
    }
    return status;
}

enum ht_status ht_desk_room_new(struct ht_app *app, struct ht_desk_room **out, size_t *skipped,
                                struct ht_error *error)
{
    struct ht_desk_room *room = calloc(1, sizeof *room);
    if (room == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    room->app = app;
    enum ht_status status = parts_new(room);
    if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, NULL);
    } else {
        status = replay(room, skipped, error);
    }
    if (status != HT_OK) {
        ht_desk_room_free(room);
        return status;
    }
    engage_all(room);
    atomic_store(&room->due_ms, ht_desk_due_ms(room->desk));
    atomic_store(&room->units_changed, true);
    atomic_store(&room->clocks_changed, true); /* it may have ended before they were reckoned */
    *out = room;
    return HT_OK;
}

enum ht_status ht_desk_room_start(struct ht_desk_room *room)
{
    void *context = NULL;
    enum ht_status status = ht__app_context_new(room->app, &context);
    if (status == HT_OK) {
        room->context = context;
        room->started = pthread_create(&room->thread, NULL, ht__room_time, room) == 0;
        status = room->started ? HT_OK : HT_NOMEM;
    }
    return status;
}

void ht_desk_room_stop(struct ht_desk_room *room)
{
    if (room != NULL && room->started) {
        (void)pthread_mutex_lock(&room->lock);
        room->stop = true;
        (void)pthread_cond_broadcast(&room->wake);
        (void)pthread_mutex_unlock(&room->lock);
        (void)pthread_join(room->thread, NULL);
        room->started = false;
    }
}

void ht_desk_room_free(struct ht_desk_room *room)
{
    if (room == NULL) {
        return;
    }
    ht_desk_room_stop(room);
    if (room->context != NULL) {
        ht__app_context_free(room->context);
    }
    ht_desk_free(room->desk);
    ht_incident_places_free(room->places);
    ht_incident_rules_free(room->rules);
    (void)pthread_rwlock_destroy(&room->rules_lock);
    (void)pthread_mutex_destroy(&room->lock);
    (void)pthread_cond_destroy(&room->wake);
    free(room);
}

/* ---- what another process decided ---- */

/* One that is not in memory: all of it, as the table has it by now. */
static enum ht_status follow_whole(struct ht_desk_room *room, struct ht_store_reader *reader,
                                   const struct ht_store_event *row, const char *id, bool past)
{
    int64_t last = row->seq;
    struct replay replay = {.room = room};
    if (past) {
        ht_desk_recall(room->desk, true);
    }
    enum ht_status status = ht_incident_past_replay(reader, id, room->desk, &last);
    if (past) {
        ht_desk_recall(room->desk, false);
    }
    ht_follower_ahead(room->app->follower, row->subject, last);
    if (status == HT_OK) {
        status = ht_store_places(reader, id, replay_place, &replay, NULL);
    }
    return status == HT_NOT_FOUND ? HT_OK : status;
}

enum ht_status ht_desk_room_follow(struct ht_desk_room *room, struct ht_store_reader *reader,
                                   const struct ht_store_event *row)
{
    struct ht_incident_event read;
    const char *id = row->subject + strlen(HT_INCIDENT_SUBJECT_PREFIX);
    if (strcmp(row->kind, HT_INCIDENT_PREFIX "erased") == 0) {
        ht_incident_places_remove(room->places, id);
        return HT_OK;
    }
    enum ht_status status = ht_incident_event_read(row->kind, row->at_ms, row->body, &read);
    if (status == HT_OK) {
        number_note(room, id);
    }
    if (status == HT_OK && ht_desk_pending(room->desk, id) == NULL) {
        status = follow_whole(room, reader, row, id, read.event.kind != HT_DESK_RECEIVED);
        engage_all(room);
    } else if (status == HT_OK) {
        status = ht_desk_replay(room->desk, &read.event);
        if (read.event.unit != NULL) {
            engage(room, read.event.unit);
        }
    }
    ht_incident_event_deinit(&read);
    return status == HT_INVALID || status == HT_NOT_FOUND ? HT_OK : status;
}

void ht_desk_room_follow_rest(struct ht_desk_room *room)
{
    (void)ht__room_forget(room, SIZE_MAX);
}

/* ---- writer ---- */

void ht_desk_room_id(struct ht_desk_room *room, char id[HT_DESK_ID_MAX + 1])
{
    (void)snprintf(id, HT_DESK_ID_MAX + 1, ID_FORMAT,
                   (uint64_t)(atomic_fetch_add(&room->last_id, 1) + 1));
}

uint64_t ht_desk_room_last(const struct ht_desk_room *room)
{
    return atomic_load(&room->last_id);
}

/* ---- what is over leaves memory ---- */

static void gone(void *user, const char *incident)
{
    struct ht_desk_room *room = user;
    ht_incident_places_remove(room->places, incident);
}

size_t ht__room_forget(struct ht_desk_room *room, size_t most)
{
    int64_t before_ms = ht_clock_now_ms(&room->app->clock) - HT_INCIDENT_KEPT_MS;
    return ht_desk_forget(room->desk, before_ms, most, gone, room);
}

/* Whether the table gives an incident that is over: half of its events in the desk would be one
 * that is open. */
static bool is_whole(struct ht_store_reader *reader, const char *id)
{
    struct ht_incident_past past;
    const struct ht_incident *incident = NULL;
    ht_incident_past_init(&past, reader);
    bool whole = ht_incident_past_find(&past, id, &incident) == HT_OK;
    if (whole) {
        ht_incident_release(incident);
    }
    ht_incident_past_deinit(&past);
    return whole;
}

const struct ht_incident *ht_desk_room_pending(struct ht_desk_room *room,
                                               struct ht_app_context *context, const char *id)
{
    const struct ht_incident *incident = ht_desk_pending(room->desk, id);
    struct ht_reply unread = {0};
    struct ht_point point;
    if (incident != NULL) {
        return incident;
    }
    ht_reply_reset(&unread);
    struct ht_store_reader *reader = ht_app_reader(context, &unread);
    ht_reply_deinit(&unread);
    if (reader == NULL || !is_whole(reader, id) ||
        ht_incident_places_reserve(room->places) != HT_OK) {
        return NULL;
    }
    ht_desk_recall(room->desk, true);
    enum ht_status status = ht_incident_past_replay(reader, id, room->desk, NULL);
    if (status == HT_OK && ht_incident_past_place(reader, id, &point) == HT_OK) {
        status = ht_incident_places_put(room->places, id, point);
        (void)status; /* there is room */
    }
    ht_desk_recall(room->desk, false); /* from now on others see it */
    return ht_desk_pending(room->desk, id);
}

static void due_set(struct ht_desk_room *room)
{
    atomic_store(&room->due_ms, ht_desk_due_ms(room->desk));
}

enum ht_status ht_desk_room_decide(struct ht_desk_room *room, struct ht_app_context *context,
                                   const struct ht_desk_command *command,
                                   struct ht_desk_decision **out, struct ht_error *error)
{
    return ht_desk_room_open(room, context, command, NULL, out, error);
}

enum ht_status ht_desk_room_open(struct ht_desk_room *room, struct ht_app_context *context,
                                 const struct ht_desk_command *command,
                                 const struct ht_desk_ahead *ahead, struct ht_desk_decision **out,
                                 struct ht_error *error)
{
    struct ht__room_chooser chooser = {room, context, ahead, command->incident};
    const struct ht_desk_chooser how = {ht__room_rank, &chooser};
    enum ht_status status = ht_desk_decide(room->desk, command, &how, out, error);
    due_set(room);
    return status;
}

/* Events on their way to the table. */
struct appending {
    struct ht_desk_room *room;
    struct ht_store_tx *tx;
    const char *actor;
    struct ht_buffer body;
    struct ht_error *error;
};

/* Whom an incident rises to: who answers for its cell on that level as the last commit has it. */
static enum ht_status risen_to(const struct appending *appending, const struct ht_desk_event *event,
                               struct ht_json *json)
{
    struct ht_desk_room *room = appending->room;
    const struct ht_incident *incident = ht_desk_pending(room->desk, event->incident);
    struct ht_incident_place place;
    struct ht_answers answers;
    struct ht_regime_book *book = ht_regime_slot_book(room->app->regimes);
    const struct ht_answers_over over = ht_regime_book_answers(book);
    bool placed = ht_incident_places_get(room->places, event->incident, &place);
    enum ht_status status = ht_answers_find(
        ht_store_tx_reader(appending->tx), incident == NULL ? NULL : incident->household,
        placed ? &place.point : NULL, &over, &answers, appending->error);
    ht_regime_book_release(book);
    const char *who = status == HT_OK ? ht_incident_answers_now(&answers, event->level) : "";
    if (who[0] != '\0') {
        ht_json_key_text(json, "answers", who);
    }
    return status;
}

static enum ht_status event_append(struct appending *appending, const struct ht_desk_event *event,
                                   const char *note)
{
    struct ht_buffer *body = &appending->body;
    enum ht_status status = HT_OK;
    char kind[32];
    char subject[HT_INCIDENT_SUBJECT];
    struct ht_json json;
    (void)snprintf(kind, sizeof kind, HT_INCIDENT_PREFIX "%s", ht_desk_event_text(event->kind));
    (void)snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", event->incident);
    ht_buffer_clear(body);
    ht_json_begin(&json, body);
    ht_json_object(&json);
    ht_incident_event_write(event, &json);
    if (event->kind == HT_DESK_ESCALATED) {
        status = risen_to(appending, event, &json);
    }
    if (note != NULL) {
        ht_json_key_text(&json, "note", note);
    }
    ht_json_object_end(&json);
    ht_buffer_append(body, "", 1);
    if (status != HT_OK || body->failed) {
        return status != HT_OK ? status : ht_error_set(appending->error, HT_NOMEM, 0, NULL);
    }
    const struct ht_store_event row = {.at_ms = event->at_ms,
                                       .actor = appending->actor,
                                       .kind = kind,
                                       .subject = subject,
                                       .body = body->data};
    return ht_store_event_append(appending->tx, &row, NULL, appending->error);
}

/* A note on what changed nothing. */
static enum ht_status note_append(struct ht_store_tx *tx, const char *incident, int64_t at_ms,
                                  const char *actor, const char *note, struct ht_error *error)
{
    char subject[HT_INCIDENT_SUBJECT];
    char body[HT_DESK_ID_MAX + HT_DIGEST_TEXT + 40];
    (void)snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", incident);
    (void)snprintf(body, sizeof body, "{\"incident\":\"%s\",\"note\":\"%s\"}", incident, note);
    const struct ht_store_event row = {.at_ms = at_ms,
                                       .actor = actor,
                                       .kind = HT_INCIDENT_PREFIX "noted",
                                       .subject = subject,
                                       .body = body};
    return ht_store_event_append(tx, &row, NULL, error);
}

/* Whom the office wants to be told of an event. */
static enum ht_status tell_append(const struct ht_desk_room *room, struct ht_store_tx *tx,
                                  const struct ht_desk_event *event, const char *actor,
                                  struct ht_error *error)
{
    const struct ht_incident *incident = ht_desk_pending(room->desk, event->incident);
    if (incident == NULL) {
        return HT_OK;
    }
    const struct ht_telling_cause cause = {
        .incident = incident,
        .event = event->kind,
        .at_ms = event->at_ms,
        .level = event->kind == HT_DESK_ESCALATED ? event->level : incident->level,
        .whom = room->rules->kinds[incident->kind].tell.whom[event->kind],
        .actor = actor};
    return cause.whom == 0 ? HT_OK : ht_tellings_want(tx, &cause, error);
}

/* An incident that is over needs its device's code no more, if no other one of the device does. */
static enum ht_status code_end(const struct ht_desk_room *room, struct ht_store_tx *tx,
                               const struct ht_desk_event *event, struct ht_error *error)
{
    if (event->kind != HT_DESK_RESOLVED && event->kind != HT_DESK_CANCELLED) {
        return HT_OK;
    }
    const struct ht_incident *incident = ht_desk_pending(room->desk, event->incident);
    return incident == NULL || incident->device == NULL ||
                   ht_desk_device_open(room->desk, incident->device)
               ? HT_OK
               : ht_store_code_end(tx, incident->device, error);
}

enum ht_status ht_desk_room_write(struct ht_desk_room *room, struct ht_store_tx *tx,
                                  const struct ht_desk_decision *decision, const char *actor,
                                  const char *note, struct ht_error *error)
{
    struct appending appending = {.room = room, .tx = tx, .actor = actor, .error = error};
    enum ht_status status = HT_OK;
    if (decision->event_count == 0 && note != NULL) {
        return note_append(tx, decision->incident->id, ht_clock_now_ms(&room->app->clock), actor,
                           note, error);
    }
    for (size_t i = 0; i < decision->event_count && status == HT_OK; i++) {
        status = event_append(&appending, &decision->events[i], i == 0 ? note : NULL);
        if (status == HT_OK) {
            status = tell_append(room, tx, &decision->events[i], actor, error);
        }
        if (status == HT_OK) {
            status = code_end(room, tx, &decision->events[i], error);
        }
    }
    ht_buffer_deinit(&appending.body);
    return status;
}

enum { UNITS_FEW = 32 };

/* Units of the events: their texts go with the decision. */
static size_t units_of(const struct ht_desk_decision *decision, char (*units)[HT_DESK_ID_MAX + 1])
{
    size_t count = 0;
    for (size_t i = 0; i < decision->event_count; i++) {
        const char *unit = decision->events[i].unit;
        if (unit != NULL) {
            memcpy(units[count++], unit, strlen(unit) + 1);
        }
    }
    return count;
}

void ht_desk_room_apply(struct ht_desk_room *room, struct ht_desk_decision *decision)
{
    char few[UNITS_FEW][HT_DESK_ID_MAX + 1];
    char(*units)[HT_DESK_ID_MAX + 1] = few;
    if (decision->event_count > UNITS_FEW) {
        units = malloc(decision->event_count * sizeof *units);
    }
    size_t count = units == NULL ? 0 : units_of(decision, units);
    ht_desk_apply(room->desk, decision);
    for (size_t i = 0; i < count; i++) {
        engage(room, units[i]);
    }
    if (units == NULL) {
        engage_all(room);
    } else if (units != few) {
        free(units);
    }
    due_set(room);
}

void ht_desk_room_take_back(struct ht_desk_room *room, struct ht_desk_decision *decision)
{
    ht_desk_take_back(room->desk, decision);
    due_set(room);
}

void ht_desk_room_drop(struct ht_desk_room *room, struct ht_desk_decision *decision)
{
    ht_desk_drop(room->desk, decision);
    due_set(room);
}
