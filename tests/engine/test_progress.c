/* Where a van is along its stops: arrival, departure, what is skipped and leaving the way are
 * recognized from positions, at their times, whatever the sampling; the driver's word counts. */
#include "engine/live/progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

enum { STOPS = 3, BEGIN_MS = 1000000 };

/* Stops 500 m from each other on a street that leads east. */
static const struct ht_point stops[STOPS] = {
    {1217050000, 299500000}, {1217102000, 299500000}, {1217154000, 299500000}};
static const struct ht_point line[2] = {{1216990000, 299500000}, {1217200000, 299500000}};
static const struct ht_progress_ahead all = {stops, STOPS, line, 2};

/* A drive along that street, and what was told of it. */
struct drive {
    struct ht_progress progress;
    struct ht_progress_event events[64];
    size_t count;
    double east_m;
    double north_m;
    int64_t now_ms;
    int64_t every_ms;
    double noise_m;
    uint64_t state;
};

static double noise(struct drive *drive)
{
    drive->state = drive->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(drive->state >> 40) / (1 << 24) - 0.5) * 2 * drive->noise_m;
}

static void seen(struct drive *drive, const struct ht_progress_ahead *ahead)
{
    const struct ht_progress_fix fix = {
        {line[0].lon_e7 + (int32_t)((drive->east_m + noise(drive)) * 103.7),
         line[0].lat_e7 + (int32_t)((drive->north_m + noise(drive)) * 90.2)},
        drive->now_ms,
        -1,
        drive->noise_m};
    drive->count += ht_progress_see(&drive->progress, &fix, ahead, drive->events + drive->count);
    if (drive->count > 40) {
        abort();
    }
}

/* To a place, at so many m/s (0: it stands for so long). */
static void go_on(struct drive *drive, double to_m, double mps, int64_t for_ms,
                  const struct ht_progress_ahead *ahead)
{
    int64_t until_ms = drive->now_ms + for_ms;
    if (mps > 0) {
        until_ms = drive->now_ms + (int64_t)(fabs(to_m - drive->east_m) / mps * 1000);
    }
    double from_m = drive->east_m;
    int64_t from_ms = drive->now_ms;
    while (drive->now_ms + drive->every_ms <= until_ms) {
        drive->now_ms += drive->every_ms;
        drive->east_m = mps > 0 ? from_m + (to_m > from_m ? mps : -mps) *
                                               (double)(drive->now_ms - from_ms) / 1000
                                : from_m;
        seen(drive, ahead);
    }
    drive->east_m = mps > 0 ? to_m : from_m;
}

static struct drive begin(int64_t every_ms, double noise_m)
{
    struct drive drive = {.now_ms = BEGIN_MS, .every_ms = every_ms, .noise_m = noise_m, .state = 7};
    seen(&drive, &all);
    return drive;
}

static const struct ht_progress_event *find(const struct drive *drive, enum ht_progress_kind kind,
                                            int stop)
{
    for (size_t i = 0; i < drive->count; i++) {
        if (drive->events[i].kind == kind &&
            (stop < 0 || memcmp(&drive->events[i].stop, &stops[stop], sizeof stops[0]) == 0)) {
            return &drive->events[i];
        }
    }
    return NULL;
}

static int count_of(const struct drive *drive, enum ht_progress_kind kind)
{
    int count = 0;
    for (size_t i = 0; i < drive->count; i++) {
        count += drive->events[i].kind == kind;
    }
    return count;
}

/* Each of the three for 90 s. */
static void deliver_all(struct drive *drive)
{
    const double at_m[STOPS] = {579, 1080, 1582};
    for (int i = 0; i < STOPS; i++) {
        go_on(drive, at_m[i], 8, 0, &all);
        go_on(drive, 0, 0, 90000, &all);
    }
    go_on(drive, 1900, 8, 0, &all);
}

HT_CASE(each_stop_is_come_to_and_left_once_at_its_time)
{
    static const int64_t every_ms[] = {1000, 5000, 10000, 30000};
    for (size_t e = 0; e < 4; e++) {
        for (int noisy = 0; noisy < 2; noisy++) {
            struct drive drive = begin(every_ms[e], noisy * 10);
            deliver_all(&drive);
            HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ARRIVED), STOPS);
            HT_CHECK_INT(count_of(&drive, HT_PROGRESS_LEFT), STOPS);
            HT_CHECK_INT(count_of(&drive, HT_PROGRESS_SKIPPED), 0);
            HT_CHECK_INT(count_of(&drive, HT_PROGRESS_OFF), 0);
            for (int i = 0; i < STOPS; i++) {
                const struct ht_progress_event *came = find(&drive, HT_PROGRESS_ARRIVED, i);
                const struct ht_progress_event *left = find(&drive, HT_PROGRESS_LEFT, i);
                HT_REQUIRE(came != NULL && left != NULL);
                HT_CHECK(came->at_ms == left->since_ms);
                int64_t stood_ms = left->at_ms - came->at_ms;
                HT_CHECK(llabs(stood_ms - 90000) <= every_ms[e] + 12000);
                HT_CHECK((came->since_ms == 0) == (i == 0));
            }
        }
    }
}

HT_CASE(a_stop_that_is_passed_by_is_skipped_once_the_next_is_reached)
{
    struct drive drive = begin(5000, 5);
    go_on(&drive, 1080, 8, 0, &all);
    HT_CHECK_INT(drive.count, 0);
    go_on(&drive, 0, 0, 60000, &all);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_SKIPPED), 1);
    HT_CHECK(find(&drive, HT_PROGRESS_SKIPPED, 0) != NULL);
    HT_CHECK(find(&drive, HT_PROGRESS_ARRIVED, 1) != NULL);
    HT_CHECK(ht_progress_skipped(&drive.progress, stops[0]));
    HT_CHECK(!ht_progress_skipped(&drive.progress, stops[1]));
    HT_CHECK(!ht_progress_past(&drive.progress, stops[2]));
    /* back to it: it was served after all, and nothing is skipped by that */
    go_on(&drive, 579, 8, 0, &all);
    go_on(&drive, 0, 0, 60000, &all);
    HT_CHECK(find(&drive, HT_PROGRESS_ARRIVED, 0) != NULL);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_SKIPPED), 1);
    HT_CHECK(!ht_progress_skipped(&drive.progress, stops[0]));
    HT_CHECK(ht_progress_past(&drive.progress, stops[0]));
}

HT_CASE(who_stands_short_or_drives_slowly_past_is_at_no_stop)
{
    struct drive drive = begin(5000, 0);
    go_on(&drive, 579, 8, 0, &all);
    go_on(&drive, 0, 0, 15000, &all); /* a light */
    go_on(&drive, 1400, 5, 0, &all);
    HT_CHECK_INT(drive.count, 0);
}

HT_CASE(leaving_the_way_is_told_and_coming_back_too)
{
    struct drive drive = begin(5000, 5);
    go_on(&drive, 300, 8, 0, &all);
    drive.north_m = 200;
    go_on(&drive, 340, 8, 0, &all);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_OFF), 0); /* one position is none */
    int64_t off_ms = drive.now_ms;
    go_on(&drive, 480, 8, 0, &all);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_OFF), 1);
    HT_REQUIRE(find(&drive, HT_PROGRESS_OFF, -1) != NULL);
    HT_CHECK(llabs(find(&drive, HT_PROGRESS_OFF, -1)->at_ms - off_ms) <= 5000);
    HT_CHECK(drive.progress.off);
    drive.north_m = 0;
    go_on(&drive, 579, 8, 0, &all);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ON), 1);
    HT_CHECK(!drive.progress.off);
    /* no line: nothing is judged */
    const struct ht_progress_ahead blind = {stops, STOPS, NULL, 0};
    drive.north_m = 500;
    go_on(&drive, 1500, 8, 0, &blind);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_OFF), 1);
}

HT_CASE(the_drivers_word_counts_at_once_and_is_not_told_twice)
{
    struct drive drive = begin(5000, 0);
    struct ht_progress_event *events = drive.events;
    go_on(&drive, 579, 8, 0, &all);
    drive.count +=
        ht_progress_told(&drive.progress, stops[0], drive.now_ms, &all, events + drive.count);
    HT_CHECK_INT(drive.count, 1);
    HT_CHECK(drive.progress.at && drive.progress.told);
    go_on(&drive, 0, 0, 60000, &all);
    HT_CHECK_INT(ht_progress_told(&drive.progress, stops[0], drive.now_ms, &all, events), 0);
    HT_CHECK_INT(drive.count, 1);
    drive.count += ht_progress_told_left(&drive.progress, drive.now_ms, events + drive.count);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_LEFT), 1);
    go_on(&drive, 0, 0, 60000, &all); /* he has not driven off yet */
    HT_CHECK_INT(drive.count, 2);
    HT_CHECK_INT(ht_progress_told_left(&drive.progress, drive.now_ms, events), 0);
    HT_CHECK(ht_progress_told_skip(&drive.progress, stops[1]));
    HT_CHECK(!ht_progress_told_skip(&drive.progress, stops[1]));
    go_on(&drive, 1582, 8, 0, &all);
    go_on(&drive, 0, 0, 60000, &all);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_SKIPPED), 0); /* he had said so */
    HT_CHECK(find(&drive, HT_PROGRESS_ARRIVED, 2) != NULL);
    /* he is somewhere else than it looked */
    drive.count +=
        ht_progress_told(&drive.progress, stops[1], drive.now_ms, &all, events + drive.count);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_LEFT), 2);
    HT_CHECK(find(&drive, HT_PROGRESS_ARRIVED, 1) != NULL);
}

/* Told where a drive is by its events alone, in the order in which they were. */
static struct ht_progress recalled(const struct drive *drive)
{
    struct ht_progress progress = {0};
    for (size_t i = 0; i < drive->count; i++) {
        ht_progress_recall(&progress, &drive->events[i], false);
    }
    return progress;
}

static bool is_where(const struct ht_progress *a, const struct ht_progress *b)
{
    bool same = a->at == b->at && a->off == b->off && a->driven_ms == b->driven_ms &&
                (!a->at ||
                 (a->since_ms == b->since_ms && memcmp(&a->stop, &b->stop, sizeof a->stop) == 0)) &&
                (!a->off || a->off_ms == b->off_ms);
    for (int i = 0; i < STOPS; i++) {
        same = same && ht_progress_past(a, stops[i]) == ht_progress_past(b, stops[i]) &&
               ht_progress_skipped(a, stops[i]) == ht_progress_skipped(b, stops[i]);
    }
    return same;
}

/* From one door to the next, 70 m on. */
HT_CASE(the_next_door_is_come_to_once_the_first_is_done)
{
    const struct ht_point doors[2] = {stops[0],
                                      {stops[0].lon_e7 + (int32_t)(70 * 103.7), stops[0].lat_e7}};
    const struct ht_progress_ahead both = {doors, 2, NULL, 0};
    const struct ht_progress_ahead second = {doors + 1, 1, NULL, 0};
    for (int done = 0; done < 2; done++) {
        struct drive drive = begin(5000, 4);
        const struct ht_progress_ahead *ahead = done == 1 ? &second : &both;
        go_on(&drive, 579, 8, 0, &both);
        go_on(&drive, 0, 0, 90000, &both);
        HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ARRIVED), 1);
        go_on(&drive, 0, 0, 60000, ahead); /* he has not set off yet */
        HT_CHECK_INT(drive.count, 1);
        go_on(&drive, 649, 5, 0, ahead);
        int64_t came_ms = drive.now_ms;
        go_on(&drive, 0, 0, 60000, ahead);
        HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ARRIVED), 1 + done);
        HT_CHECK_INT(count_of(&drive, HT_PROGRESS_LEFT), done);
        HT_CHECK_INT(count_of(&drive, HT_PROGRESS_SKIPPED), 0);
        if (done == 1) {
            HT_CHECK(memcmp(&drive.progress.stop, &doors[1], sizeof doors[1]) == 0);
            HT_CHECK(drive.progress.since_ms >= came_ms - 5000 &&
                     drive.progress.since_ms <= came_ms + 5000);
        }
    }
}

/* One position as it stops, the next as it drives on. */
static void stop_in_silence(struct drive *drive, double at_m, int64_t for_ms, double speed_mps)
{
    struct ht_progress_fix fix = {
        {line[0].lon_e7 + (int32_t)(at_m * 103.7), line[0].lat_e7}, drive->now_ms, speed_mps, 10};
    drive->count += ht_progress_see(&drive->progress, &fix, &all, drive->events + drive->count);
    drive->now_ms += for_ms;
    for (int i = 1; i <= 5; i++) {
        drive->now_ms += 5000;
        fix.point.lon_e7 += (int32_t)(40 * 103.7);
        fix.ts_ms = drive->now_ms;
        fix.speed_mps = 8;
        drive->count += ht_progress_see(&drive->progress, &fix, &all, drive->events + drive->count);
    }
}

HT_CASE(who_is_silent_while_he_stands_was_there_all_the_same)
{
    struct drive drive = begin(5000, 0);
    drive.now_ms += 60000;
    int64_t came_ms = drive.now_ms;
    stop_in_silence(&drive, 579, 70000, 0);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ARRIVED), 1);
    const struct ht_progress_event *left = find(&drive, HT_PROGRESS_LEFT, 0);
    HT_REQUIRE(left != NULL);
    HT_CHECK_INT(left->since_ms, came_ms);
    HT_CHECK(left->at_ms >= came_ms + 60000 && left->at_ms <= came_ms + 75000);
    struct drive other = begin(5000, 0);
    other.now_ms += 60000;
    stop_in_silence(&other, 579, 10000, 0);  /* a red light */
    stop_in_silence(&other, 1080, 70000, 8); /* it drove when it fell silent */
    HT_CHECK_INT(count_of(&other, HT_PROGRESS_ARRIVED), 0);
}

/* A receiver that lags behind the driver's word. */
HT_CASE(nobody_leaves_before_he_came)
{
    struct drive drive = begin(5000, 0);
    struct ht_progress_event events[HT_PROGRESS_EVENTS];
    go_on(&drive, 579, 8, 0, &all);
    int64_t came_ms = drive.now_ms + 60000;
    HT_CHECK_INT(ht_progress_told(&drive.progress, stops[0], came_ms, &all, events), 1);
    go_on(&drive, 0, 0, 20000, &all);
    go_on(&drive, 900, 20, 0, &all);
    const struct ht_progress_event *left = find(&drive, HT_PROGRESS_LEFT, 0);
    HT_REQUIRE(left != NULL);
    HT_CHECK_INT(left->since_ms, came_ms);
    HT_CHECK(left->at_ms >= left->since_ms);
}

HT_CASE(what_was_told_of_it_says_where_it_is)
{
    struct drive drive = begin(5000, 0);
    go_on(&drive, 1080, 8, 0, &all); /* past the first */
    go_on(&drive, 0, 0, 90000, &all);
    struct ht_progress progress = recalled(&drive);
    HT_CHECK(progress.at && ht_progress_skipped(&progress, stops[0]));
    HT_CHECK(is_where(&progress, &drive.progress));
    go_on(&drive, 1300, 8, 0, &all);
    drive.north_m = 400; /* off its way */
    go_on(&drive, 0, 0, 60000, &all);
    progress = recalled(&drive);
    HT_CHECK(progress.off && !progress.at);
    HT_CHECK(is_where(&progress, &drive.progress));
    drive.progress = progress; /* a restart: it goes on from there */
    drive.north_m = 0;
    go_on(&drive, 1582, 8, 0, &all);
    go_on(&drive, 0, 0, 90000, &all);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ON), 1);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ARRIVED), 2);
    progress = recalled(&drive);
    HT_CHECK(is_where(&progress, &drive.progress));
    drive.progress = progress;
    int64_t came_ms = progress.since_ms;
    go_on(&drive, 0, 0, 60000, &all);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_ARRIVED), 2); /* it is known to be there */
    go_on(&drive, 1900, 8, 0, &all);
    const struct ht_progress_event *left = find(&drive, HT_PROGRESS_LEFT, 2);
    HT_REQUIRE(left != NULL);
    HT_CHECK_INT(left->since_ms, came_ms);
    HT_CHECK(left->at_ms - came_ms >= 140000);
}

HT_CASE(the_drivers_word_is_recalled_as_his)
{
    struct ht_progress progress = {0};
    struct ht_progress_event events[HT_PROGRESS_EVENTS];
    struct ht_progress_event event = {HT_PROGRESS_ARRIVED, stops[1], BEGIN_MS, 0};
    ht_progress_recall(&progress, &event, true);
    HT_CHECK(progress.at && progress.told && ht_progress_past(&progress, stops[1]));
    event = (struct ht_progress_event){HT_PROGRESS_LEFT, stops[1], BEGIN_MS + 60000, BEGIN_MS};
    ht_progress_recall(&progress, &event, true);
    HT_CHECK(!progress.at && progress.lingering);
    /* he said that he left: standing there does not count again */
    for (int i = 1; i <= 20; i++) {
        const struct ht_progress_fix fix = {stops[1], BEGIN_MS + 60000 + i * 5000, 0, -1};
        HT_CHECK_INT(ht_progress_see(&progress, &fix, &all, events), 0);
    }
}

HT_CASE(positions_out_of_order_and_strange_numbers_change_nothing)
{
    struct drive drive = begin(5000, 0);
    go_on(&drive, 579, 8, 0, &all);
    go_on(&drive, 0, 0, 60000, &all);
    const struct ht_progress before = drive.progress;
    const struct ht_progress_fix late = {stops[2], before.ts_ms, NAN, NAN};
    HT_CHECK_INT(ht_progress_see(&drive.progress, &late, &all, drive.events), 0);
    HT_CHECK(drive.progress.at && drive.progress.ts_ms == before.ts_ms &&
             drive.progress.near_ms == before.near_ms &&
             drive.progress.past_count == before.past_count);
    const struct ht_progress_fix odd = {stops[0], before.ts_ms + 1, NAN, INFINITY};
    HT_CHECK_INT(ht_progress_see(&drive.progress, &odd, &all, drive.events), 0);
    HT_CHECK(drive.progress.at);
    const struct ht_progress_ahead none = {NULL, 0, NULL, 0};
    drive.count = 0;
    go_on(&drive, 2000, 8, 0, &none);
    HT_CHECK_INT(count_of(&drive, HT_PROGRESS_LEFT), 1); /* also where nothing is ahead any more */
}

HT_MAIN()
