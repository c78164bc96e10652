#include "api/commands.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "api/cli.h"
#include "api/version.h"

const struct ht_command ht_commands[] = {
    {"import", "make a network file from OpenStreetMap extracts", ht_cmd_import},
    {"info", "say what is in a network file", ht_cmd_info},
    {"export", "write the routing graph as CSV", ht_cmd_export},
    {"sample", "make a believable town to try things on", ht_cmd_sample},
    {"load", "load households, cells, factories and more into a store", ht_cmd_load},
    {"route", "answer one route on the terminal", ht_cmd_route},
    {"solve", "plan routes for a problem in VROOM's JSON", ht_cmd_solve},
    {"serve", "answer over HTTP", ht_cmd_serve},
    {"simulate", "a day in a town, through its server's API", ht_cmd_simulate},
    {"token", "add a token for a person, a program or a device", ht_cmd_token},
    {"backup", "copy a store, also while it is served", ht_cmd_backup},
    {"copy-store", "copy a store into another, a file or a database", ht_cmd_copy_store},
    {"audit", "check the chain of events of a store", ht_cmd_audit},
    {"help", "say more about a command", ht_cmd_help},
    {NULL, NULL, NULL},
};

static void print_overview(FILE *out)
{
    (void)fprintf(out, "usage: houtao COMMAND [OPTIONS]\n\n");
    for (const struct ht_command *command = ht_commands; command->name != NULL; command++) {
        (void)fprintf(out, "  %-10s %s\n", command->name, command->summary);
    }
    (void)fprintf(out, "\nhoutao help COMMAND says more. Options may also come from HOUTAO_* "
                       "variables.\n");
}

static const struct ht_command *command_find(const char *name)
{
    for (const struct ht_command *command = ht_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

static int unknown(const char *name)
{
    (void)fprintf(stderr, "houtao: unknown command '%s'; try houtao help\n", name);
    return HT_EXIT_USAGE;
}

int ht_cmd_help(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        print_overview(stdout);
        return HT_EXIT_DONE;
    }
    const struct ht_command *command = command_find(argv[1]);
    if (command == NULL) {
        return unknown(argv[1]);
    }
    if (command->run == ht_cmd_help) {
        (void)printf("usage: houtao help [COMMAND]\n");
        return HT_EXIT_DONE;
    }
    char option[] = "--help";
    char *arguments[] = {argv[1], option, NULL};
    return command->run(2, arguments);
}

int ht_main(int argc, char **argv)
{
    /* A limit of file size is told by the write that meets it, as a full disk is. */
    (void)signal(SIGXFSZ, SIG_IGN);
    if (argc < 2) {
        print_overview(stderr);
        return HT_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_overview(stdout);
        return HT_EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)printf("houtao %s (%s)\n", ht_version_text(), ht_version_commit());
        return HT_EXIT_DONE;
    }
    const struct ht_command *command = command_find(argv[1]);
    return command == NULL ? unknown(argv[1]) : command->run(argc - 1, argv + 1);
}
