/* Writes fold_table.c: what each character becomes when texts are compared (geodata/fold.h), after
 * ICU: NFKC_Casefold (UAX 15, 44), without marks, traditional characters as simplified ones. Runs
 * at build time, so that the program needs no ICU. */
#include <stdbool.h>
#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/ustring.h>
#include <unicode/utrans.h>

enum { LIMIT = 0x30000, ROOM = 128, BLOB = 1 << 16 };

struct tools {
    const UNormalizer2 *casefold;
    const UNormalizer2 *decompose;
    UTransliterator *simplify;
};

static bool is_dash(UChar32 c)
{
    return (c >= 0x2010 && c <= 0x2015) || c == 0x2212;
}

static bool is_hangul(UChar32 c)
{
    return (c >= 0x1100 && c <= 0x11ff) || (c >= 0x3130 && c <= 0x318f) ||
           (c >= 0xa960 && c <= 0xa97f) || (c >= 0xac00 && c <= 0xd7ff);
}

/* One round over a text in place; returns its new length, -1 when ICU fails. */
static int32_t round_of(const struct tools *tools, UChar *text, int32_t length)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar folded[ROOM];
    UChar apart[ROOM];
    int32_t n = unorm2_normalize(tools->casefold, text, length, folded, ROOM, &status);
    n = unorm2_normalize(tools->decompose, folded, n, apart, ROOM, &status);
    int32_t kept = 0;
    for (int32_t i = 0; U_SUCCESS(status) && i < n;) {
        UChar32 c = 0;
        U16_NEXT(apart, i, n, c);
        if (u_charType(c) == U_NON_SPACING_MARK) {
            continue;
        }
        c = is_dash(c) ? '-' : u_isUWhiteSpace(c) || u_iscntrl(c) ? ' ' : c;
        U16_APPEND_UNSAFE(text, kept, c);
    }
    int32_t limit = kept;
    utrans_transUChars(tools->simplify, text, &kept, ROOM, 0, &limit, &status);
    return U_FAILURE(status) ? -1 : kept;
}

/* Until nothing changes any more. */
static int32_t fold(const struct tools *tools, UChar32 code, UChar *text)
{
    int32_t length = 0;
    U16_APPEND_UNSAFE(text, length, code);
    for (int round = 0; round < 8; round++) {
        UChar before[ROOM];
        int32_t size = length;
        u_memcpy(before, text, size);
        length = round_of(tools, text, length);
        if (length < 0 || (length == size && u_memcmp(before, text, size) == 0)) {
            break;
        }
    }
    return length;
}

static bool write_all(FILE *file, const struct tools *tools)
{
    static char blob[BLOB];
    size_t used = 0;
    size_t count = 0;
    (void)fprintf(file, "/* Made by geodata/fold/make_table.c. */\n"
                        "#include \"geodata/fold_internal.h\"\n\n"
                        "const struct ht__fold_row ht__fold_rows[] = {\n");
    for (UChar32 code = 0x80; code < LIMIT; code++) {
        UChar text[ROOM];
        char bytes[ROOM * 3];
        int32_t size = 0;
        UErrorCode status = U_ZERO_ERROR;
        if (U_IS_SURROGATE(code) || is_hangul(code) || !u_isdefined(code)) {
            continue;
        }
        int32_t length = fold(tools, code, text);
        UChar32 first = 0;
        if (length > 0) {
            U16_GET(text, 0, 0, length, first);
        }
        if (length >= 0 && first == code && length == U16_LENGTH(code)) {
            continue; /* stays as it is */
        }
        u_strToUTF8(bytes, sizeof bytes, &size, text, length < 0 ? 0 : length, &status);
        if (length < 0 || U_FAILURE(status) || size > UINT8_MAX || used + (size_t)size > BLOB) {
            return false;
        }
        (void)fprintf(file, "{%ld,%zu,%d},%s", (long)code, used, (int)size,
                      ++count % 8 == 0 ? "\n" : "");
        for (int32_t i = 0; i < size; i++) {
            blob[used++] = bytes[i];
        }
    }
    (void)fprintf(file, "};\nconst uint32_t ht__fold_row_count = %zu;\n", count);
    (void)fprintf(file, "const unsigned char ht__fold_bytes[] = {");
    for (size_t i = 0; i < used; i++) {
        (void)fprintf(file, "%s%d,", i % 20 == 0 ? "\n    " : "", (unsigned char)blob[i]);
    }
    (void)fprintf(file, "\n};\n");
    return count > 1000;
}

int main(int argc, char **argv)
{
    static const UChar id[] = u"Traditional-Simplified";
    UErrorCode status = U_ZERO_ERROR;
    struct tools tools = {unorm2_getNFKCCasefoldInstance(&status), unorm2_getNFKDInstance(&status),
                          utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status)};
    FILE *file = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (U_FAILURE(status) || file == NULL) {
        (void)fprintf(stderr, "make_table: %s\n",
                      file == NULL ? "needs a file to write" : u_errorName(status));
        return 1;
    }
    bool good = write_all(file, &tools);
    utrans_close(tools.simplify);
    return fclose(file) == 0 && good ? 0 : 1;
}
