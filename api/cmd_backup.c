/* houtao backup: a copy of a store that may be in use. */
#include <stdio.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/store.h"

int ht_cmd_backup(int argc, char **argv)
{
    const char *path = NULL;
    const char *to = NULL;
    const struct ht_cli_option options[] = {
        {"store", 0, "STORE", "what is copied", &path, NULL},
        {"output", 'o', "FILE", "the copy; it must not be there yet", &to, NULL},
    };
    const struct ht_cli cli = {.command = "backup",
                               .arguments = "--store STORE -o FILE",
                               .summary = "Copies a store as it is at one moment, also while it is "
                                          "served.",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &count);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (path == NULL || to == NULL || count > 0) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "takes --store STORE -o FILE");
    }
    struct ht_error error = {0};
    return ht_store_backup(path, to, &error) == HT_OK
               ? HT_EXIT_DONE
               : ht_cli_error(&cli, HT_EXIT_FAILED, "%s", error.message);
}
