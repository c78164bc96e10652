/* The pure rooms of a simulated day: dice, curve, drive, chaos, tally. */
#include <math.h>

#include "api/simulate/chaos.h"
#include "api/simulate/curve.h"
#include "api/simulate/drive.h"
#include "api/simulate/tally.h"
#include "tests/support/check.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define MIDNIGHT INT64_C(1898784000000) /* 2030-03-04 by a clock eight hours ahead */

static struct ht_sim_curve whole_day(void)
{
    return (struct ht_sim_curve){.seed = 7,
                                 .day_ms = MIDNIGHT,
                                 .from_ms = MIDNIGHT,
                                 .to_ms = MIDNIGHT + DAY_MS,
                                 .households = 20000,
                                 .devices = 1500,
                                 .rate = 1,
                                 .alarms = 20};
}

static size_t count_kind(const struct ht_sim_happening *list, size_t count,
                         enum ht_sim_happening_kind kind)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        found += list[i].kind == kind;
    }
    return found;
}

HT_CASE(a_stream_of_dice_is_its_own_and_even)
{
    struct ht_sim_dice a = ht_sim_dice_of(1, "van", 1);
    struct ht_sim_dice same = ht_sim_dice_of(1, "van", 1);
    struct ht_sim_dice b = ht_sim_dice_of(1, "van", 2);
    double sum = 0;
    double squares = 0;
    uint32_t faces[6] = {0};
    int equal = 0;
    for (int i = 0; i < 6000; i++) {
        uint64_t next = ht_sim_dice_next(&a);
        HT_CHECK(next == ht_sim_dice_next(&same));
        equal += next == ht_sim_dice_next(&b);
        faces[ht_sim_dice_below(&a, 6)]++;
        (void)ht_sim_dice_below(&same, 6);
        double normal = ht_sim_dice_normal(&a);
        (void)ht_sim_dice_normal(&same);
        sum += normal;
        squares += normal * normal;
    }
    HT_CHECK_INT(equal, 0);
    HT_CHECK(fabs(sum / 6000) < 0.05 && fabs(squares / 6000 - 1) < 0.08);
    for (int i = 0; i < 6; i++) {
        HT_CHECK(faces[i] > 850 && faces[i] < 1150);
    }
    HT_CHECK_INT(ht_sim_dice_below(&a, 0), 0);
}

HT_CASE(a_day_has_lunches_dinners_and_alarms_by_time_and_is_the_same_each_time)
{
    struct ht_sim_curve curve = whole_day();
    struct ht_sim_happening *list = NULL;
    struct ht_sim_happening *again = NULL;
    size_t count = 0;
    size_t count_again = 0;
    size_t lunches = 0;
    HT_REQUIRE(ht_sim_curve_make(&curve, &list, &count) == HT_OK);
    HT_REQUIRE(ht_sim_curve_make(&curve, &again, &count_again) == HT_OK);
    HT_CHECK_INT(count, count_again);
    for (size_t i = 0; i < count && i < count_again; i++) {
        const struct ht_sim_happening *one = &list[i];
        HT_CHECK(one->at_ms == again[i].at_ms && one->subject == again[i].subject &&
                 one->kind == again[i].kind && one->number == again[i].number);
        HT_CHECK(i == 0 || list[i - 1].at_ms <= one->at_ms);
        if (one->kind == HT_SIM_ORDER) {
            lunches += one->due_from_ms < MIDNIGHT + 13 * HOUR_MS;
            HT_CHECK(one->subject < 20000 && one->load >= 1 && one->load <= 2);
            HT_CHECK(one->due_to_ms - one->due_from_ms == HOUR_MS);
            HT_CHECK(one->at_ms < one->due_from_ms && one->at_ms >= MIDNIGHT + 7 * HOUR_MS);
            HT_CHECK(one->due_from_ms > MIDNIGHT + 13 * HOUR_MS ||
                     one->at_ms <= MIDNIGHT + 10 * HOUR_MS + HOUR_MS / 2);
        }
    }
    size_t orders = count_kind(list, count, HT_SIM_ORDER);
    HT_CHECK(lunches > 1100 && lunches < 1300 && orders - lunches > 330 && orders - lunches < 470);
    HT_CHECK_INT(count_kind(list, count, HT_SIM_ALARM), 20);
    HT_CHECK_INT(count_kind(list, count, HT_SIM_CLOSURE), 16);
    HT_CHECK_INT(count_kind(list, count, HT_SIM_ZONE), 6);
    free(again);
    curve.seed = 8;
    HT_REQUIRE(ht_sim_curve_make(&curve, &again, &count_again) == HT_OK);
    HT_CHECK(count_again > 0 &&
             (again[0].at_ms != list[0].at_ms || again[0].subject != list[0].subject));
    free(again);
    free(list);
}

HT_CASE(what_was_ordered_before_is_there_at_the_begin_if_it_can_still_be_brought)
{
    struct ht_sim_curve curve = whole_day();
    struct ht_sim_happening *list = NULL;
    size_t count = 0;
    size_t before = 0;
    curve.from_ms = MIDNIGHT + 11 * HOUR_MS;
    curve.to_ms = MIDNIGHT + 13 * HOUR_MS;
    HT_REQUIRE(ht_sim_curve_make(&curve, &list, &count) == HT_OK);
    for (size_t i = 0; i < count; i++) {
        HT_CHECK(list[i].at_ms >= curve.from_ms && list[i].at_ms < curve.to_ms);
        before += list[i].kind == HT_SIM_ORDER && list[i].at_ms == curve.from_ms;
        HT_CHECK(list[i].kind != HT_SIM_ORDER ||
                 list[i].due_to_ms >= curve.from_ms + HT_SIM_LEAD_MS);
    }
    HT_CHECK(before > 1000);
    free(list);
    curve.from_ms = MIDNIGHT + 12 * HOUR_MS; /* only the last window is left */
    HT_REQUIRE(ht_sim_curve_make(&curve, &list, &count) == HT_OK);
    HT_CHECK(count_kind(list, count, HT_SIM_ORDER) > 200 &&
             count_kind(list, count, HT_SIM_ORDER) < 420);
    free(list);
}

HT_CASE(rate_and_storm_add_and_an_empty_town_has_no_day)
{
    struct ht_sim_curve curve = whole_day();
    struct ht_sim_happening *list = NULL;
    size_t count = 0;
    curve.rate = 20; /* more than one lunch a household */
    curve.storm = true;
    HT_REQUIRE(ht_sim_curve_make(&curve, &list, &count) == HT_OK);
    HT_CHECK(count_kind(list, count, HT_SIM_ORDER) > 29000 &&
             count_kind(list, count, HT_SIM_ORDER) < 31000);
    size_t alarms = count_kind(list, count, HT_SIM_ALARM);
    HT_CHECK(alarms > 400 + 40 && alarms <= 400 + 80);
    free(list);
    curve.households = 0;
    curve.devices = 0;
    HT_REQUIRE(ht_sim_curve_make(&curve, &list, &count) == HT_OK);
    HT_CHECK_INT(count, 0);
    free(list);
}

HT_CASE(a_drive_keeps_to_its_line_and_gets_there_in_about_the_time)
{
    const struct ht_point line[] = {{1217000000, 299500000},
                                    {1217100000, 299500000},
                                    {1217100000, 299500000},
                                    {1217100000, 299600000}};
    struct ht_sim_drive drive = {.count = 0};
    struct ht_sim_dice dice = ht_sim_dice_of(3, "drive", 0);
    struct ht_point point = line[0];
    double bearing_deg = -1;
    double seconds = 0;
    HT_CHECK(ht_sim_drive_on(&drive, &dice, 5, &point, &bearing_deg)); /* nowhere to go */
    HT_REQUIRE(ht_sim_drive_begin(&drive, line, 4, 300) == HT_OK);
    double before_m = 0;
    while (!ht_sim_drive_on(&drive, &dice, 5, &point, &bearing_deg) && seconds < 2000) {
        seconds += 5;
        bool on_first = point.lat_e7 == line[0].lat_e7 && fabs(bearing_deg - 90) < 0.1;
        bool on_last = point.lon_e7 == line[3].lon_e7 && bearing_deg < 0.1;
        HT_CHECK(on_first || on_last);
        HT_CHECK(drive.done_m > before_m && ht_sim_drive_mps(&drive) > 0);
        before_m = drive.done_m;
    }
    HT_CHECK(seconds > 230 && seconds < 450);
    HT_CHECK(point.lon_e7 == line[3].lon_e7 && point.lat_e7 == line[3].lat_e7);
    HT_CHECK(ht_sim_drive_mps(&drive) == 0);
    HT_REQUIRE(ht_sim_drive_begin(&drive, line, 1, 0) == HT_OK); /* there already */
    HT_CHECK(ht_sim_drive_on(&drive, &dice, 5, &point, &bearing_deg));
    ht_sim_drive_deinit(&drive);
}

HT_CASE(a_receiver_is_some_metres_off_and_for_a_while_the_same_way)
{
    struct ht_sim_gps gps = {0};
    struct ht_sim_dice dice = ht_sim_dice_of(3, "gps", 0);
    const struct ht_point here = {1217000000, 299500000};
    struct ht_point last = here;
    double sum_m = 0;
    double step_m = 0;
    for (int i = 0; i < 4000; i++) {
        struct ht_point seen = ht_sim_gps_see(&gps, &dice, here, 6, 5);
        sum_m += ht_distance_m(here, seen);
        step_m += ht_distance_m(last, seen);
        last = seen;
    }
    HT_CHECK(sum_m / 4000 > 6 && sum_m / 4000 < 9.5); /* Rayleigh: 1.25 of the deviation */
    HT_CHECK(step_m < 0.75 * sum_m);
    HT_CHECK(fabs(ht_distance_m(here, ht_sim_point_off(here, 30, 40)) - 50) < 0.2);
}

HT_CASE(chaos_is_silent_late_double_and_wrong_at_its_rates_or_not_at_all)
{
    struct ht_sim_chaos chaos = {.on = true};
    struct ht_sim_chaos calm = {.on = false};
    struct ht_sim_dice dice = ht_sim_dice_of(5, "chaos", 0);
    uint32_t fates[HT_SIM_FATES] = {0};
    uint32_t again = 0;
    for (int i = 0; i < 100000; i++) {
        fates[ht_sim_chaos_fate(&chaos, &dice, MIDNIGHT + i * 5000, 5)]++;
        HT_CHECK(ht_sim_chaos_fate(&calm, &dice, MIDNIGHT, 5) == HT_SIM_TOLD);
        again += ht_sim_chaos_again(&chaos, &dice);
        HT_CHECK(!ht_sim_chaos_again(&calm, &dice));
    }
    HT_CHECK(fates[HT_SIM_SILENT] > 2000 && fates[HT_SIM_SILENT] < 8000);
    HT_CHECK(fates[HT_SIM_TWICE] > 2500 && fates[HT_SIM_LATE] > 2500);
    HT_CHECK(fates[HT_SIM_WRONG] > 800 && fates[HT_SIM_TOLD] > 80000);
    HT_CHECK(again > 2500 && again < 3500);
    int spoilt = 0;
    for (int i = 0; i < 100; i++) {
        struct ht_sim_position position = {.point = {1217000000, 299500000}, .ts_ms = MIDNIGHT};
        ht_sim_chaos_spoil(&dice, &position);
        spoilt += position.stranger || position.ts_ms > MIDNIGHT + HOUR_MS ||
                  position.point.lat_e7 != 299500000;
    }
    HT_CHECK_INT(spoilt, 100);
}

HT_CASE(the_table_says_what_was_counted_and_only_faults_of_the_server_are_faults)
{
    static char text[8192];
    struct ht_sim_tally tally = {.meals_ordered = 12,
                                 .meals_due = 8,
                                 .meals_in_time = 6,
                                 .meals_late = 1,
                                 .meals_missing = 1,
                                 .reached_due = 4,
                                 .reached_soon = 3};
    for (uint32_t i = 1; i <= 100; i++) {
        ht_sim_tally_answer(&tally, HT_SIM_CALL_ORDER, i == 50 ? 422 : 201, 1000 * (101 - i));
    }
    ht_sim_series_add(&tally, &tally.response_s, 300);
    ht_sim_tally_answer(&tally, HT_SIM_CALL_WRONG, 400, 10);
    HT_CHECK_INT(ht_sim_series_at(&tally.us[HT_SIM_CALL_ORDER], 0.5), 51000);
    HT_CHECK_INT(ht_sim_series_at(&tally.us[HT_SIM_CALL_ORDER], 1), 100000);
    HT_CHECK_INT(ht_sim_series_at(&tally.late_s, 0.5), 0);
    HT_CHECK(ht_sim_tally_good(&tally));
    FILE *out = fmemopen(text, sizeof text, "w");
    HT_REQUIRE(out != NULL);
    ht_sim_tally_table(&tally, out);
    ht_sim_tally_times(&tally, 2, out);
    HT_CHECK(ht_sim_tally_json(&tally, 2, out) == HT_OK);
    (void)fclose(out);
    HT_CHECK(strstr(text, "12 ordered, 8 due: 75.0 % on time (6), 1 late, 1 missing") != NULL);
    HT_CHECK(strstr(text, "ten minutes  75.0 % (3 of 4)") != NULL);
    HT_CHECK(strstr(text, "requests     101: 99 x 201 1 x 400 1 x 422\n") != NULL);
    HT_CHECK(strstr(text, "of these order: 1 refused") != NULL);
    HT_CHECK(strstr(text, "101 answers in 2.0 s: 50 a second") != NULL);
    HT_CHECK(strstr(text, "\"meals_in_time\":6") != NULL);
    HT_CHECK(strstr(text, "\"call\":\"order\",\"count\":100,\"refused\":1") != NULL);
    ht_sim_tally_answer(&tally, HT_SIM_CALL_ORDER, 503, 10);
    HT_CHECK(!ht_sim_tally_good(&tally));
    ht_sim_tally_deinit(&tally);
    ht_sim_tally_answer(&tally, HT_SIM_CALL_WRONG, 201, 10); /* nonsense was taken */
    HT_CHECK(!ht_sim_tally_good(&tally));
    ht_sim_tally_deinit(&tally);
    ht_sim_tally_answer(&tally, HT_SIM_CALL_PLAN, 0, 10);
    HT_CHECK(!ht_sim_tally_good(&tally));
    ht_sim_tally_deinit(&tally);
    tally.lost = 1;
    HT_CHECK(!ht_sim_tally_good(&tally));
    ht_sim_tally_deinit(&tally);
    HT_CHECK(ht_sim_tally_good(&tally));
}

HT_MAIN()
