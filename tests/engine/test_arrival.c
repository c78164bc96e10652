/* Arrival bands: nine of ten on made-up days, at each distance, narrower than bands that know no
 * compounds; and they follow when the town changes. */
#include "engine/live/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "bench/days.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

enum { AHEAD = 5 };
static const double ahead_ms[AHEAD] = {120000, 300000, 600000, 1200000, 2400000};

struct tally {
    int count;
    int inside;
    double width_ms;
    double error_ms;
};

static struct ht_arrival *fresh(size_t most)
{
    struct ht_arrival *arrival = NULL;
    if (ht_arrival_new(most, &arrival) != HT_OK) {
        abort();
    }
    return arrival;
}

/* The orders of a van that is home: forecasts as they were, then what it teaches. */
static void van_judge(struct ht_days *days, struct ht_arrival *arrival, struct tally *tallies)
{
    struct ht_arrival_stop stops[HT_DAY_STOPS];
    ht_days_van(days);
    for (int order = 0; order < HT_DAY_STOPS; order++) {
        for (int a = 0; a < AHEAD; a++) {
            double came_ms = days->stops[order].came_ms;
            if (came_ms < ahead_ms[a]) {
                continue;
            }
            struct ht_arrival_ask ask = ht_days_ask(days, order, came_ms - ahead_ms[a], stops);
            struct ht_arrival_band band = ht_arrival_forecast(arrival, &ask);
            HT_CHECK(band.low_ms <= band.eta_ms && band.eta_ms <= band.high_ms &&
                     band.low_ms >= ask.now_ms);
            tallies[a].count++;
            tallies[a].inside +=
                band.low_ms <= (int64_t)came_ms && (int64_t)came_ms <= band.high_ms;
            tallies[a].width_ms += (double)(band.high_ms - band.low_ms);
            tallies[a].error_ms += fabs((double)band.eta_ms - came_ms);
            if (a == order % AHEAD) {
                ht_arrival_came(arrival, &band, (int64_t)came_ms);
            }
        }
    }
    HT_CHECK_INT(ht_days_learn(days, arrival), HT_OK);
}

static void judge(struct ht_days *days, struct ht_arrival *arrival, int day_count,
                  struct tally *tallies)
{
    for (int a = 0; a < AHEAD; a++) {
        tallies[a] = (struct tally){0};
    }
    for (int day = 0; day < day_count; day++) {
        ht_days_begin(days);
        for (int van = 0; van < HT_DAY_VANS; van++) {
            van_judge(days, arrival, tallies);
        }
    }
}

HT_CASE(bands_hold_nine_of_ten_at_each_distance)
{
    struct ht_days days;
    struct tally tallies[AHEAD];
    struct ht_arrival *arrival = fresh(1000);
    ht_days_init(&days, 7);
    judge(&days, arrival, 20, tallies);
    judge(&days, arrival, 40, tallies);
    for (int a = 0; a < AHEAD; a++) {
        double share = (double)tallies[a].inside / tallies[a].count;
        (void)printf("  %.0f min ahead: %.1f %% inside, %.0f s wide, %.0f s off\n",
                     ahead_ms[a] / 60000, share * 100,
                     tallies[a].width_ms / tallies[a].count / 1000,
                     tallies[a].error_ms / tallies[a].count / 1000);
        HT_CHECK(share > 0.86 && share < 0.94);
    }
    ht_arrival_free(arrival);
}

HT_CASE(knowing_compounds_makes_bands_narrower_and_as_true)
{
    struct ht_days days;
    struct tally with[AHEAD];
    struct tally without[AHEAD];
    struct ht_arrival *arrival = fresh(1000);
    struct ht_arrival *blind = fresh(0);
    ht_days_init(&days, 11);
    judge(&days, arrival, 20, with);
    judge(&days, arrival, 20, with);
    ht_days_init(&days, 11);
    judge(&days, blind, 20, without);
    judge(&days, blind, 20, without);
    for (int a = 1; a < AHEAD; a++) {
        HT_CHECK(with[a].width_ms < without[a].width_ms * 0.95);
        HT_CHECK(with[a].error_ms < without[a].error_ms * 0.97);
        HT_CHECK((double)without[a].inside / without[a].count > 0.86);
    }
    ht_arrival_free(blind);
    ht_arrival_free(arrival);
}

HT_CASE(a_compound_that_is_slow_is_learned_and_one_that_is_not_known_is_as_the_town)
{
    struct ht_arrival *arrival = fresh(2);
    uint32_t stops = 9;
    HT_CHECK(fabs(ht_arrival_service(arrival, 1, &stops) - 1.0) < 0.001); /* as planned */
    HT_CHECK_INT(stops, 0);
    for (int i = 0; i < 200; i++) {
        HT_CHECK_INT(ht_arrival_served(arrival, 1, 60000, 120000), HT_OK);
        HT_CHECK_INT(ht_arrival_served(arrival, 2, 60000, 30000), HT_OK);
        HT_CHECK_INT(ht_arrival_served(arrival, 3, 60000, 60000), HT_OK); /* there is no room */
    }
    HT_CHECK(fabs(ht_arrival_service(arrival, 1, &stops) - 2.0) < 0.1);
    HT_CHECK_INT(stops, 200);
    HT_CHECK(fabs(ht_arrival_service(arrival, 2, &stops) - 0.5) < 0.05);
    double town = ht_arrival_service(arrival, 4, &stops);
    HT_CHECK_INT(stops, 0);
    HT_CHECK(ht_arrival_service(arrival, 3, &stops) == town && stops == 0);
    HT_CHECK(town > 0.8 && town < 1.5);
    HT_CHECK_INT(ht_arrival_served(arrival, 1, 0, 1000), HT_RANGE);
    HT_CHECK_INT(ht_arrival_served(arrival, 1, 1000, -5), HT_RANGE);
    HT_CHECK_INT(ht_arrival_served(arrival, 1, 1000, 30000), HT_RANGE);
    HT_CHECK_INT(ht_arrival_drove(arrival, 1000, 0), HT_RANGE);
    ht_arrival_free(arrival);
}

HT_CASE(when_the_town_changes_bands_follow)
{
    struct ht_days days;
    struct tally tallies[AHEAD];
    struct ht_arrival *arrival = fresh(1000);
    ht_days_init(&days, 3);
    judge(&days, arrival, 20, tallies);
    for (int i = 0; i < HT_DAY_COMPOUNDS; i++) {
        days.compounds[i] = 0.4 - days.compounds[i];
    }
    judge(&days, arrival, 1, tallies);
    double at_once = (double)tallies[2].inside / tallies[2].count;
    judge(&days, arrival, 20, tallies);
    judge(&days, arrival, 20, tallies);
    double later = (double)tallies[2].inside / tallies[2].count;
    HT_CHECK(at_once < 0.86);
    HT_CHECK(later > 0.86 && later < 0.94);
    ht_arrival_free(arrival);
}

/* Ways that scatter three times as much as is believed: sixty arrivals teach it. */
HT_CASE(the_first_arrivals_teach_most)
{
    struct ht_days days;
    struct ht_arrival *arrival = fresh(1000);
    int inside[2] = {0};
    ht_days_init(&days, 11);
    for (int i = 0; i < 160; i++) {
        const struct ht_arrival_ask ask = {.now_ms = 1000000, .travel_ms = 500000, .legs = 4};
        struct ht_arrival_band band = ht_arrival_forecast(arrival, &ask);
        int64_t came_ms = band.plain_ms + (int64_t)(3 * band.scale_ms * ht_days_normal(&days));
        if (i < 20 || i >= 60) {
            inside[i >= 60] += band.low_ms <= came_ms && came_ms <= band.high_ms;
        }
        ht_arrival_came(arrival, &band, came_ms);
    }
    (void)printf("  of 20 at first %d, of 100 after sixty %d\n", inside[0], inside[1]);
    HT_CHECK(inside[0] < 16);
    HT_CHECK(inside[1] > 70 && inside[1] < 96);
    ht_arrival_free(arrival);
}

/* The same answer to the same question. */
static bool same_band(const struct ht_arrival *a, const struct ht_arrival *b, uint64_t compound)
{
    const struct ht_arrival_stop stop = {compound, 80000};
    const struct ht_arrival_ask ask = {.now_ms = 1000000,
                                       .travel_ms = 700000,
                                       .legs = 2,
                                       .stops = &stop,
                                       .stop_count = 1,
                                       .walk_ms = 30000};
    struct ht_arrival_band one = ht_arrival_forecast(a, &ask);
    struct ht_arrival_band other = ht_arrival_forecast(b, &ask);
    return one.eta_ms == other.eta_ms && one.low_ms == other.low_ms &&
           one.high_ms == other.high_ms && one.plain_ms == other.plain_ms &&
           one.horizon == other.horizon;
}

HT_CASE(what_was_learned_is_the_same_after_it_was_saved_and_read)
{
    struct ht_days days;
    struct tally tallies[AHEAD];
    struct ht_arrival *arrival = fresh(1000);
    struct ht_arrival *read = fresh(1000);
    uint8_t *bytes = NULL;
    uint8_t *again = NULL;
    size_t size = 0;
    size_t again_size = 0;
    ht_days_init(&days, 5);
    judge(&days, arrival, 5, tallies);
    HT_CHECK(ht_arrival_changes(arrival) > 100 && ht_arrival_changes(read) == 0);
    HT_CHECK(!same_band(arrival, read, 1));
    HT_REQUIRE(ht_arrival_save(arrival, &bytes, &size) == HT_OK);
    HT_CHECK_INT(ht_arrival_load(read, bytes, size), HT_OK);
    for (uint64_t compound = 0; compound < HT_DAY_COMPOUNDS + 2; compound++) {
        HT_CHECK(same_band(arrival, read, compound));
    }
    HT_REQUIRE(ht_arrival_save(read, &again, &again_size) == HT_OK);
    HT_CHECK_INT(again_size, size);
    free(again);
    for (size_t cut = 0; cut < size; cut += 7) { /* never a part of it */
        HT_CHECK_INT(ht_arrival_load(read, bytes, cut), HT_RANGE);
    }
    bytes[0] ^= 1;
    HT_CHECK_INT(ht_arrival_load(read, bytes, size), HT_RANGE);
    bytes[0] ^= 1;
    memset(bytes + 12, 0xff, 8); /* means that are no numbers */
    HT_CHECK_INT(ht_arrival_load(read, bytes, size), HT_RANGE);
    HT_CHECK(same_band(arrival, read, 3));
    free(bytes);
    ht_arrival_free(read);
    ht_arrival_free(arrival);
}

/* Without how many arrivals there were at each distance, which is taken for many. */
HT_CASE(what_an_older_version_saved_is_read)
{
    enum { HEAD = 8 + 2 * 12, HORIZON = 4 + 3 * 8 };
    struct ht_days days;
    struct tally tallies[AHEAD];
    struct ht_arrival *arrival = fresh(1000);
    struct ht_arrival *read = fresh(1000);
    uint8_t *bytes = NULL;
    size_t size = 0;
    ht_days_init(&days, 5);
    judge(&days, arrival, 2, tallies);
    HT_REQUIRE(ht_arrival_save(arrival, &bytes, &size) == HT_OK);
    bytes[3] = '1';
    for (size_t i = 0; i < HT_ARRIVAL_HORIZONS; i++) {
        uint8_t *at = bytes + HEAD + i * (HORIZON - 4);
        size -= 4;
        memmove(at, at + 4, size - (size_t)(at - bytes));
    }
    HT_CHECK_INT(ht_arrival_load(read, bytes, size - 1), HT_RANGE);
    HT_CHECK_INT(ht_arrival_load(read, bytes, size), HT_OK);
    for (uint64_t compound = 0; compound < HT_DAY_COMPOUNDS + 2; compound++) {
        HT_CHECK(same_band(arrival, read, compound));
    }
    free(bytes);
    ht_arrival_free(read);
    ht_arrival_free(arrival);
}

HT_CASE(stops_that_were_all_alike_do_not_end_the_learning)
{
    struct ht_arrival *arrival = fresh(2);
    uint32_t stops = 0;
    for (int i = 0; i < 50000; i++) {
        HT_CHECK_INT(ht_arrival_served(arrival, 1, 60000, 60000), HT_OK);
    }
    double before = ht_arrival_service(arrival, 1, &stops);
    for (int i = 0; i < 2000; i++) {
        HT_CHECK_INT(ht_arrival_served(arrival, 1, 60000, 120000), HT_OK);
    }
    HT_CHECK(ht_arrival_service(arrival, 1, &stops) > before * 1.5);
    ht_arrival_free(arrival);
}

HT_CASE(every_failed_allocation_is_a_status_oom)
{
    bool failed = true;
    int refused = 0;
    for (int n = 0; failed; n++) {
        struct ht_arrival *arrival = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_arrival_new(10000, &arrival);
        for (uint64_t i = 0; status == HT_OK && i < 200; i++) {
            status = ht_arrival_served(arrival, i, 60000, 60000 + (int64_t)i);
        }
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        refused += failed;
        if (arrival != NULL) {
            HT_CHECK_INT(ht_arrival_served(arrival, 7, 60000, 60000), HT_OK);
        }
        ht_arrival_free(arrival);
    }
    HT_CHECK(refused >= 4);
}

HT_MAIN()
