/* The HTTP parser on any bytes: cut at any place it must say the same as on the whole, and what it
 * gives lies inside the bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition) {
        abort();
    }
}

static void inside(const char *data, size_t size, const char *text, size_t text_size)
{
    require(text == NULL || (text >= data && text + text_size <= data + size));
}

static enum ht_http_progress run(const uint8_t *in, size_t in_size, size_t step, char *data,
                                 size_t *size, struct ht_http_parser *parser)
{
    const struct ht_http_limits limits = {.target = 2048, .head = 2048, .body = 4096};
    enum ht_http_progress progress = HT_HTTP_MORE;
    ht_http_parser_reset(parser);
    *size = 0;
    for (size_t sent = 0; sent < in_size && progress == HT_HTTP_MORE;) {
        size_t take = in_size - sent < step ? in_size - sent : step;
        memcpy(data + *size, in + sent, take);
        *size += take;
        sent += take;
        progress = ht_http_parse(parser, &limits, data, size);
    }
    return progress;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 65536) {
        return 0;
    }
    size_t step = (size_t)data[0] + 1;
    data++;
    size--;
    char *whole = malloc(size + 1);
    char *cut = malloc(size + 1);
    require(whole != NULL && cut != NULL);
    size_t whole_size = 0;
    size_t cut_size = 0;
    struct ht_http_parser a;
    struct ht_http_parser b;
    enum ht_http_progress first = run(data, size, size + 1, whole, &whole_size, &a);
    enum ht_http_progress second = run(data, size, step, cut, &cut_size, &b);
    require(first == second);
    if (first == HT_HTTP_BAD) {
        require(a.error_status >= 400 && a.error_status < 600);
    }
    if (first == HT_HTTP_READY) {
        struct ht_http_request x;
        struct ht_http_request y;
        ht_http_request_of(&a, whole, &x);
        ht_http_request_of(&b, cut, &y);
        inside(whole, whole_size, x.target, x.target_size);
        inside(whole, whole_size, x.host, x.host_size);
        inside(whole, whole_size, x.content_type, x.content_type_size);
        inside(whole, whole_size, x.head, x.head_size);
        inside(whole, whole_size, x.body, x.body_size);
        require(a.consumed <= whole_size && x.path_size <= x.target_size);
        require(x.body_size == y.body_size && memcmp(x.body, y.body, x.body_size) == 0);
        require(x.target_size == y.target_size && x.keep_alive == y.keep_alive);
        size_t value = 0;
        (void)ht_http_header(&x, "accept", &value);
    }
    free(whole);
    free(cut);
    return 0;
}
