/* Creating, replacing, updating and deleting items. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/command.h"
#include "api/commit.h"
#include "api/desk_room.h"
#include "api/devices.h"
#include "api/fencing.h"
#include "api/finder.h"
#include "api/http_answer.h"
#include "api/json.h"
#include "api/json_merge.h"
#include "api/live.h"
#include "api/ogc.h"
#include "api/regime_book.h"
#include "api/zone_profiles.h"
#include "api/zones.h"
#include "geodata/feature_list.h"

enum { PROBLEMS_MOST = 20, IDS_MOST = 1000, IDS_AT_ONCE = 256 };

/* What a body turned out to be. */
struct parsed {
    const struct ht_collection *collection;
    struct ht_feature_list features;
    struct ht_crs crs;
    struct ht_error problems[PROBLEMS_MOST];
    size_t problem_count;
    char sha256[HT_DIGEST_TEXT];
};

static void parsed_free(struct ht_command *command)
{
    struct parsed *parsed = command->parsed;
    if (parsed != NULL) {
        ht_feature_list_deinit(&parsed->features);
        free(parsed);
    }
}

static bool problem_note(void *user, const struct ht_error *error)
{
    struct parsed *parsed = user;
    if (parsed->problem_count < PROBLEMS_MOST) {
        parsed->problems[parsed->problem_count++] = *error;
    }
    return parsed->problem_count < PROBLEMS_MOST;
}

static enum ht_status feature_note(void *user, const struct ht_feature *feature)
{
    struct parsed *parsed = user;
    return ht_feature_list_add(&parsed->features, feature);
}

/* The first problem's kind decides the status; each has its line. */
static void problems_write(struct ht_reply *reply, const struct parsed *parsed)
{
    struct ht_error first = parsed->problems[0];
    ht_reply_status(reply, &first);
    if (reply->body.size == 0 || reply->body.data[reply->body.size - 1] != '}') {
        return;
    }
    reply->body.size--; /* within the object */
    struct ht_json json = {.out = &reply->body, .comma = true};
    ht_json_key(&json, "errors");
    ht_json_array(&json);
    for (size_t i = 0; i < parsed->problem_count; i++) {
        ht_json_object(&json);
        ht_json_key_int(&json, "line", parsed->problems[i].line);
        ht_json_key_text(&json, "detail", parsed->problems[i].message);
        ht_json_object_end(&json);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

static bool type_is(const struct ht_command *command, const char *type)
{
    size_t size = strlen(type);
    char next = command->content_type[0] == '\0' ? '\0' : command->content_type[size];
    return strncasecmp(command->content_type, type, size) == 0 &&
           (next == '\0' || next == ';' || next == ' ');
}

static bool format_of(const struct ht_command *command, enum ht_feature_format *format)
{
    if (type_is(command, "text/csv")) {
        *format = HT_FORMAT_CSV;
    } else if (type_is(command, "application/x-ndjson") ||
               type_is(command, "application/geo+json-seq")) {
        *format = HT_FORMAT_NDJSON;
    } else if (type_is(command, "application/geo+json") || type_is(command, "application/json")) {
        *format = HT_FORMAT_GEOJSON;
    } else {
        return false;
    }
    return true;
}

static struct parsed *parsed_new(struct ht_command *command, struct ht_reply *reply)
{
    struct parsed *parsed = calloc(1, sizeof *parsed);
    const char *crs = ht_param(&command->query, "crs");
    crs = crs == NULL ? command->content_crs : crs;
    command->parsed = parsed;
    if (parsed == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return NULL;
    }
    parsed->collection = ht_collection_find(command->params[0], strlen(command->params[0]));
    if (ht_crs_parse(crs, strlen(crs), &parsed->crs) != HT_OK) {
        ht_reply_problem(reply, 400, "Bad Request", "crs is not a coordinate system");
        return NULL;
    }
    return parsed;
}

/* What the registry alone can't know: whether streets are known by the names that zones and units
 * give; and that zones hold at some time. */
static void names_check(struct ht_app_context *context, struct parsed *parsed)
{
    bool zones = strcmp(parsed->collection->name, "zones") == 0;
    if (!zones && strcmp(parsed->collection->name, "units") != 0) {
        return;
    }
    const struct ht_world *world = ht_world_reader_get(&context->world);
    for (size_t i = 0; i < parsed->features.count && parsed->problem_count < PROBLEMS_MOST; i++) {
        const struct ht_feature *item = &parsed->features.items[i];
        struct ht_error *problem = &parsed->problems[parsed->problem_count];
        const char *properties = ht_text_string(&item->properties);
        enum ht_status status = zones ? ht_zone_check(world, properties, problem)
                                      : ht_unit_check(world, properties, problem);
        if (status != HT_OK) {
            problem->line = item->line;
            parsed->problem_count++;
        }
    }
}

static bool body_read(struct ht_app_context *context, struct ht_command *command,
                      struct ht_reply *reply, bool id_optional)
{
    enum ht_feature_format format = HT_FORMAT_AUTO;
    struct parsed *parsed = parsed_new(command, reply);
    if (parsed == NULL) {
        return false;
    }
    if (!format_of(command, &format)) {
        ht_reply_problem(reply, 415, "Unsupported Media Type",
                         "application/geo+json, application/json, application/x-ndjson, text/csv");
        return false;
    }
    if ((context->crs == NULL && ht_crs_work_new(&context->crs) != HT_OK) ||
        ht_digest_of(command->body, command->body_size, parsed->sha256) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
        return false;
    }
    const struct ht_feature_options options = {.collection = parsed->collection,
                                               .crs = &parsed->crs,
                                               .work = context->crs,
                                               .id_optional = id_optional,
                                               .sink = feature_note,
                                               .problem = problem_note,
                                               .user = parsed};
    struct ht_error error = {0};
    enum ht_status status =
        ht_feature_read(format, command->body, command->body_size, &options, &error);
    if (status != HT_OK && parsed->problem_count == 0) {
        parsed->problems[parsed->problem_count++] = error;
    }
    names_check(context, parsed);
    if (parsed->problem_count > 0) {
        problems_write(reply, parsed);
        return false;
    }
    if (parsed->features.count == 0) {
        ht_reply_problem(reply, 400, "Bad Request", "there is no feature in it");
        return false;
    }
    return true;
}

static enum ht_status version_take(void *user, const struct ht_store_item *item)
{
    *(uint64_t *)user = item->version;
    return HT_OK;
}

/* The version that may be changed: of several that If-Match names the one that is there; one that
 * no item has where none of them is. */
static uint64_t expected_of(const struct ht_command *command, struct ht_store_tx *tx,
                            const struct ht_collection *collection)
{
    uint64_t version = 0;
    if (command->if_match == NULL) {
        return 0;
    }
    enum ht_status status = ht_store_item(ht_store_tx_reader(tx), collection, command->params[1],
                                          false, version_take, &version, NULL);
    return status == HT_OK && ht_command_expects(command, version) ? version : UINT64_MAX;
}

static struct ht_registry_change change_of(const struct ht_command *command, struct ht_store_tx *tx,
                                           const struct ht_collection *collection,
                                           enum ht_store_put how)
{
    const char *repair = ht_param(&command->query, "repair");
    return (struct ht_registry_change){.collection = collection,
                                       .how = how,
                                       .expected = expected_of(command, tx, collection),
                                       .repair = repair != NULL && strcmp(repair, "1") == 0,
                                       .actor = command->caller.name,
                                       .at_ms = command->at_ms};
}

static void item_answer(struct ht_reply *reply, const struct ht_collection *collection,
                        const char *id, const struct ht_registry_result *result)
{
    struct ht_json json;
    reply->status = result->written.created ? 201 : 200;
    (void)snprintf(reply->etag, sizeof reply->etag, "%" PRIu64, result->written.version);
    if (result->written.created) {
        (void)snprintf(reply->location, sizeof reply->location, "/collections/%s/items/%s",
                       collection->name, id);
    }
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_text(&json, "id", id);
    ht_json_key_int(&json, "version", (int64_t)result->written.version);
    if (result->repaired) {
        ht_json_key_bool(&json, "repaired", true);
    }
    ht_json_object_end(&json);
}

/* Fences follow what was committed. */
static void fences_follow(struct ht_app *app, const char *collection)
{
    if (strcmp(collection, "zones") == 0) {
        ht_app_zones_changed(app);
    }
}

/* So do streets. What was written stays, also where they can't yet. */
static void streets_follow(struct ht_app_context *context, const char *const *ids, size_t count,
                           struct ht_reply *reply)
{
    struct ht_store_reader *reader = ht_app_reader(context, reply);
    if (reader == NULL || ht_app_zones_follow(context->app, reader, ids, count) != HT_OK) {
        ht_reply_problem(reply, 503, "Service Unavailable",
                         "the zone is kept, but the streets do not obey it yet: put it again");
    }
}

/* Zones that were put. */
static void zones_follow(struct ht_app_context *context, const struct ht_feature_list *features,
                         struct ht_reply *reply)
{
    const char **ids = calloc(features->count + 1, sizeof *ids);
    for (size_t i = 0; ids != NULL && i < features->count; i++) {
        ids[i] = features->items[i].id;
    }
    if (ids == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
    } else {
        streets_follow(context, ids, features->count, reply);
    }
    free(ids);
}

static void unit_follow(struct ht_app_context *context, const struct ht_feature *unit,
                        int64_t at_ms)
{
    enum ht_status status =
        ht_live_unit_put(context->app->live, unit->id, ht_text_string(&unit->properties), at_ms);
    (void)status;
    if (unit->geometry.type == HT_GEOMETRY_POINT && ht_app_live_work(context) != NULL) {
        ht_live_unit_place(context->app->live, context->live, ht_world_reader_get(&context->world),
                           unit->id, unit->geometry.points[0], at_ms);
    }
    if (context->app->desk != NULL) {
        ht_desk_room_unit_changed(context->app->desk, unit->id);
    }
}

/* The live town follows what was committed. Where memory is short a thing stays as it was known. */
static void live_follow(struct ht_app_context *context, const struct parsed *parsed, int64_t at_ms)
{
    bool units = strcmp(parsed->collection->name, "units") == 0;
    bool devices = strcmp(parsed->collection->name, "devices") == 0;
    for (size_t i = 0; (units || devices) && i < parsed->features.count; i++) {
        const struct ht_feature *feature = &parsed->features.items[i];
        if (units) {
            unit_follow(context, feature, at_ms);
        } else {
            enum ht_status status = ht_devices_put(ht_live_devices(context->app->live), feature->id,
                                                   ht_text_string(&feature->properties), NULL);
            (void)status;
        }
    }
}

/* What memory holds follows what was committed: fences, the fleet, what can be searched for. */
static void items_follow(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    const struct parsed *parsed = command->parsed;
    if (parsed == NULL) {
        return;
    }
    fences_follow(context->app, parsed->collection->name);
    if (strcmp(parsed->collection->name, "zones") == 0) {
        zones_follow(context, &parsed->features, reply);
    }
    live_follow(context, parsed, command->at_ms);
    for (size_t i = 0; i < parsed->features.count;) {
        const char *ids[IDS_AT_ONCE];
        size_t count = 0;
        for (; count < IDS_AT_ONCE && i < parsed->features.count; i++) {
            ids[count++] = parsed->features.items[i].id;
        }
        bool all = count == parsed->features.count;
        ht_finder_follow(context->app->finder, parsed->collection->name, ids, count, all);
    }
}

/* ---- POST items ---- */

static bool post_prepare(struct ht_app_context *context, struct ht_command *command,
                         struct ht_reply *reply)
{
    return body_read(context, command, reply, false);
}

static void many_answer(struct ht_reply *reply, const struct ht_feature_list *features,
                        size_t repaired)
{
    struct ht_json json;
    reply->status = 201;
    ht_json_begin(&json, &reply->body);
    ht_json_object(&json);
    ht_json_key_int(&json, "created", (int64_t)features->count);
    if (repaired > 0) {
        ht_json_key_int(&json, "repaired", (int64_t)repaired);
    }
    ht_json_key(&json, "ids");
    ht_json_array(&json);
    for (size_t i = 0; i < features->count && i < IDS_MOST; i++) {
        ht_json_text(&json, features->items[i].id);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

static void post_run(struct ht_app_context *context, struct ht_command *command,
                     struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct parsed *parsed = command->parsed;
    struct ht_registry *registry = context->app->registry;
    struct ht_registry_change change = change_of(command, tx, parsed->collection, HT_STORE_INSERT);
    struct ht_registry_result result = {0};
    struct ht_error error = {0};
    enum ht_status status = HT_OK;
    size_t repaired = 0;
    change.quiet = parsed->features.count > 1;
    for (size_t i = 0; status == HT_OK && i < parsed->features.count; i++) {
        status =
            ht_registry_put(registry, tx, &change, &parsed->features.items[i], &result, &error);
        error.line = status == HT_OK ? 0 : parsed->features.items[i].line;
        repaired += result.repaired;
    }
    if (status == HT_OK && change.quiet) {
        status = ht_registry_loaded(registry, tx, &change, parsed->sha256, parsed->features.count,
                                    &error);
    }
    if (status == HT_OK) {
        status = ht_registry_settle(registry, tx, &error);
    }
    if (status != HT_OK) {
        parsed->problems[0] = error;
        parsed->problem_count = 1;
        problems_write(reply, parsed);
    } else if (change.quiet) {
        many_answer(reply, &parsed->features, repaired);
    } else {
        item_answer(reply, parsed->collection, parsed->features.items[0].id, &result);
    }
}

static const struct ht_command_kind post_kind = {
    .prepare = post_prepare, .run = post_run, .applied = items_follow, .free = parsed_free};

void ht_ogc_items_post(struct ht_app_context *context, struct ht_http_call *call)
{
    if (ht__ogc_collection_of(call) != NULL) {
        ht_command_start(context, call, &post_kind);
    }
}

/* ---- one item ---- */

/* Puts the only feature of a command under the path's id. */
static void single_put(struct ht_app_context *context, struct ht_command *command,
                       struct ht_store_tx *tx, enum ht_store_put how, struct ht_reply *reply)
{
    struct parsed *parsed = command->parsed;
    struct ht_registry_change change = change_of(command, tx, parsed->collection, how);
    struct ht_registry_result result;
    struct ht_error error = {0};
    enum ht_status status = ht_registry_put(context->app->registry, tx, &change,
                                            &parsed->features.items[0], &result, &error);
    if (status == HT_NOT_FOUND && command->must_exist) {
        error.status = HT_CHANGED; /* If-Match: * asks for any there is */
    }
    if (status == HT_OK) {
        status = ht_registry_settle(context->app->registry, tx, &error);
    }
    if (status == HT_OK) {
        item_answer(reply, parsed->collection, parsed->features.items[0].id, &result);
    } else {
        ht_reply_status(reply, &error);
    }
}

static bool put_prepare(struct ht_app_context *context, struct ht_command *command,
                        struct ht_reply *reply)
{
    if (!body_read(context, command, reply, true)) {
        return false;
    }
    struct parsed *parsed = command->parsed;
    struct ht_feature *feature = &parsed->features.items[0];
    if (parsed->features.count != 1 ||
        (feature->id[0] != '\0' && strcmp(feature->id, command->params[1]) != 0)) {
        ht_reply_problem(reply, 422, "Unprocessable Content",
                         "the body has to be one Feature, with the path's id or none");
        return false;
    }
    union {
        const char *text;
        char *own;
    } id = {feature->id};
    free(id.own);
    feature->id = strdup(command->params[1]);
    if (feature->id == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "out of memory");
    }
    return feature->id != NULL;
}

static void put_run(struct ht_app_context *context, struct ht_command *command,
                    struct ht_store_tx *tx, struct ht_reply *reply)
{
    single_put(context, command, tx, command->must_exist ? HT_STORE_REPLACE : HT_STORE_UPSERT,
               reply);
}

static const struct ht_command_kind put_kind = {
    .prepare = put_prepare, .run = put_run, .applied = items_follow, .free = parsed_free};

static void item_start(struct ht_app_context *context, struct ht_http_call *call,
                       const struct ht_command_kind *kind)
{
    const char *id = call->request->target + call->params[1].at;
    if (ht__ogc_collection_of(call) == NULL) {
        return;
    }
    if (!ht_id_valid(id, call->params[1].size)) {
        ht_reply_problem(call->reply, kind == &put_kind ? 422 : 404,
                         kind == &put_kind ? "Unprocessable Content" : "Not Found",
                         "an id is 1 to 64 of letters, digits, . _ : -");
        return;
    }
    ht_command_start(context, call, kind);
}

void ht_ogc_item_put(struct ht_app_context *context, struct ht_http_call *call)
{
    item_start(context, call, &put_kind);
}

/* ---- PATCH: a merge patch of the whole Feature ---- */

struct merged {
    struct ht_command *command;
    yajl_val patch;
    struct ht_text text; /* the Feature as it becomes */
};

/* The geometry as it becomes: a patch may bring its coordinates alone. */
static enum ht_status merge_geometry(struct merged *merged, const struct ht_store_item *item)
{
    char why[128];
    struct ht_text before = {0};
    struct ht_geometry geometry;
    yajl_val shape = ht_json_member(merged->patch, "geometry");
    enum ht_status status = HT_OK;
    if (item->wkb_size > 0) {
        ht_geometry_init(&geometry);
        status = ht_geometry_read_wkb(&geometry, item->wkb, item->wkb_size, NULL);
        if (status == HT_OK) {
            status = ht_geometry_write_geojson(&geometry, NULL, NULL, &before);
        }
        ht_geometry_deinit(&geometry);
    }
    const char *text = before.size == 0 ? "null" : ht_text_string(&before);
    if (status == HT_OK && shape == NULL) {
        ht_text_add_string(&merged->text, text);
    } else if (status == HT_OK) {
        yajl_val now = yajl_tree_parse(text, why, sizeof why);
        ht_json_merge(&merged->text, now, shape);
        status = now == NULL || before.failed ? HT_NOMEM : HT_OK;
        yajl_tree_free(now);
    }
    ht_text_deinit(&before);
    return status;
}

static enum ht_status merge_item(void *user, const struct ht_store_item *item)
{
    struct merged *merged = user;
    char why[128];
    yajl_val change = ht_json_member(merged->patch, "properties");
    struct ht_text both = {0};
    /* both halves as one object */
    ht_text_add(&both, item->properties, strlen(item->properties));
    if (item->personal != NULL && strlen(item->personal) > 2) {
        ht_text_cut(&both, both.size - 1);
        if (both.size > 1) {
            ht_text_add_char(&both, ',');
        }
        ht_text_add_string(&both, item->personal + 1);
    }
    yajl_val whole = both.failed ? NULL : yajl_tree_parse(both.data, why, sizeof why);
    ht_text_deinit(&both);
    ht_text_addf(&merged->text, "{\"type\":\"Feature\",\"id\":\"%s\",\"geometry\":", item->id);
    enum ht_status status = merge_geometry(merged, item);
    ht_text_add_string(&merged->text, ",\"properties\":");
    if (change == NULL) {
        ht_json_tree_write(&merged->text, whole);
    } else {
        ht_json_merge(&merged->text, whole, change);
    }
    ht_text_add_char(&merged->text, '}');
    yajl_tree_free(whole);
    return whole == NULL || merged->text.failed ? HT_NOMEM : status;
}

/* Whether a patch leaves the id as it is; a number stands for the text it is written as. */
static bool id_stays(yajl_val patch, const char *id)
{
    yajl_val told = ht_json_member(patch, "id");
    const char *text = YAJL_IS_NUMBER(told) ? YAJL_GET_NUMBER(told) : YAJL_GET_STRING(told);
    return told == NULL || (text != NULL && strcmp(text, id) == 0);
}

static void patch_run(struct ht_app_context *context, struct ht_command *command,
                      struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct ht_error error = {0};
    struct parsed *parsed = parsed_new(command, reply);
    if (parsed == NULL) {
        return;
    }
    if (!ht_crs_plain(&parsed->crs)) {
        ht_reply_problem(reply, 422, "Unprocessable Content",
                         "a patch is in WGS84, like what it is laid over");
        return;
    }
    struct merged merged = {.command = command,
                            .patch = ht_json_tree_read(command->body, command->body_size)};
    if (!YAJL_IS_OBJECT(merged.patch)) {
        ht_reply_problem(reply, 400, "Bad Request", "the body is not a JSON object");
        ht_reply_where(reply, "", 0, "the body is not a JSON object");
        yajl_tree_free(merged.patch);
        return;
    }
    if (!id_stays(merged.patch, command->params[1])) {
        ht_reply_problem(reply, 422, "Unprocessable Content", "an id can't be changed");
        yajl_tree_free(merged.patch);
        return;
    }
    enum ht_status status = ht_store_item(ht_store_tx_reader(tx), parsed->collection,
                                          command->params[1], true, merge_item, &merged, &error);
    yajl_tree_free(merged.patch);
    if (status == HT_OK) {
        const struct ht_feature_options options = {.collection = parsed->collection,
                                                   .work = context->crs,
                                                   .sink = feature_note,
                                                   .user = parsed};
        status = ht_feature_read(HT_FORMAT_GEOJSON, merged.text.data, merged.text.size, &options,
                                 &error);
    } else if (error.status == HT_OK) {
        (void)ht_error_set(&error, status, 0, NULL);
    }
    ht_text_deinit(&merged.text);
    if (status != HT_OK) {
        if (status == HT_NOT_FOUND && (command->must_exist || command->if_match != NULL)) {
            error.status = HT_CHANGED;
        }
        ht_reply_status(reply, &error);
        return;
    }
    names_check(context, parsed);
    if (parsed->problem_count > 0) {
        problems_write(reply, parsed);
        return;
    }
    single_put(context, command, tx, HT_STORE_REPLACE, reply);
}

static const struct ht_command_kind patch_kind = {
    .run = patch_run, .applied = items_follow, .free = parsed_free};

void ht_ogc_item_patch(struct ht_app_context *context, struct ht_http_call *call)
{
    item_start(context, call, &patch_kind);
}

/* NULL, or why an item has to stay: a unit that is on an incident, which would wait for nobody; a
 * zone of a regime that is on, which would be in force by name alone. */
static const char *in_use_by(const struct ht_app *app, const char *const params[2])
{
    if (app->desk != NULL && strcmp(params[0], "units") == 0 &&
        ht_desk_engaged(ht_desk_room_desk(app->desk), params[1]) != NULL) {
        return "the unit is on an incident";
    }
    if (strcmp(params[0], "zones") != 0) {
        return NULL;
    }
    struct ht_regime_book *book = ht_regime_slot_book(app->regimes);
    bool held = ht_regime_book_holds(book, params[1]);
    ht_regime_book_release(book);
    return held ? "a regime that is on names the zone: take that back first" : NULL;
}

/* ---- DELETE: the item, or (?personal=1) only what is personal of it ---- */

static bool erases(const struct ht_command *command)
{
    const char *personal = ht_param(&command->query, "personal");
    return personal != NULL && strcmp(personal, "1") == 0;
}

/* Anything else might be meant for either: a mistake would cost the whole item. */
static bool delete_prepare(struct ht_app_context *context, struct ht_command *command,
                           struct ht_reply *reply)
{
    const char *personal = ht_param(&command->query, "personal");
    (void)context;
    if (personal == NULL || strcmp(personal, "0") == 0 || strcmp(personal, "1") == 0) {
        return true;
    }
    ht_reply_problem(reply, 400, "Bad Request",
                     "personal is 1 (only what is personal) or 0 (the whole item)");
    return false;
}

static void delete_run(struct ht_app_context *context, struct ht_command *command,
                       struct ht_store_tx *tx, struct ht_reply *reply)
{
    struct ht_error error = {0};
    bool whole = !erases(command);
    const struct ht_collection *collection =
        ht_collection_find(command->params[0], strlen(command->params[0]));
    struct ht_registry_change change = change_of(command, tx, collection, HT_STORE_REPLACE);
    const char *in_use = whole ? in_use_by(context->app, command->params) : NULL;
    if (in_use != NULL) {
        ht_reply_problem(reply, 409, "Conflict", in_use);
        return;
    }
    enum ht_status status = (whole ? ht_registry_delete : ht_registry_erase)(
        context->app->registry, tx, &change, command->params[1], &error);
    if (status == HT_OK) {
        status = ht_registry_settle(context->app->registry, tx, &error);
    }
    if (whole && strcmp(command->params[0], "units") == 0) {
        ht_commit_alone(context->app->commit); /* lest an alarm behind it be sent the unit */
    }
    if (status == HT_OK) {
        reply->status = 204;
    } else {
        ht_reply_status(reply, &error);
    }
}

static void delete_applied(struct ht_app_context *context, struct ht_command *command,
                           struct ht_reply *reply)
{
    bool whole = !erases(command);
    if (strcmp(command->params[0], "zones") == 0) {
        streets_follow(context, &command->params[1], 1, reply);
    }
    ht_finder_follow(context->app->finder, command->params[0], &command->params[1], 1, true);
    fences_follow(context->app, command->params[0]);
    if (strcmp(command->params[0], "units") == 0 && whole) {
        ht_live_unit_remove(context->app->live, command->params[1]);
        if (context->app->desk != NULL) {
            ht_desk_room_unit_changed(context->app->desk, command->params[1]);
        }
        if (context->app->fencing != NULL) {
            ht_fencing_units_changed(context->app->fencing);
            ht_app_live_save(context->app, true);
        }
    } else if (strcmp(command->params[0], "devices") == 0) {
        struct ht_devices *devices = ht_live_devices(context->app->live);
        (whole ? ht_devices_remove : ht_devices_erase)(devices, command->params[1]);
    }
}

static const struct ht_command_kind delete_kind = {
    .prepare = delete_prepare, .run = delete_run, .applied = delete_applied};

void ht_ogc_item_delete(struct ht_app_context *context, struct ht_http_call *call)
{
    item_start(context, call, &delete_kind);
}
