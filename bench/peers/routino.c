/* peers_routino: the questions of pairs.csv put to libroutino, in process, waypoints found
 * beforehand.
 *
 *   peers_routino DATABASE_DIR PREFIX PAIRS.csv
 *
 * Routino has its own speeds and penalties, so its answers are not compared; the sum of their
 * lengths against ours is printed for a look. Prints "KEY VALUE" lines, medians in microseconds.
 */
#include <routino.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PAIRS = 100 };

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

struct answers {
    double snap_us[PAIRS];
    double route_us[PAIRS];
    double km;
    double our_km;
    int count;
};

static void ask(Routino_Database *database, Routino_Profile *profile, Routino_Translation *words,
                const double *at, struct answers *out)
{
    double start = now_us();
    Routino_Waypoint *ends[2] = {Routino_FindWaypoint(database, profile, at[1], at[0]),
                                 Routino_FindWaypoint(database, profile, at[3], at[2])};
    double snapped = now_us();
    if (ends[0] == NULL || ends[1] == NULL) {
        return;
    }
    (void)Routino_CalculateRoute(database, profile, words, ends, 2, ROUTINO_ROUTE_QUICKEST, NULL);
    double done = now_us();
    /* Once more, not measured, for the length. (Its other list crashes in 3.3.3.) */
    Routino_Output *route =
        Routino_CalculateRoute(database, profile, words, ends, 2,
                               ROUTINO_ROUTE_QUICKEST | ROUTINO_ROUTE_LIST_TEXT_ALL, NULL);
    if (route != NULL) {
        const Routino_Output *last = route;
        while (last->next != NULL) {
            last = last->next;
        }
        out->snap_us[out->count] = (snapped - start) / 2;
        out->route_us[out->count] = done - snapped;
        out->km += (double)last->dist;
        out->our_km += at[4] / 1e6;
        out->count++;
        Routino_DeleteRoute(route);
    }
    free(ends[0]);
    free(ends[1]);
}

int main(int argc, char **argv)
{
    FILE *file = argc == 4 ? fopen(argv[3], "r") : NULL;
    if (file == NULL || Routino_ParseXMLProfiles("/usr/share/routino/profiles.xml") != 0 ||
        Routino_ParseXMLTranslations("/usr/share/routino/translations.xml") != 0) {
        (void)fprintf(stderr, "usage: peers_routino DATABASE_DIR PREFIX PAIRS.csv\n");
        return 2;
    }
    Routino_Database *database = Routino_LoadDatabase(argv[1], argv[2]);
    Routino_Profile *profile = Routino_GetProfile("motorcar");
    Routino_Translation *words = Routino_GetTranslation("en");
    if (database == NULL || profile == NULL || words == NULL ||
        Routino_ValidateProfile(database, profile) != 0) {
        (void)fprintf(stderr, "peers_routino: no database %s/%s\n", argv[1], argv[2]);
        return 1;
    }
    static struct answers answers;
    double at[5];
    char line[512];
    while (answers.count < PAIRS && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%*u,%*u,%*u,%*u,%lf,%lf,%lf,%lf,%*u,%lf", &at[0], &at[1], &at[2], &at[3],
                   &at[4]) == 5) {
            ask(database, profile, words, at, &answers);
        }
    }
    (void)fclose(file);
    Routino_UnloadDatabase(database);
    if (answers.count == 0) {
        (void)fprintf(stderr, "peers_routino: no route found\n");
        return 1;
    }
    size_t count = (size_t)answers.count;
    qsort(answers.snap_us, count, sizeof(double), by_value);
    qsort(answers.route_us, count, sizeof(double), by_value);
    (void)printf("routino_snap %.2f\nroutino_pair %.2f\nroutino_count %zu\nroutino_length %.3f\n",
                 answers.snap_us[count / 2], answers.route_us[count / 2], count,
                 answers.km / answers.our_km);
    return 0;
}
