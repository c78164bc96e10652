#include "api/visit_site.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/home.h"
#include "api/json_merge.h"
#include "geodata/collection.h"
#include "geodata/members.h"
#include "geodata/registry.h"

/* ---- from the registry ---- */

static uint8_t risk_of(yajl_val value, uint8_t other)
{
    return YAJL_IS_INTEGER(value) && YAJL_GET_INTEGER(value) >= 1 && YAJL_GET_INTEGER(value) <= 4
               ? (uint8_t)YAJL_GET_INTEGER(value)
               : other;
}

static enum ht_status site_take(void *user, const struct ht_store_item *item)
{
    struct ht_visit_site *site = user;
    struct ht_member member;
    site->properties = strdup(item->properties);
    if (site->properties == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = HT_OK;
    if (item->wkb_size > 0) {
        status = ht_geometry_read_wkb(&site->geometry, item->wkb, item->wkb_size, NULL);
    }
    site->placed = ht_home_point(item, &site->point);
    (void)snprintf(site->cell, sizeof site->cell, "%s", item->cell == NULL ? "" : item->cell);
    if (ht_member_find(item->properties, "risk", &member) && member.value_size == 1 &&
        member.value[0] >= '1' && member.value[0] <= '4') {
        site->risk = (uint8_t)(member.value[0] - '0');
    }
    return status;
}

static enum ht_status fence_take(void *user, const struct ht_store_item *item)
{
    struct ht_visit_site *site = user;
    struct ht_member member;
    char kind[16] = "";
    bool fence = ht_member_find(item->properties, "kind", &member) &&
                 ht_member_text(&member, kind, sizeof kind) && strcmp(kind, "fence") == 0;
    return fence && item->wkb_size > 0
               ? ht_geometry_read_wkb(&site->fence, item->wkb, item->wkb_size, NULL)
               : HT_OK;
}

static enum ht_status nothing_take(void *user, const struct ht_store_item *item)
{
    (void)user;
    (void)item;
    return HT_OK;
}

static enum ht_status item_look(struct ht_store_reader *reader, const char *collection,
                                const char *id)
{
    return ht_store_item(reader, ht_collection_find(collection, strlen(collection)), id, false,
                         nothing_take, NULL, NULL);
}

bool ht_visit_site_is_home(struct ht_store_reader *reader, const char *id)
{
    return item_look(reader, "households", id) != HT_NOT_FOUND ||
           (item_look(reader, "factories", id) != HT_OK &&
            item_look(reader, "facilities", id) != HT_OK);
}

static enum ht_status fence_find(struct ht_store_reader *reader, const char *id,
                                 struct ht_visit_site *out, struct ht_error *error)
{
    enum ht_status status =
        ht_store_item(reader, ht_collection_find("zones", 5), id, false, fence_take, out, NULL);
    return status == HT_NOT_FOUND || status == HT_OK ? HT_OK : ht_error_set(error, status, 0, NULL);
}

enum ht_status ht_visit_site_find(struct ht_store_reader *reader, const char *id,
                                  struct ht_visit_site *out, struct ht_error *error)
{
    static const char *const collections[] = {"factories", "facilities", "households"};
    *out = (struct ht_visit_site){.risk = 1};
    ht_geometry_init(&out->geometry);
    ht_geometry_init(&out->fence);
    enum ht_status status = HT_NOT_FOUND;
    for (size_t i = 0; i < 3 && status == HT_NOT_FOUND; i++) {
        out->collection = ht_collection_find(collections[i], strlen(collections[i]));
        status = ht_store_item(reader, out->collection, id, false, site_take, out, error);
    }
    if (status == HT_OK && out->cell[0] == '\0' && out->placed) {
        status = ht_registry_cell_at(reader, out->point, out->cell, error);
    }
    status = status == HT_OK ? fence_find(reader, id, out, error) : status;
    return status == HT_NOT_FOUND ? ht_error_set(error, status, 0, "there is no site %.64s", id)
                                  : status;
}

void ht_visit_site_deinit(struct ht_visit_site *site)
{
    ht_geometry_deinit(&site->geometry);
    ht_geometry_deinit(&site->fence);
    free(site->properties);
    site->properties = NULL;
}

/* `*any`: it names tenants. False: not this one. */
static bool tenant_find(const struct ht_visit_site *site, const char *tenant, bool *any,
                        uint8_t *risk)
{
    yajl_val tree = ht_json_tree_read(site->properties, strlen(site->properties));
    yajl_val list = ht_json_member(tree, "tenants");
    bool found = false;
    *any = YAJL_IS_ARRAY(list) && list->u.array.len > 0;
    *risk = site->risk;
    for (size_t i = 0; *any && i < list->u.array.len && !found; i++) {
        yajl_val item = list->u.array.values[i];
        const char *id = YAJL_GET_STRING(ht_json_member(item, "id"));
        found = id != NULL && strcmp(id, tenant) == 0;
        *risk = found ? risk_of(ht_json_member(item, "risk"), site->risk) : *risk;
    }
    yajl_tree_free(tree);
    return found;
}

enum ht_status ht_visit_site_tenant(const struct ht_visit_site *site, const char *tenant,
                                    uint8_t *risk)
{
    bool any = false;
    return tenant_find(site, tenant, &any, risk) || !any ? HT_OK : HT_NOT_FOUND;
}

bool ht_visit_site_has(const struct ht_visit_site *site, const char *tenant)
{
    bool any = false;
    uint8_t risk = 0;
    return tenant_find(site, tenant, &any, &risk);
}

/* ---- how far ---- */

/* In metres around the point that is asked for. */
struct flat {
    double x;
    double y;
};

static struct flat flat_of(struct ht_point origin, struct ht_scale scale, struct ht_point p)
{
    return (struct flat){((double)p.lon_e7 - origin.lon_e7) * 1e-7 * scale.lon_m,
                         ((double)p.lat_e7 - origin.lat_e7) * 1e-7 * scale.lat_m};
}

/* From the origin to a segment. */
static double segment_m(struct flat a, struct flat b)
{
    double dx = b.x - a.x;
    double dy = b.y - a.y;
    double length = dx * dx + dy * dy;
    double t = length > 0 ? -(a.x * dx + a.y * dy) / length : 0;
    t = fmin(1, fmax(0, t));
    return hypot(a.x + t * dx, a.y + t * dy);
}

/* Whether the ray from the point to the east crosses the edge. */
static bool crosses(struct ht_point p, struct ht_point a, struct ht_point b)
{
    if ((a.lat_e7 > p.lat_e7) == (b.lat_e7 > p.lat_e7)) {
        return false;
    }
    double along = ((double)p.lat_e7 - a.lat_e7) / ((double)b.lat_e7 - a.lat_e7);
    return p.lon_e7 < a.lon_e7 + along * ((double)b.lon_e7 - a.lon_e7);
}

static double ring_m(const struct ht_geometry *g, size_t first, size_t end, struct ht_point point,
                     bool *within)
{
    struct ht_scale scale = ht_scale_at(point.lat_e7);
    double nearest_m = INFINITY;
    for (size_t i = first; i + 1 < end; i++) {
        *within = *within != crosses(point, g->points[i], g->points[i + 1]);
        nearest_m = fmin(nearest_m, segment_m(flat_of(point, scale, g->points[i]),
                                              flat_of(point, scale, g->points[i + 1])));
    }
    return nearest_m;
}

static double geometry_m(const struct ht_geometry *g, struct ht_point point)
{
    double nearest_m = INFINITY;
    bool within = false;
    size_t first = 0;
    if (g->type == HT_GEOMETRY_LINE) {
        nearest_m = ring_m(g, 0, g->point_count, point, &within);
        within = false;
    }
    for (size_t r = 0; r < g->ring_count; r++) {
        nearest_m = fmin(nearest_m, ring_m(g, first, g->ring_ends[r], point, &within));
        first = g->ring_ends[r];
    }
    return within ? 0 : nearest_m;
}

uint32_t ht_visit_site_distance_m(const struct ht_visit_site *site, struct ht_point point)
{
    if (!site->placed && site->fence.type == HT_GEOMETRY_NONE) {
        return UINT32_MAX;
    }
    double nearest_m = fmin(geometry_m(&site->fence, point), geometry_m(&site->geometry, point));
    if (site->placed) {
        nearest_m = fmin(nearest_m, ht_distance_m(site->point, point));
    }
    if (site->geometry.type == HT_GEOMETRY_POINT) {
        nearest_m = fmin(nearest_m, ht_distance_m(site->geometry.points[0], point));
    }
    return nearest_m < 4e9 ? (uint32_t)lround(nearest_m) : UINT32_MAX - 1;
}
