#include "api/incident_past.h"

#include <stdio.h>

#include "api/incident_event.h"

void ht_incident_past_init(struct ht_incident_past *past, struct ht_store_reader *reader)
{
    *past = (struct ht_incident_past){.reader = reader};
}

void ht_incident_past_deinit(struct ht_incident_past *past)
{
    ht_desk_free(past->desk);
    past->desk = NULL;
}

struct replay {
    struct ht_desk *desk;
    size_t count;
    int64_t last;
};

/* Rows that can't be read or don't follow are passed over, as at start. */
static enum ht_status event_take(void *user, const struct ht_store_event *row)
{
    struct replay *replay = user;
    struct ht_incident_event read;
    enum ht_status status = ht_incident_event_read(row->kind, row->at_ms, row->body, &read);
    if (status == HT_OK) {
        status = ht_desk_replay(replay->desk, &read.event);
        replay->count += status == HT_OK ? 1 : 0;
    }
    replay->last = row->seq;
    ht_incident_event_deinit(&read);
    return status == HT_NOMEM ? status : HT_OK;
}

enum ht_status ht_incident_past_replay(struct ht_store_reader *reader, const char *id,
                                       struct ht_desk *desk, int64_t *last)
{
    char subject[HT_INCIDENT_SUBJECT];
    struct replay replay = {.desk = desk};
    const struct ht_store_event_query query = {
        .prefix = HT_INCIDENT_PREFIX, .subject = subject, .limit = UINT64_MAX};
    int size = snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", id);
    if (size >= (int)sizeof subject) {
        return HT_NOT_FOUND;
    }
    enum ht_status status = ht_store_events_of(reader, &query, event_take, &replay, NULL);
    if (last != NULL) {
        *last = replay.last;
    }
    return status == HT_OK && replay.count == 0 ? HT_NOT_FOUND : status;
}

enum ht_status ht_incident_past_find(struct ht_incident_past *past, const char *id,
                                     const struct ht_incident **out)
{
    enum ht_status status = HT_OK;
    *out = NULL;
    if (past->desk == NULL) {
        const struct ht_desk_rules rules = ht_desk_rules_default();
        status = ht_desk_new(&rules, &past->desk);
        if (status == HT_OK) {
            ht_desk_recall(past->desk, true); /* where its units are now is another matter */
        }
    }
    if (status == HT_OK) {
        status = ht_incident_past_replay(past->reader, id, past->desk, NULL);
        ht_desk_recall(past->desk, true); /* this one is whole: the next may come */
    }
    if (status != HT_OK) {
        return status;
    }
    *out = ht_desk_get(past->desk, id);
    if (*out != NULL && (*out)->state < HT_INCIDENT_IS_RESOLVED) {
        ht_incident_release(*out);
        *out = NULL;
    }
    return *out == NULL ? HT_NOT_FOUND : HT_OK;
}

static enum ht_status place_take(void *user, const struct ht_store_place *place)
{
    struct {
        struct ht_point *out;
        bool found;
    } *found = user;
    *found->out = place->point;
    found->found = true;
    return HT_OK;
}

enum ht_status ht_incident_past_place(struct ht_store_reader *reader, const char *id,
                                      struct ht_point *out)
{
    struct {
        struct ht_point *out;
        bool found;
    } found = {.out = out};
    enum ht_status status = ht_store_places(reader, id, place_take, &found, NULL);
    return status == HT_OK && !found.found ? HT_NOT_FOUND : status;
}
