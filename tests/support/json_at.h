/* Looks into JSON text by path, for tests: "routes.0.legs.1.distance".
 *
 * Threading: none. Ownership: pointers into the caller's text. Whitespace between tokens is not
 * expected (our writer makes none).
 */
#ifndef HT_TESTS_SUPPORT_JSON_AT_H
#define HT_TESTS_SUPPORT_JSON_AT_H

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static inline const char *ht_json_skip(const char *at);

static inline const char *ht_json_skip_text(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        at += *at == '\\' && at[1] != '\0' ? 1 : 0;
    }
    return *at == '"' ? at + 1 : NULL;
}

/* The end of an array or object whose first character is at `at`; calls itself for what is inside.
 */
static inline const char *ht_json_skip_list(const char *at)
{
    char end = *at == '{' ? '}' : ']';
    bool object = *at == '{';
    at++;
    while (at != NULL && *at != end) {
        if (object) {
            at = *at == '"' ? ht_json_skip_text(at) : NULL;
            at = at != NULL && *at == ':' ? at + 1 : NULL;
        }
        at = at == NULL ? NULL : ht_json_skip(at);
        if (at != NULL && *at == ',') {
            at++;
            at = *at == end ? NULL : at;
        } else if (at != NULL && *at != end) {
            return NULL;
        }
    }
    return at == NULL ? NULL : at + 1;
}

/* The end of the value at `at`; NULL: it is not one. */
static inline const char *ht_json_skip(const char *at)
{
    if (*at == '"') {
        return ht_json_skip_text(at);
    }
    if (*at == '{' || *at == '[') {
        return ht_json_skip_list(at);
    }
    size_t size = strcspn(at, ",]}");
    return size == 0 ? NULL : at + size;
}

/* The whole text is one well-formed value. */
static inline bool ht_json_valid(const char *text)
{
    const char *end = ht_json_skip(text);
    return end != NULL && *end == '\0';
}

static inline const char *ht_json_item(const char *at, const char *name, size_t size)
{
    bool object = *at == '{';
    if (!object && *at != '[') {
        return NULL;
    }
    long index = object ? 0 : strtol(name, NULL, 10);
    for (at++; *at != '}' && *at != ']' && *at != '\0'; index--) {
        const char *key = at;
        at = object ? ht_json_skip_text(at) + 1 : at;
        if (object ? (size_t)(at - key) == size + 3 && memcmp(key + 1, name, size) == 0
                   : index == 0) {
            return at;
        }
        at = ht_json_skip(at);
        at += *at == ',' ? 1 : 0;
    }
    return NULL;
}

/* The value at a path in well-formed text; NULL: there is none. */
static inline const char *ht_json_at(const char *text, const char *path)
{
    while (text != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        text = ht_json_item(text, path, size);
        path += size + (path[size] == '.' ? 1 : 0);
    }
    return text;
}

static inline double ht_json_number_at(const char *text, const char *path)
{
    const char *at = ht_json_at(text, path);
    return at == NULL ? NAN : strtod(at, NULL);
}

/* How many items an array or object has; -1: there is none. */
static inline int ht_json_count_at(const char *text, const char *path)
{
    const char *at = ht_json_at(text, path);
    int count = 0;
    if (at == NULL || (*at != '[' && *at != '{')) {
        return -1;
    }
    bool object = *at == '{';
    for (at++; *at != ']' && *at != '}'; count++) {
        at = object ? ht_json_skip_text(at) + 1 : at;
        at = ht_json_skip(at);
        at += *at == ',' ? 1 : 0;
    }
    return count;
}

/* The value is this text, as written (strings without escapes, with their quotes). */
static inline bool ht_json_is(const char *text, const char *path, const char *want)
{
    const char *at = ht_json_at(text, path);
    size_t size = strlen(want);
    return at != NULL && ht_json_skip(at) == at + size && memcmp(at, want, size) == 0;
}

#endif
