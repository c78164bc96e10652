#include "api/coverage_sites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/geometry.h"
#include "geodata/members.h"

static enum ht_status site_add(struct ht_sites *sites, const char *id, enum ht_site_from from,
                               struct ht_point point)
{
    if (sites->count == HT_COVERAGE_SPOTS_MOST) {
        return HT_TOO_BIG;
    }
    void *list = sites->list;
    enum ht_status status =
        ht_array_reserve(&list, &sites->capacity, sites->count + 1, sizeof *sites->list);
    sites->list = list;
    if (status == HT_OK) {
        struct ht_site *site = &sites->list[sites->count++];
        *site = (struct ht_site){.from = from, .point = point};
        (void)snprintf(site->id, sizeof site->id, "%s", id);
    }
    return status;
}

void ht_sites_deinit(struct ht_sites *sites)
{
    free(sites->list);
    *sites = (struct ht_sites){0};
}

/* --- facilities ------------------------------------------------------------------------------- */

struct taking {
    struct ht_sites *sites;
    uint32_t kinds;
};

static bool kind_asked(const struct taking *taking, const struct ht_store_item *item)
{
    struct ht_member member;
    char kind[32];
    if (!ht_member_find(item->properties, "kind", &member) ||
        !ht_member_text(&member, kind, sizeof kind)) {
        return false;
    }
    for (uint32_t i = 0; ht_facility_kinds[i] != NULL; i++) {
        if ((taking->kinds >> i & 1) != 0 && strcmp(ht_facility_kinds[i], kind) == 0) {
            return true;
        }
    }
    return false;
}

static enum ht_status facility_take(void *user, const struct ht_store_item *item)
{
    struct taking *taking = user;
    struct ht_geometry geometry;
    if (item->wkb_size == 0 || !kind_asked(taking, item)) {
        return HT_OK;
    }
    ht_geometry_init(&geometry);
    enum ht_status status = ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL);
    if (status == HT_OK && geometry.point_count > 0) {
        status = site_add(taking->sites, item->id, HT_SITE_FACILITY, geometry.points[0]);
    }
    ht_geometry_deinit(&geometry);
    return status;
}

static int by_id(const void *left, const void *right)
{
    return strcmp(((const struct ht_site *)left)->id, ((const struct ht_site *)right)->id);
}

enum ht_status ht_sites_facilities(struct ht_sites *sites, uint32_t kinds,
                                   struct ht_store_reader *reader, struct ht_error *error)
{
    static const char name[] = "facilities";
    struct taking taking = {sites, kinds};
    struct ht_store_query query = ht_store_query_default(ht_collection_find(name, sizeof name - 1));
    if (kinds == 0) {
        return HT_OK;
    }
    enum ht_status status = ht_store_items(reader, &query, facility_take, &taking, NULL, error);
    if (status == HT_TOO_BIG) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than 1,000 facilities of these kinds");
    }
    if (sites->count > 0) {
        qsort(sites->list, sites->count, sizeof *sites->list, by_id);
    }
    return status;
}

/* --- places that are named -------------------------------------------------------------------- */

enum ht_status ht_sites_named(struct ht_sites *sites, const struct ht_coverage_body *body,
                              const struct ht_crs *crs, struct ht_crs_work *work,
                              struct ht_error *error)
{
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < body->spot_count && status == HT_OK; i++) {
        const struct ht_coverage_spot *spot = &body->spots[i];
        struct ht_point point;
        if (ht_crs_point(work, crs, spot->pair, &point) != HT_OK) {
            return ht_error_set(error, HT_SYNTAX, 0, "candidates/%zu is no place on Earth", i);
        }
        status = site_add(sites, spot->id, HT_SITE_CANDIDATE, point);
    }
    if (status == HT_TOO_BIG) {
        return ht_error_set(error, HT_TOO_BIG, 0, "more than 1,000 candidates and facilities");
    }
    return status == HT_OK ? status : ht_error_set(error, status, 0, NULL);
}

/* --- corners ---------------------------------------------------------------------------------- */

/* About 400 m at the latitudes of Chinese towns: nobody needs them to be exact. */
enum { SQUARE_LON_E7 = 41000, SQUARE_LAT_E7 = 36000 };

struct square {
    int64_t key;
    int64_t weight;
    int64_t lon_e7; /* sums over its households */
    int64_t lat_e7;
    int64_t count;
};

static int by_key(const void *left, const void *right)
{
    const struct square *a = left;
    const struct square *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

static int by_weight(const void *left, const void *right)
{
    const struct square *a = left;
    const struct square *b = right;
    return a->weight != b->weight ? (a->weight > b->weight ? -1 : 1) : by_key(left, right);
}

/* One for each uncovered household, then one for each square, heaviest first; returns how many. */
static size_t squares_list(struct square *list, const struct ht_homes *homes,
                           const uint64_t *covered, const uint32_t *weights)
{
    size_t count = 0;
    size_t kept = 0;
    for (uint32_t i = 0; i < homes->count; i++) {
        struct ht_point p = homes->points[i];
        if ((covered[i / 64] >> i % 64 & 1) == 0) {
            int64_t x = ((int64_t)p.lon_e7 + HT_LON_MAX_E7) / SQUARE_LON_E7;
            int64_t y = ((int64_t)p.lat_e7 + HT_LAT_MAX_E7) / SQUARE_LAT_E7;
            list[count++] = (struct square){y << 32 | x, weights == NULL ? 1 : weights[i], p.lon_e7,
                                            p.lat_e7, 1};
        }
    }
    if (count > 0) {
        qsort(list, count, sizeof *list, by_key);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && list[kept - 1].key == list[i].key) {
            struct square *square = &list[kept - 1];
            square->weight += list[i].weight;
            square->lon_e7 += list[i].lon_e7;
            square->lat_e7 += list[i].lat_e7;
            square->count++;
        } else {
            list[kept++] = list[i];
        }
    }
    if (kept > 0) {
        qsort(list, kept, sizeof *list, by_weight);
    }
    return kept;
}

/* The junction at the end of the street nearest to the square's people. */
static enum ht_status corner_add(struct ht_sites *sites, const struct ht_road *road,
                                 struct ht_snap_work *snap, const struct square *square,
                                 uint32_t number)
{
    struct ht_snap_options options = ht_snap_options_default();
    struct ht_point middle = {(int32_t)(square->lon_e7 / square->count),
                              (int32_t)(square->lat_e7 / square->count)};
    struct ht_place two[2];
    uint32_t found = 0;
    char id[32];
    enum ht_status status = ht_snap_trip(road->snap, snap, middle, &options, two, &found);
    if (status != HT_OK) {
        return status == HT_NO_SEGMENT ? HT_OK : status;
    }
    const struct ht_place *place = &two[found - 1];
    uint32_t arc = place->side[0].arc != HT_NONE ? place->side[0].arc : place->side[1].arc;
    uint32_t junction = road->graph->arcs[arc].head;
    struct ht_point point = road->network->node_point[road->graph->junction_node[junction]];
    for (size_t i = 0; i < sites->count; i++) {
        const struct ht_site *site = &sites->list[i];
        if (site->from == HT_SITE_CORNER && site->point.lon_e7 == point.lon_e7 &&
            site->point.lat_e7 == point.lat_e7) {
            return HT_OK;
        }
    }
    (void)snprintf(id, sizeof id, "corner-%u", number);
    status = site_add(sites, id, HT_SITE_CORNER, point);
    return status == HT_TOO_BIG ? HT_OK : status; /* there are enough others */
}

enum ht_status ht_sites_corners(struct ht_sites *sites, const struct ht_road *road,
                                const struct ht_homes *homes, const uint64_t *covered,
                                const uint32_t *weights, uint32_t most)
{
    struct ht_snap_work *snap = NULL;
    struct square *list = ht_array_new(homes->count, sizeof *list);
    enum ht_status status = list == NULL ? HT_NOMEM : ht_snap_work_new(&snap);
    if (status == HT_OK) {
        size_t count = squares_list(list, homes, covered, weights);
        for (uint32_t i = 0; i < count && i < most && status == HT_OK; i++) {
            status = corner_add(sites, road, snap, &list[i], i + 1);
        }
    }
    ht_snap_work_free(snap);
    free(list);
    return status;
}
