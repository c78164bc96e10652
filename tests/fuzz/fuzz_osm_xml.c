/* Feeds the XML reader, plain and through gzip and bzip2 (the first bytes decide). Everything
 * handed over is looked at. */
#include <stdlib.h>

#include "geodata/osm.h"
#include "tests/fuzz/fuzz_osm.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_osm_handler handler = {
        .block = osm_look, .nodes = true, .ways = true, .relations = true};
    struct ht_error error;
    if (ht_osm_read_memory(data, size, NULL, &handler, &error) != error.status) {
        abort();
    }
    return 0;
}
