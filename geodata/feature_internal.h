/* Inside the feature room: the three readers share the making of properties (feature_value.c), the
 * feature at hand with its problems (feature.c) and yajl behind a guard (feature_sax.c). */
#ifndef HT_GEODATA_FEATURE_INTERNAL_H
#define HT_GEODATA_FEATURE_INTERNAL_H

#include <setjmp.h>
#include <yajl/yajl_parse.h>
#include <yajl/yajl_tree.h>

#include "geodata/feature.h"

/* --- properties ------------------------------------------------------------------------------- */

struct ht__key {
    uint32_t hash;
    uint32_t size;
    size_t offset; /* in the text */
};

struct ht__frame {
    bool object;
    bool comma;       /* something stands in it */
    size_t first_key; /* among `keys` */
    size_t first_node;
    const char *key; /* whose value comes next, where a tree is made */
};

struct ht__chunk;

/* Makes the properties' JSON text from events, and for each known property a yajl_val, which is
 * checked. */
struct ht__values {
    struct ht_text *out;
    const struct ht_collection *collection;
    const struct ht_crs *crs;
    struct ht_crs_work *work;
    const struct ht_property *property; /* of the value at hand; NULL: unknown */
    size_t value_begin;                 /* where its text begins */
    bool value_is_id;
    char id[HT_ID_MAX + 2]; /* the property `id`, cut where it is too long */
    size_t id_size;
    struct ht__frame frames[HT_FEATURE_DEPTH_MAX];
    size_t depth; /* open objects and lists, the properties themselves included */
    struct ht__key *keys;
    size_t key_count;
    size_t key_capacity;
    struct ht__node {
        struct yajl_val_s *value;
        const char *key;
    } * nodes; /* whose list or object is still open */
    size_t node_count;
    size_t node_capacity;
    struct ht__chunk *chunk; /* memory of the tree */
    struct ht_error bad;     /* status HT_OK: none; the rest is then only counted through */
};

void ht__values_begin(struct ht__values *values); /* opens the properties */
void ht__values_key(struct ht__values *values, const char *text, size_t size);
void ht__values_text(struct ht__values *values, const char *text, size_t size);
void ht__values_number(struct ht__values *values, const char *text, size_t size);
void ht__values_bool(struct ht__values *values, bool value);
void ht__values_null(struct ht__values *values);
void ht__values_open(struct ht__values *values, bool object);
void ht__values_close(struct ht__values *values); /* the last one closes the properties */
void ht__values_deinit(struct ht__values *values);

/* A whole JSON text becomes the value of the key at hand. */
void ht__values_json(struct ht__values *values, const char *text, size_t size);

/* --- the feature at hand ---------------------------------------------------------------------- */

struct ht__reader {
    const struct ht_feature_options *options;
    struct ht_crs own_crs; /* the text's own */
    struct ht__values values;
    struct ht_feature feature;
    struct ht_draft draft;
    enum ht_geometry_type type;
    char id[HT_ID_MAX + 2];
    size_t id_size;
    struct ht_error bad;    /* of the feature */
    struct ht_error *first; /* problem of all */
    enum ht_status result;
    bool stopped;
    uint64_t features;
};

void ht__reader_begin(struct ht__reader *reader, int64_t line);

/* Something is wrong with the feature; only the first such thing counts. */
void ht__reader_fail(struct ht__reader *reader, enum ht_status status, int64_t line,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for what ht__values found. */
void ht__reader_look(struct ht__reader *reader, int64_t line);

void ht__reader_id(struct ht__reader *reader, const char *text, size_t size);

/* Hands the feature to the sink, or its problem to the caller. */
void ht__reader_emit(struct ht__reader *reader);

/* Something is wrong with the text. */
void ht__reader_problem(struct ht__reader *reader, enum ht_status status, int64_t line,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

void ht__read_geojson(struct ht__reader *reader, const char *bytes, size_t size);
void ht__read_ndjson(struct ht__reader *reader, const char *bytes, size_t size);
void ht__read_csv(struct ht__reader *reader, const char *bytes, size_t size);

/* --- yajl ------------------------------------------------------------------------------------- */

/* yajl takes it that memory never runs out. Here its allocator leaps out instead, past yajl's
 * frames only, and what yajl held is freed. */
struct ht__sax {
    yajl_handle handle; /* for yajl_get_bytes_consumed within a callback */
    const yajl_callbacks *callbacks;
    void *user;
    struct ht__block *blocks;
    jmp_buf no_memory;
    size_t consumed; /* after an error: where */
    char message[128];
};

/* One JSON value. HT_SYNTAX (see `message`), HT_CANCELLED (a callback returned 0), HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__sax_parse(struct ht__sax *sax, const char *bytes, size_t size);

#endif
