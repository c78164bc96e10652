/* Incident places: where incidents are, and when the first unit will be there as it drives now; in
 * memory, beside the desk, which knows no places.
 *
 * Threading: any thread; a read-write lock inside. Errors: HT_NOMEM.
 */
#ifndef HT_API_INCIDENT_PLACES_H
#define HT_API_INCIDENT_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

struct ht_incident_places;

struct ht_incident_place {
    struct ht_point point;
    int64_t live_eta_ms; /* at the door; 0: not known */
    const char *written; /* as GeoJSON in the system that is asked for; NULL: to be worked out */
};

HT_MUST_CHECK enum ht_status ht_incident_places_new(struct ht_incident_places **out);
void ht_incident_places_free(struct ht_incident_places *places);

HT_MUST_CHECK enum ht_status ht_incident_places_put(struct ht_incident_places *places,
                                                    const char *id, struct ht_point point);
/* Room for one more: the next put of this thread succeeds, where no other puts. */
HT_MUST_CHECK enum ht_status ht_incident_places_reserve(struct ht_incident_places *places);
/* Nothing where there is none. */
void ht_incident_places_remove(struct ht_incident_places *places, const char *id);
void ht_incident_places_eta(struct ht_incident_places *places, const char *id, int64_t eta_ms);
/* False: there is none. */
bool ht_incident_places_get(struct ht_incident_places *places, const char *id,
                            struct ht_incident_place *out);

#endif
