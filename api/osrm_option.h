/* Option: the part of an OSRM query after the coordinates, "?name=value&name=value".
 *
 * Threading: one thread at a time.
 */
#ifndef HT_API_OSRM_OPTION_H
#define HT_API_OSRM_OPTION_H

#include "api/osrm_request.h"
#include "api/osrm_scan.h"

/* Reads options up to the end of the text, or up to the first thing that is none. HT_SYNTAX: a
 * value is malformed, at scan->pos. HT_NOMEM. HT_OK: scan->pos says how far it came. */
HT_MUST_CHECK enum ht_status ht_osrm_read_options(struct ht_osrm_request *request,
                                                  struct ht_scan *scan);

#endif
