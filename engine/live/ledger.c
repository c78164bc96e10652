#include "engine/live/ledger.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum { SLICE = 1024 };

/* ---- records ----------------------------------------------------------------------------------
 */

/* In front of what callers see. */
struct record {
    atomic_uint refs;
    _Alignas(16) unsigned char data[];
};

static struct record *record_of(const void *data)
{
    const unsigned char *at = (const unsigned char *)data - offsetof(struct record, data);
    struct record *record = NULL;
    memcpy(&record, &at, sizeof(struct record *)); /* no more const */
    return record;
}

static const char *text_at(const void *data, size_t at)
{
    const char *text = NULL;
    memcpy(&text, (const char *)data + at, sizeof(const char *));
    return text;
}

static uint64_t number_at(const void *data, size_t at)
{
    uint64_t number = 0;
    memcpy(&number, (const char *)data + at, sizeof number);
    return number;
}

static struct record *record_make(const struct ht_record_shape *shape, const void *from)
{
    size_t size = 0;
    for (size_t i = 0; i < shape->text_count; i++) {
        const char *text = text_at(from, shape->texts[i]);
        size += text == NULL ? 0 : strlen(text) + 1;
    }
    struct record *record = malloc(sizeof *record + shape->size + size);
    if (record == NULL) {
        return NULL;
    }
    atomic_init(&record->refs, 1);
    memcpy(record->data, from, shape->size);
    char *at = (char *)record->data + shape->size;
    for (size_t i = 0; i < shape->text_count; i++) {
        const char *text = text_at(from, shape->texts[i]);
        if (text != NULL) {
            size_t bytes = strlen(text) + 1;
            memcpy(at, text, bytes);
            const char *copy = at;
            memcpy(record->data + shape->texts[i], &copy, sizeof(const char *));
            at += bytes;
        }
    }
    return record;
}

const void *ht_record_new(const struct ht_record_shape *shape, const void *from)
{
    struct record *record = record_make(shape, from);
    return record == NULL ? NULL : record->data;
}

const void *ht_record_hold(const void *data)
{
    if (data != NULL) {
        (void)atomic_fetch_add(&record_of(data)->refs, 1);
    }
    return data;
}

void ht_record_release(const void *data)
{
    if (data != NULL && atomic_fetch_sub(&record_of(data)->refs, 1) == 1) {
        free(record_of(data));
    }
}

/* ---- entries ----------------------------------------------------------------------------------
 */

void ht_ledger_init(struct ht_ledger *ledger, const struct ht_ledger_shape *shape,
                    pthread_mutex_t *lock)
{
    *ledger = (struct ht_ledger){.shape = shape, .lock = lock};
}

static void entry_release(struct ht_ledger_entry *e)
{
    if (e->gone && e->held == 0) {
        ht_record_release(e->pending);
        ht_record_release(e->committed);
        free(e);
    }
}

void ht_ledger_deinit(struct ht_ledger *ledger)
{
    for (size_t i = 0; i < ledger->entries.slot_count; i++) {
        while (ledger->entries.slots[i] != NULL) {
            struct ht_ledger_entry *e = (struct ht_ledger_entry *)ledger->entries.slots[i];
            ledger->entries.slots[i] = e->named.next;
            e->gone = true;
            entry_release(e);
        }
    }
    free(ledger->entries.slots);
    free(ledger->list);
    *ledger = (struct ht_ledger){.shape = ledger->shape, .lock = ledger->lock};
}

struct ht_ledger_entry *ht_ledger_find(const struct ht_ledger *ledger, const char *id)
{
    return (struct ht_ledger_entry *)ht_names_find(&ledger->entries, id);
}

const void *ht_ledger_pending(const struct ht_ledger *ledger, const char *id)
{
    const struct ht_ledger_entry *e = ht_ledger_find(ledger, id);
    return e == NULL ? NULL : e->pending;
}

const void *ht_ledger_get(struct ht_ledger *ledger, const char *id)
{
    (void)pthread_mutex_lock(ledger->lock);
    const struct ht_ledger_entry *e = ht_ledger_find(ledger, id);
    const void *record = e == NULL ? NULL : ht_record_hold(e->committed);
    (void)pthread_mutex_unlock(ledger->lock);
    return record;
}

/* All that applying the entry may need, so that it can't fail then. */
static enum ht_status make_room(struct ht_ledger *ledger)
{
    size_t committed = ledger->list_count - ledger->list_holes;
    size_t uncommitted = ledger->entries.count - committed;
    enum ht_status status = ht_names_reserve(&ledger->entries);
    return status == HT_OK
               ? ht_array_reserve((void **)&ledger->list, &ledger->list_room,
                                  ledger->list_count + uncommitted + 1, sizeof *ledger->list)
               : status;
}

static enum ht_status enter(struct ht_ledger *ledger, struct ht_ledger_entry *e)
{
    (void)pthread_mutex_lock(ledger->lock);
    enum ht_status status = make_room(ledger);
    if (status == HT_OK) {
        ht_names_add(&ledger->entries, &e->named);
    }
    (void)pthread_mutex_unlock(ledger->lock);
    return status;
}

/* Another pending record, held by the entry from now on. Its id stays the text of one of the
 * entry's records: the table is changed under the lock, since readers look things up in it. */
static void pending_set(struct ht_ledger_entry *e, const void *record)
{
    const struct ht_ledger_shape *shape = e->ledger->shape;
    const void *before = e->pending;
    (void)pthread_mutex_lock(e->ledger->lock);
    e->pending = record;
    e->named.id = text_at(record, shape->id_at);
    (void)pthread_mutex_unlock(e->ledger->lock);
    if (shape->pending != NULL) {
        shape->pending(shape->user, e, before, record);
    }
    ht_record_release(before);
}

static void entry_remove(struct ht_ledger_entry *e)
{
    struct ht_ledger *ledger = e->ledger;
    assert(!e->gone);
    if (ledger->shape->pending != NULL) {
        ledger->shape->pending(ledger->shape->user, e, e->pending, NULL);
    }
    (void)pthread_mutex_lock(ledger->lock);
    ht_names_remove(&ledger->entries, &e->named);
    (void)pthread_mutex_unlock(ledger->lock);
    e->gone = true;
}

/* ---- deciding ---------------------------------------------------------------------------------
 */

struct ht_ledger_log *ht_ledger_log_new(void)
{
    return calloc(1, sizeof(struct ht_ledger_log));
}

static enum ht_status touch(struct ht_ledger_log *log, struct ht_ledger_entry *e,
                            const void *before)
{
    enum ht_status status = ht_array_reserve((void **)&log->touched, &log->touched_room,
                                             log->touched_count + 1, sizeof *log->touched);
    if (status == HT_OK) {
        log->touched[log->touched_count++] =
            (struct ht_ledger_touched){e, ht_record_hold(before), NULL};
        e->owner = log;
        e->held++;
    }
    return status;
}

/* A record with its place among the versions. */
static struct record *version_make(const struct ht_ledger_shape *shape, const void *from,
                                   uint64_t version, uint64_t order)
{
    struct record *record = record_make(&shape->record, from);
    if (record != NULL) {
        memcpy(record->data + shape->version_at, &version, sizeof version);
        memcpy(record->data + shape->order_at, &order, sizeof order);
    }
    return record;
}

enum ht_status ht_ledger_begin(struct ht_ledger *ledger, struct ht_ledger_log *log,
                               const void *record, struct ht_ledger_entry **out)
{
    const struct ht_ledger_shape *shape = ledger->shape;
    struct ht_ledger_entry *e = calloc(1, sizeof *e + shape->extra);
    struct record *first = version_make(shape, record, 1, ledger->next_order + 1);
    enum ht_status status = e == NULL || first == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK) {
        e->ledger = ledger;
        e->order = ledger->next_order + 1;
        e->pending = first->data;
        e->named.id = text_at(first->data, shape->id_at);
        status = touch(log, e, NULL);
    }
    if (status == HT_OK) {
        status = enter(ledger, e);
        log->touched_count -= status == HT_OK ? 0 : 1;
    }
    if (status != HT_OK) {
        free(first);
        free(e);
        return status;
    }
    ledger->next_order++;
    if (shape->pending != NULL) {
        shape->pending(shape->user, e, NULL, e->pending);
    }
    *out = e;
    return HT_OK;
}

enum ht_status ht_ledger_put(struct ht_ledger_log *log, struct ht_ledger_entry *e,
                             const void *record)
{
    const struct ht_ledger_shape *shape = e->ledger->shape;
    uint64_t version = number_at(e->pending, shape->version_at) + 1;
    struct record *next = version_make(shape, record, version, e->order);
    enum ht_status status = next == NULL ? HT_NOMEM : HT_OK;
    if (status == HT_OK && e->owner != log) {
        status = touch(log, e, e->pending);
    }
    if (status != HT_OK) {
        free(next);
        return status;
    }
    pending_set(e, next->data);
    return HT_OK;
}

enum ht_status ht_ledger_say(struct ht_ledger_log *log, const struct ht_record_shape *shape,
                             const void *event)
{
    enum ht_status status = ht_array_reserve((void **)&log->events, &log->event_room,
                                             log->event_count + 1, sizeof(const void *));
    const void *record = status == HT_OK ? ht_record_new(shape, event) : NULL;
    if (record == NULL) {
        return HT_NOMEM;
    }
    log->events[log->event_count++] = record;
    return HT_OK;
}

/* ---- the end of a decision --------------------------------------------------------------------
 */

void ht_ledger_log_close(struct ht_ledger_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht_ledger_touched *t = &log->touched[i];
        t->after = ht_record_hold(t->entry->pending);
        t->entry->owner = NULL;
    }
}

static void log_free(struct ht_ledger_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht_ledger_touched *t = &log->touched[i];
        ht_record_release(t->before);
        ht_record_release(t->after);
        t->entry->owner = t->entry->owner == log ? NULL : t->entry->owner;
        t->entry->held--;
        entry_release(t->entry);
    }
    for (size_t i = 0; i < log->event_count; i++) {
        ht_record_release(log->events[i]);
    }
    free((void *)log->events);
    free(log->touched);
    free(log);
}

static void pending_back(struct ht_ledger_entry *e, const void *record)
{
    if (record != NULL) {
        pending_set(e, ht_record_hold(record));
    } else if (!e->gone) {
        entry_remove(e);
    }
}

/* Backwards, so that each finds what it found. */
void ht_ledger_log_undo(struct ht_ledger_log *log)
{
    for (size_t i = log->touched_count; i-- > 0;) {
        struct ht_ledger_touched *t = &log->touched[i];
        if (t->before == NULL) {
            t->entry->ledger->next_order--;
        }
        pending_back(t->entry, t->before);
    }
    log_free(log);
}

void ht_ledger_log_drop(struct ht_ledger_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht_ledger_entry *e = log->touched[i].entry;
        if (!e->gone) {
            pending_back(e, e->committed);
        }
        e->ledger->next_order = e->ledger->committed_order;
    }
    log_free(log);
}

/* ---- committed --------------------------------------------------------------------------------
 */

static void unlink_closed(struct ht_ledger_entry *e)
{
    struct ht_ledger *ledger = e->ledger;
    if (!e->closed_in) {
        return;
    }
    *(e->closed_before == NULL ? &ledger->closed_first : &e->closed_before->closed_after) =
        e->closed_after;
    *(e->closed_after == NULL ? &ledger->closed_last : &e->closed_after->closed_before) =
        e->closed_before;
    e->closed_before = e->closed_after = NULL;
    e->closed_in = false;
}

static void link_closed(struct ht_ledger_entry *e)
{
    struct ht_ledger *ledger = e->ledger;
    e->closed_before = ledger->closed_last;
    *(ledger->closed_last == NULL ? &ledger->closed_first : &ledger->closed_last->closed_after) = e;
    ledger->closed_last = e;
    e->closed_in = true;
}

/* At the end, nearly always: what is brought back from the table has overtaken those that are still
 * to be written. */
static void list_add(struct ht_ledger *ledger, struct ht_ledger_entry *e)
{
    size_t at = ledger->list_count++;
    for (; at > 0 && ledger->list[at - 1].order > e->order; at--) {
        ledger->list[at] = ledger->list[at - 1];
    }
    ledger->list[at] = (struct ht_ledger_listed){e->order, e};
    if (e->order > ledger->committed_order) {
        ledger->committed_order = e->order;
    }
}

static void commit_entry(struct ht_ledger_touched *t)
{
    struct ht_ledger_entry *e = t->entry;
    struct ht_ledger *ledger = e->ledger;
    const void *before = e->committed;
    if (before == NULL) {
        list_add(ledger, e);
    }
    e->committed = ht_record_hold(t->after);
    unlink_closed(e);
    if (number_at(t->after, ledger->shape->closed_at) != 0) {
        link_closed(e);
    }
    if (ledger->shape->committed != NULL) {
        ledger->shape->committed(ledger->shape->user, e, before, t->after);
    }
    ht_record_release(before);
}

void ht_ledger_log_apply(struct ht_ledger_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        pthread_mutex_t *lock = log->touched[i].entry->ledger->lock;
        (void)pthread_mutex_lock(lock);
        for (; i < log->touched_count && log->touched[i].entry->ledger->lock == lock; i++) {
            commit_entry(&log->touched[i]);
        }
        (void)pthread_mutex_unlock(lock);
        i--;
    }
    log_free(log);
}

/* ---- readers ----------------------------------------------------------------------------------
 */

/* Where `order` is in the list, or would be. Under the lock. */
static size_t list_at(const struct ht_ledger *ledger, uint64_t order)
{
    size_t low = 0;
    size_t high = ledger->list_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ledger->list[middle].order < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct listing {
    bool (*passes)(const void *filter, const void *record);
    const void *filter;
    size_t most;
    const void **out;
    size_t count;
    uint64_t order; /* of the last one that was looked at */
};

/* One slice downwards; false: that was the last. */
static bool list_slice(struct ht_ledger *ledger, struct listing *listing)
{
    (void)pthread_mutex_lock(ledger->lock);
    size_t at = list_at(ledger, listing->order);
    size_t end = at > SLICE ? at - SLICE : 0;
    while (at > end && listing->count < listing->most) {
        const struct ht_ledger_listed *listed = &ledger->list[--at];
        listing->order = listed->order;
        if (listed->entry != NULL && listing->passes(listing->filter, listed->entry->committed)) {
            listing->out[listing->count++] = ht_record_hold(listed->entry->committed);
        }
    }
    bool more = at > 0 && listing->count < listing->most;
    (void)pthread_mutex_unlock(ledger->lock);
    return more;
}

size_t ht_ledger_list(struct ht_ledger *ledger, uint64_t before,
                      bool (*passes)(const void *filter, const void *record), const void *filter,
                      size_t most, const void **out)
{
    struct listing listing = {.passes = passes,
                              .filter = filter,
                              .most = most,
                              .out = out,
                              .order = before == 0 ? UINT64_MAX : before};
    while (list_slice(ledger, &listing)) {
        /* the writer may go between two slices */
    }
    return listing.count;
}

size_t ht_ledger_held(struct ht_ledger *ledger)
{
    (void)pthread_mutex_lock(ledger->lock);
    size_t held = ledger->list_count - ledger->list_holes;
    (void)pthread_mutex_unlock(ledger->lock);
    return held;
}

/* ---- forgetting -------------------------------------------------------------------------------
 */

static void close_holes(struct ht_ledger *ledger)
{
    if (ledger->list_holes * 2 < ledger->list_count) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < ledger->list_count; i++) {
        if (ledger->list[i].entry != NULL) {
            ledger->list[kept++] = ledger->list[i];
        }
    }
    ledger->list_count = kept;
    ledger->list_holes = 0;
}

static void forget_one(struct ht_ledger *ledger, struct ht_ledger_entry *e)
{
    (void)pthread_mutex_lock(ledger->lock);
    unlink_closed(e);
    ledger->list[list_at(ledger, e->order)].entry = NULL;
    ledger->list_holes++;
    close_holes(ledger);
    if (ledger->shape->committed != NULL) {
        ledger->shape->committed(ledger->shape->user, e, e->committed, NULL);
    }
    (void)pthread_mutex_unlock(ledger->lock);
    entry_remove(e);
    entry_release(e);
}

size_t ht_ledger_forget(struct ht_ledger *ledger, int64_t before_ms, size_t most,
                        void (*gone)(void *user, const char *id), void *user)
{
    size_t count = 0;
    struct ht_ledger_entry *next = ledger->closed_first;
    while (next != NULL && count < most &&
           (int64_t)number_at(next->committed, ledger->shape->closed_at) < before_ms) {
        struct ht_ledger_entry *e = next;
        next = e->closed_after;
        if (e->held > 0) {
            continue; /* something is decided about it */
        }
        if (gone != NULL) {
            gone(user, e->named.id);
        }
        forget_one(ledger, e);
        count++;
    }
    return count;
}
