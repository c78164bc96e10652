#include "engine/plan/solve_tours.h"

#include <stdlib.h>
#include <time.h>

#include "engine/base/array.h"

enum {
    STOPS_MOST = 400, /* with more it was not measured */
    NEAR_MOST = 30
};
static const double WAIT_WEIGHT = 0.2; /* of who comes next to whom (Vidal et al. 2013) */
static const double LATE_WEIGHT = 1.0;

bool ht__tours_can(const struct ht__model *model)
{
    const struct ht__class *c = &model->classes[0];
    bool can = model->class_count == 1 && c->plain && model->deliveries &&
               model->problem->amounts <= 1 && model->item_count >= 2 &&
               model->item_count <= STOPS_MOST && c->tasks_most >= model->item_count;
    for (uint32_t v = 0; can && v < model->problem->vehicle_count; v++) {
        can = model->problem->vehicles[v].pinned == 0;
    }
    return can;
}

/* ---- memory ---- */

static uint32_t place_of(const struct ht__tours *tours, uint32_t stop, bool from)
{
    const struct ht__class *c = tours->c;
    return stop > 0 ? tours->model->location[tours->model->items[stop - 1]]
           : from   ? c->start
                    : c->end;
}

static enum ht_status cells_fill(struct ht__tours *tours)
{
    for (uint32_t i = 0; i < tours->stride; i++) {
        for (uint32_t j = 0; j < tours->stride; j++) {
            struct ht__cell *cell = &tours->cells[(size_t)i * tours->stride + j];
            *cell = *ht__way(tours->c, place_of(tours, i, true), place_of(tours, j, false));
            if (cell->duration_s == HT_PLAN_NO_WAY && i != j) {
                return HT_INVALID;
            }
        }
    }
    tours->cells[0] = (struct ht__cell){0}; /* of a route without stops */
    return HT_OK;
}

static void needs_fill(struct ht__tours *tours)
{
    const struct ht__model *model = tours->model;
    bool loads = model->problem->amounts > 0;
    tours->needs[0] =
        (struct ht__need){.open_s = tours->c->window.from_s, .close_s = tours->c->window.to_s};
    tours->capacity = loads ? tours->c->capacity[0] : INT64_MAX;
    for (uint32_t i = 1; i < tours->stride; i++) {
        uint32_t task = model->items[i - 1];
        tours->needs[i] = (struct ht__need){.open_s = model->open_s[task],
                                            .close_s = model->close_s[task],
                                            .service_s = tours->c->service_s[task],
                                            .load = loads ? model->delivery[task] : 0};
    }
}

/* How little a way from one to the other wastes. */
static double nearness(const struct ht__tours *tours, uint32_t from, uint32_t to)
{
    const struct ht__need *a = &tours->needs[from];
    const struct ht__need *b = &tours->needs[to];
    double way_s = (double)ht__tours_way(tours, from, to)->duration_s;
    double wait_s = (double)b->open_s - (double)a->service_s - way_s - (double)a->close_s;
    double late_s = (double)a->open_s + (double)a->service_s + way_s - (double)b->close_s;
    double near = (double)ht__tours_cost(tours, from, to);
    double per_second = way_s > 0 ? near / way_s : 0;
    near += wait_s > 0 ? WAIT_WEIGHT * wait_s * per_second : 0;
    near += late_s > 0 ? LATE_WEIGHT * late_s * per_second : 0;
    return near;
}

struct near {
    double far;
    uint32_t stop;
};

static int by_far(const void *left, const void *right)
{
    const struct near *a = left;
    const struct near *b = right;
    if (a->far < b->far || a->far > b->far) {
        return a->far < b->far ? -1 : 1;
    }
    return (a->stop > b->stop) - (a->stop < b->stop);
}

static enum ht_status near_fill(struct ht__tours *tours)
{
    struct near *list = ht_array_new(tours->stride, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 1; i < tours->stride; i++) {
        uint32_t found = 0;
        for (uint32_t j = 1; j < tours->stride; j++) {
            if (i != j) {
                double there = nearness(tours, i, j);
                double back = nearness(tours, j, i);
                list[found++] = (struct near){there < back ? there : back, j};
            }
        }
        qsort(list, found, sizeof *list, by_far);
        for (uint32_t k = 0; k < tours->near_count; k++) {
            tours->near[(size_t)i * tours->near_count + k] = list[k].stop;
        }
    }
    free(list);
    return HT_OK;
}

enum ht_status ht__tours_init(const struct ht__model *model, uint32_t fleet, struct ht__tours *out)
{
    uint32_t stops = model->item_count;
    *out = (struct ht__tours){.model = model,
                              .c = &model->classes[0],
                              .count = stops,
                              .fleet = fleet,
                              .stride = stops + 1,
                              .near_count = stops - 1 < NEAR_MOST ? stops - 1 : NEAR_MOST,
                              .gain = 1e-3 + (double)model->scale * 1e-6,
                              .random = 1};
    size_t stride = out->stride;
    out->cells = ht_array_new(stride * stride, sizeof *out->cells);
    out->needs = ht_array_new(stride, sizeof *out->needs);
    out->near = ht_array_new(stride * out->near_count, sizeof *out->near);
    out->knots = ht_array_new_zeroed(stride + 2 * (size_t)fleet, sizeof *out->knots);
    out->lines = ht_array_new_zeroed(fleet, sizeof *out->lines);
    out->order = ht_array_new(stops, sizeof *out->order);
    out->block = ht_array_new(stops, sizeof *out->block);
    out->tested = ht_array_new(stride, sizeof *out->tested);
    if (out->cells == NULL || out->needs == NULL || out->near == NULL || out->knots == NULL ||
        out->lines == NULL || out->order == NULL || out->block == NULL || out->tested == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t r = 0; r < fleet; r++) {
        out->lines[r].begin = out->stride + 2 * r;
        out->lines[r].end = out->stride + 2 * r + 1;
    }
    for (uint32_t i = 1; i < out->stride; i++) {
        out->knots[i].at = i;
        out->order[i - 1] = i;
    }
    enum ht_status status = cells_fill(out);
    if (status == HT_OK) {
        needs_fill(out);
        status = near_fill(out);
    }
    return status;
}

void ht__tours_deinit(struct ht__tours *tours)
{
    free(tours->cells);
    free(tours->needs);
    free(tours->near);
    free(tours->knots);
    free(tours->lines);
    free(tours->order);
    free(tours->block);
    free(tours->tested);
}

void ht__tours_shuffle(struct ht__tours *tours, uint32_t *list, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t pick = ht__tours_below(tours, i);
        uint32_t other = list[i - 1];
        list[i - 1] = list[pick];
        list[pick] = other;
    }
}

bool ht__tours_over(struct ht__tours *tours)
{
    struct timespec now = {0};
    if (tours->cancel != NULL && __atomic_load_n(tours->cancel, __ATOMIC_RELAXED)) {
        tours->over = true;
    } else if (tours->deadline_ns != 0) {
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        tours->over = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec >= tours->deadline_ns;
    }
    return tours->over;
}

/* ---- routes ---- */

void ht__tours_empty(struct ht__tours *tours)
{
    for (uint32_t i = 0; i < tours->stride; i++) {
        tours->knots[i].route = HT_PLAN_NONE;
    }
    for (uint32_t r = 0; r < tours->fleet; r++) {
        struct ht__line *line = &tours->lines[r];
        tours->knots[line->begin] = (struct ht__knot){.next = line->end, .route = r};
        tours->knots[line->end] = (struct ht__knot){.prev = line->begin, .route = r};
        ht__tours_update(tours, r);
    }
}

void ht__tours_append(struct ht__tours *tours, uint32_t route, uint32_t stop)
{
    uint32_t end = tours->lines[route].end;
    uint32_t last = tours->knots[end].prev;
    tours->knots[stop].prev = last;
    tours->knots[stop].next = end;
    tours->knots[stop].route = route;
    tours->knots[last].next = stop;
    tours->knots[end].prev = stop;
}

static void line_onward(struct ht__tours *tours, struct ht__line *line, uint32_t route)
{
    struct ht__knot *begin = &tours->knots[line->begin];
    struct ht__walk walk = {tours->needs[0].open_s, 0, 0};
    int64_t load = 0;
    int64_t onward = 0;
    int64_t backward = 0;
    uint32_t position = 0;
    begin->leave_s = walk.leave_s;
    begin->back_s = 0;
    for (uint32_t i = begin->next;; i = tours->knots[i].next) {
        struct ht__knot *knot = &tours->knots[i];
        onward += ht__tours_cost(tours, walk.at, knot->at);
        backward += ht__tours_cost(tours, knot->at, walk.at);
        ht__walk_to(tours, &walk, knot->at);
        load += knot->at == 0 ? 0 : tours->needs[knot->at].load;
        knot->route = route;
        knot->position = ++position;
        knot->leave_s = walk.leave_s;
        knot->back_s = walk.back_s;
        knot->load = load;
        knot->onward = onward;
        knot->backward = backward;
        if (i == line->end) {
            break;
        }
    }
    line->count = position - 1;
    line->load = load;
    line->back_s = walk.back_s;
}

static void line_behind(struct ht__tours *tours, const struct ht__line *line)
{
    const struct ht__knot *rest = &tours->knots[line->end];
    tours->knots[line->end].latest_s = tours->needs[0].close_s;
    tours->knots[line->end].behind_s = 0;
    for (uint32_t i = rest->prev; i != line->begin; i = rest->prev) {
        struct ht__knot *knot = &tours->knots[i];
        const struct ht__need *need = &tours->needs[i];
        int64_t latest_s =
            rest->latest_s - need->service_s - ht__tours_way(tours, i, rest->at)->duration_s;
        int64_t late_s = need->open_s - latest_s;
        latest_s = latest_s < need->close_s ? latest_s : need->close_s;
        knot->latest_s = late_s > 0 ? need->open_s : latest_s;
        knot->behind_s = rest->behind_s + (late_s > 0 ? late_s : 0);
        rest = knot;
    }
}

void ht__tours_update(struct ht__tours *tours, uint32_t route)
{
    struct ht__line *line = &tours->lines[route];
    line_onward(tours, line, route);
    line_behind(tours, line);
    line->fee = ht__tours_fee(tours, line->load, line->back_s);
    line->changed = ++tours->moves;
}

void ht__tours_price(struct ht__tours *tours)
{
    for (uint32_t r = 0; r < tours->fleet; r++) {
        struct ht__line *line = &tours->lines[r];
        line->fee = ht__tours_fee(tours, line->load, line->back_s);
    }
}

/* ---- putting in ---- */

struct place {
    double cost;
    uint32_t behind; /* a knot */
};

static void place_look(const struct ht__tours *tours, uint32_t stop, uint32_t behind,
                       struct place *best)
{
    const struct ht__knot *from = &tours->knots[behind];
    const struct ht__knot *to = &tours->knots[from->next];
    const struct ht__line *line = &tours->lines[from->route];
    int64_t cost = ht__tours_cost(tours, from->at, stop) + ht__tours_cost(tours, stop, to->at) -
                   (to->onward - from->onward);
    cost += line->count == 0 ? tours->fixed : 0;
    double fee = ht__tours_fee(tours, line->load + tours->needs[stop].load, 0);
    fee -= line->fee;
    if ((double)cost + fee >= best->cost) {
        return;
    }
    struct ht__walk walk = ht__walk_from(from);
    ht__walk_to(tours, &walk, stop);
    fee += ht__tours_fee(tours, 0, ht__walk_join(tours, &walk, to));
    if ((double)cost + fee < best->cost) {
        *best = (struct place){(double)cost + fee, behind};
    }
}

void ht__tours_put(struct ht__tours *tours, uint32_t stop)
{
    struct place best = {1e300, tours->lines[0].begin};
    const uint32_t *near = tours->near + (size_t)stop * tours->near_count;
    bool empty = false;
    for (uint32_t i = 0; i < tours->near_count; i++) {
        const struct ht__knot *knot = &tours->knots[near[i]];
        if (knot->route == HT_PLAN_NONE) {
            continue;
        }
        place_look(tours, stop, near[i], &best);
        if (knot->position == 1) {
            place_look(tours, stop, knot->prev, &best);
        }
    }
    for (uint32_t r = 0; r < tours->fleet; r++) {
        bool none = tours->lines[r].count == 0;
        if (!none || !empty) {
            place_look(tours, stop, tours->lines[r].begin, &best);
        }
        empty = empty || none;
    }
    struct ht__knot *from = &tours->knots[best.behind];
    tours->knots[stop].prev = best.behind;
    tours->knots[stop].next = from->next;
    tours->knots[from->next].prev = stop;
    from->next = stop;
    tours->looks += tours->near_count;
    ht__tours_update(tours, from->route);
}
