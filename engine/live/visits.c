#include "engine/live/visits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/live/visits_internal.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct ht_visit_rules ht_visit_rules_default(void)
{
    return (struct ht_visit_rules){.due_ms = {30 * DAY_MS, 15 * DAY_MS, 7 * DAY_MS, DAY_MS},
                                   .remind_ms = 2 * DAY_MS,
                                   .rise_ms = {3 * DAY_MS, 7 * DAY_MS},
                                   .extend_ms = {7 * DAY_MS, 15 * DAY_MS, 30 * DAY_MS},
                                   .again_ms = 90 * DAY_MS};
}

/* ---- new and gone -----------------------------------------------------------------------------
 */

/* What the clock has to say of it may be due earlier than all before. */
static void notice_pending(void *user, struct ht_ledger_entry *entry, const void *before,
                           const void *after)
{
    struct ht_visits *visits = user;
    (void)entry;
    (void)before;
    if (after != NULL) {
        int64_t next_ms = ht__notice_next_ms(after);
        if (next_ms < atomic_load(&visits->due_ms)) {
            atomic_store(&visits->due_ms, next_ms);
        }
    }
}

enum ht_status ht_visits_new(struct ht_visits **out)
{
    struct ht_visits *visits = calloc(1, sizeof *visits);
    if (visits == NULL || pthread_mutex_init(&visits->lock, NULL) != 0) {
        free(visits);
        return HT_NOMEM;
    }
    visits->visit_shape =
        (struct ht_ledger_shape){.record = ht__visit_record,
                                 .id_at = offsetof(struct ht_visit, id),
                                 .version_at = offsetof(struct ht_visit, version),
                                 .order_at = offsetof(struct ht_visit, order),
                                 .closed_at = offsetof(struct ht_visit, closed_ms),
                                 .committed = ht__visit_count,
                                 .user = visits};
    visits->notice_shape =
        (struct ht_ledger_shape){.record = ht__notice_record,
                                 .id_at = offsetof(struct ht_rectification, id),
                                 .version_at = offsetof(struct ht_rectification, version),
                                 .order_at = offsetof(struct ht_rectification, order),
                                 .closed_at = offsetof(struct ht_rectification, closed_ms),
                                 .pending = notice_pending,
                                 .committed = ht__notice_count,
                                 .user = visits};
    ht_ledger_init(&visits->visits, &visits->visit_shape, &visits->lock);
    ht_ledger_init(&visits->notices, &visits->notice_shape, &visits->lock);
    atomic_init(&visits->due_ms, INT64_MAX);
    atomic_init(&visits->changes, 0);
    *out = visits;
    return HT_OK;
}

void ht_visits_free(struct ht_visits *visits)
{
    if (visits != NULL) {
        ht_ledger_deinit(&visits->visits);
        ht_ledger_deinit(&visits->notices);
        (void)pthread_mutex_destroy(&visits->lock);
        free(visits);
    }
}

/* ---- deciding ---------------------------------------------------------------------------------
 */

static enum ht_status put(struct ht_ledger *ledger, struct ht_ledger_log *log,
                          struct ht_ledger_entry *entry, const void *record)
{
    return entry == NULL ? ht_ledger_begin(ledger, log, record, &entry)
                         : ht_ledger_put(log, entry, record);
}

static enum ht_status fold(struct ht_visits *visits, struct ht_ledger_log *log,
                           const struct ht_visit_event *event)
{
    bool of_visit = ht_visit_event_is_visit(event->kind);
    struct ht_ledger *ledger = of_visit ? &visits->visits : &visits->notices;
    struct ht_ledger_entry *entry = ht_ledger_find(ledger, event->id);
    if (of_visit) {
        const struct ht_visit *before = entry == NULL ? NULL : entry->pending;
        struct ht_visit visit = before == NULL ? (struct ht_visit){.id = NULL} : *before;
        ht__visit_project(&visit, event);
        return put(ledger, log, entry, &visit);
    }
    const struct ht_rectification *before = entry == NULL ? NULL : entry->pending;
    struct ht_rectification notice =
        before == NULL ? (struct ht_rectification){.id = NULL} : *before;
    ht__notice_project(&notice, event);
    return put(ledger, log, entry, &notice);
}

static bool fits(const struct ht_visits *visits, const struct ht_visit_event *event)
{
    return ht_visit_event_is_visit(event->kind)
               ? ht__visit_event_fits(ht_visits_pending(visits, event->id), event)
               : ht__notice_event_fits(ht_rectifications_pending(visits, event->id), event);
}

enum ht_status ht__visits_say(struct ht_visits *visits, struct ht_ledger_log *log,
                              const struct ht_visit_event *event)
{
    assert(fits(visits, event));
    enum ht_status status = ht_ledger_say(log, &ht__visit_event_record, event);
    if (status == HT_OK && event->kind == HT_NOTICE_OPENED && event->number > visits->number) {
        visits->number = event->number;
    }
    return status == HT_OK ? fold(visits, log, event) : status;
}

/* Notices that a log opened, whose numbers are free again. */
static uint32_t opened(const struct ht_ledger_log *log)
{
    uint32_t count = 0;
    for (size_t i = 0; i < log->event_count; i++) {
        const struct ht_visit_event *event = log->events[i];
        count += event->kind == HT_NOTICE_OPENED ? 1 : 0;
    }
    return count;
}

void ht__visits_undo(struct ht_visits *visits, struct ht_ledger_log *log)
{
    visits->number -= opened(log);
    ht_ledger_log_undo(log);
}

enum ht_status ht__visits_close(struct ht_ledger_log *log, struct ht_visits_decision **out)
{
    struct ht_visits_decision *decision = calloc(1, sizeof *decision);
    if (decision == NULL) {
        return HT_NOMEM;
    }
    ht_ledger_log_close(log);
    decision->events = (const struct ht_visit_event *const *)log->events;
    decision->event_count = log->event_count;
    decision->log = log;
    *out = decision;
    return HT_OK;
}

void ht_visits_take_back(struct ht_visits *visits, struct ht_visits_decision *decision)
{
    if (decision != NULL) {
        ht__visits_undo(visits, decision->log);
        free(decision);
    }
}

void ht_visits_drop(struct ht_visits *visits, struct ht_visits_decision *decision)
{
    if (decision != NULL) {
        visits->number = visits->committed_number;
        ht_ledger_log_drop(decision->log);
        free(decision);
    }
}

/* Whether a plan has to know of it. */
static bool matters(enum ht_visit_event_kind kind)
{
    return kind != HT_VISIT_PLANNED && kind != HT_VISIT_MOVED && kind != HT_NOTICE_REVISIT &&
           kind != HT_VISIT_FLAGGED && kind != HT_NOTICE_FLAGGED;
}

static void apply(struct ht_visits *visits, struct ht_ledger_log *log)
{
    bool changed = false;
    for (size_t i = 0; i < log->event_count; i++) {
        const struct ht_visit_event *event = log->events[i];
        changed = changed || matters(event->kind);
        if (event->kind == HT_NOTICE_OPENED && event->number > visits->committed_number) {
            visits->committed_number = event->number;
        }
    }
    ht_ledger_log_apply(log);
    if (changed) {
        (void)atomic_fetch_add(&visits->changes, 1);
    }
}

void ht_visits_apply(struct ht_visits *visits, struct ht_visits_decision *decision)
{
    if (decision != NULL) {
        apply(visits, decision->log);
        free(decision);
    }
}

/* ---- the table --------------------------------------------------------------------------------
 */

enum ht_status ht_visits_replay(struct ht_visits *visits, const struct ht_visit_event *event)
{
    if ((unsigned)event->kind >= HT_VISIT_EVENT_KINDS || !ht__visit_id_fits(event->id) ||
        !fits(visits, event)) {
        return HT_INVALID;
    }
    struct ht_ledger_log *log = ht_ledger_log_new();
    if (log == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht__visits_say(visits, log, event);
    if (status != HT_OK) {
        ht_ledger_log_undo(log);
        return status;
    }
    ht_ledger_log_close(log);
    apply(visits, log);
    return HT_OK;
}

void ht_visits_number_set(struct ht_visits *visits, uint32_t number)
{
    if (number > visits->committed_number) {
        visits->number = visits->committed_number = number;
    }
}

size_t ht_visits_forget(struct ht_visits *visits, int64_t before_ms, size_t most)
{
    size_t count = ht_ledger_forget(&visits->visits, before_ms, most, NULL, NULL);
    return count + ht_ledger_forget(&visits->notices, before_ms, most - count, NULL, NULL);
}

const struct ht_visit *ht_visits_pending(const struct ht_visits *visits, const char *id)
{
    return ht_ledger_pending(&visits->visits, id);
}

const struct ht_rectification *ht_rectifications_pending(const struct ht_visits *visits,
                                                         const char *id)
{
    return ht_ledger_pending(&visits->notices, id);
}

uint64_t ht_visits_changes(const struct ht_visits *visits)
{
    return atomic_load(&visits->changes);
}
