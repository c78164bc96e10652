#include "engine/live/conditions.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/base/schedule.h"
#include "engine/road/customize.h"

/* A schedule's text is shared by many turns. */
struct schedule {
    uint32_t text;              /* offset into the network's strings */
    struct ht_schedule *parsed; /* NULL: could not be read */
    bool active;
};

struct ht_conditions {
    struct ht_world *base;
    struct schedule *schedules; /* sorted by text */
    size_t schedule_count;
    bool given; /* a world was given out, for the state that `active` holds */
};

/* What a world with closed turns owns. */
struct live {
    struct ht_world *base;
    uint32_t road_count;
    struct ht_metric_owned **metrics;
    uint8_t **turn_closed;
};

static int by_text(const void *left, const void *right)
{
    uint32_t a = ((const struct schedule *)left)->text;
    uint32_t b = ((const struct schedule *)right)->text;
    return a < b ? -1 : a > b ? 1 : 0;
}

static struct schedule *schedule_find(const struct ht_conditions *conditions, uint32_t text)
{
    const struct schedule key = {.text = text};
    return bsearch(&key, conditions->schedules, conditions->schedule_count, sizeof key, by_text);
}

/* The texts of all graphs' conditions, each once. */
static enum ht_status texts_collect(struct ht_conditions *conditions)
{
    uint32_t road_count = ht_world_road_count(conditions->base);
    size_t most = 0;
    for (uint32_t i = 0; i < road_count; i++) {
        most += ht_world_road_at(conditions->base, i)->graph->condition_count;
    }
    conditions->schedules = ht_array_new_zeroed(most, sizeof *conditions->schedules);
    if (conditions->schedules == NULL) {
        return HT_NOMEM;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < road_count; i++) {
        const struct ht_graph *graph = ht_world_road_at(conditions->base, i)->graph;
        for (uint32_t c = 0; c < graph->condition_count; c++) {
            conditions->schedules[count++].text = graph->conditions[c].schedule;
        }
    }
    qsort(conditions->schedules, count, sizeof *conditions->schedules, by_text);
    for (size_t i = 0; i < count; i++) {
        struct schedule *last = conditions->schedules + conditions->schedule_count;
        if (conditions->schedule_count == 0 || last[-1].text != conditions->schedules[i].text) {
            *last = conditions->schedules[i];
            conditions->schedule_count++;
        }
    }
    return HT_OK;
}

enum ht_status ht_conditions_new(struct ht_world *base, struct ht_conditions **out,
                                 uint32_t *unread)
{
    struct ht_conditions *conditions = calloc(1, sizeof *conditions);
    uint32_t failed = 0;
    if (conditions == NULL) {
        return HT_NOMEM;
    }
    ht_world_retain(base);
    conditions->base = base;
    enum ht_status status = texts_collect(conditions);
    const struct ht_network *network = ht_world_network(base);
    for (size_t i = 0; status == HT_OK && i < conditions->schedule_count; i++) {
        struct schedule *schedule = &conditions->schedules[i];
        enum ht_status parsed =
            ht_schedule_parse(network->strings + schedule->text, &schedule->parsed, NULL);
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
    ht_world_release(conditions->base);
    free(conditions);
}

static void live_free(void *user)
{
    struct live *live = user;
    for (uint32_t i = 0; i < live->road_count; i++) {
        if (live->metrics != NULL) {
            ht_metric_free(live->metrics[i]);
        }
        if (live->turn_closed != NULL) {
            free(live->turn_closed[i]);
        }
    }
    free(live->metrics);
    free(live->turn_closed);
    ht_world_release(live->base);
    free(live);
}

/* The arc that a turn leaves: the last whose turns begin at or before it. */
static uint32_t turn_source(const struct ht_graph *graph, uint32_t turn)
{
    uint32_t low = 0;
    uint32_t high = graph->arc_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (graph->turn_first[middle] <= turn) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Marks the turns that are closed now; `arcs` gets those that they leave. Returns their number. */
static uint32_t turns_close(const struct ht_conditions *conditions, const struct ht_graph *graph,
                            uint8_t *closed, uint32_t *arcs)
{
    uint32_t count = 0;
    for (uint32_t c = 0; c < graph->condition_count; c++) {
        const struct schedule *schedule = schedule_find(conditions, graph->conditions[c].schedule);
        if (schedule != NULL && schedule->active) {
            uint32_t turn = graph->conditions[c].turn;
            closed[turn] = 1;
            arcs[count++] = turn_source(graph, turn);
        }
    }
    return count;
}

/* One road's metric as of now: road->metric stays when nothing is closed. */
static enum ht_status road_update(const struct ht_conditions *conditions, struct ht_road *road,
                                  struct ht_metric_owned **metric, uint8_t **turn_closed)
{
    const struct ht_graph *graph = road->graph;
    if (graph->condition_count == 0) {
        return HT_OK;
    }
    struct ht_update_work *work = NULL;
    uint32_t *arcs = ht_array_new(graph->condition_count, sizeof *arcs);
    *turn_closed = ht_array_new_zeroed(graph->turn_count, sizeof **turn_closed);
    enum ht_status status = arcs == NULL || *turn_closed == NULL ? HT_NOMEM : HT_OK;
    uint32_t count = status == HT_OK ? turns_close(conditions, graph, *turn_closed, arcs) : 0;
    if (count == 0) {
        free(arcs);
        free(*turn_closed);
        *turn_closed = NULL;
        return status;
    }
    struct ht_overlay overlay = {.turn_closed = *turn_closed};
    status = ht_metric_copy(road->cch, road->metric, metric);
    if (status == HT_OK) {
        status = ht_update_work_new(road->cch, &work);
    }
    if (status == HT_OK) {
        status = ht_metric_update(graph, road->cch, &overlay, arcs, count, work, *metric, NULL);
    }
    if (status == HT_OK) {
        road->metric = ht_metric_view(*metric);
    }
    ht_update_work_free(work);
    free(arcs);
    return status;
}

static struct live *live_new(struct ht_world *base)
{
    struct live *live = calloc(1, sizeof *live);
    if (live == NULL) {
        return NULL;
    }
    ht_world_retain(base);
    live->base = base;
    live->road_count = ht_world_road_count(base);
    live->metrics = ht_array_new_zeroed(live->road_count, sizeof(void *));
    live->turn_closed = ht_array_new_zeroed(live->road_count, sizeof(void *));
    if (live->metrics == NULL || live->turn_closed == NULL) {
        live_free(live);
        return NULL;
    }
    return live;
}

/* A world with the turns closed whose schedules are active. */
static enum ht_status world_make(const struct ht_conditions *conditions, struct ht_world **out)
{
    struct live *live = live_new(conditions->base);
    if (live == NULL) {
        return HT_NOMEM;
    }
    struct ht_road *roads = ht_array_new(live->road_count, sizeof *roads);
    enum ht_status status = roads == NULL ? HT_NOMEM : HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < live->road_count; i++) {
        roads[i] = *ht_world_road_at(conditions->base, i);
        status = road_update(conditions, &roads[i], &live->metrics[i], &live->turn_closed[i]);
    }
    if (status == HT_OK) {
        status = ht_world_new_live(roads, (const uint8_t *const *)live->turn_closed,
                                   live->road_count, live, live_free, out);
    }
    free(roads);
    if (status != HT_OK) {
        live_free(live);
    }
    return status;
}

enum ht_status ht_conditions_world(struct ht_conditions *conditions, int64_t local_ms,
                                   struct ht_world **out)
{
    bool changed = !conditions->given;
    bool any = false;
    for (size_t i = 0; i < conditions->schedule_count; i++) {
        struct schedule *schedule = &conditions->schedules[i];
        bool active =
            schedule->parsed != NULL && ht_schedule_active(schedule->parsed, local_ms, NULL);
        changed = changed || active != schedule->active;
        any = any || active;
        schedule->active = active;
    }
    *out = NULL;
    if (!changed) {
        return HT_OK;
    }
    enum ht_status status = HT_OK;
    if (any) {
        status = world_make(conditions, out);
    } else {
        ht_world_retain(conditions->base);
        *out = conditions->base;
    }
    conditions->given = status == HT_OK;
    return status;
}

int64_t ht_conditions_next_change(const struct ht_conditions *conditions, int64_t local_ms)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < conditions->schedule_count; i++) {
        const struct ht_schedule *parsed = conditions->schedules[i].parsed;
        int64_t change =
            parsed == NULL ? INT64_MAX : ht_schedule_next_change(parsed, local_ms, NULL);
        next = change < next ? change : next;
    }
    return next;
}
