/* http_load: the load generator as a program. Prints one JSON object.
 *
 *   http_load [-c CONNECTIONS] [-s SECONDS] [-p SERVER_PID] HOST:PORT FILE|/path
 *
 * FILE has one path a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load.h"

static int usage(void)
{
    (void)fprintf(stderr, "usage: http_load [-c CONNECTIONS] [-s SECONDS] [-p SERVER_PID] "
                          "HOST:PORT FILE|/path\n");
    return 2;
}

static bool address_split(char *text, struct ht_load_options *options)
{
    char *colon = strrchr(text, ':');
    if (colon == NULL) {
        return false;
    }
    *colon = '\0';
    options->host = text;
    options->port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return options->port != 0;
}

static void result_print(const struct ht_load_options *options, const struct ht_load_result *result)
{
    (void)printf("{\"connections\":%u,\"seconds\":%.2f,\"requests\":%llu,\"rate\":%.0f,"
                 "\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
                 "\"bytes\":%llu,\"not_ok\":%llu,\"failed\":%llu,\"server_cpu_us\":%.2f}\n",
                 options->connections, result->seconds, (unsigned long long)result->requests,
                 result->rate, result->p50_us, result->p90_us, result->p99_us, result->max_us,
                 (unsigned long long)result->bytes, (unsigned long long)result->not_ok,
                 (unsigned long long)result->failed, result->server_cpu_us);
}

int main(int argc, char **argv)
{
    struct ht_load_options options = {.connections = 8, .seconds = 5};
    int option = 0;
    while ((option = getopt(argc, argv, "c:s:p:")) != -1) {
        switch (option) {
        case 'c':
            options.connections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            options.seconds = strtod(optarg, NULL);
            break;
        case 'p':
            options.pid = (int)strtol(optarg, NULL, 10);
            break;
        default:
            return usage();
        }
    }
    if (argc - optind != 2 || !address_split(argv[optind], &options)) {
        return usage();
    }
    char *single = argv[optind + 1];
    char **paths = NULL;
    size_t count = 0;
    if (access(single, R_OK) == 0) {
        paths = ht_load_paths(single, &count);
    }
    options.paths = paths != NULL ? paths : &single;
    options.path_count = paths != NULL ? count : 1;
    struct ht_load_result result;
    const char *why = NULL;
    bool done = ht_load_run(&options, &result, &why);
    if (done) {
        result_print(&options, &result);
    } else {
        (void)fprintf(stderr, "http_load: %s\n", why);
    }
    ht_load_paths_free(paths, count);
    return done ? 0 : 1;
}
