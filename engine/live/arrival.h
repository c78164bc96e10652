/* Arrival: when a van will be at a door, and between when and when it will be nine times of ten.
 *
 * What is to come is reckoned from the plan, corrected by what was learned of it:
 *
 *   travel    planned time times the town's mean of driven over planned
 *   service   planned time of each stop times the mean of its compound (which leans on the town's
 *             until it has seen enough: shrinkage, weight of HT_ARRIVAL_PRIOR stops)
 *   spread    variances of both, summed up: the scale of the forecast
 *
 * The band is calibrated, not believed: for each horizon (how far ahead the forecast looks) the
 * 5th, 50th and 95th percentile of (arrival - forecast) / scale are tracked as arrivals come in, by
 * stochastic approximation (Robbins and Monro, 1951; as adaptive conformal inference does, Gibbs
 * and Candes, 2021). So the share inside is right in the long run whatever the spread was believed
 * to be, also after the town has changed; a good spread is what makes the band narrow. The first
 * arrivals move the percentiles by more: steps shrink, to a least one.
 *
 * Memory: 32 bytes a compound, up to the number that is asked for; others are as the town.
 *
 * Threading: one thread at a time. Ownership: ht_arrival_free frees all. Errors: HT_NOMEM;
 * HT_RANGE: a time that is none, nothing is learned from it.
 */
#ifndef HT_ENGINE_LIVE_ARRIVAL_H
#define HT_ENGINE_LIVE_ARRIVAL_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_arrival;

enum { HT_ARRIVAL_HORIZONS = 7, HT_ARRIVAL_PRIOR = 4 };

HT_MUST_CHECK enum ht_status ht_arrival_new(size_t compounds_most, struct ht_arrival **out);
void ht_arrival_free(struct ht_arrival *arrival); /* NULL is fine */

/* A stop before the one that is asked for. */
struct ht_arrival_stop {
    uint64_t compound;   /* a key of the caller's */
    uint32_t service_ms; /* as planned; what is left of it where the van stands there */
};

struct ht_arrival_ask {
    int64_t now_ms;
    uint32_t travel_ms;                  /* in all, from where the van is, over the metric of now */
    uint32_t legs;                       /* in how many pieces: their errors partly even out */
    const struct ht_arrival_stop *stops; /* before the one that is asked for */
    size_t stop_count;
    uint32_t walk_ms; /* from the parking place to the door */
};

/* A forecast; to be kept with the order until it arrives. */
struct ht_arrival_band {
    int64_t eta_ms;
    int64_t low_ms; /* never before now */
    int64_t high_ms;
    int64_t plain_ms; /* before calibration, as the three below: for ht_arrival_came */
    double scale_ms;
    uint32_t horizon;
};

struct ht_arrival_band ht_arrival_forecast(const struct ht_arrival *arrival,
                                           const struct ht_arrival_ask *ask);

/* It came: the bands of its horizon are brought nearer to the truth. To be told once for an order
 * and horizon. */
void ht_arrival_came(struct ht_arrival *arrival, const struct ht_arrival_band *band,
                     int64_t came_ms);
/* A stop took so long, of which so much was planned. */
HT_MUST_CHECK enum ht_status ht_arrival_served(struct ht_arrival *arrival, uint64_t compound,
                                               int64_t planned_ms, int64_t took_ms);
/* So did a way from stop to stop. */
HT_MUST_CHECK enum ht_status ht_arrival_drove(struct ht_arrival *arrival, int64_t planned_ms,
                                              int64_t took_ms);

/* What a compound's stops take, in parts of what is planned. `stops`: seen there. */
double ht_arrival_service(const struct ht_arrival *arrival, uint64_t compound, uint32_t *stops);

/* ---- to the disk and back ---- */

/* Grows with all that is learned. */
uint64_t ht_arrival_changes(const struct ht_arrival *arrival);
/* All that was learned as bytes (little-endian, the same on every machine) of the heap, the
 * caller's. HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_arrival_save(const struct ht_arrival *arrival, uint8_t **bytes,
                                             size_t *size);
/* Takes what was saved in the place of what is known; compounds beyond the number that was asked
 * for are left out. HT_RANGE: the bytes are none of these; HT_NOMEM: nothing changed in either. */
HT_MUST_CHECK enum ht_status ht_arrival_load(struct ht_arrival *arrival, const uint8_t *bytes,
                                             size_t size);

#endif
