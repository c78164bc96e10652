#include "geodata/pinyin.h"

#include <string.h>
#include <uchar.h>

#include "geodata/pinyin_internal.h"

#define LETTERS_MAX 64
#define VARIANTS_MAX 16

struct several {
    char32_t code;
    char letters[HT_PINYIN_LETTERS];
};

/* Characters of names whose readings begin with different letters; the first is what names of
 * places mostly mean. By code point. */
static const struct several several[] = {
    {U'丁', "dz"},  {U'万', "wm"}, {U'乐', "ly"}, {U'乜', "mn"}, {U'乾', "qg"}, {U'亟', "jq"},
    {U'仇', "qc"},  {U'令', "lg"}, {U'会', "hk"}, {U'传', "cz"}, {U'佛', "fb"}, {U'侗', "dt"},
    {U'侧', "cz"},  {U'便', "bp"}, {U'俞', "ys"}, {U'冯', "fp"}, {U'刨', "pb"}, {U'券', "qj"},
    {U'刹', "cs"},  {U'剡', "ys"}, {U'匙', "cs"}, {U'区', "qo"}, {U'单', "ds"}, {U'卡', "kq"},
    {U'厦', "xs"},  {U'参', "cs"}, {U'句', "jg"}, {U'召', "zs"}, {U'叶', "yx"}, {U'吁', "yx"},
    {U'吓', "xh"},  {U'呙', "gw"}, {U'囤', "td"}, {U'圈', "qj"}, {U'圩', "wx"}, {U'埔', "pb"},
    {U'堡', "bp"},  {U'壳', "kq"}, {U'夹', "jg"}, {U'奇', "qj"}, {U'宿', "sx"}, {U'尉', "wy"},
    {U'尾', "wy"},  {U'尿', "ns"}, {U'屏', "pb"}, {U'属', "sz"}, {U'峒', "dt"}, {U'峙', "zs"},
    {U'巷', "xh"},  {U'幢', "zc"}, {U'广', "ga"}, {U'弄', "ln"}, {U'弹', "td"}, {U'强', "qj"},
    {U'戌', "xq"},  {U'扁', "bp"}, {U'折', "zs"}, {U'拗', "an"}, {U'掸', "ds"}, {U'提', "td"},
    {U'撮', "cz"},  {U'晟', "sc"}, {U'暴', "bp"}, {U'曾', "zc"}, {U'朝', "cz"}, {U'术', "sz"},
    {U'朴', "pb"},  {U'枞', "zc"}, {U'柞', "zs"}, {U'查', "cz"}, {U'栅', "zs"}, {U'栖', "qx"},
    {U'校', "xj"},  {U'椎', "zc"}, {U'歙', "sx"}, {U'殖', "zs"}, {U'氏', "sz"}, {U'沈', "sc"},
    {U'没', "mw"},  {U'泊', "bp"}, {U'泌', "mb"}, {U'洞', "dt"}, {U'浒', "hx"}, {U'浚', "jx"},
    {U'涌', "yc"},  {U'涡', "gw"}, {U'澄', "cd"}, {U'瀑', "pb"}, {U'炮', "pb"}, {U'率', "ls"},
    {U'珲', "hw"},  {U'畜', "xc"}, {U'番', "fp"}, {U'盖', "gj"}, {U'盛', "sc"}, {U'矜', "jg"},
    {U'石', "sd"},  {U'祭', "jz"}, {U'禅', "cs"}, {U'种', "zc"}, {U'秘', "mb"}, {U'稽', "jq"},
    {U'筠', "yj"},  {U'系', "xj"}, {U'繁', "fp"}, {U'纶', "lg"}, {U'给', "gj"}, {U'翟', "zd"},
    {U'耙', "pb"},  {U'脯', "fp"}, {U'臭', "cx"}, {U'茄', "qj"}, {U'茜', "qx"}, {U'荥', "xy"},
    {U'荨', "qx"},  {U'莘', "xs"}, {U'莞', "gw"}, {U'蔚', "wy"}, {U'蕃', "fb"}, {U'薜', "bp"},
    {U'藏', "zc"},  {U'虾', "xh"}, {U'蛤', "gh"}, {U'行', "hx"}, {U'褚', "cz"}, {U'覃', "qt"},
    {U'解', "jx"},  {U'识', "sz"}, {U'谁', "sw"}, {U'调', "td"}, {U'谷', "gy"}, {U'貉', "hm"},
    {U'费', "fb"},  {U'贾', "jg"}, {U'趄', "jq"}, {U'蹊', "qx"}, {U'车', "cj"}, {U'辟', "pb"},
    {U'还', "hx"},  {U'适', "sk"}, {U'郗', "xc"}, {U'重', "zc"}, {U'铅', "qy"}, {U'铛', "dc"},
    {U'长', "cz"},  {U'阚', "kh"}, {U'阿', "ae"}, {U'陂', "bp"}, {U'降', "jx"}, {U'隗', "kw"},
    {U'靓', "lj"},  {U'颉', "jx"}, {U'骑', "qj"}, {U'骠', "bp"}, {U'鲑', "gx"}, {U'鹄', "hg"},
    {U'龟', "gjq"},
};

size_t ht_pinyin_letters(uint32_t code, char letters[HT_PINYIN_LETTERS])
{
    size_t low = 0;
    size_t high = sizeof several / sizeof several[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (several[middle].code == code) {
            memcpy(letters, several[middle].letters, HT_PINYIN_LETTERS);
            return strlen(letters);
        }
        if (several[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    letters[0] = code >= 0x4e00 && code < 0xa000   ? ht__pinyin_main[code - 0x4e00]
                 : code >= 0x3400 && code < 0x4dc0 ? ht__pinyin_a[code - 0x3400]
                                                   : (char)0;
    letters[1] = '\0';
    return letters[0] == '\0' ? 0 : 1;
}

/* The letters of the character at `text`, which is `*length` bytes. */
static size_t letters_at(const char *text, size_t size, size_t *length,
                         char letters[HT_PINYIN_LETTERS])
{
    uint32_t code = 0;
    *length = ht_utf8_read(text, size, &code);
    if (*length == 0) {
        *length = 1;
        return 0;
    }
    if (code >= 0xff01 && code <= 0xff5e) {
        code = code - 0xff01 + '!';
    }
    if (code >= 0x80) {
        return ht_pinyin_letters(code, letters);
    }
    if (code >= 'A' && code <= 'Z') {
        code += 'a' - 'A';
    }
    letters[0] = (char)code;
    letters[1] = '\0';
    return (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9') ? 1 : 0;
}

void ht_pinyin_initials(const char *text, size_t size, struct ht_text *out)
{
    char *begin = ht_text_reserve(out, size); /* no character has more letters than bytes */
    char *to = begin;
    size_t length = 0;
    for (size_t at = 0; begin != NULL && at < size; at += length) {
        char letters[HT_PINYIN_LETTERS];
        if (letters_at(text + at, size - at, &length, letters) > 0) {
            *to++ = letters[0];
        }
    }
    if (begin != NULL) {
        ht_text_grow(out, (size_t)(to - begin));
    }
}

void ht_pinyin_variants(const char *text, size_t size, size_t most, struct ht_text *out)
{
    char letters[LETTERS_MAX][HT_PINYIN_LETTERS];
    uint8_t counts[LETTERS_MAX];
    uint8_t chosen[LETTERS_MAX] = {0};
    size_t count = 0;
    size_t length = 0;
    most = most > VARIANTS_MAX ? VARIANTS_MAX : most;
    for (size_t at = 0; at < size; at += length) {
        char here[HT_PINYIN_LETTERS];
        size_t readings = letters_at(text + at, size - at, &length, here);
        if (readings > 0 && count == LETTERS_MAX) {
            ht_pinyin_initials(text, size, out);
            return;
        }
        if (readings > 0) {
            memcpy(letters[count], here, sizeof here);
            counts[count++] = (uint8_t)readings;
        }
    }
    /* Counts up, the last character's reading fastest. */
    for (size_t variant = 0; variant < most; variant++) {
        if (variant > 0) {
            ht_text_add_char(out, ' ');
        }
        for (size_t i = 0; i < count; i++) {
            ht_text_add_char(out, letters[i][chosen[i]]);
        }
        size_t i = count;
        while (i > 0 && ++chosen[i - 1] == counts[i - 1]) {
            chosen[--i] = 0;
        }
        if (i == 0) {
            return;
        }
    }
}

/* ---- whole syllables ---- */

/* What names read in other ways than ICU says; its own readings come before. */
static const struct {
    uint32_t code;
    char readings[2][HT_PINYIN_SYLLABLE];
} others[] = {
    {U'万', {"mo", ""}},         {U'乐', {"yue", "le"}},      {U'仇', {"qiu", "chou"}},
    {U'会', {"hui", "kuai"}},    {U'传', {"zhuan", "chuan"}}, {U'区', {"ou", "qu"}},
    {U'单', {"shan", "chan"}},   {U'卜', {"bu", "bo"}},       {U'厦', {"xia", "sha"}},
    {U'参', {"shen", "can"}},    {U'召', {"zhao", "shao"}},   {U'员', {"yun", "yuan"}},
    {U'和', {"he", "huo"}},      {U'大', {"da", "dai"}},      {U'宓', {"mi", "fu"}},
    {U'宿', {"su", "xiu"}},      {U'尉', {"wei", "yu"}},      {U'尾', {"wei", "yi"}},
    {U'屏', {"ping", "bing"}},   {U'弄', {"long", "nong"}},   {U'弹', {"dan", "tan"}},
    {U'强', {"qiang", "jiang"}}, {U'折', {"zhe", "she"}},     {U'曲', {"qu", ""}},
    {U'曾', {"zeng", "ceng"}},   {U'朝', {"chao", "zhao"}},   {U'朴', {"piao", "pu"}},
    {U'柏', {"bai", "bo"}},      {U'查', {"zha", "cha"}},     {U'洞', {"dong", "tong"}},
    {U'涌', {"yong", "chong"}},  {U'澄', {"cheng", "deng"}},  {U'盖', {"gai", "ge"}},
    {U'盛', {"sheng", "cheng"}}, {U'省', {"sheng", "xing"}},  {U'石', {"shi", "dan"}},
    {U'种', {"zhong", "chong"}}, {U'秘', {"mi", "bi"}},       {U'绿', {"lv", "lu"}},
    {U'缪', {"miao", "mou"}},    {U'翟', {"zhai", "di"}},     {U'臧', {"zang", ""}},
    {U'落', {"luo", "la"}},      {U'薄', {"bo", "bao"}},      {U'藏', {"zang", "cang"}},
    {U'蚌', {"bang", "beng"}},   {U'行', {"hang", "xing"}},   {U'褚', {"chu", "zhu"}},
    {U'覃', {"qin", "tan"}},     {U'角', {"jiao", "jue"}},    {U'解', {"xie", "jie"}},
    {U'调', {"diao", "tiao"}},   {U'谷', {"gu", "yu"}},       {U'贾', {"jia", "gu"}},
    {U'车', {"che", "ju"}},      {U'还', {"hai", "huan"}},    {U'都', {"du", "dou"}},
    {U'重', {"chong", "zhong"}}, {U'长', {"chang", "zhang"}}, {U'降', {"jiang", "xiang"}},
    {U'隗', {"wei", "kui"}},
};

/* Adds one where it is new and there is room. */
static void reading_add(char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE], size_t *count,
                        const char *one)
{
    bool known = one[0] == '\0' || *count == HT_PINYIN_READINGS;
    for (size_t i = 0; i < *count && !known; i++) {
        known = strcmp(readings[i], one) == 0;
    }
    if (!known) {
        memcpy(readings[(*count)++], one, HT_PINYIN_SYLLABLE);
    }
}

size_t ht_pinyin_readings(uint32_t code, char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE])
{
    static const uint16_t none[2];
    const uint16_t *both = code >= 0x4e00 && code < 0xa000 ? ht__pinyin_syllable_main[code - 0x4e00]
                           : code >= 0x3400 && code < 0x4dc0 ? ht__pinyin_syllable_a[code - 0x3400]
                                                             : none;
    size_t count = 0;
    reading_add(readings, &count, ht__pinyin_syllables[both[0]]);
    reading_add(readings, &count, ht__pinyin_syllables[both[1]]);
    size_t low = 0;
    size_t high = sizeof others / sizeof others[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (others[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < sizeof others / sizeof others[0] && others[low].code == code) {
        reading_add(readings, &count, others[low].readings[0]);
        reading_add(readings, &count, others[low].readings[1]);
    }
    for (size_t i = 0, before = count; i < before; i++) {
        char plain[HT_PINYIN_SYLLABLE];
        memcpy(plain, readings[i], sizeof plain);
        char *v = strchr(plain, 'v');
        if (v != NULL) {
            *v = 'u';
            reading_add(readings, &count, plain);
        }
    }
    return count;
}
