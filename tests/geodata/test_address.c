/* Addresses: parts, digits of every kind, and that nothing is lost. */
#include "geodata/address.h"

#include "tests/support/check.h"
#include "tests/support/oom.h"

static void add_span(struct ht_text *out, const char *mark, const char *text, struct ht_span span)
{
    if (span.size > 0) {
        ht_text_addf(out, "%s%s:%.*s", out->size > 0 ? " " : "", mark, (int)span.size,
                     text + span.begin);
    }
}

static void add_number(struct ht_text *out, const char *mark, const char *text,
                       const struct ht_address_number *part)
{
    add_span(out, mark, text, part->text);
    if (part->text.size > 0 && part->number != HT_ADDRESS_NO_NUMBER) {
        ht_text_addf(out, "=%u", part->number);
    }
}

/* "d:镇海区 t:招宝山街道 b:3=3 !:rest" */
static void describe(struct ht_text *out, const char *text, size_t size)
{
    struct ht_address a;
    ht_address_parse(text, size, &a);
    add_span(out, "p", text, a.province);
    add_span(out, "c", text, a.city);
    add_span(out, "d", text, a.district);
    add_span(out, "t", text, a.town);
    add_span(out, "v", text, a.community);
    add_span(out, "s", text, a.road);
    add_number(out, "l", text, &a.lane);
    add_number(out, "h", text, &a.house);
    add_span(out, "x", text, a.compound);
    add_number(out, "b", text, &a.building);
    add_number(out, "u", text, &a.unit);
    add_number(out, "f", text, &a.floor);
    add_number(out, "r", text, &a.room);
    for (size_t i = 0; i < a.rest_count; i++) {
        add_span(out, "!", text, a.rest[i]);
    }
}

static void parses(const char *text, const char *want)
{
    struct ht_text out = {0};
    describe(&out, text, strlen(text));
    HT_CHECK_STR(ht_text_string(&out), want);
    ht_text_deinit(&out);
}

HT_CASE(a_whole_address_falls_into_its_parts)
{
    parses("浙江省宁波市镇海区招宝山街道胜利社区中山路123弄5号候涛花园3幢2单元5楼501室",
           "p:浙江省 c:宁波市 d:镇海区 t:招宝山街道 v:胜利社区 s:中山路 l:123=123 h:5=5 x:候涛花园 "
           "b:3=3 u:2=2 f:5=5 r:501=501");
    parses("浙江省 宁波市 镇海区 招宝山街道, 候涛花园 3幢 2单元 501室",
           "p:浙江省 c:宁波市 d:镇海区 t:招宝山街道 x:候涛花园 b:3=3 u:2=2 r:501=501");
    parses("浙江省宁波市余姚市梨洲街道", "p:浙江省 c:宁波市 d:余姚市 t:梨洲街道");
    parses("广西壮族自治区桂林市阳朔县白沙镇五里店村",
           "p:广西壮族自治区 c:桂林市 d:阳朔县 t:白沙镇 v:五里店村");
    parses("上海市浦东新区世纪大道100号上海环球金融中心45层",
           "c:上海市 d:浦东新区 s:世纪大道 h:100=100 x:上海环球金融中心 f:45=45");
}

HT_CASE(any_part_may_be_missing)
{
    parses("", "");
    parses("招宝山街道", "t:招宝山街道");
    parses("候涛花园", "x:候涛花园");
    parses("3幢501室", "b:3=3 r:501=501");
    parses("中山路12号", "s:中山路 h:12=12");
    parses("候涛花园12号楼1203", "x:候涛花园 b:12=12 r:1203=1203");
    parses("平安里5号", "h:5=5 x:平安里");
    parses("海韵二期3幢", "x:海韵二期 b:3=3");
    parses("候涛花园二期3幢", "x:候涛花园二期 b:3=3");
    parses("盛世华城A座1单元", "x:盛世华城 b:A u:1=1");
    parses("3号院2号楼", "h:3=3 b:2=2");
    parses("庄市街道光明村12-1号", "t:庄市街道 v:光明村 h:12-1=12");
}

HT_CASE(names_that_hold_endings_stay_whole)
{
    parses("镇海区庄市街道庄市大道88号", "d:镇海区 t:庄市街道 s:庄市大道 h:88=88");
    parses("庄市街道", "t:庄市街道");
    parses("宁波镇海区骆驼街道镇骆东路5号", "d:宁波镇海区 t:骆驼街道 s:镇骆东路 h:5=5");
    parses("台州路桥区路北街道", "d:台州路桥区 t:路北街道");
    parses("中山路小区3幢", "x:中山路小区 b:3=3");
    parses("五里牌新村7幢", "x:五里牌新村 b:7=7");
    parses("镇海区城东路1号", "d:镇海区 s:城东路 h:1=1");
    parses("蛟川街道中一社区", "t:蛟川街道 v:中一社区");
    parses("镇海区蛟川工业园区8幢", "d:镇海区 x:蛟川工业园区 b:8=8");
    parses("石化经济技术开发区海天路1号", "t:石化经济技术开发区 s:海天路 h:1=1");
    parses("路林市场3号", "h:3=3 x:路林市场");
    parses("张家弄3号", "s:张家弄 h:3=3");
}

HT_CASE(digits_of_every_kind_are_read)
{
    parses("候涛花园三幢二单元五〇一室", "x:候涛花园 b:三=3 u:二=2 r:五〇一=501");
    parses("候涛花园十二栋", "x:候涛花园 b:十二=12");
    parses("候涛花园二十三号楼", "x:候涛花园 b:二十三=23");
    parses("候涛花园第一百零五幢", "x:候涛花园 b:一百零五=105");
    parses("候涛花园廿一幢", "x:候涛花园 b:廿一=21");
    parses("候涛花园３幢２单元５０１室", "x:候涛花园 b:３=3 u:２=2 r:５０１=501");
    parses("候涛花园3#501", "x:候涛花园 b:3=3 r:501=501");
    parses("候涛花园甲幢", "x:候涛花园 b:甲");
}

HT_CASE(numbers_without_words_are_understood_at_the_end)
{
    parses("候涛花园3-2-501", "x:候涛花园 b:3=3 u:2=2 r:501=501");
    parses("候涛花园3－501", "x:候涛花园 b:3=3 r:501=501");
    parses("海韵3-2-501", "x:海韵 b:3=3 u:2=2 r:501=501");
    parses("候涛花园3幢2-501", "x:候涛花园 b:3=3 u:2=2 r:501=501");
    parses("候涛花园3幢501", "x:候涛花园 b:3=3 r:501=501");
    parses("候涛花园3", "x:候涛花园 b:3=3");
    parses("中山路12号501", "s:中山路 h:12=12 r:501=501");
    parses("候涛花园1-2-3-4", "x:候涛花园 !:1-2-3-4");
    parses("501", "!:501");
}

HT_CASE(what_is_not_understood_stays)
{
    parses("候涛花园3幢(靠近东门)", "x:候涛花园 b:3=3 !:(靠近东门)");
    parses("near the river", "!:near the river");
    parses("3幢5幢7幢9幢11幢13幢", "b:3=3 !:5 !:7 !:9 !:11幢13");
    parses("幢", "!:幢");
    parses("号楼室", "!:号楼室");
    parses("\xff\xfe镇海区\xff", "d:\xff\xfe镇海区 !:\xff");
    char many[2000];
    memset(many, 'x', sizeof many);
    struct ht_address a;
    ht_address_parse(many, sizeof many, &a);
    HT_CHECK_INT(a.rest_count, 2);
    HT_CHECK_INT(a.rest[0].size + a.rest[1].size, 2000);
}

HT_CASE(parts_lie_within_the_text_whatever_it_is)
{
    static const char *const pieces[] = {"镇", "海", "区",   "街", "道", "路", "3",  "三",
                                         "十", "号", "楼",   "幢", "-",  " ",  "花", "园",
                                         "期", "A",  "\xff", "弄", "市", "村"};
    uint64_t seed = 9;
    for (int round = 0; round < 20000; round++) {
        struct ht_text text = {0};
        struct ht_text out = {0};
        int count = (int)ht_random_below(&seed, 40);
        for (int i = 0; i < count; i++) {
            ht_text_add_string(&text, pieces[ht_random_below(&seed, 22)]);
        }
        struct ht_address a;
        ht_address_parse(ht_text_string(&text), text.size, &a);
        const struct ht_span spans[] = {a.province,  a.city,          a.district,  a.town,
                                        a.community, a.road,          a.lane.text, a.house.text,
                                        a.compound,  a.building.text, a.unit.text, a.floor.text,
                                        a.room.text, a.rest[0],       a.rest[1],   a.rest[2]};
        size_t sum = 0;
        for (size_t i = 0; i < sizeof spans / sizeof spans[0]; i++) {
            HT_CHECK(spans[i].begin + spans[i].size <= text.size);
            sum += spans[i].size;
        }
        HT_CHECK(sum <= text.size); /* no part twice */
        ht_text_deinit(&text);
        ht_text_deinit(&out);
    }
}

static void normalizes(const char *text, const char *want)
{
    struct ht_text out = {0};
    struct ht_text again = {0};
    ht_address_normalize(text, strlen(text), &out);
    HT_CHECK_STR(ht_text_string(&out), want);
    ht_address_normalize(out.data == NULL ? "" : out.data, out.size, &again);
    HT_CHECK_STR(ht_text_string(&again), want);
    ht_text_deinit(&out);
    ht_text_deinit(&again);
}

HT_CASE(search_texts_have_one_form)
{
    normalizes("候涛花园 ３幢　五〇一室", "候涛花园3幢501室");
    normalizes("候涛花园三幢501室", "候涛花园3幢501室");
    normalizes("ＡＢc－Ｄ", "abc-d");
    normalizes("二十一号", "21号");
    normalizes("十号", "10号");
    normalizes("一百零五", "105");
    normalizes("二百", "200");
    normalizes("五里牌", "5里牌");
    normalizes("十百千", "10100"
                         "1000");
    normalizes("\xff a\xe5", "a");
    normalizes("", "");
    normalizes("一二三四五六七八九〇一二三四五六七八九〇一二三四五六七八九〇一二三四五",
               "12345678901234567890123456789012345");
}

HT_CASE(a_refused_allocation_is_remembered)
{
    struct ht_text out = {0};
    ht_oom_arm(0);
    ht_address_normalize("三a", 4, &out);
    HT_CHECK(ht_oom_disarm());
    HT_CHECK(out.failed);
    ht_text_deinit(&out);
}

HT_MAIN()
