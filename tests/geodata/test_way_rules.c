/* Ways as profile `car` judges them, held against facts of OSRM 6.0's own tests (features/car). */
#include <math.h>

#include "geodata/profile.h"
#include "tests/support/check.h"
#include "tests/support/tags.h"

static struct ht_profile *open_profile(const char *name)
{
    struct ht_profile **list = NULL;
    size_t count = 0;
    struct ht_error error;
    if (ht_profiles_open(name, &list, &count, &error) != HT_OK || count != 1) {
        (void)printf("  %s: %s\n", name, error.message);
        exit(1);
    }
    struct ht_profile *profile = list[0];
    free(list);
    return profile;
}

static const struct ht_profile *car(void)
{
    static struct ht_profile *profile;
    if (profile == NULL) {
        profile = open_profile("car");
    }
    return profile;
}

static struct ht_way_rule judge(const struct ht_profile *profile, const char *line)
{
    struct ht_test_tags tags;
    struct ht_way_rule rule;
    (void)ht_profile_way(profile, ht_test_tags(&tags, line), &rule);
    return rule;
}

/* What each direction of a way is to a driver. */
struct way_fact {
    const char *tags;
    const char *open; /* "x": both, ">": along, "<": against, "": none */
};

static const char *opening(struct ht_way_rule rule)
{
    if (rule.side[0].open) {
        return rule.side[1].open ? "x" : ">";
    }
    return rule.side[1].open ? "<" : "";
}

static void check_openings(const struct ht_profile *profile, const struct way_fact *facts,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *got = opening(judge(profile, facts[i].tags));
        if (strcmp(got, facts[i].open) != 0) {
            ht_case_failures++;
            (void)printf("  %s: \"%s\", not \"%s\"\n", facts[i].tags, got, facts[i].open);
        }
    }
}

#define CHECK_OPENINGS(profile, ...)                                                               \
    do {                                                                                           \
        const struct way_fact ways[] = {__VA_ARGS__};                                              \
        check_openings(profile, ways, sizeof ways / sizeof ways[0]);                               \
    } while (0)

static void check_near(const char *tags, const char *what, double got, double want)
{
    if (fabs(got - want) > 1e-6 * (1.0 + fabs(want))) {
        ht_case_failures++;
        (void)printf("  %s: %s %.6f, not %.6f\n", tags, what, got, want);
    }
}

/* Speed (km/h) and rate (km/h) of both directions; -1: closed. */
static void check_speeds(const char *tags, double along, double against, double rate_along,
                         double rate_against)
{
    struct ht_way_rule rule = judge(car(), tags);
    const struct ht_way_side *side = rule.side;
    check_near(tags, "speed along", side[0].open ? side[0].speed_kmh : -1.0, along);
    check_near(tags, "speed against", side[1].open ? side[1].speed_kmh : -1.0, against);
    check_near(tags, "rate along", side[0].open ? side[0].rate_mps * 3.6 : -1.0, rate_along);
    check_near(tags, "rate against", side[1].open ? side[1].rate_mps * 3.6 : -1.0, rate_against);
}

static void check_speed(const char *tags, double speed)
{
    check_speeds(tags, speed, speed, speed, speed);
}

HT_CASE(highways_have_their_speeds)
{
    check_speeds("highway=motorway", 90, -1, 90, -1);
    check_speed("highway=motorway_link", 45);
    check_speed("highway=trunk", 85);
    check_speed("highway=trunk_link", 40);
    check_speed("highway=primary", 65);
    check_speed("highway=primary_link", 30);
    check_speed("highway=secondary", 55);
    check_speed("highway=secondary_link", 25);
    check_speed("highway=tertiary", 40);
    check_speed("highway=tertiary_link", 20);
    check_speed("highway=unclassified", 25);
    check_speed("highway=residential", 25);
    check_speed("highway=living_street", 10);
    check_speed("highway=service", 15);
}

HT_CASE(other_highways_are_not_for_cars)
{
    CHECK_OPENINGS(car(), {"highway=track", ""}, {"highway=path", ""}, {"highway=footway", ""},
                   {"highway=pedestrian", ""}, {"highway=steps", ""}, {"highway=cycleway", ""},
                   {"highway=platform", ""}, {"highway=road", ""}, {"highway=", ""},
                   {"building=yes", ""}, {"railway=rail", ""}, {"highway=pier", ""}, {"", ""});
}

HT_CASE(the_most_specific_access_tag_decides)
{
    CHECK_OPENINGS(
        car(), {"highway=primary", "x"}, {"highway=primary&access=yes", "x"},
        {"highway=primary&access=no", ""}, {"highway=primary&vehicle=yes", "x"},
        {"highway=primary&vehicle=no", ""}, {"highway=primary&access=no&vehicle=yes", "x"},
        {"highway=primary&access=yes&vehicle=no", ""}, {"highway=primary&motor_vehicle=yes", "x"},
        {"highway=primary&motor_vehicle=no", ""},
        {"highway=primary&access=no&motor_vehicle=yes", "x"},
        {"highway=primary&access=yes&motor_vehicle=no", ""},
        {"highway=primary&vehicle=no&motor_vehicle=yes", "x"},
        {"highway=primary&vehicle=yes&motor_vehicle=no", ""}, {"highway=primary&motorcar=yes", "x"},
        {"highway=primary&motorcar=no", ""}, {"highway=primary&access=no&motorcar=yes", "x"},
        {"highway=primary&access=yes&motorcar=no", ""},
        {"highway=primary&vehicle=no&motorcar=yes", "x"},
        {"highway=primary&vehicle=yes&motorcar=no", ""},
        {"highway=primary&motor_vehicle=no&motorcar=yes", "x"},
        {"highway=primary&motor_vehicle=yes&motorcar=no", ""});
}

HT_CASE(access_may_differ_by_direction)
{
    CHECK_OPENINGS(
        car(), {"highway=primary", "x"}, {"highway=primary&access=yes&access:forward=no", "<"},
        {"highway=primary&access=yes&access:forward=yes&motorcar=no", ""},
        {"highway=primary&access=yes&access:forward=yes&motorcar=yes&motorcar:forward=no", "<"},
        {"highway=primary&access=yes&access:backward=no", ">"},
        {"highway=primary&access=yes&access:backward=yes&motorcar=no", ""},
        {"highway=primary&access=yes&access:backward=yes&motorcar=yes&motorcar:backward=no", ">"},
        {"highway=primary&access=no", ""}, {"highway=primary&access=no&access:forward=yes", ">"},
        {"highway=primary&access=no&access:forward=no&motorcar=yes", "x"},
        {"highway=primary&access=no&access:forward=no&motorcar=no&motorcar:forward=yes", ">"},
        {"highway=primary&access=no&access:backward=yes", "<"},
        {"highway=primary&access=no&access:backward=no&motorcar=yes", "x"},
        {"highway=primary&access=no&access:backward=no&motorcar=no&motorcar:backward=yes", "<"},
        {"highway=primary&access:forward=no&motorcar:forward=no", "<"},
        {"highway=primary&access:backward=no&motorcar:backward=no", ">"},
        {"highway=primary&access:forward=no&motorcar:forward=yes", "x"},
        {"highway=primary&access:backward=no&motorcar:backward=yes", "x"},
        {"highway=primary&access:forward=yes&motorcar:forward=no", "<"},
        {"highway=primary&access:backward=yes&motorcar:backward=no", ">"},
        {"highway=primary&access=no&access:forward=yes&access:backward=yes", "x"},
        {"highway=primary&access:forward=no&motorcar=no", ""});
}

HT_CASE(access_values_open_or_close)
{
    CHECK_OPENINGS(
        car(), {"highway=primary&access=yes", "x"}, {"highway=primary&access=permissive", "x"},
        {"highway=primary&access=designated", "x"}, {"highway=primary&access=no", ""},
        {"highway=primary&access=private", "x"}, {"highway=primary&access=agricultural", ""},
        {"highway=primary&access=forestry", ""}, {"highway=primary&access=psv", ""},
        {"highway=primary&access=delivery", "x"}, {"highway=primary&access=some_tag", "x"},
        {"highway=primary&access=destination", "x"}, {"highway=primary&access=emergency", ""},
        {"highway=primary&access=customers", "x"});
}

HT_CASE(access_opens_what_has_no_speed)
{
    CHECK_OPENINGS(car(), {"highway=runway&access=private&motorcar=permissive", "x"},
                   {"highway=primary&access=forestry&motor_vehicle=yes", "x"},
                   {"highway=cycleway&motor_vehicle=designated", "x"},
                   {"highway=unclassified&motor_vehicle=destination&motorcar=destination", "x"},
                   {"highway=residential&vehicle=yes&motor_vehicle=no", ""},
                   {"highway=motorway&access=yes&vehicle=permissive&motorcar=private", ">"},
                   {"highway=trunk&access=agricultural&vehicle=designated&motor_vehicle=permissive&"
                    "motorcar=no",
                    ""},
                   {"highway=pedestrian", ""}, {"highway=pedestrian&motorcar=destination", ""},
                   {"highway=runway", ""}, {"highway=runway&access=yes", "x"},
                   {"highway=runway&vehicle=yes", "x"}, {"highway=runway&motor_vehicle=yes", "x"},
                   {"highway=runway&motorcar=yes", "x"});
}

HT_CASE(access_of_other_modes_is_ignored)
{
    CHECK_OPENINGS(car(), {"highway=runway&foot=yes", ""}, {"highway=primary&foot=no", "x"},
                   {"highway=runway&bicycle=yes", ""}, {"highway=primary&bicycle=no", "x"},
                   {"highway=runway&psv=yes", ""}, {"highway=primary&psv=no", "x"},
                   {"highway=runway&motorhome=yes", ""}, {"highway=primary&motorhome=no", "x"});
}

HT_CASE(oneways_close_one_direction)
{
    CHECK_OPENINGS(
        car(), {"highway=primary&oneway=yes", ">"}, {"highway=primary&oneway=1", ">"},
        {"highway=primary&oneway=true", ">"}, {"highway=primary&oneway=-1", "<"},
        {"highway=primary&oneway=no", "x"}, {"highway=primary&oneway:motorcar=yes", ">"},
        {"highway=primary&oneway:motor_vehicle=yes", ">"},
        {"highway=primary&oneway:vehicle=yes", ">"},
        {"highway=primary&oneway:motorcar=yes&oneway:motor_vehicle=no", ">"},
        {"highway=primary&oneway:motor_vehicle=yes&oneway:vehicle=no", ">"},
        {"highway=primary&oneway:vehicle=yes&oneway=no", ">"},
        {"highway=primary&oneway:motorcar=no&oneway:motor_vehicle=yes", "x"},
        {"highway=primary&oneway:motor_vehicle=no&oneway:vehicle=yes", "x"},
        {"highway=primary&oneway:vehicle=no&oneway=yes", "x"}, {"highway=motorway", ">"},
        {"highway=motorway_link", "x"}, {"highway=motorway&junction=roundabout", ">"},
        {"highway=motorway_link&junction=roundabout", ">"},
        {"highway=primary&junction=roundabout", ">"}, {"highway=primary&junction=circular", ">"},
        {"highway=motorway&oneway=no", "x"}, {"highway=motorway_link&oneway=yes", ">"},
        {"highway=primary&junction=roundabout&oneway=-1", "<"},
        {"highway=primary&oneway=reversible", ""}, {"highway=primary&oneway=alternating", "x"},
        {"highway=motorway&oneway=alternating", ">"}, {"highway=motorway&oneway=reversible", ""},
        {"highway=primary&junction=roundabout&oneway=reversible", ""},
        {"highway=primary&oneway=yes&oneway:bicycle=yes", ">"},
        {"highway=primary&oneway=yes&oneway:bicycle=no", ">"},
        {"highway=primary&oneway=yes&oneway:bicycle=-1", ">"},
        {"highway=primary&oneway=no&oneway:bicycle=yes", "x"},
        {"highway=primary&oneway=no&oneway:bicycle=no", "x"},
        {"highway=primary&oneway=no&oneway:bicycle=-1", "x"},
        {"highway=primary&oneway=-1&oneway:bicycle=yes", "<"},
        {"highway=primary&oneway=-1&oneway:bicycle=no", "<"},
        {"highway=primary&oneway=-1&oneway:bicycle=-1", "<"});
}

HT_CASE(works_and_plans_are_avoided)
{
    CHECK_OPENINGS(
        car(), {"highway=primary", "x"}, {"highway=construction", ""}, {"highway=proposed", ""},
        {"highway=primary&construction=yes", ""}, {"highway=primary&proposed=yes", ""},
        {"highway=primary&construction=no", "x"}, {"highway=primary&construction=widening", "x"},
        {"highway=primary&construction=minor", "x"}, {"highway=primary&railway=construction", ""},
        {"highway=primary&impassable=yes", ""}, {"highway=primary&status=impassable", ""},
        {"highway=primary&area=yes", ""}, {"highway=primary&area=no", "x"},
        {"highway=primary&toll=yes", "x"});
}

HT_CASE(the_size_of_the_car_counts)
{
    CHECK_OPENINGS(
        car(), {"highway=primary&width=narrow", "x"}, {"highway=primary&narrow=yes", "x"},
        {"highway=primary&width=1.8", ""}, {"highway=primary&width=1.9", ""},
        {"highway=primary&width=2.0", "x"}, {"highway=primary&width=2.1", "x"},
        {"highway=primary&width=1m", ""}, {"highway=primary&width=1 m", ""},
        {"highway=primary&width=3 m", "x"}, {"highway=primary&width=6'", ""},
        {"highway=primary&width=6'0\"", ""}, {"highway=primary&width=6'2\"", ""},
        {"highway=primary&width=6'3\"", "x"}, {"highway=primary&width=7'", "x"},
        {"highway=primary&width=7'0\"", "x"}, {"highway=primary&maxwidth:physical=1", ""},
        {"highway=primary&maxwidth:physical=3", "x"}, {"highway=primary&maxwidth=1", ""},
        {"highway=primary&maxwidth=3", "x"}, {"highway=primary&est_width=1", ""},
        {"highway=primary&est_width=3", "x"}, {"highway=primary&maxwidth=3&width=1", "x"},
        {"highway=primary&maxheight:physical=1", ""}, {"highway=primary&maxheight:physical=3", "x"},
        {"highway=primary&maxheight=1", ""}, {"highway=primary&maxheight=8'", "x"},
        {"highway=primary&maxheight=3", "x"}, {"highway=primary&maxheight=default", "x"},
        {"highway=primary&maxheight=none", "x"}, {"highway=primary&maxheight=no-sign", "x"},
        {"highway=primary&maxheight=unsigned", "x"}, {"highway=primary&maxheight:forward=1", "<"},
        {"highway=primary&maxheight:backward=1", ">"}, {"highway=primary&maxlength=1", ""},
        {"highway=primary&maxlength=5", "x"}, {"highway=primary&maxlength=unsigned", "x"},
        {"highway=primary&maxweight=1", ""}, {"highway=primary&maxweight=2", "x"},
        {"highway=primary&maxweight=3.5", "x"}, {"highway=primary&maxweight=35000 kg", "x"},
        {"highway=primary&maxweight=8.9t", "x"}, {"highway=primary&maxweight=0.1 lbs", ""},
        {"highway=primary&maxweight=unsigned", "x"});
}

HT_CASE(surfaces_limit_the_speed)
{
    static const struct {
        const char *tag;
        double speed;
    } facts[] = {
        {"surface=asphalt", 90},
        {"surface=concrete:plates", 90},
        {"surface=paved", 90},
        {"surface=cement", 80},
        {"surface=compacted", 80},
        {"surface=fine_gravel", 80},
        {"surface=paving_stones", 60},
        {"surface=metal", 60},
        {"surface=bricks", 60},
        {"surface=grass", 40},
        {"surface=wood", 40},
        {"surface=sett", 40},
        {"surface=grass_paver", 40},
        {"surface=gravel", 40},
        {"surface=unpaved", 40},
        {"surface=ground", 40},
        {"surface=dirt", 40},
        {"surface=pebblestone", 40},
        {"surface=tartan", 40},
        {"surface=cobblestone", 30},
        {"surface=clay", 30},
        {"surface=earth", 20},
        {"surface=stone", 20},
        {"surface=rocky", 20},
        {"surface=sand", 20},
        {"surface=mud", 10},
        {"surface=nonsense", 90},
        {"tracktype=grade1", 60},
        {"tracktype=grade2", 40},
        {"tracktype=grade3", 30},
        {"tracktype=grade4", 25},
        {"tracktype=grade5", 20},
        {"smoothness=good", 90},
        {"smoothness=intermediate", 80},
        {"smoothness=bad", 40},
        {"smoothness=very_bad", 20},
        {"smoothness=horrible", 10},
        {"smoothness=very_horrible", 5},
        {"tracktype=grade5&surface=asphalt&smoothness=excellent", 20},
        {"tracktype=grade1&surface=mud&smoothness=excellent", 10},
        {"tracktype=grade1&surface=asphalt&smoothness=very_horrible", 5},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "highway=motorway&oneway=no&%s", facts[i].tag);
        check_speed(line, facts[i].speed);
    }
    check_speed("highway=service&tracktype=grade1&surface=asphalt", 15);
    check_speed("highway=service&tracktype=grade5&surface=mud&smoothness=very_horrible", 5);
    CHECK_OPENINGS(car(), {"highway=motorway&smoothness=impassable", ""},
                   {"highway=primary&access=yes&smoothness=impassable", ""},
                   {"highway=primary&oneway=-1&surface=mud", "<"},
                   {"highway=motorway&access=agricultural&surface=asphalt", ""},
                   {"highway=motorway&access=private&surface=asphalt", ">"});
}

HT_CASE(service_roads_cost_more_than_they_take)
{
    check_speeds("highway=service&service=alley", 15, 15, 7.5, 7.5);
    check_speeds("highway=service&service=driveway", 15, 15, 7.5, 7.5);
    check_speeds("highway=service&service=drive-through", 15, 15, 7.5, 7.5);
    check_speeds("highway=service&service=drive-thru", 15, 15, 7.5, 7.5);
    check_speeds("highway=service&service=parking", 15, 15, 7.5, 7.5);
    check_speeds("highway=service&service=parking_aisle", 15, 15, 7.5, 7.5);
    check_speeds("highway=service&service=bus", 15, 15, 15, 15);
    check_speeds("highway=service&service=emergency_access", -1, -1, -1, -1);
}

HT_CASE(narrow_streets_cost_more_than_they_take)
{
    check_speeds("highway=primary&width=3", 65, 65, 32.5, 32.5);
    check_speeds("highway=primary&width=3.5", 65, 65, 32.5, 32.5);
    check_speeds("highway=primary&width=4", 65, 65, 65, 65);
    check_speeds("highway=primary&maxspeed=60&width=3", 48, 48, 24, 24);
    check_speeds("highway=primary&maxspeed=15&maxspeed:forward=60&width=3", 48, 12, 24, 6);
    check_speeds("highway=primary&lanes=1", 65, 65, 32.5, 32.5);
    check_speeds("highway=primary&maxspeed=30&lanes=1&oneway=yes", 24, -1, 24, -1);
    check_speeds("highway=primary&maxspeed=30&lanes=1&oneway=-1", -1, 24, -1, 24);
    check_speeds("highway=primary&maxspeed=30&lanes=1", 24, 24, 12, 12);
    check_speeds("highway=primary&maxspeed=30&lanes=2", 24, 24, 24, 24);
    check_speeds("highway=primary&lanes=1.5", 65, 65, 32.5, 32.5);
}

HT_CASE(side_roads_and_alternating_oneways_cost_more)
{
    check_speeds("highway=primary&side_road=yes", 65, 65, 52, 52);
    check_speeds("highway=primary&side_road=rotary", 65, 65, 52, 52);
    check_speeds("highway=tertiary&oneway=alternating", 40, 40, 16, 16);
    check_speeds("highway=tertiary&oneway=alternating&side_road=yes&width=3", 40, 40, 16, 16);
    check_speeds("highway=motorway&oneway=alternating", 90, -1, 36, -1);
}

HT_CASE(restricted_streets_stay_open_and_say_so)
{
    struct ht_way_rule rule = judge(car(), "highway=residential&access=destination");
    HT_CHECK(rule.side[0].open && rule.side[0].restricted && rule.side[1].restricted);
    rule = judge(car(), "highway=primary&access:forward=private");
    HT_CHECK(rule.side[0].restricted && rule.side[1].open && !rule.side[1].restricted);
    rule = judge(car(), "highway=primary&motor_vehicle=yes&access=private");
    HT_CHECK(rule.side[0].open && !rule.side[0].restricted);
    rule = judge(car(), "highway=track&access=destination");
    HT_CHECK(!rule.side[0].open);
}

HT_CASE(lanes_for_many_riders_restrict)
{
    static const struct {
        const char *tags;
        bool along;
        bool against;
    } facts[] = {
        {"hov=designated", true, true},
        {"hov=yes", false, false},
        {"hov:lanes=designated|designated|designated", true, true},
        {"hov:lanes=designated|no", false, false},
        {"hov:lanes=designated|", false, false},
        {"hov:lanes:forward=designated", true, false},
        {"hov:lanes:backward=designated|designated", false, true},
        {"hov:lanes=designated&oneway=-1", false, true},
        {"hov:lanes=designatedx", false, false},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "highway=primary&%s", facts[i].tags);
        struct ht_way_rule rule = judge(car(), line);
        bool along = rule.side[0].open && rule.side[0].restricted;
        bool against = rule.side[1].open && rule.side[1].restricted;
        if (along != facts[i].along || against != facts[i].against) {
            ht_case_failures++;
            (void)printf("  %s\n", line);
        }
    }
}

HT_CASE(ferries_sail_both_ways_by_their_timetable)
{
    struct ht_way_rule rule = judge(car(), "route=ferry&oneway=yes");
    HT_CHECK_STR(opening(rule), "x");
    HT_CHECK_INT(rule.side[0].mode, HT_MODE_FERRY);
    HT_CHECK_INT(rule.side[0].classes, HT_ARC_IS_FERRY);
    HT_CHECK_INT(rule.side[1].classes, 0);
    HT_CHECK(rule.duration_s == 0.0 && !rule.start_allowed);
    check_speed("route=ferry", 5);
    check_speed("route=shuttle_train", 10);
    rule = judge(car(), "route=ferry&duration=00:20:00");
    HT_CHECK(rule.duration_s == 1200.0 && rule.weight_s == 1200.0);
    HT_CHECK(rule.side[0].open && rule.side[1].open);
    rule = judge(car(), "route=ferry&duration=00:20:00&width=2.5");
    HT_CHECK(rule.duration_s == 1200.0 && rule.weight_s == 2400.0);
    HT_CHECK(judge(car(), "route=ferry&duration=0").duration_s == 1.0);
    HT_CHECK(judge(car(), "route=ferry&duration=soon").duration_s == 0.0);
    CHECK_OPENINGS(car(), {"route=ferry&motor_vehicle=no", ""}, {"route=ferry_man", ""},
                   {"route=ferry&motor_vehicle=yes&access=no", "x"}, {"route=bus", ""},
                   {"route=bus&highway=primary", "x"});
}

HT_CASE(movable_bridges_are_slow)
{
    check_speed("highway=primary&bridge=movable", 5);
    check_speed("highway=primary&bridge=yes", 65);
    struct ht_way_rule rule = judge(car(), "highway=primary&bridge=movable&duration=00:10:00");
    HT_CHECK(rule.duration_s == 600.0 && rule.side[0].mode == HT_MODE_DRIVING);
    HT_CHECK(rule.side[0].speed_kmh == 65.0 && rule.start_allowed);
}

HT_CASE(private_service_roads_are_no_start)
{
    HT_CHECK(!judge(car(), "highway=service&access=private").start_allowed);
    HT_CHECK(judge(car(), "highway=service&access=destination").start_allowed);
    HT_CHECK(judge(car(), "highway=residential&access=private").start_allowed);
    HT_CHECK(judge(car(), "highway=service").start_allowed);
}

HT_CASE(classes_follow_tags_and_directions)
{
    struct ht_way_rule rule = judge(car(), "highway=motorway&toll=yes&oneway=no&tunnel=yes");
    HT_CHECK_INT(rule.side[0].classes, HT_ARC_TOLL | HT_ARC_MOTORWAY | HT_ARC_IS_TUNNEL);
    HT_CHECK_INT(rule.side[1].classes, HT_ARC_TOLL | HT_ARC_MOTORWAY | HT_ARC_IS_TUNNEL);
    rule = judge(car(), "highway=primary&toll:backward=yes&tunnel=no");
    HT_CHECK_INT(rule.side[0].classes, 0);
    HT_CHECK_INT(rule.side[1].classes, HT_ARC_TOLL);
    HT_CHECK_INT(judge(car(), "highway=motorway_link").side[1].classes, HT_ARC_MOTORWAY);
    rule = judge(car(), "highway=motorway&access=private");
    HT_CHECK_INT(rule.side[0].classes, HT_ARC_MOTORWAY | HT_ARC_RESTRICTED);
}

HT_CASE(the_first_of_equal_keys_counts_and_empty_ones_do_not)
{
    CHECK_OPENINGS(car(), {"highway=primary&highway=steps", "x"}, {"highway=&highway=primary", "x"},
                   {"highway=primary&access=", "x"});
}

HT_MAIN()
