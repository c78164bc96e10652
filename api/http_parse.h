/* HTTP parser: one HTTP/1.0 or 1.1 request (RFC 9110, 9112) out of bytes as they arrive.
 *
 * Strict where leniency is how requests are smuggled: bare CR or LF, folded lines, space before the
 * colon, two lengths that differ, length together with chunked are all refused.
 *
 * Threading: plain values. Ownership: the parser keeps offsets only, so the bytes may be moved
 * between calls; a request borrows them. Cost: linear in the bytes, however they are cut.
 */
#ifndef HT_API_HTTP_PARSE_H
#define HT_API_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ht_http_method {
    HT_HTTP_GET,
    HT_HTTP_HEAD,
    HT_HTTP_POST,
    HT_HTTP_PUT,
    HT_HTTP_PATCH,
    HT_HTTP_DELETE,
    HT_HTTP_OPTIONS,
    HT_HTTP_OTHER,
};

/* All in bytes. `head`: the header lines after the request line, trailers included. */
struct ht_http_limits {
    size_t target;
    size_t head;
    size_t body;
};

/* 256 KiB, 16 KiB, 32 MiB. */
struct ht_http_limits ht_http_limits_default(void);

enum ht_http_state {
    HT_HTTP_AT_LINE, /* before the end of the request line */
    HT_HTTP_AT_HEAD,
    HT_HTTP_AT_BODY,
    HT_HTTP_AT_CHUNK_SIZE,
    HT_HTTP_AT_CHUNK,
    HT_HTTP_AT_CHUNK_END,
    HT_HTTP_AT_TRAILER,
    HT_HTTP_AT_END,
};

struct ht_http_span {
    size_t at;
    size_t size;
};
enum { HT_HTTP_PARAMS = 4 };

struct ht_http_parser {
    enum ht_http_state state;
    int error_status; /* 400, 413, 414, 417, 431, 501, 505 after HT_HTTP_BAD */
    enum ht_http_method method;
    uint8_t minor; /* HTTP/1.minor */
    bool has_length;
    bool chunked;
    bool has_host;
    bool keep_alive;
    bool connection_named; /* close or keep-alive was said */
    bool expect_continue;
    bool gzip;
    size_t line;    /* where the line that is being read begins */
    size_t scanned; /* no line end before this */
    struct ht_http_span target;
    struct ht_http_span host;
    struct ht_http_span content_type;
    struct ht_http_span head; /* the header lines */
    size_t body;              /* where the body begins */
    size_t body_size;         /* decoded so far, whole when READY */
    uint64_t length;          /* Content-Length, or what is left of the chunk */
    size_t consumed;          /* bytes of the whole request when READY */
    size_t trailer_size;
};

void ht_http_parser_reset(struct ht_http_parser *parser);

enum ht_http_progress { HT_HTTP_MORE, HT_HTTP_READY, HT_HTTP_BAD };

/* Reads on in data[0 .. *size), which begins with the request's first byte and holds at least what
 * the call before saw. Chunk framing that was read is cut out of the bytes in place, so *size may
 * shrink. */
enum ht_http_progress ht_http_parse(struct ht_http_parser *parser,
                                    const struct ht_http_limits *limits, char *data, size_t *size);

/* What the parser found, as pointers into the bytes. */
struct ht_http_request {
    enum ht_http_method method;
    uint8_t minor;
    bool keep_alive;
    bool gzip;          /* the client takes it */
    const char *target; /* origin form: path and query, still percent-encoded; "*" for OPTIONS */
    size_t target_size;
    size_t path_size; /* the part of the target before '?' */
    const char *host; /* NULL when absent */
    size_t host_size;
    const char *content_type; /* NULL when absent */
    size_t content_type_size;
    const char *head; /* all header lines */
    size_t head_size;
    const char *body;
    size_t body_size;
};

/* Only after HT_HTTP_READY. */
void ht_http_request_of(const struct ht_http_parser *parser, const char *data,
                        struct ht_http_request *out);

/* The value of the first header of that name (lower case), trimmed; NULL when absent. */
const char *ht_http_header(const struct ht_http_request *request, const char *name, size_t *size);

/* True when the comma-separated `list` has `token` (lower case), with a q other than 0. */
bool ht_http_list_has(const char *list, size_t size, const char *token);

#endif
