/* What is handed to the store: sorted, in parts, thinned out when too much came, never the latest.
 */
#include "api/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

enum { UNITS = 50 };

static const struct ht_box town = {{1213000000, 298000000}, {1217000000, 301600000}};

static struct ht_live *live;
static struct ht_live_work *work;

static void begin(void)
{
    char id[16];
    live = NULL;
    work = NULL;
    HT_REQUIRE(ht_live_new(town, UNITS, &live) == HT_OK);
    HT_REQUIRE(ht_live_work_new(live, &work) == HT_OK);
    for (int i = 0; i < UNITS; i++) {
        (void)snprintf(id, sizeof id, "u%02d", i);
        HT_REQUIRE(ht_live_unit_put(live, id, "{}", 0) == HT_OK);
    }
    ht_live_keep(live);
}

static void end(void)
{
    ht_live_work_free(work);
    ht_live_free(live);
}

static void report(const char *id, int64_t ts_ms)
{
    const struct ht_report one = {.lon_deg = 121.5,
                                  .lat_deg = 29.9,
                                  .ts_ms = ts_ms,
                                  .received_ms = ts_ms,
                                  .speed_mps = -1,
                                  .bearing_deg = -1,
                                  .accuracy_m = -1};
    HT_CHECK_INT(ht_live_report(live, work, NULL, ht_live_unit_find(live, id, strlen(id)), &one),
                 HT_REFUSAL_NONE);
}

/* All that waits, `most` at a time: how many; the latest of each unit; whether all were in order.
 */
static size_t take_all(size_t most, int64_t latest_ms[UNITS], bool *sorted)
{
    struct ht_live_unsaved part;
    char last[HT_UNIT_ID_MAX + 1] = "";
    int64_t last_ms = 0;
    size_t count = 0;
    bool more = false;
    *sorted = true;
    do {
        HT_CHECK_INT(ht_live_take(live, most, &part), HT_OK);
        HT_CHECK(part.count <= most);
        for (size_t i = 0; i < part.count; i++) {
            const struct ht_store_position *p = &part.positions[i];
            int order = strcmp(last, p->unit);
            *sorted = *sorted && (order < 0 || (order == 0 && last_ms < p->ts_ms));
            last_ms = p->ts_ms;
            (void)strcpy(last, p->unit);
            latest_ms[strtol(p->unit + 1, NULL, 10)] = p->ts_ms;
        }
        count += part.count;
        more = part.more;
        ht_live_unsaved_free(&part);
    } while (more);
    return count;
}

HT_CASE(what_came_is_given_once_by_unit_and_time)
{
    int64_t latest_ms[UNITS] = {0};
    bool sorted = false;
    begin();
    for (int64_t ts_ms = 1000; ts_ms <= 5000; ts_ms += 1000) {
        report("u07", ts_ms);
        report("u03", ts_ms);
    }
    HT_CHECK_INT(take_all(4, latest_ms, &sorted), 10);
    HT_CHECK(sorted);
    HT_CHECK(latest_ms[3] == 5000 && latest_ms[7] == 5000);
    HT_CHECK_INT(take_all(4, latest_ms, &sorted), 0);
    end();
}

HT_CASE(too_many_are_thinned_out_but_for_the_latest)
{
    enum { EACH = 6000 };
    int64_t latest_ms[UNITS] = {0};
    bool sorted = false;
    char id[16];
    begin();
    for (int64_t n = 1; n <= EACH; n++) {
        for (int i = 0; i < UNITS; i++) {
            (void)snprintf(id, sizeof id, "u%02d", i);
            report(id, n * 1000 + i);
        }
    }
    size_t count = take_all(20000, latest_ms, &sorted);
    HT_CHECK(sorted);
    HT_CHECK(count >= HT_LIVE_KEPT && count <= HT_LIVE_KEPT + UNITS);
    HT_CHECK_INT(ht_live_thinned(live), (size_t)EACH * UNITS - count);
    for (int i = 0; i < UNITS; i++) {
        HT_CHECK_INT(latest_ms[i], EACH * 1000 + i);
    }
    end();
}

HT_CASE(a_unit_that_went_leaves_nothing_to_the_one_that_has_its_number)
{
    int64_t latest_ms[UNITS] = {0};
    bool sorted = false;
    begin();
    report("u05", 1000);
    report("u06", 1000);
    ht_live_unit_remove(live, "u05");
    HT_REQUIRE(ht_live_unit_put(live, "u49b", "{}", 0) == HT_OK); /* takes its number */
    report("u49b", 2000);
    HT_CHECK_INT(take_all(10, latest_ms, &sorted), 2);
    HT_CHECK_INT(latest_ms[5], 0);
    HT_CHECK_INT(latest_ms[6], 1000);
    HT_CHECK_INT(latest_ms[49], 2000);
    end();
}

/* The next part: its size, and how much of it came before the mark. */
static void expect_part(size_t most, size_t count, size_t before, const char *last)
{
    struct ht_live_unsaved part;
    HT_CHECK_INT(ht_live_take(live, most, &part), HT_OK);
    HT_CHECK_INT(part.count, count);
    HT_CHECK_INT(part.before, before);
    if (part.count > 0) {
        HT_CHECK_STR(part.positions[part.count - 1].unit, last);
    }
    ht_live_unsaved_free(&part);
}

HT_CASE(what_came_before_a_mark_comes_first_and_is_told_apart)
{
    begin();
    report("u08", 1000);
    report("u09", 1000);
    ht_live_mark(live);
    report("u01", 1000);
    report("u08", 2000);
    expect_part(10, 4, 2, "u08");
    report("u01", 2000);
    report("u02", 2000);
    report("u03", 2000);
    expect_part(1, 1, 0, "u01");
    ht_live_mark(live); /* what the writer has in hand already came before, too */
    report("u04", 3000);
    expect_part(1, 1, 1, "u02");
    expect_part(10, 1, 1, "u03");
    expect_part(10, 1, 0, "u04");
    expect_part(10, 0, 0, "");
    end();
}

HT_MAIN()
