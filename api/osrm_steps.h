/* Steps: the JSON of a leg's steps, as OSRM 6.0 writes them (docs/http.md: RouteStep, StepManeuver,
 * Intersection, Lane).
 *
 * Threading: as the JSON writer. Ownership: borrows everything.
 */
#ifndef HT_API_OSRM_STEPS_H
#define HT_API_OSRM_STEPS_H

#include "api/json.h"
#include "engine/road/guide.h"

enum ht_osrm_geometry {
    HT_OSRM_POLYLINE,  /* precision 5 */
    HT_OSRM_POLYLINE6, /* precision 6 */
    HT_OSRM_GEOJSON,   /* LineString */
};

/* Which of a street's names is written; falls back to `name` where the other is absent. */
enum ht_osrm_language {
    HT_OSRM_LANGUAGE_LOCAL, /* name */
    HT_OSRM_LANGUAGE_ZH,    /* name:zh */
    HT_OSRM_LANGUAGE_EN,    /* name:en */
};

struct ht_osrm_out;
struct ht_osrm_line;

struct ht_osrm_steps_options {
    enum ht_osrm_geometry geometry;
    enum ht_osrm_language language;
    const struct ht_osrm_out
        *out; /* coordinate system of the places (api/osrm_out.h); NULL: WGS84 */
    /* An overview that holds the leg's points from `line_first` on, to cut polylines from (of the
     * same precision, in WGS84); NULL: none. */
    const struct ht_osrm_line *line;
    size_t line_first;
};

/* The array of a leg's "steps". Failure shows in the buffer. */
void ht_osrm_write_steps(struct ht_json *json, const struct ht_network *network,
                         const struct ht_guide_steps *steps,
                         const struct ht_osrm_steps_options *options);

/* The name of a way in a language (a waypoint's name); "" where it has none. */
const char *ht_osrm_way_name(const struct ht_network *network, uint32_t way,
                             enum ht_osrm_language language);

/* A leg's "summary": the names (ref where there is none) of at most two ways, joined by ", ". */
void ht_osrm_write_summary(struct ht_json *json, const struct ht_network *network,
                           const uint32_t *ways, uint32_t count, enum ht_osrm_language language);

#endif
