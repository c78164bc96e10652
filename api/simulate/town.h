/* Town: who lives there, what moves there, as the registry says: read over OGC API - Features, so
 * that any town can be simulated.
 *
 * Threading: one thread. Ownership: the town owns its lists.
 */
#ifndef HT_API_SIMULATE_TOWN_H
#define HT_API_SIMULATE_TOWN_H

#include "api/simulate/client.h"
#include "engine/base/geo.h"
#include "engine/live/desk.h"

enum { HT_SIM_ID = 65 };

struct ht_sim_home {
    char id[HT_SIM_ID];
    struct ht_point point;
    struct ht_point door; /* where a van stops for it: its entrance, or itself */
    uint32_t kitchen;     /* the nearest */
    int floor;            /* 1: the ground */
    bool lift;
};

struct ht_sim_site {
    char id[HT_SIM_ID];
    struct ht_point point;
};

struct ht_sim_device {
    char id[HT_SIM_ID];
    char household[HT_SIM_ID];
    const char *alarm; /* the kind that it raises */
};

enum ht_sim_unit_kind { HT_SIM_VAN, HT_SIM_RESPONDER, HT_SIM_INSPECTOR, HT_SIM_UNIT_KINDS };

struct ht_sim_unit {
    char id[HT_SIM_ID];
    char profile[32];
    enum ht_sim_unit_kind kind;
    struct ht_point point;
};

struct ht_sim_town {
    struct ht_sim_home *homes;
    size_t home_count;
    size_t home_capacity;
    uint32_t *buildings; /* [home_count] of homes that follow each other and share a door */
    struct ht_sim_site *kitchens;
    size_t kitchen_count;
    size_t kitchen_capacity;
    struct ht_sim_site *sites; /* that are to be seen */
    size_t site_count;
    size_t site_capacity;
    struct ht_sim_device *devices;
    size_t device_count;
    size_t device_capacity;
    struct ht_sim_unit *units;
    size_t unit_count;
    size_t unit_capacity;
};

/* Reads it; of households the first `households_most` alone. HT_INVALID: the server did not answer
 * as it should, `error` says how; HT_IO, HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_sim_town_read(struct ht_sim_client *client, size_t households_most,
                                              struct ht_sim_town *out, struct ht_error *error);
void ht_sim_town_deinit(struct ht_sim_town *town);

#endif
