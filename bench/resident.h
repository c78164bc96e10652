/* Resident: what `houtao serve` of all its profiles, without a store, keeps in memory: its resident
 * set, the pages of the map that it looked at included.
 *
 * Threading: as bench/server.h. What fails ends the program with a line on stderr.
 */
#ifndef HT_BENCH_RESIDENT_H
#define HT_BENCH_RESIDENT_H

#include <stddef.h>

#include "engine/base/geo.h"

struct ht_bench_resident {
    double plain_mb; /* once routes without geometry were everywhere, in each profile */
    double steps_mb; /* and then routes with full geometry and steps, too */
};

/* Asks over HTTP for the way between each two points, in every profile of the file. */
struct ht_bench_resident ht_bench_resident(const char *network, const struct ht_point *points,
                                           size_t point_count);

#endif
