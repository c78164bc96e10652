#include "api/incident_forget.h"

#include <stdio.h>

#include "api/incident_event.h"

enum {
    LOOK_MOST = 5000, /* some tens of milliseconds */
    GAP_MOST = 4000,  /* numbers in a row that no incident has, as alarms that were folded leave
                         them: the last one is behind us */
};

static enum ht_status forget(struct ht_store_tx *tx, const char *id, int64_t now_ms,
                             struct ht_error *error)
{
    char subject[HT_INCIDENT_SUBJECT];
    char body[HT_DESK_ID_MAX + 48];
    (void)snprintf(subject, sizeof subject, HT_INCIDENT_SUBJECT_PREFIX "%s", id);
    (void)snprintf(body, sizeof body, "{\"incident\":\"%s\",\"why\":\"retention\"}", id);
    const struct ht_store_event event = {.at_ms = now_ms,
                                         .actor = "houtao",
                                         .kind = HT_INCIDENT_PREFIX "erased",
                                         .subject = subject,
                                         .body = body};
    enum ht_status status = ht_store_incident_forget(tx, id, error);
    return status == HT_OK ? ht_store_event_append(tx, &event, NULL, error) : status;
}

enum ht_status ht_incidents_forget(struct ht_store_tx *tx, int64_t before_ms, int64_t now_ms,
                                   uint64_t *from, struct ht_error *error)
{
    enum ht_status status = HT_OK;
    uint64_t next = *from == 0 ? 1 : *from;
    uint64_t stays = 0; /* the first that is open still; 0: none */
    uint64_t gap = 0;
    for (int i = 0; i < LOOK_MOST && gap < GAP_MOST && status == HT_OK; i++) {
        struct ht_store_incident_past past;
        char id[HT_DESK_ID_MAX + 1];
        (void)snprintf(id, sizeof id, "i%llu", (unsigned long long)next);
        status = ht_store_incident_past(tx, id, &past, error);
        bool none = past.opened_ms == INT64_MAX;
        if (status != HT_OK || (!none && past.opened_ms >= before_ms)) {
            break;
        }
        gap = none ? gap + 1 : 0;
        if (past.kept && past.over) {
            status = forget(tx, id, now_ms, error);
        }
        stays = stays == 0 && past.kept && !past.over ? next : stays;
        next++;
    }
    if (status == HT_OK) {
        *from = stays != 0 ? stays : next - gap;
    }
    return status;
}
