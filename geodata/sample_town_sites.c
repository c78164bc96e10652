/* Sites: the factories with their tenants, kitchens, stations, and the places that are to be seen.
 */
#include <stdio.h>
#include <string.h>

#include "geodata/sample_town_internal.h"

enum {
    INDUSTRY = 1U << HT__BLOCK_WORKS | 1U << HT__BLOCK_PORT,
    TOWN = 1U << HT__BLOCK_GRID | 1U << HT__BLOCK_OLD_TOWN,
    ANYWHERE = TOWN | INDUSTRY | 1U << HT__BLOCK_VILLAGE,
};

/* --- factories -------------------------------------------------------------------------------- */

/* How often a risk wants to be seen. */
static const struct {
    const char *visits_per_week;
    const char *gap_days;
    int32_t service_s;
    int32_t crew;
} rules[5] = {
    [1] = {"0.25", "[20,36]", 2400, 1},
    [2] = {"0.5", "[10,18]", 3000, 1},
    [3] = {"1", "[5,9]", 3600, 2},
    [4] = {"2", "[2,5]", 4800, 2},
};

/* What it takes to look at somebody of that risk. */
static unsigned skills_of(int32_t risk)
{
    return risk >= 4 ? 7 : risk == 3 ? 3 : 1;
}

/* A tenant of the factory's own risk first, others below. */
static void add_tenants(struct ht__census *census, struct ht__dice *dice, int32_t risk,
                        uint32_t first, uint32_t count)
{
    struct ht_text *out = ht__item_open(census, "tenants");
    ht_text_add_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        const struct ht__industry *industry = ht__industry_pick(dice, risk, i == 0);
        char name[HT__NAME_BYTES];
        ht__firm_make(dice, industry->name, name);
        ht_text_addf(out,
                     "%s{\"id\":\"t%03u\",\"name\":\"%s有限公司\",\"industry\":\"%s\",\"risk\":%d,"
                     "\"skills\":[\"fire\"%s%s]}",
                     i > 0 ? "," : "", first + i + 1, name, industry->name, industry->risk,
                     (skills_of(industry->risk) & 2) != 0 ? ",\"electric\"" : "",
                     (skills_of(industry->risk) & 4) != 0 ? ",\"chemical\"" : "");
    }
    ht_text_add_char(out, ']');
}

void ht__factories_make(struct ht__census *census)
{
    static const char *const skills[] = {"fire", "electric", "chemical"};
    struct ht__dice dice = ht__dice_new(census->seed, 950000);
    uint32_t tenants[HT__FACTORIES];
    uint32_t first = 0;
    for (size_t i = 0; i < HT__FACTORIES; i++) {
        tenants[i] = 2;
    }
    for (size_t i = 2 * (size_t)HT__FACTORIES; i < HT__TENANTS; i++) {
        tenants[ht__dice_range(&dice, 0, HT__FACTORIES - 1)]++;
    }
    ht__item_collection(census, "factories");
    for (size_t i = 0; i < HT__FACTORIES; i++) {
        static const uint8_t risks[] = {2, 1, 3, 2, 4, 1, 3, 2};
        int32_t risk = risks[i % sizeof risks];
        char name[HT__NAME_BYTES];
        ht__firm_make(&dice, "产业园", name);
        ht__item_begin(census, "factory-%02zu", i + 1);
        ht__item_point(
            census,
            ht__census_door(census, ht__census_leaf(census, INDUSTRY, i, HT__FACTORIES), &dice));
        ht__item_text(census, "name", name);
        ht__item_number(census, "risk", risk);
        add_tenants(census, &dice, risk, first, tenants[i]);
        first += tenants[i];
        ht__item_json(census, "visits_per_week", "%s", rules[risk].visits_per_week);
        ht__item_json(census, "gap_days", "%s", rules[risk].gap_days);
        ht__item_json(census, "open", "[\"Mo-Sa 08:00-17:00\"]");
        ht__item_number(census, "service_s", rules[risk].service_s);
        ht__item_words(census, "skills", skills, skills_of(risk));
        ht__item_number(census, "crew", rules[risk].crew);
        ht__item_end(census);
    }
}

/* --- facilities ------------------------------------------------------------------------------- */

struct ht_point ht__facilities_home(const struct ht__census *census, const char *kind, size_t i,
                                    size_t count)
{
    struct ht__dice dice = ht__dice_new(census->seed, 960000 + i * 16 + (uint64_t)kind[0]);
    return ht__census_door(census, ht__census_leaf(census, TOWN, i, count), &dice);
}

struct ht_point ht__compound_gate(const struct ht__census *census,
                                  const struct ht__compound *compound)
{
    const struct ht__yard *yard = &ht__census_area(census, compound->area)->yard;
    return ht__census_globe(census,
                            ht__sketch_place(census->town.sketch, yard->gates[yard->main_gate]));
}

static void make_kitchens(struct ht__census *census)
{
    static const char *const names[HT__KITCHENS] = {"一号中央厨房", "二号中央厨房", "三号中央厨房"};
    for (size_t i = 0; i < HT__KITCHENS; i++) {
        ht__item_begin(census, "kitchen-%zu", i + 1);
        ht__item_point(census, ht__facilities_home(census, "kitchen", i, HT__KITCHENS));
        ht__item_json(census, "name", "\"车轮食堂%s\"", names[i]);
        ht__item_text(census, "kind", "kitchen");
        ht__item_number(census, "capacity", 600 + 150 * (int64_t)i);
        ht__item_json(census, "open", "[\"09:30-13:30\",\"15:30-18:30\"]");
        ht__item_end(census);
    }
}

static void make_stations(struct ht__census *census)
{
    static const char *const names[HT__STATIONS] = {"江西", "江东"};
    static const char *const numbers[HT__POINTS] = {"一", "二", "三", "四", "五", "六", "七", "八"};
    for (size_t i = 0; i < HT__STATIONS; i++) {
        ht__item_begin(census, "station-%zu", i + 1);
        ht__item_point(census, ht__facilities_home(census, "station", i, HT__STATIONS));
        ht__item_json(census, "name", "\"安心守护%s值守站\"", names[i]);
        ht__item_text(census, "kind", "station");
        ht__item_json(census, "open", "[\"24/7\"]");
        ht__item_end(census);
    }
    ht__item_begin(census, "hospital-1");
    ht__item_point(census, ht__facilities_home(census, "hospital", 0, 1));
    ht__item_text(census, "name", "候涛医院");
    ht__item_text(census, "kind", "hospital");
    ht__item_number(census, "capacity", 420);
    ht__item_json(census, "open", "[\"24/7\"]");
    ht__item_end(census);
    for (size_t i = 0; i < HT__POINTS; i++) {
        ht__item_begin(census, "point-%zu", i + 1);
        ht__item_point(census, ht__facilities_home(census, "point", i, HT__POINTS));
        ht__item_json(census, "name", "\"第%s便民服务点\"", numbers[i]);
        ht__item_text(census, "kind", "service_point");
        ht__item_json(census, "open", "[\"07:30-20:00\"]");
        ht__item_end(census);
    }
}

static void add_visits(struct ht__census *census, struct ht__dice *dice, const char *open)
{
    ht__item_number(census, "visits_per_week", 2);
    ht__item_json(census, "gap_days", "[2,5]");
    ht__item_json(census, "open", "%s", open);
    ht__item_number(census, "service_s", 300 * (int64_t)ht__dice_range(dice, 3, 9));
}

/* A compound is seen from its main gate; the building sites lie all over. */
void ht__facilities_make(struct ht__census *census)
{
    static const char *const works[] = {"改造工程", "安置房工地", "管网工程", "厂房工地"};
    struct ht__dice dice = ht__dice_new(census->seed, 970000);
    ht__item_collection(census, "facilities");
    make_kitchens(census);
    make_stations(census);
    for (size_t i = 0; i < census->compound_count; i++) {
        const struct ht__compound *compound = &census->compounds[i];
        ht__item_begin(census, "site-%02zu", i + 1);
        ht__item_point(census, ht__compound_gate(census, compound));
        ht__item_text(census, "name", compound->name);
        ht__item_text(census, "kind", "compound");
        add_visits(census, &dice, "[\"Mo-Fr 08:30-11:30,13:30-17:00\"]");
        ht__item_end(census);
    }
    for (size_t i = census->compound_count; i < HT__SITES; i++) {
        const struct ht__area *area = ht__census_leaf(census, ANYWHERE, i - census->compound_count,
                                                      HT__SITES - census->compound_count);
        struct ht__name road;
        ht__name_make(&dice, HT__NAME_ROAD, &road);
        ht__item_begin(census, "site-%02zu", i + 1);
        ht__item_point(census, ht__census_door(census, area, &dice));
        ht__item_json(census, "name", "\"%s%s\"", road.zh,
                      works[ht__dice_range(&dice, 0, (int32_t)(sizeof works / sizeof *works) - 1)]);
        ht__item_text(census, "kind", "worksite");
        add_visits(census, &dice, "[\"Mo-Sa 07:30-17:30\"]");
        ht__item_end(census);
    }
}
