#include <string.h>

#include "engine/live/visits_internal.h"

/* ---- names ------------------------------------------------------------------------------------
 */

#define HT_VISIT_TEXT(name, text) text,

static const char *const states[] = {HT_VISIT_STATE_MAP(HT_VISIT_TEXT)};
static const char *const purposes[] = {HT_VISIT_PURPOSE_MAP(HT_VISIT_TEXT)};
static const char *const notice_states[] = {HT_RECTIFICATION_STATE_MAP(HT_VISIT_TEXT)};
static const char *const levels[] = {"community", "sub_district", "district"};

#undef HT_VISIT_TEXT

static const struct {
    const char *text;
    uint32_t fields;
} events[] = {
#define HT_VISIT_ROW(name, text, fields) {text, fields},
    HT_VISIT_EVENT_MAP(HT_VISIT_ROW)
#undef HT_VISIT_ROW
};

const char *ht_visit_state_text(enum ht_visit_state state)
{
    return (unsigned)state < HT_VISIT_STATES ? states[state] : "";
}

const char *ht_visit_purpose_text(enum ht_visit_purpose purpose)
{
    return (unsigned)purpose < HT_VISIT_PURPOSES ? purposes[purpose] : "";
}

const char *ht_visit_flag_text(uint32_t flag)
{
#define HT_VISIT_CASE(name, text, bit)                                                             \
    if (flag == HT_VISIT_##name) {                                                                 \
        return text;                                                                               \
    }
    HT_VISIT_FLAG_MAP(HT_VISIT_CASE)
#undef HT_VISIT_CASE
    return "";
}

const char *ht_rectification_state_text(enum ht_rectification_state state)
{
    return (unsigned)state < HT_RECTIFICATION_STATES ? notice_states[state] : "";
}

const char *ht_visit_level_text(unsigned level)
{
    return level < HT_VISIT_LEVELS ? levels[level] : "";
}

bool ht_visit_is_outcome(enum ht_visit_state state)
{
    return state >= HT_VISIT_IS_DONE && state <= HT_VISIT_IS_SHUT;
}

const char *ht_visit_event_text(enum ht_visit_event_kind kind)
{
    return (unsigned)kind < HT_VISIT_EVENT_KINDS ? events[kind].text : "";
}

uint32_t ht_visit_event_fields(enum ht_visit_event_kind kind)
{
    return (unsigned)kind < HT_VISIT_EVENT_KINDS ? events[kind].fields : 0;
}

bool ht_visit_event_is_visit(enum ht_visit_event_kind kind)
{
    return kind <= HT_VISIT_CANCELLED;
}

/* ---- shapes -----------------------------------------------------------------------------------
 */

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const size_t visit_texts[] = {
    offsetof(struct ht_visit, id),           offsetof(struct ht_visit, round),
    offsetof(struct ht_visit, site),         offsetof(struct ht_visit, tenant),
    offsetof(struct ht_visit, inspector),    offsetof(struct ht_visit, second),
    offsetof(struct ht_visit, rectification)};
const struct ht_record_shape ht__visit_record = {sizeof(struct ht_visit), visit_texts,
                                                 COUNT(visit_texts)};

static const size_t notice_texts[] = {offsetof(struct ht_rectification, id),
                                      offsetof(struct ht_rectification, site),
                                      offsetof(struct ht_rectification, tenant),
                                      offsetof(struct ht_rectification, inspector),
                                      offsetof(struct ht_rectification, visit),
                                      offsetof(struct ht_rectification, revisit),
                                      offsetof(struct ht_rectification, closed_by),
                                      offsetof(struct ht_rectification, closer),
                                      offsetof(struct ht_rectification, closer_second),
                                      offsetof(struct ht_rectification, checked_by)};
const struct ht_record_shape ht__notice_record = {sizeof(struct ht_rectification), notice_texts,
                                                  COUNT(notice_texts)};

static const size_t event_texts[] = {
    offsetof(struct ht_visit_event, id),        offsetof(struct ht_visit_event, round),
    offsetof(struct ht_visit_event, site),      offsetof(struct ht_visit_event, tenant),
    offsetof(struct ht_visit_event, inspector), offsetof(struct ht_visit_event, second),
    offsetof(struct ht_visit_event, visit),     offsetof(struct ht_visit_event, rectification)};
const struct ht_record_shape ht__visit_event_record = {sizeof(struct ht_visit_event), event_texts,
                                                       COUNT(event_texts)};

/* ---- what may follow --------------------------------------------------------------------------
 */

bool ht__visit_id_fits(const char *id)
{
    return id != NULL && id[0] != '\0' && strnlen(id, HT_VISIT_ID_MAX + 1) <= HT_VISIT_ID_MAX;
}

static bool may_lack(const char *id)
{
    return id == NULL || ht__visit_id_fits(id);
}

/* Texts that are there fit, and those that the kind has to have are there. */
static bool texts_fit(const struct ht_visit_event *e)
{
    uint32_t has = ht_visit_event_fields(e->kind);
    return ht__visit_id_fits(e->id) && may_lack(e->round) && may_lack(e->site) &&
           may_lack(e->tenant) && may_lack(e->inspector) && may_lack(e->second) &&
           may_lack(e->visit) && may_lack(e->rectification) &&
           (e->second == NULL || (e->inspector != NULL && strcmp(e->second, e->inspector) != 0)) &&
           (e->site != NULL || (has & (HT_VISIT_HAS_SITE | HT_VISIT_HAS_NOTICE)) == 0) &&
           (e->inspector != NULL || (has & HT_VISIT_HAS_SEEN) == 0) &&
           (e->visit != NULL || e->kind == HT_NOTICE_REVISIT || (has & HT_VISIT_HAS_VISIT) == 0);
}

static bool numbers_fit(const struct ht_visit_event *e)
{
    uint32_t has = ht_visit_event_fields(e->kind);
    return ((has & HT_VISIT_HAS_TIME) == 0 || e->start_ms <= e->end_ms) &&
           ((has & HT_VISIT_HAS_SITE) == 0 || e->purpose < HT_VISIT_PURPOSES) &&
           ((has & HT_VISIT_HAS_SEEN) == 0 || e->seen_ms != 0) &&
           ((has & HT_VISIT_HAS_RESULT) == 0 ||
            (ht_visit_is_outcome((enum ht_visit_state)e->outcome) &&
             (e->until_ms == 0 || e->until_ms >= e->seen_ms))) &&
           ((has & HT_VISIT_HAS_HAZARD) == 0 ||
            (e->severity >= 1 && e->severity <= HT_VISIT_SEVERITIES)) &&
           ((has & HT_VISIT_HAS_NOTICE) == 0 || e->number >= 1) &&
           ((has & HT_VISIT_HAS_DUE) == 0 || e->due_ms != 0) && e->level < HT_VISIT_LEVELS &&
           e->rank < HT_VISIT_LEVELS;
}

bool ht__visit_event_fits(const struct ht_visit *v, const struct ht_visit_event *e)
{
    if (!texts_fit(e) || !numbers_fit(e) || (v == NULL) != (e->kind == HT_VISIT_PLANNED)) {
        return false;
    }
    switch ((int)e->kind) {
    case HT_VISIT_PLANNED:
        return true;
    case HT_VISIT_PROMISED:
        return v->state == HT_VISIT_IS_PLANNED;
    case HT_VISIT_MOVED: /* also of a promise that can't be kept */
    case HT_VISIT_REPORTED:
    case HT_VISIT_CANCELLED:
        return v->state <= HT_VISIT_IS_PROMISED;
    case HT_VISIT_FLAGGED:
        return ht_visit_is_outcome(v->state);
    default:
        return false;
    }
}

bool ht__notice_event_fits(const struct ht_rectification *n, const struct ht_visit_event *e)
{
    if (!texts_fit(e) || !numbers_fit(e) || (n == NULL) != (e->kind == HT_NOTICE_OPENED)) {
        return false;
    }
    bool open = n != NULL && n->state == HT_RECTIFICATION_IS_OPEN;
    switch ((int)e->kind) {
    case HT_NOTICE_OPENED:
        return true;
    case HT_NOTICE_SEEN:
    case HT_NOTICE_EXTENDED:
    case HT_NOTICE_CLOSED:
        return open;
    case HT_NOTICE_REMINDED:
        return open && !n->reminded;
    case HT_NOTICE_OVERDUE:
        return open && !n->overdue;
    case HT_NOTICE_ESCALATED:
        return open && e->level > n->level;
    case HT_NOTICE_REOPENED:
    case HT_NOTICE_FLAGGED:
        return !open;
    case HT_NOTICE_SAMPLED:
        return !open && !n->sampled;
    case HT_NOTICE_CHECKED:
        return !open && n->sampled && n->checked_by == NULL;
    case HT_NOTICE_REVISIT:
        return open || e->visit == NULL || (n->sampled && n->checked_by == NULL);
    default:
        return false;
    }
}

/* ---- folding ----------------------------------------------------------------------------------
 */

static void time_take(struct ht_visit *v, const struct ht_visit_event *e)
{
    v->round = e->round;
    v->inspector = e->inspector;
    v->second = e->second;
    v->start_ms = e->start_ms;
    v->end_ms = e->end_ms;
}

void ht__visit_project(struct ht_visit *v, const struct ht_visit_event *e)
{
    switch ((int)e->kind) {
    case HT_VISIT_PLANNED:
        *v = (struct ht_visit){.id = e->id,
                               .site = e->site,
                               .tenant = e->tenant,
                               .rectification = e->rectification,
                               .purpose = (enum ht_visit_purpose)e->purpose,
                               .planned_ms = e->at_ms,
                               .distance_m = UINT32_MAX};
        time_take(v, e);
        break;
    case HT_VISIT_MOVED:
        time_take(v, e);
        v->state = HT_VISIT_IS_PLANNED;
        v->moves++;
        break;
    case HT_VISIT_PROMISED:
        v->state = HT_VISIT_IS_PROMISED;
        break;
    case HT_VISIT_REPORTED:
        v->state = (enum ht_visit_state)e->outcome;
        v->inspector = e->inspector;
        v->second = e->second;
        v->seen_ms = e->seen_ms;
        v->until_ms = e->until_ms;
        v->distance_m = e->distance_m;
        v->flags = e->flags;
        v->hazards = e->hazards;
        v->closed_ms = e->at_ms;
        break;
    case HT_VISIT_FLAGGED:
        v->flags |= e->flags;
        break;
    case HT_VISIT_CANCELLED:
        v->state = HT_VISIT_IS_CANCELLED;
        v->closed_ms = e->at_ms;
        break;
    default:
        break;
    }
    v->changed_ms = e->at_ms;
}

static void due_take(struct ht_rectification *n, const struct ht_visit_event *e)
{
    n->due_ms = e->due_ms;
    n->remind_by_ms = e->remind_by_ms;
    n->rise_by_ms = e->rise_by_ms;
    n->overdue = n->reminded = false;
}

static void revisit_take(struct ht_rectification *n, const char *visit, int64_t start_ms)
{
    n->revisit = visit;
    n->revisit_ms = visit == NULL ? 0 : start_ms;
}

static void seen_take(struct ht_rectification *n, const struct ht_visit_event *e)
{
    n->visit = e->visit;
    n->found_ms = e->seen_ms;
    n->sightings++;
    revisit_take(n, NULL, 0);
}

/* Opened for the first time or again. */
static void begin(struct ht_rectification *n, const struct ht_visit_event *e)
{
    n->state = HT_RECTIFICATION_IS_OPEN;
    n->severity = e->severity;
    n->level = e->level;
    n->begun_ms = e->at_ms;
    n->closed_ms = n->mended_ms = 0;
    n->closed_by = n->closer = n->closer_second = n->checked_by = NULL;
    n->sampled = false;
    n->closed_flags = 0;
    n->seed = 0;
    n->extended_ms = 0;
    due_take(n, e);
    seen_take(n, e);
}

static void close(struct ht_rectification *n, const struct ht_visit_event *e)
{
    n->state = HT_RECTIFICATION_IS_CLOSED;
    n->closed_ms = e->at_ms;
    n->closed_by = e->visit;
    n->closer = e->inspector;
    n->closer_second = e->second;
    n->mended_ms = e->seen_ms;
    n->closed_flags = e->flags;
    n->remind_by_ms = n->rise_by_ms = 0;
    n->overdue = false;
    revisit_take(n, NULL, 0);
}

static void clock_project(struct ht_rectification *n, const struct ht_visit_event *e)
{
    n->remind_by_ms = 0;
    if (e->kind == HT_NOTICE_REMINDED) {
        n->reminded = true;
    } else {
        n->overdue = true;
        n->level = e->level;
        n->rise_by_ms = e->rise_by_ms;
    }
}

void ht__notice_project(struct ht_rectification *n, const struct ht_visit_event *e)
{
    switch ((int)e->kind) {
    case HT_NOTICE_OPENED:
        *n = (struct ht_rectification){.id = e->id,
                                       .site = e->site,
                                       .tenant = e->tenant,
                                       .inspector = e->inspector,
                                       .number = e->number,
                                       .risk = e->risk,
                                       .opened_ms = e->at_ms};
        begin(n, e);
        break;
    case HT_NOTICE_SEEN:
        seen_take(n, e);
        break;
    case HT_NOTICE_REOPENED:
        begin(n, e);
        n->reopened++;
        break;
    case HT_NOTICE_EXTENDED:
        n->extended_ms += e->due_ms - (n->due_ms > e->at_ms ? n->due_ms : e->at_ms);
        due_take(n, e);
        n->extensions++;
        break;
    case HT_NOTICE_REMINDED:
    case HT_NOTICE_OVERDUE:
    case HT_NOTICE_ESCALATED:
        clock_project(n, e);
        break;
    case HT_NOTICE_REVISIT:
        revisit_take(n, e->visit, e->start_ms);
        break;
    case HT_NOTICE_CLOSED:
        close(n, e);
        break;
    case HT_NOTICE_FLAGGED:
        n->closed_flags |= e->flags;
        break;
    case HT_NOTICE_SAMPLED:
        n->sampled = true;
        n->seed = e->seed;
        break;
    case HT_NOTICE_CHECKED:
        n->checked_by = e->visit;
        revisit_take(n, NULL, 0);
        break;
    default:
        break;
    }
    n->changed_ms = e->at_ms;
}

/* ---- the clock --------------------------------------------------------------------------------
 */

bool ht_rectification_is_overdue(const struct ht_rectification *n, int64_t now_ms)
{
    return n->state == HT_RECTIFICATION_IS_OPEN && n->due_ms <= now_ms;
}

int64_t ht__notice_next_ms(const struct ht_rectification *n)
{
    int64_t next_ms = INT64_MAX;
    if (n->state != HT_RECTIFICATION_IS_OPEN) {
        return next_ms;
    }
    if (!n->reminded && n->remind_by_ms != 0) {
        next_ms = n->remind_by_ms;
    }
    return n->rise_by_ms != 0 && n->rise_by_ms < next_ms ? n->rise_by_ms : next_ms;
}
