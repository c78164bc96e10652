#include "geodata/sample_town.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "geodata/sample_town_internal.h"

/* How far from the crossing a door lies, so that it is beside the street and not on it. */
enum { DOOR_CM = 9 * HT__METRE };

const struct ht__area *ht__census_area(const struct ht__census *census, uint32_t area)
{
    return &census->town.areas[area];
}

struct ht_point ht__census_globe(const struct ht__census *census, struct ht__place place)
{
    return ht__place_on_globe(census->seed, place);
}

struct ht__place ht__census_crossing(const struct ht__census *census, const struct ht__area *area,
                                     uint32_t column, uint32_t row)
{
    const struct ht__yard *yard = &area->yard;
    return ht__sketch_place(census->town.sketch, yard->first_node + row * yard->columns + column);
}

struct ht_point ht__census_door(const struct ht__census *census, const struct ht__area *area,
                                struct ht__dice *dice)
{
    uint32_t column = (uint32_t)ht__dice_range(dice, 0, (int32_t)area->yard.columns - 2);
    uint32_t row = (uint32_t)ht__dice_range(dice, 0, (int32_t)area->yard.rows - 2);
    struct ht__place place = ht__census_crossing(census, area, column, row);
    place.x_cm += DOOR_CM;
    place.y_cm += DOOR_CM;
    return ht__census_globe(census, place);
}

static bool is_of(const struct ht__area *area, uint32_t kinds)
{
    return (kinds >> area->block.kind & 1) != 0;
}

const struct ht__area *ht__census_leaf(const struct ht__census *census, uint32_t kinds, size_t i,
                                       size_t count)
{
    size_t total = 0;
    for (size_t k = 0; k < census->leaf_count; k++) {
        total += is_of(ht__census_area(census, census->leaves[k]), kinds);
    }
    if (total == 0) {
        return ht__census_area(census, census->leaves[i * census->leaf_count / count]);
    }
    size_t left = (2 * i + 1) * total / (2 * count);
    for (size_t k = 0; k < census->leaf_count; k++) {
        const struct ht__area *area = ht__census_area(census, census->leaves[k]);
        if (is_of(area, kinds) && left-- == 0) {
            return area;
        }
    }
    return ht__census_area(census, census->leaves[0]);
}

/* --- the district ----------------------------------------------------------------------------- */

/* Compounds below each area; `weights` holds the counts until the households are shared out. */
static void count_compounds(struct ht__census *census)
{
    for (size_t i = census->town.area_count; i-- > 0;) {
        const struct ht__area *area = &census->town.areas[i];
        census->weights[i] =
            area->child[0] == 0 ? area->block.kind == HT__BLOCK_COMPOUND
                                : census->weights[area->child[0]] + census->weights[area->child[1]];
    }
}

/* From the whole towards the middle, as long as there are compounds enough. */
static void find_district(struct ht__census *census)
{
    uint32_t at = 0;
    for (;;) {
        const struct ht__area *area = ht__census_area(census, at);
        census->district = at;
        if (area->child[0] == 0) {
            return;
        }
        const struct ht__area *left = ht__census_area(census, area->child[0]);
        bool first = area->north ? left->rect.max.x_cm > 0 : left->rect.min.y_cm < 0;
        at = area->child[first ? 0 : 1];
        if (census->weights[at] < HT_SAMPLE_COMPOUNDS) {
            return;
        }
    }
}

/* Depth first, so that what is near in the list is near in the town. */
static void list_leaves(struct ht__census *census)
{
    uint32_t stack[128];
    size_t depth = 0;
    stack[depth++] = census->district;
    while (depth > 0) {
        uint32_t at = stack[--depth];
        const struct ht__area *area = ht__census_area(census, at);
        if (area->child[0] == 0) {
            census->leaves[census->leaf_count++] = at;
        } else if (depth + 2 <= sizeof stack / sizeof *stack) {
            stack[depth++] = area->child[1];
            stack[depth++] = area->child[0];
        }
    }
}

static void weigh(struct ht__census *census)
{
    for (size_t i = census->town.area_count; i-- > 0;) {
        const struct ht__area *area = &census->town.areas[i];
        census->weights[i] =
            area->child[0] == 0 ? (area->block.kind == HT__BLOCK_COMPOUND ? 3 : 1)
                                : census->weights[area->child[0]] + census->weights[area->child[1]];
    }
}

/* Which of the four sub-districts: a quarter of the district each. */
static uint32_t quarter_of(const struct ht__census *census, const struct ht__area *area)
{
    const struct ht__rect *whole = &ht__census_area(census, census->district)->rect;
    const struct ht__rect *rect = &area->rect;
    bool east = rect->min.x_cm + rect->max.x_cm > whole->min.x_cm + whole->max.x_cm;
    bool north = rect->min.y_cm + rect->max.y_cm > whole->min.y_cm + whole->max.y_cm;
    return (east ? 1U : 0U) + (north ? 2U : 0U);
}

/* A name occurs once in a sub-district: the second compound of a name is its second phase. */
static void name_compound(struct ht__census *census, struct ht__compound *compound)
{
    static const char *const phases[] = {"", "二期", "三期", "四期", "五期", "六期"};
    const char *name = ht__census_area(census, compound->area)->yard.name;
    size_t phase = 0;
    for (size_t i = 0; i < census->compound_count; i++) {
        const struct ht__compound *other = &census->compounds[i];
        phase += other->district == compound->district &&
                 strcmp(ht__census_area(census, other->area)->yard.name, name) == 0;
    }
    if (phase < sizeof phases / sizeof *phases) {
        (void)snprintf(compound->name, sizeof compound->name, "%s%s", name, phases[phase]);
    } else {
        (void)snprintf(compound->name, sizeof compound->name, "%s%zu期", name, phase + 1);
    }
}

/* Where a city's district has more of them than a town, they are spread over it. */
static void choose_compounds(struct ht__census *census)
{
    size_t total = 0;
    for (size_t i = 0; i < census->leaf_count; i++) {
        total += ht__census_area(census, census->leaves[i])->block.kind == HT__BLOCK_COMPOUND;
    }
    size_t seen = 0;
    for (size_t i = 0; i < census->leaf_count; i++) {
        const struct ht__area *area = ht__census_area(census, census->leaves[i]);
        if (area->block.kind != HT__BLOCK_COMPOUND) {
            continue;
        }
        seen++;
        size_t wanted = total < HT_SAMPLE_COMPOUNDS ? seen : seen * HT_SAMPLE_COMPOUNDS / total;
        if (wanted > census->compound_count) {
            struct ht__compound *compound = &census->compounds[census->compound_count];
            *compound = (struct ht__compound){.area = census->leaves[i],
                                              .grid = ht__cells_grid_of(census, area),
                                              .district = quarter_of(census, area)};
            name_compound(census, compound);
            census->compound_count++;
        }
    }
}

static void plan(struct ht__census *census)
{
    census->leaves = ht_array_new(census->town.area_count, sizeof *census->leaves);
    census->weights = ht_array_new(census->town.area_count, sizeof *census->weights);
    if (census->leaves == NULL || census->weights == NULL) {
        census->status = HT_NOMEM;
        return;
    }
    count_compounds(census);
    find_district(census);
    list_leaves(census);
    weigh(census);
    ht__cells_plan(census);
    choose_compounds(census);
    ht__homes_plan(census);
}

enum ht_status ht_sample_town(enum ht_sample_scale scale, uint64_t seed, ht_sample_sink *sink,
                              void *user)
{
    struct ht__census *census = ht_array_new_zeroed(1, sizeof *census);
    if (census == NULL) {
        return HT_NOMEM;
    }
    census->seed = seed;
    census->sink = sink;
    census->user = user;
    ht_geometry_init(&census->item.geometry);
    census->status = ht__town_draw(&census->town, scale, seed);
    if (census->status == HT_OK) {
        plan(census);
    }
    if (census->status == HT_OK) {
        ht__cells_make(census);
        ht__homes_make(census);
        ht__factories_make(census);
        ht__facilities_make(census);
        ht__units_make(census);
        ht__zones_make(census);
        ht__devices_make(census);
    }
    enum ht_status status = census->status;
    ht_geometry_deinit(&census->item.geometry);
    ht_text_deinit(&census->item.properties);
    ht__town_deinit(&census->town);
    free(census->leaves);
    free(census->weights);
    free(census);
    return status;
}
