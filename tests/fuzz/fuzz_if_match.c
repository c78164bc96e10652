/* If-Match from anybody: what is a list stays one with another element, and only a list has. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/if_match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool any = false;
    char *text = calloc(size + 5, 1); /* so that a look past the end is seen */
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    bool sound = ht_if_match_sound(text, size, &any);
    bool has = ht_if_match_has(text, size, 7);
    bool none = ht_if_none_match_has(text, size, "7");
    if ((has && sound && !none) || (none && !sound)) { /* the weak comparison finds more */
        abort();
    }
    memcpy(text + size, ",\"7\"", 4);
    if (sound && !any &&
        (!ht_if_match_sound(text, size + 4, &any) || !ht_if_match_has(text, size + 4, 7))) {
        abort();
    }
    if (has && (size == 0 || memchr(data, '7', size) == NULL)) {
        abort();
    }
    free(text);
    return 0;
}
