/* A folder that can't be written, by root neither: mounted so for the calling process and those it
 * starts, in a name space of their own.
 *
 * Include it after tests/support/check.h. Threading: from a process with one thread, best a child
 * made for it.
 */
#ifndef HT_TESTS_SUPPORT_MEDIUM_H
#define HT_TESTS_SUPPORT_MEDIUM_H

#include <sched.h>
#include <sys/mount.h>

/* False: this machine does not let us. */
static inline bool ht_medium_read_only(const char *folder)
{
    uid_t user = getuid();
    char map[64];
    if (user == 0 ? unshare(CLONE_NEWNS) != 0 : unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
        return false;
    }
    if (user != 0) {
        FILE *file = fopen("/proc/self/uid_map", "we");
        (void)snprintf(map, sizeof map, "0 %u 1", (unsigned)user);
        if (file == NULL || fputs(map, file) < 0 || fclose(file) != 0) {
            return false;
        }
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(folder, folder, NULL, MS_BIND, NULL) == 0 &&
           mount(NULL, folder, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0;
}

#endif
