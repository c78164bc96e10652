/* Devices: for which unit a device speaks, and in which coordinate system it does.
 *
 * Those of the collection `devices` that name a unit. A report names a unit, or a device of one;
 * where it says no system itself, the device's is taken: that of the device named, else that of the
 * unit's first device (by id) that has one.
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

#endif
