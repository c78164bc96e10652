#include "geodata/event_export.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The columns of a row, in order. */
enum column { SEQ, DISTRICT, EPOCH, AT_MS, ACTOR, KIND, SUBJECT, BODY, HASH, COLUMNS };

static const char *const names[COLUMNS] = {"seq",  "district", "epoch", "at_ms", "actor",
                                           "kind", "subject",  "body",  "hash"};

static bool is_number(int column)
{
    return column == SEQ || column == EPOCH || column == AT_MS;
}

/* ---- writing ---- */

static void quoted(struct ht_text *out, const char *text)
{
    if (strpbrk(text, "\",\r\n") == NULL) {
        ht_text_add_string(out, text);
        return;
    }
    ht_text_add_char(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"') {
            ht_text_add_char(out, '"');
        }
        ht_text_add_char(out, *text);
    }
    ht_text_add_char(out, '"');
}

static void csv_write(const struct ht_store_event *event, struct ht_text *out)
{
    ht_text_addf(out, "%" PRId64 ",", event->seq);
    quoted(out, event->district);
    ht_text_addf(out, ",%" PRId64 ",%" PRId64 ",", event->epoch, event->at_ms);
    quoted(out, event->actor);
    ht_text_add_char(out, ',');
    quoted(out, event->kind);
    ht_text_add_char(out, ',');
    quoted(out, event->subject);
    ht_text_add_char(out, ',');
    quoted(out, event->body);
    ht_text_addf(out, ",%s\r\n", event->hash);
}

static void json_text(struct ht_text *out, const char *name, const char *text)
{
    ht_text_addf(out, ",\"%s\":", name);
    ht_text_add_json(out, text, strlen(text));
}

static void json_write(const struct ht_store_event *event, struct ht_text *out)
{
    ht_text_addf(out, "{\"seq\":%" PRId64, event->seq);
    json_text(out, "district", event->district);
    ht_text_addf(out, ",\"epoch\":%" PRId64 ",\"at_ms\":%" PRId64, event->epoch, event->at_ms);
    json_text(out, "actor", event->actor);
    json_text(out, "kind", event->kind);
    json_text(out, "subject", event->subject);
    json_text(out, "body", event->body);
    json_text(out, "hash", event->hash);
    ht_text_add_char(out, '}');
}

void ht_event_write_begin(struct ht_event_writer *writer, enum ht_event_format format,
                          const char *from, struct ht_text *out)
{
    from = from == NULL ? ht_event_first_hash : from;
    *writer = (struct ht_event_writer){.format = format};
    (void)snprintf(writer->last_hash, sizeof writer->last_hash, "%s", from);
    if (format == HT_EVENT_JSON) {
        ht_text_addf(out, "{\"from\":\"%s\",\"events\":[", from);
        return;
    }
    for (int i = 0; i < COLUMNS; i++) {
        ht_text_addf(out, "%s%s", i == 0 ? "" : ",", names[i]);
    }
    ht_text_add_string(out, "\r\n");
}

void ht_event_write(struct ht_event_writer *writer, const struct ht_store_event *event,
                    struct ht_text *out)
{
    if (writer->format == HT_EVENT_CSV) {
        csv_write(event, out);
    } else {
        ht_text_add_string(out, writer->count == 0 ? "" : ",");
        json_write(event, out);
    }
    writer->count++;
    (void)snprintf(writer->last_hash, sizeof writer->last_hash, "%s", event->hash);
}

void ht_event_write_end(struct ht_event_writer *writer, struct ht_text *out)
{
    if (writer->format == HT_EVENT_JSON) {
        ht_text_addf(out, "],\"count\":%" PRIu64 ",\"last_hash\":\"%s\"}", writer->count,
                     writer->last_hash);
    }
}

/* ---- reading ---- */

struct reading {
    const char *at;
    const char *end;
    int64_t line; /* of a CSV */
    struct ht_text fields[COLUMNS];
    struct ht_event_audit audit;
    struct ht_error *error;
};

static enum ht_status wrong(struct reading *r, const char *what)
{
    return ht_error_set(r->error, HT_SYNTAX, r->line, "%s", what);
}

/* Digits as we write them, and no others. */
static bool whole_read(const struct ht_text *field, int64_t *out)
{
    const char *text = ht_text_string(field);
    char again[24];
    char *end = NULL;
    *out = strtoll(text, &end, 10);
    (void)snprintf(again, sizeof again, "%" PRId64, *out);
    return *text != '\0' && strcmp(text, again) == 0;
}

static enum ht_status row_take(struct reading *r)
{
    int64_t numbers[COLUMNS] = {0};
    bool whole = true;
    for (int i = 0; i < COLUMNS; i++) {
        if (r->fields[i].failed) {
            return ht_error_set(r->error, HT_NOMEM, 0, NULL);
        }
        if (is_number(i) && !whole_read(&r->fields[i], &numbers[i])) {
            return wrong(r, "seq, epoch and at_ms are whole numbers");
        }
        whole = whole && strlen(ht_text_string(&r->fields[i])) == r->fields[i].size;
    }
    const struct ht_store_event event = {.seq = numbers[SEQ],
                                         .district = ht_text_string(&r->fields[DISTRICT]),
                                         .epoch = numbers[EPOCH],
                                         .at_ms = numbers[AT_MS],
                                         .actor = ht_text_string(&r->fields[ACTOR]),
                                         .kind = ht_text_string(&r->fields[KIND]),
                                         .subject = ht_text_string(&r->fields[SUBJECT]),
                                         .body = ht_text_string(&r->fields[BODY]),
                                         .hash = ht_text_string(&r->fields[HASH])};
    enum ht_status status = ht_event_audit_take(&r->audit, &event, whole);
    return status == HT_OK ? HT_OK : ht_error_set(r->error, status, 0, NULL);
}

static void fields_clear(struct reading *r)
{
    for (int i = 0; i < COLUMNS; i++) {
        ht_text_clear(&r->fields[i]);
    }
}

/* ---- CSV ---- */

/* A cell between quotes, `at` behind the first. False: it has no end. */
static bool quoted_read(struct reading *r, struct ht_text *out)
{
    while (r->at < r->end) {
        const char *quote = memchr(r->at, '"', (size_t)(r->end - r->at));
        if (quote == NULL) {
            return false;
        }
        for (const char *c = r->at; c < quote; c++) {
            r->line += *c == '\n' ? 1 : 0;
        }
        ht_text_add(out, r->at, (size_t)(quote - r->at));
        r->at = quote + 1;
        if (r->at == r->end || *r->at != '"') {
            return true;
        }
        ht_text_add_char(out, '"');
        r->at++;
    }
    return false;
}

static enum ht_status cell_read(struct reading *r, struct ht_text *out)
{
    if (r->at < r->end && *r->at == '"') {
        r->at++;
        return quoted_read(r, out) ? HT_OK : wrong(r, "a quoted cell has no end");
    }
    const char *begin = r->at;
    while (r->at < r->end && *r->at != ',' && *r->at != '\r' && *r->at != '\n') {
        r->at++;
    }
    ht_text_add(out, begin, (size_t)(r->at - begin));
    return HT_OK;
}

static enum ht_status line_read(struct reading *r)
{
    fields_clear(r);
    for (int i = 0; i < COLUMNS; i++) {
        enum ht_status status = cell_read(r, &r->fields[i]);
        if (status != HT_OK) {
            return status;
        }
        if (i + 1 < COLUMNS && (r->at == r->end || *r->at++ != ',')) {
            return wrong(r, "a row has nine cells");
        }
    }
    if (r->at < r->end && *r->at == '\r') {
        r->at++;
    }
    if (r->at < r->end && *r->at++ != '\n') {
        return wrong(r, "a row has nine cells");
    }
    return HT_OK;
}

static enum ht_status csv_read(struct reading *r)
{
    r->line = 1;
    enum ht_status status = line_read(r);
    for (int i = 0; i < COLUMNS && status == HT_OK; i++) {
        if (r->fields[i].failed || strcmp(ht_text_string(&r->fields[i]), names[i]) != 0) {
            status =
                wrong(r, "the first line is seq,district,epoch,at_ms,actor,kind,subject,body,hash");
        }
    }
    while (status == HT_OK && r->at < r->end) {
        r->line++;
        status = line_read(r);
        status = status == HT_OK ? row_take(r) : status;
    }
    return status;
}

/* ---- JSON ---- */

static void space_skip(struct reading *r)
{
    while (r->at < r->end &&
           (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n')) {
        r->at++;
    }
}

/* True, and past it: the next is that. */
static bool next_is(struct reading *r, char c)
{
    space_skip(r);
    if (r->at == r->end || *r->at != c) {
        return false;
    }
    r->at++;
    return true;
}

static bool hex_read(struct reading *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *digit = r->at < r->end && *r->at != '\0' ? strchr(digits, *r->at) : NULL;
        if (digit == NULL) {
            return false;
        }
        *out = *out << 4 | ((uint32_t)(digit - digits) & 15U);
        r->at++;
    }
    return true;
}

static void utf8_add(struct ht_text *out, uint32_t c)
{
    if (c < 0x80) {
        ht_text_add_char(out, (char)c);
    } else if (c < 0x800) {
        ht_text_add_char(out, (char)(0xc0 | c >> 6));
        ht_text_add_char(out, (char)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        ht_text_add_char(out, (char)(0xe0 | c >> 12));
        ht_text_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        ht_text_add_char(out, (char)(0x80 | (c & 0x3f)));
    } else {
        ht_text_add_char(out, (char)(0xf0 | c >> 18));
        ht_text_add_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
        ht_text_add_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
        ht_text_add_char(out, (char)(0x80 | (c & 0x3f)));
    }
}

static bool unicode_read(struct reading *r, struct ht_text *out)
{
    uint32_t high = 0;
    uint32_t low = 0;
    if (!hex_read(r, &high)) {
        return false;
    }
    if (high >= 0xd800 && high < 0xdc00) {
        if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u') {
            return false;
        }
        r->at += 2;
        if (!hex_read(r, &low) || low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    utf8_add(out, high);
    return true;
}

/* What stands behind a backslash. */
static bool escape_read(struct reading *r, struct ht_text *out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (r->at == r->end) {
        return false;
    }
    char c = *r->at++;
    if (c == 'u') {
        return unicode_read(r, out);
    }
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL) {
        ht_text_add_char(out, to[found - from]);
    }
    return found != NULL;
}

static enum ht_status text_read(struct reading *r, struct ht_text *out)
{
    ht_text_clear(out);
    if (!next_is(r, '"')) {
        return wrong(r, "a text is missing");
    }
    while (r->at < r->end && *r->at != '"') {
        const char *begin = r->at;
        while (r->at < r->end && *r->at != '"' && *r->at != '\\') {
            r->at++;
        }
        ht_text_add(out, begin, (size_t)(r->at - begin));
        if (r->at < r->end && *r->at == '\\') {
            r->at++;
            if (!escape_read(r, out)) {
                return wrong(r, "a text is not well escaped");
            }
        }
    }
    return next_is(r, '"') ? HT_OK : wrong(r, "a text has no end");
}

static enum ht_status digits_read(struct reading *r, struct ht_text *out)
{
    ht_text_clear(out);
    space_skip(r);
    const char *begin = r->at;
    while (r->at < r->end && (*r->at == '-' || (*r->at >= '0' && *r->at <= '9'))) {
        r->at++;
    }
    ht_text_add(out, begin, (size_t)(r->at - begin));
    return r->at > begin ? HT_OK : wrong(r, "a whole number is missing");
}

static int column_of(const char *name)
{
    int i = 0;
    while (i < COLUMNS && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

/* One row, its brace read; each member once. */
static enum ht_status object_read(struct reading *r)
{
    struct ht_text name = {0};
    unsigned seen = 0;
    enum ht_status status = HT_OK;
    fields_clear(r);
    do {
        status = text_read(r, &name);
        int column = status == HT_OK && !name.failed ? column_of(ht_text_string(&name)) : COLUMNS;
        if (status == HT_OK && (column == COLUMNS || (seen >> column & 1U) != 0)) {
            status = wrong(r, "a row has each of its nine members once and no others");
        }
        if (status == HT_OK && !next_is(r, ':')) {
            status = wrong(r, "a colon is missing");
        }
        if (status == HT_OK) {
            seen |= 1U << column;
            status = is_number(column) ? digits_read(r, &r->fields[column])
                                       : text_read(r, &r->fields[column]);
        }
    } while (status == HT_OK && next_is(r, ','));
    ht_text_deinit(&name);
    if (status == HT_OK && (!next_is(r, '}') || seen != (1U << COLUMNS) - 1)) {
        status = wrong(r, "a row has each of its nine members once and no others");
    }
    return status == HT_OK ? row_take(r) : status;
}

static enum ht_status list_read(struct reading *r)
{
    enum ht_status status = HT_OK;
    if (!next_is(r, '[')) {
        return wrong(r, "events is a list");
    }
    if (next_is(r, ']')) {
        return HT_OK;
    }
    do {
        status = next_is(r, '{') ? object_read(r) : wrong(r, "an event is an object");
    } while (status == HT_OK && next_is(r, ','));
    return status == HT_OK && !next_is(r, ']') ? wrong(r, "the list of events has no end") : status;
}

/* What the document says beside its rows. */
struct frame {
    struct ht_text from;
    struct ht_text count;
    struct ht_text last_hash;
    bool listed;
};

static enum ht_status from_take(struct reading *r, const struct frame *frame)
{
    const char *from = ht_text_string(&frame->from);
    if (frame->listed || frame->from.size != HT_DIGEST_TEXT - 1 ||
        strlen(from) != frame->from.size) {
        return wrong(r, "from, the hash before the first event, comes before events");
    }
    r->audit.part = strcmp(from, ht_event_first_hash) != 0;
    memcpy(r->audit.hash, from, HT_DIGEST_TEXT);
    return HT_OK;
}

static enum ht_status member_read(struct reading *r, const char *name, struct frame *frame)
{
    enum ht_status status = HT_OK;
    if (!next_is(r, ':')) {
        return wrong(r, "a colon is missing");
    }
    if (strcmp(name, "from") == 0) {
        status = text_read(r, &frame->from);
        return status == HT_OK ? from_take(r, frame) : status;
    }
    if (strcmp(name, "events") == 0 && !frame->listed) {
        frame->listed = true;
        return list_read(r);
    }
    if (strcmp(name, "count") == 0) {
        return digits_read(r, &frame->count);
    }
    return strcmp(name, "last_hash") == 0 ? text_read(r, &frame->last_hash)
                                          : wrong(r, "there is a member that is not ours");
}

static enum ht_status frame_read(struct reading *r, struct frame *frame)
{
    struct ht_text name = {0};
    enum ht_status status = HT_OK;
    r->at++; /* the brace */
    do {
        status = text_read(r, &name);
        status = status == HT_OK && name.failed ? HT_NOMEM : status;
        status = status == HT_OK ? member_read(r, ht_text_string(&name), frame) : status;
    } while (status == HT_OK && next_is(r, ','));
    ht_text_deinit(&name);
    if (status == HT_OK && !next_is(r, '}')) {
        status = wrong(r, "the end is missing");
    }
    space_skip(r);
    return status == HT_OK && r->at != r->end ? wrong(r, "there is something behind the end")
                                              : status;
}

static enum ht_status json_read(struct reading *r)
{
    struct frame frame = {.listed = false};
    int64_t count = 0;
    enum ht_status status = frame_read(r, &frame);
    if (status == HT_OK && (!frame.listed || frame.from.size == 0)) {
        status = wrong(r, "from and events are missing");
    }
    bool cut = !whole_read(&frame.count, &count) || (uint64_t)count != r->audit.events ||
               strcmp(ht_text_string(&frame.last_hash), r->audit.hash) != 0;
    if (status == HT_OK && cut && r->audit.broken_seq == 0) {
        r->audit.broken_seq = r->audit.seq + 1;
    }
    ht_text_deinit(&frame.from);
    ht_text_deinit(&frame.count);
    ht_text_deinit(&frame.last_hash);
    return status;
}

/* ---- both ---- */

enum ht_status ht_event_export_audit(const char *bytes, size_t size, const char *from,
                                     struct ht_store_audit *out, struct ht_error *error)
{
    struct reading r = {.at = bytes, .end = bytes + size, .error = error};
    memset(out, 0, sizeof *out);
    enum ht_status status = ht_event_audit_init(&r.audit, from);
    if (status != HT_OK) {
        (void)ht_error_set(error, status, 0, NULL);
    } else if (size == 0) {
        status = ht_error_set(error, HT_EMPTY, 0, "it is empty");
    } else {
        status = bytes[0] == '{' ? json_read(&r) : csv_read(&r);
    }
    out->events = r.audit.events;
    out->broken_seq = r.audit.broken_seq;
    memcpy(out->last_hash, r.audit.hash, HT_DIGEST_TEXT);
    for (int i = 0; i < COLUMNS; i++) {
        ht_text_deinit(&r.fields[i]);
    }
    ht_event_audit_deinit(&r.audit);
    return status;
}
