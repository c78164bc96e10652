/* Sample towns, made from a seed: demo and tests need no download.
 *
 * The town is laid out as a tree of rectangles: each cut between two of them is a river, a railway,
 * a motorway or an avenue that few streets cross, as in real towns, and the leaves are blocks of
 * one kind (old town, walled compounds, grids, villages, works, the port). Everything is reckoned
 * in integers, so a seed gives the same streets on every machine.
 *
 * Threading: pure functions on their own memory. Ownership: nothing is kept.
 */
#ifndef HT_GEODATA_SAMPLE_H
#define HT_GEODATA_SAMPLE_H

#include <stdint.h>

#include "engine/base/status.h"

enum ht_sample_scale {
    HT_SAMPLE_TOWN, /* some 15,000 junctions, everything that a town has */
    HT_SAMPLE_CITY  /* over 500,000 junctions */
};

/* Number of walled compounds in a town. */
enum { HT_SAMPLE_COMPOUNDS = 56 };

/* Writes the streets as .osm.pbf, around Zhenhai (121.72 E, 29.95 N). HT_IO, HT_NOMEM. The file is
 * not complete after an error. A city takes some seconds and some hundred MB. */
HT_MUST_CHECK enum ht_status ht_sample_streets(const char *path, enum ht_sample_scale scale,
                                               uint64_t seed, struct ht_error *error);

#endif
