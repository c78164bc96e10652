/* MB/s of each OSM reader, beside osmium's (where it is installed) and protobuf-c's unpacking of
 * the same blocks (where tests are built, which bring its definitions).
 *
 *   bench_osm_read [RESULT.json [FILE...]]
 *
 * Without files: those of ../shared/data/osm, or the sample city.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include <unistd.h>
#include <zlib.h>

#include "bench/origin.h"
#include "geodata/osm.h"
#include "geodata/sample.h"
#ifdef HT_BENCH_PROTOBUF
#include "osmpbf.pb-c.h"
#endif

/* The table goes to the terminal, and the same rows to the JSON file. */
struct report {
    FILE *json; /* NULL: none */
    size_t rows;
};

struct tally {
    atomic_size_t nodes;
    atomic_size_t ways;
    atomic_size_t relations;
    atomic_size_t refs;
    atomic_size_t tags;
};

static enum ht_status count_block(void *user, const struct ht_osm_block *block, size_t worker)
{
    struct tally *tally = user;
    size_t refs = 0;
    size_t tags = 0;
    (void)worker;
    for (size_t i = 0; i < block->node_count; i++) {
        tags += block->nodes[i].tags.count;
    }
    for (size_t i = 0; i < block->way_count; i++) {
        refs += block->ways[i].ref_count;
        tags += block->ways[i].tags.count;
    }
    for (size_t i = 0; i < block->relation_count; i++) {
        tags += block->relations[i].tags.count;
    }
    atomic_fetch_add(&tally->nodes, block->node_count);
    atomic_fetch_add(&tally->ways, block->way_count);
    atomic_fetch_add(&tally->relations, block->relation_count);
    atomic_fetch_add(&tally->refs, refs);
    atomic_fetch_add(&tally->tags, tags);
    return HT_OK;
}

static double now_s(clockid_t clock)
{
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static void add_row(struct report *report, const char *path, const char *reader, double wall_s,
                    double cpu_s)
{
    struct stat info;
    double mb = stat(path, &info) == 0 ? (double)info.st_size / 1e6 : 0;
    (void)printf("%-28s %-14s %9.1f ms %9.1f ms %9.1f MB/s\n", last_part(path), reader,
                 wall_s * 1e3, cpu_s * 1e3, mb / wall_s);
    if (report->json != NULL) {
        (void)fprintf(report->json,
                      "%s\n  {\"file\":\"%s\",\"reader\":\"%s\",\"wall_ms\":%.2f,\"cpu_ms\":%.2f,"
                      "\"mb_per_s\":%.2f}",
                      report->rows == 0 ? "" : ",", last_part(path), reader, wall_s * 1e3,
                      cpu_s * 1e3, mb / wall_s);
    }
    report->rows++;
}

/* The best of three runs. */
static int bench_file(struct report *report, const char *path, struct ht_pool *pool,
                      const char *what, bool nodes)
{
    double best = 1e9;
    double cpu = 0;
    struct tally tally;
    for (int run = 0; run < 3; run++) {
        memset(&tally, 0, sizeof tally);
        struct ht_osm_handler handler = {
            .block = count_block, .user = &tally, .nodes = nodes, .ways = true, .relations = true};
        struct ht_error error;
        double start = now_s(CLOCK_MONOTONIC);
        double cpu_start = now_s(CLOCK_PROCESS_CPUTIME_ID);
        if (ht_osm_read(path, pool, &handler, &error) != HT_OK) {
            (void)fprintf(stderr, "%s: %s\n", path, error.message);
            return 1;
        }
        double took = now_s(CLOCK_MONOTONIC) - start;
        if (took < best) {
            best = took;
            cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
        }
    }
    add_row(report, path, what, best, cpu);
    return 0;
}

#ifdef HT_BENCH_PROTOBUF
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        return NULL;
    }
    *size = (size_t)ftell(file);
    rewind(file);
    uint8_t *data = malloc(*size);
    if (data != NULL && fread(data, 1, *size, file) != *size) {
        free(data);
        data = NULL;
    }
    (void)fclose(file);
    return data;
}

/* The alternative that was not taken: each zlib block unpacked to protobuf-c's objects, which the
 * deltas and strings would still have to be read out of. Returns the blocks' number, 0 on failure.
 */
static size_t protobuf_unpack(const uint8_t *data, size_t size, uint8_t *raw, size_t raw_size)
{
    size_t blocks = 0;
    for (size_t at = 0; at + 4 <= size;) {
        size_t length = (size_t)data[at] << 24 | (size_t)data[at + 1] << 16 |
                        (size_t)data[at + 2] << 8 | data[at + 3];
        Osmpbf__BlobHeader *header = osmpbf__blob_header__unpack(NULL, length, data + at + 4);
        if (header == NULL) {
            return 0;
        }
        at += 4 + length;
        Osmpbf__Blob *blob = osmpbf__blob__unpack(NULL, (size_t)header->datasize, data + at);
        at += (size_t)header->datasize;
        uLongf got = raw_size;
        if (blob != NULL && blob->has_zlib_data && strcmp(header->type, "OSMData") == 0 &&
            uncompress(raw, &got, blob->zlib_data.data, blob->zlib_data.len) == Z_OK) {
            Osmpbf__PrimitiveBlock *block = osmpbf__primitive_block__unpack(NULL, got, raw);
            blocks += block != NULL;
            osmpbf__primitive_block__free_unpacked(block, NULL);
        }
        osmpbf__blob__free_unpacked(blob, NULL);
        osmpbf__blob_header__free_unpacked(header, NULL);
    }
    return blocks;
}

static int bench_protobuf(struct report *report, const char *path)
{
    enum { RAW_MAX = 32 * 1024 * 1024 };
    size_t size = 0;
    uint8_t *data = read_file(path, &size);
    uint8_t *raw = malloc(RAW_MAX);
    int failed = data == NULL || raw == NULL;
    double best = 1e9;
    double cpu = 0;
    for (int run = 0; run < 3 && !failed; run++) {
        double start = now_s(CLOCK_MONOTONIC);
        double cpu_start = now_s(CLOCK_PROCESS_CPUTIME_ID);
        failed = protobuf_unpack(data, size, raw, RAW_MAX) == 0;
        double took = now_s(CLOCK_MONOTONIC) - start;
        if (took < best) {
            best = took;
            cpu = now_s(CLOCK_PROCESS_CPUTIME_ID) - cpu_start;
        }
    }
    if (!failed) {
        add_row(report, path, "protobuf-c", best, cpu);
    }
    free(raw);
    free(data);
    return failed;
}
#else
static int bench_protobuf(struct report *report, const char *path)
{
    (void)report;
    (void)path;
    return 0;
}
#endif

static double child_cpu_s(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* `osmium fileinfo -e` decodes everything and counts, as our handler does. False: not installed. */
static bool run_osmium(const char *path)
{
    char program[] = "osmium";
    char command[] = "fileinfo";
    char extended[] = "-e";
    char file[4096];
    (void)snprintf(file, sizeof file, "%s", path);
    char *args[] = {program, command, extended, file, NULL};
    char *environment[] = {NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    int status = 1;
    if (posix_spawn_file_actions_init(&actions) != 0) {
        return false;
    }
    bool ready =
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) == 0 &&
        posix_spawnp(&pid, program, &actions, NULL, args, environment) == 0;
    (void)posix_spawn_file_actions_destroy(&actions);
    return ready && waitpid(pid, &status, 0) == pid && status == 0;
}

static void bench_osmium(struct report *report, const char *path)
{
    double best = 1e9;
    double cpu = 0;
    for (int run = 0; run < 3; run++) {
        double start = now_s(CLOCK_MONOTONIC);
        double cpu_start = child_cpu_s();
        if (!run_osmium(path)) {
            return;
        }
        double took = now_s(CLOCK_MONOTONIC) - start;
        if (took < best) {
            best = took;
            cpu = child_cpu_s() - cpu_start;
        }
    }
    add_row(report, path, "osmium", best, cpu);
}

static int bench_path(struct report *report, struct ht_pool *pool, const char *path)
{
    int failed = bench_file(report, path, NULL, "one thread", true);
    if (strstr(path, ".pbf") != NULL) {
        failed |= bench_file(report, path, pool, "all threads", true);
        failed |= bench_file(report, path, pool, "without nodes", false);
        failed |= bench_protobuf(report, path);
    }
    bench_osmium(report, path);
    return failed;
}

static int bench_default(struct report *report, struct ht_pool *pool)
{
    static const char *const names[] = {"milan_italy_small.osm.pbf", "synthetic-city.osm.pbf",
                                        "north-bayreuth.osm.gz", "victoria.osm.bz2"};
    static const char sample[] = "sample-city.osm.pbf";
    int failed = 0;
    size_t found = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "../shared/data/osm/%s", names[i]);
        if (access(path, R_OK) == 0) {
            failed |= bench_path(report, pool, path);
            found++;
        }
    }
    if (found == 0) {
        struct ht_error error;
        failed = ht_sample_streets(sample, HT_SAMPLE_CITY, 1, &error) != HT_OK ||
                 bench_path(report, pool, sample) != 0;
        (void)unlink(sample);
    }
    return failed;
}

int main(int argc, char **argv)
{
    struct ht_pool *pool = NULL;
    struct report report = {.json = argc > 1 ? fopen(argv[1], "w") : NULL};
    if (ht_pool_new(0, &pool) != HT_OK) {
        return 1;
    }
    (void)printf("%-28s %-14s %12s %12s %14s\n", "file", "reader", "wall", "cpu", "speed");
    if (report.json != NULL) {
        (void)fprintf(report.json, "{");
        ht_bench_origin(report.json);
        (void)fprintf(report.json, ",\"bench\":\"osm_read\",\"rows\":[");
    }
    int failed = argc > 2 ? 0 : bench_default(&report, pool);
    for (int i = 2; i < argc; i++) {
        failed |= bench_path(&report, pool, argv[i]);
    }
    if (report.json != NULL) {
        (void)fprintf(report.json, "]}\n");
        failed |= fclose(report.json) != 0;
    }
    ht_pool_free(pool);
    return failed;
}
