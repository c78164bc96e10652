#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/live/visits_internal.h"

/* One decision on its way. */
struct turn {
    struct ht_visits *visits;
    struct ht_ledger_log *log;
    const struct ht_visit_command *command;
    struct ht_error *error;
};

static enum ht_status say(const struct turn *turn, enum ht_visit_event_kind kind, const char *id)
{
    const struct ht_visit_event event = {.kind = kind, .at_ms = turn->command->now_ms, .id = id};
    return ht__visits_say(turn->visits, turn->log, &event);
}

static enum ht_status wrong_order(const struct turn *turn, const struct ht_visit *visit,
                                  const char *what)
{
    return ht_error_set(turn->error, HT_CONFLICT, 0, "visit %s is %s: %s", visit->id,
                        ht_visit_state_text(visit->state), what);
}

static bool equal(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool is_open(const struct ht_rectification *n)
{
    return n->state == HT_RECTIFICATION_IS_OPEN;
}

/* ---- visits -----------------------------------------------------------------------------------
 */

static enum ht_status open_new(const struct turn *turn)
{
    const struct ht_visit_command *c = turn->command;
    struct ht_visit_row row = c->row;
    row.id = c->visit;
    const char *wrong = ht__visit_row_wrong(&row);
    if (wrong != NULL) {
        return ht_error_set(turn->error, HT_INVALID, 0, "/%s: is not as it has to be", wrong);
    }
    if (ht_visits_pending(turn->visits, row.id) != NULL) {
        return ht_error_set(turn->error, HT_EXISTS, 0, "visit %s exists", row.id);
    }
    const char *lacks = ht__visits_wish_lacks(turn->visits, &row);
    return lacks == NULL ? ht__visits_make(turn->visits, turn->log, row.id, NULL, &row, c->now_ms)
                         : ht_error_set(turn->error, HT_CONFLICT, 0, "/rectification: %s", lacks);
}

static enum ht_status promise(const struct turn *turn, const struct ht_visit *visit)
{
    return visit->state == HT_VISIT_IS_PLANNED
               ? say(turn, HT_VISIT_PROMISED, visit->id)
               : wrong_order(turn, visit, "only what is planned can be promised");
}

static enum ht_status cancel(const struct turn *turn, const struct ht_visit *visit)
{
    if (visit->state > HT_VISIT_IS_PROMISED) {
        return wrong_order(turn, visit, "it is over");
    }
    enum ht_status status =
        ht__visits_link(turn->visits, turn->log, visit, 0, turn->command->now_ms);
    status = status == HT_OK ? say(turn, HT_VISIT_CANCELLED, turn->command->visit) : status;
    return status == HT_OK && visit->rectification != NULL
               ? ht__visits_relink(turn->visits, turn->log, visit->site, turn->command->now_ms)
               : status;
}

/* ---- results ----------------------------------------------------------------------------------
 */

static enum ht_status check_hazard(const struct turn *turn, const struct ht_visit *visit, size_t i)
{
    const struct ht_visit_hazard *h = &turn->command->hazards[i];
    const struct ht_rectification *same =
        h->same_as == NULL ? NULL : ht_rectifications_pending(turn->visits, h->same_as);
    const char *wrong = NULL;
    if (!ht__visit_id_fits(h->id) || ht_rectifications_pending(turn->visits, h->id) != NULL) {
        wrong = "id: is taken, empty or too long";
    } else if (h->severity < 1 || h->severity > HT_VISIT_SEVERITIES) {
        wrong = "severity: is 1 to 4";
    } else if (h->tenant != NULL && !ht__visit_id_fits(h->tenant)) {
        wrong = "tenant: is empty or too long";
    } else if (h->due_ms != 0 && h->due_ms <= turn->command->seen_ms) {
        wrong = "due: is before the hazard was found";
    } else if (h->same_as != NULL && (same == NULL || strcmp(same->site, visit->site) != 0)) {
        wrong = "same_as: there is no such rectification of this site";
    }
    for (size_t j = 0; j < i && wrong == NULL; j++) {
        wrong = equal(turn->command->hazards[j].id, h->id) ||
                        equal(turn->command->hazards[j].same_as, h->same_as)
                    ? "same_as: is named twice"
                    : NULL;
    }
    return wrong == NULL ? HT_OK
                         : ht_error_set(turn->error, HT_INVALID, 0, "/hazards/%zu/%s", i, wrong);
}

static enum ht_status check_outcome(const struct turn *turn)
{
    const struct ht_visit_command *c = turn->command;
    bool needs = c->outcome == HT_VISIT_IS_RECTIFY || c->outcome == HT_VISIT_IS_UPGRADE;
    bool may = needs || c->outcome == HT_VISIT_IS_SHUT;
    if (!ht_visit_is_outcome(c->outcome)) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/outcome: is missing");
    }
    if (c->hazard_count > HT_VISIT_HAZARDS) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/hazards: are more than %d",
                            (int)HT_VISIT_HAZARDS);
    }
    if ((needs && c->hazard_count == 0) || (!may && c->hazard_count > 0)) {
        return ht_error_set(turn->error, HT_INVALID, 0,
                            needs ? "/hazards: rectify and upgrade name at least one"
                                  : "/hazards: go with rectify, upgrade or shut");
    }
    return HT_OK;
}

/* Who was there: both of two where one of them says so, whoever of the two it is. */
static const char *seen_by(const struct turn *turn, const struct ht_visit *visit)
{
    const char *said = turn->command->inspector;
    return said == NULL || equal(said, visit->second) ? visit->inspector : said;
}

static const char *seen_with(const struct turn *turn, const struct ht_visit *visit)
{
    const char *said = turn->command->second;
    return said != NULL                                    ? said
           : equal(seen_by(turn, visit), visit->inspector) ? visit->second
                                                           : NULL;
}

static enum ht_status check_report(const struct turn *turn, const struct ht_visit *visit)
{
    const struct ht_visit_command *c = turn->command;
    if (visit->state > HT_VISIT_IS_PROMISED) {
        return wrong_order(turn, visit, "it has its result");
    }
    enum ht_status status = check_outcome(turn);
    if (status != HT_OK) {
        return status;
    }
    if (c->seen_ms <= 0 || c->seen_ms > c->now_ms) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/at: is missing, or yet to come");
    }
    if (c->until_ms != 0 && (c->until_ms < c->seen_ms || c->until_ms > c->now_ms)) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/until: is before at, or yet to come");
    }
    if (c->inspector == NULL ? visit->inspector == NULL : !ht__visit_id_fits(c->inspector)) {
        return ht_error_set(turn->error, HT_INVALID, 0, "/inspector: nobody is planned, name one");
    }
    if (c->second != NULL &&
        (!ht__visit_id_fits(c->second) || equal(c->second, seen_by(turn, visit)))) {
        return ht_error_set(turn->error, HT_INVALID, 0, "/second: is nobody else");
    }
    for (size_t i = 0; i < c->hazard_count && status == HT_OK; i++) {
        status = check_hazard(turn, visit, i);
    }
    return status;
}

static void due_fill(const struct turn *turn, struct ht_visit_event *event, int64_t due_ms)
{
    const struct ht_visit_rules *rules = turn->command->rules;
    event->due_ms = due_ms;
    event->rise_by_ms = due_ms;
    event->remind_by_ms = rules->remind_ms == 0 ? 0 : due_ms - rules->remind_ms;
}

/* Whether a notice that was closed comes back to life. */
static bool comes_back(const struct turn *turn, const struct ht_visit *visit,
                       const struct ht_rectification *n)
{
    return turn->command->now_ms - n->closed_ms <= turn->command->rules->again_ms ||
           (visit->purpose == HT_VISIT_FOR_CHECK && equal(visit->rectification, n->id));
}

static enum ht_status hazard_take(const struct turn *turn, const struct ht_visit *visit,
                                  const struct ht_visit_hazard *h)
{
    const struct ht_visit_command *c = turn->command;
    const struct ht_rectification *same =
        h->same_as == NULL ? NULL : ht_rectifications_pending(turn->visits, h->same_as);
    bool again = same != NULL && (is_open(same) || comes_back(turn, visit, same));
    struct ht_visit_event event = {.kind = !again          ? HT_NOTICE_OPENED
                                           : is_open(same) ? HT_NOTICE_SEEN
                                                           : HT_NOTICE_REOPENED,
                                   .severity = h->severity,
                                   .risk = h->risk,
                                   .at_ms = c->now_ms,
                                   .id = again ? h->same_as : h->id,
                                   .inspector = seen_by(turn, visit),
                                   .visit = visit->id,
                                   .seen_ms = c->seen_ms};
    uint32_t has = ht_visit_event_fields(event.kind);
    if ((has & HT_VISIT_HAS_DUE) != 0) {
        due_fill(turn, &event,
                 h->due_ms != 0 ? h->due_ms : c->seen_ms + c->rules->due_ms[h->severity - 1]);
        event.level = c->outcome == HT_VISIT_IS_RECTIFY ? 0 : 1;
    }
    if ((has & HT_VISIT_HAS_NOTICE) != 0) {
        event.number = turn->visits->number + 1;
        event.site = visit->site;
        event.tenant = h->tenant;
    }
    return ht__visits_say(turn->visits, turn->log, &event);
}

/* What was found again before its re-visit is to be seen at that all the same. */
static enum ht_status hazards_take(const struct turn *turn, const struct ht_visit *visit)
{
    const struct ht_visit_command *c = turn->command;
    char before[HT_VISIT_HAZARDS][HT_VISIT_ID_MAX + 1];
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < c->hazard_count && status == HT_OK; i++) {
        const char *same = c->hazards[i].same_as;
        const struct ht_rectification *n =
            same == NULL ? NULL : ht_rectifications_pending(turn->visits, same);
        bool has = n != NULL && is_open(n) && n->revisit != NULL;
        (void)snprintf(before[i], sizeof before[i], "%s", has ? n->revisit : "");
        status = hazard_take(turn, visit, &c->hazards[i]);
    }
    for (size_t i = 0; i < c->hazard_count && status == HT_OK; i++) {
        status = ht__visits_count_on(turn->visits, turn->log, c->hazards[i].same_as, before[i],
                                     c->now_ms);
    }
    return status;
}

/* A second look at a closed notice that did not find it as it was. */
static enum ht_status check_end(const struct turn *turn, const struct ht_visit *visit)
{
    const struct ht_visit_command *c = turn->command;
    const struct ht_rectification *n =
        visit->purpose == HT_VISIT_FOR_CHECK
            ? ht_rectifications_pending(turn->visits, visit->rectification)
            : NULL;
    bool looked = c->outcome == HT_VISIT_IS_DONE || c->outcome == HT_VISIT_IS_RECTIFY ||
                  c->outcome == HT_VISIT_IS_UPGRADE;
    if (n == NULL || !looked || is_open(n) || !n->sampled || n->checked_by != NULL) {
        return HT_OK;
    }
    const struct ht_visit_event event = {.kind = HT_NOTICE_CHECKED,
                                         .at_ms = c->now_ms,
                                         .id = n->id,
                                         .inspector = seen_by(turn, visit),
                                         .visit = visit->id,
                                         .seen_ms = c->seen_ms};
    return ht__visits_say(turn->visits, turn->log, &event);
}

static enum ht_status check_other(const struct turn *turn, const struct ht_visit *visit)
{
    const struct ht_rectification *n =
        visit->purpose == HT_VISIT_FOR_CHECK
            ? ht_rectifications_pending(turn->visits, visit->rectification)
            : NULL;
    const char *who[2] = {seen_by(turn, visit), seen_with(turn, visit)};
    bool same = false;
    for (int i = 0; n != NULL && i < 2; i++) {
        same = same || equal(n->closer, who[i]) || equal(n->closer_second, who[i]);
    }
    return same ? ht_error_set(turn->error, HT_CONFLICT, 0,
                               "/inspector: a second look is somebody else's than who closed it")
                : HT_OK;
}

static enum ht_status say_flags(const struct turn *turn, enum ht_visit_event_kind kind,
                                const char *id, uint32_t flags)
{
    const struct ht_visit_event event = {
        .kind = kind, .at_ms = turn->command->now_ms, .id = id, .flags = flags};
    return ht__visits_say(turn->visits, turn->log, &event);
}

/* A visit that was reported before has a flag more, and what it closed with it. */
static enum ht_status flag(const struct turn *turn, const char *id, uint32_t flags)
{
    const struct ht_names *notices = &turn->visits->notices.entries;
    const struct ht_visit *visit = ht_visits_pending(turn->visits, id);
    if (visit == NULL || !ht_visit_is_outcome(visit->state) || (flags & ~visit->flags) == 0) {
        return HT_OK;
    }
    enum ht_status status = say_flags(turn, HT_VISIT_FLAGGED, id, flags);
    for (size_t i = 0; i < notices->slot_count; i++) {
        const struct ht_named *named = notices->slots[i];
        for (; named != NULL && status == HT_OK; named = named->next) {
            const struct ht_rectification *n = ((const struct ht_ledger_entry *)named)->pending;
            if (equal(n->closed_by, id)) {
                status = say_flags(turn, HT_NOTICE_FLAGGED, n->id, flags);
            }
        }
    }
    return status;
}

/* Who was at the next site too soon. */
static enum ht_status shorts_flag(const struct turn *turn)
{
    enum ht_status status = HT_OK;
    for (int i = 0; i < 2 && status == HT_OK; i++) {
        const char *id = turn->command->shorts[i];
        status = id == NULL ? HT_OK : flag(turn, id, HT_VISIT_TOO_SHORT);
    }
    return status;
}

static enum ht_status report(const struct turn *turn, const struct ht_visit *visit)
{
    const struct ht_visit_command *c = turn->command;
    enum ht_status status = check_report(turn, visit);
    if (status == HT_OK) {
        status = check_other(turn, visit);
    }
    if (status != HT_OK) {
        return status;
    }
    const char *with = seen_with(turn, visit);
    bool alone = visit->second != NULL && with == NULL && c->outcome != HT_VISIT_IS_MISSED;
    const struct ht_visit_event event = {.kind = HT_VISIT_REPORTED,
                                         .outcome = (uint8_t)c->outcome,
                                         .at_ms = c->now_ms,
                                         .id = visit->id,
                                         .inspector = seen_by(turn, visit),
                                         .second = with,
                                         .seen_ms = c->seen_ms,
                                         .until_ms = c->until_ms,
                                         .distance_m = c->distance_m,
                                         .flags = c->flags | (alone ? HT_VISIT_ALONE : 0),
                                         .hazards = (uint32_t)c->hazard_count};
    status = ht__visits_say(turn->visits, turn->log, &event);
    const struct ht_visit *now = ht_visits_pending(turn->visits, c->visit);
    status = status == HT_OK ? hazards_take(turn, now) : status;
    status = status == HT_OK ? check_end(turn, now) : status;
    if (status == HT_OK && c->hazard_count > 0) {
        status = ht__visits_relink(turn->visits, turn->log, now->site, c->now_ms);
    }
    return status == HT_OK ? shorts_flag(turn) : status;
}

/* ---- rectifications ---------------------------------------------------------------------------
 */

static enum ht_status closed_already(const struct turn *turn, const struct ht_rectification *n)
{
    return ht_error_set(turn->error, HT_CONFLICT, 0, "rectification %s is closed", n->id);
}

static enum ht_status extend(const struct turn *turn, const struct ht_rectification *n)
{
    const struct ht_visit_command *c = turn->command;
    if (!is_open(n)) {
        return closed_already(turn, n);
    }
    if (c->rank >= HT_VISIT_LEVELS) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/rank: is none of its values");
    }
    if (c->rank < n->level) {
        return ht_error_set(turn->error, HT_CONFLICT, 0,
                            "/rank: it rose to the %s, who alone can extend it now",
                            ht_visit_level_text(n->level));
    }
    int64_t from_ms = n->due_ms > c->now_ms ? n->due_ms : c->now_ms;
    if (c->due_ms <= from_ms) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/due: is not later than the date it has");
    }
    /* what was given before counts: many small ones are a large one */
    if (n->extended_ms + c->due_ms - from_ms > c->rules->extend_ms[c->rank]) {
        return ht_error_set(turn->error, HT_RANGE, 0, "/due: the %s gives %lld days more at most",
                            ht_visit_level_text(c->rank),
                            (long long)(c->rules->extend_ms[c->rank] / 86400000));
    }
    struct ht_visit_event event = {
        .kind = HT_NOTICE_EXTENDED, .rank = c->rank, .at_ms = c->now_ms, .id = n->id};
    due_fill(turn, &event, c->due_ms);
    return ht__visits_say(turn->visits, turn->log, &event);
}

static enum ht_status close(const struct turn *turn, const struct ht_rectification *n)
{
    const struct ht_visit_command *c = turn->command;
    const struct ht_visit *visit =
        c->visit == NULL ? NULL : ht_visits_pending(turn->visits, c->visit);
    const char *why = NULL;
    if (!is_open(n)) {
        return closed_already(turn, n);
    }
    if (visit == NULL) {
        why = "names no visit that saw it mended";
    } else if (visit->state != HT_VISIT_IS_DONE) {
        why = "is of a visit whose outcome is not done";
    } else if (strcmp(visit->site, n->site) != 0) {
        why = "is of a visit of another site";
    } else if (!ht__visits_sees(visit->tenant, n)) {
        why = "is of a visit that saw another tenant alone";
    } else if (visit->seen_ms <= n->found_ms) {
        why = "is of a visit before the hazard was found last";
    } else if ((visit->flags & (HT_VISIT_TOO_FAR | HT_VISIT_IMPOSSIBLE)) != 0) {
        why = "is of a visit that was not at the site";
    }
    if (why != NULL) {
        return ht_error_set(turn->error, HT_CONFLICT, 0, "/visit: %s", why);
    }
    const struct ht_visit_event event = {.kind = HT_NOTICE_CLOSED,
                                         .at_ms = c->now_ms,
                                         .id = n->id,
                                         .inspector = visit->inspector,
                                         .second = visit->second,
                                         .visit = visit->id,
                                         .seen_ms = visit->seen_ms,
                                         .flags = visit->flags};
    char before[HT_VISIT_ID_MAX + 1];
    (void)snprintf(before, sizeof before, "%s", n->revisit == NULL ? "" : n->revisit);
    enum ht_status status = ht__visits_say(turn->visits, turn->log, &event);
    return status == HT_OK ? ht__visits_idle_drop(turn->visits, turn->log, before, c->now_ms)
                           : status;
}

static enum ht_status sample(const struct turn *turn, const struct ht_rectification *n)
{
    if (is_open(n) || n->sampled) {
        return ht_error_set(
            turn->error, HT_CONFLICT, 0,
            is_open(n) ? "rectification %s is open" : "rectification %s was drawn already", n->id);
    }
    const struct ht_visit_event event = {.kind = HT_NOTICE_SAMPLED,
                                         .at_ms = turn->command->now_ms,
                                         .id = n->id,
                                         .seed = turn->command->seed};
    return ht__visits_say(turn->visits, turn->log, &event);
}

/* ---- */

static enum ht_status decide_notice(const struct turn *turn)
{
    const struct ht_visit_command *c = turn->command;
    const struct ht_rectification *n =
        c->notice == NULL ? NULL : ht_rectifications_pending(turn->visits, c->notice);
    if (n == NULL) {
        return ht_error_set(turn->error, HT_NOT_FOUND, 0, "there is no such rectification");
    }
    return c->kind == HT_NOTICE_EXTEND  ? extend(turn, n)
           : c->kind == HT_NOTICE_CLOSE ? close(turn, n)
                                        : sample(turn, n);
}

static enum ht_status decide(const struct turn *turn)
{
    const struct ht_visit_command *c = turn->command;
    if (c->kind == HT_VISIT_OPEN) {
        return open_new(turn);
    }
    if ((unsigned)c->kind >= HT_VISIT_COMMANDS) {
        return ht_error_set(turn->error, HT_INVALID, 0, "no such command");
    }
    if (c->kind > HT_VISIT_REPORT) {
        return decide_notice(turn);
    }
    const struct ht_visit *visit =
        c->visit == NULL ? NULL : ht_visits_pending(turn->visits, c->visit);
    if (visit == NULL) {
        return ht_error_set(turn->error, HT_NOT_FOUND, 0, "there is no such visit");
    }
    return c->kind == HT_VISIT_PROMISE  ? promise(turn, visit)
           : c->kind == HT_VISIT_CANCEL ? cancel(turn, visit)
                                        : report(turn, visit);
}

enum ht_status ht_visits_decide(struct ht_visits *visits, const struct ht_visit_command *command,
                                struct ht_visits_decision **out, struct ht_error *error)
{
    struct turn turn = {visits, ht_ledger_log_new(), command, error};
    if (turn.log == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    enum ht_status status = decide(&turn);
    if (status == HT_OK) {
        status = ht__visits_close(turn.log, out);
    }
    if (status != HT_OK) {
        ht__visits_undo(visits, turn.log);
        return status == HT_NOMEM ? ht_error_set(error, status, 0, NULL) : status;
    }
    /* held by the log */
    bool of_notice = command->kind > HT_VISIT_REPORT;
    (*out)->visit = of_notice ? NULL : ht_visits_pending(visits, command->visit);
    (*out)->rectification = of_notice ? ht_rectifications_pending(visits, command->notice) : NULL;
    return HT_OK;
}

/* ---- the clock --------------------------------------------------------------------------------
 */

static enum ht_status rise(struct ht_visits *visits, struct ht_ledger_log *log,
                           const struct ht_rectification *n, const struct ht_visit_rules *rules,
                           int64_t now_ms)
{
    struct ht_visit_event event = {.kind = n->overdue ? HT_NOTICE_ESCALATED : HT_NOTICE_OVERDUE,
                                   .at_ms = now_ms,
                                   .id = n->id,
                                   .level = (uint8_t)(n->level + (n->overdue ? 1 : 0))};
    int64_t stay_ms = event.level + 1 < HT_VISIT_LEVELS ? rules->rise_ms[event.level] : 0;
    event.rise_by_ms = stay_ms == 0 ? 0 : n->rise_by_ms + stay_ms;
    return ht__visits_say(visits, log, &event);
}

/* All that the clock has to say of one: after a long sleep it may rise twice. */
static enum ht_status tick_one(struct ht_visits *visits, struct ht_ledger_log *log,
                               struct ht_ledger_entry *e, const struct ht_visit_rules *rules,
                               int64_t now_ms)
{
    const struct ht_rectification *n = e->pending;
    enum ht_status status = HT_OK;
    if (!n->reminded && n->remind_by_ms != 0 && n->remind_by_ms <= now_ms && n->due_ms > now_ms) {
        const struct ht_visit_event event = {
            .kind = HT_NOTICE_REMINDED, .at_ms = now_ms, .id = n->id};
        status = ht__visits_say(visits, log, &event);
        n = e->pending;
    }
    while (status == HT_OK && n->rise_by_ms != 0 && n->rise_by_ms <= now_ms) {
        status = rise(visits, log, n, rules, now_ms);
        n = e->pending;
    }
    return status;
}

enum ht_status ht_visits_tick(struct ht_visits *visits, int64_t now_ms,
                              const struct ht_visit_rules *rules, struct ht_visits_decision **out)
{
    struct ht_ledger_log *log = ht_ledger_log_new();
    enum ht_status status = log == NULL ? HT_NOMEM : HT_OK;
    int64_t next_ms = INT64_MAX;
    size_t spoken = 0;
    size_t more = 0;
    for (size_t i = 0; i < visits->notices.list_count && status == HT_OK; i++) {
        struct ht_ledger_entry *e = visits->notices.list[i].entry;
        if (e == NULL) {
            continue;
        }
        bool due = ht__notice_next_ms(e->pending) <= now_ms;
        if (due && spoken < HT_VISIT_TICK_MOST) {
            status = tick_one(visits, log, e, rules, now_ms);
            spoken++;
        }
        more += due && ht__notice_next_ms(e->pending) <= now_ms ? 1 : 0;
        int64_t after_ms = ht__notice_next_ms(e->pending);
        next_ms = after_ms < next_ms ? after_ms : next_ms;
    }
    if (status == HT_OK) {
        status = ht__visits_close(log, out);
    }
    if (status != HT_OK) {
        if (log != NULL) {
            ht__visits_undo(visits, log);
        }
        return status;
    }
    atomic_store(&visits->due_ms, next_ms);
    (*out)->more = more;
    return HT_OK;
}

int64_t ht_visits_due_ms(const struct ht_visits *visits)
{
    return atomic_load(&visits->due_ms);
}
