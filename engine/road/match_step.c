/* From one column of states to the next. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/match_internal.h"

static const double HALF_LOG_2PI = 0.91893853320467274178;
static const double TURNS_BELOW = 45.0; /* degrees between both legs: turned round */
static const double MOST_M = 2000.0;    /* of difference, without times */
static const double BETA_M = 10.0;
static const double TURN_SIGMAS = 4.0;

struct ht_match_options ht_match_options_default(void)
{
    return (struct ht_match_options){.beta_m = 0, .max_speed_mps = 50.0, .split = true};
}

enum ht_status ht_match__reserve(struct ht_match_core *core, size_t count)
{
    void *places = core->places;
    void *states = core->states;
    enum ht_status status =
        ht_array_reserve(&places, &core->place_capacity, count, sizeof *core->places);
    if (status == HT_OK) {
        status = ht_array_reserve(&states, &core->state_capacity, 2 * count, sizeof *core->states);
    }
    core->places = places;
    core->states = states;
    return status;
}

double ht_match__emission(double distance_m, double sigma_m)
{
    double z = distance_m / sigma_m;
    return -0.5 * z * z - log(sigma_m) - HALF_LOG_2PI;
}

double ht_match__beta(const struct ht_match_options *options, int64_t dt_ms)
{
    (void)dt_ms;
    return options->beta_m > 0 ? options->beta_m : BETA_M;
}

static double transition(double beta_m, double log_beta, double way_m, uint32_t way_ms,
                         double line_m, int64_t dt_ms)
{
    double late_s = dt_ms < 0 ? 0 : ((double)way_ms - 2.0 * (double)dt_ms) / 1000.0 - 5.0;
    return -log_beta - fabs(way_m - line_m) / beta_m - (late_s > 0 ? late_s / 5.0 : 0.0);
}

double ht_match__transition(double beta_m, double way_m, uint32_t way_ms, double line_m,
                            int64_t dt_ms)
{
    return transition(beta_m, log(beta_m), way_m, way_ms, line_m, dt_ms);
}

double ht_match__most(const struct ht_match_options *options, int64_t dt_ms)
{
    if (dt_ms < 0) {
        return MOST_M;
    }
    double dt_s = dt_ms < 1000 ? 1.0 : (double)dt_ms / 1000.0;
    return dt_s * options->max_speed_mps;
}

/* Fixes that lie closer than their noise say nothing about turning. */
bool ht_match__turns(const struct ht_match_fix *a, const struct ht_match_fix *b,
                     const struct ht_match_fix *c)
{
    if (ht_distance_m(a->point, b->point) < TURN_SIGMAS * b->sigma_m ||
        ht_distance_m(b->point, c->point) < TURN_SIGMAS * b->sigma_m) {
        return false;
    }
    double between = fabs(ht_bearing_deg(b->point, a->point) - ht_bearing_deg(b->point, c->point));
    return between <= TURNS_BELOW || between >= 360.0 - TURNS_BELOW;
}

/* One piece of street once, at its nearest place. */
static bool seen_before(const uint32_t *arcs, uint32_t count, uint32_t arc)
{
    for (uint32_t i = 0; i < count; i++) {
        if (arcs[i] == arc) {
            return true;
        }
    }
    return false;
}

static void add_states(struct ht_match_core *core, struct ht_match_column *column, uint32_t number,
                       bool sharp)
{
    const struct ht_place *place = &core->places[column->first_place + number];
    unsigned sides =
        (place->side[0].arc != HT_NONE ? 1U : 0U) | (place->side[1].arc != HT_NONE ? 2U : 0U);
    struct ht_match_state state = {
        .value = -INFINITY,
        .emission = ht_match__emission(place->distance_m, column->sigma_m),
        .place = (uint8_t)number,
        .before = HT_MATCH_STATES,
    };
    struct ht_match_state *states = ht_match__states(core, column);
    if (sharp && sides == 3) {
        state.sides = 3;
        states[column->state_count++] = state;
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        if ((sides & 1U << side) != 0) {
            state.sides = (uint8_t)(1U << side);
            state.side = (uint8_t)side;
            states[column->state_count++] = state;
        }
    }
}

enum ht_status ht_match__places(struct ht_match_core *core, const struct ht_match_fix *fix,
                                bool sharp, struct ht_match_column *column)
{
    struct ht_snap_options options = fix->snap;
    uint32_t found = 0;
    uint32_t arcs[HT_MATCH_PLACES] = {0};
    column->point = fix->point;
    column->time_ms = fix->time_ms;
    column->sigma_m = fix->sigma_m;
    column->place_count = 0;
    column->state_count = 0;
    column->before = HT_NONE;
    column->broken = true;
    options.radius_m = options.radius_m < 0 ? 3.0 * fix->sigma_m : options.radius_m;
    options.any_street = true; /* a trace may go where no trip begins */
    enum ht_status status =
        ht_snap_look(core->road->snap, core->snap, fix->point, &options, HT_MATCH_LOOK, &found);
    if (status == HT_NO_SEGMENT) {
        return HT_OK;
    }
    for (uint32_t i = 0; status == HT_OK && i < found && column->place_count < HT_MATCH_PLACES;
         i++) {
        struct ht_snap_seen seen = ht_snap_seen(core->snap, i);
        if (seen_before(arcs, column->place_count, seen.arc)) {
            continue;
        }
        uint32_t number = column->place_count++;
        arcs[number] = seen.arc;
        ht_snap_seen_place(core->snap, i, &core->places[column->first_place + number]);
        add_states(core, column, number, sharp);
    }
    return status;
}

uint32_t ht_match__best(const struct ht_match_core *core, const struct ht_match_column *column)
{
    const struct ht_match_state *states = ht_match__states(core, column);
    uint32_t best = HT_MATCH_STATES;
    double value = -INFINITY;
    for (uint32_t i = 0; i < column->state_count; i++) {
        if (states[i].value > value) {
            value = states[i].value;
            best = i;
        }
    }
    return best;
}

/* Gives up what is far from the best. */
static void prune(struct ht_match_core *core, struct ht_match_column *column)
{
    uint32_t best = ht_match__best(core, column);
    struct ht_match_state *states = ht_match__states(core, column);
    column->broken = best == HT_MATCH_STATES;
    for (uint32_t i = 0; !column->broken && i < column->state_count; i++) {
        if (states[i].value < states[best].value - HT_MATCH_BEAM) {
            states[i].value = -INFINITY;
        }
    }
}

void ht_match__begin(struct ht_match_core *core, struct ht_match_column *column)
{
    struct ht_match_state *states = ht_match__states(core, column);
    column->before = HT_NONE;
    for (uint32_t i = 0; i < column->state_count; i++) {
        states[i].value = states[i].emission;
        states[i].before = HT_MATCH_STATES;
        states[i].step = HT_MATCH_BEGIN;
        states[i].survives = false;
    }
    prune(core, column);
}

/* A step while it is taken. */
struct step {
    struct ht_match_core *core;
    const struct ht_match_column *from;
    struct ht_match_column *to;
    struct ht_match_state *sources;
    struct ht_match_state *targets;
    double line_m;
    double beta_m;
    double log_beta;
    double most_m;
    int64_t dt_ms;
    double back_m; /* how far behind is still standing */
    double best;   /* of all targets so far */
    double cap_m;  /* what is looked at first */
    bool capped;   /* something that could win lies beyond */
};

/* A source's way out, or a target's way in. */
struct end {
    uint8_t state;
    uint8_t side;
};

static const struct ht_place_side *side_of(const struct step *step,
                                           const struct ht_match_column *column,
                                           const struct ht_match_state *state, uint32_t side)
{
    return &step->core->places[column->first_place + state->place].side[side];
}

static void offer(struct step *step, struct end from, struct end to, enum ht_match_step how,
                  struct ht_key way, struct ht_key rest)
{
    const struct ht_match_state *source = &step->sources[from.state];
    struct ht_match_state *target = &step->targets[to.state];
    double way_m = (double)(int32_t)way.length / 1000.0;
    if (!(fabs(way_m - step->line_m) < step->most_m)) {
        return;
    }
    double value = source->value + target->emission +
                   transition(step->beta_m, step->log_beta, way_m, (uint32_t)way.time, step->line_m,
                              step->dt_ms);
    if (!(value > target->value)) {
        return;
    }
    target->value = value;
    target->rest = rest;
    target->before = from.state;
    target->from_side = from.side;
    target->side = to.side;
    target->step = (uint8_t)how;
    step->best = value > step->best ? value : step->best;
}

static struct ht_key packed(struct ht_cost cost)
{
    return (struct ht_key){ht_time_pack(cost.weight_ms, cost.duration_ms),
                           (uint32_t)cost.length_mm};
}

/* On one arc, ahead or as good as standing. False: it takes a way around. */
static bool offer_along(struct step *step, struct end from, struct end to)
{
    const struct ht_place_side *a =
        side_of(step, step->from, &step->sources[from.state], from.side);
    const struct ht_place_side *b = side_of(step, step->to, &step->targets[to.state], to.side);
    if (a->arc != b->arc) {
        return false;
    }
    if (a->before_mm <= b->before_mm) {
        struct ht_cost cost = {0, 0, 0};
        if (a->before_mm < b->before_mm) {
            cost = ht_arc_cost(step->core->road->graph, a->arc, a->before_mm, b->before_mm);
        }
        if (cost.weight_ms < HT_WEIGHT_INF) {
            struct ht_key way = packed(cost);
            offer(step, from, to, HT_MATCH_ALONG, way, way);
            return true;
        }
        return false;
    }
    if ((double)(a->before_mm - b->before_mm) > step->back_m * 1000.0) {
        return false;
    }
    struct ht_key way = {0, b->before_mm - a->before_mm}; /* below 0 */
    offer(step, from, to, HT_MATCH_ALONG, way, way);
    return true;
}

/* By how many metres way and line may differ at most for this pair to win; below 0: it can't. */
static double worth_m(const struct step *step, uint32_t source, uint32_t target)
{
    const struct ht_match_state *t = &step->targets[target];
    double least = t->value > step->best - HT_MATCH_BEAM ? t->value : step->best - HT_MATCH_BEAM;
    double spare = step->sources[source].value + t->emission - step->log_beta - least;
    double most = spare * step->beta_m + 1e-6 * (1.0 + fabs(least));
    return most < step->most_m ? most : step->most_m;
}

/* The targets of one way out that need a search, and its answers. */
static enum ht_status offer_ways(struct step *step, struct end from)
{
    struct ht_hop_target asked[HT_MATCH_STATES * 2];
    struct end ends[HT_MATCH_STATES * 2];
    uint32_t count = 0;
    const struct ht_place_side *a =
        side_of(step, step->from, &step->sources[from.state], from.side);
    for (uint32_t t = 0; t < step->to->state_count; t++) {
        double most = worth_m(step, from.state, t);
        for (uint8_t side = 0; most >= 0 && side < 2; side++) {
            struct end to = {(uint8_t)t, side};
            if ((step->targets[t].sides & 1U << side) == 0 || offer_along(step, from, to)) {
                continue;
            }
            const struct ht_place_side *b = side_of(step, step->to, &step->targets[t], side);
            double cut = most > step->cap_m ? step->cap_m : most;
            step->capped |= most > step->cap_m;
            double limit = (step->line_m + cut) * 1000.0 + 1.0 - (double)a->after.length_mm -
                           (double)b->before.length_mm;
            if (limit < 0 || b->before.weight_ms >= HT_WEIGHT_INF ||
                a->after.weight_ms >= HT_WEIGHT_INF) {
                continue;
            }
            asked[count] = (struct ht_hop_target){.arc = b->arc, .limit_mm = (int64_t)limit};
            ends[count++] = to;
        }
    }
    if (count == 0) {
        return HT_OK;
    }
    enum ht_status status = ht_hop_run(step->core->hop, a->arc, asked, count);
    for (uint32_t i = 0; status == HT_OK && i < count; i++) {
        const struct ht_place_side *b =
            side_of(step, step->to, &step->targets[ends[i].state], ends[i].side);
        if (asked[i].known) {
            struct ht_key rest = ht_key_add(asked[i].key, packed(b->before));
            struct ht_key way = ht_key_add(rest, packed(a->after));
            offer(step, from, ends[i], HT_MATCH_WAY, way, rest);
        }
    }
    return status;
}

/* Sources that are alive, the most likely first: what they reach limits what others are asked. */
static uint32_t sort_sources(const struct step *step, uint8_t order[HT_MATCH_STATES])
{
    uint32_t count = 0;
    for (uint32_t s = 0; s < step->from->state_count; s++) {
        if (!(step->sources[s].value > -INFINITY)) {
            continue;
        }
        uint32_t at = count++;
        while (at > 0 && step->sources[order[at - 1]].value < step->sources[s].value) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = (uint8_t)s;
    }
    return count;
}

static void along_all(struct step *step, const uint8_t *order, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t t = 0; t < step->to->state_count; t++) {
            unsigned both = step->sources[order[i]].sides & 3U;
            for (uint8_t k = 0; k < 4; k++) {
                struct end from = {order[i], k & 1U};
                struct end to = {(uint8_t)t, k >> 1U};
                if ((both & 1U << from.side) != 0 &&
                    (step->targets[t].sides & 1U << to.side) != 0) {
                    (void)offer_along(step, from, to);
                }
            }
        }
    }
}

static enum ht_status ways_all(struct step *step, const uint8_t *order, uint32_t count)
{
    enum ht_status status = HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < count; i++) {
        for (uint8_t side = 0; status == HT_OK && side < 2; side++) {
            if ((step->sources[order[i]].sides & 1U << side) != 0) {
                status = offer_ways(step, (struct end){order[i], side});
            }
        }
    }
    return status;
}

enum ht_status ht_match__step(struct ht_match_core *core, const struct ht_match_column *from,
                              struct ht_match_column *to)
{
    bool timed = from->time_ms != HT_MATCH_NO_TIME && to->time_ms != HT_MATCH_NO_TIME;
    int64_t dt_ms = timed ? to->time_ms - from->time_ms : -1;
    struct step step = {
        .core = core,
        .from = from,
        .to = to,
        .sources = ht_match__states(core, from),
        .targets = ht_match__states(core, to),
        .line_m = ht_distance_m(from->point, to->point),
        .beta_m = ht_match__beta(&core->options, dt_ms),
        .most_m = ht_match__most(&core->options, dt_ms) + 3.0 * (from->sigma_m + to->sigma_m),
        .dt_ms = dt_ms,
        .back_m = 2.0 * (from->sigma_m + to->sigma_m),
        .best = -INFINITY,
    };
    uint8_t order[HT_MATCH_STATES];
    uint32_t count = sort_sources(&step, order);
    step.log_beta = log(step.beta_m);
    for (uint32_t t = 0; t < to->state_count; t++) {
        step.targets[t].value = -INFINITY;
        step.targets[t].before = HT_MATCH_STATES;
        step.targets[t].survives = false;
    }
    along_all(&step, order, count);
    step.cap_m = HT_MATCH_BEAM * step.beta_m;
    enum ht_status status = ways_all(&step, order, count);
    if (status == HT_OK && step.capped) {
        step.cap_m = INFINITY;
        status = ways_all(&step, order, count);
    }
    prune(core, to);
    return status;
}

void ht_match__mask(const struct ht_graph *graph, unsigned sides, struct ht_place *place)
{
    if ((sides & 1U) == 0 && place->side[0].arc != HT_NONE) {
        /* its segment was counted from the beginning of that side's arc */
        uint32_t points = ht_arc_point_count(&graph->arcs[place->side[0].arc]);
        place->segment = points - 2 - place->segment;
    }
    for (unsigned side = 0; side < 2; side++) {
        if ((sides & 1U << side) == 0) {
            place->side[side] = (struct ht_place_side){.arc = HT_NONE};
        }
    }
}

/* Whoever is put behind the place that he had reached on this arc has stood there. */
static void keep_standing(const struct ht_graph *graph, unsigned sides,
                          const struct ht_place *before, struct ht_match_spot *out)
{
    struct ht_place place = *before; /* with both directions */
    place.input = out->place.input;
    place.distance_m = ht_distance_m(place.input, place.point);
    ht_match__mask(graph, sides, &place);
    out->place = place;
    out->cost = (struct ht_cost){0, 0, 0};
}

/* The place of the spot before with both directions again. */
static struct ht_place whole_place(const struct ht_graph *graph, const struct ht_match_spot *spot)
{
    struct ht_place place = spot->place;
    bool none = place.side[0].arc == HT_NONE;
    if (!none && place.side[1].arc != HT_NONE) {
        return place;
    }
    const struct ht_place_side *has = &place.side[none ? 1 : 0];
    uint32_t other = graph->arcs[has->arc].reverse;
    if (other == HT_NONE) {
        return place;
    }
    uint32_t length = graph->arcs[other].length_mm;
    uint32_t before_mm = has->before_mm > length ? 0 : length - has->before_mm;
    if (none) {
        place.segment = ht_arc_point_count(&graph->arcs[other]) - 2 - place.segment;
    }
    place.side[none ? 0 : 1] = ht_place_side_at(graph, other, before_mm);
    return place;
}

void ht_match__spot(const struct ht_match_core *core, const struct ht_match_column *column,
                    uint32_t state, const struct ht_match_spot *before, struct ht_match_spot *out)
{
    const struct ht_graph *graph = core->road->graph;
    const struct ht_match_state *s = &ht_match__states(core, column)[state];
    *out = (struct ht_match_spot){
        .fix = column->fix,
        .place = core->places[column->first_place + s->place],
        .from_side = s->from_side,
        .side = s->side,
        .step = before == NULL ? HT_MATCH_BEGIN : (enum ht_match_step)s->step,
    };
    if (before != NULL && out->step == HT_MATCH_ALONG) {
        const struct ht_place_side *was = &before->place.side[s->from_side];
        const struct ht_place_side *is = &out->place.side[s->side];
        if (was->before_mm > is->before_mm) {
            struct ht_place whole = whole_place(graph, before);
            keep_standing(graph, s->sides, &whole, out);
            return;
        }
        out->cost = was->before_mm == is->before_mm
                        ? (struct ht_cost){0, 0, 0}
                        : ht_arc_cost(graph, was->arc, was->before_mm, is->before_mm);
    } else if (before != NULL && out->step == HT_MATCH_WAY) {
        struct ht_key way = ht_key_add(packed(before->place.side[s->from_side].after), s->rest);
        out->cost = (struct ht_cost){(uint32_t)(way.time >> 32), (uint32_t)way.time, way.length};
    }
    ht_match__mask(graph, s->sides, &out->place);
}
