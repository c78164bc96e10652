/* Permits: equal sets are one, numbers are given back, changes are noticed. */
#include "engine/live/permits.h"

#include "engine/live/fleet.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

HT_CASE(equal_sets_share_a_number_in_any_order)
{
    struct ht_permits *permits = NULL;
    const char *const one[] = {"b", "a", "b"};
    const char *const two[] = {"a", "b"};
    const char *const three[] = {"ab"};
    uint32_t number[4] = {9, 9, 9, 9};
    HT_REQUIRE(ht_permits_new(&permits) == HT_OK);
    HT_CHECK_INT(ht_permits_count(permits), 1);
    HT_CHECK_INT(ht_permits_hold(permits, NULL, 0, &number[0]), HT_OK);
    HT_CHECK_INT(number[0], 0);
    HT_CHECK_INT(ht_permits_hold(permits, one, 3, &number[1]), HT_OK);
    HT_CHECK_INT(ht_permits_hold(permits, two, 2, &number[2]), HT_OK);
    HT_CHECK_INT(ht_permits_hold(permits, three, 1, &number[3]), HT_OK);
    HT_CHECK(number[1] > 0 && number[1] == number[2] && number[3] != number[1]);
    HT_CHECK_INT(ht_permits_count(permits), 3);
    HT_CHECK(ht_permits_has(permits, number[1], "a") && ht_permits_has(permits, number[1], "b"));
    HT_CHECK(!ht_permits_has(permits, number[1], "ab") && !ht_permits_has(permits, number[1], ""));
    HT_CHECK(ht_permits_has(permits, number[3], "ab") && !ht_permits_has(permits, number[3], "a"));
    HT_CHECK(!ht_permits_has(permits, 0, "a") && !ht_permits_has(permits, 77, "a"));
    ht_permits_drop(permits, number[1]);
    HT_CHECK(ht_permits_has(permits, number[2], "a"));
    ht_permits_drop(permits, number[2]);
    HT_CHECK(!ht_permits_has(permits, number[2], "a"));
    HT_CHECK_INT(ht_permits_hold(permits, two, 1, &number[2]), HT_OK); /* its number comes back */
    HT_CHECK_INT(number[2], number[1]);
    ht_permits_drop(permits, number[2]);
    ht_permits_drop(permits, number[3]);
    ht_permits_drop(permits, 0);
    HT_CHECK_INT(ht_permits_count(permits), 1);
    const char *const bad[] = {"a,b", ""};
    HT_CHECK_INT(ht_permits_hold(permits, &bad[0], 1, &number[1]), HT_INVALID);
    HT_CHECK_INT(ht_permits_hold(permits, &bad[1], 1, &number[1]), HT_INVALID);
    HT_CHECK_INT(number[1], 0);
    ht_permits_free(permits);
    ht_permits_free(NULL);
}

static void put(struct ht_fleet *fleet, const char *id, const char *permit, uint32_t *index)
{
    const struct ht_unit_spec spec = {
        .profile = "car", .permits = &permit, .permit_count = permit == NULL ? 0 : 1};
    HT_CHECK_INT(ht_fleet_put(fleet, id, &spec, index), HT_OK);
}

HT_CASE(units_are_parted_by_what_their_permits_open)
{
    const struct ht_fleet_settings settings = ht_fleet_settings_default();
    struct ht_fleet *fleet = NULL;
    struct ht_unit unit;
    uint32_t index[3];
    HT_REQUIRE(ht_fleet_new(&settings, 4, &fleet) == HT_OK);
    struct ht_permits *permits = ht_fleet_permits(fleet);
    put(fleet, "a", NULL, &index[0]);
    HT_CHECK_INT((long long)ht_permits_state(permits), 0); /* nobody's are others */
    put(fleet, "b", "x", &index[1]);
    put(fleet, "c", "y", &index[2]);
    uint64_t state = ht_permits_state(permits);
    HT_CHECK(state > 0 && state % 2 == 0);
    put(fleet, "c", "y", &index[2]);
    HT_CHECK(ht_permits_state(permits) == state);
    HT_CHECK_INT(ht_permits_count(permits), 3);
    const uint32_t part[] = {0, 1, 0}; /* x opens something, y nothing */
    const struct ht_permit_parts parts = {3, 1, part};
    struct ht_unit_filter filter = {.heard_ms = INT64_MIN, .parts = &parts};
    HT_CHECK(ht_fleet_matches(fleet, index[0], &filter));
    HT_CHECK(!ht_fleet_matches(fleet, index[1], &filter));
    HT_CHECK(ht_fleet_matches(fleet, index[2], &filter));
    filter.part = 1;
    HT_CHECK(!ht_fleet_matches(fleet, index[0], &filter));
    HT_CHECK(ht_fleet_matches(fleet, index[1], &filter));
    HT_CHECK(ht_fleet_get(fleet, index[1], 0, &unit) && ht_permits_has(permits, unit.permits, "x"));
    put(fleet, "b", "z", &index[1]);
    HT_CHECK(ht_permits_state(permits) > state);
    HT_CHECK(!ht_fleet_matches(fleet, index[1], &filter)); /* a set that the parts don't know */
    state = ht_permits_state(permits);
    ht_fleet_remove(fleet, index[1]);
    HT_CHECK(ht_permits_state(permits) > state);
    ht_fleet_remove(fleet, index[2]);
    HT_CHECK_INT(ht_permits_count(permits), 1);
    put(fleet, "d", NULL, &index[1]); /* in the place of one that had some */
    HT_CHECK(ht_fleet_get(fleet, index[1], 0, &unit) && unit.permits == 0);
    ht_fleet_free(fleet);
}

HT_CASE(every_failed_allocation_is_a_status_and_changes_nothing_oom)
{
    const char *const zones[] = {"b", "a"};
    bool failed = true;
    int refused = 0;
    for (int n = 0; failed; n++) {
        struct ht_permits *permits = NULL;
        uint32_t number = 0;
        HT_REQUIRE(ht_permits_new(&permits) == HT_OK);
        ht_oom_arm(n);
        enum ht_status status = ht_permits_hold(permits, zones, 2, &number);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        HT_CHECK_INT(ht_permits_count(permits), failed ? 1 : 2);
        refused += failed;
        ht_permits_free(permits);
    }
    HT_CHECK(refused >= 3);
}

HT_MAIN()
