/* The registry as files: both forms of a collection grow in memory and are written when it ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "geodata/sample_town_internal.h"

enum { PATH_SIZE = 4096 + 64 };

struct files {
    const char *folder;
    void (*told)(const struct ht_sample_file *file);
    const struct ht_collection *collection; /* at hand; NULL: none yet */
    size_t items;
    struct ht_text geojson;
    struct ht_text csv;
    struct ht_error *error;
};

static enum ht_status fail_io(const struct files *files, const char *path)
{
    char why[128];
    const char *reason = strerror_r(errno, why, sizeof why);
    return ht_error_set(files->error, HT_IO, 0, "can't write %.160s: %.60s", path, reason);
}

static bool write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, bytes, size);
        if (count < 0 && errno != EINTR) {
            return false;
        }
        size_t done = count < 0 ? 0 : (size_t)count;
        bytes += done;
        size -= done;
    }
    return true;
}

/* Beside and renamed, so that nobody ever finds half a file under the name. */
static enum ht_status write_file(const struct files *files, const char *form,
                                 const struct ht_text *text)
{
    char path[PATH_SIZE];
    char beside[PATH_SIZE + 32];
    int length =
        snprintf(path, sizeof path, "%s/%s.%s", files->folder, files->collection->name, form);
    (void)snprintf(beside, sizeof beside, "%s.%ld", path, (long)getpid());
    errno = ENAMETOOLONG;
    int fd = length < (int)sizeof path
                 ? open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)
                 : -1;
    if (fd < 0) {
        return fail_io(files, path);
    }
    bool good = write_all(fd, text->data, text->size);
    good = close(fd) == 0 && good;
    if (!good || rename(beside, path) != 0) {
        enum ht_status status = fail_io(files, path);
        (void)unlink(beside);
        return status;
    }
    if (files->told != NULL) {
        const struct ht_sample_file file = {
            .path = path, .bytes = text->size, .items = files->items};
        files->told(&file);
    }
    return HT_OK;
}

static enum ht_status end_collection(struct files *files)
{
    if (files->collection == NULL) {
        return HT_OK;
    }
    ht_text_add_string(&files->geojson, "\n]}\n");
    if (files->geojson.failed || files->csv.failed) {
        return HT_NOMEM;
    }
    enum ht_status status = write_file(files, "geojson", &files->geojson);
    return status == HT_OK ? write_file(files, "csv", &files->csv) : status;
}

static void begin_collection(struct files *files, const struct ht_collection *collection)
{
    files->collection = collection;
    files->items = 0;
    ht_text_clear(&files->geojson);
    ht_text_clear(&files->csv);
    ht_text_addf(&files->geojson, "{\"type\":\"FeatureCollection\",\"name\":\"%s\",\"features\":[",
                 collection->name);
    ht__csv_header(collection, &files->csv);
}

static enum ht_status add_item(void *user, const struct ht_collection *collection,
                               const struct ht_feature *feature)
{
    struct files *files = user;
    if (collection != files->collection) {
        enum ht_status status = end_collection(files);
        if (status != HT_OK) {
            return status;
        }
        begin_collection(files, collection);
    }
    ht_text_add_string(&files->geojson, files->items++ == 0 ? "\n" : ",\n");
    ht__csv_row(collection, feature, &files->csv);
    return ht_feature_write_geojson(feature, NULL, NULL, &files->geojson);
}

enum ht_status ht_sample_registry(const char *folder, enum ht_sample_scale scale, uint64_t seed,
                                  void (*told)(const struct ht_sample_file *file),
                                  struct ht_error *error)
{
    struct files files = {.folder = folder, .told = told, .error = error};
    enum ht_status status = ht_sample_town(scale, seed, add_item, &files);
    if (status == HT_OK) {
        status = end_collection(&files);
    }
    ht_text_deinit(&files.geojson);
    ht_text_deinit(&files.csv);
    return status == HT_OK || status == HT_IO ? status : ht_error_set(error, status, 0, NULL);
}
