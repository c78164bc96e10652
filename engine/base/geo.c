#include "engine/base/geo.h"

#include <math.h>

#include "engine/base/polyline.h"

#define HT_PI 3.14159265358979323846

/* WGS84 */
#define HT_EQUATOR_M 6378137.0
#define HT_FLATTENING (1.0 / 298.257223563)

/* OSRM keeps one ruler for each band of 0.05 degrees of |latitude|. */
#define HT_BAND_E7 500000
#define HT_BANDS 1800

static struct ht_scale ht_scales[HT_BANDS];

/* cos for [0, pi/2] by its Taylor series, summed from the smallest term: libm's last bit differs
 * between machines, this one's does not. The angle is halved first, so that 13 terms reach 1e-17.
 */
static double ht_cosine(double angle)
{
    double x = angle * 0.5;
    double square = x * x;
    double sum = 1.0;
    for (int k = 26; k >= 2; k -= 2) {
        sum = 1.0 - sum * square / (double)(k * (k - 1));
    }
    return 2.0 * sum * sum - 1.0;
}

/* Radii of curvature (Earth radius, meridional and normal), per degree. */
__attribute__((constructor)) static void ht_scales_fill(void)
{
    const double e2 = HT_FLATTENING * (2.0 - HT_FLATTENING);
    const double degree = HT_PI / 180.0 * HT_EQUATOR_M;
    for (int band = 0; band < HT_BANDS; band++) {
        double latitude = ((double)band + 0.5) * (HT_BAND_E7 / 1e7);
        double c = ht_cosine(latitude * (HT_PI / 180.0));
        double w2 = 1.0 / (1.0 - e2 * (1.0 - c * c));
        double w = sqrt(w2);
        ht_scales[band].lon_m = degree * w * c;
        ht_scales[band].lat_m = degree * w * w2 * (1.0 - e2);
    }
}

struct ht_scale ht_scale_at(int32_t lat_e7)
{
    int64_t size = lat_e7 < 0 ? -(int64_t)lat_e7 : lat_e7;
    /* OSRM counts in 1e-6 degrees and puts the border of two bands into the lower one. */
    int64_t band = (size / 10 - 1) / (HT_BAND_E7 / 10);
    if (band >= HT_BANDS) {
        band = HT_BANDS - 1;
    }
    return ht_scales[band];
}

/* b - a in 1e-7 degrees, the short way around the globe. */
static int64_t ht_lon_difference(struct ht_point a, struct ht_point b)
{
    int64_t d = (int64_t)b.lon_e7 - a.lon_e7;
    if (d > HT_LON_MAX_E7) {
        d -= 2 * (int64_t)HT_LON_MAX_E7;
    } else if (d < -(int64_t)HT_LON_MAX_E7) {
        d += 2 * (int64_t)HT_LON_MAX_E7;
    }
    return d;
}

struct ht_plane_step {
    double east_m;
    double north_m;
};

static struct ht_plane_step ht_plane_between(struct ht_point a, struct ht_point b)
{
    int64_t lat = ((int64_t)a.lat_e7 + b.lat_e7) / 2;
    struct ht_scale scale = ht_scale_at((int32_t)lat);
    int64_t north = (int64_t)b.lat_e7 - a.lat_e7;
    return (struct ht_plane_step){
        .east_m = (double)ht_lon_difference(a, b) * 1e-7 * scale.lon_m,
        .north_m = (double)north * 1e-7 * scale.lat_m,
    };
}

bool ht_point_valid(struct ht_point p)
{
    return p.lon_e7 >= -HT_LON_MAX_E7 && p.lon_e7 <= HT_LON_MAX_E7 && p.lat_e7 >= -HT_LAT_MAX_E7 &&
           p.lat_e7 <= HT_LAT_MAX_E7;
}

double ht_distance_m(struct ht_point a, struct ht_point b)
{
    struct ht_plane_step step = ht_plane_between(a, b);
    return sqrt(step.east_m * step.east_m + step.north_m * step.north_m);
}

uint32_t ht_distance_mm(struct ht_point a, struct ht_point b)
{
    double mm = ht_distance_m(a, b) * 1000.0 + 0.5;
    return mm >= (double)UINT32_MAX ? UINT32_MAX : (uint32_t)mm;
}

double ht_bearing_deg(struct ht_point a, struct ht_point b)
{
    struct ht_plane_step step = ht_plane_between(a, b);
    double bearing = atan2(step.east_m, step.north_m) * (180.0 / HT_PI);
    if (bearing < 0.0) {
        bearing += 360.0;
    }
    return bearing >= 360.0 ? 0.0 : bearing;
}

struct ht_point ht_point_between(struct ht_point a, struct ht_point b, double ratio)
{
    int64_t lon = a.lon_e7 + (int64_t)floor((double)ht_lon_difference(a, b) * ratio + 0.5);
    int64_t lat = a.lat_e7 + (int64_t)floor((double)((int64_t)b.lat_e7 - a.lat_e7) * ratio + 0.5);
    if (lon > HT_LON_MAX_E7) {
        lon -= 2 * (int64_t)HT_LON_MAX_E7;
    } else if (lon < -(int64_t)HT_LON_MAX_E7) {
        lon += 2 * (int64_t)HT_LON_MAX_E7;
    }
    return (struct ht_point){.lon_e7 = (int32_t)lon, .lat_e7 = (int32_t)lat};
}

struct ht_box ht_box_empty(void)
{
    return (struct ht_box){.min = {INT32_MAX, INT32_MAX}, .max = {INT32_MIN, INT32_MIN}};
}

struct ht_box ht_box_grow(struct ht_box box, struct ht_point p)
{
    box.min.lon_e7 = p.lon_e7 < box.min.lon_e7 ? p.lon_e7 : box.min.lon_e7;
    box.min.lat_e7 = p.lat_e7 < box.min.lat_e7 ? p.lat_e7 : box.min.lat_e7;
    box.max.lon_e7 = p.lon_e7 > box.max.lon_e7 ? p.lon_e7 : box.max.lon_e7;
    box.max.lat_e7 = p.lat_e7 > box.max.lat_e7 ? p.lat_e7 : box.max.lat_e7;
    return box;
}

bool ht_box_contains(struct ht_box box, struct ht_point p)
{
    return p.lon_e7 >= box.min.lon_e7 && p.lon_e7 <= box.max.lon_e7 && p.lat_e7 >= box.min.lat_e7 &&
           p.lat_e7 <= box.max.lat_e7;
}

size_t ht_polyline_encode(const struct ht_point *points, size_t count, int precision, char *out,
                          size_t size)
{
    const int32_t divisor = precision == 6 ? 10 : 100;
    int32_t lat = 0;
    int32_t lon = 0;
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        int32_t next_lat = ht_polyline_scale(points[i].lat_e7, divisor);
        int32_t next_lon = ht_polyline_scale(points[i].lon_e7, divisor);
        char pair[2 * HT_POLYLINE_ROOM];
        char *to = length + sizeof pair <= size ? out + length : pair;
        char *end = ht_polyline_put(ht_polyline_put(to, next_lat - lat), next_lon - lon);
        size_t n = (size_t)(end - to);
        if (to == pair) { /* near the end of the room: only what fits */
            for (size_t k = 0; k < n && length + k < size; k++) {
                out[length + k] = pair[k];
            }
        }
        length += n;
        lat = next_lat;
        lon = next_lon;
    }
    return length;
}

/* Reads one number from text[*at ..); false when it ends too early, holds a character outside the
 * alphabet or does not fit 32 bits. */
static bool ht_polyline_take(const char *text, size_t length, size_t *at, int32_t *delta)
{
    uint64_t zigzag = 0;
    for (int shift = 0; shift <= 30; shift += 5) {
        if (*at >= length) {
            return false;
        }
        uint32_t chunk = (uint32_t)(unsigned char)text[(*at)++] - 63;
        if (chunk > 63) {
            return false;
        }
        zigzag |= (uint64_t)(chunk & 0x1f) << shift;
        if (chunk < 0x20) {
            if (zigzag > UINT32_MAX) {
                return false;
            }
            uint32_t half = (uint32_t)zigzag >> 1;
            *delta = (zigzag & 1) != 0 ? -(int32_t)half - 1 : (int32_t)half;
            return true;
        }
    }
    return false;
}

bool ht_polyline_decode(const char *text, size_t length, int precision, struct ht_point *points,
                        size_t capacity, size_t *count)
{
    const int32_t unit = precision == 6 ? 10 : 100;
    int64_t lat = 0;
    int64_t lon = 0;
    size_t at = 0;
    size_t n = 0;
    *count = 0;
    while (at < length) {
        int32_t d_lat;
        int32_t d_lon;
        if (!ht_polyline_take(text, length, &at, &d_lat) ||
            !ht_polyline_take(text, length, &at, &d_lon)) {
            return false;
        }
        lat += d_lat;
        lon += d_lon;
        if (lat * unit > HT_LAT_MAX_E7 || lat * unit < -(int64_t)HT_LAT_MAX_E7 ||
            lon * unit > HT_LON_MAX_E7 || lon * unit < -(int64_t)HT_LON_MAX_E7) {
            return false;
        }
        if (n < capacity) {
            points[n] = (struct ht_point){(int32_t)(lon * unit), (int32_t)(lat * unit)};
        }
        n++;
    }
    *count = n;
    return true;
}
