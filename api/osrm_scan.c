#include "api/osrm_scan.h"

#include <math.h>
#include <string.h>

bool ht_scan_char(struct ht_scan *scan, char c)
{
    if (scan->pos < scan->size && scan->text[scan->pos] == c) {
        scan->pos++;
        return true;
    }
    return false;
}

bool ht_scan_text(struct ht_scan *scan, const char *text)
{
    size_t length = strlen(text);
    if (scan->size - scan->pos < length || memcmp(scan->text + scan->pos, text, length) != 0) {
        return false;
    }
    scan->pos += length;
    return true;
}

bool ht_scan_word(struct ht_scan *scan, const struct ht_scan_word *words, int *value)
{
    size_t best = 0;
    for (const struct ht_scan_word *w = words; w->text != NULL; w++) {
        size_t length = strlen(w->text);
        if (length > best && scan->size - scan->pos >= length &&
            memcmp(scan->text + scan->pos, w->text, length) == 0) {
            best = length;
            *value = w->value;
        }
    }
    scan->pos += best;
    return best > 0;
}

bool ht_scan_bool(struct ht_scan *scan, bool *value)
{
    if (ht_scan_text(scan, "true")) {
        *value = true;
        return true;
    }
    if (ht_scan_text(scan, "false")) {
        *value = false;
        return true;
    }
    return false;
}

static bool digit_here(const struct ht_scan *scan, size_t pos)
{
    return pos < scan->size && scan->text[pos] >= '0' && scan->text[pos] <= '9';
}

bool ht_scan_uint(struct ht_scan *scan, uint64_t most, uint64_t *value)
{
    size_t pos = scan->pos;
    uint64_t sum = 0;
    while (digit_here(scan, pos)) {
        uint64_t digit = (uint64_t)(scan->text[pos] - '0');
        if (digit > most || sum > (most - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
        pos++;
    }
    if (pos == scan->pos) {
        return false;
    }
    scan->pos = pos;
    *value = sum;
    return true;
}

bool ht_scan_short(struct ht_scan *scan, int16_t *value)
{
    size_t before = scan->pos;
    bool negative = ht_scan_char(scan, '-');
    if (!negative) {
        (void)ht_scan_char(scan, '+');
    }
    uint64_t magnitude;
    if (!ht_scan_uint(scan, negative ? 32768 : 32767, &magnitude)) {
        scan->pos = before;
        return false;
    }
    *value = (int16_t)(negative ? -(int32_t)magnitude : (int32_t)magnitude);
    return true;
}

/* Digits without sign; 18 of them are kept exactly, which is more than a double holds. */
struct decimal {
    uint64_t mantissa;
    int exponent; /* value = mantissa * 10^exponent */
    bool any;
};

static void add_digits(const struct ht_scan *scan, size_t *pos, bool fraction, struct decimal *sum)
{
    while (digit_here(scan, *pos)) {
        sum->any = true;
        if (sum->mantissa < UINT64_C(100000000000000000)) {
            sum->mantissa = sum->mantissa * 10 + (uint64_t)(scan->text[*pos] - '0');
            sum->exponent -= fraction ? 1 : 0;
        } else if (!fraction && sum->exponent < 1000) {
            sum->exponent++;
        }
        (*pos)++;
    }
}

static double decimal_value(const struct decimal *sum)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double mantissa = (double)sum->mantissa;
    if (sum->mantissa == 0) {
        return 0;
    }
    if (sum->exponent <= 0 && sum->exponent >= -22) {
        return mantissa / powers[-sum->exponent]; /* exact where the mantissa is */
    }
    if (sum->exponent > 0 && sum->exponent <= 22) {
        return mantissa * powers[sum->exponent];
    }
    return mantissa * pow(10, sum->exponent);
}

static bool json_suffix(const struct ht_scan *scan, size_t pos)
{
    return scan->size - pos > 4 && memcmp(scan->text + pos, ".json", 5) == 0;
}

/* Sign, digits, point, digits. False: no digit at all. */
static bool read_decimal(const struct ht_scan *scan, size_t *pos, bool json_point, bool *negative,
                         struct decimal *sum)
{
    size_t at = scan->pos;
    *negative = at < scan->size && scan->text[at] == '-';
    if (*negative || (at < scan->size && scan->text[at] == '+')) {
        at++;
    }
    add_digits(scan, &at, false, sum);
    bool point = at < scan->size && scan->text[at] == '.';
    if (point && !(json_point && json_suffix(scan, at))) {
        size_t after = at + 1;
        add_digits(scan, &after, true, sum);
        if (sum->any) {
            at = after;
        }
    }
    *pos = at;
    return sum->any;
}

bool ht_scan_fraction(struct ht_scan *scan, double *value)
{
    struct decimal sum = {0};
    size_t pos;
    bool negative;
    if (!read_decimal(scan, &pos, true, &negative, &sum)) {
        return false;
    }
    double magnitude = decimal_value(&sum);
    *value = negative ? -magnitude : magnitude;
    scan->pos = pos;
    return true;
}

static void read_exponent(const struct ht_scan *scan, size_t *pos, struct decimal *sum)
{
    size_t at = *pos;
    if (at >= scan->size || (scan->text[at] != 'e' && scan->text[at] != 'E')) {
        return;
    }
    at++;
    bool negative = at < scan->size && scan->text[at] == '-';
    if (negative || (at < scan->size && scan->text[at] == '+')) {
        at++;
    }
    if (!digit_here(scan, at)) {
        return; /* the e belongs to what follows */
    }
    int exponent = 0;
    while (digit_here(scan, at)) {
        exponent = exponent < 10000 ? exponent * 10 + (scan->text[at] - '0') : exponent;
        at++;
    }
    sum->exponent += negative ? -exponent : exponent;
    *pos = at;
}

bool ht_scan_double(struct ht_scan *scan, double *value)
{
    if (ht_scan_text(scan, "infinity") || ht_scan_text(scan, "inf")) {
        *value = INFINITY;
        return true;
    }
    struct decimal sum = {0};
    size_t pos;
    bool negative;
    if (!read_decimal(scan, &pos, false, &negative, &sum)) {
        return false;
    }
    read_exponent(scan, &pos, &sum);
    double magnitude = decimal_value(&sum);
    *value = negative ? -magnitude : magnitude;
    scan->pos = pos;
    return true;
}
