/* The inside of /v1/near: what near.c reads and near_search.c finds. Not a door. */
#ifndef HT_API_NEAR_INTERNAL_H
#define HT_API_NEAR_INTERNAL_H

#include "api/ask.h"
#include "geodata/area.h"

/* One that was found. */
struct ht__near_found {
    char id[HT_ID_MAX + 1];
    double distance_m; /* -1: no place was asked for */
    uint32_t unit;     /* of units */
    struct ht_point point;
};

struct ht__near {
    const struct ht_collection *collection;
    bool units;
    struct ht_ask ask;
    struct ht_params params;
    struct ht_caller caller;
    int64_t at_ms;
    struct ht_store_filter filters[HT_PARAMS_MOST];
    size_t filter_count;
    bool personal;          /* reads persons, which the writer has to note */
    struct ht_buffer plain; /* the answer without them, should that fail */
    struct ht_area *area;   /* NULL: anywhere */
    struct ht__near_found *list;
    size_t count;
    size_t capacity;
    bool all;  /* are asked for: k is one more than an answer may have */
    bool more; /* than the answer has */
    /* of the search */
    struct ht_geometry geometry;
    double reach_m;  /* of the present round */
    uint8_t *chosen; /* [ht_fleet_end] units that pass `filters`; NULL: all do */
    uint32_t chosen_end;
    struct ht_fleet *fleet;
};

/* Fills the list: the first `ask.live.k` by distance (where a place was asked for), then by id.
 * `error` is set but for HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht__near_items(struct ht_store_reader *reader, struct ht__near *near,
                                            struct ht_error *error);
/* `reader` is asked where there are filters; NULL: there are none. */
HT_MUST_CHECK enum ht_status ht__near_units(struct ht_live *live, struct ht_live_work *work,
                                            struct ht_store_reader *reader, struct ht__near *near,
                                            struct ht_error *error);

#endif
