/* The NDJSON reader of features. */
#include "tests/fuzz/fuzz_feature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_features(HT_FORMAT_NDJSON, data, size);
    return 0;
}
