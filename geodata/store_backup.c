#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "geodata/store_lite_internal.h"

/* All pages in one step: a copy in several starts over whenever somebody else writes. The reader's
 * snapshot is one state, and no writer waits for it. */
static enum ht_status copy(struct ht__store_conn *from, const char *to, struct ht_error *error)
{
    struct ht__store_conn copy = {.path = to};
    int code = sqlite3_open_v2(
        to, &copy.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(copy.db, "main", from->db, "main");
        code = backup == NULL ? sqlite3_errcode(copy.db) : sqlite3_backup_step(backup, -1);
        int end = backup == NULL ? code : sqlite3_backup_finish(backup);
        code = code == SQLITE_DONE ? end : code;
    }
    enum ht_status status = code == SQLITE_OK ? HT_OK : ht__lite_fail(&copy, code, error);
    (void)sqlite3_close(copy.db);
    return status;
}

static bool sync_at(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) {
        int code = errno;
        (void)close(fd);
        errno = code;
    }
    return synced;
}

/* A new name is on the disk when its folder is. */
static bool sync_folder_of(const char *path)
{
    char folder[4096] = ".";
    const char *slash = strrchr(path, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    if (size >= sizeof folder) {
        errno = ENAMETOOLONG;
        return false;
    }
    if (size > 0) {
        memcpy(folder, path, size);
        folder[size > 1 ? size - 1 : size] = '\0';
    }
    return sync_at(folder);
}

static enum ht_status settle(const char *temporary, const char *to, struct ht_error *error)
{
    char why[128];
    /* link, not rename: what stands there is never written over */
    if (!sync_at(temporary) || link(temporary, to) != 0 || !sync_folder_of(to)) {
        int code = errno;
        return ht_error_set(error, code == EEXIST ? HT_EXISTS : HT_IO, 0, "%.120s: %s", to,
                            strerror_r(code, why, sizeof why));
    }
    return HT_OK;
}

enum ht_status ht__lite_backup(const char *path, const char *to, struct ht_error *error)
{
    struct ht_store *store = NULL;
    struct ht_store_reader *reader = NULL;
    struct stat info;
    char temporary[4096];
    const struct ht_store_options options = {.mode = HT_STORE_READ_ONLY};
    if (stat(to, &info) == 0) {
        return ht_error_set(error, HT_EXISTS, 0, "%.120s is there already", to);
    }
    if ((size_t)snprintf(temporary, sizeof temporary, "%s.%ld.tmp", to, (long)getpid()) >=
        sizeof temporary) {
        return ht_error_set(error, HT_TOO_BIG, 0, "%.120s...: the name is too long", to);
    }
    enum ht_status status = ht_store_open(path, &options, &store, error);
    if (status == HT_OK) {
        status = ht_store_reader_new(store, &reader, error);
    }
    if (status == HT_OK) {
        status = copy(&reader->conn, temporary, error);
        if (status == HT_OK) {
            status = settle(temporary, to, error);
        }
        (void)unlink(temporary);
    }
    ht_store_reader_free(reader);
    ht_store_close(store);
    return status;
}
