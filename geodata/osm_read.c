#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "geodata/osm.h"
#include "geodata/osm_internal.h"

const char *ht_osm_tag_value(struct ht_osm_tags tags, const char *key)
{
    for (size_t i = 0; i < tags.count; i++) {
        if (strcmp(tags.list[i].key, key) == 0) {
            return tags.list[i].value;
        }
    }
    return NULL;
}

/* `what` and the system's reason. */
static enum ht_status io_error(struct ht_error *error, uint64_t where, const char *what)
{
    char why[128];
    return ht_error_set(error, HT_IO, (int64_t)where, "%s: %s", what,
                        strerror_r(errno, why, sizeof why));
}

enum ht_status ht__osm_source_read(const struct ht__osm_source *source, uint64_t at, void *out,
                                   size_t size, struct ht_error *error)
{
    if (at > source->size || size > source->size - at) {
        return ht_error_set(error, HT_TRUNCATED, (int64_t)at, "the file ends within a block");
    }
    if (source->data != NULL) {
        memcpy(out, source->data + at, size);
        return HT_OK;
    }
    char *to = out;
    while (size > 0) {
        ssize_t got = pread(source->fd, to, size, (off_t)at);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return io_error(error, at, "can't read");
        }
        if (got == 0) {
            return ht_error_set(error, HT_TRUNCATED, (int64_t)at,
                                "the file became shorter while it was read");
        }
        to += got;
        at += (uint64_t)got;
        size -= (size_t)got;
    }
    return HT_OK;
}

static bool looks_like_xml(const unsigned char *head, size_t size)
{
    size_t i = size >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (i < size && (head[i] == ' ' || head[i] == '\t' || head[i] == '\r' || head[i] == '\n')) {
        i++;
    }
    return i < size && head[i] == '<';
}

/* A PBF begins with the length of a header of at most 64 KiB, most significant byte first, and the
 * header begins with its type; where a file ends earlier, what is there decides. */
static bool looks_like_pbf(const unsigned char *head, size_t size)
{
    static const char type[] = "\x0A\x09OSMHeader";
    if (head[0] != 0 || (size > 1 && head[1] > 1)) {
        return false;
    }
    if (size <= 4) {
        return true;
    }
    size_t rest = size - 4 < sizeof type - 1 ? size - 4 : sizeof type - 1;
    return memcmp(head + 4, type, rest) == 0;
}

static enum ht_status read_source(const struct ht__osm_source *source, struct ht_pool *pool,
                                  const struct ht_osm_handler *handler, struct ht_error *error)
{
    if (source->size == 0) {
        return ht_error_set(error, HT_EMPTY, 0, "the file is empty");
    }
    unsigned char head[64] = {0};
    size_t size = source->size < sizeof head ? (size_t)source->size : sizeof head;
    enum ht_status status = ht__osm_source_read(source, 0, head, size, error);
    if (status != HT_OK) {
        return status;
    }
    if (size >= 2 && head[0] == 0x1F && head[1] == 0x8B) {
        return ht__osm_read_xml(source, HT__OSM_GZIP, handler, error);
    }
    if (size >= 3 && memcmp(head, "BZh", 3) == 0) {
        return ht__osm_read_xml(source, HT__OSM_BZIP2, handler, error);
    }
    if (looks_like_xml(head, size)) {
        return ht__osm_read_xml(source, HT__OSM_PLAIN, handler, error);
    }
    if (looks_like_pbf(head, size)) {
        return ht__osm_read_pbf(source, pool, handler, error);
    }
    return ht_error_set(
        error, HT_FOREIGN, 0,
        "begins with bytes %02x %02x %02x %02x: neither .osm.pbf nor .osm, .osm.gz, "
        ".osm.bz2",
        head[0], head[1], head[2], head[3]);
}

/* An error of the handler may carry its own text; where it has none, the code's stands. */
static enum ht_status finish(enum ht_status status, struct ht_error *error)
{
    if (status != HT_OK && error != NULL && error->status != status) {
        return ht_error_set(error, status, 0, NULL);
    }
    return status;
}

enum ht_status ht_osm_read_memory(const void *data, size_t size, struct ht_pool *pool,
                                  const struct ht_osm_handler *handler, struct ht_error *error)
{
    if (error != NULL) {
        *error = (struct ht_error){.status = HT_OK};
    }
    static const uint8_t nothing = 0;
    struct ht__osm_source source = {.data = size == 0 ? &nothing : data, .fd = -1, .size = size};
    return finish(read_source(&source, pool, handler, error), error);
}

enum ht_status ht_osm_read(const char *path, struct ht_pool *pool,
                           const struct ht_osm_handler *handler, struct ht_error *error)
{
    if (error != NULL) {
        *error = (struct ht_error){.status = HT_OK};
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* nor wait for a FIFO's writer */
    if (fd < 0) {
        return io_error(error, 0, "can't open");
    }
    struct stat info;
    enum ht_status status;
    if (fstat(fd, &info) != 0) {
        status = io_error(error, 0, "can't read");
    } else if (!S_ISREG(info.st_mode)) {
        status = ht_error_set(error, HT_IO, 0, "not a regular file");
    } else {
        struct ht__osm_source source = {.fd = fd, .size = (uint64_t)info.st_size};
        status = finish(read_source(&source, pool, handler, error), error);
    }
    (void)close(fd);
    return status;
}
