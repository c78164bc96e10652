/* What each turn at an ordinary junction is called: continue, turn, new name, fork, end of road,
 * onto a ramp. Rules after OSRM's turn handler.
 */
#include "engine/road/guide_internal.h"

static double ht__bend(const struct ht__road *road)
{
    return ht__deviation(road->angle, HT__STRAIGHT);
}

enum ht__type ht__basic_type(const struct ht__map *map, const struct ht__view *view,
                             const struct ht__road *road)
{
    const struct ht__road *via = &view->roads[0];
    if (!ht__is_ramp(via->cls) && ht__is_ramp(road->cls)) {
        return HT__ON_RAMP;
    }
    return ht__continues_name(map, via->way, road->way) ? HT__CONTINUE : HT__TURN;
}

static bool ht__same_classes(const struct ht__map *map, const struct ht__road *a,
                             const struct ht__road *b)
{
    const uint16_t classes = HT_ARC_TOLL | HT_ARC_MOTORWAY | HT_ARC_IS_FERRY | HT_ARC_IS_TUNNEL;
    return ((ht__arc(map, a->arc)->flags ^ ht__arc(map, b->arc)->flags) & classes) == 0;
}

/* The obvious road has another name. */
static void ht__obvious_new_name(const struct ht__map *map, const struct ht__view *view,
                                 bool through, struct ht__road *road)
{
    const struct ht__road *via = &view->roads[0];
    bool mode_changes = ht__mode(map, via) != ht__mode(map, road);
    enum ht_step_modifier modifier = ht__modifier(road->angle);
    if (!through) {
        ht__set(road, mode_changes ? HT__NOTIFICATION : HT__NEW_NAME, modifier);
    } else if (ht__is_motorway(road->cls)) {
        ht__set(road, HT__MERGE,
                road->angle > HT__STRAIGHT ? HT_MODIFIER_SLIGHT_RIGHT : HT_MODIFIER_SLIGHT_LEFT);
    } else if (ht__is_ramp(via->cls) && ht__is_ramp(road->cls)) {
        ht__set(road, mode_changes ? HT__NOTIFICATION : HT__SUPPRESSED, modifier);
    } else {
        bool far = ht_distance_m(ht__junction_point(map, view->junction),
                                 ht__junction_point(map, road->far)) > 2 * HT__COLLAPSE_M;
        ht__set(road, HT__TURN,
                ht__bend(road) < HT__NARROW && far ? HT_MODIFIER_STRAIGHT : modifier);
    }
}

void ht__obvious_instruction(const struct ht__map *map, const struct ht__view *view, bool through,
                             struct ht__road *road, uint32_t road_count)
{
    const struct ht__road *via = &view->roads[0];
    enum ht__type type = ht__basic_type(map, view, road);
    enum ht_step_modifier modifier = ht__modifier(road->angle);
    if (type == HT__ON_RAMP) {
        ht__set(road, HT__ON_RAMP, modifier);
    } else if (ht__deviation(road->angle, 0) < 0.01) {
        ht__set(road, HT__CONTINUE, HT_MODIFIER_UTURN);
    } else if (type == HT__TURN && ht__announces(map, via->way, road->way)) {
        ht__obvious_new_name(map, view, through, road);
    } else if (ht__mode(map, via) != ht__mode(map, road)) {
        ht__set(road, HT__NOTIFICATION, modifier);
    } else {
        bool nothing = road_count == 2 && ht__same_classes(map, via, road);
        ht__set(road, nothing ? HT__NO_TURN : HT__SUPPRESSED, modifier);
    }
}

static void ht__basic(const struct ht__map *map, const struct ht__view *view, struct ht__road *road,
                      enum ht_step_modifier modifier)
{
    ht__set(road, ht__basic_type(map, view, road), modifier);
}

static void ht__trivial(const struct ht__map *map, struct ht__view *view, uint32_t begin,
                        uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        if (view->roads[i].entry) {
            ht__basic(map, view, &view->roads[i], ht__modifier(view->roads[i].angle));
        }
    }
}

static enum ht__type ht__silent(const struct ht__map *map, const struct ht__view *view,
                                const struct ht__road *road)
{
    return ht__mode(map, &view->roads[0]) == ht__mode(map, road) ? HT__SUPPRESSED
                                                                 : HT__NOTIFICATION;
}

/* Each branch of a fork is named alone: it is silent beside one that is hardly a road, a turn where
 * it is that itself. */
void ht__assign_fork(const struct ht__map *map, struct ht__view *view, struct ht__road *left,
                     struct ht__road *right)
{
    bool left_minor = left->cls.ignored && !right->cls.ignored;
    bool right_minor = right->cls.ignored && !left->cls.ignored;
    ht__set(left,
            right_minor  ? ht__silent(map, view, left)
            : left_minor ? HT__TURN
                         : HT__FORK,
            HT_MODIFIER_SLIGHT_LEFT);
    ht__set(right,
            left_minor    ? ht__silent(map, view, right)
            : right_minor ? HT__TURN
                          : HT__FORK,
            HT_MODIFIER_SLIGHT_RIGHT);
}

void ht__assign_fork3(const struct ht__map *map, struct ht__view *view, struct ht__road *left,
                      struct ht__road *middle, struct ht__road *right)
{
    if (left->entry && middle->entry && right->entry) {
        ht__set(left, HT__FORK, HT_MODIFIER_SLIGHT_LEFT);
        bool plain = ht__bend(middle) < HT__NO_TURN_DEVIATION &&
                     ht__alike(map, view->roads[0].arc, middle->arc);
        ht__set(middle, plain ? ht__silent(map, view, middle) : HT__FORK, HT_MODIFIER_STRAIGHT);
        ht__set(right, HT__FORK, HT_MODIFIER_SLIGHT_RIGHT);
        return;
    }
    struct ht__road *open[3];
    int count = 0;
    struct ht__road *all[3] = {left, middle, right};
    for (int i = 0; i < 3; i++) {
        if (all[i]->entry) {
            open[count++] = all[i];
        }
    }
    if (count == 2) {
        ht__assign_fork(map, view, open[0], open[1]);
    } else if (count == 1) {
        ht__basic(map, view, open[0], ht__modifier(open[0]->angle));
    }
}

/* Two roads on one side that would be called the same. */
static void ht__part(const struct ht__map *map, struct ht__view *view, struct ht__road *left,
                     struct ht__road *right)
{
    enum ht_step_modifier l = ht__modifier(left->angle);
    enum ht_step_modifier r = ht__modifier(right->angle);
    if (!left->entry || !right->entry || left->angle == right->angle) {
        if (left->entry) {
            ht__basic(map, view, left, l);
        }
        if (right->entry) {
            ht__basic(map, view, right, r);
        }
        return;
    }
    if (l == HT_MODIFIER_STRAIGHT || l == HT_MODIFIER_SLIGHT_LEFT ||
        r == HT_MODIFIER_SLIGHT_RIGHT) {
        if (left->cls.priority > right->cls.priority) {
            ht__obvious_instruction(map, view, false, right, 4);
            ht__basic(map, view, left, HT_MODIFIER_SLIGHT_LEFT);
        } else {
            ht__obvious_instruction(map, view, false, left, 4);
            ht__basic(map, view, right, HT_MODIFIER_SLIGHT_RIGHT);
        }
        return;
    }
    const double square = HT__NO_TURN_DEVIATION;
    if (ht__deviation(left->angle, 270) < square) {
        r = HT_MODIFIER_SLIGHT_LEFT;
        l = HT_MODIFIER_LEFT;
    } else if (ht__deviation(right->angle, 270) < square || l == HT_MODIFIER_SHARP_LEFT) {
        r = HT_MODIFIER_LEFT;
        l = HT_MODIFIER_SHARP_LEFT;
    } else if (ht__deviation(left->angle, 90) < square ||
               (ht__deviation(right->angle, 90) >= square &&
                (r == HT_MODIFIER_SHARP_RIGHT ||
                 ht__deviation(left->angle, 85) < ht__deviation(right->angle, 85)))) {
        r = HT_MODIFIER_SHARP_RIGHT;
        l = HT_MODIFIER_RIGHT;
    } else {
        r = HT_MODIFIER_RIGHT;
        l = HT_MODIFIER_SLIGHT_RIGHT;
    }
    ht__basic(map, view, left, l);
    ht__basic(map, view, right, r);
}

static bool ht__close(const struct ht__view *view, uint32_t a, uint32_t b, double limit)
{
    return ht__deviation(view->roads[a].angle, view->roads[b].angle) < limit;
}

/* Three roads to the right of what goes on. */
static void ht__three_right(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *r = view->roads;
    enum ht_step_modifier d1 = ht__modifier(r[1].angle);
    enum ht_step_modifier d2 = ht__modifier(r[2].angle);
    enum ht_step_modifier d3 = ht__modifier(r[3].angle);
    int open = (r[1].entry ? 1 : 0) + (r[2].entry ? 1 : 0) + (r[3].entry ? 1 : 0);
    bool apart = !ht__close(view, 1, 2, HT__NARROW) && !ht__close(view, 2, 3, HT__NARROW);
    bool alike = (d1 == d2 && d2 == d3) || (d1 == d2 && ht__close(view, 2, 3, HT__GROUP)) ||
                 (d2 == d3 && ht__close(view, 1, 2, HT__GROUP));
    if ((d1 != d2 && d2 != d3) || (open == 3 && !apart && alike)) {
        ht__trivial(map, view, 1, 4);
    } else if (open <= 2) {
        ht__part(map, view, r[3].entry ? &r[3] : &r[2], r[3].entry && !r[1].entry ? &r[2] : &r[1]);
    } else if (apart) {
        ht__basic(map, view, &r[1], HT_MODIFIER_SHARP_RIGHT);
        ht__basic(map, view, &r[2], HT_MODIFIER_RIGHT);
        ht__basic(map, view, &r[3], HT_MODIFIER_SLIGHT_RIGHT);
    } else if (!ht__close(view, 2, 3, HT__GROUP)) {
        ht__part(map, view, &r[2], &r[1]);
        ht__basic(map, view, &r[3], d3);
    } else {
        ht__basic(map, view, &r[1], d1);
        ht__part(map, view, &r[3], &r[2]);
    }
}

/* Roads 1 .. end - 1, all to the right of what goes on. */
static void ht__right_turns(const struct ht__map *map, struct ht__view *view, uint32_t end)
{
    uint32_t open = 0;
    for (uint32_t i = 1; i < end; i++) {
        open += view->roads[i].entry ? 1 : 0;
    }
    if (end <= 1 || open == 0) {
        return;
    }
    if (end == 3 && ht__modifier(view->roads[1].angle) == ht__modifier(view->roads[2].angle)) {
        ht__part(map, view, &view->roads[2], &view->roads[1]);
    } else if (end == 4) {
        ht__three_right(map, view);
    } else {
        ht__trivial(map, view, 1, end);
    }
}

static void ht__mirror(struct ht__view *view)
{
    static const uint8_t mirrored[] = {[HT_MODIFIER_UTURN] = HT_MODIFIER_UTURN,
                                       [HT_MODIFIER_SHARP_RIGHT] = HT_MODIFIER_SHARP_LEFT,
                                       [HT_MODIFIER_RIGHT] = HT_MODIFIER_LEFT,
                                       [HT_MODIFIER_SLIGHT_RIGHT] = HT_MODIFIER_SLIGHT_LEFT,
                                       [HT_MODIFIER_STRAIGHT] = HT_MODIFIER_STRAIGHT,
                                       [HT_MODIFIER_SLIGHT_LEFT] = HT_MODIFIER_SLIGHT_RIGHT,
                                       [HT_MODIFIER_LEFT] = HT_MODIFIER_RIGHT,
                                       [HT_MODIFIER_SHARP_LEFT] = HT_MODIFIER_SHARP_RIGHT,
                                       [HT_MODIFIER_NONE] = HT_MODIFIER_NONE};
    for (uint32_t i = 0; i < view->count; i++) {
        struct ht__road *r = &view->roads[i];
        r->angle = r->angle == 0 ? 0 : 360 - r->angle;
        r->modifier = mirrored[r->modifier];
    }
    for (uint32_t i = 1, k = view->count - 1; i < k; i++, k--) {
        struct ht__road kept = view->roads[i];
        view->roads[i] = view->roads[k];
        view->roads[k] = kept;
    }
}

/* Left turns are right turns in the mirror. */
static void ht__left_turns(const struct ht__map *map, struct ht__view *view, uint32_t from)
{
    ht__mirror(view);
    ht__right_turns(map, view, view->count - from);
    ht__mirror(view);
}

/* Of two branches: is `road` plain beside `other`? */
static bool ht__plain_beside(const struct ht__map *map, const struct ht__road *via,
                             const struct ht__road *road, const struct ht__road *other)
{
    if (ht__class_obvious(via->cls, road->cls, other->cls)) {
        return true;
    }
    if (ht__class_obvious(via->cls, other->cls, road->cls)) {
        return false;
    }
    double bend = ht__bend(road);
    if (ht__has_name(map, via->way) && bend < 1e-9 && !ht__announces(map, via->way, road->way)) {
        return true;
    }
    return ht__bend(other) > 1.4 * bend && ht__bend(other) - bend > HT__FUZZY;
}

/* The last road, going from `begin` by `step`, that still belongs to a fork. */
static uint32_t ht__fork_edge(const struct ht__view *view, uint32_t begin, int step)
{
    uint32_t at = begin;
    while (step > 0 ? at + 1 < view->count : at > 0) {
        const struct ht__road *now = &view->roads[at];
        const struct ht__road *next = &view->roads[step > 0 ? at + 1 : at - 1];
        if (ht__bend(next) > HT__NARROW &&
            (ht__deviation(now->angle, next->angle) > HT__NARROW || ht__bend(now) > HT__GROUP)) {
            break;
        }
        at = step > 0 ? at + 1 : at - 1;
    }
    return at;
}

static bool ht__fork_classes(const struct ht__view *view, uint32_t right, uint32_t left)
{
    const struct ht__road *r = view->roads;
    for (uint32_t i = right; i <= left; i++) {
        if (r[i].cls.link != r[right].cls.link) {
            return false;
        }
        for (uint32_t k = right; k <= left; k++) {
            if (k != i && ht__class_obvious(r[0].cls, r[i].cls, r[k].cls)) {
                return false;
            }
        }
    }
    return true;
}

/* Two or three roads that part narrowly, none of them plain, away from all others. */
static bool ht__find_fork(const struct ht__map *map, const struct ht__view *view, uint32_t *right,
                          uint32_t *left)
{
    uint32_t straight = ht__closest(view, HT__STRAIGHT);
    const struct ht__road *r = view->roads;
    if (view->count < 3 || ht__bend(&r[straight]) > HT__NARROW) {
        return false;
    }
    *right = ht__fork_edge(view, straight, -1);
    *left = ht__fork_edge(view, straight, 1);
    if (*right >= *left || *left - *right >= 3 || *right == 0) {
        return false;
    }
    const struct ht__road *beyond = &r[*left + 1 == view->count ? 0 : *left + 1];
    if (ht__deviation(r[*left].angle, beyond->angle) < HT__GROUP ||
        ht__deviation(r[*right].angle, r[*right - 1].angle) < HT__GROUP ||
        !ht__fork_classes(view, *right, *left)) {
        return false;
    }
    for (uint32_t i = *right; i <= *left; i++) {
        if (!r[i].entry || ht__mode(map, &r[i]) != ht__mode(map, &r[0])) {
            return false;
        }
        if (i < *left && (ht__plain_beside(map, &r[0], &r[i], &r[i + 1]) ||
                          ht__plain_beside(map, &r[0], &r[i + 1], &r[i]))) {
            return false;
        }
    }
    return true;
}

static bool ht__end_of_road(const struct ht__view *view)
{
    double right = view->roads[1].angle;
    double left = view->roads[2].angle;
    return ht__deviation(right, 90) < HT__NARROW && ht__deviation(left, 270) < HT__NARROW &&
           ht__deviation(right, left) > 2 * HT__NARROW;
}

static void ht__three_ways(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *r = view->roads;
    uint32_t obvious = ht__obvious(map, view);
    uint32_t right = 0;
    uint32_t left = 0;
    bool links = r[0].cls.link && r[1].cls.link && r[2].cls.link;
    if (ht__find_fork(map, view, &right, &left) && (links || obvious == 0)) {
        ht__assign_fork(map, view, &r[left], &r[right]);
    } else if (obvious == 0 && ht__end_of_road(view)) {
        for (uint32_t i = 1; i <= 2; i++) {
            if (r[i].entry) {
                bool ramp = ht__basic_type(map, view, &r[i]) == HT__ON_RAMP;
                ht__set(&r[i], ramp ? HT__ON_RAMP : HT__END_OF_ROAD,
                        i == 1 ? HT_MODIFIER_RIGHT : HT_MODIFIER_LEFT);
            }
        }
    } else if (obvious != 0) {
        struct ht__road *other = &r[3 - obvious];
        enum ht_step_modifier modifier = ht__modifier(other->angle);
        if (modifier == HT_MODIFIER_STRAIGHT &&
            ht__modifier(r[obvious].angle) == HT_MODIFIER_STRAIGHT) {
            modifier = obvious == 1 ? HT_MODIFIER_SLIGHT_LEFT : HT_MODIFIER_SLIGHT_RIGHT;
        }
        ht__obvious_instruction(map, view, ht__through_street(map, view, obvious), &r[obvious], 3);
        ht__basic(map, view, other, modifier);
    } else {
        ht__basic(map, view, &r[1], ht__modifier(r[1].angle));
        ht__basic(map, view, &r[2], ht__modifier(r[2].angle));
    }
}

/* A fork among four roads or more. */
static void ht__fork_of_many(const struct ht__map *map, struct ht__view *view, uint32_t right,
                             uint32_t left)
{
    struct ht__road *r = view->roads;
    if (left - right == 2) {
        ht__assign_fork3(map, view, &r[left], &r[right + 1], &r[right]);
    } else {
        int higher = r[left].cls.priority - r[right].cls.priority;
        if (higher >= -1 && higher <= 1) {
            ht__assign_fork(map, view, &r[left], &r[right]);
        } else if (higher > 0) {
            ht__obvious_instruction(map, view, false, &r[right], view->count);
            ht__basic(map, view, &r[left], HT_MODIFIER_SLIGHT_LEFT);
        } else {
            ht__obvious_instruction(map, view, false, &r[left], view->count);
            ht__basic(map, view, &r[right], HT_MODIFIER_SLIGHT_RIGHT);
        }
    }
    ht__left_turns(map, view, left);
    ht__right_turns(map, view, right);
}

static void ht__many_ways(const struct ht__map *map, struct ht__view *view)
{
    uint32_t obvious = ht__obvious(map, view);
    uint32_t straight = ht__closest(view, HT__STRAIGHT);
    const struct ht__road *ahead = &view->roads[straight];
    uint32_t right = 0;
    uint32_t left = 0;
    if (obvious != 0) {
        ht__obvious_instruction(map, view, ht__through_street(map, view, obvious),
                                &view->roads[obvious], view->count);
        ht__left_turns(map, view, obvious);
        ht__right_turns(map, view, obvious);
    } else if (ht__find_fork(map, view, &right, &left)) {
        ht__fork_of_many(map, view, right, left);
    } else if (ht__bend(ahead) < HT__FUZZY && !ahead->entry) {
        ht__left_turns(map, view, straight);
        ht__right_turns(map, view, straight);
    } else if (ahead->angle > HT__STRAIGHT) {
        ht__left_turns(map, view, straight - 1);
        ht__right_turns(map, view, straight);
    } else if (ahead->angle < HT__STRAIGHT) {
        ht__left_turns(map, view, straight);
        ht__right_turns(map, view, straight + 1);
    } else {
        ht__trivial(map, view, 1, view->count);
    }
}

void ht__turn_types(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *r = view->roads;
    if (view->count == 1) {
        return;
    }
    if (r[0].entry) {
        ht__basic(map, view, &r[0], HT_MODIFIER_UTURN);
    }
    if (view->count == 2) {
        ht__obvious_instruction(map, view, false, &r[1], 2);
    } else if (view->count == 3) {
        ht__three_ways(map, view);
    } else {
        ht__many_ways(map, view);
    }
}
