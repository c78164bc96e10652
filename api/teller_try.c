/* One try to tell somebody, and what came of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/desk_room.h"
#include "api/incident_json.h"
#include "api/incident_past.h"
#include "api/json.h"
#include "api/teller_internal.h"
#include "geodata/members.h"

enum {
    UNDER_WAY_MOST = 256, /* at once */
    TAKER_MOST = 16,      /* of them to one webhook */
    STUCK_MS = 1000,      /* where memory is short or the store can't be read or written */
};

/* ---- outcomes ---- */

static void outcome_run(struct ht_job *job, void *context)
{
    struct ht__outcome *outcome = (struct ht__outcome *)job;
    struct ht_commit *commit = outcome->teller->app->commit;
    struct ht_store_tx *tx = ht_commit_tx(commit);
    (void)context;
    enum ht_status status = ht_telling_append(tx, &outcome->row, "houtao", NULL, NULL);
    if (status == HT_OK && outcome->note.id != NULL) {
        status = ht_store_webhook_note(tx, &outcome->note, NULL);
    }
    if (status != HT_OK) {
        outcome->failed = true;
        ht_commit_take_back(commit);
    }
}

static void outcome_done(struct ht_job *job, void *context, enum ht_status status)
{
    struct ht__outcome *outcome = (struct ht__outcome *)job;
    struct ht_teller *teller = outcome->teller;
    (void)context;
    bool written = status == HT_OK && !outcome->failed;
    atomic_store(&outcome->state, written ? HT__OUTCOME_WRITTEN : HT__OUTCOME_LOST);
    ht__teller_wake(teller);
}

static void outcome_submit(struct ht__outcome *outcome, int64_t now_ms)
{
    outcome->failed = false;
    outcome->again_ms = now_ms + STUCK_MS;
    outcome->job = (struct ht_job){.run = outcome_run, .done = outcome_done};
    atomic_store(&outcome->state, HT__OUTCOME_UNDER_WAY);
    if (!ht_commit_submit(outcome->teller->app->commit, &outcome->job)) {
        atomic_store(&outcome->state, HT__OUTCOME_LOST);
    }
}

/* `taker` NULL: none had a part in it. */
static void outcome_make(struct ht__telling *telling, const struct ht_telling_row *row,
                         const struct ht__taker *taker)
{
    struct ht__outcome *outcome = calloc(1, sizeof *outcome);
    int64_t now_ms = ht_hook_now_ms();
    if (outcome == NULL) { /* as if it had not been tried; the key tells it apart */
        telling->next_try_ms = now_ms + STUCK_MS;
        return;
    }
    outcome->teller = telling->teller;
    outcome->row = *row;
    if (taker != NULL) {
        outcome->note = taker->state;
        (void)snprintf(outcome->id, sizeof outcome->id, "%s", taker->id);
        outcome->note.id = outcome->id;
        outcome->note.secret = "";
    }
    telling->outcome = outcome;
    telling->seen = false;
    outcome_submit(outcome, now_ms);
}

static struct ht_telling_row row_of(const struct ht__telling *telling, enum ht_telling_step step)
{
    struct ht_telling_row row = telling->wanted;
    row.step = step;
    row.telling = telling->wanted.seq;
    row.at_ms = ht_clock_now_ms(&telling->teller->app->clock);
    row.attempt = telling->tries;
    row.error[0] = '\0';
    return row;
}

static void give_up(struct ht__telling *telling, const char *reason)
{
    struct ht_telling_row row = row_of(telling, HT_TELLING_GIVEN_UP);
    struct ht__taker *taker = ht__taker_find(telling->teller, telling->wanted.webhook);
    (void)snprintf(row.error, sizeof row.error, "%s", reason);
    if (taker != NULL) {
        taker->state.given_up++;
    }
    outcome_make(telling, &row, taker);
}

/* ---- tries ---- */

static void taker_fares(struct ht__taker *taker, const struct ht_telling_row *row,
                        const char *error)
{
    struct ht_store_webhook *state = &taker->state;
    state->last_status = row->status;
    state->last_error = error;
    state->last_ms = ht_hook_now_ms();
    if (row->step == HT_TELLING_DONE) {
        state->done_seq = row->telling > state->done_seq ? row->telling : state->done_seq;
        state->delivered++;
        state->tries = 0;
        state->failing_since_ms = 0;
        return;
    }
    state->tries++;
    state->failing_since_ms = state->failing_since_ms == 0 ? row->at_ms : state->failing_since_ms;
}

static void on_done(void *user, int status, const char *error)
{
    struct ht__telling *telling = user;
    struct ht__taker *taker = telling->taker;
    bool taken = status >= 200 && status < 300;
    struct ht_telling_row row = row_of(telling, taken ? HT_TELLING_DONE : HT_TELLING_FAILED);
    row.status = status;
    row.attempt = telling->tries + 1;
    (void)snprintf(row.error, sizeof row.error, "%s", status == 0 ? error : "");
    taker_fares(taker, &row, error);
    ht__telling_stop(telling);
    outcome_make(telling, &row, taker);
    ht__teller_wake(telling->teller);
}

void ht__telling_stop(struct ht__telling *telling)
{
    if (telling->post != NULL) {
        ht_post_free(telling->post);
        telling->post = NULL;
        telling->taker->under_way--;
        telling->taker = NULL;
        telling->teller->under_way--;
    }
}

/* ---- what is said ---- */

struct kin {
    struct ht_json *json;
    bool any;
};

static enum ht_status kin_take(void *user, const struct ht_store_item *item)
{
    static const char *const shown[] = {"name", "address"};
    struct kin *kin = user;
    struct ht_member member;
    const char *object = item->personal == NULL ? "{}" : item->personal;
    if (!ht_member_find(object, "contacts", &member) || member.value_size < 3 ||
        member.value[0] != '[') {
        return HT_OK;
    }
    kin->any = true;
    ht_json_key(kin->json, "contacts");
    ht_json_raw(kin->json, member.value, member.value_size);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        if (ht_member_find(object, shown[i], &member)) {
            ht_json_key(kin->json, shown[i]);
            ht_json_raw(kin->json, member.value, member.value_size);
        }
    }
    return HT_OK;
}

/* Whom it goes to. HT_NOT_FOUND: nobody is named. */
static enum ht_status whom_write(struct ht__telling *telling, struct ht_json *json)
{
    const struct ht_duty_phones *duty = &telling->teller->duty;
    const struct ht_telling_row *wanted = &telling->wanted;
    struct kin kin = {json, false};
    if (wanted->to == HT_TELL_KIN) {
        enum ht_status status =
            ht_store_item(telling->teller->reader, ht_collection_find("households", 10),
                          wanted->household, true, kin_take, &kin, NULL);
        return status == HT_OK && !kin.any ? HT_NOT_FOUND : status;
    }
    uint8_t level = wanted->level < HT_DESK_LEVELS ? wanted->level : 0;
    ht_json_key(json, "phones");
    ht_json_array(json);
    for (uint8_t i = 0; i < duty->count[level]; i++) {
        ht_json_text(json, duty->phones[level][i]);
    }
    ht_json_array_end(json);
    return duty->count[level] == 0 ? HT_NOT_FOUND : HT_OK;
}

static enum ht_status body_write(struct ht__telling *telling)
{
    struct ht_teller *teller = telling->teller;
    const struct ht_telling_row *wanted = &telling->wanted;
    struct ht_incident_place place;
    struct ht_json json;
    ht_buffer_clear(&teller->body);
    ht_json_begin(&json, &teller->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "webhook", wanted->webhook);
    ht_json_key_int(&json, "telling", wanted->seq);
    ht_json_key_int(&json, "attempt", telling->tries + 1);
    ht_json_key_text(&json, "to", ht_tell_text(wanted->to));
    ht_json_key_text(&json, "event", ht_desk_event_text(wanted->event));
    ht_incident_json_moment(&json, "at", wanted->at_ms);
    ht_json_key_text(&json, "incident", wanted->incident);
    ht_json_key_text(&json, "kind", ht_incident_kind_text(wanted->kind));
    ht_json_key_int(&json, "severity", wanted->severity);
    ht_json_key_text(&json, "level", ht_desk_level_text(wanted->level));
    if (wanted->household[0] != '\0') {
        ht_json_key_text(&json, "household", wanted->household);
    }
    if (ht_incident_places_get(ht_desk_room_places(teller->app->desk), wanted->incident, &place) ||
        ht_incident_past_place(teller->reader, wanted->incident, &place.point) == HT_OK) {
        ht_json_key(&json, "lon");
        ht_json_fixed(&json, place.point.lon_e7, 7);
        ht_json_key(&json, "lat");
        ht_json_fixed(&json, place.point.lat_e7, 7);
    }
    enum ht_status status = whom_write(telling, &json);
    ht_json_object_end(&json);
    return status == HT_OK && teller->body.failed ? HT_NOMEM : status;
}

static int64_t send_it(struct ht__telling *telling, struct ht__taker *taker, int64_t now_ms)
{
    struct ht_teller *teller = telling->teller;
    enum ht_status status = body_write(telling);
    if (status == HT_NOT_FOUND) {
        give_up(telling, "no_contact");
        return INT64_MAX;
    }
    const struct ht_hook_send send = {.url = &taker->url,
                                      .secret = taker->secret,
                                      .webhook = taker->id,
                                      .kind = "telling",
                                      .seq = telling->wanted.seq,
                                      .body = &teller->body,
                                      .done = on_done,
                                      .user = telling};
    status = status == HT_OK ? ht_hook_send(teller->poster, &send, &telling->post) : status;
    ht_buffer_clear(&teller->body);
    if (status != HT_OK) {
        telling->next_try_ms = now_ms + STUCK_MS;
        return telling->next_try_ms;
    }
    telling->taker = taker;
    taker->under_way++;
    teller->under_way++;
    return INT64_MAX;
}

/* What is left of an outcome once it is in the table, or was lost. */
static int64_t outcome_look(struct ht__telling *telling, int64_t now_ms)
{
    struct ht__outcome *outcome = telling->outcome;
    int state = atomic_load(&outcome->state);
    if (state == HT__OUTCOME_UNDER_WAY) {
        return INT64_MAX;
    }
    if (telling->seen) {
        free(outcome);
        telling->outcome = NULL;
        return now_ms;
    }
    if (state == HT__OUTCOME_LOST && outcome->again_ms <= now_ms) {
        outcome_submit(outcome, now_ms);
    }
    return state == HT__OUTCOME_LOST ? outcome->again_ms : INT64_MAX;
}

int64_t ht__telling_step(struct ht__telling *telling, int64_t now_ms)
{
    struct ht_teller *teller = telling->teller;
    if (telling->post != NULL) {
        return INT64_MAX;
    }
    if (telling->outcome != NULL) {
        int64_t again_ms = outcome_look(telling, now_ms);
        if (telling->outcome != NULL) {
            return again_ms;
        }
    }
    if (telling->over || !teller->takers_known) {
        return INT64_MAX;
    }
    struct ht__taker *taker = ht__taker_find(teller, telling->wanted.webhook);
    if (teller->town_ms - telling->wanted.at_ms >= (int64_t)teller->give_up_ms) {
        give_up(telling, "too_old");
        return INT64_MAX;
    }
    if (taker == NULL) {
        give_up(telling, "no_webhook");
        return INT64_MAX;
    }
    if (telling->next_try_ms > now_ms) {
        return telling->next_try_ms;
    }
    bool room = teller->under_way < UNDER_WAY_MOST && taker->under_way < TAKER_MOST;
    return room ? send_it(telling, taker, now_ms) : INT64_MAX;
}
