#include "geodata/network_build_internal.h"
#include "tests/support/check.h"
#include "tests/support/osm_town.h"

#define STREET "highway=residential"

/* The arcs that begin with nodes a - b, as "letters" of their shape. */
static bool shape_is(const struct ht_town *town, const char *letters)
{
    uint32_t arc = ht_town_arc(town, letters[0], letters[1], false);
    if (arc == HT_NONE || ht_arc_point_count(&town->graph->arcs[arc]) != strlen(letters)) {
        return false;
    }
    for (uint32_t i = 0; letters[i] != '\0'; i++) {
        if (ht_town_letter(town, arc, i) != letters[i]) {
            return false;
        }
    }
    return true;
}

HT_CASE(ways_are_cut_where_they_meet_and_nowhere_else)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d e\n"
                         "    f    \n");
    ht_town_way(&town, 1, "abcde", STREET);
    ht_town_way(&town, 2, "cf", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->junction_count, 4);
    HT_CHECK_INT(town.graph->base_arc_count, 6);
    HT_CHECK(shape_is(&town, "abc") && shape_is(&town, "cba") && shape_is(&town, "cde") &&
             shape_is(&town, "edc") && shape_is(&town, "cf") && shape_is(&town, "fc"));
    const struct ht_arc *arc = &town.graph->arcs[ht_town_arc(&town, 'a', 'b', false)];
    HT_CHECK(arc->length_mm > 99000 && arc->length_mm < 101000);
    HT_CHECK((arc->flags & HT_ARC_FORWARD) != 0);
    HT_CHECK(arc->reverse == ht_town_arc(&town, 'c', 'b', false));
    /* a junction where another way merely passes by for others does not count */
    ht_town_end(&town);
    ht_town_begin(&town, "a b c\n"
                         "  f  \n");
    ht_town_way(&town, 1, "abc", STREET);
    ht_town_way(&town, 2, "bf", "highway=footway");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->junction_count, 2);
    HT_CHECK(shape_is(&town, "abc"));
    ht_town_end(&town);
}

/* An arc counts so many segments and no more. */
HT_CASE(a_very_long_way_is_cut_by_junctions_of_its_own)
{
    enum { NODES = 2 * HT_ARC_SEGMENTS + 100 };
    struct ht_town town;
    ht_town_begin(&town, "a b\n");
    for (int i = 0; i < NODES; i++) {
        ht_town_add(&town.ways, "<node id=\"%d\" lon=\"%.7f\" lat=\"0.01\"/>\n", 1000 + i,
                    0.00001 * i);
    }
    ht_town_add(&town.ways, "<way id=\"1\">");
    for (int i = 0; i < NODES; i++) {
        ht_town_add(&town.ways, "<nd ref=\"%d\"/>", 1000 + i);
    }
    ht_town_add(&town.ways, "<tag k=\"highway\" v=\"residential\"/></way>\n");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->junction_count, 4);
    HT_CHECK_INT(town.graph->base_arc_count, 6);
    uint32_t segments = 0;
    for (uint32_t a = 0; a < town.graph->base_arc_count; a++) {
        const struct ht_arc *arc = &town.graph->arcs[a];
        HT_CHECK(arc->segments > 0 && arc->reverse != HT_NONE);
        HT_CHECK(town.graph->junction_node[arc->tail] == ht_arc_node(town.network, arc, 0));
        HT_CHECK(town.graph->junction_node[arc->head] ==
                 ht_arc_node(town.network, arc, arc->segments));
        segments += arc->segments;
    }
    HT_CHECK_INT(segments, 2 * (NODES - 1));
    ht_town_end(&town);
}

static void far_nodes(struct ht_town *town, int count, double step)
{
    ht_town_begin(town, "a b\n");
    for (int i = 0; i < count; i++) {
        ht_town_add(&town->ways, "<node id=\"%d\" lon=\"%.7f\" lat=\"0\"/>\n", 1000 + i,
                    -170 + step * i);
    }
}

static void far_way(struct ht_town *town, int id, int count, const char *tags)
{
    ht_town_add(&town->ways, "<way id=\"%d\">", id);
    for (int i = 0; i < count; i++) {
        ht_town_add(&town->ways, "<nd ref=\"%d\"/>", 1000 + i);
    }
    ht_town_tags(&town->ways, tags);
    ht_town_add(&town->ways, "</way>\n");
}

/* 10,000 km of one way: more than 32 bits of millimetres. */
HT_CASE(a_way_across_an_ocean_keeps_its_length)
{
    enum { NODES = 101 };
    struct ht_town town;
    far_nodes(&town, NODES, 0.9);
    far_way(&town, 1, NODES, "route=ferry");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    uint64_t whole = 0;
    for (uint32_t i = 0; i < NODES - 1; i++) {
        whole += town.build->segment_mm[i];
    }
    HT_CHECK(whole > UINT64_C(10000) * 1000 * 1000);
    uint64_t length = 0;
    uint64_t duration = 0;
    for (uint32_t a = 0; a < town.graph->base_arc_count; a++) {
        length += town.graph->arcs[a].length_mm;
        duration += town.graph->arcs[a].duration_ms;
    }
    HT_CHECK_INT(length, 2 * whole);
    /* at 5 km/h; each arc is rounded */
    HT_CHECK(llabs((long long)duration - (long long)(2 * whole * 36 / 50)) <=
             (long long)town.graph->base_arc_count);
    HT_CHECK_INT(town.counts.pieces_too_long, 0);
    ht_town_end(&town);
}

HT_CASE(what_cannot_be_cut_is_left_out_and_counted)
{
    struct ht_town town;
    far_nodes(&town, 2, 45); /* 5,009 km in one segment */
    far_way(&town, 1, 2, "highway=motorway|oneway=no");
    ht_town_way(&town, 2, "ab", "route=ferry|duration=P6DT16H");
    ht_town_way(&town, 3, "ab", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.counts.pieces_too_long, 2);
    HT_CHECK_INT(town.graph->base_arc_count, 2);
    HT_CHECK(town.graph->arcs[0].mode == HT_MODE_DRIVING);
    ht_town_end(&town);
    ht_town_begin(&town, "a b\n");
    ht_town_way(&town, 2, "ab", "route=ferry|duration=P6DT16H");
    ht_town_build(&town, "car");
    HT_CHECK_INT(town.status, HT_EMPTY);
    HT_CHECK_INT(town.counts.pieces_too_long, 1);
    ht_town_end(&town);
    ht_town_begin(&town, "a b\n");
    ht_town_way(&town, 2, "ab", "route=ferry|duration=P6DT4H");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->arcs[0].duration_ms, 148 * 3600000);
    ht_town_end(&town);
}

HT_CASE(arcs_carry_the_classes_of_their_way)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d e\n");
    ht_town_way(&town, 1, "ab", "highway=motorway");
    ht_town_way(&town, 2, "bc", STREET "|toll=yes");
    ht_town_way(&town, 3, "cd", "route=ferry|duration=00:10");
    ht_town_way(&town, 4, "de", STREET "|tunnel=yes");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    static const struct {
        char from, to;
        unsigned classes;
    } rows[] = {{'a', 'b', HT_ARC_MOTORWAY},
                {'b', 'c', HT_ARC_TOLL},
                {'c', 'd', HT_ARC_IS_FERRY},
                {'d', 'e', HT_ARC_IS_TUNNEL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t arc = ht_town_arc(&town, rows[i].from, rows[i].to, false);
        HT_REQUIRE(arc != HT_NONE);
        HT_CHECK_INT(town.graph->arcs[arc].flags & HT_ARC_CLASSES, rows[i].classes);
    }
    ht_town_end(&town);
}

HT_CASE(oneways_give_one_arc_in_the_right_direction)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n");
    ht_town_way(&town, 1, "ab", STREET "|oneway=yes");
    ht_town_way(&town, 2, "bc", STREET "|oneway=-1");
    ht_town_way(&town, 3, "cd", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->base_arc_count, 4);
    HT_CHECK(ht_town_arc(&town, 'a', 'b', false) != HT_NONE);
    HT_CHECK(ht_town_arc(&town, 'b', 'a', false) == HT_NONE);
    HT_CHECK(ht_town_arc(&town, 'b', 'c', false) == HT_NONE);
    uint32_t back = ht_town_arc(&town, 'c', 'b', false);
    HT_REQUIRE(back != HT_NONE);
    HT_CHECK_INT(town.graph->arcs[back].flags & HT_ARC_FORWARD, 0);
    HT_CHECK_INT(town.graph->arcs[back].reverse, HT_NONE);
    ht_town_end(&town);
}

HT_CASE(turning_back_needs_a_dead_end)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c\n"
                         "  d  \n");
    ht_town_way(&town, 1, "abc", STREET);
    ht_town_way(&town, 2, "bd", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "abc") != NULL);
    HT_CHECK(ht_town_turn(&town, "abd") != NULL);
    HT_CHECK(ht_town_turn(&town, "aba") == NULL);
    HT_CHECK(ht_town_turn(&town, "bcb") != NULL);
    HT_CHECK(ht_town_turn(&town, "bdb") != NULL);
    HT_CHECK(ht_town_turn(&town, "bdb")->duration_ms >= 20000);
    HT_CHECK(ht_town_turn(&town, "abd")->duration_ms > ht_town_turn(&town, "abc")->duration_ms);
    uint32_t dead = ht_town_arc(&town, 'b', 'd', false);
    HT_CHECK((town.graph->arcs[dead].flags & HT_ARC_STUB) != 0);
    HT_CHECK_INT(town.graph->arcs[town.graph->arcs[dead].reverse].flags & HT_ARC_STUB, 0);
    ht_town_end(&town);
}

HT_CASE(turning_back_is_allowed_where_nobody_else_comes_in)
{
    struct ht_town town; /* only a - b comes into b; c and d lead away */
    ht_town_begin(&town, "a b c\n"
                         "  d  \n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET "|oneway=yes");
    ht_town_way(&town, 3, "bd", STREET "|oneway=yes");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "aba") != NULL);
    ht_town_end(&town);
}

HT_CASE(turning_back_is_allowed_on_circles_and_marked_lanes)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d e\n"
                         "  f g h  \n");
    ht_town_node(&town, 'b', "highway=turning_circle");
    ht_town_way(&town, 1, "abc", STREET);
    ht_town_way(&town, 2, "bf", STREET);
    ht_town_way(&town, 3, "cd",
                STREET "|lanes=3|turn:lanes:forward=reverse|turn:lanes:backward=through");
    ht_town_way(&town, 4, "de", STREET);
    ht_town_way(&town, 5, "dh", STREET);
    ht_town_way(&town, 6, "cg", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "aba") != NULL);
    HT_CHECK(ht_town_turn(&town, "cdc") != NULL);
    HT_CHECK(ht_town_turn(&town, "dcd") == NULL);
    ht_town_end(&town);
}

HT_CASE(barriers_split_and_block)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n");
    ht_town_node(&town, 'b', "barrier=block");
    ht_town_way(&town, 1, "abcd", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->junction_count, 3);
    HT_CHECK(ht_town_turn(&town, "abc") == NULL);
    HT_CHECK(ht_town_turn(&town, "aba") != NULL);
    HT_CHECK((town.graph->arcs[ht_town_arc(&town, 'a', 'b', false)].flags & HT_ARC_STUB) != 0);
    ht_town_end(&town);
    ht_town_begin(&town, "a b c d\n"); /* a walker passes */
    ht_town_node(&town, 'b', "barrier=bollard");
    ht_town_way(&town, 1, "abcd", STREET);
    ht_town_build(&town, "foot");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->junction_count, 2);
    ht_town_end(&town);
}

HT_CASE(waits_are_paid_by_who_arrives_in_their_direction)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n");
    ht_town_node(&town, 'b', "highway=traffic_signals|traffic_signals:direction=forward");
    ht_town_node(&town, 'c', "highway=traffic_signals");
    ht_town_way(&town, 1, "abcd", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->junction_count, 4);
    HT_CHECK_INT(ht_town_turn(&town, "abc")->duration_ms, 2000);
    HT_CHECK_INT(ht_town_turn(&town, "cba")->duration_ms, 0);
    HT_CHECK_INT(ht_town_turn(&town, "bcd")->duration_ms, 2000);
    HT_CHECK_INT(ht_town_turn(&town, "dcb")->duration_ms, 2000);
    ht_town_end(&town);
}

/* b - e - g leads to j, c - f - h away from it, 25 m beside. */
static uint32_t turn_between(const char *coming, const char *going)
{
    struct ht_town town;
    ht_town_begin(&town, " k  \n"
                         " j  \n"
                         " bc \n"
                         " ef \n"
                         " gh \n");
    ht_town_way(&town, 1, "kj", STREET "|name=甬江路");
    ht_town_way(&town, 2, "gebj", coming);
    ht_town_way(&town, 3, "jcfh", going);
    ht_town_build(&town, "car");
    const struct ht_turn *turn = town.status == HT_OK ? ht_town_turn(&town, "bjc") : NULL;
    uint32_t duration_ms = turn == NULL ? 0 : turn->duration_ms;
    ht_town_end(&town);
    return duration_ms;
}

HT_CASE(onto_the_other_carriageway_is_turning_back)
{
    const char *wide = STREET "|oneway=yes|lanes=6|name=甬江路";
    HT_CHECK(turn_between(wide, wide) > 20000);
    HT_CHECK(turn_between(wide, STREET "|oneway=yes|lanes=6|name=镇海路") < 10000);
    HT_CHECK(turn_between(wide, STREET "|lanes=6|name=甬江路") < 10000);
    const char *narrow = STREET "|oneway=yes|lanes=1|name=甬江路"; /* 25 m is too far for lanes */
    HT_CHECK(turn_between(narrow, narrow) < 10000);
    HT_CHECK(turn_between(narrow, narrow) > 5000);
}

HT_CASE(roundabouts_are_entered_with_the_flow)
{
    /* counter-clockwise b c d e; two streets share the corner b: only one of the two ways between
     * them runs with the ring */
    struct ht_town town;
    ht_town_begin(&town, "f       e    \n"
                         "             \n"
                         "       b   d \n"
                         "             \n"
                         "a       c    \n");
    ht_town_way(&town, 1, "bcdeb", STREET "|junction=roundabout");
    ht_town_way(&town, 2, "ab", STREET);
    ht_town_way(&town, 3, "fb", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->junction_count, 3);
    HT_CHECK_INT(town.graph->base_arc_count, 5); /* the ring is one arc from b to b */
    HT_CHECK(ht_town_turn(&town, "abc") != NULL);
    HT_CHECK(ht_town_turn(&town, "eba") != NULL);
    HT_CHECK(ht_town_turn(&town, "ebc") != NULL);
    HT_CHECK(ht_town_turn(&town, "fba") != NULL);
    HT_CHECK(ht_town_turn(&town, "abf") == NULL);
    ht_town_end(&town);
}

HT_CASE(loops_run_from_a_junction_to_itself)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c\n"
                         "  e d\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bcdeb", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->base_arc_count, 4);
    uint32_t loop = ht_town_arc(&town, 'b', 'c', false);
    HT_REQUIRE(loop != HT_NONE && shape_is(&town, "bcdeb"));
    HT_CHECK(town.graph->arcs[loop].tail == town.graph->arcs[loop].head);
    HT_CHECK(town.graph->arcs[loop].reverse == ht_town_arc(&town, 'b', 'e', false));
    HT_CHECK(ht_town_turn(&town, "eba") != NULL);
    HT_CHECK(ht_graph_turn(town.graph, loop, loop) != HT_NONE); /* round again */
    HT_CHECK(ht_graph_turn(town.graph, loop, town.graph->arcs[loop].reverse) == HT_NONE);
    ht_town_end(&town);
}

HT_CASE(a_way_that_crosses_itself_is_cut_there)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c\n"
                         "  e d\n");
    ht_town_way(&town, 1, "abcdeb", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(shape_is(&town, "ab") && shape_is(&town, "bcdeb"));
    HT_CHECK(ht_town_turn(&town, "eba") != NULL);
    ht_town_end(&town);
}

/* One way over nodes 1000, 1001, 1000, 1001 and so on. */
static void way_to_and_fro(struct ht_town *town, int count, const char *tags)
{
    ht_town_add(&town->ways, "<way id=\"1\">");
    for (int i = 0; i < count; i++) {
        ht_town_add(&town->ways, "<nd ref=\"%d\"/>", 1000 + i % 2);
    }
    ht_town_tags(&town->ways, tags);
    ht_town_add(&town->ways, "</way>\n");
}

/* Turns at a junction grow with the square of what meets there. */
HT_CASE(a_way_to_and_fro_is_one_street)
{
    enum { TIMES = 1500 };
    struct ht_town town;
    far_nodes(&town, 2, 0.001);
    way_to_and_fro(&town, TIMES + 1, STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->base_arc_count, 2);
    HT_CHECK_INT(town.graph->turn_count, 2);
    HT_CHECK_INT(town.counts.pieces_repeated, TIMES - 1);
    HT_CHECK_INT(town.counts.pieces_crowded, 0);
    ht_town_end(&town);
    far_nodes(&town, 2, 0.001); /* there and back again on a one-way is both directions */
    way_to_and_fro(&town, TIMES + 1, STREET "|oneway=yes");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->base_arc_count, 2);
    HT_CHECK(town.graph->arcs[0].tail != town.graph->arcs[1].tail);
    HT_CHECK_INT(town.counts.pieces_repeated, TIMES - 2);
    ht_town_end(&town);
}

HT_CASE(a_node_has_no_more_than_so_many_streets)
{
    enum { SPOKES = 1000, MOST = 250 };
    struct ht_town town;
    far_nodes(&town, SPOKES + 1, 0.001);
    for (int i = 0; i < SPOKES; i++) {
        ht_town_add(&town.ways,
                    "<way id=\"%d\"><nd ref=\"1000\"/><nd ref=\"%d\"/><tag k=\"highway\" "
                    "v=\"residential\"/></way>\n",
                    1 + i, 1001 + i);
    }
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->base_arc_count, 2 * MOST);
    HT_CHECK_INT(town.counts.pieces_crowded, SPOKES - MOST);
    ht_town_end(&town);
}

HT_CASE(ways_that_pass_a_node_or_a_street_twice_keep_what_is_new)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n"
                         "  e f  \n");
    ht_town_way(&town, 1, "abcfebcd", STREET); /* a P: round a block and on, over b - c twice */
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(shape_is(&town, "ab") && shape_is(&town, "bc") && shape_is(&town, "cb") &&
             shape_is(&town, "cfeb") && shape_is(&town, "befc") && shape_is(&town, "cd") &&
             shape_is(&town, "dc"));
    HT_CHECK_INT(town.graph->base_arc_count, 8);
    HT_CHECK_INT(town.counts.pieces_repeated, 1);
    ht_town_end(&town);
    ht_town_begin(&town, "a b c\n"
                         "    d\n");
    ht_town_way(&town, 1, "abcdb", STREET); /* a stalk with a loop: nothing is driven twice */
    ht_town_way(&town, 2, "bc", STREET);    /* a street of its own beside it */
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.graph->base_arc_count, 8);
    HT_CHECK_INT(town.counts.pieces_repeated, 0);
    ht_town_end(&town);
}

HT_CASE(ferries_share_their_duration_by_length)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n"
                         "  e    \n");
    ht_town_way(&town, 1, "abd", "route=ferry|duration=00:30");
    ht_town_way(&town, 2, "be", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    uint32_t first = ht_town_arc(&town, 'a', 'b', false);
    uint32_t second = ht_town_arc(&town, 'b', 'd', false);
    HT_REQUIRE(first != HT_NONE && second != HT_NONE);
    HT_CHECK(town.graph->arcs[first].duration_ms > 599000 &&
             town.graph->arcs[first].duration_ms < 601000);
    HT_CHECK(town.graph->arcs[first].duration_ms + town.graph->arcs[second].duration_ms > 1799990);
    HT_CHECK_INT(town.graph->arcs[first].mode, HT_MODE_FERRY);
    ht_town_end(&town);
}

HT_CASE(broken_extracts_are_counted_and_survived)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d e f g\n");
    ht_town_node(&town, 'b', "missing");
    ht_town_node(&town, 'g', "far");
    ht_town_way(&town, 1, "abcdef", STREET);
    ht_town_way(&town, 1, "ca", STREET);
    ht_town_way(&town, 2, "ffg", STREET);
    ht_town_way(&town, 3, "dbd", STREET);
    ht_town_relation(&town, 1, "restriction=no_left_turn", "from w1|via nd|to w99");
    ht_town_relation(&town, 1, "restriction=no_left_turn", "from w1|via nd|to w1");
    ht_town_relation(&town, 2, "restriction=no_left_turn", "from w1|to w1");
    ht_town_relation(&town, 3, "restriction:conditional=no_left_turn", "from w1|via nd|to w1");
    ht_town_relation(&town, 4, "restriction:conditional=no_left_turn @ (weight&gt;7)",
                     "from w1|via nd|to w1");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    const struct ht_build_counts *counts = ht_network_build_counts(town.build);
    HT_CHECK_INT(counts->duplicate_ways, 1);
    HT_CHECK_INT(counts->duplicate_relations, 1);
    HT_CHECK_INT(counts->nodes_out_of_range, 1);
    HT_CHECK_INT(counts->nodes_missing, 2);
    HT_CHECK_INT(counts->ways_cut, 1);
    HT_CHECK_INT(counts->ways_dropped, 2);
    HT_CHECK_INT(counts->restrictions_malformed, 1);
    HT_CHECK_INT(counts->conditions_unknown, 1);
    HT_CHECK_INT(town.counts.restrictions_missing, 1);
    HT_CHECK(shape_is(&town, "cdef"));
    HT_CHECK_INT(town.graph->base_arc_count, 2);
    ht_town_end(&town);
}

HT_CASE(ways_without_nodes_are_counted)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "c", STREET);
    ht_town_way(&town, 3, "", STREET);
    ht_town_way(&town, 4, "c", "waterway=river");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(ht_network_build_counts(town.build)->ways_dropped, 2);
    ht_town_end(&town);
    ht_town_begin(&town, "a b\n");
    ht_town_way(&town, 2, "a", STREET);
    ht_town_build(&town, "car");
    HT_CHECK_INT(town.status, HT_EMPTY);
    HT_CHECK(strstr(town.error.message, "1 ways lack nodes") != NULL);
    ht_town_end(&town);
    ht_town_begin(&town, "a b c\n");
    ht_town_node(&town, 'a', "missing");
    ht_town_node(&town, 'b', "missing");
    ht_town_node(&town, 'c', "missing");
    ht_town_way(&town, 1, "abc", STREET);
    ht_town_way(&town, 2, "cba", STREET);
    ht_town_build(&town, "car");
    HT_CHECK_INT(town.status, HT_EMPTY);
    HT_CHECK(strstr(town.error.message, "2 ways lack nodes, 3 nodes are missing") != NULL);
    ht_town_end(&town);
}

HT_CASE(nothing_to_drive_on_is_said)
{
    struct ht_town town;
    ht_town_begin(&town, "a b\n");
    ht_town_way(&town, 1, "ab", "waterway=river");
    ht_town_build(&town, "car,foot");
    HT_CHECK_INT(town.status, HT_EMPTY);
    ht_town_end(&town);
    ht_town_begin(&town, "a b\n");
    ht_town_way(&town, 1, "ab", "highway=steps");
    ht_town_build(&town, "car,foot");
    HT_CHECK_INT(town.status, HT_EMPTY); /* for the car */
    ht_town_end(&town);
}

HT_CASE(islands_are_small_and_the_town_is_not)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c  d e\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET);
    ht_town_way(&town, 3, "de", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    const struct ht_arc *main_arc = &town.graph->arcs[ht_town_arc(&town, 'a', 'b', false)];
    const struct ht_arc *island = &town.graph->arcs[ht_town_arc(&town, 'd', 'e', false)];
    HT_CHECK_INT(town.counts.components, 2);
    HT_CHECK_INT(main_arc->component, 0);
    HT_CHECK_INT(island->component, 1);
    HT_CHECK_INT(main_arc->flags & HT_ARC_SMALL, 0);
    HT_CHECK((island->flags & HT_ARC_SMALL) != 0);
    HT_CHECK_INT(town.counts.small_arcs, 2);
    ht_town_end(&town);
}

/* Numbers that an arc has no room for; here as if it had room for 0 alone. */
HT_CASE(components_of_large_numbers_are_listed)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c  d e f g\n");
    ht_town_way(&town, 1, "abc", STREET);
    ht_town_way(&town, 2, "de", STREET);
    ht_town_way(&town, 3, "fg", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.counts.components, 3);
    HT_CHECK_INT(town.graph->listed_count, 0);
    uint32_t want[16] = {0};
    HT_REQUIRE(town.graph->arc_count <= 16);
    for (uint32_t a = 0; a < town.graph->arc_count; a++) {
        want[a] = ht_arc_component(town.graph, a);
    }
    free(town.owned->listed);
    HT_REQUIRE(ht__graph_components(town.owned, &town.counts, 1) == HT_OK);
    HT_CHECK_INT(town.graph->listed_count, 4);
    for (uint32_t a = 0; a < town.graph->arc_count; a++) {
        HT_CHECK_INT(ht_arc_component(town.graph, a), want[a]);
        HT_CHECK_INT(town.graph->arcs[a].component, want[a] == 0 ? 0 : HT_COMPONENT_LISTED);
    }
    ht_town_end(&town);
}

HT_CASE(one_can_get_into_a_sink_but_it_is_a_component_of_its_own)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET "|oneway=yes");
    ht_town_way(&town, 3, "cd", STREET);
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.counts.components, 3);
    HT_CHECK(town.graph->arcs[ht_town_arc(&town, 'a', 'b', false)].component !=
             town.graph->arcs[ht_town_arc(&town, 'c', 'd', false)].component);
    ht_town_end(&town);
}

/* ---- real extracts ---- */

static void check_graph(const struct ht_network *network, const struct ht_graph *graph)
{
    uint32_t wrong = 0;
    for (uint32_t id = 0; id < graph->arc_count; id++) {
        const struct ht_arc *arc = &graph->arcs[id];
        uint64_t length = 0;
        uint32_t count = ht_arc_point_count(arc);
        for (uint32_t i = 0; i + 1 < count; i++) {
            length +=
                ht_distance_mm(ht_arc_point(network, arc, i), ht_arc_point(network, arc, i + 1));
        }
        wrong += length != arc->length_mm || arc->weight_ms == 0 || arc->duration_ms == 0;
        wrong += graph->junction_node[arc->tail] != ht_arc_node(network, arc, 0);
        wrong += graph->junction_node[arc->head] != ht_arc_node(network, arc, count - 1);
        wrong += arc->reverse != HT_NONE &&
                 (graph->arcs[arc->reverse].reverse != ht_arc_base(graph, id) ||
                  graph->arcs[arc->reverse].from != ht_arc_to(arc));
        for (uint32_t t = graph->turn_first[id]; t < graph->turn_first[id + 1]; t++) {
            wrong += graph->arcs[graph->turns[t].to].tail != arc->head;
            wrong += t > graph->turn_first[id] && graph->turns[t - 1].to >= graph->turns[t].to;
        }
        if (id < graph->base_arc_count) {
            wrong += id < graph->junction_first_out[arc->tail] ||
                     id >= graph->junction_first_out[arc->tail + 1];
        } else {
            const uint32_t *list = NULL;
            uint32_t copies = ht_graph_copies(graph, ht_arc_base(graph, id), &list);
            uint32_t found = 0;
            for (uint32_t k = 0; k < copies; k++) {
                found += list[k] == id;
            }
            wrong += found != 1 || ht_arc_base(graph, id) >= graph->base_arc_count;
        }
    }
    HT_CHECK_INT(wrong, 0);
    for (uint32_t i = 0; i < graph->base_arc_count; i++) {
        uint32_t arc = graph->junction_in[i];
        uint32_t head = graph->arcs[arc].head;
        wrong += i < graph->junction_first_in[head] || i >= graph->junction_first_in[head + 1];
    }
    HT_CHECK_INT(wrong, 0);
}

static struct ht_network_build *read_file(const char *name, size_t threads,
                                          struct ht_profile **profiles, size_t count,
                                          struct ht_pool **pool)
{
    char path[512];
    struct ht_error error;
    struct ht_network_build *build = NULL;
    (void)snprintf(path, sizeof path, "%s/osm/%s", ht_data_dir(), name);
    struct ht_build_input input = {.path = path};
    if (ht_pool_new(threads, pool) != HT_OK ||
        ht_network_build_new(profiles, count, *pool, &build) != HT_OK ||
        ht_network_build_read(build, &input, 1, NULL, NULL, &error) != HT_OK) {
        return NULL;
    }
    return build;
}

HT_CASE(every_extract_gives_sound_graphs_for_every_profile)
{
    static const struct {
        const char *name;
        uint32_t restrictions; /* at least so many mean something to a car */
        uint32_t via_way;
    } files[] = {{"andorra.osm.pbf", 0, 0},       {"monaco.osm.pbf", 20, 0},
                 {"baltimore.osm.pbf", 0, 0},     {"copenhagen-kbh.osm.pbf", 10, 0},
                 {"jinan.osm.pbf", 0, 0},         {"milan_italy_small.osm.pbf", 1200, 5},
                 {"north-bayreuth.osm.gz", 0, 0}, {"portland_small.osm.pbf", 650, 1},
                 {"reisterstown.osm.pbf", 30, 1}, {"victoria.osm.bz2", 0, 0}};
    if (ht_data_dir() == NULL) {
        HT_SKIP("no ../shared/data");
    }
    struct ht_profile **profiles = NULL;
    size_t count = 0;
    HT_REQUIRE(ht_profiles_open(NULL, &profiles, &count, NULL) == HT_OK && count == 5);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct ht_pool *pool = NULL;
        struct ht_network_build *build = read_file(files[i].name, 2, profiles, count, &pool);
        HT_REQUIRE(build != NULL);
        for (size_t p = 0; p < count; p++) {
            struct ht_graph_owned *owned = NULL;
            struct ht_graph_counts counts;
            HT_REQUIRE(ht_network_build_graph(build, p, &owned, &counts) == HT_OK);
            const struct ht_graph *graph = ht_graph_owned_view(owned);
            check_graph(ht_network_build_network(build), graph);
            if (p == 0) {
                HT_CHECK(counts.restrictions_used >= files[i].restrictions);
                HT_CHECK(counts.restrictions_via_way >= files[i].via_way);
            }
            HT_CHECK(counts.small_arcs < graph->arc_count / 4);
            ht_graph_owned_free(owned);
        }
        ht_network_build_free(build);
        ht_pool_free(pool);
    }
    ht_profiles_free(profiles, count);
}

HT_CASE(threads_leave_no_trace)
{
    if (ht_data_dir() == NULL) {
        HT_SKIP("no ../shared/data");
    }
    struct ht_profile **profiles = NULL;
    size_t count = 0;
    HT_REQUIRE(ht_profiles_open("car", &profiles, &count, NULL) == HT_OK);
    struct ht_pool *pool[2] = {NULL, NULL};
    struct ht_network_build *build[2];
    struct ht_graph_owned *owned[2];
    for (size_t i = 0; i < 2; i++) {
        struct ht_graph_counts counts;
        build[i] =
            read_file("milan_italy_small.osm.pbf", i == 0 ? 1 : 4, profiles, count, &pool[i]);
        HT_REQUIRE(build[i] != NULL);
        HT_REQUIRE(ht_network_build_graph(build[i], 0, &owned[i], &counts) == HT_OK);
    }
    const struct ht_network *a = ht_network_build_network(build[0]);
    const struct ht_network *b = ht_network_build_network(build[1]);
    HT_REQUIRE(a->way_count == b->way_count && a->way_node_count == b->way_node_count &&
               a->node_count == b->node_count && a->strings_size == b->strings_size);
    HT_CHECK(memcmp(a->way_node, b->way_node, a->way_node_count * sizeof *a->way_node) == 0);
    HT_CHECK(memcmp(a->strings, b->strings, a->strings_size) == 0);
    HT_CHECK(memcmp(a->ways, b->ways, a->way_count * sizeof *a->ways) == 0);
    const struct ht_graph *x = ht_graph_owned_view(owned[0]);
    const struct ht_graph *y = ht_graph_owned_view(owned[1]);
    HT_REQUIRE(x->arc_count == y->arc_count && x->turn_count == y->turn_count);
    HT_CHECK(memcmp(x->arcs, y->arcs, x->arc_count * sizeof *x->arcs) == 0);
    HT_CHECK(memcmp(x->turns, y->turns, x->turn_count * sizeof *x->turns) == 0);
    for (size_t i = 0; i < 2; i++) {
        ht_graph_owned_free(owned[i]);
        ht_network_build_free(build[i]);
        ht_pool_free(pool[i]);
    }
    ht_profiles_free(profiles, count);
}

HT_MAIN()
