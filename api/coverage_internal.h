/* What the calls about coverage share: the town as one question sees it, and how households are
 * counted. Not a door.
 *
 * Threading: on a worker, with its own context. Ownership: a town holds references until it is
 * closed; sets of units are the context's coverage's until its next run.
 */
#ifndef HT_API_COVERAGE_INTERNAL_H
#define HT_API_COVERAGE_INTERNAL_H

#include "api/ask.h"
#include "api/coverage_scene.h"
#include "api/json.h"
#include "api/live.h"
#include "engine/live/coverage.h"

enum {
    HT__COVERAGE_UNITS_MOST = 5000,
    HT__COVERAGE_SECONDS_MOST = 3600,
};

/* Within what, and how units come. */
struct ht__promise {
    uint32_t limit_ms;
    uint32_t turnout_ms; /* before they drive, of the limit */
    bool plain;          /* without blue light */
    bool travel;         /* driving alone: nor turnout, nor the way to the door */
};
/* What `incident`, `severity`, `max_s`, `by` and `blue_light` say, for the filter of `ask`;
 * `limit_ms`: max_s that was said elsewhere, 0: it was not. NULL, or what is wrong, with the name
 * in ask->wrong_name. */
const char *ht__promise_read(struct ht_app_context *context, const struct ht_params *params,
                             uint32_t limit_ms, struct ht_ask *ask, struct ht__promise *out);
/* As members of an object. */
void ht__promise_write(struct ht_json *json, const struct ht__promise *promise);

struct ht__town {
    struct ht_world *world;
    struct ht_homes *homes;
    struct ht_coverage_scene *scene;
    struct ht_live_places places;
    uint32_t limit_ms;              /* for the way to a street and from there to the door */
    bool hopeless;                  /* the turnout alone takes longer: nobody reaches anybody */
    const uint32_t *after_ms;       /* by household; NULL: nothing */
    struct ht_coverage_unit *units; /* of `places`, in the same order; their profile is a lane */
    uint32_t profile_count;
    const struct ht_road *roads[HT_FLEET_PROFILES_MAX]; /* those that were asked for */
    const struct ht_reach_targets *targets[HT_FLEET_PROFILES_MAX];
    /* Whose permits open something go other streets: lanes from HT_FLEET_PROFILES_MAX on, which are
     * lent one at a time. */
    struct ht_app_context *context;
    uint32_t lane_count; /* profiles included */
    uint32_t *lane_live; /* by lane - HT_FLEET_PROFILES_MAX: number in api/live.h; HT_NONE: none */
    struct ht_detour *lent;
};

/* Finds households and the units that fit the filter (NULL: none), and whom each of them reaches
 * within the promise. False with the answer written. To be closed in either case. */
bool ht__town_open(struct ht_app_context *context, const struct ht_unit_filter *filter,
                   const struct ht__promise *promise, struct ht__town *town,
                   struct ht_reply *reply);
void ht__town_close(struct ht__town *town);
/* Makes a profile's road and targets known. HT_NOT_FOUND: the map has no such profile. */
HT_MUST_CHECK enum ht_status ht__town_profile(struct ht_app_context *context, struct ht__town *town,
                                              uint32_t profile);

/* The streets of a lane; those of one past the profiles until the next of them is asked for. */
HT_MUST_CHECK enum ht_status ht__town_lane(void *town, uint32_t lane, const struct ht_road **road,
                                           const struct ht_reach_targets **targets);

struct ht__counts {
    int64_t households;
    int64_t residents;
    int64_t frail;
};

static inline void ht__counts_add(struct ht__counts *counts, const struct ht_homes *homes,
                                  uint32_t i)
{
    counts->households++;
    counts->residents += homes->residents[i];
    counts->frail += ht_homes_is_frail(homes, i);
}

/* Those in (a & ~b); `b` NULL: in a. */
struct ht__counts ht__counts_of(const struct ht_homes *homes, const uint64_t *a, const uint64_t *b);
/* Writes `key` and them, those that are frail only where `frail`. */
void ht__counts_write(struct ht_json *json, const char *key, const struct ht__counts *counts,
                      bool frail);

/* Answers 503 and the like. */
void ht__coverage_refuse(struct ht_reply *reply, enum ht_status status);

#endif
