/* Writes pinyin_table.c: the first letter of each Han character's reading as ICU's transliterator
 * "Han-Latin" gives it (CLDR's data, made of Unihan's kMandarin). Runs at build time, so that the
 * program needs neither ICU nor its 30 MB of data. */
#include <stdbool.h>
#include <stdio.h>
#include <unicode/utrans.h>

static char initial_of(UTransliterator *transliterator, UChar32 code)
{
    UChar text[64] = {(UChar)code};
    int32_t length = 1;
    int32_t limit = 1;
    UErrorCode status = U_ZERO_ERROR;
    utrans_transUChars(transliterator, text, &length, 64, 0, &limit, &status);
    if (U_FAILURE(status) || length < 1 || text[0] < 'a' || text[0] > 'z') {
        return 0;
    }
    return (char)text[0];
}

/* False: ICU knows so few readings that something is wrong with its data. */
static bool write_range(FILE *file, UTransliterator *transliterator, const char *name,
                        UChar32 first, UChar32 last)
{
    size_t known = 0;
    (void)fprintf(file, "const char ht__pinyin_%s[%d] = {", name, (int)(last - first + 1));
    for (UChar32 code = first; code <= last; code++) {
        char initial = initial_of(transliterator, code);
        known += initial != 0;
        (void)fprintf(file, "%s%d,", (code - first) % 20 == 0 ? "\n    " : "", initial);
    }
    (void)fprintf(file, "\n};\n");
    if (known < (size_t)(last - first) / 2) {
        (void)fprintf(stderr, "make_table: ICU knows only %zu readings of %s\n", known, name);
    }
    return known >= (size_t)(last - first) / 2;
}

int main(int argc, char **argv)
{
    static const UChar id[] = u"Han-Latin; Latin-ASCII; Lower";
    UErrorCode status = U_ZERO_ERROR;
    UTransliterator *transliterator = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, NULL, &status);
    FILE *file = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (U_FAILURE(status) || file == NULL) {
        (void)fprintf(stderr, "make_table: %s\n",
                      file == NULL ? "needs a file to write" : u_errorName(status));
        return 1;
    }
    (void)fprintf(file, "/* Made by geodata/pinyin/make_table.c. */\n"
                        "#include \"geodata/pinyin_internal.h\"\n\n");
    bool good = write_range(file, transliterator, "main", 0x4e00, 0x9fff);
    good = write_range(file, transliterator, "a", 0x3400, 0x4dbf) && good;
    utrans_close(transliterator);
    return fclose(file) == 0 && good ? 0 : 1;
}
