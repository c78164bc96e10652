#include "engine/live/arrival.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum { MEMORY = 100, MEMORY_TOWN = 2000, TABLE_FIRST = 64 };

#define STEP 0.03      /* of a percentile, in scales */
#define STEP_FIRST 0.4 /* more, where nothing came yet; half of it after STEP_HALF arrivals */
#define STEP_HALF 15.0
#define LOW 0.05
#define HIGH 0.95
#define FIRST_95 2.2     /* what a percentile begins with: more than the 1.645 of a normal one */
#define ODD 3.0          /* logarithms farther off than so many deviations count as this far */
#define SPREAD_FIRST 0.4 /* of services, as a logarithm */
#define SPREAD_WAYS_FIRST 0.2
#define SPREAD_SHARED 0.05 /* of all ways of a day together: it does not even out */
#define SPREAD_FIXED_MS 15000.0
#define VARIANCE_LEAST 0.0001 /* all alike so far: the next one still may differ */
#define RATIO_MOST 20.0
#define PERCENTILE_MOST 1000.0 /* scales */

static const int64_t horizons_ms[HT_ARRIVAL_HORIZONS - 1] = {120000,  300000,  600000,
                                                             1200000, 2400000, 4800000};

/* Mean and variance of logarithms, running. */
struct running {
    uint32_t count;
    float mean;
    float variance;
};

struct place {
    uint64_t compound;
    struct running service; /* count 0: the place is free */
};

struct percentiles {
    uint32_t seen; /* arrivals */
    double low;
    double middle;
    double high;
};

struct ht_arrival {
    struct place *table;
    size_t places; /* a power of two */
    size_t count;
    size_t most;
    struct running services; /* of the town */
    struct running ways;
    struct percentiles horizons[HT_ARRIVAL_HORIZONS];
    uint64_t changes;
};

/* Nothing is known: it takes, in the mean (mean_of), what is planned. */
static struct running as_planned(double spread)
{
    return (struct running){.mean = (float)(-spread * spread / 2),
                            .variance = (float)(spread * spread)};
}

enum ht_status ht_arrival_new(size_t compounds_most, struct ht_arrival **out)
{
    struct ht_arrival *arrival = calloc(1, sizeof *arrival);
    if (arrival == NULL) {
        return HT_NOMEM;
    }
    arrival->places = TABLE_FIRST;
    arrival->most = compounds_most;
    arrival->table = ht_array_new_zeroed(arrival->places, sizeof *arrival->table);
    if (arrival->table == NULL) {
        free(arrival);
        return HT_NOMEM;
    }
    arrival->services = as_planned(SPREAD_FIRST);
    arrival->ways = as_planned(SPREAD_WAYS_FIRST);
    for (int i = 0; i < HT_ARRIVAL_HORIZONS; i++) {
        arrival->horizons[i] = (struct percentiles){0, -FIRST_95, 0, FIRST_95};
    }
    *out = arrival;
    return HT_OK;
}

void ht_arrival_free(struct ht_arrival *arrival)
{
    if (arrival != NULL) {
        free(arrival->table);
        free(arrival);
    }
}

/* ---- what is learned ---- */

/* The first `prior` values count as that many that were seen before. */
static void running_take(struct running *running, double value, uint32_t prior, uint32_t memory)
{
    double mean = (double)running->mean;
    double variance = (double)running->variance;
    double most = ODD * sqrt(variance);
    double off = value - mean;
    off = off > most ? most : off < -most ? -most : off;
    uint32_t seen = running->count < memory ? running->count + 1 : memory;
    double weight = 1.0 / (seen + prior);
    running->count += running->count < UINT32_MAX ? 1 : 0;
    running->mean = (float)(mean + off * weight);
    variance += (off * off - variance) * weight;
    running->variance = (float)(variance < VARIANCE_LEAST ? VARIANCE_LEAST : variance);
}

static size_t place_of(const struct place *table, size_t places, uint64_t compound)
{
    size_t at = (size_t)((compound * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (places - 1);
    while (table[at].service.count > 0 && table[at].compound != compound) {
        at = (at + 1) & (places - 1);
    }
    return at;
}

static enum ht_status table_grow(struct ht_arrival *arrival)
{
    size_t places = arrival->places * 2;
    struct place *table = ht_array_new_zeroed(places, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < arrival->places; i++) {
        if (arrival->table[i].service.count > 0) {
            table[place_of(table, places, arrival->table[i].compound)] = arrival->table[i];
        }
    }
    free(arrival->table);
    arrival->table = table;
    arrival->places = places;
    return HT_OK;
}

/* The logarithm of what was taken over what was planned. False: there is none. */
static bool ratio_of(int64_t planned_ms, int64_t took_ms, double *out)
{
    if (planned_ms <= 0 || took_ms <= 0) {
        return false;
    }
    double ratio = (double)took_ms / (double)planned_ms;
    *out = log(ratio);
    return ratio <= RATIO_MOST && ratio >= 1 / RATIO_MOST;
}

enum ht_status ht_arrival_served(struct ht_arrival *arrival, uint64_t compound, int64_t planned_ms,
                                 int64_t took_ms)
{
    double value = 0;
    if (!ratio_of(planned_ms, took_ms, &value)) {
        return HT_RANGE;
    }
    if ((arrival->count + 1) * 4 > arrival->places * 3) {
        enum ht_status status = table_grow(arrival);
        if (status != HT_OK) {
            return status;
        }
    }
    struct place *place = &arrival->table[place_of(arrival->table, arrival->places, compound)];
    bool known = place->service.count > 0;
    if (!known && arrival->count < arrival->most) { /* it begins with what the town's are like */
        *place = (struct place){.compound = compound, .service = arrival->services};
        place->service.count = 0;
        arrival->count++;
        known = true;
    }
    if (known) {
        running_take(&place->service, value, HT_ARRIVAL_PRIOR, MEMORY);
    }
    running_take(&arrival->services, value, HT_ARRIVAL_PRIOR, MEMORY_TOWN);
    arrival->changes++;
    return HT_OK;
}

enum ht_status ht_arrival_drove(struct ht_arrival *arrival, int64_t planned_ms, int64_t took_ms)
{
    double value = 0;
    if (!ratio_of(planned_ms, took_ms, &value)) {
        return HT_RANGE;
    }
    running_take(&arrival->ways, value, HT_ARRIVAL_PRIOR, MEMORY_TOWN);
    arrival->changes++;
    return HT_OK;
}

static const struct running *service_of(const struct ht_arrival *arrival, uint64_t compound)
{
    const struct place *place =
        &arrival->table[place_of(arrival->table, arrival->places, compound)];
    return place->service.count > 0 ? &place->service : &arrival->services;
}

/* Of a ratio whose logarithm is normal. */
static double mean_of(const struct running *running)
{
    return exp((double)running->mean + (double)running->variance / 2);
}

double ht_arrival_service(const struct ht_arrival *arrival, uint64_t compound, uint32_t *stops)
{
    const struct running *service = service_of(arrival, compound);
    *stops = service == &arrival->services ? 0 : service->count;
    return mean_of(service);
}

/* ---- forecasts ---- */

static uint32_t horizon_of(double ahead_ms)
{
    uint32_t horizon = 0;
    while (horizon < HT_ARRIVAL_HORIZONS - 1 && ahead_ms > (double)horizons_ms[horizon]) {
        horizon++;
    }
    return horizon;
}

struct ht_arrival_band ht_arrival_forecast(const struct ht_arrival *arrival,
                                           const struct ht_arrival_ask *ask)
{
    double legs = ask->legs > 0 ? ask->legs : 1;
    double travel_ms = ask->travel_ms * mean_of(&arrival->ways);
    double spread = SPREAD_SHARED * SPREAD_SHARED + (double)arrival->ways.variance / legs;
    double ahead_ms = travel_ms + ask->walk_ms;
    double variance = SPREAD_FIXED_MS * SPREAD_FIXED_MS + travel_ms * travel_ms * spread;
    for (size_t i = 0; i < ask->stop_count; i++) {
        const struct running *service = service_of(arrival, ask->stops[i].compound);
        double mean_ms = ask->stops[i].service_ms * mean_of(service);
        ahead_ms += mean_ms;
        variance += mean_ms * mean_ms * expm1((double)service->variance);
    }
    struct ht_arrival_band band = {.plain_ms = ask->now_ms + (int64_t)ahead_ms,
                                   .scale_ms = sqrt(variance),
                                   .horizon = horizon_of(ahead_ms)};
    const struct percentiles *at = &arrival->horizons[band.horizon];
    band.eta_ms = band.plain_ms + (int64_t)(at->middle * band.scale_ms);
    band.low_ms = band.plain_ms + (int64_t)(at->low * band.scale_ms);
    band.high_ms = band.plain_ms + (int64_t)(at->high * band.scale_ms);
    band.eta_ms = band.eta_ms < ask->now_ms ? ask->now_ms : band.eta_ms;
    band.low_ms = band.low_ms < ask->now_ms ? ask->now_ms : band.low_ms;
    band.high_ms = band.high_ms < band.eta_ms ? band.eta_ms : band.high_ms;
    return band;
}

/* A percentile goes up by as much as it is to be exceeded, and down as often as it is not. */
static double follow(double percentile, double step, double share, bool below)
{
    double next = percentile + step * (share - (below ? 1.0 : 0.0));
    return fmax(-PERCENTILE_MOST, fmin(next, PERCENTILE_MOST));
}

void ht_arrival_came(struct ht_arrival *arrival, const struct ht_arrival_band *band,
                     int64_t came_ms)
{
    if (band->horizon >= HT_ARRIVAL_HORIZONS || !(band->scale_ms > 0)) {
        return;
    }
    struct percentiles *at = &arrival->horizons[band->horizon];
    double off = (double)(came_ms - band->plain_ms) / band->scale_ms;
    double step = STEP + STEP_FIRST / (1 + at->seen / STEP_HALF);
    at->low = follow(at->low, step, LOW, off < at->low);
    at->middle = follow(at->middle, step / 2, 0.5, off < at->middle);
    at->high = follow(at->high, step, HIGH, off < at->high);
    at->seen += at->seen < UINT32_MAX ? 1 : 0;
    at->low = at->low > at->middle ? at->middle : at->low;
    at->high = at->high < at->middle ? at->middle : at->high;
    arrival->changes++;
}

/* ---- to the disk and back ----
 *
 *   "HTA2", compounds (4 bytes), services, ways: count (4), mean, variance (floats, 4 each)
 *   each horizon: arrivals (4), low, middle, high (doubles, 8 each)
 *   each compound: its key (8), services as above
 *
 * "HTA1" is without the arrivals: many are taken for granted.
 */

enum {
    RUNNING_BYTES = 12,
    PLACE_BYTES = 8 + RUNNING_BYTES,
    HEAD_BYTES = 8 + 2 * RUNNING_BYTES + HT_ARRIVAL_HORIZONS * 28,
    HEAD_BYTES_1 = HEAD_BYTES - HT_ARRIVAL_HORIZONS * 4,
    SEEN_1 = 1000
};

#define MEAN_MOST 3.0 /* of logarithms: what is learned lies within RATIO_MOST */
#define VARIANCE_MOST 9.0

static const uint8_t magic[4] = {'H', 'T', 'A', '2'};
static const uint8_t magic_1[4] = {'H', 'T', 'A', '1'};

static uint8_t *number_put(uint8_t *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        *to++ = (uint8_t)(value >> 8 * i);
    }
    return to;
}

static uint64_t number_get(const uint8_t **from, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value |= (uint64_t) * (*from)++ << 8 * i;
    }
    return value;
}

static uint8_t *double_put(uint8_t *to, double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    return number_put(to, bits, sizeof bits);
}

static double double_get(const uint8_t **from)
{
    double value = 0;
    uint64_t bits = number_get(from, sizeof bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_get(const uint8_t **from)
{
    float value = 0;
    uint32_t bits = (uint32_t)number_get(from, sizeof bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint8_t *running_put(uint8_t *to, const struct running *running)
{
    const float values[] = {running->mean, running->variance};
    to = number_put(to, running->count, 4);
    for (size_t i = 0; i < 2; i++) {
        uint32_t bits = 0;
        memcpy(&bits, &values[i], sizeof bits);
        to = number_put(to, bits, 4);
    }
    return to;
}

/* False: such numbers were never learned. */
static bool running_get(const uint8_t **from, struct running *out)
{
    out->count = (uint32_t)number_get(from, 4);
    out->mean = float_get(from);
    out->variance = float_get(from);
    return fabs((double)out->mean) <= MEAN_MOST && (double)out->variance > 0 &&
           (double)out->variance <= VARIANCE_MOST;
}

uint64_t ht_arrival_changes(const struct ht_arrival *arrival)
{
    return arrival->changes;
}

enum ht_status ht_arrival_save(const struct ht_arrival *arrival, uint8_t **bytes, size_t *size)
{
    uint8_t *to = malloc(HEAD_BYTES + arrival->count * PLACE_BYTES);
    if (to == NULL) {
        return HT_NOMEM;
    }
    *bytes = to;
    *size = HEAD_BYTES + arrival->count * PLACE_BYTES;
    memcpy(to, magic, sizeof magic);
    to = number_put(to + sizeof magic, arrival->count, 4);
    to = running_put(to, &arrival->services);
    to = running_put(to, &arrival->ways);
    for (int i = 0; i < HT_ARRIVAL_HORIZONS; i++) {
        to = number_put(to, arrival->horizons[i].seen, 4);
        to = double_put(to, arrival->horizons[i].low);
        to = double_put(to, arrival->horizons[i].middle);
        to = double_put(to, arrival->horizons[i].high);
    }
    for (size_t i = 0; i < arrival->places; i++) {
        if (arrival->table[i].service.count > 0) {
            to = number_put(to, arrival->table[i].compound, 8);
            to = running_put(to, &arrival->table[i].service);
        }
    }
    return HT_OK;
}

static bool horizons_get(const uint8_t **from, bool first,
                         struct percentiles horizons[HT_ARRIVAL_HORIZONS])
{
    bool good = true;
    for (int i = 0; i < HT_ARRIVAL_HORIZONS; i++) {
        struct percentiles *at = &horizons[i];
        at->seen = first ? SEEN_1 : (uint32_t)number_get(from, 4);
        at->low = double_get(from);
        at->middle = double_get(from);
        at->high = double_get(from);
        good = good && fabs(at->low) <= PERCENTILE_MOST && fabs(at->high) <= PERCENTILE_MOST &&
               at->low <= at->middle && at->middle <= at->high;
    }
    return good;
}

/* Compounds into a table of its own. HT_RANGE: one is none, or there twice. */
static enum ht_status places_get(const uint8_t *from, size_t count, struct ht_arrival *into)
{
    into->places = TABLE_FIRST;
    while (count * 4 > into->places * 3) {
        into->places *= 2;
    }
    into->table = ht_array_new_zeroed(into->places, sizeof *into->table);
    if (into->table == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        struct place place = {.compound = number_get(&from, 8)};
        bool good = running_get(&from, &place.service) && place.service.count > 0;
        struct place *at = &into->table[place_of(into->table, into->places, place.compound)];
        if (!good || at->service.count > 0) {
            return HT_RANGE;
        }
        *at = place;
    }
    into->count = count;
    return HT_OK;
}

enum ht_status ht_arrival_load(struct ht_arrival *arrival, const uint8_t *bytes, size_t size)
{
    struct ht_arrival read = {.most = arrival->most, .changes = arrival->changes};
    bool first = size >= HEAD_BYTES_1 && memcmp(bytes, magic_1, sizeof magic_1) == 0;
    size_t head = first ? HEAD_BYTES_1 : HEAD_BYTES;
    if (size < head || (!first && memcmp(bytes, magic, sizeof magic) != 0)) {
        return HT_RANGE;
    }
    const uint8_t *from = bytes + sizeof magic;
    uint64_t count = number_get(&from, 4);
    bool good = size == head + count * PLACE_BYTES && running_get(&from, &read.services);
    good = good && running_get(&from, &read.ways);
    if (!good || !horizons_get(&from, first, read.horizons)) {
        return HT_RANGE;
    }
    count = count < arrival->most ? count : arrival->most;
    enum ht_status status = places_get(from, (size_t)count, &read);
    if (status != HT_OK) {
        free(read.table);
        return status;
    }
    free(arrival->table);
    *arrival = read;
    return HT_OK;
}
