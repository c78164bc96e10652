/* Solve: how near the best known answers the solver comes, in the time that it is given, asked and
 * answering in VROOM's JSON.
 *
 *   bench_solve [RESULT.json]
 *
 * Six instances of each family; BENCH_FULL=1: all that lie in ../shared/data/vrp. Each on two
 * threads, for the seconds that stand in `families` (BENCH_SECONDS=N: for N;
 * BENCH_ITERATIONS=N: for so many of each thread, where a machine is shared; BENCH_THREADS=N);
 * BENCH_ONLY=TEXT: only those whose line begins so. Every answer is held against the instance's own
 * rules by bench/vrp_json.h.
 *
 *   vehicles  the fewest vehicles first (a fixed cost for each), then the shortest way
 *   distance  the shortest way alone
 *
 * The gap is to best_known.json; where the number of vehicles differs, it is told beside it and
 * does not enter the mean. Nor does it where best_known.json is shorter than what was proven to be
 * the shortest (bench/vrp_proven.h); an answer shorter than that ends the bench with an error.
 * `late`: by how much the answer came after its deadline.
 *
 * Then, beside what VROOM 1.15 reached on two threads: the families as a whole, for distance alone,
 * in the time that it took; and when (the mean over the instances, of those that got there) our gap
 * was as small as its mean.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/vroom.h"
#include "bench/origin.h"
#include "bench/vrp.h"
#include "bench/vrp_json.h"
#include "bench/vrp_proven.h"

enum { FIXED = 100000, NAMES_MOST = 128, NAME = 32, MADE = 1000 /* customers */ };

struct family {
    const char *name; /* and its folder; NULL: made */
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
static const struct family made = {"made", "", HT_VRP_SOLOMON, true, 60, {"1000"}};

/* What VROOM reached, measured beside us (its README asks for exploration levels 1 to 5). */
struct peer {
    const char *name;
    const char *suffix;
    enum ht_vrp_kind kind;
    int exploration;
    int milliseconds;
    int vehicles;
    double gap_percent;
    const char *endings; /* of the instances that were measured, commas between them; NULL: all */
};

static const struct peer peers[] = {
    {"solomon", ".txt", HT_VRP_SOLOMON, 1, 150, 477, 3.59, NULL},
    {"solomon", ".txt", HT_VRP_SOLOMON, 5, 1410, 469, 1.61, NULL},
    {"li_lim_100", ".txt", HT_VRP_LI_LIM, 1, 50, 454, 4.28, NULL},
    {"li_lim_100", ".txt", HT_VRP_LI_LIM, 5, 540, 428, 0.44, NULL},
    {"homberger_200", ".txt", HT_VRP_SOLOMON, 1, 560, 792, 1.12, NULL},
    {"homberger_200", ".txt", HT_VRP_SOLOMON, 5, 5200, 237, -0.14, "_1,_4,_8"},
};

struct known {
    double cost;
    double proven; /* nothing is shorter; 0: not known */
    long vehicles; /* 0: not told */
};

struct sums {
    int count;
    int unsound; /* references below what is proven */
    int equal;   /* in vehicles */
    int missing;
    int gaps; /* of so many: those, or all where vehicles don't count; with a sound reference */
    double gap;
    double worst;
    long used;
    long known;
    double reached_ms; /* when the gap was as small as asked for, */
    int reached;       /* of those that got there */
    double late_ms;    /* the greatest */
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
    known.proven = distance ? ht_vrp_proven(name) : 0;
    return known;
}

static bool is_unsound(const struct known *known)
{
    return known->cost > 0 && known->cost < known->proven;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* All instances that lie in a folder, by name. */
static int names_all(const char *folder, const char *suffix, char names[][NAME])
{
    int count = 0;
    char path[800];
    (void)snprintf(path, sizeof path, "%s/%s", data_dir, folder);
    DIR *dir = opendir(path);
    const struct dirent *entry = NULL;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    while (dir != NULL && (entry = readdir(dir)) != NULL && count < NAMES_MOST) {
        const char *dot = strrchr(entry->d_name, '.');
        size_t size = dot == NULL ? 0 : (size_t)(dot - entry->d_name);
        if (size > 0 && size < NAME && strcmp(dot, suffix) == 0) {
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

/* The instances of a family: the six, or all of its folder. */
static int names_list(const struct family *family, char names[][NAME])
{
    int count = 0;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    if (family != &made && getenv("BENCH_FULL") != NULL) {
        return names_all(family->name, family->suffix, names);
    }
    while (count < 6 && family->six[count] != NULL) {
        (void)snprintf(names[count], NAME, "%s", family->six[count]);
        count++;
    }
    return count;
}

/* One run, and what is watched while it goes on. */
struct run {
    const struct ht_vrp *vrp;
    struct known known;
    double gap_wanted; /* percent */
    double reached_ms; /* -1: not yet */
    double took_ms;
    struct ht_vrp_found found;
};

static double now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Costs are thousandths of a length, but in whole instances. */
static void on_progress(void *user, const struct ht_solve_progress *progress)
{
    struct run *run = user;
    double length = (double)progress->cost / HT_COST_SCALE / (run->vrp->whole ? 1.0 : 1000.0);
    if (run->reached_ms < 0 && progress->missing == 0 && run->known.cost > 0 &&
        (length / run->known.cost - 1) * 100 <= run->gap_wanted) {
        run->reached_ms = (double)progress->elapsed_ms;
    }
}

static long asked(const char *name, long other)
{
    const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
    return value == NULL ? other : strtol(value, NULL, 10);
}

/* Through VROOM's JSON. */
static bool solve(struct run *run, int64_t limit_ms)
{
    struct ht_buffer document = {0};
    struct ht_buffer answer = {0};
    struct ht_error error = {0};
    const char *why = "memory ran out";
    long iterations = asked("BENCH_ITERATIONS", 0);
    const struct ht_vrp_ask ask = {.limit_ms = iterations > 0 ? 0 : limit_ms,
                                   .iterations = (uint64_t)iterations,
                                   .threads = (unsigned)asked("BENCH_THREADS", 2),
                                   .seed = 1};
    ht_vrp_document(run->vrp, &ask, &document);
    const struct ht_vroom_call call = {.text = document.data,
                                       .size = document.size,
                                       .options = {.progress = on_progress, .user = run},
                                       .threads_most = ask.threads};
    double begun_ms = now_ms();
    bool good = !document.failed && ht_vroom_run(&call, false, &answer, &error) == HT_VROOM_OK &&
                ht_vrp_found_read(run->vrp, &answer, &run->found, &why);
    run->took_ms = now_ms() - begun_ms;
    if (!good) {
        (void)printf("%s %s\n", error.message, why);
    }
    ht_buffer_deinit(&document);
    ht_buffer_deinit(&answer);
    return good;
}

static void sums_add(struct sums *sums, const struct run *run, bool vehicles_first, double gap)
{
    bool equal = (long)run->found.vehicles == run->known.vehicles;
    bool unsound = is_unsound(&run->known);
    bool counts = (equal || !vehicles_first) && !unsound;
    sums->count++;
    sums->equal += equal;
    sums->unsound += unsound;
    sums->missing += run->found.missing > 0;
    sums->gaps += counts;
    sums->gap += counts ? gap : 0;
    sums->worst = gap > sums->worst && !unsound ? gap : sums->worst;
    sums->used += run->found.vehicles;
    sums->known += run->known.vehicles;
    if (run->reached_ms >= 0) {
        sums->reached++;
        sums->reached_ms += run->reached_ms;
    }
}

static void row_tell(const struct family *family, const char *name, const struct run *run,
                     double gap, FILE *json)
{
    const char *goal = family->vehicles_first ? "vehicles" : "distance";
    (void)printf("%-14s %-9s %-12s %6.1f s %4u (%4ld) %12.2f %12.2f %7.2f %% %9llu%s", family->name,
                 goal, name, run->took_ms / 1000, run->found.vehicles, run->known.vehicles,
                 run->found.length, run->known.cost, gap, (unsigned long long)run->found.iterations,
                 run->found.missing > 0 ? "  NOT ALL SERVED" : "");
    if (is_unsound(&run->known)) {
        (void)printf("  reference is below the proven optimum %.1f", run->known.proven);
    }
    (void)printf("\n");
    (void)fflush(stdout);
    if (json != NULL) {
        (void)fprintf(json,
                      ",{\"family\":\"%s\",\"goal\":\"%s\",\"name\":\"%s\",\"seconds\":%.3f,"
                      "\"vehicles\":%u,\"known_vehicles\":%ld,\"length\":%.2f,\"known\":%.2f,"
                      "\"gap_percent\":%.3f,\"unsound\":%s,\"missing\":%u,"
                      "\"iterations\":%llu}",
                      family->name, goal, name, run->took_ms / 1000, run->found.vehicles,
                      run->known.vehicles, run->found.length, run->known.cost, gap,
                      is_unsound(&run->known) ? "true" : "false", run->found.missing,
                      (unsigned long long)run->found.iterations);
    }
}

static bool row(const struct family *family, const char *name, FILE *json, struct sums *sums)
{
    struct ht_vrp vrp;
    char path[800];
    int64_t fixed = family->vehicles_first ? FIXED : 0;
    (void)snprintf(path, sizeof path, "%s/%s/%.31s%s", data_dir, family->name, name,
                   family->suffix);
    bool good = family == &made ? ht_vrp_make(MADE, 1, fixed, &vrp)
                                : ht_vrp_read(path, family->kind, fixed, &vrp);
    struct run run = {.vrp = &vrp,
                      .known = known_find(name, family->kind == HT_VRP_SOLOMON &&
                                                    !family->vehicles_first &&
                                                    strcmp(family->name, "solomon") == 0),
                      .reached_ms = -1};
    int64_t limit_ms = asked("BENCH_SECONDS", family->seconds) * 1000;
    good = good && solve(&run, limit_ms);
    if (good && run.found.missing == 0 && run.found.length < run.known.proven) {
        (void)printf("%s: %.3f, below the proven optimum\n", name, run.found.length);
        good = false;
    }
    if (good) {
        double gap = run.known.cost > 0 ? (run.found.length / run.known.cost - 1) * 100 : 0;
        sums_add(sums, &run, family->vehicles_first, gap);
        row_tell(family, name, &run, gap, json);
    } else {
        (void)printf("%s: no good answer\n", path);
    }
    ht_vrp_free(&vrp);
    return good;
}

static bool is_asked(const char *line)
{
    const char *only = getenv("BENCH_ONLY"); // NOLINT(concurrency-mt-unsafe): one thread
    return only == NULL || strncmp(line, only, strlen(only)) == 0;
}

static bool family_run(const struct family *family, FILE *json)
{
    static char names[NAMES_MOST][NAME];
    struct sums sums = {0};
    bool good = true;
    const char *goal = family->vehicles_first ? "vehicles" : "distance";
    int count = names_list(family, names);
    for (int i = 0; good && i < count; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "%s %s %.31s", family->name, goal, names[i]);
        good = !is_asked(line) || row(family, names[i], json, &sums);
    }
    if (sums.count > 0) {
        (void)printf(
            "%-14s %-9s %d instances: vehicles %ld (%ld), equal on %d; mean gap %.2f %% of "
            "%d (references below an optimum: %d); not all served: %d\n\n",
            family->name, goal, sums.count, sums.used, sums.known, sums.equal,
            sums.gaps > 0 ? sums.gap / sums.gaps : 0, sums.gaps, sums.unsound, sums.missing);
    }
    return good;
}

/* ---- beside VROOM ---- */

static bool ends_so(const char *name, const char *endings)
{
    size_t size = strlen(name);
    for (const char *at = endings; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (size >= length && strncmp(name + size - length, at, length) == 0) {
            return true;
        }
        at += length + (at[length] == ',');
    }
    return endings == NULL;
}

static bool peer_row(const struct peer *peer, const char *name, struct sums *sums)
{
    struct ht_vrp vrp;
    char path[800];
    (void)snprintf(path, sizeof path, "%s/%s/%.31s%s", data_dir, peer->name, name, peer->suffix);
    bool good = ht_vrp_read(path, peer->kind, 0, &vrp);
    struct run run = {.vrp = &vrp,
                      .known = known_find(name, strcmp(peer->name, "solomon") == 0),
                      .gap_wanted = peer->gap_percent,
                      .reached_ms = -1};
    run.known.proven = 0; /* VROOM's mean is to the same references, sound or not */
    good = good && solve(&run, peer->milliseconds);
    if (good) {
        sums_add(sums, &run, false, (run.found.length / run.known.cost - 1) * 100);
        double late_ms = run.took_ms - peer->milliseconds;
        sums->late_ms = late_ms > sums->late_ms ? late_ms : sums->late_ms;
    }
    ht_vrp_free(&vrp);
    return good;
}

static bool peer_run(const struct peer *peer, FILE *json)
{
    static char names[NAMES_MOST][NAME];
    struct sums sums = {0};
    bool good = true;
    char line[64];
    (void)snprintf(line, sizeof line, "vroom %s %d", peer->name, peer->exploration);
    if (!is_asked(line)) {
        return true;
    }
    int count = names_all(peer->name, peer->suffix, names);
    for (int i = 0; good && i < count; i++) {
        good = !ends_so(names[i], peer->endings) || peer_row(peer, names[i], &sums);
    }
    if (!good || sums.count == 0) {
        return good;
    }
    double gap = sums.gaps > 0 ? sums.gap / sums.gaps : 0;
    double reached_ms = sums.reached > 0 ? sums.reached_ms / sums.reached : 0;
    (void)printf("%-22s %3d of %5d ms: gap %6.2f %% (VROOM %5.2f), worst %6.2f; vehicles %ld "
                 "(VROOM %d); its mean gap reached on %d, after %.0f ms\n",
                 line, sums.count, peer->milliseconds, gap, peer->gap_percent, sums.worst,
                 sums.used, peer->vehicles, sums.reached, reached_ms);
    (void)fflush(stdout);
    if (json != NULL) {
        (void)fprintf(json,
                      ",{\"family\":\"%s\",\"goal\":\"distance, all of it\",\"exploration\":%d,"
                      "\"milliseconds\":%d,\"gap_percent\":%.3f,\"vroom_gap_percent\":%.2f,"
                      "\"worst_percent\":%.3f,\"vehicles\":%ld,\"vroom_vehicles\":%d,"
                      "\"reached\":%d,\"reached_ms\":%.0f,\"late_ms\":%.1f}",
                      peer->name, peer->exploration, peer->milliseconds, gap, peer->gap_percent,
                      sums.worst, sums.used, peer->vehicles, sums.reached, reached_ms,
                      sums.late_ms);
    }
    return true;
}

int main(int argc, char **argv)
{
    const char *data = getenv("HOUTAO_DATA"); // NOLINT(concurrency-mt-unsafe)
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/vrp",
                   data != NULL ? data : HT_SOURCE_DIR "/../shared/data");
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
    good = good && family_run(&made, json);
    for (size_t i = 0; good && i < sizeof peers / sizeof peers[0]; i++) {
        good = peer_run(&peers[i], json);
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        good = fclose(json) == 0 && good;
    }
    free(known_text);
    return good ? 0 : 1;
}
