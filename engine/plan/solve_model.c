/* The problem made fast: vehicles that are alike as one class, matrices as one cell for each way,
 * who can serve what, and which stops are near each other. */
#include <stdlib.h>

#include "engine/base/array.h"
#include "engine/plan/solve_internal.h"

enum { BACK_MOST = 8 << 20 /* cells that are kept both ways */ };

static bool words_equal(const void *left, const void *right, size_t size)
{
    return left == right || (left != NULL && right != NULL && memcmp(left, right, size) == 0);
}

static bool breaks_equal(const struct ht_vehicle *a, const struct ht_vehicle *b, size_t amounts)
{
    for (uint32_t i = 0; i < a->break_count; i++) {
        const struct ht_plan_break *x = &a->breaks[i];
        const struct ht_plan_break *y = &b->breaks[i];
        if (x->service_s != y->service_s || x->window_count != y->window_count ||
            !words_equal(x->load_most, y->load_most, amounts * sizeof *x->load_most) ||
            memcmp(x->windows, y->windows, x->window_count * sizeof *x->windows) != 0) {
            return false;
        }
    }
    return true;
}

static bool alike(const struct ht_problem *problem, const struct ht_vehicle *a,
                  const struct ht_vehicle *b)
{
    return a->profile == b->profile && a->type == b->type && a->start == b->start &&
           a->end == b->end && a->window.from_s == b->window.from_s &&
           a->window.to_s == b->window.to_s && a->break_count == b->break_count &&
           a->tasks_most == b->tasks_most && a->travel_most_s == b->travel_most_s &&
           a->distance_most_m == b->distance_most_m && a->fixed == b->fixed &&
           a->per_hour == b->per_hour && a->per_km == b->per_km &&
           a->per_task_hour == b->per_task_hour && a->reloads == b->reloads &&
           a->trips_most == b->trips_most && a->at_once == b->at_once && a->pinned == 0 &&
           b->pinned == 0 &&
           words_equal(a->capacity, b->capacity, problem->amounts * sizeof *a->capacity) &&
           words_equal(a->skills, b->skills, problem->skill_words * sizeof *a->skills) &&
           breaks_equal(a, b, problem->amounts);
}

static void *block_new(struct ht__model *model, size_t count, size_t item)
{
    void *block = ht_array_new_zeroed(count, item);
    if (block != NULL) {
        model->blocks[model->block_count++] = block;
    }
    return block;
}

/* ---- cells ---- */

static void cells_fill(const struct ht_problem *problem, uint32_t index, struct ht__cell *cells)
{
    const struct ht_plan_profile *profile = &problem->profiles[index];
    uint32_t count = problem->location_count;
    const uint32_t *other = profile->cost != NULL ? profile->cost : profile->distance_m;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < count; j++) {
            size_t from = (size_t)i * count + j;
            struct ht__cell *cell = &cells[(size_t)i * (count + 1) + j];
            bool none =
                profile->duration_s[from] == HT_PLAN_NO_WAY ||
                (profile->distance_m != NULL && profile->distance_m[from] == HT_PLAN_NO_WAY) ||
                (other != NULL && other[from] == HT_PLAN_NO_WAY);
            cell->duration_s = none ? HT_PLAN_NO_WAY : profile->duration_s[from];
            cell->other = none || other == NULL ? 0 : other[from];
        }
    }
}

static bool cells_make(struct ht__model *model, struct ht__cell **out)
{
    const struct ht_problem *problem = model->problem;
    size_t stride = (size_t)problem->location_count + 1;
    size_t all = stride * stride * problem->profile_count;
    bool back = all <= BACK_MOST;
    struct ht__cell *cells = block_new(model, back ? 2 * all : all, sizeof *cells);
    if (cells == NULL) {
        return false;
    }
    for (uint32_t p = 0; p < problem->profile_count; p++) {
        cells_fill(problem, p, cells + stride * stride * p);
    }
    for (size_t i = 0; back && i < all; i++) {
        size_t matrix = i / (stride * stride);
        size_t from = i / stride % stride;
        cells[all + (matrix * stride + i % stride) * stride + from] = cells[i];
    }
    model->back = back ? cells + all : NULL;
    *out = cells;
    return true;
}

/* ---- classes ---- */

static void class_set(const struct ht__model *model, const struct ht__cell *cells,
                      const struct ht_vehicle *vehicle, struct ht__class *c)
{
    const struct ht_problem *problem = model->problem;
    const struct ht_plan_profile *profile = &problem->profiles[vehicle->profile];
    size_t stride = (size_t)problem->location_count + 1;
    *c = (struct ht__class){
        .cells = cells + stride * stride * vehicle->profile,
        .back = model->back == NULL ? NULL : model->back + stride * stride * vehicle->profile,
        .stride = (uint32_t)stride,
        .start = vehicle->start == HT_PLAN_NONE ? problem->location_count : vehicle->start,
        .end = vehicle->end == HT_PLAN_NONE ? problem->location_count : vehicle->end,
        .per_second = profile->cost != NULL ? 0 : (int64_t)vehicle->per_hour * 5,
        .per_other = profile->cost != NULL         ? HT_COST_SCALE
                     : profile->distance_m != NULL ? (int64_t)vehicle->per_km * 18
                                                   : 0,
        .per_task = (int64_t)vehicle->per_task_hour * 5,
        .fixed = vehicle->fixed * HT_COST_SCALE,
        .window = vehicle->window,
        .capacity = vehicle->capacity,
        .breaks = vehicle->breaks,
        .break_count = vehicle->break_count,
        .at_once = vehicle->at_once,
        .tasks_most = vehicle->tasks_most,
        .reloads = vehicle->trips_most > 1 ? vehicle->reloads : 0,
        .reloads_most = vehicle->trips_most > 1 ? vehicle->trips_most - 1 : 0,
        .travel_most_s = vehicle->travel_most_s,
        .distance_most_m = vehicle->distance_most_m,
        .distance_m = vehicle->distance_most_m == HT_PLAN_UNLIMITED ? NULL : profile->distance_m,
        .location_count = problem->location_count,
    };
    for (uint32_t b = 0; b < c->break_count; b++) {
        c->light = c->light || c->breaks[b].load_most != NULL;
    }
}

static enum ht_status classes_find(struct ht__model *model, const struct ht__cell *cells)
{
    const struct ht_problem *problem = model->problem;
    uint32_t *first = ht_array_new(problem->vehicle_count, sizeof *first);
    model->classes = ht_array_new_zeroed(problem->vehicle_count, sizeof *model->classes);
    if (first == NULL || model->classes == NULL) {
        free(first);
        return HT_NOMEM;
    }
    for (uint32_t v = 0; v < problem->vehicle_count; v++) {
        uint32_t c = 0;
        while (c < model->class_count &&
               (model->homes ||
                !alike(problem, &problem->vehicles[first[c]], &problem->vehicles[v]))) {
            c++;
        }
        if (c == model->class_count) {
            first[model->class_count++] = v;
            class_set(model, cells, &problem->vehicles[v], &model->classes[c]);
        }
        model->class_of[v] = c;
        model->classes[c].vehicle_count++;
    }
    free(first);
    return HT_OK;
}

/* Times of each task for each type of vehicle. */
static bool times_make(struct ht__model *model)
{
    const struct ht_problem *problem = model->problem;
    size_t tasks = model->stops;
    uint32_t *times = block_new(model, tasks * problem->types * 2, sizeof *times);
    if (times == NULL) {
        return false;
    }
    for (uint32_t y = 0; y < problem->types; y++) {
        for (size_t t = 0; t < tasks; t++) {
            const struct ht_task *task = &model->tasks[t];
            uint32_t setup_s =
                task->setup_by_type_s == NULL ? task->setup_s : task->setup_by_type_s[y];
            times[tasks * 2 * y + t] =
                task->service_by_type_s == NULL ? task->service_s : task->service_by_type_s[y];
            times[tasks * (2 * y + 1) + t] = setup_s;
            model->setups = model->setups || setup_s > 0;
        }
    }
    for (uint32_t v = 0; v < problem->vehicle_count; v++) {
        struct ht__class *c = &model->classes[model->class_of[v]];
        c->service_s = times + tasks * 2 * problem->vehicles[v].type;
        c->setup_s = c->service_s + tasks;
    }
    return true;
}

static bool vehicles_list(struct ht__model *model)
{
    uint32_t *list = block_new(model, model->problem->vehicle_count, sizeof *list);
    if (list == NULL) {
        return false;
    }
    for (uint32_t c = 0; c < model->class_count; c++) {
        model->classes[c].vehicles = list;
        list += model->classes[c].vehicle_count;
        model->classes[c].vehicle_count = 0;
    }
    for (uint32_t v = 0; v < model->problem->vehicle_count; v++) {
        struct ht__class *c = &model->classes[model->class_of[v]];
        model->place_of[v] = c->vehicle_count;
        c->vehicles[c->vehicle_count++] = v;
        model->fixed = model->fixed || c->fixed > 0;
    }
    return true;
}

/* ---- who can serve what ---- */

static bool skills_fit(const struct ht_problem *problem, const struct ht_task *task,
                       const uint64_t *skills)
{
    for (uint32_t i = 0; task->skills != NULL && i < problem->skill_words; i++) {
        if ((task->skills[i] & ~(skills == NULL ? 0 : skills[i])) != 0) {
            return false;
        }
    }
    return true;
}

static bool way_there(const struct ht__class *c, uint32_t from, uint32_t to)
{
    return ht__way(c, from, to)->duration_s != HT_PLAN_NO_WAY;
}

/* From the start, by where it is loaded. */
static bool way_to(const struct ht__model *model, const struct ht__class *c, uint32_t item)
{
    uint64_t left = ht__task(model, item)->loads_at & c->reloads;
    if (left == 0) { /* from the start; or nowhere, which is no matter of ways */
        return (ht__task(model, item)->loads_at & ~HT_PLAN_AT_START) != 0 ||
               way_there(c, c->start, model->location[item]);
    }
    for (; left != 0; left &= left - 1) {
        uint32_t reload = model->problem->task_count + (uint32_t)__builtin_ctzll(left);
        if (way_there(c, c->start, model->location[reload]) &&
            way_there(c, model->location[reload], model->location[item])) {
            return true;
        }
    }
    return false;
}

/* Which limit keeps a class from serving an item alone; else it is time that does. */
static enum ht_plan_reason limit_of(const struct ht__model *model, const struct ht__class *c,
                                    uint32_t item)
{
    uint32_t first = model->location[item];
    uint32_t last = model->location[ht__item_last(model, item)];
    bool pair = ht__item_last(model, item) != item;
    int64_t way_s = (int64_t)ht__way(c, c->start, first)->duration_s +
                    (pair ? ht__way(c, first, last)->duration_s : 0) +
                    ht__way(c, last, c->end)->duration_s;
    int64_t way_m = ht__metres(c, c->start, first) + (pair ? ht__metres(c, first, last) : 0) +
                    ht__metres(c, last, c->end);
    if (c->tasks_most < (pair ? 2 : 1)) {
        return HT_REASON_MAX_TASKS;
    }
    if (way_s > c->travel_most_s) {
        return HT_REASON_MAX_TRAVEL_TIME;
    }
    return way_m > c->distance_most_m ? HT_REASON_MAX_DISTANCE : HT_REASON_WINDOW;
}

/* Whether a class may serve an item alone, or what keeps it. */
static enum ht_plan_reason reason_of(const struct ht__model *model, const struct ht__class *c,
                                     const uint64_t *skills, uint32_t item,
                                     struct ht__route route[2])
{
    const struct ht_problem *problem = model->problem;
    uint32_t last = ht__item_last(model, item);
    if (!skills_fit(problem, ht__task(model, item), skills) ||
        !skills_fit(problem, ht__task(model, last), skills)) {
        return HT_REASON_SKILLS;
    }
    for (uint32_t i = 0; i < problem->amounts; i++) {
        size_t at = (size_t)item * problem->amounts + i;
        if (model->pickup[at] > c->capacity[i] || model->delivery[at] > c->capacity[i] ||
            model->shift[at] > c->capacity[i]) {
            return HT_REASON_CAPACITY;
        }
    }
    if (!way_to(model, c, item) || !way_there(c, model->location[item], model->location[last]) ||
        !way_there(c, model->location[last], c->end)) {
        return HT_REASON_NO_WAY;
    }
    struct ht__blink never = {.left = UINT32_MAX};
    struct ht__spots spots = {
        .best = {{.cost = INT64_MAX}}, .most = 1, .trial = model->trials ? &route[1] : NULL};
    ht__route_spots(model, route, item, &never, &spots);
    return spots.best[0].cost < INT64_MAX ? HT_REASON_NONE : limit_of(model, c, item);
}

static enum ht_status reasons_make(struct ht__model *model)
{
    const struct ht_problem *problem = model->problem;
    if ((uint64_t)problem->task_count * model->class_count > HT_PLAN_CELLS_MOST) {
        return HT_TOO_BIG;
    }
    uint8_t *reason = block_new(model, (size_t)problem->task_count * model->class_count, 1);
    if (reason == NULL) {
        return HT_NOMEM;
    }
    memset(model->reason, HT_REASON_SKILLS, problem->task_count);
    struct ht__route route[2] = {{0}}; /* one, and one to try in */
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < model->class_count; i++) {
        struct ht__class *c = &model->classes[i];
        route[0].c = c;
        c->reason = reason + (size_t)i * problem->task_count;
        status = ht__route_room(model, &route[0], 2);
        status = status == HT_OK ? ht__route_room(model, &route[1], 4) : status;
        bool idle = status == HT_OK && ht__route_update(model, &route[0]);
        for (uint32_t t = 0; status == HT_OK && t < problem->task_count; t++) {
            if (ht__task(model, t)->kind == HT_TASK_DELIVERY) {
                c->reason[t] = c->reason[t - 1];
            } else {
                c->reason[t] =
                    !idle ? HT_REASON_WINDOW
                          : (uint8_t)reason_of(model, c, problem->vehicles[c->vehicles[0]].skills,
                                               t, route);
            }
            /* reasons follow each other as hurdles: the farthest that anybody got is told */
            if (model->reason[t] != HT_REASON_NONE &&
                (c->reason[t] == HT_REASON_NONE || c->reason[t] > model->reason[t])) {
                model->reason[t] = c->reason[t];
            }
        }
    }
    ht__route_deinit(&route[0]);
    ht__route_deinit(&route[1]);
    return status;
}

static void items_list(struct ht__model *model)
{
    for (uint32_t t = 0; t < model->problem->task_count; t++) {
        if (ht__task(model, t)->kind != HT_TASK_DELIVERY && model->reason[t] == HT_REASON_NONE) {
            model->items[model->item_count++] = t;
        }
    }
}

/* ---- what is plain ---- */

static bool windows_make(struct ht__model *model)
{
    size_t tasks = model->stops;
    int64_t *times = block_new(model, tasks * 2, sizeof *times);
    bool single = true;
    if (times == NULL) {
        return false;
    }
    model->open_s = times;
    model->close_s = times + tasks;
    for (uint32_t t = 0; t < tasks; t++) {
        const struct ht_task *task = ht__task(model, t);
        uint32_t count = task->window_count;
        model->open_s[t] = count == 0 ? -HT__FAR : task->windows[0].from_s;
        model->close_s[t] = count == 0 ? HT__FAR : task->windows[count - 1].to_s;
        single = single && count <= 1;
        model->rides = model->rides || task->ride_most_s > 0 || task->ready_s != 0;
        model->due = model->due || task->late_per_hour > 0;
    }
    model->boards = model->rides || model->problem->reload_count > 0;
    for (uint32_t i = 0; i < model->class_count; i++) {
        struct ht__class *c = &model->classes[i];
        model->trials = model->trials || model->rides || model->due || c->light ||
                        c->reloads != 0 || model->problem->balance > 0;
        c->plain = single && !model->setups && !model->boards && !model->due && !model->homes &&
                   model->problem->balance == 0 && !c->at_once && c->per_task == 0 &&
                   c->reloads == 0 && c->break_count == 0 &&
                   c->travel_most_s == HT_PLAN_UNLIMITED && c->distance_m == NULL;
    }
    return true;
}

/* ---- loads ---- */

static void loads_fill(struct ht__model *model)
{
    const struct ht_problem *problem = model->problem;
    model->deliveries = problem->reload_count == 0;
    for (uint32_t t = 0; t < model->stops; t++) {
        const struct ht_task *task = ht__task(model, t);
        model->deliveries = model->deliveries && task->kind == HT_TASK_JOB && task->pickup == NULL;
        model->location[t] = task->location;
        for (uint32_t i = 0; i < problem->amounts; i++) {
            size_t at = (size_t)t * problem->amounts + i;
            int64_t up = task->pickup == NULL ? 0 : task->pickup[i];
            int64_t down = task->delivery == NULL ? 0 : task->delivery[i];
            if (task->kind == HT_TASK_JOB) {
                model->pickup[at] = up;
                model->delivery[at] = down;
            } else {
                model->shift[at] = task->kind == HT_TASK_PICKUP ? up : -up;
            }
        }
    }
}

/* ---- nearness ---- */

struct near {
    int64_t price;
    uint32_t task;
};

static int by_price(const void *left, const void *right)
{
    const struct near *a = left;
    const struct near *b = right;
    if (a->price != b->price) {
        return a->price < b->price ? -1 : 1;
    }
    return (a->task > b->task) - (a->task < b->task);
}

/* Brings the `keep` least to the front (Hoare's quickselect). */
static void least_first(struct near *list, size_t count, size_t keep)
{
    size_t low = 0;
    size_t high = count;
    while (high - low > 1 && keep > low && keep < high) {
        struct near pivot = list[low + (high - low) / 2];
        size_t i = low;
        size_t j = high - 1;
        while (i <= j) {
            while (by_price(&list[i], &pivot) < 0) {
                i++;
            }
            while (by_price(&list[j], &pivot) > 0) {
                j--;
            }
            if (i <= j) {
                struct near other = list[i];
                list[i++] = list[j];
                list[j] = other;
                if (j == 0) {
                    break;
                }
                j--;
            }
        }
        if (keep <= j + 1) {
            high = j + 1;
        } else if (keep >= i) {
            low = i;
        } else {
            return;
        }
    }
}

static enum ht_status near_make(struct ht__model *model)
{
    const struct ht__class *c = &model->classes[0];
    uint32_t count = model->problem->task_count;
    model->near_count = count <= 1 ? 0 : count - 1 < HT__NEAR_MOST ? count - 1 : HT__NEAR_MOST;
    model->near = block_new(model, (size_t)count * model->near_count, sizeof *model->near);
    struct near *list = ht_array_new(count, sizeof *list);
    if (model->near == NULL || list == NULL) {
        free(list);
        return HT_NOMEM;
    }
    double sum = 0;
    for (uint32_t t = 0; t < count && model->near_count > 0; t++) {
        size_t found = 0;
        for (uint32_t o = 0; o < count; o++) {
            if (o != t) {
                const struct ht__cell *there = ht__way(c, model->location[t], model->location[o]);
                const struct ht__cell *back = ht__way(c, model->location[o], model->location[t]);
                list[found++] = (struct near){ht__price(c, there) + ht__price(c, back), o};
            }
        }
        least_first(list, found, model->near_count);
        qsort(list, model->near_count, sizeof *list, by_price);
        for (uint32_t i = 0; i < model->near_count; i++) {
            model->near[(size_t)t * model->near_count + i] = list[i].task;
        }
        sum += (double)list[model->near_count < 5 ? model->near_count - 1 : 4].price / 2;
    }
    model->scale = count == 0 ? 1 : (int64_t)(sum / count) + 1;
    free(list);
    return HT_OK;
}

/* ---- orders in which to put items in ---- */

int64_t ht__item_key(const struct ht__model *model, uint32_t order, uint32_t item)
{
    const struct ht__class *c = &model->classes[0];
    const struct ht_task *task = ht__task(model, item);
    const struct ht_task *last = ht__task(model, ht__item_last(model, item));
    uint32_t amounts = model->problem->amounts;
    int64_t sum = 0;
    switch (order) {
    case 0: /* the largest first */
        for (uint32_t d = 0; d < amounts; d++) {
            sum -= model->pickup[(size_t)item * amounts + d] +
                   model->delivery[(size_t)item * amounts + d] +
                   model->shift[(size_t)item * amounts + d];
        }
        return sum;
    case 1: /* the farthest first */
        return -ht__price(c, ht__way(c, c->start, model->location[item]));
    case 2: /* the nearest first */
        return ht__price(c, ht__way(c, c->start, model->location[item]));
    case 3: /* the shortest windows first */
        for (uint32_t i = 0; i < task->window_count; i++) {
            sum += task->windows[i].to_s - task->windows[i].from_s;
        }
        return task->window_count == 0 ? INT64_MAX : sum;
    case 4: /* the earliest windows first */
        return task->window_count == 0 ? INT64_MIN : task->windows[0].from_s;
    default: /* the latest ends first */
        return last->window_count == 0 ? INT64_MIN : -last->windows[last->window_count - 1].to_s;
    }
}

/* ---- all of it ---- */

/* The problem's tasks and its reloads. */
static bool tasks_make(struct ht__model *model)
{
    const struct ht_problem *problem = model->problem;
    size_t count = (size_t)problem->task_count + problem->reload_count;
    struct ht_task *tasks = block_new(model, count, sizeof *tasks);
    if (tasks == NULL) {
        return false;
    }
    if (problem->task_count > 0) {
        memcpy(tasks, problem->tasks, problem->task_count * sizeof *tasks);
    }
    for (uint32_t i = 0; i < problem->reload_count; i++) {
        const struct ht_plan_reload *reload = &problem->reloads[i];
        tasks[problem->task_count + i] = (struct ht_task){.location = reload->location,
                                                          .service_s = reload->service_s,
                                                          .windows = reload->windows,
                                                          .window_count = reload->window_count};
    }
    model->tasks = tasks;
    model->stops = (uint32_t)count;
    /* each task brings a reload at most, beside those that are given */
    model->stops_most = 2 * problem->task_count;
    for (uint32_t v = 0; v < problem->vehicle_count; v++) {
        for (uint32_t i = 0; i < problem->vehicles[v].task_count; i++) {
            model->stops_most += problem->vehicles[v].tasks[i] >= problem->task_count;
        }
    }
    for (uint32_t t = 0; t < problem->task_count; t++) {
        model->homes = model->homes || problem->tasks[t].move_cost > 0;
        model->tagged = model->tagged || problem->tasks[t].loads_at != 0;
    }
    return true;
}

static enum ht_status model_fill(struct ht__model *model)
{
    const struct ht_problem *problem = model->problem;
    if (!tasks_make(model)) {
        return HT_NOMEM;
    }
    size_t tasks = model->stops;
    struct ht__cell *cells = NULL;
    size_t locations = (size_t)problem->location_count + 1;
    uint32_t *numbers =
        block_new(model, tasks * 2 + problem->vehicle_count * 2 + locations, sizeof *numbers);
    int64_t *loads = block_new(model, tasks * problem->amounts * 3, sizeof *loads);
    model->reason = block_new(model, tasks, 1);
    if (numbers == NULL || loads == NULL || model->reason == NULL || !cells_make(model, &cells)) {
        return HT_NOMEM;
    }
    model->location = numbers;
    model->items = numbers + tasks;
    model->class_of = numbers + tasks * 2;
    model->place_of = model->class_of + problem->vehicle_count;
    model->stand = model->place_of + problem->vehicle_count;
    for (uint32_t i = 0; i < locations; i++) {
        bool own = problem->stands == NULL || i == problem->location_count;
        model->stand[i] = own ? i : problem->stands[i];
    }
    model->pickup = loads;
    model->delivery = loads + tasks * problem->amounts;
    model->shift = loads + tasks * problem->amounts * 2;
    loads_fill(model);
    enum ht_status status = classes_find(model, cells);
    if (status == HT_OK && (!times_make(model) || !windows_make(model) || !vehicles_list(model))) {
        status = HT_NOMEM;
    }
    if (status == HT_OK && !ht__costs_fit(model)) {
        status = HT_RANGE;
    }
    if (status == HT_OK) {
        status = reasons_make(model);
    }
    if (status == HT_OK) {
        items_list(model);
        status = near_make(model);
    }
    return status;
}

enum ht_status ht__model_new(const struct ht_problem *problem, struct ht__model **out)
{
    struct ht__model *model = calloc(1, sizeof *model);
    if (model == NULL) {
        return HT_NOMEM;
    }
    model->problem = problem;
    enum ht_status status = model_fill(model);
    if (status != HT_OK) {
        ht__model_free(model);
        return status;
    }
    *out = model;
    return HT_OK;
}

void ht__model_free(struct ht__model *model)
{
    if (model == NULL) {
        return;
    }
    for (uint32_t i = 0; i < model->block_count; i++) {
        free(model->blocks[i]);
    }
    free(model->classes);
    free(model);
}
