/* Addresses, read from left to right: the nearest word that ends a part ("区", "街道", "幢") makes
 * the part of what stands before it. Words differ in rank, and a part never comes after one of a
 * higher rank, so that "庄市" after "镇海区" is no city.
 */
#include "geodata/address.h"

#include <stdbool.h>
#include <string.h>
#include <uchar.h>

#define CHARACTERS_MAX 256
#define NAME_MAX_CHARACTERS 14

enum kind {
    PROVINCE,
    CITY,
    DISTRICT,
    TOWN,
    COMMUNITY,
    ROAD,
    COMPOUND,
    LANE,
    HOUSE,
    BUILDING,
    UNIT,
    FLOOR,
    ROOM,
};

struct ending {
    const char32_t *word;
    const char32_t *unless; /* one of these characters follows: it ends nothing */
    uint8_t length;
    bool last; /* only before a number or the end, since names hold it too */
    enum kind kind;
};

#define ENDING(word, unless, kind, last)                                                           \
    {                                                                                              \
        word, unless, (uint8_t)(sizeof(word) / sizeof(char32_t) - 1), last, kind                   \
    }

/* The longest that ends at a character counts. */
static const struct ending endings[] = {
    ENDING(U"省", NULL, PROVINCE, false),
    ENDING(U"自治区", NULL, PROVINCE, false),
    ENDING(U"特别行政区", NULL, PROVINCE, false),
    ENDING(U"市", U"街镇乡路大社村小花场", CITY, false),
    ENDING(U"自治州", NULL, CITY, false),
    ENDING(U"地区", NULL, CITY, false),
    ENDING(U"区", NULL, DISTRICT, false),
    ENDING(U"县", NULL, DISTRICT, false),
    ENDING(U"自治县", NULL, DISTRICT, false),
    ENDING(U"街道", U"办", TOWN, false),
    ENDING(U"街道办事处", NULL, TOWN, false),
    ENDING(U"镇", U"街路大社村小花", TOWN, false),
    ENDING(U"乡", U"街路大社村小花市", TOWN, false),
    ENDING(U"开发区", NULL, TOWN, false),
    ENDING(U"社区", U"居", COMMUNITY, false),
    ENDING(U"社区居委会", NULL, COMMUNITY, false),
    ENDING(U"居委会", NULL, COMMUNITY, false),
    ENDING(U"村", U"委路街社小花公", COMMUNITY, false),
    ENDING(U"村委会", NULL, COMMUNITY, false),
    ENDING(U"路", U"花小公苑社村大广家新", ROAD, false),
    ENDING(U"街", U"道花小公苑社村大广家新", ROAD, false),
    ENDING(U"大道", U"花小公苑社村大广家新", ROAD, false),
    ENDING(U"巷", U"花小公苑社村大广家新", ROAD, false),
    ENDING(U"弄", NULL, ROAD, false),
    ENDING(U"胡同", NULL, ROAD, false),
    ENDING(U"小区", NULL, COMPOUND, false),
    ENDING(U"园区", NULL, COMPOUND, false),
    ENDING(U"花园", NULL, COMPOUND, false),
    ENDING(U"家园", NULL, COMPOUND, false),
    ENDING(U"公寓", NULL, COMPOUND, false),
    ENDING(U"花苑", NULL, COMPOUND, false),
    ENDING(U"新村", NULL, COMPOUND, false),
    ENDING(U"大厦", NULL, COMPOUND, false),
    ENDING(U"广场", NULL, COMPOUND, false),
    ENDING(U"宿舍", NULL, COMPOUND, false),
    ENDING(U"山庄", NULL, COMPOUND, false),
    ENDING(U"苑", NULL, COMPOUND, true),
    ENDING(U"里", NULL, COMPOUND, true),
    ENDING(U"园", NULL, COMPOUND, true),
    ENDING(U"庭", NULL, COMPOUND, true),
    ENDING(U"府", NULL, COMPOUND, true),
    ENDING(U"湾", NULL, COMPOUND, true),
    ENDING(U"城", NULL, COMPOUND, true),
    ENDING(U"轩", NULL, COMPOUND, true),
    ENDING(U"邸", NULL, COMPOUND, true),
    ENDING(U"墅", NULL, COMPOUND, true),
    ENDING(U"坊", NULL, COMPOUND, true),
    ENDING(U"号", U"楼院房", HOUSE, false),
    ENDING(U"号院", NULL, HOUSE, false),
    ENDING(U"幢", NULL, BUILDING, false),
    ENDING(U"栋", NULL, BUILDING, false),
    ENDING(U"座", NULL, BUILDING, false),
    ENDING(U"号楼", NULL, BUILDING, false),
    ENDING(U"号房", NULL, BUILDING, false),
    ENDING(U"单元", NULL, UNIT, false),
    ENDING(U"梯", NULL, UNIT, false),
    ENDING(U"楼", NULL, FLOOR, false),
    ENDING(U"层", NULL, FLOOR, false),
    ENDING(U"室", NULL, ROOM, false),
    ENDING(U"房", NULL, ROOM, false),
    ENDING(U"房间", NULL, ROOM, false),
};

struct scan {
    uint32_t code[CHARACTERS_MAX];      /* full-width forms made ASCII */
    uint32_t begin[CHARACTERS_MAX + 1]; /* of each character in the text */
    size_t count;
    size_t at; /* what lies before is done */
    enum kind rank;
    struct ht_address *out;
};

/* --- characters ------------------------------------------------------------------------------- */

static uint32_t half_width(uint32_t code)
{
    if (code >= 0xff01 && code <= 0xff5e) {
        return code - 0xff01 + '!';
    }
    if (code == 0x3000) {
        return ' ';
    }
    return code == 0x2013 || code == 0x2014 || code == 0x2212 ? '-' : code;
}

/* 0 to 9, or -1. */
static int chinese_digit(uint32_t code)
{
    static const char32_t digits[] = U"零一二三四五六七八九〇壹贰叁肆伍陆柒捌玖两";
    static const char values[] = "012345678901234567892";
    for (size_t i = 0; digits[i] != 0; i++) {
        if (digits[i] == code) {
            return values[i] - '0';
        }
    }
    return -1;
}

/* 10, 100, 1000, or 0. */
static uint32_t chinese_power(uint32_t code)
{
    switch (code) {
    case U'十':
    case U'拾':
        return 10;
    case U'百':
        return 100;
    case U'千':
        return 1000;
    default:
        return 0;
    }
}

static bool is_chinese_numeral(uint32_t code)
{
    return chinese_digit(code) >= 0 || chinese_power(code) > 0 || code == U'廿';
}

static bool is_digit(uint32_t code)
{
    return code >= '0' && code <= '9';
}

static bool is_letter(uint32_t code)
{
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z');
}

static bool is_separator(uint32_t code)
{
    return code <= ' ' || code == ',' || code == ';' || code == U'、' || code == U'。';
}

static bool holds(const char32_t *set, uint32_t code)
{
    for (; set != NULL && *set != 0; set++) {
        if (*set == code) {
            return true;
        }
    }
    return false;
}

/* What the number of a house, a building, a room is made of. */
static bool in_number(uint32_t code)
{
    return is_digit(code) || is_letter(code) || code == '-' || code == '#' ||
           is_chinese_numeral(code) || holds(U"甲乙丙丁附", code);
}

/* The value of the Chinese numerals at code[0], "二十三" or "二〇三"; `*taken` of them. Powers must
 * fall; where they don't, the number ends. */
static uint32_t read_numeral(const uint32_t *code, size_t count, size_t *taken)
{
    uint32_t sum = 0;
    uint32_t digits = 0; /* not yet multiplied */
    size_t digit_count = 0;
    uint32_t power = 10000;
    size_t i = 0;
    for (; i < count; i++) {
        int digit = chinese_digit(code[i]);
        uint32_t next = chinese_power(code[i]);
        if (digit >= 0) {
            if (digit_count == 8) {
                break;
            }
            digits = digits * 10 + (uint32_t)digit;
            digit_count++;
        } else if (code[i] == U'廿' && i == 0) {
            sum = 20;
            power = 10;
        } else if (next > 0 && next < power && digit_count <= 2 && digits < 10) {
            sum += (digit_count == 0 ? 1 : digits) * next;
            power = next;
            digits = 0;
            digit_count = 0;
        } else {
            break;
        }
    }
    *taken = i;
    return sum + digits;
}

/* The first number in the characters. */
static uint32_t first_number(const uint32_t *code, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t taken = 0;
        if (is_chinese_numeral(code[i])) {
            return read_numeral(code + i, count - i, &taken);
        }
        if (is_digit(code[i])) {
            uint32_t number = 0;
            for (; i < count && is_digit(code[i]) && number < 100000000; i++) {
                number = number * 10 + (code[i] - '0');
            }
            return number;
        }
    }
    return HT_ADDRESS_NO_NUMBER;
}

static void decode(struct scan *s, const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && s->count < CHARACTERS_MAX) {
        uint32_t code = 0xfffd;
        size_t length = ht_utf8_read(text + at, size - at, &code);
        s->code[s->count] = half_width(code);
        s->begin[s->count++] = (uint32_t)at;
        at += length > 0 ? length : 1;
    }
    s->begin[s->count] = (uint32_t)at;
}

/* --- parts ------------------------------------------------------------------------------------ */

static struct ht_span span_of(const struct scan *s, size_t from, size_t to)
{
    while (from < to && is_separator(s->code[from])) {
        from++;
    }
    while (to > from && is_separator(s->code[to - 1])) {
        to--;
    }
    return (struct ht_span){s->begin[from], s->begin[to] - s->begin[from]};
}

static void add_rest(struct ht_address *out, struct ht_span span)
{
    if (span.size == 0) {
        return;
    }
    if (out->rest_count == HT_ADDRESS_RESTS) {
        struct ht_span *last = &out->rest[HT_ADDRESS_RESTS - 1];
        last->size = span.begin + span.size - last->begin;
        return;
    }
    out->rest[out->rest_count++] = span;
}

static struct ht_span *name_of(struct ht_address *out, enum kind kind)
{
    struct ht_span *names[] = {&out->province,  &out->city, &out->district, &out->town,
                               &out->community, &out->road, &out->compound};
    return names[kind];
}

static struct ht_address_number *number_of(struct ht_address *out, enum kind kind)
{
    struct ht_address_number *numbers[] = {&out->lane, &out->house, &out->building,
                                           &out->unit, &out->floor, &out->room};
    return numbers[kind - LANE];
}

static void set_number(struct scan *s, enum kind kind, size_t from, size_t to)
{
    struct ht_address_number *part = number_of(s->out, kind);
    if (part->text.size > 0) {
        add_rest(s->out, span_of(s, from, to));
        return;
    }
    part->text = span_of(s, from, to);
    part->number = first_number(s->code + from, to - from);
}

/* What stands before a number and has no ending of its own: "海韵" 3幢, or the "二期" of a
 * compound. */
static void set_leftover(struct scan *s, size_t from, size_t to)
{
    struct ht_span span = span_of(s, from, to);
    struct ht_span *compound = &s->out->compound;
    if (span.size == 0) {
        return;
    }
    if (compound->size == 0 && to - from <= NAME_MAX_CHARACTERS) {
        *compound = span;
    } else if (compound->begin + compound->size == span.begin && s->code[to - 1] == U'期') {
        compound->size += span.size;
    } else {
        add_rest(s->out, span);
    }
}

/* --- endings ---------------------------------------------------------------------------------- */

/* The longest ending of what stands before `end`; NULL: none. */
static const struct ending *ending_before(const struct scan *s, size_t end, size_t *length)
{
    const struct ending *best = NULL;
    *length = 0;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t size = endings[i].length;
        if (endings[i].word[size - 1] != s->code[end - 1] || size <= *length ||
            size > end - s->at) {
            continue;
        }
        size_t same = 0;
        while (same < size && s->code[end - size + same] == endings[i].word[same]) {
            same++;
        }
        if (same == size) {
            best = &endings[i];
            *length = size;
        }
    }
    return best;
}

/* Whether nothing but a number or the end follows. */
static bool comes_last(const struct scan *s, size_t end)
{
    return end == s->count || in_number(s->code[end]) || is_separator(s->code[end]) ||
           s->code[end] == '(';
}

/* "镇海区" after "宁波", "路桥区" after "台州": the ending begins the name of a district. */
static bool begins_district(const struct scan *s, size_t end)
{
    return s->rank < DISTRICT && end + 1 < s->count && holds(U"区县市", s->code[end + 1]) &&
           !holds(U"小社园", s->code[end]);
}

/* "庄市" of "庄市镇", but not "宁波市" of "宁波市镇海区". */
static bool is_within_name(const struct scan *s, const struct ending *ending, size_t end)
{
    return end < s->count && holds(ending->unless, s->code[end]) &&
           !(end + 2 < s->count && holds(U"区县", s->code[end + 2]) &&
             !holds(U"小社园", s->code[end + 1]));
}

/* Takes the name that ends before `end`, or says no. */
static bool take_name(struct scan *s, const struct ending *ending, size_t end, size_t length)
{
    enum kind kind = ending->kind;
    size_t from = s->at;
    while (from < end - length && is_separator(s->code[from])) {
        from++;
    }
    if (kind == CITY && s->out->city.size > 0 && s->out->district.size == 0) {
        kind = DISTRICT;
    }
    if (end - length == from || end - from > NAME_MAX_CHARACTERS ||
        name_of(s->out, kind)->size > 0 ||
        (kind != COMPOUND && kind <= s->rank && s->rank != PROVINCE) ||
        is_within_name(s, ending, end) ||
        (length == 1 && kind >= TOWN && begins_district(s, end)) ||
        (ending->last && !comes_last(s, end))) {
        return false;
    }
    *name_of(s->out, kind) = span_of(s, from, end);
    s->rank = kind > s->rank ? kind : s->rank;
    s->at = end;
    return true;
}

/* Takes the number before the ending, and what stands before it. */
static bool take_number(struct scan *s, enum kind kind, size_t end, size_t length)
{
    size_t to = end - length;
    size_t from = to;
    while (from > s->at && in_number(s->code[from - 1])) {
        from--;
    }
    while (from < to && (s->code[from] == '-' || s->code[from] == '#')) {
        from++; /* "3幢-2单元" */
    }
    if (from == to) {
        return false;
    }
    size_t before = from;
    while (before > s->at && holds(U"-#第", s->code[before - 1])) {
        before--;
    }
    set_leftover(s, s->at, before);
    set_number(s, kind, from, to);
    s->rank = kind > s->rank ? kind : s->rank;
    s->at = end;
    return true;
}

static bool take_part(struct scan *s, size_t end)
{
    size_t length = 0;
    const struct ending *ending = ending_before(s, end, &length);
    if (ending == NULL) {
        return false;
    }
    if (ending->kind > COMPOUND) {
        bool follows = end < s->count && holds(ending->unless, s->code[end]);
        return !follows && take_number(s, ending->kind, end, length);
    }
    if (ending->kind == ROAD && end - length > s->at && length == 1 &&
        (s->code[end - 1] == U'弄' || s->code[end - 1] == U'巷') &&
        is_digit(s->code[end - length - 1])) {
        return take_number(s, LANE, end, length);
    }
    return take_name(s, ending, end, length);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* "3-2-501", "3-501", "501" without words; false: it is something else. */
static bool take_plain_numbers(struct scan *s, size_t from, size_t to)
{
    size_t begin[3];
    size_t end[3];
    size_t count = 0;
    for (size_t i = from; i < to; i++) {
        if (s->code[i] == '-' || s->code[i] == '#') {
            continue;
        }
        if (count == 3 || !(is_digit(s->code[i]) || is_letter(s->code[i]))) {
            return false;
        }
        begin[count] = i;
        while (i + 1 < to && (is_digit(s->code[i + 1]) || is_letter(s->code[i + 1]))) {
            i++;
        }
        end[count++] = i + 1;
    }
    const struct ht_address *out = s->out;
    bool inside = out->building.text.size > 0 || out->house.text.size > 0;
    enum kind kinds[3] = {BUILDING, UNIT, ROOM};
    if (count == 2) {
        kinds[0] = out->building.text.size > 0 ? UNIT : BUILDING;
        kinds[1] = ROOM;
    } else if (count == 1) {
        kinds[0] = inside || out->unit.text.size > 0 || out->floor.text.size > 0 ? ROOM : BUILDING;
    }
    if (count == 0 || (count == 1 && !inside && out->compound.size == 0)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        set_number(s, kinds[i], begin[i], end[i]);
    }
    return true;
}

static void finish(struct scan *s, size_t size)
{
    size_t from = s->at;
    size_t to = s->count;
    while (from < to && is_separator(s->code[from])) {
        from++;
    }
    while (to > from && is_separator(s->code[to - 1])) {
        to--;
    }
    /* Plain numbers at the end, behind what has no ending: "海韵3-2-501". */
    size_t numbers = to;
    while (numbers > from && (is_digit(s->code[numbers - 1]) || is_letter(s->code[numbers - 1]) ||
                              s->code[numbers - 1] == '-' || s->code[numbers - 1] == '#')) {
        numbers--;
    }
    bool dashed = false;
    for (size_t i = numbers; i < to; i++) {
        dashed = dashed || s->code[i] == '-';
    }
    if (numbers > from && dashed) {
        set_leftover(s, from, numbers);
        from = numbers;
    }
    if (from < to && !take_plain_numbers(s, from, to)) {
        add_rest(s->out, span_of(s, from, to));
    }
    if (s->begin[s->count] < size) {
        add_rest(s->out,
                 (struct ht_span){s->begin[s->count], (uint32_t)(size - s->begin[s->count])});
    }
}

void ht_address_parse(const char *text, size_t size, struct ht_address *out)
{
    struct scan s;
    size = size < UINT32_MAX ? size : UINT32_MAX;
    s.count = 0;
    s.at = 0;
    s.rank = PROVINCE;
    s.out = out;
    *out = (struct ht_address){.rest_count = 0};
    for (enum kind kind = LANE; kind <= ROOM; kind++) {
        number_of(out, kind)->number = HT_ADDRESS_NO_NUMBER;
    }
    decode(&s, text, size);
    for (size_t end = 1; end <= s.count; end++) {
        (void)take_part(&s, end);
    }
    finish(&s, size);
}

/* --- searching -------------------------------------------------------------------------------- */

static void add_code(struct ht_text *out, uint32_t code)
{
    char bytes[4];
    if (code >= 'A' && code <= 'Z') {
        code += 'a' - 'A';
    }
    ht_text_add(out, bytes, ht_utf8_write(code, bytes));
}

/* Each numeral for itself where they are digits only ("五〇一"), else their value ("二十一"). */
static void add_numerals(struct ht_text *out, const uint32_t *code, size_t count)
{
    bool plain = true;
    for (size_t i = 0; i < count; i++) {
        plain = plain && chinese_digit(code[i]) >= 0;
    }
    for (size_t i = 0; i < count;) {
        size_t taken = 1;
        if (plain) {
            ht_text_addf(out, "%d", chinese_digit(code[i]));
        } else {
            uint32_t number = read_numeral(code + i, count - i, &taken);
            ht_text_addf(out, "%u", taken > 0 ? number : chinese_power(code[i]));
        }
        i += taken > 0 ? taken : 1;
    }
}

void ht_address_normalize(const char *text, size_t size, struct ht_text *out)
{
    uint32_t numerals[32];
    size_t count = 0;
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t length = ht_utf8_read(text + at, size - at, &code);
        at += length > 0 ? length : 1;
        code = half_width(code);
        if (length > 0 && is_chinese_numeral(code)) {
            if (count == sizeof numerals / sizeof numerals[0]) {
                add_numerals(out, numerals, count);
                count = 0;
            }
            numerals[count++] = code;
            continue;
        }
        add_numerals(out, numerals, count);
        count = 0;
        if (length > 0 && code > ' ' && code != 0xa0 && !(code >= 0x2000 && code <= 0x200b)) {
            add_code(out, code);
        }
    }
    add_numerals(out, numerals, count);
}
