/* From VROOM's problem document to its solution document: read, route, solve, check, write.
 *
 * Threading: one call works on the calling thread and those that the solver makes. Ownership: all
 * is borrowed for the call.
 */
#ifndef HT_API_VROOM_H
#define HT_API_VROOM_H

#include "api/reply.h"
#include "api/vroom_read.h"
#include "engine/base/geo.h"
#include "engine/base/pool.h"
#include "engine/live/world.h"
#include "engine/plan/solve.h"

struct ht_vroom_call {
    const char *text;
    size_t size;
    struct ht_world *world; /* where there is no matrix; NULL: there is none */
    struct ht_pool *pool;   /* for its tables; may be NULL */
    /* From the document's coordinates; false: no place on Earth. */
    bool (*point)(void *user, const double pair[2], struct ht_point *out);
    /* Back into the document's coordinates, pairs of longitude and latitude; false: it can't be. */
    bool (*pairs)(void *user, double (*pairs)[2], size_t count);
    void *point_user;
    /* The world is not needed meanwhile: solving takes long, and holds no map. And the one that
     * then is, to draw routes over (NULL where none are to be drawn). */
    void (*routed)(void *user);
    struct ht_world *(*again)(void *user);
    void *routed_user;
    /* What is 0 comes from the document, and what is 0 there too from the problem's size. */
    struct ht_solve_options options;
    int64_t limit_most_ms; /* 0: none */
    unsigned threads_most;
};

/* HT_VROOM_OK or another code of VROOM's, with the reason; -1: it was cancelled. `out` gets the
 * document, also of an error (nothing when cancelled). `human`: a list of stops instead, and
 * nothing of an error. */
int ht_vroom_run(const struct ht_vroom_call *call, bool human, struct ht_buffer *out,
                 struct ht_error *error);

/* As ht_solve_run, from the steps on; in VROOM's words where these break a rule. */
HT_MUST_CHECK enum ht_status ht_vroom_solve(const struct ht_vroom *vroom,
                                            const struct ht_solve_options *options,
                                            struct ht_plan **plan, struct ht_error *error);

/* Fills the matrices of all profiles that were not given, over the streets; what can't be reached
 * has no way. HT_INVALID, HT_NO_SEGMENT and so on with VROOM's text and `vroom->code`. */
HT_MUST_CHECK enum ht_status
ht_vroom_route(struct ht_vroom *vroom, const struct ht_vroom_call *call, struct ht_error *error);

/* The ways of all routes of a plan, as polylines of 5 digits: texts of the struct's, one for each
 * route. Errors as ht_vroom_route. */
HT_MUST_CHECK enum ht_status ht_vroom_draw(struct ht_vroom *vroom, const struct ht_vroom_call *call,
                                           const struct ht_plan *plan, const char *const **out,
                                           struct ht_error *error);

#endif
