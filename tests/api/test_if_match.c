/* If-Match as RFC 9110 has it. */
#include "api/if_match.h"

#include <string.h>

#include "tests/support/check.h"

static bool sound(const char *text)
{
    bool any = false;
    return ht_if_match_sound(text, strlen(text), &any) && !any;
}

static bool has(const char *text, uint64_t version)
{
    return ht_if_match_has(text, strlen(text), version);
}

HT_CASE(lists_are_tags_with_commas_between)
{
    static const char *const good[] = {
        "\"1\"",   "\"1\",\"2\"",   "\"1\" , W/\"2\"",  "\"\"",       ",\t\"1\", ,", "\"a,b\"",
        "W/\"x\"", "\"1\"\t,\"*\"", "\"\xe6\x9d\x91\"", "\"1\",\"1\""};
    static const char *const bad[] = {"",        "1",       "\"1",     "\"1\" \"2\"", "\"1\"2",
                                      "w/\"1\"", "W/1",     "W/",      "*,\"1\"",     "\"1\",*",
                                      ",",       "\"a b\"", "\"1\",W", "**",          " "};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        HT_CHECK(sound(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        HT_CHECK(!sound(bad[i]));
    }
    bool any = false;
    HT_CHECK(ht_if_match_sound("*", 1, &any) && any);
}

HT_CASE(tags_are_compared_strongly)
{
    HT_CHECK(has("\"1\",\"2\"", 1) && has("\"1\",\"2\"", 2) && !has("\"1\",\"2\"", 12));
    HT_CHECK(has("\"a,b\" ,, \"18446744073709551615\"", UINT64_MAX));
    HT_CHECK(!has("W/\"3\"", 3) && has("W/\"3\",\"3\"", 3));
    HT_CHECK(!has("\"03\"", 3) && !has("\"3 \"", 3) && !has("\"\"", 0) && !has("*", 1));
}

static bool none_has(const char *text, const char *tag)
{
    return ht_if_none_match_has(text, strlen(text), tag);
}

HT_CASE(what_a_client_has_already_is_compared_weakly)
{
    HT_CHECK(none_has("\"a1\"", "a1") && none_has("W/\"a1\"", "a1") && none_has("*", "a1"));
    HT_CHECK(none_has("\"b\", W/\"a1\" ,\"c\"", "a1"));
    HT_CHECK(!none_has("\"a\"", "a1") && !none_has("\"a12\"", "a1") && !none_has("a1", "a1"));
    HT_CHECK(!none_has("", "a1") && !none_has("\"a1\" \"b\"", "a1") && !none_has("**", "a1"));
}

HT_MAIN()
