#include "engine/live/permits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

/* Ids one behind the other, each with its end, in order. */
struct set {
    size_t holders; /* 0: vacant */
    char *text;
    size_t size;
    size_t count;
};

struct ht_permits {
    pthread_mutex_t lock;
    struct set *sets; /* by number - 1 */
    size_t set_count;
    size_t capacity;
    _Atomic uint32_t end; /* one more than the highest number held */
    atomic_uint_least64_t state;
};

enum ht_status ht_permits_new(struct ht_permits **out)
{
    struct ht_permits *permits = calloc(1, sizeof *permits);
    if (permits == NULL || pthread_mutex_init(&permits->lock, NULL) != 0) {
        free(permits);
        return HT_NOMEM;
    }
    atomic_init(&permits->end, 1);
    *out = permits;
    return HT_OK;
}

void ht_permits_free(struct ht_permits *permits)
{
    if (permits != NULL) {
        for (size_t i = 0; i < permits->set_count; i++) {
            free(permits->sets[i].text);
        }
        free(permits->sets);
        (void)pthread_mutex_destroy(&permits->lock);
        free(permits);
    }
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static enum ht_status set_fill(const char **sorted, size_t count, struct set *out)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (sorted[i][0] == '\0' || strchr(sorted[i], ',') != NULL) {
            return HT_INVALID;
        }
        size += strlen(sorted[i]) + 1;
    }
    *out = (struct set){.text = malloc(size)};
    if (out->text == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(sorted[i - 1], sorted[i]) != 0) {
            size_t length = strlen(sorted[i]) + 1;
            memcpy(out->text + out->size, sorted[i], length);
            out->size += length;
            out->count++;
        }
    }
    return HT_OK;
}

static enum ht_status set_make(const char *const *zones, size_t count, struct set *out)
{
    const char **sorted = ht_array_new(count, sizeof(const char *));
    if (sorted == NULL) {
        return HT_NOMEM;
    }
    if (count > 0) {
        memcpy((void *)sorted, (const void *)zones, count * sizeof(const char *));
    }
    qsort((void *)sorted, count, sizeof(const char *), by_text);
    enum ht_status status = set_fill(sorted, count, out);
    free((void *)sorted);
    return status;
}

/* The set among those that are there, or where it would be. Needs the lock. */
static size_t place_of(const struct ht_permits *permits, const struct set *set)
{
    size_t vacant = permits->set_count;
    for (size_t i = 0; i < permits->set_count; i++) {
        const struct set *other = &permits->sets[i];
        if (other->holders == 0) {
            vacant = vacant == permits->set_count ? i : vacant;
        } else if (other->size == set->size && memcmp(other->text, set->text, set->size) == 0) {
            return i;
        }
    }
    return vacant;
}

static void end_find(struct ht_permits *permits)
{
    size_t count = permits->set_count;
    while (count > 0 && permits->sets[count - 1].holders == 0) {
        count--;
    }
    atomic_store_explicit(&permits->end, (uint32_t)count + 1, memory_order_release);
}

/* Takes the set over, or frees it. Needs the lock. */
static enum ht_status set_put(struct ht_permits *permits, struct set *set, uint32_t *number)
{
    size_t at = place_of(permits, set);
    void *list = permits->sets;
    enum ht_status status =
        ht_array_reserve(&list, &permits->capacity, at + 1, sizeof *permits->sets);
    permits->sets = list;
    if (status != HT_OK) {
        free(set->text);
        return status;
    }
    if (at < permits->set_count && permits->sets[at].holders > 0) {
        free(set->text);
    } else {
        permits->set_count += at == permits->set_count;
        permits->sets[at] = *set;
    }
    permits->sets[at].holders++;
    *number = (uint32_t)at + 1;
    end_find(permits);
    return HT_OK;
}

enum ht_status ht_permits_hold(struct ht_permits *permits, const char *const *zones, size_t count,
                               uint32_t *number)
{
    struct set set;
    *number = 0;
    if (count == 0) {
        return HT_OK;
    }
    enum ht_status status = set_make(zones, count, &set);
    if (status == HT_OK) {
        (void)pthread_mutex_lock(&permits->lock);
        status = set_put(permits, &set, number);
        (void)pthread_mutex_unlock(&permits->lock);
    }
    return status;
}

void ht_permits_drop(struct ht_permits *permits, uint32_t number)
{
    if (number == 0) {
        return;
    }
    (void)pthread_mutex_lock(&permits->lock);
    struct set *set = &permits->sets[number - 1];
    if (--set->holders == 0) {
        free(set->text);
        *set = (struct set){0};
        end_find(permits);
    }
    (void)pthread_mutex_unlock(&permits->lock);
}

uint32_t ht_permits_count(const struct ht_permits *permits)
{
    return atomic_load_explicit(&permits->end, memory_order_acquire);
}

bool ht_permits_has(struct ht_permits *permits, uint32_t number, const char *zone)
{
    bool has = false;
    (void)pthread_mutex_lock(&permits->lock);
    if (number > 0 && number <= permits->set_count) {
        const struct set *set = &permits->sets[number - 1];
        for (size_t at = 0; at < set->size && !has; at += strlen(set->text + at) + 1) {
            has = strcmp(set->text + at, zone) == 0;
        }
    }
    (void)pthread_mutex_unlock(&permits->lock);
    return has;
}

void ht_permits_begin(struct ht_permits *permits)
{
    (void)atomic_fetch_add(&permits->state, 1);
}

void ht_permits_end(struct ht_permits *permits)
{
    (void)atomic_fetch_add(&permits->state, 1);
}

uint64_t ht_permits_state(const struct ht_permits *permits)
{
    return atomic_load(&permits->state);
}
