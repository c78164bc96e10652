#include "geodata/street_tile.h"

#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/mvt_shape.h"

#define SEARCH_MARGIN ((double)HT_MVT_BUFFER / HT_MVT_EXTENT)
#define FINE_STEPS 1.0   /* where nothing is left out: a quarter of a metre */
#define COARSE_STEPS 6.0 /* elsewhere: less than a pixel of a tile of 512 */

enum way_seen { ALONG = 1, AGAINST = 2 };

struct ht_streets {
    uint32_t count;
    struct ht_box *boxes; /* of each way */
    uint8_t *seen;        /* enum way_seen: how a car may go */
};

/* By enum ht_road_class. */
static const struct {
    const char *name;
    uint32_t zoom; /* the first that shows it */
} classes[] = {
    [HT_ROAD_MOTORWAY] = {"motorway", 5},
    [HT_ROAD_TRUNK] = {"trunk", 6},
    [HT_ROAD_PRIMARY] = {"primary", 8},
    [HT_ROAD_SECONDARY] = {"secondary", 10},
    [HT_ROAD_TERTIARY] = {"tertiary", 11},
    [HT_ROAD_UNCLASSIFIED] = {"unclassified", 12},
    [HT_ROAD_RESIDENTIAL] = {"residential", 13},
    [HT_ROAD_LIVING_STREET] = {"living_street", 13},
    [HT_ROAD_SERVICE] = {"service", 14},
    [HT_ROAD_TRACK] = {"track", 14},
    [HT_ROAD_PEDESTRIAN] = {"pedestrian", 14},
    [HT_ROAD_CYCLEWAY] = {"cycleway", 14},
    [HT_ROAD_PATH] = {"path", HT_STREETS_WHOLE_ZOOM},
    [HT_ROAD_STEPS] = {"steps", HT_STREETS_WHOLE_ZOOM},
    [HT_ROAD_FERRY] = {"ferry", 8},
    [HT_ROAD_OTHER] = {"other", HT_STREETS_WHOLE_ZOOM},
};

static uint32_t class_of(const struct ht_way *way)
{
    return way->road_class < sizeof classes / sizeof *classes ? way->road_class
                                                              : (uint32_t)HT_ROAD_OTHER;
}

enum ht_status ht_streets_new(const struct ht_network *network, struct ht_streets **out)
{
    struct ht_streets *streets = calloc(1, sizeof *streets);
    if (streets == NULL) {
        return HT_NOMEM;
    }
    streets->count = network->way_count;
    streets->boxes = ht_array_new(network->way_count, sizeof *streets->boxes);
    streets->seen = ht_array_new_zeroed(network->way_count, 1);
    if (streets->boxes == NULL || streets->seen == NULL) {
        ht_streets_free(streets);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < network->way_count; i++) {
        struct ht_box box = ht_box_empty();
        for (uint32_t k = network->ways[i].first_node; k < network->ways[i + 1].first_node; k++) {
            box = ht_box_grow(box, network->node_point[network->way_node[k]]);
        }
        streets->boxes[i] = box;
    }
    const struct ht_graph *graph = network->graph_count > 0 ? network->graphs[0] : NULL;
    for (uint32_t i = 0; graph != NULL && i < graph->base_arc_count; i++) {
        const struct ht_arc *arc = &graph->arcs[i];
        streets->seen[arc->way] |= ht_arc_is_forward(arc) ? ALONG : AGAINST;
    }
    *out = streets;
    return HT_OK;
}

void ht_streets_free(struct ht_streets *streets)
{
    if (streets != NULL) {
        free(streets->boxes);
        free(streets->seen);
        free(streets);
    }
}

struct drawing {
    const struct ht_network *network;
    struct ht_mvt *tile;
    struct ht_mvt_frame frame;
    struct ht_mvt_shape shape;
    double tolerance;
};

static void tag_text(struct drawing *d, const char *key, uint32_t at)
{
    if (at != 0 && d->network->strings[at] != '\0') {
        ht_mvt_tag(d->tile, key, ht_mvt_text(d->network->strings + at));
    }
}

static void tag_flag(struct drawing *d, const char *key, bool on)
{
    if (on) {
        ht_mvt_tag(d->tile, key, ht_mvt_bool(true));
    }
}

static void way_draw(struct drawing *d, uint32_t number, enum way_seen seen)
{
    const struct ht_way *way = &d->network->ways[number];
    const uint32_t *nodes = d->network->way_node + way->first_node;
    uint32_t count = d->network->ways[number + 1].first_node - way->first_node;
    struct ht_mvt_point *points = ht_mvt_shape_room(&d->shape, d->tile, count);
    bool backwards = seen == AGAINST;
    for (uint32_t i = 0; points != NULL && i < count; i++) {
        uint32_t node = nodes[backwards ? count - 1 - i : i];
        points[i] = ht_mvt_place(&d->frame, d->network->node_point[node]);
    }
    if (points == NULL) {
        return;
    }
    ht_mvt_feature(d->tile, HT_MVT_LINE, (uint64_t)way->osm_id);
    ht_mvt_shape_line(&d->shape, d->tile, count, d->tolerance);
    if (d->tile->shape.size == 0) {
        return; /* its box meets the tile, it does not */
    }
    ht_mvt_tag(d->tile, "class", ht_mvt_text(classes[class_of(way)].name));
    tag_text(d, "name", way->name);
    tag_text(d, "name:zh", way->name_zh);
    tag_text(d, "name:en", way->name_en);
    tag_text(d, "ref", way->ref);
    tag_flag(d, "oneway", seen == ALONG || seen == AGAINST);
    tag_flag(d, "link", (way->flags & HT_WAY_LINK) != 0);
    tag_flag(d, "bridge", (way->flags & HT_WAY_BRIDGE) != 0);
    tag_flag(d, "tunnel", (way->flags & HT_WAY_TUNNEL) != 0);
    ht_mvt_feature_end(d->tile);
}

static bool meets(struct ht_box a, struct ht_box b)
{
    return a.min.lon_e7 <= b.max.lon_e7 && a.max.lon_e7 >= b.min.lon_e7 &&
           a.min.lat_e7 <= b.max.lat_e7 && a.max.lat_e7 >= b.min.lat_e7;
}

void ht_streets_tile(const struct ht_streets *streets, const struct ht_network *network, uint32_t x,
                     uint32_t y, uint32_t zoom, struct ht_mvt *tile)
{
    struct drawing d = {.network = network,
                        .tile = tile,
                        .frame = ht_mvt_frame(x, y, zoom),
                        .tolerance = zoom >= HT_STREETS_WHOLE_ZOOM ? FINE_STEPS : COARSE_STEPS};
    struct ht_box box = ht_mvt_box(x, y, zoom, SEARCH_MARGIN);
    ht_mvt_shape_init(&d.shape);
    ht_mvt_layer(tile, "streets");
    for (uint32_t i = 0; i < streets->count; i++) {
        if (meets(streets->boxes[i], box) && zoom >= classes[class_of(&network->ways[i])].zoom) {
            way_draw(&d, i, (enum way_seen)streets->seen[i]);
        }
    }
    ht_mvt_layer_end(tile);
    ht_mvt_shape_deinit(&d.shape);
}
