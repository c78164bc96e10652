/* JSON pointers to what is wrong: names are escaped, and cut behind whole characters alone. */
#include "api/pointer.h"

#include "tests/support/check.h"

HT_CASE(names_are_escaped)
{
    char text[64];
    ht_pointer(text, sizeof text, "", "a/b~c");
    HT_CHECK_STR(text, "/a~1b~0c");
    ht_pointer(text, sizeof text, text, "");
    HT_CHECK_STR(text, "/a~1b~0c/");
    ht_pointer(text, sizeof text, "/kitchens", "~1");
    HT_CHECK_STR(text, "/kitchens/~01");
}

HT_CASE(a_long_one_ends_with_a_whole_character)
{
    char text[8];
    ht_pointer(text, sizeof text, "", "abcdefghij");
    HT_CHECK_STR(text, "/abcdef");
    ht_pointer(text, sizeof text, "", "候涛候涛"); /* three bytes each */
    HT_CHECK_STR(text, "/候涛");
    ht_pointer(text, sizeof text, "", "abcde/");
    HT_CHECK_STR(text, "/abcde");
    ht_pointer(text, sizeof text, "/1234候", "x");
    HT_CHECK_STR(text, "/1234/x");
    ht_pointer(text, sizeof text, "/1234567890", "x");
    HT_CHECK_STR(text, "/123456");
    char whole[HT_POINTER_MOST];
    ht_pointer(whole, sizeof whole, "/properties",
               "a name of more than sixty bytes, as callers may "
               "well think of one, is not cut at all");
    HT_CHECK(strstr(whole, "is not cut at all") != NULL);
}

HT_MAIN()
