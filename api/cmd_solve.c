/* houtao solve: a plan for a problem in VROOM's JSON. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/cli.h"
#include "api/clock.h"
#include "api/commands.h"
#include "api/map.h"
#include "api/vroom.h"
#include "api/zone.h"
#include "geodata/hnet.h"

enum { READ_STEP = 1 << 16, FILE_MOST = 1 << 30 };

static bool point_of(void *user, const double pair[2], struct ht_point *out)
{
    (void)user;
    if (!(fabs(pair[0]) <= 180 && fabs(pair[1]) <= 90)) {
        return false;
    }
    *out = (struct ht_point){(int32_t)lround(pair[0] * 1e7), (int32_t)lround(pair[1] * 1e7)};
    return true;
}

static bool file_read(const struct ht_cli *cli, const char *path, struct ht_buffer *out)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    size_t got = 1;
    if (file == NULL) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): the only thread
        (void)ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s", path, strerror(errno));
        return false;
    }
    out->limit = FILE_MOST;
    while (got > 0) {
        char *to = ht_buffer_reserve(out, READ_STEP);
        got = to == NULL ? 0 : fread(to, 1, READ_STEP, file);
        ht_buffer_advance(out, got);
    }
    bool good = ferror(file) == 0 && !out->failed;
    if (!good) {
        (void)ht_cli_error(cli, HT_EXIT_FAILED, "%s: can't be read, or is too large", path);
    }
    if (file != stdin) {
        (void)fclose(file);
    }
    return good;
}

/* The streets as they are now. */
static bool world_open(const struct ht_cli *cli, const char *path, struct ht_shared_pool *pool,
                       struct ht_map **map, struct ht_world **world)
{
    struct ht_clock clock;
    struct ht_error error = {0};
    ht_clock_real(&clock);
    enum ht_status status = ht_map_open(path, pool, NULL, map, &error);
    if (status == HT_OK) {
        status = ht_map_world(*map, ht_zone_local_ms(ht_clock_now_ms(&clock)), world);
    }
    if (status != HT_OK) {
        (void)ht_cli_error(cli, HT_EXIT_FAILED, "%s",
                           error.message[0] != '\0' ? error.message : ht_status_text(status));
    }
    return status == HT_OK;
}

enum { DRAW_MS = 200 };

/* One line of a terminal, a few times a second. */
static void on_progress(void *user, const struct ht_solve_progress *progress)
{
    int64_t *drawn_ms = user;
    if (progress->elapsed_ms - *drawn_ms < DRAW_MS) {
        return;
    }
    *drawn_ms = progress->elapsed_ms;
    (void)fprintf(stderr,
                  "\r\033[K%.1f s: %" PRIu32 " routes, %" PRIu32 " tasks missing, cost %.0f",
                  (double)progress->elapsed_ms / 1000, progress->routes, progress->missing,
                  (double)progress->cost / HT_COST_SCALE);
}

static int solve(const struct ht_cli *cli, const char *path, struct ht_vroom_call *call, bool human)
{
    struct ht_buffer out = {0};
    struct ht_error error = {0};
    int64_t drawn_ms = 0;
    int exit_code = HT_EXIT_DONE;
    if (isatty(STDERR_FILENO) == 1) {
        call->options.progress = on_progress;
        call->options.user = &drawn_ms;
    }
    int code = ht_vroom_run(call, human, &out, &error);
    (void)fputs(drawn_ms > 0 ? "\r\033[K" : "", stderr);
    if (out.size > 0) {
        ht_buffer_append(&out, "", 1);
        (void)printf("%s%s", out.failed ? "" : out.data, human ? "" : "\n");
    }
    if (out.failed) {
        exit_code = ht_cli_error(cli, HT_EXIT_FAILED, "out of memory");
    } else if (code != HT_VROOM_OK) {
        exit_code = ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s", path, error.message);
    }
    ht_buffer_deinit(&out);
    return exit_code;
}

static int run(const struct ht_cli *cli, const char *path, const char *network,
               struct ht_vroom_call *call, bool human)
{
    struct ht_buffer text = {0};
    struct ht_shared_pool pool = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct ht_map *map = NULL;
    struct ht_world *world = NULL;
    int code = HT_EXIT_FAILED;
    if (ht_pool_new(call->threads_most, &pool.pool) != HT_OK) {
        pool.pool = NULL;
    }
    if (file_read(cli, path, &text) &&
        (network == NULL || world_open(cli, network, &pool, &map, &world))) {
        call->text = text.data;
        call->size = text.size;
        call->world = world;
        call->pool = pool.pool;
        code = solve(cli, path, call, human);
    }
    ht_world_release(world);
    ht_map_release(map);
    ht_pool_free(pool.pool);
    ht_buffer_deinit(&text);
    return code;
}

/* Options as numbers; false: one is none, and that was told. */
static bool numbers_read(const struct ht_cli *cli, const char *const text[4],
                         struct ht_vroom_call *call)
{
    static const char *const names[] = {"limit", "iterations", "threads", "seed"};
    static const int64_t most[] = {86400000, INT64_C(1) << 40, 64, INT32_MAX};
    int64_t values[4] = {0};
    for (int i = 0; i < 4; i++) {
        if (text[i] != NULL &&
            !ht_cli_number(cli, names[i], text[i], i == 3 ? 0 : 1, most[i], &values[i])) {
            return false;
        }
    }
    call->options.limit_ms = values[0];
    call->options.iterations = (uint64_t)values[1];
    call->options.threads = (unsigned)values[2];
    call->options.seed = (uint64_t)values[3];
    return true;
}

int ht_cmd_solve(int argc, char **argv)
{
    const char *network = NULL;
    const char *numbers[4] = {NULL};
    const char *zone = HT_ZONE_DEFAULT;
    bool human = false;
    const struct ht_cli_option options[] = {
        {.name = "network",
         .value = "FILE.hnet",
         .help = "the streets, where the problem has no "
                 "matrix",
         .text = &network},
        {.name = "limit",
         .value = "MS",
         .help = "milliseconds to take at most, with reading and routing (else 20 "
                 "for each task, 100 to 10000, after these)",
         .text = &numbers[0]},
        {.name = "iterations",
         .value = "N",
         .help = "so many of each thread: the same answer each "
                 "time",
         .text = &numbers[1]},
        {.name = "threads",
         .value = "N",
         .help = "as many as the machine has cores",
         .text = &numbers[2]},
        {.name = "seed", .value = "N", .help = "another walk", .text = &numbers[3]},
        {.name = "tz",
         .value = "ZONE",
         .help = "whose clock conditional turns go by (" HT_ZONE_DEFAULT ")",
         .text = &zone},
        {.name = "human", .help = "a list of stops instead of JSON", .flag = &human},
    };
    const struct ht_cli cli = {.command = "solve",
                               .arguments = "PROBLEM.json [--network FILE.hnet]",
                               .summary = "plan routes for a problem in VROOM's JSON (-: stdin)",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct ht_vroom_call call = {.point = point_of};
    enum ht_cli_result go = ht_cli_parse(&cli, argc, argv, &count);
    if (go != HT_CLI_GO) {
        return go == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (count != 1) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "one PROBLEM.json is needed");
    }
    if (!numbers_read(&cli, numbers, &call)) {
        return HT_EXIT_USAGE;
    }
    call.threads_most =
        call.options.threads > 0 ? call.options.threads : (unsigned)(cores < 1 ? 1 : cores);
    int code = ht_zone_set(&cli, zone);
    if (code != HT_EXIT_DONE) {
        return code;
    }
    ht_hnet_guard_sigbus();
    return run(&cli, argv[0], network, &call, human);
}
