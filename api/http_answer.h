/* Answer: from a reply to the bytes on the wire: status line, headers, gzip.
 *
 * Threading: one ht_gzip for each thread.
 */
#ifndef HT_API_HTTP_ANSWER_H
#define HT_API_HTTP_ANSWER_H

#include "api/http_parse.h"
#include "api/reply.h"
#include "engine/base/status.h"

/* What of the request decides how its answer is written. */
struct ht_http_form {
    enum ht_http_method method;
    uint8_t minor;
    bool keep_alive;
    bool gzip;   /* the client takes it */
    bool zipped; /* the body already is */
    bool stream; /* the body is what comes after, in chunks */
};

/* "Thu, 01 Jan 1970 00:00:00 GMT" of a Unix time (RFC 9110, 5.6.7): 29 bytes and a NUL. */
enum { HT_HTTP_DATE_SIZE = 30 };
void ht_http_date(int64_t unix_s, char out[HT_HTTP_DATE_SIZE]);

/* The reason phrase of a status; "" for one we don't use. */
const char *ht_http_status_text(int status);

/* Appends status line and headers for a reply whose body stands as it will be sent. `date` as
 * above. */
void ht_http_head_write(struct ht_buffer *out, const struct ht_http_form *form,
                        const struct ht_reply *reply, const char *date);

struct ht_gzip;
HT_MUST_CHECK enum ht_status ht_gzip_new(struct ht_gzip **out);
void ht_gzip_free(struct ht_gzip *gzip);

/* True when compressing this reply for this client is worth it: it asked, and there are more than 1
 * KiB. */
bool ht_gzip_worth(const struct ht_http_form *form, const struct ht_reply *reply);

/* Puts the compressed body in the place of the body and sets form->zipped; leaves both alone when
 * it would not get smaller or memory is short. */
void ht_gzip_apply(struct ht_gzip *gzip, struct ht_http_form *form, struct ht_reply *reply);

#endif
