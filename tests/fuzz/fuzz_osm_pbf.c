/* Feeds the PBF reader: whole files, and (where the first byte is odd) single blocks past the
 * packing, which mutations of a packed file hardly ever reach. Everything handed over is looked at.
 */
#include <stdlib.h>
#include <string.h>

#include "geodata/osm_pbf_internal.h"
#include "tests/fuzz/fuzz_osm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode_block(const uint8_t *data, size_t size, const struct ht_osm_handler *handler)
{
    uint8_t *copy = malloc(size + 1); /* one more: the last string's NUL */
    struct ht__pbf_decoder decoder = {0};
    struct ht_error error;
    if (copy == NULL) {
        return;
    }
    memcpy(copy, data, size);
    if (ht__pbf_decode(&decoder, copy, size, handler, 0, &error) == HT_OK) {
        struct ht_osm_block block = ht__osm_builder_finish(&decoder.builder, 0);
        (void)osm_look(NULL, &block, 0);
    }
    ht__pbf_decoder_deinit(&decoder);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_osm_handler handler = {
        .block = osm_look, .nodes = true, .ways = true, .relations = true};
    struct ht_error error;
    if (size > 0 && data[0] % 2 == 1) {
        decode_block(data + 1, size - 1, &handler);
        return 0;
    }
    if (ht_osm_read_memory(data, size, NULL, &handler, &error) != error.status) {
        abort();
    }
    return 0;
}
