#include "api/visits_room.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/event_row.h"
#include "api/follower.h"
#include "api/settings.h"
#include "api/visit_event.h"
#include "api/writer_act.h"
#include "geodata/digest.h"

enum { FORGET_MOST = 2000, FORGET_EVERY_S = 600 };

#define KEPT_MS (HT_VISITS_KEPT_DAYS * INT64_C(86400000))

struct ht_visits_room {
    struct ht_app *app;
    struct ht_visits *visits;
    pthread_rwlock_t lock; /* of the rules */
    struct ht_visit_office office;
    int64_t forgot_s; /* by a steady clock; of the thread that looks after time */
};

struct ht_visits *ht_visits_room_visits(struct ht_visits_room *room)
{
    return room->visits;
}

struct ht_visit_office ht_visits_room_office(struct ht_visits_room *room)
{
    (void)pthread_rwlock_rdlock(&room->lock);
    struct ht_visit_office office = room->office;
    (void)pthread_rwlock_unlock(&room->lock);
    return office;
}

void ht_visits_room_rules(struct ht_visits_room *room, const struct ht_visit_office *office)
{
    (void)pthread_rwlock_wrlock(&room->lock);
    room->office = *office;
    (void)pthread_rwlock_unlock(&room->lock);
}

/* ---- replay ---- */

struct replaying {
    struct ht_visits *visits;
    struct ht_store_reader *events; /* another one than the states are read with */
    struct ht_follower *follower;   /* NULL: nobody is followed */
    size_t count;
    size_t skipped;
};

/* Rows that can't be read or don't follow are passed over. */
static enum ht_status event_take(void *user, const struct ht_store_event *row)
{
    struct replaying *replaying = user;
    struct ht_visit_event_read read;
    enum ht_status status = ht_visit_event_read(row->kind, row->at_ms, row->body, &read);
    if (status == HT_OK) {
        status = ht_visits_replay(replaying->visits, &read.event);
        replaying->count += status == HT_OK ? 1 : 0;
    }
    ht_visit_event_deinit(&read);
    ht_follower_ahead(replaying->follower, row->subject, row->seq);
    return status == HT_NOMEM ? status : HT_OK;
}

/* All events of one subject. */
static enum ht_status subject_replay(struct replaying *replaying, const char *subject)
{
    bool visit = strncmp(subject, HT_VISIT_SUBJECT_PREFIX, strlen(HT_VISIT_SUBJECT_PREFIX)) == 0;
    const struct ht_store_event_query query = {
        .prefix = visit ? "visit." : "rectification.", .subject = subject, .limit = UINT64_MAX};
    replaying->count = 0;
    return ht_store_events_of(replaying->events, &query, event_take, replaying, NULL);
}

static enum ht_status state_take(void *user, const struct ht_store_visit_state *state)
{
    struct replaying *replaying = user;
    enum ht_status status = subject_replay(replaying, state->owner);
    replaying->skipped += status == HT_OK && replaying->count == 0 ? 1 : 0;
    return status;
}

static enum ht_status replay(struct ht_visits_room *room, size_t *skipped, struct ht_error *error)
{
    struct ht_store_reader *reader = NULL;
    struct replaying replaying = {.visits = room->visits, .follower = room->app->follower};
    int64_t since_ms = ht_clock_now_ms(&room->app->clock) - KEPT_MS;
    int64_t paper = 0;
    enum ht_status status = ht_store_reader_new(room->app->store, &reader, error);
    if (status == HT_OK) {
        status = ht_store_reader_new(room->app->store, &replaying.events, error);
    }
    if (status == HT_OK) {
        status = ht_store_visit_paper_last(reader, &paper, error);
        ht_visits_number_set(room->visits, (uint32_t)paper);
    }
    if (status == HT_OK) {
        status = ht_store_visit_states(reader, since_ms, state_take, &replaying, error);
    }
    ht_store_reader_free(replaying.events);
    ht_store_reader_free(reader);
    *skipped = replaying.skipped;
    return status;
}

enum ht_status ht_visits_room_past(struct ht_store_reader *reader, bool visit, const char *id,
                                   struct ht_visits **past)
{
    char subject[HT_VISIT_SUBJECT];
    struct replaying replaying = {.events = reader};
    enum ht_status status = ht_visits_new(&replaying.visits);
    if (status != HT_OK) {
        return status;
    }
    ht_visit_subject(visit, id, subject);
    status = subject_replay(&replaying, subject);
    if (status != HT_OK || replaying.count == 0) {
        ht_visits_free(replaying.visits);
        return status == HT_OK ? HT_NOT_FOUND : status;
    }
    *past = replaying.visits;
    return HT_OK;
}

/* ---- what another process decided ---- */

static bool is_known(const struct ht_visits_room *room, const struct ht_visit_event *event)
{
    return ht_visit_event_is_visit(event->kind)
               ? ht_visits_pending(room->visits, event->id) != NULL
               : ht_rectifications_pending(room->visits, event->id) != NULL;
}

enum ht_status ht_visits_room_follow(struct ht_visits_room *room, struct ht_store_reader *reader,
                                     const struct ht_store_event *row)
{
    struct ht_visit_event_read read;
    enum ht_status status = ht_visit_event_read(row->kind, row->at_ms, row->body, &read);
    if (status == HT_OK && !is_known(room, &read.event)) {
        struct replaying replaying = {
            .visits = room->visits, .events = reader, .follower = room->app->follower};
        status = subject_replay(&replaying, row->subject);
    } else if (status == HT_OK) {
        status = ht_visits_replay(room->visits, &read.event);
    }
    ht_visit_event_deinit(&read);
    return status == HT_INVALID || status == HT_NOT_FOUND ? HT_OK : status;
}

void ht_visits_room_follow_rest(struct ht_visits_room *room)
{
    (void)ht_visits_forget(room->visits, ht_clock_now_ms(&room->app->clock) - KEPT_MS, FORGET_MOST);
}

/* ---- new and gone ---- */

enum ht_status ht_visits_room_new(struct ht_app *app, struct ht_visits_room **out, size_t *skipped,
                                  struct ht_error *error)
{
    struct ht_setting_wrong wrong;
    struct ht_visits_room *room = calloc(1, sizeof *room);
    if (room == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    room->app = app;
    (void)pthread_rwlock_init(&room->lock, NULL);
    enum ht_status status = ht_visit_office_read(NULL, &room->office, &wrong);
    if (status == HT_OK) {
        status = ht_visits_new(&room->visits);
    }
    status = status == HT_OK ? replay(room, skipped, error) : ht_error_set(error, status, 0, NULL);
    if (status != HT_OK) {
        ht_visits_room_free(room);
        return status;
    }
    *out = room;
    return HT_OK;
}

void ht_visits_room_free(struct ht_visits_room *room)
{
    if (room != NULL) {
        ht_visits_free(room->visits);
        (void)pthread_rwlock_destroy(&room->lock);
        free(room);
    }
}

/* ---- writer ---- */

/* Fifty bits of chance, in letters and digits that nobody takes for one another. */
enum ht_status ht_visits_room_id(const char *prefix, char id[HT_VISIT_ID_MAX + 1])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
    unsigned char chance[10];
    enum ht_status status = ht_random_bytes(chance, sizeof chance);
    size_t size = strlen(prefix);
    if (status == HT_OK) {
        memcpy(id, prefix, size);
        id[size++] = '-';
        for (size_t i = 0; i < sizeof chance; i++) {
            id[size++] = letters[chance[i] % 32];
        }
        id[size] = '\0';
    }
    return status;
}

enum ht_status ht_visits_room_is_new(struct ht_visits_room *room, struct ht_store_reader *reader,
                                     const char *id, struct ht_error *error)
{
    char subject[HT_VISIT_SUBJECT];
    bool known = ht_visits_pending(room->visits, id) != NULL;
    ht_visit_subject(true, id, subject);
    enum ht_status status = known ? HT_OK : ht_store_visit_is_known(reader, subject, &known, error);
    return status == HT_OK && known ? ht_error_set(error, HT_EXISTS, 0, "visit %s exists", id)
                                    : status;
}

/* Whether an event opens or ends it, so that the table of states has to follow. */
static bool turns(const struct ht_visit_event *event, bool *open)
{
    *open = event->kind == HT_VISIT_PLANNED || event->kind == HT_NOTICE_OPENED ||
            event->kind == HT_NOTICE_REOPENED;
    return *open || event->kind == HT_VISIT_REPORTED || event->kind == HT_VISIT_CANCELLED ||
           event->kind == HT_NOTICE_CLOSED;
}

static enum ht_status write_one(struct ht_store_tx *tx, const struct ht_visit_event *event,
                                const char *actor, const char *note, struct ht_error *error)
{
    char subject[HT_VISIT_SUBJECT];
    bool open = false;
    int64_t seq = 0;
    ht_visit_subject(ht_visit_event_is_visit(event->kind), event->id, subject);
    const struct ht_event_row row = {.at_ms = event->at_ms,
                                     .actor = actor,
                                     .kind = ht_visit_event_text(event->kind),
                                     .subject = subject,
                                     .write = ht_visit_event_write,
                                     .event = event,
                                     .note = note};
    enum ht_status status = ht_event_row_append(tx, &row, &seq, error);
    if (status != HT_OK || !turns(event, &open)) {
        return status;
    }
    const struct ht_store_visit_state state = {.owner = subject,
                                               .site = event->site == NULL ? "" : event->site,
                                               .number = seq,
                                               .paper = event->number,
                                               .closed_ms = open ? 0 : event->at_ms};
    return ht_store_visit_state_put(tx, &state, error);
}

enum ht_status ht_visits_room_write(struct ht_visits_room *room, struct ht_store_tx *tx,
                                    const struct ht_visits_decision *decision, const char *actor,
                                    const char *const *notes, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    (void)room;
    for (size_t i = 0; i < decision->event_count && status == HT_OK; i++) {
        status = write_one(tx, decision->events[i], actor, notes == NULL ? NULL : notes[i], error);
    }
    return status;
}

/* ---- from other threads ---- */

struct acting {
    struct ht_visits_room *room;
    const struct ht_visit_planning *planning; /* NULL: the clock's turn */
    const char *actor;
    struct ht_visits_decision *decision;
    size_t passed_over;
    bool more;
};

static enum ht_status act_run(void *user, struct ht_app_context *context, struct ht_store_tx *tx,
                              struct ht_error *error)
{
    struct acting *acting = user;
    struct ht_visits_room *room = acting->room;
    enum ht_status status = HT_OK;
    (void)context;
    if (acting->planning != NULL) {
        status = ht_visits_plan(room->visits, acting->planning, &acting->decision, error);
    } else {
        status = ht_visits_tick(room->visits, ht_clock_now_ms(&room->app->clock),
                                &room->office.rules, &acting->decision);
    }
    if (status != HT_OK) {
        return status;
    }
    acting->passed_over = acting->decision->passed_over;
    acting->more = acting->decision->more > 0;
    status = ht_visits_room_write(room, tx, acting->decision, acting->actor, NULL, error);
    if (status != HT_OK) {
        ht_visits_take_back(room->visits, acting->decision);
    }
    return status;
}

static void act_done(void *user, enum ht_status outcome)
{
    struct acting *acting = user;
    if (outcome == HT_OK) {
        ht_visits_apply(acting->room->visits, acting->decision);
    } else {
        ht_visits_drop(acting->room->visits, acting->decision);
    }
}

enum ht_status ht_visits_room_plan(struct ht_visits_room *room,
                                   const struct ht_visit_planning *planning, const char *actor,
                                   size_t *passed_over, struct ht_error *error)
{
    struct acting acting = {.room = room, .planning = planning, .actor = actor};
    const struct ht_writer_act act = {act_run, act_done, &acting};
    enum ht_status status = ht_writer_do(room->app, &act, error);
    if (passed_over != NULL) {
        *passed_over = acting.passed_over;
    }
    return status;
}

/* ---- the clock ---- */

static enum ht_status forget_run(void *user, struct ht_app_context *context, struct ht_store_tx *tx,
                                 struct ht_error *error)
{
    struct ht_visits_room *room = user;
    (void)context;
    (void)tx;
    (void)error;
    size_t count =
        ht_visits_forget(room->visits, ht_clock_now_ms(&room->app->clock) - KEPT_MS, FORGET_MOST);
    (void)count; /* what is left goes the next time */
    return HT_OK;
}

static void forget_done(void *user, enum ht_status outcome)
{
    (void)user;
    (void)outcome; /* nothing was written */
}

static bool forget_look(struct ht_visits_room *room)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    if (now.tv_sec - room->forgot_s < FORGET_EVERY_S) {
        return true;
    }
    room->forgot_s = now.tv_sec;
    const struct ht_writer_act act = {forget_run, forget_done, room};
    return ht_writer_do(room->app, &act, NULL) == HT_OK;
}

bool ht_visits_room_look(struct ht_visits_room *room)
{
    bool good = forget_look(room);
    bool more = true;
    while (good && more && ht_visits_due_ms(room->visits) <= ht_clock_now_ms(&room->app->clock)) {
        struct acting acting = {.room = room, .actor = "houtao"};
        const struct ht_writer_act act = {act_run, act_done, &acting};
        good = ht_writer_do(room->app, &act, NULL) == HT_OK;
        more = acting.more;
    }
    return good;
}
