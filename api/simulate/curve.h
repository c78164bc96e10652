/* Curve: what befalls a town on a day: who orders a meal when, which device calls, which street is
 * dug up. Made at once from the seed, before anything is sent.
 *
 *   orders   07:30 ... 10:30 for lunch      13:00 ... 16:00 for dinner
 *            .:|||:|                        .:|:.
 *   due      11:00-12:00, 11:30-12:30, 12:00-13:00       16:30-17:30, 17:00-18:00
 *
 * Of a hundred households six want lunch and two dinner (times `rate`); they live door to door:
 * where one orders, three in eight of that building do, as neighbours tell each other and a van
 * comes anyway. Alarms come all day, more of them when people get up and in the evening. A storm
 * adds some in the middle of what is simulated, a third of them told again by the same device soon
 * after.
 *
 * Threading: pure functions. Ownership: the list is the caller's, free() it.
 */
#ifndef HT_API_SIMULATE_CURVE_H
#define HT_API_SIMULATE_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum ht_sim_happening_kind {
    HT_SIM_ORDER,   /* subject: a household */
    HT_SIM_ALARM,   /* subject: a device */
    HT_SIM_CLOSURE, /* subject: a household near a street, which is closed */
    HT_SIM_ZONE,    /* likewise: a small zone is drawn there */
    HT_SIM_HAPPENINGS
};

struct ht_sim_happening {
    int64_t at_ms;
    enum ht_sim_happening_kind kind;
    uint32_t subject;
    uint32_t number;     /* of its kind on this day, from 0 on */
    int64_t due_from_ms; /* of an order */
    int64_t due_to_ms;   /* of an order: due; of closures and zones: over */
    uint32_t load;       /* meals */
};

struct ht_sim_curve {
    uint64_t seed;
    int64_t day_ms; /* when the day begins by the town's clock, in UTC */
    int64_t from_ms;
    int64_t to_ms;
    uint32_t households;
    const uint32_t *building; /* [households] the building of each; NULL: each has its own */
    uint32_t devices;
    double rate;
    double alarms; /* a day, before `rate` */
    bool storm;
};

/* What begins in [from, to), by time; and at `from` the orders that were made before and whose
 * window still leaves HT_SIM_LEAD_MS to cook and bring them. HT_NOMEM. */
#define HT_SIM_LEAD_MS (INT64_C(50) * 60000)
HT_MUST_CHECK enum ht_status ht_sim_curve_make(const struct ht_sim_curve *curve,
                                               struct ht_sim_happening **out, size_t *count);

#endif
