/* Junctions, pieces and arcs of one profile.
 *
 *      way 7      o----o----o----o----o      nodes
 *                 |         |         |      junctions: ends, nodes met twice, barriers, waits
 *                 [ piece 0 ][ piece 1 ]     each gives one arc or two
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/network_build_internal.h"

enum { ARC_CHUNK = 8192 };

/* A piece is cut where it would get longer, so that arcs fit into their 32 bits of millimetres and
 * milliseconds even at walking pace. What one segment makes longer can't be cut: it is left out. */
enum { PIECE_MM = 200 * 1000 * 1000 };
static const uint32_t ARC_MS = HT_WEIGHT_INF / 4; /* sums of a few don't reach HT_WEIGHT_INF */

static const struct ht_way_rule *rule_of(const struct ht__graph_build *g, uint32_t way)
{
    return g->way_rule[way] == HT_NONE ? NULL : &g->rules[g->way_rule[way]];
}

static uint32_t way_end(const struct ht__graph_build *g, uint32_t way)
{
    return g->build->ways[way + 1].first_node - 1;
}

static void meet(uint8_t *use, uint32_t node, uint8_t times)
{
    use[node] = (uint8_t)(use[node] + times > 2 ? 2 : use[node] + times);
}

/* use[node] == 2: a junction. A node inside one way that nothing else meets has 1. */
static void count_uses(const struct ht__graph_build *g, uint8_t *use)
{
    const struct ht_network_build *build = g->build;
    for (uint32_t w = 0; w < build->network.way_count; w++) {
        if (rule_of(g, w) == NULL) {
            continue;
        }
        uint32_t first = build->ways[w].first_node;
        uint32_t last = way_end(g, w);
        meet(use, build->way_node[first], 2);
        meet(use, build->way_node[last], 2);
        uint64_t length = 0; /* since the last cut */
        for (uint32_t i = first + 1; i < last; i++) {
            length += build->segment_mm[i - 1];
            bool cut =
                (i - first) % HT_ARC_SEGMENTS == 0 || length + build->segment_mm[i] > PIECE_MM;
            meet(use, build->way_node[i], cut ? 2 : 1);
            length = cut ? 0 : length;
        }
    }
    /* What must be passed or can't be passed splits the way, where it is on one. */
    for (size_t i = 0; i < g->obstacle_count; i++) {
        uint32_t node = g->obstacles[i].node;
        const struct ht_node_rule *rule = &g->obstacles[i].rule;
        if (use[node] > 0 && (rule->barrier || rule->turning || rule->wait_s > 0.0)) {
            use[node] = 2;
        }
    }
}

static enum ht_status number_junctions(struct ht__graph_build *g)
{
    const struct ht_network_build *build = g->build;
    uint8_t *use = ht_array_new_zeroed(build->node_count, 1);
    g->junction_of = ht_array_new(build->node_count, sizeof *g->junction_of);
    if (use == NULL || g->junction_of == NULL) {
        free(use);
        return HT_NOMEM;
    }
    count_uses(g, use);
    for (uint32_t i = 0; i < build->node_count; i++) {
        g->junction_of[i] = use[i] == 2 ? g->junction_count++ : HT_NONE;
    }
    free(use);
    struct ht_graph_owned *graph = g->graph;
    graph->junction_node = ht_array_new(g->junction_count, sizeof *graph->junction_node);
    g->place = ht_array_new_zeroed(g->junction_count, sizeof *g->place);
    g->wait = ht_array_new(g->junction_count, sizeof *g->wait);
    if (graph->junction_node == NULL || g->place == NULL || g->wait == NULL) {
        return HT_NOMEM;
    }
    memset(g->wait, 0xFF, g->junction_count * sizeof *g->wait);
    for (uint32_t i = 0; i < build->node_count; i++) {
        if (g->junction_of[i] != HT_NONE) {
            graph->junction_node[g->junction_of[i]] = i;
        }
    }
    return HT_OK;
}

static void place_obstacles(struct ht__graph_build *g)
{
    for (size_t i = 0; i < g->obstacle_count; i++) {
        uint32_t junction = g->junction_of[g->obstacles[i].node];
        if (junction == HT_NONE) {
            continue;
        }
        if (g->obstacles[i].rule.barrier) {
            g->place[junction] |= HT__PLACE_BARRIER;
        }
        if (g->obstacles[i].rule.turning) {
            g->place[junction] |= HT__PLACE_TURNING;
        }
        if (g->obstacles[i].rule.wait_s > 0.0) {
            g->wait[junction] = (uint32_t)i;
        }
    }
}

/* Pieces of one way, written to `out` (may be NULL); returns how many. */
static uint32_t cut_way(const struct ht__graph_build *g, uint32_t way, struct ht__piece *out)
{
    const struct ht_network_build *build = g->build;
    uint32_t from = build->ways[way].first_node;
    uint32_t last = way_end(g, way);
    uint32_t count = 0;
    for (uint32_t i = from + 1; i <= last; i++) {
        uint32_t junction = g->junction_of[build->way_node[i]];
        if (junction == HT_NONE) {
            continue;
        }
        if (out != NULL) {
            out[count] =
                (struct ht__piece){.way = way,
                                   .from = from,
                                   .to = i,
                                   .junction = {g->junction_of[build->way_node[from]], junction},
                                   .arc = {HT_NONE, HT_NONE}};
        }
        count++;
        from = i;
    }
    return count;
}

static uint64_t length_between(const struct ht_network_build *build, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;
    for (uint32_t i = from; i < to; i++) {
        sum += build->segment_mm[i];
    }
    return sum;
}

struct price {
    uint64_t length_mm;
    double duration_ms;
    double weight_ms;
};

/* Length, duration and weight. A rule that gives the whole way's is shared by length; where the way
 * has none, evenly by pieces of the way's nodes. */
static struct price price_of(const struct ht__graph_build *g, const struct ht__piece *piece,
                             int side)
{
    const struct ht_network_build *build = g->build;
    const struct ht_way_rule *rule = rule_of(g, piece->way);
    const struct ht_way_side *s = &rule->side[side];
    struct price price = {.length_mm = length_between(build, piece->from, piece->to)};
    double mm = (double)price.length_mm;
    double share = 0.0;
    if (rule->duration_s > 0.0 || rule->weight_s > 0.0) {
        uint32_t first = build->ways[piece->way].first_node;
        uint32_t last = way_end(g, piece->way);
        uint64_t whole = length_between(build, first, last);
        share = whole > 0 ? mm / (double)whole
                          : (double)(piece->to - piece->from) / (double)(last - first);
    }
    price.duration_ms =
        rule->duration_s > 0.0 ? rule->duration_s * 1000.0 * share : mm * 3.6 / s->speed_kmh;
    price.weight_ms = rule->weight_s > 0.0 ? rule->weight_s * 1000.0 * share
                      : s->rate_mps > 0.0  ? mm / s->rate_mps
                                           : price.duration_ms;
    return price;
}

static uint32_t round_ms(double ms)
{
    return ms < 1.0 ? 1 : (uint32_t)(ms + 0.5);
}

/* Which directions get an arc; a piece too long or too slow for one is counted once. */
static void open_piece(struct ht__graph_build *g, struct ht__piece *piece)
{
    bool too_long = false;
    for (int side = 0; side < 2; side++) {
        if (!rule_of(g, piece->way)->side[side].open) {
            continue;
        }
        struct price price = price_of(g, piece, side);
        piece->open[side] = price.length_mm < UINT32_MAX && price.duration_ms <= (double)ARC_MS &&
                            price.weight_ms <= (double)ARC_MS;
        too_long = too_long || !piece->open[side];
    }
    g->counts->pieces_too_long += too_long;
}

static enum ht_status cut_ways(struct ht__graph_build *g)
{
    uint32_t ways = g->build->network.way_count;
    g->way_first_piece = ht_array_new((size_t)ways + 1, sizeof *g->way_first_piece);
    if (g->way_first_piece == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t w = 0; w < ways; w++) {
        g->way_first_piece[w] = g->piece_count;
        g->piece_count += rule_of(g, w) == NULL ? 0 : cut_way(g, w, NULL);
    }
    g->way_first_piece[ways] = g->piece_count;
    g->pieces = ht_array_new(g->piece_count, sizeof *g->pieces);
    if (g->pieces == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t w = 0; w < ways; w++) {
        if (rule_of(g, w) != NULL) {
            (void)cut_way(g, w, g->pieces + g->way_first_piece[w]);
            const uint8_t round = HT_WAY_ROUNDABOUT | HT_WAY_CIRCULAR;
            for (uint32_t p = g->way_first_piece[w]; p < g->way_first_piece[w + 1]; p++) {
                open_piece(g, &g->pieces[p]);
                if ((g->build->ways[w].flags & round) == 0) {
                    continue;
                }
                g->place[g->pieces[p].junction[0]] |= HT__PLACE_ROUNDABOUT;
                g->place[g->pieces[p].junction[1]] |= HT__PLACE_ROUNDABOUT;
            }
        }
    }
    return HT_OK;
}

/* Piece ends by junction. */
static enum ht_status list_ends(struct ht__graph_build *g)
{
    g->end_first = ht_array_new_zeroed((size_t)g->junction_count + 1, sizeof *g->end_first);
    g->ends = ht_array_new((size_t)g->piece_count * 2, sizeof *g->ends);
    if (g->end_first == NULL || g->ends == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t p = 0; p < g->piece_count; p++) {
        g->end_first[g->pieces[p].junction[0] + 1]++;
        g->end_first[g->pieces[p].junction[1] + 1]++;
    }
    for (uint32_t j = 0; j < g->junction_count; j++) {
        g->end_first[j + 1] += g->end_first[j];
    }
    /* Filled from behind, so that the starts become the starts again. */
    for (uint32_t p = 0; p < g->piece_count; p++) {
        for (uint32_t end = 0; end < 2; end++) {
            uint32_t junction = g->pieces[p].junction[end];
            g->ends[g->end_first[junction]++] = p * 2 + end;
        }
    }
    memmove(g->end_first + 1, g->end_first, g->junction_count * sizeof *g->end_first);
    g->end_first[0] = 0;
    return HT_OK;
}

static uint16_t arc_flags(const struct ht_way_rule *rule, int side)
{
    const struct ht_way_side *s = &rule->side[side];
    unsigned flags = s->classes & HT_ARC_CLASSES;
    flags |= side == 0 ? HT_ARC_FORWARD : 0U;
    flags |= s->restricted ? HT_ARC_RESTRICTED : 0U;
    flags |= rule->start_allowed ? 0U : HT_ARC_NO_START;
    return (uint16_t)flags;
}

static void fill_chunk(void *user, size_t chunk, size_t worker)
{
    struct ht__graph_build *g = user;
    (void)worker;
    size_t end = (chunk + 1) * ARC_CHUNK;
    for (size_t p = chunk * ARC_CHUNK; p < end && p < g->piece_count; p++) {
        const struct ht__piece *piece = &g->pieces[p];
        const struct ht_way_rule *rule = rule_of(g, piece->way);
        for (int side = 0; side < 2; side++) {
            uint32_t id = piece->arc[side];
            if (id == HT_NONE) {
                continue;
            }
            struct ht_arc *arc = &g->graph->arcs[id];
            *arc = (struct ht_arc){.tail = piece->junction[side],
                                   .head = piece->junction[1 - side],
                                   .way = piece->way,
                                   .from = side == 0 ? piece->from : piece->to,
                                   .segments = (piece->to - piece->from) & HT_ARC_SEGMENTS,
                                   .reverse = piece->arc[1 - side],
                                   .flags = arc_flags(rule, side) & HT_ARC_FLAGS,
                                   .mode = (uint32_t)rule->side[side].mode & 7U};
            struct price price = price_of(g, piece, side);
            arc->length_mm = (uint32_t)price.length_mm;
            arc->duration_ms = round_ms(price.duration_ms);
            arc->weight_ms = round_ms(price.weight_ms);
            g->arc_piece[id] = (uint32_t)p;
        }
    }
}

/* Numbers the arcs by tail, then piece. */
static enum ht_status number_arcs(struct ht__graph_build *g)
{
    struct ht_graph_owned *graph = g->graph;
    uint32_t *first = ht_array_new_zeroed((size_t)g->junction_count + 1, sizeof *first);
    graph->junction_first_out = first;
    if (first == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t p = 0; p < g->piece_count; p++) {
        first[g->pieces[p].junction[0] + 1] += g->pieces[p].open[0];
        first[g->pieces[p].junction[1] + 1] += g->pieces[p].open[1];
    }
    for (uint32_t j = 0; j < g->junction_count; j++) {
        first[j + 1] += first[j];
    }
    uint32_t count = first[g->junction_count];
    for (uint32_t p = 0; p < g->piece_count; p++) {
        for (int side = 0; side < 2; side++) {
            if (g->pieces[p].open[side]) {
                g->pieces[p].arc[side] = first[g->pieces[p].junction[side]]++;
            }
        }
    }
    memmove(first + 1, first, g->junction_count * sizeof *first);
    first[0] = 0;
    graph->view.arc_count = count;
    graph->view.base_arc_count = count;
    return HT_OK;
}

static enum ht_status list_in(struct ht_graph_owned *graph, uint32_t junctions)
{
    uint32_t count = graph->view.base_arc_count;
    graph->junction_first_in = ht_array_new_zeroed((size_t)junctions + 1, sizeof(uint32_t));
    graph->junction_in = ht_array_new(count, sizeof *graph->junction_in);
    if (graph->junction_first_in == NULL || graph->junction_in == NULL) {
        return HT_NOMEM;
    }
    uint32_t *first = graph->junction_first_in;
    for (uint32_t a = 0; a < count; a++) {
        first[graph->arcs[a].head + 1]++;
    }
    for (uint32_t j = 0; j < junctions; j++) {
        first[j + 1] += first[j];
    }
    for (uint32_t a = 0; a < count; a++) {
        graph->junction_in[first[graph->arcs[a].head]++] = a;
    }
    memmove(first + 1, first, junctions * sizeof *first);
    first[0] = 0;
    return HT_OK;
}

/* A junction that can be left only by turning back, for those who arrive there, is a dead end. */
static void mark_stubs(struct ht__graph_build *g)
{
    struct ht_graph_owned *graph = g->graph;
    for (uint32_t a = 0; a < graph->view.base_arc_count; a++) {
        struct ht_arc *arc = &graph->arcs[a];
        uint32_t first = graph->junction_first_out[arc->head];
        uint32_t end = graph->junction_first_out[arc->head + 1];
        bool back_only = end - first == 0 || (end - first == 1 && first == arc->reverse);
        if (back_only || (g->place[arc->head] & HT__PLACE_BARRIER) != 0) {
            arc->flags |= HT_ARC_STUB;
        }
    }
}

enum ht_status ht__graph_arcs(struct ht__graph_build *g)
{
    enum ht_status status = number_junctions(g);
    if (status == HT_OK) {
        place_obstacles(g);
        status = cut_ways(g);
    }
    if (status == HT_OK && g->piece_count == 0) {
        return HT_EMPTY;
    }
    if (status == HT_OK) {
        status = ht__graph_thin(g);
    }
    if (status == HT_OK) {
        status = list_ends(g);
    }
    if (status == HT_OK) {
        status = number_arcs(g);
    }
    if (status == HT_OK && g->graph->view.arc_count == 0) {
        return HT_EMPTY;
    }
    if (status != HT_OK) {
        return status;
    }
    struct ht_graph_owned *graph = g->graph;
    graph->arcs = ht_array_new(graph->view.arc_count, sizeof *graph->arcs);
    g->arc_piece = ht_array_new(graph->view.arc_count, sizeof *g->arc_piece);
    if (graph->arcs == NULL || g->arc_piece == NULL) {
        return HT_NOMEM;
    }
    ht_pool_run(g->build->pool, ((size_t)g->piece_count + ARC_CHUNK - 1) / ARC_CHUNK, fill_chunk,
                g);
    status = list_in(graph, g->junction_count);
    if (status == HT_OK) {
        mark_stubs(g);
    }
    return status;
}

/* The obstacles of one profile. */
static const struct ht__obstacle *obstacles_of(const struct ht_network_build *build,
                                               uint32_t profile, size_t *count)
{
    size_t first = 0;
    while (first < build->obstacle_count && build->obstacles[first].profile < profile) {
        first++;
    }
    size_t end = first;
    while (end < build->obstacle_count && build->obstacles[end].profile == profile) {
        end++;
    }
    *count = end - first;
    return build->obstacles + first;
}

static void build_deinit(struct ht__graph_build *g)
{
    free(g->junction_of);
    free(g->place);
    free(g->wait);
    free(g->pieces);
    free(g->way_first_piece);
    free(g->end_first);
    free(g->ends);
    free(g->arc_piece);
    free(g->bearing);
    free(g->first_bearing);
    free(g->patterns);
    free(g->pattern_arcs);
    free(g->states);
    free(g->bans);
    free(g->arc_state);
    free(g->copy_state);
}

static void publish(const struct ht__graph_build *g)
{
    struct ht_graph_owned *graph = g->graph;
    graph->view.profile = ht_profile_name(g->profile);
    graph->view.junction_count = g->junction_count;
    graph->view.class_mask = ht_profile_excludable(g->profile);
    graph->view.continue_straight = ht_profile_continue_straight(g->profile);
    graph->view.left_hand = ht_profile_left_hand(g->profile);
    graph->view.emergency = ht_profile_emergency(g->profile);
    graph->view.junction_node = graph->junction_node;
    graph->view.junction_first_out = graph->junction_first_out;
    graph->view.junction_first_in = graph->junction_first_in;
    graph->view.junction_in = graph->junction_in;
    graph->view.arcs = graph->arcs;
    graph->view.turn_first = graph->turn_first;
    graph->view.turns = graph->turns;
    graph->view.conditions = graph->conditions;
    graph->view.copy_base = graph->copy_base;
    graph->view.copy_first = graph->copy_first;
    graph->view.copy_list = graph->copy_list;
    graph->view.copy_of = graph->copy_of;
    graph->view.maneuvers = graph->maneuvers;
}

enum ht_status ht_network_build_graph(const struct ht_network_build *build, size_t index,
                                      struct ht_graph_owned **out, struct ht_graph_counts *counts)
{
    memset(counts, 0, sizeof *counts);
    struct ht__graph_build g = {.build = build,
                                .profile = build->profiles[index],
                                .profile_index = index,
                                .way_rule = build->way_rule + index * build->network.way_count,
                                .rules = build->rules[index].list,
                                .counts = counts};
    g.obstacles = obstacles_of(build, (uint32_t)index, &g.obstacle_count);
    g.graph = calloc(1, sizeof *g.graph);
    enum ht_status status = g.graph == NULL ? HT_NOMEM : ht__graph_arcs(&g);
    enum ht_status (*const steps[])(struct ht__graph_build *) = {
        ht__graph_bearings, ht__graph_restrictions, ht__graph_maneuvers, ht__states_build,
        ht__graph_turns};
    for (size_t i = 0; status == HT_OK && i < sizeof steps / sizeof *steps; i++) {
        status = steps[i](&g);
    }
    if (status == HT_OK) {
        publish(&g);
        build_deinit(&g);
        status = ht__graph_components(g.graph, counts, HT_COMPONENT_LISTED);
    } else {
        build_deinit(&g);
    }
    if (status != HT_OK) {
        ht_graph_owned_free(g.graph);
        return status;
    }
    *out = g.graph;
    return HT_OK;
}

const struct ht_graph *ht_graph_owned_view(const struct ht_graph_owned *graph)
{
    return &graph->view;
}

void ht_graph_owned_free(struct ht_graph_owned *graph)
{
    if (graph == NULL) {
        return;
    }
    free(graph->junction_node);
    free(graph->junction_first_out);
    free(graph->junction_first_in);
    free(graph->junction_in);
    free(graph->arcs);
    free(graph->turn_first);
    free(graph->turns);
    free(graph->conditions);
    free(graph->copy_base);
    free(graph->copy_first);
    free(graph->copy_list);
    free(graph->copy_of);
    free(graph->listed);
    free(graph->maneuvers);
    free(graph);
}
