/* The console as the server gives it: the page, its files, what a browser may do with them; and
 * where the binary was built without, what / says instead. */
#include <zlib.h>

#include "api/embedded.h"
#include "tests/support/check.h"
#include "tests/support/served.h"

#define HTML "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n"
#define GZIP "Accept-Encoding: gzip, deflate, br\r\n"

enum { NAMES_MOST = 16 };

static bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

static const char *header(const char *name)
{
    const char *value = ht_answer_header(&answer, name);
    return value == NULL ? "" : value;
}

static int get_with(const char *path, const char *headers)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "GET %s" HEADERS "%s\r\n", path, headers);
    return ask(text);
}

HT_CASE(binary_has_the_console_where_npm_gave_it)
{
    HT_CHECK_INT(ht_console_file_count > 0, HT_CONSOLE_BUILT);
}

HT_CASE(without_the_console_the_page_says_how_to_get_it)
{
    if (ht_console_file_count > 0) {
        HT_SKIP("this binary has the console");
    }
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get_with("/", HTML), 200);
    HT_CHECK(strncmp(header("Content-Type"), "text/html", 9) == 0);
    HT_CHECK(says("npm") && says("./run build") && says("/openapi.json"));
    HT_CHECK_INT(get("/console/app.js"), 404);
    HT_CHECK(says("without the console"));
    HT_CHECK_INT(get_with("/t/nobody", HTML), 503);
    end();
}

/* The names that a page gives: what stands in quotes after /console/. */
static size_t names_of(const char *page, char names[NAMES_MOST][128])
{
    size_t count = 0;
    for (const char *at = strstr(page, "\"/console/"); at != NULL && count < NAMES_MOST;
         at = strstr(at + 1, "\"/console/")) {
        (void)snprintf(names[count++], 128, "%.*s", (int)strcspn(at + 1, "\""), at + 1);
    }
    return count;
}

/* That the packed file is the plain one. */
static void check_file(const char *path)
{
    HT_CHECK_INT(get_with(path, GZIP), 200);
    HT_CHECK_STR(header("Content-Encoding"), "gzip");
    HT_CHECK_STR(header("Cache-Control"), "public, max-age=31536000, immutable");
    HT_CHECK_STR(header("X-Content-Type-Options"), "nosniff");
    HT_CHECK(strstr(header("Content-Security-Policy"), "default-src 'none'") != NULL);
    char had[256];
    (void)snprintf(had, sizeof had, "If-None-Match: %.60s\r\n", header("ETag"));
    size_t size = answer.size;
    char *packed = answer.body;
    answer.body = NULL;
    HT_CHECK_INT(get(path), 200);
    HT_CHECK_STR(header("Content-Encoding"), "");
    HT_CHECK(answer.size > 0);
    z_stream stream = {0};
    char *plain = calloc(answer.size + 1, 1);
    HT_REQUIRE(plain != NULL && inflateInit2(&stream, 15 + 16) == Z_OK);
    stream.next_in = (Bytef *)packed;
    stream.avail_in = (uInt)size;
    stream.next_out = (Bytef *)plain;
    stream.avail_out = (uInt)answer.size + 1;
    HT_CHECK_INT(inflate(&stream, Z_FINISH), Z_STREAM_END);
    HT_CHECK_INT(stream.total_out, answer.size);
    HT_CHECK(memcmp(plain, answer.body, answer.size) == 0);
    (void)inflateEnd(&stream);
    free(plain);
    free(packed);
    HT_CHECK_INT(get_with(path, had), 304);
    HT_CHECK_INT(answer.size, 0);
}

HT_CASE(page_and_all_its_files_come_from_here)
{
    char names[NAMES_MOST][128];
    char had[256];
    if (ht_console_file_count == 0) {
        HT_SKIP("this binary has no console");
    }
    HT_REQUIRE(begin(""));
    HT_CHECK_INT(get_with("/", HTML), 200);
    HT_CHECK(strncmp(header("Content-Type"), "text/html", 9) == 0);
    HT_CHECK_STR(header("Cache-Control"), "no-cache");
    HT_CHECK_STR(header("Referrer-Policy"), "no-referrer");
    const char *policy = header("Content-Security-Policy");
    HT_CHECK(strstr(policy, "default-src 'none'") != NULL && strstr(policy, "unsafe") == NULL &&
             strstr(policy, "http") == NULL && strstr(policy, "frame-ancestors 'none'") != NULL);
    HT_CHECK(!says("http://") && !says("https://") && !says("=\"//"));
    (void)snprintf(had, sizeof had, HTML "If-None-Match: %.60s\r\n", header("ETag"));
    size_t count = names_of(answer.body, names);
    HT_CHECK(count >= 4); /* two scripts, style, icon */
    HT_CHECK_INT(get_with("/", had), 304);
    for (size_t i = 0; i < count; i++) {
        check_file(names[i]);
    }
    HT_CHECK_INT(get("/console/index.html"), 404); /* pages have routes of their own */
    HT_CHECK_INT(get("/console/nothing.js"), 404);
    HT_CHECK_INT(get("/console/"), 404);
    HT_CHECK_INT(get("/"), 200); /* for programs */
    HT_CHECK(strncmp(header("Content-Type"), "application/json", 16) == 0);
    end();
}

HT_CASE(residents_page_is_a_page_for_browsers_alone)
{
    char options[256];
    bool there = false;
    for (size_t i = 0; i < ht_console_file_count; i++) {
        there = there || strcmp(ht_console_files[i].name, "resident.html") == 0;
    }
    if (!there) {
        HT_SKIP("this binary has no such page");
    }
    HT_REQUIRE(map_make());
    (void)snprintf(options, sizeof options, "--store %s/console.sqlite", folder);
    HT_REQUIRE(begin(options));
    HT_CHECK_INT(get_with("/t/nobody", HTML), 200); /* the page finds out by itself */
    HT_CHECK(says("<main") && strstr(header("Content-Security-Policy"), "'none'") != NULL);
    HT_CHECK(strstr(answer.head, "Cache-Control: no-store") != NULL);
    HT_CHECK(strstr(answer.head, "no-cache") == NULL); /* one word on it, not two */
    HT_CHECK_INT(get("/t/nobody"), 404);
    HT_CHECK_STR(header("Content-Type"), "application/problem+json");
    HT_CHECK_INT(get("/healthz"), 200); /* the next answer of the connection may be kept again */
    HT_CHECK(strstr(answer.head, "no-store") == NULL);
    end();
}

HT_SERVED_MAIN()
