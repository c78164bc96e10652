/* The network file `.hnet`: one file, every profile, mapped into memory and used as it is.
 *
 *   header  magic, format version, endian mark, file length, section count, checksum of all before
 *   table   per section: name, profile index, offset, size, item size, XXH3 checksum
 *   data    sections, each aligned to 64 bytes
 *
 * Opening checks header and table. A profile's sections (and the shared ones) are checked on first use:
 * checksum, then that every index points into its array, so that no query needs to.
 *
 * Threading: open and close from one thread; ht_hnet_road from any, it locks. Ownership: what it gives
 * points into the mapping and lives until close.
 */
#ifndef HT_GEODATA_HNET_H
#define HT_GEODATA_HNET_H

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/cch.h"
#include "engine/road/query.h"

struct ht_hnet;

/* Errors: HT_IO, HT_FOREIGN, HT_TRUNCATED, HT_VERSION, HT_CHECKSUM; the message names the reason and the
 * command that makes a new file. */
HT_MUST_CHECK enum ht_status ht_hnet_open(const char *path, struct ht_hnet **out,
                                          struct ht_error *error);
void ht_hnet_close(struct ht_hnet *file);

/* Number and names of profiles, known without checking sections. */
uint32_t ht_hnet_profile_count(const struct ht_hnet *file);
const char *ht_hnet_profile(const struct ht_hnet *file, uint32_t index);

/* Everything that a query of this profile needs, checked; `pool` may be NULL. HT_NOT_FOUND: no such profile;
 * HT_CHECKSUM or HT_RANGE: damaged. */
HT_MUST_CHECK enum ht_status ht_hnet_road(struct ht_hnet *file, const char *profile,
                                          struct ht_pool *pool, struct ht_road *out,
                                          struct ht_error *error);

#endif
