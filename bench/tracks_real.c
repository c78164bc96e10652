/* The tracks of Kubicka et al. 2015 (Zenodo 57731), each with a network of straight arcs between
 * nodes, which is made an OSM document and read like any other. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/tracks.h"
#include "geodata/network_build.h"

enum { TRACKS_MOST = 64 };
static const double SIGMA_M = 10.0;

struct ht_real {
    char folder[256];
    char names[TRACKS_MOST][16];
    uint32_t count;
    struct ht_profile **profiles;
    size_t profile_count;
    struct ht_pool *pool;
    struct ht_network_build *build;
    struct ht_graph_owned *graph;
    struct ht_snap_index *snap;
};

struct pair {
    long a;
    long b;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static bool run(char *const argv[])
{
    pid_t pid = fork();
    if (pid == 0) {
        (void)execvp(argv[0], argv);
        _exit(127);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

enum ht_status ht_real_open(const char *data, struct ht_real **out)
{
    char archive[512];
    struct ht_real *real = calloc(1, sizeof *real);
    struct ht_error error;
    if (real == NULL) {
        return HT_NOMEM;
    }
    (void)snprintf(archive, sizeof archive, "%s/gps/kubicka-00-29.tar.xz", data);
    (void)snprintf(real->folder, sizeof real->folder, "/tmp/bench-match-XXXXXX");
    char *argv[] = {(char *)(uintptr_t) "tar",
                    (char *)(uintptr_t) "-xJf",
                    archive,
                    (char *)(uintptr_t) "-C",
                    real->folder,
                    NULL};
    if (access(archive, R_OK) != 0 || mkdtemp(real->folder) == NULL) {
        free(real);
        return HT_NOT_FOUND;
    }
    DIR *folder = run(argv) ? opendir(real->folder) : NULL;
    for (struct dirent *e = folder == NULL ? NULL : readdir(folder); e != NULL;
         e = readdir(folder)) { /* NOLINT(concurrency-mt-unsafe): one thread */
        if (e->d_name[0] != '.' && strlen(e->d_name) < 16 && real->count < TRACKS_MOST) {
            (void)snprintf(real->names[real->count++], 16, "%.15s", e->d_name);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    qsort(real->names, real->count, sizeof real->names[0], by_name);
    if (real->count == 0 || ht_pool_new(1, &real->pool) != HT_OK ||
        ht_profiles_open("car", &real->profiles, &real->profile_count, &error) != HT_OK) {
        ht_real_close(real);
        return HT_NOT_FOUND;
    }
    *out = real;
    return HT_OK;
}

static void close_town(struct ht_real *real)
{
    ht_snap_index_free(real->snap);
    ht_graph_owned_free(real->graph);
    ht_network_build_free(real->build);
    real->snap = NULL;
    real->graph = NULL;
    real->build = NULL;
}

void ht_real_close(struct ht_real *real)
{
    char *argv[] = {(char *)(uintptr_t) "rm", (char *)(uintptr_t) "-rf", real->folder, NULL};
    close_town(real);
    ht_profiles_free(real->profiles, real->profile_count);
    ht_pool_free(real->pool);
    (void)run(argv);
    free(real);
}

uint32_t ht_real_count(const struct ht_real *real)
{
    return real->count;
}

/* Rows of `columns` numbers. */
static double *read_rows(const struct ht_real *real, uint32_t index, const char *kind,
                         size_t columns, size_t *count)
{
    char path[512];
    char line[256];
    const char *name = real->names[index];
    (void)snprintf(path, sizeof path, "%s/%s/%s.%s", real->folder, name, name, kind);
    FILE *in = fopen(path, "r");
    size_t capacity = 1 << 20;
    double *rows = calloc(capacity, sizeof *rows);
    *count = 0;
    while (in != NULL && rows != NULL && (*count + 1) * columns <= capacity &&
           fgets(line, sizeof line, in) != NULL) {
        char *at = line;
        for (size_t i = 0; i < columns; i++) {
            rows[*count * columns + i] = strtod(at, &at);
        }
        (*count)++;
    }
    if (in != NULL) {
        (void)fclose(in);
    }
    return rows;
}

/* The network as an OSM document: an arc is a way of two nodes, oneway unless its opposite is
 * there, which then is the same way. `way` of each arc: its way's number, below 0 when driven
 * against. */
static char *make_osm(const double *nodes, size_t node_count, const double *arcs, size_t arc_count,
                      long *way, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    if (out == NULL) {
        return NULL;
    }
    (void)fprintf(out, "<?xml version='1.0'?>\n<osm version=\"0.6\">\n");
    for (size_t i = 0; i < node_count; i++) {
        (void)fprintf(out, "<node id=\"%zu\" lat=\"%.7f\" lon=\"%.7f\"/>\n", i + 1,
                      nodes[2 * i + 1], nodes[2 * i]);
    }
    for (size_t i = 0; i < arc_count; i++) {
        bool twin = false;
        if (way[i] != 0) {
            continue;
        }
        for (size_t k = i + 1; k < arc_count && !twin; k++) {
            if (way[k] == 0 && arcs[2 * k] == arcs[2 * i + 1] && arcs[2 * k + 1] == arcs[2 * i]) {
                way[k] = -(long)(i + 1);
                twin = true;
            }
        }
        way[i] = (long)(i + 1);
        (void)fprintf(out,
                      "<way id=\"%zu\"><nd ref=\"%.0f\"/><nd ref=\"%.0f\"/><tag k=\"highway\" "
                      "v=\"tertiary\"/>%s</way>\n",
                      i + 1, arcs[2 * i] + 1, arcs[2 * i + 1] + 1,
                      twin ? "" : "<tag k=\"oneway\" v=\"yes\"/>");
    }
    (void)fprintf(out, "</osm>\n");
    return fclose(out) == 0 ? text : NULL;
}

static enum ht_status build(struct ht_real *real, const char *osm, size_t size,
                            struct ht_road *road)
{
    struct ht_error error;
    struct ht_graph_counts counts;
    struct ht_build_input input = {.path = "track.osm", .data = osm, .size = size};
    close_town(real);
    enum ht_status status =
        ht_network_build_new(real->profiles, real->profile_count, real->pool, &real->build);
    if (status == HT_OK) {
        status = ht_network_build_read(real->build, &input, 1, NULL, NULL, &error);
    }
    if (status == HT_OK) {
        status = ht_network_build_graph(real->build, 0, &real->graph, &counts);
    }
    if (status == HT_OK) {
        *road = (struct ht_road){.network = ht_network_build_network(real->build),
                                 .graph = ht_graph_owned_view(real->graph)};
        status = ht_snap_build(road->network, road->graph, real->pool, &real->snap);
        road->snap = real->snap;
    }
    return status;
}

/* The true arcs as those of the graph. */
static enum ht_status read_route(const struct ht_road *road, const double *route, size_t count,
                                 const long *way, size_t arc_count, struct ht_drive *drive)
{
    size_t size = arc_count + 2;
    uint32_t *of_way = malloc(2 * size * sizeof *of_way); /* along, against */
    struct ht_track *track = &drive->track;
    track->pieces = calloc(count + 1, sizeof *track->pieces);
    track->capacity = count + 1;
    if (of_way == NULL || track->pieces == NULL) {
        free(of_way);
        return HT_NOMEM;
    }
    memset(of_way, 0xff, 2 * size * sizeof *of_way);
    for (uint32_t a = 0; a < road->graph->base_arc_count; a++) {
        const struct ht_arc *arc = &road->graph->arcs[a];
        size_t id = (size_t)road->network->ways[arc->way].osm_id;
        of_way[2 * id + ((arc->flags & HT_ARC_FORWARD) != 0 ? 0 : 1)] = a;
    }
    for (size_t i = 0; i < count; i++) {
        size_t number = (size_t)route[i];
        long w = number < arc_count ? way[number] : 0;
        uint32_t a = w == 0 ? HT_NONE : of_way[2 * (size_t)labs(w) + (w < 0 ? 1 : 0)];
        if (a != HT_NONE) {
            track->pieces[track->count++] =
                (struct ht_track_piece){a, road->graph->arcs[a].length_mm};
        }
    }
    free(of_way);
    return track->count > 0 ? HT_OK : HT_EMPTY;
}

static enum ht_status read_track(const double *rows, size_t count, struct ht_trace *trace)
{
    trace->fixes = calloc(count + 1, sizeof *trace->fixes);
    if (trace->fixes == NULL) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        trace->fixes[trace->count++] = (struct ht_match_fix){
            .point = {(int32_t)(rows[3 * i] * 1e7), (int32_t)(rows[3 * i + 1] * 1e7)},
            .time_ms = (int64_t)(rows[3 * i + 2] * 1000.0),
            .sigma_m = SIGMA_M,
            .snap = ht_snap_options_default(),
        };
    }
    return count > 1 ? HT_OK : HT_EMPTY;
}

enum ht_status ht_real_load(struct ht_real *real, uint32_t index, struct ht_road *road,
                            struct ht_drive *drive, struct ht_trace *trace)
{
    size_t count[4] = {0};
    size_t size = 0;
    double *nodes = read_rows(real, index, "nodes", 2, &count[0]);
    double *arcs = read_rows(real, index, "arcs", 2, &count[1]);
    double *route = read_rows(real, index, "route", 1, &count[2]);
    double *track = read_rows(real, index, "track", 3, &count[3]);
    long *way = calloc(count[1] + 1, sizeof *way);
    char *osm = NULL;
    *drive = (struct ht_drive){0};
    *trace = (struct ht_trace){0};
    enum ht_status status = HT_NOMEM;
    if (nodes != NULL && arcs != NULL && route != NULL && track != NULL && way != NULL) {
        osm = make_osm(nodes, count[0], arcs, count[1], way, &size);
        status = osm == NULL ? HT_NOMEM : build(real, osm, size, road);
    }
    if (status == HT_OK) {
        status = read_route(road, route, count[2], way, count[1], drive);
    }
    if (status == HT_OK) {
        status = read_track(track, count[3], trace);
    }
    if (status != HT_OK) {
        ht_drive_deinit(drive);
        ht_trace_deinit(trace);
    }
    free(nodes);
    free(arcs);
    free(route);
    free(track);
    free(way);
    free(osm);
    return status;
}
