/* Dictionaries: strings once each, sorted, with lists, and a suffix array over what lies within. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/key.h"
#include "geodata/gazetteer_internal.h"
#include "geodata/hnet_hash.h"

/* ---- strings as they come ---- */

static enum ht_status slots_grow(struct ht__intern *intern)
{
    uint32_t count = intern->slot_count == 0 ? 64 : intern->slot_count * 2;
    uint32_t *slots = ht_array_new(count, sizeof *slots);
    if (slots == NULL) {
        return HT_NOMEM;
    }
    memset(slots, 0xff, count * sizeof *slots);
    for (uint32_t i = 0; i < intern->count; i++) {
        size_t size = intern->at[i + 1] - intern->at[i] - 1;
        uint32_t slot = (uint32_t)ht__hnet_hash(intern->text + intern->at[i], size) & (count - 1);
        while (slots[slot] != HT_NONE) {
            slot = (slot + 1) & (count - 1);
        }
        slots[slot] = i;
    }
    free(intern->slots);
    intern->slots = slots;
    intern->slot_count = count;
    return HT_OK;
}

static enum ht_status intern_add(struct ht__intern *intern, const char *bytes, size_t size)
{
    void *text = intern->text;
    void *at = intern->at;
    void *marks = intern->marks;
    if (intern->size + size + 1 > UINT32_MAX) {
        return HT_TOO_BIG;
    }
    enum ht_status status = ht_array_reserve(&text, &intern->capacity, intern->size + size + 1, 1);
    intern->text = text;
    if (status == HT_OK) {
        status = ht_array_reserve(&at, &intern->at_capacity, (size_t)intern->count + 2,
                                  sizeof *intern->at);
        intern->at = at;
    }
    if (status == HT_OK) {
        status = ht_array_reserve(&marks, &intern->marks_capacity, (size_t)intern->count + 1,
                                  sizeof *intern->marks);
        intern->marks = marks;
    }
    if (status != HT_OK) {
        return status;
    }
    memcpy(intern->text + intern->size, bytes, size);
    intern->text[intern->size + size] = '\0';
    intern->at[0] = 0;
    intern->marks[intern->count] = 0;
    intern->size += size + 1;
    intern->at[++intern->count] = (uint32_t)intern->size;
    return HT_OK;
}

enum ht_status ht__intern(struct ht__intern *intern, const char *bytes, size_t size, uint64_t marks,
                          uint32_t *index)
{
    if (intern->count >= intern->slot_count / 2) {
        enum ht_status status = slots_grow(intern);
        if (status != HT_OK) {
            return status;
        }
    }
    uint32_t slot = (uint32_t)ht__hnet_hash(bytes, size) & (intern->slot_count - 1);
    for (; intern->slots[slot] != HT_NONE; slot = (slot + 1) & (intern->slot_count - 1)) {
        uint32_t i = intern->slots[slot];
        if (intern->at[i + 1] - intern->at[i] - 1 == size &&
            memcmp(intern->text + intern->at[i], bytes, size) == 0) {
            intern->marks[i] |= marks;
            *index = i;
            return HT_OK;
        }
    }
    enum ht_status status = intern_add(intern, bytes, size);
    if (status == HT_OK) {
        *index = intern->count - 1;
        intern->slots[slot] = *index;
        intern->marks[*index] = marks;
    }
    return status;
}

void ht__intern_deinit(struct ht__intern *intern)
{
    free(intern->text);
    free(intern->at);
    free(intern->marks);
    free(intern->slots);
    *intern = (struct ht__intern){0};
}

/* ---- sorting ---- */

/* The first eight bytes as a number, so that most comparisons touch no string. */
uint64_t ht__sort_key(const char *string)
{
    uint64_t key = 0;
    int i = 0;
    for (; i < 8 && string[i] != '\0'; i++) {
        key = key << 8 | (unsigned char)string[i];
    }
    return i == 0 ? 0 : key << (8 * (8 - i));
}

static int by_string(const void *left, const void *right)
{
    const struct ht__sort *a = left;
    const struct ht__sort *b = right;
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    int order = (a->key & 0xff) == 0 ? 0 : strcmp(a->string + 8, b->string + 8);
    return order != 0 ? order : a->number < b->number ? -1 : a->number > b->number ? 1 : 0;
}

void ht__sort_strings(struct ht__sort *items, size_t count)
{
    if (count > 1) {
        qsort(items, count, sizeof *items, by_string);
    }
}

/* ---- dictionaries ---- */

void ht__dict_deinit(struct ht__dict *dict)
{
    free(dict->text);
    free(dict->at);
    free(dict->first);
    free(dict->list);
    free(dict->inner);
    free(dict->skip);
    *dict = (struct ht__dict){0};
}

size_t ht__dict_bytes(const struct ht__dict *dict)
{
    size_t lists = dict->first == NULL ? 0 : dict->first[dict->count];
    return dict->at[dict->count] + ((size_t)dict->count + 1) * 2 * sizeof(uint32_t) +
           lists * sizeof(uint32_t) + (size_t)dict->inner_count * (sizeof(uint32_t) + 1);
}

enum ht_status ht__dict_make(struct ht__dict *dict, const struct ht__intern *intern, uint32_t *rank)
{
    struct ht__sort *order = ht_array_new(intern->count, sizeof *order);
    *dict = (struct ht__dict){.count = intern->count};
    dict->text = malloc(intern->size + 1);
    dict->at = ht_array_new((size_t)intern->count + 1, sizeof *dict->at);
    if (order == NULL || dict->text == NULL || dict->at == NULL) {
        free(order);
        ht__dict_deinit(dict);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < intern->count; i++) {
        const char *string = intern->text + intern->at[i];
        order[i] = (struct ht__sort){ht__sort_key(string), string, i};
    }
    ht__sort_strings(order, intern->count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < intern->count; i++) {
        uint32_t from = order[i].number;
        uint32_t size = intern->at[from + 1] - intern->at[from];
        memcpy(dict->text + at, order[i].string, size);
        dict->at[i] = at;
        at += size;
        if (rank != NULL) {
            rank[from] = i;
        }
    }
    dict->at[intern->count] = at;
    free(order);
    return HT_OK;
}

enum ht_status ht__dict_lists(struct ht__dict *dict, const uint32_t *keys, const uint32_t *values,
                              size_t count)
{
    if (count >= UINT32_MAX) {
        return HT_TOO_BIG;
    }
    dict->first = ht_array_new_zeroed((size_t)dict->count + 2, sizeof *dict->first);
    dict->list = ht_array_new(count, sizeof *dict->list);
    if (dict->first == NULL || dict->list == NULL) {
        return HT_NOMEM;
    }
    uint32_t *place = dict->first + 1; /* where the next of each goes; becomes its end */
    for (size_t i = 0; i < count; i++) {
        place[keys[i] + 1]++;
    }
    for (uint32_t k = 0; k < dict->count; k++) {
        place[k + 1] += place[k];
    }
    for (size_t i = 0; i < count; i++) {
        dict->list[place[keys[i]]++] = values[i];
    }
    /* what came twice goes out */
    uint32_t to = 0;
    uint32_t begin = 0;
    for (uint32_t k = 0; k < dict->count; k++) {
        uint32_t end = dict->first[k + 1];
        dict->first[k] = to;
        for (uint32_t i = begin; i < end; i++) {
            if (i == begin || dict->list[i] != dict->list[i - 1]) {
                dict->list[to++] = dict->list[i];
            }
        }
        begin = end;
    }
    dict->first[dict->count] = to;
    return HT_OK;
}

enum ht_status ht__dict_inner(struct ht__dict *dict, const uint64_t *marks)
{
    size_t count = 0;
    for (uint32_t i = 0; i < dict->count; i++) {
        count += (size_t)__builtin_popcountll(marks[i]);
    }
    if (count >= UINT32_MAX) {
        return HT_TOO_BIG;
    }
    struct ht__sort *order = ht_array_new(count, sizeof *order);
    dict->inner = ht_array_new(count, sizeof *dict->inner);
    dict->skip = ht_array_new(count, sizeof *dict->skip);
    if (order == NULL || dict->inner == NULL || dict->skip == NULL) {
        free(order);
        return HT_NOMEM;
    }
    size_t at = 0;
    for (uint32_t i = 0; i < dict->count; i++) {
        for (uint64_t left = marks[i]; left != 0; left &= left - 1) {
            const char *string = ht__dict_string(dict, i) + __builtin_ctzll(left);
            order[at++] = (struct ht__sort){ht__sort_key(string), string, i};
        }
    }
    ht__sort_strings(order, count);
    for (size_t i = 0; i < count; i++) {
        dict->inner[i] = order[i].number;
        dict->skip[i] = (uint8_t)(order[i].string - ht__dict_string(dict, order[i].number));
    }
    dict->inner_count = (uint32_t)count;
    free(order);
    return HT_OK;
}

/* ---- looking up ---- */

/* The first string that is not below the bytes, or (`after`) the first beyond those that begin with
 * them. */
static uint32_t string_bound(const struct ht__dict *dict, const char *bytes, size_t size,
                             bool after)
{
    uint32_t low = 0;
    uint32_t high = dict->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = strncmp(ht__dict_string(dict, middle), bytes, size);
        if (order < 0 || (after && order == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct ht__range ht__dict_prefix(const struct ht__dict *dict, const char *bytes, size_t size)
{
    return (struct ht__range){string_bound(dict, bytes, size, false),
                              string_bound(dict, bytes, size, true)};
}

static uint32_t inner_bound(const struct ht__dict *dict, const char *bytes, size_t size, bool after)
{
    uint32_t low = 0;
    uint32_t high = dict->inner_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const char *string = ht__dict_string(dict, dict->inner[middle]) + dict->skip[middle];
        int order = strncmp(string, bytes, size);
        if (order < 0 || (after && order == 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct ht__range ht__dict_within(const struct ht__dict *dict, const char *bytes, size_t size)
{
    return (struct ht__range){inner_bound(dict, bytes, size, false),
                              inner_bound(dict, bytes, size, true)};
}
