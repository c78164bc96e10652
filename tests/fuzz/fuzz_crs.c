/* Feeds the reader of CRS names; what it accepts must have a name that means the same. */
#include <stdlib.h>
#include <string.h>

#include "geodata/crs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_crs crs;
    struct ht_crs again;
    char name[HT_CRS_NAME_SIZE];
    char *copy = malloc(size == 0 ? 1 : size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    if (ht_crs_parse(copy, size, &crs) == HT_OK) {
        ht_crs_name(&crs, name);
        if (ht_crs_parse(name, strlen(name), &again) != HT_OK || again.kind != crs.kind ||
            again.epsg != crs.epsg || again.authority_order != crs.authority_order) {
            abort();
        }
    }
    free(copy);
    return 0;
}
