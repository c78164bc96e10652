#include "api/tiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/access.h"
#include "api/command.h"
#include "api/if_match.h"
#include "api/item_changes.h"
#include "api/params.h"
#include "api/persons.h"
#include "api/tile_cache.h"
#include "api/town_tile.h"
#include "geodata/street_tile.h"

#define CACHE_BYTES ((size_t)64 << 20)
#define STREETS_LAYER UINT32_MAX
#define MVT_TYPE "application/vnd.mapbox-vector-tile"
#define KEEP "Cache-Control: private, no-cache\r\n"

enum { ZOOM_MOST = 22, TAGS_MOST = 256 };

/* ---- what is known of the streets ---- */

struct street_map {
    atomic_size_t references;
    uint64_t number; /* its own among all of this process, not 0 */
    struct ht_map *map;
    struct ht_streets *streets;
};

struct ht_tiles {
    struct ht_tile_cache *cache;
    struct ht_item_changes *changes;
    pthread_mutex_t lock;
    uint64_t numbers;
    struct street_map *streets; /* of the present map; NULL: nobody asked yet */
};

static void street_map_release(struct street_map *map)
{
    if (map != NULL && atomic_fetch_sub(&map->references, 1) == 1) {
        ht_streets_free(map->streets);
        ht_map_release(map->map);
        free(map);
    }
}

enum ht_status ht_tiles_new(struct ht_tiles **out)
{
    struct ht_tiles *tiles = calloc(1, sizeof *tiles);
    if (tiles == NULL || pthread_mutex_init(&tiles->lock, NULL) != 0) {
        free(tiles);
        return HT_NOMEM;
    }
    enum ht_status status = ht_tile_cache_new(CACHE_BYTES, &tiles->cache);
    status = status == HT_OK ? ht_item_changes_new(&tiles->changes) : status;
    if (status != HT_OK) {
        ht_tiles_free(tiles);
        return status;
    }
    *out = tiles;
    return HT_OK;
}

void ht_tiles_free(struct ht_tiles *tiles)
{
    if (tiles != NULL) {
        street_map_release(tiles->streets);
        ht_tile_cache_free(tiles->cache);
        ht_item_changes_free(tiles->changes);
        (void)pthread_mutex_destroy(&tiles->lock);
        free(tiles);
    }
}

static bool is_of(const struct street_map *streets, const struct ht_world *world)
{
    struct ht_map *map = world == NULL ? NULL : ht_map_of(world);
    bool same = streets->map == map;
    ht_map_release(map);
    return same;
}

void ht_tiles_refresh(struct ht_tiles *tiles, const struct ht_world *now)
{
    struct street_map *old = NULL;
    if (pthread_mutex_trylock(&tiles->lock) != 0) {
        return;
    }
    if (tiles->streets != NULL && !is_of(tiles->streets, now)) {
        old = tiles->streets;
        tiles->streets = NULL;
    }
    (void)pthread_mutex_unlock(&tiles->lock);
    street_map_release(old);
}

/* The network as cars know it, or where there is no such profile as the first one does. */
static enum ht_status network_of(struct ht_world *world, const struct ht_network **out)
{
    const struct ht_world_road *road = NULL;
    uint32_t index = 0;
    enum ht_status status = ht_world_base(world, "car", &road, &index);
    if (status == HT_NOT_FOUND && ht_world_road_count(world) > 0) {
        status = ht_world_base(world, ht_world_profile(world, 0), &road, &index);
    }
    if (status == HT_OK) {
        *out = road->road.network;
    }
    return status;
}

/* Needs the lock. */
static enum ht_status streets_make(struct ht_tiles *tiles, struct ht_world *world,
                                   const struct ht_network *network)
{
    struct street_map *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return HT_NOMEM;
    }
    atomic_init(&made->references, 1);
    made->number = ++tiles->numbers;
    made->map = ht_map_of(world);
    enum ht_status status = ht_streets_new(network, &made->streets);
    if (status != HT_OK) {
        street_map_release(made);
        return status;
    }
    street_map_release(tiles->streets);
    tiles->streets = made;
    return HT_OK;
}

/* What is known of the world's streets, with a reference for the caller. For a worker: the first
 * who asks for a new map makes it. */
static enum ht_status streets_get(struct ht_tiles *tiles, struct ht_world *world,
                                  const struct ht_network *network, struct street_map **out)
{
    enum ht_status status = HT_OK;
    (void)pthread_mutex_lock(&tiles->lock);
    if (tiles->streets == NULL || !is_of(tiles->streets, world)) {
        status = streets_make(tiles, world, network);
    }
    if (status == HT_OK) {
        *out = tiles->streets;
        (void)atomic_fetch_add(&tiles->streets->references, 1);
    }
    (void)pthread_mutex_unlock(&tiles->lock);
    return status;
}

/* ---- one tile ---- */

/* What is asked, from the loop to a worker and, where it reads who is frail, on to the writer. */
struct asked {
    const struct ht_collection *collection; /* NULL: streets */
    uint32_t zoom;
    uint32_t x;
    uint32_t y;
    bool frail;
    bool noted; /* the writer is to note it */
    struct ht_caller caller;
    int64_t at_ms;
    char have[TAGS_MOST]; /* If-None-Match */
    size_t have_size;
    struct ht_buffer plain; /* the tile without who is frail */
    char plain_etag[24];
};

static void asked_free(void *data)
{
    struct asked *asked = data;
    ht_buffer_deinit(&asked->plain);
    free(asked);
}

static struct ht_tile_key key_of(const struct asked *asked, uint64_t stamp, bool personal)
{
    size_t count = 0;
    return (struct ht_tile_key){
        .layer = asked->collection == NULL ? STREETS_LAYER
                                           : (uint32_t)(asked->collection - ht_collections(&count)),
        .zoom = asked->zoom,
        .x = asked->x,
        .y = asked->y,
        .stamp = stamp,
        .personal = personal ? 1 : 0,
    };
}

static void etag_write(const struct ht_tile *tile, char *out, size_t size)
{
    (void)snprintf(out, size, "%016" PRIx64, tile->hash);
}

static void reply_tile(const struct asked *asked, const struct ht_tile *tile,
                       struct ht_reply *reply)
{
    reply->content_type = MVT_TYPE;
    reply->headers = asked->frail && !asked->noted ? KEEP "Personal: withheld\r\n" : KEEP;
    etag_write(tile, reply->etag, sizeof reply->etag);
    if (ht_if_none_match_has(asked->have, asked->have_size, reply->etag)) {
        reply->status = 304;
    } else {
        ht_buffer_append(&reply->body, tile->bytes, tile->size);
    }
}

/* Keeps what was written; with a reference for the caller. */
static enum ht_status tile_keep(struct ht_tiles *tiles, const struct ht_tile_key *key,
                                const struct ht_mvt *mvt, struct ht_tile **out)
{
    *out = mvt->failed ? NULL : ht_tile_new(mvt->out.data, mvt->out.size);
    if (*out == NULL) {
        return HT_NOMEM;
    }
    ht_tile_cache_put(tiles->cache, key, *out);
    return HT_OK;
}

static enum ht_status streets_tile(struct ht_tiles *tiles, struct ht_world *world,
                                   const struct asked *asked, size_t limit, struct ht_tile **out)
{
    struct street_map *map = NULL;
    const struct ht_network *network = NULL;
    enum ht_status status = network_of(world, &network);
    status = status == HT_OK ? streets_get(tiles, world, network, &map) : status;
    if (status != HT_OK) {
        return status;
    }
    struct ht_tile_key key = key_of(asked, map->number, false);
    *out = ht_tile_cache_get(tiles->cache, &key);
    if (*out == NULL) {
        struct ht_mvt mvt;
        ht_mvt_init(&mvt, limit);
        ht_streets_tile(map->streets, network, asked->x, asked->y, asked->zoom, &mvt);
        status = tile_keep(tiles, &key, &mvt, out);
        ht_mvt_deinit(&mvt);
    }
    street_map_release(map);
    return status;
}

static enum ht_status town_tile(struct ht_app_context *context, const struct asked *asked,
                                bool frail, struct ht_tile **out, struct ht_error *error)
{
    struct ht_tiles *tiles = context->app->tiles;
    int64_t version = 0;
    enum ht_status status =
        ht_item_changes_look(tiles->changes, context->reader, asked->collection, &version, error);
    if (status != HT_OK) {
        return status;
    }
    struct ht_tile_key key = key_of(asked, (uint64_t)version, frail);
    *out = ht_tile_cache_get(tiles->cache, &key);
    if (*out != NULL) {
        return HT_OK;
    }
    const struct ht_town_tile_ask ask = {asked->collection, asked->zoom, asked->x, asked->y, frail};
    struct ht_mvt mvt;
    ht_mvt_init(&mvt, 0);
    status = ht_town_tile(context->reader, &ask, &mvt, error);
    if (status == HT_OK && tile_keep(tiles, &key, &mvt, out) != HT_OK) {
        status = ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    ht_mvt_deinit(&mvt);
    return status;
}

/* ---- the worker's part ---- */

static void streets_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    const struct asked *asked = data;
    struct ht_world *world = ht_world_reader_get(&context->world);
    struct ht_tile *tile = NULL;
    if (world == NULL) {
        ht_reply_problem(reply, 503, "Service Unavailable", "no network is open");
        return;
    }
    enum ht_status status =
        streets_tile(context->app->tiles, world, asked, reply->body.limit, &tile);
    if (status == HT_OK && tile != NULL) {
        reply_tile(asked, tile, reply);
    } else {
        ht_reply_problem(reply, 503, "Service Unavailable", ht_status_text(status));
    }
    ht_tile_release(tile);
}

/* True: the answer waits for its event. */
static bool town_run(void *user, void *data, struct ht_reply *reply)
{
    struct ht_app_context *context = user;
    struct asked *asked = data;
    struct ht_error error = {0};
    struct ht_tile *tile = NULL;
    struct ht_tile *plain = NULL;
    if (ht_app_reader(context, reply) == NULL) {
        return false;
    }
    enum ht_status status = town_tile(context, asked, asked->noted, &tile, &error);
    if (status == HT_OK && asked->noted) {
        status = town_tile(context, asked, false, &plain, &error);
    }
    if (status == HT_OK && tile != NULL) {
        reply_tile(asked, tile, reply);
    } else {
        ht_reply_status(reply, &error);
    }
    if (status == HT_OK && plain != NULL) {
        ht_buffer_append(&asked->plain, plain->bytes, plain->size);
        etag_write(plain, asked->plain_etag, sizeof asked->plain_etag);
    }
    ht_tile_release(tile);
    ht_tile_release(plain);
    return status == HT_OK && asked->noted && reply->status != 304;
}

static void town_plain(void *user, void *data, struct ht_reply *reply)
{
    bool note = town_run(user, data, reply);
    (void)note;
}

/* ---- the writer's part ---- */

static void withheld(struct asked *asked, struct ht_reply *reply)
{
    ht_reply_reset(reply);
    reply->content_type = MVT_TYPE;
    reply->headers = KEEP "Personal: withheld\r\n";
    memcpy(reply->etag, asked->plain_etag, sizeof asked->plain_etag);
    ht_buffer_append(&reply->body, asked->plain.data, asked->plain.size);
}

static void town_note(void *user, void *data, struct ht_reply *reply)
{
    struct asked *asked = data;
    const struct ht_persons_read read = {.collection = asked->collection->name,
                                         .id = "",
                                         .how = "tile",
                                         .caller = &asked->caller,
                                         .at_ms = asked->at_ms,
                                         .plain = &asked->plain};
    if (!ht_persons_note(user, &read, reply)) {
        withheld(asked, reply);
    }
}

static void town_withheld(void *user, void *data, enum ht_status outcome, struct ht_reply *reply)
{
    (void)user;
    (void)outcome;
    withheld(data, reply);
}

/* ---- the loop's part ---- */

/* A number of the path. False: it is none. */
static bool part_read(const struct ht_http_call *call, int index, uint32_t most, uint32_t *out)
{
    const char *text = call->request->target + call->params[index].at;
    size_t size = call->params[index].size;
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < '0' || text[i] > '9' || i >= 10 || (i > 0 && text[0] == '0')) {
            return false;
        }
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = (uint32_t)value;
    return value <= most;
}

/* NULL, or what the 404 says. */
static const char *path_read(const struct ht_http_call *call, struct asked *asked)
{
    const char *layer = call->request->target + call->params[0].at;
    size_t size = call->params[0].size;
    bool streets = size == 7 && memcmp(layer, "streets", 7) == 0;
    asked->collection = streets ? NULL : ht_collection_find(layer, size);
    if (!streets && (asked->collection == NULL || !ht_town_tile_is_of(asked->collection))) {
        return "there are tiles of streets, cells, households, factories, facilities and zones";
    }
    if (!part_read(call, 1, ZOOM_MOST, &asked->zoom)) {
        return "zooms go from 0 to 22";
    }
    uint32_t most = (UINT32_C(1) << asked->zoom) - 1;
    return part_read(call, 2, most, &asked->x) && part_read(call, 3, most, &asked->y)
               ? NULL
               : "there is no such tile at this zoom";
}

/* NULL, or what is wrong. */
static const char *query_read(const struct ht_http_request *request, struct asked *asked)
{
    struct ht_params params;
    if (ht_params_of(&params, request) != HT_OK) {
        return "the query is not well encoded";
    }
    bool flag = ht_param_flag(&params, "frail", &asked->frail);
    ht_params_deinit(&params);
    if (!flag) {
        return "frail is true or false";
    }
    return asked->frail &&
                   (asked->collection == NULL || strcmp(asked->collection->name, "households") != 0)
               ? "households may be frail, nothing else"
               : NULL;
}

/* What the client has already; a longer list than we ever gave tags for is not looked at. */
static void have_read(const struct ht_http_request *request, struct asked *asked)
{
    size_t size = 0;
    const char *have = ht_http_header(request, "if-none-match", &size);
    if (have != NULL && size < sizeof asked->have) {
        memcpy(asked->have, have, size);
        asked->have_size = size;
    }
}

/* Streets that are there already: true, with the answer. */
static bool streets_at_once(struct ht_app_context *context, const struct asked *asked,
                            struct ht_reply *reply)
{
    struct ht_tiles *tiles = context->app->tiles;
    const struct ht_world *world = ht_world_reader_get(&context->world);
    uint64_t number = 0;
    if (world == NULL || pthread_mutex_trylock(&tiles->lock) != 0) {
        return false;
    }
    if (tiles->streets != NULL && is_of(tiles->streets, world)) {
        number = tiles->streets->number;
    }
    (void)pthread_mutex_unlock(&tiles->lock);
    struct ht_tile_key key = key_of(asked, number, false);
    struct ht_tile *tile = number == 0 ? NULL : ht_tile_cache_get(tiles->cache, &key);
    if (tile == NULL) {
        return false;
    }
    reply_tile(asked, tile, reply);
    ht_tile_release(tile);
    return true;
}

static struct ht_http_job job_of(struct ht_app_context *context, struct asked *asked)
{
    struct ht_http_job job = {.free = asked_free, .data = asked};
    asked->noted = asked->frail && context->app->commit != NULL;
    if (asked->collection == NULL) {
        job.run = streets_run;
    } else if (asked->noted) {
        job.prepare = town_run;
        job.run = town_note;
        job.lost = town_withheld;
        job.writes = true;
    } else {
        job.run = town_plain;
    }
    return job;
}

void ht_tiles_get(struct ht_app_context *context, struct ht_http_call *call)
{
    struct asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "out of memory");
        return;
    }
    const char *absent = path_read(call, asked);
    const char *wrong = absent == NULL ? query_read(call->request, asked) : NULL;
    have_read(call->request, asked);
    asked->caller = *context->caller;
    asked->at_ms = ht_clock_now_ms(&context->app->clock);
    if (absent != NULL) {
        ht_reply_problem(call->reply, 404, "Not Found", absent);
    } else if (wrong != NULL) {
        ht_reply_problem(call->reply, 400, "Bad Request", wrong);
    } else if (asked->collection != NULL && asked->caller.role == HT_ROLE_NONE) {
        ht_reply_problem(call->reply, 403, "Forbidden", "who follows an order sees streets alone");
    } else if (asked->frail && !ht_access_personal(&asked->caller)) {
        ht_reply_problem(call->reply, 403, "Forbidden", "who is frail is personal");
    } else if (asked->collection != NULL || !streets_at_once(context, asked, call->reply)) {
        call->job = job_of(context, asked);
        return;
    }
    asked_free(asked);
}

void ht_tiles_metrics(struct ht_tiles *tiles, struct ht_buffer *out)
{
    struct ht_tile_cache_stats stats;
    ht_tile_cache_stats_read(tiles->cache, &stats);
    ht_metrics_gauge(out, "houtao_tiles_cached", "gauge", "Tiles in memory.", (double)stats.tiles);
    ht_metrics_gauge(out, "houtao_tiles_cached_bytes", "gauge", "What they take.",
                     (double)stats.bytes);
    ht_metrics_gauge(out, "houtao_tiles_found_total", "counter", "Tiles that were there.",
                     (double)stats.hits);
    ht_metrics_gauge(out, "houtao_tiles_missed_total", "counter", "Tiles that were not.",
                     (double)stats.misses);
}
