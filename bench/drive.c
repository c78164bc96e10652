#include "bench/drive.h"

#include <math.h>

double ht_bench_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)(*state * UINT64_C(2685821657736338717) >> 11) * 0x1p-53;
}

uint32_t ht_bench_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(ht_bench_random(state) * bound);
}

struct ht_bench_track ht_bench_track_begin(const struct ht_road *road, uint64_t *state)
{
    return (struct ht_bench_track){ht_bench_below(state, road->graph->base_arc_count), 0};
}

struct ht_report ht_bench_drive(const struct ht_road *road, struct ht_bench_track *track,
                                uint64_t *state)
{
    const struct ht_graph *graph = road->graph;
    track->along_m += 12;
    while (track->along_m * 1000 > graph->arcs[track->arc].length_mm) {
        uint32_t first = graph->turn_first[track->arc];
        uint32_t count = graph->turn_first[track->arc + 1] - first;
        track->along_m -= graph->arcs[track->arc].length_mm / 1000.0;
        track->arc = count == 0
                         ? ht_bench_below(state, graph->base_arc_count)
                         : ht_turn_to(graph, track->arc, first + ht_bench_below(state, count));
    }
    const struct ht_arc *arc = &graph->arcs[track->arc];
    double left = track->along_m;
    struct ht_point from = ht_arc_point(road->network, arc, 0);
    struct ht_point to = ht_arc_point(road->network, arc, 1);
    for (uint32_t i = 1;; i++) {
        double length = ht_distance_m(from, to);
        if (left <= length || i + 1 >= ht_arc_point_count(arc)) {
            struct ht_point p =
                ht_point_between(from, to, length > 0 ? fmin(left / length, 1.0) : 0);
            return (struct ht_report){
                .lon_deg = p.lon_e7 * 1e-7 + (ht_bench_random(state) - 0.5) * 1e-4,
                .lat_deg = p.lat_e7 * 1e-7 + (ht_bench_random(state) - 0.5) * 1e-4,
                .speed_mps = 12,
                .bearing_deg = ht_bearing_deg(from, to),
                .accuracy_m = 5};
        }
        left -= length;
        from = to;
        to = ht_arc_point(road->network, arc, i + 1);
    }
}

struct ht_report ht_bench_jump(const struct ht_road *road, uint64_t *state)
{
    const struct ht_graph *graph = road->graph;
    uint32_t node = graph->junction_node[ht_bench_below(state, graph->junction_count)];
    struct ht_point p = road->network->node_point[node];
    return (struct ht_report){.lon_deg = p.lon_e7 * 1e-7,
                              .lat_deg = p.lat_e7 * 1e-7 + 3e-5,
                              .speed_mps = -1,
                              .bearing_deg = -1,
                              .accuracy_m = -1};
}
