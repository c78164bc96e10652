#include "api/post.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POST_S = 10, ANSWER_MAX = 1 << 20, HEAD_MAX = 64 << 10 };

struct ht_poster {
    struct event_base *base;
    struct evdns_base *dns; /* NULL: no name server; numbers work all the same */
    SSL_CTX *tls;           /* made when first needed */
};

struct ht_post {
    struct ht_poster *poster;
    struct evhttp_connection *connection;
    struct event *deadline;
    struct event *over; /* out of libevent's callbacks, in which nothing may be freed */
    void (*done)(void *user, int status, const char *error);
    void *user;
    int status;
    const char *error;
};

/* ---- where to ---- */

static enum ht_status url_wrong(struct ht_error *error, const char *why)
{
    return ht_error_set(error, HT_INVALID, 0, "url: %s", why);
}

static enum ht_status url_fill(const struct evhttp_uri *uri, struct ht_url *url,
                               struct ht_error *error)
{
    const char *scheme = evhttp_uri_get_scheme(uri);
    const char *host = evhttp_uri_get_host(uri);
    const char *path = evhttp_uri_get_path(uri);
    const char *query = evhttp_uri_get_query(uri);
    int port = evhttp_uri_get_port(uri);
    url->tls = scheme != NULL && evutil_ascii_strcasecmp(scheme, "https") == 0;
    if (scheme == NULL || (!url->tls && evutil_ascii_strcasecmp(scheme, "http") != 0)) {
        return url_wrong(error, "begins with http:// or https://");
    }
    if (host == NULL || host[0] == '\0' || strlen(host) >= sizeof url->host) {
        return url_wrong(error, "names a host");
    }
    if (evhttp_uri_get_userinfo(uri) != NULL || evhttp_uri_get_fragment(uri) != NULL) {
        return url_wrong(error, "holds no name, password or fragment");
    }
    if (port == 0 || port > UINT16_MAX) {
        return url_wrong(error, "the port is 1 to 65535");
    }
    url->port = (uint16_t)(port > 0 ? port : url->tls ? 443 : 80);
    size_t size = strlen(host);
    bool bracket = host[0] == '[' && host[size - 1] == ']';
    (void)snprintf(url->host, sizeof url->host, "%.*s", (int)(bracket ? size - 2 : size),
                   bracket ? host + 1 : host);
    (void)snprintf(url->authority, sizeof url->authority, port > 0 ? "%s:%d" : "%s", host, port);
    (void)snprintf(url->target, sizeof url->target, "%s%s%s",
                   path == NULL || path[0] == '\0' ? "/" : path, query == NULL ? "" : "?",
                   query == NULL ? "" : query);
    return HT_OK;
}

enum ht_status ht_url_read(const char *text, struct ht_url *url, struct ht_error *error)
{
    memset(url, 0, sizeof *url);
    if (strlen(text) > HT_URL_MAX) {
        return url_wrong(error, "longer than 2048 bytes");
    }
    struct evhttp_uri *uri = evhttp_uri_parse(text);
    if (uri == NULL) {
        return url_wrong(error, "is not well formed");
    }
    enum ht_status status = url_fill(uri, url, error);
    evhttp_uri_free(uri);
    return status;
}

/* ---- sending ---- */

enum ht_status ht_poster_new(struct event_base *base, struct ht_poster **out)
{
    struct ht_poster *poster = calloc(1, sizeof *poster);
    if (poster == NULL) {
        return HT_NOMEM;
    }
    poster->base = base;
    poster->dns =
        evdns_base_new(base, EVDNS_BASE_INITIALIZE_NAMESERVERS | EVDNS_BASE_DISABLE_WHEN_INACTIVE);
    *out = poster;
    return HT_OK;
}

void ht_poster_free(struct ht_poster *poster)
{
    if (poster != NULL) {
        if (poster->dns != NULL) {
            evdns_base_free(poster->dns, 0);
        }
        SSL_CTX_free(poster->tls);
        free(poster);
    }
}

static SSL_CTX *tls_of(struct ht_poster *poster)
{
    if (poster->tls == NULL) {
        poster->tls = SSL_CTX_new(TLS_client_method());
        if (poster->tls != NULL) {
            SSL_CTX_set_verify(poster->tls, SSL_VERIFY_PEER, NULL);
            (void)SSL_CTX_set_min_proto_version(poster->tls, TLS1_2_VERSION);
            (void)SSL_CTX_set_default_verify_paths(poster->tls);
        }
    }
    return poster->tls;
}

/* An encrypted way to the host, not yet connected; NULL: out of memory. */
static struct bufferevent *tls_way(struct ht_poster *poster, const struct ht_url *url)
{
    SSL_CTX *context = tls_of(poster);
    SSL *ssl = context == NULL ? NULL : SSL_new(context);
    if (ssl == NULL) {
        return NULL;
    }
    bool number = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), url->host) == 1;
    if (!number) {
        (void)SSL_set_tlsext_host_name(ssl, url->host);
        if (SSL_set1_host(ssl, url->host) != 1) {
            SSL_free(ssl);
            return NULL;
        }
    }
    struct bufferevent *way = bufferevent_openssl_socket_new(
        poster->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
    if (way == NULL) {
        SSL_free(ssl);
    } else {
        bufferevent_openssl_set_allow_dirty_shutdown(way, 1);
    }
    return way;
}

static void on_error(enum evhttp_request_error error, void *user)
{
    static const char *const texts[] = {
        [EVREQ_HTTP_TIMEOUT] = "no answer within 10 s",
        [EVREQ_HTTP_EOF] = "the connection was closed without an answer",
        [EVREQ_HTTP_INVALID_HEADER] = "the answer is not HTTP",
        [EVREQ_HTTP_BUFFER_ERROR] = "the connection broke",
        [EVREQ_HTTP_REQUEST_CANCEL] = "cancelled",
        [EVREQ_HTTP_DATA_TOO_LONG] = "the answer is too long",
    };
    struct ht_post *post = user;
    post->error = texts[error];
}

static void on_answer(struct evhttp_request *request, void *user)
{
    struct ht_post *post = user;
    post->status = request == NULL ? 0 : evhttp_request_get_response_code(request);
    event_active(post->over, EV_TIMEOUT, 0);
}

static void on_deadline(evutil_socket_t fd, short what, void *user)
{
    struct ht_post *post = user;
    (void)fd;
    (void)what;
    post->status = 0;
    post->error = "no answer within 10 s";
    event_active(post->over, EV_TIMEOUT, 0);
}

static void on_over(evutil_socket_t fd, short what, void *user)
{
    struct ht_post *post = user;
    (void)fd;
    (void)what;
    (void)event_del(post->deadline);
    if (post->connection != NULL) {
        evhttp_connection_free(post->connection);
        post->connection = NULL;
    }
    post->done(post->user, post->status,
               post->status != 0     ? ""
               : post->error != NULL ? post->error
                                     : "no connection");
}

static enum ht_status post_send(struct ht_post *post, const struct ht_post_ask *ask)
{
    struct ht_poster *poster = post->poster;
    struct bufferevent *way = NULL;
    if (ask->url->tls) {
        way = tls_way(poster, ask->url);
        if (way == NULL) {
            return HT_NOMEM;
        }
    }
    post->connection = evhttp_connection_base_bufferevent_new(poster->base, poster->dns, way,
                                                              ask->url->host, ask->url->port);
    if (post->connection == NULL) {
        if (way != NULL) {
            bufferevent_free(way);
        }
        return HT_NOMEM;
    }
    evhttp_connection_set_timeout(post->connection, POST_S);
    evhttp_connection_set_max_body_size(post->connection, ANSWER_MAX);
    evhttp_connection_set_max_headers_size(post->connection, HEAD_MAX);
    struct evhttp_request *request = evhttp_request_new(on_answer, post);
    if (request == NULL) {
        return HT_NOMEM;
    }
    evhttp_request_set_error_cb(request, on_error);
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    int failed = evhttp_add_header(headers, "Host", ask->url->authority) |
                 evhttp_add_header(headers, "Connection", "close");
    for (size_t i = 0; i < ask->header_count; i++) {
        failed |= evhttp_add_header(headers, ask->headers[i].name, ask->headers[i].value);
    }
    failed |= evbuffer_add(evhttp_request_get_output_buffer(request), ask->body, ask->body_size);
    if (failed != 0) {
        evhttp_request_free(request);
        return HT_NOMEM;
    }
    /* a request that can't be made is the connection's to free */
    return evhttp_make_request(post->connection, request, EVHTTP_REQ_POST, ask->url->target) == 0
               ? HT_OK
               : HT_NOMEM;
}

enum ht_status ht_post_new(struct ht_poster *poster, const struct ht_post_ask *ask,
                           struct ht_post **out)
{
    const struct timeval limit = {.tv_sec = POST_S};
    struct ht_post *post = calloc(1, sizeof *post);
    if (post == NULL) {
        return HT_NOMEM;
    }
    post->poster = poster;
    post->done = ask->done;
    post->user = ask->user;
    post->deadline = evtimer_new(poster->base, on_deadline, post);
    post->over = evtimer_new(poster->base, on_over, post);
    enum ht_status status =
        post->deadline == NULL || post->over == NULL || evtimer_add(post->deadline, &limit) != 0
            ? HT_NOMEM
            : post_send(post, ask);
    if (status != HT_OK) {
        ht_post_free(post);
        return status;
    }
    *out = post;
    return HT_OK;
}

void ht_post_free(struct ht_post *post)
{
    if (post == NULL) {
        return;
    }
    if (post->connection != NULL) {
        evhttp_connection_free(post->connection);
    }
    if (post->deadline != NULL) {
        event_free(post->deadline);
    }
    if (post->over != NULL) {
        event_free(post->over);
    }
    free(post);
}
