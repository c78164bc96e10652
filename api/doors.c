#include "api/doors.h"

#include "api/jt808.h"
#include "api/log.h"
#include "api/mqtt.h"
#include "api/relay.h"

void ht_doors_lend(const struct ht_doors *doors, struct ht_app *app)
{
    app->relay = doors->relay;
    app->jt808 = doors->jt808;
    app->mqtt = doors->mqtt;
    app->doors_lent = true;
}

void ht_doors_move(struct ht_doors *doors, struct ht_app *app)
{
    struct ht_error error = {0};
    enum ht_status status = ht_jt808_move(doors->jt808, app);
    status = status == HT_OK ? ht_mqtt_move(doors->mqtt, app, &error) : status;
    if (status != HT_OK) {
        ht_log(HT_LOG_ERROR, "devices are not listened to until a restart: %s",
               error.message[0] == '\0' ? ht_status_text(status) : error.message);
        ht_doors_stop(doors);
    }
    doors->app = app;
}

void ht_doors_stop(struct ht_doors *doors)
{
    ht_jt808_stop(doors->jt808);
    ht_mqtt_stop(doors->mqtt);
    ht_relay_stop(doors->relay); /* which brings what they said last */
}

void ht_doors_deinit(struct ht_doors *doors)
{
    ht_jt808_free(doors->jt808);
    ht_relay_free(doors->relay);
    ht_mqtt_free(doors->mqtt);
    *doors = (struct ht_doors){.app = NULL};
}
