/* Post: one HTTP POST to somebody else's server, http or https (libevent's client underneath).
 *
 * The whole of it has ten seconds, redirects are not followed, of the answer only its status
 * counts. Certificates of https are checked against the machine's authorities and the host's name.
 *
 * Threading: all on the loop of one thread. Ownership: url, headers and body are copied.
 */
#ifndef HT_API_POST_H
#define HT_API_POST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

struct event_base;
struct ht_poster;

/* Where to. */
enum { HT_URL_MAX = 2048 };
struct ht_url {
    bool tls;
    uint16_t port;
    char host[256];              /* without brackets */
    char authority[272];         /* as the Host header has it */
    char target[HT_URL_MAX + 1]; /* path and query */
};
/* HT_INVALID: `error` says why in words. Names and passwords in it are refused. */
HT_MUST_CHECK enum ht_status ht_url_read(const char *text, struct ht_url *url,
                                         struct ht_error *error);

HT_MUST_CHECK enum ht_status ht_poster_new(struct event_base *base, struct ht_poster **out);
/* After its posts. */
void ht_poster_free(struct ht_poster *poster);

struct ht_post_header {
    const char *name;
    const char *value;
};
struct ht_post_ask {
    const struct ht_url *url;
    const struct ht_post_header *headers;
    size_t header_count;
    const char *body;
    size_t body_size;
    /* `status`: HTTP's, 0 where none came: `error` (static) says why. It may free the post. */
    void (*done)(void *user, int status, const char *error);
    void *user;
};
struct ht_post;
/* Sends it; `done` is called once, later, unless it is freed before. */
HT_MUST_CHECK enum ht_status ht_post_new(struct ht_poster *poster, const struct ht_post_ask *ask,
                                         struct ht_post **out);
void ht_post_free(struct ht_post *post);

#endif
