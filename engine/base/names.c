#include "engine/base/names.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

uint64_t ht_names_hash(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *c = id; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211);
    }
    return hash ^ (hash >> 29);
}

struct ht_named *ht_names_find(const struct ht_names *names, const char *id)
{
    if (names->slot_count == 0) {
        return NULL;
    }
    uint64_t hash = ht_names_hash(id);
    struct ht_named *named = names->slots[hash & (names->slot_count - 1)];
    while (named != NULL && (named->hash != hash || strcmp(named->id, id) != 0)) {
        named = named->next;
    }
    return named;
}

enum ht_status ht_names_reserve(struct ht_names *names)
{
    if (names->count < names->slot_count) {
        return HT_OK;
    }
    size_t slot_count = names->slot_count == 0 ? 256 : names->slot_count * 2;
    struct ht_named **slots = ht_array_new_zeroed(slot_count, sizeof(struct ht_named *));
    if (slots == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < names->slot_count; i++) {
        while (names->slots[i] != NULL) {
            struct ht_named *named = names->slots[i];
            names->slots[i] = named->next;
            named->next = slots[named->hash & (slot_count - 1)];
            slots[named->hash & (slot_count - 1)] = named;
        }
    }
    free(names->slots);
    names->slots = slots;
    names->slot_count = slot_count;
    return HT_OK;
}

void ht_names_add(struct ht_names *names, struct ht_named *named)
{
    named->hash = ht_names_hash(named->id);
    struct ht_named **slot = &names->slots[named->hash & (names->slot_count - 1)];
    named->next = *slot;
    *slot = named;
    names->count++;
}

void ht_names_remove(struct ht_names *names, struct ht_named *named)
{
    struct ht_named **link = &names->slots[named->hash & (names->slot_count - 1)];
    while (*link != named) {
        link = &(*link)->next;
    }
    *link = named->next;
    names->count--;
}
