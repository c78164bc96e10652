/* Short links that cut a corner: who takes one turns at the corner, and shall hear so once.
 *
 *   a --- b ------ c ---      b-d is a sliproad when d lies on the road that crosses at c,
 *           \      |          all is close together, and what to do at d is plain.
 *             `-.  |
 *                `-d
 *
 * Rules after OSRM's sliproad handler. */
#include "engine/road/guide_internal.h"

#define HT__SLIP_M 250.0

/* The corner that may be cut. */
struct ht__corner {
    const struct ht__map *map;
    struct ht__view *view;            /* at b */
    const struct ht__road *main_road; /* b-c */
    struct ht__view cross;            /* at c */
    uint32_t cross_junction;          /* c */
    bool right;
};

/* How far apart the corner may be, by class. */
static double ht__reach(struct ht__class c)
{
    static const double factors[] = {1, 0.3, 0.8, 0.3, 0.8, 0.3, 0.6, 0.3, 0.5, 0.3, 0.4, 0.3};
    return HT__SLIP_M * (c.priority < sizeof factors / sizeof factors[0] ? factors[c.priority]
                         : c.priority == 14                              ? 0.3
                                                                         : 0.1);
}

static bool ht__dead_end(const struct ht__view *view)
{
    for (uint32_t i = 1; i < view->count; i++) {
        if (view->roads[i].entry) {
            return false;
        }
    }
    return true;
}

/* The next real junction along a road of a view, and the view there. */
static bool ht__beyond(const struct ht__map *map, const struct ht__road *road, uint32_t from,
                       uint32_t *junction, struct ht__view *out)
{
    struct ht__piece last = ht__skip(map, ht__piece_of(road), from);
    *junction = ht__end_of(map, last);
    return ht__look(map, last.arc, last.against, false, out) && out->count > 2;
}

/* One way out, two ways in. */
static bool ht__gathers(const struct ht__view *view)
{
    return view->count == 3 && !view->roads[0].entry &&
           !(view->roads[1].entry && view->roads[2].entry);
}

/* The road that goes on beside a sliproad; 0: none. */
static uint32_t ht__slip_main(const struct ht__map *map, const struct ht__view *view)
{
    uint32_t obvious = ht__obvious(map, view);
    const struct ht__road *r = view->roads;
    if (obvious != 0 || view->count != 3 || r[1].type != HT__FORK || r[2].type != HT__FORK) {
        return obvious;
    }
    struct ht__view first;
    struct ht__view second;
    uint32_t first_at = 0;
    uint32_t second_at = 0;
    if (!ht__beyond(map, &r[1], view->junction, &first_at, &first) ||
        !ht__beyond(map, &r[2], view->junction, &second_at, &second) || ht__dead_end(&first) ||
        ht__dead_end(&second)) {
        return 0;
    }
    if (ht__gathers(&first) && second_at != view->junction) {
        return 2;
    }
    return ht__gathers(&second) && first_at != view->junction ? 1 : 0;
}

static bool ht__may_link(const struct ht__corner *c, const struct ht__road *road)
{
    return road->entry && !ht__is_round_type(road->type) &&
           ht__deviation(road->angle, HT__STRAIGHT) <= 2 * HT__NARROW &&
           ht__deviation(c->main_road->angle, road->angle) > 1e-9 &&
           (ht__way(c->map, road->way)->flags & HT_WAY_ROUNDABOUT) == 0;
}

static const struct ht__road *ht__crossing_road(const struct ht__corner *c)
{
    return &c->cross.roads[c->right ? 1 : c->cross.count - 1];
}

/* Four roads at d: another sliproad comes in from beyond c. */
static bool ht__double_link(const struct ht__corner *c, const struct ht__view *target,
                            uint32_t target_junction)
{
    if (target_junction != ht__crossing_road(c)->far) {
        return false;
    }
    uint32_t beyond = c->cross.roads[c->right ? 2 : c->cross.count - 2].far;
    for (uint32_t i = 0; i < target->count; i++) {
        enum ht_step_modifier m = ht__modifier(target->roads[i].angle);
        if (target->roads[i].far == beyond &&
            (m == HT_MODIFIER_SHARP_RIGHT || m == HT_MODIFIER_SHARP_LEFT)) {
            return true;
        }
    }
    return false;
}

/* The link bends towards the corner, and the corner is worth cutting. */
static bool ht__snuggles(const struct ht__corner *c, const struct ht__road *slip)
{
    double length = ht_distance_m(ht__junction_point(c->map, c->view->junction),
                                  ht__junction_point(c->map, c->cross_junction));
    if (length < 3) {
        return true;
    }
    if (ht__deviation(ht__crossing_road(c)->angle, HT__STRAIGHT) > 140 && !slip->cls.link) {
        return false;
    }
    struct ht__xy p[HT__FAR_POINTS];
    uint32_t n = ht__strand_points(c->map, slip->arc, slip->against, 1e6, p, HT__FAR_POINTS);
    for (uint32_t i = 1; i + 1 < n; i++) {
        double side = p[i].x * p[n - 1].y - p[i].y * p[n - 1].x;
        if (c->right ? side > 0 : side <= 0) {
            return false;
        }
    }
    return true;
}

static bool ht__small_area(const struct ht__corner *c, const struct ht__road *slip, uint32_t d)
{
    struct ht_point corner = ht__junction_point(c->map, c->cross_junction);
    double area = ht_distance_m(ht__junction_point(c->map, c->view->junction), corner) *
                  ht_distance_m(corner, ht__junction_point(c->map, d)) / 2;
    double reach = ht__reach(slip->cls);
    return area >= 3 && area <= reach * reach;
}

/* A road at d leads to c, and has a name that is known at c. */
static bool ht__closes(const struct ht__corner *c, const struct ht__road *slip,
                       const struct ht__road *road)
{
    const struct ht__map *map = c->map;
    bool known = false;
    for (uint32_t i = 0; i < c->cross.count && !known; i++) {
        known = !ht__announces(map, c->cross.roads[i].way, road->way);
    }
    if (!known || (slip->cls.link && road->cls.link)) {
        return false;
    }
    if (!slip->cls.link && ht__has_name(map, slip->way) && ht__has_name(map, c->main_road->way) &&
        ht__has_name(map, road->way) && ht__announces(map, c->main_road->way, slip->way) &&
        ht__announces(map, slip->way, road->way)) {
        return false;
    }
    const struct ht__road *cross = ht__crossing_road(c);
    enum ht_step_modifier m = ht__modifier(road->angle);
    bool sharp = m == HT_MODIFIER_SHARP_RIGHT || m == HT_MODIFIER_SHARP_LEFT;
    if (road->far == c->cross_junction ||
        (road->far == cross->far && sharp &&
         ht__turn_angle(road->bearing, cross->bearing) < HT__FUZZY)) {
        return true;
    }
    struct ht__strand strand = ht__follow(map, road->arc, road->against);
    struct ht__view past;
    return ht__look(map, strand.last, road->against, false, &past) && past.count == 2 &&
           past.roads[1].far == c->cross_junction;
}

static bool ht__is_sliproad(const struct ht__corner *c, const struct ht__road *slip)
{
    const struct ht__map *map = c->map;
    if (ht__crossing_road(c)->against || slip->cls.ignored || slip->against ||
        !ht__may_link(c, slip)) {
        return false;
    }
    struct ht__view target;
    struct ht__piece last = ht__next_junction(map, ht__piece_of(slip), NULL, 10, &target);
    uint32_t d = ht__end_of(map, last);
    if (target.count < 3 || target.count > 4 || ht__dead_end(&target) ||
        c->cross_junction == c->view->junction || d == c->view->junction ||
        d == c->cross_junction) {
        return false;
    }
    uint32_t open = 0;
    while (!target.roads[open].entry) {
        open++;
    }
    enum ht_mode mode = ht__mode(map, slip);
    if (mode != ht__mode(map, &c->view->roads[0]) || mode != ht__mode(map, &target.roads[open]) ||
        (target.count == 4 && !ht__double_link(c, &target, d))) {
        return false;
    }
    uint32_t onto = ht__obvious(map, &target);
    if (onto == 0 || ht__deviation(target.roads[onto].angle, HT__STRAIGHT) > 2 * HT__NARROW ||
        (ht__way(map, target.roads[onto].way)->flags & HT_WAY_ROUNDABOUT) != 0 ||
        !ht__snuggles(c, slip) || !ht__small_area(c, slip, d)) {
        return false;
    }
    for (uint32_t i = 0; i < target.count; i++) {
        if (ht__closes(c, slip, &target.roads[i])) {
            return true;
        }
    }
    return false;
}

/* Beside a sliproad the other branch of a fork is just the road going on. */
static void ht__unfork(const struct ht__map *map, const struct ht__view *view,
                       struct ht__road *road)
{
    enum ht_step_modifier modifier = ht__modifier(road->angle);
    if (ht__continues_name(map, view->roads[0].way, road->way)) {
        ht__set(road, ht__deviation(road->angle, HT__STRAIGHT) < 5 ? HT__SUPPRESSED : HT__CONTINUE,
                modifier);
    } else if (ht__has_name(map, road->way)) {
        ht__set(road, HT__NEW_NAME, modifier);
    } else {
        road->type = HT__SUPPRESSED;
    }
}

void ht__sliproads(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *r = view->roads;
    if (view->count <= 2) {
        return;
    }
    uint32_t on = ht__slip_main(map, view);
    if (on == 0 || !ht__class_equal(r[0].cls, r[on].cls) ||
        ht__mode(map, &r[0]) != ht__mode(map, &r[on]) || ht__nameless(map, r[0].way) ||
        ht__nameless(map, r[on].way) || ht__announces(map, r[0].way, r[on].way)) {
        return;
    }
    struct ht__corner c = {.map = map, .view = view, .main_road = &r[on]};
    bool any = false;
    for (uint32_t i = 0; i < view->count; i++) {
        any = any || ht__may_link(&c, &r[i]);
    }
    if (!any || r[on].length_m > ht__reach(r[on].cls) ||
        !ht__beyond(map, &r[on], view->junction, &c.cross_junction, &c.cross) ||
        ht__dead_end(&c.cross) || c.cross_junction == view->junction) {
        return;
    }
    bool found = false;
    for (uint32_t i = 1; i < view->count; i++) {
        if (i + 1 != on && i != on + 1) {
            continue;
        }
        c.right = i < on;
        if (ht__is_sliproad(&c, &r[i])) {
            r[i].type = HT__SLIPROAD;
            found = true;
        }
    }
    if (found && r[on].type == HT__FORK) {
        ht__unfork(map, view, &r[on]);
    }
}
