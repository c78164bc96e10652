#include "geodata/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
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

static void hex_write(const unsigned char bytes[SHA256_BYTES], char hex[HT_DIGEST_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < SHA256_BYTES; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[HT_DIGEST_TEXT - 1] = '\0';
}

enum ht_status ht_digest_end(struct ht_digest *digest, char hex[HT_DIGEST_TEXT])
{
    unsigned char bytes[SHA256_BYTES];
    if (digest->failed || EVP_DigestFinal_ex(digest->state, bytes, NULL) != 1) {
        return HT_NOMEM;
    }
    hex_write(bytes, hex);
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

enum ht_status ht_hmac(const void *key, size_t key_size, const struct ht_bytes *parts, size_t count,
                       char hex[HT_DIGEST_TEXT])
{
    char name[] = OSSL_DIGEST_NAME_SHA2_256;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                                 OSSL_PARAM_construct_end()};
    unsigned char bytes[EVP_MAX_MD_SIZE];
    size_t size = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
    EVP_MAC_CTX *context = mac == NULL ? NULL : EVP_MAC_CTX_new(mac);
    bool good = context != NULL && EVP_MAC_init(context, key, key_size, params) == 1;
    for (size_t i = 0; good && i < count; i++) {
        good = EVP_MAC_update(context, parts[i].data, parts[i].size) == 1;
    }
    good = good && EVP_MAC_final(context, bytes, &size, sizeof bytes) == 1 && size == SHA256_BYTES;
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
    if (good) {
        hex_write(bytes, hex);
    }
    return good ? HT_OK : HT_NOMEM;
}
