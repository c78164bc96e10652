/* The device book over HTTP: unknown devices wait and are accepted; keys are kept as digests; what
 * the registry says is obeyed. (Kits that speak for themselves: test_mqtt.c.) */
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"

static char store[128];
static char options[768];

static bool begin_town(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/devices%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static int unit_add(const char *id)
{
    char text[320];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[121.71,29.95]},\"properties\":{\"kind\":\"van\","
                   "\"profile\":\"car\",\"status\":\"idle\"}}",
                   id);
    return post("/collections/units/items", GEO, text);
}

HT_CASE(an_unknown_phone_waits_and_is_accepted)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(unit_add("v1"), 201);
    HT_CHECK_INT(get("/v1/devices/unknown"), 200);
    HT_CHECK_STR(answer.body, "{\"devices\":[],\"dropped\":0}");
    HT_CHECK_INT(get("/osmand?id=phone1&lon=121.71&lat=29.95"), 400);
    HT_CHECK_INT(get("/osmand?id=phone2&lon=121.71&lat=29.95"), 400);
    HT_CHECK_INT(get("/osmand?id=phone1&lon=121.71&lat=29.95"), 400);
    HT_CHECK_INT(get("/osmand?id=no%20id&lon=121.71&lat=29.95"), 400);
    HT_CHECK_INT(get("/v1/devices/unknown"), 200);
    HT_CHECK(ht_json_valid(answer.body));
    HT_CHECK_INT(ht_json_count_at(answer.body, "devices"), 2);
    HT_CHECK(ht_json_is(answer.body, "devices.0.id", "\"phone1\""));
    HT_CHECK(ht_json_is(answer.body, "devices.0.protocol", "\"osmand\""));
    HT_CHECK(ht_json_is(answer.body, "devices.0.times", "2"));
    HT_CHECK(ht_json_is(answer.body, "devices.0.keyed", "false"));
    HT_CHECK_INT(post("/v1/devices/phone1/accept", JSON, "{\"unit\":\"v1\",\"crs\":\"GCJ02\"}"),
                 201);
    HT_CHECK_STR(ht_answer_header(&answer, "Location"), "/collections/devices/items/phone1");
    HT_CHECK_INT(get("/collections/devices/items/phone1"), 200);
    HT_CHECK(says("\"protocol\":\"osmand\"") && says("\"unit\":\"v1\"") && says("\"GCJ02\""));
    HT_CHECK_INT(get("/osmand?id=phone1&lon=121.71&lat=29.95"), 200);
    HT_CHECK_INT(get("/v1/devices/unknown"), 200);
    HT_CHECK_INT(ht_json_count_at(answer.body, "devices"), 1);
    HT_CHECK_INT(post("/v1/devices/phone1/accept", JSON, "{\"unit\":\"v1\"}"), 409);
    HT_CHECK_INT(get("/metrics"), 200);
    HT_CHECK(says("houtao_devices_unknown 1\n"));
    HT_CHECK(says("houtao_device_sightings_total{standing=\"refused\"} 1\n"));
    end();
}

HT_CASE(what_can_not_be_accepted_says_why)
{
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(unit_add("v1"), 201);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON, "{\"unit\":\"v1\"}"), 404);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON, "[]"), 400);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON, "{\"protocol\":\"jt808\"}"), 422);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON,
                      "{\"protocol\":\"jt808\",\"unit\":\"v1\",\"household\":\"h1\"}"),
                 422);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON, "{\"protocol\":\"jt808\",\"unit\":\"v9\"}"),
                 422);
    HT_CHECK(ht_json_is(answer.body, "errors.0.pointer", "\"/unit\""));
    HT_CHECK_INT(
        post("/v1/devices/d1/accept", JSON, "{\"protocol\":\"jt808\",\"unit\":\"v1\",\"key\":7}"),
        422);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON,
                      "{\"protocol\":\"jt808\",\"unit\":\"v1\",\"battery\":400}"),
                 422);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON, "{\"protocol\":\"jt808\",\"unit\":\"v1\"}"),
                 201);
    end();
}

HT_CASE(the_same_key_is_one_acceptance_and_of_a_secret_the_digest_stays)
{
    static const char body[] = "{\"protocol\":\"jt808\",\"unit\":\"v1\",\"key\":\"secret\"}";
    HT_REQUIRE(begin_town(""));
    HT_CHECK_INT(unit_add("v1"), 201);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON "Idempotency-Key: k\r\n", body), 201);
    HT_CHECK_INT(post("/v1/devices/d1/accept", JSON "Idempotency-Key: k\r\n", body), 201);
    HT_CHECK_INT(get("/collections/devices/items/d1"), 200);
    HT_CHECK(says("\"key\":\"sha256:"
                  "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b\""));
    HT_CHECK(!says("secret"));
    end();
}

HT_CASE(only_admins_see_and_accept)
{
    char line[400];
    char file[160];
    char token[64];
    HT_REQUIRE(map_make());
    (void)snprintf(file, sizeof file, "%s/tokens", folder);
    (void)snprintf(line, sizeof line, "token add %s --name d --role dispatcher", file);
    const struct ht_command_run *run = ht_command_run(line);
    HT_REQUIRE(run->code == 0);
    (void)snprintf(token, sizeof token, "%.*s", (int)strcspn(run->out, "\n"), run->out);
    (void)snprintf(line, sizeof line, "--tokens %s", file);
    HT_REQUIRE(begin_town(line));
    (void)snprintf(line, sizeof line, "/v1/devices/unknown?access_token=%s", token);
    HT_CHECK_INT(get(line), 403);
    HT_CHECK_INT(get("/v1/devices/unknown"), 401);
    (void)snprintf(line, sizeof line, JSON "Authorization: Bearer %s\r\n", token);
    HT_CHECK_INT(post("/v1/devices/d1/accept", line, "{}"), 403);
    end();
}

HT_SERVED_MAIN()
