/* The stamp: an extended attribute that says which content of the file was checked.
 *
 * Checking 400 MB takes longer than anything that a first answer needs, and finds the same each
 * time. So whoever has checked the whole file writes down when it was last written to, as make and
 * git's index do: as long as size, time of writing, inode and checksum are those, nobody wrote to
 * it since. A copy, a download and a file that was touched have no valid stamp. A server checks
 * again in the background, since a disk can fail without a write.
 *
 * The time of writing can be set back by anybody (rsync, tar and touch do), the time of the last
 * change of the inode can't, and every write moves it. The stamp is such a change itself: it holds
 * that time as it was a moment before, and is written again until no more than that moment lies
 * between. A file that was renamed or whose rights were changed is checked once more.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "geodata/hnet_internal.h"

#define STAMP_NAME "user.houtao.checked"

enum {
    CHECKS = 1, /* grows when a check is added */
    STAMP_MAX = 192,
    TRIES = 8,
    MOMENT_NS = 5000000,
    GRAIN_NS = 20000000, /* two writes this close may bear the same time */
};

/* What the stamp says of the content; the time of the last change goes behind it. */
static int stamp_write(const struct stat *info, const struct ht__hnet_header *header, char *out)
{
    return snprintf(out, STAMP_MAX, "%d %d %llu:%llu %lld %lld.%09ld %016llx ", CHECKS,
                    HT__HNET_VERSION, (unsigned long long)info->st_dev,
                    (unsigned long long)info->st_ino, (long long)info->st_size,
                    (long long)info->st_mtim.tv_sec, info->st_mtim.tv_nsec,
                    (unsigned long long)header->header_checksum);
}

static int64_t change_ns(const struct stat *info)
{
    return (int64_t)info->st_ctim.tv_sec * INT64_C(1000000000) + info->st_ctim.tv_nsec;
}

/* Whether the last change was the stamp's own. */
static bool is_own(const struct stat *info, int64_t before_ns)
{
    int64_t since = change_ns(info) - before_ns;
    return since >= 0 && since <= MOMENT_NS;
}

bool ht__hnet_stamped(int fd, const struct ht__hnet_header *header)
{
    char want[STAMP_MAX];
    char have[STAMP_MAX + 1];
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return false;
    }
    int size = stamp_write(&info, header, want);
    ssize_t got = fgetxattr(fd, STAMP_NAME, have, STAMP_MAX);
    if (got <= size || memcmp(want, have, (size_t)size) != 0) {
        return false;
    }
    have[got] = '\0';
    return is_own(&info, strtoll(have + size, NULL, 10));
}

/* Whether a write from now on would give the file another time: waits for that where it is near.
 * A file system that counts whole seconds is not waited for. */
static bool settled(const struct stat *info)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) {
        return false;
    }
    int64_t age_ns = ((int64_t)now.tv_sec - info->st_mtim.tv_sec) * INT64_C(1000000000) +
                     now.tv_nsec - info->st_mtim.tv_nsec;
    if (info->st_mtim.tv_nsec == 0 || age_ns < 0) {
        return age_ns > INT64_C(2000000000);
    }
    struct timespec rest = {.tv_nsec = GRAIN_NS - (long)age_ns};
    return age_ns > GRAIN_NS || nanosleep(&rest, NULL) == 0;
}

void ht__hnet_stamp(int fd, const struct stat *before, const struct ht__hnet_header *header)
{
    char stamp[STAMP_MAX];
    char again[STAMP_MAX];
    struct stat after;
    if (!settled(before) || fstat(fd, &after) != 0) {
        return;
    }
    int size = stamp_write(before, header, stamp);
    for (int i = 0; i < TRIES; i++) {
        if (stamp_write(&after, header, again) != size || memcmp(stamp, again, (size_t)size) != 0) {
            break;
        }
        int64_t before_ns = change_ns(&after);
        int whole =
            size + snprintf(stamp + size, sizeof stamp - (size_t)size, "%" PRId64, before_ns);
        if (fsetxattr(fd, STAMP_NAME, stamp, (size_t)whole, 0) != 0 || fstat(fd, &after) != 0) {
            return; /* not all file systems and users may: then it is checked each time */
        }
        if (is_own(&after, before_ns)) {
            return;
        }
    }
    int failed = fremovexattr(fd, STAMP_NAME);
    (void)failed;
}
