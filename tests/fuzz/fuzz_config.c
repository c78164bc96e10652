/* A file of options from anybody: every entry has a name and a value without blanks around them,
 * lines only go up, and what was read, written out again, is read the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(int condition)
{
    if (!condition) {
        abort();
    }
}

static int is_trimmed(const char *text)
{
    size_t size = strlen(text);
    return size > 0 && strchr(" \t\r", text[0]) == NULL && strchr(" \t\r", text[size - 1]) == NULL;
}

/* "name=value" of this entry gives the entry again. */
static void again(const struct ht_config_entry *entry)
{
    struct ht_config config;
    struct ht_config_entry second = {0};
    size_t size = strlen(entry->name) + strlen(entry->value) + 8;
    char *line = malloc(size);
    if (line == NULL) {
        return;
    }
    (void)snprintf(line, size, "%s=%s\n", entry->name, entry->value);
    ht_config_init(&config, line);
    /* but for the mark that only the first line loses */
    if (strncmp(entry->name, "\xef\xbb\xbf", 3) != 0) {
        want(ht_config_next(&config, &second, NULL) == HT_OK);
        want(strcmp(second.name, entry->name) == 0 && strcmp(second.value, entry->value) == 0);
        want(ht_config_next(&config, &second, NULL) == HT_EMPTY);
    }
    free(line);
}

static char *text_of(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* exact, so that a look past the end is seen */
    if (text != NULL && size > 0) {
        memcpy(text, data, size);
    }
    if (text != NULL) {
        text[size] = '\0';
    }
    return text;
}

static void entries(const uint8_t *data, size_t size)
{
    char *text = text_of(data, size);
    struct ht_config config;
    struct ht_config_entry entry = {0};
    struct ht_error error = {0};
    int64_t before = 0;
    enum ht_status status = HT_OK;
    if (text == NULL) {
        return;
    }
    ht_config_init(&config, text);
    while ((status = ht_config_next(&config, &entry, &error)) == HT_OK) {
        want(config.line > before && is_trimmed(entry.name) && is_trimmed(entry.value));
        want(strchr(entry.name, '=') == NULL && strchr(entry.value, '\n') == NULL);
        before = config.line;
        again(&entry);
    }
    want(status == HT_EMPTY || (status == HT_SYNTAX && error.line > before));
    free(text);
}

static void fill(const uint8_t *data, size_t size)
{
    const char *network = NULL;
    const char *store = "given";
    struct ht_error error = {0};
    const struct ht_cli_option options[] = {{"network", 0, "F", "", &network, NULL},
                                            {"store", 0, "F", "", &store, NULL}};
    const struct ht_cli cli = {.command = "fuzz", .options = options, .option_count = 2};
    char *text = text_of(data, size);
    if (text == NULL) {
        return;
    }
    enum ht_status status = ht_config_fill(text, &cli, &error);
    want(status == HT_OK || (status == HT_SYNTAX && error.line > 0 && error.message[0] != '\0'));
    want(strcmp(store, "given") == 0);
    want(network == NULL || is_trimmed(network));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    entries(data, size);
    fill(data, size);
    return 0;
}
