/* The readers of POST /v1/traffic: what they accept must be what a street can have. */
#include <stdlib.h>
#include <string.h>

#include "api/traffic_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good) {
        abort();
    }
}

/* The first byte chooses the form. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_traffic_rows rows;
    struct ht_error error = {0};
    if (size == 0) {
        return 0;
    }
    char *copy = malloc(size); /* so that reading past the end is seen */
    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data + 1, size - 1);
    copy[size - 1] = '\0';
    enum ht_status status = data[0] == 'c' ? ht_traffic_read_csv(copy, size - 1, &rows, &error)
                                           : ht_traffic_read_json(copy, size - 1, &rows, &error);
    free(copy); /* rows own what they say */
    if (status == HT_OK) {
        must(rows.count <= HT_TRAFFIC_ROWS_MAX);
        for (size_t i = 0; i < rows.count; i++) {
            const struct ht_store_traffic *row = &rows.list[i];
            must(row->profiles != NULL && strlen(row->profiles) < 128);
            must(row->speed_mps == -1 || (row->speed_mps >= 0 && row->speed_mps <= 300 / 3.6));
        }
    } else {
        must(error.message[0] != '\0');
    }
    ht_traffic_rows_deinit(&rows);
    return 0;
}
