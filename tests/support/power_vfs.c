#include "tests/support/power_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MOST = 256, PATH_MOST = 512, SECTOR = 512 };

/* Something that was done to a file after its last sync. */
struct step {
    bool truncates; /* to `at` bytes */
    int64_t at;
    size_t size;
    unsigned char *data;
    struct step *next;
};

/* A file, whatever its name. */
struct node {
    unsigned char *kept;
    size_t kept_size;
    struct step *first;
    struct step **last;
    struct node *all; /* the next of all */
};

/* A name in the folder: the file that it means now, and as the disk is bound to know it. */
struct name {
    char path[PATH_MOST];
    struct node *now;
    struct node *kept;
};

/* What SQLite calls a file: ours in front, the real one behind it. */
struct file {
    sqlite3_file base;
    struct node *node;
    bool folder_too; /* its first sync syncs the folder, as SQLite's own does for logs */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;
static char folder[PATH_MOST]; /* "": not watched */
static struct name names[NAMES_MOST];
static struct node *nodes;
static uint64_t dice;
static long steps;
static long cut_at;
static bool cut;
static bool lies;
static long full_left; /* 0: there is room */
static bool full_seen;
static int refused;

static uint64_t roll(uint64_t sides)
{
    dice ^= dice >> 12;
    dice ^= dice << 25;
    dice ^= dice >> 27;
    return (dice * UINT64_C(2685821657736338717) >> 20) % sides;
}

static void *must(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

/* ---- what is kept in mind ---- */

static struct node *node_new(void)
{
    struct node *node = must(calloc(1, sizeof *node));
    node->last = &node->first;
    node->all = nodes;
    nodes = node;
    return node;
}

static void node_forget(struct node *node)
{
    while (node->first != NULL) {
        struct step *next = node->first->next;
        free(node->first->data);
        free(node->first);
        node->first = next;
    }
    node->last = &node->first;
}

/* `data` NULL: a truncation. */
static void node_step(struct node *node, int64_t at, const void *data, size_t size)
{
    struct step *step = must(calloc(1, sizeof *step));
    step->truncates = data == NULL;
    step->at = at;
    step->size = size;
    if (data != NULL) {
        step->data = must(malloc(size + 1));
        memcpy(step->data, data, size);
    }
    *node->last = step;
    node->last = &step->next;
}

static void node_size(struct node *node, size_t size)
{
    if (size > node->kept_size) {
        node->kept = must(realloc(node->kept, size));
        memset(node->kept + node->kept_size, 0, size - node->kept_size);
    }
    node->kept_size = size;
}

static void node_write(struct node *node, size_t at, const unsigned char *data, size_t size)
{
    if (at + size > node->kept_size) {
        node_size(node, at + size);
    }
    memcpy(node->kept + at, data, size);
}

/* All of it is on the disk. */
static void node_sync(struct node *node)
{
    for (struct step *step = node->first; step != NULL; step = step->next) {
        if (step->truncates) {
            node_size(node, (size_t)step->at);
        } else {
            node_write(node, (size_t)step->at, step->data, step->size);
        }
    }
    node_forget(node);
}

/* Some of a write: each sector whole, not at all, its first bytes, or rubbish. */
static void node_tear(struct node *node, const struct step *step, unsigned luck)
{
    size_t done = 0;
    while (done < step->size) {
        size_t at = (size_t)step->at + done;
        size_t room = SECTOR - at % SECTOR;
        size_t size = step->size - done < room ? step->size - done : room;
        if (roll(100) < luck) {
            size_t part = roll(16) == 0 ? (size_t)roll(size) : size;
            node_write(node, at, step->data + done, part);
            if (part < size && roll(4) == 0) {
                node_size(node, node->kept_size > at + size ? node->kept_size : at + size);
                memset(node->kept + at + part, (int)roll(256), size - part);
            }
        }
        done += size;
    }
}

/* What the disk may have got of the steps since the last sync. */
static void node_restore(struct node *node)
{
    static const unsigned lucks[] = {0, 10, 50, 90, 100};
    unsigned luck = lucks[roll(sizeof lucks / sizeof *lucks)];
    bool in_order = roll(3) == 0; /* those up to one, and no later one */
    size_t count = 0;
    for (struct step *step = node->first; step != NULL; step = step->next) {
        count++;
    }
    size_t reached = in_order ? (size_t)roll(count + 1) : count;
    size_t number = 0;
    for (struct step *step = node->first; step != NULL; step = step->next, number++) {
        unsigned own = !in_order ? luck : number < reached ? 100 : 0;
        if (step->truncates) {
            if (roll(100) < own) {
                node_size(node, (size_t)step->at);
            }
        } else {
            node_tear(node, step, own);
        }
    }
    node_forget(node);
}

/* ---- names ---- */

static bool watched(const char *path)
{
    size_t size = strlen(folder);
    return size > 0 && path != NULL && strncmp(path, folder, size) == 0 && path[size] == '/';
}

static bool node_read(struct node *node, const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool read_all = fd >= 0 && fstat(fd, &info) == 0;
    if (read_all) {
        node_size(node, (size_t)info.st_size);
        read_all = read(fd, node->kept, node->kept_size) == (ssize_t)node->kept_size;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return read_all;
}

/* A name that is new to us is on the disk as it is. */
static struct name *name_of(const char *path)
{
    struct name *free_one = NULL;
    for (struct name *name = names; name < names + NAMES_MOST; name++) {
        if (strcmp(name->path, path) == 0) {
            return name;
        }
        free_one = free_one == NULL && name->path[0] == '\0' ? name : free_one;
    }
    struct name *name = must(free_one);
    (void)snprintf(name->path, sizeof name->path, "%s", path);
    if (access(path, F_OK) == 0) {
        name->now = name->kept = node_new();
        if (!node_read(name->now, path)) {
            abort();
        }
    }
    return name;
}

static void folder_sync(void)
{
    for (struct name *name = names; name < names + NAMES_MOST; name++) {
        name->kept = name->now;
    }
}

/* Counts a step; false: the power is off, before it or within. */
static bool step_begins(void)
{
    if (cut) {
        return false;
    }
    steps++;
    cut = cut_at > 0 && steps >= cut_at;
    return !cut;
}

/* ---- SQLite's file ---- */

static sqlite3_file *behind(sqlite3_file *file)
{
    return (sqlite3_file *)((struct file *)file + 1);
}

static int power_close(sqlite3_file *file)
{
    return behind(file)->pMethods->xClose(behind(file));
}

static struct node *node_of(sqlite3_file *file)
{
    return ((struct file *)file)->node;
}

static int power_read(sqlite3_file *file, void *to, int size, sqlite3_int64 at)
{
    (void)pthread_mutex_lock(&lock);
    bool off = cut && node_of(file) != NULL;
    (void)pthread_mutex_unlock(&lock);
    return off ? SQLITE_IOERR_READ : behind(file)->pMethods->xRead(behind(file), to, size, at);
}

/* Needs the lock. How much of a write there is room for. */
static int room_for(int size)
{
    if (full_left == 0) {
        return size;
    }
    if (full_left > 1) {
        full_left--;
        return size;
    }
    full_seen = true;
    return (int)roll((uint64_t)size);
}

/* Needs the lock. What SQLite is told of a change of `node` (may be NULL); where the power goes off
 * within it, some of it may have been done. */
static int change(struct node *node, int64_t at, const void *data, size_t size)
{
    if (refused != 0) {
        return refused;
    }
    if (node == NULL) {
        return SQLITE_OK;
    }
    bool off = cut;
    bool goes_on = step_begins();
    if (!off) {
        node_step(node, at, data, size);
    }
    return goes_on ? SQLITE_OK : SQLITE_IOERR_WRITE;
}

static int power_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    (void)pthread_mutex_lock(&lock);
    int room = room_for(size);
    int code = change(node_of(file), at, data, (size_t)room);
    (void)pthread_mutex_unlock(&lock);
    if (code == SQLITE_OK && room > 0) {
        code = behind(file)->pMethods->xWrite(behind(file), data, room, at);
    }
    return code == SQLITE_OK && room < size ? SQLITE_FULL : code;
}

static int power_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    (void)pthread_mutex_lock(&lock);
    int code = change(node_of(file), size, NULL, 0);
    (void)pthread_mutex_unlock(&lock);
    return code == SQLITE_OK ? behind(file)->pMethods->xTruncate(behind(file), size) : code;
}

static int power_sync(sqlite3_file *file, int flags)
{
    struct file *own = (struct file *)file;
    (void)flags;
    (void)pthread_mutex_lock(&lock);
    int code = own->node != NULL && !step_begins() ? SQLITE_IOERR_FSYNC : SQLITE_OK;
    if (own->node != NULL && code == SQLITE_OK && !lies) {
        node_sync(own->node);
        if (own->folder_too) {
            folder_sync();
        }
        own->folder_too = false;
    }
    (void)pthread_mutex_unlock(&lock);
    return code;
}

static int power_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return behind(file)->pMethods->xFileSize(behind(file), size);
}

static int power_lock(sqlite3_file *file, int level)
{
    return behind(file)->pMethods->xLock(behind(file), level);
}

static int power_unlock(sqlite3_file *file, int level)
{
    return behind(file)->pMethods->xUnlock(behind(file), level);
}

static int power_check_lock(sqlite3_file *file, int *out)
{
    return behind(file)->pMethods->xCheckReservedLock(behind(file), out);
}

static int power_control(sqlite3_file *file, int what, void *more)
{
    return behind(file)->pMethods->xFileControl(behind(file), what, more);
}

static int power_sector(sqlite3_file *file)
{
    return behind(file)->pMethods->xSectorSize(behind(file));
}

static int power_device(sqlite3_file *file)
{
    return behind(file)->pMethods->xDeviceCharacteristics(behind(file));
}

static int power_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return behind(file)->pMethods->xShmMap(behind(file), page, size, extend, out);
}

static int power_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return behind(file)->pMethods->xShmLock(behind(file), offset, count, flags);
}

static void power_shm_barrier(sqlite3_file *file)
{
    behind(file)->pMethods->xShmBarrier(behind(file));
}

static int power_shm_unmap(sqlite3_file *file, int delete_it)
{
    return behind(file)->pMethods->xShmUnmap(behind(file), delete_it);
}

/* Version 2: without mapped pages, which could be changed behind our back. */
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = power_close,
    .xRead = power_read,
    .xWrite = power_write,
    .xTruncate = power_truncate,
    .xSync = power_sync,
    .xFileSize = power_file_size,
    .xLock = power_lock,
    .xUnlock = power_unlock,
    .xCheckReservedLock = power_check_lock,
    .xFileControl = power_control,
    .xSectorSize = power_sector,
    .xDeviceCharacteristics = power_device,
    .xShmMap = power_shm_map,
    .xShmLock = power_shm_lock,
    .xShmBarrier = power_shm_barrier,
    .xShmUnmap = power_shm_unmap,
};

/* ---- SQLite's disk ---- */

/* Needs the lock. What is new gets a node of its own, even where its name meant another before. */
static int open_look(const char *path, int flags, struct node **node)
{
    bool there = path != NULL && access(path, F_OK) == 0;
    *node = NULL;
    if (refused != 0 && (flags & SQLITE_OPEN_READWRITE) != 0) {
        return refused;
    }
    if (!watched(path)) {
        return SQLITE_OK;
    }
    if (cut) {
        return SQLITE_CANTOPEN;
    }
    struct name *name = name_of(path);
    if (!there && (flags & SQLITE_OPEN_CREATE) != 0) {
        name->now = node_new();
    }
    *node = name->now;
    return SQLITE_OK;
}

static int power_open(sqlite3_vfs *own, const char *path, sqlite3_file *file, int flags, int *out)
{
    const int logs = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
    struct file *opened = (struct file *)file;
    (void)own;
    memset(opened, 0, sizeof *opened);
    bool made = path == NULL || access(path, F_OK) != 0;
    (void)pthread_mutex_lock(&lock);
    int code = open_look(path, flags, &opened->node);
    (void)pthread_mutex_unlock(&lock);
    if (code == SQLITE_OK) {
        code = real_vfs->xOpen(real_vfs, path, behind(file), flags, out);
    }
    if (code == SQLITE_OK) {
        opened->folder_too = made && (flags & logs) != 0;
        file->pMethods = &methods;
    }
    return code;
}

static int power_delete(sqlite3_vfs *own, const char *path, int folder_too)
{
    int code = SQLITE_OK;
    (void)own;
    (void)pthread_mutex_lock(&lock);
    if (refused != 0) {
        code = refused;
    } else if (watched(path)) {
        struct name *name = name_of(path);
        code = step_begins() ? SQLITE_OK : SQLITE_IOERR_DELETE;
        name->now = code == SQLITE_OK ? NULL : name->now;
        if (code == SQLITE_OK && folder_too != 0 && !lies) {
            folder_sync();
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return code == SQLITE_OK ? real_vfs->xDelete(real_vfs, path, 0) : code;
}

/* From the program's start on, before SQLite opens anything. */
__attribute__((constructor)) static void power_register(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "power";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.xOpen = power_open;
    vfs.xDelete = power_delete;
    if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK) {
        abort();
    }
}

/* ---- the program's own calls ---- */

/* The linker gives these names. */
/* NOLINTBEGIN(bugprone-reserved-identifier) */
int __real_fsync(int fd);
int __real_link(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_fsync(int fd);
int __wrap_link(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);

static int off(void)
{
    errno = EIO;
    return -1;
}

int __wrap_fsync(int fd)
{
    char path[PATH_MOST] = "";
    char own[64];
    int code = 0;
    (void)snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    if (readlink(own, path, sizeof path - 1) < 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&lock);
    bool is_folder = folder[0] != '\0' && strcmp(path, folder) == 0;
    if (is_folder || watched(path)) {
        code = step_begins() ? 0 : off();
        if (code == 0 && !lies && is_folder) {
            folder_sync();
        } else if (code == 0 && !lies && name_of(path)->now != NULL) {
            node_sync(name_of(path)->now);
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return code;
}

/* `moves`: the old name goes. */
static int name_given(const char *from, const char *to, bool moves)
{
    int code = 0;
    (void)pthread_mutex_lock(&lock);
    if (watched(from) && watched(to)) {
        struct name *old = name_of(from);
        struct name *fresh = name_of(to);
        code = step_begins() ? 0 : off();
        if (code == 0 && (moves || fresh->now == NULL)) {
            fresh->now = old->now;
            old->now = moves ? NULL : old->now;
        }
    }
    (void)pthread_mutex_unlock(&lock);
    return code;
}

int __wrap_link(const char *from, const char *to)
{
    return name_given(from, to, false) == 0 ? __real_link(from, to) : -1;
}

int __wrap_rename(const char *from, const char *to)
{
    return name_given(from, to, true) == 0 ? __real_rename(from, to) : -1;
}

int __wrap_unlink(const char *path)
{
    int code = 0;
    (void)pthread_mutex_lock(&lock);
    if (watched(path)) {
        struct name *name = name_of(path);
        code = step_begins() ? 0 : off();
        name->now = code == 0 ? NULL : name->now;
    }
    (void)pthread_mutex_unlock(&lock);
    return code == 0 ? __real_unlink(path) : -1;
}

/* NOLINTEND(bugprone-reserved-identifier) */

/* ---- for the test ---- */

static void forget(void)
{
    while (nodes != NULL) {
        struct node *next = nodes->all;
        node_forget(nodes);
        free(nodes->kept);
        free(nodes);
        nodes = next;
    }
    memset(names, 0, sizeof names);
    folder[0] = '\0';
    cut = false;
    lies = false;
    cut_at = 0;
    steps = 0;
}

void ht_power_begin(const char *path, uint64_t seed)
{
    (void)pthread_mutex_lock(&lock);
    forget();
    (void)snprintf(folder, sizeof folder, "%s", path);
    dice = seed * 2 + 1;
    (void)pthread_mutex_unlock(&lock);
}

void ht_power_cut_after(long count)
{
    (void)pthread_mutex_lock(&lock);
    cut_at = count == 0 ? 0 : steps + count;
    (void)pthread_mutex_unlock(&lock);
}

void ht_power_cut_now(void)
{
    (void)pthread_mutex_lock(&lock);
    cut = true;
    (void)pthread_mutex_unlock(&lock);
}

bool ht_power_is_cut(void)
{
    (void)pthread_mutex_lock(&lock);
    bool is = cut;
    (void)pthread_mutex_unlock(&lock);
    return is;
}

long ht_power_steps(void)
{
    (void)pthread_mutex_lock(&lock);
    long count = steps;
    (void)pthread_mutex_unlock(&lock);
    return count;
}

void ht_power_lie(bool lie)
{
    (void)pthread_mutex_lock(&lock);
    lies = lie;
    (void)pthread_mutex_unlock(&lock);
}

static void file_put(const char *path, const struct node *node)
{
    (void)__real_unlink(path);
    if (node == NULL) {
        return;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, node->kept, node->kept_size) != (ssize_t)node->kept_size ||
        close(fd) != 0) {
        abort();
    }
}

/* The index of a log is never synced: it is there as it was, as rubbish, or not at all. */
static void index_put(const char *path)
{
    char index[PATH_MOST + 8];
    (void)snprintf(index, sizeof index, "%s-shm", path);
    uint64_t fate = roll(3);
    if (fate == 0) {
        (void)__real_unlink(index);
    } else if (fate == 1) {
        unsigned char bytes[4096];
        memset(bytes, (int)roll(256), sizeof bytes);
        int fd = open(index, O_WRONLY | O_CLOEXEC);
        if (fd >= 0) {
            (void)!write(fd, bytes, sizeof bytes);
            (void)close(fd);
        }
    }
}

void ht_power_restore(void)
{
    (void)pthread_mutex_lock(&lock);
    for (struct node *node = nodes; node != NULL; node = node->all) {
        node_restore(node);
    }
    for (struct name *name = names; name < names + NAMES_MOST; name++) {
        if (name->path[0] != '\0') {
            file_put(name->path, roll(2) == 0 ? name->now : name->kept);
            index_put(name->path);
        }
    }
    forget();
    (void)pthread_mutex_unlock(&lock);
}

void ht_power_full_after(long writes)
{
    (void)pthread_mutex_lock(&lock);
    full_left = writes;
    full_seen = false;
    (void)pthread_mutex_unlock(&lock);
}

bool ht_power_was_full(void)
{
    (void)pthread_mutex_lock(&lock);
    bool was = full_seen;
    (void)pthread_mutex_unlock(&lock);
    return was;
}

void ht_power_refuse(int code)
{
    (void)pthread_mutex_lock(&lock);
    refused = code;
    (void)pthread_mutex_unlock(&lock);
}
