#include "engine/live/conditions.h"

#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/base/schedule.h"
#include "engine/road/customize.h"

/* A schedule's text is shared by many turns. */
struct schedule {
    uint32_t text;              /* offset into the network's strings */
    struct ht_schedule *parsed; /* NULL: could not be read */
    bool active;                /* in the road given out last */
    bool now;                   /* when last asked for turns */
};

/* A road with a metric of its own, where one is closed. */
struct made {
    struct ht_live_road live;
    struct ht_metric_owned *metric; /* NULL: nothing is closed, the base's serves */
    uint8_t *turn_closed;
};

struct ht_conditions {
    struct ht_road base;
    const struct ht_calendar *calendar; /* NULL: no holidays */
    struct schedule *schedules;         /* sorted by text */
    size_t schedule_count;
    struct ht_live_road *last; /* given out last, for the state that `active` holds */
};

static int by_text(const void *left, const void *right)
{
    uint32_t a = ((const struct schedule *)left)->text;
    uint32_t b = ((const struct schedule *)right)->text;
    return a < b ? -1 : a > b ? 1 : 0;
}

static const struct schedule *schedule_find(const struct ht_conditions *conditions, uint32_t text)
{
    const struct schedule key = {.text = text};
    return bsearch(&key, conditions->schedules, conditions->schedule_count, sizeof key, by_text);
}

static bool schedule_holds(const struct ht_conditions *conditions, const struct schedule *schedule,
                           int64_t local_ms)
{
    return schedule->parsed != NULL &&
           ht_schedule_active(schedule->parsed, local_ms, conditions->calendar);
}

/* The texts of the graph's conditions, each once. */
static enum ht_status texts_collect(struct ht_conditions *conditions)
{
    const struct ht_graph *graph = conditions->base.graph;
    uint32_t count = graph->condition_count;
    conditions->schedules = ht_array_new_zeroed(count, sizeof *conditions->schedules);
    if (conditions->schedules == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t c = 0; c < count; c++) {
        conditions->schedules[c].text = graph->conditions[c].schedule;
    }
    qsort(conditions->schedules, count, sizeof *conditions->schedules, by_text);
    for (uint32_t i = 0; i < count; i++) {
        struct schedule *end = conditions->schedules + conditions->schedule_count;
        if (conditions->schedule_count == 0 || end[-1].text != conditions->schedules[i].text) {
            *end = conditions->schedules[i];
            conditions->schedule_count++;
        }
    }
    return HT_OK;
}

enum ht_status ht_conditions_new(const struct ht_road *base, const struct ht_calendar *calendar,
                                 struct ht_conditions **out, uint32_t *unread)
{
    struct ht_conditions *conditions = calloc(1, sizeof *conditions);
    uint32_t failed = 0;
    if (conditions == NULL) {
        return HT_NOMEM;
    }
    conditions->base = *base;
    conditions->calendar = calendar;
    enum ht_status status = texts_collect(conditions);
    for (size_t i = 0; status == HT_OK && i < conditions->schedule_count; i++) {
        struct schedule *schedule = &conditions->schedules[i];
        enum ht_status parsed =
            ht_schedule_parse(base->network->strings + schedule->text, &schedule->parsed, NULL);
        if (parsed == HT_NOMEM) {
            status = parsed;
        } else if (parsed != HT_OK) {
            schedule->parsed = NULL;
            failed++;
        }
    }
    if (status != HT_OK) {
        ht_conditions_free(conditions);
        return status;
    }
    if (unread != NULL) {
        *unread = failed;
    }
    *out = conditions;
    return HT_OK;
}

void ht_conditions_free(struct ht_conditions *conditions)
{
    if (conditions == NULL) {
        return;
    }
    for (size_t i = 0; i < conditions->schedule_count; i++) {
        ht_schedule_free(conditions->schedules[i].parsed);
    }
    free(conditions->schedules);
    ht_live_road_release(conditions->last);
    free(conditions);
}

static void made_done(struct ht_live_road *live)
{
    struct made *made = (struct made *)(void *)live;
    ht_metric_free(made->metric);
    free(made->turn_closed);
    free(made);
}

/* Marks the turns that are closed now. */
static void turns_close(const struct ht_conditions *conditions, uint8_t *closed)
{
    const struct ht_graph *graph = conditions->base.graph;
    for (uint32_t c = 0; c < graph->condition_count; c++) {
        const struct schedule *schedule = schedule_find(conditions, graph->conditions[c].schedule);
        if (schedule != NULL && schedule->active) {
            closed[graph->conditions[c].turn] = 1;
        }
    }
}

/* A metric without the turns that are closed now. It can't be an update of the base's: what the
 * base left out because a way over such a turn was better may be needed again. */
static enum ht_status live_customize(const struct ht_conditions *conditions, struct ht_pool *pool,
                                     struct made *made)
{
    const struct ht_road *base = &conditions->base;
    made->turn_closed = ht_array_new_zeroed(base->graph->turn_count, sizeof *made->turn_closed);
    if (made->turn_closed == NULL) {
        return HT_NOMEM;
    }
    turns_close(conditions, made->turn_closed);
    struct ht_overlay overlay = {.turn_closed = made->turn_closed};
    enum ht_status status = ht_customize(base->graph, base->cch, &overlay, pool, &made->metric);
    if (status == HT_OK) {
        status = ht_metric_trim(base->cch, pool, made->metric);
    }
    if (status == HT_OK) {
        made->live.view.road.metric = ht_metric_view(made->metric);
        made->live.view.turn_closed = made->turn_closed;
    }
    return status;
}

/* Brings `active` up to date. True when one changed. */
static bool schedules_update(struct ht_conditions *conditions, int64_t local_ms, bool *any)
{
    bool changed = false;
    *any = false;
    for (size_t i = 0; i < conditions->schedule_count; i++) {
        struct schedule *schedule = &conditions->schedules[i];
        bool active = schedule_holds(conditions, schedule, local_ms);
        changed = changed || active != schedule->active;
        *any = *any || active;
        schedule->active = active;
    }
    return changed;
}

bool ht_conditions_any(const struct ht_conditions *conditions, int64_t local_ms)
{
    bool any = false;
    for (size_t i = 0; i < conditions->schedule_count && !any; i++) {
        any = schedule_holds(conditions, &conditions->schedules[i], local_ms);
    }
    return any;
}

enum ht_status ht_conditions_live(struct ht_conditions *conditions, int64_t local_ms,
                                  struct ht_pool *pool, struct ht_live_road **out)
{
    bool any = false;
    bool changed = schedules_update(conditions, local_ms, &any);
    if (changed || conditions->last == NULL) {
        ht_live_road_release(conditions->last);
        conditions->last = NULL;
        struct made *made = calloc(1, sizeof *made);
        if (made == NULL) {
            return HT_NOMEM;
        }
        atomic_init(&made->live.references, 1);
        made->live.view.road = conditions->base;
        made->live.view.version = ht_world_version();
        made->live.done = made_done;
        enum ht_status status = any ? live_customize(conditions, pool, made) : HT_OK;
        if (status != HT_OK) {
            ht_live_road_release(&made->live);
            return status;
        }
        conditions->last = &made->live;
    }
    ht_live_road_retain(conditions->last);
    *out = conditions->last;
    return HT_OK;
}

enum ht_status ht_conditions_behind(const struct ht_conditions *conditions, int64_t local_ms,
                                    struct ht_road_behind *out)
{
    const struct ht_graph *graph = conditions->base.graph;
    *out = (struct ht_road_behind){.road = conditions->base};
    if (!ht_conditions_any(conditions, local_ms)) {
        return HT_OK;
    }
    out->turn_closed = ht_array_new_zeroed(graph->turn_count, sizeof *out->turn_closed);
    if (out->turn_closed == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t c = 0; c < graph->condition_count; c++) {
        const struct schedule *schedule = schedule_find(conditions, graph->conditions[c].schedule);
        if (schedule != NULL && schedule_holds(conditions, schedule, local_ms)) {
            out->turn_closed[graph->conditions[c].turn] = 1;
        }
    }
    enum ht_status status = ht_closed_above(&out->road, out->turn_closed, &out->closed_above);
    if (status != HT_OK) {
        ht_road_behind_deinit(out);
        return status;
    }
    out->live = (struct ht_live_arcs){
        .turn_closed = out->turn_closed, .metric_behind = true, .closed_above = out->closed_above};
    out->graph = *graph;
    out->graph.live = &out->live;
    out->road.graph = &out->graph;
    return HT_OK;
}

void ht_road_behind_deinit(struct ht_road_behind *behind)
{
    free(behind->turn_closed);
    free(behind->closed_above);
    behind->turn_closed = NULL;
    behind->closed_above = NULL;
}

void ht_conditions_turns(struct ht_conditions *conditions, int64_t local_ms, uint8_t *closed)
{
    const struct ht_graph *graph = conditions->base.graph;
    for (size_t i = 0; i < conditions->schedule_count; i++) {
        struct schedule *schedule = &conditions->schedules[i];
        schedule->now = schedule_holds(conditions, schedule, local_ms);
    }
    for (uint32_t c = 0; c < graph->condition_count; c++) {
        closed[graph->conditions[c].turn] = 0;
    }
    for (uint32_t c = 0; c < graph->condition_count; c++) {
        const struct schedule *schedule = schedule_find(conditions, graph->conditions[c].schedule);
        if (schedule != NULL && schedule->now) {
            closed[graph->conditions[c].turn] = 1;
        }
    }
}

int64_t ht_conditions_next_change(const struct ht_conditions *conditions, int64_t local_ms)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < conditions->schedule_count; i++) {
        const struct ht_schedule *parsed = conditions->schedules[i].parsed;
        int64_t change = parsed == NULL
                             ? INT64_MAX
                             : ht_schedule_next_change(parsed, local_ms, conditions->calendar);
        next = change < next ? change : next;
    }
    return next;
}
