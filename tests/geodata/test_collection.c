/* Collections: the table, and what a value must be. */
#include "geodata/collection.h"

#include <yajl/yajl_tree.h>

#include "engine/base/schedule.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

static const struct ht_collection *find(const char *name)
{
    const struct ht_collection *collection = ht_collection_find(name, strlen(name));
    if (collection == NULL) {
        abort();
    }
    return collection;
}

HT_CASE(the_table_is_the_contracts)
{
    static const char *const names[] = {"households", "cells", "factories", "facilities",
                                        "units",      "zones", "devices"};
    size_t count = 0;
    const struct ht_collection *list = ht_collections(&count);
    HT_REQUIRE(count == 7);
    for (size_t i = 0; i < count; i++) {
        HT_CHECK_STR(list[i].name, names[i]);
        HT_CHECK(ht_collection_find(names[i], strlen(names[i])) == &list[i]);
        HT_CHECK(list[i].property_count > 2);
        for (size_t p = 0; p < list[i].property_count; p++) {
            const char *name = list[i].properties[p].name;
            HT_CHECK(ht_collection_property(&list[i], name, strlen(name)) ==
                     &list[i].properties[p]);
        }
    }
    HT_CHECK(ht_collection_find("household", 9) == NULL);
    HT_CHECK(ht_collection_find("householdsx", 10) == &list[0]);
    HT_CHECK(ht_collection_find("", 0) == NULL);
    HT_CHECK(ht_collection_property(find("units"), "statu", 5) == NULL);
}

HT_CASE(personal_is_what_the_contract_lists)
{
    static const char *const personal[] = {"address", "frail",    "name",
                                           "phone",   "contacts", "devices"};
    size_t count = 0;
    size_t seen = 0;
    const struct ht_collection *list = ht_collections(&count);
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < list[i].property_count; p++) {
            bool expected = false;
            for (size_t k = 0; i == 0 && k < 6; k++) {
                expected = expected || strcmp(personal[k], list[i].properties[p].name) == 0;
            }
            /* and which of them a device watches over, since that tells who is frail; and what
             * it proves itself with */
            expected = expected || (strcmp(list[i].name, "devices") == 0 &&
                                    (strcmp(list[i].properties[p].name, "household") == 0 ||
                                     strcmp(list[i].properties[p].name, "key") == 0));
            HT_CHECK(list[i].properties[p].personal == expected);
            seen += expected;
        }
    }
    HT_CHECK_INT(seen, 8);
}

HT_CASE(ids_are_of_a_few_characters)
{
    char many[66];
    memset(many, 'x', sizeof many);
    HT_CHECK(ht_id_valid("a", 1));
    HT_CHECK(ht_id_valid("Zz09._:-", 8));
    HT_CHECK(ht_id_valid(many, 64));
    HT_CHECK(!ht_id_valid(many, 65));
    HT_CHECK(!ht_id_valid("", 0));
    HT_CHECK(!ht_id_valid("a b", 3));
    HT_CHECK(!ht_id_valid("a/b", 3));
    HT_CHECK(!ht_id_valid("\xe5\x80\x99", 3));
    HT_CHECK(!ht_id_valid("a\0b", 3));
}

/* "collection.property" with a JSON value; the message must be `want` (NULL: it is accepted). */
static void check(const char *path, const char *json, const char *want)
{
    const char *dot = strchr(path, '.');
    const struct ht_collection *collection = ht_collection_find(path, (size_t)(dot - path));
    struct ht_error error = {0};
    char text[64];
    yajl_val value = yajl_tree_parse(json, text, sizeof text);
    if (value == NULL || collection == NULL) {
        (void)printf("  %s %s\n", path, json);
        abort();
    }
    enum ht_status status = ht_collection_check(collection, "x1", dot + 1, value, &error);
    HT_CHECK_INT(status, want == NULL ? HT_OK : HT_INVALID);
    HT_CHECK_STR(error.message, want == NULL ? "" : want);
    yajl_tree_free(value);
}

HT_CASE(texts_and_words_are_checked)
{
    check("units.status", "\"idle\"", NULL);
    check("units.status", "\"asleep\"", "units/x1: status must be one of off, idle, busy");
    check("units.status", "3", "units/x1: status must be a word");
    check("units.status", "null", NULL);
    check("units.name", "\"\"", NULL);
    check("units.name", "[]", "units/x1: name must be a text");
    check("units.colour", "{\"any\":[1]}", NULL);
    check("households.cell", "\"c-1\"", NULL);
    check("households.cell", "\"c 1\"",
          "households/x1: cell must be an id: 1 to 64 letters, digits or . _ : -");
    check("households.cell", "7",
          "households/x1: cell must be an id: 1 to 64 letters, digits or . _ : -");
    check("devices.crs", "\"GCJ-02\"", NULL);
    check("devices.crs", "\"gcj03\"",
          "devices/x1: crs must be a coordinate system, like EPSG:4326, GCJ02 or BD09");
    check("zones.from", "\"2026-03-01T08:30:00+08:00\"", NULL);
    check("zones.until", "\"2026-02-30T08:30:00Z\"",
          "zones/x1: until must be a time like 2026-03-01T08:30:00+08:00");
    check("zones.until", "1740000000",
          "zones/x1: until must be a time like 2026-03-01T08:30:00+08:00");
    char *many = malloc(5000);
    if (many != NULL) {
        memset(many, 'x', 5000);
        many[0] = '"';
        many[4998] = '"';
        many[4999] = '\0';
        check("units.name", many, "units/x1: name must be at most 4096 bytes long");
    }
    free(many);
}

HT_CASE(numbers_are_checked)
{
    check("factories.risk", "4", NULL);
    check("factories.risk", "4.0", NULL);
    check("factories.risk", "0", "factories/x1: risk must be a whole number from 1 to 4");
    check("factories.risk", "2.5", "factories/x1: risk must be a whole number from 1 to 4");
    check("factories.risk", "\"2\"", "factories/x1: risk must be a whole number from 1 to 4");
    check("factories.visits_per_week", "0.5", NULL);
    check("facilities.service_s", "-1",
          "facilities/x1: service_s must be a number from 0 to 86400");
    check("facilities.service_s", "1e999",
          "facilities/x1: service_s must be a number from 0 to 86400");
    check("devices.battery", "99999999999999999999",
          "devices/x1: battery must be a number from 0 to 100");
    check("households.lift", "true", NULL);
    check("households.lift", "1", "households/x1: lift must be true or false");
}

HT_CASE(lists_are_checked)
{
    check("units.skills", "[\"meal\",\"\xe6\x80\xa5\"]", NULL);
    check("units.skills", "[]", NULL);
    check("units.skills", "\"meal\"", "units/x1: skills must be a list of texts");
    check("units.skills", "[1]", "units/x1: skills must be a list of texts");
    check("units.capacity", "[10,2.5]", NULL);
    check("units.capacity", "[10,-1]",
          "units/x1: capacity must be a list of numbers from 0 to 1000000000");
    check("factories.gap_days", "[2,5]", NULL);
    check("factories.gap_days", "[2,2]", NULL);
    check("factories.gap_days", "[5,2]", "factories/x1: gap_days must be [min, max] from 0 to 366");
    check("factories.gap_days", "[5]", "factories/x1: gap_days must be [min, max] from 0 to 366");
    check("factories.gap_days", "3", "factories/x1: gap_days must be [min, max] from 0 to 366");
    check("households.contacts", "[\"138\",{\"name\":\"Li\",\"phone\":\"139\"}]", NULL);
    check("households.contacts", "[7]",
          "households/x1: contacts must be a list of texts or objects");
    check("households.devices", "[{}]", "households/x1: devices must be a list of texts");
}

HT_CASE(points_and_places_are_checked)
{
    check("households.entrance", "[121.7,29.95]", NULL);
    check("households.entrance", "[121.7,29.95,3]", NULL);
    check("households.entrance", "[121.7]", "households/x1: entrance must be [lon, lat]");
    check("households.entrance", "[29.95,121.7]", "households/x1: entrance must be [lon, lat]");
    check("households.entrance", "[\"1\",2]", "households/x1: entrance must be [lon, lat]");
    check("units.home", "\"station-1\"", NULL);
    check("units.home", "[121.7,29.95]", NULL);
    check("units.home", "\"a b\"", "units/x1: home must be an id or [lon, lat]");
    check("households.gate", "\"east\"", NULL);
    check("households.gate", "{\"hours\":\"06:00-22:00\",\"name\":\"east\"}", NULL);
    check("households.gate", "{\"hours\":[\"when open\"]}",
          "households/x1: gate.hours are no opening hours: unsupported condition \"when\"");
    check("households.gate", "true", "households/x1: gate must be a text, an object or [lon, lat]");
}

HT_CASE(tenants_are_checked)
{
    check("factories.tenants",
          "[{\"id\":\"t1\",\"name\":\"A\",\"industry\":\"moulds\",\"risk\":3,\"since\":2020},{}]",
          NULL);
    check("factories.tenants", "[{\"id\":\"t1\"},{\"id\":\"t2\",\"risk\":5}]",
          "factories/x1: tenants[1].risk must be a whole number from 1 to 4");
    check("factories.tenants", "[{\"id\":\"t1\"},{\"id\":\"t1\"}]",
          "factories/x1: tenants has the id \"t1\" twice");
    check("factories.tenants", "[1]",
          "factories/x1: tenants must be a list of objects with id, name, industry, risk");
    check("factories.tenants", "{}",
          "factories/x1: tenants must be a list of objects with id, name, industry, risk");
}

HT_CASE(opening_hours_are_what_a_schedule_reads)
{
    static const char *const rows[][2] = {
        {"[\"Mo-Fr 08:00-17:00\",\"Sa 08:00-12:00\"]", "Mo-Fr 08:00-17:00; Sa 08:00-12:00"},
        {"\"24/7\"", "24/7"},
        {"[\"22:00\",\"6:00\"]", "22:00-6:00"},
        {"[\"Mo 08:00-09:00\",\"PH off\"]", "Mo 08:00-09:00; PH off"},
    };
    for (size_t i = 0; i < 4; i++) {
        struct ht_text out = {0};
        char text[64];
        yajl_val value = yajl_tree_parse(rows[i][0], text, sizeof text);
        HT_CHECK_INT(ht_hours_text(value, &out), HT_OK);
        HT_CHECK_STR(ht_text_string(&out), rows[i][1]);
        yajl_tree_free(value);
        ht_text_deinit(&out);
        check("facilities.open", rows[i][0], NULL);
    }
    check("units.shift", "[]", NULL);
    check("units.shift", "[480,1020]",
          "units/x1: shift must be a list of opening hours, like \"Mo-Fr 08:00-17:00\"");
    check("units.shift", "true",
          "units/x1: shift must be a list of opening hours, like \"Mo-Fr 08:00-17:00\"");
}

HT_CASE(geometries_are_those_of_the_collection)
{
    struct ht_error error = {0};
    HT_CHECK_INT(ht_collection_check_geometry(find("units"), HT_GEOMETRY_NONE, &error), HT_OK);
    HT_CHECK_INT(ht_collection_check_geometry(find("cells"), HT_GEOMETRY_MULTIPOLYGON, &error),
                 HT_OK);
    HT_CHECK_INT(ht_collection_check_geometry(find("households"), HT_GEOMETRY_LINE, &error),
                 HT_INVALID);
    HT_CHECK_STR(error.message, "geometry must be Point");
    HT_CHECK_INT(ht_collection_check_geometry(find("factories"), HT_GEOMETRY_NONE, &error),
                 HT_INVALID);
    HT_CHECK_STR(error.message, "geometry must be Point or Polygon or MultiPolygon");
    HT_CHECK_INT(ht_collection_check_geometry(find("devices"), HT_GEOMETRY_POINT, &error),
                 HT_INVALID);
    HT_CHECK_STR(error.message, "geometry must be null");
}

HT_CASE(a_refused_allocation_is_no_wrong_value)
{
    char text[64];
    struct ht_error error = {0};
    yajl_val value = yajl_tree_parse("[\"Mo-Fr 08:00-17:00\"]", text, sizeof text);
    ht_oom_arm(0);
    HT_CHECK_INT(ht_collection_check(find("units"), "u", "shift", value, &error), HT_NOMEM);
    HT_CHECK(ht_oom_disarm());
    HT_CHECK_INT(error.status, HT_NOMEM);
    yajl_tree_free(value);
}

HT_MAIN()
