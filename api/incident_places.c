#include "api/incident_places.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/live/desk.h"

struct slot {
    char id[HT_DESK_ID_MAX + 1]; /* "": free */
    struct ht_incident_place place;
};

/* Open addressing; at most half of the slots are taken. */
struct ht_incident_places {
    pthread_rwlock_t lock;
    struct slot *slots;
    size_t mask;
    size_t count;
};

enum { SLOTS_FIRST = 64 };

enum ht_status ht_incident_places_new(struct ht_incident_places **out)
{
    struct ht_incident_places *places = calloc(1, sizeof *places);
    if (places == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_rwlock_init(&places->lock, NULL);
    places->slots = ht_array_new_zeroed(SLOTS_FIRST, sizeof *places->slots);
    places->mask = SLOTS_FIRST - 1;
    if (places->slots == NULL) {
        ht_incident_places_free(places);
        return HT_NOMEM;
    }
    *out = places;
    return HT_OK;
}

void ht_incident_places_free(struct ht_incident_places *places)
{
    if (places != NULL) {
        (void)pthread_rwlock_destroy(&places->lock);
        free(places->slots);
        free(places);
    }
}

/* FNV-1a. */
static size_t hash(const char *id)
{
    uint64_t value = UINT64_C(14695981039346656037);
    for (; *id != '\0'; id++) {
        value = (value ^ (uint8_t)*id) * UINT64_C(1099511628211);
    }
    return (size_t)(value ^ value >> 32);
}

/* The slot of an id, or the free one where it would be. */
static size_t slot_of(const struct slot *slots, size_t mask, const char *id)
{
    size_t at = hash(id) & mask;
    while (slots[at].id[0] != '\0' && strcmp(slots[at].id, id) != 0) {
        at = (at + 1) & mask;
    }
    return at;
}

static enum ht_status grow(struct ht_incident_places *places)
{
    size_t count = (places->mask + 1) * 2;
    struct slot *slots = ht_array_new_zeroed(count, sizeof *slots);
    if (slots == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i <= places->mask; i++) {
        if (places->slots[i].id[0] != '\0') {
            slots[slot_of(slots, count - 1, places->slots[i].id)] = places->slots[i];
        }
    }
    free(places->slots);
    places->slots = slots;
    places->mask = count - 1;
    return HT_OK;
}

/* Needs the lock. */
static enum ht_status reserve(struct ht_incident_places *places)
{
    return (places->count + 1) * 2 > places->mask + 1 ? grow(places) : HT_OK;
}

enum ht_status ht_incident_places_reserve(struct ht_incident_places *places)
{
    (void)pthread_rwlock_wrlock(&places->lock);
    enum ht_status status = reserve(places);
    (void)pthread_rwlock_unlock(&places->lock);
    return status;
}

enum ht_status ht_incident_places_put(struct ht_incident_places *places, const char *id,
                                      struct ht_point point)
{
    size_t size = strlen(id);
    if (size == 0 || size > HT_DESK_ID_MAX) {
        return HT_INVALID;
    }
    (void)pthread_rwlock_wrlock(&places->lock);
    enum ht_status status = reserve(places);
    if (status == HT_OK) {
        struct slot *slot = &places->slots[slot_of(places->slots, places->mask, id)];
        places->count += slot->id[0] == '\0';
        memcpy(slot->id, id, size + 1);
        slot->place = (struct ht_incident_place){.point = point};
    }
    (void)pthread_rwlock_unlock(&places->lock);
    return status;
}

/* Moves up what was pushed past the slot that became free. */
static void slot_clear(struct ht_incident_places *places, size_t hole)
{
    size_t at = hole;
    for (;;) {
        at = (at + 1) & places->mask;
        if (places->slots[at].id[0] == '\0') {
            break;
        }
        size_t home = hash(places->slots[at].id) & places->mask;
        if (((at - home) & places->mask) >= ((at - hole) & places->mask)) {
            places->slots[hole] = places->slots[at];
            hole = at;
        }
    }
    places->slots[hole].id[0] = '\0';
}

void ht_incident_places_remove(struct ht_incident_places *places, const char *id)
{
    (void)pthread_rwlock_wrlock(&places->lock);
    size_t at = slot_of(places->slots, places->mask, id);
    if (places->slots[at].id[0] != '\0') {
        slot_clear(places, at);
        places->count--;
    }
    (void)pthread_rwlock_unlock(&places->lock);
}

void ht_incident_places_eta(struct ht_incident_places *places, const char *id, int64_t eta_ms)
{
    (void)pthread_rwlock_wrlock(&places->lock);
    struct slot *slot = &places->slots[slot_of(places->slots, places->mask, id)];
    if (slot->id[0] != '\0') {
        slot->place.live_eta_ms = eta_ms;
    }
    (void)pthread_rwlock_unlock(&places->lock);
}

bool ht_incident_places_get(struct ht_incident_places *places, const char *id,
                            struct ht_incident_place *out)
{
    (void)pthread_rwlock_rdlock(&places->lock);
    const struct slot *slot = &places->slots[slot_of(places->slots, places->mask, id)];
    bool found = slot->id[0] != '\0';
    if (found) {
        *out = slot->place;
    }
    (void)pthread_rwlock_unlock(&places->lock);
    return found;
}
