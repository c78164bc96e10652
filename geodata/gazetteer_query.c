/* Queries: what was typed as words, and words as the parts of an address. */
#include <string.h>

#include "engine/road/key.h"
#include "geodata/address.h"
#include "geodata/fold.h"
#include "geodata/gazetteer_internal.h"

void ht__gazetteer_query_deinit(struct ht__query *query)
{
    ht_text_deinit(&query->folded);
    ht_text_deinit(&query->piece);
}

static bool is_word_end(char c)
{
    return c == ' ' || c == ',' || c == ';';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

/* The number that a text may be read as: normalized, with a digit in it or one letter alone. */
static enum ht_status number_read(struct ht__query *query, struct ht__atom *atom, const char *text,
                                  size_t size)
{
    struct ht_text *piece = &query->piece;
    bool digit = false;
    ht_text_clear(piece);
    ht_address_normalize(text, size, piece);
    if (piece->failed) {
        return HT_NOMEM;
    }
    for (size_t i = 0; i < piece->size; i++) {
        digit = digit || is_digit(piece->data[i]);
    }
    if (piece->size > 0 && piece->size <= sizeof atom->number - 1 &&
        (digit || piece->size == 1 || atom->number_kinds != HT__ANY_NUMBER)) {
        memcpy(atom->number, piece->data, piece->size);
        atom->number_size = (uint8_t)piece->size;
    }
    return HT_OK;
}

/* A new atom for a piece of a query, with its text. */
static enum ht_status atom_add(struct ht__query *query, const char *text, size_t size,
                               struct ht__atom **out)
{
    struct ht_text *piece = &query->piece;
    struct ht__atom *atom = &query->atoms[query->atom_count++];
    *atom = (struct ht__atom){.number_kinds = HT__ANY_NUMBER};
    ht_text_clear(piece);
    ht__gazetteer_tighten(text, size, piece);
    if (piece->failed) {
        return HT_NOMEM;
    }
    memcpy(atom->text, ht_text_string(piece), piece->size);
    atom->size = (uint8_t)piece->size;
    *out = atom;
    return HT_OK;
}

/* A word as whatever it may be. */
static enum ht_status atom_word(struct ht__query *query, const char *text, size_t size, bool open)
{
    struct ht__atom *atom = NULL;
    enum ht_status status = atom_add(query, text, size, &atom);
    if (status != HT_OK) {
        return status;
    }
    bool plain = atom->size > 0;
    for (size_t i = 0; i < atom->size; i++) {
        plain = plain && (is_digit(atom->text[i]) || is_letter(atom->text[i]));
    }
    atom->ids = true;
    atom->texts = true;
    atom->pinyin = plain;
    atom->open = open;
    return number_read(query, atom, text, size);
}

/* ---- parts ---- */

/* A piece of a word: a name, or a number of some kinds. */
struct part {
    uint32_t begin;
    uint32_t size;
    uint8_t kinds; /* 0: a name */
};

static void part_put(struct part *parts, uint32_t *count, struct ht_span span, uint8_t kinds)
{
    if (span.size == 0 || *count == HT__PARTS) {
        return;
    }
    uint32_t i = (*count)++;
    for (; i > 0 && parts[i - 1].begin > span.begin; i--) {
        parts[i] = parts[i - 1];
    }
    parts[i] = (struct part){span.begin, span.size, kinds};
}

/* Digits, letters and dashes up to the end, or up to what follows a number while it is being typed:
 * "2单" becomes "2单元". */
static uint32_t number_length(const char *text, uint32_t size)
{
    static const char half[] = "单";
    uint32_t length = size;
    if (size > sizeof half - 1 &&
        memcmp(text + size - (sizeof half - 1), half, sizeof half - 1) == 0) {
        length -= (uint32_t)(sizeof half - 1);
    }
    for (uint32_t i = 0; i < length; i++) {
        if (!is_digit(text[i]) && !is_letter(text[i]) && text[i] != '-' && text[i] != '#') {
            return 0;
        }
    }
    return is_digit(text[0]) ? length : 0;
}

/* Bytes before the digits that a rest ends with: "海韵3", but not "h1", which is an id. */
static uint32_t name_length(const char *text, uint32_t size)
{
    uint32_t length = size;
    while (length > 0 && is_digit(text[length - 1])) {
        length--;
    }
    return length < 2 ? size : length;
}

static void rest_put(struct part *parts, uint32_t *count, const char *text, struct ht_span rest)
{
    uint32_t number = number_length(text + rest.begin, rest.size);
    uint32_t name = name_length(text + rest.begin, rest.size);
    if (number > 0) {
        part_put(parts, count, (struct ht_span){rest.begin, number}, HT__ANY_NUMBER);
        return;
    }
    part_put(parts, count, (struct ht_span){rest.begin, name}, 0);
    part_put(parts, count, (struct ht_span){rest.begin + name, rest.size - name}, HT__ANY_NUMBER);
}

/* Numbers without a word behind them may be more than the reader takes them for. */
static void kinds_widen(struct part *parts, uint32_t count, const char *text, size_t size,
                        bool open)
{
    static const char number_sign[] = "号";
    for (uint32_t i = 0; i < count; i++) {
        size_t end = parts[i].begin + parts[i].size;
        bool bare = end == size || text[end] == '-' || text[end] == '#';
        if (parts[i].kinds == 0) {
            continue;
        }
        bool after_bare = i > 0 && parts[i - 1].kinds != 0 &&
                          (text[parts[i].begin - 1] == '-' || text[parts[i].begin - 1] == '#');
        if (bare && !after_bare) {
            parts[i].kinds |= end == size ? HT__ANY_NUMBER : HT__BUILDING | HT__HOUSE | HT__LANE;
        } else if (bare && end == size) {
            parts[i].kinds |= HT__ROOM | HT__BUILDING | HT__UNIT;
        } else if (open && end + sizeof number_sign - 1 == size &&
                   memcmp(text + end, number_sign, sizeof number_sign - 1) == 0) {
            parts[i].kinds |= HT__BUILDING; /* of "号楼" */
        }
    }
}

static uint32_t parts_read(const char *text, size_t size, bool open, struct part *parts)
{
    struct ht_address a;
    uint32_t count = 0;
    ht_address_parse(text, size, &a);
    const struct ht_span names[] = {a.province,  a.city, a.district, a.town,
                                    a.community, a.road, a.compound};
    const struct ht_address_number *numbers[] = {&a.building, &a.floor, &a.house,
                                                 &a.lane,     &a.room,  &a.unit};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        part_put(parts, &count, names[i], 0);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        part_put(parts, &count, numbers[i]->text, (uint8_t)(1U << i));
    }
    for (size_t i = 0; i < a.rest_count; i++) {
        rest_put(parts, &count, text, a.rest[i]);
    }
    kinds_widen(parts, count, text, size, open);
    return count;
}

/* Bare numbers with dashes between may be one as well, "12-1" of "12-1号": which of the parts. */
static bool run_find(const struct part *parts, uint32_t count, const char *text,
                     struct ht__range *run)
{
    for (run->begin = 0; run->begin < count; run->begin++) {
        run->end = run->begin + 1;
        while (parts[run->begin].kinds != 0 && run->end < count && parts[run->end].kinds != 0 &&
               parts[run->end - 1].begin + parts[run->end - 1].size + 1 == parts[run->end].begin &&
               text[parts[run->end].begin - 1] == '-') {
            run->end++;
        }
        if (run->end > run->begin + 1) {
            return true;
        }
    }
    return false;
}

static enum ht_status part_add(struct ht__query *query, const char *text, const struct part *part,
                               bool open)
{
    struct ht__atom *atom = NULL;
    enum ht_status status = atom_add(query, text + part->begin, part->size, &atom);
    if (status != HT_OK) {
        return status;
    }
    atom->texts = part->kinds == 0;
    atom->pinyin = part->kinds == 0;
    for (size_t i = 0; i < atom->size; i++) {
        atom->pinyin = atom->pinyin && (is_digit(atom->text[i]) || is_letter(atom->text[i]));
    }
    if (part->kinds == 0) {
        return HT_OK;
    }
    atom->number_kinds = part->kinds;
    atom->open = open;
    return number_read(query, atom, text + part->begin, part->size);
}

/* Letters in front of digits: "hthy3-2-501". */
static size_t letters_of(const char *text, size_t size)
{
    size_t letters = 0;
    while (letters < size && is_letter(text[letters])) {
        letters++;
    }
    return letters >= 2 && letters < size && is_digit(text[letters]) ? letters : 0;
}

static enum ht_status word_add(struct ht__query *query, const char *text, size_t size, bool last)
{
    struct part parts[HT__PARTS];
    struct ht__word *word = &query->words[query->word_count++];
    size_t letters = letters_of(text, size);
    uint32_t count = parts_read(text + letters, size - letters, last, parts);
    word->whole = query->atom_count;
    enum ht_status status = atom_word(query, text, size, last);
    word->part = query->atom_count;
    if (letters == 0 && count == 1 && parts[0].size == size &&
        (parts[0].kinds == 0 || parts[0].kinds == HT__ANY_NUMBER)) {
        count = 0; /* it says what the whole word says */
    }
    if (letters > 0 && count < HT__PARTS && status == HT_OK) {
        const struct part head = {0, (uint32_t)letters, 0};
        status = part_add(query, text, &head, false);
    }
    uint32_t first = query->atom_count;
    for (uint32_t i = 0; status == HT_OK && i < count; i++) {
        bool end = letters + parts[i].begin + parts[i].size == size;
        status = part_add(query, text + letters, &parts[i], last && end);
    }
    word->part_count = query->atom_count - word->part;
    word->run = HT_NONE;
    struct ht__range run;
    if (status == HT_OK && run_find(parts, count, text + letters, &run)) {
        struct part one = parts[run.begin];
        one.size = parts[run.end - 1].begin + parts[run.end - 1].size - one.begin;
        one.kinds = HT__ANY_NUMBER;
        word->run = query->atom_count;
        word->run_begin = first + run.begin;
        word->run_end = first + run.end;
        status =
            part_add(query, text + letters, &one, last && letters + one.begin + one.size == size);
    }
    return status;
}

enum ht_status ht__gazetteer_query(struct ht__query *query, const char *text, size_t size)
{
    enum ht_status status = HT_OK;
    query->atom_count = 0;
    query->word_count = 0;
    query->whole = HT_NONE;
    ht_text_clear(&query->folded);
    if (size > HT_GAZETTEER_QUERY) {
        return HT_TOO_BIG;
    }
    ht_fold(text, size, &query->folded);
    if (query->folded.failed) {
        return HT_NOMEM;
    }
    const char *folded = ht_text_string(&query->folded);
    size_t end = query->folded.size;
    while (end > 0 && is_word_end(folded[end - 1])) {
        end--;
    }
    for (size_t at = 0; at < end && status == HT_OK;) {
        size_t length = 0;
        while (at + length < end && !is_word_end(folded[at + length])) {
            length++;
        }
        if (length > 0 && query->word_count == HT__WORDS) {
            return HT_TOO_BIG;
        }
        if (length > 0) {
            status = word_add(query, folded + at, length, at + length == end);
        }
        at += length + 1;
    }
    if (status == HT_OK && query->word_count > 1) {
        query->whole = query->atom_count;
        status = atom_word(query, folded, end, true);
    }
    return status == HT_OK && query->word_count == 0 ? HT_EMPTY : status;
}
