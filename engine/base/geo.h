/* Points, boxes, distances, bearings: the small geometry that every wing shares.
 *
 * Coordinates are WGS84 in 1e-7 degrees (`_e7`), longitude first. Distances are measured as OSRM 6
 * measures them, so that lengths compare one to one: by local scales of a degree on the WGS84
 * ellipsoid (the "cheap ruler"), which are taken in the middle of the band of 0.05 degrees that
 * holds the mean latitude of the two points. Against the geodesic that is within 0.1 % up to 65
 * degrees of latitude, for what is one town; the antimeridian is crossed the short way.
 * Threading: pure functions (the scales are laid out before main). Ownership: none.
 */
#ifndef HT_ENGINE_BASE_GEO_H
#define HT_ENGINE_BASE_GEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_point {
    int32_t lon_e7;
    int32_t lat_e7;
};

struct ht_box {
    struct ht_point min;
    struct ht_point max;
};

#define HT_LON_MAX_E7 1800000000
#define HT_LAT_MAX_E7 900000000

/* True when the point lies on Earth. */
bool ht_point_valid(struct ht_point p);

/* Metres that one degree spans around a latitude; the same on every machine, bit for bit. */
struct ht_scale {
    double lon_m;
    double lat_m;
};
struct ht_scale ht_scale_at(int32_t lat_e7);

/* Distance in metres, the same on every machine: only operations that IEEE 754 rounds exactly. */
double ht_distance_m(struct ht_point a, struct ht_point b);

/* The same in whole millimetres, rounded half up: the length of a street segment, everywhere.
 * What passes 4,294,967 m (no street does) gives UINT32_MAX. */
uint32_t ht_distance_mm(struct ht_point a, struct ht_point b);

/* Bearing from a to b in the same scaled plane, clockwise from north, [0, 360). Equal points: 0. */
double ht_bearing_deg(struct ht_point a, struct ht_point b);

/* The point at `ratio` in [0, 1] of the straight segment a b (linear in degrees, the short way
 * around the antimeridian, to the nearest 1e-7). */
struct ht_point ht_point_between(struct ht_point a, struct ht_point b, double ratio);

/* An empty box (grow it before use), growth, intersection test. */
struct ht_box ht_box_empty(void);
struct ht_box ht_box_grow(struct ht_box box, struct ht_point p);
bool ht_box_contains(struct ht_box box, struct ht_point p);

/* Encoded polylines (Google's algorithm), precision 5 or 6 digits, each value rounded half away
 * from zero. encode: writes to `out` of capacity `size`, never past it, returns the length that the
 * whole text has (without NUL, none is written); 12 bytes a point are always enough. */
size_t ht_polyline_encode(const struct ht_point *points, size_t count, int precision, char *out,
                          size_t size);

/* Decodes `text`; writes at most `capacity` points; returns false when the text is malformed or
 * leaves the globe; `*count` is the number of points in it (may pass the capacity). */
bool ht_polyline_decode(const char *text, size_t length, int precision, struct ht_point *points,
                        size_t capacity, size_t *count);

#endif
