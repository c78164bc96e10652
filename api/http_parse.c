#include "api/http_parse.h"

#include <string.h>
#include <strings.h>

enum {
    REQUEST_LINE_REST = 64, /* method, version and spaces beside the target */
    CHUNK_LINE_MAX = 256,
    CHUNK_DIGITS_MAX = 15,
};

struct ht_http_limits ht_http_limits_default(void)
{
    return (struct ht_http_limits){
        .target = 256 * 1024, .head = 16 * 1024, .body = (size_t)32 * 1024 * 1024};
}

void ht_http_parser_reset(struct ht_http_parser *parser)
{
    *parser = (struct ht_http_parser){.state = HT_HTTP_AT_LINE};
}

static enum ht_http_progress refuse(struct ht_http_parser *parser, int status)
{
    parser->error_status = status;
    return HT_HTTP_BAD;
}

/* tchar of RFC 9110, as a bit set. */
static bool is_token(unsigned char c)
{
    static const uint32_t set[4] = {0x00000000, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff};
    return c < 128 && (set[c >> 5] >> (c & 31) & 1) != 0;
}

static bool all_tokens(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!is_token((unsigned char)text[i])) {
            return false;
        }
    }
    return size > 0;
}

static bool same(const char *text, size_t size, const char *lower)
{
    return strlen(lower) == size && strncasecmp(text, lower, size) == 0;
}

static void trim(const char **text, size_t *size)
{
    while (*size > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*size)--;
    }
    while (*size > 0 && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t')) {
        (*size)--;
    }
}

static enum ht_http_method method_of(const char *text, size_t size)
{
    static const struct {
        const char *name;
        enum ht_http_method method;
    } known[] = {
        {"GET", HT_HTTP_GET},         {"HEAD", HT_HTTP_HEAD},   {"POST", HT_HTTP_POST},
        {"PUT", HT_HTTP_PUT},         {"PATCH", HT_HTTP_PATCH}, {"DELETE", HT_HTTP_DELETE},
        {"OPTIONS", HT_HTTP_OPTIONS},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) == size && memcmp(known[i].name, text, size) == 0) {
            return known[i].method;
        }
    }
    return HT_HTTP_OTHER;
}

/* Absolute form (RFC 9112, 3.2.2): scheme and authority are cut off, the authority stands for Host.
 */
static bool target_normalize(struct ht_http_parser *parser, const char *data)
{
    const char *text = data + parser->target.at;
    size_t size = parser->target.size;
    if (text[0] == '/' || (size == 1 && text[0] == '*' && parser->method == HT_HTTP_OPTIONS)) {
        return true;
    }
    size_t scheme = size > 7 && strncasecmp(text, "http://", 7) == 0    ? 7
                    : size > 8 && strncasecmp(text, "https://", 8) == 0 ? 8
                                                                        : 0;
    if (scheme == 0) {
        return false;
    }
    const char *slash = memchr(text + scheme, '/', size - scheme);
    if (slash == NULL || slash == text + scheme) {
        return false;
    }
    size_t skip = (size_t)(slash - text);
    parser->host = (struct ht_http_span){parser->target.at + scheme, skip - scheme};
    parser->target = (struct ht_http_span){parser->target.at + skip, size - skip};
    return true;
}

/* "HTTP/1.1": 0 and the minor version, or the status that says what is wrong with it. */
static int version_of(const char *text, size_t size, uint8_t *minor)
{
    if (size != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' || text[5] < '0' ||
        text[5] > '9' || text[7] < '0' || text[7] > '9') {
        return 400;
    }
    if (text[5] != '1') {
        return 505;
    }
    *minor = text[7] == '0' ? 0 : 1;
    return 0;
}

static bool target_clean(const char *text, size_t size)
{
    unsigned bad = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        bad |= (unsigned)(c <= 0x20) | (unsigned)(c == 0x7f);
    }
    return bad == 0;
}

/* METHOD SP target SP HTTP/1.x; `end` is past the line without its CRLF. 0 or an error status. */
static int request_line(struct ht_http_parser *parser, const struct ht_http_limits *limits,
                        const char *data, size_t end)
{
    const char *line = data + parser->line;
    size_t size = end - parser->line;
    const char *space = memchr(line, ' ', size);
    if (space == NULL || !all_tokens(line, (size_t)(space - line))) {
        return 400;
    }
    parser->method = method_of(line, (size_t)(space - line));
    const char *target = space + 1;
    const char *rest = memchr(target, ' ', (size_t)(line + size - target));
    if (rest == NULL || rest == target) {
        return 400;
    }
    size_t target_size = (size_t)(rest - target);
    if (target_size > limits->target) {
        return 414;
    }
    int status = version_of(rest + 1, (size_t)(line + size - rest - 1), &parser->minor);
    if (status != 0) {
        return status;
    }
    parser->target = (struct ht_http_span){(size_t)(target - data), target_size};
    if (!target_clean(target, target_size) || !target_normalize(parser, data)) {
        return 400;
    }
    parser->keep_alive = parser->minor == 1;
    return 0;
}

bool ht_http_list_has(const char *list, size_t size, const char *token)
{
    while (size > 0) {
        const char *comma = memchr(list, ',', size);
        size_t item_size = comma == NULL ? size : (size_t)(comma - list);
        const char *item = list;
        list += comma == NULL ? size : item_size + 1;
        size -= comma == NULL ? size : item_size + 1;
        const char *parameter = memchr(item, ';', item_size);
        const char *q = NULL;
        size_t q_size = 0;
        if (parameter != NULL) {
            q = parameter + 1;
            q_size = item_size - (size_t)(q - item);
            item_size = (size_t)(parameter - item);
            trim(&q, &q_size);
        }
        trim(&item, &item_size);
        if (!same(item, item_size, token)) {
            continue;
        }
        bool zero =
            q_size >= 3 && strncasecmp(q, "q=0", 3) == 0 && strspn(q + 3, ".0") >= q_size - 3;
        return !zero;
    }
    return false;
}

/* 0 or an error status. Only digits; a repeated equal length is harmless, another one is not. */
static int content_length(struct ht_http_parser *parser, const char *value, size_t size)
{
    uint64_t length = 0;
    if (size == 0 || size > 18) {
        bool digits = size > 0 && strspn(value, "0123456789") >= size;
        return digits ? 413 : 400;
    }
    for (size_t i = 0; i < size; i++) {
        if (value[i] < '0' || value[i] > '9') {
            return 400;
        }
        length = length * 10 + (uint64_t)(value[i] - '0');
    }
    if (parser->has_length && parser->length != length) {
        return 400;
    }
    parser->has_length = true;
    parser->length = length;
    return 0;
}

static void connection_tokens(struct ht_http_parser *parser, const char *value, size_t size)
{
    if (ht_http_list_has(value, size, "close")) {
        parser->keep_alive = false;
        parser->connection_named = true;
    } else if (!parser->connection_named && ht_http_list_has(value, size, "keep-alive")) {
        parser->keep_alive = true;
    }
}

static int transfer_encoding(struct ht_http_parser *parser, const char *value, size_t size)
{
    if (parser->chunked || parser->minor == 0) {
        return 400;
    }
    if (!same(value, size, "chunked")) {
        return 501;
    }
    parser->chunked = true;
    return 0;
}

static int host_header(struct ht_http_parser *parser, const char *value, struct ht_http_span span)
{
    if (parser->has_host) {
        return 400;
    }
    for (size_t i = 0; i < span.size; i++) {
        if (strchr(" \t/\\@?#,", value[i]) != NULL) {
            return 400;
        }
    }
    parser->has_host = true;
    if (parser->host.size == 0) {
        parser->host = span;
    }
    return 0;
}

/* What a known header means for the request. 0 or an error status. */
static int header_apply(struct ht_http_parser *parser, const char *data, const char *name,
                        size_t name_size, struct ht_http_span span)
{
    const char *value = data + span.at;
    switch (name_size) {
    case 4:
        return same(name, 4, "host") ? host_header(parser, value, span) : 0;
    case 6:
        if (same(name, 6, "expect")) {
            parser->expect_continue = same(value, span.size, "100-continue");
            return parser->expect_continue ? 0 : 417;
        }
        return 0;
    case 10:
        if (same(name, 10, "connection")) {
            connection_tokens(parser, value, span.size);
        }
        return 0;
    case 12:
        if (same(name, 12, "content-type")) {
            parser->content_type = span;
        }
        return 0;
    case 14:
        return same(name, 14, "content-length") ? content_length(parser, value, span.size) : 0;
    case 15:
        if (same(name, 15, "accept-encoding")) {
            parser->gzip = parser->gzip || ht_http_list_has(value, span.size, "gzip");
        }
        return 0;
    case 17:
        return same(name, 17, "transfer-encoding") ? transfer_encoding(parser, value, span.size)
                                                   : 0;
    default:
        return 0;
    }
}

/* Splits data[line .. end) at the colon. False when it is no header line. */
static bool header_split(const char *line, size_t size, size_t *name_size, const char **value,
                         size_t *value_size)
{
    const char *colon = memchr(line, ':', size);
    if (colon == NULL || !all_tokens(line, (size_t)(colon - line))) {
        return false;
    }
    *name_size = (size_t)(colon - line);
    *value = colon + 1;
    *value_size = size - *name_size - 1;
    for (size_t i = 0; i < *value_size; i++) {
        unsigned char c = (unsigned char)(*value)[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    trim(value, value_size);
    return true;
}

/* What the whole head says about the body. */
static enum ht_http_progress head_end(struct ht_http_parser *parser,
                                      const struct ht_http_limits *limits, size_t next)
{
    parser->head.size = parser->line - parser->head.at;
    parser->body = next;
    parser->consumed = next;
    if (parser->minor == 1 && !parser->has_host) {
        return refuse(parser, 400);
    }
    if (parser->chunked) {
        if (parser->has_length) {
            return refuse(parser, 400);
        }
        parser->state = HT_HTTP_AT_CHUNK_SIZE;
        parser->length = 0;
        return HT_HTTP_MORE;
    }
    if (parser->length > limits->body) {
        return refuse(parser, 413);
    }
    parser->state = HT_HTTP_AT_BODY;
    return HT_HTTP_MORE;
}

/* A whole line [parser->line, end), its CRLF before `next`. */
static enum ht_http_progress head_line(struct ht_http_parser *parser,
                                       const struct ht_http_limits *limits, const char *data,
                                       size_t end, size_t next)
{
    if (parser->state == HT_HTTP_AT_LINE) {
        if (end == parser->line) {
            return HT_HTTP_MORE; /* empty lines before a request are to be ignored (RFC 9112, 2.2)
                                  */
        }
        int status = request_line(parser, limits, data, end);
        if (status != 0) {
            return refuse(parser, status);
        }
        parser->state = HT_HTTP_AT_HEAD;
        parser->head.at = next;
        return HT_HTTP_MORE;
    }
    if (next - parser->head.at > limits->head) {
        return refuse(parser, 431);
    }
    if (end == parser->line) {
        return head_end(parser, limits, next);
    }
    const char *line = data + parser->line;
    const char *value = NULL;
    size_t name_size = 0;
    size_t value_size = 0;
    if (!header_split(line, end - parser->line, &name_size, &value, &value_size)) {
        return refuse(parser, 400);
    }
    int status = header_apply(parser, data, line, name_size,
                              (struct ht_http_span){(size_t)(value - data), value_size});
    return status == 0 ? HT_HTTP_MORE : refuse(parser, status);
}

/* The line end at or after `scanned`: *end without CRLF, *next behind it. False: not yet there.
 * A LF without CR sets *bad. */
static bool line_find(struct ht_http_parser *parser, const char *data, size_t size, size_t *end,
                      bool *bad)
{
    const char *lf = size > parser->scanned
                         ? memchr(data + parser->scanned, '\n', size - parser->scanned)
                         : NULL;
    if (lf == NULL) {
        parser->scanned = size;
        return false;
    }
    *end = (size_t)(lf - data);
    *bad = *end == parser->line || data[*end - 1] != '\r';
    return true;
}

static enum ht_http_progress head_unfinished(struct ht_http_parser *parser,
                                             const struct ht_http_limits *limits, const char *data,
                                             size_t size)
{
    if (parser->state == HT_HTTP_AT_HEAD) {
        return size - parser->head.at > limits->head ? refuse(parser, 431) : HT_HTTP_MORE;
    }
    size_t line_size = size - parser->line;
    if (line_size > limits->target + REQUEST_LINE_REST) {
        return refuse(parser, 414);
    }
    if (line_size > 0 && data[parser->line] != '\r' &&
        !is_token((unsigned char)data[parser->line])) {
        return refuse(parser, 400); /* a TLS greeting never sends the line end we would wait for */
    }
    return HT_HTTP_MORE;
}

static enum ht_http_progress parse_head(struct ht_http_parser *parser,
                                        const struct ht_http_limits *limits, const char *data,
                                        size_t size)
{
    while (parser->state == HT_HTTP_AT_LINE || parser->state == HT_HTTP_AT_HEAD) {
        size_t end = 0;
        bool bad = false;
        if (!line_find(parser, data, size, &end, &bad)) {
            return head_unfinished(parser, limits, data, size);
        }
        if (bad || (parser->state == HT_HTTP_AT_LINE && parser->line > CHUNK_LINE_MAX)) {
            return refuse(parser, 400);
        }
        enum ht_http_progress progress = head_line(parser, limits, data, end - 1, end + 1);
        if (progress == HT_HTTP_BAD) {
            return progress;
        }
        parser->line = end + 1;
        parser->scanned = end + 1;
    }
    return HT_HTTP_MORE;
}

static enum ht_http_progress parse_body(struct ht_http_parser *parser, size_t size)
{
    uint64_t there = size - parser->body;
    if (there < parser->length) {
        parser->body_size = (size_t)there;
        return HT_HTTP_MORE;
    }
    parser->body_size = (size_t)parser->length;
    parser->consumed = parser->body + parser->body_size;
    parser->state = HT_HTTP_AT_END;
    return HT_HTTP_READY;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a;extension": 0 or an error status. */
static int chunk_size(struct ht_http_parser *parser, const struct ht_http_limits *limits,
                      const char *line, size_t size)
{
    uint64_t length = 0;
    size_t digits = 0;
    while (digits < size && hex_digit(line[digits]) >= 0) {
        if (digits == CHUNK_DIGITS_MAX) {
            return 413;
        }
        length = length << 4 | (uint64_t)hex_digit(line[digits]);
        digits++;
    }
    if (digits == 0 || (digits < size && line[digits] != ';')) {
        return 400;
    }
    for (size_t i = digits; i < size; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c == 0x7f) {
            return 400;
        }
    }
    if (length > limits->body || parser->body_size + length > limits->body) {
        return 413;
    }
    parser->length = length;
    parser->state = length == 0 ? HT_HTTP_AT_TRAILER : HT_HTTP_AT_CHUNK;
    return 0;
}

/* A whole line of chunk framing: its size, the empty end, or a trailer. */
static int chunk_line(struct ht_http_parser *parser, const struct ht_http_limits *limits,
                      const char *data, size_t end)
{
    const char *line = data + parser->line;
    size_t size = end - parser->line;
    if (parser->state == HT_HTTP_AT_CHUNK_SIZE) {
        return size > CHUNK_LINE_MAX ? 400 : chunk_size(parser, limits, line, size);
    }
    if (parser->state == HT_HTTP_AT_CHUNK_END) {
        parser->state = HT_HTTP_AT_CHUNK_SIZE;
        return size == 0 ? 0 : 400;
    }
    if (size == 0) {
        parser->state = HT_HTTP_AT_END;
        return 0;
    }
    const char *value = NULL;
    size_t name_size = 0;
    size_t value_size = 0;
    if (!header_split(line, size, &name_size, &value, &value_size)) {
        return 400;
    }
    parser->trailer_size += size + 2;
    return parser->head.size + parser->trailer_size > limits->head ? 431 : 0;
}

static void chunk_take(struct ht_http_parser *parser, char *data, size_t size)
{
    size_t there = size - parser->line;
    size_t take = parser->length < there ? (size_t)parser->length : there;
    memmove(data + parser->body + parser->body_size, data + parser->line, take);
    parser->body_size += take;
    parser->line += take;
    parser->scanned = parser->line;
    parser->length -= take;
    if (parser->length == 0) {
        parser->state = HT_HTTP_AT_CHUNK_END;
    }
}

/* A line of framing that has not ended may only be so long. */
static bool chunk_line_fits(const struct ht_http_parser *parser,
                            const struct ht_http_limits *limits, size_t size)
{
    size_t line_size = size - parser->line;
    if (parser->state == HT_HTTP_AT_CHUNK_END) {
        return line_size <= 1;
    }
    return parser->state == HT_HTTP_AT_TRAILER
               ? parser->head.size + parser->trailer_size + line_size <= limits->head
               : line_size <= CHUNK_LINE_MAX;
}

static enum ht_http_progress parse_chunks(struct ht_http_parser *parser,
                                          const struct ht_http_limits *limits, char *data,
                                          size_t *size)
{
    while (parser->state != HT_HTTP_AT_END) {
        if (parser->state == HT_HTTP_AT_CHUNK) {
            chunk_take(parser, data, *size);
            if (parser->state == HT_HTTP_AT_CHUNK) {
                break;
            }
        }
        size_t end = 0;
        bool bad = false;
        if (!line_find(parser, data, *size, &end, &bad)) {
            if (!chunk_line_fits(parser, limits, *size)) {
                return refuse(parser, parser->state == HT_HTTP_AT_TRAILER ? 431 : 400);
            }
            break;
        }
        int status = bad ? 400 : chunk_line(parser, limits, data, end - 1);
        if (status != 0) {
            return refuse(parser, status);
        }
        parser->line = end + 1;
        parser->scanned = end + 1;
    }
    if (parser->state == HT_HTTP_AT_END) {
        parser->consumed = parser->line;
        return HT_HTTP_READY;
    }
    /* Close the gap that the framing left, so that one-byte chunks can't blow up the buffer. */
    size_t body_end = parser->body + parser->body_size;
    size_t gap = parser->line - body_end;
    memmove(data + body_end, data + parser->line, *size - parser->line);
    *size -= gap;
    parser->line -= gap;
    parser->scanned -= gap;
    return HT_HTTP_MORE;
}

enum ht_http_progress ht_http_parse(struct ht_http_parser *parser,
                                    const struct ht_http_limits *limits, char *data, size_t *size)
{
    if (parser->error_status != 0) {
        return HT_HTTP_BAD;
    }
    if (parser->state == HT_HTTP_AT_LINE || parser->state == HT_HTTP_AT_HEAD) {
        enum ht_http_progress progress = parse_head(parser, limits, data, *size);
        if (progress == HT_HTTP_BAD || parser->state == HT_HTTP_AT_LINE ||
            parser->state == HT_HTTP_AT_HEAD) {
            return progress;
        }
    }
    if (parser->state == HT_HTTP_AT_BODY) {
        return parse_body(parser, *size);
    }
    return parser->state == HT_HTTP_AT_END ? HT_HTTP_READY
                                           : parse_chunks(parser, limits, data, size);
}

static const char *span_text(const char *data, struct ht_http_span span)
{
    return span.at == 0 ? NULL : data + span.at;
}

void ht_http_request_of(const struct ht_http_parser *parser, const char *data,
                        struct ht_http_request *out)
{
    *out = (struct ht_http_request){
        .method = parser->method,
        .minor = parser->minor,
        .keep_alive = parser->keep_alive,
        .gzip = parser->gzip,
        .target = data + parser->target.at,
        .target_size = parser->target.size,
        .host = span_text(data, parser->host),
        .host_size = parser->host.size,
        .content_type = span_text(data, parser->content_type),
        .content_type_size = parser->content_type.size,
        .head = data + parser->head.at,
        .head_size = parser->head.size,
        .body = data + parser->body,
        .body_size = parser->body_size,
    };
    const char *query = memchr(out->target, '?', out->target_size);
    out->path_size = query == NULL ? out->target_size : (size_t)(query - out->target);
}

const char *ht_http_header(const struct ht_http_request *request, const char *name, size_t *size)
{
    const char *line = request->head;
    const char *end = request->head + request->head_size;
    while (line < end) {
        const char *lf = memchr(line, '\n', (size_t)(end - line));
        if (lf == NULL) {
            break;
        }
        const char *value = NULL;
        size_t name_size = 0;
        if (header_split(line, (size_t)(lf - 1 - line), &name_size, &value, size) &&
            same(line, name_size, name)) {
            return value;
        }
        line = lf + 1;
    }
    return NULL;
}
