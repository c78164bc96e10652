#include "api/osrm_out.h"

#include "api/osrm_line.h"
#include "api/put.h"
#include "engine/base/array.h"

static int32_t microdegrees(int32_t e7)
{
    return (int32_t)((e7 < 0 ? (int64_t)e7 - 5 : (int64_t)e7 + 5) / 10);
}

/* The pair of a point in the system; false: it lies outside. */
static bool convert(const struct ht_osrm_out *out, struct ht_point point, double pair[1][2])
{
    pair[0][0] = point.lon_e7 / 1e7;
    pair[0][1] = point.lat_e7 / 1e7;
    return ht_crs_from_wgs84(out->work, &out->crs, pair, 1) == HT_OK;
}

char *ht_osrm_put_location(const struct ht_osrm_out *out, char *at, struct ht_point point)
{
    double pair[1][2];
    *at++ = '[';
    if (out == NULL) {
        at = ht_put_micro(at, microdegrees(point.lon_e7));
        *at++ = ',';
        at = ht_put_micro(at, microdegrees(point.lat_e7));
    } else if (convert(out, point, pair)) {
        int decimals = out->projected ? 3 : 6;
        at = ht_put_double(at, pair[0][0], decimals);
        *at++ = ',';
        at = ht_put_double(at, pair[0][1], decimals);
    } else {
        at = HT_PUT(at, "null,null");
    }
    *at++ = ']';
    return at;
}

void ht_osrm_out_location(const struct ht_osrm_out *out, struct ht_json *json,
                          struct ht_point point)
{
    char *at = ht_json_room(json, HT_OSRM_LOCATION_ROOM);
    if (at != NULL) {
        ht_json_room_end(json, ht_osrm_put_location(out, at, point));
    }
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
    if (geometry == HT_OSRM_GEOJSON || (out != NULL && out->projected)) {
        write_line(out, json, points, count);
        return;
    }
    int precision = geometry == HT_OSRM_POLYLINE ? 5 : 6;
    if (out == NULL) {
        ht_osrm_line_write(json, points, count, precision, NULL);
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
    ht_osrm_line_write(json, moved, count, precision, NULL);
}
