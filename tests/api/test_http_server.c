/* HTTP server over real sockets: order, limits, slow and rude clients, jobs, draining. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <zlib.h>

#include "api/http_server.h"
#include "tests/support/check.h"
#include "tests/support/http_client.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

static struct ht_http_server *server;
static pthread_t server_thread;
static atomic_int accounted[600];
static atomic_bool job_gate; /* jobs wait until it opens */
static atomic_int jobs_begun;
static atomic_int jobs_freed;
static atomic_int rests;
static atomic_int contexts;

static enum ht_status context_new(void *user, void **out)
{
    static int context;
    (void)user;
    *out = &context;
    (void)atomic_fetch_add(&contexts, 1);
    return HT_OK;
}

static void context_free(void *context)
{
    (void)context;
    (void)atomic_fetch_sub(&contexts, 1);
}

static void job_run(void *context, void *data, struct ht_reply *reply)
{
    (void)context;
    (void)atomic_fetch_add(&jobs_begun, 1);
    while (!atomic_load(&job_gate)) {
        (void)usleep(1000);
    }
    ht_buffer_text(&reply->body, data);
}

static void rest(void *context)
{
    (void)context;
    (void)atomic_fetch_add(&rests, 1);
}

static void job_free(void *data)
{
    free(data);
    (void)atomic_fetch_add(&jobs_freed, 1);
}

static bool path_is(const struct ht_http_request *request, const char *path)
{
    return request->path_size == strlen(path) &&
           memcmp(request->target, path, request->path_size) == 0;
}

/* A repeating text of `size` bytes. */
static void fill(struct ht_buffer *body, size_t size)
{
    char *at = ht_buffer_reserve(body, size);
    for (size_t i = 0; at != NULL && i < size; i++) {
        at[i] = (char)('a' + i % 26);
    }
    ht_buffer_advance(body, at == NULL ? 0 : size);
}

static void handle(void *context, struct ht_http_call *call)
{
    (void)context;
    const struct ht_http_request *request = call->request;
    struct ht_buffer *body = &call->reply->body;
    call->service = 1;
    if (path_is(request, "/echo")) {
        ht_buffer_append(body, request->body, request->body_size);
    } else if (path_is(request, "/big")) {
        fill(body, strtoul(request->target + 5, NULL, 10));
    } else if (path_is(request, "/job")) {
        call->job = (struct ht_http_job){.run = job_run, .free = job_free, .data = strdup("job")};
    } else {
        ht_buffer_append(body, request->target, request->target_size);
    }
}

static void account(void *context, unsigned service, int status, uint64_t duration_ns)
{
    (void)context;
    (void)duration_ns;
    (void)service;
    (void)atomic_fetch_add(&accounted[status], 1);
}

static void *server_main(void *unused)
{
    (void)unused;
    return ht_http_server_run(server) == HT_OK ? NULL : server;
}

static struct ht_http_options quick(void)
{
    struct ht_http_options options = ht_http_options_default();
    options.port = 0;
    options.threads = 2;
    options.workers = 1;
    options.grace_ms = 100;
    return options;
}

static bool start(const struct ht_http_options *options)
{
    struct ht_http_handler handler = {.context_new = context_new,
                                      .context_free = context_free,
                                      .handle = handle,
                                      .account = account,
                                      .rest = rest};
    memset(accounted, 0, sizeof accounted);
    atomic_store(&job_gate, true);
    atomic_store(&jobs_begun, 0);
    atomic_store(&jobs_freed, 0);
    atomic_store(&rests, 0);
    if (ht_http_server_new(options, &handler, &server, NULL) != HT_OK) {
        return false;
    }
    return pthread_create(&server_thread, NULL, server_main, NULL) == 0;
}

static void stop(void)
{
    void *failed = NULL;
    ht_http_server_drain(server);
    HT_CHECK(pthread_join(server_thread, &failed) == 0);
    HT_CHECK(failed == NULL);
    ht_http_server_free(server);
    HT_CHECK_INT(contexts, 0);
}

static uint16_t port(void)
{
    return ht_http_server_port(server);
}

static void expect(struct ht_client *client, int status, const char *body)
{
    struct ht_answer answer;
    HT_CHECK_INT(ht_client_read(client, &answer, false), status);
    if (answer.status > 0 && body != NULL) {
        HT_CHECK_STR(answer.body, body);
    }
    ht_answer_free(&answer);
}

HT_CASE(pipelined_requests_are_answered_in_order)
{
    enum { COUNT = 1000 };
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    static char text[COUNT * 64];
    size_t size = 0;
    for (int i = 0; i < COUNT; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size,
                                 "GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n", i);
    }
    HT_CHECK(ht_client_send(&client, text, size));
    for (int i = 0; i < COUNT; i++) {
        char want[16];
        (void)snprintf(want, sizeof want, "/%d", i);
        expect(&client, 200, want);
    }
    ht_client_close(&client);
    stop();
    HT_CHECK_INT(accounted[200], COUNT);
}

HT_CASE(request_cut_at_every_byte_is_answered)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    static const char text[] =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for (size_t cut = 1; cut < sizeof text - 1; cut++) {
        HT_REQUIRE(ht_client_send(&client, text, cut));
        HT_REQUIRE(ht_client_send(&client, text + cut, sizeof text - 1 - cut));
        expect(&client, 200, "abcde");
    }
    for (size_t i = 0; i < sizeof text - 1; i++) {
        HT_REQUIRE(ht_client_send(&client, text + i, 1));
    }
    expect(&client, 200, "abcde");
    ht_client_close(&client);
    stop();
}

HT_CASE(half_a_request_delays_nobody_and_times_out)
{
    struct ht_http_options options = quick();
    options.threads = 1;
    options.head_ms = 300;
    HT_REQUIRE(start(&options));
    struct ht_client half;
    struct ht_client next;
    HT_REQUIRE(ht_client_open(&half, port()));
    HT_REQUIRE(ht_client_text(&half, "GET /half HTTP/1.1\r\nHo"));
    HT_REQUIRE(ht_client_open(&next, port()));
    HT_CHECK_INT(ht_client_status(&next, GET("/next")), 200);
    expect(&half, 408, NULL);
    HT_CHECK_INT(ht_client_status(&next, GET("/next")), 200);
    expect(&half, 0, NULL);
    ht_client_close(&half);
    ht_client_close(&next);
    stop();
}

HT_CASE(silent_connections_are_closed)
{
    struct ht_http_options options = quick();
    options.idle_ms = 200;
    HT_REQUIRE(start(&options));
    struct ht_client fresh;
    struct ht_client used;
    HT_REQUIRE(ht_client_open(&fresh, port()));
    HT_REQUIRE(ht_client_open(&used, port()));
    /* on a busy machine we may be too slow to ask in time */
    for (int i = 0; i < 100 && ht_client_status(&used, GET("/")) != 200; i++) {
        ht_client_close(&used);
        HT_REQUIRE(ht_client_open(&used, port()));
    }
    HT_CHECK(accounted[200] == 1);
    expect(&fresh, 0, NULL);
    expect(&used, 0, NULL);
    ht_client_close(&fresh);
    ht_client_close(&used);
    stop();
}

/* Sends a start, `fill` bytes and gives the status that comes back. */
static int status_of_long(const char *begin, size_t size)
{
    struct ht_client client;
    char *text = malloc(size);
    if (text == NULL || !ht_client_open(&client, port())) {
        free(text);
        return -2;
    }
    memset(text, 'a', size);
    (void)ht_client_text(&client, begin);
    (void)ht_client_send(&client, text, size);
    struct ht_answer answer;
    int status = ht_client_read(&client, &answer, false);
    if (status > 0 && strcmp(ht_answer_header(&answer, "Connection"), "close") != 0) {
        status = -3;
    }
    ht_answer_free(&answer);
    ht_client_close(&client);
    free(text);
    return status;
}

HT_CASE(too_much_is_refused_and_the_refusal_can_be_read)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    HT_CHECK_INT(status_of_long("GET / HTTP/1.1\r\nHost: a\r\nX: ", 1 << 20), 431);
    HT_CHECK_INT(status_of_long("GET /", 1 << 20), 414);
    HT_CHECK_INT(status_of_long(
                     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 40000000\r\n\r\n", 1 << 20),
                 413);
    HT_CHECK_INT(status_of_long("\x16\x03\x01", 500), 400);
    HT_CHECK_INT(status_of_long("GET / HTTP/3.0\r\n\r\n", 1), 505);
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    HT_CHECK_INT(ht_client_status(&client, GET("/")), 200);
    HT_CHECK_INT(ht_client_status(&client, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
    HT_CHECK_INT(ht_client_status(&client, GET("/")), 200);
    ht_client_close(&client);
    stop();
}

HT_CASE(long_urls_and_bodies_within_the_limits_arrive)
{
    enum { URL = 200 * 1000, BODY = 5 * 1000 * 1000 };
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    char *text = calloc(BODY + 1000, 1);
    HT_REQUIRE(text != NULL);
    size_t size = (size_t)sprintf(text, "GET /");
    memset(text + size, 'u', URL);
    (void)sprintf(text + size + URL, " HTTP/1.1\r\nHost: a\r\n\r\n");
    HT_CHECK(ht_client_text(&client, text));
    struct ht_answer answer;
    HT_CHECK_INT(ht_client_read(&client, &answer, false), 200);
    HT_CHECK_INT(answer.size, URL + 1);
    ht_answer_free(&answer);
    size =
        (size_t)sprintf(text, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", BODY);
    for (int i = 0; i < BODY; i++) {
        text[size + (size_t)i] = (char)('A' + i % 23);
    }
    HT_CHECK(ht_client_send(&client, text, size + BODY));
    HT_CHECK_INT(ht_client_read(&client, &answer, false), 200);
    HT_CHECK_INT(answer.size, BODY);
    HT_CHECK(answer.body != NULL && memcmp(answer.body, text + size, BODY) == 0);
    ht_answer_free(&answer);
    free(text);
    ht_client_close(&client);
    stop();
}

HT_CASE(http_1_0_is_answered_to_the_end_of_the_connection)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    struct ht_answer answer;
    HT_REQUIRE(ht_client_open(&client, port()));
    HT_CHECK(ht_client_text(&client, "GET /old HTTP/1.0\r\n\r\n"));
    HT_CHECK_INT(ht_client_read(&client, &answer, false), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "Connection"), "close");
    ht_answer_free(&answer);
    expect(&client, 0, NULL);
    ht_client_close(&client);
    HT_REQUIRE(ht_client_open(&client, port()));
    for (int i = 0; i < 2; i++) {
        HT_CHECK(ht_client_text(&client, "GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        HT_CHECK_INT(ht_client_read(&client, &answer, false), 200);
        HT_CHECK_STR(ht_answer_header(&answer, "Connection"), "keep-alive");
        ht_answer_free(&answer);
    }
    HT_CHECK(ht_client_text(&client, "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                                     "GET /dropped HTTP/1.1\r\nHost: a\r\n\r\n"));
    expect(&client, 200, "/last");
    expect(&client, 0, NULL);
    ht_client_close(&client);
    stop();
}

HT_CASE(client_that_shuts_its_side_still_gets_its_answer)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    atomic_store(&job_gate, false);
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    HT_CHECK(ht_client_text(&client, GET("/job") GET("/after")));
    HT_CHECK(shutdown(client.fd, SHUT_WR) == 0);
    atomic_store(&job_gate, true);
    expect(&client, 200, "job");
    expect(&client, 200, "/after");
    expect(&client, 0, NULL);
    ht_client_close(&client);
    stop();
}

HT_CASE(head_is_get_without_a_body)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    struct ht_answer answer;
    HT_REQUIRE(ht_client_open(&client, port()));
    HT_CHECK(ht_client_text(&client, "HEAD /big?500000 HTTP/1.1\r\nHost: a\r\n\r\n" GET("/next")));
    HT_CHECK_INT(ht_client_read(&client, &answer, true), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "Content-Length"), "500000");
    ht_answer_free(&answer);
    expect(&client, 200, "/next");
    ht_client_close(&client);
    stop();
}

static bool inflates_to(const struct ht_answer *answer, size_t size)
{
    char *plain = malloc(size + 1);
    z_stream stream = {.next_in = (Bytef *)answer->body,
                       .avail_in = (uInt)answer->size,
                       .next_out = (Bytef *)plain,
                       .avail_out = (uInt)size + 1};
    bool right = plain != NULL && inflateInit2(&stream, 15 + 16) == Z_OK &&
                 inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.total_out == size;
    for (size_t i = 0; right && i < size; i++) {
        right = plain[i] == (char)('a' + i % 26);
    }
    (void)inflateEnd(&stream);
    free(plain);
    return right;
}

HT_CASE(gzip_is_used_where_asked_for_and_worth_it)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    struct ht_answer answer;
    HT_REQUIRE(ht_client_open(&client, port()));
    for (int round = 0; round < 3; round++) {
        HT_CHECK(ht_client_text(&client, "GET /big?100000 HTTP/1.1\r\nHost: a\r\n"
                                         "Accept-Encoding: deflate, gzip\r\n\r\n"));
        HT_CHECK_INT(ht_client_read(&client, &answer, false), 200);
        HT_CHECK_STR(ht_answer_header(&answer, "Content-Encoding"), "gzip");
        HT_CHECK_STR(ht_answer_header(&answer, "Vary"), "Accept-Encoding");
        HT_CHECK(answer.size < 10000);
        HT_CHECK(inflates_to(&answer, 100000));
        ht_answer_free(&answer);
    }
    static const char *const plain[] = {
        "GET /big?100000 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0\r\n\r\n",
        "GET /big?100000 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /big?900 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"};
    for (size_t i = 0; i < 3; i++) {
        HT_CHECK(ht_client_text(&client, plain[i]));
        HT_CHECK_INT(ht_client_read(&client, &answer, false), 200);
        HT_CHECK(ht_answer_header(&answer, "Content-Encoding") == NULL);
        HT_CHECK_INT(answer.size, i == 2 ? 900 : 100000);
        ht_answer_free(&answer);
    }
    ht_client_close(&client);
    stop();
}

HT_CASE(body_is_awaited_after_100_continue)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    HT_CHECK(ht_client_text(&client, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                                     "Expect: 100-continue\r\n\r\n"));
    expect(&client, 100, NULL);
    HT_CHECK(ht_client_text(&client, "abc"));
    expect(&client, 200, "abc");
    ht_client_close(&client);
    stop();
}

HT_CASE(who_does_not_read_is_not_given_more)
{
    enum { COUNT = 20, SIZE = 4 * 1000 * 1000 };
    struct ht_http_options options = quick();
    options.threads = 1;
    HT_REQUIRE(start(&options));
    struct ht_client greedy;
    struct ht_client other;
    HT_REQUIRE(ht_client_open(&greedy, port()));
    HT_REQUIRE(ht_client_open(&other, port()));
    for (int i = 0; i < COUNT; i++) {
        HT_CHECK(ht_client_text(&greedy, GET("/big?4000000")));
    }
    HT_CHECK_INT(ht_client_status(&other, GET("/other")), 200);
    /* Twenty answers are asked for; as long as the first is not taken no second one may be made. */
    HT_CHECK(accounted[200] < 5);
    for (int i = 0; i < COUNT; i++) {
        struct ht_answer answer;
        HT_REQUIRE(ht_client_read(&greedy, &answer, false) == 200);
        HT_CHECK_INT(answer.size, SIZE);
        HT_CHECK(answer.body != NULL && answer.body[SIZE - 1] == 'a' + (SIZE - 1) % 26);
        ht_answer_free(&answer);
    }
    ht_client_close(&greedy);
    ht_client_close(&other);
    stop();
}

HT_CASE(who_never_reads_is_dropped)
{
    struct ht_http_options options = quick();
    options.write_ms = 200;
    HT_REQUIRE(start(&options));
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    /* at once: it is closed soon */
    HT_CHECK(ht_client_text(&client, GET("/big?4000000") GET("/big?4000000") GET("/big?4000000")
                                         GET("/big?4000000") GET("/big?4000000")));
    struct ht_http_stats stats = {.connections = 1};
    for (int i = 0; i < 1500 && accounted[200] == 0; i++) {
        (void)usleep(20000); /* until it has been asked */
    }
    /* Well before the idle limit, which is not the one that counts here. */
    for (int i = 0; i < 1500 && stats.connections > 0; i++) {
        (void)usleep(20000);
        ht_http_server_stats(server, &stats);
    }
    HT_CHECK_INT(stats.connections, 0);
    HT_CHECK_INT(stats.timed_out, 1);
    ht_client_close(&client);
    stop();
}

HT_CASE(many_connections_are_served_side_by_side)
{
    enum { COUNT = 400 };
    static struct ht_client clients[COUNT];
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    for (int i = 0; i < COUNT; i++) {
        HT_REQUIRE(ht_client_open(&clients[i], port()));
    }
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < COUNT; i++) {
            HT_REQUIRE(ht_client_text(&clients[i], GET("/x")));
        }
        for (int i = 0; i < COUNT; i++) {
            expect(&clients[i], 200, "/x");
        }
    }
    struct ht_http_stats stats;
    ht_http_server_stats(server, &stats);
    HT_CHECK_INT(stats.connections, COUNT);
    for (int i = 0; i < COUNT; i++) {
        ht_client_close(&clients[i]);
    }
    stop();
}

HT_CASE(full_house_closes_the_longest_idle_connection)
{
    enum { COUNT = 12, MOST = 8 };
    struct ht_client clients[COUNT];
    struct ht_http_options options = quick();
    options.threads = 1;
    options.connections_max = MOST;
    HT_REQUIRE(start(&options));
    for (int i = 0; i < COUNT; i++) {
        HT_REQUIRE(ht_client_open(&clients[i], port()));
        HT_CHECK_INT(ht_client_status(&clients[i], GET("/")), 200);
    }
    struct ht_http_stats stats;
    ht_http_server_stats(server, &stats);
    HT_CHECK_INT(stats.connections, MOST);
    HT_CHECK_INT(stats.evicted, COUNT - MOST);
    HT_CHECK_INT(ht_client_status(&clients[COUNT - 1], GET("/")), 200);
    for (int i = 0; i < COUNT; i++) {
        ht_client_close(&clients[i]);
    }
    stop();
}

HT_CASE(running_out_of_descriptors_is_survived)
{
    enum { COUNT = 30, LEFT = 10 };
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    int fds[COUNT];
    for (int i = 0; i < COUNT; i++) {
        fds[i] = ht_client_socket();
    }
    struct rlimit before;
    HT_REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    struct rlimit tight = before;
    tight.rlim_cur = (rlim_t)fds[COUNT - 1] + 1 + LEFT;
    HT_REQUIRE(setrlimit(RLIMIT_NOFILE, &tight) == 0);
    struct ht_client client = {.have = 0};
    for (int i = 0; i < COUNT; i++) {
        HT_CHECK(ht_client_connect(fds[i], port()));
        client.fd = fds[i];
        client.have = 0;
        HT_CHECK_INT(ht_client_status(&client, GET("/")), 200);
    }
    struct ht_http_stats stats;
    ht_http_server_stats(server, &stats);
    HT_CHECK(stats.accept_errors > 0);
    HT_CHECK(stats.evicted >= COUNT - LEFT);
    HT_CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (int i = 0; i < COUNT; i++) {
        (void)close(fds[i]);
    }
    stop();
}

HT_CASE(long_answers_delay_their_own_connection_only)
{
    struct ht_http_options options = quick();
    options.threads = 1;
    HT_REQUIRE(start(&options));
    atomic_store(&job_gate, false);
    struct ht_client client;
    struct ht_client other;
    HT_REQUIRE(ht_client_open(&client, port()));
    HT_REQUIRE(ht_client_open(&other, port()));
    HT_CHECK(ht_client_text(&client, GET("/before") GET("/job") GET("/after")));
    expect(&client, 200, "/before");
    for (int i = 0; i < 10; i++) {
        HT_CHECK_INT(ht_client_status(&other, GET("/other")), 200);
    }
    atomic_store(&job_gate, true);
    expect(&client, 200, "job");
    expect(&client, 200, "/after");
    ht_client_close(&client);
    ht_client_close(&other);
    stop();
    HT_CHECK_INT(jobs_freed, 1);
}

HT_CASE(worker_rests_after_each_job_and_a_loop_does_not)
{
    enum { COUNT = 3 };
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    for (int i = 0; i < COUNT; i++) {
        HT_CHECK_INT(ht_client_status(&client, GET("/job")), 200);
        HT_CHECK_INT(ht_client_status(&client, GET("/other")), 200);
    }
    ht_client_close(&client);
    stop();
    HT_CHECK_INT(rests, COUNT);
}

HT_CASE(full_job_queue_is_503_with_retry_after)
{
    enum { COUNT = 4 };
    struct ht_http_options options = quick();
    options.job_queue = 2;
    HT_REQUIRE(start(&options));
    atomic_store(&job_gate, false);
    struct ht_client clients[COUNT];
    for (int i = 0; i < COUNT; i++) {
        HT_REQUIRE(ht_client_open(&clients[i], port()));
    }
    HT_CHECK(ht_client_text(&clients[0], GET("/job")));
    while (atomic_load(&jobs_begun) == 0) {
        (void)usleep(1000);
    }
    struct ht_http_stats stats = {0};
    for (unsigned i = 1; i < 3; i++) {
        HT_CHECK(ht_client_text(&clients[i], GET("/job")));
        while (stats.jobs.waiting < i) {
            (void)usleep(1000);
            ht_http_server_stats(server, &stats);
        }
    }
    struct ht_answer answer;
    HT_CHECK(ht_client_text(&clients[3], GET("/job")));
    HT_CHECK_INT(ht_client_read(&clients[3], &answer, false), 503);
    HT_CHECK_STR(ht_answer_header(&answer, "Retry-After"), "1");
    ht_answer_free(&answer);
    atomic_store(&job_gate, true);
    for (int i = 0; i < 3; i++) {
        expect(&clients[i], 200, "job");
    }
    for (int i = 0; i < COUNT; i++) {
        ht_client_close(&clients[i]);
    }
    stop();
    HT_CHECK_INT(jobs_freed, COUNT);
}

HT_CASE(client_that_leaves_during_its_job_hurts_nobody)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    atomic_store(&job_gate, false);
    for (unsigned i = 0; i < 5; i++) {
        struct ht_client client;
        struct ht_http_stats stats = {0};
        HT_REQUIRE(ht_client_open(&client, port()));
        HT_CHECK(ht_client_text(&client, GET("/job") "half"));
        struct linger linger = {.l_onoff = 1}; /* close sends a reset */
        (void)setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        while (atomic_load(&jobs_begun) == 0 || stats.jobs.waiting < i) { /* else it is no job */
            (void)usleep(1000);
            ht_http_server_stats(server, &stats);
        }
        ht_client_close(&client);
    }
    atomic_store(&job_gate, true);
    struct ht_client next;
    HT_REQUIRE(ht_client_open(&next, port()));
    HT_CHECK_INT(ht_client_status(&next, GET("/job")), 200);
    ht_client_close(&next);
    stop();
    HT_CHECK_INT(jobs_freed, 6);
}

HT_CASE(foreign_host_names_are_refused_when_asked_to)
{
    struct ht_http_options options = quick();
    options.check_host = true;
    HT_REQUIRE(start(&options));
    static const struct {
        const char *host;
        int status;
    } hosts[] = {{"localhost", 200},
                 {"LOCALHOST:80", 200},
                 {"127.0.0.1:8080", 200},
                 {"[::1]:9", 200},
                 {"evil.example", 403},
                 {"localhost.evil.example", 403},
                 {"127.0.0.1.evil.org", 403},
                 {"127.evil.org", 403},
                 {"", 403}};
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i].host);
        HT_CHECK_INT(ht_client_status(&client, text), hosts[i].status);
    }
    ht_client_close(&client);
    stop();
}

HT_CASE(taken_port_is_refused)
{
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    struct ht_http_options again = options;
    again.port = port();
    struct ht_http_server *second = NULL;
    struct ht_http_handler handler = {.handle = handle};
    struct ht_error error = {0};
    HT_CHECK_INT(ht_http_server_new(&again, &handler, &second, &error), HT_IO);
    HT_CHECK(strstr(error.message, "in use") != NULL);
    stop();
}

HT_CASE(loopback_of_ipv6_is_served_and_taken_like_the_other)
{
    struct ht_http_options options = quick();
    options.host = "::1";
    if (!start(&options)) {
        HT_SKIP("this machine has no IPv6");
    }
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(port())};
    address.sin6_addr = in6addr_loopback;
    struct ht_client client = {.fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    HT_CHECK(connect(client.fd, (struct sockaddr *)&address, sizeof address) == 0);
    HT_CHECK_INT(ht_client_status(&client, GET("/six")), 200);
    ht_client_close(&client);
    struct ht_http_options again = options;
    again.port = port();
    struct ht_http_server *second = NULL;
    struct ht_http_handler handler = {.handle = handle};
    HT_CHECK_INT(ht_http_server_new(&again, &handler, &second, NULL), HT_IO);
    stop();
}

/* Clients that ask without pause while the server drains. */
struct asker {
    pthread_t thread;
    uint16_t port;
    atomic_int answered;
    int broken; /* resets, or answers that end too early */
};

static void *ask_on(void *user)
{
    struct asker *asker = user;
    struct ht_client *client = malloc(sizeof *client);
    while (client != NULL) {
        if (!ht_client_open(client, asker->port)) {
            ht_client_close(client);
            break; /* the port is closed: the end */
        }
        int status = 200;
        while (status == 200) {
            struct ht_answer answer;
            status = ht_client_text(client, GET("/big?3000"))
                         ? ht_client_read(client, &answer, false)
                         : 0;
            (void)atomic_fetch_add(&asker->answered, status == 200 ? 1 : 0);
            asker->broken += status < 0 ? 1 : 0;
            bool last = status == 200 && ht_answer_header(&answer, "Connection") != NULL;
            if (status > 0) {
                ht_answer_free(&answer);
            }
            if (last) {
                break;
            }
        }
        ht_client_close(client);
    }
    free(client);
    return NULL;
}

HT_CASE(draining_answers_what_is_in_flight_and_resets_nobody)
{
    enum { COUNT = 6 };
    struct ht_http_options options = quick();
    HT_REQUIRE(start(&options));
    atomic_store(&job_gate, false);
    struct ht_client job;
    struct ht_client idle;
    struct asker askers[COUNT];
    HT_REQUIRE(ht_client_open(&job, port()));
    HT_REQUIRE(ht_client_open(&idle, port()));
    HT_CHECK_INT(ht_client_status(&idle, GET("/")), 200);
    HT_CHECK(ht_client_text(&job, GET("/job")));
    while (atomic_load(&jobs_begun) == 0) {
        (void)usleep(1000);
    }
    for (int i = 0; i < COUNT; i++) {
        askers[i] = (struct asker){.port = port()};
        HT_REQUIRE(pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]) == 0);
    }
    for (int i = 0; i < COUNT; i++) {
        while (atomic_load(&askers[i].answered) == 0) { /* each is in the midst of it */
            (void)usleep(1000);
        }
    }
    ht_http_server_drain(server);
    expect(&idle, 0, NULL); /* closed in peace, after the grace */
    atomic_store(&job_gate, true);
    struct ht_answer answer;
    HT_CHECK_INT(ht_client_read(&job, &answer, false), 200);
    HT_CHECK_STR(ht_answer_header(&answer, "Connection"), "close");
    ht_answer_free(&answer);
    expect(&job, 0, NULL);
    ht_client_close(&job);
    ht_client_close(&idle);
    stop();
    for (int i = 0; i < COUNT; i++) {
        HT_CHECK(pthread_join(askers[i].thread, NULL) == 0);
        HT_CHECK(askers[i].answered > 0);
        HT_CHECK_INT(askers[i].broken, 0);
    }
}

HT_CASE(draining_ends_though_somebody_holds_on)
{
    struct ht_http_options options = quick();
    options.drain_ms = 200;
    HT_REQUIRE(start(&options));
    atomic_store(&job_gate, false);
    struct ht_client client;
    HT_REQUIRE(ht_client_open(&client, port()));
    HT_CHECK(ht_client_text(&client, "GET /half"));
    struct ht_client job;
    HT_REQUIRE(ht_client_open(&job, port()));
    HT_CHECK(ht_client_text(&job, GET("/job")));
    while (atomic_load(&jobs_begun) == 0) {
        (void)usleep(1000);
    }
    ht_http_server_drain(server);
    void *failed = NULL;
    HT_CHECK(pthread_join(server_thread, &failed) == 0);
    HT_CHECK(failed == NULL);
    atomic_store(&job_gate, true);
    ht_http_server_free(server);
    HT_CHECK_INT(jobs_freed, 1);
    ht_client_close(&client);
    ht_client_close(&job);
}

HT_MAIN()
