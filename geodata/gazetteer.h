/* Gazetteer: finds things of the town by id, name, address and pinyin, as somebody types.
 *
 * An inverted index in memory. What can be asked for are terms: whole names, and the parts of
 * addresses (geodata/address.h: names like a compound's or a road's, and numbers with what they
 * number). A million households have few different ones, so that the dictionary is small beside the
 * lists of who has each term, and can be searched in any way: it is sorted (whole, prefix), with a
 * suffix array over it (Manber, Myers 1993) for what begins within a term, and with a second
 * dictionary of pinyin, initials and whole syllables, that leads to terms. "Searching large
 * lexicons for partially specified terms" (Zobel, Moffat, Sacks-Davis, VLDB 1993) is the idea.
 *
 *   query -> words -> terms (by text, by pinyin) -> sets of items -> their section -> the best k
 *
 * Matching. Texts are folded first (geodata/fold.h). Words with spaces between must all match. One
 * matches an item by
 *   0 its id, whole
 *   1 a term, whole: a name, a part of the address, a number ("3幢", "501")
 *   2 the pinyin of a term, whole: initials or syllables
 *   3 the beginning of an id, of a term or of its pinyin (numbers and ids: only the last word,
 * which is still being typed) 4 what a term or its pinyin has farther on: from any Chinese
 * character, any Latin word, any syllable or, like an address, when all parts of it do
 * ("兴海路12号3幢2单元501室", "海韵3-2-501"); the worst of the parts counts. The worst word's
 * number is the hit's rank; hits are ordered by rank, then by distance where a place was given
 * (those without one last), then by collection and id. Bare numbers ("3-2-501") are building, unit
 * and room, or house and room, or whatever fits.
 *
 * Personal items (households) lie in segments of their own, which are looked at by id alone unless
 * the caller may see persons: nothing of them decides otherwise, and nothing takes time.
 *
 * Changes. Segments never change. A batch of changes becomes a small segment, published with the
 * others as one snapshot; small ones are merged at once, larger ones by ht_gazetteer_tidy, each
 * item some log(n) times (Lester, Moffat, Zobel 2005). What is replaced or removed gets the number
 * of the first snapshot that lacks it, so that every reader sees one state. Its texts stay in
 * memory until its segment is merged.
 *
 * Threading: ht_gazetteer_find from any number of threads, each with its own work; a lock is held
 * for a few nanoseconds to take a snapshot. ht_gazetteer_apply and ht_gazetteer_tidy from any
 * thread; appliers take turns, one tidies at a time and keeps nobody waiting while it merges.
 * Ownership: everything given is copied. Errors: HT_NOMEM; whatever fails changes nothing.
 */
#ifndef HT_GEODATA_GAZETTEER_H
#define HT_GEODATA_GAZETTEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/base/geo.h"
#include "engine/base/status.h"

struct ht_gazetteer;
struct ht_gazetteer_batch; /* of one thread */
struct ht_gazetteer_work;  /* of one thread */

/* Collections, in the order in which equal hits come. */
enum ht_gazetteer_kind {
    HT_GAZETTEER_FACILITIES,
    HT_GAZETTEER_FACTORIES,
    HT_GAZETTEER_STREETS,
    HT_GAZETTEER_HOUSEHOLDS, /* personal */
    HT_GAZETTEER_KINDS
};

/* "facilities", ...; false: there is none. */
bool ht_gazetteer_kind_find(const char *name, enum ht_gazetteer_kind *out);
const char *ht_gazetteer_kind_name(enum ht_gazetteer_kind kind);

struct ht_gazetteer_text {
    const char *text; /* UTF-8 */
    size_t size;
    bool address;
};

enum { HT_GAZETTEER_ID_MAX = 64 };

struct ht_gazetteer_item {
    enum ht_gazetteer_kind kind;
    const char *id; /* longer ones are cut */
    bool placed;
    struct ht_point point;
    const struct ht_gazetteer_text *texts;
    size_t text_count;
    const char *label; /* comes back with a hit; NULL: none */
};

HT_MUST_CHECK enum ht_status ht_gazetteer_new(struct ht_gazetteer **out);
void ht_gazetteer_free(struct ht_gazetteer *search);

/* ---- changes ---- */

HT_MUST_CHECK enum ht_status ht_gazetteer_batch_new(struct ht_gazetteer_batch **out);
void ht_gazetteer_batch_free(struct ht_gazetteer_batch *batch);
/* Puts an item, in the place of what the index or the batch has of this kind and id. Some five
 * microseconds. */
HT_MUST_CHECK enum ht_status ht_gazetteer_batch_put(struct ht_gazetteer_batch *batch,
                                                    const struct ht_gazetteer_item *item);
HT_MUST_CHECK enum ht_status ht_gazetteer_batch_remove(struct ht_gazetteer_batch *batch,
                                                       enum ht_gazetteer_kind kind, const char *id);
/* Takes all out that the index has of a kind, before what the batch puts. */
void ht_gazetteer_batch_clear(struct ht_gazetteer_batch *batch, enum ht_gazetteer_kind kind);

/* Makes the changes seen, all at once, and frees the batch, also when it fails. Seconds for a
 * million items, tens of microseconds for one, some milliseconds now and then. */
HT_MUST_CHECK enum ht_status ht_gazetteer_apply(struct ht_gazetteer *search,
                                                struct ht_gazetteer_batch *batch);

/* Merges what has become too many or too dead; to be called now and then by a thread that may take
 * seconds. */
HT_MUST_CHECK enum ht_status ht_gazetteer_tidy(struct ht_gazetteer *search);

/* ---- questions ---- */

struct ht_gazetteer_ask {
    const char *query; /* UTF-8 */
    size_t size;
    uint32_t limit; /* up to HT_GAZETTEER_LIMIT */
    uint32_t kinds; /* a bit for each that is wanted */
    bool personal;  /* the caller may see persons */
    bool near;      /* nearer ones first among those of one rank */
    struct ht_point point;
};

enum { HT_GAZETTEER_LIMIT = 50, HT_GAZETTEER_QUERY = 1024 /* bytes */ };

struct ht_gazetteer_hit {
    enum ht_gazetteer_kind kind;
    int rank; /* 0 to 4, as above */
    char id[HT_GAZETTEER_ID_MAX + 1];
    bool placed;
    struct ht_point point;
    const char *label; /* NULL: none */
};

HT_MUST_CHECK enum ht_status ht_gazetteer_work_new(struct ht_gazetteer_work **out);
void ht_gazetteer_work_free(struct ht_gazetteer_work *work);

/* The best hits; `*hits` lives until the next call with this work. HT_TOO_BIG: the query is longer
 * than HT_GAZETTEER_QUERY or has more than eight words; HT_EMPTY: it has none. */
HT_MUST_CHECK enum ht_status ht_gazetteer_find(struct ht_gazetteer *search,
                                               struct ht_gazetteer_work *work,
                                               const struct ht_gazetteer_ask *ask,
                                               const struct ht_gazetteer_hit **hits, size_t *count);

struct ht_gazetteer_stats {
    size_t items; /* that can be found */
    size_t segments;
    size_t terms; /* different ones, summed over the segments */
    size_t bytes;
};
void ht_gazetteer_stats_read(struct ht_gazetteer *search, struct ht_gazetteer_stats *out);

#endif
