/* Broker: devices of a simulated day speak MQTT, as kits and vans' trackers do: they publish
 * positions and alarms with QoS 1 to the broker that the server listens to.
 *
 * All of them share one connection (api/mqtt_line.h): the broker's access list has to let it.
 *
 * Threading: one thread besides the line's own. Ownership: what is made is freed.
 */
#ifndef HT_API_SIMULATE_BROKER_H
#define HT_API_SIMULATE_BROKER_H

#include <stdbool.h>
#include <stddef.h>

#include "api/simulate/chaos.h"
#include "engine/base/status.h"

struct ht_sim_broker;

/* Connects: ten seconds at most. HT_INVALID: the URL (api/mqtt_url.h) and what is wrong with it;
 * HT_IO: the broker is not reached; HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_sim_broker_new(const char *url, const char *client_id,
                                               struct ht_sim_broker **out, struct ht_error *error);
/* NULL is fine. */
void ht_sim_broker_free(struct ht_sim_broker *broker);

/* `name`: of the unit or its device. Waits where too many are under way, ten seconds at most;
 * false: the broker takes no more. */
bool ht_sim_broker_position(struct ht_sim_broker *broker, const char *name,
                            const struct ht_sim_position *position);
/* `id`: of this alarm among the device's. */
bool ht_sim_broker_alarm(struct ht_sim_broker *broker, const char *device, const char *kind,
                         const char *id);
/* What was published so far, and how much of it the broker has not taken: waits ten seconds at
 * most for that to be nothing. */
size_t ht_sim_broker_sent(const struct ht_sim_broker *broker);
size_t ht_sim_broker_wait(const struct ht_sim_broker *broker);
/* What the broker did not let through. */
size_t ht_sim_broker_refused(const struct ht_sim_broker *broker);

#endif
