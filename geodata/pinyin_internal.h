/* The tables that geodata/pinyin/make_table.c writes at build time. */
#ifndef HT_GEODATA_PINYIN_INTERNAL_H
#define HT_GEODATA_PINYIN_INTERNAL_H

extern const char ht__pinyin_main[0xa000 - 0x4e00]; /* 'a' to 'z', 0: no reading */
extern const char ht__pinyin_a[0x4dc0 - 0x3400];

#endif
