#include "api/app.h"

#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "geodata/hnet.h"

enum ht_status ht_app_new(unsigned threads, struct ht_app **out)
{
    struct ht_app *app = calloc(1, sizeof *app);
    if (app == NULL) {
        return HT_NOMEM;
    }
    (void)pthread_mutex_init(&app->pool_lock, NULL);
    (void)pthread_mutex_init(&app->open_lock, NULL);
    (void)pthread_mutex_init(&app->context_lock, NULL);
    app->limits = ht_osrm_limits_default();
    ht_clock_real(&app->clock);
    app->started_ms = ht_clock_now_ms(&app->clock);
    enum ht_status status = ht_world_slot_new(&app->slot);
    if (status == HT_OK) {
        status = ht_pool_new(threads, &app->pool);
    }
    if (status != HT_OK) {
        ht_app_free(app);
        return status;
    }
    *out = app;
    return HT_OK;
}

void ht_app_free(struct ht_app *app)
{
    if (app == NULL) {
        return;
    }
    ht_world_slot_free(app->slot);
    ht_pool_free(app->pool);
    (void)pthread_mutex_destroy(&app->pool_lock);
    (void)pthread_mutex_destroy(&app->open_lock);
    (void)pthread_mutex_destroy(&app->context_lock);
    free(app);
}

static void file_release(void *file)
{
    ht_hnet_close(file);
}

/* Checks every profile of the file before anybody may ask for one. */
static enum ht_status world_of(struct ht_hnet *file, struct ht_pool *pool, struct ht_world **out,
                               struct ht_error *error)
{
    uint32_t count = ht_hnet_profile_count(file);
    struct ht_road *roads = calloc(count == 0 ? 1 : count, sizeof *roads);
    if (roads == NULL) {
        return ht_error_set(error, HT_NOMEM, 0, NULL);
    }
    enum ht_status status =
        count == 0 ? ht_error_set(error, HT_EMPTY, 0, "the file holds no profile") : HT_OK;
    for (uint32_t i = 0; i < count && status == HT_OK; i++) {
        status = ht_hnet_road(file, ht_hnet_profile(file, i), pool, &roads[i], error);
    }
    if (status == HT_OK) {
        status = ht_world_new(roads, count, file, file_release, out);
        if (status != HT_OK) {
            (void)ht_error_set(error, status, 0, NULL);
        }
    }
    free(roads);
    return status;
}

enum ht_status ht_app_network_open(struct ht_app *app, const char *path, struct ht_error *error)
{
    struct ht_hnet *file = NULL;
    struct ht_world *world = NULL;
    (void)pthread_mutex_lock(&app->open_lock);
    enum ht_status status = ht_hnet_open(path, &file, error);
    if (status == HT_OK) {
        (void)pthread_mutex_lock(&app->pool_lock);
        status = world_of(file, app->pool, &world, error);
        (void)pthread_mutex_unlock(&app->pool_lock);
        if (status == HT_OK) {
            ht_world_publish(app->slot, world);
            (void)atomic_fetch_add(&app->swaps, 1);
        } else {
            ht_hnet_close(file);
        }
    }
    (void)pthread_mutex_unlock(&app->open_lock);
    return status;
}

static enum ht_status context_new(void *user, void **out)
{
    struct ht_app *app = user;
    struct ht_app_context *context = calloc(1, sizeof *context);
    if (context == NULL) {
        return HT_NOMEM;
    }
    enum ht_status status = ht_osrm_new(&app->limits, &context->osrm);
    if (status != HT_OK) {
        free(context);
        return status;
    }
    context->app = app;
    ht_world_reader_init(&context->world, app->slot);
    (void)pthread_mutex_lock(&app->context_lock);
    context->next = app->contexts;
    app->contexts = context;
    (void)pthread_mutex_unlock(&app->context_lock);
    *out = context;
    return HT_OK;
}

static void context_free(void *user)
{
    struct ht_app_context *context = user;
    struct ht_app *app = context->app;
    (void)pthread_mutex_lock(&app->context_lock);
    struct ht_app_context **at = &app->contexts;
    while (*at != NULL && *at != context) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        *at = context->next;
    }
    (void)pthread_mutex_unlock(&app->context_lock);
    ht_world_reader_deinit(&context->world);
    ht_osrm_free(context->osrm);
    free(context);
}

static void handle(void *user, struct ht_http_call *call)
{
    ht_routes_handle(user, call);
}

static void account(void *user, unsigned service, int status, uint64_t duration_ns)
{
    struct ht_app_context *context = user;
    ht_metrics_count(&context->metrics, service, status, duration_ns);
}

/* An idle loop must not keep an old map in memory. */
static void tick(void *user)
{
    struct ht_app_context *context = user;
    (void)ht_world_reader_get(&context->world);
}

struct ht_http_handler ht_app_handler(struct ht_app *app)
{
    return (struct ht_http_handler){.user = app,
                                    .context_new = context_new,
                                    .context_free = context_free,
                                    .handle = handle,
                                    .account = account,
                                    .tick = tick};
}
