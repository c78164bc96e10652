/* The network file `.hnet`: one file, every profile, mapped into memory and used as it is.
 *
 *   header  magic, endian mark, format version, file length, where the table lies, checksums
 *   data    sections, each aligned to 64 bytes
 *   table   per section: name, profile index, offset, size, item size, XXH3 checksum
 *
 * Opening checks header and table, and the few bytes that name the profiles. A profile's sections
 * (and the shared ones) are checked on first use: checksum, then that every index points into its
 * array, so that no query needs to. Whoever has checked all of a file leaves a stamp on it (an
 * extended attribute with the times of its last write and change, hnet_stamp.c), and as long as
 * nobody writes to it, opening it takes a few milliseconds.
 *
 * Threading: open and close from one thread; ht_hnet_road from any, it locks. Ownership: what it
 * gives points into the mapping and lives until close.
 */
#ifndef HT_GEODATA_HNET_H
#define HT_GEODATA_HNET_H

#include "engine/base/pool.h"
#include "engine/base/status.h"
#include "engine/road/cch.h"
#include "engine/road/query.h"

struct ht_hnet;

/* Errors: HT_IO, HT_FOREIGN, HT_TRUNCATED, HT_VERSION, HT_CHECKSUM; the message names the reason
 * and the command that makes a new file. */
HT_MUST_CHECK enum ht_status ht_hnet_open(const char *path, struct ht_hnet **out,
                                          struct ht_error *error);
void ht_hnet_close(struct ht_hnet *file);

/* Number and names of profiles, known without checking sections. */
uint32_t ht_hnet_profile_count(const struct ht_hnet *file);
const char *ht_hnet_profile(const struct ht_hnet *file, uint32_t index);

/* What the network covers, known without checking sections. */
struct ht_box ht_hnet_box(const struct ht_hnet *file);

/* Whether a stamp says that all of the file was checked, and nobody has written to it since. */
bool ht_hnet_stamped(const struct ht_hnet *file);

/* Everything that a query of this profile needs, checked (now, or before by its stamp); `pool` may
 * be NULL. HT_NOT_FOUND: no such profile; HT_CHECKSUM or HT_RANGE: damaged. The network has this
 * one graph. */
HT_MUST_CHECK enum ht_status ht_hnet_road(struct ht_hnet *file, const char *profile,
                                          struct ht_pool *pool, struct ht_road *out,
                                          struct ht_error *error);

/* Checks the rest of a profile, which only customization reads (the hierarchy's own rows, of which
 * queries have a trimmed copy with costs; ht_metric_trim): to be called after ht_hnet_road and
 * before the hierarchy is customized. Errors as ht_hnet_road. */
HT_MUST_CHECK enum ht_status ht_hnet_check_rest(struct ht_hnet *file, const char *profile,
                                                struct ht_pool *pool, struct ht_error *error);

/* Checks all of the file, whatever its stamp says, but for what this process has checked before,
 * and stamps it. The road of a profile may be in use meanwhile. Errors as ht_hnet_road. */
HT_MUST_CHECK enum ht_status ht_hnet_check_whole(struct ht_hnet *file, struct ht_pool *pool,
                                                 struct ht_error *error);

/* What the import said about itself: JSON, checked, not NUL-terminated. */
HT_MUST_CHECK enum ht_status ht_hnet_info(struct ht_hnet *file, const char **json, size_t *size,
                                          struct ht_error *error);
/* Bytes of the file, of the sections of profile `index`, or (HT_NONE) of those that all share. */
uint64_t ht_hnet_size(const struct ht_hnet *file);
uint64_t ht_hnet_profile_size(const struct ht_hnet *file, uint32_t index);
/* Names the file's content: over the checksums of all sections but the import's own words, so that
 * the same input gives the same number. */
uint64_t ht_hnet_checksum(const struct ht_hnet *file);
uint32_t ht_hnet_version(const struct ht_hnet *file);

/* A file that somebody cuts while it is mapped ends the process with SIGBUS: after this call with
 * one line on stderr and exit code 1. For programs, once at start. */
void ht_hnet_guard_sigbus(void);

#endif
