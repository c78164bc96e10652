/* Coverage sites: where units may be sent, or something be built: facilities, places that are
 * named, street corners near those whom nobody reaches.
 *
 * Threading: on a worker, with its own context. Ownership: the list is the caller's.
 */
#ifndef HT_API_COVERAGE_SITES_H
#define HT_API_COVERAGE_SITES_H

#include "api/coverage_internal.h"
#include "api/coverage_read.h"
#include "geodata/crs.h"

enum ht_site_from { HT_SITE_FACILITY, HT_SITE_CANDIDATE, HT_SITE_CORNER };

struct ht_site {
    char id[HT_UNIT_ID_MAX + 1];
    enum ht_site_from from;
    struct ht_point point;
};

struct ht_sites {
    struct ht_site *list;
    size_t count;
    size_t capacity;
};

/* Facilities of the body's kinds, by id. HT_TOO_BIG: more than HT_COVERAGE_SPOTS_MOST. */
HT_MUST_CHECK enum ht_status ht_sites_facilities(struct ht_sites *sites, uint32_t kinds,
                                                 struct ht_store_reader *reader,
                                                 struct ht_error *error);
/* Those that the body names. HT_SYNTAX: not on Earth. */
HT_MUST_CHECK enum ht_status ht_sites_named(struct ht_sites *sites,
                                            const struct ht_coverage_body *body,
                                            const struct ht_crs *crs, struct ht_crs_work *work,
                                            struct ht_error *error);
/* The corners nearest to where most of those that are not in `covered` live: one for each square of
 * about 400 m, `most` at most. `weights` NULL: households count 1 each. */
HT_MUST_CHECK enum ht_status ht_sites_corners(struct ht_sites *sites, const struct ht_road *road,
                                              const struct ht_homes *homes, const uint64_t *covered,
                                              const uint32_t *weights, uint32_t most);
void ht_sites_deinit(struct ht_sites *sites);

#endif
