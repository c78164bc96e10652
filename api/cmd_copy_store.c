/* houtao copy-store: a district's record from one store into another. */
#include <inttypes.h>
#include <stdio.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/store_copy.h"

int ht_cmd_copy_store(int argc, char **argv)
{
    const struct ht_cli cli = {
        .command = "copy-store",
        .arguments = "FROM TO",
        .summary = "Copies all of a store into one that is empty or not there, be it a file or a "
                   "database (postgresql://...). The chain of events has to hold in both.",
    };
    int count = 0;
    struct ht_store_copied copied;
    struct ht_error error = {0};
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &count);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (count != 2) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "takes FROM TO, two stores");
    }
    if (ht_store_copy(argv[0], argv[1], &copied, &error) != HT_OK) {
        return ht_cli_error(&cli, HT_EXIT_FAILED, "%s", error.message);
    }
    (void)printf("%" PRIu64 " rows, %" PRIu64 " of them events; the last hash is %s\n", copied.rows,
                 copied.audit.events, copied.audit.last_hash);
    return HT_EXIT_DONE;
}
