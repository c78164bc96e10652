/* Inside the visits: what their rooms share.
 *
 *   visits_project   an event folded into a record; names of the lists; what may follow
 *   visits           decisions: pending, committed, taken back; replay, forgetting
 *   visits_decide    commands and the clock to events
 *   visits_plan      a plan to events
 *   visits_read      what readers ask, counts
 */
#ifndef HT_ENGINE_LIVE_VISITS_INTERNAL_H
#define HT_ENGINE_LIVE_VISITS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/live/ledger.h"
#include "engine/live/visits.h"

struct ht_visits {
    pthread_mutex_t lock;
    struct ht_ledger_shape visit_shape;
    struct ht_ledger_shape notice_shape;
    struct ht_ledger visits;
    struct ht_ledger notices;
    uint32_t number; /* of the last notice, as pending */
    uint32_t committed_number;
    atomic_int_least64_t due_ms; /* nothing is due before, as pending; the writer alone sets it */
    struct ht_visits_totals totals; /* under the lock */
    atomic_uint_least64_t changes;
};

/* ---- visits_project -------------------------------------------------------------------------- */

extern const struct ht_record_shape ht__visit_record;
extern const struct ht_record_shape ht__notice_record;
extern const struct ht_record_shape ht__visit_event_record;

bool ht__visit_id_fits(const char *id);
/* Whether the event can follow. NULL: there is none yet. */
bool ht__visit_event_fits(const struct ht_visit *visit, const struct ht_visit_event *event);
bool ht__notice_event_fits(const struct ht_rectification *notice,
                           const struct ht_visit_event *event);
/* Folds an event that fits; texts are borrowed from it. */
void ht__visit_project(struct ht_visit *visit, const struct ht_visit_event *event);
void ht__notice_project(struct ht_rectification *notice, const struct ht_visit_event *event);
/* When the clock has something to say of a notice; INT64_MAX: never. */
int64_t ht__notice_next_ms(const struct ht_rectification *notice);

/* ---- visits ---------------------------------------------------------------------------------- */

/* Adds an event that fits, and folds it. */
HT_MUST_CHECK enum ht_status ht__visits_say(struct ht_visits *visits, struct ht_ledger_log *log,
                                            const struct ht_visit_event *event);
/* Undoes and frees it. */
void ht__visits_undo(struct ht_visits *visits, struct ht_ledger_log *log);
/* Ends it: a decision. HT_NOMEM: to be undone. */
HT_MUST_CHECK enum ht_status ht__visits_close(struct ht_ledger_log *log,
                                              struct ht_visits_decision **out);

/* ---- visits_plan ----------------------------------------------------------------------------- */

/* Notices that this visit is to look after, or no more, follow it. `start_ms` 0: no more. */
HT_MUST_CHECK enum ht_status ht__visits_link(struct ht_visits *visits, struct ht_ledger_log *log,
                                             const struct ht_visit *visit, int64_t start_ms,
                                             int64_t now_ms);
/* A visit that is only planned, for a notice, is cancelled where no notice counts on it (any more):
 * what it was made for was seen otherwise. "": none. */
HT_MUST_CHECK enum ht_status ht__visits_idle_drop(struct ht_visits *visits,
                                                  struct ht_ledger_log *log, const char *visit,
                                                  int64_t now_ms);
/* A notice counts on a visit, where that is still ahead. "": none. */
HT_MUST_CHECK enum ht_status ht__visits_count_on(struct ht_visits *visits,
                                                 struct ht_ledger_log *log, const char *notice,
                                                 const char *visit, int64_t now_ms);
/* Open notices of a site (NULL: of all) that no visit looks after are given to a re-visit of their
 * tenant, or of the site itself, that is ahead anyway and keeps their date. */
HT_MUST_CHECK enum ht_status ht__visits_relink(struct ht_visits *visits, struct ht_ledger_log *log,
                                               const char *site, int64_t now_ms);
/* Whether who sees one tenant alone (NULL: the site and all in it) sees what a notice is about. */
bool ht__visits_sees(const char *tenant, const struct ht_rectification *notice);
/* Whether a visit for that can be planned; texts say why not. */
const char *ht__visits_wish_lacks(const struct ht_visits *visits, const struct ht_visit_row *row);
/* What is wrong with a row by itself: a member's name, NULL: nothing. */
const char *ht__visit_row_wrong(const struct ht_visit_row *row);
HT_MUST_CHECK enum ht_status ht__visits_make(struct ht_visits *visits, struct ht_ledger_log *log,
                                             const char *id, const char *round,
                                             const struct ht_visit_row *row, int64_t now_ms);

/* ---- visits_read ----------------------------------------------------------------------------- */

void ht__visit_count(void *visits, struct ht_ledger_entry *entry, const void *before,
                     const void *after);
void ht__notice_count(void *visits, struct ht_ledger_entry *entry, const void *before,
                      const void *after);

#endif
