/* A server whose disk is full or can't be written: commands are told so and nothing of them stays,
 * questions and positions go on, and it writes again by itself once there is room. */
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/support/check.h"
#include "tests/support/medium.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"
#define HOMES "/collections/households/items"
#define CELLS "/collections/cells/items"
#define UNITS "/collections/units/items"
#define ROUTE "/route/v1/car/121.71,29.95;121.72,29.96"

static char place[96]; /* the folder of the store */
static char store[128];
static char options[512];

static bool begin_store(void)
{
    static int number;
    if (!map_make()) {
        return false;
    }
    (void)snprintf(place, sizeof place, "%s/disk%d", folder, number++);
    if (mkdir(place, 0700) != 0) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/town.sqlite", place);
    (void)snprintf(options, sizeof options, "--store %s", store);
    return begin(options);
}

static const char *at(const char *id, const char *properties)
{
    static char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[121.71,29.95]},\"properties\":%s}",
                   id, properties);
    return text;
}

static const char *cell(const char *id)
{
    static char text[512];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":{\"type\":\"Polygon\","
                   "\"coordinates\":[[[121.7,29.94],[121.72,29.94],[121.72,29.96],[121.7,29.96],"
                   "[121.7,29.94]]]},\"properties\":{\"kind\":\"grid\"}}",
                   id);
    return text;
}

static int position(const char *unit, int number)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "[{\"unit\":\"%s\",\"lon\":121.71%d,\"lat\":29.95,\"ts\":%ld}]", unit, number,
                   (long)time(NULL) - 100 + number * 20L);
    return post("/v1/positions", JSON, text);
}

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* How long a file the server may write; 0: any. */
static void room(rlim_t bytes)
{
    struct rlimit limit;
    HT_CHECK(prlimit(child, RLIMIT_FSIZE, NULL, &limit) == 0);
    limit.rlim_cur = bytes == 0 ? limit.rlim_max : bytes;
    HT_CHECK(prlimit(child, RLIMIT_FSIZE, &limit, NULL) == 0);
}

/* The tile around h1 comes without who is frail, and says so. */
static void check_frail_withheld(void)
{
    HT_CHECK_INT(get("/tiles/households/16/54924/27049.mvt?frail=true"), 200);
    const char *personal = ht_answer_header(&answer, "Personal");
    HT_CHECK_STR(personal, "withheld");
    HT_REQUIRE(answer.body != NULL);
    HT_CHECK(answer.size > 0 && memmem(answer.body, answer.size, "frail", 5) == NULL);
    HT_CHECK(memmem(answer.body, answer.size, "h1", 2) != NULL);
}

static void check_no_room(int status)
{
    HT_CHECK_INT(status, 503);
    HT_CHECK(says("no room left on the disk") && says("\"status\":503"));
    HT_CHECK_STR(ht_answer_header(&answer, "Content-Type"), "application/problem+json");
    HT_CHECK(ht_answer_header(&answer, "Retry-After") != NULL);
}

HT_CASE(on_a_full_disk_commands_wait_and_all_else_goes_on)
{
    char line[256];
    HT_REQUIRE(begin_store());
    HT_CHECK_INT(post(UNITS, GEO, at("v1", "{\"kind\":\"van\",\"profile\":\"car\"}")), 201);
    HT_CHECK_INT(post(HOMES, GEO, at("h1", "{\"residents\":2,\"name\":\"王\",\"frail\":true}")),
                 201);
    HT_CHECK_INT(position("v1", 1), 200);
    room(1000);
    for (int i = 0; i < 3; i++) {
        check_no_room(post(HOMES, GEO "Idempotency-Key: k\r\n", at("h2", "{}")));
        check_no_room(post(CELLS, GEO, cell("c1")));
        check_no_room(ask("DELETE " HOMES "/h1" HEADERS "\r\n"));
    }
    HT_CHECK_INT(get(HOMES "/h1"), 200);
    /* a reading of persons that can't be noted is not given */
    HT_CHECK(says("\"residents\":2") && !says("王"));
    check_frail_withheld();
    HT_CHECK_INT(get(HOMES "/h2"), 404);
    HT_CHECK_INT(get(CELLS), 200);
    HT_CHECK(says("\"numberMatched\":0"));
    HT_CHECK_INT(get(ROUTE), 200);
    HT_CHECK_INT(position("v1", 2), 200);
    HT_CHECK(says("\"accepted\":1"));
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.95&k=1"), 200);
    HT_CHECK(says("\"unit\":\"v1\""));
    (void)sleep(5); /* positions are to be saved meanwhile, and can't be */
    HT_CHECK_INT(position("v1", 3), 200);
    room(0);
    HT_CHECK_INT(post(HOMES, GEO "Idempotency-Key: k\r\n", at("h2", "{}")), 201);
    HT_CHECK_INT(get(HOMES "/h2"), 200);
    HT_CHECK(!says("\"cell\"")); /* nothing is left of the cell that was refused */
    HT_CHECK_INT(get(HOMES "/h1"), 200);
    HT_CHECK(says("王"));
    end();
    (void)snprintf(line, sizeof line, "audit %s", store);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get("/v1/units/v1/track"), 200);
    HT_CHECK(says("[[121.711,29.95],[121.712,29.95],[121.713,29.95]]"));
    end();
}

static int count_of(int fd, const char *text)
{
    static char said[1 << 16];
    ssize_t size = pread(fd, said, sizeof said - 1, 0);
    int count = 0;
    said[size > 0 ? size : 0] = '\0';
    for (const char *at = strstr(said, text); at != NULL; at = strstr(at + 1, text)) {
        count++;
    }
    return count;
}

/* Who looks after the server reads once that commands are lost, and once that they are not any
 * more.
 */
HT_CASE(the_log_says_when_commands_are_lost_and_when_that_is_over)
{
    int own = dup(STDERR_FILENO);
    int log = ht_command_temp();
    HT_REQUIRE(own >= 0 && log >= 0 && dup2(log, STDERR_FILENO) == STDERR_FILENO);
    bool begun = begin_store();
    HT_CHECK(dup2(own, STDERR_FILENO) == STDERR_FILENO && close(own) == 0);
    HT_REQUIRE(begun);
    HT_CHECK_INT(count_of(log, "serve: version 0."), 1);
    HT_CHECK_INT(count_of(log, store), 1);
    room(1000);
    for (int i = 0; i < 3; i++) {
        check_no_room(post(CELLS, GEO, cell("c1")));
    }
    HT_CHECK_INT(count_of(log, "commands can't be written: no room left on the disk"), 1);
    room(0);
    for (int i = 0; i < 600 && count_of(log, "commands are written again") == 0; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "h%d", i);
        HT_CHECK_INT(post(HOMES, GEO, at(id, "{}")), 201);
        (void)usleep(100000);
    }
    HT_CHECK_INT(count_of(log, "commands are written again"), 1);
    HT_CHECK_INT(count_of(log, "commands can't be written"), 1);
    end();
    (void)close(log);
}

/* In a process of its own, whose folder can't be written. */
static int served_read_only(void)
{
    if (!ht_medium_read_only(place)) {
        return 77;
    }
    if (!begin(options)) {
        return 1;
    }
    HT_CHECK_INT(get(HOMES "/h1"), 200);
    HT_CHECK(says("\"residents\":2") && !says("王"));
    check_frail_withheld();
    HT_CHECK_INT(get(HOMES), 200);
    HT_CHECK(says("\"numberMatched\":1"));
    HT_CHECK_INT(post(HOMES, GEO, at("h2", "{}")), 503);
    HT_CHECK(says("the store can't be written"));
    HT_CHECK(ht_answer_header(&answer, "Retry-After") != NULL);
    HT_CHECK_INT(ask("DELETE " HOMES "/h1" HEADERS "\r\n"), 503);
    HT_CHECK_INT(get("/v1/incidents/i1/history"), 200);
    HT_CHECK(says("\"event\":\"queued\"") && !says("狗"));
    HT_CHECK_INT(post("/v1/incidents", JSON, "{\"household\":\"h1\",\"kind\":\"sos\"}"), 503);
    HT_CHECK_INT(get(ROUTE), 200);
    HT_CHECK_INT(position("v1", 1), 200);
    HT_CHECK(says("\"accepted\":1"));
    HT_CHECK_INT(get("/v1/closest?lon=121.712&lat=29.95&k=1"), 200);
    HT_CHECK(says("\"unit\":\"v1\""));
    HT_CHECK_INT(get("/v1/near?collection=households&lon=121.71&lat=29.95&k=1"), 200);
    end();
    return ht_case_failures > 0 ? 1 : 0;
}

HT_CASE(a_store_that_cannot_be_written_is_served_with_all_that_its_log_holds)
{
    int status = -1;
    HT_REQUIRE(begin_store());
    HT_CHECK_INT(post(UNITS, GEO, at("v1", "{\"kind\":\"van\",\"profile\":\"car\"}")), 201);
    HT_CHECK_INT(post(HOMES, GEO, at("h1", "{\"residents\":2,\"name\":\"王\",\"frail\":true}")),
                 201);
    HT_CHECK_INT(
        post("/v1/incidents", JSON, "{\"household\":\"h1\",\"kind\":\"sos\",\"note\":\"狗\"}"),
        201);
    HT_CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    ht_client_close(&client);
    (void)fflush(stdout);
    pid_t reader = fork();
    if (reader == 0) {
        int code = served_read_only();
        (void)fflush(stdout);
        _exit(code);
    }
    HT_CHECK(waitpid(reader, &status, 0) == reader && WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        HT_SKIP("no mounts of our own here");
    }
    HT_CHECK_INT(WEXITSTATUS(status), 0);
}

HT_SERVED_MAIN()
