#include "engine/live/speeds.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

enum {
    DAY_QUARTERS = 24 * 4,
    NEAR_QUARTERS = 2, /* like times: this far apart on the clock */
    TRIPS_MEMORY = 60,
    TABLE_FIRST = 64, /* places of the first table */
    CELLS_FIRST = 2,
    NO_TRIP = 0,
};

#define DAY_MS INT64_C(86400000)
#define BEND 1.5             /* Huber's k: what lies farther off counts as this far */
#define BEND_MEAN 0.7392     /* E min(|z|, k) of a normal z */
#define MAD_SCALE 1.4826     /* from the median of deviations to a standard deviation */
#define SCALE_MIN 0.05       /* five equal trips do not make the sixth impossible */
#define FIXED 2048.0         /* of a logarithm in 16 bits */
#define LOG_MIN (-1.3862944) /* of HT_SPEEDS_RATIO_MIN and _MAX */
#define LOG_MAX 2.9957323

struct cell {
    uint16_t quarter;
    uint16_t trips;
    uint16_t day;
    uint16_t last; /* the trip that came last */
    union {
        struct {
            int16_t value[HT_SPEEDS_FIRST];
            uint16_t trip[HT_SPEEDS_FIRST];
        } first;
        struct {
            float mean;
            float scale;
        } run;
    } of;
};
static_assert(sizeof(struct cell) == 24, "the header says so");

struct street {
    uint64_t key;
    struct cell *cells; /* by quarter; NULL: the place is free */
    uint16_t count;
    uint16_t capacity;
    bool changed; /* since it was saved */
};

struct ht_speeds {
    struct street *table;
    size_t places; /* a power of two */
    size_t streets;
    size_t cells;
    size_t cells_most;
    size_t forgotten;
    bool anew; /* some that were saved are gone */
};

uint32_t ht_speeds_quarter(int64_t local_ms)
{
    int64_t days = local_ms / DAY_MS - (local_ms % DAY_MS < 0);
    int64_t weekday = ((days + 3) % 7 + 7) % 7; /* 1970 began on a Thursday */
    return (uint32_t)(weekday * DAY_QUARTERS + (local_ms - days * DAY_MS) / (15 * 60 * 1000));
}

enum ht_status ht_speeds_new(size_t cells_most, struct ht_speeds **out)
{
    struct ht_speeds *speeds = calloc(1, sizeof *speeds);
    if (speeds == NULL) {
        return HT_NOMEM;
    }
    speeds->cells_most = cells_most < 8 ? 8 : cells_most;
    speeds->places = TABLE_FIRST;
    speeds->table = ht_array_new_zeroed(speeds->places, sizeof *speeds->table);
    if (speeds->table == NULL) {
        free(speeds);
        return HT_NOMEM;
    }
    *out = speeds;
    return HT_OK;
}

void ht_speeds_free(struct ht_speeds *speeds)
{
    if (speeds != NULL) {
        for (size_t i = 0; i < speeds->places; i++) {
            free(speeds->table[i].cells);
        }
        free(speeds->table);
        free(speeds);
    }
}

/* ---- streets ---- */

/* The place of a key in a table, or the free one where it would be. */
static size_t place_of(const struct street *table, size_t places, uint64_t key)
{
    size_t at = (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (places - 1);
    while (table[at].cells != NULL && table[at].key != key) {
        at = (at + 1) & (places - 1);
    }
    return at;
}

static const struct street *street_find(const struct ht_speeds *speeds, uint64_t key)
{
    const struct street *street = &speeds->table[place_of(speeds->table, speeds->places, key)];
    return street->cells == NULL ? NULL : street;
}

/* Moves the streets that have cells to a table of so many places. HT_NOMEM: nothing changed. */
static enum ht_status table_move(struct ht_speeds *speeds, size_t places)
{
    struct street *table = ht_array_new_zeroed(places, sizeof *table);
    if (table == NULL) {
        return HT_NOMEM;
    }
    speeds->streets = 0;
    for (size_t i = 0; i < speeds->places; i++) {
        const struct street *street = &speeds->table[i];
        if (street->cells != NULL && street->count > 0) {
            table[place_of(table, places, street->key)] = *street;
            speeds->streets++;
        } else {
            free(street->cells);
        }
    }
    free(speeds->table);
    speeds->table = table;
    speeds->places = places;
    return HT_OK;
}

static enum ht_status street_get(struct ht_speeds *speeds, uint64_t key, struct street **out)
{
    if ((speeds->streets + 1) * 4 > speeds->places * 3) {
        enum ht_status status = table_move(speeds, speeds->places * 2);
        if (status != HT_OK) {
            return status;
        }
    }
    struct street *street = &speeds->table[place_of(speeds->table, speeds->places, key)];
    if (street->cells == NULL) {
        struct cell *cells = ht_array_new(CELLS_FIRST, sizeof *cells);
        if (cells == NULL) {
            return HT_NOMEM;
        }
        *street = (struct street){.key = key, .cells = cells, .capacity = CELLS_FIRST};
        speeds->streets++;
    }
    *out = street;
    return HT_OK;
}

/* The first cell of a street that is not before the quarter. */
static uint32_t cell_at(const struct street *street, uint32_t quarter)
{
    uint32_t low = 0;
    uint32_t high = street->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (street->cells[middle].quarter < quarter) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static enum ht_status cell_add(struct street *street, uint32_t at, uint32_t quarter)
{
    if (street->count == street->capacity) {
        size_t capacity = (size_t)street->capacity + street->capacity / 2 + 1;
        capacity = capacity < HT_SPEEDS_QUARTERS ? capacity : HT_SPEEDS_QUARTERS;
        struct cell *cells = realloc(street->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            return HT_NOMEM;
        }
        street->cells = cells;
        street->capacity = (uint16_t)capacity;
    }
    memmove(&street->cells[at + 1], &street->cells[at],
            (street->count - at) * sizeof *street->cells);
    street->cells[at] = (struct cell){.quarter = (uint16_t)quarter};
    street->count++;
    return HT_OK;
}

/* ---- what is too much ---- */

static uint32_t age_of(const struct cell *cell)
{
    return (uint32_t)cell->day << 16 | cell->trips;
}

static int by_number(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return a < b ? -1 : a > b;
}

/* Forgets an eighth of all cells: those that were heard least recently, of them those of the fewest
 * trips. */
static enum ht_status forget(struct ht_speeds *speeds)
{
    size_t wanted = speeds->cells / 8 + 1;
    uint32_t *ages = ht_array_new(speeds->cells, sizeof *ages);
    size_t count = 0;
    if (ages == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < speeds->places; i++) {
        for (uint32_t c = 0; c < speeds->table[i].count; c++) {
            ages[count++] = age_of(&speeds->table[i].cells[c]);
        }
    }
    qsort(ages, count, sizeof *ages, by_number);
    uint32_t border = ages[wanted - 1];
    size_t below = 0;
    while (ages[below] < border) {
        below++;
    }
    free(ages);
    size_t left = wanted - below; /* of those at the border */
    for (size_t i = 0; i < speeds->places; i++) {
        struct street *street = &speeds->table[i];
        uint16_t kept = 0;
        for (uint32_t c = 0; c < street->count; c++) {
            uint32_t age = age_of(&street->cells[c]);
            if (age < border || (age == border && left > 0)) {
                left -= age == border;
            } else {
                street->cells[kept++] = street->cells[c];
            }
        }
        street->count = kept;
    }
    speeds->cells -= wanted;
    speeds->forgotten += wanted;
    ht_speeds_unsaved(speeds);
    return table_move(speeds, speeds->places); /* streets without cells go */
}

/* The cell of a street in a quarter, made where there is none. */
static enum ht_status cell_get(struct ht_speeds *speeds, uint64_t key, uint32_t quarter,
                               struct cell **out)
{
    struct street *street = NULL;
    if (speeds->cells >= speeds->cells_most) {
        const struct street *known = street_find(speeds, key);
        uint32_t at = known == NULL ? 0 : cell_at(known, quarter);
        bool there = known != NULL && at < known->count && known->cells[at].quarter == quarter;
        enum ht_status status = there ? HT_OK : forget(speeds);
        if (status != HT_OK) {
            return status;
        }
    }
    enum ht_status status = street_get(speeds, key, &street);
    if (status != HT_OK) {
        return status;
    }
    uint32_t at = cell_at(street, quarter);
    if (at == street->count || street->cells[at].quarter != quarter) {
        status = cell_add(street, at, quarter);
        speeds->cells += status == HT_OK;
    }
    *out = &street->cells[at];
    street->changed = true;
    return status;
}

/* ---- the mean ---- */

static void sort_few(double *values, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        double value = values[i];
        uint32_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
}

/* Of 1 to HT_SPEEDS_FIRST + 1 values, which are sorted by it. */
static double median_of(double *values, uint32_t count)
{
    sort_few(values, count);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double value_of(const struct cell *cell)
{
    double values[HT_SPEEDS_FIRST];
    if (cell->trips > HT_SPEEDS_FIRST) {
        return (double)cell->of.run.mean;
    }
    for (uint32_t i = 0; i < cell->trips; i++) {
        values[i] = cell->of.first.value[i] / FIXED;
    }
    return cell->trips == 0 ? 0 : median_of(values, cell->trips);
}

static bool knows_trip(const struct cell *cell, uint16_t trip)
{
    bool knows = trip != NO_TRIP && cell->trips > 0 && cell->last == trip;
    for (uint32_t i = 0; trip != NO_TRIP && i < cell->trips && cell->trips <= HT_SPEEDS_FIRST;
         i++) {
        knows = knows || cell->of.first.trip[i] == trip;
    }
    return knows;
}

/* From the first values and one more to a mean and a scale. */
static void run_begin(struct cell *cell, double value)
{
    double values[HT_SPEEDS_FIRST + 1];
    for (uint32_t i = 0; i < HT_SPEEDS_FIRST; i++) {
        values[i] = cell->of.first.value[i] / FIXED;
    }
    values[HT_SPEEDS_FIRST] = value;
    double middle = median_of(values, HT_SPEEDS_FIRST + 1);
    for (uint32_t i = 0; i <= HT_SPEEDS_FIRST; i++) {
        values[i] = fabs(values[i] - middle);
    }
    double scale = MAD_SCALE * median_of(values, HT_SPEEDS_FIRST + 1);
    cell->of.run.mean = (float)middle;
    cell->of.run.scale = (float)(scale < SCALE_MIN ? SCALE_MIN : scale);
}

static void run_step(struct cell *cell, double value)
{
    double mean = (double)cell->of.run.mean;
    double scale = (double)cell->of.run.scale;
    double count = cell->trips + 1 < TRIPS_MEMORY ? cell->trips + 1 : TRIPS_MEMORY;
    double off = value - mean;
    double bent = off > BEND * scale ? BEND * scale : off < -BEND * scale ? -BEND * scale : off;
    scale += (fabs(bent) / BEND_MEAN - scale) / count;
    cell->of.run.mean = (float)(mean + bent / count);
    cell->of.run.scale = (float)(scale < SCALE_MIN ? SCALE_MIN : scale);
}

static void cell_take(struct cell *cell, double value, uint16_t trip, uint32_t day)
{
    cell->day = day > cell->day ? (uint16_t)day : cell->day;
    if (cell->trips < HT_SPEEDS_FIRST) {
        cell->of.first.value[cell->trips] = (int16_t)lround(value * FIXED);
        cell->of.first.trip[cell->trips] = trip;
    } else if (cell->trips == HT_SPEEDS_FIRST) {
        run_begin(cell, value);
    } else {
        run_step(cell, value);
    }
    if (cell->trips < UINT16_MAX) {
        cell->trips++;
    }
    cell->last = trip;
}

enum ht_status ht_speeds_take(struct ht_speeds *speeds, const struct ht_speeds_keys *keys,
                              const struct ht_speeds_drive *drive)
{
    const uint64_t of[3] = {keys->street, keys->area, keys->kind};
    if (drive->quarter >= HT_SPEEDS_QUARTERS || drive->day > UINT16_MAX ||
        !(drive->ratio >= HT_SPEEDS_RATIO_MIN && drive->ratio <= HT_SPEEDS_RATIO_MAX)) {
        return HT_RANGE;
    }
    double value = log(drive->ratio);
    uint16_t trip = (uint16_t)((drive->trip * UINT32_C(2654435761)) >> 16);
    trip = trip == NO_TRIP ? 1 : trip;
    for (int i = 0; i < 3; i++) {
        struct cell *cell = NULL;
        enum ht_status status = cell_get(speeds, of[i], drive->quarter, &cell);
        if (status != HT_OK) {
            return status;
        }
        if (!knows_trip(cell, trip)) {
            cell_take(cell, value, trip, drive->day);
        }
    }
    return HT_OK;
}

/* ---- questions ---- */

static bool is_weekend(uint32_t quarter)
{
    return quarter / DAY_QUARTERS >= 5;
}

/* How much a cell says of another quarter: 0 nothing. */
static double likeness(uint32_t quarter, uint32_t other)
{
    static const double by_clock[NEAR_QUARTERS + 1] = {1.0, 0.7, 0.4};
    int apart = (int)(quarter % DAY_QUARTERS) - (int)(other % DAY_QUARTERS);
    apart = apart < 0 ? -apart : apart;
    if (apart > NEAR_QUARTERS || is_weekend(quarter) != is_weekend(other)) {
        return 0;
    }
    return by_clock[apart] * (quarter / DAY_QUARTERS == other / DAY_QUARTERS ? 1.0 : 0.7);
}

struct ht_speeds_found ht_speeds_find_key(const struct ht_speeds *speeds, uint64_t key,
                                          uint32_t quarter, uint32_t least)
{
    least = least < HT_SPEEDS_LEAST ? HT_SPEEDS_LEAST : least;
    struct ht_speeds_found found = {.source = HT_SPEEDS_NONE, .ratio = 1};
    const struct street *street = street_find(speeds, key);
    double weight = 0;
    double sum = 0;
    uint32_t trips = 0;
    for (uint32_t i = 0; street != NULL && i < street->count; i++) {
        const struct cell *cell = &street->cells[i];
        if (cell->quarter == quarter && cell->trips >= least) {
            return (struct ht_speeds_found){HT_SPEEDS_OWN, exp(value_of(cell)), cell->trips};
        }
        double like = likeness(quarter, cell->quarter);
        if (like > 0) {
            sum += like * cell->trips * value_of(cell);
            weight += like * cell->trips;
            trips += cell->trips;
        }
    }
    if (trips >= least && weight > 0) {
        found = (struct ht_speeds_found){HT_SPEEDS_TIMES, exp(sum / weight), trips};
    }
    return found;
}

struct ht_speeds_found ht_speeds_find(const struct ht_speeds *speeds,
                                      const struct ht_speeds_keys *keys, uint32_t quarter,
                                      uint32_t least)
{
    struct ht_speeds_found found = ht_speeds_find_key(speeds, keys->street, quarter, least);
    least = (least < HT_SPEEDS_LEAST ? HT_SPEEDS_LEAST : least) * HT_SPEEDS_AREA_TIMES;
    if (found.source == HT_SPEEDS_NONE) {
        found = ht_speeds_find_key(speeds, keys->area, quarter, least);
        found.source = found.source == HT_SPEEDS_NONE ? HT_SPEEDS_NONE : HT_SPEEDS_AREA;
    }
    if (found.source == HT_SPEEDS_NONE) {
        found = ht_speeds_find_key(speeds, keys->kind, quarter, least);
        found.source = found.source == HT_SPEEDS_NONE ? HT_SPEEDS_NONE : HT_SPEEDS_KIND;
    }
    return found;
}

struct ht_speeds_counts ht_speeds_count(const struct ht_speeds *speeds, uint32_t least)
{
    struct ht_speeds_counts counts = {.streets = speeds->streets,
                                      .cells = speeds->cells,
                                      .forgotten = speeds->forgotten,
                                      .bytes =
                                          sizeof *speeds + speeds->places * sizeof *speeds->table};
    for (size_t i = 0; i < speeds->places; i++) {
        const struct street *street = &speeds->table[i];
        counts.bytes += street->capacity * sizeof *street->cells;
        for (uint32_t c = 0; c < street->count; c++) {
            counts.cells_known += street->cells[c].trips >= least;
        }
    }
    return counts;
}

/* ---- from and to elsewhere ---- */

static void cell_give(const struct street *street, const struct cell *cell,
                      struct ht_speeds_cell *out)
{
    *out = (struct ht_speeds_cell){
        .street = street->key, .quarter = cell->quarter, .trips = cell->trips, .day = cell->day};
    for (uint32_t i = 0; cell->trips <= HT_SPEEDS_FIRST && i < cell->trips; i++) {
        out->values[i] = (float)(cell->of.first.value[i] / FIXED);
    }
    if (cell->trips > HT_SPEEDS_FIRST) {
        out->values[0] = cell->of.run.mean;
        out->values[1] = cell->of.run.scale;
    }
}

enum ht_status ht_speeds_each(const struct ht_speeds *speeds,
                              enum ht_status (*sink)(void *user, const struct ht_speeds_cell *),
                              void *user)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < speeds->places; i++) {
        const struct street *street = &speeds->table[i];
        for (uint32_t c = 0; c < street->count && status == HT_OK; c++) {
            struct ht_speeds_cell cell;
            cell_give(street, &street->cells[c], &cell);
            status = sink(user, &cell);
        }
    }
    return status;
}

static bool is_log(float value)
{
    return (double)value >= LOG_MIN - 1e-3 && (double)value <= LOG_MAX + 1e-3;
}

static bool cell_sound(const struct ht_speeds_cell *cell)
{
    bool sound = cell->quarter < HT_SPEEDS_QUARTERS && cell->trips > 0 &&
                 cell->trips <= UINT16_MAX && cell->day <= UINT16_MAX;
    for (uint32_t i = 0; sound && cell->trips <= HT_SPEEDS_FIRST && i < cell->trips; i++) {
        sound = is_log(cell->values[i]);
    }
    if (sound && cell->trips > HT_SPEEDS_FIRST) {
        sound = is_log(cell->values[0]) && (double)cell->values[1] >= SCALE_MIN - 1e-6 &&
                (double)cell->values[1] <= LOG_MAX - LOG_MIN;
    }
    return sound;
}

/* Two means with what stands behind each. */
static void run_join(struct cell *cell, const struct ht_speeds_cell *other)
{
    double own = cell->trips;
    double more = other->trips;
    uint32_t trips = cell->trips + other->trips;
    cell->of.run.mean =
        (float)((own * (double)cell->of.run.mean + more * (double)other->values[0]) / (own + more));
    cell->of.run.scale =
        (float)((own * (double)cell->of.run.scale + more * (double)other->values[1]) /
                (own + more));
    cell->trips = (uint16_t)(trips < UINT16_MAX ? trips : UINT16_MAX);
    cell->day = other->day > cell->day ? (uint16_t)other->day : cell->day;
}

enum ht_status ht_speeds_put(struct ht_speeds *speeds, const struct ht_speeds_cell *other)
{
    struct cell *cell = NULL;
    if (!cell_sound(other)) {
        return HT_RANGE;
    }
    enum ht_status status = cell_get(speeds, other->street, other->quarter, &cell);
    if (status != HT_OK) {
        return status;
    }
    if (other->trips <= HT_SPEEDS_FIRST) {
        for (uint32_t i = 0; i < other->trips; i++) {
            cell_take(cell, (double)other->values[i], NO_TRIP, other->day);
        }
        return HT_OK;
    }
    if (cell->trips > HT_SPEEDS_FIRST) {
        run_join(cell, other);
        return HT_OK;
    }
    struct cell few = *cell; /* the mean goes on with what is here */
    *cell = (struct cell){.quarter = few.quarter,
                          .trips = (uint16_t)other->trips,
                          .day = (uint16_t)other->day,
                          .of.run = {other->values[0], other->values[1]}};
    for (uint32_t i = 0; i < few.trips; i++) {
        cell_take(cell, few.of.first.value[i] / FIXED, NO_TRIP, few.day);
    }
    return HT_OK;
}

static enum ht_status merge_one(void *user, const struct ht_speeds_cell *cell)
{
    return ht_speeds_put(user, cell);
}

enum ht_status ht_speeds_merge(struct ht_speeds *into, const struct ht_speeds *from)
{
    return ht_speeds_each(from, merge_one, into);
}

/* ---- to the disk and back ---- */

static void put_16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
}

static uint32_t get_16(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8;
}

static void pack(const struct cell *cell, uint8_t *at)
{
    uint32_t words[2] = {0};
    put_16(at, cell->quarter);
    put_16(at + 2, cell->trips);
    put_16(at + 4, cell->day);
    if (cell->trips > HT_SPEEDS_FIRST) {
        memcpy(words, &cell->of.run.mean, sizeof words[0]);
        memcpy(words + 1, &cell->of.run.scale, sizeof words[1]);
        for (int i = 0; i < 2; i++) {
            put_16(at + 6 + 4 * i, words[i] & 0xFFFF);
            put_16(at + 8 + 4 * i, words[i] >> 16);
        }
        return;
    }
    for (uint32_t i = 0; i < HT_SPEEDS_FIRST; i++) {
        put_16(at + 6 + (size_t)2 * i,
               i < cell->trips ? (uint16_t)cell->of.first.value[i] : (uint16_t)0);
    }
}

static void unpack(const uint8_t *at, uint64_t street, struct ht_speeds_cell *out)
{
    *out = (struct ht_speeds_cell){
        .street = street, .quarter = get_16(at), .trips = get_16(at + 2), .day = get_16(at + 4)};
    for (uint32_t i = 0; out->trips <= HT_SPEEDS_FIRST && i < out->trips; i++) {
        out->values[i] = (float)((int16_t)get_16(at + 6 + (size_t)2 * i) / FIXED);
    }
    for (int i = 0; out->trips > HT_SPEEDS_FIRST && i < 2; i++) {
        uint32_t word = get_16(at + 6 + 4 * i) | get_16(at + 8 + 4 * i) << 16;
        memcpy(&out->values[i], &word, sizeof word);
    }
}

void ht_speeds_unsaved(struct ht_speeds *speeds)
{
    speeds->anew = true;
    for (size_t i = 0; i < speeds->places; i++) {
        speeds->table[i].changed = speeds->table[i].cells != NULL;
    }
}

enum ht_status ht_speeds_save(struct ht_speeds *speeds, bool *anew,
                              enum ht_status (*sink)(void *user, const struct ht_speeds_bytes *),
                              void *user)
{
    uint8_t bytes[HT_SPEEDS_BYTES_MOST];
    enum ht_status status = HT_OK;
    *anew = speeds->anew;
    for (size_t i = 0; i < speeds->places && status == HT_OK; i++) {
        struct street *street = &speeds->table[i];
        const struct ht_speeds_bytes one = {street->key, bytes,
                                            (size_t)street->count * HT_SPEEDS_CELL_BYTES};
        if (!street->changed || street->count == 0) {
            continue;
        }
        for (uint32_t c = 0; c < street->count; c++) {
            pack(&street->cells[c], bytes + (size_t)c * HT_SPEEDS_CELL_BYTES);
        }
        status = sink(user, &one);
        street->changed = false;
    }
    speeds->anew = false;
    if (status != HT_OK) {
        ht_speeds_unsaved(speeds);
    }
    return status;
}

enum ht_status ht_speeds_load(struct ht_speeds *speeds, const struct ht_speeds_bytes *street)
{
    struct ht_speeds_cell cell;
    enum ht_status status = HT_OK;
    if (street->size == 0 || street->size > HT_SPEEDS_BYTES_MOST ||
        street->size % HT_SPEEDS_CELL_BYTES != 0) {
        return HT_RANGE;
    }
    for (size_t at = 0; at < street->size; at += HT_SPEEDS_CELL_BYTES) {
        unpack(street->bytes + at, street->street, &cell);
        if (!cell_sound(&cell)) {
            return HT_RANGE;
        }
    }
    for (size_t at = 0; at < street->size && status == HT_OK; at += HT_SPEEDS_CELL_BYTES) {
        unpack(street->bytes + at, street->street, &cell);
        status = ht_speeds_put(speeds, &cell);
    }
    if (status == HT_OK) { /* as it is on the disk */
        speeds->table[place_of(speeds->table, speeds->places, street->street)].changed = false;
    }
    return status;
}
