/* Locate: pairs of OSM nodes find the pieces that a look at every arc finds. */
#include "engine/road/locate.h"

#include "tests/support/check.h"
#include "tests/support/random_town.h"

enum { MOST = 64 };

/* The town's ways with two more nodes each: arcs of three segments. */
static void bend(struct ht_random_town *t, struct ht_point *points, int64_t *ids,
                 uint32_t *way_node)
{
    uint32_t at = 0;
    memcpy(points, t->points, t->network.node_count * sizeof *points);
    for (uint32_t w = 0; w < t->network.way_count; w++) {
        uint32_t from = t->way_node[2 * w];
        uint32_t to = t->way_node[2 * w + 1];
        t->ways[w].first_node = at;
        way_node[at++] = from;
        for (int i = 1; i < 3; i++) {
            points[t->network.node_count] =
                ht_point_between(t->points[from], t->points[to], (double)i / 3);
            way_node[at++] = t->network.node_count++;
        }
        way_node[at++] = to;
    }
    t->ways[t->network.way_count].first_node = at;
    for (uint32_t i = 0; i < t->network.node_count; i++) {
        ids[i] = 100 + 3 * (int64_t)i; /* not every number is one */
    }
    t->network.node_point = points;
    t->network.node_osm_id = ids;
    t->network.way_node = way_node;
    t->network.way_node_count = at;
    for (uint32_t a = 0; a < t->graph.arc_count; a++) {
        struct ht_arc *arc = &t->arcs[a];
        uint32_t first = t->ways[arc->way].first_node;
        bool forward = (arc->flags & HT_ARC_FORWARD) != 0;
        arc->from = forward ? first : first + 3;
        arc->segments = 3;
    }
}

/* By a look at every arc; sorted by arc, then segment. */
static size_t plain(const struct ht_random_town *t, uint32_t from, uint32_t to,
                    struct ht_located *out)
{
    size_t count = 0;
    for (uint32_t a = 0; a < t->graph.base_arc_count; a++) {
        const struct ht_arc *arc = &t->graph.arcs[a];
        uint32_t segments = ht_arc_point_count(arc) - 1;
        for (uint32_t i = 0; i < segments; i++) {
            if (ht_arc_node(&t->network, arc, i) == from &&
                ht_arc_node(&t->network, arc, i + 1) == to) {
                out[count++] = (struct ht_located){a, i, i + 1};
            }
        }
        if (ht_arc_node(&t->network, arc, 0) == from &&
            ht_arc_node(&t->network, arc, segments) == to) {
            out[count++] = (struct ht_located){a, 0, segments};
        }
    }
    return count;
}

static int by_arc(const void *left, const void *right)
{
    const struct ht_located *a = left;
    const struct ht_located *b = right;
    if (a->arc != b->arc) {
        return a->arc < b->arc ? -1 : 1;
    }
    return a->segment_first < b->segment_first ? -1 : a->segment_first > b->segment_first;
}

static int compare(const struct ht_random_town *t, const struct ht_locate *locate,
                   const struct ht_locate_graph *graph, uint32_t from, uint32_t to)
{
    struct ht_located want[MOST];
    struct ht_located got[MOST];
    size_t wanted = plain(t, from, to, want);
    size_t found = ht_locate_pieces(locate, graph, t->network.node_osm_id[from],
                                    t->network.node_osm_id[to], got, MOST);
    if (found != wanted) {
        return 1;
    }
    qsort(got, found, sizeof *got, by_arc);
    int wrong = 0;
    for (size_t i = 0; i < found; i++) {
        wrong += got[i].arc != want[i].arc || got[i].segment_first != want[i].segment_first ||
                 got[i].segment_end != want[i].segment_end;
    }
    return wrong;
}

HT_CASE(pairs_of_nodes_find_what_a_look_at_every_arc_finds)
{
    int wrong = 0;
    size_t pieces = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct ht_random_town *t = ht_random_town_new(6, 6, seed);
        size_t most = t->network.node_count + (size_t)t->network.way_count * 4 + 1;
        struct ht_point *points = ht_town_alloc(most, sizeof *points);
        int64_t *ids = ht_town_alloc(most, sizeof *ids);
        uint32_t *way_node = ht_town_alloc(most, sizeof *way_node);
        struct ht_locate *locate = NULL;
        struct ht_locate_graph *graph = NULL;
        struct ht_located one[MOST];
        bend(t, points, ids, way_node);
        HT_REQUIRE(ht_locate_new(&t->network, &locate) == HT_OK);
        HT_REQUIRE(ht_locate_graph_new(&t->graph, &graph) == HT_OK);
        for (uint32_t from = 0; from < t->network.node_count; from++) {
            for (uint32_t to = 0; to < t->network.node_count; to++) {
                wrong += compare(t, locate, graph, from, to);
                pieces += plain(t, from, to, one);
            }
        }
        HT_CHECK_INT(ht_locate_pieces(locate, graph, 101, 103, one, MOST), 0);
        HT_CHECK_INT(ht_locate_pieces(locate, graph, INT64_MIN, INT64_MAX, one, MOST), 0);
        ht_locate_graph_free(graph);
        ht_locate_free(locate);
        ht_random_town_free(t);
        free(points);
        free(ids);
        free(way_node);
    }
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(pieces > 1000);
}

HT_MAIN()
