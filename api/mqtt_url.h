/* MQTT URL: where the broker is, and how this node calls itself there.
 *
 *   mqtt://[user[:password]@]host[:port][/][?client_id=NAME&share=GROUP&share_alarms=1&prefix=TOPIC]
 *   mqtts://...   TLS; the certificate is checked against the machine's authorities (or --mqtt-ca)
 *
 * Ports are 1883 and 8883 where none stands. `client_id` has to stay the same over restarts, since
 * the broker keeps for it what was not acknowledged: at first it is made of the machine's name and
 * the port that is listened to. `share` is the group of nodes that divide the load ("houtao"),
 * `share_alarms` whether they divide alarms, too (api/mqtt.h), `prefix` what our own topics begin
 * with ("houtao").
 *
 * Threading: plain values.
 */
#ifndef HT_API_MQTT_URL_H
#define HT_API_MQTT_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_mqtt_url {
    bool tls;
    bool share_alarms;
    uint16_t port;
    char host[256];
    char user[128];     /* "" none */
    char password[256]; /* "" none */
    char client_id[48]; /* "" none */
    char share[64];
    char prefix[64];
};

/* HT_INVALID with what is wrong; the text of a password is never told. */
HT_MUST_CHECK enum ht_status ht_mqtt_url_read(const char *text, struct ht_mqtt_url *out,
                                              struct ht_error *error);

#endif
