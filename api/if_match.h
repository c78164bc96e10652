/* If-Match and If-None-Match (RFC 9110, 13.1.1 and 13.1.2): "*", or entity tags with commas
 * between.
 *
 * Ours are versions: "3". Tags are compared strongly: a weak one (W/"3") matches nothing, since it
 * promises only something like the item, and neither does one that was never ours.
 *
 * Threading: pure functions.
 */
#ifndef HT_API_IF_MATCH_H
#define HT_API_IF_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether it is such a list. `*any`: it is "*", whatever there is. */
bool ht_if_match_sound(const char *text, size_t size, bool *any);
/* Whether the list has the tag of this version. */
bool ht_if_match_has(const char *text, size_t size, uint64_t version);

/* If-None-Match: whether the list has this tag (given without quotes), compared weakly as RFC 9110
 * wants it here, or is "*". What is no list has none. */
bool ht_if_none_match_has(const char *text, size_t size, const char *tag);

#endif
