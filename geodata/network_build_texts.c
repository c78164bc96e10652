#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/network_build_internal.h"

static uint64_t hash_bytes(const char *text, size_t size)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return hash ^ hash >> 29;
}

/* Makes the table of slots at least twice as large as `count`, and finds the numbers again. */
static enum ht_status slots_grow(uint32_t **slots, size_t *slot_count, size_t count,
                                 uint64_t (*hash)(const void *set, size_t number), const void *set)
{
    if (count * 2 < *slot_count) {
        return HT_OK;
    }
    size_t grown = *slot_count == 0 ? 64 : *slot_count * 2;
    uint32_t *fresh = ht_array_new_zeroed(grown, sizeof *fresh);
    if (fresh == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        size_t slot = (size_t)hash(set, i) & (grown - 1);
        while (fresh[slot] != 0) {
            slot = (slot + 1) & (grown - 1);
        }
        fresh[slot] = (uint32_t)i + 1;
    }
    free(*slots);
    *slots = fresh;
    *slot_count = grown;
    return HT_OK;
}

static uint64_t texts_hash(const void *set, size_t number)
{
    const struct ht__texts *texts = set;
    const char *text = texts->data + texts->offset[number];
    return hash_bytes(text, strlen(text));
}

enum ht_status ht__texts_init(struct ht__texts *texts)
{
    uint32_t number = 0;
    memset(texts, 0, sizeof *texts);
    return ht__texts_add(texts, "", &number);
}

void ht__texts_deinit(struct ht__texts *texts)
{
    free(texts->data);
    free(texts->offset);
    free(texts->slots);
    memset(texts, 0, sizeof *texts);
}

static enum ht_status texts_append(struct ht__texts *texts, const char *text, size_t size)
{
    if (texts->size + size + 1 > UINT32_MAX - 1 || texts->count >= UINT32_MAX - 1) {
        return HT_TOO_BIG;
    }
    void *data = texts->data;
    enum ht_status status = ht_array_reserve(&data, &texts->capacity, texts->size + size + 1, 1);
    texts->data = data;
    if (status != HT_OK) {
        return status;
    }
    void *offset = texts->offset;
    status =
        ht_array_reserve(&offset, &texts->offset_capacity, texts->count + 1, sizeof *texts->offset);
    texts->offset = offset;
    if (status != HT_OK) {
        return status;
    }
    memcpy(texts->data + texts->size, text, size + 1);
    texts->offset[texts->count++] = (uint32_t)texts->size;
    texts->size += size + 1;
    return HT_OK;
}

enum ht_status ht__texts_add(struct ht__texts *texts, const char *text, uint32_t *number)
{
    enum ht_status status =
        slots_grow(&texts->slots, &texts->slot_count, texts->count, texts_hash, texts);
    if (status != HT_OK) {
        return status;
    }
    size_t size = strlen(text);
    size_t slot = (size_t)hash_bytes(text, size) & (texts->slot_count - 1);
    while (texts->slots[slot] != 0) {
        uint32_t found = texts->slots[slot] - 1;
        if (strcmp(texts->data + texts->offset[found], text) == 0) {
            *number = found;
            return HT_OK;
        }
        slot = (slot + 1) & (texts->slot_count - 1);
    }
    *number = (uint32_t)texts->count;
    status = texts_append(texts, text, size);
    if (status == HT_OK) {
        texts->slots[slot] = *number + 1;
    }
    return status;
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 32;
}

static uint64_t bits_of(double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Field by field: the padding of a rule is not its value. */
static uint64_t rule_hash(const struct ht_way_rule *rule)
{
    uint64_t hash = mix(rule->start_allowed, bits_of(rule->duration_s));
    hash = mix(hash, bits_of(rule->weight_s));
    for (int i = 0; i < 2; i++) {
        const struct ht_way_side *side = &rule->side[i];
        hash = mix(hash, (uint64_t)side->open | (uint64_t)side->restricted << 1 |
                             (uint64_t)side->mode << 2 | (uint64_t)side->classes << 16);
        hash = mix(hash, bits_of(side->speed_kmh));
        hash = mix(hash, bits_of(side->rate_mps));
    }
    return hash;
}

static bool rule_equal(const struct ht_way_rule *a, const struct ht_way_rule *b)
{
    for (int i = 0; i < 2; i++) {
        const struct ht_way_side *x = &a->side[i];
        const struct ht_way_side *y = &b->side[i];
        if (x->open != y->open || x->restricted != y->restricted || x->mode != y->mode ||
            x->classes != y->classes || bits_of(x->speed_kmh) != bits_of(y->speed_kmh) ||
            bits_of(x->rate_mps) != bits_of(y->rate_mps)) {
            return false;
        }
    }
    return a->start_allowed == b->start_allowed &&
           bits_of(a->duration_s) == bits_of(b->duration_s) &&
           bits_of(a->weight_s) == bits_of(b->weight_s);
}

static uint64_t rules_hash(const void *set, size_t number)
{
    return rule_hash(&((const struct ht__rules *)set)->list[number]);
}

void ht__rules_deinit(struct ht__rules *rules)
{
    free(rules->list);
    free(rules->slots);
    memset(rules, 0, sizeof *rules);
}

enum ht_status ht__rules_add(struct ht__rules *rules, const struct ht_way_rule *rule,
                             uint32_t *number)
{
    enum ht_status status =
        slots_grow(&rules->slots, &rules->slot_count, rules->count, rules_hash, rules);
    if (status != HT_OK) {
        return status;
    }
    size_t slot = (size_t)rule_hash(rule) & (rules->slot_count - 1);
    while (rules->slots[slot] != 0) {
        uint32_t found = rules->slots[slot] - 1;
        if (rule_equal(&rules->list[found], rule)) {
            *number = found;
            return HT_OK;
        }
        slot = (slot + 1) & (rules->slot_count - 1);
    }
    void *list = rules->list;
    status = ht_array_reserve(&list, &rules->capacity, rules->count + 1, sizeof *rules->list);
    rules->list = list;
    if (status != HT_OK) {
        return status;
    }
    *number = (uint32_t)rules->count;
    rules->list[rules->count++] = *rule;
    rules->slots[slot] = *number + 1;
    return HT_OK;
}

enum { RADIX_BITS = 11, RADIX_SIZE = 1 << RADIX_BITS };

void ht__sort_u64(uint64_t *keys, uint64_t *spare, size_t count)
{
    uint64_t *from = keys;
    uint64_t *to = spare;
    for (unsigned shift = 0; shift < 64; shift += RADIX_BITS) {
        size_t bucket[RADIX_SIZE] = {0};
        for (size_t i = 0; i < count; i++) {
            bucket[from[i] >> shift & (RADIX_SIZE - 1)]++;
        }
        if (count == 0 || bucket[from[0] >> shift & (RADIX_SIZE - 1)] == count) {
            continue; /* all alike here */
        }
        size_t sum = 0;
        for (size_t i = 0; i < RADIX_SIZE; i++) {
            size_t here = bucket[i];
            bucket[i] = sum;
            sum += here;
        }
        for (size_t i = 0; i < count; i++) {
            to[bucket[from[i] >> shift & (RADIX_SIZE - 1)]++] = from[i];
        }
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != keys) {
        memcpy(keys, from, count * sizeof *keys);
    }
}
