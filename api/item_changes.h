/* Item changes: which collections of the registry changed when, for whoever keeps something that
 * was made of one.
 *
 * It is asked of the table of events, which tells each change of an item, also by another process:
 * what came since the last look is looked through. Where that is more than a few thousand, every
 * collection counts as changed.
 *
 * Threading: any thread, with its own reader of the store; one looks at a time, for as long as it
 * takes to read what is new. Ownership: none.
 */
#ifndef HT_API_ITEM_CHANGES_H
#define HT_API_ITEM_CHANGES_H

#include "geodata/store.h"

struct ht_item_changes;

HT_MUST_CHECK enum ht_status ht_item_changes_new(struct ht_item_changes **out);
void ht_item_changes_free(struct ht_item_changes *changes); /* NULL is fine */

/* A number that is another after each change of a collection: what is read of the store after this
 * call is at least as new as it says. Errors of the store. */
HT_MUST_CHECK enum ht_status ht_item_changes_look(struct ht_item_changes *changes,
                                                  struct ht_store_reader *reader,
                                                  const struct ht_collection *collection,
                                                  int64_t *version, struct ht_error *error);

#endif
