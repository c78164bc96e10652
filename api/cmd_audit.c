/* houtao audit: does the chain of events hold, of a store or of what was exported of it? */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/event_export.h"
#include "geodata/store.h"

/* ---- an export ---- */

/* Whether the file is one: it begins as JSON or as our CSV does. */
static bool is_export(const char *path)
{
    char head[16] = "";
    FILE *file = fopen(path, "rb");
    size_t size = file == NULL ? 0 : fread(head, 1, sizeof head, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return size > 0 && (head[0] == '{' || (size >= 4 && memcmp(head, "seq,", 4) == 0));
}

static enum ht_status export_audit(const char *path, const char *from, struct ht_store_audit *out,
                                   struct ht_error *error)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *bytes = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > 0) {
        bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (bytes == MAP_FAILED) {
        return ht_error_set(error, HT_IO, 0, "%.120s: can't be read", path);
    }
    enum ht_status status = ht_event_export_audit(bytes, (size_t)info.st_size, from, out, error);
    (void)munmap(bytes, (size_t)info.st_size);
    return status;
}

/* ---- a store ---- */

static enum ht_status store_open(const char *path, struct ht_store **store,
                                 struct ht_store_reader **reader, struct ht_error *error)
{
    const struct ht_store_options options = {.mode = HT_STORE_READ_ONLY};
    enum ht_status status = ht_store_open(path, &options, store, error);
    return status == HT_OK ? ht_store_reader_new(*store, reader, error) : status;
}

struct copying {
    FILE *file;
    struct ht_event_writer writer;
    struct ht_text text;
};

static bool flush(struct copying *copying)
{
    size_t size = copying->text.size;
    bool good = !copying->text.failed &&
                fwrite(ht_text_string(&copying->text), 1, size, copying->file) == size;
    ht_text_clear(&copying->text);
    return good;
}

static enum ht_status row_take(void *user, const struct ht_store_event *event)
{
    struct copying *copying = user;
    ht_event_write(&copying->writer, event, &copying->text);
    return flush(copying) ? HT_OK : HT_IO;
}

static enum ht_status copy(struct ht_store_reader *reader, const char *to, struct ht_error *error)
{
    size_t size = strlen(to);
    bool json = size >= 5 && strcmp(to + size - 5, ".json") == 0;
    struct copying copying = {.file = fopen(to, "wx")};
    if (copying.file == NULL) {
        return ht_error_set(error, HT_IO, 0, "%.120s: can't be made, or is there", to);
    }
    ht_event_write_begin(&copying.writer, json ? HT_EVENT_JSON : HT_EVENT_CSV, NULL, &copying.text);
    bool good = flush(&copying);
    enum ht_status status = good ? ht_store_events_every(reader, row_take, &copying, error) : HT_IO;
    ht_event_write_end(&copying.writer, &copying.text);
    good = flush(&copying) && status == HT_OK && fsync(fileno(copying.file)) == 0;
    good = fclose(copying.file) == 0 && good;
    ht_text_deinit(&copying.text);
    if (!good) {
        (void)remove(to);
        return ht_error_set(error, HT_IO, 0, "%.120s: can't be written", to);
    }
    return HT_OK;
}

static enum ht_status store_audit(const char *path, const char *to, struct ht_store_audit *out,
                                  struct ht_error *error)
{
    struct ht_store *store = NULL;
    struct ht_store_reader *reader = NULL;
    enum ht_status status = store_open(path, &store, &reader, error);
    if (status == HT_OK) {
        status = ht_store_audit(reader, out, error);
    }
    if (status == HT_OK && out->broken_seq == 0 && to != NULL) {
        status = copy(reader, to, error);
    }
    ht_store_reader_free(reader);
    ht_store_close(store);
    return status;
}

/* ---- the command ---- */

static bool is_hash(const char *text)
{
    return text == NULL || (strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64);
}

static int tell(const struct ht_cli *cli, const char *path, const char *last,
                const struct ht_store_audit *audit)
{
    char *label = ht_store_label(path);
    const char *name = label == NULL ? "" : label;
    int code = HT_EXIT_DONE;
    if (audit->broken_seq != 0) {
        (void)printf("%" PRId64 "\n", audit->broken_seq);
        code = ht_cli_error(cli, HT_EXIT_FAILED, "%s: event %" PRId64 " is not as it was written",
                            name, audit->broken_seq);
    } else {
        (void)printf("%s\n", audit->last_hash);
    }
    if (code == HT_EXIT_DONE && last != NULL && strcmp(last, audit->last_hash) != 0) {
        code = ht_cli_error(cli, HT_EXIT_FAILED, "%s: it does not end with that hash", name);
    }
    free(label);
    return code;
}

int ht_cmd_audit(int argc, char **argv)
{
    const char *from = NULL;
    const char *last = NULL;
    const char *to = NULL;
    const struct ht_cli_option options[] = {
        {"from", 0, "HASH", "before the first row, of a CSV that is a part", &from, NULL},
        {"last", 0, "HASH", "that it has to end with: a cut tail shows by nothing else", &last,
         NULL},
        {"output", 'o', "FILE", "exports the events of a STORE that holds, as .csv or .json", &to,
         NULL},
    };
    const struct ht_cli cli = {
        .command = "audit",
        .arguments = "STORE|FILE [--last HASH] [-o FILE]",
        .summary =
            "Reckons the chain of events anew, of a store or an export. Prints the last hash, or "
            "the first event that was changed.",
        .options = options,
        .option_count = sizeof options / sizeof *options,
    };
    int count = 0;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &count);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (count != 1 || !is_hash(from) || !is_hash(last)) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "takes one STORE or FILE; a HASH is 64 digits");
    }
    bool exported = is_export(argv[0]);
    if (exported ? to != NULL : from != NULL) {
        return ht_cli_error(&cli, HT_EXIT_USAGE,
                            exported ? "-o goes with a STORE" : "--from goes with an export");
    }
    struct ht_error error = {0};
    struct ht_store_audit audit = {0};
    enum ht_status status = exported ? export_audit(argv[0], from, &audit, &error)
                                     : store_audit(argv[0], to, &audit, &error);
    if (status != HT_OK) {
        return ht_cli_error(&cli, HT_EXIT_FAILED, "%s%s%s", exported ? argv[0] : "",
                            exported ? ": " : "", error.message);
    }
    return tell(&cli, argv[0], last, &audit);
}
