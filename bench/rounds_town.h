/* Rounds town: the sample town's factories, compounds and inspectors, with the ways between all of
 * them over its streets by e-bike.
 *
 * Threading: none. The town is made by the binary in a folder of its own, which is removed again.
 */
#ifndef HT_BENCH_ROUNDS_TOWN_H
#define HT_BENCH_ROUNDS_TOWN_H

#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

enum {
    HT_ROUNDS_TOWN_FACTORIES = 32,
    HT_ROUNDS_TOWN_TENANTS = 194,
    HT_ROUNDS_TOWN_COMPOUNDS = 92, /* and office blocks and malls */
    HT_ROUNDS_TOWN_INSPECTORS = 113,
    HT_ROUNDS_TOWN_FIRST_COMPOUND = HT_ROUNDS_TOWN_FACTORIES,
    HT_ROUNDS_TOWN_FIRST_HOME = HT_ROUNDS_TOWN_FIRST_COMPOUND + HT_ROUNDS_TOWN_COMPOUNDS,
    HT_ROUNDS_TOWN_PLACES = HT_ROUNDS_TOWN_FIRST_HOME + HT_ROUNDS_TOWN_INSPECTORS
};

struct ht_rounds_town {
    struct ht_point points[HT_ROUNDS_TOWN_PLACES]; /* factories, compounds, homes */
    uint32_t factory_risk[HT_ROUNDS_TOWN_FACTORIES];
    uint32_t tenant_factory[HT_ROUNDS_TOWN_TENANTS];
    uint32_t tenant_risk[HT_ROUNDS_TOWN_TENANTS];
    uint32_t duration_s[HT_ROUNDS_TOWN_PLACES * HT_ROUNDS_TOWN_PLACES];
    uint32_t distance_m[HT_ROUNDS_TOWN_PLACES * HT_ROUNDS_TOWN_PLACES];
};

/* `binary`: the program that makes the town. HT_IO, HT_SYNTAX (not as many as they should be),
 * HT_NOMEM, or what the network's reader says. */
HT_MUST_CHECK enum ht_status ht_rounds_town_read(const char *binary, struct ht_rounds_town *town);

#endif
