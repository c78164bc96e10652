#include "engine/plan/solve_course.h"

#include <math.h>

#include "engine/plan/solve_tours.h"

enum {
    EXCHANGES = 20, /* while polishing */
    LEGS_MOST = 8,
    LEG_ITEM = 1000, /* iterations of a leg, for each item, at least */
};
static const double BREED_SHARE = 0.85;  /* of polishing */
static const double PROBE_SHARE = 0.01;  /* of polishing, that tells how much can be done */
static const double BREED_ITEM = 1000;   /* iterations for each item, at least */
static const double GATHER_SHARE = 0.35; /* of the time, at most */
static const double LEGS_SHARE = 0.6;    /* of polishing, before the last leg */
static const double STRAY_SHARE = 0.4;   /* of a leg, at most */
static const double STRAY_LESS = 0.6;    /* of the routes, where so many were too many */
static const double HEAT_GATHER = 0.3;   /* of a usual way between stops */
static const double HEAT_FROM = 3;
static const double HEAT_LAST = 0.5; /* where the last leg begins */
static const double HEAT_TO = 0.02;
static const double HEAT_WARM = 0.1; /* where a good answer was given */

const struct ht__answer *ht__course_best(const struct ht__course *course)
{
    const struct ht__answer *best = ht__search_best(course->walkers[0].search);
    for (unsigned i = 1; i < course->threads; i++) {
        const struct ht__answer *other = ht__search_best(course->walkers[i].search);
        best = ht__answer_better(other, best) ? other : best;
    }
    return best;
}

/* ---- what the threads learn from each other ---- */

/* All threads go on from the best answer so far. */
static enum ht_status all_adopt(struct ht__course *course, bool only_fewer)
{
    const struct ht__answer *best = ht__course_best(course);
    for (unsigned i = 0; i < course->threads; i++) {
        const struct ht__answer *own = ht__search_best(course->walkers[i].search);
        if (own == best || (only_fewer && own->missing <= best->missing &&
                            (own->missing < best->missing || own->used <= best->used))) {
            continue;
        }
        enum ht_status status = ht__search_adopt(course->walkers[i].search, best);
        if (status != HT_OK) {
            return status;
        }
    }
    return HT_OK;
}

/* The same, also whose best it is and who has gone on from there since. */
static enum ht_status all_return(struct ht__course *course)
{
    const struct ht__answer *best = ht__course_best(course);
    enum ht_status status = HT_OK;
    for (unsigned i = 0; status == HT_OK && i < course->threads; i++) {
        course->walkers[i].strays = false;
        course->walkers[i].anneals = 0;
        status = ht__search_adopt(course->walkers[i].search, best);
    }
    return status;
}

/* ---- legs ---- */

/* How far polishing is. */
static double way_at(const struct ht__course *course, double share)
{
    double way = (share - course->polish_from) / (1 - course->polish_from + 1e-9);
    return way < 0 ? 0 : way > 1 ? 1 : way;
}

static uint32_t leg_at(const struct ht__course *course, double way)
{
    return way >= LEGS_SHARE ? course->legs : (uint32_t)(way / LEGS_SHARE * course->legs);
}

/* How far the leg at hand is. */
static double leg_way(const struct ht__course *course, double way)
{
    if (course->walkers[0].breed != NULL) {
        return way < BREED_SHARE ? 0 : (way - BREED_SHARE) / (1 - BREED_SHARE);
    }
    double length = LEGS_SHARE / (course->legs + 1e-9);
    double part = course->legs == 0             ? way
                  : course->leg == course->legs ? (way - LEGS_SHARE) / (1 - LEGS_SHARE)
                                                : (way - course->leg * length) / length;
    return part < 0 ? 0 : part > 1 ? 1 : part;
}

static uint32_t legs_of(const struct ht__course *course, double left)
{
    double legs = left * LEGS_SHARE / ((double)course->model->item_count * LEG_ITEM);
    bool some = legs >= 2 && !course->warm && ht__course_best(course)->absent == 0;
    return !some ? 0 : legs < LEGS_MOST ? (uint32_t)legs : LEGS_MOST;
}

static enum ht_status leg_begin(struct ht__course *course)
{
    enum ht_status status = HT_OK;
    for (unsigned i = 0; status == HT_OK && i < course->threads; i++) {
        struct ht__walker *walker = &course->walkers[i];
        walker->strays = course->leg > 0 || i > 0;
        walker->anneals = 0;
        if (walker->strays) {
            status = ht__search_stray(walker->search, walker->part);
        }
    }
    return status;
}

/* Those who strayed anneal once they have gathered all, or return if they can't. */
static enum ht_status strays_look(struct ht__course *course, double way)
{
    enum ht_status status = HT_OK;
    for (unsigned i = 0; status == HT_OK && i < course->threads; i++) {
        struct ht__walker *walker = &course->walkers[i];
        bool whole = ht__search_stand(walker->search) != INT64_MAX;
        if (!walker->strays || (!whole && way < STRAY_SHARE)) {
            continue;
        }
        walker->strays = false;
        walker->anneals = way;
        if (!whole) {
            walker->part *= STRAY_LESS;
            status = ht__search_adopt(walker->search, ht__search_best(walker->search));
        }
    }
    return status;
}

/* ---- breeding ---- */

/* Each thread has a population of its own, from the best answer so far. */
static enum ht_status breed_begin(struct ht__course *course, double left)
{
    enum ht_status status = HT_OK;
    const struct ht__answer *best = ht__course_best(course);
    bool can = !course->warm && best->absent == 0 && ht__tours_can(course->model) &&
               left >= (double)course->model->item_count * BREED_ITEM;
    for (unsigned i = 0; can && status == HT_OK && i < course->threads; i++) {
        status = ht__breed_new(course->model, course->seed + i, best, &course->walkers[i].breed);
    }
    course->breeds = can && status == HT_OK;
    return status == HT_INVALID ? HT_OK : status; /* there is no way between some stops */
}

static enum ht_status breed_turn(struct ht__course *course, double way)
{
    int due = (int)(way * EXCHANGES);
    if (way >= BREED_SHARE) {
        course->breeds = false;
        course->exchanged = due;
        return all_return(course);
    }
    if (due == course->exchanged) {
        return HT_OK;
    }
    const struct ht__answer *best = ht__course_best(course);
    course->exchanged = due;
    for (unsigned i = 0; i < course->threads; i++) {
        struct ht__breed *breed = course->walkers[i].breed;
        if (ht__answer_better(best, ht__breed_best(breed))) {
            ht__breed_add(breed, best);
        }
    }
    return HT_OK;
}

/* ---- turns ---- */

static enum ht_status gather_turn(struct ht__course *course, double share)
{
    const struct ht__answer *best = ht__course_best(course);
    bool done = best->absent == 0 && (!course->model->fixed || best->used <= course->fewest);
    if (!done && share < GATHER_SHARE) {
        return all_adopt(course, true);
    }
    course->goal = HT__POLISH;
    for (unsigned i = 0; i < course->threads; i++) {
        course->walkers[i].part = 1;
    }
    course->polish_from = share;
    return all_return(course); /* away from where something is missing */
}

/* Once it is known how much can be done: with populations, or in legs, or neither. */
static enum ht_status polish_begin(struct ht__course *course, double left)
{
    course->begun = true;
    enum ht_status status = breed_begin(course, left);
    course->legs = status != HT_OK || course->breeds ? 0 : legs_of(course, left);
    if (status == HT_OK && (course->breeds || course->legs > 0)) {
        status = all_return(course);
    }
    return status == HT_OK && course->legs > 0 ? leg_begin(course) : status;
}

static enum ht_status polish_turn(struct ht__course *course, double share, double left)
{
    double way = way_at(course, share);
    if (!course->begun) {
        return way < PROBE_SHARE ? HT_OK : polish_begin(course, left);
    }
    uint32_t leg = leg_at(course, way);
    if (course->breeds) {
        return breed_turn(course, way);
    }
    if (leg != course->leg) {
        course->leg = leg;
        course->exchanged = (int)(way * EXCHANGES);
        return leg == course->legs ? all_return(course) : leg_begin(course);
    }
    if (leg < course->legs) {
        return strays_look(course, leg_way(course, way));
    }
    int due = (int)(way * EXCHANGES);
    if (due > course->exchanged) {
        course->exchanged = due;
        return all_adopt(course, false);
    }
    return HT_OK;
}

/* How far annealing is. */
static double anneal_at(const struct ht__course *course, const struct ht__walker *walker,
                        double share)
{
    double way = leg_way(course, way_at(course, share));
    way = (way - walker->anneals) / (1 - walker->anneals + 1e-9);
    return way < 0 ? 0 : way > 1 ? 1 : way;
}

static double heat_at(const struct ht__course *course, const struct ht__walker *walker,
                      double share)
{
    double scale = (double)course->model->scale;
    if (course->goal == HT__GATHER || walker->strays) {
        return scale * HEAT_GATHER;
    }
    double way = anneal_at(course, walker, share);
    bool last = walker->breed != NULL || (course->legs > 0 && course->leg == course->legs);
    double from = course->warm ? HEAT_WARM : last ? HEAT_LAST : HEAT_FROM;
    return scale * from * pow(HEAT_TO / from, way);
}

enum ht_status ht__course_turn(struct ht__course *course, double share, double next, double left)
{
    enum ht_status status =
        course->goal == HT__GATHER ? gather_turn(course, share) : polish_turn(course, share, left);
    uint32_t used = ht__course_best(course)->used;
    for (unsigned i = 0; i < course->threads; i++) {
        struct ht__walker *walker = &course->walkers[i];
        walker->round.goal = walker->strays ? HT__GATHER : course->goal;
        walker->round.heat_from = heat_at(course, walker, share);
        walker->round.heat_to = heat_at(course, walker, next);
        walker->round.fewest = walker->strays ? used : course->fewest;
    }
    return status;
}
