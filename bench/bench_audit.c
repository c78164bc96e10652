/* Audit: what one row of the event table that is not as it was written costs to find, and whether
 * it is found each time.
 *
 *   bench_audit [RESULT.json [ROWS]]
 *
 * 10,000 rows; of each one is changed, dropped, swapped with the next, put in twice: 40,000
 * forgeries. The audit stands at the row before; what counts as found is a break at the row or the
 * next, or another last hash. Nanoseconds of a row audited, CPU time of the thread, of the chain
 * itself and of an export in CSV and JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/origin.h"
#include "geodata/event_export.h"

enum { ROWS_MOST = 1000000, WAYS = 4 };

struct row {
    char body[160];
    char hash[HT_DIGEST_TEXT];
};

struct bench {
    struct row *rows;
    size_t count;
    char last_hash[HT_DIGEST_TEXT];
    uint64_t found[WAYS];
    uint64_t forged[WAYS];
    double chain_ns;
    double csv_ns;
    double json_ns;
};

static const char *const ways[WAYS] = {"changed", "dropped", "swapped", "put in"};

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static struct ht_store_event event_of(const struct bench *b, size_t i)
{
    return (struct ht_store_event){.seq = (int64_t)i + 1,
                                   .district = "main",
                                   .epoch = 1,
                                   .at_ms = INT64_C(1772416800000) + (int64_t)i * 1000,
                                   .actor = "inspector",
                                   .kind = "visit.reported",
                                   .subject = "visits/v-0123456789",
                                   .body = b->rows[i].body,
                                   .hash = b->rows[i].hash};
}

static bool prepare(struct bench *b)
{
    struct ht_digest digest;
    bool good = ht_digest_init(&digest) == HT_OK;
    b->rows = calloc(b->count, sizeof *b->rows);
    for (size_t i = 0; good && b->rows != NULL && i < b->count; i++) {
        (void)snprintf(b->rows[i].body, sizeof b->rows[i].body,
                       "{\"id\":\"v-%zu\",\"inspector\":\"i%zu\",\"outcome\":\"done\",\"seen\":"
                       "\"2026-03-02T02:00:00.000Z\",\"distance_m\":%zu,\"flags\":0,\"hazards\":0}",
                       i, i % 113, i % 150);
        struct ht_store_event event = event_of(b, i);
        good = ht_event_hash(&digest, i == 0 ? ht_event_first_hash : b->rows[i - 1].hash, &event,
                             b->rows[i].hash) == HT_OK;
    }
    ht_digest_deinit(&digest);
    if (good && b->rows != NULL) {
        memcpy(b->last_hash, b->rows[b->count - 1].hash, sizeof b->last_hash);
    }
    return good && b->rows != NULL;
}

/* ---- forgeries ---- */

static bool is_found(const struct bench *b, const struct ht_event_audit *before,
                     const struct ht_store_event *forged, size_t count, size_t next)
{
    struct ht_event_audit audit = *before;
    bool good = true;
    for (size_t i = 0; i < count && audit.broken_seq == 0 && good; i++) {
        good = ht_event_audit_take(&audit, &forged[i], true) == HT_OK;
    }
    if (audit.broken_seq == 0 && next < b->count && good) {
        struct ht_store_event event = event_of(b, next);
        good = ht_event_audit_take(&audit, &event, true) == HT_OK;
    }
    return good && (audit.broken_seq != 0 || strcmp(audit.hash, b->last_hash) != 0);
}

static void count(struct bench *b, int way, bool found)
{
    b->forged[way]++;
    b->found[way] += found ? 1 : 0;
}

static bool forge_all(struct bench *b)
{
    struct ht_event_audit audit;
    bool good = ht_event_audit_init(&audit, NULL) == HT_OK;
    for (size_t i = 0; i < b->count && good; i++) {
        struct ht_store_event own = event_of(b, i);
        struct ht_store_event changed = own;
        struct ht_store_event twice[2] = {own, own};
        changed.at_ms += 1;
        count(b, 0, is_found(b, &audit, &changed, 1, i + 1));
        count(b, 1, is_found(b, &audit, NULL, 0, i + 1));
        if (i + 1 < b->count) {
            struct ht_store_event swapped[2] = {event_of(b, i + 1), own};
            count(b, 2, is_found(b, &audit, swapped, 2, i + 2));
        }
        count(b, 3, is_found(b, &audit, twice, 2, i + 1));
        good = ht_event_audit_take(&audit, &own, true) == HT_OK && audit.broken_seq == 0;
    }
    ht_event_audit_deinit(&audit);
    return good;
}

/* ---- speed ---- */

static bool chain_run(struct bench *b)
{
    struct ht_event_audit audit;
    bool good = ht_event_audit_init(&audit, NULL) == HT_OK;
    double begin = now_s();
    for (size_t i = 0; i < b->count && good; i++) {
        struct ht_store_event event = event_of(b, i);
        good = ht_event_audit_take(&audit, &event, true) == HT_OK;
    }
    b->chain_ns = (now_s() - begin) * 1e9 / (double)b->count;
    good = good && audit.broken_seq == 0;
    ht_event_audit_deinit(&audit);
    return good;
}

static bool export_run(const struct bench *b, enum ht_event_format format, double *ns)
{
    struct ht_event_writer writer;
    struct ht_store_audit audit;
    struct ht_text text = {0};
    ht_event_write_begin(&writer, format, NULL, &text);
    for (size_t i = 0; i < b->count; i++) {
        struct ht_store_event event = event_of(b, i);
        ht_event_write(&writer, &event, &text);
    }
    ht_event_write_end(&writer, &text);
    double begin = now_s();
    bool good = !text.failed &&
                ht_event_export_audit(text.data, text.size, NULL, &audit, NULL) == HT_OK &&
                audit.broken_seq == 0 && strcmp(audit.last_hash, b->last_hash) == 0;
    *ns = (now_s() - begin) * 1e9 / (double)b->count;
    ht_text_deinit(&text);
    return good;
}

/* ---- */

static bool report(const struct bench *b, const char *path)
{
    bool all = true;
    (void)printf("%-10s %10s %10s\n", "forgery", "of", "found");
    for (int w = 0; w < WAYS; w++) {
        (void)printf("%-10s %10" PRIu64 " %10" PRIu64 "\n", ways[w], b->forged[w], b->found[w]);
        all = all && b->forged[w] == b->found[w];
    }
    (void)printf("ns a row: chain %.0f, CSV %.0f, JSON %.0f\n", b->chain_ns, b->csv_ns, b->json_ns);
    FILE *json = fopen(path, "w");
    if (json != NULL) {
        (void)fprintf(json, "{");
        ht_bench_origin(json);
        (void)fprintf(json, ",\"rows\":%zu,\"forged\":%" PRIu64 ",\"found\":%" PRIu64, b->count,
                      b->forged[0] + b->forged[1] + b->forged[2] + b->forged[3],
                      b->found[0] + b->found[1] + b->found[2] + b->found[3]);
        (void)fprintf(json, ",\"chain_ns\":%.0f,\"csv_ns\":%.0f,\"json_ns\":%.0f}\n", b->chain_ns,
                      b->csv_ns, b->json_ns);
        (void)fclose(json);
    }
    return all;
}

int main(int argc, char **argv)
{
    struct bench b = {.count = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 10000};
    bool good = b.count >= 2 && b.count <= ROWS_MOST && prepare(&b) && forge_all(&b) &&
                chain_run(&b) && export_run(&b, HT_EVENT_CSV, &b.csv_ns) &&
                export_run(&b, HT_EVENT_JSON, &b.json_ns);
    good = good && report(&b, argc > 1 ? argv[1] : "bench/results/audit.json");
    free(b.rows);
    return good ? 0 : 1;
}
