/* Fleet: ids, filters, and which positions are taken. */
#include "engine/live/fleet.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"
#include "tests/support/tiny.h"
#include "tests/support/tiny_road.h"

static const char *const no_skills[1] = {NULL};

static struct ht_unit_spec spec_of(enum ht_unit_kind kind, const char *profile)
{
    return (struct ht_unit_spec){
        .kind = kind, .status = HT_UNIT_IDLE, .profile = profile, .skills = no_skills};
}

static struct ht_fleet *fleet_of(uint32_t capacity)
{
    struct ht_fleet_settings settings = ht_fleet_settings_default();
    struct ht_fleet *fleet = NULL;
    if (ht_fleet_new(&settings, capacity, &fleet) != HT_OK) {
        abort();
    }
    return fleet;
}

static uint32_t put(struct ht_fleet *fleet, const char *id)
{
    struct ht_unit_spec spec = spec_of(HT_UNIT_VAN, "car");
    uint32_t index = HT_NONE;
    return ht_fleet_put(fleet, id, &spec, &index) == HT_OK ? index : HT_NONE;
}

HT_CASE(units_are_found_by_id_and_keep_their_index)
{
    enum { MANY = 500 };
    struct ht_fleet *fleet = fleet_of(MANY);
    uint32_t index_of[MANY];
    uint64_t state = 5;
    char id[32];
    for (int i = 0; i < MANY; i++) {
        index_of[i] = HT_NONE;
    }
    uint32_t count = 0;
    for (int round = 0; round < 20000; round++) {
        uint32_t i = ht_random_below(&state, MANY);
        int length = snprintf(id, sizeof id, "u:%u", i);
        HT_CHECK_INT(ht_fleet_find(fleet, id, (size_t)length), index_of[i]);
        if (ht_random_below(&state, 2) == 0) {
            uint32_t index = put(fleet, id);
            HT_CHECK(index < MANY && (index_of[i] == HT_NONE || index == index_of[i]));
            count += index_of[i] == HT_NONE ? 1U : 0U;
            index_of[i] = index;
        } else if (index_of[i] != HT_NONE) {
            ht_fleet_remove(fleet, index_of[i]);
            index_of[i] = HT_NONE;
            count--;
        }
        HT_CHECK_INT(ht_fleet_count(fleet), count);
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof id, "u:%d", i);
        index_of[i] = put(fleet, id);
        struct ht_unit unit;
        HT_REQUIRE(ht_fleet_get(fleet, index_of[i], 0, &unit));
        HT_CHECK_STR(unit.id, id);
    }
    struct ht_unit_spec spec = spec_of(HT_UNIT_VAN, "car");
    uint32_t index = 0;
    HT_CHECK_INT(ht_fleet_end(fleet), MANY);
    HT_CHECK_INT(ht_fleet_put(fleet, "one-more", &spec, &index), HT_TOO_BIG);
    HT_CHECK_INT(ht_fleet_put(fleet, "u:7", &spec, &index), HT_OK);
    HT_CHECK_INT(index, index_of[7]);
    ht_fleet_free(fleet);
}

HT_CASE(ids_and_names_that_are_none_are_refused)
{
    struct ht_fleet *fleet = fleet_of(100);
    char long_id[66];
    memset(long_id, 'x', 65);
    long_id[65] = '\0';
    HT_CHECK_INT(put(fleet, ""), HT_NONE);
    HT_CHECK_INT(put(fleet, "a b"), HT_NONE);
    HT_CHECK_INT(put(fleet, "\xe8\xbd\xa6"), HT_NONE);
    HT_CHECK_INT(put(fleet, long_id), HT_NONE);
    HT_CHECK_INT(ht_fleet_find(fleet, long_id, 65), HT_NONE);
    HT_CHECK(put(fleet, long_id + 1) != HT_NONE);
    HT_CHECK(ht_fleet_find(fleet, long_id, 64) != HT_NONE);
    HT_CHECK_INT(ht_fleet_find(fleet, long_id, 63), HT_NONE);
    HT_CHECK(put(fleet, "A.z_9:-") != HT_NONE);
    struct ht_unit_spec spec = spec_of(HT_UNIT_VAN, "");
    uint32_t index = 77;
    HT_CHECK_INT(ht_fleet_put(fleet, "x", &spec, &index), HT_INVALID);
    spec.profile = NULL;
    HT_CHECK_INT(ht_fleet_put(fleet, "x", &spec, &index), HT_INVALID);
    HT_CHECK_INT(index, 77);
    HT_CHECK_INT(ht_fleet_find(fleet, "x", 1), HT_NONE);
    HT_CHECK_INT(ht_fleet_set_status(fleet, 50, HT_UNIT_BUSY), HT_NOT_FOUND);
    HT_CHECK_INT(ht_fleet_set_status(fleet, 100, HT_UNIT_BUSY), HT_NOT_FOUND);
    struct ht_unit unit;
    HT_CHECK(!ht_fleet_get(fleet, 50, 0, &unit) && !ht_fleet_get(fleet, 100, 0, &unit));
    ht_fleet_remove(fleet, 50);
    ht_fleet_remove(fleet, 100);
    ht_fleet_free(fleet);
}

HT_CASE(skills_are_bits_and_a_full_table_changes_nothing)
{
    struct ht_fleet *fleet = fleet_of(100);
    char names[HT_SKILLS_MAX + 1][16];
    const char *list[HT_SKILLS_MAX + 1];
    uint32_t index = 0;
    uint64_t bits = 0;
    for (int i = 0; i <= HT_SKILLS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "s%d", i);
        list[i] = names[i];
    }
    struct ht_unit_spec spec = {.kind = HT_UNIT_RESPONDER,
                                .profile = "foot",
                                .skills = list,
                                .skill_count = HT_SKILLS_MAX + 1};
    HT_CHECK_INT(ht_fleet_put(fleet, "r1", &spec, &index), HT_TOO_BIG);
    HT_CHECK_INT(ht_fleet_skills(fleet, list, 1, &bits), HT_NOT_FOUND);
    HT_CHECK_INT(ht_fleet_profile_count(fleet), 0);
    spec.skill_count = HT_SKILLS_MAX;
    HT_CHECK_INT(ht_fleet_put(fleet, "r1", &spec, &index), HT_OK);
    HT_CHECK_INT(ht_fleet_skills(fleet, list, HT_SKILLS_MAX, &bits), HT_OK);
    HT_CHECK(bits == UINT64_MAX);
    HT_CHECK_STR(ht_fleet_skill_name(fleet, 63), "s63");
    HT_CHECK(ht_fleet_skill_name(fleet, 64) == NULL);
    HT_CHECK_STR(ht_fleet_profile_name(fleet, 0), "foot");
    spec.skills = list + 3;
    spec.skill_count = 2;
    HT_CHECK_INT(ht_fleet_put(fleet, "r1", &spec, &index), HT_OK);
    struct ht_unit unit;
    HT_REQUIRE(ht_fleet_get(fleet, index, 0, &unit));
    HT_CHECK(unit.skills == 24 && unit.stale && !unit.positioned && !unit.skew_known);
    HT_CHECK_INT(unit.kind, HT_UNIT_RESPONDER);
    for (int i = 0; i < HT_FLEET_PROFILES_MAX; i++) {
        spec.profile = names[i];
        enum ht_status want = i < HT_FLEET_PROFILES_MAX - 1 ? HT_OK : HT_TOO_BIG;
        HT_CHECK_INT(ht_fleet_put(fleet, "r1", &spec, &index), want);
    }
    ht_fleet_free(fleet);
}

static struct ht_report report_at(double lon, double lat, int64_t ts_ms)
{
    return (struct ht_report){lon, lat, ts_ms, ts_ms + 250, NAN, NAN, NAN, false};
}

HT_CASE(filters_look_at_kind_status_skills_and_silence)
{
    struct ht_fleet *fleet = fleet_of(10);
    static const char *const skills[] = {"aid", "lift", "gas"};
    struct ht_unit_spec spec = {
        .status = HT_UNIT_BUSY, .profile = "car", .skills = skills, .skill_count = 2};
    uint32_t i = 0;
    uint64_t lift = 0;
    HT_REQUIRE(ht_fleet_put(fleet, "v", &spec, &i) == HT_OK);
    HT_REQUIRE(ht_fleet_skills(fleet, skills + 1, 1, &lift) == HT_OK);
    struct ht_report report = report_at(121, 30, 1000000);
    struct ht_unit_filter any = {.heard_ms = INT64_MIN};
    struct ht_unit_filter heard = {.heard_ms = 1000250};
    HT_CHECK(ht_fleet_matches(fleet, i, &any) && !ht_fleet_matches(fleet, i, &heard));
    HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i, &report, NULL, NULL), HT_REFUSAL_NONE);
    HT_CHECK(ht_fleet_matches(fleet, i, &heard));
    heard.heard_ms++;
    HT_CHECK(!ht_fleet_matches(fleet, i, &heard));
    any.kinds = 1 << HT_UNIT_RESPONDER;
    HT_CHECK(!ht_fleet_matches(fleet, i, &any));
    any.kinds |= 1 << HT_UNIT_VAN;
    any.statuses = 1 << HT_UNIT_IDLE;
    HT_CHECK(!ht_fleet_matches(fleet, i, &any));
    HT_CHECK_INT(ht_fleet_set_status(fleet, i, HT_UNIT_IDLE), HT_OK);
    HT_CHECK(ht_fleet_matches(fleet, i, &any));
    any.skills = lift;
    HT_CHECK(ht_fleet_matches(fleet, i, &any));
    any.skills = lift | UINT64_C(1) << 2;
    HT_CHECK(!ht_fleet_matches(fleet, i, &any));
    ht_fleet_remove(fleet, i);
    any.skills = 0;
    HT_CHECK(!ht_fleet_matches(fleet, i, &any) && !ht_fleet_matches(fleet, 10, &any));
    ht_fleet_free(fleet);
}

HT_CASE(duty_is_told_and_filters_look_at_it)
{
    struct ht_fleet *fleet = fleet_of(4);
    uint32_t i = put(fleet, "v");
    struct ht_unit unit;
    const int64_t minute = 60000;
    struct ht_unit_filter on = {.heard_ms = INT64_MIN, .duty = HT_DUTY_ON, .duty_ms = 100 * minute};
    struct ht_unit_filter off = {
        .heard_ms = INT64_MIN, .duty = HT_DUTY_OFF, .duty_ms = 100 * minute};
    HT_CHECK(ht_fleet_matches(fleet, i, &on) && !ht_fleet_matches(fleet, i, &off));
    ht_fleet_set_duty(fleet, i, 90 * minute, 101 * minute);
    HT_CHECK(ht_fleet_matches(fleet, i, &on) && !ht_fleet_matches(fleet, i, &off));
    on.duty_ms = off.duty_ms = 101 * minute;
    HT_CHECK(!ht_fleet_matches(fleet, i, &on) && ht_fleet_matches(fleet, i, &off));
    HT_CHECK(ht_fleet_get(fleet, i, 101 * minute - 1, &unit) && unit.on_duty);
    HT_CHECK(ht_fleet_get(fleet, i, 90 * minute - 1, &unit) && !unit.on_duty);
    ht_fleet_set_duty(fleet, i, INT64_MAX, INT64_MAX); /* never */
    HT_CHECK(ht_fleet_get(fleet, i, 100 * minute, &unit) && !unit.on_duty);
    ht_fleet_set_duty(fleet, i, INT64_MIN, INT64_MAX);
    HT_CHECK(ht_fleet_get(fleet, i, INT64_MAX / 2, &unit) && unit.on_duty);
    ht_fleet_set_duty(fleet, i, INT64_MAX, INT64_MAX);
    ht_fleet_remove(fleet, i);
    i = put(fleet, "w"); /* takes the place, not the duty */
    HT_CHECK(ht_fleet_get(fleet, i, 100 * minute, &unit) && unit.on_duty);
    ht_fleet_set_duty(fleet, 4, 0, 0); /* nobody */
    ht_fleet_free(fleet);
}

HT_CASE(what_others_tell_is_not_heard)
{
    struct ht_fleet *fleet = fleet_of(4);
    uint32_t i = put(fleet, "v");
    struct ht_unit unit;
    struct ht_report report = report_at(121, 30, 1000000);
    struct ht_unit_filter heard = {.heard_ms = 0};
    report.told = true;
    HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i, &report, NULL, NULL), HT_REFUSAL_NONE);
    HT_CHECK(ht_fleet_get(fleet, i, report.received_ms, &unit) && unit.positioned && unit.stale &&
             !unit.skew_known);
    HT_CHECK(!ht_fleet_matches(fleet, i, &heard));
    struct ht_fleet_counts counts = ht_fleet_counts(fleet, report.received_ms);
    HT_CHECK(counts.units == 1 && counts.heard == 0 && counts.stale == 0);
    report.told = false;
    report.ts_ms += 1000;
    report.received_ms += 1000;
    HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i, &report, NULL, NULL), HT_REFUSAL_NONE);
    HT_CHECK(ht_fleet_get(fleet, i, report.received_ms, &unit) && !unit.stale && unit.skew_known);
    HT_CHECK(ht_fleet_matches(fleet, i, &heard));
    counts = ht_fleet_counts(fleet, report.received_ms + 1000000);
    HT_CHECK(counts.units == 1 && counts.heard == 1 && counts.stale == 1);
    ht_fleet_set_stale(fleet, 2000000); /* as set, here and there */
    counts = ht_fleet_counts(fleet, report.received_ms + 1000000);
    HT_CHECK(counts.heard == 1 && counts.stale == 0);
    HT_CHECK(ht_fleet_get(fleet, i, report.received_ms + 1000000, &unit) && !unit.stale);
    ht_fleet_free(fleet);
}

HT_CASE(untrue_positions_are_refused_and_counted_by_reason)
{
    struct ht_fleet *fleet = fleet_of(10);
    uint32_t i = put(fleet, "v");
    const int64_t t = 1800000000000;
    const struct {
        struct ht_report report;
        enum ht_refusal want;
    } steps[] = {
        {{NAN, 30, t, t, -1, -1, -1, false}, HT_REFUSAL_NOT_FINITE},
        {{121, INFINITY, t, t, -1, -1, -1, false}, HT_REFUSAL_NOT_FINITE},
        {{180.1, 30, t, t, -1, -1, -1, false}, HT_REFUSAL_OUT_OF_RANGE},
        {{121, -90.5, t, t, -1, -1, -1, false}, HT_REFUSAL_OUT_OF_RANGE},
        {{121, 30, INT64_MAX, t, -1, -1, -1, false}, HT_REFUSAL_OUT_OF_RANGE},
        {{121, 30, INT64_MIN, t, -1, -1, -1, false}, HT_REFUSAL_OUT_OF_RANGE},
        {{0, 0, t, t, -1, -1, -1, false}, HT_REFUSAL_NULL_ISLAND},
        {{-0.00000001, 0.00000001, t, t, -1, -1, -1, false}, HT_REFUSAL_NULL_ISLAND},
        {{121, 30, t + 10001, t, -1, -1, -1, false}, HT_REFUSAL_FUTURE},
        {{121, 30, t + 10000, t, -1, -1, -1, false}, HT_REFUSAL_NONE},
        {{121, 30.0001, t + 10000, t + 1, -1, -1, -1, false}, HT_REFUSAL_DUPLICATE},
        {{121, 30, t + 9999, t + 2, -1, -1, -1, false}, HT_REFUSAL_OUT_OF_ORDER},
        {{121, 30.0011, t + 11000, t + 1000, -1, -1, -1, false}, HT_REFUSAL_TOO_FAST}, /* 122 m/s */
        {{121, 30.0009, t + 11000, t + 1000, -1, -1, -1, false}, HT_REFUSAL_NONE},     /* 100 m/s */
        {{121.1, 30, t + 12000, t + 2000, -1, -1, -1, false}, HT_REFUSAL_TOO_FAST},
        {{121.1, 30, t + 120000, t + 120000, -1, -1, -1, false},
         HT_REFUSAL_NONE}, /* it came true */
    };
    uint64_t want[HT_REFUSAL_COUNT] = {0};
    uint64_t counts[HT_REFUSAL_COUNT];
    for (size_t k = 0; k < sizeof steps / sizeof steps[0]; k++) {
        HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i, &steps[k].report, NULL, NULL), steps[k].want);
        want[steps[k].want]++;
    }
    HT_CHECK_INT(ht_fleet_accept(fleet, NULL, HT_NONE, &steps[9].report, NULL, NULL),
                 HT_REFUSAL_UNKNOWN_UNIT);
    HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i + 1, &steps[9].report, NULL, NULL),
                 HT_REFUSAL_UNKNOWN_UNIT);
    want[HT_REFUSAL_UNKNOWN_UNIT] = 2;
    ht_fleet_refusals(fleet, counts);
    for (int r = 0; r < HT_REFUSAL_COUNT; r++) {
        HT_CHECK_INT(counts[r], want[r]);
        HT_CHECK(ht_refusal_text((enum ht_refusal)r) != NULL);
    }
    struct ht_unit unit;
    HT_REQUIRE(ht_fleet_get(fleet, i, t + 240000, &unit));
    HT_CHECK(unit.positioned && !unit.stale && unit.position.network == 0);
    HT_CHECK_INT(unit.position.fix.point.lon_e7, 1211000000);
    HT_CHECK(unit.position.fix.speed_mps < 0 && unit.position.fix.bearing_deg < 0);
    HT_REQUIRE(ht_fleet_get(fleet, i, t + 240001, &unit));
    HT_CHECK(unit.stale);
    ht_fleet_free(fleet);
}

HT_CASE(clock_skew_is_the_least_delay_of_the_last_minutes)
{
    struct ht_fleet *fleet = fleet_of(10);
    uint32_t i = put(fleet, "v");
    const int64_t t = 1800000000000;
    struct ht_unit unit;
    for (int64_t k = 0; k < 100; k++) { /* 5 s behind, delivered 100 to 1,000 ms late */
        struct ht_report report = report_at(121, 30, t + k * 1000 - 5000);
        report.received_ms = t + k * 1000 + 100 + (k * 37 % 10) * 100;
        HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i, &report, NULL, NULL), HT_REFUSAL_NONE);
    }
    HT_REQUIRE(ht_fleet_get(fleet, i, t + 100000, &unit));
    HT_CHECK(unit.skew_known);
    HT_CHECK_INT(unit.skew_ms, 5100);
    /* a clock a minute ahead is refused, and seen */
    struct ht_report report = report_at(121, 30, t + 200000);
    report.received_ms = t + 140000;
    HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i, &report, NULL, NULL), HT_REFUSAL_FUTURE);
    HT_REQUIRE(ht_fleet_get(fleet, i, t + 140000, &unit));
    HT_CHECK_INT(unit.skew_ms, -60000);
    /* ten minutes on, it is forgotten */
    report.ts_ms = t + 740000;
    report.received_ms = report.ts_ms + 700;
    HT_CHECK_INT(ht_fleet_accept(fleet, NULL, i, &report, NULL, NULL), HT_REFUSAL_NONE);
    HT_REQUIRE(ht_fleet_get(fleet, i, t + 741000, &unit));
    HT_CHECK_INT(unit.skew_ms, 700);
    HT_REQUIRE(ht_fleet_get(fleet, i, t + 9000000, &unit));
    HT_CHECK(!unit.skew_known);
    ht_fleet_free(fleet);
}

/* Streets: 40 m apart, 400 m long, joined at a c. */
static const char map[] = "a         b\n"
                          "c         d\n";
static const struct ht_tiny_way ways[] = {
    {.nodes = "ab", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "cd", .road_class = HT_ROAD_RESIDENTIAL},
    {.nodes = "ac", .road_class = HT_ROAD_RESIDENTIAL},
};

static struct ht_tiny *town;
static struct ht_tiny_road tiny;
static const struct ht_road *roads[2];
static struct ht_fleet_streets streets;

static void begin(void)
{
    town = ht_tiny_new(map, 40, ways, sizeof ways / sizeof ways[0], "");
    ht_tiny_road_init(&tiny, town);
    roads[0] = &tiny.road;
    roads[1] = NULL;
    streets = (struct ht_fleet_streets){.network = 1, .count = 2, .roads = roads};
}

static void end(void)
{
    ht_tiny_road_free(&tiny);
    ht_tiny_free(town);
}

static double degrees(int32_t e7)
{
    return (double)e7 * 1e-7;
}

HT_CASE(positions_are_put_on_the_streets_of_the_profile)
{
    begin();
    struct ht_fleet *fleet = fleet_of(10);
    struct ht_follow *follow = NULL;
    struct ht_position taken;
    struct ht_unit unit;
    uint32_t i = put(fleet, "v");
    HT_REQUIRE(ht_follow_new(&follow) == HT_OK);
    struct ht_point b = town->points[town->node_of['b']];
    struct ht_report report = report_at(degrees(b.lon_e7) - 0.001, degrees(b.lat_e7), 1000);
    HT_CHECK_INT(ht_fleet_accept(fleet, follow, i, &report, &streets, &taken), HT_REFUSAL_NONE);
    HT_CHECK_INT(taken.network, 1);
    HT_CHECK_INT(taken.place.side[0].arc, ht_tiny_arc(town, 'a', 'b', NULL));
    /* a kilometre off: taken, without a place */
    report = report_at(degrees(b.lon_e7), degrees(b.lat_e7) + 0.012, 20000);
    HT_CHECK_INT(ht_fleet_accept(fleet, follow, i, &report, &streets, &taken), HT_REFUSAL_NONE);
    HT_CHECK_INT(taken.network, 0);
    HT_CHECK_INT(ht_fleet_replace(fleet, follow, i, &streets, &taken), HT_NO_SEGMENT);
    report = report_at(degrees(b.lon_e7) - 0.001, degrees(b.lat_e7), 40000);
    HT_CHECK_INT(ht_fleet_accept(fleet, follow, i, &report, &streets, &taken), HT_REFUSAL_NONE);
    /* another network: its place is told apart, and made anew */
    streets.network = 2;
    HT_CHECK_INT(ht_fleet_replace(fleet, follow, i, &streets, &taken), HT_OK);
    HT_CHECK_INT(taken.network, 2);
    /* another profile: no place until there is a road for it */
    struct ht_unit_spec spec = spec_of(HT_UNIT_VAN, "foot");
    HT_REQUIRE(ht_fleet_put(fleet, "v", &spec, &i) == HT_OK);
    HT_REQUIRE(ht_fleet_get(fleet, i, 0, &unit));
    HT_CHECK(unit.positioned && unit.position.network == 0);
    HT_CHECK_INT(ht_fleet_replace(fleet, follow, i, &streets, &taken), HT_NOT_FOUND);
    HT_CHECK_INT(ht_fleet_replace(fleet, follow, 10, &streets, &taken), HT_NOT_FOUND);
    roads[1] = &tiny.road;
    HT_CHECK_INT(ht_fleet_replace(fleet, follow, i, &streets, &taken), HT_OK);
    ht_follow_free(follow);
    ht_fleet_free(fleet);
    end();
}

HT_CASE(a_unit_with_a_blue_light_has_a_place_with_it_and_one_without)
{
    begin();
    struct ht_fleet *fleet = fleet_of(4);
    struct ht_follow *follow = NULL;
    HT_REQUIRE(fleet != NULL && ht_follow_new(&follow) == HT_OK);
    struct ht_unit_spec spec = spec_of(HT_UNIT_RESPONDER, "emergency");
    uint32_t lit = 0;
    uint32_t dark = 0;
    struct ht_position taken;
    struct ht_unit unit;
    struct ht_point a = town->points[town->node_of['a']];
    spec.plain = "car";
    HT_REQUIRE(ht_fleet_put(fleet, "lit", &spec, &lit) == HT_OK);
    HT_CHECK_INT(ht_fleet_unlit(fleet), 0);
    spec = spec_of(HT_UNIT_RESPONDER, "car");
    HT_CHECK_INT(ht_fleet_plain_profiles(fleet), 1 << 1);
    HT_REQUIRE(ht_fleet_put(fleet, "dark", &spec, &dark) == HT_OK);
    HT_REQUIRE(ht_fleet_put(fleet, "dark", &spec, &dark) == HT_OK);
    HT_CHECK_INT(ht_fleet_unlit(fleet), 1);
    HT_REQUIRE(ht_fleet_get(fleet, lit, 0, &unit));
    HT_CHECK(unit.profile == 0 && unit.plain == 1);
    HT_REQUIRE(ht_fleet_get(fleet, dark, 0, &unit));
    HT_CHECK(unit.profile == 1 && unit.plain == 1);
    roads[0] = &tiny.road;
    roads[1] = NULL; /* the map lacks it: it goes by its own */
    struct ht_report report = report_at(degrees(a.lon_e7), degrees(a.lat_e7), 1000);
    HT_CHECK_INT(ht_fleet_accept(fleet, follow, lit, &report, &streets, &taken), HT_REFUSAL_NONE);
    HT_CHECK(taken.network == streets.network && taken.plain_network == streets.network &&
             taken.plain_profile == 0);
    roads[0] = NULL; /* and the other way round: it can only go without */
    roads[1] = &tiny.road;
    HT_CHECK_INT(ht_fleet_replace(fleet, follow, lit, &streets, &taken), HT_NOT_FOUND);
    HT_CHECK(taken.network == 0 && taken.plain_network == streets.network &&
             taken.plain_profile == 1);
    struct ht_unit_filter filter = {.heard_ms = INT64_MIN, .light = HT_LIGHT_NONE};
    HT_CHECK(!ht_fleet_matches(fleet, lit, &filter) && ht_fleet_matches(fleet, dark, &filter));
    filter.light = HT_LIGHT_OFF;
    HT_CHECK(ht_fleet_matches(fleet, lit, &filter) && !ht_fleet_matches(fleet, dark, &filter));
    filter.light = HT_LIGHT_ANY;
    HT_CHECK(ht_fleet_matches(fleet, lit, &filter) && ht_fleet_matches(fleet, dark, &filter));
    /* engaged, or with another status, it keeps both; one without light has no second place */
    ht_fleet_set_engaged(fleet, lit, true);
    HT_CHECK_INT(ht_fleet_set_status(fleet, lit, HT_UNIT_OFF), HT_OK);
    HT_REQUIRE(ht_fleet_get(fleet, lit, 0, &unit));
    HT_CHECK(unit.profile == 0 && unit.plain == 1 && unit.status == HT_UNIT_OFF);
    spec = spec_of(HT_UNIT_RESPONDER, "emergency");
    HT_REQUIRE(ht_fleet_put(fleet, "lit", &spec, &lit) == HT_OK);
    HT_REQUIRE(ht_fleet_get(fleet, lit, 0, &unit));
    HT_CHECK(unit.plain == 0 && unit.position.plain_network == 0);
    HT_CHECK_INT(ht_fleet_unlit(fleet), 2);
    ht_fleet_remove(fleet, dark);
    HT_CHECK_INT(ht_fleet_unlit(fleet), 1);
    ht_follow_free(follow);
    ht_fleet_free(fleet);
    end();
}

/* Two report, one looks, one puts in and takes out: the last position by the device stays. */
enum { UNITS = 40, REPORTS = 400 };

static struct ht_fleet *shared;
static atomic_bool stop;

static void *report_all(void *user)
{
    const int *half = user;
    struct ht_follow *follow = NULL;
    if (ht_follow_new(&follow) != HT_OK) {
        return NULL;
    }
    struct ht_point a = town->points[town->node_of['a']];
    for (int64_t k = *half; k < REPORTS; k += 2) {
        for (uint32_t i = 0; i < UNITS; i++) {
            struct ht_report report =
                report_at(degrees(a.lon_e7) + (double)k * 1e-6, degrees(a.lat_e7), 1000 * (k + 1));
            enum ht_refusal refusal = ht_fleet_accept(shared, follow, i, &report, &streets, NULL);
            (void)refusal;
        }
    }
    ht_follow_free(follow);
    return NULL;
}

static void *look_and_change(void *user)
{
    int *wrong = user;
    struct ht_unit_filter filter = {.heard_ms = INT64_MIN};
    while (!atomic_load(&stop)) {
        for (uint32_t i = 0; i < UNITS; i++) {
            struct ht_unit unit;
            if (!ht_fleet_matches(shared, i, &filter) || !ht_fleet_get(shared, i, 0, &unit)) {
                (*wrong)++;
            } else if (unit.positioned) {
                *wrong += unit.position.ts_ms % 1000 != 0 ||
                          unit.position.received_ms != unit.position.ts_ms + 250;
            }
        }
        uint32_t extra = put(shared, "extra");
        *wrong += extra == HT_NONE || ht_fleet_find(shared, "extra", 5) != extra;
        ht_fleet_remove(shared, extra);
    }
    return NULL;
}

HT_CASE(last_position_by_the_device_stays_whoever_reports)
{
    begin();
    pthread_t threads[3];
    int halves[2] = {0, 1};
    int wrong = 0;
    char id[16];
    shared = fleet_of(UNITS + 1);
    for (int i = 0; i < UNITS; i++) {
        (void)snprintf(id, sizeof id, "u%d", i);
        HT_REQUIRE(put(shared, id) == (uint32_t)i);
    }
    atomic_store(&stop, false);
    HT_REQUIRE(pthread_create(&threads[2], NULL, look_and_change, &wrong) == 0);
    for (int i = 0; i < 2; i++) {
        HT_REQUIRE(pthread_create(&threads[i], NULL, report_all, &halves[i]) == 0);
    }
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    atomic_store(&stop, true);
    (void)pthread_join(threads[2], NULL);
    HT_CHECK_INT(wrong, 0);
    uint64_t counts[HT_REFUSAL_COUNT];
    ht_fleet_refusals(shared, counts);
    HT_CHECK_INT(counts[HT_REFUSAL_NONE] + counts[HT_REFUSAL_OUT_OF_ORDER], UNITS * REPORTS);
    for (uint32_t i = 0; i < UNITS; i++) {
        struct ht_unit unit;
        HT_REQUIRE(ht_fleet_get(shared, i, 0, &unit));
        HT_CHECK_INT(unit.position.ts_ms, 1000 * REPORTS);
        HT_CHECK_INT(unit.position.network, 1);
    }
    ht_fleet_free(shared);
    end();
}

static enum ht_status make_all(void)
{
    struct ht_fleet_settings settings = ht_fleet_settings_default();
    struct ht_fleet *fleet = NULL;
    enum ht_status status = ht_fleet_new(&settings, 10, &fleet);
    if (status == HT_OK && put(fleet, "v") != 0) {
        status = HT_INVALID;
    }
    ht_fleet_free(fleet);
    return status;
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    long n = 0;
    for (bool refused = true; refused; n++) {
        ht_oom_arm(n);
        enum ht_status status = make_all();
        refused = ht_oom_disarm();
        HT_CHECK_INT(status, refused ? HT_NOMEM : HT_OK);
    }
    HT_CHECK(n > 6);
}

HT_CASE(position_is_taken_without_a_place_when_memory_runs_out_oom)
{
    begin();
    struct ht_fleet *fleet = fleet_of(10);
    struct ht_follow *follow = NULL;
    struct ht_position taken;
    uint32_t i = put(fleet, "v");
    HT_REQUIRE(ht_follow_new(&follow) == HT_OK);
    struct ht_point b = town->points[town->node_of['b']];
    struct ht_report report = report_at(degrees(b.lon_e7), degrees(b.lat_e7), 1000);
    ht_oom_arm(0);
    HT_CHECK_INT(ht_fleet_accept(fleet, follow, i, &report, &streets, &taken), HT_REFUSAL_NONE);
    HT_CHECK(ht_oom_disarm());
    HT_CHECK_INT(taken.network, 0);
    HT_CHECK_INT(ht_fleet_replace(fleet, follow, i, &streets, &taken), HT_OK);
    ht_follow_free(follow);
    ht_fleet_free(fleet);
    end();
}

HT_MAIN()
