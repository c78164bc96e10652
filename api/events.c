#include "api/events.h"

#include <string.h>

#include "api/look.h"
#include "geodata/event_export.h"

enum { ROWS_DEFAULT = 10000, ROWS_MOST = 50000 };

struct events_look {
    struct ht_look look;
    enum ht_event_format format;
    int64_t after;
};

struct writing {
    struct ht_event_writer writer;
    struct ht_text text;
    struct ht_buffer *out;
    int64_t wanted; /* the number before the first row, whose hash is the one before it */
    char from[HT_DIGEST_TEXT];
};

/* Row by row into the answer: the text is that of one row. */
static void flush(struct writing *w)
{
    ht_buffer_append(w->out, ht_text_string(&w->text), w->text.size);
    w->out->failed = w->out->failed || w->text.failed;
    ht_text_clear(&w->text);
}

static enum ht_status from_take(void *user, const struct ht_store_event *event)
{
    struct writing *w = user;
    if (event->seq == w->wanted && strlen(event->hash) == HT_DIGEST_TEXT - 1) {
        memcpy(w->from, event->hash, HT_DIGEST_TEXT);
    }
    return HT_OK;
}

static enum ht_status row_take(void *user, const struct ht_store_event *event)
{
    struct writing *w = user;
    ht_event_write(&w->writer, event, &w->text);
    flush(w);
    return w->out->failed ? HT_NOMEM : HT_OK;
}

static enum ht_status events_write(struct ht_app_context *context, const struct ht_look *look,
                                   struct ht_look_telling *telling, struct ht_error *error)
{
    const struct events_look *ask = (const struct events_look *)look;
    struct writing w = {.out = telling->json->out, .wanted = ask->after};
    (void)context;
    memcpy(w.from, ht_event_first_hash, HT_DIGEST_TEXT);
    enum ht_status status = HT_OK;
    if (ask->after > 0) {
        status = ht_store_events(telling->reader, ask->after - 1, 1, from_take, &w, error);
    }
    if (status == HT_OK && ask->after > 0 && memcmp(w.from, ht_event_first_hash, 64) == 0) {
        return ht_error_set(error, HT_INVALID, 0, "after is the number of an event");
    }
    ht_event_write_begin(&w.writer, ask->format, w.from, &w.text);
    flush(&w);
    if (status == HT_OK) {
        status = ht_store_events(telling->reader, ask->after, look->limit, row_take, &w, error);
    }
    ht_event_write_end(&w.writer, &w.text);
    flush(&w);
    ht_text_deinit(&w.text);
    telling->content_type =
        ask->format == HT_EVENT_CSV ? "text/csv; charset=utf-8" : "application/json; charset=UTF-8";
    return status;
}

/* NULL, or what is wrong. */
static const char *ask_read(struct events_look *ask)
{
    const char *format = ht_param(&ask->look.params, "format");
    const char *after = ht_param(&ask->look.params, "after");
    const char *limit = ht_param(&ask->look.params, "limit");
    int64_t most = ROWS_DEFAULT;
    if (format != NULL && strcmp(format, "csv") != 0 && strcmp(format, "json") != 0) {
        return "format is csv or json";
    }
    if (after != NULL && !ht_param_number(after, 0, INT64_MAX, &ask->after)) {
        return "after is the number of an event";
    }
    if (limit != NULL && !ht_param_number(limit, 1, ROWS_MOST, &most)) {
        return "limit is 1 to 50000";
    }
    ask->format = format != NULL && strcmp(format, "csv") == 0 ? HT_EVENT_CSV : HT_EVENT_JSON;
    ask->look.limit = (size_t)most;
    return NULL;
}

void ht_events_get(struct ht_app_context *context, struct ht_http_call *call)
{
    if (context->app->store == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "this server has no store");
        return;
    }
    struct events_look *ask = ht_look_begin(context, call, sizeof *ask, false);
    if (ask == NULL) {
        return;
    }
    const char *wrong = ask_read(ask);
    if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
        ht_look_free(ask);
        return;
    }
    ask->look.write = events_write;
    ask->look.collection = "events";
    ask->look.how = "items";
    ask->look.personal = false; /* rows hold ids alone */
    ht_look_start(call, &ask->look);
}
