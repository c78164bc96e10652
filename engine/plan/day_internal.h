/* Inside the day: what is known before anything is planned (pins), the solver's problem made of it
 * and the plan made of its answer (day).
 *
 * Threading: one call, one thread. Ownership: all arrays are the struct's.
 */
#ifndef HT_ENGINE_PLAN_DAY_INTERNAL_H
#define HT_ENGINE_PLAN_DAY_INTERNAL_H

#include "engine/plan/day.h"

enum { HT__DAY_BROUGHT = 0xff /* of `lost`: it is not */ };

struct ht__day {
    const struct ht_day_problem *problem;
    /* of orders */
    uint32_t *home;   /* the van that has it so far; HT_PLAN_NONE */
    uint32_t *run;    /* so many loads are before it there */
    uint8_t *pinned;  /* it stays where it is */
    uint8_t *lost;    /* enum ht_day_reason; HT__DAY_BROUGHT */
    int64_t *close_s; /* handing over begins then at the latest */
    uint32_t *ride_s; /* it rides for so long at most; 0: any */
    /* of vans */
    struct ht_window *window; /* within which it leaves and comes back */
    int64_t *capacity;        /* [vans * amounts] */
    uint32_t *end;
    uint32_t *trips; /* that it may begin */
    uint32_t *pins;  /* stops at the front of its list that stay */
    /* The plan to go on from: stops of all vans, one after the other. */
    struct ht_day_stop *stops;
    uint32_t *counts; /* [vans] */
    uint32_t stop_room;
};

/* Looks the running plan through: what stays and what can't be. Of what stays, windows are as wide,
 * vans as large and shifts as long as it takes to bring it in its order. HT_INVALID: the plan
 * contradicts itself, and where; HT_NOMEM. `day` is for ht__day_deinit in any case. */
HT_MUST_CHECK enum ht_status ht__day_init(struct ht__day *day, const struct ht_day_problem *problem,
                                          struct ht_error *error);
void ht__day_deinit(struct ht__day *day);

/* Why an order that no van can bring, also alone, can't be brought: in time. */
enum ht_day_reason ht__day_late_reason(const struct ht__day *day, uint32_t order);

#endif
