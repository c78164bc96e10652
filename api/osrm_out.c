#include "api/osrm_out.h"

#include "engine/base/array.h"

static int64_t microdegrees(int32_t e7)
{
    return (e7 < 0 ? (int64_t)e7 - 5 : (int64_t)e7 + 5) / 10;
}

/* The pair of a point in the system; false: it lies outside. */
static bool convert(const struct ht_osrm_out *out, struct ht_point point, double pair[1][2])
{
    pair[0][0] = point.lon_e7 / 1e7;
    pair[0][1] = point.lat_e7 / 1e7;
    return ht_crs_from_wgs84(out->work, &out->crs, pair, 1) == HT_OK;
}

void ht_osrm_out_location(const struct ht_osrm_out *out, struct ht_json *json,
                          struct ht_point point)
{
    double pair[1][2];
    int decimals = out != NULL && out->projected ? 3 : 6;
    ht_json_array(json);
    if (out == NULL) {
        ht_json_fixed(json, microdegrees(point.lon_e7), 6);
        ht_json_fixed(json, microdegrees(point.lat_e7), 6);
    } else if (convert(out, point, pair)) {
        ht_json_double(json, pair[0][0], decimals);
        ht_json_double(json, pair[0][1], decimals);
    } else {
        ht_json_null(json);
        ht_json_null(json);
    }
    ht_json_array_end(json);
}

/* A single point stands twice, as OSRM has it. */
static void write_line(const struct ht_osrm_out *out, struct ht_json *json,
                       const struct ht_point *points, size_t count)
{
    ht_json_object(json);
    ht_json_key(json, "coordinates");
    ht_json_array(json);
    for (size_t i = 0; i < count; i++) {
        ht_osrm_out_location(out, json, points[i]);
    }
    if (count == 1) {
        ht_osrm_out_location(out, json, points[0]);
    }
    ht_json_array_end(json);
    ht_json_key_text(json, "type", "LineString");
    ht_json_object_end(json);
}

void ht_osrm_out_geometry(const struct ht_osrm_out *out, struct ht_json *json,
                          const struct ht_point *points, size_t count,
                          enum ht_osrm_geometry geometry)
{
    if (out == NULL) {
        ht_osrm_write_geometry(json, points, count, geometry);
        return;
    }
    if (out->projected || geometry == HT_OSRM_GEOJSON) {
        write_line(out, json, points, count);
        return;
    }
    struct ht_osrm_list *scratch = out->scratch;
    if (ht_array_reserve(&scratch->data, &scratch->capacity, count, sizeof *points) != HT_OK) {
        json->out->failed = true;
        return;
    }
    struct ht_point *moved = scratch->data;
    for (size_t i = 0; i < count; i++) {
        double pair[1][2];
        moved[i] = points[i];
        if (convert(out, points[i], pair)) {
            moved[i] = (struct ht_point){(int32_t)lround(pair[0][0] * 1e7),
                                         (int32_t)lround(pair[0][1] * 1e7)};
        }
    }
    ht_osrm_write_geometry(json, moved, count, geometry);
}
