#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/visits_internal.h"

/* One plan on its way. */
struct planning {
    struct ht_visits *visits;
    struct ht_ledger_log *log;
    const struct ht_visit_planning *ask;
    const char **ids; /* of the rows, sorted; of a whole plan */
    size_t passed_over;
};

/* ---- what is asked for ------------------------------------------------------------------------
 */

const char *ht__visit_row_wrong(const struct ht_visit_row *row)
{
    bool seeks = row->purpose == HT_VISIT_FOR_REVISIT || row->purpose == HT_VISIT_FOR_CHECK;
    return !ht__visit_id_fits(row->id)                                    ? "id"
           : !ht__visit_id_fits(row->site)                                ? "site"
           : row->inspector != NULL && !ht__visit_id_fits(row->inspector) ? "inspector"
           : (unsigned)row->purpose >= HT_VISIT_PURPOSES                  ? "purpose"
           : seeks != (row->rectification != NULL) ||
                   (row->rectification != NULL && !ht__visit_id_fits(row->rectification))
               ? "rectification"
           : row->start_ms > row->end_ms ? "end"
                                         : NULL;
}

const char *ht__visits_wish_lacks(const struct ht_visits *visits, const struct ht_visit_row *row)
{
    if (row->rectification == NULL) {
        return NULL;
    }
    const struct ht_rectification *n = ht_rectifications_pending(visits, row->rectification);
    if (n == NULL || strcmp(n->site, row->site) != 0) {
        return "there is no such rectification of that site";
    }
    if (row->purpose == HT_VISIT_FOR_REVISIT) {
        return n->state == HT_RECTIFICATION_IS_OPEN ? NULL : "the rectification is closed";
    }
    if (n->state == HT_RECTIFICATION_IS_OPEN || !n->sampled || n->checked_by != NULL) {
        return "no second look at that rectification is wanted";
    }
    bool same =
        row->inspector != NULL && n->closer != NULL && strcmp(row->inspector, n->closer) == 0;
    return same ? "a second look is somebody else's than who closed it" : NULL;
}

/* ---- notices that follow their visit ----------------------------------------------------------
 */

static enum ht_status say_revisit(struct ht_visits *visits, struct ht_ledger_log *log,
                                  const char *notice, const char *visit, int64_t start_ms,
                                  int64_t now_ms)
{
    const struct ht_visit_event event = {.kind = HT_NOTICE_REVISIT,
                                         .at_ms = now_ms,
                                         .id = notice,
                                         .visit = start_ms == 0 ? NULL : visit,
                                         .start_ms = start_ms};
    return ht__visits_say(visits, log, &event);
}

/* A re-visit looks after the notice that it is made for, and after all others of its site that are
 * open and have none. */
static bool is_looked_after(const struct ht_rectification *n, const struct ht_visit *visit,
                            int64_t start_ms)
{
    if (n->revisit != NULL && strcmp(n->revisit, visit->id) == 0) {
        return n->revisit_ms != start_ms;
    }
    bool open = n->state == HT_RECTIFICATION_IS_OPEN;
    bool meant = strcmp(n->id, visit->rectification) == 0;
    if (start_ms == 0) {
        return false;
    }
    return visit->purpose == HT_VISIT_FOR_CHECK
               ? meant && !open && n->sampled && n->checked_by == NULL
               : open && (meant || (n->revisit == NULL && strcmp(n->site, visit->site) == 0));
}

enum ht_status ht__visits_link(struct ht_visits *visits, struct ht_ledger_log *log,
                               const struct ht_visit *visit, int64_t start_ms, int64_t now_ms)
{
    enum ht_status status = HT_OK;
    if (visit->rectification == NULL) {
        return HT_OK;
    }
    for (size_t i = 0; i < visits->notices.entries.slot_count; i++) {
        struct ht_named *named = visits->notices.entries.slots[i];
        for (; named != NULL && status == HT_OK; named = named->next) {
            const struct ht_rectification *n = ((struct ht_ledger_entry *)named)->pending;
            if (is_looked_after(n, visit, start_ms)) {
                status = say_revisit(visits, log, n->id, visit->id, start_ms, now_ms);
            }
        }
    }
    return status;
}

/* ---- rows -------------------------------------------------------------------------------------
 */

enum ht_status ht__visits_make(struct ht_visits *visits, struct ht_ledger_log *log, const char *id,
                               const char *round, const struct ht_visit_row *row, int64_t now_ms)
{
    const struct ht_visit_event event = {.kind = HT_VISIT_PLANNED,
                                         .purpose = (uint8_t)row->purpose,
                                         .at_ms = now_ms,
                                         .id = id,
                                         .round = round,
                                         .site = row->site,
                                         .inspector = row->inspector,
                                         .rectification = row->rectification,
                                         .start_ms = row->start_ms,
                                         .end_ms = row->end_ms};
    enum ht_status status = ht__visits_say(visits, log, &event);
    return status == HT_OK
               ? ht__visits_link(visits, log, ht_visits_pending(visits, id), row->start_ms, now_ms)
               : status;
}

static bool differs(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

static enum ht_status move(struct planning *p, const struct ht_visit *visit,
                           const struct ht_visit_row *row)
{
    const struct ht_visit_event event = {.kind = HT_VISIT_MOVED,
                                         .at_ms = p->ask->now_ms,
                                         .id = row->id,
                                         .round = p->ask->round,
                                         .inspector = row->inspector,
                                         .start_ms = row->start_ms,
                                         .end_ms = row->end_ms};
    if (visit->state != HT_VISIT_IS_PLANNED || strcmp(visit->site, row->site) != 0) {
        p->passed_over++;
        return HT_OK;
    }
    if (!differs(visit->inspector, row->inspector) && !differs(visit->round, p->ask->round) &&
        visit->start_ms == row->start_ms && visit->end_ms == row->end_ms) {
        return HT_OK;
    }
    enum ht_status status = ht__visits_say(p->visits, p->log, &event);
    return status == HT_OK
               ? ht__visits_link(p->visits, p->log, ht_visits_pending(p->visits, row->id),
                                 row->start_ms, p->ask->now_ms)
               : status;
}

static enum ht_status take(struct planning *p, size_t i, struct ht_error *error)
{
    const struct ht_visit_row *row = &p->ask->rows[i];
    const char *wrong = ht__visit_row_wrong(row);
    if (wrong != NULL) {
        return ht_error_set(error, HT_INVALID, 0, "/rows/%zu/%s: is not as it has to be", i, wrong);
    }
    const struct ht_visit *visit = ht_visits_pending(p->visits, row->id);
    if (visit != NULL) {
        return move(p, visit, row);
    }
    if (ht__visits_wish_lacks(p->visits, row) != NULL) {
        p->passed_over++;
        return HT_OK;
    }
    return ht__visits_make(p->visits, p->log, row->id, p->ask->round, row, p->ask->now_ms);
}

/* ---- what a whole plan does not name ----------------------------------------------------------
 */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum ht_status ids_sort(struct planning *p)
{
    p->ids = ht_array_new(p->ask->count, sizeof(const char *));
    if (p->ids == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < p->ask->count; i++) {
        p->ids[i] = p->ask->rows[i].id;
    }
    if (p->ask->count > 0) {
        qsort((void *)p->ids, p->ask->count, sizeof(const char *), by_text);
    }
    return HT_OK;
}

static bool is_left_out(const struct planning *p, const struct ht_visit *visit)
{
    return visit->state == HT_VISIT_IS_PLANNED && visit->start_ms >= p->ask->from_ms &&
           !differs(visit->round, p->ask->round) &&
           (p->ask->count == 0 || bsearch(&visit->id, (const void *)p->ids, p->ask->count,
                                          sizeof(const char *), by_text) == NULL);
}

static enum ht_status drop(struct planning *p, const struct ht_visit *visit)
{
    const struct ht_visit_event event = {
        .kind = HT_VISIT_CANCELLED, .at_ms = p->ask->now_ms, .id = visit->id};
    enum ht_status status = ht__visits_link(p->visits, p->log, visit, 0, p->ask->now_ms);
    return status == HT_OK ? ht__visits_say(p->visits, p->log, &event) : status;
}

/* Putting another record of an entry leaves the table of entries as it is. */
static enum ht_status left_out_drop(struct planning *p)
{
    enum ht_status status = ids_sort(p);
    const struct ht_names *entries = &p->visits->visits.entries;
    for (size_t i = 0; i < entries->slot_count && status == HT_OK; i++) {
        struct ht_named *named = entries->slots[i];
        for (; named != NULL && status == HT_OK; named = named->next) {
            const struct ht_visit *visit = ((struct ht_ledger_entry *)named)->pending;
            status = is_left_out(p, visit) ? drop(p, visit) : HT_OK;
        }
    }
    free((void *)p->ids);
    return status;
}

enum ht_status ht_visits_plan(struct ht_visits *visits, const struct ht_visit_planning *ask,
                              struct ht_visits_decision **out, struct ht_error *error)
{
    struct planning p = {.visits = visits, .log = ht_ledger_log_new(), .ask = ask};
    if (p.log == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    enum ht_status status = HT_OK;
    if (ask->round != NULL && !ht__visit_id_fits(ask->round)) {
        status = ht_error_set(error, HT_INVALID, 0, "/round: is empty or too long");
    }
    for (size_t i = 0; i < ask->count && status == HT_OK; i++) {
        status = take(&p, i, error);
    }
    if (status == HT_OK && ask->whole) {
        status = left_out_drop(&p);
    }
    if (status == HT_OK) {
        status = ht__visits_close(p.log, out);
    }
    if (status != HT_OK) {
        ht__visits_undo(visits, p.log);
        return status == HT_NOMEM ? ht_error_set(error, status, 0, NULL) : status;
    }
    (*out)->passed_over = p.passed_over;
    return HT_OK;
}
