/* OSM: what a reader hands over, whatever the file's format was.
 *
 * A file is read in blocks of a few thousand entities. Readers decode blocks on several threads and
 * call the handler's `block` concurrently; `index` gives the order in the file. Everything in a
 * block (tags, refs, members) is borrowed and dies when the call returns.
 */
#ifndef HT_GEODATA_OSM_H
#define HT_GEODATA_OSM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/pool.h"
#include "engine/base/status.h"

struct ht_osm_tag {
    const char *key; /* NUL-terminated UTF-8 */
    const char *value;
};

struct ht_osm_tags {
    const struct ht_osm_tag *list;
    size_t count;
};

struct ht_osm_node {
    int64_t id;
    struct ht_point point; /* may be out of range: ask ht_point_valid */
    struct ht_osm_tags tags;
};

struct ht_osm_way {
    int64_t id;
    const int64_t *refs;
    const struct ht_point *points; /* locations on ways; NULL where the file has none */
    size_t ref_count;
    struct ht_osm_tags tags;
};

enum ht_osm_type { HT_OSM_NODE, HT_OSM_WAY, HT_OSM_RELATION };

struct ht_osm_member {
    int64_t ref;
    const char *role;
    enum ht_osm_type type;
};

struct ht_osm_relation {
    int64_t id;
    const struct ht_osm_member *members;
    size_t member_count;
    struct ht_osm_tags tags;
};

struct ht_osm_block {
    size_t index;
    const struct ht_osm_node *nodes;
    size_t node_count;
    const struct ht_osm_way *ways;
    size_t way_count;
    const struct ht_osm_relation *relations;
    size_t relation_count;
};

struct ht_osm_handler {
    /* Called concurrently. Anything but HT_OK stops the read and is returned by it. */
    enum ht_status (*block)(void *user, const struct ht_osm_block *block, size_t worker);
    /* May be NULL: bytes done of all, from one thread at a time. */
    void (*progress)(void *user, uint64_t done, uint64_t total);
    void *user;
    bool nodes; /* what is wanted; the rest is skipped as cheaply as the format allows */
    bool ways;
    bool relations;
};

/* The value of a tag, or NULL. Linear in the tags. */
const char *ht_osm_tag_value(struct ht_osm_tags tags, const char *key);

/* Reads a .osm.pbf, .osm, .osm.gz or .osm.bz2 file (known by its first bytes, not by its name).
 * `pool` NULL: on the caller's thread alone. XML is always read on one thread. A PBF is known to be
 * whole before anything of it is handed over. Deleted versions (files with history) are left out;
 * bytes that are not UTF-8 become '?'.
 *
 * Errors: HT_IO, HT_FOREIGN, HT_TRUNCATED, HT_SYNTAX, HT_TOO_BIG (a block that unpacks to more than
 * the format allows, or one entity without end), HT_UNSUPPORTED (a required feature, a way of
 * packing, a change file: it is named), HT_EMPTY, HT_NOMEM; `error` (may be NULL) says what and
 * where (byte for PBF, line for XML). What the handler returned comes back with the code's own
 * text. */
HT_MUST_CHECK enum ht_status ht_osm_read(const char *path, struct ht_pool *pool,
                                         const struct ht_osm_handler *handler,
                                         struct ht_error *error);

/* The same from memory: for tests and fuzzers. */
HT_MUST_CHECK enum ht_status ht_osm_read_memory(const void *data, size_t size, struct ht_pool *pool,
                                                const struct ht_osm_handler *handler,
                                                struct ht_error *error);

/* Writes PBF (dense nodes, zlib), blocks of 8,000 entities: for samples and tests. Nodes, ways,
 * relations in this order. The writer copies what it is given. */
struct ht_osm_writer;
HT_MUST_CHECK enum ht_status ht_osm_writer_open(const char *path, struct ht_osm_writer **out,
                                                struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_osm_write_node(struct ht_osm_writer *writer,
                                               const struct ht_osm_node *node);
HT_MUST_CHECK enum ht_status ht_osm_write_way(struct ht_osm_writer *writer,
                                              const struct ht_osm_way *way);
HT_MUST_CHECK enum ht_status ht_osm_write_relation(struct ht_osm_writer *writer,
                                                   const struct ht_osm_relation *relation);
/* Flushes, syncs, closes and frees; the first error of the whole writing is returned. */
HT_MUST_CHECK enum ht_status ht_osm_writer_close(struct ht_osm_writer *writer);

#endif
