/* Names of people and firms, as common ones are: put together from lists, nobody's in particular.
 */
#include <stdio.h>
#include <string.h>

#include "geodata/sample_town_internal.h"

#define COUNT(list) ((int32_t)(sizeof(list) / sizeof((list)[0])))

const char *const ht__subdistricts[4] = {"骆驼街道", "庄市街道", "蛟川街道", "招宝山街道"};

/* The most common ones first; the earlier half is twice as likely. */
static const char *const surnames[] = {
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "林",
    "郭", "何", "高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "邓", "冯", "韩", "曹", "曾", "彭",
    "萧", "蔡", "潘", "田", "董", "袁", "于", "余", "叶", "蒋", "杜", "苏", "魏", "程", "吕", "丁",
    "沈", "任", "姚", "卢", "傅", "钟", "姜", "崔", "谭", "廖", "范", "汪", "陆", "金", "石", "戴",
    "贾", "韦", "夏", "邱", "方", "侯", "邹", "熊", "孟", "秦", "白", "江", "阎", "薛", "尹", "段",
    "雷", "龙", "史", "陶", "贺", "顾", "毛", "郝", "龚", "邵", "乐", "虞", "竺", "应", "裘", "励",
};

static const char *const old_given[] = {
    "建国", "建华", "国强", "志明", "德明", "永康", "福根", "阿根", "金根", "宝根", "水根", "文彬",
    "长根", "正华", "兴国", "忠良", "国良", "善宝", "信芳", "明德", "秀英", "桂英", "秀兰", "玉兰",
    "桂兰", "秀珍", "玉珍", "凤英", "素珍", "淑珍", "彩娥", "阿娣", "杏娣", "菊芬", "翠娥", "月娥",
    "亚珍", "惠芬", "雅琴", "美娟", "玉梅", "荷花", "爱珍", "银娣", "雪娥", "瑞英", "云仙", "根娣",
};

static const char *const grown_given[] = {
    "伟",   "磊",   "军",   "勇",   "杰",   "涛",   "超",   "强",   "鹏",   "斌",   "浩",   "辉",
    "敏",   "静",   "丽",   "娜",   "芳",   "燕",   "艳",   "娟",   "霞",   "萍",   "洁",   "颖",
    "志强", "建军", "海波", "海燕", "晓东", "晓燕", "俊杰", "佳琪", "思远", "文博", "雨婷", "雪梅",
    "国栋", "立群", "春燕", "丹丹", "永刚", "海宁", "旭东", "亚男", "佩佩", "科峰", "琼琼", "维维",
};

static const struct ht__industry industries[] = {
    {"电子装配", 1}, {"服装加工", 1}, {"包装", 1},     {"仪器仪表", 1}, {"五金加工", 2},
    {"注塑", 2},     {"机械加工", 2}, {"食品加工", 2}, {"模具", 2},     {"印刷", 3},
    {"木业家具", 3}, {"仓储物流", 3}, {"海绵制品", 3}, {"纺织印染", 3}, {"电镀", 4},
    {"喷涂", 4},     {"化工分装", 4}, {"铝镁抛光", 4},
};

static const char *const firm_first[] = {"恒", "鑫", "宏", "华", "瑞", "祥", "盛",
                                         "金", "荣", "海", "甬", "东", "嘉", "凯",
                                         "博", "信", "天", "永", "万", "兴"};
static const char *const firm_second[] = {"达", "泰", "源", "丰", "隆", "通", "益", "润",
                                          "昌", "力", "科", "宇", "邦", "诚", "欣", "洲"};

void ht__person_make(struct ht__dice *dice, enum ht__age age, const char *surname,
                     char out[HT__NAME_BYTES])
{
    int32_t half = ht__dice_chance(dice, 333) ? COUNT(surnames) - 1 : COUNT(surnames) / 2 - 1;
    const char *family = surnames[ht__dice_range(dice, 0, half)];
    const char *given = age == HT__AGE_OLD
                            ? old_given[ht__dice_range(dice, 0, COUNT(old_given) - 1)]
                            : grown_given[ht__dice_range(dice, 0, COUNT(grown_given) - 1)];
    (void)snprintf(out, HT__NAME_BYTES, "%s%s", surname != NULL ? surname : family, given);
}

const char *ht__person_surname(const char *name)
{
    for (int32_t i = 0; i < COUNT(surnames); i++) {
        if (strncmp(name, surnames[i], strlen(surnames[i])) == 0) {
            return surnames[i];
        }
    }
    return NULL;
}

void ht__phone_make(struct ht__dice *dice, char out[16])
{
    (void)snprintf(out, 16, "154%08d", ht__dice_range(dice, 0, 99999999));
}

const struct ht__industry *ht__industry_pick(struct ht__dice *dice, int32_t risk, bool exactly)
{
    int32_t low = 0;
    int32_t high = COUNT(industries) - 1;
    while (high > 0 && industries[high].risk > risk) {
        high--;
    }
    while (exactly && low < high && industries[low].risk < risk) {
        low++;
    }
    return &industries[ht__dice_range(dice, low, high)];
}

void ht__firm_make(struct ht__dice *dice, const char *what, char out[HT__NAME_BYTES])
{
    const char *first = firm_first[ht__dice_range(dice, 0, COUNT(firm_first) - 1)];
    const char *second = firm_second[ht__dice_range(dice, 0, COUNT(firm_second) - 1)];
    (void)snprintf(out, HT__NAME_BYTES, "%s%s%s", first, second, what);
}
