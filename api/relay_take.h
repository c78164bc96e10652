/* Relay, the desk's end: POST /v1/nodes/devices of those that follow (api/relay.h).
 *
 * Positions and sightings are taken as if the device had spoken here; alarms are answered when they
 * are on disk, with a status for each ("201\n403\n"), by threads of their own that wait for that.
 *
 * Threading: the calls on loops; new and free from one thread. Ownership: the app is borrowed.
 */
#ifndef HT_API_RELAY_TAKE_H
#define HT_API_RELAY_TAKE_H

#include "api/device_book.h"
#include "api/positions_read.h"

struct ht_relay_takers;

/* Of a desk. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_relay_takers_new(struct ht_relay_takers **out);
/* Once the device book has answered all alarms, before the server is freed. NULL is fine. */
void ht_relay_takers_free(struct ht_relay_takers *takers);

void ht_relay_post(struct ht_app_context *context, struct ht_http_call *call);

/* A position of a device that speaks for itself, in its own datum: of who it is the book's word
 * counts. `by_unit`: a name of a unit is the unit's. NULL, or why it is not taken, with the
 * standing of the device. The context has its part of the live town. */
const char *ht_device_position(struct ht_app_context *context,
                               const struct ht_device_sighting *sighting, bool by_unit,
                               struct ht_position_in *in, enum ht_device_standing *standing);

#endif
