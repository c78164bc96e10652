/* The part of learning that shows what it knows. */
#include <stdio.h>

#include "api/json.h"
#include "api/learning_internal.h"

/* A copy, so that nobody waits for who reads. */
struct shown {
    struct ht_learning_counts counts;
    struct ht_learning_profile profiles[HT_LEARNING_PROFILES];
    size_t profile_count;
    uint32_t looked;
    bool follows;
};

static void shown_take(struct ht_learning *learning, struct shown *out)
{
    (void)pthread_mutex_lock(&learning->lock);
    out->counts = learning->shown;
    for (size_t i = 0; i < learning->profile_count; i++) {
        out->profiles[i] = learning->profiles[i];
    }
    out->profile_count = learning->profile_count;
    out->looked = learning->looked;
    out->follows = learning->follows;
    (void)pthread_mutex_unlock(&learning->lock);
}

/* "Mo 08:15" */
static void quarter_text(uint32_t quarter, char out[16])
{
    static const char days[7][3] = {"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"};
    uint32_t minute = quarter % (24 * 4) * 15;
    (void)snprintf(out, 16, "%s %02u:%02u", days[quarter / (24 * 4) % 7], minute / 60 % 24,
                   minute % 60);
}

static size_t known_of(const struct ht_learned *learned)
{
    return learned->by[HT_SPEEDS_OWN] + learned->by[HT_SPEEDS_TIMES] + learned->by[HT_SPEEDS_AREA] +
           learned->by[HT_SPEEDS_KIND];
}

static void profile_write(struct ht_json *json, const struct ht_learning_profile *profile)
{
    static const char *const names[HT_SPEEDS_SOURCES] = {"filed", "own", "times", "area", "kind"};
    ht_json_object(json);
    ht_json_key_text(json, "profile", profile->name);
    ht_json_key_int(json, "arcs", profile->arcs);
    ht_json_key_int(json, "known", (int64_t)known_of(&profile->learned));
    ht_json_key(json, "by");
    ht_json_object(json);
    for (int i = 0; i < HT_SPEEDS_SOURCES; i++) {
        ht_json_key_int(json, names[i], (int64_t)profile->learned.by[i]);
    }
    ht_json_object_end(json);
    ht_json_key_double(json, "ratio", profile->learned.ratio, 4);
    ht_json_object_end(json);
}

static void counts_write(struct ht_json *json, const struct ht_learning_counts *counts)
{
    ht_json_key_int(json, "streets", (int64_t)counts->speeds.streets);
    ht_json_key_int(json, "cells", (int64_t)counts->speeds.cells);
    ht_json_key_int(json, "cells_known", (int64_t)counts->speeds.cells_known);
    ht_json_key_int(json, "cells_forgotten", (int64_t)counts->speeds.forgotten);
    ht_json_key_int(json, "bytes", (int64_t)counts->speeds.bytes);
    ht_json_key_int(json, "drives", (int64_t)counts->drives);
    ht_json_key(json, "positions");
    ht_json_object(json);
    ht_json_key_int(json, "taken", (int64_t)counts->taken);
    ht_json_key_int(json, "foreign", (int64_t)counts->foreign);
    ht_json_key_int(json, "late", (int64_t)counts->late);
    ht_json_key_int(json, "lost", (int64_t)counts->lost);
    ht_json_key_int(json, "units_full", (int64_t)counts->full);
    ht_json_key_int(json, "dropped", (int64_t)counts->dropped);
    ht_json_object_end(json);
}

void ht_speeds_get(struct ht_app_context *context, struct ht_http_call *call)
{
    const struct ht_settings *settings = &context->app->settings;
    struct shown shown = {0};
    struct ht_json json;
    char quarter[16];
    if (context->app->learning == NULL) {
        ht_reply_problem(call->reply, 503, "Service Unavailable", "nothing is learned here");
        return;
    }
    shown_take(context->app->learning, &shown);
    ht_json_begin(&json, &call->reply->body);
    ht_json_object(&json);
    ht_json_key_bool(&json, "learn", ht_setting(settings, HT_SETTING_SPEEDS_LEARN) != 0);
    ht_json_key_bool(&json, "follow", ht_setting(settings, HT_SETTING_SPEEDS_FOLLOW) != 0);
    ht_json_key_int(&json, "least_trips", ht_setting(settings, HT_SETTING_SPEEDS_LEAST));
    counts_write(&json, &shown.counts);
    ht_json_key(&json, "metric");
    ht_json_object(&json);
    ht_json_key_bool(&json, "follows", shown.follows);
    ht_json_key(&json, "quarter");
    if (shown.looked < HT_SPEEDS_QUARTERS) {
        quarter_text(shown.looked, quarter);
        ht_json_text(&json, quarter);
    } else {
        ht_json_null(&json);
    }
    ht_json_key(&json, "profiles");
    ht_json_array(&json);
    for (size_t i = 0; i < shown.profile_count; i++) {
        profile_write(&json, &shown.profiles[i]);
    }
    ht_json_array_end(&json);
    ht_json_object_end(&json);
    ht_json_object_end(&json);
}

static void profiles_metric(struct ht_buffer *out, const struct shown *shown, bool ratio)
{
    char line[256];
    ht_buffer_text(out, ratio ? "# HELP houtao_speeds_ratio Time of all streets as learned over "
                                "the file's, by profile.\n# TYPE houtao_speeds_ratio gauge\n"
                              : "# HELP houtao_speeds_arcs Streets of which a speed is known now, "
                                "by profile.\n# TYPE houtao_speeds_arcs gauge\n");
    for (size_t i = 0; i < shown->profile_count; i++) {
        const struct ht_learning_profile *profile = &shown->profiles[i];
        if (ratio) {
            (void)snprintf(line, sizeof line, "houtao_speeds_ratio{profile=\"%s\"} %.6f\n",
                           profile->name, profile->learned.ratio);
        } else {
            (void)snprintf(line, sizeof line, "houtao_speeds_arcs{profile=\"%s\"} %zu\n",
                           profile->name, known_of(&profile->learned));
        }
        ht_buffer_text(out, line);
    }
}

void ht_learning_metrics(struct ht_learning *learning, struct ht_buffer *out)
{
    struct shown shown = {0};
    if (learning == NULL) {
        return;
    }
    shown_take(learning, &shown);
    ht_metrics_gauge(out, "houtao_speeds_follows", "gauge", "1 where the metric follows.",
                     shown.follows ? 1 : 0);
    ht_metrics_gauge(out, "houtao_speeds_cells", "gauge", "Streets by quarter of the week.",
                     (double)shown.counts.speeds.cells);
    ht_metrics_gauge(out, "houtao_speeds_cells_known", "gauge", "Of these those that count.",
                     (double)shown.counts.speeds.cells_known);
    ht_metrics_gauge(out, "houtao_speeds_bytes", "gauge", "Memory of the table.",
                     (double)shown.counts.speeds.bytes);
    ht_metrics_gauge(out, "houtao_speeds_drives_total", "counter", "Drives over a street learned.",
                     (double)shown.counts.drives);
    ht_metrics_gauge(out, "houtao_speeds_positions_total", "counter", "Positions matched.",
                     (double)shown.counts.taken);
    ht_metrics_gauge(out, "houtao_speeds_dropped_total", "counter",
                     "Positions not matched because too many waited.",
                     (double)shown.counts.dropped);
    profiles_metric(out, &shown, false);
    profiles_metric(out, &shown, true);
}
