#include "api/vroom.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/vroom_write.h"
#include "engine/plan/check.h"

enum {
    TASK_MS = 20, /* of the time that nobody asked for, for each task */
    LEAST_MS = 100,
    MOST_MS = 10000,
};

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What was asked for: by the caller, by the document, or what fits the size. A limit that was asked
 * for is one for everything: `spent_ms` of it went to reading and routing. */
static struct ht_solve_options options_of(const struct ht_vroom_call *call,
                                          const struct ht_vroom *vroom, int64_t spent_ms)
{
    struct ht_solve_options options = call->options;
    int64_t fit_ms = (int64_t)vroom->problem.task_count * TASK_MS;
    fit_ms = fit_ms < LEAST_MS ? LEAST_MS : fit_ms > MOST_MS ? MOST_MS : fit_ms;
    options.limit_ms = options.limit_ms > 0 ? options.limit_ms : vroom->limit_ms;
    options.iterations = options.iterations > 0 ? options.iterations : vroom->iterations;
    options.threads = options.threads > 0 ? options.threads : vroom->threads;
    options.seed = options.seed > 0 ? options.seed : vroom->seed;
    if (options.limit_ms == 0) {
        options.limit_ms = options.iterations > 0 ? call->limit_most_ms : fit_ms;
    } else if (options.iterations == 0) {
        options.limit_ms = options.limit_ms > spent_ms ? options.limit_ms - spent_ms : 1;
    }
    if (call->limit_most_ms > 0 && options.limit_ms > call->limit_most_ms) {
        options.limit_ms = call->limit_most_ms;
    }
    if (options.threads == 0 || options.threads > call->threads_most) {
        options.threads = call->threads_most;
    }
    return options;
}

__attribute__((format(printf, 2, 3))) static void put(struct ht_buffer *out, const char *format,
                                                      ...)
{
    char line[512];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(line, sizeof line, format, list);
    va_end(list);
    ht_buffer_text(out, line);
}

static const char *clock_text(int64_t time_s, char *out, size_t size)
{
    (void)snprintf(out, size, "%lld:%02d:%02d", (long long)(time_s / 3600), (int)(time_s / 60 % 60),
                   (int)(time_s % 60));
    return out;
}

static void human_route(struct ht_buffer *out, const struct ht_vroom *vroom,
                        const struct ht_plan_route *route)
{
    static const char *const types[] = {"job", "pickup", "delivery"};
    char when[32];
    const struct ht_plan_step *last = &route->steps[route->step_count - 1];
    put(out, "vehicle %llu: %u stops, %s on the way, %.1f km\n",
        (unsigned long long)vroom->vehicles[route->vehicle].id, route->step_count - 2,
        clock_text(last->travel_s, when, sizeof when), (double)last->distance_m / 1000);
    for (uint32_t s = 0; s < route->step_count; s++) {
        const struct ht_plan_step *step = &route->steps[s];
        const char *type = step->kind == HT_STEP_START    ? "start"
                           : step->kind == HT_STEP_RELOAD ? "reload"
                                                          : "end";
        unsigned long long id = 0;
        if (step->kind == HT_STEP_TASK) {
            type = types[vroom->problem.tasks[step->index].kind];
            id = vroom->tasks[step->index].id;
        } else if (step->kind == HT_STEP_BREAK) {
            type = "break";
            id = vroom->breaks[route->vehicle][step->index].id;
        }
        put(out, "  %10s  %-8s", clock_text(step->arrival_s, when, sizeof when), type);
        if (step->kind == HT_STEP_TASK || step->kind == HT_STEP_BREAK) {
            put(out, " %llu", id);
        }
        if (step->waiting_s > 0) {
            put(out, ", waits %s", clock_text(step->waiting_s, when, sizeof when));
        }
        put(out, "\n");
    }
}

static void human_write(struct ht_buffer *out, const struct ht_vroom *vroom,
                        const struct ht_plan *plan)
{
    static const char *const why[] = {"",
                                      "nobody has its skills",
                                      "larger than any vehicle",
                                      "no way there",
                                      "nobody may serve as many stops",
                                      "nobody may be on the way for so long",
                                      "nobody may go so far",
                                      "nobody can be there in time",
                                      "no room with all the others"};
    put(out, "%u routes, cost %lld, %u not served, %llu iterations in %lld ms\n", plan->route_count,
        (long long)(plan->cost / HT_COST_SCALE), plan->missing_count,
        (unsigned long long)plan->iterations, (long long)plan->time_ms);
    for (uint32_t r = 0; r < plan->route_count; r++) {
        human_route(out, vroom, &plan->routes[r]);
    }
    for (uint32_t i = 0; i < plan->missing_count; i++) {
        put(out, "not served: %llu, %s\n",
            (unsigned long long)vroom->tasks[plan->missing[i].task].id,
            why[plan->missing[i].reason]);
    }
}

/* The plan: searched for, or in plan mode the steps' own. */
static enum ht_status plan_make(const struct ht_vroom_call *call, const struct ht_vroom *vroom,
                                int64_t spent_ms, struct ht_plan **plan, struct ht_error *error)
{
    if (!vroom->given) {
        struct ht_solve_options options = options_of(call, vroom, spent_ms);
        return ht_vroom_solve(vroom, &options, plan, error);
    }
    enum ht_status status =
        ht_given_plan(&vroom->problem, vroom->routes, vroom->route_count, plan, error);
    if (status == HT_INVALID && strstr(error->message, "can't be driven") != NULL) {
        return ht_error_set(error, status, 0, "Infeasible route for vehicle %llu.",
                            (unsigned long long)vroom->vehicles[error->line].id);
    }
    return status;
}

static void plan_free(const struct ht_vroom *vroom, struct ht_plan *plan)
{
    if (vroom->given) {
        ht_given_free(plan);
    } else {
        ht_plan_free(plan);
    }
}

/* Over the streets as they are by now. */
static enum ht_status draw(const struct ht_vroom_call *call, struct ht_vroom *vroom,
                           const struct ht_plan *plan, struct ht_vroom_times *times,
                           struct ht_error *error)
{
    struct ht_vroom_call now = *call;
    if (call->again != NULL) {
        now.world = call->again(call->routed_user);
    }
    enum ht_status status = ht_vroom_draw(vroom, &now, plan, &times->lines, error);
    if (call->routed != NULL) {
        call->routed(call->routed_user);
    }
    return status;
}

/* Solves what was read and routed; the code. */
static int solve(const struct ht_vroom_call *call, struct ht_vroom *vroom,
                 struct ht_vroom_times *times, bool human, struct ht_buffer *out,
                 struct ht_error *error)
{
    struct ht_plan *plan = NULL;
    int64_t spent_ms = times->loading_ms + times->routing_ms;
    enum ht_status status = plan_make(call, vroom, spent_ms, &plan, error);
    if (status == HT_CANCELLED) {
        return -1;
    }
    if (status != HT_OK) {
        int code = status == HT_NOMEM     ? HT_VROOM_INTERNAL
                   : status == HT_TOO_BIG ? HT_VROOM_TOO_BIG
                                          : HT_VROOM_INPUT;
        return code;
    }
    if (vroom->geometry && !human) {
        int64_t begun_ms = now_ms();
        status = draw(call, vroom, plan, times, error);
        times->routing_ms += now_ms() - begun_ms;
        if (status != HT_OK) {
            plan_free(vroom, plan);
            return status == HT_CANCELLED ? -1 : vroom->code;
        }
    }
    if (human) {
        human_write(out, vroom, plan);
    } else {
        ht_vroom_write(out, vroom, plan, times);
    }
    plan_free(vroom, plan);
    return HT_VROOM_OK;
}

int ht_vroom_run(const struct ht_vroom_call *call, bool human, struct ht_buffer *out,
                 struct ht_error *error)
{
    struct ht_vroom vroom;
    struct ht_vroom_times times = {0};
    int64_t begun_ms = now_ms();
    enum ht_status status = ht_vroom_read(call->text, call->size, &vroom, error);
    times.loading_ms = now_ms() - begun_ms;
    if (status == HT_OK) {
        status = ht_vroom_route(&vroom, call, error);
        times.routing_ms = now_ms() - begun_ms - times.loading_ms;
        if (call->routed != NULL) {
            call->routed(call->routed_user);
        }
        status = status == HT_OK ? ht_vroom_walks(&vroom, error) : status;
        for (uint32_t i = 0; i < vroom.problem.profile_count; i++) {
            vroom.distances =
                vroom.distances && (i == vroom.walk || vroom.matrices[i].distance_m != NULL);
        }
    }
    int code = vroom.code;
    if (status == HT_OK) {
        code = solve(call, &vroom, &times, human, out, error);
    } else if (status == HT_CANCELLED) {
        code = -1;
    }
    if (code > HT_VROOM_OK && !human) {
        ht_vroom_write_error(out, code, error->message);
    }
    ht_vroom_deinit(&vroom);
    return code;
}
