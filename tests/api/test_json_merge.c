/* Merge patches: the cases of RFC 7396's appendix A, and what else may come. */
#include "api/json_merge.h"

#include <string.h>

#include "tests/support/check.h"

/* The target as the patch changes it. */
static const char *merged(const char *target, const char *patch)
{
    static char out[512];
    struct ht_text text = {0};
    yajl_val from = ht_json_tree_read(target, strlen(target));
    yajl_val by = ht_json_tree_read(patch, strlen(patch));
    HT_CHECK(from != NULL && by != NULL);
    ht_json_merge(&text, from, by);
    (void)snprintf(out, sizeof out, "%s", text.failed ? "failed" : ht_text_string(&text));
    ht_text_deinit(&text);
    yajl_tree_free(from);
    yajl_tree_free(by);
    return out;
}

HT_CASE(the_cases_of_the_standard)
{
    static const struct {
        const char *target;
        const char *patch;
        const char *result;
    } cases[] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
        {"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
        {"{\"a\":\"foo\"}", "null", "null"},
        {"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        HT_CHECK_STR(merged(cases[i].target, cases[i].patch), cases[i].result);
    }
}

HT_CASE(what_is_not_named_stays_as_it_was_written)
{
    HT_CHECK_STR(
        merged("{\"a\":1.50,\"b\":123456789012345678901234567890,\"c\":[null,{\"d\":null}]}",
               "{\"a\":-0.0e1}"),
        "{\"a\":-0.0e1,\"b\":123456789012345678901234567890,\"c\":[null,{\"d\":null}]}");
    HT_CHECK_STR(merged("{}", "{\"a\":[null,{\"b\":null}]}"), "{\"a\":[null,{\"b\":null}]}");
    HT_CHECK_STR(merged("{\"k\":1}", "{\"a\":1,\"a\":2,\"k\":3,\"k\":4}"), "{\"k\":3,\"a\":1}");
}

HT_MAIN()
