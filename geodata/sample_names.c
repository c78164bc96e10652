#include <stdio.h>
#include <string.h>

#include "geodata/sample_internal.h"

struct syllable {
    const char *zh;
    const char *en;
};

static const struct syllable first_part[] = {
    {"镇", "zhen"},   {"宁", "ning"}, {"招", "zhao"},  {"蛟", "jiao"},  {"骆", "luo"},
    {"庄", "zhuang"}, {"澥", "xie"},  {"沿", "yan"},   {"清", "qing"},  {"隆", "long"},
    {"兴", "xing"},   {"永", "yong"}, {"平", "ping"},  {"胜", "sheng"}, {"西", "xi"},
    {"东", "dong"},   {"南", "nan"},  {"北", "bei"},   {"新", "xin"},   {"安", "an"},
    {"和", "he"},     {"鼓", "gu"},   {"石", "shi"},   {"海", "hai"},   {"慈", "ci"},
    {"望", "wang"},   {"临", "lin"},  {"金", "jin"},   {"福", "fu"},    {"贵", "gui"},
    {"长", "chang"},  {"明", "ming"}, {"雄", "xiong"}, {"锦", "jin"},   {"荷", "he"},
    {"梅", "mei"},
};

static const struct syllable second_part[] = {
    {"海", "hai"},   {"宝", "bao"},   {"川", "chuan"}, {"驼", "tuo"},   {"市", "shi"},
    {"浦", "pu"},    {"江", "jiang"}, {"泉", "quan"},  {"赛", "sai"},   {"业", "ye"},
    {"利", "li"},    {"门", "men"},   {"河", "he"},    {"远", "yuan"},  {"丰", "feng"},
    {"乐", "le"},    {"楼", "lou"},   {"塘", "tang"},  {"桥", "qiao"},  {"山", "shan"},
    {"湖", "hu"},    {"港", "gang"},  {"岸", "an"},    {"城", "cheng"}, {"华", "hua"},
    {"光", "guang"}, {"义", "yi"},    {"德", "de"},    {"康", "kang"},  {"苑", "yuan"},
    {"星", "xing"},  {"田", "tian"},  {"林", "lin"},   {"溪", "xi"},    {"源", "yuan"},
    {"昌", "chang"},
};

static const struct syllable roads[] = {{"路", "Road"}, {"街", "Street"}, {"路", "Road"}};
static const struct syllable avenues[] = {
    {"大道", "Avenue"}, {"东路", "East Road"}, {"西路", "West Road"}, {"路", "Road"}};
static const struct syllable lanes[] = {{"巷", "Lane"}, {"弄", "Alley"}, {"里", "Li"}};
static const struct syllable compounds[] = {{"花园", "Garden"},
                                            {"新村", "New Village"},
                                            {"小区", "Community"},
                                            {"公寓", "Apartments"},
                                            {"家园", "Homes"}};
static const struct syllable communities[] = {{"社区", "Neighbourhood"}};
static const struct syllable bridges[] = {{"大桥", "Bridge"}};
static const struct syllable roundabouts[] = {{"环岛", "Roundabout"}};

#define COUNT(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))

static const struct syllable *pick(struct ht__dice *dice, const struct syllable *list,
                                   int32_t count)
{
    return &list[ht__dice_range(dice, 0, count - 1)];
}

void ht__name_make(struct ht__dice *dice, enum ht__name_kind kind, struct ht__name *out)
{
    const struct syllable *first = pick(dice, first_part, COUNT(first_part));
    const struct syllable *second = pick(dice, second_part, COUNT(second_part));
    const struct syllable *last = &roads[0];
    switch (kind) {
    case HT__NAME_ROAD:
        last = pick(dice, roads, COUNT(roads));
        break;
    case HT__NAME_AVENUE:
        last = pick(dice, avenues, COUNT(avenues));
        break;
    case HT__NAME_LANE:
        last = pick(dice, lanes, COUNT(lanes));
        break;
    case HT__NAME_COMPOUND:
        last = pick(dice, compounds, COUNT(compounds));
        break;
    case HT__NAME_COMMUNITY:
        last = pick(dice, communities, COUNT(communities));
        break;
    case HT__NAME_BRIDGE:
        last = pick(dice, bridges, COUNT(bridges));
        break;
    case HT__NAME_ROUNDABOUT:
        last = pick(dice, roundabouts, COUNT(roundabouts));
        break;
    }
    (void)snprintf(out->zh, sizeof out->zh, "%s%s%s", first->zh, second->zh, last->zh);
    (void)snprintf(out->en, sizeof out->en, "%s%s %s", first->en, second->en, last->en);
    out->en[0] = (char)(out->en[0] - 'a' + 'A');
}
