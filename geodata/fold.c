#include "geodata/fold.h"

#include "geodata/fold_internal.h"

static const struct ht__fold_row *row_of(uint32_t code)
{
    uint32_t low = 0;
    uint32_t high = ht__fold_row_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (ht__fold_rows[middle].code < code) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < ht__fold_row_count && ht__fold_rows[low].code == code;
    return found ? &ht__fold_rows[low] : NULL;
}

/* Adds what one character becomes; a space only once something follows it. */
static void add(struct ht_text *out, size_t begin, bool *space, const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)bytes[i] <= ' ' || bytes[i] == 0x7f) {
            *space = true;
            continue;
        }
        if (*space && out->size > begin) {
            ht_text_add_char(out, ' ');
        }
        *space = false;
        ht_text_add_char(out, bytes[i]);
    }
}

void ht_fold(const char *text, size_t size, struct ht_text *out)
{
    size_t begin = out->size;
    bool space = false;
    for (size_t at = 0; at < size;) {
        uint32_t code = 0;
        size_t length = ht_utf8_read(text + at, size - at, &code);
        const char *bytes = text + at;
        at += length == 0 ? 1 : length;
        if (length == 1) {
            char c = code >= 'A' && code <= 'Z' ? (char)(code + 'a' - 'A') : (char)code;
            add(out, begin, &space, &c, 1);
        } else if (length > 1) {
            const struct ht__fold_row *row = row_of(code);
            bytes = row == NULL ? bytes : (const char *)ht__fold_bytes + row->at;
            add(out, begin, &space, bytes, row == NULL ? length : row->size);
        }
    }
}
