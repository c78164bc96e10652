/* Learned speeds: against plain medians, against known truths with wild values among them, and what
 * is asked of a table that must not grow, may be merged and comes back from a disk. */
#include "engine/live/speeds.h"

#include <math.h>

#include "tests/support/check.h"
#include "tests/support/oom.h"

static uint64_t state;

static double dice(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (double)(state >> 11) / 9007199254740992.0;
}

/* About normal, by the sum of twelve. */
static double bell(void)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        sum += dice();
    }
    return sum;
}

static struct ht_speeds *fresh(size_t most)
{
    struct ht_speeds *speeds = NULL;
    state = 4711;
    if (ht_speeds_new(most, &speeds) != HT_OK) {
        abort();
    }
    return speeds;
}

static const struct ht_speeds_keys one = {1, 2, 3};

static void drive(struct ht_speeds *speeds, uint32_t quarter, uint32_t trip, double ratio)
{
    const struct ht_speeds_drive d = {quarter, 20000, trip, ratio};
    HT_CHECK_INT(ht_speeds_take(speeds, &one, &d), HT_OK);
}

static double close_to(double a, double b)
{
    return fabs(a - b) / b;
}

HT_CASE(a_quarter_is_that_of_the_week_from_monday)
{
    HT_CHECK_INT(ht_speeds_quarter(0), 3 * 96); /* a Thursday */
    HT_CHECK_INT(ht_speeds_quarter(INT64_C(4) * 86400000), 0);
    HT_CHECK_INT(ht_speeds_quarter(INT64_C(4) * 86400000 - 1), 671);
    HT_CHECK_INT(ht_speeds_quarter(INT64_C(4) * 86400000 + 899999), 0);
    HT_CHECK_INT(ht_speeds_quarter(INT64_C(4) * 86400000 + 900000), 1);
    HT_CHECK_INT(ht_speeds_quarter(-1), 3 * 96 - 1);
}

HT_CASE(a_street_counts_from_so_many_different_trips)
{
    struct ht_speeds *speeds = fresh(1000);
    for (uint32_t trip = 1; trip <= 4; trip++) {
        for (int again = 0; again < 10; again++) {
            drive(speeds, 50, trip, 2.0);
        }
        HT_CHECK_INT(ht_speeds_find(speeds, &one, 50, 5).source, HT_SPEEDS_NONE);
        HT_CHECK(ht_speeds_find(speeds, &one, 50, 5).ratio == 1.0);
    }
    HT_CHECK_INT(ht_speeds_find(speeds, &one, 50, 4).trips, 4);
    drive(speeds, 50, 5, 2.0);
    struct ht_speeds_found found = ht_speeds_find(speeds, &one, 50, 5);
    HT_CHECK_INT(found.source, HT_SPEEDS_OWN);
    HT_CHECK_INT(found.trips, 5);
    HT_CHECK(close_to(found.ratio, 2.0) < 0.001);
    for (int again = 0; again < 10; again++) { /* the same trip, also behind the first few */
        drive(speeds, 50, 5, 8.0);
    }
    HT_CHECK_INT(ht_speeds_find(speeds, &one, 50, 5).trips, 5);
    /* whoever asks for fewer than three is not told */
    struct ht_speeds *few = fresh(1000);
    drive(few, 7, 1, 2.0);
    drive(few, 7, 2, 2.0);
    HT_CHECK_INT(ht_speeds_find(few, &one, 7, 1).source, HT_SPEEDS_NONE);
    ht_speeds_free(few);
    ht_speeds_free(speeds);
}

HT_CASE(few_trips_give_their_median)
{
    static const double ratios[5] = {1.5, 0.5, 6.0, 2.0, 1.25};
    static const double medians[5] = {1.5, 0.8660254, 1.5, 1.7320508, 1.5};
    struct ht_speeds *speeds = fresh(1000);
    for (uint32_t i = 0; i < 5; i++) {
        drive(speeds, 9, i + 1, ratios[i]);
        if (i >= 2) {
            HT_CHECK(close_to(ht_speeds_find(speeds, &one, 9, 3).ratio, medians[i]) < 0.001);
        }
    }
    ht_speeds_free(speeds);
}

HT_CASE(wild_values_do_not_move_the_mean_far)
{
    double worst = 0;
    double plain_worst = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct ht_speeds *speeds = fresh(1000);
        double truth = 0.8 + 0.015 * (double)seed;
        double sum = 0;
        state = seed * 977;
        for (uint32_t trip = 1; trip <= 60; trip++) {
            double ratio = truth * exp(0.1 * bell());
            ratio = trip % 5 == 0 ? HT_SPEEDS_RATIO_MAX : ratio; /* a stop that was not seen */
            drive(speeds, 300, trip, ratio);
            sum += ratio;
        }
        double off = close_to(ht_speeds_find(speeds, &one, 300, 5).ratio, truth);
        worst = off > worst ? off : worst;
        double plain = close_to(sum / 60, truth);
        plain_worst = plain > plain_worst ? plain : plain_worst;
        ht_speeds_free(speeds);
    }
    (void)printf("  with a fifth of them wild: %.0f %% off at worst, a plain mean %.0f %%\n",
                 worst * 100, plain_worst * 100);
    HT_CHECK(worst < 0.15);
    HT_CHECK(plain_worst > 1.0);
}

HT_CASE(what_changes_is_followed)
{
    struct ht_speeds *speeds = fresh(1000);
    for (uint32_t trip = 1; trip <= 1000; trip++) {
        drive(speeds, 300, trip, (trip <= 500 ? 1.0 : 2.0) * exp(0.1 * bell()));
    }
    HT_CHECK(close_to(ht_speeds_find(speeds, &one, 300, 5).ratio, 2.0) < 0.06);
    ht_speeds_free(speeds);
}

HT_CASE(what_is_not_known_comes_from_like_times_then_from_near_then_from_the_class)
{
    struct ht_speeds *speeds = fresh(1000);
    const uint32_t monday = 8 * 4; /* 08:00 */
    for (uint32_t trip = 1; trip <= 6; trip++) {
        drive(speeds, monday, trip, 2.0);
    }
    const struct ht_speeds_keys near = {11, 2, 3};
    const struct ht_speeds_keys far = {12, 22, 3};
    const struct ht_speeds_keys other = {13, 23, 33};
    HT_CHECK_INT(ht_speeds_find(speeds, &one, monday, 5).source, HT_SPEEDS_OWN);
    HT_CHECK_INT(ht_speeds_find(speeds, &one, monday + 2, 5).source, HT_SPEEDS_TIMES);
    HT_CHECK_INT(ht_speeds_find(speeds, &one, monday + 3, 5).source, HT_SPEEDS_NONE);
    HT_CHECK_INT(ht_speeds_find(speeds, &one, monday + 96 * 4 - 2, 5).source, HT_SPEEDS_TIMES);
    HT_CHECK_INT(ht_speeds_find(speeds, &one, monday + 96 * 5, 5).source, HT_SPEEDS_NONE);
    /* six trips say nothing of other streets yet */
    HT_CHECK_INT(ht_speeds_find(speeds, &near, monday, 5).source, HT_SPEEDS_NONE);
    for (uint32_t trip = 7; trip <= 24; trip++) {
        drive(speeds, monday, trip, 2.0);
    }
    HT_CHECK_INT(ht_speeds_find(speeds, &near, monday, 5).source, HT_SPEEDS_AREA);
    HT_CHECK_INT(ht_speeds_find(speeds, &far, monday, 5).source, HT_SPEEDS_KIND);
    HT_CHECK_INT(ht_speeds_find(speeds, &other, monday, 5).source, HT_SPEEDS_NONE);
    HT_CHECK(close_to(ht_speeds_find(speeds, &far, monday + 1, 5).ratio, 2.0) < 0.001);
    HT_CHECK_INT(ht_speeds_find(speeds, &far, monday, 7).source, HT_SPEEDS_NONE);
    ht_speeds_free(speeds);
}

HT_CASE(nonsense_is_refused)
{
    struct ht_speeds *speeds = fresh(1000);
    static const double wrong[] = {0, -1, 0.2, 21, NAN, INFINITY};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct ht_speeds_drive d = {0, 20000, 1, wrong[i]};
        HT_CHECK_INT(ht_speeds_take(speeds, &one, &d), HT_RANGE);
    }
    const struct ht_speeds_drive late = {HT_SPEEDS_QUARTERS, 20000, 1, 1};
    const struct ht_speeds_drive old = {0, 70000, 1, 1};
    HT_CHECK_INT(ht_speeds_take(speeds, &one, &late), HT_RANGE);
    HT_CHECK_INT(ht_speeds_take(speeds, &one, &old), HT_RANGE);
    HT_CHECK_INT(ht_speeds_count(speeds, 1).cells, 0);
    ht_speeds_free(speeds);
}

/* Streets, not areas, of the last day. */
static enum ht_status newest_count(void *user, const struct ht_speeds_cell *cell)
{
    size_t *count = user;
    *count += cell->street >= 1000 && cell->day == 20099;
    return HT_OK;
}

HT_CASE(memory_stays_within_its_bound_and_the_newest_stay)
{
    enum { MOST = 3000 };
    struct ht_speeds *speeds = fresh(MOST);
    size_t most = 0;
    for (uint32_t i = 0; i < 40000; i++) {
        const struct ht_speeds_keys keys = {1000 + i % 9000, 2, 3};
        const struct ht_speeds_drive d = {i % 672, 20000 + i / 400, i, 1.5};
        HT_REQUIRE(ht_speeds_take(speeds, &keys, &d) == HT_OK);
        if (i % 100 == 0) {
            size_t cells = ht_speeds_count(speeds, 3).cells;
            most = cells > most ? cells : most;
        }
    }
    struct ht_speeds_counts counts = ht_speeds_count(speeds, 1);
    HT_CHECK(most <= MOST && counts.cells > MOST / 2);
    HT_CHECK(counts.forgotten > 10000);
    HT_CHECK(counts.bytes < MOST * 24 * 3 + 16384 * 40);
    HT_CHECK_INT(counts.cells_known, counts.cells); /* what is counted is there */
    size_t newest = 0;
    HT_REQUIRE(ht_speeds_each(speeds, newest_count, &newest) == HT_OK);
    HT_CHECK_INT(newest, 400);
    ht_speeds_free(speeds);
}

/* The cells of a table, summed up. */
struct sum {
    uint64_t trips;
    uint64_t cells;
    uint32_t newest;
};

static enum ht_status sum_add(void *user, const struct ht_speeds_cell *cell)
{
    struct sum *sum = user;
    sum->trips += cell->trips;
    sum->cells++;
    sum->newest = cell->day > sum->newest ? cell->day : sum->newest;
    return HT_OK;
}

/* Drives over many streets, those whose number is of the part. */
static void many(struct ht_speeds *speeds, uint32_t part, uint32_t parts)
{
    state = 99;
    for (uint32_t i = 0; i < 8000; i++) {
        uint32_t street = (uint32_t)(dice() * 12);
        const struct ht_speeds_keys keys = {100 + street, 50 + street % 3, 7};
        const struct ht_speeds_drive d = {(uint32_t)(dice() * 8), 20000 + i / 1000, i + 1,
                                          (1 + 0.1 * street) * exp(0.1 * bell())};
        if (i % parts == part) {
            HT_REQUIRE(ht_speeds_take(speeds, &keys, &d) == HT_OK);
        }
    }
}

HT_CASE(two_tables_merged_say_what_one_would)
{
    struct ht_speeds *whole = fresh(10000);
    struct ht_speeds *half = fresh(10000);
    struct ht_speeds *other = fresh(10000);
    struct sum sums[2] = {{0}};
    many(whole, 0, 1);
    many(half, 0, 2);
    many(other, 1, 2);
    HT_REQUIRE(ht_speeds_merge(half, other) == HT_OK);
    HT_REQUIRE(ht_speeds_each(whole, sum_add, &sums[0]) == HT_OK);
    HT_REQUIRE(ht_speeds_each(half, sum_add, &sums[1]) == HT_OK);
    HT_CHECK_INT(sums[0].trips, sums[1].trips);
    HT_CHECK_INT(sums[0].cells, sums[1].cells);
    HT_CHECK_INT(sums[1].newest, 20007);
    for (uint32_t street = 0; street < 12; street++) {
        for (uint32_t quarter = 0; quarter < 8; quarter++) {
            struct ht_speeds_found a = ht_speeds_find_key(whole, 100 + street, quarter, 5);
            struct ht_speeds_found b = ht_speeds_find_key(half, 100 + street, quarter, 5);
            HT_CHECK_INT(a.trips, b.trips);
            HT_CHECK(close_to(a.ratio, b.ratio) < 0.06);
            HT_CHECK(close_to(b.ratio, 1 + 0.1 * street) < 0.06);
        }
    }
    ht_speeds_free(whole);
    ht_speeds_free(half);
    ht_speeds_free(other);
}

/* A disk that may be full. */
struct disk {
    struct ht_speeds *target;
    size_t rows;
    size_t most;
};

static enum ht_status disk_put(void *user, const struct ht_speeds_bytes *street)
{
    struct disk *disk = user;
    if (disk->rows++ == disk->most) {
        return HT_FULL;
    }
    return disk->target == NULL ? HT_OK : ht_speeds_load(disk->target, street);
}

HT_CASE(what_is_saved_comes_back_and_only_what_changed_is_saved_again)
{
    struct ht_speeds *speeds = fresh(10000);
    struct ht_speeds *back = fresh(10000);
    struct disk disk = {back, 0, SIZE_MAX};
    bool anew = true;
    many(speeds, 0, 1);
    drive(speeds, 9, 1, 3.0);
    HT_REQUIRE(ht_speeds_save(speeds, &anew, disk_put, &disk) == HT_OK);
    HT_CHECK(!anew);
    HT_CHECK_INT(disk.rows, ht_speeds_count(speeds, 3).streets);
    HT_CHECK_INT(ht_speeds_count(back, 3).cells_known, ht_speeds_count(speeds, 3).cells_known);
    for (uint64_t key = 1; key < 120; key++) {
        for (uint32_t quarter = 0; quarter < 12; quarter++) {
            struct ht_speeds_found a = ht_speeds_find_key(speeds, key, quarter, 3);
            struct ht_speeds_found b = ht_speeds_find_key(back, key, quarter, 3);
            HT_CHECK(a.source == b.source && a.trips == b.trips && a.ratio == b.ratio);
        }
    }
    disk = (struct disk){NULL, 0, SIZE_MAX};
    HT_REQUIRE(ht_speeds_save(speeds, &anew, disk_put, &disk) == HT_OK);
    HT_CHECK_INT(disk.rows, 0);
    drive(speeds, 9, 2, 3.0);
    HT_REQUIRE(ht_speeds_save(speeds, &anew, disk_put, &disk) == HT_OK);
    HT_CHECK_INT(disk.rows, 3);
    drive(speeds, 9, 3, 3.0);
    disk = (struct disk){NULL, 0, 1}; /* full: all comes again */
    HT_CHECK_INT(ht_speeds_save(speeds, &anew, disk_put, &disk), HT_FULL);
    disk = (struct disk){NULL, 0, SIZE_MAX};
    HT_REQUIRE(ht_speeds_save(speeds, &anew, disk_put, &disk) == HT_OK);
    HT_CHECK(anew);
    HT_CHECK_INT(disk.rows, ht_speeds_count(speeds, 3).streets);
    disk = (struct disk){NULL, 0, SIZE_MAX};
    HT_REQUIRE(ht_speeds_save(back, &anew, disk_put, &disk) == HT_OK);
    HT_CHECK_INT(disk.rows, 0); /* what was read is on the disk already */
    ht_speeds_free(speeds);
    ht_speeds_free(back);
}

HT_CASE(bytes_that_are_no_cells_are_refused)
{
    struct ht_speeds *speeds = fresh(1000);
    uint8_t bytes[HT_SPEEDS_CELL_BYTES * 3];
    int taken = 0;
    state = 5;
    for (int i = 0; i < 20000; i++) {
        for (size_t b = 0; b < sizeof bytes; b++) {
            bytes[b] = (uint8_t)(dice() * 256 * (i % 3 == 0 ? 1 : 0.05));
        }
        const struct ht_speeds_bytes street = {1, bytes, (size_t)(dice() * sizeof bytes)};
        enum ht_status status = ht_speeds_load(speeds, &street);
        HT_CHECK(status == HT_OK || status == HT_RANGE);
        taken += status == HT_OK;
        HT_CHECK(status == HT_RANGE ||
                 (street.size > 0 && street.size % HT_SPEEDS_CELL_BYTES == 0));
        struct ht_speeds_found found = ht_speeds_find_key(speeds, 1, 0, 3);
        HT_CHECK(found.ratio >= HT_SPEEDS_RATIO_MIN * 0.99 &&
                 found.ratio <= HT_SPEEDS_RATIO_MAX * 1.01);
    }
    HT_CHECK(taken > 0 && taken < 15000);
    ht_speeds_free(speeds);
}

HT_CASE(every_failed_allocation_is_a_status_and_the_table_goes_on_oom)
{
    bool failed = true;
    int refused = 0;
    for (int n = 0; failed; n++) {
        struct ht_speeds *speeds = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_speeds_new(50, &speeds);
        for (uint32_t i = 0; status == HT_OK && i < 200; i++) {
            const struct ht_speeds_keys keys = {1000 + i, 2, 3};
            const struct ht_speeds_drive d = {i % 600, 20000 + i, i, 1.5};
            status = ht_speeds_take(speeds, &keys, &d);
        }
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        if (failed && speeds != NULL) {
            const struct ht_speeds_drive d = {5, 20300, 7, 1.5};
            HT_CHECK_INT(ht_speeds_take(speeds, &one, &d), HT_OK);
            HT_CHECK(ht_speeds_count(speeds, 3).cells <= 50);
        }
        refused += failed;
        ht_speeds_free(speeds);
    }
    HT_CHECK(refused > 50);
}

HT_MAIN()
