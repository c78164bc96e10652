/* Pinyin: the letters by which people search Chinese names, 候涛花园 -> "hthy".
 *
 * One letter a character, from a table made of ICU's readings; characters that names read in
 * several ways (长: chang, zhang) have the others too. ASCII letters and digits pass, in lower
 * case, full-width ones as well; everything else is left out.
 *
 * Threading: pure functions over constant tables. Ownership: none.
 */
#ifndef HT_GEODATA_PINYIN_H
#define HT_GEODATA_PINYIN_H

#include <stddef.h>
#include <stdint.h>

#include "engine/base/text.h"

/* The letters of one character, the usual one first, NUL-terminated; returns how many. */
enum { HT_PINYIN_LETTERS = 4 };
size_t ht_pinyin_letters(uint32_t code, char letters[HT_PINYIN_LETTERS]);

/* Appends the usual letters of a UTF-8 text. Some 20 ns a character. */
void ht_pinyin_initials(const char *text, size_t size, struct ht_text *out);

/* Appends every reading of the text, the usual one first, with spaces between, at most `most` of
 * them (1 to 16): a text of n characters with two readings has 2^n. Later characters' other
 * readings come first. Texts beyond 64 letters have only the usual one. */
void ht_pinyin_variants(const char *text, size_t size, size_t most, struct ht_text *out);

/* The whole syllables of one character without tones, the usual one first, lower case, ü as v and
 * again as u; returns how many. */
enum { HT_PINYIN_READINGS = 4, HT_PINYIN_SYLLABLE = 8 };
size_t ht_pinyin_readings(uint32_t code, char readings[HT_PINYIN_READINGS][HT_PINYIN_SYLLABLE]);

#endif
