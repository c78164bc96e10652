#include "api/simulate/client.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "api/post.h"
#include "engine/base/array.h"
#include "engine/base/time.h"

enum { ANSWER_S = 120, TRIES = 4, AGAIN_MS = 200, SILENT_MOST = 20 };

struct connection {
    struct ht_sim_client *client;
    struct evhttp_connection *http;
    struct event *over;  /* out of libevent's callbacks */
    struct event *again; /* after a rest */
    struct ht_sim_ask *first;
    struct ht_sim_ask **last;
    struct ht_sim_ask *asking; /* NULL: it rests */
    int64_t begun_us;
    int status;
    char *body; /* of the answer */
    size_t body_capacity;
    size_t body_size;
};

struct ht_sim_client {
    struct ht_sim_client_options options;
    struct ht_url url;
    char bearer[600];
    struct event_base *base;
    struct connection *connections;
    unsigned used; /* connections */
    size_t left;   /* asks that are not answered */
    int64_t now_ms;
    uint32_t silent; /* answers that never came, one after the other */
    bool failed;
    struct ht_sim_ask spare;
};

static int64_t steady_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static void ask_free(struct ht_sim_ask *ask)
{
    ht_text_deinit(&ask->body);
    free(ask);
}

/* ---- one connection ---- */

static void connection_next(struct connection *connection);

static void body_keep(struct connection *connection, struct evhttp_request *request)
{
    struct evbuffer *input = evhttp_request_get_input_buffer(request);
    size_t size = evbuffer_get_length(input);
    void *body = connection->body;
    if (ht_array_reserve(&body, &connection->body_capacity, size + 1, 1) != HT_OK) {
        connection->client->failed = true;
        size = 0;
    }
    connection->body = body;
    connection->body_size = size;
    if (size > 0) {
        (void)evbuffer_copyout(input, connection->body, size);
    }
    if (connection->body != NULL) {
        connection->body[size] = '\0';
    }
}

static void on_answer(struct evhttp_request *request, void *user)
{
    struct connection *connection = user;
    connection->status = request == NULL ? 0 : evhttp_request_get_response_code(request);
    connection->body_size = 0;
    if (connection->status != 0) {
        body_keep(connection, request);
    }
    event_active(connection->over, EV_TIMEOUT, 0);
}

/* Whether it may be asked once more. */
static bool is_again(const struct ht_sim_ask *ask, int status)
{
    bool busy = status == 0 || status == 429 || status == 503;
    bool harmless = strcmp(ask->method, "GET") == 0 || ask->key[0] != '\0';
    return busy && harmless && ask->tries < TRIES;
}

static void on_over(evutil_socket_t fd, short what, void *user)
{
    struct connection *connection = user;
    struct ht_sim_client *client = connection->client;
    struct ht_sim_ask *ask = connection->asking;
    int64_t took_us = steady_us() - connection->begun_us;
    (void)fd;
    (void)what;
    ht_sim_tally_answer(client->options.tally, ask->call, connection->status,
                        took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX);
    client->silent = connection->status == 0 ? client->silent + 1 : 0;
    connection->asking = NULL;
    if (is_again(ask, connection->status)) {
        const struct timeval rest = {.tv_usec = AGAIN_MS * 1000L};
        ask->next = connection->first;
        connection->last = connection->first == NULL ? &ask->next : connection->last;
        connection->first = ask;
        (void)evtimer_add(connection->again, &rest);
        return;
    }
    const struct ht_sim_answer answer = {connection->status,
                                         connection->body_size > 0 ? connection->body : "",
                                         connection->body_size};
    if (ask->done != NULL) {
        ask->done(ask->user, ask, &answer);
    }
    client->left--;
    ask_free(ask);
    connection_next(connection);
}

static void on_again(evutil_socket_t fd, short what, void *user)
{
    (void)fd;
    (void)what;
    connection_next(user);
}

static enum evhttp_cmd_type method_of(const char *method)
{
    static const struct {
        const char *name;
        enum evhttp_cmd_type type;
    } methods[] = {{"GET", EVHTTP_REQ_GET},
                   {"POST", EVHTTP_REQ_POST},
                   {"PUT", EVHTTP_REQ_PUT},
                   {"PATCH", EVHTTP_REQ_PATCH},
                   {"DELETE", EVHTTP_REQ_DELETE}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        if (strcmp(methods[i].name, method) == 0) {
            return methods[i].type;
        }
    }
    return EVHTTP_REQ_GET;
}

static bool request_fill(const struct ht_sim_client *client, const struct ht_sim_ask *ask,
                         struct evhttp_request *request)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    int failed = evhttp_add_header(headers, "Host", client->url.authority) |
                 evhttp_add_header(headers, "User-Agent", "houtao simulate");
    if (client->bearer[0] != '\0') {
        failed |= evhttp_add_header(headers, "Authorization", client->bearer);
    }
    if (ask->body.size > 0) {
        failed |= evhttp_add_header(headers, "Content-Type",
                                    ask->type == NULL ? "application/json" : ask->type);
        failed |=
            evbuffer_add(evhttp_request_get_output_buffer(request), ask->body.data, ask->body.size);
    }
    if (ask->key[0] != '\0') {
        failed |= evhttp_add_header(headers, "Idempotency-Key", ask->key);
    }
    return failed == 0;
}

/* Asks what waits, if nothing is being asked. */
static void connection_next(struct connection *connection)
{
    struct ht_sim_client *client = connection->client;
    struct ht_sim_ask *ask = connection->first;
    char target[sizeof ask->path + HT_URL_MAX];
    if (ask == NULL || connection->asking != NULL) {
        return;
    }
    connection->first = ask->next;
    connection->last = ask->next == NULL ? &connection->first : connection->last;
    connection->asking = ask;
    ask->tries++;
    connection->begun_us = steady_us();
    connection->status = 0;
    const char *base = strcmp(client->url.target, "/") == 0 ? "" : client->url.target;
    (void)snprintf(target, sizeof target, "%s%s", base, ask->path);
    struct evhttp_request *request = evhttp_request_new(on_answer, connection);
    bool good = request != NULL && request_fill(client, ask, request);
    if (request != NULL && !good) {
        evhttp_request_free(request);
    }
    /* a request that can't be made is the connection's to free */
    if (!good ||
        evhttp_make_request(connection->http, request, method_of(ask->method), target) != 0) {
        client->failed = true;
        event_active(connection->over, EV_TIMEOUT, 0);
    }
}

/* ---- the door ---- */

static enum ht_status connection_init(struct ht_sim_client *client, struct connection *connection)
{
    connection->client = client;
    connection->last = &connection->first;
    connection->http =
        evhttp_connection_base_new(client->base, NULL, client->url.host, client->url.port);
    connection->over = evtimer_new(client->base, on_over, connection);
    connection->again = evtimer_new(client->base, on_again, connection);
    if (connection->http == NULL || connection->over == NULL || connection->again == NULL) {
        return HT_NOMEM;
    }
    evhttp_connection_set_timeout(connection->http, ANSWER_S);
    return HT_OK;
}

static enum ht_status client_open(struct ht_sim_client *client)
{
    unsigned count = client->options.connections;
    client->base = event_base_new();
    client->connections = ht_array_new_zeroed(count, sizeof *client->connections);
    enum ht_status status = client->base == NULL || client->connections == NULL ? HT_NOMEM : HT_OK;
    for (unsigned i = 0; status == HT_OK && i < count; i++) {
        status = connection_init(client, &client->connections[i]);
    }
    return status;
}

enum ht_status ht_sim_client_new(const struct ht_sim_client_options *options,
                                 struct ht_sim_client **out, struct ht_error *error)
{
    struct ht_sim_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return HT_NOMEM;
    }
    client->options = *options;
    client->used = options->connections;
    enum ht_status status = ht_url_read(options->url, &client->url, error);
    if (status == HT_OK && client->url.tls) {
        status = ht_error_set(error, HT_INVALID, 0,
                              "url: begins with http:// here; https is its proxy's");
    }
    size_t size = strlen(client->url.target);
    if (size > 1 && client->url.target[size - 1] == '/') {
        client->url.target[size - 1] = '\0';
    }
    if (status == HT_OK && options->token != NULL) {
        int length = snprintf(client->bearer, sizeof client->bearer, "Bearer %s", options->token);
        if (length < 0 || (size_t)length >= sizeof client->bearer) {
            status = ht_error_set(error, HT_INVALID, 0, "token: is too long");
        }
    }
    status = status == HT_OK ? client_open(client) : status;
    if (status != HT_OK) {
        ht_sim_client_free(client);
        return status;
    }
    *out = client;
    return HT_OK;
}

static void connection_deinit(struct connection *connection)
{
    if (connection->http != NULL) {
        evhttp_connection_free(connection->http);
    }
    if (connection->over != NULL) {
        event_free(connection->over);
    }
    if (connection->again != NULL) {
        event_free(connection->again);
    }
    if (connection->asking != NULL) {
        ask_free(connection->asking);
    }
    for (struct ht_sim_ask *ask = connection->first; ask != NULL;) {
        struct ht_sim_ask *next = ask->next;
        ask_free(ask);
        ask = next;
    }
    free(connection->body);
}

void ht_sim_client_free(struct ht_sim_client *client)
{
    if (client == NULL) {
        return;
    }
    for (unsigned i = 0; client->connections != NULL && i < client->options.connections; i++) {
        connection_deinit(&client->connections[i]);
    }
    free(client->connections);
    if (client->base != NULL) {
        event_base_free(client->base);
    }
    ht_text_deinit(&client->spare.body);
    free(client);
}

struct ht_sim_ask *ht_sim_ask_new(struct ht_sim_client *client, enum ht_sim_call call,
                                  const char *method, const char *path, ...)
{
    struct ht_sim_ask *ask = calloc(1, sizeof *ask);
    va_list args;
    if (ask == NULL) {
        client->failed = true;
        ask = &client->spare;
        ht_text_clear(&ask->body);
    }
    ask->call = call;
    ask->method = method;
    va_start(args, path);
    (void)vsnprintf(ask->path, sizeof ask->path, path, args);
    va_end(args);
    return ask;
}

static void ask_log(struct ht_sim_client *client, const struct ht_sim_ask *ask)
{
    char time[HT_TIME_TEXT_SIZE];
    ht_time_format(client->now_ms, time);
    (void)fprintf(client->options.log, "%s %s %s %.*s\n", time, ask->method,
                  ask->shown == NULL ? ask->path : ask->shown, (int)ask->body.size,
                  ask->body.size > 0 ? ask->body.data : "");
}

void ht_sim_ask_send(struct ht_sim_client *client, struct ht_sim_ask *ask)
{
    if (ask == &client->spare) {
        return;
    }
    client->failed = client->failed || ask->body.failed;
    if (client->options.log != NULL) {
        ask_log(client, ask);
    }
    struct connection *connection = &client->connections[ask->lane % client->used];
    *connection->last = ask;
    connection->last = &ask->next;
    client->left++;
    if (evtimer_pending(connection->again, NULL) == 0) {
        connection_next(connection);
    }
}

void ht_sim_client_one(struct ht_sim_client *client)
{
    client->used = 1;
}

void ht_sim_client_time(struct ht_sim_client *client, int64_t now_ms)
{
    client->now_ms = now_ms;
}

enum ht_status ht_sim_client_run(struct ht_sim_client *client, const volatile int *stop,
                                 struct ht_error *error)
{
    while (client->left > 0 && !client->failed) {
        if (event_base_loop(client->base, EVLOOP_ONCE) < 0) {
            return ht_error_set(error, HT_IO, 0, "the event loop broke");
        }
        if (client->silent >= SILENT_MOST || (client->silent > 0 && stop != NULL && *stop != 0)) {
            return ht_error_set(error, HT_IO, 0, "no answer from %s", client->options.url);
        }
    }
    return client->failed ? ht_error_set(error, HT_NOMEM, 0, "out of memory") : HT_OK;
}
