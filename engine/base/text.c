#include "engine/base/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

#define NUMBER_MAX 400

void ht_text_init(struct ht_text *text)
{
    *text = (struct ht_text){0};
}

void ht_text_deinit(struct ht_text *text)
{
    free(text->data);
    *text = (struct ht_text){0};
}

void ht_text_clear(struct ht_text *text)
{
    text->failed = false;
    ht_text_cut(text, 0);
}

void ht_text_cut(struct ht_text *text, size_t size)
{
    assert(size <= text->size);
    text->size = size;
    if (text->data != NULL) {
        text->data[size] = '\0';
    }
}

char *ht_text_reserve(struct ht_text *text, size_t size)
{
    if (text->failed) {
        return NULL;
    }
    if (text->capacity - text->size <= size) { /* one more for the NUL */
        void *data = text->data;
        if (size > SIZE_MAX / 2 - text->size ||
            ht_array_reserve(&data, &text->capacity, text->size + size + 1, 1) != HT_OK) {
            text->failed = true;
            return NULL;
        }
        text->data = data;
    }
    return text->data + text->size;
}

void ht_text_grow(struct ht_text *text, size_t size)
{
    assert(size < text->capacity - text->size);
    text->size += size;
    text->data[text->size] = '\0';
}

void ht_text_add(struct ht_text *text, const char *bytes, size_t size)
{
    char *at = ht_text_reserve(text, size);
    if (at != NULL) {
        if (size > 0) {
            memcpy(at, bytes, size);
        }
        ht_text_grow(text, size);
    }
}

void ht_text_add_char(struct ht_text *text, char c)
{
    ht_text_add(text, &c, 1);
}

void ht_text_add_string(struct ht_text *text, const char *string)
{
    ht_text_add(text, string, strlen(string));
}

void ht_text_addf(struct ht_text *text, const char *format, ...)
{
    char *at = ht_text_reserve(text, 96);
    for (int i = 0; at != NULL && i < 2; i++) {
        size_t room = text->capacity - text->size;
        va_list arguments;
        va_start(arguments, format);
        int size = vsnprintf(at, room, format, arguments);
        va_end(arguments);
        if (size >= 0 && (size_t)size < room) {
            text->size += (size_t)size;
            return;
        }
        at = size < 0 ? NULL : ht_text_reserve(text, (size_t)size);
    }
    text->failed = true;
}

void ht_text_add_fixed(struct ht_text *text, int64_t scaled, int decimals)
{
    char digits[32];
    size_t at = sizeof digits;
    uint64_t left = scaled < 0 ? ~(uint64_t)scaled + 1 : (uint64_t)scaled;
    while (decimals > 0 && left % 10 == 0) {
        left /= 10;
        decimals--;
    }
    for (int i = 0; left > 0 || i < decimals + 1; i++) {
        if (i == decimals && i > 0) {
            digits[--at] = '.';
        }
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    }
    if (scaled < 0) {
        digits[--at] = '-';
    }
    ht_text_add(text, digits + at, sizeof digits - at);
}

size_t ht_json_escape(char at[6], unsigned char c)
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

void ht_text_add_json(struct ht_text *text, const char *bytes, size_t size)
{
    size_t escapes = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        escapes += c < 0x20 || c == '"' || c == '\\';
    }
    if (size > SIZE_MAX / 8) {
        text->failed = true;
        return;
    }
    char *begin = ht_text_reserve(text, size + escapes * 5 + 2);
    if (begin == NULL) {
        return;
    }
    char *at = begin;
    *at++ = '"';
    if (escapes == 0 && size > 0) {
        memcpy(at, bytes, size);
        at += size;
    }
    for (size_t i = 0; escapes > 0 && i < size; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            at += ht_json_escape(at, c);
        } else {
            *at++ = bytes[i];
        }
    }
    *at++ = '"';
    ht_text_grow(text, (size_t)(at - begin));
}

const char *ht_text_string(const struct ht_text *text)
{
    return text->data != NULL ? text->data : "";
}

/* --- numbers ---------------------------------------------------------------------------------- */

struct number {
    uint64_t digits; /* the first 19 that count */
    int counted;
    bool whole;       /* no digit was left out */
    int64_t fraction; /* digits behind the point */
    int64_t exponent; /* as written */
};

static size_t scan_digits(const char *text, size_t size, size_t at, struct number *n)
{
    for (; at < size && text[at] >= '0' && text[at] <= '9'; at++) {
        if (n->counted == 19) {
            n->whole = false;
            continue;
        }
        n->digits = n->digits * 10 + (uint64_t)(text[at] - '0');
        n->counted += n->digits > 0;
    }
    return at;
}

/* The exponent's bytes, 0 where there is none ("1e" is the number 1). */
static size_t scan_exponent(const char *text, size_t size, struct number *n)
{
    size_t at = 1;
    if (size < 2 || (text[0] | 0x20) != 'e') {
        return 0;
    }
    bool down = text[at] == '-';
    at += text[at] == '-' || text[at] == '+';
    size_t first = at;
    int64_t exponent = 0;
    for (; at < size && text[at] >= '0' && text[at] <= '9'; at++) {
        exponent = exponent < 100000 ? exponent * 10 + (text[at] - '0') : exponent;
    }
    n->exponent = down ? -exponent : exponent;
    return at > first ? at : 0;
}

/* strtod rounds right; given no point it has no locale to ask. */
static double read_slowly(const char *text, size_t size, const struct number *n)
{
    char copy[NUMBER_MAX + 32];
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '.') {
            copy[count++] = text[i];
        }
    }
    (void)snprintf(copy + count, sizeof copy - count, "e%lld",
                   (long long)(n->exponent - n->fraction));
    return strtod(copy, NULL);
}

size_t ht_number_read(const char *text, size_t size, double *out)
{
    /* Powers that a double holds exactly, so that one rounding remains (Clinger 1990). */
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct number n = {.whole = true};
    bool minus = size > 0 && text[0] == '-';
    size_t begin = size > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    size_t end = scan_digits(text, size, begin, &n);
    size_t found = end - begin;
    if (end < size && text[end] == '.') {
        size_t past = scan_digits(text, size, end + 1, &n);
        n.fraction = (int64_t)(past - end - 1);
        found += past - end - 1;
        end = past;
    }
    if (found == 0) {
        return 0;
    }
    size_t taken = end + scan_exponent(text + end, size - end, &n);
    if (taken > NUMBER_MAX) {
        return 0;
    }
    int64_t power = n.exponent - n.fraction;
    double value = (double)n.digits;
    if (n.whole && n.digits <= UINT64_C(1) << 53 && power >= -22 && power <= 22) {
        value = power < 0 ? value / powers[-power] : value * powers[power];
    } else {
        value = read_slowly(text + begin, end - begin, &n);
    }
    *out = minus ? -value : value;
    return taken;
}

/* --- UTF-8 ------------------------------------------------------------------------------------ */

size_t ht_utf8_read(const char *text, size_t size, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (size == 0) {
        return 0;
    }
    unsigned char lead = (unsigned char)text[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length == 0 || lead > 0xf4 || length > size) {
        return 0;
    }
    uint32_t value = length == 1 ? lead : lead & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (c & 0x3f);
    }
    if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) {
        return 0;
    }
    if (code != NULL) {
        *code = value;
    }
    return length;
}

size_t ht_utf8_write(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    size_t length = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)((0xf00U >> length & 0xff) | code);
    return length;
}

size_t ht_utf8_valid(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size) {
        uint64_t eight = 0;
        if (size - at >= sizeof eight) {
            memcpy(&eight, text + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        size_t length = ht_utf8_read(text + at, size - at, NULL);
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

size_t ht_utf8_mend(char *text)
{
    size_t size = strlen(text);
    size_t kept = 0;
    for (size_t at = 0; at < size;) {
        size_t valid = ht_utf8_valid(text + at, size - at);
        memmove(text + kept, text + at, valid);
        kept += valid;
        at += valid + 1; /* the byte that is none; past the end where all is sound */
    }
    text[kept] = '\0';
    return kept;
}
