/* Several nodes (houtao serve) on one record in PostgreSQL, each a process of its own, and what
 * they are asked. Include it in one .c file per program, after tests/support/check.h; end that file
 * with HT_CLUSTER_MAIN(). Threading: from the main thread.
 */
#ifndef HT_TESTS_SUPPORT_CLUSTER_H
#define HT_TESTS_SUPPORT_CLUSTER_H

#include "tests/support/pg_cluster.h"
#include "tests/support/port.h"
#include "tests/support/served.h"

enum { NODES = 3, NODE_WAIT_MS = 60000, NODE_TOKEN = 128 };

struct node {
    pid_t pid; /* 0: it does not run */
    uint16_t port;
};

static struct node nodes[NODES];
static char record[HT_PG_URL];
static char tokens[160];
static char node_more[192];    /* options of the nodes that are started */
static char admin[NODE_TOKEN]; /* tokens, as headers */
static char viewer[NODE_TOKEN];
static struct ht_answer told; /* the last answer of a node */

static inline void node_kill(struct node *node, int number)
{
    if (node->pid > 0) {
        (void)kill(node->pid, number);
        (void)waitpid(node->pid, NULL, 0);
        node->pid = 0;
    }
}

/* Starts a node; `at`: the port to listen on, 0: any. */
static inline bool node_start(struct node *node, uint16_t at)
{
    char line[1024];
    int out[2];
    size_t size = 0;
    ssize_t got = 0;
    if (pipe(out) != 0) {
        return false;
    }
    (void)snprintf(line, sizeof line,
                   "serve --network %s --listen 127.0.0.1:%u --threads 2 --store %s --tokens %s %s",
                   map, (unsigned)at, record, tokens, node_more);
    node->pid = ht_command_start(line, out[1], STDERR_FILENO);
    (void)close(out[1]);
    while ((got = read(out[0], line + size, sizeof line - 1 - size)) > 0) {
        size += (size_t)got;
        if (line[size - 1] == '\n') {
            break;
        }
    }
    (void)close(out[0]);
    line[size] = '\0';
    const char *colon = strrchr(line, ':');
    node->port = colon == NULL ? 0 : (uint16_t)strtoul(colon + 1, NULL, 10);
    return node->port != 0;
}

/* Starts as node_start does, whose log goes to a file. */
static inline bool node_start_logged(struct node *node, uint16_t at, int log)
{
    int own = dup(STDERR_FILENO);
    bool good = own >= 0 && dup2(log, STDERR_FILENO) == STDERR_FILENO && node_start(node, at);
    good = own >= 0 && dup2(own, STDERR_FILENO) == STDERR_FILENO && good;
    (void)close(own);
    return good;
}

/* How often a log has `text` by now. */
static inline int log_count(int log, const char *text)
{
    static char said[1 << 16];
    int count = 0;
    ssize_t size = pread(log, said, sizeof said - 1, 0);
    said[size > 0 ? size : 0] = '\0';
    for (const char *at = strstr(said, text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

static inline bool told_has(const char *text)
{
    return told.body != NULL && strstr(told.body, text) != NULL;
}

/* Asks over a connection of its own. -1: it could not be asked, or gave no answer. */
static inline int node_ask(const struct node *node, const char *request)
{
    struct ht_client own;
    int status = -1;
    ht_answer_free(&told);
    if (ht_client_open(&own, node->port) && ht_client_text(&own, request)) {
        status = ht_client_read(&own, &told, false);
        status = status == 0 ? -1 : status;
    }
    ht_client_close(&own);
    return status;
}

/* `headers`: whole lines. */
static inline int node_send(const struct node *node, const char *method, const char *path,
                            const char *headers, const char *body)
{
    static char text[1 << 14];
    (void)snprintf(text, sizeof text,
                   "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                   "Content-Length: %zu\r\n%s\r\n%s",
                   method, path, strlen(body), headers, body);
    return node_ask(node, text);
}

static inline int node_get(const struct node *node, const char *path, const char *who)
{
    return node_send(node, "GET", path, who, "");
}

static inline bool node_is(const struct node *node, const char *role)
{
    return node->pid > 0 && node_get(node, "/readyz", "") == 200 && told_has(role);
}

/* Which one is the desk, once one is and it can be asked; -1: none after a minute. */
static inline int desk_find(void)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        for (int i = 0; i < NODES; i++) {
            if (node_is(&nodes[i], "\"desk\"")) {
                return i;
            }
        }
        (void)usleep(50000);
    }
    return -1;
}

static inline bool role_wait(const struct node *node, const char *role)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (node_is(node, role)) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

/* Sends until it is answered with something else than 503; the same key each time. */
static inline int node_insist(const struct node *node, const char *method, const char *path,
                              const char *headers, const char *body)
{
    int status = -1;
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        status = node_send(node, method, path, headers, body);
        if (status > 0 && status != 503) {
            return status;
        }
        (void)usleep(50000);
    }
    return status;
}

/* Until what a node answers has `text` in it. */
static inline bool node_sees(const struct node *node, const char *path, const char *who,
                             const char *text)
{
    for (int waited = 0; waited < NODE_WAIT_MS; waited += 50) {
        if (node_get(node, path, who) == 200 && told_has(text)) {
            return true;
        }
        (void)usleep(50000);
    }
    return false;
}

static inline bool token_make(const char *role, char out[NODE_TOKEN])
{
    char line[256];
    (void)snprintf(line, sizeof line, "token add %s --name %s --role %s", tokens, role, role);
    const struct ht_command_run *run = ht_command_run(line);
    (void)snprintf(out, NODE_TOKEN, "Authorization: Bearer %.*s\r\n",
                   (int)strcspn(run->out, "\r\n"), run->out);
    return run->code == 0;
}

static inline void cluster_end(void)
{
    for (int i = 0; i < NODES; i++) {
        node_kill(&nodes[i], SIGKILL);
    }
}

/* A new record, and who may ask the nodes that are to come. */
static inline bool record_begin(void)
{
    cluster_end();
    node_more[0] = '\0';
    if (!map_make() || !ht_pg_database(record, sizeof record)) {
        return false;
    }
    if (tokens[0] == '\0') {
        (void)snprintf(tokens, sizeof tokens, "%s/tokens", folder);
        return token_make("admin", admin) && token_make("viewer", viewer);
    }
    return true;
}

/* The nodes from number `first` on, each on a port that it may come back to. */
static inline bool nodes_begin(int first)
{
    static uint16_t held[NODES];
    for (int i = first; i < NODES; i++) {
        held[i] = held[i] == 0 ? port_hold() : held[i];
        if (held[i] == 0 || !node_start(&nodes[i], held[i])) {
            return false;
        }
    }
    return true;
}

/* A new record with three nodes. */
static inline bool cluster_begin(void)
{
    return record_begin() && nodes_begin(0);
}

static inline int64_t record_number(const char *sql)
{
    char out[64] = "";
    ht_pg_rows(record, sql, " ", out, sizeof out);
    return strtoll(out, NULL, 10);
}

#define HT_CLUSTER_MAIN()                                                                          \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        if (ht_pg_why_not() != NULL) {                                                             \
            (void)printf("skip all: %s\n", ht_pg_why_not());                                       \
            return 77;                                                                             \
        }                                                                                          \
        int code = ht_run_cases(argc > 1 ? argv[1] : NULL);                                        \
        cluster_end();                                                                             \
        ht_answer_free(&told);                                                                     \
        map_remove();                                                                              \
        return code;                                                                               \
    }

#endif
