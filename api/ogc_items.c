/* Reading items: what the query asks, the answer as GeoJSON, and the event where persons are read.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/box.h"
#include "api/command.h"
#include "api/item_json.h"
#include "api/json.h"
#include "api/live.h"
#include "api/ogc.h"
#include "api/persons.h"
#include "engine/base/time.h"

enum { LIMIT_DEFAULT = 10, LIMIT_MOST = 10000 };

/* A question, from the loop to a worker and, where it reads persons, on to the writer. */
struct question {
    const struct ht_collection *collection;
    struct ht_caller caller;
    char id[HT_ID_MAX + 1]; /* one item; "": a page of them */
    char *base;             /* "http://HOST/collections/households/items" */
    struct ht_params params;
    struct ht_crs crs;
    struct ht_box box;
    struct ht_store_filter filters[HT_PARAMS_MOST];
    struct ht_store_query query;
    bool personal;          /* reads persons, which the writer has to note */
    struct ht_buffer plain; /* the answer without them, should that fail */
    char etag[32];
    int64_t at_ms;
    char crs_name[HT_CRS_NAME_SIZE + 2];
};

static void question_free(void *data)
{
    struct question *question = data;
    ht_params_deinit(&question->params);
    ht_buffer_deinit(&question->plain);
    free(question->base);
    free(question);
}

static enum ht_status wrong(struct ht_error *error, const char *what)
{
    return ht_error_set(error, HT_SYNTAX, 0, "%s", what);
}

/* bbox, in the order of bbox-crs. */
static enum ht_status box_read(struct question *question, struct ht_crs_work *work,
                               const char *text, struct ht_error *error)
{
    const char *name = ht_param(&question->params, "bbox-crs");
    struct ht_crs crs = {0};
    if (name != NULL && ht_crs_parse(name, strlen(name), &crs) != HT_OK) {
        return wrong(error, "bbox-crs is not a coordinate system");
    }
    question->query.box = &question->box;
    return ht_bbox_read(text, &crs, work, &question->box, error);
}

static bool time_read(const char *text, size_t size, int64_t open, int64_t *out)
{
    if (size == 0 || (size == 2 && memcmp(text, "..", 2) == 0)) {
        *out = open;
        return true;
    }
    return ht_time_parse(text, size, out);
}

/* One moment, or from/until, each may be open. It is about when an item was changed last. */
static enum ht_status datetime_read(struct question *question, const char *text,
                                    struct ht_error *error)
{
    const char *slash = strchr(text, '/');
    size_t size = slash == NULL ? strlen(text) : (size_t)(slash - text);
    bool sound = time_read(text, size, INT64_MIN + 1, &question->query.from_ms);
    if (slash == NULL) {
        question->query.until_ms = question->query.from_ms;
    } else {
        sound = sound &&
                time_read(slash + 1, strlen(slash + 1), INT64_MAX - 1, &question->query.until_ms);
    }
    return sound ? HT_OK : wrong(error, "datetime is a time, or two with / between");
}

static enum ht_status filter_read(struct question *question, const struct ht_param *param,
                                  struct ht_error *error)
{
    const struct ht_property *property =
        ht_collection_property(question->collection, param->name, strlen(param->name));
    bool personal = property != NULL && property->personal;
    if (personal && !ht_access_personal(&question->caller)) {
        return ht_error_set(error, HT_READ_ONLY, 0, "%.64s is personal: it can't be asked by",
                            param->name);
    }
    question->filters[question->query.filter_count++] =
        (struct ht_store_filter){param->name, param->value, personal};
    return HT_OK;
}

static enum ht_status param_read(struct question *question, struct ht_crs_work *work,
                                 const struct ht_param *param, struct ht_error *error)
{
    static const char *const silent[] = {"access_token", "f", "bbox-crs", "crs"};
    int64_t number = 0;
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        if (strcmp(param->name, silent[i]) == 0) {
            return HT_OK;
        }
    }
    if (strcmp(param->name, "limit") == 0) {
        if (!ht_param_number(param->value, 1, INT64_MAX, &number)) {
            return wrong(error, "limit is a whole number from 1 on");
        }
        question->query.limit = number < LIMIT_MOST ? (uint64_t)number : LIMIT_MOST;
        return HT_OK;
    }
    if (strcmp(param->name, "offset") == 0) {
        if (!ht_param_number(param->value, 0, INT64_MAX, &number)) {
            return wrong(error, "offset is a whole number from 0 on");
        }
        question->query.offset = (uint64_t)number;
        return HT_OK;
    }
    if (strcmp(param->name, "bbox") == 0) {
        return box_read(question, work, param->value, error);
    }
    return strcmp(param->name, "datetime") == 0 ? datetime_read(question, param->value, error)
                                                : filter_read(question, param, error);
}

static enum ht_status params_read(struct question *question, struct ht_crs_work *work,
                                  struct ht_error *error)
{
    const char *crs = ht_param(&question->params, "crs");
    enum ht_status status =
        ht_crs_parse(crs == NULL ? "" : crs, crs == NULL ? 0 : strlen(crs), &question->crs);
    if (status == HT_OK) {
        status = ht_crs_check(work, &question->crs, NULL);
    }
    if (status != HT_OK) {
        return wrong(error, "crs is not a coordinate system that is known here");
    }
    for (size_t i = 0; status == HT_OK && i < question->params.count; i++) {
        status = param_read(question, work, &question->params.list[i], error);
    }
    return status;
}

static void refuse(struct ht_reply *reply, const struct ht_error *error)
{
    if (error->status == HT_READ_ONLY) {
        ht_reply_problem(reply, 403, "Forbidden", error->message);
    } else {
        ht_reply_status(reply, error);
    }
}

/* ---- the worker's part ---- */

struct page {
    struct ht_item_writer writer;
    uint64_t returned;
};

static enum ht_status page_item(void *user, const struct ht_store_item *item)
{
    struct page *page = user;
    page->returned++;
    return ht_item_write(&page->writer, item);
}

static void link_write(struct ht_json *json, const char *href, const char *rel)
{
    ht_json_object(json);
    ht_json_key_text(json, "href", href);
    ht_json_key_text(json, "rel", rel);
    ht_json_key_text(json, "type", "application/geo+json");
    ht_json_object_end(json);
}

static void add_encoded(struct ht_text *out, const char *text)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("-._~,:", c) != NULL;
        if (plain) {
            ht_text_add_char(out, (char)c);
        } else {
            ht_text_addf(out, "%%%02X", c);
        }
    }
}

/* The same question from `offset` on. */
static void page_link(struct ht_json *json, const struct question *question, uint64_t offset,
                      const char *rel)
{
    struct ht_text href = {0};
    ht_text_add_string(&href, question->base);
    ht_text_addf(&href, "?limit=%" PRIu64 "&offset=%" PRIu64, question->query.limit, offset);
    for (size_t i = 0; i < question->params.count; i++) {
        const struct ht_param *param = &question->params.list[i];
        if (strcmp(param->name, "limit") != 0 && strcmp(param->name, "offset") != 0 &&
            strcmp(param->name, "access_token") != 0) {
            ht_text_add_char(&href, '&');
            add_encoded(&href, param->name);
            ht_text_add_char(&href, '=');
            add_encoded(&href, param->value);
        }
    }
    link_write(json, ht_text_string(&href), rel);
    ht_text_deinit(&href);
}

static void page_links(struct ht_json *json, const struct question *question, bool more)
{
    uint64_t limit = question->query.limit;
    uint64_t offset = question->query.offset;
    ht_json_key(json, "links");
    ht_json_array(json);
    page_link(json, question, offset, "self");
    if (more) {
        page_link(json, question, offset + limit, "next");
    }
    if (offset > 0) {
        page_link(json, question, offset > limit ? offset - limit : 0, "prev");
    }
    ht_json_array_end(json);
}

/* Units are where they were last seen, devices were heard when they were. */
static void live_set(struct ht_item_writer *writer, const struct ht_app_context *context,
                     const struct question *question)
{
    if (strcmp(question->collection->name, "units") == 0) {
        writer->live = context->app->live;
        writer->now_ms = question->at_ms;
    } else if (strcmp(question->collection->name, "devices") == 0) {
        writer->devices = ht_live_devices(context->app->live);
    }
}

/* Who is in the answer would tell what was asked by: then nobody is. */
static bool asks_by_person(const struct question *question)
{
    bool asks = false;
    for (size_t i = 0; i < question->query.filter_count; i++) {
        asks = asks || question->filters[i].personal;
    }
    return asks;
}

static enum ht_status page_write(struct ht_app_context *context, struct question *question,
                                 bool personal, struct ht_buffer *out, struct ht_error *error)
{
    struct page page = {0};
    struct ht_json json;
    uint64_t matched = 0;
    char now[HT_TIME_TEXT_SIZE];
    ht_json_begin(&json, out);
    ht_item_writer_init(&page.writer, &json, &question->crs, context->crs);
    live_set(&page.writer, context, question);
    ht_json_object(&json);
    ht_json_key_text(&json, "type", "FeatureCollection");
    ht_json_key(&json, "features");
    ht_json_array(&json);
    question->query.personal = personal;
    enum ht_status status = HT_OK;
    if (personal || !asks_by_person(question)) {
        status =
            ht_store_items(context->reader, &question->query, page_item, &page, &matched, error);
    }
    ht_json_array_end(&json);
    page_links(&json, question, question->query.offset + page.returned < matched);
    ht_time_format(question->at_ms, now);
    ht_json_key_text(&json, "timeStamp", now);
    ht_json_key_int(&json, "numberMatched", (int64_t)matched);
    ht_json_key_int(&json, "numberReturned", (int64_t)page.returned);
    if (question->personal && !personal) {
        ht_json_key_text(&json, "personal", "withheld");
    }
    ht_json_object_end(&json);
    ht_item_writer_deinit(&page.writer);
    return status;
}

struct single {
    struct ht_item_writer writer;
    struct question *question;
};

static enum ht_status single_item(void *user, const struct ht_store_item *item)
{
    struct single *single = user;
    (void)snprintf(single->question->etag, sizeof single->question->etag, "%" PRIu64,
                   item->version);
    return ht_item_write(&single->writer, item);
}

static enum ht_status item_write(struct ht_app_context *context, struct question *question,
                                 bool personal, struct ht_buffer *out, struct ht_error *error)
{
    struct single single = {.question = question};
    struct ht_json json;
    ht_json_begin(&json, out);
    ht_item_writer_init(&single.writer, &json, &question->crs, context->crs);
    live_set(&single.writer, context, question);
    single.writer.withheld = question->personal && !personal;
    single.writer.base = question->base;
    enum ht_status status = ht_store_item(context->reader, question->collection, question->id,
                                          personal, single_item, &single, error);
    ht_item_writer_deinit(&single.writer);
    return status;
}

static enum ht_status answer_write(struct ht_app_context *context, struct question *question,
                                   bool personal, struct ht_buffer *out, struct ht_error *error)
{
    return question->id[0] == '\0' ? page_write(context, question, personal, out, error)
                                   : item_write(context, question, personal, out, error);
}

static void answer_head(const struct question *question, struct ht_reply *reply)
{
    reply->content_type = "application/geo+json";
    reply->content_crs = question->crs_name;
    memcpy(reply->etag, question->etag, sizeof reply->etag);
}

/* True: the answer waits for its event. */
static bool question_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct question *question = data;
    struct ht_error error = {0};
    if (ht_app_reader(context, reply) == NULL) {
        return false;
    }
    enum ht_status status = context->crs == NULL ? ht_crs_work_new(&context->crs) : HT_OK;
    if (status != HT_OK) {
        status = ht_error_set(&error, status, 0, NULL);
    } else {
        status = params_read(question, context->crs, &error);
    }
    bool noted = question->personal && context->app->commit != NULL;
    if (status == HT_OK) {
        status = answer_write(context, question, noted, &reply->body, &error);
    }
    if (status == HT_OK && noted) {
        status = answer_write(context, question, false, &question->plain, &error);
    }
    if (status != HT_OK) {
        ht_buffer_clear(&reply->body);
        refuse(reply, &error);
        return false;
    }
    char name[HT_CRS_NAME_SIZE];
    ht_crs_name(&question->crs, name);
    (void)snprintf(question->crs_name, sizeof question->crs_name, "<%s>", name);
    answer_head(question, reply);
    return noted;
}

static void question_plain(void *user, void *data, struct ht_reply *reply)
{
    bool note = question_run(user, data, reply);
    (void)note;
}

/* The writer's part: who read which persons. */
static void question_note(void *user, void *data, struct ht_reply *reply)
{
    const struct question *question = data;
    const struct ht_persons_read read = {.collection = question->collection->name,
                                         .id = question->id,
                                         .how = "items",
                                         .offset = question->query.offset,
                                         .limit = question->id[0] == '\0' ? question->query.limit
                                                                          : UINT64_C(1),
                                         .caller = &question->caller,
                                         .at_ms = question->at_ms,
                                         .plain = &question->plain};
    ht_persons_note(user, &read, reply);
}

static void question_withheld(void *user, void *data, enum ht_status outcome,
                              struct ht_reply *reply)
{
    struct question *question = data;
    (void)user;
    (void)outcome;
    ht_reply_reset(reply);
    answer_head(question, reply);
    ht_buffer_append(&reply->body, question->plain.data, question->plain.size);
}

/* ---- the loop's part ---- */

static void question_start(struct ht_app_context *context, struct ht_http_call *call, bool single)
{
    const struct ht_http_request *request = call->request;
    const struct ht_collection *collection = ht__ogc_collection_of(call);
    if (collection == NULL) {
        return;
    }
    struct question *question = calloc(1, sizeof *question);
    struct ht_text base = {0};
    ht_text_addf(&base, "http://%.*s/collections/%s/items", (int)request->host_size,
                 request->host == NULL ? "" : request->host, collection->name);
    if (question == NULL || base.failed) {
        free(question);
        ht_text_deinit(&base);
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    question->base = base.data;
    question->collection = collection;
    question->caller = *context->caller;
    question->query = ht_store_query_default(collection);
    question->query.limit = LIMIT_DEFAULT;
    question->query.filters = question->filters;
    question->at_ms = ht_clock_now_ms(&context->app->clock);
    question->personal = ht_persons_wanted(collection, context->caller);
    const char *id = request->target + call->params[1].at;
    size_t id_size = call->params[1].size;
    if (ht_params_of(&question->params, request) != HT_OK) {
        ht_reply_problem(call->reply, 400, "Bad Request", "the query is not well encoded");
    } else if (single && !ht_id_valid(id, id_size)) {
        ht_reply_problem(call->reply, 404, "Not Found", "no item has such an id");
    } else {
        if (single) {
            memcpy(question->id, id, id_size);
        }
        call->job = question->personal && context->app->commit != NULL
                        ? (struct ht_http_job){.prepare = question_run,
                                               .run = question_note,
                                               .lost = question_withheld,
                                               .writes = true}
                        : (struct ht_http_job){.run = question_plain};
        call->job.free = question_free;
        call->job.data = question;
        return;
    }
    question_free(question);
}

void ht_ogc_items(struct ht_app_context *context, struct ht_http_call *call)
{
    question_start(context, call, false);
}

void ht_ogc_item(struct ht_app_context *context, struct ht_http_call *call)
{
    question_start(context, call, true);
}
