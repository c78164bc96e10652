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
        const struct way_fact facts[] = {__VA_ARGS__};                                             \
        check_openings(profile, facts, sizeof facts / sizeof facts[0]);                            \
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

HT_MAIN()
