/* Device book: who the devices are that speak to this server by themselves (JT/T 808 terminals,
 * kits on MQTT, phones with OsmAnd), and what follows from their speaking or their silence.
 *
 *   a door sees a device --> ht_device_book_seen --> known: whose it is, in which datum it speaks
 *                                                \-> unknown: waits to be accepted
 *   a device alarms      --> ht_device_book_alarm -> an incident, once it is committed
 *
 * The registry's collection `devices` has the word: protocol, unit or household, crs, key, state.
 * What is kept here besides is when each was heard and its battery, which go to the store with the
 * next batch of positions and not for each message.
 *
 *   GET  /v1/devices/unknown        those that nobody accepted yet, heard last first (admin)
 *   POST /v1/devices/{id}/accept    {unit | household, protocol?, crs?, key?} makes one an item of
 *                                   the collection (admin); 409 where it is one already
 *
 * A household's kit that was heard once and then is silent for `silence_h` hours (the setting
 * `devices`, a day at first), or whose broker told its last will `gone_s` seconds ago, becomes an
 * incident of kind `other` and severity 1, once, until it is heard again.
 *
 * Keys: the property `key` of a device is what it has to prove itself with, as `sha256:` and the
 * hexadecimal SHA-256 of it (accept makes that of a plain one), or plain. State `blocked`: it is
 * listened to no more.
 *
 * Threading: any thread, but for new, start, stop and free; seen takes a read lock, alarm hands
 * over to a thread of the book's own. Ownership: texts that are passed are copied; the app outlives
 * the book.
 */
#ifndef HT_API_DEVICE_BOOK_H
#define HT_API_DEVICE_BOOK_H

#include "api/app.h"
#include "geodata/collection.h"
#include "geodata/crs.h"

struct ht_device_book;

/* For the app's store, whose writer runs; after the live town is open. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_device_book_new(struct ht_app *app, struct ht_device_book **out);
/* Begins to look for silence and to pass alarms on. */
HT_MUST_CHECK enum ht_status ht_device_book_start(struct ht_device_book *book);
/* Alarms that wait are handed to the writer, later ones refused; before the writer ends. Both take
 * NULL. */
void ht_device_book_stop(struct ht_device_book *book);
void ht_device_book_free(struct ht_device_book *book);

/* ---- sightings ---- */

struct ht_device_sighting {
    const char *protocol; /* "jt808", "mqtt", "osmand" */
    const char *id;       /* what the device calls itself; what is no id (ht_id_valid) is refused */
    int64_t at_ms;        /* now, by the server's clock */
    int battery;          /* percent, 0 to 100; below 0: it does not say */
    const char *key;      /* what it proves itself with; NULL: nothing */
    bool proven;          /* it did so before, on this connection */
};

enum ht_device_standing {
    HT_DEVICE_UNKNOWN, /* not in the registry: it waits in the list now */
    HT_DEVICE_REFUSED, /* `why` says for what */
    HT_DEVICE_TRUSTED, /* what it says counts, for its unit or household */
};

struct ht_device_known {
    enum ht_device_standing standing;
    const char *why;               /* static; NULL where it is trusted */
    bool keyed;                    /* the registry has a key: the device has to prove itself */
    bool named_crs;                /* the registry names its datum: `crs`; else WGS84 */
    struct ht_crs crs;             /* WGS84 where it names none */
    char unit[HT_ID_MAX + 1];      /* "": of no unit */
    char household[HT_ID_MAX + 1]; /* "": of no household; personal */
};

/* Takes note of a device and tells what is known of it. Heard and battery count only where it is
 * trusted. `book` NULL: there is no store, and every device is unknown. */
void ht_device_book_seen(struct ht_device_book *book, const struct ht_device_sighting *sighting,
                         struct ht_device_known *out);

/* The device went without saying so (a last will, a connection that broke): if it is not heard
 * within `gone_s` it counts as silent. Unknown ones are none of the book's. */
void ht_device_book_gone(struct ht_device_book *book, const char *id, int64_t at_ms);

/* ---- alarms ---- */

struct ht_device_alarm {
    const char *device; /* that is trusted: its unit or household is looked up again */
    const char *key;    /* of this alarm among those of the device, for folding a message that comes
                         * twice: the same key is one incident, for days; NULL or "": only the desk
                         * folds (what the same household tells while an incident is open) */
    const char *kind;   /* sos, fall, heart, door, gas, water, request, other */
    int severity;       /* 1 to 4; 0: the kind's */
    bool placed;        /* lon, lat, WGS84, for a unit's; without: where the unit is. A household's
                         * kit is where the household is. */
    double lon_deg;
    double lat_deg;
    const char *note; /* may be personal; NULL: none */
};

/* `status` as of POST /v1/incidents: 201 a new incident, 200 it belongs to an open one or came
 * before, 4xx it can't be one and won't be, 503 not now. `incident`: its id, "" none. */
typedef void ht_device_alarm_done(void *user, int status, const char *incident);

/* Opens an incident as POST /v1/incidents does, by the device's name. `done` is called once, later,
 * on another thread: after the commit, so that what it acknowledges is on disk. It may not block.
 * HT_BUSY: too many wait, or the book is stopped; HT_NOMEM: `done` is not called then. */
HT_MUST_CHECK enum ht_status ht_device_book_alarm(struct ht_device_book *book,
                                                  const struct ht_device_alarm *alarm,
                                                  ht_device_alarm_done *done, void *user);

/* ---- calls, time, numbers ---- */

void ht_devices_unknown_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_device_accept_post(struct ht_app_context *context, struct ht_http_call *call);

/* Looks for silence now, and returns when what follows is written; for who moved the clock. */
void ht_device_book_obey(struct ht_device_book *book);

struct ht_device_book_stats {
    size_t seen[HT_DEVICE_TRUSTED + 1]; /* sightings by standing */
    size_t waiting;                     /* unknown devices in the list */
    size_t dropped;                     /* that had to leave it for others */
    size_t alarms;                      /* handed over */
    size_t silences;                    /* incidents made of silence */
};
void ht_device_book_stats_read(struct ht_device_book *book, struct ht_device_book_stats *out);

#endif
