/* Measures, and what maxspeed makes of a way. */
#include <math.h>

#include "geodata/measure.h"
#include "geodata/profile.h"
#include "tests/support/check.h"
#include "tests/support/tags.h"

typedef bool measure_function(const char *text, double *out);

/* -1: no measure. */
static void check_measure(measure_function *read, const char *text, double want)
{
    double got = -1.0;
    bool found = read(text, &got);
    if (found != (want >= 0.0) || fabs(got - want) > 1e-9 * (1.0 + fabs(want))) {
        ht_case_failures++;
        (void)printf("  \"%s\": %.9f, not %.9f\n", text, got, want);
    }
}

HT_CASE(speeds_begin_with_digits)
{
    check_measure(ht_measure_speed, "50", 50);
    check_measure(ht_measure_speed, "50 km/h", 50);
    check_measure(ht_measure_speed, "30;50", 30);
    check_measure(ht_measure_speed, "50 mph", 80.45);
    check_measure(ht_measure_speed, "50mph", 80.45);
    check_measure(ht_measure_speed, "30 mp/h", 48.27);
    check_measure(ht_measure_speed, "7.5", 7);
    check_measure(ht_measure_speed, "060", 60);
    check_measure(ht_measure_speed, "none", -1);
    check_measure(ht_measure_speed, "walk", -1);
    check_measure(ht_measure_speed, "CN:urban", -1);
    check_measure(ht_measure_speed, " 50", -1);
    check_measure(ht_measure_speed, "-50", -1);
    check_measure(ht_measure_speed, "", -1);
    check_measure(ht_measure_speed, "99999999999999999999999999999999", 1e9);
}

HT_CASE(units_stand_behind_the_number)
{
    static const struct {
        const char *text;
        double number;
        const char *unit;
    } rows[] = {
        {"10 knots", 10, "knots"}, {"7.5kn", 7.5, "kn"}, {"7,5 kn", 7.5, "kn"}, {"8", 8, ""}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double number = 0;
        const char *unit = NULL;
        HT_REQUIRE(ht_measure_unit(rows[i].text, &number, &unit));
        HT_CHECK(number == rows[i].number);
        HT_CHECK_STR(unit, rows[i].unit);
    }
    double number = 0;
    const char *unit = NULL;
    HT_CHECK(!ht_measure_unit("knots", &number, &unit) && !ht_measure_unit("", &number, &unit));
}

HT_CASE(lengths_are_metres_or_feet)
{
    check_measure(ht_measure_metres, "2", 2);
    check_measure(ht_measure_metres, "2.5", 2.5);
    check_measure(ht_measure_metres, "2,5", 2.5);
    check_measure(ht_measure_metres, "2.5 m", 2.5);
    check_measure(ht_measure_metres, "~ 3", 3);
    check_measure(ht_measure_metres, "2.", 2);
    check_measure(ht_measure_metres, "1.5.5", 1.5);
    check_measure(ht_measure_metres, "6'", 1.8288);
    check_measure(ht_measure_metres, "6'7\"", 2.0066);
    check_measure(ht_measure_metres, "narrow", -1);
    check_measure(ht_measure_metres, "'", -1);
    check_measure(ht_measure_height, "default", 4.5);
    check_measure(ht_measure_height, "unsigned", 4.5);
    check_measure(ht_measure_height, "below_default", -1);
    check_measure(ht_measure_height, "3.2", 3.2);
}

HT_CASE(weights_are_tonnes_unless_they_say_otherwise)
{
    check_measure(ht_measure_kilograms, "3.5", 3500);
    check_measure(ht_measure_kilograms, "8.9t", 8900);
    check_measure(ht_measure_kilograms, "35000 kg", 35000);
    check_measure(ht_measure_kilograms, "7000 lbs", 3175.14659);
    check_measure(ht_measure_kilograms, "unsigned", -1);
}

HT_CASE(durations_come_in_minutes_clocks_and_iso)
{
    check_measure(ht_measure_duration, "10", 600);
    check_measure(ht_measure_duration, "7", 420);
    check_measure(ht_measure_duration, "120", -1);
    check_measure(ht_measure_duration, "01:30", 5400);
    check_measure(ht_measure_duration, "1:30", 5400);
    check_measure(ht_measure_duration, "00:01:00", 60);
    check_measure(ht_measure_duration, "01:02:03:04", -1);
    check_measure(ht_measure_duration, "PT1M", 60);
    check_measure(ht_measure_duration, "PT1H30M", 5400);
    check_measure(ht_measure_duration, "PT15S", 15);
    check_measure(ht_measure_duration, "P1DT2H", 93600);
    check_measure(ht_measure_duration, "P2W", 1209600);
    check_measure(ht_measure_duration, "P2W1D", -1);
    check_measure(ht_measure_duration, "PT010203", 3723);
    check_measure(ht_measure_duration, "PT01:02:03", 3723);
    check_measure(ht_measure_duration, "PT24:00:00", -1);
    check_measure(ht_measure_duration, "PT1M1H", -1);
    check_measure(ht_measure_duration, "10 min", -1);
    check_measure(ht_measure_duration, "", -1);
    check_measure(ht_measure_duration, "1:", -1);
}

static const struct ht_profile *car(void)
{
    static struct ht_profile **list;
    size_t count = 0;
    struct ht_error error;
    if (list == NULL && ht_profiles_open("car", &list, &count, &error) != HT_OK) {
        (void)printf("  %s\n", error.message);
        exit(1);
    }
    return list[0];
}

static void check_way(const char *line, double along, double against)
{
    struct ht_test_tags tags;
    struct ht_way_rule rule;
    (void)ht_profile_way(car(), ht_test_tags(&tags, line), &rule);
    double got[2] = {rule.side[0].open ? rule.side[0].speed_kmh : -1.0,
                     rule.side[1].open ? rule.side[1].speed_kmh : -1.0};
    if (fabs(got[0] - along) > 1e-6 || fabs(got[1] - against) > 1e-6) {
        ht_case_failures++;
        (void)printf("  %s: %.6f %.6f, not %.6f %.6f\n", line, got[0], got[1], along, against);
    }
}

HT_CASE(four_fifths_of_the_limit_are_driven)
{
    check_way("highway=trunk&maxspeed=60", 48, 48);
    check_way("highway=residential&maxspeed=90", 72, 72);
    check_way("highway=primary&maxspeed:forward=60", 48, 65);
    check_way("highway=primary&maxspeed:backward=60", 65, 48);
    check_way("highway=primary&maxspeed=15&maxspeed:forward=60", 48, 12);
    check_way("highway=primary&maxspeed=15&maxspeed:forward=30&maxspeed:backward=60", 24, 48);
    check_way("highway=primary&maxspeed=20&maxspeed:backward=30&oneway=-1", -1, 24);
    check_way("highway=primary&maxspeed:forward=30&oneway=-1", -1, 65);
    check_way("highway=primary&maxspeed=50 mph", 64.36, 64.36);
    check_way("highway=primary&maxspeed=30;50", 24, 24);
    check_way("highway=primary&maxspeed=0", 65, 65);
}

HT_CASE(zones_and_words_have_their_speeds)
{
    check_way("highway=trunk&maxspeed=FR:urban", 40, 40);
    check_way("highway=trunk&maxspeed=CN:urban", 40, 40);
    check_way("highway=trunk&maxspeed=CN:rural", 72, 72);
    check_way("highway=trunk&maxspeed=CH:rural", 64, 64);
    check_way("highway=trunk&maxspeed=CH:trunk", 80, 80);
    check_way("highway=trunk&maxspeed=CH:motorway", 96, 96);
    check_way("highway=trunk&maxspeed=be-bru:urban", 24, 24);
    check_way("highway=trunk&maxspeed=us-ca:urban", 40, 40);
    check_way("highway=trunk&maxspeed=DE:motorway", 85, 85);
    check_way("highway=trunk&maxspeed=DE:zone:30", 85, 85);
    check_way("highway=trunk&maxspeed=DE:zone30", 85, 85);
    check_way("highway=trunk&maxspeed=CN:urban:x", 40, 40);
    check_way("highway=trunk&maxspeed=CN:urban2", 40, 40);
    check_way("highway=trunk&maxspeed=CN:ur:ban", 85, 85);
    check_way("highway=trunk&maxspeed=10 knots", 8, 8);
    check_way("highway=trunk&maxspeed=GB:nsl_single", 77.232, 77.232);
    check_way("highway=trunk&maxspeed=none", 112, 112);
    check_way("highway=trunk&maxspeed=walk", 85, 85);
    check_way("highway=trunk&maxspeed=signals", 85, 85);
    check_way("highway=trunk&source:maxspeed=FR:urban", 40, 40);
    check_way("highway=trunk&maxspeed:type=CH:motorway", 96, 96);
    check_way("highway=trunk&maxspeed=60&source:maxspeed=FR:urban", 48, 48);
}

HT_CASE(advisory_speed_comes_first)
{
    check_way("highway=residential&maxspeed=90&maxspeed:advisory=45", 36, 36);
    check_way("highway=residential&maxspeed:advisory=45", 36, 36);
    check_way("highway=residential&maxspeed:forward=90&maxspeed:advisory:forward=45", 36, 25);
    check_way("highway=residential&maxspeed=90&maxspeed:advisory:backward=45", 72, 36);
    check_way("highway=residential&maxspeed:advisory=90&maxspeed:advisory:forward=45&"
              "maxspeed:advisory:backward=60",
              36, 48);
}

HT_CASE(maxspeed_opens_nothing)
{
    check_way("highway=secondary&access=no&maxspeed=100", -1, -1);
    check_way("railway=train&maxspeed=100", -1, -1);
    check_way("highway=runway&maxspeed=100", -1, -1);
    check_way("highway=runway&maxspeed:forward=100", -1, -1);
}

HT_MAIN()
