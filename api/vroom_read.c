#include "api/vroom_read.h"

#include <stdlib.h>
#include <string.h>

#include "api/json_fault.h"
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
    task->setup_by_type_s =
        ht__vroom_per_type_read(r, object, "setup_per_type", task->setup_s, &about);
    task->service_by_type_s =
        ht__vroom_per_type_read(r, object, "service_per_type", task->service_s, &about);
    task->windows = ht__vroom_windows_read(r, object, types[kind], name->id, &task->window_count);
    late_read(r, object, task, name->id);
    ht__vroom_parking_read(r, object, index, &about);
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

uint32_t ht__vroom_task_find(const struct ht__vroom_reader *r, int kind, uint64_t id)
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

/* ---- all of it ---- */

static bool flag_read(struct ht__vroom_reader *r, yajl_val options, const char *name)
{
    yajl_val value = ht__vroom_member(options, name);
    if (value != NULL && !YAJL_IS_TRUE(value) && !YAJL_IS_FALSE(value)) {
        ht__vroom_fail(r, HT_VROOM_INPUT, "Invalid %s value.", name);
    }
    return value != NULL && YAJL_IS_TRUE(value);
}

static void options_read(struct ht__vroom_reader *r)
{
    yajl_val options = ht__vroom_member(r->vroom->tree, "options");
    int64_t limit_ms = 0;
    int64_t limit_s = 0;
    int64_t iterations = 0;
    int64_t threads = 0;
    int64_t seed = 0;
    int64_t balance = 0;
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
    ht__vroom_whole_member(r, options, "balance", HT_PLAN_RATE_MOST, &balance);
    r->vroom->geometry = flag_read(r, options, "g");
    r->vroom->given = flag_read(r, options, "c");
    r->vroom->limit_ms = limit_ms > 0 ? limit_ms : limit_s * 1000;
    r->vroom->iterations = (uint64_t)iterations;
    r->vroom->threads = (unsigned)threads;
    r->vroom->seed = (uint64_t)seed;
    r->vroom->problem.balance = (uint32_t)balance;
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
    r->reloads = ht__vroom_take(r, HT_PLAN_RELOADS_MOST, sizeof *r->reloads);
    vroom->problem.reloads = r->reloads;
    r->planned = ht__vroom_take(r, tasks, 1);
    r->parking = ht__vroom_take(r, tasks, sizeof *r->parking);
    vroom->routes = ht__vroom_take(r, vehicles, sizeof *vroom->routes);
    vroom->tasks = ht__vroom_take(r, tasks, sizeof *vroom->tasks);
    vroom->vehicles = ht__vroom_take(r, vehicles, sizeof *vroom->vehicles);
    // NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds
    vroom->breaks = ht__vroom_take(r, vehicles, sizeof *vroom->breaks);
    vroom->profiles = ht__vroom_take(r, vehicles + 1, sizeof *vroom->profiles); /* one walks */
    vroom->problem.tasks = r->tasks;
    vroom->problem.task_count = (uint32_t)tasks;
    vroom->problem.vehicles = r->list;
    vroom->problem.vehicle_count = (uint32_t)vehicles;
    ht__vroom_places_begin(r);
}

static void all_read(struct ht__vroom_reader *r)
{
    size_t jobs = ht__vroom_length_of(r->jobs);
    for (size_t v = 0; r->status == HT_OK && v < ht__vroom_length_of(r->vehicles); v++) {
        ht__vroom_vehicle_read(r, v);
    }
    for (size_t i = 0; r->status == HT_OK && i < jobs; i++) {
        job_read(r, i, (uint32_t)i);
    }
    for (size_t i = 0; r->status == HT_OK && i < ht__vroom_length_of(r->shipments); i++) {
        shipment_read(r, i, (uint32_t)(jobs + 2 * i));
    }
    ht__vroom_parking_end(r);
    if (r->status == HT_OK) {
        ids_sort(r);
    }
    for (size_t v = 0; r->status == HT_OK && v < ht__vroom_length_of(r->vehicles); v++) {
        ht__vroom_steps_read(r, v);
    }
}

/* Refuses what VROOM's reader (RapidJSON's) would not take, in its words: yajl takes some of it. */
static bool is_json(struct ht__vroom_reader *r, const char *text, size_t size)
{
    const char *words = NULL;
    size_t offset = 0;
    if (ht_json_fault(text, size, &words, &offset) != HT_INVALID) {
        return true;
    }
    ht__vroom_fail(r, HT_VROOM_INPUT, "%s (offset: %zu)", words, offset);
    return false;
}

enum ht_status ht_vroom_read(const char *text, size_t size, struct ht_vroom *out,
                             struct ht_error *error)
{
    struct ht__vroom_reader r = {.vroom = out, .error = error};
    *out = (struct ht_vroom){.walk = HT_PLAN_NONE};
    if (is_json(&r, text, size)) {
        out->tree = ht_json_tree_read(text, size);
        if (!YAJL_IS_OBJECT(out->tree)) {
            ht__vroom_fail(&r, HT_VROOM_INPUT,
                           out->tree == NULL ? "Invalid JSON." : "Input root is not an object.");
        }
    }
    void (*const parts[])(struct ht__vroom_reader *) = {lists_find,
                                                        options_read,
                                                        arrays_make,
                                                        ht__vroom_amounts_size,
                                                        ht__vroom_skills_collect,
                                                        ht__vroom_types_collect,
                                                        all_read,
                                                        ht__vroom_matrices_read};
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
