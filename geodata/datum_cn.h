/* The Chinese shifts: GCJ-02 (maps inside China) and BD-09 (Baidu's), to and from WGS84.
 *
 * Longitudes and latitudes in degrees. Outside the box that the formula is published with (72.004
 * to 137.8347 E, 0.8293 to 55.8271 N) both are the identity. Threading: pure functions.
 */
#ifndef HT_GEODATA_DATUM_CN_H
#define HT_GEODATA_DATUM_CN_H

struct ht_degrees {
    double lon;
    double lat;
};

struct ht_degrees ht_gcj02_from_wgs84(struct ht_degrees wgs84);
struct ht_degrees ht_bd09_from_wgs84(struct ht_degrees wgs84);

/* The inverses, exact to less than a millimetre. Where the box's edge leaves two answers, the one
 * inside. */
struct ht_degrees ht_gcj02_to_wgs84(struct ht_degrees gcj02);
struct ht_degrees ht_bd09_to_wgs84(struct ht_degrees bd09);

#endif
