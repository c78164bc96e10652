#include "engine/live/orders.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/orders_internal.h"

enum ht_status ht_orders_new(struct ht_orders **out)
{
    struct ht_orders *o = calloc(1, sizeof *o);
    if (o == NULL || pthread_mutex_init(&o->lock, NULL) != 0) {
        free(o);
        return HT_NOMEM;
    }
    atomic_init(&o->changes, 0);
    *out = o;
    return HT_OK;
}

static void names_free(struct ht_names *names)
{
    for (size_t i = 0; i < names->slot_count; i++) {
        while (names->slots[i] != NULL) {
            struct ht_named *named = names->slots[i];
            names->slots[i] = named->next;
            free(named);
        }
    }
    free(names->slots);
}

void ht_orders_free(struct ht_orders *o)
{
    if (o == NULL) {
        return;
    }
    for (size_t i = 0; i < o->entries.slot_count; i++) {
        while (o->entries.slots[i] != NULL) {
            struct ht__order_entry *e = (struct ht__order_entry *)o->entries.slots[i];
            o->entries.slots[i] = e->named.next;
            e->gone = true;
            ht__orders_entry_release(e);
        }
    }
    free(o->entries.slots);
    names_free(&o->units);
    names_free(&o->quarters);
    free(o->list);
    (void)pthread_mutex_destroy(&o->lock);
    free(o);
}

struct ht__order_entry *ht__orders_entry_of(const struct ht_orders *o, const char *id)
{
    return (struct ht__order_entry *)ht_names_find(&o->entries, id);
}

/* ---- pending ----------------------------------------------------------------------------------
 */

static enum ht_status touch(struct ht_orders_log *log, struct ht__order_entry *e)
{
    if (e->owner == log) {
        return HT_OK;
    }
    enum ht_status status = ht_array_reserve((void **)&log->touched, &log->touched_room,
                                             log->touched_count + 1, sizeof *log->touched);
    if (status == HT_OK) {
        log->touched[log->touched_count++] =
            (struct ht__order_touched){e, ht__orders_version_hold(e->pending), NULL};
        e->owner = log;
        e->held++;
    }
    return status;
}

enum ht_status ht__orders_entry_begin(struct ht_orders *o, struct ht_orders_log *log,
                                      const struct ht_order_event *event,
                                      struct ht__order_entry **out)
{
    enum ht_status status = ht_array_reserve((void **)&log->touched, &log->touched_room,
                                             log->touched_count + 1, sizeof *log->touched);
    if (status == HT_OK) {
        status = ht__orders_entry_new(o, event, out);
    }
    if (status == HT_OK) {
        log->touched[log->touched_count++] = (struct ht__order_touched){*out, NULL, NULL};
        (*out)->owner = log;
        (*out)->held++;
    }
    return status;
}

/* The event as it is kept: with texts that live as long as the decision. */
static void keep_event(struct ht_orders_log *log, const struct ht__order_version *v,
                       const struct ht_order_event *event, const struct ht__order_unit *unit)
{
    struct ht_order_event *own = &log->events[log->event_count++];
    *own = *event;
    own->order = v->facts->id;
    own->unit = unit == NULL ? NULL : unit->id;
    if (event->kind == HT_ORDER_RECEIVED) {
        own->household = v->facts->household;
        own->kitchen = v->facts->kitchen;
    }
    own->incident = event->kind == HT_ORDER_FAILED ? v->view.incident : NULL;
}

enum ht_status ht__orders_fold(struct ht_orders *o, struct ht_orders_log *log,
                               struct ht__order_entry *e, const struct ht_order_event *event)
{
    struct ht__order_unit *unit = NULL;
    enum ht_status status = touch(log, e);
    if (status == HT_OK) {
        status = ht_array_reserve((void **)&log->events, &log->event_room, log->event_count + 1,
                                  sizeof *log->events);
    }
    if (status == HT_OK && event->unit != NULL) {
        status = ht__orders_unit_of(o, event->unit, &unit);
    }
    /* of this decision and in nobody's hands: the one version is changed again */
    bool own = status == HT_OK && atomic_load(&e->pending->refs) == 1;
    struct ht__order_version *v = e->pending;
    if (status == HT_OK && !own) {
        v = ht__orders_version_copy(e->pending, e->pending->facts);
        status = v == NULL ? HT_NOMEM : HT_OK;
    }
    if (status != HT_OK) {
        return status;
    }
    struct ht_order_event folded = *event;
    folded.unit = unit == NULL ? NULL : unit->id;
    uint64_t before = ht__orders_meals(&v->view);
    ht__orders_project(v, &folded);
    if (own) {
        e->quarter->meals += ht__orders_meals(&v->view) - before;
    } else {
        ht__orders_pending_set(e, v);
    }
    keep_event(log, v, event, unit);
    return HT_OK;
}

/* ---- decisions --------------------------------------------------------------------------------
 */

static void close_log(struct ht_orders_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht__order_touched *t = &log->touched[i];
        t->after = ht__orders_version_hold(t->entry->pending);
        t->entry->owner = NULL;
    }
}

static void log_free(struct ht_orders_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht__order_touched *t = &log->touched[i];
        ht__orders_version_release(t->before);
        ht__orders_version_release(t->after);
        t->entry->owner = t->entry->owner == log ? NULL : t->entry->owner;
        t->entry->held--;
        ht__orders_entry_release(t->entry);
    }
    free(log->touched);
    free(log->events);
    free(log);
}

static void set_pending(struct ht_orders *o, struct ht__order_entry *e,
                        struct ht__order_version *version)
{
    if (version != NULL) {
        ht__orders_pending_set(e, ht__orders_version_hold(version));
    } else if (!e->gone) {
        ht__orders_entry_remove(o, e);
    }
}

/* Backwards, so that each finds what it found. */
void ht__orders_log_undo(struct ht_orders *o, struct ht_orders_log *log)
{
    for (size_t i = log->touched_count; i-- > 0;) {
        struct ht__order_touched *t = &log->touched[i];
        if (t->before == NULL) {
            o->next_order--;
        }
        set_pending(o, t->entry, t->before);
    }
    log_free(log);
}

void ht_orders_take_back(struct ht_orders *o, struct ht_orders_decision *decision)
{
    if (decision != NULL) {
        ht__orders_log_undo(o, decision->log);
        free(decision);
    }
}

void ht_orders_drop(struct ht_orders *o, struct ht_orders_decision *decision)
{
    if (decision == NULL) {
        return;
    }
    struct ht_orders_log *log = decision->log;
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht__order_entry *e = log->touched[i].entry;
        if (!e->gone) {
            set_pending(o, e, e->committed);
        }
    }
    o->next_order = o->committed_order;
    log_free(log);
    free(decision);
}

/* ---- committed --------------------------------------------------------------------------------
 */

static void unlink_closed(struct ht_orders *o, struct ht__order_entry *e)
{
    if (!e->closed_in) {
        return;
    }
    *(e->closed_before == NULL ? &o->closed_first : &e->closed_before->closed_after) =
        e->closed_after;
    *(e->closed_after == NULL ? &o->closed_last : &e->closed_after->closed_before) =
        e->closed_before;
    e->closed_before = e->closed_after = NULL;
    e->closed_in = false;
}

static void link_closed(struct ht_orders *o, struct ht__order_entry *e)
{
    e->closed_before = o->closed_last;
    *(o->closed_last == NULL ? &o->closed_first : &o->closed_last->closed_after) = e;
    o->closed_last = e;
    e->closed_in = true;
}

static void unlink_unit(struct ht__order_entry *e)
{
    if (e->on != NULL) {
        *(e->unit_before == NULL ? &e->on->first : &e->unit_before->unit_after) = e->unit_after;
        if (e->unit_after != NULL) {
            e->unit_after->unit_before = e->unit_before;
        }
        e->unit_before = e->unit_after = NULL;
        e->on = NULL;
    }
}

static void link_unit(struct ht_orders *o, struct ht__order_entry *e)
{
    const struct ht_order *order = &e->committed->view;
    if (order->unit == NULL || !ht_order_is_open(order)) {
        return;
    }
    e->on = (struct ht__order_unit *)ht_names_find(&o->units, order->unit);
    e->unit_after = e->on->first;
    if (e->unit_after != NULL) {
        e->unit_after->unit_before = e;
    }
    e->on->first = e;
}

static void recall_settle(struct ht_orders *o)
{
    if (o->recalled != NULL) {
        o->totals.states[o->recalled->committed->view.state]--;
        o->recalled = NULL;
    }
}

/* At the end; what was recalled has overtaken those that are still to be written. */
static void list_add(struct ht_orders *o, struct ht__order_entry *e, uint64_t order)
{
    size_t at = o->list_count++;
    for (; at > 0 && o->list[at - 1].order > order; at--) {
        o->list[at] = o->list[at - 1];
    }
    o->list[at] = (struct ht__order_listed){order, e};
    o->committed_order = order > o->committed_order ? order : o->committed_order;
    if (o->recalling) {
        recall_settle(o);
        o->recalled = e;
    }
}

/* Whether what was told of its coming is of another plan. */
static bool plan_differs(const struct ht_order *a, const struct ht_order *b)
{
    return a->unit != b->unit || a->sequence != b->sequence || a->eta_ms != b->eta_ms ||
           a->eta_low_ms != b->eta_low_ms || a->eta_high_ms != b->eta_high_ms;
}

static void commit_entry(struct ht_orders *o, struct ht__order_touched *t)
{
    struct ht__order_entry *e = t->entry;
    if (e->committed == NULL) {
        list_add(o, e, t->after->view.order);
    } else {
        ht__orders_count(o, &e->committed->view, -1, !o->recalling);
        e->told = e->told && !plan_differs(&e->committed->view, &t->after->view);
    }
    ht__orders_count(o, &t->after->view, 1, !o->recalling);
    struct ht__order_version *old = e->committed;
    e->committed = ht__orders_version_hold(t->after);
    ht__orders_version_release(old);
    unlink_closed(o, e);
    unlink_unit(e);
    link_unit(o, e);
    if (!ht_order_is_open(&t->after->view)) {
        link_closed(o, e);
    }
}

static void count_event(struct ht_orders *o, const struct ht_order_event *event)
{
    if (event->kind == HT_ORDER_FAILED && !o->recalling) {
        o->totals.failures[event->reason]++;
        o->totals.incidents += event->incident != NULL ? 1 : 0;
    }
}

static void commit_log(struct ht_orders *o, struct ht_orders_log *log)
{
    bool matters = false;
    (void)pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < log->touched_count; i++) {
        commit_entry(o, &log->touched[i]);
    }
    for (size_t i = 0; i < log->event_count; i++) {
        enum ht_order_event_kind kind = log->events[i].kind;
        count_event(o, &log->events[i]);
        matters = matters || (kind != HT_ORDER_PLANNED && kind != HT_ORDER_UNPLANNED);
    }
    (void)pthread_mutex_unlock(&o->lock);
    if (matters) {
        (void)atomic_fetch_add(&o->changes, 1);
    }
}

void ht_orders_apply(struct ht_orders *o, struct ht_orders_decision *decision)
{
    if (decision != NULL) {
        commit_log(o, decision->log);
        log_free(decision->log);
        free(decision);
    }
}

enum ht_status ht__orders_log_decide(struct ht_orders_log *log, struct ht_orders_decision **out)
{
    struct ht_orders_decision *decision = calloc(1, sizeof *decision);
    if (decision == NULL) {
        return HT_NOMEM;
    }
    close_log(log);
    *decision = (struct ht_orders_decision){
        .events = log->events, .event_count = log->event_count, .log = log};
    *out = decision;
    return HT_OK;
}

/* ---- the table --------------------------------------------------------------------------------
 */

static bool texts_fit(const struct ht_order_event *e)
{
    const char *const texts[] = {e->order, e->household, e->kitchen, e->unit, e->incident};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i] != NULL && (texts[i][0] == '\0' || strlen(texts[i]) > HT_ORDER_ID_MAX)) {
            return false;
        }
    }
    return true;
}

static enum ht_status replay_into(struct ht_orders *o, struct ht_orders_log *log,
                                  const struct ht_order_event *event)
{
    struct ht__order_entry *e = ht__orders_entry_of(o, event->order);
    if (!ht__orders_event_fits(e == NULL ? NULL : e->pending, event)) {
        return HT_INVALID;
    }
    enum ht_status status = HT_OK;
    if (e == NULL) {
        status = ht__orders_entry_begin(o, log, event, &e);
    }
    return status == HT_OK ? ht__orders_fold(o, log, e, event) : status;
}

enum ht_status ht_orders_replay(struct ht_orders *o, const struct ht_order_event *event)
{
    if (event->order == NULL || !texts_fit(event)) {
        return HT_INVALID;
    }
    struct ht_orders_log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = replay_into(o, log, event);
    if (status != HT_OK) {
        ht__orders_log_undo(o, log);
        return status;
    }
    close_log(log);
    commit_log(o, log);
    log_free(log);
    return HT_OK;
}

/* ---- forgetting -------------------------------------------------------------------------------
 */

static void close_holes(struct ht_orders *o)
{
    if (o->list_holes * 2 < o->list_count) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < o->list_count; i++) {
        if (o->list[i].entry != NULL) {
            o->list[kept++] = o->list[i];
        }
    }
    o->list_count = kept;
    o->list_holes = 0;
}

static void forget_one(struct ht_orders *o, struct ht__order_entry *e)
{
    (void)pthread_mutex_lock(&o->lock);
    unlink_closed(o, e);
    o->list[ht__orders_list_at(o, e->committed->view.order)].entry = NULL;
    o->list_holes++;
    close_holes(o);
    (void)pthread_mutex_unlock(&o->lock);
    ht__orders_entry_remove(o, e);
    ht__orders_entry_release(e);
}

size_t ht_orders_forget(struct ht_orders *o, int64_t before_ms, size_t most,
                        void (*gone)(void *user, const char *order), void *user)
{
    size_t count = 0;
    struct ht__order_entry *next = o->closed_first;
    while (next != NULL && count < most && next->committed->view.closed_ms < before_ms) {
        struct ht__order_entry *e = next;
        next = e->closed_after;
        if (e->held > 0) {
            continue; /* something is decided about it */
        }
        if (gone != NULL) {
            gone(user, e->committed->view.id);
        }
        forget_one(o, e);
        count++;
    }
    return count;
}

void ht_orders_recall(struct ht_orders *o, bool on)
{
    (void)pthread_mutex_lock(&o->lock);
    recall_settle(o);
    (void)pthread_mutex_unlock(&o->lock);
    o->recalling = on;
}

const struct ht_order *ht_orders_pending(const struct ht_orders *o, const char *id)
{
    const struct ht__order_entry *e = ht__orders_entry_of(o, id);
    return e == NULL ? NULL : &e->pending->view;
}

uint64_t ht_orders_quarter(const struct ht_orders *o, const char *kitchen, int64_t at_ms)
{
    char key[HT__ORDER_QUARTER_TEXT];
    ht__orders_quarter_key(key, kitchen, at_ms);
    const struct ht__order_quarter *quarter =
        (const struct ht__order_quarter *)ht_names_find(&o->quarters, key);
    return quarter == NULL ? 0 : quarter->meals;
}

uint64_t ht_orders_changes(const struct ht_orders *o)
{
    return atomic_load(&o->changes);
}
