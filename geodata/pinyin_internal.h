/* The tables that geodata/pinyin/make_table.c writes at build time. */
#ifndef HT_GEODATA_PINYIN_INTERNAL_H
#define HT_GEODATA_PINYIN_INTERNAL_H

#include <stdint.h>

extern const char ht__pinyin_main[0xa000 - 0x4e00]; /* 'a' to 'z', 0: no reading */
extern const char ht__pinyin_a[0x4dc0 - 0x3400];

/* Whole syllables, "" at 0; of each character the usual one and, where it is another, the
 * surname's.
 */
extern const char ht__pinyin_syllables[1024][8];
extern const uint16_t ht__pinyin_syllable_main[0xa000 - 0x4e00][2];
extern const uint16_t ht__pinyin_syllable_a[0x4dc0 - 0x3400][2];

#endif
