/* Roads as a driver sees them: classes, pieces joined over nodes that are no junctions, and the
 * direction in which a road seems to leave. */
#include "engine/road/guide_internal.h"

#define HT__EARTH_M 6372797.560856
#define HT__RAD_PER_E7 (3.14159265358979323846 / 180.0 * 1e-7)
#define HT__M_PER_MICRO (HT__EARTH_M * 10 * HT__RAD_PER_E7)

enum { HT__HOPS_MAX = 64 };

/* Priorities by class: OSRM's table for highway tags. */
struct ht__class ht__class_of(const struct ht__map *map, uint32_t way)
{
    static const uint8_t priorities[] = {
        [HT_ROAD_MOTORWAY] = 0,     [HT_ROAD_TRUNK] = 2,          [HT_ROAD_PRIMARY] = 4,
        [HT_ROAD_SECONDARY] = 6,    [HT_ROAD_TERTIARY] = 8,       [HT_ROAD_UNCLASSIFIED] = 15,
        [HT_ROAD_RESIDENTIAL] = 10, [HT_ROAD_LIVING_STREET] = 11, [HT_ROAD_SERVICE] = 12,
        [HT_ROAD_TRACK] = 16,       [HT_ROAD_PEDESTRIAN] = 18,    [HT_ROAD_CYCLEWAY] = 31,
        [HT_ROAD_PATH] = 18,        [HT_ROAD_STEPS] = 18,         [HT_ROAD_FERRY] = 31,
        [HT_ROAD_OTHER] = 31};
    const struct ht_way *w = ht__way(map, way);
    bool link = (w->flags & HT_WAY_LINK) != 0;
    uint8_t road_class = w->road_class <= HT_ROAD_OTHER ? w->road_class : (uint8_t)HT_ROAD_OTHER;
    return (struct ht__class){
        .priority = (uint8_t)(priorities[road_class] + (link ? 1 : 0)),
        .lanes = w->lane_count,
        .motorway = road_class <= HT_ROAD_TRUNK,
        .link = link,
        .ignored = road_class >= HT_ROAD_SERVICE,
    };
}

bool ht__class_equal(struct ht__class a, struct ht__class b)
{
    return a.priority == b.priority && a.motorway == b.motorway && a.link == b.link &&
           a.ignored == b.ignored;
}

unsigned ht__class_group(struct ht__class c)
{
    static const uint8_t groups[] = {0, 0, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6};
    return c.priority < sizeof groups ? groups[c.priority] : 7;
}

bool ht__class_less(struct ht__class a, struct ht__class b)
{
    if (a.ignored != b.ignored) {
        return a.ignored;
    }
    return ht__class_group(a) > ht__class_group(b);
}

bool ht__class_links_to(struct ht__class link, struct ht__class road)
{
    return link.link && !road.link && link.priority <= 9 && road.priority + 1 == link.priority;
}

bool ht__class_obvious(struct ht__class in, struct ht__class candidate, struct ht__class other)
{
    bool higher = 1.75 * candidate.priority < other.priority;
    return (higher && ht__class_equal(in, candidate)) ||
           (!candidate.ignored && !in.ignored && other.ignored);
}

bool ht__alike(const struct ht__map *map, uint32_t a, uint32_t b)
{
    const struct ht_arc *x = ht__arc(map, a);
    const struct ht_arc *y = ht__arc(map, b);
    const uint16_t same = HT_ARC_RESTRICTED | HT_ARC_NO_START | HT_ARC_TOLL | HT_ARC_MOTORWAY |
                          HT_ARC_IS_FERRY | HT_ARC_IS_TUNNEL;
    if (((x->flags ^ y->flags) & same) != 0 || x->mode != y->mode ||
        (x->reverse == HT_NONE) != (y->reverse == HT_NONE)) {
        return false;
    }
    if (x->way == y->way) {
        return true;
    }
    const uint8_t flags = HT_WAY_ROUNDABOUT | HT_WAY_CIRCULAR | HT_WAY_LEFT_HAND;
    return ((ht__way(map, x->way)->flags ^ ht__way(map, y->way)->flags) & flags) == 0 &&
           ht__class_equal(ht__class_of(map, x->way), ht__class_of(map, y->way)) &&
           ht__same_signs(map, x->way, y->way);
}

static bool ht__can_turn(const struct ht__map *map, uint32_t from, uint32_t to)
{
    return ht_graph_turn(map->graph, from, to) != HT_NONE;
}

/* How many arcs lead into a junction; `*oneway`: one that none leads back along. */
static uint32_t ht__count_ins(const struct ht_graph *g, uint32_t junction, uint32_t *oneway)
{
    uint32_t count = 0;
    for (uint32_t a = g->junction_first_out[junction]; a < g->junction_first_out[junction + 1];
         a++) {
        count += g->arcs[a].reverse != HT_NONE;
    }
    for (uint32_t i = g->junction_first_in[junction]; i < g->junction_first_in[junction + 1]; i++) {
        if (g->arcs[g->junction_in[i]].reverse == HT_NONE) {
            *oneway = g->junction_in[i];
            count++;
        }
    }
    return count;
}

/* The only other piece at the end of a two-way piece, both ways open; or of a one-way piece. */
uint32_t ht__passes(const struct ht__map *map, uint32_t arc, bool against)
{
    const struct ht_graph *g = map->graph;
    const struct ht_arc *a = ht__arc(map, arc);
    uint32_t j = against ? a->tail : a->head;
    uint32_t outs = g->junction_first_out[j + 1] - g->junction_first_out[j];
    bool twoway = a->reverse != HT_NONE;
    uint32_t next = HT_NONE;
    if (a->tail == a->head || outs != (twoway ? 2 : 1) || ht__count_ins(g, j, &next) != outs) {
        return HT_NONE;
    }
    if (against && next == HT_NONE) {
        return HT_NONE;
    }
    if (!against) {
        next = g->junction_first_out[j];
        next += twoway && next == a->reverse ? 1 : 0;
    }
    const struct ht_arc *n = ht__arc(map, next);
    if (next == arc || n->tail == n->head || (n->reverse != HT_NONE) != twoway ||
        !ht__alike(map, arc, next)) {
        return HT_NONE;
    }
    if (against ? !ht__can_turn(map, next, arc) : !ht__can_turn(map, ht_arc_base(g, arc), next)) {
        return HT_NONE;
    }
    if (twoway && (ht__can_turn(map, ht_arc_base(g, arc), a->reverse) ||
                   ht__can_turn(map, n->reverse, next))) {
        return HT_NONE; /* a place to turn round */
    }
    return next;
}

struct ht__strand ht__follow(const struct ht__map *map, uint32_t arc, bool against)
{
    const struct ht_arc *a = ht__arc(map, arc);
    struct ht__strand strand = {.last = arc, .length_m = a->length_mm / 1000.0};
    uint32_t start = against ? a->head : a->tail;
    for (int hop = 0; hop < HT__HOPS_MAX; hop++) {
        a = ht__arc(map, strand.last);
        strand.far = against ? a->tail : a->head;
        uint32_t next = strand.far == start ? HT_NONE : ht__passes(map, strand.last, against);
        if (next == HT_NONE) {
            break;
        }
        strand.last = next;
        strand.length_m += ht__arc(map, next)->length_mm / 1000.0;
    }
    return strand;
}

double ht__xy_bearing(struct ht__xy a, struct ht__xy b)
{
    double degrees = atan2(b.x - a.x, b.y - a.y) * (180 / 3.14159265358979323846);
    return degrees < 0 ? degrees + 360 : degrees;
}

double ht__xy_distance(struct ht__xy a, struct ht__xy b)
{
    double dx = b.x - a.x;
    double dy = b.y - a.y;
    return sqrt(dx * dx + dy * dy);
}

/* In millionths of a degree, which is how OSRM sees the world: its turns are judged on that grid.
 */
static int32_t ht__micro(int32_t e7)
{
    return e7 >= 0 ? (e7 + 5) / 10 : -((5 - e7) / 10);
}

struct ht__grid ht__grid_of(const struct ht__map *map, uint32_t arc, bool against)
{
    const struct ht_arc *a = ht__arc(map, arc);
    struct ht_point p = ht_arc_point(map->network, a, against ? ht_arc_point_count(a) - 1 : 0);
    return (struct ht__grid){.x = HT__M_PER_MICRO * cos(p.lat_e7 * HT__RAD_PER_E7),
                             .y = HT__M_PER_MICRO,
                             .west = p.lon_e7 < 0,
                             .south = p.lat_e7 < 0};
}

uint32_t ht__strand_points(const struct ht__map *map, uint32_t arc, bool against, double limit_m,
                           struct ht__xy *out, uint32_t capacity)
{
    const struct ht_arc *a = ht__arc(map, arc);
    uint32_t points = ht_arc_point_count(a);
    struct ht_point origin = ht_arc_point(map->network, a, against ? points - 1 : 0);
    double scale_y = HT__M_PER_MICRO;
    double scale_x = scale_y * cos(origin.lat_e7 * HT__RAD_PER_E7);
    int32_t origin_x = ht__micro(origin.lon_e7);
    int32_t origin_y = ht__micro(origin.lat_e7);
    uint32_t start = against ? a->head : a->tail;
    uint32_t count = 0;
    double length = 0;
    out[count++] = (struct ht__xy){0, 0};
    for (int hop = 0; hop < HT__HOPS_MAX; hop++) {
        for (uint32_t i = 1; i < points; i++) {
            struct ht_point p = ht_arc_point(map->network, a, against ? points - 1 - i : i);
            struct ht__xy xy = {(ht__micro(p.lon_e7) - origin_x) * scale_x,
                                (ht__micro(p.lat_e7) - origin_y) * scale_y};
            double step = ht__xy_distance(out[count - 1], xy);
            if (step <= 0) {
                continue;
            }
            length += step;
            out[count++] = xy;
            if (length >= limit_m || count == capacity) {
                return count;
            }
        }
        uint32_t end = against ? a->tail : a->head;
        arc = end == start ? HT_NONE : ht__passes(map, arc, against);
        if (arc == HT_NONE) {
            break;
        }
        a = ht__arc(map, arc);
        points = ht_arc_point_count(a);
    }
    return count;
}
