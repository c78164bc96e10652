/* Profile car beside OSRM's own car.lua, run here in Lua: each way and tagged node of the real
 * extracts, random tags and random turns must come out alike.
 *
 * Needs OSRM's sources: HOUTAO_OSRM names their folder (the one that holds profiles/car.lua). What
 * OSRM's extractor gives its profiles (modes, obstacles, helpers for texts) is made up here as far
 * as they use it; the duration grammar and turn lanes are C++ there and not compared.
 */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <math.h>

#include "engine/base/pool.h"
#include "geodata/measure.h"
#include "geodata/profile.h"
#include "tests/support/check.h"

static lua_State *lua;
static struct ht_profile **profiles;
static struct ht_osm_tags current;
static size_t ways_seen;
static size_t nodes_seen;
static size_t differences;

static const char prelude[] =
    "mode = {inaccessible=0, driving=1, cycling=2, walking=3, ferry=4, train=5, pushing_bike=6}\n"
    "road_priority_class = setmetatable({}, {__index = function() return 1 end})\n"
    "constants = {max_turn_weight = 3276.7}\n"
    "obstacle_type = {none=0, barrier=1, traffic_signals=2, stop=4, give_way=8, crossing=16,\n"
    "  traffic_calming=32, mini_roundabout=64, turning_loop=128, turning_circle=256,\n"
    "  stop_minor=512}\n"
    "obstacle_direction = {none=0, forward=1, backward=2, both=3}\n"
    "local found = {}\n"
    "obstacle_map = {add = function(_, _, o) found[#found + 1] = o end,\n"
    "  get = function() return found end}\n"
    "Obstacle = {new = function(t, d, s) return {type=t, direction=d or 0, duration=s or 0} end}\n"
    "function canonicalizeStringList(text, mark)\n"
    "  local out, space = {}, false\n"
    "  for c in (text:gsub('%' .. mark, mark .. ' ')):gmatch('.') do\n"
    "    local is_space = c:match('%s') ~= nil\n"
    "    if not (is_space and space) then out[#out + 1] = c end\n"
    "    space = is_space\n"
    "  end\n"
    "  return table.concat(out)\n"
    "end\n"
    "function trimLaneString(s) return s end\n"
    "function applyAccessTokens(s) return s end\n"
    "local car = dofile(osrm .. '/profiles/car.lua')\n"
    "local profile = car.setup()\n"
    "local thing = {get_value_by_key = value_of, get_location_tag = function() return nil end}\n"
    "local function mask(c)\n"
    "  return (c.toll and 256 or 0) + (c.motorway and 512 or 0) + (c.ferry and 1024 or 0) +\n"
    "    (c.tunnel and 2048 or 0) + (c.restricted and 2 or 0)\n"
    "end\n"
    "function judge_way()\n"
    "  local r = {forward_speed=-1, backward_speed=-1, forward_rate=-1, backward_rate=-1,\n"
    "    duration=-1, weight=-1, forward_mode=0, backward_mode=0, is_startpoint=true,\n"
    "    forward_restricted=false, backward_restricted=false, forward_classes={},\n"
    "    backward_classes={}, road_classification={}}\n"
    "  car.process_way(profile, thing, r)\n"
    "  return r.forward_speed, r.backward_speed, r.forward_rate, r.backward_rate,\n"
    "    r.forward_mode, r.backward_mode, r.forward_restricted and 1 or 0,\n"
    "    r.backward_restricted and 1 or 0, mask(r.forward_classes), mask(r.backward_classes),\n"
    "    r.duration, r.weight, r.is_startpoint and 1 or 0,\n"
    "    r.destinations or '', r.name or '', r.ref or '', r.exits or ''\n"
    "end\n"
    "function judge_node()\n"
    "  found = {}\n"
    "  car.process_node(profile, thing, {})\n"
    "  local barrier, wait, direction, type = 0, 0, 0, 0\n"
    "  for _, o in ipairs(found) do\n"
    "    if o.type == 1 then barrier = 1\n"
    "    else wait, direction, type = o.duration, o.direction, o.type end\n"
    "  end\n"
    "  return barrier, wait, direction, type\n"
    "end\n"
    "function judge_turn(angle, roads, u_turn, left, from, to, from_mode, to_mode)\n"
    "  found = {}\n"
    "  local t = {angle=angle, number_of_roads=roads, is_u_turn=u_turn ~= 0,\n"
    "    is_left_hand_driving=left ~= 0, source_restricted=from ~= 0, target_restricted=to ~= 0,\n"
    "    source_mode=from_mode, target_mode=to_mode, duration=0, weight=0}\n"
    "  car.process_turn(profile, t)\n"
    "  return t.duration, t.weight\n"
    "end\n";

static int value_of(lua_State *state)
{
    const char *key = luaL_checkstring(state, 2);
    for (size_t i = 0; i < current.count; i++) {
        if (strcmp(current.list[i].key, key) == 0 && current.list[i].value[0] != '\0') {
            lua_pushstring(state, current.list[i].value);
            return 1;
        }
    }
    lua_pushnil(state);
    return 1;
}

static int duration_is_valid(lua_State *state)
{
    double seconds = 0.0;
    lua_pushboolean(state, ht_measure_duration(luaL_checkstring(state, 1), &seconds));
    return 1;
}

static int parse_duration(lua_State *state)
{
    double seconds = 0.0;
    (void)ht_measure_duration(luaL_checkstring(state, 1), &seconds);
    lua_pushnumber(state, seconds);
    return 1;
}

/* NULL, or why it can't run. */
static const char *open_peer(void)
{
    const char *osrm = getenv("HOUTAO_OSRM");
    if (osrm == NULL) {
        return "HOUTAO_OSRM names no folder with OSRM's sources";
    }
    if (lua != NULL) {
        return NULL;
    }
    static size_t count;
    struct ht_error error;
    if (ht_profiles_open("car", &profiles, &count, &error) != HT_OK) {
        return "no profile car";
    }
    lua = luaL_newstate();
    luaL_openlibs(lua);
    lua_pushstring(lua, osrm);
    lua_setglobal(lua, "osrm");
    lua_register(lua, "value_of", value_of);
    lua_register(lua, "durationIsValid", duration_is_valid);
    lua_register(lua, "parseDuration", parse_duration);
    if (luaL_dostring(lua, "package.path = osrm .. '/profiles/?.lua;' .. package.path") != LUA_OK ||
        luaL_dostring(lua, prelude) != LUA_OK) {
        (void)printf("  %s\n", lua_tostring(lua, -1));
        return "car.lua does not run";
    }
    return NULL;
}

static void differ(const char *what, double got, double want)
{
    differences++;
    ht_case_failures++;
    if (differences > 20) {
        return;
    }
    (void)printf("  %s %g, in Lua %g:", what, got, want);
    for (size_t i = 0; i < current.count; i++) {
        (void)printf(" %s=%s", current.list[i].key, current.list[i].value);
    }
    (void)printf("\n");
}

static bool check_number(const char *what, double got, double want)
{
    if (fabs(got - want) <= 1e-9 * (1.0 + fabs(want))) {
        return true;
    }
    differ(what, got, want);
    return false;
}

/* Calls a Lua function whose arguments are pushed; the results are `numbers`, then strings on the
 * stack. */
static void call(const char *function, int arguments, int results, double *numbers,
                 int number_count)
{
    lua_getglobal(lua, function);
    lua_insert(lua, 1);
    if (lua_pcall(lua, arguments, results, 0) != LUA_OK) {
        (void)printf("  %s: %s\n", function, lua_tostring(lua, -1));
        exit(1);
    }
    for (int i = 0; i < number_count; i++) {
        numbers[i] = lua_tonumber(lua, i + 1);
    }
}

static void check_side(const struct ht_way_side *side, bool open, const double *lua_side)
{
    if (!check_number("open", side->open, open) || !open) {
        return;
    }
    /* A way with a duration may have no speed: -1 there, 0 here. */
    (void)check_number("speed", side->speed_kmh, fmax(lua_side[0], 0.0));
    (void)check_number("rate", side->rate_mps, fmax(lua_side[2], 0.0));
    (void)check_number("mode", side->mode, lua_side[4]);
    (void)check_number("restricted", side->restricted, lua_side[6]);
    (void)check_number("classes", side->classes, lua_side[8]);
}

static void check_texts(void)
{
    static struct ht_way_facts facts;
    ht_way_facts(current, &facts);
    const char *got[] = {facts.destinations, facts.name, facts.ref, facts.exits};
    for (int i = 0; i < 4; i++) {
        if (strcmp(got[i], lua_tostring(lua, 14 + i)) != 0) {
            differ("text", i, i);
        }
    }
}

static void check_way(struct ht_osm_tags tags)
{
    struct ht_way_rule rule;
    (void)ht_profile_way(profiles[0], tags, &rule);
    current = tags;
    ways_seen++;
    double n[13];
    call("judge_way", 0, 17, n, 13);
    double duration = n[10];
    double weight = n[11];
    bool open[2];
    for (int i = 0; i < 2; i++) { /* what OSRM's extractor makes of it */
        open[i] =
            n[4 + i] != 0.0 && (n[i] > 0.0 || n[2 + i] > 0.0 || duration > 0.0 || weight > 0.0);
    }
    for (int i = 0; i < 2; i++) {
        check_side(&rule.side[i], open[i], n + i);
    }
    if (open[0] || open[1]) {
        (void)check_number("duration", rule.duration_s, fmax(duration, 0.0));
        (void)check_number("weight", rule.weight_s, fmax(weight, 0.0));
        (void)check_number("start", rule.start_allowed, n[12]);
        check_texts();
    }
    lua_settop(lua, 0);
}

static void check_node(struct ht_osm_tags tags)
{
    struct ht_node_rule rule;
    (void)ht_profile_node(profiles[0], tags, &rule);
    current = tags;
    nodes_seen++;
    double n[4];
    call("judge_node", 0, 4, n, 4);
    int type = (int)n[3];
    (void)check_number("barrier", rule.barrier, n[0]);
    (void)check_number("wait", rule.wait_s, n[1]);
    (void)check_number("signal", rule.signal, type == 2);
    (void)check_number("stop", rule.stop, type == 4);
    (void)check_number("stop_minor", rule.stop_minor, type == 512);
    (void)check_number("turning", rule.turning, (type & (64 | 128 | 256)) != 0);
    if (n[1] > 0.0) {
        (void)check_number("forward", rule.direction == HT_OBSTACLE_FORWARD, n[2] == 1.0);
        (void)check_number("backward", rule.direction == HT_OBSTACLE_BACKWARD, n[2] == 2.0);
        (void)check_number("directed", rule.directed, n[2] != 0.0);
    }
    lua_settop(lua, 0);
}

static enum ht_status check_block(void *user, const struct ht_osm_block *block, size_t worker)
{
    (void)user;
    (void)worker;
    for (size_t i = 0; i < block->way_count; i++) {
        check_way(block->ways[i].tags);
    }
    for (size_t i = 0; i < block->node_count; i++) {
        if (block->nodes[i].tags.count > 0) {
            check_node(block->nodes[i].tags);
        }
    }
    return HT_OK;
}

HT_CASE(real_extracts_are_judged_alike)
{
    const char *why = open_peer();
    if (why != NULL) {
        HT_SKIP(why);
    }
    if (ht_data_dir() == NULL) {
        HT_SKIP("no folder of real data");
    }
    static const char *const files[] = {
        "andorra.osm.pbf",       "baltimore.osm.pbf",         "copenhagen-kbh.osm.pbf",
        "jinan.osm.pbf",         "milan_italy_small.osm.pbf", "monaco.osm.pbf",
        "north-bayreuth.osm.gz", "portland_small.osm.pbf",    "reisterstown.osm.pbf",
        "victoria.osm.bz2",
    };
    struct ht_pool *pool = NULL;
    HT_REQUIRE(ht_pool_new(1, &pool) == HT_OK); /* one Lua state, one thread */
    const struct ht_osm_handler handler = {.block = check_block, .ways = true, .nodes = true};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[1024];
        struct ht_error error = {.message = ""};
        (void)snprintf(path, sizeof path, "%s/osm/%s", ht_data_dir(), files[i]);
        if (ht_osm_read(path, pool, &handler, &error) != HT_OK) {
            (void)printf("  %s\n", error.message);
            HT_CHECK(false);
        }
    }
    ht_pool_free(pool);
    (void)printf("  %zu ways, %zu nodes\n", ways_seen, nodes_seen);
    HT_CHECK(ways_seen > 100000 && nodes_seen > 50000);
}

/* A key and its values, apart by "|"; the first eight rows open most ways. */
static const char *const vocabulary[][2] = {
    {"highway", "primary|service|motorway|motorway_link|residential|track|runway|living_street"},
    {"highway", "primary|secondary|tertiary|residential|unclassified|trunk|trunk_link|footway"},
    {"highway", "traffic_signals|stop|give_way|crossing|turning_circle|mini_roundabout|service"},
    {"highway", "construction|proposed|steps|residential|primary|secondary|tertiary_link"},
    {"route", "ferry|shuttle_train|bus|ferry_man|road"},
    {"access", "no|private|destination|yes|permissive|some|delivery|customers|forestry|psv"},
    {"motor_vehicle", "no|yes|private|designated|agricultural"},
    {"vehicle", "no|yes|destination|private"},
    {"motorcar", "yes|no|delivery"},
    {"motorcar:forward", "no|yes|private"},
    {"access:backward", "no|yes|destination"},
    {"oneway", "yes|-1|no|1|true|alternating|reversible"},
    {"oneway:motor_vehicle", "no|yes|-1"},
    {"junction", "roundabout|circular|jughandle"},
    {"maxspeed", "50|30 mph|DE:urban|none|walk|FR:rural|30;50|0|cz:motorway|GB:nsl_dual|5"},
    {"maxspeed:forward", "60|20|XX:trunk"},
    {"maxspeed:backward", "70|be-bru:rural"},
    {"maxspeed:advisory", "45|none"},
    {"source:maxspeed", "RO:urban|sign"},
    {"surface", "mud|asphalt|gravel|cobblestone|sand"},
    {"smoothness", "impassable|bad|very_horrible"},
    {"tracktype", "grade1|grade5"},
    {"service", "alley|emergency_access|driveway|parking_aisle|bus"},
    {"width", "3|1.9|2.5|narrow|6'2\"|6'3\"|3,5|12 ft"},
    {"lanes", "1|2|1.5|3;4| 2|one"},
    {"side_road", "yes|rotary"},
    {"hov", "designated|yes"},
    {"hov:lanes", "designated|yes"},
    {"hov:lanes:backward", "designated"},
    {"toll", "yes|no"},
    {"toll:forward", "yes"},
    {"tunnel", "yes|no|building_passage"},
    {"bridge", "movable|yes"},
    {"duration", "00:10|PT1H|10|120|P1D|x|0"},
    {"maxheight", "1.8|2.0|default|none|6'|below"},
    {"maxweight", "1|2|1999 kg|4000 lbs|2,5"},
    {"maxlength", "4|4.8|5"},
    {"narrow", "yes"},
    {"est_width", "1|3"},
    {"maxwidth:physical", "1.9|2"},
    {"construction", "yes|minor"},
    {"area", "yes|no"},
    {"impassable", "yes"},
    {"railway", "construction|rail"},
    {"barrier", "gate|bollard|height_restrictor|kerb|wall|lift_gate"},
    {"bollard", "rising|fixed"},
    {"kerb", "lowered|raised"},
    {"direction", "forward|backward|both|up"},
    {"traffic_signals:direction", "forward|both"},
    {"stop", "minor|all"},
    {"destination", "A;B|C,  D|E"},
    {"destination:ref", "A1;A2|B5"},
    {"ref", "R1;R2|S"},
    {"junction:ref", "1;2|3"},
};

/* One of the values that stand apart by "|". */
static void pick(uint64_t *seed, const char *values, char *out, size_t room)
{
    uint32_t count = 1;
    for (const char *at = values; *at != '\0'; at++) {
        count += *at == '|';
    }
    for (uint32_t skip = ht_random_below(seed, count); skip > 0; skip--) {
        values = strchr(values, '|') + 1;
    }
    (void)snprintf(out, room, "%.*s", (int)strcspn(values, "|"), values);
}

HT_CASE(random_tags_are_judged_alike)
{
    const char *why = open_peer();
    if (why != NULL) {
        HT_SKIP(why);
    }
    const uint32_t rows = sizeof vocabulary / sizeof vocabulary[0];
    uint64_t seed = 20250602;
    for (int round = 0; round < (HT_LONG ? 2000000 : 200000); round++) {
        struct ht_osm_tag list[8];
        char values[8][32];
        size_t count = 0;
        uint32_t want = 1 + ht_random_below(&seed, 7);
        for (uint32_t i = 0; i < want; i++) {
            uint32_t row = ht_random_below(&seed, i == 0 ? 5 : rows);
            bool again = false;
            for (size_t k = 0; k < count; k++) {
                again = again || strcmp(list[k].key, vocabulary[row][0]) == 0;
            }
            if (!again) {
                pick(&seed, vocabulary[row][1], values[count], sizeof values[count]);
                list[count] = (struct ht_osm_tag){vocabulary[row][0], values[count]};
                count++;
            }
        }
        check_way((struct ht_osm_tags){.list = list, .count = count});
        check_node((struct ht_osm_tags){.list = list, .count = count});
    }
}

HT_CASE(random_turns_cost_alike)
{
    const char *why = open_peer();
    if (why != NULL) {
        HT_SKIP(why);
    }
    uint64_t seed = 20250603;
    current = (struct ht_osm_tags){0};
    for (int round = 0; round < 200000; round++) {
        struct ht_turn_view turn = {
            .angle_deg = ht_random_below(&seed, 36001) / 100.0 - 180.0,
            .number_of_roads = 1 + (int)ht_random_below(&seed, 5),
            .is_u_turn = ht_random_below(&seed, 5) == 0,
            .source_restricted = ht_random_below(&seed, 2) == 0,
            .target_restricted = ht_random_below(&seed, 2) == 0,
            .source_mode = ht_random_below(&seed, 4) == 0 ? HT_MODE_FERRY : HT_MODE_DRIVING,
            .target_mode = ht_random_below(&seed, 4) == 0 ? HT_MODE_FERRY : HT_MODE_DRIVING,
            .left_hand = ht_random_below(&seed, 2) == 0};
        uint32_t weight = 0;
        uint32_t duration = 0;
        ht_profile_turn(profiles[0], &turn, &weight, &duration);
        lua_pushnumber(lua, turn.angle_deg);
        lua_pushinteger(lua, turn.number_of_roads);
        lua_pushinteger(lua, turn.is_u_turn);
        lua_pushinteger(lua, turn.left_hand);
        lua_pushinteger(lua, turn.source_restricted);
        lua_pushinteger(lua, turn.target_restricted);
        lua_pushinteger(lua, (lua_Integer)turn.source_mode);
        lua_pushinteger(lua, (lua_Integer)turn.target_mode);
        double n[2];
        call("judge_turn", 8, 2, n, 2);
        lua_settop(lua, 0);
        /* Half a millisecond is rounding. */
        if (fabs(n[0] * 1000.0 - duration) > 0.5001 || fabs(n[1] * 1000.0 - weight) > 0.5001) {
            differ("turn", duration, n[0] * 1000.0);
        }
    }
}

HT_MAIN()
