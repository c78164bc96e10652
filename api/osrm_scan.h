/* Scan: reading numbers and words of OSRM's URL grammar, character by character.
 *
 * Each function advances over what it read and returns true, or leaves the position alone and
 * returns false: so the position of a failed scan is the one that OSRM's error names.
 *
 * Threading: one thread at a time. Ownership: the text is borrowed.
 */
#ifndef HT_API_OSRM_SCAN_H
#define HT_API_OSRM_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_scan {
    const char *text;
    size_t size;
    size_t pos;
};

struct ht_scan_word {
    const char *text;
    int value;
};

bool ht_scan_char(struct ht_scan *scan, char c);
bool ht_scan_text(struct ht_scan *scan, const char *text);

/* The longest of the words (the last has text NULL) that begins here. */
bool ht_scan_word(struct ht_scan *scan, const struct ht_scan_word *words, int *value);
bool ht_scan_bool(struct ht_scan *scan, bool *value);

/* Decimal digits up to `most`; a greater number is no number. */
bool ht_scan_uint(struct ht_scan *scan, uint64_t most, uint64_t *value);
/* With a sign, within int16_t. */
bool ht_scan_short(struct ht_scan *scan, int16_t *value);

/* A decimal fraction: sign, digits, a point at either end of them; no exponent. The point of a
 * following ".json" at the end of the text is left alone. Numbers beyond double become infinite. */
bool ht_scan_fraction(struct ht_scan *scan, double *value);
/* The same with an exponent, or "inf"; without the care for ".json". */
bool ht_scan_double(struct ht_scan *scan, double *value);

#endif
