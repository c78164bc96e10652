/* CLI: options of a command, from the command line and from HOUTAO_* variables.
 *
 * An option `--name VALUE` or `--name=VALUE` (or `-n VALUE`) may also come from HOUTAO_NAME; the
 * command line wins. Exit codes: HT_EXIT_DONE, HT_EXIT_FAILED (the input or the world was wrong),
 * HT_EXIT_USAGE.
 *
 * Threading: from main only. Ownership: values point into argv or the environment.
 */
#ifndef HT_API_CLI_H
#define HT_API_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HT_EXIT_DONE = 0, HT_EXIT_FAILED = 1, HT_EXIT_USAGE = 2 };

struct ht_cli_option {
    const char *name;  /* without dashes */
    char letter;       /* 0: none */
    const char *value; /* what help calls it, "FILE"; NULL: a flag */
    const char *help;  /* one line */
    const char **text; /* where the value goes; untouched when it is not given */
    bool *flag;        /* for a flag */
};

struct ht_cli {
    const char *command;   /* "import" */
    const char *arguments; /* "INPUT... -o FILE.hnet" */
    const char *summary;   /* one line */
    const struct ht_cli_option *options;
    size_t option_count;
};

enum ht_cli_result { HT_CLI_GO, HT_CLI_DONE, HT_CLI_USAGE };

/* Reads argv[1 ..]; what is no option is moved to the front of argv, `*count` of them. --help
 * prints and gives HT_CLI_DONE; a mistake is told on stderr and gives HT_CLI_USAGE. A dash before a
 * digit is a number, "--" ends options. */
enum ht_cli_result ht_cli_parse(const struct ht_cli *cli, int argc, char **argv, int *count);

/* "houtao COMMAND: message" as one line on stderr (api/log.h), a warning where `code` is
 * HT_EXIT_DONE, else an error; returns `code`, so that `return ht_cli_error(...)` reads well. */
int ht_cli_error(const struct ht_cli *cli, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A whole number in [least, most]. False: it is none, and that was told on stderr. */
bool ht_cli_number(const struct ht_cli *cli, const char *option, const char *text, int64_t least,
                   int64_t most, int64_t *out);

#endif
