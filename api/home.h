/* Home: where one goes to reach a household, as the registry says it.
 *
 * Threading: with the thread's own reader. Ownership: values.
 */
#ifndef HT_API_HOME_H
#define HT_API_HOME_H

#include <stdbool.h>

#include "engine/base/geo.h"
#include "geodata/store.h"

/* Where one goes to reach a household: its entrance, else where it lies. False: nowhere. */
bool ht_home_point(const struct ht_store_item *item, struct ht_point *out);

struct ht_home {
    struct ht_point point;    /* where it lies */
    struct ht_point entrance; /* where one goes in; `point` where the registry names none */
    int floor;                /* 1 where it says nothing */
    bool lift;
};

/* How fast one walks, and what floors take. */
struct ht_home_pace {
    double walk_mps;
    uint32_t stairs_ms; /* a floor on foot */
    uint32_t lift_ms;   /* by lift, any floor */
};

/* What is between a home's entrance and its door. */
struct ht_home_inside {
    float walk_m;
    int16_t floors; /* up or down */
    bool lift;
};
struct ht_home_inside ht_home_inside(const struct ht_home *home);

/* From the street, `street_m` from the entrance, to the door; inside NULL: to the place itself. At
 * most an hour. */
uint32_t ht_home_access_ms(const struct ht_home_pace *pace, const struct ht_home_inside *inside,
                           double street_m);

/* As the registry says it. False: it has no place. */
bool ht_home_read(const struct ht_store_item *item, struct ht_home *out);

/* HT_NOT_FOUND: there is no such household, or it has no place. */
HT_MUST_CHECK enum ht_status ht_home_find(struct ht_store_reader *reader, const char *id,
                                          struct ht_home *out, struct ht_error *error);

/* Whether somebody frail lives there; false also where there is no such household. The caller
 * answers nobody with it. */
HT_MUST_CHECK enum ht_status ht_home_is_frail(struct ht_store_reader *reader, const char *id,
                                              bool *out, struct ht_error *error);

/* The household that a device watches over. HT_NOT_FOUND: no such device, or none of a household.
 */
HT_MUST_CHECK enum ht_status ht_home_of_device(struct ht_store_reader *reader, const char *device,
                                               char household[HT_ID_MAX + 1],
                                               struct ht_error *error);

#endif
