/* The item at hand: an id, a place, properties; then it goes to the sink. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/sample_town_internal.h"

void ht__item_collection(struct ht__census *census, const char *name)
{
    census->collection = ht_collection_find(name, strlen(name));
}

void ht__item_begin(struct ht__census *census, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(census->id, sizeof census->id, format, arguments);
    va_end(arguments);
    census->item.id = census->id;
    ht_geometry_clear(&census->item.geometry);
    ht_text_clear(&census->item.properties);
    ht_text_add_char(&census->item.properties, '{');
}

static void add_points(struct ht__census *census, const struct ht_point *points, size_t count)
{
    struct ht_geometry *geometry = &census->item.geometry;
    void *list = geometry->points;
    enum ht_status status =
        ht_array_reserve(&list, &geometry->point_capacity, count + 1, sizeof *points);
    geometry->points = list;
    if (status != HT_OK) {
        census->status = census->status == HT_OK ? status : census->status;
        return;
    }
    geometry->box = ht_box_empty();
    for (size_t i = 0; i < count; i++) {
        geometry->points[i] = points[i];
        geometry->box = ht_box_grow(geometry->box, points[i]);
    }
    geometry->point_count = count;
}

void ht__item_point(struct ht__census *census, struct ht_point point)
{
    add_points(census, &point, 1);
    census->item.geometry.type = HT_GEOMETRY_POINT;
}

void ht__item_ring(struct ht__census *census, const struct ht_point *points, size_t count)
{
    struct ht_geometry *geometry = &census->item.geometry;
    add_points(census, points, count);
    void *rings = geometry->ring_ends;
    void *polygons = geometry->polygon_ends;
    enum ht_status status =
        ht_array_reserve(&rings, &geometry->ring_capacity, 1, sizeof *geometry->ring_ends);
    geometry->ring_ends = rings;
    if (status == HT_OK) {
        status = ht_array_reserve(&polygons, &geometry->polygon_capacity, 1,
                                  sizeof *geometry->polygon_ends);
        geometry->polygon_ends = polygons;
    }
    census->status = census->status == HT_OK ? status : census->status;
    if (census->status != HT_OK || count == 0) {
        return;
    }
    geometry->points[geometry->point_count++] = points[0];
    geometry->ring_ends[0] = (uint32_t)geometry->point_count;
    geometry->polygon_ends[0] = 1;
    geometry->ring_count = 1;
    geometry->polygon_count = 1;
    geometry->type = HT_GEOMETRY_POLYGON;
}

struct ht_text *ht__item_open(struct ht__census *census, const char *name)
{
    struct ht_text *out = &census->item.properties;
    if (out->size > 1) {
        ht_text_add_char(out, ',');
    }
    ht_text_add_json(out, name, strlen(name));
    ht_text_add_char(out, ':');
    return out;
}

void ht__item_text(struct ht__census *census, const char *name, const char *value)
{
    ht_text_add_json(ht__item_open(census, name), value, strlen(value));
}

void ht__item_number(struct ht__census *census, const char *name, int64_t value)
{
    ht_text_addf(ht__item_open(census, name), "%" PRId64, value);
}

void ht__item_bool(struct ht__census *census, const char *name, bool value)
{
    ht_text_add_string(ht__item_open(census, name), value ? "true" : "false");
}

void ht__item_place(struct ht__census *census, const char *name, struct ht_point value)
{
    struct ht_text *out = ht__item_open(census, name);
    ht_text_add_char(out, '[');
    ht_text_add_fixed(out, value.lon_e7, 7);
    ht_text_add_char(out, ',');
    ht_text_add_fixed(out, value.lat_e7, 7);
    ht_text_add_char(out, ']');
}

void ht__item_json(struct ht__census *census, const char *name, const char *format, ...)
{
    char value[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    ht_text_add_string(ht__item_open(census, name), value);
}

void ht__item_words(struct ht__census *census, const char *name, const char *const *words,
                    uint32_t bits)
{
    struct ht_text *out = ht__item_open(census, name);
    char before = '[';
    for (size_t i = 0; bits != 0; i++, bits >>= 1) {
        if ((bits & 1) != 0) {
            ht_text_add_char(out, before);
            ht_text_add_json(out, words[i], strlen(words[i]));
            before = ',';
        }
    }
    ht_text_add_string(out, before == '[' ? "[]" : "]");
}

void ht__item_end(struct ht__census *census)
{
    ht_text_add_char(&census->item.properties, '}');
    if (census->status == HT_OK && census->item.properties.failed) {
        census->status = HT_NOMEM;
    }
    if (census->status == HT_OK) {
        census->status = census->sink(census->user, census->collection, &census->item);
    }
}
