#include "api/devices.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/members.h"

enum { BUCKETS = 1 << 14 };

struct device {
    struct ht_device_entry entry;
    atomic_int_least64_t seen_ms; /* INT64_MIN: never */
    atomic_int_least64_t went_ms; /* INT64_MAX: it did not */
    atomic_int battery;           /* below 0: not known */
    atomic_bool silent;           /* told */
    atomic_bool unsaved;
    struct device *next_by_id;
    struct device *next_by_unit; /* of those that are a unit's */
    char id[];
};

struct ht_devices {
    pthread_rwlock_t lock;
    atomic_size_t of_units;
    atomic_bool unsaved; /* some of them */
    struct device *by_id[BUCKETS];
    struct device *by_unit[BUCKETS];
};

enum ht_status ht_devices_new(struct ht_devices **out)
{
    struct ht_devices *devices = calloc(1, sizeof *devices);
    if (devices == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_rwlock_init(&devices->lock, NULL);
    *out = devices;
    return HT_OK;
}

void ht_devices_free(struct ht_devices *devices)
{
    if (devices == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (devices->by_id[i] != NULL) {
            struct device *device = devices->by_id[i];
            devices->by_id[i] = device->next_by_id;
            free(device);
        }
    }
    (void)pthread_rwlock_destroy(&devices->lock);
    free(devices);
}

/* FNV-1a. */
static size_t bucket_of(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *id != '\0'; id++) {
        hash = (hash ^ (uint8_t)*id) * UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ hash >> 32) % BUCKETS;
}

static struct device *find(const struct ht_devices *devices, const char *id)
{
    struct device *device = devices->by_id[bucket_of(id)];
    while (device != NULL && strcmp(device->id, id) != 0) {
        device = device->next_by_id;
    }
    return device;
}

/* Needs the lock for writing. */
static void take_out(struct ht_devices *devices, struct device *device)
{
    struct device **at = &devices->by_id[bucket_of(device->id)];
    while (*at != device) {
        at = &(*at)->next_by_id;
    }
    *at = device->next_by_id;
    if (device->entry.unit[0] != '\0') {
        at = &devices->by_unit[bucket_of(device->entry.unit)];
        while (*at != device) {
            at = &(*at)->next_by_unit;
        }
        *at = device->next_by_unit;
        (void)atomic_fetch_sub(&devices->of_units, 1);
    }
    free(device);
}

static void put_in(struct ht_devices *devices, struct device *device)
{
    struct device **id = &devices->by_id[bucket_of(device->id)];
    device->next_by_id = *id;
    *id = device;
    if (device->entry.unit[0] != '\0') {
        struct device **unit = &devices->by_unit[bucket_of(device->entry.unit)];
        device->next_by_unit = *unit;
        *unit = device;
        (void)atomic_fetch_add(&devices->of_units, 1);
    }
}

/* A property's text; "" where there is none. */
static void text_of(const char *properties, const char *personal, const char *name, char *out,
                    size_t size)
{
    struct ht_member member;
    out[0] = '\0';
    if ((ht_member_find(properties, name, &member) ||
         (personal != NULL && ht_member_find(personal, name, &member))) &&
        !ht_member_text(&member, out, size)) {
        out[0] = '\0';
    }
}

/* The digest of a key that stands plain, or as its digest. */
static enum ht_status key_of(const char *text, char key[HT_DIGEST_TEXT])
{
    size_t prefix = strlen(HT_DEVICE_KEY_DIGEST);
    size_t size = strlen(text);
    key[0] = '\0';
    if (strncmp(text, HT_DEVICE_KEY_DIGEST, prefix) == 0 && size == prefix + HT_DIGEST_TEXT - 1) {
        for (size_t i = 0; i < HT_DIGEST_TEXT - 1; i++) {
            char c = text[prefix + i];
            key[i] = (char)(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
        }
        key[HT_DIGEST_TEXT - 1] = '\0';
        return HT_OK;
    }
    return size == 0 ? HT_OK : ht_digest_of(text, size, key);
}

static enum ht_status entry_read(const char *properties, const char *personal,
                                 struct ht_device_entry *entry)
{
    char text[4096 + 1] = ""; /* as long as a text property may be */
    text_of(properties, personal, "unit", entry->unit, sizeof entry->unit);
    text_of(properties, personal, "household", entry->household, sizeof entry->household);
    text_of(properties, personal, "protocol", entry->protocol, sizeof entry->protocol);
    text_of(properties, personal, "state", text, sizeof text);
    entry->blocked = strcmp(text, "blocked") == 0;
    text_of(properties, personal, "crs", text, sizeof text);
    entry->named_crs = ht_crs_parse(text, strlen(text), &entry->crs) == HT_OK && text[0] != '\0';
    entry->crs = entry->named_crs ? entry->crs : (struct ht_crs){0};
    text_of(properties, personal, "key", text, sizeof text);
    return key_of(text, entry->key);
}

/* What was heard of it stays. */
static void heard_keep(struct device *device, const struct device *before)
{
    atomic_init(&device->seen_ms, before == NULL ? INT64_MIN : atomic_load(&before->seen_ms));
    atomic_init(&device->went_ms, before == NULL ? INT64_MAX : atomic_load(&before->went_ms));
    atomic_init(&device->battery, before == NULL ? -1 : atomic_load(&before->battery));
    atomic_init(&device->silent, before != NULL && atomic_load(&before->silent));
    atomic_init(&device->unsaved, before != NULL && atomic_load(&before->unsaved));
}

enum ht_status ht_devices_put(struct ht_devices *devices, const char *id, const char *properties,
                              const char *personal)
{
    size_t size = strlen(id) + 1;
    struct device *device = calloc(1, sizeof *device + size);
    enum ht_status status =
        device == NULL ? HT_NOMEM : entry_read(properties, personal, &device->entry);
    (void)pthread_rwlock_wrlock(&devices->lock);
    struct device *before = find(devices, id);
    if (status == HT_OK) {
        memcpy(device->id, id, size);
        heard_keep(device, before);
    }
    if (before != NULL) {
        take_out(devices, before);
    }
    if (status == HT_OK) {
        put_in(devices, device);
        device = NULL;
    }
    (void)pthread_rwlock_unlock(&devices->lock);
    free(device);
    return status;
}

void ht_devices_remove(struct ht_devices *devices, const char *id)
{
    (void)pthread_rwlock_wrlock(&devices->lock);
    struct device *device = find(devices, id);
    if (device != NULL) {
        take_out(devices, device);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

void ht_devices_erase(struct ht_devices *devices, const char *id)
{
    (void)pthread_rwlock_wrlock(&devices->lock);
    struct device *device = find(devices, id);
    if (device != NULL) {
        device->entry.household[0] = '\0';
        device->entry.key[0] = '\0';
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

/* The unit's first device that names a system. */
static const struct device *first_of(const struct ht_devices *devices, const char *unit)
{
    const struct device *first = NULL;
    const struct device *at = devices->by_unit[bucket_of(unit)];
    for (; at != NULL; at = at->next_by_unit) {
        if (at->entry.named_crs && strcmp(at->entry.unit, unit) == 0 &&
            (first == NULL || strcmp(at->id, first->id) < 0)) {
            first = at;
        }
    }
    return first;
}

/* Who is named so; `is_unit` as in ht_devices_find. NULL: no device of a unit. */
static struct device *named(const struct ht_devices *devices, const char *name, bool is_unit)
{
    struct device *device = find(devices, name);
    /* another unit's device may happen to be called like this one, and a home's is none */
    bool other = device != NULL && (device->entry.unit[0] == '\0' ||
                                    (is_unit && strcmp(device->entry.unit, name) != 0));
    return other ? NULL : device;
}

bool ht_devices_find(struct ht_devices *devices, const char *name, bool is_unit,
                     struct ht_device_found *out)
{
    if (atomic_load_explicit(&devices->of_units, memory_order_relaxed) == 0) {
        return false;
    }
    (void)pthread_rwlock_rdlock(&devices->lock);
    const struct device *device = named(devices, name, is_unit);
    const char *unit = device == NULL ? name : device->entry.unit;
    const struct device *speaks =
        device != NULL && device->entry.named_crs ? device : first_of(devices, unit);
    bool found = device != NULL || speaks != NULL;
    if (found) {
        *out = (struct ht_device_found){.crs = speaks == NULL ? (struct ht_crs){0}
                                                              : speaks->entry.crs};
        memcpy(out->unit, unit, strlen(unit) + 1);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
    return found;
}

/* The unit's device, where it has one and no more. */
static struct device *only_of(const struct ht_devices *devices, const char *unit)
{
    struct device *only = NULL;
    struct device *at = devices->by_unit[bucket_of(unit)];
    for (; at != NULL; at = at->next_by_unit) {
        if (strcmp(at->entry.unit, unit) == 0 && only != NULL) {
            return NULL;
        }
        only = strcmp(at->entry.unit, unit) == 0 ? at : only;
    }
    return only;
}

/* Something of it is to be saved. */
static void mark(struct ht_devices *devices, struct device *device)
{
    atomic_store(&device->unsaved, true);
    atomic_store(&devices->unsaved, true);
}

static void heard(struct ht_devices *devices, struct device *device, int64_t at_ms)
{
    if (atomic_load_explicit(&device->seen_ms, memory_order_relaxed) < at_ms) {
        atomic_store_explicit(&device->seen_ms, at_ms, memory_order_relaxed);
        mark(devices, device);
    }
}

void ht_devices_heard(struct ht_devices *devices, const char *name, bool is_unit, int64_t at_ms)
{
    if (atomic_load_explicit(&devices->of_units, memory_order_relaxed) == 0) {
        return;
    }
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = named(devices, name, is_unit);
    device = device == NULL ? only_of(devices, name) : device;
    if (device != NULL) {
        heard(devices, device, at_ms);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

/* ---- what was heard ---- */

static struct ht_device_heard heard_of(struct device *device)
{
    return (struct ht_device_heard){.seen_ms = atomic_load(&device->seen_ms),
                                    .battery = atomic_load(&device->battery),
                                    .silent = atomic_load(&device->silent)};
}

bool ht_devices_seen(struct ht_devices *devices, const char *id, struct ht_device_heard *out)
{
    *out = (struct ht_device_heard){.seen_ms = INT64_MIN, .battery = -1};
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = find(devices, id);
    if (device != NULL) {
        *out = heard_of(device);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
    return out->seen_ms != INT64_MIN;
}

void ht_devices_seen_set(struct ht_devices *devices, const char *id,
                         const struct ht_device_heard *known)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = find(devices, id);
    if (device != NULL) {
        atomic_store(&device->seen_ms, known->seen_ms);
        atomic_store(&device->battery, known->battery);
        atomic_store(&device->silent, known->silent);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

enum ht_status ht_devices_unsaved(struct ht_devices *devices,
                                  enum ht_status (*sink)(void *user, const char *id,
                                                         const struct ht_device_heard *heard),
                                  void *user)
{
    enum ht_status status = HT_OK;
    if (!atomic_exchange(&devices->unsaved, false)) {
        return HT_OK;
    }
    (void)pthread_rwlock_rdlock(&devices->lock);
    for (size_t i = 0; i < BUCKETS && status == HT_OK; i++) {
        struct device *device = devices->by_id[i];
        for (; device != NULL && status == HT_OK; device = device->next_by_id) {
            if (atomic_exchange(&device->unsaved, false)) {
                struct ht_device_heard now = heard_of(device);
                status = sink(user, device->id, &now);
            }
        }
    }
    (void)pthread_rwlock_unlock(&devices->lock);
    return status;
}

void ht_devices_unsaved_return(struct ht_devices *devices)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    for (size_t i = 0; i < BUCKETS; i++) {
        struct device *device = devices->by_id[i];
        for (; device != NULL; device = device->next_by_id) {
            atomic_store(&device->unsaved, atomic_load(&device->seen_ms) != INT64_MIN);
        }
    }
    atomic_store(&devices->unsaved, true);
    (void)pthread_rwlock_unlock(&devices->lock);
}

/* ---- for the device book ---- */

bool ht_devices_look(struct ht_devices *devices, const char *id, struct ht_device_entry *out)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    const struct device *device = find(devices, id);
    if (device != NULL) {
        *out = device->entry;
    }
    (void)pthread_rwlock_unlock(&devices->lock);
    return device != NULL;
}

void ht_devices_met(struct ht_devices *devices, const char *id, int64_t at_ms, int battery)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = find(devices, id);
    if (device != NULL) {
        atomic_store_explicit(&device->went_ms, INT64_MAX, memory_order_relaxed);
        if (atomic_exchange(&device->silent, false)) {
            mark(devices, device);
        }
        if (battery >= 0 && atomic_exchange(&device->battery, battery) != battery) {
            mark(devices, device);
        }
        heard(devices, device, at_ms);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

void ht_devices_went(struct ht_devices *devices, const char *id, int64_t at_ms)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = find(devices, id);
    if (device != NULL) {
        atomic_store(&device->went_ms, at_ms);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

static bool is_silent(struct device *device, int64_t seen_ms, int64_t went_ms)
{
    int64_t heard_ms = atomic_load_explicit(&device->seen_ms, memory_order_relaxed);
    return heard_ms != INT64_MIN && device->entry.household[0] != '\0' && !device->entry.blocked &&
           !atomic_load_explicit(&device->silent, memory_order_relaxed) &&
           (heard_ms <= seen_ms ||
            atomic_load_explicit(&device->went_ms, memory_order_relaxed) <= went_ms);
}

size_t ht_devices_silent(struct ht_devices *devices, int64_t seen_ms, int64_t went_ms,
                         struct ht_device_silent *list, size_t most)
{
    size_t count = 0;
    (void)pthread_rwlock_rdlock(&devices->lock);
    for (size_t i = 0; i < BUCKETS && count < most; i++) {
        struct device *device = devices->by_id[i];
        for (; device != NULL && count < most; device = device->next_by_id) {
            if (is_silent(device, seen_ms, went_ms)) {
                (void)snprintf(list[count].id, sizeof list[count].id, "%s", device->id);
                list[count++].seen_ms = atomic_load(&device->seen_ms);
            }
        }
    }
    (void)pthread_rwlock_unlock(&devices->lock);
    return count;
}

void ht_devices_silence_told(struct ht_devices *devices, const struct ht_device_silent *silent)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = find(devices, silent->id);
    if (device != NULL && atomic_load(&device->seen_ms) == silent->seen_ms) {
        atomic_store(&device->silent, true);
        mark(devices, device);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}
