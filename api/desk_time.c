/* The thread that looks after time: clocks that ran out, units that became free, those who will be
 * late as they drive now. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/commit.h"
#include "api/desk_room_internal.h"
#include "api/live.h"
#include "api/orders_room.h"
#include "api/visits_room.h"

enum {
    ROUND_MS = 250,
    ETA_EVERY_MS = 5000,
    FORGET_EVERY_MS = 15000,
    FORGET_MOST = 2000, /* at once */
    RETRY_MS = 1000,    /* after what could not be written */
    COMMANDS_MOST = 64, /* of one job: the next commands wait meanwhile */
    WATCHED_MOST = 64,  /* incidents that are looked at in one question */
};

/* One that will be late. */
struct late {
    char incident[HT_DESK_ID_MAX + 1];
    char unit[HT_DESK_ID_MAX + 1];
    int64_t eta_ms;
};

/* A job of the writer: ticks, then those who are late, then those who wait. */
struct round {
    struct ht_job job;
    struct ht_desk_room *room;
    bool settle;
    bool forget;
    struct late *late;
    size_t late_count;
    char (*clocks)[HT_DESK_ID_MAX + 1]; /* incidents whose clocks are reckoned anew */
    size_t clock_count;
    struct ht_desk_decision *decisions[COMMANDS_MOST + 1];
    size_t count;
    size_t events;    /* that came of it */
    size_t forgotten; /* incidents or orders, the most of them */
    bool failed;
};

/* ---- on the writer's thread ---- */

static enum ht_status decide(struct round *round, struct ht_app_context *context,
                             const struct ht_desk_command *command)
{
    struct ht_desk_room *room = round->room;
    struct ht_desk_decision *decision = NULL;
    struct ht_store_tx *tx = ht_commit_tx(room->app->commit);
    enum ht_status status = ht_desk_room_decide(room, context, command, &decision, NULL);
    if (status != HT_OK) {
        /* an incident that ended meanwhile is none of our errors */
        return status == HT_CONFLICT || status == HT_NOT_FOUND ? HT_OK : status;
    }
    round->decisions[round->count++] = decision;
    round->events += decision->event_count;
    return ht_desk_room_write(room, tx, decision, "houtao", NULL, NULL);
}

static void round_run(struct ht_job *job, void *worker)
{
    struct round *round = (struct round *)job;
    struct ht_desk_room *room = round->room;
    struct ht_app_context *context = ((struct ht_worker_context *)worker)->user;
    int64_t now_ms = ht_clock_now_ms(&room->app->clock);
    enum ht_status status = HT_OK;
    /* no clock that is to be reckoned anew runs out by the old moment */
    for (size_t i = 0; status == HT_OK && i < round->clock_count; i++) {
        const struct ht_desk_command reclock = {
            .kind = HT_DESK_RECLOCK, .now_ms = now_ms, .incident = round->clocks[i]};
        status = decide(round, context, &reclock);
    }
    while (status == HT_OK && round->clock_count == 0 && round->count < COMMANDS_MOST / 2 &&
           atomic_load(&room->due_ms) <= now_ms) {
        const struct ht_desk_command tick = {.kind = HT_DESK_TICK, .now_ms = now_ms};
        status = decide(round, context, &tick);
    }
    for (size_t i = 0; status == HT_OK && i < round->late_count && round->count < COMMANDS_MOST;
         i++) {
        const struct ht_desk_command eta = {.kind = HT_DESK_ETA,
                                            .now_ms = now_ms,
                                            .incident = round->late[i].incident,
                                            .unit = round->late[i].unit,
                                            .eta_ms = round->late[i].eta_ms};
        status = decide(round, context, &eta);
    }
    if (status == HT_OK && round->settle) {
        const struct ht_desk_command settle = {.kind = HT_DESK_SETTLE, .now_ms = now_ms};
        status = decide(round, context, &settle);
    }
    if (status != HT_OK) {
        round->failed = true;
        while (round->count > 0) {
            ht_desk_room_take_back(room, round->decisions[--round->count]);
        }
        ht_commit_take_back(room->app->commit);
    }
}

static void round_done(struct ht_job *job, void *worker, enum ht_status outcome)
{
    struct round *round = (struct round *)job;
    struct ht_desk_room *room = round->room;
    struct ht_app_context *context = ((struct ht_worker_context *)worker)->user;
    for (size_t i = 0; i < round->count; i++) {
        if (outcome == HT_OK) {
            ht_desk_room_apply(room, round->decisions[i]);
        } else {
            ht_desk_room_drop(room, round->decisions[i]);
        }
    }
    round->failed = round->failed || outcome != HT_OK;
    if (round->forget) {
        size_t orders = ht_orders_room_forget(room->app->orders, FORGET_MOST);
        round->forgotten = ht__room_forget(room, FORGET_MOST);
        round->forgotten = orders > round->forgotten ? orders : round->forgotten;
    }
    ht_world_reader_rest(&context->world);
    if (context->live != NULL) {
        ht_live_work_rest(context->live);
    }
    (void)pthread_mutex_lock(&room->lock);
    room->job_over = true;
    (void)pthread_cond_broadcast(&room->wake);
    (void)pthread_mutex_unlock(&room->lock);
}

/* ---- who is free ---- */

/* Tells one set of free units on duty from another. */
static uint64_t free_units(struct ht_app *app, int64_t now_ms)
{
    struct ht_fleet *fleet = ht_live_fleet(app->live);
    const struct ht_unit_filter filter = {.statuses = UINT32_C(1) << HT_UNIT_IDLE,
                                          .heard_ms = INT64_MIN,
                                          .duty = HT_DUTY_ON,
                                          .duty_ms = now_ms};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ht_fleet_end(fleet); i++) {
        if (ht_fleet_matches(fleet, i, &filter)) {
            uint64_t mixed = (i + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
            sum += mixed ^ mixed >> 29;
        }
    }
    return sum + ht_fleet_counts(fleet, now_ms).heard;
}

/* ---- who will be late ---- */

/* What is left of a unit's turnout: it has not driven off before it says so. */
static int64_t turnout_left(const struct ht_desk_seat *seat, int64_t now_ms)
{
    int64_t until_ms = seat->assigned_ms + seat->turnout_ms;
    return seat->state == HT_INCIDENT_IS_ENROUTE || until_ms <= now_ms ? 0 : until_ms - now_ms;
}

struct watch {
    struct ht_desk_room *room;
    int64_t now_ms;
    struct late *late;
    size_t late_count;
};

/* The live ETA of an incident: of the first of its units. */
static void incident_look(struct watch *watch, const struct ht_incident *incident,
                          struct ht_point point)
{
    struct ht_app *app = watch->room->app;
    struct ht_world *world = ht_world_reader_get(&watch->room->context->world);
    struct ht_live_work *work = ht_app_live_work(watch->room->context);
    uint32_t units[HT_DESK_UNITS_MAX];
    uint32_t duration_ms[HT_DESK_UNITS_MAX];
    int64_t length_mm[HT_DESK_UNITS_MAX];
    const struct ht_live_many many = {
        .units = units,
        .unit_count = incident->seat_count,
        .plain = !ht_desk_room_rule(watch->room, incident->kind, incident->severity).blue_light,
        .points = &point,
        .point_count = 1,
        .duration_ms = duration_ms,
        .length_mm = length_mm};
    int64_t eta_ms = INT64_MAX;
    const char *first = NULL;
    bool seen = false;
    for (uint32_t i = 0; i < incident->seat_count; i++) {
        const char *id = incident->seats[i].unit;
        units[i] = ht_fleet_find(ht_live_fleet(app->live), id, strlen(id));
    }
    if (world == NULL || work == NULL || ht_live_matrix(app->live, work, world, &many) != HT_OK) {
        return;
    }
    for (uint32_t i = 0; i < incident->seat_count; i++) {
        const struct ht_desk_seat *seat = &incident->seats[i];
        int64_t one_ms = seat->eta_ms; /* as reckoned when it was sent, where it is not seen */
        if (duration_ms[i] < HT_WEIGHT_INF) {
            one_ms = watch->now_ms + turnout_left(seat, watch->now_ms) + duration_ms[i] +
                     seat->access_ms;
            seen = true;
        }
        if (one_ms >= watch->now_ms) {
            first = one_ms < eta_ms ? seat->unit : first;
            eta_ms = one_ms < eta_ms ? one_ms : eta_ms;
        }
    }
    ht_incident_places_eta(watch->room->places, incident->id, seen ? eta_ms : 0);
    if (first == NULL || !seen) {
        return;
    }
    if (eta_ms > incident->deadline_ms && !incident->at_risk) {
        struct late *late = &watch->late[watch->late_count++];
        memcpy(late->incident, incident->id, strlen(incident->id) + 1);
        memcpy(late->unit, first, strlen(first) + 1);
        late->eta_ms = eta_ms;
    }
}

/* Looks at all that have somebody on the way and nobody there. */
static void watch_run(struct watch *watch)
{
    const struct ht_incident *list[WATCHED_MOST];
    struct ht_desk_filter filter = {.states = UINT32_C(1) << HT_INCIDENT_IS_ASSIGNED |
                                              UINT32_C(1) << HT_INCIDENT_IS_ACKNOWLEDGED |
                                              UINT32_C(1) << HT_INCIDENT_IS_ENROUTE};
    size_t count = WATCHED_MOST;
    while (count == WATCHED_MOST && watch->late_count < COMMANDS_MOST / 2) {
        count = ht_desk_list(watch->room->desk, &filter, WATCHED_MOST, list);
        for (size_t i = 0; i < count; i++) {
            struct ht_incident_place place;
            filter.before_order = list[i]->order;
            if (watch->late_count < COMMANDS_MOST / 2 &&
                ht_incident_places_get(watch->room->places, list[i]->id, &place)) {
                incident_look(watch, list[i], place.point);
            }
            ht_incident_release(list[i]);
        }
    }
}

/* ---- the thread ---- */

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Needs the lock. */
static void sleep_ms(struct ht_desk_room *room, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = ns % 1000000000;
    (void)pthread_cond_timedwait(&room->wake, &room->lock, &until);
}

/* Hands the job to the writer and waits for it. False: it could not be done. */
static bool round_do(struct ht_desk_room *room, struct round *round)
{
    round->room = room;
    round->job = (struct ht_job){.run = round_run, .done = round_done};
    (void)pthread_mutex_lock(&room->lock);
    room->job_over = false;
    (void)pthread_mutex_unlock(&room->lock);
    if (!ht_commit_submit(room->app->commit, &round->job)) {
        return false;
    }
    (void)pthread_mutex_lock(&room->lock);
    while (!room->job_over) {
        (void)pthread_cond_wait(&room->wake, &room->lock);
    }
    (void)pthread_mutex_unlock(&room->lock);
    return !round->failed;
}

/* Makes the streets ready that units are chosen on, lest the writer has to: after a start, and with
 * another map. */
static void streets_ready(struct ht_desk_room *room)
{
    struct ht_desk_totals totals;
    uint64_t open = 0;
    double far_m = 0;
    struct ht_world *world = ht_world_reader_get(&room->context->world);
    struct ht_live_work *lanes = world == NULL ? NULL : ht_app_live_work(room->context);
    if (lanes != NULL && ht_live_ready(room->app->live, world)) {
        enum ht_status made = ht_live_lanes_make(room->app->live, lanes, world);
        (void)made; /* a question tries again */
    }
    if (world == NULL || ht_live_ready(room->app->live, world)) {
        return;
    }
    ht_desk_totals(room->desk, &totals);
    for (int i = 0; i < HT_INCIDENT_IS_RESOLVED; i++) {
        open += totals.states[i];
    }
    struct ht_live_work *work = open == 0 ? NULL : ht_app_live_work(room->context);
    if (work != NULL) {
        const struct ht_point anywhere = {0, 0};
        enum ht_status status = ht_live_street(room->app->live, work, world, anywhere, &far_m);
        (void)status; /* that no street is near there is no matter */
    }
}

/* All clocks that run, by the rules of now: some in each job. False: to be tried again. */
static bool clocks_look(struct ht_desk_room *room)
{
    enum { PAGE = COMMANDS_MOST };
    static const uint32_t run = (UINT32_C(2) << HT_INCIDENT_IS_RESOLVED) - 1;
    const struct ht_incident *list[PAGE];
    char ids[PAGE][HT_DESK_ID_MAX + 1];
    struct ht_desk_filter filter = {.states = run};
    size_t count = PAGE;
    bool good = true;
    while (count == PAGE && good) {
        count = ht_desk_list(room->desk, &filter, PAGE, list);
        for (size_t i = 0; i < count; i++) {
            filter.before_order = list[i]->order;
            memcpy(ids[i], list[i]->id, strlen(list[i]->id) + 1);
            ht_incident_release(list[i]);
        }
        struct round round = {.clocks = ids, .clock_count = count};
        good = count == 0 || round_do(room, &round);
    }
    if (!good) {
        atomic_store(&room->clocks_changed, true);
    }
    return good;
}

/* What the thread remembers from one look to the next. */
struct looks {
    uint64_t free_units;
    int64_t eta_ms;    /* steady time of the last look at who will be late */
    int64_t forget_ms; /* and of when what is over was let go of */
};

/* One look, and all that follows from it. False: to be tried again later. */
static bool look(struct ht_desk_room *room, struct looks *looks, bool all)
{
    struct late late[COMMANDS_MOST];
    bool good = true;
    bool again = true;
    streets_ready(room);
    if (atomic_exchange(&room->clocks_changed, false)) {
        good = clocks_look(room);
    }
    good = ht_visits_room_look(room->app->visits) && good;
    while (good && again) {
        int64_t now_ms = ht_clock_now_ms(&room->app->clock);
        uint64_t units = free_units(room->app, now_ms);
        struct watch watch = {.room = room, .now_ms = now_ms, .late = late};
        if (all || steady_ms() - looks->eta_ms >= ETA_EVERY_MS) {
            looks->eta_ms = steady_ms();
            watch_run(&watch);
        }
        bool forget = all || steady_ms() - looks->forget_ms >= FORGET_EVERY_MS;
        bool changed = atomic_exchange(&room->units_changed, false) || units != looks->free_units;
        if (!changed && !forget && watch.late_count == 0 && atomic_load(&room->due_ms) > now_ms) {
            break;
        }
        struct round round = {
            .settle = changed, .forget = forget, .late = late, .late_count = watch.late_count};
        good = round_do(room, &round);
        looks->forget_ms = forget ? steady_ms() : looks->forget_ms;
        all = round.forgotten == FORGET_MOST;
        looks->free_units = free_units(room->app, now_ms);
        again = all || (round.events > 0 && atomic_load(&room->due_ms) <= now_ms);
        if (!good && changed) {
            atomic_store(&room->units_changed, true);
        }
    }
    ht_world_reader_rest(&room->context->world);
    if (room->context->live != NULL) {
        ht_live_work_rest(room->context->live);
    }
    return good;
}

void *ht__room_time(void *user)
{
    struct ht_desk_room *room = user;
    struct looks looks = {.eta_ms = steady_ms(), .forget_ms = steady_ms()};
    (void)pthread_mutex_lock(&room->lock);
    while (!room->stop) {
        uint64_t wanted = room->rounds_wanted;
        bool all = wanted != room->rounds_done;
        bool good = true;
        if (all || !atomic_load(&room->app->lockstep)) {
            (void)pthread_mutex_unlock(&room->lock);
            good = look(room, &looks, all);
            (void)pthread_mutex_lock(&room->lock);
        }
        room->rounds_done = wanted;
        (void)pthread_cond_broadcast(&room->wake);
        if (!room->stop && room->rounds_wanted == wanted) {
            sleep_ms(room, good ? ROUND_MS : RETRY_MS);
        }
    }
    room->rounds_done = room->rounds_wanted;
    (void)pthread_cond_broadcast(&room->wake);
    (void)pthread_mutex_unlock(&room->lock);
    return NULL;
}

void ht_desk_room_obey(struct ht_desk_room *room)
{
    (void)pthread_mutex_lock(&room->lock);
    uint64_t wanted = ++room->rounds_wanted;
    (void)pthread_cond_broadcast(&room->wake);
    while (room->started && !room->stop && room->rounds_done < wanted) {
        (void)pthread_cond_wait(&room->wake, &room->lock);
    }
    (void)pthread_mutex_unlock(&room->lock);
}
