/* MQTT line: one connection to a broker, MQTT 5, that is made again whenever it breaks, and that
 * acknowledges a message when we say so and not before.
 *
 * How late acknowledgement is had of libmosquitto (read in its sources 2.0.11 to 2.1.2): the
 * library itself acknowledges QoS 1 before it calls back (lib/handle_publish.c: send__puback, then
 * on_message), and has no call to do it later. But with mosquitto_threaded_set(true) an outgoing
 * packet is only put into a queue (lib/packet_mosq.c, packet__queue), and nothing but
 * mosquitto_loop_write takes it from there to the socket; a connection that is made anew empties
 * the queue (lib/connect.c, mosquitto__reconnect). So a line that holds does not call loop_write
 * while any message that it read is not settled:
 *
 *   FLUSH  write until the queue is empty      READ only then: what is queued from now on are
 *          (no message is unsettled)           acknowledgements of what is read
 *   READ   as many messages as come; each      those that have to last are counted as held
 *   WAIT   go on reading, write nothing        until none is held: then FLUSH again
 *
 * Many messages wait for one commit together, as commands over HTTP do. The broker's own bound (the
 * receive maximum that we ask for) ends the reading where nothing is settled any more. Where
 * something can't be settled, the connection is dropped with its queue, and the broker sends
 * everything again to the same session. Eclipse Paho C 1.3 (its MQTTAsync) acknowledges after its
 * callback has returned, too, but has one thread for all connections of a process that may not
 * return before the commit: one message a commit, and no position meanwhile.
 * tests/api/test_mqtt.c kills the node between the two, on the library that is installed.
 *
 * Threading: a thread of its own, which calls `message`; settle and publish from any thread.
 * Ownership: everything is copied but `user`.
 */
#ifndef HT_API_MQTT_LINE_H
#define HT_API_MQTT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/mqtt_url.h"

struct ht_mqtt_line;

enum {
    HT_MQTT_PAYLOAD_MOST = 256 * 1024,
    HT_MQTT_LINE_TOPIC = 640, /* bytes of a subscription, with its end */
};

struct ht_mqtt_line_options {
    const struct ht_mqtt_url *url;
    const char *client_id;
    const char *command; /* of which the log is; NULL: serve */
    const char *ca;      /* PEM file of authorities; NULL: the machine's */
    const char *cert;    /* PEM files of our own certificate and its key; NULL: none */
    const char *key;
    bool lasts;                 /* the broker keeps our session, and what we missed, for a week */
    bool holds;                 /* messages are acknowledged once they are settled */
    bool rests;                 /* it does not connect before it is told to */
    int qos;                    /* of the subscriptions */
    const char *const *filters; /* "$share/group/topic" */
    size_t filter_count;
    /* A message. True: it is held, and ht_mqtt_line_settle will follow, perhaps before this
     * returns. */
    bool (*message)(void *user, const char *topic, const char *payload, size_t size);
    /* After what there was to read (may be NULL). */
    void (*rest)(void *user);
    void *user;
};

/* Connects in the background. HT_INVALID (certificates that can't be read), HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_mqtt_line_new(const struct ht_mqtt_line_options *options,
                                              struct ht_mqtt_line **out, struct ht_error *error);
/* Ends the connection and the thread: nothing is called any more. What is held then is not
 * acknowledged. Both take NULL. */
void ht_mqtt_line_stop(struct ht_mqtt_line *line);
void ht_mqtt_line_free(struct ht_mqtt_line *line);

/* Lets go of the connection, and does not connect until it is told to go on. What is held then is
 * not acknowledged: whoever takes the session up gets it. NULL is fine. From any thread. */
void ht_mqtt_line_rest(struct ht_mqtt_line *line, bool rests);

/* A message that was held is done with. `good` false: it has to come again. */
void ht_mqtt_line_settle(struct ht_mqtt_line *line, bool good);

/* Publishes with QoS 1 as soon as there is a connection. The oldest of what waits gives way where
 * more than 10,000 do. */
void ht_mqtt_line_publish(struct ht_mqtt_line *line, const char *topic, const char *payload,
                          size_t size);

struct ht_mqtt_line_stats {
    bool connected;
    size_t connects;
    size_t lost; /* connections that broke, or on which the broker did not answer */
    size_t messages;
    size_t held;      /* now */
    size_t dropped;   /* connections that we broke off since something could not be settled */
    size_t published; /* that the broker answered */
    size_t refused;   /* of these, by its access list or for another reason */
    size_t overrun;   /* of what was to be published */
};
/* Nothing but zeros of NULL. */
void ht_mqtt_line_stats_read(struct ht_mqtt_line *line, struct ht_mqtt_line_stats *out);

#endif
