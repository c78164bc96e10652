/* Visits and rectifications: the loop from a hazard to the visit that saw it mended; what was
 * written is replayed as the same; decisions that are taken back or lost leave no trace. */
#include "engine/live/visits.h"

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/text.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

#define NOW INT64_C(1772416800000)
#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)

static struct ht_visits *visits;
static struct ht_visit_rules rules;
static struct ht_error error;

static void begin(void)
{
    rules = ht_visit_rules_default();
    HT_CHECK_INT(ht_visits_new(&visits), HT_OK);
}

static void end(void)
{
    ht_visits_free(visits);
    visits = NULL;
}

/* ---- acts ---- */

static enum ht_status act(const struct ht_visit_command *command)
{
    struct ht_visits_decision *decision = NULL;
    enum ht_status status = ht_visits_decide(visits, command, &decision, &error);
    if (status == HT_OK) {
        ht_visits_apply(visits, decision);
    }
    return status;
}

static enum ht_status open_visit(const char *id, const char *site, int64_t now_ms)
{
    const struct ht_visit_command command = {.kind = HT_VISIT_OPEN,
                                             .now_ms = now_ms,
                                             .visit = id,
                                             .rules = &rules,
                                             .row = {.site = site,
                                                     .inspector = "i1",
                                                     .purpose = HT_VISIT_FOR_UNPLANNED,
                                                     .start_ms = now_ms,
                                                     .end_ms = now_ms + HOUR}};
    return act(&command);
}

static struct ht_visit_command result(const char *id, enum ht_visit_state outcome, int64_t now_ms)
{
    return (struct ht_visit_command){.kind = HT_VISIT_REPORT,
                                     .now_ms = now_ms,
                                     .visit = id,
                                     .rules = &rules,
                                     .outcome = outcome,
                                     .seen_ms = now_ms,
                                     .distance_m = 12};
}

static enum ht_status find_hazard(const char *visit, const char *notice, const char *same_as,
                                  int64_t now_ms)
{
    const struct ht_visit_hazard hazard = {
        .id = notice, .same_as = same_as, .severity = 3, .risk = 2};
    struct ht_visit_command command = result(visit, HT_VISIT_IS_RECTIFY, now_ms);
    command.hazards = &hazard;
    command.hazard_count = 1;
    return act(&command);
}

static enum ht_status close_notice(const char *notice, const char *visit, int64_t now_ms)
{
    const struct ht_visit_command command = {.kind = HT_NOTICE_CLOSE,
                                             .now_ms = now_ms,
                                             .visit = visit,
                                             .notice = notice,
                                             .rules = &rules};
    return act(&command);
}

static enum ht_status extend(const char *notice, uint8_t rank, int64_t due_ms, int64_t now_ms)
{
    const struct ht_visit_command command = {.kind = HT_NOTICE_EXTEND,
                                             .now_ms = now_ms,
                                             .notice = notice,
                                             .rules = &rules,
                                             .due_ms = due_ms,
                                             .rank = rank};
    return act(&command);
}

static void tick(int64_t now_ms)
{
    struct ht_visits_decision *decision = NULL;
    HT_CHECK_INT(ht_visits_tick(visits, now_ms, &rules, &decision), HT_OK);
    ht_visits_apply(visits, decision);
}

/* What is committed of a notice, in one line. */
static const char *notice_text(const char *id)
{
    static char text[256];
    const struct ht_rectification *n = ht_rectifications_get(visits, id);
    if (n == NULL) {
        return "none";
    }
    (void)snprintf(text, sizeof text, "%s level %u%s%s sightings %u reopened %u extensions %u",
                   ht_rectification_state_text(n->state), n->level, n->reminded ? " reminded" : "",
                   n->overdue ? " overdue" : "", n->sightings, n->reopened, n->extensions);
    ht_rectification_release(n);
    return text;
}

/* ---- the loop ---- */

HT_CASE(a_notice_is_closed_by_a_visit_that_saw_it_mended_and_by_nothing_else)
{
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW + HOUR), HT_OK);
    HT_CHECK_STR(notice_text("r1"), "open level 0 sightings 1 reopened 0 extensions 0");
    HT_CHECK_INT(close_notice("r1", NULL, NOW + DAY), HT_CONFLICT);
    HT_CHECK_INT(close_notice("r1", "v1", NOW + DAY), HT_CONFLICT);
    HT_CHECK_INT(close_notice("r1", "v9", NOW + DAY), HT_CONFLICT);
    HT_CHECK_INT(open_visit("v2", "f2", NOW + DAY), HT_OK);
    struct ht_visit_command done = result("v2", HT_VISIT_IS_DONE, NOW + DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v2", NOW + DAY), HT_CONFLICT); /* of another site */
    HT_CHECK_INT(open_visit("v3", "f1", NOW + DAY), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v3", NOW + DAY), HT_CONFLICT); /* not yet there */
    done = result("v3", HT_VISIT_IS_DONE, NOW + 2 * DAY);
    done.seen_ms = NOW + HOUR; /* not after the hazard was found */
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v3", NOW + 2 * DAY), HT_CONFLICT);
    HT_CHECK_INT(open_visit("v4", "f1", NOW + DAY), HT_OK);
    done = result("v4", HT_VISIT_IS_DONE, NOW + 2 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(act(&done), HT_CONFLICT); /* it has its result */
    HT_CHECK_INT(close_notice("r1", "v4", NOW + 2 * DAY), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v4", NOW + 2 * DAY), HT_CONFLICT);
    HT_CHECK_STR(notice_text("r1"), "closed level 0 sightings 1 reopened 0 extensions 0");
    HT_CHECK_INT(extend("r1", 2, NOW + 20 * DAY, NOW + 2 * DAY), HT_CONFLICT);
    end();
}

HT_CASE(what_is_overdue_rises_by_itself_and_only_that_rank_extends_it)
{
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK); /* severity 3: seven days */
    HT_CHECK_INT(ht_visits_due_ms(visits), NOW + 5 * DAY);
    tick(NOW + 5 * DAY - 1);
    HT_CHECK_STR(notice_text("r1"), "open level 0 sightings 1 reopened 0 extensions 0");
    tick(NOW + 5 * DAY);
    HT_CHECK_STR(notice_text("r1"), "open level 0 reminded sightings 1 reopened 0 extensions 0");
    HT_CHECK_INT(ht_visits_due_ms(visits), NOW + 7 * DAY);
    HT_CHECK_INT(extend("r1", 0, NOW + 15 * DAY, NOW + 6 * DAY), HT_RANGE); /* eight days more */
    HT_CHECK_INT(extend("r1", 0, NOW + 7 * DAY, NOW + 6 * DAY), HT_RANGE);
    HT_CHECK_INT(extend("r1", 0, NOW + 8 * DAY, NOW + 6 * DAY), HT_OK);
    tick(NOW + 8 * DAY);
    HT_CHECK_STR(notice_text("r1"), "open level 0 overdue sightings 1 reopened 0 extensions 1");
    tick(NOW + 11 * DAY - 1);
    HT_CHECK_STR(notice_text("r1"), "open level 0 overdue sightings 1 reopened 0 extensions 1");
    tick(NOW + 11 * DAY);
    HT_CHECK_STR(notice_text("r1"), "open level 1 overdue sightings 1 reopened 0 extensions 1");
    HT_CHECK_INT(extend("r1", 0, NOW + 14 * DAY, NOW + 12 * DAY), HT_CONFLICT);
    tick(NOW + 100 * DAY);
    HT_CHECK_STR(notice_text("r1"), "open level 2 overdue sightings 1 reopened 0 extensions 1");
    HT_CHECK_INT(ht_visits_due_ms(visits), INT64_MAX);
    HT_CHECK_INT(extend("r1", 2, NOW + 110 * DAY, NOW + 100 * DAY), HT_OK);
    HT_CHECK_STR(notice_text("r1"), "open level 2 sightings 1 reopened 0 extensions 2");
    struct ht_visits_totals totals;
    ht_visits_totals(visits, &totals);
    HT_CHECK_INT(totals.overdue[0] + totals.overdue[1] + totals.overdue[2], 0);
    end();
}

HT_CASE(one_sleep_of_the_server_rises_as_far_as_many_ticks)
{
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK);
    tick(NOW + 17 * DAY - 1);
    HT_CHECK_STR(notice_text("r1"), "open level 1 overdue sightings 1 reopened 0 extensions 0");
    tick(NOW + 17 * DAY);
    HT_CHECK_STR(notice_text("r1"), "open level 2 overdue sightings 1 reopened 0 extensions 0");
    end();
}

HT_CASE(a_hazard_that_comes_back_in_time_opens_the_old_notice)
{
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK);
    HT_CHECK_INT(open_visit("v2", "f1", NOW + DAY), HT_OK);
    HT_CHECK_INT(find_hazard("v2", "r2", "r1", NOW + DAY), HT_OK);
    HT_CHECK_STR(notice_text("r2"), "none");
    HT_CHECK_STR(notice_text("r1"), "open level 0 sightings 2 reopened 0 extensions 0");
    HT_CHECK_INT(open_visit("v3", "f1", NOW + 2 * DAY), HT_OK);
    struct ht_visit_command done = result("v3", HT_VISIT_IS_DONE, NOW + 2 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v3", NOW + 2 * DAY), HT_OK);
    HT_CHECK_INT(open_visit("v4", "f1", NOW + 92 * DAY), HT_OK);
    HT_CHECK_INT(find_hazard("v4", "r4", "r1", NOW + 92 * DAY), HT_OK);
    HT_CHECK_STR(notice_text("r1"), "open level 0 sightings 3 reopened 1 extensions 0");
    HT_CHECK_INT(open_visit("v5", "f1", NOW + 93 * DAY), HT_OK);
    done = result("v5", HT_VISIT_IS_DONE, NOW + 93 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v5", NOW + 93 * DAY), HT_OK);
    HT_CHECK_INT(open_visit("v6", "f1", NOW + 300 * DAY), HT_OK);
    HT_CHECK_INT(find_hazard("v6", "r6", "r1", NOW + 300 * DAY), HT_OK); /* long ago */
    HT_CHECK_STR(notice_text("r6"), "open level 0 sightings 1 reopened 0 extensions 0");
    const struct ht_rectification *n = ht_rectifications_get(visits, "r6");
    HT_CHECK_INT(n->number, 2);
    ht_rectification_release(n);
    HT_CHECK_INT(open_visit("v7", "f2", NOW + 301 * DAY), HT_OK);
    HT_CHECK_INT(find_hazard("v7", "r7", "r6", NOW + 301 * DAY), HT_INVALID); /* another site's */
    end();
}

/* ---- plans and what is wanted ---- */

static enum ht_status plan(const struct ht_visit_row *rows, size_t count, bool whole, size_t *over,
                           size_t *events)
{
    struct ht_visits_decision *decision = NULL;
    const struct ht_visit_planning planning = {.round = "week",
                                               .rows = rows,
                                               .count = count,
                                               .now_ms = NOW,
                                               .whole = whole,
                                               .from_ms = NOW};
    enum ht_status status = ht_visits_plan(visits, &planning, &decision, &error);
    if (status == HT_OK) {
        *over = decision->passed_over;
        *events = decision->event_count;
        ht_visits_apply(visits, decision);
    }
    return status;
}

static enum ht_visit_state state_of(const char *id)
{
    const struct ht_visit *visit = ht_visits_get(visits, id);
    enum ht_visit_state state = visit == NULL ? HT_VISIT_STATES : visit->state;
    ht_visit_release(visit);
    return state;
}

HT_CASE(a_plan_moves_what_is_planned_and_leaves_what_is_promised_or_over)
{
    struct ht_visit_row rows[] = {
        {.id = "p1",
         .site = "f1",
         .inspector = "i1",
         .start_ms = NOW + DAY,
         .end_ms = NOW + 2 * DAY},
        {.id = "p2",
         .site = "f2",
         .inspector = "i1",
         .start_ms = NOW + DAY,
         .end_ms = NOW + 2 * DAY},
        {.id = "p3",
         .site = "f3",
         .inspector = "i2",
         .start_ms = NOW + DAY,
         .end_ms = NOW + 2 * DAY},
        {.id = "p4", .site = "f4", .start_ms = NOW + DAY, .end_ms = NOW + 2 * DAY}};
    size_t over = 0;
    size_t events = 0;
    begin();
    HT_CHECK_INT(plan(rows, 4, true, &over, &events), HT_OK);
    HT_CHECK_INT(events, 4);
    HT_CHECK_INT(plan(rows, 4, true, &over, &events), HT_OK);
    HT_CHECK_INT(events, 0); /* nothing is another */
    const struct ht_visit_command promise = {
        .kind = HT_VISIT_PROMISE, .now_ms = NOW, .visit = "p2", .rules = &rules};
    HT_CHECK_INT(act(&promise), HT_OK);
    struct ht_visit_command missed = result("p3", HT_VISIT_IS_MISSED, NOW + 1);
    HT_CHECK_INT(act(&missed), HT_OK);
    for (size_t i = 0; i < 3; i++) {
        rows[i].start_ms += HOUR;
    }
    HT_CHECK_INT(plan(rows, 3, true, &over, &events), HT_OK);
    HT_CHECK_INT(over, 2);
    HT_CHECK_INT(events, 2); /* p1 moved, p4 dropped */
    HT_CHECK_INT(state_of("p1"), HT_VISIT_IS_PLANNED);
    HT_CHECK_INT(state_of("p2"), HT_VISIT_IS_PROMISED);
    HT_CHECK_INT(state_of("p3"), HT_VISIT_IS_MISSED);
    HT_CHECK_INT(state_of("p4"), HT_VISIT_IS_CANCELLED);
    HT_CHECK_INT(plan(NULL, 0, true, &over, &events), HT_OK);
    HT_CHECK_INT(state_of("p1"), HT_VISIT_IS_CANCELLED);
    HT_CHECK_INT(state_of("p2"), HT_VISIT_IS_PROMISED);
    rows[1].inspector = "i3"; /* who was promised is ill */
    rows[1].let_down = true;
    HT_CHECK_INT(plan(&rows[1], 1, false, &over, &events), HT_OK);
    HT_CHECK_INT(over, 0);
    HT_CHECK_INT(events, 1);
    HT_CHECK_INT(state_of("p2"), HT_VISIT_IS_PLANNED);
    rows[0].id = "";
    HT_CHECK_INT(plan(rows, 1, false, &over, &events), HT_INVALID);
    end();
}

HT_CASE(a_tenants_visit_stays_that_tenants)
{
    struct ht_visit_row rows[] = {{.id = "p1",
                                   .site = "f1",
                                   .tenant = "t1",
                                   .inspector = "i1",
                                   .start_ms = NOW + HOUR,
                                   .end_ms = NOW + 2 * HOUR},
                                  {.id = "p2",
                                   .site = "f1",
                                   .inspector = "i2",
                                   .start_ms = NOW + HOUR,
                                   .end_ms = NOW + 2 * HOUR}};
    const struct ht_visit *list[4];
    size_t over = 0;
    size_t events = 0;
    begin();
    HT_CHECK_INT(plan(rows, 2, true, &over, &events), HT_OK);
    const struct ht_visit_filter filter = {.site = "f1", .tenant = "t1"};
    HT_REQUIRE(ht_visits_list(visits, &filter, 4, list) == 1);
    HT_CHECK_STR(list[0]->id, "p1");
    ht_visit_release(list[0]);
    rows[0].tenant = "t2";
    rows[1].tenant = "t1";
    HT_CHECK_INT(plan(rows, 2, true, &over, &events), HT_OK);
    HT_CHECK_INT(over, 2); /* neither becomes another's */
    HT_CHECK_INT(events, 0);
    rows[0].tenant = "";
    HT_CHECK_INT(plan(rows, 1, false, &over, &events), HT_INVALID);
    end();
}

/* What is wanted, as words. */
static const char *wanted(int64_t now_ms)
{
    static char text[256];
    struct ht_visit_wish wishes[8];
    size_t count = ht_visits_wanted(visits, now_ms, 8, wishes);
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "%s %s by %s not %s; ",
                                 ht_visit_purpose_text(wishes[i].purpose), wishes[i].notice->id,
                                 wishes[i].by == NULL ? "-" : wishes[i].by,
                                 wishes[i].not_by == NULL ? "-" : wishes[i].not_by);
        ht_rectification_release(wishes[i].notice);
    }
    return text;
}

HT_CASE(an_open_notice_wants_a_re_visit_until_one_is_planned_and_again_when_it_was_missed)
{
    size_t over = 0;
    size_t events = 0;
    struct ht_visit_row row = {.id = "p1",
                               .site = "f1",
                               .inspector = "i1",
                               .rectification = "r1",
                               .purpose = HT_VISIT_FOR_REVISIT,
                               .start_ms = NOW + 3 * DAY,
                               .end_ms = NOW + 3 * DAY + HOUR};
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK);
    HT_CHECK_STR(wanted(NOW), "revisit r1 by i1 not -; ");
    HT_CHECK_INT(plan(&row, 1, true, &over, &events), HT_OK);
    HT_CHECK_INT(events, 2); /* the visit, and the notice that it looks after */
    HT_CHECK_STR(wanted(NOW), "");
    HT_CHECK_STR(wanted(NOW + 4 * DAY), "revisit r1 by i1 not -; "); /* nobody said anything */
    row.start_ms += DAY;
    row.end_ms += DAY;
    HT_CHECK_INT(plan(&row, 1, true, &over, &events), HT_OK);
    const struct ht_rectification *n = ht_rectifications_get(visits, "r1");
    HT_CHECK_INT(n->revisit_ms, NOW + 4 * DAY);
    ht_rectification_release(n);
    struct ht_visit_command missed = result("p1", HT_VISIT_IS_REFUSED, NOW + 4 * DAY);
    HT_CHECK_INT(act(&missed), HT_OK);
    HT_CHECK_STR(wanted(NOW + 4 * DAY), "revisit r1 by i1 not -; ");
    row.id = "p2";
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    HT_CHECK_STR(wanted(NOW + 4 * DAY), "");
    struct ht_visit_command done = result("p2", HT_VISIT_IS_DONE, NOW + 5 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_STR(wanted(NOW + 50 * DAY), ""); /* it only has to be closed */
    HT_CHECK_INT(close_notice("r1", "p2", NOW + 5 * DAY), HT_OK);
    row.id = "p3";
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    HT_CHECK_INT(over, 1); /* nothing is to be looked after any more */
    end();
}

/* One visit to f1 that finds so many hazards, each at a tenant's (NULL: of the site itself). */
static void find_at(const char *visit, const char *const notices[], const char *const tenants[],
                    size_t count)
{
    struct ht_visit_hazard hazards[4];
    struct ht_visit_command command = result(visit, HT_VISIT_IS_RECTIFY, NOW);
    HT_CHECK_INT(open_visit(visit, "f1", NOW), HT_OK);
    for (size_t i = 0; i < count; i++) {
        hazards[i] = (struct ht_visit_hazard){
            .id = notices[i], .tenant = tenants[i], .severity = 3, .risk = 2};
    }
    command.hazards = hazards;
    command.hazard_count = count;
    HT_CHECK_INT(act(&command), HT_OK);
}

HT_CASE(a_tenants_notice_has_a_re_visit_to_that_tenant)
{
    static const char *const first[] = {"r1", "r2", "r3"};
    static const char *const first_at[] = {"t1", "t2", NULL};
    static const char *const later[] = {"r4", "r5"};
    static const char *const later_at[] = {"t1", "t2"};
    size_t over = 0;
    size_t events = 0;
    struct ht_visit_row row = {.id = "p1",
                               .site = "f1",
                               .tenant = "t2",
                               .inspector = "i1",
                               .rectification = "r1",
                               .purpose = HT_VISIT_FOR_REVISIT,
                               .start_ms = NOW + 3 * DAY,
                               .end_ms = NOW + 3 * DAY + HOUR};
    begin();
    find_at("v1", first, first_at, 3);
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    HT_CHECK_INT(over, 1); /* t2 is not where it was found */
    row.tenant = "t1";
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    HT_CHECK_INT(over, 0);
    HT_CHECK_STR(wanted(NOW), "revisit r2 by i1 not -; revisit r3 by i1 not -; ");
    find_at("v2", later, later_at, 2); /* what is found later there, too */
    HT_CHECK_STR(wanted(NOW),
                 "revisit r2 by i1 not -; revisit r3 by i1 not -; revisit r5 by i1 not -; ");
    row.id = "p2"; /* all of the site: for this one, and for what is the site's own */
    row.tenant = NULL;
    row.rectification = "r2";
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    HT_CHECK_STR(wanted(NOW), "revisit r5 by i1 not -; ");
    struct ht_visit_command done = result("p1", HT_VISIT_IS_DONE, NOW + 3 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r3", "p1", NOW + 3 * DAY), HT_CONFLICT);
    HT_CHECK_INT(close_notice("r4", "p1", NOW + 3 * DAY), HT_OK);
    HT_CHECK_INT(close_notice("r1", "p1", NOW + 3 * DAY), HT_OK);
    done = result("p2", HT_VISIT_IS_DONE, NOW + 3 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r5", "p2", NOW + 3 * DAY), HT_OK);
    end();
}

HT_CASE(one_re_visit_looks_after_all_notices_of_its_site_whose_date_it_keeps)
{
    size_t over = 0;
    size_t events = 0;
    struct ht_visit_term term = {0, 0};
    struct ht_visit_row row = {.id = "p1",
                               .site = "f1",
                               .inspector = "i2",
                               .second = "i3",
                               .rectification = "r1",
                               .purpose = HT_VISIT_FOR_REVISIT,
                               .start_ms = NOW + 3 * DAY,
                               .end_ms = NOW + 3 * DAY + HOUR};
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK);
    HT_CHECK_INT(plan(&row, 1, true, &over, &events), HT_OK);
    HT_CHECK_INT(open_visit("v2", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v2", "r2", NULL, NOW), HT_OK); /* what is found later, too */
    HT_CHECK_STR(wanted(NOW), "");
    HT_CHECK(ht_visits_is_counted_on(visits, "p1", &term));
    HT_CHECK_INT(term.begun_ms, NOW);
    HT_CHECK_INT(term.by_ms, NOW + 7 * DAY);
    HT_CHECK_INT(ht_visits_wanted_next_ms(visits, NOW), NOW + 3 * DAY + HOUR + HT_VISIT_GRACE_MS);
    HT_CHECK_INT(ht_visits_wanted_next_ms(visits, NOW + 4 * DAY), INT64_MAX);
    /* both of the two who go may read it, and nobody else */
    const struct ht_rectification *n = ht_rectifications_get(visits, "r2");
    HT_CHECK(ht_rectification_is_of(visits, n, "i1") && ht_rectification_is_of(visits, n, "i2") &&
             ht_rectification_is_of(visits, n, "i3") && !ht_rectification_is_of(visits, n, "i4"));
    ht_rectification_release(n);
    /* seen again by another visit, it still has its re-visit */
    HT_CHECK_INT(open_visit("v3", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v3", "r3", "r1", NOW + HOUR), HT_OK);
    HT_CHECK_STR(wanted(NOW + HOUR), "");
    HT_CHECK_INT(plan(NULL, 0, true, &over, &events), HT_OK); /* it is dropped */
    HT_CHECK_STR(wanted(NOW), "revisit r1 by i1 not -; revisit r2 by i1 not -; ");
    HT_CHECK(!ht_visits_is_counted_on(visits, "p1", &term));
    end();
}

HT_CASE(a_re_visit_that_nothing_counts_on_any_more_is_cancelled)
{
    size_t over = 0;
    size_t events = 0;
    struct ht_visit_row row = {.id = "p1",
                               .site = "f1",
                               .inspector = "i1",
                               .rectification = "r1",
                               .purpose = HT_VISIT_FOR_REVISIT,
                               .start_ms = NOW + 3 * DAY,
                               .end_ms = NOW + 3 * DAY + HOUR};
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK);
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    /* found again by another visit, and by nothing else: it stays */
    HT_CHECK_INT(open_visit("v2", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v2", "r2", "r1", NOW + HOUR), HT_OK);
    HT_CHECK_STR(wanted(NOW + HOUR), "");
    HT_CHECK_INT(state_of("p1"), HT_VISIT_IS_PLANNED);
    /* another one takes its place */
    row.id = "p2";
    row.start_ms += DAY;
    row.end_ms += DAY;
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    HT_CHECK_INT(state_of("p1"), HT_VISIT_IS_CANCELLED);
    HT_CHECK_INT(open_visit("v3", "f1", NOW + DAY), HT_OK);
    HT_CHECK_INT(find_hazard("v3", "r3", NULL, NOW + DAY), HT_OK);
    /* seen as mended on another visit: it stays for the other notice, and goes with that */
    HT_CHECK_INT(open_visit("v4", "f1", NOW + 2 * DAY), HT_OK);
    struct ht_visit_command done = result("v4", HT_VISIT_IS_DONE, NOW + 2 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v4", NOW + 2 * DAY), HT_OK);
    HT_CHECK_INT(state_of("p2"), HT_VISIT_IS_PLANNED);
    HT_CHECK_INT(close_notice("r3", "v4", NOW + 2 * DAY), HT_OK);
    HT_CHECK_INT(state_of("p2"), HT_VISIT_IS_CANCELLED);
    /* but who was told that somebody comes is not let down */
    HT_CHECK_INT(open_visit("v5", "f1", NOW + 3 * DAY), HT_OK);
    HT_CHECK_INT(find_hazard("v5", "r5", NULL, NOW + 3 * DAY), HT_OK);
    row.id = "p3";
    row.rectification = "r5";
    row.start_ms += DAY;
    row.end_ms += DAY;
    HT_CHECK_INT(plan(&row, 1, false, &over, &events), HT_OK);
    const struct ht_visit_command promise = {
        .kind = HT_VISIT_PROMISE, .now_ms = NOW + 3 * DAY, .visit = "p3", .rules = &rules};
    HT_CHECK_INT(act(&promise), HT_OK);
    HT_CHECK_INT(open_visit("v6", "f1", NOW + 4 * DAY), HT_OK);
    done = result("v6", HT_VISIT_IS_DONE, NOW + 4 * DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r5", "v6", NOW + 4 * DAY), HT_OK);
    HT_CHECK_INT(state_of("p3"), HT_VISIT_IS_PROMISED);
    end();
}

HT_CASE(two_rounds_do_not_take_the_same_hour_of_an_inspector)
{
    size_t over = 0;
    size_t events = 0;
    struct ht_visits_decision *decision = NULL;
    struct ht_visit_row row = {.id = "p1",
                               .site = "f1",
                               .inspector = "i1",
                               .second = "i2",
                               .purpose = HT_VISIT_FOR_ROUND,
                               .start_ms = NOW + DAY,
                               .end_ms = NOW + DAY + HOUR};
    begin();
    HT_CHECK_INT(plan(&row, 1, true, &over, &events), HT_OK);
    struct ht_visit_row other = {.id = "q1",
                                 .site = "f2",
                                 .inspector = "i2",
                                 .purpose = HT_VISIT_FOR_ROUND,
                                 .start_ms = NOW + DAY + HOUR / 2,
                                 .end_ms = NOW + DAY + 2 * HOUR};
    const struct ht_visit_planning planning = {
        .round = "other", .rows = &other, .count = 1, .now_ms = NOW, .whole = true, .from_ms = NOW};
    HT_CHECK_INT(ht_visits_plan(visits, &planning, &decision, &error), HT_CONFLICT);
    HT_CHECK(ht_visits_pending(visits, "q1") == NULL);
    other.start_ms = NOW + DAY + HOUR; /* right behind it is fine */
    HT_CHECK_INT(ht_visits_plan(visits, &planning, &decision, &error), HT_OK);
    ht_visits_apply(visits, decision);
    HT_CHECK_INT(plan(&row, 1, true, &over, &events), HT_OK);
    end();
}

HT_CASE(a_drawn_notice_is_looked_at_by_somebody_else)
{
    begin();
    const struct ht_visit_command draw = {
        .kind = HT_NOTICE_SAMPLE, .now_ms = NOW, .notice = "r1", .rules = &rules, .seed = 77};
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK);
    HT_CHECK_INT(act(&draw), HT_CONFLICT);
    HT_CHECK_INT(open_visit("v2", "f1", NOW), HT_OK);
    struct ht_visit_command done = result("v2", HT_VISIT_IS_DONE, NOW + DAY);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(close_notice("r1", "v2", NOW + DAY), HT_OK);
    HT_CHECK_STR(wanted(NOW + DAY), "");
    HT_CHECK_INT(act(&draw), HT_OK);
    HT_CHECK_INT(act(&draw), HT_CONFLICT);
    HT_CHECK_STR(wanted(NOW + DAY), "check r1 by - not i1; ");
    struct ht_visit_command open = {.kind = HT_VISIT_OPEN,
                                    .now_ms = NOW + 2 * DAY,
                                    .visit = "c1",
                                    .rules = &rules,
                                    .row = {.site = "f1",
                                            .inspector = "i1",
                                            .rectification = "r1",
                                            .purpose = HT_VISIT_FOR_CHECK,
                                            .start_ms = NOW + 2 * DAY,
                                            .end_ms = NOW + 3 * DAY}};
    HT_CHECK_INT(act(&open), HT_CONFLICT); /* who closed it */
    open.row.inspector = "i2";
    HT_CHECK_INT(act(&open), HT_OK);
    HT_CHECK_STR(wanted(NOW + 2 * DAY), "");
    struct ht_visit_command look = result("c1", HT_VISIT_IS_DONE, NOW + 2 * DAY);
    look.inspector = "i1";
    HT_CHECK_INT(act(&look), HT_CONFLICT);
    look.inspector = NULL;
    HT_CHECK_INT(act(&look), HT_OK);
    const struct ht_rectification *n = ht_rectifications_get(visits, "r1");
    HT_CHECK_STR(n->checked_by, "c1");
    HT_CHECK_STR(n->closer, "i1");
    ht_rectification_release(n);
    HT_CHECK_STR(wanted(NOW + 9 * DAY), "");
    end();
}

HT_CASE(results_that_make_no_sense_are_refused)
{
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_EXISTS);
    HT_CHECK_INT(open_visit("v2", "", NOW), HT_INVALID);
    struct ht_visit_command command = result("v9", HT_VISIT_IS_DONE, NOW);
    HT_CHECK_INT(act(&command), HT_NOT_FOUND);
    command = result("v1", HT_VISIT_IS_RECTIFY, NOW);
    HT_CHECK_INT(act(&command), HT_INVALID); /* of what? */
    command = result("v1", HT_VISIT_IS_PLANNED, NOW);
    HT_CHECK_INT(act(&command), HT_RANGE);
    command = result("v1", HT_VISIT_IS_DONE, NOW);
    command.seen_ms = NOW + 1;
    HT_CHECK_INT(act(&command), HT_RANGE);
    command.seen_ms = NOW;
    command.until_ms = NOW - 1;
    HT_CHECK_INT(act(&command), HT_RANGE);
    const struct ht_visit_hazard hazards[2] = {{.id = "r1", .severity = 3, .risk = 1},
                                               {.id = "r1", .severity = 3, .risk = 1}};
    command = result("v1", HT_VISIT_IS_DONE, NOW);
    command.hazards = hazards;
    command.hazard_count = 1;
    HT_CHECK_INT(act(&command), HT_INVALID); /* done, with a hazard */
    command.outcome = HT_VISIT_IS_RECTIFY;
    command.hazard_count = 2;
    HT_CHECK_INT(act(&command), HT_INVALID); /* one id for both */
    HT_CHECK_STR(notice_text("r1"), "none");
    command.hazard_count = 1;
    HT_CHECK_INT(act(&command), HT_OK);
    end();
}

/* ---- chance ---- */

enum { STEPS = 20000, HELD = 5, IDS = 12, SITES = 2, VISITS = 1500, NOTICES = 60 };

static uint64_t dice;
static struct ht_visit_event *written; /* texts are those of kept records */
static size_t written_count;
static struct ht_visits_decision *held[HELD];
static size_t held_count;

static uint32_t roll(uint32_t bound)
{
    return ht_random_below(&dice, bound);
}

static const char *name(const char *kind)
{
    static char names[8][16];
    static unsigned next;
    char *text = names[next++ % 8];
    uint32_t many = kind[0] == 'p'   ? VISITS
                    : kind[0] == 'r' ? NOTICES
                    : kind[0] == 'f' ? SITES
                                     : IDS;
    (void)snprintf(text, 16, "%s%u", kind, roll(many));
    return text;
}

/* Everything that is held of both, the newest first. */
static void dump(struct ht_visits *of, bool pending, struct ht_text *out)
{
    const struct ht_visit *list[VISITS];
    const struct ht_rectification *notices[NOTICES];
    const struct ht_visit_filter all = {.states = 0};
    const struct ht_rectification_filter any = {.states = 0};
    size_t count = ht_visits_list(of, &all, VISITS, list);
    for (size_t i = 0; i < count; i++) {
        const struct ht_visit *v = pending ? ht_visits_pending(of, list[i]->id) : list[i];
        char line[400];
        (void)snprintf(line, sizeof line,
                       "%s %s %s %s %s %s %d %d %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64
                       " %" PRId64 " %" PRId64 " %" PRId64 " %u %u %u\n",
                       v->id, v->round == NULL ? "-" : v->round, v->site,
                       v->inspector == NULL ? "-" : v->inspector,
                       v->second == NULL ? "-" : v->second,
                       v->rectification == NULL ? "-" : v->rectification, (int)v->purpose,
                       (int)v->state, v->version, v->order, v->start_ms, v->end_ms, v->seen_ms,
                       v->until_ms, v->closed_ms, v->moves, v->distance_m, v->hazards);
        ht_text_add_string(out, line);
        ht_visit_release(list[i]);
    }
    count = ht_rectifications_list(of, &any, NOTICES, notices);
    for (size_t i = 0; i < count; i++) {
        const struct ht_rectification *n =
            pending ? ht_rectifications_pending(of, notices[i]->id) : notices[i];
        char line[400];
        (void)snprintf(line, sizeof line,
                       "%s %s %s %s %s %s %d %" PRIu64 " %" PRIu64 " #%u %u %u %u %d%d%d %u %u %u"
                       " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRIu64 "\n",
                       n->id, n->site, n->visit, n->revisit == NULL ? "-" : n->revisit,
                       n->closed_by == NULL ? "-" : n->closed_by,
                       n->checked_by == NULL ? "-" : n->checked_by, (int)n->state, n->version,
                       n->order, n->number, n->severity, n->risk, n->level, n->overdue, n->reminded,
                       n->sampled, n->extensions, n->reopened, n->sightings, n->begun_ms,
                       n->found_ms, n->due_ms, n->rise_by_ms, n->closed_ms, n->seed);
        ht_text_add_string(out, line);
        ht_rectification_release(notices[i]);
    }
}

static bool same(struct ht_visits *a, bool a_pending, struct ht_visits *b)
{
    struct ht_text left = {0};
    struct ht_text right = {0};
    dump(a, a_pending, &left);
    dump(b, false, &right);
    bool equal = strcmp(ht_text_string(&left), ht_text_string(&right)) == 0;
    ht_text_deinit(&left);
    ht_text_deinit(&right);
    return equal;
}

static enum ht_status random_plan(int64_t now_ms, struct ht_visits_decision **out)
{
    struct ht_visit_row rows[3] = {{.id = NULL}};
    for (size_t i = 0; i < 3; i++) {
        bool seeks = roll(3) == 0;
        rows[i] = (struct ht_visit_row){
            .id = name("p"),
            .site = name("f"),
            .inspector = roll(4) == 0 ? NULL : name("i"),
            .rectification = seeks ? name("r") : NULL,
            .purpose = !seeks ? HT_VISIT_FOR_ROUND
                              : (roll(2) == 0 ? HT_VISIT_FOR_REVISIT : HT_VISIT_FOR_CHECK),
            .start_ms = now_ms + roll(5) * HOUR,
            .end_ms = now_ms + 6 * HOUR};
        rows[i].second = rows[i].inspector != NULL && roll(4) == 0 ? "along" : NULL;
    }
    const struct ht_visit_planning planning = {.round = roll(2) == 0 ? NULL : "w",
                                               .rows = rows,
                                               .count = roll(4),
                                               .now_ms = now_ms,
                                               .whole = roll(4) == 0,
                                               .from_ms = now_ms};
    return ht_visits_plan(visits, &planning, out, &error);
}

static char last_done[16] = "p0";

static enum ht_status random_command(int64_t now_ms, struct ht_visits_decision **out)
{
    struct ht_visit_hazard hazards[2];
    for (size_t i = 0; i < 2; i++) {
        hazards[i] = (struct ht_visit_hazard){.id = name("r"),
                                              .same_as = roll(2) == 0 ? NULL : name("r"),
                                              .severity = (uint8_t)(1 + roll(4)),
                                              .risk = (uint8_t)(1 + roll(4))};
    }
    struct ht_visit_command command = {.kind = (enum ht_visit_command_kind)roll(HT_VISIT_COMMANDS),
                                       .now_ms = now_ms,
                                       .visit = name("p"),
                                       .notice = name("r"),
                                       .rules = &rules,
                                       .row = {.site = name("f"),
                                               .inspector = name("i"),
                                               .purpose = HT_VISIT_FOR_UNPLANNED,
                                               .start_ms = now_ms,
                                               .end_ms = now_ms + HOUR},
                                       .inspector = roll(2) == 0 ? NULL : name("i"),
                                       .outcome =
                                           (enum ht_visit_state)(HT_VISIT_IS_DONE + (int)roll(6)),
                                       .seen_ms = now_ms,
                                       .distance_m = roll(500),
                                       .hazards = hazards,
                                       .due_ms = now_ms + roll(12) * DAY,
                                       .rank = (uint8_t)roll(3),
                                       .seed = dice};
    command.hazard_count =
        command.outcome >= HT_VISIT_IS_RECTIFY && command.kind == HT_VISIT_REPORT ? roll(3) : 0;
    if (command.kind == HT_NOTICE_CLOSE && roll(2) == 0) {
        command.visit = last_done;
    }
    enum ht_status status = ht_visits_decide(visits, &command, out, &error);
    if (status == HT_OK && command.outcome == HT_VISIT_IS_DONE && command.kind == HT_VISIT_REPORT) {
        (void)snprintf(last_done, sizeof last_done, "%s", command.visit);
    }
    return status;
}

static void step(int64_t now_ms)
{
    struct ht_visits_decision *decision = NULL;
    uint32_t what = roll(10);
    enum ht_status status = what == 0   ? ht_visits_tick(visits, now_ms, &rules, &decision)
                            : what <= 3 ? random_plan(now_ms, &decision)
                                        : random_command(now_ms, &decision);
    if (status != HT_OK) {
        HT_CHECK(decision == NULL);
        HT_CHECK(status != HT_NOMEM);
    } else if (roll(5) == 0) {
        ht_visits_take_back(visits, decision);
    } else {
        held[held_count++] = decision;
    }
}

static char (*kept)[HT_VISIT_ID_MAX + 1];
static size_t kept_count;

static const char *keep(const char *text)
{
    if (text == NULL) {
        return NULL;
    }
    char *copy = kept[kept_count++];
    (void)snprintf(copy, HT_VISIT_ID_MAX + 1, "%s", text);
    return copy;
}

static void write_down(const struct ht_visits_decision *decision)
{
    for (size_t i = 0; i < decision->event_count; i++) {
        struct ht_visit_event *e = &written[written_count++];
        *e = *decision->events[i];
        e->id = keep(e->id);
        e->round = keep(e->round);
        e->site = keep(e->site);
        e->tenant = keep(e->tenant);
        e->inspector = keep(e->inspector);
        e->visit = keep(e->visit);
        e->rectification = keep(e->rectification);
        e->second = keep(e->second);
    }
}

static void settle(bool lost)
{
    for (size_t i = 0; i < held_count; i++) {
        if (lost) {
            ht_visits_drop(visits, held[i]);
        } else {
            write_down(held[i]);
            ht_visits_apply(visits, held[i]);
        }
    }
    held_count = 0;
}

HT_CASE(what_was_written_is_replayed_as_the_same_and_what_was_not_leaves_no_trace)
{
    written = calloc(200000, sizeof *written);
    kept = calloc(800000, sizeof *kept);
    dice = 5;
    begin();
    for (int i = 0; i < STEPS; i++) {
        step(NOW + i * HOUR);
        if (held_count == HELD) {
            settle(roll(4) == 0);
            HT_CHECK(i % 50 != 0 ||
                     same(visits, true, visits)); /* nothing is pending that is not committed */
        }
    }
    settle(false);
    struct ht_visits *again = NULL;
    HT_CHECK_INT(ht_visits_new(&again), HT_OK);
    for (size_t i = 0; i < written_count; i++) {
        HT_CHECK_INT(ht_visits_replay(again, &written[i]), HT_OK);
    }
    HT_CHECK(written_count > 2000);
    HT_CHECK(same(visits, false, again));
    struct ht_visits_totals left;
    struct ht_visits_totals right;
    ht_visits_totals(visits, &left);
    ht_visits_totals(again, &right);
    HT_CHECK(memcmp(&left, &right, sizeof left) == 0);
    for (int s = HT_VISIT_IS_DONE; s <= HT_VISIT_IS_CANCELLED; s++) {
        HT_CHECK(left.visits[s] > 0);
    }
    HT_CHECK(left.notices[HT_RECTIFICATION_IS_OPEN] > 0);
    HT_CHECK(left.notices[HT_RECTIFICATION_IS_CLOSED] > 0);
    ht_visits_free(again);
    end();
    free(written);
    free(kept);
}

HT_CASE(a_foreign_table_is_refused_row_by_row)
{
    begin();
    struct ht_visit_event event = {.kind = HT_VISIT_REPORTED, .at_ms = NOW, .id = "v1"};
    HT_CHECK_INT(ht_visits_replay(visits, &event), HT_INVALID);
    event = (struct ht_visit_event){.kind = HT_VISIT_PLANNED, .at_ms = NOW, .id = "v1"};
    HT_CHECK_INT(ht_visits_replay(visits, &event), HT_INVALID); /* no site */
    event.site = "f1";
    event.start_ms = 2;
    event.end_ms = 1;
    HT_CHECK_INT(ht_visits_replay(visits, &event), HT_INVALID);
    event.end_ms = 2;
    HT_CHECK_INT(ht_visits_replay(visits, &event), HT_OK);
    HT_CHECK_INT(ht_visits_replay(visits, &event), HT_INVALID); /* twice */
    event = (struct ht_visit_event){.kind = HT_NOTICE_CLOSED,
                                    .at_ms = NOW,
                                    .id = "r1",
                                    .inspector = "i",
                                    .visit = "v1",
                                    .seen_ms = NOW};
    HT_CHECK_INT(ht_visits_replay(visits, &event), HT_INVALID);
    event.kind = HT_VISIT_EVENT_KINDS;
    HT_CHECK_INT(ht_visits_replay(visits, &event), HT_INVALID);
    end();
}

HT_CASE(what_is_over_leaves_memory)
{
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(open_visit("v2", "f1", NOW), HT_OK);
    struct ht_visit_command done = result("v1", HT_VISIT_IS_DONE, NOW + 1);
    HT_CHECK_INT(act(&done), HT_OK);
    HT_CHECK_INT(ht_visits_forget(visits, NOW, 10), 0);
    HT_CHECK_INT(ht_visits_forget(visits, NOW + 2, 10), 1);
    HT_CHECK_INT(state_of("v1"), HT_VISIT_STATES);
    HT_CHECK_INT(state_of("v2"), HT_VISIT_IS_PLANNED);
    struct ht_visits_totals totals;
    ht_visits_totals(visits, &totals);
    HT_CHECK_INT(totals.visits[HT_VISIT_IS_DONE], 0);
    end();
}

static void *read_on(void *user)
{
    atomic_bool *stop = user;
    const struct ht_visit_filter all = {.states = 0};
    const struct ht_visit *list[8];
    struct ht_visit_wish wishes[8];
    uint64_t wrong = 0;
    while (!atomic_load(stop)) {
        size_t count = ht_visits_list(visits, &all, 8, list);
        for (size_t i = 0; i < count; i++) {
            wrong += ht_visit_is_outcome(list[i]->state) != (list[i]->seen_ms != 0) ? 1 : 0;
            ht_visit_release(list[i]);
        }
        count = ht_visits_wanted(visits, NOW, 8, wishes);
        for (size_t i = 0; i < count; i++) {
            ht_rectification_release(wishes[i].notice);
        }
    }
    return wrong == 0 ? NULL : user;
}

HT_CASE(readers_see_whole_versions_while_it_decides)
{
    atomic_bool stop = false;
    pthread_t reader;
    void *wrong = NULL;
    begin();
    HT_REQUIRE(pthread_create(&reader, NULL, read_on, &stop) == 0);
    for (int i = 0; i < 300; i++) {
        char visit[16];
        char notice[16];
        (void)snprintf(visit, sizeof visit, "v%d", i);
        (void)snprintf(notice, sizeof notice, "r%d", i);
        HT_CHECK_INT(open_visit(visit, "f1", NOW + i), HT_OK);
        HT_CHECK_INT(find_hazard(visit, notice, NULL, NOW + i), HT_OK);
    }
    atomic_store(&stop, true);
    HT_CHECK_INT(pthread_join(reader, &wrong), 0);
    HT_CHECK(wrong == NULL);
    end();
}

HT_CASE(visits_that_run_out_of_memory_are_as_before)
{
    const struct ht_visit_hazard hazard = {.id = "r2", .severity = 2, .risk = 1};
    begin();
    HT_CHECK_INT(open_visit("v1", "f1", NOW), HT_OK);
    HT_CHECK_INT(open_visit("v2", "f1", NOW), HT_OK);
    HT_CHECK_INT(find_hazard("v1", "r1", NULL, NOW), HT_OK);
    struct ht_text before = {0};
    dump(visits, false, &before);
    struct ht_visit_command command = result("v2", HT_VISIT_IS_RECTIFY, NOW + 1);
    command.hazards = &hazard;
    command.hazard_count = 1;
    bool failed = true;
    for (long n = 0; failed; n++) {
        struct ht_visits_decision *decision = NULL;
        ht_oom_arm(n);
        enum ht_status status = ht_visits_decide(visits, &command, &decision, NULL);
        failed = ht_oom_disarm();
        HT_CHECK_INT(status, failed ? HT_NOMEM : HT_OK);
        if (decision != NULL) {
            HT_CHECK_INT(ht_rectifications_pending(visits, "r2")->number, 2);
            ht_visits_take_back(visits, decision);
        }
        struct ht_text after = {0};
        dump(visits, true, &after);
        HT_CHECK_STR(ht_text_string(&after), ht_text_string(&before));
        HT_CHECK(ht_rectifications_pending(visits, "r2") == NULL);
        ht_text_deinit(&after);
    }
    ht_text_deinit(&before);
    end();
}

HT_MAIN()
