#include "geodata/datum_cn.h"

#include <math.h>
#include <stdbool.h>

#define HT_PI 3.14159265358979323846

/* Krassowsky's ellipsoid, 1940 */
#define AXIS_M 6378245.0
#define ECCENTRICITY_2 0.00669342162296594323

#define ROUNDS 40          /* each brings some two digits; most need four */
#define CLOSE_ENOUGH 1e-12 /* degrees: a ten-thousandth of a millimetre */
#define BD_LON 0.0065      /* BD-09's shift over GCJ-02 */
#define BD_LAT 0.006
#define BD_WAVE (HT_PI * 3000.0 / 180.0)

static bool inside(struct ht_degrees p)
{
    return p.lon >= 72.004 && p.lon <= 137.8347 && p.lat >= 0.8293 && p.lat <= 55.8271;
}

/* The waves that both axes have in common: periods of a third of a degree, and of one. */
static double ripple(double x)
{
    return (20.0 * sin(6.0 * x * HT_PI) + 20.0 * sin(2.0 * x * HT_PI)) * 2.0 / 3.0;
}

static double wave(double v, double short_m, double long_m, double long_degrees)
{
    return (short_m * sin(v / 12.0 * HT_PI) + long_m * sin(v * HT_PI / long_degrees)) * 2.0 / 3.0;
}

static double swell(double v)
{
    return (20.0 * sin(v * HT_PI) + 40.0 * sin(v / 3.0 * HT_PI)) * 2.0 / 3.0;
}

/* The formula without its border. */
static struct ht_degrees shift_gcj02(struct ht_degrees p)
{
    double x = p.lon - 105.0;
    double y = p.lat - 35.0;
    double root = sqrt(fabs(x));
    double north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root +
                     ripple(x) + swell(y) + wave(y, 160.0, 320.0, 30.0);
    double east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple(x) +
                    swell(x) + wave(x, 150.0, 300.0, 30.0);
    double lat = p.lat / 180.0 * HT_PI;
    double magic = 1.0 - ECCENTRICITY_2 * sin(lat) * sin(lat);
    double meridian = AXIS_M * (1.0 - ECCENTRICITY_2) / (magic * sqrt(magic));
    double parallel = AXIS_M / sqrt(magic) * cos(lat);
    return (struct ht_degrees){
        .lon = p.lon + east_m * 180.0 / (parallel * HT_PI),
        .lat = p.lat + north_m * 180.0 / (meridian * HT_PI),
    };
}

static struct ht_degrees shift_bd09(struct ht_degrees gcj02)
{
    double radius =
        sqrt(gcj02.lon * gcj02.lon + gcj02.lat * gcj02.lat) + 0.00002 * sin(gcj02.lat * BD_WAVE);
    double angle = atan2(gcj02.lat, gcj02.lon) + 0.000003 * cos(gcj02.lon * BD_WAVE);
    return (struct ht_degrees){radius * cos(angle) + BD_LON, radius * sin(angle) + BD_LAT};
}

static struct ht_degrees shift_both(struct ht_degrees p)
{
    return shift_bd09(shift_gcj02(p));
}

/* Both shifts vary by far less than themselves from place to place, so that taking the miss off
 * again and again converges. */
static struct ht_degrees invert(struct ht_degrees (*shift)(struct ht_degrees), struct ht_degrees p)
{
    struct ht_degrees guess = p;
    for (int i = 0; i < ROUNDS; i++) {
        struct ht_degrees got = shift(guess);
        double lon = got.lon - p.lon;
        double lat = got.lat - p.lat;
        guess.lon -= lon;
        guess.lat -= lat;
        if (fabs(lon) < CLOSE_ENOUGH && fabs(lat) < CLOSE_ENOUGH) {
            break;
        }
    }
    return inside(guess) ? guess : p;
}

struct ht_degrees ht_gcj02_from_wgs84(struct ht_degrees wgs84)
{
    return inside(wgs84) ? shift_gcj02(wgs84) : wgs84;
}

struct ht_degrees ht_bd09_from_wgs84(struct ht_degrees wgs84)
{
    return inside(wgs84) ? shift_both(wgs84) : wgs84;
}

struct ht_degrees ht_gcj02_to_wgs84(struct ht_degrees gcj02)
{
    return invert(shift_gcj02, gcj02);
}

struct ht_degrees ht_bd09_to_wgs84(struct ht_degrees bd09)
{
    return invert(shift_both, bd09);
}
