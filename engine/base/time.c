#include "engine/base/time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 86400 };

/* Days from 1970-01-01 in the proleptic Gregorian calendar (Hinnant's days_from_civil). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2 ? 1 : 0;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool digits(const char **at, const char *end, int count, int64_t *out)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (*at >= end || **at < '0' || **at > '9') {
            return false;
        }
        value = value * 10 + (**at - '0');
    }
    *out = value;
    return true;
}

static bool sign_of(const char **at, const char *end, const char *accepted)
{
    if (*at >= end || **at == '\0' || strchr(accepted, **at) == NULL) {
        return false;
    }
    (*at)++;
    return true;
}

static int64_t days_in(int64_t year, int64_t month)
{
    return days_of(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
           days_of(year, month, 1);
}

/* ".123": milliseconds, what is finer is cut. */
static int64_t fraction(const char **at, const char *end)
{
    int64_t ms = 0;
    int64_t unit = 100;
    for ((*at)++; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        ms += (**at - '0') * unit;
        unit /= 10;
    }
    return ms;
}

static bool offset_of(const char **at, const char *end, int64_t *offset_s)
{
    *offset_s = 0;
    if (sign_of(at, end, "Zz")) {
        return true;
    }
    int64_t sign = *at < end && **at == '-' ? -1 : 1;
    int64_t hours = 0;
    int64_t minutes = 0;
    if (!sign_of(at, end, "+-") || !digits(at, end, 2, &hours) || !sign_of(at, end, ":") ||
        !digits(at, end, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *offset_s = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool ht_time_parse(const char *text, size_t size, int64_t *utc_ms)
{
    const char *at = text;
    const char *end = text + size;
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    int64_t hour = 0;
    int64_t minute = 0;
    int64_t second = 0;
    int64_t offset_s = 0;
    if (!digits(&at, end, 4, &year) || !sign_of(&at, end, "-") || !digits(&at, end, 2, &month) ||
        !sign_of(&at, end, "-") || !digits(&at, end, 2, &day) || !sign_of(&at, end, "Tt ") ||
        !digits(&at, end, 2, &hour) || !sign_of(&at, end, ":") || !digits(&at, end, 2, &minute) ||
        !sign_of(&at, end, ":") || !digits(&at, end, 2, &second)) {
        return false;
    }
    int64_t ms =
        at + 1 < end && at[0] == '.' && at[1] >= '0' && at[1] <= '9' ? fraction(&at, end) : 0;
    if (!offset_of(&at, end, &offset_s) || at != end || month < 1 || month > 12 || day < 1 ||
        day > days_in(year, month) || hour > 23 || minute > 59 || second > 60) {
        return false;
    }
    int64_t seconds =
        days_of(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - offset_s;
    *utc_ms = seconds * 1000 + ms;
    return true;
}

void ht_time_format(int64_t utc_ms, char out[HT_TIME_TEXT_SIZE])
{
    int64_t ms = utc_ms % 1000;
    time_t seconds = (time_t)(utc_ms / 1000);
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    struct tm t = {0};
    if (gmtime_r(&seconds, &t) == NULL || t.tm_year > 8099 || t.tm_year < -1900) {
        out[0] = '\0';
        return;
    }
    char rest[16];
    (void)strftime(rest, sizeof rest, "-%m-%dT%H:%M:%S", &t);
    (void)snprintf(out, HT_TIME_TEXT_SIZE, "%04d%s.%03dZ", t.tm_year + 1900, rest, (int)ms);
}
