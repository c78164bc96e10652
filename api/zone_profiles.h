/* Zone profiles: whether the names in a zone's `profiles` are ones that streets are known by. A
 * name that is none closes nothing, and nobody would notice.
 *
 * Known are the profiles that are built in, those of the served map, and OSRM's names for them.
 *
 * Threading: pure, with a world that the caller holds.
 */
#ifndef HT_API_ZONE_PROFILES_H
#define HT_API_ZONE_PROFILES_H

#include "engine/base/status.h"

struct ht_world;

/* `properties`: a zone's, minified. HT_INVALID: `error` says which name is none. `world` may be
 * NULL. */
HT_MUST_CHECK enum ht_status ht_zone_profiles_check(const struct ht_world *world,
                                                    const char *properties, struct ht_error *error);

#endif
