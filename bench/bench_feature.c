/* What stands between bytes and the store: the readers of features, cells by point, addresses,
 * pinyin.
 *
 *   bench_feature [RESULT.json]
 *
 * Households are made up in memory: 200,000 of them, with BENCH_FULL=1 a million.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "engine/base/text.h"
#include "geodata/address.h"
#include "geodata/cell_index.h"
#include "geodata/feature.h"
#include "geodata/pinyin.h"

#define CELLS 90
#define CORNERS 200
#define POINTS 2000000

struct report {
    FILE *json; /* NULL: none */
    size_t rows;
};

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void add_row(struct report *report, const char *what, double ops, double bytes, double s)
{
    (void)printf("%-22s %10.0f ops %8.1f MB %8.2f s %10.0f ns/op %8.0f MB/s\n", what, ops,
                 bytes / 1e6, s, s * 1e9 / ops, bytes / 1e6 / s);
    if (report->json != NULL) {
        (void)fprintf(report->json,
                      "%s{\"what\":\"%s\",\"ops\":%.0f,\"bytes\":%.0f,\"cpu_s\":%.4f}",
                      report->rows++ > 0 ? "," : "", what, ops, bytes, s);
    }
}

/* --- readers ---------------------------------------------------------------------------------- */

static enum ht_status count_feature(void *user, const struct ht_feature *feature)
{
    size_t *count = user;
    *count += feature->properties.size > 2;
    return HT_OK;
}

static void add_household(struct ht_text *text, enum ht_feature_format format, int i)
{
    int64_t lon = 1216000000 + (int64_t)i * 7919 % 2000000;
    int64_t lat = 299000000 + (int64_t)i * 104729 % 1000000;
    char point[48];
    (void)snprintf(point, sizeof point, "%.7f,%.7f", (double)lon / 1e7, (double)lat / 1e7);
    if (format == HT_FORMAT_CSV) {
        ht_text_addf(text,
                     "h%d,%s,宁波市镇海区招宝山街道候涛花园%d幢%d单元%d0%d室,%d,%s,张三%d,"
                     "138%08d,,\"[%s]\",%d,%s\n",
                     i, point, i % 90 + 1, i % 4 + 1, i % 17 + 1, i % 4 + 1, i % 5 + 1,
                     i % 33 == 0 ? "是" : "否", i, i, point, i % 17 + 1, i % 2 == 0 ? "1" : "0");
        return;
    }
    ht_text_addf(
        text,
        "{\"type\":\"Feature\",\"id\":\"h%d\",\"geometry\":{\"type\":\"Point\","
        "\"coordinates\":[%s]},\"properties\":{\"address\":"
        "\"宁波市镇海区招宝山街道候涛花园%d幢%d单元%d0%d室\",\"residents\":%d,\"frail\":%s,"
        "\"name\":\"张三%d\",\"phone\":\"138%08d\",\"entrance\":[%s],\"floor\":%d,"
        "\"lift\":%s}}",
        i, point, i % 90 + 1, i % 4 + 1, i % 17 + 1, i % 4 + 1, i % 5 + 1,
        i % 33 == 0 ? "true" : "false", i, i, point, i % 17 + 1, i % 2 == 0 ? "true" : "false");
}

static int bench_reader(struct report *report, const char *what, enum ht_feature_format format,
                        int households)
{
    struct ht_text text = {0};
    struct ht_error error = {0};
    size_t count = 0;
    struct ht_feature_options options = {
        .collection = ht_collection_find("households", 10), .sink = count_feature, .user = &count};
    ht_text_add_string(
        &text, format == HT_FORMAT_GEOJSON ? "{\"type\":\"FeatureCollection\",\"features\":[\n"
               : format == HT_FORMAT_CSV ? "id,lon,lat,address,residents,frail,name,phone,contacts,"
                                           "entrance,floor,lift\n"
                                         : "");
    for (int i = 0; i < households; i++) {
        add_household(&text, format, i);
        if (format == HT_FORMAT_GEOJSON && i + 1 < households) {
            ht_text_add_char(&text, ',');
        }
        ht_text_add_char(&text, '\n');
    }
    ht_text_add_string(&text, format == HT_FORMAT_GEOJSON ? "]}" : "");
    double begin = cpu_s();
    enum ht_status status =
        text.failed ? HT_NOMEM
                    : ht_feature_read(HT_FORMAT_AUTO, text.data, text.size, &options, &error);
    double end = cpu_s();
    if (status != HT_OK || count != (size_t)households) {
        (void)fprintf(stderr, "bench_feature: %s: %s\n", what, error.message);
    } else {
        add_row(report, what, households, (double)text.size, end - begin);
    }
    ht_text_deinit(&text);
    return status == HT_OK ? 0 : 1;
}

/* --- cells ------------------------------------------------------------------------------------ */

static enum ht_status make_cell(struct ht_geometry *cell, int i)
{
    struct ht_draft draft = {0};
    enum ht_status status = HT_OK;
    int row = i / 10;
    for (int k = 0; status == HT_OK && k < CORNERS; k++) {
        double angle = 2 * 3.14159265358979 * k / CORNERS;
        double far = 1 + 0.1 * sin(9 * angle);
        status = ht_draft_add(&draft, 121.61 + i % 10 * 0.02 + 0.01 * far * cos(angle),
                              29.905 + row * 0.011 + 0.0055 * far * sin(angle));
    }
    status = status == HT_OK ? ht_draft_end_ring(&draft) : status;
    status = status == HT_OK ? ht_draft_end_polygon(&draft) : status;
    status = status == HT_OK
                 ? ht_geometry_finish(cell, HT_GEOMETRY_POLYGON, &draft, NULL, NULL, NULL)
                 : status;
    ht_draft_deinit(&draft);
    return status;
}

static int bench_cells(struct report *report)
{
    struct ht_geometry cells[CELLS];
    const struct ht_geometry *list[CELLS];
    struct ht_cell_index *index = NULL;
    enum ht_status status = HT_OK;
    for (int i = 0; i < CELLS; i++) {
        ht_geometry_init(&cells[i]);
        list[i] = &cells[i];
        status = status == HT_OK ? make_cell(&cells[i], i) : status;
    }
    status = status == HT_OK ? ht_cell_index_new(list, CELLS, &index) : status;
    if (status == HT_OK) {
        uint32_t seed = 1;
        size_t found = 0;
        double begin = cpu_s();
        for (int i = 0; i < POINTS; i++) {
            seed = seed * 1664525 + 1013904223;
            struct ht_point p = {1216000000 + (int32_t)(seed >> 8) % 2000000,
                                 299000000 + (int32_t)(seed >> 4) % 1000000};
            found += ht_cell_index_find(index, p) != HT_CELL_NONE;
        }
        add_row(report, "cell of a point", POINTS, 8.0 * POINTS, cpu_s() - begin);
        (void)printf("%-22s %10.0f %%\n", "  within one", 100.0 * (double)found / POINTS);
    }
    ht_cell_index_free(index);
    for (int i = 0; i < CELLS; i++) {
        ht_geometry_deinit(&cells[i]);
    }
    return status == HT_OK ? 0 : 1;
}

/* --- words ------------------------------------------------------------------------------------ */

static void bench_words(struct report *report)
{
    static const char address[] =
        "浙江省宁波市镇海区招宝山街道胜利社区中山路123弄5号候涛花园3幢2单元5楼501室";
    enum { ROUNDS = 200000 };
    struct ht_address parts;
    struct ht_text out = {0};
    size_t size = sizeof address - 1;
    double begin = cpu_s();
    for (int i = 0; i < ROUNDS; i++) {
        ht_address_parse(address, size, &parts);
    }
    add_row(report, "address, parts", ROUNDS, (double)size * ROUNDS, cpu_s() - begin);
    begin = cpu_s();
    for (int i = 0; i < ROUNDS; i++) {
        ht_text_clear(&out);
        ht_address_normalize(address, size, &out);
    }
    add_row(report, "address, normal form", ROUNDS, (double)size * ROUNDS, cpu_s() - begin);
    begin = cpu_s();
    for (int i = 0; i < ROUNDS; i++) {
        ht_text_clear(&out);
        ht_pinyin_initials(address, size, &out);
    }
    add_row(report, "pinyin initials", ROUNDS, (double)size * ROUNDS, cpu_s() - begin);
    ht_text_deinit(&out);
}

int main(int argc, char **argv)
{
    struct report report = {.json = argc > 1 ? fopen(argv[1], "w") : NULL};
    const char *full = getenv("BENCH_FULL");
    int households = full != NULL && strcmp(full, "1") == 0 ? 1000000 : 200000;
    if (report.json != NULL) {
        (void)fprintf(report.json, "{");
        ht_bench_origin(report.json);
        (void)fprintf(report.json, ",\"bench\":\"feature\",\"rows\":[");
    }
    int failed = bench_reader(&report, "read GeoJSON", HT_FORMAT_GEOJSON, households);
    failed |= bench_reader(&report, "read NDJSON", HT_FORMAT_NDJSON, households);
    failed |= bench_reader(&report, "read CSV", HT_FORMAT_CSV, households);
    failed |= bench_cells(&report);
    bench_words(&report);
    if (report.json != NULL) {
        (void)fprintf(report.json, "]}\n");
        failed |= fclose(report.json) != 0;
    }
    return failed;
}
