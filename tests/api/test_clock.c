/* Clock: RFC 3339 there and back, virtual time. */
#include "api/clock.h"
#include "tests/support/check.h"

static int64_t parsed(const char *text)
{
    int64_t ms = 0;
    return ht_time_parse(text, strlen(text), &ms) ? ms : INT64_MIN;
}

HT_CASE(times_are_read_with_fraction_and_offset)
{
    HT_CHECK_INT(parsed("1970-01-01T00:00:00Z"), 0);
    HT_CHECK_INT(parsed("2026-03-01T08:30:00Z"), INT64_C(1772353800000));
    HT_CHECK_INT(parsed("2026-03-01T16:30:00+08:00"), INT64_C(1772353800000));
    HT_CHECK_INT(parsed("2026-03-01t08:30:00.1239z"), INT64_C(1772353800123));
    HT_CHECK_INT(parsed("2024-02-29T00:00:00-00:30"), INT64_C(1709166600000));
    HT_CHECK_INT(parsed("1969-12-31T23:59:59.5Z"), -500);
}

HT_CASE(what_is_no_time_is_refused)
{
    static const char *const wrong[] = {"",
                                        "2026-03-01",
                                        "2026-03-01T08:30:00",
                                        "2026-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-00-01T00:00:00Z",
                                        "2026-04-31T00:00:00Z",
                                        "2026-03-01T24:00:00Z",
                                        "2026-03-01T08:60:00Z",
                                        "2026-03-01T08:30:00Zx",
                                        "2026-03-01T08:30:00+8:00",
                                        "2026-03-01T08:30:00+24:00",
                                        "26-03-01T08:30:00Z"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        HT_CHECK(parsed(wrong[i]) == INT64_MIN);
    }
}

HT_CASE(written_times_read_back)
{
    uint64_t state = 3;
    for (int i = 0; i < 10000; i++) {
        char text[HT_TIME_TEXT_SIZE];
        int64_t ms = (int64_t)(ht_random(&state) % UINT64_C(200000000000000)) - 60000000000000;
        ht_time_format(ms, text);
        HT_REQUIRE(parsed(text) == ms);
    }
}

HT_CASE(virtual_clock_stands_until_pushed)
{
    struct ht_clock clock;
    ht_clock_virtual(&clock, 1000, 0);
    HT_CHECK_INT(ht_clock_now_ms(&clock), 1000);
    HT_CHECK(ht_clock_advance(&clock, 1.5));
    HT_CHECK_INT(ht_clock_now_ms(&clock), 2500);
    HT_CHECK(!ht_clock_advance(&clock, -1));
    HT_CHECK(!ht_clock_advance(&clock, 1e300));
    HT_CHECK_INT(ht_clock_now_ms(&clock), 2500);
}

HT_CASE(real_clock_cannot_be_pushed)
{
    struct ht_clock clock;
    ht_clock_real(&clock);
    HT_CHECK(!ht_clock_advance(&clock, 1));
    HT_CHECK(ht_clock_now_ms(&clock) > INT64_C(1600000000000));
}

HT_CASE(a_clock_that_is_set_back_goes_on_slower_until_they_meet)
{
    enum { HOUR_MS = 3600000 };
    struct ht_clock clock;
    int64_t noon_ms = INT64_C(1772353800000);
    int64_t last_ms = noon_ms;
    ht_clock_real(&clock);
    HT_CHECK_INT(ht__clock_follow(&clock, noon_ms, 500), noon_ms);
    HT_CHECK_INT(ht__clock_follow(&clock, noon_ms + 1000, 1500), noon_ms + 1000);
    /* an hour back: two minutes take two minutes and a tenth */
    HT_CHECK_INT(ht__clock_follow(&clock, noon_ms + 1000 - HOUR_MS, 1500), noon_ms + 1000);
    HT_CHECK_INT(ht__clock_follow(&clock, noon_ms + 101000 - HOUR_MS, 101500), noon_ms + 91000);
    /* further back amid that changes nothing, and after ten hours they meet */
    HT_CHECK_INT(ht__clock_follow(&clock, noon_ms - 3 * HOUR_MS, 111500), noon_ms + 100000);
    for (int64_t s = 112; s < 40000; s++) {
        int64_t now_ms = ht__clock_follow(&clock, noon_ms - HOUR_MS + s * 1000, 500 + s * 1000);
        HT_REQUIRE(now_ms >= last_ms);
        HT_REQUIRE(s < 36100 || now_ms == noon_ms - HOUR_MS + s * 1000);
        HT_REQUIRE(s > 35900 || now_ms > noon_ms - HOUR_MS + s * 1000);
        last_ms = now_ms;
    }
}

HT_CASE(a_clock_that_is_set_forward_is_followed)
{
    struct ht_clock clock;
    ht_clock_real(&clock);
    HT_CHECK_INT(ht__clock_follow(&clock, 5000000, 100), 5000000);
    HT_CHECK_INT(ht__clock_follow(&clock, 9000000, 200), 9000000);
    HT_CHECK_INT(ht__clock_follow(&clock, 5000000, 300), 9000000);
    HT_CHECK_INT(ht__clock_follow(&clock, 9500000, 400), 9500000); /* and amid easing */
    HT_CHECK_INT(ht__clock_follow(&clock, 9500100, 500), 9500100);
    /* a leap second: it stands */
    HT_CHECK_INT(ht__clock_follow(&clock, 9499200, 600), 9500100);
    HT_CHECK_INT(ht__clock_follow(&clock, 9500200, 1600), 9500200);
    HT_CHECK_INT(ht_clock_ahead_ms(&clock), 0);
}

HT_MAIN()
