#include "api/avoid.h"

#include <stdlib.h>
#include <string.h>

#include "api/map.h"
#include "api/zones.h"
#include "geodata/feature.h"
#include "geodata/shape.h"

struct ht_avoid {
    struct ht_zone *areas[HT_AVOID_AREAS_MAX];
    size_t count;
    /* while it is read */
    size_t points;
    struct ht_shape_work *shapes;
    struct ht_error error; /* what is wrong with an area */
};

void ht_avoid_free(struct ht_avoid *avoid)
{
    if (avoid != NULL) {
        for (size_t i = 0; i < avoid->count; i++) {
            ht_zone_release(avoid->areas[i]);
        }
        ht_shape_work_free(avoid->shapes);
        free(avoid);
    }
}

static enum ht_status room(struct ht_avoid *avoid)
{
    return avoid->count < HT_AVOID_AREAS_MAX
               ? HT_OK
               : ht_error_set(&avoid->error, HT_TOO_BIG, 0, "at most %d areas to avoid",
                              HT_AVOID_AREAS_MAX);
}

/* ---- GeoJSON ---- */

static enum ht_status shape_add(struct ht_avoid *avoid, const struct ht_geometry *shape)
{
    const struct ht_rings rings = {shape->points, shape->ring_ends, shape->polygon_ends,
                                   shape->polygon_count};
    if (shape->type != HT_GEOMETRY_POLYGON && shape->type != HT_GEOMETRY_MULTIPOLYGON) {
        return ht_error_set(&avoid->error, HT_INVALID, 0,
                            "an area to avoid is a Polygon or MultiPolygon, not %s",
                            ht_geometry_type_name(shape->type));
    }
    avoid->points += shape->point_count;
    if (avoid->points > HT_AVOID_POINTS_MAX) {
        return ht_error_set(&avoid->error, HT_TOO_BIG, 0,
                            "areas to avoid have at most %d points together", HT_AVOID_POINTS_MAX);
    }
    enum ht_status status = room(avoid);
    if (status == HT_OK) {
        status = ht_shape_check(avoid->shapes, shape, NULL, &avoid->error);
    }
    if (status != HT_OK) {
        return status;
    }
    status = ht_zone_new(&rings, HT_ZONE_OTHER, "", "", &avoid->areas[avoid->count]);
    avoid->count += status == HT_OK;
    return status == HT_OK ? HT_OK : ht_error_set(&avoid->error, status, 0, NULL);
}

static enum ht_status feature_add(void *user, const struct ht_feature *feature)
{
    return shape_add(user, &feature->geometry);
}

/* A bare geometry is made a Feature for the reader. */
static enum ht_status geojson_read(struct ht_avoid *avoid, const char *text, size_t size,
                                   const struct ht_crs *crs, struct ht_crs_work *work,
                                   struct ht_error *error)
{
    static const char name[] = "\"Feature";
    const struct ht_feature_options options = {.crs = crs,
                                               .work = work,
                                               .id_optional = true,
                                               .max_features = HT_AVOID_AREAS_MAX,
                                               .sink = feature_add,
                                               .user = avoid};
    struct ht_text whole = {0};
    bool bare = memmem(text, size, name, sizeof name - 1) == NULL;
    ht_text_add_string(&whole, bare ? "{\"type\":\"Feature\",\"properties\":{},\"geometry\":" : "");
    ht_text_add(&whole, text, size);
    ht_text_add_string(&whole, bare ? "}" : "");
    enum ht_status status = ht_shape_work_new(&avoid->shapes);
    if (status != HT_OK || whole.failed) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    } else {
        status = ht_feature_read(HT_FORMAT_GEOJSON, whole.data, whole.size, &options, error);
    }
    if (avoid->error.status != HT_OK) { /* says more than the reader knows */
        *error = avoid->error;
    }
    ht_text_deinit(&whole);
    return status;
}

/* ---- ids ---- */

static enum ht_status ids_read(struct ht_avoid *avoid, const char *text, size_t size,
                               struct ht_zone_table *zones)
{
    enum ht_status status = HT_OK;
    for (size_t at = 0; status == HT_OK && at <= size;) {
        const char *comma = memchr(text + at, ',', size - at);
        size_t length = comma == NULL ? size - at : (size_t)(comma - text) - at;
        status = room(avoid);
        if (status == HT_OK) {
            struct ht_zone *zone = zones == NULL ? NULL : ht_zones_find(zones, text + at, length);
            if (zone == NULL) {
                status = ht_error_set(&avoid->error, HT_NOT_FOUND, 0, "there is no zone %.*s",
                                      (int)(length < 64 ? length : 64), text + at);
            } else {
                avoid->areas[avoid->count++] = zone;
            }
        }
        at += length + 1;
    }
    return status;
}

// NOLINTNEXTLINE(readability-function-size): what, in which coordinates, among which
enum ht_status ht_avoid_read(const char *text, size_t size, const struct ht_crs *crs,
                             struct ht_crs_work *work, struct ht_zone_table *zones,
                             struct ht_avoid **out, struct ht_error *error)
{
    struct ht_avoid *avoid = calloc(1, sizeof *avoid);
    if (avoid == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    while (size > 0 && (*text == ' ' || *text == '\n' || *text == '\r' || *text == '\t')) {
        text++;
        size--;
    }
    enum ht_status status = HT_OK;
    if (size == 0) {
        status = ht_error_set(error, HT_SYNTAX, 0, "avoid names no area");
    } else if (*text == '{' || *text == '[') {
        status = geojson_read(avoid, text, size, crs, work, error);
    } else {
        status = ids_read(avoid, text, size, zones);
        *error = avoid->error;
    }
    if (status == HT_OK && avoid->count == 0) {
        status = ht_error_set(error, HT_SYNTAX, 0, "avoid names no area");
    }
    ht_shape_work_free(avoid->shapes);
    avoid->shapes = NULL;
    if (status != HT_OK) {
        ht_avoid_free(avoid);
        return status;
    }
    *out = avoid;
    return HT_OK;
}

enum ht_status ht_avoid_cuts(const struct ht_avoid *avoid, struct ht_world *world,
                             const char *profile, struct ht_cuts *cuts)
{
    return ht_map_cuts(world, profile, avoid->areas, avoid->count, cuts);
}

enum ht_status ht_avoid_road(const struct ht_avoid *avoid, struct ht_world *world,
                             const char *profile, uint16_t exclude, struct ht_pool *pool,
                             struct ht_detour **out)
{
    struct ht_cuts cuts = {0};
    const struct ht_map_ask ask = {.profile = profile, .exclude = exclude, .cuts = &cuts};
    enum ht_status status = ht_avoid_cuts(avoid, world, profile, &cuts);
    if (status == HT_OK) {
        status = ht_map_detour(world, &ask, pool, out);
    }
    ht_cuts_deinit(&cuts);
    return status;
}
