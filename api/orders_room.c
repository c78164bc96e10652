#include "api/orders_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/event_row.h"
#include "api/follower.h"
#include "api/order_event.h"
#include "api/order_past.h"
#include "api/settings.h"
#include "api/writer_act.h"
#include "engine/base/array.h"
#include "geodata/digest.h"

#define SECRET "order tracking"

struct ht_orders_room {
    struct ht_app *app;
    struct ht_orders *orders;
    struct ht_incident_places *places;
    struct ht_order_tokens *tokens; /* NULL: there is no secret */
    pthread_rwlock_t rules_lock;    /* the writer alone changes them, and reads without it */
    struct ht_meal_rules *rules;
    atomic_uint_least64_t rules_version;
};

/* ---- rules ---- */

void ht_orders_room_rules(struct ht_orders_room *room, struct ht_meal_rules *rules)
{
    (void)pthread_rwlock_wrlock(&room->rules_lock);
    struct ht_meal_rules *before = room->rules;
    room->rules = rules;
    (void)pthread_rwlock_unlock(&room->rules_lock);
    ht_meal_rules_free(before);
    (void)atomic_fetch_add(&room->rules_version, 1);
}

const struct ht_meal_rules *ht_orders_room_rules_now(const struct ht_orders_room *room)
{
    return room->rules;
}

uint64_t ht_orders_room_rules_version(const struct ht_orders_room *room)
{
    return atomic_load(&room->rules_version);
}

struct ht_orders_room_numbers ht_orders_room_numbers(struct ht_orders_room *room)
{
    (void)pthread_rwlock_rdlock(&room->rules_lock);
    const struct ht_meal_rules *rules = room->rules;
    const struct ht_orders_room_numbers numbers = {rules->service_ms, rules->lead_ms,
                                                   rules->step_ms, rules->welfare_kind,
                                                   rules->welfare_severity};
    (void)pthread_rwlock_unlock(&room->rules_lock);
    return numbers;
}

bool ht_orders_room_kitchen_out(struct ht_orders_room *room, const char *kitchen, int64_t at_ms)
{
    (void)pthread_rwlock_rdlock(&room->rules_lock);
    bool out = ht_kitchen_is_out(ht_meal_rules_kitchen(room->rules, kitchen), at_ms);
    (void)pthread_rwlock_unlock(&room->rules_lock);
    return out;
}

/* ---- what others ask for ---- */

struct ht_orders *ht_orders_room_orders(struct ht_orders_room *room)
{
    return room->orders;
}

struct ht_incident_places *ht_orders_room_places(struct ht_orders_room *room)
{
    return room->places;
}

struct ht_order_tokens *ht_orders_room_tokens(struct ht_orders_room *room)
{
    return room->tokens;
}

/* ---- what is of an order in memory beside itself ---- */

enum ht_status ht_orders_room_enter(struct ht_orders_room *room, const char *id,
                                    struct ht_point point)
{
    enum ht_status status = ht_incident_places_put(room->places, id, point);
    if (status == HT_OK && room->tokens != NULL) {
        status = ht_order_tokens_add(room->tokens, id);
        if (status != HT_OK) {
            ht_incident_places_remove(room->places, id);
        }
    }
    return status;
}

void ht_orders_room_leave(struct ht_orders_room *room, const char *id)
{
    ht_incident_places_remove(room->places, id);
    if (room->tokens != NULL) {
        ht_order_tokens_remove(room->tokens, id);
    }
}

static void gone(void *user, const char *order)
{
    ht_orders_room_leave(user, order);
}

size_t ht_orders_room_forget(struct ht_orders_room *room, size_t most)
{
    int64_t before_ms = ht_clock_now_ms(&room->app->clock) - HT_ORDER_KEPT_MS;
    return ht_orders_forget(room->orders, before_ms, most, gone, room);
}

/* ---- at start ---- */

/* A place, for those that were not erased. */
static enum ht_status card_take(void *user, const struct ht_store_order_card *card)
{
    struct ht_orders_room *room = user;
    return ht_orders_room_enter(room, card->order, card->point);
}

/* What comes of an order up to that event is known. */
static void follow_ahead(struct ht_orders_room *room, const char *id, int64_t last)
{
    char subject[HT_ORDER_SUBJECT];
    (void)snprintf(subject, sizeof subject, HT_ORDER_SUBJECT_PREFIX "%s", id);
    ht_follower_ahead(room->app->follower, subject, last);
}

struct replay {
    struct ht_orders_room *room;
    struct ht_store_reader *events; /* another one: the first is in use */
    size_t skipped;
};

static enum ht_status replay_one(void *user, const struct ht_store_order_state *state)
{
    struct replay *replay = user;
    int64_t last = 0;
    enum ht_status status =
        ht_order_past_replay(replay->events, state->order, replay->room->orders, &last);
    follow_ahead(replay->room, state->order, last);
    if (status == HT_NOT_FOUND) {
        replay->skipped++;
        return HT_OK;
    }
    return status == HT_OK
               ? ht_store_order_cards(replay->events, state->order, card_take, replay->room, NULL)
               : status;
}

static enum ht_status replay(struct ht_orders_room *room, size_t *skipped, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    struct replay all = {.room = room};
    int64_t since_ms = ht_clock_now_ms(&room->app->clock) - HT_ORDER_KEPT_MS;
    enum ht_status status = ht_store_reader_new(room->app->store, &reader, error);
    if (status == HT_OK) {
        status = ht_store_reader_new(room->app->store, &all.events, error);
    }
    if (status == HT_OK) {
        status = ht_store_orders_open(reader, since_ms, replay_one, &all, error);
    }
    ht_store_reader_free(all.events);
    ht_store_reader_free(reader);
    *skipped = all.skipped;
    return status;
}

/* The secret under which tokens are made, made itself where there is none yet. */
static enum ht_status secret_make(struct ht_app *app, unsigned char secret[HT_STORE_SECRET],
                                  struct ht_error *error)
{
    struct ht_store_tx *tx = NULL;
    enum ht_status status = ht_store_begin(app->store, &tx, error);
    if (status != HT_OK) {
        return status;
    }
    status = ht_store_secret_of(tx, SECRET, secret, error);
    if (status != HT_OK) {
        ht_store_rollback(tx);
        return status;
    }
    return ht_store_commit(tx, error);
}

static enum ht_status tokens_new(struct ht_orders_room *room, struct ht_error *error)
{
    unsigned char secret[HT_STORE_SECRET];
    struct ht_store_reader *reader = NULL;
    enum ht_status status = ht_store_reader_new(room->app->store, &reader, error);
    if (status == HT_OK) {
        status = ht_store_secret_get(reader, SECRET, secret, error);
    }
    ht_store_reader_free(reader);
    if (status == HT_NOT_FOUND && room->app->commit == NULL) {
        return HT_OK; /* nobody can be given one */
    }
    if (status == HT_NOT_FOUND) {
        status = secret_make(room->app, secret, error);
    }
    return status == HT_OK ? ht_order_tokens_new(secret, &room->tokens) : status;
}

enum ht_status ht_orders_room_new(struct ht_app *app, struct ht_orders_room **out, size_t *skipped,
                                  struct ht_error *error)
{
    struct ht_setting_wrong wrong;
    struct ht_orders_room *room = calloc(1, sizeof *room);
    if (room == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    room->app = app;
    (void)pthread_rwlock_init(&room->rules_lock, NULL);
    enum ht_status status = ht_incident_places_new(&room->places);
    if (status == HT_OK) {
        status = ht_meal_rules_read(NULL, &room->rules, &wrong);
    }
    if (status == HT_OK) {
        status = ht_orders_new(&room->orders);
    }
    if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, NULL);
    } else {
        status = tokens_new(room, error);
    }
    if (status == HT_OK) {
        status = replay(room, skipped, error);
    }
    if (status != HT_OK) {
        ht_orders_room_free(room);
        return status;
    }
    *out = room;
    return HT_OK;
}

void ht_orders_room_free(struct ht_orders_room *room)
{
    if (room != NULL) {
        ht_orders_free(room->orders);
        ht_incident_places_free(room->places);
        ht_order_tokens_free(room->tokens);
        ht_meal_rules_free(room->rules);
        (void)pthread_rwlock_destroy(&room->rules_lock);
        free(room);
    }
}

/* ---- writer ---- */

/* Fifty bits of chance, in letters and digits that nobody takes for one another. */
enum ht_status ht_orders_room_id(char id[HT_ORDER_ID_MAX + 1])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char chance[10];
    enum ht_status status = ht_random_bytes(chance, sizeof chance);
    if (status == HT_OK) {
        memcpy(id, "o-", 2);
        for (size_t i = 0; i < sizeof chance; i++) {
            id[2 + i] = letters[chance[i] % 32];
        }
        id[2 + sizeof chance] = '\0';
    }
    return status;
}

enum ht_status ht_orders_room_is_new(const struct ht_orders_room *room,
                                     struct ht_store_reader *reader, const char *id,
                                     struct ht_error *error)
{
    int64_t number = 0;
    enum ht_status status = ht_orders_pending(room->orders, id) != NULL
                                ? HT_OK
                                : ht_store_order_number(reader, id, &number, error);
    return status == HT_OK          ? ht_error_set(error, HT_EXISTS, 0, "order %s exists", id)
           : status == HT_NOT_FOUND ? HT_OK
                                    : status;
}

/* Whether the table gives an order that is over: half of its events in memory would be one that is
 * open. */
static bool is_whole(struct ht_store_reader *reader, const char *id)
{
    struct ht_order_past past;
    const struct ht_order *order = NULL;
    ht_order_past_init(&past, reader);
    bool whole = ht_order_past_find(&past, id, &order) == HT_OK;
    if (whole) {
        ht_order_release(order);
    }
    ht_order_past_deinit(&past);
    return whole;
}

const struct ht_order *ht_orders_room_pending(struct ht_orders_room *room,
                                              struct ht_app_context *context, const char *id)
{
    const struct ht_order *order = ht_orders_pending(room->orders, id);
    struct ht_reply unread = {0};
    if (order != NULL) {
        return order;
    }
    ht_reply_reset(&unread);
    struct ht_store_reader *reader = ht_app_reader(context, &unread);
    ht_reply_deinit(&unread);
    if (reader == NULL || !is_whole(reader, id)) {
        return NULL;
    }
    ht_orders_recall(room->orders, true);
    enum ht_status status = ht_order_past_replay(reader, id, room->orders, NULL);
    ht_orders_recall(room->orders, false);
    if (status == HT_OK) {
        status = ht_store_order_cards(reader, id, card_take, room, NULL);
    }
    (void)status; /* without a place it is still an order */
    return ht_orders_pending(room->orders, id);
}

/* One that is not in memory: all of it, as the table has it by now. */
static enum ht_status follow_whole(struct ht_orders_room *room, struct ht_store_reader *reader,
                                   const char *id, bool past)
{
    int64_t last = 0;
    if (past) {
        ht_orders_recall(room->orders, true);
    }
    enum ht_status status = ht_order_past_replay(reader, id, room->orders, &last);
    if (past) {
        ht_orders_recall(room->orders, false);
    }
    follow_ahead(room, id, last);
    if (status == HT_OK) {
        status = ht_store_order_cards(reader, id, card_take, room, NULL);
    }
    return status;
}

enum ht_status ht_orders_room_follow(struct ht_orders_room *room, struct ht_store_reader *reader,
                                     const struct ht_store_event *row)
{
    struct ht_order_event_read read;
    const char *id = row->subject + strlen(HT_ORDER_SUBJECT_PREFIX);
    if (strcmp(row->kind, HT_ORDER_PREFIX "erased") == 0) {
        ht_incident_places_remove(room->places, id);
        return HT_OK;
    }
    enum ht_status status = ht_order_event_read(row->kind, row->at_ms, row->body, &read);
    if (status == HT_OK && ht_orders_pending(room->orders, id) == NULL) {
        status = follow_whole(room, reader, id, read.event.kind != HT_ORDER_RECEIVED);
    } else if (status == HT_OK) {
        status = ht_orders_replay(room->orders, &read.event);
    }
    ht_order_event_deinit(&read);
    return status == HT_INVALID || status == HT_NOT_FOUND || status == HT_EXISTS ? HT_OK : status;
}

/* Events on their way to the table. */
struct appending {
    struct ht_orders_room *room;
    struct ht_store_tx *tx;
    const char *actor;
    struct ht_error *error;
};

static void event_write(const void *event, struct ht_json *json)
{
    ht_order_event_write(event, json);
}

static enum ht_status event_append(const struct appending *appending,
                                   const struct ht_order_event *event, const char *note,
                                   int64_t *seq)
{
    char kind[32];
    char subject[HT_ORDER_SUBJECT];
    (void)snprintf(kind, sizeof kind, HT_ORDER_PREFIX "%s", ht_order_event_text(event->kind));
    (void)snprintf(subject, sizeof subject, HT_ORDER_SUBJECT_PREFIX "%s", event->order);
    const struct ht_event_row row = {.at_ms = event->at_ms,
                                     .actor = appending->actor,
                                     .kind = kind,
                                     .subject = subject,
                                     .write = event_write,
                                     .event = event,
                                     .note = note};
    return ht_event_row_append(appending->tx, &row, seq, appending->error);
}

/* Whether an event opens or ends it, so that the table of states has to follow. */
static bool turns(enum ht_order_event_kind kind)
{
    return kind == HT_ORDER_RECEIVED || kind == HT_ORDER_DELIVERED || kind == HT_ORDER_FAILED ||
           kind == HT_ORDER_CANCELLED || kind == HT_ORDER_REOPENED;
}

static enum ht_status state_put(const struct appending *appending,
                                const struct ht_order_event *event, int64_t seq)
{
    bool open = event->kind == HT_ORDER_RECEIVED || event->kind == HT_ORDER_REOPENED;
    const struct ht_store_order_state state = {event->order, seq, open ? 0 : event->at_ms};
    return ht_store_order_state_put(appending->tx, &state, appending->error);
}

enum ht_status ht_orders_room_write(struct ht_orders_room *room, struct ht_store_tx *tx,
                                    const struct ht_orders_decision *decision, const char *actor,
                                    const char *note, struct ht_error *error)
{
    const struct appending appending = {.room = room, .tx = tx, .actor = actor, .error = error};
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < decision->event_count && status == HT_OK; i++) {
        const struct ht_order_event *event = &decision->events[i];
        int64_t seq = 0;
        status = event_append(&appending, event, i == 0 ? note : NULL, &seq);
        if (status == HT_OK && turns(event->kind)) {
            status = state_put(&appending, event, seq);
        }
    }
    return status;
}

/* ---- a plan, from another thread ---- */

struct planning {
    struct ht_orders_room *room;
    struct ht_orders_room_planning *asked;
    struct ht_orders_decision *decision;
};

/* Whether an order is where a row has it, so that its times alone are another. */
static bool stays(const struct ht_orders *orders, const struct ht_order_plan *row)
{
    const struct ht_order *order = ht_orders_pending(orders, row->order);
    return order != NULL && row->unit != NULL && order->state != HT_ORDER_IS_RECEIVED &&
           ht_order_is_open(order) && order->unit != NULL && order->sequence == row->sequence &&
           strcmp(order->unit, row->unit) == 0;
}

static enum ht_status times_decide(struct planning *planning, int64_t now_ms)
{
    const struct ht_orders_room_planning *asked = planning->asked;
    struct ht_orders_room *room = planning->room;
    struct ht_order_plan *rows = ht_array_new(asked->count, sizeof *rows);
    size_t count = 0;
    enum ht_status status = HT_NOMEM;
    for (size_t i = 0; rows != NULL && i < asked->count; i++) {
        if (stays(room->orders, &asked->rows[i])) {
            rows[count++] = asked->rows[i];
        }
    }
    if (rows != NULL) {
        status = ht_orders_plan(room->orders, rows, count, now_ms, room->rules->step_ms,
                                &planning->decision);
    }
    if (status == HT_OK) {
        planning->asked->passed_over = asked->count - count;
    }
    free(rows);
    return status;
}

static enum ht_status planning_decide(struct planning *planning)
{
    const struct ht_orders_room_planning *asked = planning->asked;
    struct ht_orders_room *room = planning->room;
    int64_t now_ms = ht_clock_now_ms(&room->app->clock);
    return asked->times_only ? times_decide(planning, now_ms)
                             : ht_orders_plan(room->orders, asked->rows, asked->count, now_ms,
                                              room->rules->step_ms, &planning->decision);
}

static enum ht_status planning_run(void *user, struct ht_app_context *context,
                                   struct ht_store_tx *tx, struct ht_error *error)
{
    struct planning *planning = user;
    struct ht_orders_room *room = planning->room;
    (void)context;
    enum ht_status status = planning_decide(planning);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    planning->asked->passed_over += planning->decision->passed_over;
    status = ht_orders_room_write(room, tx, planning->decision, "houtao", NULL, error);
    if (status != HT_OK) {
        ht_orders_take_back(room->orders, planning->decision);
    }
    return status;
}

static void planning_done(void *user, enum ht_status outcome)
{
    struct planning *planning = user;
    if (outcome != HT_OK) {
        ht_orders_drop(planning->room->orders, planning->decision);
        return;
    }
    if (planning->asked->committed != NULL) {
        planning->asked->committed(planning->asked->user);
    }
    ht_orders_apply(planning->room->orders, planning->decision);
}

enum ht_status ht_orders_room_plan(struct ht_orders_room *room,
                                   struct ht_orders_room_planning *asked, struct ht_error *error)
{
    struct planning planning = {.room = room, .asked = asked};
    const struct ht_writer_act act = {planning_run, planning_done, &planning};
    asked->passed_over = 0;
    return ht_writer_do(room->app, &act, error);
}
