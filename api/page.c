#include "api/page.h"

#include <stdio.h>

#include "geodata/collection.h"
#include "geodata/members.h"

void ht_page_text(struct ht_buffer *out, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            ht_buffer_text(out, "&amp;");
            break;
        case '<':
            ht_buffer_text(out, "&lt;");
            break;
        case '>':
            ht_buffer_text(out, "&gt;");
            break;
        case '"':
            ht_buffer_text(out, "&quot;");
            break;
        case '\'':
            ht_buffer_text(out, "&#39;");
            break;
        default:
            ht_buffer_append(out, text, 1);
            break;
        }
    }
}

static enum ht_status name_take(void *user, const struct ht_store_item *item)
{
    struct ht_member member;
    char *name = user;
    if (!ht_member_find(item->properties, "name", &member) ||
        !ht_member_text(&member, name, HT_PAGE_NAME)) {
        name[0] = '\0';
    }
    return HT_OK;
}

void ht_page_unit(struct ht_store_reader *reader, const char *id, char out[HT_PAGE_NAMED])
{
    char name[HT_PAGE_NAME] = "";
    bool named = id != NULL &&
                 ht_store_item(reader, ht_collection_find("units", 5), id, false, name_take, name,
                               NULL) == HT_OK &&
                 name[0] != '\0';
    if (named) {
        (void)snprintf(out, HT_PAGE_NAMED, "%s (%s)", name, id);
    } else {
        (void)snprintf(out, HT_PAGE_NAMED, "%s", id == NULL ? "" : id);
    }
}
