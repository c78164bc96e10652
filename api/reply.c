#include "api/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/json.h"
#include "engine/base/text.h"

enum { BUFFER_FIRST = 1024 };

void ht_buffer_deinit(struct ht_buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct ht_buffer){.limit = buffer->limit};
}

void ht_buffer_clear(struct ht_buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

static bool buffer_grow(struct ht_buffer *buffer, size_t extra)
{
    if (extra > SIZE_MAX / 2 - buffer->size) {
        return false;
    }
    size_t want = buffer->size + extra;
    if (buffer->limit != 0 && want > buffer->limit) {
        return false;
    }
    size_t capacity = buffer->capacity < BUFFER_FIRST ? BUFFER_FIRST : buffer->capacity;
    while (capacity < want) {
        capacity *= 2;
    }
    if (buffer->limit != 0 && capacity > buffer->limit) {
        capacity = buffer->limit;
    }
    char *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

char *ht_buffer_grow(struct ht_buffer *buffer, size_t extra)
{
    if (buffer->failed || !buffer_grow(buffer, extra)) {
        buffer->failed = true;
        return NULL;
    }
    return buffer->data + buffer->size;
}

void ht_buffer_append(struct ht_buffer *buffer, const void *bytes, size_t size)
{
    char *at = ht_buffer_reserve(buffer, size);
    if (at != NULL && size > 0) {
        memcpy(at, bytes, size);
        buffer->size += size;
    }
}

void ht_buffer_text(struct ht_buffer *buffer, const char *text)
{
    ht_buffer_append(buffer, text, strlen(text));
}

void ht_reply_reset(struct ht_reply *reply)
{
    reply->status = 200;
    reply->content_type = "application/json; charset=UTF-8";
    reply->allow = NULL;
    reply->retry_after_s = 0;
    reply->cors = false;
    reply->challenge = false;
    reply->no_store = false;
    reply->etag[0] = '\0';
    reply->location[0] = '\0';
    reply->content_crs = NULL;
    reply->headers = NULL;
    reply->zipped = false;
    ht_buffer_clear(&reply->body);
}

void ht_reply_deinit(struct ht_reply *reply)
{
    ht_buffer_deinit(&reply->body);
}

/* A text of a problem, which may have been cut within a character. */
static void told(struct ht_json *json, const char *key, const char *text)
{
    char copy[1024];
    (void)snprintf(copy, sizeof copy, "%s", text);
    (void)ht_utf8_mend(copy);
    ht_json_key_text(json, key, copy);
}

/* What a status means where nobody has more to say of it. */
static const char *usual_detail(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {400, "the request is not well formed"},
        {404, "there is nothing at this path"},
        {405, "this path does not take the method; Allow names those that it takes"},
        {408, "the request did not come to its end in time"},
        {413, "the body is larger than this path takes"},
        {414, "the target of the request is too long"},
        {431, "the header fields are too long"},
        {501, "no such method or transfer coding is understood"},
        {503, "short of memory or room for connections; try again"},
        {505, "HTTP/1.0 and HTTP/1.1 are spoken"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (texts[i].status == status) {
            return texts[i].text;
        }
    }
    return NULL;
}

void ht_reply_problem(struct ht_reply *reply, int status, const char *title, const char *detail)
{
    detail = detail == NULL ? usual_detail(status) : detail;
    reply->status = status;
    reply->content_type = "application/problem+json";
    reply->retry_after_s = status == 503 || status == 429 ? 1 : 0;
    reply->headers = NULL;
    reply->zipped = false;
    ht_buffer_clear(&reply->body);
    struct ht_json json;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "about:blank");
    ht_json_key_text(&json, "title", title);
    ht_json_key_int(&json, "status", status);
    if (detail != NULL) {
        told(&json, "detail", detail);
    }
    ht_json_object_end(&json);
}

void ht_reply_where(struct ht_reply *reply, const char *pointer, int64_t line, const char *detail)
{
    struct ht_buffer *body = &reply->body;
    if (body->failed || body->size == 0 || body->data[body->size - 1] != '}') {
        return;
    }
    body->size--; /* within the object */
    struct ht_json json = {.out = body, .comma = true};
    ht_json_key(&json, "errors");
    ht_json_array(&json);
    ht_json_object(&json);
    if (pointer != NULL) {
        told(&json, "pointer", pointer);
    } else {
        ht_json_key_int(&json, "line", line);
    }
    told(&json, "detail", detail);
    ht_json_object_end(&json);
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}
