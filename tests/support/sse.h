/* A blocking reader of server-sent events (WHATWG HTML, 9.2) in chunks.
 *
 * Include it after tests/support/http_client.h. Each reader belongs to one thread. Checks nothing:
 * what it finds wrong ends the stream with `broken` set.
 */
#ifndef HT_TESTS_SUPPORT_SSE_H
#define HT_TESTS_SUPPORT_SSE_H

#include "tests/support/http_client.h"

struct ht_sse {
    struct ht_client client;
    int status;
    bool ended;  /* the last chunk came */
    bool broken; /* cut off, or not in the form */
    char head[2048];
    char *text; /* undone chunks that are no whole event yet */
    size_t size;
    size_t capacity;
    size_t used; /* of them, given out already */
    size_t comments;
    /* the event */
    char event[64];
    char id[32]; /* "" none */
    char *data;
};

/* Sends the request on a connected client. `headers`: whole lines. False: not 200. */
static inline bool ht_sse_ask(struct ht_sse *sse, const char *target, const char *headers)
{
    char text[2048];
    int why = 0;
    const char *end = NULL;
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n", target,
                   headers);
    if (!ht_client_text(&sse->client, text)) {
        return false;
    }
    while ((end = memmem(sse->client.buffer, sse->client.have, "\r\n\r\n", 4)) == NULL) {
        if (!ht_client_fill(&sse->client, &why)) {
            return false;
        }
    }
    size_t size = (size_t)(end - sse->client.buffer);
    if (size >= sizeof sse->head) {
        return false;
    }
    memcpy(sse->head, sse->client.buffer, size);
    ht_client_drop(&sse->client, size + 4);
    sse->status = (int)strtol(sse->head + 9, NULL, 10);
    return sse->status == 200;
}

static inline bool ht_sse_open(struct ht_sse *sse, uint16_t to, const char *target,
                               const char *headers)
{
    memset(sse, 0, sizeof *sse);
    return ht_client_open(&sse->client, to) && ht_sse_ask(sse, target, headers);
}

static inline void ht_sse_close(struct ht_sse *sse)
{
    ht_client_close(&sse->client);
    free(sse->text);
    sse->text = NULL;
}

/* Moves one chunk's bytes from the client's buffer behind the text. */
static inline bool ht_sse_chunk(struct ht_sse *sse)
{
    int why = 0;
    const char *line = NULL;
    while ((line = memmem(sse->client.buffer, sse->client.have, "\r\n", 2)) == NULL) {
        if (!ht_client_fill(&sse->client, &why)) {
            return false;
        }
    }
    char *end = NULL;
    size_t left = strtoul(sse->client.buffer, &end, 16);
    if (end != line) {
        return false;
    }
    sse->ended = left == 0;
    ht_client_drop(&sse->client, (size_t)(line - sse->client.buffer) + 2);
    if (sse->size + left + 1 > sse->capacity) {
        char *grown = realloc(sse->text, (sse->size + left + 1) * 2);
        if (grown == NULL) {
            return false;
        }
        sse->text = grown;
        sse->capacity = (sse->size + left + 1) * 2;
    }
    if (sse->text == NULL) {
        return false;
    }
    for (left += 2; left > 0;) { /* with its line end */
        if (sse->client.have == 0 && !ht_client_fill(&sse->client, &why)) {
            return false;
        }
        size_t take = sse->client.have < left ? sse->client.have : left;
        size_t body = left > 2 ? left - 2 : 0;
        size_t keep = take < body ? take : body;
        memcpy(sse->text + sse->size, sse->client.buffer, keep);
        sse->size += keep;
        ht_client_drop(&sse->client, take);
        left -= take;
    }
    sse->text[sse->size] = '\0';
    return true;
}

static inline void ht_sse_field(struct ht_sse *sse, char *line)
{
    if (strncmp(line, "event: ", 7) == 0) {
        (void)snprintf(sse->event, sizeof sse->event, "%s", line + 7);
    } else if (strncmp(line, "id: ", 4) == 0) {
        (void)snprintf(sse->id, sizeof sse->id, "%s", line + 4);
    } else if (strncmp(line, "data: ", 6) == 0) {
        sse->data = line + 6;
    } else if (line[0] == ':') {
        sse->comments++;
    }
}

/* The next event with data into event, id and data; they live until the next call. False: the
 * stream has ended, or nothing came for thirty seconds. */
static inline bool ht_sse_next(struct ht_sse *sse)
{
    for (;;) {
        char *begin = sse->text == NULL ? NULL : sse->text + sse->used;
        char *end = begin == NULL ? NULL : strstr(begin, "\n\n");
        if (end == NULL) {
            if (sse->used > 0 && begin != NULL) {
                memmove(sse->text, sse->text + sse->used, sse->size - sse->used + 1);
                sse->size -= sse->used;
                sse->used = 0;
            }
            if (sse->ended || !ht_sse_chunk(sse)) {
                sse->broken = !sse->ended;
                return false;
            }
            continue;
        }
        *end = '\0';
        sse->used = (size_t)(end - sse->text) + 2;
        sse->event[0] = '\0';
        sse->id[0] = '\0';
        sse->data = NULL;
        char *rest = NULL;
        for (char *line = strtok_r(begin, "\n", &rest); line != NULL;
             line = strtok_r(NULL, "\n", &rest)) {
            ht_sse_field(sse, line);
        }
        if (sse->data != NULL) {
            return true;
        }
    }
}

#endif
