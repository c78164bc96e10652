#include <stdio.h>
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

static bool may_lack(const char *id)
{
    return id == NULL || ht__visit_id_fits(id);
}

/* Somebody else than the inspector, who has to be there. */
static bool second_fits(const struct ht_visit_row *row)
{
    return row->second == NULL || (ht__visit_id_fits(row->second) && row->inspector != NULL &&
                                   strcmp(row->second, row->inspector) != 0);
}

/* A notice's visit names it, and no other does. */
static bool notice_fits(const struct ht_visit_row *row)
{
    bool seeks = row->purpose == HT_VISIT_FOR_REVISIT || row->purpose == HT_VISIT_FOR_CHECK;
    return seeks == (row->rectification != NULL) && may_lack(row->rectification);
}

const char *ht__visit_row_wrong(const struct ht_visit_row *row)
{
    const struct {
        bool fits;
        const char *member;
    } members[] = {{ht__visit_id_fits(row->id), "id"},
                   {ht__visit_id_fits(row->site), "site"},
                   {may_lack(row->tenant), "tenant"},
                   {may_lack(row->inspector), "inspector"},
                   {second_fits(row), "second"},
                   {(unsigned)row->purpose < HT_VISIT_PURPOSES, "purpose"},
                   {notice_fits(row), "rectification"},
                   {row->start_ms <= row->end_ms, "end"}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (!members[i].fits) {
            return members[i].member;
        }
    }
    return NULL;
}

static bool is_same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool differs(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a != b : strcmp(a, b) != 0;
}

bool ht__visits_sees(const char *tenant, const struct ht_rectification *n)
{
    return tenant == NULL || is_same(tenant, n->tenant);
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
    if (!ht__visits_sees(row->tenant, n)) {
        return "the rectification is not that tenant's";
    }
    if (row->purpose == HT_VISIT_FOR_REVISIT) {
        return n->state == HT_RECTIFICATION_IS_OPEN ? NULL : "the rectification is closed";
    }
    if (n->state == HT_RECTIFICATION_IS_OPEN || !n->sampled || n->checked_by != NULL) {
        return "no second look at that rectification is wanted";
    }
    const char *who[2] = {row->inspector, row->second};
    bool same = false;
    for (int i = 0; i < 2; i++) {
        same = same || is_same(who[i], n->closer) || is_same(who[i], n->closer_second);
    }
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

/* Of the same site, and of the same tenant there or of the site itself. */
static bool is_of_same(const struct ht_rectification *n, const char *site, const char *tenant)
{
    return strcmp(n->site, site) == 0 && !differs(n->tenant, tenant);
}

/* A re-visit looks after the notice that it is made for, and after all others of its tenant (or of
 * the site itself) that are open and have none. */
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
               : open &&
                     (meant || (n->revisit == NULL && is_of_same(n, visit->site, visit->tenant)));
}

/* As pending: whether a visit is still ahead, or (`*done`) saw what there was to see. */
static const struct ht_visit *ahead(const struct ht_visits *visits, const char *id, int64_t now_ms,
                                    bool *done)
{
    const struct ht_visit *visit = id == NULL ? NULL : ht_visits_pending(visits, id);
    *done = visit != NULL && visit->state == HT_VISIT_IS_DONE;
    return visit != NULL && visit->state <= HT_VISIT_IS_PROMISED && visit->end_ms >= now_ms ? visit
                                                                                            : NULL;
}

/* As pending. */
static bool is_counted_on(const struct ht_visits *visits, const char *visit)
{
    bool counted = false;
    for (size_t i = 0; i < visits->notices.entries.slot_count && !counted; i++) {
        const struct ht_named *named = visits->notices.entries.slots[i];
        for (; named != NULL && !counted; named = named->next) {
            const struct ht_rectification *n = ((const struct ht_ledger_entry *)named)->pending;
            counted = n->revisit != NULL && strcmp(n->revisit, visit) == 0;
        }
    }
    return counted;
}

enum ht_status ht__visits_idle_drop(struct ht_visits *visits, struct ht_ledger_log *log,
                                    const char *id, int64_t now_ms)
{
    const struct ht_visit *visit = id[0] == '\0' ? NULL : ht_visits_pending(visits, id);
    if (visit == NULL || visit->state != HT_VISIT_IS_PLANNED || visit->rectification == NULL ||
        visit->end_ms + HT_VISIT_GRACE_MS < now_ms || is_counted_on(visits, id)) {
        return HT_OK; /* the one that nobody made is not forgotten: it stays, overdue */
    }
    const struct ht_visit_event event = {
        .kind = HT_VISIT_CANCELLED, .at_ms = now_ms, .id = visit->id};
    return ht__visits_say(visits, log, &event);
}

enum ht_status ht__visits_count_on(struct ht_visits *visits, struct ht_ledger_log *log,
                                   const char *notice, const char *id, int64_t now_ms)
{
    bool done = false;
    const struct ht_visit *visit = id[0] == '\0' ? NULL : ahead(visits, id, now_ms, &done);
    return visit == NULL ? HT_OK
                         : say_revisit(visits, log, notice, visit->id, visit->start_ms, now_ms);
}

/* One notice follows a visit; the one that it had may be idle then. */
static enum ht_status follow(struct ht_visits *visits, struct ht_ledger_log *log,
                             const struct ht_rectification *n, const struct ht_visit *visit,
                             int64_t start_ms, int64_t now_ms)
{
    char before[HT_VISIT_ID_MAX + 1];
    (void)snprintf(before, sizeof before, "%s", n->revisit == NULL ? "" : n->revisit);
    enum ht_status status = say_revisit(visits, log, n->id, visit->id, start_ms, now_ms);
    return status == HT_OK && strcmp(before, visit->id) != 0
               ? ht__visits_idle_drop(visits, log, before, now_ms)
               : status;
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
                status = follow(visits, log, n, visit, start_ms, now_ms);
            }
        }
    }
    return status;
}

/* The first re-visit to where a notice is that others there have, and that keeps its date; one that
 * is overdue takes any. */
static const struct ht_visit *revisit_find(const struct ht_visits *visits,
                                           const struct ht_rectification *notice, int64_t now_ms)
{
    const struct ht_visit *found = NULL;
    for (size_t i = 0; i < visits->notices.entries.slot_count; i++) {
        const struct ht_named *named = visits->notices.entries.slots[i];
        for (; named != NULL; named = named->next) {
            const struct ht_rectification *n = ((const struct ht_ledger_entry *)named)->pending;
            bool done = false;
            if (n->revisit == NULL || strcmp(n->site, notice->site) != 0) {
                continue;
            }
            const struct ht_visit *visit = ahead(visits, n->revisit, now_ms, &done);
            if (visit != NULL && visit->purpose == HT_VISIT_FOR_REVISIT &&
                is_of_same(notice, visit->site, visit->tenant) &&
                (visit->start_ms <= notice->due_ms || notice->due_ms <= now_ms) &&
                (found == NULL || visit->start_ms < found->start_ms)) {
                found = visit;
            }
        }
    }
    return found;
}

/* Who is late, or reports late, finds it there: the re-visit that a notice has stays its own for a
 * while. */
static enum ht_status relink_one(struct ht_visits *visits, struct ht_ledger_log *log,
                                 const struct ht_rectification *n, int64_t now_ms)
{
    bool done = false;
    if (n->state != HT_RECTIFICATION_IS_OPEN ||
        ahead(visits, n->revisit, now_ms - HT_VISIT_GRACE_MS, &done) != NULL || done) {
        return HT_OK;
    }
    const struct ht_visit *visit = revisit_find(visits, n, now_ms);
    return visit == NULL ? HT_OK
                         : say_revisit(visits, log, n->id, visit->id, visit->start_ms, now_ms);
}

enum ht_status ht__visits_relink(struct ht_visits *visits, struct ht_ledger_log *log,
                                 const char *site, int64_t now_ms)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < visits->notices.entries.slot_count; i++) {
        const struct ht_named *named = visits->notices.entries.slots[i];
        for (; named != NULL && status == HT_OK; named = named->next) {
            const struct ht_rectification *n = ((const struct ht_ledger_entry *)named)->pending;
            if (site == NULL || strcmp(n->site, site) == 0) {
                status = relink_one(visits, log, n, now_ms);
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
                                         .tenant = row->tenant,
                                         .inspector = row->inspector,
                                         .second = row->second,
                                         .rectification = row->rectification,
                                         .start_ms = row->start_ms,
                                         .end_ms = row->end_ms};
    enum ht_status status = ht__visits_say(visits, log, &event);
    return status == HT_OK
               ? ht__visits_link(visits, log, ht_visits_pending(visits, id), row->start_ms, now_ms)
               : status;
}

/* Whether a plan leaves a visit as it is. */
static bool stands(const struct ht_visit *visit, const struct ht_visit_row *row)
{
    return visit->state != HT_VISIT_IS_PLANNED &&
           !(row->let_down && visit->state == HT_VISIT_IS_PROMISED);
}

static enum ht_status move(struct planning *p, const struct ht_visit *visit,
                           const struct ht_visit_row *row)
{
    const struct ht_visit_event event = {.kind = HT_VISIT_MOVED,
                                         .at_ms = p->ask->now_ms,
                                         .id = row->id,
                                         .round = p->ask->round,
                                         .inspector = row->inspector,
                                         .second = row->second,
                                         .start_ms = row->start_ms,
                                         .end_ms = row->end_ms};
    if (stands(visit, row) || strcmp(visit->site, row->site) != 0 ||
        differs(visit->tenant, row->tenant)) {
        p->passed_over++;
        return HT_OK;
    }
    if (!differs(visit->inspector, row->inspector) && !differs(visit->second, row->second) &&
        !differs(visit->round, p->ask->round) && visit->start_ms == row->start_ms &&
        visit->end_ms == row->end_ms) {
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
    bool planned = visit->state == HT_VISIT_IS_PLANNED ||
                   (p->ask->promised && visit->state == HT_VISIT_IS_PROMISED);
    return planned && visit->start_ms >= p->ask->from_ms && !differs(visit->round, p->ask->round) &&
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

/* ---- inspectors whom several rounds share ----------------------------------------------------
 */

/* What an inspector has to do for another round. */
struct busy {
    const char *who;
    int64_t start_ms;
    int64_t end_ms;
};

static int by_who(const void *left, const void *right)
{
    const struct busy *a = left;
    const struct busy *b = right;
    int order = strcmp(a->who, b->who);
    return order != 0 ? order : (a->start_ms > b->start_ms) - (a->start_ms < b->start_ms);
}

static enum ht_status busy_list(const struct planning *p, struct busy **out, size_t *count)
{
    const struct ht_names *entries = &p->visits->visits.entries;
    struct busy *list = ht_array_new(entries->count * 2, sizeof *list);
    *count = 0;
    *out = list;
    if (list == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < entries->slot_count; i++) {
        const struct ht_named *named = entries->slots[i];
        for (; named != NULL; named = named->next) {
            const struct ht_visit *v = ((const struct ht_ledger_entry *)named)->pending;
            const char *who[2] = {v->inspector, v->second};
            bool other = v->state <= HT_VISIT_IS_PROMISED && v->end_ms > p->ask->now_ms &&
                         v->round != NULL && differs(v->round, p->ask->round);
            for (int k = 0; other && k < 2; k++) {
                if (who[k] != NULL) {
                    list[(*count)++] = (struct busy){who[k], v->start_ms, v->end_ms};
                }
            }
        }
    }
    if (*count > 1) {
        qsort(list, *count, sizeof *list, by_who);
    }
    return HT_OK;
}

static bool is_busy(const struct busy *list, size_t count, const char *who,
                    const struct ht_visit_row *row)
{
    size_t low = 0;
    size_t high = who == NULL ? 0 : count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(list[middle].who, who) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; who != NULL && low < count && strcmp(list[low].who, who) == 0; low++) {
        if (list[low].start_ms < row->end_ms && row->start_ms < list[low].end_ms) {
            return true;
        }
    }
    return false;
}

/* Two rounds that were planned at the same time may both have taken an hour. */
static enum ht_status clashes_find(const struct planning *p, struct ht_error *error)
{
    struct busy *list = NULL;
    size_t count = 0;
    if (p->ask->round == NULL || p->ask->count == 0) {
        return HT_OK;
    }
    enum ht_status status = busy_list(p, &list, &count);
    for (size_t i = 0; i < p->ask->count && status == HT_OK; i++) {
        const struct ht_visit_row *row = &p->ask->rows[i];
        const struct ht_visit *visit = ht_visits_pending(p->visits, row->id);
        if ((visit == NULL || !stands(visit, row)) && /* else it is passed over */
            (is_busy(list, count, row->inspector, row) || is_busy(list, count, row->second, row))) {
            status = ht_error_set(error, HT_CONFLICT, 0,
                                  "another round was planned meanwhile, which has %.64s at the "
                                  "time of visit %.64s; plan again",
                                  row->inspector, row->id);
        }
    }
    free(list);
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
    if (status == HT_OK) {
        status = clashes_find(&p, error);
    }
    for (size_t i = 0; i < ask->count && status == HT_OK; i++) {
        status = take(&p, i, error);
    }
    if (status == HT_OK && ask->whole) {
        status = left_out_drop(&p);
    }
    if (status == HT_OK) {
        status = ht__visits_relink(visits, p.log, NULL, ask->now_ms);
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
