#include "api/cli.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/log.h"

int ht_cli_error(const struct ht_cli *cli, int code, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    ht_log_of(cli->command, code == HT_EXIT_DONE ? HT_LOG_WARNING : HT_LOG_ERROR, line);
    return code;
}

bool ht_cli_number(const struct ht_cli *cli, const char *option, const char *text, int64_t least,
                   int64_t most, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < least || value > most) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--%s takes a number from %lld to %lld, not '%s'",
                           option, (long long)least, (long long)most, text);
        return false;
    }
    *out = value;
    return true;
}

static void print_help(const struct ht_cli *cli)
{
    (void)printf("usage: houtao %s %s\n\n%s\n", cli->command, cli->arguments, cli->summary);
    if (cli->option_count > 0) {
        (void)printf("\n");
    }
    for (size_t i = 0; i < cli->option_count; i++) {
        const struct ht_cli_option *option = &cli->options[i];
        char left[64];
        char letter[8] = "    ";
        if (option->letter != 0) {
            (void)snprintf(letter, sizeof letter, "-%c, ", option->letter);
        }
        (void)snprintf(left, sizeof left, "%s--%s %s", letter, option->name,
                       option->value == NULL ? "" : option->value);
        (void)printf("  %-34s %s\n", left, option->help);
    }
}

/* HOUTAO_THE_NAME for "the-name". */
static const char *variable_of(const struct ht_cli_option *option)
{
    char name[64] = "HOUTAO_";
    size_t at = strlen(name);
    for (const char *c = option->name; *c != '\0' && at < sizeof name - 1; c++) {
        name[at++] = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
    }
    name[at] = '\0';
    /* main is still alone. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static void take_variables(const struct ht_cli *cli)
{
    for (size_t i = 0; i < cli->option_count; i++) {
        const struct ht_cli_option *option = &cli->options[i];
        const char *value = variable_of(option);
        if (value != NULL && option->value != NULL) {
            *option->text = value;
        } else if (value != NULL) {
            *option->flag = strcmp(value, "0") != 0;
        }
    }
}

/* The option that `argument` names; *value: what stands behind '=', else NULL. */
static const struct ht_cli_option *option_find(const struct ht_cli *cli, const char *argument,
                                               const char **value)
{
    *value = NULL;
    if (argument[1] != '-') {
        for (size_t i = 0; i < cli->option_count; i++) {
            if (cli->options[i].letter == argument[1] && argument[2] == '\0') {
                return &cli->options[i];
            }
        }
        return NULL;
    }
    const char *name = argument + 2;
    size_t size = strcspn(name, "=");
    for (size_t i = 0; i < cli->option_count; i++) {
        if (strlen(cli->options[i].name) == size && memcmp(cli->options[i].name, name, size) == 0) {
            *value = name[size] == '=' ? name + size + 1 : NULL;
            return &cli->options[i];
        }
    }
    return NULL;
}

/* Takes argv[at], and argv[at + 1] if it is its value; returns how many, 0 after an error. */
static int option_take(const struct ht_cli *cli, int argc, char **argv, int at)
{
    const char *value = NULL;
    const struct ht_cli_option *option = option_find(cli, argv[at], &value);
    if (option == NULL) {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "unknown option %s; try houtao help %s", argv[at],
                           cli->command);
        return 0;
    }
    if (option->value == NULL) {
        if (value != NULL) {
            (void)ht_cli_error(cli, HT_EXIT_USAGE, "--%s takes no value", option->name);
            return 0;
        }
        *option->flag = true;
        return 1;
    }
    int taken = 1;
    if (value == NULL && at + 1 < argc) {
        value = argv[at + 1];
        taken = 2;
    }
    if (value == NULL || value[0] == '\0') {
        (void)ht_cli_error(cli, HT_EXIT_USAGE, "--%s needs %s", option->name, option->value);
        return 0;
    }
    *option->text = value;
    return taken;
}

static bool is_option(const char *argument)
{
    return argument[0] == '-' && argument[1] != '\0' && argument[1] != '.' &&
           !isdigit((unsigned char)argument[1]);
}

enum ht_cli_result ht_cli_parse(const struct ht_cli *cli, int argc, char **argv, int *count)
{
    bool options = true;
    *count = 0;
    take_variables(cli);
    for (int at = 1; at < argc;) {
        if (options && strcmp(argv[at], "--") == 0) {
            options = false;
            at++;
        } else if (options && (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0)) {
            print_help(cli);
            return HT_CLI_DONE;
        } else if (options && is_option(argv[at])) {
            int taken = option_take(cli, argc, argv, at);
            if (taken == 0) {
                return HT_CLI_USAGE;
            }
            at += taken;
        } else {
            argv[(*count)++] = argv[at++];
        }
    }
    return HT_CLI_GO;
}
