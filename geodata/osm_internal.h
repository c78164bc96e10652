/* What the readers of OSM share: where bytes come from, and the block that they build.
 *
 * Threading: a source may be read from several threads; a builder belongs to one. Ownership: a
 * builder owns its arrays; the strings in them are borrowed and must live until the block was
 * handed over.
 */
#ifndef HT_GEODATA_OSM_INTERNAL_H
#define HT_GEODATA_OSM_INTERNAL_H

#include "geodata/osm.h"

/* A file (data NULL) or bytes in memory. Files are read with pread and never mapped: a map of a
 * file that somebody truncates meanwhile ends in SIGBUS. */
struct ht__osm_source {
    const uint8_t *data;
    int fd;
    uint64_t size;
};

/* Copies [at, at + size). HT_TRUNCATED past the end, HT_IO. */
enum ht_status ht__osm_source_read(const struct ht__osm_source *source, uint64_t at, void *out,
                                   size_t size, struct ht_error *error);

enum ht__osm_kind { HT__OSM_NODES, HT__OSM_WAYS, HT__OSM_RELATIONS, HT__OSM_KINDS };

struct ht__osm_tags {
    struct ht_osm_tag *list;
    size_t count;
    size_t capacity;
};

/* Entities are appended; the lists that belong to one (tags, refs, members) lie behind each other
 * in the same order, so pointers are laid once, when nothing moves any more. */
struct ht__osm_builder {
    struct ht_osm_node *nodes;
    size_t node_count;
    size_t node_capacity;
    struct ht_osm_way *ways;
    size_t way_count;
    size_t way_capacity;
    struct ht_osm_relation *relations;
    size_t relation_count;
    size_t relation_capacity;
    struct ht__osm_tags tags[HT__OSM_KINDS];
    int64_t *refs;
    size_t ref_count;
    size_t ref_capacity;
    struct ht_point *points; /* beside refs, as long as they once a way has some */
    size_t point_capacity;
    struct ht_osm_member *members;
    size_t member_count;
    size_t member_capacity;
};

/* A way under construction has points: any pointer that is not NULL, replaced by the finish. */
extern const struct ht_point ht__osm_has_points;

void ht__osm_builder_deinit(struct ht__osm_builder *builder);
void ht__osm_builder_clear(struct ht__osm_builder *builder);
size_t ht__osm_builder_count(const struct ht__osm_builder *builder);

/* Room for `more` items, then a plain append by the caller. HT_NOMEM. */
enum ht_status ht__osm_reserve_nodes(struct ht__osm_builder *builder, size_t more);
enum ht_status ht__osm_reserve_ways(struct ht__osm_builder *builder, size_t more);
enum ht_status ht__osm_reserve_relations(struct ht__osm_builder *builder, size_t more);
enum ht_status ht__osm_reserve_tags(struct ht__osm_builder *builder, enum ht__osm_kind kind,
                                    size_t more);
enum ht_status ht__osm_reserve_refs(struct ht__osm_builder *builder, size_t more, bool points);
enum ht_status ht__osm_reserve_members(struct ht__osm_builder *builder, size_t more);

/* Lays the pointers and shows the block; valid until the builder is changed. */
struct ht_osm_block ht__osm_builder_finish(struct ht__osm_builder *builder, size_t index);

/* What a builder is to do with an entity of this kind. */
bool ht__osm_wanted(const struct ht_osm_handler *handler, enum ht__osm_kind kind);

/* Replaces each byte that is not part of valid UTF-8 by '?', in place. */
void ht__osm_clean_utf8(char *text, size_t size);

enum ht__osm_packing { HT__OSM_PLAIN, HT__OSM_GZIP, HT__OSM_BZIP2 };

enum ht_status ht__osm_read_pbf(const struct ht__osm_source *source, struct ht_pool *pool,
                                const struct ht_osm_handler *handler, struct ht_error *error);
enum ht_status ht__osm_read_xml(const struct ht__osm_source *source, enum ht__osm_packing packing,
                                const struct ht_osm_handler *handler, struct ht_error *error);

#endif
