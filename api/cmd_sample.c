/* houtao sample: a town that is made up from a seed, its streets and its registry. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/cli.h"
#include "api/commands.h"
#include "geodata/sample.h"
#include "geodata/sample_town.h"

enum { PATH_SIZE = 4096 };

/* Makes the folder and those above it. False: errno says why. */
static bool make_folder(const char *path)
{
    char part[PATH_SIZE];
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof part) {
        errno = length == 0 ? ENOENT : ENAMETOOLONG;
        return false;
    }
    memcpy(part, path, length + 1);
    for (size_t i = 1; i <= length; i++) {
        if (part[i] != '/' && part[i] != '\0') {
            continue;
        }
        char kept = part[i];
        part[i] = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST) {
            return false;
        }
        part[i] = kept;
    }
    struct stat info;
    if (stat(path, &info) != 0) {
        return false;
    }
    errno = ENOTDIR;
    return S_ISDIR(info.st_mode);
}

/* Written beside and renamed, so that nobody ever finds half a file under the name. */
static int write_streets(const struct ht_cli *cli, const char *folder, enum ht_sample_scale scale,
                         uint64_t seed)
{
    char path[PATH_SIZE + 32];
    char beside[PATH_SIZE + 32];
    (void)snprintf(path, sizeof path, "%s/streets.osm.pbf", folder);
    (void)snprintf(beside, sizeof beside, "%s/streets.osm.pbf.%ld", folder, (long)getpid());
    struct ht_error error = {.status = HT_OK};
    if (ht_sample_streets(beside, scale, seed, &error) != HT_OK) {
        (void)unlink(beside);
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    if (rename(beside, path) != 0) {
        char why[128];
        const char *reason = strerror_r(errno, why, sizeof why);
        (void)unlink(beside);
        return ht_cli_error(cli, HT_EXIT_FAILED, "can't write %s: %s", path, reason);
    }
    struct stat info;
    int64_t size = stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
    (void)printf("%s: %" PRId64 " bytes\n", path, size);
    return HT_EXIT_DONE;
}

static void told(const struct ht_sample_file *file)
{
    (void)printf("%s: %zu items, %zu bytes\n", file->path, file->items, file->bytes);
}

static int write_town(const struct ht_cli *cli, const char *folder, enum ht_sample_scale scale,
                      uint64_t seed)
{
    struct ht_error error = {.status = HT_OK};
    int code = write_streets(cli, folder, scale, seed);
    if (code == HT_EXIT_DONE && ht_sample_registry(folder, scale, seed, told, &error) != HT_OK) {
        return ht_cli_error(cli, HT_EXIT_FAILED, "%s", error.message);
    }
    return code;
}

int ht_cmd_sample(int argc, char **argv)
{
    const char *folder = NULL;
    const char *scale_text = "town";
    const char *seed_text = "1";
    const struct ht_cli_option options[] = {
        {"output", 'o', "DIR", "where streets.osm.pbf and the collections are written", &folder,
         NULL},
        {"scale", 0, "town|city", "some 15,000 junctions (default) or over 500,000", &scale_text,
         NULL},
        {"seed", 0, "N", "another number, another town (default 1)", &seed_text, NULL},
    };
    const struct ht_cli cli = {
        .command = "sample",
        .arguments = "-o DIR",
        .summary = "Makes up a town, streets and registry: the same from the same seed.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
    };
    int count = 0;
    enum ht_cli_result result = ht_cli_parse(&cli, argc, argv, &count);
    if (result != HT_CLI_GO) {
        return result == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (folder == NULL || folder[0] == '\0') {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "-o DIR is missing");
    }
    if (count > 0) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "what is \"%s\" for?", argv[0]);
    }
    enum ht_sample_scale scale = HT_SAMPLE_TOWN;
    if (strcmp(scale_text, "city") == 0) {
        scale = HT_SAMPLE_CITY;
    } else if (strcmp(scale_text, "town") != 0) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "--scale is town or city, not \"%s\"", scale_text);
    }
    int64_t seed = 0;
    if (!ht_cli_number(&cli, "seed", seed_text, 0, INT64_MAX, &seed)) {
        return HT_EXIT_USAGE;
    }
    if (!make_folder(folder)) {
        char why[128];
        return ht_cli_error(&cli, HT_EXIT_FAILED, "can't make the folder %s: %s", folder,
                            strerror_r(errno, why, sizeof why));
    }
    return write_town(&cli, folder, scale, (uint64_t)seed);
}
