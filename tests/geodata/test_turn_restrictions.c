#include "engine/road/guide.h"
#include "tests/support/check.h"
#include "tests/support/osm_town.h"

#define STREET "highway=residential"

/* A crossing b of four arms: a west, c east, d south, e north; each arm a way of its own, 1 to 4.
 */
static void crossing(struct ht_town *town)
{
    ht_town_begin(town, "  e  \n"
                        "a b c\n"
                        "  d  \n");
    ht_town_way(town, 1, "ab", STREET);
    ht_town_way(town, 2, "bc", STREET);
    ht_town_way(town, 3, "bd", STREET);
    ht_town_way(town, 4, "be", STREET);
}

/* Which ways one may go from a, as letters. */
static const char *ways_on(struct ht_town *town, const char *profile)
{
    static char out[8];
    size_t count = 0;
    ht_town_build(town, profile);
    if (town->status != HT_OK) {
        return "error";
    }
    for (const char *c = "acde"; *c != '\0'; c++) {
        char path[] = {'a', 'b', *c, '\0'};
        if (ht_town_turn(town, path) != NULL) {
            out[count++] = *c;
        }
    }
    out[count] = '\0';
    return out;
}

static const char *ways_with(const char *profile, const char *tags, const char *members)
{
    struct ht_town town;
    crossing(&town);
    ht_town_relation(&town, 1, tags, members);
    const char *out = ways_on(&town, profile);
    ht_town_end(&town);
    return out;
}

HT_CASE(without_restrictions_everything_but_back_is_open)
{
    HT_CHECK_STR(ways_with("car", "type=route", "from w1|via nb|to w4"), "cde");
}

HT_CASE(no_takes_one_turn_away_and_only_the_others)
{
    const char *left = "from w1|via nb|to w4";
    HT_CHECK_STR(ways_with("car", "type=restriction|restriction=no_left_turn", left), "cd");
    HT_CHECK_STR(ways_with("car", "type=restriction|restriction=only_left_turn", left), "e");
    HT_CHECK_STR(ways_with("car", "restriction=no_left_turn_on_red", left), "cde");
    HT_CHECK_STR(ways_with("car", "restriction=give_way", left), "cde");
}

HT_CASE(other_arms_keep_their_turns)
{
    struct ht_town town;
    crossing(&town);
    ht_town_relation(&town, 1, "restriction=no_left_turn", "from w1|via nb|to w4");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "cbe") != NULL);
    HT_CHECK(ht_town_turn(&town, "dbe") != NULL);
    HT_CHECK(ht_town_turn(&town, "eba") != NULL);
    HT_CHECK_INT(town.counts.copies, 0);
    HT_CHECK_INT(town.counts.restrictions_used, 1);
    ht_town_end(&town);
}

HT_CASE(vehicles_are_told_apart)
{
    const char *left = "from w1|via nb|to w4";
    HT_CHECK_STR(ways_with("car", "restriction=no_left_turn|except=bus;motorcar", left), "cde");
    HT_CHECK_STR(ways_with("car", "restriction=no_left_turn|except=bus; bicycle", left), "cd");
    HT_CHECK_STR(ways_with("car", "restriction:motorcar=no_left_turn", left), "cd");
    HT_CHECK_STR(ways_with("car", "restriction:hgv=no_left_turn", left), "cde");
    /* what names the car rules over what names all */
    HT_CHECK_STR(
        ways_with("car", "restriction=no_left_turn|restriction:motorcar=only_left_turn", left),
        "e");
    HT_CHECK_STR(ways_with("foot", "restriction=no_left_turn", left), "cde");
    /* who does not obey what is meant for all obeys what names his vehicle */
    HT_CHECK_STR(ways_with("ebike", "restriction=no_left_turn", left), "cde");
    HT_CHECK_STR(ways_with("ebike", "restriction:bicycle=no_left_turn", left), "cd");
    HT_CHECK_STR(ways_with("ebike", "restriction:bicycle=only_left_turn", left), "e");
    HT_CHECK_STR(
        ways_with("ebike", "restriction=no_right_turn|restriction:bicycle=no_left_turn", left),
        "cd");
    HT_CHECK_STR(
        ways_with("ebike", "restriction:bicycle=no_left_turn|except=electric_bicycle", left),
        "cde");
    HT_CHECK_STR(ways_with("ebike", "restriction:motorcar=no_left_turn", left), "cde");
    HT_CHECK_STR(ways_with("foot", "restriction:foot=no_left_turn", left), "cd");
    HT_CHECK_STR(ways_with("emergency", "restriction:motor_vehicle=no_left_turn", left), "cde");
    HT_CHECK_STR(ways_with("emergency", "restriction:emergency=no_left_turn", left), "cd");
}

HT_CASE(a_ban_may_name_many_streets_in_or_out)
{
    struct ht_town town;
    HT_CHECK_STR(ways_with("car", "restriction=no_exit", "from w1|via nb|to w4|to w3"), "c");
    HT_CHECK_STR(ways_with("car", "restriction=no_left_turn", "from w1|via nb|to w4|to w3"), "cde");
    crossing(&town);
    ht_town_relation(&town, 1, "restriction=no_entry", "from w1|from w3|via nb|to w4");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "abe") == NULL && ht_town_turn(&town, "dbe") == NULL);
    HT_CHECK(ht_town_turn(&town, "cbe") != NULL);
    ht_town_end(&town);
}

HT_CASE(turning_back_can_be_banned_and_is_the_way_out_where_nothing_else_is)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET);
    ht_town_relation(&town, 1, "restriction=no_straight_on", "from w1|via nb|to w2");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "abc") == NULL);
    HT_CHECK(ht_town_turn(&town, "aba") != NULL);
    HT_CHECK(ht_town_turn(&town, "cbc") == NULL);
    ht_town_end(&town);
    ht_town_begin(&town, "a b c\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_relation(&town, 1, "restriction=no_u_turn", "from w1|via nb|to w1");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "aba") == NULL);
    HT_CHECK(ht_town_turn(&town, "bab") != NULL);
    ht_town_end(&town);
}

HT_CASE(a_restriction_that_leaves_a_choice_is_not_taken)
{
    struct ht_town town; /* w1 runs through b: which of its two ends is from? */
    ht_town_begin(&town, "a b c\n"
                         "  d  \n");
    ht_town_way(&town, 1, "abc", STREET);
    ht_town_way(&town, 3, "bd", STREET);
    ht_town_relation(&town, 1, "restriction=no_right_turn", "from w1|via nb|to w3");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_turn(&town, "abd") != NULL);
    HT_CHECK_INT(town.counts.restrictions_ambiguous, 1);
    ht_town_end(&town);
}

HT_CASE(restrictions_that_mean_no_turn_are_counted)
{
    struct ht_town town;
    ht_town_begin(&town, "  e  \n"
                         "a b c\n"
                         "  d  f g\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET);
    ht_town_way(&town, 3, "bd", STREET);
    ht_town_way(&town, 4, "be", STREET);
    ht_town_way(&town, 5, "fg", STREET);
    ht_town_relation(&town, 1, "restriction=no_left_turn", "from w5|via nb|to w4");
    ht_town_relation(&town, 2, "restriction=no_left_turn", "from w1|via nb|to w5");
    ht_town_relation(&town, 3, "restriction=no_left_turn", "from w1|via nf|to w4");
    ht_town_relation(&town, 4, "restriction=no_u_turn", "from w1|via w5|to w4");
    ht_town_relation(&town, 5, "restriction=no_u_turn", "from w1|via w2|via w5|to w5");
    ht_town_relation(&town, 6, "restriction=no_left_turn", "from w1|via nb|via nc|to w4");
    ht_town_relation(&town, 7, "type=restriction", "from w1|via nb|to w4");
    ht_town_relation(&town, 8, "restriction=no_right_turn", "from w1|via nb|to w3");
    ht_town_relation(&town, 9, "restriction=no_left_turn", "from w1|via nb|to w99");
    ht_town_relation(&town, 10, "restriction=no_u_turn", "from w1|via w99|to w4");
    HT_CHECK_STR(ways_on(&town, "car"), "ce");
    const struct ht_build_counts *counts = ht_network_build_counts(town.build);
    HT_CHECK_INT(counts->restrictions_apart, 5);
    HT_CHECK_INT(counts->restrictions_malformed, 2);
    HT_CHECK_INT(counts->restrictions, 9);
    HT_CHECK_INT(town.counts.restrictions_missing, 2);
    HT_CHECK_INT(town.counts.restrictions_ambiguous, 0);
    HT_CHECK_INT(town.counts.restrictions_used, 1);
    ht_town_end(&town);
}

/* Obeyed, it would close the street. */
HT_CASE(commands_to_drive_what_is_closed_are_left_out_and_counted)
{
    static const struct {
        const char *to;
        const char *from;
        uint32_t impossible;
    } cases[] = {
        {STREET "|oneway=-1", STREET, 1},              /* against the way that is commanded */
        {"highway=footway", STREET, 1},                /* not for cars */
        {STREET "|oneway=-1", STREET "|oneway=-1", 0}, /* nobody comes to be commanded */
        {STREET, STREET, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ht_town town;
        ht_town_begin(&town, "  e  \n"
                             "a b c\n"
                             "  d  \n");
        ht_town_way(&town, 1, "ab", cases[i].from);
        ht_town_way(&town, 2, "bc", STREET);
        ht_town_way(&town, 3, "bd", cases[i].to);
        ht_town_way(&town, 4, "be", STREET);
        ht_town_relation(&town, 1, "restriction=only_right_turn", "from w1|via nb|to w3");
        ht_town_build(&town, "car,foot");
        HT_REQUIRE(town.status == HT_OK);
        HT_CHECK_INT(town.counts.restrictions_impossible, cases[i].impossible);
        HT_CHECK_INT(town.counts.restrictions_used, i == 3);
        HT_CHECK((ht_town_turn(&town, "abc") != NULL) == (cases[i].impossible == 1));
        ht_town_end(&town);
    }
    struct ht_town town; /* over a way that is closed in that direction */
    ht_town_begin(&town, "a b c d\n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET "|oneway=-1");
    ht_town_way(&town, 3, "cd", STREET);
    ht_town_relation(&town, 1, "restriction=only_straight_on", "from w1|via w2|to w3");
    ht_town_build(&town, "car,foot");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK_INT(town.counts.restrictions_impossible, 1);
    ht_town_end(&town);
}

HT_CASE(bans_by_the_clock_leave_the_turn_and_name_the_hours)
{
    struct ht_town town;
    crossing(&town);
    ht_town_relation(&town, 1,
                     "restriction:conditional=no_left_turn @ (Mo-Fr 07:00-09:00; Sa 10:00-12:00)",
                     "from w1|via nb|to w4");
    HT_CHECK_STR(ways_on(&town, "car"), "cde");
    HT_REQUIRE(town.graph->condition_count == 1);
    const struct ht_turn_condition *condition = &town.graph->conditions[0];
    HT_CHECK_STR(town.network->strings + condition->schedule, "Mo-Fr 07:00-09:00; Sa 10:00-12:00");
    HT_CHECK(&town.graph->turns[condition->turn] == ht_town_turn(&town, "abe"));
    HT_CHECK_INT(town.counts.restrictions_timed, 1);
    ht_town_end(&town);
    crossing(&town);
    ht_town_relation(&town, 1,
                     "restriction:motorcar:conditional=only_straight_on @ 07:00-09:00; "
                     "no_left_turn @ (20:00-22:00)",
                     "from w1|via nb|to w2");
    HT_CHECK_STR(ways_on(&town, "car"), "cde");
    HT_CHECK_INT(town.graph->condition_count, 3); /* d and e in the morning, c at night */
    ht_town_end(&town);
}

/* The conditions of the way's turns, joined by bars, in the order of c, d, e. */
static const char *hours_with(const char *profile, const char *tags)
{
    static char out[256];
    struct ht_town town;
    crossing(&town);
    ht_town_relation(&town, 1, tags, "from w1|via nb|to w4");
    const char *open = ways_on(&town, profile);
    int size = snprintf(out, sizeof out, "%s", open);
    for (uint32_t i = 0; town.status == HT_OK && i < town.graph->condition_count; i++) {
        size += snprintf(out + size, sizeof out - (size_t)size, "|%s",
                         town.network->strings + town.graph->conditions[i].schedule);
    }
    if (town.counts.restrictions_used != (size == 3 ? 0 : 1)) {
        (void)snprintf(out, sizeof out, "%" PRIu32 " used", town.counts.restrictions_used);
    }
    ht_town_end(&town);
    return out;
}

HT_CASE(none_at_hours_takes_them_from_a_ban)
{
    HT_CHECK_STR(hours_with("car", "restriction=no_left_turn|"
                                   "restriction:conditional=none @ (Sa 10:00-12:00; )"),
                 "cde|not (Sa 10:00-12:00)");
    HT_CHECK_STR(hours_with("car", "restriction:conditional=none @ (Sa)|restriction=no_left_turn"),
                 "cde|not (Sa)");
    HT_CHECK_STR(hours_with("car", "restriction=no_left_turn|"
                                   "restriction:conditional=none @ (Sa); none @ 20:00-22:00"),
                 "cde|not (Sa) AND not (20:00-22:00)");
    HT_CHECK_STR(
        hours_with("car", "restriction:conditional=no_left_turn @ (Mo-Fr 07:00-09:00); none @ PH"),
        "cde|Mo-Fr 07:00-09:00 AND not (PH)");
    /* a ban that comes after it holds */
    HT_CHECK_STR(hours_with("car", "restriction:conditional=none @ PH; no_left_turn @ Mo-Fr"),
                 "cde|Mo-Fr");
    /* what frees one vehicle leaves the others as they are */
    const char *cars = "restriction=no_left_turn|restriction:motorcar:conditional=none @ (Su)";
    HT_CHECK_STR(hours_with("car", cars), "cde|not (Su)");
    HT_CHECK_STR(hours_with("van", cars), "cd");
    /* no clock tells when: the ban stays */
    HT_CHECK_STR(hours_with("car", "restriction=no_left_turn|restriction:conditional=none @ (wet)"),
                 "cd");
    HT_CHECK_STR(hours_with("car", "restriction:conditional=none @ (Su)"), "cde");
}

/* ---- what drivers are told ---- */

/* The maneuvers of the crossing with such relations; the first in *out. */
static uint32_t maneuvers_with(const char *tags, const char *members, struct ht_maneuver *out)
{
    struct ht_town town;
    crossing(&town);
    ht_town_relation(&town, 1, tags, members);
    HT_CHECK_STR(ways_on(&town, "car"), "cde");
    HT_CHECK_INT(town.counts.restrictions_used + town.counts.restrictions_missing +
                     town.counts.restrictions_ambiguous,
                 0);
    uint32_t count = town.graph->maneuver_count;
    if (count > 0) {
        *out = town.graph->maneuvers[0];
        HT_CHECK(&town.graph->turns[ht_graph_turn(town.graph, out->arcs[0], out->arcs[1])] ==
                 ht_town_turn(&town, "abe"));
        HT_CHECK(out->junction == town.graph->arcs[out->arcs[0]].head);
    }
    ht_town_end(&town);
    return count;
}

HT_CASE(maneuvers_are_kept_with_their_words)
{
    static const struct {
        const char *tags;
        enum ht_maneuver_kind kind;
        enum ht_step_modifier modifier;
    } cases[] = {
        {"type=maneuver|maneuver=turn|direction=sharp_left", HT_MANEUVER_TURN,
         HT_MODIFIER_SHARP_LEFT},
        {"type=manoeuvre|maneuver=turn|manoeuvre=fork|direction=slight_right", HT_MANEUVER_FORK,
         HT_MODIFIER_SLIGHT_RIGHT},
        {"type=maneuver|maneuver=uturn", HT_MANEUVER_TURN, HT_MODIFIER_UTURN},
        {"type=maneuver|maneuver=suppress", HT_MANEUVER_SUPPRESS, HT_MODIFIER_NONE},
        {"type=maneuver|maneuver=continue|direction=straight", HT_MANEUVER_CONTINUE,
         HT_MODIFIER_STRAIGHT},
        {"type=maneuver|maneuver=somersault|direction=up", HT_MANEUVER_AS_IT_IS, HT_MODIFIER_NONE},
    };
    const char *left = "from w1|via nb|to w4";
    struct ht_maneuver m = {.count = 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        HT_CHECK_INT(maneuvers_with(cases[i].tags, left, &m), 1);
        HT_CHECK_INT(m.count, 2);
        HT_CHECK_INT(m.kind, cases[i].kind);
        HT_CHECK_INT(m.modifier, cases[i].modifier);
    }
    const char *turn = "type=maneuver|maneuver=turn";
    HT_CHECK_INT(maneuvers_with(turn, "from w1|to w4", &m), 0);
    HT_CHECK_INT(maneuvers_with(turn, "from w1|via nb|via na|to w4", &m), 0);
    HT_CHECK_INT(maneuvers_with(turn, "from w1|via nb|to w9", &m), 0);
    HT_CHECK_INT(maneuvers_with(turn, "from w1|from w3|via nb|to w4", &m), 0);
    HT_CHECK_INT(maneuvers_with(turn, "from w1|via nc|to w4", &m), 0);
    HT_CHECK_INT(maneuvers_with(turn, "from w1|via n9|to w4", &m), 0);
}

HT_CASE(maneuvers_lead_over_ways)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n"
                         "  e f  \n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET);
    ht_town_way(&town, 3, "cd", STREET);
    ht_town_way(&town, 4, "be", STREET);
    ht_town_way(&town, 5, "cf", STREET);
    ht_town_relation(&town, 2, "type=maneuver|maneuver=fork", "from w1|via w2|via nc|to w5");
    ht_town_relation(&town, 1, "type=maneuver|maneuver=turn", "from w3|via w2|via nb|to w4");
    HT_REQUIRE(strcmp(ways_on(&town, "car"), "ce") == 0);
    HT_REQUIRE(town.graph->maneuver_count == 2);
    for (uint32_t i = 0; i < 2; i++) {
        const struct ht_maneuver *m = &town.graph->maneuvers[i];
        HT_CHECK_INT(m->count, 3);
        HT_CHECK(i == 0 || m[-1].arcs[0] <= m->arcs[0]);
        HT_CHECK(m->junction == town.graph->arcs[m->arcs[1]].head);
        HT_CHECK(town.graph->arcs[m->arcs[0]].head == town.graph->arcs[m->arcs[1]].tail);
    }
    ht_town_end(&town);
}

/* ---- over ways ---- */

HT_CASE(a_ban_over_a_way_holds_for_those_who_came_that_way)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d\n"
                         "  e f  \n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "bc", STREET);
    ht_town_way(&town, 3, "cd", STREET);
    ht_town_way(&town, 4, "eb", STREET);
    ht_town_way(&town, 5, "cf", STREET);
    ht_town_relation(&town, 1, "restriction=no_right_turn", "from w1|via w2|to w5");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(!ht_town_drives(&town, "abcf"));
    HT_CHECK(ht_town_drives(&town, "abcd"));
    HT_CHECK(ht_town_drives(&town, "ebcf"));
    HT_CHECK(ht_town_drives(&town, "bcf")); /* who begins on the via way did not come by a */
    HT_CHECK_INT(town.counts.copies, 1);
    HT_CHECK_INT(town.counts.restrictions_via_way, 1);
    const uint32_t *list = NULL;
    HT_CHECK_INT(ht_graph_copies(town.graph, ht_town_arc(&town, 'b', 'c', false), &list), 1);
    ht_town_end(&town);
}

HT_CASE(via_ways_may_be_cut_by_junctions_and_run_either_way)
{
    struct ht_town town;
    ht_town_begin(&town, "a b c d e\n"
                         "  f g h  \n");
    ht_town_way(&town, 1, "ab", STREET);
    ht_town_way(&town, 2, "dcb", STREET); /* against its nodes; g hangs on its middle */
    ht_town_way(&town, 3, "de", STREET);
    ht_town_way(&town, 4, "cg", STREET);
    ht_town_way(&town, 5, "dh", STREET);
    ht_town_way(&town, 6, "fb", STREET);
    ht_town_relation(&town, 1, "restriction=only_right_turn", "from w1|via w2|to w5");
    ht_town_build(&town, "car");
    HT_REQUIRE(town.status == HT_OK);
    HT_CHECK(ht_town_drives(&town, "abcdh"));
    HT_CHECK(!ht_town_drives(&town, "abcde"));
    HT_CHECK(ht_town_drives(&town, "abcg"));
    HT_CHECK(ht_town_drives(&town, "fbcde"));
    HT_CHECK_INT(town.counts.copies, 2);
    ht_town_end(&town);
}

/* Random streets on a grid, random bans, and an enumerator that knows nothing of copies. */
enum { SIDE = 4, MOST_BANS = 12, MOST_PATH = 7 };

struct ban {
    char path[8];
    bool only;
};

struct world {
    struct ht_town banned;
    struct ban bans[MOST_BANS];
    int ban_count;
    char neighbours[SIDE * SIDE][5];
    uint64_t paths;
    uint64_t differences;
};

static char grid_letter(int cell)
{
    return (char)('A' + cell);
}

static void add_letter(char *list, char letter)
{
    size_t size = strlen(list);
    list[size] = letter;
    list[size + 1] = '\0';
}

static void draw_grid(struct world *world, uint64_t *seed)
{
    static const char map[] = "A B C D\nE F G H\nI J K L\nM N O P\n";
    ht_town_begin(&world->banned, map);
    memset(world->neighbours, 0, sizeof world->neighbours);
    for (int cell = 0; cell < SIDE * SIDE; cell++) {
        for (int down = 0; down < 2; down++) {
            int other = cell + (down ? SIDE : 1);
            bool beyond = down ? cell / SIDE == SIDE - 1 : cell % SIDE == SIDE - 1;
            if (beyond || ht_random_below(seed, 8) == 0) {
                continue;
            }
            /* The way's id tells its ends, for the relations. */
            char letters[] = {grid_letter(cell), grid_letter(other), '\0'};
            int id = letters[0] * 256 + letters[1];
            ht_town_way(&world->banned, id, letters, STREET);
            add_letter(world->neighbours[cell], letters[1]);
            add_letter(world->neighbours[other], letters[0]);
        }
    }
}

static int way_of(char a, char b)
{
    return a < b ? a * 256 + b : b * 256 + a;
}

/* A random walk without turning back as a ban: from, one to three via ways (or a via node), to. */
static void draw_ban(struct world *world, uint64_t *seed)
{
    struct ban *ban = &world->bans[world->ban_count];
    int length = 3 + (int)ht_random_below(seed, 4);
    int cell = (int)ht_random_below(seed, SIDE * SIDE);
    for (int i = 0; i < length; i++) {
        ban->path[i] = grid_letter(cell);
        const char *list = world->neighbours[cell];
        if (list[0] == '\0') {
            return;
        }
        int next = list[ht_random_below(seed, (uint32_t)strlen(list))] - 'A';
        if (i > 0 && grid_letter(next) == ban->path[i - 1]) {
            return;
        }
        cell = next;
    }
    ban->path[length] = '\0';
    ban->only = ht_random_below(seed, 3) == 0;
    for (int i = 0; i < length; i++) { /* a way may come once: twice would not say which way */
        for (int k = i + 1; k < length; k++) {
            if (ban->path[i] == ban->path[k]) {
                return;
            }
        }
    }
    char members[256];
    int used = snprintf(members, sizeof members, "from w%d", way_of(ban->path[0], ban->path[1]));
    if (length == 3) {
        used += snprintf(members + used, sizeof members - (size_t)used, "|via n%c", ban->path[1]);
    }
    for (int i = 1; length > 3 && i + 2 < length; i++) {
        used += snprintf(members + used, sizeof members - (size_t)used, "|via w%d",
                         way_of(ban->path[i], ban->path[i + 1]));
    }
    (void)snprintf(members + used, sizeof members - (size_t)used, "|to w%d",
                   way_of(ban->path[length - 2], ban->path[length - 1]));
    ht_town_relation(&world->banned, world->ban_count + 1,
                     ban->only ? "restriction=only_straight_on" : "restriction=no_straight_on",
                     members);
    world->ban_count++;
}

/* Does a ban forbid to go on to `next` after `path`. */
static bool forbidden(const struct world *world, const char *path, char next)
{
    size_t size = strlen(path);
    for (int i = 0; i < world->ban_count; i++) {
        const struct ban *ban = &world->bans[i];
        size_t need = strlen(ban->path) - 1;
        if (size >= need && strncmp(path + size - need, ban->path, need) == 0 &&
            (ban->path[need] == next) != ban->only) {
            return true;
        }
    }
    return false;
}

/* By the rules alone: turning back where nothing else is left, everything else that no ban forbids.
 */
static bool legal_step(const struct world *world, const char *path, char next)
{
    size_t size = strlen(path);
    const char *list = world->neighbours[path[size - 1] - 'A'];
    char back = path[size - 2];
    if (forbidden(world, path, next)) {
        return false;
    }
    if (next != back || strlen(list) == 1) {
        return true;
    }
    for (const char *c = list; *c != '\0'; c++) {
        if (*c != back && !forbidden(world, path, *c)) {
            return false;
        }
    }
    return true;
}

static void walk(struct world *world, char *path, bool legal) // NOLINT(misc-no-recursion)
{
    world->paths++;
    world->differences += ht_town_drives(&world->banned, path) != legal;
    size_t size = strlen(path);
    if (!legal || size >= MOST_PATH) {
        return;
    }
    for (const char *c = world->neighbours[path[size - 1] - 'A']; *c != '\0'; c++) {
        bool step = legal_step(world, path, *c);
        path[size] = *c;
        path[size + 1] = '\0';
        walk(world, path, step);
        path[size] = '\0';
    }
}

HT_CASE(overlapping_bans_over_ways_equal_the_enumerated_rules)
{
    uint64_t seed = 20250301;
    uint64_t paths = 0;
    uint32_t copies = 0;
    for (int round = 0; round < (HT_LONG ? 200 : 20); round++) {
        struct world world;
        memset(&world, 0, sizeof world);
        draw_grid(&world, &seed);
        for (int tries = 0; tries < 100 && world.ban_count < MOST_BANS; tries++) {
            draw_ban(&world, &seed);
        }
        ht_town_build(&world.banned, "car");
        HT_REQUIRE(world.banned.status == HT_OK);
        HT_CHECK_INT(world.banned.counts.restrictions_used, world.ban_count);
        for (int cell = 0; cell < SIDE * SIDE; cell++) {
            for (const char *c = world.neighbours[cell]; *c != '\0'; c++) {
                char path[MOST_PATH + 2] = {grid_letter(cell), *c, '\0'};
                walk(&world, path, true);
            }
        }
        HT_CHECK_INT(world.differences, 0);
        paths += world.paths;
        copies += world.banned.counts.copies;
        ht_town_end(&world.banned);
    }
    HT_CHECK(paths > 10000 && copies > 50);
}

HT_MAIN()
