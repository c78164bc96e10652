/* Zones: what the registry says of them, and the map that obeys.
 *
 * `closed`: no way in or out but for profiles of emergencies; `controlled`: in, but not out;
 * `watched` and `fence`: nothing in routing. Only those whose time has come and is not over, and
 * none that waits for a regime that is off (api/regime_book.h). The
 * table is read from the store, and outlives the map. The keeper of the app wakes when a zone
 * begins or ends.
 *
 * Threading: all functions from any thread; those that change what holds take the app's open_lock.
 * Ownership: the table copies.
 */
#ifndef HT_API_ZONES_H
#define HT_API_ZONES_H

#include "api/app.h"

struct ht_zone_table;

HT_MUST_CHECK enum ht_status ht_zone_table_new(struct ht_zone_table **out);
void ht_zone_table_free(struct ht_zone_table *table);

/* Reads all zones and makes the world obey; after network and store are open. */
HT_MUST_CHECK enum ht_status ht_app_zones_open(struct ht_app *app, struct ht_error *error);
/* The same after zones of these ids were put or taken away, as `reader` sees them: the next answer
 * obeys. HT_BUSY, HT_NOMEM: they are to be put again; what the table knows of them the keeper will
 * make the world obey. */
HT_MUST_CHECK enum ht_status ht_app_zones_follow(struct ht_app *app, struct ht_store_reader *reader,
                                                 const char *const *ids, size_t count);

/* The world obeys the table of now, also where another regime is on. HT_NOMEM: the keeper will. */
HT_MUST_CHECK enum ht_status ht_app_zones_obey(struct ht_app *app);

/* A zone by its id, whatever its kind and time, with a reference for the caller; NULL: there is
 * none. */
struct ht_zone *ht_zones_find(struct ht_zone_table *table, const char *id, size_t size);

/* The closed and controlled zones that hold at another time, by regimes as they are now. */
struct ht_zones_then {
    struct ht_zone **list; /* held */
    size_t count;
    int64_t from_ms;  /* they are the same since the one */
    int64_t until_ms; /* and until the other */
};
HT_MUST_CHECK enum ht_status ht_zones_at(struct ht_app *app, int64_t at_ms,
                                         struct ht_zones_then *out);
void ht_zones_then_deinit(struct ht_zones_then *then);

/* Of the app's own rooms, with open_lock held: tells a map what holds at the moment; when that
 * changes next (INT64_MAX: never). */
HT_MUST_CHECK enum ht_status ht__zones_tell(struct ht_app *app, struct ht_map *map);
int64_t ht__zones_next_change(struct ht_app *app);
/* Whether a zone with these `profiles` concerns units of a profile in the present world (`user`:
 * the app). Where there is no world, or it has no such profile, a zone without names does. */
bool ht__zones_concern(void *user, const char *profiles, const char *profile);

#endif
