/* Vehicles of VROOM's documents: where and when they are, what they cost, rest, and begin with. */
#include <stdlib.h>
#include <string.h>

#include "api/vroom_internal.h"

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
        if (each != NULL && !ht__vroom_whole(each, UINT32_MAX, &numbers[i])) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s cost for vehicle %llu.", names[i],
                           (unsigned long long)id);
        }
    }
    vehicle->fixed = numbers[0];
    vehicle->per_hour = (uint32_t)numbers[1];
    vehicle->per_km = (uint32_t)numbers[2];
    vehicle->per_task_hour = (uint32_t)numbers[3];
}

/* The bit of a place to reload; a new one where there is none like it yet. */
static uint64_t reload_find(struct ht__vroom_reader *r, struct ht_plan_reload reload)
{
    struct ht_problem *problem = &r->vroom->problem;
    uint32_t i = 0;
    while (i < problem->reload_count &&
           (r->reloads[i].location != reload.location ||
            r->reloads[i].service_s != reload.service_s || reload.window_count > 0 ||
            r->reloads[i].window_count > 0)) {
        i++;
    }
    if (i == HT_PLAN_RELOADS_MOST) {
        ht__vroom_fail(r, HT_VROOM_TOO_BIG, "More than %d different reloads.",
                       (int)HT_PLAN_RELOADS_MOST);
        return 0;
    }
    r->reloads[i] = reload;
    problem->reload_count = i == problem->reload_count ? i + 1 : problem->reload_count;
    return UINT64_C(1) << i;
}

/* "reloads" and "max_trips": as many trips as it likes where only the first is there. */
static void reloads_read(struct ht__vroom_reader *r, yajl_val object, struct ht_vehicle *vehicle,
                         uint64_t id)
{
    const struct ht__vroom_about about = {"reload of vehicle", id};
    yajl_val value = ht__vroom_member(object, "reloads");
    int64_t trips = value == NULL ? 1 : UINT32_MAX;
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid reloads for vehicle %llu.",
                       (unsigned long long)id);
    }
    ht__vroom_whole_member(r, object, "max_trips", UINT32_MAX, &trips);
    if (trips == 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid max_trips value.");
    }
    vehicle->trips_most = (uint32_t)trips;
    for (size_t i = 0; r->status == HT_OK && i < ht__vroom_length_of(value); i++) {
        yajl_val each = ht__vroom_element(value, i);
        struct ht_plan_reload reload = {
            .location = YAJL_IS_OBJECT(each)
                            ? ht__vroom_location_read(r, each, "location", "location_index", &about)
                            : HT_PLAN_NONE};
        if (reload.location == HT_PLAN_NONE) {
            ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid location for %s %llu.", about.type,
                           (unsigned long long)id);
            return;
        }
        ht__vroom_seconds_member(r, each, "service", &reload.service_s);
        reload.windows = ht__vroom_windows_read(r, each, about.type, id, &reload.window_count);
        if (r->status == HT_OK) {
            vehicle->reloads |= reload_find(r, reload);
        }
    }
}

uint32_t ht__vroom_profile_find(struct ht__vroom_reader *r, const char *name, double speed)
{
    struct ht_vroom *vroom = r->vroom;
    for (uint32_t i = 0; i < vroom->problem.profile_count; i++) {
        if (strcmp(vroom->profiles[i].name, name) == 0 && vroom->profiles[i].speed == speed) {
            return i;
        }
    }
    vroom->profiles[vroom->problem.profile_count] = (struct ht_vroom_profile){
        .name = name, .speed = speed, .given = ht__vroom_member(r->matrices, name)};
    return vroom->problem.profile_count++;
}

/* A vehicle's. */
static uint32_t profile_read(struct ht__vroom_reader *r, yajl_val object)
{
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
    return ht__vroom_profile_find(r, name, speed);
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

void ht__vroom_vehicle_read(struct ht__vroom_reader *r, size_t v)
{
    yajl_val object = ht__vroom_element(r->vehicles, v);
    struct ht_vehicle *vehicle = &r->list[v];
    struct ht_vroom_name *name = &r->vroom->vehicles[v];
    ht__vroom_id_read(r, object, "vehicle", name);
    if (r->status != HT_OK) {
        return;
    }
    const struct ht__vroom_about about = {"vehicle", name->id};
    vehicle->profile = profile_read(r, object);
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
    reloads_read(r, object, vehicle, name->id);
}

/* When a step may begin, in plan mode: not before 0, as VROOM's times have no sign. */
static struct ht_window forced_read(struct ht__vroom_reader *r, yajl_val step)
{
    struct ht_window forced = {0, HT_GIVEN_FAR};
    int64_t at_s = -1;
    ht__vroom_whole_member(r, step, "service_after", UINT32_MAX, &forced.from_s);
    ht__vroom_whole_member(r, step, "service_before", UINT32_MAX, &forced.to_s);
    ht__vroom_whole_member(r, step, "service_at", UINT32_MAX, &at_s);
    return at_s < 0 ? forced : (struct ht_window){at_s, at_s};
}

/* A task by its kind (0 to 2) and id, that no step had before; HT_PLAN_NONE: it has failed. */
static uint32_t task_once(struct ht__vroom_reader *r, int kind, uint64_t id, uint64_t vehicle)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    uint32_t task = ht__vroom_task_find(r, kind, id);
    if (task == HT_PLAN_NONE || r->planned[task] != 0) {
        ht__vroom_fail(r, HT_VROOM_INPUT,
                       task == HT_PLAN_NONE
                           ? "Invalid %s id %llu for vehicle %llu."
                           : "Duplicate %s id %llu in input steps for vehicle %llu.",
                       types[kind], (unsigned long long)id, (unsigned long long)vehicle);
        return HT_PLAN_NONE;
    }
    r->planned[task] = 1;
    return task;
}

static uint32_t break_find(struct ht__vroom_reader *r, size_t v, uint64_t id)
{
    for (uint32_t i = 0; i < r->list[v].break_count; i++) {
        if (r->vroom->breaks[v][i].id == id) {
            return i;
        }
    }
    ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid break id %llu for vehicle %llu.",
                   (unsigned long long)id, (unsigned long long)r->vroom->vehicles[v].id);
    return HT_PLAN_NONE;
}

/* One of "steps". */
static struct ht_given_step step_read(struct ht__vroom_reader *r, yajl_val step, size_t v)
{
    static const char *const types[] = {"job", "pickup", "delivery", "break", "start", "end"};
    const char *type = YAJL_GET_STRING(ht__vroom_member(step, "type"));
    uint64_t vehicle = r->vroom->vehicles[v].id;
    struct ht_given_step out = {.kind = HT_STEP_TASK, .forced = forced_read(r, step)};
    uint64_t id = 0;
    int k = 0;
    while (k < 6 && (type == NULL || strcmp(type, types[k]) != 0)) {
        k++;
    }
    if (k == 4 || k == 5) {
        out.kind = k == 4 ? HT_STEP_START : HT_STEP_END;
        return out;
    }
    if (!ht__vroom_id_of(step, &id)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid id in steps for vehicle %llu.",
                       (unsigned long long)vehicle);
    } else if (k == 6) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid type in steps for vehicle %llu.",
                       (unsigned long long)vehicle);
    }
    if (r->status == HT_OK) {
        out.kind = k == 3 ? HT_STEP_BREAK : HT_STEP_TASK;
        out.index = k == 3 ? break_find(r, v, id) : task_once(r, k, id, vehicle);
    }
    return out;
}

/* A start is the first of the steps, an end the last. */
static void ends_check(struct ht__vroom_reader *r, yajl_val steps, size_t i, uint64_t vehicle)
{
    const char *type = YAJL_GET_STRING(ht__vroom_member(ht__vroom_element(steps, i), "type"));
    bool start = type != NULL && strcmp(type, "start") == 0 && i > 0;
    bool end = type != NULL && strcmp(type, "end") == 0 && i + 1 < ht__vroom_length_of(steps);
    if (start || end) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Unexpected %s in input steps for vehicle %llu.", type,
                       (unsigned long long)vehicle);
    }
}

/* The tasks among the steps, with which the search begins. */
static void tasks_list(struct ht__vroom_reader *r, size_t v, const struct ht_given_step *steps,
                       uint32_t count)
{
    struct ht_vehicle *vehicle = &r->list[v];
    int64_t pinned = 0;
    uint32_t *list = ht__vroom_take(r, count, sizeof *list);
    for (uint32_t i = 0; list != NULL && i < count; i++) {
        if (steps[i].kind == HT_STEP_TASK) {
            list[vehicle->task_count++] = steps[i].index;
        }
    }
    ht__vroom_whole_member(r, ht__vroom_element(r->vehicles, v), "pinned", UINT32_MAX, &pinned);
    if (pinned > vehicle->task_count) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "More pinned stops than steps for vehicle %llu.",
                       (unsigned long long)r->vroom->vehicles[v].id);
        return;
    }
    vehicle->pinned = (uint32_t)pinned;
    vehicle->tasks = list;
}

void ht__vroom_steps_read(struct ht__vroom_reader *r, size_t v)
{
    yajl_val value = ht__vroom_member(ht__vroom_element(r->vehicles, v), "steps");
    uint64_t id = r->vroom->vehicles[v].id;
    size_t given = ht__vroom_length_of(value);
    struct ht_given_step *steps = ht__vroom_take(r, given + 2, sizeof *steps);
    const struct ht_window any = {0, HT_GIVEN_FAR};
    uint32_t count = 1; /* a start and an end are there, whether they are given or not */
    if (value != NULL && !YAJL_IS_ARRAY(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid steps for vehicle %llu.",
                       (unsigned long long)id);
    }
    if (r->status != HT_OK) {
        return;
    }
    struct ht_given_step start = {.kind = HT_STEP_START, .forced = any};
    struct ht_given_step end = {.kind = HT_STEP_END, .forced = any};
    uint32_t breaks = 0; /* seen, a bit each */
    for (size_t i = 0; r->status == HT_OK && i < given; i++) {
        ends_check(r, value, i, id);
        struct ht_given_step step = step_read(r, ht__vroom_element(value, i), v);
        start = step.kind == HT_STEP_START ? step : start;
        end = step.kind == HT_STEP_END ? step : end;
        if (step.kind == HT_STEP_BREAK && step.index < HT_PLAN_BREAKS_MOST) {
            if ((breaks >> step.index & 1) != 0) {
                ht__vroom_fail(r, HT_VROOM_INPUT,
                               "Duplicate break in input steps for vehicle %llu.",
                               (unsigned long long)id);
            }
            breaks |= UINT32_C(1) << step.index;
        }
        if (step.kind == HT_STEP_TASK || step.kind == HT_STEP_BREAK) {
            steps[count++] = step;
        }
    }
    steps[0] = start;
    steps[count++] = end;
    if (r->status == HT_OK) {
        tasks_list(r, v, steps, count);
    }
    if (r->status == HT_OK && count > 2) {
        r->vroom->routes[r->vroom->route_count++] =
            (struct ht_given_route){(uint32_t)v, count, steps};
    }
}
