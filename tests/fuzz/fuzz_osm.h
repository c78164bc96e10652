/* Looks at every byte that an OSM reader hands over, so that a sanitizer sees a wrong one.
 *
 * Threading: one reader thread. Ownership: none. Include it in one .c file of a program.
 */
#ifndef HT_TESTS_FUZZ_FUZZ_OSM_H
#define HT_TESTS_FUZZ_FUZZ_OSM_H

#include <string.h>

#include "geodata/osm.h"

static volatile uint64_t osm_sum; /* so that no look is optimized away */

static inline void osm_look_at_tags(struct ht_osm_tags tags)
{
    for (size_t i = 0; i < tags.count; i++) {
        osm_sum += strlen(tags.list[i].key) + strlen(tags.list[i].value);
    }
}

static inline enum ht_status osm_look(void *user, const struct ht_osm_block *block, size_t worker)
{
    (void)user;
    (void)worker;
    for (size_t i = 0; i < block->node_count; i++) {
        osm_look_at_tags(block->nodes[i].tags);
        osm_sum += ht_point_valid(block->nodes[i].point);
    }
    for (size_t i = 0; i < block->way_count; i++) {
        const struct ht_osm_way *way = &block->ways[i];
        osm_look_at_tags(way->tags);
        for (size_t k = 0; k < way->ref_count; k++) {
            osm_sum += (uint64_t)way->refs[k];
            osm_sum += way->points != NULL && ht_point_valid(way->points[k]);
        }
    }
    for (size_t i = 0; i < block->relation_count; i++) {
        const struct ht_osm_relation *relation = &block->relations[i];
        osm_look_at_tags(relation->tags);
        for (size_t k = 0; k < relation->member_count; k++) {
            osm_sum += (uint64_t)relation->members[k].ref + strlen(relation->members[k].role);
        }
    }
    return HT_OK;
}

#endif
