/* Cells: the tree of the streets' plan, cut down its strips until there are as many parts as
 * wanted.
 *
 *   +-----+--------+     Borders run along the middle of rivers, railways and avenues. The plan is
 *   |  1  |   2    |     bent when it is laid on the globe, so borders are sampled at every 50 m
 * and |     +---+----+     at every corner of any cell (o): two neighbours have the same points on
 *   +--o--o 3 | 4  |     what they share, and nothing lies between them or under both.
 *   +-----+---+----+
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/sample_town_internal.h"

enum { LATTICE_CM = 50 * HT__METRE };
enum { SIDE_POINTS_MAX = 4096 };

/* --- the partition ---------------------------------------------------------------------------- */

/* Cuts a territory along the strip of its area; the second part goes to `more`. */
static void cut(const struct ht__census *census, struct ht__territory *part,
                struct ht__territory *more)
{
    const struct ht__area *area = ht__census_area(census, part->area);
    const struct ht__rect *left = &ht__census_area(census, area->child[0])->rect;
    const struct ht__rect *right = &ht__census_area(census, area->child[1])->rect;
    *more = *part;
    if (area->north) { /* west on its left */
        part->rect.max.x_cm = more->rect.min.x_cm = left->max.x_cm / 2 + right->min.x_cm / 2;
    } else { /* north on its left */
        part->rect.min.y_cm = more->rect.max.y_cm = left->min.y_cm / 2 + right->max.y_cm / 2;
    }
    part->area = area->child[0];
    more->area = area->child[1];
}

/* Cuts the heaviest part again and again. */
static void part_into(const struct ht__census *census, struct ht__territory *list, size_t *count,
                      size_t wanted)
{
    while (*count < wanted) {
        size_t best = *count;
        for (size_t i = 0; i < *count; i++) {
            const struct ht__area *area = ht__census_area(census, list[i].area);
            if (area->child[0] != 0 && (best == *count || census->weights[list[i].area] >
                                                              census->weights[list[best].area])) {
                best = i;
            }
        }
        if (best == *count) {
            return; /* a district of too few blocks */
        }
        cut(census, &list[best], &list[*count]);
        ++*count;
    }
}

static void name_communities(struct ht__census *census)
{
    struct ht__dice dice = ht__dice_new(census->seed, 910000);
    for (size_t i = 0; i < census->community_count; i++) {
        bool fresh = false;
        while (!fresh) {
            struct ht__name name;
            ht__name_make(&dice, HT__NAME_COMMUNITY, &name);
            fresh = true;
            for (size_t k = 0; k < i; k++) {
                fresh = fresh && strcmp(census->communities[k].name, name.zh) != 0;
            }
            (void)snprintf(census->communities[i].name, sizeof census->communities[i].name, "%s",
                           name.zh);
        }
    }
}

static void name_grids(struct ht__census *census)
{
    unsigned numbers[HT__COMMUNITIES] = {0};
    for (size_t i = 0; i < census->grid_count; i++) {
        struct ht__territory *grid = &census->grids[i];
        (void)snprintf(grid->name, sizeof grid->name, "%.60s第%u网格",
                       census->communities[grid->parent].name, ++numbers[grid->parent]);
    }
}

void ht__cells_plan(struct ht__census *census)
{
    struct ht__rect rect = ht__census_area(census, census->district)->rect;
    int32_t ring = ht__strip_width(HT__STRIP_MOTORWAY, HT__TRUNK); /* around a town */
    rect.min.x_cm -= ring;
    rect.min.y_cm -= ring;
    rect.max.x_cm += ring;
    rect.max.y_cm += ring;
    census->communities[0] = (struct ht__territory){.rect = rect, .area = census->district};
    census->community_count = 1;
    part_into(census, census->communities, &census->community_count, HT__COMMUNITIES);
    for (size_t i = 0; i < census->community_count; i++) {
        census->grids[i] = census->communities[i];
        census->grids[i].parent = (uint32_t)i;
    }
    census->grid_count = census->community_count;
    part_into(census, census->grids, &census->grid_count, HT__GRIDS);
    name_communities(census);
    name_grids(census);
}

uint32_t ht__cells_grid_of(const struct ht__census *census, const struct ht__area *area)
{
    int32_t x = area->rect.min.x_cm / 2 + area->rect.max.x_cm / 2;
    int32_t y = area->rect.min.y_cm / 2 + area->rect.max.y_cm / 2;
    for (size_t i = 0; i < census->grid_count; i++) {
        const struct ht__rect *rect = &census->grids[i].rect;
        if (x >= rect->min.x_cm && x < rect->max.x_cm && y >= rect->min.y_cm &&
            y < rect->max.y_cm) {
            return (uint32_t)i;
        }
    }
    return 0;
}

/* --- borders ---------------------------------------------------------------------------------- */

struct border {
    const struct ht__census *census;
    struct ht_point *points;
    size_t count;
    size_t capacity;
    enum ht_status status;
};

static void border_add(struct border *border, struct ht__place place)
{
    void *points = border->points;
    if (border->status == HT_OK) {
        border->status =
            ht_array_reserve(&points, &border->capacity, border->count + 1, sizeof *border->points);
        border->points = points;
    }
    if (border->status == HT_OK) {
        border->points[border->count++] = ht__census_globe(border->census, place);
    }
}

static int by_value(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a;
    int32_t y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Corners of grids on the line across = `across`, between two ends. */
static size_t corners_on(const struct ht__census *census, bool upright, int32_t across,
                         const int32_t ends[2], int32_t *out)
{
    size_t count = 0;
    for (size_t i = 0; i < census->grid_count; i++) {
        const struct ht__place corners[2] = {census->grids[i].rect.min, census->grids[i].rect.max};
        for (size_t k = 0; k < 4 && count < SIDE_POINTS_MAX / 2; k++) {
            int32_t x = corners[k % 2].x_cm;
            int32_t y = corners[k / 2].y_cm;
            int32_t along = upright ? y : x;
            if ((upright ? x : y) == across && along > ends[0] && along < ends[1]) {
                out[count++] = along;
            }
        }
    }
    return count;
}

/* One side of a rectangle from its first corner to before its last. */
static void border_side(struct border *border, struct ht__place from, struct ht__place to)
{
    int32_t stops[SIDE_POINTS_MAX];
    bool upright = from.x_cm == to.x_cm;
    int32_t first = upright ? from.y_cm : from.x_cm;
    int32_t last = upright ? to.y_cm : to.x_cm;
    int32_t ends[2] = {first < last ? first : last, first < last ? last : first};
    size_t count =
        corners_on(border->census, upright, upright ? from.x_cm : from.y_cm, ends, stops);
    for (int32_t at = ends[0] / LATTICE_CM * LATTICE_CM - LATTICE_CM;
         at < ends[1] && count < SIDE_POINTS_MAX; at += LATTICE_CM) {
        if (at > ends[0]) {
            stops[count++] = at;
        }
    }
    qsort(stops, count, sizeof *stops, by_value);
    border_add(border, from);
    for (size_t i = 0; i < count; i++) {
        size_t k = first < last ? i : count - 1 - i;
        if (k > 0 && stops[k] == stops[k - 1]) {
            continue;
        }
        border_add(border, upright ? (struct ht__place){from.x_cm, stops[k]}
                                   : (struct ht__place){stops[k], from.y_cm});
    }
}

/* The item's polygon becomes the rectangle, counter-clockwise. */
static void ring_of(struct ht__census *census, const struct ht__rect *rect)
{
    struct border border = {.census = census, .status = census->status};
    struct ht__place southeast = {rect->max.x_cm, rect->min.y_cm};
    struct ht__place northwest = {rect->min.x_cm, rect->max.y_cm};
    border_side(&border, rect->min, southeast);
    border_side(&border, southeast, rect->max);
    border_side(&border, rect->max, northwest);
    border_side(&border, northwest, rect->min);
    census->status = border.status;
    if (border.status == HT_OK) {
        ht__item_ring(census, border.points, border.count);
    }
    free(border.points);
}

/* The item's polygon becomes the wall as it was drawn, whose last node is its first. */
static void ring_of_wall(struct ht__census *census, const struct ht__area *area)
{
    size_t count = 0;
    const uint32_t *nodes = ht__sketch_line(census->town.sketch, area->yard.wall, &count);
    struct border border = {.census = census, .status = census->status};
    for (size_t i = 0; i + 1 < count; i++) {
        border_add(&border, ht__sketch_place(census->town.sketch, nodes[i]));
    }
    census->status = border.status;
    if (border.status == HT_OK) {
        ht__item_ring(census, border.points, border.count);
    }
    free(border.points);
}

/* --- the items -------------------------------------------------------------------------------- */

void ht__cells_make(struct ht__census *census)
{
    ht__item_collection(census, "cells");
    for (size_t i = 0; i < census->community_count; i++) {
        ht__item_begin(census, "community-%02zu", i + 1);
        ring_of(census, &census->communities[i].rect);
        ht__item_text(census, "name", census->communities[i].name);
        ht__item_text(census, "kind", "community");
        ht__item_end(census);
    }
    for (size_t i = 0; i < census->grid_count; i++) {
        ht__item_begin(census, "grid-%02zu", i + 1);
        ring_of(census, &census->grids[i].rect);
        ht__item_text(census, "name", census->grids[i].name);
        ht__item_text(census, "kind", "grid");
        ht__item_json(census, "parent", "\"community-%02u\"", census->grids[i].parent + 1);
        ht__item_end(census);
    }
    for (size_t i = 0; i < census->compound_count; i++) {
        const struct ht__compound *compound = &census->compounds[i];
        ht__item_begin(census, "compound-%02zu", i + 1);
        ring_of_wall(census, ht__census_area(census, compound->area));
        ht__item_text(census, "name", compound->name);
        ht__item_text(census, "kind", "compound");
        ht__item_json(census, "parent", "\"grid-%02u\"", compound->grid + 1);
        ht__item_end(census);
    }
}

/* Around all blocks of a kind. False: there is none. */
static bool around(const struct ht__census *census, enum ht__block_kind kind, struct ht__rect *out)
{
    bool any = false;
    for (size_t i = 0; i < census->leaf_count; i++) {
        const struct ht__area *area = ht__census_area(census, census->leaves[i]);
        if (area->block.kind != kind) {
            continue;
        }
        const struct ht__rect *rect = &area->rect;
        *out = any ? *out : *rect;
        any = true;
        out->min.x_cm = rect->min.x_cm < out->min.x_cm ? rect->min.x_cm : out->min.x_cm;
        out->min.y_cm = rect->min.y_cm < out->min.y_cm ? rect->min.y_cm : out->min.y_cm;
        out->max.x_cm = rect->max.x_cm > out->max.x_cm ? rect->max.x_cm : out->max.x_cm;
        out->max.y_cm = rect->max.y_cm > out->max.y_cm ? rect->max.y_cm : out->max.y_cm;
    }
    return any;
}

/* The district in the middle of a city may have neither: then the first works, the first grid. */
void ht__zones_make(struct ht__census *census)
{
    struct ht__rect port = census->grids[0].rect;
    struct ht__rect old_town = census->grids[0].rect;
    bool is_port = around(census, HT__BLOCK_PORT, &port);
    if (!is_port) {
        port = ht__census_leaf(census, 1U << HT__BLOCK_WORKS, 0, 1)->rect;
    }
    bool is_old = around(census, HT__BLOCK_OLD_TOWN, &old_town);
    ht__item_collection(census, "zones");
    ht__item_begin(census, "fence-port");
    ring_of(census, &port);
    ht__item_text(census, "name", is_port ? "镇海港区围栏" : "工业园区围栏");
    ht__item_text(census, "kind", "fence");
    ht__item_end(census);
    ht__item_begin(census, "watched-old-town");
    ring_of(census, &old_town);
    ht__item_text(census, "name", is_old ? "老城防范区" : "第一网格防范区");
    ht__item_text(census, "kind", "watched");
    ht__item_text(census, "from", "2026-01-01T00:00:00+08:00");
    ht__item_end(census);
}
