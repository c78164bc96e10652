#include "geodata/measure.h"

#include <stddef.h>
#include <string.h>

static const double INCH_M = 0.0254;
static const double POUND_KG = 0.45359237;
static const double MILE_KM = 1.609; /* OSRM's */
static const double MEASURE_MAX = 1e9;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits, saturating; returns where they end. */
static const char *read_digits(const char *at, double *number)
{
    double value = 0.0;
    for (; is_digit(*at); at++) {
        value = value * 10.0 + (*at - '0');
        value = value < MEASURE_MAX ? value : MEASURE_MAX;
    }
    *number = value;
    return at;
}

/* The first decimal number in the text, whose point may be a comma. */
static bool first_decimal(const char *text, double *number)
{
    while (*text != '\0' && !is_digit(*text)) {
        text++;
    }
    if (*text == '\0') {
        return false;
    }
    double value = 0.0;
    const char *at = read_digits(text, &value);
    if (*at == '.' || *at == ',') {
        double scale = 1.0;
        double fraction = 0.0;
        for (at++; is_digit(*at); at++) {
            if (scale < MEASURE_MAX) {
                fraction = fraction * 10.0 + (*at - '0');
                scale *= 10.0;
            }
        }
        value += fraction / scale;
    }
    *number = value;
    return true;
}

bool ht_measure_leading(const char *text, double *number)
{
    if (!is_digit(*text)) {
        return false;
    }
    (void)read_digits(text, number);
    return true;
}

bool ht_measure_number(const char *text, double *number)
{
    while (*text == ' ') {
        text++;
    }
    double value = 0.0;
    if (!is_digit(*text) || !first_decimal(text, &value)) {
        return false;
    }
    bool point = false;
    for (; is_digit(*text) || (*text == '.' && !point); text++) {
        point = point || *text == '.';
    }
    while (*text == ' ') {
        text++;
    }
    if (*text != '\0') {
        return false;
    }
    *number = value;
    return true;
}

bool ht_measure_unit(const char *text, double *number, const char **unit)
{
    if (!is_digit(*text) || !first_decimal(text, number)) {
        return false;
    }
    while (is_digit(*text) || *text == '.' || *text == ',') {
        text++;
    }
    while (*text == ' ') {
        text++;
    }
    *unit = text;
    return true;
}

bool ht_measure_speed(const char *text, double *kmh)
{
    double value = 0.0;
    if (!ht_measure_leading(text, &value)) {
        return false;
    }
    if (strstr(text, "mph") != NULL || strstr(text, "mp/h") != NULL) {
        value *= MILE_KM;
    }
    *kmh = value;
    return true;
}

bool ht_measure_metres(const char *text, double *metres)
{
    double value = 0.0;
    if (!first_decimal(text, &value)) {
        return false;
    }
    const char *inches = strchr(text, '\'');
    if (inches != NULL) {
        value *= 12.0;
        while (*inches != '\0' && !is_digit(*inches)) {
            inches++;
        }
        double more = 0.0;
        (void)read_digits(inches, &more);
        value = (value + more) * INCH_M;
    }
    *metres = value;
    return true;
}

bool ht_measure_height(const char *text, double *metres)
{
    static const char *const words[] = {"default", "none", "no-sign", "unsigned"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(text, words[i]) == 0) {
            *metres = 4.5;
            return true;
        }
    }
    return ht_measure_metres(text, metres);
}

bool ht_measure_kilograms(const char *text, double *kilograms)
{
    double value = 0.0;
    if (!first_decimal(text, &value)) {
        return false;
    }
    if (strstr(text, "lbs") != NULL) {
        value *= POUND_KG;
    } else if (strstr(text, "kg") == NULL) {
        value *= 1000.0;
    }
    *kilograms = value;
    return true;
}

/* Exactly two digits below `bound`. */
static const char *two_digits(const char *at, double bound, double *number)
{
    if (at == NULL || !is_digit(at[0]) || !is_digit(at[1])) {
        return NULL;
    }
    *number = (at[0] - '0') * 10.0 + (at[1] - '0');
    return *number < bound ? at + 2 : NULL;
}

/* "hhmmss", or with `separator` "hh:mm:ss". */
static const char *clock_time(const char *at, char separator, double *seconds)
{
    double parts[3] = {0.0, 0.0, 0.0};
    for (int i = 0; i < 3; i++) {
        if (i > 0 && separator != '\0') {
            if (*at != separator) {
                return NULL;
            }
            at++;
        }
        at = two_digits(at, i == 0 ? 24.0 : 60.0, &parts[i]);
        if (at == NULL) {
            return NULL;
        }
    }
    *seconds = parts[0] * 3600.0 + parts[1] * 60.0 + parts[2];
    return at;
}

/* A number with its unit letter, if it stands here. */
static const char *unit_part(const char *at, char unit, double scale, double *seconds)
{
    double number = 0.0;
    if (!is_digit(*at)) {
        return at;
    }
    const char *end = read_digits(at, &number);
    if ((*end | 0x20) != (unit | 0x20)) {
        return at;
    }
    *seconds += number * scale;
    return end + 1;
}

/* ISO 8601 after the P. */
static bool iso_duration(const char *at, double *seconds)
{
    double total = 0.0;
    const char *end = unit_part(at, 'W', 604800.0, &total);
    if (end != at) {
        *seconds = total;
        return *end == '\0';
    }
    if (*at == 'T') {
        end = clock_time(at + 1, '\0', seconds);
        if (end == NULL) {
            end = clock_time(at + 1, ':', seconds);
        }
        if (end != NULL) {
            return *end == '\0';
        }
    }
    at = unit_part(at, 'D', 86400.0, &total);
    if (*at == 'T') {
        at = unit_part(at + 1, 'H', 3600.0, &total);
        at = unit_part(at, 'M', 60.0, &total);
        at = unit_part(at, 'S', 1.0, &total);
    }
    *seconds = total;
    return *at == '\0';
}

bool ht_measure_duration(const char *text, double *seconds)
{
    double value = 0.0;
    if (*text == 'P') {
        if (!iso_duration(text + 1, &value)) {
            return false;
        }
        *seconds = value;
        return true;
    }
    double parts[3] = {0.0, 0.0, 0.0};
    int count = 0;
    for (;; text++) {
        const char *end = read_digits(text, &parts[count]);
        if (end == text || end - text > 2) {
            return false;
        }
        count++;
        text = end;
        if (*text != ':' || count == 3) {
            break;
        }
    }
    if (*text != '\0') {
        return false;
    }
    *seconds = count == 1 ? parts[0] * 60.0 : parts[0] * 3600.0 + parts[1] * 60.0 + parts[2];
    return true;
}
