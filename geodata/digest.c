#include "geodata/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

enum { SHA256_BYTES = 32 };

enum ht_status ht_digest_init(struct ht_digest *digest)
{
    digest->state = EVP_MD_CTX_new();
    digest->failed = false;
    return digest->state == NULL ? HT_NOMEM : HT_OK;
}

void ht_digest_deinit(struct ht_digest *digest)
{
    EVP_MD_CTX_free(digest->state);
    digest->state = NULL;
}

void ht_digest_begin(struct ht_digest *digest)
{
    digest->failed = EVP_DigestInit_ex(digest->state, EVP_sha256(), NULL) != 1;
}

void ht_digest_add(struct ht_digest *digest, const void *bytes, size_t size)
{
    digest->failed = digest->failed || EVP_DigestUpdate(digest->state, bytes, size) != 1;
}

enum ht_status ht_digest_end(struct ht_digest *digest, char hex[HT_DIGEST_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[SHA256_BYTES];
    if (digest->failed || EVP_DigestFinal_ex(digest->state, bytes, NULL) != 1) {
        return HT_NOMEM;
    }
    for (int i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[HT_DIGEST_TEXT - 1] = '\0';
    return HT_OK;
}

enum ht_status ht_digest_of(const void *bytes, size_t size, char hex[HT_DIGEST_TEXT])
{
    struct ht_digest digest;
    enum ht_status status = ht_digest_init(&digest);
    if (status == HT_OK) {
        ht_digest_begin(&digest);
        ht_digest_add(&digest, bytes, size);
        status = ht_digest_end(&digest, hex);
    }
    ht_digest_deinit(&digest);
    return status;
}

enum ht_status ht_random_bytes(void *bytes, size_t size)
{
    return RAND_bytes(bytes, (int)size) == 1 ? HT_OK : HT_IO;
}

bool ht_equal_secret(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
