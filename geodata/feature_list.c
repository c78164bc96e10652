#include "geodata/feature_list.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"

static void feature_free(struct ht_feature *feature)
{
    union {
        const char *text;
        void *any;
    } id = {feature->id};
    free(id.any);
    ht_geometry_deinit(&feature->geometry);
    ht_text_deinit(&feature->properties);
}

void ht_feature_list_deinit(struct ht_feature_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        feature_free(&list->items[i]);
    }
    free(list->items);
    memset(list, 0, sizeof *list);
}

enum ht_status ht_feature_list_add(void *user, const struct ht_feature *feature)
{
    struct ht_feature_list *list = user;
    void *items = list->items;
    enum ht_status status =
        ht_array_reserve(&items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items = items;
    if (status != HT_OK) {
        return status;
    }
    struct ht_feature copy = {.id = strdup(feature->id), .line = feature->line};
    ht_geometry_init(&copy.geometry);
    status = copy.id == NULL ? HT_NOMEM : ht_geometry_copy(&copy.geometry, &feature->geometry);
    ht_text_add(&copy.properties, feature->properties.data, feature->properties.size);
    if (status != HT_OK || copy.properties.failed) {
        feature_free(&copy);
        return HT_NOMEM;
    }
    list->items[list->count++] = copy;
    return HT_OK;
}
