#include "api/pointer.h"

#include <stdbool.h>
#include <string.h>

/* Whether a byte goes on with a character of UTF-8. */
static bool goes_on(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* How many bytes of a text are whole characters within `most`. */
static size_t whole(const char *text, size_t most)
{
    size_t size = strnlen(text, most);
    if (text[size] == '\0') {
        return size;
    }
    while (size > 0 && goes_on(text[size])) {
        size--;
    }
    return size;
}

void ht_pointer(char *out, size_t size, const char *base, const char *name)
{
    size_t at = whole(base, size - 1);
    memmove(out, base, at);
    if (at + 1 < size) {
        out[at++] = '/';
    }
    while (*name != '\0') {
        const char *escaped = *name == '~' ? "~0" : *name == '/' ? "~1" : NULL;
        size_t length = 1;
        while (goes_on(name[length])) {
            length++;
        }
        if (at + (escaped != NULL ? 2 : length) >= size) {
            break;
        }
        memcpy(out + at, escaped != NULL ? escaped : name, escaped != NULL ? 2 : length);
        at += escaped != NULL ? 2 : length;
        name += length;
    }
    out[at] = '\0';
}
