#include "api/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may stand in a file: options of `serve`, and `keep` of `backup`. */
static const char *const names[] = {
    "network", "listen", "threads", "tz",       "clock",   "store",     "tokens",   "keep",
    "log",     "jt808",  "mqtt",    "mqtt-map", "mqtt-ca", "mqtt-cert", "mqtt-key", "advertise"};
enum { NAMES = sizeof names / sizeof *names };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

void ht_config_init(struct ht_config *config, char *text)
{
    static const char mark[] = "\xef\xbb\xbf"; /* that some editors leave in front */
    config->at = strncmp(text, mark, sizeof mark - 1) == 0 ? text + sizeof mark - 1 : text;
    config->line = 0;
}

/* Takes blanks off both ends of [from, to) and ends it with NUL. */
static char *trim(char *from, char *to)
{
    while (from < to && is_blank(*from)) {
        from++;
    }
    while (to > from && is_blank(to[-1])) {
        to--;
    }
    *to = '\0';
    return from;
}

/* Where a remark begins, or the line ends. */
static char *remark_of(char *line, char *end)
{
    for (char *at = line; at < end; at++) {
        if (*at == '#' && (at == line || is_blank(at[-1]))) {
            return at;
        }
    }
    return end;
}

enum ht_status ht_config_next(struct ht_config *config, struct ht_config_entry *out,
                              struct ht_error *error)
{
    while (*config->at != '\0') {
        char *line = config->at;
        char *end = line + strcspn(line, "\n");
        config->at = *end == '\0' ? end : end + 1;
        config->line++;
        line = trim(line, remark_of(line, end));
        if (*line == '\0') {
            continue;
        }
        char *sign = strchr(line, '=');
        if (sign == NULL) {
            return ht_error_set(error, HT_SYNTAX, config->line, "'%.40s' is not 'name = value'",
                                line);
        }
        out->value = trim(sign + 1, sign + 1 + strlen(sign + 1));
        out->name = trim(line, sign);
        if (*out->name == '\0' || *out->value == '\0') {
            return ht_error_set(error, HT_SYNTAX, config->line, "'%.40s' has no %s",
                                *out->name == '\0' ? out->value : out->name,
                                *out->name == '\0' ? "name" : "value");
        }
        return HT_OK;
    }
    return HT_EMPTY;
}

/* The place of a name among those that are known; NAMES: it is not. */
static size_t name_find(const char *name)
{
    size_t at = 0;
    while (at < NAMES && strcmp(names[at], name) != 0) {
        at++;
    }
    return at;
}

static const struct ht_cli_option *option_find(const struct ht_cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->option_count; i++) {
        if (cli->options[i].text != NULL && strcmp(cli->options[i].name, name) == 0) {
            return &cli->options[i];
        }
    }
    return NULL;
}

enum ht_status ht_config_fill(char *text, const struct ht_cli *cli, struct ht_error *error)
{
    int64_t lines[NAMES] = {0}; /* where each was said */
    struct ht_config config;
    struct ht_config_entry entry = {"", ""};
    enum ht_status status = HT_OK;
    ht_config_init(&config, text);
    while ((status = ht_config_next(&config, &entry, error)) == HT_OK) {
        size_t at = name_find(entry.name);
        if (at == NAMES) {
            return ht_error_set(error, HT_SYNTAX, config.line, "there is no option '%.40s'",
                                entry.name);
        }
        if (lines[at] != 0) {
            return ht_error_set(error, HT_SYNTAX, config.line, "'%s' was said in line %lld",
                                names[at], (long long)lines[at]);
        }
        lines[at] = config.line;
        const struct ht_cli_option *option = option_find(cli, entry.name);
        if (option != NULL && *option->text == NULL) {
            *option->text = entry.value;
        }
    }
    return status == HT_EMPTY ? HT_OK : status;
}

/* All of a file, ended with NUL; NULL with errno. */
static char *file_read(const char *path, size_t *size)
{
    char *text = malloc(HT_CONFIG_BYTES + 1);
    FILE *file = text == NULL ? NULL : fopen(path, "rbe");
    bool good = file != NULL;
    int code = errno;
    if (good) {
        *size = fread(text, 1, HT_CONFIG_BYTES + 1, file);
        good = ferror(file) == 0;
        code = errno;
        (void)fclose(file);
    }
    if (!good) {
        free(text);
        errno = code;
        return NULL;
    }
    return text;
}

int ht_config_read(const struct ht_cli *cli, const char *path, char **text)
{
    char why[128];
    size_t size = 0;
    struct ht_error error = {0};
    *text = NULL;
    if (path == NULL) {
        return HT_EXIT_DONE;
    }
    *text = file_read(path, &size);
    if (*text == NULL) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s: %s", path,
                            strerror_r(errno, why, sizeof why));
    }
    if (size > HT_CONFIG_BYTES || memchr(*text, '\0', size) != NULL) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "%s: not a file of options", path);
    }
    (*text)[size] = '\0';
    if (ht_config_fill(*text, cli, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "%s: line %lld: %s", path, (long long)error.line,
                            error.message);
    }
    return HT_EXIT_DONE;
}
