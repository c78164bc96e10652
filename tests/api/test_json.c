/* JSON writer and reply buffer. */
#include <math.h>

#include "api/json.h"
#include "api/put.h"
#include "api/reply.h"
#include "tests/support/check.h"
#include "tests/support/oom.h"

static struct ht_buffer buffer;
static struct ht_json json;

static void begin(void)
{
    ht_buffer_clear(&buffer);
    ht_json_begin(&json, &buffer);
}

static const char *written(void)
{
    static char text[1 << 16];
    size_t size = buffer.size < sizeof text - 1 ? buffer.size : sizeof text - 1;
    memcpy(text, buffer.data, size);
    text[size] = '\0';
    return text;
}

static const char *text_of(const char *text, size_t size)
{
    begin();
    ht_json_text_n(&json, text, size);
    return written();
}

static const char *double_of(double value, int decimals)
{
    begin();
    ht_json_double(&json, value, decimals);
    return written();
}

static const char *fixed_of(int64_t value, int decimals)
{
    begin();
    ht_json_fixed(&json, value, decimals);
    return written();
}

HT_CASE(json_short_forms_of_numbers_agree_with_the_long_one)
{
    char text[HT_PUT_NUMBER];
    char other[HT_PUT_NUMBER];
    for (int64_t i = 0; i < 2000000; i++) {
        int64_t micro = i < 1000000 ? (i - 500000) * 17 : (i - 1500000) * 359 + i % 1000;
        size_t size = (size_t)(ht_put_micro(text, (int32_t)micro) - text);
        HT_REQUIRE(size <= HT_PUT_DEGREES);
        HT_REQUIRE(size == (size_t)(ht_put_fixed(other, micro, 6) - other));
        HT_REQUIRE(memcmp(text, other, size) == 0);
        size = (size_t)(ht_put_tenths(text, micro) - text);
        HT_REQUIRE(size == (size_t)(ht_put_fixed(other, micro, 1) - other));
        HT_REQUIRE(memcmp(text, other, size) == 0);
    }
    for (uint32_t i = 0; i <= UINT16_MAX; i++) {
        size_t size = (size_t)(ht_put_short(text, (uint16_t)i) - text);
        HT_REQUIRE(size <= HT_PUT_SHORT);
        HT_REQUIRE(size == (size_t)(ht_put_uint(other, i) - other));
        HT_REQUIRE(memcmp(text, other, size) == 0);
    }
    HT_CHECK_INT(ht_put_bool(text, 1) - text, 4);
    HT_CHECK_INT(ht_put_bool(text, 0) - text, 5);
    HT_CHECK(memcmp(text, "false", 5) == 0);
    size_t least = (size_t)(ht_put_micro(text, INT32_MIN) - text);
    HT_CHECK_INT(least, HT_PUT_DEGREES);
    HT_CHECK(memcmp(text, "-2147.483648", least) == 0);
}

HT_CASE(commas_stand_between_values_only)
{
    begin();
    ht_json_object(&json);
    ht_json_key_int(&json, "a", 1);
    ht_json_key(&json, "b");
    ht_json_array(&json);
    ht_json_array(&json);
    ht_json_array_end(&json);
    ht_json_bool(&json, true);
    ht_json_null(&json);
    ht_json_raw(&json, "{}", 2);
    ht_json_array_end(&json);
    ht_json_key_text(&json, "c", "x");
    ht_json_key(&json, "d");
    ht_json_object(&json);
    ht_json_object_end(&json);
    ht_json_key_bool(&json, "e", false);
    ht_json_key_double(&json, "f", 1.5, 3);
    ht_json_object_end(&json);
    HT_CHECK_STR(written(), "{\"a\":1,\"b\":[[],true,null,{}],\"c\":\"x\",\"d\":{},\"e\":false,"
                            "\"f\":1.5}");
}

HT_CASE(text_is_escaped)
{
    HT_CHECK_STR(text_of("a\"b\\c/d", 7), "\"a\\\"b\\\\c/d\"");
    HT_CHECK_STR(text_of("\b\f\n\r\t\x01\x1f\x7f", 8), "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    HT_CHECK_STR(text_of("\0x", 2), "\"\\u0000x\"");
    HT_CHECK_STR(text_of("", 0), "\"\"");
}

HT_CASE(text_keeps_utf8_and_repairs_what_is_not)
{
    HT_CHECK_STR(text_of("候涛 é 𝄞", strlen("候涛 é 𝄞")), "\"候涛 é 𝄞\"");
    HT_CHECK_STR(text_of("\xff", 1), "\"\xef\xbf\xbd\"");
    HT_CHECK_STR(text_of("\xc3", 1), "\"\xef\xbf\xbd\"");
    HT_CHECK_STR(text_of("\xc0\xaf", 2), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    HT_CHECK_STR(text_of("\xe0\x80\x80", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    HT_CHECK_STR(text_of("\xed\xa0\x80", 3), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    HT_CHECK_STR(text_of("\xf4\x90\x80\x80", 4),
                 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    HT_CHECK_STR(text_of("\xe5\x80z", 3), "\"\xef\xbf\xbd\xef\xbf\xbdz\"");
    HT_CHECK_STR(text_of("\xf4\x8f\xbf\xbf", 4), "\"\xf4\x8f\xbf\xbf\"");
}

HT_CASE(integers_of_every_length_equal_printf)
{
    uint64_t state = 7;
    char want[32];
    for (int i = 0; i < 20000; i++) {
        int64_t value = (int64_t)(ht_random(&state) >> (i % 64));
        value = i % 2 == 0 ? value : -value;
        begin();
        ht_json_int(&json, value);
        (void)snprintf(want, sizeof want, "%" PRId64, value);
        HT_REQUIRE(strcmp(written(), want) == 0);
    }
    begin();
    ht_json_int(&json, INT64_MIN);
    HT_CHECK_STR(written(), "-9223372036854775808");
}

HT_CASE(fixed_drops_trailing_zeros)
{
    HT_CHECK_STR(fixed_of(0, 3), "0");
    HT_CHECK_STR(fixed_of(1000, 3), "1");
    HT_CHECK_STR(fixed_of(1050, 3), "1.05");
    HT_CHECK_STR(fixed_of(-1, 3), "-0.001");
    HT_CHECK_STR(fixed_of(-1210000000, 7), "-121");
    HT_CHECK_STR(fixed_of(1217000001, 7), "121.7000001");
    HT_CHECK_STR(fixed_of(12, 0), "12");
    HT_CHECK_STR(fixed_of(INT64_MIN, 15), "-9223.372036854775808");
}

HT_CASE(doubles_round_half_away_from_zero)
{
    HT_CHECK_STR(double_of(0.25, 1), "0.3");
    HT_CHECK_STR(double_of(-0.25, 1), "-0.3");
    HT_CHECK_STR(double_of(2.5, 0), "3");
    HT_CHECK_STR(double_of(-2.5, 0), "-3");
    HT_CHECK_STR(double_of(0.1 + 0.2, 6), "0.3");
    HT_CHECK_STR(double_of(123.456, 1), "123.5");
    HT_CHECK_STR(double_of(99.96, 1), "100");
    HT_CHECK_STR(double_of(-0.0, 3), "0");
    HT_CHECK_STR(double_of(-0.0001, 3), "0");
    HT_CHECK_STR(double_of(NAN, 3), "null");
    HT_CHECK_STR(double_of(INFINITY, 3), "null");
    HT_CHECK_STR(double_of(1e20, 3), "100000000000000000000");
    HT_CHECK_STR(double_of(-1e18, 2), "-1000000000000000000");
    HT_CHECK_STR(double_of(9007199254740993.0, 0), "9007199254740992");
}

HT_CASE(buffer_over_its_cap_fails_and_stays_quiet)
{
    struct ht_buffer small = {.limit = 10};
    ht_buffer_text(&small, "12345678");
    HT_CHECK(!small.failed);
    ht_buffer_text(&small, "abc");
    HT_CHECK(small.failed);
    HT_CHECK_INT(small.size, 8);
    ht_buffer_text(&small, "x");
    HT_CHECK_INT(small.size, 8);
    HT_CHECK(ht_buffer_reserve(&small, 1) == NULL);
    HT_CHECK(ht_buffer_reserve(&small, SIZE_MAX) == NULL);
    ht_buffer_clear(&small);
    ht_buffer_text(&small, "1234567890");
    HT_CHECK(!small.failed);
    HT_CHECK_INT(small.size, 10);
    ht_buffer_deinit(&small);
    HT_CHECK(small.data == NULL);
    HT_CHECK_INT(small.limit, 10);
}

HT_CASE(problem_is_rfc_9457)
{
    struct ht_reply reply = {0};
    ht_reply_reset(&reply);
    HT_CHECK_INT(reply.status, 200);
    ht_buffer_text(&reply.body, "half an answer");
    ht_reply_problem(&reply, 422, "Understood but impossible", "no \"file\"");
    ht_buffer_append(&reply.body, "", 1);
    HT_CHECK_INT(reply.status, 422);
    HT_CHECK_STR(reply.content_type, "application/problem+json");
    HT_CHECK_STR(reply.body.data,
                 "{\"type\":\"about:blank\",\"title\":\"Understood but impossible\","
                 "\"status\":422,\"detail\":\"no \\\"file\\\"\"}");
    ht_reply_deinit(&reply);
}

HT_CASE(reply_without_memory_fails_quietly_oom)
{
    struct ht_reply reply = {0};
    ht_reply_reset(&reply);
    ht_oom_arm(0);
    ht_reply_problem(&reply, 400, "Bad Request", "why");
    HT_CHECK(ht_oom_disarm());
    HT_CHECK(reply.body.failed);
    HT_CHECK_INT(reply.body.size, 0);
    ht_reply_reset(&reply);
    ht_reply_problem(&reply, 400, "Bad Request", "why");
    HT_CHECK(!reply.body.failed);
    ht_oom_arm(0);
    for (int i = 0; i < 1000 && !reply.body.failed; i++) {
        ht_buffer_text(&reply.body, "0123456789");
    }
    HT_CHECK(ht_oom_disarm());
    HT_CHECK(reply.body.failed);
    ht_reply_deinit(&reply);
}

HT_MAIN()
