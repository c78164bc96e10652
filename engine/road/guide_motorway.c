/* Motorways and their ramps: exits, merges, forks. Rules after OSRM's motorway handler; "motorway"
 * means trunk roads too.
 */
#include "engine/road/guide_internal.h"

static bool ht__motorway(const struct ht__road *road)
{
    return ht__is_motorway(road->cls);
}

/* Only roads of the motorway kind meet here, and none turns off sharply. */
static bool ht__motorway_place(const struct ht__view *view)
{
    bool from = ht__motorway(&view->roads[0]);
    bool onto = false;
    bool normal = false;
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht__road *r = &view->roads[i];
        if (r->entry && ht__deviation(r->angle, HT__STRAIGHT) > 60) {
            return false;
        }
        if (ht__motorway(r)) {
            onto = onto || r->entry;
        } else if (!ht__is_ramp(r->cls) && !(from && r->cls.link)) {
            normal = true;
        }
    }
    return !normal && (onto || from);
}

static void ht__fallback(struct ht__view *view)
{
    for (uint32_t i = 0; i < view->count; i++) {
        struct ht__road *r = &view->roads[i];
        if (!r->entry) {
            continue;
        }
        bool right = r->angle < HT__STRAIGHT;
        if (ht__motorway(r)) {
            ht__set(r, HT__MERGE, right ? HT_MODIFIER_SLIGHT_LEFT : HT_MODIFIER_SLIGHT_RIGHT);
        } else if (ht__deviation(r->angle, HT__STRAIGHT) < HT__FUZZY) {
            ht__set(r, HT__TURN, HT_MODIFIER_STRAIGHT);
        } else {
            ht__set(r, HT__TURN, right ? HT_MODIFIER_SLIGHT_RIGHT : HT_MODIFIER_SLIGHT_LEFT);
        }
    }
}

/* The angle at which our motorway goes on; 0: it ends. */
static double ht__continue_angle(const struct ht__map *map, const struct ht__view *view)
{
    const struct ht__road *via = &view->roads[0];
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht__road *r = &view->roads[i];
        if (r->entry && r->angle != 0 && ht__motorway(r) && !ht__nameless(map, via->way) &&
            !ht__nameless(map, r->way) && !ht__announces(map, via->way, r->way)) {
            return r->angle;
        }
    }
    double best = 180;
    double angle = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht__road *r = &view->roads[i];
        if (ht__motorway(r) && ht__deviation(r->angle, HT__STRAIGHT) < best) {
            best = ht__deviation(r->angle, HT__STRAIGHT);
            angle = r->angle;
        }
    }
    return angle;
}

static void ht__motorway_ends(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *r = view->roads;
    if (view->count == 2) {
        ht__set(&r[1], HT__NO_TURN, ht__modifier(r[1].angle));
    } else if (view->count == 3) {
        if (r[1].entry && r[2].entry) {
            ht__assign_fork(map, view, &r[2], &r[1]);
        } else {
            struct ht__road *on = r[1].entry ? &r[1] : &r[2];
            ht__set(on, HT__NO_TURN, ht__modifier(on->angle));
        }
    } else if (view->count == 4 && ht__class_equal(r[1].cls, r[2].cls) &&
               ht__class_equal(r[2].cls, r[3].cls)) {
        ht__assign_fork3(map, view, &r[3], &r[2], &r[1]);
    } else {
        ht__fallback(view);
    }
}

/* Our motorway goes on and others leave it. */
static void ht__motorway_exits(const struct ht__map *map, struct ht__view *view, double on)
{
    if (view->count == 2) {
        ht__obvious_instruction(map, view, ht__through_street(map, view, 1), &view->roads[1], 2);
        return;
    }
    for (uint32_t i = 0; i < view->count; i++) {
        struct ht__road *r = &view->roads[i];
        if (!r->entry) {
            continue;
        }
        bool ramp = ht__is_ramp(r->cls) || r->cls.link;
        if (r->angle == on) {
            ht__obvious_instruction(map, view, ht__through_street(map, view, 1), r, view->count);
        } else if (r->angle < on) {
            ht__set(r, ramp ? HT__OFF_RAMP : HT__TURN,
                    r->angle < 145 ? HT_MODIFIER_RIGHT : HT_MODIFIER_SLIGHT_RIGHT);
        } else {
            ht__set(r, ramp ? HT__OFF_RAMP : HT__TURN,
                    r->angle > 215 ? HT_MODIFIER_LEFT : HT_MODIFIER_SLIGHT_LEFT);
        }
    }
}

static void ht__from_motorway(const struct ht__map *map, struct ht__view *view)
{
    double on = ht__continue_angle(map, view);
    if (on == 0) {
        ht__motorway_ends(map, view);
        return;
    }
    struct ht__road *forks[HT__ROADS_MAX];
    uint32_t motorways = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        if (view->roads[i].entry && ht__motorway(&view->roads[i])) {
            forks[motorways++] = &view->roads[i];
        }
    }
    if (motorways == 0) {
        for (uint32_t i = 0; i < view->count; i++) {
            if (view->roads[i].entry) {
                ht__set(&view->roads[i], HT__SUPPRESSED, ht__modifier(view->roads[i].angle));
            }
        }
    } else if (motorways == 1 || motorways != ht__enterable(view)) {
        ht__motorway_exits(map, view, on);
    } else if (motorways == 2) {
        ht__assign_fork(map, view, forks[1], forks[0]);
    } else if (motorways == 3) {
        ht__assign_fork3(map, view, forks[2], forks[1], forks[0]);
    } else {
        ht__fallback(view);
    }
}

/* A ramp meets a motorway, and only one road may be taken: merge where that motorway passes by. */
static void ht__ramp_merges(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *r = view->roads;
    uint32_t on = r[1].entry ? 1 : 2;
    bool passing = ht__motorway(&r[on]) && ht__has_name(map, r[1].way) &&
                   ht__has_name(map, r[2].way) && !ht__announces(map, r[2].way, r[1].way);
    if (!passing) {
        ht__obvious_instruction(map, view, ht__through_street(map, view, on), &r[on], 3);
        return;
    }
    bool slight = ht__deviation(r[on].angle, HT__STRAIGHT) < 2 * HT__NARROW;
    enum ht_step_modifier side = on == 1 ? HT_MODIFIER_SLIGHT_LEFT : HT_MODIFIER_SLIGHT_RIGHT;
    ht__set(&r[on], HT__MERGE, slight ? side : ht__modifier(r[on].angle));
}

static void ht__ramp_parts(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *r = view->roads;
    if (ht__motorway(&r[1]) && !ht__motorway(&r[2])) {
        ht__set(&r[1], HT__TURN, HT_MODIFIER_SLIGHT_RIGHT);
        ht__set(&r[2], HT__CONTINUE, HT_MODIFIER_SLIGHT_LEFT);
    } else {
        ht__assign_fork(map, view, &r[2], &r[1]);
    }
}

static void ht__from_ramp(const struct ht__map *map, struct ht__view *view)
{
    uint32_t open = ht__enterable(view);
    if (view->count == 2 && open == 1) {
        ht__obvious_instruction(map, view, ht__through_street(map, view, 1), &view->roads[1], 2);
    } else if (view->count == 3 && open == 1) {
        ht__ramp_merges(map, view);
    } else if (view->count == 3 && open == 2) {
        ht__ramp_parts(map, view);
    } else if (view->count == 4) {
        bool passed = false;
        for (uint32_t i = 0; i < 4; i++) {
            struct ht__road *r = &view->roads[i];
            if (!r->entry && ht__motorway(r)) {
                passed = true;
            } else if (ht__motorway(r)) {
                ht__set(r, HT__MERGE, passed ? HT_MODIFIER_SLIGHT_RIGHT : HT_MODIFIER_SLIGHT_LEFT);
            } else {
                ht__set(r, HT__OFF_RAMP, ht__modifier(r->angle));
            }
        }
    } else {
        ht__fallback(view);
    }
}

bool ht__motorway_types(const struct ht__map *map, struct ht__view *view)
{
    if (!ht__motorway_place(view)) {
        return false;
    }
    if (ht__motorway(&view->roads[0])) {
        ht__from_motorway(map, view);
    } else {
        ht__from_ramp(map, view);
    }
    return true;
}
