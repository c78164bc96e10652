/* Nobody answered, and somebody frail lives there: help is sent in the same transaction in which
 * the order fails. */
#include <stdio.h>
#include <string.h>

#include "api/home.h"
#include "api/incidents_internal.h"
#include "api/orders_internal.h"

static struct ht_desk_command open_command(const struct ht__welfare *welfare, int64_t now_ms)
{
    return (struct ht_desk_command){.kind = HT_DESK_OPEN,
                                    .now_ms = now_ms,
                                    .household = welfare->household,
                                    .incident_kind = welfare->kind,
                                    .severity = welfare->severity,
                                    .access_ms = welfare->access_ms};
}

/* Help that was sent there and has not ended. */
static void open_find(struct ht_app_context *context, struct ht__welfare *welfare)
{
    const struct ht_incident *incident = NULL;
    const struct ht_desk_filter filter = {.states = (UINT32_C(1) << HT_INCIDENT_IS_RESOLVED) - 1,
                                          .kinds = UINT32_C(1) << welfare->kind,
                                          .household = welfare->household};
    if (ht_desk_list(ht_desk_room_desk(context->app->desk), &filter, 1, &incident) > 0) {
        (void)snprintf(welfare->open, sizeof welfare->open, "%s", incident->id);
        ht_incident_release(incident);
    }
}

bool ht__welfare_prepare(struct ht_app_context *context, struct ht_store_reader *reader,
                         const char *household, int64_t now_ms, struct ht__welfare *out,
                         struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct ht_home home;
    struct ht_desk_room *desk = context->app->desk;
    enum ht_status status = ht_home_is_frail(reader, household, &out->wanted, &error);
    if (status == HT_OK && out->wanted) {
        status = ht_home_find(reader, household, &home, &error);
    }
    if (status != HT_OK && status != HT_NOT_FOUND) {
        ht_reply_status(reply, &error);
        return false;
    }
    out->wanted = out->wanted && status == HT_OK;
    if (!out->wanted) {
        return true;
    }
    const struct ht_orders_room_numbers rules = ht_orders_room_numbers(context->app->orders);
    (void)snprintf(out->household, sizeof out->household, "%s", household);
    out->point = home.entrance;
    out->kind = rules.welfare_kind;
    out->severity = rules.welfare_severity != 0
                        ? rules.welfare_severity
                        : ht_desk_room_kind(desk, rules.welfare_kind).kind.severity;
    out->access_ms = ht__incident_access_ms(context, out->kind, &home);
    open_find(context, out);
    const struct ht_desk_command open = open_command(out, now_ms);
    ht_desk_room_ahead(desk, context, &open, out->point, &out->ahead);
    return true;
}

enum ht_status ht__welfare_run(struct ht_app_context *context, const struct ht_command *command,
                               struct ht_store_tx *tx, struct ht__welfare *welfare,
                               struct ht_error *error)
{
    struct ht_desk_room *desk = context->app->desk;
    struct ht_desk_command open = open_command(welfare, command->at_ms);
    const struct ht_incident *going =
        welfare->open[0] == '\0' ? NULL : ht_desk_room_pending(desk, context, welfare->open);
    if (going != NULL && going->state < HT_INCIDENT_IS_RESOLVED) {
        memcpy(welfare->id, welfare->open, sizeof welfare->id);
        return HT_OK;
    }
    ht_desk_room_id(desk, welfare->id);
    const struct ht_store_place place = {welfare->id, welfare->point};
    open.incident = welfare->id;
    enum ht_status status =
        ht_incident_places_put(ht_desk_room_places(desk), welfare->id, welfare->point);
    welfare->placed = status == HT_OK;
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    status = ht_desk_room_open(desk, context, &open, &welfare->ahead, &welfare->decision, error);
    if (status == HT_OK) {
        status = ht_store_place_put(tx, &place, error);
    }
    return status == HT_OK
               ? ht_desk_room_write(desk, tx, welfare->decision, command->caller.name, NULL, error)
               : status;
}

void ht__welfare_applied(struct ht_app_context *context, struct ht__welfare *welfare)
{
    if (welfare->decision != NULL) {
        ht_desk_room_apply(context->app->desk, welfare->decision);
        welfare->decision = NULL;
    }
}

void ht__welfare_undone(struct ht_app_context *context, struct ht__welfare *welfare, bool lost)
{
    struct ht_desk_room *desk = context->app->desk;
    if (welfare->decision != NULL && lost) {
        ht_desk_room_drop(desk, welfare->decision);
    } else if (welfare->decision != NULL) {
        ht_desk_room_take_back(desk, welfare->decision);
    }
    welfare->decision = NULL;
    if (welfare->placed) {
        ht_incident_places_remove(ht_desk_room_places(desk), welfare->id);
    }
    welfare->placed = false;
}
