/* GDAL as a client: its OAPIF driver reads the running server, its SQLite driver the store's file,
 * as QGIS would do both. */
#include "tests/support/check.h"
#include "tests/support/served.h"

static char store[128];
static char text[1 << 16];

/* What a command says; its exit code. */
static int told(const char *line)
{
    FILE *pipe_end = popen(line, "r");
    size_t size = pipe_end == NULL ? 0 : fread(text, 1, sizeof text - 1, pipe_end);
    text[size] = '\0';
    return pipe_end == NULL ? -1 : pclose(pipe_end);
}

static bool says(const char *what)
{
    return strstr(text, what) != NULL;
}

static const char *const collections[] = {"households", "cells", "factories", "facilities",
                                          "units",      "zones", "devices"};

/* A store with a few of everything. */
static bool store_make(void)
{
    static const char *const rows[][2] = {
        {"households", "id,lon,lat,residents,address\nh1,121.71,29.95,2,清泉路1号\n"
                       "h2,121.72,29.95,3,清泉路2号\nh3,121.73,29.96,3,清泉路3号\n"},
        {"cells", "id,wkt,name,kind\nc1,\"POLYGON((121.70 29.94,121.715 29.94,121.715 29.97,"
                  "121.70 29.97,121.70 29.94))\",一,grid\n"},
        {"factories", "id,lon,lat,name,risk\nf1,121.74,29.95,厂,4\n"},
        {"facilities", "id,lon,lat,name,kind\nk1,121.71,29.95,食堂,kitchen\n"},
        {"units", "id,lon,lat,name,kind,profile\nv1,121.71,29.95,车,van,car\n"},
        {"zones", "id,wkt,kind\nz1,\"POLYGON((121.70 29.94,121.71 29.94,121.71 29.95,"
                  "121.70 29.94))\",watched\n"},
        {"devices", "id,protocol,unit\nd1,osmand,v1\n"}};
    char path[192];
    char line[512];
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/gdal.sqlite", folder);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        (void)snprintf(path, sizeof path, "%s/rows.csv", folder);
        FILE *file = fopen(path, "we");
        if (file == NULL || fputs(rows[i][1], file) < 0 || fclose(file) != 0) {
            return false;
        }
        (void)snprintf(line, sizeof line, "load --store %s --collection %s %s", store, rows[i][0],
                       path);
        const struct ht_command_run *run = ht_command_run(line);
        if (run->code != 0) {
            (void)printf("  %s", run->err);
            return false;
        }
    }
    return true;
}

HT_CASE(gdal_lists_and_filters_what_the_server_has)
{
    char line[512];
    char options[256];
    if (told("ogrinfo --version 2>/dev/null") != 0) {
        HT_SKIP("ogrinfo (package gdal-bin) is not installed");
    }
    HT_REQUIRE(store_make());
    (void)snprintf(options, sizeof options, "--store %s", store);
    HT_REQUIRE(begin(options));
    (void)snprintf(line, sizeof line, "ogrinfo -ro OAPIF:http://127.0.0.1:%u 2>&1", port);
    HT_CHECK_INT(told(line), 0);
    for (size_t i = 0; i < sizeof collections / sizeof *collections; i++) {
        HT_CHECK(says(collections[i]));
        (void)snprintf(line, sizeof line, "ogrinfo -ro -so OAPIF:http://127.0.0.1:%u %s 2>&1", port,
                       collections[i]);
        char keep[sizeof text];
        memcpy(keep, text, sizeof text);
        HT_CHECK_INT(told(line), 0);
        if (!says(i == 0 ? "Feature Count: 3" : "Feature Count: 1")) {
            HT_CHECK_STR(collections[i], text);
        }
        memcpy(text, keep, sizeof text);
    }
    (void)snprintf(line, sizeof line,
                   "ogrinfo -ro -spat 121.715 29.94 121.725 29.955 OAPIF:http://127.0.0.1:%u "
                   "households 2>&1",
                   port);
    HT_CHECK_INT(told(line), 0);
    HT_CHECK(says("h2") && !says("h1") && !says("h3") && says("POINT (121.72 29.95)"));
    (void)snprintf(line, sizeof line,
                   "ogrinfo -ro -where residents=3 OAPIF:http://127.0.0.1:%u households 2>&1",
                   port);
    HT_CHECK_INT(told(line), 0);
    HT_CHECK(says("h2") && says("h3") && !says("h1") && !says("ERROR"));
    (void)snprintf(line, sizeof line,
                   "ogr2ogr -f CSV /vsistdout/ OAPIF:http://127.0.0.1:%u factories 2>&1", port);
    HT_CHECK_INT(told(line), 0);
    if (!says("f1,") || !says("厂") || !says("4")) {
        HT_CHECK_STR(text, "id,name,risk and the factory");
    }
    end();
}

HT_CASE(gdal_opens_the_file_as_qgis_does)
{
    char line[512];
    if (told("ogrinfo --version 2>/dev/null") != 0) {
        HT_SKIP("ogrinfo (package gdal-bin) is not installed");
    }
    HT_REQUIRE(store[0] != '\0' || store_make());
    for (size_t i = 0; i < sizeof collections / sizeof *collections; i++) {
        (void)snprintf(line, sizeof line, "ogrinfo -ro -so %s %s 2>&1", store, collections[i]);
        HT_CHECK_INT(told(line), 0);
        HT_CHECK(says(i == 0 ? "Feature Count: 3" : "Feature Count: 1"));
        if (strcmp(collections[i], "devices") != 0) {
            HT_CHECK(says("WGS 84") && says("Geometry Column = geometry"));
        }
    }
    (void)snprintf(line, sizeof line, "ogrinfo -ro -where residents=2 %s households 2>&1", store);
    HT_CHECK_INT(told(line), 0);
    HT_CHECK(says("id (String) = h1") && says("address (String) = 清泉路1号") &&
             says("cell (String) = c1") && !says("= h2"));
    HT_CHECK(says("changed_ms (Integer64)") && !says("Warning"));
}

HT_SERVED_MAIN()
