#include "api/town_tile.h"

#include <stdlib.h>
#include <string.h>

#include "geodata/members.h"
#include "geodata/mvt_shape.h"

#define SEARCH_MARGIN ((double)HT_MVT_BUFFER / HT_MVT_EXTENT)

enum {
    TEXT_MOST = 4097, /* bytes, as the registry allows */
    PROPERTIES_MOST = 4,
    HOMES_ZOOM = 13,       /* the first that shows households */
    HOMES_WHOLE_ZOOM = 16, /* the first that shows all of them */
    PIXELS = 512,          /* of a tile's side */
};

#define TOLERANCE_STEPS 4.0 /* half a pixel */

/* What is shown of each, besides its id. */
static const struct shown {
    const char *collection;
    const char *properties[PROPERTIES_MOST + 1];
} all_shown[] = {
    {"cells", {"name", "kind", "parent"}},
    {"households", {"residents"}},
    {"factories", {"name", "risk"}},
    {"facilities", {"name", "kind", "capacity"}},
    {"zones", {"name", "kind", "from", "until"}},
};

static const struct shown *shown_of(const struct ht_collection *collection)
{
    for (size_t i = 0; i < sizeof all_shown / sizeof *all_shown; i++) {
        if (strcmp(all_shown[i].collection, collection->name) == 0) {
            return &all_shown[i];
        }
    }
    return NULL;
}

bool ht_town_tile_is_of(const struct ht_collection *collection)
{
    return shown_of(collection) != NULL;
}

struct drawing {
    const struct ht_town_tile_ask *ask;
    const struct shown *shown;
    struct ht_mvt *tile;
    struct ht_mvt_frame frame;
    struct ht_mvt_shape shape;
    struct ht_geometry geometry;
    bool homes;
    uint8_t taken[PIXELS * PIXELS / 8]; /* a bit for each pixel with a household */
    char text[TEXT_MOST];
};

/* A member as a value of the tile; lists, objects and null are left out. */
static void member_tag(struct drawing *d, const char *name, const struct ht_member *member)
{
    char first = member->value_size > 0 ? member->value[0] : 'n';
    if (first == '"') {
        if (ht_member_text(member, d->text, sizeof d->text)) {
            ht_mvt_tag(d->tile, name, ht_mvt_text(d->text));
        }
    } else if (first == 't' || first == 'f') {
        ht_mvt_tag(d->tile, name, ht_mvt_bool(first == 't'));
    } else if (first == '-' || (first >= '0' && first <= '9')) {
        ht_mvt_tag(d->tile, name, ht_mvt_double(strtod(member->value, NULL)));
    }
}

static void properties_tag(struct drawing *d, const struct ht_store_item *item)
{
    struct ht_member member;
    for (size_t i = 0; d->shown->properties[i] != NULL; i++) {
        const char *name = d->shown->properties[i];
        if (ht_member_find(item->properties, name, &member)) {
            member_tag(d, name, &member);
        }
    }
    if (strcmp(d->shown->collection, "factories") == 0 &&
        ht_member_find(item->properties, "tenants", &member) && member.value[0] == '[') {
        const char *at = member.value;
        uint64_t tenants = 0;
        while (ht_member_item(&at, &member)) {
            tenants++;
        }
        ht_mvt_tag(d->tile, "tenants", ht_mvt_uint(tenants));
    }
}

static bool is_frail(const struct ht_store_item *item)
{
    struct ht_member member;
    return item->personal != NULL && ht_member_find(item->personal, "frail", &member) &&
           member.value_size == 4 && memcmp(member.value, "true", 4) == 0;
}

/* Whether a household of its pixel is drawn already; if not, it is from now on. */
static bool pixel_take(struct drawing *d, struct ht_mvt_point place)
{
    if (place.x < 0 || place.y < 0 || place.x >= HT_MVT_EXTENT || place.y >= HT_MVT_EXTENT) {
        return false;
    }
    size_t pixel = (size_t)(place.y / (HT_MVT_EXTENT / PIXELS)) * PIXELS +
                   (size_t)(place.x / (HT_MVT_EXTENT / PIXELS));
    bool taken = (d->taken[pixel / 8] >> pixel % 8 & 1) != 0;
    d->taken[pixel / 8] |= (uint8_t)(1U << pixel % 8);
    return taken;
}

static enum ht_status item_draw(void *user, const struct ht_store_item *item)
{
    struct drawing *d = user;
    if (item->wkb_size == 0 ||
        ht_geometry_read_wkb(&d->geometry, item->wkb, item->wkb_size, NULL) != HT_OK) {
        return HT_OK; /* it lies nowhere */
    }
    enum ht_mvt_geometry kind = ht_mvt_shape_kind(&d->geometry);
    bool frail = d->homes && is_frail(item);
    if (kind == 0) {
        return HT_OK;
    }
    if (d->homes && kind == HT_MVT_POINT && d->ask->zoom < HOMES_WHOLE_ZOOM &&
        pixel_take(d, ht_mvt_place(&d->frame, d->geometry.points[0])) && !frail) {
        return HT_OK;
    }
    ht_mvt_feature(d->tile, kind, HT_MVT_NO_ID);
    ht_mvt_shape_geometry(&d->shape, d->tile, &d->frame, &d->geometry, TOLERANCE_STEPS);
    if (d->tile->shape.size > 0) {
        ht_mvt_tag(d->tile, "id", ht_mvt_text(item->id));
        properties_tag(d, item);
        if (frail) {
            ht_mvt_tag(d->tile, "frail", ht_mvt_bool(true));
        }
    }
    ht_mvt_feature_end(d->tile);
    return d->tile->failed ? HT_NOMEM : HT_OK;
}

enum ht_status ht_town_tile(struct ht_store_reader *reader, const struct ht_town_tile_ask *ask,
                            struct ht_mvt *tile, struct ht_error *error)
{
    const struct ht_box box = ht_mvt_box(ask->x, ask->y, ask->zoom, SEARCH_MARGIN);
    struct ht_store_query query = ht_store_query_default(ask->collection);
    struct drawing *d = calloc(1, sizeof *d);
    if (d == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    d->ask = ask;
    d->shown = shown_of(ask->collection);
    d->tile = tile;
    d->frame = ht_mvt_frame(ask->x, ask->y, ask->zoom);
    d->homes = strcmp(ask->collection->name, "households") == 0;
    ht_mvt_shape_init(&d->shape);
    ht_geometry_init(&d->geometry);
    query.box = &box;
    query.personal = d->homes && ask->frail;
    enum ht_status status = HT_OK;
    if (!d->homes || ask->zoom >= HOMES_ZOOM) {
        ht_mvt_layer(tile, ask->collection->name);
        status = ht_store_items(reader, &query, item_draw, d, NULL, error);
        ht_mvt_layer_end(tile);
    }
    ht_geometry_deinit(&d->geometry);
    ht_mvt_shape_deinit(&d->shape);
    free(d);
    return status;
}
