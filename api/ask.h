/* Ask: what /v1/near and /v1/closest are asked by: place, number, reach, and what units must be
 * like.
 *
 * Threading: pure but for the thread's own context. Ownership: texts are static.
 */
#ifndef HT_API_ASK_H
#define HT_API_ASK_H

#include "api/app.h"
#include "api/live.h"
#include "api/params.h"
#include "geodata/crs.h"

enum { HT_ASK_MOST = 1000, HT_ASK_DEFAULT = 10 };

struct ht_ask {
    struct ht_live_ask live; /* its point is known after ht_ask_locate */
    bool pointed;            /* lon and lat came */
    bool numbered;           /* k came */
    double pair[1][2];       /* they, in `crs` */
    struct ht_crs crs;
    struct ht_crs out_crs;
    bool nobody; /* a skill that no unit has */
    bool geometry;
    const char *wrong_name; /* which parameter, of either of these */
    const char *wrong;      /* NULL, or what makes no sense */
    const char *wrong_unit; /* likewise, where units are asked for */
};

/* `duty`: of units, where the query does not say. */
struct ht_ask ht_ask_read(struct ht_app_context *context, const struct ht_params *params,
                          enum ht_duty duty);

/* Whether to answer takes conversions that may read a database of coordinate systems first. */
bool ht_ask_slow(const struct ht_ask *ask);

/* Makes the thread ready to convert, and a pair a point. HT_RANGE: not on Earth, or a system that
 * nobody knows; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_ask_locate(struct ht_app_context *context, const struct ht_ask *ask,
                                           const double pair[2], struct ht_point *out);

/* Bits of skills with commas or semicolons between. False: one that no unit has. */
bool ht_ask_skills(struct ht_fleet *fleet, const char *text, uint64_t *bits);

/* Answers 400. */
void ht_ask_refuse(struct ht_reply *reply, const char *why);

#endif
