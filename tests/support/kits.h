/* A town with kits, its server, and a Mosquitto between them.
 *
 * Include it in one .c file per program; end that file with HT_KITS_MAIN(). Threading: from the
 * main thread.
 */
#ifndef HT_TESTS_SUPPORT_KITS_H
#define HT_TESTS_SUPPORT_KITS_H

#include "tests/support/broker.h"
#include "tests/support/check.h"
#include "tests/support/json_at.h"
#include "tests/support/served.h"
#include "tests/support/sql.h"

#define GEO "Content-Type: application/geo+json\r\n"
#define JSON "Content-Type: application/json\r\n"

enum { PATIENCE = 6000, NAP_US = 10000 }; /* a minute, or with a sanitizer as long as it takes */

static char store[128];
static char options[512];

static inline bool says(const char *text)
{
    return answer.body != NULL && strstr(answer.body, text) != NULL;
}

/* The value of a metric. */
static inline double metric(const char *name)
{
    size_t size = strlen(name);
    HT_CHECK_INT(get("/metrics"), 200);
    const char *at = answer.body;
    while (at != NULL && !(strncmp(at, name, size) == 0 && at[size] == ' ')) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    return at == NULL ? -1 : strtod(at + size, NULL);
}

/* Whether a metric comes to be so much at least. */
static inline bool comes(const char *name, double want)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (metric(name) >= want) {
            return true;
        }
        (void)usleep(NAP_US);
    }
    (void)printf("  %s stays at %g\n", name, metric(name));
    return false;
}

/* Whether it comes to be just so much. */
static inline bool becomes(const char *name, double want)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (metric(name) == want) {
            return true;
        }
        (void)usleep(NAP_US);
    }
    (void)printf("  %s stays at %g\n", name, metric(name));
    return false;
}

/* Whether what a path gives comes to have this in it. */
static inline bool shows(const char *path, const char *text)
{
    for (int i = 0; i < PATIENCE; i++) {
        if (get(path) == 200 && says(text)) {
            return true;
        }
        (void)usleep(NAP_US);
    }
    (void)printf("  %s has no %s\n", path, text);
    return false;
}

static inline bool connected(void)
{
    return comes("houtao_mqtt_connected", 2);
}

static inline int item_add(const char *collection, const char *id, const char *properties)
{
    char path[64];
    char text[512];
    bool placed = strcmp(collection, "devices") != 0;
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection);
    (void)snprintf(text, sizeof text,
                   "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":%s,\"properties\":{%s}}", id,
                   placed ? "{\"type\":\"Point\",\"coordinates\":[121.71,29.95]}" : "null",
                   properties);
    return post(path, GEO, text);
}

/* A town with a responder, a home with a kit `k1`, a van with a terminal `d1`. */
static inline bool begin_kits(const char *more)
{
    static int number;
    if (!map_make() || (broker < 0 && !broker_begin(folder, ""))) {
        return false;
    }
    (void)snprintf(store, sizeof store, "%s/mqtt%d.sqlite", folder, number++);
    (void)snprintf(options, sizeof options,
                   "--store %s --mqtt mqtt://127.0.0.1:%u/?client_id=node%d %s", store,
                   (unsigned)broker_port, number, more);
    if (!begin(options)) {
        return false;
    }
    HT_CHECK_INT(
        item_add("units", "r1", "\"kind\":\"responder\",\"profile\":\"car\",\"status\":\"idle\""),
        201);
    HT_CHECK_INT(
        item_add("units", "v1", "\"kind\":\"van\",\"profile\":\"car\",\"status\":\"idle\""), 201);
    HT_CHECK_INT(item_add("households", "h1", "\"residents\":1"), 201);
    HT_CHECK_INT(item_add("devices", "k1", "\"protocol\":\"mqtt\",\"household\":\"h1\""), 201);
    HT_CHECK_INT(item_add("devices", "d1", "\"protocol\":\"mqtt\",\"unit\":\"v1\""), 201);
    return connected();
}

#define NEEDS_BROKER()                                                                             \
    if (!broker_there()) {                                                                         \
        HT_SKIP("mosquitto and mosquitto-clients are not installed");                              \
    }

static inline int64_t received(void)
{
    return ht_sql_number(store, "SELECT count(*) FROM events WHERE kind = 'incident.received'");
}

#define HT_KITS_MAIN()                                                                             \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        int code = ht_run_cases(argc > 1 ? argv[1] : NULL);                                        \
        forsake();                                                                                 \
        broker_end(SIGKILL);                                                                       \
        ht_answer_free(&answer);                                                                   \
        map_remove();                                                                              \
        return code;                                                                               \
    }

#endif
