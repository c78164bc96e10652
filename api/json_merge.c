#include "api/json_merge.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The deepest nesting of brackets outside of texts; INT_MAX where a comment begins, which is no
 * JSON: yajl would read over it, and a quote within it would hide brackets from us. */
static int depth_of(const char *text, size_t size)
{
    int depth = 0;
    int most = 0;
    bool inside = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (inside) {
            i += c == '\\';
            inside = c != '"';
        } else if (c == '"') {
            inside = true;
        } else if (c == '[' || c == '{') {
            depth++;
            most = depth > most ? depth : most;
        } else if (c == ']' || c == '}') {
            depth--;
        } else if (c == '/') {
            return INT_MAX;
        }
    }
    return most;
}

yajl_val ht_json_tree_read(const char *text, size_t size)
{
    char why[64] = "";
    /* yajl stops at a NUL as if the text ended there, and takes two spaces that JSON has not */
    if (size == 0 || memchr(text, '\0', size) != NULL || memchr(text, '\v', size) != NULL ||
        memchr(text, '\f', size) != NULL || ht_json_has_nul(text, size) ||
        depth_of(text, size) > HT_JSON_DEPTH_MOST) {
        return NULL;
    }
    char *copy = malloc(size + 1);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    yajl_val tree = yajl_tree_parse(copy, why, sizeof why);
    free(copy);
    return tree;
}

yajl_val ht_json_member(yajl_val object, const char *name)
{
    if (!YAJL_IS_OBJECT(object)) {
        return NULL;
    }
    for (size_t i = 0; i < object->u.object.len; i++) {
        if (strcmp(object->u.object.keys[i], name) == 0) {
            return object->u.object.values[i];
        }
    }
    return NULL;
}

static void key_write(struct ht_text *out, const char *key, bool first)
{
    if (!first) {
        ht_text_add_char(out, ',');
    }
    ht_text_add_json(out, key, strlen(key));
    ht_text_add_char(out, ':');
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the reader let it be
void ht_json_tree_write(struct ht_text *out, yajl_val value)
{
    if (YAJL_IS_STRING(value)) {
        const char *text = YAJL_GET_STRING(value);
        ht_text_add_json(out, text, strlen(text));
    } else if (YAJL_IS_NUMBER(value)) {
        ht_text_add_string(out, YAJL_GET_NUMBER(value));
    } else if (YAJL_IS_OBJECT(value)) {
        ht_text_add_char(out, '{');
        for (size_t i = 0; i < value->u.object.len; i++) {
            key_write(out, value->u.object.keys[i], i == 0);
            ht_json_tree_write(out, value->u.object.values[i]);
        }
        ht_text_add_char(out, '}');
    } else if (YAJL_IS_ARRAY(value)) {
        ht_text_add_char(out, '[');
        for (size_t i = 0; i < value->u.array.len; i++) {
            if (i > 0) {
                ht_text_add_char(out, ',');
            }
            ht_json_tree_write(out, value->u.array.values[i]);
        }
        ht_text_add_char(out, ']');
    } else {
        ht_text_add_string(out, YAJL_IS_TRUE(value)    ? "true"
                                : YAJL_IS_FALSE(value) ? "false"
                                                       : "null");
    }
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the reader let it be
void ht_json_merge(struct ht_text *out, yajl_val target, yajl_val patch)
{
    if (!YAJL_IS_OBJECT(patch)) {
        ht_json_tree_write(out, patch);
        return;
    }
    bool first = true;
    ht_text_add_char(out, '{');
    for (size_t i = 0; YAJL_IS_OBJECT(target) && i < target->u.object.len; i++) {
        const char *key = target->u.object.keys[i];
        yajl_val change = ht_json_member(patch, key);
        if (change != NULL && YAJL_IS_NULL(change)) {
            continue;
        }
        key_write(out, key, first);
        first = false;
        if (change == NULL) {
            ht_json_tree_write(out, target->u.object.values[i]);
        } else {
            ht_json_merge(out, target->u.object.values[i], change);
        }
    }
    for (size_t i = 0; i < patch->u.object.len; i++) {
        const char *key = patch->u.object.keys[i];
        yajl_val change = patch->u.object.values[i];
        bool first_of_name = ht_json_member(patch, key) == change;
        if (first_of_name && ht_json_member(target, key) == NULL && !YAJL_IS_NULL(change)) {
            key_write(out, key, first);
            first = false;
            ht_json_merge(out, NULL, change);
        }
    }
    ht_text_add_char(out, '}');
}

bool ht_json_has_nul(const char *text, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++) {
        if (text[i] == '\\') {
            if (size - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0) {
                return true;
            }
            i++; /* what it escapes */
        }
    }
    return false;
}
