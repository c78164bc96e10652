/* Command: a request that changes what must last, on its way to the writer and back.
 *
 *   loop     copies what it needs of the request, knows the caller
 *   worker   `prepare`: reads the body, which may be large (may be NULL)
 *   writer   `run`, in the transaction; an answer of 400 and above is taken back
 *   writer   `applied`, after the commit: what memory holds follows the disk (may be NULL)
 *
 * Idempotency-Key: the first answer to a key of a caller is kept with the change itself, and given
 * again for the same request; another request with the same key is 409. If-Match: the versions one
 * of which the item must have, 412 from whoever finds another.
 *
 * Threading: one thread after the other, never two. Ownership: the command owns its copies.
 */
#ifndef HT_API_COMMAND_H
#define HT_API_COMMAND_H

#include "api/app.h"
#include "api/params.h"
#include "geodata/digest.h"

struct ht_command;

struct ht_command_kind {
    bool (*prepare)(struct ht_app_context *context, struct ht_command *command,
                    struct ht_reply *reply);
    void (*run)(struct ht_app_context *context, struct ht_command *command, struct ht_store_tx *tx,
                struct ht_reply *reply);
    void (*applied)(struct ht_app_context *context, struct ht_command *command,
                    struct ht_reply *reply);
    void (*free)(struct ht_command *command); /* of `parsed` */
    /* What `run` did in memory is not to be (may be NULL): right after it where it was taken back,
     * or (`lost`) with the whole transaction, where others ran after it. */
    void (*undone)(struct ht_app_context *context, struct ht_command *command, bool lost);
    /* `applied` writes the answer: a key's is kept right after it, before the next command. Only
     * for what may be done twice, as it is where the process ends in between. */
    bool answers_late;
};

struct ht_command {
    const struct ht_command_kind *kind;
    struct ht_app *app;
    struct ht_caller caller;
    enum ht_http_method method;
    char *text; /* copies: path parts, key, content type, body, each NUL-terminated */
    const char *params[HT_HTTP_PARAMS];
    const char *content_type;
    const char *content_crs; /* "" none; without <> */
    const char *key;         /* "" none */
    const char *body;
    size_t body_size;
    struct ht_params query;
    const char *if_match; /* the tags, NULL none */
    bool must_exist;      /* If-Match: * */
    int64_t at_ms;
    char request[HT_DIGEST_TEXT]; /* of method, target and body, where there is a key */
    bool ran;                     /* within a transaction */
    bool failed;                  /* was taken back */
    void *parsed;                 /* `kind`'s */
};

/* Hands a call over; answers at once where it can't be. */
void ht_command_start(struct ht_app_context *context, struct ht_http_call *call,
                      const struct ht_command_kind *kind);

/* Whether If-Match, if there is one, lets this version be changed. */
bool ht_command_expects(const struct ht_command *command, uint64_t version);

/* Answers with what a status of the store or the readers means to a client. */
void ht_reply_status(struct ht_reply *reply, const struct ht_error *error);

#endif
