/* Segments: items put together, sorted, turned around into lists. */
#include <stdlib.h>
#include <string.h>

#include "engine/base/array.h"
#include "engine/road/key.h"
#include "geodata/gazetteer_internal.h"

/* ---- ids ---- */

static int lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c;
}

int ht__id_compare(const char *a, const char *b)
{
    for (size_t i = 0;; i++) {
        int difference = lower((unsigned char)a[i]) - lower((unsigned char)b[i]);
        if (difference != 0 || a[i] == '\0') {
            return difference != 0 ? difference : strcmp(a, b);
        }
    }
}

enum ht_gazetteer_kind ht__segment_kind(const struct ht__segment *segment, uint32_t item)
{
    int kind = 0;
    while (item >= segment->kind_first[kind + 1]) {
        kind++;
    }
    return (enum ht_gazetteer_kind)kind;
}

uint32_t ht__segment_find(const struct ht__segment *segment, enum ht_gazetteer_kind kind,
                          const char *id)
{
    uint32_t low = segment->kind_first[kind];
    uint32_t high = segment->kind_first[kind + 1];
    uint32_t end = high;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ht__id_compare(ht__segment_id(segment, middle), id) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < end && strcmp(ht__segment_id(segment, low), id) == 0 ? low : HT_NONE;
}

/* The order of an id's first bytes and a text in lower case. */
static int prefix_compare(const char *id, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        int difference = lower((unsigned char)id[i]) - (int)(unsigned char)text[i];
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}

static uint32_t id_bound(const struct ht__segment *segment, struct ht__range range,
                         const char *text, size_t size, bool after)
{
    while (range.begin < range.end) {
        uint32_t middle = range.begin + (range.end - range.begin) / 2;
        int order = prefix_compare(ht__segment_id(segment, middle), text, size);
        if (order < 0 || (after && order == 0)) {
            range.begin = middle + 1;
        } else {
            range.end = middle;
        }
    }
    return range.begin;
}

struct ht__range ht__segment_ids(const struct ht__segment *segment, enum ht_gazetteer_kind kind,
                                 const char *text, size_t size, bool whole)
{
    const struct ht__range all = {segment->kind_first[kind], segment->kind_first[kind + 1]};
    struct ht__range found = {id_bound(segment, all, text, size, false), 0};
    if (whole) { /* the NUL counts as well */
        found.end = id_bound(segment, all, text, size + 1, true);
    } else {
        found.end = id_bound(segment, all, text, size, true);
    }
    return found;
}

/* ---- putting together ---- */

void ht__builder_deinit(struct ht__builder *builder)
{
    ht__intern_deinit(&builder->terms);
    ht__keys_room_deinit(&builder->room);
    ht_text_deinit(&builder->labels);
    free(builder->item_term);
    free(builder->item_first);
    free(builder->ids);
    free(builder->id_at);
    free(builder->kinds);
    free(builder->points);
    free(builder->label_at);
    *builder = (struct ht__builder){0};
}

#define ROOM(status, list, capacity, want)                                                         \
    do {                                                                                           \
        void *room_list = (list);                                                                  \
        if ((status) == HT_OK) {                                                                   \
            (status) = ht_array_reserve(&room_list, &(capacity), (want), sizeof *(list));          \
            (list) = room_list;                                                                    \
        }                                                                                          \
    } while (0)

static enum ht_status term_add(struct ht__builder *builder, uint32_t term)
{
    enum ht_status status = HT_OK;
    ROOM(status, builder->item_term, builder->term_capacity, builder->term_count + 1);
    if (status == HT_OK) {
        builder->item_term[builder->term_count++] = term;
    }
    return status;
}

static enum ht_status term_take(void *user, const char *bytes, size_t size, uint64_t marks)
{
    struct ht__builder *builder = user;
    uint32_t term = 0;
    enum ht_status status = ht__intern(&builder->terms, bytes, size, marks, &term);
    return status == HT_OK ? term_add(builder, term) : status;
}

struct head {
    uint8_t kind;
    const char *id;
    struct ht_point point;
    const char *label;
};

/* Ends an item, whose terms were added before. */
static enum ht_status item_add(struct ht__builder *builder, const struct head *head)
{
    enum ht_status status = HT_OK;
    size_t n = builder->count;
    size_t id_size = strnlen(head->id, HT_GAZETTEER_ID_MAX);
    ROOM(status, builder->ids, builder->ids_capacity, builder->ids_size + id_size + 1);
    ROOM(status, builder->id_at, builder->id_capacity, n + 1);
    ROOM(status, builder->kinds, builder->kind_capacity, n + 1);
    ROOM(status, builder->points, builder->point_capacity, n + 1);
    ROOM(status, builder->label_at, builder->label_capacity, n + 1);
    ROOM(status, builder->item_first, builder->first_capacity, n + 2);
    if (status == HT_OK && head->label != NULL) {
        size_t at = builder->labels.size;
        ht_text_add(&builder->labels, head->label, strlen(head->label) + 1);
        builder->label_at[n] = at;
        status = builder->labels.failed ? HT_NOMEM : HT_OK;
    } else if (status == HT_OK) {
        builder->label_at[n] = SIZE_MAX;
    }
    if (status != HT_OK) {
        return status;
    }
    memcpy(builder->ids + builder->ids_size, head->id, id_size);
    builder->ids[builder->ids_size + id_size] = '\0';
    builder->id_at[n] = builder->ids_size;
    builder->ids_size += id_size + 1;
    builder->kinds[n] = head->kind;
    builder->points[n] = head->point;
    builder->item_first[0] = 0;
    builder->item_first[n + 1] = builder->term_count;
    builder->count++;
    return HT_OK;
}

enum ht_status ht__builder_put(struct ht__builder *builder, const struct ht_gazetteer_item *item)
{
    const struct head head = {(uint8_t)item->kind, item->id,
                              item->placed ? item->point : (struct ht_point){0, HT__NOWHERE},
                              item->label};
    size_t before = builder->term_count;
    enum ht_status status = builder->count < UINT32_MAX / 2 ? HT_OK : HT_TOO_BIG;
    for (size_t i = 0; status == HT_OK && i < item->text_count; i++) {
        status = ht__gazetteer_terms(&builder->room, &item->texts[i], term_take, builder);
    }
    if (status == HT_OK) {
        status = item_add(builder, &head);
    }
    if (status != HT_OK) {
        builder->term_count = before;
    }
    return status;
}

enum ht_status ht__builder_remove(struct ht__builder *builder, enum ht_gazetteer_kind kind,
                                  const char *id)
{
    const struct head head = {(uint8_t)((unsigned)kind | HT__REMOVED), id, {0, HT__NOWHERE}, NULL};
    return item_add(builder, &head);
}

/* The terms of each item of a segment: its lists turned around. */
static enum ht_status turn_around(const struct ht__segment *segment, uint32_t **first,
                                  uint32_t **terms)
{
    const struct ht__dict *dict = &segment->terms;
    uint32_t *place = ht_array_new_zeroed((size_t)segment->count + 2, sizeof *place);
    uint32_t *list = ht_array_new(dict->first[dict->count], sizeof *list);
    if (place == NULL || list == NULL) {
        free(place);
        free(list);
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < dict->first[dict->count]; i++) {
        place[dict->list[i] + 2]++;
    }
    for (uint32_t i = 0; i < segment->count; i++) {
        place[i + 2] += place[i + 1];
    }
    for (uint32_t t = 0; t < dict->count; t++) {
        for (uint32_t i = dict->first[t]; i < dict->first[t + 1]; i++) {
            list[place[dict->list[i] + 1]++] = t;
        }
    }
    *first = place;
    *terms = list;
    return HT_OK;
}

/* The marks of a segment's terms, from its places within. */
static uint64_t *marks_of(const struct ht__dict *dict)
{
    uint64_t *marks = ht_array_new_zeroed(dict->count, sizeof *marks);
    for (uint32_t i = 0; marks != NULL && i < dict->inner_count; i++) {
        marks[dict->inner[i]] |= UINT64_C(1) << dict->skip[i];
    }
    return marks;
}

struct adding {
    const struct ht__segment *segment;
    uint32_t *first;
    uint32_t *terms;
    uint64_t *marks;
    uint32_t *known; /* the builder's numbers of terms */
};

static enum ht_status add_one(struct ht__builder *builder, const struct adding *adding,
                              uint32_t item)
{
    const struct ht__segment *segment = adding->segment;
    const struct ht__dict *dict = &segment->terms;
    enum ht_status status = HT_OK;
    for (uint32_t i = adding->first[item]; status == HT_OK && i < adding->first[item + 1]; i++) {
        uint32_t term = adding->terms[i];
        if (adding->known[term] == HT_NONE) {
            status = ht__intern(&builder->terms, ht__dict_string(dict, term),
                                dict->at[term + 1] - dict->at[term] - 1, adding->marks[term],
                                &adding->known[term]);
        }
        if (status == HT_OK) {
            status = term_add(builder, adding->known[term]);
        }
    }
    bool labelled = segment->labels != NULL && segment->label_at[item] != HT_NONE;
    const struct head head = {(uint8_t)ht__segment_kind(segment, item),
                              ht__segment_id(segment, item), segment->points[item],
                              labelled ? segment->labels + segment->label_at[item] : NULL};
    return status == HT_OK ? item_add(builder, &head) : status;
}

enum ht_status ht__builder_add(struct ht__builder *builder, const struct ht__segment *segment,
                               uint64_t version)
{
    struct adding adding = {.segment = segment,
                            .marks = marks_of(&segment->terms),
                            .known = ht_array_new(segment->terms.count, sizeof *adding.known)};
    enum ht_status status = adding.marks == NULL || adding.known == NULL
                                ? HT_NOMEM
                                : turn_around(segment, &adding.first, &adding.terms);
    if (status == HT_OK && segment->terms.count > 0) {
        memset(adding.known, 0xff, segment->terms.count * sizeof *adding.known);
    }
    for (uint32_t item = 0; status == HT_OK && item < segment->count; item++) {
        if (atomic_load_explicit(&segment->gone[item], memory_order_relaxed) > version) {
            status = add_one(builder, &adding, item);
        }
    }
    free(adding.first);
    free(adding.terms);
    free(adding.marks);
    free(adding.known);
    return status;
}

/* ---- making ---- */

void ht__segment_release(struct ht__segment *segment)
{
    if (segment == NULL ||
        atomic_fetch_sub_explicit(&segment->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    ht__dict_deinit(&segment->terms);
    ht__dict_deinit(&segment->forms);
    free(segment->ids);
    free(segment->id_at);
    free(segment->points);
    free(segment->labels);
    free(segment->label_at);
    free(segment->gone);
    free(segment->dense);
    free(segment->dense_bits);
    free(segment);
}

struct place {
    uint8_t kind;
    const char *id;
    uint32_t number; /* in the builder */
};

static int by_id(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    int order = ht__id_compare(a->id, b->id);
    return order != 0 ? order : a->number < b->number ? -1 : 1;
}

/* The order of items; the last of each kind and id only. */
static struct place *places_make(const struct ht__builder *builder, uint32_t *count)
{
    struct place *places = ht_array_new(builder->count, sizeof *places);
    bool sorted = true;
    if (places == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < builder->count; i++) {
        uint8_t kind = builder->kinds[i] & (uint8_t)~HT__REMOVED;
        places[i] = (struct place){kind, builder->ids + builder->id_at[i], i};
        sorted = sorted && (i == 0 || by_id(&places[i - 1], &places[i]) < 0);
    }
    if (!sorted) {
        qsort(places, builder->count, sizeof *places, by_id);
    }
    *count = 0;
    for (uint32_t i = 0; i < builder->count; i++) {
        bool replaced = i + 1 < builder->count && places[i].kind == places[i + 1].kind &&
                        strcmp(places[i].id, places[i + 1].id) == 0;
        if (!replaced && (builder->kinds[places[i].number] & HT__REMOVED) == 0) {
            places[(*count)++] = places[i];
        }
    }
    return places;
}

static enum ht_status heads_make(struct ht__segment *segment, const struct ht__builder *builder,
                                 const struct place *places)
{
    size_t n = segment->count;
    uint32_t at = 0;
    bool labelled = builder->labels.size > 0;
    segment->ids = malloc(builder->ids_size + 1);
    segment->id_at = ht_array_new(n + 1, sizeof *segment->id_at);
    segment->points = ht_array_new(n, sizeof *segment->points);
    segment->gone = ht_array_new(n, sizeof *segment->gone);
    segment->labels = labelled ? malloc(builder->labels.size) : NULL;
    segment->label_at = labelled ? ht_array_new(n, sizeof *segment->label_at) : NULL;
    if (segment->ids == NULL || segment->id_at == NULL || segment->points == NULL ||
        segment->gone == NULL ||
        (labelled && (segment->labels == NULL || segment->label_at == NULL))) {
        return HT_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t from = places[i].number;
        uint32_t size = (uint32_t)strlen(places[i].id) + 1;
        memcpy(segment->ids + at, places[i].id, size);
        segment->id_at[i] = at;
        at += size;
        segment->points[i] = builder->points[from];
        atomic_init(&segment->gone[i], HT__ALIVE);
        segment->kind_first[places[i].kind + 1] = i + 1;
        if (labelled) {
            size_t label = builder->label_at[from];
            segment->label_at[i] = label == SIZE_MAX ? HT_NONE : (uint32_t)label;
        }
    }
    segment->id_at[n] = at;
    for (int kind = 0; kind < HT_GAZETTEER_KINDS; kind++) {
        if (segment->kind_first[kind + 1] < segment->kind_first[kind]) {
            segment->kind_first[kind + 1] = segment->kind_first[kind];
        }
    }
    if (labelled) {
        memcpy(segment->labels, builder->labels.data, builder->labels.size);
    }
    segment->bytes += at + builder->labels.size +
                      n * (sizeof *segment->id_at + sizeof *segment->points +
                           sizeof *segment->gone + (labelled ? sizeof *segment->label_at : 0));
    return HT_OK;
}

/* Terms in order, each with its items. */
static enum ht_status terms_make(struct ht__segment *segment, const struct ht__builder *builder,
                                 const struct place *places, uint64_t *marks)
{
    uint32_t *rank = ht_array_new(builder->terms.count, sizeof *rank);
    uint32_t *keys = ht_array_new(builder->term_count, sizeof *keys);
    uint32_t *values = ht_array_new(builder->term_count, sizeof *values);
    enum ht_status status = rank == NULL || keys == NULL || values == NULL
                                ? HT_NOMEM
                                : ht__dict_make(&segment->terms, &builder->terms, rank);
    size_t count = 0;
    for (uint32_t i = 0; status == HT_OK && i < segment->count; i++) {
        uint32_t from = places[i].number;
        for (size_t t = builder->item_first[from]; t < builder->item_first[from + 1]; t++) {
            keys[count] = rank[builder->item_term[t]];
            values[count++] = i;
        }
    }
    if (status == HT_OK) {
        status = ht__dict_lists(&segment->terms, keys, values, count);
    }
    for (uint32_t i = 0; status == HT_OK && i < builder->terms.count; i++) {
        marks[rank[i]] = builder->terms.marks[i];
    }
    free(rank);
    free(keys);
    free(values);
    return status == HT_OK ? ht__dict_inner(&segment->terms, marks) : status;
}

/* Sets of the terms that many items have: to add one takes a word for 64 items. */
static enum ht_status dense_make(struct ht__segment *segment)
{
    const struct ht__dict *terms = &segment->terms;
    size_t words = ((size_t)segment->count + 63) / 64;
    for (int round = 0; round < 2; round++) {
        uint32_t count = 0;
        for (uint32_t t = 0; t < terms->count; t++) {
            uint32_t size = terms->first[t + 1] - terms->first[t];
            if (size < HT__DENSE_LEAST || size < segment->count / HT__DENSE) {
                continue;
            }
            for (uint32_t i = terms->first[t]; round == 1 && i < terms->first[t + 1]; i++) {
                segment->dense_bits[count * words + terms->list[i] / 64] |=
                    UINT64_C(1) << (terms->list[i] % 64);
            }
            if (round == 1) {
                segment->dense[count] = t;
            }
            count++;
        }
        if (round == 0) {
            segment->dense = ht_array_new(count, sizeof *segment->dense);
            segment->dense_bits = ht_array_new_zeroed(count * words, sizeof *segment->dense_bits);
        }
        if (segment->dense == NULL || segment->dense_bits == NULL) {
            return HT_NOMEM;
        }
        segment->dense_count = count;
    }
    segment->bytes += segment->dense_count * words * sizeof *segment->dense_bits;
    return HT_OK;
}

/* Forms and the terms they stand for. */
struct spelling {
    struct ht__intern intern;
    uint32_t *keys;
    size_t key_capacity;
    uint32_t *values;
    size_t value_capacity;
    size_t count;
    uint32_t term;
};

static enum ht_status form_take(void *user, const char *bytes, size_t size, uint64_t marks)
{
    struct spelling *s = user;
    uint32_t form = 0;
    enum ht_status status = ht__intern(&s->intern, bytes, size, marks, &form);
    ROOM(status, s->keys, s->key_capacity, s->count + 1);
    ROOM(status, s->values, s->value_capacity, s->count + 1);
    if (status == HT_OK) {
        s->keys[s->count] = form;
        s->values[s->count++] = s->term;
    }
    return status;
}

static enum ht_status forms_spell(struct spelling *s, const struct ht__dict *terms,
                                  struct ht__keys_room *room)
{
    enum ht_status status = HT_OK;
    for (uint32_t t = 0; status == HT_OK && t < terms->count; t++) {
        const char *term = ht__dict_string(terms, t);
        s->term = t;
        if (term[0] == HT__TERM_TEXT) {
            size_t size = terms->at[t + 1] - terms->at[t] - 2;
            status = ht__gazetteer_forms(room, term + 1, size, form_take, s);
        }
    }
    return status;
}

static enum ht_status forms_make(struct ht__segment *segment, struct ht__keys_room *room)
{
    struct spelling s = {0};
    uint32_t *rank = NULL;
    uint64_t *marks = NULL;
    enum ht_status status = forms_spell(&s, &segment->terms, room);
    if (status == HT_OK) {
        rank = ht_array_new(s.intern.count, sizeof *rank);
        marks = ht_array_new(s.intern.count, sizeof *marks);
        status = rank == NULL || marks == NULL ? HT_NOMEM
                                               : ht__dict_make(&segment->forms, &s.intern, rank);
    }
    for (size_t i = 0; status == HT_OK && i < s.count; i++) {
        s.keys[i] = rank[s.keys[i]];
    }
    for (uint32_t i = 0; status == HT_OK && i < s.intern.count; i++) {
        marks[rank[i]] = s.intern.marks[i];
    }
    if (status == HT_OK) {
        status = ht__dict_lists(&segment->forms, s.keys, s.values, s.count);
    }
    if (status == HT_OK) {
        status = ht__dict_inner(&segment->forms, marks);
    }
    ht__intern_deinit(&s.intern);
    free(s.keys);
    free(s.values);
    free(rank);
    free(marks);
    return status;
}

enum ht_status ht__builder_finish(struct ht__builder *builder, struct ht__segment **out)
{
    struct ht__segment *segment = calloc(1, sizeof *segment);
    uint64_t *marks = ht_array_new_zeroed(builder->terms.count, sizeof *marks);
    struct place *places = NULL;
    enum ht_status status = segment == NULL || marks == NULL ? HT_NOMEM : HT_OK;
    if (segment != NULL) {
        atomic_init(&segment->references, 1);
    }
    if (status == HT_OK) {
        atomic_init(&segment->gone_count, 0);
        segment->personal = builder->personal;
        places = places_make(builder, &segment->count);
        status = places == NULL ? HT_NOMEM : heads_make(segment, builder, places);
    }
    if (status == HT_OK) {
        status = terms_make(segment, builder, places, marks);
    }
    if (status == HT_OK) {
        status = dense_make(segment);
    }
    if (status == HT_OK) {
        status = forms_make(segment, &builder->room);
    }
    free(places);
    free(marks);
    if (status != HT_OK) {
        ht__segment_release(segment);
        return status;
    }
    segment->bytes +=
        sizeof *segment + ht__dict_bytes(&segment->terms) + ht__dict_bytes(&segment->forms);
    *out = segment;
    return HT_OK;
}
