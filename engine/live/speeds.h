/* Speeds: how fast streets really are, by street and quarter of an hour of the week.
 *
 * What is kept of a street in a quarter is the logarithm of driven time over the file's time, as a
 * robust running mean, and from how many trips it is:
 *
 *   up to 4 trips   their values, without order or name; what counts is the median
 *   from the 5th    Huber's M-estimate of place with his scale (proposal 2, 1964), run on by
 *                   stochastic approximation (Martin and Masreliez, 1975): it begins at median and
 *                   MAD of the first five; each trip moves the mean by at most 1.5 scales / n, so
 *                   that no single one has much influence; n stops at 60: what was long ago fades
 *
 * A trip counts once in a cell, and a cell counts only from so many different trips as the question
 * says: one drive is never to be seen in an answer. Nothing else of a trace is kept.
 *
 * What is not known of a street in a quarter is taken from the nearest that is:
 *
 *   the street then -> the street at like times (within half an hour, on days of the same kind)
 *     -> streets of its class in its square kilometre -> streets of its class in the town
 *
 * The last two are means over many streets, of which some are not like the others: they count from
 * HT_SPEEDS_AREA_TIMES as many trips. Streets have 64-bit keys that say nothing of the network
 * file, so a table goes on when the map is another, and tables can be merged.
 *
 * Memory: 24 bytes a cell and 40 a street, at most `cells_most` cells: where there are more, those
 * that were heard least recently go (an eighth at a time).
 *
 * Threading: one thread at a time. Ownership: ht_speeds_free frees all. Errors: HT_NOMEM.
 */
#ifndef HT_ENGINE_LIVE_SPEEDS_H
#define HT_ENGINE_LIVE_SPEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct ht_speeds;

enum {
    HT_SPEEDS_QUARTERS = 7 * 24 * 4,
    HT_SPEEDS_FIRST = 4,
    HT_SPEEDS_LEAST = 3,
    HT_SPEEDS_AREA_TIMES = 4
};

/* A ratio of driven time to the file's is taken and given within these. */
#define HT_SPEEDS_RATIO_MIN 0.25
#define HT_SPEEDS_RATIO_MAX 20.0

/* The quarter of the week of a local time (engine/base/schedule.h), 0 from Monday 00:00. */
uint32_t ht_speeds_quarter(int64_t local_ms);

HT_MUST_CHECK enum ht_status ht_speeds_new(size_t cells_most, struct ht_speeds **out);
void ht_speeds_free(struct ht_speeds *speeds); /* NULL is fine */

/* What a street is known by. */
struct ht_speeds_keys {
    uint64_t street;
    uint64_t area; /* of its class there */
    uint64_t kind; /* of its class */
};

/* One drive over a street. */
struct ht_speeds_drive {
    uint32_t quarter;
    uint32_t day;  /* local days since 1970, up to 65535 */
    uint32_t trip; /* tells trips apart; only looked at, not kept for long */
    double ratio;  /* driven time over the file's */
};

/* Takes a drive for the street, its area and its kind. HT_RANGE: a quarter or a ratio that is none.
 */
HT_MUST_CHECK enum ht_status ht_speeds_take(struct ht_speeds *speeds,
                                            const struct ht_speeds_keys *keys,
                                            const struct ht_speeds_drive *drive);

enum ht_speeds_source {
    HT_SPEEDS_NONE,  /* as the file says */
    HT_SPEEDS_OWN,   /* the street in this quarter */
    HT_SPEEDS_TIMES, /* the street at like times */
    HT_SPEEDS_AREA,  /* its class near by */
    HT_SPEEDS_KIND,  /* its class */
    HT_SPEEDS_SOURCES,
};

struct ht_speeds_found {
    enum ht_speeds_source source;
    double ratio; /* 1 where there is none */
    uint32_t trips;
};

/* What holds of a street; `least`: trips, HT_SPEEDS_LEAST at least, and of areas and kinds
 * HT_SPEEDS_AREA_TIMES as many. */
struct ht_speeds_found ht_speeds_find(const struct ht_speeds *speeds,
                                      const struct ht_speeds_keys *keys, uint32_t quarter,
                                      uint32_t least);

/* What one key knows of a quarter: HT_SPEEDS_OWN, HT_SPEEDS_TIMES or none. Linear in its cells. */
struct ht_speeds_found ht_speeds_find_key(const struct ht_speeds *speeds, uint64_t key,
                                          uint32_t quarter, uint32_t least);

/* Adds what another table knows, which stays as it is. */
HT_MUST_CHECK enum ht_status ht_speeds_merge(struct ht_speeds *into, const struct ht_speeds *from);

/* A cell as it is given elsewhere. `values`: of up to HT_SPEEDS_FIRST trips their logarithms, else
 * mean and scale. */
struct ht_speeds_cell {
    uint64_t street;
    uint32_t quarter;
    uint32_t trips;
    uint32_t day; /* when it was driven last */
    float values[HT_SPEEDS_FIRST];
};

/* All cells, streets in no order, of one street by quarter; until `sink` says anything but HT_OK,
 * which is then the answer. */
HT_MUST_CHECK enum ht_status
ht_speeds_each(const struct ht_speeds *speeds,
               enum ht_status (*sink)(void *user, const struct ht_speeds_cell *), void *user);
/* Adds a cell to what is known. HT_RANGE: it is none. */
HT_MUST_CHECK enum ht_status ht_speeds_put(struct ht_speeds *speeds,
                                           const struct ht_speeds_cell *cell);

/* ---- to the disk and back ---- */

/* A street with its cells as bytes: 14 for each, little-endian. */
enum {
    HT_SPEEDS_CELL_BYTES = 14,
    HT_SPEEDS_BYTES_MOST = HT_SPEEDS_CELL_BYTES * HT_SPEEDS_QUARTERS
};
struct ht_speeds_bytes {
    uint64_t street;
    const uint8_t *bytes; /* borrowed */
    size_t size;
};

/* Gives the streets that changed since they were given last. `*anew`: streets were forgotten, all
 * that there are come again, and what is not among them is gone. An error of `sink` ends it: as
 * after ht_speeds_unsaved. */
HT_MUST_CHECK enum ht_status
ht_speeds_save(struct ht_speeds *speeds, bool *anew,
               enum ht_status (*sink)(void *user, const struct ht_speeds_bytes *), void *user);
/* What was given got lost: all come again. */
void ht_speeds_unsaved(struct ht_speeds *speeds);
/* Takes a street as it was given. HT_RANGE: the bytes are none of a street, nothing is taken. */
HT_MUST_CHECK enum ht_status ht_speeds_load(struct ht_speeds *speeds,
                                            const struct ht_speeds_bytes *street);

struct ht_speeds_counts {
    size_t streets; /* areas and kinds among them */
    size_t cells;
    size_t cells_known; /* of so many trips */
    size_t forgotten;   /* cells, ever */
    size_t bytes;
};
/* Linear in the cells. */
struct ht_speeds_counts ht_speeds_count(const struct ht_speeds *speeds, uint32_t least);

#endif
