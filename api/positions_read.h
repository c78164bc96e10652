/* Positions as they come in: JSON arrays and lines, and the query that OsmAnd and Traccar's client
 * apps send.
 *
 *   [{"unit":"van1","lon":121.7,"lat":29.9,"ts":"2026-03-01T08:00:00Z","speed_mps":5,...}, ...]
 *   {"unit":...}\n{"unit":...}\n
 *   id=van1&lat=29.9&lon=121.7&timestamp=1700000000&speed=10.5&bearing=90&accuracy=5     (knots)
 *   {"location":{"timestamp":"...","coords":{"latitude":..,"longitude":..,"speed":..}},
 *    "device_id":"van1"}                                              (metres a second)
 *
 * Read by yajl's events, without a tree. `ts` is RFC 3339, or Unix seconds or milliseconds (from
 * 1e11 on); without it a position is of now.
 *
 * Threading: pure functions.
 */
#ifndef HT_API_POSITIONS_READ_H
#define HT_API_POSITIONS_READ_H

#include "api/params.h"
#include "engine/live/fleet.h"

enum { HT_POSITIONS_MOST = 100000 }; /* of one body */

/* What a mistake is about. */
enum ht_position_part {
    HT_POSITION_WHOLE,
    HT_POSITION_UNIT,
    HT_POSITION_LON,
    HT_POSITION_LAT,
    HT_POSITION_TIME,
};

/* One as it was read. `wrong`: NULL, or what it lacks (static text), and of which part. */
struct ht_position_in {
    char unit[HT_UNIT_ID_MAX + 1];
    struct ht_report report;
    const char *wrong;
    enum ht_position_part wrong_part;
};

struct ht_positions_in {
    struct ht_position_in *list;
    size_t count;
    size_t capacity;
};

void ht_positions_deinit(struct ht_positions_in *positions);

/* Reads an array, lines, or a single object. HT_SYNTAX with what and where (of lines which, of an
 * array the item after those that were read), HT_TOO_BIG, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_positions_read(const char *text, size_t size, int64_t now_ms,
                                               struct ht_positions_in *out, struct ht_error *error);

/* The same where a position that names no unit is this one's. */
HT_MUST_CHECK enum ht_status ht_positions_read_of(const char *unit, const char *text, size_t size,
                                                  int64_t now_ms, struct ht_positions_in *out,
                                                  struct ht_error *error);

/* One from a query. */
void ht_osmand_read(const struct ht_params *query, int64_t now_ms, struct ht_position_in *out);
/* One from a JSON body (Traccar). HT_SYNTAX with what and, where it is no JSON, in which line;
 * HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_traccar_read(const char *text, size_t size, int64_t now_ms,
                                             struct ht_position_in *out, struct ht_error *error);

#endif
