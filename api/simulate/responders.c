/* Responders, and the operator at the desk.
 *
 *   free --sent--> hears it --ack--> turns out --enroute--> drives --> to the door --arrive-->
 *   helps --resolve--> goes home
 *
 * Now and then one declines, or hears nothing: the desk sends the next. Who is sent elsewhere, or
 * nowhere any more, obeys with the next look at the open incidents.
 */
#include <stdlib.h>
#include <string.h>

#include "api/json_merge.h"
#include "api/simulate/read.h"
#include "api/simulate/sim_internal.h"
#include "engine/base/array.h"

#define SOON_MS (INT64_C(10) * 60000)

enum { OPEN_MOST = 1000 };

enum phase { FREE, HEARS, DEAF, TURNS_OUT, DRIVES, CLIMBS, HELPS, GOES_HOME };

struct ht_sim_incident {
    struct ht_named named;
    struct ht_sim_incident *next;
    char id[HT_SIM_ID];
    struct ht_point point;
    int64_t opened_ms;
    int64_t arrived_ms;  /* 0: nobody was there yet */
    int64_t operator_ms; /* when the operator calls back; 0: he need not */
    int64_t evaluate_ms; /* when who was helped says how it was; 0: never, or said */
    bool raised;         /* told by us */
    bool resolved;
    bool listed;  /* by the last look */
    bool counted; /* it needs somebody at the door */
    bool found;   /* at the end */
};

struct ht_sim_responder {
    struct ht_sim_mover *mover;
    struct ht_point home;
    enum phase phase;
    struct ht_sim_incident *incident;
    double access_s;
    int64_t until_ms;
    bool listed;
};

void ht_sim_responders_make(struct ht_sim *sim)
{
    sim->responders = ht_array_new_zeroed(sim->mover_count, sizeof *sim->responders);
    sim->failed = sim->failed || sim->responders == NULL;
    for (size_t i = 0; sim->responders != NULL && i < sim->mover_count; i++) {
        if (sim->movers[i].unit->kind == HT_SIM_RESPONDER) {
            struct ht_sim_responder *one = &sim->responders[sim->responder_count++];
            one->mover = &sim->movers[i];
            one->home = sim->movers[i].point;
        }
    }
}

void ht_sim_responders_free(struct ht_sim *sim)
{
    for (struct ht_sim_incident *incident = sim->first_incident; incident != NULL;) {
        struct ht_sim_incident *next = incident->next;
        free(incident);
        incident = next;
    }
    free(sim->incidents.slots);
    free(sim->responders);
}

void ht_sim_responder_wait(struct ht_sim *sim, const struct ht_sim_mover *mover,
                           struct ht_point point)
{
    for (size_t i = 0; i < sim->responder_count; i++) {
        struct ht_sim_responder *one = &sim->responders[i];
        if (one->mover != mover) {
            continue;
        }
        one->home = point;
        if (one->incident == NULL) {
            one->phase = GOES_HOME;
            ht_sim_go(sim, one->mover, point);
        }
    }
}

static struct ht_sim_incident *incident_known(struct ht_sim *sim, const char *id)
{
    struct ht_sim_incident *incident = (struct ht_sim_incident *)ht_names_find(&sim->incidents, id);
    if (incident != NULL) {
        return incident;
    }
    if (ht_names_reserve(&sim->incidents) != HT_OK ||
        (incident = calloc(1, sizeof *incident)) == NULL) {
        sim->failed = true;
        return NULL;
    }
    (void)snprintf(incident->id, sizeof incident->id, "%s", id);
    incident->named.id = incident->id;
    ht_names_add(&sim->incidents, &incident->named);
    *sim->last_incident = incident;
    sim->last_incident = &incident->next;
    return incident;
}

static struct ht_sim_responder *responder_of(struct ht_sim *sim, const char *unit)
{
    for (size_t i = 0; unit != NULL && i < sim->responder_count; i++) {
        if (strcmp(sim->responders[i].mover->unit->id, unit) == 0) {
            return &sim->responders[i];
        }
    }
    return NULL;
}

/* In a while; less a step, which passes by itself until it is looked at. */
static int64_t soon_ms(const struct ht_sim *sim, struct ht_sim_dice *dice, double least_s,
                       double most_s)
{
    double seconds = ht_sim_dice_within(dice, least_s, most_s) - sim->options->step_s;
    return sim->now_ms + (seconds > 0 ? (int64_t)(seconds * 1000) : 0);
}

/* ---- alarms ---- */

static void alarm_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    const char *id = ht_sim_text(tree, "id");
    (void)ask;
    if ((answer->status == 201 || answer->status == 200) && id != NULL) {
        struct ht_sim_incident *incident = incident_known(sim, id);
        if (incident != NULL) {
            sim->tally->incidents += !incident->raised;
            incident->raised = true;
        }
    }
    yajl_tree_free(tree);
}

void ht_sim_alarm(struct ht_sim *sim, const struct ht_sim_happening *happening)
{
    const struct ht_sim_device *device = &sim->town.devices[happening->subject];
    struct ht_sim_dice dice = ht_sim_dice_of(sim->options->seed, "alarm told", happening->number);
    struct ht_sim_chaos chaos = {.on = sim->options->chaos};
    sim->tally->alarms++;
    if (sim->options->protocol == HT_SIM_MQTT) {
        ht_sim_wire_alarm(sim, happening->subject, ht_sim_chaos_again(&chaos, &dice));
        return;
    }
    struct ht_sim_ask *ask =
        ht_sim_ask_new(sim->client, HT_SIM_CALL_ALARM, "POST", "/v1/incidents");
    ht_text_addf(&ask->body, "{\"household\":\"%s\",\"device\":\"%s\",\"kind\":\"%s\"}",
                 device->household, device->id, device->alarm);
    ask->lane = happening->number;
    ask->done = alarm_taken;
    ask->user = sim;
    ht_sim_send_keyed(sim, ask, &chaos, &dice);
}

/* ---- what is said to the desk ---- */

static void event_taken(void *user, const struct ht_sim_ask *ask,
                        const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    struct ht_sim_incident *incident = ask->about;
    if (answer->status != 200) {
        return;
    }
    if (ask->number == HELPS && incident->arrived_ms == 0) {
        incident->arrived_ms = sim->now_ms;
    } else if (ask->number == GOES_HOME) {
        sim->tally->resolved += !incident->resolved;
        incident->resolved = true;
    }
}

/* `more`: members, with a comma in front. `means`: HELPS where it is an arrival, GOES_HOME where it
 * ends the incident. */
static void incident_say(struct ht_sim *sim, struct ht_sim_incident *incident, const char *event,
                         const char *more, enum phase means)
{
    struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, event, incident->id);
    struct ht_sim_chaos chaos = {.on = sim->options->chaos};
    struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_INCIDENT_EVENT, "POST",
                                            "/v1/incidents/%s/events", incident->id);
    ht_text_addf(&ask->body, "{\"event\":\"%s\"%s}", event, more);
    ask->lane = (uint32_t)incident->named.hash;
    ask->done = event_taken;
    ask->user = sim;
    ask->about = incident;
    ask->number = (int)means;
    ht_sim_send_keyed(sim, ask, &chaos, &dice);
}

static void unit_say(struct ht_sim *sim, const struct ht_sim_responder *one, const char *event,
                     enum phase means)
{
    char more[HT_SIM_ID + 16];
    (void)snprintf(more, sizeof more, ",\"unit\":\"%s\"", one->mover->unit->id);
    incident_say(sim, one->incident, event, more, means);
}

/* ---- the open incidents ---- */

static void sent(struct ht_sim *sim, struct ht_sim_responder *one, struct ht_sim_incident *incident,
                 yajl_val seat)
{
    struct ht_sim_dice *dice = &one->mover->dice;
    one->incident = incident;
    one->mover->drives = false;
    one->access_s = ht_sim_number(seat, "access_s", 30);
    one->phase = ht_sim_dice_chance(dice, 0.02) ? DEAF : HEARS;
    one->until_ms = soon_ms(sim, dice, 5, 35);
}

static void seats_read(struct ht_sim *sim, struct ht_sim_incident *incident, yajl_val value)
{
    size_t count = 0;
    yajl_val list = ht_sim_list(value, "assigned", &count);
    for (size_t i = 0; i < count; i++) {
        yajl_val seat = ht_sim_item(list, i);
        const char *state = ht_sim_text(seat, "state");
        struct ht_sim_responder *one = responder_of(sim, ht_sim_text(seat, "unit"));
        if (one == NULL || state == NULL) {
            continue;
        }
        one->listed = true;
        if (one->incident != incident) {
            sent(sim, one, incident, seat);
        } else if (strcmp(state, "assigned") == 0 &&
                   (one->phase == TURNS_OUT || one->phase == DRIVES || one->phase == CLIMBS)) {
            one->phase = HEARS; /* sent there once more: he says again that he comes */
            one->until_ms = sim->now_ms;
        }
    }
}

static void incident_read(struct ht_sim *sim, yajl_val value)
{
    const char *id = ht_sim_text(value, "id");
    const char *state = ht_sim_text(value, "state");
    const char *kind = ht_sim_text(value, "kind");
    struct ht_sim_incident *incident = id == NULL ? NULL : incident_known(sim, id);
    if (incident == NULL || state == NULL || !ht_sim_place(value, &incident->point)) {
        return;
    }
    if (incident->opened_ms == 0) {
        struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, "operator", id);
        incident->opened_ms = ht_sim_moment_ms(value, "opened_at");
        incident->counted = kind != NULL && strcmp(kind, "request") != 0;
        incident->operator_ms = soon_ms(sim, &dice, 15, 50);
    }
    if (ht_sim_wire_rang(sim, ht_sim_text(value, "household"))) {
        sim->tally->incidents += !incident->raised;
        incident->raised = true;
    }
    incident->listed = true;
    bool waits = strcmp(state, "received") == 0 && !ht_sim_flag(value, "confirmed");
    if (!waits) {
        incident->operator_ms = 0;
    }
    seats_read(sim, incident, value);
}

/* Who is not on any list any more is free. */
static void freed(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->responder_count; i++) {
        struct ht_sim_responder *one = &sim->responders[i];
        if (one->incident != NULL && !one->listed) {
            one->incident = NULL;
            one->phase = GOES_HOME;
            ht_sim_go(sim, one->mover, one->home);
        }
    }
}

static void incidents_taken(void *user, const struct ht_sim_ask *ask,
                            const struct ht_sim_answer *answer)
{
    struct ht_sim *sim = user;
    size_t count = 0;
    (void)ask;
    if (answer->status != 200) {
        return;
    }
    for (size_t i = 0; i < sim->responder_count; i++) {
        sim->responders[i].listed = false;
    }
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    yajl_val list = ht_sim_list(tree, "incidents", &count);
    for (size_t i = count; i > 0; i--) { /* the oldest first */
        incident_read(sim, ht_sim_item(list, i - 1));
    }
    yajl_tree_free(tree);
    freed(sim);
}

void ht_sim_incidents_look(struct ht_sim *sim)
{
    struct ht_sim_ask *ask = ht_sim_ask_new(
        sim->client, HT_SIM_CALL_INCIDENT_LOOK, "GET",
        "/v1/incidents?state=received,queued,assigned,acknowledged,enroute,onscene&limit=%d",
        OPEN_MOST);
    ask->done = incidents_taken;
    ask->user = sim;
    ht_sim_ask_send(sim->client, ask);
}

/* ---- steps ---- */

static void heard(struct ht_sim *sim, struct ht_sim_responder *one)
{
    struct ht_sim_dice *dice = &one->mover->dice;
    if (ht_sim_dice_chance(dice, 0.02)) {
        unit_say(sim, one, "decline", FREE);
        one->phase = DEAF; /* until the list has him no more */
        return;
    }
    unit_say(sim, one, "ack", FREE);
    one->phase = TURNS_OUT;
    one->until_ms = soon_ms(sim, dice, 15, 60);
}

static void resolved(struct ht_sim *sim, struct ht_sim_responder *one)
{
    struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, "outcome", one->incident->id);
    double share = ht_sim_dice_share(&dice);
    if (ht_sim_dice_chance(&dice, 0.3)) {
        incident_say(sim, one->incident, "follow_up", "", FREE);
    }
    incident_say(sim, one->incident, "resolve",
                 share < 0.7    ? ",\"outcome\":\"helped\""
                 : share < 0.88 ? ",\"outcome\":\"false_alarm\""
                                : ",\"outcome\":\"transferred_120\"",
                 GOES_HOME);
    if (ht_sim_dice_chance(&dice, 0.6)) {
        one->incident->evaluate_ms = soon_ms(sim, &dice, 300, 1500);
    }
    one->phase = DEAF; /* free with the next look */
}

static void responder_step(struct ht_sim *sim, struct ht_sim_responder *one)
{
    struct ht_sim_dice *dice = &one->mover->dice;
    bool due = sim->now_ms >= one->until_ms;
    bool there = !one->mover->drives && !one->mover->asks;
    if (one->phase == GOES_HOME && there) {
        one->phase = FREE;
    }
    if (one->incident == NULL) {
        return;
    }
    if (one->phase == HEARS && due) {
        heard(sim, one);
    } else if (one->phase == TURNS_OUT && due) {
        unit_say(sim, one, "enroute", FREE);
        ht_sim_go(sim, one->mover, one->incident->point);
        one->phase = DRIVES;
    } else if (one->phase == DRIVES && there) {
        one->phase = CLIMBS;
        one->until_ms = soon_ms(sim, dice, 0.7 * one->access_s, 1.2 * one->access_s);
    } else if (one->phase == CLIMBS && due) {
        unit_say(sim, one, "arrive", HELPS);
        one->phase = HELPS;
        one->until_ms = soon_ms(sim, dice, 300, 1100);
    } else if (one->phase == HELPS && due) {
        resolved(sim, one);
    }
}

/* Calls back where an alarm waits for that; and some time later who was helped says how it was. */
static void operator_step(struct ht_sim *sim, struct ht_sim_incident *incident)
{
    struct ht_sim_dice dice = ht_sim_dice_named(sim->options->seed, "call back", incident->id);
    if (incident->listed && incident->operator_ms != 0 && sim->now_ms >= incident->operator_ms) {
        incident->operator_ms = 0;
        if (ht_sim_dice_chance(&dice, 0.4)) {
            incident->counted = false;
            incident_say(sim, incident, "resolve", ",\"outcome\":\"false_alarm\"", GOES_HOME);
        } else {
            incident_say(sim, incident, "confirm", "", FREE);
        }
    }
    if (incident->evaluate_ms != 0 && sim->now_ms >= incident->evaluate_ms) {
        char more[24];
        incident->evaluate_ms = 0;
        (void)snprintf(more, sizeof more, ",\"rating\":%u", 3 + ht_sim_dice_below(&dice, 3));
        incident_say(sim, incident, "evaluate", more, FREE);
    }
}

void ht_sim_responders_step(struct ht_sim *sim)
{
    for (size_t i = 0; i < sim->responder_count; i++) {
        responder_step(sim, &sim->responders[i]);
    }
    for (struct ht_sim_incident *one = sim->first_incident; one != NULL; one = one->next) {
        operator_step(sim, one);
        one->listed = false;
    }
    ht_sim_incidents_look(sim);
}

/* ---- at the end ---- */

static void incident_found(void *user, const struct ht_sim_ask *ask,
                           const struct ht_sim_answer *answer)
{
    struct ht_sim_incident *incident = ask->about;
    yajl_val tree = ht_json_tree_read(answer->body, answer->size);
    const char *state = ht_sim_text(tree, "state");
    bool over =
        state != NULL && (strcmp(state, "resolved") == 0 || strcmp(state, "evaluated") == 0 ||
                          strcmp(state, "cancelled") == 0);
    (void)user;
    incident->found = answer->status == 200 && (over || !incident->resolved);
    yajl_tree_free(tree);
}

void ht_sim_incidents_check(struct ht_sim *sim)
{
    for (struct ht_sim_incident *one = sim->first_incident; one != NULL; one = one->next) {
        if (one->raised || one->resolved) {
            struct ht_sim_ask *ask = ht_sim_ask_new(sim->client, HT_SIM_CALL_INCIDENT_LOOK, "GET",
                                                    "/v1/incidents/%s", one->id);
            ask->lane = (uint32_t)one->named.hash;
            ask->done = incident_found;
            ask->user = sim;
            ask->about = one;
            ht_sim_ask_send(sim->client, ask);
        }
    }
}

void ht_sim_incidents_count(struct ht_sim *sim)
{
    struct ht_sim_tally *tally = sim->tally;
    for (const struct ht_sim_incident *one = sim->first_incident; one != NULL; one = one->next) {
        tally->lost += (one->raised || one->resolved) && !one->found;
        if (!one->raised || !one->counted || one->opened_ms == 0) {
            continue;
        }
        if (one->arrived_ms != 0) {
            int64_t took_ms = one->arrived_ms - one->opened_ms;
            tally->reached_due++;
            tally->reached_soon += took_ms <= SOON_MS;
            ht_sim_series_add(tally, &tally->response_s, (uint32_t)(took_ms / 1000));
        } else if (!one->resolved && sim->now_ms - one->opened_ms > SOON_MS) {
            tally->reached_due++;
        }
    }
}
