/* Growable text, numbers, UTF-8. */
#include "engine/base/text.h"

#include <float.h>
#include <math.h>

#include "engine/base/status.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

HT_CASE(a_text_grows_by_pieces_and_is_reused)
{
    struct ht_text text;
    ht_text_init(&text);
    HT_CHECK_STR(ht_text_string(&text), "");
    for (int i = 0; i < 1000; i++) {
        ht_text_addf(&text, "%d,", i % 10);
    }
    HT_CHECK_INT(text.size, 2000);
    ht_text_cut(&text, 4);
    ht_text_add_char(&text, '!');
    HT_CHECK_STR(ht_text_string(&text), "0,1,!");
    ht_text_clear(&text);
    ht_text_addf(&text, "%0300d", 7);
    HT_CHECK_INT(text.size, 300);
    HT_CHECK(!text.failed);
    ht_text_deinit(&text);
}

HT_CASE(fixed_numbers_have_no_zeros_at_the_end)
{
    static const struct {
        int64_t scaled;
        int decimals;
        const char *want;
    } rows[] = {{1217000000, 7, "121.7"},
                {-1, 7, "-0.0000001"},
                {0, 7, "0"},
                {-900000000, 7, "-90"},
                {5, 1, "0.5"},
                {100, 0, "100"},
                {10, 1, "1"},
                {1234567890, 7, "123.456789"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ht_text text = {0};
        ht_text_add_fixed(&text, rows[i].scaled, rows[i].decimals);
        HT_CHECK_STR(ht_text_string(&text), rows[i].want);
        ht_text_deinit(&text);
    }
}

HT_CASE(json_strings_escape_what_json_forbids)
{
    struct ht_text text = {0};
    ht_text_add_json(&text, "a\"\\\n\x01\x7f\xe5\x80\x99", 9);
    HT_CHECK_STR(ht_text_string(&text), "\"a\\\"\\\\\\n\\u0001\x7f\xe5\x80\x99\"");
    ht_text_clear(&text);
    ht_text_add_json(&text, "", 0);
    HT_CHECK_STR(ht_text_string(&text), "\"\"");
    ht_text_deinit(&text);
}

HT_CASE(a_refused_allocation_is_remembered)
{
    struct ht_text text = {0};
    ht_text_add_string(&text, "kept");
    ht_oom_arm(0);
    for (int i = 0; i < 100; i++) {
        ht_text_add_string(&text, "dropped ");
    }
    ht_text_addf(&text, "%0500d", 1);
    ht_text_add_json(&text, "x", 1);
    HT_CHECK(ht_oom_disarm());
    HT_CHECK(text.failed);
    HT_CHECK(strncmp(ht_text_string(&text), "kept", 4) == 0);
    ht_text_clear(&text);
    HT_CHECK(!text.failed);
    ht_text_deinit(&text);
}

HT_CASE(numbers_are_read_as_strtod_reads_them)
{
    uint64_t seed = 5;
    for (int i = 0; i < 300000; i++) {
        char word[64];
        uint64_t bits = ht_random(&seed);
        double want;
        if (i % 3 == 0) {
            memcpy(&want, &bits, sizeof want);
            if (!isfinite(want)) {
                continue;
            }
            (void)snprintf(word, sizeof word, "%.*g", 1 + (int)(bits % 25), want);
        } else {
            (void)snprintf(word, sizeof word, "%d.%0*u", (int)(bits % 360) - 180,
                           1 + (int)(bits >> 8 & 15), (unsigned)(bits >> 20 & 0xfffffff));
        }
        want = strtod(word, NULL);
        double got = NAN;
        HT_REQUIRE(ht_number_read(word, strlen(word), &got) == strlen(word));
        if (got != want || signbit(got) != signbit(want)) {
            (void)printf("  %s\n", word);
            HT_REQUIRE(false);
        }
    }
}

HT_CASE(numbers_end_where_they_end)
{
    static const struct {
        const char *text;
        size_t taken;
        double want;
    } rows[] = {
        {"1", 1, 1},
        {"-0", 2, 0},
        {"+01.5e3x", 7, 1500},
        {"1e", 1, 1},
        {".5", 2, 0.5},
        {"5.", 2, 5},
        {"1.2.3", 3, 1.2},
        {"1e+2", 4, 100},
        {"1e400", 5, INFINITY},
        {"1e-400", 6, 0},
        {"", 0, 0},
        {".", 0, 0},
        {"-", 0, 0},
        {"nan", 0, 0},
        {"e5", 0, 0},
        {"-.e1", 0, 0},
        {"1e99999999999999999999", 22, INFINITY},
        {"0e99999999999999999999", 22, 0},
        {"9007199254740993", 16, 9007199254740992.0},
        {"0.00000000000000000000000000000001", 34, 1e-32},
        {"100000000000000000000000000000000", 33, 1e32},
        {"2.2250738585072011e-308", 23, 2.2250738585072011e-308},
        {"9007199254740993.00000000000000000000000000001", 46, 9007199254740994.0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double got = 0;
        HT_CHECK_INT(ht_number_read(rows[i].text, strlen(rows[i].text), &got), rows[i].taken);
        HT_CHECK(got == rows[i].want);
    }
    char many[500];
    double got = 0;
    memset(many, '1', sizeof many);
    HT_CHECK_INT(ht_number_read(many, sizeof many, &got), 0);
    HT_CHECK_INT(ht_number_read(many, 400, &got), 400);
    HT_CHECK(isinf(got));
    HT_CHECK_INT(ht_number_read(many, 300, &got), 300);
    HT_CHECK(got > 1.1e299 && got < 1.12e299);
}

HT_CASE(every_code_point_survives_utf8)
{
    for (uint32_t code = 0; code < 0x110000; code++) {
        char bytes[4];
        uint32_t again = 0;
        size_t size = ht_utf8_write(code, bytes);
        bool surrogate = code >= 0xd800 && code < 0xe000;
        size_t length = ht_utf8_read(bytes, size, &again);
        if (length != (surrogate ? 0 : size) || (!surrogate && again != code) ||
            ht_utf8_read(bytes, size - 1, NULL) != 0) {
            (void)printf("  U+%04X\n", code);
            HT_REQUIRE(false);
        }
    }
}

HT_CASE(broken_utf8_is_found_where_it_begins)
{
    static const struct {
        const char *text;
        size_t valid;
    } rows[] = {
        {"plain ascii, rather long", 24},
        {"\xe5\x80\x99\xe6\xb6\x9b", 6},
        {"12345678\xff", 8},
        {"\xc0\x80", 0},
        {"ab\xe0\x80\x80", 2},
        {"\xed\xa0\x80", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xe5\x80", 0},
        {"123456789\xb4\xef\x37", 9},
        {"\xf0\x9f\x98\x80", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        HT_CHECK_INT(ht_utf8_valid(rows[i].text, strlen(rows[i].text)), rows[i].valid);
    }
}

HT_CASE(what_was_cut_within_a_character_is_left_out)
{
    static const struct {
        const char *text;
        const char *want;
    } rows[] = {{"", ""},
                {"plain", "plain"},
                {"\xe5\x80\x99\xe6\xb6", "\xe5\x80\x99"},
                {"\xe5\x80: no id", ": no id"},
                {"\xf0\x9f\x98", ""},
                {"a\xffz", "az"},
                {"123456789\xe5\x80\x99!", "123456789\xe5\x80\x99!"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "%s", rows[i].text);
        HT_CHECK_INT(ht_utf8_mend(text), strlen(rows[i].want));
        HT_CHECK_STR(text, rows[i].want);
    }
    struct ht_error error = {0};
    (void)ht_error_set(&error, HT_INVALID, 0, "\"%.4s\" is no id", "\xe5\x80\x99\xe6\xb6\x9b");
    HT_CHECK_STR(error.message, "\"\xe5\x80\x99\" is no id");
}

HT_MAIN()
