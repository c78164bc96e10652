/* houtao token add: a token for a person, a program or a device. */
#include <stdio.h>
#include <string.h>

#include "api/cli.h"
#include "api/commands.h"
#include "api/token.h"

int ht_cmd_token(int argc, char **argv)
{
    const char *role = NULL;
    struct ht_caller caller = {0};
    const struct ht_cli_option options[] = {
        {"name", 0, "N", "whose it is: 1 to 64 of letters, digits, . _ : -", &caller.name, NULL},
        {"role", 0, "R", "viewer, device, dispatcher or admin", &role, NULL},
        {"unit", 0, "U", "the unit that a device speaks for", &caller.unit, NULL},
        {"household", 0, "H", "the home that a device stands in", &caller.household, NULL},
        {"district", 0, "D", "the district that it holds for (any)", &caller.district, NULL},
    };
    const struct ht_cli cli = {
        .command = "token",
        .arguments = "add FILE --name N --role R [--unit U] [--household H] [--district D]",
        .summary = "add a token to a file and print it, this once",
        .options = options,
        .option_count = sizeof options / sizeof *options};
    int count = 0;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &count);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (count != 2 || strcmp(argv[0], "add") != 0) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "takes: add FILE; try houtao help token");
    }
    if (caller.name == NULL || role == NULL) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "--name and --role are needed");
    }
    caller.role = ht_role_of(role, strlen(role));
    if (caller.role == HT_ROLE_NONE) {
        return ht_cli_error(&cli, HT_EXIT_USAGE,
                            "--role is viewer, device, dispatcher or admin, not '%s'", role);
    }
    char token[HT_TOKEN_TEXT];
    struct ht_error error = {0};
    enum ht_status status = ht_token_add(argv[1], &caller, token, &error);
    if (status != HT_OK) {
        return ht_cli_error(&cli, status == HT_INVALID ? HT_EXIT_USAGE : HT_EXIT_FAILED, "%s",
                            error.message);
    }
    (void)printf("%s\n", token);
    return HT_EXIT_DONE;
}
