/* Roundabouts: what kind a circle is, and what each road at it is called from where we come.
 *
 * A named circle, wide or tagged junction=circular, is a rotary; a small one with at most four well
 * parted arms is taken as a turn; any other is a roundabout whose exits are counted. Rules after
 * OSRM's roundabout handler.
 */
#include "engine/road/guide_internal.h"

#define HT__ROUND_RADIUS_M 15.0

enum { HT__ROUND_ARMS = 64 };

/* One way round a circle. */
struct ht__circle {
    uint32_t arms[HT__ROUND_ARMS]; /* junctions where roads meet it */
    uint32_t arm_count;
    uint32_t name_way; /* HT_NONE: no name yet */
    uint32_t names;    /* different ones */
    double length_m;
    bool name_outside; /* a street that meets it has its name */
    bool broken;
};

static uint8_t ht__round_flags(const struct ht__map *map, uint32_t arc)
{
    return ht__way(map, ht__arc(map, arc)->way)->flags & (HT_WAY_ROUNDABOUT | HT_WAY_CIRCULAR);
}

/* The circle's arc out of a junction; counts roads in general and of the circle. */
static uint32_t ht__round_step(const struct ht__map *map, uint32_t junction, uint8_t kind,
                               uint32_t *roads, uint32_t *round)
{
    const struct ht_graph *g = map->graph;
    uint32_t next = HT_NONE;
    uint32_t nexts = 0;
    *roads = 0;
    *round = 0;
    for (uint32_t a = g->junction_first_out[junction]; a < g->junction_first_out[junction + 1];
         a++) {
        (*roads)++;
        if (ht__round_flags(map, a) != 0) {
            (*round)++;
        }
        if (ht__round_flags(map, a) == kind) {
            next = a;
            nexts++;
        }
    }
    for (uint32_t i = g->junction_first_in[junction]; i < g->junction_first_in[junction + 1]; i++) {
        uint32_t a = g->junction_in[i];
        if (g->arcs[a].reverse == HT_NONE) {
            (*roads)++;
            *round += ht__round_flags(map, a) != 0 ? 1 : 0;
        }
    }
    return nexts == 1 ? next : HT_NONE;
}

static void ht__note_name(const struct ht__map *map, struct ht__circle *circle, uint32_t way)
{
    if (!ht__has_name(map, way)) {
        return;
    }
    if (circle->name_way == HT_NONE) {
        circle->name_way = way;
        circle->names = 1;
    } else if (ht__announces(map, circle->name_way, way)) {
        circle->names++;
    }
}

/* Whether a street that meets the circle carries the circle's own name. */
static bool ht__outside_has(const struct ht__map *map, uint32_t junction, uint32_t way)
{
    const struct ht_graph *g = map->graph;
    for (uint32_t a = g->junction_first_out[junction]; a < g->junction_first_out[junction + 1];
         a++) {
        if (ht__round_flags(map, a) == 0 && ht__same_signs(map, g->arcs[a].way, way)) {
            return true;
        }
    }
    for (uint32_t i = g->junction_first_in[junction]; i < g->junction_first_in[junction + 1]; i++) {
        uint32_t a = g->junction_in[i]; /* with a reverse, it is of the same way as that */
        if (ht__round_flags(map, a) == 0 && ht__same_signs(map, g->arcs[a].way, way)) {
            return true;
        }
    }
    return false;
}

static void ht__go_round(const struct ht__map *map, uint32_t junction, uint8_t kind,
                         struct ht__circle *circle)
{
    *circle = (struct ht__circle){.name_way = HT_NONE};
    uint32_t at = junction;
    for (int hop = 0;; hop++) {
        uint32_t roads = 0;
        uint32_t round = 0;
        uint32_t arc = ht__round_step(map, at, kind, &roads, &round);
        if (arc == HT_NONE || round != 2 || hop >= 4 * HT__ROUND_ARMS ||
            circle->arm_count == HT__ROUND_ARMS) {
            circle->broken = true;
            return;
        }
        if (roads > 2) {
            circle->arms[circle->arm_count++] = at;
        }
        ht__note_name(map, circle, ht__arc(map, arc)->way);
        circle->length_m += ht__arc(map, arc)->length_mm / 1000.0;
        at = ht__arc(map, arc)->head;
        if (at == junction) {
            break;
        }
    }
    for (uint32_t i = 0; circle->names == 1 && i < circle->arm_count; i++) {
        circle->name_outside =
            circle->name_outside || ht__outside_has(map, circle->arms[i], circle->name_way);
    }
}

/* At most four arms, one road each, no two of them close together. */
static bool ht__like_crossing(const struct ht__map *map, const struct ht__circle *circle)
{
    double bearings[4];
    if (circle->arm_count > 4) {
        return false;
    }
    for (uint32_t i = 0; i < circle->arm_count; i++) {
        struct ht__view fan;
        ht__fan(map, circle->arms[i], false, &fan);
        if (fan.count > 3) {
            return false;
        }
        uint32_t k = 0;
        while (k + 1 < fan.count && ht__is_round(map, fan.roads[k].way)) {
            k++;
        }
        double bearing = fan.roads[k].bearing;
        uint32_t at = i;
        for (; at > 0 && bearings[at - 1] > bearing; at--) {
            bearings[at] = bearings[at - 1];
        }
        bearings[at] = bearing;
    }
    for (uint32_t i = 0; i < circle->arm_count; i++) {
        if (fabs(bearings[(i + 1) % circle->arm_count] - bearings[i]) <= HT__NARROW) {
            return false;
        }
    }
    return true;
}

static enum ht__round ht__round_kind(const struct ht__map *map, const struct ht__view *view)
{
    uint8_t kinds = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        kinds |= ht__round_flags(map, view->roads[i].arc);
    }
    if (kinds != HT_WAY_ROUNDABOUT && kinds != HT_WAY_CIRCULAR) {
        return HT__ROUND_NONE;
    }
    struct ht__circle circle;
    bool circular = kinds == HT_WAY_CIRCULAR;
    ht__go_round(map, view->junction, kinds, &circle);
    if (circle.broken || circle.arm_count == 0) {
        return HT__ROUND_NONE;
    }
    if (circle.arm_count == 1 && !circular) {
        return HT__CROSSING;
    }
    double radius = circle.length_m / (2 * 3.14159265358979323846);
    if (circle.names == 1 && (circular || (!circle.name_outside && radius > HT__ROUND_RADIUS_M))) {
        return HT__ROTARY;
    }
    if (circular) {
        return HT__ROUND_NONE;
    }
    return radius < HT__ROUND_RADIUS_M && ht__like_crossing(map, &circle) ? HT__CROSSING
                                                                          : HT__ROUNDABOUT;
}

static bool ht__left_hand(const struct ht__map *map, const struct ht__view *view)
{
    return map->graph->left_hand || (ht__way(map, view->in_way)->flags & HT_WAY_LEFT_HAND) != 0;
}

/* Roads in the order in which the circle passes them. */
static struct ht__road *ht__in_order(struct ht__view *view, bool left_hand, uint32_t i)
{
    return &view->roads[left_hand ? view->count - 1 - i : i];
}

/* An exit that is more than a service road leaves here. */
static bool ht__real_exit(const struct ht__map *map, const struct ht__view *view)
{
    const struct ht_graph *g = map->graph;
    uint32_t j = view->junction;
    for (uint32_t a = g->junction_first_out[j]; a < g->junction_first_out[j + 1]; a++) {
        if (ht__round_flags(map, a) == 0 && !ht__class_of(map, g->arcs[a].way).ignored) {
            return true;
        }
    }
    return false;
}

static void ht__on_circle(const struct ht__map *map, struct ht__view *view, enum ht__round kind)
{
    const struct ht_graph *g = map->graph;
    uint32_t outs =
        g->junction_first_out[view->junction + 1] - g->junction_first_out[view->junction];
    for (uint32_t i = 0; i < view->count; i++) {
        struct ht__road *r = &view->roads[i];
        enum ht_step_modifier modifier = ht__modifier(r->angle);
        if (ht__round_flags(map, r->arc) == 0) {
            ht__set(r, HT__EXIT + kind, modifier);
        } else if (outs == 1) {
            ht__set(r, view->count == 2 ? HT__NO_TURN : HT__SUPPRESSED, modifier);
        } else {
            bool counts = r->cls.ignored || ht__real_exit(map, view);
            ht__set(r, counts ? HT__STAY : HT__SUPPRESSED, modifier);
        }
    }
}

static void ht__at_circle(const struct ht__map *map, struct ht__view *view, enum ht__round kind,
                          bool exit_apart)
{
    bool left_hand = ht__left_hand(map, view);
    bool across = false;
    for (uint32_t i = 0; i < view->count; i++) {
        struct ht__road *r = ht__in_order(view, left_hand, i);
        bool round = ht__round_flags(map, r->arc) != 0;
        enum ht_step_modifier modifier = ht__modifier(r->angle);
        across = round ? !across : across;
        if (!r->entry) {
            continue;
        }
        if (round) {
            ht__set(r, (exit_apart ? HT__ENTER_AT_EXIT : HT__ENTER) + kind, modifier);
        } else if (ht__deviation(r->angle, HT__STRAIGHT) < HT__FUZZY && across) {
            uint32_t index = (uint32_t)(r - view->roads);
            ht__obvious_instruction(map, view, ht__through_street(map, view, index), r,
                                    view->count);
        } else {
            ht__set(r, HT__ENTER_EXIT + kind, modifier);
        }
    }
}

bool ht__round_types(const struct ht__map *map, struct ht__view *view)
{
    bool on = ht__is_round(map, view->in_way);
    bool can_enter = false;
    bool exit_apart = false;
    bool left_hand = ht__left_hand(map, view);
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht__road *r = ht__in_order(view, left_hand, i);
        if (!r->entry) {
            continue;
        }
        if (ht__round_flags(map, r->arc) != 0) {
            can_enter = true;
        } else if (r->angle != 0 && !can_enter) {
            exit_apart = true;
        }
    }
    if (!on && !can_enter) {
        return false;
    }
    enum ht__round kind = ht__round_kind(map, view);
    if (kind == HT__ROUND_NONE) {
        return false;
    }
    if (on) {
        ht__on_circle(map, view, kind);
    } else {
        ht__at_circle(map, view, kind, exit_apart);
    }
    return true;
}
