/* Members: the top level of a JSON object that is known to be well-formed and minified, as
 * geodata/feature.h makes and the store keeps them, without making a tree of it.
 *
 * Threading: pure functions. Ownership: everything points into the text.
 */
#ifndef HT_GEODATA_MEMBERS_H
#define HT_GEODATA_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/text.h"

struct ht_member {
    const char *name; /* between its quotes, escapes as written */
    size_t name_size;
    const char *value; /* as written */
    size_t value_size;
};

/* Steps through an object: `*at` is its text at first, later where the walk stands. False: no more.
 */
bool ht_member_next(const char **at, struct ht_member *out);

/* The member of that name; false: there is none. */
bool ht_member_find(const char *object, const char *name, struct ht_member *out);

/* Steps through a list, likewise; of `out` the value counts. */
bool ht_member_item(const char **at, struct ht_member *out);

/* Appends `"name":value` to an object that is being written: "{" or "{..." without its end. */
void ht_member_add(struct ht_text *object, const struct ht_member *member);

/* A text value without its quotes and escapes, into `out` of `size` bytes (cut where it is longer).
 * False: it is no text. */
bool ht_member_text(const struct ht_member *member, char *out, size_t size);

/* The moment (RFC 3339, UTC ms) of a member; `other` where there is none. */
int64_t ht_member_time(const char *properties, const char *name, int64_t other);

#endif
