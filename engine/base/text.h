/* Text: a growable string of bytes, and the two small readers that every parser of text needs.
 *
 * A failed allocation is remembered, not returned: whoever writes many pieces looks at `failed`
 * once, at the end. What was written before stays, what comes after is dropped.
 *
 * Threading: plain values. Ownership: ht_text_deinit frees `data`; a zeroed struct is an empty
 * text.
 */
#ifndef HT_ENGINE_BASE_TEXT_H
#define HT_ENGINE_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ht_text {
    char *data; /* NUL-terminated once anything was added; the NUL is not counted. NULL before */
    size_t size;
    size_t capacity;
    bool failed;
};

void ht_text_init(struct ht_text *text);
void ht_text_deinit(struct ht_text *text);

/* Empties it, keeps the memory, forgets a failure. */
void ht_text_clear(struct ht_text *text);

/* Cuts it to `size` bytes, which must not be more than there are. */
void ht_text_cut(struct ht_text *text, size_t size);

/* Makes room for `size` more bytes and gives the place; NULL when that failed. What is written
 * there counts after ht_text_grow. */
char *ht_text_reserve(struct ht_text *text, size_t size);
void ht_text_grow(struct ht_text *text, size_t size);

void ht_text_add(struct ht_text *text, const char *bytes, size_t size);
void ht_text_add_char(struct ht_text *text, char c);
void ht_text_add_string(struct ht_text *text, const char *string);
void ht_text_addf(struct ht_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `scaled` / 10^decimals without zeros at the end: (1217000000, 7) is "121.7". decimals: 0 to 9. */
void ht_text_add_fixed(struct ht_text *text, int64_t scaled, int decimals);

/* A JSON string with its quotes; `bytes` must be UTF-8. Only what JSON forbids is escaped. */
void ht_text_add_json(struct ht_text *text, const char *bytes, size_t size);

/* The escape of a control character, quote or backslash; returns its length. */
size_t ht_json_escape(char at[6], unsigned char c);

/* The text, never NULL. */
const char *ht_text_string(const struct ht_text *text);

/* The number at the beginning of `text`, as JSON writes it, also with a plus, zeros in front or no
 * digit on one side of the point: "+01.5e3". Never looks at the locale. Returns the bytes that it
 * takes, 0 for none or more than 400 of them. `*out` is the nearest double, infinite where that is
 * so. */
size_t ht_number_read(const char *text, size_t size, double *out);

/* The code point that begins at `text` and its length in bytes; 0 when it is no UTF-8 (RFC 3629: no
 * overlong forms, no surrogates, nothing above U+10FFFF) or size is 0. `code` may be NULL. */
size_t ht_utf8_read(const char *text, size_t size, uint32_t *code);

/* Writes a code point that is one of Unicode's: 1 to 4 bytes. */
size_t ht_utf8_write(uint32_t code, char out[4]);

/* The bytes of `text` up to the first that is no UTF-8; `size` when all of it is. Plain ASCII goes
 * by eight. */
size_t ht_utf8_valid(const char *text, size_t size);

/* Takes out of a text what is no UTF-8: what a "%.60s" or a full buffer left of a character whose
 * rest it cut off. Returns the length. */
size_t ht_utf8_mend(char *text);

#endif
