/* Devices: for which unit a device speaks, in which coordinate system it does, and when it was
 * heard.
 *
 * Those of the collection `devices` that name a unit. A report names a unit, or a device of one;
 * where it says no system itself, the device's is taken: that of the device named, else that of the
 * unit's first device (by id) that has one.
 *
 * When a device was heard last (by this server's clock) is kept here, and goes to the store now and
 * then. A report that names the unit is its device's where it has only one.
 *
 * Threading: any thread; a read-write lock inside, none while no device is known.
 */
#ifndef HT_API_DEVICES_H
#define HT_API_DEVICES_H

#include "geodata/collection.h"
#include "geodata/crs.h"

struct ht_devices;

HT_MUST_CHECK enum ht_status ht_devices_new(struct ht_devices **out);
void ht_devices_free(struct ht_devices *devices);

/* The registry's word about a device: its properties. HT_NOMEM: it is not known then. */
HT_MUST_CHECK enum ht_status ht_devices_put(struct ht_devices *devices, const char *id,
                                            const char *properties);
/* Nothing where there is none. */
void ht_devices_remove(struct ht_devices *devices, const char *id);

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
/* When a device was heard last; false: never, or it is no unit's. */
bool ht_devices_seen(struct ht_devices *devices, const char *id, int64_t *seen_ms);
/* As the store has it; at start. */
void ht_devices_seen_set(struct ht_devices *devices, const char *id, int64_t seen_ms);
/* Gives those that were heard since they were given last; ends with the first status that is not
 * HT_OK. */
HT_MUST_CHECK enum ht_status
ht_devices_unsaved(struct ht_devices *devices,
                   enum ht_status (*sink)(void *user, const char *id, int64_t seen_ms), void *user);
/* What was given could not be saved: all will be given again. */
void ht_devices_unsaved_return(struct ht_devices *devices);

#endif
