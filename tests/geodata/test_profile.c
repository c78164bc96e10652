/* Profile files, nodes, turns and facts; what the other profiles do differently from car. */
#include "geodata/profile.h"

#include <math.h>
#include <sys/stat.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/tags.h"

static const struct ht_profile *builtin(const char *name)
{
    static struct ht_profile **list;
    static size_t count;
    struct ht_error error;
    if (list == NULL && ht_profiles_open(NULL, &list, &count, &error) != HT_OK) {
        (void)printf("  %s\n", error.message);
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(ht_profile_name(list[i]), name) == 0) {
            return list[i];
        }
    }
    (void)printf("  no %s\n", name);
    exit(1);
}

#define MINIMAL                                                                                    \
    "\"name\": \"mine\", \"mode\": \"driving\", \"vehicles\": [\"motorcar\"], "                    \
    "\"routable\": {\"highway\": \"*\"}, \"speeds\": {\"highway\": {\"primary\": 50}}"

/* The message must hold `words`; NULL: it must be read. */
static void check_file(const char *json, enum ht_status want, const char *words)
{
    struct ht_profile *profile = NULL;
    struct ht_error error = {.message = ""};
    enum ht_status got = ht_profile_parse(json, strlen(json), "test.json", &profile, &error);
    if (got != want || (words != NULL && strstr(error.message, words) == NULL)) {
        ht_case_failures++;
        (void)printf("  %.60s: %s \"%s\"\n", json, ht_status_text(got), error.message);
    }
    HT_CHECK((profile != NULL) == (got == HT_OK));
    ht_profile_free(profile);
}

HT_CASE(the_five_are_built_in)
{
    struct ht_profile **list = NULL;
    size_t count = 0;
    struct ht_error error;
    HT_REQUIRE(ht_profiles_open(NULL, &list, &count, &error) == HT_OK);
    HT_REQUIRE(count == 5);
    static const char *const names[] = {"car", "van", "emergency", "ebike", "foot"};
    for (size_t i = 0; i < count; i++) {
        HT_CHECK_STR(ht_profile_name(list[i]), names[i]);
        HT_CHECK(!ht_profile_left_hand(list[i]));
    }
    HT_CHECK(ht_profile_continue_straight(list[0]) && !ht_profile_continue_straight(list[4]));
    for (size_t i = 0; i < count; i++) {
        HT_CHECK(ht_profile_emergency(list[i]) ==
                 (strcmp(ht_profile_name(list[i]), "emergency") == 0));
    }
    HT_CHECK(ht_profile_obeys_restrictions(list[0]) && ht_profile_obeys_restrictions(list[1]));
    HT_CHECK(!ht_profile_obeys_restrictions(list[2]) && !ht_profile_obeys_restrictions(list[4]));
    HT_CHECK_INT(ht_profile_excludable(list[0]), HT_ARC_TOLL | HT_ARC_MOTORWAY | HT_ARC_IS_FERRY);
    const char *const *types = ht_profile_restriction_types(list[0]);
    HT_CHECK_STR(types[0], "motorcar");
    HT_CHECK_STR(types[2], "vehicle");
    HT_CHECK(types[3] == NULL);
    ht_profiles_free(list, count);
}

HT_CASE(profiles_open_by_name_or_folder)
{
    struct ht_profile **list = NULL;
    size_t count = 0;
    struct ht_error error;
    HT_REQUIRE(ht_profiles_open("foot,car", &list, &count, &error) == HT_OK);
    HT_CHECK_INT(count, 2);
    HT_CHECK_STR(ht_profile_name(list[0]), "foot");
    ht_profiles_free(list, count);
    HT_CHECK_INT(ht_profiles_open("car,tank", &list, &count, &error), HT_NOT_FOUND);
    HT_CHECK(strstr(error.message, "\"tank\"") != NULL && strstr(error.message, "ebike") != NULL);
    HT_CHECK(list == NULL && count == 0);
    HT_CHECK_INT(ht_profiles_open("car,car", &list, &count, &error), HT_INVALID);
    HT_CHECK_INT(ht_profiles_open("", &list, &count, &error), HT_NOT_FOUND);
    HT_REQUIRE(ht_profiles_open(HT_SOURCE_DIR "/geodata/profiles", &list, &count, &error) == HT_OK);
    HT_CHECK_INT(count, 5);
    HT_CHECK_STR(ht_profile_name(list[0]), "car");
    HT_CHECK_STR(ht_profile_name(list[4]), "van");
    ht_profiles_free(list, count);
}

HT_CASE(a_folder_without_profiles_is_empty)
{
    char folder[] = "/tmp/ht_profile_XXXXXX";
    HT_REQUIRE(mkdtemp(folder) != NULL);
    struct ht_profile **list = NULL;
    size_t count = 0;
    struct ht_error error;
    HT_CHECK_INT(ht_profiles_open(folder, &list, &count, &error), HT_EMPTY);
    (void)rmdir(folder);
}

HT_CASE(a_minimal_file_is_read)
{
    check_file("{" MINIMAL "}", HT_OK, NULL);
    check_file("{/* why */" MINIMAL "}", HT_OK, NULL);
}

HT_CASE(mistakes_are_named)
{
    check_file("{" MINIMAL ", \"spedes\": {}}", HT_INVALID, "\"spedes\"");
    check_file("{" MINIMAL ", \"turn\": {\"penalti_s\": 1}}", HT_INVALID, "\"turn.penalti_s\"");
    check_file("{" MINIMAL ", \"turn\": {\"penalty_s\": \"1\"}}", HT_INVALID, "must be a number");
    check_file("{" MINIMAL ", \"turn\": {\"penalty_s\": -1}}", HT_INVALID, "within 0 and 3600");
    check_file("{" MINIMAL ", \"turn\": {\"penalty_s\": 1e400}}", HT_INVALID, NULL);
    check_file("{" MINIMAL ", \"turn\": []}", HT_INVALID, "\"turn\" must be an object");
    check_file("{" MINIMAL ", \"weight\": \"fast\"}", HT_INVALID, "routability duration");
    check_file("{" MINIMAL ", \"left_hand\": 1}", HT_INVALID, "true or false");
    check_file("{" MINIMAL ", \"name\": \"twice\"}", HT_INVALID, "\"name\" stands there twice");
    check_file("{" MINIMAL ", \"block\": {\"area\": 1}}", HT_INVALID, "\"block.area\"");
    check_file("{" MINIMAL ", \"block\": {\"area\": {\"nor\": []}}}", HT_INVALID, "block.area");
    check_file("{" MINIMAL ", \"caps\": {\"surface\": {\"mud\": 900}}}", HT_INVALID,
               "\"caps.surface.mud\"");
    check_file("{" MINIMAL ", \"classes\": [\"toll\"], \"exclude\": [\"ferry\"]}", HT_INVALID,
               "\"exclude\"");
    check_file("{" MINIMAL ", \"nodes\": {\"barriers_pass\": [\"gate\"], "
               "\"barriers_stop\": [\"wall\"]}}",
               HT_INVALID, "not both");
    check_file("{" MINIMAL ", \"restrict\": {\"lanes\": [\"hov:lanes\"]}}", HT_INVALID,
               "restrict.lane_value");
    check_file("{" MINIMAL ", \"fallback\": {\"default_speed\": 4}}", HT_INVALID, "fallback.mode");
    check_file("{\"name\": \"mine\"}", HT_INVALID, "\"mode\" is missing");
    check_file("{}", HT_INVALID, "\"name\" is missing");
    check_file("{\"name\": \"a b\", \"mode\": \"driving\", \"vehicles\": [\"x\"], "
               "\"routable\": {\"highway\": \"*\"}, \"speeds\": {\"highway\": {\"primary\": 50}}}",
               HT_INVALID, "letters, digits");
    check_file("{" MINIMAL ", \"max_speed\": 301}", HT_INVALID, "within 0 and 300");
    check_file("{" MINIMAL ", \"max_speed\": 300}", HT_OK, NULL);
    check_file("{" MINIMAL ", \"maxspeed\": {\"values\": {\"none\": 301}}}", HT_INVALID,
               "within 0 and 300");
    check_file("[]", HT_INVALID, "must be an object");
    check_file("{", HT_SYNTAX, "test.json");
    check_file("", HT_SYNTAX, NULL);
    check_file("{\"name\": \"a\xff\"}", HT_SYNTAX, NULL);
}

HT_CASE(files_beyond_the_limits_are_refused)
{
    static char deep[20000];
    memset(deep, '[', sizeof deep - 1);
    check_file(deep, HT_TOO_BIG, NULL);
    struct ht_profile *profile = NULL;
    struct ht_error error;
    HT_CHECK_INT(ht_profile_parse("{\0}", 3, "nul", &profile, &error), HT_SYNTAX);
    static char keys[20000] = "{" MINIMAL ", \"block\": {";
    for (int i = 0; i < 300; i++) {
        char one[32];
        (void)snprintf(one, sizeof one, "%s\"key%d\": \"*\"", i > 0 ? ", " : "", i);
        strcat(keys, one);
    }
    strcat(keys, "}}");
    check_file(keys, HT_INVALID, "the limit is 256");
}

static struct ht_node_rule judge_node(const char *profile, const char *line)
{
    struct ht_test_tags tags;
    struct ht_node_rule rule;
    bool found = ht_profile_node(builtin(profile), ht_test_tags(&tags, line), &rule);
    HT_CHECK(found == (rule.barrier || rule.signal || rule.stop || rule.stop_minor ||
                       rule.turning || rule.wait_s > 0.0));
    return rule;
}

static void check_barrier(const char *profile, const char *line, bool barrier)
{
    if (judge_node(profile, line).barrier != barrier) {
        ht_case_failures++;
        (void)printf("  %s: %s %s\n", profile, line, barrier ? "is passed" : "stops");
    }
}

HT_CASE(barriers_stop_cars_unless_they_open)
{
    static const char *const open[] = {
        "barrier=gate",
        "barrier=lift_gate",
        "barrier=cattle_grid",
        "barrier=border_control",
        "barrier=toll_booth",
        "barrier=sally_port",
        "barrier=entrance",
        "barrier=no",
        "barrier=arch",
        "barrier=wall&access=yes",
        "barrier=wall&access=permissive",
        "barrier=wall&access=designated",
        "barrier=wall&access=private",
        "barrier=gate&access=private",
        "barrier=bollard&bollard=rising",
        "barrier=kerb&highway=crossing",
        "barrier=kerb&highway=crossing&kerb=yes",
        "barrier=kerb&kerb=lowered",
        "barrier=kerb&kerb=flush",
        "barrier=height_restrictor",
        "barrier=height_restrictor&maxheight=3",
        "barrier=height_restrictor&maxheight=default",
        "access=no&vehicle=yes",
        "vehicle=no&motor_vehicle=yes",
        "motor_vehicle=no&motorcar=yes",
        "access=some_tag",
        "access=delivery",
        "foot=no",
        "natural=tree",
    };
    static const char *const closed[] = {
        "barrier=bollard",
        "barrier=wall",
        "barrier=fence",
        "barrier=some_tag",
        "barrier=block",
        "barrier=gate&access=no",
        "barrier=gate&access=agricultural",
        "barrier=wall&access=no",
        "barrier=bollard&bollard=removable",
        "barrier=kerb",
        "barrier=kerb&kerb=raised",
        "barrier=kerb&kerb=yes",
        "barrier=height_restrictor&maxheight=1",
        "access=no",
        "access=forestry",
        "access=psv",
        "motorcar=no",
        "access=yes&vehicle=no",
        "vehicle=yes&motor_vehicle=no",
        "motor_vehicle=yes&motorcar=no",
    };
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        check_barrier("car", open[i], false);
    }
    for (size_t i = 0; i < sizeof closed / sizeof closed[0]; i++) {
        check_barrier("car", closed[i], true);
    }
}

HT_CASE(barriers_differ_by_who_comes)
{
    check_barrier("van", "barrier=swing_gate", false);
    check_barrier("van", "barrier=height_restrictor&maxheight=2.5", true);
    check_barrier("emergency", "barrier=gate&access=private", false);
    check_barrier("emergency", "barrier=swing_gate", false);
    check_barrier("emergency", "barrier=gate&motor_vehicle=no&emergency=yes", false);
    check_barrier("emergency", "barrier=bollard", true);
    check_barrier("emergency", "barrier=bollard&bollard=removable", false);
    check_barrier("emergency", "barrier=wall", true);
    check_barrier("ebike", "barrier=bollard", false);
    check_barrier("ebike", "barrier=wall", true);
    check_barrier("ebike", "barrier=gate&bicycle=no", true);
    check_barrier("ebike", "highway=crossing&bicycle=no", false);
    check_barrier("foot", "barrier=bollard", false);
    check_barrier("foot", "barrier=fence", true);
    check_barrier("foot", "barrier=gate&access=no&foot=yes", false);
}

HT_CASE(signals_and_signs_make_wait)
{
    struct ht_node_rule rule = judge_node("car", "highway=traffic_signals");
    HT_CHECK(rule.signal && rule.wait_s == 2.0 && rule.direction == HT_OBSTACLE_BOTH);
    HT_CHECK(!rule.directed);
    rule = judge_node("car", "highway=traffic_signals&direction=backward");
    HT_CHECK_INT(rule.direction, HT_OBSTACLE_BACKWARD);
    rule = judge_node("car", "highway=traffic_signals&direction=backward&"
                             "traffic_signals:direction=forward");
    HT_CHECK_INT(rule.direction, HT_OBSTACLE_FORWARD);
    rule = judge_node("car", "highway=stop&direction=both");
    HT_CHECK(rule.stop && rule.directed && rule.direction == HT_OBSTACLE_BOTH);
    HT_CHECK(rule.wait_s == 2.0);
    rule = judge_node("car", "highway=stop&stop=minor");
    HT_CHECK(!rule.stop && rule.stop_minor && rule.wait_s == 2.0);
    rule = judge_node("car", "highway=give_way&direction=forward");
    HT_CHECK(rule.wait_s == 1.0 && rule.direction == HT_OBSTACLE_FORWARD && !rule.signal);
    HT_CHECK(judge_node("car", "highway=turning_circle").turning);
    HT_CHECK(judge_node("car", "highway=turning_loop").turning);
    HT_CHECK(judge_node("car", "highway=mini_roundabout").turning);
    HT_CHECK(judge_node("car", "highway=crossing").wait_s == 0.0);
    HT_CHECK(judge_node("foot", "highway=stop").wait_s == 0.0);
}

HT_CASE(waits_look_at_who_arrives)
{
    struct ht_node_approach near = {
        .number_of_roads = 2, .source_length_m = 10.0, .target_length_m = 50.0};
    struct ht_node_approach junction = near;
    junction.number_of_roads = 3;
    struct ht_node_rule stop = judge_node("car", "highway=stop");
    HT_CHECK(ht_node_wait(&stop, &near) == 0.0);
    HT_CHECK(ht_node_wait(&stop, &junction) == 2.0);
    near.source_length_m = 20.0;
    HT_CHECK(ht_node_wait(&stop, &near) == 2.0);
    near.source_length_m = 10.0;
    stop = judge_node("car", "highway=stop&direction=both");
    HT_CHECK(ht_node_wait(&stop, &near) == 2.0);
    struct ht_node_rule minor = judge_node("car", "highway=stop&stop=minor");
    HT_CHECK(ht_node_wait(&minor, &junction) == 0.0);
    junction.from_minor = true;
    HT_CHECK(ht_node_wait(&minor, &junction) == 2.0);
    struct ht_node_rule signal = judge_node("car", "highway=traffic_signals");
    HT_CHECK(ht_node_wait(&signal, &near) == 2.0);
}

static void check_turn(const char *profile, struct ht_turn_view turn, uint32_t weight,
                       uint32_t duration)
{
    uint32_t got_weight = 0;
    uint32_t got_duration = 0;
    ht_profile_turn(builtin(profile), &turn, &got_weight, &got_duration);
    if (got_weight != weight || got_duration != duration) {
        ht_case_failures++;
        (void)printf("  %s %g: %u %u, not %u %u\n", profile, turn.angle_deg, got_weight,
                     got_duration, weight, duration);
    }
}

/* Values of 7.5 / (1 + exp(-x)) by hand, x = 13 / 1.075 * a - 6.9875 or 13 * 1.075 * a - 6.046512.
 */
HT_CASE(turns_cost_by_their_angle)
{
    struct ht_turn_view turn = {
        .number_of_roads = 3, .source_mode = HT_MODE_DRIVING, .target_mode = HT_MODE_DRIVING};
    check_turn("car", turn, 7, 7);
    turn.angle_deg = 90.0;
    check_turn("car", turn, 2105, 2105);
    turn.angle_deg = -90.0;
    check_turn("car", turn, 5395, 5395);
    turn.angle_deg = 45.0;
    check_turn("car", turn, 140, 140);
    turn.left_hand = true;
    turn.angle_deg = -90.0;
    check_turn("car", turn, 2105, 2105);
    turn.angle_deg = 90.0;
    check_turn("car", turn, 5395, 5395);
    check_turn("foot", turn, 0, 0);
}

HT_CASE(only_junctions_and_changes_cost)
{
    struct ht_turn_view turn = {.angle_deg = 90.0,
                                .number_of_roads = 2,
                                .source_mode = HT_MODE_DRIVING,
                                .target_mode = HT_MODE_DRIVING};
    check_turn("car", turn, 0, 0);
    turn.wait_s = 2.0;
    check_turn("car", turn, 2000, 2000);
    turn.target_mode = HT_MODE_FERRY;
    check_turn("car", turn, 4105, 4105);
    turn = (struct ht_turn_view){.angle_deg = 180.0,
                                 .number_of_roads = 1,
                                 .is_u_turn = true,
                                 .source_mode = HT_MODE_DRIVING,
                                 .target_mode = HT_MODE_DRIVING};
    check_turn("car", turn, 27455, 27455);
}

HT_CASE(entering_restricted_streets_is_dear)
{
    struct ht_turn_view turn = {.angle_deg = 90.0,
                                .number_of_roads = 3,
                                .target_restricted = true,
                                .source_mode = HT_MODE_DRIVING,
                                .target_mode = HT_MODE_DRIVING};
    check_turn("car", turn, 3276700, 2105);
    turn.angle_deg = 0.0;
    check_turn("van", turn, 1800008, 8);
    turn.source_restricted = true;
    check_turn("car", turn, 7, 7);
    turn.target_restricted = false;
    check_turn("car", turn, 7, 7);
}

static struct ht_way_rule judge(const char *profile, const char *line)
{
    struct ht_test_tags tags;
    struct ht_way_rule rule;
    (void)ht_profile_way(builtin(profile), ht_test_tags(&tags, line), &rule);
    return rule;
}

/* km/h of both directions, -1 closed. */
static void check_way(const char *profile, const char *line, double along, double against)
{
    struct ht_way_rule rule = judge(profile, line);
    double got[2];
    for (int side = 0; side < 2; side++) {
        got[side] = rule.side[side].open ? rule.side[side].speed_kmh : -1.0;
        HT_CHECK(!rule.side[side].open ||
                 fabs(rule.side[side].rate_mps * 3.6 - rule.side[side].speed_kmh) < 1e-9);
    }
    if (fabs(got[0] - along) > 1e-9 || fabs(got[1] - against) > 1e-9) {
        ht_case_failures++;
        (void)printf("  %s, %s: %g %g, not %g %g\n", profile, line, got[0], got[1], along, against);
    }
}

HT_CASE(limits_are_read_as_mappers_write_them)
{
    static const struct {
        const char *text;
        double kmh;
    } rows[] = {{"DE:zone30", 30},
                {"DE:zone:30", 30},
                {"IT:zone30", 30},
                {"DE:zone:20", 20},
                {"NL:zone60", 60},
                {"RU:living_street", 20},
                {"FR:living_street", 20},
                {"DE:living_street", 7},
                {"DE:walk", 7},
                {"CN:walk", 7},
                {"walk", 7},
                {"10 knots", 18.52},
                {"7.5 knots", 13.89},
                {"10 Knots", 18.52},
                {"10 furlongs", 10},
                {"30 mph", 48.27},
                {"50", 50},
                {"CN:urban", 50},
                {"DE:urban:x", 50}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char line[96];
        double kmh = rows[i].kmh;
        (void)snprintf(line, sizeof line, "highway=residential&maxspeed=%s", rows[i].text);
        check_way("van", line, kmh * 0.75, kmh * 0.75);
        check_way("emergency", line, kmh, kmh);
        check_way("ebike", line, kmh < 18 ? kmh : 18, kmh < 18 ? kmh : 18);
    }
    check_way("van", "highway=residential&maxspeed=XX:zone31", 22, 22);
}

HT_CASE(vans_are_larger_and_slower)
{
    check_way("van", "highway=residential", 22, 22);
    check_way("van", "highway=motorway&maxspeed=120", 90, -1);
    check_way("van", "highway=motorway&maxspeed=none", 75, -1);
    check_way("van", "highway=residential&maxwidth=2.1", -1, -1);
    check_way("van", "highway=residential&maxheight=2.5", -1, -1);
    check_way("van", "highway=residential&maxweight=3", -1, -1);
    check_way("van", "highway=residential&maxweight=3.5", 22, 22);
    check_way("van", "highway=residential&goods=no", -1, -1);
    check_way("van", "highway=residential&motor_vehicle=no&goods=yes", 22, 22);
    check_way("van", "highway=service&service=driveway", 8.4, 8.4);
    HT_CHECK(judge("van", "highway=service&access=private").start_allowed);
    HT_CHECK(judge("van", "highway=pedestrian&goods=delivery").side[0].restricted);
    check_way("van", "highway=pedestrian&goods=delivery", 8, 8);
    check_way("van", "highway=pedestrian", -1, -1);
}

HT_CASE(emergency_vehicles_pass_compounds)
{
    check_way("emergency", "highway=service&access=private", 20, 20);
    HT_CHECK(!judge("emergency", "highway=service&access=private").side[0].restricted);
    HT_CHECK(judge("emergency", "highway=service&access=private").start_allowed);
    check_way("emergency", "highway=service&motor_vehicle=no", 6, 6);
    check_way("emergency", "highway=service&service=emergency_access&access=no", 6, 6);
    check_way("emergency", "highway=service&access=no&emergency=yes", 20, 20);
    check_way("emergency", "highway=pedestrian", 6, 6);
    check_way("emergency", "highway=pedestrian&oneway=yes", 6, -1);
    check_way("emergency", "highway=residential&emergency=no", -1, -1);
    check_way("emergency", "highway=primary&motor_vehicle=no", -1, -1);
    check_way("emergency", "highway=primary&motor_vehicle=no&bus=yes", 75, 75);
    check_way("emergency", "highway=residential&oneway=yes", 35, -1);
    check_way("emergency", "highway=service&motor_vehicle=no&maxwidth=2", -1, -1);
    check_way("emergency", "highway=footway&access=private", -1, -1);
    check_way("emergency", "highway=footway&emergency=yes", 10, 10);
    check_way("emergency", "highway=steps", -1, -1);
}

HT_CASE(ebikes_keep_to_their_law)
{
    check_way("ebike", "highway=residential", 18, 18);
    check_way("ebike", "highway=primary&maxspeed=80", 20, 20);
    check_way("ebike", "highway=residential&maxspeed=10", 10, 10);
    check_way("ebike", "highway=residential&oneway=yes", 18, 4);
    check_way("ebike", "highway=residential&oneway=yes&oneway:bicycle=no", 18, 18);
    check_way("ebike", "highway=residential&oneway=yes&cycleway=opposite_lane", 18, 18);
    check_way("ebike", "highway=residential&oneway=yes&foot=no", 18, -1);
    check_way("ebike", "highway=footway", 4, 4);
    HT_CHECK_INT(judge("ebike", "highway=footway").side[0].mode, HT_MODE_PUSHING);
    HT_CHECK(judge("ebike", "highway=footway").start_allowed);
    check_way("ebike", "highway=footway&bicycle=yes", 12, 12);
    HT_CHECK_INT(judge("ebike", "highway=cycleway").side[0].mode, HT_MODE_CYCLING);
    check_way("ebike", "highway=path&bicycle=dismount", 4, 4);
    check_way("ebike", "highway=secondary&bicycle=no", 4, 4);
    check_way("ebike", "highway=secondary&electric_bicycle=no&foot=no", -1, -1);
    check_way("ebike", "highway=steps", -1, -1);
    check_way("ebike", "highway=trunk", -1, -1);
    check_way("ebike", "highway=trunk&cycleway:right=track", 12, 12);
    check_way("ebike", "highway=motorway", -1, -1);
    check_way("ebike", "highway=residential&access=private", 18, 18);
    HT_CHECK(judge("ebike", "highway=residential&access=private").side[0].restricted);
}

HT_CASE(walkers_go_both_ways)
{
    check_way("foot", "highway=residential&oneway=yes", 5, 5);
    check_way("foot", "highway=footway&oneway=yes&oneway:foot=yes", 5, -1);
    check_way("foot", "highway=steps", 2.5, 2.5);
    check_way("foot", "highway=motorway", -1, -1);
    check_way("foot", "highway=trunk", -1, -1);
    check_way("foot", "highway=trunk&sidewalk=both", 5, 5);
    check_way("foot", "highway=trunk&foot=yes", 5, 5);
    check_way("foot", "highway=primary&foot=no", -1, -1);
    check_way("foot", "highway=track&access=no&foot=designated", 5, 5);
    check_way("foot", "highway=footway&surface=mud", 2.5, 2.5);
    check_way("foot", "man_made=pier", 5, 5);
    check_way("foot", "railway=platform", 5, 5);
    check_way("foot", "railway=rail", -1, -1);
    check_way("foot", "route=ferry", 5, 5);
    HT_CHECK(!judge("foot", "route=ferry").start_allowed);
    HT_CHECK(judge("foot", "highway=footway&access=private").side[0].restricted);
    HT_CHECK(judge("foot", "route=ferry&duration=00:15").weight_s == 900.0);
}

static void facts_of(const char *line, struct ht_test_tags *tags, struct ht_way_facts *facts)
{
    ht_way_facts(ht_test_tags(tags, line), facts);
}

HT_CASE(facts_have_class_and_flags)
{
    struct ht_test_tags tags;
    struct ht_way_facts facts;
    facts_of("highway=motorway_link&tunnel=yes&bridge=no", &tags, &facts);
    HT_CHECK_INT(facts.road_class, HT_ROAD_MOTORWAY);
    HT_CHECK_INT(facts.flags, HT_WAY_LINK | HT_WAY_TUNNEL);
    facts_of("highway=residential_link", &tags, &facts);
    HT_CHECK_INT(facts.road_class, HT_ROAD_OTHER);
    HT_CHECK_INT(facts.flags, 0);
    facts_of("highway=primary&junction=roundabout&bridge=viaduct", &tags, &facts);
    HT_CHECK_INT(facts.road_class, HT_ROAD_PRIMARY);
    HT_CHECK_INT(facts.flags, HT_WAY_ROUNDABOUT | HT_WAY_BRIDGE);
    facts_of("route=ferry", &tags, &facts);
    HT_CHECK_INT(facts.road_class, HT_ROAD_FERRY);
    facts_of("route=ferry&highway=trunk_link", &tags, &facts); /* as OSRM's profiles have it */
    HT_CHECK_INT(facts.road_class, HT_ROAD_TRUNK);
    HT_CHECK_INT(facts.flags, HT_WAY_LINK);
    facts_of("highway=footway&junction=circular&driving_side=left", &tags, &facts);
    HT_CHECK_INT(facts.road_class, HT_ROAD_PATH);
    HT_CHECK_INT(facts.flags, HT_WAY_CIRCULAR);
    HT_CHECK_INT(facts.driving_side, 'l');
}

HT_CASE(facts_have_texts)
{
    struct ht_test_tags tags;
    struct ht_way_facts facts;
    facts_of("highway=primary&name=候涛路&name:en=Houtao Road&name:zh-Hans=候涛路&ref=S1;G2;  X3&"
             "junction:ref=4;5&name:pronunciation=hou",
             &tags, &facts);
    HT_CHECK_STR(facts.name, "候涛路");
    HT_CHECK_STR(facts.name_zh, "候涛路");
    HT_CHECK_STR(facts.name_en, "Houtao Road");
    HT_CHECK_STR(facts.ref, "S1; G2; X3");
    HT_CHECK_STR(facts.exits, "4; 5");
    HT_CHECK_STR(facts.pronunciation, "hou");
    HT_CHECK_STR(facts.destinations, "");
    facts_of("highway=primary", &tags, &facts);
    HT_CHECK_STR(facts.name, "");
    HT_CHECK_STR(facts.ref, "");
}

HT_CASE(destinations_are_for_oneways)
{
    struct ht_test_tags tags;
    struct ht_way_facts facts;
    facts_of("highway=motorway&destination=Düsseldorf;Köln&destination:ref=A59", &tags, &facts);
    HT_CHECK_STR(facts.destinations, "A59: Düsseldorf, Köln");
    facts_of("highway=primary&destination=Düsseldorf;Köln", &tags, &facts);
    HT_CHECK_STR(facts.destinations, "");
    facts_of("highway=primary&oneway=-1&destination:forward=A&destination:backward=B,C", &tags,
             &facts);
    HT_CHECK_STR(facts.destinations, "B, C");
    facts_of("highway=primary&oneway=yes&destination:street=High Street", &tags, &facts);
    HT_CHECK_STR(facts.destinations, "High Street");
    facts_of("highway=primary&oneway=yes&destination:ref=A1;A2", &tags, &facts);
    HT_CHECK_STR(facts.destinations, "A1, A2");
}

HT_CASE(facts_have_lanes)
{
    struct ht_test_tags tags;
    struct ht_way_facts facts;
    facts_of("highway=primary&turn:lanes:forward=left|through&turn:lanes:backward=left;right&"
             "lanes=2",
             &tags, &facts);
    HT_CHECK_STR(facts.lanes_forward, "left|through");
    HT_CHECK_STR(facts.lanes_backward, "left;right");
    HT_CHECK_INT(facts.lane_count, 3);
    facts_of("highway=primary&oneway=yes&turn:lanes=left|through|", &tags, &facts);
    HT_CHECK_STR(facts.lanes_forward, "left|through|");
    HT_CHECK_STR(facts.lanes_backward, "");
    HT_CHECK_INT(facts.lane_count, 3);
    facts_of("highway=primary&oneway=yes&turn:lanes=left|through|&lanes:psv=1", &tags, &facts);
    HT_CHECK_STR(facts.lanes_forward, "left|through");
    facts_of("highway=primary&oneway=yes&turn:lanes=left|through|right&"
             "vehicle:lanes=yes|no|yes",
             &tags, &facts);
    HT_CHECK_STR(facts.lanes_forward, "left|right");
    facts_of("highway=primary&lanes:forward=2&lanes:backward=1", &tags, &facts);
    HT_CHECK_INT(facts.lane_count, 3);
    facts_of("highway=primary&lanes=many", &tags, &facts);
    HT_CHECK_INT(facts.lane_count, 0);
    facts_of("highway=primary&lanes=1000", &tags, &facts);
    HT_CHECK_INT(facts.lane_count, 255);
}

HT_CASE(long_texts_are_cut_at_a_character)
{
    static char ref[6000];
    for (size_t i = 0; i + 3 < sizeof ref - 3; i += 3) {
        memcpy(ref + i, "涛", 3);
    }
    struct ht_osm_tag list[] = {{"highway", "primary"}, {"ref", ref}, {"junction:ref", "7"}};
    struct ht_way_facts facts;
    ht_way_facts((struct ht_osm_tags){.list = list, .count = 3}, &facts);
    size_t size = strlen(facts.ref);
    HT_CHECK(size > 4000 && size % 3 == 0 && size < sizeof facts.scratch);
    HT_CHECK(strlen(facts.exits) <= 1);
}

/* The example of the README. */
HT_CASE(a_handcart_goes_where_its_file_says)
{
    static const char json[] =
        "{\"name\": \"handcart\", \"mode\": \"walking\", \"weight\": \"duration\", "
        "\"vehicles\": [\"foot\"], \"routable\": {\"highway\": \"*\"}, "
        "\"block\": {\"highway\": [\"steps\"], \"construction\": {\"not\": [\"no\", \"minor\"]}}, "
        "\"access\": {\"hierarchy\": [\"foot\", \"access\"], \"deny\": [\"no\", \"private\"]}, "
        "\"speeds\": {\"highway\": {\"residential\": 4, \"footway\": 4, \"pedestrian\": 4}}, "
        "\"caps\": {\"surface\": {\"cobblestone\": 2}}}";
    struct ht_profile *profile = NULL;
    struct ht_error error;
    HT_REQUIRE(ht_profile_parse(json, sizeof json - 1, "handcart", &profile, &error) == HT_OK);
    static const struct {
        const char *tags;
        double speed;
    } facts[] = {
        {"highway=residential", 4},
        {"highway=residential&surface=cobblestone", 2},
        {"highway=footway&access=no", -1},
        {"highway=footway&access=no&foot=yes", 4},
        {"highway=residential&construction=yes", -1},
        {"highway=residential&construction=minor", 4},
        {"highway=primary", -1},
        {"highway=steps", -1},
    };
    for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
        struct ht_test_tags tags;
        struct ht_way_rule rule;
        bool open = ht_profile_way(profile, ht_test_tags(&tags, facts[i].tags), &rule);
        HT_CHECK(open == (facts[i].speed > 0.0));
        HT_CHECK(!open || rule.side[1].speed_kmh == facts[i].speed);
    }
    ht_profile_free(profile);
}

HT_CASE(profile_open_survives_every_failed_allocation)
{
    int rounds = 0;
    for (int n = 0;; n++) {
        struct ht_profile **list = NULL;
        size_t count = 0;
        struct ht_error error;
        ht_oom_arm(n);
        enum ht_status status = ht_profiles_open("car,emergency", &list, &count, &error);
        bool refused = ht_oom_disarm();
        HT_REQUIRE(status == (refused ? HT_NOMEM : HT_OK));
        ht_profiles_free(list, count);
        if (!refused) {
            break;
        }
        rounds++;
    }
    HT_CHECK(rounds > 5);
}

HT_MAIN()
