/* CSV: the cells that geodata/feature_csv.c reads back as the very same properties. */
#include <string.h>

#include "geodata/members.h"
#include "geodata/sample_town_internal.h"

enum place_columns { PLACE_NONE, PLACE_POINT, PLACE_WKT };

/* The properties that a collection's items have here, in the order of its table, and `kind` and
 * `team`, which no table knows and which are texts. */
static const struct layout {
    const char *collection;
    enum place_columns place;
    const char *columns[14];
} layouts[] = {
    {"cells", PLACE_WKT, {"name", "kind", "parent"}},
    {"households",
     PLACE_POINT,
     {"address", "residents", "frail", "name", "phone", "contacts", "devices", "entrance", "floor",
      "lift", "gate"}},
    {"factories",
     PLACE_POINT,
     {"name", "risk", "tenants", "visits_per_week", "gap_days", "open", "service_s", "skills",
      "crew"}},
    {"facilities",
     PLACE_POINT,
     {"name", "kind", "capacity", "visits_per_week", "gap_days", "open", "service_s"}},
    {"units",
     PLACE_POINT,
     {"name", "kind", "profile", "skills", "capacity", "shift", "home", "status", "team"}},
    {"zones", PLACE_WKT, {"name", "kind", "from"}},
    {"devices", PLACE_NONE, {"protocol", "household", "battery", "state", "kind"}},
};

static const struct layout *layout_of(const struct ht_collection *collection)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        if (strcmp(layouts[i].collection, collection->name) == 0) {
            return &layouts[i];
        }
    }
    return &layouts[0];
}

static void add_quoted(struct ht_text *out, const char *text, size_t size)
{
    bool plain = true;
    for (size_t i = 0; i < size && plain; i++) {
        plain = text[i] != ',' && text[i] != '"' && text[i] != '\n' && text[i] != '\r';
    }
    if (plain) {
        ht_text_add(out, text, size);
        return;
    }
    ht_text_add_char(out, '"');
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"') {
            ht_text_add_char(out, '"');
        }
        ht_text_add_char(out, text[i]);
    }
    ht_text_add_char(out, '"');
}

/* A list without its brackets and quotes, joined by ";". False: its items would not come back, so
 * that it has to stay JSON: objects, an escape, a separator within, an empty list. */
static bool join(const struct ht_member *list, struct ht_text *out)
{
    size_t before = out->size;
    const char *end = list->value + list->value_size - 1;
    bool text = false;
    for (const char *at = list->value + 1; at < end; at++) {
        bool wide = (size_t)(end - at) >= 3 && memcmp(at, "；", 3) == 0;
        if (*at == '\\' || *at == '{' || *at == '[' || *at == ';' || wide) {
            ht_text_cut(out, before);
            return false;
        }
        if (*at == '"') {
            text = !text;
        } else {
            ht_text_add_char(out, *at == ',' && !text ? ';' : *at);
        }
    }
    return out->size > before;
}

static bool is_list(const struct ht_property *property, const struct ht_member *member)
{
    if (property == NULL || member->value[0] != '[') {
        return false;
    }
    return property->type == HT_PROPERTY_TEXT_LIST || property->type == HT_PROPERTY_NUMBER_LIST ||
           property->type == HT_PROPERTY_RANGE || property->type == HT_PROPERTY_MIXED_LIST ||
           property->type == HT_PROPERTY_OPENING_HOURS;
}

static void add_value(const struct ht_property *property, const struct ht_member *member,
                      struct ht_text *out)
{
    char text[4096 + 1];
    struct ht_text joined = {0};
    if (ht_member_text(member, text, sizeof text)) {
        add_quoted(out, text, strlen(text));
    } else if (is_list(property, member) && join(member, &joined)) {
        add_quoted(out, ht_text_string(&joined), joined.size);
        out->failed = out->failed || joined.failed;
    } else {
        add_quoted(out, member->value, member->value_size);
    }
    ht_text_deinit(&joined);
}

static void add_place(const struct layout *layout, const struct ht_geometry *geometry,
                      struct ht_text *out)
{
    if (layout->place == PLACE_POINT) {
        ht_text_add_char(out, ',');
        ht_text_add_fixed(out, geometry->points[0].lon_e7, 7);
        ht_text_add_char(out, ',');
        ht_text_add_fixed(out, geometry->points[0].lat_e7, 7);
    } else if (layout->place == PLACE_WKT) {
        ht_text_add_string(out, ",\"");
        enum ht_status status = ht_geometry_write_wkt(geometry, NULL, NULL, out);
        out->failed = out->failed || status != HT_OK;
        ht_text_add_char(out, '"');
    }
}

void ht__csv_header(const struct ht_collection *collection, struct ht_text *out)
{
    const struct layout *layout = layout_of(collection);
    ht_text_add_string(out, "id");
    ht_text_add_string(out, layout->place == PLACE_POINT ? ",lon,lat"
                            : layout->place == PLACE_WKT ? ",wkt"
                                                         : "");
    for (size_t i = 0; layout->columns[i] != NULL; i++) {
        ht_text_add_char(out, ',');
        ht_text_add_string(out, layout->columns[i]);
    }
    ht_text_add_string(out, "\r\n");
}

void ht__csv_row(const struct ht_collection *collection, const struct ht_feature *feature,
                 struct ht_text *out)
{
    const struct layout *layout = layout_of(collection);
    ht_text_add_string(out, feature->id);
    add_place(layout, &feature->geometry, out);
    for (size_t i = 0; layout->columns[i] != NULL; i++) {
        const char *name = layout->columns[i];
        struct ht_member member;
        ht_text_add_char(out, ',');
        if (ht_member_find(ht_text_string(&feature->properties), name, &member)) {
            add_value(ht_collection_property(collection, name, strlen(name)), &member, out);
        }
    }
    ht_text_add_string(out, "\r\n");
}
