#include <string.h>

#include "engine/live/visits_internal.h"

/* ---- counts -----------------------------------------------------------------------------------
 */

static void add(uint64_t *to, bool more)
{
    *to += more ? 1 : UINT64_MAX; /* one less */
}

static void visit_add(struct ht_visits_totals *t, const struct ht_visit *visit, bool more)
{
    if (visit != NULL) {
        add(&t->visits[visit->state], more);
        if (visit->flags != 0) {
            add(&t->flagged, more);
        }
    }
}

void ht__visit_count(void *user, struct ht_ledger_entry *entry, const void *before,
                     const void *after)
{
    struct ht_visits *visits = user;
    (void)entry;
    visit_add(&visits->totals, before, false);
    visit_add(&visits->totals, after, true);
}

static void notice_add(struct ht_visits_totals *t, const struct ht_rectification *notice, bool more)
{
    if (notice != NULL) {
        add(&t->notices[notice->state], more);
        if (notice->overdue) {
            add(&t->overdue[notice->level], more);
        }
    }
}

void ht__notice_count(void *user, struct ht_ledger_entry *entry, const void *before,
                      const void *after)
{
    struct ht_visits *visits = user;
    (void)entry;
    notice_add(&visits->totals, before, false);
    notice_add(&visits->totals, after, true);
}

void ht_visits_totals(struct ht_visits *visits, struct ht_visits_totals *out)
{
    (void)pthread_mutex_lock(&visits->lock);
    *out = visits->totals;
    (void)pthread_mutex_unlock(&visits->lock);
}

/* ---- one --------------------------------------------------------------------------------------
 */

const struct ht_visit *ht_visits_get(struct ht_visits *visits, const char *id)
{
    return ht_ledger_get(&visits->visits, id);
}

bool ht_visit_is_by(const struct ht_visit *visit, const char *unit)
{
    return (visit->inspector != NULL && strcmp(visit->inspector, unit) == 0) ||
           (visit->second != NULL && strcmp(visit->second, unit) == 0);
}

void ht_visit_release(const struct ht_visit *visit)
{
    ht_record_release(visit);
}

const struct ht_rectification *ht_rectifications_get(struct ht_visits *visits, const char *id)
{
    return ht_ledger_get(&visits->notices, id);
}

void ht_rectification_release(const struct ht_rectification *notice)
{
    ht_record_release(notice);
}

/* ---- many -------------------------------------------------------------------------------------
 */

static bool is_or_any(const char *wanted, const char *text)
{
    return wanted == NULL || (text != NULL && strcmp(wanted, text) == 0);
}

bool ht_visit_filter_passes(const struct ht_visit_filter *f, const struct ht_visit *visit)
{
    return (f->states == 0 || (f->states >> visit->state & 1U) != 0) &&
           is_or_any(f->round, visit->round) && is_or_any(f->site, visit->site) &&
           is_or_any(f->tenant, visit->tenant) &&
           (f->inspector == NULL || ht_visit_is_by(visit, f->inspector)) &&
           is_or_any(f->rectification, visit->rectification) && visit->end_ms >= f->from_ms &&
           (f->to_ms == 0 || visit->start_ms <= f->to_ms);
}

static bool visit_passes(const void *filter, const void *record)
{
    return ht_visit_filter_passes(filter, record);
}

size_t ht_visits_list(struct ht_visits *visits, const struct ht_visit_filter *filter, size_t most,
                      const struct ht_visit **out)
{
    return ht_ledger_list(&visits->visits, filter->before_order, visit_passes, filter, most,
                          (const void **)out);
}

bool ht_rectification_filter_passes(const struct ht_rectification_filter *f,
                                    const struct ht_rectification *n)
{
    bool overdue = f->overdue != 0 && ht_rectification_is_overdue(n, f->now_ms);
    return (f->states == 0 || (f->states >> n->state & 1U) != 0) &&
           (f->overdue == 0 || overdue == (f->overdue > 0)) && is_or_any(f->site, n->site) &&
           is_or_any(f->tenant, n->tenant) && is_or_any(f->inspector, n->inspector) &&
           n->begun_ms >= f->opened_from_ms &&
           (f->opened_to_ms == 0 || n->begun_ms <= f->opened_to_ms);
}

/* Under the lock. */
static bool is_visit_of(const struct ht_visits *visits, const char *id, const char *unit)
{
    const struct ht_ledger_entry *e = id == NULL ? NULL : ht_ledger_find(&visits->visits, id);
    return e != NULL && e->committed != NULL && ht_visit_is_by(e->committed, unit);
}

/* Under the lock. */
static bool is_of(const struct ht_visits *visits, const struct ht_rectification *n,
                  const char *unit)
{
    return (n->inspector != NULL && strcmp(n->inspector, unit) == 0) ||
           is_visit_of(visits, n->visit, unit) || is_visit_of(visits, n->revisit, unit);
}

bool ht_rectification_is_of(struct ht_visits *visits, const struct ht_rectification *notice,
                            const char *unit)
{
    (void)pthread_mutex_lock(&visits->lock);
    bool of = is_of(visits, notice, unit);
    (void)pthread_mutex_unlock(&visits->lock);
    return of;
}

struct notice_listing {
    const struct ht_visits *visits;
    const struct ht_rectification_filter *filter;
};

/* Under the lock. */
static bool notice_passes(const void *data, const void *record)
{
    const struct notice_listing *listing = data;
    const char *unit = listing->filter->unit;
    return ht_rectification_filter_passes(listing->filter, record) &&
           (unit == NULL || is_of(listing->visits, record, unit));
}

size_t ht_rectifications_list(struct ht_visits *visits,
                              const struct ht_rectification_filter *filter, size_t most,
                              const struct ht_rectification **out)
{
    const struct notice_listing listing = {visits, filter};
    return ht_ledger_list(&visits->notices, filter->before_order, notice_passes, &listing, most,
                          (const void **)out);
}

/* ---- what is wanted ---------------------------------------------------------------------------
 */

/* Whether a visit that was planned to look after something will still do it, or did. Who is late,
 * or reports late, finds it there: see HT_VISIT_GRACE_MS. */
static bool is_coming(const struct ht_visits *visits, const char *id, int64_t now_ms)
{
    const struct ht_ledger_entry *e = id == NULL ? NULL : ht_ledger_find(&visits->visits, id);
    const struct ht_visit *visit = e == NULL ? NULL : e->committed;
    return visit != NULL &&
           (visit->state == HT_VISIT_IS_DONE ||
            (visit->state <= HT_VISIT_IS_PROMISED && visit->end_ms + HT_VISIT_GRACE_MS >= now_ms));
}

static bool wish_of(const struct ht_visits *visits, const struct ht_rectification *n,
                    int64_t now_ms, struct ht_visit_wish *out)
{
    if (is_coming(visits, n->revisit, now_ms)) {
        return false;
    }
    if (n->state == HT_RECTIFICATION_IS_OPEN) {
        *out = (struct ht_visit_wish){
            .purpose = HT_VISIT_FOR_REVISIT, .by_ms = n->due_ms, .by = n->inspector};
        return true;
    }
    *out = (struct ht_visit_wish){
        .purpose = HT_VISIT_FOR_CHECK, .not_by = n->closer, .not_by_second = n->closer_second};
    return n->sampled && n->checked_by == NULL;
}

size_t ht_visits_wanted(struct ht_visits *visits, int64_t now_ms, size_t most,
                        struct ht_visit_wish *out)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&visits->lock);
    for (size_t i = 0; i < visits->notices.list_count && count < most; i++) {
        const struct ht_ledger_entry *e = visits->notices.list[i].entry;
        if (e != NULL && wish_of(visits, e->committed, now_ms, &out[count])) {
            out[count++].notice = ht_record_hold(e->committed);
        }
    }
    (void)pthread_mutex_unlock(&visits->lock);
    return count;
}

int64_t ht_visits_wanted_next_ms(struct ht_visits *visits, int64_t now_ms)
{
    int64_t next_ms = INT64_MAX;
    (void)pthread_mutex_lock(&visits->lock);
    for (size_t i = 0; i < visits->notices.list_count; i++) {
        const struct ht_ledger_entry *e = visits->notices.list[i].entry;
        const struct ht_rectification *n = e == NULL ? NULL : e->committed;
        const struct ht_ledger_entry *of =
            n == NULL || n->revisit == NULL ? NULL : ht_ledger_find(&visits->visits, n->revisit);
        const struct ht_visit *visit = of == NULL ? NULL : of->committed;
        int64_t lost_ms = visit == NULL ? 0 : visit->end_ms + HT_VISIT_GRACE_MS;
        if (visit != NULL && visit->state <= HT_VISIT_IS_PROMISED && lost_ms >= now_ms &&
            lost_ms < next_ms) {
            next_ms = lost_ms;
        }
    }
    (void)pthread_mutex_unlock(&visits->lock);
    return next_ms;
}

bool ht_visits_is_counted_on(struct ht_visits *visits, const char *visit, struct ht_visit_term *out)
{
    bool counted = false;
    *out = (struct ht_visit_term){0, 0};
    (void)pthread_mutex_lock(&visits->lock);
    for (size_t i = 0; i < visits->notices.list_count; i++) {
        const struct ht_ledger_entry *e = visits->notices.list[i].entry;
        const struct ht_rectification *n = e == NULL ? NULL : e->committed;
        if (n == NULL || n->revisit == NULL || strcmp(n->revisit, visit) != 0) {
            continue;
        }
        bool open = n->state == HT_RECTIFICATION_IS_OPEN;
        counted = counted || open || (n->sampled && n->checked_by == NULL);
        if (open && (out->by_ms == 0 || n->due_ms < out->by_ms)) {
            *out = (struct ht_visit_term){n->begun_ms, n->due_ms};
        }
    }
    (void)pthread_mutex_unlock(&visits->lock);
    return counted;
}
