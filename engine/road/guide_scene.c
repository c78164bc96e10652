/* What two or three steps in a row amount to: a zig-zag, a u-turn over a divided street, a name
 * that flickers, a turn drawn as two. Conditions after OSRM's collapse scenarios. */
#include "engine/road/guide_steps_internal.h"

bool ht__same_name(const struct ht_guide *guide, const struct ht__step *a, const struct ht__step *b)
{
    const struct ht_way *x = ht__way(&guide->map, a->way);
    const struct ht_way *y = ht__way(&guide->map, b->way);
    return (x->name | x->ref) != 0 && (y->name | y->ref) != 0 &&
           !ht__announces_plainly(&guide->map, a->way, b->way);
}

double ht__in_bearing(struct ht_guide *guide, const struct ht__step *step)
{
    const struct ht_guide_junction *j = ht__front(guide, step);
    uint32_t road = j->in == HT_GUIDE_NO_ROAD ? 0 : j->in;
    return ht__opposite(guide->roads[j->first_road + road].bearing_deg);
}

double ht__out_bearing(struct ht_guide *guide, const struct ht__step *step)
{
    const struct ht_guide_junction *j = ht__front(guide, step);
    uint32_t road = j->out == HT_GUIDE_NO_ROAD ? 0 : j->out;
    return guide->roads[j->first_road + road].bearing_deg;
}

static uint32_t ht__open_roads(const struct ht_guide *guide, const struct ht_guide_junction *j)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < j->road_count; i++) {
        open += guide->roads[j->first_road + i].entry ? 1 : 0;
    }
    return open;
}

uint32_t ht__open_turns(struct ht_guide *guide, const struct ht__step *step)
{
    return ht__open_roads(guide, ht__front(guide, step));
}

bool ht__turns_round(double in, double out)
{
    double left = out <= in ? in - out : in + 360 - out;
    return ht__deviation(left, 180) <= 35;
}

static bool ht__is(const struct ht__step *step, enum ht__type type)
{
    return step->type == type;
}

static bool ht__straight(const struct ht__step *step)
{
    return step->modifier == HT_MODIFIER_STRAIGHT;
}

static bool ht__turn_or_continue(const struct ht__step *step)
{
    return ht__is(step, HT__TURN) || ht__is(step, HT__CONTINUE);
}

static bool ht__undisturbed(struct ht_guide *guide, const struct ht__step *step)
{
    for (uint32_t i = 1; i < step->junction_count; i++) {
        if (guide->junctions[step->first_junction + i].road_count != 2) {
            return false;
        }
    }
    return true;
}

static bool ht__short(struct ht_guide *guide, const struct ht__step *step)
{
    return ht__step_m(step) <= HT__COLLAPSE_M && ht__undisturbed(guide, step);
}

static bool ht__bad_uturn(const struct ht__step *a, const struct ht__step *b)
{
    bool first = a->modifier == HT_MODIFIER_UTURN;
    bool second = b->modifier == HT_MODIFIER_UTURN;
    return (first || second) && !(ht__is(a, HT__NEW_NAME) && second) &&
           !(ht__is(b, HT__NEW_NAME) && first);
}

static bool ht__two_may_merge(const struct ht__step *a, const struct ht__step *b)
{
    return !ht__is_round_type(a->type) && !ht__is_round_type(b->type) &&
           a->waypoint == HT__NO_WAYPOINT && b->waypoint == HT__NO_WAYPOINT && a->mode == b->mode &&
           !ht__bad_uturn(a, b);
}

static bool ht__three_may_merge(const struct ht__step *a, const struct ht__step *b,
                                const struct ht__step *c)
{
    return !ht__is_round_type(a->type) && !ht__is_round_type(b->type) &&
           !ht__is_round_type(c->type) && a->mode == b->mode && b->mode == c->mode &&
           !(ht__bad_uturn(a, b) && ht__bad_uturn(b, c));
}

/* Right (+1) or left (-1) by about a right angle, else 0. */
static int ht__square_side(struct ht_guide *guide, const struct ht__step *step)
{
    double angle = ht__turn_angle(ht__in_bearing(guide, step), ht__out_bearing(guide, step));
    return angle > 45 && angle < 135 ? 1 : angle > 225 && angle < 315 ? -1 : 0;
}

bool ht__is_staggered(const struct ht__scene *s)
{
    if (ht__enters(s->at->type) || ht__enters(s->after->type) || ht__step_m(s->at) >= 3 ||
        s->before->mode != s->at->mode ||
        (s->before->mode == s->after->mode && s->at->mode != s->after->mode)) {
        return false;
    }
    int first = ht__square_side(s->guide, s->at);
    return first != 0 && first == -ht__square_side(s->guide, s->after) &&
           ht__undisturbed(s->guide, s->at);
}

static bool ht__named(const struct ht_guide *guide, const struct ht__step *step)
{
    return ht__has_name(&guide->map, step->way);
}

bool ht__is_uturn(const struct ht__scene *s)
{
    struct ht_guide *g = s->guide;
    if (!ht__three_may_merge(s->before, s->at, s->after) ||
        (!ht__turn_or_continue(s->at) && !ht__is(s->at, HT__END_OF_ROAD)) ||
        !ht__turns_round(ht__in_bearing(g, s->at), ht__out_bearing(g, s->after)) ||
        !ht__same_name(g, s->before, s->after)) {
        return false;
    }
    bool undisturbed = ht__undisturbed(g, s->at);
    bool link = ht__step_m(s->at) <= 2 * HT__COLLAPSE_M && !ht__named(g, s->at) &&
                ht__named(g, s->before) && ht__named(g, s->after);
    return undisturbed &&
           (ht__step_m(s->at) <= HT__COLLAPSE_M || link || ht__open_turns(g, s->after) == 1);
}

static bool ht__straight_turn(const struct ht__step *step)
{
    return ht__is(step, HT__TURN) && ht__straight(step);
}

bool ht__is_oscillation(const struct ht__scene *s)
{
    const struct ht__map *map = &s->guide->map;
    if (!ht__three_may_merge(s->before, s->at, s->after)) {
        return false;
    }
    bool first = ht__is(s->at, HT__NEW_NAME) || ht__straight_turn(s->at);
    bool second = ht__is(s->after, HT__NEW_NAME) || ht__straight_turn(s->after) ||
                  (ht__is(s->after, HT__SUPPRESSED) && ht__nameless(map, s->after->way));
    return first && second &&
           (ht__same_signs(map, s->before->way, s->after->way) ||
            ht__same_name(s->guide, s->before, s->after));
}

static bool ht__is_maneuver(const struct ht__step *step)
{
    return ht__has_type(step) && !ht__is(step, HT__SUPPRESSED);
}

static bool ht__is_name_change(const struct ht__step *step)
{
    return ht__is(step, HT__NEW_NAME) || (ht__turn_or_continue(step) && ht__straight(step));
}

bool ht__after_name_change(const struct ht__scene *s)
{
    return ht__three_may_merge(s->before, s->at, s->after) && ht__short(s->guide, s->at) &&
           ht__is_name_change(s->at) && ht__is_maneuver(s->after);
}

static bool ht__leftish(const struct ht__step *step)
{
    return step->modifier >= HT_MODIFIER_STRAIGHT && step->modifier <= HT_MODIFIER_SHARP_LEFT;
}

static bool ht__rightish(const struct ht__step *step)
{
    return step->modifier >= HT_MODIFIER_SHARP_RIGHT && step->modifier <= HT_MODIFIER_STRAIGHT;
}

static bool ht__same_side(const struct ht__step *a, const struct ht__step *b)
{
    return (ht__leftish(a) && ht__leftish(b)) || (ht__rightish(a) && ht__rightish(b));
}

bool ht__after_silent_bend(const struct ht__scene *s)
{
    return ht__two_may_merge(s->at, s->after) && ht__short(s->guide, s->at) &&
           ht__open_turns(s->guide, s->at) > 1 && ht__is(s->at, HT__SUPPRESSED) &&
           !ht__straight(s->at) && ht__is_maneuver(s->after) && ht__same_side(s->at, s->after);
}

bool ht__before_name_change(const struct ht__scene *s)
{
    if (!ht__two_may_merge(s->at, s->after)) {
        return false;
    }
    bool nearby = ht__step_m(s->at) <= 1.5 * HT__COLLAPSE_M;
    bool strong = nearby && ht__is(s->after, HT__NEW_NAME) &&
                  (ht__straight(s->after) || ht__open_turns(s->guide, s->after) == 1);
    return (strong || ht__short(s->guide, s->at)) && ht__is_name_change(s->after) &&
           ht__is_maneuver(s->at);
}

bool ht__before_silent_bend(const struct ht__scene *s)
{
    return ht__two_may_merge(s->at, s->after) && ht__short(s->guide, s->at) &&
           ht__is(s->after, HT__SUPPRESSED) && !ht__straight(s->after) && ht__is_maneuver(s->at) &&
           ht__same_side(s->at, s->after);
}

bool ht__name_soon_after_silence(const struct ht__scene *s)
{
    return ht__two_may_merge(s->at, s->after) && ht__step_m(s->at) < 0.25 * HT__COLLAPSE_M &&
           ht__is(s->at, HT__SUPPRESSED) && ht__is(s->after, HT__NEW_NAME);
}

bool ht__close_choiceless(const struct ht__scene *s)
{
    return ht__two_may_merge(s->at, s->after) && ht__short(s->guide, s->at) &&
           !ht__straight(s->at) && ht__open_turns(s->guide, s->after) == 1 &&
           !ht__is(s->after, HT__SUPPRESSED);
}

bool ht__straight_choiceless(const struct ht__scene *s)
{
    return ht__two_may_merge(s->at, s->after) && ht__step_m(s->at) <= 2 * HT__COLLAPSE_M &&
           ht__turn_or_continue(s->at) && ht__straight(s->at) &&
           ht__open_turns(s->guide, s->after) == 1 && ht__undisturbed(s->guide, s->at);
}

bool ht__silent_between_turns(const struct ht__scene *s)
{
    double first = ht__step_m(s->before);
    double second = ht__step_m(s->at);
    if (!ht__three_may_merge(s->before, s->at, s->after) || first >= 0.8 * HT__COLLAPSE_M ||
        second >= 0.8 * HT__COLLAPSE_M) {
        return false;
    }
    bool alike = (first < 5 && second < 5) || fmin(first, second) / fmax(first, second) > 0.75;
    double angle =
        ht__turn_angle(ht__in_bearing(s->guide, s->before), ht__out_bearing(s->guide, s->after));
    return alike && ht__is(s->at, HT__SUPPRESSED) && ht__straight(s->at) &&
           ht__turn_or_continue(s->before) &&
           (ht__turn_or_continue(s->after) || ht__is(s->after, HT__ON_RAMP)) &&
           angle > HT__NARROW && angle < 360 - HT__NARROW;
}

bool ht__double_choiceless(const struct ht__scene *s)
{
    if (!ht__two_may_merge(s->at, s->after) || s->at->junction_count != 2 ||
        ht__step_m(s->at) >= 1.5 * HT__COLLAPSE_M) {
        return false;
    }
    const struct ht_guide_junction *last = &s->guide->junctions[s->at->first_junction + 1];
    return ht__open_turns(s->guide, s->after) == 1 && ht__open_roads(s->guide, last) == 1;
}
