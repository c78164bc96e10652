/* What else the snap index answers: the segments in a box, the streets that meet in a place. */
#include "engine/road/snap_internal.h"

struct window {
    const struct ht_snap_index *index;
    struct ht_box box;
    void (*visit)(void *user, const struct ht_snap_segment *segment);
    void *user;
};

static bool ranges_meet(int64_t a_min, int64_t a_max, int64_t b_min, int64_t b_max)
{
    return a_min <= b_max && b_min <= a_max;
}

static void window_leaf(const struct window *w, uint32_t leaf)
{
    const struct ht_snap_index *index = w->index;
    uint64_t first = (uint64_t)leaf * HT_SNAP_FAN;
    const struct ht_network *network = index->network;
    for (uint64_t i = first; i < index->tree.head->entry_count && i < first + HT_SNAP_FAN; i++) {
        if (index->sides[i] == 0) {
            continue;
        }
        const uint32_t *node = &network->way_node[index->tree.from[i]];
        struct ht_box box = ht_box_grow(ht_box_empty(), network->node_point[node[0]]);
        box = ht_box_grow(box, network->node_point[node[1]]);
        if (ranges_meet(box.min.lon_e7, box.max.lon_e7, w->box.min.lon_e7, w->box.max.lon_e7) &&
            ranges_meet(box.min.lat_e7, box.max.lat_e7, w->box.min.lat_e7, w->box.max.lat_e7)) {
            struct ht_snap_segment segment = ht_snap__segment(index, (uint32_t)i);
            w->visit(w->user, &segment);
        }
    }
}

static bool window_meets(const struct window *w, const struct ht_snap_node *node,
                         struct ht_snap_frame frame, uint32_t k)
{
    int64_t step = (int64_t)1 << frame.shift;
    return ranges_meet(frame.x + node->min_x[k] * step, frame.x + node->max_x[k] * step,
                       w->box.min.lon_e7, w->box.max.lon_e7) &&
           ranges_meet(frame.y + node->min_y[k] * step, frame.y + node->max_y[k] * step,
                       w->box.min.lat_e7, w->box.max.lat_e7);
}

/* One step for each level: which child comes next. */
struct step {
    struct ht_snap_frame frame;
    uint32_t node;
    uint32_t next;
};

void ht_snap_window(const struct ht_snap_index *index, struct ht_box box,
                    void (*visit)(void *user, const struct ht_snap_segment *segment), void *user)
{
    const struct window w = {.index = index, .box = box, .visit = visit, .user = user};
    const struct ht_snap_head *head = index->tree.head;
    if (head->entry_count == 0) {
        return;
    }
    struct step steps[HT_SNAP_LEVELS];
    uint32_t level = head->level_count - 1;
    steps[level] = (struct step){.frame = ht_snap_frame_root(head)};
    while (level < head->level_count) {
        struct step *step = &steps[level];
        uint32_t below = level == 0 ? head->leaf_count : index->tree.level_size[level - 1];
        uint32_t child = step->node * HT_SNAP_FAN + step->next;
        if (step->next == HT_SNAP_FAN || child >= below) {
            level++;
            continue;
        }
        uint32_t k = step->next++;
        const struct ht_snap_node *node = &index->tree.level[level][step->node];
        if (!window_meets(&w, node, step->frame, k)) {
            continue;
        }
        if (level == 0) {
            window_leaf(&w, child);
            continue;
        }
        level--;
        steps[level] = (struct step){
            .frame = ht_snap_frame_child(node, step->frame, k),
            .node = child,
        };
    }
}

/* --- junctions ------------------------------------------------------------------------------- */

/* The place where the piece of `arc` begins or ends, as far as the options leave it; false: not. */
static bool place_at_end(const struct ht_snap_index *index, const struct ht_snap_options *options,
                         struct ht_point input, uint32_t arc, bool at_tail, struct ht_place *out)
{
    const struct ht_graph *graph = index->graph;
    const struct ht_arc *a = &graph->arcs[arc];
    bool lower = at_tail == ht_arc_is_forward(a); /* at the end where the way begins */
    uint32_t back = ht_snap__opposite(graph, arc);
    uint32_t primary = !ht_arc_is_forward(a) && back != HT_NONE ? back : arc;
    const uint32_t *nodes = index->network->way_node + ht_arc_low(a);
    uint32_t segment = lower ? 0 : ht_arc_point_count(a) - 2;
    const struct ht_point ends[2] = {index->network->node_point[nodes[segment]],
                                     index->network->node_point[nodes[segment + 1]]};
    uint32_t packed = ht_snap__pack(graph, primary);
    const struct ht_snap_ref ref = {.arc = primary, .along = segment, .packed = packed};
    struct ht_snap_hit hit = {.ratio = lower ? 0.0 : 1.0,
                              .sides = ht_snap__sides(options, packed),
                              .ends = {ends[0], ends[1]}};
    hit.sides = ht_snap__sides_facing(options, hit.sides, packed,
                                      ht_snap__left_hand(index, primary), input, ends);
    if (hit.sides == 0) {
        return false;
    }
    ht_snap__place_on(index, input, &ref, &hit, out);
    return true;
}

/* The junction at which the place lies, or HT_NONE. */
static uint32_t junction_of(const struct ht_snap_index *index, const struct ht_place *place)
{
    const struct ht_graph *graph = index->graph;
    uint32_t arc = place->side[0].arc != HT_NONE ? place->side[0].arc : place->side[1].arc;
    if (arc == HT_NONE) {
        return HT_NONE;
    }
    const uint32_t ends[2] = {graph->arcs[arc].tail, graph->arcs[arc].head};
    for (int i = 0; i < 2; i++) {
        struct ht_point p = index->network->node_point[graph->junction_node[ends[i]]];
        if (p.lon_e7 == place->point.lon_e7 && p.lat_e7 == place->point.lat_e7) {
            return ends[i];
        }
    }
    return HT_NONE;
}

static bool same_sides(const struct ht_place *a, const struct ht_place *b)
{
    for (int i = 0; i < 2; i++) {
        if (a->side[i].arc != HT_NONE && a->side[i].arc == b->side[i].arc &&
            a->side[i].before_mm == b->side[i].before_mm) {
            return true;
        }
    }
    return false;
}

struct meeting {
    struct ht_place *out;
    uint32_t count;
    uint32_t capacity;
};

static void meeting_add(struct meeting *m, const struct ht_place *place)
{
    for (uint32_t i = 0; i < m->count; i++) {
        if (same_sides(&m->out[i], place)) {
            return;
        }
    }
    if (m->count < m->capacity) {
        m->out[m->count++] = *place;
    }
}

uint32_t ht_snap_junction(const struct ht_snap_index *index, const struct ht_place *place,
                          const struct ht_snap_options *options, struct ht_place *out,
                          uint32_t capacity)
{
    const struct ht_graph *graph = index->graph;
    struct meeting m = {.out = out, .capacity = capacity};
    meeting_add(&m, place);
    uint32_t junction = junction_of(index, place);
    if (junction == HT_NONE) {
        return m.count;
    }
    struct ht_place found;
    for (uint32_t arc = graph->junction_first_out[junction];
         arc < graph->junction_first_out[junction + 1]; arc++) {
        if (place_at_end(index, options, place->input, arc, true, &found)) {
            meeting_add(&m, &found);
        }
    }
    for (uint32_t i = graph->junction_first_in[junction];
         i < graph->junction_first_in[junction + 1]; i++) {
        uint32_t arc = graph->junction_in[i]; /* with a reverse, it is found above */
        if (graph->arcs[arc].reverse == HT_NONE &&
            place_at_end(index, options, place->input, arc, false, &found)) {
            meeting_add(&m, &found);
        }
    }
    return m.count;
}
