/* Zone profiles: whether the names in a zone's `profiles`, or in a change of the streets, are ones
 * that streets are known by. A name that is none closes nothing, and nobody would notice; nor does
 * a zone that ends before it begins.
 *
 * Known are the profiles that are built in, those of the served map, and OSRM's names for them.
 *
 * Threading: pure, with a world that the caller holds.
 */
#ifndef HT_API_ZONE_PROFILES_H
#define HT_API_ZONE_PROFILES_H

#include "engine/base/status.h"

struct ht_world;

/* Names with commas between. HT_INVALID: `error` says which one is none. `world` may be NULL. */
HT_MUST_CHECK enum ht_status ht_profile_names_check(const struct ht_world *world, const char *names,
                                                    struct ht_error *error);
/* `properties`: a zone's, minified. HT_INVALID: `error` says which name is none, or that it is over
 * before it begins. `world` may be NULL. */
HT_MUST_CHECK enum ht_status ht_zone_check(const struct ht_world *world, const char *properties,
                                           struct ht_error *error);
/* `properties`: a unit's, minified. HT_INVALID: `profile` or `profile_plain` is the name of none,
 * so nobody could ever be sent with it. Not judged where `world` is NULL. */
HT_MUST_CHECK enum ht_status ht_unit_check(const struct ht_world *world, const char *properties,
                                           struct ht_error *error);

#endif
