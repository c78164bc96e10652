/* Body: an OSRM request by POST as JSON, brought into the form of a URL.
 *
 *   POST /route/v1/car  {"coordinates": [[8.6,50.1],[8.7,50.2]], "steps": true, "radiuses":
 * [10,null]}
 *                   ->  8.6,50.1;8.7,50.2?steps=true&radiuses=10;
 *
 * Names, types and texts of errors are those of osrm-backend 26 (docs/http.md, "POST requests with
 * a JSON body"; 6.0 reads no body): members are called as the options of the URL, lists are arrays,
 * null in one is its default. crs, out_crs, avoid and depart come along. A member that no option of
 * the service is called by is refused, as it is in a URL.
 *
 * Threading: pure function.
 */
#ifndef HT_API_OSRM_BODY_H
#define HT_API_OSRM_BODY_H

#include "api/osrm_request.h"
#include "engine/base/text.h"

/* Whether a body is meant as JSON: whatever begins like an object or array. */
bool ht_osrm_body_is_json(const char *body, size_t size);

/* Appends what stands for the part of a URL behind the profile. False: the error is in the reply.
 */
bool ht_osrm_body_write(enum ht_osrm_service service, const char *body, size_t size,
                        struct ht_text *out, struct ht_reply *reply);

#endif
