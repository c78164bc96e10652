#include "api/hook_send.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "api/clock.h"
#include "geodata/digest.h"

enum { BACKOFF_LEAST_MS = 1000, DOUBLINGS_MOST = 20 };

int64_t ht_hook_now_ms(void)
{
    static struct ht_clock clock = {.speed = 1, .ease = HT_CLOCK_MET};
    return ht_clock_now_ms(&clock);
}

int64_t ht_hook_delay_ms(int64_t tries, int64_t most_ms)
{
    int64_t delay_ms = most_ms;
    uint32_t chance = 0;
    if (tries <= DOUBLINGS_MOST) {
        delay_ms = (int64_t)BACKOFF_LEAST_MS << (tries < 1 ? 0 : tries - 1);
        delay_ms = delay_ms < most_ms ? delay_ms : most_ms;
    }
    if (ht_random_bytes(&chance, sizeof chance) == HT_OK) {
        delay_ms -= delay_ms / 2 * (chance % 1000) / 1000;
    }
    return delay_ms;
}

/* "t=UNIX_S,v1=HEX" of the body. */
static enum ht_status sign(const struct ht_hook_send *send, char *out, size_t size)
{
    char stamp[24];
    char hex[HT_DIGEST_TEXT];
    int length = snprintf(stamp, sizeof stamp, "%" PRId64 ".", (int64_t)time(NULL));
    const struct ht_bytes parts[] = {{stamp, (size_t)length}, {send->body->data, send->body->size}};
    enum ht_status status = ht_hmac(send->secret, strlen(send->secret), parts, 2, hex);
    if (status == HT_OK) {
        (void)snprintf(out, size, "t=%.*s,v1=%s", length - 1, stamp, hex);
    }
    return status;
}

enum ht_status ht_hook_send(struct ht_poster *poster, const struct ht_hook_send *send,
                            struct ht_post **out)
{
    char signature[128];
    char key[HT_ID_MAX + 32];
    enum ht_status status = sign(send, signature, sizeof signature);
    (void)snprintf(key, sizeof key, "%s-%" PRId64, send->webhook, send->seq);
    const struct ht_post_header headers[] = {
        {"Content-Type", "application/json; charset=UTF-8"},
        {"User-Agent", "houtao"},
        {"X-Houtao-Event", send->kind},
        {"X-Houtao-Signature", signature},
        {"Idempotency-Key", key},
    };
    const struct ht_post_ask ask = {.url = send->url,
                                    .headers = headers,
                                    .header_count = sizeof headers / sizeof headers[0],
                                    .body = send->body->data,
                                    .body_size = send->body->size,
                                    .done = send->done,
                                    .user = send->user};
    return status == HT_OK ? ht_post_new(poster, &ask, out) : status;
}
