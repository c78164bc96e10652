/* The rooms behind sample_town.h: the census (what was planned, and the item at hand), cells,
 * homes, sites, units, names, and the two forms in which items are written.
 *
 * A census keeps the first error and ignores what comes after it, so making items needs no checks.
 *
 * Threading: one census, one thread. Ownership: the census owns its memory.
 */
#ifndef HT_GEODATA_SAMPLE_TOWN_INTERNAL_H
#define HT_GEODATA_SAMPLE_TOWN_INTERNAL_H

#include "geodata/sample_internal.h"
#include "geodata/sample_town.h"

enum {
    HT__COMMUNITIES = 18,
    HT__GRIDS = 90,
    HT__HOUSEHOLDS = 20000,
    HT__FRAIL = 600,
    HT__FACTORIES = 32,
    HT__TENANTS = 194,
    HT__STATIONS = 2,
    HT__POINTS = 8, /* service points */
    HT__KITCHENS = 3,
    HT__SITES = 92, /* to be seen: the compounds, then building sites */
    HT__RESPONDERS = 40,
    HT__NEVER_ENDS = 3, /* the shift after the three */
    HT__DEVICE_KINDS = 6,
};

struct ht__compound {
    uint32_t area;
    uint32_t grid;
    uint32_t district; /* which of the sub-districts */
    uint8_t style;
    int32_t households;
    char name[96];
};

/* A cell of the partition: a rectangle that reaches to the middle of the strips around it. */
struct ht__territory {
    struct ht__rect rect;
    uint32_t area;
    uint32_t parent; /* community of a grid */
    char name[96];
};

struct ht__frail {
    uint32_t household;
    uint32_t kinds; /* of devices, a bit each */
};

struct ht__census {
    struct ht__town town;
    uint64_t seed;
    uint32_t district; /* the area that all of it lies in */
    uint32_t *leaves;  /* of the district, neighbours beside each other */
    size_t leaf_count;
    uint32_t *weights; /* of each area: its leaves, compounds counted thrice */
    struct ht__compound compounds[HT_SAMPLE_COMPOUNDS];
    size_t compound_count;
    struct ht__territory communities[HT__COMMUNITIES];
    size_t community_count;
    struct ht__territory grids[HT__GRIDS];
    size_t grid_count;
    struct ht__frail frail[HT__FRAIL];
    size_t frail_count;

    enum ht_status status;
    const struct ht_collection *collection;
    ht_sample_sink *sink;
    void *user;
    struct ht_feature item;
    char id[HT_ID_MAX + 1];
};

/* --- the plan (sample_town.c) --- */

const struct ht__area *ht__census_area(const struct ht__census *census, uint32_t area);

/* The i-th of `count` leaves of these kinds (a bit each), spread over the district; any leaf where
 * there is none of them. */
const struct ht__area *ht__census_leaf(const struct ht__census *census, uint32_t kinds, size_t i,
                                       size_t count);

struct ht_point ht__census_globe(const struct ht__census *census, struct ht__place place);

/* A crossing of the block, by column and row, or any. */
struct ht__place ht__census_crossing(const struct ht__census *census, const struct ht__area *area,
                                     uint32_t column, uint32_t row);
/* A door beside one of the block's streets. */
struct ht_point ht__census_door(const struct ht__census *census, const struct ht__area *area,
                                struct ht__dice *dice);

/* --- the item at hand (sample_town_item.c) --- */

void ht__item_collection(struct ht__census *census, const char *name);
void ht__item_begin(struct ht__census *census, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void ht__item_point(struct ht__census *census, struct ht_point point);
/* A polygon of one ring, whose first point is given once. */
void ht__item_ring(struct ht__census *census, const struct ht_point *points, size_t count);
/* Properties come in the order of the collection's table, which is that of CSV's columns, so that
 * both forms load as the same bytes. */
void ht__item_text(struct ht__census *census, const char *name, const char *value);
void ht__item_number(struct ht__census *census, const char *name, int64_t value);
void ht__item_bool(struct ht__census *census, const char *name, bool value);
void ht__item_place(struct ht__census *census, const char *name, struct ht_point value);
/* Any other value, as JSON. */
void ht__item_json(struct ht__census *census, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A list of those texts whose bits are set. */
void ht__item_words(struct ht__census *census, const char *name, const char *const *words,
                    uint32_t bits);
/* The value of a property that is written piece by piece into `item.properties`. */
struct ht_text *ht__item_open(struct ht__census *census, const char *name);
void ht__item_end(struct ht__census *census);

/* --- collections, one room each --- */

/* Parts the district; before all others. */
void ht__cells_plan(struct ht__census *census);
void ht__cells_make(struct ht__census *census);
/* The grid that an area lies in. */
uint32_t ht__cells_grid_of(const struct ht__census *census, const struct ht__area *area);
void ht__zones_make(struct ht__census *census);

void ht__homes_plan(struct ht__census *census);
void ht__homes_make(struct ht__census *census);
void ht__devices_make(struct ht__census *census);

void ht__factories_make(struct ht__census *census);
void ht__facilities_make(struct ht__census *census);
/* Where kitchens, stations, the hospital and service points stand. */
struct ht_point ht__facilities_home(const struct ht__census *census, const char *kind, size_t i,
                                    size_t count);

/* The main gate of a compound. */
struct ht_point ht__compound_gate(const struct ht__census *census,
                                  const struct ht__compound *compound);

void ht__units_make(struct ht__census *census);

/* --- where responders wait (sample_town_posts.c) --- */

struct ht__guard {
    uint32_t shift; /* HT__NEVER_ENDS: on duty in all of them */
    int32_t kmh;
    bool fixed;  /* to the post that is given: those whose station it is */
    bool placed; /* as who is fixed */
    uint32_t post;
    struct ht_point point; /* this and the next: the answer */
    char home[16];
};

struct ht__guards {
    struct ht__guard all[HT__RESPONDERS];
};

/* Posts count from 0, stations first. After homes were planned. */
void ht__guards_post(const struct ht__census *census, struct ht__guards *guards);

/* --- names of people and firms (sample_town_names.c) --- */

enum { HT__NAME_BYTES = 96 };

enum ht__age { HT__AGE_OLD, HT__AGE_GROWN };

/* `surname`: NULL, or whose child it is. */
void ht__person_make(struct ht__dice *dice, enum ht__age age, const char *surname,
                     char out[HT__NAME_BYTES]);
/* The surname that the name begins with. */
const char *ht__person_surname(const char *name);
void ht__phone_make(struct ht__dice *dice, char out[16]);

struct ht__industry {
    const char *name;
    int32_t risk;
};
/* One of an industry of at most this risk, or of this risk. */
const struct ht__industry *ht__industry_pick(struct ht__dice *dice, int32_t risk, bool exactly);
void ht__firm_make(struct ht__dice *dice, const char *what, char out[HT__NAME_BYTES]);

extern const char *const ht__subdistricts[4];

/* --- the CSV form (sample_town_csv.c) --- */

/* The header row, and a row for each item, CRLF as RFC 4180 has it. */
void ht__csv_header(const struct ht_collection *collection, struct ht_text *out);
void ht__csv_row(const struct ht_collection *collection, const struct ht_feature *feature,
                 struct ht_text *out);

#endif
