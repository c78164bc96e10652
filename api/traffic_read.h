/* Traffic read: POST /v1/traffic's bodies.
 *
 *   [{"osm_from": 1, "osm_to": 2, "speed_kmh": 30, "until": "2026-...", "profiles": ["van"]},
 *    {"osm_from": 2, "osm_to": 3, "closed": true}]         false, or speed_kmh null: as the map
 * says from,to,speed_kmh[,rate]                               OSRM's segment speeds; 0: closed
 *
 * Threading: pure. Ownership: rows own their memory. Errors: HT_SYNTAX (malformed), HT_INVALID
 * (understood, but impossible), HT_TOO_BIG, HT_NOMEM; the error names the item or line, from 1 on.
 */
#ifndef HT_API_TRAFFIC_READ_H
#define HT_API_TRAFFIC_READ_H

#include "geodata/store.h"

enum { HT_TRAFFIC_ROWS_MAX = 100000 };

struct ht_traffic_rows {
    struct ht_store_traffic *list;
    size_t count;
    char *texts; /* of profiles, as many bytes a row as there are at most */
};

/* `body` is NUL-terminated behind `size` bytes. */
HT_MUST_CHECK enum ht_status ht_traffic_read_json(const char *body, size_t size,
                                                  struct ht_traffic_rows *rows,
                                                  struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_traffic_read_csv(const char *body, size_t size,
                                                 struct ht_traffic_rows *rows,
                                                 struct ht_error *error);
void ht_traffic_rows_deinit(struct ht_traffic_rows *rows);

#endif
