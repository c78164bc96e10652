#include "geodata/collection.h"

#include <string.h>

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))
#define DAY_S 86400.0

enum {
    NOWHERE = 1 << HT_GEOMETRY_NONE,
    POINT = 1 << HT_GEOMETRY_POINT,
    AREA = 1 << HT_GEOMETRY_POLYGON | 1 << HT_GEOMETRY_MULTIPOLYGON,
};

/* What factories and facilities have in common: how often they are to be visited, and when. */
#define VISIT_FIELDS                                                                               \
    {.name = "visits_per_week", .type = HT_PROPERTY_NUMBER, .low = 0, .high = 50},                 \
        {.name = "gap_days", .type = HT_PROPERTY_RANGE, .low = 0, .high = 366},                    \
        {.name = "open", .type = HT_PROPERTY_OPENING_HOURS},                                       \
        {.name = "service_s", .type = HT_PROPERTY_NUMBER, .low = 0, .high = DAY_S},                \
        {.name = "skills", .type = HT_PROPERTY_TEXT_LIST},                                         \
    {                                                                                              \
        .name = "crew", .type = HT_PROPERTY_INTEGER, .low = 1, .high = 100                         \
    }

static const struct ht_property household_properties[] = {
    {.name = "address", .type = HT_PROPERTY_TEXT, .personal = true, .searchable = true},
    {.name = "residents", .type = HT_PROPERTY_INTEGER, .low = 0, .high = 10000},
    {.name = "frail", .type = HT_PROPERTY_BOOL, .personal = true, .indexed = true},
    {.name = "name", .type = HT_PROPERTY_TEXT, .personal = true, .searchable = true},
    {.name = "phone", .type = HT_PROPERTY_TEXT, .personal = true},
    {.name = "contacts", .type = HT_PROPERTY_MIXED_LIST, .personal = true},
    {.name = "devices", .type = HT_PROPERTY_TEXT_LIST, .personal = true},
    {.name = "cell", .type = HT_PROPERTY_ID},
    {.name = "entrance", .type = HT_PROPERTY_POINT},
    {.name = "floor", .type = HT_PROPERTY_INTEGER, .low = -20, .high = 200},
    {.name = "lift", .type = HT_PROPERTY_BOOL},
    {.name = "gate", .type = HT_PROPERTY_GATE},
};

static const struct ht_property cell_properties[] = {
    {.name = "name", .type = HT_PROPERTY_TEXT, .searchable = true},
    {.name = "kind",
     .type = HT_PROPERTY_TEXT,
     .words = WORDS("grid", "microgrid", "compound", "community"),
     .indexed = true},
    {.name = "parent", .type = HT_PROPERTY_ID, .indexed = true},
    {.name = "answers", .type = HT_PROPERTY_ANSWERS},
};

static const struct ht_property factory_properties[] = {
    {.name = "name", .type = HT_PROPERTY_TEXT, .searchable = true},
    {.name = "risk", .type = HT_PROPERTY_INTEGER, .low = 1, .high = 4, .indexed = true},
    {.name = "tenants", .type = HT_PROPERTY_OBJECT_LIST},
    VISIT_FIELDS,
};

static const struct ht_property facility_properties[] = {
    {.name = "name", .type = HT_PROPERTY_TEXT, .searchable = true},
    {.name = "kind",
     .type = HT_PROPERTY_TEXT,
     .words =
         WORDS("kitchen", "station", "hospital", "depot", "service_point", "worksite", "compound"),
     .indexed = true},
    {.name = "capacity", .type = HT_PROPERTY_NUMBER, .low = 0, .high = 1e9},
    VISIT_FIELDS,
};

static const struct ht_property unit_properties[] = {
    {.name = "name", .type = HT_PROPERTY_TEXT, .searchable = true},
    {.name = "kind",
     .type = HT_PROPERTY_TEXT,
     .words = WORDS("van", "responder", "inspector", "volunteer"),
     .indexed = true},
    {.name = "profile", .type = HT_PROPERTY_TEXT},
    {.name = "profile_plain", .type = HT_PROPERTY_TEXT},
    {.name = "skills", .type = HT_PROPERTY_TEXT_LIST},
    {.name = "capacity", .type = HT_PROPERTY_NUMBER_LIST, .low = 0, .high = 1e9},
    {.name = "shift", .type = HT_PROPERTY_OPENING_HOURS},
    {.name = "home", .type = HT_PROPERTY_PLACE},
    {.name = "status",
     .type = HT_PROPERTY_TEXT,
     .words = WORDS("off", "idle", "busy"),
     .indexed = true},
    {.name = "permits", .type = HT_PROPERTY_TEXT_LIST},
};

static const struct ht_property zone_properties[] = {
    {.name = "name", .type = HT_PROPERTY_TEXT, .searchable = true},
    {.name = "kind",
     .type = HT_PROPERTY_TEXT,
     .words = WORDS("closed", "controlled", "watched", "fence"),
     .indexed = true},
    {.name = "profiles", .type = HT_PROPERTY_TEXT_LIST},
    {.name = "from", .type = HT_PROPERTY_TIME},
    {.name = "until", .type = HT_PROPERTY_TIME},
    {.name = "dwell_s", .type = HT_PROPERTY_NUMBER, .low = 0, .high = 31 * 86400},
};

static const struct ht_property device_properties[] = {
    {.name = "protocol", .type = HT_PROPERTY_TEXT},
    {.name = "unit", .type = HT_PROPERTY_ID, .indexed = true},
    {.name = "household", .type = HT_PROPERTY_ID, .personal = true, .indexed = true},
    {.name = "last_seen", .type = HT_PROPERTY_TIME},
    {.name = "battery", .type = HT_PROPERTY_NUMBER, .low = 0, .high = 100},
    {.name = "crs", .type = HT_PROPERTY_CRS},
    {.name = "state", .type = HT_PROPERTY_TEXT},
    {.name = "key", .type = HT_PROPERTY_TEXT, .personal = true},
};

#define PROPERTIES(list) .properties = (list), .property_count = COUNT(list)

static const struct ht_collection collections[] = {
    {.name = "households",
     .title = "Households, their residents and how to reach them",
     .geometries = POINT,
     PROPERTIES(household_properties)},
    {.name = "cells",
     .title = "Grid cells, compounds and communities",
     .geometries = AREA,
     PROPERTIES(cell_properties)},
    {.name = "factories",
     .title = "Factories and their tenants",
     .geometries = POINT | AREA,
     PROPERTIES(factory_properties)},
    {.name = "facilities",
     .title = "Kitchens, stations, hospitals, depots and places to be seen",
     .geometries = POINT,
     PROPERTIES(facility_properties)},
    {.name = "units",
     .title = "Vans, responders, inspectors and volunteers, where last seen",
     .geometries = POINT | NOWHERE,
     PROPERTIES(unit_properties)},
    {.name = "zones",
     .title = "Zones that are closed, controlled, watched or fenced",
     .geometries = AREA,
     PROPERTIES(zone_properties)},
    {.name = "devices",
     .title = "Devices of units and households",
     .geometries = NOWHERE,
     PROPERTIES(device_properties)},
};

const struct ht_collection *ht_collections(size_t *count)
{
    *count = COUNT(collections);
    return collections;
}

static bool is_name(const char *name, const char *text, size_t size)
{
    return strncmp(name, text, size) == 0 && name[size] == '\0';
}

const struct ht_collection *ht_collection_find(const char *name, size_t size)
{
    for (size_t i = 0; i < COUNT(collections); i++) {
        if (is_name(collections[i].name, name, size)) {
            return &collections[i];
        }
    }
    return NULL;
}

const struct ht_property *ht_collection_property(const struct ht_collection *collection,
                                                 const char *name, size_t size)
{
    for (size_t i = 0; i < collection->property_count; i++) {
        if (is_name(collection->properties[i].name, name, size)) {
            return &collection->properties[i];
        }
    }
    return NULL;
}

bool ht_id_valid(const char *id, size_t size)
{
    if (size < 1 || size > HT_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        char c = id[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (!letter && !digit && c != '.' && c != '_' && c != ':' && c != '-') {
            return false;
        }
    }
    return true;
}
