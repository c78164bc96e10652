#include "api/simulate/drive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

#define PACE_LEAST 0.6
#define PACE_MOST 1.3
#define PACE_HOLD_S 60.0 /* after so long it has forgotten what it was */
#define GPS_HOLD_S 30.0

struct ht_point ht_sim_point_off(struct ht_point point, double east_m, double north_m)
{
    struct ht_scale scale = ht_scale_at(point.lat_e7);
    return (struct ht_point){point.lon_e7 + (int32_t)lround(east_m / scale.lon_m * 1e7),
                             point.lat_e7 + (int32_t)lround(north_m / scale.lat_m * 1e7)};
}

void ht_sim_drive_deinit(struct ht_sim_drive *drive)
{
    free(drive->points);
    free(drive->at_m);
    *drive = (struct ht_sim_drive){.points = NULL};
}

enum ht_status ht_sim_drive_begin(struct ht_sim_drive *drive, const struct ht_point *points,
                                  size_t count, double duration_s)
{
    ht_sim_drive_deinit(drive);
    if (count == 0) {
        return HT_OK;
    }
    drive->points = ht_array_new(count, sizeof *drive->points);
    drive->at_m = ht_array_new(count, sizeof *drive->at_m);
    if (drive->points == NULL || drive->at_m == NULL) {
        ht_sim_drive_deinit(drive);
        return HT_NOMEM;
    }
    memcpy(drive->points, points, count * sizeof *points);
    drive->at_m[0] = 0;
    for (size_t i = 1; i < count; i++) {
        drive->at_m[i] = drive->at_m[i - 1] + ht_distance_m(points[i - 1], points[i]);
    }
    double length_m = drive->at_m[count - 1];
    drive->count = count;
    drive->next = 1;
    drive->pace = 1;
    drive->speed_mps = duration_s > 0 && length_m > 0 ? length_m / duration_s : 1;
    return HT_OK;
}

double ht_sim_drive_mps(const struct ht_sim_drive *drive)
{
    return drive->next < drive->count ? drive->speed_mps * drive->pace : 0;
}

/* `hold`: the part of what was that stays after `seconds`; near enough to exp for our steps. */
static double held(double seconds, double hold_s)
{
    double part = 1 + seconds / hold_s + seconds * seconds / (2 * hold_s * hold_s);
    return 1 / part;
}

bool ht_sim_drive_on(struct ht_sim_drive *drive, struct ht_sim_dice *dice, double seconds,
                     struct ht_point *point, double *bearing_deg)
{
    if (drive->count == 0) {
        return true;
    }
    double keep = held(seconds, PACE_HOLD_S);
    double pace = 0.95 + keep * (drive->pace - 0.95) +
                  0.15 * sqrt(1 - keep * keep) * ht_sim_dice_normal(dice);
    drive->pace = pace < PACE_LEAST ? PACE_LEAST : pace > PACE_MOST ? PACE_MOST : pace;
    drive->done_m += drive->speed_mps * drive->pace * seconds;
    while (drive->next < drive->count && drive->at_m[drive->next] <= drive->done_m) {
        drive->next++;
    }
    if (drive->next == drive->count) {
        drive->done_m = drive->at_m[drive->count - 1];
        *point = drive->points[drive->count - 1];
        return true;
    }
    double from_m = drive->at_m[drive->next - 1];
    double leg_m = drive->at_m[drive->next] - from_m;
    *point = ht_point_between(drive->points[drive->next - 1], drive->points[drive->next],
                              leg_m > 0 ? (drive->done_m - from_m) / leg_m : 0);
    *bearing_deg = ht_bearing_deg(drive->points[drive->next - 1], drive->points[drive->next]);
    return false;
}

struct ht_point ht_sim_gps_see(struct ht_sim_gps *gps, struct ht_sim_dice *dice,
                               struct ht_point point, double off_m, double seconds)
{
    double keep = held(seconds, GPS_HOLD_S);
    double fresh = off_m * sqrt(1 - keep * keep);
    gps->east_m = keep * gps->east_m + fresh * ht_sim_dice_normal(dice);
    gps->north_m = keep * gps->north_m + fresh * ht_sim_dice_normal(dice);
    return ht_sim_point_off(point, gps->east_m, gps->north_m);
}
