/* Inside of the schedule rooms: what a parsed condition is. */
#ifndef HT_ENGINE_BASE_SCHEDULE_INTERNAL_H
#define HT_ENGINE_BASE_SCHEDULE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/schedule.h"

#define HT__RULE_MAX 32
#define HT__SPAN_MAX 16
#define HT__DATE_MAX 16
#define HT__YEAR_LAST 9999
#define HT__DAY_MIN 1440

/* Minutes from midnight; `to` is not included and may lie in the next day. */
struct ht__span {
    int16_t from;
    int16_t to;
};

/* year 0: each year. */
struct ht__date {
    int16_t year;
    int16_t month;
    int16_t day;
};

struct ht__dates {
    struct ht__date from;
    struct ht__date to; /* included; before `from` when the range crosses New Year */
};

struct ht__rule {
    struct ht__span spans[HT__SPAN_MAX]; /* none: the whole day */
    struct ht__dates dates[HT__DATE_MAX];
    int16_t span_count;
    int16_t date_count;
    int16_t year_from; /* 0: every year */
    int16_t year_to;
    uint8_t weekdays; /* bit 0 is Monday */
    bool days_given;  /* weekdays or holidays are named */
    bool public_holiday;
    bool school_holiday;
    bool off;
    bool adds;    /* to the rules before it, instead of ruling its days */
    bool first;   /* of its group: groups are joined by AND */
    bool negated; /* and first: the group must not hold */
};

struct ht_schedule {
    int rule_count;
    bool by_date; /* changes may be years apart */
    struct ht__rule rules[];
};

#endif
