/* Pinyin initials. */
#include "geodata/pinyin.h"

#include "tests/support/check.h"
#include "tests/support/oom.h"

static void initials(const char *text, const char *want)
{
    struct ht_text out = {0};
    ht_pinyin_initials(text, strlen(text), &out);
    HT_CHECK_STR(ht_text_string(&out), want);
    ht_text_deinit(&out);
}

static void variants(const char *text, size_t most, const char *want)
{
    struct ht_text out = {0};
    ht_pinyin_variants(text, strlen(text), most, &out);
    HT_CHECK_STR(ht_text_string(&out), want);
    ht_text_deinit(&out);
}

HT_CASE(names_of_the_district_have_their_letters)
{
    initials("候涛花园", "hthy");
    initials("浙江省宁波市镇海区", "zjsnbszhq");
    initials("招宝山街道", "zbsjd");
    initials("蛟川骆驼庄市贵驷澥浦九龙湖", "jcltzsgsxpjlh");
    initials("鄞州嵊泗碶塍堰漕", "yzssqcyc");
    initials("吕律女绿", "llnl");
    initials("欧阳安娥", "oyae");
    initials("\xe3\x90\x82", "x" + 1); /* a rare one without a reading stays out */
}

HT_CASE(ascii_passes_and_the_rest_is_left_out)
{
    initials("候涛花园3幢A座 - 501室（东）", "hthy3zaz501sd");
    initials("ＡＢ１２", "ab12");
    initials("\xff候\xe5", "h");
    initials("é«Ω😀", "");
    initials("", "");
}

HT_CASE(several_readings_are_all_given)
{
    char letters[HT_PINYIN_LETTERS];
    HT_CHECK_INT(ht_pinyin_letters(0x957f, letters), 2); /* 长 */
    HT_CHECK_STR(letters, "cz");
    HT_CHECK_INT(ht_pinyin_letters(0x9f9f, letters), 3); /* 龟 */
    HT_CHECK_INT(ht_pinyin_letters('a', letters), 0);
    HT_CHECK_INT(ht_pinyin_letters(0x10ffff, letters), 0);
    variants("长乐路", 8, "cll cyl zll zyl");
    variants("长乐路", 3, "cll cyl zll");
    variants("长乐路", 1, "cll");
    variants("候涛花园", 8, "hthy");
    variants("", 8, "");
    variants("长长长长长长长长", 100,
             "cccccccc cccccccz cccccczc cccccczz ccccczcc ccccczcz ccccczzc ccccczzz cccczccc "
             "cccczccz cccczczc cccczczz cccczzcc cccczzcz cccczzzc cccczzzz");
    char many[67 * 3 + 1];
    for (int i = 0; i < 67; i++) {
        memcpy(many + (size_t)i * 3, "长", 3);
    }
    many[67 * 3] = '\0';
    variants(many, 8, "ccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc");
}

HT_CASE(the_list_of_readings_is_in_order)
{
    /* Each is found only if it is: the usual letters of the two ends and the middle. */
    initials("万丁龟栖", "wdgq");
    size_t count = 0;
    for (uint32_t code = 0x4e00; code < 0xa000; code++) {
        char letters[HT_PINYIN_LETTERS];
        size_t readings = ht_pinyin_letters(code, letters);
        HT_CHECK(readings < HT_PINYIN_LETTERS && strlen(letters) == readings);
        for (size_t i = 0; i < readings; i++) {
            HT_CHECK(letters[i] >= 'a' && letters[i] <= 'z');
        }
        count += readings > 1;
    }
    HT_CHECK_INT(count, 157);
}

HT_CASE(a_refused_allocation_is_remembered)
{
    struct ht_text out = {0};
    ht_oom_arm(0);
    ht_pinyin_variants("长", 3, 8, &out);
    HT_CHECK(ht_oom_disarm());
    HT_CHECK(out.failed);
    ht_text_deinit(&out);
}

HT_MAIN()
