/* HTTP parser: what it takes, what it refuses, and that it doesn't matter how the bytes are cut. */
#include "api/http_parse.h"
#include "tests/support/check.h"

static struct ht_http_limits limits;
static struct ht_http_parser parser;
static struct ht_http_request request;
static char data[1 << 20];
static size_t data_size;

static enum ht_http_progress parse_n(const char *text, size_t size)
{
    limits = ht_http_limits_default();
    memcpy(data, text, size);
    data_size = size;
    ht_http_parser_reset(&parser);
    enum ht_http_progress progress = ht_http_parse(&parser, &limits, data, &data_size);
    if (progress == HT_HTTP_READY) {
        ht_http_request_of(&parser, data, &request);
    }
    return progress;
}

static enum ht_http_progress parse(const char *text)
{
    return parse_n(text, strlen(text));
}

/* The status of a refusal, 0 when it wants more, 200 when it is a request. */
static int refused(const char *text)
{
    enum ht_http_progress progress = parse(text);
    return progress == HT_HTTP_BAD ? parser.error_status : progress == HT_HTTP_READY ? 200 : 0;
}

static bool is(const char *text, size_t size, const char *want)
{
    return text != NULL && strlen(want) == size && memcmp(text, want, size) == 0;
}

HT_CASE(plain_get_is_read)
{
    HT_REQUIRE(parse("GET /route/v1/car/1,2;3,4?steps=true HTTP/1.1\r\nHost: a:80\r\n"
                     "Accept-Encoding: br, gzip;q=0.5\r\nX-Odd:  two words \r\n\r\nGET") ==
               HT_HTTP_READY);
    HT_CHECK_INT(request.method, HT_HTTP_GET);
    HT_CHECK_INT(request.minor, 1);
    HT_CHECK(request.keep_alive);
    HT_CHECK(request.gzip);
    HT_CHECK(is(request.target, request.target_size, "/route/v1/car/1,2;3,4?steps=true"));
    HT_CHECK(is(request.target, request.path_size, "/route/v1/car/1,2;3,4"));
    HT_CHECK(is(request.host, request.host_size, "a:80"));
    HT_CHECK_INT(request.body_size, 0);
    HT_CHECK_INT(parser.consumed, data_size - 3);
    size_t size = 0;
    const char *odd = ht_http_header(&request, "x-odd", &size);
    HT_CHECK(is(odd, size, "two words"));
    HT_CHECK(ht_http_header(&request, "x-od", &size) == NULL);
}

HT_CASE(methods_are_told_apart)
{
    static const char *const names[] = {"GET",    "HEAD",    "POST", "PUT", "PATCH",
                                        "DELETE", "OPTIONS", "get",  "BREW"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "%s / HTTP/1.1\r\nHost: a\r\n\r\n", names[i]);
        HT_REQUIRE(parse(text) == HT_HTTP_READY);
        HT_CHECK_INT(request.method, i < 7 ? i : HT_HTTP_OTHER);
    }
}

HT_CASE(keep_alive_follows_version_and_header)
{
    HT_REQUIRE(parse("GET / HTTP/1.0\r\n\r\n") == HT_HTTP_READY);
    HT_CHECK(!request.keep_alive);
    HT_REQUIRE(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n") == HT_HTTP_READY);
    HT_CHECK(request.keep_alive);
    HT_REQUIRE(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\n") ==
               HT_HTTP_READY);
    HT_CHECK(!request.keep_alive);
    HT_REQUIRE(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                     "Connection: keep-alive\r\n\r\n") == HT_HTTP_READY);
    HT_CHECK(!request.keep_alive);
}

HT_CASE(bodies_with_length_and_chunks_are_read)
{
    HT_REQUIRE(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/csv\r\n"
                     "Content-Length: 5\r\n\r\nhelloNEXT") == HT_HTTP_READY);
    HT_CHECK(is(request.body, request.body_size, "hello"));
    HT_CHECK(is(request.content_type, request.content_type_size, "text/csv"));
    HT_CHECK_INT(parser.consumed, data_size - 4);
    HT_REQUIRE(parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "4\r\nWiki\r\n6;ext=\"x\"\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\n"
                     "Trailer: x\r\n\r\nNEXT") == HT_HTTP_READY);
    HT_CHECK(is(request.body, request.body_size, "Wikipedia in \r\n\r\nchunks."));
    HT_CHECK(is(data + parser.consumed, data_size - parser.consumed, "NEXT"));
}

HT_CASE(every_cut_of_the_bytes_gives_the_same_request)
{
    static const char text[] = "\r\nPOST http://h:1/p?q HTTP/1.1\r\nHost: a\r\n"
                               "Transfer-Encoding: chunked\r\nAccept-Encoding: gzip\r\n\r\n"
                               "1\r\na\r\n10\r\nbcdefghijklmnopq\r\n0\r\nT: x\r\n\r\n";
    size_t whole = sizeof text - 1;
    limits = ht_http_limits_default();
    for (size_t step = 1; step <= whole; step++) {
        ht_http_parser_reset(&parser);
        size_t size = 0;
        size_t sent = 0;
        enum ht_http_progress progress = HT_HTTP_MORE;
        while (sent < whole && progress == HT_HTTP_MORE) {
            size_t take = whole - sent < step ? whole - sent : step;
            memcpy(data + size, text + sent, take);
            size += take;
            sent += take;
            progress = ht_http_parse(&parser, &limits, data, &size);
        }
        HT_REQUIRE(progress == HT_HTTP_READY);
        HT_CHECK_INT(sent, whole);
        ht_http_request_of(&parser, data, &request);
        HT_CHECK(is(request.target, request.target_size, "/p?q"));
        HT_CHECK(is(request.host, request.host_size, "h:1"));
        HT_CHECK(is(request.body, request.body_size, "abcdefghijklmnopq"));
        HT_CHECK(request.gzip);
    }
}

HT_CASE(broken_request_lines_are_refused)
{
    HT_CHECK_INT(refused("GET /\r\n\r\n"), 400);
    HT_CHECK_INT(refused("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused("GET / HTTP/1.1\nHost: a\n\n"), 400);
    HT_CHECK_INT(refused("GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused("GET a HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused("GET * HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    HT_CHECK_INT(refused("G{T / HTTP/1.1\r\nHost: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused("GET / HTTQ/1.1\r\nHost: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
    HT_CHECK_INT(refused("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), 505);
    HT_CHECK_INT(refused("GET / HTTP/1.1\r\n\r\n"), 400);
    HT_CHECK_INT(refused("\x16\x03\x01\x02"), 400);
    HT_CHECK_INT(refused("GET / HT"), 0);
}

HT_CASE(broken_headers_are_refused)
{
#define HEAD "GET / HTTP/1.1\r\nHost: a\r\n"
    HT_CHECK_INT(refused(HEAD "X : y\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD ": y\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD "X\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD "X: a\r\n folded\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD "X: a\x01\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD "X: a\rb\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD "X: a\nY: b\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD "Host: a\r\n\r\n"), 400);
    HT_CHECK_INT(refused(HEAD "Expect: a miracle\r\n\r\n"), 417);
    HT_CHECK_INT(refused("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400);
    HT_CHECK_INT(parse_n(HEAD "X: \0\r\n\r\n", sizeof(HEAD "X: \0\r\n\r\n") - 1), HT_HTTP_BAD);
}

HT_CASE(what_smugglers_use_is_refused)
{
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
    HT_CHECK_INT(refused(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 400);
    HT_CHECK_INT(refused(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na"), 200);
    HT_CHECK_INT(refused(POST "Content-Length: 1, 1\r\n\r\na"), 400);
    HT_CHECK_INT(refused(POST "Content-Length: +1\r\n\r\na"), 400);
    HT_CHECK_INT(refused(POST "Content-Length: -1\r\n\r\na"), 400);
    HT_CHECK_INT(refused(POST "Content-Length: 0x1\r\n\r\na"), 400);
    HT_CHECK_INT(refused(POST "Content-Length:\r\n\r\na"), 400);
    HT_CHECK_INT(refused(POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                 400);
    HT_CHECK_INT(refused(POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n"),
                 400);
    HT_CHECK_INT(refused(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
                 400);
    HT_CHECK_INT(refused(POST "Transfer-Encoding: gzip, chunked\r\n\r\n"), 501);
    HT_CHECK_INT(refused(POST "Transfer-Encoding: xchunked\r\n\r\n"), 501);
    HT_CHECK_INT(refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
    HT_CHECK_INT(refused(CHUNKED "g\r\n"), 400);
    HT_CHECK_INT(refused(CHUNKED "1 \r\na\r\n0\r\n\r\n"), 400);
    HT_CHECK_INT(refused(CHUNKED "\r\n"), 400);
    HT_CHECK_INT(refused(CHUNKED "1\na\r\n0\r\n\r\n"), 400);
    HT_CHECK_INT(refused(CHUNKED "1\r\nab\r\n0\r\n\r\n"), 400);
    HT_CHECK_INT(refused(CHUNKED "ffffffffffffffffff\r\n"), 413);
    HT_CHECK_INT(refused(CHUNKED "7fffffff\r\n"), 413);
    HT_CHECK_INT(refused(CHUNKED "0\r\nbad trailer\r\n\r\n"), 400);
}

static enum ht_http_progress parse_filled(const char *before, size_t fill, const char *after)
{
    static char text[1 << 20];
    size_t size = strlen(before);
    memcpy(text, before, size);
    memset(text + size, 'a', fill);
    size += fill;
    memcpy(text + size, after, strlen(after));
    return parse_n(text, size + strlen(after));
}

HT_CASE(limits_hold_at_their_edge)
{
    HT_CHECK_INT(parse_filled("GET /", 256 * 1024 - 1, " HTTP/1.1\r\nHost: a\r\n\r\n"),
                 HT_HTTP_READY);
    HT_CHECK_INT(parse_filled("GET /", 256 * 1024, " HTTP/1.1\r\nHost: a\r\n\r\n"), HT_HTTP_BAD);
    HT_CHECK_INT(parser.error_status, 414);
    HT_CHECK_INT(parse_filled("GET /", 300 * 1024, ""), HT_HTTP_BAD);
    HT_CHECK_INT(parser.error_status, 414);
    HT_CHECK_INT(parse_filled("GET / HTTP/1.1\r\nHost: a\r\nX: ", 16 * 1024 - 16, "\r\n\r\n"),
                 HT_HTTP_READY);
    HT_CHECK_INT(parse_filled("GET / HTTP/1.1\r\nHost: a\r\nX: ", 16 * 1024 - 15, "\r\n\r\n"),
                 HT_HTTP_BAD);
    HT_CHECK_INT(parser.error_status, 431);
    HT_CHECK_INT(parse_filled("GET / HTTP/1.1\r\nHost: a\r\nX: ", 900 * 1024, ""), HT_HTTP_BAD);
    HT_CHECK_INT(parser.error_status, 431);
    HT_CHECK_INT(refused(POST "Content-Length: 33554433\r\n\r\n"), 413);
    HT_CHECK_INT(refused(POST "Content-Length: 33554432\r\n\r\n"), 0);
    HT_CHECK_INT(refused(POST "Content-Length: 99999999999999999999999\r\n\r\n"), 413);
}

HT_CASE(tiny_chunks_do_not_grow_the_buffer)
{
    limits = ht_http_limits_default();
    ht_http_parser_reset(&parser);
    static const char head[] = CHUNKED;
    memcpy(data, head, sizeof head - 1);
    size_t size = sizeof head - 1;
    for (int i = 0; i < 10000; i++) {
        memcpy(data + size, "1;abcdefgh\r\nx\r\n", 15);
        size += 15;
        HT_REQUIRE(ht_http_parse(&parser, &limits, data, &size) == HT_HTTP_MORE);
        HT_REQUIRE(size < sizeof head + 10000 + 16);
    }
    HT_CHECK_INT(parser.body_size, 10000);
}

HT_CASE(lists_are_searched_by_token)
{
    HT_CHECK(ht_http_list_has("gzip", 4, "gzip"));
    HT_CHECK(ht_http_list_has("br;q=1 ,\tGZIP ; q=0.1", 21, "gzip"));
    HT_CHECK(!ht_http_list_has("gzip;q=0", 8, "gzip"));
    HT_CHECK(!ht_http_list_has("gzip;q=0.000", 12, "gzip"));
    HT_CHECK(!ht_http_list_has("xgzip, gzipx", 12, "gzip"));
    HT_CHECK(!ht_http_list_has("", 0, "gzip"));
    HT_CHECK(!ht_http_list_has(",,;,", 4, "gzip"));
}

HT_MAIN()
