/* Arena, hash tables and tag slots of a profile. */
#include <stdlib.h>
#include <string.h>

#include "geodata/profile_internal.h"

struct ht__chunk {
    struct ht__chunk *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

#define HT__CHUNK_SIZE 16384

void *ht__arena_new(struct ht__arena *arena, size_t size)
{
    const size_t align = sizeof(max_align_t);
    if (size > (size_t)1 << 30) {
        return NULL;
    }
    size = (size + align - 1) / align * align;
    struct ht__chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t room = size > HT__CHUNK_SIZE ? size : HT__CHUNK_SIZE;
        chunk = calloc(1, sizeof *chunk + room);
        if (chunk == NULL) {
            return NULL;
        }
        chunk->size = room;
        chunk->next = arena->chunks;
        arena->chunks = chunk;
    }
    void *out = (char *)chunk->data + chunk->used;
    chunk->used += size;
    return out;
}

char *ht__arena_text(struct ht__arena *arena, const char *a, const char *b)
{
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    char *out = ht__arena_new(arena, a_size + b_size + 1);
    if (out != NULL) {
        memcpy(out, a, a_size);
        memcpy(out + a_size, b, b_size);
    }
    return out;
}

void ht__arena_deinit(struct ht__arena *arena)
{
    while (arena->chunks != NULL) {
        struct ht__chunk *next = arena->chunks->next;
        free(arena->chunks);
        arena->chunks = next;
    }
}

/* FNV-1a with a last mix, since tables are masked. */
uint32_t ht__hash(const char *text)
{
    uint32_t hash = 2166136261U;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 16777619U;
    }
    return hash ^ hash >> 15;
}

static struct ht__entry *find_place(const struct ht__table *table, struct ht__value key)
{
    for (uint32_t i = key.hash & table->mask;; i = (i + 1) & table->mask) {
        struct ht__entry *entry = &table->entries[i];
        if (entry->key.text == NULL ||
            (entry->key.hash == key.hash && strcmp(entry->key.text, key.text) == 0)) {
            return entry;
        }
    }
}

const struct ht__entry *ht__table_find(const struct ht__table *table, struct ht__value key)
{
    if (table->entries == NULL) {
        return NULL;
    }
    const struct ht__entry *entry = find_place(table, key);
    return entry->key.text != NULL ? entry : NULL;
}

static enum ht_status table_grow(struct ht__arena *arena, struct ht__table *table)
{
    uint32_t size = table->entries == NULL ? 8 : (table->mask + 1) * 2;
    struct ht__table wide = {.mask = size - 1, .count = table->count};
    wide.entries = ht__arena_new(arena, size * sizeof *wide.entries);
    if (wide.entries == NULL) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; table->entries != NULL && i <= table->mask; i++) {
        if (table->entries[i].key.text != NULL) {
            *find_place(&wide, table->entries[i].key) = table->entries[i];
        }
    }
    *table = wide;
    return HT_OK;
}

enum ht_status ht__table_put(struct ht__arena *arena, struct ht__table *table, struct ht__value key,
                             double number)
{
    /* At most half full: absent words, the usual case, end at the first or second probe. */
    if (table->entries == NULL || table->count * 2 >= table->mask + 1) {
        enum ht_status status = table_grow(arena, table);
        if (status != HT_OK) {
            return status;
        }
    }
    struct ht__entry *entry = find_place(table, key);
    table->count += entry->key.text == NULL;
    entry->key = key;
    entry->number = number;
    return HT_OK;
}

bool ht__profile_lay(const struct ht_profile *profile, struct ht_osm_tags tags,
                     struct ht__value *values)
{
    memset(values, 0, profile->slot_count * sizeof *values);
    bool any = false;
    for (size_t i = 0; i < tags.count; i++) {
        const struct ht_osm_tag *tag = &tags.list[i];
        const struct ht__entry *entry = ht__table_find(&profile->keys, ht__value(tag->key));
        if (entry == NULL || tag->value[0] == '\0') {
            continue;
        }
        struct ht__value *value = &values[(size_t)entry->number];
        if (value->text == NULL) {
            *value = ht__value(tag->value);
            any = true;
        }
    }
    return any;
}

bool ht__rule_holds(const struct ht__rule *rule, const struct ht__value *values)
{
    struct ht__value value = values[rule->slot];
    if (value.text == NULL) {
        return false;
    }
    return rule->any || ht__table_has(&rule->values, value) != rule->except;
}

bool ht__rules_any(const struct ht__rules *rules, const struct ht__value *values)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (ht__rule_holds(&rules->list[i], values)) {
            return true;
        }
    }
    return false;
}

bool ht__rules_all(const struct ht__rules *rules, const struct ht__value *values)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (!ht__rule_holds(&rules->list[i], values)) {
            return false;
        }
    }
    return true;
}
