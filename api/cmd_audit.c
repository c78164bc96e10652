/* houtao audit: does the chain of events hold? */
#include <inttypes.h>
#include <stdio.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/store.h"

int ht_cmd_audit(int argc, char **argv)
{
    const struct ht_cli cli = {
        .command = "audit",
        .arguments = "STORE",
        .summary =
            "Reckons the chain of events anew. Prints the last hash, or the first event that "
            "was changed.",
    };
    int count = 0;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &count);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (count != 1) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "takes one STORE");
    }
    const struct ht_store_options options = {.mode = HT_STORE_READ_ONLY};
    struct ht_error error = {0};
    struct ht_store *store = NULL;
    struct ht_store_reader *reader = NULL;
    struct ht_store_audit audit = {0};
    enum ht_status status = ht_store_open(argv[0], &options, &store, &error);
    if (status == HT_OK) {
        status = ht_store_reader_new(store, &reader, &error);
    }
    if (status == HT_OK) {
        status = ht_store_audit(reader, &audit, &error);
    }
    ht_store_reader_free(reader);
    ht_store_close(store);
    if (status != HT_OK) {
        return ht_cli_error(&cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (audit.broken_seq != 0) {
        (void)printf("%" PRId64 "\n", audit.broken_seq);
        return ht_cli_error(&cli, HT_EXIT_FAILED, "%s: event %" PRId64 " is not as it was written",
                            argv[0], audit.broken_seq);
    }
    (void)printf("%s\n", audit.last_hash);
    return HT_EXIT_DONE;
}
