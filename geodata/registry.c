#include "geodata/registry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/members.h"
#include "geodata/registry_internal.h"

enum ht_status ht_registry_new(struct ht_registry **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? HT_NOMEM : HT_OK;
}

void ht_registry_free(struct ht_registry *registry)
{
    if (registry != NULL) {
        ht__cells_deinit(&registry->cells);
        ht_text_deinit(&registry->wkb);
        ht_text_deinit(&registry->open);
        ht_text_deinit(&registry->personal);
        ht_text_deinit(&registry->body);
        free(registry);
    }
}

/* Properties into two objects: what all may see, and what is personal. */
static void split(struct ht_registry *registry, const struct ht_collection *collection,
                  const char *properties)
{
    ht_text_clear(&registry->open);
    ht_text_clear(&registry->personal);
    ht_text_add_char(&registry->open, '{');
    ht_text_add_char(&registry->personal, '{');
    const char *at = properties;
    struct ht_member member;
    while (ht_member_next(&at, &member)) {
        const struct ht_property *property =
            ht_collection_property(collection, member.name, member.name_size);
        bool personal = property != NULL && property->personal;
        ht_member_add(personal ? &registry->personal : &registry->open, &member);
    }
    ht_text_add_char(&registry->open, '}');
    ht_text_add_char(&registry->personal, '}');
}

static enum ht_status event_write(struct ht_registry *registry, struct ht_store_tx *tx,
                                  const struct ht_registry_change *change, const char *kind,
                                  const char *id, struct ht_error *error)
{
    char subject[128];
    (void)snprintf(subject, sizeof subject, "%s/%s", change->collection->name, id);
    const struct ht_store_event event = {.at_ms = change->at_ms,
                                         .actor = change->actor,
                                         .kind = kind,
                                         .subject = subject,
                                         .body = ht_text_string(&registry->body)};
    if (registry->body.failed) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    return ht_store_event_append(tx, &event, NULL, error);
}

/* Where the item lay before matters where it is a cell. */
static enum ht_status touch_cell(struct ht_registry *registry, struct ht_store_tx *tx,
                                 const struct ht_registry_change *change, const char *id,
                                 const struct ht_geometry *now, struct ht_error *error)
{
    return strcmp(change->collection->name, "cells") == 0
               ? ht__cells_touch(&registry->cells, tx, id, now, error)
               : HT_OK;
}

/* The cell of a household: the one it names, or the one it lies in; "" none. */
static enum ht_status cell_of(struct ht_registry *registry, struct ht_store_tx *tx,
                              const struct ht_registry_change *change,
                              const struct ht_feature *feature, char cell[HT_ID_MAX + 1],
                              struct ht_error *error)
{
    struct ht_member named;
    cell[0] = '\0';
    if (strcmp(change->collection->name, "households") != 0) {
        return HT_OK;
    }
    if (ht_member_find(ht_text_string(&feature->properties), "cell", &named) &&
        ht_member_text(&named, cell, HT_ID_MAX + 1)) {
        return HT_OK;
    }
    return feature->geometry.type == HT_GEOMETRY_POINT
               ? ht__cells_find(&registry->cells, tx, feature->geometry.points[0], cell, error)
               : HT_OK;
}

enum ht_status ht_registry_put(struct ht_registry *registry, struct ht_store_tx *tx,
                               const struct ht_registry_change *change,
                               const struct ht_feature *feature, struct ht_registry_result *out,
                               struct ht_error *error)
{
    char cell[HT_ID_MAX + 1];
    memset(out, 0, sizeof *out);
    const struct ht_geometry *geometry = &feature->geometry;
    enum ht_status status =
        ht__cells_sound(&registry->cells, change, feature, &geometry, &out->repaired, error);
    if (status == HT_OK) {
        status = touch_cell(registry, tx, change, feature->id, geometry, error);
    }
    if (status == HT_OK) {
        status = cell_of(registry, tx, change, feature, cell, error);
    }
    if (status != HT_OK) {
        return status;
    }
    split(registry, change->collection, ht_text_string(&feature->properties));
    ht_text_clear(&registry->wkb);
    if (geometry->type != HT_GEOMETRY_NONE) {
        ht_geometry_write_wkb(geometry, &registry->wkb);
    }
    if (registry->open.failed || registry->personal.failed || registry->wkb.failed) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    const struct ht_store_item item = {.id = feature->id,
                                       .wkb = registry->wkb.data,
                                       .wkb_size = registry->wkb.size,
                                       .properties = ht_text_string(&registry->open),
                                       .personal = ht_text_string(&registry->personal),
                                       .cell = cell[0] == '\0' ? NULL : cell,
                                       .changed_ms = change->at_ms};
    status = ht_store_item_put(tx, change->collection, &item, change->how, change->expected,
                               &out->written, error);
    if (status != HT_OK || change->quiet) {
        return status;
    }
    ht_text_clear(&registry->body);
    ht_text_addf(&registry->body,
                 "{\"collection\":\"%s\",\"id\":\"%s\",\"version\":%" PRIu64 ",\"sha256\":\"%s\"}",
                 change->collection->name, feature->id, out->written.version, out->written.digest);
    return event_write(registry, tx, change, out->written.created ? "item.created" : "item.changed",
                       feature->id, error);
}

static void body_of_id(struct ht_registry *registry, const struct ht_registry_change *change,
                       const char *id)
{
    ht_text_clear(&registry->body);
    ht_text_addf(&registry->body, "{\"collection\":\"%s\",\"id\":\"%s\"}", change->collection->name,
                 id);
}

enum ht_status ht_registry_delete(struct ht_registry *registry, struct ht_store_tx *tx,
                                  const struct ht_registry_change *change, const char *id,
                                  struct ht_error *error)
{
    enum ht_status status = touch_cell(registry, tx, change, id, NULL, error);
    if (status == HT_OK) {
        status = ht_store_item_delete(tx, change->collection, id, change->expected, error);
    }
    if (status == HT_OK) {
        body_of_id(registry, change, id);
        status = event_write(registry, tx, change, "item.deleted", id, error);
    }
    return status;
}

enum ht_status ht_registry_erase(struct ht_registry *registry, struct ht_store_tx *tx,
                                 const struct ht_registry_change *change, const char *id,
                                 struct ht_error *error)
{
    enum ht_status status =
        ht_store_item_erase(tx, change->collection, id, change->expected, error);
    if (status == HT_OK) {
        body_of_id(registry, change, id);
        status = event_write(registry, tx, change, "item.erased", id, error);
    }
    return status;
}

enum ht_status ht_registry_loaded(struct ht_registry *registry, struct ht_store_tx *tx,
                                  const struct ht_registry_change *change, const char *sha256,
                                  uint64_t count, struct ht_error *error)
{
    ht_text_clear(&registry->body);
    ht_text_addf(&registry->body, "{\"collection\":\"%s\",\"count\":%" PRIu64 ",\"sha256\":\"%s\"}",
                 change->collection->name, count, sha256);
    return event_write(registry, tx, change, "items.loaded", "", error);
}

enum ht_status ht_registry_settle(struct ht_registry *registry, struct ht_store_tx *tx,
                                  struct ht_error *error)
{
    return ht__cells_settle(&registry->cells, tx, error);
}

void ht_registry_forget(struct ht_registry *registry)
{
    ht__cells_forget(&registry->cells);
}
