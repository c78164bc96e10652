/* Read: what stands in the answers, without a word about what does not.
 *
 * Threading: pure functions. Ownership: texts lie in the tree.
 */
#ifndef HT_API_SIMULATE_READ_H
#define HT_API_SIMULATE_READ_H

#include <stdbool.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "engine/base/geo.h"

/* Members of an object; `otherwise`, NULL or 0 where there is no such. */
double ht_sim_number(yajl_val object, const char *name, double otherwise);
const char *ht_sim_text(yajl_val object, const char *name);
bool ht_sim_flag(yajl_val object, const char *name);
int64_t ht_sim_moment_ms(yajl_val object, const char *name);
yajl_val ht_sim_list(yajl_val object, const char *name, size_t *count);
/* NULL: there are not so many. */
yajl_val ht_sim_item(yajl_val list, size_t at);
/* lon and lat. */
bool ht_sim_place(yajl_val object, struct ht_point *out);
/* [lon, lat]. */
bool ht_sim_pair(yajl_val list, struct ht_point *out);
/* The geometry of a feature, where it is a point. */
bool ht_sim_feature_point(yajl_val feature, struct ht_point *out);

#endif
