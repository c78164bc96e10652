/* What every turn at a junction is called: chooses who decides (ferries, roundabouts, driveways,
 * motorways, ordinary junctions), then looks for sliproads. Also: which short arcs lie inside a
 * junction of divided streets. */
#include "engine/road/guide_internal.h"

/* On ferries and trains nobody steers. */
static bool ht__carried(const struct ht__map *map, struct ht__view *view)
{
    enum ht_mode mode = ht__mode(map, &view->roads[0]);
    if (mode != HT_MODE_FERRY && mode != HT_MODE_TRAIN) {
        return false;
    }
    for (uint32_t i = 0; i < view->count; i++) {
        if (ht__mode(map, &view->roads[i]) != mode) {
            return false;
        }
    }
    for (uint32_t i = 0; i < view->count; i++) {
        ht__set(&view->roads[i], HT__NO_TURN, HT_MODIFIER_UTURN);
    }
    return true;
}

static void ht__defaults(struct ht__view *view)
{
    for (uint32_t i = 0; i < view->count; i++) {
        struct ht__road *r = &view->roads[i];
        if (!r->entry) {
            ht__set(r, HT__INVALID, HT_MODIFIER_UTURN);
        } else if (i == 0) {
            ht__set(r, HT__CONTINUE, HT_MODIFIER_UTURN);
        } else {
            ht__set(r, HT__TURN, ht__modifier(r->angle));
        }
    }
}

/* A street that passes nothing but service roads just goes on. */
static bool ht__driveways(const struct ht__map *map, struct ht__view *view)
{
    struct ht__road *on = NULL;
    uint32_t minor = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        minor += view->roads[i].cls.ignored ? 1 : 0;
        if (i > 0 && on == NULL && !view->roads[i].cls.ignored) {
            on = &view->roads[i];
        }
    }
    if (view->count <= 2 || view->roads[0].cls.ignored || minor + 2 != view->count || on == NULL) {
        return false;
    }
    if (!on->entry) {
        return true;
    }
    on->type = ht__continues_name(map, view->roads[0].way, on->way) ? HT__NO_TURN : HT__NEW_NAME;
    if (on->modifier != HT_MODIFIER_STRAIGHT) {
        return true;
    }
    for (struct ht__road *r = view->roads + 1; r < view->roads + view->count; r++) {
        if (r != on && r->modifier == HT_MODIFIER_STRAIGHT) {
            r->modifier = r < on ? HT_MODIFIER_SLIGHT_RIGHT : HT_MODIFIER_SLIGHT_LEFT;
        }
    }
    return true;
}

void ht__classify(const struct ht__map *map, struct ht__view *view)
{
    ht__defaults(view);
    if (ht__carried(map, view)) {
        return;
    }
    if (!ht__round_types(map, view) && !ht__driveways(map, view) &&
        !ht__motorway_types(map, view)) {
        ht__turn_types(map, view);
    }
    ht__sliproads(map, view);
    if (ht__is_motorway(view->roads[0].cls)) {
        for (uint32_t i = 0; i < view->count; i++) {
            if (view->roads[i].type == HT__ON_RAMP) {
                view->roads[i].type = HT__OFF_RAMP;
            }
        }
    }
}

/* The turn onto, or off, a short arc, from the first metres. */
static double ht__close_angle(const struct ht__road *in, const struct ht__road *out)
{
    return ht__turn_angle(ht__opposite(in->bearing), out->bearing);
}

struct ht__crossings {
    bool oneway; /* a one-way street comes (or goes) across */
    bool left;
    bool right;
};

static void ht__note_crossing(const struct ht__map *map, const struct ht__road *road, double angle,
                              struct ht__crossings *c)
{
    enum ht_step_modifier m = ht__modifier(angle);
    c->right = c->right || m == HT_MODIFIER_RIGHT || m == HT_MODIFIER_SHARP_RIGHT;
    c->left = c->left || m == HT_MODIFIER_LEFT || m == HT_MODIFIER_SHARP_LEFT;
    if (ht__arc(map, road->arc)->reverse == HT_NONE && !road->cls.link &&
        road->cls.priority <= 11 && (angle <= 150 || angle >= 210)) {
        c->oneway = true;
    }
}

bool ht__segregated(const struct ht__map *map, uint32_t arc)
{
    const struct ht_arc *a = ht__arc(map, arc);
    if (a->length_mm > 32000 || ht__is_round(map, a->way)) {
        return false;
    }
    struct ht__strand strand = ht__follow(map, ht_arc_base(map->graph, arc), false);
    struct ht__view from;
    struct ht__view to;
    if (strand.length_m > 32 || a->tail == strand.far) {
        return false;
    }
    ht__fan(map, a->tail, true, &from);
    uint32_t me = ht__find(&from, ht_arc_base(map->graph, arc));
    struct ht__crossings in = {false, false, false};
    struct ht__crossings out = {false, false, false};
    for (uint32_t i = 0; me != HT_NONE && i < from.count; i++) {
        const struct ht__road *r = &from.roads[i];
        bool comes = r->against || ht__arc(map, r->arc)->reverse != HT_NONE;
        if (i != me && r->far != strand.far && comes) {
            ht__note_crossing(map, r, ht__close_angle(r, &from.roads[me]), &in);
        }
    }
    if (!in.oneway) {
        return false;
    }
    ht__fan(map, strand.far, true, &to);
    uint32_t last = strand.last;
    uint32_t back = HT_NONE;
    for (uint32_t i = 0; i < to.count; i++) {
        const struct ht__road *r = &to.roads[i];
        if (r->against ? r->arc == last : r->arc == ht__arc(map, last)->reverse) {
            back = i;
        }
    }
    for (uint32_t i = 0; back != HT_NONE && i < to.count; i++) {
        const struct ht__road *r = &to.roads[i];
        if (i != back && r->far != a->tail && !r->against) {
            ht__note_crossing(map, r, ht__close_angle(&to.roads[back], r), &out);
        }
    }
    return out.oneway && !(in.left && out.right) && !(in.right && out.left) &&
           !(out.left && out.right);
}
