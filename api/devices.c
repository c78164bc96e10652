#include "api/devices.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/members.h"

enum { BUCKETS = 1 << 14 };

struct device {
    char id[HT_ID_MAX + 1];
    char unit[HT_ID_MAX + 1];
    bool named_crs;
    struct ht_crs crs;
    atomic_int_least64_t seen_ms; /* INT64_MIN: never */
    atomic_bool unsaved;
    struct device *next_by_id;
    struct device *next_by_unit;
};

struct ht_devices {
    pthread_rwlock_t lock;
    atomic_size_t count;
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
static void take_out(struct ht_devices *devices, const char *id)
{
    struct device *device = find(devices, id);
    if (device == NULL) {
        return;
    }
    struct device **at = &devices->by_id[bucket_of(id)];
    while (*at != device) {
        at = &(*at)->next_by_id;
    }
    *at = device->next_by_id;
    at = &devices->by_unit[bucket_of(device->unit)];
    while (*at != device) {
        at = &(*at)->next_by_unit;
    }
    *at = device->next_by_unit;
    free(device);
    (void)atomic_fetch_sub(&devices->count, 1);
}

static void put_in(struct ht_devices *devices, struct device *device)
{
    struct device **id = &devices->by_id[bucket_of(device->id)];
    struct device **unit = &devices->by_unit[bucket_of(device->unit)];
    device->next_by_id = *id;
    *id = device;
    device->next_by_unit = *unit;
    *unit = device;
    (void)atomic_fetch_add(&devices->count, 1);
}

enum ht_status ht_devices_put(struct ht_devices *devices, const char *id, const char *properties)
{
    struct ht_member member;
    char crs[HT_CRS_NAME_SIZE * 2] = "";
    struct device *device = calloc(1, sizeof *device);
    enum ht_status status = device == NULL ? HT_NOMEM : HT_OK;
    if (device != NULL) {
        atomic_init(&device->seen_ms, INT64_MIN);
    }
    bool of_unit = device != NULL && ht_member_find(properties, "unit", &member) &&
                   ht_member_text(&member, device->unit, sizeof device->unit);
    if (of_unit) {
        memcpy(device->id, id, strlen(id) + 1);
        device->named_crs = ht_member_find(properties, "crs", &member) &&
                            ht_member_text(&member, crs, sizeof crs) &&
                            ht_crs_parse(crs, strlen(crs), &device->crs) == HT_OK;
    }
    (void)pthread_rwlock_wrlock(&devices->lock);
    const struct device *before = find(devices, id);
    if (of_unit && before != NULL) {
        atomic_store(&device->seen_ms, atomic_load(&before->seen_ms));
        atomic_store(&device->unsaved, atomic_load(&before->unsaved));
    }
    take_out(devices, id);
    if (of_unit) {
        put_in(devices, device);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
    if (!of_unit) {
        free(device);
    }
    return status;
}

void ht_devices_remove(struct ht_devices *devices, const char *id)
{
    (void)pthread_rwlock_wrlock(&devices->lock);
    take_out(devices, id);
    (void)pthread_rwlock_unlock(&devices->lock);
}

/* The unit's first device that names a system. */
static const struct device *first_of(const struct ht_devices *devices, const char *unit)
{
    const struct device *first = NULL;
    const struct device *at = devices->by_unit[bucket_of(unit)];
    for (; at != NULL; at = at->next_by_unit) {
        if (at->named_crs && strcmp(at->unit, unit) == 0 &&
            (first == NULL || strcmp(at->id, first->id) < 0)) {
            first = at;
        }
    }
    return first;
}

/* Who is named so; `is_unit` as in ht_devices_find. NULL: no device. */
static struct device *named(const struct ht_devices *devices, const char *name, bool is_unit)
{
    struct device *device = find(devices, name);
    /* another unit's device may happen to be called like this one */
    return is_unit && device != NULL && strcmp(device->unit, name) != 0 ? NULL : device;
}

bool ht_devices_find(struct ht_devices *devices, const char *name, bool is_unit,
                     struct ht_device_found *out)
{
    if (atomic_load_explicit(&devices->count, memory_order_relaxed) == 0) {
        return false;
    }
    (void)pthread_rwlock_rdlock(&devices->lock);
    const struct device *device = named(devices, name, is_unit);
    const char *unit = device == NULL ? name : device->unit;
    const struct device *speaks =
        device != NULL && device->named_crs ? device : first_of(devices, unit);
    bool found = device != NULL || speaks != NULL;
    if (found) {
        *out = (struct ht_device_found){.crs = speaks == NULL ? (struct ht_crs){0} : speaks->crs};
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
        if (strcmp(at->unit, unit) == 0 && only != NULL) {
            return NULL;
        }
        only = strcmp(at->unit, unit) == 0 ? at : only;
    }
    return only;
}

void ht_devices_heard(struct ht_devices *devices, const char *name, bool is_unit, int64_t at_ms)
{
    if (atomic_load_explicit(&devices->count, memory_order_relaxed) == 0) {
        return;
    }
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = named(devices, name, is_unit);
    device = device == NULL ? only_of(devices, name) : device;
    if (device != NULL && atomic_load_explicit(&device->seen_ms, memory_order_relaxed) < at_ms) {
        atomic_store_explicit(&device->seen_ms, at_ms, memory_order_relaxed);
        atomic_store(&device->unsaved, true);
        atomic_store(&devices->unsaved, true);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

bool ht_devices_seen(struct ht_devices *devices, const char *id, int64_t *seen_ms)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    const struct device *device = find(devices, id);
    *seen_ms = device == NULL ? INT64_MIN : atomic_load(&device->seen_ms);
    (void)pthread_rwlock_unlock(&devices->lock);
    return *seen_ms != INT64_MIN;
}

void ht_devices_seen_set(struct ht_devices *devices, const char *id, int64_t seen_ms)
{
    (void)pthread_rwlock_rdlock(&devices->lock);
    struct device *device = find(devices, id);
    if (device != NULL) {
        atomic_store(&device->seen_ms, seen_ms);
    }
    (void)pthread_rwlock_unlock(&devices->lock);
}

enum ht_status
ht_devices_unsaved(struct ht_devices *devices,
                   enum ht_status (*sink)(void *user, const char *id, int64_t seen_ms), void *user)
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
                status = sink(user, device->id, atomic_load(&device->seen_ms));
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
