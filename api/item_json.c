#include "api/item_json.h"

#include <string.h>

#include "geodata/members.h"

void ht_item_writer_init(struct ht_item_writer *writer, struct ht_json *json,
                         const struct ht_crs *crs, struct ht_crs_work *work)
{
    *writer = (struct ht_item_writer){.json = json, .crs = crs, .work = work};
    ht_geometry_init(&writer->geometry);
}

void ht_item_writer_deinit(struct ht_item_writer *writer)
{
    ht_geometry_deinit(&writer->geometry);
    ht_text_deinit(&writer->text);
}

static void members_add(struct ht_text *out, const char *object)
{
    const char *at = object;
    struct ht_member member;
    while (object != NULL && ht_member_next(&at, &member)) {
        ht_member_add(out, &member);
    }
}

static void properties_write(struct ht_item_writer *writer, const struct ht_store_item *item)
{
    struct ht_member named;
    ht_text_clear(&writer->text);
    ht_text_add_char(&writer->text, '{');
    members_add(&writer->text, item->properties);
    members_add(&writer->text, item->personal);
    if (item->cell != NULL && !ht_member_find(item->properties, "cell", &named)) {
        if (writer->text.size > 1) {
            ht_text_add_char(&writer->text, ',');
        }
        ht_text_add_string(&writer->text, "\"cell\":");
        ht_text_add_json(&writer->text, item->cell, strlen(item->cell));
    }
    ht_text_add_char(&writer->text, '}');
    ht_json_key(writer->json, "properties");
    ht_json_raw(writer->json, ht_text_string(&writer->text), writer->text.size);
}

enum ht_status ht_item_write(struct ht_item_writer *writer, const struct ht_store_item *item)
{
    enum ht_status status = HT_OK;
    ht_text_clear(&writer->text);
    if (item->wkb_size > 0) {
        status = ht_geometry_read_wkb(&writer->geometry, item->wkb, item->wkb_size, NULL);
        if (status == HT_OK) {
            status = ht_geometry_write_geojson(&writer->geometry, writer->crs, writer->work,
                                               &writer->text);
        }
    }
    if (status != HT_OK) {
        return status;
    }
    ht_json_object(writer->json);
    ht_json_key_text(writer->json, "type", "Feature");
    ht_json_key_text(writer->json, "id", item->id);
    ht_json_key(writer->json, "geometry");
    if (writer->text.size > 0) {
        ht_json_raw(writer->json, ht_text_string(&writer->text), writer->text.size);
    } else {
        ht_json_null(writer->json);
    }
    properties_write(writer, item);
    if (writer->withheld) {
        ht_json_key_text(writer->json, "personal", "withheld");
    }
    ht_json_object_end(writer->json);
    return writer->text.failed ? HT_NOMEM : HT_OK;
}
