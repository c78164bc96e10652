/* Relay: what devices tell a node that is not the desk, on its way to the one that is.
 *
 *   broker, terminals --> doors of a follower --> relay == POST /v1/nodes/devices ==> desk
 *                                  |               calm: positions and sightings, in order
 *                                  v               urgent: alarms, each answered when it is on disk
 *                          the follower's own town
 *
 * Two lanes, each with a thread and a connection that is kept. What comes while a batch is on its
 * way is the next batch: one position alone goes at once, many go together. Where no node is the
 * desk, or it does not answer, the lanes wait and send the same again: the desk passes over a
 * position that it has, and folds an alarm that comes twice (by its key). Of what waits in the calm
 * lane the oldest gives way beyond WAITING_MOST bytes; an alarm that nobody took for ALARM_MS is
 * answered 503, so that the broker or the terminal says it again.
 *
 * The desk judges who a device is (api/relay_take.h); what the follower thinks of it is for its own
 * town alone. Nodes know each other by a key made of a secret of the record (api/node.h).
 *
 * It is the process's: terms come and go beneath it. A node that becomes the desk brings what is
 * left to itself, the same way.
 *
 * Threading: any thread, but for new, stop and free. Ownership: what is passed is copied; the node
 * is borrowed.
 */
#ifndef HT_API_RELAY_H
#define HT_API_RELAY_H

#include "api/device_book.h"
#include "engine/live/fleet.h"

struct ht_buffer;
struct ht_node;
struct ht_relay;

#define HT_RELAY_PATH "/v1/nodes/devices"
#define HT_RELAY_KEY_HEADER "x-houtao-node"
#define HT_RELAY_EPOCH_HEADER "x-houtao-epoch"

/* HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_relay_new(struct ht_node *node, struct ht_relay **out);
/* Sends what it can within a second; alarms that nobody took are answered 503. Both take NULL. */
void ht_relay_stop(struct ht_relay *relay);
void ht_relay_free(struct ht_relay *relay);

/* A position in the device's own datum. `by_unit`: the name may be that of a unit itself, as in
 * POST /v1/positions; else only the book says whose it is. */
void ht_relay_position(struct ht_relay *relay, const struct ht_device_sighting *sighting,
                       bool by_unit, const struct ht_report *report);
/* One that this node took as the desk: a unit's, in WGS84. */
void ht_relay_settled(struct ht_relay *relay, const char *unit, const struct ht_report *report);
void ht_relay_seen(struct ht_relay *relay, const struct ht_device_sighting *sighting);
void ht_relay_gone(struct ht_relay *relay, const char *id);

/* As ht_device_book_alarm, with who tells it: the desk looks whether it is trusted (404: unknown,
 * 403: not listened to). HT_BUSY, HT_NOMEM: `done` is not called. */
HT_MUST_CHECK enum ht_status ht_relay_alarm(struct ht_relay *relay,
                                            const struct ht_device_sighting *sighting,
                                            const struct ht_device_alarm *alarm,
                                            ht_device_alarm_done *done, void *user);

/* Asks the desk for the next stops of vans (ht_jt808_stops_write). `done` is called once, later, by
 * a thread of the relay: with the text, or NULL where there was no answer. It may not block. False:
 * out of memory, or the relay is stopped; it is not called then. */
typedef void ht_relay_stops_done(void *user, const char *text, size_t size);
HT_MUST_CHECK bool ht_relay_stops(struct ht_relay *relay, ht_relay_stops_done *done, void *user);

/* Nothing where `relay` is NULL. */
void ht_relay_metrics(struct ht_relay *relay, struct ht_buffer *out);

#endif
