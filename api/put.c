#include "api/put.h"

#include <math.h>
#include <stdio.h>

const char ht_put_pairs[201] = "00010203040506070809"
                               "10111213141516171819"
                               "20212223242526272829"
                               "30313233343536373839"
                               "40414243444546474849"
                               "50515253545556575859"
                               "60616263646566676869"
                               "70717273747576777879"
                               "80818283848586878889"
                               "90919293949596979899";

static const uint64_t powers_of_ten[HT_PUT_DECIMALS + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
};

/* Writes the digits of `value` so that they end before `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t value)
{
    while (value >= 100) {
        uint64_t rest = value / 100;
        end -= 2;
        memcpy(end, ht_put_pairs + (value - rest * 100) * 2, 2);
        value = rest;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, ht_put_pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

char *ht_put_uint(char *at, uint64_t value)
{
    char digits[HT_PUT_NUMBER];
    char *end = digits + sizeof digits;
    char *begin = digits_before(end, value);
    return ht_put(at, begin, (size_t)(end - begin));
}

char *ht_put_fixed(char *at, int64_t scaled, int decimals)
{
    uint64_t magnitude = scaled < 0 ? ~(uint64_t)scaled + 1 : (uint64_t)scaled;
    uint64_t whole = magnitude / powers_of_ten[decimals];
    uint64_t part = magnitude % powers_of_ten[decimals];
    while (decimals > 0 && part % 10 == 0) {
        part /= 10;
        decimals--;
    }
    char digits[HT_PUT_NUMBER];
    char *end = digits + sizeof digits;
    char *begin = end;
    if (decimals > 0) {
        begin = digits_before(end, part);
        while (end - begin < decimals) {
            *--begin = '0';
        }
        *--begin = '.';
    }
    begin = digits_before(begin, whole);
    if (scaled < 0) {
        *--begin = '-';
    }
    return ht_put(at, begin, (size_t)(end - begin));
}

/* Beyond 2^53 a double has no digit left to round: printf's digits, exact, without zeros at the
 * end. */
static char *put_long(char *at, double value, int decimals)
{
    char text[HT_PUT_DOUBLE];
    int size = snprintf(text, sizeof text, "%.*f", decimals, value);
    if (size <= 0 || (size_t)size >= sizeof text) {
        return HT_PUT(at, "null");
    }
    size_t length = (size_t)size;
    if (memchr(text, '.', length) != NULL) {
        while (text[length - 1] == '0') {
            length--;
        }
        if (text[length - 1] == '.') {
            length--;
        }
    }
    return ht_put(at, text, length);
}

char *ht_put_double(char *at, double value, int decimals)
{
    if (!isfinite(value)) {
        return HT_PUT(at, "null");
    }
    double scaled = value * (double)powers_of_ten[decimals];
    if (scaled < -9007199254740992.0 || scaled > 9007199254740992.0) {
        return put_long(at, value, decimals);
    }
    return ht_put_fixed(at, (int64_t)llround(scaled), decimals);
}

char *ht_put_micro(char *at, int32_t micro)
{
    *at = '-';
    at += micro < 0 ? 1 : 0;
    uint32_t magnitude = micro < 0 ? ~(uint32_t)micro + 1 : (uint32_t)micro;
    uint32_t whole = magnitude / 1000000;
    uint32_t part = magnitude % 1000000;
    at = ht_put_short(at, (uint16_t)whole);
    if (part == 0) {
        return at;
    }
    *at = '.';
    memcpy(at + 1, ht_put_pairs + (size_t)(part / 10000) * 2, 2);
    memcpy(at + 3, ht_put_pairs + (size_t)(part / 100 % 100) * 2, 2);
    memcpy(at + 5, ht_put_pairs + (size_t)(part % 100) * 2, 2);
    at += 7;
    while (at[-1] == '0') {
        at--;
    }
    return at;
}
