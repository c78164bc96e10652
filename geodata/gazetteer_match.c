/* Matching: which items of a segment an atom of a query leads to. */
#include <string.h>

#include "geodata/gazetteer_internal.h"

static void add(uint64_t *bits, uint32_t item)
{
    bits[item / 64] |= UINT64_C(1) << (item % 64);
}

/* The set of a term that many items have. */
static void add_dense(const struct ht__segment *segment, uint32_t term, uint64_t *bits)
{
    uint32_t low = 0;
    uint32_t high = segment->dense_count;
    size_t words = ((size_t)segment->count + 63) / 64;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (segment->dense[middle] < term) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const uint64_t *set = segment->dense_bits + low * words;
    for (size_t i = 0; i < words; i++) {
        bits[i] |= set[i];
    }
}

static void add_list(const struct ht__segment *segment, uint32_t term, uint64_t *bits)
{
    const struct ht__dict *terms = &segment->terms;
    uint32_t size = terms->first[term + 1] - terms->first[term];
    if (size >= HT__DENSE_LEAST && size >= segment->count / HT__DENSE) {
        add_dense(segment, term, bits);
        return;
    }
    const uint32_t *end = terms->list + terms->first[term + 1];
    for (const uint32_t *at = terms->list + terms->first[term]; at < end; at++) {
        add(bits, *at);
    }
}

/* All items of the terms that a form stands for. */
static void add_form(const struct ht__segment *segment, uint32_t form, uint64_t *bits)
{
    const struct ht__dict *forms = &segment->forms;
    for (uint32_t i = forms->first[form]; i < forms->first[form + 1]; i++) {
        add_list(segment, forms->list[i], bits);
    }
}

/* Of strings that begin with `size` bytes: the one that is no longer, or the others. */
static struct ht__range part_of(const struct ht__dict *dict, struct ht__range range, size_t size,
                                bool whole)
{
    bool first =
        range.begin < range.end && dict->at[range.begin + 1] - dict->at[range.begin] == size + 1;
    uint32_t middle = range.begin + (first ? 1 : 0);
    return whole ? (struct ht__range){range.begin, middle} : (struct ht__range){middle, range.end};
}

static void match_ids(const struct ht__segment *segment, const struct ht__atom *atom, bool whole,
                      uint64_t *bits)
{
    for (int kind = 0; kind < HT_GAZETTEER_KINDS; kind++) {
        struct ht__range range =
            ht__segment_ids(segment, (enum ht_gazetteer_kind)kind, atom->text, atom->size, whole);
        for (uint32_t i = range.begin; i < range.end; i++) {
            add(bits, i);
        }
    }
}

static void match_numbers(const struct ht__segment *segment, const struct ht__atom *atom,
                          bool whole, uint64_t *bits)
{
    char term[sizeof atom->number + 2] = {HT__TERM_NUMBER};
    size_t size = (size_t)atom->number_size + 2;
    memcpy(term + 2, atom->number, atom->number_size);
    for (size_t k = 0; k < sizeof HT__NUMBER_KINDS - 1; k++) {
        if ((atom->number_kinds >> k & 1) == 0) {
            continue;
        }
        term[1] = HT__NUMBER_KINDS[k];
        struct ht__range range = ht__dict_prefix(&segment->terms, term, size);
        range = part_of(&segment->terms, range, size, whole);
        for (uint32_t i = range.begin; i < range.end; i++) {
            add_list(segment, i, bits);
        }
    }
}

static void match_texts(const struct ht__segment *segment, const struct ht__atom *atom, bool whole,
                        uint64_t *bits)
{
    char term[HT__TERM_MAX + 2] = {HT__TERM_TEXT};
    size_t size = (size_t)atom->size + 1;
    memcpy(term + 1, atom->text, atom->size);
    struct ht__range range = ht__dict_prefix(&segment->terms, term, size);
    range = part_of(&segment->terms, range, size, whole);
    for (uint32_t i = range.begin; i < range.end; i++) {
        add_list(segment, i, bits);
    }
}

static void match_pinyin(const struct ht__segment *segment, const struct ht__atom *atom, bool whole,
                         uint64_t *bits)
{
    size_t size = atom->size < HT__FORM_MAX - 1 ? atom->size : HT__FORM_MAX - 1;
    struct ht__range range = ht__dict_prefix(&segment->forms, atom->text, size);
    range = part_of(&segment->forms, range, size, whole);
    for (uint32_t i = range.begin; i < range.end; i++) {
        add_form(segment, i, bits);
    }
}

static void match_within(const struct ht__segment *segment, const struct ht__atom *atom,
                         uint64_t *bits)
{
    if (atom->texts) {
        struct ht__range range = ht__dict_within(&segment->terms, atom->text, atom->size);
        for (uint32_t i = range.begin; i < range.end; i++) {
            add_list(segment, segment->terms.inner[i], bits);
        }
    }
    if (atom->pinyin) {
        struct ht__range range = ht__dict_within(&segment->forms, atom->text, atom->size);
        for (uint32_t i = range.begin; i < range.end; i++) {
            add_form(segment, segment->forms.inner[i], bits);
        }
    }
}

void ht__gazetteer_match(const struct ht__segment *segment, const struct ht__atom *atom, int rank,
                         bool personal, uint64_t *bits)
{
    bool closed = segment->personal && !personal;
    if (atom->size == 0) {
        return;
    }
    if (atom->ids && (rank == 0 || (rank == 3 && atom->open))) {
        match_ids(segment, atom, rank == 0, bits);
    }
    if (closed) {
        return;
    }
    if (atom->number_size > 0 && (rank == 1 || (rank == 3 && atom->open))) {
        match_numbers(segment, atom, rank == 1, bits);
    }
    if (atom->texts && (rank == 1 || rank == 3)) {
        match_texts(segment, atom, rank == 1, bits);
    }
    if (atom->pinyin && (rank == 2 || rank == 3)) {
        match_pinyin(segment, atom, rank == 2, bits);
    }
    if (rank == 4) {
        match_within(segment, atom, bits);
    }
}
