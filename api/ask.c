#include "api/ask.h"

#include <math.h>
#include <string.h>

#include "api/live_json.h"

static bool kinds_read(const char *text, const char *const *words, uint32_t *bits)
{
    *bits = 0;
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",;");
        bool known = false;
        for (uint32_t i = 0; words[i] != NULL; i++) {
            if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0) {
                *bits |= UINT32_C(1) << i;
                known = true;
            }
        }
        if (!known) {
            return false;
        }
        text += size + (text[size] != '\0');
    }
    return true;
}

bool ht_ask_skills(struct ht_fleet *fleet, const char *text, uint64_t *bits)
{
    char name[HT_NAME_MAX + 1];
    *bits = 0;
    while (text != NULL && *text != '\0') {
        size_t size = strcspn(text, ",;");
        const char *names[] = {name};
        uint64_t one = 0;
        if (size > HT_NAME_MAX) {
            return false;
        }
        memcpy(name, text, size);
        name[size] = '\0';
        if (size > 0 && ht_fleet_skills(fleet, names, 1, &one) != HT_OK) {
            return false;
        }
        *bits |= one;
        text += size + (text[size] != '\0');
    }
    return true;
}

static const char *const duty_words[] = {"any", "on", "off", NULL};

static double number_or(const struct ht_params *params, const char *name, double other,
                        struct ht_ask *ask)
{
    double value = other;
    const char *text = ht_param(params, name);
    if (text != NULL && (!ht_param_doubles(text, &value, 1) || value < 0)) {
        ask->wrong_name = name;
        ask->wrong = "k, radius_m, max_s and max_age_s are numbers from 0 on";
    }
    return value;
}

static void place_read(struct ht_ask *ask, const struct ht_params *params)
{
    const char *lon = ht_param(params, "lon");
    const char *lat = ht_param(params, "lat");
    const char *crs = ht_param(params, "crs");
    const char *out = ht_param(params, "out_crs");
    ask->pointed = lon != NULL || lat != NULL;
    if (ask->pointed &&
        (lon == NULL || lat == NULL || !ht_param_doubles(lon, &ask->pair[0][0], 1) ||
         !ht_param_doubles(lat, &ask->pair[0][1], 1))) {
        ask->wrong_name = "lon";
        ask->wrong = "lon and lat are numbers, both of them";
    }
    bool sound = crs == NULL || ht_crs_parse(crs, strlen(crs), &ask->crs) == HT_OK;
    if (!sound || (out != NULL && ht_crs_parse(out, strlen(out), &ask->out_crs) != HT_OK)) {
        ask->wrong_name = sound ? "out_crs" : "crs";
        ask->wrong = "crs and out_crs are coordinate systems";
    }
    ask->out_crs = out == NULL ? ask->crs : ask->out_crs;
}

static void light_read(struct ht_ask *ask, const struct ht_params *params)
{
    bool light = true;
    if (!ht_param_flag(params, "blue_light", &light)) {
        ask->wrong_name = "blue_light";
        ask->wrong = "blue_light is true or false";
    }
    ask->live.plain = !light;
}

static void units_read(struct ht_ask *ask, struct ht_fleet *fleet, const struct ht_params *params)
{
    struct ht_unit_filter *filter = &ask->live.filter;
    const char *duty = ht_param(params, "shift");
    if (!kinds_read(ht_param(params, "kind"), ht_unit_kinds, &filter->kinds)) {
        ask->wrong_name = "kind";
        ask->wrong_unit = "kind is van, responder, inspector or volunteer";
    }
    if (!kinds_read(ht_param(params, "status"), ht_unit_statuses, &filter->statuses)) {
        ask->wrong_name = "status";
        ask->wrong_unit = "status is off, idle or busy";
    }
    size_t word = 0;
    while (duty != NULL && duty_words[word] != NULL && strcmp(duty_words[word], duty) != 0) {
        word++;
    }
    if (duty != NULL && duty_words[word] == NULL) {
        ask->wrong_name = "shift";
        ask->wrong_unit = "shift is on, off or any";
    } else if (duty != NULL) {
        filter->duty = (enum ht_duty)word;
    }
    ask->nobody = !ht_ask_skills(fleet, ht_param(params, "skills"), &filter->skills);
}

struct ht_ask ht_ask_read(struct ht_app_context *context, const struct ht_params *params,
                          enum ht_duty duty)
{
    int64_t now_ms = ht_clock_now_ms(&context->app->clock);
    struct ht_ask ask = {.live.filter = {.duty = duty, .duty_ms = now_ms}};
    place_read(&ask, params);
    ask.numbered = ht_param(params, "k") != NULL;
    double k = number_or(params, "k", HT_ASK_DEFAULT, &ask);
    double radius = number_or(params, "radius_m", INFINITY, &ask);
    double max_s = number_or(params, "max_s", INFINITY, &ask);
    double age_s = number_or(params, "max_age_s", INFINITY, &ask);
    ask.live.k = k < HT_ASK_MOST ? (uint32_t)k : HT_ASK_MOST;
    ask.live.radius_m = isinf(radius) ? -1 : radius;
    ask.live.max_ms = max_s * 1000 < UINT32_MAX ? (uint32_t)(max_s * 1000) : UINT32_MAX;
    ask.live.filter.heard_ms =
        isinf(age_s) ? INT64_MIN : now_ms - (int64_t)(fmin(age_s, 1e12) * 1000);
    light_read(&ask, params);
    const char *named = ask.wrong_name;
    units_read(&ask, ht_live_fleet(context->app->live), params);
    ask.wrong_name = named != NULL ? named : ask.wrong_name;
    const char *geometry = ht_param(params, "geometry");
    ask.geometry = geometry != NULL && strcmp(geometry, "1") == 0;
    return ask;
}

bool ht_ask_slow(const struct ht_ask *ask)
{
    return ask->crs.kind == HT_CRS_PROJ || ask->out_crs.kind == HT_CRS_PROJ;
}

enum ht_status ht_ask_locate(struct ht_app_context *context, const struct ht_ask *ask,
                             const double pair[2], struct ht_point *out)
{
    bool plain = ht_crs_plain(&ask->crs) && ht_crs_plain(&ask->out_crs);
    if (plain) {
        if (!(fabs(pair[0]) <= 180 && fabs(pair[1]) <= 90)) {
            return HT_RANGE;
        }
        *out = (struct ht_point){(int32_t)lround(pair[0] * 1e7), (int32_t)lround(pair[1] * 1e7)};
        return HT_OK;
    }
    enum ht_status status = context->crs == NULL ? ht_crs_work_new(&context->crs) : HT_OK;
    if (status == HT_OK && ht_crs_check(context->crs, &ask->out_crs, NULL) != HT_OK) {
        status = HT_RANGE;
    }
    if (status == HT_OK) {
        status = ht_crs_point(context->crs, &ask->crs, pair, out);
    }
    return status == HT_OK || status == HT_NOMEM ? status : HT_RANGE;
}

void ht_ask_refuse(struct ht_reply *reply, const char *why)
{
    ht_reply_problem(reply, 400, "Bad Request", why);
}
