/* The stream: no event is missed or told twice, positions are thinned, nobody who stops reading
 * costs more than a little memory. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "geodata/store.h"
#include "tests/support/check.h"
#include "tests/support/served.h"
#include "tests/support/sse.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define UNITS "/collections/units/items"

/* What a sanitizer keeps of freed memory says nothing about ours. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OWN_MEMORY false
#else
#define OWN_MEMORY true
#endif

enum { WRITERS = 4, WRITES = 150, LISTENERS = 50, LISTENER_WRITES = 40, FLEET = 2000 };

static char store[128];
static char options[512];
static char body[60000];

static bool begin_stream(const char *more)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/stream%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options, "--store %s %s", store, more);
    return begin(options);
}

/* Puts a unit over a connection; its status. */
static int unit_put(struct ht_client *over, const char *id)
{
    static const char feature[] =
        "{\"type\":\"Feature\",\"geometry\":null,\"properties\":{\"kind\":\"van\"}}";
    char text[512];
    (void)snprintf(text, sizeof text,
                   "PUT " UNITS "/%s HTTP/1.1\r\nHost: 127.0.0.1\r\n" GEO
                   "Content-Length: %zu\r\n\r\n%s",
                   id, sizeof feature - 1, feature);
    return ht_client_status(over, text);
}

/* A position of a unit that drives east, a metre a second. */
static size_t position_text(char *text, size_t room, const char *unit, long step, long ts)
{
    return (size_t)snprintf(text, room, "{\"unit\":\"%s\",\"lon\":%.5f,\"lat\":29.95,\"ts\":%ld}",
                            unit, 121.7 + (double)step * 1e-5, ts);
}

static double metric(const char *name)
{
    HT_CHECK_INT(get("/metrics"), 200);
    for (const char *at = answer.body; at != NULL && (at = strstr(at, name)) != NULL; at++) {
        if (at > answer.body && at[-1] == '\n' && at[strlen(name)] == ' ') {
            return strtod(at + strlen(name), NULL);
        }
    }
    return -1;
}

/* Waits for a metric to become at least `least`. */
static bool metric_reaches(const char *name, double least)
{
    for (int i = 0; i < 3000; i++) {
        if (metric(name) >= least) {
            return true;
        }
        (void)usleep(20000);
    }
    return false;
}

struct writer {
    pthread_t thread;
    int number;
    int writes;
    atomic_int failed;
};

static void *write_units(void *user)
{
    struct writer *writer = user;
    struct ht_client *own = calloc(1, sizeof *own);
    if (own == NULL || !ht_client_open(own, port)) {
        atomic_fetch_add(&writer->failed, 1);
        free(own);
        return NULL;
    }
    for (int i = 0; i < writer->writes; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "u%d-%d", writer->number, i);
        atomic_fetch_add(&writer->failed, unit_put(own, id) == 201 ? 0 : 1);
    }
    ht_client_close(own);
    free(own);
    return NULL;
}

static void writers_start(struct writer *writers, int count, int writes)
{
    for (int i = 0; i < count; i++) {
        writers[i] = (struct writer){.number = i, .writes = writes};
        HT_CHECK(pthread_create(&writers[i].thread, NULL, write_units, &writers[i]) == 0);
    }
}

static void writers_end(struct writer *writers, int count)
{
    for (int i = 0; i < count; i++) {
        HT_CHECK(pthread_join(writers[i].thread, NULL) == 0);
        HT_CHECK_INT(atomic_load(&writers[i].failed), 0);
    }
}

/* Connects behind event `after` and reads on, `most` events or up to `until`; the last it read.
 * *wrong counts those that don't follow. */
static int64_t follow(int64_t after, int64_t until, int most, int *wrong)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    char header[64];
    int64_t last = after;
    (void)snprintf(header, sizeof header, "Last-Event-ID: %" PRId64 "\r\n", after);
    if (sse == NULL || !ht_sse_open(sse, port, "/v1/stream?topics=registry", header)) {
        *wrong += 1;
        free(sse);
        return last;
    }
    for (int i = 0; i < most && last < until && ht_sse_next(sse); i++) {
        int64_t seq = strtoll(sse->id, NULL, 10);
        char seen[48];
        (void)snprintf(seen, sizeof seen, "{\"seq\":%" PRId64 ",", seq);
        bool right = seq == last + 1 && strcmp(sse->event, "registry") == 0 &&
                     strncmp(sse->data, seen, strlen(seen)) == 0;
        *wrong += right ? 0 : 1;
        last = seq;
    }
    ht_sse_close(sse);
    free(sse);
    return last;
}

HT_CASE(each_event_comes_once_over_reconnects_while_others_write_and_a_restart)
{
    static struct writer writers[WRITERS];
    const int64_t all = (int64_t)WRITERS * WRITES;
    int64_t last = 0;
    int wrong = 0;
    HT_REQUIRE(begin_stream(""));
    writers_start(writers, WRITERS, WRITES);
    for (int most = 1; last < all && wrong == 0; most = most % 41 + 5) {
        last = follow(last, all, most, &wrong);
    }
    writers_end(writers, WRITERS);
    HT_CHECK_INT(last, all);
    HT_CHECK_INT(wrong, 0);
    end();
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(follow(100, all, INT32_MAX, &wrong), all);
    HT_CHECK_INT(unit_put(&client, "later"), 201);
    HT_CHECK_INT(follow(all - 3, all + 1, INT32_MAX, &wrong), all + 1);
    HT_CHECK_INT(wrong, 0);
    end();
}

/* Writes events to the store itself. */
static bool events_write(int count)
{
    const struct ht_store_options how = {.mode = HT_STORE_CREATE};
    struct ht_store *own = NULL;
    struct ht_store_tx *tx = NULL;
    if (ht_store_open(store, &how, &own, NULL) != HT_OK) {
        return false;
    }
    bool good = ht_store_begin(own, &tx, NULL) == HT_OK;
    for (int i = 0; good && i < count; i++) {
        const struct ht_store_event event = {.at_ms = 1,
                                             .actor = "test",
                                             .kind = "item.changed",
                                             .subject = "units/x",
                                             .body = "{\"a\":\n1}"};
        good = ht_store_event_append(tx, &event, NULL, NULL) == HT_OK;
    }
    good = good && ht_store_commit(tx, NULL) == HT_OK;
    ht_store_close(own);
    return good;
}

HT_CASE(a_past_longer_than_memory_comes_from_the_store_and_runs_into_the_present)
{
    enum { PAST = 9000 };
    static struct writer writers[WRITERS];
    int wrong = 0;
    HT_REQUIRE(map_make());
    (void)snprintf(store, sizeof store, "%s/past.sqlite", folder);
    (void)snprintf(options, sizeof options, "--store %s", store);
    HT_REQUIRE(events_write(PAST));
    HT_REQUIRE(begin(options));
    writers_start(writers, WRITERS, WRITES);
    HT_CHECK_INT(follow(0, PAST + WRITERS * WRITES, INT32_MAX, &wrong), PAST + WRITERS * WRITES);
    writers_end(writers, WRITERS);
    HT_CHECK_INT(wrong, 0);
    HT_CHECK(metric("houtao_stream_pages_total") >= 10);
    end();
}

HT_CASE(topics_and_a_box_leave_the_rest_out)
{
    struct ht_sse *zones = calloc(1, sizeof *zones);
    struct ht_sse *boxed = calloc(1, sizeof *boxed);
    const long now = (long)time(NULL);
    HT_REQUIRE(begin_stream("") && zones != NULL && boxed != NULL);
    HT_CHECK(ht_sse_open(zones, port, "/v1/stream?topics=zones,incidents", ""));
    HT_CHECK(ht_sse_open(boxed, port, "/v1/stream?topics=positions&bbox=121.6,29.9,121.75,30", ""));
    HT_CHECK_INT(unit_put(&client, "in"), 201);
    HT_CHECK_INT(unit_put(&client, "out"), 201);
    HT_CHECK_INT(post("/collections/zones/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"z1\",\"properties\":{\"kind\":\"closed\"},"
                      "\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[[121.7,29.9],"
                      "[121.71,29.9],[121.71,29.91],[121.7,29.9]]]}}"),
                 201);
    HT_CHECK(ht_sse_next(zones) && strcmp(zones->event, "zones") == 0);
    HT_CHECK(strstr(zones->data, "\"subject\":\"zones/z1\"") != NULL);
    HT_CHECK(strcmp(zones->id, "3") == 0);
    (void)snprintf(body, sizeof body,
                   "[{\"unit\":\"out\",\"lon\":121.8,\"lat\":29.95,\"ts\":%ld},"
                   "{\"unit\":\"in\",\"lon\":121.7,\"lat\":29.95,\"ts\":%ld,\"speed_mps\":3}]",
                   now, now);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    HT_CHECK(ht_sse_next(boxed) && strcmp(boxed->event, "positions") == 0);
    HT_CHECK(strstr(boxed->data, "{\"unit\":\"in\",\"lon\":121.7,\"lat\":29.95,\"ts\":\"") ==
             boxed->data);
    HT_CHECK(strstr(boxed->data, "\"speed_mps\":3,\"stale\":false,\"kind\":\"van\"") != NULL);
    HT_CHECK(boxed->id[0] == '\0');
    ht_sse_close(zones);
    ht_sse_close(boxed);
    free(zones);
    free(boxed);
    end();
}

HT_CASE(where_only_the_registry_says_so_there_is_no_time)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    HT_REQUIRE(begin_stream("") && sse != NULL);
    HT_CHECK_INT(post("/collections/units/items", GEO,
                      "{\"type\":\"Feature\",\"id\":\"v\",\"properties\":{\"kind\":\"van\"},"
                      "\"geometry\":{\"type\":\"Point\",\"coordinates\":[121.7,29.95]}}"),
                 201);
    HT_CHECK(ht_sse_open(sse, port, "/v1/stream?topics=positions", ""));
    HT_CHECK(ht_sse_next(sse));
    HT_CHECK(strstr(sse->data, "\"stale\":true") != NULL && strstr(sse->data, "\"ts\"") == NULL);
    /* an hour late, but heard */
    (void)snprintf(body, sizeof body, "[{\"unit\":\"v\",\"lon\":121.7,\"lat\":29.95,\"ts\":%ld}]",
                   (long)time(NULL) - 3600);
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    HT_CHECK(ht_sse_next(sse));
    HT_CHECK(strstr(sse->data, "\"ts\":\"") != NULL);
    ht_sse_close(sse);
    free(sse);
    end();
}

HT_CASE(who_comes_gets_the_last_position_of_each_unit_in_their_system)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    HT_REQUIRE(begin_stream("") && sse != NULL);
    HT_CHECK_INT(unit_put(&client, "v"), 201);
    (void)snprintf(body, sizeof body, "[{\"unit\":\"v\",\"lon\":121.7,\"lat\":29.95,\"ts\":%ld}]",
                   (long)time(NULL));
    HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    HT_CHECK(ht_sse_open(sse, port, "/v1/stream?topics=positions&out_crs=GCJ02", ""));
    HT_CHECK(ht_sse_next(sse));
    HT_CHECK(strstr(sse->data, "\"lon\":121.704") != NULL && strstr(sse->data, "\"lat\":29.947"));
    ht_sse_close(sse);
    HT_CHECK(ht_sse_open(sse, port, "/v1/stream?topics=positions&out_crs=EPSG:4549", ""));
    HT_CHECK(ht_sse_next(sse));
    HT_CHECK(strstr(sse->data, "\"geometry\":{\"type\":\"Point\",\"coordinates\":[66") != NULL);
    ht_sse_close(sse);
    /* the box is in the system, too: the same numbers, 500 m apart */
    HT_CHECK(ht_sse_open(
        sse, port, "/v1/stream?topics=positions&crs=GCJ02&bbox=121.704,29.947,121.705,29.948", ""));
    HT_CHECK(ht_sse_next(sse) && strstr(sse->data, "\"lon\":121.704") != NULL);
    ht_sse_close(sse);
    free(sse);
    end();
}

HT_CASE(of_ten_thousand_positions_the_last_one_always_arrives)
{
    enum { ALL = 10000, BATCH = 500 };
    struct ht_sse *sse = calloc(1, sizeof *sse);
    const long first = (long)time(NULL) - ALL;
    char last[64];
    size_t got = 0;
    bool arrived = false;
    HT_REQUIRE(begin_stream("") && sse != NULL);
    HT_CHECK_INT(unit_put(&client, "v"), 201);
    HT_CHECK(ht_sse_open(sse, port, "/v1/stream?topics=positions", ""));
    for (long i = 0; i < ALL; i += BATCH) {
        size_t size = 0;
        body[size++] = '[';
        for (long k = i; k < i + BATCH; k++) {
            size += position_text(body + size, sizeof body - size, "v", k, first + k + 1);
            body[size++] = k + 1 < i + BATCH ? ',' : ']';
        }
        body[size] = '\0';
        HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
        HT_CHECK(strstr(answer.body, "\"accepted\":500,") != NULL);
    }
    (void)snprintf(last, sizeof last, "{\"unit\":\"v\",\"lon\":%.5f,",
                   121.7 + (double)(ALL - 1) * 1e-5);
    while (!arrived && ht_sse_next(sse)) {
        got++;
        arrived = strncmp(sse->data, last, strlen(last)) == 0;
    }
    HT_CHECK(arrived);
    HT_CHECK(got <= ALL / 10); /* four a second at most */
    ht_sse_close(sse);
    free(sse);
    end();
}

/* Everybody moves. */
static void fleet_move(long round, long ts)
{
    static char text[HT_CLIENT_BUFFER * 4];
    enum { BATCH = 400 };
    for (int i = 0; i < FLEET; i += BATCH) {
        size_t size = 0;
        body[size++] = '[';
        for (int k = i; k < i + BATCH; k++) {
            char id[16];
            (void)snprintf(id, sizeof id, "f%d", k);
            size += position_text(body + size, sizeof body - size, id, round, ts);
            body[size++] = k + 1 < i + BATCH ? ',' : ']';
        }
        body[size] = '\0';
        (void)snprintf(text, sizeof text,
                       "POST /v1/positions HTTP/1.1\r\nHost: 127.0.0.1\r\n" JSON
                       "Content-Length: %zu\r\n\r\n%s",
                       size, body);
        HT_CHECK_INT(ask(text), 200);
    }
}

static void fleet_make(void)
{
    static char text[HT_CLIENT_BUFFER * 8];
    static char features[HT_CLIENT_BUFFER * 7];
    size_t size = 0;
    for (int i = 0; i < FLEET; i++) {
        size += (size_t)snprintf(features + size, sizeof features - size,
                                 "{\"type\":\"Feature\",\"id\":\"f%d\",\"geometry\":null,"
                                 "\"properties\":{\"kind\":\"van\"}}\n",
                                 i);
    }
    (void)snprintf(text, sizeof text,
                   "POST " UNITS " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: "
                   "application/x-ndjson\r\nContent-Length: %zu\r\n\r\n%s",
                   size, features);
    HT_CHECK_INT(ask(text), 201);
}

HT_CASE(who_stops_reading_costs_little_and_is_dropped_with_the_reason)
{
    /* Memory grows with what is reported whether or not anybody listens, up to the 64 MB that the
     * store's writer keeps of pages and the 200,000 positions that wait for it. */
    enum { STUCK = 20, OTHERS = 96 << 20, LITTLE = OTHERS + (32 << 20), ROUNDS_LEAST = 16 };
    struct ht_sse *stuck = calloc(STUCK, sizeof *stuck);
    const long now = (long)time(NULL) - 5000;
    const int room = 4096;
    long round = 0;
    HT_REQUIRE(begin_stream("") && stuck != NULL);
    fleet_make();
    fleet_move(round, now);
    double before = metric("process_resident_memory_bytes");
    for (int i = 0; i < STUCK; i++) {
        stuck[i].client.fd = ht_client_socket();
        HT_CHECK(setsockopt(stuck[i].client.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) == 0);
        HT_CHECK(ht_client_connect(stuck[i].client.fd, port));
        HT_CHECK(ht_sse_ask(&stuck[i], "/v1/stream?topics=positions", ""));
    }
    while (
        (metric("houtao_stream_ended_total{reason=\"stuck\"}") < STUCK || round < ROUNDS_LEAST) &&
        round < 4000) {
        round++;
        fleet_move(round, now + round);
        (void)usleep(20000);
    }
    /* a megabyte a round would have been told each of the 20, 320 in all at least */
    HT_CHECK(!OWN_MEMORY || metric("process_resident_memory_bytes") < before + LITTLE);
    HT_CHECK(ht_sse_next(&stuck[0]));
    while (strcmp(stuck[0].event, "positions") == 0 && ht_sse_next(&stuck[0])) {
    }
    HT_CHECK(strcmp(stuck[0].event, "dropped") == 0);
    HT_CHECK(stuck[0].data != NULL && strstr(stuck[0].data, "nothing was read") != NULL);
    HT_CHECK(!ht_sse_next(&stuck[0]) && stuck[0].ended);
    for (int i = 0; i < 3000 && metric("houtao_stream_subscribers") != 0; i++) {
        (void)usleep(20000); /* counted as ended before they are out */
    }
    HT_CHECK_INT((int64_t)metric("houtao_stream_subscribers"), 0);
    for (int i = 0; i < STUCK; i++) {
        ht_sse_close(&stuck[i]);
    }
    free(stuck);
    end();
}

HT_CASE(what_is_asked_wrongly_is_refused_with_the_reason)
{
    static const char *const wrong[][2] = {
        {"topics=", "topics is a list"},
        {"topics=positions,nonsense", "topics is a list"},
        {"bbox=1,2,3", "bbox is four numbers"},
        {"bbox=1,2,x,4", "bbox is four numbers"},
        {"bbox=122,29,121,30", "ends before it begins"},
        {"bbox=121,30,122,29", "ends before it begins"},
        {"bbox=121,30,122,129", "does not lie on Earth"},
        {"crs=nonsense", "crs is not"},
        {"out_crs=EPSG:999999", "out_crs is not"},
        {"last_event_id=x", "not the number of an event"},
        {"last_event_id=-1", "not the number of an event"},
        {"last_event_id=99999999999999999999999", "not the number of an event"},
        {"last_event_id=7", "has not happened here"},
        {"topics=%zz", "not well encoded"},
    };
    HT_REQUIRE(begin_stream(""));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char target[256];
        (void)snprintf(target, sizeof target, "/v1/stream?%s", wrong[i][0]);
        HT_CHECK_INT(get(target), 400);
        HT_CHECK(answer.body != NULL && strstr(answer.body, wrong[i][1]) != NULL);
    }
    HT_CHECK_INT(ask("GET /v1/stream" HEADERS "Last-Event-ID: 1e3\r\n\r\n"), 400);
    HT_CHECK_INT(post("/v1/stream", JSON, "{}"), 405);
    HT_CHECK_INT((int64_t)metric("houtao_stream_subscribers"), 0);
    end();
}

/* Adds a token to the file and gives it. */
static const char *token_for(const char *name, const char *role, const char *more)
{
    static char given[8][64];
    static size_t at;
    char line[256];
    (void)snprintf(line, sizeof line, "token add %s/tokens --name %s --role %s %s", folder, name,
                   role, more);
    char *token = given[at++ % 8];
    const char *said = ht_command_run(line)->out;
    (void)snprintf(token, sizeof given[0], "%.*s", (int)strcspn(said, "\n"), said);
    return token;
}

static int stream_as(struct ht_sse *sse, const char *token, const char *topics)
{
    char target[256];
    (void)snprintf(target, sizeof target, "/v1/stream?topics=%s&access_token=%s", topics, token);
    return ht_sse_open(sse, port, target, "") ? 200 : sse->status;
}

HT_CASE(only_who_may_listens_and_only_as_long_as_they_may)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    char path[160];
    HT_REQUIRE(map_make() && sse != NULL);
    const char *viewer = token_for("v", "viewer", "");
    const char *other = token_for("w", "viewer", "--district elsewhere");
    const char *device = token_for("d", "device", "--unit u");
    const char *admin = token_for("a", "admin", "");
    (void)snprintf(path, sizeof path, "--tokens %s/tokens", folder);
    HT_REQUIRE(begin_stream(path));
    HT_CHECK_INT(get("/v1/stream"), 401);
    HT_CHECK_INT(stream_as(sse, device, "positions"), 403);
    ht_sse_close(sse);
    HT_CHECK_INT(stream_as(sse, other, "positions"), 403);
    ht_sse_close(sse);
    HT_CHECK_INT(stream_as(sse, viewer, "audit"), 403);
    ht_sse_close(sse);
    HT_CHECK_INT(stream_as(sse, admin, "audit"), 200);
    ht_sse_close(sse);
    HT_CHECK_INT(stream_as(sse, viewer, "positions"), 200);
    (void)snprintf(path, sizeof path, "sed -i '/^v /d' %s/tokens", folder);
    HT_CHECK(system(path) == 0);
    HT_CHECK(ht_sse_next(sse) && strcmp(sse->event, "dropped") == 0);
    HT_CHECK(sse->data != NULL && strstr(sse->data, "token is not valid") != NULL);
    HT_CHECK(!ht_sse_next(sse) && sse->ended);
    ht_sse_close(sse);
    free(sse);
    end();
}

/* Who may not read the office's tables does not hear either what is changed in them. */
HT_CASE(changed_settings_are_told_to_officers_alone)
{
    struct ht_sse *sse = calloc(2, sizeof *sse);
    char text[256];
    HT_REQUIRE(map_make() && sse != NULL);
    const char *viewer = token_for("sv", "viewer", "");
    const char *officer = token_for("sd", "dispatcher", "");
    const char *admin = token_for("sa", "admin", "");
    (void)snprintf(text, sizeof text, "--tokens %s/tokens", folder);
    HT_REQUIRE(begin_stream(text));
    HT_CHECK_INT(stream_as(sse, viewer, "settings"), 403);
    ht_sse_close(sse);
    (void)snprintf(text, sizeof text, "/v1/stream?access_token=%s", viewer);
    HT_REQUIRE(ht_sse_open(&sse[0], port, text, ""));
    HT_REQUIRE(stream_as(&sse[1], officer, "settings,registry") == 200);
    (void)snprintf(text, sizeof text, JSON "Authorization: Bearer %s\r\n", admin);
    HT_CHECK_INT(send_body("PUT", "/v1/settings/live", text, "{\"stale_s\":90}"), 200);
    (void)snprintf(text, sizeof text, GEO "Authorization: Bearer %s\r\n", admin);
    HT_CHECK_INT(send_body("PUT", UNITS "/u1", text,
                           "{\"type\":\"Feature\",\"geometry\":null,\"properties\":{}}"),
                 201);
    HT_REQUIRE(ht_sse_next(&sse[1]));
    HT_CHECK_STR(sse[1].event, "settings");
    HT_CHECK(strstr(sse[1].data, "\"kind\":\"setting.changed\"") != NULL);
    HT_CHECK(strstr(sse[1].data, "\"subject\":\"settings/live\"") != NULL);
    HT_CHECK(strstr(sse[1].data, "\"before\":120,\"after\":90") != NULL);
    HT_REQUIRE(ht_sse_next(&sse[1]));
    HT_CHECK_STR(sse[1].event, "registry");
    HT_REQUIRE(ht_sse_next(&sse[0]));
    HT_CHECK_STR(sse[0].event, "registry");
    ht_sse_close(&sse[0]);
    ht_sse_close(&sse[1]);
    free(sse);
    end();
}

HT_CASE(a_server_that_stops_says_so_and_ends_the_stream_whole)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    int status = -1;
    HT_REQUIRE(begin_stream("") && sse != NULL);
    HT_CHECK(ht_sse_open(sse, port, "/v1/stream", ""));
    HT_CHECK(strstr(sse->head, "Transfer-Encoding: chunked") != NULL);
    HT_CHECK(strstr(sse->head, "Content-Type: text/event-stream") != NULL);
    HT_CHECK(strstr(sse->head, "Content-Length") == NULL);
    ht_client_close(&client);
    HT_CHECK(kill(child, SIGTERM) == 0);
    HT_CHECK(ht_sse_next(sse) && strcmp(sse->event, "stopping") == 0);
    HT_CHECK(!ht_sse_next(sse) && sse->ended && !sse->broken);
    HT_CHECK(waitpid(child, &status, 0) == child);
    HT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    ht_sse_close(sse);
    free(sse);
}

HT_CASE(a_stream_comes_in_its_turn_behind_pipelined_answers)
{
    struct ht_sse *sse = calloc(1, sizeof *sse);
    struct ht_answer first;
    HT_REQUIRE(begin_stream("") && sse != NULL);
    HT_REQUIRE(ht_client_open(&sse->client, port));
    HT_CHECK(ht_client_text(&sse->client, "GET /healthz" HEADERS "\r\n"
                                          "HEAD /v1/stream" HEADERS "\r\n"));
    HT_CHECK_INT(ht_client_read(&sse->client, &first, false), 200);
    ht_answer_free(&first);
    HT_CHECK_INT(ht_client_read(&sse->client, &first, true), 200);
    ht_answer_free(&first);
    HT_CHECK(ht_sse_ask(sse, "/v1/stream?last_event_id=0", ""));
    HT_CHECK_INT(unit_put(&client, "v"), 201);
    HT_CHECK(ht_sse_next(sse) && strcmp(sse->id, "1") == 0);
    HT_CHECK_INT(ask("GET /v1/stream HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"), 505);
    ht_sse_close(sse);
    free(sse);
    end();
}

struct listener {
    pthread_t thread;
    atomic_int wrong;
};

static void *listen_all(void *user)
{
    struct listener *listener = user;
    struct ht_sse *sse = calloc(1, sizeof *sse);
    int64_t last = 0;
    const int64_t all = (int64_t)WRITERS * LISTENER_WRITES;
    if (sse == NULL || !ht_sse_open(sse, port, "/v1/stream?last_event_id=0", "")) {
        atomic_fetch_add(&listener->wrong, 1);
        free(sse);
        return NULL;
    }
    while (last < all && ht_sse_next(sse)) {
        if (sse->id[0] != '\0') {
            int64_t seq = strtoll(sse->id, NULL, 10);
            atomic_fetch_add(&listener->wrong, seq == last + 1 ? 0 : 1);
            last = seq;
        }
    }
    atomic_fetch_add(&listener->wrong, last == all ? 0 : 1);
    ht_sse_close(sse);
    free(sse);
    return NULL;
}

HT_CASE(fifty_listen_while_four_write_and_units_move)
{
    static struct listener listeners[LISTENERS];
    static struct writer writers[WRITERS];
    const long now = (long)time(NULL) - 1000;
    HT_REQUIRE(begin_stream(""));
    for (int i = 0; i < LISTENERS; i++) {
        HT_CHECK(pthread_create(&listeners[i].thread, NULL, listen_all, &listeners[i]) == 0);
    }
    writers_start(writers, WRITERS, LISTENER_WRITES);
    for (long i = 0; i < 40; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "u%ld-0", i % WRITERS);
        body[0] = '[';
        size_t size = 1 + position_text(body + 1, sizeof body - 1, id, i, now + i);
        (void)snprintf(body + size, sizeof body - size, "]");
        HT_CHECK_INT(post("/v1/positions", JSON, body), 200);
    }
    writers_end(writers, WRITERS);
    for (int i = 0; i < LISTENERS; i++) {
        HT_CHECK(pthread_join(listeners[i].thread, NULL) == 0);
        HT_CHECK_INT(atomic_load(&listeners[i].wrong), 0);
    }
    HT_CHECK(metric_reaches("houtao_stream_ended_total{reason=\"left\"}", LISTENERS));
    end();
}

HT_SERVED_MAIN()
