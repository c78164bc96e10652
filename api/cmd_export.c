/* houtao export: the routing graph of one profile as CSV. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/cli.h"
#include "api/clock.h"
#include "api/commands.h"
#include "api/zone.h"
#include "geodata/export.h"
#include "geodata/hnet.h"

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
    if (wish->when != NULL && !ht_time_parse(wish->when, strlen(wish->when), &utc_ms)) {
        return ht_cli_error(cli, HT_EXIT_USAGE,
                            "--at %s: not a time like 2026-03-01T08:30:00+08:00", wish->when);
    }
    int code = ht_zone_set(cli, wish->zone);
    if (code != HT_EXIT_DONE) {
        return code;
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
        status =
            ht_export(road.network, road.graph, wish->output, ht_zone_local_ms(utc_ms), &error);
    }
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
    struct wish wish = {.zone = HT_ZONE_DEFAULT};
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
