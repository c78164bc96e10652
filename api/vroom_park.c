/* Doors of one parking place: tasks that are served on foot from where the vehicle stands. */
#include "api/vroom_internal.h"

void ht__vroom_parking_read(struct ht__vroom_reader *r, yajl_val object, uint32_t task,
                            const struct ht__vroom_about *about)
{
    yajl_val parking = ht__vroom_member(object, "parking");
    if (r->status != HT_OK) {
        return;
    }
    r->parking[task] = HT_PLAN_NONE;
    if (parking == NULL) {
        return;
    }
    if (YAJL_IS_OBJECT(parking)) {
        r->parking[task] = ht__vroom_location_read(r, parking, "location", "location_index", about);
    }
    if (r->parking[task] == HT_PLAN_NONE) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid parking for %s %llu.", about->type,
                       (unsigned long long)about->id);
    }
    r->any_parking = true;
}

/* The profile by which one walks. */
static void walk_find(struct ht__vroom_reader *r)
{
    yajl_val value = ht__vroom_member(ht__vroom_member(r->vroom->tree, "options"), "walk_profile");
    const char *name = value == NULL ? "foot" : YAJL_GET_STRING(value);
    if (name == NULL) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid walk_profile value.");
        return;
    }
    r->vroom->walk = ht__vroom_profile_find(r, name, 1);
}

void ht__vroom_parking_end(struct ht__vroom_reader *r)
{
    struct ht_problem *problem = &r->vroom->problem;
    if (r->status != HT_OK || !r->any_parking) {
        return;
    }
    uint32_t *stands = ht__vroom_take(r, problem->location_count, sizeof *stands);
    if (stands == NULL) {
        return;
    }
    for (uint32_t i = 0; i < problem->location_count; i++) {
        stands[i] = i;
    }
    for (uint32_t t = 0; t < problem->task_count; t++) {
        if (r->parking[t] != HT_PLAN_NONE) {
            stands[r->tasks[t].location] = r->parking[t];
        }
    }
    for (uint32_t t = 0; t < problem->task_count; t++) {
        uint32_t here = r->tasks[t].location;
        uint32_t stand = r->parking[t] == HT_PLAN_NONE ? here : r->parking[t];
        /* one for each location, at which one does not park elsewhere again */
        if (stands[here] != stand || stands[stand] != stand) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Inconsistent parking for task %llu.",
                           (unsigned long long)r->vroom->tasks[t].id);
            return;
        }
    }
    problem->stands = stands;
    walk_find(r);
}

/* a + b, or that there is no way. */
static uint32_t sum(uint32_t a, uint32_t b)
{
    return a == HT_PLAN_NO_WAY || b >= HT_PLAN_NO_WAY - a ? HT_PLAN_NO_WAY : a + b;
}

/* A matrix between stands as one between doors; `walk` NULL: walking counts nothing. */
static const uint32_t *doors_make(struct ht_vroom *vroom, const uint32_t *drive,
                                  const uint32_t *walk)
{
    const uint32_t *stands = vroom->problem.stands;
    size_t count = vroom->problem.location_count;
    uint32_t *out = ht_vroom_take(vroom, count * count, sizeof *out);
    for (size_t i = 0; out != NULL && i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            size_t from = stands[i];
            size_t to = stands[j];
            uint32_t way = drive[from * count + to];
            if (from == to) {
                way = walk == NULL ? 0 : walk[i * count + j];
            } else if (walk != NULL) {
                way = sum(i == from ? 0 : walk[i * count + from], way);
                way = sum(way, j == to ? 0 : walk[to * count + j]);
            }
            out[i * count + j] = way;
        }
    }
    return out;
}

enum ht_status ht_vroom_walks(struct ht_vroom *vroom, struct ht_error *error)
{
    if (vroom->problem.stands == NULL) {
        return HT_OK;
    }
    const uint32_t *walk_s = vroom->matrices[vroom->walk].duration_s;
    for (uint32_t p = 0; p < vroom->problem.profile_count; p++) {
        struct ht_plan_profile *matrix = &vroom->matrices[p];
        if (p == vroom->walk) {
            continue; /* who walks anyway goes from door to door */
        }
        struct ht_plan_profile doors = {
            .duration_s = doors_make(vroom, matrix->duration_s, walk_s),
            .distance_m =
                matrix->distance_m == NULL ? NULL : doors_make(vroom, matrix->distance_m, NULL),
            .cost = matrix->cost == NULL ? NULL : doors_make(vroom, matrix->cost, NULL)};
        if (doors.duration_s == NULL || (matrix->distance_m != NULL && doors.distance_m == NULL) ||
            (matrix->cost != NULL && doors.cost == NULL)) {
            vroom->code = HT_VROOM_INTERNAL;
            return ht_error_set(error, HT_NOMEM, 0, "Out of memory.");
        }
        *matrix = doors;
    }
    return HT_OK;
}
