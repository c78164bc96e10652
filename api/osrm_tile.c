#include "api/osrm_tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "engine/base/array.h"
#include "engine/road/guide_turns.h"
#include "geodata/mvt.h"

#define TURNS_ZOOM 15
#define SEARCH_MARGIN (25.0 / 256.0) /* tiles; OSRM: a tenth of 256 pixels, whole ones */
#define TURNS_MAX 64                 /* named at once */

struct tile {
    const struct ht_network *network;
    const struct ht_graph *graph;
    struct ht_mvt_frame frame;
    struct ht_box box; /* where segments were searched */
    struct ht_snap_segment *segments;
    size_t count;
    size_t capacity;
    bool failed;
    struct ht_mvt mvt;
    uint64_t id;
};

static void collect(void *user, const struct ht_snap_segment *segment)
{
    struct tile *t = user;
    void *segments = t->segments;
    if (t->failed ||
        ht_array_reserve(&segments, &t->capacity, t->count + 1, sizeof *segment) != HT_OK) {
        t->failed = true;
        return;
    }
    t->segments = segments;
    t->segments[t->count++] = *segment;
}

static int by_nodes(const void *a, const void *b)
{
    const struct ht_snap_segment *x = a;
    const struct ht_snap_segment *y = b;
    if (x->from_node != y->from_node) {
        return x->from_node < y->from_node ? -1 : 1;
    }
    if (x->to_node != y->to_node) {
        return x->to_node < y->to_node ? -1 : 1;
    }
    uint32_t p = x->arc[0] != HT_NONE ? x->arc[0] : x->arc[1];
    uint32_t q = y->arc[0] != HT_NONE ? y->arc[0] : y->arc[1];
    return (p > q) - (p < q);
}

/* --- speeds ----------------------------------------------------------------------------------- */

/* What is driven at one speed: an arc, or the live piece of it that a segment lies in. */
struct stretch {
    uint32_t weight_ms;
    uint32_t duration_ms;
    uint32_t length_mm;
    bool live;
    bool closed;
};

/* `at`: the segment, counted from the arc's tail. */
static struct stretch stretch_of(const struct ht_graph *graph, uint32_t arc, uint32_t at)
{
    const struct ht_arc *a = &graph->arcs[arc];
    const struct ht_live_arc *live = ht_live_arc(graph, arc);
    if (live == NULL) {
        return (struct stretch){a->weight_ms, a->duration_ms, a->length_mm, false, false};
    }
    const struct ht_live_piece *pieces = graph->live->pieces;
    uint32_t i = live->piece_first;
    while (i + 1 < live->piece_end && pieces[i].segment_end <= at) {
        i++;
    }
    uint32_t begin_mm = i == live->piece_first ? 0 : pieces[i - 1].end_mm;
    return (struct stretch){pieces[i].weight_ms, pieces[i].duration_ms, pieces[i].end_mm - begin_mm,
                            true, pieces[i].closed != 0};
}

static void speed_tags(struct tile *t, const struct ht_arc *arc, const struct stretch *on,
                       uint32_t segment_mm)
{
    struct ht_mvt *mvt = &t->mvt;
    double metres = on->length_mm / 1000.0;
    double speed = on->closed             ? 0
                   : on->duration_ms == 0 ? 127.0
                                          : round(metres / on->duration_ms * 3600.0);
    /* As OSRM writes it: metres for each tenth of a unit of weight. */
    double rate =
        on->closed || on->weight_ms == 0 ? 0.0 : round(metres / on->weight_ms * 1000.0) / 10.0;
    uint32_t weight = ht_share(on->weight_ms, segment_mm, on->length_mm);
    uint32_t duration = ht_share(on->duration_ms, segment_mm, on->length_mm);
    const struct ht_way *way = &t->network->ways[arc->way];
    ht_mvt_tag(mvt, "speed", ht_mvt_uint(speed > 127.0 ? 127 : (uint64_t)speed));
    ht_mvt_tag(mvt, "is_small", ht_mvt_bool((arc->flags & HT_ARC_SMALL) != 0));
    ht_mvt_tag(mvt, "datasource", ht_mvt_text(on->live ? "traffic" : "lua profile"));
    ht_mvt_tag(mvt, "weight", ht_mvt_double(weight / 1000.0));
    ht_mvt_tag(mvt, "duration", ht_mvt_double(duration / 1000.0));
    ht_mvt_tag(mvt, "name", ht_mvt_text(t->network->strings + way->name));
    ht_mvt_tag(mvt, "rate", ht_mvt_double(rate));
    ht_mvt_tag(mvt, "is_startpoint", ht_mvt_bool((arc->flags & HT_ARC_NO_START) == 0));
}

static void speed_add(struct tile *t, const struct ht_snap_segment *segment, int side)
{
    const struct ht_point ends[2] = {t->network->node_point[segment->from_node],
                                     t->network->node_point[segment->to_node]};
    struct ht_mvt_point line[2] = {ht_mvt_place(&t->frame, ends[side]),
                                   ht_mvt_place(&t->frame, ends[1 - side])};
    if (segment->arc[side] == HT_NONE || !ht_mvt_clip(line)) {
        return;
    }
    const struct ht_arc *arc = &t->graph->arcs[segment->arc[side]];
    ht_mvt_feature(&t->mvt, HT_MVT_LINE, t->id++);
    ht_mvt_path(&t->mvt, line, 2);
    uint32_t last = ht_arc_point_count(arc) - 2;
    bool counted = side == 0 || segment->arc[0] == HT_NONE;
    const struct stretch on = stretch_of(t->graph, segment->arc[side],
                                         counted ? segment->segment : last - segment->segment);
    speed_tags(t, arc, &on, ht_distance_mm(ends[0], ends[1]));
    ht_mvt_feature_end(&t->mvt);
}

static void speeds_layer(struct tile *t)
{
    ht_mvt_layer(&t->mvt, "speeds");
    t->id = 1;
    for (size_t i = 0; i < t->count; i++) {
        speed_add(t, &t->segments[i], 0);
        speed_add(t, &t->segments[i], 1);
    }
    ht_mvt_layer_end(&t->mvt);
}

/* --- turns ------------------------------------------------------------------------------------ */

/* The base arc that a turn leads to, where its first segment is in the tile and it does not lead
 * back; else HT_NONE. */
static uint32_t turn_target(const struct tile *t, const struct ht_arc *in,
                            const struct ht_turn *turn)
{
    uint32_t arc = ht_arc_base(t->graph, turn->to);
    const struct ht_arc *out = &t->graph->arcs[arc];
    struct ht_point via = ht_arc_point(t->network, out, 0);
    struct ht_point to = ht_arc_point(t->network, out, 1);
    struct ht_box box = ht_box_grow(ht_box_grow(ht_box_empty(), via), to);
    bool meets = box.min.lon_e7 <= t->box.max.lon_e7 && box.max.lon_e7 >= t->box.min.lon_e7 &&
                 box.min.lat_e7 <= t->box.max.lat_e7 && box.max.lat_e7 >= t->box.min.lat_e7;
    uint32_t before = ht_arc_node(t->network, in, ht_arc_point_count(in) - 2);
    return meets && ht_arc_node(t->network, out, 1) != before ? arc : HT_NONE;
}

static void turn_add(struct tile *t, const struct ht_arc *in, const struct ht_turn *turn,
                     uint32_t target, const struct ht_turn_name *name)
{
    const struct ht_arc *out = &t->graph->arcs[target];
    struct ht_point from = ht_arc_point(t->network, in, ht_arc_point_count(in) - 2);
    struct ht_point via = ht_arc_point(t->network, out, 0);
    struct ht_mvt_point place = ht_mvt_place(&t->frame, via);
    if (!ht_mvt_inside(place)) {
        return;
    }
    int bearing_in = (int)ht_bearing_deg(from, via);
    int angle = (int)ht_bearing_deg(via, ht_arc_point(t->network, out, 1)) - bearing_in;
    angle += angle > 180 ? -360 : angle < -180 ? 360 : 0;
    ht_mvt_feature(&t->mvt, HT_MVT_POINT, ++t->id);
    ht_mvt_points(&t->mvt, &place, 1);
    ht_mvt_tag(&t->mvt, "bearing_in", ht_mvt_sint(bearing_in));
    ht_mvt_tag(&t->mvt, "turn_angle", ht_mvt_sint(angle));
    ht_mvt_tag(&t->mvt, "cost", ht_mvt_float((float)(turn->duration_ms / 1000.0)));
    ht_mvt_tag(&t->mvt, "weight", ht_mvt_float((float)(turn->weight_ms / 1000.0)));
    ht_mvt_tag(&t->mvt, "type", ht_mvt_text(name->type));
    ht_mvt_tag(&t->mvt, "modifier", ht_mvt_text(name->modifier));
    ht_mvt_feature_end(&t->mvt);
}

/* All turns out of an arc. */
static void turns_of(struct tile *t, uint32_t arc)
{
    const struct ht_arc *in = &t->graph->arcs[arc];
    uint32_t targets[TURNS_MAX];
    struct ht_turn turns[TURNS_MAX];
    struct ht_turn_name names[TURNS_MAX];
    uint32_t count = 0;
    for (uint32_t i = t->graph->turn_first[arc]; i < t->graph->turn_first[arc + 1]; i++) {
        struct ht_turn turn = ht_turn_at(t->graph, arc, i);
        uint32_t target = turn_target(t, in, &turn);
        if (target == HT_NONE || count == TURNS_MAX) {
            continue;
        }
        targets[count] = target;
        turns[count++] = turn;
    }
    if (count == 0) {
        return;
    }
    ht_guide_turn_names(t->network, t->graph, arc, targets, count, names);
    for (uint32_t i = 0; i < count; i++) {
        if (names[i].type != NULL) {
            turn_add(t, in, &turns[i], targets[i], &names[i]);
        }
    }
}

static void turns_layer(struct tile *t)
{
    ht_mvt_layer(&t->mvt, "turns");
    t->id = 0;
    for (size_t i = 0; i < t->count; i++) {
        const struct ht_snap_segment *segment = &t->segments[i];
        for (int side = 0; side < 2; side++) {
            uint32_t arc = segment->arc[side];
            if (arc == HT_NONE) {
                continue;
            }
            uint32_t last = ht_arc_point_count(&t->graph->arcs[arc]) - 2;
            bool first_open = side == 0 || segment->arc[0] == HT_NONE;
            uint32_t at = first_open ? segment->segment : last - segment->segment;
            if (at == last) { /* it reaches the junction */
                turns_of(t, arc);
            }
        }
    }
    ht_mvt_layer_end(&t->mvt);
}

/* --- nodes ------------------------------------------------------------------------------------ */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void nodes_layer(struct tile *t)
{
    uint32_t *nodes = ht_array_new(t->count * 2, sizeof *nodes);
    if (nodes == NULL) {
        t->failed = true;
        return;
    }
    for (size_t i = 0; i < t->count; i++) {
        nodes[2 * i] = t->segments[i].from_node;
        nodes[2 * i + 1] = t->segments[i].to_node;
    }
    qsort(nodes, t->count * 2, sizeof *nodes, by_number);
    ht_mvt_layer(&t->mvt, "osmnodes");
    for (size_t i = 0; i < t->count * 2; i++) {
        struct ht_mvt_point place = ht_mvt_place(&t->frame, t->network->node_point[nodes[i]]);
        if ((i > 0 && nodes[i] == nodes[i - 1]) || !ht_mvt_inside(place)) {
            continue;
        }
        ht_mvt_feature(&t->mvt, HT_MVT_POINT, (uint64_t)t->network->node_osm_id[nodes[i]]);
        ht_mvt_points(&t->mvt, &place, 1);
        ht_mvt_feature_end(&t->mvt);
    }
    ht_mvt_layer_end(&t->mvt);
    free(nodes);
}

/* Short pieces inside a junction, each drawn whole: once for every segment of it in the tile, as
 * OSRM does. */
static void internal_layer(struct tile *t)
{
    ht_mvt_layer(&t->mvt, "internal-nodes");
    for (size_t i = 0; i < t->count; i++) {
        uint32_t arc = t->segments[i].arc[0];
        if (arc == HT_NONE || !ht_guide_segregated(t->network, t->graph, arc)) {
            continue;
        }
        const struct ht_arc *a = &t->graph->arcs[arc];
        ht_mvt_feature(&t->mvt, HT_MVT_LINE, HT_MVT_NO_ID);
        for (uint32_t k = 1; k < ht_arc_point_count(a); k++) {
            struct ht_mvt_point line[2] = {
                ht_mvt_place(&t->frame, ht_arc_point(t->network, a, k - 1)),
                ht_mvt_place(&t->frame, ht_arc_point(t->network, a, k))};
            if (ht_mvt_clip(line)) {
                ht_mvt_path(&t->mvt, line, 2);
            }
        }
        ht_mvt_feature_end(&t->mvt);
    }
    ht_mvt_layer_end(&t->mvt);
}

/* --- the whole -------------------------------------------------------------------------------- */

static void tile_write(struct tile *t, uint32_t zoom)
{
    if (t->count > 0) {
        qsort(t->segments, t->count, sizeof *t->segments, by_nodes);
    }
    speeds_layer(t);
    if (zoom >= TURNS_ZOOM) {
        turns_layer(t);
    }
    nodes_layer(t);
    internal_layer(t);
}

static void refuse(struct ht_reply *reply)
{
    struct ht_json json;
    ht_reply_reset(reply);
    reply->status = 400;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "code", "InvalidOptions");
    ht_json_key_text(&json, "message", "Invalid coodinates. Only zoomlevel 12+ is supported");
    ht_json_object_end(&json);
}

void ht_osrm_tile(const struct ht_road *road, uint32_t x, uint32_t y, uint32_t zoom,
                  struct ht_reply *reply)
{
    if (zoom < 12 || zoom > 19 || x >> zoom != 0 || y >> zoom != 0) {
        refuse(reply);
        return;
    }
    struct tile t = {
        .network = road->network,
        .graph = road->graph,
        .frame = ht_mvt_frame(x, y, zoom),
        .box = ht_mvt_box(x, y, zoom, SEARCH_MARGIN),
    };
    ht_mvt_init(&t.mvt, reply->body.limit);
    ht_snap_window(road->snap, t.box, collect, &t);
    if (!t.failed) {
        tile_write(&t, zoom);
    }
    ht_reply_reset(reply);
    reply->content_type = "application/x-protobuf";
    if (t.failed || t.mvt.failed) {
        reply->body.failed = true;
    } else {
        ht_buffer_append(&reply->body, t.mvt.out.data, t.mvt.out.size);
    }
    ht_mvt_deinit(&t.mvt);
    free(t.segments);
}
