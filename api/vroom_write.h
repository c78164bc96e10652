/* Answers of the solver as VROOM's solution documents.
 *
 * As VROOM writes them, with two keys of our own: each unassigned task says the `reason`
 * (skills, capacity, no_way, window, full), and computing_times the `iterations`.
 * `violations` are empty but in plan mode: nothing that the search answers breaks a rule.
 *
 * Threading: pure functions.
 */
#ifndef HT_API_VROOM_WRITE_H
#define HT_API_VROOM_WRITE_H

#include "api/json.h"
#include "api/vroom_read.h"

/* How long the parts took, and where the routes go. */
struct ht_vroom_times {
    int64_t loading_ms;
    int64_t routing_ms;
    const char *const *lines; /* polylines of the routes; NULL: not asked for */
};

void ht_vroom_write(struct ht_buffer *out, const struct ht_vroom *vroom, const struct ht_plan *plan,
                    const struct ht_vroom_times *times);
/* {"code", "error"} */
void ht_vroom_write_error(struct ht_buffer *out, int code, const char *message);

#endif
