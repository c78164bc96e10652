#include "api/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    DECIMALS_MAX = 15,
    NUMBER_MAX = 24, /* sign, 19 digits, point, leading zero */
};

/* Two digits at a time halve the divisions. */
static const char digit_pairs[201] = "00010203040506070809"
                                     "10111213141516171819"
                                     "20212223242526272829"
                                     "30313233343536373839"
                                     "40414243444546474849"
                                     "50515253545556575859"
                                     "60616263646566676869"
                                     "70717273747576777879"
                                     "80818283848586878889"
                                     "90919293949596979899";

static const uint64_t powers_of_ten[DECIMALS_MAX + 1] = {
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
        memcpy(end, digit_pairs + (value - rest * 100) * 2, 2);
        value = rest;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, digit_pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

/* Room for a value of `size` bytes with the comma before it written; NULL when the buffer failed.
 */
static char *value_begin(struct ht_json *json, size_t size)
{
    char *at = ht_buffer_reserve(json->out, size + 1);
    if (at == NULL) {
        return NULL;
    }
    if (json->comma) {
        *at = ',';
        ht_buffer_advance(json->out, 1);
        at++;
    }
    json->comma = true;
    return at;
}

void ht_json_begin(struct ht_json *json, struct ht_buffer *out)
{
    json->out = out;
    json->comma = false;
}

static void bracket_open(struct ht_json *json, char bracket)
{
    char *at = value_begin(json, 1);
    if (at != NULL) {
        *at = bracket;
        ht_buffer_advance(json->out, 1);
    }
    json->comma = false;
}

static void bracket_close(struct ht_json *json, char bracket)
{
    ht_buffer_append(json->out, &bracket, 1);
    json->comma = true;
}

void ht_json_object(struct ht_json *json)
{
    bracket_open(json, '{');
}

void ht_json_object_end(struct ht_json *json)
{
    bracket_close(json, '}');
}

void ht_json_array(struct ht_json *json)
{
    bracket_open(json, '[');
}

void ht_json_array_end(struct ht_json *json)
{
    bracket_close(json, ']');
}

void ht_json_key(struct ht_json *json, const char *key)
{
    size_t size = strlen(key);
    char *at = value_begin(json, size + 3);
    if (at == NULL) {
        return;
    }
    at[0] = '"';
    memcpy(at + 1, key, size);
    at[size + 1] = '"';
    at[size + 2] = ':';
    ht_buffer_advance(json->out, size + 3);
    json->comma = false;
}

/* Bytes of the well-formed UTF-8 sequence that begins at `text` (RFC 3629: no overlong forms, no
 * surrogates, nothing above U+10FFFF), 0 when it is none. */
static size_t utf8_length(const unsigned char *text, size_t size)
{
    unsigned char lead = text[0];
    if (lead < 0x80) {
        return 1;
    }
    size_t length = lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : 4;
    if (lead < 0xc2 || lead > 0xf4 || length > size) {
        return 0;
    }
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (lead == 0xe0) {
        low = 0xa0;
    } else if (lead == 0xed) {
        high = 0x9f;
    } else if (lead == 0xf0) {
        low = 0x90;
    } else if (lead == 0xf4) {
        high = 0x8f;
    }
    if (text[1] < low || text[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

/* The escape of a control character, quote or backslash: writes at most 6 bytes. */
static size_t escape_write(char *at, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letter[] = "\"\\bfnrt";
    const char *found = c == 0 ? NULL : strchr(plain, c);
    if (found != NULL) {
        at[0] = '\\';
        at[1] = letter[found - plain];
        return 2;
    }
    memcpy(at, "\\u00", 4);
    at[4] = hex[c >> 4];
    at[5] = hex[c & 15];
    return 6;
}

static bool byte_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

void ht_json_text_n(struct ht_json *json, const char *text, size_t size)
{
    if (size > SIZE_MAX / 8) {
        json->out->failed = true;
        return;
    }
    /* Each byte becomes at most six. */
    char *begin = value_begin(json, size * 6 + 2);
    if (begin == NULL) {
        return;
    }
    const unsigned char *in = (const unsigned char *)text;
    char *at = begin;
    *at++ = '"';
    for (size_t i = 0; i < size;) {
        if (byte_is_plain(in[i])) {
            *at++ = (char)in[i++];
            continue;
        }
        if (in[i] < 0x80) {
            at += escape_write(at, in[i++]);
            continue;
        }
        size_t length = utf8_length(in + i, size - i);
        if (length == 0) {
            memcpy(at, "\xef\xbf\xbd", 3);
            at += 3;
            i++;
        } else {
            memcpy(at, in + i, length);
            at += length;
            i += length;
        }
    }
    *at++ = '"';
    ht_buffer_advance(json->out, (size_t)(at - begin));
}

void ht_json_text(struct ht_json *json, const char *text)
{
    ht_json_text_n(json, text, strlen(text));
}

static uint64_t magnitude_of(int64_t value)
{
    return value < 0 ? ~(uint64_t)value + 1 : (uint64_t)value;
}

static void number_append(struct ht_json *json, bool negative, char *begin, const char *end)
{
    if (negative) {
        *--begin = '-';
    }
    size_t size = (size_t)(end - begin);
    char *at = value_begin(json, size);
    if (at != NULL) {
        memcpy(at, begin, size);
        ht_buffer_advance(json->out, size);
    }
}

void ht_json_int(struct ht_json *json, int64_t value)
{
    char digits[NUMBER_MAX];
    char *end = digits + sizeof digits;
    number_append(json, value < 0, digits_before(end, magnitude_of(value)), end);
}

void ht_json_fixed(struct ht_json *json, int64_t scaled, int decimals)
{
    if (decimals < 0 || decimals > DECIMALS_MAX) {
        ht_json_null(json);
        return;
    }
    uint64_t magnitude = magnitude_of(scaled);
    uint64_t whole = magnitude / powers_of_ten[decimals];
    uint64_t part = magnitude % powers_of_ten[decimals];
    while (decimals > 0 && part % 10 == 0) {
        part /= 10;
        decimals--;
    }
    char digits[NUMBER_MAX];
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
    number_append(json, scaled < 0, begin, end);
}

/* Beyond 2^53 a double has no digit left to round: printf's digits, exact, without zeros at the
 * end. */
static void double_long(struct ht_json *json, double value, int decimals)
{
    char text[352]; /* 309 digits, sign, point, decimals */
    int size = snprintf(text, sizeof text, "%.*f", decimals, value);
    if (size <= 0 || (size_t)size >= sizeof text) {
        ht_json_null(json);
        return;
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
    ht_json_raw(json, text, length);
}

void ht_json_double(struct ht_json *json, double value, int decimals)
{
    if (!isfinite(value) || decimals < 0 || decimals > DECIMALS_MAX) {
        ht_json_null(json);
        return;
    }
    double scaled = value * (double)powers_of_ten[decimals];
    if (scaled < -9007199254740992.0 || scaled > 9007199254740992.0) {
        double_long(json, value, decimals);
        return;
    }
    ht_json_fixed(json, (int64_t)llround(scaled), decimals);
}

void ht_json_bool(struct ht_json *json, bool value)
{
    ht_json_raw(json, value ? "true" : "false", value ? 4 : 5);
}

void ht_json_null(struct ht_json *json)
{
    ht_json_raw(json, "null", 4);
}

void ht_json_raw(struct ht_json *json, const char *text, size_t size)
{
    char *at = value_begin(json, size);
    if (at != NULL) {
        memcpy(at, text, size);
        ht_buffer_advance(json->out, size);
    }
}

void ht_json_key_text(struct ht_json *json, const char *key, const char *text)
{
    ht_json_key(json, key);
    ht_json_text(json, text);
}

void ht_json_key_int(struct ht_json *json, const char *key, int64_t value)
{
    ht_json_key(json, key);
    ht_json_int(json, value);
}

void ht_json_key_double(struct ht_json *json, const char *key, double value, int decimals)
{
    ht_json_key(json, key);
    ht_json_double(json, value, decimals);
}

void ht_json_key_bool(struct ht_json *json, const char *key, bool value)
{
    ht_json_key(json, key);
    ht_json_bool(json, value);
}
