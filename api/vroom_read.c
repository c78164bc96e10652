#include "api/vroom_read.h"

#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/vroom_internal.h"

/* ---- tasks ---- */

/* "late": {"after", "per_hour"}: the end of a soft window and its price. */
static void late_read(struct ht__vroom_reader *r, yajl_val object, struct ht_task *task,
                      uint64_t id)
{
    yajl_val late = ht__vroom_member(object, "late");
    int64_t per_hour = 0;
    if (late == NULL) {
        return;
    }
    if (!YAJL_IS_OBJECT(late) ||
        !ht__vroom_whole(ht__vroom_member(late, "after"), HT_PLAN_TIME_MOST, &task->due_s) ||
        !ht__vroom_whole(ht__vroom_member(late, "per_hour"), HT_PLAN_RATE_MOST, &per_hour)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid late value for task %llu.",
                       (unsigned long long)id);
    }
    task->late_per_hour = (uint32_t)per_hour;
}

/* "max_ride_time" of a job or shipment. */
static void ride_read(struct ht__vroom_reader *r, yajl_val object, struct ht_task *task)
{
    int64_t most_s = 0;
    ht__vroom_whole_member(r, object, "max_ride_time", UINT32_MAX, &most_s);
    if (ht__vroom_member(object, "max_ride_time") != NULL && most_s == 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid max_ride_time value.");
    }
    task->ride_most_s = (uint32_t)most_s;
}

static void task_read(struct ht__vroom_reader *r, yajl_val object, enum ht_task_kind kind,
                      uint32_t index)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    struct ht_task *task = &r->tasks[index];
    struct ht_vroom_name *name = &r->vroom->tasks[index];
    *task = (struct ht_task){.kind = kind};
    ht__vroom_id_read(r, object, types[kind], name);
    const struct ht__vroom_about about = {types[kind], name->id};
    task->location = ht__vroom_location_read(r, object, "location", "location_index", &about);
    if (task->location == HT_PLAN_NONE) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid location for %s %llu.", types[kind],
                       (unsigned long long)name->id);
        return;
    }
    ht__vroom_seconds_member(r, object, "setup", &task->setup_s);
    ht__vroom_seconds_member(r, object, "service", &task->service_s);
    task->setup_by_type_s = ht__vroom_per_type_read(r, object, "setup_per_type", task->setup_s, &about);
    task->service_by_type_s =
        ht__vroom_per_type_read(r, object, "service_per_type", task->service_s, &about);
    task->windows = ht__vroom_windows_read(r, object, types[kind], name->id, &task->window_count);
    late_read(r, object, task, name->id);
}

static void shared_read(struct ht__vroom_reader *r, yajl_val object, struct ht_task *task)
{
    int64_t priority = 0;
    ht__vroom_whole_member(r, object, "priority", HT_PLAN_PRIORITY_MOST, &priority);
    task->priority = (uint32_t)priority;
    task->skills = ht__vroom_skills_read(r, object);
}

static void job_read(struct ht__vroom_reader *r, size_t i, uint32_t index)
{
    yajl_val object = ht__vroom_element(r->jobs, i);
    task_read(r, object, HT_TASK_JOB, index);
    if (r->status == HT_OK) {
        yajl_val delivery = ht__vroom_member(object, "delivery");
        struct ht_task *task = &r->tasks[index];
        shared_read(r, object, task);
        bool old = delivery == NULL && ht__vroom_member(object, "pickup") == NULL;
        task->delivery = ht__vroom_amount_read(r, object, old ? "amount" : "delivery");
        task->pickup = ht__vroom_amount_read(r, object, "pickup");
        ride_read(r, object, task);
    }
}

static void shipment_read(struct ht__vroom_reader *r, size_t i, uint32_t index)
{
    yajl_val object = ht__vroom_element(r->shipments, i);
    yajl_val pickup = ht__vroom_member(object, "pickup");
    yajl_val delivery = ht__vroom_member(object, "delivery");
    if (!YAJL_IS_OBJECT(object)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid shipment.");
    } else if (!YAJL_IS_OBJECT(pickup)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Missing pickup for shipment.");
    } else if (!YAJL_IS_OBJECT(delivery)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Missing delivery for shipment.");
    }
    if (r->status != HT_OK) {
        return;
    }
    task_read(r, pickup, HT_TASK_PICKUP, index);
    task_read(r, delivery, HT_TASK_DELIVERY, index + 1);
    shared_read(r, object, &r->tasks[index]);
    r->tasks[index].pickup = ht__vroom_amount_read(r, object, "amount");
    ride_read(r, object, &r->tasks[index + 1]);
    r->tasks[index + 1].pickup = r->tasks[index].pickup;
    r->tasks[index + 1].skills = r->tasks[index].skills;
    r->tasks[index + 1].priority = r->tasks[index].priority;
}

/* ---- ids ---- */

static int by_task_id(const void *left, const void *right, void *user)
{
    const struct ht_vroom_name *names = user;
    uint64_t a = names[*(const uint32_t *)left].id;
    uint64_t b = names[*(const uint32_t *)right].id;
    return (a > b) - (a < b);
}

/* Tasks of each kind by id; two of the same are an error. */
static void ids_sort(struct ht__vroom_reader *r)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    uint32_t count = r->vroom->problem.task_count;
    for (int k = 0; r->status == HT_OK && k < 3; k++) {
        uint32_t *list = ht__vroom_take(r, count, sizeof *list);
        uint32_t found = 0;
        for (uint32_t t = 0; list != NULL && t < count; t++) {
            if ((int)r->tasks[t].kind == k) {
                list[found++] = t;
            }
        }
        if (found > 0) {
            qsort_r(list, found, sizeof *list, by_task_id, r->vroom->tasks);
        }
        for (uint32_t i = 1; i < found; i++) {
            uint64_t id = r->vroom->tasks[list[i]].id;
            if (id == r->vroom->tasks[list[i - 1]].id) {
                ht__vroom_fail(r, HT_VROOM_INPUT, "Duplicate %s id: %llu.", types[k],
                               (unsigned long long)id);
            }
        }
        r->by_id[k] = list;
        r->id_count[k] = found;
    }
}

static uint32_t id_find(const struct ht__vroom_reader *r, int kind, uint64_t id)
{
    uint32_t low = 0;
    uint32_t high = r->id_count[kind];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint64_t its = r->vroom->tasks[r->by_id[kind][middle]].id;
        if (its == id) {
            return r->by_id[kind][middle];
        }
        if (its < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return HT_PLAN_NONE;
}

/* ---- vehicles ---- */

/* "max_load"; NULL: absent, or it has failed. */
static const int64_t *break_load_read(struct ht__vroom_reader *r, yajl_val object, uint64_t id)
{
    yajl_val value = ht__vroom_member(object, "max_load");
    if (value != NULL && YAJL_IS_ARRAY(value) &&
        ht__vroom_length_of(value) != r->vroom->problem.amounts) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Inconsistent break max_load size for break %llu.",
                       (unsigned long long)id);
        return NULL;
    }
    return ht__vroom_amount_read(r, object, "max_load");
}

static bool later(const struct ht_window *a, const struct ht_window *b)
{
    return a->from_s != b->from_s ? a->from_s > b->from_s : a->to_s > b->to_s;
}

static void breaks_read(struct ht__vroom_reader *r, yajl_val object, size_t v)
{
    yajl_val value = ht__vroom_member(object, "breaks");
    size_t count = ht__vroom_length_of(value);
    struct ht_vehicle *vehicle = &r->list[v];
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid breaks for vehicle %llu.",
                       (unsigned long long)r->vroom->vehicles[v].id);
    } else if (count > HT_PLAN_BREAKS_MOST) {
        ht__vroom_fail(r, HT_VROOM_TOO_BIG, "More than %d breaks for vehicle %llu.",
                       (int)HT_PLAN_BREAKS_MOST, (unsigned long long)r->vroom->vehicles[v].id);
    }
    if (r->status != HT_OK || count == 0) {
        return;
    }
    struct ht_plan_break *list = ht__vroom_take(r, count, sizeof *list);
    struct ht_vroom_name *names = ht__vroom_take(r, count, sizeof *names);
    struct ht_window *always = ht__vroom_take(r, 1, sizeof *always);
    for (size_t i = 0; r->status == HT_OK && i < count; i++) {
        yajl_val each = ht__vroom_element(value, i);
        struct ht_plan_break rest = {0};
        struct ht_vroom_name name = {0};
        ht__vroom_id_read(r, each, "break", &name);
        ht__vroom_seconds_member(r, each, "service", &rest.service_s);
        rest.windows = ht__vroom_windows_read(r, each, "break", name.id, &rest.window_count);
        rest.load_most = break_load_read(r, each, name.id);
        for (size_t other = 0; other < i; other++) {
            if (names[other].id == name.id) {
                ht__vroom_fail(r, HT_VROOM_INPUT, "Duplicate break id: %llu.",
                               (unsigned long long)name.id);
            }
        }
        if (rest.windows == NULL) {
            *always = (struct ht_window){0, HT_PLAN_TIME_MOST};
            rest.windows = always;
            rest.window_count = 1;
        }
        /* by their first window, as they are taken */
        size_t at = i;
        for (; at > 0 && later(&list[at - 1].windows[0], &rest.windows[0]); at--) {
            list[at] = list[at - 1];
            names[at] = names[at - 1];
        }
        list[at] = rest;
        names[at] = name;
    }
    vehicle->breaks = list;
    vehicle->break_count = (uint32_t)count;
    r->vroom->breaks[v] = names;
}

static void costs_read(struct ht__vroom_reader *r, yajl_val object, struct ht_vehicle *vehicle,
                       uint64_t id)
{
    static const char *const names[] = {"fixed", "per_hour", "per_km", "per_task_hour"};
    int64_t numbers[] = {0, 3600, 0, 0};
    yajl_val value = ht__vroom_member(object, "costs");
    if (value != NULL && !YAJL_IS_OBJECT(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid costs for vehicle %llu.",
                       (unsigned long long)id);
        return;
    }
    for (int i = 0; i < 4; i++) {
        yajl_val each = ht__vroom_member(value, names[i]);
        int64_t most = i == 0 ? HT_PLAN_FIXED_MOST : HT_PLAN_RATE_MOST;
        if (each != NULL && !ht__vroom_whole(each, most, &numbers[i])) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s cost for vehicle %llu.", names[i],
                           (unsigned long long)id);
        }
    }
    vehicle->fixed = numbers[0];
    vehicle->per_hour = (uint32_t)numbers[1];
    vehicle->per_km = (uint32_t)numbers[2];
    vehicle->per_task_hour = (uint32_t)numbers[3];
}

/* The matrix of a name and speed; a new one where there is none yet. */
static uint32_t profile_find(struct ht__vroom_reader *r, yajl_val object)
{
    struct ht_vroom *vroom = r->vroom;
    yajl_val name_value = ht__vroom_member(object, "profile");
    yajl_val speed_value = ht__vroom_member(object, "speed_factor");
    const char *name = name_value == NULL ? "car" : YAJL_GET_STRING(name_value);
    double speed = 1;
    if (name == NULL) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid profile value.");
        return 0;
    }
    if (speed_value != NULL) {
        speed = YAJL_IS_NUMBER(speed_value) ? strtod(YAJL_GET_NUMBER(speed_value), NULL) : 0;
        if (!(speed > 0 && speed <= 5)) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid speed_factor value.");
            return 0;
        }
    }
    for (uint32_t i = 0; i < vroom->problem.profile_count; i++) {
        if (strcmp(vroom->profiles[i].name, name) == 0 && vroom->profiles[i].speed == speed) {
            return i;
        }
    }
    vroom->profiles[vroom->problem.profile_count] =
        (struct ht_vroom_profile){name, speed, ht__vroom_member(r->matrices, name)};
    return vroom->problem.profile_count++;
}

static void limits_read(struct ht__vroom_reader *r, yajl_val object, struct ht_vehicle *vehicle)
{
    yajl_val window = ht__vroom_member(object, "time_window");
    int64_t tasks = UINT32_MAX;
    vehicle->window = (struct ht_window){0, HT_PLAN_TIME_MOST};
    vehicle->travel_most_s = HT_PLAN_UNLIMITED;
    vehicle->distance_most_m = HT_PLAN_UNLIMITED;
    if (window != NULL) {
        (void)ht__vroom_window_read(r, window, &vehicle->window);
    }
    ht__vroom_whole_member(r, object, "max_tasks", UINT32_MAX, &tasks);
    ht__vroom_whole_member(r, object, "max_travel_time", UINT32_MAX, &vehicle->travel_most_s);
    ht__vroom_whole_member(r, object, "max_distance", UINT32_MAX, &vehicle->distance_most_m);
    vehicle->tasks_most = (uint32_t)tasks;
}

static void vehicle_read(struct ht__vroom_reader *r, size_t v)
{
    yajl_val object = ht__vroom_element(r->vehicles, v);
    struct ht_vehicle *vehicle = &r->list[v];
    struct ht_vroom_name *name = &r->vroom->vehicles[v];
    ht__vroom_id_read(r, object, "vehicle", name);
    if (r->status != HT_OK) {
        return;
    }
    const struct ht__vroom_about about = {"vehicle", name->id};
    vehicle->profile = profile_find(r, object);
    vehicle->start = ht__vroom_location_read(r, object, "start", "start_index", &about);
    vehicle->end = ht__vroom_location_read(r, object, "end", "end_index", &about);
    if (vehicle->start == HT_PLAN_NONE && vehicle->end == HT_PLAN_NONE) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "No start or end specified for vehicle %llu.",
                       (unsigned long long)name->id);
    }
    yajl_val type = ht__vroom_member(object, "type");
    vehicle->type = type == NULL ? 0 : ht__vroom_type_find(r, YAJL_GET_STRING(type));
    vehicle->capacity = ht__vroom_amount_read(r, object, "capacity");
    if (vehicle->capacity == NULL && r->vroom->problem.amounts > 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Inconsistent delivery length: 0 instead of %u.",
                       (unsigned)r->vroom->problem.amounts);
    }
    vehicle->skills = ht__vroom_skills_read(r, object);
    limits_read(r, object, vehicle);
    costs_read(r, object, vehicle, name->id);
    breaks_read(r, object, v);
}

static void steps_read(struct ht__vroom_reader *r, size_t v)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    yajl_val object = ht__vroom_element(r->vehicles, v);
    yajl_val value = ht__vroom_member(object, "steps");
    struct ht_vehicle *vehicle = &r->list[v];
    int64_t pinned = 0;
    uint32_t *list = ht__vroom_length_of(value) == 0
                         ? NULL
                         : ht__vroom_take(r, ht__vroom_length_of(value), sizeof *list);
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid steps for vehicle %llu.",
                       (unsigned long long)r->vroom->vehicles[v].id);
    }
    for (size_t i = 0; list != NULL && i < ht__vroom_length_of(value); i++) {
        const char *type = YAJL_GET_STRING(ht__vroom_member(ht__vroom_element(value, i), "type"));
        int64_t id = 0;
        for (int k = 0; type != NULL && k < 3; k++) {
            if (strcmp(type, types[k]) != 0) {
                continue;
            }
            bool good = ht__vroom_whole(ht__vroom_member(ht__vroom_element(value, i), "id"),
                                        INT64_MAX, &id);
            uint32_t task = good ? id_find(r, k, (uint64_t)id) : HT_PLAN_NONE;
            if (task == HT_PLAN_NONE) {
                ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s id in steps for vehicle %llu.",
                               types[k], (unsigned long long)r->vroom->vehicles[v].id);
                return;
            }
            list[vehicle->task_count++] = task;
        }
    }
    ht__vroom_whole_member(r, object, "pinned", UINT32_MAX, &pinned);
    if (pinned > vehicle->task_count) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "More pinned stops than steps for vehicle %llu.",
                       (unsigned long long)r->vroom->vehicles[v].id);
    }
    vehicle->pinned = (uint32_t)pinned;
    vehicle->tasks = list;
}

/* ---- matrices ---- */

static uint32_t scaled(uint32_t value, double speed)
{
    double slow = (double)value / speed + 0.5;
    return speed == 1 ? value : slow < (double)UINT32_MAX - 1 ? (uint32_t)slow : UINT32_MAX - 1;
}

/* Rows and columns up to the largest index that is used; null is no way. */
static uint32_t *matrix_read(struct ht__vroom_reader *r, const struct ht_vroom_profile *profile,
                             const char *kind)
{
    yajl_val value = YAJL_IS_ARRAY(profile->given) && strcmp(kind, "durations") == 0
                         ? profile->given
                         : ht__vroom_member(profile->given, kind);
    size_t count = r->vroom->problem.location_count;
    double speed = strcmp(kind, "durations") == 0 ? profile->speed : 1;
    if (value == NULL) {
        return NULL;
    }
    if (!YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected matrix input.");
    } else if (ht__vroom_length_of(value) == 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Empty %s matrix for %s profile.", kind, profile->name);
    } else if (ht__vroom_length_of(value) < count) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "location_index exceeding %s matrix size for %s profile.",
                       kind, profile->name);
    }
    uint32_t *out = r->status == HT_OK ? ht__vroom_take(r, count * count, sizeof *out) : NULL;
    for (size_t i = 0; out != NULL && i < ht__vroom_length_of(value); i++) {
        yajl_val row = ht__vroom_element(value, i);
        if (!YAJL_IS_ARRAY(row) || ht__vroom_length_of(row) != ht__vroom_length_of(value)) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected matrix line length.");
            return NULL;
        }
        for (size_t j = 0; i < count && j < count; j++) {
            int64_t number = HT_PLAN_NO_WAY;
            yajl_val cell = ht__vroom_element(row, j);
            if (!YAJL_IS_NULL(cell) && !ht__vroom_whole(cell, UINT32_MAX - 1, &number)) {
                ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid matrix entry.");
                return NULL;
            }
            out[i * count + j] =
                number == HT_PLAN_NO_WAY ? HT_PLAN_NO_WAY : scaled((uint32_t)number, speed);
        }
    }
    return out;
}

/* Limits before anything large is allocated. */
static void size_check(struct ht__vroom_reader *r)
{
    struct ht_problem *problem = &r->vroom->problem;
    uint64_t cells = (uint64_t)problem->location_count * problem->location_count;
    if (cells * (problem->profile_count + 1) > HT_PLAN_CELLS_MOST) {
        ht__vroom_fail(r, HT_VROOM_TOO_BIG, "Too many locations (%u) in query for %u profiles.",
                       (unsigned)problem->location_count, (unsigned)problem->profile_count);
    }
}

static void matrices_read(struct ht__vroom_reader *r)
{
    struct ht_vroom *vroom = r->vroom;
    vroom->matrices = ht__vroom_take(r, vroom->problem.profile_count, sizeof *vroom->matrices);
    vroom->problem.profiles = vroom->matrices;
    vroom->distances = true;
    for (uint32_t i = 0; r->status == HT_OK && i < vroom->problem.profile_count; i++) {
        const struct ht_vroom_profile *profile = &vroom->profiles[i];
        if (profile->given == NULL) {
            if (!r->all_placed) {
                ht__vroom_fail(r, HT_VROOM_INPUT, "Missing coordinates for routing engine.");
            }
            continue;
        }
        vroom->matrices[i].duration_s = matrix_read(r, profile, "durations");
        vroom->matrices[i].distance_m = matrix_read(r, profile, "distances");
        vroom->matrices[i].cost = matrix_read(r, profile, "costs");
        vroom->distances = vroom->distances && vroom->matrices[i].distance_m != NULL;
        if (vroom->matrices[i].duration_s == NULL) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Missing durations matrix for %s profile.",
                           profile->name);
        }
    }
    for (uint32_t v = 0; r->status == HT_OK && v < vroom->problem.vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &r->list[v];
        const struct ht_plan_profile *matrix = &vroom->matrices[vehicle->profile];
        bool given = vroom->profiles[vehicle->profile].given != NULL;
        if (matrix->cost != NULL && vehicle->per_hour != 3600) {
            ht__vroom_fail(r, HT_VROOM_INPUT,
                           "Custom costs are incompatible with using a per_hour value.");
        } else if (matrix->cost != NULL && vehicle->per_km != 0) {
            ht__vroom_fail(r, HT_VROOM_INPUT,
                           "Custom costs are incompatible with using a per_km value.");
        } else if (given && matrix->distance_m == NULL &&
                   (vehicle->per_km != 0 || vehicle->distance_most_m != HT_PLAN_UNLIMITED)) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Missing distances matrix for %s profile.",
                           vroom->profiles[vehicle->profile].name);
        }
    }
}

/* ---- all of it ---- */

static void options_read(struct ht__vroom_reader *r)
{
    yajl_val options = ht__vroom_member(r->vroom->tree, "options");
    int64_t limit_ms = 0;
    int64_t limit_s = 0;
    int64_t iterations = 0;
    int64_t threads = 0;
    int64_t seed = 0;
    if (options != NULL && !YAJL_IS_OBJECT(options)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid options.");
        return;
    }
    ht__vroom_whole_member(r, options, "l", 86400, &limit_s);
    ht__vroom_whole_member(r, options, "limit_ms", 86400000, &limit_ms);
    ht__vroom_whole_member(r, options, "iterations", INT64_C(1) << 40, &iterations);
    ht__vroom_whole_member(r, options, "threads", 64, &threads);
    ht__vroom_whole_member(r, options, "t", 64, &threads);
    ht__vroom_whole_member(r, options, "seed", INT32_MAX, &seed);
    yajl_val geometry = ht__vroom_member(options, "g");
    yajl_val plan = ht__vroom_member(options, "c");
    if (geometry != NULL && !YAJL_IS_FALSE(geometry)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Route geometry (option g) is not supported.");
    } else if (plan != NULL && !YAJL_IS_FALSE(plan)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Plan mode (option c) is not supported.");
    }
    r->vroom->limit_ms = limit_ms > 0 ? limit_ms : limit_s * 1000;
    r->vroom->iterations = (uint64_t)iterations;
    r->vroom->threads = (unsigned)threads;
    r->vroom->seed = (uint64_t)seed;
}

static void lists_find(struct ht__vroom_reader *r)
{
    yajl_val tree = r->vroom->tree;
    r->vehicles = ht__vroom_member(tree, "vehicles");
    r->jobs = ht__vroom_member(tree, "jobs");
    r->shipments = ht__vroom_member(tree, "shipments");
    r->matrices = ht__vroom_member(tree, "matrices");
    if (!YAJL_IS_ARRAY(r->vehicles)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid vehicles.");
    } else if (ht__vroom_length_of(r->vehicles) == 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "No vehicle defined.");
    } else if (r->jobs != NULL && !YAJL_IS_ARRAY(r->jobs)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid jobs.");
    } else if (r->shipments != NULL && !YAJL_IS_ARRAY(r->shipments)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid shipments.");
    } else if (ht__vroom_length_of(r->jobs) + ht__vroom_length_of(r->shipments) == 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "No task defined.");
    } else if (r->matrices != NULL && !YAJL_IS_OBJECT(r->matrices)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected matrices value.");
    }
    size_t count = ht__vroom_length_of(r->jobs) + 2 * ht__vroom_length_of(r->shipments);
    if (count > HT_VROOM_JOBS_MOST) {
        ht__vroom_fail(r, HT_VROOM_TOO_BIG, "Too many jobs (%zu) in query, maximum is set to %d",
                       count, (int)HT_VROOM_JOBS_MOST);
    } else if (ht__vroom_length_of(r->vehicles) > HT_VROOM_JOBS_MOST) {
        ht__vroom_fail(r, HT_VROOM_TOO_BIG,
                       "Too many vehicles (%zu) in query, maximum is set to %d",
                       ht__vroom_length_of(r->vehicles), (int)HT_VROOM_JOBS_MOST);
    }
}

static void arrays_make(struct ht__vroom_reader *r)
{
    struct ht_vroom *vroom = r->vroom;
    size_t tasks = ht__vroom_length_of(r->jobs) + 2 * ht__vroom_length_of(r->shipments);
    size_t vehicles = ht__vroom_length_of(r->vehicles);
    r->tasks = ht__vroom_take(r, tasks, sizeof *r->tasks);
    r->list = ht__vroom_take(r, vehicles, sizeof *r->list);
    vroom->tasks = ht__vroom_take(r, tasks, sizeof *vroom->tasks);
    vroom->vehicles = ht__vroom_take(r, vehicles, sizeof *vroom->vehicles);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
    vroom->breaks = ht__vroom_take(r, vehicles, sizeof *vroom->breaks);
    vroom->profiles = ht__vroom_take(r, vehicles, sizeof *vroom->profiles);
    vroom->problem.tasks = r->tasks;
    vroom->problem.task_count = (uint32_t)tasks;
    vroom->problem.vehicles = r->list;
    vroom->problem.vehicle_count = (uint32_t)vehicles;
    ht__vroom_places_begin(r);
}

/* "matrix": the durations of cars, as VROOM took them before it had "matrices". */
static void matrix_old(struct ht__vroom_reader *r)
{
    yajl_val matrix = ht__vroom_member(r->vroom->tree, "matrix");
    for (uint32_t i = 0; matrix != NULL && i < r->vroom->problem.profile_count; i++) {
        if (r->vroom->profiles[i].given == NULL && strcmp(r->vroom->profiles[i].name, "car") == 0) {
            r->vroom->profiles[i].given = matrix;
            if (!YAJL_IS_ARRAY(matrix)) {
                ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected matrix input.");
            }
        }
    }
}

static void all_read(struct ht__vroom_reader *r)
{
    size_t jobs = ht__vroom_length_of(r->jobs);
    for (size_t v = 0; r->status == HT_OK && v < ht__vroom_length_of(r->vehicles); v++) {
        vehicle_read(r, v);
    }
    for (size_t i = 0; r->status == HT_OK && i < jobs; i++) {
        job_read(r, i, (uint32_t)i);
    }
    for (size_t i = 0; r->status == HT_OK && i < ht__vroom_length_of(r->shipments); i++) {
        shipment_read(r, i, (uint32_t)(jobs + 2 * i));
    }
    if (r->status == HT_OK) {
        ids_sort(r);
    }
    for (size_t v = 0; r->status == HT_OK && v < ht__vroom_length_of(r->vehicles); v++) {
        steps_read(r, v);
    }
}

enum ht_status ht_vroom_read(const char *text, size_t size, struct ht_vroom *out,
                             struct ht_error *error)
{
    struct ht__vroom_reader r = {.vroom = out, .error = error};
    *out = (struct ht_vroom){.tree = ht_json_tree_read(text, size)};
    if (size == 0) {
        ht__vroom_fail(&r, HT_VROOM_INPUT, "The document is empty. (offset: 0)");
    } else if (!YAJL_IS_OBJECT(out->tree)) {
        ht__vroom_fail(&r, HT_VROOM_INPUT,
                       out->tree == NULL ? "Invalid JSON." : "Input root is not an object.");
    }
    void (*const parts[])(struct ht__vroom_reader *) = {lists_find,
                                                        options_read,
                                                        arrays_make,
                                                        ht__vroom_amounts_size,
                                                        ht__vroom_skills_collect,
                                                        ht__vroom_types_collect,
                                                        all_read,
                                                        matrix_old,
                                                        size_check,
                                                        matrices_read};
    for (size_t i = 0; r.status == HT_OK && i < sizeof parts / sizeof parts[0]; i++) {
        parts[i](&r);
    }
    return r.status;
}

void ht_vroom_deinit(struct ht_vroom *vroom)
{
    while (vroom->blocks != NULL) {
        struct ht_vroom_block *next = vroom->blocks->next;
        free(vroom->blocks);
        vroom->blocks = next;
    }
    yajl_tree_free(vroom->tree);
    vroom->tree = NULL;
}
