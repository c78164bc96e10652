/* Which road would a driver take without being told?
 *
 * First the street that goes on under its name, then the straightest of at least its class, then
 * the straightest at all; each only when no other road looks as good. What "as good" means are
 * OSRM's rules (intersection handler, findObviousTurn).
 */
#include "engine/road/guide_internal.h"

/* One comparison: the road we came by, the candidate, another. */
struct ht__trial {
    const struct ht__map *map;
    const struct ht__view *view;
    const struct ht__road *via;
    const struct ht__road *candidate;
    double bend; /* of the candidate from straight on */
    /* Of the road compared with it. */
    bool name_kept;    /* the candidate goes on under our name */
    bool name_changes; /* the other does not */
    bool fork;         /* our lanes part into two of as many each */
    bool clear;        /* the other bends much more */
    bool fairly_clear;
};

static double ht__bend(const struct ht__road *road)
{
    return ht__deviation(road->angle, HT__STRAIGHT);
}

static bool ht__restricted(const struct ht__map *map, const struct ht__road *road)
{
    return (ht__arc(map, road->arc)->flags & HT_ARC_RESTRICTED) != 0;
}

static bool ht__roundabout_way(const struct ht__map *map, const struct ht__road *road)
{
    return (ht__way(map, road->way)->flags & HT_WAY_ROUNDABOUT) != 0;
}

/* Another road of lower class: fewer lanes and a lower group, or a link to the class of both. */
static bool ht__lower_class(struct ht__class via, struct ht__class candidate,
                            struct ht__class other)
{
    bool reduced = other.lanes > 0 && other.lanes + 1 < via.lanes;
    return (ht__class_less(other, via) && ht__class_less(other, candidate) && reduced) ||
           (ht__class_links_to(other, via) && ht__class_links_to(other, candidate));
}

/* The other road goes straight across: it belongs to a street that crosses ours. */
static bool ht__crosses(const struct ht__trial *t, const struct ht__road *other)
{
    const struct ht__view *v = t->view;
    uint32_t at = ht__closest_bearing(v, ht__opposite(other->bearing));
    const struct ht__road *across = &v->roads[at];
    bool same_street = !ht__announces(t->map, across->way, other->way);
    double angle = ht__deviation(other->angle, across->angle);
    if (v->count >= 4) {
        if ((same_street || angle > HT__STRAIGHT - HT__NARROW) && t->clear) {
            return true;
        }
        return t->name_kept && t->name_changes && t->fairly_clear && same_street &&
               angle > HT__STRAIGHT - HT__FUZZY;
    }
    return t->name_kept && t->name_changes && t->clear && !t->fork &&
           angle > HT__STRAIGHT - HT__GROUP;
}

/* Classes alone make the other road less likely. */
static bool ht__less_by_class(const struct ht__trial *t, const struct ht__road *other)
{
    struct ht__class via = t->via->cls;
    struct ht__class mine = t->candidate->cls;
    bool kept = via.priority == mine.priority;
    bool lower = mine.priority < other->cls.priority;
    bool far_higher = mine.priority > other->cls.priority + 4;
    if (kept && (lower || far_higher) && t->name_kept && t->fairly_clear) {
        return true;
    }
    if (ht__lower_class(via, mine, other->cls)) {
        return true;
    }
    if (kept && ht__class_group(via) < ht__class_group(other->cls) && t->name_changes &&
        ht__announces(t->map, t->candidate->way, other->way)) {
        return true;
    }
    return kept && other->cls.link;
}

/* A candidate that goes nearly straight: does another road look like it? */
static bool ht__rivals_narrow(struct ht__trial *t, const struct ht__road *other)
{
    const struct ht__map *map = t->map;
    const struct ht__road *via = t->via;
    const struct ht__road *mine = t->candidate;
    if (t->bend < HT__NARROW && !other->entry) {
        return false;
    }
    double bend = ht__bend(other);
    t->fork = other->cls.lanes > 0 && mine->cls.lanes == other->cls.lanes &&
              via->cls.lanes == mine->cls.lanes + other->cls.lanes &&
              ht__deviation(mine->angle, other->angle) < HT__GROUP;
    t->clear = bend > HT__DISTINCT * t->bend && fabs(bend - t->bend) > HT__FUZZY / 2;
    t->fairly_clear = bend > 0.7 * HT__DISTINCT * t->bend;
    if (t->clear && !ht__restricted(map, via) && !ht__restricted(map, mine) &&
        ht__restricted(map, other)) {
        return false;
    }
    bool round = ht__roundabout_way(map, via);
    if (round == ht__roundabout_way(map, mine) && round != ht__roundabout_way(map, other) &&
        t->bend < bend) {
        return false;
    }
    t->name_kept = !ht__announces(map, via->way, mine->way);
    t->name_changes = ht__announces(map, via->way, other->way);
    if (((t->name_kept || t->name_changes) && !t->fork && t->clear) || ht__crosses(t, other) ||
        (via->cls.priority > 6 && t->clear)) {
        return false;
    }
    if (mine->cls.lanes > 0 && mine->cls.lanes == via->cls.lanes && t->bend < HT__FUZZY &&
        t->clear) {
        return false;
    }
    return !ht__less_by_class(t, other);
}

/* A candidate that turns: does another road look like it, allowed or not? */
static bool ht__rivals_wide(const struct ht__trial *t, const struct ht__road *other)
{
    bool straight = ht__modifier(other->angle) == HT_MODIFIER_STRAIGHT;
    if (!straight && ht__lower_class(t->via->cls, t->candidate->cls, other->cls)) {
        return false;
    }
    if (ht__bend(other) > HT__DISTINCT * t->bend) {
        return false;
    }
    const struct ht__road *back = &t->view->roads[0];
    if (ht__deviation(back->initial, back->bearing) > HT__FUZZY) {
        double in = ht__opposite(back->initial);
        double mine = ht__deviation(ht__turn_angle(in, t->candidate->initial), HT__STRAIGHT);
        double its = ht__deviation(ht__turn_angle(in, other->initial), HT__STRAIGHT);
        double between = ht__turn_angle(ht__opposite(other->initial), t->candidate->initial);
        if (ht__modifier(between) != HT_MODIFIER_STRAIGHT && its > HT__DISTINCT * mine) {
            return false;
        }
    }
    return true;
}

static bool ht__stands_out(const struct ht__map *map, const struct ht__view *view, uint32_t index)
{
    struct ht__trial t = {
        .map = map, .view = view, .via = &view->roads[0], .candidate = &view->roads[index]};
    t.bend = ht__bend(t.candidate);
    for (uint32_t i = 1; i < view->count; i++) {
        if (i == index) {
            continue;
        }
        if (t.bend < HT__GROUP ? ht__rivals_narrow(&t, &view->roads[i])
                               : ht__rivals_wide(&t, &view->roads[i])) {
            return false;
        }
    }
    return true;
}

/* The street goes on here under its name, in a class not lower. */
static bool ht__goes_on(const struct ht__map *map, const struct ht__road *via,
                        const struct ht__road *road)
{
    bool via_nameless = ht__nameless(map, via->way);
    bool nameless = ht__nameless(map, road->way);
    if (!road->entry || (via_nameless && !via->cls.ignored) || (nameless && !road->cls.ignored) ||
        via_nameless != nameless) {
        return false;
    }
    return !ht__class_less(road->cls, via->cls) && !ht__class_links_to(road->cls, via->cls) &&
           !ht__announces(map, via->way, road->way);
}

static bool ht__not_lower(const struct ht__map *map, const struct ht__road *via,
                          const struct ht__road *road)
{
    (void)map;
    return road->entry && !ht__class_less(road->cls, via->cls) &&
           !ht__class_links_to(road->cls, via->cls);
}

static bool ht__open(const struct ht__map *map, const struct ht__road *via,
                     const struct ht__road *road)
{
    (void)map;
    (void)via;
    return road->entry;
}

/* Straighter than another; of two that bend alike, to either side, the one of the class we come by.
 */
static bool ht__straighter(const struct ht__road *via, const struct ht__road *a,
                           const struct ht__road *b)
{
    double bend = ht__bend(a);
    double other = ht__bend(b);
    if (bend != other) {
        return bend < other;
    }
    return ht__class_equal(via->cls, a->cls) && !ht__class_equal(via->cls, b->cls);
}

/* The straightest road that passes a test; HT_NONE: none does. */
static uint32_t ht__straightest(const struct ht__map *map, const struct ht__view *view,
                                bool (*passes)(const struct ht__map *, const struct ht__road *,
                                               const struct ht__road *))
{
    uint32_t best = HT_NONE;
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht__road *road = &view->roads[i];
        if ((best == HT_NONE || ht__straighter(&view->roads[0], road, &view->roads[best])) &&
            passes(map, &view->roads[0], road)) {
            best = i;
        }
    }
    return best;
}

/* A junction where one street of one name parts, and only one branch may be taken. */
static bool ht__one_name_one_way(const struct ht__map *map, const struct ht__view *view)
{
    if (view->count != 3 || ht__enterable(view) != 1) {
        return false;
    }
    for (uint32_t i = 0; i < 3; i++) {
        if (ht__nameless(map, view->roads[i].way) ||
            !ht__same_signs(map, view->roads[0].way, view->roads[i].way)) {
            return false;
        }
    }
    return ht__deviation(view->roads[1].angle, 90) > HT__NARROW ||
           ht__deviation(view->roads[2].angle, 270) > HT__NARROW;
}

static uint32_t ht__if_not_round(const struct ht__map *map, const struct ht__view *view,
                                 uint32_t index)
{
    return ht__roundabout_way(map, &view->roads[0]) == ht__roundabout_way(map, &view->roads[index])
               ? index
               : 0;
}

uint32_t ht__obvious(const struct ht__map *map, const struct ht__view *view)
{
    if (view->count <= 2) {
        return view->count - 1;
    }
    uint32_t on = ht__straightest(map, view, ht__goes_on);
    if (on != HT_NONE && ht__stands_out(map, view, on)) {
        return ht__if_not_round(map, view, on);
    }
    uint32_t equal = ht__straightest(map, view, ht__not_lower);
    if (equal != HT_NONE && ht__stands_out(map, view, equal)) {
        return ht__if_not_round(map, view, equal);
    }
    uint32_t any = ht__straightest(map, view, ht__open);
    if (any == HT_NONE) {
        return 0;
    }
    const struct ht__road *road = &view->roads[any];
    uint32_t ahead = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        ahead += ht__bend(&view->roads[i]) <= 90 ? 1 : 0;
    }
    bool only_ahead = ht__bend(road) <= 90 && ahead == 1;
    if (any != equal && (ht__bend(road) <= HT__GROUP || only_ahead) && !road->cls.ignored &&
        ht__stands_out(map, view, any)) {
        return ht__if_not_round(map, view, any);
    }
    bool only_motorway =
        ht__is_motorway(road->cls) && ht__bend(road) <= HT__GROUP && ht__enterable(view) == 1;
    if (only_motorway || ht__one_name_one_way(map, view)) {
        return ht__if_not_round(map, view, any);
    }
    return 0;
}

bool ht__through_street(const struct ht__map *map, const struct ht__view *view, uint32_t index)
{
    const struct ht__road *road = &view->roads[index];
    if (ht__nameless(map, road->way)) {
        return false;
    }
    for (uint32_t i = 1; i < view->count; i++) {
        const struct ht__road *other = &view->roads[i];
        if (i != index && ht__deviation(other->angle, road->angle) > HT__STRAIGHT - HT__FUZZY &&
            ht__class_equal(road->cls, other->cls) &&
            ht__identical_names(map, road->way, other->way)) {
            return true;
        }
    }
    return false;
}
