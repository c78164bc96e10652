/* Writes pinyin_table.c: the first letter of each Han character's reading as ICU's transliterator
 * "Han-Latin" gives it (CLDR's data, made of Unihan's kMandarin), and the whole syllable, without
 * its tone, beside the one that surnames have ("Han-Latin/Names"). Runs at build time, so that the
 * program needs neither ICU nor its 30 MB of data. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

enum { SYLLABLES = 1024, LETTERS = 8 };
static char syllables[SYLLABLES][LETTERS];
static int syllable_count = 1; /* 0: none */

/* The syllable of a character as its number; ü is v. 0: it has none. */
static int syllable_of(UTransliterator *transliterator, UChar32 code)
{
    UChar text[64] = {(UChar)code};
    int32_t length = 1;
    int32_t limit = 1;
    UErrorCode status = U_ZERO_ERROR;
    char letters[LETTERS] = "";
    size_t size = 0;
    utrans_transUChars(transliterator, text, &length, 64, 0, &limit, &status);
    for (int32_t i = 0; U_SUCCESS(status) && i < length && size < LETTERS - 1; i++) {
        if (text[i] >= 'a' && text[i] <= 'z') {
            letters[size++] = (char)text[i];
        } else if (text[i] == 0x308 && size > 0 && letters[size - 1] == 'u') {
            letters[size - 1] = 'v';
        } else if (text[i] < 0x300 || text[i] > 0x36f) {
            return 0; /* no Latin: it has no reading */
        }
    }
    for (int i = 0; i < syllable_count; i++) {
        if (strcmp(syllables[i], letters) == 0) {
            return i;
        }
    }
    if (syllable_count == SYLLABLES) {
        return 0;
    }
    memcpy(syllables[syllable_count], letters, LETTERS);
    return syllable_count++;
}

static void write_syllables(FILE *file, UTransliterator *const both[2], const char *name,
                            UChar32 first, UChar32 last)
{
    (void)fprintf(file, "const uint16_t ht__pinyin_syllable_%s[%d][2] = {", name,
                  (int)(last - first + 1));
    for (UChar32 code = first; code <= last; code++) {
        int usual = syllable_of(both[0], code);
        int surname = syllable_of(both[1], code);
        (void)fprintf(file, "%s{%d,%d},", (code - first) % 10 == 0 ? "\n    " : "", usual,
                      surname == usual ? 0 : surname);
    }
    (void)fprintf(file, "\n};\n");
}

/* False: ICU has no such transliterators, or their readings are no syllables. */
static bool write_readings(FILE *file)
{
    static const UChar usual[] = u"Han-Latin; Lower; NFD";
    static const UChar surname[] = u"Han-Latin/Names; Lower; NFD";
    UErrorCode status = U_ZERO_ERROR;
    UTransliterator *both[2] = {utrans_openU(usual, -1, UTRANS_FORWARD, NULL, 0, NULL, &status),
                                utrans_openU(surname, -1, UTRANS_FORWARD, NULL, 0, NULL, &status)};
    if (U_SUCCESS(status)) {
        write_syllables(file, both, "main", 0x4e00, 0x9fff);
        write_syllables(file, both, "a", 0x3400, 0x4dbf);
        (void)fprintf(file, "const char ht__pinyin_syllables[%d][%d] = {", SYLLABLES, LETTERS);
        for (int i = 0; i < syllable_count; i++) {
            (void)fprintf(file, "\"%s\",", syllables[i]);
        }
        (void)fprintf(file, "};\n");
    }
    utrans_close(both[0]);
    utrans_close(both[1]);
    return U_SUCCESS(status) && syllable_count > 350 && syllable_count < SYLLABLES;
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
    good = write_readings(file) && good;
    return fclose(file) == 0 && good ? 0 : 1;
}
