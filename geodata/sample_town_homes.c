/* Homes: blocks of flats on the plots between a compound's lanes, and who lives there.
 *
 *   +------lane------+     Each plot takes one building with its entrances in a row; the flats of
 *   |                |     an entrance lie above its door. Numbers run as on real plates: building
 *   | ▭1单元 ▭2单元  |     (幢), entrance (单元), flat (室: floor and door).
 *   |   ^door  ^door |
 *   +----------------+
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geodata/sample_town_internal.h"

struct style {
    int32_t floors;
    int32_t flats; /* on a floor of an entrance */
    int32_t units; /* entrances */
    bool lift;
};

static const struct style styles[] = {
    {6, 2, 3, false}, {5, 3, 3, false}, {6, 2, 4, false}, {11, 2, 2, true}, {18, 4, 1, true},
};

static const char *const device_kinds[HT__DEVICE_KINDS] = {"sos_key", "bed_belt", "door",
                                                           "radar",   "gas",      "water"};

static const char *const sides[HT__SIDES] = {
    [HT__WEST] = "西门", [HT__EAST] = "东门", [HT__SOUTH] = "南门", [HT__NORTH] = "北门"};

enum { ALL_KINDS = (1 << HT__DEVICE_KINDS) - 1 };

struct home {
    const struct ht__compound *compound;
    const struct style *style;
    uint32_t number; /* of all households, from 0 */
    int32_t building;
    int32_t unit;
    int32_t floor;
    int32_t flat;
};

struct making {
    struct ht__census *census;
    struct ht__dice dice;
    uint32_t households_left; /* not made yet */
    uint32_t frail_left;
    uint32_t number;
};

/* --- the plan --------------------------------------------------------------------------------- */

static int32_t plots(const struct ht__census *census, const struct ht__compound *compound)
{
    const struct ht__yard *yard = &ht__census_area(census, compound->area)->yard;
    return (int32_t)((yard->columns - 1) * (yard->rows - 1));
}

static int32_t in_building(const struct ht__compound *compound)
{
    const struct style *style = &styles[compound->style];
    return style->floors * style->flats * style->units;
}

/* Large compounds have more, high ones too; all together HT__HOUSEHOLDS, unless the plots don't
 * hold them. */
void ht__homes_plan(struct ht__census *census)
{
    int64_t weights[HT_SAMPLE_COMPOUNDS] = {0};
    int64_t total = 0;
    for (size_t i = 0; i < census->compound_count; i++) {
        struct ht__dice dice = ht__dice_new(census->seed, 920000 + i);
        struct ht__compound *compound = &census->compounds[i];
        int32_t roll = ht__dice_range(&dice, 0, 9);
        compound->style = (uint8_t)(roll < 3 ? 0 : roll < 5 ? 1 : roll < 6 ? 2 : roll < 8 ? 3 : 4);
        weights[i] = plots(census, compound) * (int64_t)ht__dice_range(&dice, 60, 140) *
                     (styles[compound->style].lift ? 3 : 2);
        total += weights[i];
    }
    int64_t before = 0;
    for (size_t i = 0; i < census->compound_count; i++) {
        struct ht__compound *compound = &census->compounds[i];
        int64_t most = (int64_t)plots(census, compound) * in_building(compound);
        int64_t count =
            (before + weights[i]) * HT__HOUSEHOLDS / total - before * HT__HOUSEHOLDS / total;
        compound->households = (int32_t)(count > most ? most : count);
        before += weights[i];
    }
}

/* --- where ------------------------------------------------------------------------------------ */

/* Buildings are spread over the plots, in the order of their numbers. */
static struct ht__place plot_of(const struct ht__census *census, const struct home *home,
                                struct ht__place *step)
{
    const struct ht__area *area = ht__census_area(census, home->compound->area);
    int32_t all = in_building(home->compound);
    int32_t buildings = (home->compound->households + all - 1) / all;
    int32_t plot = (int32_t)((int64_t)home->building * plots(census, home->compound) / buildings);
    uint32_t column = (uint32_t)plot % (area->yard.columns - 1);
    uint32_t row = (uint32_t)plot / (area->yard.columns - 1);
    struct ht__place sum = {0, 0};
    struct ht__place corners[4];
    for (uint32_t i = 0; i < 4; i++) {
        corners[i] = ht__census_crossing(census, area, column + i % 2, row + i / 2);
        sum.x_cm += corners[i].x_cm / 4;
        sum.y_cm += corners[i].y_cm / 4;
    }
    step->x_cm = (corners[1].x_cm - corners[0].x_cm + corners[3].x_cm - corners[2].x_cm) / 2;
    step->y_cm = (corners[2].y_cm - corners[0].y_cm + corners[3].y_cm - corners[1].y_cm) / 2;
    return sum;
}

/* The flat, and the door of its entrance to the south. All of it within half of the plot. */
static void place_home(const struct ht__census *census, const struct home *home,
                       struct ht__place *flat, struct ht__place *door)
{
    struct ht__place step;
    struct ht__place middle = plot_of(census, home, &step);
    int32_t across = 2 * home->unit - (home->style->units - 1);
    *door = middle;
    door->x_cm += step.x_cm * across / (4 * home->style->units);
    door->y_cm -= step.y_cm / 8;
    *flat = (struct ht__place){.x_cm = door->x_cm, .y_cm = middle.y_cm};
    flat->x_cm += step.x_cm * (2 * home->flat - (home->style->flats - 1)) /
                  (8 * home->style->units * home->style->flats);
}

static enum ht__side gate_near(const struct ht__census *census, const struct ht__yard *yard,
                               struct ht__place place)
{
    enum ht__side best = yard->main_gate;
    int64_t least = INT64_MAX;
    for (enum ht__side side = HT__WEST; side < HT__SIDES; side++) {
        if (yard->gates[side] == UINT32_MAX) {
            continue;
        }
        struct ht__place gate = ht__sketch_place(census->town.sketch, yard->gates[side]);
        int64_t dx = (int64_t)gate.x_cm - place.x_cm;
        int64_t dy = (int64_t)gate.y_cm - place.y_cm;
        if (dx * dx + dy * dy < least) {
            least = dx * dx + dy * dy;
            best = side;
        }
    }
    return best;
}

/* The main gate is always open, others of some compounds are shut at night. */
static void add_gate(struct ht__census *census, const struct home *home, struct ht__place door)
{
    const struct ht__area *area = ht__census_area(census, home->compound->area);
    enum ht__side side = gate_near(census, &area->yard, door);
    struct ht_point at =
        ht__census_globe(census, ht__sketch_place(census->town.sketch, area->yard.gates[side]));
    bool shut = side != area->yard.main_gate && area->block.seed % 5 < 2;
    struct ht_text *out = ht__item_open(census, "gate");
    ht_text_addf(out, "{\"name\":\"%s\",\"at\":[", sides[side]);
    ht_text_add_fixed(out, at.lon_e7, 7);
    ht_text_add_char(out, ',');
    ht_text_add_fixed(out, at.lat_e7, 7);
    ht_text_add_string(out, shut ? "],\"hours\":[\"06:00-22:00\"]}" : "]}");
}

/* --- who -------------------------------------------------------------------------------------- */

static void add_contacts(struct making *making, const char *name)
{
    static const char *const relations[] = {"儿子", "女儿", "儿子", "女儿", "邻居", "网格员"};
    struct ht_text *out = ht__item_open(making->census, "contacts");
    int32_t count = ht__dice_range(&making->dice, 1, 2);
    ht_text_add_char(out, '[');
    for (int32_t i = 0; i < count; i++) {
        int32_t relation = ht__dice_range(&making->dice, i == 0 ? 0 : 2, i == 0 ? 3 : 5);
        char contact[HT__NAME_BYTES];
        char phone[16];
        ht__person_make(&making->dice, HT__AGE_GROWN,
                        relation < 4 ? ht__person_surname(name) : NULL, contact);
        ht__phone_make(&making->dice, phone);
        ht_text_addf(out, "%s{\"name\":\"%s\",\"relation\":\"%s\",\"phone\":\"%s\"}",
                     i > 0 ? "," : "", contact, relations[relation], phone);
    }
    ht_text_add_char(out, ']');
}

/* An id that says nothing of whom the device watches over: whoever may see devices may not see
 * that. From the seed, as all is. */
enum { DEVICE_ID = 20 };
static void device_id(const struct ht__census *census, size_t frail, size_t kind,
                      char out[DEVICE_ID])
{
    struct ht__dice dice = ht__dice_new(census->seed, 950000 + frail * HT__DEVICE_KINDS + kind);
    (void)snprintf(out, DEVICE_ID, "dev-%012llx", (unsigned long long)(ht__dice_roll(&dice) >> 16));
}

/* A frail household has a name, a phone, who to call, and what watches over it: always the key,
 * every seventh all six. */
static void add_frail(struct making *making, const struct home *home)
{
    struct ht__census *census = making->census;
    struct ht__frail *frail = &census->frail[census->frail_count];
    char name[HT__NAME_BYTES];
    char phone[16];
    ht__person_make(&making->dice, HT__AGE_OLD, NULL, name);
    ht__phone_make(&making->dice, phone);
    frail->household = home->number;
    frail->kinds = census->frail_count % 7 == 0
                       ? ALL_KINDS
                       : 1U | ((uint32_t)ht__dice_roll(&making->dice) >> 7 & (uint32_t)ALL_KINDS);
    census->frail_count++;
    ht__item_text(census, "name", name);
    ht__item_text(census, "phone", phone);
    add_contacts(making, name);
    struct ht_text *out = ht__item_open(census, "devices");
    char before = '[';
    for (size_t k = 0; k < HT__DEVICE_KINDS; k++) {
        if ((frail->kinds >> k & 1) != 0) {
            char id[DEVICE_ID];
            device_id(census, census->frail_count - 1, k, id);
            ht_text_addf(out, "%c\"%s\"", before, id);
            before = ',';
        }
    }
    ht_text_add_char(out, ']');
}

static void make_home(struct making *making, const struct home *home)
{
    static const uint8_t sizes[] = {1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 5, 6};
    struct ht__census *census = making->census;
    struct ht__place flat;
    struct ht__place door;
    /* So many of those who are left: each household has the same chance, and the sum is right. */
    bool frail = ht__dice_range(&making->dice, 1, (int32_t)making->households_left) <=
                 (int32_t)making->frail_left;
    int32_t residents = sizes[ht__dice_range(&making->dice, 0, (int32_t)sizeof sizes - 1)];
    place_home(census, home, &flat, &door);
    ht__item_begin(census, "h%05u", home->number + 1);
    ht__item_point(census, ht__census_globe(census, flat));
    ht__item_json(census, "address", "\"镇海区%s%s%d幢%d单元%d%02d室\"",
                  ht__subdistricts[home->compound->district], home->compound->name,
                  home->building + 1, home->unit + 1, home->floor, home->flat + 1);
    ht__item_number(census, "residents", frail && residents > 2 ? 1 + residents % 2 : residents);
    ht__item_bool(census, "frail", frail);
    if (frail) {
        add_frail(making, home);
        making->frail_left--;
    }
    ht__item_place(census, "entrance", ht__census_globe(census, door));
    ht__item_number(census, "floor", home->floor);
    ht__item_bool(census, "lift", home->style->lift);
    add_gate(census, home, door);
    ht__item_end(census);
    making->households_left--;
}

/* The flats of a compound by their numbers, until all its households have one. */
static void make_compound(struct making *making, const struct ht__compound *compound)
{
    const struct style *style = &styles[compound->style];
    int32_t floor_flats = style->flats;
    int32_t unit_flats = style->floors * floor_flats;
    int32_t all = in_building(compound);
    for (int32_t i = 0; i < compound->households; i++) {
        struct home home = {.compound = compound,
                            .style = style,
                            .number = making->number++,
                            .building = i / all,
                            .unit = i % all / unit_flats,
                            .floor = i % unit_flats / floor_flats + 1,
                            .flat = i % floor_flats};
        make_home(making, &home);
    }
}

void ht__homes_make(struct ht__census *census)
{
    struct making making = {
        .census = census, .dice = ht__dice_new(census->seed, 930000), .frail_left = HT__FRAIL};
    for (size_t i = 0; i < census->compound_count; i++) {
        making.households_left += (uint32_t)census->compounds[i].households;
    }
    ht__item_collection(census, "households");
    for (size_t i = 0; i < census->compound_count && census->status == HT_OK; i++) {
        make_compound(&making, &census->compounds[i]);
    }
}

/* A device as it is listed: by id, so that neither its place in the list tells whose it is. */
struct listed {
    char id[DEVICE_ID];
    uint32_t household;
    size_t kind;
};

static int by_id(const void *left, const void *right)
{
    return strcmp(((const struct listed *)left)->id, ((const struct listed *)right)->id);
}

static void device_make(struct ht__census *census, struct ht__dice *dice,
                        const struct listed *device)
{
    ht__item_begin(census, "%s", device->id);
    ht__item_text(census, "protocol", "mqtt");
    ht__item_json(census, "household", "\"h%05u\"", device->household + 1);
    ht__item_number(census, "battery", ht__dice_range(dice, 35, 100));
    ht__item_text(census, "state", "ok");
    ht__item_text(census, "kind", device_kinds[device->kind]);
    ht__item_end(census);
}

void ht__devices_make(struct ht__census *census)
{
    struct ht__dice dice = ht__dice_new(census->seed, 940000);
    struct listed *list = calloc(census->frail_count * HT__DEVICE_KINDS + 1, sizeof *list);
    size_t count = 0;
    if (list == NULL) {
        census->status = census->status == HT_OK ? HT_NOMEM : census->status;
        return;
    }
    for (size_t i = 0; i < census->frail_count; i++) {
        for (size_t k = 0; k < HT__DEVICE_KINDS; k++) {
            if ((census->frail[i].kinds >> k & 1) != 0) {
                list[count].household = census->frail[i].household;
                list[count].kind = k;
                device_id(census, i, k, list[count++].id);
            }
        }
    }
    qsort(list, count, sizeof *list, by_id);
    ht__item_collection(census, "devices");
    for (size_t i = 0; i < count; i++) {
        device_make(census, &dice, &list[i]);
    }
    free(list);
}
