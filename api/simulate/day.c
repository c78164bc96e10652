#include "api/simulate/day.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "api/zone.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define MINUTE_MS INT64_C(60000)

enum {
    TELL_EVERY_MS = 10 * 60000,
    NONSENSE_EVERY_MS = 5 * 60000,
    LEFTOVERS_PAGES = 20,
    TICK_LEAST_US = 100000, /* where the clock runs by itself it is looked at so often */
};

/* How time goes. */
enum pace {
    LOCKSTEP, /* the simulator pushes the clock on, and the server waits */
    PUSHED,   /* likewise, as fast as was asked, and the server goes by itself */
    FOLLOWED  /* the clock runs */
};

struct running {
    struct ht_sim sim;
    enum pace pace;
    double speed; /* of the town's time; of LOCKSTEP 0 */
    bool is_virtual;
    double clock_speed;
    bool clock_seen;
    int64_t begun_us;
    int64_t next_us; /* when the next step is due, by the machine's clock */
    int64_t told_ms;
    int64_t nonsense_ms;
    uint32_t nonsense;
    struct ht_error *error;
};

static int64_t steady_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void sleep_until(int64_t at_us)
{
    const struct timespec until = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static bool is_stopped(const struct running *running)
{
    const volatile int *stop = running->sim.options->stop;
    return stop != NULL && *stop != 0;
}

/* ---- for the rooms ---- */

void ht_sim_add_moment(struct ht_text *text, int64_t ms)
{
    char moment[HT_TIME_TEXT_SIZE];
    ht_time_format(ms, moment);
    ht_text_addf(text, "\"%s\"", moment);
}

void ht_sim_send_keyed(struct ht_sim *sim, struct ht_sim_ask *ask, struct ht_sim_chaos *chaos,
                       struct ht_sim_dice *dice)
{
    struct ht_sim_ask *again = NULL;
    (void)snprintf(ask->key, sizeof ask->key, "%s-%llu", sim->run, (unsigned long long)sim->made++);
    if (ht_sim_chaos_again(chaos, dice)) {
        again = ht_sim_ask_new(sim->client, ask->call, ask->method, "%s", ask->path);
        again->lane = ask->lane;
        memcpy(again->key, ask->key, sizeof ask->key);
        ht_text_add(&again->body, ht_text_string(&ask->body), ask->body.size);
    }
    ht_sim_ask_send(sim->client, ask);
    if (again != NULL) {
        ht_sim_ask_send(sim->client, again);
    }
}

/* ---- the clock ---- */

static void clock_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    struct running *running = user;
    yajl_val tree = answer->status == 200 ? ht_json_tree_read(answer->body, answer->size) : NULL;
    int64_t now_ms = ht_sim_moment_ms(tree, "now");
    running->clock_seen = now_ms != 0;
    if (now_ms == 0) {
        (void)ht_error_set(running->error, HT_INVALID, 0, "%s %s: answered with status %d: %.120s",
                           ask->method, ask->path, answer->status, answer->body);
    } else {
        running->sim.now_ms = now_ms;
        running->is_virtual = ht_sim_flag(tree, "virtual");
        running->clock_speed = ht_sim_number(tree, "speed", 1);
        ht_sim_client_time(running->sim.client, now_ms);
    }
    yajl_tree_free(tree);
}

static enum ht_status run_all(struct running *running)
{
    enum ht_status status =
        ht_sim_client_run(running->sim.client, running->sim.options->stop, running->error);
    return status == HT_OK && running->sim.failed
               ? ht_error_set(running->error, HT_NOMEM, 0, "out of memory")
               : status;
}

static enum ht_status clock_ask(struct running *running, struct ht_sim_ask *ask)
{
    ask->done = clock_taken;
    ask->user = running;
    running->clock_seen = false;
    ht_sim_ask_send(running->sim.client, ask);
    enum ht_status status = run_all(running);
    return status != HT_OK ? status : running->clock_seen ? HT_OK : HT_INVALID;
}

static enum ht_status clock_look(struct running *running)
{
    return clock_ask(running,
                     ht_sim_ask_new(running->sim.client, HT_SIM_CALL_CLOCK, "GET", "/v1/clock"));
}

/* `lockstep`: NULL: as it is. */
static enum ht_status clock_push(struct running *running, double seconds, const char *lockstep)
{
    struct ht_sim_ask *ask =
        ht_sim_ask_new(running->sim.client, HT_SIM_CALL_CLOCK, "POST", "/v1/clock");
    ht_text_addf(&ask->body, "{\"advance_s\":%.3f", seconds);
    if (lockstep != NULL) {
        ht_text_addf(&ask->body, ",\"lockstep\":%s", lockstep);
    }
    ht_text_add_char(&ask->body, '}');
    return clock_ask(running, ask);
}

/* On by a step, at the time at which it is due. */
static enum ht_status clock_step(struct running *running)
{
    const struct ht_sim_options *options = running->sim.options;
    running->sim.before_ms = running->sim.now_ms;
    if (running->pace == LOCKSTEP) {
        return clock_push(running, options->step_s, NULL);
    }
    int64_t every_us = (int64_t)(options->step_s / running->speed * 1e6);
    running->next_us +=
        every_us < TICK_LEAST_US && running->pace == FOLLOWED ? TICK_LEAST_US : every_us;
    int64_t now_us = steady_us();
    if (running->next_us > now_us) {
        sleep_until(running->next_us);
    } else if (running->pace == FOLLOWED) {
        running->next_us = now_us;
    }
    return running->pace == PUSHED ? clock_push(running, options->step_s, NULL)
                                   : clock_look(running);
}

/* ---- before it begins ---- */

static enum ht_status pace_choose(struct running *running)
{
    double asked = running->sim.options->speed;
    bool stands = running->is_virtual && running->clock_speed == 0;
    double own = running->is_virtual ? running->clock_speed : 1;
    if (asked == 0 && !stands) {
        return ht_error_set(running->error, HT_INVALID, 0,
                            "as fast as it goes needs a clock that stands: houtao serve --clock "
                            "TIME,0");
    }
    if (!stands && asked > 0 && fabs(asked - own) > 1e-6 * own) {
        return ht_error_set(running->error, HT_INVALID, 0,
                            "the server's clock runs at %g times: houtao serve --clock TIME,%g",
                            own, asked);
    }
    running->pace = !stands ? FOLLOWED : asked > 0 ? PUSHED : LOCKSTEP;
    running->speed = !stands ? own : asked > 0 ? asked : 0;
    if (running->pace == LOCKSTEP) {
        ht_sim_client_one(running->sim.client);
    }
    return HT_OK;
}

/* What is simulated of the day that it is in the town. */
static enum ht_status times_choose(struct running *running)
{
    struct ht_sim *sim = &running->sim;
    const struct ht_sim_options *options = sim->options;
    int64_t local_ms = ht_zone_local_ms(sim->now_ms);
    int64_t into_ms = (local_ms % DAY_MS + DAY_MS) % DAY_MS;
    sim->day_ms = sim->now_ms - into_ms;
    int64_t from_ms =
        options->from_min < 0 ? sim->now_ms : sim->day_ms + options->from_min * MINUTE_MS;
    sim->from_ms = from_ms > sim->now_ms ? from_ms : sim->now_ms;
    sim->to_ms = options->to_min < 0 ? INT64_MAX : sim->day_ms + options->to_min * MINUTE_MS;
    if (sim->to_ms <= sim->from_ms) {
        return ht_error_set(running->error, HT_INVALID, 0, "it is later than --to in the town");
    }
    if (sim->to_ms == INT64_MAX && running->pace == LOCKSTEP) {
        return ht_error_set(running->error, HT_INVALID, 0,
                            "as fast as it goes needs an end: --to HH:MM");
    }
    (void)snprintf(sim->run, sizeof sim->run, "s%llx-%llx",
                   (unsigned long long)options->seed & 0xffffff,
                   (unsigned long long)(sim->from_ms / 1000));
    return HT_OK;
}

static enum ht_status happenings_make(struct ht_sim *sim)
{
    const struct ht_sim_options *options = sim->options;
    const struct ht_sim_curve curve = {
        .seed = options->seed + (uint64_t)(sim->day_ms / DAY_MS),
        .day_ms = sim->day_ms,
        .from_ms = sim->from_ms,
        .to_ms = sim->to_ms < sim->day_ms + DAY_MS ? sim->to_ms : sim->day_ms + DAY_MS,
        .households = (uint32_t)sim->town.home_count,
        .building = sim->town.buildings,
        .devices = (uint32_t)sim->town.device_count,
        .rate = options->rate,
        .alarms = options->alarms,
        .storm = options->storm};
    free(sim->happenings);
    sim->happenings = NULL;
    sim->happening_count = 0;
    sim->happening_next = 0;
    return ht_sim_curve_make(&curve, &sim->happenings, &sim->happening_count);
}

static void movers_make(struct ht_sim *sim)
{
    sim->movers = ht_array_new_zeroed(sim->town.unit_count, sizeof *sim->movers);
    sim->failed = sim->failed || sim->movers == NULL;
    for (size_t i = 0; sim->movers != NULL && i < sim->town.unit_count; i++) {
        const struct ht_sim_unit *unit = &sim->town.units[i];
        sim->movers[sim->mover_count++] =
            (struct ht_sim_mover){.unit = unit,
                                  .lane = (uint32_t)i,
                                  .point = unit->point,
                                  .to = unit->point,
                                  .dice = ht_sim_dice_named(sim->options->seed, "mover", unit->id),
                                  .chaos = {.on = sim->options->chaos},
                                  .at_ms = sim->now_ms,
                                  .told_ms = sim->now_ms - MINUTE_MS};
    }
}

/* What earlier days left is over before this one begins. */
static enum ht_status leftovers_end(struct running *running)
{
    enum ht_status status = HT_OK;
    running->sim.leftovers = true;
    for (int i = 0; status == HT_OK && running->sim.leftovers && i < LEFTOVERS_PAGES; i++) {
        ht_sim_meals_tidy(&running->sim);
        status = run_all(running);
    }
    return status;
}

static enum ht_status begin(struct running *running)
{
    struct ht_sim *sim = &running->sim;
    enum ht_status status = clock_look(running);
    status = status == HT_OK ? pace_choose(running) : status;
    status = status == HT_OK ? times_choose(running) : status;
    if (status == HT_OK) {
        status = ht_sim_town_read(sim->client, sim->options->households_most, &sim->town,
                                  running->error);
    }
    if (status == HT_OK && running->pace != FOLLOWED) {
        status = clock_push(running, (double)(sim->from_ms - sim->now_ms) / 1000,
                            running->pace == LOCKSTEP ? "true" : NULL);
    }
    if (status != HT_OK) {
        return status;
    }
    movers_make(sim);
    ht_sim_vans_make(sim);
    ht_sim_responders_make(sim);
    ht_sim_posts_make(sim);
    ht_sim_inspectors_make(sim);
    status = ht_sim_wire_begin(sim, running->error);
    status = status == HT_OK ? leftovers_end(running) : status;
    if (status != HT_OK) {
        return status;
    }
    ht_sim_inspectors_begin(sim);
    running->told_ms = sim->now_ms;
    running->nonsense_ms = sim->now_ms;
    running->begun_us = steady_us();
    running->next_us = running->begun_us;
    return happenings_make(sim) == HT_OK
               ? run_all(running)
               : ht_error_set(running->error, HT_NOMEM, 0, "out of memory");
}

/* ---- the day ---- */

static void happenings_step(struct ht_sim *sim)
{
    while (sim->happening_next < sim->happening_count &&
           sim->happenings[sim->happening_next].at_ms <= sim->now_ms) {
        const struct ht_sim_happening *one = &sim->happenings[sim->happening_next++];
        switch (one->kind) {
        case HT_SIM_ORDER:
            ht_sim_meal_order(sim, one);
            break;
        case HT_SIM_ALARM:
            ht_sim_alarm(sim, one);
            break;
        case HT_SIM_CLOSURE:
            ht_sim_street_close(sim, one);
            break;
        case HT_SIM_ZONE:
            ht_sim_zone_draw(sim, one);
            break;
        case HT_SIM_HAPPENINGS:
        default:
            break;
        }
    }
}

/* What no server may take: 4xx, and nothing of it stays. */
static void nonsense_send(struct running *running)
{
    static const struct {
        const char *path;
        const char *body;
    } list[] = {
        {"/v1/orders", "{\"kitchen\":\"no-such\",\"household\":\"no-such\",\"due\":[1,2]}"},
        {"/v1/orders", "[[[[{"},
        {"/v1/orders/no-such-order/events", "{\"event\":\"deliver\"}"},
        {"/v1/incidents", "{\"kind\":\"earthquake\",\"lon\":121.7,\"lat\":29.9}"},
        {"/v1/incidents", "{\"kind\":\"sos\",\"household\":\"no-such\"}"},
        {"/v1/incidents/i0/events", "{\"event\":\"resolve\",\"outcome\":\"helped\"}"},
        {"/v1/visits/v0/result", "{\"outcome\":\"done\"}"},
        {"/v1/positions", "{\"unit\":7,"},
        {"/v1/traffic", "[{\"osm_from\":\"here\",\"osm_to\":\"there\",\"closed\":true}]"},
    };
    struct ht_sim *sim = &running->sim;
    if (!sim->options->chaos || sim->now_ms - running->nonsense_ms < NONSENSE_EVERY_MS) {
        return;
    }
    running->nonsense_ms = sim->now_ms;
    size_t at = running->nonsense++ % (sizeof list / sizeof list[0]);
    struct ht_sim_ask *ask =
        ht_sim_ask_new(sim->client, HT_SIM_CALL_WRONG, "POST", "%s", list[at].path);
    ht_text_add_string(&ask->body, list[at].body);
    ht_sim_ask_send(sim->client, ask);
}

static void tell(struct running *running)
{
    struct ht_sim *sim = &running->sim;
    if (sim->options->told == NULL || sim->now_ms - running->told_ms < TELL_EVERY_MS) {
        return;
    }
    running->told_ms = sim->now_ms;
    int64_t minute = (sim->now_ms - sim->day_ms) / MINUTE_MS;
    (void)fprintf(sim->options->told, "%02d:%02d  %u meals ordered, %u alarms, %u resolved\n",
                  (int)(minute / 60), (int)(minute % 60), sim->tally->meals_ordered,
                  sim->tally->alarms, sim->tally->resolved);
    (void)fflush(sim->options->told);
}

/* Another day has begun. */
static enum ht_status day_turn(struct running *running)
{
    struct ht_sim *sim = &running->sim;
    if (sim->now_ms < sim->day_ms + DAY_MS) {
        return HT_OK;
    }
    sim->day_ms += DAY_MS;
    sim->from_ms = sim->now_ms;
    (void)snprintf(sim->run, sizeof sim->run, "s%llx-%llx",
                   (unsigned long long)sim->options->seed & 0xffffff,
                   (unsigned long long)(sim->from_ms / 1000));
    ht_sim_visits_count(sim);
    ht_sim_inspectors_begin(sim);
    return happenings_make(sim);
}

static enum ht_status step(struct running *running)
{
    struct ht_sim *sim = &running->sim;
    enum ht_status status = day_turn(running);
    if (status != HT_OK) {
        return ht_error_set(running->error, status, 0, "out of memory");
    }
    happenings_step(sim);
    ht_sim_movers_step(sim);
    nonsense_send(running);
    status = run_all(running);
    if (status == HT_OK && running->pace == LOCKSTEP) {
        status = ht_sim_wire_settle(sim, running->error);
    }
    if (status == HT_OK) {
        ht_sim_vans_step(sim);
        ht_sim_responders_step(sim);
        ht_sim_posts_step(sim);
        ht_sim_inspectors_step(sim);
        ht_sim_streets_step(sim);
        status = run_all(running);
    }
    tell(running);
    return status;
}

/* All that was taken is there; and what came of the day. */
static enum ht_status end(struct running *running)
{
    struct ht_sim *sim = &running->sim;
    enum ht_status status = ht_sim_wire_settle(sim, running->error);
    if (status == HT_OK && sim->options->protocol == HT_SIM_MQTT) {
        ht_sim_incidents_look(sim);
        status = run_all(running);
    }
    ht_sim_meals_check(sim);
    ht_sim_incidents_check(sim);
    ht_sim_visits_check(sim);
    status = status == HT_OK ? run_all(running) : status;
    if (status == HT_OK && running->pace == LOCKSTEP) {
        status = clock_push(running, 0, "false");
    }
    ht_sim_meals_count(sim);
    ht_sim_incidents_count(sim);
    ht_sim_visits_count(sim);
    ht_sim_wire_count(sim);
    return status;
}

static void running_deinit(struct running *running)
{
    struct ht_sim *sim = &running->sim;
    ht_sim_client_free(sim->client);
    ht_sim_vans_free(sim);
    ht_sim_responders_free(sim);
    ht_sim_posts_free(sim);
    ht_sim_inspectors_free(sim);
    ht_sim_streets_free(sim);
    ht_sim_meals_free(sim);
    ht_sim_wire_free(sim);
    ht_sim_movers_free(sim);
    free(sim->happenings);
    ht_sim_town_deinit(&sim->town);
}

enum ht_status ht_sim_day_run(const struct ht_sim_options *options, struct ht_sim_tally *tally,
                              double *seconds, struct ht_error *error)
{
    struct running running = {.sim = {.options = options, .tally = tally}, .error = error};
    struct ht_sim *sim = &running.sim;
    const struct ht_sim_client_options client = {.url = options->url,
                                                 .token = options->token,
                                                 .connections =
                                                     options->speed == 0 ? 1 : options->connections,
                                                 .log = options->log,
                                                 .tally = tally};
    sim->last_meal = &sim->first_meal;
    sim->last_incident = &sim->first_incident;
    enum ht_status status = ht_sim_client_new(&client, &sim->client, error);
    status = status == HT_OK ? begin(&running) : status;
    while (status == HT_OK && sim->now_ms < sim->to_ms && !is_stopped(&running)) {
        status = sim->now_ms >= sim->from_ms ? step(&running) : HT_OK;
        status = status == HT_OK ? clock_step(&running) : status;
    }
    status = status == HT_OK ? end(&running) : status;
    *seconds = running.begun_us == 0 ? 0 : (double)(steady_us() - running.begun_us) / 1e6;
    running_deinit(&running);
    return status;
}
