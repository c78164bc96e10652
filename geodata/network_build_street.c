/* Two carriageways of one street: who turns from one to the other turns back, and pays for it.
 *
 *      ===<===========.                      parallel: within a road's width of each other,
 *                      >---- J               along two thirds of what one can see
 *      ===>==========='
 *
 *      ---<----.L                            split before a crossing: L and R are
 *              | >--- J                      joined by a piece no longer than the
 *      --->----'R                            street is wide
 *
 * After the rules of OSRM's mergable_road_detector, which gives such a pair one bearing: same name
 * and class, one coming, one going, less than 95 degrees apart, with nothing between them and no
 * third arm of that name beside them.
 */
#include <math.h>

#include "geodata/network_build_internal.h"

#define LANE_M 3.25
#define STEP_M 5.0
#define LEAST_M 40.0
#define PARALLEL_GAP_M 12.0
#define ISLAND_GAP_M 2.0
#define TRIANGLE_M 80.0
#define PARALLEL_DEG 11.0
#define APART_DEG 95.0
#define BEND_DEG 60.0
#define CORNER_DEG 40.0

enum { MOST_SAMPLES = 24, MOST_HOPS = 12 };

struct sight {
    struct ht_point points[MOST_SAMPLES]; /* each STEP_M further */
    int count;
    uint32_t corner; /* the first junction where more than two piece ends meet */
};

static double apart(double a, double b)
{
    double angle = fabs(a - b);
    return angle > 180.0 ? 360.0 - angle : angle;
}

static bool same_name(const struct ht__graph_build *g, uint32_t a, uint32_t b)
{
    const struct ht_way *x = &g->build->ways[g->pieces[a].way];
    const struct ht_way *y = &g->build->ways[g->pieces[b].way];
    return x->name != 0 && x->name == y->name && x->road_class == y->road_class;
}

/* Where the street goes on after `arrived`: the only other piece, or the straightest of its name.
 */
static uint32_t goes_on(const struct ht__graph_build *g, uint32_t arrived)
{
    uint32_t junction = g->pieces[arrived >> 1].junction[arrived & 1];
    uint32_t first = g->end_first[junction];
    uint32_t end = g->end_first[junction + 1];
    double back = (double)g->bearing[arrived];
    int named = 0;
    uint32_t found = HT_NONE;
    for (uint32_t i = first; i < end; i++) {
        uint32_t other = g->ends[i];
        double bend = 180.0 - apart(back, (double)g->bearing[other]);
        if (other == arrived) {
            continue;
        }
        if (end - first == 2) {
            return other;
        }
        if (same_name(g, arrived >> 1, other >> 1)) {
            named++;
            found = bend < BEND_DEG ? other : found;
        }
    }
    return named == 1 ? found : HT_NONE;
}

/* What one sees of the street from a junction, sampled. */
static void see(const struct ht__graph_build *g, uint32_t piece_end, struct sight *sight)
{
    const struct ht_network *network = &g->build->network;
    sight->count = 0;
    sight->corner = HT_NONE;
    double next = STEP_M;
    for (int hop = 0; hop < MOST_HOPS && piece_end != HT_NONE; hop++) {
        const struct ht__piece *piece = &g->pieces[piece_end >> 1];
        uint32_t end = piece_end & 1;
        for (uint32_t i = 0; i < piece->to - piece->from; i++) {
            uint32_t at = end ? piece->to - i : piece->from + i;
            uint32_t on = end ? at - 1 : at + 1;
            struct ht_point a = network->node_point[network->way_node[at]];
            struct ht_point b = network->node_point[network->way_node[on]];
            double length = (double)g->build->segment_mm[end ? on : at] / 1000.0;
            while (next <= length) {
                if (sight->count == MOST_SAMPLES) {
                    return;
                }
                sight->points[sight->count++] = ht_point_between(a, b, next / length);
                next += STEP_M;
            }
            next -= length;
        }
        uint32_t arrived = piece_end ^ 1U;
        uint32_t junction = piece->junction[arrived & 1];
        if (sight->corner == HT_NONE && g->end_first[junction + 1] - g->end_first[junction] > 2) {
            sight->corner = junction;
        }
        piece_end = goes_on(g, arrived);
    }
}

static double lanes_m(const struct ht__graph_build *g, uint32_t a, uint32_t b)
{
    uint8_t x = g->build->ways[g->pieces[a >> 1].way].lane_count;
    uint8_t y = g->build->ways[g->pieces[b >> 1].way].lane_count;
    return ((x > 0 ? x : 1) + (y > 0 ? y : 1)) * LANE_M;
}

static double nearest_m(struct ht_point point, const struct sight *sight)
{
    double best = INFINITY;
    for (int i = 0; i < sight->count; i++) {
        double metres = ht_distance_m(point, sight->points[i]);
        best = metres < best ? metres : best;
    }
    return best;
}

static bool parallel(const struct sight *a, const struct sight *b, double width_m)
{
    if (a->count * STEP_M <= LEAST_M || b->count * STEP_M <= LEAST_M) {
        return false;
    }
    int from_a = a->count / 3;
    int from_b = b->count / 3;
    double bend = apart(ht_bearing_deg(a->points[from_a], a->points[a->count - 1]),
                        ht_bearing_deg(b->points[from_b], b->points[b->count - 1]));
    double gap = nearest_m(a->points[(from_a + a->count) / 2], b);
    double other = nearest_m(b->points[(from_b + b->count) / 2], a);
    return bend < PARALLEL_DEG && fmin(gap, other) <= width_m / 2 + PARALLEL_GAP_M;
}

static bool joined(const struct ht__graph_build *g, uint32_t left, uint32_t right)
{
    for (uint32_t i = g->end_first[left]; i < g->end_first[left + 1]; i++) {
        const struct ht__piece *piece = &g->pieces[g->ends[i] >> 1];
        if (piece->junction[1 - (g->ends[i] & 1)] == right) {
            return true;
        }
    }
    return false;
}

static bool triangle(const struct ht__graph_build *g, uint32_t from, uint32_t left, uint32_t right,
                     double width_m)
{
    if (left == HT_NONE || right == HT_NONE || left == right || left == from || right == from) {
        return false;
    }
    const struct ht_network *network = &g->build->network;
    const uint32_t *node = g->graph->junction_node;
    struct ht_point origin = network->node_point[node[from]];
    struct ht_point l = network->node_point[node[left]];
    struct ht_point r = network->node_point[node[right]];
    double across = ht_bearing_deg(l, r);
    return ht_distance_m(origin, l) <= TRIANGLE_M && ht_distance_m(origin, r) <= TRIANGLE_M &&
           ht_distance_m(l, r) <= width_m + ISLAND_GAP_M && joined(g, left, right) &&
           fabs(apart(ht_bearing_deg(origin, l), across) - 90.0) <= CORNER_DEG &&
           fabs(apart(ht_bearing_deg(origin, r), across) - 90.0) <= CORNER_DEG;
}

/* The two are neighbours in the circle of arms, and no other arm of the name lies near either. */
static bool stand_alone(const struct ht__graph_build *g, uint32_t coming, uint32_t going)
{
    uint32_t junction = g->pieces[coming >> 1].junction[coming & 1];
    double x = (double)g->bearing[coming];
    double y = (double)g->bearing[going];
    for (uint32_t i = g->end_first[junction]; i < g->end_first[junction + 1]; i++) {
        uint32_t other = g->ends[i];
        double z = (double)g->bearing[other];
        if (other == coming || other == going) {
            continue;
        }
        bool between = apart(x, z) + apart(z, y) <= apart(x, y) + 0.001;
        bool near = apart(x, z) <= APART_DEG || apart(y, z) <= APART_DEG;
        if (between || (near && same_name(g, coming >> 1, other >> 1))) {
            return false;
        }
    }
    return g->end_first[junction + 1] - g->end_first[junction] > 2;
}

bool ht__street_goes_on(const struct ht__graph_build *g, uint32_t coming, uint32_t going)
{
    const struct ht__piece *a = &g->pieces[coming >> 1];
    const struct ht__piece *b = &g->pieces[going >> 1];
    bool one_way = (a->arc[0] == HT_NONE || a->arc[1] == HT_NONE) &&
                   (b->arc[0] == HT_NONE || b->arc[1] == HT_NONE);
    if (!one_way || a == b || !same_name(g, coming >> 1, going >> 1) ||
        a->junction[0] == a->junction[1] || b->junction[0] == b->junction[1] ||
        apart((double)g->bearing[coming], (double)g->bearing[going]) > APART_DEG ||
        !stand_alone(g, coming, going)) {
        return false;
    }
    struct sight left = {.count = 0};
    struct sight right = {.count = 0};
    see(g, coming, &left);
    see(g, going, &right);
    double width_m = lanes_m(g, coming, going);
    return triangle(g, a->junction[coming & 1], left.corner, right.corner, width_m) ||
           parallel(&left, &right, width_m);
}
