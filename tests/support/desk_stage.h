/* A desk and units on a line: the ms between two points is their distance. Incidents lie where
 * their household says, a number. Include it in one .c file per program. */
#ifndef HT_TESTS_SUPPORT_DESK_STAGE_H
#define HT_TESTS_SUPPORT_DESK_STAGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/live/desk.h"

enum { HT_STAGE_UNITS = 1024 };

struct ht_stage_unit {
    char id[16];
    int64_t at;
    const char *skills; /* joined by ';' */
    bool on_duty;
    uint32_t loss_ms;
};

struct ht_stage {
    struct ht_desk *desk;
    struct ht_desk_rules rules;
    struct ht_stage_unit units[HT_STAGE_UNITS];
    uint32_t unit_count;
    uint32_t asked;
    uint32_t most;      /* of the last question */
    enum ht_status bad; /* what the chooser answers */
    /* the table */
    struct ht_desk_event *events;
    size_t event_count;
    size_t event_room;
    char *texts[1 << 20];
    size_t text_count;
};

static inline bool ht_stage_has(const char *skills, const char *wanted)
{
    while (*wanted != '\0') {
        size_t size = strcspn(wanted, ";");
        const char *at = skills;
        while (*at != '\0' && (strcspn(at, ";") != size || strncmp(at, wanted, size) != 0)) {
            at += strcspn(at, ";");
            at += *at == ';' ? 1 : 0;
        }
        if (*at == '\0' && size > 0) {
            return false;
        }
        wanted += size;
        wanted += *wanted == ';' ? 1 : 0;
    }
    return true;
}

static inline int ht_stage_nearer(const void *a, const void *b)
{
    const struct ht_desk_candidate *x = a;
    const struct ht_desk_candidate *y = b;
    if (x->duration_ms != y->duration_ms) {
        return x->duration_ms < y->duration_ms ? -1 : 1;
    }
    return strcmp(x->unit, y->unit);
}

static inline enum ht_status ht_stage_rank(void *user, const struct ht_desk_want *want,
                                           struct ht_desk_candidate *out, uint32_t most,
                                           uint32_t *count)
{
    struct ht_stage *s = user;
    static struct ht_desk_candidate all[HT_STAGE_UNITS];
    uint32_t n = 0;
    int64_t at = want->household == NULL ? 0 : strtoll(want->household, NULL, 10);
    s->asked++;
    s->most = most;
    for (uint32_t u = 0; u < s->unit_count; u++) {
        const struct ht_stage_unit *unit = &s->units[u];
        char incident[HT_DESK_ID_MAX + 1];
        bool idle = !want->idle || !ht_desk_unit_on(s->desk, unit->id, incident);
        if (idle && unit->on_duty && ht_stage_has(unit->skills, want->skills) &&
            (want->unit == NULL || strcmp(want->unit, unit->id) == 0)) {
            int64_t apart = llabs(unit->at - at);
            all[n] = (struct ht_desk_candidate){.duration_ms = (uint32_t)apart,
                                                .length_mm = (uint64_t)apart * 10,
                                                .loss_ms = want->coverage ? unit->loss_ms : 0};
            memcpy(all[n++].unit, unit->id, sizeof unit->id);
        }
    }
    qsort(all, n, sizeof *all, ht_stage_nearer);
    *count = n < most ? n : most;
    memcpy(out, all, *count * sizeof *out);
    return s->bad;
}

static inline struct ht_desk_chooser ht_stage_chooser(struct ht_stage *s)
{
    return (struct ht_desk_chooser){ht_stage_rank, s};
}

static inline struct ht_stage_unit *ht_stage_add(struct ht_stage *s, const char *id, int64_t at)
{
    struct ht_stage_unit *unit = &s->units[s->unit_count++];
    *unit = (struct ht_stage_unit){.at = at, .skills = "", .on_duty = true};
    (void)snprintf(unit->id, sizeof unit->id, "%s", id);
    return unit;
}

/* Rules without clocks, folds and joint decisions, so that a case turns on what it is about. */
static inline struct ht_desk_rules ht_stage_rules(void)
{
    struct ht_desk_rules rules = {.preempt = false};
    for (int s = 0; s < HT_DESK_SEVERITIES; s++) {
        rules.weight[s] = UINT32_C(1) << s;
        for (int k = 0; k < HT_INCIDENT_KINDS; k++) {
            rules.rule[k][s] = (struct ht_desk_rule){.promise_ms = 600000,
                                                     .turnout_ms = 1000,
                                                     .ack_ms = 60000,
                                                     .again_ms = 120000,
                                                     .units = 1};
        }
    }
    return rules;
}

static inline const char *ht_stage_keep(struct ht_stage *s, const char *text)
{
    return text == NULL ? NULL : (s->texts[s->text_count++] = strdup(text));
}

/* Writes a decision's events into the table. */
static inline void ht_stage_write(struct ht_stage *s, const struct ht_desk_decision *decision)
{
    for (size_t i = 0; i < decision->event_count; i++) {
        if (s->event_count == s->event_room) {
            s->event_room = s->event_room * 2 + 64;
            s->events = realloc(s->events, s->event_room * sizeof *s->events);
        }
        struct ht_desk_event *e = &s->events[s->event_count++];
        *e = decision->events[i];
        e->incident = ht_stage_keep(s, e->incident);
        e->unit = ht_stage_keep(s, e->unit);
        e->household = ht_stage_keep(s, e->household);
        e->device = ht_stage_keep(s, e->device);
        e->skills = ht_stage_keep(s, e->skills);
    }
}

static inline struct ht_stage *ht_stage_new(const struct ht_desk_rules *rules)
{
    struct ht_stage *s = calloc(1, sizeof *s);
    s->rules = *rules;
    if (ht_desk_new(rules, &s->desk) != HT_OK) {
        abort();
    }
    return s;
}

static inline void ht_stage_free(struct ht_stage *s)
{
    for (size_t i = 0; i < s->text_count; i++) {
        free(s->texts[i]);
    }
    ht_desk_free(s->desk);
    free(s->events);
    free(s);
}

/* Decides, writes, applies. */
static inline enum ht_status ht_stage_do(struct ht_stage *s, const struct ht_desk_command *command)
{
    struct ht_desk_decision *decision = NULL;
    struct ht_desk_chooser chooser = ht_stage_chooser(s);
    enum ht_status status = ht_desk_decide(s->desk, command, &chooser, &decision, NULL);
    if (status == HT_OK) {
        ht_stage_write(s, decision);
        ht_desk_apply(s->desk, decision);
    }
    return status;
}

static inline bool ht_stage_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static inline bool ht_stage_same_lists(const struct ht_incident *a, const struct ht_incident *b)
{
    for (uint32_t n = 0; n < a->seat_count; n++) {
        struct ht_desk_seat x = a->seats[n];
        struct ht_desk_seat y = b->seats[n];
        if (strcmp(x.unit, y.unit) != 0) {
            return false;
        }
        if (x.state != y.state || x.turnout_ms != y.turnout_ms || x.duration_ms != y.duration_ms ||
            x.access_ms != y.access_ms || x.paid_ms != y.paid_ms || x.length_mm != y.length_mm ||
            x.eta_ms != y.eta_ms || x.assigned_ms != y.assigned_ms ||
            x.acknowledged_ms != y.acknowledged_ms || x.enroute_ms != y.enroute_ms ||
            x.arrived_ms != y.arrived_ms || x.ack_by_ms != y.ack_by_ms) {
            return false;
        }
    }
    for (uint32_t n = 0; n < a->passed_count; n++) {
        if (strcmp(a->passed[n].unit, b->passed[n].unit) != 0 ||
            a->passed[n].again_at_ms != b->passed[n].again_at_ms) {
            return false;
        }
    }
    return true;
}

/* Every field of two versions. */
static inline bool ht_stage_same(const struct ht_incident *a, const struct ht_incident *b)
{
    if (a->seat_count != b->seat_count || a->passed_count != b->passed_count) {
        return false;
    }
    return ht_stage_same_text(a->id, b->id) && ht_stage_same_text(a->household, b->household) &&
           ht_stage_same_text(a->device, b->device) && ht_stage_same_text(a->skills, b->skills) &&
           a->kind == b->kind && a->state == b->state && a->version == b->version &&
           a->order == b->order && a->severity == b->severity && a->units == b->units &&
           a->step == b->step && a->level == b->level && a->solved_at == b->solved_at &&
           a->outcome == b->outcome && a->rating == b->rating && a->confirmed == b->confirmed &&
           a->at_risk == b->at_risk && a->access_ms == b->access_ms && a->alarms == b->alarms &&
           a->received_ms == b->received_ms && a->opened_ms == b->opened_ms &&
           a->alarm_ms == b->alarm_ms && a->deadline_ms == b->deadline_ms &&
           a->confirm_by_ms == b->confirm_by_ms && a->first_arrived_ms == b->first_arrived_ms &&
           a->resolved_ms == b->resolved_ms && a->closed_ms == b->closed_ms &&
           a->changed_ms == b->changed_ms && a->step_by_ms == b->step_by_ms &&
           a->step_from_ms == b->step_from_ms && a->risk_by_ms == b->risk_by_ms &&
           ht_stage_same_lists(a, b);
}

static inline int ht_stage_by_name(const void *a, const void *b)
{
    return strcmp(a, b); /* the name is the first member */
}

/* All that two desks show: incidents, totals, devices, and when they are due. */
static inline bool ht_stage_same_desks(struct ht_desk *a, struct ht_desk *b)
{
    enum { MOST = 1 << 16 };
    struct ht_desk_filter all = {0};
    const struct ht_incident **lists[2] = {calloc(MOST, sizeof(const struct ht_incident *)),
                                           calloc(MOST, sizeof(const struct ht_incident *))};
    size_t counts[2] = {ht_desk_list(a, &all, MOST, lists[0]),
                        ht_desk_list(b, &all, MOST, lists[1])};
    struct ht_desk_totals x;
    struct ht_desk_totals y;
    ht_desk_totals(a, &x);
    ht_desk_totals(b, &y);
    bool same = counts[0] == counts[1] && memcmp(&x, &y, sizeof x) == 0;
    for (size_t n = 0; n < counts[0] && n < counts[1] && same; n++) {
        same = ht_stage_same(lists[0][n], lists[1][n]);
    }
    for (int l = 0; l < 2; l++) {
        for (size_t n = 0; n < counts[l]; n++) {
            ht_incident_release(lists[l][n]);
        }
        free(lists[l]);
    }
    struct ht_desk_device_count *devices = calloc(2048, sizeof *devices);
    size_t first = ht_desk_devices(a, 0, 1024, devices);
    size_t second = ht_desk_devices(b, 0, 1024, devices + 1024);
    qsort(devices, first, sizeof *devices, ht_stage_by_name);
    qsort(devices + 1024, second, sizeof *devices, ht_stage_by_name);
    same = same && first == second && memcmp(devices, devices + 1024, first * sizeof *devices) == 0;
    free(devices);
    return same;
}

/* The same table, from nothing. */
static inline struct ht_desk *ht_stage_replay(const struct ht_stage *s)
{
    struct ht_desk *desk = NULL;
    if (ht_desk_new(&s->rules, &desk) != HT_OK) {
        abort();
    }
    for (size_t i = 0; i < s->event_count; i++) {
        enum ht_status status = ht_desk_replay(desk, &s->events[i]);
        if (status != HT_OK) {
            (void)printf("  event %zu (%s of %s) was refused: %s\n", i,
                         ht_desk_event_text(s->events[i].kind), s->events[i].incident,
                         ht_status_text(status));
            break;
        }
    }
    return desk;
}

#endif
