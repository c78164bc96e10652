/* How large costs can get: what could overflow is refused before the search, which then need not
 * look. In doubles, since it is a bound and no sum. */
#include "engine/plan/solve_internal.h"

static const double COST_MOST = 2e18; /* a quarter of what 64 bits hold */
static const double NONE_MOST = 1e18; /* few are added before it is seen that there is no way */

struct bound {
    double price;    /* of a way */
    double none;     /* of one that there is not, as it would be reckoned */
    double way_s;    /* it takes */
    double fixed;    /* of a vehicle */
    double per_task; /* second of work */
    double work_s;   /* of all stops */
    double end_s;    /* nobody waits for anything that is later than this */
};

static double more(double a, double b)
{
    return a > b ? a : b;
}

static void ways_bound(const struct ht__class *c, uint32_t locations, struct bound *bound)
{
    for (uint32_t i = 0; i < locations; i++) {
        for (uint32_t j = 0; j < locations; j++) {
            const struct ht__cell *way = ht__way(c, i, j);
            double price = (double)way->duration_s * (double)c->per_second +
                           (double)way->other * (double)c->per_other;
            if (way->duration_s == HT_PLAN_NO_WAY) {
                bound->none = more(bound->none, price);
            } else {
                bound->price = more(bound->price, price);
                bound->way_s = more(bound->way_s, way->duration_s);
            }
        }
    }
}

static void classes_bound(const struct ht__model *model, struct bound *bound)
{
    for (uint32_t i = 0; i < model->class_count; i++) {
        const struct ht__class *c = &model->classes[i];
        bool seen = false; /* a class of the same matrix to which ways cost no less */
        for (uint32_t o = 0; o < i && !seen; o++) {
            const struct ht__class *other = &model->classes[o];
            seen = other->cells == c->cells && other->per_second >= c->per_second &&
                   other->per_other >= c->per_other;
        }
        if (!seen) {
            ways_bound(c, model->problem->location_count, bound);
        }
        bound->fixed = more(bound->fixed, (double)c->fixed);
        bound->per_task = more(bound->per_task, (double)c->per_task);
        bound->end_s = more(bound->end_s, (double)c->window.from_s);
    }
}

static void stops_bound(const struct ht__model *model, struct bound *bound)
{
    uint32_t types = model->problem->types;
    for (uint32_t t = 0; t < model->stops; t++) {
        const struct ht_task *task = ht__task(model, t);
        double work_s = 0;
        for (uint32_t y = 0; y < types; y++) {
            double service_s =
                task->service_by_type_s == NULL ? task->service_s : task->service_by_type_s[y];
            double setup_s =
                task->setup_by_type_s == NULL ? task->setup_s : task->setup_by_type_s[y];
            work_s = more(work_s, service_s + setup_s);
        }
        bound->work_s += work_s;
        bound->end_s = more(bound->end_s, (double)task->ready_s);
        if (task->window_count > 0) {
            bound->end_s = more(bound->end_s, (double)task->windows[task->window_count - 1].from_s);
        }
    }
}

bool ht__costs_fit(const struct ht__model *model)
{
    const struct ht_problem *problem = model->problem;
    struct bound bound = {0};
    classes_bound(model, &bound);
    stops_bound(model, &bound);
    /* a reload may come with every task, and is not longer than all stops together */
    double trips = problem->reload_count > 0 ? problem->task_count + 1.0 : 1;
    double used =
        problem->vehicle_count < problem->task_count ? problem->vehicle_count : problem->task_count;
    double ways = 2.0 * problem->task_count + used + 2;
    double sum = ways * bound.price + used * bound.fixed + trips * bound.work_s * bound.per_task;
    double end_s = bound.end_s + trips * bound.work_s + ways * bound.way_s;
    double spent_s = trips * bound.work_s + ways * bound.way_s;
    sum += problem->balance * spent_s * spent_s; /* before it is divided */
    for (uint32_t t = 0; t < problem->task_count; t++) {
        double late_s = end_s - (double)problem->tasks[t].due_s;
        sum += (double)problem->tasks[t].move_cost * HT_COST_SCALE;
        sum += late_s > 0 ? late_s * 5 * problem->tasks[t].late_per_hour : 0;
    }
    return sum < COST_MOST && bound.none < NONE_MOST;
}
