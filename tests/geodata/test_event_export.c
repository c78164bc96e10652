/* The event table taken elsewhere: whoever changes, drops, swaps or puts in any one row of ten
 * thousand is found, each time, in CSV and in JSON. */
#include "geodata/event_export.h"

#include "tests/support/check.h"

enum { ROWS = 10000 };

struct row {
    size_t at;
    size_t size;
};

static struct ht_text whole;
static struct row rows[ROWS];
static char last_hash[HT_DIGEST_TEXT];

/* Rows with all that makes trouble in either form. */
static void make(enum ht_event_format format, int count)
{
    struct ht_event_writer writer;
    struct ht_digest digest;
    char before[HT_DIGEST_TEXT];
    memcpy(before, ht_event_first_hash, sizeof before);
    HT_CHECK_INT(ht_digest_init(&digest), HT_OK);
    ht_text_clear(&whole);
    ht_event_write_begin(&writer, format, NULL, &whole);
    for (int i = 0; i < count; i++) {
        char body[160];
        char hash[HT_DIGEST_TEXT];
        (void)snprintf(body, sizeof body, "{\"n\":%d,\"text\":\"a, \\\"b\\\"\\n%s\"}", i,
                       i % 3 == 0 ? "整改\r\n" : "x");
        struct ht_store_event event = {.seq = i + 1,
                                       .district = "main",
                                       .epoch = 1,
                                       .at_ms = INT64_C(1772416800000) + i,
                                       .actor = i % 7 == 0 ? "o'neill, \"sam\"" : "desk",
                                       .kind = "visit.planned",
                                       .subject = "visits/v",
                                       .body = body,
                                       .hash = hash};
        HT_CHECK_INT(ht_event_hash(&digest, before, &event, hash), HT_OK);
        rows[i].at = whole.size;
        ht_event_write(&writer, &event, &whole);
        rows[i].size = whole.size - rows[i].at;
        memcpy(before, hash, sizeof before);
    }
    ht_event_write_end(&writer, &whole);
    memcpy(last_hash, before, sizeof last_hash);
    ht_digest_deinit(&digest);
    HT_CHECK(!whole.failed);
}

/* Whether an audit is content with it. */
static bool holds(const char *text, size_t size)
{
    struct ht_store_audit audit;
    enum ht_status status = ht_event_export_audit(text, size, NULL, &audit, NULL);
    return status == HT_OK && audit.broken_seq == 0 && strcmp(audit.last_hash, last_hash) == 0;
}

/* The text with the i-th row as `with` has it, and the next as `then`. */
static bool holds_with(size_t i, struct ht_text *with)
{
    struct ht_text text = {0};
    size_t end = rows[i].at + rows[i].size;
    ht_text_add(&text, whole.data, rows[i].at);
    ht_text_add(&text, ht_text_string(with), with->size);
    ht_text_add(&text, whole.data + end, whole.size - end);
    bool good = holds(text.data, text.size);
    ht_text_deinit(&text);
    return good;
}

static void tamper(size_t i)
{
    struct ht_text with = {0};
    const char *row = whole.data + rows[i].at;
    HT_CHECK(!holds_with(i, &with)); /* dropped */
    ht_text_add(&with, row, rows[i].size);
    HT_CHECK(i % 500 != 0 || holds_with(i, &with));
    char *digit = strstr(with.data, "n\\\":") != NULL ? strstr(with.data, "n\\\":") + 4
                                                      : strstr(with.data, "n\"\":") + 4;
    *digit = *digit == '9' ? '8' : (char)(*digit + 1); /* changed by one digit */
    HT_CHECK(!holds_with(i, &with));
    ht_text_clear(&with);
    for (int n = 0; n < 2; n++) { /* put in twice */
        ht_text_add(&with, row, rows[i].size);
    }
    HT_CHECK(!holds_with(i, &with));
    ht_text_deinit(&with);
}

static bool holds_swapped(size_t i)
{
    struct ht_text text = {0};
    size_t end = rows[i + 1].at + rows[i + 1].size;
    ht_text_add(&text, whole.data, rows[i].at);
    ht_text_add(&text, whole.data + rows[i + 1].at, rows[i + 1].size);
    ht_text_add(&text, whole.data + rows[i].at, rows[i].size);
    ht_text_add(&text, whole.data + end, whole.size - end);
    bool good = holds(text.data, text.size);
    ht_text_deinit(&text);
    return good;
}

static void tamper_with_all(enum ht_event_format format)
{
    /* each row costs an audit of all of them: some of fewer in the short measure */
    size_t count = HT_LONG ? ROWS : 500;
    make(format, (int)count);
    HT_CHECK(holds(whole.data, whole.size));
    for (size_t i = 0; i < count; i += 97) {
        tamper(i);
        HT_CHECK(i + 1 == count || !holds_swapped(i));
    }
    tamper(count - 1); /* the last as well: its hash is known */
    HT_CHECK(!holds_swapped(count - 2));
}

HT_CASE(no_row_of_a_csv_is_tampered_with_unseen)
{
    tamper_with_all(HT_EVENT_CSV);
}

HT_CASE(no_row_of_json_is_tampered_with_unseen)
{
    tamper_with_all(HT_EVENT_JSON);
}

/* ---- every row ---- */

struct kept {
    char body[48];
    char hash[HT_DIGEST_TEXT];
};

static struct kept kept[ROWS + 1];

static struct ht_store_event event_of(size_t i)
{
    return (struct ht_store_event){.seq = (int64_t)i + 1,
                                   .district = "main",
                                   .epoch = 1,
                                   .at_ms = INT64_C(1772416800000) + (int64_t)i,
                                   .actor = "desk",
                                   .kind = "visit.reported",
                                   .subject = "visits/v",
                                   .body = kept[i].body,
                                   .hash = kept[i].hash};
}

/* Whether some rows behind an audit that stands at `before`, and all that follow, are found out: a
 * break shows at once, or the row behind it does not follow. */
static bool found(const struct ht_event_audit *before, const struct ht_store_event *rows_in,
                  size_t count, size_t next)
{
    struct ht_event_audit audit = *before;
    for (size_t i = 0; i < count && audit.broken_seq == 0; i++) {
        HT_CHECK_INT(ht_event_audit_take(&audit, &rows_in[i], true), HT_OK);
    }
    if (audit.broken_seq == 0 && next < ROWS) {
        struct ht_store_event event = event_of(next);
        HT_CHECK_INT(ht_event_audit_take(&audit, &event, true), HT_OK);
    }
    return audit.broken_seq != 0 || strcmp(audit.hash, kept[ROWS - 1].hash) != 0;
}

HT_CASE(whoever_changes_drops_swaps_or_puts_in_any_one_row_of_ten_thousand_is_found)
{
    struct ht_event_audit audit;
    uint64_t unseen = 0;
    HT_CHECK_INT(ht_event_audit_init(&audit, NULL), HT_OK);
    for (size_t i = 0; i < ROWS; i++) {
        (void)snprintf(kept[i].body, sizeof kept[i].body, "{\"n\":%zu}", i);
        struct ht_store_event event = event_of(i);
        HT_CHECK_INT(ht_event_hash(&audit.digest, i == 0 ? ht_event_first_hash : kept[i - 1].hash,
                                   &event, kept[i].hash),
                     HT_OK);
    }
    for (size_t i = 0; i < ROWS; i++) {
        struct ht_store_event own = event_of(i);
        struct ht_store_event changed = own;
        struct ht_store_event twice[2] = {own, own};
        struct ht_store_event swapped[2] = {event_of(i + 1 < ROWS ? i + 1 : i), own};
        changed.body = i % 2 == 0 ? "{\"n\":-1}" : own.body;
        changed.at_ms += i % 2 == 0 ? 0 : 1;
        unseen += found(&audit, &changed, 1, i + 1) ? 0 : 1;
        unseen += found(&audit, NULL, 0, i + 1) ? 0 : 1; /* dropped */
        unseen += found(&audit, twice, 2, i + 1) ? 0 : 1;
        unseen += i + 1 == ROWS || found(&audit, swapped, 2, i + 2) ? 0 : 1;
        HT_CHECK(i + 1 < ROWS || !found(&audit, &own, 1, ROWS)); /* as it is, it holds */
        HT_CHECK_INT(ht_event_audit_take(&audit, &own, true), HT_OK);
    }
    HT_CHECK_INT(unseen, 0);
    HT_CHECK_INT(audit.broken_seq, 0);
    ht_event_audit_deinit(&audit);
}

HT_CASE(a_cut_tail_of_json_shows_by_itself)
{
    struct ht_store_audit audit;
    struct ht_text text = {0};
    make(HT_EVENT_JSON, 20);
    ht_text_add(&text, whole.data, rows[19].at);
    ht_text_add(&text, whole.data + rows[19].at + rows[19].size,
                whole.size - rows[19].at - rows[19].size);
    HT_CHECK_INT(ht_event_export_audit(text.data, text.size, NULL, &audit, NULL), HT_OK);
    HT_CHECK_INT(audit.broken_seq, 20);
    ht_text_deinit(&text);
}

HT_CASE(a_part_is_audited_from_the_hash_before_it)
{
    struct ht_store_audit audit;
    struct ht_text text = {0};
    char from[HT_DIGEST_TEXT];
    make(HT_EVENT_CSV, 10);
    memcpy(from, last_hash, sizeof from);
    make(HT_EVENT_CSV, 20);
    ht_text_add(&text, whole.data, rows[0].at);
    ht_text_add(&text, whole.data + rows[10].at, whole.size - rows[10].at);
    HT_CHECK_INT(ht_event_export_audit(text.data, text.size, from, &audit, NULL), HT_OK);
    HT_CHECK_INT(audit.broken_seq, 0);
    HT_CHECK_INT(audit.events, 10);
    HT_CHECK_STR(audit.last_hash, last_hash);
    HT_CHECK_INT(ht_event_export_audit(text.data, text.size, NULL, &audit, NULL), HT_OK);
    HT_CHECK_INT(audit.broken_seq, 11);
    ht_text_deinit(&text);
}

HT_CASE(what_is_no_export_is_told_so)
{
    static const char *const bad[] = {
        "x",
        "seq,district\r\n",
        "{",
        "{}",
        "{\"events\":[]}",
        "{\"from\":\"0\",\"events\":[]}",
        ("{\"from\":\"0000000000000000000000000000000000000000000000000000000000000000\","
         "\"events\":[{\"seq\":1}],\"count\":1,\"last_hash\":\"\"}"),
        "seq,district,epoch,at_ms,actor,kind,subject,body,hash\r\n1,2\r\n",
        "seq,district,epoch,at_ms,actor,kind,subject,body,hash\r\n01,a,1,1,a,b,c,d,e\r\n",
        "seq,district,epoch,at_ms,actor,kind,subject,body,hash\r\n1,\"a,1,1,a,b,c,d,e\r\n"};
    struct ht_store_audit audit;
    struct ht_error error;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        HT_CHECK_INT(ht_event_export_audit(bad[i], strlen(bad[i]), NULL, &audit, &error),
                     HT_SYNTAX);
        HT_CHECK(error.message[0] != '\0');
    }
    HT_CHECK_INT(ht_event_export_audit("", 0, NULL, &audit, &error), HT_EMPTY);
    ht_text_deinit(&whole);
}

HT_MAIN()
