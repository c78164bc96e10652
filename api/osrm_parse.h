/* Parse: the URL grammar of the OSRM API (Project-OSRM/osrm-backend 6.0, docs/http.md), with its
 * errors: the same code, text and position for the same mistake.
 *
 *   /{service}/v1/{profile}/{coordinates}[.json|.flatbuffers][?option=value&...]
 *
 * By POST the part after the profile may come in the body instead, as it stands in a URL or as JSON
 * (api/osrm_body.h). Beyond OSRM: crs= and out_crs=.
 *
 * Threading: one request at a time for each struct ht_osrm_request.
 */
#ifndef HT_API_OSRM_PARSE_H
#define HT_API_OSRM_PARSE_H

#include "api/osrm_request.h"

/* Reads `target` (percent-encoded) and `body` (may be NULL) into `request`, which must be fresh or
 * reset. False: the error is in `reply`. */
bool ht_osrm_parse_target(struct ht_osrm_request *request, const char *target, size_t target_size,
                          const char *body, size_t body_size, struct ht_reply *reply);

/* What can be said about a parsed request without a network: sizes, ranges, limits, in the order in
 * which OSRM looks at them. False: the error is in `reply`. */
bool ht_osrm_check(const struct ht_osrm_request *request, const struct ht_osrm_limits *limits,
                   struct ht_reply *reply);

/* The service of that name, or HT_OSRM_SERVICES. */
enum ht_osrm_service ht_osrm_service_by_name(const char *name, size_t size);

#endif
