/* What one node tells another of devices, from anybody: reading keeps to the bytes there are, moves
 * on with each record, and what was read is written as it came. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/relay_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void want(int condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ht_relay_record record = {.battery = -1};
    struct ht_buffer out = {0};
    char *bytes = malloc(size > 0 ? size : 1); /* exact, so that a look past the end is seen */
    if (bytes == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(bytes, data, size);
    }
    const char *at = bytes;
    const char *before = at;
    while (at < bytes + size && ht_relay_record_get(&at, bytes + size, &record)) {
        want(at > before && at <= bytes + size && at - before <= HT_RELAY_RECORD_MOST);
        want(record.kind > 0 && record.kind < HT_RELAY_KINDS);
        want(record.battery >= -1 && record.battery <= 100);
        want(strlen(record.id) <= HT_ID_MAX && strlen(record.protocol) < HT_RELAY_WORD);
        want(record.keyed || record.key[0] == '\0');
        want(record.kind != HT_RELAY_ALARM || (record.severity >= 0 && record.severity <= 4));
        ht_buffer_clear(&out);
        ht_relay_record_put(&out, &record);
        want(out.failed ||
             (out.size == (size_t)(at - before) && memcmp(out.data, before, out.size) == 0));
        before = at;
    }
    ht_buffer_deinit(&out);
    free(bytes);
    return 0;
}
