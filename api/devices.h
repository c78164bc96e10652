/* Devices: what the registry's collection `devices` says of each, and when it was heard.
 *
 * A report names a unit, or a device of one; where it says no system itself, the device's is taken:
 * that of the device named, else that of the unit's first device (by id) that has one.
 *
 * When a device was heard last (by this server's clock) and its battery are kept here, and go to
 * the store now and then. A report that names the unit is its device's where it has only one.
 * Devices that are no unit's (those of homes) speak through the device book (api/device_book.h).
 *
 * Threading: any thread; a read-write lock inside, none for reports while no unit has a device.
 */
#ifndef HT_API_DEVICES_H
#define HT_API_DEVICES_H

#include "geodata/collection.h"
#include "geodata/crs.h"
#include "geodata/digest.h"

struct ht_devices;

HT_MUST_CHECK enum ht_status ht_devices_new(struct ht_devices **out);
void ht_devices_free(struct ht_devices *devices);

/* The registry's word about a device: its properties, and those that are personal (NULL: among the
 * others). HT_NOMEM: it is not known then. */
HT_MUST_CHECK enum ht_status ht_devices_put(struct ht_devices *devices, const char *id,
                                            const char *properties, const char *personal);
/* Nothing where there is none. */
void ht_devices_remove(struct ht_devices *devices, const char *id);
/* What is personal of it was erased: its household and its key. */
void ht_devices_erase(struct ht_devices *devices, const char *id);

/* What is known about who is named in a report. */
struct ht_device_found {
    char unit[HT_ID_MAX + 1];
    struct ht_crs crs;
};
/* `is_unit`: the name is a unit's, whatever devices are called. False: nothing is known of it. */
bool ht_devices_find(struct ht_devices *devices, const char *name, bool is_unit,
                     struct ht_device_found *out);

/* Who is named so reported at `at_ms`. */
void ht_devices_heard(struct ht_devices *devices, const char *name, bool is_unit, int64_t at_ms);

/* What was heard of a device. */
struct ht_device_heard {
    int64_t seen_ms; /* by the server's clock */
    int battery;     /* percent; below 0: it never said */
    bool silent;     /* that it was silent since has been told */
};
/* False: it was never heard. */
bool ht_devices_seen(struct ht_devices *devices, const char *id, struct ht_device_heard *out);
/* As the store has it; at start. */
void ht_devices_seen_set(struct ht_devices *devices, const char *id,
                         const struct ht_device_heard *heard);
/* Gives those of which something was heard since they were given last; ends with the first status
 * that is not HT_OK. */
HT_MUST_CHECK enum ht_status ht_devices_unsaved(
    struct ht_devices *devices,
    enum ht_status (*sink)(void *user, const char *id, const struct ht_device_heard *heard),
    void *user);
/* What was given could not be saved: all will be given again. */
void ht_devices_unsaved_return(struct ht_devices *devices);

/* ---- for the device book ---- */

/* Before the hexadecimal SHA-256 of a key, in the property `key`. */
#define HT_DEVICE_KEY_DIGEST "sha256:"

/* The registry's word about one. */
struct ht_device_entry {
    char unit[HT_ID_MAX + 1];      /* "" none */
    char household[HT_ID_MAX + 1]; /* "" none */
    char protocol[32];             /* "" any */
    char key[HT_DIGEST_TEXT];      /* SHA-256 of its key; "" none */
    bool blocked;
    bool named_crs;
    struct ht_crs crs;
};
/* False: it is not in the registry. */
bool ht_devices_look(struct ht_devices *devices, const char *id, struct ht_device_entry *out);
/* It was heard itself: whatever silence there was is over. `battery` below 0: it does not say. */
void ht_devices_met(struct ht_devices *devices, const char *id, int64_t at_ms, int battery);
/* It went, as its broker or its connection says. */
void ht_devices_went(struct ht_devices *devices, const char *id, int64_t at_ms);

/* Of homes, those that were not heard since `seen_ms`, or went before `went_ms` and did not come
 * back, as far as it is not told yet: the first `most`, into `list`. Linear in the devices. */
struct ht_device_silent {
    char id[HT_ID_MAX + 1];
    int64_t seen_ms;
};
size_t ht_devices_silent(struct ht_devices *devices, int64_t seen_ms, int64_t went_ms,
                         struct ht_device_silent *list, size_t most);
/* It is told that one was silent since then; nothing where it was heard meanwhile. */
void ht_devices_silence_told(struct ht_devices *devices, const struct ht_device_silent *silent);

#endif
