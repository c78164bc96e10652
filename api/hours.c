#include "api/hours.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "geodata/collection.h"

enum ht_status ht_hours_schedule(const struct ht_member *member, struct ht_schedule **out)
{
    char why[64];
    struct ht_text hours = {0};
    char *text = strndup(member->value, member->value_size);
    yajl_val value = text == NULL ? NULL : yajl_tree_parse(text, why, sizeof why);
    enum ht_status status = value == NULL ? HT_NOMEM : ht_hours_text(value, &hours);
    *out = NULL;
    free(text);
    yajl_tree_free(value);
    if (status == HT_OK) {
        status = ht_schedule_parse(ht_text_string(&hours), out, NULL);
    }
    ht_text_deinit(&hours);
    /* what can't be read is nothing that holds */
    return status == HT_NOMEM ? status : HT_OK;
}
