/* Solve: how near the best known answers the solver comes, in the time that it is given.
 *
 *   bench_solve [RESULT.json]
 *
 * Six instances of each family; BENCH_FULL=1: all that lie in ../shared/data/vrp. Each on two
 * threads, for the seconds that stand in `families` (BENCH_SECONDS=N: for N); BENCH_ONLY=TEXT: only
 * those whose line begins so. Every answer goes through engine/plan/check.h.
 *
 *   vehicles  the fewest vehicles first (a fixed cost for each), then the shortest way
 *   distance  the shortest way alone
 *
 * The gap is to best_known.json; where the number of vehicles differs, it is told beside it and
 * does not enter the mean.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/origin.h"
#include "bench/vrp.h"
#include "engine/plan/check.h"
#include "engine/plan/solve.h"

enum { FIXED = 100000, NAMES_MOST = 128, NAME = 32 };

struct family {
    const char *name; /* and its folder */
    const char *suffix;
    enum ht_vrp_kind kind;
    bool vehicles_first;
    int seconds;
    const char *six[6];
};

#define SOLOMON                                                                                    \
    {                                                                                              \
        "C104", "R104", "R112", "R208", "RC105", "RC207"                                           \
    }
static const struct family families[] = {
    {"solomon", ".txt", HT_VRP_SOLOMON, true, 10, SOLOMON},
    {"solomon", ".txt", HT_VRP_SOLOMON, false, 10, SOLOMON},
    {"homberger_200",
     ".txt",
     HT_VRP_SOLOMON,
     true,
     30,
     {"c1_2_4", "c2_2_3", "r1_2_1", "r2_2_6", "rc1_2_5", "rc2_2_8"}},
    {"li_lim_100",
     ".txt",
     HT_VRP_LI_LIM,
     true,
     30,
     {"lc104", "lc203", "lr107", "lr204", "lrc106", "lrc203"}},
    {"X",
     ".vrp",
     HT_VRP_X,
     false,
     60,
     {"X-n101-k25", "X-n139-k10", "X-n176-k26", "X-n214-k11", "X-n251-k28", "X-n298-k31"}},
};

struct known {
    double cost;
    long vehicles; /* 0: not told */
};

struct sums {
    int count;
    int equal; /* in vehicles */
    int missing;
    double gap; /* of those, or of all where vehicles don't count */
    long used;
    long known;
};

static char *known_text;
static const char *data_dir;

static bool known_read(void)
{
    char path[800];
    (void)snprintf(path, sizeof path, "%s/best_known.json", data_dir);
    FILE *file = fopen(path, "r");
    size_t size = 1 << 20;
    known_text = calloc(1, size);
    size_t got = file == NULL || known_text == NULL ? 0 : fread(known_text, 1, size - 1, file);
    if (file != NULL) {
        (void)fclose(file);
    }
    return got > 0;
}

static double number_after(const char *from, const char *end, const char *key)
{
    const char *at = strstr(from, key);
    return at == NULL || at > end ? 0 : strtod(at + strlen(key), NULL);
}

static struct known known_find(const char *name, bool distance)
{
    char key[NAME + 16];
    struct known known = {0};
    (void)snprintf(key, sizeof key, "\"%s%s\":", name, distance ? "_distance" : "");
    const char *at = strstr(known_text, key);
    const char *end = at == NULL ? NULL : strchr(at, '}');
    if (end != NULL) {
        known.cost = number_after(at, end, "\"best_known_cost\":");
        known.vehicles = (long)number_after(at, end, "\"solved_with_vehicles\":");
    }
    return known;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* The instances of a family: the six, or all of its folder. */
static int names_list(const struct family *family, char names[][NAME])
{
    int count = 0;
    char path[800];
    if (getenv("BENCH_FULL") == NULL) {
        for (int i = 0; i < 6; i++) {
            (void)snprintf(names[count++], NAME, "%s", family->six[i]);
        }
        return count;
    }
    (void)snprintf(path, sizeof path, "%s/%s", data_dir, family->name);
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    while (dir != NULL && (entry = readdir(dir)) != NULL && count < NAMES_MOST) {
        const char *dot = strrchr(entry->d_name, '.');
        size_t size = dot == NULL ? 0 : (size_t)(dot - entry->d_name);
        if (size > 0 && size < NAME && strcmp(dot, family->suffix) == 0) {
            memcpy(names[count], entry->d_name, size);
            names[count++][size] = '\0';
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    qsort(names, (size_t)count, NAME, by_name);
    return count;
}

static bool solve(const struct family *family, const char *name, int seconds, struct ht_plan **plan,
                  double *length)
{
    char path[800];
    struct ht_vrp vrp;
    struct ht_error error = {0};
    const struct ht_solve_options options = {
        .limit_ms = (int64_t)seconds * 1000, .threads = 2, .seed = 1};
    (void)snprintf(path, sizeof path, "%s/%s/%s%s", data_dir, family->name, name, family->suffix);
    bool good = ht_vrp_read(path, family->kind, family->vehicles_first ? FIXED : 0, &vrp) &&
                ht_solve_run(&vrp.problem, &options, plan, &error) == HT_OK;
    if (good && ht_plan_check(&vrp.problem, *plan, &error) != HT_OK) {
        ht_plan_free(*plan);
        good = false;
    }
    if (good) {
        *length = ht_vrp_length(&vrp, *plan);
    } else {
        (void)printf("%s: %s\n", path, error.message);
    }
    ht_vrp_free(&vrp);
    return good;
}

static bool row(const struct family *family, const char *name, FILE *json, struct sums *sums)
{
    struct ht_plan *plan = NULL;
    double length = 0;
    const char *asked = getenv("BENCH_SECONDS"); // NOLINT(concurrency-mt-unsafe)
    int seconds = asked == NULL ? family->seconds : (int)strtol(asked, NULL, 10);
    struct known known =
        known_find(name, family->kind == HT_VRP_SOLOMON && !family->vehicles_first);
    if (!solve(family, name, seconds, &plan, &length)) {
        return false;
    }
    double gap = known.cost > 0 ? (length / known.cost - 1) * 100 : 0;
    long used = plan->route_count;
    bool equal = used == known.vehicles;
    sums->count++;
    sums->equal += equal;
    sums->missing += plan->missing_count > 0;
    sums->gap += equal || !family->vehicles_first ? gap : 0;
    sums->used += used;
    sums->known += known.vehicles;
    (void)printf("%-14s %-9s %-12s %3d s %4ld (%4ld) %12.2f %12.2f %7.2f %% %9llu%s\n",
                 family->name, family->vehicles_first ? "vehicles" : "distance", name, seconds,
                 used, known.vehicles, length, known.cost, gap,
                 (unsigned long long)plan->iterations,
                 plan->missing_count > 0 ? "  NOT ALL SERVED" : "");
    (void)fflush(stdout);
    if (json != NULL) {
        (void)fprintf(json,
                      ",{\"family\":\"%s\",\"goal\":\"%s\",\"name\":\"%s\",\"seconds\":%d,"
                      "\"vehicles\":%ld,\"known_vehicles\":%ld,\"length\":%.2f,\"known\":%.2f,"
                      "\"gap_percent\":%.3f,\"missing\":%u,\"iterations\":%llu}",
                      family->name, family->vehicles_first ? "vehicles" : "distance", name, seconds,
                      used, known.vehicles, length, known.cost, gap, plan->missing_count,
                      (unsigned long long)plan->iterations);
    }
    ht_plan_free(plan);
    return true;
}

static bool family_run(const struct family *family, FILE *json)
{
    static char names[NAMES_MOST][NAME];
    struct sums sums = {0};
    bool good = true;
    int count = names_list(family, names);
    const char *only = getenv("BENCH_ONLY"); // NOLINT(concurrency-mt-unsafe)
    for (int i = 0; good && i < count; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "%s %s %s", family->name,
                       family->vehicles_first ? "vehicles" : "distance", names[i]);
        if (only == NULL || strncmp(line, only, strlen(only)) == 0) {
            good = row(family, names[i], json, &sums);
        }
    }
    int of = family->vehicles_first ? sums.equal : sums.count;
    if (sums.count > 0) {
        (void)printf("%-14s %-9s %d instances: vehicles %ld (%ld), equal on %d; mean gap %.2f %%; "
                     "not all served: %d\n\n",
                     family->name, family->vehicles_first ? "vehicles" : "distance", sums.count,
                     sums.used, sums.known, sums.equal, of > 0 ? sums.gap / of : 0, sums.missing);
    }
    return good;
}

int main(int argc, char **argv)
{
    const char *asked = getenv("HOUTAO_DATA"); // NOLINT(concurrency-mt-unsafe)
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/vrp",
                   asked != NULL ? asked : HT_SOURCE_DIR "/../shared/data");
    data_dir = path;
    if (!known_read()) {
        (void)printf("no instances at %s: nothing is measured\n", data_dir);
        free(known_text);
        return 0;
    }
    FILE *json = fopen(argc > 1 ? argv[1] : "bench/results/solve.json", "w");
    bool good = true;
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json, ",\"rows\":[{}");
    }
    for (size_t i = 0; good && i < sizeof families / sizeof families[0]; i++) {
        good = family_run(&families[i], json);
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        good = fclose(json) == 0 && good;
    }
    free(known_text);
    return good ? 0 : 1;
}
