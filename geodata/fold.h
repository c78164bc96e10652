/* Fold: texts in the form in which they are compared by /v1/search.
 *
 * NFKC_Casefold of Unicode (full-width forms, ligatures, circled digits, lower case), then without
 * marks (é: e), traditional Chinese characters as simplified ones, every dash as "-", and any run
 * of spaces and control characters as one space, none at the ends. Folding again changes nothing.
 * Hangul stays as it is.
 *
 * Threading: a pure function over a constant table. Ownership: none.
 */
#ifndef HT_GEODATA_FOLD_H
#define HT_GEODATA_FOLD_H

#include <stddef.h>

#include "engine/base/text.h"

/* Appends the folded text; what is no UTF-8 is left out. Some 10 ns a character. */
void ht_fold(const char *text, size_t size, struct ht_text *out);

#endif
