/* A disk whose power can be cut, and that can be full: a VFS of SQLite around the usual one.
 *
 * Everything goes to the real files at once, so that the process under test sees what it would see.
 * Beside that it is kept in mind what a disk is bound to have: of each file the bytes of its last
 * sync, of each folder the names of its last sync, and in order what was done since. A power cut
 * makes every call fail from then on; ht_power_restore then leaves in the folder what such a disk
 * may have kept: all that was synced, and of the rest any part, torn within a sector or replaced by
 * rubbish there, names and deleted names likewise.
 *
 *   ht_power_begin(folder, seed);           files below `folder`, all closed, as they are: kept
 *   ht_power_cut_after(n);                  the n-th step from here does not come to its end
 *   ...                                     open a store, write, close it
 *   ht_power_restore();                     the machine is on again, without the VFS
 *
 * A step is a write, truncation, sync, deletion, or link. What is synced is not synced in truth,
 * which makes this fast. Steps that are not SQLite's (fsync, link, rename, unlink of the program)
 * are seen where the test is linked with ht_test_power(wing room) in CMake.
 *
 * Threading: one lock. Ownership: nothing is given away.
 */
#ifndef HT_TESTS_SUPPORT_POWER_VFS_H
#define HT_TESTS_SUPPORT_POWER_VFS_H

#include <stdbool.h>
#include <stdint.h>

void ht_power_begin(const char *folder, uint64_t seed);
/* 0: never. */
void ht_power_cut_after(long steps);
void ht_power_cut_now(void);
bool ht_power_is_cut(void);
/* Since ht_power_begin. */
long ht_power_steps(void);
/* Syncs are answered and not done, as by a bad disk. */
void ht_power_lie(bool lie);
void ht_power_restore(void);

/* From the n-th write on (1: the next) there is no room; part of that one may be there. 0: there is
 * room. Counts whether or not power can be cut, for all files. */
void ht_power_full_after(long writes);
/* True when a write was refused since. */
bool ht_power_was_full(void);
/* From now on writing and making files is refused with this code of SQLite; 0: as usual. */
void ht_power_refuse(int code);

#endif
