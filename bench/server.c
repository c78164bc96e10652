#include "bench/server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "api/http_server.h"
#include "bench/load.h"

enum { BODY_SIZE = 200, ARGUMENTS_MOST = 32 };

static char body[BODY_SIZE];
static struct ht_http_server *constant;

_Noreturn void ht_bench_die(const char *what)
{
    (void)fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void handle(void *context, struct ht_http_call *call)
{
    (void)context;
    ht_buffer_append(&call->reply->body, body, sizeof body);
}

static void on_signal(int number)
{
    (void)number;
    ht_http_server_drain(constant);
}

/* The child that gives the constant answer. */
static void serve_constant(unsigned threads, int out)
{
    struct ht_http_options options = ht_http_options_default();
    options.port = 0;
    options.threads = threads;
    options.grace_ms = 0;
    struct ht_http_handler handler = {.handle = handle};
    memset(body, 'x', sizeof body);
    if (ht_http_server_new(&options, &handler, &constant, NULL) != HT_OK) {
        _exit(1);
    }
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)dprintf(out, "http://127.0.0.1:%u\n", (unsigned)ht_http_server_port(constant));
    enum ht_status status = ht_http_server_run(constant);
    ht_http_server_free(constant);
    _exit(status == HT_OK ? 0 : 1);
}

static void houtao_exec(const char *const *arguments)
{
    const char *other = getenv("BENCH_BINARY"); /* to hold one build against another */
    const char *binary = other == NULL ? HT_BINARY : other;
    char *list[ARGUMENTS_MOST] = {NULL};
    list[0] = strdup(binary);
    for (size_t i = 0; arguments[i] != NULL && i + 2 < ARGUMENTS_MOST; i++) {
        list[i + 1] = strdup(arguments[i]);
    }
    (void)execv(binary, list);
    _exit(127);
}

/* Without arguments the constant one; waits for the address that it prints. */
static struct ht_bench_server start(const char *const *arguments, unsigned threads)
{
    int fds[2];
    char line[512] = "";
    struct ht_bench_server server = {0};
    if (pipe(fds) != 0) {
        ht_bench_die("no pipe");
    }
    (void)fflush(stdout);
    server.pid = fork();
    if (server.pid == 0) {
        (void)close(fds[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a bench that fails leaves nobody behind */
        if (arguments == NULL) {
            serve_constant(threads, fds[1]);
        }
        (void)dup2(fds[1], STDOUT_FILENO);
        houtao_exec(arguments);
    }
    (void)close(fds[1]);
    ssize_t size = read(fds[0], line, sizeof line - 1);
    (void)close(fds[0]);
    const char *colon = size > 0 ? strrchr(line, ':') : NULL;
    if (server.pid < 0 || colon == NULL) {
        ht_bench_die("the server did not start");
    }
    server.port = (uint16_t)strtoul(colon + 1, NULL, 10);
    return server;
}

struct ht_bench_server ht_bench_server_constant(unsigned threads)
{
    return start(NULL, threads);
}

struct ht_bench_server ht_bench_server_start(const char *const *arguments)
{
    return start(arguments, 0);
}

void ht_bench_server_settle(const struct ht_bench_server *server)
{
    const struct timespec nap = {1, 0};
    uint64_t before = 0;
    int calm = 0; /* seconds in a row: a machine that others use starves it now and then */
    for (int i = 0; i < 120 && calm < 3; i++) {
        uint64_t now = ht_load_cpu_us(server->pid);
        calm = i > 0 && now - before < 50000 ? calm + 1 : 0;
        before = now;
        (void)nanosleep(&nap, NULL);
    }
}

void ht_bench_server_stop(struct ht_bench_server *server)
{
    int status = 0;
    (void)kill(server->pid, SIGTERM);
    if (waitpid(server->pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        ht_bench_die("the server did not end well");
    }
    *server = (struct ht_bench_server){0};
}

static double status_mb(const struct ht_bench_server *server, const char *name)
{
    char path[64];
    char text[4096] = "";
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)server->pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        text[fread(text, 1, sizeof text - 1, file)] = '\0';
        (void)fclose(file);
    }
    const char *at = strstr(text, name);
    return at == NULL ? 0 : strtod(at + strlen(name), NULL) / 1024;
}

double ht_bench_server_resident_mb(const struct ht_bench_server *server)
{
    return status_mb(server, "VmRSS:");
}

double ht_bench_server_own_mb(const struct ht_bench_server *server)
{
    return status_mb(server, "RssAnon:");
}

void ht_bench_run(const char *const *arguments)
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(out, STDOUT_FILENO);
        houtao_exec(arguments);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
        ht_bench_die("houtao failed");
    }
}

const char *ht_bench_city(void)
{
    static const char made[] = HT_SOURCE_DIR "/build/bench/city.hnet";
    static const char folder[] = HT_SOURCE_DIR "/build/bench";
    const char *given = getenv("BENCH_NETWORK");
    if (given != NULL || access(made, R_OK) == 0) {
        return given != NULL ? given : made;
    }
    (void)printf("making the city in %s, once\n", folder);
    (void)mkdir(HT_SOURCE_DIR "/build", 0777);
    (void)mkdir(folder, 0777);
    const char *data = getenv("HOUTAO_DATA");
    char streets[1024];
    (void)snprintf(streets, sizeof streets, "%s/osm/synthetic-city.osm.pbf",
                   data != NULL ? data : HT_SOURCE_DIR "/../shared/data");
    if (access(streets, R_OK) != 0) {
        const char *const sample[] = {"sample", "--scale", "city", "-o", folder, NULL};
        ht_bench_run(sample);
        (void)snprintf(streets, sizeof streets, "%s/streets.osm.pbf", folder);
    }
    const char *const import[] = {"import", streets, "-o", made, NULL};
    ht_bench_run(import);
    return made;
}

void ht_bench_scratch(char *out, size_t size, const char *name)
{
    const char *folder = getenv("TMPDIR");
    (void)snprintf(out, size, "%s/bench-%ld-%s", folder == NULL ? "/tmp" : folder, (long)getpid(),
                   name);
}
