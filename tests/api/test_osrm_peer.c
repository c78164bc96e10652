/* Routes on a real town against what OSRM answered on the same file. The car profile follows OSRM's
 * rules, but coordinates are finer here (1e-7 instead of 1e-6 degrees) and times are not rounded to
 * tenths on every segment, so numbers agree within a little, and a point that is as near to one
 * street as to another may go to the other. */
#include "api/osrm.h"

#include <stdio.h>

#include "api/commands.h"
#include "geodata/hnet.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"

struct row {
    char query[512];
    char code[512];
    double weight;
    double duration;
    double distance;
    int legs;
};

struct tally {
    int rows;
    int wrong_code;
    int wrong_legs;
    int far_weight; /* by more than 1 % */
    int far_duration;
    int far_distance;
};

/* The next word up to a tab or the line's end; cuts it off. */
static char *next_word(char **at)
{
    char *word = *at;
    size_t size = strcspn(word, "\t\n");
    *at = word + size + (word[size] == '\0' ? 0 : 1);
    word[size] = '\0';
    return word;
}

static bool read_row(FILE *file, struct row *row)
{
    char line[512];
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] != '#') {
            char *at = line;
            (void)snprintf(row->query, sizeof row->query, "%s", next_word(&at));
            (void)snprintf(row->code, sizeof row->code, "%s", next_word(&at));
            row->weight = strtod(next_word(&at), NULL);
            row->duration = strtod(next_word(&at), NULL);
            row->distance = strtod(next_word(&at), NULL);
            row->legs = (int)strtol(next_word(&at), NULL, 10);
            return true;
        }
    }
    return false;
}

static bool far(double got, double want)
{
    return fabs(got - want) > 0.01 * want + 1;
}

static void compare(struct ht_osrm *osrm, struct ht_world *world, const struct row *row,
                    struct tally *tally)
{
    struct ht_reply reply = {0};
    struct ht_osrm_request *request = NULL;
    char url[640];
    char code[520];
    (void)snprintf(url, sizeof url, "/route/v1/driving/%s", row->query);
    (void)snprintf(code, sizeof code, "\"%s\"", row->code);
    if (ht_osrm_parse(osrm, url, strlen(url), NULL, 0, &reply, &request)) {
        ht_osrm_run(osrm, request, world, NULL, &reply);
        ht_osrm_request_free(request);
    }
    ht_buffer_append(&reply.body, "", 1);
    const char *text = reply.body.data;
    tally->rows++;
    if (!ht_json_is(text, "code", code)) {
        tally->wrong_code++;
    } else if (strcmp(row->code, "Ok") == 0) {
        tally->wrong_legs += ht_json_count_at(text, "routes.0.legs") != row->legs;
        tally->far_weight += far(ht_json_number_at(text, "routes.0.weight"), row->weight);
        tally->far_duration += far(ht_json_number_at(text, "routes.0.duration"), row->duration);
        tally->far_distance += far(ht_json_number_at(text, "routes.0.distance"), row->distance);
    }
    ht_reply_deinit(&reply);
}

static void close_file(void *file)
{
    ht_hnet_close(file);
}

/* The town, imported into a file that is gone when this returns. */
static struct ht_world *import_town(const char *pbf)
{
    char path[] = "/tmp/houtao-peer-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0) {
        return NULL;
    }
    (void)close(fd);
    char words[][16] = {"houtao", "import", "-o", "--profiles", "car"};
    char input[512];
    (void)snprintf(input, sizeof input, "%s", pbf);
    char *argv[] = {words[0], words[1], input, words[2], path, words[3], words[4], NULL};
    struct ht_hnet *file = NULL;
    struct ht_road road;
    struct ht_world *world = NULL;
    struct ht_error error;
    bool ok = ht_main(7, argv) == 0 && ht_hnet_open(path, &file, &error) == HT_OK &&
              ht_hnet_road(file, "car", NULL, &road, &error) == HT_OK &&
              ht_world_new(&road, 1, file, close_file, &world) == HT_OK;
    (void)unlink(path);
    return ok ? world : NULL;
}

HT_CASE(milan_agrees_with_osrm)
{
    const char *data = ht_data_dir();
    char pbf[512];
    (void)snprintf(pbf, sizeof pbf, "%s/osm/milan_italy_small.osm.pbf", data == NULL ? "" : data);
    if (data == NULL || access(pbf, R_OK) != 0) {
        HT_SKIP("no ../shared/data/osm/milan_italy_small.osm.pbf");
    }
    struct ht_world *world = import_town(pbf);
    struct ht_osrm *osrm = NULL;
    struct ht_osrm_limits limits = ht_osrm_limits_default();
    FILE *file = fopen(HT_SOURCE_DIR "/tests/api/osrm_milan.tsv", "r");
    HT_REQUIRE(world != NULL && file != NULL && ht_osrm_new(&limits, &osrm) == HT_OK);
    struct tally tally = {0};
    struct row row;
    while (read_row(file, &row)) {
        compare(osrm, world, &row, &tally);
    }
    (void)printf("  %d routes: %d with another code, %d weights and %d distances off by 1 %%\n",
                 tally.rows, tally.wrong_code, tally.far_weight, tally.far_distance);
    HT_CHECK_INT(tally.rows, 120);
    HT_CHECK_INT(tally.wrong_code, 0);
    HT_CHECK_INT(tally.wrong_legs, 0);
    HT_CHECK(tally.far_weight <= tally.rows / 40);
    HT_CHECK(tally.far_duration <= tally.rows / 40);
    HT_CHECK(tally.far_distance <= tally.rows / 20);
    (void)fclose(file);
    ht_osrm_free(osrm);
    ht_world_release(world);
}

HT_MAIN()
