/* Random routing problems with everything that a problem may have, small enough to be solved often.
 *
 * Include it in one .c file per program, after check.h. Ownership: all is the struct's own memory.
 */
#ifndef HT_TESTS_SUPPORT_RANDOM_PLAN_H
#define HT_TESTS_SUPPORT_RANDOM_PLAN_H

#include "engine/plan/problem.h"
#include "tests/support/check.h"

enum { HT_RP_TASKS = 64, HT_RP_PLACES = 24, HT_RP_VEHICLES = 8, HT_RP_WINDOWS = 3 };

struct ht_random_plan {
    struct ht_problem problem;
    struct ht_plan_profile profiles[2];
    uint32_t duration[2][HT_RP_PLACES * HT_RP_PLACES];
    uint32_t distance[HT_RP_PLACES * HT_RP_PLACES];
    struct ht_task tasks[HT_RP_TASKS];
    struct ht_window windows[HT_RP_TASKS][HT_RP_WINDOWS];
    int64_t amounts[HT_RP_TASKS][2][2];
    uint64_t skills[HT_RP_TASKS + HT_RP_VEHICLES];
    uint32_t by_type[HT_RP_TASKS][2];
    struct ht_vehicle vehicles[HT_RP_VEHICLES];
    int64_t capacity[HT_RP_VEHICLES][2];
    struct ht_plan_break breaks[HT_RP_VEHICLES][3];
    struct ht_window rests[HT_RP_VEHICLES][3][2];
    int64_t light[HT_RP_VEHICLES][3][2];
    struct ht_plan_reload reloads[3];
    struct ht_window open[3];
    uint32_t stands[HT_RP_PLACES];
};

/* What a problem has besides jobs and vehicles, as bits. */
enum {
    HT_RP_SHIPMENTS = 1,
    HT_RP_TIMES = 2,
    HT_RP_BREAKS = 4,
    HT_RP_SETUPS = 8,
    HT_RP_LIMITS = 16,
    HT_RP_SKILLS = 32,
    HT_RP_OPEN = 64,     /* vehicles without start or end */
    HT_RP_CROOKED = 128, /* two profiles, asymmetric, without the triangle inequality, with gaps */
    HT_RP_ALL = 255,
    HT_RP_RIDES = 256, /* the next two: not with breaks */
    HT_RP_DUE = 512,
    HT_RP_LIGHT = 1024, /* breaks that need room on board */
    HT_RP_WORK = 2048,  /* costs of service */
    HT_RP_TRIPS = 4096,
    HT_RP_TAGS = 8192, /* what only some reloads have, and when it is ready; not with breaks */
    HT_RP_HOMES = 16384,
    HT_RP_STANDS = 32768, /* some locations are doors of others */
    HT_RP_BALANCE = 65536,
    HT_RP_BITS = 17
};

static inline void ht_rp_matrix(struct ht_random_plan *p, uint64_t *state, unsigned has,
                                uint32_t places)
{
    int32_t x[HT_RP_PLACES];
    int32_t y[HT_RP_PLACES];
    for (uint32_t i = 0; i < places; i++) {
        x[i] = (int32_t)ht_random_below(state, 1000);
        y[i] = (int32_t)ht_random_below(state, 1000);
    }
    for (uint32_t i = 0; i < places * places; i++) {
        int32_t dx = abs(x[i / places] - x[i % places]);
        int32_t dy = abs(y[i / places] - y[i % places]);
        uint32_t way = (uint32_t)(dx + dy);
        for (int k = 0; k < 2; k++) {
            p->duration[k][i] = way;
            if ((has & HT_RP_CROOKED) != 0 && i / places != i % places) {
                p->duration[k][i] += ht_random_below(state, 400);
                p->duration[k][i] =
                    ht_random_below(state, 40) == 0 ? HT_PLAN_NO_WAY : p->duration[k][i];
            }
        }
        p->distance[i] = way * 7;
    }
    p->profiles[0] =
        (struct ht_plan_profile){.duration_s = p->duration[0], .distance_m = p->distance};
    p->profiles[1] =
        (struct ht_plan_profile){.duration_s = p->duration[1], .distance_m = p->distance};
}

static inline void ht_rp_task(struct ht_random_plan *p, uint64_t *state, unsigned has, uint32_t t,
                              enum ht_task_kind kind)
{
    struct ht_task *task = &p->tasks[t];
    *task = (struct ht_task){.kind = kind,
                             .location = ht_random_below(state, p->problem.location_count),
                             .service_s = ht_random_below(state, 60),
                             .priority =
                                 ht_random_below(state, 4) == 0 ? ht_random_below(state, 9) : 0};
    for (int d = 0; d < 2; d++) {
        p->amounts[t][0][d] = ht_random_below(state, 5);
        p->amounts[t][1][d] = ht_random_below(state, 5);
    }
    task->pickup = ht_random_below(state, 3) == 0 || kind != HT_TASK_JOB ? p->amounts[t][0] : NULL;
    task->delivery = kind == HT_TASK_JOB ? p->amounts[t][1] : NULL;
    if ((has & HT_RP_TIMES) != 0 && ht_random_below(state, 3) > 0) {
        int64_t from_s = 0;
        task->window_count = 1 + ht_random_below(state, HT_RP_WINDOWS);
        task->windows = p->windows[t];
        for (uint32_t w = 0; w < task->window_count; w++) {
            from_s += 1 + ht_random_below(state, 3000);
            p->windows[t][w].from_s = from_s;
            from_s += ht_random_below(state, 1500);
            p->windows[t][w].to_s = from_s;
        }
    }
    if ((has & HT_RP_RIDES) != 0 && kind != HT_TASK_PICKUP && ht_random_below(state, 2) == 0) {
        task->ride_most_s = 300 + ht_random_below(state, 2500);
    }
    if ((has & HT_RP_DUE) != 0 && ht_random_below(state, 2) == 0) {
        task->due_s = ht_random_below(state, 5000);
        task->late_per_hour = 100 + ht_random_below(state, 9000);
    }
    if ((has & HT_RP_SETUPS) != 0) {
        task->setup_s = ht_random_below(state, 100);
        p->by_type[t][0] = ht_random_below(state, 50);
        p->by_type[t][1] = ht_random_below(state, 90);
        task->setup_by_type_s = ht_random_below(state, 3) == 0 ? p->by_type[t] : NULL;
        task->service_by_type_s = ht_random_below(state, 3) == 0 ? p->by_type[t] : NULL;
    }
    if ((has & HT_RP_TAGS) != 0 && kind == HT_TASK_JOB) {
        task->loads_at = (has & HT_RP_TRIPS) != 0 ? ht_random_below(state, 8) : 0;
        task->ready_s = ht_random_below(state, 2) == 0 ? ht_random_below(state, 3000) : 0;
    }
    if ((has & HT_RP_HOMES) != 0 && ht_random_below(state, 2) == 0) {
        task->home = ht_random_below(state, p->problem.vehicle_count);
        task->move_cost = ht_random_below(state, 1000);
    }
    if ((has & HT_RP_SKILLS) != 0 && ht_random_below(state, 3) == 0) {
        p->skills[t] = UINT64_C(1) << ht_random_below(state, 3);
        task->skills = &p->skills[t];
    }
}

static inline void ht_rp_trips(struct ht_vehicle *vehicle, uint64_t *state, unsigned has)
{
    if ((has & HT_RP_TRIPS) != 0) {
        vehicle->trips_most = ht_random_below(state, 4);
        vehicle->reloads = ht_random_below(state, 8);
    }
    if ((has & HT_RP_TAGS) != 0) {
        vehicle->at_once = ht_random_below(state, 2) == 0;
    }
    if ((has & HT_RP_WORK) != 0) {
        vehicle->per_task_hour = ht_random_below(state, 7200);
    }
}

static inline void ht_rp_vehicle(struct ht_random_plan *p, uint64_t *state, unsigned has,
                                 uint32_t v)
{
    struct ht_vehicle *vehicle = &p->vehicles[v];
    uint32_t places = p->problem.location_count;
    *vehicle = (struct ht_vehicle){.start = v % places,
                                   .end = ht_random_below(state, 2),
                                   .capacity = p->capacity[v],
                                   .window = {0, 4000 + ht_random_below(state, 6000)},
                                   .tasks_most = UINT32_MAX,
                                   .travel_most_s = HT_PLAN_UNLIMITED,
                                   .distance_most_m = HT_PLAN_UNLIMITED,
                                   .fixed = ht_random_below(state, 2) * 500,
                                   .per_hour = 3600 * (1 + ht_random_below(state, 2)),
                                   .per_km = ht_random_below(state, 2) * 100};
    p->capacity[v][0] = 8 + ht_random_below(state, 20);
    p->capacity[v][1] = 8 + ht_random_below(state, 20);
    if ((has & HT_RP_CROOKED) != 0) {
        vehicle->profile = ht_random_below(state, 2);
    }
    if ((has & HT_RP_SETUPS) != 0) {
        vehicle->type = ht_random_below(state, 2);
    }
    if ((has & HT_RP_OPEN) != 0 && ht_random_below(state, 2) == 0) {
        *(ht_random_below(state, 2) == 0 ? &vehicle->start : &vehicle->end) = HT_PLAN_NONE;
    }
    if ((has & HT_RP_LIMITS) != 0) {
        vehicle->tasks_most = 3 + ht_random_below(state, 8);
        vehicle->travel_most_s = 2000 + ht_random_below(state, 3000);
        vehicle->distance_most_m = 14000 + ht_random_below(state, 14000);
    }
    if ((has & HT_RP_SKILLS) != 0) {
        p->skills[HT_RP_TASKS + v] = ht_random_below(state, 8);
        vehicle->skills = &p->skills[HT_RP_TASKS + v];
    }
    ht_rp_trips(vehicle, state, has);
    if ((has & HT_RP_BREAKS) != 0) {
        vehicle->break_count = ht_random_below(state, 4);
        vehicle->breaks = p->breaks[v];
        int64_t from_s = 0;
        for (uint32_t b = 0; b < vehicle->break_count; b++) {
            p->breaks[v][b] = (struct ht_plan_break){.windows = p->rests[v][b],
                                                     .window_count = 2,
                                                     .service_s = 10 + ht_random_below(state, 300)};
            if ((has & HT_RP_LIGHT) != 0 && ht_random_below(state, 2) == 0) {
                p->light[v][b][0] = ht_random_below(state, 12);
                p->light[v][b][1] = ht_random_below(state, 12);
                p->breaks[v][b].load_most = p->light[v][b];
            }
            for (int w = 0; w < 2; w++) {
                p->rests[v][b][w].from_s = from_s + ht_random_below(state, 600);
                p->rests[v][b][w].to_s = p->rests[v][b][w].from_s + ht_random_below(state, 600);
                from_s = p->rests[v][b][w].to_s + 1;
            }
        }
    }
}

static inline void ht_random_plan(struct ht_random_plan *p, uint64_t *state, unsigned has,
                                  uint32_t tasks, uint32_t vehicles)
{
    uint32_t places = 2 + ht_random_below(state, HT_RP_PLACES - 1);
    memset(p, 0, sizeof *p);
    p->problem = (struct ht_problem){.amounts = 2,
                                     .skill_words = 1,
                                     .types = 2,
                                     .location_count = places,
                                     .profile_count = 2,
                                     .profiles = p->profiles,
                                     .tasks = p->tasks,
                                     .vehicle_count = vehicles,
                                     .vehicles = p->vehicles};
    ht_rp_matrix(p, state, has, places);
    for (uint32_t t = 0; t < tasks; t++) {
        bool pair = (has & HT_RP_SHIPMENTS) != 0 && t + 1 < tasks && ht_random_below(state, 2) == 0;
        ht_rp_task(p, state, has, t, pair ? HT_TASK_PICKUP : HT_TASK_JOB);
        if (pair) {
            ht_rp_task(p, state, has, t + 1, HT_TASK_DELIVERY);
            memcpy(p->amounts[t + 1][0], p->amounts[t][0], sizeof p->amounts[t][0]);
            t++;
        }
    }
    p->problem.task_count = tasks;
    for (uint32_t i = 0; (has & HT_RP_TRIPS) != 0 && i < 3; i++) {
        p->open[i].from_s = ht_random_below(state, 2000);
        p->open[i].to_s = p->open[i].from_s + ht_random_below(state, 6000);
        p->reloads[i] = (struct ht_plan_reload){.location = ht_random_below(state, places),
                                                .service_s = ht_random_below(state, 200),
                                                .windows = i == 2 ? &p->open[i] : NULL,
                                                .window_count = i == 2 ? 1 : 0};
        p->problem.reloads = p->reloads;
        p->problem.reload_count = 3;
    }
    for (uint32_t v = 0; v < vehicles; v++) {
        ht_rp_vehicle(p, state, has, v);
    }
    if ((has & HT_RP_BALANCE) != 0) {
        p->problem.balance = 100 + 300 * vehicles;
    }
    for (uint32_t i = 0; (has & HT_RP_STANDS) != 0 && i < places; i++) {
        bool own = i < 2 || ht_random_below(state, 3) == 0;
        p->stands[i] = own ? i : p->stands[ht_random_below(state, i)];
        p->problem.stands = p->stands;
    }
}

#endif
