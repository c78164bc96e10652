/* Export: the routing graph of one profile as CSV, so that anyone can recompute any answer.
 *
 * Threading: none of its own. Columns: contract (README, "export").
 */
#ifndef HT_GEODATA_EXPORT_H
#define HT_GEODATA_EXPORT_H

#include "engine/base/status.h"
#include "engine/road/query.h"

/* Writes DIR/arcs.csv and DIR/turns.csv (the folder is made if need be). Turns that are forbidden
 * at `local_ms` (UTC plus the zone's offset) are left out. Errors: HT_IO, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_export(const struct ht_network *network,
                                       const struct ht_graph *graph, const char *dir,
                                       int64_t local_ms, struct ht_error *error);

#endif
