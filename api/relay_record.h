/* Relay record: what a device said, as one node tells another (api/relay.h), in bytes: a kind, then
 * its fields in a fixed order, numbers little-endian, texts behind their length. Nodes of a record
 * run the same version.
 *
 * Threading: pure functions. Whatever bytes come, reading keeps to them and to the bounds below.
 */
#ifndef HT_API_RELAY_RECORD_H
#define HT_API_RELAY_RECORD_H

#include <stdbool.h>

#include "api/reply.h"
#include "engine/live/fleet.h"
#include "geodata/collection.h"

enum ht_relay_kind {
    HT_RELAY_POSITION = 1,
    HT_RELAY_SEEN,
    HT_RELAY_GONE,
    HT_RELAY_ALARM,
    HT_RELAY_STOPS, /* asks for the next stops of vans */
    HT_RELAY_KINDS
};

enum {
    HT_RELAY_WORD = 32, /* bytes of a protocol or a kind of alarm, with its end */
    HT_RELAY_KEY = 256,
    HT_RELAY_NOTE = 512,
    HT_RELAY_RECORD_MOST = 1400, /* bytes that one takes */
};

struct ht_relay_record {
    enum ht_relay_kind kind;
    bool by_unit; /* of a position: it may name a unit itself */
    bool settled; /* of a position: a desk has judged it; it is the unit's, in WGS84 */
    bool proven;  /* the device proved itself before, on its connection */
    bool keyed;   /* it brought `key` */
    int battery;  /* percent; below 0: it does not say */
    char protocol[HT_RELAY_WORD];
    char id[HT_ID_MAX + 1]; /* what the device calls itself */
    char key[HT_RELAY_KEY];
    struct ht_report report; /* of a position, in the device's datum */
    int severity;            /* this and what follows: of an alarm (api/device_book.h) */
    bool placed;
    double lon_deg;
    double lat_deg;
    char alarm[HT_RELAY_WORD];
    char alarm_key[HT_RELAY_KEY];
    char note[HT_RELAY_NOTE];
};

void ht_relay_record_put(struct ht_buffer *out, const struct ht_relay_record *record);
/* Reads the one that begins at *at and moves on. False: it is none. Fields that its kind does not
 * have stay as they were. */
bool ht_relay_record_get(const char **at, const char *end, struct ht_relay_record *out);

#endif
