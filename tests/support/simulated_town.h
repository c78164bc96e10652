/* The sample town with all who live and move there, served on a virtual clock, for days that are
 * simulated in it (`houtao simulate`).
 *
 * Threading: one thread. Ownership: the folder of tests/support/served.h. Include once a program.
 */
#ifndef HT_TESTS_SIMULATED_TOWN_H
#define HT_TESTS_SIMULATED_TOWN_H

#include "tests/support/json_at.h"
#include "tests/support/served.h"

static char loaded[160]; /* the town's store, as it is at first */

/* The whole sample town, for all who move. */
static bool town_make(void)
{
    static const char *const collections[] = {"cells", "households", "factories", "facilities",
                                              "units", "zones",      "devices"};
    char line[512];
    if (loaded[0] != '\0') {
        return true;
    }
    (void)strcpy(folder, "/tmp/houtao-simulate-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    (void)snprintf(line, sizeof line, "sample -o %s", folder);
    bool good = ht_command_run(line)->code == 0;
    (void)snprintf(map, sizeof map, "%s/town.hnet", folder);
    (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s", folder, map);
    good = good && ht_command_run(line)->code == 0;
    (void)snprintf(loaded, sizeof loaded, "%s/loaded.sqlite", folder);
    for (size_t i = 0; good && i < sizeof collections / sizeof collections[0]; i++) {
        (void)snprintf(line, sizeof line, "load --store %s --collection %s %s/%s.geojson", loaded,
                       collections[i], folder, collections[i]);
        good = ht_command_run(line)->code == 0;
    }
    return good;
}

/* A server on a fresh copy of the town; other options may follow the clock. */
static bool begin_town(const char *clock)
{
    static int number;
    char line[512];
    if (!town_make()) {
        return false;
    }
    (void)snprintf(line, sizeof line, "backup --store %s -o %s/day%d.sqlite", loaded, folder,
                   ++number);
    if (ht_command_run(line)->code != 0) {
        return false;
    }
    (void)snprintf(line, sizeof line, "--store %s/day%d.sqlite --clock %.128s", folder, number,
                   clock);
    return begin(line);
}

static char *file_text(const char *name)
{
    char path[192];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    (void)fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = calloc(1, (size_t)size + 1);
    if (text != NULL && fread(text, 1, (size_t)size, file) != (size_t)size) {
        text[0] = '\0';
    }
    (void)fclose(file);
    return text;
}

static long number_at(const char *json, const char *path)
{
    const char *at = ht_json_at(json, path);
    return at == NULL ? -1 : strtol(at, NULL, 10);
}

#endif
