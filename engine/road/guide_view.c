/* The roads around a junction: first as a fan by bearing, then as seen from the one we come by. */
#include "engine/road/guide_internal.h"

enum ht_step_modifier ht__modifier(double angle)
{
    if (angle <= 0 || angle >= 360) {
        return HT_MODIFIER_UTURN;
    }
    return angle < 60     ? HT_MODIFIER_SHARP_RIGHT
           : angle < 140  ? HT_MODIFIER_RIGHT
           : angle < 160  ? HT_MODIFIER_SLIGHT_RIGHT
           : angle <= 200 ? HT_MODIFIER_STRAIGHT
           : angle <= 220 ? HT_MODIFIER_SLIGHT_LEFT
           : angle <= 300 ? HT_MODIFIER_LEFT
                          : HT_MODIFIER_SHARP_LEFT;
}

/* Two ways laid on the same two nodes are one road: the one that can be driven away by stays. */
static uint32_t ht__same_road(const struct ht__map *map, const struct ht__view *fan, uint32_t arc,
                              bool against)
{
    const struct ht_arc *a = ht__arc(map, arc);
    uint32_t points = ht_arc_point_count(a);
    uint32_t node = ht_arc_node(map->network, a, against ? points - 2 : 1);
    for (uint32_t i = 0; i < fan->count; i++) {
        const struct ht_arc *b = ht__arc(map, fan->roads[i].arc);
        uint32_t count = ht_arc_point_count(b);
        if (ht_arc_node(map->network, b, fan->roads[i].against ? count - 2 : 1) == node &&
            count == points) {
            return i;
        }
    }
    return HT_NONE;
}

static void ht__fan_add(const struct ht__map *map, struct ht__view *fan, uint32_t arc, bool against)
{
    const struct ht_arc *a = ht__arc(map, arc);
    if (fan->count == HT__ROADS_MAX || ht__same_road(map, fan, arc, against) != HT_NONE) {
        return;
    }
    fan->roads[fan->count++] = (struct ht__road){
        .arc = arc, .way = a->way, .cls = ht__class_of(map, a->way), .against = against};
}

void ht__fan(const struct ht__map *map, uint32_t junction, bool close, struct ht__view *out)
{
    const struct ht_graph *g = map->graph;
    out->junction = junction;
    out->count = 0;
    for (uint32_t a = g->junction_first_out[junction]; a < g->junction_first_out[junction + 1];
         a++) {
        ht__fan_add(map, out, a, false);
    }
    for (uint32_t i = g->junction_first_in[junction]; i < g->junction_first_in[junction + 1]; i++) {
        uint32_t a = g->junction_in[i];
        if (ht__arc(map, a)->reverse == HT_NONE) {
            ht__fan_add(map, out, a, true);
        }
    }
    uint8_t lanes = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        lanes = out->roads[i].cls.lanes > lanes ? out->roads[i].cls.lanes : lanes;
    }
    close = close || out->count <= 2;
    for (uint32_t i = 0; i < out->count; i++) {
        struct ht__road road = out->roads[i];
        struct ht__strand strand = ht__follow(map, road.arc, road.against);
        road.far = strand.far;
        road.length_m = strand.length_m;
        ht__road_bearings(map, &road, lanes, close);
        uint32_t k = i;
        for (; k > 0 && out->roads[k - 1].bearing > road.bearing; k--) {
            out->roads[k] = out->roads[k - 1];
        }
        out->roads[k] = road;
    }
}

static double ht__bisector(double a, double b)
{
    const double rad = 3.14159265358979323846 / 180;
    double mid = atan2(sin(a * rad) + sin(b * rad), cos(a * rad) + cos(b * rad)) / rad;
    return mid < 0 ? mid + 360 : mid;
}

/* The bearing that stands for two carriageways; false: not to be used by the neighbour. */
static bool ht__merged_bearing(const struct ht__view *fan, uint32_t left, uint32_t right,
                               bool neighbour, double *out)
{
    const struct ht__road *l = &fan->roads[left];
    const struct ht__road *r = &fan->roads[right];
    const struct ht__road *entry = l->against ? r : l;
    uint32_t far = ht__closest_bearing(fan, ht__opposite(entry->bearing));
    double in = ht__opposite(fan->roads[far].bearing);
    double merged = ht__bisector(l->bearing, r->bearing);
    if (ht__deviation(ht__turn_angle(in, entry->bearing), HT__STRAIGHT) < HT__NO_TURN_DEVIATION) {
        *out = entry->bearing; /* a road lies straight before it: merging would bend it */
        return false;
    }
    if (neighbour) {
        double now = ht__deviation(ht__turn_angle(in, merged), HT__STRAIGHT);
        if (ht__deviation(ht__turn_angle(in, l->bearing), HT__STRAIGHT) < now ||
            ht__deviation(ht__turn_angle(in, r->bearing), HT__STRAIGHT) < now) {
            *out = in;
            return false;
        }
    }
    *out = merged;
    return true;
}

/* Whether some other street piece at the far end of a road could be its other carriageway. */
static bool ht__may_have_twin(const struct ht__map *map, const struct ht__road *road)
{
    const struct ht_graph *g = map->graph;
    uint32_t far = road->far;
    bool twoway = ht__arc(map, road->arc)->reverse != HT_NONE;
    /* Seen from there the road can be left by unless it is one-way towards there. */
    bool leads_away = twoway || road->against;
    if (leads_away) {
        for (uint32_t i = g->junction_first_in[far]; i < g->junction_first_in[far + 1]; i++) {
            uint32_t a = g->junction_in[i];
            if (g->arcs[a].reverse == HT_NONE &&
                ht__identical_names(map, g->arcs[a].way, road->way)) {
                return true;
            }
        }
        return false;
    }
    for (uint32_t a = g->junction_first_out[far]; a < g->junction_first_out[far + 1]; a++) {
        if (ht__identical_names(map, g->arcs[a].way, road->way)) {
            return true;
        }
    }
    return false;
}

/* A short road whose other end is one leg of carriageways merged there: its bearing moves as theirs
 * does. */
static void ht__lean_to_neighbour(const struct ht__map *map, const struct ht__view *fan,
                                  struct ht__road *road)
{
    struct ht__view near;
    if (!ht__may_have_twin(map, road)) {
        return;
    }
    ht__fan(map, road->far, false, &near);
    uint32_t me = HT_NONE;
    for (uint32_t i = 0; i < near.count && me == HT_NONE; i++) {
        me = near.roads[i].far == fan->junction ? i : HT_NONE;
    }
    if (near.count <= 1 || me == HT_NONE) {
        return;
    }
    uint32_t before = (me + near.count - 1) % near.count;
    uint32_t after = (me + 1) % near.count;
    double merged = 0;
    double shift = 0;
    if (ht__mergeable(map, &near, before)) {
        if (ht__merged_bearing(&near, before, me, true, &merged)) {
            shift = -ht__deviation(merged, near.roads[me].bearing);
        }
    } else if (ht__mergeable(map, &near, me)) {
        if (ht__merged_bearing(&near, me, after, true, &merged)) {
            shift = ht__deviation(merged, near.roads[me].bearing);
        }
    }
    if (shift != 0) {
        road->bearing = fmod(road->bearing + shift + 360, 360);
        road->initial = road->bearing;
    }
}

void ht__fan_merged(const struct ht__map *map, uint32_t junction, struct ht__view *out)
{
    struct ht__view fan;
    ht__fan(map, junction, false, &fan);
    *out = fan;
    bool touched[HT__ROADS_MAX] = {false};
    for (uint32_t i = 0; fan.count >= 3 && i < fan.count; i++) {
        uint32_t next = (i + 1) % fan.count;
        if (!ht__mergeable(map, out, i)) {
            continue;
        }
        double merged = 0;
        (void)ht__merged_bearing(out, i, next, false, &merged);
        struct ht__road *pair[2] = {&out->roads[i], &out->roads[next]};
        for (int k = 0; k < 2; k++) {
            pair[k]->bearing = merged;
            pair[k]->initial = merged;
            pair[k]->merged = pair[k]->against;
        }
        touched[i] = true;
        touched[next] = true;
    }
    for (uint32_t i = 0; fan.count >= 2 && i < fan.count; i++) {
        if (!touched[i] && out->roads[i].length_m <= 30) {
            ht__lean_to_neighbour(map, out, &out->roads[i]);
        }
    }
}

static void ht__mark_entries(const struct ht__map *map, uint32_t arc, struct ht__view *view)
{
    const struct ht_graph *g = map->graph;
    for (uint32_t t = g->turn_first[arc]; t < g->turn_first[arc + 1]; t++) {
        uint32_t to = ht_arc_base(g, ht_turn_to(g, arc, t));
        for (uint32_t i = 0; i < view->count; i++) {
            if (view->roads[i].arc == to && !view->roads[i].against) {
                view->roads[i].entry = true;
            }
        }
    }
}

/* The angle from the road we came by; `order`: where the road stands among the others, by the
 * first metres, so that noise in the far view can't swap two of them. */
static double ht__angle_of(const struct ht__road *from, struct ht__road *road, double *order)
{
    double turn =
        fmod(round(ht__turn_angle(ht__opposite(from->bearing), road->bearing) * 1e8) / 1e8, 360);
    double initial = ht__turn_angle(ht__opposite(from->initial), road->initial);
    if (road->entry && ((turn < 15 && initial > 180) || (turn > 345 && initial < 180))) {
        turn = 0;
        initial = 0;
    }
    bool flips = (turn > 270 && initial < 90) || (turn < 90 && initial > 270);
    *order = initial == 0 ? (turn > 180 ? 360 : 0) : flips ? turn : initial;
    return turn;
}

static void ht__insert(struct ht__view *out, double *orders, struct ht__road road, double order)
{
    uint32_t k = out->count++;
    for (; k > 0 && (orders[k - 1] > order ||
                     (orders[k - 1] == order && out->roads[k - 1].angle > road.angle));
         k--) {
        out->roads[k] = out->roads[k - 1];
        orders[k] = orders[k - 1];
    }
    out->roads[k] = road;
    orders[k] = order;
}

bool ht__view(const struct ht__map *map, const struct ht__view *fan, uint32_t arc, bool against,
              struct ht__view *out)
{
    uint32_t base = ht_arc_base(map->graph, arc);
    uint32_t reverse = ht__arc(map, arc)->reverse;
    uint32_t from = HT_NONE;
    for (uint32_t i = 0; i < fan->count && from == HT_NONE; i++) {
        const struct ht__road *r = &fan->roads[i];
        bool same = against ? !r->against && r->arc == base
                            : (r->against ? r->arc == base : r->arc == reverse);
        from = same ? i : HT_NONE;
    }
    if (from == HT_NONE) { /* another way laid on it stands for it */
        bool oneway = !against && reverse == HT_NONE;
        from = ht__same_road(map, fan, against || oneway ? base : reverse, oneway);
    }
    if (from == HT_NONE) {
        return false;
    }
    struct ht__view roads = *fan;
    if (!against) {
        ht__mark_entries(map, arc, &roads);
    }
    double orders[HT__ROADS_MAX];
    uint32_t turns_back = 0;
    out->junction = fan->junction;
    out->in_way = ht__arc(map, arc)->way;
    out->count = 0;
    for (uint32_t i = 0; i < roads.count; i++) {
        struct ht__road road = roads.roads[i];
        if (i == from) {
            continue;
        }
        double order = 0;
        road.angle = ht__angle_of(&roads.roads[from], &road, &order);
        if (road.entry || (!road.merged && road.angle != 0)) {
            turns_back += road.angle == 0 ? 1 : 0;
            ht__insert(out, orders, road, order);
        }
    }
    struct ht__road back = roads.roads[from];
    back.angle = 0;
    if (back.entry || turns_back == 0) {
        ht__insert(out, orders, back, -1);
    }
    for (uint32_t i = 1; i < out->count; i++) {
        double before = out->roads[i - 1].angle;
        if (out->roads[i].angle < before) {
            out->roads[i].angle = before + fmin(0.5, (360 - before) / 2);
        }
    }
    return true;
}

bool ht__look(const struct ht__map *map, uint32_t arc, bool against, bool close,
              struct ht__view *out)
{
    struct ht__view fan;
    const struct ht_arc *a = ht__arc(map, arc);
    ht__fan(map, against ? a->tail : a->head, close, &fan);
    return ht__view(map, &fan, arc, against, out);
}

uint32_t ht__closest(const struct ht__view *view, double angle)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < view->count; i++) {
        if (ht__deviation(view->roads[i].angle, angle) <
            ht__deviation(view->roads[best].angle, angle)) {
            best = i;
        }
    }
    return best;
}

uint32_t ht__closest_bearing(const struct ht__view *view, double bearing)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < view->count; i++) {
        if (ht__deviation(view->roads[i].bearing, bearing) <
            ht__deviation(view->roads[best].bearing, bearing)) {
            best = i;
        }
    }
    return best;
}

uint32_t ht__enterable(const struct ht__view *view)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < view->count; i++) {
        count += view->roads[i].entry ? 1 : 0;
    }
    return count;
}

uint32_t ht__find(const struct ht__view *view, uint32_t arc)
{
    for (uint32_t i = 0; i < view->count; i++) {
        if (view->roads[i].arc == arc && !view->roads[i].against) {
            return i;
        }
    }
    return HT_NONE;
}
