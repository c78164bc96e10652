#include "api/backups.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STAMP_SIZE = sizeof "20260301T083000Z" - 1 };

/* The name of a file without folder, cut before its last dot: "town" and ".sqlite". */
struct stem {
    const char *name;
    size_t size;
    const char *ending;
};

static struct stem stem_of(const char *store)
{
    const char *slash = strrchr(store, '/');
    const char *name = slash == NULL ? store : slash + 1;
    const char *dot = strrchr(name, '.');
    size_t size = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
    return (struct stem){name, size, name + size};
}

enum ht_status ht_backups_name(const char *folder, const char *store, int64_t utc_ms, char *out,
                               size_t size)
{
    struct stem stem = stem_of(store);
    char stamp[32];
    struct tm utc = {0};
    time_t seconds = (time_t)(utc_ms / 1000);
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &utc) != STAMP_SIZE) {
        return HT_RANGE;
    }
    int length =
        snprintf(out, size, "%s/%.*s-%s%s", folder, (int)stem.size, stem.name, stamp, stem.ending);
    return length > 0 && (size_t)length < size ? HT_OK : HT_TOO_BIG;
}

/* How many bytes of `name` are the name of a copy; 0: it begins otherwise. */
static size_t copy_size(const struct stem *stem, const char *name)
{
    static const char shape[] = "ddddddddTddddddZ";
    if (strncmp(name, stem->name, stem->size) != 0 || name[stem->size] != '-') {
        return 0;
    }
    const char *stamp = name + stem->size + 1;
    for (size_t i = 0; i < STAMP_SIZE; i++) {
        bool fits = shape[i] == 'd' ? isdigit((unsigned char)stamp[i]) != 0 : stamp[i] == shape[i];
        if (!fits) {
            return 0; /* also at the name's end */
        }
    }
    size_t size = strlen(stem->ending);
    return strncmp(stamp + STAMP_SIZE, stem->ending, size) == 0 ? stem->size + 1 + STAMP_SIZE + size
                                                                : 0;
}

/* What is behind the name of a copy where it was broken off: ".PID.tmp" of a process that is gone.
 */
static bool is_left_over(const char *rest)
{
    char *end = NULL;
    long pid = rest[0] == '.' && isdigit((unsigned char)rest[1]) ? strtol(rest + 1, &end, 10) : 0;
    return pid > 0 && pid <= INT_MAX && strcmp(end, ".tmp") == 0 && kill((pid_t)pid, 0) != 0 &&
           errno == ESRCH;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

struct copies {
    char **names;
    size_t count;
    size_t room;
};

static bool copies_add(struct copies *copies, const char *name)
{
    if (copies->count == copies->room) {
        size_t room = copies->room == 0 ? 64 : 2 * copies->room;
        char **grown = realloc(copies->names, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        copies->names = grown;
        copies->room = room;
    }
    copies->names[copies->count] = strdup(name);
    return copies->names[copies->count] != NULL && ++copies->count > 0;
}

static enum ht_status copies_read(DIR *dir, const struct stem *stem, struct copies *copies)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of our own
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        size_t size = copy_size(stem, entry->d_name);
        const char *rest = entry->d_name + size;
        if (size > 0 && *rest == '\0' && !copies_add(copies, entry->d_name)) {
            return HT_NOMEM;
        }
        if (size > 0 && is_left_over(rest)) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (copies->count > 0) {
        qsort(copies->names, copies->count, sizeof *copies->names, by_name);
    }
    return HT_OK;
}

enum ht_status ht_backups_prune(const char *folder, const char *store, size_t keep, size_t *erased,
                                struct ht_error *error)
{
    char why[128];
    struct stem stem = stem_of(store);
    struct copies copies = {0};
    *erased = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL) {
        return ht_error_set(error, HT_IO, 0, "%.120s: %s", folder,
                            strerror_r(errno, why, sizeof why));
    }
    enum ht_status status = copies_read(dir, &stem, &copies);
    for (size_t i = 0; status == HT_OK && i + keep < copies.count; i++) {
        if (unlinkat(dirfd(dir), copies.names[i], 0) != 0) {
            status = ht_error_set(error, HT_IO, 0, "%.60s/%.120s: %s", folder, copies.names[i],
                                  strerror_r(errno, why, sizeof why));
        } else {
            *erased += 1;
        }
    }
    (void)closedir(dir);
    for (size_t i = 0; i < copies.count; i++) {
        free(copies.names[i]);
    }
    free(copies.names);
    return status == HT_NOMEM ? ht_error_set(error, HT_NOMEM, 0, NULL) : status;
}
