/* Reply: the answer that a handler fills, and the byte buffer underneath.
 *
 * Threading: one reply belongs to one thread at a time. Ownership: the buffer owns its bytes; it is
 * reused from request to request. Errors: a buffer that can't grow (or passes its cap) turns
 * `failed` and ignores what follows; the server then answers 503.
 */
#ifndef HT_API_REPLY_H
#define HT_API_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_buffer {
    char *data;
    size_t size;
    size_t capacity;
    size_t limit; /* cap in bytes; 0: none */
    bool failed;
};

void ht_buffer_deinit(struct ht_buffer *buffer);
void ht_buffer_clear(struct ht_buffer *buffer);
/* Room for `extra` more bytes where there is too little; NULL: it failed, now or before. */
char *ht_buffer_grow(struct ht_buffer *buffer, size_t extra);
/* Room for `extra` more bytes, or NULL; advance with ht_buffer_advance. */
static inline char *ht_buffer_reserve(struct ht_buffer *buffer, size_t extra)
{
    if (buffer->failed || buffer->data == NULL || extra > buffer->capacity - buffer->size) {
        return ht_buffer_grow(buffer, extra);
    }
    return buffer->data + buffer->size;
}
static inline void ht_buffer_advance(struct ht_buffer *buffer, size_t written)
{
    buffer->size += written;
}
void ht_buffer_append(struct ht_buffer *buffer, const void *bytes, size_t size);
void ht_buffer_text(struct ht_buffer *buffer, const char *text);

struct ht_reply {
    int status;               /* HTTP status, 200 at first */
    const char *content_type; /* static text */
    const char *allow;        /* for 405, static text; else NULL */
    int retry_after_s;        /* for 429 and 503; 0: none */
    bool cors;                /* pages of any origin may read it */
    bool no_store;            /* nobody on the way may keep it */
    bool zipped;              /* the body is gzip already, and the client takes it */
    bool challenge;           /* for 401: says that a bearer token is wanted */
    char etag[32];            /* without quotes; "" none */
    char location[224];       /* for 201; "" none */
    const char *content_crs;  /* URI within <>; static or the handler's; NULL none */
    const char *headers;      /* whole lines, each with its CRLF; static; NULL none */
    struct ht_buffer body;
};

/* status 200, application/json, no other header, body emptied but kept. */
void ht_reply_reset(struct ht_reply *reply);
void ht_reply_deinit(struct ht_reply *reply);

/* RFC 9457 problem+json. `detail` may be NULL. 429 and 503 may be tried again after a second. */
void ht_reply_problem(struct ht_reply *reply, int status, const char *title, const char *detail);

/* Says where in the body a problem, written before, lies: `errors` with one entry, a JSON pointer
 * ("" the whole), or where that is NULL a line. */
void ht_reply_where(struct ht_reply *reply, const char *pointer, int64_t line, const char *detail);

#endif
