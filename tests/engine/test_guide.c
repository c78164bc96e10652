/* Guidance on small towns drawn by hand. The expectations are facts of OSRM's features/guidance. */
#include "engine/road/guide.h"

#include "engine/road/guide_internal.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/tiny.h"

#define WAYS(ways) ways, sizeof(ways) / sizeof((ways)[0])

static const char *type_name(enum ht_step_type type)
{
    static const char *const names[] = {"none",
                                        "suppressed",
                                        "sliproad",
                                        "stay",
                                        "depart",
                                        "arrive",
                                        "turn",
                                        "new name",
                                        "continue",
                                        "merge",
                                        "on ramp",
                                        "off ramp",
                                        "fork",
                                        "end of road",
                                        "notification",
                                        "use lane",
                                        "roundabout",
                                        "rotary",
                                        "roundabout turn",
                                        "exit roundabout",
                                        "exit rotary",
                                        "exit roundabout turn"};
    return names[type];
}

static const char *modifier_name(enum ht_step_modifier modifier)
{
    static const char *const names[] = {"uturn",        "sharp right", "right",
                                        "slight right", "straight",    "slight left",
                                        "left",         "sharp left",  ""};
    return names[modifier];
}

/* Guidance along a walk over every node, from the middle of its first segment to the middle of the
 * last one (or from and to its ends). */
struct tour {
    struct ht_tiny *town;
    struct ht_guide *guide;
    struct ht_place source;
    struct ht_place target;
    uint32_t arcs[256];
    struct ht_guide_leg leg;
    struct ht_guide_steps steps;
    char text[1024];
};

static uint32_t side_of(const struct ht_place *place, uint32_t arc)
{
    return place->side[0].arc == arc ? 0 : 1;
}

static void tour_describe(struct tour *tour)
{
    size_t at = 0;
    tour->text[0] = '\0';
    for (uint32_t i = 0; i < tour->steps.step_count; i++) {
        const struct ht_guide_step *s = &tour->steps.steps[i];
        const struct ht_way *way = &tour->town->network.ways[s->way];
        char exit[16] = "";
        if (s->exit > 0) {
            (void)snprintf(exit, sizeof exit, "-%u", s->exit);
        }
        const char *modifier = s->type == HT_STEP_DEPART || s->type == HT_STEP_ARRIVE
                                   ? ""
                                   : modifier_name(s->modifier);
        at += (size_t)snprintf(tour->text + at, sizeof tour->text - at, "%s%s%s%s%s(%s)",
                               i > 0 ? ", " : "", type_name(s->type), exit,
                               modifier[0] != '\0' ? " " : "", modifier,
                               tour->town->network.strings + way->name);
    }
}

static struct tour *tour_begin(struct ht_tiny *town, const char *walk)
{
    struct tour *tour = calloc(1, sizeof *tour);
    ht_tiny_require(tour != NULL && ht_guide_new(&tour->guide) == HT_OK, "out of memory");
    size_t n = strlen(walk);
    uint32_t count = ht_tiny_path(town, walk, tour->arcs, 256);
    tour->town = town;
    tour->source = ht_tiny_place(town, walk[0], walk[1], n == 2 ? 0.25 : 0.5);
    tour->target = ht_tiny_place(town, walk[n - 2], walk[n - 1], n == 2 ? 0.75 : 0.5);
    tour->leg = (struct ht_guide_leg){
        .network = &town->network,
        .graph = &town->graph,
        .source = &tour->source,
        .target = &tour->target,
        .source_side = side_of(&tour->source, tour->arcs[0]),
        .target_side = side_of(&tour->target, tour->arcs[count - 1]),
        .arcs = tour->arcs,
        .arc_count = count,
        .network_id = 1,
    };
    if (ht_guide_run(tour->guide, &tour->leg, &tour->steps) == HT_OK) {
        tour_describe(tour);
    }
    return tour;
}

static void tour_end(struct tour *tour)
{
    ht_guide_free(tour->guide);
    free(tour);
}

/* Every walk: the steps' costs add up, points and junctions are handed on from step to step. */
static void check_whole(const struct tour *tour)
{
    const struct ht_guide_steps *s = &tour->steps;
    int64_t length = 0;
    int64_t duration = 0;
    for (uint32_t i = 0; i < s->step_count; i++) {
        length += s->steps[i].cost.length_mm;
        duration += s->steps[i].cost.duration_ms;
        if (i + 1 < s->step_count) {
            HT_CHECK(s->steps[i].point_count >= 2);
            HT_CHECK_INT(s->steps[i].first_point + s->steps[i].point_count - 1,
                         s->steps[i + 1].first_point);
        }
        HT_CHECK(s->steps[i].junction_count >= 1);
    }
    HT_CHECK_INT(s->steps[s->step_count - 1].point_count, 1);
    const struct ht_place_side *from = &tour->source.side[tour->leg.source_side];
    const struct ht_place_side *to = &tour->target.side[tour->leg.target_side];
    const struct ht_graph *g = &tour->town->graph;
    int64_t want_length = from->after.length_mm + to->before.length_mm;
    int64_t want_duration = (int64_t)from->after.duration_ms + to->before.duration_ms;
    if (tour->leg.arc_count == 1) {
        want_length = to->before.length_mm - from->before.length_mm;
        want_duration = (int64_t)to->before.duration_ms - from->before.duration_ms;
    }
    for (uint32_t i = 1; i + 1 < tour->leg.arc_count; i++) {
        want_length += g->arcs[tour->arcs[i]].length_mm;
        want_duration += g->arcs[tour->arcs[i]].duration_ms;
    }
    for (uint32_t i = 0; i + 1 < tour->leg.arc_count; i++) {
        want_duration += ht_graph_turn_between(g, tour->arcs[i], tour->arcs[i + 1]).duration_ms;
    }
    HT_CHECK_INT(length, want_length);
    HT_CHECK_INT(duration, want_duration);
}

static void expect(struct ht_tiny *town, const char *walk, const char *steps)
{
    struct tour *tour = tour_begin(town, walk);
    HT_CHECK_STR(tour->text, steps);
    if (tour->steps.step_count > 0) {
        check_whole(tour);
    }
    tour_end(tour);
}

HT_CASE(guide_straight_road_says_nothing)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "bd", .name = "bd"}};
    struct ht_tiny *t = ht_tiny_new("a b c\n\n  d", 100, WAYS(ways), NULL);
    expect(t, "abc", "depart(abc), arrive(abc)");
    expect(t, "cba", "depart(abc), arrive(abc)");
    ht_tiny_free(t);
}

HT_CASE(guide_turns_left_and_right_at_a_crossing)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "dbe", .name = "dbe"}};
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), NULL);
    expect(t, "abd", "depart(abc), turn left(dbe), arrive(dbe)");
    expect(t, "abe", "depart(abc), turn right(dbe), arrive(dbe)");
    expect(t, "abc", "depart(abc), arrive(abc)");
    expect(t, "cbd", "depart(abc), turn right(dbe), arrive(dbe)");
    ht_tiny_free(t);
}

HT_CASE(guide_name_change_without_turn_is_new_name)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "first"},
                                              {.nodes = "bc", .name = "second"}};
    struct ht_tiny *t = ht_tiny_new("a   b   c", 100, WAYS(ways), NULL);
    expect(t, "abc", "depart(first), new name straight(second), arrive(second)");
    ht_tiny_free(t);
}

HT_CASE(guide_suffix_change_is_not_announced)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "Main Street"},
                                              {.nodes = "bc", .name = "Main Street North"},
                                              {.nodes = "cd", .name = "Main Street S"},
                                              {.nodes = "de", .name = "Main Avenue"}};
    struct ht_tiny *t = ht_tiny_new("a   b   c   d   e", 100, WAYS(ways), NULL);
    expect(t, "abcd", "depart(Main Street), arrive(Main Street S)");
    expect(t, "cde", "depart(Main Street S), new name straight(Main Avenue), arrive(Main Avenue)");
    ht_tiny_free(t);
}

HT_CASE(guide_lost_name_is_not_announced_a_found_one_is)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "my"}, {.nodes = "bc"}, {.nodes = "cd", .name = "your"}};
    struct ht_tiny *t = ht_tiny_new("a   b   c   d", 100, WAYS(ways), NULL);
    expect(t, "abc", "depart(my), arrive()");
    expect(t, "bcd", "depart(), new name straight(your), arrive(your)");
    ht_tiny_free(t);
}

HT_CASE(guide_end_of_road_needs_other_junctions_before_it)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "axb", .name = "ab"},
                                              {.nodes = "cbd", .name = "cbd"},
                                              {.nodes = "xy", .name = "xy"}};
    struct ht_tiny *t = ht_tiny_new("        c\n\na   x   b\n\n    y   d", 50, WAYS(ways), NULL);
    expect(t, "axbc", "depart(ab), end of road left(cbd), arrive(cbd)");
    expect(t, "axbd", "depart(ab), end of road right(cbd), arrive(cbd)");
    ht_tiny_free(t);
    static const struct ht_tiny_way bare[] = {{.nodes = "ab", .name = "ab"},
                                              {.nodes = "cbd", .name = "cbd"}};
    t = ht_tiny_new("    c\n\na   b\n\n    d", 50, WAYS(bare), NULL);
    expect(t, "abc", "depart(ab), turn left(cbd), arrive(cbd)");
    ht_tiny_free(t);
}

HT_CASE(guide_street_that_turns_is_continue)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abc", .name = "road", .road_class = HT_ROAD_PRIMARY},
        {.nodes = "bd", .name = "other", .road_class = HT_ROAD_PRIMARY}};
    struct ht_tiny *t = ht_tiny_new("a    b    d\n\n\n     c", 100, WAYS(ways), NULL);
    expect(t, "abc", "depart(road), continue right(road), arrive(road)");
    expect(t, "abd", "depart(road), turn straight(other), arrive(other)");
    ht_tiny_free(t);
    static const struct ht_tiny_way lanes[] = {{.nodes = "abc", .name = "road"},
                                               {.nodes = "bd", .name = "other"}};
    t = ht_tiny_new("a    b    d\n\n\n     c", 100, WAYS(lanes), NULL);
    expect(t, "abd", "depart(road), new name straight(other), arrive(other)");
    ht_tiny_free(t);
}

HT_CASE(guide_fork_of_two_like_roads)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "ab"},
                                              {.nodes = "bc", .name = "bc"},
                                              {.nodes = "bd", .name = "bd"}};
    struct ht_tiny *t = ht_tiny_new("         c\n\na    b   \n\n         d", 100, WAYS(ways), NULL);
    expect(t, "abc", "depart(ab), fork slight left(bc), arrive(bc)");
    expect(t, "abd", "depart(ab), fork slight right(bd), arrive(bd)");
    ht_tiny_free(t);
}

HT_CASE(guide_service_road_is_no_fork)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "ab"},
        {.nodes = "bc", .name = "ab"},
        {.nodes = "bd", .name = "yard", .road_class = HT_ROAD_SERVICE}};
    struct ht_tiny *t = ht_tiny_new("         c\n\na    b   \n\n         d", 100, WAYS(ways), NULL);
    expect(t, "abc", "depart(ab), arrive(ab)");
    expect(t, "abd", "depart(ab), turn slight right(yard), arrive(yard)");
    ht_tiny_free(t);
}

HT_CASE(guide_dead_end_turns_round)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "ab"},
                                              {.nodes = "cad", .name = "cd"}};
    struct ht_tiny *t = ht_tiny_new("c   \n\na   b\n\nd   ", 100, WAYS(ways), NULL);
    expect(t, "caba", "depart(cd), turn left(ab), continue uturn(ab), arrive(ab)");
    ht_tiny_free(t);
}

/* Motorways. */

HT_CASE(guide_ramps_lead_off_and_merge)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abcde", .name = "A1", .ref = "A1", .motorway = true, .oneway = true},
        {.nodes = "bfg", .motorway = true, .flags = HT_WAY_LINK, .oneway = true},
        {.nodes = "hid", .motorway = true, .flags = HT_WAY_LINK, .oneway = true}};
    struct ht_tiny *t = ht_tiny_new("a   b   c   d   e\n"
                                    "      f   i      \n"
                                    "        g h      ",
                                    100, WAYS(ways), NULL);
    expect(t, "abfg", "depart(A1), off ramp slight right(), arrive()");
    expect(t, "abcde", "depart(A1), arrive(A1)");
    expect(t, "hide", "depart(), merge slight left(A1), arrive(A1)");
    ht_tiny_free(t);
}

HT_CASE(guide_road_beside_a_ramp_that_bends_alike_goes_on)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "ab", .road_class = HT_ROAD_TERTIARY},
        {.nodes = "bc", .name = "bc", .road_class = HT_ROAD_TERTIARY},
        {.nodes = "bd", .name = "bd", .motorway = true, .flags = HT_WAY_LINK, .oneway = true}};
    struct ht_tiny *t = ht_tiny_new("    c\n     \na b  \n     \n    d", 10, WAYS(ways), NULL);
    expect(t, "abc", "depart(ab), arrive(bc)");
    expect(t, "abd", "depart(ab), on ramp right(bd), arrive(bd)");
    ht_tiny_free(t);
}

HT_CASE(guide_onto_a_ramp)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abc", .name = "road", .road_class = HT_ROAD_PRIMARY},
        {.nodes = "bd", .motorway = true, .flags = HT_WAY_LINK, .oneway = true}};
    struct ht_tiny *t = ht_tiny_new("a   b   c\n       \n      d  ", 100, WAYS(ways), NULL);
    expect(t, "abd", "depart(road), on ramp right(), arrive()");
    ht_tiny_free(t);
}

/* Roundabouts. */

static struct ht_tiny *big_circle(uint8_t flags, const char *name, double grid_m)
{
    struct ht_tiny_way ways[] = {
        {.nodes = "bcdefghib", .name = name, .flags = flags, .oneway = true},
        {.nodes = "ab", .name = "ab"},
        {.nodes = "jd", .name = "dj"},
        {.nodes = "kf", .name = "fk"},
        {.nodes = "lh", .name = "hl"}};
    return ht_tiny_new("      a      \n"
                       "             \n"
                       "      b      \n"
                       "    c   i    \n"
                       "             \n"
                       "j d       h l\n"
                       "             \n"
                       "    e   g    \n"
                       "      f      \n"
                       "             \n"
                       "      k      ",
                       grid_m, WAYS(ways), NULL);
}

HT_CASE(guide_roundabout_counts_exits)
{
    struct ht_tiny *t = big_circle(HT_WAY_ROUNDABOUT, NULL, 20);
    expect(t, "abcdj",
           "depart(ab), roundabout-1 right(dj), exit roundabout-1 right(dj), arrive(dj)");
    expect(t, "abcdefk",
           "depart(ab), roundabout-2 right(fk), exit roundabout-2 right(fk), arrive(fk)");
    expect(t, "abcdefghl",
           "depart(ab), roundabout-3 right(hl), exit roundabout-3 right(hl), arrive(hl)");
    ht_tiny_free(t);
}

HT_CASE(guide_roundabout_entered_along_itself)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abcda", .flags = HT_WAY_ROUNDABOUT, .oneway = true},
        {.nodes = "ed", .name = "ed"},
        {.nodes = "af", .name = "af"}}; /* lies on the circle between a and b */
    struct ht_tiny *t = ht_tiny_new("a   d\n     \nb   c\nf   e", 10, WAYS(ways), NULL);
    expect(t, "fabcde",
           "depart(af), roundabout-1 uturn(ed), exit roundabout-1 uturn(ed), arrive(ed)");
    expect(t, "edaf", "depart(ed), roundabout-1 left(af), exit roundabout-1 left(af), arrive(af)");
    ht_tiny_free(t);
}

HT_CASE(guide_comes_by_one_of_two_ways_on_the_same_nodes)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "rstur", .flags = HT_WAY_ROUNDABOUT, .oneway = true},
        {.nodes = "eds", .name = "in"},
        {.nodes = "ds", .name = "in"},
        {.nodes = "dm", .name = "side"},
        {.nodes = "uf", .name = "out"},
        {.nodes = "tv", .name = "down"}};
    struct ht_tiny *t = ht_tiny_new(
        "        r    \n\ne d s       u f\n\n  m     t    \n\n        v", 10, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "edstuf");
    char by_one[sizeof tour->text];
    memcpy(by_one, tour->text, sizeof by_one);
    HT_CHECK_STR(by_one,
                 "depart(in), roundabout-2 slight right(out), exit roundabout-2 slight right(out), "
                 "arrive(out)");
    uint32_t twin = HT_NONE;
    for (uint32_t a = 0; a < t->graph.base_arc_count; a++) {
        bool beside = t->arcs[a].tail == t->arcs[tour->arcs[1]].tail &&
                      t->arcs[a].head == t->arcs[tour->arcs[1]].head;
        twin = beside && a != tour->arcs[1] ? a : twin;
    }
    HT_REQUIRE(twin != HT_NONE);
    tour->arcs[1] = twin;
    HT_REQUIRE(ht_guide_run(tour->guide, &tour->leg, &tour->steps) == HT_OK);
    tour_describe(tour);
    HT_CHECK_STR(tour->text, by_one);
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_named_wide_circle_is_a_rotary)
{
    struct ht_tiny *t = big_circle(HT_WAY_ROUNDABOUT, "ring", 20);
    struct tour *tour = tour_begin(t, "abcdefk");
    HT_CHECK_STR(tour->text, "depart(ab), rotary-2 right(fk), exit rotary-2 right(fk), arrive(fk)");
    HT_REQUIRE(tour->steps.step_count == 4);
    HT_REQUIRE(tour->steps.steps[1].rotary_way != HT_NONE);
    HT_CHECK_STR(t->network.strings + t->ways[tour->steps.steps[1].rotary_way].name, "ring");
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_small_circle_is_a_turn)
{
    struct ht_tiny *t = big_circle(HT_WAY_ROUNDABOUT, NULL, 1.5);
    expect(t, "abcdj", "depart(ab), roundabout turn-1 right(dj), arrive(dj)");
    expect(t, "abcdefk", "depart(ab), roundabout turn-2 straight(fk), arrive(fk)");
    expect(t, "abcdefghl", "depart(ab), roundabout turn-3 left(hl), arrive(hl)");
    ht_tiny_free(t);
}

HT_CASE(guide_begins_and_ends_in_a_roundabout)
{
    struct ht_tiny *t = big_circle(HT_WAY_ROUNDABOUT, NULL, 20);
    expect(t, "cdefk", "depart(), exit roundabout-2 right(fk), arrive(fk)");
    expect(t, "abcde", "depart(ab), roundabout right(), arrive()");
    ht_tiny_free(t);
}

/* Merging. */

HT_CASE(guide_crossing_a_divided_street_is_one_turn)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abc", .name = "first", .road_class = HT_ROAD_PRIMARY, .oneway = true},
        {.nodes = "def", .name = "first", .road_class = HT_ROAD_PRIMARY, .oneway = true},
        {.nodes = "gbeh", .name = "second", .road_class = HT_ROAD_PRIMARY}};
    /* a-b-c runs west, d-e-f east, ten metres apart. */
    struct ht_tiny *t = ht_tiny_new("           g\n\n\n\n\n\n\n\n\n\n\n\n"
                                    "c          b          a\n"
                                    "\n"
                                    "d          e          f\n\n\n\n\n\n\n\n\n\n\n\n"
                                    "           h",
                                    5, WAYS(ways), NULL);
    expect(t, "hebg", "depart(second), arrive(second)");
    expect(t, "hebc", "depart(second), turn left(first), arrive(first)");
    expect(t, "abef", "depart(first), continue uturn(first), arrive(first)");
    ht_tiny_free(t);
}

HT_CASE(guide_name_that_flickers_is_not_told)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "road"},
                                              {.nodes = "bc", .name = "bridge"},
                                              {.nodes = "cd", .name = "road"}};
    struct ht_tiny *t = ht_tiny_new("a     b c     d", 20, WAYS(ways), NULL);
    expect(t, "abcd", "depart(road), arrive(road)");
    ht_tiny_free(t);
}

HT_CASE(guide_staggered_crossing_is_straight)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abc", .name = "cross", .road_class = HT_ROAD_PRIMARY},
        {.nodes = "db", .name = "lane"},
        {.nodes = "ce", .name = "lane"},
        {.nodes = "cf", .name = "cross", .road_class = HT_ROAD_PRIMARY}};
    struct ht_tiny *t =
        ht_tiny_new("                         d\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                    "a                        b c                     f\n"
                    "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                    "                           e",
                    1, WAYS(ways), NULL);
    expect(t, "dbce", "depart(lane), arrive(lane)");
    ht_tiny_free(t);
}

HT_CASE(guide_ferry_is_notified)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "quay", .road_class = HT_ROAD_PRIMARY},
        {.nodes = "bc", .name = "boat", .road_class = HT_ROAD_FERRY, .mode = HT_MODE_FERRY},
        {.nodes = "cd", .name = "pier", .road_class = HT_ROAD_PRIMARY}};
    struct ht_tiny *t = ht_tiny_new("a   b   c   d", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abcd");
    HT_CHECK_STR(tour->text, "depart(quay), notification straight(boat), notification "
                             "straight(pier), arrive(pier)");
    HT_REQUIRE(tour->steps.step_count == 4);
    HT_CHECK_INT(tour->steps.steps[1].mode, HT_MODE_FERRY);
    HT_CHECK_INT(tour->steps.steps[2].mode, HT_MODE_DRIVING);
    check_whole(tour);
    tour_end(tour);
    ht_tiny_free(t);
}

/* Junctions, lanes, sides. */

HT_CASE(guide_junction_lists_roads_clockwise_with_entries)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "db", .name = "db", .oneway = true},
                                              {.nodes = "be", .name = "be", .oneway = true}};
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abc");
    HT_REQUIRE(tour->steps.step_count == 2 && tour->steps.steps[0].junction_count == 2);
    const struct ht_guide_junction *j = &tour->steps.junctions[1];
    const struct ht_guide_road *r = &tour->steps.roads[j->first_road];
    HT_REQUIRE(j->road_count == 4);
    static const uint16_t bearings[4] = {0, 90, 180, 270};
    static const bool entries[4] = {false, true, true, false};
    for (int i = 0; i < 4; i++) {
        HT_CHECK_INT(r[i].bearing_deg, bearings[i]);
        HT_CHECK_INT(r[i].entry, entries[i]);
    }
    HT_CHECK_INT(j->in, 3);
    HT_CHECK_INT(j->out, 1);
    HT_CHECK_INT(tour->steps.steps[0].bearing_after, 90);
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_banned_turn_is_no_entry)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "dbe", .name = "dbe"}};
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), "abd");
    struct tour *tour = tour_begin(t, "abc");
    HT_REQUIRE(tour->steps.step_count == 2 && tour->steps.steps[0].junction_count == 2);
    const struct ht_guide_road *r = &tour->steps.roads[tour->steps.junctions[1].first_road];
    HT_CHECK(!r[0].entry && r[1].entry && r[2].entry && !r[3].entry);
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_lanes_serve_their_turn)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "in", .lanes = "left|through|through;right"},
        {.nodes = "bc", .name = "in"},
        {.nodes = "dbe", .name = "cross"}};
    static const struct {
        const char *walk;
        uint8_t first;
        uint8_t valid;
    } cases[] = {{"abd", 2, 1}, {"abc", 0, 2}, {"abe", 0, 1}};
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), NULL);
    for (int i = 0; i < 3; i++) {
        struct tour *tour = tour_begin(t, cases[i].walk);
        const struct ht_guide_junction *j = &tour->steps.junctions[1];
        HT_CHECK(j->lanes != 0);
        HT_CHECK_INT(j->lane_first, cases[i].first);
        HT_CHECK_INT(j->lane_valid, cases[i].valid);
        tour_end(tour);
    }
    struct tour *back = tour_begin(t, "cba");
    HT_CHECK_INT(back->steps.junctions[1].lane_valid, 0);
    tour_end(back);
    ht_tiny_free(t);
}

/* What the lanes are at the junctions of a walk, after its first: "first+valid" each, - for none.
 */
static void check_lanes(struct ht_tiny *t, const char *walk, const char *want)
{
    struct tour *tour = tour_begin(t, walk);
    char got[64] = "";
    for (uint32_t i = 1; i + 1 < tour->steps.junction_count; i++) {
        const struct ht_guide_junction *j = &tour->steps.junctions[i];
        char one[16] = "-";
        if (j->lane_valid > 0) {
            (void)snprintf(one, sizeof one, "%u+%u", j->lane_first, j->lane_valid);
        }
        size_t n = strlen(got);
        (void)snprintf(got + n, sizeof got - n, "%s%s", n > 0 ? " " : "", one);
    }
    HT_CHECK_STR(got, want);
    tour_end(tour);
}

HT_CASE(guide_lanes_hold_to_the_next_junction)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "in", .lanes = "through|right"},
        {.nodes = "bc", .name = "in"},
        {.nodes = "cd", .name = "in"},
        {.nodes = "ce", .name = "side"}};
    struct ht_tiny *t = ht_tiny_new("a b c d\n\n    e", 50, WAYS(ways), NULL);
    check_lanes(t, "abcd", "1+1");
    check_lanes(t, "abce", "0+1");
    check_lanes(t, "dcba", "-");
    ht_tiny_free(t);
}

HT_CASE(guide_lanes_are_about_the_second_of_two_junctions)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "road", .lanes = "left|through;right"},
        {.nodes = "bcd", .name = "road"},
        {.nodes = "eb", .name = "owi", .oneway = true},
        {.nodes = "cf", .name = "turn"},
        {.nodes = "bg", .name = "right"}};
    struct ht_tiny *near = ht_tiny_new("e     f\n\na   b c d\n\n    g", 5, WAYS(ways), NULL);
    check_lanes(near, "abcf", "1+1 1+1");
    check_lanes(near, "abcd", "0+1 0+1");
    check_lanes(near, "abg", "0+1");
    ht_tiny_free(near);
    /* too far apart: the lanes before the first say nothing of the second */
    struct ht_tiny *far = ht_tiny_new("e     f\n\na   b c d\n\n    g", 20, WAYS(ways), NULL);
    check_lanes(far, "abcf", "0+2 -");
    ht_tiny_free(far);
}

HT_CASE(guide_lanes_unmarked_serve_what_is_left)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "in", .lanes = "none|right"},
        {.nodes = "bc", .name = "on"},
        {.nodes = "bd", .name = "right", .lanes_backward = "left|"},
        {.nodes = "be", .name = "left"}};
    struct ht_tiny *t = ht_tiny_new("  e\n\na b c\n\n  d", 5, WAYS(ways), NULL);
    check_lanes(t, "abc", "1+1");
    check_lanes(t, "abd", "0+1");
    check_lanes(t, "abe", "1+1");
    check_lanes(t, "dba", "1+1");
    check_lanes(t, "dbc", "0+1");
    ht_tiny_free(t);
}

HT_CASE(guide_lanes_of_a_sliproad_stand_beside_the_streets)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "in", .oneway = true},
        {.nodes = "bc", .name = "in", .oneway = true, .lanes = "left|through"},
        {.nodes = "bd", .name = "in", .oneway = true, .lanes = "right"},
        {.nodes = "ec", .name = "cross"},
        {.nodes = "cd", .name = "cross"},
        {.nodes = "df", .name = "cross"},
        {.nodes = "cg", .name = "straight"}};
    struct ht_tiny *t = ht_tiny_new("              e\n\n\n\n"
                                    "a     b       c     g\n\n\n\n\n\n"
                                    "              d\n\n\n\n"
                                    "              f",
                                    2.5, WAYS(ways), "bdc bcd");
    check_lanes(t, "abce", "- 2+1");
    check_lanes(t, "abcg", "- 1+1");
    check_lanes(t, "abdf", "0+1 0+1");
    struct tour *tour = tour_begin(t, "abcg");
    for (int times = 0; times < 2; times++) { /* the second time it is remembered */
        const struct ht_guide_junction *j = &tour->steps.junctions[2];
        HT_CHECK_STR(t->network.strings + j->lanes, "left|through");
        HT_CHECK_STR(t->network.strings + j->lanes_right, "right");
        HT_CHECK_INT(j->lane_first, 1);
        HT_REQUIRE(ht_guide_run(tour->guide, &tour->leg, &tour->steps) == HT_OK);
    }
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_lanes_are_chosen_for_the_turns_to_come)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "ab", .lanes = "through|right|right|right"},
        {.nodes = "bx", .name = "bx"},
        {.nodes = "bc", .name = "bc", .lanes = "left|left|through"},
        {.nodes = "cd", .name = "cd", .lanes = "through|right"},
        {.nodes = "cy", .name = "cy"},
        {.nodes = "dz", .name = "dz"},
        {.nodes = "de", .name = "de"}};
    static const char map[] = "a b x\n\n  c d z\n\n  y e";
    struct ht_tiny *t = ht_tiny_new(map, 50, WAYS(ways), NULL);
    check_lanes(t, "abcd", "1+2 1+2");
    check_lanes(t, "abcde", "1+1 1+1 0+1");
    ht_tiny_free(t);
    struct ht_tiny *wide = ht_tiny_new(map, 400, WAYS(ways), NULL);
    check_lanes(wide, "abcde", "0+3 1+2 0+1"); /* time enough to change lanes */
    ht_tiny_free(wide);
}

/* OSRM's "turns with through before and after": at e, which is merged into the turn at b, lanes can
 * be changed. */
HT_CASE(guide_lanes_are_free_before_a_turn_that_was_merged_away)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "ab", .name = "top", .lanes = "through|right|right|right", .oneway = true},
        {.nodes = "be", .name = "top", .oneway = true},
        {.nodes = "bq", .name = "off", .oneway = true},
        {.nodes = "ef",
         .name = "main",
         .lanes = "left|through|through|through|through|right",
         .oneway = true},
        {.nodes = "fg", .name = "main", .lanes = "left|left|right|right", .oneway = true},
        {.nodes = "fs", .name = "off", .oneway = true},
        {.nodes = "ft", .name = "off", .oneway = true},
        {.nodes = "ghi", .name = "top", .oneway = true},
        {.nodes = "cde", .name = "bot", .oneway = true},
        {.nodes = "gjk", .name = "bot", .oneway = true}};
    struct ht_tiny *t = ht_tiny_new("a   b   q       s   h   i\n\n\n\n"
                                    "          e   f   g\n\n\n\n"
                                    "c   d           t   j   k",
                                    5, WAYS(ways), NULL);
    check_lanes(t, "abefghi", "0+3 - 3+2 2+2");
    check_lanes(t, "abefgjk", "0+3 - 1+2 0+2");
    ht_tiny_free(t);
}

/* Relations of type maneuver: by their arcs, at their junction, for those who drive all of it. */
HT_CASE(guide_says_what_the_map_says)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "one"},
                                              {.nodes = "bc", .name = "two"},
                                              {.nodes = "cd", .name = "three"},
                                              {.nodes = "be", .name = "four"},
                                              {.nodes = "cf", .name = "five"}};
    struct ht_tiny *t = ht_tiny_new("a   b   c   d\n\n\n    e   f", 100, WAYS(ways), NULL);
    uint32_t arcs[3];
    HT_REQUIRE(ht_tiny_path(t, "abcf", arcs, 3) == 3);
    struct ht_maneuver list[] = {{.count = 2,
                                  .kind = HT_MANEUVER_TURN,
                                  .modifier = HT_MODIFIER_SLIGHT_LEFT,
                                  .junction = t->graph.arcs[arcs[0]].head},
                                 {.count = 3,
                                  .kind = HT_MANEUVER_AS_IT_IS,
                                  .modifier = HT_MODIFIER_SHARP_RIGHT,
                                  .junction = t->graph.arcs[arcs[1]].head}};
    memcpy(list[0].arcs, arcs, 2 * sizeof *arcs);
    memcpy(list[1].arcs, arcs, sizeof arcs);
    expect(t, "abcf", "depart(one), new name straight(two), turn right(five), arrive(five)");
    t->graph.maneuvers = list;
    t->graph.maneuver_count = 2;
    expect(t, "abcf", "depart(one), turn slight left(two), turn sharp right(five), arrive(five)");
    expect(t, "abcd",
           "depart(one), turn slight left(two), new name straight(three), arrive(three)");
    list[0].kind = HT_MANEUVER_SUPPRESS;
    expect(t, "abcd", "depart(one), new name straight(three), arrive(three)");
    expect(t, "ebcf", "depart(four), turn right(two), turn right(five), arrive(five)");
    ht_tiny_free(t);
}

HT_CASE(guide_lane_texts_are_read)
{
    uint16_t masks[8];
    HT_CHECK_INT(ht_guide_lane_masks("left|through;slight_right||reverse", masks, 8), 4);
    HT_CHECK_INT(masks[0], 1 << 3);
    HT_CHECK_INT(masks[1], 1 << 1 | 1 << 5);
    HT_CHECK_INT(masks[2], 1 << 0);
    HT_CHECK_INT(masks[3], 1 << 8);
    HT_CHECK_INT(ht_guide_lane_masks("right|", masks, 8), 2);
    HT_CHECK_INT(masks[1], 1);
    HT_CHECK_INT(ht_guide_lane_masks("", masks, 8), 0);
    HT_CHECK_INT(ht_guide_lane_masks("left|left|left", masks, 2), 2);
    HT_CHECK_INT(ht_guide_lane_masks("nonsense;;|", masks, 8), 2);
}

HT_CASE(guide_arrival_tells_the_side)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "ab"}};
    static const struct {
        int32_t lat_e7;
        enum ht_step_modifier modifier;
    } cases[] = {{2000, HT_MODIFIER_LEFT}, {-2000, HT_MODIFIER_RIGHT}, {0, HT_MODIFIER_NONE}};
    struct ht_tiny *t = ht_tiny_new("a   b", 100, WAYS(ways), NULL);
    for (int i = 0; i < 3; i++) {
        struct tour *tour = tour_begin(t, "ab");
        tour->target.input.lat_e7 += cases[i].lat_e7;
        HT_REQUIRE(ht_guide_run(tour->guide, &tour->leg, &tour->steps) == HT_OK);
        HT_REQUIRE(tour->steps.step_count == 2);
        HT_CHECK_INT(tour->steps.steps[1].modifier, cases[i].modifier);
        HT_CHECK_INT(tour->steps.steps[1].bearing_before, 90);
        HT_CHECK_INT(tour->steps.steps[1].bearing_after, 0);
        tour_end(tour);
    }
    ht_tiny_free(t);
}

HT_CASE(guide_place_at_a_corner_gives_no_idle_step)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "ab"},
                                              {.nodes = "bc", .name = "bc"},
                                              {.nodes = "bd", .name = "bd"}};
    struct ht_tiny *t = ht_tiny_new("a   b   d\n\n\n    c", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abc");
    tour->source = ht_tiny_place(t, 'a', 'b', 1);
    HT_REQUIRE(ht_guide_run(tour->guide, &tour->leg, &tour->steps) == HT_OK);
    tour_describe(tour);
    HT_CHECK_STR(tour->text, "depart(bc), arrive(bc)");
    HT_CHECK_INT(tour->steps.steps[0].bearing_after, 180);
    check_whole(tour);
    tour->source = ht_tiny_place(t, 'a', 'b', 0.5);
    tour->target = ht_tiny_place(t, 'b', 'c', 0);
    HT_REQUIRE(ht_guide_run(tour->guide, &tour->leg, &tour->steps) == HT_OK);
    tour_describe(tour);
    HT_CHECK_STR(tour->text, "depart(ab), arrive(ab)");
    check_whole(tour);
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_remembers_turns_of_one_network_only)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "dbe", .name = "dbe"}};
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abd");
    t->ways[1].name = t->ways[0].name; /* the map is swapped under the same address */
    tour->leg.network_id = 2;
    HT_REQUIRE(ht_guide_run(tour->guide, &tour->leg, &tour->steps) == HT_OK);
    tour_describe(tour);
    HT_CHECK_STR(tour->text, "depart(abc), continue left(abc), arrive(abc)");
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_sliproad_is_one_turn)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abce", .name = "first", .road_class = HT_ROAD_PRIMARY},
        {.nodes = "fcdg", .name = "second", .road_class = HT_ROAD_PRIMARY},
        {.nodes = "bd", .road_class = HT_ROAD_PRIMARY, .flags = HT_WAY_LINK, .oneway = true}};
    struct ht_tiny *t = ht_tiny_new("                  f      \n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                                    "a           b     c           e\n\n\n\n\n\n\n"
                                    "                  d\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"
                                    "                  g",
                                    5, WAYS(ways), NULL);
    expect(t, "abdg", "depart(first), turn right(second), arrive(second)");
    expect(t, "abce", "depart(first), arrive(first)");
    ht_tiny_free(t);
}

HT_CASE(guide_service_roads_are_passed_in_silence)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abcd", .name = "road"},
                                              {.nodes = "be", .road_class = HT_ROAD_SERVICE},
                                              {.nodes = "cf", .road_class = HT_ROAD_SERVICE}};
    struct ht_tiny *t = ht_tiny_new("  e   \n\na b c d\n\n    f ", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abcd");
    HT_CHECK_STR(tour->text, "depart(road), arrive(road)");
    HT_CHECK_INT(tour->steps.steps[0].junction_count, 1);
    tour_end(tour);
    expect(t, "abe", "depart(road), turn left(), arrive()");
    ht_tiny_free(t);
}

HT_CASE(guide_reference_change_under_one_name_is_silent)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "road", .ref = "B 1"},
                                              {.nodes = "bc", .name = "road", .ref = "B 1; B 2"},
                                              {.nodes = "cd", .name = "road"},
                                              {.nodes = "de", .ref = "B 7"},
                                              {.nodes = "ef", .ref = "B 8"}};
    struct ht_tiny *t = ht_tiny_new("a   b   c   d   e   f", 100, WAYS(ways), NULL);
    expect(t, "abcd", "depart(road), arrive(road)");
    expect(t, "cdef", "depart(road), new name straight(), new name straight(), arrive()");
    ht_tiny_free(t);
}

HT_CASE(guide_exit_number_is_kept_on_the_ramp)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "abc", .name = "A1", .ref = "A1", .motorway = true, .oneway = true},
        {.nodes = "bd",
         .motorway = true,
         .flags = HT_WAY_LINK,
         .oneway = true,
         .exits = "10",
         .destinations = "Town"},
        {.nodes = "de",
         .motorway = true,
         .flags = HT_WAY_LINK,
         .oneway = true,
         .destinations = "Town"}};
    struct ht_tiny *t = ht_tiny_new("a   b   c\n      d  \n        e", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abde");
    HT_CHECK_STR(tour->text, "depart(A1), off ramp slight right(), arrive()");
    HT_REQUIRE(tour->steps.step_count == 3);
    HT_CHECK_STR(t->network.strings + t->ways[tour->steps.steps[1].way].exits, "10");
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_drives_on_the_left)
{
    static const struct ht_tiny_way ways[] = {
        {.nodes = "bihgfedcb", .flags = HT_WAY_ROUNDABOUT, .oneway = true},
        {.nodes = "ab", .name = "ab"},
        {.nodes = "jd", .name = "dj"},
        {.nodes = "kf", .name = "fk"},
        {.nodes = "lh", .name = "hl"}};
    struct ht_tiny *t = ht_tiny_new("      a      \n"
                                    "             \n"
                                    "      b      \n"
                                    "    c   i    \n"
                                    "             \n"
                                    "j d       h l\n"
                                    "             \n"
                                    "    e   g    \n"
                                    "      f      \n"
                                    "             \n"
                                    "      k      ",
                                    20, WAYS(ways), NULL);
    t->graph.left_hand = true;
    struct tour *tour = tour_begin(t, "abihgfk");
    HT_CHECK_STR(tour->text,
                 "depart(ab), roundabout-2 left(fk), exit roundabout-2 left(fk), arrive(fk)");
    HT_CHECK(tour->steps.steps[0].left_hand);
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_compass_words_are_told_from_names)
{
    HT_CHECK(ht__names_similar("Main Street", "Main Street North"));
    HT_CHECK(ht__names_similar("North Main Street", "Main Street"));
    HT_CHECK(ht__names_similar("W 5th Avenue", "E 5th Avenue"));
    HT_CHECK(!ht__names_similar("Main Street", "Main Avenue"));
    HT_CHECK(!ht__names_similar("Main Street", "High Street"));
    HT_CHECK(!ht__names_similar("Main Street", "Main Street Bridge"));
    HT_CHECK(!ht__names_similar("", "Main Street"));
}

HT_CASE(guide_runs_out_of_memory_in_order)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "dbe", .name = "dbe"}};
    struct ht_tiny *t = ht_tiny_new("  d  \n\na b c\n\n  e  ", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abd");
    int failures = 0;
    for (long n = 0;; n++) {
        struct ht_guide *guide = NULL;
        struct ht_guide_steps steps;
        ht_oom_arm(n);
        enum ht_status status = ht_guide_new(&guide);
        if (status == HT_OK) {
            status = ht_guide_run(guide, &tour->leg, &steps);
        }
        bool failed = ht_oom_disarm();
        if (failed) {
            failures++;
            HT_CHECK_INT(status, HT_NOMEM);
        }
        ht_guide_free(guide);
        if (!failed) {
            HT_CHECK_INT(status, HT_OK);
            break;
        }
    }
    HT_CHECK(failures >= 6);
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_summary_names_the_two_longest)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "ab", .name = "short"},
                                              {.nodes = "bc", .name = "long"},
                                              {.nodes = "cd"},
                                              {.nodes = "de", .name = "longer"}};
    struct ht_tiny *t = ht_tiny_new("a  b     c     d          e", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abcde");
    uint32_t picked[2];
    HT_REQUIRE(ht_guide_summary(tour->guide, &tour->leg, picked) == 2);
    HT_CHECK_STR(t->network.strings + t->ways[picked[0]].name, "long");
    HT_CHECK_STR(t->network.strings + t->ways[picked[1]].name, "longer");
    tour_end(tour);
    ht_tiny_free(t);
}

HT_CASE(guide_refuses_what_does_not_fit)
{
    static const struct ht_tiny_way ways[] = {{.nodes = "abc", .name = "abc"},
                                              {.nodes = "bd", .name = "bd"}};
    struct ht_tiny *t = ht_tiny_new("a b c\n\n  d", 100, WAYS(ways), NULL);
    struct tour *tour = tour_begin(t, "abd");
    tour->leg.arc_count = 0;
    HT_CHECK_INT(ht_guide_run(tour->guide, &tour->leg, &tour->steps), HT_INVALID);
    tour->leg.arc_count = 1;
    HT_CHECK_INT(ht_guide_run(tour->guide, &tour->leg, &tour->steps), HT_INVALID);
    tour_end(tour);
    ht_tiny_free(t);
}

HT_MAIN()
