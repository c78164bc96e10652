/* Loads: what another process loaded into the store comes to life here (houtao load beside a
 * server).
 *
 * The one event of a load says which collection, and when: what the store has of that moment is
 * read again, and goes where a change by this server goes: units and devices to the live town,
 * zones to fences and streets, what has a name or an address to what is searched. It is there
 * within some seconds, a million households when they are read.
 *
 * Nobody waits for it: ids are listed by a thread of its own; units, devices and zones are read and
 * put by a few at a time, on the writer's thread, so that between a load and a change of the same
 * item the store's last word stands.
 *
 * Threading: from one thread. Ownership: the app is borrowed.
 */
#ifndef HT_API_LOADS_H
#define HT_API_LOADS_H

#include "engine/base/status.h"

struct ht_app;
struct ht_loads;

/* Notes loads from now on; before the live town is read, so that none is missed. */
HT_MUST_CHECK enum ht_status ht_loads_new(struct ht_app *app, struct ht_loads **out);
/* Acts on them from now on; after all that is fed is there. */
HT_MUST_CHECK enum ht_status ht_loads_start(struct ht_loads *loads);
/* While the writer runs still. NULL is fine. */
void ht_loads_free(struct ht_loads *loads);

#endif
