/* Backups: the copies of a store in a folder, of which the newest are kept.
 *
 * A copy of town.sqlite made at a moment is town-20260301T083000Z.sqlite; other files in the folder
 * are nobody's business here.
 *
 * Threading: plain functions. Ownership: the caller's buffers.
 */
#ifndef HT_API_BACKUPS_H
#define HT_API_BACKUPS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

/* The path of the copy of `store` in `folder` at `utc_ms`. HT_TOO_BIG: longer than `size`. */
enum ht_status ht_backups_name(const char *folder, const char *store, int64_t utc_ms, char *out,
                               size_t size) HT_MUST_CHECK;

/* Erases the oldest copies of `store` in `folder` until `keep` (1 or more) are left; by their
 * names, so that a copied folder counts the same. `*erased`: how many. What copies that were broken
 * off left behind goes, too. */
enum ht_status ht_backups_prune(const char *folder, const char *store, size_t keep, size_t *erased,
                                struct ht_error *error) HT_MUST_CHECK;

#endif
