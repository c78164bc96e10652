/* The table that geodata/fold/make_table.c writes at build time. */
#ifndef HT_GEODATA_FOLD_INTERNAL_H
#define HT_GEODATA_FOLD_INTERNAL_H

#include <stdint.h>

/* A character and what it becomes: `size` bytes of ht__fold_bytes. */
struct ht__fold_row {
    uint32_t code;
    uint16_t at;
    uint8_t size;
};

extern const struct ht__fold_row ht__fold_rows[]; /* by code */
extern const uint32_t ht__fold_row_count;
extern const unsigned char ht__fold_bytes[];

#endif
