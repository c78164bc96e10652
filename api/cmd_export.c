/* houtao export: the routing graph of one profile as CSV. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "api/cli.h"
#include "api/clock.h"
#include "api/commands.h"
#include "geodata/export.h"
#include "geodata/hnet.h"

/* A name that the system's zone database has: libc takes any other for UTC without a word. */
static bool zone_known(const char *zone)
{
    static const char *const folders[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo",
                                          "/etc/zoneinfo"};
    if (strcmp(zone, "UTC") == 0) {
        return true;
    }
    if (zone[0] == '\0' || zone[0] == '/' || strstr(zone, "..") != NULL) {
        return false;
    }
    const char *own = getenv("TZDIR"); // NOLINT(concurrency-mt-unsafe): one thread yet
    for (size_t i = 0; i <= sizeof folders / sizeof *folders; i++) {
        const char *folder = i == 0 ? own : folders[i - 1];
        char path[512];
        if (folder != NULL &&
            snprintf(path, sizeof path, "%s/%s", folder, zone) < (int)sizeof path &&
            access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

static bool local_time(const char *zone, int64_t utc_ms, int64_t *local_ms)
{
    struct tm parts;
    time_t seconds = (time_t)(utc_ms / 1000);
    (void)setenv("TZ", zone, 1); // NOLINT(concurrency-mt-unsafe): one thread yet
    tzset();
    if (localtime_r(&seconds, &parts) == NULL) {
        return false;
    }
    *local_ms = utc_ms + (int64_t)parts.tm_gmtoff * 1000;
    return true;
}

struct wish {
    const char *profile;
    const char *output;
    const char *when;
    const char *zone;
};

static int run(const struct ht_cli *cli, const struct wish *wish, const char *path)
{
    struct ht_clock clock;
    ht_clock_real(&clock);
    int64_t utc_ms = ht_clock_now_ms(&clock);
    int64_t local_ms = 0;
    if (wish->when != NULL && !ht_time_parse(wish->when, strlen(wish->when), &utc_ms)) {
        return ht_cli_error(cli, HT_EXIT_USAGE,
                            "--at %s: not a time like 2026-03-01T08:30:00+08:00", wish->when);
    }
    if (!zone_known(wish->zone) || !local_time(wish->zone, utc_ms, &local_ms)) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--tz %s: this machine knows no such zone",
                            wish->zone);
    }
    ht_hnet_guard_sigbus();
    struct ht_error error = {.status = HT_OK};
    struct ht_hnet *file = NULL;
    struct ht_pool *pool = NULL;
    struct ht_road road;
    enum ht_status status = ht_hnet_open(path, &file, &error);
    if (status == HT_OK) {
        status = ht_pool_new(0, &pool);
    }
    if (status == HT_OK) {
        status = ht_hnet_road(file, wish->profile, pool, &road, &error);
    }
    if (status == HT_OK) {
        status = ht_export(road.network, road.graph, wish->output, local_ms, &error);
    }
    int code = HT_EXIT_DONE;
    if (status != HT_OK) {
        code = ht_cli_error(cli, HT_EXIT_FAILED, "%s",
                            error.status == HT_OK ? ht_status_text(status) : error.message);
    } else {
        (void)printf("%s/arcs.csv: %" PRIu32 " arcs\n%s/turns.csv: turns of %s\n", wish->output,
                     road.graph->arc_count, wish->output, wish->profile);
    }
    ht_pool_free(pool);
    ht_hnet_close(file);
    return code;
}

int ht_cmd_export(int argc, char **argv)
{
    struct wish wish = {.zone = "Asia/Shanghai"};
    const struct ht_cli_option options[] = {{.name = "profile",
                                             .letter = 'p',
                                             .value = "P",
                                             .help = "whose graph",
                                             .text = &wish.profile},
                                            {.name = "output",
                                             .letter = 'o',
                                             .value = "DIR",
                                             .help = "where arcs.csv and turns.csv go",
                                             .text = &wish.output},
                                            {.name = "at",
                                             .value = "TIME",
                                             .help = "for turns banned at times (now)",
                                             .text = &wish.when},
                                            {.name = "tz",
                                             .value = "ZONE",
                                             .help = "whose clock those go by (Asia/Shanghai)",
                                             .text = &wish.zone}};
    const struct ht_cli cli = {.command = "export",
                               .arguments = "FILE.hnet --profile P -o DIR",
                               .summary = "the routing graph as CSV",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    enum ht_cli_result go = ht_cli_parse(&cli, argc, argv, &count);
    if (go != HT_CLI_GO) {
        return go == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (count != 1 || wish.profile == NULL || wish.output == NULL) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "%s",
                            count != 1             ? "one FILE.hnet is needed"
                            : wish.profile == NULL ? "no --profile given"
                                                   : "no -o DIR given");
    }
    return run(&cli, &wish, argv[0]);
}
