#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/check.h"
#include "tests/support/desk_stage.h"
#include "tests/support/oom.h"

static const int64_t T0 = 1000000;

static struct ht_desk_command about(enum ht_desk_command_kind kind, const char *id, int64_t now_ms)
{
    return (struct ht_desk_command){.kind = kind, .incident = id, .now_ms = now_ms};
}

static struct ht_desk_command alarm_at(const char *id, const char *place, uint8_t severity,
                                       int64_t now_ms)
{
    struct ht_desk_command c = about(HT_DESK_OPEN, id, now_ms);
    c.household = place;
    c.incident_kind = HT_INCIDENT_SOS;
    c.severity = severity;
    return c;
}

static enum ht_status open_at(struct ht_stage *s, const char *id, const char *place,
                              uint8_t severity, int64_t now_ms)
{
    struct ht_desk_command c = alarm_at(id, place, severity, now_ms);
    return ht_stage_do(s, &c);
}

static enum ht_status say(struct ht_stage *s, enum ht_desk_command_kind kind, const char *id,
                          const char *unit, int64_t now_ms)
{
    struct ht_desk_command c = about(kind, id, now_ms);
    c.unit = unit;
    c.outcome = HT_OUTCOME_HELPED;
    c.rating = 5;
    return ht_stage_do(s, &c);
}

static enum ht_status resolve_as(struct ht_stage *s, const char *id, enum ht_desk_outcome outcome,
                                 int64_t now_ms)
{
    struct ht_desk_command c = about(HT_DESK_RESOLVE, id, now_ms);
    c.outcome = outcome;
    return ht_stage_do(s, &c);
}

static void tick(struct ht_stage *s, int64_t now_ms)
{
    struct ht_desk_command c = about(HT_DESK_TICK, NULL, now_ms);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
}

static enum ht_incident_state state_of(struct ht_stage *s, const char *id)
{
    const struct ht_incident *i = ht_desk_get(s->desk, id);
    enum ht_incident_state state = i == NULL ? HT_INCIDENT_STATES : i->state;
    ht_incident_release(i);
    return state;
}

/* The units on it, joined by spaces. */
static const char *units_of(struct ht_stage *s, const char *id)
{
    static char text[HT_DESK_UNITS_MAX * (HT_DESK_ID_MAX + 1) + 1];
    const struct ht_incident *i = ht_desk_get(s->desk, id);
    text[0] = '\0';
    for (uint32_t n = 0; i != NULL && n < i->seat_count; n++) {
        (void)strcat(strcat(text, n == 0 ? "" : " "), i->seats[n].unit);
    }
    ht_incident_release(i);
    return text;
}

/* The kinds of the events from the `from`-th on. */
static const char *told(const struct ht_stage *s, size_t from)
{
    static char text[4096];
    text[0] = '\0';
    for (size_t n = from; n < s->event_count; n++) {
        (void)strcat(strcat(text, n == from ? "" : " "), ht_desk_event_text(s->events[n].kind));
    }
    return text;
}

/* The desk says the same when it is made anew from the table. */
static void end_stage(struct ht_stage *s)
{
    struct ht_desk *again = ht_stage_replay(s);
    HT_CHECK(ht_stage_same_desks(s->desk, again));
    ht_desk_free(again);
    ht_stage_free(s);
}

static struct ht_stage *stage_of(const struct ht_desk_rules *rules)
{
    struct ht_stage *s = ht_stage_new(rules);
    (void)ht_stage_add(s, "a", 0);
    (void)ht_stage_add(s, "b", 100000);
    (void)ht_stage_add(s, "c", 300000);
    return s;
}

static struct ht_stage *plain_stage(void)
{
    struct ht_desk_rules rules = ht_stage_rules();
    return stage_of(&rules);
}

static void drive_to_scene(struct ht_stage *s, const char *id, const char *unit, int64_t now_ms)
{
    HT_CHECK_INT(say(s, HT_DESK_ACK, id, unit, now_ms), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_GO, id, unit, now_ms + 1), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ARRIVE, id, unit, now_ms + 2), HT_OK);
}

HT_CASE(the_closest_unit_is_sent_and_goes_its_way)
{
    struct ht_stage *s = plain_stage();
    struct ht_desk_command c = alarm_at("i", "90000", 3, T0);
    c.access_ms = 5000;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 0), "received assigned");
    HT_CHECK_STR(units_of(s, "i"), "b");
    const struct ht_incident *i = ht_desk_get(s->desk, "i");
    HT_REQUIRE(i != NULL);
    HT_CHECK_INT(i->state, HT_INCIDENT_IS_ASSIGNED);
    HT_CHECK_INT(i->deadline_ms, T0 + 600000);
    HT_CHECK_INT(ht_incident_eta_ms(i), T0 + 1000 + 10000 + 5000);
    HT_CHECK(ht_incident_within_promise(i));
    ht_incident_release(i);
    char on[HT_DESK_ID_MAX + 1] = "";
    HT_CHECK(ht_desk_unit_on(s->desk, "b", on));
    HT_CHECK_STR(on, "i");
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0 + 1), HT_OK);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_ACKNOWLEDGED);
    HT_CHECK_INT(say(s, HT_DESK_GO, "i", "b", T0 + 2), HT_OK);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_ENROUTE);
    HT_CHECK_INT(say(s, HT_DESK_ARRIVE, "i", NULL, T0 + 3), HT_OK);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_ONSCENE);
    HT_CHECK_INT(say(s, HT_DESK_RESOLVE, "i", NULL, T0 + 4), HT_OK);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_RESOLVED);
    HT_CHECK(!ht_desk_unit_on(s->desk, "b", on));
    HT_CHECK_INT(say(s, HT_DESK_EVALUATE, "i", NULL, T0 + 5), HT_OK);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_EVALUATED);
    HT_CHECK_STR(told(s, 2), "acknowledged enroute arrived resolved released evaluated");
    end_stage(s);
}

HT_CASE(the_wrong_order_is_refused_and_changes_nothing)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    size_t events = s->event_count;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_EXISTS);
    HT_CHECK_INT(say(s, HT_DESK_GO, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_ARRIVE, "i", "a", T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_RESOLVE, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_EVALUATE, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_FOLLOW_UP, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_COORDINATE, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_REOPEN, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_CONFIRM, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", "b", T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "x", "a", T0), HT_NOT_FOUND);
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_NONE, T0), HT_RANGE);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_ASSIGNED);
    HT_CHECK_INT(s->event_count, events);
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_FALSE_ALARM, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", "a", T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "i", NULL, T0), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", NULL, T0), HT_CONFLICT);
    end_stage(s);
}

HT_CASE(an_error_says_in_which_state_it_is)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    struct ht_desk_command c = about(HT_DESK_EVALUATE, "i", T0);
    struct ht_desk_decision *decision = NULL;
    struct ht_error error = {0};
    struct ht_desk_chooser chooser = ht_stage_chooser(s);
    c.rating = 3;
    HT_CHECK_INT(ht_desk_decide(s->desk, &c, &chooser, &decision, &error), HT_CONFLICT);
    HT_CHECK_INT(error.status, HT_CONFLICT);
    HT_CHECK_STR(error.message, "incident i is assigned: only what is resolved is evaluated");
    c.rating = 6;
    HT_CHECK_INT(ht_desk_decide(s->desk, &c, &chooser, &decision, &error), HT_RANGE);
    HT_CHECK(decision == NULL);
    end_stage(s);
}

HT_CASE(alarms_out_of_range_are_refused)
{
    struct ht_stage *s = plain_stage();
    char long_id[HT_DESK_ID_MAX + 2];
    memset(long_id, 'x', sizeof long_id - 1);
    long_id[sizeof long_id - 1] = '\0';
    struct ht_desk_command c = alarm_at("i", "0", 0, T0);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_RANGE);
    c.severity = 5;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_RANGE);
    c.severity = 4;
    c.incident_kind = HT_INCIDENT_KINDS;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_RANGE);
    c = alarm_at(long_id, "0", 1, T0);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_INVALID);
    c = alarm_at("", "0", 1, T0);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_INVALID);
    c = alarm_at("i", long_id, 1, T0);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_INVALID);
    c = alarm_at("i", "0", 1, T0);
    c.units = HT_DESK_UNITS_MAX + 1;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_RANGE);
    HT_CHECK_INT(s->event_count, 0);
    long_id[HT_DESK_ID_MAX] = '\0';
    c = alarm_at(long_id, long_id, 1, T0);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    end_stage(s);
}

HT_CASE(nobody_free_queues_by_severity_then_time)
{
    struct ht_stage *s = plain_stage();
    s->unit_count = 1;
    HT_CHECK_INT(open_at(s, "i", "0", 2, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "late", "0", 2, T0 + 2), HT_OK);
    HT_CHECK_INT(open_at(s, "early", "0", 2, T0 + 1), HT_OK);
    HT_CHECK_INT(open_at(s, "grave", "0", 4, T0 + 3), HT_OK);
    HT_CHECK_STR(told(s, 2), "received queued received queued received queued");
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_FALSE_ALARM, T0 + 10), HT_OK);
    HT_CHECK_STR(units_of(s, "grave"), "a");
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "grave", NULL, T0 + 11), HT_OK);
    HT_CHECK_STR(units_of(s, "early"), "a");
    HT_CHECK_INT(state_of(s, "late"), HT_INCIDENT_IS_QUEUED);
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "early", NULL, T0 + 12), HT_OK);
    HT_CHECK_STR(units_of(s, "late"), "a");
    end_stage(s);
}

HT_CASE(settle_sends_units_that_came_on_duty)
{
    struct ht_stage *s = plain_stage();
    for (uint32_t u = 0; u < 3; u++) {
        s->units[u].on_duty = false;
    }
    HT_CHECK_INT(open_at(s, "i", "0", 2, T0), HT_OK);
    HT_CHECK_STR(told(s, 0), "received queued promise_at_risk");
    struct ht_desk_command c = about(HT_DESK_SETTLE, NULL, T0 + 1);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_INT(s->event_count, 3);
    s->units[2].on_duty = true;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 3), "assigned");
    HT_CHECK_STR(units_of(s, "i"), "c");
    end_stage(s);
}

HT_CASE(settle_reaches_past_those_that_nobody_can_serve)
{
    enum { STUCK = 60 };
    struct ht_stage *s = plain_stage();
    for (uint32_t u = 0; u < 3; u++) {
        s->units[u].on_duty = false;
    }
    for (int n = 0; n < STUCK; n++) {
        char id[16];
        char skill[32];
        (void)snprintf(id, sizeof id, "s%d", n);
        (void)snprintf(skill, sizeof skill, "skill%d", n);
        struct ht_desk_command c = alarm_at(id, "0", 4, T0);
        c.skills = skill;
        HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    }
    HT_CHECK_INT(open_at(s, "i", "0", 1, T0), HT_OK);
    s->units[0].on_duty = true;
    struct ht_desk_command settle = about(HT_DESK_SETTLE, NULL, T0 + 1);
    for (int n = 0; n < 8 && state_of(s, "i") == HT_INCIDENT_IS_QUEUED; n++) {
        HT_CHECK_INT(ht_stage_do(s, &settle), HT_OK);
    }
    HT_CHECK_STR(units_of(s, "i"), "a");
    end_stage(s);
}

HT_CASE(gas_gets_two_and_the_second_comes_when_it_can)
{
    struct ht_desk_rules rules = ht_stage_rules();
    for (int n = 0; n < HT_DESK_SEVERITIES; n++) {
        rules.rule[HT_INCIDENT_GAS][n].units = 2;
    }
    struct ht_stage *s = stage_of(&rules);
    s->unit_count = 2;
    HT_CHECK_INT(open_at(s, "i", "100000", 2, T0), HT_OK);
    struct ht_desk_command c = alarm_at("gas", "0", 3, T0);
    c.incident_kind = HT_INCIDENT_GAS;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(units_of(s, "gas"), "a");
    HT_CHECK_INT(state_of(s, "gas"), HT_INCIDENT_IS_ASSIGNED);
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "i", NULL, T0 + 5), HT_OK);
    HT_CHECK_STR(units_of(s, "gas"), "a b");
    HT_CHECK_INT(say(s, HT_DESK_ACK, "gas", NULL, T0 + 6), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "gas", "b", T0 + 6), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "gas", NULL, T0 + 6), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_GO, "gas", "b", T0 + 6), HT_OK);
    HT_CHECK_INT(state_of(s, "gas"), HT_INCIDENT_IS_ENROUTE);
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "gas", "b", T0 + 7), HT_OK);
    HT_CHECK_INT(state_of(s, "gas"), HT_INCIDENT_IS_ACKNOWLEDGED);
    end_stage(s);
}

HT_CASE(skills_of_the_rule_or_the_alarm_decide_who_comes)
{
    struct ht_desk_rules rules = ht_stage_rules();
    (void)strcpy(rules.rule[HT_INCIDENT_HEART][3].skills, "aed");
    struct ht_stage *s = stage_of(&rules);
    s->units[1].skills = "lift;aed";
    s->units[2].skills = "lift;aed;night";
    struct ht_desk_command c = alarm_at("i", "0", 4, T0);
    c.incident_kind = HT_INCIDENT_HEART;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "b");
    c = alarm_at("j", "0", 4, T0);
    c.skills = "aed;night";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(units_of(s, "j"), "c");
    end_stage(s);
}

HT_CASE(who_declines_is_passed_over_until_it_counts_again)
{
    struct ht_stage *s = plain_stage();
    s->unit_count = 2;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "a", T0 + 10), HT_OK);
    HT_CHECK_STR(told(s, 2), "declined assigned");
    HT_CHECK_STR(units_of(s, "i"), "b");
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "b", T0 + 20), HT_OK);
    HT_CHECK_STR(told(s, 4), "declined queued");
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_QUEUED);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 10 + 120001);
    tick(s, T0 + 10 + 120000);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_QUEUED);
    tick(s, T0 + 10 + 120001);
    HT_CHECK_STR(units_of(s, "i"), "a");
    end_stage(s);
}

HT_CASE(who_counts_again_comes_after_those_never_asked)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "a", T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", "b", T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "b", T0 + 130000), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "c");
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "c", T0 + 130001), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "a");
    end_stage(s);
}

HT_CASE(who_does_not_acknowledge_in_time_is_passed_over)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 60000);
    tick(s, T0 + 59999);
    HT_CHECK_STR(units_of(s, "i"), "a");
    tick(s, T0 + 60000);
    HT_CHECK_STR(told(s, 2), "passed_over assigned");
    HT_CHECK_STR(units_of(s, "i"), "b");
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0 + 60001), HT_OK);
    tick(s, T0 + 200000);
    HT_CHECK_STR(units_of(s, "i"), "b");
    end_stage(s);
}

HT_CASE(a_unit_that_is_passed_over_serves_others)
{
    struct ht_stage *s = plain_stage();
    s->unit_count = 2;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "j", "100000", 3, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "k", "0", 1, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "a", T0 + 1), HT_OK);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_QUEUED);
    HT_CHECK_STR(units_of(s, "k"), "a");
    end_stage(s);
}

HT_CASE(a_door_alarm_waits_for_confirmation)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.rule[HT_INCIDENT_DOOR][1].confirm_ms = 30000;
    struct ht_stage *s = stage_of(&rules);
    struct ht_desk_command c = alarm_at("i", "0", 2, T0);
    c.incident_kind = HT_INCIDENT_DOOR;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    c.incident = "j";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    c.incident = "k";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    c.incident = "l";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 0), "received received received received");
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", NULL, T0 + 1), HT_CONFLICT);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0 + 1), HT_OK);
    HT_CHECK_STR(told(s, 4), "confirmed assigned");
    HT_CHECK_INT(say(s, HT_DESK_CONFIRM, "j", NULL, T0 + 2), HT_OK);
    HT_CHECK_STR(units_of(s, "j"), "b");
    HT_CHECK_INT(resolve_as(s, "k", HT_OUTCOME_FALSE_ALARM, T0 + 3), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 30000);
    tick(s, T0 + 29999);
    HT_CHECK_INT(state_of(s, "l"), HT_INCIDENT_IS_RECEIVED);
    tick(s, T0 + 30000);
    HT_CHECK_STR(units_of(s, "l"), "c");
    end_stage(s);
}

HT_CASE(alarms_of_one_device_fold_into_one_incident)
{
    struct ht_desk_rules rules = ht_stage_rules();
    for (int n = 0; n < HT_DESK_SEVERITIES; n++) {
        rules.rule[HT_INCIDENT_SOS][n].fold_ms = 10000;
    }
    rules.rule[HT_INCIDENT_SOS][3].promise_ms = 300000;
    rules.rule[HT_INCIDENT_SOS][3].units = 2;
    struct ht_stage *s = stage_of(&rules);
    struct ht_desk_command c = alarm_at("i", "0", 2, T0);
    c.device = "bed";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    c.incident = "j";
    c.severity = 1;
    c.now_ms = T0 + 9999;
    struct ht_desk_decision *decision = NULL;
    struct ht_desk_chooser chooser = ht_stage_chooser(s);
    HT_REQUIRE(ht_desk_decide(s->desk, &c, &chooser, &decision, NULL) == HT_OK);
    HT_CHECK(decision->folded);
    HT_CHECK_STR(decision->incident->id, "i");
    HT_CHECK_INT(decision->incident->alarms, 2);
    HT_CHECK_INT(decision->incident->severity, 2);
    ht_stage_write(s, decision);
    ht_desk_apply(s->desk, decision);
    c.severity = 4; /* graver: the promise is shorter, one more comes */
    c.now_ms = T0 + 9999 + 9999;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 2), "folded folded assigned");
    HT_CHECK_STR(units_of(s, "i"), "a b");
    const struct ht_incident *i = ht_desk_get(s->desk, "i");
    HT_CHECK_INT(i->severity, 4);
    HT_CHECK_INT(i->deadline_ms, T0 + 9999 + 9999 + 300000);
    ht_incident_release(i);
    c.now_ms += 10000; /* the window is over */
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK(state_of(s, "j") != HT_INCIDENT_STATES);
    c.incident = "k";
    c.device = "belt";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    c.incident = "l";
    c.device = "bed";
    c.incident_kind = HT_INCIDENT_FALL;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK(state_of(s, "k") != HT_INCIDENT_STATES && state_of(s, "l") != HT_INCIDENT_STATES);
    HT_CHECK_INT(resolve_as(s, "k", HT_OUTCOME_FALSE_ALARM, c.now_ms), HT_OK);
    c.incident = "m"; /* what is over takes no more alarms */
    c.device = "belt";
    c.incident_kind = HT_INCIDENT_SOS;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK(state_of(s, "m") != HT_INCIDENT_STATES);
    end_stage(s);
}

HT_CASE(what_a_folded_alarm_needs_is_sent_besides)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.rule[HT_INCIDENT_SOS][2].fold_ms = 10000;
    (void)strcpy(rules.rule[HT_INCIDENT_SOS][2].skills, "aid");
    struct ht_stage *s = stage_of(&rules);
    s->units[0].skills = "aid";
    s->units[1].skills = "aid;lift";
    s->units[2].skills = "aid;aed;lift";
    struct ht_desk_command c = alarm_at("i", "0", 3, T0);
    c.device = "bed";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "a");
    c.incident = "j"; /* what it has already changes nothing */
    c.skills = "aid";
    c.now_ms = T0 + 1;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "a");
    c.skills = "lift"; /* b can what a can't */
    c.now_ms = T0 + 2;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "a b");
    HT_CHECK_STR(ht_desk_pending(s->desk, "i")->skills, "aid;lift");
    HT_CHECK_INT(ht_desk_pending(s->desk, "i")->units, 2);
    c.skills = NULL; /* says nothing of what is needed */
    c.now_ms = T0 + 3;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(ht_desk_pending(s->desk, "i")->skills, "aid;lift");
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "b", T0 + 4), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "a c"); /* not just anybody instead */
    HT_CHECK_INT(ht_desk_pending(s->desk, "i")->alarms, 4);
    end_stage(s);
}

HT_CASE(one_that_wants_more_by_a_fold_holds_up_no_other)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.rule[HT_INCIDENT_SOS][2].fold_ms = 10000;
    struct ht_stage *s = ht_stage_new(&rules);
    (void)ht_stage_add(s, "a", 0);
    s->units[0].skills = "aid";
    HT_CHECK_INT(open_at(s, "busy", "0", 3, T0), HT_OK);
    struct ht_desk_command c = alarm_at("first", "0", 3, T0 + 1);
    c.device = "bed";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_INT(open_at(s, "second", "0", 3, T0 + 2), HT_OK);
    c.incident = "more";
    c.skills = "lift";
    c.now_ms = T0 + 3;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_INT(state_of(s, "more"), HT_INCIDENT_STATES);
    HT_CHECK_INT(resolve_as(s, "busy", HT_OUTCOME_FALSE_ALARM, T0 + 4), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, "a"), "second");
    s->units[0].skills = "aid;lift";
    HT_CHECK_INT(resolve_as(s, "second", HT_OUTCOME_FALSE_ALARM, T0 + 5), HT_OK);
    c = about(HT_DESK_SETTLE, NULL, T0 + 6);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, "a"), "first");
    end_stage(s);
}

HT_CASE(skills_that_are_too_many_for_one_begin_another)
{
    struct ht_desk_rules rules = ht_stage_rules();
    char many[HT_DESK_SKILLS_MAX + 1];
    rules.rule[HT_INCIDENT_SOS][2].fold_ms = 10000;
    struct ht_stage *s = stage_of(&rules);
    memset(many, 'x', HT_DESK_SKILLS_MAX - 3);
    many[HT_DESK_SKILLS_MAX - 3] = '\0';
    struct ht_desk_command c = alarm_at("i", "0", 3, T0);
    c.device = "bed";
    c.skills = many;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    c.incident = "j";
    c.skills = "yy"; /* two and what is between fit to the last byte */
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_INT(state_of(s, "j"), HT_INCIDENT_STATES);
    HT_CHECK_INT(strlen(ht_desk_pending(s->desk, "i")->skills), HT_DESK_SKILLS_MAX);
    c.skills = "z";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(ht_desk_pending(s->desk, "j")->skills, "z");
    end_stage(s);
}

HT_CASE(a_device_is_open_as_long_as_one_of_its_incidents)
{
    struct ht_stage *s = plain_stage();
    struct ht_desk_command c = alarm_at("i", "0", 3, T0);
    c.device = "bed";
    HT_CHECK(!ht_desk_device_open(s->desk, "bed"));
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    c.incident = "j";
    c.incident_kind = HT_INCIDENT_FALL;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_FALSE_ALARM, T0 + 1), HT_OK);
    HT_CHECK(ht_desk_device_open(s->desk, "bed") && !ht_desk_device_open(s->desk, "belt"));
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "j", NULL, T0 + 2), HT_OK);
    HT_CHECK(!ht_desk_device_open(s->desk, "bed"));
    end_stage(s);
}

HT_CASE(a_graver_incident_pulls_a_unit_that_is_not_there_yet)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.preempt = true;
    struct ht_stage *s = stage_of(&rules);
    s->unit_count = 2;
    s->units[1].at = 700000;
    HT_CHECK_INT(open_at(s, "i", "0", 2, T0), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "a");
    HT_CHECK_INT(open_at(s, "same", "10", 2, T0 + 1), HT_OK); /* no graver: b, late as it is */
    HT_CHECK_STR(units_of(s, "same"), "b");
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "same", NULL, T0 + 2), HT_OK);
    size_t from = s->event_count;
    HT_CHECK_INT(open_at(s, "grave", "10", 3, T0 + 3), HT_OK);
    HT_CHECK_STR(told(s, from), "received released assigned assigned promise_at_risk");
    HT_CHECK_INT(s->events[from + 1].reason, HT_RELEASED_PULLED);
    HT_CHECK_STR(units_of(s, "grave"), "a");
    HT_CHECK_STR(units_of(s, "i"), "b");
    drive_to_scene(s, "grave", "a", T0 + 4);
    HT_CHECK_INT(open_at(s, "gravest", "10", 4, T0 + 10), HT_OK); /* on scene: b is pulled */
    HT_CHECK_STR(units_of(s, "gravest"), "b");
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_QUEUED);
    end_stage(s);
}

/* Whoever is asked for costs a search; here all are late, and far more than one question takes. */
HT_CASE(who_might_be_pulled_is_asked_for_alone)
{
    enum { FAR = 300 };
    struct ht_desk_rules rules = ht_stage_rules();
    rules.preempt = true;
    struct ht_stage *s = ht_stage_new(&rules);
    for (int u = 0; u < FAR; u++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%d", u);
        (void)ht_stage_add(s, id, 900000 + u);
    }
    HT_CHECK_INT(open_at(s, "i", "0", 4, T0), HT_OK);
    HT_CHECK_INT(s->asked, 1); /* nobody is on the way to a lesser one */
    HT_CHECK_STR(units_of(s, "i"), "u0");
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "i", NULL, T0 + 1), HT_OK);
    (void)ht_stage_add(s, "near", 700000);
    HT_CHECK_INT(open_at(s, "lesser", "700000", 1, T0 + 2), HT_OK);
    HT_CHECK_STR(units_of(s, "lesser"), "near");
    uint32_t asked = s->asked;
    HT_CHECK_INT(open_at(s, "graver", "0", 4, T0 + 3), HT_OK);
    HT_CHECK_STR(units_of(s, "graver"), "near");
    HT_CHECK_STR(units_of(s, "lesser"), "u0");
    HT_CHECK_INT(s->asked, asked + 3); /* the idle, `near`, and the idle for whom it left */
    end_stage(s);
}

HT_CASE(a_free_unit_in_time_is_taken_before_one_is_pulled)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.preempt = true;
    struct ht_stage *s = stage_of(&rules);
    HT_CHECK_INT(open_at(s, "i", "0", 1, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "grave", "0", 4, T0), HT_OK);
    HT_CHECK_STR(units_of(s, "grave"), "b");
    HT_CHECK_STR(units_of(s, "i"), "a");
    end_stage(s);
}

HT_CASE(who_drives_already_needs_no_turnout_when_pulled)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.preempt = true;
    struct ht_stage *s = stage_of(&rules);
    s->unit_count = 1;
    HT_CHECK_INT(open_at(s, "i", "0", 2, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_GO, "i", NULL, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "grave", "500", 3, T0), HT_OK);
    const struct ht_incident *i = ht_desk_get(s->desk, "grave");
    HT_CHECK_INT(ht_incident_eta_ms(i), T0 + 500);
    ht_incident_release(i);
    end_stage(s);
}

HT_CASE(reassign_sends_the_named_or_the_next_best)
{
    struct ht_stage *s = plain_stage();
    s->unit_count = 3;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "j", "100000", 3, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "b", T0 + 1), HT_CONFLICT); /* engaged */
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "a", T0 + 1), HT_CONFLICT); /* on it */
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "x", T0 + 1), HT_CONFLICT); /* unknown */
    s->units[2].on_duty = false;
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "c", T0 + 1), HT_CONFLICT);
    HT_CHECK_STR(units_of(s, "i"), "a");
    s->units[2].on_duty = true;
    size_t from = s->event_count;
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "c", T0 + 2), HT_OK);
    HT_CHECK_STR(told(s, from), "released assigned");
    HT_CHECK_STR(units_of(s, "i"), "c");
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", NULL, T0 + 3), HT_OK); /* a is passed over, b busy */
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_QUEUED);
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "a", T0 + 4), HT_OK); /* but may be named */
    HT_CHECK_STR(units_of(s, "i"), "a");
    drive_to_scene(s, "i", "a", T0 + 5);
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "c", T0 + 9), HT_CONFLICT);
    end_stage(s);
}

HT_CASE(reopen_begins_again_with_a_new_promise)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    drive_to_scene(s, "i", "a", T0 + 1);
    HT_CHECK_INT(say(s, HT_DESK_RESOLVE, "i", NULL, T0 + 5), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_REOPEN, "i", NULL, T0 + 1000), HT_OK);
    const struct ht_incident *i = ht_desk_get(s->desk, "i");
    HT_CHECK_INT(i->state, HT_INCIDENT_IS_ASSIGNED);
    HT_CHECK_INT(i->deadline_ms, T0 + 1000 + 600000);
    HT_CHECK_INT(i->outcome, HT_OUTCOME_NONE);
    HT_CHECK_INT(i->opened_ms, T0);
    ht_incident_release(i);
    struct ht_desk_totals totals;
    ht_desk_totals(s->desk, &totals);
    HT_CHECK_INT(totals.outcomes[HT_INCIDENT_SOS][HT_OUTCOME_HELPED], 0);
    HT_CHECK_INT(totals.solved[0], 0);
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "i", NULL, T0 + 1001), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_REOPEN, "i", NULL, T0 + 1002), HT_OK);
    end_stage(s);
}

HT_CASE(steps_have_clocks_and_rise_to_the_top)
{
    struct ht_desk_rules rules = ht_stage_rules();
    struct ht_desk_rule *rule = &rules.rule[HT_INCIDENT_SOS][2];
    rule->ack_ms = 0;
    for (int n = 0; n < HT_DESK_STEPS; n++) {
        rule->clock_ms[n] = (uint32_t)(n + 1) * 1000;
    }
    struct ht_stage *s = stage_of(&rules);
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1000);
    tick(s, T0 + 1000);
    HT_CHECK_STR(told(s, 2), "escalated");
    HT_CHECK_INT(s->events[2].level, 1);
    HT_CHECK_INT(s->events[2].step, 1);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 2000);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0 + 1500), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1500 + 2000);
    HT_CHECK_INT(say(s, HT_DESK_GO, "i", NULL, T0 + 1600), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ARRIVE, "i", NULL, T0 + 1700), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1700 + 3000);
    HT_CHECK_INT(say(s, HT_DESK_FOLLOW_UP, "i", NULL, T0 + 1800), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1800 + 4000);
    HT_CHECK_INT(say(s, HT_DESK_FOLLOW_UP, "i", NULL, T0 + 1900), HT_OK); /* the same step */
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1800 + 4000);
    HT_CHECK_INT(say(s, HT_DESK_COORDINATE, "i", NULL, T0 + 2000), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 2000 + 5000);
    HT_CHECK_INT(say(s, HT_DESK_RESOLVE, "i", NULL, T0 + 3000), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 3000 + 5000);
    tick(s, T0 + 100000);
    HT_CHECK_INT(s->events[s->event_count - 1].level, 2);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), INT64_MAX);
    struct ht_desk_totals totals;
    ht_desk_totals(s->desk, &totals);
    HT_CHECK_INT(totals.solved[1], 1); /* where it was when it was resolved */
    HT_CHECK_INT(totals.escalated, 2);
    end_stage(s);
}

HT_CASE(clocks_that_run_follow_other_rules_from_when_they_began)
{
    struct ht_desk_rules rules = ht_stage_rules();
    struct ht_desk_rule *rule = &rules.rule[HT_INCIDENT_SOS][2];
    rule->ack_ms = 0;
    rule->clock_ms[0] = rule->clock_ms[1] = 10000;
    struct ht_stage *s = stage_of(&rules);
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_RECLOCK, "i", NULL, T0 + 1), HT_OK); /* the same: nothing is said */
    HT_CHECK_STR(told(s, 2), "");
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0 + 1000), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1000 + 10000);
    rule->clock_ms[1] = 6000; /* war: shorter */
    HT_REQUIRE(ht_desk_set_rules(s->desk, &rules, NULL) == HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1000 + 10000);
    HT_CHECK_INT(say(s, HT_DESK_RECLOCK, "i", NULL, T0 + 2000), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 1000 + 6000);
    rule->clock_ms[1] = 500; /* it ran out before: now */
    HT_REQUIRE(ht_desk_set_rules(s->desk, &rules, NULL) == HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_RECLOCK, "i", NULL, T0 + 3000), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 3001);
    tick(s, T0 + 3001);
    HT_CHECK_STR(told(s, 3), "reclocked reclocked escalated");
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 3001 + 500); /* from when it rose */
    rule->clock_ms[1] = 0;                                  /* never */
    HT_REQUIRE(ht_desk_set_rules(s->desk, &rules, NULL) == HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_RECLOCK, "i", NULL, T0 + 3100), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 600000); /* the promise alone */
    rule->clock_ms[1] = 10000;                          /* peace again: as if nothing had been */
    HT_REQUIRE(ht_desk_set_rules(s->desk, &rules, NULL) == HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_RECLOCK, "i", NULL, T0 + 3200), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 3001 + 10000);
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "i", NULL, T0 + 3300), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_RECLOCK, "i", NULL, T0 + 3400), HT_OK); /* it is over */
    HT_CHECK_INT(ht_desk_due_ms(s->desk), INT64_MAX);
    end_stage(s);
}

static int64_t tomorrow(void *user, enum ht_incident_kind kind, int64_t from_ms, uint32_t length_ms)
{
    return kind == HT_INCIDENT_REQUEST ? *(const int64_t *)user : from_ms + length_ms;
}

HT_CASE(the_calendar_says_when_a_clock_runs_out)
{
    struct ht_desk_rules rules = ht_stage_rules();
    int64_t day_ms = T0 + 86400000;
    rules.due = tomorrow;
    rules.user = &day_ms;
    rules.rule[HT_INCIDENT_REQUEST][0].clock_ms[0] = 5000;
    rules.rule[HT_INCIDENT_REQUEST][0].ack_ms = 0;
    rules.rule[HT_INCIDENT_REQUEST][0].promise_ms = 2000000000;
    struct ht_stage *s = stage_of(&rules);
    struct ht_desk_command c = alarm_at("i", "0", 1, T0);
    c.incident_kind = HT_INCIDENT_REQUEST;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_INT(ht_desk_due_ms(s->desk), day_ms);
    end_stage(s);
}

HT_CASE(events_are_known_by_their_names_and_those_of_before)
{
    for (int kind = 0; kind < HT_DESK_EVENT_KINDS; kind++) {
        HT_CHECK_INT(ht_desk_event_of(ht_desk_event_text((enum ht_desk_event_kind)kind)), kind);
    }
    HT_CHECK_INT(ht_desk_event_of("at_risk"), HT_DESK_AT_RISK);
    HT_CHECK_INT(ht_desk_event_of("at risk"), HT_DESK_EVENT_KINDS);
    HT_CHECK_INT(ht_desk_event_of(NULL), HT_DESK_EVENT_KINDS);
}

HT_CASE(at_risk_is_said_once_when_the_live_eta_passes_the_deadline)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    struct ht_desk_command c = about(HT_DESK_ETA, "i", T0 + 1);
    c.unit = "a";
    c.eta_ms = T0 + 600000;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 2), "");
    c.eta_ms = T0 + 600001;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 2), "promise_at_risk");
    HT_CHECK_INT(s->events[2].eta_ms, T0 + 600001);
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 2), "promise_at_risk");
    HT_CHECK_INT(say(s, HT_DESK_REASSIGN, "i", "b", T0 + 2), HT_OK);
    c.unit = "b";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 3), "released assigned promise_at_risk");
    c.unit = "c";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_CONFLICT);
    end_stage(s);
}

HT_CASE(at_risk_is_said_again_after_one_who_would_have_been_in_time)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    struct ht_desk_command c = about(HT_DESK_ETA, "i", T0 + 1);
    c.unit = "a";
    c.eta_ms = T0 + 600001;
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_DECLINE, "i", "a", T0 + 2), HT_OK);
    HT_CHECK_STR(told(s, 2), "promise_at_risk declined assigned");
    c.unit = "b";
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(told(s, 5), "promise_at_risk");
    end_stage(s);
}

HT_CASE(at_risk_is_said_when_whoever_comes_will_be_late)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "1000000", 3, T0), HT_OK);
    HT_CHECK_STR(told(s, 0), "received assigned promise_at_risk");
    end_stage(s);
}

HT_CASE(at_risk_is_said_when_even_the_closest_would_be_late)
{
    struct ht_stage *s = plain_stage();
    s->unit_count = 1;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "j", "100000", 3, T0), HT_OK);
    HT_CHECK_STR(told(s, 3), "received queued");
    /* 600 s less a drive of 100 s and a turnout of 1 s */
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 499001);
    tick(s, T0 + 499001);
    HT_CHECK_STR(told(s, 5), "promise_at_risk");
    HT_CHECK_INT(ht_desk_due_ms(s->desk), T0 + 600000); /* of i: nobody arrived until then */
    tick(s, T0 + 600000);
    HT_CHECK_STR(told(s, 6), "promise_at_risk");
    HT_CHECK_INT(ht_desk_due_ms(s->desk), INT64_MAX);
    end_stage(s);
}

HT_CASE(coverage_pays_seconds_and_says_how_many)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.choice = HT_DESK_COVERAGE;
    struct ht_stage *s = stage_of(&rules);
    s->units[0].loss_ms = 200000;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_STR(units_of(s, "i"), "b");
    HT_CHECK_INT(s->events[1].paid_ms, 100000);
    struct ht_desk_command c = alarm_at("j", "-550000", 3, T0); /* only a is in time */
    HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    HT_CHECK_STR(units_of(s, "j"), "a");
    HT_CHECK_INT(s->events[3].paid_ms, 0);
    end_stage(s);
}

HT_CASE(what_is_taken_back_or_dropped_leaves_no_trace)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    struct ht_desk *before = ht_stage_replay(s);
    struct ht_desk_chooser chooser = ht_stage_chooser(s);
    struct ht_desk_decision *d[4] = {NULL};
    struct ht_desk_command c[4] = {
        alarm_at("j", "100000", 3, T0 + 1), about(HT_DESK_DECLINE, "i", T0 + 2),
        about(HT_DESK_CANCEL, "j", T0 + 3), alarm_at("k", "0", 3, T0 + 4)};
    for (int round = 0; round < 2; round++) {
        for (int n = 0; n < 4; n++) {
            HT_REQUIRE(ht_desk_decide(s->desk, &c[n], &chooser, &d[n], NULL) == HT_OK);
        }
        HT_CHECK_STR(ht_desk_engaged(s->desk, "c"), "i");
        HT_CHECK(ht_stage_same_desks(s->desk, before)); /* nobody sees it yet */
        for (int n = 0; n < 4; n++) {
            if (round == 0) {
                ht_desk_take_back(s->desk, d[3 - n]);
            } else {
                ht_desk_drop(s->desk, d[n]);
            }
        }
        HT_CHECK(ht_desk_pending(s->desk, "j") == NULL && ht_desk_pending(s->desk, "k") == NULL);
        HT_CHECK_STR(ht_desk_engaged(s->desk, "a"), "i");
        HT_CHECK(ht_desk_engaged(s->desk, "b") == NULL && ht_desk_engaged(s->desk, "c") == NULL);
        HT_CHECK_INT(ht_desk_due_ms(s->desk), ht_desk_due_ms(before));
        HT_CHECK(ht_stage_same(ht_desk_pending(s->desk, "i"), ht_desk_pending(before, "i")));
    }
    ht_desk_free(before);
    HT_CHECK_INT(open_at(s, "j", "0", 3, T0 + 5), HT_OK);
    end_stage(s);
}

HT_CASE(a_foreign_table_is_refused)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    struct ht_desk *desk = NULL;
    HT_REQUIRE(ht_desk_new(&s->rules, &desk) == HT_OK);
    HT_CHECK_INT(ht_desk_replay(desk, &s->events[1]), HT_INVALID); /* before it was received */
    HT_CHECK_INT(ht_desk_replay(desk, &s->events[0]), HT_OK);
    HT_CHECK_INT(ht_desk_replay(desk, &s->events[0]), HT_INVALID);
    struct ht_desk_event e = s->events[1];
    e.unit = NULL;
    HT_CHECK_INT(ht_desk_replay(desk, &e), HT_INVALID);
    HT_CHECK_INT(ht_desk_replay(desk, &s->events[1]), HT_OK);
    e = s->events[0];
    e.incident = "j";
    HT_CHECK_INT(ht_desk_replay(desk, &e), HT_OK);
    e = s->events[1];
    e.incident = "j"; /* a is on i */
    HT_CHECK_INT(ht_desk_replay(desk, &e), HT_INVALID);
    for (int kind = 0; kind < HT_DESK_EVENT_KINDS + 1; kind++) {
        e = (struct ht_desk_event){
            .kind = (enum ht_desk_event_kind)kind, .at_ms = T0, .incident = "j", .unit = "b"};
        enum ht_status status = ht_desk_replay(desk, &e);
        bool may = kind == HT_DESK_QUEUED || kind == HT_DESK_ASSIGNED ||
                   kind == HT_DESK_ACKNOWLEDGED || kind == HT_DESK_DECLINED ||
                   kind == HT_DESK_CANCELLED;
        HT_CHECK_INT(status, may ? HT_OK : HT_INVALID);
    }
    ht_desk_free(desk);
    end_stage(s);
}

HT_CASE(what_is_over_is_forgotten_and_can_be_recalled)
{
    struct ht_stage *s = plain_stage();
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "j", "0", 3, T0), HT_OK);
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_FALSE_ALARM, T0 + 10), HT_OK);
    HT_CHECK_INT(ht_desk_forget(s->desk, T0 + 10, 100, NULL, NULL), 0);
    const struct ht_incident *held = ht_desk_get(s->desk, "i");
    HT_CHECK_INT(ht_desk_forget(s->desk, T0 + 11, 100, NULL, NULL), 1);
    HT_CHECK_STR(held->id, "i"); /* a reader keeps what it has */
    HT_CHECK(ht_desk_get(s->desk, "i") == NULL);
    HT_CHECK_INT(say(s, HT_DESK_REOPEN, "i", NULL, T0 + 20), HT_NOT_FOUND);
    struct ht_desk_totals totals;
    ht_desk_totals(s->desk, &totals);
    HT_CHECK_INT(totals.opened, 2);
    HT_CHECK_INT(totals.states[HT_INCIDENT_IS_RESOLVED], 1);
    HT_CHECK_INT(totals.outcomes[HT_INCIDENT_SOS][HT_OUTCOME_FALSE_ALARM], 1);
    size_t events = s->event_count;
    ht_desk_recall(s->desk, true);
    for (size_t n = 0; n < events; n++) {
        if (strcmp(s->events[n].incident, "i") == 0) {
            HT_CHECK_INT(ht_desk_replay(s->desk, &s->events[n]), HT_OK);
            HT_CHECK(ht_desk_get(s->desk, "i") == NULL); /* it comes whole */
        }
    }
    ht_desk_recall(s->desk, false);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_RESOLVED);
    ht_desk_totals(s->desk, &totals);
    HT_CHECK_INT(totals.states[HT_INCIDENT_IS_RESOLVED], 1);
    HT_CHECK_INT(totals.opened, 2);
    HT_CHECK_INT(say(s, HT_DESK_REOPEN, "i", NULL, T0 + 20), HT_OK);
    ht_desk_totals(s->desk, &totals);
    HT_CHECK_INT(totals.opened, 2);
    HT_CHECK_INT(totals.outcomes[HT_INCIDENT_SOS][HT_OUTCOME_FALSE_ALARM], 0);
    ht_incident_release(held);
    ht_stage_free(s);
}

HT_CASE(a_recall_passes_over_what_does_not_fit)
{
    struct ht_stage *s = plain_stage();
    struct ht_desk_totals before;
    struct ht_desk_totals after;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_FALSE_ALARM, T0 + 10), HT_OK);
    HT_CHECK_INT(ht_desk_forget(s->desk, T0 + 11, 100, NULL, NULL), 1);
    ht_desk_totals(s->desk, &before);
    ht_desk_recall(s->desk, true);
    HT_CHECK_INT(ht_desk_replay(s->desk, &s->events[1]), HT_INVALID); /* of nothing */
    ht_desk_recall(s->desk, false);
    HT_CHECK(ht_desk_pending(s->desk, "i") == NULL && ht_desk_get(s->desk, "i") == NULL);
    ht_desk_recall(s->desk, true);
    for (size_t n = 0; n < s->event_count; n++) {
        HT_CHECK_INT(ht_desk_replay(s->desk, &s->events[n]), HT_OK);
        HT_CHECK_INT(ht_desk_replay(s->desk, &s->events[0]), HT_INVALID); /* twice: passed over */
    }
    ht_desk_recall(s->desk, false);
    HT_CHECK_INT(state_of(s, "i"), HT_INCIDENT_IS_RESOLVED);
    ht_desk_totals(s->desk, &after);
    HT_CHECK_INT(after.held, before.held + 1);
    after.held = before.held;
    HT_CHECK(memcmp(&before, &after, sizeof before) == 0);
    HT_CHECK_INT(ht_desk_forget(s->desk, T0 + 11, 100, NULL, NULL), 1);
    ht_desk_recall(s->desk, true); /* and one that the end of the desk overtakes */
    HT_CHECK_INT(ht_desk_replay(s->desk, &s->events[0]), HT_OK);
    ht_stage_free(s);
}

HT_CASE(what_is_recalled_leaves_its_units_where_they_are)
{
    struct ht_stage *s = plain_stage();
    struct ht_desk_decision *pending = NULL;
    struct ht_desk_chooser chooser = ht_stage_chooser(s);
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    char unit[HT_DESK_ID_MAX + 1];
    (void)snprintf(unit, sizeof unit, "%s", ht_desk_pending(s->desk, "i")->seats[0].unit);
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_FALSE_ALARM, T0 + 10), HT_OK);
    size_t events = s->event_count;
    HT_CHECK_INT(ht_desk_forget(s->desk, T0 + 11, 100, NULL, NULL), 1);
    HT_CHECK_INT(open_at(s, "j", "0", 3, T0 + 12), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, unit), "j");
    const struct ht_desk_command open = {.kind = HT_DESK_OPEN,
                                         .now_ms = T0 + 13,
                                         .incident = "k",
                                         .household = "0",
                                         .incident_kind = HT_INCIDENT_SOS,
                                         .severity = 2};
    HT_CHECK_INT(ht_desk_decide(s->desk, &open, &chooser, &pending, NULL), HT_OK);
    ht_desk_recall(s->desk, true);
    for (size_t n = 0; n < events; n++) {
        HT_CHECK_INT(ht_desk_replay(s->desk, &s->events[n]), HT_OK);
    }
    ht_desk_recall(s->desk, false);
    HT_CHECK_STR(ht_desk_engaged(s->desk, unit), "j");
    ht_desk_apply(s->desk, pending);
    struct ht_desk_filter all = {0};
    const struct ht_incident *list[8];
    size_t count = ht_desk_list(s->desk, &all, 8, list);
    HT_CHECK_INT(count, 3);
    for (size_t n = 0; n < count; n++) {
        HT_CHECK(n == 0 || list[n]->order < list[n - 1]->order);
        ht_incident_release(list[n]);
    }
    HT_CHECK_INT(say(s, HT_DESK_REOPEN, "i", NULL, T0 + 20), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, unit), "j");
    ht_stage_free(s);
}

/* An alarm, taken back at once. */
static void open_and_cancel(struct ht_stage *s, int n)
{
    struct ht_desk_chooser chooser = ht_stage_chooser(s);
    struct ht_desk_decision *decision = NULL;
    char id[16];
    (void)snprintf(id, sizeof id, "i%d", n);
    const enum ht_desk_command_kind kinds[] = {HT_DESK_OPEN, HT_DESK_CANCEL};
    for (int k = 0; k < 2; k++) {
        const struct ht_desk_command command = {.kind = kinds[k],
                                                .now_ms = T0 + n,
                                                .incident = id,
                                                .household = "0",
                                                .incident_kind = HT_INCIDENT_SOS,
                                                .severity = 2};
        HT_CHECK_INT(ht_desk_decide(s->desk, &command, &chooser, &decision, NULL), HT_OK);
        ht_desk_apply(s->desk, decision);
    }
}

HT_CASE(ten_thousand_closed_incidents_leave_memory_as_it_was)
{
    struct ht_stage *s = plain_stage();
    size_t used = 0;
    size_t forgotten = 0;
    for (int n = 0; n < 11000; n++) {
        open_and_cancel(s, n);
        forgotten += ht_desk_forget(s->desk, T0 + n - 50, 2, NULL, NULL);
        used = n == 999 ? mallinfo2().uordblks : used;
    }
    HT_CHECK_INT(forgotten, 11000 - 51);
    HT_CHECK(mallinfo2().uordblks <= used + 4096); /* the lists' spare room, no more */
    ht_stage_free(s);
}

HT_CASE(memory_does_not_grow_with_what_was_forgotten)
{
    struct ht_stage *s = plain_stage();
    for (int n = 0; n < 3000; n++) {
        char id[16];
        (void)snprintf(id, sizeof id, "i%d", n);
        HT_REQUIRE(open_at(s, id, "0", 3, T0 + n) == HT_OK);
        HT_REQUIRE(resolve_as(s, id, HT_OUTCOME_FALSE_ALARM, T0 + n) == HT_OK);
        (void)ht_desk_forget(s->desk, T0 + n - 10, 2, NULL, NULL);
    }
    struct ht_desk_filter all = {0};
    const struct ht_incident *list[64];
    size_t count = ht_desk_list(s->desk, &all, 64, list);
    HT_CHECK_INT(count, 11);
    for (size_t n = 0; n < count; n++) {
        ht_incident_release(list[n]);
    }
    ht_stage_free(s);
}

HT_CASE(lists_filter_and_read_on)
{
    struct ht_stage *s = plain_stage();
    for (int n = 0; n < 2500; n++) {
        char id[16];
        (void)snprintf(id, sizeof id, "i%d", n);
        HT_REQUIRE(open_at(s, id, n % 2 == 0 ? "0" : "7", (uint8_t)(n % 4 + 1), T0 + n) == HT_OK);
    }
    const struct ht_incident **list = calloc(3000, sizeof(const struct ht_incident *));
    struct ht_desk_filter f = {.severities = 1U << 2, .household = "7"};
    size_t count = ht_desk_list(s->desk, &f, 3000, list);
    HT_CHECK_INT(count, 625);
    HT_CHECK_STR(list[0]->id, "i2497");
    uint64_t order = list[99]->order;
    for (size_t n = 0; n < count; n++) {
        ht_incident_release(list[n]);
    }
    f.before_order = order;
    count = ht_desk_list(s->desk, &f, 3000, list);
    HT_CHECK_INT(count, 525);
    for (size_t n = 0; n < count; n++) {
        ht_incident_release(list[n]);
    }
    f = (struct ht_desk_filter){.unit = "b"};
    count = ht_desk_list(s->desk, &f, 3000, list);
    HT_CHECK_INT(count, 1);
    ht_incident_release(list[0]);
    f = (struct ht_desk_filter){.states = 1U << HT_INCIDENT_IS_QUEUED, .since_ms = T0 + 2400};
    count = ht_desk_list(s->desk, &f, 30, list);
    HT_CHECK_INT(count, 30);
    for (size_t n = 0; n < count; n++) {
        ht_incident_release(list[n]);
    }
    free(list);
    ht_stage_free(s);
}

HT_CASE(devices_count_their_alarms_and_outcomes)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.rule[HT_INCIDENT_SOS][0].fold_ms = 1000;
    struct ht_stage *s = stage_of(&rules);
    for (int n = 0; n < 3; n++) {
        struct ht_desk_command c = alarm_at(n == 2 ? "j" : "i", "0", 1, T0 + n * 900);
        c.device = "key";
        HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
    }
    HT_CHECK_INT(resolve_as(s, "i", HT_OUTCOME_FALSE_ALARM, T0 + 4000), HT_OK);
    struct ht_desk_device_count count[2];
    HT_CHECK_INT(ht_desk_devices(s->desk, 0, 2, count), 1);
    HT_CHECK_STR(count[0].device, "key");
    HT_CHECK_INT(count[0].alarms[HT_INCIDENT_SOS], 3);
    HT_CHECK_INT(count[0].outcomes[HT_INCIDENT_SOS][HT_OUTCOME_FALSE_ALARM], 1);
    struct ht_desk_totals totals;
    ht_desk_totals(s->desk, &totals);
    HT_CHECK_INT(totals.opened, 1);
    HT_CHECK_INT(totals.folded, 2);
    end_stage(s);
}

HT_CASE(the_next_free_unit_is_found_behind_hundreds_that_are_engaged)
{
    enum { CROWD = 1000 };
    struct ht_desk_rules rules = ht_stage_rules();
    struct ht_stage *s = ht_stage_new(&rules);
    for (int n = 0; n < CROWD; n++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%03d", n);
        (void)ht_stage_add(s, id, n);
    }
    for (int n = 0; n < CROWD; n++) {
        char id[16];
        char unit[16];
        (void)snprintf(id, sizeof id, "i%d", n);
        (void)snprintf(unit, sizeof unit, "u%03d", n);
        HT_REQUIRE(open_at(s, id, "0", 3, T0) == HT_OK);
        HT_CHECK_STR(units_of(s, id), unit);
    }
    HT_CHECK_INT(open_at(s, "more", "0", 3, T0), HT_OK);
    HT_CHECK_INT(state_of(s, "more"), HT_INCIDENT_IS_QUEUED);
    end_stage(s);
}

/* ---- joint ------------------------------------------------------------------------------------
 */

/* How late is one that is promised help within 100 s and has nobody for two hours. */
enum { NOBODY_MS = 7200000 - 100000, FEW = 4 };

static int64_t price(const struct ht_desk_rules *rules, uint8_t severity, int64_t late_ms)
{
    return (int64_t)rules->weight[severity - 1] * (late_ms > 0 ? late_ms : 0);
}

/* Weighted lateness of all that is open. */
static int64_t lateness_of(struct ht_stage *s)
{
    struct ht_desk_filter all = {0};
    const struct ht_incident *list[64];
    size_t count = ht_desk_list(s->desk, &all, 64, list);
    int64_t sum = 0;
    for (size_t n = 0; n < count; n++) {
        const struct ht_incident *i = list[n];
        for (uint32_t k = 0; k < i->seat_count; k++) {
            sum += price(&s->rules, i->severity, i->seats[k].eta_ms - i->deadline_ms);
        }
        sum += price(&s->rules, i->severity, NOBODY_MS) * (i->units - i->seat_count);
        ht_incident_release(i);
    }
    return sum;
}

struct few {
    int64_t at[FEW];
    uint8_t severity[FEW];
};

static int64_t least_lateness(const struct ht_stage *s, const struct few *few, int n,
                              uint32_t taken)
{
    if (n == FEW) {
        return 0;
    }
    const struct ht_desk_rule *rule = &s->rules.rule[HT_INCIDENT_SOS][few->severity[n] - 1];
    int64_t least =
        price(&s->rules, few->severity[n], NOBODY_MS) + least_lateness(s, few, n + 1, taken);
    for (uint32_t u = 0; u < s->unit_count; u++) {
        if ((taken >> u & 1U) == 0) {
            int64_t takes_ms = rule->turnout_ms + llabs(s->units[u].at - few->at[n]);
            int64_t sum = price(&s->rules, few->severity[n], takes_ms - rule->promise_ms) +
                          least_lateness(s, few, n + 1, taken | 1U << u);
            least = sum < least ? sum : least;
        }
    }
    return least;
}

/* Several alarms at one moment. */
static int64_t open_few(const struct ht_desk_rules *rules, const struct few *few,
                        const int64_t *units, uint32_t unit_count, int64_t *least)
{
    struct ht_stage *s = ht_stage_new(rules);
    for (uint32_t u = 0; u < unit_count; u++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%u", u);
        (void)ht_stage_add(s, id, units[u]);
    }
    for (int n = 0; n < FEW; n++) {
        char id[16];
        char place[24];
        (void)snprintf(id, sizeof id, "i%d", n);
        (void)snprintf(place, sizeof place, "%" PRId64, few->at[n]);
        HT_CHECK_INT(open_at(s, id, place, few->severity[n], T0), HT_OK);
    }
    int64_t sum = lateness_of(s);
    *least = least_lateness(s, few, 0, 0);
    end_stage(s);
    return sum;
}

HT_CASE(a_unit_that_becomes_free_is_shared_with_those_on_the_way)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.joint = true;
    struct ht_stage *s = ht_stage_new(&rules);
    (void)ht_stage_add(s, "far", -100000);
    (void)ht_stage_add(s, "between", 500000);
    HT_CHECK_INT(open_at(s, "c", "-100000", 2, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "c", "far", T0 + 1), HT_OK);
    HT_CHECK_INT(open_at(s, "a", "0", 2, T0 + 2), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, "between"), "a");
    HT_CHECK_INT(open_at(s, "b", "1000000", 2, T0 + 3), HT_OK);
    HT_CHECK_INT(ht_desk_pending(s->desk, "b")->state, HT_INCIDENT_IS_QUEUED);
    HT_CHECK_INT(resolve_as(s, "c", HT_OUTCOME_FALSE_ALARM, T0 + 4), HT_OK);
    /* one by one `far` would go to b, and be eight minutes late */
    HT_CHECK_STR(ht_desk_engaged(s->desk, "far"), "a");
    HT_CHECK_STR(ht_desk_engaged(s->desk, "between"), "b");
    HT_CHECK(ht_incident_within_promise(ht_desk_pending(s->desk, "a")));
    HT_CHECK(ht_incident_within_promise(ht_desk_pending(s->desk, "b")));
    struct ht_desk *again = ht_stage_replay(s);
    HT_CHECK(ht_stage_same_desks(s->desk, again));
    ht_desk_free(again);
    ht_stage_free(s);
}

HT_CASE(together_they_are_never_later_than_one_by_one_and_as_early_as_can_be)
{
    uint64_t random = 11;
    struct ht_desk_rules alone = ht_stage_rules();
    for (int n = 0; n < HT_DESK_SEVERITIES; n++) {
        alone.rule[HT_INCIDENT_SOS][n].promise_ms = 100000;
    }
    struct ht_desk_rules together = alone;
    together.joint = true;
    int better = 0;
    for (int round = 0; round < 2000; round++) {
        struct few few;
        int64_t units[5];
        uint32_t unit_count = 2 + ht_random_below(&random, 4);
        for (int n = 0; n < FEW; n++) {
            few.at[n] = ht_random_below(&random, 600) * INT64_C(1000);
            few.severity[n] = (uint8_t)(1 + ht_random_below(&random, 4));
        }
        for (uint32_t u = 0; u < unit_count; u++) {
            units[u] = ht_random_below(&random, 600) * INT64_C(1000);
        }
        int64_t least = 0;
        int64_t one_by_one = open_few(&alone, &few, units, unit_count, &least);
        int64_t joint = open_few(&together, &few, units, unit_count, &least);
        HT_CHECK(joint <= one_by_one);
        HT_CHECK_INT(joint, least);
        better += joint < one_by_one ? 1 : 0;
    }
    (void)printf("  better in %d of 2,000\n", better);
    HT_CHECK(better > 200);
}

HT_CASE(who_waits_for_hours_keeps_the_unit_that_came_at_last)
{
    enum { HOURS = 3 * 3600000 };
    struct ht_desk_rules rules = ht_stage_rules();
    rules.joint = true;
    for (int n = 0; n < HT_DESK_SEVERITIES; n++) {
        rules.rule[HT_INCIDENT_SOS][n].promise_ms = 600000;
    }
    struct ht_stage *s = ht_stage_new(&rules);
    (void)ht_stage_add(s, "u", 0);
    HT_CHECK_INT(open_at(s, "first", "0", 2, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "first", "u", T0 + 1), HT_OK);
    HT_CHECK_INT(open_at(s, "old", "0", 2, T0 + 2), HT_OK);
    HT_CHECK_INT(resolve_as(s, "first", HT_OUTCOME_FALSE_ALARM, T0 + HOURS), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, "u"), "old");
    /* could be there in time, while the other is hours late whatever happens */
    HT_CHECK_INT(open_at(s, "new", "0", 2, T0 + HOURS + 1), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, "u"), "old");
    HT_CHECK_INT(ht_desk_pending(s->desk, "new")->state, HT_INCIDENT_IS_QUEUED);
    end_stage(s);
}

/* u1 and u2 are as far from x1 as from x2, and each is with the one that the other would be with
 * had they come in another order. */
HT_CASE(nobody_is_turned_round_for_nothing)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.joint = true;
    rules.rule[HT_INCIDENT_SOS][2].promise_ms = 50000;
    struct ht_stage *s = ht_stage_new(&rules);
    (void)ht_stage_add(s, "a", 0);
    (void)ht_stage_add(s, "b", 60000);
    (void)ht_stage_add(s, "u1", 200000);
    (void)ht_stage_add(s, "u2", 200000);
    HT_CHECK_INT(open_at(s, "x0", "200000", 3, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "x1", "200000", 3, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_CANCEL, "x0", NULL, T0), HT_OK);
    HT_CHECK_INT(open_at(s, "x2", "200000", 3, T0), HT_OK);
    HT_CHECK_STR(ht_desk_engaged(s->desk, "u2"), "x1");
    HT_CHECK_STR(ht_desk_engaged(s->desk, "u1"), "x2");
    HT_CHECK_INT(open_at(s, "i", "29000", 3, T0), HT_OK);
    size_t from = s->event_count;
    HT_CHECK_INT(open_at(s, "j", "-40000", 3, T0), HT_OK);
    HT_CHECK_STR(told(s, from), "received assigned released released assigned assigned");
    HT_CHECK_STR(ht_desk_engaged(s->desk, "u2"), "x1");
    HT_CHECK_STR(ht_desk_engaged(s->desk, "u1"), "x2");
    end_stage(s);
}

HT_CASE(who_acknowledged_is_not_turned_round)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.joint = true;
    rules.rule[HT_INCIDENT_SOS][2].promise_ms = 50000;
    for (int acknowledged = 0; acknowledged < 2; acknowledged++) {
        struct ht_stage *s = ht_stage_new(&rules);
        (void)ht_stage_add(s, "a", 0);
        (void)ht_stage_add(s, "b", 60000);
        HT_CHECK_INT(open_at(s, "i", "29000", 3, T0), HT_OK);
        HT_CHECK_STR(units_of(s, "i"), "a");
        if (acknowledged == 1) {
            HT_CHECK_INT(say(s, HT_DESK_ACK, "i", NULL, T0), HT_OK);
        }
        size_t from = s->event_count;
        HT_CHECK_INT(open_at(s, "j", "-40000", 3, T0), HT_OK); /* b would need 100 s */
        HT_CHECK_STR(units_of(s, "j"), acknowledged == 1 ? "b" : "a");
        HT_CHECK_STR(told(s, from), acknowledged == 1
                                        ? "received assigned promise_at_risk"
                                        : "received assigned released released assigned assigned");
        end_stage(s);
    }
}

/* u drives to the lesser one; at the graver one both it and v are late, u less. Together they are
 * best with u where it is. */
HT_CASE(who_is_on_the_way_is_not_let_go_and_asked_once_more)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.joint = rules.preempt = true;
    rules.rule[HT_INCIDENT_SOS][1].promise_ms = rules.rule[HT_INCIDENT_SOS][3].promise_ms = 100000;
    struct ht_stage *s = ht_stage_new(&rules);
    (void)ht_stage_add(s, "u", 0);
    (void)ht_stage_add(s, "v", 215000);
    HT_CHECK_INT(open_at(s, "lesser", "0", 2, T0), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_ACK, "lesser", "u", T0 + 1), HT_OK);
    HT_CHECK_INT(say(s, HT_DESK_GO, "lesser", "u", T0 + 2), HT_OK);
    size_t from = s->event_count;
    HT_CHECK_INT(open_at(s, "graver", "105000", 4, T0 + 3), HT_OK);
    HT_CHECK_STR(told(s, from), "received assigned promise_at_risk");
    HT_CHECK_STR(units_of(s, "graver"), "v");
    HT_CHECK_STR(units_of(s, "lesser"), "u");
    const struct ht_incident *i = ht_desk_get(s->desk, "lesser");
    HT_REQUIRE(i != NULL && i->seat_count == 1);
    HT_CHECK_INT(i->state, HT_INCIDENT_IS_ENROUTE);
    HT_CHECK_INT(i->seats[0].acknowledged_ms, T0 + 1);
    ht_incident_release(i);
    /* a day on which it helps for nothing that it stays: it is pulled as ever */
    HT_CHECK_INT(open_at(s, "gravest", "0", 4, T0 + 4), HT_OK);
    HT_CHECK_STR(units_of(s, "gravest"), "u");
    HT_CHECK_INT(state_of(s, "lesser"), HT_INCIDENT_IS_QUEUED);
    end_stage(s);
}

/* What `c` does to those that were on incidents: nobody is sent to where it was. */
static size_t sent_back(struct ht_stage *s, const struct ht_desk_command *c)
{
    static char on[HT_STAGE_UNITS][HT_DESK_ID_MAX + 1];
    size_t from = s->event_count;
    size_t count = 0;
    for (uint32_t u = 0; u < s->unit_count; u++) {
        if (!ht_desk_unit_on(s->desk, s->units[u].id, on[u])) {
            on[u][0] = '\0';
        }
    }
    enum ht_status status = ht_stage_do(s, c);
    HT_CHECK(status == HT_OK || status == HT_CONFLICT || status == HT_EXISTS);
    for (size_t n = from; n < s->event_count; n++) {
        for (uint32_t u = 0; u < s->unit_count && s->events[n].kind == HT_DESK_ASSIGNED; u++) {
            count += strcmp(s->units[u].id, s->events[n].unit) == 0 &&
                     strcmp(on[u], s->events[n].incident) == 0;
        }
    }
    return count;
}

HT_CASE(no_decision_sends_anybody_back_to_where_it_was)
{
    static const enum ht_desk_command_kind kinds[] = {
        HT_DESK_OPEN,    HT_DESK_OPEN,   HT_DESK_OPEN,    HT_DESK_ACK,    HT_DESK_ACK,
        HT_DESK_GO,      HT_DESK_ARRIVE, HT_DESK_SETTLE,  HT_DESK_CANCEL, HT_DESK_DECLINE,
        HT_DESK_RESOLVE, HT_DESK_TICK,   HT_DESK_REASSIGN};
    enum { STEPS = 20000, UNITS = 6 };
    uint64_t random = 5;
    struct ht_desk_rules rules = ht_stage_rules();
    rules.joint = rules.preempt = true;
    for (int n = 0; n < HT_DESK_SEVERITIES; n++) {
        rules.rule[HT_INCIDENT_SOS][n].promise_ms = 100000;
        rules.rule[HT_INCIDENT_SOS][n].units = n == 2 ? 2 : 1;
    }
    struct ht_stage *s = ht_stage_new(&rules);
    for (int u = 0; u < UNITS; u++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%d", u);
        (void)ht_stage_add(s, id, ht_random_below(&random, 400) * INT64_C(1000));
    }
    size_t back = 0;
    uint32_t opened = 0;
    for (int step = 0; step < STEPS; step++) {
        char id[16];
        char place[16];
        enum ht_desk_command_kind kind = kinds[ht_random_below(&random, 13)];
        uint32_t newest = opened < 12 ? opened : 12;
        uint32_t number =
            kind == HT_DESK_OPEN ? opened++ : opened - ht_random_below(&random, newest + 1);
        (void)snprintf(id, sizeof id, "i%u", number);
        (void)snprintf(place, sizeof place, "%u000", ht_random_below(&random, 400));
        struct ht_desk_command c =
            alarm_at(id, place, (uint8_t)(1 + ht_random_below(&random, 4)), T0 + step * 2000);
        c.kind = kind;
        c.outcome = HT_OUTCOME_FALSE_ALARM;
        if (kind == HT_DESK_OPEN || ht_desk_pending(s->desk, id) != NULL) {
            back += sent_back(s, &c);
        }
    }
    HT_CHECK_INT(back, 0);
    end_stage(s);
}

HT_CASE(an_error_of_the_chooser_leaves_no_trace)
{
    struct ht_stage *s = plain_stage();
    s->bad = HT_IO;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_IO);
    HT_CHECK(ht_desk_pending(s->desk, "i") == NULL);
    s->bad = HT_OK;
    HT_CHECK_INT(open_at(s, "i", "0", 3, T0), HT_OK);
    end_stage(s);
}

HT_CASE(rules_out_of_range_are_refused)
{
    struct ht_desk_rules rules = ht_desk_rules_default();
    struct ht_error error = {0};
    HT_CHECK_INT(ht_desk_rules_check(&rules, &error), HT_OK);
    rules.rule[HT_INCIDENT_GAS][3].units = 9;
    HT_CHECK_INT(ht_desk_rules_check(&rules, &error), HT_RANGE);
    HT_CHECK_STR(error.message, "units of gas, severity 4");
    rules = ht_desk_rules_default();
    rules.weight[1] = 0;
    HT_CHECK_INT(ht_desk_rules_check(&rules, NULL), HT_RANGE);
    rules = ht_desk_rules_default();
    rules.rule[0][0].clock_ms[4] = UINT32_MAX;
    HT_CHECK_INT(ht_desk_rules_check(&rules, NULL), HT_RANGE);
    struct ht_desk *desk = NULL;
    HT_CHECK_INT(ht_desk_new(&rules, &desk), HT_RANGE);
}

/* ---- readers ----------------------------------------------------------------------------------
 */

struct reader {
    struct ht_desk *desk;
    atomic_bool stop;
    atomic_int seen;
    atomic_int wrong;
};

static bool is_whole(const struct ht_incident *i)
{
    bool has_units = i->state >= HT_INCIDENT_IS_ASSIGNED && i->state <= HT_INCIDENT_IS_ONSCENE;
    bool whole = i->id[0] == 'i' && (i->seat_count > 0) == has_units;
    for (uint32_t n = 0; n < i->seat_count; n++) {
        whole = whole && i->seats[n].unit[1] == '\0' && i->seats[n].state <= i->state;
    }
    return whole;
}

static void *keep_reading(void *user)
{
    struct reader *r = user;
    struct ht_desk_filter all = {0};
    const struct ht_incident *list[32];
    while (!atomic_load(&r->stop)) {
        char on[HT_DESK_ID_MAX + 1] = "i";
        struct ht_desk_totals totals;
        struct ht_desk_device_count devices[4];
        size_t count = ht_desk_list(r->desk, &all, 31, list);
        list[count] = ht_desk_get(r->desk, "i7");
        count += list[count] != NULL ? 1 : 0;
        for (size_t n = 0; n < count; n++) {
            (void)atomic_fetch_add(is_whole(list[n]) ? &r->seen : &r->wrong, 1);
            ht_incident_release(list[n]);
        }
        (void)ht_desk_unit_on(r->desk, "a", on);
        (void)ht_desk_devices(r->desk, 0, 4, devices);
        ht_desk_totals(r->desk, &totals);
        (void)atomic_fetch_add(on[0] == 'i' ? &r->seen : &r->wrong, 1);
    }
    return NULL;
}

HT_CASE(readers_see_whole_versions_while_it_decides)
{
    struct ht_stage *s = plain_stage();
    struct reader r = {.desk = s->desk};
    pthread_t threads[2];
    HT_REQUIRE(pthread_create(&threads[0], NULL, keep_reading, &r) == 0);
    HT_REQUIRE(pthread_create(&threads[1], NULL, keep_reading, &r) == 0);
    for (int n = 0; n < 3000 || atomic_load(&r.seen) < 1000; n++) {
        char id[16];
        (void)snprintf(id, sizeof id, "i%d", n);
        struct ht_desk_command c = alarm_at(id, "0", 3, T0 + n);
        c.device = n % 2 == 0 ? "key" : "belt";
        HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
        if (say(s, HT_DESK_ACK, id, NULL, T0 + n) == HT_OK) {
            (void)say(s, HT_DESK_GO, id, NULL, T0 + n);
        }
        if (n >= 4) {
            (void)snprintf(id, sizeof id, "i%d", n - 4);
            HT_CHECK_INT(resolve_as(s, id, HT_OUTCOME_FALSE_ALARM, T0 + n), HT_OK);
        }
        (void)ht_desk_forget(s->desk, T0 + n - 20, 4, NULL, NULL);
    }
    atomic_store(&r.stop, true);
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    HT_CHECK_INT(atomic_load(&r.wrong), 0);
    HT_CHECK(atomic_load(&r.seen) >= 1000);
    ht_stage_free(s);
}

HT_CASE(memory_that_ends_leaves_no_trace)
{
    struct ht_desk_rules rules = ht_stage_rules();
    rules.preempt = true;
    rules.joint = true;
    for (long n = 0;; n++) {
        struct ht_stage *s = stage_of(&rules);
        s->unit_count = 2;
        (void)open_at(s, "i", "0", 2, T0);
        (void)open_at(s, "k", "0", 2, T0);
        struct ht_desk *before = ht_stage_replay(s);
        struct ht_desk_command c = alarm_at("j", "0", 4, T0 + 1);
        struct ht_desk_chooser chooser = ht_stage_chooser(s);
        struct ht_desk_decision *decision = NULL;
        c.device = "key";
        ht_oom_arm(n);
        enum ht_status status = ht_desk_decide(s->desk, &c, &chooser, &decision, NULL);
        bool failed = ht_oom_disarm();
        if (status == HT_OK) {
            ht_desk_apply(s->desk, decision);
            HT_CHECK_STR(units_of(s, "j"), "a");
        } else {
            HT_CHECK_INT(status, HT_NOMEM);
            HT_CHECK(ht_desk_pending(s->desk, "j") == NULL);
            HT_CHECK_STR(ht_desk_engaged(s->desk, "a"), "i");
            HT_CHECK(ht_stage_same(ht_desk_pending(s->desk, "i"), ht_desk_pending(before, "i")));
            HT_CHECK(ht_stage_same(ht_desk_pending(s->desk, "k"), ht_desk_pending(before, "k")));
            HT_CHECK_INT(ht_stage_do(s, &c), HT_OK);
            HT_CHECK_STR(units_of(s, "j"), "a");
        }
        ht_desk_free(before);
        ht_stage_free(s);
        if (!failed) {
            HT_CHECK(n > 5);
            break;
        }
    }
}

HT_MAIN()
