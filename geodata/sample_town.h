/* The registry of the sample town: who lives and works in it and what moves there.
 *
 *   cells 90 grids of 18 communities that part the district without gaps, and 56 walled compounds
 *   households some 20,000 behind the compounds' walls, 600 of them frail
 *   factories 32 with 194 tenants · facilities, 92 of them to be seen twice a week
 *   units 24 vans, 40 responders, 113 inspectors · zones a fence, a watched one · devices
 *
 * All of it lies on the streets that ht_sample_streets draws from the same seed: the town as a
 * whole, of a city the district around its middle. Integers only, so a seed gives the same items on
 * every machine. People and firms are made up; no operator has given out numbers that begin with
 * 154.
 *
 * Threading: pure functions on their own memory. Ownership: nothing is kept.
 */
#ifndef HT_GEODATA_SAMPLE_TOWN_H
#define HT_GEODATA_SAMPLE_TOWN_H

#include "geodata/feature.h"
#include "geodata/sample.h"

/* Takes an item, which is borrowed for the call. Anything but HT_OK ends the making. */
typedef enum ht_status ht_sample_sink(void *user, const struct ht_collection *collection,
                                      const struct ht_feature *feature);

/* Gives every item, one collection after the other, cells before the households that lie in them.
 * HT_NOMEM, the sink's errors. */
HT_MUST_CHECK enum ht_status ht_sample_town(enum ht_sample_scale scale, uint64_t seed,
                                            ht_sample_sink *sink, void *user);

/* A file that was written. */
struct ht_sample_file {
    const char *path;
    size_t bytes;
    size_t items;
};

/* Writes them as FOLDER/{collection}.geojson and .csv, each beside and renamed; `told` (may be
 * NULL) is told of each. HT_IO (the message names file and reason), HT_NOMEM. Memory: one
 * collection. */
HT_MUST_CHECK enum ht_status ht_sample_registry(const char *folder, enum ht_sample_scale scale,
                                                uint64_t seed,
                                                void (*told)(const struct ht_sample_file *file),
                                                struct ht_error *error);

#endif
