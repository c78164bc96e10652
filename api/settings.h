/* Settings: the office's tables that can be changed while the server runs.
 *
 *   retention  tracks_days, answers_days   how long tracks, and answers to Idempotency-Keys, stay
 *   live       stale_s                     a unit that was silent for longer is stale
 *   webhooks   give_up_h                   how long an event is tried to be delivered
 *   speeds     learn, follow, least_trips  what streets' speeds are learned (api/learning.h)
 *   planner    run, prices, limits ...     how the day is planned (api/planner.h)
 *   devices    silence_h, gone_s           when a home's kit is silent (api/device_book.h)
 *
 *   incidents  kinds, clocks, choice       how the desk sends help (api/incident_rules.h)
 *   calendar   holidays, workdays, hours   the office's days (api/calendar.h)
 *   regimes    zones, answers, duties ...  sets that one call puts into force (api/regimes.h)
 *   meals      kitchens, welfare ...       when, how much and what they cook (api/meal_rules.h)
 *   visits     due_days, rise_days ...     notices, their clocks, check-ins (api/visit_rules.h)
 *
 * The first six are JSON documents of whole numbers and truths, the others have shapes of their
 * own; what a PUT leaves out is as at first. A change counts at once. Others are unknown (404). Of
 * incidents and calendar, ?in_force=1 shows what holds by the regimes that are on; PUT changes what
 * lies beneath.
 *
 * Threading: values are read from any thread; a change comes from the thread that writes the store.
 */
#ifndef HT_API_SETTINGS_H
#define HT_API_SETTINGS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "api/pointer.h"
#include "engine/base/status.h"

struct ht_store_reader;
struct ht_app;
struct ht_app_context;
struct ht_json;
struct ht_http_call;

enum ht_setting_field {
    HT_SETTING_TRACKS_DAYS,
    HT_SETTING_ANSWERS_DAYS,
    HT_SETTING_STALE_S,
    HT_SETTING_GIVE_UP_H,
    HT_SETTING_SPEEDS_LEARN,
    HT_SETTING_SPEEDS_FOLLOW,
    HT_SETTING_SPEEDS_LEAST,
    HT_SETTING_PLANNER_RUN,
    HT_SETTING_PLANNER_MOVE_S,
    HT_SETTING_PLANNER_KM_S,
    HT_SETTING_PLANNER_LATE_PRICE,
    HT_SETTING_PLANNER_LATE_MOST_S,
    HT_SETTING_PLANNER_SPARE_S,
    HT_SETTING_PLANNER_RIDE_MOST_S,
    HT_SETTING_PLANNER_STOP_S,
    HT_SETTING_PLANNER_LOAD_S,
    HT_SETTING_PLANNER_TRIPS_MOST,
    HT_SETTING_PLANNER_VAN_MEALS,
    HT_SETTING_SILENCE_H,
    HT_SETTING_GONE_S,
    HT_SETTING_FIELDS
};
enum { HT_SETTINGS_PLAIN = 6, HT_SETTINGS = 11 };

struct ht_settings {
    atomic_int_least64_t values[HT_SETTING_FIELDS];
    atomic_uint_least64_t versions[HT_SETTINGS];  /* 1 for one that was never put */
    pthread_mutex_t lock;                         /* guards the texts */
    char *texts[HT_SETTINGS - HT_SETTINGS_PLAIN]; /* of those with a shape; NULL: as at first */
};

/* What is wrong with a document, and where. */
struct ht_setting_wrong {
    char pointer[HT_POINTER_MOST];
    char detail[160];
};

/* As at first. */
void ht_settings_init(struct ht_settings *settings);
void ht_settings_deinit(struct ht_settings *settings);
/* Hands the documents that have a shape to whom they concern, once these are there. */
HT_MUST_CHECK enum ht_status ht_settings_tell(struct ht_app *app);
/* As they are in the store. */
HT_MUST_CHECK enum ht_status ht_settings_load(struct ht_settings *settings,
                                              struct ht_store_reader *reader,
                                              struct ht_error *error);
int64_t ht_setting(const struct ht_settings *settings, enum ht_setting_field field);

/* GET /v1/settings, GET and PUT /v1/settings/{name}. */
void ht_settings_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_setting_get(struct ht_app_context *context, struct ht_http_call *call);
void ht_setting_put(struct ht_app_context *context, struct ht_http_call *call);
/* GET /v1/settings/{name}/history: who changed what of it when (api/setting_change.h). */
void ht_setting_history_get(struct ht_app_context *context, struct ht_http_call *call);

#endif
