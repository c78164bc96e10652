#include "api/item_changes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { COLLECTIONS_MOST = 16, EVENTS_MOST = 4000 };

struct ht_item_changes {
    pthread_mutex_t lock;
    bool begun;
    int64_t seq;                        /* of the last event that was looked at */
    int64_t versions[COLLECTIONS_MOST]; /* the last event about each */
};

enum ht_status ht_item_changes_new(struct ht_item_changes **out)
{
    struct ht_item_changes *changes = calloc(1, sizeof *changes);
    if (changes == NULL || pthread_mutex_init(&changes->lock, NULL) != 0) {
        free(changes);
        return HT_NOMEM;
    }
    *out = changes;
    return HT_OK;
}

void ht_item_changes_free(struct ht_item_changes *changes)
{
    if (changes != NULL) {
        (void)pthread_mutex_destroy(&changes->lock);
        free(changes);
    }
}

struct look {
    struct ht_item_changes *changes;
    uint32_t seen;
};

static enum ht_status event_look(void *user, const struct ht_store_event *event)
{
    struct look *look = user;
    size_t count = 0;
    const struct ht_collection *all = ht_collections(&count);
    const char *slash = strchr(event->subject, '/');
    size_t size = slash == NULL ? strlen(event->subject) : (size_t)(slash - event->subject);
    look->seen++;
    if (strncmp(event->kind, "item", 4) == 0) {
        const struct ht_collection *found = ht_collection_find(event->subject, size);
        if (found != NULL && (size_t)(found - all) < COLLECTIONS_MOST) {
            look->changes->versions[found - all] = event->seq;
        }
    }
    return HT_OK;
}

enum ht_status ht_item_changes_look(struct ht_item_changes *changes, struct ht_store_reader *reader,
                                    const struct ht_collection *collection, int64_t *version,
                                    struct ht_error *error)
{
    struct look look = {.changes = changes};
    int64_t seq = 0;
    size_t count = 0;
    size_t number = (size_t)(collection - ht_collections(&count));
    (void)pthread_mutex_lock(&changes->lock);
    enum ht_status status = ht_store_event_last(reader, &seq, error);
    /* A store that was put in the place of another may have fewer. */
    bool all = status == HT_OK && (!changes->begun || seq < changes->seq);
    if (status == HT_OK && !all && seq > changes->seq) {
        status = ht_store_events(reader, changes->seq, EVENTS_MOST, event_look, &look, error);
        all = look.seen == EVENTS_MOST;
    }
    for (size_t i = 0; status == HT_OK && all && i < COLLECTIONS_MOST; i++) {
        changes->versions[i] = seq;
    }
    if (status == HT_OK) {
        changes->seq = seq;
        changes->begun = true;
        *version = number < COLLECTIONS_MOST ? changes->versions[number] : seq;
    }
    (void)pthread_mutex_unlock(&changes->lock);
    return status;
}
