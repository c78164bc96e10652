/* Collections: what the town's registry holds, as a table: names, shapes, properties, words.
 *
 *   households cells factories facilities units zones devices
 *
 * Whoever reads, stores, filters or shows a thing asks this table; nothing else lists properties.
 * What a collection does not know is kept as it came. A property that is null counts as absent, and
 * none is required.
 *
 * Threading: constant tables, pure functions. Ownership: everything returned is static.
 */
#ifndef HT_GEODATA_COLLECTION_H
#define HT_GEODATA_COLLECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"
#include "geodata/geometry.h"

struct yajl_val_s; /* a JSON value: <yajl/yajl_tree.h> */

enum ht_property_type {
    HT_PROPERTY_TEXT,          /* up to 4,096 bytes; one of `words` where there are any */
    HT_PROPERTY_ID,            /* of another item: ht_id_valid */
    HT_PROPERTY_CRS,           /* a name that ht_crs_parse knows */
    HT_PROPERTY_TIME,          /* RFC 3339 */
    HT_PROPERTY_NUMBER,        /* low to high */
    HT_PROPERTY_INTEGER,       /* whole, low to high; 3.0 is whole */
    HT_PROPERTY_BOOL,          /* true, false */
    HT_PROPERTY_TEXT_LIST,     /* ["a", "b"] */
    HT_PROPERTY_NUMBER_LIST,   /* [1, 2], each low to high */
    HT_PROPERTY_RANGE,         /* [min, max], low to high */
    HT_PROPERTY_MIXED_LIST,    /* of texts and objects: contacts */
    HT_PROPERTY_OBJECT_LIST,   /* tenants: objects with id, name, industry, risk, visit fields */
    HT_PROPERTY_POINT,         /* [lon, lat], WGS84 once read */
    HT_PROPERTY_PLACE,         /* the id of an item, or [lon, lat] */
    HT_PROPERTY_OPENING_HOURS, /* a text or a list of texts, see ht_hours_text */
    HT_PROPERTY_ANSWERS,       /* ids by level, see geodata/answers.h */
    HT_PROPERTY_GATE,          /* a text, [lon, lat], or an object; its `hours` are opening hours */
};

struct ht_property {
    const char *name;
    const char *const *words; /* NULL-terminated; NULL: any */
    double low;
    double high;
    enum ht_property_type type;
    bool personal;   /* only for who may see it (the contract's list) */
    bool searchable; /* by /v1/search */
    bool indexed;    /* the store finds items by it without looking at all of them */
};

struct ht_collection {
    const char *name;
    const char *title;
    uint32_t geometries; /* a bit (1 << type) for each type that is allowed */
    const struct ht_property *properties;
    size_t property_count;
};

const struct ht_collection *ht_collections(size_t *count);

/* NULL: there is none. */
const struct ht_collection *ht_collection_find(const char *name, size_t size);
const struct ht_property *ht_collection_property(const struct ht_collection *collection,
                                                 const char *name, size_t size);

/* 1 to 64 of letters, digits, "._:-". */
enum { HT_ID_MAX = 64 };
bool ht_id_valid(const char *id, size_t size);

/* Whether such a geometry may lie in the collection. HT_INVALID: "geometry must be Point". */
HT_MUST_CHECK enum ht_status ht_collection_check_geometry(const struct ht_collection *collection,
                                                          enum ht_geometry_type type,
                                                          struct ht_error *error);

/* Whether the value suits the property. HT_INVALID: "status must be one of off, idle, busy". */
HT_MUST_CHECK enum ht_status ht_property_check(const struct ht_property *property,
                                               const struct yajl_val_s *value,
                                               struct ht_error *error);

/* The same for a property by its name, which may be unknown (HT_OK), with the item's name before
 * the text: "units/u1: status must be one of off, idle, busy". */
HT_MUST_CHECK enum ht_status ht_collection_check(const struct ht_collection *collection,
                                                 const char *id, const char *name,
                                                 const struct yajl_val_s *value,
                                                 struct ht_error *error);

/* The condition, for ht_schedule_parse, that a value of opening hours stands for, appended: a text
 * as it is, the items of a list joined by "; ", and a list of two clock times ("08:00", "17:00")
 * joined by "-". HT_INVALID: neither a text nor a list of texts; HT_EMPTY: a list of none (always
 * open, or what the caller says). */
HT_MUST_CHECK enum ht_status ht_hours_text(const struct yajl_val_s *value, struct ht_text *out);

#endif
