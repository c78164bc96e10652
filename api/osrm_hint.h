/* Hint: a place on the network as a short text that a client may hand back instead of having its
 * coordinate snapped again.
 *
 * It names arcs, so it holds for one network and profile only: a fingerprint of both, the
 * coordinate that was asked for, and a checksum tell whether it does. Hints that do not hold are no
 * error.
 *
 * Threading: pure functions.
 */
#ifndef HT_API_OSRM_HINT_H
#define HT_API_OSRM_HINT_H

#include "api/osrm_request.h"
#include "engine/road/query.h"

/* Tells networks and profiles apart. Some 100 ns: it looks at sizes and samples. */
uint32_t ht_hint_fingerprint(const struct ht_road *road);

/* Writes HT_OSRM_HINT_SIZE characters (base64url, no end mark). */
void ht_hint_encode(uint32_t fingerprint, const struct ht_place *place, char *text);

/* The place that a text of HT_OSRM_HINT_SIZE characters stands for, when it was made for this
 * network and `input`. False: it was not, whatever it holds. */
bool ht_hint_decode(uint32_t fingerprint, const struct ht_road *road, struct ht_point input,
                    const char *text, struct ht_place *out);

#endif
