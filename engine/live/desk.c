#include "engine/live/desk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/desk_internal.h"
#include "engine/live/desk_joint.h"

enum ht_status ht_desk_new(const struct ht_desk_rules *rules, struct ht_desk **out)
{
    enum ht_status status = ht_desk_rules_check(rules, NULL);
    struct ht_desk *d = status == HT_OK ? calloc(1, sizeof *d) : NULL;
    if (d == NULL) {
        return status == HT_OK ? HT_NOMEM : status;
    }
    d->rules = *rules;
    d->random = 1;
    status = ht__desk_joint_new(&d->joint);
    if (status == HT_OK && pthread_mutex_init(&d->lock, NULL) != 0) {
        status = HT_NOMEM;
    }
    if (status != HT_OK) {
        ht__desk_joint_free(d->joint);
        free(d);
        return status;
    }
    *out = d;
    return HT_OK;
}

void ht_desk_free(struct ht_desk *d)
{
    if (d == NULL) {
        return;
    }
    if (d->recall != NULL) {
        ht__desk_log_undo(d, d->recall);
    }
    for (size_t i = 0; i < d->entries.slot_count; i++) {
        while (d->entries.slots[i] != NULL) {
            struct ht__entry *e = (struct ht__entry *)d->entries.slots[i];
            d->entries.slots[i] = e->named.next;
            e->gone = true;
            ht__desk_entry_release(e);
        }
    }
    for (size_t i = 0; i < d->units.slot_count; i++) {
        while (d->units.slots[i] != NULL) {
            struct ht_named *unit = d->units.slots[i];
            d->units.slots[i] = unit->next;
            free(unit);
        }
    }
    for (size_t i = 0; i < d->devices.count; i++) {
        free(d->device_list[i]);
    }
    for (size_t i = 0; i < d->sorts.slot_count; i++) {
        while (d->sorts.slots[i] != NULL) {
            struct ht_named *sorts = d->sorts.slots[i];
            d->sorts.slots[i] = sorts->next;
            free(sorts);
        }
    }
    free(d->sorts.slots);
    free(d->entries.slots);
    free(d->units.slots);
    free(d->devices.slots);
    free(d->device_list);
    free(d->list);
    free(d->due.heap);
    free((void *)d->engaged);
    free(d->candidates);
    ht__desk_joint_free(d->joint);
    (void)pthread_mutex_destroy(&d->lock);
    free(d);
}

enum ht_status ht_desk_set_rules(struct ht_desk *d, const struct ht_desk_rules *rules,
                                 struct ht_error *error)
{
    enum ht_status status = ht_desk_rules_check(rules, error);
    if (status == HT_OK) {
        d->rules = *rules;
    }
    return status;
}

struct ht__entry *ht__desk_entry_of(const struct ht_desk *d, const char *id)
{
    return (struct ht__entry *)ht_names_find(&d->entries, id);
}

/* ---- pending ----------------------------------------------------------------------------------
 */

enum ht_status ht__desk_touch(struct ht_desk *d, struct ht_desk_log *log, struct ht__entry *e)
{
    (void)d;
    if (e->owner == log) {
        return HT_OK;
    }
    enum ht_status status = ht_array_reserve((void **)&log->touched, &log->touched_room,
                                             log->touched_count + 1, sizeof *log->touched);
    if (status == HT_OK) {
        log->touched[log->touched_count++] = (struct ht__touched){
            e, ht__desk_version_hold(e->pending), NULL, e->tried_ms, e->closest_ms};
        e->owner = log;
        e->held++;
    }
    return status;
}

static bool is_widened(const struct ht_desk_event *event)
{
    return event->kind == HT_DESK_FOLDED && event->skills != NULL;
}

/* A pending version that this event may change, with room for one more of each list. */
static enum ht_status own(struct ht__entry *e, const struct ht_desk_event *event)
{
    struct ht__version *v = e->pending;
    bool fits = v->view.seat_count < v->seat_room && v->view.passed_count < v->passed_room;
    bool widened = is_widened(event);
    if (atomic_load(&v->refs) == 1 && fits && !widened) {
        return HT_OK; /* the desk's alone: of this decision, and in nobody's hands */
    }
    struct ht__facts *facts = widened ? ht__desk_facts_with(v->facts, event->skills) : v->facts;
    if (facts == NULL) {
        return HT_NOMEM;
    }
    uint32_t passed = v->view.passed_count;
    struct ht__version *copy =
        ht__desk_version_copy(v, facts, v->view.seat_count + 1, passed == 0 ? 1 : passed * 2);
    if (widened) {
        ht__desk_facts_release(facts); /* the copy has its own hold */
    }
    if (copy == NULL) {
        return HT_NOMEM;
    }
    e->pending = copy;
    ht__desk_version_release(v);
    return HT_OK;
}

static bool is_freed(const struct ht__unit *unit)
{
    return unit->pending == NULL && unit->committed != NULL;
}

static void set_unit(struct ht_desk *d, struct ht__unit *unit, struct ht__entry *pending,
                     struct ht__entry *committed)
{
    d->freed -= is_freed(unit) ? 1 : 0;
    if (unit->pending == NULL && pending != NULL) {
        unit->engaged_at = d->engaged_count;
        d->engaged[d->engaged_count++] = unit;
    } else if (unit->pending != NULL && pending == NULL) {
        struct ht__unit *last = d->engaged[--d->engaged_count];
        d->engaged[unit->engaged_at] = last;
        last->engaged_at = unit->engaged_at;
    }
    unit->pending = pending;
    unit->committed = committed;
    d->freed += is_freed(unit) ? 1 : 0;
}

static enum ht_status move_unit(struct ht_desk *d, struct ht_desk_log *log, struct ht__entry *e,
                                const struct ht_desk_event *event)
{
    struct ht__unit *unit = NULL;
    enum ht_status status = ht__desk_unit_of(d, event->unit, &unit);
    if (status == HT_OK) {
        status = ht_array_reserve((void **)&log->moved, &log->moved_room, log->moved_count + 1,
                                  sizeof *log->moved);
    }
    if (status == HT_OK) {
        log->moved[log->moved_count++] = (struct ht__moved){unit, unit->pending, NULL};
        set_unit(d, unit, event->kind == HT_DESK_ASSIGNED ? e : NULL, unit->committed);
    }
    return status;
}

static bool moves_unit(enum ht_desk_event_kind kind)
{
    return kind == HT_DESK_ASSIGNED || kind == HT_DESK_DECLINED || kind == HT_DESK_PASSED_OVER ||
           kind == HT_DESK_RELEASED;
}

enum ht_status ht__desk_fold(struct ht_desk *d, struct ht_desk_log *log, struct ht__entry *e,
                             const struct ht_desk_event *event)
{
    enum ht_status status = ht__desk_touch(d, log, e);
    if (status == HT_OK) {
        status = own(e, event);
    }
    if (status == HT_OK) {
        status = ht_array_reserve((void **)&log->events, &log->event_room, log->event_count + 1,
                                  sizeof *log->events);
    }
    struct ht__unit *unit = NULL;
    if (status == HT_OK && event->unit != NULL) {
        status = ht__desk_unit_of(d, event->unit, &unit);
    }
    if (status == HT_OK && moves_unit(event->kind) && !d->recalling) {
        status = move_unit(d, log, e, event);
    }
    if (status != HT_OK) {
        return status;
    }
    struct ht_desk_event *own_event = &log->events[log->event_count++];
    *own_event = *event;
    own_event->incident = e->pending->facts->id;
    own_event->unit = unit == NULL ? NULL : unit->id;
    if (event->kind == HT_DESK_RECEIVED) {
        own_event->household = e->pending->facts->household;
        own_event->device = e->pending->facts->device;
    }
    if (event->kind == HT_DESK_RECEIVED || is_widened(event)) {
        own_event->skills = e->pending->facts->skills;
    }
    ht__desk_project(e->pending, own_event);
    ht__desk_entry_place(d, e);
    return HT_OK;
}

/* ---- decisions --------------------------------------------------------------------------------
 */

static void close_log(struct ht_desk_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht__touched *t = &log->touched[i];
        t->after = ht__desk_version_hold(t->entry->pending);
        t->entry->owner = NULL;
    }
    for (size_t i = 0; i < log->moved_count; i++) {
        log->moved[i].after = log->moved[i].unit->pending;
    }
}

static void log_free(struct ht_desk_log *log)
{
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht__touched *t = &log->touched[i];
        ht__desk_version_release(t->before);
        ht__desk_version_release(t->after);
        t->entry->owner = t->entry->owner == log ? NULL : t->entry->owner;
        t->entry->held--;
        ht__desk_entry_release(t->entry);
    }
    free(log->touched);
    free(log->moved);
    free(log->events);
    free(log);
}

static void set_pending(struct ht_desk *d, struct ht__entry *e, struct ht__version *version)
{
    if (version != NULL) {
        struct ht__version *old = e->pending;
        e->pending = ht__desk_version_hold(version);
        ht__desk_version_release(old);
        ht__desk_entry_place(d, e);
    } else if (!e->gone) {
        ht__desk_entry_remove(d, e);
    }
}

/* Backwards, so that each finds what it found. */
static void undo(struct ht_desk *d, struct ht_desk_log *log)
{
    for (size_t i = log->moved_count; i-- > 0;) {
        set_unit(d, log->moved[i].unit, log->moved[i].before, log->moved[i].unit->committed);
    }
    for (size_t i = log->touched_count; i-- > 0;) {
        struct ht__touched *t = &log->touched[i];
        t->entry->tried_ms = t->tried_ms;
        t->entry->closest_ms = t->closest_ms;
        if (t->before == NULL) {
            d->next_order--;
        }
        set_pending(d, t->entry, t->before);
    }
}

void ht__desk_log_undo(struct ht_desk *d, struct ht_desk_log *log)
{
    undo(d, log);
    log_free(log);
}

void ht_desk_take_back(struct ht_desk *d, struct ht_desk_decision *decision)
{
    if (decision != NULL) {
        ht__desk_log_undo(d, decision->log);
        free(decision);
    }
}

void ht_desk_drop(struct ht_desk *d, struct ht_desk_decision *decision)
{
    if (decision == NULL) {
        return;
    }
    struct ht_desk_log *log = decision->log;
    for (size_t i = 0; i < log->moved_count; i++) {
        struct ht__entry *committed = log->moved[i].unit->committed;
        set_unit(d, log->moved[i].unit, committed, committed);
    }
    for (size_t i = 0; i < log->touched_count; i++) {
        struct ht__touched *t = &log->touched[i];
        t->entry->tried_ms = t->entry->committed_tried_ms;
        t->entry->closest_ms = t->entry->committed_closest_ms;
        set_pending(d, t->entry, t->entry->committed);
    }
    d->next_order = d->committed_order;
    log_free(log);
    free(decision);
}

static void unlink_closed(struct ht_desk *d, struct ht__entry *e)
{
    if (!e->closed_in) {
        return;
    }
    *(e->closed_before == NULL ? &d->closed_first : &e->closed_before->closed_after) =
        e->closed_after;
    *(e->closed_after == NULL ? &d->closed_last : &e->closed_after->closed_before) =
        e->closed_before;
    e->closed_before = e->closed_after = NULL;
    e->closed_in = false;
}

static void link_closed(struct ht_desk *d, struct ht__entry *e)
{
    e->closed_before = d->closed_last;
    *(d->closed_last == NULL ? &d->closed_first : &d->closed_last->closed_after) = e;
    d->closed_last = e;
    e->closed_in = true;
}

static void recall_settle(struct ht_desk *d)
{
    if (d->recalled != NULL) {
        d->totals.states[d->recalled->committed->view.state]--;
        d->recalled = NULL;
    }
}

/* At the end; what was recalled has overtaken those that are still to be written. */
static void list_add(struct ht_desk *d, struct ht__entry *e, uint64_t order)
{
    size_t at = d->list_count++;
    for (; at > 0 && d->list[at - 1].order > order; at--) {
        d->list[at] = d->list[at - 1];
    }
    d->list[at] = (struct ht__listed){order, e};
    d->committed_order = order > d->committed_order ? order : d->committed_order;
    if (d->recalling) {
        recall_settle(d);
        d->recalled = e;
    }
}

static void commit_entry(struct ht_desk *d, struct ht__touched *t)
{
    struct ht__entry *e = t->entry;
    if (e->committed == NULL) {
        list_add(d, e, t->after->view.order);
    } else {
        ht__desk_count(d, e, e->committed, -1, !d->recalling);
    }
    ht__desk_count(d, e, t->after, 1, !d->recalling);
    e->committed_tried_ms = e->tried_ms;
    e->committed_closest_ms = e->closest_ms;
    struct ht__version *old = e->committed;
    e->committed = ht__desk_version_hold(t->after);
    ht__desk_version_release(old);
    unlink_closed(d, e);
    if (!ht__desk_is_open(&t->after->view)) {
        link_closed(d, e);
    }
}

static void commit_log(struct ht_desk *d, struct ht_desk_log *log)
{
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < log->touched_count; i++) {
        commit_entry(d, &log->touched[i]);
    }
    for (size_t i = 0; i < log->moved_count; i++) {
        set_unit(d, log->moved[i].unit, log->moved[i].unit->pending, log->moved[i].after);
    }
    for (size_t i = 0; i < log->event_count && !d->recalling; i++) {
        d->totals.at_risk += log->events[i].kind == HT_DESK_AT_RISK ? 1 : 0;
        d->totals.escalated += log->events[i].kind == HT_DESK_ESCALATED ? 1 : 0;
    }
    (void)pthread_mutex_unlock(&d->lock);
}

void ht_desk_apply(struct ht_desk *d, struct ht_desk_decision *decision)
{
    if (decision != NULL) {
        commit_log(d, decision->log);
        log_free(decision->log);
        free(decision);
    }
}

enum ht_status ht__desk_log_decide(struct ht_desk_log *log, const struct ht__entry *about,
                                   bool folded, struct ht_desk_decision **out)
{
    struct ht_desk_decision *decision = calloc(1, sizeof *decision);
    if (decision == NULL) {
        return HT_NOMEM;
    }
    close_log(log);
    *decision = (struct ht_desk_decision){
        .events = log->events, .event_count = log->event_count, .folded = folded, .log = log};
    for (size_t i = 0; i < log->touched_count && about != NULL; i++) {
        if (log->touched[i].entry == about) {
            decision->incident = &log->touched[i].after->view;
        }
    }
    *out = decision;
    return HT_OK;
}

/* ---- the table --------------------------------------------------------------------------------
 */

static bool texts_fit(const struct ht_desk_event *e)
{
    const char *const texts[] = {e->incident, e->unit, e->household, e->device};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i] != NULL && (texts[i][0] == '\0' || strlen(texts[i]) > HT_DESK_ID_MAX)) {
            return false;
        }
    }
    return e->skills == NULL || strlen(e->skills) <= HT_DESK_SKILLS_MAX;
}

static bool unit_fits(const struct ht_desk *d, const struct ht_desk_event *event)
{
    if (event->kind != HT_DESK_ASSIGNED || d->recalling) {
        return true;
    }
    const struct ht__unit *unit = (const struct ht__unit *)ht_names_find(&d->units, event->unit);
    return unit == NULL || unit->pending == NULL;
}

static enum ht_status replay_into(struct ht_desk *d, struct ht_desk_log *log,
                                  const struct ht_desk_event *event)
{
    struct ht__entry *e = ht__desk_entry_of(d, event->incident);
    if (!ht__desk_event_fits(e == NULL ? NULL : e->pending, event) || !unit_fits(d, event)) {
        return HT_INVALID;
    }
    enum ht_status status = HT_OK;
    if (e == NULL) {
        status = ht__desk_entry_begin(d, log, event, &e);
    }
    if (status == HT_OK) {
        status = ht__desk_fold(d, log, e, event);
    }
    return status;
}

static void log_commit(struct ht_desk *d, struct ht_desk_log *log)
{
    close_log(log);
    commit_log(d, log);
    log_free(log);
}

enum ht_status ht_desk_replay(struct ht_desk *d, const struct ht_desk_event *event)
{
    bool fits = event->incident != NULL && texts_fit(event);
    struct ht_desk_log *log = d->recall != NULL ? d->recall : calloc(1, sizeof *log);
    d->recall = NULL;
    if (log == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = fits ? replay_into(d, log, event) : HT_INVALID;
    bool passed_over = status == HT_INVALID && log->touched_count > 0; /* the rest stands */
    if (d->recalling && (status == HT_OK || passed_over)) {
        d->recall = log;
    } else if (status != HT_OK) {
        ht__desk_log_undo(d, log);
    } else {
        log_commit(d, log);
    }
    return status;
}

enum ht_status ht__desk_entry_begin(struct ht_desk *d, struct ht_desk_log *log,
                                    const struct ht_desk_event *event, struct ht__entry **out)
{
    enum ht_status status = ht_array_reserve((void **)&log->touched, &log->touched_room,
                                             log->touched_count + 1, sizeof *log->touched);
    if (status == HT_OK) {
        status = ht__desk_entry_new(d, event, out);
    }
    if (status == HT_OK) {
        log->touched[log->touched_count++] = (struct ht__touched){*out, NULL, NULL, 0, 0};
        (*out)->owner = log;
        (*out)->held++;
    }
    return status;
}

int64_t ht_desk_due_ms(const struct ht_desk *d)
{
    return d->due.count == 0 ? INT64_MAX : d->due.heap[0]->due_ms;
}

/* ---- forgetting -------------------------------------------------------------------------------
 */

static bool is_past(const struct ht_incident *i, int64_t before_ms)
{
    return !ht__desk_is_open(i) && i->closed_ms < before_ms &&
           (i->state != HT_INCIDENT_IS_RESOLVED || i->step_by_ms == 0);
}

static struct ht__listed *listed(struct ht_desk *d, uint64_t order)
{
    size_t at = ht__desk_list_at(d, order);
    return &d->list[at];
}

static void close_holes(struct ht_desk *d)
{
    if (d->list_holes * 2 < d->list_count) {
        return;
    }
    size_t kept = 0;
    for (size_t i = 0; i < d->list_count; i++) {
        if (d->list[i].entry != NULL) {
            d->list[kept++] = d->list[i];
        }
    }
    d->list_count = kept;
    d->list_holes = 0;
}

size_t ht_desk_forget(struct ht_desk *d, int64_t before_ms, size_t most,
                      void (*gone)(void *user, const char *incident), void *user)
{
    size_t count = 0;
    struct ht__entry *next = d->closed_first;
    while (next != NULL && count < most && next->committed->view.closed_ms < before_ms) {
        struct ht__entry *e = next;
        next = e->closed_after;
        if (e->held > 0 || !is_past(&e->committed->view, before_ms)) {
            continue; /* something is decided about it, or its last clock still runs */
        }
        if (gone != NULL) {
            gone(user, e->committed->view.id);
        }
        (void)pthread_mutex_lock(&d->lock);
        unlink_closed(d, e);
        listed(d, e->committed->view.order)->entry = NULL;
        d->list_holes++;
        close_holes(d);
        (void)pthread_mutex_unlock(&d->lock);
        ht__desk_entry_remove(d, e);
        ht__desk_entry_release(e);
        count++;
    }
    return count;
}

void ht_desk_recall(struct ht_desk *d, bool on)
{
    if (d->recall != NULL) {
        log_commit(d, d->recall);
        d->recall = NULL;
    }
    (void)pthread_mutex_lock(&d->lock);
    recall_settle(d);
    (void)pthread_mutex_unlock(&d->lock);
    d->recalling = on;
}

const struct ht_incident *ht_desk_pending(const struct ht_desk *d, const char *id)
{
    const struct ht__entry *e = ht__desk_entry_of(d, id);
    return e == NULL ? NULL : &e->pending->view;
}

bool ht_desk_device_open(const struct ht_desk *d, const char *device)
{
    const struct ht__device *own = (const struct ht__device *)ht_names_find(&d->devices, device);
    for (int k = 0; own != NULL && k < HT_INCIDENT_KINDS; k++) {
        for (const struct ht__entry *e = own->newest[k]; e != NULL; e = e->older) {
            if (ht__desk_is_open(&e->pending->view)) {
                return true;
            }
        }
    }
    return false;
}

const char *ht_desk_engaged(const struct ht_desk *d, const char *unit)
{
    const struct ht__unit *u = (const struct ht__unit *)ht_names_find(&d->units, unit);
    return u == NULL || u->pending == NULL ? NULL : u->pending->named.id;
}
