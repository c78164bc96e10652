/* Store: what must last. The registry of the town, the table of events, where units were.
 *
 * One writer, any number of readers. A transaction is the writer's: begin waits for its turn, and
 * what it wrote is on the disk (synced) when commit returns HT_OK, whole or not at all. Each reader
 * sees the state of the last commit before its call, and waits for nobody.
 *
 * The event table is append-only: each event carries the hash of the one before it (below), so that
 * nothing can be changed or taken out afterwards without being noticed. It holds ids only; what is
 * personal lies with the items and can be erased there.
 *
 * Threading: a store may be shared; a transaction belongs to the thread that began it; a reader
 * belongs to one thread at a time. Ownership: texts and bytes that a sink is given are borrowed for
 * that call. Errors: HT_FOREIGN (not a store), HT_VERSION (made by a newer houtao), HT_READ_ONLY,
 * HT_FULL, HT_BUSY (another process writes), HT_IO, HT_NOMEM; the message names file and reason.
 *
 * Behind this door stands one SpatiaLite file, or a database of PostgreSQL with PostGIS where the
 * path is a URL (postgresql://...). Nothing above it may know which.
 */
#ifndef HT_GEODATA_STORE_H
#define HT_GEODATA_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"
#include "geodata/collection.h"

struct ht_store;
struct ht_store_reader;
struct ht_store_tx;

enum ht_store_mode {
    HT_STORE_CREATE,   /* make it when it is not there, bring an older one up to date */
    HT_STORE_WRITE,    /* it must be there */
    HT_STORE_READ_ONLY /* nothing is written; also on media that can't be */
};

struct ht_store_options {
    enum ht_store_mode mode;
    const char *district; /* whose events are written, "main" when NULL */
    /* It decides for the district (its events carry the epoch that began so) until it is closed. In
     * a database one may at a time: HT_BUSY, from open, or from begin once another has taken over.
     * In a file whoever opens it may. */
    bool desk;
};

HT_MUST_CHECK enum ht_status ht_store_open(const char *path, const struct ht_store_options *options,
                                           struct ht_store **out, struct ht_error *error);
/* Whether a path is a URL, of a database that several processes may share. */
bool ht_store_is_database(const char *path);
/* How a store is told of: its path without a password. The caller frees it; NULL: no memory. */
char *ht_store_label(const char *path);
/* The epoch that its events carry. */
int64_t ht_store_epoch(const struct ht_store *store);
/* Whether it can decide no more, although nobody closed it: another process took its desk, or what
 * is in memory is behind what is written. It is to be opened again. From any thread. */
bool ht_store_deposed(const struct ht_store *store);
/* All readers and transactions must be gone. NULL is fine. */
void ht_store_close(struct ht_store *store);

/* Writes what the log holds back into the file, without blocking readers or the writer; to be
 * called now and then by a thread that may wait. */
HT_MUST_CHECK enum ht_status ht_store_checkpoint(struct ht_store *store, struct ht_error *error);

HT_MUST_CHECK enum ht_status
ht_store_reader_new(struct ht_store *store, struct ht_store_reader **out, struct ht_error *error);
void ht_store_reader_free(struct ht_store_reader *reader);

/* ---- the writer ---- */

HT_MUST_CHECK enum ht_status ht_store_begin(struct ht_store *store, struct ht_store_tx **out,
                                            struct ht_error *error);
/* Another number than in an earlier transaction of this store: another process wrote in between. */
int64_t ht_store_tx_others(const struct ht_store_tx *tx);
/* Either ends the transaction, also when it fails: nothing of it stays then. */
HT_MUST_CHECK enum ht_status ht_store_commit(struct ht_store_tx *tx, struct ht_error *error);
void ht_store_rollback(struct ht_store_tx *tx);

/* A point within a transaction to which a single command of many can be taken back. Where unmark
 * fails the whole transaction is lost, and has to be rolled back. */
HT_MUST_CHECK enum ht_status ht_store_mark(struct ht_store_tx *tx, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_unmark(struct ht_store_tx *tx, bool keep,
                                             struct ht_error *error);

/* ---- the registry ---- */

/* An item: a thing of a collection. Geometry is ISO WKB (longitude, latitude in degrees; size 0:
 * none); properties and personal are JSON objects ("{}" when there are none). */
struct ht_store_item {
    const char *id;
    const void *wkb;
    size_t wkb_size;
    const char *properties;
    const char *personal; /* NULL in an answer whose question did not ask for it */
    const char *cell;     /* the cell that it lies in, NULL: none */
    uint64_t version;     /* grows with each change; never one that its id had before */
    int64_t changed_ms;
};

enum ht_store_put {
    HT_STORE_INSERT, /* HT_EXISTS where there is one of this id */
    HT_STORE_UPSERT,
    HT_STORE_REPLACE /* HT_NOT_FOUND where there is none */
};

/* What a put did. `digest`: SHA-256 over a random salt, kept with the item, and its content; for
 * the event that tells of it. */
struct ht_store_written {
    uint64_t version;
    bool created;
    char digest[65];
};

/* Puts an item (its version is not looked at). `expected`: 0, or the version that it must have now
 * (HT_CHANGED). */
HT_MUST_CHECK enum ht_status
ht_store_item_put(struct ht_store_tx *tx, const struct ht_collection *collection,
                  const struct ht_store_item *item, enum ht_store_put how, uint64_t expected,
                  struct ht_store_written *out, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_item_delete(struct ht_store_tx *tx,
                                                  const struct ht_collection *collection,
                                                  const char *id, uint64_t expected,
                                                  struct ht_error *error);
/* Empties what is personal, and the salt with it, so that no event tells any more of what was
 * there. `expected` as above.
 */
HT_MUST_CHECK enum ht_status ht_store_item_erase(struct ht_store_tx *tx,
                                                 const struct ht_collection *collection,
                                                 const char *id, uint64_t expected,
                                                 struct ht_error *error);
/* Names the cell of an item anew; not a change of the item. */
HT_MUST_CHECK enum ht_status ht_store_item_set_cell(struct ht_store_tx *tx,
                                                    const struct ht_collection *collection,
                                                    const char *id, const char *cell,
                                                    struct ht_error *error);

/* Many items at once: between begin and end of bulk, the index of places is not kept up but made
 * at the end (three times as fast for a million), where readers need not wait for that. */
HT_MUST_CHECK enum ht_status ht_store_bulk_begin(struct ht_store_tx *tx,
                                                 const struct ht_collection *collection,
                                                 struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_bulk_end(struct ht_store_tx *tx,
                                               const struct ht_collection *collection,
                                               struct ht_error *error);

/* A property and the value it must have: as text for texts and numbers, "true", "false". */
struct ht_store_filter {
    const char *name;
    const char *value;
    bool personal; /* it is one of the personal ones */
};

struct ht_store_query {
    const struct ht_collection *collection;
    /* NULL: anywhere; else items whose box meets it (min.lon > max.lon: across the antimeridian) */
    const struct ht_box *box;
    const struct ht_store_filter *filters;
    size_t filter_count;
    int64_t from_ms; /* changed within [from_ms, until_ms] */
    int64_t until_ms;
    bool personal; /* give the personal properties, too */
    uint64_t limit;
    uint64_t offset;
};
struct ht_store_query ht_store_query_default(const struct ht_collection *collection);

/* Gives items to `sink` in the order in which they were put first. A status other than HT_OK from
 * the sink ends the call with that status. `*matched` (may be NULL): all that the query meets; to
 * count them costs a second look where the page is full. */
HT_MUST_CHECK enum ht_status
ht_store_items(struct ht_store_reader *reader, const struct ht_store_query *query,
               enum ht_status (*sink)(void *user, const struct ht_store_item *item), void *user,
               uint64_t *matched, struct ht_error *error);
/* One item; HT_NOT_FOUND without a call. */
HT_MUST_CHECK enum ht_status
ht_store_item(struct ht_store_reader *reader, const struct ht_collection *collection,
              const char *id, bool personal,
              enum ht_status (*sink)(void *user, const struct ht_store_item *item), void *user,
              struct ht_error *error);

/* What a transaction itself sees, not yet committed: as the two above. */
struct ht_store_reader *ht_store_tx_reader(struct ht_store_tx *tx);

/* ---- events ---- */

struct ht_store_event {
    int64_t seq; /* given by the desk, from 1 on, without gaps within a district */
    const char *district;
    int64_t epoch;
    int64_t at_ms;
    const char *actor;
    const char *kind;
    const char *subject;
    const char *body; /* JSON */
    const char *hash; /* 64 hex digits; only in answers */
};

/* Appends; `seq` 0: the next one. `*seq` (may be NULL): what it became. HT_EXISTS: the number is
 * taken. */
HT_MUST_CHECK enum ht_status ht_store_event_append(struct ht_store_tx *tx,
                                                   const struct ht_store_event *event, int64_t *seq,
                                                   struct ht_error *error);
/* Events after `after`, `limit` at most, in order. */
HT_MUST_CHECK enum ht_status
ht_store_events(struct ht_store_reader *reader, int64_t after, uint64_t limit,
                enum ht_status (*sink)(void *user, const struct ht_store_event *event), void *user,
                struct ht_error *error);

/* The same of those whose kind begins with `prefix` ("incident."), of any subject (NULL) or one. */
struct ht_store_event_query {
    const char *prefix;
    const char *subject;
    int64_t after;
    uint64_t limit;
};
HT_MUST_CHECK enum ht_status
ht_store_events_of(struct ht_store_reader *reader, const struct ht_store_event_query *query,
                   enum ht_status (*sink)(void *user, const struct ht_store_event *event),
                   void *user, struct ht_error *error);

/* The number of the last event; 0: there is none. */
HT_MUST_CHECK enum ht_status ht_store_event_last(struct ht_store_reader *reader, int64_t *seq,
                                                 struct ht_error *error);
/* Whose events these are; lives as long as the store. */
const char *ht_store_district(const struct ht_store *store);

/* All, of every district, by district and number. */
HT_MUST_CHECK enum ht_status
ht_store_events_every(struct ht_store_reader *reader,
                      enum ht_status (*sink)(void *user, const struct ht_store_event *event),
                      void *user, struct ht_error *error);

/* What an audit found. */
struct ht_store_audit {
    uint64_t events;
    int64_t broken_seq; /* the first whose hash is wrong; 0: the chain holds */
    char last_hash[65]; /* of the event with the highest number; 64 zeros where there is none */
};
HT_MUST_CHECK enum ht_status ht_store_audit(struct ht_store_reader *reader,
                                            struct ht_store_audit *out, struct ht_error *error);

/* ---- answers that were given ---- */

/* The answer to an Idempotency-Key of an actor: given to `sink`; HT_NOT_FOUND: none yet. */
struct ht_store_answer {
    const char *actor;
    const char *key;
    const char *request; /* SHA-256 of method, path and body, hex */
    int status;
    const char *content_type;
    const char *location; /* "" where there is none */
    const char *etag;     /* likewise */
    const void *body;
    size_t body_size;
    int64_t at_ms;
};
HT_MUST_CHECK enum ht_status ht_store_answer_put(struct ht_store_tx *tx,
                                                 const struct ht_store_answer *answer,
                                                 struct ht_error *error);
HT_MUST_CHECK enum ht_status
ht_store_answer_get(struct ht_store_reader *reader, const char *actor, const char *key,
                    enum ht_status (*sink)(void *user, const struct ht_store_answer *answer),
                    void *user, struct ht_error *error);
/* Forgets answers older than `before_ms`. */
HT_MUST_CHECK enum ht_status ht_store_answers_forget(struct ht_store_tx *tx, int64_t before_ms,
                                                     struct ht_error *error);

/* ---- where units were ---- */

struct ht_store_position {
    const char *unit;
    int64_t ts_ms;
    int64_t received_ms;
    struct ht_point point;
    double speed_mps; /* below 0: not known, as the two after it */
    double bearing_deg;
    double accuracy_m;
};

typedef enum ht_status ht_store_position_sink(void *user, const struct ht_store_position *position);

/* Adds positions; one of the same unit and time is kept as it is. */
HT_MUST_CHECK enum ht_status ht_store_positions_put(struct ht_store_tx *tx,
                                                    const struct ht_store_position *positions,
                                                    size_t count, struct ht_error *error);
/* The last position of each unit of the registry that has one. */
HT_MUST_CHECK enum ht_status ht_store_positions_last(struct ht_store_reader *reader,
                                                     ht_store_position_sink *sink, void *user,
                                                     struct ht_error *error);
/* Those of one unit within [from_ms, until_ms], by time, `limit` at most. */
HT_MUST_CHECK enum ht_status ht_store_track(struct ht_store_reader *reader, const char *unit,
                                            int64_t from_ms, int64_t until_ms, uint64_t limit,
                                            ht_store_position_sink *sink, void *user,
                                            struct ht_error *error);
/* Forgets what is older. */
HT_MUST_CHECK enum ht_status ht_store_positions_forget(struct ht_store_tx *tx, int64_t before_ms,
                                                       struct ht_error *error);

/* When a device was heard last, and with what battery; no change of its item. Nothing where there
 * is none. */
struct ht_store_device_seen {
    const char *device;
    int64_t seen_ms;
    int battery; /* percent; below 0: not known */
    bool silent; /* it is told that it was silent since */
};
HT_MUST_CHECK enum ht_status ht_store_device_seen_put(struct ht_store_tx *tx,
                                                      const struct ht_store_device_seen *seen,
                                                      struct ht_error *error);
HT_MUST_CHECK enum ht_status
ht_store_devices_seen(struct ht_store_reader *reader,
                      enum ht_status (*sink)(void *user, const struct ht_store_device_seen *seen),
                      void *user, struct ht_error *error);

/* ---- live roads ---- */

/* What traffic data says of the streets between two OSM nodes, in this direction. */
struct ht_store_traffic {
    int64_t osm_from;
    int64_t osm_to;
    const char *profiles; /* names with commas between; "": every motor profile */
    double speed_mps;     /* 0: closed; below 0: as the map says, the row is dropped */
    int64_t until_ms;     /* INT64_MAX: until it is said otherwise */
};
/* Each takes the place of an earlier one of the same nodes and profiles. */
HT_MUST_CHECK enum ht_status ht_store_traffic_put(struct ht_store_tx *tx,
                                                  const struct ht_store_traffic *rows, size_t count,
                                                  struct ht_error *error);
/* Drops what ended at `before_ms` or before. */
HT_MUST_CHECK enum ht_status ht_store_traffic_forget(struct ht_store_tx *tx, int64_t before_ms,
                                                     struct ht_error *error);
/* All, in the order in which they were said. */
HT_MUST_CHECK enum ht_status
ht_store_traffic(struct ht_store_reader *reader,
                 enum ht_status (*sink)(void *user, const struct ht_store_traffic *row), void *user,
                 struct ht_error *error);
/* What is learned of a street's speeds: bytes of engine/live/speeds.h. */
struct ht_store_speeds {
    uint64_t street;
    const void *cells;
    size_t size;
};
/* Each takes the place of an earlier one of the same street. */
HT_MUST_CHECK enum ht_status ht_store_speeds_put(struct ht_store_tx *tx,
                                                 const struct ht_store_speeds *rows, size_t count,
                                                 struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_speeds_clear(struct ht_store_tx *tx, struct ht_error *error);
/* All, in no order. */
HT_MUST_CHECK enum ht_status
ht_store_speeds(struct ht_store_reader *reader,
                enum ht_status (*sink)(void *user, const struct ht_store_speeds *row), void *user,
                struct ht_error *error);
/* What is learned of arrivals, in the place of what was saved before: bytes of
 * engine/live/arrival.h. The sink is not called where there is nothing. */
HT_MUST_CHECK enum ht_status ht_store_arrival_put(struct ht_store_tx *tx, const void *bytes,
                                                  size_t size, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_arrival(struct ht_store_reader *reader,
                                              enum ht_status (*sink)(void *user, const void *bytes,
                                                                     size_t size),
                                              void *user, struct ht_error *error);
/* Forgets where one unit was. */
HT_MUST_CHECK enum ht_status ht_store_positions_erase(struct ht_store_tx *tx, const char *unit,
                                                      struct ht_error *error);

/* ---- who is within which fence ---- */

/* As engine/live/fence.h has it. */
struct ht_store_stay {
    const char *unit;
    const char *fence;
    int64_t since_ms;
    int64_t told_ms;
    bool dwelt;
};
HT_MUST_CHECK enum ht_status
ht_store_stay_put(struct ht_store_tx *tx, const struct ht_store_stay *stay, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_stay_end(struct ht_store_tx *tx, const char *unit,
                                               const char *fence, struct ht_error *error);
/* All of them. */
HT_MUST_CHECK enum ht_status
ht_store_stays(struct ht_store_reader *reader,
               enum ht_status (*sink)(void *user, const struct ht_store_stay *stay), void *user,
               struct ht_error *error);

/* ---- which closed zones have begun ---- */

/* `shape` tells a border from others. */
HT_MUST_CHECK enum ht_status ht_store_zone_begun(struct ht_store_tx *tx, const char *zone,
                                                 int64_t shape, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_zone_over(struct ht_store_tx *tx, const char *zone,
                                                struct ht_error *error);
HT_MUST_CHECK enum ht_status
ht_store_zones_begun(struct ht_store_reader *reader,
                     enum ht_status (*sink)(void *user, const char *zone, int64_t shape),
                     void *user, struct ht_error *error);

/* ---- webhooks ---- */

/* Who wants to be told of events, and how far that has come. Times of `next_try_ms` and `last_ms`
 * are the machine's, the others the town's. */
struct ht_store_webhook {
    const char *id;
    const char *url;
    const char *topics; /* with commas between */
    const char *secret;
    int64_t created_ms;
    int64_t done_seq; /* the last event that needs no telling any more */
    int64_t tries;    /* in vain, one after the other */
    int64_t next_try_ms;
    int64_t failing_since_ms; /* when tries began to fail; 0: they don't */
    int64_t delivered;
    int64_t given_up;
    int64_t last_status;    /* HTTP's; 0: none came */
    const char *last_error; /* "" none */
    int64_t last_ms;        /* of the last try; 0: none */
};
/* A new one; HT_EXISTS. */
HT_MUST_CHECK enum ht_status ht_store_webhook_add(struct ht_store_tx *tx,
                                                  const struct ht_store_webhook *hook,
                                                  struct ht_error *error);
/* How far it has come, from `done_seq` on; nothing where it is gone. */
HT_MUST_CHECK enum ht_status ht_store_webhook_note(struct ht_store_tx *tx,
                                                   const struct ht_store_webhook *hook,
                                                   struct ht_error *error);
/* HT_NOT_FOUND. */
HT_MUST_CHECK enum ht_status ht_store_webhook_remove(struct ht_store_tx *tx, const char *id,
                                                     struct ht_error *error);
/* All of them, or (`id` not NULL) that one. */
HT_MUST_CHECK enum ht_status
ht_store_webhooks(struct ht_store_reader *reader, const char *id,
                  enum ht_status (*sink)(void *user, const struct ht_store_webhook *hook),
                  void *user, struct ht_error *error);

/* ---- settings ---- */

/* A document of the office; `version` grows with each change. */
struct ht_store_setting {
    const char *name;
    uint64_t version; /* 1 at first; not looked at by put */
    int64_t changed_ms;
    const char *body; /* JSON */
};
/* `*version`: what it became. */
HT_MUST_CHECK enum ht_status ht_store_setting_put(struct ht_store_tx *tx,
                                                  const struct ht_store_setting *setting,
                                                  uint64_t *version, struct ht_error *error);
/* HT_NOT_FOUND, without a call: it was never put. */
HT_MUST_CHECK enum ht_status
ht_store_setting_get(struct ht_store_reader *reader, const char *name,
                     enum ht_status (*sink)(void *user, const struct ht_store_setting *setting),
                     void *user, struct ht_error *error);

/* ---- incidents ---- */

/* Their events are in the event table; here lies what can be erased. */

struct ht_store_place {
    const char *incident;
    struct ht_point point;
};
HT_MUST_CHECK enum ht_status ht_store_place_put(struct ht_store_tx *tx,
                                                const struct ht_store_place *place,
                                                struct ht_error *error);
/* All of them, or (`incident` not NULL) of that one. */
HT_MUST_CHECK enum ht_status
ht_store_places(struct ht_store_reader *reader, const char *incident,
                enum ht_status (*sink)(void *user, const struct ht_store_place *place), void *user,
                struct ht_error *error);

/* Keeps a note; `digest`: SHA-256 over a random salt, kept with it, and its text, for the event
 * that it belongs to. */
struct ht_store_note {
    const char *incident; /* or the order, of an order's; likewise of a visit's */
    const char *digest;
    const char *text;
};
HT_MUST_CHECK enum ht_status ht_store_note_put(struct ht_store_tx *tx, const char *incident,
                                               const char *text, char digest[65],
                                               struct ht_error *error);
HT_MUST_CHECK enum ht_status
ht_store_notes(struct ht_store_reader *reader, const char *incident,
               enum ht_status (*sink)(void *user, const struct ht_store_note *note), void *user,
               struct ht_error *error);

/* Which device stands behind a code, which is of chance: nothing but this table tells it. */
struct ht_store_code {
    const char *code;
    const char *device;
};
enum { HT_STORE_CODE = 33 }; /* 32 hex digits and NUL */
/* The code of a device (or of whoever else is not to be named), made where it has none. */
HT_MUST_CHECK enum ht_status ht_store_code_of(struct ht_store_tx *tx, const char *device,
                                              char code[HT_STORE_CODE], struct ht_error *error);
/* All of them, or (`code` not NULL) that one. */
HT_MUST_CHECK enum ht_status
ht_store_codes(struct ht_store_reader *reader, const char *code,
               enum ht_status (*sink)(void *user, const struct ht_store_code *code), void *user,
               struct ht_error *error);

/* Erases place and notes of an incident, and who stands behind the codes of its events: also for
 * the other incidents of that device. A code of which `keeps` is true is needed still, and goes
 * with ht_store_code_end. */
HT_MUST_CHECK enum ht_status ht_store_incident_erase(struct ht_store_tx *tx, const char *incident,
                                                     bool (*keeps)(void *user, const char *code),
                                                     void *user, struct ht_error *error);
/* An incident by its events: when it was opened (INT64_MAX: there is none), whether it is over, and
 * whether a place or a note of it is kept. */
struct ht_store_incident_past {
    int64_t opened_ms;
    bool over;
    bool kept;
};
HT_MUST_CHECK enum ht_status ht_store_incident_past(struct ht_store_tx *tx, const char *incident,
                                                    struct ht_store_incident_past *out,
                                                    struct ht_error *error);
/* Erases its place and notes. */
HT_MUST_CHECK enum ht_status ht_store_incident_forget(struct ht_store_tx *tx, const char *incident,
                                                      struct ht_error *error);
/* A code is not needed any more: it goes if an erasure waits for that. */
HT_MUST_CHECK enum ht_status ht_store_code_end(struct ht_store_tx *tx, const char *code,
                                               struct ht_error *error);

/* ---- orders ---- */

/* Their events are in the event table; here lies what can be erased. */

struct ht_store_order_card {
    const char *order;
    const char *household; /* NULL: none */
    struct ht_point point;
    const char *diets; /* joined by ';', "" none */
};
HT_MUST_CHECK enum ht_status ht_store_order_card_put(struct ht_store_tx *tx,
                                                     const struct ht_store_order_card *card,
                                                     struct ht_error *error);
/* All of them, or (`order` not NULL) of that one. */
HT_MUST_CHECK enum ht_status
ht_store_order_cards(struct ht_store_reader *reader, const char *order,
                     enum ht_status (*sink)(void *user, const struct ht_store_order_card *card),
                     void *user, struct ht_error *error);
/* As those of incidents. */
HT_MUST_CHECK enum ht_status ht_store_order_note_put(struct ht_store_tx *tx, const char *order,
                                                     const char *text, char digest[65],
                                                     struct ht_error *error);
HT_MUST_CHECK enum ht_status
ht_store_order_notes(struct ht_store_reader *reader, const char *order,
                     enum ht_status (*sink)(void *user, const struct ht_store_note *note),
                     void *user, struct ht_error *error);
/* Erases card and notes of an order. */
HT_MUST_CHECK enum ht_status ht_store_order_erase(struct ht_store_tx *tx, const char *order,
                                                  struct ht_error *error);
/* Which orders there are: `number` is that of the first event, `closed_ms` when it was over, 0: it
 * is not. A put of one that is there changes `closed_ms` alone. */
struct ht_store_order_state {
    const char *order;
    int64_t number;
    int64_t closed_ms;
};
HT_MUST_CHECK enum ht_status ht_store_order_state_put(struct ht_store_tx *tx,
                                                      const struct ht_store_order_state *state,
                                                      struct ht_error *error);
/* HT_NOT_FOUND: there is no such order. */
HT_MUST_CHECK enum ht_status ht_store_order_number(struct ht_store_reader *reader,
                                                   const char *order, int64_t *number,
                                                   struct ht_error *error);
typedef enum ht_status ht_store_order_sink(void *user, const struct ht_store_order_state *state);
/* Those with a number below `before`, the newest first, `limit` at most. */
HT_MUST_CHECK enum ht_status ht_store_orders(struct ht_store_reader *reader, int64_t before,
                                             uint64_t limit, ht_store_order_sink *sink, void *user,
                                             struct ht_error *error);
/* Those that are not over, or were at `since_ms` or later, the oldest first. */
HT_MUST_CHECK enum ht_status ht_store_orders_open(struct ht_store_reader *reader, int64_t since_ms,
                                                  ht_store_order_sink *sink, void *user,
                                                  struct ht_error *error);

/* ---- visits and rectifications ---- */

/* Their events are in the event table; here lies what can be erased: what was written down.
 * `owner`: the subject of their events. Notes as those of incidents. */
HT_MUST_CHECK enum ht_status ht_store_visit_note_put(struct ht_store_tx *tx, const char *owner,
                                                     const char *text, char digest[65],
                                                     struct ht_error *error);
HT_MUST_CHECK enum ht_status
ht_store_visit_notes(struct ht_store_reader *reader, const char *owner,
                     enum ht_status (*sink)(void *user, const struct ht_store_note *note),
                     void *user, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_visit_erase(struct ht_store_tx *tx, const char *owner,
                                                  struct ht_error *error);
/* Which there are: `number` is that of the first event, `paper` the notice's (0: a visit),
 * `closed_ms` when it was over, 0: it is not. A put of one that is there changes `closed_ms` alone.
 */
struct ht_store_visit_state {
    const char *owner;
    const char *site;
    int64_t number;
    int64_t paper;
    int64_t closed_ms;
};
HT_MUST_CHECK enum ht_status ht_store_visit_state_put(struct ht_store_tx *tx,
                                                      const struct ht_store_visit_state *state,
                                                      struct ht_error *error);
/* Those that are not over, or were at `since_ms` or later, the oldest first. */
HT_MUST_CHECK enum ht_status
ht_store_visit_states(struct ht_store_reader *reader, int64_t since_ms,
                      enum ht_status (*sink)(void *user, const struct ht_store_visit_state *state),
                      void *user, struct ht_error *error);
HT_MUST_CHECK enum ht_status ht_store_visit_is_known(struct ht_store_reader *reader,
                                                     const char *owner, bool *known,
                                                     struct ht_error *error);
/* The highest number of a notice; 0: there is none. */
HT_MUST_CHECK enum ht_status ht_store_visit_paper_last(struct ht_store_reader *reader,
                                                       int64_t *paper, struct ht_error *error);

/* ---- rounds ---- */

/* A plan of recurring visits, whole, as api/rounds_record.h has it: what it was asked, which visits
 * it made, how far they are apart. `number` is that of its first event. */
struct ht_store_round {
    const char *id;
    int64_t number;
    const char *collection;
    int64_t from_ms; /* the days that it is for */
    int64_t to_ms;
    int64_t made_ms;
    int64_t changed_ms;
    int64_t version;  /* 1 at first */
    const char *body; /* JSON; "" in lists */
};
/* One that is there gets another body, version and time of change; the rest stays. */
HT_MUST_CHECK enum ht_status ht_store_round_put(struct ht_store_tx *tx,
                                                const struct ht_store_round *round,
                                                struct ht_error *error);
/* HT_NOT_FOUND. */
HT_MUST_CHECK enum ht_status
ht_store_round_get(struct ht_store_reader *reader, const char *id,
                   enum ht_status (*sink)(void *user, const struct ht_store_round *round),
                   void *user, struct ht_error *error);
/* Those with a number below `before`, the newest first, `limit` at most. */
HT_MUST_CHECK enum ht_status
ht_store_rounds(struct ht_store_reader *reader, int64_t before, uint64_t limit,
                enum ht_status (*sink)(void *user, const struct ht_store_round *round), void *user,
                struct ht_error *error);

/* ---- secrets ---- */

/* Bytes that nobody outside of this store knows, from which what must not be guessed is made. */
enum { HT_STORE_SECRET = 32 };
/* HT_NOT_FOUND: none of that name yet. */
HT_MUST_CHECK enum ht_status ht_store_secret_get(struct ht_store_reader *reader, const char *name,
                                                 unsigned char out[HT_STORE_SECRET],
                                                 struct ht_error *error);
/* The same, made where there is none. */
HT_MUST_CHECK enum ht_status ht_store_secret_of(struct ht_store_tx *tx, const char *name,
                                                unsigned char out[HT_STORE_SECRET],
                                                struct ht_error *error);

/* ---- copies ---- */

/* A consistent copy of a store that may be in use, made beside and renamed; HT_EXISTS: `to` is
 * there. HT_UNSUPPORTED: a database has tools of its own for that. */
HT_MUST_CHECK enum ht_status ht_store_backup(const char *path, const char *to,
                                             struct ht_error *error);

#endif
