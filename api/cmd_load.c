/* houtao load: a file of features into a collection of a store, all of it or nothing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/digest.h"
#include "geodata/registry.h"

enum {
    PROBLEMS_MOST = 20,
    BYTES_EACH = 200, /* of a feature, about: to guess how many there are */
};

struct load {
    const struct ht_cli *cli;
    const char *path;
    const char *bytes;
    size_t size;
    struct ht_store *store;
    struct ht_store_tx *tx;
    struct ht_registry *registry;
    struct ht_registry_change change;
    struct ht_crs crs;
    uint64_t count;
    uint64_t repaired;
    unsigned problems;
    struct ht_error why; /* of the sink */
};

static enum ht_status load_feature(void *user, const struct ht_feature *feature)
{
    struct load *load = user;
    struct ht_registry_result result;
    if (load->problems > 0) {
        return HT_OK; /* it will all be taken back: only more problems are looked for */
    }
    enum ht_status status =
        ht_registry_put(load->registry, load->tx, &load->change, feature, &result, &load->why);
    if (status != HT_OK) {
        load->why.line = feature->line;
        return status;
    }
    load->count++;
    load->repaired += result.repaired;
    return HT_OK;
}

static bool load_problem(void *user, const struct ht_error *error)
{
    struct load *load = user;
    (void)ht_cli_error(load->cli, 0, "%s:%" PRId64 ": %s", load->path, error->line, error->message);
    return ++load->problems < PROBLEMS_MOST;
}

static enum ht_status nothing(void *user, const struct ht_store_item *item)
{
    (void)user;
    (void)item;
    return HT_OK;
}

/* To make the index of places anew is worth it for more items than there are. */
static bool is_bulk(struct load *load)
{
    uint64_t there = 0;
    struct ht_store_query query = ht_store_query_default(load->change.collection);
    query.limit = 0;
    return ht_store_items(ht_store_tx_reader(load->tx), &query, nothing, NULL, &there, NULL) ==
               HT_OK &&
           load->size / BYTES_EACH > there;
}

static enum ht_status load_within(struct load *load, struct ht_crs_work *work,
                                  struct ht_error *error)
{
    char sha256[HT_DIGEST_TEXT];
    bool bulk = is_bulk(load);
    enum ht_status status =
        bulk ? ht_store_bulk_begin(load->tx, load->change.collection, error) : HT_OK;
    const struct ht_feature_options options = {.collection = load->change.collection,
                                               .crs = &load->crs,
                                               .work = work,
                                               .sink = load_feature,
                                               .problem = load_problem,
                                               .user = load};
    if (status == HT_OK) {
        status = ht_feature_read(HT_FORMAT_AUTO, load->bytes, load->size, &options, error);
    }
    if (status != HT_OK && load->why.status != HT_OK) {
        *error = load->why;
    }
    if (status == HT_OK) {
        status = ht_digest_of(load->bytes, load->size, sha256);
    }
    if (status == HT_OK) {
        status =
            ht_registry_loaded(load->registry, load->tx, &load->change, sha256, load->count, error);
    }
    if (status == HT_OK) {
        status = ht_registry_settle(load->registry, load->tx, error);
    }
    return status == HT_OK && bulk ? ht_store_bulk_end(load->tx, load->change.collection, error)
                                   : status;
}

static enum ht_status load_all(struct load *load, struct ht_error *error)
{
    struct ht_crs_work *work = NULL;
    enum ht_status status = ht_crs_work_new(&work);
    if (status == HT_OK) {
        status = ht_registry_new(&load->registry);
    }
    if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, NULL);
    } else {
        status = ht_store_begin(load->store, &load->tx, error);
    }
    if (status == HT_OK) {
        status = load_within(load, work, error);
        if (status == HT_OK) {
            status = ht_store_commit(load->tx, error);
        } else {
            ht_store_rollback(load->tx);
        }
    }
    ht_registry_free(load->registry);
    ht_crs_work_free(work);
    return status;
}

static int input_map(const struct ht_cli *cli, struct load *load)
{
    char why[128];
    struct stat info;
    int fd = open(load->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s", load->path,
                            strerror_r(errno, why, sizeof why));
    }
    load->size = (size_t)info.st_size;
    void *map =
        load->size == 0 ? MAP_FAILED : mmap(NULL, load->size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (map == MAP_FAILED) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s", load->path,
                            load->size == 0 ? "the file is empty" : "it can't be read");
    }
    load->bytes = map;
    return HT_EXIT_DONE;
}

static int load_run(const struct ht_cli *cli, struct load *load, const char *store)
{
    const struct ht_store_options options = {.mode = HT_STORE_CREATE};
    struct timespec now;
    struct ht_error error = {0};
    int code = input_map(cli, load);
    if (code != HT_EXIT_DONE) {
        return code;
    }
    (void)clock_gettime(CLOCK_REALTIME, &now);
    load->change.at_ms = now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
    enum ht_status status = ht_store_open(store, &options, &load->store, &error);
    if (status == HT_OK) {
        status = load_all(load, &error);
        ht_store_close(load->store);
    }
    if (load->problems > 0) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s: nothing was loaded", load->path);
    }
    if (status != HT_OK) {
        return error.line > 0
                   ? ht_cli_error(cli, HT_EXIT_FAILED, "%s:%" PRId64 ": %s", load->path, error.line,
                                  error.message)
                   : ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s", load->path, error.message);
    }
    (void)printf("%s: %" PRIu64 " loaded into %s", load->path, load->count,
                 load->change.collection->name);
    if (load->repaired > 0) {
        (void)printf(", %" PRIu64 " of them repaired", load->repaired);
    }
    (void)printf("\n");
    return HT_EXIT_DONE;
}

int ht_cmd_load(int argc, char **argv)
{
    const char *store = NULL;
    const char *collection = NULL;
    const char *crs = "";
    bool repair = false;
    const struct ht_cli_option options[] = {
        {"store", 0, "STORE", "where to; made when it is not there", &store, NULL},
        {"collection", 0, "C", "households, cells, factories, facilities, units, zones, devices",
         &collection, NULL},
        {"crs", 0, "CRS", "the input's coordinates: EPSG:4550, GCJ02, BD09 (EPSG:4326)", &crs,
         NULL},
        {"repair", 0, NULL, "mend polygons that cross themselves", NULL, &repair},
    };
    const struct ht_cli cli = {.command = "load",
                               .arguments = "--store STORE --collection C INPUT",
                               .summary = "Loads GeoJSON, NDJSON or CSV (also GB18030), all or "
                                          "nothing; items of the same id are replaced.",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &count);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (store == NULL || collection == NULL || count != 1) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "takes --store STORE --collection C INPUT");
    }
    struct load load = {.cli = &cli, .path = argv[0]};
    load.change = (struct ht_registry_change){
        .collection = ht_collection_find(collection, strlen(collection)),
        .how = HT_STORE_UPSERT,
        .repair = repair,
        .quiet = true,
        .actor = HT_REGISTRY_LOADER};
    if (load.change.collection == NULL) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "there is no collection %s", collection);
    }
    if (ht_crs_parse(crs, strlen(crs), &load.crs) != HT_OK) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "%s is not a coordinate system", crs);
    }
    return load_run(&cli, &load, store);
}
