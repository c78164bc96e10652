/* Copying a district's record from one store into another, of whatever engines the two are.
 *
 * All of it goes over as it is: items with versions and salts, every event with its hash, notes,
 * settings, secrets, what was learned. It is read as it was at one moment, also while it is served,
 * and written in one transaction, which is committed only where the chain of the copy holds and
 * ends with the same hash.
 *
 * Threading: any; the call takes minutes for a big town.
 */
#ifndef HT_GEODATA_STORE_COPY_H
#define HT_GEODATA_STORE_COPY_H

#include "geodata/store.h"

struct ht_store_copied {
    uint64_t rows; /* of all tables, the events among them */
    struct ht_store_audit audit;
};

/* `to` is made where it is not there. HT_EXISTS: there is something in it already; HT_CHECKSUM: the
 * chain of `from` is broken (`out->audit` says where), and nothing is copied. */
HT_MUST_CHECK enum ht_status ht_store_copy(const char *from, const char *to,
                                           struct ht_store_copied *out, struct ht_error *error);

#endif
