/* The folder of a store's copies: their names, which are kept, and what else lies there. */
#include <sys/stat.h>

#include "api/backups.h"
#include "tests/support/check.h"
#include "tests/support/command.h"

static char folder[64];

static void folder_make(void)
{
    (void)strcpy(folder, "/tmp/houtao-copies-XXXXXX");
    HT_CHECK(mkdtemp(folder) != NULL);
}

static void folder_remove(void)
{
    char line[128];
    (void)snprintf(line, sizeof line, "rm -rf '%s'", folder);
    HT_CHECK_INT(system(line), 0);
}

static const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void touch(const char *name)
{
    FILE *file = fopen(path_of(name), "w");
    HT_REQUIRE(file != NULL);
    HT_CHECK(fclose(file) == 0);
}

static bool is_there(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

HT_CASE(copies_are_named_by_their_moment)
{
    char path[64];
    HT_CHECK_INT(ht_backups_name("/b", "/s/town.sqlite", INT64_C(1772353800000), path, sizeof path),
                 HT_OK);
    HT_CHECK_STR(path, "/b/town-20260301T083000Z.sqlite");
    HT_CHECK_INT(ht_backups_name("b", "town", 0, path, sizeof path), HT_OK);
    HT_CHECK_STR(path, "b/town-19700101T000000Z");
    HT_CHECK_INT(ht_backups_name("b", "/x.y/.town", 0, path, sizeof path), HT_OK);
    HT_CHECK_STR(path, "b/.town-19700101T000000Z");
    HT_CHECK_INT(ht_backups_name("b", "town", 0, path, 20), HT_TOO_BIG);
    HT_CHECK_INT(ht_backups_name("b", "town", INT64_MAX, path, sizeof path), HT_RANGE);
}

HT_CASE(the_newest_are_kept_and_others_are_left_alone)
{
    static const char *const others[] = {"town.sqlite",
                                         "town-20200101T000000Z.sqlite.bak",
                                         "town-2020.sqlite",
                                         "old-town-20200101T000000Z.sqlite",
                                         "town-20200101T000000Z.db",
                                         "town2-20200101T000000Z.sqlite",
                                         "town-20200101T00000xZ.sqlite",
                                         "town-20200101T000000Z.sqlite-wal",
                                         "town-"};
    size_t erased = 0;
    struct ht_error error = {0};
    folder_make();
    touch("town-20260301T000000Z.sqlite");
    touch("town-20251231T235959Z.sqlite");
    touch("town-20260303T000000Z.sqlite");
    touch("town-20260302T000000Z.sqlite");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        touch(others[i]);
    }
    HT_CHECK_INT(ht_backups_prune(folder, "/s/town.sqlite", 2, &erased, &error), HT_OK);
    HT_CHECK_INT(erased, 2);
    HT_CHECK(is_there("town-20260303T000000Z.sqlite") && is_there("town-20260302T000000Z.sqlite"));
    HT_CHECK(!is_there("town-20260301T000000Z.sqlite"));
    HT_CHECK(!is_there("town-20251231T235959Z.sqlite"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!is_there(others[i])) {
            HT_CHECK_STR(others[i], "there");
        }
    }
    HT_CHECK_INT(ht_backups_prune(folder, "/s/town.sqlite", 2, &erased, &error), HT_OK);
    HT_CHECK_INT(erased, 0);
    folder_remove();
    HT_CHECK_INT(ht_backups_prune(folder, "town.sqlite", 2, &erased, &error), HT_IO);
    HT_CHECK(strstr(error.message, folder) != NULL);
}

HT_CASE(broken_off_copies_go_once_their_process_is_gone)
{
    char mine[64];
    char gone[64];
    size_t erased = 0;
    struct ht_error error = {0};
    pid_t child = fork();
    if (child == 0) {
        _exit(0);
    }
    HT_REQUIRE(child > 0 && waitpid(child, NULL, 0) == child);
    (void)snprintf(mine, sizeof mine, "town-20260301T000000Z.sqlite.%ld.tmp", (long)getpid());
    (void)snprintf(gone, sizeof gone, "town-20260301T000000Z.sqlite.%ld.tmp", (long)child);
    folder_make();
    touch(mine);
    touch(gone);
    touch("town-20260301T000000Z.sqlite.x.tmp");
    HT_CHECK_INT(ht_backups_prune(folder, "town.sqlite", 1, &erased, &error), HT_OK);
    HT_CHECK(is_there(mine) && !is_there(gone));
    HT_CHECK(is_there("town-20260301T000000Z.sqlite.x.tmp"));
    folder_remove();
}

/* The command as the timer calls it, night after night. */
HT_CASE(nightly_copies_are_whole_and_few)
{
    char line[640];
    char config[256];
    const struct ht_command_run *run = NULL;
    folder_make();
    (void)snprintf(config, sizeof config, "%s", path_of("houtao.conf"));
    FILE *file = fopen(config, "w");
    HT_REQUIRE(file != NULL);
    (void)fprintf(file, "network = x\nstore = %s\nkeep = 2\n", path_of("town.sqlite"));
    HT_CHECK(fclose(file) == 0);
    (void)snprintf(line, sizeof line, "backup --config %s -o %s", config, folder);
    run = ht_command_run(line);
    HT_CHECK_INT(run->code, 1); /* there is no store yet: somebody should know */
    HT_CHECK(strstr(run->err, "town.sqlite") != NULL);
    touch("f.csv");
    file = fopen(path_of("f.csv"), "w");
    HT_REQUIRE(file != NULL);
    (void)fprintf(file, "id,kind,lon,lat\ns1,station,121.71,29.95\n");
    HT_CHECK(fclose(file) == 0);
    (void)snprintf(line, sizeof line,
                   "load --store %s/town.sqlite --collection facilities %s/f.csv", folder, folder);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
    touch("town-20200101T000000Z.sqlite");
    touch("town-20200102T000000Z.sqlite");
    (void)snprintf(line, sizeof line, "backup --config %s -o %s", config, folder);
    run = ht_command_run(line);
    HT_CHECK_INT(run->code, 0);
    HT_CHECK(!is_there("town-20200101T000000Z.sqlite"));
    HT_CHECK(is_there("town-20200102T000000Z.sqlite"));
    char copy[160];
    (void)snprintf(copy, sizeof copy, "%.*s", (int)strcspn(run->out, "\n"), run->out);
    (void)snprintf(line, sizeof line, "audit %s", copy);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
    (void)snprintf(line, sizeof line, "backup --config %s -o %s --keep 0", config, folder);
    HT_CHECK_INT(ht_command_run(line)->code, 2);
    (void)snprintf(line, sizeof line, "backup --config %s -o %s/one.sqlite", config, folder);
    run = ht_command_run(line);
    HT_CHECK_INT(run->code, 2); /* one file has no older ones */
    HT_CHECK(strstr(run->err, "--keep is for a folder") != NULL);
    file = fopen(config, "w");
    HT_REQUIRE(file != NULL);
    (void)fprintf(file, "network = x\n# store = y\n");
    HT_CHECK(fclose(file) == 0);
    (void)snprintf(line, sizeof line, "backup --config %s -o %s", config, folder);
    run = ht_command_run(line);
    HT_CHECK_INT(run->code, 0); /* streets alone */
    HT_CHECK(strstr(run->err, "names no store") != NULL);
    HT_CHECK_INT(ht_command_run("backup -o /tmp")->code, 2);
    folder_remove();
}

HT_MAIN()
