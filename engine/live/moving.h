/* Moving: an index of points that move all the time, by dense id.
 *
 * A grid of 2^x * 2^y cells over the town, in Z order, each the head of a list that runs through
 * the points themselves (16 bytes a point); above it a pyramid of counts, so that a search enters
 * no quarter where nothing is:
 *
 *     counts   [ 9 ]                      a move within its cell is one 64-bit store;
 *     counts   [4 0 2 3]                  into another cell: two lists, and the counts up to
 *     cells    [.. .. .. ..] -> 7 -> 12   the lowest quarter that holds both
 *
 * What lies outside the town is in one list more, which every query walks: give a box that holds
 * nearly all.
 *
 * Threading: any number of readers beside a writer; several writers take turns (a mutex inside).
 * Readers take no lock and write nothing that is shared, so they never wait for the writer, nor it
 * for them. Each point's place is one atomic word (never torn); each cell has a version that ends a
 * walk through a list that changed under it (the query then starts over). A point that changes
 * cells during a query could be missed in both: the writer notes such moves in a ring, and each
 * query looks once more at those made while it ran. So an answer holds every point by a place where
 * it was at some moment of the query, once. After a few starts in vain, or when the ring went
 * round, the query takes the writers' mutex: it then waits for single moves only. Locks for each
 * reader were not taken because a reader that the scheduler stops in one would stop the writer.
 * Ownership: hits are the workspace's. Errors: HT_NOMEM, HT_RANGE.
 */
#ifndef HT_ENGINE_LIVE_MOVING_H
#define HT_ENGINE_LIVE_MOVING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

struct ht_moving;
struct ht_moving_work;

struct ht_moving_hit {
    uint32_t id;
    struct ht_point point;
    double distance_m; /* ht_distance_m from the centre; 0 in answers to a box */
};

/* Which points a query wants. May be called twice for a point, by the thread that asks. */
struct ht_moving_filter {
    bool (*want)(void *user, uint32_t id); /* NULL: all */
    void *user;
};

/* What is near: the (at most) `k` nearest within a radius. */
struct ht_moving_ask {
    struct ht_point center;
    uint32_t k;      /* UINT32_MAX: all */
    double radius_m; /* < 0: no limit */
    struct ht_moving_filter filter;
};

/* Ids are [0, capacity). Memory of points that were never set is not touched. */
HT_MUST_CHECK enum ht_status ht_moving_new(struct ht_box town, uint32_t capacity,
                                           struct ht_moving **out);
void ht_moving_free(struct ht_moving *moving);

/* Puts a point where it is now. HT_RANGE: no such id, or not on Earth. O(log cells) at worst,
 * mostly one store. */
HT_MUST_CHECK enum ht_status ht_moving_set(struct ht_moving *moving, uint32_t id,
                                           struct ht_point point);
/* Takes it out; nothing when it isn't there. */
void ht_moving_remove(struct ht_moving *moving, uint32_t id);

/* False: not there. */
bool ht_moving_get(const struct ht_moving *moving, uint32_t id, struct ht_point *point);
uint32_t ht_moving_count(const struct ht_moving *moving);
/* Memory reserved for all ids. */
size_t ht_moving_bytes(const struct ht_moving *moving);

/* For each thread one. */
HT_MUST_CHECK enum ht_status ht_moving_work_new(struct ht_moving_work **out);
void ht_moving_work_free(struct ht_moving_work *work);

/* By distance, equal ones by id. `*hits` lives until the workspace's next call. Depth first through
 * the pyramid, nearest quarter first (Roussopoulos et al. 1995). */
HT_MUST_CHECK enum ht_status ht_moving_near(struct ht_moving *moving, struct ht_moving_work *work,
                                            const struct ht_moving_ask *ask,
                                            const struct ht_moving_hit **hits, uint32_t *count);

/* All points in a box (borders included; min.lon > max.lon: across the antimeridian), by id. */
HT_MUST_CHECK enum ht_status ht_moving_in_box(struct ht_moving *moving, struct ht_moving_work *work,
                                              struct ht_box box,
                                              const struct ht_moving_filter *filter,
                                              const struct ht_moving_hit **hits, uint32_t *count);

#endif
