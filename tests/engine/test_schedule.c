/* Conditions by the clock, held against times read off a calendar. */
#include "engine/base/schedule.h"

#include "tests/support/check.h"

/* Days before a month in a common year, for times written as numbers. */
static int64_t at(int year, int month, int day, int hour, int minute)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t days = (year - 1970) * INT64_C(365) + (year - 1969) / 4 + before[month - 1] + day - 1;
    days += month > 2 && year % 4 == 0;
    return ((days * 24 + hour) * 60 + minute) * 60000;
}

static struct ht_schedule *parse(const char *text)
{
    struct ht_schedule *schedule = NULL;
    struct ht_error error = {.message = ""};
    enum ht_status status = ht_schedule_parse(text, &schedule, &error);
    if (status != HT_OK) {
        ht_case_failures++;
        (void)printf("  %s: %s\n", text, error.message);
    }
    return schedule;
}

static void check_active(const char *text, int64_t time, bool want)
{
    struct ht_schedule *schedule = parse(text);
    if (schedule != NULL && ht_schedule_active(schedule, time, NULL) != want) {
        ht_case_failures++;
        (void)printf("  %s at %" PRId64 " %s\n", text, time, want ? "sleeps" : "holds");
    }
    ht_schedule_free(schedule);
}

static void check_next(const char *text, int64_t time, int64_t want)
{
    struct ht_schedule *schedule = parse(text);
    if (schedule != NULL) {
        int64_t got = ht_schedule_next_change(schedule, time, NULL);
        if (got != want) {
            ht_case_failures++;
            (void)printf("  %s after %" PRId64 ": %" PRId64 ", not %" PRId64 "\n", text, time, got,
                         want);
        }
    }
    ht_schedule_free(schedule);
}

static void check_refused(const char *text, enum ht_status want)
{
    struct ht_schedule *schedule = NULL;
    struct ht_error error = {.message = ""};
    enum ht_status got = ht_schedule_parse(text, &schedule, &error);
    if (got != want || schedule != NULL || error.message[0] == '\0') {
        ht_case_failures++;
        (void)printf("  %s: %s \"%s\"\n", text, ht_status_text(got), error.message);
    }
    ht_schedule_free(schedule);
}

/* 2025-06-02 was a Monday. */
#define MONDAY(hour, minute) at(2025, 6, 2, hour, minute)
#define FRIDAY(hour, minute) at(2025, 6, 6, hour, minute)
#define SATURDAY(hour, minute) at(2025, 6, 7, hour, minute)
#define SUNDAY(hour, minute) at(2025, 6, 8, hour, minute)

HT_CASE(rush_hours_hold_on_working_days)
{
    const char *text = "Mo-Fr 07:00-09:00,16:00-18:30; PH off";
    check_active(text, MONDAY(6, 59), false);
    check_active(text, MONDAY(7, 0), true);
    check_active(text, MONDAY(8, 59) + 59999, true);
    check_active(text, MONDAY(9, 0), false);
    check_active(text, FRIDAY(18, 29), true);
    check_active(text, FRIDAY(18, 30), false);
    check_active(text, SATURDAY(8, 0), false);
    check_active("(Mo-Fr 07:00-09:00,16:00-18:30; PH off)", MONDAY(8, 0), true);
    check_active("Mo-Fr 07:00-09:00, 16:00-18:30", MONDAY(17, 0), true);
    check_active("mo-fr 7:00-9:00", MONDAY(8, 0), true);
}

HT_CASE(times_alone_hold_every_day)
{
    check_active("07:00-09:00,16:00-18:30", SUNDAY(8, 0), true);
    check_active("07:00-09:00,16:00-18:30", SUNDAY(12, 0), false);
    check_active("24/7", SUNDAY(12, 0), true);
    check_active("Mo-Su", SUNDAY(0, 0), true);
    check_active("18:00+", SUNDAY(23, 59), true);
    check_active("18:00+", MONDAY(0, 0), false);
}

HT_CASE(nights_reach_into_the_next_day)
{
    check_active("Fr 22:00-06:00", FRIDAY(21, 59), false);
    check_active("Fr 22:00-06:00", FRIDAY(22, 0), true);
    check_active("Fr 22:00-06:00", SATURDAY(5, 59), true);
    check_active("Fr 22:00-06:00", SATURDAY(6, 0), false);
    check_active("Fr 22:00-06:00", FRIDAY(3, 0), false);
    check_active("22:00-06:00", MONDAY(3, 0), true);
    check_active("Su 20:00-26:00", MONDAY(1, 59), true);
    check_active("Su 20:00-26:00", MONDAY(2, 0), false);
    check_active("00:00-24:00", MONDAY(0, 0), true);
}

HT_CASE(weekdays_come_in_lists_and_round_the_week)
{
    check_active("Sa-Mo 10:00-12:00", MONDAY(11, 0), true);
    check_active("Sa-Mo 10:00-12:00", FRIDAY(11, 0), false);
    check_active("Mo,Fr,Su 10:00-12:00", FRIDAY(11, 0), true);
    check_active("Mo, Fr 10:00-12:00", FRIDAY(11, 0), true);
    check_active("Mo-Fr: 10:00-12:00", FRIDAY(11, 0), true);
    check_active("Mo-Fr 10:00-12:00, Sa 14:00-16:00", SATURDAY(15, 0), true);
    check_active("Mo-Fr 10:00-12:00, Sa 14:00-16:00", SATURDAY(11, 0), false);
    check_active("Mo-Fr 10:00-12:00, Mo 14:00-16:00", MONDAY(11, 0), true);
}

HT_CASE(later_rules_rule_their_days)
{
    check_active("Mo-Su 08:00-18:00; Fr 10:00-12:00", FRIDAY(9, 0), false);
    check_active("Mo-Su 08:00-18:00; Fr 10:00-12:00", MONDAY(9, 0), true);
    check_active("Mo-Su 08:00-18:00; Fr off", FRIDAY(9, 0), false);
    check_active("08:00-18:00; 12:00-13:00 off", MONDAY(12, 30), false);
    check_active("08:00-18:00; 12:00-13:00 off", MONDAY(13, 0), true);
    check_active("Mo-Fr 07:00-09:00; 16:00-18:30", MONDAY(8, 0), true);
    check_active("Mo-Fr 07:00-09:00;16:00-18:30;", MONDAY(17, 0), true);
    check_active("22:00-06:00; Sa off", SUNDAY(3, 0), false);
    check_active("22:00-06:00; Sa off", SATURDAY(3, 0), true);
}

HT_CASE(dates_hold_each_year_or_one)
{
    check_active("Jun", MONDAY(0, 0), true);
    check_active("Jul", MONDAY(0, 0), false);
    check_active("Nov-Mar", at(2025, 1, 15, 12, 0), true);
    check_active("Nov-Mar", at(2025, 11, 1, 0, 0), true);
    check_active("Nov-Mar", at(2025, 4, 1, 0, 0), false);
    check_active("Dec 24-26", at(2025, 12, 26, 23, 59), true);
    check_active("Dec 24-26", at(2025, 12, 27, 0, 0), false);
    check_active("Dec 24,26", at(2025, 12, 25, 9, 0), false);
    check_active("Dec 24,26", at(2025, 12, 26, 9, 0), true);
    check_active("Mar 15-Jun 10 08:00-10:00", MONDAY(9, 0), true);
    check_active("Mar 15-Jun 10 08:00-10:00", at(2025, 6, 11, 9, 0), false);
    check_active("Dec 20-Jan 10", at(2025, 1, 10, 9, 0), true);
    check_active("2025", MONDAY(9, 0), true);
    check_active("2024", MONDAY(9, 0), false);
    check_active("2023+ Mo-Fr 08:00-10:00", MONDAY(9, 0), true);
    check_active("2023-2024 Mo-Fr 08:00-10:00", MONDAY(9, 0), false);
    check_active("2025 Jun 1-2025 Jun 5", MONDAY(9, 0), true);
    check_active("2024 Dec 20-Jan 10", at(2025, 1, 9, 9, 0), true);
    check_active("2024 Dec 20-Jan 10", at(2025, 12, 25, 9, 0), false);
    check_active("Feb 29", at(2024, 2, 29, 9, 0), true);
    check_active("Jan, Jun-Jul Mo 08:00-10:00", MONDAY(9, 0), true);
    check_active("Mo", at(1969, 12, 29, 0, 0), true);
}

static bool children_day(void *user, int64_t day, enum ht_holiday kind)
{
    (void)user;
    return kind == HT_HOLIDAY_PUBLIC && day == MONDAY(0, 0) / 86400000;
}

HT_CASE(holidays_come_from_the_calendar)
{
    const struct ht_calendar calendar = {.holiday = children_day};
    struct ht_schedule *schedule = parse("Mo-Fr 07:00-09:00; PH off");
    HT_REQUIRE(schedule != NULL);
    HT_CHECK(!ht_schedule_active(schedule, MONDAY(8, 0), &calendar));
    HT_CHECK(ht_schedule_active(schedule, MONDAY(8, 0), NULL));
    HT_CHECK(ht_schedule_active(schedule, FRIDAY(8, 0), &calendar));
    HT_CHECK_INT(ht_schedule_next_change(schedule, at(2025, 6, 1, 0, 0), &calendar),
                 at(2025, 6, 3, 7, 0));
    ht_schedule_free(schedule);
    schedule = parse("Su,PH 10:00-12:00; SH off");
    HT_REQUIRE(schedule != NULL);
    HT_CHECK(ht_schedule_active(schedule, MONDAY(11, 0), &calendar));
    HT_CHECK(!ht_schedule_active(schedule, FRIDAY(11, 0), &calendar));
    ht_schedule_free(schedule);
}

static int saturday_worked(void *user, int64_t day)
{
    (void)user;
    return day == SATURDAY(0, 0) / 86400000 ? 0 : -1;
}

HT_CASE(a_day_worked_in_exchange_counts_as_the_weekday_it_stands_for)
{
    const struct ht_calendar calendar = {.weekday = saturday_worked};
    struct ht_schedule *schedule = parse("Mo-Fr 07:00-09:00; Fr 07:00-08:00");
    HT_REQUIRE(schedule != NULL);
    HT_CHECK(ht_schedule_active(schedule, SATURDAY(8, 30), &calendar)); /* as on a Monday */
    HT_CHECK(!ht_schedule_active(schedule, SATURDAY(8, 30), NULL));
    HT_CHECK(!ht_schedule_active(schedule, FRIDAY(8, 30), &calendar));
    HT_CHECK_INT(ht_schedule_next_change(schedule, FRIDAY(9, 0), &calendar), SATURDAY(7, 0));
    ht_schedule_free(schedule);
    schedule = parse("Sa 07:00-09:00");
    HT_REQUIRE(schedule != NULL);
    HT_CHECK(!ht_schedule_active(schedule, SATURDAY(8, 0), &calendar));
    ht_schedule_free(schedule);
}

static bool long_holiday(void *user, int64_t day, enum ht_holiday kind)
{
    (void)user;
    (void)kind;
    return day >= MONDAY(0, 0) / 86400000 && day < MONDAY(0, 0) / 86400000 + 21;
}

HT_CASE(a_long_holiday_hides_no_change_behind_it)
{
    const struct ht_calendar calendar = {.holiday = long_holiday};
    struct ht_schedule *schedule = parse("Mo-Fr 07:00-09:00; PH off");
    HT_REQUIRE(schedule != NULL);
    HT_CHECK_INT(ht_schedule_next_change(schedule, MONDAY(0, 0), &calendar),
                 MONDAY(7, 0) + 21 * INT64_C(86400000));
    ht_schedule_free(schedule);
}

HT_CASE(conditions_joined_by_and_must_all_hold)
{
    check_active("Mo-Fr AND 07:00-09:00", MONDAY(8, 0), true);
    check_active("Mo-Fr AND 07:00-09:00", SATURDAY(8, 0), false);
    check_active("Jun AND Mo-Fr 07:00-09:00; Fr off", FRIDAY(8, 0), false);
    check_refused("Mo-Fr 07:00-09:00 AND weight>7.5", HT_UNSUPPORTED);
    check_refused("weight>7.5", HT_UNSUPPORTED);
    check_refused("weight > 7.5 AND Mo-Fr", HT_UNSUPPORTED);
}

HT_CASE(not_holds_whenever_the_rest_does_not)
{
    check_active("not (Mo-Fr 07:00-09:00)", MONDAY(8, 0), false);
    check_active("not (Mo-Fr 07:00-09:00)", MONDAY(9, 0), true);
    check_active("not Mo-Fr 07:00-09:00", SATURDAY(8, 0), true);
    check_active("not (Fr 22:00-06:00)", SATURDAY(5, 59), false);
    check_active("not (Fr 22:00-06:00)", SATURDAY(6, 0), true);
    check_active("not (Mo-Fr 07:00-09:00; Fr off)", FRIDAY(8, 0), true);
    check_active("Mo-Fr AND not (Mo) AND not Tu", MONDAY(10, 0), false);
    check_active("Mo-Fr AND not (Mo) AND not Tu", FRIDAY(10, 0), true);
    check_active("not Mo AND 07:00-09:00", FRIDAY(8, 0), true);
    check_next("not (Fr 22:00-06:00)", FRIDAY(23, 0), SATURDAY(6, 0));
    check_next("not 24/7", MONDAY(3, 0), INT64_MAX);
    check_refused("not", HT_SYNTAX);
    check_refused("not (Mo", HT_SYNTAX);
    check_refused("not (Mo;", HT_SYNTAX);
    check_refused("not ()", HT_SYNTAX);
    check_refused("not (Mo) Tu", HT_UNSUPPORTED);
    check_refused("not (Mo AND 07:00-09:00)", HT_UNSUPPORTED);
    check_refused("not (not Mo)", HT_UNSUPPORTED);
    check_refused("not (wet)", HT_UNSUPPORTED);
}

HT_CASE(typographic_signs_are_understood)
{
    check_active("Mo\xE2\x80\x93"
                 "Fr 07:00\xE2\x80\x93"
                 "09:00",
                 MONDAY(8, 0), true);
    check_active("\xEF\xBC\x88Mo-Fr 07\xEF\xBC\x9A"
                 "00-09:00\xEF\xBC\x8C"
                 "16:00-18:00\xEF\xBC\x89",
                 MONDAY(17, 0), true);
    check_active("Mo-Fr 07:00-09:00 \"school run\"", MONDAY(8, 0), true);
}

HT_CASE(what_depends_on_more_than_the_clock_is_unsupported)
{
    static const char *const texts[] = {"wet",
                                        "snow",
                                        "sunset-sunrise",
                                        "Mo sunrise-09:00",
                                        "stay > 2 hours",
                                        "easter",
                                        "week 1-10",
                                        "Mo[1]",
                                        "SH-PH x",
                                        "07:00-(sunset)",
                                        "Mo-Fr (sunrise-09:00)",
                                        "axles>2",
                                        "hgv"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        check_refused(texts[i], strcmp(texts[i], "SH-PH x") == 0 ? HT_SYNTAX : HT_UNSUPPORTED);
    }
}

HT_CASE(mistakes_are_refused)
{
    static const char *const texts[] = {
        "",
        " ",
        ";",
        "()",
        "07:00",
        "07:00-",
        "07:60-08:00",
        "49:00-50:00",
        "Mo-",
        "Mo-Fr 07:00-09:00,,",
        "Dec 32",
        "Feb 30-31",
        "Dec 24-",
        "2025-2024",
        "@",
        "Mo-Fr 07:00-09:00 10:00-11:00",
        "25:00-26:00",
        "(Mo-Fr",
        "Mo)",
        "20",
        "AND",
        "Mo AND",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ht_schedule *schedule = NULL;
        enum ht_status status = ht_schedule_parse(texts[i], &schedule, NULL);
        if (status != HT_SYNTAX && status != HT_UNSUPPORTED) {
            ht_case_failures++;
            (void)printf("  \"%s\": %s\n", texts[i], ht_status_text(status));
        }
        ht_schedule_free(schedule);
    }
}

HT_CASE(conditions_beyond_the_limits_are_refused)
{
    char text[2000] = "Mo";
    for (int i = 0; i < 400; i++) {
        strcat(text, ";Mo");
    }
    check_refused(text, HT_TOO_BIG);
    text[150] = '\0';
    check_refused(text, HT_TOO_BIG);
    strcpy(text, "07:00-07:01");
    for (int i = 0; i < 16; i++) {
        strcat(text, ",07:00-07:01");
    }
    check_refused(text, HT_TOO_BIG);
}

HT_CASE(the_next_change_is_the_next_edge_that_matters)
{
    const char *text = "Mo-Fr 07:00-09:00,16:00-18:30";
    check_next(text, MONDAY(0, 0), MONDAY(7, 0));
    check_next(text, MONDAY(7, 0), MONDAY(9, 0));
    check_next(text, MONDAY(6, 59) + 59999, MONDAY(7, 0));
    check_next(text, MONDAY(9, 0), MONDAY(16, 0));
    check_next(text, FRIDAY(18, 30), at(2025, 6, 9, 7, 0));
    check_next("Fr 22:00-06:00", FRIDAY(23, 0), SATURDAY(6, 0));
    check_next("Mo-Su 00:00-24:00", MONDAY(3, 0), INT64_MAX);
    check_next("24/7", MONDAY(3, 0), INT64_MAX);
    check_next("08:00-10:00,09:00-11:00", MONDAY(8, 30), MONDAY(11, 0));
    check_next("2027 Jun 1-Jun 5", MONDAY(0, 0), at(2027, 6, 1, 0, 0));
    check_next("2024", MONDAY(0, 0), INT64_MAX);
    check_next("Feb 29", at(2025, 1, 1, 0, 0), at(2028, 2, 29, 0, 0));
    check_next("Nov-Mar", MONDAY(0, 0), at(2025, 11, 1, 0, 0));
    check_next("24/7", INT64_MAX, INT64_MAX);
    check_next("24/7", INT64_MIN, INT64_MAX);
}

/* Between two changes nothing changes: minute by minute over three weeks. */
HT_CASE(changes_agree_with_the_minutes)
{
    static const char *const texts[] = {
        "Mo-Fr 07:00-09:00,16:00-18:30", "Fr 22:00-06:00; Sa off",
        "Jun 5-10 AND 20:00-26:00",      "08:00-18:00; We 12:00-13:00 off",
        "Mo-Su 06:00-07:30, Sa 05:00+",  "Dec 31 23:00-25:00",
        "not (Fr 22:00-06:00; Sa off)"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct ht_schedule *schedule = parse(texts[i]);
        HT_REQUIRE(schedule != NULL);
        int64_t time = MONDAY(0, 0);
        bool now = ht_schedule_active(schedule, time, NULL);
        int64_t next = ht_schedule_next_change(schedule, time, NULL);
        int failures = 0;
        for (int minute = 1; minute < 21 * 1440; minute++) {
            time += 60000;
            bool then = ht_schedule_active(schedule, time, NULL);
            failures += (then != now) != (time == next);
            if (then != now) {
                next = ht_schedule_next_change(schedule, time, NULL);
            }
            now = then;
        }
        HT_CHECK_INT(failures, 0);
        ht_schedule_free(schedule);
    }
}

HT_MAIN()
