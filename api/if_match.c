#include "api/if_match.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An entity tag; its text is without quotes. */
struct tag {
    bool weak;
    const char *text;
    size_t size;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* The tag at `*at`, which moves behind it. */
static bool tag_read(const char **at, const char *end, struct tag *tag)
{
    const char *c = *at;
    tag->weak = end - c >= 2 && c[0] == 'W' && c[1] == '/';
    c += tag->weak ? 2 : 0;
    if (c == end || *c != '"') {
        return false;
    }
    tag->text = ++c;
    while (c < end && *c != '"') {
        unsigned char byte = (unsigned char)*c++;
        if (byte < 0x21 || byte == 0x7f) {
            return false;
        }
    }
    if (c == end) {
        return false;
    }
    tag->size = (size_t)(c - tag->text);
    *at = c + 1;
    return true;
}

/* The next tag of a list, past empty elements. False: there is none, or (`*sound`) what stands
 * there is no list. */
static bool next(const char **at, const char *end, struct tag *tag, bool *sound)
{
    while (*at < end && (is_space(**at) || **at == ',')) {
        (*at)++;
    }
    if (*at == end) {
        return false;
    }
    if (!tag_read(at, end, tag)) {
        *sound = false;
        return false;
    }
    while (*at < end && is_space(**at)) {
        (*at)++;
    }
    *sound = *at == end || **at == ',';
    return *sound;
}

bool ht_if_match_sound(const char *text, size_t size, bool *any)
{
    const char *at = text;
    const char *end = text + size;
    struct tag tag;
    bool sound = true;
    size_t count = 0;
    *any = size == 1 && text[0] == '*';
    while (!*any && next(&at, end, &tag, &sound)) {
        count++;
    }
    return *any || (sound && count > 0);
}

bool ht_if_match_has(const char *text, size_t size, uint64_t version)
{
    const char *at = text;
    const char *end = text + size;
    struct tag tag;
    char own[24];
    bool sound = true;
    bool has = false;
    size_t own_size = (size_t)snprintf(own, sizeof own, "%" PRIu64, version);
    while (next(&at, end, &tag, &sound)) {
        has = has || (!tag.weak && tag.size == own_size && memcmp(tag.text, own, own_size) == 0);
    }
    return has;
}

bool ht_if_none_match_has(const char *text, size_t size, const char *tag)
{
    const char *at = text;
    const char *end = text + size;
    struct tag found;
    bool sound = true;
    bool has = size == 1 && text[0] == '*';
    size_t tag_size = strlen(tag);
    while (next(&at, end, &found, &sound)) {
        has = has || (found.size == tag_size && memcmp(found.text, tag, tag_size) == 0);
    }
    return has && (sound || (size == 1 && text[0] == '*'));
}
