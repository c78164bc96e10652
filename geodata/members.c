#include "geodata/members.h"

#include <string.h>

#include "engine/base/time.h"

/* Behind the string that begins at `at`. */
static const char *string_end(const char *at)
{
    for (at++; *at != '"' && *at != '\0'; at++) {
        at += *at == '\\' && at[1] != '\0';
    }
    return *at == '\0' ? at : at + 1;
}

/* Behind the value that begins at `at`. */
static const char *value_end(const char *at)
{
    int depth = 0;
    while (*at != '\0') {
        if (*at == '"') {
            at = string_end(at);
            if (depth == 0) {
                return at;
            }
            continue;
        }
        bool closes = *at == '}' || *at == ']';
        if (depth == 0 && (closes || *at == ',')) {
            return at;
        }
        depth += *at == '{' || *at == '[';
        depth -= closes;
        at++;
        if (closes && depth == 0) {
            return at;
        }
    }
    return at;
}

bool ht_member_next(const char **at, struct ht_member *out)
{
    const char *name = *at;
    name += *name == '{' || *name == ',';
    if (*name != '"') {
        return false;
    }
    const char *behind = string_end(name);
    out->name = name + 1;
    out->name_size = (size_t)(behind - name) - 2;
    out->value = behind + 1; /* the colon */
    *at = value_end(out->value);
    out->value_size = (size_t)(*at - out->value);
    return true;
}

bool ht_member_find(const char *object, const char *name, struct ht_member *out)
{
    size_t size = strlen(name);
    const char *at = object;
    while (ht_member_next(&at, out)) {
        if (out->name_size == size && memcmp(out->name, name, size) == 0) {
            return true;
        }
    }
    return false;
}

bool ht_member_item(const char **at, struct ht_member *out)
{
    const char *value = *at;
    value += *value == '[' || *value == ',';
    if (*value == ']' || *value == '\0') {
        return false;
    }
    *at = value_end(value);
    *out = (struct ht_member){.value = value, .value_size = (size_t)(*at - value)};
    return true;
}

void ht_member_add(struct ht_text *object, const struct ht_member *member)
{
    if (object->size > 1) {
        ht_text_add_char(object, ',');
    }
    ht_text_add_char(object, '"');
    ht_text_add(object, member->name, member->name_size);
    ht_text_add(object, "\":", 2);
    ht_text_add(object, member->value, member->value_size);
}

/* Four hex digits, or -1. */
static int unicode_of(const char *digits)
{
    int code = 0;
    for (int i = 0; i < 4; i++) {
        const char *all = "0123456789abcdef";
        const char *found = digits[i] == '\0' ? NULL : strchr(all, digits[i] | 0x20);
        if (found == NULL) {
            return -1;
        }
        code = code * 16 + (int)(found - all);
    }
    return code;
}

/* One escape, from the letter behind its backslash; `*at` is moved behind it. */
static size_t unescape(const char **at, char out[4])
{
    static const char letters[] = "\"\\/bfnrt";
    static const char means[] = "\"\\/\b\f\n\r\t";
    char letter = *(*at)++;
    const char *found = strchr(letters, letter);
    if (found != NULL && letter != '\0') {
        out[0] = means[found - letters];
        return 1;
    }
    int code = letter == 'u' ? unicode_of(*at) : -1;
    if (code < 0) {
        return 0;
    }
    *at += 4;
    int low = code >= 0xd800 && code < 0xdc00 && (*at)[0] == '\\' && (*at)[1] == 'u'
                  ? unicode_of(*at + 2)
                  : -1;
    if (low >= 0xdc00 && low < 0xe000) {
        *at += 6;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    return ht_utf8_write((uint32_t)code, out);
}

bool ht_member_text(const struct ht_member *member, char *out, size_t size)
{
    const char *at = member->value;
    const char *end = at + member->value_size;
    if (member->value_size < 2 || *at != '"') {
        return false;
    }
    size_t to = 0;
    for (at++; at < end - 1;) {
        char piece[4];
        size_t length = 1;
        if (*at == '\\') {
            at++;
            length = unescape(&at, piece);
        } else {
            piece[0] = *at++;
        }
        if (to + length + 1 > size) {
            break;
        }
        memcpy(out + to, piece, length);
        to += length;
    }
    out[to] = '\0';
    return true;
}

int64_t ht_member_time(const char *properties, const char *name, int64_t other)
{
    struct ht_member member;
    char text[64];
    int64_t time_ms = 0;
    return ht_member_find(properties, name, &member) &&
                   ht_member_text(&member, text, sizeof text) &&
                   ht_time_parse(text, strlen(text), &time_ms)
               ? time_ms
               : other;
}
