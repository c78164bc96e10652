/* Visit site: what the registry says of a place that is visited: a factory, a facility, or a
 * household; whose border a check-in lies in, whose risk and cell count.
 *
 * An id is looked for among factories, then facilities, then households. Its border is that of its
 * own polygon, and of the zone of kind `fence` that has the same id, where there is one.
 *
 * Threading: with the thread's own reader. Ownership: _deinit after each find, also after an error.
 */
#ifndef HT_API_VISIT_SITE_H
#define HT_API_VISIT_SITE_H

#include "engine/base/geo.h"
#include "geodata/geometry.h"
#include "geodata/store.h"

struct ht_visit_site {
    const struct ht_collection *collection;
    struct ht_geometry geometry;
    struct ht_geometry fence; /* HT_GEOMETRY_NONE: there is none */
    struct ht_point point;    /* its entrance, else its first point */
    bool placed;              /* it lies anywhere */
    uint8_t risk;             /* 1 to 4; 1 where nobody says */
    char cell[HT_ID_MAX + 1]; /* "" none */
    char *properties;
};

/* HT_NOT_FOUND: there is none. */
HT_MUST_CHECK enum ht_status ht_visit_site_find(struct ht_store_reader *reader, const char *id,
                                                struct ht_visit_site *out, struct ht_error *error);
/* Whether it is a household; also where nobody can tell, as of one that left the registry. */
bool ht_visit_site_is_home(struct ht_store_reader *reader, const char *id);
void ht_visit_site_deinit(struct ht_visit_site *site);

/* How far a point lies outside of it, in metres; 0: within its border. Of a site that lies nowhere,
 * UINT32_MAX. */
uint32_t ht_visit_site_distance_m(const struct ht_visit_site *site, struct ht_point point);

/* A tenant's risk, the site's where it has none of its own. HT_NOT_FOUND: the site has tenants, and
 * none of that id. */
HT_MUST_CHECK enum ht_status ht_visit_site_tenant(const struct ht_visit_site *site,
                                                  const char *tenant, uint8_t *risk);
/* Whether it has that tenant; one that names none has none. */
bool ht_visit_site_has(const struct ht_visit_site *site, const char *tenant);

#endif
