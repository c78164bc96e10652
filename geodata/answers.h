/* Answers: who answers for a cell, on the four levels: the cell itself, its community (or village),
 * the sub-district, the district.
 *
 * In peace the cells' property `answers` says so, an object of ids (of duty posts, never names):
 *
 *   {"cell": "grid-07", "community": "duty-ash", "sub_district": "duty-zs", "district": "duty-zh"}
 *
 * What a cell leaves out its `parent` says, and so on upwards. A regime (api/regime_book.h) may say
 * otherwise for a while: what it says of the nearest cell on the way up goes before all of that.
 *
 * Threading: with the thread's own reader. Ownership: values.
 */
#ifndef HT_GEODATA_ANSWERS_H
#define HT_GEODATA_ANSWERS_H

#include "geodata/store.h"

enum ht_answer_level {
    HT_ANSWER_CELL,
    HT_ANSWER_COMMUNITY,
    HT_ANSWER_SUB_DISTRICT,
    HT_ANSWER_DISTRICT,
    HT_ANSWER_LEVELS
};

const char *ht_answer_level_name(enum ht_answer_level level);
/* HT_ANSWER_LEVELS: none has that name. */
enum ht_answer_level ht_answer_level_of(const char *name);

/* In place of a cell: every one, and places that lie in none. */
#define HT_ANSWERS_EVERYWHERE "*"

struct ht_answers {
    char cell[HT_ID_MAX + 1];                  /* "" none */
    char who[HT_ANSWER_LEVELS][HT_ID_MAX + 1]; /* "" nobody is named */
};

/* What is said for a while, of a cell or HT_ANSWERS_EVERYWHERE; NULL: nothing. */
struct ht_answers_over {
    const char *(*who)(const void *user, const char *cell, enum ht_answer_level level);
    const void *user;
};

enum { HT_ANSWERS_UP = 8 }; /* so many parents are asked */

/* Who answers for a household (NULL: for a place alone; one that is gone: likewise) or for a place
 * (NULL: unknown). `over` may be NULL. Errors of the store. */
HT_MUST_CHECK enum ht_status ht_answers_find(struct ht_store_reader *reader, const char *household,
                                             const struct ht_point *place,
                                             const struct ht_answers_over *over,
                                             struct ht_answers *out, struct ht_error *error);

#endif
