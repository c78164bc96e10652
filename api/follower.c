#include "api/follower.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/app_internal.h"
#include "api/commit.h"
#include "api/desk_room.h"
#include "api/finder.h"
#include "api/incident_event.h"
#include "api/live.h"
#include "api/live_follow.h"
#include "api/log.h"
#include "api/node.h"
#include "api/order_event.h"
#include "api/orders_room.h"
#include "api/traffic.h"
#include "api/visit_event.h"
#include "api/visits_room.h"
#include "api/zones.h"
#include "engine/base/array.h"

enum {
    SUBJECT_SIZE = 96,
    POSITIONS_EVERY_MS = 2000,
    REST_EVERY_MS = 60 * 1000,
};

/* What comes of a subject up to an event is known. */
struct ahead {
    char subject[SUBJECT_SIZE];
    int64_t seq;
};

struct ht_follower {
    struct ht_app *app;
    struct ht_app_context *context; /* of the thread that is told of events */
    struct ht_store_reader *reader; /* likewise */
    atomic_bool outdated;
    bool watching;
    bool traffic; /* it changed, and is to be read again */
    int64_t rested_ms;
    pthread_mutex_t lock; /* what follows */
    struct ahead *ahead;
    size_t ahead_count;
    size_t ahead_room;
    int64_t begun; /* the last event before all was read */
    pthread_cond_t wake;
    bool stop;
    bool started;
    pthread_t thread; /* that reads positions */
    struct ht_app_context *places_context;
    struct ht_store_reader *places_reader;
};

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* ---- subjects that were read whole ---- */

void ht_follower_ahead(struct ht_follower *follower, const char *subject, int64_t seq)
{
    if (follower == NULL || strlen(subject) >= SUBJECT_SIZE) {
        return;
    }
    (void)pthread_mutex_lock(&follower->lock);
    size_t i = 0;
    if (seq <= follower->begun) {
        i = follower->ahead_count + 1; /* it is told of no such event */
    }
    while (i < follower->ahead_count && strcmp(follower->ahead[i].subject, subject) != 0) {
        i++;
    }
    if (i < follower->ahead_count) {
        follower->ahead[i].seq = follower->ahead[i].seq < seq ? seq : follower->ahead[i].seq;
    } else if (i == follower->ahead_count) {
        void *list = follower->ahead;
        if (ht_array_reserve(&list, &follower->ahead_room, i + 1, sizeof *follower->ahead) ==
            HT_OK) {
            follower->ahead = list;
            (void)strcpy(follower->ahead[i].subject, subject); // NOLINT: its length was looked at
            follower->ahead[i].seq = seq;
            follower->ahead_count++;
        } else {
            atomic_store(&follower->outdated, true);
        }
    }
    (void)pthread_mutex_unlock(&follower->lock);
}

/* Whether an event is known already. */
static bool is_known(struct ht_follower *follower, const struct ht_store_event *event)
{
    bool known = false;
    (void)pthread_mutex_lock(&follower->lock);
    follower->begun = event->seq;
    for (size_t i = 0; i < follower->ahead_count;) {
        struct ahead *ahead = &follower->ahead[i];
        bool over = ahead->seq <= event->seq;
        known = known || (event->seq <= ahead->seq && strcmp(ahead->subject, event->subject) == 0);
        if (over) {
            *ahead = follower->ahead[--follower->ahead_count];
        } else {
            i++;
        }
    }
    (void)pthread_mutex_unlock(&follower->lock);
    return known;
}

bool ht_follower_outdated(const struct ht_follower *follower)
{
    return follower != NULL && atomic_load(&follower->outdated);
}

/* ---- items ---- */

/* One of a collection as the store has it now. */
static enum ht_status item_follow(struct ht_follower *follower,
                                  const struct ht_collection *collection, const char *id)
{
    const char *name = collection->name;
    if (strcmp(name, "zones") == 0) {
        return ht_app_zones_follow(follower->app, follower->reader, &id, 1);
    }
    return strcmp(name, "units") == 0 || strcmp(name, "devices") == 0
               ? ht_live_follow(follower->context, follower->reader, collection, id)
               : HT_OK;
}

struct many {
    struct ht_follower *follower;
    const struct ht_collection *collection;
    char (*ids)[HT_ID_MAX + 1];
    size_t count;
    size_t room;
};

static enum ht_status id_add(void *user, const struct ht_store_item *item)
{
    struct many *many = user;
    void *ids = many->ids;
    size_t size = strnlen(item->id, HT_ID_MAX);
    enum ht_status status = ht_array_reserve(&ids, &many->room, many->count + 1, sizeof *many->ids);
    many->ids = ids;
    if (status == HT_OK) {
        memcpy(many->ids[many->count], item->id, size);
        many->ids[many->count++][size] = '\0';
    }
    return status;
}

/* What was loaded at once: items that were changed at that moment. */
static enum ht_status load_follow(struct ht_follower *follower,
                                  const struct ht_collection *collection, int64_t at_ms)
{
    struct many many = {.follower = follower, .collection = collection};
    struct ht_store_query query = ht_store_query_default(collection);
    const char *name = collection->name;
    enum ht_status status = HT_OK;
    query.from_ms = at_ms;
    query.until_ms = at_ms;
    ht_finder_reload(follower->app->finder, name);
    if (strcmp(name, "units") == 0 || strcmp(name, "devices") == 0 || strcmp(name, "zones") == 0) {
        status = ht_store_items(follower->reader, &query, id_add, &many, NULL, NULL);
    }
    for (size_t i = 0; status == HT_OK && i < many.count; i++) {
        status = item_follow(follower, collection, many.ids[i]);
    }
    free(many.ids);
    return status;
}

static enum ht_status items_follow(struct ht_follower *follower, const struct ht_store_event *event)
{
    const struct ht_collection *collection =
        ht_collection_find(event->subject, strcspn(event->subject, "/"));
    const char *slash = strchr(event->subject, '/');
    if (collection == NULL) {
        return HT_OK;
    }
    if (strcmp(event->kind, "items.loaded") == 0) {
        return load_follow(follower, collection, event->at_ms);
    }
    if (slash == NULL || slash[1] == '\0') {
        return HT_OK;
    }
    const char *id = slash + 1;
    ht_finder_follow(follower->app->finder, collection->name, &id, 1, true);
    return item_follow(follower, collection, id);
}

/* ---- events ---- */

static enum ht_status event_follow(struct ht_follower *follower, const struct ht_store_event *event)
{
    struct ht_app *app = follower->app;
    const char *kind = event->kind;
    const char *subject = event->subject;
    if (begins(kind, HT_INCIDENT_PREFIX) && begins(subject, HT_INCIDENT_SUBJECT_PREFIX)) {
        return ht_desk_room_follow(app->desk, follower->reader, event);
    }
    if (begins(kind, HT_ORDER_PREFIX) && begins(subject, HT_ORDER_SUBJECT_PREFIX)) {
        return ht_orders_room_follow(app->orders, follower->reader, event);
    }
    if (begins(subject, HT_VISIT_SUBJECT_PREFIX) || begins(subject, HT_NOTICE_SUBJECT_PREFIX)) {
        return ht_visits_room_follow(app->visits, follower->reader, event);
    }
    if (begins(kind, "item")) {
        return items_follow(follower, event);
    }
    if (begins(kind, "traffic.")) {
        follower->traffic = true;
    } else if (begins(kind, "setting.") || begins(kind, "regime.")) {
        atomic_store(&follower->outdated, true);
    }
    return HT_OK;
}

/* What can't be followed now (memory is short, the store is away) is read with all else when the
 * node is opened anew. */
static void on_event(void *user, const struct ht_store_event *event)
{
    struct ht_follower *follower = user;
    if (atomic_load(&follower->outdated) || is_known(follower, event)) {
        return;
    }
    enum ht_status status = event_follow(follower, event);
    if (status != HT_OK) {
        ht_log(HT_LOG_WARNING, "event %lld (%s) can't be followed: %s; all is read again",
               (long long)event->seq, event->kind, ht_status_text(status));
        atomic_store(&follower->outdated, true);
    }
}

static void on_settled(void *user, int64_t last_seq)
{
    struct ht_follower *follower = user;
    int64_t now_ms = steady_ms();
    (void)last_seq;
    if (follower->traffic && !atomic_load(&follower->outdated)) {
        follower->traffic = false;
        if (ht_app_traffic_follow(follower->app, follower->reader) != HT_OK) {
            atomic_store(&follower->outdated, true);
        }
    }
    if (now_ms - follower->rested_ms >= REST_EVERY_MS) {
        follower->rested_ms = now_ms;
        ht_desk_room_follow_rest(follower->app->desk);
        (void)ht_orders_room_forget(follower->app->orders, SIZE_MAX);
        ht_visits_room_follow_rest(follower->app->visits);
    }
    ht_world_reader_rest(&follower->context->world);
    if (follower->context->live != NULL) {
        ht_live_work_rest(follower->context->live);
    }
}

/* ---- positions ---- */

static enum ht_status position_take(void *user, const struct ht_store_position *position)
{
    struct ht_app_context *context = user;
    struct ht_live *live = context->app->live;
    struct ht_unit known;
    struct ht_live_unit unit = ht_live_unit_find(live, position->unit, strlen(position->unit));
    if (unit.number == HT_NONE ||
        (ht_fleet_get(ht_live_fleet(live), unit.number, 0, &known) && known.positioned &&
         !known.position.told && known.position.ts_ms >= position->ts_ms)) {
        return HT_OK;
    }
    const struct ht_report report = {.lon_deg = position->point.lon_e7 / 1e7,
                                     .lat_deg = position->point.lat_e7 / 1e7,
                                     .ts_ms = position->ts_ms,
                                     .received_ms = position->received_ms,
                                     .speed_mps = position->speed_mps,
                                     .bearing_deg = position->bearing_deg,
                                     .accuracy_m = position->accuracy_m};
    enum ht_refusal refusal =
        ht_live_report(live, context->live, ht_world_reader_get(&context->world), unit, &report);
    (void)refusal; /* counted by the fleet */
    return HT_OK;
}

/* Until the desk has made it. */
static void node_key_read(struct ht_app *app, struct ht_store_reader *reader)
{
    unsigned char secret[HT_STORE_SECRET];
    char known[HT_DIGEST_TEXT];
    if (app->node != NULL && !ht_node_key_get(app->node, known) &&
        ht_store_secret_get(reader, HT_NODE_SECRET, secret, NULL) == HT_OK &&
        ht_node_key_set(app->node, secret) != HT_OK) {
        return; /* the next time */
    }
}

static void positions_read(struct ht_follower *follower)
{
    struct ht_app_context *context = follower->places_context;
    node_key_read(follower->app, follower->places_reader);
    if (ht_app_live_work(context) == NULL) {
        return;
    }
    /* what can't be read now is there the next time */
    enum ht_status status =
        ht_store_positions_last(follower->places_reader, position_take, context, NULL);
    (void)status;
    ht_live_reports_end(context->live);
    ht_world_reader_rest(&context->world);
    ht_live_work_rest(context->live);
}

static void *positions_main(void *user)
{
    struct ht_follower *follower = user;
    (void)pthread_mutex_lock(&follower->lock);
    while (!follower->stop) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += POSITIONS_EVERY_MS / 1000;
        (void)pthread_cond_timedwait(&follower->wake, &follower->lock, &until);
        if (!follower->stop) {
            (void)pthread_mutex_unlock(&follower->lock);
            positions_read(follower);
            (void)pthread_mutex_lock(&follower->lock);
        }
    }
    (void)pthread_mutex_unlock(&follower->lock);
    return NULL;
}

/* ---- its life ---- */

static enum ht_status context_make(struct ht_app *app, struct ht_app_context **out)
{
    void *context = NULL;
    enum ht_status status = ht__app_context_new(app, &context);
    *out = context;
    return status;
}

enum ht_status ht_follower_new(struct ht_app *app, struct ht_follower **out, struct ht_error *error)
{
    struct ht_follower *follower = calloc(1, sizeof *follower);
    if (follower == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&follower->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&follower->lock, NULL);
    follower->app = app;
    follower->rested_ms = steady_ms();
    enum ht_status status = ht_store_reader_new(app->store, &follower->reader, error);
    if (status == HT_OK) {
        status = ht_store_reader_new(app->store, &follower->places_reader, error);
    }
    if (status == HT_OK) {
        node_key_read(app, follower->reader);
        status = ht_store_event_last(follower->reader, &follower->begun, error);
    }
    if (status == HT_OK) {
        status = context_make(app, &follower->context);
        status = status == HT_OK ? context_make(app, &follower->places_context) : status;
        status = status == HT_OK
                     ? ht_commit_new_following(app->store, follower->begun, &app->following)
                     : status;
        status = status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
    }
    if (status != HT_OK) {
        ht_follower_free(follower);
        return status;
    }
    *out = follower;
    return HT_OK;
}

enum ht_status ht_follower_start(struct ht_follower *follower)
{
    const struct ht_commit_watch watch = {
        .event = on_event, .settled = on_settled, .user = follower};
    int64_t after = 0;
    enum ht_status status = ht_commit_watch(follower->app->following, &watch, &after);
    follower->watching = status == HT_OK;
    if (status == HT_OK) {
        follower->started = pthread_create(&follower->thread, NULL, positions_main, follower) == 0;
        status = follower->started ? HT_OK : HT_NOMEM;
    }
    return status;
}

void ht_follower_stop(struct ht_follower *follower)
{
    if (follower == NULL) {
        return;
    }
    if (follower->watching) {
        ht_commit_unwatch(follower->app->following, follower);
        follower->watching = false;
    }
    if (follower->started) {
        (void)pthread_mutex_lock(&follower->lock);
        follower->stop = true;
        (void)pthread_cond_broadcast(&follower->wake);
        (void)pthread_mutex_unlock(&follower->lock);
        (void)pthread_join(follower->thread, NULL);
        follower->started = false;
    }
}

void ht_follower_free(struct ht_follower *follower)
{
    if (follower == NULL) {
        return;
    }
    ht_follower_stop(follower);
    if (follower->context != NULL) {
        ht__app_context_free(follower->context);
    }
    if (follower->places_context != NULL) {
        ht__app_context_free(follower->places_context);
    }
    ht_store_reader_free(follower->reader);
    ht_store_reader_free(follower->places_reader);
    free(follower->ahead);
    (void)pthread_cond_destroy(&follower->wake);
    (void)pthread_mutex_destroy(&follower->lock);
    free(follower);
}
