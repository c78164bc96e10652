/* What is asked of nodes again and again, and what must hold of their record whatever happened.
 *
 * Include it in one .c file per program, after tests/support/check.h. Threading: from the main
 * thread.
 */
#ifndef HT_TESTS_SUPPORT_CLUSTER_ACTS_H
#define HT_TESTS_SUPPORT_CLUSTER_ACTS_H

#include "tests/support/cluster.h"
#include "tests/support/json_at.h"
#include "tests/support/sse.h"

#define JSON "Content-Type: application/json\r\n"
#define GEO "Content-Type: application/geo+json\r\n"

enum { TEXT = 512 };

/* A token's header with others behind it. */
static inline const char *as(const char *who, const char *more)
{
    static char text[TEXT];
    (void)snprintf(text, sizeof text, "%s%s", who, more);
    return text;
}

static inline int unit_put(const struct node *node, int number, const char *status)
{
    char path[64];
    char body[TEXT];
    (void)snprintf(path, sizeof path, "/collections/units/items/u%d", number);
    (void)snprintf(body, sizeof body,
                   "{\"type\":\"Feature\",\"id\":\"u%d\",\"geometry\":{\"type\":\"Point\","
                   "\"coordinates\":[%.4f,29.9500]},\"properties\":{\"kind\":\"responder\","
                   "\"profile\":\"car\",\"status\":\"%s\",\"skills\":[\"first_aid\"]}}",
                   number, 121.71 + number * 1e-3, status);
    return node_insist(node, "PUT", path, as(admin, GEO), body);
}

static inline int other_than(int node)
{
    return (node + 1) % NODES;
}

/* An alarm; the id of its incident into `id`. */
static inline int alarm_raise(const struct node *node, const char *key, double lon, char id[32])
{
    char headers[TEXT];
    char body[128];
    (void)snprintf(headers, sizeof headers, "%s" JSON "Idempotency-Key: %s\r\n", admin, key);
    (void)snprintf(body, sizeof body, "{\"kind\":\"sos\",\"lon\":%.6f,\"lat\":29.95}", lon);
    int status = node_insist(node, "POST", "/v1/incidents", headers, body);
    const char *at = status == 201 ? ht_json_at(told.body, "id") : NULL;
    (void)snprintf(id, 32, "%.*s", at == NULL ? 0 : (int)strcspn(at + 1, "\""),
                   at == NULL ? "" : at + 1);
    return status;
}

static inline int incident_step(const struct node *node, const char *id, const char *body)
{
    char path[96];
    (void)snprintf(path, sizeof path, "/v1/incidents/%s/events", id);
    return node_insist(node, "POST", path, as(admin, JSON), body);
}

/* Of each unit, an assignment is followed by its end, on the same incident (as
 * tests/support/engaged.h asks it of SQLite). How often that is not so. */
static inline int64_t engaged_twice(void)
{
    return record_number(
        "WITH e AS (SELECT seq, (kind = 'incident.assigned')::int AS begins, body->>'unit' AS unit,"
        " body->>'incident' AS incident FROM events WHERE kind IN ('incident.assigned',"
        " 'incident.released', 'incident.declined', 'incident.passed_over')),"
        " n AS (SELECT begins, incident,"
        " lag(begins) OVER (PARTITION BY unit ORDER BY seq) AS earlier,"
        " lag(incident) OVER (PARTITION BY unit ORDER BY seq) AS there FROM e)"
        " SELECT count(*) FROM n WHERE begins = coalesce(earlier, 0)"
        " OR (begins = 0 AND incident <> there)");
}

/* What must hold of the table whatever happened. */
static inline void record_check(void)
{
    char line[HT_PG_URL + 16];
    HT_CHECK_INT(engaged_twice(), 0);
    HT_CHECK_INT(record_number("SELECT count(*) FROM (SELECT seq, lag(seq) OVER w AS b, epoch,"
                               " lag(epoch) OVER w AS e FROM events WINDOW w AS (ORDER BY seq)) t"
                               " WHERE seq <> b + 1 OR epoch < e"),
                 0);
    (void)snprintf(line, sizeof line, "audit %s", record);
    HT_CHECK_INT(ht_command_run(line)->code, 0);
}

/* Alarms one after the other, by turns at the nodes that run, each until it is answered. Gives back
 * how many were not. */
static inline int commands_send(const char *round, int from, int until)
{
    int lost = 0;
    for (int i = from; i < until; i++) {
        char key[32];
        char id[32];
        int at = i % NODES;
        at = nodes[at].pid > 0 ? at : other_than(at);
        (void)snprintf(key, sizeof key, "%s-%d", round, i);
        if (alarm_raise(&nodes[at], key, 121.71 + i * 1e-5, id) != 201) {
            (void)printf("  %s: %.200s\n", key, told.body == NULL ? "" : told.body);
            lost++;
        } else if (i % 3 != 0) {
            (void)incident_step(&nodes[at], id, "{\"event\":\"ack\"}");
            (void)incident_step(&nodes[at], id,
                                "{\"event\":\"resolve\",\"outcome\":\"false_alarm\"}");
        }
    }
    return lost;
}

/* Each was acknowledged, and each is there once. */
static inline void commands_check(int count)
{
    HT_CHECK_INT(record_number("SELECT count(*) FROM events WHERE kind = 'incident.received'"),
                 count);
    HT_CHECK_INT(record_number("SELECT count(*) FROM answers"), count);
}

/* A reader of a node's stream that goes on where it was at whichever node answers. */
struct reader {
    struct ht_sse sse;
    bool open;
    int64_t last;
    int64_t gaps;
    int at;
};

static inline void reader_open(struct reader *reader)
{
    char headers[TEXT];
    (void)snprintf(headers, sizeof headers, "%sLast-Event-ID: %lld\r\n", admin,
                   (long long)reader->last);
    for (int i = 0; i < NODES && !reader->open; i++) {
        reader->at = (reader->at + 1) % NODES;
        if (nodes[reader->at].pid <= 0) {
            continue;
        }
        reader->open = ht_sse_open(&reader->sse, nodes[reader->at].port, "/v1/stream", headers);
        if (!reader->open) {
            ht_sse_close(&reader->sse);
        }
    }
}

/* Up to event `until`. */
static inline bool reader_follow(struct reader *reader, int64_t until)
{
    for (int tries = 0; reader->last < until && tries < 200;) {
        if (!reader->open) {
            reader_open(reader);
        }
        if (!reader->open || !ht_sse_next(&reader->sse)) {
            if (reader->open) {
                ht_sse_close(&reader->sse);
            }
            reader->open = false;
            tries++;
            (void)usleep(100000);
            continue;
        }
        int64_t seq = reader->sse.id[0] == '\0' ? 0 : strtoll(reader->sse.id, NULL, 10);
        if (seq != 0) {
            reader->gaps += seq != reader->last + 1;
            reader->last = seq;
        }
    }
    return reader->last >= until;
}

/* A process that kills or stops another one in the midst of what the test does. */
static inline pid_t later(pid_t victim, int number)
{
    (void)fflush(stdout);
    pid_t own = fork();
    if (own == 0) {
        (void)usleep(300000);
        (void)kill(victim, number);
        _exit(0);
    }
    return own;
}

#endif
