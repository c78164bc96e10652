#include "api/live_follow.h"

#include <string.h>

#include "api/desk_room.h"
#include "api/devices.h"
#include "api/live.h"

static void desk_told(struct ht_app *app, const char *unit)
{
    if (app->desk != NULL) {
        ht_desk_room_unit_changed(app->desk, unit);
    }
}

static enum ht_status unit_take(void *user, const struct ht_store_item *item)
{
    struct ht_app_context *context = user;
    struct ht_app *app = context->app;
    enum ht_status status =
        ht_live_unit_take(app->live, context->live, ht_world_reader_get(&context->world), item,
                          ht_clock_now_ms(&app->clock));
    desk_told(app, item->id);
    return status;
}

static enum ht_status device_take(void *user, const struct ht_store_item *item)
{
    const struct ht_app_context *context = user;
    return ht_devices_put(ht_live_devices(context->app->live), item->id, item->properties,
                          item->personal);
}

enum ht_status ht_live_follow(struct ht_app_context *context, struct ht_store_reader *reader,
                              const struct ht_collection *collection, const char *id)
{
    struct ht_app *app = context->app;
    bool units = strcmp(collection->name, "units") == 0;
    if (ht_app_live_work(context) == NULL) {
        return HT_NOMEM;
    }
    /* whose a device is, which is personal, stays in memory */
    enum ht_status status = ht_store_item(reader, collection, id, !units,
                                          units ? unit_take : device_take, context, NULL);
    if (status != HT_NOT_FOUND) {
        return status;
    }
    if (units) {
        ht_live_unit_remove(app->live, id);
        desk_told(app, id);
    } else {
        ht_devices_remove(ht_live_devices(app->live), id);
    }
    return HT_OK;
}
