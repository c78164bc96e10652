/* Whether what a plan over given matrices can cost at most is a number that clients can be told:
 * the most that each stop can be left or reached for, and each vehicle's ends. VROOM refuses the
 * rest, too: clamped values would give a plan that looks sound. */
#include <stdlib.h>

#include "api/vroom_internal.h"

/* The most of each row and column that is used. */
struct most {
    uint32_t *leave;
    uint32_t *reach;
};

static void most_find(const uint32_t *matrix, size_t count, struct most *most)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            uint32_t value = matrix[i * count + j];
            if (value != HT_PLAN_NO_WAY) {
                most->leave[i] = value > most->leave[i] ? value : most->leave[i];
                most->reach[j] = value > most->reach[j] ? value : most->reach[j];
            }
        }
    }
}

static uint64_t bound(const struct ht__vroom_reader *r, uint32_t profile, const struct most *most)
{
    const struct ht_problem *problem = &r->vroom->problem;
    uint64_t leave = 0;
    uint64_t reach = 0;
    uint64_t ends = 0;
    for (uint32_t t = 0; t < problem->task_count; t++) {
        leave += most->leave[r->tasks[t].location];
        reach += most->reach[r->tasks[t].location];
    }
    for (uint32_t v = 0; v < problem->vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &r->list[v];
        if (vehicle->profile == profile) {
            ends += vehicle->start == HT_PLAN_NONE ? 0 : most->leave[vehicle->start];
            ends += vehicle->end == HT_PLAN_NONE ? 0 : most->reach[vehicle->end];
        }
    }
    return ends + (leave > reach ? leave : reach);
}

void ht__vroom_bound_check(struct ht__vroom_reader *r, uint32_t profile)
{
    const struct ht_plan_profile *matrix = &r->vroom->matrices[profile];
    size_t count = r->vroom->problem.location_count;
    const uint32_t *costs = matrix->cost != NULL ? matrix->cost : matrix->duration_s;
    struct most most = {calloc(count, sizeof *most.leave), calloc(count, sizeof *most.reach)};
    if (most.leave == NULL || most.reach == NULL) {
        ht__vroom_fail(r, HT_VROOM_INTERNAL, "Out of memory.");
    } else {
        most_find(costs, count, &most);
        if (bound(r, profile, &most) > UINT32_MAX) {
            ht__vroom_fail(r, HT_VROOM_INPUT,
                           "Too high cost values, stopping to avoid overflowing.");
        }
    }
    free(most.leave);
    free(most.reach);
}
