/* The inside of follow.h, for its test. */
#ifndef HT_ENGINE_LIVE_FOLLOW_INTERNAL_H
#define HT_ENGINE_LIVE_FOLLOW_INTERNAL_H

#include "engine/live/follow.h"

/* ht_follow_place whose first look goes as far as `first_m`; from HT_FOLLOW_REACH_M on without any
 * short cut. The answer is the same with any. */
HT_MUST_CHECK enum ht_status ht__follow_place(struct ht_follow *follow, const struct ht_road *road,
                                              const struct ht_fix *fix, const struct ht_place *last,
                                              double first_m, struct ht_place *out);

#endif
