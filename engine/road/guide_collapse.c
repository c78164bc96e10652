/* Turns that a driver takes as one are told as one: crossings of divided streets, zig-zags,
 * u-turns, sliproads, names that change a few metres from the turn. Order and rules after OSRM's
 * collapsing. */
#include "engine/road/guide_steps_internal.h"

void ht__elongate(struct ht__step *step, struct ht__step *following)
{
    step->cost.weight_ms += following->cost.weight_ms;
    step->cost.duration_ms += following->cost.duration_ms;
    step->cost.length_mm += following->cost.length_mm;
    step->point_end = following->point_end;
    step->junction_count =
        following->first_junction + following->junction_count - step->first_junction;
    following->type = HT__NO_TURN;
    following->modifier = HT_MODIFIER_UTURN;
    following->waypoint = HT__NO_WAYPOINT;
    following->cost = (struct ht_cost){0, 0, 0};
    following->first_junction += following->junction_count;
    following->junction_count = 0;
    following->point_begin = following->point_end - 1;
    following->segregated = false;
}

void ht__compact(struct ht_guide *guide)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < guide->step_count; i++) {
        if (ht__has_type(&guide->steps[i]) || guide->steps[i].waypoint != HT__NO_WAYPOINT) {
            guide->steps[count++] = guide->steps[i];
        }
    }
    guide->step_count = count;
}

/* The nearest step that says something, before or after. */
static struct ht__step *ht__previous(struct ht__step *step)
{
    do {
        step--;
    } while (!ht__has_type(step) && step->waypoint == HT__NO_WAYPOINT);
    return step;
}

static struct ht__step *ht__next(struct ht__step *step)
{
    do {
        step++;
    } while (!ht__has_type(step) && step->waypoint == HT__NO_WAYPOINT);
    return step;
}

static void ht__adopt_all_signs(struct ht__step *step, const struct ht__step *from)
{
    ht__adopt_signs(step, from);
    step->rotary_way = from->rotary_way;
}

static void ht__swallow(struct ht__step *step, struct ht__step *following)
{
    ht__adopt_all_signs(step, following);
    ht__elongate(step, following);
}

/* The angle of two turns taken as one; where they only bend to and fro, that of the first. */
static double ht__joint_angle(struct ht_guide *guide, const struct ht__step *a,
                              const struct ht__step *b)
{
    if (a->point_begin > b->point_begin) {
        const struct ht__step *kept = a;
        a = b;
        b = kept;
    }
    double in = ht__in_bearing(guide, a);
    double first = ht__turn_angle(in, ht__out_bearing(guide, a));
    double second = ht__turn_angle(ht__in_bearing(guide, b), ht__out_bearing(guide, b));
    double total = ht__turn_angle(in, ht__out_bearing(guide, b));
    if (ht__deviation(total, HT__STRAIGHT) < 0.5 * HT__NARROW) {
        return first;
    }
    bool one_way = (first <= 185 && second <= 185) || (first >= 175 && second >= 175);
    return ht__step_m(a) < HT__COLLAPSE_M || one_way ? total : first;
}

static bool ht__non_turn(const struct ht__step *step)
{
    return step->type == HT__NEW_NAME || ((step->type == HT__TURN || step->type == HT__CONTINUE) &&
                                          step->modifier == HT_MODIFIER_STRAIGHT);
}

/* The type of `step` once it stands for `other` too; `before`: what lies before both. */
static uint8_t ht__joint_type(struct ht_guide *guide, const struct ht__step *before,
                              const struct ht__step *step, const struct ht__step *other,
                              uint8_t modifier)
{
    bool same = ht__same_name(guide, before, other);
    if (ht__non_turn(other) || ht__non_turn(step) || step->type == HT__SUPPRESSED) {
        if (step->type == HT__SUPPRESSED) {
            return modifier == HT_MODIFIER_STRAIGHT ? HT__NEW_NAME : same ? HT__CONTINUE : HT__TURN;
        }
        if (step->type == HT__NEW_NAME && other->type == HT__SUPPRESSED &&
            modifier != HT_MODIFIER_STRAIGHT) {
            return HT__TURN;
        }
        if (step->type == HT__CONTINUE && !same) {
            return HT__TURN;
        }
        if (step->type == HT__TURN && other->type != HT__SUPPRESSED && same) {
            return HT__CONTINUE;
        }
        return step->type;
    }
    if (other->type == HT__ON_RAMP) {
        return HT__ON_RAMP;
    }
    if (step->type == HT__TURN && other->type == HT__TURN && same) {
        return HT__CONTINUE;
    }
    if (step->type == HT__CONTINUE && other->type == HT__TURN && !same) {
        return HT__TURN;
    }
    return step->type;
}

/* `step` becomes the combined turn of itself and `other`. */
static void ht__combine(struct ht_guide *guide, const struct ht__step *before,
                        struct ht__step *step, const struct ht__step *other)
{
    bool keeps = step->type == HT__FORK || step->type == HT__MERGE;
    uint8_t modifier =
        keeps ? step->modifier : (uint8_t)ht__modifier(ht__joint_angle(guide, step, other));
    step->type = ht__joint_type(guide, before, step, other, modifier);
    step->modifier = modifier;
}

static void ht__as_uturn(struct ht__step *step, struct ht__step *following)
{
    step->type = HT__CONTINUE;
    step->modifier = HT_MODIFIER_UTURN;
    ht__swallow(step, following);
}

static void ht__take_lanes(struct ht_guide *guide, struct ht__step *step,
                           const struct ht__step *from)
{
    struct ht_guide_junction *to = ht__front(guide, step);
    const struct ht_guide_junction *source = ht__front(guide, from);
    to->lanes = source->lanes;
    to->lanes_right = source->lanes_right;
    to->lane_first = source->lane_first;
    to->lane_valid = source->lane_valid;
}

static void ht__join_sliproad(struct ht_guide *guide, struct ht__step *slip)
{
    struct ht__step *next = ht__next(slip);
    while (next->type == HT__SUPPRESSED && ht__front(guide, next)->road_count == 2 &&
           ht__open_turns(guide, next) == 1) {
        ht__elongate(slip, next);
        next = ht__next(next);
    }
    slip->type = HT__TURN;
    if (next->waypoint != HT__NO_WAYPOINT || next->mode != slip->mode) {
        return;
    }
    slip->type = ht__same_name(guide, ht__previous(slip), next) ? HT__CONTINUE : HT__TURN;
    slip->modifier = (uint8_t)ht__modifier(ht__joint_angle(guide, slip, next));
    ht__take_lanes(guide, slip, next);
    ht__swallow(slip, next);
}

/* The first scenario that fits three steps in a row. */
static void ht__collapse_scene(const struct ht__scene *s)
{
    struct ht_guide *g = s->guide;
    if (ht__is_staggered(s)) {
        s->at->modifier = HT_MODIFIER_STRAIGHT;
        s->at->type = ht__same_name(g, s->before, s->after) ? HT__SUPPRESSED : HT__NEW_NAME;
        ht__swallow(s->at, s->after);
    } else if (ht__is_uturn(s)) {
        ht__as_uturn(s->at, s->after);
    } else if (ht__is_oscillation(s)) {
        ht__elongate(s->at, s->after);
        ht__elongate(s->before, s->at);
    } else if (ht__after_name_change(s) || ht__after_silent_bend(s)) {
        ht__combine(g, s->before, s->after, s->at);
        ht__elongate(s->before, s->at);
    } else if (ht__before_name_change(s) || ht__name_soon_after_silence(s) ||
               ht__before_silent_bend(s) || ht__close_choiceless(s) || ht__straight_choiceless(s)) {
        ht__combine(g, s->before, s->at, s->after);
        ht__swallow(s->at, s->after);
    } else if (s->before->waypoint == HT__NO_WAYPOINT && ht__silent_between_turns(s)) {
        const struct ht__step *far = ht__previous(s->before);
        ht__elongate(s->before, s->at);
        ht__combine(g, far, s->before, s->after);
        ht__swallow(s->before, s->after);
    }
}

/* What a first merge may have made possible. */
static void ht__collapse_again(struct ht_guide *guide, struct ht__step *before,
                               struct ht__step *step)
{
    if (ht__has_type(step)) {
        struct ht__step *next = ht__next(step);
        struct ht__scene s = {guide, before, step, next};
        if (ht__double_choiceless(&s)) {
            ht__combine(guide, before, step, next);
            ht__swallow(step, next);
        }
    }
    if (before->waypoint == HT__NO_WAYPOINT && ht__has_type(before) && ht__has_type(step)) {
        struct ht__scene s = {guide, ht__previous(before), before, step};
        if (ht__is_uturn(&s)) {
            ht__as_uturn(before, step);
        }
    }
}

void ht__collapse(struct ht_guide *guide)
{
    for (uint32_t i = 1; i + 1 < guide->step_count; i++) {
        struct ht__step *step = &guide->steps[i];
        if (ht__enters(step->type) || ht__stays(step->type) || !ht__has_type(step)) {
            continue;
        }
        if (step->type == HT__SLIPROAD) {
            ht__join_sliproad(guide, step);
            continue;
        }
        struct ht__step *next = ht__next(step);
        if (next->waypoint != HT__NO_WAYPOINT) {
            break;
        }
        if (step->mode != next->mode) {
            continue;
        }
        struct ht__step *before = ht__previous(step);
        const struct ht__scene s = {guide, before, step, next};
        ht__collapse_scene(&s);
        ht__collapse_again(guide, before, step);
    }
}

/* The straightest way that was not taken at a junction; 360: there is none. */
static double ht__straightest_other(struct ht_guide *guide, const struct ht__step *step)
{
    const struct ht_guide_junction *j = ht__front(guide, step);
    double in = ht__in_bearing(guide, step);
    double best = 360;
    for (uint32_t i = 0; i < j->road_count; i++) {
        const struct ht_guide_road *r = &guide->roads[j->first_road + i];
        if (i == j->in || i == j->out || !r->entry) {
            continue;
        }
        double angle = ht__turn_angle(in, r->bearing_deg);
        if (best >= 360 || ht__deviation(angle, HT__STRAIGHT) < ht__deviation(best, HT__STRAIGHT)) {
            best = angle;
        }
    }
    return best;
}

static bool ht__takes_straightest(struct ht_guide *guide, const struct ht__step *step)
{
    double angle = ht__turn_angle(ht__in_bearing(guide, step), ht__out_bearing(guide, step));
    if (angle < 125 || angle > 235) {
        return false;
    }
    double other = ht__straightest_other(guide, step);
    return ht__deviation(angle, other) <= 10 ||
           ht__deviation(angle, HT__STRAIGHT) <= ht__deviation(other, HT__STRAIGHT);
}

static bool ht__plain_type(const struct ht__step *step)
{
    return step->type == HT__NEW_NAME || step->type == HT__CONTINUE ||
           step->type == HT__SUPPRESSED || step->type == HT__TURN;
}

/* Over the middle of a divided street: the turn before it and the one after it become one. */
static void ht__join_segregated(struct ht_guide *guide, const struct ht__step *before,
                                struct ht__step *step, const struct ht__step *next)
{
    double angle = ht__turn_angle(step->before, next->after);
    enum ht_step_modifier modifier = ht__modifier(angle);
    bool slight =
        next->modifier >= HT_MODIFIER_SLIGHT_RIGHT && next->modifier <= HT_MODIFIER_SLIGHT_LEFT;
    uint8_t onward = ht__same_name(guide, before, next) ? HT__SUPPRESSED : HT__NEW_NAME;
    if (step->type == HT__END_OF_ROAD || next->type == HT__END_OF_ROAD) {
        step->type = HT__END_OF_ROAD;
    } else if (step->type == HT__FORK) {
        return;
    } else if (modifier == HT_MODIFIER_STRAIGHT && ht__plain_type(next) && slight) {
        step->type = onward;
    } else if (angle >= 125 && angle <= 235 && step->junction_count == 1 &&
               ht__takes_straightest(guide, step) && ht__takes_straightest(guide, next)) {
        step->type = onward;
        modifier = HT_MODIFIER_STRAIGHT;
    } else if (modifier != HT_MODIFIER_STRAIGHT && ht__plain_type(next)) {
        step->type = HT__TURN;
    } else {
        step->type = next->type;
    }
    step->modifier = (uint8_t)modifier;
}

void ht__collapse_segregated(struct ht_guide *guide)
{
    if (guide->step_count <= 2) {
        return;
    }
    struct ht__step *step = &guide->steps[1];
    for (uint32_t i = 2; i + 1 < guide->step_count; i++) {
        struct ht__step *next = &guide->steps[i];
        bool round = ht__is_round_type(step->type) || ht__is_round_type(next->type);
        if (step->segregated && next->segregated) {
            if (next->type == HT__END_OF_ROAD) {
                step->type = HT__END_OF_ROAD;
            }
            ht__take_lanes(guide, step, next);
            ht__swallow(step, next);
        } else if (step->segregated && !round) {
            if (ht__turns_round(ht__in_bearing(guide, step), ht__out_bearing(guide, next))) {
                ht__as_uturn(step, next);
            } else {
                ht__join_segregated(guide, ht__previous(step), step, next);
                ht__swallow(step, next);
            }
            step->segregated = false;
        } else {
            step = next;
        }
    }
    ht__compact(guide);
}
