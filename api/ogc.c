#include "api/ogc.h"

#include <stdio.h>
#include <string.h>

#include "api/json.h"

static const char geojson[] = "application/geo+json";

void ht_ogc_conformance(struct ht_app_context *context, struct ht_http_call *call)
{
    static const char *const classes[] = {
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
        "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
        "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
        "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete",
        "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/update",
        "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/optimistic-locking-etags",
        "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/features",
    };
    struct ht_json json;
    (void)context;
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "conformsTo");
    ht_json_array(&json);
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        ht_json_text(&json, classes[i]);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
}

const struct ht_collection *ht__ogc_collection_of(struct ht_http_call *call)
{
    const struct ht_collection *collection =
        ht_collection_find(call->request->target + call->params[0].at, call->params[0].size);
    if (collection == NULL) {
        ht_reply_problem(call->reply, 404, "Not Found", "there is no such collection");
    }
    return collection;
}

/* "http://HOST", where the client reached us; nothing where it named no host. */
static void base_write(struct ht_text *out, const struct ht_http_request *request)
{
    if (request->host != NULL) {
        ht_text_add_string(out, "http://");
        ht_text_add(out, request->host, request->host_size);
    }
}

static void link_write(struct ht_json *json, const char *base, const char *path, const char *rel,
                       const char *type)
{
    struct ht_text href = {0};
    ht_text_add_string(&href, base);
    ht_text_add_string(&href, path);
    ht_json_object(json);
    ht_json_key_text(json, "href", ht_text_string(&href));
    ht_json_key_text(json, "rel", rel);
    ht_json_key_text(json, "type", type);
    ht_json_object_end(json);
    ht_text_deinit(&href);
}

static void collection_write(struct ht_json *json, const struct ht_collection *collection,
                             const char *base)
{
    static const char *const systems[] = {"http://www.opengis.net/def/crs/OGC/1.3/CRS84",
                                          "http://www.opengis.net/def/crs/EPSG/0/4326",
                                          "http://www.opengis.net/def/crs/EPSG/0/4490",
                                          "http://www.opengis.net/def/crs/EPSG/0/4550",
                                          "http://www.opengis.net/def/crs/EPSG/0/3857",
                                          "GCJ02",
                                          "BD09"};
    char path[128];
    bool shaped = (collection->geometries & ~(UINT32_C(1) << HT_GEOMETRY_NONE)) != 0;
    ht_json_object(json);
    ht_json_key_text(json, "id", collection->name);
    ht_json_key_text(json, "title", collection->title);
    ht_json_key_text(json, "itemType", "feature");
    if (shaped) {
        ht_json_key_text(json, "storageCrs", systems[0]);
    }
    ht_json_key(json, "crs");
    ht_json_array(json);
    for (size_t i = 0; i < sizeof systems / sizeof *systems; i++) {
        ht_json_text(json, systems[i]);
    }
    ht_json_array_end(json);
    ht_json_key(json, "links");
    ht_json_array(json);
    (void)snprintf(path, sizeof path, "/collections/%s", collection->name);
    link_write(json, base, path, "self", "application/json");
    (void)snprintf(path, sizeof path, "/collections/%s/items", collection->name);
    link_write(json, base, path, "items", geojson);
    ht_json_array_end(json);
    ht_json_object_end(json);
}

void ht_ogc_collections(struct ht_app_context *context, struct ht_http_call *call)
{
    size_t count = 0;
    const struct ht_collection *collections = ht_collections(&count);
    struct ht_text base = {0};
    struct ht_json json;
    (void)context;
    base_write(&base, call->request);
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    ht_json_key(&json, "links");
    ht_json_array(&json);
    link_write(&json, ht_text_string(&base), "/collections", "self", "application/json");
    ht_json_array_end(&json);
    ht_json_key(&json, "collections");
    ht_json_array(&json);
    for (size_t i = 0; i < count; i++) {
        collection_write(&json, &collections[i], ht_text_string(&base));
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    ht_text_deinit(&base);
}

void ht_ogc_collection(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_collection *collection = ht__ogc_collection_of(call);
    (void)context;
    if (collection != NULL) {
        struct ht_text base = {0};
        struct ht_json json;
        base_write(&base, call->request);
        ht_json_begin(&json, &call->reply->body);
        collection_write(&json, collection, ht_text_string(&base));
        ht_text_deinit(&base);
    }
}
