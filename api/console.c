#include "api/console.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

#include "api/embedded.h"
#include "api/if_match.h"

/* MapLibre's worker is a file of ours; it draws glyphs and pictures by itself, from blobs. */
#define POLICY                                                                                     \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "worker-src 'self' blob:; child-src blob:; img-src 'self' data: blob:; connect-src 'self'; "   \
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"         \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cross-Origin-Opener-Policy: same-origin\r\n"
#define SECRET_HEADERS POLICY "Vary: Accept\r\n" /* with a no-store of the reply's own */
#define PAGE_HEADERS SECRET_HEADERS "Cache-Control: no-cache\r\n"
#define FILE_HEADERS POLICY "Cache-Control: public, max-age=31536000, immutable\r\n"

enum { GZIP_WINDOW = 15 + 16 }; /* zlib: 16 says that it is gzip */

static const struct ht_console_file *file_find(const char *name, size_t size)
{
    for (size_t i = 0; i < ht_console_file_count; i++) {
        if (strlen(ht_console_files[i].name) == size &&
            memcmp(ht_console_files[i].name, name, size) == 0) {
            return &ht_console_files[i];
        }
    }
    return NULL;
}

/* Undoes the compression. False: the buffer has no room. */
static bool unpack(const struct ht_console_file *file, struct ht_buffer *out)
{
    z_stream stream = {0};
    char *to = ht_buffer_reserve(out, file->size);
    if (to == NULL || inflateInit2(&stream, GZIP_WINDOW) != Z_OK) {
        return false;
    }
    stream.next_in = file->packed;
    stream.avail_in = (uInt)file->packed_size;
    stream.next_out = (Bytef *)to;
    stream.avail_out = (uInt)file->size;
    bool whole = inflate(&stream, Z_FINISH) == Z_STREAM_END;
    (void)inflateEnd(&stream);
    if (whole) {
        ht_buffer_advance(out, file->size);
    }
    return whole;
}

static void head_fill(const struct ht_console_file *file, struct ht_reply *reply)
{
    reply->content_type = file->type;
    const char *page = reply->no_store ? SECRET_HEADERS : PAGE_HEADERS;
    reply->headers = file->page ? page : FILE_HEADERS;
    memcpy(reply->etag, file->etag, strlen(file->etag) + 1);
}

/* For clients that don't take gzip. */
static void plain_answer(const struct ht_console_file *file, struct ht_reply *reply)
{
    head_fill(file, reply);
    if (!unpack(file, &reply->body)) {
        reply->etag[0] = '\0';
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
    }
}

/* A worker's, since a script may be a megabyte. */
static void plain_run(void *user, void *data, struct ht_reply *reply)
{
    const struct ht_console_file *const *file = data;
    (void)user;
    plain_answer(*file, reply);
}

static void plain_start(struct ht_http_call *call, const struct ht_console_file *file)
{
    const struct ht_console_file **data = malloc(sizeof(const struct ht_console_file *));
    if (data == NULL) {
        call->reply->etag[0] = '\0';
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    *data = file;
    call->job = (struct ht_http_job){.run = plain_run, .free = free, .data = (void *)data};
}

static void file_answer(struct ht_http_call *call, const struct ht_console_file *file)
{
    const struct ht_http_request *request = call->request;
    struct ht_reply *reply = call->reply;
    size_t size = 0;
    const char *have = ht_http_header(request, "if-none-match", &size);
    head_fill(file, reply);
    if (have != NULL && ht_if_none_match_has(have, size, file->etag)) {
        reply->status = 304;
    } else if (request->gzip) {
        reply->zipped = true;
        ht_buffer_append(&reply->body, file->packed, file->packed_size);
    } else if (file->page) {
        plain_answer(file, reply); /* a page is small */
    } else {
        plain_start(call, file);
    }
}

bool ht_console_wanted(const struct ht_http_call *call)
{
    size_t size = 0;
    const char *accept = ht_http_header(call->request, "accept", &size);
    return accept != NULL && ht_http_list_has(accept, size, "text/html");
}

bool ht_console_page(struct ht_http_call *call, const char *name)
{
    const struct ht_console_file *file = file_find(name, strlen(name));
    if (file != NULL) {
        file_answer(call, file);
    }
    return file != NULL;
}

void ht_console_front(struct ht_http_call *call)
{
    if (!ht_console_page(call, "index.html")) {
        call->reply->content_type = "text/html; charset=utf-8";
        call->reply->headers = "X-Content-Type-Options: nosniff\r\nVary: Accept\r\n";
        ht_buffer_append(&call->reply->body, ht_landing_html, ht_landing_html_size);
    }
}

void ht_console_get(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_http_span *span = &call->params[0];
    const struct ht_console_file *file = file_find(call->request->target + span->at, span->size);
    (void)context;
    if (file != NULL && !file->page) {
        file_answer(call, file);
    } else {
        ht_reply_problem(call->reply, 404, "Not Found",
                         ht_console_file_count == 0 ? "this server was built without the console"
                                                    : "the console has no such file (any more)");
    }
}
