/* Planner: the thread that plans the day: which van brings which order when. It looks twenty times
 * a second at what a plan has to know of (orders that came, went or failed, vans that are off or
 * back, streets, kitchens, the clock), and plans anew what is not fixed yet, from the running plan,
 * where something is another. Its result goes onto the orders (api/orders_room.h).
 *
 *   orders, vans, streets --> looks --(another?)--> scene --> ht_day_run --> orders_room_plan
 *                               ^                     ^            |
 *                               +------- 50 ms -------+-- plan ----+
 *
 * The settings document `planner` rules it: prices, limits, what a van carries whose `capacity` the
 * registry does not say, and whether the day is planned here at all (`run`). Where such vans carry
 * nothing (`van_meals` 0), a town none of whose vans says its capacity is planned by others.
 *
 * In lockstep (POST /v1/clock) it looks when it is told to alone, and a search ends by its
 * iterations, not by the machine's time: the same day gives the same plans.
 *
 * Threading: a thread of low priority, of its own; readers from any thread. Ownership: the app
 * outlives it.
 */
#ifndef HT_API_PLANNER_H
#define HT_API_PLANNER_H

#include "api/app.h"
#include "api/planner_plan.h"

struct ht_planner;

/* Starts it; for a store that can be written, after orders, live town and desk are there. */
HT_MUST_CHECK enum ht_status ht_planner_new(struct ht_app *app, struct ht_planner **out);
/* Ends the thread, before the writer ends; its plan can be read until it is freed, when writer and
 * workers have ended. Both take NULL. */
void ht_planner_stop(struct ht_planner *planner);
void ht_planner_free(struct ht_planner *planner);

/* Looks now, and returns when what follows is planned; for who moved the clock. Any thread, not a
 * loop's: a search takes as long as it takes. */
void ht_planner_obey(struct ht_planner *planner);

/* A reference to the plan of now; NULL: none was made yet. */
struct ht_planner_plan *ht_planner_now(struct ht_planner *planner);

struct ht_planner_stats {
    uint64_t plans;
    uint64_t failures;
    int64_t last_ms; /* that the last one took */
    size_t passed_over;
};
void ht_planner_stats_read(struct ht_planner *planner, struct ht_planner_stats *out);

/* GET /v1/units/{id}/plan (api/planner_show.c). */
void ht_planner_unit_get(struct ht_app_context *context, struct ht_http_call *call);

#endif
