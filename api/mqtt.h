/* MQTT: devices in, events out, through a broker (houtao serve --mqtt URL).
 *
 *   houtao/positions, houtao/positions/{device}   as POST /v1/positions; a position without `unit`
 *                                                 is the topic's device's
 *   houtao/alarms/{device}    {kind, severity?, id?, ts?, battery?, key?, note?, lon?, lat?}
 *   houtao/heard/{device}     {battery?, key?}: it is there
 *   houtao/status/{device}    online, or as its last will offline
 *   owntracks/{user}/{device} OwnTracks' locations; the device is `user:device`
 *   what --mqtt-map FILE says (api/mqtt_map.h)
 *   houtao/events/{topic}/... out: what /v1/stream tells viewers of incidents, orders, zones,
 * fences and traffic, as the same JSON, without what is for officers alone
 *
 * There are two lines (api/mqtt_line.h). What may be an alarm or a last will comes by one whose
 * session the broker keeps over restarts, and is acknowledged once the desk has committed.
 * Positions come by the other, which starts anew each time: a flood of them can't push alarms out
 * of the broker's queue, and after an outage nobody wants yesterday's.
 *
 * Several nodes divide positions among them by shared subscriptions ($share/houtao/...). Those of
 * one record (api/nodes.h) each take their share and bring it to the desk (api/relay.h). Alarms are
 * not shared: Mosquitto goes on to give a node that is down its share of them, which waits there
 * until it comes back, and with its session they would be lost. Of one record the desk alone has
 * the line for them; its session is called alike at each node, so that the next desk takes up what
 * the last one had not acknowledged. Nodes with records of their own get each alarm. With
 * share_alarms=1, for brokers that give the share of a node that is gone to another one (EMQX,
 * HiveMQ), all nodes take alarms, and acknowledge them once the desk has committed.
 *
 * Who may speak for whom is the broker's matter: its access list by topic. The device book
 * (api/device_book.h) adds whose a device is, and its key where it has one. A position may name a
 * unit itself, as with a dispatcher's token.
 *
 * What comes twice: an alarm with an `id` or a time is one incident however often it comes, for
 * days; one without is folded by the desk, for minutes, since nobody can tell it from a second call
 * for help.
 *
 * Threading: the lines' own; new, move, stop and free from one thread at a time. Ownership: the app
 * outlives it, or it is moved to another; it outlives the device book's work. Texts of the options
 * are borrowed.
 */
#ifndef HT_API_MQTT_H
#define HT_API_MQTT_H

#include "api/app.h"

struct ht_mqtt;

struct ht_mqtt_options {
    const char *url;
    const char *map;  /* path; NULL: none */
    const char *ca;   /* PEM file; NULL: the machine's authorities */
    const char *cert; /* both or none */
    const char *key;
    uint16_t listen_port; /* a part of the name that we call ourselves by */
};

/* What can be said without a connection: URL, map and certificates. Errors name what is wrong. */
HT_MUST_CHECK enum ht_status ht_mqtt_check(const struct ht_mqtt_options *options,
                                           struct ht_error *error);
/* For an app whose store can be written, or that follows the one that writes it, and whose server
 * is about to run; connects in the background. HT_READ_ONLY: neither. */
HT_MUST_CHECK enum ht_status ht_mqtt_new(struct ht_app *app, const struct ht_mqtt_options *options,
                                         struct ht_mqtt **out, struct ht_error *error);
/* Takes what comes for that app from now on, over the connections that there are; the one before it
 * may end then. HT_NOMEM, or what a new connection lacks (HT_INVALID: the files of TLS), with the
 * reason: it is to be stopped. NULL and one that is stopped are fine. */
HT_MUST_CHECK enum ht_status ht_mqtt_move(struct ht_mqtt *mqtt, struct ht_app *app,
                                          struct ht_error *error);
/* Whether the desk is sure to be one: if not, alarms stay with the broker, for whoever is. By the
 * thread that moves it; nothing at a node that follows. NULL is fine. */
void ht_mqtt_sure(struct ht_mqtt *mqtt, bool sure);
/* Ends the connections, before the device book is stopped. Both take NULL. */
void ht_mqtt_stop(struct ht_mqtt *mqtt);
void ht_mqtt_free(struct ht_mqtt *mqtt);

void ht_mqtt_metrics(struct ht_mqtt *mqtt, struct ht_buffer *out);

#endif
