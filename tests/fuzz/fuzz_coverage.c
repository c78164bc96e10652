/* The reader of POST /v1/coverage/moves: what it accepts must keep its own limits. */
#include <stdlib.h>
#include <string.h>

#include "api/coverage_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_coverage_body body;
    struct ht_error error = {0};
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    if (ht_coverage_body_read(copy, size, &body, &error) == HT_OK) {
        must(body.limit_ms <= 3600 * 1000);
        must(body.travel_ms > 0 && body.most <= HT_COVERAGE_MOVES_MOST);
        must(body.corners <= HT_COVERAGE_CORNERS_MOST && body.weigh <= HT_WEIGH_FRAIL);
        must(body.kinds < 128 && body.spot_count <= HT_COVERAGE_SPOTS_MOST);
        must(body.beside <= HT_BESIDE_NONE && (body.is_new || body.profile == NULL));
        for (size_t i = 0; i < body.spot_count; i++) {
            must(strlen(body.spots[i].id) <= 64 && body.spots[i].pair[0] <= 1e9 &&
                 body.spots[i].pair[1] >= -1e9);
        }
        must(strlen(ht_text_string(&body.filter)) == body.filter.size);
    } else {
        must(error.status != HT_OK && error.message[0] != '\0');
    }
    ht_coverage_body_deinit(&body);
    free(copy);
    return 0;
}
