/* Homes: all households of the registry as what counts them needs them, kept in memory.
 *
 * A list of them is immutable and counted by reference. Whether it still is what the store has is
 * asked of the table of events, which tells each change of a household or a cell, also by another
 * process: then all are read anew (some 60 ms for 20,000).
 *
 * Threading: any thread, with its own reader of the store; one reads at a time. Ownership: texts
 * are the list's. `frail` is personal: who reads it here has to leave an audit row, or give away
 * nothing that tells single households (api/persons.h).
 */
#ifndef HT_API_HOMES_H
#define HT_API_HOMES_H

#include <stdatomic.h>

#include "api/home.h"

int64_t ht_home_residents(const struct ht_store_item *item);

struct ht_homes {
    atomic_size_t references;
    uint64_t number; /* its own among all lists of this process, not 0 */
    uint32_t count;  /* households that lie somewhere */
    const char **ids;
    struct ht_point *points; /* where one goes */
    struct ht_home_inside *inside;
    uint32_t *residents;
    uint32_t *cell;  /* of `cells`; cell_count: none */
    uint64_t *frail; /* a bit each */
    uint32_t cell_count;
    const char **cells; /* by id */
    void *texts;        /* of ids and cells */
};

struct ht_homes_keeper;
HT_MUST_CHECK enum ht_status ht_homes_keeper_new(struct ht_homes_keeper **out);
void ht_homes_keeper_free(struct ht_homes_keeper *keeper);

/* The households as they are now, with a reference for the caller. */
HT_MUST_CHECK enum ht_status ht_homes_get(struct ht_homes_keeper *keeper,
                                          struct ht_store_reader *reader, struct ht_homes **out,
                                          struct ht_error *error);
/* Both take NULL. */
void ht_homes_retain(struct ht_homes *homes);
void ht_homes_release(struct ht_homes *homes);

static inline bool ht_homes_is_frail(const struct ht_homes *homes, uint32_t i)
{
    return (homes->frail[i / 64] >> i % 64 & 1) != 0;
}

#endif
