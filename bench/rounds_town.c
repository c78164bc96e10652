#include "bench/rounds_town.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/road/matrix.h"
#include "engine/road/snap.h"
#include "geodata/hnet.h"

enum { FIELDS = 16, LINE = 16384 };

/* ---- CSV ---- */

/* Cuts a line into its fields, in place; quotes go, doubled ones are one. */
static uint32_t fields_cut(char *line, char *fields[FIELDS])
{
    uint32_t count = 0;
    char *out = line;
    bool quoted = false;
    fields[count++] = out;
    for (const char *in = line; *in != '\0' && *in != '\n' && *in != '\r'; in++) {
        if (*in == '"' && quoted && in[1] == '"') {
            *out++ = *in++;
        } else if (*in == '"') {
            quoted = !quoted;
        } else if (*in == ',' && !quoted && count < FIELDS) {
            *out++ = '\0';
            fields[count++] = out;
        } else {
            *out++ = *in;
        }
    }
    *out = '\0';
    return count;
}

/* A row of a file: where it is and one or two of its columns. */
struct row {
    struct ht_point point;
    char *first;
    char *second;
};

struct file {
    FILE *in;
    char line[LINE];
    char *fields[FIELDS];
    uint32_t first; /* columns */
    uint32_t second;
};

static bool file_open(struct file *file, const char *path, const char *first, const char *second)
{
    file->in = fopen(path, "r");
    file->first = FIELDS;
    file->second = FIELDS;
    if (file->in == NULL || fgets(file->line, sizeof file->line, file->in) == NULL) {
        return false;
    }
    uint32_t count = fields_cut(file->line, file->fields);
    for (uint32_t i = 0; i < count; i++) {
        file->first = strcmp(file->fields[i], first) == 0 ? i : file->first;
        file->second = strcmp(file->fields[i], second) == 0 ? i : file->second;
    }
    return file->first < FIELDS && file->second < FIELDS;
}

/* Columns 1 and 2 of the town's files are lon and lat. */
static bool file_row(struct file *file, struct row *row)
{
    if (fgets(file->line, sizeof file->line, file->in) == NULL) {
        return false;
    }
    uint32_t count = fields_cut(file->line, file->fields);
    if (count <= file->first || count <= file->second) {
        return false;
    }
    row->point = (struct ht_point){(int32_t)lround(strtod(file->fields[1], NULL) * 1e7),
                                   (int32_t)lround(strtod(file->fields[2], NULL) * 1e7)};
    row->first = file->fields[file->first];
    row->second = file->fields[file->second];
    return true;
}

static void file_close(struct file *file)
{
    if (file->in != NULL) {
        (void)fclose(file->in);
    }
}

/* ---- the town's places ---- */

static uint32_t factories_read(struct ht_rounds_town *town, struct file *file)
{
    static const char key[] = "\"risk\":";
    struct row row;
    uint32_t count = 0;
    uint32_t tenants = 0;
    while (file_row(file, &row) && count < HT_ROUNDS_TOWN_FACTORIES) {
        town->points[count] = row.point;
        town->factory_risk[count] = (uint32_t)strtoul(row.first, NULL, 10);
        for (const char *at = row.second; (at = strstr(at, key)) != NULL; at += sizeof key) {
            if (tenants < HT_ROUNDS_TOWN_TENANTS) {
                town->tenant_factory[tenants] = count;
                town->tenant_risk[tenants] = (uint32_t)strtoul(at + sizeof key - 1, NULL, 10);
            }
            tenants++;
        }
        count++;
    }
    return tenants == HT_ROUNDS_TOWN_TENANTS ? count : 0;
}

/* Those rows whose first column is `wanted`, from place `first` on. */
static uint32_t others_read(struct ht_rounds_town *town, struct file *file, const char *wanted,
                            uint32_t first)
{
    struct row row;
    uint32_t count = 0;
    while (file_row(file, &row)) {
        if (strcmp(row.first, wanted) == 0 && first + count < HT_ROUNDS_TOWN_PLACES) {
            town->points[first + count++] = row.point;
        }
    }
    return count;
}

static enum ht_status places_read(const char *folder, struct ht_rounds_town *town)
{
    static struct file file;
    char path[160];
    uint32_t counts[3] = {0};
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"factories", "facilities", "units"};
        static const char *const columns[][2] = {
            {"risk", "tenants"}, {"visits_per_week", "name"}, {"kind", "name"}};
        (void)snprintf(path, sizeof path, "%s/%s.csv", folder, names[i]);
        if (file_open(&file, path, columns[i][0], columns[i][1])) {
            counts[i] = i == 0   ? factories_read(town, &file)
                        : i == 1 ? others_read(town, &file, "2", HT_ROUNDS_TOWN_FIRST_COMPOUND)
                                 : others_read(town, &file, "inspector", HT_ROUNDS_TOWN_FIRST_HOME);
        }
        file_close(&file);
    }
    return counts[0] == HT_ROUNDS_TOWN_FACTORIES && counts[1] == HT_ROUNDS_TOWN_COMPOUNDS &&
                   counts[2] == HT_ROUNDS_TOWN_INSPECTORS
               ? HT_OK
               : HT_SYNTAX;
}

/* ---- ways ---- */

static enum ht_status snap_all(const struct ht_road *road, const struct ht_rounds_town *town,
                               struct ht_place *places)
{
    struct ht_snap_work *work = NULL;
    struct ht_snap_options options = ht_snap_options_default();
    enum ht_status status = ht_snap_work_new(&work);
    for (uint32_t i = 0; i < HT_ROUNDS_TOWN_PLACES && status == HT_OK; i++) {
        struct ht_place two[2];
        uint32_t found = 0;
        status = ht_snap_trip(road->snap, work, town->points[i], &options, two, &found);
        places[i] = two[found == 2 ? 1 : 0];
    }
    ht_snap_work_free(work);
    return status;
}

static enum ht_status ways_read(const struct ht_road *road, struct ht_rounds_town *town)
{
    static struct ht_cost costs[HT_ROUNDS_TOWN_PLACES * HT_ROUNDS_TOWN_PLACES];
    static struct ht_place places[HT_ROUNDS_TOWN_PLACES];
    struct ht_matrix *matrix = NULL;
    enum ht_status status = snap_all(road, town, places);
    status = status == HT_OK ? ht_matrix_new(&matrix) : status;
    if (status == HT_OK) {
        status = ht_matrix_run(matrix, road, NULL, places, HT_ROUNDS_TOWN_PLACES, places,
                               HT_ROUNDS_TOWN_PLACES, costs, NULL);
    }
    for (uint32_t i = 0; i < HT_ROUNDS_TOWN_PLACES * HT_ROUNDS_TOWN_PLACES && status == HT_OK;
         i++) {
        bool none = costs[i].weight_ms >= HT_WEIGHT_INF;
        town->duration_s[i] = none ? UINT32_MAX : (uint32_t)(costs[i].duration_ms + 500) / 1000;
        town->distance_m[i] = none ? 0 : (uint32_t)(costs[i].length_mm / 1000);
    }
    ht_matrix_free(matrix);
    return status;
}

static enum ht_status town_open(const char *folder, struct ht_rounds_town *town)
{
    char path[160];
    struct ht_hnet *file = NULL;
    struct ht_road road;
    struct ht_error error = {0};
    (void)snprintf(path, sizeof path, "%s/town.hnet", folder);
    enum ht_status status = places_read(folder, town);
    status = status == HT_OK ? ht_hnet_open(path, &file, &error) : status;
    if (status == HT_OK) {
        status = ht_hnet_road(file, "ebike", NULL, &road, &error);
        status = status == HT_OK ? ways_read(&road, town) : status;
        ht_hnet_close(file);
    }
    return status;
}

enum ht_status ht_rounds_town_read(const char *binary, struct ht_rounds_town *town)
{
    char folder[] = "/tmp/houtao-rounds-XXXXXX";
    char line[1024];
    if (mkdtemp(folder) == NULL) {
        return HT_IO;
    }
    (void)snprintf(line, sizeof line,
                   "%s sample -o %s >/dev/null && %s import %s/streets.osm.pbf -o %s/town.hnet "
                   "--profiles ebike >/dev/null 2>&1",
                   binary, folder, binary, folder, folder);
    enum ht_status status = system(line) == 0 ? town_open(folder, town) : HT_IO; // NOLINT
    (void)snprintf(line, sizeof line, "rm -r %s", folder);
    return system(line) == 0 ? status : HT_IO; // NOLINT
}
