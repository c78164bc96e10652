/* Names: a hash table of things that are found by their id.
 *
 * Threading: none of its own. Ownership: the table owns its slots, not what is in it; ids are the
 * things' own. Errors: HT_NOMEM from reserve alone.
 */
#ifndef HT_ENGINE_BASE_NAMES_H
#define HT_ENGINE_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

/* What is found by its id: the first member of whatever it is. */
struct ht_named {
    struct ht_named *next;
    uint64_t hash;
    const char *id;
};

/* A zeroed struct is an empty table; free(slots) ends it. */
struct ht_names {
    struct ht_named **slots;
    size_t slot_count;
    size_t count;
};

uint64_t ht_names_hash(const char *id); /* FNV-1a, folded */
struct ht_named *ht_names_find(const struct ht_names *names, const char *id);
/* Room for one more. The other two never fail. */
HT_MUST_CHECK enum ht_status ht_names_reserve(struct ht_names *names);
void ht_names_add(struct ht_names *names, struct ht_named *named);
void ht_names_remove(struct ht_names *names, struct ht_named *named);

#endif
