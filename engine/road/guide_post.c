/* The last touches: ends that are a metre long, exits of roundabouts counted, silent junctions
 * joined, names that last a moment dropped, the side of the street where the leg begins and ends.
 */
#include "engine/road/guide_steps_internal.h"

#define HT__NAME_CUTOFF_M 105.0

static uint16_t ht__whole_degrees(double bearing)
{
    long d = lround(bearing);
    return (uint16_t)(d >= 360 ? d - 360 : d);
}

/* One road only, as where a leg begins or ends. */
static void ht__single_road(struct ht_guide *guide, struct ht_guide_junction *j, uint32_t road)
{
    guide->roads[j->first_road] =
        (struct ht_guide_road){guide->roads[j->first_road + road].bearing_deg, true};
    j->road_count = 1;
    j->lanes = 0;
    j->lanes_right = 0;
    j->lane_valid = 0;
    j->lane_first = 0;
}

static bool ht__near(struct ht_point a, struct ht_point b)
{
    return ht_distance_m(a, b) <= 1;
}

/* A place at a junction may lie on the wrong one of its streets: a first step of no length is none.
 */
static void ht__trim_first(struct ht_guide *guide)
{
    struct ht__step *steps = guide->steps;
    bool empty = ht__step_m(&steps[0]) <= 1 && guide->step_count > 2;
    if (!empty && !ht__near(guide->points[0], guide->points[1])) {
        return;
    }
    uint16_t bearing = steps[0].after;
    if (empty) {
        struct ht__step *now = &steps[1];
        struct ht_guide_junction *j = ht__front(guide, now);
        ht__single_road(guide, j, j->out);
        j->in = HT_GUIDE_NO_ROAD;
        j->out = 0;
        now->cost.weight_ms += steps[0].cost.weight_ms;
        now->cost.duration_ms += steps[0].cost.duration_ms;
        now->cost.length_mm += steps[0].cost.length_mm;
        now->waypoint = HT__DEPART;
        now->type = HT__NO_TURN;
        now->modifier = HT_MODIFIER_UTURN;
        now->before = 0;
        steps[0].waypoint = HT__NO_WAYPOINT;
        guide->point_first = now->point_begin;
        ht__compact(guide);
    } else {
        guide->point_first = 1;
        steps[0].point_begin = 1;
    }
    struct ht__step *first = &guide->steps[0];
    struct ht_point a = guide->points[first->point_begin];
    struct ht_point b = guide->points[first->point_begin + 1];
    if (a.lon_e7 != b.lon_e7 || a.lat_e7 != b.lat_e7) {
        bearing = ht__whole_degrees(ht_bearing_deg(a, b));
    }
    first->after = bearing;
    guide->roads[ht__front(guide, first)->first_road].bearing_deg = bearing;
}

static void ht__trim_last(struct ht_guide *guide)
{
    struct ht__step *end = &guide->steps[guide->step_count - 1];
    struct ht__step *last = end - 1;
    if (ht__step_m(last) <= 1 && guide->step_count > 2 && last->waypoint == HT__NO_WAYPOINT) {
        struct ht_guide_junction *j = ht__front(guide, last);
        struct ht__step *before = last - 1;
        ht__single_road(guide, j, j->in);
        j->in = 0;
        j->out = HT_GUIDE_NO_ROAD;
        before->cost.weight_ms += last->cost.weight_ms;
        before->cost.duration_ms += last->cost.duration_ms;
        before->cost.length_mm += last->cost.length_mm;
        last->cost = (struct ht_cost){0, 0, 0};
        last->waypoint = HT__ARRIVE;
        last->type = HT__NO_TURN;
        last->modifier = HT_MODIFIER_UTURN;
        last->after = 0;
        last->point_end = last->point_begin + 1;
        last->junction_count = 1;
        last->way = before->way;
        last->mode = before->mode;
        guide->point_count = last->point_end;
        guide->step_count--;
        return;
    }
    uint32_t n = guide->point_count;
    if (last->point_end - last->point_begin > 2 &&
        ht__near(guide->points[n - 2], guide->points[n - 1])) {
        guide->point_count--;
        last->point_end--;
        end->point_begin--;
        end->point_end--;
        uint16_t bearing =
            ht__whole_degrees(ht_bearing_deg(guide->points[n - 3], guide->points[n - 2]));
        end->before = bearing;
        guide->roads[ht__front(guide, end)->first_road].bearing_deg =
            ht__whole_degrees(ht__opposite(bearing));
    }
}

void ht__trim(struct ht_guide *guide)
{
    if (guide->point_count <= 2) {
        return;
    }
    ht__trim_first(guide);
    if (guide->point_count - guide->point_first > 2) {
        ht__trim_last(guide);
    }
}

/* Steps begin + 1 .. end - 1 become part of step begin. */
static void ht__compress(struct ht_guide *guide, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin + 1; i < end; i++) {
        if (guide->steps[i].waypoint == HT__NO_WAYPOINT) {
            ht__elongate(&guide->steps[begin], &guide->steps[i]);
        }
    }
}

static bool ht__kind_is(unsigned type, enum ht__round kind)
{
    return type == (unsigned)HT__ENTER + kind || type == (unsigned)HT__ENTER_AT_EXIT + kind;
}

/* One roundabout, from entering to leaving; either may be missing where the leg begins or ends in
 * it. */
static void ht__one_roundabout(struct ht_guide *guide, uint32_t begin, uint32_t end)
{
    struct ht__step *first = &guide->steps[begin];
    struct ht__step *last = &guide->steps[end - 1];
    bool crossing = ht__kind_is(first->type, HT__CROSSING);
    if (ht__kind_is(first->type, HT__ROTARY)) {
        first->rotary_way = first->way;
    }
    if (!ht__leaves(last->type)) {
        if (crossing) {
            first->type = HT__ENTER + HT__ROUNDABOUT;
        }
        ht__compress(guide, begin, end);
        return;
    }
    uint32_t exit = 0;
    for (uint32_t i = begin; i < end; i++) {
        unsigned type = guide->steps[i].type;
        exit += ht__stays(type) || ht__leaves(type) ? 1 : 0;
    }
    last->exit = exit;
    if (ht__enters(first->type)) {
        first->exit = exit;
        if (crossing) {
            first->modifier = (uint8_t)ht__modifier(
                ht__turn_angle(ht__in_bearing(guide, first), ht__out_bearing(guide, last)));
        }
        ht__adopt_signs(first, last);
    }
    ht__compress(guide, begin, crossing && first->mode == last->mode ? end : end - 1);
}

void ht__roundabouts(struct ht_guide *guide)
{
    uint32_t at = 0;
    while (at < guide->step_count && !ht__is_round_type(guide->steps[at].type)) {
        at++;
    }
    if (at == guide->step_count) {
        return;
    }
    bool inside = !ht__enters(guide->steps[at].type);
    uint32_t begin = 0;
    for (at = inside ? 0 : at; at < guide->step_count; at++) {
        unsigned type = guide->steps[at].type;
        if (!inside && ht__enters(type)) {
            inside = true;
            begin = at;
        }
        bool ends = ht__leaves(type) || at + 1 == guide->step_count;
        if (inside && ends) {
            ht__one_roundabout(guide, begin, at + 1);
            inside = false;
        }
    }
    ht__compact(guide);
}

static bool ht__silent_type(const struct ht__step *step)
{
    return step->type == HT__NO_TURN || step->type == HT__SUPPRESSED || step->type == HT__STAY;
}

/* A road that ends is worth saying only after other junctions. */
void ht__join_silent(struct ht_guide *guide)
{
    uint32_t last = 0;
    for (uint32_t i = 0; i < guide->step_count; i++) {
        struct ht__step *step = &guide->steps[i];
        struct ht__step *before = &guide->steps[last];
        if (step->waypoint == HT__NO_WAYPOINT &&
            (step->type == HT__SUPPRESSED || step->type == HT__STAY)) {
            ht__elongate(before, step);
        } else if (!ht__silent_type(step)) {
            if (step->type == HT__END_OF_ROAD && before->junction_count < 2) {
                const struct ht_way *way = ht__way(&guide->map, step->way);
                bool same = (way->name | way->ref) != 0 &&
                            !ht__announces_plainly(&guide->map, before->way, step->way);
                step->type = same ? HT__CONTINUE : HT__TURN;
            }
            last = i;
        }
    }
    ht__compact(guide);
}

void ht__drop_short_names(struct ht_guide *guide)
{
    uint32_t last = 0;
    for (uint32_t i = 1; guide->steps[i].waypoint == HT__NO_WAYPOINT; i++) {
        struct ht__step *step = &guide->steps[i];
        struct ht__step *before = &guide->steps[last];
        bool short_name =
            step->type == HT__NEW_NAME && before->mode == step->mode &&
            ht__front(guide, step)->lane_valid == 0 &&
            (ht__same_name(guide, before, step) || ht__step_m(step) < HT__NAME_CUTOFF_M);
        if (short_name) {
            ht__elongate(before, step);
        } else {
            last = i;
        }
    }
    ht__compact(guide);
}

/* The side of the street on which a place lies, seen in driving direction; none when it is (nearly)
 * on the street, or far from any. */
static uint8_t ht__side_of(double distance, double angle)
{
    if (distance < 5 || distance > 300) {
        return HT_MODIFIER_NONE;
    }
    return angle < 135 ? HT_MODIFIER_RIGHT : angle <= 225 ? HT_MODIFIER_STRAIGHT : HT_MODIFIER_LEFT;
}

/* The angle a - b - c, as of a turn from a over b to c. */
static double ht__angle_over(struct ht_point a, struct ht_point b, struct ht_point c)
{
    if ((a.lon_e7 == b.lon_e7 && a.lat_e7 == b.lat_e7) ||
        (b.lon_e7 == c.lon_e7 && b.lat_e7 == c.lat_e7)) {
        return HT__STRAIGHT;
    }
    return ht__turn_angle(ht_bearing_deg(a, b), ht_bearing_deg(b, c));
}

void ht__sides(struct ht_guide *guide, const struct ht_guide_leg *leg)
{
    const struct ht_point *p = guide->points + guide->point_first;
    uint32_t n = guide->point_count - guide->point_first;
    if (n < 2) {
        return;
    }
    guide->steps[0].modifier = ht__side_of(ht_distance_m(leg->source->input, p[0]),
                                           ht__angle_over(leg->source->input, p[0], p[1]));
    guide->steps[guide->step_count - 1].modifier =
        ht__side_of(ht_distance_m(leg->target->input, p[n - 1]),
                    ht__angle_over(p[n - 2], p[n - 1], leg->target->input));
}
