#include "bench/resident.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/load.h"
#include "bench/server.h"
#include "geodata/hnet.h"

enum { CONNECTIONS = 8, PATH_SIZE = 128 };

static void ask(const struct ht_bench_server *server, const char *profile, const char *options,
                const struct ht_point *points, size_t pairs)
{
    char *text = malloc(pairs * PATH_SIZE);
    char **paths = calloc(pairs, sizeof *paths);
    if (text == NULL || paths == NULL) {
        ht_bench_die("out of memory");
    }
    for (size_t i = 0; i < pairs; i++) {
        const struct ht_point *two = &points[2 * i];
        paths[i] = text + i * PATH_SIZE;
        (void)snprintf(paths[i], PATH_SIZE, "/route/v1/%s/%.6f,%.6f;%.6f,%.6f?%s", profile,
                       two[0].lon_e7 * 1e-7, two[0].lat_e7 * 1e-7, two[1].lon_e7 * 1e-7,
                       two[1].lat_e7 * 1e-7, options);
    }
    struct ht_load_options load = {.host = "127.0.0.1",
                                   .port = server->port,
                                   .connections = CONNECTIONS,
                                   .paths = paths,
                                   .path_count = pairs,
                                   .once = true};
    struct ht_load_result result;
    const char *why = NULL;
    if (!ht_load_run(&load, &result, &why) || result.failed > 0) {
        ht_bench_die(why == NULL ? "connections broke" : why);
    }
    if (result.requests < pairs || result.not_ok > pairs / 10) {
        (void)fprintf(stderr, "%s: %s\n", profile, result.strange);
        ht_bench_die("more than a tenth of the routes failed");
    }
    free(text);
    free(paths);
}

struct ht_bench_resident ht_bench_resident(const char *network, const struct ht_point *points,
                                           size_t point_count)
{
    static const char *const options[] = {"overview=false", "overview=full&steps=true"};
    const char *const arguments[] = {"serve",       "--network", network, "--listen",
                                     "127.0.0.1:0", "--threads", "2",     NULL};
    struct ht_hnet *hnet = NULL;
    double mb[2];
    if (ht_hnet_open(network, &hnet, NULL) != HT_OK) {
        ht_bench_die("the network can't be read");
    }
    struct ht_bench_server server = ht_bench_server_start(arguments);
    ht_bench_server_settle(&server); /* once the map is checked, its pages are dropped */
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t p = 0; p < ht_hnet_profile_count(hnet); p++) {
            ask(&server, ht_hnet_profile(hnet, p), options[i], points, point_count / 2);
        }
        ht_bench_server_settle(&server);
        mb[i] = ht_bench_server_resident_mb(&server);
    }
    ht_bench_server_stop(&server);
    ht_hnet_close(hnet);
    return (struct ht_bench_resident){mb[0], mb[1]};
}
