/* The stamp: an extended attribute that says which content of the file was checked.
 *
 * Checking 400 MB takes longer than anything that a first answer needs, and finds the same each
 * time. So whoever has checked the whole file writes down when it was last written to, as make and
 * git's index do: as long as size, time of writing, inode and checksum are those, nobody wrote to
 * it since. A copy, a download and a file that was touched have no valid stamp. A server checks
 * again in the background, since a disk can fail without a write.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "geodata/hnet_internal.h"

#define STAMP_NAME "user.houtao.checked"

enum {
    CHECKS = 1, /* grows when a check is added */
    STAMP_MAX = 160,
    GRAIN_NS = 20000000, /* two writes this close may bear the same time */
};

static int stamp_write(const struct stat *info, const struct ht__hnet_header *header, char *out)
{
    return snprintf(out, STAMP_MAX, "%d %d %llu:%llu %lld %lld.%09ld %016llx", CHECKS,
                    HT__HNET_VERSION, (unsigned long long)info->st_dev,
                    (unsigned long long)info->st_ino, (long long)info->st_size,
                    (long long)info->st_mtim.tv_sec, info->st_mtim.tv_nsec,
                    (unsigned long long)header->header_checksum);
}

bool ht__hnet_stamped(int fd, const struct ht__hnet_header *header)
{
    char want[STAMP_MAX];
    char have[STAMP_MAX];
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return false;
    }
    int size = stamp_write(&info, header, want);
    return fgetxattr(fd, STAMP_NAME, have, sizeof have) == size &&
           memcmp(want, have, (size_t)size) == 0;
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
    if (stamp_write(&after, header, again) == size && memcmp(stamp, again, (size_t)size) == 0) {
        /* Not all file systems and users may: then it is checked each time. */
        int failed = fsetxattr(fd, STAMP_NAME, stamp, (size_t)size, 0);
        (void)failed;
    }
}
