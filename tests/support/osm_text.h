/* OSM as lines of text, so that tests can compare what readers hand over with what they expect.
 *
 *   n1 121.7200000 29.9500000 highway=stop
 *   w5 1,2,3 highway=residential name=路          (with @lon/lat behind each node that has its
 * location) r7 w5:from,n2:via,w6:to type=restriction
 *
 * Threading: one reader thread. Ownership: free(text->data). Allocation failure ends the test
 * program.
 */
#ifndef HT_TESTS_SUPPORT_OSM_TEXT_H
#define HT_TESTS_SUPPORT_OSM_TEXT_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/osm.h"

struct osm_text {
    char *data; /* NULL: nothing yet */
    size_t size;
    size_t capacity;
    size_t blocks;
};

__attribute__((format(printf, 2, 3))) static inline void osm_text_add(struct osm_text *text,
                                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *line = NULL;
    int length = vasprintf(&line, format, args);
    va_end(args);
    size_t want = text->size + (size_t)(length < 0 ? 0 : length) + 1;
    if (want > text->capacity) {
        text->capacity = want * 2;
        text->data = realloc(text->data, text->capacity);
    }
    if (length < 0 || text->data == NULL) {
        abort();
    }
    memcpy(text->data + text->size, line, (size_t)length + 1);
    text->size += (size_t)length;
    free(line);
}

static inline void osm_text_tags(struct osm_text *text, struct ht_osm_tags tags)
{
    for (size_t i = 0; i < tags.count; i++) {
        osm_text_add(text, " %s=%s", tags.list[i].key, tags.list[i].value);
    }
    osm_text_add(text, "\n");
}

static inline enum ht_status osm_text_block(void *user, const struct ht_osm_block *block,
                                            size_t worker)
{
    struct osm_text *text = user;
    static const char types[] = "nwr";
    (void)worker;
    text->blocks++;
    for (size_t i = 0; i < block->node_count; i++) {
        const struct ht_osm_node *node = &block->nodes[i];
        osm_text_add(text, "n%" PRId64 " %.7f %.7f", node->id, node->point.lon_e7 / 1e7,
                     node->point.lat_e7 / 1e7);
        osm_text_tags(text, node->tags);
    }
    for (size_t i = 0; i < block->way_count; i++) {
        const struct ht_osm_way *way = &block->ways[i];
        osm_text_add(text, "w%" PRId64 " ", way->id);
        for (size_t k = 0; k < way->ref_count; k++) {
            osm_text_add(text, "%s%" PRId64, k == 0 ? "" : ",", way->refs[k]);
            if (way->points != NULL) {
                osm_text_add(text, "@%.7f/%.7f", way->points[k].lon_e7 / 1e7,
                             way->points[k].lat_e7 / 1e7);
            }
        }
        osm_text_tags(text, way->tags);
    }
    for (size_t i = 0; i < block->relation_count; i++) {
        const struct ht_osm_relation *relation = &block->relations[i];
        osm_text_add(text, "r%" PRId64 " ", relation->id);
        for (size_t k = 0; k < relation->member_count; k++) {
            const struct ht_osm_member *member = &relation->members[k];
            osm_text_add(text, "%s%c%" PRId64 ":%s", k == 0 ? "" : ",", types[member->type],
                         member->ref, member->role);
        }
        osm_text_tags(text, relation->tags);
    }
    return HT_OK;
}

/* Reads all kinds; the text is complete up to where an error came. */
static inline enum ht_status osm_text_read(const void *data, size_t size, struct osm_text *text,
                                           struct ht_error *error)
{
    *text = (struct osm_text){0};
    struct ht_osm_handler handler = {
        .block = osm_text_block, .user = text, .nodes = true, .ways = true, .relations = true};
    osm_text_add(text, "%s", "");
    return ht_osm_read_memory(data, size, NULL, &handler, error);
}

#endif
