/* Properties: events become minified JSON, known ones a tree as well, which the collection's table
 * then checks. */
#include <math.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/feature_internal.h"

#define CHUNK_BYTES 4096

/* --- problems --------------------------------------------------------------------------------- */

__attribute__((format(printf, 3, 4))) static void fail(struct ht__values *v, enum ht_status status,
                                                       const char *format, ...)
{
    if (v->bad.status == HT_OK) {
        va_list arguments;
        v->bad.status = status;
        va_start(arguments, format);
        (void)vsnprintf(v->bad.message, sizeof v->bad.message, format, arguments);
        va_end(arguments);
    }
}

static bool size_fits(struct ht__values *v, size_t more)
{
    if (v->out->size > HT_FEATURE_BYTES_MAX || more > HT_FEATURE_BYTES_MAX) {
        fail(v, HT_TOO_BIG, "the properties are larger than %d bytes", HT_FEATURE_BYTES_MAX);
    }
    return v->bad.status == HT_OK;
}

/* What no text may hold. */
static bool text_fits(struct ht__values *v, const char *text, size_t size)
{
    if (ht_utf8_valid(text, size) != size) {
        fail(v, HT_SYNTAX, "a text is not UTF-8");
    } else if (memchr(text, '\0', size) != NULL) {
        fail(v, HT_SYNTAX, "a text holds the character NUL");
    }
    bool fits = size_fits(v, size);
    return fits && v->bad.status == HT_OK;
}

/* --- the tree's memory ------------------------------------------------------------------------ */

struct ht__chunk {
    struct ht__chunk *next;
    size_t size;
    size_t used;
    max_align_t data[];
};

static void *chunk_new(struct ht__values *v, size_t size)
{
    size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (v->chunk == NULL || v->chunk->size - v->chunk->used < size) {
        size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        struct ht__chunk *chunk = malloc(sizeof *chunk + room);
        if (chunk == NULL) {
            fail(v, HT_NOMEM, "%s", ht_status_text(HT_NOMEM));
            return NULL;
        }
        *chunk = (struct ht__chunk){.next = v->chunk, .size = room};
        v->chunk = chunk;
    }
    char *at = (char *)v->chunk->data + v->chunk->used;
    v->chunk->used += size;
    return at;
}

/* Keeps one chunk, so that ordinary features allocate nothing. */
static void chunk_clear(struct ht__values *v)
{
    while (v->chunk != NULL && v->chunk->next != NULL) {
        struct ht__chunk *chunk = v->chunk;
        v->chunk = chunk->next;
        free(chunk);
    }
    if (v->chunk != NULL) {
        v->chunk->used = 0;
    }
}

static char *chunk_text(struct ht__values *v, const char *text, size_t size)
{
    char *copy = chunk_new(v, size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

/* --- values ----------------------------------------------------------------------------------- */

/* Whether a tree is made of the value at hand. */
static bool in_tree(const struct ht__values *v)
{
    return v->property != NULL;
}

static bool is_pair(const struct yajl_val_s *value)
{
    return YAJL_IS_ARRAY(value) && value->u.array.len >= 2 &&
           YAJL_IS_DOUBLE(value->u.array.values[0]) && YAJL_IS_DOUBLE(value->u.array.values[1]);
}

/* Points among the properties come in the same system as the geometry. */
static void convert_point(struct ht__values *v, struct yajl_val_s *value)
{
    if (v->crs == NULL || ht_crs_plain(v->crs) || !is_pair(value)) {
        return;
    }
    struct yajl_val_s *x = value->u.array.values[0];
    struct yajl_val_s *y = value->u.array.values[1];
    double pair[1][2] = {{x->u.number.d, y->u.number.d}};
    enum ht_status status = ht_crs_to_wgs84(v->work, v->crs, pair, 1);
    if (status != HT_OK) {
        fail(v, status, "%s: %s", v->property->name,
             status == HT_RANGE ? "the point is not on Earth" : ht_status_text(status));
        return;
    }
    x->u.number.d = pair[0][0];
    y->u.number.d = pair[0][1];
    ht_text_cut(v->out, v->value_begin);
    ht_text_add_char(v->out, '[');
    ht_text_add_fixed(v->out, (int64_t)floor(pair[0][0] * 1e7 + 0.5), 7);
    ht_text_add_char(v->out, ',');
    ht_text_add_fixed(v->out, (int64_t)floor(pair[0][1] * 1e7 + 0.5), 7);
    ht_text_add_char(v->out, ']');
}

/* A property is complete. */
static void property_done(struct ht__values *v, struct yajl_val_s *value)
{
    if (v->property != NULL && value != NULL) {
        struct ht_error error;
        if (v->property->type == HT_PROPERTY_POINT || v->property->type == HT_PROPERTY_PLACE ||
            v->property->type == HT_PROPERTY_GATE) {
            convert_point(v, value);
        }
        enum ht_status status =
            v->bad.status == HT_OK ? ht_property_check(v->property, value, &error) : HT_OK;
        if (status != HT_OK) {
            fail(v, status, "%s", error.message);
        }
    }
    v->property = NULL;
}

static void value_done(struct ht__values *v, struct yajl_val_s *value)
{
    if (v->out->failed) {
        fail(v, HT_NOMEM, "%s", ht_status_text(HT_NOMEM));
    }
    if (v->bad.status != HT_OK) {
        return;
    }
    struct ht__frame *frame = &v->frames[v->depth - 1];
    frame->comma = true;
    if (v->depth == 1) {
        property_done(v, value);
        return;
    }
    if (value == NULL) {
        return;
    }
    void *data = v->nodes;
    enum ht_status status =
        ht_array_reserve(&data, &v->node_capacity, v->node_count + 1, sizeof *v->nodes);
    v->nodes = data;
    if (status != HT_OK) {
        fail(v, status, "%s", ht_status_text(status));
        return;
    }
    v->nodes[v->node_count++] = (struct ht__node){.value = value, .key = frame->key};
}

/* The comma before a list's item (an object's is written with the key). False: no need to go on. */
static bool value_begin(struct ht__values *v)
{
    if (v->bad.status != HT_OK || !size_fits(v, 0)) {
        return false;
    }
    const struct ht__frame *frame = &v->frames[v->depth - 1];
    if (!frame->object && frame->comma) {
        ht_text_add_char(v->out, ',');
    }
    return true;
}

static struct yajl_val_s *node_new(struct ht__values *v, yajl_type type)
{
    struct yajl_val_s *node = in_tree(v) ? chunk_new(v, sizeof *node) : NULL;
    if (node != NULL) {
        memset(node, 0, sizeof *node);
        node->type = type;
    }
    return node;
}

void ht__values_text(struct ht__values *values, const char *text, size_t size)
{
    if (!value_begin(values) || !text_fits(values, text, size)) {
        return;
    }
    if (values->value_is_id && values->depth == 1) {
        values->id_size = size < sizeof values->id ? size : sizeof values->id - 1;
        memcpy(values->id, text, values->id_size);
    }
    ht_text_add_json(values->out, text, size);
    struct yajl_val_s *node = node_new(values, yajl_t_string);
    if (node != NULL) {
        node->u.string = chunk_text(values, text, size);
    }
    value_done(values, node);
}

void ht__values_number(struct ht__values *values, const char *text, size_t size)
{
    if (!value_begin(values)) {
        return;
    }
    if (size > 400) {
        fail(values, HT_TOO_BIG, "a number has more than 400 digits");
        return;
    }
    if (values->value_is_id && values->depth == 1) {
        values->id_size = size < sizeof values->id ? size : sizeof values->id - 1;
        memcpy(values->id, text, values->id_size);
    }
    ht_text_add(values->out, text, size);
    struct yajl_val_s *node = node_new(values, yajl_t_number);
    if (node != NULL) {
        double number = 0;
        if (ht_number_read(text, size, &number) == size && isfinite(number)) {
            node->u.number.d = number;
            node->u.number.flags = YAJL_NUMBER_DOUBLE_VALID;
        }
        node->u.number.r = chunk_text(values, text, size);
    }
    value_done(values, node);
}

void ht__values_bool(struct ht__values *values, bool value)
{
    if (value_begin(values)) {
        ht_text_add_string(values->out, value ? "true" : "false");
        value_done(values, node_new(values, value ? yajl_t_true : yajl_t_false));
    }
}

void ht__values_null(struct ht__values *values)
{
    if (value_begin(values)) {
        ht_text_add_string(values->out, "null");
        value_done(values, node_new(values, yajl_t_null));
    }
}

/* --- objects and lists ------------------------------------------------------------------------ */

void ht__values_begin(struct ht__values *values)
{
    ht_text_clear(values->out);
    chunk_clear(values);
    values->bad = (struct ht_error){.status = HT_OK};
    values->property = NULL;
    values->value_is_id = false;
    values->id_size = 0;
    values->key_count = 0;
    values->node_count = 0;
    values->depth = 1;
    values->frames[0] = (struct ht__frame){.object = true};
    ht_text_add_char(values->out, '{');
}

void ht__values_open(struct ht__values *values, bool object)
{
    if (value_begin(values)) {
        if (values->depth == HT_FEATURE_DEPTH_MAX) {
            fail(values, HT_TOO_BIG, "the properties are nested deeper than %d",
                 HT_FEATURE_DEPTH_MAX);
        } else {
            values->frames[values->depth] = (struct ht__frame){
                .object = object, .first_key = values->key_count, .first_node = values->node_count};
            ht_text_add_char(values->out, object ? '{' : '[');
        }
    }
    values->depth++;
}

/* The list or object of the nodes that belong to the frame. */
static struct yajl_val_s *collect(struct ht__values *v, const struct ht__frame *frame)
{
    size_t count = v->node_count - frame->first_node;
    struct yajl_val_s *node = node_new(v, frame->object ? yajl_t_object : yajl_t_array);
    yajl_val *list = chunk_new(v, (count + 1) * sizeof(yajl_val));
    const char **keys = frame->object ? chunk_new(v, (count + 1) * sizeof *keys) : NULL;
    if (node == NULL || list == NULL || (frame->object && keys == NULL)) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        list[i] = v->nodes[frame->first_node + i].value;
        if (keys != NULL) {
            keys[i] = v->nodes[frame->first_node + i].key;
        }
    }
    if (frame->object) {
        node->u.object.len = count;
        node->u.object.values = list;
        node->u.object.keys = keys;
    } else {
        node->u.array.len = count;
        node->u.array.values = list;
    }
    return node;
}

void ht__values_close(struct ht__values *values)
{
    values->depth--;
    if (values->bad.status != HT_OK) {
        return;
    }
    const struct ht__frame *frame = &values->frames[values->depth];
    ht_text_add_char(values->out, frame->object ? '}' : ']');
    values->key_count = frame->first_key;
    if (values->depth > 0) {
        struct yajl_val_s *node = in_tree(values) ? collect(values, frame) : NULL;
        values->node_count = frame->first_node;
        value_done(values, node);
    } else if (values->out->failed) {
        fail(values, HT_NOMEM, "%s", ht_status_text(HT_NOMEM));
    }
}

static uint32_t hash_of(const char *text, size_t size)
{
    uint32_t hash = 2166136261U; /* FNV-1a */
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619U;
    }
    return hash;
}

/* Whether the key, already written at `offset`, is new in its object. */
static bool key_is_new(struct ht__values *v, const struct ht__frame *frame, size_t offset)
{
    const char *text = v->out->data + offset;
    size_t size = v->out->size - offset;
    struct ht__key key = {.hash = hash_of(text, size), .size = (uint32_t)size, .offset = offset};
    for (size_t i = frame->first_key; i < v->key_count; i++) {
        if (v->keys[i].hash == key.hash && v->keys[i].size == key.size &&
            memcmp(v->out->data + v->keys[i].offset, text, size) == 0) {
            fail(v, HT_SYNTAX, "the key %.*s is there twice", size < 100 ? (int)size : 100, text);
            return false;
        }
    }
    if (v->key_count - frame->first_key >= HT_FEATURE_KEYS_MAX) {
        fail(v, HT_TOO_BIG, "an object has more than %d keys", HT_FEATURE_KEYS_MAX);
        return false;
    }
    void *data = v->keys;
    enum ht_status status =
        ht_array_reserve(&data, &v->key_capacity, v->key_count + 1, sizeof *v->keys);
    v->keys = data;
    if (status != HT_OK) {
        fail(v, status, "%s", ht_status_text(status));
        return false;
    }
    v->keys[v->key_count++] = key;
    return true;
}

void ht__values_key(struct ht__values *values, const char *text, size_t size)
{
    if (values->bad.status != HT_OK || !text_fits(values, text, size)) {
        return;
    }
    struct ht__frame *frame = &values->frames[values->depth - 1];
    if (frame->comma) {
        ht_text_add_char(values->out, ',');
    }
    size_t offset = values->out->size;
    ht_text_add_json(values->out, text, size);
    if (values->out->failed) {
        fail(values, HT_NOMEM, "%s", ht_status_text(HT_NOMEM));
        return;
    }
    if (!key_is_new(values, frame, offset)) {
        return;
    }
    ht_text_add_char(values->out, ':');
    if (values->depth == 1) {
        chunk_clear(values);
        values->value_begin = values->out->size;
        values->value_is_id = size == 2 && memcmp(text, "id", 2) == 0;
        values->property = values->collection == NULL
                               ? NULL
                               : ht_collection_property(values->collection, text, size);
    } else if (in_tree(values)) {
        frame->key = chunk_text(values, text, size);
    }
}

void ht__values_deinit(struct ht__values *values)
{
    chunk_clear(values);
    free(values->chunk);
    free(values->keys);
    free(values->nodes);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static int on_null(void *user)
{
    ht__values_null(user);
    return 1;
}

static int on_bool(void *user, int value)
{
    ht__values_bool(user, value != 0);
    return 1;
}

static int on_number(void *user, const char *text, size_t size)
{
    ht__values_number(user, text, size);
    return 1;
}

static int on_text(void *user, const unsigned char *text, size_t size)
{
    ht__values_text(user, (const char *)text, size);
    return 1;
}

static int on_key(void *user, const unsigned char *text, size_t size)
{
    ht__values_key(user, (const char *)text, size);
    return 1;
}

static int on_object(void *user)
{
    ht__values_open(user, true);
    return 1;
}

static int on_list(void *user)
{
    ht__values_open(user, false);
    return 1;
}

static int on_close(void *user)
{
    ht__values_close(user);
    return 1;
}

void ht__values_json(struct ht__values *values, const char *text, size_t size)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_bool,
        .yajl_number = on_number,
        .yajl_string = on_text,
        .yajl_start_map = on_object,
        .yajl_map_key = on_key,
        .yajl_end_map = on_close,
        .yajl_start_array = on_list,
        .yajl_end_array = on_close,
    };
    struct ht__sax sax = {.callbacks = &callbacks, .user = values};
    size_t depth = values->depth;
    enum ht_status status = ht__sax_parse(&sax, text, size);
    values->depth = depth; /* an unfinished text leaves lists open */
    if (status != HT_OK) {
        fail(values, status, "no JSON: %s", sax.message);
    }
}
