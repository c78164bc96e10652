/* Ledger: what is decided now and written in a moment. The part that is the same for all that is a
 * projection of events: versions, what a decision did, how it is undone, what readers see.
 *
 *   decide   ht_ledger_begin, ht_ledger_put --> a log: what was touched, before and after; events
 *   commit   ht_ledger_log_apply            --> readers see what was put
 *   or       ht_ledger_log_undo, _drop      --> nothing of it was
 *
 * A record is a plain struct whose texts are copied behind it, immutable once made, counted. A
 * ledger keeps entries that are found by id: of each a pending record (what was decided) and a
 * committed one (what is written). The structs are the caller's; a shape says where in them the
 * texts, the id, the version and the moment of the end lie.
 *
 *   entries   by id          list     committed ones, by order of creation
 *   closed    committed ones that are over, in the order of their end
 *
 * Threading: one writer; readers beside it under the lock that the caller lends. What hooks are
 * told, they are told on the writer's thread, `committed` under the lock. Ownership: a ledger owns
 * its entries; a log holds those that it touched. Errors: HT_NOMEM alone.
 */
#ifndef HT_ENGINE_LIVE_LEDGER_H
#define HT_ENGINE_LIVE_LEDGER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/names.h"
#include "engine/base/status.h"

/* ---- records --------------------------------------------------------------------------------- */

/* A struct and where its texts (const char *, may be NULL) lie in it. */
struct ht_record_shape {
    size_t size;
    const size_t *texts;
    size_t text_count;
};

/* A counted copy; NULL: out of memory. */
const void *ht_record_new(const struct ht_record_shape *shape, const void *from);
const void *ht_record_hold(const void *record); /* NULL is fine, also below */
void ht_record_release(const void *record);

/* ---- the ledger ------------------------------------------------------------------------------ */

struct ht_ledger;
struct ht_ledger_entry;
struct ht_ledger_log;

struct ht_ledger_shape {
    struct ht_record_shape record;
    size_t id_at;      /* of const char * */
    size_t version_at; /* of uint64_t: set by the ledger, 1 for the first */
    size_t order_at;   /* likewise: of creation among all */
    size_t closed_at;  /* of int64_t: when it was over, 0: it is not */
    size_t extra;      /* bytes that the caller has with each entry, zero at first */
    /* Either may be NULL. `before` NULL: it was not there; `after` NULL: it is gone. */
    void (*pending)(void *user, struct ht_ledger_entry *entry, const void *before,
                    const void *after);
    void (*committed)(void *user, struct ht_ledger_entry *entry, const void *before,
                      const void *after);
    void *user;
};

struct ht_ledger_entry {
    struct ht_named named; /* by the pending record's id */
    struct ht_ledger *ledger;
    const void *pending;
    const void *committed; /* under the lock; NULL: not written yet */
    struct ht_ledger_entry *closed_before;
    struct ht_ledger_entry *closed_after;
    uint64_t order;
    uint32_t held; /* by so many logs */
    bool closed_in;
    bool gone; /* out of the table */
    struct ht_ledger_log *owner;
    _Alignas(16) unsigned char extra[];
};

struct ht_ledger_listed {
    uint64_t order;
    struct ht_ledger_entry *entry; /* NULL: it went */
};

struct ht_ledger {
    const struct ht_ledger_shape *shape;
    pthread_mutex_t *lock;
    struct ht_names entries;       /* changed under the lock */
    struct ht_ledger_listed *list; /* under the lock */
    size_t list_count;
    size_t list_holes;
    size_t list_room;
    uint64_t next_order;
    uint64_t committed_order;
    struct ht_ledger_entry *closed_first;
    struct ht_ledger_entry *closed_last;
};

/* Shape and lock are borrowed. */
void ht_ledger_init(struct ht_ledger *ledger, const struct ht_ledger_shape *shape,
                    pthread_mutex_t *lock);
/* After all logs. A zeroed struct is fine. */
void ht_ledger_deinit(struct ht_ledger *ledger);

struct ht_ledger_entry *ht_ledger_find(const struct ht_ledger *ledger, const char *id);

/* What is pending of an id; NULL: nothing. Borrowed. */
const void *ht_ledger_pending(const struct ht_ledger *ledger, const char *id);
/* What is committed, held; NULL: nothing. Takes the lock. */
const void *ht_ledger_get(struct ht_ledger *ledger, const char *id);

/* Committed ones from the newest below `before` (0: all) that `passes` takes, held. Linear, in
 * slices between which the lock is free. Returns how many. */
size_t ht_ledger_list(struct ht_ledger *ledger, uint64_t before,
                      bool (*passes)(const void *filter, const void *record), const void *filter,
                      size_t most, const void **out);

/* Lets go of those that were over before `before_ms`, `most` at once, but for those that a log
 * holds. `gone` (may be NULL) is told of each. Returns how many. */
size_t ht_ledger_forget(struct ht_ledger *ledger, int64_t before_ms, size_t most,
                        void (*gone)(void *user, const char *id), void *user);
/* In memory. Takes the lock. */
size_t ht_ledger_held(struct ht_ledger *ledger);

/* ---- decisions ------------------------------------------------------------------------------- */

struct ht_ledger_touched {
    struct ht_ledger_entry *entry;
    const void *before; /* NULL: it was not */
    const void *after;
};

struct ht_ledger_log {
    const void **events; /* records */
    size_t event_count;
    size_t event_room;
    struct ht_ledger_touched *touched;
    size_t touched_count;
    size_t touched_room;
};

/* NULL: out of memory. */
struct ht_ledger_log *ht_ledger_log_new(void);

/* A new entry whose first record is `record`; its id is in no use. */
HT_MUST_CHECK enum ht_status ht_ledger_begin(struct ht_ledger *ledger, struct ht_ledger_log *log,
                                             const void *record, struct ht_ledger_entry **out);
/* Another record of an entry. */
HT_MUST_CHECK enum ht_status ht_ledger_put(struct ht_ledger_log *log, struct ht_ledger_entry *entry,
                                           const void *record);
/* Keeps a copy of an event with the log. */
HT_MUST_CHECK enum ht_status ht_ledger_say(struct ht_ledger_log *log,
                                           const struct ht_record_shape *shape, const void *event);

/* The decision is complete: another one may touch the same. */
void ht_ledger_log_close(struct ht_ledger_log *log);
/* Each ends the log and frees it. Undo: it is the last one, closed or not. Apply: in the order of
 * deciding. Drop: with all others since the last apply. */
void ht_ledger_log_undo(struct ht_ledger_log *log);
void ht_ledger_log_apply(struct ht_ledger_log *log);
void ht_ledger_log_drop(struct ht_ledger_log *log);

#endif
