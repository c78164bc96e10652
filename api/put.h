/* Put: small pieces of text laid one behind the other into room that was reserved before; each call
 * gives back where the next piece goes.
 *
 * This is how the bulk of an answer is written: one reservation for many pieces, literals whose
 * size the compiler knows, numbers formed where they stay.
 * Threading: pure functions. Ownership: none. They can't fail; the caller knows what each piece
 * needs at most.
 */
#ifndef HT_API_PUT_H
#define HT_API_PUT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    HT_PUT_DECIMALS = 15, /* the most that a number may have */
    HT_PUT_NUMBER = 24,   /* bytes of the longest: sign, 19 digits, point, leading zero */
    HT_PUT_DOUBLE = 352,  /* of a double: 309 digits, sign, point, decimals */
    HT_PUT_DEGREES = 12,  /* of ht_put_micro: sign, four digits, point, six decimals */
    HT_PUT_SHORT = 5,     /* of ht_put_short */
    HT_PUT_OVERRUN = 8,   /* may be written past what a piece needs */
};

/* "00" to "99" in a row: two digits at a time halve the divisions. */
extern const char ht_put_pairs[201];

/* A literal, without its end. */
#define HT_PUT(at, literal) ht_put((at), (literal), sizeof(literal) - 1)

static inline char *ht_put(char *at, const char *text, size_t size)
{
    memcpy(at, text, size);
    return at + size;
}

/* Decimal digits. */
char *ht_put_uint(char *at, uint64_t value);

/* scaled / 10^decimals (0 to HT_PUT_DECIMALS), zeros at the end dropped, exact. */
char *ht_put_fixed(char *at, int64_t scaled, int decimals);

/* `value` with so many decimals, zeros at the end dropped; `null` where it is not finite. */
char *ht_put_double(char *at, double value, int decimals);

/* The same as ht_put_uint, made for bearings and counts. */
static inline char *ht_put_short(char *at, uint16_t value)
{
    if (value >= 1000) {
        return ht_put_uint(at, value);
    }
    if (value >= 100) {
        *at++ = (char)('0' + value / 100);
    } else if (value < 10) {
        *at++ = (char)('0' + value);
        return at;
    }
    return ht_put(at, ht_put_pairs + (size_t)(value % 100) * 2, 2);
}

static inline char *ht_put_bool(char *at, int value)
{
    /* without a branch: nobody can guess it */
    static const char texts[2][9] = {"false   ", "true    "};
    size_t size = value != 0 ? 4 : 5;
    memcpy(at, texts[value != 0], 8);
    return at + size;
}

/* The same as ht_put_fixed(at, tenths, 1). */
static inline char *ht_put_tenths(char *at, int64_t tenths)
{
    if (tenths < 0) {
        return ht_put_fixed(at, tenths, 1);
    }
    at = ht_put_uint(at, (uint64_t)tenths / 10);
    unsigned rest = (unsigned)((uint64_t)tenths % 10);
    at[0] = '.';
    at[1] = (char)('0' + rest);
    return at + (rest == 0 ? 0 : 2);
}

/* The same as ht_put_fixed(at, micro, 6): coordinates in degrees. */
char *ht_put_micro(char *at, int32_t micro);

#endif
