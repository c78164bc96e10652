/* houtao info: what is in a network file, and whether it is whole. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "api/cli.h"
#include "api/commands.h"
#include "api/json.h"
#include "geodata/hnet.h"

struct view {
    struct ht_hnet *file;
    struct ht_road *roads;
    uint32_t count;
    yajl_val info; /* may be NULL */
    const char *path;
};

/* The value at "a/b" of a JSON tree, or NULL. */
static yajl_val at(yajl_val tree, const char *first, const char *second)
{
    const char *path[] = {first, second, NULL};
    return tree == NULL ? NULL : yajl_tree_get(tree, path, yajl_t_any);
}

static const char *text(yajl_val tree, const char *key)
{
    yajl_val value = at(tree, key, NULL);
    const char *string = value == NULL ? NULL : YAJL_GET_STRING(value);
    return string == NULL ? "" : string;
}

static yajl_val profile_info(const struct view *view, const char *name)
{
    yajl_val list = at(view->info, "profiles", NULL);
    for (size_t i = 0; list != NULL && YAJL_IS_ARRAY(list) && i < list->u.array.len; i++) {
        if (strcmp(text(list->u.array.values[i], "name"), name) == 0) {
            return list->u.array.values[i];
        }
    }
    return NULL;
}

/* A number as it was written; "?" where there is none. */
static const char *number(yajl_val tree, const char *first, const char *second)
{
    yajl_val value = at(tree, first, second);
    const char *digits = value == NULL ? NULL : YAJL_GET_NUMBER(value);
    return digits == NULL ? "?" : digits;
}

/* Numbers of an object of the info, without its key. */
static void put_object(struct ht_json *json, const char *key, yajl_val object)
{
    if (object == NULL || !YAJL_IS_OBJECT(object)) {
        return;
    }
    ht_json_key(json, key);
    ht_json_object(json);
    for (size_t i = 0; i < object->u.object.len; i++) {
        yajl_val value = object->u.object.values[i];
        if (YAJL_IS_NUMBER(value)) {
            const char *raw = YAJL_GET_NUMBER(value);
            ht_json_key(json, object->u.object.keys[i]);
            ht_json_raw(json, raw, strlen(raw));
        }
    }
    ht_json_object_end(json);
}

static void put_profile(struct ht_json *json, const struct view *view, uint32_t index)
{
    const struct ht_graph *graph = view->roads[index].graph;
    yajl_val info = profile_info(view, graph->profile);
    ht_json_object(json);
    ht_json_key_text(json, "name", graph->profile);
    ht_json_key_int(json, "bytes", (int64_t)ht_hnet_profile_size(view->file, index));
    ht_json_key_int(json, "junctions", graph->junction_count);
    ht_json_key_int(json, "arcs", graph->arc_count);
    ht_json_key_int(json, "base_arcs", graph->base_arc_count);
    ht_json_key_int(json, "turns", graph->turn_count);
    ht_json_key_int(json, "conditions", graph->condition_count);
    put_object(json, "restrictions", at(info, "restrictions", NULL));
    put_object(json, "order", at(info, "order", NULL));
    put_object(json, "build_s", at(info, "build_s", NULL));
    ht_json_object_end(json);
}

static void print_json(const struct view *view)
{
    struct ht_buffer buffer = {.data = NULL};
    struct ht_json json;
    const struct ht_network *network = view->roads[0].network;
    ht_json_begin(&json, &buffer);
    ht_json_object(&json);
    ht_json_key_text(&json, "file", view->path);
    ht_json_key_int(&json, "format", ht_hnet_version(view->file));
    ht_json_key_text(&json, "made", text(view->info, "made"));
    ht_json_key_int(&json, "bytes", (int64_t)ht_hnet_size(view->file));
    char checksum[17];
    (void)snprintf(checksum, sizeof checksum, "%016" PRIx64, ht_hnet_checksum(view->file));
    ht_json_key_text(&json, "checksum", checksum);
    ht_json_key(&json, "bbox");
    ht_json_array(&json);
    ht_json_fixed(&json, network->box.min.lon_e7, 7);
    ht_json_fixed(&json, network->box.min.lat_e7, 7);
    ht_json_fixed(&json, network->box.max.lon_e7, 7);
    ht_json_fixed(&json, network->box.max.lat_e7, 7);
    ht_json_array_end(&json);
    ht_json_key_int(&json, "nodes", network->node_count);
    ht_json_key_int(&json, "ways", network->way_count);
    ht_json_key_int(&json, "shared_bytes", (int64_t)ht_hnet_profile_size(view->file, HT_NONE));
    put_object(&json, "read", at(view->info, "read", NULL));
    ht_json_key(&json, "build_s");
    ht_json_object(&json);
    ht_json_key(&json, "read");
    yajl_val read_s = at(view->info, "read_s", NULL);
    ht_json_double(&json, read_s == NULL ? 0.0 : YAJL_GET_DOUBLE(read_s), 3);
    ht_json_key(&json, "total");
    yajl_val total_s = at(view->info, "total_s", NULL);
    ht_json_double(&json, total_s == NULL ? 0.0 : YAJL_GET_DOUBLE(total_s), 3);
    ht_json_object_end(&json);
    ht_json_key(&json, "profiles");
    ht_json_array(&json);
    for (uint32_t i = 0; i < view->count; i++) {
        put_profile(&json, view, i);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    (void)fwrite(buffer.data, 1, buffer.size, stdout);
    (void)putchar('\n');
    ht_buffer_deinit(&buffer);
}

static double degrees(int32_t e7)
{
    return (double)e7 / 1e7;
}

static void print_human(const struct view *view)
{
    const struct ht_network *network = view->roads[0].network;
    (void)printf("%s: format %" PRIu32 ", made %s, %.1f MB, checksum %016" PRIx64 ", whole\n",
                 view->path, ht_hnet_version(view->file), text(view->info, "made"),
                 (double)ht_hnet_size(view->file) / 1e6, ht_hnet_checksum(view->file));
    (void)printf("bbox [%.7f, %.7f, %.7f, %.7f], %" PRIu32 " ways, %" PRIu32
                 " nodes (%.1f MB), import took %s s\n",
                 degrees(network->box.min.lon_e7), degrees(network->box.min.lat_e7),
                 degrees(network->box.max.lon_e7), degrees(network->box.max.lat_e7),
                 network->way_count, network->node_count,
                 (double)ht_hnet_profile_size(view->file, HT_NONE) / 1e6,
                 number(view->info, "total_s", NULL));
    (void)printf("\n%-10s %9s %9s %9s %9s %8s %7s %7s %8s %7s\n", "profile", "junctions", "arcs",
                 "turns", "restrict", "top cut", "depth", "mean", "order s", "MB");
    for (uint32_t i = 0; i < view->count; i++) {
        const struct ht_graph *graph = view->roads[i].graph;
        yajl_val info = profile_info(view, graph->profile);
        (void)printf("%-10s %9" PRIu32 " %9" PRIu32 " %9" PRIu32 " %9s %8s %7s %7s %8s %7.1f\n",
                     graph->profile, graph->junction_count, graph->arc_count, graph->turn_count,
                     number(info, "restrictions", "used"), number(info, "order", "top_cut_streets"),
                     number(info, "order", "depth_max"), number(info, "order", "depth_mean"),
                     number(info, "build_s", "order"),
                     (double)ht_hnet_profile_size(view->file, i) / 1e6);
    }
}

static enum ht_status load(struct view *view, struct ht_error *error)
{
    struct ht_pool *pool = NULL;
    enum ht_status status = ht_pool_new(0, &pool);
    if (status != HT_OK) {
        return ht_error_set(error, status, 0, NULL);
    }
    view->count = ht_hnet_profile_count(view->file);
    view->roads = calloc(view->count, sizeof *view->roads);
    status = view->roads == NULL ? ht_error_set(error, HT_NOMEM, 0, NULL) : HT_OK;
    for (uint32_t i = 0; status == HT_OK && i < view->count; i++) {
        status =
            ht_hnet_road(view->file, ht_hnet_profile(view->file, i), pool, &view->roads[i], error);
    }
    if (status == HT_OK) {
        status = ht_hnet_check_whole(view->file, pool, error);
    }
    ht_pool_free(pool);
    const char *json = NULL;
    size_t size = 0;
    if (status == HT_OK) {
        status = ht_hnet_info(view->file, &json, &size, error);
    }
    char *copy = status == HT_OK ? malloc(size + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, json, size);
        copy[size] = '\0';
        view->info = yajl_tree_parse(copy, NULL, 0);
    }
    free(copy);
    return status;
}

int ht_cmd_info(int argc, char **argv)
{
    bool as_json = false;
    const struct ht_cli_option options[] = {{.name = "json", .help = "as JSON", .flag = &as_json}};
    const struct ht_cli cli = {.command = "info",
                               .arguments = "FILE.hnet",
                               .summary = "what is in a network file, and whether it is whole",
                               .options = options,
                               .option_count = sizeof options / sizeof *options};
    int count = 0;
    enum ht_cli_result go = ht_cli_parse(&cli, argc, argv, &count);
    if (go != HT_CLI_GO) {
        return go == HT_CLI_DONE ? HT_EXIT_DONE : HT_EXIT_USAGE;
    }
    if (count != 1) {
        return ht_cli_error(&cli, HT_EXIT_USAGE, "one FILE.hnet is needed");
    }
    ht_hnet_guard_sigbus();
    struct view view = {.path = argv[0]};
    struct ht_error error = {.status = HT_OK};
    enum ht_status status = ht_hnet_open(view.path, &view.file, &error);
    if (status == HT_OK) {
        status = load(&view, &error);
    }
    int code = HT_EXIT_DONE;
    if (status != HT_OK) {
        code = ht_cli_error(&cli, HT_EXIT_FAILED, "%s", error.message);
    } else if (as_json) {
        print_json(&view);
    } else {
        print_human(&view);
    }
    yajl_tree_free(view.info);
    free(view.roads);
    ht_hnet_close(view.file);
    return code;
}
