/* Planner ahead: what of a van's route is still before it, and when it will be there.
 *
 * The plan is some seconds old: what was handed over since, failed, was cancelled or went to
 * another van is not ahead any more, nor is a load of which nothing is left. Where the van stands
 * at a stop (struct ht_planner_here), what can be handed over there by now comes first, whatever
 * the plan has before it; what is to be loaded there, or at a door whose window is not open yet,
 * where nothing elsewhere is before it.
 *
 *   route (immutable) + orders as committed --> ht_planner_ahead_make --> what is ahead
 *   what is ahead + where the van is        --> ht_planner_ahead_bands --> arrival of each
 *
 * Threading: one thread for each struct. Ownership: orders are held until deinit, the route is
 * borrowed. Errors: HT_NOMEM.
 */
#ifndef HT_API_PLANNER_AHEAD_H
#define HT_API_PLANNER_AHEAD_H

#include "api/arrivals.h"
#include "api/planner_plan.h"

enum { HT_PLANNER_LEAST_PART = 4 }; /* of what takes longer than planned this part is left */

struct ht_planner_ahead_stop {
    const struct ht_planner_stop *stop;
    uint32_t index;               /* in the route */
    const struct ht_order *order; /* NULL: a load */
};

struct ht_planner_ahead {
    const struct ht_planner_route *route;
    struct ht_planner_ahead_stop *list;
    uint32_t count;
    uint32_t here; /* the first so many are where the van stands */
};

HT_MUST_CHECK enum ht_status ht_planner_ahead_make(struct ht_app *app,
                                                   const struct ht_planner_route *route,
                                                   const struct ht_planner_here *here,
                                                   struct ht_planner_ahead *out);
void ht_planner_ahead_deinit(struct ht_planner_ahead *ahead);

/* Whether two stops are at one place. */
bool ht_planner_same_place(struct ht_point a, struct ht_point b);

struct ht_planner_when {
    int64_t now_ms;
    uint32_t first_ms; /* to the first stop; UINT32_MAX: as planned */
    struct ht_planner_here here;
};
/* bands[0..ahead->count) of the hand-overs. */
HT_MUST_CHECK enum ht_status ht_planner_ahead_bands(struct ht_arrivals *arrivals,
                                                    const struct ht_planner_ahead *ahead,
                                                    const struct ht_planner_when *when,
                                                    struct ht_arrival_band *bands);
/* The same of a whole route that was planned right now. */
HT_MUST_CHECK enum ht_status ht_planner_route_bands(struct ht_arrivals *arrivals,
                                                    const struct ht_planner_route *route,
                                                    int64_t now_ms, struct ht_arrival_band *bands);

/* What an order is told of a band: nobody comes before its window opens. */
struct ht_order_times ht_planner_times(const struct ht_arrival_band *band,
                                       const struct ht_order *order);

#endif
