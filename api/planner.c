#include "api/planner.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "api/live.h"
#include "api/orders_room.h"
#include "api/planner_scene.h"
#include "engine/base/array.h"

enum {
    LOOK_MS = 50,
    GATHER_MS = 50, /* what comes within is planned for at once */
    AGAIN_MS = 30000,
    RETRY_MS = 2000,
    FIRST_MS = 150,  /* of the first one where much is not planned yet: that it is counts most */
    LIMIT_MS = 1000, /* of a search: with what comes before and after it two seconds */
    LEAST_MS = 150,  /* where the clock runs fast */
    FIRST_PART = 4,  /* much: this part of all */
    ITERATIONS = 20000,
    ITERATIONS_EACH = 1000, /* for an order */
    LOCKSTEP_ITERATIONS = 1000,
    LOCKSTEP_EACH = 20,
    NICE = 10
};
#define MINUTE_MS INT64_C(60000)

struct ht_planner {
    struct ht_app *app;
    struct ht_world_reader world;
    struct ht_live_work *work;
    pthread_mutex_t lock; /* guards what is below, down to `stop` */
    pthread_cond_t wake;
    struct ht_planner_plan *plan;
    struct ht_planner_stats stats;
    uint64_t looks_wanted; /* ht_planner_obey */
    uint64_t looks_done;
    bool stop; /* also read and written atomically, by the search */
    pthread_t thread;
    bool started;
};

static int64_t steady_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* False: to be ended. */
static bool sleep_ms(struct ht_planner *planner, int64_t wait_ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = ns % 1000000000;
    (void)pthread_mutex_lock(&planner->lock);
    if (!planner->stop && planner->looks_wanted == planner->looks_done) {
        (void)pthread_cond_timedwait(&planner->wake, &planner->lock, &until);
    }
    bool goes_on = !planner->stop;
    (void)pthread_mutex_unlock(&planner->lock);
    return goes_on;
}

/* ---- what a plan has to know of ---- */

struct sight {
    uint64_t orders;
    uint64_t rules;
    uint64_t vans;
    uint64_t streets;
    uint64_t settings;
    int64_t minute;
};

/* Tells one set of vans, their being off and their duties from another. */
static uint64_t vans_sum(struct ht_app *app)
{
    struct ht_fleet *fleet = ht_live_fleet(app->live);
    const struct ht_unit_filter filter = {.kinds = UINT32_C(1) << HT_UNIT_VAN,
                                          .statuses = UINT32_C(1) << HT_UNIT_IDLE |
                                                      UINT32_C(1) << HT_UNIT_BUSY,
                                          .heard_ms = INT64_MIN};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < ht_fleet_end(fleet); i++) {
        int64_t from_ms = 0;
        int64_t until_ms = 0;
        if (ht_fleet_matches(fleet, i, &filter)) {
            bool any = ht_fleet_duty(fleet, i, &from_ms, &until_ms);
            uint64_t mixed = (i + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
            mixed ^= any ? (uint64_t)from_ms * 31 + (uint64_t)until_ms : 1;
            sum += (mixed ^ mixed >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
        }
    }
    return sum;
}

static uint64_t settings_sum(const struct ht_settings *settings)
{
    uint64_t sum = 0;
    for (int i = HT_SETTING_PLANNER_RUN; i < HT_SETTING_FIELDS; i++) {
        int64_t value = ht_setting(settings, (enum ht_setting_field)i);
        sum = (sum ^ (uint64_t)value) * UINT64_C(0x100000001b3) + 1;
    }
    return sum;
}

static struct sight look(struct ht_planner *planner)
{
    struct ht_app *app = planner->app;
    struct sight sight = {.orders = ht_orders_changes(ht_orders_room_orders(app->orders)),
                          .rules = ht_orders_room_rules_version(app->orders),
                          .vans = vans_sum(app),
                          .settings = settings_sum(&app->settings),
                          .minute = ht_clock_now_ms(&app->clock) / MINUTE_MS};
    (void)ht_world_reader_get(&planner->world);
    sight.streets = planner->world.generation;
    ht_world_reader_rest(&planner->world);
    return sight;
}

static bool same(const struct sight *a, const struct sight *b)
{
    return a->orders == b->orders && a->rules == b->rules && a->vans == b->vans &&
           a->streets == b->streets && a->settings == b->settings && a->minute == b->minute;
}

/* ---- a plan ---- */

static void plan_publish(struct ht_planner *planner, struct ht_planner_plan *plan)
{
    (void)pthread_mutex_lock(&planner->lock);
    struct ht_planner_plan *old = planner->plan;
    planner->plan = plan;
    (void)pthread_mutex_unlock(&planner->lock);
    ht_planner_plan_release(old);
}

/* A plan that its orders wait for. */
struct keeping {
    struct ht_planner *planner;
    struct ht_planner_plan *plan; /* NULL: it is published */
};

/* Who reads of an order that it is planned finds it in the plan. */
static void plan_committed(void *user)
{
    struct keeping *keeping = user;
    plan_publish(keeping->planner, keeping->plan);
    keeping->plan = NULL;
}

static enum ht_status plan_keep(struct ht_planner *planner, const struct ht_planner_scene *scene,
                                const struct ht_day_plan *day, struct ht_error *error)
{
    struct keeping keeping = {.planner = planner};
    struct ht_planner_rows rows = {0};
    struct ht_orders_room_planning planning = {.committed = plan_committed, .user = &keeping};
    enum ht_status status = ht_planner_plan_new(scene, day, &keeping.plan);
    if (status == HT_OK) {
        status = ht_planner_plan_rows(scene, day, keeping.plan, planner->app->arrivals, &rows);
    }
    if (status == HT_OK) {
        planning.rows = rows.list;
        planning.count = rows.count;
        status = ht_orders_room_plan(planner->app->orders, &planning, error);
    }
    if (status == HT_OK) {
        (void)pthread_mutex_lock(&planner->lock);
        planner->stats.passed_over = planning.passed_over;
        (void)pthread_mutex_unlock(&planner->lock);
    }
    ht_planner_plan_release(keeping.plan);
    free(rows.list);
    return status;
}

/* Of the two plans where much is new. */
enum turn { ANY, FIRST, SECOND };

/* Whether nobody has looked at much of it yet. */
static bool is_new(const struct ht_planner_scene *scene)
{
    uint32_t count = 0;
    for (uint32_t o = 0; o < scene->order_count; o++) {
        count += scene->orders[o]->state == HT_ORDER_IS_RECEIVED &&
                 scene->orders[o]->unplanned == HT_ORDER_LACKS_NONE;
    }
    return count > scene->order_count / FIRST_PART;
}

/* Of one that nobody has acted upon yet as long as is good for it; later ones as long by the town's
 * clock, whatever its speed: what is planned is late by that. */
static int64_t limit_of(const struct ht_planner *planner, enum turn turn)
{
    double speed = planner->app->clock.speed;
    double limit_ms = LIMIT_MS / (speed > 1 ? speed : 1);
    return turn == FIRST    ? FIRST_MS
           : turn == SECOND ? LIMIT_MS
                            : (int64_t)(limit_ms > LEAST_MS ? limit_ms : LEAST_MS);
}

static enum ht_status plan_search(struct ht_planner *planner, const struct ht_planner_scene *scene,
                                  enum turn *turn, struct ht_error *error)
{
    struct ht_day_plan *day = NULL;
    bool lockstep = atomic_load(&planner->app->lockstep);
    uint64_t orders = scene->order_count;
    if (*turn == ANY && !lockstep && is_new(scene)) {
        *turn = FIRST;
    }
    const struct ht_day_options options = {
        .limit_ms = lockstep ? 0 : limit_of(planner, *turn),
        .iterations = lockstep ? LOCKSTEP_ITERATIONS + LOCKSTEP_EACH * orders
                               : ITERATIONS + ITERATIONS_EACH * orders,
        .threads = 1,
        .seed = 1,
        .cancel = &planner->stop};
    enum ht_status status = ht_day_run(&scene->problem, &options, &day, error);
    if (status == HT_OK) {
        status = plan_keep(planner, scene, day, error);
    }
    ht_day_free(day);
    return status;
}

static enum ht_status plan_make(struct ht_planner *planner, enum turn *turn, struct ht_error *error)
{
    struct ht_planner_scene scene;
    struct ht_world *world = ht_world_reader_get(&planner->world);
    if (world == NULL) {
        return HT_OK; /* another look follows when there is one */
    }
    if (ht_setting(&planner->app->settings, HT_SETTING_PLANNER_RUN) == 0) {
        plan_publish(planner, NULL);
        return HT_OK;
    }
    const struct ht_planner_sources sources = {planner->app, world, planner->work, planner->plan,
                                               &planner->stop};
    enum ht_status status = ht_planner_scene_make(&sources, &scene, error);
    ht_world_reader_rest(&planner->world);
    ht_live_work_rest(planner->work);
    if (status == HT_OK && scene.planned && scene.order_count + scene.left_out_count > 0) {
        status = plan_search(planner, &scene, turn, error);
    } else if (status == HT_OK) {
        plan_publish(planner, NULL);
    }
    ht_planner_scene_deinit(&scene);
    return status;
}

static bool plan_run(struct ht_planner *planner)
{
    struct ht_error error = {0};
    int64_t begun_ms = steady_ms();
    enum turn turn = ANY;
    enum ht_status status = plan_make(planner, &turn, &error);
    if (status == HT_OK && turn == FIRST) { /* it stands; now it is made better */
        turn = SECOND;
        status = plan_make(planner, &turn, &error);
    }
    (void)pthread_mutex_lock(&planner->lock);
    planner->stats.plans += status == HT_OK ? 1 : 0;
    planner->stats.failures += status == HT_OK || status == HT_CANCELLED ? 0 : 1;
    planner->stats.last_ms = steady_ms() - begun_ms;
    (void)pthread_mutex_unlock(&planner->lock);
    return status == HT_OK;
}

/* Which look was wanted last; `*waits`: somebody waits for it. */
static uint64_t look_wanted(struct ht_planner *planner, bool *waits)
{
    (void)pthread_mutex_lock(&planner->lock);
    uint64_t wanted = planner->looks_wanted;
    *waits = wanted != planner->looks_done;
    (void)pthread_mutex_unlock(&planner->lock);
    return wanted;
}

static void look_done(struct ht_planner *planner, uint64_t wanted)
{
    (void)pthread_mutex_lock(&planner->lock);
    planner->looks_done = wanted;
    (void)pthread_cond_broadcast(&planner->wake);
    (void)pthread_mutex_unlock(&planner->lock);
}

static void *planner_work(void *user)
{
    struct ht_planner *planner = user;
    struct sight seen = {.minute = -1};
    int64_t made_ms = steady_ms();
    bool good = true;
    (void)setpriority(PRIO_PROCESS, 0, NICE); /* on Linux this thread's, and of those it makes */
    while (sleep_ms(planner, good ? LOOK_MS : RETRY_MS)) {
        bool waits = false;
        uint64_t wanted = look_wanted(planner, &waits);
        bool lockstep = atomic_load(&planner->app->lockstep);
        struct sight now = look(planner);
        bool old = !lockstep && steady_ms() - made_ms >= AGAIN_MS;
        good = true;
        if ((lockstep && !waits) || (same(&now, &seen) && !old)) {
            look_done(planner, wanted);
            continue;
        }
        if (!lockstep && !sleep_ms(planner, GATHER_MS)) {
            break;
        }
        now = look(planner); /* what comes from here on is for the next plan */
        good = plan_run(planner);
        if (good) {
            seen = now;
            made_ms = steady_ms();
        }
        look_done(planner, wanted);
    }
    return NULL;
}

/* ---- the door ---- */

enum ht_status ht_planner_new(struct ht_app *app, struct ht_planner **out)
{
    pthread_condattr_t steady;
    struct ht_planner *planner = calloc(1, sizeof *planner);
    if (planner == NULL) {
        return HT_NOMEM;
    }
    planner->app = app;
    if (ht_live_work_new(app->live, &planner->work) != HT_OK) {
        free(planner);
        return HT_NOMEM;
    }
    ht_world_reader_init(&planner->world, app->slot);
    (void)pthread_mutex_init(&planner->lock, NULL);
    (void)pthread_condattr_init(&steady);
    (void)pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&planner->wake, &steady);
    (void)pthread_condattr_destroy(&steady);
    planner->started = pthread_create(&planner->thread, NULL, planner_work, planner) == 0;
    if (!planner->started) {
        ht_planner_free(planner);
        return HT_NOMEM;
    }
    *out = planner;
    return HT_OK;
}

void ht_planner_stop(struct ht_planner *planner)
{
    if (planner == NULL || !planner->started) {
        return;
    }
    (void)pthread_mutex_lock(&planner->lock);
    __atomic_store_n(&planner->stop, true, __ATOMIC_RELAXED);
    (void)pthread_cond_broadcast(&planner->wake);
    (void)pthread_mutex_unlock(&planner->lock);
    (void)pthread_join(planner->thread, NULL);
    planner->started = false;
}

void ht_planner_free(struct ht_planner *planner)
{
    if (planner == NULL) {
        return;
    }
    ht_planner_stop(planner);
    ht_planner_plan_release(planner->plan);
    ht_world_reader_deinit(&planner->world);
    ht_live_work_free(planner->work);
    (void)pthread_cond_destroy(&planner->wake);
    (void)pthread_mutex_destroy(&planner->lock);
    free(planner);
}

void ht_planner_obey(struct ht_planner *planner)
{
    (void)pthread_mutex_lock(&planner->lock);
    uint64_t wanted = ++planner->looks_wanted;
    (void)pthread_cond_broadcast(&planner->wake);
    while (!planner->stop && planner->looks_done < wanted) {
        (void)pthread_cond_wait(&planner->wake, &planner->lock);
    }
    (void)pthread_mutex_unlock(&planner->lock);
}

struct ht_planner_plan *ht_planner_now(struct ht_planner *planner)
{
    (void)pthread_mutex_lock(&planner->lock);
    struct ht_planner_plan *plan = planner->plan;
    if (plan != NULL) {
        ht_planner_plan_retain(plan);
    }
    (void)pthread_mutex_unlock(&planner->lock);
    return plan;
}

void ht_planner_stats_read(struct ht_planner *planner, struct ht_planner_stats *out)
{
    (void)pthread_mutex_lock(&planner->lock);
    *out = planner->stats;
    (void)pthread_mutex_unlock(&planner->lock);
}
