#include "api/assign.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/assign_read.h"
#include "api/home.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/live.h"
#include "api/params.h"
#include "engine/base/array.h"
#include "engine/plan/assign.h"

enum { PLAN_S = 10 }; /* more is not worth waiting for on a worker that others need */

/* A unit that may go. */
struct member {
    char id[HT_UNIT_ID_MAX + 1];
    uint32_t index; /* of the fleet; HT_NONE: known by the body alone */
    uint32_t capacity;
    struct ht_asked_needs has;
};

/* The units of one role, what each would cost, and who goes. */
struct team {
    struct member *members;
    size_t count;
    uint32_t *cost_ms; /* [task * count + member] */
    int64_t *length_mm;
    struct ht_assign *plan;
};

/* One call, while it is worked on. */
struct work {
    struct ht_app_context *context;
    struct ht_reply *reply;
    const struct ht_crs *crs;
    struct ht_assign_ask ask;
    uint64_t fleet_skill[HT_ASSIGN_SKILLS_MOST]; /* the fleet's bit of each skill; 0: nobody's */
    struct ht_point *points;                     /* [tasks] */
    struct team teams[HT_ASSIGN_ROLES_MOST];
    int64_t deadline_ns;
};

static bool refuse(struct work *work, int code, const char *detail)
{
    ht_reply_problem(work->reply, code, ht_http_status_text(code), detail);
    if (code == 503) {
        work->reply->retry_after_s = 1;
    }
    return false;
}

__attribute__((format(printf, 3, 4))) static bool refuse_about(struct work *work, int code,
                                                               const char *format, ...)
{
    char text[256];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return refuse(work, code, text);
}

static bool no_memory(struct work *work)
{
    return refuse(work, 503, "out of memory");
}

/* ---- units ---- */

static struct ht_fleet *fleet_of(const struct work *work)
{
    return ht_live_fleet(work->context->app->live);
}

static void skills_find(struct work *work)
{
    for (uint32_t i = 0; i < work->ask.skill_count; i++) {
        if (ht_fleet_skills(fleet_of(work), &work->ask.skills[i], 1, &work->fleet_skill[i]) !=
            HT_OK) {
            work->fleet_skill[i] = 0;
        }
    }
}

static struct ht_asked_needs has_of(const struct work *work, const struct ht_unit *unit)
{
    struct ht_asked_needs has = {.kinds = UINT32_C(1) << unit->kind};
    for (uint32_t i = 0; i < work->ask.skill_count; i++) {
        if ((unit->skills & work->fleet_skill[i]) != 0) {
            has.skills |= UINT64_C(1) << i;
        }
    }
    return has;
}

static bool suits(const struct ht_asked_needs *has, const struct ht_asked_needs *needs)
{
    return (needs->kinds == 0 || (has->kinds & needs->kinds) != 0) &&
           (has->skills & needs->skills) == needs->skills;
}

/* False with the answer written. */
static bool unit_unknown(struct work *work, const struct ht_asked_group *group, size_t unit)
{
    char pointer[64];
    char why[128];
    (void)snprintf(why, sizeof why, "there is no unit %s", group->units[unit].id);
    if (group->role == NULL) {
        (void)snprintf(pointer, sizeof pointer, "/units/%zu", unit);
    } else {
        (void)snprintf(pointer, sizeof pointer, "/roles/%zu/units/%zu",
                       (size_t)(group - work->ask.groups), unit);
    }
    (void)refuse(work, 422, why);
    ht_reply_where(work->reply, pointer, 0, why);
    return false;
}

/* Those that were named. Without a matrix they must be known. */
static bool members_listed(struct work *work, const struct ht_asked_group *group, struct team *team)
{
    team->members = ht_array_new(group->unit_count, sizeof *team->members);
    if (team->members == NULL) {
        return no_memory(work);
    }
    for (size_t i = 0; i < group->unit_count; i++) {
        const struct ht_asked_unit *asked = &group->units[i];
        struct member *member = &team->members[team->count++];
        struct ht_unit unit;
        *member = (struct member){.capacity = asked->capacity, .has = asked->has};
        memcpy(member->id, asked->id, strlen(asked->id) + 1);
        member->index = ht_fleet_find(fleet_of(work), asked->id, strlen(asked->id));
        bool known =
            member->index != HT_NONE && ht_fleet_get(fleet_of(work), member->index, 0, &unit);
        if (!known && group->duration_ms == NULL) {
            return unit_unknown(work, group, i);
        }
        if (known && !asked->described) {
            member->has = has_of(work, &unit);
        }
    }
    return true;
}

static int by_id(const void *left, const void *right)
{
    return strcmp(((const struct member *)left)->id, ((const struct member *)right)->id);
}

static bool is_ready(const struct ht_asked_group *group, const struct ht_unit *unit)
{
    return (group->statuses == 0 || (group->statuses >> unit->status & 1) != 0) &&
           (group->duty == HT_DUTY_ANY || unit->on_duty == (group->duty == HT_DUTY_ON));
}

/* All that fit the filter, by id. */
static bool members_found(struct work *work, const struct ht_asked_group *group, struct team *team)
{
    struct ht_fleet *fleet = fleet_of(work);
    int64_t now_ms = ht_clock_now_ms(&work->context->app->clock);
    uint32_t end = ht_fleet_end(fleet);
    size_t capacity = 0;
    for (uint32_t i = 0; i < end; i++) {
        struct ht_unit unit;
        if (!ht_fleet_get(fleet, i, now_ms, &unit) || !is_ready(group, &unit)) {
            continue;
        }
        struct ht_asked_needs has = has_of(work, &unit);
        if (!suits(&has, &group->filter)) {
            continue;
        }
        if (team->count == HT_ASSIGN_UNITS_MOST) {
            return refuse(work, 413, "more than 10,000 units fit the filter");
        }
        if (ht_array_reserve((void **)&team->members, &capacity, team->count + 1,
                             sizeof *team->members) != HT_OK) {
            return no_memory(work);
        }
        struct member *member = &team->members[team->count++];
        *member = (struct member){.index = i, .capacity = group->capacity, .has = has};
        memcpy(member->id, unit.id, sizeof unit.id);
    }
    if (team->count > 0) {
        qsort(team->members, team->count, sizeof *team->members, by_id);
    }
    return true;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Nobody has two roles, or comes twice. */
static bool members_check(struct work *work)
{
    size_t count = 0;
    size_t all = 0;
    for (size_t g = 0; g < work->ask.group_count; g++) {
        all += work->teams[g].count;
    }
    const char **ids = ht_array_new(all, sizeof *ids);
    if (ids == NULL) {
        return no_memory(work);
    }
    for (size_t g = 0; g < work->ask.group_count; g++) {
        for (size_t i = 0; i < work->teams[g].count; i++) {
            ids[count++] = work->teams[g].members[i].id;
        }
    }
    qsort(ids, count, sizeof *ids, by_text);
    const char *twice = NULL;
    for (size_t i = 1; i < count && twice == NULL; i++) {
        twice = strcmp(ids[i - 1], ids[i]) == 0 ? ids[i] : NULL;
    }
    bool good = twice == NULL || refuse_about(work, 422,
                                              "unit %s comes twice; a unit has one role, and "
                                              "\"capacity\" says how many tasks it takes",
                                              twice);
    free(ids);
    return good;
}

static bool teams_make(struct work *work)
{
    skills_find(work);
    for (size_t g = 0; g < work->ask.group_count; g++) {
        const struct ht_asked_group *group = &work->ask.groups[g];
        struct team *team = &work->teams[g];
        if (!(group->listed ? members_listed(work, group, team)
                            : members_found(work, group, team))) {
            return false;
        }
        if (team->count * work->ask.task_count > HT_ASSIGN_CELLS_MOST) {
            return refuse(work, 413, "more than 2,000,000 pairs of task and unit in one role");
        }
    }
    return members_check(work);
}

/* ---- tasks ---- */

static bool home_find(struct work *work, const char *id, struct ht_point *out)
{
    struct ht_home home;
    struct ht_error error = {0};
    struct ht_store_reader *reader = ht_app_reader(work->context, work->reply);
    if (reader == NULL) {
        return false;
    }
    enum ht_status status = ht_home_find(reader, id, &home, &error);
    if (status != HT_OK) {
        return refuse(work, status == HT_NOT_FOUND ? 422 : 503, error.message);
    }
    *out = home.entrance;
    return true;
}

/* Where the tasks lie; only needed where a matrix is not given. */
static bool points_find(struct work *work)
{
    bool needed = false;
    for (size_t g = 0; g < work->ask.group_count; g++) {
        needed = needed || work->ask.groups[g].duration_ms == NULL;
    }
    if (!needed) {
        return true;
    }
    work->points = ht_array_new(work->ask.task_count, sizeof *work->points);
    if (work->points == NULL ||
        (work->context->crs == NULL && ht_crs_work_new(&work->context->crs) != HT_OK)) {
        return no_memory(work);
    }
    for (size_t t = 0; t < work->ask.task_count; t++) {
        const struct ht_asked_task *task = &work->ask.tasks[t];
        if (task->household != NULL) {
            if (!home_find(work, task->household, &work->points[t])) {
                char pointer[48];
                (void)snprintf(pointer, sizeof pointer, "/tasks/%zu/household", t);
                if (work->reply->status == 422) {
                    ht_reply_where(work->reply, pointer, 0, "there is no such place");
                }
                return false;
            }
        } else if (ht_crs_point(work->context->crs, work->crs, task->pair, &work->points[t]) !=
                   HT_OK) {
            return refuse_about(work, 400, "task %s: lon and lat are no place on Earth", task->id);
        }
    }
    return true;
}

/* ---- costs ---- */

static void costs_copy(const struct work *work, const struct ht_asked_group *group,
                       struct team *team)
{
    size_t tasks = work->ask.task_count;
    for (size_t i = 0; i < team->count * tasks; i++) {
        size_t from = i % team->count * tasks + i / team->count;
        team->cost_ms[i] = group->duration_ms[from];
        team->length_mm[i] = group->length_mm == NULL ? -1 : group->length_mm[from];
    }
}

static bool costs_travel(struct work *work, struct team *team)
{
    struct ht_app *app = work->context->app;
    struct ht_world *world = ht_world_reader_get(&work->context->world);
    struct ht_live_work *live = ht_app_live_work(work->context);
    uint32_t *units = ht_array_new(team->count, sizeof *units);
    if (world == NULL || live == NULL || units == NULL) {
        free(units);
        return refuse(work, 503, world == NULL ? "no network is open" : "out of memory");
    }
    for (size_t i = 0; i < team->count; i++) {
        units[i] = team->members[i].index;
    }
    /* one answer at a time gets the pool; the others make do with their own thread */
    bool shared = pthread_mutex_trylock(&app->pool.lock) == 0;
    const struct ht_live_many many = {.units = units,
                                      .unit_count = team->count,
                                      .points = work->points,
                                      .point_count = work->ask.task_count,
                                      .pool = shared ? app->pool.pool : NULL,
                                      .plain = work->ask.plain,
                                      .duration_ms = team->cost_ms,
                                      .length_mm = team->length_mm};
    enum ht_status status = ht_live_matrix(app->live, live, world, &many);
    if (shared) {
        (void)pthread_mutex_unlock(&app->pool.lock);
    }
    free(units);
    return status == HT_OK || refuse(work, 503, ht_status_text(status));
}

/* What can't be: too far, or not what the task needs. */
static void costs_forbid(const struct work *work, const struct ht_asked_group *group,
                         struct team *team)
{
    for (size_t i = 0; i < team->count * work->ask.task_count; i++) {
        size_t t = i / team->count;
        const struct ht_asked_needs *has = &team->members[i % team->count].has;
        if (!suits(has, &work->ask.tasks[t].needs) ||
            (group->needs != NULL && !suits(has, &group->needs[t]))) {
            team->cost_ms[i] = HT_ASSIGN_UNFIT;
        } else if (team->cost_ms[i] > work->ask.max_ms) {
            team->cost_ms[i] = HT_ASSIGN_UNREACHABLE;
        }
    }
}

static enum ht_status team_plan(struct work *work, struct team *team)
{
    size_t tasks = work->ask.task_count;
    uint32_t *capacity = ht_array_new(team->count, sizeof *capacity);
    struct ht_assign_task *list = ht_array_new(tasks, sizeof *list);
    enum ht_status status =
        capacity == NULL || list == NULL ? HT_NOMEM : ht_assign_new(&team->plan);
    for (size_t i = 0; status == HT_OK && i < team->count; i++) {
        capacity[i] = team->members[i].capacity;
    }
    for (size_t t = 0; status == HT_OK && t < tasks; t++) {
        const struct ht_asked_task *task = &work->ask.tasks[t];
        list[t] = (struct ht_assign_task){.cost_ms = team->cost_ms + t * team->count,
                                          .places = task->places,
                                          .weight = task->weight,
                                          .priority = task->priority};
    }
    const struct ht_assign_units units = {.count = (uint32_t)team->count,
                                          .capacity = capacity,
                                          .balanced = work->ask.balanced,
                                          .deadline_ns = work->deadline_ns};
    if (status == HT_OK) {
        status = ht_assign_begin(team->plan, &units);
    }
    if (status == HT_OK) {
        status = ht_assign_add(team->plan, list, tasks);
    }
    free(capacity);
    free(list);
    return status;
}

static bool team_solve(struct work *work, const struct ht_asked_group *group, struct team *team)
{
    size_t cells = team->count * work->ask.task_count;
    team->cost_ms = ht_array_new(cells, sizeof *team->cost_ms);
    team->length_mm = ht_array_new(cells, sizeof *team->length_mm);
    if (team->cost_ms == NULL || team->length_mm == NULL) {
        return no_memory(work);
    }
    if (group->duration_ms != NULL) {
        costs_copy(work, group, team);
    } else if (!costs_travel(work, team)) {
        return false;
    }
    costs_forbid(work, group, team);
    enum ht_status status = team_plan(work, team);
    if (status == HT_TOO_BIG) {
        return refuse(work, 422, "weights times durations are beyond what can be added up");
    }
    if (status == HT_CANCELLED) {
        return refuse(work, 503, "no best plan within 10 s; ask for fewer tasks or units");
    }
    return status == HT_OK || no_memory(work);
}

/* ---- the answer ---- */

static void role_write(struct ht_json *json, const struct ht_asked_group *group)
{
    if (group->role != NULL) {
        ht_json_key_text(json, "role", group->role);
    }
}

/* The pairs of task `t` in one team; `*at` is the first of them and is moved on. */
static void pairs_write(struct work *work, struct ht_json *json, size_t t, size_t g, size_t *at)
{
    const struct team *team = &work->teams[g];
    const struct ht_assign_plan *plan = ht_assign_plan(team->plan);
    for (; *at < plan->pair_count && plan->pairs[*at].task == t; ++*at) {
        const struct ht_assign_pair *pair = &plan->pairs[*at];
        int64_t length_mm = team->length_mm[t * team->count + pair->unit];
        ht_json_object(json);
        ht_json_key_text(json, "task", work->ask.tasks[t].id);
        role_write(json, &work->ask.groups[g]);
        ht_json_key_text(json, "unit", team->members[pair->unit].id);
        ht_json_key_double(json, "duration_s", pair->cost_ms / 1000.0, 3);
        if (length_mm >= 0) {
            ht_json_key_double(json, "distance_m", (double)length_mm / 1000.0, 3);
        }
        ht_json_object_end(json);
    }
}

static void assignments_write(struct work *work, struct ht_json *json)
{
    size_t at[HT_ASSIGN_ROLES_MOST] = {0};
    ht_json_key(json, "assignments");
    ht_json_array(json);
    for (size_t t = 0; t < work->ask.task_count; t++) {
        for (size_t g = 0; g < work->ask.group_count; g++) {
            pairs_write(work, json, t, g, &at[g]);
        }
    }
    ht_json_array_end(json);
}

static const char *reason_text(uint8_t reason)
{
    return reason == HT_ASSIGN_NONE_FIT ? "no_skill"
           : reason == HT_ASSIGN_FULL   ? "capacity"
                                        : "unreachable";
}

/* How many there are. */
static int64_t unassigned_write(struct work *work, struct ht_json *json)
{
    int64_t count = 0;
    ht_json_key(json, "unassigned");
    ht_json_array(json);
    for (size_t t = 0; t < work->ask.task_count; t++) {
        for (size_t g = 0; g < work->ask.group_count; g++) {
            const struct ht_assign_plan *plan = ht_assign_plan(work->teams[g].plan);
            if (plan->empty[t] > 0) {
                ht_json_object(json);
                ht_json_key_text(json, "task", work->ask.tasks[t].id);
                role_write(json, &work->ask.groups[g]);
                ht_json_key_text(json, "reason", reason_text(plan->reason[t]));
                ht_json_key_int(json, "missing", plan->empty[t]);
                ht_json_object_end(json);
                count++;
            }
        }
    }
    ht_json_array_end(json);
    return count;
}

static void summary_write(struct work *work, struct ht_json *json, int64_t unassigned)
{
    size_t pairs = 0;
    int64_t cost_ms = 0;
    ht_json_key(json, "summary");
    ht_json_object(json);
    ht_json_key_int(json, "tasks", (int64_t)work->ask.task_count);
    ht_json_key(json, "roles");
    ht_json_array(json);
    for (size_t g = 0; g < work->ask.group_count; g++) {
        const struct ht_assign_plan *plan = ht_assign_plan(work->teams[g].plan);
        ht_json_object(json);
        role_write(json, &work->ask.groups[g]);
        ht_json_key_int(json, "units", (int64_t)work->teams[g].count);
        ht_json_key_int(json, "assigned", (int64_t)plan->pair_count);
        ht_json_key_double(json, "duration_s", (double)plan->cost_ms / 1000.0, 3);
        ht_json_key_double(json, "weighted_s", (double)plan->cost / 1000.0, 3);
        ht_json_key_int(json, "load_most", plan->load_most);
        ht_json_object_end(json);
        pairs += plan->pair_count;
        cost_ms += plan->cost_ms;
    }
    ht_json_array_end(json);
    ht_json_key_int(json, "assigned", (int64_t)pairs);
    ht_json_key_int(json, "unassigned", unassigned);
    ht_json_key_double(json, "duration_s", (double)cost_ms / 1000.0, 3);
    ht_json_object_end(json);
}

static void answer_write(struct work *work)
{
    struct ht_json json;
    ht_json_begin(&json, &work->reply->body);
    ht_json_object(&json);
    assignments_write(work, &json);
    int64_t unassigned = unassigned_write(work, &json);
    summary_write(work, &json, unassigned);
    ht_json_object_end(&json);
}

/* ---- the call ---- */

/* A body that waits for a worker. */
struct assign_job {
    struct ht_crs crs;
    size_t size;
    char text[];
};

static void work_run(struct work *work)
{
    if (!teams_make(work) || !points_find(work)) {
        return;
    }
    for (size_t g = 0; g < work->ask.group_count; g++) {
        if (!team_solve(work, &work->ask.groups[g], &work->teams[g])) {
            return;
        }
    }
    answer_write(work);
}

static void work_deinit(struct work *work)
{
    for (size_t g = 0; g < HT_ASSIGN_ROLES_MOST; g++) {
        free(work->teams[g].members);
        free(work->teams[g].cost_ms);
        free(work->teams[g].length_mm);
        ht_assign_free(work->teams[g].plan);
    }
    free(work->points);
    ht_assign_ask_deinit(&work->ask);
}

static void assign_run(void *user, void *data, struct ht_reply *reply)
{
    const struct assign_job *job = data;
    struct work work = {.context = user, .reply = reply, .crs = &job->crs};
    struct ht_error error = {0};
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    work.deadline_ns = ((int64_t)now.tv_sec + PLAN_S) * 1000000000 + now.tv_nsec;
    enum ht_status status = ht_assign_read(job->text, job->size, &work.ask, &error);
    if (status == HT_OK) {
        work_run(&work);
    } else {
        int code = status == HT_SYNTAX    ? 400
                   : status == HT_TOO_BIG ? 413
                   : status == HT_INVALID ? 422
                                          : 503;
        (void)refuse(&work, code, error.message);
        if (code != 503) {
            ht_reply_where(reply, work.ask.wrong_at, 0, error.message);
        }
    }
    work_deinit(&work);
}

/* The coordinate system that the query names. */
static bool crs_read(const struct ht_http_request *request, struct ht_crs *crs)
{
    struct ht_params params;
    size_t skip =
        request->path_size < request->target_size ? request->path_size + 1 : request->target_size;
    if (ht_params_read(&params, request->target + skip, request->target_size - skip) != HT_OK) {
        return false;
    }
    const char *name = ht_param(&params, "crs");
    enum ht_status status =
        ht_crs_parse(name == NULL ? "" : name, name == NULL ? 0 : strlen(name), crs);
    ht_params_deinit(&params);
    return status == HT_OK;
}

void ht_assign_post(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_request *request = call->request;
    struct ht_crs crs;
    (void)context;
    if (!crs_read(request, &crs)) {
        ht_reply_problem(call->reply, 400, "Bad Request", "crs is not a coordinate system");
        return;
    }
    if (request->body_size > HT_ASSIGN_BODY_MOST) {
        ht_reply_problem(call->reply, 413, ht_http_status_text(413), "a body of more than 4 MiB");
        return;
    }
    struct assign_job *job = malloc(sizeof *job + request->body_size + 1);
    if (job == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    *job = (struct assign_job){.crs = crs, .size = request->body_size};
    memcpy(job->text, request->body, request->body_size);
    call->job = (struct ht_http_job){.run = assign_run, .free = free, .data = job};
}
