/* Feeds the WKT reader; what it accepts must survive being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "geodata/geometry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_geometry a;
    struct ht_geometry b;
    struct ht_text out = {0};
    struct ht_error error;
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    ht_geometry_init(&a);
    ht_geometry_init(&b);
    if (ht_geometry_read_wkt(&a, copy, size, NULL, NULL, &error) == HT_OK) {
        if (ht_geometry_write_wkt(&a, NULL, NULL, &out) != HT_OK ||
            ht_geometry_read_wkt(&b, out.data, out.size, NULL, NULL, &error) != HT_OK ||
            !ht_geometry_equal(&a, &b)) {
            abort();
        }
    }
    ht_geometry_deinit(&a);
    ht_geometry_deinit(&b);
    ht_text_deinit(&out);
    free(copy);
    return 0;
}
