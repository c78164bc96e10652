#include "bench/vrp_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "api/json_merge.h"
#include "engine/base/array.h"

static const double FINE = 1000;   /* of times in a document, as bench/vrp.h says */
static const double SLACK = 0.001; /* that rounding down may gain on each way */

/* ---- the problem ---- */

static void amount_write(struct ht_json *json, const char *key, int64_t amount)
{
    ht_json_key(json, key);
    ht_json_array(json);
    ht_json_int(json, amount);
    ht_json_array_end(json);
}

/* The members that jobs and halves of shipments share. */
static void stop_write(struct ht_json *json, const struct ht_vrp *vrp, uint32_t index)
{
    const struct ht_task *task = &vrp->tasks[index];
    ht_json_key_int(json, "id", (int64_t)index + 1);
    ht_json_key_int(json, "location_index", task->location);
    ht_json_key_int(json, "service", task->service_s);
    if (task->window_count > 0) {
        ht_json_key(json, "time_windows");
        ht_json_array(json);
        ht_json_array(json);
        ht_json_int(json, task->windows[0].from_s);
        ht_json_int(json, task->windows[0].to_s);
        ht_json_array_end(json);
        ht_json_array_end(json);
    }
}

static void tasks_write(struct ht_json *json, const struct ht_vrp *vrp)
{
    bool pairs = vrp->tasks[0].kind != HT_TASK_JOB;
    ht_json_key(json, pairs ? "shipments" : "jobs");
    ht_json_array(json);
    for (uint32_t t = 0; t < vrp->problem.task_count; t += pairs ? 2 : 1) {
        ht_json_object(json);
        if (pairs) {
            amount_write(json, "amount", vrp->tasks[t].pickup[0]);
            ht_json_key(json, "pickup");
            ht_json_object(json);
            stop_write(json, vrp, t);
            ht_json_object_end(json);
            ht_json_key(json, "delivery");
            ht_json_object(json);
            stop_write(json, vrp, t + 1);
            ht_json_object_end(json);
        } else {
            stop_write(json, vrp, t);
            amount_write(json, "delivery", vrp->tasks[t].delivery[0]);
        }
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void vehicles_write(struct ht_json *json, const struct ht_vrp *vrp)
{
    ht_json_key(json, "vehicles");
    ht_json_array(json);
    for (uint32_t v = 0; v < vrp->problem.vehicle_count; v++) {
        const struct ht_vehicle *vehicle = &vrp->vehicles[v];
        ht_json_object(json);
        ht_json_key_int(json, "id", (int64_t)v + 1);
        ht_json_key_int(json, "start_index", 0);
        ht_json_key_int(json, "end_index", 0);
        amount_write(json, "capacity", vrp->capacity);
        if (!vrp->whole) {
            ht_json_key(json, "time_window");
            ht_json_array(json);
            ht_json_int(json, vehicle->window.from_s);
            ht_json_int(json, vehicle->window.to_s);
            ht_json_array_end(json);
        }
        ht_json_key(json, "costs");
        ht_json_object(json);
        ht_json_key_int(json, "fixed", vehicle->fixed);
        ht_json_object_end(json);
        ht_json_object_end(json);
    }
    ht_json_array_end(json);
}

static void matrix_write(struct ht_json *json, const struct ht_vrp *vrp)
{
    ht_json_key(json, "matrices");
    ht_json_object(json);
    ht_json_key(json, "car");
    ht_json_object(json);
    ht_json_key(json, "durations");
    ht_json_array(json);
    for (uint32_t i = 0; i < vrp->count; i++) {
        ht_json_array(json);
        for (uint32_t j = 0; j < vrp->count; j++) {
            ht_json_int(json, vrp->matrix[(size_t)i * vrp->count + j]);
        }
        ht_json_array_end(json);
    }
    ht_json_array_end(json);
    ht_json_object_end(json);
    ht_json_object_end(json);
}

void ht_vrp_document(const struct ht_vrp *vrp, const struct ht_vrp_ask *ask, struct ht_buffer *out)
{
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_json_object(&json);
    vehicles_write(&json, vrp);
    tasks_write(&json, vrp);
    matrix_write(&json, vrp);
    ht_json_key(&json, "options");
    ht_json_object(&json);
    ht_json_key_int(&json, "limit_ms", ask->limit_ms);
    ht_json_key_int(&json, "iterations", (int64_t)ask->iterations);
    ht_json_key_int(&json, "threads", ask->threads);
    ht_json_key_int(&json, "seed", (int64_t)ask->seed);
    ht_json_object_end(&json);
    ht_json_object_end(&json);
}

/* ---- the solution ---- */

/* One route, walked from the depot. */
struct walk {
    const struct ht_vrp *vrp;
    uint32_t *seen_by; /* [tasks] route + 1; 0: nobody */
    uint32_t route;    /* + 1 */
    uint32_t at;       /* location */
    uint32_t legs;
    double now;
    double length;
    int64_t load;
    const char *why;
};

static bool broken(struct walk *walk, const char *why)
{
    walk->why = why;
    return false;
}

static void move(struct walk *walk, uint32_t to)
{
    const struct ht_vrp *vrp = walk->vrp;
    double way = hypot(vrp->x[walk->at] - vrp->x[to], vrp->y[walk->at] - vrp->y[to]);
    way = vrp->whole ? floor(way + 0.5) : way;
    walk->now += way;
    walk->length += way;
    walk->at = to;
    walk->legs++;
}

/* The task of a step; HT_PLAN_NONE: it is the start or the end. */
static uint32_t task_of(yajl_val step)
{
    const char *type = YAJL_GET_STRING(ht_json_member(step, "type"));
    yajl_val id = ht_json_member(step, "id");
    bool is = type != NULL && (strcmp(type, "job") == 0 || strcmp(type, "pickup") == 0 ||
                               strcmp(type, "delivery") == 0);
    return is && YAJL_IS_INTEGER(id) ? (uint32_t)YAJL_GET_INTEGER(id) - 1 : HT_PLAN_NONE;
}

static bool task_walk(struct walk *walk, uint32_t index)
{
    const struct ht_vrp *vrp = walk->vrp;
    if (index >= vrp->problem.task_count || walk->seen_by[index] != 0) {
        return broken(walk, "a task is none, or is served twice");
    }
    const struct ht_task *task = &vrp->tasks[index];
    double fine = vrp->whole ? 1 : FINE;
    walk->seen_by[index] = walk->route;
    if (task->kind == HT_TASK_DELIVERY && walk->seen_by[index - 1] != walk->route) {
        return broken(walk, "a delivery comes before its pickup");
    }
    move(walk, task->location);
    if (task->window_count > 0) {
        double from = (double)task->windows[0].from_s / fine;
        walk->now = walk->now < from ? from : walk->now;
        if (walk->now > (double)task->windows[0].to_s / fine + SLACK * walk->legs) {
            return broken(walk, "a task is served too late");
        }
    }
    walk->now += task->service_s / fine;
    walk->load += task->kind == HT_TASK_JOB      ? -task->delivery[0]
                  : task->kind == HT_TASK_PICKUP ? task->pickup[0]
                                                 : -task->pickup[0];
    return walk->load <= vrp->capacity || broken(walk, "a vehicle carries too much");
}

static bool route_walk(struct walk *walk, yajl_val route)
{
    yajl_val steps = ht_json_member(route, "steps");
    const struct ht_vehicle *vehicle = &walk->vrp->vehicles[0];
    if (!YAJL_IS_ARRAY(steps)) {
        return broken(walk, "a route has no steps");
    }
    walk->at = 0;
    walk->legs = 0;
    walk->now = 0;
    walk->load = 0;
    for (size_t i = 0; i < steps->u.array.len; i++) {
        uint32_t index = task_of(steps->u.array.values[i]);
        if (index < walk->vrp->problem.task_count && walk->vrp->tasks[index].kind == HT_TASK_JOB) {
            walk->load += walk->vrp->tasks[index].delivery[0];
        }
    }
    if (walk->load > walk->vrp->capacity) {
        return broken(walk, "a vehicle carries too much");
    }
    for (size_t i = 0; i < steps->u.array.len; i++) {
        uint32_t index = task_of(steps->u.array.values[i]);
        if (index != HT_PLAN_NONE && !task_walk(walk, index)) {
            return false;
        }
    }
    move(walk, 0);
    return walk->vrp->whole ||
           walk->now <= (double)vehicle->window.to_s / FINE + SLACK * walk->legs ||
           broken(walk, "a vehicle comes back too late");
}

/* Served or told to be missing, a shipment as a whole. */
static bool whole(struct walk *walk, uint32_t missing)
{
    uint32_t left = 0;
    for (uint32_t t = 0; t < walk->vrp->problem.task_count; t++) {
        left += walk->seen_by[t] == 0;
        if (walk->vrp->tasks[t].kind == HT_TASK_DELIVERY &&
            walk->seen_by[t] != walk->seen_by[t - 1]) {
            return broken(walk, "half of a shipment is served");
        }
    }
    return left == missing || broken(walk, "a task is forgotten");
}

static bool tree_walk(struct walk *walk, yajl_val tree, struct ht_vrp_found *out)
{
    yajl_val code = ht_json_member(tree, "code");
    yajl_val routes = ht_json_member(tree, "routes");
    yajl_val missing = ht_json_member(tree, "unassigned");
    yajl_val times = ht_json_member(ht_json_member(tree, "summary"), "computing_times");
    yajl_val iterations = ht_json_member(times, "iterations");
    if (!YAJL_IS_INTEGER(code) || YAJL_GET_INTEGER(code) != 0 || !YAJL_IS_ARRAY(routes) ||
        !YAJL_IS_ARRAY(missing)) {
        const char *error = YAJL_GET_STRING(ht_json_member(tree, "error"));
        return broken(walk, error == NULL ? "no solution" : "an error was told");
    }
    for (size_t i = 0; i < routes->u.array.len; i++) {
        walk->route = (uint32_t)i + 1;
        if (!route_walk(walk, routes->u.array.values[i])) {
            return false;
        }
    }
    *out = (struct ht_vrp_found){
        .vehicles = (uint32_t)routes->u.array.len,
        .missing = (uint32_t)missing->u.array.len,
        .length = walk->length,
        .iterations = YAJL_IS_INTEGER(iterations) ? (uint64_t)YAJL_GET_INTEGER(iterations) : 0};
    return whole(walk, out->missing);
}

bool ht_vrp_found_read(const struct ht_vrp *vrp, const struct ht_buffer *document,
                       struct ht_vrp_found *out, const char **why)
{
    struct walk walk = {.vrp = vrp, .why = "memory ran out, or no JSON"};
    walk.seen_by = ht_array_new_zeroed(vrp->problem.task_count, sizeof *walk.seen_by);
    yajl_val tree = walk.seen_by == NULL ? NULL : ht_json_tree_read(document->data, document->size);
    bool good = tree != NULL && tree_walk(&walk, tree, out);
    *why = walk.why;
    yajl_tree_free(tree);
    free(walk.seen_by);
    return good;
}
