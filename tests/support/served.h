/* houtao serve as a process of its own on the sample town, and one connection to ask it over.
 *
 * Include it in one .c file per program, after tests/support/check.h; end that file with
 * HT_SERVED_MAIN(). Threading: from the main thread.
 */
#ifndef HT_TESTS_SUPPORT_SERVED_H
#define HT_TESTS_SUPPORT_SERVED_H

#include "tests/support/command.h"
#include "tests/support/http_client.h"

#define HEADERS " HTTP/1.1\r\nHost: 127.0.0.1\r\n"

static char folder[64];
static char map[128];
static pid_t child = -1;
static uint16_t port;
static struct ht_client client;
static struct ht_answer answer;

/* The sample town as car knows it, made once. */
static inline bool map_make(void)
{
    char line[512];
    if (map[0] != '\0') {
        return true;
    }
    (void)strcpy(folder, "/tmp/houtao-serve-XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return false;
    }
    (void)snprintf(line, sizeof line, "sample -o %s", folder);
    if (ht_command_run(line)->code != 0) {
        return false;
    }
    (void)snprintf(map, sizeof map, "%s/town.hnet", folder);
    (void)snprintf(line, sizeof line, "import %s/streets.osm.pbf -o %s --profiles car", folder,
                   map);
    return ht_command_run(line)->code == 0;
}

static inline void map_remove(void)
{
    char line[256];
    (void)snprintf(line, sizeof line, "rm -rf '%s'", folder);
    if (folder[0] != '\0' && system(line) != 0) {
        (void)printf("  %s stays\n", folder);
    }
}

/* Ends a server that a failed case left behind: it would hold the runner's pipe. */
static inline void forsake(void)
{
    if (child > 0) {
        ht_client_close(&client);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        child = -1;
    }
}

/* Starts the server and reads the port that it prints. */
static inline bool begin(const char *options)
{
    char line[1024];
    int out[2];
    forsake();
    if (!map_make() || pipe(out) != 0) {
        return false;
    }
    (void)snprintf(line, sizeof line, "serve --network %s --listen 127.0.0.1:0 --threads 2 %s", map,
                   options);
    child = ht_command_start(line, out[1], STDERR_FILENO);
    (void)close(out[1]);
    size_t size = 0;
    ssize_t got = 0;
    while ((got = read(out[0], line + size, sizeof line - 1 - size)) > 0) {
        size += (size_t)got;
        if (line[size - 1] == '\n') {
            break;
        }
    }
    (void)close(out[0]);
    line[size] = '\0';
    const char *colon = strrchr(line, ':');
    port = colon == NULL ? 0 : (uint16_t)strtoul(colon + 1, NULL, 10);
    return port != 0 && ht_client_open(&client, port);
}

static inline void end(void)
{
    int status = -1;
    ht_client_close(&client);
    HT_CHECK(kill(child, SIGTERM) == 0);
    HT_CHECK(waitpid(child, &status, 0) == child);
    HT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    child = -1;
}

static inline int ask(const char *request)
{
    ht_answer_free(&answer);
    return ht_client_text(&client, request) ? ht_client_read(&client, &answer, false) : -1;
}

static inline int get(const char *path)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
    return ask(text);
}

/* `headers`: whole lines. */
static inline int send_body(const char *method, const char *path, const char *headers,
                            const char *body)
{
    static char text[1 << 16];
    (void)snprintf(text, sizeof text,
                   "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: %zu\r\n%s\r\n%s",
                   method, path, (unsigned)port, strlen(body), headers, body);
    return ask(text);
}

static inline int post(const char *path, const char *headers, const char *body)
{
    return send_body("POST", path, headers, body);
}

/* `first`: what is looked at before anything runs. */
#define HT_SERVED_MAIN_AFTER(first)                                                                \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        first;                                                                                     \
        int code = ht_run_cases(argc > 1 ? argv[1] : NULL);                                        \
        forsake();                                                                                 \
        ht_answer_free(&answer);                                                                   \
        map_remove();                                                                              \
        return code;                                                                               \
    }
#define HT_SERVED_MAIN() HT_SERVED_MAIN_AFTER((void)0)

#endif
