/* Bodies of incidents' events: what is read is written and read again as the same; and a desk that
 * is given it refuses or takes it, no more. The first byte chooses the kind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/incident_event.h"
#include "api/json.h"
#include "api/telling.h"
#include "engine/base/text.h"
#include "engine/live/desk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* All but the texts, which lie elsewhere. */
static bool same(struct ht_desk_event a, struct ht_desk_event b)
{
    bool texts = same_text(a.incident, b.incident) && same_text(a.unit, b.unit) &&
                 same_text(a.household, b.household) && same_text(a.device, b.device) &&
                 same_text(a.skills, b.skills);
    return texts && a.kind == b.kind && a.at_ms == b.at_ms && a.incident_kind == b.incident_kind &&
           a.severity == b.severity && a.units == b.units && a.step == b.step &&
           a.level == b.level && a.rating == b.rating && a.outcome == b.outcome &&
           a.reason == b.reason && a.turnout_ms == b.turnout_ms && a.duration_ms == b.duration_ms &&
           a.access_ms == b.access_ms && a.paid_ms == b.paid_ms && a.length_mm == b.length_mm &&
           a.eta_ms == b.eta_ms && a.deadline_ms == b.deadline_ms &&
           a.confirm_by_ms == b.confirm_by_ms && a.ack_by_ms == b.ack_by_ms &&
           a.again_at_ms == b.again_at_ms && a.risk_by_ms == b.risk_by_ms &&
           a.step_by_ms == b.step_by_ms;
}

static void write_again(const char *kind, const struct ht_incident_event *read)
{
    struct ht_incident_event again;
    struct ht_buffer body = {0};
    struct ht_json json;
    ht_json_begin(&json, &body);
    ht_json_object(&json);
    ht_incident_event_write(&read->event, &json);
    ht_json_object_end(&json);
    ht_buffer_append(&body, "", 1);
    must(!body.failed);
    must(ht_incident_event_read(kind, read->event.at_ms, body.data, &again) == HT_OK);
    must(same(read->event, again.event));
    ht_incident_event_deinit(&again);
    ht_buffer_deinit(&body);
}

static void replay(const struct ht_desk_event *event)
{
    const struct ht_desk_rules rules = ht_desk_rules_default();
    struct ht_desk *desk = NULL;
    if (ht_desk_new(&rules, &desk) == HT_OK) {
        enum ht_status status = ht_desk_replay(desk, event);
        must(status == HT_OK || status == HT_INVALID || status == HT_NOMEM);
        if (status == HT_OK) {
            must(ht_desk_pending(desk, event->incident) != NULL);
        }
    }
    ht_desk_free(desk);
}

/* Rows of tellings: what is taken is within its bounds, and text. */
static void telling_look(const char *body, unsigned step)
{
    static const char *const kinds[] = {"wanted", "failed", "done", "given_up", "else"};
    char kind[64];
    struct ht_telling_row row;
    (void)snprintf(kind, sizeof kind, HT_TELLING_PREFIX "%s", kinds[step % 5]);
    const struct ht_store_event event = {
        .seq = 7, .at_ms = 1772416800000, .kind = kind, .body = body};
    enum ht_status status = ht_telling_read(&event, &row);
    must(status != HT_NOT_FOUND || step % 5 == 4);
    if (status == HT_OK) {
        must((unsigned)row.step == step % 5 && row.to < HT_TELLS);
        must(row.event < HT_DESK_EVENT_KINDS && row.incident[0] != '\0');
        must(row.level < HT_DESK_LEVELS && row.attempt >= 0 && row.telling >= 0);
        must(row.step != HT_TELLING_WANTED || row.telling == 7);
        must(ht_utf8_valid(row.error, strlen(row.error)) == strlen(row.error));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char kind[64];
    struct ht_incident_event read;
    if (size == 0) {
        return 0;
    }
    char *body = malloc(size); /* so that reading past the end is seen */
    if (body == NULL) {
        return 0;
    }
    memcpy(body, data + 1, size - 1);
    body[size - 1] = '\0';
    (void)snprintf(kind, sizeof kind, HT_INCIDENT_PREFIX "%s",
                   ht_desk_event_text((enum ht_desk_event_kind)(data[0] % HT_DESK_EVENT_KINDS)));
    if (ht_incident_event_read(kind, 1772416800000, body, &read) == HT_OK) {
        write_again(kind, &read);
        replay(&read.event);
    }
    ht_incident_event_deinit(&read);
    telling_look(body, data[0]);
    free(body);
    return 0;
}
