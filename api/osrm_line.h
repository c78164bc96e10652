/* Line: an encoded polyline as a JSON text, and shorter ones cut out of it.
 *
 * An encoded polyline says of each point how far it lies from the one before. The geometry of a
 * step is a run of the overview's points, so all its characters but those of the first point stand
 * in the overview already:
 *
 *   overview   A  B-A  C-B  D-C  E-D           (each point against the one before)
 *   step C..E            C   D-C  E-D           the first one whole, the rest is copied
 *
 * Threading: as the JSON writer. Ownership: a line owns its ends and borrows the points.
 */
#ifndef HT_API_OSRM_LINE_H
#define HT_API_OSRM_LINE_H

#include "api/json.h"
#include "engine/base/geo.h"

struct ht_osrm_line {
    const struct ht_point *points;
    size_t count; /* 0: there is nothing to cut from */
    int precision;
    size_t text;    /* where in the buffer its characters begin */
    uint32_t *ends; /* of each point's characters, from there */
    size_t end_capacity;
};

void ht_osrm_line_deinit(struct ht_osrm_line *line);

/* Writes the text of a polyline, precision 5 or 6; a single point stands twice, as OSRM has it.
 * `line` (may be NULL) remembers where each point stands, for as long as points and buffer stay as
 * they are; it stays empty when there is no memory for it. */
void ht_osrm_line_write(struct ht_json *json, const struct ht_point *points, size_t count,
                        int precision, struct ht_osrm_line *line);

/* Writes the text of points[count], which are looked for in the line at `first`. False: they aren't
 * there, and nothing is written. */
bool ht_osrm_line_cut(struct ht_json *json, const struct ht_osrm_line *line, size_t first,
                      const struct ht_point *points, size_t count);

#endif
