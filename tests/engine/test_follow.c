/* Follow: the street that a unit drove on goes on, however near another one is. */
#include "engine/live/follow.h"

#include "engine/live/follow_internal.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/random_town.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_road.h"

/* A bridge c d over the street a b, without a junction; beside a b, 20 m off, the viaduct e f that
 * can be entered at its end e alone, from the ramp a e. */
static const char map[] = "          c         \n"
                          "                    \n"
                          "e                  f\n"
                          "a                  b\n"
                          "                    \n"
                          "          d         \n";
static const struct ht_tiny_way ways[] = {
    {.nodes = "ab", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "cd", .road_class = HT_ROAD_RESIDENTIAL, .flags = HT_WAY_BRIDGE},
    {.nodes = "ef", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "ae", .road_class = HT_ROAD_RESIDENTIAL},
};

static struct ht_tiny *town;
static struct ht_tiny_road tiny;
static struct ht_follow *follow;

static void begin(void)
{
    town = ht_tiny_new(map, 20, ways, sizeof ways / sizeof ways[0], "");
    ht_tiny_road_init(&tiny, town);
    ht_tiny_require(ht_follow_new(&follow) == HT_OK, "out of memory");
}

static void end(void)
{
    ht_follow_free(follow);
    ht_tiny_road_free(&tiny);
    ht_tiny_free(town);
}

/* Columns and rows of the map, in 20 m. */
static struct ht_point at(double column, double row)
{
    const double step_e7 = 20.0 / (6372797.560856 * 3.14159265358979323846 / 180.0) * 1e7;
    return (struct ht_point){10000000 + (int32_t)lround(column * step_e7),
                             10000000 - (int32_t)lround(row * step_e7)};
}

static char street_of(const struct ht_place *place)
{
    for (int s = 0; s < 2; s++) {
        uint32_t arc = place->side[s].arc;
        if (arc != HT_NONE) {
            return (char)('0' + (int)town->graph.arcs[arc].way);
        }
    }
    return '-';
}

enum { STREET = '0', BRIDGE, VIADUCT, RAMP };

HT_CASE(heading_tells_the_bridge_from_the_street_below)
{
    begin();
    struct ht_place place;
    struct ht_fix fix = {at(10.1, 3.1), 90, 10, -1}; /* 2 m from either */
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_OK);
    HT_CHECK_INT(street_of(&place), STREET);
    fix.bearing_deg = 178;
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_OK);
    HT_CHECK_INT(street_of(&place), BRIDGE);
    end();
}

HT_CASE(last_street_keeps_a_van_on_the_viaduct)
{
    begin();
    struct ht_place last;
    struct ht_place place;
    /* without a past, the nearest: 8 m from the street, 12 m from the viaduct beside it */
    struct ht_fix fix = {at(6, 2.6), 90, 10, -1};
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_OK);
    HT_CHECK_INT(street_of(&place), STREET);
    struct ht_fix before = {at(4, 2.1), 90, 10, -1};
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &before, NULL, &last), HT_OK);
    HT_CHECK_INT(street_of(&last), VIADUCT);
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, &last, &place), HT_OK);
    HT_CHECK_INT(street_of(&place), VIADUCT);
    /* and one that came up the ramp is on it, too */
    struct ht_fix ramp = {at(0.1, 2.5), 0, 10, -1};
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &ramp, NULL, &last), HT_OK);
    HT_CHECK_INT(street_of(&last), RAMP);
    fix.point = at(2.5, 2.45);
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, &last, &place), HT_OK);
    HT_CHECK_INT(street_of(&place), VIADUCT);
    /* far from where it was last, nothing is known: the nearest again */
    fix.point = at(6, 2.6);
    last.input = at(60, 2.1);
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, &last, &place), HT_OK);
    HT_CHECK_INT(street_of(&place), STREET);
    end();
}

HT_CASE(moving_unit_keeps_its_direction_a_standing_one_both)
{
    begin();
    struct ht_place place;
    struct ht_fix fix = {at(5, 3), 268, 5, -1};
    uint32_t ab = ht_tiny_arc(town, 'a', 'b', NULL);
    uint32_t ba = ht_tiny_arc(town, 'b', 'a', NULL);
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_OK);
    HT_CHECK_INT(place.side[0].arc, HT_NONE);
    HT_CHECK_INT(place.side[1].arc, ba);
    HT_CHECK_INT(place.segment, 0);
    HT_CHECK(place.side[1].before_mm > place.side[1].after_mm);
    fix.bearing_deg = 91;
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_OK);
    HT_CHECK_INT(place.side[0].arc, ab);
    HT_CHECK_INT(place.side[1].arc, HT_NONE);
    fix.speed_mps = 0.5; /* the compass of a standing phone says nothing */
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_OK);
    HT_CHECK(place.side[0].arc == ab && place.side[1].arc == ba);
    /* a bearing that the device does not give is that of its way */
    struct ht_place last = place;
    fix = (struct ht_fix){at(7, 3), -1, -1, -1};
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, &last, &place), HT_OK);
    HT_CHECK(place.side[0].arc == ab && place.side[1].arc == HT_NONE);
    end();
}

HT_CASE(unit_that_turns_round_stays_on_its_street)
{
    begin();
    struct ht_place last;
    struct ht_place place;
    struct ht_fix fix = {at(15, 2.9), 90, 10, -1};
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &last), HT_OK);
    fix = (struct ht_fix){at(14, 2.45), 270, 10, -1}; /* nearer to the viaduct */
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, &last, &place), HT_OK);
    HT_CHECK_INT(street_of(&place), STREET);
    HT_CHECK_INT(place.side[1].arc, ht_tiny_arc(town, 'b', 'a', NULL));
    end();
}

HT_CASE(out_of_reach_of_any_street_there_is_no_place)
{
    begin();
    struct ht_place place;
    struct ht_fix fix = {at(10, -49), -1, -1, -1};
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_OK);
    fix.point = at(10, -51);
    HT_CHECK_INT(ht_follow_place(follow, &tiny.road, &fix, NULL, &place), HT_NO_SEGMENT);
    end();
}

static bool same_place(const struct ht_place *a, const struct ht_place *b)
{
    bool same = a->distance_m == b->distance_m && a->segment == b->segment &&
                a->component == b->component && a->small == b->small;
    for (int s = 0; s < 2; s++) {
        same = same && a->side[s].arc == b->side[s].arc &&
               (a->side[s].arc == HT_NONE || (a->side[s].before_mm == b->side[s].before_mm &&
                                              a->side[s].after_mm == b->side[s].after_mm));
    }
    return same;
}

/* Somewhere near the position before, mostly; sometimes at another end of the town. */
static struct ht_fix random_fix(const struct ht_random_town *t, struct ht_point last,
                                uint64_t *state)
{
    uint32_t far = ht_random_below(state, 8) == 0 ? 4000 : 400;
    struct ht_point p = last;
    if (ht_random_below(state, 10) == 0) {
        p = t->points[ht_random_below(state, t->network.node_count)];
    }
    p.lon_e7 += (int32_t)ht_random_below(state, 2 * far) - (int32_t)far;
    p.lat_e7 += (int32_t)ht_random_below(state, 2 * far) - (int32_t)far;
    return (struct ht_fix){
        .point = p,
        .bearing_deg = ht_random_below(state, 4) == 0 ? -1.0 : (double)ht_random_below(state, 360),
        .speed_mps = ht_random_below(state, 4) == 0 ? -1.0 : (double)ht_random_below(state, 8),
        .accuracy_m = ht_random_below(state, 4) == 0 ? -1.0 : (double)ht_random_below(state, 80)};
}

HT_CASE(first_look_near_by_changes_no_answer)
{
    static const double firsts_m[] = {2, 18, 70, 300};
    uint64_t state = 5;
    uint32_t places = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct ht_random_town *t = ht_random_town_new(12, 9, seed);
        struct ht_snap_index *snap = NULL;
        struct ht_pool *pool = NULL;
        struct ht_follow *f = NULL;
        ht_tiny_require(ht_pool_new(1, &pool) == HT_OK && ht_follow_new(&f) == HT_OK &&
                            ht_snap_build(&t->network, &t->graph, pool, &snap) == HT_OK,
                        "no snap index");
        struct ht_road road = {.network = &t->network, .graph = &t->graph, .snap = snap};
        struct ht_place last;
        bool known = false;
        struct ht_point at_last = t->points[0];
        for (int i = 0; i < 2000; i++) {
            struct ht_fix fix = random_fix(t, at_last, &state);
            struct ht_place want;
            struct ht_place place;
            enum ht_status status =
                ht__follow_place(f, &road, &fix, known ? &last : NULL, HT_FOLLOW_REACH_M, &want);
            for (size_t k = 0; k < sizeof firsts_m / sizeof *firsts_m; k++) {
                HT_CHECK_INT(
                    ht__follow_place(f, &road, &fix, known ? &last : NULL, firsts_m[k], &place),
                    status);
                HT_CHECK(status != HT_OK || same_place(&place, &want));
            }
            known = status == HT_OK;
            places += known ? 1 : 0;
            at_last = known ? fix.point : t->points[0];
            last = want;
        }
        ht_follow_free(f);
        ht_snap_index_free(snap);
        ht_pool_free(pool);
        ht_random_town_free(t);
    }
    HT_CHECK(places > 20000);
}

static enum ht_status make_all(void)
{
    struct ht_follow *own = NULL;
    struct ht_place place;
    struct ht_fix fix = {at(5, 3), -1, -1, -1};
    enum ht_status status = ht_follow_new(&own);
    if (status == HT_OK) {
        status = ht_follow_place(own, &tiny.road, &fix, NULL, &place);
    }
    ht_follow_free(own);
    return status;
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    begin();
    long n = 0;
    for (bool refused = true; refused; n++) {
        ht_oom_arm(n);
        enum ht_status status = make_all();
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
    }
    HT_CHECK(n > 3);
    end();
}

HT_MAIN()
