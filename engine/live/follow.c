#include "engine/live/follow.h"

#include <math.h>
#include <stdlib.h>

#include "engine/live/follow_internal.h"

enum { REACHED = 48 };

static const double MOVING_MPS = 2.0;
static const double STEP_M = 20.0; /* gives a bearing */
static const double NEAR_M = 500.0;
static const double ACCURATE_M = 10.0;
static const double HEADING_M = 25.0;
static const double WAY_M = 60.0;
static const double ISLAND_M = 100.0;
static const double FIRST_M = 10.0; /* the first look: units on their street are within it */
static const double DEGREE = 3.14159265358979323846 / 180.0;

/* An arc that can be driven to from the last place. */
struct reached {
    uint32_t arc;
    uint64_t tail_mm; /* driven up to its tail */
    bool settled;
};

struct choice {
    uint32_t best;
    double least;
};

struct ht_follow {
    struct ht_snap_work *snap;
    struct ht_snap_seen seen[HT_FOLLOW_CANDIDATES];
    struct ht_place places[HT_FOLLOW_CANDIDATES]; /* of those that were worth it */
    unsigned placed;                              /* bits: which */
    struct reached reached[REACHED];
    uint32_t reached_count;
    struct choice choice; /* of the last look */
    bool plain;           /* looks as far as it ever does */
};

enum ht_status ht_follow_new(struct ht_follow **out)
{
    struct ht_follow *f = calloc(1, sizeof *f);
    if (f == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_snap_work_new(&f->snap);
    if (status != HT_OK) {
        free(f);
        return status;
    }
    *out = f;
    return HT_OK;
}

void ht_follow_free(struct ht_follow *f)
{
    if (f != NULL) {
        ht_snap_work_free(f->snap);
        free(f);
    }
}

static void reach(struct ht_follow *f, uint32_t arc, uint64_t tail_mm)
{
    for (uint32_t i = 0; i < f->reached_count; i++) {
        struct reached *r = &f->reached[i];
        if (r->arc == arc) {
            r->tail_mm = tail_mm < r->tail_mm ? tail_mm : r->tail_mm;
            return;
        }
    }
    if (f->reached_count < REACHED) {
        f->reached[f->reached_count++] = (struct reached){arc, tail_mm, false};
    }
}

static void reach_beyond(struct ht_follow *f, const struct ht_graph *graph, uint32_t arc,
                         uint64_t head_mm)
{
    for (uint32_t t = graph->turn_first[arc]; t < graph->turn_first[arc + 1]; t++) {
        reach(f, ht_turn_to(graph, arc, t), head_mm);
    }
}

/* How far to look ahead: twice the straight line and 100 m; less where a sum of `least` is known
 * already, which the way alone would pass from there on, and the want of a way, too. */
static uint64_t ahead_mm(double straight_m, double least)
{
    double metres = straight_m * 2.0 + 100.0;
    return (uint64_t)((least < WAY_M ? fmin(metres, straight_m + 2.0 * least) : metres) * 1000.0) +
           1;
}

/* What lies ahead of the last place. So few arcs that the nearest is looked for among all. */
static void look_ahead(struct ht_follow *f, const struct ht_graph *graph,
                       const struct ht_place *last, uint64_t limit_mm)
{
    f->reached_count = 0;
    for (int s = 0; s < 2; s++) {
        if (last->side[s].arc != HT_NONE) {
            reach_beyond(f, graph, last->side[s].arc, last->side[s].after_mm);
        }
    }
    for (;;) {
        struct reached *next = NULL;
        for (uint32_t i = 0; i < f->reached_count; i++) {
            struct reached *r = &f->reached[i];
            if (!r->settled && (next == NULL || r->tail_mm < next->tail_mm)) {
                next = r;
            }
        }
        if (next == NULL || next->tail_mm > limit_mm) {
            return;
        }
        next->settled = true;
        reach_beyond(f, graph, next->arc, next->tail_mm + graph->arcs[next->arc].length_mm);
    }
}

/* Metres along the streets to a side of a candidate; negative: no way known. */
static double driven_m(const struct ht_follow *f, const struct ht_graph *graph,
                       const struct ht_place *last, const struct ht_place_side *side)
{
    double best = -1;
    for (int s = 0; s < 2; s++) {
        uint32_t arc = last->side[s].arc;
        if (arc == HT_NONE) {
            continue;
        }
        int64_t apart = INT64_MAX;
        if (arc == side->arc) {
            apart = (int64_t)side->before_mm - last->side[s].before_mm;
        } else if (graph->arcs[arc].reverse == side->arc) {
            apart = (int64_t)side->after_mm - last->side[s].before_mm;
        }
        if (apart != INT64_MAX) {
            double metres = (double)llabs(apart) / 1000.0;
            best = best < 0 || metres < best ? metres : best;
        }
    }
    for (uint32_t i = 0; i < f->reached_count; i++) {
        if (ht_arc_base(graph, f->reached[i].arc) == side->arc) {
            double metres = (double)(f->reached[i].tail_mm + side->before_mm) / 1000.0;
            best = best < 0 || metres < best ? metres : best;
        }
    }
    return best;
}

/* The bearing of each side of a place, where there is one. */
static void side_bearings(const struct ht_snap_seen *seen, const struct ht_place *place,
                          double bearing[2])
{
    int first = place->side[0].arc != HT_NONE ? 0 : 1;
    bearing[first] = ht_bearing_deg(seen->ends[first], seen->ends[1 - first]);
    bearing[1 - first] = bearing[first] + 180.0;
}

static double cos_between(double a_deg, double b_deg)
{
    return cos((a_deg - b_deg) * DEGREE);
}

struct view {
    const struct ht_road *road;
    const struct ht_fix *fix;
    const struct ht_place *last; /* NULL: says nothing about the way */
    double straight_m;
    double bearing_deg; /* negative: none, or it stands */
};

/* In which proportion a distance counts. */
static double share_of(const struct ht_fix *fix)
{
    double accuracy = fix->accuracy_m < 50.0 ? fix->accuracy_m : 50.0;
    return accuracy > ACCURATE_M ? ACCURATE_M / accuracy : 1.0;
}

/* What distance and island say alone: no more than the whole. */
static double score_apart(const struct view *view, const struct ht_snap_seen *seen)
{
    return seen->distance_m * share_of(view->fix) + (seen->small ? ISLAND_M : 0);
}

/* A candidate in full, fetched when it is first asked for. */
static const struct ht_place *place_of(struct ht_follow *f, uint32_t i)
{
    if ((f->placed >> i & 1) == 0) {
        ht_snap_seen_place(f->snap, i, &f->places[i]);
        f->placed |= 1U << i;
    }
    return &f->places[i];
}

/* The same for each side, with the heading. The least of both. */
static double score_heading(struct ht_follow *f, const struct view *view, uint32_t i, double apart,
                            double sides[2])
{
    const struct ht_place *place = place_of(f, i);
    sides[0] = apart;
    sides[1] = apart;
    if (view->bearing_deg >= 0) {
        double bearing[2];
        side_bearings(&f->seen[i], place, bearing);
        double fits = cos_between(bearing[0], view->bearing_deg);
        sides[0] += HEADING_M * (1.0 - fits);
        sides[1] += HEADING_M * (1.0 + fits);
    }
    for (int s = 0; s < 2; s++) {
        sides[s] = place->side[s].arc == HT_NONE ? INFINITY : sides[s];
    }
    return fmin(sides[0], sides[1]);
}

static double score_way(const struct ht_follow *f, const struct view *view,
                        const struct ht_place *place, const double sides[2])
{
    double best = INFINITY;
    for (int s = 0; s < 2; s++) {
        if (place->side[s].arc != HT_NONE) {
            double driven = driven_m(f, view->road->graph, view->last, &place->side[s]);
            double off = fabs(driven - view->straight_m) * 0.5;
            best = fmin(best, sides[s] + (driven < 0 || off > WAY_M ? WAY_M : off));
        }
    }
    return best;
}

/* Whether `arc` or its opposite is the last place's. */
static bool same_street(const struct ht_graph *graph, const struct ht_place *last, uint32_t arc)
{
    for (int s = 0; s < 2; s++) {
        uint32_t was = last->side[s].arc;
        if (was != HT_NONE && (was == arc || graph->arcs[was].reverse == arc)) {
            return true;
        }
    }
    return false;
}

static bool still_better(const struct choice *choice, uint32_t i, double sum)
{
    return sum < choice->least || (sum == choice->least && i < choice->best);
}

/* The candidate with the least sum. Most units go on along their street, which is looked at first:
 * headings of others, and what lies beyond its end, only when they could still be better. */
static struct choice choose(struct ht_follow *f, const struct view *view, uint32_t count)
{
    const struct ht_graph *graph = view->road->graph;
    struct choice choice = {HT_FOLLOW_CANDIDATES, INFINITY};
    double sides[2];
    f->reached_count = 0;
    for (uint32_t i = 0; i < count && view->last != NULL; i++) {
        double apart = score_apart(view, &f->seen[i]);
        if (still_better(&choice, i, apart) && same_street(graph, view->last, f->seen[i].arc)) {
            (void)score_heading(f, view, i, apart, sides);
            double sum = score_way(f, view, &f->places[i], sides);
            choice = still_better(&choice, i, sum) ? (struct choice){i, sum} : choice;
        }
    }
    bool looked = false;
    for (uint32_t i = 0; i < count; i++) {
        double sum = score_apart(view, &f->seen[i]);
        if (still_better(&choice, i, sum)) {
            sum = score_heading(f, view, i, sum, sides);
        }
        if (view->last != NULL && still_better(&choice, i, sum)) {
            if (!looked) {
                look_ahead(f, graph, view->last,
                           ahead_mm(view->straight_m, f->plain ? INFINITY : choice.least));
                looked = true;
            }
            sum = score_way(f, view, &f->places[i], sides);
        }
        choice = still_better(&choice, i, sum) ? (struct choice){i, sum} : choice;
    }
    return choice;
}

/* Takes away the side that the unit drives against. */
static void keep_direction(const struct view *view, const struct ht_snap_seen *seen,
                           struct ht_place *place)
{
    double bearing[2];
    if (view->bearing_deg < 0 || place->side[0].arc == HT_NONE || place->side[1].arc == HT_NONE) {
        return;
    }
    side_bearings(seen, place, bearing);
    const struct ht_graph *graph = view->road->graph;
    int gone = cos_between(bearing[0], view->bearing_deg) >= 0 ? 1 : 0;
    if (gone == 0) {
        const struct ht_arc *arc = &graph->arcs[place->side[0].arc];
        place->segment = ht_arc_point_count(arc) - 2 - place->segment;
    }
    place->side[gone] = (struct ht_place_side){.arc = HT_NONE};
    const struct ht_arc *kept = &graph->arcs[place->side[1 - gone].arc];
    place->component = kept->component;
    place->small = (kept->flags & HT_ARC_SMALL) != 0;
}

static struct view view_of(const struct ht_road *road, const struct ht_fix *fix,
                           const struct ht_place *last)
{
    struct view view = {.road = road, .fix = fix, .bearing_deg = -1};
    if (last != NULL) {
        double straight_m = ht_distance_m(last->input, fix->point);
        if (straight_m <= NEAR_M) {
            view.last = last;
            view.straight_m = straight_m;
        }
    }
    bool stands = fix->speed_mps >= 0 && fix->speed_mps < MOVING_MPS;
    if (!stands && fix->bearing_deg >= 0) {
        view.bearing_deg = fix->bearing_deg;
    } else if (!stands && view.last != NULL && view.straight_m >= STEP_M) {
        view.bearing_deg = ht_bearing_deg(last->input, fix->point);
    }
    return view;
}

/* What the way from the last place will ask for: called while the streets near are looked up, first
 * where the turns stand, then the turns. */
static void call_turns(const struct view *view, bool first)
{
    const struct ht_graph *graph = view->road->graph;
    for (int s = 0; s < 2 && view->last != NULL; s++) {
        uint32_t arc = view->last->side[s].arc;
        if (arc != HT_NONE && first) {
            __builtin_prefetch(&graph->turn_first[arc]);
            __builtin_prefetch(&graph->arcs[arc]);
        } else if (arc != HT_NONE) {
            ht_turn_call(graph, graph->turn_first[arc]);
        }
    }
}

/* Looks no further than `radius_m`. `*sure`: no street beyond it would be a better answer. */
static enum ht_status place_within(struct ht_follow *f, const struct view *view, double radius_m,
                                   struct ht_place *out, bool *sure)
{
    struct ht_snap_options options = ht_snap_options_default();
    options.radius_m = radius_m;
    uint32_t count = 0;
    call_turns(view, true);
    enum ht_status status = ht_snap_look(view->road->snap, f->snap, view->fix->point, &options,
                                         HT_FOLLOW_CANDIDATES, &count);
    call_turns(view, false);
    for (uint32_t i = 0; i < count; i++) {
        f->seen[i] = ht_snap_seen(f->snap, i);
    }
    f->placed = 0;
    *sure = count == HT_FOLLOW_CANDIDATES;
    f->choice = choose(f, view, count);
    if (status == HT_OK && f->choice.best == HT_FOLLOW_CANDIDATES) { /* only in a forged file */
        return HT_NO_SEGMENT;
    }
    if (status == HT_OK) {
        *out = *place_of(f, f->choice.best);
        *sure = *sure || f->choice.least < radius_m * share_of(view->fix);
    }
    return status;
}

/* Of what is further off than the radius, the distance alone is more than the least sum: so a first
 * look at what is near gives the very answer of the whole reach, mostly, at half its cost. Where it
 * does not, the sum that it found says how far the second one has to go. */
enum ht_status ht__follow_place(struct ht_follow *f, const struct ht_road *road,
                                const struct ht_fix *fix, const struct ht_place *last,
                                double first_m, struct ht_place *out)
{
    struct view view = view_of(road, fix, last);
    bool sure = false;
    f->plain = first_m >= HT_FOLLOW_REACH_M;
    enum ht_status status = HT_NO_SEGMENT;
    if (!f->plain) {
        status = place_within(f, &view, first_m, out, &sure);
    }
    if (!sure && status != HT_NOMEM) {
        double far_m = status == HT_OK ? f->choice.least / share_of(fix) + 1.0 : HT_FOLLOW_REACH_M;
        status = place_within(f, &view, fmin(far_m, HT_FOLLOW_REACH_M), out, &sure);
    }
    if (status == HT_OK) {
        keep_direction(&view, &f->seen[f->choice.best], out);
    }
    return status;
}

enum ht_status ht_follow_place(struct ht_follow *f, const struct ht_road *road,
                               const struct ht_fix *fix, const struct ht_place *last,
                               struct ht_place *out)
{
    return ht__follow_place(f, road, fix, last, FIRST_M, out);
}
