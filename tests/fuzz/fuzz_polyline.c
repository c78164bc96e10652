/* Feeds the polyline decoder; what it accepts must come back the same after encoding. */
#include "engine/base/geo.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096) {
        return 0;
    }
    int precision = data[0] % 2 == 0 ? 5 : 6;
    struct ht_point points[2048];
    struct ht_point again[2048];
    size_t count = 0;
    if (!ht_polyline_decode((const char *)data + 1, size - 1, precision, points, 2048, &count)) {
        return 0;
    }
    if (count > 2048) {
        abort(); /* each point takes two characters or more */
    }
    char *text = malloc(count * 12 + 1);
    if (text == NULL) {
        return 0;
    }
    size_t length = ht_polyline_encode(points, count, precision, text, count * 12);
    size_t count_again = 0;
    if (length > count * 12 ||
        !ht_polyline_decode(text, length, precision, again, 2048, &count_again) ||
        count_again != count || memcmp(points, again, count * sizeof points[0]) != 0) {
        abort();
    }
    free(text);
    return 0;
}
