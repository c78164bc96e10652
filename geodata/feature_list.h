/* A list of features with copies of their own: what was read, until all of it may be stored.
 *
 * Threading: plain values. Ownership: the list's.
 */
#ifndef HT_GEODATA_FEATURE_LIST_H
#define HT_GEODATA_FEATURE_LIST_H

#include "geodata/feature.h"

struct ht_feature_list {
    struct ht_feature *items;
    size_t count;
    size_t capacity;
};

void ht_feature_list_deinit(struct ht_feature_list *list);

/* Appends a copy. HT_NOMEM. Its form suits struct ht_feature_options' sink. */
HT_MUST_CHECK enum ht_status ht_feature_list_add(void *list, const struct ht_feature *feature);

#endif
