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
    struct device *next_by_id;
    struct device *next_by_unit;
};

struct ht_devices {
    pthread_rwlock_t lock;
    atomic_size_t count;
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
    bool of_unit = device != NULL && ht_member_find(properties, "unit", &member) &&
                   ht_member_text(&member, device->unit, sizeof device->unit);
    if (of_unit) {
        memcpy(device->id, id, strlen(id) + 1);
        device->named_crs = ht_member_find(properties, "crs", &member) &&
                            ht_member_text(&member, crs, sizeof crs) &&
                            ht_crs_parse(crs, strlen(crs), &device->crs) == HT_OK;
    }
    (void)pthread_rwlock_wrlock(&devices->lock);
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

bool ht_devices_find(struct ht_devices *devices, const char *name, bool is_unit,
                     struct ht_device_found *out)
{
    if (atomic_load_explicit(&devices->count, memory_order_relaxed) == 0) {
        return false;
    }
    (void)pthread_rwlock_rdlock(&devices->lock);
    const struct device *device = find(devices, name);
    if (is_unit && device != NULL && strcmp(device->unit, name) != 0) {
        device = NULL; /* another unit's device happens to be called like this one */
    }
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
