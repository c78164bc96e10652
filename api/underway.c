#include "api/underway.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api/app_internal.h"
#include "api/commit.h"
#include "api/orders_room.h"
#include "api/planner.h"
#include "api/underway_internal.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

enum {
    RING = 1 << 13,
    TICK_MS = 500,
    AGAIN_MS = 5000, /* a van that says nothing is reckoned so often */
    JUDGE_MS = 2000,
    NOTES_MOST = 10000, /* that wait while nothing can be written */
    NICE = 5
};

/* ---- what comes in ---- */

static atomic_uint_least64_t *watch_word(struct ht_underway *underway, uint32_t unit, uint64_t *bit)
{
    *bit = UINT64_C(1) << unit % 64;
    return &underway->watched[unit / 64 % 64];
}

void ht_underway_offer(struct ht_underway *underway, struct ht_live_unit unit,
                       const struct ht_report *report)
{
    uint64_t bit = 0;
    if (underway == NULL || unit.number == HT_NONE) {
        return;
    }
    atomic_uint_least64_t *word = watch_word(underway, unit.number, &bit);
    if ((atomic_load_explicit(word, memory_order_relaxed) & bit) == 0) {
        return;
    }
    const struct ht__seen seen = {
        unit,
        {{(int32_t)lround(report->lon_deg * 1e7), (int32_t)lround(report->lat_deg * 1e7)},
         report->ts_ms,
         report->speed_mps,
         report->accuracy_m}};
    (void)pthread_mutex_lock(&underway->lock);
    if (underway->ring_count == RING) {
        underway->stats.dropped++;
    } else {
        underway->ring[(underway->ring_first + underway->ring_count++) % RING] = seen;
    }
    (void)pthread_mutex_unlock(&underway->lock);
}

/* ---- vans ---- */

struct ht__van *ht__underway_van(struct ht_underway *underway, const char *unit)
{
    for (size_t i = 0; i < underway->van_count; i++) {
        if (strcmp(underway->vans[i].unit, unit) == 0) {
            return &underway->vans[i];
        }
    }
    return NULL;
}

struct ht__van *ht__underway_van_add(struct ht_underway *underway, const char *unit)
{
    void *vans = underway->vans;
    enum ht_status status = ht_array_reserve(&vans, &underway->van_capacity,
                                             underway->van_count + 1, sizeof *underway->vans);
    underway->vans = vans;
    if (status != HT_OK) {
        return NULL;
    }
    struct ht__van *van = &underway->vans[underway->van_count++];
    *van = (struct ht__van){.first_ms = UINT32_MAX, .due = true};
    (void)snprintf(van->unit, sizeof van->unit, "%s", unit);
    return van;
}

/* Whose positions are looked at. Needs the lock. */
void ht__underway_watch(struct ht_underway *underway)
{
    uint64_t words[64] = {0};
    for (size_t i = 0; i < underway->van_count; i++) {
        struct ht__van *van = &underway->vans[i];
        van->live = ht_live_unit_find(underway->app->live, van->unit, strlen(van->unit));
        words[van->live.number / 64 % 64] |= UINT64_C(1) << van->live.number % 64;
    }
    for (size_t i = 0; i < 64; i++) {
        atomic_store_explicit(&underway->watched[i], words[i], memory_order_relaxed);
    }
}

/* Those of the plan, and those that stand at a stop yet. Needs the lock. */
static void vans_follow(struct ht_underway *underway, const struct ht_planner_plan *plan)
{
    for (size_t i = 0; i < underway->van_count; i++) {
        underway->vans[i].routed = false;
    }
    for (uint32_t r = 0; plan != NULL && r < plan->route_count; r++) {
        struct ht__van *van = ht__underway_van(underway, plan->routes[r].unit);
        van = van == NULL ? ht__underway_van_add(underway, plan->routes[r].unit) : van;
        if (van != NULL) {
            van->routed = true;
            van->recalled = false;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < underway->van_count; i++) {
        struct ht__van *van = &underway->vans[i];
        van->recalled = van->recalled && plan == NULL;
        if (!van->routed && !van->progress.at && !van->recalled) {
            free(van->way);
            continue;
        }
        underway->vans[kept++] = *van;
    }
    underway->van_count = kept;
    ht__underway_watch(underway);
}

bool ht_underway_progress(struct ht_underway *underway, const char *unit, struct ht_progress *out)
{
    if (underway == NULL) {
        return false;
    }
    (void)pthread_mutex_lock(&underway->lock);
    const struct ht__van *van = ht__underway_van(underway, unit);
    if (van != NULL) {
        *out = van->progress;
    }
    (void)pthread_mutex_unlock(&underway->lock);
    return van != NULL;
}

uint32_t ht_underway_first_ms(struct ht_underway *underway, const char *unit)
{
    uint32_t first_ms = UINT32_MAX;
    if (underway == NULL) {
        return first_ms;
    }
    int64_t now_ms = ht_clock_now_ms(&underway->app->clock);
    (void)pthread_mutex_lock(&underway->lock);
    const struct ht__van *van = ht__underway_van(underway, unit);
    if (van != NULL && van->first_ms != UINT32_MAX) {
        int64_t left_ms = van->first_ms - (now_ms - van->first_at_ms);
        first_ms = left_ms > 0 ? (uint32_t)left_ms : 0;
    }
    (void)pthread_mutex_unlock(&underway->lock);
    return first_ms;
}

void ht_underway_stats_read(struct ht_underway *underway, struct ht_underway_stats *out)
{
    (void)pthread_mutex_lock(&underway->lock);
    *out = underway->stats;
    (void)pthread_mutex_unlock(&underway->lock);
}

/* ---- what is told of what was recognized ---- */

static void moment_write(struct ht_json *json, const char *key, int64_t at_ms)
{
    char text[HT_TIME_TEXT_SIZE];
    ht_time_format(at_ms, text);
    ht_json_key_text(json, key, text);
}

void ht_underway_write(struct ht_json *json, const struct ht_progress *progress)
{
    if (progress->at) {
        ht_json_key(json, "at");
        ht_json_object(json);
        ht_json_key(json, "lon");
        ht_json_fixed(json, progress->stop.lon_e7, 7);
        ht_json_key(json, "lat");
        ht_json_fixed(json, progress->stop.lat_e7, 7);
        moment_write(json, "since", progress->since_ms);
        ht_json_key_text(json, "by", progress->told ? "driver" : "position");
        ht_json_object_end(json);
    }
    ht_json_key_bool(json, "off_route", progress->off);
    if (progress->off) {
        moment_write(json, "off_route_since", progress->off_ms);
    }
}

const char *ht__underway_kind(enum ht_progress_kind kind)
{
    static const char *const kinds[] = {[HT_PROGRESS_ARRIVED] = "stop.arrived",
                                        [HT_PROGRESS_LEFT] = "stop.left",
                                        [HT_PROGRESS_SKIPPED] = "stop.skipped",
                                        [HT_PROGRESS_OFF] = "stop.off_route",
                                        [HT_PROGRESS_ON] = "stop.on_route"};
    return kinds[kind];
}

/* What was to be done at a place. */
static void place_write(struct ht_json *json, const struct ht_planner_ahead *ahead,
                        struct ht_point place)
{
    const char *kitchen = NULL;
    ht_json_key(json, "orders");
    ht_json_array(json);
    for (uint32_t i = 0; i < ahead->count; i++) {
        const struct ht_planner_stop *stop = ahead->list[i].stop;
        if (!ht_planner_same_place(stop->point, place)) {
            continue;
        }
        if (stop->loads) {
            kitchen = stop->id;
        } else {
            ht_json_text(json, stop->id);
        }
    }
    ht_json_array_end(json);
    if (kitchen != NULL) {
        ht_json_key_text(json, "kitchen", kitchen);
    }
    ht_json_key_text(json, "kind", kitchen != NULL ? "load" : "order");
}

bool ht__underway_body(struct ht_buffer *out, const char *unit,
                       const struct ht_planner_ahead *ahead, const struct ht_progress_event *event,
                       bool told)
{
    struct ht_json json;
    bool of_stop = event->kind <= HT_PROGRESS_SKIPPED;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    ht_json_key_text(&json, "unit", unit);
    if (of_stop) {
        place_write(&json, ahead, event->stop);
    }
    moment_write(&json, "at", event->at_ms);
    if (event->kind == HT_PROGRESS_LEFT || event->kind == HT_PROGRESS_ON) {
        moment_write(&json, "since", event->since_ms);
    }
    ht_json_key_text(&json, "by", told ? "driver" : "position");
    ht_json_object_end(&json);
    ht_buffer_append(out, "", 1);
    return !out->failed;
}

static void note_add(struct ht_underway *underway, const struct ht__van *van,
                     const struct ht_planner_ahead *ahead, const struct ht_progress_event *event)
{
    struct ht_buffer body = {0};
    void *notes = underway->notes;
    if (underway->note_count == NOTES_MOST ||
        ht_array_reserve(&notes, &underway->note_capacity, underway->note_count + 1,
                         sizeof *underway->notes) != HT_OK) {
        return;
    }
    underway->notes = notes;
    if (!ht__underway_body(&body, van->unit, ahead, event, false)) {
        ht_buffer_deinit(&body);
        return;
    }
    struct ht__note *note = &underway->notes[underway->note_count++];
    (void)snprintf(note->kind, sizeof note->kind, "%s", ht__underway_kind(event->kind));
    (void)snprintf(note->unit, sizeof note->unit, "%s", van->unit);
    note->what = event->kind;
    note->stop = event->stop;
    note->body = body.data;
}

/* ---- what is learned of it ---- */

static void arrived(struct ht_underway *underway, struct ht__van *van,
                    const struct ht_planner_ahead *ahead, const struct ht_progress_event *event)
{
    if (van->leg_ms > 0 && ht_planner_same_place(van->leg_to, event->stop)) {
        ht_arrivals_drove(underway->app->arrivals, van->leg_ms, event->at_ms - van->leg_from_ms);
    }
    van->leg_ms = 0;
    van->left = false;
    van->planned_ms = 0;
    van->from_ms = event->at_ms;
    for (uint32_t i = 0; i < ahead->count; i++) {
        const struct ht_planner_stop *stop = ahead->list[i].stop;
        if (ht_planner_same_place(stop->point, event->stop)) {
            van->compound = van->planned_ms == 0 ? stop->compound : van->compound;
            van->planned_ms += stop->park_ms + (int64_t)stop->service_ms;
            van->from_ms = stop->not_before_ms > van->from_ms ? stop->not_before_ms : van->from_ms;
        }
    }
}

void ht__underway_learn(struct ht_underway *underway, struct ht__van *van,
                        const struct ht_planner_ahead *ahead, const struct ht_progress_event *event)
{
    van->due = true;
    switch (event->kind) {
    case HT_PROGRESS_ARRIVED:
        underway->stats.arrivals++;
        arrived(underway, van, ahead, event);
        break;
    case HT_PROGRESS_LEFT:
        if (van->planned_ms > 0) {
            ht_arrivals_served(underway->app->arrivals, van->compound, van->planned_ms,
                               event->at_ms - van->from_ms);
        }
        van->planned_ms = 0;
        van->left = true;
        break;
    case HT_PROGRESS_SKIPPED:
        underway->stats.skipped++;
        break;
    case HT_PROGRESS_OFF:
        underway->stats.strayed++;
        van->leg_ms = 0; /* that is no way to learn from */
        break;
    case HT_PROGRESS_ON:
    default:
        break;
    }
}

uint32_t ht__underway_points(const struct ht_planner_ahead *ahead, struct ht_point *stops)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ahead->count; i++) {
        struct ht_point point = ahead->list[i].stop->point;
        if (count == 0 || !ht_planner_same_place(stops[count - 1], point)) {
            stops[count++] = point;
        }
    }
    return count;
}

/* ---- positions ---- */

/* A kitchen is come back to by driving: one at which the van stands from before is no load that
 * lies behind others. */
static void stood_note(struct ht__van *van, const struct ht_planner_ahead *ahead,
                       const struct ht_progress_fix *fix)
{
    double doubt_m = fix->accuracy_m > 0 ? fix->accuracy_m : 0;
    const struct ht_planner_stop *next = ahead->count > 0 ? ahead->list[0].stop : NULL;
    if (van->stood && ht_distance_m(fix->point, van->stood_at) > HT_PROGRESS_LEAVE_M + doubt_m) {
        van->stood = false;
    }
    if (van->progress.ts_ms == 0) {
        van->stood = true;
        van->stood_at = fix->point;
    } else if (next != NULL && next->loads &&
               ht_distance_m(fix->point, next->point) <= HT_PROGRESS_NEAR_M) {
        van->stood = true;
        van->stood_at = next->point;
    }
}

/* Each place once in a row, as ht__underway_points, without where it stands from before. */
static uint32_t points_to_come(const struct ht__van *van, const struct ht_planner_ahead *ahead,
                               struct ht_point *stops)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < ahead->count; i++) {
        const struct ht_planner_stop *stop = ahead->list[i].stop;
        bool stands = van->stood && stop->loads &&
                      !ht_planner_same_place(stop->point, ahead->list[0].stop->point) &&
                      ht_distance_m(stop->point, van->stood_at) <= HT_PROGRESS_LEAVE_M;
        if (!stands && (count == 0 || !ht_planner_same_place(stops[count - 1], stop->point))) {
            stops[count++] = stop->point;
        }
    }
    return count;
}

/* A van's positions of this tick, in the order in which they came. */
static void van_see(struct ht_underway *underway, const struct ht_planner_plan *plan,
                    struct ht__van *van, const struct ht__seen *seen, size_t count)
{
    struct ht_progress_event events[HT_PROGRESS_EVENTS];
    struct ht_planner_ahead ahead;
    const struct ht_planner_here here = {van->progress.at, van->progress.stop,
                                         van->progress.since_ms};
    if (ht_planner_ahead_make(underway->app, ht_planner_plan_route(plan, van->unit), &here,
                              &ahead) != HT_OK) {
        return;
    }
    struct ht_point *stops = ht_array_new(ahead.count, sizeof *stops);
    if (stops != NULL) {
        for (size_t i = 0; i < count; i++) {
            if (seen[i].unit.number != van->live.number ||
                seen[i].unit.generation != van->live.generation) {
                continue;
            }
            stood_note(van, &ahead, &seen[i].fix);
            const struct ht_progress_ahead before = {stops, points_to_come(van, &ahead, stops),
                                                     van->way, van->way_count};
            size_t told = ht_progress_see(&van->progress, &seen[i].fix, &before, events);
            van->due = true;
            underway->stats.positions++;
            for (size_t e = 0; e < told; e++) {
                ht__underway_learn(underway, van, &ahead, &events[e]);
                note_add(underway, van, &ahead, &events[e]);
            }
        }
    }
    free(stops);
    ht_planner_ahead_deinit(&ahead);
}

/* All that waits. */
static void ring_take(struct ht_underway *underway, const struct ht_planner_plan *plan)
{
    (void)pthread_mutex_lock(&underway->lock);
    size_t count = underway->ring_count;
    for (size_t v = 0; v < underway->van_count && underway->note_count == 0; v++) {
        underway->vans[v].said_count = 0; /* nothing waits that could be the same */
    }
    struct ht__seen *seen = ht_array_new(count, sizeof *seen);
    for (size_t i = 0; seen != NULL && i < count; i++) {
        seen[i] = underway->ring[(underway->ring_first + i) % RING];
    }
    if (seen != NULL) {
        underway->ring_first = (underway->ring_first + count) % RING;
        underway->ring_count = 0;
    }
    for (size_t v = 0; seen != NULL && count > 0 && v < underway->van_count; v++) {
        van_see(underway, plan, &underway->vans[v], seen, count);
    }
    (void)pthread_mutex_unlock(&underway->lock);
    free(seen);
}

/* ---- writing ---- */

struct writing {
    struct ht_job job;
    struct ht_underway *underway;
    bool failed;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool over;
};

/* Whether the driver's word has written what was recognized meanwhile. */
static bool is_said(struct ht_underway *underway, const struct ht__note *note)
{
    bool said = false;
    (void)pthread_mutex_lock(&underway->lock);
    const struct ht__van *van = ht__underway_van(underway, note->unit);
    for (size_t i = 0; van != NULL && i < van->said_count; i++) {
        said = said || (van->said[i].kind == note->what &&
                        ht_planner_same_place(van->said[i].stop, note->stop));
    }
    (void)pthread_mutex_unlock(&underway->lock);
    return said;
}

static void writing_run(struct ht_job *job, void *worker)
{
    struct writing *writing = (struct writing *)job;
    struct ht_underway *underway = writing->underway;
    struct ht_commit *commit = underway->app->commit;
    char subject[HT_UNIT_ID_MAX + 8];
    enum ht_status status = HT_OK;
    (void)worker;
    for (size_t i = 0; status == HT_OK && i < underway->note_count; i++) {
        const struct ht__note *note = &underway->notes[i];
        if (is_said(underway, note)) {
            continue;
        }
        (void)snprintf(subject, sizeof subject, "units/%s", note->unit);
        const struct ht_store_event event = {.at_ms = ht_clock_now_ms(&underway->app->clock),
                                             .actor = "houtao",
                                             .kind = note->kind,
                                             .subject = subject,
                                             .body = note->body};
        status = ht_store_event_append(ht_commit_tx(commit), &event, NULL, NULL);
    }
    writing->failed = status != HT_OK;
    if (writing->failed) {
        ht_commit_take_back(commit);
    }
}

static void writing_done(struct ht_job *job, void *worker, enum ht_status outcome)
{
    struct writing *writing = (struct writing *)job;
    (void)worker;
    (void)pthread_mutex_lock(&writing->lock);
    writing->failed = writing->failed || outcome != HT_OK;
    writing->over = true;
    (void)pthread_cond_signal(&writing->wake);
    (void)pthread_mutex_unlock(&writing->lock);
}

static void notes_clear(struct ht_underway *underway)
{
    for (size_t i = 0; i < underway->note_count; i++) {
        free(underway->notes[i].body);
    }
    underway->note_count = 0;
}

/* What can't be written now is tried again with the next tick. */
static void notes_write(struct ht_underway *underway)
{
    struct writing writing = {.underway = underway, .failed = true};
    if (underway->note_count == 0) {
        return;
    }
    writing.job = (struct ht_job){.run = writing_run, .done = writing_done};
    (void)pthread_mutex_init(&writing.lock, NULL);
    (void)pthread_cond_init(&writing.wake, NULL);
    if (ht_commit_submit(underway->app->commit, &writing.job)) {
        (void)pthread_mutex_lock(&writing.lock);
        while (!writing.over) {
            (void)pthread_cond_wait(&writing.wake, &writing.lock);
        }
        (void)pthread_mutex_unlock(&writing.lock);
    }
    (void)pthread_cond_destroy(&writing.wake);
    (void)pthread_mutex_destroy(&writing.lock);
    if (!writing.failed) {
        notes_clear(underway);
    }
}

/* ---- the thread ---- */

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Whoever was not reckoned for long, and all where plan or orders are others. Needs the lock. */
static void vans_mark(struct ht_underway *underway, const struct ht_planner_plan *plan)
{
    uint64_t changes = ht_orders_changes(ht_orders_room_orders(underway->app->orders));
    bool all = plan != underway->looked_plan || changes != underway->looked_changes ||
               atomic_load(&underway->app->lockstep); /* the machine's time says nothing then */
    int64_t now_ms = steady_ms();
    underway->looked_plan = plan;
    underway->looked_changes = changes;
    for (size_t i = 0; i < underway->van_count; i++) {
        struct ht__van *van = &underway->vans[i];
        van->due = van->due || all || now_ms - van->reckoned_ms >= AGAIN_MS;
        van->reckoned_ms = van->due ? now_ms : van->reckoned_ms;
    }
}

static void tick(struct ht_underway *underway)
{
    struct ht_planner_plan *plan = ht_planner_now(underway->app->planner);
    (void)pthread_mutex_lock(&underway->lock);
    vans_follow(underway, plan);
    (void)pthread_mutex_unlock(&underway->lock);
    ring_take(underway, plan);
    notes_write(underway);
    (void)pthread_mutex_lock(&underway->lock);
    vans_mark(underway, plan);
    (void)pthread_mutex_unlock(&underway->lock);
    ht__underway_reckon(underway, plan);
    ht_planner_plan_release(plan);
    if (steady_ms() - underway->judged_ms >= JUDGE_MS || atomic_load(&underway->app->lockstep)) {
        underway->judged_ms = steady_ms();
        ht__underway_judge(underway);
    }
    ht_arrivals_save(underway->app->arrivals, false);
}

/* False: to be ended. */
static bool sleep_ms(struct ht_underway *underway, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = ns % 1000000000;
    (void)pthread_mutex_lock(&underway->lock);
    if (!underway->stop && underway->looks_wanted == underway->looks_done) {
        (void)pthread_cond_timedwait(&underway->wake, &underway->lock, &until);
    }
    bool goes_on = !underway->stop;
    (void)pthread_mutex_unlock(&underway->lock);
    return goes_on;
}

static void *underway_main(void *user)
{
    struct ht_underway *underway = user;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* on Linux this thread's alone */
    while (sleep_ms(underway, TICK_MS)) {
        (void)pthread_mutex_lock(&underway->lock);
        uint64_t wanted = underway->looks_wanted;
        bool waits = wanted != underway->looks_done;
        (void)pthread_mutex_unlock(&underway->lock);
        if (waits || !atomic_load(&underway->app->lockstep)) {
            tick(underway);
        }
        (void)pthread_mutex_lock(&underway->lock);
        underway->looks_done = wanted;
        (void)pthread_cond_broadcast(&underway->wake);
        (void)pthread_mutex_unlock(&underway->lock);
    }
    ht__underway_judge(underway);
    ht_arrivals_save(underway->app->arrivals, true);
    return NULL;
}

/* ---- the door ---- */

enum ht_status ht_underway_new(struct ht_app *app, struct ht_underway **out)
{
    pthread_condattr_t steady;
    void *context = NULL;
    struct ht_underway *underway = calloc(1, sizeof *underway);
    if (underway == NULL) {
        return HT_NOMEM;
    }
    underway->app = app;
    (void)pthread_mutex_init(&underway->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&underway->wake, &steady);
    (void)pthread_condattr_destroy(&steady);
    underway->ring = ht_array_new(RING, sizeof *underway->ring);
    enum ht_status status = underway->ring == NULL ? HT_NOMEM : ht__app_context_new(app, &context);
    underway->context = context;
    if (status == HT_OK) {
        status = ht__underway_recall(underway);
    }
    if (status != HT_OK) {
        ht_underway_free(underway);
        return status;
    }
    *out = underway;
    return HT_OK;
}

enum ht_status ht_underway_start(struct ht_underway *underway)
{
    underway->started = pthread_create(&underway->thread, NULL, underway_main, underway) == 0;
    return underway->started ? HT_OK : HT_NOMEM;
}

void ht_underway_obey(struct ht_underway *underway)
{
    if (underway == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&underway->lock);
    uint64_t wanted = ++underway->looks_wanted;
    (void)pthread_cond_broadcast(&underway->wake);
    while (underway->started && !underway->stop && underway->looks_done < wanted) {
        (void)pthread_cond_wait(&underway->wake, &underway->lock);
    }
    (void)pthread_mutex_unlock(&underway->lock);
}

void ht_underway_stop(struct ht_underway *underway)
{
    if (underway == NULL || !underway->started) {
        return;
    }
    (void)pthread_mutex_lock(&underway->lock);
    underway->stop = true;
    (void)pthread_cond_broadcast(&underway->wake);
    (void)pthread_mutex_unlock(&underway->lock);
    (void)pthread_join(underway->thread, NULL);
    underway->started = false;
}

void ht_underway_free(struct ht_underway *underway)
{
    if (underway == NULL) {
        return;
    }
    ht_underway_stop(underway);
    for (size_t i = 0; i < underway->van_count; i++) {
        free(underway->vans[i].way);
    }
    notes_clear(underway);
    ht__underway_kept_free(underway);
    if (underway->context != NULL) {
        ht__app_context_free(underway->context);
    }
    free(underway->notes);
    free(underway->vans);
    free(underway->ring);
    (void)pthread_cond_destroy(&underway->wake);
    (void)pthread_mutex_destroy(&underway->lock);
    free(underway);
}
