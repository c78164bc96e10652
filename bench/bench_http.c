/* bench_http: what the HTTP server costs, with a constant 200-byte answer: server CPU and rate, one
 * loop and two, server and load generator on the same cores. The server runs in a child process.
 * Prints a table, and JSON to the file named by the first argument.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api/http_server.h"
#include "bench/load.h"

enum { BODY_SIZE = 200, CONNECTIONS = 8 };

static char body[BODY_SIZE];
static struct ht_http_server *server;

static void handle(void *context, struct ht_http_call *call)
{
    (void)context;
    ht_buffer_append(&call->reply->body, body, sizeof body);
}

static void on_signal(int number)
{
    (void)number;
    ht_http_server_drain(server);
}

/* Serves in a child; its port comes through the pipe. */
static pid_t serve(unsigned threads, uint16_t *port)
{
    int pipe_fds[2];
    if (pipe(pipe_fds) != 0) {
        return -1;
    }
    pid_t child = fork();
    if (child != 0) {
        (void)close(pipe_fds[1]);
        bool got = child > 0 && read(pipe_fds[0], port, sizeof *port) == (ssize_t)sizeof *port;
        (void)close(pipe_fds[0]);
        return got ? child : -1;
    }
    struct ht_http_options options = ht_http_options_default();
    options.port = 0;
    options.threads = threads;
    options.grace_ms = 0;
    struct ht_http_handler handler = {.handle = handle};
    memset(body, 'x', sizeof body);
    if (ht_http_server_new(&options, &handler, &server, NULL) != HT_OK) {
        _exit(1);
    }
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    uint16_t own = ht_http_server_port(server);
    if (write(pipe_fds[1], &own, sizeof own) != (ssize_t)sizeof own) {
        _exit(1);
    }
    enum ht_status status = ht_http_server_run(server);
    ht_http_server_free(server);
    _exit(status == HT_OK ? 0 : 1);
}

static bool measure(unsigned threads, double seconds, struct ht_load_result *out)
{
    uint16_t port = 0;
    pid_t child = serve(threads, &port);
    if (child < 0) {
        return false;
    }
    char path[] = "/constant";
    char *paths[] = {path};
    struct ht_load_options options = {.host = "127.0.0.1",
                                      .port = port,
                                      .connections = CONNECTIONS,
                                      .seconds = seconds,
                                      .paths = paths,
                                      .path_count = 1,
                                      .pid = child};
    const char *why = NULL;
    bool done = ht_load_run(&options, out, &why);
    (void)kill(child, SIGTERM);
    int status = 0;
    (void)waitpid(child, &status, 0);
    return done && status == 0;
}

int main(int argc, char **argv)
{
    FILE *json = argc > 1 ? fopen(argv[1], "w") : NULL;
    double seconds = getenv("BENCH_FULL") != NULL ? 10 : 3;
    (void)printf("constant answer of %d bytes, %d connections, keep-alive\n", BODY_SIZE,
                 CONNECTIONS);
    (void)printf("%8s %12s %10s %10s %16s\n", "loops", "requests/s", "p50 us", "p99 us",
                 "server CPU us");
    if (json != NULL) {
        (void)fprintf(json, "{\"bench\":\"http\",\"constant\":[");
    }
    for (unsigned threads = 1; threads <= 2; threads++) {
        struct ht_load_result result;
        if (!measure(threads, seconds, &result)) {
            (void)fprintf(stderr, "bench_http: the run failed\n");
            return 1;
        }
        (void)printf("%8u %12.0f %10.1f %10.1f %16.2f\n", threads, result.rate, result.p50_us,
                     result.p99_us, result.server_cpu_us);
        if (json != NULL) {
            (void)fprintf(json,
                          "%s{\"loops\":%u,\"rate\":%.0f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
                          "\"server_cpu_us\":%.2f}",
                          threads == 1 ? "" : ",", threads, result.rate, result.p50_us,
                          result.p99_us, result.server_cpu_us);
        }
    }
    if (json != NULL) {
        (void)fprintf(json, "]}\n");
        (void)fclose(json);
    }
    return 0;
}
