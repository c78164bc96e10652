#include "engine/road/cut.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

void ht_cuts_deinit(struct ht_cuts *cuts)
{
    free(cuts->list);
    *cuts = (struct ht_cuts){0};
}

enum ht_status ht_cuts_add(struct ht_cuts *cuts, const struct ht_cut *list, size_t count)
{
    void *data = cuts->list;
    enum ht_status status =
        ht_array_reserve(&data, &cuts->capacity, cuts->count + count, sizeof *cuts->list);
    cuts->list = data;
    if (status == HT_OK && count > 0) {
        memcpy(cuts->list + cuts->count, list, count * sizeof *list);
        cuts->count += count;
    }
    return status;
}

static int by_place(const void *left, const void *right)
{
    const struct ht_cut *a = left;
    const struct ht_cut *b = right;
    if (a->arc != b->arc) {
        return a->arc < b->arc ? -1 : 1;
    }
    return a->segment < b->segment ? -1 : a->segment > b->segment;
}

void ht_cuts_once(struct ht_cuts *cuts)
{
    size_t kept = 0;
    if (cuts->count > 1) {
        qsort(cuts->list, cuts->count, sizeof *cuts->list, by_place);
    }
    for (size_t i = 0; i < cuts->count; i++) {
        if (kept == 0 || by_place(&cuts->list[kept - 1], &cuts->list[i]) != 0) {
            cuts->list[kept++] = cuts->list[i];
        }
    }
    cuts->count = kept;
}

struct finding {
    const struct ht_cut_streets *streets;
    const struct ht_border *border;
    enum ht_cut_how how;
    struct ht_cuts *cuts;
    enum ht_status status;
};

/* Whether a piece that meets the polygons so is cut; the way back leads out where this leads in. */
static bool is_cut(enum ht_cut_how how, unsigned cross, bool back)
{
    switch (how) {
    case HT_CUT_BORDER:
        return (cross & (HT_BORDER_IN | HT_BORDER_OUT)) != 0;
    case HT_CUT_OUT:
        return (cross & (back ? HT_BORDER_IN : HT_BORDER_OUT)) != 0;
    case HT_CUT_ALL:
        break;
    }
    return cross != 0;
}

static void segment_find(void *user, const struct ht_snap_segment *segment)
{
    struct finding *finding = user;
    const struct ht_network *network = finding->streets->network;
    const struct ht_graph *graph = finding->streets->graph;
    unsigned cross = ht_border_cross(finding->border, network->node_point[segment->from_node],
                                     network->node_point[segment->to_node]);
    for (int i = 0; cross != 0 && i < 2; i++) {
        uint32_t arc = segment->arc[i];
        if (arc == HT_NONE || finding->status != HT_OK || !is_cut(finding->how, cross, i == 1)) {
            continue;
        }
        uint32_t last = ht_arc_point_count(&graph->arcs[arc]) - 2;
        bool against = i == 1 && segment->arc[0] != HT_NONE; /* counted from the other end */
        const struct ht_cut cut = {arc, against ? last - segment->segment : segment->segment};
        finding->status = ht_cuts_add(finding->cuts, &cut, 1);
    }
}

enum ht_status ht_cuts_find(const struct ht_cut_streets *streets, const struct ht_border *border,
                            enum ht_cut_how how, struct ht_cuts *cuts)
{
    struct finding finding = {streets, border, how, cuts, HT_OK};
    struct ht_box box = ht_border_box(border);
    if (box.min.lon_e7 <= box.max.lon_e7) {
        ht_snap_window(streets->snap, box, segment_find, &finding);
    }
    return finding.status;
}
