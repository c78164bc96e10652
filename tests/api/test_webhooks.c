/* Webhooks: what a receiver gets, signed, again after failures and kill -9, and that a dead one
 * holds up nobody. The receiver is this test: it listens, and answers as it likes. */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sqlite3.h>

#include "tests/support/check.h"
#include "tests/support/hook_receiver.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define ZONES "/collections/zones/items"

static char store[128];
static char options[512];

static bool begin_town(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/hook%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static void die(void)
{
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
}

/* Something to tell of. */
static void zone_put(const char *id)
{
    char path[128];
    (void)snprintf(path, sizeof path, ZONES "/%s", id);
    HT_CHECK(send_body("PUT", path, GEO,
                       "{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":"
                       "[[[121.7,29.9],[121.8,29.9],[121.8,30],[121.7,29.9]]]},"
                       "\"properties\":{\"kind\":\"watched\"}}") /
                 100 ==
             2);
}

static char hook_id[64];

static int hook_add(uint16_t to, const char *topics, const char *more)
{
    char text[512];
    (void)snprintf(text, sizeof text, "{\"url\":\"http://127.0.0.1:%u/in?x=1\",\"topics\":%s%s}",
                   (unsigned)to, topics, more);
    int status = post("/v1/webhooks", JSON, text);
    const char *id = status == 201 ? ht_json_at(answer.body, "id") : NULL;
    (void)snprintf(hook_id, sizeof hook_id, "%.*s", id == NULL ? 0 : (int)strcspn(id + 1, "\""),
                   id == NULL ? "" : id + 1);
    return status;
}

/* Waits until a number of the webhook in the store is this, or (`more`) at least this. */
static void number_comes(const char *id, const char *column, int64_t want, bool more)
{
    char path[128];
    double got = -1;
    (void)snprintf(path, sizeof path, "/v1/webhooks/%s", id);
    for (int i = 0; i < 600; i++) {
        HT_CHECK_INT(get(path), 200);
        got = ht_json_number_at(answer.body, column);
        if ((int64_t)got == want || (more && (int64_t)got > want)) {
            return;
        }
        (void)usleep(50000);
    }
    HT_CHECK_INT(got, want);
}

static void number_at_last(const char *id, const char *column, int64_t want)
{
    number_comes(id, column, want, false);
}

/* --- what is told ----------------------------------------------------------------------------- */

HT_CASE(events_come_in_order_and_signed)
{
    static struct receiver r;
    char path[128];
    HT_REQUIRE(receiver_open(&r) && begin_town(""));
    zone_put("before"); /* not told: it was before */
    HT_CHECK_INT(hook_add(r.port, "[\"zones\",\"fences\"]", ",\"secret\":\"0123456789abcdef\""),
                 201);
    HT_CHECK(!says("secret"));
    HT_CHECK(strncmp(ht_answer_header(&answer, "Location"), "/v1/webhooks/wh-", 16) == 0);
    zone_put("a");
    HT_CHECK_INT(post("/collections/facilities/items", "Content-Type: text/csv\r\n",
                      "id,lon,lat,name\nk,121.7,29.9,x\n"),
                 201); /* another topic */
    zone_put("b");
    zone_put("a");
    const char *const want[][2] = {
        {"item.created", "zones/a"}, {"item.created", "zones/b"}, {"item.changed", "zones/a"}};
    double last = 0;
    for (int i = 0; i < 3; i++) {
        char text[64];
        HT_REQUIRE(receive(&r));
        HT_CHECK(strncmp(r.text, "POST /in?x=1 HTTP/1.1\r\n", 23) == 0);
        HT_CHECK_STR(header(&r, "X-Houtao-Event"), want[i][0]);
        (void)snprintf(text, sizeof text, "\"%s\"", want[i][0]);
        HT_CHECK(ht_json_is(r.body, "kind", text));
        (void)snprintf(text, sizeof text, "\"%s\"", want[i][1]);
        HT_CHECK(ht_json_is(r.body, "subject", text));
        HT_CHECK(ht_json_is(r.body, "topic", "\"zones\"") && ht_json_at(r.body, "data.version"));
        HT_CHECK(ht_json_number_at(r.body, "seq") > last);
        last = ht_json_number_at(r.body, "seq");
        HT_CHECK(signed_with(&r, "0123456789abcdef"));
        HT_CHECK(!signed_with(&r, "0123456789abcdeF"));
        (void)snprintf(text, sizeof text, "%.32s-%d", hook_id, (int)last);
        HT_CHECK_STR(header(&r, "Idempotency-Key"), text);
        respond(&r, "204 No Content");
    }
    number_at_last(hook_id, "delivered", 3);
    HT_CHECK(says("\"last_status\":204") && says("\"tries\":0") && !says("secret"));
    (void)snprintf(path, sizeof path, "DELETE /v1/webhooks/%s" HEADERS "\r\n", hook_id);
    HT_CHECK_INT(ask(path), 204);
    HT_CHECK_INT(ask(path), 404);
    zone_put("c");
    HT_CHECK(!receive_within(&r, 500));
    receiver_close(&r);
    end();
}

HT_CASE(failures_are_tried_again_and_nothing_is_left_out)
{
    static struct receiver r;
    double seq = 0;
    HT_REQUIRE(receiver_open(&r) && begin_town(""));
    HT_CHECK_INT(hook_add(r.port, "[\"zones\"]", ""), 201);
    char secret[64];
    const char *made = ht_json_at(answer.body, "secret");
    HT_REQUIRE(made != NULL);
    (void)snprintf(secret, sizeof secret, "%.*s", (int)strcspn(made + 1, "\""), made + 1);
    HT_CHECK_INT(strlen(secret), 48);
    zone_put("a");
    zone_put("b");
    for (int i = 0; i < 3; i++) {
        HT_REQUIRE(receive(&r));
        HT_CHECK(signed_with(&r, secret));
        HT_CHECK(i == 0 || ht_json_number_at(r.body, "seq") == seq);
        seq = ht_json_number_at(r.body, "seq");
        respond(&r, i == 0   ? "500 Internal Server Error"
                    : i == 1 ? "302 Found\r\nLocation: http://127.0.0.1:1/"
                             : "200 OK");
        if (i < 2) {
            number_at_last(hook_id, "tries", i + 1);
            HT_CHECK(!says("\"failing_since\":null") && !says("\"next_try\":null"));
        }
    }
    HT_REQUIRE(receive(&r));
    HT_CHECK(ht_json_is(r.body, "subject", "\"zones/b\""));
    respond(&r, "200 OK");
    number_at_last(hook_id, "delivered", 2);
    HT_CHECK(says("\"failing_since\":null") && says("\"given_up\":0"));
    receiver_close(&r);
    end();
}

HT_CASE(a_dead_receiver_holds_up_nobody)
{
    static struct receiver alive;
    static struct receiver mute; /* takes connections and never answers */
    char dead[64];
    char silent[64];
    int calls = 1;
    HT_REQUIRE(receiver_open(&alive) && receiver_open(&mute) && begin_town(""));
    HT_CHECK_INT(hook_add(mute.port, "[\"zones\"]", ""), 201);
    (void)snprintf(silent, sizeof silent, "%s", hook_id);
    HT_CHECK_INT(hook_add(1, "[\"zones\"]", ""), 201); /* nobody listens there */
    (void)snprintf(dead, sizeof dead, "%s", hook_id);
    HT_CHECK_INT(hook_add(alive.port, "[\"zones\"]", ""), 201);
    zone_put("a");
    HT_REQUIRE(receive(&mute)); /* and has its silence */
    HT_REQUIRE(receive(&alive));
    respond(&alive, "200 OK");
    for (int i = 0; i < 20; i++) {
        zone_put("b");
        HT_REQUIRE(receive(&alive));
        HT_CHECK(ht_json_is(alive.body, "subject", "\"zones/b\""));
        respond(&alive, "200 OK");
    }
    number_at_last(hook_id, "delivered", 21);
    char path[128];
    number_comes(dead, "tries", 1, true);
    HT_CHECK(says("\"delivered\":0") && says("\"last_status\":0") && !says("\"last_error\":\"\""));
    while (receive_within(&mute, 0)) { /* on a slow machine it was called again by now */
        (void)close(mute.fd);
        calls++;
    }
    (void)snprintf(path, sizeof path, "/v1/webhooks/%s", silent);
    HT_CHECK_INT(get(path), 200); /* one call under way, not many */
    HT_CHECK(calls <= ht_json_number_at(answer.body, "tries") + 2 && says("\"delivered\":0"));
    receiver_close(&alive);
    receiver_close(&mute);
    end();
}

HT_CASE(what_was_not_delivered_comes_after_kill_9)
{
    static struct receiver r;
    char path[128];
    HT_REQUIRE(receiver_open(&r) && begin_town(""));
    HT_CHECK_INT(hook_add(r.port, "[\"zones\"]", ""), 201);
    zone_put("a");
    HT_REQUIRE(receive(&r));
    double seq = ht_json_number_at(r.body, "seq");
    respond(&r, "200 OK");
    number_at_last(hook_id, "delivered", 1);
    zone_put("b");
    HT_REQUIRE(receive(&r)); /* under way, not answered */
    die();
    (void)close(r.fd);
    HT_REQUIRE(begin(options));
    HT_REQUIRE(receive(&r));
    HT_CHECK(ht_json_is(r.body, "subject", "\"zones/b\"") &&
             ht_json_number_at(r.body, "seq") > seq);
    respond(&r, "200 OK");
    number_at_last(hook_id, "delivered", 2);
    end();
    HT_REQUIRE(begin(options));
    (void)snprintf(path, sizeof path, "/v1/webhooks/%s", hook_id);
    HT_CHECK_INT(get(path), 200);
    HT_CHECK(says("\"delivered\":2"));
    HT_CHECK(!receive_within(&r, 500)); /* nothing comes twice that was noted */
    receiver_close(&r);
    end();
}

HT_CASE(events_are_given_up_after_the_set_time)
{
    static struct receiver r;
    HT_REQUIRE(receiver_open(&r) && begin_town("--clock 2026-03-01T08:00:00Z,0"));
    HT_CHECK_INT(send_body("PUT", "/v1/settings/webhooks", JSON, "{\"give_up_h\":2}"), 200);
    HT_CHECK_INT(hook_add(r.port, "[\"zones\"]", ""), 201);
    zone_put("a");
    zone_put("b");
    HT_REQUIRE(receive(&r));
    respond(&r, "503 Service Unavailable");
    number_at_last(hook_id, "tries", 1);
    HT_CHECK_INT(post("/v1/clock", JSON, "{\"advance_s\":7200}"), 200);
    zone_put("c"); /* younger: tried on */
    HT_REQUIRE(receive(&r));
    HT_CHECK(ht_json_is(r.body, "subject", "\"zones/a\""));
    respond(&r, "503 Service Unavailable");
    number_at_last(hook_id, "given_up", 2);
    HT_REQUIRE(receive(&r));
    HT_CHECK(ht_json_is(r.body, "subject", "\"zones/c\""));
    respond(&r, "200 OK");
    number_at_last(hook_id, "delivered", 1);
    receiver_close(&r);
    end();
}

HT_CASE(what_is_no_webhook_is_refused)
{
    char tokens[128];
    char line[256];
    char text[4096];
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(hook_add(80, "[\"positions\"]", ""), 422);
    HT_CHECK_INT(hook_add(80, "[\"nothing\"]", ""), 422);
    HT_CHECK_INT(hook_add(80, "[]", ""), 422);
    HT_CHECK_INT(hook_add(80, "[\"zones\",7]", ""), 422);
    HT_CHECK_INT(hook_add(80, "\"zones\"", ""), 422);
    HT_CHECK_INT(hook_add(80, "[\"zones,fences\"]", ""), 422);
    HT_CHECK_INT(hook_add(80, "[\"zones\"]", ",\"secret\":\"short\""), 422);
    HT_CHECK_INT(hook_add(80, "[\"zones\"]", ",\"secret\":7"), 422);
    static const char *const urls[] = {"ftp://a/",        "http:///x",           "nothing",
                                       "http://u:p@a/",   "http://a:99999/",     "http://a:0/",
                                       "http://a/\\r\\n", "https://a/#fragment", ""};
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        (void)snprintf(text, sizeof text, "{\"url\":\"%s\",\"topics\":[\"zones\"]}", urls[i]);
        HT_CHECK_INT(post("/v1/webhooks", JSON, text), 422);
    }
    HT_CHECK_INT(post("/v1/webhooks", JSON, "[]"), 400);
    HT_CHECK_INT(post("/v1/webhooks", JSON, "{\"url\""), 400);
    HT_CHECK_INT(get("/v1/webhooks"), 200);
    HT_CHECK_STR(answer.body, "{\"webhooks\":[]}");
    HT_CHECK_INT(get("/v1/webhooks/wh-1"), 404);
    HT_CHECK_INT(get("/v1/webhooks/a%2Fb"), 404);
    HT_CHECK_INT(post("/v1/webhooks", JSON "Idempotency-Key: k\r\n",
                      "{\"url\":\"https://houtao.invalid/x\",\"topics\":[\"traffic\"]}"),
                 201);
    (void)snprintf(text, sizeof text, "%s", answer.body);
    HT_CHECK_INT(post("/v1/webhooks", JSON "Idempotency-Key: k\r\n",
                      "{\"url\":\"https://houtao.invalid/x\",\"topics\":[\"traffic\"]}"),
                 201);
    HT_CHECK_STR(answer.body, text); /* the same one */
    HT_CHECK_INT(get("/v1/webhooks"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "webhooks"), 1);
    end();
    (void)snprintf(tokens, sizeof tokens, "%s/hooks.tokens", folder);
    (void)snprintf(line, sizeof line, "token add %s --name d --role dispatcher", tokens);
    const struct ht_command_run *run = ht_command_run(line);
    HT_CHECK_INT(run->code, 0);
    (void)snprintf(text, sizeof text,
                   "GET /v1/webhooks HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %.*s"
                   "\r\n\r\n",
                   (int)strcspn(run->out, "\n"), run->out);
    (void)snprintf(options, sizeof options, "--store %s --tokens %s", store, tokens);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/v1/webhooks"), 401);
    HT_CHECK_INT(ask(text), 403); /* not even to see whom the server speaks to */
    end();
}

/* --- https ------------------------------------------------------------------------------------ */

/* A key, and a certificate of its own making for 127.0.0.1, as PEM at `path`. */
static SSL_CTX *authority_make(const char *path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    FILE *file = fopen(path, "w");
    bool good = X509_set_version(certificate, 2) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(certificate), 86400) != NULL &&
                X509_add_ext(certificate, name, -1) == 1 &&
                X509_set_pubkey(certificate, key) == 1 &&
                X509_sign(certificate, key, EVP_sha256()) > 0 && file != NULL &&
                PEM_write_X509(file, certificate) == 1 &&
                SSL_CTX_use_certificate(context, certificate) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;
    HT_CHECK(good);
    if (file != NULL) {
        (void)fclose(file);
    }
    X509_EXTENSION_free(name);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return context;
}

/* Takes one connection and answers what comes with 200; false: the other side would not go on. */
static bool receive_tls(struct receiver *r, SSL_CTX *context)
{
    static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct pollfd waits = {.fd = r->listener, .events = POLLIN};
    struct timeval limit = {.tv_sec = 30};
    SSL *ssl = SSL_new(context);
    int size = 0;
    bool good = poll(&waits, 1, 60000) == 1;
    int fd = good ? accept(r->listener, NULL, NULL) : -1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    good = good && SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1;
    while (good && (size == 0 || r->text[size - 1] != '}')) {
        int got = SSL_read(ssl, r->text + size, (int)sizeof r->text - 1 - size);
        good = got > 0;
        size += good ? got : 0;
    }
    r->text[size] = '\0';
    good = good && SSL_write(ssl, ok, sizeof ok - 1) == sizeof ok - 1;
    (void)SSL_shutdown(ssl);
    SSL_free(ssl);
    (void)close(fd);
    return good;
}

HT_CASE(https_is_spoken_to_who_is_known)
{
    static struct receiver r;
    char path[128];
    char text[256];
    HT_REQUIRE(receiver_open(&r) && map_make());
    (void)snprintf(path, sizeof path, "%s/authority.pem", folder);
    SSL_CTX *context = authority_make(path);
    (void)snprintf(text, sizeof text,
                   "{\"url\":\"https://127.0.0.1:%u/in\",\"topics\":[\"zones\"]}",
                   (unsigned)r.port);
    HT_REQUIRE(begin_town("")); /* which does not know that authority */
    HT_CHECK_INT(post("/v1/webhooks", JSON, text), 201);
    const char *id = ht_json_at(answer.body, "id");
    (void)snprintf(hook_id, sizeof hook_id, "%.*s", id == NULL ? 0 : (int)strcspn(id + 1, "\""),
                   id == NULL ? "" : id + 1);
    zone_put("a");
    HT_CHECK(!receive_tls(&r, context));
    number_comes(hook_id, "tries", 1, true); /* nobody answers the next one, which fails, too */
    HT_CHECK(says("\"delivered\":0") && says("\"last_status\":0"));
    end();
    HT_CHECK(setenv("SSL_CERT_FILE", path, 1) == 0);
    HT_REQUIRE(begin(options));
    bool told = false;
    for (int i = 0; i < 20 && !told; i++) { /* a call of the server before may still wait */
        told = receive_tls(&r, context);
    }
    HT_CHECK(told);
    HT_CHECK(strstr(r.text, "\r\nX-Houtao-Event: item.created\r\n") != NULL);
    number_at_last(hook_id, "delivered", 1);
    end();
    HT_CHECK(unsetenv("SSL_CERT_FILE") == 0);
    SSL_CTX_free(context);
    receiver_close(&r);
}

HT_SERVED_MAIN()
