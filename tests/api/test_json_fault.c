/* What is wrong with a text that is no JSON: RapidJSON's words and offsets, and the same verdict as
 * the reader that we have. */
#include "api/json_fault.h"

#include <string.h>

#include "api/json_merge.h"
#include "tests/support/check.h"

struct fault_case {
    const char *text;
    const char *words; /* NULL: it is JSON */
    size_t offset;
};

static void faults_check(const struct fault_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *words = NULL;
        size_t offset = 0;
        enum ht_status status =
            ht_json_fault(cases[i].text, strlen(cases[i].text), &words, &offset);
        if (cases[i].words == NULL) {
            HT_CHECK(status == HT_OK);
        } else {
            HT_REQUIRE(status == HT_INVALID);
            HT_CHECK(strcmp(words, cases[i].words) == 0);
            HT_CHECK(offset == cases[i].offset);
        }
    }
}

HT_CASE(what_is_json_has_no_fault)
{
    static const struct fault_case cases[] = {
        {"{}", NULL, 0},
        {" [ ] ", NULL, 0},
        {"null", NULL, 0},
        {"-0.5e-3", NULL, 0},
        {"\"\\u00e9\\ud83d\\ude00\\n\"", NULL, 0},
        {"{\"a\":[1,{\"b\":[]},[[true]]],\"c\":{\"d\":false}}", NULL, 0},
    };
    faults_check(cases, sizeof cases / sizeof cases[0]);
}

HT_CASE(faults_of_structure_are_told_where_they_are)
{
    static const char object[] = "Missing a comma or } after an object member.";
    static const char array[] = "Missing a comma or ] after an array element.";
    static const struct fault_case cases[] = {
        {"", "The document is empty.", 0},
        {" \n ", "The document is empty.", 3},
        {"{", "Missing a name for object member.", 1},
        {"{\"a\":1,}", "Missing a name for object member.", 7},
        {"{1:2}", "Missing a name for object member.", 1},
        {"{\"a\" 1}", "Missing a colon after a name of object member.", 5},
        {"{\"a\":1 \"b\":2}", object, 7},
        {"{\"a\":[1]", object, 8},
        {"[1 2]", array, 3},
        {"[[1]", array, 4},
        {"[1}", array, 2},
        {"[1,]", "Invalid value.", 3},
        {"[", "Invalid value.", 1},
        {"{} {}", "The document root must not be followed by other values.", 3},
        {"1]", "The document root must not be followed by other values.", 1},
    };
    faults_check(cases, sizeof cases / sizeof cases[0]);
}

HT_CASE(faults_of_values_are_told_where_they_are)
{
    static const char pair[] = "The surrogate pair in string is invalid.";
    static const struct fault_case cases[] = {
        {"nul", "Invalid value.", 3},
        {"[tru]", "Invalid value.", 4},
        {"{\"a\":fals3}", "Invalid value.", 9},
        {"-", "Invalid value.", 1},
        {"+1", "Invalid value.", 0},
        {"1.", "Miss fraction part in number.", 2},
        {"[1.e5]", "Miss fraction part in number.", 3},
        {"2e", "Miss exponent in number.", 2},
        {"2e+x", "Miss exponent in number.", 3},
        {" 1e999", "Number too big to be stored in double.", 1},
        {"\"abc", "Missing a closing quotation mark in string.", 4},
        {"\"a\nb\"", "Invalid encoding in string.", 2},
        {"\"a\\x\"", "Invalid escape character in string.", 2},
        {"\"\\u12g4\"", "Incorrect hex digit after \\u escape in string.", 1},
        {"\"\\ud800x\"", pair, 1},
        {"\"\\udc00\"", pair, 1},
        {"\"\\ud800\\u0041\"", pair, 1},
    };
    faults_check(cases, sizeof cases / sizeof cases[0]);
}

/* Every prefix of a document, and every one with a byte exchanged. */
HT_CASE(the_reader_gives_the_same_verdict)
{
    static const char whole[] = "{\"a\": [1, -2.5e1, true], \"b\": {\"c\": null, \"d\": \"e\\n\"}}";
    static const char others[] = "{}[],:\"\\0a \n\v\f";
    char text[sizeof whole + 1] = "";
    size_t size = sizeof whole - 1;
    int good = 0;
    for (size_t at = 0; at <= size; at++) {
        for (size_t o = 0; o < sizeof others; o++) {
            const char *words = NULL;
            size_t offset = 0;
            memcpy(text, whole, sizeof whole);
            text[at] = others[o]; /* the last is NUL: a prefix */
            yajl_val tree = ht_json_tree_read(text, strlen(text));
            enum ht_status status = ht_json_fault(text, strlen(text), &words, &offset);
            /* it does not look at what follows the document */
            bool behind = words != NULL && strstr(words, "followed") != NULL;
            HT_CHECK(behind || (tree != NULL) == (status == HT_OK));
            HT_CHECK(offset <= strlen(text));
            good += status == HT_OK;
            yajl_tree_free(tree);
        }
    }
    HT_CHECK(good > 10);
}

HT_CASE(a_million_brackets_are_walked)
{
    static char text[1000000];
    const char *words = NULL;
    size_t offset = 0;
    memset(text, '[', sizeof text);
    HT_CHECK(ht_json_fault(text, sizeof text, &words, &offset) == HT_INVALID);
    HT_CHECK(offset == sizeof text && strcmp(words, "Invalid value.") == 0);
}

HT_MAIN()
