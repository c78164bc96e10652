/* Tags written in one line for tests: "highway=primary&maxspeed=50 mph".
 *
 * Ownership: the tags point into the struct; it must outlive them. Threading: none.
 */
#ifndef HT_TESTS_SUPPORT_TAGS_H
#define HT_TESTS_SUPPORT_TAGS_H

#include <stdlib.h>
#include <string.h>

#include "geodata/osm.h"

struct ht_test_tags {
    char text[2048];
    struct ht_osm_tag list[32];
    struct ht_osm_tags tags;
};

static inline struct ht_osm_tags ht_test_tags(struct ht_test_tags *into, const char *line)
{
    size_t size = strlen(line);
    if (size >= sizeof into->text) {
        abort();
    }
    memcpy(into->text, line, size + 1);
    size_t count = 0;
    for (char *at = into->text; *at != '\0';) {
        size_t length = strcspn(at, "&");
        char *next = at[length] == '&' ? at + length + 1 : at + length;
        at[length] = '\0';
        char *sign = strchr(at, '=');
        if (sign == NULL || count == sizeof into->list / sizeof into->list[0]) {
            abort();
        }
        *sign = '\0';
        into->list[count++] = (struct ht_osm_tag){.key = at, .value = sign + 1};
        at = next;
    }
    into->tags = (struct ht_osm_tags){.list = into->list, .count = count};
    return into->tags;
}

#endif
