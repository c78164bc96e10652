/* Drive: somebody on the way along a line, at a pace that wavers, and where a receiver thinks that
 * he is.
 *
 *   line   o-------o----o            true: on the line, pace times what the route says
 *             x  x   x               seen: some metres off, for a while to the same side
 *
 * The receiver's error is a first-order process: what it was, and a bit of chance. So it is with
 * GPS: the next fix is wrong the same way.
 *
 * Threading: plain values. Ownership: a path owns its points.
 */
#ifndef HT_API_SIMULATE_DRIVE_H
#define HT_API_SIMULATE_DRIVE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/simulate/dice.h"
#include "engine/base/geo.h"
#include "engine/base/status.h"

struct ht_sim_drive {
    struct ht_point *points;
    double *at_m; /* from the first */
    size_t count; /* 0: nowhere to go */
    size_t next;  /* the first point ahead */
    double speed_mps;
    double pace; /* 1: as the route says */
    double done_m;
};

/* Sets off along points[0 .. count), which are copied, `duration_s` from end to end. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_sim_drive_begin(struct ht_sim_drive *drive,
                                                const struct ht_point *points, size_t count,
                                                double duration_s);
void ht_sim_drive_deinit(struct ht_sim_drive *drive);

/* Goes on for a time; true: at the end, or there already. `*point`, `*bearing_deg`: where. */
bool ht_sim_drive_on(struct ht_sim_drive *drive, struct ht_sim_dice *dice, double seconds,
                     struct ht_point *point, double *bearing_deg);
/* How fast it goes now; 0 at the end. */
double ht_sim_drive_mps(const struct ht_sim_drive *drive);

struct ht_sim_gps {
    double east_m;
    double north_m;
};
/* Where a receiver sees what is at `point`, so many metres off as a rule, `seconds` after it was
 * asked last. */
struct ht_point ht_sim_gps_see(struct ht_sim_gps *gps, struct ht_sim_dice *dice,
                               struct ht_point point, double off_m, double seconds);

/* A point so many metres away. */
struct ht_point ht_sim_point_off(struct ht_point point, double east_m, double north_m);

#endif
