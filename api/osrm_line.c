#include "api/osrm_line.h"

#include <stdlib.h>
#include <string.h>

#include "api/put.h"
#include "engine/base/array.h"
#include "engine/base/polyline.h"

/* Bytes of a point at most: two numbers of six characters, one of them escaped in each. */
enum { POINT_ROOM = 2 * (HT_POLYLINE_ROOM - 1) };

void ht_osrm_line_deinit(struct ht_osrm_line *line)
{
    free(line->ends);
    *line = (struct ht_osrm_line){0};
}

/* Of all its characters only the backslash is escaped in JSON, and only the last of a number can be
 * one: those before it stand above. */
static char *put_number(char *at, int32_t delta)
{
    at = ht_polyline_put(at, delta);
    *at = '\\';
    return at + (at[-1] == '\\' ? 1 : 0);
}

struct pen {
    char *at;
    int32_t lat;
    int32_t lon;
};

static inline void draw(struct pen *pen, struct ht_point point, int32_t divisor)
{
    int32_t lat = ht_polyline_scale(point.lat_e7, divisor);
    int32_t lon = ht_polyline_scale(point.lon_e7, divisor);
    pen->at = put_number(put_number(pen->at, lat - pen->lat), lon - pen->lon);
    pen->lat = lat;
    pen->lon = lon;
}

/* A single point stands twice. */
static inline void draw_all(struct pen *pen, const struct ht_point *points, size_t count,
                            uint32_t *ends, int32_t divisor)
{
    const char *begin = pen->at;
    for (size_t i = 0; i < count; i++) {
        draw(pen, points[i], divisor);
        if (ends != NULL) {
            ends[i] = (uint32_t)(pen->at - begin);
        }
    }
    if (count == 1) {
        draw(pen, points[0], divisor);
    }
}

static uint32_t *ends_for(struct ht_osrm_line *line, const struct ht_point *points, size_t count)
{
    void *ends = line->ends;
    line->count = 0;
    if (count > UINT32_MAX / POINT_ROOM ||
        ht_array_reserve(&ends, &line->end_capacity, count, sizeof *line->ends) != HT_OK) {
        return NULL;
    }
    line->ends = ends;
    line->points = points;
    line->count = count;
    return line->ends;
}

void ht_osrm_line_write(struct ht_json *json, const struct ht_point *points, size_t count,
                        int precision, struct ht_osrm_line *line)
{
    char *begin = ht_json_room(json, (count + 1) * POINT_ROOM + HT_POLYLINE_ROOM + 2);
    uint32_t *ends = line != NULL ? ends_for(line, points, count) : NULL;
    if (begin == NULL) {
        return;
    }
    *begin++ = '"';
    /* a constant divisor in each call: the division by it becomes a multiplication */
    struct pen pen = {.at = begin};
    if (precision == 6) {
        draw_all(&pen, points, count, ends, 10);
    } else {
        draw_all(&pen, points, count, ends, 100);
    }
    *pen.at++ = '"';
    ht_json_room_end(json, pen.at);
    if (ends != NULL) {
        line->precision = precision;
        line->text = (size_t)(begin - json->out->data);
    }
}

bool ht_osrm_line_cut(struct ht_json *json, const struct ht_osrm_line *line, size_t first,
                      const struct ht_point *points, size_t count)
{
    if (count < 2 || count > line->count || first > line->count - count ||
        memcmp(line->points + first, points, count * sizeof *points) != 0) {
        return false;
    }
    size_t begin = line->ends[first];
    size_t size = line->ends[first + count - 1] - begin;
    char *at = ht_json_room(json, POINT_ROOM + HT_POLYLINE_ROOM + size + 2);
    if (at == NULL) {
        return true; /* the failure shows in the buffer */
    }
    *at++ = '"';
    struct pen pen = {.at = at};
    draw(&pen, points[0], line->precision == 6 ? 10 : 100);
    at = ht_put(pen.at, json->out->data + line->text + begin, size);
    *at++ = '"';
    ht_json_room_end(json, at);
    return true;
}
