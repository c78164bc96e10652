#include "api/json_fault.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    NUMBER_MOST = 1 << 16, /* digits of a number that are looked at for whether it is too big */
    DIGITS_SURE = 300      /* so many without an exponent are not */
};

/* Where the walk is, and the objects and arrays around it. */
struct walk {
    const char *text;
    size_t size;
    size_t at;
    const char *words; /* the fault */
    size_t fault;
    char *open; /* '{' or '[' each */
    size_t depth;
    size_t room;
};

static char peek(const struct walk *w)
{
    return w->at < w->size ? w->text[w->at] : '\0';
}

static bool take(struct walk *w, char c)
{
    bool is = w->at < w->size && c != '\0' && w->text[w->at] == c;
    w->at += is;
    return is;
}

static bool wrong(struct walk *w, const char *words, size_t at)
{
    w->words = words;
    w->fault = at;
    return false;
}

static void space(struct walk *w)
{
    while (peek(w) == ' ' || peek(w) == '\n' || peek(w) == '\r' || peek(w) == '\t') {
        w->at++;
    }
}

static bool digit(const struct walk *w)
{
    return peek(w) >= '0' && peek(w) <= '9';
}

static void digits(struct walk *w)
{
    while (digit(w)) {
        w->at++;
    }
}

/* ---- values without others in them ---- */

static bool word(struct walk *w, const char *letters)
{
    for (const char *c = letters; *c != '\0'; c++) {
        if (!take(w, *c)) {
            return wrong(w, "Invalid value.", w->at);
        }
    }
    return true;
}

/* A double holds it, which strtod tells of any that is short enough to be copied. */
static bool holds(const char *number, size_t size)
{
    char *copy = size > NUMBER_MOST ? NULL : malloc(size + 1);
    if (copy == NULL) {
        return true;
    }
    memcpy(copy, number, size);
    copy[size] = '\0';
    bool is = isfinite(strtod(copy, NULL));
    free(copy);
    return is;
}

static bool number(struct walk *w)
{
    size_t from = w->at;
    (void)take(w, '-');
    if (!digit(w)) {
        return wrong(w, "Invalid value.", w->at);
    }
    if (!take(w, '0')) {
        digits(w);
    }
    if (take(w, '.')) {
        if (!digit(w)) {
            return wrong(w, "Miss fraction part in number.", w->at);
        }
        digits(w);
    }
    bool power = take(w, 'e') || take(w, 'E');
    if (power) {
        if (!take(w, '+')) {
            (void)take(w, '-');
        }
        if (!digit(w)) {
            return wrong(w, "Miss exponent in number.", w->at);
        }
        digits(w);
    }
    return (!power && w->at - from <= DIGITS_SURE) || holds(w->text + from, w->at - from) ||
           wrong(w, "Number too big to be stored in double.", from);
}

/* Four digits of a \u, whose backslash stands at `from`. */
static bool hex(struct walk *w, size_t from, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        char c = peek(w);
        unsigned value = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (value == 16) {
            return wrong(w, "Incorrect hex digit after \\u escape in string.", from);
        }
        *out = *out * 16 + value;
        w->at++;
    }
    return true;
}

/* Behind a backslash, which stands at `from`. */
static bool escape(struct walk *w, size_t from)
{
    unsigned first = 0;
    unsigned second = 0;
    if (peek(w) != '\0' && strchr("\"\\/bfnrt", peek(w)) != NULL) {
        w->at++;
        return true;
    }
    if (!take(w, 'u')) {
        return wrong(w, "Invalid escape character in string.", from);
    }
    if (!hex(w, from, &first)) {
        return false;
    }
    if (first < 0xD800 || first > 0xDFFF) {
        return true;
    }
    if (first > 0xDBFF || !take(w, '\\') || !take(w, 'u')) {
        return wrong(w, "The surrogate pair in string is invalid.", from);
    }
    return hex(w, from, &second) && ((second >= 0xDC00 && second <= 0xDFFF) ||
                                     wrong(w, "The surrogate pair in string is invalid.", from));
}

static bool string(struct walk *w)
{
    w->at++; /* the quotation mark */
    for (;;) {
        size_t from = w->at;
        char c = peek(w);
        if (c == '\0') {
            return wrong(w, "Missing a closing quotation mark in string.", w->at);
        }
        if ((unsigned char)c < 0x20) {
            return wrong(w, "Invalid encoding in string.", w->at);
        }
        w->at++;
        if (c == '"') {
            return true;
        }
        if (c == '\\' && !escape(w, from)) {
            return false;
        }
    }
}

/* ---- values in others ---- */

static bool enter(struct walk *w, char kind)
{
    if (w->depth == w->room) {
        size_t room = w->room * 2 + 64;
        char *larger = realloc(w->open, room);
        if (larger == NULL) {
            return wrong(w, NULL, w->at);
        }
        w->open = larger;
        w->room = room;
    }
    w->open[w->depth++] = kind;
    w->at++;
    space(w);
    return true;
}

/* A member's name and colon, up to its value. */
static bool name(struct walk *w)
{
    if (peek(w) != '"') {
        return wrong(w, "Missing a name for object member.", w->at);
    }
    if (!string(w)) {
        return false;
    }
    space(w);
    if (!take(w, ':')) {
        return wrong(w, "Missing a colon after a name of object member.", w->at);
    }
    space(w);
    return true;
}

/* A value, or the begin of one with others in it; `*whole`: it ended. */
static bool value(struct walk *w, bool *whole)
{
    *whole = true;
    switch (peek(w)) {
    case 'n':
        return word(w, "null");
    case 't':
        return word(w, "true");
    case 'f':
        return word(w, "false");
    case '"':
        return string(w);
    case '{':
        if (!enter(w, '{')) {
            return false;
        }
        *whole = take(w, '}');
        w->depth -= *whole;
        return *whole || name(w);
    case '[':
        if (!enter(w, '[')) {
            return false;
        }
        *whole = take(w, ']');
        w->depth -= *whole;
        return true;
    default:
        return number(w);
    }
}

/* Behind a value: the ends of what is around it, and up to the next value. */
static bool onward(struct walk *w)
{
    while (w->depth > 0) {
        bool object = w->open[w->depth - 1] == '{';
        space(w);
        if (take(w, ',')) {
            space(w);
            return !object || name(w);
        }
        if (!take(w, object ? '}' : ']')) {
            return wrong(w,
                         object ? "Missing a comma or } after an object member."
                                : "Missing a comma or ] after an array element.",
                         w->at);
        }
        w->depth--;
    }
    return true;
}

static bool document(struct walk *w)
{
    space(w);
    if (peek(w) == '\0') {
        return wrong(w, "The document is empty.", w->at);
    }
    do {
        bool whole = false;
        if (!value(w, &whole) || (whole && !onward(w))) {
            return false;
        }
    } while (w->depth > 0);
    space(w);
    return peek(w) == '\0' ||
           wrong(w, "The document root must not be followed by other values.", w->at);
}

enum ht_status ht_json_fault(const char *text, size_t size, const char **words, size_t *offset)
{
    struct walk walk = {.text = text, .size = size};
    bool good = document(&walk);
    free(walk.open);
    *words = walk.words;
    *offset = walk.fault;
    return good ? HT_OK : walk.words == NULL ? HT_NOMEM : HT_INVALID;
}
