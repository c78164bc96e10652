/* Regime book: which regimes are on, and what that makes of zones, answers, duties and settings.
 *
 * A book is made of two documents of the store: what is prepared (api/regimes.h) and what is on
 * ("regimes.state", in the same table as the settings and changed with an event in the same
 * transaction):
 *
 *   {"outbreak": {"on": true, "since": "2026-02-01T08:00:00Z", "by": "wang", "why": "order-17"}}
 *
 * Everything is laid over what the registry and the settings say and changes neither: where a
 * regime ends, what they say by then holds again.
 *
 * Threading: immutable, counted references; a slot (struct ht_regime_slot) gives the one of
 * the moment to any thread, under a mutex held for that. Errors: HT_NOMEM.
 */
#ifndef HT_API_REGIME_BOOK_H
#define HT_API_REGIME_BOOK_H

#include "api/regimes.h"

#define HT_REGIME_STATE "regimes.state"

struct ht_regime_state {
    bool on;
    bool known; /* it was ever put on */
    int64_t since_ms;
    char by[HT_ID_MAX + 1];
    char why[HT_ID_MAX + 1]; /* "" not said */
};

struct ht_regime_book;

/* Takes the regimes over, also where it fails. `state` NULL: none was ever on; what it says of
 * others than these, or in another way, is passed over. */
HT_MUST_CHECK enum ht_status ht_regime_book_new(struct ht_regimes *regimes, yajl_val state,
                                                struct ht_regime_book **out);
/* From the texts of both documents (NULL: none). HT_INVALID: the first is none of ours. */
HT_MUST_CHECK enum ht_status ht_regime_book_read(const char *regimes, const char *state,
                                                 struct ht_regime_book **out);
struct ht_regime_book *ht_regime_book_retain(struct ht_regime_book *book);
void ht_regime_book_release(struct ht_regime_book *book);

const struct ht_regimes *ht_regime_book_regimes(const struct ht_regime_book *book);
const struct ht_regime_state *ht_regime_book_state(const struct ht_regime_book *book,
                                                   size_t regime);
/* One that is on by the state, but not among those prepared any more; "" none. */
const char *ht_regime_book_gone(const struct ht_regime_book *book);
/* Of the book before it is shared. */
void ht_regime_book_set(struct ht_regime_book *book, size_t regime,
                        const struct ht_regime_state *state);
void ht_regime_book_state_write(const struct ht_regime_book *book, struct ht_json *json);

/* A zone that some regime names, but none that is on. */
bool ht_regime_book_dormant(const struct ht_regime_book *book, const char *zone);
/* A zone that a regime names which is on. */
bool ht_regime_book_holds(const struct ht_regime_book *book, const char *zone);
/* Who answers for a cell, or HT_ANSWERS_EVERYWHERE, as the regimes that are on have it; NULL: they
 * don't say. */
const char *ht_regime_book_who(const struct ht_regime_book *book, const char *cell,
                               enum ht_answer_level level);
/* The same as geodata/answers.h asks for it; as long as the book is held. */
struct ht_answers_over ht_regime_book_answers(const struct ht_regime_book *book);
/* Whether any that is on has a duty for the unit; then its properties with it go into
 * `out`, which is empty. */
bool ht_regime_book_duty(const struct ht_regime_book *book, const char *unit,
                         const char *properties, struct ht_text *out);
/* Whether any that is on patches the setting; then `base` with it goes into `out`, which
 * is empty. */
bool ht_regime_book_setting(const struct ht_regime_book *book, enum ht_regime_setting setting,
                            const char *base, struct ht_text *out);

/* The book of the moment. */
struct ht_regime_slot;

HT_MUST_CHECK enum ht_status ht_regime_slot_new(struct ht_regime_slot **out);
void ht_regime_slot_free(struct ht_regime_slot *slot);
/* A reference for the caller. */
struct ht_regime_book *ht_regime_slot_book(struct ht_regime_slot *slot);
/* Takes the reference over. */
void ht_regime_slot_set(struct ht_regime_slot *slot, struct ht_regime_book *book);

#endif
