#include "api/http_answer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

enum {
    GZIP_LEAST = 1024,
    GZIP_LEVEL = 1,
    GZIP_WINDOW = 15 + 16, /* zlib: 16 asks for the gzip wrapper */
    GZIP_MEMORY = 8,
    HEAD_ROOM = 768, /* the longest head we write, without Allow and Content-Type */
};

static char *put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

static char *put_text(char *at, const char *text)
{
    return put(at, text, strlen(text));
}

static char *put_number(char *at, uint64_t value)
{
    char digits[20];
    size_t used = 0;
    do {
        digits[sizeof digits - ++used] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return put(at, digits + sizeof digits - used, used);
}

static char *put_two(char *at, int value)
{
    *at++ = (char)('0' + value / 10 % 10);
    *at++ = (char)('0' + value % 10);
    return at;
}

void ht_http_date(int64_t unix_s, char out[HT_HTTP_DATE_SIZE])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t seconds = (time_t)unix_s;
    struct tm t = {0};
    (void)gmtime_r(&seconds, &t);
    int year = t.tm_year + 1900;
    char *at = put(out, days + (size_t)t.tm_wday * 3, 3);
    at = put(at, ", ", 2);
    at = put_two(at, t.tm_mday);
    *at++ = ' ';
    at = put(at, months + (size_t)t.tm_mon * 3, 3);
    *at++ = ' ';
    at = put_two(at, year / 100);
    at = put_two(at, year % 100);
    *at++ = ' ';
    at = put_two(at, t.tm_hour);
    *at++ = ':';
    at = put_two(at, t.tm_min);
    *at++ = ':';
    at = put_two(at, t.tm_sec);
    at = put(at, " GMT", 4);
    *at = '\0';
}

const char *ht_http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].status == status) {
            return texts[i].text;
        }
    }
    return "";
}

static char *put_status(char *at, int status)
{
    if (status == 200) {
        return put(at, "HTTP/1.1 200 OK\r\n", 17);
    }
    at = put(at, "HTTP/1.1 ", 9);
    at = put_number(at, (uint64_t)status);
    *at++ = ' ';
    at = put_text(at, ht_http_status_text(status));
    return put(at, "\r\n", 2);
}

static char *put_header(char *at, const char *name, const char *value)
{
    at = put_text(at, name);
    at = put(at, ": ", 2);
    at = put_text(at, value);
    return put(at, "\r\n", 2);
}

static char *put_cors(char *at, const struct ht_http_form *form)
{
    at = put_text(at, "Access-Control-Allow-Origin: *\r\n");
    if (form->method == HT_HTTP_OPTIONS) {
        at = put_text(at, "Access-Control-Allow-Methods: GET\r\n"
                          "Access-Control-Allow-Headers: X-Requested-With, Content-Type\r\n"
                          "Access-Control-Max-Age: 86400\r\n");
    }
    return at;
}

static char *put_rare(char *at, const struct ht_http_form *form, const struct ht_reply *reply)
{
    if (reply->allow != NULL) {
        at = put_header(at, "Allow", reply->allow);
    }
    if (reply->retry_after_s > 0) {
        at = put_text(at, "Retry-After: ");
        at = put_number(at, (uint64_t)reply->retry_after_s);
        at = put(at, "\r\n", 2);
    }
    if (reply->challenge) {
        at = put_header(at, "WWW-Authenticate", "Bearer");
    }
    if (reply->etag[0] != '\0') {
        at = put_text(at, "ETag: \"");
        at = put_text(at, reply->etag);
        at = put(at, "\"\r\n", 3);
    }
    if (reply->location[0] != '\0') {
        at = put_header(at, "Location", reply->location);
    }
    if (reply->content_crs != NULL) {
        at = put_header(at, "Content-Crs", reply->content_crs);
    }
    if (reply->headers != NULL) {
        at = put_text(at, reply->headers);
    }
    if (reply->no_store) {
        at = put_text(at, "Cache-Control: no-store\r\n");
    }
    bool zipped = form->zipped || reply->zipped;
    if (zipped) {
        at = put_text(at, "Content-Encoding: gzip\r\n");
    }
    if (zipped || reply->body.size > GZIP_LEAST) {
        at = put_text(at, "Vary: Accept-Encoding\r\n");
    }
    return at;
}

static char *put_length(char *at, size_t size)
{
    at = put(at, "Content-Length: ", 16);
    at = put_number(at, size);
    return put(at, "\r\n", 2);
}

/* The last is what nginx asks for to pass chunks on at once. */
static char *put_stream(char *at)
{
    return put_text(at, "Transfer-Encoding: chunked\r\nCache-Control: no-store\r\n"
                        "X-Accel-Buffering: no\r\n");
}

void ht_http_head_write(struct ht_buffer *out, const struct ht_http_form *form,
                        const struct ht_reply *reply, const char *date)
{
    size_t room = HEAD_ROOM + strlen(reply->content_type) +
                  (reply->allow == NULL ? 0 : strlen(reply->allow)) + sizeof reply->etag +
                  sizeof reply->location +
                  (reply->content_crs == NULL ? 0 : strlen(reply->content_crs)) +
                  (reply->headers == NULL ? 0 : strlen(reply->headers));
    char *begin = ht_buffer_reserve(out, room);
    if (begin == NULL) {
        return;
    }
    char *at = put_status(begin, reply->status);
    if (reply->status != 204 && reply->status != 304) { /* they have no body (RFC 9110, 8.6) */
        at = put(at, "Content-Type: ", 14);
        at = put_text(at, reply->content_type);
        at = put(at, "\r\n", 2);
        at = form->stream ? put_stream(at) : put_length(at, reply->body.size);
    }
    at = put(at, "Date: ", 6);
    at = put(at, date, HT_HTTP_DATE_SIZE - 1);
    at = put(at, "\r\n", 2);
    if (reply->cors) {
        at = put_cors(at, form);
    }
    at = put_rare(at, form, reply);
    if (!form->keep_alive) {
        at = put(at, "Connection: close\r\n", 19);
    } else if (form->minor == 0) {
        at = put(at, "Connection: keep-alive\r\n", 24);
    }
    at = put(at, "\r\n", 2);
    ht_buffer_advance(out, (size_t)(at - begin));
}

struct ht_gzip {
    z_stream stream;
    struct ht_buffer out;
};

enum ht_status ht_gzip_new(struct ht_gzip **out)
{
    struct ht_gzip *gzip = calloc(1, sizeof *gzip);
    if (gzip == NULL) {
        return HT_NOMEM;
    }
    if (deflateInit2(&gzip->stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(gzip);
        return HT_NOMEM;
    }
    *out = gzip;
    return HT_OK;
}

void ht_gzip_free(struct ht_gzip *gzip)
{
    if (gzip != NULL) {
        (void)deflateEnd(&gzip->stream);
        ht_buffer_deinit(&gzip->out);
        free(gzip);
    }
}

bool ht_gzip_worth(const struct ht_http_form *form, const struct ht_reply *reply)
{
    return form->gzip && !form->zipped && !reply->zipped && reply->body.size > GZIP_LEAST &&
           reply->body.size <= UINT32_MAX && !reply->body.failed;
}

void ht_gzip_apply(struct ht_gzip *gzip, struct ht_http_form *form, struct ht_reply *reply)
{
    z_stream *stream = &gzip->stream;
    ht_buffer_clear(&gzip->out);
    /* No room for more than the plain body: what does not fit was not worth it. */
    char *to = ht_buffer_reserve(&gzip->out, reply->body.size);
    if (to == NULL || deflateReset(stream) != Z_OK) {
        return;
    }
    stream->next_in = (Bytef *)reply->body.data;
    stream->avail_in = (uInt)reply->body.size;
    stream->next_out = (Bytef *)to;
    stream->avail_out = (uInt)reply->body.size;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) {
        return;
    }
    ht_buffer_advance(&gzip->out, stream->total_out);
    /* The two buffers change places, so both keep their memory for the next answer. */
    struct ht_buffer plain = reply->body;
    size_t limit = plain.limit;
    reply->body = gzip->out;
    reply->body.limit = limit;
    gzip->out = plain;
    gzip->out.limit = 0;
    form->zipped = true;
}
