/* The inside of geodata/gazetteer.h: for its own files and their tests. */
#ifndef HT_GEODATA_GAZETTEER_INTERNAL_H
#define HT_GEODATA_GAZETTEER_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "engine/base/text.h"
#include "geodata/gazetteer.h"

/* ---- terms (gazetteer_keys.c) ---- */

/* A term as bytes: HT__TERM_TEXT and a folded text, or HT__TERM_NUMBER, a letter of
 * HT__NUMBER_KINDS and the number's text. */
enum { HT__TERM_TEXT = 1, HT__TERM_NUMBER = 2, HT__TERM_MAX = 120, HT__FORM_MAX = 64 };
#define HT__NUMBER_KINDS "bfhlru" /* building floor house lane room unit */
enum ht__number_bit {
    HT__BUILDING = 1,
    HT__FLOOR = 2,
    HT__HOUSE = 4,
    HT__LANE = 8,
    HT__ROOM = 16,
    HT__UNIT = 32,
    HT__ANY_NUMBER = 63
};

/* Takes bytes; `marks`: a bit for each byte from which it may be read as well. */
typedef enum ht_status ht__bytes_sink(void *user, const char *bytes, size_t size, uint64_t marks);

/* Room that is used again for one text after the other. */
struct ht__keys_room {
    struct ht_text folded;
    struct ht_text piece;
    struct ht_text readings;
};
void ht__keys_room_deinit(struct ht__keys_room *room);

/* Gives the terms of a text; one may come twice. */
enum ht_status ht__gazetteer_terms(struct ht__keys_room *room, const struct ht_gazetteer_text *text,
                                   ht__bytes_sink *sink, void *user);
/* Gives what a folded text is called in pinyin, with marks; nothing for texts without Chinese. */
enum ht_status ht__gazetteer_forms(struct ht__keys_room *room, const char *text, size_t size,
                                   ht__bytes_sink *sink, void *user);
/* Whether a reading may begin at a byte of a folded text, other than its first. */
bool ht__gazetteer_begins(const char *text, size_t size, size_t at);
/* The folded text without spaces but those between ASCII letters and digits, cut to what a term
 * holds; appended. */
void ht__gazetteer_tighten(const char *text, size_t size, struct ht_text *out);

/* ---- queries (gazetteer_query.c) ---- */

enum { HT__WORDS = 8, HT__PARTS = 18, HT__ATOMS = HT__WORDS * (HT__PARTS + 2) + 1 };

/* What is looked up at once. */
struct ht__atom {
    char text[HT__TERM_MAX + 1];
    uint8_t size;
    uint8_t number_size; /* 0: it is no number */
    char number[32];
    uint8_t number_kinds; /* enum ht__number_bit */
    bool ids;             /* also ids */
    bool texts;           /* also names; else numbers alone */
    bool pinyin;          /* also by pinyin */
    bool open;            /* the end is still being typed: also the beginnings of ids and numbers */
};

struct ht__word {
    uint32_t whole; /* an atom */
    uint32_t part;  /* the first of its parts; all of them do as well */
    uint32_t part_count;
    uint32_t run; /* an atom that does for the parts from run_begin to run_end; HT_NONE: none */
    uint32_t run_begin;
    uint32_t run_end;
};

struct ht__query {
    struct ht__atom atoms[HT__ATOMS];
    uint32_t atom_count;
    struct ht__word words[HT__WORDS];
    uint32_t word_count;
    uint32_t whole; /* an atom of all words, HT_NONE where there is but one */
    struct ht_text folded;
    struct ht_text piece;
};

enum ht_status ht__gazetteer_query(struct ht__query *query, const char *text, size_t size);
void ht__gazetteer_query_deinit(struct ht__query *query);

/* ---- dictionaries (gazetteer_dict.c) ---- */

/* Strings as they come, each once. */
struct ht__intern {
    char *text;
    size_t size;
    size_t capacity;
    uint32_t *at; /* [count + 1] */
    size_t at_capacity;
    uint64_t *marks;
    size_t marks_capacity;
    uint32_t *slots;
    uint32_t slot_count;
    uint32_t count;
};
enum ht_status ht__intern(struct ht__intern *intern, const char *bytes, size_t size, uint64_t marks,
                          uint32_t *index);
void ht__intern_deinit(struct ht__intern *intern);

/* Strings in order, each with a list of numbers, and the places within them. */
struct ht__dict {
    char *text; /* each NUL-terminated */
    uint32_t *at;
    uint32_t count;
    uint32_t *first; /* [count + 1] into list */
    uint32_t *list;
    uint32_t *inner; /* [inner_count] strings, sorted by what they have from `skip` on */
    uint8_t *skip;
    uint32_t inner_count;
};
void ht__dict_deinit(struct ht__dict *dict);
size_t ht__dict_bytes(const struct ht__dict *dict);
static inline const char *ht__dict_string(const struct ht__dict *dict, uint32_t index)
{
    return dict->text + dict->at[index];
}
/* Strings, sorted, without lists; `rank[i]` (may be NULL): where the i-th went. */
enum ht_status ht__dict_make(struct ht__dict *dict, const struct ht__intern *intern,
                             uint32_t *rank);
/* Lists from pairs, in the order in which values come for each key; a value that comes twice in a
 * row is kept once. */
enum ht_status ht__dict_lists(struct ht__dict *dict, const uint32_t *keys, const uint32_t *values,
                              size_t count);
/* The places within: those that `marks` (by string) says. */
enum ht_status ht__dict_inner(struct ht__dict *dict, const uint64_t *marks);

struct ht__range {
    uint32_t begin;
    uint32_t end;
};
/* Strings that begin with these bytes; the one that equals them, if any, is the first. */
struct ht__range ht__dict_prefix(const struct ht__dict *dict, const char *bytes, size_t size);
/* Places within that do. */
struct ht__range ht__dict_within(const struct ht__dict *dict, const char *bytes, size_t size);

/* Something to sort by a string, then by the order of coming. */
struct ht__sort {
    uint64_t key;
    const char *string;
    uint32_t number;
};
void ht__sort_strings(struct ht__sort *items, size_t count);
uint64_t ht__sort_key(const char *string);

/* ---- segments (gazetteer_segment.c) ---- */

enum { HT__DENSE = 16, HT__DENSE_LEAST = 256 };

#define HT__ALIVE UINT64_MAX
#define HT__NOWHERE INT32_MAX /* latitude of what has no place */

struct ht__segment {
    atomic_size_t references;
    bool personal;
    bool busy; /* being merged; under the lock of the search */
    uint32_t count;
    uint32_t kind_first[HT_GAZETTEER_KINDS + 1]; /* items in order of kind and id */
    struct ht__dict terms;                       /* lists of items */
    struct ht__dict forms;                       /* lists of terms */
    uint32_t *dense; /* terms that a sixteenth of all items has, ascending */
    uint32_t dense_count;
    uint64_t *dense_bits; /* the set of each, (count + 63) / 64 words */
    char *ids;            /* each NUL-terminated */
    uint32_t *id_at;
    struct ht_point *points;
    char *labels; /* NULL: none has one */
    uint32_t *label_at;
    _Atomic(uint64_t) *gone; /* of each item: the first snapshot that lacks it */
    _Atomic(uint32_t) gone_count;
    size_t bytes;
};
void ht__segment_release(struct ht__segment *segment);

struct ht__builder {
    bool personal;
    struct ht__intern terms;
    struct ht__keys_room room;
    uint32_t *item_term; /* terms of all items, one after the other */
    size_t term_count;
    size_t term_capacity;
    size_t *item_first; /* [count + 1] */
    size_t first_capacity;
    char *ids;
    size_t ids_size;
    size_t ids_capacity;
    size_t *id_at;
    size_t id_capacity;
    uint8_t *kinds;
    size_t kind_capacity;
    struct ht_point *points;
    size_t point_capacity;
    struct ht_text labels;
    size_t *label_at; /* SIZE_MAX: none */
    size_t label_capacity;
    uint32_t count;
};
void ht__builder_deinit(struct ht__builder *builder);
enum ht_status ht__builder_put(struct ht__builder *builder, const struct ht_gazetteer_item *item);
/* Says that there is no such item any more; until it is put again. */
enum { HT__REMOVED = 0x80 }; /* in `kinds` */
enum ht_status ht__builder_remove(struct ht__builder *builder, enum ht_gazetteer_kind kind,
                                  const char *id);
/* Everything of a segment that snapshot `version` has. */
enum ht_status ht__builder_add(struct ht__builder *builder, const struct ht__segment *segment,
                               uint64_t version);
/* Of items of one kind and id the last counts. */
enum ht_status ht__builder_finish(struct ht__builder *builder, struct ht__segment **out);

static inline const char *ht__segment_id(const struct ht__segment *segment, uint32_t item)
{
    return segment->ids + segment->id_at[item];
}
enum ht_gazetteer_kind ht__segment_kind(const struct ht__segment *segment, uint32_t item);
/* The item of a kind and id; HT_NONE: none (it may be gone). */
uint32_t ht__segment_find(const struct ht__segment *segment, enum ht_gazetteer_kind kind,
                          const char *id);
/* Items of a kind whose id, without regard to case, begins with (or, `whole`, is) the text. */
struct ht__range ht__segment_ids(const struct ht__segment *segment, enum ht_gazetteer_kind kind,
                                 const char *text, size_t size, bool whole);
/* Order of ids: without regard to case, then with it. */
int ht__id_compare(const char *a, const char *b);

/* ---- snapshots (gazetteer.c) ---- */

struct ht__snapshot {
    atomic_size_t references;
    uint64_t version;
    uint32_t count;
    struct ht__segment *segments[];
};
struct ht__snapshot *ht__gazetteer_acquire(struct ht_gazetteer *search);
void ht__gazetteer_release(struct ht__snapshot *snapshot);

/* ---- matching (gazetteer_match.c) ---- */

enum { HT__RANKS = 5 };

/* Adds to the set `bits` the items of a segment that match an atom with just this rank; those of
 * better ones are in it. */
void ht__gazetteer_match(const struct ht__segment *segment, const struct ht__atom *atom, int rank,
                         bool personal, uint64_t *bits);

#endif
