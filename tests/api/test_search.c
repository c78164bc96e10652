/* /v1/search over HTTP: the sample town, who finds what, the events that searches leave, changes
 * that are found at once. */
#include <sqlite3.h>

#include "tests/support/check.h"
#include "tests/support/served.h"

#define GEO "Content-Type: application/geo+json\r\n"

static char store[128];
static char tokens[128];

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* GET /v1/search with the query encoded; `more`: further parameters, "&limit=1". */
static int search_as(const char *token, const char *query, const char *more)
{
    char text[2048];
    size_t used = (size_t)snprintf(text, sizeof text, "GET /v1/search?q=");
    for (; *query != '\0'; query++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%%%02X", (unsigned char)*query);
    }
    (void)snprintf(text + used, sizeof text - used, "%s HTTP/1.1\r\nHost: 127.0.0.1\r\n%s\r\n",
                   more, token);
    return ask(text);
}

/* Waits until the index was read; until then the answer says when to ask again. */
static bool ready(const char *token)
{
    for (int i = 0; i < 600; i++) {
        int status = search_as(token, "h00001", "");
        if (status != 503) {
            return status == 200;
        }
        const char *later = ht_answer_header(&answer, "Retry-After");
        HT_CHECK(later != NULL && strcmp(later, "1") == 0);
        (void)usleep(50000);
    }
    return false;
}

static size_t hits(void)
{
    size_t count = 0;
    const char *at = answer.body;
    while (at != NULL && (at = strstr(at, "\"type\":\"Feature\"")) != NULL) {
        count++;
        at++;
    }
    return count;
}

/* The id of the first hit. */
static const char *first(void)
{
    static char id[80];
    const char *at = answer.body == NULL ? NULL : strstr(answer.body, "\"id\":\"");
    (void)snprintf(id, sizeof id, "%.*s", at == NULL ? 0 : (int)strcspn(at + 6, "\""),
                   at == NULL ? "" : at + 6);
    return id;
}

/* The sample town's households, factories and facilities, loaded; then served. */
static bool begin_town(const char *more)
{
    static const char *const collections[] = {"households", "factories", "facilities"};
    char line[512];
    if (!map_make()) {
        return false;
    }
    if (store[0] == '\0') {
        (void)snprintf(store, sizeof store, "%s/search.sqlite", folder);
        for (size_t i = 0; i < 3; i++) {
            (void)snprintf(line, sizeof line, "load --store %s --collection %s %s/%s.csv", store,
                           collections[i], folder, collections[i]);
            if (ht_command_run(line)->code != 0) {
                return false;
            }
        }
    }
    (void)snprintf(line, sizeof line, "--store %s %s", store, more);
    return begin(line);
}

/* Asks the store itself. */
static int64_t number_of(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_open(store, &db) == SQLITE_OK) {
        (void)sqlite3_busy_timeout(db, 10000);
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW) {
            number = sqlite3_column_int64(statement, 0);
        } else if (sqlite3_errcode(db) == SQLITE_DONE) {
            number = 0;
        }
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return number;
}

static int64_t reads(void)
{
    return number_of("SELECT count(*) FROM events WHERE kind = 'personal.read'");
}

static const char *home(const char *name, const char *address)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"new-1\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[121.71,29.95]},\"properties\":{\"name\":\"%s\","
                   "\"address\":\"%s\",\"phone\":\"13900000000\"}}",
                   name, address);
    return text;
}

HT_CASE(the_sample_town_is_found_in_every_way)
{
    HT_REQUIRE(begin_town(""));
    HT_REQUIRE(ready(""));
    HT_CHECK_STR(first(), "h00001");
    HT_CHECK(says("\"collection\":\"households\"") && says("安河新村1幢1单元101室"));
    static const char *const same[] = {"镇海区蛟川街道安河新村1幢1单元101室",
                                       "安河新村1-1-101",
                                       "安河新村１幢１单元１０１",
                                       "安河新村一幢一单元101室",
                                       "ahxc1-1-101",
                                       "anhexincun 1幢 1单元 101"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        HT_CHECK_INT(search_as("", same[i], ""), 200);
        HT_CHECK_STR(first(), "h00001");
    }
    HT_CHECK_INT(search_as("", "嘉科产业园", ""), 200);
    HT_CHECK(strcmp(first(), "factory-01") == 0 && says("\"collection\":\"factories\""));
    HT_CHECK_INT(search_as("", "jkcyy", ""), 200);
    HT_CHECK_STR(first(), "factory-01");
    HT_CHECK_INT(search_as("", "一号中央厨房", "&lon=121.71&lat=29.95"), 200);
    HT_CHECK(strcmp(first(), "kitchen-1") == 0 && says("\"distance_m\":"));
    HT_CHECK_INT(search_as("", "路", "&collection=streets&limit=50"), 200);
    HT_CHECK(hits() > 5 && says("\"id\":\"way/") && says("\"collection\":\"streets\"") &&
             says("路\"") && says("\"type\":\"Point\"") && !says("households"));
    HT_CHECK_INT(search_as("", "road", "&collection=streets"), 200);
    HT_CHECK(hits() == 10 && says("\"name:en\":"));
    HT_CHECK_INT(search_as("", "安河新村", "&limit=3&collection=households"), 200);
    HT_CHECK_INT(hits(), 3);
    HT_CHECK_INT(search_as("", "没有这个名字", ""), 200);
    HT_CHECK_INT(hits(), 0);
    end();
}

HT_CASE(coordinates_come_in_the_system_that_is_asked_for)
{
    HT_REQUIRE(begin_town(""));
    HT_REQUIRE(ready(""));
    HT_CHECK_INT(search_as("", "h00001", "&crs=GCJ02"), 200);
    HT_CHECK(!says("121.6895204") && says("[121.69"));
    HT_CHECK_INT(search_as("", "h00001", "&crs=GCJ02&out_crs=EPSG:4326&lon=121.7&lat=29.9"), 200);
    HT_CHECK(says("121.6895204"));
    HT_CHECK_INT(search_as("", "h00001", "&out_crs=EPSG:4550"), 200);
    HT_CHECK(!says("\"coordinates\":[121"));
    end();
}

HT_CASE(what_is_no_question_is_refused)
{
    HT_REQUIRE(begin_town(""));
    HT_REQUIRE(ready(""));
    HT_CHECK_INT(get("/v1/search"), 400);
    HT_CHECK_INT(get("/v1/search?q="), 400);
    HT_CHECK_INT(get("/v1/search?q=%zz"), 400);
    HT_CHECK_INT(get("/v1/search?q=a+b+c+d+e+f+g+h+i"), 400);
    HT_CHECK_INT(get("/v1/search?q=a&limit=0"), 400);
    HT_CHECK_INT(get("/v1/search?q=a&limit=99999"), 200);
    HT_CHECK_INT(get("/v1/search?q=a&collection=units"), 400);
    HT_CHECK_INT(get("/v1/search?q=a&phone=139"), 400);
    HT_CHECK_INT(get("/v1/search?q=a&lon=121"), 400);
    HT_CHECK_INT(get("/v1/search?q=a&lon=121&lat=x"), 400);
    HT_CHECK_INT(get("/v1/search?q=a&lon=121&lat=129"), 400);
    HT_CHECK_INT(get("/v1/search?q=a&crs=EPSG:99999"), 400);
    HT_CHECK_INT(post("/v1/search?q=a", GEO, "{}"), 405);
    end();
}

HT_CASE(a_change_is_found_once_it_was_answered)
{
    HT_REQUIRE(begin_town(""));
    HT_REQUIRE(ready(""));
    const char *path = "/collections/households/items/new-1";
    HT_CHECK_INT(search_as("", "欧阳试名", ""), 200);
    HT_CHECK_INT(hits(), 0);
    HT_CHECK_INT(send_body("PUT", path, GEO, home("欧阳试名", "候涛花园7-1-101")), 201);
    HT_CHECK_INT(search_as("", "oysm", ""), 200);
    HT_CHECK_STR(first(), "new-1");
    HT_CHECK_INT(send_body("PATCH", path, "Content-Type: application/merge-patch+json\r\n",
                           "{\"properties\":{\"name\":\"司马改名\"}}"),
                 200);
    HT_CHECK_INT(search_as("", "欧阳试名", ""), 200);
    HT_CHECK_INT(hits(), 0);
    HT_CHECK_INT(search_as("", "司马改名 候涛花园7幢", ""), 200);
    HT_CHECK_STR(first(), "new-1");
    HT_CHECK_INT(send_body("DELETE", "/collections/households/items/new-1?personal=1", "", ""),
                 204);
    HT_CHECK_INT(search_as("", "司马改名", ""), 200);
    HT_CHECK_INT(hits(), 0);
    HT_CHECK_INT(search_as("", "new-1", ""), 200);
    HT_CHECK_INT(hits(), 1);
    HT_CHECK_INT(send_body("DELETE", path, "", ""), 204);
    HT_CHECK_INT(search_as("", "new-1", ""), 200);
    HT_CHECK_INT(hits(), 0);
    end();
}

static const char *token_for(const char *name, const char *role)
{
    static char lines[4][128];
    static int next;
    char line[512];
    (void)snprintf(line, sizeof line, "token add %s --name %s --role %s", tokens, name, role);
    const char *token = ht_command_run(line)->out;
    char *out = lines[next++ % 4];
    (void)snprintf(out, sizeof lines[0], "Authorization: Bearer %.*s\r\n",
                   (int)strcspn(token, "\n"), token);
    return out;
}

HT_CASE(persons_are_found_by_officers_alone_and_each_search_is_noted)
{
    char options[256];
    HT_REQUIRE(map_make());
    (void)snprintf(tokens, sizeof tokens, "%s/tokens", folder);
    const char *viewer = token_for("v", "viewer");
    const char *officer = token_for("o", "dispatcher");
    (void)snprintf(options, sizeof options, "--tokens %s", tokens);
    HT_REQUIRE(begin_town(options));
    HT_REQUIRE(ready(viewer));
    HT_CHECK(!says("address") && says("\"floor\""));
    HT_CHECK_INT(get("/v1/search?q=h00001"), 401);
    int64_t before = reads();
    HT_CHECK_INT(search_as(viewer, "安河新村1-1-101", ""), 200);
    HT_CHECK_INT(hits(), 0);
    HT_CHECK_INT(search_as(viewer, "h00001 安河新村", ""), 200);
    HT_CHECK_INT(hits(), 0);
    HT_CHECK_INT(search_as(viewer, "ahxc", "&collection=households"), 200);
    HT_CHECK_INT(hits(), 0);
    HT_CHECK_INT(search_as(viewer, "嘉科产业园", ""), 200);
    HT_CHECK_STR(first(), "factory-01");
    HT_CHECK_INT(reads(), before);
    HT_CHECK_INT(search_as(officer, "安河新村1-1-101", ""), 200);
    HT_CHECK(strcmp(first(), "h00001") == 0 && says("\"address\""));
    HT_CHECK_INT(reads(), before + 1);
    HT_CHECK_INT(search_as(officer, "没有这个人", ""), 200);
    HT_CHECK_INT(reads(), before + 2);
    HT_CHECK_INT(search_as(officer, "嘉科产业园", "&collection=factories"), 200);
    HT_CHECK_INT(reads(), before + 2);
    HT_CHECK_INT(number_of("SELECT count(*) FROM events WHERE kind = 'personal.read' AND actor = "
                           "'o' AND body LIKE '%search%'"),
                 2);
    HT_CHECK_INT(number_of("SELECT count(*) FROM events WHERE body LIKE '%安河%' OR subject LIKE "
                           "'%安河%' OR body LIKE '%没有%'"),
                 0);
    end();
}

HT_CASE(where_the_event_cant_be_written_persons_are_withheld)
{
    HT_REQUIRE(begin_town(""));
    HT_REQUIRE(ready(""));
    HT_CHECK(says("\"address\"") && !says("withheld"));
    HT_CHECK_INT(number_of("CREATE TRIGGER refuse BEFORE INSERT ON events WHEN new.kind = "
                           "'personal.read' BEGIN SELECT RAISE(ABORT, 'no'); END"),
                 0);
    HT_CHECK_INT(search_as("", "h00001", ""), 200);
    HT_CHECK(strcmp(first(), "h00001") == 0 && !says("address") &&
             says("\"personal\":\"withheld\""));
    HT_CHECK_INT(search_as("", "安河新村1-1-101", ""), 200);
    HT_CHECK(hits() == 0 && says("\"personal\":\"withheld\""));
    /* nor does it help to ask by what is withheld */
    HT_CHECK_INT(get("/collections/households/items?frail=true"), 200);
    HT_CHECK(hits() == 0 && says("\"numberMatched\":0") && says("\"personal\":\"withheld\""));
    HT_CHECK_INT(get("/collections/households/items?residents=2&limit=3"), 200);
    HT_CHECK(hits() == 3 && says("\"personal\":\"withheld\""));
    HT_CHECK_INT(get("/v1/near?collection=households&lon=121.7&lat=29.95&k=3&frail=true"), 200);
    HT_CHECK(hits() == 0 && says("\"personal\":\"withheld\""));
    HT_CHECK_INT(get("/v1/near?collection=households&lon=121.7&lat=29.95&k=3"), 200);
    HT_CHECK(hits() == 3 && says("\"personal\":\"withheld\""));
    HT_CHECK_INT(number_of("DROP TRIGGER refuse"), 0);
    HT_CHECK_INT(search_as("", "安河新村1-1-101", ""), 200);
    HT_CHECK_STR(first(), "h00001");
    end();
}

HT_CASE(without_a_store_streets_are_found)
{
    HT_REQUIRE(begin(""));
    HT_REQUIRE(ready(""));
    HT_CHECK_INT(search_as("", "路", ""), 200);
    HT_CHECK(hits() == 10 && !says("withheld"));
    end();
}

HT_SERVED_MAIN()
