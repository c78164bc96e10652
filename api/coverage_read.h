/* The body of POST /v1/coverage/moves, read and checked.
 *
 *   {"kind": "responder", "skills": ["aid"], "status": "idle", "shift": "on", "max_age_s": 300,
 *    "incident": "sos", "severity": 3, "blue_light": true, "by": "promise" | "travel",
 *    "max_s": 600, "weigh": "households" | "residents" | "frail",
 *    "moves": 3, "travel_s": 900,
 *    "sites": ["station", "service_point"], "candidates": [{"id": "c1", "lon": .., "lat": ..}],
 *    "corners": 20,
 *    "new": {"count": 1, "profile": "emergency", "beside": "sites" | "units" | "none"}}
 *
 * Threading: pure functions. Ownership: texts are the struct's, which keeps the tree they lie in.
 */
#ifndef HT_API_COVERAGE_READ_H
#define HT_API_COVERAGE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

#include "engine/base/status.h"
#include "engine/base/text.h"

enum {
    HT_COVERAGE_BODY_MOST = 1 << 20,
    HT_COVERAGE_SPOTS_MOST = 1000, /* candidates of a body, and of all kinds together */
    HT_COVERAGE_CORNERS_MOST = 200,
    HT_COVERAGE_MOVES_MOST = 100,
};

enum ht_coverage_weigh { HT_WEIGH_HOUSEHOLDS, HT_WEIGH_RESIDENTS, HT_WEIGH_FRAIL };
/* What covers already, where new sites are looked for. */
enum ht_coverage_beside { HT_BESIDE_SITES, HT_BESIDE_UNITS, HT_BESIDE_NONE };

extern const char *const ht_coverage_weighs[]; /* by the enum, NULL at the end */
extern const char *const ht_facility_kinds[];  /* by bit, NULL at the end */

struct ht_coverage_spot {
    const char *id;
    double pair[2]; /* in the call's coordinate system */
};

struct ht_coverage_body {
    char wrong_at[128]; /* a JSON pointer to what was refused */
    yajl_val tree;
    struct ht_text filter; /* of units, as the query of a GET */
    uint32_t limit_ms;     /* 0: the promise of the kind of incident */
    uint32_t travel_ms;    /* UINT32_MAX: any */
    enum ht_coverage_weigh weigh;
    uint32_t most; /* moves, or new sites */
    uint32_t corners;
    uint32_t kinds; /* bits of ht_facility_kinds */
    struct ht_coverage_spot *spots;
    size_t spot_count;
    bool is_new;
    const char *profile; /* NULL: that of most units */
    enum ht_coverage_beside beside;
};

/* HT_SYNTAX (400), HT_TOO_BIG (413) with what and where; HT_NOMEM. To be deinited in any case. */
HT_MUST_CHECK enum ht_status ht_coverage_body_read(const char *text, size_t size,
                                                   struct ht_coverage_body *out,
                                                   struct ht_error *error);
void ht_coverage_body_deinit(struct ht_coverage_body *body);

#endif
