#include "geodata/area.h"

#include <stdlib.h>
#include <string.h>

#include "geodata/cell_index.h"
#include "geodata/feature.h"
#include "geodata/shape.h"

struct part {
    struct ht_geometry shape;
    struct ht_cell_index *index; /* NULL: it is the box of `shape` */
};

struct ht_area {
    struct part parts[HT_AREA_PARTS];
    size_t count;
    struct ht_shape_work *work;
};

enum ht_status ht_area_new(struct ht_area **out)
{
    struct ht_area *area = calloc(1, sizeof *area);
    enum ht_status status = area == NULL ? HT_NOMEM : ht_shape_work_new(&area->work);
    if (status != HT_OK) {
        free(area);
        return status;
    }
    *out = area;
    return HT_OK;
}

void ht_area_free(struct ht_area *area)
{
    if (area == NULL) {
        return;
    }
    for (size_t i = 0; i < area->count; i++) {
        ht_geometry_deinit(&area->parts[i].shape);
        ht_cell_index_free(area->parts[i].index);
    }
    ht_shape_work_free(area->work);
    free(area);
}

/* A part more, of a copy of the geometry. */
static enum ht_status part_add(struct ht_area *area, const struct ht_geometry *geometry,
                               bool is_box, struct ht_error *error)
{
    if (area->count == HT_AREA_PARTS) {
        return ht_error_set(error, HT_TOO_BIG, 0, "at most %d areas at once", HT_AREA_PARTS);
    }
    struct part part = {0};
    const struct ht_geometry *const list[] = {geometry};
    enum ht_status status = ht_geometry_copy(&part.shape, geometry);
    if (status == HT_OK && !is_box) {
        status = ht_cell_index_new(list, 1, &part.index);
    }
    if (status != HT_OK) {
        ht_geometry_deinit(&part.shape);
        return ht_error_set(error, status, 0, NULL);
    }
    area->parts[area->count++] = part;
    return HT_OK;
}

/* A box without height or width is a line or a point to GEOS. */
enum ht_status ht_area_add_box(struct ht_area *area, struct ht_box box, struct ht_error *error)
{
    const double corners[5][2] = {{box.min.lon_e7 / 1e7, box.min.lat_e7 / 1e7},
                                  {box.max.lon_e7 / 1e7, box.min.lat_e7 / 1e7},
                                  {box.max.lon_e7 / 1e7, box.max.lat_e7 / 1e7},
                                  {box.min.lon_e7 / 1e7, box.max.lat_e7 / 1e7},
                                  {box.min.lon_e7 / 1e7, box.min.lat_e7 / 1e7}};
    bool wide = box.min.lon_e7 < box.max.lon_e7;
    bool high = box.min.lat_e7 < box.max.lat_e7;
    struct ht_draft draft = {0};
    struct ht_geometry shape;
    enum ht_status status = HT_OK;
    size_t step = wide && high ? 1 : 2;
    size_t count = wide && high ? 5 : wide || high ? 3 : 1;
    for (size_t i = 0; status == HT_OK && i < count; i += step) {
        status = ht_draft_add(&draft, corners[i][0], corners[i][1]);
    }
    if (status == HT_OK && wide && high) {
        status = ht_draft_end_ring(&draft);
    }
    if (status == HT_OK && wide && high) {
        status = ht_draft_end_polygon(&draft);
    }
    ht_geometry_init(&shape);
    if (status == HT_OK) {
        status = ht_geometry_finish(&shape,
                                    wide && high   ? HT_GEOMETRY_POLYGON
                                    : wide || high ? HT_GEOMETRY_LINE
                                                   : HT_GEOMETRY_POINT,
                                    &draft, NULL, NULL, error);
    }
    ht_draft_deinit(&draft);
    if (status == HT_OK) {
        status = part_add(area, &shape, true, error);
    }
    ht_geometry_deinit(&shape);
    return status;
}

enum ht_status ht_area_add(struct ht_area *area, const struct ht_geometry *geometry, bool known,
                           struct ht_error *error)
{
    if (geometry->type != HT_GEOMETRY_POLYGON && geometry->type != HT_GEOMETRY_MULTIPOLYGON) {
        return ht_error_set(error, HT_INVALID, 0, "an area is a Polygon or MultiPolygon, not %s",
                            ht_geometry_type_name(geometry->type));
    }
    if (!known && geometry->point_count > HT_AREA_POINTS_MAX) {
        return ht_error_set(error, HT_TOO_BIG, 0, "an area has at most %d points",
                            HT_AREA_POINTS_MAX);
    }
    enum ht_status status = known ? HT_OK : ht_shape_check(area->work, geometry, NULL, error);
    return status == HT_OK ? part_add(area, geometry, false, error) : status;
}

static enum ht_status shape_keep(void *user, const struct ht_feature *feature)
{
    return ht_geometry_copy(user, &feature->geometry);
}

/* A bare geometry is made a Feature for the reader; its place in the text stays as it is. */
static enum ht_status geojson_read(struct ht_geometry *shape, const char *text,
                                   const struct ht_crs *crs, struct ht_crs_work *work,
                                   struct ht_error *error)
{
    const struct ht_feature_options options = {.crs = crs,
                                               .work = work,
                                               .id_optional = true,
                                               .max_features = 1,
                                               .sink = shape_keep,
                                               .user = shape};
    struct ht_text feature = {0};
    bool bare = strstr(text, "\"Feature") == NULL;
    if (bare) {
        ht_text_add_string(&feature, "{\"type\":\"Feature\",\"properties\":{},\"geometry\":");
    }
    ht_text_add_string(&feature, text);
    ht_text_add_string(&feature, bare ? "}" : "");
    enum ht_status status = feature.failed ? ht_error_set(error, HT_NOMEM, 0, NULL)
                                           : ht_feature_read(HT_FORMAT_GEOJSON, feature.data,
                                                             feature.size, &options, error);
    ht_text_deinit(&feature);
    return status;
}

enum ht_status ht_area_read(struct ht_area *area, const char *text, const struct ht_crs *crs,
                            struct ht_crs_work *work, struct ht_error *error)
{
    struct ht_geometry shape;
    ht_geometry_init(&shape);
    text += strspn(text, " \t\r\n");
    enum ht_status status =
        text[0] == '{' ? geojson_read(&shape, text, crs, work, error)
                       : ht_geometry_read_wkt(&shape, text, strlen(text), crs, work, error);
    if (status == HT_OK) {
        status = ht_area_add(area, &shape, false, error);
    }
    ht_geometry_deinit(&shape);
    return status;
}

size_t ht_area_parts(const struct ht_area *area)
{
    return area->count;
}

bool ht_area_box(const struct ht_area *area, struct ht_box *box)
{
    *box = (struct ht_box){{-HT_LON_MAX_E7, -HT_LAT_MAX_E7}, {HT_LON_MAX_E7, HT_LAT_MAX_E7}};
    for (size_t i = 0; i < area->count; i++) {
        const struct ht_box *own = &area->parts[i].shape.box;
        box->min.lon_e7 = box->min.lon_e7 > own->min.lon_e7 ? box->min.lon_e7 : own->min.lon_e7;
        box->min.lat_e7 = box->min.lat_e7 > own->min.lat_e7 ? box->min.lat_e7 : own->min.lat_e7;
        box->max.lon_e7 = box->max.lon_e7 < own->max.lon_e7 ? box->max.lon_e7 : own->max.lon_e7;
        box->max.lat_e7 = box->max.lat_e7 < own->max.lat_e7 ? box->max.lat_e7 : own->max.lat_e7;
    }
    return box->min.lon_e7 <= box->max.lon_e7 && box->min.lat_e7 <= box->max.lat_e7;
}

static bool in_box(const struct ht_box *box, struct ht_point p)
{
    return p.lon_e7 >= box->min.lon_e7 && p.lon_e7 <= box->max.lon_e7 &&
           p.lat_e7 >= box->min.lat_e7 && p.lat_e7 <= box->max.lat_e7;
}

bool ht_area_holds(const struct ht_area *area, struct ht_point point)
{
    for (size_t i = 0; i < area->count; i++) {
        const struct part *part = &area->parts[i];
        if (!in_box(&part->shape.box, point) ||
            (part->index != NULL && ht_cell_index_find(part->index, point) == HT_CELL_NONE)) {
            return false;
        }
    }
    return true;
}

enum ht_status ht_area_meets(const struct ht_area *area, const struct ht_geometry *geometry,
                             bool *meets)
{
    enum ht_status status = HT_OK;
    *meets = geometry->type != HT_GEOMETRY_NONE;
    if (geometry->type == HT_GEOMETRY_POINT) {
        *meets = ht_area_holds(area, geometry->points[0]);
        return HT_OK;
    }
    for (size_t i = 0; status == HT_OK && *meets && i < area->count; i++) {
        status = ht_shape_meets(area->work, &area->parts[i].shape, geometry, meets);
    }
    return status;
}
