/* Strongly connected components of the arcs, so that snapping can tell islands from the town.
 *
 * As OSRM does, the two directions of a street count as connected (one may begin in either), and so
 * do an arc and its copies. R. E. Tarjan 1972, without recursion.
 *
 * Small are components of less than 1,000 arcs (OSRM's limit, in its edge-based nodes): a yard or a
 * ferry landing, not a town. The largest component is never small, however tiny the extract.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/network_build_internal.h"

enum { SMALL_ARCS = 1000 };

struct frame {
    uint32_t arc;
    uint32_t next; /* number of the neighbour to look at */
};

struct tarjan {
    const struct ht_graph *graph;
    uint32_t *index; /* order of discovery; HT_NONE: not seen */
    uint32_t *low;
    uint32_t *stack;
    struct frame *frames;
    uint32_t stacked;
    uint32_t depth;
    uint32_t seen;
    uint32_t components;
    uint32_t *component; /* HT_NONE while on the stack */
};

/* Neighbour number `i` of an arc: its turns, then its links; HT_NONE: no more. */
static uint32_t neighbour(const struct ht_graph *graph, uint32_t arc, uint32_t i)
{
    uint32_t turns = graph->turn_first[arc + 1] - graph->turn_first[arc];
    if (i < turns) {
        return graph->turns[graph->turn_first[arc] + i].to;
    }
    i -= turns;
    const struct ht_arc *a = &graph->arcs[arc];
    if (i == 0) {
        uint32_t base = ht_arc_base(graph, arc);
        return base != arc             ? base
               : a->reverse != HT_NONE ? a->reverse
                                       : arc; /* none: a step to itself changes nothing */
    }
    const uint32_t *copies = NULL;
    uint32_t count = ht_arc_base(graph, arc) == arc ? ht_graph_copies(graph, arc, &copies) : 0;
    return i - 1 < count ? copies[i - 1] : HT_NONE;
}

static void enter(struct tarjan *t, uint32_t arc)
{
    t->index[arc] = t->seen;
    t->low[arc] = t->seen++;
    t->stack[t->stacked++] = arc;
    t->frames[t->depth++] = (struct frame){.arc = arc, .next = 0};
}

static void leave(struct tarjan *t, uint32_t arc)
{
    t->depth--;
    if (t->low[arc] == t->index[arc]) {
        uint32_t top = HT_NONE;
        do {
            top = t->stack[--t->stacked];
            t->component[top] = t->components;
        } while (top != arc);
        t->components++;
    }
    if (t->depth > 0) {
        uint32_t below = t->frames[t->depth - 1].arc;
        t->low[below] = t->low[arc] < t->low[below] ? t->low[arc] : t->low[below];
    }
}

static void visit(struct tarjan *t, uint32_t root)
{
    enter(t, root);
    while (t->depth > 0) {
        struct frame *frame = &t->frames[t->depth - 1];
        uint32_t arc = frame->arc;
        uint32_t next = neighbour(t->graph, arc, frame->next++);
        if (next == HT_NONE) {
            leave(t, arc);
        } else if (t->index[next] == HT_NONE) {
            enter(t, next);
        } else if (t->component[next] == HT_NONE && t->index[next] < t->low[arc]) {
            t->low[arc] = t->index[next];
        }
    }
}

/* By falling size, then by the smallest arc in it. */
struct rank {
    uint32_t size;
    uint32_t first;
    uint32_t component;
};

static int rank_compare(const void *a, const void *b)
{
    const struct rank *x = a;
    const struct rank *y = b;
    if (x->size != y->size) {
        return x->size > y->size ? -1 : 1;
    }
    return (x->first > y->first) - (x->first < y->first);
}

static enum ht_status number(struct ht_graph_owned *graph, const struct tarjan *t,
                             struct ht_graph_counts *counts, uint32_t listed_from)
{
    struct rank *ranks = ht_array_new_zeroed(t->components, sizeof *ranks);
    uint32_t *place = ht_array_new(t->components, sizeof *place);
    if (ranks == NULL || place == NULL) {
        free(ranks);
        free(place);
        return HT_NOMEM;
    }
    uint32_t arcs = graph->view.arc_count;
    for (uint32_t a = arcs; a-- > 0;) {
        struct rank *rank = &ranks[t->component[a]];
        rank->size++;
        rank->first = a;
        rank->component = t->component[a];
    }
    qsort(ranks, t->components, sizeof *ranks, rank_compare);
    for (uint32_t i = 0; i < t->components; i++) {
        place[ranks[i].component] = i;
    }
    graph->view.listed_count = 0;
    for (uint32_t i = listed_from; i < t->components; i++) {
        graph->view.listed_count += ranks[i].size;
    }
    graph->listed = ht_array_new(graph->view.listed_count, sizeof *graph->listed);
    graph->view.listed = graph->listed;
    if (graph->listed == NULL) {
        free(ranks);
        free(place);
        return HT_NOMEM;
    }
    struct ht_arc_component *listed = graph->listed;
    for (uint32_t a = 0; a < arcs; a++) {
        struct ht_arc *arc = &graph->arcs[a];
        uint32_t component = place[t->component[a]];
        if (component >= listed_from) {
            *listed++ = (struct ht_arc_component){a, component};
        }
        arc->component =
            (component >= listed_from ? HT_COMPONENT_LISTED : component) & HT_COMPONENT_LISTED;
        if (component > 0 && ranks[component].size < SMALL_ARCS) {
            arc->flags |= HT_ARC_SMALL;
            counts->small_arcs++;
        }
    }
    counts->components = t->components;
    free(ranks);
    free(place);
    return HT_OK;
}

enum ht_status ht__graph_components(struct ht_graph_owned *graph, struct ht_graph_counts *counts,
                                    uint32_t listed_from)
{
    uint32_t arcs = graph->view.arc_count;
    struct tarjan t = {.graph = &graph->view,
                       .index = ht_array_new(arcs, sizeof *t.index),
                       .low = ht_array_new(arcs, sizeof *t.low),
                       .stack = ht_array_new(arcs, sizeof *t.stack),
                       .frames = ht_array_new(arcs, sizeof *t.frames),
                       .component = ht_array_new(arcs, sizeof *t.component)};
    enum ht_status status = HT_NOMEM;
    if (t.index != NULL && t.low != NULL && t.stack != NULL && t.frames != NULL &&
        t.component != NULL) {
        memset(t.index, 0xFF, arcs * sizeof *t.index);
        memset(t.component, 0xFF, arcs * sizeof *t.component);
        for (uint32_t a = 0; a < arcs; a++) {
            if (t.index[a] == HT_NONE) {
                visit(&t, a);
            }
        }
        status = number(graph, &t, counts, listed_from);
    }
    free(t.index);
    free(t.low);
    free(t.stack);
    free(t.frames);
    free(t.component);
    return status;
}
