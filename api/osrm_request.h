/* A parsed request of the OSRM API: what the URL (or the body) said, checked as far as it can be
 * without a network.
 *
 * Threading: one thread at a time. Ownership: lists own their memory and keep it from request to
 * request, so that steady traffic allocates nothing; everything else is by value.
 */
#ifndef HT_API_OSRM_REQUEST_H
#define HT_API_OSRM_REQUEST_H

#include <math.h>
#include <stdatomic.h>

#include "api/osrm.h"
#include "engine/base/geo.h"

enum ht_osrm_service {
    HT_OSRM_ROUTE,
    HT_OSRM_TABLE,
    HT_OSRM_NEAREST,
    HT_OSRM_TRIP,
    HT_OSRM_MATCH,
    HT_OSRM_TILE,
    HT_OSRM_SERVICES,
};

enum ht_osrm_overview { HT_OSRM_OVERVIEW_SIMPLIFIED, HT_OSRM_OVERVIEW_FULL, HT_OSRM_OVERVIEW_NONE };

/* Annotations of routes; a table uses the first two. */
enum ht_osrm_annotation {
    HT_OSRM_DURATION = 1 << 0,
    HT_OSRM_DISTANCE = 1 << 1,
    HT_OSRM_NODES = 1 << 2,
    HT_OSRM_WEIGHT = 1 << 3,
    HT_OSRM_DATASOURCES = 1 << 4,
    HT_OSRM_SPEED = 1 << 5,
    HT_OSRM_ANNOTATE_ALL = (1 << 6) - 1,
};

enum ht_osrm_straight { HT_OSRM_STRAIGHT_DEFAULT, HT_OSRM_STRAIGHT_YES, HT_OSRM_STRAIGHT_NO };

/* A growable list that keeps its memory. */
struct ht_osrm_list {
    void *data;
    size_t count;
    size_t capacity;
};

struct ht_osrm_xy {
    double x;
    double y;
};

struct ht_osrm_bearing {
    int16_t bearing_deg; /* -1: none given */
    int16_t range_deg;
};

/* A piece of `text`. */
struct ht_osrm_piece {
    uint32_t offset;
    uint32_t size;
};

#define HT_OSRM_NAME_MAX 64
#define HT_OSRM_HINT_SIZE 56 /* characters of one place in a hint */

struct ht_osrm_request {
    enum ht_osrm_service service;
    char profile[HT_OSRM_NAME_MAX];
    char crs[HT_OSRM_NAME_MAX];     /* of the coordinates; "": WGS84 longitude, latitude */
    char out_crs[HT_OSRM_NAME_MAX]; /* of the answer; "": the same as crs */

    struct ht_osrm_list text;         /* char: the decoded URL */
    struct ht_osrm_list coordinates;  /* struct ht_osrm_xy, as given */
    struct ht_osrm_list points;       /* struct ht_point: the same in WGS84 */
    struct ht_osrm_list radiuses;     /* double: NaN none given, infinite "unlimited" */
    struct ht_osrm_list bearings;     /* struct ht_osrm_bearing */
    struct ht_osrm_list approaches;   /* uint8_t, enum ht_approach */
    struct ht_osrm_list hints;        /* struct ht_osrm_piece, size 0: none given */
    struct ht_osrm_list exclude;      /* struct ht_osrm_piece */
    struct ht_osrm_list sources;      /* uint32_t; empty: all */
    struct ht_osrm_list destinations; /* uint32_t; empty: all */
    struct ht_osrm_list waypoints;    /* uint32_t; empty: all */
    struct ht_osrm_list timestamps;   /* uint32_t */
    struct ht_osrm_piece avoid;       /* what avoid= says */
    struct ht_osrm_list scratch;      /* struct ht_point: polylines while they are read */

    bool generate_hints;
    bool skip_waypoints;
    bool any_street; /* snapping=any */
    bool flatbuffers;
    bool departs;            /* depart= was asked for */
    bool avoids;             /* avoid= was, even if empty */
    bool coordinates_wide;   /* some number is no degree */
    bool coordinates_broken; /* a polyline that is none, or outside the globe */

    uint32_t alternatives; /* further routes wanted */
    bool steps;
    bool annotate;        /* annotations= other than false */
    unsigned annotations; /* enum ht_osrm_annotation */
    uint8_t geometry;     /* enum ht_osrm_geometry */
    enum ht_osrm_overview overview;
    enum ht_osrm_straight continue_straight;

    int64_t depart_ms; /* UTC */

    double fallback_speed; /* NaN: none */
    bool fallback_snapped;
    double scale_factor;

    uint32_t number; /* nearest */

    bool roundtrip;
    bool source_first;
    bool destination_last;

    bool gaps_ignore;
    bool tidy;

    uint32_t tile_x;
    uint32_t tile_y;
    uint32_t tile_z;

    atomic_int state; /* enum ht_osrm_request_state */
};

/* Who frees a request: a thread's own is parked when it is done, and outlives its ht_osrm when it
 * is still in another thread's hands. */
enum ht_osrm_request_state { HT_OSRM_PARKED, HT_OSRM_BUSY, HT_OSRM_ORPHAN };

HT_MUST_CHECK enum ht_status ht_osrm_request_new(struct ht_osrm_request **out);
/* Frees it whatever its state. */
void ht_osrm_request_destroy(struct ht_osrm_request *request);
/* Defaults, lists emptied and kept. */
void ht_osrm_request_reset(struct ht_osrm_request *request);

/* Adds one item of `item` bytes; false when memory ran out. */
bool ht_osrm_list_add(struct ht_osrm_list *list, const void *item, size_t size);

static inline size_t ht_osrm_point_count(const struct ht_osrm_request *request)
{
    return request->points.count;
}

static inline const struct ht_point *ht_osrm_points(const struct ht_osrm_request *request)
{
    return request->points.data;
}

/* {"code", "message"} with HTTP 400, OSRM's form of every error. */
void ht_osrm_error(struct ht_reply *reply, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
