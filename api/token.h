/* Tokens: who calls, and what they may. A file of lines
 *
 *   name role scope sha256
 *
 * holds the SHA-256 of each token (of 256 random bits), never the token. `scope` is "-", or
 * "unit=ID" for the one unit that a device speaks for, "household=ID" for the home it stands in,
 * "district=NAME", joined by ",". Lines that begin with # are comments. Roles in rising order:
 * viewer, device, dispatcher, admin.
 *
 * Threading: a set is read-only once loaded. Ownership: heap; a caller's texts live as long as the
 * set.
 */
#ifndef HT_API_TOKEN_H
#define HT_API_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/status.h"

enum ht_role { HT_ROLE_NONE, HT_ROLE_VIEWER, HT_ROLE_DEVICE, HT_ROLE_DISPATCHER, HT_ROLE_ADMIN };

/* Its name; NULL for HT_ROLE_NONE. The role of a name; HT_ROLE_NONE: no such role. */
const char *ht_role_name(enum ht_role role);
enum ht_role ht_role_of(const char *name, size_t size);

struct ht_caller {
    const char *name; /* the actor of what they do */
    enum ht_role role;
    const char *unit;      /* NULL: none */
    const char *household; /* likewise */
    const char *district;  /* NULL: any */
};

struct ht_tokens;

/* HT_IO, HT_SYNTAX (with the line), HT_NOMEM. */
HT_MUST_CHECK enum ht_status ht_tokens_load(const char *path, struct ht_tokens **out,
                                            struct ht_error *error);
void ht_tokens_free(struct ht_tokens *tokens);

/* Who a token belongs to; NULL: nobody. Compares all hashes, in a time that tells nothing. */
const struct ht_caller *ht_tokens_find(const struct ht_tokens *tokens, const char *token,
                                       size_t size);

/* Makes a token and appends its line to the file, which is made for its owner alone when it is not
 * there. `token` gets the only copy. HT_EXISTS: the name is taken. */
enum { HT_TOKEN_TEXT = 48 };
HT_MUST_CHECK enum ht_status ht_token_add(const char *path, const struct ht_caller *caller,
                                          char token[HT_TOKEN_TEXT], struct ht_error *error);

#endif
