#include "geodata/sample.h"

#include <stdlib.h>

#include "engine/base/array.h"
#include "geodata/sample_internal.h"

/* A leaf is a rectangle with about this many nodes or fewer. */
enum { LEAF_NODES = 120 };
enum { AREAS_MAX = 1 << 16 };

/* How a scale is laid out. */
struct layout {
    int32_t half_width_m;
    int32_t half_height_m;
    int32_t core_spacing_m;
    int32_t edge_spacing_m;
    int32_t crossings_permille; /* of the cube root of an area's junctions */
    int32_t compounds_permille;
    size_t bridges; /* over the river between the halves; 0: by size */
};

static const struct layout layouts[] = {
    [HT_SAMPLE_TOWN] = {5400, 5000, 48, 76, 620, 0, 6},
    [HT_SAMPLE_CITY] = {30300, 29300, 46, 66, 540, 260, 0},
};

static const struct layout *layout(const struct ht__town *town)
{
    return &layouts[town->scale];
}

static struct ht__place middle(const struct ht__rect *rect)
{
    return (struct ht__place){.x_cm = rect->min.x_cm / 2 + rect->max.x_cm / 2,
                              .y_cm = rect->min.y_cm / 2 + rect->max.y_cm / 2};
}

static int64_t distance_cm(struct ht__place a, struct ht__place b)
{
    int64_t dx = (int64_t)a.x_cm - b.x_cm;
    int64_t dy = (int64_t)a.y_cm - b.y_cm;
    return ht__square_root(dx * dx + dy * dy);
}

/* Dense in the middle, loose at the edge, with some luck. */
static int32_t spacing_at(const struct ht__town *town, struct ht__place place)
{
    const struct layout *rule = layout(town);
    int64_t far = town->half_width_cm;
    int64_t distance = distance_cm(place, (struct ht__place){0, 0});
    distance = distance > far ? far : distance;
    int64_t spacing = rule->core_spacing_m * (int64_t)HT__METRE +
                      (rule->edge_spacing_m - rule->core_spacing_m) * HT__METRE * distance / far;
    spacing += spacing * ht__noise(town->seed + 9, place, 1700 * HT__METRE) / 1024 / 6;
    return (int32_t)spacing;
}

static int64_t nodes_in(const struct ht__town *town, const struct ht__rect *rect)
{
    int64_t width = (int64_t)rect->max.x_cm - rect->min.x_cm;
    int64_t height = (int64_t)rect->max.y_cm - rect->min.y_cm;
    int64_t spacing = spacing_at(town, middle(rect));
    return width * height / (spacing * spacing);
}

/* --- the plan: a tree of rectangles --- */

static enum ht_status add_area(struct ht__town *town, const struct ht__area *area, uint32_t *out)
{
    if (town->area_count >= AREAS_MAX) {
        return HT_TOO_BIG;
    }
    enum ht_status status = ht_array_reserve((void **)&town->areas, &town->area_capacity,
                                             town->area_count + 1, sizeof *town->areas);
    if (status == HT_OK) {
        town->areas[town->area_count] = *area;
        *out = (uint32_t)town->area_count++;
    }
    return status;
}

static enum ht__class class_for(int64_t nodes)
{
    return nodes > 60000  ? HT__TRUNK
           : nodes > 9000 ? HT__PRIMARY
           : nodes > 2200 ? HT__SECONDARY
           : nodes > 700  ? HT__TERTIARY
           : nodes > 300  ? HT__UNCLASSIFIED
                          : HT__RESIDENTIAL;
}

/* Rivers, motorways and railways part the upper levels, streets the rest. */
static enum ht__strip_kind strip_for(const struct ht__town *town, uint32_t area, uint32_t depth)
{
    bool city = town->scale == HT_SAMPLE_CITY;
    if (depth == 0) {
        return HT__STRIP_RIVER;
    }
    if (depth == 1) {
        return city ? HT__STRIP_MOTORWAY : area % 2 == 1 ? HT__STRIP_RAIL : HT__STRIP_STREET;
    }
    if (city && depth == 2) {
        return area % 2 == 0 ? HT__STRIP_RAIL : HT__STRIP_RIVER;
    }
    return city && depth == 4 && area % 3 == 0 ? HT__STRIP_RAIL : HT__STRIP_STREET;
}

static void split(const struct ht__town *town, const struct ht__area *area, uint32_t index,
                  struct ht__area children[2])
{
    struct ht__dice dice = ht__dice_new(town->seed, 1000 + index);
    int32_t width = ht__strip_width(area->strip, area->class);
    int32_t low = area->north ? area->rect.min.x_cm : area->rect.min.y_cm;
    int32_t high = area->north ? area->rect.max.x_cm : area->rect.max.y_cm;
    int32_t cut = low + (int32_t)((int64_t)(high - low) * ht__dice_range(&dice, 430, 570) / 1000);
    for (size_t i = 0; i < 2; i++) {
        children[i] = (struct ht__area){.rect = area->rect, .depth = area->depth + 1};
    }
    if (area->north) { /* west on its left */
        children[0].rect.max.x_cm = cut - width / 2;
        children[1].rect.min.x_cm = cut + width / 2;
    } else { /* north on its left */
        children[0].rect.min.y_cm = cut + width / 2;
        children[1].rect.max.y_cm = cut - width / 2;
    }
}

/* Areas are appended behind their parents, so one walk forward splits and one back adds up. */
static enum ht_status plan_areas(struct ht__town *town)
{
    struct ht__area root = {.rect = {.min = {-town->half_width_cm, -town->half_height_cm},
                                     .max = {town->half_width_cm, town->half_height_cm}}};
    uint32_t index = 0;
    enum ht_status status = add_area(town, &root, &index);
    for (uint32_t i = 0; i < town->area_count && status == HT_OK; i++) {
        struct ht__area *area = &town->areas[i];
        area->nodes = nodes_in(town, &area->rect);
        if (area->nodes <= LEAF_NODES) {
            continue;
        }
        int32_t width = area->rect.max.x_cm - area->rect.min.x_cm;
        int32_t height = area->rect.max.y_cm - area->rect.min.y_cm;
        area->north = width >= height;
        area->strip = strip_for(town, i, area->depth);
        area->class = class_for(area->nodes);
        struct ht__area children[2];
        split(town, area, i, children);
        uint32_t child[2] = {0, 0};
        for (size_t k = 0; k < 2 && status == HT_OK; k++) {
            status = add_area(town, &children[k], &child[k]);
        }
        town->areas[i].child[0] = child[0];
        town->areas[i].child[1] = child[1];
    }
    for (size_t i = town->area_count; i-- > 0;) {
        struct ht__area *area = &town->areas[i];
        if (area->child[0] != 0) {
            area->nodes = town->areas[area->child[0]].nodes + town->areas[area->child[1]].nodes;
        }
    }
    return status;
}

/* --- what fills the leaves --- */

static enum ht__block_kind kind_at(const struct ht__town *town, struct ht__place place,
                                   struct ht__dice *dice)
{
    int64_t radius = town->half_width_cm;
    struct ht__place old_town = {(int32_t)(-radius / 7), (int32_t)(radius / 12)};
    struct ht__place port = {(int32_t)(radius * 9 / 10), (int32_t)(radius * 6 / 10)};
    int64_t far = distance_cm(place, (struct ht__place){0, 0}) * 1000 / radius;
    int32_t roll = ht__dice_range(dice, 0, 999);
    if (distance_cm(place, old_town) < radius / 7) {
        return HT__BLOCK_OLD_TOWN;
    }
    if (distance_cm(place, port) < radius * 3 / 10) {
        return HT__BLOCK_PORT;
    }
    if (roll < layout(town)->compounds_permille) {
        return HT__BLOCK_COMPOUND;
    }
    roll = ht__dice_range(dice, 0, 999);
    if (roll < 25) {
        return HT__BLOCK_PARK;
    }
    if (roll < 25 + far / 8) {
        return HT__BLOCK_WORKS;
    }
    return roll < 60 + far * 4 / 10 ? HT__BLOCK_VILLAGE : HT__BLOCK_GRID;
}

struct candidate {
    int64_t key;
    uint32_t area;
};

static int by_candidate(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return x->area < y->area ? -1 : x->area > y->area;
}

/* A town has its 56 compounds, more of them near the middle. */
static enum ht_status choose_compounds(struct ht__town *town)
{
    struct candidate *list = ht_array_new(town->area_count, sizeof *list);
    if (list == NULL) {
        return HT_NOMEM;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < town->area_count; i++) {
        struct ht__area *area = &town->areas[i];
        enum ht__block_kind kind = area->block.kind;
        if (area->child[0] == 0 && (kind == HT__BLOCK_GRID || kind == HT__BLOCK_VILLAGE)) {
            struct ht__dice dice = ht__dice_new(town->seed, 500000 + i);
            int64_t far = distance_cm(middle(&area->rect), (struct ht__place){0, 0});
            list[count++] = (struct candidate){
                .key = ht__dice_range(&dice, 0, 3000) + far / HT__METRE / 2, .area = i};
        }
    }
    qsort(list, count, sizeof *list, by_candidate);
    for (size_t i = 0; i < count && i < HT_SAMPLE_COMPOUNDS; i++) {
        town->areas[list[i].area].block.kind = HT__BLOCK_COMPOUND;
    }
    free(list);
    return HT_OK;
}

static enum ht_status plan_blocks(struct ht__town *town)
{
    for (uint32_t i = 0; i < town->area_count; i++) {
        struct ht__area *area = &town->areas[i];
        if (area->child[0] != 0) {
            continue;
        }
        struct ht__dice dice = ht__dice_new(town->seed, 700000 + i);
        struct ht__place place = middle(&area->rect);
        area->block = (struct ht__block_plan){
            .rect = area->rect,
            .kind = kind_at(town, place, &dice),
            .spacing_cm = spacing_at(town, place),
            .seed = ht__dice_roll(&dice),
            .details = town->scale == HT_SAMPLE_TOWN,
        };
    }
    return town->scale == HT_SAMPLE_TOWN ? choose_compounds(town) : HT_OK;
}

/* --- drawing, from the leaves up --- */

static void sides_deinit(struct ht__ports sides[HT__SIDES])
{
    for (size_t i = 0; i < HT__SIDES; i++) {
        ht__ports_deinit(&sides[i]);
    }
}

static size_t crossings_for(const struct ht__town *town, const struct ht__area *area)
{
    const struct layout *rule = layout(town);
    if (area->depth == 0 && rule->bridges != 0) {
        return rule->bridges;
    }
    int64_t junctions = area->nodes * 55 / 100;
    int64_t count = ht__cube_root(junctions * 1000000) * rule->crossings_permille / 100000;
    return count < 2 ? 2 : (size_t)count;
}

static struct ht__strip strip_of(const struct ht__town *town, const struct ht__area *area,
                                 uint32_t index)
{
    const struct ht__area *left = &town->areas[area->child[0]];
    const struct ht__area *right = &town->areas[area->child[1]];
    bool north = area->north;
    return (struct ht__strip){
        .kind = area->strip,
        .class = area->class,
        .north = north,
        .details = town->scale == HT_SAMPLE_TOWN,
        .along_min_cm = north ? area->rect.min.y_cm : area->rect.min.x_cm,
        .along_max_cm = north ? area->rect.max.y_cm : area->rect.max.x_cm,
        .across_min_cm = north ? left->rect.max.x_cm : -left->rect.min.y_cm,
        .across_max_cm = north ? right->rect.min.x_cm : -right->rect.max.y_cm,
        .crossings = crossings_for(town, area),
        .seed = town->seed * 31 + index,
    };
}

/* The sides of the whole: those that lead out of one child, and of both with the avenue's end
 * between. */
static enum ht_status join_sides(bool north, struct ht__ports children[2][HT__SIDES],
                                 struct ht__ports ends[2], struct ht__ports out[HT__SIDES])
{
    enum ht__side outer[2] = {north ? HT__WEST : HT__NORTH, north ? HT__EAST : HT__SOUTH};
    enum ht__side shared[2] = {north ? HT__SOUTH : HT__WEST, north ? HT__NORTH : HT__EAST};
    enum ht_status status = HT_OK;
    for (size_t i = 0; i < 2 && status == HT_OK; i++) {
        status = ht__ports_append(&out[outer[i]], &children[i][outer[i]]);
    }
    for (size_t i = 0; i < 2 && status == HT_OK; i++) {
        /* In growing x or y: the left child is west, but north. */
        size_t low = north ? 0 : 1;
        status = ht__ports_append(&out[shared[i]], &children[low][shared[i]]);
        if (status == HT_OK) {
            status = ht__ports_append(&out[shared[i]], &ends[i]);
        }
        if (status == HT_OK) {
            status = ht__ports_append(&out[shared[i]], &children[1 - low][shared[i]]);
        }
    }
    return status;
}

static enum ht_status draw_area(struct ht__town *town, uint32_t index,
                                struct ht__ports out[HT__SIDES])
{
    struct ht__area *area = &town->areas[index];
    if (area->child[0] == 0) {
        return ht__block_draw(town->sketch, &area->block, out, &area->yard);
    }
    struct ht__ports children[2][HT__SIDES] = {0};
    struct ht__ports ends[2] = {0};
    enum ht_status status = draw_area(town, area->child[0], children[0]);
    if (status == HT_OK) {
        status = draw_area(town, area->child[1], children[1]);
    }
    if (status == HT_OK) {
        struct ht__strip strip = strip_of(town, area, index);
        enum ht__side left = area->north ? HT__EAST : HT__SOUTH;
        enum ht__side right = area->north ? HT__WEST : HT__NORTH;
        status = ht__strip_draw(town->sketch, &strip, &children[0][left], &children[1][right],
                                &ends[0], &ends[1]);
    }
    if (status == HT_OK) {
        status = join_sides(area->north, children, ends, out);
    }
    sides_deinit(children[0]);
    sides_deinit(children[1]);
    ht__ports_deinit(&ends[0]);
    ht__ports_deinit(&ends[1]);
    return status;
}

/* --- the ring road around it all, with a motorway on the landward side --- */

static struct ht__strip ring_strip(const struct ht__town *town, enum ht__side side)
{
    int32_t width = ht__strip_width(HT__STRIP_STREET, HT__TRUNK);
    int32_t x = town->half_width_cm;
    int32_t y = town->half_height_cm;
    bool north = side == HT__WEST || side == HT__EAST;
    struct ht__strip strip = {
        .kind = side == HT__SOUTH ? HT__STRIP_MOTORWAY : HT__STRIP_STREET,
        .class = HT__TRUNK,
        .north = north,
        .details = town->scale == HT_SAMPLE_TOWN,
        .along_min_cm = north ? -y : -x,
        .along_max_cm = north ? y : x,
        .crossings = (size_t)(x / (900 * HT__METRE)) + 2,
        .seed = town->seed * 31 + AREAS_MAX + side,
    };
    int32_t edge = north ? x : y;
    bool beyond = side == HT__EAST || side == HT__SOUTH; /* where across grows outwards */
    int32_t room = side == HT__SOUTH ? ht__strip_width(HT__STRIP_MOTORWAY, HT__TRUNK) : width;
    strip.across_min_cm = beyond ? edge : -edge - room;
    strip.across_max_cm = beyond ? edge + room : -edge;
    return strip;
}

static void join_corner(struct ht__town *town, const struct ht__ports *a, const struct ht__ports *b)
{
    struct ht__dice dice = ht__dice_new(town->seed, 4);
    ht__sketch_begin(town->sketch, a->list[0].node);
    ht__sketch_leg(town->sketch, b->list[0].node);
    ht__tag_street(town->sketch, &dice, HT__TRUNK, false, NULL);
    ht__sketch_tag(town->sketch, "ref", "G329");
    (void)ht__sketch_end(town->sketch);
}

static enum ht_status draw_ring(struct ht__town *town, struct ht__ports sides[HT__SIDES])
{
    struct ht__ports ends[HT__SIDES][2] = {0};
    struct ht__ports none = {0};
    enum ht_status status = HT_OK;
    for (enum ht__side side = HT__WEST; side < HT__SIDES && status == HT_OK; side++) {
        struct ht__strip strip = ring_strip(town, side);
        bool inside_left = side == HT__EAST || side == HT__SOUTH;
        status = ht__strip_draw(town->sketch, &strip, inside_left ? &sides[side] : &none,
                                inside_left ? &none : &sides[side], &ends[side][0], &ends[side][1]);
    }
    if (status == HT_OK) {
        join_corner(town, &ends[HT__NORTH][1], &ends[HT__EAST][1]);
        join_corner(town, &ends[HT__NORTH][0], &ends[HT__WEST][1]);
        join_corner(town, &ends[HT__SOUTH][0], &ends[HT__WEST][0]);
        join_corner(town, &ends[HT__SOUTH][1], &ends[HT__EAST][0]);
    }
    for (size_t i = 0; i < HT__SIDES; i++) {
        ht__ports_deinit(&ends[i][0]);
        ht__ports_deinit(&ends[i][1]);
    }
    return status;
}

enum ht_status ht__town_draw(struct ht__town *town, enum ht_sample_scale scale, uint64_t seed)
{
    *town = (struct ht__town){.scale = scale, .seed = seed};
    town->half_width_cm = layouts[scale].half_width_m * HT__METRE;
    town->half_height_cm = layouts[scale].half_height_m * HT__METRE;
    struct ht__ports sides[HT__SIDES] = {0};
    enum ht_status status = ht__sketch_new(&town->sketch);
    if (status == HT_OK) {
        status = plan_areas(town);
    }
    if (status == HT_OK) {
        status = plan_blocks(town);
    }
    if (status == HT_OK) {
        status = draw_area(town, 0, sides);
    }
    if (status == HT_OK) {
        status = draw_ring(town, sides);
    }
    sides_deinit(sides);
    return status == HT_OK ? ht__sketch_status(town->sketch) : status;
}

void ht__town_deinit(struct ht__town *town)
{
    free(town->areas);
    ht__sketch_free(town->sketch);
    *town = (struct ht__town){0};
}

enum ht_status ht_sample_streets(const char *path, enum ht_sample_scale scale, uint64_t seed,
                                 struct ht_error *error)
{
    struct ht__town town;
    enum ht_status status = ht__town_draw(&town, scale, seed);
    status = status == HT_OK ? ht__sketch_write(town.sketch, path, seed, error)
                             : ht_error_set(error, status, 0, NULL);
    ht__town_deinit(&town);
    return status;
}
