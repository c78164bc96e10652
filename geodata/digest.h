/* Digest: SHA-256 in pieces, as hex (OpenSSL's libcrypto underneath).
 *
 * Threading: one struct for each thread. Errors: HT_NOMEM from begin; later calls can't fail but
 * for the same reason, and end then says so.
 */
#ifndef HT_GEODATA_DIGEST_H
#define HT_GEODATA_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/base/status.h"

enum { HT_DIGEST_TEXT = 65 }; /* 64 hex digits and NUL */

struct ht_digest {
    void *state;
    bool failed;
};

HT_MUST_CHECK enum ht_status ht_digest_init(struct ht_digest *digest);
void ht_digest_deinit(struct ht_digest *digest);

/* Starts over; adds bytes; gives the digest of what was added since the start. */
void ht_digest_begin(struct ht_digest *digest);
void ht_digest_add(struct ht_digest *digest, const void *bytes, size_t size);
HT_MUST_CHECK enum ht_status ht_digest_end(struct ht_digest *digest, char hex[HT_DIGEST_TEXT]);

/* All at once. */
HT_MUST_CHECK enum ht_status ht_digest_of(const void *bytes, size_t size, char hex[HT_DIGEST_TEXT]);

struct ht_bytes {
    const void *data;
    size_t size;
};
/* HMAC-SHA256 (RFC 2104) over several pieces one behind the other. */
HT_MUST_CHECK enum ht_status ht_hmac(const void *key, size_t key_size, const struct ht_bytes *parts,
                                     size_t count, char hex[HT_DIGEST_TEXT]);

/* Bytes nobody can guess. HT_IO: the machine has none. */
HT_MUST_CHECK enum ht_status ht_random_bytes(void *bytes, size_t size);

/* Equal, in a time that does not tell where they differ. */
bool ht_equal_secret(const void *a, const void *b, size_t size);

#endif
