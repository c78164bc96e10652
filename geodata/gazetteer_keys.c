/* Keys: the terms of names and addresses, and their pinyin. */
#include <string.h>

#include "geodata/address.h"
#include "geodata/fold.h"
#include "geodata/gazetteer_internal.h"
#include "geodata/pinyin.h"

enum { VARIANTS = 16 }; /* of the pinyin of one text */

void ht__keys_room_deinit(struct ht__keys_room *room)
{
    ht_text_deinit(&room->folded);
    ht_text_deinit(&room->piece);
    ht_text_deinit(&room->readings);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

bool ht__gazetteer_begins(const char *text, size_t size, size_t at)
{
    char c = text[at];
    if (at == 0 || at >= size) {
        return false;
    }
    if ((c & 0x80) != 0) {
        return (c & 0xc0) == 0xc0;
    }
    return is_digit(c) ? !is_digit(text[at - 1]) : is_letter(c) && !is_letter(text[at - 1]);
}

void ht__gazetteer_tighten(const char *text, size_t size, struct ht_text *out)
{
    size_t begin = out->size;
    for (size_t i = 0; i < size; i++) {
        bool between = i > 0 && i + 1 < size && (is_digit(text[i - 1]) || is_letter(text[i - 1])) &&
                       (is_digit(text[i + 1]) || is_letter(text[i + 1]));
        if (text[i] != ' ' || between) {
            ht_text_add_char(out, text[i]);
        }
    }
    size_t most = HT__TERM_MAX - 2;
    if (!out->failed && out->size - begin > most) {
        while (most > 0 && (out->data[begin + most] & 0xc0) == 0x80) {
            most--;
        }
        while (most > 0 && out->data[begin + most - 1] == ' ') {
            most--;
        }
        ht_text_cut(out, begin + most);
    }
}

/* ---- terms ---- */

struct giving {
    struct ht__keys_room *room;
    ht__bytes_sink *sink;
    void *user;
};

/* A text term, with the places from which it may be read as well. The byte in front counts. */
static enum ht_status give_text(const struct giving *giving, const char *text, size_t size)
{
    struct ht_text *piece = &giving->room->piece;
    uint64_t marks = 0;
    ht_text_clear(piece);
    ht_text_add_char(piece, HT__TERM_TEXT);
    ht__gazetteer_tighten(text, size, piece);
    if (piece->failed) {
        return HT_NOMEM;
    }
    for (size_t at = 1; at + 1 < piece->size && at + 1 < 64; at++) {
        bool begins = ht__gazetteer_begins(piece->data + 1, piece->size - 1, at);
        marks |= begins ? UINT64_C(1) << (at + 1) : 0;
    }
    return piece->size == 1 ? HT_OK : giving->sink(giving->user, piece->data, piece->size, marks);
}

static enum ht_status give_number(const struct giving *giving, const char *text, char kind,
                                  const struct ht_address_number *number)
{
    struct ht_text *piece = &giving->room->piece;
    if (number->text.size == 0) {
        return HT_OK;
    }
    ht_text_clear(piece);
    ht_text_add_char(piece, HT__TERM_NUMBER);
    ht_text_add_char(piece, kind);
    ht_address_normalize(text + number->text.begin, number->text.size, piece);
    if (piece->failed) {
        return HT_NOMEM;
    }
    size_t size = piece->size < 33 ? piece->size : 33;
    return size == 2 ? HT_OK : giving->sink(giving->user, piece->data, size, 0);
}

static enum ht_status give_address(const struct giving *giving, const char *text, size_t size)
{
    struct ht_address a;
    ht_address_parse(text, size, &a);
    const struct ht_span names[] = {a.province,  a.city,    a.district, a.town,
                                    a.community, a.road,    a.compound, a.rest[0],
                                    a.rest[1],   a.rest[2], a.rest[3]};
    const struct ht_address_number *numbers[] = {&a.building, &a.floor, &a.house,
                                                 &a.lane,     &a.room,  &a.unit};
    enum ht_status status = HT_OK;
    for (size_t i = 0; status == HT_OK && i < sizeof names / sizeof names[0]; i++) {
        if (names[i].size > 0 && (i < 7 || i - 7 < a.rest_count)) {
            status = give_text(giving, text + names[i].begin, names[i].size);
        }
    }
    for (size_t i = 0; status == HT_OK && i < sizeof numbers / sizeof numbers[0]; i++) {
        status = give_number(giving, text, HT__NUMBER_KINDS[i], numbers[i]);
    }
    return status;
}

enum ht_status ht__gazetteer_terms(struct ht__keys_room *room, const struct ht_gazetteer_text *text,
                                   ht__bytes_sink *sink, void *user)
{
    const struct giving giving = {room, sink, user};
    ht_text_clear(&room->folded);
    ht_fold(text->text, text->size, &room->folded);
    if (room->folded.failed) {
        return HT_NOMEM;
    }
    const char *folded = ht_text_string(&room->folded);
    return text->address ? give_address(&giving, folded, room->folded.size)
                         : give_text(&giving, folded, room->folded.size);
}

/* ---- pinyin ---- */

/* The initials, each reading a form. */
static enum ht_status give_initials(struct ht__keys_room *room, const char *text, size_t size,
                                    ht__bytes_sink *sink, void *user)
{
    enum ht_status status = HT_OK;
    ht_text_clear(&room->readings);
    ht_pinyin_variants(text, size, VARIANTS, &room->readings);
    if (room->readings.failed) {
        return HT_NOMEM;
    }
    const char *at = ht_text_string(&room->readings);
    while (status == HT_OK && *at != '\0') {
        size_t length = strcspn(at, " ");
        size_t used = length < HT__FORM_MAX - 1 ? length : HT__FORM_MAX - 1;
        uint64_t marks = (UINT64_C(1) << used) - 1;
        status = used == 0 ? HT_OK : sink(user, at, used, marks & ~UINT64_C(1));
        at += length + (at[length] == ' ');
    }
    return status;
}

struct spelling {
    char letters[VARIANTS][HT__FORM_MAX];
    size_t size[VARIANTS];
    uint64_t marks[VARIANTS];
    size_t count;
};

/* Every spelling so far with each reading of the next character, as far as there is room. */
static void spell(struct spelling *s, char readings[][HT_PINYIN_SYLLABLE], size_t count)
{
    struct spelling before = *s;
    s->count = 0;
    for (size_t r = 0; r < count; r++) {
        size_t length = strlen(readings[r]);
        for (size_t v = 0; v < before.count && s->count < VARIANTS; v++) {
            size_t to = s->count++;
            memcpy(s->letters[to], before.letters[v], HT__FORM_MAX);
            s->size[to] = before.size[v];
            s->marks[to] = before.marks[v];
            if (before.size[v] + length < HT__FORM_MAX) {
                memcpy(s->letters[to] + before.size[v], readings[r], length);
                s->marks[to] |= before.size[v] > 0 ? UINT64_C(1) << before.size[v] : 0;
                s->size[to] += length;
            }
        }
    }
}

static enum ht_status give_spellings(const char *text, size_t size, ht__bytes_sink *sink,
                                     void *user)
{
    struct spelling s = {.count = 1};
    enum ht_status status = HT_OK;
    for (size_t at = 0; at < size;) {
        char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE] = {{text[at], '\0'}};
        uint32_t code = 0;
        size_t length = ht_utf8_read(text + at, size - at, &code);
        size_t count = is_digit(text[at]) || is_letter(text[at]) ? 1 : 0;
        if (code >= 0x80) {
            count = ht_pinyin_readings(code, readings);
        }
        if (count > 0) {
            spell(&s, readings, count);
        }
        at += length == 0 ? 1 : length;
    }
    for (size_t v = 0; status == HT_OK && v < s.count; v++) {
        status = s.size[v] == 0 ? HT_OK : sink(user, s.letters[v], s.size[v], s.marks[v]);
    }
    return status;
}

enum ht_status ht__gazetteer_forms(struct ht__keys_room *room, const char *text, size_t size,
                                   ht__bytes_sink *sink, void *user)
{
    char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE];
    bool chinese = false;
    for (size_t at = 0; at < size && !chinese;) {
        uint32_t code = 0;
        size_t length = ht_utf8_read(text + at, size - at, &code);
        chinese = code >= 0x80 && ht_pinyin_readings(code, readings) > 0;
        at += length == 0 ? 1 : length;
    }
    if (!chinese) {
        return HT_OK;
    }
    enum ht_status status = give_initials(room, text, size, sink, user);
    return status == HT_OK ? give_spellings(text, size, sink, user) : status;
}
