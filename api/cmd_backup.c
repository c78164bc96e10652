/* houtao backup: a copy of a store that may be in use. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "api/backups.h"
#include "api/cli.h"
#include "api/commands.h"
#include "api/config.h"
#include "geodata/store.h"

enum { KEEP_MOST = 100000, PATH_SIZE = 4096 };

struct backup {
    const char *store;
    const char *output;
    const char *keep;
    const char *config;
    int64_t keep_count; /* 0: all */
};

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static int copy(const struct ht_cli *cli, const struct backup *backup)
{
    char path[PATH_SIZE];
    size_t erased = 0;
    struct ht_error error = {0};
    bool folder = is_folder(backup->output);
    if (!folder && backup->keep_count > 0) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "--keep is for a folder, and %s is none",
                            backup->output);
    }
    // NOLINTNEXTLINE(cert-err33-c): it can't fail without an argument
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    if (folder &&
        ht_backups_name(backup->output, backup->store, now_ms, path, sizeof path) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s: the name is too long", backup->output);
    }
    if (ht_store_backup(backup->store, folder ? path : backup->output, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (folder) {
        (void)printf("%s\n", path);
    }
    /* only now: a night without a copy costs no older one */
    if (backup->keep_count > 0 &&
        ht_backups_prune(backup->output, backup->store, (size_t)backup->keep_count, &erased,
                         &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    return HT_EXIT_DONE;
}

static int run(const struct ht_cli *cli, struct backup *backup, int arguments)
{
    if (backup->store == NULL && backup->config != NULL && arguments == 0) {
        /* a server of streets alone: its timer has nothing to do */
        return ht_cli_error(cli, HT_EXIT_DONE, "%s names no store: nothing is copied",
                            backup->config);
    }
    if (backup->store == NULL || backup->output == NULL || arguments > 0) {
        return ht_cli_error(cli, HT_EXIT_USAGE, "takes --store STORE -o FILE");
    }
    if (backup->keep != NULL &&
        !ht_cli_number(cli, "keep", backup->keep, 1, KEEP_MOST, &backup->keep_count)) {
        return HT_EXIT_USAGE;
    }
    return copy(cli, backup);
}

int ht_cmd_backup(int argc, char **argv)
{
    struct backup backup = {.store = NULL};
    const struct ht_cli_option options[] = {
        {"store", 0, "STORE", "what is copied", &backup.store, NULL},
        {"output", 'o', "FILE|DIR",
         "the copy, which must not be there yet, or a folder for one named by the moment",
         &backup.output, NULL},
        {"keep", 0, "N", "so many copies in the folder, the newest (all)", &backup.keep, NULL},
        {"config", 0, "FILE", "the server's, for the store and for keep", &backup.config, NULL},
    };
    const struct ht_cli cli = {.command = "backup",
                               .arguments = "--store STORE -o FILE|DIR [--keep N] [--config FILE]",
                               .summary = "Copies a store as it is at one moment, also while it is "
                                          "served.",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    char *config = NULL;
    enum ht_cli_result parsed = ht_cli_parse(&cli, argc, argv, &count);
    if (parsed != HT_CLI_GO) {
        return parsed == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    int code = ht_config_read(&cli, backup.config, &config);
    if (code == HT_EXIT_DONE) {
        code = run(&cli, &backup, count);
    }
    free(config);
    return code;
}
